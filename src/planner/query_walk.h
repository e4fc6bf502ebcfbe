/*
 * Walking expressions with the subqueries in them: the visitor is told how many query levels deep
 * it is, so that a column with levels_up == depth belongs to the level where the walk began.
 */
#ifndef PLANNER_QUERY_WALK_H
#define PLANNER_QUERY_WALK_H

#include "planner/query.h"

typedef enum WalkStep { WALK_STOP = 0, WALK_CHILDREN, WALK_SKIP } WalkStep;
typedef WalkStep DeepVisitor(void *context, Expr *expr, int depth);

/* False when the visitor stopped. */
bool expr_walk_deep(Expr *expr, int depth, DeepVisitor *visitor, void *context);
bool query_walk_deep(Query *query, int depth, DeepVisitor *visitor, void *context);

/*
 * Replacing likewise, in a deep copy of the subqueries: the function gets an expression whose
 * children are still the old ones, and returns a replacement or NULL for "go into the children".
 * Returns NULL only when the stack runs out (the error is set).
 */
typedef Expr *DeepReplacer(void *context, Expr *expr, int depth);
MUST_CHECK Expr *expr_replace_deep(Arena *arena, Expr *expr, int depth, DeepReplacer *replacer,
                                   void *context);
/* A copy of a query in which nothing is shared that the planner changes. */
MUST_CHECK Query *query_copy_replaced(Arena *arena, const Query *query, int depth,
                                      DeepReplacer *replacer, void *context);

#endif
