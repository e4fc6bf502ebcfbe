/*
 * Plan nodes that order and group the rows of a child: aggregates, windows, sorts, limits,
 * DISTINCT.
 */
#ifndef PLANNER_GROUP_PLAN_H
#define PLANNER_GROUP_PLAN_H

#include "planner/plan_node.h"

typedef enum AggregateStrategy {
    AGGREGATE_PLAIN = 1, /* no GROUP BY: exactly one row */
    AGGREGATE_SORTED,    /* the child is sorted on the group keys */
    AGGREGATE_HASHED,
} AggregateStrategy;

/* One aggregate: all over the child's row, but direct arguments over the group columns. */
typedef struct AggregateCall {
    Oid function;
    Oid result_type;
    int32_t result_typmod;
    Oid input_collation, collation;
    ExprVec args;
    ExprVec direct_args;
    SortKeyVec order_by; /* rows are sorted before being fed, where not empty */
    bool is_distinct;    /* equal (by order_by's keys) rows are fed once */
    Expr *filter;
    bool is_star, is_variadic, is_ordered_set;
    Expr *source; /* an ExprAggregate of these: EXPLAIN */
} AggregateCall;

/* One of GROUP BY's grouping sets: the group columns in it; the others are null. */
typedef struct GroupingSetPlan {
    bool *includes;
    bool is_empty; /* none: its one group is there even without a row */
} GroupingSetPlan;

typedef struct AggregatePlan {
    Plan base;
    AggregateStrategy strategy;
    ExprVec group_by; /* over the child */
    VEC(AggregateCall) calls;
    VEC(GroupingSetPlan) sets; /* empty: all of group_by at once */
    VEC(int32_t *) groupings;  /* GROUPING(…), one column each: the value for each set */
    double group_count;        /* estimate */
} AggregatePlan;

typedef struct SortPlan {
    Plan base;
    SortKeyVec keys; /* over the child's row */
    int presorted;   /* leading keys in order already */
} SortPlan;

/* Sort and limit at once: keeps count + offset rows. */
typedef struct TopNPlan {
    Plan base;
    SortKeyVec keys;
    Expr *count, *offset; /* int8, no slots; count is not NULL */
    bool with_ties;
    bool is_below_limit; /* a Limit is above: no row is left out here, but those behind the count */
} TopNPlan;

typedef struct LimitPlan {
    Plan base;
    Expr *count, *offset; /* int8, no slots; NULL: none */
    bool with_ties;
    SortKeyVec tie_keys; /* WITH TIES: what the child is sorted on */
} LimitPlan;

/* Drops rows equal (nulls too) to the one before in these columns of the sorted child. */
typedef struct UniquePlan {
    Plan base;
    VEC(int) key_columns; /* 0-based */
} UniquePlan;

typedef struct WindowCall {
    Oid function;
    Oid result_type;
    int32_t result_typmod;
    Oid input_collation, collation;
    ExprVec args;
    Expr *filter;
    bool is_aggregate, is_star;
    Expr *source; /* an ExprWindowFunction of these: EXPLAIN, costs */
} WindowCall;

/* The child is sorted by partition_by, then order_by. */
typedef struct WindowPlan {
    Plan base;
    ExprVec partition_by;
    SortKeyVec order_by;
    int frame_options; /* FRAMEOPTION_ … */
    Expr *start_offset, *end_offset;
    Oid start_in_range, end_in_range; /* RANGE with offsets: in_range of key and offset */
    VEC(WindowCall) calls;
} WindowPlan;

#endif
