/*
 * Plans: what the executor runs.
 *
 * A plan is immutable and may be shared by executions at the same time: state belongs to the
 * executor, indexed by Plan.id. All pointers live in the arena given to the planner.
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

/* A constant row (one, if one_time_filter is true), or projection of its child if it has one. */
typedef struct ResultPlan {
    Plan base;
    ExprVec one_time_filter; /* no slots: decided once before any row */
    bool is_empty;           /* WHERE false: no row at all */
} ResultPlan;

/* What the scans of a table have in common. */
typedef struct ScanPlan {
    Plan base;
    Oid relation;
    int rel;   /* which range table entry of which query: distinct in a statement */
    Str alias; /* EXPLAIN */
    Str relation_name, schema_name;
    int *scan_columns; /* attnums fetched, in slot order; system columns and ATTNUM_ROW_ID too */
    int scan_column_count;
} ScanPlan;

typedef enum IndexOp {
    INDEX_EQ = 1,
    INDEX_LT,
    INDEX_LE,
    INDEX_GE,
    INDEX_GT,
    INDEX_IN, /* = ANY(array): value is the array */
    INDEX_IS_NULL,
    INDEX_IS_NOT_NULL,
} IndexOp;

/*
 * A bound on one index column. `value` has no slots (consts, params, stable functions); null makes
 * the scan empty. Its type is the column's, or another of the same btree family, when `value_wider`
 * (integers only): then values outside the column's range compare as infinite.
 */
typedef struct IndexKey {
    int column; /* 0-based index column */
    IndexOp op;
    Expr *value; /* NULL for IS [NOT] NULL */
    bool value_wider;
    Expr *source; /* the condition as written, over scan slots: EXPLAIN and recheck */
} IndexKey;

/*
 * Keys are in index column order: a run of equalities (EQ, IN, IS_NULL) over leading columns, then
 * range bounds on the next. Conditions on later columns are in base.filter. Index-only: the
 * columns scanned are key columns; those that targets or filter use have types whose key gives the
 * value back.
 */
typedef struct IndexScanPlan {
    ScanPlan scan;
    Oid index;
    Str index_name;
    VEC(IndexKey) keys;
    bool is_backward;
    bool is_gathered;      /* rows are fetched in the table's order: not in the index's */
    bool is_unique_lookup; /* equality on every column of a unique index: at most one row */
} IndexScanPlan;

typedef struct RowIdScanPlan {
    ScanPlan scan;
    ExprVec ctids; /* tid values, or one tid[] where is_array */
    bool is_array;
    Str cursor_name; /* CURRENT OF */
    Expr *source;
} RowIdScanPlan;

typedef struct ValuesScanPlan {
    Plan base;
    Str alias;
    VEC(ExprVec) rows; /* no slots */
} ValuesScanPlan;

typedef struct FunctionScanPlan {
    Plan base;
    Str alias;
    VEC(RangeCall) functions; /* calls have no slots; outer columns are PARAM_EXEC */
    bool with_ordinality;
} FunctionScanPlan;

/* Projection and filter over a child whose columns keep their own names. */
typedef struct SubqueryScanPlan {
    Plan base; /* left: the subquery's plan */
    Str alias;
} SubqueryScanPlan;

/* Reads subplan `subplan` (run once per execution, shared by all its scans, kept in a store). */
typedef struct CteScanPlan {
    Plan base;
    Str alias, cte_name;
    int subplan;
} CteScanPlan;

/* Reads the current work table of the RecursiveUnion with the same number. */
typedef struct WorkTableScanPlan {
    Plan base;
    Str alias, cte_name;
    int work_table, param;
} WorkTableScanPlan;

/* left once, then right over what the last round gave; each sets PARAM_EXEC `param`. */
typedef struct RecursiveUnionPlan {
    Plan base;
    int work_table, param;
    bool is_distinct; /* UNION: rows seen before are dropped */
} RecursiveUnionPlan;

/* Targets contain set-returning functions at any place: rows until all of them are done. */
typedef struct ProjectSetPlan {
    Plan base;
} ProjectSetPlan;

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
    ExprVec left_keys, right_keys; /* as SlotExprs child 0 and child 1 */
    ExprVec conditions;            /* the same as boolean expressions: EXPLAIN */
    bool null_aware;               /* ANTI for NOT IN: a null on the right empties the result */
} HashJoinPlan;

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
    Expr *source; /* the ExprAggregate: EXPLAIN */
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

typedef struct AppendPlan {
    Plan base;
    VEC(Plan *) children; /* left and right are NULL */
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

typedef struct WindowCall {
    Oid function;
    Oid result_type;
    int32_t result_typmod;
    Oid input_collation, collation;
    ExprVec args;
    Expr *filter;
    bool is_aggregate, is_star;
    Expr *source;
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

/*
 * Locks the rows that come by; a row that changed is re-read through `base.left`'s conditions.
 * Tables whose rows are not locked have marks as well: what is re-read must find the same rows
 * there.
 */
typedef struct LockMark {
    Oid relation;
    int rel;               /* as ScanPlan.rel */
    int row_id_column;     /* of the child's row: ATTNUM_ROW_ID's value (null: no row) */
    LockStrength strength; /* LOCK_NO_ROWS: not locked */
    LockWaitPolicy wait;
    Str alias;
} LockMark;

typedef struct LockRowsPlan {
    Plan base;
    VEC(LockMark) marks;
    bool is_limited; /* a LIMIT is above: no row is locked that it does not let through */
} LockRowsPlan;

/* A foreign key touching the modified relation, from either side. */
typedef struct ForeignKeyPlan {
    Oid constraint;
    Str constraint_name;
    Oid relation, referenced; /* referencing, referenced table */
    Str relation_name, referenced_name;
    Str relation_schema, referenced_schema;
    int column_count;
    int *columns, *referenced_columns; /* attnums */
    Str *column_names, *referenced_column_names;
    Oid *equal_ops;            /* referenced = referencing */
    Oid referenced_index;      /* unique index to probe */
    Oid relation_index;        /* index on the referencing columns, or 0 */
    char on_update, on_delete; /* catalog/relation.h: ForeignAction, a r c n d */
    bool is_match_full, is_deferrable, is_deferred;
    int *set_columns; /* ON DELETE SET NULL (columns); NULL: all */
    int set_column_count;
} ForeignKeyPlan;

/* CHECK constraint over the new row: ExprSlot child 0, column attnum - 1. */
typedef struct CheckPlan {
    Str name;
    Expr *condition;
    bool is_view_check; /* WITH CHECK OPTION: 44000 */
    Str view_name;
} CheckPlan;

/* An index to maintain. Expressions and predicate are over a table row: slot attnum - 1. */
typedef struct IndexMaintain {
    Oid index;
    Str name;
    int key_count; /* key columns; columns beyond are INCLUDEd */
    int column_count;
    int *columns; /* attnum, 0 for the next of expressions */
    ExprVec expressions;
    Expr *predicate; /* partial index; NULL: all rows */
    bool is_unique, is_primary, nulls_not_distinct, is_deferrable;
    bool is_deferred; /* INITIALLY DEFERRED */
    bool is_affected; /* UPDATE: some column it depends on is assigned */
    Oid constraint;
} IndexMaintain;

/* A generated stored column, or an assignment: expression for attnum. */
typedef struct ColumnAssign {
    int attnum;
    Expr *expr;
} ColumnAssign;

typedef struct ConflictPlan {
    bool do_update;
    VEC(Oid) indexes; /* empty: any */
    Oid constraint;
    /* Over child 0 = the existing row (column attnum - 1), child 1 = the proposed row (same). */
    VEC(ColumnAssign) set;
    ExprVec where;
} ConflictPlan;

/*
 * INSERT: the child's row is the complete new row: column attnum - 1 for every attribute of the
 * relation (nulls for dropped ones); defaults are already in it. UPDATE: the child's row starts
 * with row_id; then everything its own expressions need; `assign` gives the changed columns, over
 * the child's row (child 0); unassigned columns keep the old row's values. DELETE: the child's row
 * has row_id. `returning` and checks are over child 0 = the new (DELETE: old) row by attnum - 1,
 * child 1 = the child's row (other tables of UPDATE … FROM / DELETE … USING).
 * UPDATE/DELETE under READ COMMITTED: when the row has changed, `recheck` is evaluated over
 * child 0 = the newest row by attnum - 1, child 1 = the child's row; `assign_newest` is `assign` in
 * that same form; both are always filled.
 */
typedef struct ModifyPlan {
    Plan base; /* left: the child (NULL for none); targets/columns: RETURNING's output */
    QueryCommand command;
    Oid relation;
    int rel;
    Str relation_name, schema_name, alias;
    int attribute_count;
    int row_id_column;        /* in the child's row; UPDATE and DELETE */
    VEC(ColumnAssign) assign; /* UPDATE */
    VEC(ColumnAssign) assign_newest;
    ExprVec recheck;
    VEC(ColumnAssign) generated; /* over the new row */
    VEC(int) not_null;           /* attnums to check */
    VEC(CheckPlan) checks;
    VEC(IndexMaintain) indexes;
    VEC(ForeignKeyPlan) references; /* this relation refers to others: check on new rows */
    VEC(ForeignKeyPlan) referenced; /* others refer to this: act on old rows */
    LockStrength lock; /* taken on changed rows: UPDATE of key columns, DELETE: FOR UPDATE */
    ConflictPlan *conflict;
    bool has_returning;
    bool can_set_tag;
} ModifyPlan;

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
