#include "planner/query.h"

TargetEntry *query_target_by_ref(const Query *query, int ref)
{
    for (size_t i = 0; i < query->targets.length; i++)
        if (query->targets.items[i].sort_group_ref == ref)
            return &query->targets.items[i];
    assert(!"a clause refers to a target that is not there");
    return NULL;
}

static bool visit_targets(TargetVec *targets, QueryExprVisitor *visitor, void *context)
{
    for (size_t i = 0; i < targets->length; i++)
        if (!visitor(context, &targets->items[i].expr))
            return false;
    return true;
}

static bool visit_from(FromItem *item, QueryExprVisitor *visitor, void *context)
{
    if (item->kind != FROM_JOIN)
        return true;
    return visit_from(item->left, visitor, context) && visit_from(item->right, visitor, context) &&
           (!item->condition || visitor(context, &item->condition));
}

static bool visit_vec(ExprVec *vec, QueryExprVisitor *visitor, void *context)
{
    for (size_t i = 0; i < vec->length; i++)
        if (!visitor(context, &vec->items[i]))
            return false;
    return true;
}

static bool visit_rte(RangeTableEntry *rte, QueryExprVisitor *visitor, void *context)
{
    if (!visit_vec(&rte->alias_exprs, visitor, context))
        return false;
    for (size_t i = 0; i < rte->functions.length; i++)
        if (!visitor(context, &rte->functions.items[i].call))
            return false;
    for (size_t i = 0; i < rte->values.length; i++)
        if (!visit_vec(&rte->values.items[i], visitor, context))
            return false;
    return true;
}

static bool visit_optional(Expr **expr, QueryExprVisitor *visitor, void *context)
{
    return !*expr || visitor(context, expr);
}

bool query_visit_exprs(Query *query, QueryExprVisitor *visitor, void *context)
{
    for (size_t i = 0; i < query->range_table.length; i++)
        if (!visit_rte(query->range_table.items[i], visitor, context))
            return false;
    for (size_t i = 0; i < query->from.length; i++)
        if (!visit_from(query->from.items[i], visitor, context))
            return false;
    for (size_t i = 0; i < query->windows.length; i++)
        if (!visit_optional(&query->windows.items[i]->start_offset, visitor, context) ||
            !visit_optional(&query->windows.items[i]->end_offset, visitor, context))
            return false;
    if (query->conflict) {
        ConflictClause *conflict = query->conflict;
        if (!visit_targets(&conflict->set, visitor, context) ||
            !visit_vec(&conflict->arbiter_exprs, visitor, context) ||
            !visit_optional(&conflict->arbiter_where, visitor, context) ||
            !visit_optional(&conflict->where, visitor, context))
            return false;
    }
    for (size_t i = 0; i < query->view_checks.length; i++)
        if (!visitor(context, &query->view_checks.items[i].condition))
            return false;
    return visit_targets(&query->targets, visitor, context) &&
           visit_optional(&query->where, visitor, context) &&
           visit_optional(&query->having, visitor, context) &&
           visit_optional(&query->limit_count, visitor, context) &&
           visit_optional(&query->limit_offset, visitor, context) &&
           visit_targets(&query->returning, visitor, context);
}

const char *lock_strength_name(LockStrength strength)
{
    static const char *const names[] = {
        [LOCK_FOR_KEY_SHARE] = "FOR KEY SHARE",
        [LOCK_FOR_SHARE] = "FOR SHARE",
        [LOCK_FOR_NO_KEY_UPDATE] = "FOR NO KEY UPDATE",
        [LOCK_FOR_UPDATE] = "FOR UPDATE",
    };
    return names[strength];
}
