/*
 * Foreign keys: what is checked and done on both sides when rows have changed.
 *
 * A referencing row is looked up in the referenced unique index, and the row found is locked FOR
 * KEY SHARE, so that a concurrent DELETE waits for this transaction. A referenced row that went
 * away must not be referred to any more, or the rows that do are changed as the constraint says;
 * they are found through an index on their columns where there is one.
 *
 * Everything here reads what is committed now and what this transaction wrote, the running
 * statement included. Under REPEATABLE READ a row that has changed since the snapshot is 40001.
 */
#ifndef EXECUTOR_FOREIGN_KEY_H
#define EXECUTOR_FOREIGN_KEY_H

#include "executor/constraint_queue.h"

typedef VEC(int64_t) RowIdVec;

/* What a removal needs: values in the referenced columns' order and types. */
typedef struct ForeignRemoval {
    const ForeignKeyPlan *key;
    bool is_update;
    Value *old_values;
    Value *new_values; /* of an update */
    bool *new_nulls;
} ForeignRemoval;

/* One look at a key. Results and what is made on the way are in `scratch`. */
typedef struct ForeignKeyLook {
    ExecState *exec;
    Arena *scratch;
    const ForeignKeyPlan *key;
} ForeignKeyLook;

/* The row refers to a row that exists; `locks`: which is locked. A row that is gone is right. */
MUST_CHECK bool foreign_key_check_row(const ForeignKeyLook *look, int64_t row_id, bool locks);
/* No row refers to the old values any more (RESTRICT), or another row has them (NO ACTION). */
MUST_CHECK bool foreign_key_check_removal(ExecState *exec, Arena *scratch,
                                          const ForeignRemoval *removal);

/* Rows of the referencing table that refer to these values; limit 0: all. */
MUST_CHECK bool foreign_key_find_rows(const ForeignKeyLook *look, const Value *values,
                                      uint32_t limit, RowIdVec *ret_rows);
/* Does this referencing row refer to the values, as it is now? */
MUST_CHECK bool foreign_key_row_refers(const ForeignKeyLook *look, const Value *values,
                                       int64_t row_id, bool *ret_refers);
/* A value of a column of the other side, in the type of this one; false in *ret_fits: there is no
 * such value. */
MUST_CHECK bool foreign_key_convert(Arena *arena, Oid from, Oid to, const Value *value, Value *ret,
                                    bool *ret_fits);

/* " WHERE …" of the statement that a check or an action is like, for the context of its errors:
 * columns of the referenced table, or of the referencing one, are what parameters are. */
void foreign_key_put_condition(ExecState *exec, const ForeignKeyPlan *key, bool of_referenced,
                               int first_parameter, StrBuf *text);

/* foreign_action.c: CASCADE, SET NULL, SET DEFAULT. Prepared when first needed in a queue. */
typedef struct ReferentialAction ReferentialAction;
MUST_CHECK ReferentialAction *foreign_action_new(ExecState *exec, const ForeignKeyPlan *key,
                                                 bool is_update);
MUST_CHECK bool foreign_action_run(ReferentialAction *action, Arena *scratch,
                                   const ForeignRemoval *removal);
void foreign_action_free(ReferentialAction *action);

#endif
