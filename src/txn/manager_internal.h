/*
 * The transaction manager: what all sessions share. The trees known by name, the ring of commits in
 * flight, the horizon, the garbage that old versions are until no snapshot needs them.
 */
#ifndef TXN_MANAGER_INTERNAL_H
#define TXN_MANAGER_INTERNAL_H

#include "base/hash.h"
#include "base/sync.h"
#include "txn/ddl.h"
#include "txn/purge.h"
#include "txn/version.h"
#include "txn/write_set.h"

typedef struct LockTable LockTable;
typedef struct LockRuns LockRuns;
typedef struct SequenceTable SequenceTable;

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
    uint32_t built_command;       /* which of its commands did; earlier ones don't see it */
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

/*
 * A large commit between its wal_append and the end of its apply. The ring has done with it at
 * once: new snapshots leave it out instead of waiting for it.
 */
typedef struct LargeCommit {
    bool is_taken;   /* guarded by the commit mutex, as */
    Lsn start;       /* this: of its record; LSN_MAX before there is one */
    _Atomic Lsn end; /* 0: nothing is to be hidden */
} LargeCommit;

#define SPIN_TURNS                                                                                 \
    64u /* who waits for a commit's apply spins so often, then gives the worker away */

/* What a commit changed, or several, until no snapshot needs what was there before. */
typedef struct Garbage {
    struct Garbage *next;
    Lsn lsn;
    uint32_t count, capacity;
    VersionName names[];
} Garbage;

typedef struct ExportedSnapshot ExportedSnapshot; /* export.c */

struct TxnManager {
    Store *store;
    Wal *wal;
    TxnConfig config;
    bool is_open; /* recovery is over */

    Mutex sessions_mutex;
    TxnSession *sessions GUARDED_BY(sessions_mutex);
    TxnSession *readers GUARDED_BY(sessions_mutex); /* those that have lately had a snapshot */
    ExportedSnapshot *exported GUARDED_BY(sessions_mutex); /* of running transactions */
    _Atomic uint64_t next_txn_id;
    uint64_t next_session_number GUARDED_BY(sessions_mutex);

    Mutex trees_mutex;
    HashMap trees GUARDED_BY(trees_mutex); /* TreeName → TxnTree */

    ALIGNED(CACHE_LINE) Mutex commit_mutex;
    uint64_t ring_first GUARDED_BY(commit_mutex); /* oldest commit in flight */
    uint64_t ring_next GUARDED_BY(commit_mutex);
    CommitInFlight *ring;
    /* A commit is among these before applied_lsn passes it, and leaves when it is applied. */
    ALIGNED(CACHE_LINE) _Atomic Lsn applied_lsn;
    _Atomic uint32_t large_count; /* of those with an end */
    LargeCommit large[SNAPSHOT_HIDDEN];

    /* No snapshot below it is or will be published. Only grows. */
    ALIGNED(CACHE_LINE) _Atomic Lsn horizon;
    /* A snapshot below it, if published now, must be taken again. horizon <= bound. */
    _Atomic Lsn snapshot_bound;

    Mutex garbage_mutex;
    Garbage *garbage_first GUARDED_BY(garbage_mutex);
    Garbage **garbage_last GUARDED_BY(garbage_mutex);
    uint64_t garbage_names GUARDED_BY(garbage_mutex); /* in that list */
    _Atomic uint32_t commits_since_reclaim;
    _Atomic uint64_t garbage_bytes, version_memory_limit, version_disk_limit;
    uint64_t snapshots_given_up GUARDED_BY(sessions_mutex);
    _Atomic uint64_t give_ups_settled; /* those of them whose versions have all been freed */
    _Atomic bool is_reclaiming;        /* who has set it has what follows */
    Garbage *old_first, **old_last;    /* taken over from the list above */
    Garbage **prune_at;                /* where pruning goes on, */
    uint32_t prune_index;              /* and with which name */
    Garbage *prune_merged;             /* of several commits, right before it; NULL: none */
    bool prune_pays;                   /* the last turn has freed much */

    VersionStore *versions;
    Purger *purger; /* while sessions may be open */
    LockTable *locks;
    SequenceTable *sequences;
    _Atomic uint64_t schema_version;
    /* The newest commit that changed the schema, or whose transaction held a lock that weak locks
     * of tables conflict with, or an advisory one: who comes after it sees it. */
    _Atomic Lsn ordered_lsn;
    _Atomic uint32_t schema_commits; /* those that change it, under way */
    _Atomic uint64_t fragment_id;
};

/* reclaim.c */
void reclaim_init(TxnManager *manager);
void reclaim_deinit(TxnManager *manager);
void garbage_hand_over(TxnManager *manager, Garbage *garbage);
/* After a commit that has left so many names. */
void manager_reclaim(TxnManager *manager, uint64_t names);
/* Moves the horizon, whatever there was to commit; true: there is more to free at or below it. */
bool manager_reclaim_now(TxnManager *manager);
/* The tree by name, referenced; NULL when memory knows none. */
TxnTree *manager_tree_find(TxnManager *manager, TreeName name);
TxnTree *manager_tree_make(TxnManager *manager, DatabaseId database, TreeId id, TreeKind kind);
void txn_tree_ref(TxnTree *tree);

static inline TreeName tree_name(DatabaseId database, TreeId id)
{
    return (uint64_t)database << 32 | id;
}

#endif
