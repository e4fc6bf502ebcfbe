/*
 * What every node of a plan begins with. plan.h is the manual.
 */
#ifndef PLANNER_PLAN_NODE_H
#define PLANNER_PLAN_NODE_H

#include "planner/query.h"

typedef enum PlanKind {
    PLAN_RESULT = 1,
    PLAN_SEQ_SCAN,
    PLAN_INDEX_SCAN,
    PLAN_INDEX_ONLY_SCAN,
    PLAN_ROW_ID_SCAN, /* WHERE ctid = …, WHERE CURRENT OF */
    PLAN_VALUES_SCAN,
    PLAN_FUNCTION_SCAN,
    PLAN_SUBQUERY_SCAN,
    PLAN_CTE_SCAN,
    PLAN_WORK_TABLE_SCAN,
    PLAN_RECURSIVE_UNION,
    PLAN_PROJECT_SET,
    PLAN_NEST_LOOP,
    PLAN_HASH_JOIN,
    PLAN_AGGREGATE,
    PLAN_SORT,
    PLAN_TOP_N,
    PLAN_LIMIT,
    PLAN_UNIQUE,
    PLAN_APPEND,
    PLAN_SET_OP,
    PLAN_MATERIAL,
    PLAN_WINDOW,
    PLAN_LOCK_ROWS,
    PLAN_MODIFY,
} PlanKind;

typedef struct PlanColumn {
    Str name;
    Oid type;
    int32_t typmod;
    Oid collation;
    int width; /* average bytes */
} PlanColumn;

struct Plan {
    PlanKind kind;
    int id;     /* 0-based, unique within the PlannedStatement */
    int source; /* of what reads or changes a range table entry: as ScanPlan.rel */
    Plan *left, *right;
    PlanColumn *columns;
    int column_count;
    bool passes_through;
    ExprVec targets;
    ExprVec filter;      /* ANDed; empty: none */
    VEC(int) init_plans; /* subplan indexes of the query it is the top of */
    VEC(int) depends_on; /* PARAM_EXEC numbers whose change means rescan */
    double startup_cost, total_cost;
    double rows;
    int width;
};

#endif
