/*
 * The planner: Query → PlannedStatement, by cost.
 *
 *   TRY(planned = planner_plan(arena, session, query, &(PlanOptions){0}));
 *
 * The plan lives in `arena` and refers to the query, which must live as long. The same query,
 * schema and statistics give the same plan. Planning takes no locks and reads no user rows, only
 * statistics; the caller has locked the relations it will use.
 */
#ifndef PLANNER_PLANNER_H
#define PLANNER_PLANNER_H

#include "catalog/relation.h"
#include "planner/plan.h"

typedef struct PlanOptions {
    bool is_cursor; /* rows carry where they come from, for WHERE CURRENT OF */
} PlanOptions;

MUST_CHECK PlannedStatement *planner_plan(Arena *arena, CatalogSession *session, Query *query,
                                          const PlanOptions *options);

/* Can the plan give its rows in both directions? Such cursors scroll without being told to. */
bool planner_scans_backward(const Plan *plan);

/* Plans one expression without columns, or over a row of `relation` as ExprSlot child 0 column
 * attnum - 1 (rel 1 of the analyzed expression): stored expressions, EXECUTE's arguments. Folds
 * constants. */
MUST_CHECK Expr *planner_plan_expression(Arena *arena, CatalogSession *session,
                                         const RelationDesc *relation, Expr *expr);

/* The conditions of stored texts, analyzed and planned over a row of `relation` (slots attnum - 1):
 * for commands that check or index existing rows. */
MUST_CHECK Expr *planner_stored_expression(Arena *arena, CatalogSession *session,
                                           const RelationDesc *relation, Str text, Oid type,
                                           int32_t typmod);
/* Indexes of a relation as writers maintain them. */
MUST_CHECK bool planner_index_maintain(Arena *arena, CatalogSession *session,
                                       const RelationDesc *relation, const Oid *only_index,
                                       IndexMaintain **ret_items, int *ret_count);
/*
 * How writers other than statements change rows: constraints, indexes and foreign keys of the
 * relation. The child's rows (INSERT) are whole rows by attnum - 1; of UPDATE and DELETE they have
 * the row id first, then the new values of `attnums` in that order.
 */
MUST_CHECK ModifyPlan *planner_modify(Arena *arena, CatalogSession *session,
                                      const RelationDesc *relation, QueryCommand command,
                                      const int *attnums, int count);
MUST_CHECK bool planner_foreign_key(Arena *arena, CatalogSession *session,
                                    const ConstraintDesc *constraint, ForeignKeyPlan *ret);
/* A column's default as INSERT uses it (identity, DEFAULT, null). No slots. */
MUST_CHECK Expr *planner_column_default(Arena *arena, CatalogSession *session,
                                        const RelationDesc *relation, int attnum);

#endif
