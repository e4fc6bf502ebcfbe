/*
 * Foreign keys: what is checked and done on both sides when rows change.
 *
 * New referencing rows are checked at the end of the statement (or of the transaction) against the
 * referenced unique index, locking the row found. Changes of referenced rows look for, or change,
 * the referencing rows by statements run through ExecSessionOps.query_run.
 */
#ifndef EXECUTOR_FOREIGN_KEY_H
#define EXECUTOR_FOREIGN_KEY_H

#include "executor/expr.h"

typedef struct ForeignKeys ForeignKeys;

MUST_CHECK ForeignKeys *foreign_keys_new(ExecState *exec, const ModifyPlan *plan);
/* A row as written: `row` by attnum - 1. */
MUST_CHECK bool foreign_keys_added(ForeignKeys *keys, const ExprInput *row, uint32_t at);
/* old → new (NULL: deleted). */
MUST_CHECK bool foreign_keys_removed(ForeignKeys *keys, const ExprInput *old_row,
                                     const ExprInput *new_row, uint32_t at);
/* At the end of the statement. */
MUST_CHECK bool foreign_keys_finish(ForeignKeys *keys);
void foreign_keys_reset(ForeignKeys *keys);

#endif
