/*
 * A Scope: one query level being analyzed: what names it sees, the Query it builds, and where in
 * the statement it is (ExprPlace), for errors that depend on the clause. Outer levels are reached
 * by `parent`. All memory is the statement's arena.
 */
#ifndef PLANNER_SCOPE_INTERNAL_H
#define PLANNER_SCOPE_INTERNAL_H

#include "catalog/lookup.h"
#include "parser/ast.h"
#include "planner/analyze.h"

/* The clause an expression stands in: decides what is allowed and how errors name it. */
typedef enum ExprPlace {
    PLACE_NONE = 0,
    PLACE_OTHER,
    PLACE_JOIN_ON,
    PLACE_JOIN_USING,
    PLACE_FROM_SUBSELECT,
    PLACE_FROM_FUNCTION,
    PLACE_WHERE,
    PLACE_HAVING,
    PLACE_FILTER,
    PLACE_WINDOW_PARTITION,
    PLACE_WINDOW_ORDER,
    PLACE_WINDOW_FRAME_RANGE,
    PLACE_WINDOW_FRAME_ROWS,
    PLACE_WINDOW_FRAME_GROUPS,
    PLACE_SELECT_TARGET,
    PLACE_INSERT_TARGET,
    PLACE_UPDATE_SOURCE,
    PLACE_UPDATE_TARGET,
    PLACE_GROUP_BY,
    PLACE_ORDER_BY,
    PLACE_DISTINCT_ON,
    PLACE_LIMIT,
    PLACE_OFFSET,
    PLACE_RETURNING,
    PLACE_VALUES,
    PLACE_VALUES_SINGLE,
    PLACE_CHECK,
    PLACE_DEFAULT,
    PLACE_INDEX_KEY,
    PLACE_INDEX_PREDICATE,
    PLACE_ALTER_USING,
    PLACE_EXECUTE,
    PLACE_POLICY,
    PLACE_GENERATED,
    PLACE_CALL,
    PLACE_COPY_WHERE,
    PLACE_CYCLE_MARK,
} ExprPlace;

/* Where an item's column really is: an attribute of some range table entry. */
typedef struct ScopeColumn {
    int rel, attnum;
    Oid type;
    int32_t typmod;
    Oid collation;
    bool hidden; /* merged by USING: not found by name, nor in * */
} ScopeColumn;

typedef struct ScopeItem {
    RangeTableEntry *rte;
    int rel;
    Str name;             /* what qualifies it */
    ScopeColumn *columns; /* rte->column_count of them */
    bool name_visible;    /* t.x may be used */
    bool columns_visible; /* x may be used */
    bool is_lateral_only;
    bool is_lateral_ok; /* a lateral reference to it is legal */
} ScopeItem;

typedef VEC(ScopeItem) ScopeItemVec;
typedef VEC(CommonTable *) CommonTableVec;

typedef struct Scope Scope;
struct Scope {
    AnalyzeContext *context;
    Scope *parent;
    Query *query;
    ScopeItemVec items;
    CommonTableVec ctes;    /* visible here */
    const WithClause *with; /* being analyzed: forward references get a hint */
    size_t with_done;
    CommonTable *recursive; /* the CTE whose recursive term this is in */
    ExprPlace place;
    bool lateral_active;
    bool is_insert_select;
    bool resolve_unknowns;      /* unknown outputs become text */
    bool notices_have_no_place; /* of type names in commands */
    WindowDefVec window_defs;   /* WINDOW clause, then OVER (…) as met */
    int next_ref;               /* sort_group_ref numbers */
    LockingClause *parent_lock;
    const RelationDesc *target; /* of INSERT, UPDATE, DELETE */
    ScopeItem *target_item;
    const Node *last_srf;
    const SelectStmt *locked_from; /* FOR UPDATE seen */
    VEC(Expr *) multi_sources;     /* SET (a, b) = …: analyzed once per source */
    VEC(const Node *) multi_nodes;
    bool allow_default; /* DEFAULT may stand here */
};

#define scope_arena(scope) ((scope)->context->arena)
#define scope_session(scope) ((scope)->context->session)

Scope *scope_new(AnalyzeContext *context, Scope *parent);

/* "in WHERE", "in JOIN conditions" … the %s of "%s are not allowed in %s". */
Str place_name(ExprPlace place);

ScopeItem scope_item_new(Scope *scope, RangeTableEntry *rte, int rel);
MUST_CHECK bool scope_add_item(Scope *scope, const ScopeItem *item, bool name, bool columns);
MUST_CHECK bool scope_check_conflict(Scope *scope, const ScopeItemVec *left,
                                     const ScopeItemVec *right);
int scope_add_rte(Scope *scope, RangeTableEntry *rte);
/* As an item of FROM. */
void scope_add_from(Scope *scope, int rel);
MUST_CHECK Expr *scope_column_ref(Scope *scope, const ColumnRef *ref);
Expr *scope_item_column(Scope *scope, const ScopeItem *item, int index, int levels_up,
                        int position);
MUST_CHECK Expr *scope_whole_row(Scope *scope, ScopeItem *item, int levels_up, int position);
/* By qualified name; NULL without error. */
ScopeItem *scope_find_item(Scope *scope, Str schema, Str name, int position, int *ret_levels,
                           bool *ret_failed);
void scope_mark_selected(Scope *scope, int levels_up, int rel, int attnum);
void rte_mark(Arena *arena, RangeTableEntry *rte, uint64_t **bitmap, int attnum);
/* 42P01 "missing FROM-clause entry …" with its hints. */
bool scope_missing_item(Scope *scope, Str schema, Str name, int position);
int name_distance(Str a, Str b, int limit);

#endif
