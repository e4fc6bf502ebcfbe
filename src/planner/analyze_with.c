#include "planner/analyze_internal.h"

/* ---- does a statement mention a name? ---- */

/*
 * Whether a WITH item may be recursive is a matter of its text: its own name used as a table,
 * where no inner WITH hides it. The parser's trees have no generic walk, so FROM clauses and the
 * subqueries in expressions are searched by position of the name in the statement's own parts.
 */
static bool select_mentions(const SelectStmt *select, Str name);

static bool node_mentions(const Node *node, Str name);

static bool list_mentions(const NodeVec *list, Str name)
{
    for (size_t i = 0; i < list->length; i++)
        if (node_mentions(list->items[i], name))
            return true;
    return false;
}

static bool targets_mention(const ResTargetVec *list, Str name)
{
    for (size_t i = 0; i < list->length; i++)
        if (node_mentions(list->items[i]->val, name))
            return true;
    return false;
}

static bool expr_mentions(const Node *node, Str name)
{
    switch (node->tag) {
    case NODE_SUB_LINK: {
        const SubLink *link = NODE_CAST(SubLink, node);
        return node_mentions(link->test_expr, name) || node_mentions(link->subselect, name);
    }
    case NODE_A_EXPR: {
        const A_Expr *expr = NODE_CAST(A_Expr, node);
        return node_mentions(expr->lexpr, name) || node_mentions(expr->rexpr, name);
    }
    case NODE_BOOL_EXPR:
        return list_mentions(&NODE_CAST(BoolExpr, node)->args, name);
    case NODE_FUNC_CALL:
        return list_mentions(&NODE_CAST(FuncCall, node)->args, name) ||
               node_mentions(NODE_CAST(FuncCall, node)->agg_filter, name);
    case NODE_NAMED_ARG_EXPR:
        return node_mentions(NODE_CAST(NamedArgExpr, node)->arg, name);
    case NODE_TYPE_CAST:
        return node_mentions(NODE_CAST(TypeCast, node)->arg, name);
    case NODE_COLLATE_CLAUSE:
        return node_mentions(NODE_CAST(CollateClause, node)->arg, name);
    case NODE_NULL_TEST:
        return node_mentions(NODE_CAST(NullTest, node)->arg, name);
    case NODE_BOOLEAN_TEST:
        return node_mentions(NODE_CAST(BooleanTest, node)->arg, name);
    case NODE_CASE_EXPR: {
        const CaseExpr *expr = NODE_CAST(CaseExpr, node);
        for (size_t i = 0; i < expr->whens.length; i++)
            if (node_mentions(expr->whens.items[i]->expr, name) ||
                node_mentions(expr->whens.items[i]->result, name))
                return true;
        return node_mentions(expr->arg, name) || node_mentions(expr->default_result, name);
    }
    case NODE_COALESCE_EXPR:
        return list_mentions(&NODE_CAST(CoalesceExpr, node)->args, name);
    case NODE_MIN_MAX_EXPR:
        return list_mentions(&NODE_CAST(MinMaxExpr, node)->args, name);
    case NODE_A_ARRAY_EXPR:
        return list_mentions(&NODE_CAST(A_ArrayExpr, node)->elements, name);
    case NODE_ROW_EXPR:
        return list_mentions(&NODE_CAST(RowExpr, node)->args, name);
    case NODE_EXPR_LIST:
        return list_mentions(&NODE_CAST(ExprList, node)->items, name);
    case NODE_A_INDIRECTION:
        return node_mentions(NODE_CAST(A_Indirection, node)->arg, name);
    default:
        return false;
    }
}

static bool node_mentions(const Node *node, Str name)
{
    if (!node || task_stack_left() < 24 * 1024)
        return false; /* too deep: analysis itself reports it */
    switch (node->tag) {
    case NODE_RANGE_VAR:
        return str_is_none(NODE_CAST(RangeVar, node)->schema) &&
               str_equal(NODE_CAST(RangeVar, node)->relation, name);
    case NODE_RANGE_SUBSELECT:
        return select_mentions(NODE_CAST(RangeSubselect, node)->subquery, name);
    case NODE_JOIN_EXPR: {
        const JoinExpr *join = NODE_CAST(JoinExpr, node);
        return node_mentions(join->larg, name) || node_mentions(join->rarg, name) ||
               node_mentions(join->quals, name);
    }
    case NODE_RANGE_FUNCTION: {
        const RangeFunction *from = NODE_CAST(RangeFunction, node);
        for (size_t i = 0; i < from->functions.length; i++)
            if (node_mentions(from->functions.items[i]->func, name))
                return true;
        return false;
    }
    case NODE_SELECT_STMT:
        return select_mentions(NODE_CAST(SelectStmt, node), name);
    case NODE_INSERT_STMT:
        return select_mentions(NODE_CAST(InsertStmt, node)->select, name);
    case NODE_UPDATE_STMT: {
        const UpdateStmt *update = NODE_CAST(UpdateStmt, node);
        return list_mentions(&update->from_clause, name) ||
               targets_mention(&update->target_list, name) ||
               node_mentions(update->where_clause, name);
    }
    case NODE_DELETE_STMT: {
        const DeleteStmt *delete_ = NODE_CAST(DeleteStmt, node);
        return list_mentions(&delete_->using_clause, name) ||
               node_mentions(delete_->where_clause, name);
    }
    default:
        return expr_mentions(node, name);
    }
}

static bool select_mentions(const SelectStmt *select, Str name)
{
    if (!select)
        return false;
    if (select->with_clause)
        for (size_t i = 0; i < select->with_clause->ctes.length; i++) {
            if (str_equal(select->with_clause->ctes.items[i]->name, name))
                return false;
            if (node_mentions(select->with_clause->ctes.items[i]->query, name))
                return true;
        }
    if (select->op != SETOP_NONE)
        return select_mentions(select->larg, name) || select_mentions(select->rarg, name);
    for (size_t i = 0; i < select->values_lists.length; i++)
        if (list_mentions(&select->values_lists.items[i], name))
            return true;
    return list_mentions(&select->from_clause, name) ||
           targets_mention(&select->target_list, name) ||
           node_mentions(select->where_clause, name) || node_mentions(select->having_clause, name);
}

/* ---- analysis ---- */

static bool check_recursive_shape(const CommonTableExpr *node)
{
    const SelectStmt *select =
        NODE_IS(node->query, SelectStmt) ? NODE_CAST(SelectStmt, node->query) : NULL;
    if (!select)
        FAIL(ERR_INVALID_RECURSION,
             .message = fmt("recursive query \"%.*s\" must not contain data-modifying statements",
                            STR_ARGS(node->name)),
             .position = node->node.position);
    if (select->op != SETOP_UNION)
        FAIL(ERR_INVALID_RECURSION,
             .message = fmt("recursive query \"%.*s\" does not have the form non-recursive-term "
                            "UNION [ALL] recursive-term",
                            STR_ARGS(node->name)),
             .position = node->node.position);
    if (select_mentions(select->larg, node->name))
        FAIL(ERR_INVALID_RECURSION,
             .message = fmt("recursive reference to query \"%.*s\" must not appear within its "
                            "non-recursive term",
                            STR_ARGS(node->name)),
             .position = node->node.position);
    if (select->sort_clause.length > 0)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("ORDER BY in a recursive query is not implemented"),
             .position = select->sort_clause.items[0]->expr->position);
    if (select->limit_offset)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("OFFSET in a recursive query is not implemented"),
             .position = select->limit_offset->position);
    if (select->limit_count)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("LIMIT in a recursive query is not implemented"),
             .position = select->limit_count->position);
    if (select->locking_clause.length > 0)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("FOR UPDATE/SHARE in a recursive query is not implemented"));
    return true;
}

static bool cte_columns(Scope *scope, CommonTable *cte, int position)
{
    Arena *arena = scope_arena(scope);
    const TargetVec *targets = query_result(cte->query);
    int count = 0;
    RangeColumn *columns = ARENA_ARRAY(arena, RangeColumn, targets->length + 1);

    for (size_t i = 0; i < targets->length; i++) {
        const TargetEntry *target = &targets->items[i];
        if (target->is_junk)
            continue;
        columns[count] = (RangeColumn){.name = target->name,
                                       .type = target->expr->type,
                                       .typmod = target->expr->typmod,
                                       .collation = target->expr->collation};
        if (count < cte->alias_column_count)
            columns[count].name = cte->alias_columns[count];
        count++;
    }
    if (cte->alias_column_count > count)
        FAIL(ERR_INVALID_COLUMN_REFERENCE,
             .message = fmt("WITH query \"%.*s\" has %d columns available but %d columns specified",
                            STR_ARGS(cte->name), count, cte->alias_column_count),
             .position = position);
    cte->column_count = count;
    cte->columns = cte->query->command == QUERY_SELECT || count > 0 ? columns : NULL;
    return true;
}

static bool analyze_cte(Scope *scope, const CommonTableExpr *node, CommonTable *cte)
{
    const bool recursive = scope->query->with_recursive && node_mentions(node->query, node->name);
    if (node->search_clause)
        FAIL_UNSUPPORTED("WITH ... SEARCH");
    if (node->cycle_clause)
        FAIL_UNSUPPORTED("WITH ... CYCLE");
    cte->is_recursive = recursive;
    if (recursive)
        TRY(check_recursive_shape(node));
    if (!NODE_IS(node->query, SelectStmt)) {
        if (scope->parent)
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR(
                     "WITH clause containing a data-modifying statement must be at the top level"),
                 .position = node->node.position);
        scope->query->has_modifying_cte = true;
    }
    /* A reference inside the item itself counts too: the next one is counted from zero. */
    TRY(cte->query = analyze_subquery(scope, node->query, NULL, recursive ? cte : NULL, true));
    cte->columns = recursive ? cte->columns : NULL;
    cte->reference_count = 0;
    return cte_columns(scope, cte, node->node.position);
}

bool analyze_with(Scope *scope, const WithClause *with)
{
    Arena *arena = scope_arena(scope);
    Query *query = scope->query;

    query->with_recursive = with->recursive;
    scope->with = with;
    for (size_t i = 0; i < with->ctes.length; i++)
        for (size_t k = 0; k < i; k++)
            if (str_equal(with->ctes.items[i]->name, with->ctes.items[k]->name))
                FAIL(ERR_DUPLICATE_ALIAS,
                     .message = fmt("WITH query name \"%.*s\" specified more than once",
                                    STR_ARGS(with->ctes.items[i]->name)),
                     .position = with->ctes.items[i]->node.position);
    for (size_t i = 0; i < with->ctes.length; i++) {
        const CommonTableExpr *node = with->ctes.items[i];
        CommonTable *cte = ARENA_NEW(arena, CommonTable);
        cte->name = node->name;
        cte->alias_columns = node->aliascolnames.items;
        cte->alias_column_count = (int)node->aliascolnames.length;
        cte->materialize = node->materialized;
        cte->position = node->node.position;
        scope->with_done = i;
        if (with->recursive) {
            VEC_PUSH(arena, &scope->ctes, cte);
            TRY(analyze_cte(scope, node, cte));
        } else {
            TRY(analyze_cte(scope, node, cte));
            VEC_PUSH(arena, &scope->ctes, cte);
        }
        VEC_PUSH(arena, &query->ctes, cte);
    }
    scope->with = NULL;
    return true;
}
