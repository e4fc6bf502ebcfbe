/*
 * The lock table's insides, for lock*.c.
 *
 * A Lock is what is locked; a LockHold is a session's share of it in one mode; a LockWaiter stands
 * in its queue, on the stack of who waits. A hold belongs to a session's list, which only that
 * session's task touches, and to its lock's list, under the partition's mutex.
 *
 *   free → lock_acquire → held → lock_release_from → free
 *                       ↘ queued → (granted by a release) → held
 *                                ↘ (timeout, cancel, deadlock) → free
 */
#ifndef TXN_LOCK_INTERNAL_H
#define TXN_LOCK_INTERNAL_H

#include "txn/lock.h"
#include "txn/txn_internal.h"

#define LOCK_PARTITIONS 1024
#define STRONG_COUNTS 1024
#define SHARED_SPACE 0 /* the database of tables that all databases share */

typedef enum LockSpace {
    SPACE_RELATION = 1,
    SPACE_ROW,
    SPACE_KEY,
    SPACE_OBJECT,
    SPACE_ADVISORY,
} LockSpace;

typedef struct LockTag {
    uint32_t space;
    DatabaseId database;
    uint64_t a; /* relation; tree; class; advisory key */
    uint64_t b; /* row id; key's hash; object; advisory: made of a pair */
} LockTag;

/*
 * Rows have three modes more than RowLockMode. Who writes a row holds it in a mode of its own,
 * which is as strong as the one without and makes those wait who look whether a key of the row is
 * taken; they wait in ROW_PROBE, which is in nobody's way and given back at once.
 */
typedef enum RowHoldMode {
    ROW_WRITE_NO_KEY = ROW_LOCK_UPDATE + 1,
    ROW_WRITE,
    ROW_PROBE,
} RowHoldMode;

typedef struct Lock {
    struct Lock *next; /* in the bucket, or free */
    LockTag tag;
    LockHold *holds;
    LockWaiter *first, *last;
    uint32_t hold_counts[9]; /* by mode: most locks are shared by many, and block nobody */
    uint32_t held_modes;     /* those with a count, as bits */
} Lock;

struct LockHold {
    Lock *lock;
    TxnSession *session;
    uint64_t hash;
    uint64_t position;
    uint32_t count; /* session scope: acquisitions */
    uint8_t mode;
    bool session_scope;
    LockHold *next_in_lock, **link_in_lock;
    LockHold *newer, *older; /* in the session */
    LockHold *next_in_bucket;
};

struct LockWaiter {
    Lock *lock;
    LockTag tag;
    TxnSession *session;
    LockHold *hold; /* becomes the lock's when granted */
    LockWaiter *next, *previous;
    Event event;
    int64_t wait_start;
    Oid relation; /* of a row's table */
    uint8_t mode;
    bool granted; /* under the partition's mutex */
};

/* A hash table whose buckets grow: a transaction may lock a key for each of a million rows. */
typedef struct LockPartition {
    Mutex mutex;
    Lock **buckets GUARDED_BY(mutex); /* heap; or the one below */
    Lock *only_bucket GUARDED_BY(mutex);
    uint32_t bucket_mask GUARDED_BY(mutex);
    uint32_t lock_count GUARDED_BY(mutex);
    uint32_t free_count GUARDED_BY(mutex);
    Lock *free_locks GUARDED_BY(mutex);
} ALIGNED(CACHE_LINE) LockPartition;

struct LockTable {
    LockPartition partitions[LOCK_PARTITIONS];
    /* By relation: who holds or wants a lock that no weak one goes with. Seldom written. */
    ALIGNED(CACHE_LINE) _Atomic uint32_t strong_counts[STRONG_COUNTS];
    ALIGNED(CACHE_LINE) Mutex deadlock_mutex;
    uint64_t visit_mark GUARDED_BY(deadlock_mutex);
};

typedef struct LockRequest {
    LockTag tag;
    uint8_t mode;
    bool session_scope;
    LockWait wait;
    WaitEvent wait_event;
    TxnTree *tree; /* rows and keys: whose runs are to be asked */
    Oid relation;  /* rows: what pg_locks calls the table */
} LockRequest;

static inline uint64_t lock_tag_hash(const LockTag *tag)
{
    /* Row 1 of a table and the table itself have the same numbers: the space is spread widely. */
    const uint64_t where = ((uint64_t)tag->database << 8 | tag->space) * 0x9e3779b97f4a7c15;
    return hash_mix64(tag->a ^ hash_mix64(tag->b ^ where));
}
static inline bool lock_tag_equal(const LockTag *a, const LockTag *b)
{
    return a->b == b->b && a->a == b->a && a->space == b->space && a->database == b->database;
}

/* The modes that conflict with a mode, as bits (1 << mode). */
uint32_t lock_conflicts(uint32_t space, uint8_t mode);
/* Does who holds one mode need no hold in the other? */
bool lock_mode_covers(uint32_t space, uint8_t held, uint8_t wanted);
/* NOWAIT and TRY: LOCK_WOULD_BLOCK; the caller words the error. */
MUST_CHECK LockOutcome lock_acquire(TxnSession *session, const LockRequest *request);
LockHold *lock_hold_find(const TxnSession *session, const LockTag *tag, uint8_t mode,
                         bool session_scope);
void lock_release_hold(TxnSession *session, LockHold *hold);
LockPartition *lock_partition(LockTable *table, uint64_t hash);
Lock *lock_find(LockPartition *partition, const LockTag *tag) REQUIRES(partition->mutex);
/* A hold of `session`'s made by somebody else, of one of its row runs or fast locks. */
void lock_make_foreign(Lock *lock, TxnSession *session, uint8_t mode, uint64_t position)
    REQUIRES(session->shared_mutex);
void lock_release_foreign(TxnSession *session, uint64_t position);
void lock_release_foreign_on(TxnSession *session, const LockTag *tag);

/* Granted to a session that no longer wants it: given back at once. */
void lock_granted_late(TxnSession *session, LockHold *hold);

/* lock_fast.c */
/* Is it against weak locks that sessions may have noted? */
bool fast_lock_is_strong(const LockTag *tag, uint8_t mode);
/* LOCK_WOULD_BLOCK: it must be taken in the lock table. */
LockOutcome fast_lock_acquire(TxnSession *session, DatabaseId database, Oid relation,
                              LockMode mode);
bool fast_lock_is_held(TxnSession *session, DatabaseId database, Oid relation, LockMode mode);
void fast_locks_release(TxnSession *session, uint64_t position);
/* From the first to the second nobody notes a weak lock of that relation. */
void fast_locks_bar(LockTable *table, const LockTag *tag);
void fast_locks_unbar(LockTable *table, const LockTag *tag);
/* Makes the noted locks of a barred relation ordinary ones; the lock's partition is held. */
void fast_locks_collect(TxnManager *manager, Lock *lock);
void fast_locks_show(TxnSession *session, Arena *arena, LockInfoVec *locks);

/* lock_wait.c */
LockInfo lock_info_of(const LockTag *tag, const TxnSession *session, uint8_t mode);
/* Waits in the lock's queue. The partition's mutex is held at the call and free afterwards. */
MUST_CHECK LockOutcome lock_wait(TxnSession *session, LockPartition *partition, Lock *lock,
                                 LockHold *hold, const LockRequest *request);
/* Before whom a session would wait: the first that waits for what it holds. NULL: the end. */
LockWaiter *lock_queue_place(const Lock *lock, const TxnSession *session)
    REQUIRES(partition->mutex);
/* Somebody has got a hold past those who wait: they wait for him as well. He waits for nobody. */
void lock_blockers_changed(LockTable *table, Lock *lock) REQUIRES(partition->mutex);
/* Grants what can be granted and tells the others whom they wait for now. */
void lock_wake(LockTable *table, Lock *lock) REQUIRES(partition->mutex);
bool lock_is_blocked(const Lock *lock, const TxnSession *session, uint8_t mode,
                     const LockWaiter *before);
void lock_hold_link(Lock *lock, LockHold *hold);
/* Does anybody wait for what this hold is of? */
bool lock_is_waited_for(TxnSession *session, LockHold *hold);

/* lock_row.c */
/* The mode of RowLockMode that a hold or a waiter is known by outside. */
RowLockMode row_mode_known_as(uint8_t mode);

/* lock_runs.c */
/* Does this session hold the row or key in its runs, at least as strongly? */
bool lock_runs_hold(const TxnSession *session, const TxnTree *tree, const LockTag *tag,
                    uint8_t mode);
/* Takes the row or key into the session's runs when nobody else has or wants its lock; LOCK_HELD:
 * those of this savepoint have it already. LOCK_WOULD_BLOCK: take it singly. */
LockOutcome lock_runs_take(TxnSession *session, TxnTree *tree, const LockTag *tag, uint8_t mode);
/* Another session's runs hold what is wanted, in a mode against it: makes it a hold of the lock. */
bool lock_runs_materialize(TxnTree *tree, Lock *lock, const TxnSession *session,
                           const LockRequest *request);
/* A key that the session's runs hold no longer; what others made of it before stays. False: they
 * didn't. */
bool lock_runs_drop_key(TxnSession *session, TxnTree *index, uint64_t hash);

/* lock_claim.c */
/*
 * Does another transaction hold the key by an entry that it has spilled? Where `tag` is given, it
 * gets a hold of the lock, which `session` has: to be given back, and asked for again.
 */
MUST_CHECK bool key_claims_find(TxnTree *index, const TxnSession *session, const LockTag *tag,
                                Str key, bool *ret_is_claimed);

#endif
