/*
 * Redo workers: threads that apply what recovery reads from the log.
 *
 * Operations on one row, entry or pair keep their order: a worker takes all of a hash, in the order
 * given. Between different ones there is none, and none is needed: redo is blind, and nobody reads
 * before it ends. What concerns a whole tree or database is done by the caller, behind a drain.
 *
 *   RedoWorkers *workers = redo_workers_new(store, count);
 *   TRY(redo_put(workers, tree, &op));          copies what the op needs; may wait
 *   TRY(redo_drain(workers));                   all that was put is applied
 *   redo_workers_free(workers);
 *
 * Threads start with the first operation. With a count of 0 operations are applied at once.
 * An error of a worker is the caller's at its next call; damage (XX001) is passed over.
 */
#ifndef TXN_REDO_H
#define TXN_REDO_H

#include "storage/store.h"
#include "storage/tree.h"
#include "txn/record.h"

typedef struct RedoWorkers RedoWorkers;

RedoWorkers *redo_workers_new(Store *store, uint32_t count);
void redo_workers_free(RedoWorkers *workers);

MUST_CHECK bool redo_put(RedoWorkers *workers, Tree *tree, const Op *op);
MUST_CHECK bool redo_drain(RedoWorkers *workers);

#endif
