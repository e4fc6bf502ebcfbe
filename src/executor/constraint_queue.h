/*
 * Constraints that are looked at after the rows have been written: foreign keys, and unique keys
 * that may be deferred.
 *
 *   ConstraintQueue *queue = exec_queue(exec);                  one a statement
 *   constraint_queue_reference(queue, key, row_id);             a row refers to another
 *   constraint_queue_removal(queue, key, &old, &new, at);       a row that is referred to changed
 *   constraint_queue_unique(queue, table, index, row_id);       a key of a deferrable index
 *   TRY(constraint_queue_run(queue));                           at the end of the statement
 *   constraint_queue_clear(queue);                              always
 *
 * Events are looked at in the order in which they came; what actions (CASCADE …) change adds to the
 * end of the same queue. Events of constraints that are deferred at the time go over to the
 * session, where executor_deferred_run (executor.h) finds them.
 *
 * An event names its row by row id, and the row is read again when the event's turn comes: what has
 * been deleted or changed meanwhile needs no check.
 */
#ifndef EXECUTOR_CONSTRAINT_QUEUE_H
#define EXECUTOR_CONSTRAINT_QUEUE_H

#include "executor/expr.h"

typedef struct ConstraintQueue ConstraintQueue;

/* The queue of a statement; actions share the one of the statement that caused them. */
ConstraintQueue *exec_queue(ExecState *exec);
/* Does a trigger of the constraint fire here, by its tgenabled? Who adds events asks. */
bool constraint_trigger_fires(char enabled);
void constraint_queue_reference(ConstraintQueue *queue, const ForeignKeyPlan *key, int64_t row_id);
/* Row `at`, by attnum - 1, of old_row → new_row (NULL: deleted). */
void constraint_queue_removal(ConstraintQueue *queue, const ForeignKeyPlan *key,
                              const ExprInput *old_row, const ExprInput *new_row, uint32_t at);
void constraint_queue_unique(ConstraintQueue *queue, Oid table, const IndexMaintain *index,
                             int64_t row_id);
MUST_CHECK bool constraint_queue_run(ConstraintQueue *queue);
/* Forgets what is left; accepts NULL. */
void constraint_queue_clear(ConstraintQueue *queue);

#endif
