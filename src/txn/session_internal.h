/*
 * A session and its transaction: snapshots and pins, the write set, savepoints, DDL under way, and
 * the locks held.
 */
#ifndef TXN_SESSION_INTERNAL_H
#define TXN_SESSION_INTERNAL_H

#include "base/sync.h"
#include "base/vec.h"
#include "txn/index.h"
#include "txn/lock.h"
#include "txn/manager_internal.h"
#include "txn/scan.h"
#include "txn/write_set.h"

typedef struct LockHold LockHold;
typedef struct LockWaiter LockWaiter;

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
    bool has_exported; /* snapshots, which others may be about to import */
    bool is_ending;
    bool met_large_rows; /* has looked at a newest row with values outside its leaf */
    uint32_t command;
    uint32_t next_savepoint;
    Snapshot snapshot;
    uint64_t snapshot_schema; /* the version before it was taken */
    Snapshot pins[SNAPSHOT_PINS];
    uint32_t pin_counts[SNAPSHOT_PINS];
    Lsn pins_floor;   /* least of more pins than fit; LSN_MAX */
    Lsn latest_floor; /* what a look at the newest needs until the next statement; LSN_MAX */
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
    uint64_t passed_over; /* changes that the apply went on without, their pages being damaged */
    Str passed_over_why;  /* the first of them */
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

/*
 * May what a session has published be given up? Not while something of it runs: readers use old
 * images without a lock. At rest the reclaimer may, and does not count it any more.
 *
 *   USED ─ txn_session_rest ─► RESTS ─ snapshot_give_up ─► GIVEN_UP
 *     ▲ ◄─── txn_session_wake ───┘                            │
 *     └──────────── snapshot_unpublish, once nothing of it is held
 */
typedef enum SnapshotUse { SNAPSHOT_USED = 0, SNAPSHOT_RESTS, SNAPSHOT_GIVEN_UP } SnapshotUse;

struct TxnSession {
    /* The snapshots this session reads at: every LSN in [low, high] may be one. */
    ALIGNED(CACHE_LINE) _Atomic Lsn snapshot_low; /* LSN_MAX: none */
    _Atomic Lsn snapshot_high;
    _Atomic Lsn snapshot_too_old; /* given up up to here: the version memory was full */
    _Atomic uint8_t snapshot_use; /* SnapshotUse */
    /* Stands among the manager's readers. True wherever snapshot_low is not LSN_MAX, once what is
     * published is relied on. Changed under sessions_mutex. */
    _Atomic bool is_reader;
    uint8_t idle_looks; /* of collectors in a row that found nothing; under sessions_mutex */
    TxnSession *next_reader, *previous_reader; /* under sessions_mutex */

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
    IndexScan *lookup;          /* scan_index.c: what txn_index_lookup reads with */
    StrBuf record_head, record; /* the commit record under construction; kept for the next */

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
    uint32_t hard_blocker_count; /* the first so many hold what is waited for; others are ahead */
    uint64_t visit_mark; /* the deadlock search's */
    TxnSession *visit_parent, *visit_next;

    /* What others may make locks in the lock table of. The session alone fills it. */
    ALIGNED(CACHE_LINE) Mutex shared_mutex;
    uint32_t fast_count;     /* lock_fast.c; others read it under the mutex */
    LockHold *foreign_holds; /* made by others of row runs and fast locks; under the mutex */
    FastLock fast[FAST_LOCKS];
};

#endif
