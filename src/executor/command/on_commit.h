/*
 * Temporary tables that COMMIT empties or drops.
 *
 * A session remembers which of its tables were made with ON COMMIT DELETE ROWS or ON COMMIT DROP,
 * in the order of their creation. What a rollback undoes is forgotten; tables that are gone are
 * forgotten when a transaction has been committed.
 *
 *   TRY(on_commit_add(session, table, ONCOMMIT_DROP));   CREATE TEMPORARY TABLE
 *   mark = on_commit_mark(session);                      SAVEPOINT
 *   on_commit_rewind(session, mark);                     ROLLBACK TO
 *   TRY(on_commit_run(session));                         before COMMIT, after deferred checks
 *   on_commit_end(session, committed);                   at the end of each transaction
 */
#ifndef EXECUTOR_COMMAND_ON_COMMIT_H
#define EXECUTOR_COMMAND_ON_COMMIT_H

#include "executor/executor.h"
#include "parser/ast.h"

MUST_CHECK bool on_commit_add(ExecSession *session, Oid table, OnCommitAction action);
size_t on_commit_mark(const ExecSession *session);
void on_commit_rewind(ExecSession *session, size_t mark);
MUST_CHECK bool on_commit_run(ExecSession *session);
void on_commit_end(ExecSession *session, bool committed);
void on_commit_deinit(ExecSession *session); /* at the session's end */

#endif
