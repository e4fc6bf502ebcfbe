/*
 * What the files of this room share: the manager, sessions, transactions, trees. Included only
 * here; everybody else has txn.h.
 *
 * Mutexes, in the order in which they are taken: lock partitions (LOCK_TABLE), the deadlock mutex
 * (DEADLOCK), manager->sessions_mutex and trees_mutex (TXN_MANAGER), commit_mutex (COMMIT),
 * garbage_mutex or a tree's runs_mutex (VERSIONS), and what takes nothing else (LEAF): a session's
 * shared_mutex, the version store's.
 */
#ifndef TXN_INTERNAL_H
#define TXN_INTERNAL_H

#include "base/hash.h"
#include "base/sync.h"
#include "base/vec.h"
#include "txn/ddl.h"
#include "txn/index.h"
#include "txn/lock.h"
#include "txn/scan.h"
#include "txn/version.h"
#include "txn/write_set.h"

typedef struct LockTable LockTable;
typedef struct LockHold LockHold;
typedef struct LockWaiter LockWaiter;
typedef struct SequenceTable SequenceTable;
typedef struct LockRuns LockRuns;

/* ------------------------------------------------------------------ trees */

struct TxnTree {
    TxnManager *manager;
    DatabaseId database;
    TreeId id;
    TreeName name;
    TreeKind kind;
    uint32_t references;          /* guarded by the manager's trees_mutex */
    _Atomic(Tree *) tree;         /* the permanent tree; NULL before its creator commits */
    Tree *private_tree;           /* what the creator built in bulk; its alone */
    Txn *_Atomic creator;         /* the transaction that makes it, until it ends */
    Txn *_Atomic layout_txn;      /* the transaction that changes its layout, until it ends */
    const Layout *pending_layout; /* layout_txn's, in its arena */
    _Atomic TreeName table;       /* an index's; 0: not known */
    _Atomic bool is_unique;       /* an index whose keys txn_unique_check has been asked about */
    _Atomic Lsn base_lsn;         /* rows without a version date from here: built in bulk; else 0 */
    _Atomic uint64_t next_row_id; /* 0: not known yet */
    /* What bulk writers hold locked: rows, or keys of an index (lock_runs.c). */
    Mutex runs_mutex;
    LockRuns *runs GUARDED_BY(runs_mutex);
    _Atomic uint32_t runs_count;
    /* What transactions have written and spilled; looked at for keys they hold (lock_claim.c). */
    WriteSpill *spills GUARDED_BY(runs_mutex);
    _Atomic uint32_t spill_count;
};

/* ------------------------------------------------------------------ the manager */

/* A commit between its wal_append and the end of its apply, in log order. */
typedef struct CommitInFlight {
    Lsn start, end;
    bool is_applied;
} CommitInFlight;
#define COMMIT_RING_SIZE 4096u
#define SPIN_TURNS                                                                                 \
    64u /* who waits for a commit's apply spins so often, then gives the worker away */

/* What one commit changed, until no snapshot needs what was there before. */
typedef struct Garbage {
    struct Garbage *next;
    Lsn lsn;
    uint32_t count, capacity;
    VersionName names[];
} Garbage;

struct TxnManager {
    Store *store;
    Wal *wal;
    TxnConfig config;
    bool is_open; /* recovery is over */

    Mutex sessions_mutex;
    TxnSession *sessions GUARDED_BY(sessions_mutex);
    _Atomic uint64_t next_txn_id;
    uint64_t next_session_number GUARDED_BY(sessions_mutex);

    Mutex trees_mutex;
    HashMap trees GUARDED_BY(trees_mutex); /* TreeName → TxnTree */

    ALIGNED(CACHE_LINE) Mutex commit_mutex;
    uint64_t ring_first GUARDED_BY(commit_mutex); /* oldest commit in flight */
    uint64_t ring_next GUARDED_BY(commit_mutex);
    CommitInFlight *ring;
    ALIGNED(CACHE_LINE) _Atomic Lsn applied_lsn;

    /* No snapshot below it is or will be published. Only grows. */
    ALIGNED(CACHE_LINE) _Atomic Lsn horizon;
    /* A snapshot below it, if published now, must be taken again. horizon <= bound. */
    _Atomic Lsn snapshot_bound;

    Mutex garbage_mutex;
    Garbage *garbage_first GUARDED_BY(garbage_mutex);
    Garbage **garbage_last GUARDED_BY(garbage_mutex);
    _Atomic uint32_t commits_since_reclaim;
    _Atomic uint64_t garbage_bytes, version_memory_limit;
    _Atomic bool is_reclaiming;     /* who has set it has what follows */
    Garbage *old_first, **old_last; /* taken over from the list above */
    Garbage **prune_at;             /* where pruning goes on, */
    uint32_t prune_index;           /* and with which name */

    VersionStore *versions;
    LockTable *locks;
    SequenceTable *sequences;
    _Atomic uint64_t schema_version;
    _Atomic Lsn schema_lsn;          /* the newest commit that changed it */
    _Atomic uint32_t schema_commits; /* those that change it, under way */
    _Atomic uint64_t fragment_id;
};

/* ------------------------------------------------------------------ sessions and transactions */

#define SNAPSHOT_PINS 4

typedef struct SavepointMark {
    uint32_t id;
    uint64_t place; /* in the order of writing */
    size_t ddl_count;
    size_t callback_count;
    uint64_t lock_position;
} SavepointMark;

typedef enum DdlKind {
    DDL_CREATE_TREE = 1,
    DDL_DROP_TREE,
    DDL_SET_LAYOUT,
    DDL_BULK, /* a private tree was begun */
    DDL_CREATE_DATABASE,
    DDL_DROP_DATABASE,
} DdlKind;

typedef struct DdlOp {
    DdlKind kind;
    TxnTree *tree; /* referenced until the transaction ends */
    DatabaseId database;
    const Layout *layout;          /* DDL_CREATE_TREE, DDL_SET_LAYOUT; in the txn's arena */
    const Layout *previous_layout; /* DDL_SET_LAYOUT: what pending_layout was */
    TxnBulk *bulk;
    bool is_undone;
} DdlOp;

typedef struct EndCallback {
    TxnEndCallback *callback;
    void *context;
} EndCallback;

typedef struct CommitCheck {
    TxnCommitCheck *check;
    void *context;
} CommitCheck;

/* Row ids that a transaction took from a table and has not used. */
typedef struct RowIdBlock {
    TxnTree *tree;
    uint64_t next, end;
    uint32_t taken; /* singly so far; then blocks */
} RowIdBlock;

struct Txn {
    TxnSession *session;
    TxnManager *manager;
    TxnState state;
    TxnOptions options;
    bool has_snapshot;
    bool changes_schema;
    bool is_ending;
    uint32_t command;
    uint32_t next_savepoint;
    Snapshot snapshot;
    uint64_t snapshot_schema; /* the version before it was taken */
    Snapshot pins[SNAPSHOT_PINS];
    uint32_t pin_counts[SNAPSHOT_PINS];
    Lsn pins_floor; /* least of more pins than fit; LSN_MAX */
    _Atomic uint64_t id;
    _Atomic bool is_writer; /* has an identifier as soon as somebody looks */
    int64_t start_time;
    Arena *arena;
    WriteSet writes;
    VEC(SavepointMark) savepoints;
    VEC(DdlOp) ddl;
    VEC(EndCallback) callbacks;
    VEC(CommitCheck) checks;
    VEC(RowIdBlock) blocks;
    uint64_t fragment_id;
    Garbage *garbage;    /* filled by this commit's apply */
    uint64_t name_count; /* in it */
    Lsn commit_lsn;
};

#define FAST_LOCKS 16 /* as many tables as PostgreSQL has places for */
#define FAST_LOCK_MODES 3

/* A table's weak locks, held by a session and noted nowhere else: lock_fast.c. */
typedef struct FastLock {
    DatabaseId database;
    Oid relation;
    uint8_t modes;       /* those held, as bits (1 << mode) */
    uint8_t moved_modes; /* those of them that are holds in the lock table; under shared_mutex */
    uint64_t positions[FAST_LOCK_MODES];
} FastLock;

struct TxnSession {
    /* The snapshots this session reads at: every LSN in [low, high] may be one. */
    ALIGNED(CACHE_LINE) _Atomic Lsn snapshot_low; /* LSN_MAX: none */
    _Atomic Lsn snapshot_high;
    _Atomic bool snapshot_too_old; /* the version memory is full and this is the oldest reader */

    ALIGNED(CACHE_LINE) TxnManager *manager;
    TxnSession *next, *previous; /* guarded by the manager's sessions_mutex */
    int32_t process_id;
    uint64_t number;
    uint64_t txn_count;            /* begun so far */
    _Atomic uint64_t local_number; /* of the transaction that runs; 0: none */
    SynchronousCommit synchronous;
    bool is_open;
    Lsn reply_lsn;
    Lsn last_commit_lsn;
    _Atomic Lsn fragment_lsn; /* where its first uncommitted fragment starts; LSN_MAX */
    Txn txn;
    IndexScan *lookup; /* scan_index.c: what txn_index_lookup reads with */
    StrBuf record;     /* the commit record under construction; kept for the next */

    /* Locks: lock.c. */
    LockHold *holds; /* newest first */
    LockHold *free_holds;
    LockHold **hold_buckets; /* by lock; lock_hold_find */
    uint32_t hold_bucket_count, hold_count;
    uint64_t lock_position;
    LockRuns *runs;        /* of the transaction, newest first */
    WriteSpill *spills;    /* what has ended and is still to be freed */
    bool has_spills;       /* of the transaction: others may wait for keys there */
    LockWaiter *waiting;   /* guarded by the deadlock mutex */
    TxnSession **blockers; /* whom it waits for; guarded by the deadlock mutex */
    uint32_t blocker_count, blocker_capacity;
    uint64_t visit_mark; /* the deadlock search's */
    TxnSession *visit_parent, *visit_next;

    /* What others may make locks in the lock table of. The session alone fills it. */
    ALIGNED(CACHE_LINE) Mutex shared_mutex;
    uint32_t fast_count;     /* lock_fast.c; others read it under the mutex */
    LockHold *foreign_holds; /* made by others of row runs and fast locks; under the mutex */
    FastLock fast[FAST_LOCKS];
};

/* manager.c */
/* Takes a snapshot LSN and publishes it. */
MUST_CHECK bool snapshot_take(Txn *txn, Lsn *ret_lsn);
void snapshot_publish(Txn *txn);
void snapshot_unpublish(TxnSession *session);
MUST_CHECK bool snapshot_check(const Txn *txn); /* fails with 72000 when it was given up */

/* reclaim.c */
void reclaim_init(TxnManager *manager);
void reclaim_deinit(TxnManager *manager);
void garbage_hand_over(TxnManager *manager, Garbage *garbage);
/* After a commit that has left so many names. */
void manager_reclaim(TxnManager *manager, uint64_t names);
/* The tree by name, referenced; NULL when memory knows none. */
TxnTree *manager_tree_find(TxnManager *manager, TreeName name);
TxnTree *manager_tree_make(TxnManager *manager, DatabaseId database, TreeId id, TreeKind kind);
void txn_tree_ref(TxnTree *tree);

static inline TreeName tree_name(DatabaseId database, TreeId id)
{
    return (uint64_t)database << 32 | id;
}
/* Raises what the session's replies wait for. */
static inline void txn_saw(Txn *txn, Lsn lsn)
{
    if (lsn > txn->session->reply_lsn)
        txn->session->reply_lsn = lsn;
}

/* txn.c */
MUST_CHECK bool txn_can_write(Txn *txn);
/* A key with its row id behind it, as trees have it; the buffer has TREE_MAX_KEY bytes. */
MUST_CHECK bool index_entry(Str key, int64_t row_id, char *buffer, Str *ret_entry);
/* For who shows transactions: one that writes has an identifier. The sessions' mutex is held. */
uint64_t txn_id_shown(Txn *txn);

/* commit.c */
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
    Lsn ts; /* when what the page has was committed (0: long ago), where that is after the lsn asked
             * about or the leaf doesn't know better */
    bool exists;  /* now */
    bool is_read; /* it exists, is not younger than the lsn, and is in read->values */
} NewestRow;
/* What the page has of a row; `read` may be NULL. */
MUST_CHECK bool fetch_newest(Txn *txn, TxnTree *table, uint64_t row_id, Lsn lsn,
                             const RowRead *read, NewestRow *ret_newest);

/* replay.c */
MUST_CHECK bool replay_run(TxnManager *manager);

/* ddl.c, bulk.c */
void ddl_undo(Txn *txn, size_t down_to);
void ddl_end(Txn *txn, TxnEnd how);
/* The permanent tree that a commit's writes go to, created if this transaction makes it. */
MUST_CHECK bool ddl_prepare_commit(Txn *txn);
void ddl_apply(Txn *txn);
void ddl_after_commit(Txn *txn);
void bulk_free(TxnBulk *bulk);
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
