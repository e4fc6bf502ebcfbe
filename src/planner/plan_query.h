/*
 * One query level, in parts: what plan_query.c and plan_group.c share.
 */
#ifndef PLANNER_PLAN_QUERY_H
#define PLANNER_PLAN_QUERY_H

#include "planner/plan_path.h"

MUST_CHECK bool plan_sort_keys(Level *level, const SortVec *clauses, const ExprVec *out,
                               SortKeyVec *ret);
/* So many leading keys of the order wanted rows are in; `groups`: of rows that are equal in them.
 */
typedef struct Presorted {
    int keys;
    double groups;
} Presorted;
Presorted plan_presorted(Level *level, const Tree *tree, const SortVec *wanted);
/* The rows of `child` sorted by the keys, as far as they are not; `limit` as cost_sort's. */
Plan *plan_add_sort(Level *level, Plan *child, const SortKeyVec *keys, Presorted done,
                    double limit);
/* An order that brings equal rows of `list` together and is the query's own as far as that goes. */
void plan_merged_order(Level *level, const SortVec *list, SortVec *ret);
/* All expressions of a kind in targets and HAVING, once each; and in one expression. */
bool plan_gather(Level *level, ExprKind kind, ExprVec *ret);
void plan_gather_in(Level *level, Expr *expr, ExprKind kind, ExprVec *ret);
/* `paths`: FROM's, not built yet. */
MUST_CHECK bool plan_grouping(Level *level, const FromPaths *paths, Tree *ret);

/* plan_window.c */
/* The order in which the first window to be computed wants its rows. */
void plan_window_order(Level *level, SortVec *ret);
/* Whether rows are in the query's order when the windows have been computed. */
bool plan_windows_end_sorted(Level *level);
MUST_CHECK bool plan_windows(Level *level, Tree *tree);

Cost plan_cost(const Plan *plan);
void plan_set_cost(Plan *plan, Cost cost);

#endif
