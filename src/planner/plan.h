/*
 * Plans: what the executor runs.
 *
 * A plan is immutable and may be shared by executions at the same time: state belongs to the
 * executor, indexed by Plan.id. All pointers live in the arena given to the planner.
 *
 * The nodes are in scan_plan.h, join_plan.h, group_plan.h and modify_plan.h; what all of them begin
 * with, in plan_node.h; here is the planned statement.
 *
 * Slots. Every expression of a node refers to its inputs by ExprSlot {child, column}:
 *   - joins: child 0 is the left (outer) plan's output row, child 1 the right (inner) one's;
 *   - other nodes with a child: child 0 is that child's output row;
 *   - scans: child 0 is the scanned row, whose column i is scan->columns[i] (relations: attribute
 *     numbers) or simply the source's i-th column (functions, subqueries, CTEs, VALUES);
 *   - Aggregate: group keys and arguments are over the child's row; `filter` (HAVING) and `targets`
 *     are over the grouped row: first the group columns, then the aggregates, in their order;
 *   - WindowAgg: calls' arguments are over the child's row; targets are over the child's columns
 *     followed by the window functions' results;
 *   - ModifyTable: described at its struct.
 * `targets` computes the node's output row; where `passes_through` the output row is the child's
 * (Sort, Limit, Material, Unique, Append, LockRows, SetOp …) and targets is empty.
 * `columns` always describes the output row.
 *
 * Order of work in a node: input row → (join condition) → `filter` (all true) → targets.
 *
 * Params. PARAM_EXEC numbers index PlannedStatement.params. A param is set by a NestLoop for its
 * inner side, by a ExprSubPlan for its subplan, or is the output of an init plan: then its
 * ParamInfo names the subplan, which runs once, when the param is first read (EXISTS gives a
 * boolean; SCALAR the value or null; ARRAY the array). When a param that a plan depends on changes,
 * that plan is rescanned from the start; init plans with changed inputs run again.
 */
#ifndef PLANNER_PLAN_H
#define PLANNER_PLAN_H

#include "planner/group_plan.h"
#include "planner/join_plan.h"
#include "planner/modify_plan.h"
#include "planner/plan_node.h"
#include "planner/scan_plan.h"

typedef struct ParamInfo {
    Oid type;
    int32_t typmod;
    Oid collation;
    int init_plan; /* subplan index that produces it; -1: set by a node */
    int column;    /* of the init plan's row */
} ParamInfo;

typedef enum SubplanUse {
    SUBPLAN_EXPRESSION = 1, /* of a ExprSubPlan */
    SUBPLAN_INIT,           /* sets params, once */
    SUBPLAN_CTE,            /* read by CteScans */
    SUBPLAN_MODIFY_CTE,     /* data-modifying: runs to its end even if unread */
} SubplanUse;

typedef struct SubplanInfo {
    Plan *plan;
    SubplanUse use;
    SubLinkKind sublink; /* INIT */
    Str name;            /* "InitPlan 1 (returns $0)", "CTE x", "SubPlan 2": EXPLAIN */
    VEC(int) returned;   /* INIT, SUBLINK_MULTI: the params of columns, as they are told */
    bool is_correlated;
    Oid array_type; /* SUBLINK_ARRAY */
} SubplanInfo;

typedef enum PointKind {
    POINT_NONE = 0,
    POINT_SELECT,
    POINT_UPDATE,
    POINT_DELETE,
    POINT_INSERT
} PointKind;

/* What a table's use in a plan needs before it runs: lock mode by access, privileges. */
typedef struct PlanRelation {
    Oid relation;
    uint32_t access; /* ACCESS_… to check */
    Oid check_as;
    uint64_t *selected_columns, *modified_columns;
    int bitmap_words;
    bool selects_whole_row;
    bool is_target, is_locked; /* ROW EXCLUSIVE / ROW SHARE instead of ACCESS SHARE */
} PlanRelation;

typedef struct PlannedStatement {
    QueryCommand command;
    Plan *plan;     /* NULL for QUERY_UTILITY */
    Query *query;   /* what it was made from; QUERY_UTILITY's statement and inner query */
    int node_count; /* Plan.ids are below it */
    int work_table_count;
    VEC(ParamInfo) params;
    VEC(SubplanInfo) subplans;
    VEC(PlanRelation) relations;
    /* The client's columns, junk already removed. */
    VEC(TargetEntry) result;
    bool has_returning;
    bool is_read_only;
    LockStrength lock_strength; /* of the first rows it locks; LOCK_NO_ROWS: none */
    bool has_modifying_cte;
    bool is_stable; /* the same for every session and time: may be cached */
    /* A cursor whose rows are rows of one table: that table, and where their row ids are. */
    Oid cursor_table;
    int cursor_row_id_column;
    /* The whole statement is one look-up by unique index (SELECT, UPDATE, DELETE), or an INSERT of
     * one VALUES row: the executor may run it without pulling batches. */
    PointKind point;
    IndexScanPlan *point_scan;
} PlannedStatement;

#endif
