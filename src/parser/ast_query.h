/*
 * Statements that read and write rows, and the parts that they and other statements share.
 */
#ifndef PARSER_AST_QUERY_H
#define PARSER_AST_QUERY_H

#include "parser/ast_expr.h"
#include "parser/ast_from.h"

/* One statement of the text. */
struct RawStmt {
    Node node; /* position of its first token */
    Node *stmt;
    Str text; /* a view into the parsed text, from its first token up to the `;` or the end */
};

typedef enum SetOperation { SETOP_NONE, SETOP_UNION, SETOP_INTERSECT, SETOP_EXCEPT } SetOperation;
typedef enum LimitOption { LIMIT_OPTION_COUNT, LIMIT_OPTION_WITH_TIES } LimitOption;

/*
 * SELECT, VALUES (values_lists), TABLE t (as SELECT * FROM t), and set operations (op with larg
 * and rarg; target_list and the like are then empty). with_clause, sort_clause, limits and locks
 * belong to the whole.
 */
struct SelectStmt {
    Node node;
    bool distinct; /* DISTINCT, or DISTINCT ON when distinct_on is not empty */
    NodeVec distinct_on;
    IntoClause *into_clause; /* SELECT INTO */
    ResTargetVec target_list;
    NodeVec from_clause;
    Node *where_clause;
    NodeVec group_clause; /* expressions and GroupingSets */
    bool group_distinct;
    Node *having_clause;
    WindowDefVec window_clause;
    NodeVecVec values_lists;
    SortByVec sort_clause;
    Node *limit_offset;
    Node *limit_count; /* LIMIT ALL is an A_Const NULL */
    LimitOption limit_option;
    LockingClauseVec locking_clause;
    WithClause *with_clause;
    SetOperation op;
    bool all;
    SelectStmt *larg;
    SelectStmt *rarg;
};

typedef enum OverridingKind {
    OVERRIDING_NOT_SET,
    OVERRIDING_USER_VALUE,
    OVERRIDING_SYSTEM_VALUE,
} OverridingKind;

struct InsertStmt {
    Node node;
    RangeVar *relation;
    ResTargetVec cols;  /* name and indirection */
    SelectStmt *select; /* NULL: DEFAULT VALUES */
    OnConflictClause *on_conflict;
    ResTargetVec returning;
    WithClause *with_clause;
    OverridingKind overriding;
};

struct UpdateStmt {
    Node node;
    RangeVar *relation;
    ResTargetVec target_list;
    NodeVec from_clause;
    Node *where_clause; /* may be a CurrentOfExpr */
    ResTargetVec returning;
    WithClause *with_clause;
};

struct DeleteStmt {
    Node node;
    RangeVar *relation;
    NodeVec using_clause;
    Node *where_clause;
    ResTargetVec returning;
    WithClause *with_clause;
};

struct MergeStmt {
    Node node;
    RangeVar *relation;
    Node *source;
    Node *join_condition;
    MergeWhenClauseVec when_clauses;
    WithClause *with_clause;
};

typedef enum MergeAction { MERGE_DO_NOTHING, MERGE_UPDATE, MERGE_DELETE, MERGE_INSERT } MergeAction;

struct MergeWhenClause {
    Node node;
    bool matched;
    MergeAction action;
    OverridingKind overriding;
    Node *condition;
    ResTargetVec target_list; /* columns of UPDATE SET, or of INSERT */
    NodeVec values;           /* INSERT; empty: DEFAULT VALUES */
};

/*
 * SELECT list: val and, after AS, name. UPDATE SET: name, indirection, val. INSERT columns: name,
 * indirection. `*` is a ColumnRef with star.
 */
struct ResTarget {
    Node node;
    Str name;
    NodeVec indirection;
    Node *val;
};

typedef enum GroupingSetKind {
    GROUPING_SET_EMPTY,
    GROUPING_SET_ROLLUP,
    GROUPING_SET_CUBE,
    GROUPING_SET_SETS,
} GroupingSetKind;

struct GroupingSet {
    Node node;
    GroupingSetKind kind;
    NodeVec content;
};

/* In order of strength. */
typedef enum LockClauseStrength {
    LCS_FOR_KEY_SHARE = 1,
    LCS_FOR_SHARE,
    LCS_FOR_NO_KEY_UPDATE,
    LCS_FOR_UPDATE,
} LockClauseStrength;
typedef enum LockWaitPolicy { LOCK_WAIT_BLOCK, LOCK_WAIT_SKIP, LOCK_WAIT_ERROR } LockWaitPolicy;

struct LockingClause {
    Node node;
    RangeVarVec locked_rels; /* empty: all */
    LockClauseStrength strength;
    LockWaitPolicy wait_policy;
};

typedef enum OnCommitAction {
    ONCOMMIT_NOOP,
    ONCOMMIT_PRESERVE_ROWS,
    ONCOMMIT_DELETE_ROWS,
    ONCOMMIT_DROP,
} OnCommitAction;

struct IntoClause { /* target of SELECT INTO and CREATE TABLE AS */
    Node node;
    RangeVar *relation;
    StrVec colnames;
    Str access_method;
    DefElemVec options;
    OnCommitAction on_commit;
    Str tablespace;
    bool skip_data; /* WITH NO DATA */
};

struct WithClause {
    Node node;
    CommonTableExprVec ctes;
    bool recursive;
};

typedef enum CTEMaterialize {
    CTE_MATERIALIZE_DEFAULT,
    CTE_MATERIALIZE_ALWAYS,
    CTE_MATERIALIZE_NEVER,
} CTEMaterialize;

struct CommonTableExpr {
    Node node;
    Str name;
    StrVec aliascolnames;
    CTEMaterialize materialized;
    Node *query; /* SelectStmt, InsertStmt, UpdateStmt or DeleteStmt */
    CTESearchClause *search_clause;
    CTECycleClause *cycle_clause;
};

struct CTESearchClause {
    Node node;
    StrVec columns;
    bool breadth_first;
    Str seq_column;
};

struct CTECycleClause {
    Node node;
    StrVec columns;
    Str mark_column;
    Node *mark_value;
    Node *mark_default;
    Str path_column;
};

struct InferClause {
    Node node;
    IndexElemVec index_elems;
    Node *where_clause;
    Str constraint; /* ON CONSTRAINT name */
};

struct OnConflictClause {
    Node node;
    bool do_update;
    InferClause *infer;
    ResTargetVec target_list;
    Node *where_clause;
};

#endif
