#include "catalog/names.h"
#include "catalog/privilege.h"
#include "planner/analyze_internal.h"

/* ---- range table entries ---- */

RangeTableEntry *rte_new(Scope *scope, RangeTableKind kind, int position)
{
    RangeTableEntry *rte = ARENA_NEW(scope_arena(scope), RangeTableEntry);
    rte->kind = kind;
    rte->position = position;
    rte->is_in_from = true;
    return rte;
}

bool rte_apply_alias(Scope *scope, RangeTableEntry *rte, const Alias *alias, Str fallback)
{
    (void)scope;
    rte->name = fallback;
    if (!alias)
        return true;
    rte->alias_name = rte->name = alias->name;
    rte->alias_columns = alias->colnames.items;
    rte->alias_column_count = (int)alias->colnames.length;
    int visible = 0, given = 0;
    for (int i = 0; i < rte->column_count; i++) {
        if (rte->columns[i].name.length == 0)
            continue; /* dropped */
        visible++;
        if (given < rte->alias_column_count)
            rte->columns[i].name = rte->alias_columns[given++];
    }
    if (given < rte->alias_column_count)
        FAIL(ERR_INVALID_COLUMN_REFERENCE,
             .message = fmt("table \"%.*s\" has %d columns available but %d columns specified",
                            STR_ARGS(rte->name), visible, rte->alias_column_count),
             .position = 0);
    return true;
}

static void columns_from_relation(Arena *arena, RangeTableEntry *rte, const RelationDesc *relation)
{
    rte->column_count = relation->column_count;
    rte->columns = ARENA_ARRAY(arena, RangeColumn, relation->column_count + 1);
    for (int i = 0; i < relation->column_count; i++) {
        const ColumnDesc *column = &relation->columns[i];
        rte->columns[i] = (RangeColumn){.name = column->dropped ? STR("") : column->name,
                                        .type = column->type,
                                        .typmod = column->typmod,
                                        .collation = column->collation};
    }
}

void rte_set_columns_from_targets(Arena *arena, RangeTableEntry *rte, const TargetVec *targets)
{
    rte->columns = ARENA_ARRAY(arena, RangeColumn, targets->length + 1);
    rte->column_count = 0;
    for (size_t i = 0; i < targets->length; i++) {
        const TargetEntry *target = &targets->items[i];
        if (target->is_junk)
            continue;
        rte->columns[rte->column_count++] = (RangeColumn){.name = target->name,
                                                          .type = target->expr->type,
                                                          .typmod = target->expr->typmod,
                                                          .collation = target->expr->collation};
    }
}

RangeTableEntry *rte_for_relation(Scope *scope, const RelationDesc *relation, const RangeVar *var,
                                  const Alias *alias)
{
    Arena *arena = scope_arena(scope);
    RangeTableEntry *rte = rte_new(scope, RANGE_RELATION, var ? var->node.position : 0);

    rte->relation = relation->oid;
    rte->relation_name = relation->name;
    rte->schema_name = relation->namespace_name;
    rte->is_only = var && var->only;
    rte->access = ACCESS_SELECT;
    columns_from_relation(arena, rte, relation);
    rte_mark(arena, rte, &rte->selected_columns, 0);
    TRY(rte_apply_alias(scope, rte, alias, relation->name));
    return rte;
}

RangeTableEntry *rte_for_subquery(Scope *scope, Query *query, Str alias_name)
{
    RangeTableEntry *rte = rte_new(scope, RANGE_SUBQUERY, 0);
    rte->subquery = query;
    rte->name = rte->alias_name = alias_name;
    rte_set_columns_from_targets(scope_arena(scope), rte, query_result(query));
    return rte;
}

/* ---- tables, views, CTEs ---- */

static CommonTable *find_cte(Scope *scope, Str name, int *ret_levels)
{
    int levels = 0;
    for (Scope *s = scope; s; s = s->parent, levels++)
        for (size_t i = s->ctes.length; i-- > 0;)
            if (str_equal(s->ctes.items[i]->name, name)) {
                *ret_levels = levels;
                return s->ctes.items[i];
            }
    return NULL;
}

/* A name that a later WITH item of this list will define: PostgreSQL says so in a hint. */
static bool fail_no_relation(Scope *scope, const RangeVar *var)
{
    for (const Scope *s = scope; s && str_is_none(var->schema); s = s->parent) {
        if (!s->with)
            continue;
        for (size_t i = s->with_done; i < s->with->ctes.length; i++)
            if (str_equal(s->with->ctes.items[i]->name, var->relation))
                FAIL(ERR_UNDEFINED_TABLE,
                     .message = fmt("relation \"%.*s\" does not exist", STR_ARGS(var->relation)),
                     .detail = fmt("There is a WITH item named \"%.*s\", but it cannot be "
                                   "referenced from this part of the query.",
                                   STR_ARGS(var->relation)),
                     .hint = STR("Use WITH RECURSIVE, or re-order the WITH items to remove forward "
                                 "references."),
                     .position = var->node.position);
    }
    return relation_get_name(scope_session(scope), var->schema, var->relation,
                             var->node.position) != NULL;
}

/* A schema that is named must be open to whoever names it. */
static bool check_schema(Scope *scope, const RangeVar *var)
{
    CatalogSession *session = scope_session(scope);
    if (var->schema.length == 0 || scope->context->is_stored)
        return true;
    const Oid schema = namespace_oid(session, var->schema);
    if (!schema)
        return !error_is_set();
    if (privilege_check(session, ON_SCHEMA, schema, ACL_USAGE))
        return true;
    error_set_position(var->node.position);
    return false;
}

static RangeTableEntry *rte_for_cte(Scope *scope, const RangeVar *var, CommonTable *cte, int levels)
{
    Arena *arena = scope_arena(scope);
    RangeTableEntry *rte = rte_new(scope, RANGE_CTE, var->node.position);

    rte->cte_name = cte->name;
    rte->cte_levels_up = levels;
    cte->reference_count++;
    for (Scope *s = scope; s; s = s->parent)
        if (s->recursive == cte)
            rte->is_self_reference = true;
    if (!cte->columns) {
        if (cte->query && cte->query->command != QUERY_SELECT)
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = fmt("WITH query \"%.*s\" does not have a RETURNING clause",
                                STR_ARGS(cte->name)),
                 .position = var->node.position);
        FAIL(ERR_INVALID_RECURSION,
             .message = fmt("recursive reference to query \"%.*s\" must not appear within its "
                            "non-recursive term",
                            STR_ARGS(cte->name)),
             .position = var->node.position);
    }
    rte->column_count = cte->column_count;
    rte->columns =
        arena_copy(arena, cte->columns, sizeof(RangeColumn) * (size_t)(cte->column_count + 1));
    TRY(rte_apply_alias(scope, rte, var->alias, cte->name));
    return rte;
}

static RangeTableEntry *rte_for_view(Scope *scope, const RelationDesc *view, const RangeVar *var)
{
    RangeTableEntry *rte = rte_for_relation(scope, view, var, var->alias);
    TRY(rte);
    rte->kind = RANGE_SUBQUERY;
    TRY(rte->subquery = view_query(scope->context, view));
    rte->is_security_barrier = view->security_barrier;
    return rte;
}

static bool check_catalog(Scope *scope, const RangeVar *var)
{
    return str_is_none(var->catalog) ||
           database_check_own(scope_session(scope),
                              (const Str[]){var->catalog, var->schema, var->relation}, true,
                              var->node.position);
}

static RangeTableEntry *rte_for_var(Scope *scope, const RangeVar *var)
{
    CatalogSession *session = scope_session(scope);
    int levels = 0;

    TRY(check_catalog(scope, var));
    if (str_is_none(var->schema)) {
        CommonTable *cte = find_cte(scope, var->relation, &levels);
        if (cte)
            return rte_for_cte(scope, var, cte, levels);
    }
    TRY(check_schema(scope, var));
    const Oid oid = relation_oid(session, var->schema, var->relation);
    if (!oid) {
        if (!fail_no_relation(scope, var))
            return NULL;
        return NULL;
    }
    const RelationDesc *relation = relation_get(session, oid);
    TRY(relation);
    switch (relation->kind) {
    case RELKIND_VIEW:
        return rte_for_view(scope, relation, var);
    case RELKIND_TABLE:
    case RELKIND_SEQUENCE:
    case RELKIND_TOAST:
        return rte_for_relation(scope, relation, var, var->alias);
    case RELKIND_INDEX:
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("cannot open relation \"%.*s\"", STR_ARGS(relation->name)),
             .detail = STR("This operation is not supported for indexes."),
             .position = var->node.position);
    case RELKIND_COMPOSITE:
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("cannot open relation \"%.*s\"", STR_ARGS(relation->name)),
             .detail = STR("This operation is not supported for composite types."),
             .position = var->node.position);
    case RELKIND_MATVIEW:
    case RELKIND_FOREIGN:
    case RELKIND_PARTITIONED:
        FAIL_UNSUPPORTED("reading this kind of relation");
    }
    return NULL;
}

/* ---- items of FROM ---- */

static MUST_CHECK bool from_item(Scope *scope, const Node *node, FromItem **ret_item,
                                 ScopeItemVec *ret_items);

static FromItem *rel_item(Scope *scope, int rel)
{
    FromItem *item = ARENA_NEW(scope_arena(scope), FromItem);
    item->kind = FROM_REL;
    item->rel = rel;
    return item;
}

static bool finish_rte(Scope *scope, RangeTableEntry *rte, FromItem **ret_item,
                       ScopeItemVec *ret_items)
{
    const int rel = scope_add_rte(scope, rte);
    const ScopeItem item = scope_item_new(scope, rte, rel);
    VEC_PUSH(scope_arena(scope), ret_items, item);
    *ret_item = rel_item(scope, rel);
    return true;
}

static bool from_subselect(Scope *scope, const RangeSubselect *sub, FromItem **ret_item,
                           ScopeItemVec *ret_items)
{
    if (!sub->alias) {
        if (sub->subquery->values_lists.length > 0)
            FAIL(ERR_SYNTAX_ERROR, .message = STR("VALUES in FROM must have an alias"),
                 .hint = STR("For example, FROM (VALUES ...) [AS] foo."),
                 .position = sub->node.position);
        FAIL(ERR_SYNTAX_ERROR, .message = STR("subquery in FROM must have an alias"),
             .hint = STR("For example, FROM (SELECT ...) [AS] foo."),
             .position = sub->node.position);
    }
    const ExprPlace saved = scope->place;
    const bool saved_lateral = scope->lateral_active;
    scope->place = PLACE_FROM_SUBSELECT;
    scope->lateral_active = sub->lateral;
    Query *query = analyze_subquery(scope, &sub->subquery->node, NULL, NULL, true);
    scope->place = saved;
    scope->lateral_active = saved_lateral;
    TRY(query);
    RangeTableEntry *rte = rte_for_subquery(scope, query, sub->alias->name);
    rte->is_lateral = sub->lateral;
    rte->position = sub->node.position;
    TRY(rte_apply_alias(scope, rte, sub->alias, STR_NONE));
    return finish_rte(scope, rte, ret_item, ret_items);
}

static bool add_range_column(Scope *scope, RangeTableEntry *rte, Str name, Oid type, int32_t typmod)
{
    const TypeDesc *desc = type_find(scope_session(scope), type);
    RangeColumn *columns = ARENA_ARRAY(scope_arena(scope), RangeColumn, rte->column_count + 2);
    if (rte->column_count > 0)
        memcpy(columns, rte->columns, sizeof(*columns) * (size_t)rte->column_count);
    columns[rte->column_count] = (RangeColumn){
        .name = name, .type = type, .typmod = typmod, .collation = desc ? desc->collation : 0};
    rte->columns = columns;
    rte->column_count++;
    return true;
}

static bool definition_columns(Scope *scope, RangeTableEntry *rte, const ColumnDefVec *definitions)
{
    for (size_t i = 0; i < definitions->length; i++) {
        const ColumnDef *definition = definitions->items[i];
        Oid type;
        int32_t typmod;
        TRY(resolve_type_name(scope, definition->type_name, &type, &typmod));
        TRY(add_range_column(scope, rte, definition->name, type, typmod));
    }
    return true;
}

/* The columns a function call gives: a value, a row type's columns, OUT parameters, or a list. */
static bool function_columns(Scope *scope, RangeTableEntry *rte, RangeCall *call,
                             const ColumnDefVec *definitions, Str function_name, Str alias)
{
    CatalogSession *session = scope_session(scope);
    const int before = rte->column_count;
    const Expr *expr = call->call;
    const TypeDesc *type = type_find(session, base_type_of(session, expr->type, NULL));
    const FunctionDesc *function =
        expr->kind == EXPR_FUNCTION
            ? function_find(session, EXPR_AS(const ExprFunction, expr)->function)
            : NULL;
    int outputs = 0;
    for (int i = 0; function && i < function->all_count; i++)
        outputs += function->all_modes[i] != 'i' && function->all_modes[i] != 'v';

    if (expr->type == TYPE_RECORD && outputs == 0) {
        if (definitions->length == 0)
            FAIL(ERR_SYNTAX_ERROR,
                 .message =
                     STR("a column definition list is required for functions returning \"record\""),
                 .position = expr_location(expr));
        call->has_definition_list = true;
        TRY(definition_columns(scope, rte, definitions));
    } else if (definitions->length > 0) {
        if (expr->type == TYPE_RECORD)
            FAIL(ERR_SYNTAX_ERROR,
                 .message = STR(
                     "a column definition list is redundant for a function with OUT parameters"),
                 .position = definitions->items[0]->node.position);
        FAIL(ERR_SYNTAX_ERROR,
             .message =
                 STR("a column definition list is only allowed for functions returning \"record\""),
             .position = definitions->items[0]->node.position);
    } else if (expr->type == TYPE_RECORD) {
        int output = 0;
        for (int i = 0; i < function->all_count; i++) {
            if (function->all_modes[i] == 'i' || function->all_modes[i] == 'v')
                continue;
            output++;
            const Str name = function->names && function->names[i].length
                                 ? function->names[i]
                                 : str_format(scope_arena(scope), "column%d", output);
            Oid output_type;
            TRY(function_output_type(scope, EXPR_AS(const ExprFunction, expr), function, i,
                                     &output_type));
            TRY(add_range_column(scope, rte, name, output_type, -1));
        }
    } else if (type && type->kind == 'c') {
        const RelationDesc *relation = relation_get(session, type->relation);
        TRY(relation);
        for (int i = 0; i < relation->column_count; i++)
            if (!relation->columns[i].dropped)
                TRY(add_range_column(scope, rte, relation->columns[i].name,
                                     relation->columns[i].type, relation->columns[i].typmod));
    } else {
        Str name = alias.length ? alias : function_name;
        /* A single OUT parameter names the column, unless an alias does. */
        if (outputs == 1 && function->names)
            for (int i = 0; i < function->all_count; i++)
                if (function->all_modes[i] != 'i' && function->all_modes[i] != 'v' &&
                    function->names[i].length && function->returns_set)
                    name = function->names[i];
        TRY(add_range_column(scope, rte, name, expr->type, expr->typmod));
    }
    call->column_count = rte->column_count - before;
    call->columns = arena_copy(scope_arena(scope), rte->columns + before,
                               (size_t)call->column_count * sizeof(RangeColumn));
    return true;
}

static bool check_function_in_from(const Expr *expr)
{
    if (expr->kind != EXPR_FUNCTION)
        return true;
    const ExprVec *args = &EXPR_AS(const ExprFunction, expr)->args;
    for (size_t i = 0; i < args->length; i++)
        if (expr_has_srf(args->items[i]))
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR("set-returning functions must appear at top level of FROM"),
                 .position = expr_srf_position(args->items[i]));
    return true;
}

/* unnest(a, b, …) in FROM is ROWS FROM(unnest(a), unnest(b), …). */
static bool is_multi_unnest(const Node *node)
{
    if (!NODE_IS(node, FuncCall))
        return false;
    const FuncCall *call = NODE_CAST(FuncCall, node);
    return call->name.length == 1 && str_equal(call->name.items[0], STR("unnest")) &&
           call->args.length > 1 && call->agg_order.length == 0 && !call->agg_filter &&
           !call->over && !call->agg_star && !call->agg_distinct && !call->func_variadic;
}

static bool from_one_function(Scope *scope, RangeTableEntry *rte, const Node *node,
                              const ColumnDefVec *definitions, Str alias)
{
    RangeCall call = {0};
    const Str name = expr_target_name(node);
    TRY(call.call = analyze_expr(scope, node, PLACE_FROM_FUNCTION));
    TRY(check_function_in_from(call.call));
    TRY(function_columns(scope, rte, &call, definitions, name, alias));
    VEC_PUSH(scope_arena(scope), &rte->functions, call);
    return true;
}

static bool from_function(Scope *scope, const RangeFunction *from, FromItem **ret_item,
                          ScopeItemVec *ret_items)
{
    Arena *arena = scope_arena(scope);
    RangeTableEntry *rte = rte_new(scope, RANGE_FUNCTION, from->node.position);
    const bool saved_lateral = scope->lateral_active;
    const bool single =
        from->functions.length == 1 && !is_multi_unnest(from->functions.items[0]->func);
    const Str alias = from->alias && single && !from->is_rows_from ? from->alias->name : STR("");
    const bool saved_srfs = scope->query->has_srfs;
    bool ok = true;

    scope->lateral_active = true;
    for (size_t i = 0; i < from->functions.length && ok; i++) {
        const RangeFunctionItem *item = from->functions.items[i];
        const ColumnDefVec *definitions =
            from->is_rows_from ? &item->coldeflist : &from->coldeflist;
        if (!is_multi_unnest(item->func)) {
            ok = from_one_function(scope, rte, item->func, definitions, alias);
            continue;
        }
        const FuncCall *call = NODE_CAST(FuncCall, item->func);
        for (size_t a = 0; a < call->args.length && ok; a++) {
            FuncCall *one = NODE_NEW(arena, FuncCall, call->node.position);
            one->name = call->name;
            VEC_PUSH(arena, &one->args, call->args.items[a]);
            ok = from_one_function(scope, rte, &one->node, definitions, alias);
        }
    }
    scope->lateral_active = saved_lateral;
    scope->query->has_srfs = saved_srfs; /* in FROM they are no matter for the target list */
    TRY(ok);
    rte->is_lateral = from->lateral;
    for (size_t i = 0; i < rte->functions.length; i++)
        rte->is_lateral |= expr_contains_columns(rte->functions.items[i].call, 0);
    rte->with_ordinality = from->ordinality;
    if (from->ordinality)
        TRY(add_range_column(scope, rte, STR("ordinality"), TYPE_INT8, -1));
    TRY(rte_apply_alias(scope, rte, from->alias, expr_target_name(from->functions.items[0]->func)));
    return finish_rte(scope, rte, ret_item, ret_items);
}

/* ---- joins ---- */

typedef struct JoinSide {
    ScopeItemVec items;
    VEC(ScopeColumn) columns; /* visible, in order */
    VEC(Str) names;
    VEC(bool) used;
} JoinSide;

static void side_columns(Scope *scope, JoinSide *side)
{
    Arena *arena = scope_arena(scope);
    for (size_t i = 0; i < side->items.length; i++) {
        const ScopeItem *item = &side->items.items[i];
        if (!item->columns_visible)
            continue;
        for (int c = 0; c < item->rte->column_count; c++) {
            if (item->columns[c].hidden || item->rte->columns[c].name.length == 0)
                continue;
            VEC_PUSH(arena, &side->columns, item->columns[c]);
            VEC_PUSH(arena, &side->names, item->rte->columns[c].name);
            VEC_PUSH(arena, &side->used, false);
        }
    }
}

static int side_find(const JoinSide *side, Str name, const char *which, int position)
{
    int found = -1;
    for (size_t i = 0; i < side->names.length; i++) {
        if (!str_equal(side->names.items[i], name))
            continue;
        if (found >= 0) {
            ERROR_SET(ERR_AMBIGUOUS_COLUMN,
                      .message =
                          fmt("common column name \"%.*s\" appears more than once in %s table",
                              STR_ARGS(name), which),
                      .position = position);
            return -2;
        }
        found = (int)i;
    }
    return found;
}

static Expr *side_column(Scope *scope, const ScopeColumn *column)
{
    const Expr like = {
        .type = column->type, .typmod = column->typmod, .collation = column->collation};
    scope_mark_selected(scope, 0, column->rel, column->attnum);
    return expr_column(scope_arena(scope), column->rel, column->attnum, 0, &like);
}

/* What a USING column is: the side that is never null-extended, or COALESCE of both. */
static Expr *merged_column(Scope *scope, JoinKind kind, Expr *left, Expr *right)
{
    ExprVec both = {0};
    bool failed = false;
    VEC_PUSH(scope_arena(scope), &both, left);
    VEC_PUSH(scope_arena(scope), &both, right);
    const Oid type = select_common_type(scope, &both, STR("JOIN/USING"), NULL);
    TRY(type);
    const int32_t typmod = select_common_typmod(&both, type);
    for (int i = 0; i < 2; i++) {
        Expr *side = both.items[i];
        if (side->type != type)
            TRY(side = coerce_implicitly(scope, side, type));
        both.items[i] = side;
    }
    (void)failed;
    if (kind == JOINS_INNER || kind == JOINS_LEFT)
        return both.items[0];
    if (kind == JOINS_RIGHT)
        return both.items[1];
    ExprCoalesce *coalesce = EXPR_NEW(scope_arena(scope), ExprCoalesce, EXPR_COALESCE);
    coalesce->args = both;
    coalesce->base.type = type;
    coalesce->base.typmod = typmod;
    coalesce->base.collation = select_common_collation(&both);
    return &coalesce->base;
}

/* A join that is being put together. */
typedef struct Joining {
    const JoinExpr *join;
    JoinKind kind;
    FromItem *item;
    JoinSide left, right;
    RangeTableEntry *rte;
    ScopeColumn *columns; /* beside rte->columns */
    int rel;
} Joining;

static void join_add_column(Scope *scope, Joining *joining, Str name, Expr *expr)
{
    RangeTableEntry *rte = joining->rte;
    ScopeColumn *columns = joining->columns;
    const int index = rte->column_count++;
    rte->columns[index] = (RangeColumn){
        .name = name, .type = expr->type, .typmod = expr->typmod, .collation = expr->collation};
    VEC_PUSH(scope_arena(scope), &rte->alias_exprs, expr);
    columns[index] = (ScopeColumn){.rel = joining->rel,
                                   .attnum = index + 1,
                                   .type = expr->type,
                                   .typmod = expr->typmod,
                                   .collation = expr->collation};
    if (expr->kind == EXPR_COLUMN) {
        columns[index].rel = EXPR_AS(ExprColumn, expr)->rel;
        columns[index].attnum = EXPR_AS(ExprColumn, expr)->attnum;
    }
}

/* ON for the USING columns, and the merged columns at the front of the join. */
static bool join_using(Scope *scope, Joining *joining, const StrVec *names)
{
    Arena *arena = scope_arena(scope);
    JoinSide *left = &joining->left, *right = &joining->right;
    const int position = joining->join->node.position;
    StrVec equals = {0};
    VEC_PUSH(arena, &equals, STR("="));
    for (size_t i = 0; i < names->length; i++) {
        const Str name = names->items[i];
        for (size_t k = 0; k < i; k++)
            if (str_equal(names->items[k], name))
                FAIL(ERR_DUPLICATE_COLUMN,
                     .message = fmt("column name \"%.*s\" appears more than once in USING clause",
                                    STR_ARGS(name)));
        const int l = side_find(left, name, "left", position);
        TRY(l != -2);
        if (l < 0)
            FAIL(ERR_UNDEFINED_COLUMN,
                 .message =
                     fmt("column \"%.*s\" specified in USING clause does not exist in left table",
                         STR_ARGS(name)));
        const int r = side_find(right, name, "right", position);
        TRY(r != -2);
        if (r < 0)
            FAIL(ERR_UNDEFINED_COLUMN,
                 .message =
                     fmt("column \"%.*s\" specified in USING clause does not exist in right table",
                         STR_ARGS(name)));
        Expr *a = side_column(scope, &left->columns.items[l]);
        Expr *b = side_column(scope, &right->columns.items[r]);
        left->used.items[l] = right->used.items[r] = true;
        Expr *merged = merged_column(scope, joining->kind, a, b);
        TRY(merged);
        Expr *equal = make_operator(scope, &equals, a, b, 0);
        TRY(equal && (equal = coerce_to_boolean(scope, equal, STR("JOIN/USING"))));
        joining->item->condition = expr_and(arena, joining->item->condition, equal);
        join_add_column(scope, joining, name, merged);
    }
    joining->rte->merged_count = (int)names->length;
    return true;
}

static void natural_names(Arena *arena, const JoinSide *left, const JoinSide *right, StrVec *names)
{
    for (size_t i = 0; i < left->names.length; i++)
        for (size_t k = 0; k < right->names.length; k++)
            if (str_equal(left->names.items[i], right->names.items[k])) {
                VEC_PUSH(arena, names, left->names.items[i]);
                break;
            }
}

static void hide_columns(ScopeItemVec *items)
{
    for (size_t i = 0; i < items->length; i++)
        items->items[i].columns_visible = false;
}

static bool join_sides(Scope *scope, Joining *joining)
{
    Arena *arena = scope_arena(scope);
    const JoinExpr *join = joining->join;
    const JoinKind kind = joining->kind;
    FromItem *item = joining->item;
    JoinSide *left = &joining->left, *right = &joining->right;
    const size_t before = scope->items.length;

    TRY(from_item(scope, join->larg, &item->left, &left->items));
    /* The left side may be used laterally in the right one. */
    for (size_t i = 0; i < left->items.length; i++) {
        ScopeItem lateral = left->items.items[i];
        lateral.is_lateral_only = true;
        lateral.is_lateral_ok = kind == JOINS_INNER || kind == JOINS_LEFT;
        VEC_PUSH(arena, &scope->items, lateral);
    }
    const bool ok = from_item(scope, join->rarg, &item->right, &right->items);
    scope->items.length = before;
    TRY(ok);
    TRY(scope_check_conflict(scope, &left->items, &right->items));
    side_columns(scope, left);
    side_columns(scope, right);
    return true;
}

/* ON sees exactly the two sides. */
static Expr *join_on(Scope *scope, const Node *quals, const JoinSide *left, const JoinSide *right)
{
    Arena *arena = scope_arena(scope);
    const ScopeItemVec saved = scope->items;
    ScopeItemVec both = {0};
    for (size_t i = 0; i < left->items.length; i++)
        VEC_PUSH(arena, &both, left->items.items[i]);
    for (size_t i = 0; i < right->items.length; i++)
        VEC_PUSH(arena, &both, right->items.items[i]);
    scope->items = both;
    Expr *condition = analyze_condition(scope, quals, PLACE_JOIN_ON, STR("JOIN/ON"));
    scope->items = saved;
    return condition;
}

/* ON or USING, and the columns: merged ones first, then those of the left side, of the right one.
 */
static bool join_columns(Scope *scope, Joining *joining)
{
    const JoinExpr *join = joining->join;
    JoinSide *left = &joining->left, *right = &joining->right;
    FromItem *item = joining->item;
    StrVec using_names = join->using_clause;

    if (join->is_natural) {
        using_names = (StrVec){0};
        natural_names(scope_arena(scope), left, right, &using_names);
        item->is_natural = true;
    }
    if (using_names.length > 0) {
        TRY(join_using(scope, joining, &using_names));
        item->using_columns = using_names.items;
        item->using_count = (int)using_names.length;
        item->using_alias = join->join_using_alias ? join->join_using_alias->name : STR_NONE;
    } else if (join->quals) {
        TRY(item->condition = join_on(scope, join->quals, left, right));
    }
    for (size_t i = 0; i < left->columns.length; i++)
        if (!left->used.items[i])
            join_add_column(scope, joining, left->names.items[i],
                            side_column(scope, &left->columns.items[i]));
    for (size_t i = 0; i < right->columns.length; i++)
        if (!right->used.items[i])
            join_add_column(scope, joining, right->names.items[i],
                            side_column(scope, &right->columns.items[i]));
    return rte_apply_alias(scope, joining->rte, join->alias, STR("unnamed_join"));
}

/* What the join is called by, and what stays visible of its sides. */
static void join_give(Scope *scope, Joining *joining, ScopeItemVec *ret_items)
{
    Arena *arena = scope_arena(scope);
    const JoinExpr *join = joining->join;
    RangeTableEntry *rte = joining->rte;
    ScopeItemVec *left = &joining->left.items, *right = &joining->right.items;
    ScopeItem joined = {.rte = rte,
                        .rel = joining->rel,
                        .name = rte->name,
                        .columns = joining->columns,
                        .columns_visible = true,
                        .name_visible = join->alias != NULL,
                        .is_lateral_ok = true};

    if (join->alias) {
        /* An aliased join hides what is inside; its columns are its own. */
        for (int i = 0; i < rte->column_count; i++)
            joining->columns[i] = (ScopeColumn){.rel = joining->rel,
                                                .attnum = i + 1,
                                                .type = rte->columns[i].type,
                                                .typmod = rte->columns[i].typmod,
                                                .collation = rte->columns[i].collation};
    } else {
        hide_columns(left);
        hide_columns(right);
        for (size_t i = 0; i < left->length; i++)
            VEC_PUSH(arena, ret_items, left->items[i]);
        for (size_t i = 0; i < right->length; i++)
            VEC_PUSH(arena, ret_items, right->items[i]);
    }
    if (join->join_using_alias) {
        ScopeItem alias = joined;
        RangeTableEntry *named = arena_copy(arena, rte, sizeof(*rte));
        named->column_count = rte->merged_count;
        named->name = alias.name = join->join_using_alias->name;
        alias.rte = named;
        alias.columns_visible = false;
        alias.name_visible = true;
        VEC_PUSH(arena, ret_items, alias);
    }
    VEC_PUSH(arena, ret_items, joined);
}

static bool from_join(Scope *scope, const JoinExpr *join, FromItem **ret_item,
                      ScopeItemVec *ret_items)
{
    static const JoinKind kinds[] = {[JOIN_INNER] = JOINS_INNER,
                                     [JOIN_LEFT] = JOINS_LEFT,
                                     [JOIN_RIGHT] = JOINS_RIGHT,
                                     [JOIN_FULL] = JOINS_FULL};
    Arena *arena = scope_arena(scope);
    FromItem *item = ARENA_NEW(arena, FromItem);
    Joining joining = {.join = join, .kind = kinds[join->type], .item = item};

    item->kind = FROM_JOIN;
    item->join_type = joining.kind;
    TRY(join_sides(scope, &joining));
    const size_t room = joining.left.columns.length + joining.right.columns.length + 1;
    joining.rte = rte_new(scope, RANGE_JOIN, join->node.position);
    joining.rel = item->rel = scope_add_rte(scope, joining.rte);
    joining.columns = ARENA_ARRAY(arena, ScopeColumn, room);
    joining.rte->join_type = joining.kind;
    joining.rte->columns = ARENA_ARRAY(arena, RangeColumn, room);
    TRY(join_columns(scope, &joining));
    join_give(scope, &joining, ret_items);
    *ret_item = item;
    return true;
}

static bool from_item(Scope *scope, const Node *node, FromItem **ret_item, ScopeItemVec *ret_items)
{
    if (task_stack_left() < 24 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    switch (node->tag) {
    case NODE_RANGE_VAR: {
        RangeTableEntry *rte = rte_for_var(scope, NODE_CAST(RangeVar, node));
        return rte && finish_rte(scope, rte, ret_item, ret_items);
    }
    case NODE_RANGE_SUBSELECT:
        return from_subselect(scope, NODE_CAST(RangeSubselect, node), ret_item, ret_items);
    case NODE_RANGE_FUNCTION:
        return from_function(scope, NODE_CAST(RangeFunction, node), ret_item, ret_items);
    case NODE_JOIN_EXPR:
        return from_join(scope, NODE_CAST(JoinExpr, node), ret_item, ret_items);
    case NODE_RANGE_TABLE_SAMPLE:
        FAIL_UNSUPPORTED("TABLESAMPLE");
    default:
        FAIL(ERR_INTERNAL_ERROR,
             .message = fmt("unrecognized node type: %s", node_name(node->tag)));
    }
}

bool analyze_from(Scope *scope, const NodeVec *list)
{
    Arena *arena = scope_arena(scope);
    for (size_t i = 0; i < list->length; i++) {
        FromItem *item;
        ScopeItemVec items = {0};
        TRY(from_item(scope, list->items[i], &item, &items));
        TRY(scope_check_conflict(scope, &scope->items, &items));
        /* Later items may refer to these laterally only, until FROM is complete. */
        for (size_t k = 0; k < items.length; k++) {
            items.items[k].is_lateral_only = true;
            items.items[k].is_lateral_ok = true;
            VEC_PUSH(arena, &scope->items, items.items[k]);
        }
        VEC_PUSH(arena, &scope->query->from, item);
    }
    for (size_t k = 0; k < scope->items.length; k++)
        scope->items.items[k].is_lateral_only = false;
    return true;
}

ScopeItem *analyze_target_relation(Scope *scope, const RangeVar *var, uint32_t access)
{
    CatalogSession *session = scope_session(scope);
    TRY(check_catalog(scope, var));
    TRY(check_schema(scope, var));
    const RelationDesc *relation =
        relation_get_name(session, var->schema, var->relation, var->node.position);
    TRY(relation);
    if (relation->kind == RELKIND_SEQUENCE)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("cannot change sequence \"%.*s\"", STR_ARGS(relation->name)));
    if (relation->kind != RELKIND_TABLE && relation->kind != RELKIND_VIEW)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("cannot open relation \"%.*s\"", STR_ARGS(relation->name)),
             .detail = fmt("This operation is not supported for %.*s.",
                           STR_ARGS(relation_kind_plural(relation->kind))));
    RangeTableEntry *rte = rte_for_relation(scope, relation, var, var->alias);
    TRY(rte);
    rte->access = access;
    rte->is_in_from = false;
    const int rel = scope_add_rte(scope, rte);
    ScopeItem *item = ARENA_NEW(scope_arena(scope), ScopeItem);
    *item = scope_item_new(scope, rte, rel);
    scope->target = relation;
    scope->target_item = item;
    scope->query->result_rel = rel;
    return item;
}
