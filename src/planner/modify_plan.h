/*
 * Plan nodes that lock rows and change them, with what a change has to keep true: constraints,
 * indexes, foreign keys.
 */
#ifndef PLANNER_MODIFY_PLAN_H
#define PLANNER_MODIFY_PLAN_H

#include "catalog/constraint.h"
#include "planner/plan_node.h"

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
    char triggers[CONSTRAINT_TRIGGER_COUNT]; /* tgenabled (catalog/constraint.h) */
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
    char recheck_trigger; /* tgenabled of a deferrable key's */
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

#endif
