/*
 * What a transaction should know of an index beyond its tree.
 *
 *   txn_index_set_table(index, table);       who opens an index to write says whose it is
 *   txn_index_is_younger(index, snapshot)    who has planned with it may need a newer snapshot
 *   TRY(txn_index_purge(index))              takes out what nobody sees, now
 *
 * The entries of an index end in the row ids of its table. Known, a bulk load's entries need no
 * versions of their own: they are as new as the rows (fresh.h).
 */
#ifndef TXN_INDEX_H
#define TXN_INDEX_H

#include "txn/txn.h"

void txn_index_set_table(TxnTree *index, const TxnTree *table);

/* It was built from what was newer than the snapshot: what that sees it may lack, and a scan of it
 * fails with 40001. */
bool txn_index_is_younger(const TxnTree *index, const Snapshot *snapshot);

/* What the purger does in its own time (purge.h), and what it has not heard of: a crash may have
 * left deleted entries on leaves that nobody reads. The index must not be dropped meanwhile. */
MUST_CHECK bool txn_index_purge(TxnTree *index);

#endif
