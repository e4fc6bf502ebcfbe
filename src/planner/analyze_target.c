#include "planner/analyze_internal.h"

/* ---- names of result columns ---- */

static int target_name_strength(const Node *node, Str *name);

static int type_name_strength(const TypeCast *cast, Str *name)
{
    const int strength = target_name_strength(cast->arg, name);
    if (strength > 1)
        return strength;
    *name = VEC_LAST(&cast->type_name->names);
    return 1;
}

static int case_name_strength(const CaseExpr *expr, Str *name)
{
    const int strength =
        expr->default_result ? target_name_strength(expr->default_result, name) : 0;
    if (strength > 1)
        return strength;
    *name = STR("case");
    return 1;
}

static int sublink_name_strength(const SubLink *link, Str *name)
{
    switch (link->type) {
    case EXISTS_SUBLINK:
        *name = STR("exists");
        return 2;
    case ARRAY_SUBLINK:
        *name = STR("array");
        return 2;
    case EXPR_SUBLINK: {
        const SelectStmt *select = NODE_CAST(SelectStmt, link->subselect);
        while (select->op != SETOP_NONE)
            select = select->larg;
        if (select->target_list.length == 0)
            return select->values_lists.length ? (*name = STR("column1"), 2) : 0;
        const ResTarget *target = select->target_list.items[0];
        if (!str_is_none(target->name)) {
            *name = target->name;
            return 2;
        }
        return target_name_strength(target->val, name);
    }
    case ALL_SUBLINK:
    case ANY_SUBLINK:
        return 0;
    }
    return 0;
}

static int indirection_name_strength(const A_Indirection *node, Str *name)
{
    for (size_t i = node->indirection.length; i-- > 0;) {
        const Node *step = node->indirection.items[i];
        if (NODE_IS(step, FieldName)) {
            *name = NODE_CAST(FieldName, step)->name;
            return 2;
        }
    }
    return target_name_strength(node->arg, name);
}

static Str sql_value_name(SQLValueFunctionOp op)
{
    static const char *const names[] = {
        [SVFOP_CURRENT_DATE] = "current_date",
        [SVFOP_CURRENT_TIME] = "current_time",
        [SVFOP_CURRENT_TIME_N] = "current_time",
        [SVFOP_CURRENT_TIMESTAMP] = "current_timestamp",
        [SVFOP_CURRENT_TIMESTAMP_N] = "current_timestamp",
        [SVFOP_LOCALTIME] = "localtime",
        [SVFOP_LOCALTIME_N] = "localtime",
        [SVFOP_LOCALTIMESTAMP] = "localtimestamp",
        [SVFOP_LOCALTIMESTAMP_N] = "localtimestamp",
        [SVFOP_CURRENT_ROLE] = "current_role",
        [SVFOP_CURRENT_USER] = "current_user",
        [SVFOP_USER] = "user",
        [SVFOP_SESSION_USER] = "session_user",
        [SVFOP_CURRENT_CATALOG] = "current_catalog",
        [SVFOP_CURRENT_SCHEMA] = "current_schema",
    };
    return str_from_c(names[op]);
}

/* 0: no name; 1: a weak one (a type's), which something stronger inside overrules; 2: strong. */
static int target_name_strength(const Node *node, Str *name)
{
    if (!node)
        return 0;
    switch (node->tag) {
    case NODE_COLUMN_REF: {
        const ColumnRef *ref = NODE_CAST(ColumnRef, node);
        if (ref->names.length == 0)
            return 0;
        *name = VEC_LAST(&ref->names);
        return 2;
    }
    case NODE_A_INDIRECTION:
        return indirection_name_strength(NODE_CAST(A_Indirection, node), name);
    case NODE_FUNC_CALL:
        *name = VEC_LAST(&NODE_CAST(FuncCall, node)->name);
        return 2;
    case NODE_A_EXPR:
        if (NODE_CAST(A_Expr, node)->kind != A_EXPR_NULLIF)
            return 0;
        *name = STR("nullif");
        return 2;
    case NODE_TYPE_CAST:
        return type_name_strength(NODE_CAST(TypeCast, node), name);
    case NODE_COLLATE_CLAUSE:
        return target_name_strength(NODE_CAST(CollateClause, node)->arg, name);
    case NODE_GROUPING_FUNC:
        *name = STR("grouping");
        return 2;
    case NODE_SUB_LINK:
        return sublink_name_strength(NODE_CAST(SubLink, node), name);
    case NODE_CASE_EXPR:
        return case_name_strength(NODE_CAST(CaseExpr, node), name);
    case NODE_A_ARRAY_EXPR:
        *name = STR("array");
        return 2;
    case NODE_ROW_EXPR:
        *name = STR("row");
        return 2;
    case NODE_COALESCE_EXPR:
        *name = STR("coalesce");
        return 2;
    case NODE_MIN_MAX_EXPR:
        *name = NODE_CAST(MinMaxExpr, node)->is_greatest ? STR("greatest") : STR("least");
        return 2;
    case NODE_SQL_VALUE_FUNCTION:
        *name = sql_value_name(NODE_CAST(SQLValueFunction, node)->op);
        return 2;
    default:
        return 0;
    }
}

Str expr_target_name(const Node *node)
{
    Str name = STR("?column?");
    (void)target_name_strength(node, &name);
    return name;
}

/* ---- origins and unknowns ---- */

/* What a WITH item gives: of one that changes rows, what it returns. NULL inside of itself. */
static const TargetVec *cte_targets(const Scope *scope, const RangeTableEntry *rte)
{
    for (int level = rte->cte_levels_up; level > 0; level--)
        scope = scope->parent;
    for (size_t i = rte->is_self_reference ? 0 : scope->ctes.length; i-- > 0;) {
        const CommonTable *cte = scope->ctes.items[i];
        if (str_equal(cte->name, rte->cte_name))
            return !cte->query                           ? NULL
                   : cte->query->command == QUERY_SELECT ? &cte->query->targets
                                                         : &cte->query->returning;
    }
    return NULL;
}

static const TargetEntry *visible_target(const TargetVec *targets, int attnum)
{
    int visible = 0;

    for (size_t i = 0; i < targets->length; i++)
        if (!targets->items[i].is_junk && ++visible == attnum)
            return &targets->items[i];
    return NULL;
}

static void target_fill_origin(const Scope *scope, TargetEntry *target)
{
    const Expr *expr = target->expr;
    target->origin_table = 0;
    target->origin_attnum = 0;
    for (int depth = 0; depth < 64 && expr->kind == EXPR_COLUMN; depth++) {
        const ExprColumn *column = EXPR_AS(const ExprColumn, expr);
        if (column->levels_up != 0)
            return;
        const RangeTableEntry *rte = query_rte(scope->query, column->rel);
        if (rte->kind == RANGE_RELATION || (rte->kind == RANGE_SUBQUERY && rte->relation)) {
            target->origin_table = rte->relation;
            target->origin_attnum = column->attnum;
            return;
        }
        if (column->attnum < 1)
            return;
        if (rte->kind == RANGE_JOIN) {
            expr = rte->alias_exprs.items[column->attnum - 1];
            continue;
        }
        const TargetVec *targets = rte->kind == RANGE_SUBQUERY ? &rte->subquery->targets
                                   : rte->kind == RANGE_CTE    ? cte_targets(scope, rte)
                                                               : NULL;
        const TargetEntry *inner = targets ? visible_target(targets, column->attnum) : NULL;
        if (inner) {
            target->origin_table = inner->origin_table;
            target->origin_attnum = inner->origin_attnum;
        }
        return;
    }
}

bool targets_resolve_unknown(Scope *scope, TargetVec *targets)
{
    for (size_t i = 0; i < targets->length; i++) {
        TargetEntry *target = &targets->items[i];
        if (target->expr->type == TYPE_UNKNOWN)
            TRY(target->expr = coerce_implicitly(scope, target->expr, TYPE_TEXT));
    }
    return true;
}

/* ---- stars ---- */

static void add_target(Scope *scope, TargetVec *targets, Expr *expr, Str name)
{
    TargetEntry target = {.expr = expr, .name = name, .attnum = (int)targets->length + 1};
    target_fill_origin(scope, &target);
    VEC_PUSH(scope_arena(scope), targets, target);
}

static void expand_item(Scope *scope, const ScopeItem *item, int levels, int position,
                        TargetVec *targets)
{
    if (item->rte->relation)
        item->rte->access |= ACCESS_SELECT;
    for (int i = 0; i < item->rte->column_count; i++)
        if (!item->columns[i].hidden && item->rte->columns[i].name.length > 0)
            add_target(scope, targets, scope_item_column(scope, item, i, levels, position),
                       item->rte->columns[i].name);
}

static bool expand_all(Scope *scope, int position, TargetVec *targets)
{
    bool found = false;
    for (size_t i = 0; i < scope->items.length; i++) {
        const ScopeItem *item = &scope->items.items[i];
        if (!item->columns_visible)
            continue;
        found = true;
        expand_item(scope, item, 0, position, targets);
    }
    if (!found)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("SELECT * with no tables specified is not valid"),
             .position = position);
    return true;
}

static bool expand_star(Scope *scope, const ColumnRef *ref, TargetVec *targets)
{
    const size_t count = ref->names.length;
    const int position = ref->node.position;
    int levels = 0;
    bool failed = false;

    if (count == 0)
        return expand_all(scope, position, targets);
    if (count > 3)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("improper qualified name (too many dotted names): %.*s.*",
                            STR_ARGS(name_list_text(scope_arena(scope), &ref->names))),
             .position = position);
    const Str table = ref->names.items[count - 1];
    const Str schema = count > 1 ? ref->names.items[count - 2] : STR_NONE;
    const ScopeItem *item = scope_find_item(scope, schema, table, position, &levels, &failed);
    if (failed)
        return false;
    if (!item)
        return scope_missing_item(scope, schema, table, position);
    expand_item(scope, item, levels, position, targets);
    return true;
}

/* (composite).*: one target per field. */
static bool expand_row(Scope *scope, const A_Indirection *node, ExprPlace place, TargetVec *targets)
{
    CatalogSession *session = scope_session(scope);
    Arena *arena = scope_arena(scope);
    A_Indirection *inner = NODE_NEW(arena, A_Indirection, node->node.position);
    inner->arg = node->arg;
    for (size_t i = 0; i + 1 < node->indirection.length; i++)
        VEC_PUSH(arena, &inner->indirection, node->indirection.items[i]);
    Expr *row = analyze_expr(scope, inner->indirection.length ? &inner->node : node->arg, place);
    TRY(row);

    if (row->kind == EXPR_ROW) {
        const ExprRow *fields = EXPR_AS(const ExprRow, row);
        for (size_t i = 0; i < fields->fields.length; i++)
            add_target(scope, targets, fields->fields.items[i], fields->names[i]);
        return true;
    }
    if (row->kind == EXPR_COLUMN && EXPR_AS(ExprColumn, row)->attnum == ATTNUM_WHOLE_ROW) {
        const ExprColumn *column = EXPR_AS(const ExprColumn, row);
        const Scope *owner = scope;
        for (int i = 0; i < column->levels_up; i++)
            owner = owner->parent;
        for (size_t i = 0; i < owner->items.length; i++)
            if (owner->items.items[i].rel == column->rel) {
                expand_item(scope, &owner->items.items[i], column->levels_up, row->position,
                            targets);
                return true;
            }
    }
    const TypeDesc *type = type_find(session, base_type_of(session, row->type, NULL));
    const FunctionDesc *function =
        row->kind == EXPR_FUNCTION
            ? function_find(session, EXPR_AS(const ExprFunction, row)->function)
            : NULL;
    if (type && type->kind == 'c') {
        const RelationDesc *relation = relation_get(session, type->relation);
        TRY(relation);
        for (int i = 0; i < relation->column_count; i++) {
            const ColumnDesc *column = &relation->columns[i];
            if (column->dropped)
                continue;
            ExprFieldSelect *field = EXPR_NEW(arena, ExprFieldSelect, EXPR_FIELD_SELECT);
            field->base.type = column->type;
            field->base.typmod = column->typmod;
            field->base.collation = column->collation;
            field->arg = row;
            field->attnum = relation_field_number(relation, column);
            field->name = column->name;
            add_target(scope, targets, &field->base, column->name);
        }
        return true;
    }
    if (row->type == TYPE_RECORD && function && function->all_count > 0) {
        int output = 0;
        for (int i = 0; i < function->all_count; i++) {
            const char mode = function->all_modes[i];
            if (mode != 'o' && mode != 'b' && mode != 't')
                continue;
            ExprFieldSelect *field = EXPR_NEW(arena, ExprFieldSelect, EXPR_FIELD_SELECT);
            TRY(function_output_type(scope, EXPR_AS(const ExprFunction, row), function, i,
                                     &field->base.type));
            field->base.collation = expr_result_collation(scope, field->base.type, 0);
            field->arg = row;
            field->attnum = ++output;
            field->name =
                function->names ? function->names[i] : str_format(arena, "column%d", output);
            add_target(scope, targets, &field->base, field->name);
        }
        return true;
    }
    FAIL(ERR_WRONG_OBJECT_TYPE,
         .message = fmt("type %.*s is not composite", STR_ARGS(type_text(scope, row->type))),
         .position = expr_location(row));
}

/* A scalar subquery is named for its column, which only analysis knows where * was written. */
static Str target_name(const Node *node, const Expr *expr)
{
    if (NODE_IS(node, SubLink) && expr->kind == EXPR_SUB_LINK &&
        EXPR_AS(const ExprSubLink, expr)->sublink == SUBLINK_SCALAR)
        return EXPR_AS(const ExprSubLink, expr)->query->targets.items[0].name;
    return expr_target_name(node);
}

bool analyze_target_list(Scope *scope, const ResTargetVec *list, ExprPlace place,
                         TargetVec *targets)
{
    for (size_t i = 0; i < list->length; i++) {
        const ResTarget *item = list->items[i];
        if (NODE_IS(item->val, ColumnRef) && NODE_CAST(ColumnRef, item->val)->star) {
            TRY(expand_star(scope, NODE_CAST(ColumnRef, item->val), targets));
            continue;
        }
        if (NODE_IS(item->val, A_Indirection)) {
            const A_Indirection *node = NODE_CAST(A_Indirection, item->val);
            if (NODE_IS(VEC_LAST(&node->indirection), A_Star)) {
                TRY(expand_row(scope, node, place, targets));
                continue;
            }
        }
        Expr *expr = analyze_expr(scope, item->val, place);
        TRY(expr);
        add_target(scope, targets, expr,
                   str_is_none(item->name) ? target_name(item->val, expr) : item->name);
    }
    if (targets->length > 1664)
        FAIL(ERR_TOO_MANY_COLUMNS, .message = STR("target lists can have at most 1664 entries"));
    return true;
}

/* A star inside a list of values (VALUES (t.*), ROW(t.*)) is expanded too. */
bool analyze_expr_list(Scope *scope, const NodeVec *list, ExprPlace place, bool allow_default,
                       ExprVec *ret)
{
    for (size_t i = 0; i < list->length; i++) {
        const Node *node = list->items[i];
        if (NODE_IS(node, ColumnRef) && NODE_CAST(ColumnRef, node)->star) {
            TargetVec expanded = {0};
            TRY(expand_star(scope, NODE_CAST(ColumnRef, node), &expanded));
            for (size_t t = 0; t < expanded.length; t++)
                VEC_PUSH(scope_arena(scope), ret, expanded.items[t].expr);
            continue;
        }
        const bool saved = scope->allow_default;
        scope->allow_default = allow_default && NODE_IS(node, SetToDefault);
        Expr *expr = analyze_expr(scope, node, place);
        scope->allow_default = saved;
        TRY(expr);
        VEC_PUSH(scope_arena(scope), ret, expr);
    }
    return true;
}
