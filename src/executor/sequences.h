/*
 * What a session remembers of sequences: currval, lastval, numbers cached by CACHE n.
 *
 *   TRY(sequence_memory_next(session, oid, true, &value));    nextval
 *
 * check_privilege: nextval() checks USAGE or UPDATE; identity columns do not.
 */
#ifndef EXECUTOR_SEQUENCES_H
#define EXECUTOR_SEQUENCES_H

#include "executor/executor.h"

MUST_CHECK bool sequence_memory_next(ExecSession *session, Oid sequence, bool check_privilege,
                                     int64_t *ret_value);
MUST_CHECK bool sequence_memory_current(ExecSession *session, Oid sequence, int64_t *ret_value);
MUST_CHECK bool sequence_memory_last(ExecSession *session, int64_t *ret_value);
MUST_CHECK bool sequence_memory_set(ExecSession *session, Oid sequence, int64_t value,
                                    bool is_called);
/* DISCARD SEQUENCES. */
void sequence_memory_clear(ExecSession *session);
void sequence_memory_free(ExecSession *session);

#endif
