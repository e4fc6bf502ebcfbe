#include "planner/analyze_internal.h"

bool analyze_returning(Scope *scope, const ResTargetVec *returning)
{
    if (returning->length == 0)
        return true;
    bool visible = false;
    for (size_t i = 0; i < scope->items.length; i++)
        visible |= scope->items.items[i].rel == scope->target_item->rel;
    if (!visible)
        TRY(scope_add_item(scope, scope->target_item, true, true));
    TRY(analyze_target_list(scope, returning, PLACE_RETURNING, &scope->query->returning));
    if (scope->query->returning.length == 0)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("RETURNING must have at least one column"),
             .position = returning->items[0]->node.position);
    return targets_resolve_unknown(scope, &scope->query->returning);
}

/* SET (a, b) = (SELECT …) or ROW(…): one source for several columns, analyzed once. */
static Expr *multi_source(Scope *scope, const MultiAssignRef *ref)
{
    for (size_t i = 0; i < scope->multi_nodes.length; i++)
        if (scope->multi_nodes.items[i] == ref->source)
            return scope->multi_sources.items[i];
    Expr *expr;
    if (NODE_IS(ref->source, SubLink)) {
        const SubLink *link = NODE_CAST(SubLink, ref->source);
        ExprSubLink *multi = EXPR_NEW(scope_arena(scope), ExprSubLink, EXPR_SUB_LINK);
        scope->query->has_sublinks = true;
        TRY(multi->query = analyze_subquery(scope, link->subselect, NULL, NULL, true));
        multi->source = multi->query;
        multi->sublink = SUBLINK_MULTI;
        multi->base.position = link->node.position;
        multi->base.type = TYPE_RECORD;
        int count = 0;
        for (size_t i = 0; i < multi->query->targets.length; i++)
            count += !multi->query->targets.items[i].is_junk;
        if (count != ref->column_count)
            FAIL(ERR_SYNTAX_ERROR,
                 .message = STR("number of columns does not match number of values"),
                 .position = link->node.position);
        expr = &multi->base;
    } else if (NODE_IS(ref->source, RowExpr)) {
        ExprRow *row = EXPR_NEW(scope_arena(scope), ExprRow, EXPR_ROW);
        TRY(analyze_expr_list(scope, &NODE_CAST(RowExpr, ref->source)->args, PLACE_UPDATE_SOURCE,
                              true, &row->fields));
        if ((int)row->fields.length != ref->column_count)
            FAIL(ERR_SYNTAX_ERROR,
                 .message = STR("number of columns does not match number of values"),
                 .position = ref->source->position);
        expr = &row->base;
    } else {
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("source for a multiple-column UPDATE item must be a sub-SELECT or "
                            "ROW() expression"),
             .position = ref->source->position);
    }
    VEC_PUSH(scope_arena(scope), &scope->multi_nodes, ref->source);
    VEC_PUSH(scope_arena(scope), &scope->multi_sources, expr);
    return expr;
}

static Expr *multi_column(Scope *scope, const MultiAssignRef *ref)
{
    Expr *source = multi_source(scope, ref);
    TRY(source);
    if (source->kind == EXPR_ROW)
        return EXPR_AS(ExprRow, source)->fields.items[ref->column_number - 1];
    ExprSubLink *column = EXPR_NEW(scope_arena(scope), ExprSubLink, EXPR_SUB_LINK);
    *column = *EXPR_AS(const ExprSubLink, source);
    const Expr *target = column->query->targets.items[ref->column_number - 1].expr;
    column->base.type = target->type;
    column->base.typmod = target->typmod;
    column->base.collation = target->collation;
    column->base.position = target->position;
    column->multi_column = ref->column_number - 1;
    return &column->base;
}

static TargetEntry *target_of_column(const TargetVec *targets, int attnum)
{
    for (size_t i = 0; i < targets->length; i++)
        if (targets->items[i].attnum == attnum)
            return &targets->items[i];
    return NULL;
}

/* All sources first: their errors come before those of the columns assigned. */
static bool analyze_sources(Scope *scope, const ResTargetVec *list, ExprVec *ret)
{
    for (size_t i = 0; i < list->length; i++) {
        const ResTarget *item = list->items[i];
        Expr *source;
        if (NODE_IS(item->val, MultiAssignRef)) {
            TRY(source = multi_column(scope, NODE_CAST(MultiAssignRef, item->val)));
        } else {
            const bool saved = scope->allow_default;
            scope->allow_default = NODE_IS(item->val, SetToDefault);
            source = analyze_expr(scope, item->val, PLACE_UPDATE_SOURCE);
            scope->allow_default = saved;
            TRY(source);
        }
        VEC_PUSH(scope_arena(scope), ret, source);
    }
    return true;
}

bool analyze_set_list(Scope *scope, const ResTargetVec *list, TargetVec *ret)
{
    const RelationDesc *relation = scope->target;
    RangeTableEntry *rte = scope->target_item->rte;
    ExprVec sources = {0};

    TRY(analyze_sources(scope, list, &sources));
    for (size_t i = 0; i < list->length; i++) {
        const ResTarget *item = list->items[i];
        const ColumnDesc *column = relation_column(relation, item->name);
        if (!column) {
            if (system_column_find(item->name))
                FAIL(ERR_FEATURE_NOT_SUPPORTED,
                     .message =
                         fmt("cannot assign to system column \"%.*s\"", STR_ARGS(item->name)),
                     .position = item->node.position);
            FAIL(ERR_UNDEFINED_COLUMN,
                 .message = fmt("column \"%.*s\" of relation \"%.*s\" does not exist",
                                STR_ARGS(item->name), STR_ARGS(relation->name)),
                 .position = item->node.position);
        }
        TargetEntry *earlier = target_of_column(ret, column->attnum);
        if (earlier && (item->indirection.length == 0 || earlier->expr->kind != EXPR_SUBSCRIPT ||
                        !EXPR_AS(const ExprSubscript, earlier->expr)->assigned))
            FAIL(ERR_SYNTAX_ERROR, .message = fmt("multiple assignments to same column \"%.*s\"",
                                                  STR_ARGS(column->name)));
        Expr *source = sources.items[i];
        if (source->kind == EXPR_DEFAULT && item->indirection.length == 0) {
            if (!column->generated)
                TRY(source = column_default(scope->context, relation, column));
            else
                continue;
        } else {
            if (column->generated)
                FAIL(ERR_GENERATED_ALWAYS,
                     .message = fmt("column \"%.*s\" can only be updated to DEFAULT",
                                    STR_ARGS(column->name)),
                     .detail =
                         fmt("Column \"%.*s\" is a generated column.", STR_ARGS(column->name)));
            if (column->identity == 'a')
                FAIL(ERR_GENERATED_ALWAYS,
                     .message = fmt("column \"%.*s\" can only be updated to DEFAULT",
                                    STR_ARGS(column->name)),
                     .detail =
                         fmt("Column \"%.*s\" is an identity column defined as GENERATED ALWAYS.",
                             STR_ARGS(column->name)));
            Expr *current = scope_item_column(scope, scope->target_item, column->attnum - 1, 0, 0);
            const Assignment set = {.column = column,
                                    .indirection = &item->indirection,
                                    .current = current,
                                    .source = source,
                                    .place = PLACE_UPDATE_TARGET,
                                    .position = item->node.position};
            TRY(source = assign_column(scope, &set));
        }
        if (earlier) {
            assign_merge(source, earlier->expr);
            earlier->expr = source;
            continue;
        }
        TargetEntry target = {.expr = source, .name = column->name, .attnum = column->attnum};
        rte_mark(scope_arena(scope), rte, &rte->modified_columns, column->attnum);
        VEC_PUSH(scope_arena(scope), ret, target);
    }
    return true;
}

static bool add_target_item(Scope *scope)
{
    TRY(scope_add_item(scope, scope->target_item, true, true));
    scope_add_from(scope, scope->target_item->rel);
    return true;
}

bool analyze_update(Scope *scope, const UpdateStmt *update)
{
    Query *query = scope->query;
    query->command = QUERY_UPDATE;
    if (update->with_clause)
        TRY(analyze_with(scope, update->with_clause));
    TRY(analyze_target_relation(scope, update->relation, ACCESS_UPDATE));
    TRY(add_target_item(scope));
    TRY(analyze_from(scope, &update->from_clause));
    if (update->where_clause)
        TRY(query->where =
                analyze_condition(scope, update->where_clause, PLACE_WHERE, STR("WHERE")));
    /* RETURNING's errors come before SET's. */
    TRY(analyze_returning(scope, &update->returning));
    return analyze_set_list(scope, &update->target_list, &query->targets);
}

bool analyze_delete(Scope *scope, const DeleteStmt *delete_)
{
    Query *query = scope->query;
    query->command = QUERY_DELETE;
    if (delete_->with_clause)
        TRY(analyze_with(scope, delete_->with_clause));
    TRY(analyze_target_relation(scope, delete_->relation, ACCESS_DELETE));
    TRY(add_target_item(scope));
    TRY(analyze_from(scope, &delete_->using_clause));
    if (delete_->where_clause)
        TRY(query->where =
                analyze_condition(scope, delete_->where_clause, PLACE_WHERE, STR("WHERE")));
    return analyze_returning(scope, &delete_->returning);
}
