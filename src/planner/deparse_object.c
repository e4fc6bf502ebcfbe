#include "planner/analyze.h"
#include "planner/deparse_internal.h"
#include "types/identifier.h"

/* ---- indexes ---- */

/* Looks like a function, whatever it is. Calls with a syntax of their own may not: (a IS …). */
static bool is_call(const Expr *expr, Str text)
{
    switch (expr->kind) {
    case EXPR_FUNCTION:
        return EXPR_AS(ExprFunction, expr)->form == CALL_PLAIN ||
               (EXPR_AS(ExprFunction, expr)->form == CALL_SQL_SYNTAX && text.data[0] != '(');
    case EXPR_CAST:
        return EXPR_AS(ExprCast, expr)->form == CALL_PLAIN;
    case EXPR_COALESCE:
    case EXPR_MIN_MAX:
    case EXPR_NULLIF:
    case EXPR_SQL_VALUE:
        return true;
    default:
        return false;
    }
}

static bool index_column(Deparse *d, const RelationDesc *table, const IndexDesc *index, int at,
                         bool with_order)
{
    const IndexColumn *column = &index->columns[at];
    if (column->attnum) {
        deparse_name(d, table->columns[column->attnum - 1].name);
    } else {
        Expr *expr = analyze_expression_text(d->arena, d->session, column->expression, table,
                                             STORED_OTHER, 0, -1);
        Str text;
        TRY(expr);
        TRY(deparse_expression(d->arena, d->session, expr, table,
                               d->pretty ? DEPARSE_PRETTY : DEPARSE_PLAIN, &text));
        /* A function call stands alone; anything else in parentheses. */
        strbuf_format(d->buf, is_call(expr, text) ? "%.*s" : "(%.*s)", STR_ARGS(text));
    }
    if (!with_order || at >= index->key_count)
        return true;
    const Oid own =
        column->attnum ? table->columns[column->attnum - 1].collation : column->collation;
    if (column->collation && column->collation != own) {
        const CollationDesc *collation = collation_find(d->session, column->collation);
        if (collation) {
            strbuf_append_c(d->buf, " COLLATE ");
            deparse_name(d, collation->name);
        }
    }
    const OpclassDesc *opclass = opclass_find(d->session, column->opclass);
    if (opclass && !opclass->is_default) {
        strbuf_append_c(d->buf, " ");
        deparse_name(d, opclass->name);
    }
    if (column->descending)
        strbuf_append_c(d->buf, " DESC");
    if (column->nulls_first != column->descending)
        strbuf_append_c(d->buf, column->nulls_first ? " NULLS FIRST" : " NULLS LAST");
    return true;
}

/* An index's "{fillfactor=50}" as the clause that set it; its values have no commas. */
static void put_storage_options(Deparse *d, Str options)
{
    Str rest = options.length > 2 ? str_slice(options, 1, options.length - 2) : STR("");
    const char *before = " WITH (";

    while (rest.length > 0) {
        const size_t end = MIN(str_find_char(rest, ',', 0), rest.length);
        const Str option = str_slice(rest, 0, end);
        const size_t equals = MIN(str_find_char(option, '=', 0), option.length - 1);
        const Str value = str_slice(option, equals + 1, SIZE_MAX);
        const bool is_word = str_equal(identifier_quote(d->arena, value), value);
        strbuf_format(d->buf, "%s%.*s=", before, (int)equals, option.data);
        strbuf_append(d->buf, is_word ? value : deparse_literal(d->arena, value));
        before = ", ";
        rest = str_slice(rest, end + 1, SIZE_MAX);
    }
    if (options.length > 2)
        strbuf_append_c(d->buf, ")");
}

bool deparse_index(Arena *arena, CatalogSession *session, Oid oid, int column, bool is_pretty,
                   Str *ret_text)
{
    StrBuf buf = strbuf_in(arena);
    Deparse d = {.arena = arena, .session = session, .buf = &buf, .pretty = is_pretty};
    const RelationDesc *relation = relation_find(session, oid);
    if (!relation || relation->kind != RELKIND_INDEX || relation->index_count == 0) {
        *ret_text = STR_NONE;
        return true;
    }
    const IndexDesc *index = &relation->indexes[0];
    const RelationDesc *table = relation_get(session, index->table);
    bool exists;
    TRY(table);
    if (column > 0) {
        if (column <= index->column_count)
            TRY(index_column(&d, table, index, column - 1, false));
        *ret_text = strbuf_view(&buf);
        return true;
    }
    const bool visible = is_pretty && relation_is_visible(session, table->oid, &exists);
    strbuf_format(&buf, "CREATE %sINDEX ", index->is_unique ? "UNIQUE " : "");
    deparse_name(&d, relation->name);
    strbuf_format(
        &buf, " ON %.*s USING %.*s (",
        STR_ARGS(deparse_qualified(arena, visible ? STR_NONE : table->namespace_name, table->name)),
        STR_ARGS(identifier_quote(arena, access_method_name(session, index->access_method))));
    for (int i = 0; i < index->key_count; i++) {
        if (i > 0)
            strbuf_append_c(&buf, ", ");
        TRY(index_column(&d, table, index, i, true));
    }
    strbuf_append_c(&buf, ")");
    for (int i = index->key_count; i < index->column_count; i++) {
        strbuf_append_c(&buf, i == index->key_count ? " INCLUDE (" : ", ");
        TRY(index_column(&d, table, index, i, false));
    }
    if (index->column_count > index->key_count)
        strbuf_append_c(&buf, ")");
    if (index->nulls_not_distinct)
        strbuf_append_c(&buf, " NULLS NOT DISTINCT");
    put_storage_options(&d, relation->options);
    if (!str_is_none(index->predicate) && index->predicate.length > 0) {
        Str text;
        TRY(deparse_stored_expression(arena, session, index->predicate, table->oid, is_pretty,
                                      &text));
        strbuf_format(&buf, " WHERE %.*s", STR_ARGS(text));
    }
    *ret_text = strbuf_view(&buf);
    return true;
}

/* ---- constraints ---- */

static void column_list(Deparse *d, const RelationDesc *relation, const int16_t *columns, int count)
{
    strbuf_append_c(d->buf, "(");
    for (int i = 0; i < count; i++) {
        if (i > 0)
            strbuf_append_c(d->buf, ", ");
        deparse_name(d, relation->columns[columns[i] - 1].name);
    }
    strbuf_append_c(d->buf, ")");
}

static void reference_action(Deparse *d, const char *event, char action)
{
    const char *text = action == 'r'   ? "RESTRICT"
                       : action == 'c' ? "CASCADE"
                       : action == 'n' ? "SET NULL"
                       : action == 'd' ? "SET DEFAULT"
                                       : NULL;
    if (text)
        strbuf_format(d->buf, " ON %s %s", event, text);
}

static bool foreign_key_text(Deparse *d, const RelationDesc *relation,
                             const ConstraintDesc *constraint)
{
    const RelationDesc *referenced = relation_get(d->session, constraint->foreign_table);
    TRY(referenced);
    strbuf_append_c(d->buf, "FOREIGN KEY ");
    column_list(d, relation, constraint->columns, constraint->column_count);
    strbuf_format(d->buf, " REFERENCES %.*s", STR_ARGS(deparse_relation_name(d, referenced->oid)));
    column_list(d, referenced, constraint->foreign_columns, constraint->column_count);
    if (constraint->match == 'f')
        strbuf_append_c(d->buf, " MATCH FULL");
    reference_action(d, "UPDATE", (char)constraint->on_update);
    reference_action(d, "DELETE", (char)constraint->on_delete);
    if (constraint->delete_set_count > 0) {
        strbuf_append_c(d->buf, " ");
        column_list(d, relation, constraint->delete_set_columns, constraint->delete_set_count);
    }
    return true;
}

/* Constraints are found through their table, as descriptions know them. */
bool deparse_constraint_of(Arena *arena, CatalogSession *session, const RelationDesc *relation,
                           const ConstraintDesc *constraint, bool is_pretty, Str *ret_text)
{
    StrBuf buf = strbuf_in(arena);
    Deparse d = {.arena = arena, .session = session, .buf = &buf, .pretty = is_pretty};
    switch (constraint->kind) {
    case CONTYPE_CHECK: {
        Str text;
        TRY(deparse_stored_expression(arena, session, constraint->check_text, relation->oid,
                                      is_pretty, &text));
        strbuf_format(&buf, "CHECK (%.*s)", STR_ARGS(text));
        if (constraint->no_inherit)
            strbuf_append_c(&buf, " NO INHERIT");
        break;
    }
    case CONTYPE_FOREIGN:
        TRY(foreign_key_text(&d, relation, constraint));
        break;
    case CONTYPE_PRIMARY:
    case CONTYPE_UNIQUE: {
        const IndexDesc *index = relation_index(relation, constraint->index);
        strbuf_append_c(&buf, constraint->kind == CONTYPE_PRIMARY ? "PRIMARY KEY " : "UNIQUE ");
        if (index && index->nulls_not_distinct && constraint->kind == CONTYPE_UNIQUE)
            strbuf_append_c(&buf, "NULLS NOT DISTINCT ");
        column_list(&d, relation, constraint->columns, constraint->column_count);
        for (int i = index ? index->key_count : 0; index && i < index->column_count; i++) {
            strbuf_append_c(&buf, i == index->key_count ? " INCLUDE (" : ", ");
            deparse_name(&d, relation->columns[index->columns[i].attnum - 1].name);
            if (i + 1 == index->column_count)
                strbuf_append_c(&buf, ")");
        }
        break;
    }
    default:
        FAIL_UNSUPPORTED("this kind of constraint");
    }
    if (constraint->deferrable)
        strbuf_append_c(&buf, " DEFERRABLE");
    if (constraint->initially_deferred)
        strbuf_append_c(&buf, " INITIALLY DEFERRED");
    if (!constraint->validated)
        strbuf_append_c(&buf, " NOT VALID");
    *ret_text = strbuf_view(&buf);
    return true;
}

/* ---- plans ---- */

struct DeparsePlan {
    Arena *arena;
    CatalogSession *session;
    const PlannedStatement *statement;
    DeparseLevel level;
    ParamSource *sources;
    const Str *names;
    bool prefix, is_verbose;
};

typedef struct SourceSearch {
    DeparsePlan *deparse;
    const Plan *plan;
} SourceSearch;

static void search_plan(DeparsePlan *deparse, const Plan *plan);

static bool search_expr(void *context, Expr *expr)
{
    SourceSearch *search = context;
    if (expr->kind == EXPR_SUB_PLAN) {
        const ExprSubPlan *sub = EXPR_AS(const ExprSubPlan, expr);
        for (size_t i = 0; i < sub->param_ids.length; i++)
            search->deparse->sources[sub->param_ids.items[i]] =
                (ParamSource){search->plan, sub->args.items[i]};
    }
    return expr_walk(expr, search_expr, search);
}

static void search_list(DeparsePlan *deparse, const Plan *plan, const ExprVec *list)
{
    SourceSearch search = {deparse, plan};
    for (size_t i = 0; i < list->length; i++)
        (void)search_expr(&search, list->items[i]);
}

static void search_plan(DeparsePlan *deparse, const Plan *plan)
{
    if (!plan)
        return;
    search_list(deparse, plan, &plan->targets);
    search_list(deparse, plan, &plan->filter);
    if (plan->kind == PLAN_NEST_LOOP) {
        const NestLoopPlan *nest = (const NestLoopPlan *)plan;
        for (size_t i = 0; i < nest->params.length; i++)
            deparse->sources[nest->params.items[i].number] =
                (ParamSource){plan, nest->params.items[i].value};
    }
    if (plan->kind == PLAN_APPEND)
        for (size_t i = 0; i < ((const AppendPlan *)plan)->children.length; i++)
            search_plan(deparse, ((const AppendPlan *)plan)->children.items[i]);
    search_plan(deparse, plan->left);
    search_plan(deparse, plan->right);
}

static size_t query_relations(const Query *query)
{
    size_t count = query->range_table.length;
    for (size_t i = 0; i < query->range_table.length; i++)
        if (query->range_table.items[i]->subquery)
            count += query_relations(query->range_table.items[i]->subquery);
    return count;
}

DeparsePlan *deparse_plan_new(Arena *arena, CatalogSession *session,
                              const PlannedStatement *statement, bool is_verbose)
{
    DeparsePlan *deparse = ARENA_NEW(arena, DeparsePlan);
    deparse->arena = arena;
    deparse->is_verbose = is_verbose;
    deparse->session = session;
    deparse->statement = statement;
    deparse->level.query = statement->query;
    deparse->prefix = query_relations(statement->query) != 1 || statement->relations.length > 1 ||
                      statement->subplans.length > 0;
    deparse->names = plan_names(arena, statement);
    deparse->sources = ARENA_ARRAY(arena, ParamSource, statement->params.length + 1);
    search_plan(deparse, statement->plan);
    for (size_t i = 0; i < statement->subplans.length; i++)
        search_plan(deparse, statement->subplans.items[i].plan);
    return deparse;
}

static bool is_scan(const Plan *plan)
{
    switch (plan->kind) {
    case PLAN_SEQ_SCAN:
    case PLAN_INDEX_SCAN:
    case PLAN_INDEX_ONLY_SCAN:
    case PLAN_ROW_ID_SCAN:
    case PLAN_VALUES_SCAN:
    case PLAN_FUNCTION_SCAN:
    case PLAN_CTE_SCAN:
    case PLAN_WORK_TABLE_SCAN:
        return true;
    default:
        return false;
    }
}

static Str plan_text(DeparsePlan *deparse, const Plan *plan, const Expr *expr, bool prefix)
{
    StrBuf buf = strbuf_in(deparse->arena);
    Deparse d = {.arena = deparse->arena,
                 .session = deparse->session,
                 .buf = &buf,
                 .statement = deparse->statement,
                 .plan = plan,
                 .level = &deparse->level,
                 .sources = deparse->sources,
                 .plan_names = deparse->names,
                 .prefix = prefix};
    deparse_expr(&d, expr);
    if (d.failed) {
        error_clear();
        return STR("?");
    }
    return strbuf_view(&buf);
}

Str deparse_plan_name(const DeparsePlan *deparse, const Plan *plan)
{
    return deparse->names[plan->id];
}

Str deparse_plan_output(DeparsePlan *deparse, const Plan *plan, const Expr *expr)
{
    return plan_text(deparse, plan, expr, deparse->prefix);
}

Str deparse_plan_key(DeparsePlan *deparse, const Plan *plan, const Expr *expr)
{
    return plan_text(deparse, plan, expr, deparse->is_verbose || deparse->prefix);
}

Str deparse_plan_expression(DeparsePlan *deparse, const Plan *plan, const Expr *expr,
                            bool with_parentheses)
{
    const bool prefix = deparse->is_verbose || plan->kind == PLAN_SUBQUERY_SCAN ||
                        (!is_scan(plan) && deparse->prefix);
    const Str text = plan_text(deparse, plan, expr, prefix);
    return with_parentheses && (text.length == 0 || text.data[0] != '(')
               ? str_format(deparse->arena, "(%.*s)", STR_ARGS(text))
               : text;
}
