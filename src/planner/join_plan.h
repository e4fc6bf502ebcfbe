/*
 * Plan nodes that put rows of children together: joins, set operations, and Material, which keeps
 * what a join reads again.
 */
#ifndef PLANNER_JOIN_PLAN_H
#define PLANNER_JOIN_PLAN_H

#include "planner/plan_node.h"

typedef struct NestLoopParam {
    int number;  /* PARAM_EXEC */
    Expr *value; /* over child 0 */
} NestLoopParam;

/* Common to joins. INNER LEFT SEMI ANTI; hash joins also RIGHT and FULL. Null-extended columns of
 * child 1 (LEFT, FULL) or child 0 (RIGHT, FULL). base.filter applies after null extension. */
typedef struct JoinPlan {
    Plan base;
    JoinKind join_type;
    ExprVec condition; /* ANDed; decides a match (besides hash keys) */
    bool inner_unique; /* at most one match per left row: stop at the first */
} JoinPlan;

typedef struct NestLoopPlan {
    JoinPlan join;
    VEC(NestLoopParam) params;
} NestLoopPlan;

/* left.items[i] (over child 0) = right.items[i] (over child 1), same types, by default equality
 * under the collation. The hash table is built on child 1. Nulls never match. */
typedef struct HashJoinPlan {
    JoinPlan join;
    ExprVec left_keys, right_keys; /* as ExprSlots, child 0 and child 1 */
    ExprVec conditions;            /* the same as boolean expressions: EXPLAIN */
    bool null_aware;               /* ANTI for NOT IN: a null on the right empties the result */
} HashJoinPlan;

typedef struct AppendPlan {
    Plan base;
    VEC(Plan *) children; /* left and right are NULL */
    bool is_of_bitmap;    /* gives a RowIdScan what IndexScans find */
} AppendPlan;

/* left op right, all columns compared, nulls equal. Hashed; not for UNION (Append + distinct). */
typedef struct SetOpPlan {
    Plan base;
    SetOpKind op; /* INTERSECT or EXCEPT */
    bool is_all;
} SetOpPlan;

typedef struct MaterialPlan {
    Plan base;
} MaterialPlan;

#endif
