/*
 * What the files of this room share: the manager, sessions, transactions, trees. Included only
 * here; everybody else has txn.h.
 *
 * Mutexes, in the order in which they are taken: lock partitions (LOCK_TABLE), the deadlock mutex
 * (DEADLOCK), manager->sessions_mutex and trees_mutex (TXN_MANAGER), commit_mutex (COMMIT),
 * garbage_mutex or a tree's runs_mutex (VERSIONS), a partition of the version store
 * (VERSION_STORE), and what takes nothing else (LEAF): a session's shared_mutex, the version
 * store's others.
 */
#ifndef TXN_INTERNAL_H
#define TXN_INTERNAL_H

#include "txn/manager_internal.h"
#include "txn/session_internal.h"

/* manager.c */
/* Takes a snapshot and publishes it. */
MUST_CHECK bool snapshot_take(Txn *txn, Snapshot *ret_snapshot);
/* What a look at `snapshot` sees: of the latest one, without what is still being applied. */
void snapshot_resolve_latest(Txn *txn, Snapshot *snapshot);
static inline const Snapshot *snapshot_resolve(Txn *txn, const Snapshot *snapshot, Snapshot *room)
{
    if (likely(snapshot->lsn != LSN_MAX ||
               atomic_load_explicit(&txn->manager->large_count, memory_order_acquire) == 0))
        return snapshot;
    *room = *snapshot;
    snapshot_resolve_latest(txn, room);
    return room;
}
/* Enters the large commits that are being applied, up to its lsn. */
void large_commits_hide(TxnManager *manager, Snapshot *snapshot);
void snapshot_publish(Txn *txn);
/* Under sessions_mutex: among the sessions that collectors look at, and no longer. */
void reader_list(TxnSession *session);
void reader_unlist(TxnSession *session);
/* Snapshots taken from now on see that commit. Before others can know of its end. */
void ordered_raise(TxnManager *manager, Lsn lsn);
void snapshot_unpublish(TxnSession *session);
MUST_CHECK bool snapshot_check(const Txn *txn); /* fails with 72000 when it was given up */

/* Raises what the session's replies wait for. */
static inline void txn_saw(Txn *txn, Lsn lsn)
{
    if (lsn > txn->session->reply_lsn)
        txn->session->reply_lsn = lsn;
}

/* export.c: before what it has published is given up. */
void exported_snapshots_forget(Txn *txn);

/* txn.c */
MUST_CHECK bool txn_can_write(Txn *txn);
/* A key with its row id behind it, as trees have it; the buffer has TREE_MAX_KEY bytes. */
MUST_CHECK bool index_entry(Str key, int64_t row_id, char *buffer, Str *ret_entry);
/* For who shows transactions: one that writes has an identifier. The sessions' mutex is held. */
uint64_t txn_id_shown(Txn *txn);

/* commit.c */
#define INLINE_LEAST 2048u /* a shorter value is never on pages of its own */
/* Pages that the large values of so many bytes may take. */
static inline uint64_t overflow_pages_of(size_t length)
{
    return length / (PAGE_SIZE / 2) + 1;
}
MUST_CHECK bool commit_run(Txn *txn);
/* Writes ops of its own at once, whatever becomes of the transaction: sequences. */
MUST_CHECK bool commit_autonomous(TxnManager *manager, DatabaseId database, TreeId tree, Str key,
                                  Str value, Lsn *ret_end);
Lsn commit_redo_floor(void *context);
void commit_hooks_install(TxnManager *manager);
/* One fragment of a bulk's stream. */
MUST_CHECK bool commit_write_fragment(Txn *txn, Str ops);

/* fetch.c */
typedef struct NewestRow {
    Lsn ts; /* when what the page has was committed (0: long ago), where the snapshot doesn't see it
             * or the leaf doesn't know better */
    bool exists;  /* now */
    bool is_read; /* it exists, is seen by the snapshot, and is in read->values */
} NewestRow;
/* What the page has of a row; `read` may be NULL. */
MUST_CHECK bool fetch_newest(Txn *txn, TxnTree *table, uint64_t row_id, const Snapshot *snapshot,
                             const RowRead *read, NewestRow *ret_newest);

/* replay.c */
MUST_CHECK bool replay_run(TxnManager *manager);

/* The next row id of a table, for a row that fits it. */
MUST_CHECK bool txn_row_id_take(Txn *txn, TxnTree *table, Str image, uint64_t *ret_row_id);
/* For rows that fit any page: up to `wanted` ids, one after the other; how many, 0 is a failure. */
MUST_CHECK uint32_t txn_row_ids_take(Txn *txn, TxnTree *table, uint32_t wanted,
                                     uint64_t *ret_first);

/* ddl.c, bulk.c */
void ddl_undo(Txn *txn, size_t down_to);
void ddl_end(Txn *txn, TxnEnd how);
/* The permanent tree that a commit's writes go to, created if this transaction makes it. */
MUST_CHECK bool ddl_prepare_commit(Txn *txn);
void ddl_apply(Txn *txn);
void ddl_after_commit(Txn *txn);
void bulk_free(TxnBulk *bulk);
void bulk_detach(TxnBulk *bulk); /* its transaction ends before it does; accepts NULL */
bool bulk_is_open(const TxnBulk *bulk);
/* The tree that `txn` reads committed or bulk-built rows from; NULL: there are none. */
Tree *txn_tree_source(const Txn *txn, const TxnTree *tree, bool *ret_private);
/* The layouts that images of this table are encoded by, the transaction's own included. */
const Layout *txn_layout_version(const Txn *txn, const TxnTree *tree, uint32_t version);
const Layout *txn_layout_newest(const Txn *txn, const TxnTree *tree);

/* scan_index.c */
void lookup_free(IndexScan *scan);

/* sequence.c */
#define SEQUENCE_TREE ((TreeId)9) /* every database's; below catalog's own ids */
/* At a clean end: what was logged ahead and not given is taken back. */
void sequence_settle(TxnManager *manager);
SequenceTable *sequence_table_new(void);
void sequence_table_free(SequenceTable *table);

/* lock_row.c */
/* The lock that the inserters and deleters of a unique index's key take, to the end. */
MUST_CHECK bool unique_key_lock(Txn *txn, TxnTree *index, Str key);
/* An entry of a unique index lies where others find it: its key needs no lock of its own, unless
 * somebody waits for it. */
void unique_key_unlock(Txn *txn, TxnTree *index, Str entry);

/* lock_runs.c */
void lock_runs_release(TxnSession *session, uint64_t position);

/* lock_claim.c */
/* After the transaction: what it had spilled is taken out of the others' sight and freed. */
void spills_release(TxnSession *session);

/* lock.c */
LockTable *lock_table_new(void);
void lock_table_free(LockTable *table);
/* Gives back the transaction's locks taken after `position` (0: all of them). */
void lock_release_from(TxnSession *session, uint64_t position);
void lock_session_release_all(TxnSession *session);

#endif
