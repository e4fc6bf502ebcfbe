/*
 * The resolved query: what analysis makes of a statement.
 *
 * Names are gone: relations are range table entries (1-based in `range_table`), columns are
 * ExprColumns, types and collations are known, implicit casts are explicit nodes, views are
 * subqueries. Deparse turns it back into SQL, the planner turns it into a plan and may change it.
 *
 * Shape: FROM is a list of FromItems (joins nest), targets are TargetEntries; GROUP BY, ORDER BY
 * and DISTINCT refer to targets by `sort_group_ref` (a target's non-zero number), adding `is_junk`
 * targets for what is not selected. Set operations: `set_op` is the tree, its leaves are range
 * table subqueries, and `targets` describes the result columns.
 */
#ifndef PLANNER_QUERY_H
#define PLANNER_QUERY_H

#include "parser/ast_query.h" /* LockWaitPolicy, OverridingKind, LimitOption, FRAMEOPTION_ … */
#include "planner/range_table.h"

typedef enum QueryCommand {
    QUERY_SELECT = 1,
    QUERY_INSERT,
    QUERY_UPDATE,
    QUERY_DELETE,
    QUERY_MERGE,
    QUERY_UTILITY,
} QueryCommand;

typedef struct TargetEntry {
    Expr *expr;
    Str name;
    int attnum;         /* INSERT/UPDATE: the column assigned; else position, 1-based */
    int sort_group_ref; /* non-zero: named by a clause */
    Oid origin_table;   /* RowDescription: where a plain column comes from */
    int origin_attnum;
    bool is_junk;
} TargetEntry;

typedef VEC(TargetEntry) TargetVec;

/* One item of ORDER BY, GROUP BY or DISTINCT. */
typedef struct SortClause {
    int ref;     /* sort_group_ref of the target */
    Oid sort_op; /* 0 where the type has no order (hash grouping only) */
    Oid equal_op;
    bool is_descending;
    bool nulls_first;
    bool is_hashable;
} SortClause;

typedef VEC(SortClause) SortVec;

/* A node of GROUP BY with grouping sets. */
typedef enum GroupingKind {
    GROUPING_EMPTY = 1, /* () */
    GROUPING_SIMPLE,    /* an expression, or several in parentheses */
    GROUPING_ROLLUP,    /* children: SIMPLE */
    GROUPING_CUBE,      /* children: SIMPLE */
    GROUPING_LIST,      /* GROUPING SETS: children of any kind */
} GroupingKind;

typedef struct GroupingNode {
    GroupingKind kind;
    VEC(int) refs; /* SIMPLE: sort_group_refs */
    VEC(struct GroupingNode *) children;
} GroupingNode;

typedef struct WindowClause {
    Str name;     /* of a WINDOW clause; STR_NONE for OVER (…) */
    Str ref_name; /* the window it copies from */
    SortVec partition_by, order_by;
    int frame_options; /* FRAMEOPTION_ … */
    Expr *start_offset, *end_offset;
    Oid start_in_range, end_in_range; /* RANGE offset: pg_amproc in_range functions */
    bool copied_order;
} WindowClause;

typedef enum SetOpKind { SET_UNION = 1, SET_INTERSECT, SET_EXCEPT } SetOpKind;

/* A node of a set operation tree: an operation, or (op 0) a leaf: range table subquery `rel`. */
typedef struct SetOpNode {
    SetOpKind op;
    int rel;
    bool is_all;
    struct SetOpNode *left, *right;
    RangeColumn *columns; /* result types */
    int column_count;
    SortVec groups; /* per column, ref = column number; without ALL */
} SetOpNode;

/*
 * SEARCH and CYCLE of a recursive WITH item: columns behind its own, which the planner computes.
 * `columns` counts the item's columns from 0.
 */
typedef struct CteSearch {
    const int *columns;
    int column_count;
    bool breadth_first;
    Str sequence;
} CteSearch;

typedef struct CteCycle {
    const int *columns;
    int column_count;
    Str mark, path;
    Expr *value, *otherwise; /* of the mark, of one type */
    bool is_written;         /* TO … DEFAULT … was: else true and false */
    Oid equality;
} CteCycle;

typedef struct CommonTable {
    Str name;
    Str *alias_columns;
    int alias_column_count;
    CTEMaterialize materialize;
    Query *query;
    bool is_recursive; /* refers to itself */
    int reference_count;
    RangeColumn *columns; /* those of SEARCH and CYCLE last */
    int column_count;
    CteSearch *search;
    CteCycle *cycle;
    int position;
} CommonTable;

/* Columns that the item's query gives. */
static inline int cte_own_count(const CommonTable *cte)
{
    return cte->column_count - (cte->search ? 1 : 0) - (cte->cycle ? 2 : 0);
}

/* FOR UPDATE/SHARE on one range table entry. */
typedef struct RowMark {
    int rel;
    LockStrength strength;
    LockWaitPolicy wait;
    bool pushed_down; /* from outside into a subquery or view */
} RowMark;

/* ON CONFLICT. `excluded` is the range table entry whose columns are the proposed row's. */
typedef struct ConflictClause {
    bool do_update;
    VEC(Oid) indexes;      /* arbiters; empty: any unique index (DO NOTHING only) */
    Oid constraint;        /* ON CONSTRAINT */
    ExprVec arbiter_exprs; /* as written: deparse */
    Expr *arbiter_where;
    int excluded;
    TargetVec set; /* DO UPDATE: attnum and expression over result_rel and excluded */
    Expr *where;
} ConflictClause;

/* WITH CHECK OPTION of an automatically updatable view, over result_rel. */
typedef struct ViewCheck {
    Str view_name;
    Expr *condition;
} ViewCheck;

struct Query {
    QueryCommand command;
    const Node *utility; /* QUERY_UTILITY: the parser's statement */
    Query
        *utility_query; /* EXPLAIN, DECLARE CURSOR, CREATE TABLE AS, COPY (query): the inner one */

    VEC(RangeTableEntry *) range_table; /* RTE i is items[i - 1]; use query_rte() */
    VEC(FromItem *) from;
    Expr *where;
    TargetVec targets;

    SortVec group_by;                  /* every expression of GROUP BY once */
    VEC(GroupingNode *) grouping_sets; /* empty: plain GROUP BY */
    bool group_distinct;
    Expr *having;
    VEC(WindowClause *) windows;
    SortVec distinct; /* DISTINCT or DISTINCT ON */
    bool is_distinct_on;
    SortVec order_by;
    Expr *limit_count, *limit_offset; /* int8 */
    LimitOption limit_option;
    SetOpNode *set_op;
    VEC(CommonTable *) ctes;
    bool with_recursive;
    VEC(RowMark) row_marks;

    int result_rel; /* INSERT/UPDATE/DELETE: range table index of the target */
    OverridingKind overriding;
    TargetVec returning;
    ConflictClause *conflict;
    VEC(ViewCheck) view_checks;

    bool has_aggregates, has_windows, has_srfs, has_sublinks, has_modifying_cte;
    bool is_values;     /* VALUES as a statement: one RANGE_VALUES entry and nothing else */
    bool is_correlated; /* some expression refers to a query outside */
    bool depends_on_user_types;
    bool is_read_only;        /* no data change, no row locks */
    VEC(Oid) key_constraints; /* ungrouped columns hang on these primary keys */
    Str source;               /* the whole query text, for positions */
    Oid *param_types;         /* external parameters, [0] is $1 */
    int param_count;
};

static inline RangeTableEntry *query_rte(const Query *query, int rel)
{
    assert(rel >= 1 && (size_t)rel <= query->range_table.length);
    return query->range_table.items[rel - 1];
}

/* Is there one row per group? */
static inline bool query_is_grouped(const Query *query)
{
    return query->has_aggregates || query->group_by.length > 0 || query->grouping_sets.length > 0 ||
           query->having;
}

/* The target with this sort_group_ref; it exists. */
TargetEntry *query_target_by_ref(const Query *query, int ref);

/* Do both mean the same, word for word? Positions in the text aside; false for what changes data.
 */
bool query_equal(const Query *a, const Query *b);

/* Visits every expression of the query (and of what belongs to it: not of subqueries' own). The
 * function may replace what the pointer points at. False stops. */
typedef bool QueryExprVisitor(void *context, Expr **expr);
bool query_visit_exprs(Query *query, QueryExprVisitor *visitor, void *context);

#endif
