/*
 * What a query reads from and writes to: the entries of its range table, and FROM, the tree of
 * joins over them.
 */
#ifndef PLANNER_RANGE_TABLE_H
#define PLANNER_RANGE_TABLE_H

#include "planner/expr.h"

typedef enum RangeTableKind {
    RANGE_RELATION = 1,
    RANGE_SUBQUERY,
    RANGE_JOIN,
    RANGE_FUNCTION,
    RANGE_VALUES,
    RANGE_CTE,
} RangeTableKind;

typedef enum JoinKind {
    JOINS_INNER = 1,
    JOINS_LEFT,
    JOINS_RIGHT,
    JOINS_FULL,
    JOINS_SEMI, /* planner: at least one match, left columns only */
    JOINS_ANTI, /* planner: no match, left columns only */
} JoinKind;

/* Privileges to be checked before the query runs. */
enum {
    ACCESS_SELECT = 1 << 0,
    ACCESS_INSERT = 1 << 1,
    ACCESS_UPDATE = 1 << 2,
    ACCESS_DELETE = 1 << 3,
};

/* One column of a range table entry. */
typedef struct RangeColumn {
    Str name; /* after alias lists; empty for a dropped column */
    Oid type;
    int32_t typmod;
    Oid collation;
} RangeColumn;

typedef struct RangeCall {
    Expr *call; /* ExprFunction; or any expression for functions written as syntax */
    int column_count;
    const RangeColumn *columns;
    bool has_definition_list; /* AS (a int, b text): record functions */
} RangeCall;

typedef enum LockStrength {
    LOCK_NO_ROWS = 0,
    LOCK_FOR_KEY_SHARE,
    LOCK_FOR_SHARE,
    LOCK_FOR_NO_KEY_UPDATE,
    LOCK_FOR_UPDATE,
} LockStrength;
const char *lock_strength_name(LockStrength strength); /* "FOR UPDATE" */

typedef struct RangeTableEntry {
    RangeTableKind kind;
    Str alias_name;     /* as written; STR_NONE where there was no alias */
    Str *alias_columns; /* as written */
    int alias_column_count;
    Str name; /* how columns are qualified: alias, or the relation's own name */
    RangeColumn *columns;
    int column_count;
    int position;

    /* RANGE_RELATION (for a view: kind is RANGE_SUBQUERY and relation is the view's OID). */
    Oid relation;
    bool is_only; /* ONLY was written */
    Str schema_name, relation_name;
    uint32_t access;            /* ACCESS_… needed */
    Oid check_as;               /* role to check as: a view's owner; 0 is the current user */
    uint64_t *selected_columns; /* bitmaps by attnum - 1 (bit i) with 64 a word, for privileges */
    uint64_t *modified_columns;
    int bitmap_words;
    bool selects_whole_row;

    /* RANGE_SUBQUERY */
    Query *subquery;
    bool is_lateral;
    bool is_security_barrier;

    /* RANGE_JOIN: column i is alias_exprs.items[i], an expression over the joined entries. */
    JoinKind join_type;
    ExprVec alias_exprs;
    int merged_count; /* the first so many columns are USING's */

    /* RANGE_FUNCTION */
    VEC(RangeCall) functions; /* ROWS FROM with several */
    bool with_ordinality;

    /* RANGE_VALUES */
    VEC(ExprVec) values;

    /* RANGE_CTE */
    Str cte_name;
    int cte_levels_up;
    bool is_self_reference; /* inside the recursive term */

    bool is_in_from;  /* false for entries that only exist for INSERT/UPDATE targets, rules */
    bool is_excluded; /* ON CONFLICT's EXCLUDED */
} RangeTableEntry;

typedef enum FromItemKind { FROM_REL = 1, FROM_JOIN } FromItemKind;

/* Which limit keeps inner joins from being ordered together with those around them. */
typedef enum Collapse {
    COLLAPSE_JOIN = 0, /* join_collapse_limit: JOIN as written */
    COLLAPSE_FROM,     /* from_collapse_limit: the FROM list of what was a subquery */
    COLLAPSE_ALWAYS,   /* none: joins of the planner's own making */
} Collapse;

typedef struct FromItem {
    FromItemKind kind;
    int rel; /* range table index; FROM_JOIN: the join's own entry, 0 for the planner's joins */
    JoinKind join_type;
    struct FromItem *left, *right;
    Expr *condition; /* ON, or what USING means; NULL for CROSS JOIN */
    Str *using_columns;
    int using_count;
    Str using_alias;
    bool is_natural;
    Collapse collapse;
} FromItem;

#endif
