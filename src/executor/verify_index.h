/*
 * Is an index what its table says? Both directions: every row that belongs into the index has its
 * entry, with the key computed anew (columns, expressions, the partial index's predicate), and
 * every entry has its row. For `sengi verify`, with nobody writing.
 *
 *   TRY(executor_verify_index(session, table, index_oid, live_entries, tell, context));
 */
#ifndef EXECUTOR_VERIFY_INDEX_H
#define EXECUTOR_VERIFY_INDEX_H

#include "executor/executor.h"

typedef struct RelationDesc RelationDesc;

/* What is wrong with the row, or with the entry that names it. */
typedef void IndexProblemCallback(void *context, int64_t row_id, Str text);

/* `live_entries`: as tree_check has counted them. False: it could not be done; problems are told.
 */
MUST_CHECK bool executor_verify_index(ExecSession *session, const RelationDesc *table, Oid index,
                                      uint64_t live_entries, IndexProblemCallback *tell,
                                      void *context);

#endif
