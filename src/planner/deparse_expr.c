#include "parser/parser.h"
#include "planner/deparse_internal.h"

#include "base/scheduler.h"
#include "types/identifier.h"

static void put(Deparse *d, const char *text)
{
    strbuf_append_c(d->buf, text);
}

void deparse_name(Deparse *d, Str name)
{
    strbuf_append(d->buf, identifier_quote(d->arena, name));
}

Str deparse_identifier(Arena *arena, Str name)
{
    return identifier_quote(arena, name);
}

Str deparse_qualified(Arena *arena, Str schema, Str name)
{
    return identifier_qualify(arena, schema, name);
}

Str deparse_literal(Arena *arena, Str text)
{
    StrBuf buf = strbuf_in(arena);
    if (str_find_char(text, '\\', 0) != SIZE_MAX)
        strbuf_append_char(&buf, 'E');
    strbuf_append_char(&buf, '\'');
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '\'' || text.data[i] == '\\')
            strbuf_append_char(&buf, text.data[i]);
        strbuf_append_char(&buf, text.data[i]);
    }
    strbuf_append_char(&buf, '\'');
    return strbuf_view(&buf);
}

Str deparse_relation_name(Deparse *d, Oid oid)
{
    bool exists;
    const RelationDesc *relation = relation_find(d->session, oid);
    if (!relation)
        return str_format(d->arena, "%u", oid);
    const bool visible = relation_is_visible(d->session, oid, &exists);
    return identifier_qualify(d->arena, visible ? STR_NONE : relation->namespace_name,
                              relation->name);
}

Str deparse_function_name(Deparse *d, Oid oid)
{
    bool exists;
    const FunctionDesc *function = function_find(d->session, oid);
    if (!function)
        return str_format(d->arena, "%u", oid);
    const bool visible = function_is_visible(d->session, oid, &exists);
    return identifier_qualify(
        d->arena, visible ? STR_NONE : namespace_name(d->session, function->namespace_oid),
        function->name);
}

static Str operator_text(Deparse *d, Oid oid)
{
    bool exists;
    const OperatorDesc *op = operator_find(d->session, oid);
    if (!op)
        return str_format(d->arena, "%u", oid);
    if (operator_is_visible(d->session, oid, &exists))
        return op->name;
    return str_format(
        d->arena, "OPERATOR(%.*s.%.*s)",
        STR_ARGS(identifier_quote(d->arena, namespace_name(d->session, op->namespace_oid))),
        STR_ARGS(op->name));
}

static Str type_text(Deparse *d, Oid type, int32_t typmod)
{
    return type_sql_name(d->session, type, typmod, d->arena);
}

void deparse_keyword(Deparse *d, const char *text, int before, int after, int plus)
{
    d->indent += before;
    if (d->statement) { /* EXPLAIN writes on one line */
        if (!str_equal(str_from_c(text), STR("CASE")))
            put(d, " ");
        put(d, text);
        return;
    }
    while (d->buf->length > 0 && d->buf->data[d->buf->length - 1] == ' ')
        strbuf_truncate(d->buf, d->buf->length - 1);
    strbuf_append_char(d->buf, '\n');
    for (int i = 0; i < MIN(MAX(d->indent, 0), 40) + plus; i++)
        strbuf_append_char(d->buf, ' ');
    put(d, text);
    d->indent = MAX(0, d->indent + after);
}

/* ---- constants ---- */

static bool looks_numeric(Str text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!strchr("0123456789+-eE.", text.data[i]))
            return false;
    return text.length > 0;
}

void deparse_const(Deparse *d, const ExprConst *constant, int label)
{
    const Oid type = constant->base.type;
    bool need_label = true;
    StrBuf text = strbuf_in(d->arena);

    if (constant->is_null) {
        put(d, "NULL");
        if (label >= 0 && (label > 0 || type != TYPE_UNKNOWN))
            strbuf_format(d->buf, "::%.*s", STR_ARGS(type_text(d, type, constant->base.typmod)));
        return;
    }
    if (type == TYPE_BOOL) {
        put(d, constant->value.boolean ? "true" : "false");
        return;
    }
    if (type == TYPE_UNKNOWN)
        strbuf_append(&text, var_str(constant->value.var));
    else if (!type_output(type, &constant->value, &text)) {
        d->failed = true;
        return;
    }
    const Str shown = strbuf_view(&text);
    if (type == TYPE_INT4) {
        need_label = shown.data[0] == '-';
        if (need_label)
            strbuf_format(d->buf, "'%.*s'", STR_ARGS(shown));
        else
            strbuf_append(d->buf, shown);
    } else if (type == TYPE_NUMERIC && shown.data[0] >= '0' && shown.data[0] <= '9' &&
               looks_numeric(shown)) {
        /* Only what reads back as numeric goes without a label. */
        bool is_float = false;
        for (size_t i = 0; i < shown.length; i++)
            is_float |= strchr(".eE", shown.data[i]) != NULL;
        if (is_float)
            strbuf_append(d->buf, shown);
        else
            strbuf_format(d->buf, "'%.*s'", STR_ARGS(shown));
        need_label = !is_float || constant->base.typmod >= 0;
    } else {
        /* standard_conforming_strings is on: a backslash is a backslash. */
        put(d, "'");
        for (size_t i = 0; i < shown.length; i++) {
            if (shown.data[i] == '\'')
                put(d, "'");
            strbuf_append_char(d->buf, shown.data[i]);
        }
        put(d, "'");
        need_label = type != TYPE_UNKNOWN;
    }
    if (label >= 0 && (need_label || label > 0))
        strbuf_format(d->buf, "::%.*s", STR_ARGS(type_text(d, type, constant->base.typmod)));
}

/* ---- columns ---- */

static void deparse_column(Deparse *d, const ExprColumn *column)
{
    if (d->relation) {
        if (column->attnum == ATTNUM_WHOLE_ROW) {
            deparse_name(d, d->relation->name);
            put(d, ".*");
        } else if (column->attnum < 0) {
            deparse_name(d, system_column_at(column->attnum)->name);
        } else {
            deparse_name(d, d->relation->columns[column->attnum - 1].name);
        }
        return;
    }
    const DeparseLevel *level = d->level;
    for (int i = 0; i < column->levels_up && level; i++)
        level = level->outer;
    if (!level || d->plan) { /* a plan's expressions are over slots */
        d->failed = true;
        return;
    }
    const RangeTableEntry *rte = query_rte(level->query, column->rel);
    if (rte->kind == RANGE_JOIN && str_is_none(rte->alias_name) && column->attnum > 0) {
        /* A merged column goes by its bare name; others by what they stand for. */
        const Expr *inner = rte->alias_exprs.items[column->attnum - 1];
        if (inner->kind == EXPR_COLUMN) {
            ExprColumn copy = *EXPR_AS(const ExprColumn, inner);
            copy.levels_up += column->levels_up;
            deparse_column(d, &copy);
            return;
        }
        deparse_name(d, rte->columns[column->attnum - 1].name);
        return;
    }
    if (level->prefix || column->levels_up > 0 || column->attnum == ATTNUM_WHOLE_ROW) {
        deparse_name(d, deparse_rel_name(level, column->rel));
        if (column->attnum == ATTNUM_WHOLE_ROW) {
            put(d, ".*");
            return;
        }
        put(d, ".");
    }
    if (column->attnum < 0)
        deparse_name(d, system_column_at(column->attnum)->name);
    else
        deparse_name(d, rte->columns[column->attnum - 1].name);
}

/* ---- parentheses in the pretty form ---- */

static bool is_self_contained(const Expr *expr)
{
    switch (expr->kind) {
    case EXPR_CONST:
    case EXPR_COLUMN:
    case EXPR_PARAM:
    case EXPR_CASE_TEST:
    case EXPR_FUNCTION:
    case EXPR_AGGREGATE:
    case EXPR_WINDOW_FUNCTION:
    case EXPR_COALESCE:
    case EXPR_MIN_MAX:
    case EXPR_NULLIF:
    case EXPR_ARRAY:
    case EXPR_ROW:
    case EXPR_SQL_VALUE:
    case EXPR_SUBSCRIPT:
    case EXPR_FIELD_SELECT:
    case EXPR_SUB_LINK:
    case EXPR_CASE:
        return true;
    case EXPR_CAST:
        return true;
    default:
        return false;
    }
}

static int operator_rank(Deparse *d, const Expr *expr)
{
    if (expr->kind != EXPR_OPERATOR || EXPR_AS(const ExprOperator, expr)->args.length != 2)
        return -1;
    const OperatorDesc *op = operator_find(d->session, EXPR_AS(const ExprOperator, expr)->op);
    if (!op || op->name.length != 1)
        return 0;
    return strchr("*/%", op->name.data[0]) ? 2 : strchr("+-", op->name.data[0]) ? 1 : 0;
}

static bool needs_paren(Deparse *d, const Expr *expr, const Expr *parent)
{
    /* A cast that calls no function is as simple as what it is over. */
    while (expr->kind == EXPR_CAST && EXPR_AS(const ExprCast, expr)->cast != CAST_FUNCTION) {
        parent = expr;
        expr = EXPR_AS(const ExprCast, expr)->args.items[0];
    }
    if (is_self_contained(expr))
        return false;
    switch (parent->kind) {
    case EXPR_OPERATOR: {
        const int outer = operator_rank(d, parent), inner = operator_rank(d, expr);
        if (outer > 0 && inner > outer)
            return false;
        return !(outer > 0 && inner == outer &&
                 EXPR_AS(const ExprOperator, parent)->args.items[0] == expr);
    }
    case EXPR_BOOL: {
        if (expr->kind != EXPR_BOOL)
            return expr->kind == EXPR_SCALAR_ARRAY || expr->kind == EXPR_ROW_COMPARE;
        const BoolOp outer = EXPR_AS(const ExprBool, parent)->op;
        const BoolOp inner = EXPR_AS(const ExprBool, expr)->op;
        return outer == BOOL_NOT ? inner != BOOL_NOT : inner == BOOL_OR && outer != BOOL_OR;
    }
    case EXPR_FUNCTION:
    case EXPR_AGGREGATE:
    case EXPR_COALESCE:
    case EXPR_MIN_MAX:
    case EXPR_ARRAY:
    case EXPR_ROW:
    case EXPR_CASE:
        return false;
    default:
        return true;
    }
}

void deparse_condition(Deparse *d, const Expr *expr)
{
    d->show_implicit = false;
    deparse_expr(d, expr);
    d->show_implicit = true;
}

void deparse_expr_paren(Deparse *d, const Expr *expr, const Expr *parent)
{
    const bool paren = d->pretty && needs_paren(d, expr, parent);
    if (paren)
        put(d, "(");
    deparse_expr(d, expr);
    if (paren)
        put(d, ")");
}

void deparse_expr_list(Deparse *d, const ExprVec *list, const char *separator)
{
    for (size_t i = 0; i < list->length; i++) {
        if (i > 0)
            put(d, separator);
        deparse_expr(d, list->items[i]);
    }
}

void deparse_item(Deparse *d, const Expr *expr)
{
    deparse_expr(d, expr);
    if (expr->kind == EXPR_COLUMN && EXPR_AS(const ExprColumn, expr)->attnum == ATTNUM_WHOLE_ROW)
        deparse_type_label(d, expr);
}

void deparse_items(Deparse *d, const ExprVec *list, const char *separator)
{
    for (size_t i = 0; i < list->length; i++) {
        if (i > 0)
            put(d, separator);
        deparse_item(d, list->items[i]);
    }
}

/* ---- calls and casts ---- */

static void deparse_cast_text(Deparse *d, const Expr *arg, Oid type, int32_t typmod,
                              const Expr *parent)
{
    if (arg->kind == EXPR_CONST && arg->type == type && arg->typmod == -1) {
        deparse_const(d, EXPR_AS(const ExprConst, arg), -1);
    } else {
        const bool paren = !d->pretty;
        if (paren)
            put(d, "(");
        d->show_implicit = false;
        deparse_expr_paren(d, arg, parent);
        if (paren)
            put(d, ")");
    }
    strbuf_format(d->buf, "::%.*s", STR_ARGS(type_text(d, type, typmod)));
}

void deparse_type_label(Deparse *d, const Expr *expr)
{
    strbuf_format(d->buf, "::%.*s", STR_ARGS(type_text(d, expr->type, expr->typmod)));
}

static void deparse_cast(Deparse *d, const ExprCast *cast, bool show_implicit)
{
    const Expr *arg = cast->args.items[0];
    /* A row of a table is a record without further ado. */
    if (cast->form == CALL_IMPLICIT_CAST && cast->base.type == TYPE_RECORD)
        show_implicit = false;
    if (cast->form == CALL_IMPLICIT_CAST && !show_implicit) {
        /* Nobody sees the cast; the parentheses that it takes are there. */
        d->show_implicit = false;
        deparse_expr_paren(d, arg, &cast->base);
        d->show_implicit = true;
        return;
    }
    if (cast->form == CALL_PLAIN && cast->cast == CAST_FUNCTION) {
        strbuf_append(d->buf, deparse_function_name(d, cast->function));
        put(d, "(");
        deparse_expr(d, arg);
        put(d, ")");
        return;
    }
    /* A length coercion over a cast of the same type is one cast in the text. */
    ExprCast hidden;
    if (arg->kind == EXPR_CAST && arg->type == cast->base.type && cast->is_length &&
        EXPR_AS(const ExprCast, arg)->form == CALL_EXPLICIT_CAST) {
        hidden = *EXPR_AS(const ExprCast, arg);
        hidden.form = CALL_IMPLICIT_CAST;
        arg = hidden.args.items[0]->kind == EXPR_CONST ? hidden.args.items[0] : &hidden.base;
    }
    deparse_cast_text(d, arg, cast->base.type, cast->base.typmod, &cast->base);
}

static void deparse_normalize(Deparse *d, const ExprFunction *call, bool is_function)
{
    const ExprConst *form = EXPR_AS(const ExprConst, call->args.items[1]);
    put(d, is_function ? "NORMALIZE(" : "(");
    if (is_function)
        deparse_expr(d, call->args.items[0]);
    else
        deparse_expr_paren(d, call->args.items[0], &call->base);
    put(d, is_function ? "" : " IS");
    if (call->default_count == 0)
        strbuf_format(d->buf, is_function ? ", %.*s" : " %.*s", STR_ARGS(var_str(form->value.var)));
    put(d, is_function ? ")" : " NORMALIZED)");
}

/* EXTRACT, OVERLAY … as SQL spells them; false where the plain form does. */
static bool deparse_sql_syntax(Deparse *d, const ExprFunction *call)
{
    const FunctionDesc *function = function_find(d->session, call->function);
    const ExprVec *args = &call->args;
    if (!function)
        return false;
    const Str name = function->name;
    if (str_equal(name, STR("timezone")) && args->length == 2) {
        put(d, "(");
        deparse_expr_paren(d, args->items[1], &call->base);
        put(d, " AT TIME ZONE ");
        deparse_expr_paren(d, args->items[0], &call->base);
        put(d, ")");
        return true;
    }
    if (str_equal(name, STR("extract")) && args->items[0]->kind == EXPR_CONST) {
        const Str field = var_str(EXPR_AS(const ExprConst, args->items[0])->value.var);
        strbuf_format(d->buf, "EXTRACT(%.*s FROM ", STR_ARGS(field));
        deparse_expr(d, args->items[1]);
        put(d, ")");
        return true;
    }
    if (str_equal(name, STR("position")) && args->length == 2) {
        put(d, "POSITION((");
        deparse_expr(d, args->items[1]);
        put(d, ") IN (");
        deparse_expr(d, args->items[0]);
        put(d, "))");
        return true;
    }
    if (str_equal(name, STR("substring")) && args->length >= 2) {
        put(d, "SUBSTRING(");
        deparse_expr(d, args->items[0]);
        put(d, " FROM ");
        deparse_expr(d, args->items[1]);
        if (args->length == 3) {
            put(d, " FOR ");
            deparse_expr(d, args->items[2]);
        }
        put(d, ")");
        return true;
    }
    if (str_equal(name, STR("overlay"))) {
        put(d, "OVERLAY(");
        deparse_expr(d, args->items[0]);
        put(d, " PLACING ");
        deparse_expr(d, args->items[1]);
        put(d, " FROM ");
        deparse_expr(d, args->items[2]);
        if (args->length == 4) {
            put(d, " FOR ");
            deparse_expr(d, args->items[3]);
        }
        put(d, ")");
        return true;
    }
    if (str_equal(name, STR("overlaps")) && args->length == 4) {
        put(d, "((");
        deparse_expr(d, args->items[0]);
        put(d, ", ");
        deparse_expr(d, args->items[1]);
        put(d, ") OVERLAPS (");
        deparse_expr(d, args->items[2]);
        put(d, ", ");
        deparse_expr(d, args->items[3]);
        put(d, "))");
        return true;
    }
    if (str_equal(name, STR("normalize")) || str_equal(name, STR("is_normalized"))) {
        deparse_normalize(d, call, str_equal(name, STR("normalize")));
        return true;
    }
    const char *side = str_equal(name, STR("btrim"))   ? "BOTH"
                       : str_equal(name, STR("ltrim")) ? "LEADING"
                       : str_equal(name, STR("rtrim")) ? "TRAILING"
                                                       : NULL;
    if (!side)
        return false;
    strbuf_format(d->buf, "TRIM(%s", side);
    if (args->length == 2) {
        put(d, " ");
        deparse_expr(d, args->items[1]);
    }
    put(d, " FROM ");
    deparse_expr(d, args->items[0]);
    put(d, ")");
    return true;
}

static void deparse_call(Deparse *d, const ExprFunction *call)
{
    if (call->form == CALL_SQL_SYNTAX && deparse_sql_syntax(d, call))
        return;
    strbuf_append(d->buf, deparse_function_name(d, call->function));
    put(d, "(");
    for (size_t i = 0; i + (size_t)call->default_count < call->args.length; i++) {
        if (i > 0)
            put(d, ", ");
        if (call->is_variadic && i + 1 == call->args.length)
            put(d, "VARIADIC ");
        deparse_expr(d, call->args.items[i]);
    }
    put(d, ")");
}

void deparse_sort(Deparse *d, const Expr *expr, bool is_descending, bool nulls_first)
{
    const TypeDesc *type = type_find(d->session, expr->type);
    (void)type;
    if (is_descending)
        put(d, " DESC");
    if (nulls_first != is_descending)
        put(d, nulls_first ? " NULLS FIRST" : " NULLS LAST");
}

static void deparse_order(Deparse *d, const SortKeyVec *keys)
{
    for (size_t i = 0; i < keys->length; i++) {
        if (i > 0)
            put(d, ", ");
        const ExprKind kind = keys->items[i].expr->kind;
        const bool is_call = kind == EXPR_FUNCTION || kind == EXPR_AGGREGATE ||
                             kind == EXPR_WINDOW_FUNCTION ||
                             (kind == EXPR_CAST &&
                              EXPR_AS(const ExprCast, keys->items[i].expr)->cast == CAST_FUNCTION);
        const bool paren = is_call || (d->pretty && kind != EXPR_COLUMN && kind != EXPR_CONST);
        put(d, paren ? "(" : "");
        deparse_expr(d, keys->items[i].expr);
        put(d, paren ? ")" : "");
        deparse_sort(d, keys->items[i].expr, keys->items[i].is_descending,
                     keys->items[i].nulls_first);
    }
}

static void deparse_filter(Deparse *d, const Expr *filter)
{
    if (!filter)
        return;
    put(d, " FILTER (WHERE ");
    deparse_condition(d, filter);
    put(d, ")");
}

static void deparse_aggregate(Deparse *d, const ExprAggregate *aggregate)
{
    strbuf_append(d->buf, deparse_function_name(d, aggregate->function));
    put(d, "(");
    if (aggregate->is_distinct)
        put(d, "DISTINCT ");
    if (aggregate->is_ordered_set) {
        const Plan *plan = d->plan;
        if (d->grouping) /* in a plan they are over the groups' columns */
            d->plan = d->grouping;
        deparse_expr_list(d, &aggregate->direct_args, ", ");
        d->plan = plan;
        put(d, ") WITHIN GROUP (ORDER BY ");
        deparse_order(d, &aggregate->order_by);
    } else if (aggregate->is_star) {
        put(d, "*");
    } else {
        for (size_t i = 0; i < aggregate->args.length; i++) {
            if (i > 0)
                put(d, ", ");
            if (aggregate->is_variadic && i + 1 == aggregate->args.length)
                put(d, "VARIADIC ");
            deparse_expr(d, aggregate->args.items[i]);
        }
        if (aggregate->order_by.length > 0) {
            put(d, " ORDER BY ");
            deparse_order(d, &aggregate->order_by);
        }
    }
    put(d, ")");
    deparse_filter(d, aggregate->filter);
}

static void deparse_window_call(Deparse *d, const ExprWindowFunction *call)
{
    strbuf_append(d->buf, deparse_function_name(d, call->function));
    put(d, "(");
    if (call->is_star)
        put(d, "*");
    else
        deparse_expr_list(d, &call->args, ", ");
    put(d, ")");
    deparse_filter(d, call->filter);
    put(d, " OVER ");
    if (!d->level || d->plan || (size_t)call->window >= d->level->query->windows.length) {
        put(d, "(?)");
        return;
    }
    const WindowClause *window = d->level->query->windows.items[call->window];
    if (!str_is_none(window->name))
        deparse_name(d, window->name);
    else
        deparse_window(d, d->level->query, window);
}

/* ---- operators and conditions ---- */

static void open_paren(Deparse *d)
{
    if (!d->pretty)
        put(d, "(");
}

static void close_paren(Deparse *d)
{
    if (!d->pretty)
        put(d, ")");
}

static void deparse_operator(Deparse *d, const ExprOperator *op)
{
    open_paren(d);
    const Str name = operator_text(d, op->op);
    if (op->args.length == 2) {
        deparse_expr_paren(d, op->args.items[0], &op->base);
        strbuf_format(d->buf, " %.*s ", STR_ARGS(name));
        deparse_expr_paren(d, op->args.items[1], &op->base);
    } else {
        strbuf_format(d->buf, "%.*s ", STR_ARGS(name));
        deparse_expr_paren(d, op->args.items[0], &op->base);
    }
    close_paren(d);
}

static void deparse_bool(Deparse *d, const ExprBool *b)
{
    open_paren(d);
    if (b->op == BOOL_NOT) {
        put(d, "NOT ");
        d->show_implicit = false;
        deparse_expr_paren(d, b->args.items[0], &b->base);
    } else {
        for (size_t i = 0; i < b->args.length; i++) {
            if (i > 0)
                put(d, b->op == BOOL_AND ? " AND " : " OR ");
            d->show_implicit = false;
            deparse_expr_paren(d, b->args.items[i], &b->base);
        }
    }
    close_paren(d);
}

static void deparse_infix(Deparse *d, const Expr *parent, const Expr *left, Str middle,
                          const Expr *right)
{
    open_paren(d);
    deparse_expr_paren(d, left, parent);
    strbuf_append(d->buf, middle);
    if (right)
        deparse_expr_paren(d, right, parent);
    close_paren(d);
}

static void deparse_case(Deparse *d, const ExprCase *c)
{
    deparse_keyword(d, "CASE", 0, INDENT_COLUMN, 0);
    if (c->operand) {
        put(d, " ");
        deparse_expr(d, c->operand);
    }
    for (size_t i = 0; i < c->whens.length; i++) {
        const Expr *condition = c->whens.items[i].condition;
        /* `CASE a WHEN b`: the comparison shows its right side only. */
        if (c->operand) {
            while (condition->kind == EXPR_CAST)
                condition = EXPR_AS(const ExprCast, condition)->args.items[0];
            if (condition->kind == EXPR_OPERATOR)
                condition = EXPR_AS(const ExprOperator, condition)->args.items[1];
        }
        deparse_keyword(d, "WHEN ", 0, 0, 0);
        deparse_condition(d, condition);
        put(d, " THEN ");
        deparse_expr(d, c->whens.items[i].result);
    }
    deparse_keyword(d, "ELSE ", 0, 0, 0);
    deparse_expr(d, c->otherwise);
    deparse_keyword(d, "END", -INDENT_COLUMN, 0, 0);
}

static const char *sql_value_text(SqlValueKind kind)
{
    static const char *const texts[] = {
        [SQL_CURRENT_DATE] = "CURRENT_DATE",           [SQL_CURRENT_TIME] = "CURRENT_TIME",
        [SQL_CURRENT_TIMESTAMP] = "CURRENT_TIMESTAMP", [SQL_LOCALTIME] = "LOCALTIME",
        [SQL_LOCALTIMESTAMP] = "LOCALTIMESTAMP",       [SQL_CURRENT_ROLE] = "CURRENT_ROLE",
        [SQL_CURRENT_USER] = "CURRENT_USER",           [SQL_USER] = "USER",
        [SQL_SESSION_USER] = "SESSION_USER",           [SQL_CURRENT_CATALOG] = "CURRENT_CATALOG",
        [SQL_CURRENT_SCHEMA] = "CURRENT_SCHEMA",
    };
    return texts[kind];
}

static void deparse_array(Deparse *d, const ExprArray *array)
{
    put(d, "ARRAY[");
    deparse_expr_list(d, &array->elements, ", ");
    put(d, "]");
    if (array->elements.length == 0)
        strbuf_format(d->buf, "::%.*s", STR_ARGS(type_text(d, array->base.type, -1)));
}

static void deparse_row(Deparse *d, const ExprRow *row)
{
    if (row->whole_of.length > 0) {
        deparse_name(d, row->whole_of);
        put(d, ".*");
        return;
    }
    put(d, "ROW(");
    deparse_items(d, &row->fields, ", ");
    put(d, ")");
    if (row->base.type != TYPE_RECORD)
        strbuf_format(d->buf, "::%.*s", STR_ARGS(type_text(d, row->base.type, -1)));
}

static void deparse_row_compare(Deparse *d, const ExprRowCompare *compare)
{
    put(d, "(ROW(");
    deparse_items(d, &compare->left, ", ");
    strbuf_format(d->buf, ") %.*s ROW(", STR_ARGS(operator_text(d, compare->ops.items[0])));
    deparse_items(d, &compare->right, ", ");
    put(d, "))");
}

static void deparse_subscript(Deparse *d, const ExprSubscript *subscript)
{
    const Expr *container = subscript->container;
    const bool paren = container->kind != EXPR_COLUMN && container->kind != EXPR_FIELD_SELECT &&
                       container->kind != EXPR_PARAM;
    if (paren)
        put(d, "(");
    deparse_expr(d, container);
    if (paren)
        put(d, ")");
    for (size_t i = 0; i < subscript->subscripts.length; i++) {
        const Subscript *s = &subscript->subscripts.items[i];
        put(d, "[");
        if (subscript->is_slice) {
            if (s->lower)
                deparse_expr(d, s->lower);
            put(d, ":");
        }
        if (s->upper)
            deparse_expr(d, s->upper);
        put(d, "]");
    }
}

static void deparse_sublink(Deparse *d, const ExprSubLink *link)
{
    const bool has_test = link->sublink == SUBLINK_ANY || link->sublink == SUBLINK_ALL ||
                          link->sublink == SUBLINK_ROW;
    if (link->sublink == SUBLINK_ARRAY)
        put(d, "ARRAY(");
    else
        put(d, "(");
    if (has_test) {
        if (link->left.length == 1) {
            deparse_expr(d, link->left.items[0]);
        } else {
            put(d, "(");
            deparse_expr_list(d, &link->left, ", ");
            put(d, ")");
        }
        if (link->sublink == SUBLINK_ANY && str_equal(link->op_name, STR("=")))
            put(d, " IN ");
        else if (link->sublink == SUBLINK_ROW)
            strbuf_format(d->buf, " %.*s ", STR_ARGS(link->op_name));
        else
            strbuf_format(d->buf, " %.*s %s ", STR_ARGS(link->op_name),
                          link->sublink == SUBLINK_ANY ? "ANY" : "ALL");
        put(d, "(");
    } else if (link->sublink == SUBLINK_EXISTS) {
        put(d, "EXISTS (");
    }
    d->names_unseen = true;
    deparse_subquery(d, link->query);
    put(d, has_test || link->sublink == SUBLINK_EXISTS ? "))" : ")");
}

/* ---- plans ---- */

static void deparse_slot(Deparse *d, const ExprSlot *slot);

static void in_plan(Deparse *d, const Plan *plan, const Expr *expr)
{
    const Plan *saved = d->plan;
    d->plan = plan;
    deparse_expr(d, expr);
    d->plan = saved;
}

static void scan_column(Deparse *d, Str alias, Str name)
{
    if (d->prefix) {
        deparse_name(d, alias);
        put(d, ".");
    }
    deparse_name(d, name);
}

static void scan_source(Deparse *d, const ScanPlan *scan, int column)
{
    const RelationDesc *relation = relation_find(d->session, scan->relation);
    const int attnum = scan->scan_columns[column];
    if (attnum == ATTNUM_ROW_ID)
        scan_column(d, d->plan_names[scan->base.id], STR("ctid"));
    else if (attnum < 0)
        scan_column(d, d->plan_names[scan->base.id], system_column_at(attnum)->name);
    else if (relation)
        scan_column(d, d->plan_names[scan->base.id], relation->columns[attnum - 1].name);
}

/* Something of the node at hand that is over its child's row, not over what it makes of it. */
static void over_child(Deparse *d, const Expr *expr)
{
    Plan shell = *d->plan;

    shell.kind = PLAN_MATERIAL;
    in_plan(d, &shell, expr);
}

/* What an aggregate's or window's input row column stands for, by its position in the node. */
static bool node_column(Deparse *d, int column)
{
    if (d->plan->kind == PLAN_AGGREGATE) {
        const AggregatePlan *plan = (const AggregatePlan *)d->plan;
        const int groups = (int)plan->group_by.length;
        if (column >= groups + (int)plan->calls.length) {
            put(d, "GROUPING()");
        } else if (column >= groups) {
            const Plan *saved = d->grouping;
            d->grouping = d->plan;
            over_child(d, plan->calls.items[column - groups].source);
            d->grouping = saved;
        } else {
            over_child(d, plan->group_by.items[column]);
        }
        return true;
    }
    if (d->plan->kind == PLAN_WINDOW && column >= d->plan->left->column_count) {
        const WindowPlan *plan = (const WindowPlan *)d->plan;
        over_child(d, plan->calls.items[column - d->plan->left->column_count].source);
        return true;
    }
    return false;
}

/* Whether a node makes a value: what is above shows such in parentheses. */
static bool is_computed(const Plan *plan, const Expr *target)
{
    if (target->kind == EXPR_CONST)
        return false;
    if (target->kind != EXPR_SLOT)
        return true;
    const int column = EXPR_AS(const ExprSlot, target)->column;
    if (plan->kind == PLAN_AGGREGATE) {
        const ExprVec *keys = &((const AggregatePlan *)plan)->group_by;
        return column >= (int)keys->length ||
               (keys->items[column]->kind != EXPR_SLOT && keys->items[column]->kind != EXPR_CONST);
    }
    return plan->kind == PLAN_WINDOW && column >= plan->left->column_count;
}

static void output_column(Deparse *d, const Plan *plan, int column)
{
    while (plan->passes_through)
        plan =
            plan->kind == PLAN_APPEND ? ((const AppendPlan *)plan)->children.items[0] : plan->left;
    if (column >= (int)plan->targets.length) {
        put(d, "?");
        return;
    }
    const Expr *target = plan->targets.items[column];
    const bool paren = is_computed(plan, target);
    if (paren)
        put(d, "(");
    in_plan(d, plan, target);
    if (paren)
        put(d, ")");
}

static void named_source(Deparse *d, const Plan *plan, int column)
{
    const Str alias = plan_alias(plan), name = d->plan_names[plan->id];
    const Query *query = d->statement->query;
    for (size_t i = 0; query && i < query->range_table.length; i++) {
        const RangeTableEntry *rte = query->range_table.items[i];
        if (str_equal(rte->name, alias) && column < rte->column_count) {
            scan_column(d, name, rte->columns[column].name);
            return;
        }
    }
    deparse_name(d, name);
    strbuf_format(d->buf, ".column%d", column + 1);
}

static void deparse_slot(Deparse *d, const ExprSlot *slot)
{
    const Plan *plan = d->plan;
    if (!plan) { /* a stored expression's row */
        if (d->relation && slot->column < d->relation->column_count)
            deparse_name(d, d->relation->columns[slot->column].name);
        return;
    }
    switch (plan->kind) {
    case PLAN_SEQ_SCAN:
    case PLAN_INDEX_SCAN:
    case PLAN_INDEX_ONLY_SCAN:
    case PLAN_ROW_ID_SCAN:
        scan_source(d, (const ScanPlan *)plan, slot->column);
        return;
    case PLAN_VALUES_SCAN:
    case PLAN_FUNCTION_SCAN:
    case PLAN_CTE_SCAN:
    case PLAN_WORK_TABLE_SCAN:
    case PLAN_SUBQUERY_SCAN:
        named_source(d, plan, slot->column);
        return;
    default:
        break;
    }
    if (node_column(d, slot->column))
        return;
    const Plan *child = slot->child == 0 ? plan->left : plan->right;
    if (child)
        output_column(d, child, slot->column);
    else
        put(d, "?");
}

/* A param that another node's row sets prints as that row's column. */
static void deparse_param(Deparse *d, const ExprParam *param)
{
    if (param->param_kind == PARAM_EXEC && d->sources && d->sources[param->number].expr) {
        const bool saved = d->prefix;
        d->prefix = true;
        in_plan(d, d->sources[param->number].plan, d->sources[param->number].expr);
        d->prefix = saved;
        return;
    }
    strbuf_format(d->buf, "$%d", param->number);
}

static void deparse_subplan(Deparse *d, const ExprSubPlan *sub)
{
    const SubplanInfo *info = &d->statement->subplans.items[sub->subplan];
    if (sub->sublink == SUBLINK_MULTI)
        strbuf_format(d->buf, "$%d", info->returned.items[sub->column]);
    else
        strbuf_format(d->buf, "(%s%.*s)", sub->is_hashed ? "hashed " : "", STR_ARGS(info->name));
}

/* ---- all of them ---- */

static void deparse_scalar_array(Deparse *d, const ExprScalarArray *array)
{
    open_paren(d);
    deparse_expr_paren(d, array->left, &array->base);
    strbuf_format(d->buf, " %.*s %s (", STR_ARGS(operator_text(d, array->op)),
                  array->use_or ? "ANY" : "ALL");
    deparse_expr_paren(d, array->array, &array->base);
    put(d, ")");
    close_paren(d);
}

static void deparse_boolean_test(Deparse *d, const ExprBooleanTest *test)
{
    static const char *const tests[] = {
        [BOOLEAN_IS_TRUE] = " IS TRUE",       [BOOLEAN_IS_NOT_TRUE] = " IS NOT TRUE",
        [BOOLEAN_IS_FALSE] = " IS FALSE",     [BOOLEAN_IS_NOT_FALSE] = " IS NOT FALSE",
        [BOOLEAN_IS_UNKNOWN] = " IS UNKNOWN", [BOOLEAN_IS_NOT_UNKNOWN] = " IS NOT UNKNOWN",
    };

    deparse_infix(d, &test->base, test->arg, str_from_c(tests[test->test]), NULL);
}

static void deparse_distinct(Deparse *d, const ExprDistinct *distinct)
{
    if (distinct->is_not)
        put(d, d->pretty ? "NOT " : "(NOT ");
    deparse_infix(d, &distinct->base, distinct->left, STR(" IS DISTINCT FROM "), distinct->right);
    if (distinct->is_not && !d->pretty)
        put(d, ")");
}

/* What is written as a word with its arguments. */
static void deparse_keyword_form(Deparse *d, const Expr *expr)
{
    switch (expr->kind) {
    case EXPR_CASE_TEST:
        put(d, "CASE_TEST_EXPR");
        break;
    case EXPR_COALESCE:
        put(d, "COALESCE(");
        deparse_expr_list(d, &EXPR_AS(const ExprCoalesce, expr)->args, ", ");
        put(d, ")");
        break;
    case EXPR_MIN_MAX:
        put(d, EXPR_AS(const ExprMinMax, expr)->is_greatest ? "GREATEST(" : "LEAST(");
        deparse_expr_list(d, &EXPR_AS(const ExprMinMax, expr)->args, ", ");
        put(d, ")");
        break;
    case EXPR_NULLIF:
        put(d, "NULLIF(");
        deparse_expr(d, EXPR_AS(const ExprNullIf, expr)->left);
        put(d, ", ");
        deparse_expr(d, EXPR_AS(const ExprNullIf, expr)->right);
        put(d, ")");
        break;
    case EXPR_FIELD_SELECT:
        put(d, "(");
        deparse_expr(d, EXPR_AS(const ExprFieldSelect, expr)->arg);
        put(d, ").");
        deparse_name(d, EXPR_AS(const ExprFieldSelect, expr)->name);
        break;
    case EXPR_COLLATE: {
        const ExprCollate *collate = EXPR_AS(const ExprCollate, expr);
        const CollationDesc *collation = collation_find(d->session, collate->base.collation);
        open_paren(d);
        deparse_expr_paren(d, collate->arg, expr);
        put(d, " COLLATE ");
        deparse_name(d, collation ? collation->name : STR("?"));
        close_paren(d);
        break;
    }
    case EXPR_GROUPING:
        put(d, "GROUPING(");
        deparse_expr_list(d, &EXPR_AS(const ExprGrouping, expr)->args, ", ");
        put(d, ")");
        break;
    case EXPR_SQL_VALUE:
        put(d, sql_value_text(EXPR_AS(const ExprSqlValue, expr)->value));
        if (expr->typmod >= 0)
            strbuf_format(d->buf, "(%d)", expr->typmod);
        break;
    case EXPR_DEFAULT:
        put(d, "DEFAULT");
        break;
    case EXPR_CURRENT_OF:
        put(d, "CURRENT OF ");
        deparse_name(d, EXPR_AS(const ExprCurrentOf, expr)->cursor_name);
        break;
    case EXPR_NEXT_VALUE:
        put(d, "nextval(");
        strbuf_append(d->buf, deparse_literal(
                                  d->arena, deparse_relation_name(
                                                d, EXPR_AS(const ExprNextValue, expr)->sequence)));
        put(d, "::regclass)");
        break;
    default:
        break;
    }
}

void deparse_expr(Deparse *d, const Expr *expr)
{
    const bool show_implicit = d->show_implicit;
    d->show_implicit = true;
    if (d->failed)
        return;
    if (task_stack_left() < 24 * 1024) {
        ERROR_SET(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
        d->failed = true;
        return;
    }
    switch (expr->kind) {
    case EXPR_CONST:
        deparse_const(d, EXPR_AS(const ExprConst, expr), 0);
        break;
    case EXPR_COLUMN:
        deparse_column(d, EXPR_AS(const ExprColumn, expr));
        break;
    case EXPR_SLOT:
        deparse_slot(d, EXPR_AS(const ExprSlot, expr));
        break;
    case EXPR_PARAM:
        deparse_param(d, EXPR_AS(const ExprParam, expr));
        break;
    case EXPR_FUNCTION:
        deparse_call(d, EXPR_AS(const ExprFunction, expr));
        break;
    case EXPR_OPERATOR:
        deparse_operator(d, EXPR_AS(const ExprOperator, expr));
        break;
    case EXPR_SCALAR_ARRAY:
        deparse_scalar_array(d, EXPR_AS(const ExprScalarArray, expr));
        break;
    case EXPR_BOOL:
        deparse_bool(d, EXPR_AS(const ExprBool, expr));
        break;
    case EXPR_NULL_TEST:
        deparse_infix(d, expr, EXPR_AS(const ExprNullTest, expr)->arg,
                      EXPR_AS(const ExprNullTest, expr)->is_not_null ? STR(" IS NOT NULL")
                                                                     : STR(" IS NULL"),
                      NULL);
        break;
    case EXPR_BOOLEAN_TEST:
        deparse_boolean_test(d, EXPR_AS(const ExprBooleanTest, expr));
        break;
    case EXPR_CASE:
        deparse_case(d, EXPR_AS(const ExprCase, expr));
        break;
    case EXPR_DISTINCT:
        deparse_distinct(d, EXPR_AS(const ExprDistinct, expr));
        break;
    case EXPR_ARRAY:
        deparse_array(d, EXPR_AS(const ExprArray, expr));
        break;
    case EXPR_ROW:
        deparse_row(d, EXPR_AS(const ExprRow, expr));
        break;
    case EXPR_ROW_COMPARE:
        deparse_row_compare(d, EXPR_AS(const ExprRowCompare, expr));
        break;
    case EXPR_SUBSCRIPT:
        deparse_subscript(d, EXPR_AS(const ExprSubscript, expr));
        break;
    case EXPR_CAST:
        deparse_cast(d, EXPR_AS(const ExprCast, expr), show_implicit);
        break;
    case EXPR_AGGREGATE:
        deparse_aggregate(d, EXPR_AS(const ExprAggregate, expr));
        break;
    case EXPR_WINDOW_FUNCTION:
        deparse_window_call(d, EXPR_AS(const ExprWindowFunction, expr));
        break;
    case EXPR_SUB_LINK:
        deparse_sublink(d, EXPR_AS(const ExprSubLink, expr));
        break;
    case EXPR_SUB_PLAN:
        deparse_subplan(d, EXPR_AS(const ExprSubPlan, expr));
        break;
    default:
        deparse_keyword_form(d, expr);
        break;
    }
}
