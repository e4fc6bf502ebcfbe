/*
 * One query level, in parts: what plan_query.c and plan_group.c share.
 */
#ifndef PLANNER_PLAN_QUERY_H
#define PLANNER_PLAN_QUERY_H

#include "planner/plan_path.h"

MUST_CHECK bool plan_sort_keys(Level *level, const SortVec *clauses, const ExprVec *out,
                               SortKeyVec *ret);
Plan *plan_add_sort(Level *level, Plan *child, const SortKeyVec *keys);
/* An order that brings equal rows of `list` together and is the query's own as far as that goes. */
void plan_merged_order(Level *level, const SortVec *list, SortVec *ret);
/* All expressions of a kind in targets and HAVING, once each; and in one expression. */
bool plan_gather(Level *level, ExprKind kind, ExprVec *ret);
void plan_gather_in(Level *level, Expr *expr, ExprKind kind, ExprVec *ret);
/* `paths`: FROM's, not built yet. */
MUST_CHECK bool plan_grouping(Level *level, const FromPaths *paths, Tree *ret, bool *ret_sorted);

Cost plan_cost(const Plan *plan);
void plan_set_cost(Plan *plan, Cost cost);

#endif
