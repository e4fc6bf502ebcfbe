/*
 * Purging: entries of indexes that nobody sees any more go, without anybody having to ask for it.
 *
 * A deleted entry stays on its leaf as a ghost while snapshots may see it. Insertions purge the
 * leaf that they find full; leaves that nothing is inserted into any more (the old end of a queue)
 * are what the purger is for: one thread, told by the trees of leaves that have gathered ghosts
 * (tree_hooks.h), which purges each once the horizon has passed what changed it last, and merges
 * what is left. A leaf that is changed again and again has its turn each time the horizon moves.
 *
 *   purger_start(manager); … purger_stop(manager);
 *   purge_gather(manager, index, key, lsn);    by commits, with the leaf latched
 *   purge_met(manager, index, key, lsn);       by readers, likewise: what nobody remembers, such as
 *                                              ghosts from before a crash
 *   purge_reclaims(manager, true);             by whose turn of reclaiming has left versions,
 *                                              which the purger goes on with: no commit may come
 *   PurgeBar bar;
 *   purge_bar(manager, &bar, first, last);     no tree of these names is being purged, or will be,
 *   …drop them…
 *   purge_unbar(manager, &bar);                until then
 *
 * What is remembered is a hint: keys that no memory is left for, or that are too many, are left to
 * readers and to the next insertion.
 */
#ifndef TXN_PURGE_H
#define TXN_PURGE_H

#include "base/str.h"
#include "txn/snapshot.h"
#include "txn/txn.h"
#include "txn/version.h"

typedef struct Purger Purger;

typedef struct PurgeBar {
    struct PurgeBar *next;
    TreeName first, last;
} PurgeBar;

void purger_start(TxnManager *manager);
void purger_stop(TxnManager *manager); /* accepts one that has not been started */

/* `lsn`: when the leaf was changed last. Never wait, and take a mutex of rank LEAF. */
void purge_gather(TxnManager *manager, TreeName index, Str key, Lsn lsn);
void purge_met(TxnManager *manager, TreeName index, Str key, Lsn lsn);

void purge_reclaims(TxnManager *manager, bool is_left);

/* Waits for the leaf under way, without a failure and holding nothing. */
void purge_bar(TxnManager *manager, PurgeBar *bar, TreeName first, TreeName last);
void purge_unbar(TxnManager *manager, PurgeBar *bar);

#endif
