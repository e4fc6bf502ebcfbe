#include "planner/analyze_internal.h"

/*
 * Whether a WITH item refers to itself is a matter of its text: its own name used as a table,
 * where no inner WITH hides it. The parser's trees have no generic walk, so FROM clauses and the
 * subqueries in expressions are searched for the name in the statement's own parts.
 */
typedef enum MentionPlace {
    MENTION_ALLOWED = 0,
    MENTION_IN_NON_RECURSIVE,
    MENTION_IN_SUBLINK,
    MENTION_IN_OUTER_JOIN,
    MENTION_IN_INTERSECT,
    MENTION_IN_EXCEPT,
} MentionPlace;

typedef struct Mentions {
    Str name;
    MentionPlace place;
    bool checks; /* where and how often: else the first one ends the search */
    int count;
    bool failed;
} Mentions;

static bool select_mentions(const SelectStmt *select, Mentions *m);
static bool node_mentions(const Node *node, Mentions *m);

/* True ends the search. */
static bool mention_found(Mentions *m, const Node *node)
{
    static const char *const places[] = {
        [MENTION_IN_NON_RECURSIVE] = "its non-recursive term",
        [MENTION_IN_SUBLINK] = "a subquery",
        [MENTION_IN_OUTER_JOIN] = "an outer join",
        [MENTION_IN_INTERSECT] = "INTERSECT",
        [MENTION_IN_EXCEPT] = "EXCEPT",
    };
    m->count++;
    if (!m->checks)
        return true;
    m->failed = m->place != MENTION_ALLOWED || m->count > 1;
    if (m->place != MENTION_ALLOWED)
        ERROR_SET(ERR_INVALID_RECURSION,
                  .message = fmt("recursive reference to query \"%.*s\" must not appear within %s",
                                 STR_ARGS(m->name), places[m->place]),
                  .position = node->position);
    else if (m->count > 1)
        ERROR_SET(ERR_INVALID_RECURSION,
                  .message = fmt("recursive reference to query \"%.*s\" must not appear more "
                                 "than once",
                                 STR_ARGS(m->name)),
                  .position = node->position);
    return m->failed;
}

/* A mention in a place of its own. */
static bool mentions_in(Mentions *m, const Node *node, MentionPlace place)
{
    const MentionPlace saved = m->place;
    m->place = place;
    const bool found = node_mentions(node, m);
    m->place = saved;
    return found;
}

/* Which rows pass INTERSECT ALL and EXCEPT hangs on how often they come. */
static bool set_mentions(Mentions *m, const SelectStmt *select)
{
    MentionPlace left = m->place, right = m->place;
    if (select->op == SETOP_INTERSECT && select->all)
        left = right = MENTION_IN_INTERSECT;
    if (select->op == SETOP_EXCEPT)
        right = MENTION_IN_EXCEPT;
    if (select->op == SETOP_EXCEPT && select->all)
        left = MENTION_IN_EXCEPT;
    return mentions_in(m, &select->larg->node, left) || mentions_in(m, &select->rarg->node, right);
}

static bool list_mentions(const NodeVec *list, Mentions *m)
{
    for (size_t i = 0; i < list->length; i++)
        if (node_mentions(list->items[i], m))
            return true;
    return false;
}

static bool targets_mention(const ResTargetVec *list, Mentions *m)
{
    for (size_t i = 0; i < list->length; i++)
        if (node_mentions(list->items[i]->val, m))
            return true;
    return false;
}

static bool expr_mentions(const Node *node, Mentions *m)
{
    switch (node->tag) {
    case NODE_SUB_LINK: {
        const SubLink *link = NODE_CAST(SubLink, node);
        return node_mentions(link->test_expr, m) ||
               mentions_in(m, link->subselect, MENTION_IN_SUBLINK);
    }
    case NODE_A_EXPR: {
        const A_Expr *expr = NODE_CAST(A_Expr, node);
        return node_mentions(expr->lexpr, m) || node_mentions(expr->rexpr, m);
    }
    case NODE_BOOL_EXPR:
        return list_mentions(&NODE_CAST(BoolExpr, node)->args, m);
    case NODE_FUNC_CALL:
        return list_mentions(&NODE_CAST(FuncCall, node)->args, m) ||
               node_mentions(NODE_CAST(FuncCall, node)->agg_filter, m);
    case NODE_NAMED_ARG_EXPR:
        return node_mentions(NODE_CAST(NamedArgExpr, node)->arg, m);
    case NODE_TYPE_CAST:
        return node_mentions(NODE_CAST(TypeCast, node)->arg, m);
    case NODE_COLLATE_CLAUSE:
        return node_mentions(NODE_CAST(CollateClause, node)->arg, m);
    case NODE_NULL_TEST:
        return node_mentions(NODE_CAST(NullTest, node)->arg, m);
    case NODE_BOOLEAN_TEST:
        return node_mentions(NODE_CAST(BooleanTest, node)->arg, m);
    case NODE_CASE_EXPR: {
        const CaseExpr *expr = NODE_CAST(CaseExpr, node);
        for (size_t i = 0; i < expr->whens.length; i++)
            if (node_mentions(expr->whens.items[i]->expr, m) ||
                node_mentions(expr->whens.items[i]->result, m))
                return true;
        return node_mentions(expr->arg, m) || node_mentions(expr->default_result, m);
    }
    case NODE_COALESCE_EXPR:
        return list_mentions(&NODE_CAST(CoalesceExpr, node)->args, m);
    case NODE_MIN_MAX_EXPR:
        return list_mentions(&NODE_CAST(MinMaxExpr, node)->args, m);
    case NODE_A_ARRAY_EXPR:
        return list_mentions(&NODE_CAST(A_ArrayExpr, node)->elements, m);
    case NODE_ROW_EXPR:
        return list_mentions(&NODE_CAST(RowExpr, node)->args, m);
    case NODE_EXPR_LIST:
        return list_mentions(&NODE_CAST(ExprList, node)->items, m);
    case NODE_A_INDIRECTION:
        return node_mentions(NODE_CAST(A_Indirection, node)->arg, m);
    default:
        return false;
    }
}

static bool node_mentions(const Node *node, Mentions *m)
{
    if (!node || task_stack_left() < 24 * 1024)
        return false; /* too deep: analysis itself reports it */
    switch (node->tag) {
    case NODE_RANGE_VAR:
        return str_is_none(NODE_CAST(RangeVar, node)->schema) &&
               str_equal(NODE_CAST(RangeVar, node)->relation, m->name) && mention_found(m, node);
    case NODE_RANGE_SUBSELECT:
        return select_mentions(NODE_CAST(RangeSubselect, node)->subquery, m);
    case NODE_JOIN_EXPR: {
        const JoinExpr *join = NODE_CAST(JoinExpr, node);
        const bool left = join->type == JOIN_RIGHT || join->type == JOIN_FULL;
        const bool right = join->type == JOIN_LEFT || join->type == JOIN_FULL;
        return mentions_in(m, join->larg, left ? MENTION_IN_OUTER_JOIN : m->place) ||
               mentions_in(m, join->rarg, right ? MENTION_IN_OUTER_JOIN : m->place) ||
               node_mentions(join->quals, m);
    }
    case NODE_RANGE_FUNCTION: {
        const RangeFunction *from = NODE_CAST(RangeFunction, node);
        for (size_t i = 0; i < from->functions.length; i++)
            if (node_mentions(from->functions.items[i]->func, m))
                return true;
        return false;
    }
    case NODE_SELECT_STMT:
        return select_mentions(NODE_CAST(SelectStmt, node), m);
    case NODE_INSERT_STMT:
        return select_mentions(NODE_CAST(InsertStmt, node)->select, m);
    case NODE_UPDATE_STMT: {
        const UpdateStmt *update = NODE_CAST(UpdateStmt, node);
        return list_mentions(&update->from_clause, m) || targets_mention(&update->target_list, m) ||
               node_mentions(update->where_clause, m);
    }
    case NODE_DELETE_STMT: {
        const DeleteStmt *delete_ = NODE_CAST(DeleteStmt, node);
        return list_mentions(&delete_->using_clause, m) || node_mentions(delete_->where_clause, m);
    }
    default:
        return expr_mentions(node, m);
    }
}

static bool select_mentions(const SelectStmt *select, Mentions *m)
{
    if (!select)
        return false;
    if (select->with_clause)
        for (size_t i = 0; i < select->with_clause->ctes.length; i++) {
            if (str_equal(select->with_clause->ctes.items[i]->name, m->name))
                return false;
            if (node_mentions(select->with_clause->ctes.items[i]->query, m))
                return true;
        }
    if (select->op != SETOP_NONE)
        return set_mentions(m, select);
    for (size_t i = 0; i < select->values_lists.length; i++)
        if (list_mentions(&select->values_lists.items[i], m))
            return true;
    return list_mentions(&select->from_clause, m) || targets_mention(&select->target_list, m) ||
           node_mentions(select->where_clause, m) || node_mentions(select->having_clause, m);
}

/* ---- for WITH ---- */

bool with_item_mentions(const Node *query, Str name)
{
    Mentions m = {.name = name};
    return node_mentions(query, &m);
}

static bool references_ok(const SelectStmt *select, Str name)
{
    Mentions m = {.name = name, .checks = true, .place = MENTION_IN_NON_RECURSIVE};
    (void)select_mentions(select->larg, &m);
    m.place = MENTION_ALLOWED;
    if (!m.failed)
        (void)select_mentions(select->rarg, &m);
    return !m.failed;
}

bool with_check_recursion(const CommonTableExpr *node)
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
    TRY(references_ok(select, node->name));
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
