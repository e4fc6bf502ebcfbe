/*
 * Locks, in memory only: rows, keys of unique indexes, tables, databases, advisory locks.
 *
 *   TRY(lock_relation(txn, database, table_oid, LOCK_ROW_EXCLUSIVE, LOCK_WAIT, name));
 *   switch (txn_lock_row(txn, table, row_id, ROW_LOCK_NO_KEY_UPDATE, &request, &result)) { … }
 *
 * Locks end with the transaction, or with the rollback to a savepoint set before they were taken.
 * Waiters are served first come first served, as in PostgreSQL; who already holds a lock and
 * wants more of it goes ahead of those who wait for the holder, and so does who wants a row's lock
 * that none of its holders is against. A wait that would close a circle
 * fails at once with 40P01. Row locks cost a slot each up to a limit; beyond it a transaction's
 * rows in one table are kept as a set of row ids, exactly, and its keys in an index as a set of
 * their hashes.
 *
 * Invariants: L1 Two holders of a lock never conflict. L2 A waiter is blocked by a holder or by
 * an earlier waiter. L3 Whoever waits has recorded whom for before it sleeps.
 */
#ifndef TXN_LOCK_H
#define TXN_LOCK_H

#include "base/vec.h"
#include "txn/txn.h"

/* Table modes, PostgreSQL's numbers. */
typedef enum LockMode {
    LOCK_NONE = 0,
    LOCK_ACCESS_SHARE,
    LOCK_ROW_SHARE,
    LOCK_ROW_EXCLUSIVE,
    LOCK_SHARE_UPDATE_EXCLUSIVE,
    LOCK_SHARE,
    LOCK_SHARE_ROW_EXCLUSIVE,
    LOCK_EXCLUSIVE,
    LOCK_ACCESS_EXCLUSIVE,
} LockMode;
Str lock_mode_name(LockMode mode); /* "AccessShareLock" */

typedef enum LockWait {
    LOCK_WAIT = 0, /* up to lock_timeout */
    LOCK_NOWAIT,   /* fails with 55P03, naming the relation */
    LOCK_TRY,      /* LOCK_WOULD_BLOCK, no error: SKIP LOCKED, pg_try_advisory_lock */
} LockWait;

typedef enum LockOutcome {
    LOCK_FAILED = 0, /* error is set */
    LOCK_GRANTED,
    LOCK_HELD, /* this owner had it already */
    LOCK_WOULD_BLOCK,
} LockOutcome;

/* `name` is for NOWAIT's message: could not obtain lock on relation "name". */
MUST_CHECK LockOutcome lock_relation(Txn *txn, DatabaseId database, Oid relation, LockMode mode,
                                     LockWait wait, Str name);
/* Databases, schemas, roles …: (class, object) is pg_locks' (classid, objid). */
MUST_CHECK LockOutcome lock_object(Txn *txn, DatabaseId database, Oid class_id, Oid object_id,
                                   LockMode mode, LockWait wait);
/* Does this transaction (or its session) hold that mode or a stronger one there? */
bool lock_relation_is_held(Txn *txn, DatabaseId database, Oid relation, LockMode mode);

/* Advisory locks. `pair`: made from two int4 keys rather than one int8 (pg_locks.objsubid). */
typedef struct AdvisoryKey {
    int64_t key; /* of a pair: first key in the high half */
    bool pair;
} AdvisoryKey;
typedef enum AdvisoryScope { ADVISORY_SESSION = 0, ADVISORY_TRANSACTION } AdvisoryScope;
typedef enum AdvisoryMode { ADVISORY_EXCLUSIVE = 0, ADVISORY_SHARED } AdvisoryMode;
/* Session locks nest: as many releases as acquisitions. Needs an open transaction to wait in. */
MUST_CHECK LockOutcome lock_advisory(Txn *txn, DatabaseId database, AdvisoryKey key,
                                     AdvisoryScope scope, AdvisoryMode mode, LockWait wait);
/* False when this session does not hold it (the caller warns: you don't own a lock of type …). */
bool lock_advisory_release(TxnSession *session, DatabaseId database, AdvisoryKey key,
                           AdvisoryMode mode);
void lock_advisory_release_all(TxnSession *session);

/* Row modes, weakest first; PostgreSQL's conflict table. */
typedef enum RowLockMode {
    ROW_LOCK_KEY_SHARE = 1, /* blocks deletion and changes of the key: foreign keys */
    ROW_LOCK_SHARE,
    ROW_LOCK_NO_KEY_UPDATE, /* UPDATE of columns in no unique index */
    ROW_LOCK_UPDATE,        /* DELETE, and UPDATE of key columns */
} RowLockMode;

/* Columns of a row that are to be read with the look that the lock needs anyway. */
typedef struct RowRead {
    const uint16_t *columns;
    uint32_t column_count;
    Value *values;
    bool *nulls;
    Arena *arena; /* variable data */
} RowRead;

typedef struct RowLockRequest {
    RowLockMode mode;
    LockWait wait;
    Snapshot snapshot;   /* where the row was seen; changes after it are reported */
    Oid relation;        /* for pg_locks */
    Str relation_name;   /* for NOWAIT's message, and 40001's callers */
    bool ignore_changes; /* foreign key checks: lock whatever is newest, no 40001 */
    bool for_writing;    /* the row is to be written: who inserts its keys waits for the end */
    /*
     * KEY_SHARE: what became of the row since the snapshot matters only if one of these columns
     * (of keys that may be referred to) is another, or the row is gone. NULL: any change matters.
     */
    const uint16_t *key_columns;
    uint32_t key_column_count;
    const RowRead *read; /* NULL: nothing is read */
} RowLockRequest;

typedef enum RowLockOutcome {
    ROW_LOCK_FAILED = 0,  /* error is set: 40001, 40P01, 55P03, cancelled */
    ROW_LOCK_LOCKED,      /* the row is as the snapshot sees it */
    ROW_LOCK_CHANGED,     /* locked, and result->image is what it is now */
    ROW_LOCK_GONE,        /* deleted by another transaction; not locked */
    ROW_LOCK_SELF,        /* this very command, or a later one, has written it; not to be redone */
    ROW_LOCK_WOULD_BLOCK, /* LOCK_TRY only */
} RowLockOutcome;

typedef struct RowLockResult {
    bool is_read; /* LOCKED, and what request->read asks for is there: the row as it is locked */
    Str image; /* of ROW_LOCK_CHANGED; in the arena given. STR_NONE with ROW_LOCK_SELF: deleted */
} RowLockResult;

/*
 * Locks a row and tells what became of it meanwhile. Under REPEATABLE READ a change after the
 * snapshot is 40001 instead of CHANGED or GONE; a deletion is called one only if `for_writing`. A
 * row that this transaction inserted needs no lock and is LOCKED.
 */
MUST_CHECK RowLockOutcome txn_lock_row(Txn *txn, TxnTree *table, int64_t row_id,
                                       const RowLockRequest *request, Arena *arena,
                                       RowLockResult *ret_result);

/* One line of pg_locks. */
typedef struct LockInfo {
    Str lock_type; /* "relation", "tuple", "object", "advisory", "transactionid" … */
    DatabaseId database;
    Oid relation;    /* relations, rows */
    int64_t row_id;  /* rows: only those waited for, as in PostgreSQL */
    uint64_t txn_id; /* transactionid */
    Oid class_id, object_id;
    int16_t object_sub_id;
    uint64_t virtual_id;   /* the session's number and that of its transaction in it, of */
    uint64_t local_number; /* virtualtransaction; 0: none runs */
    int32_t process_id;
    Str mode;
    bool granted;
    bool is_fast;       /* noted by its session only */
    int64_t wait_start; /* wall clock; 0 when granted */
} LockInfo;
typedef VEC(LockInfo) LockInfoVec;
void lock_snapshot(TxnManager *manager, Arena *arena, LockInfoVec *locks);
/* pg_blocking_pids: whom the session of that process waits for. */
typedef VEC(int32_t) ProcessIdVec;
void lock_blockers(TxnManager *manager, int32_t process_id, Arena *arena, ProcessIdVec *blockers);

#endif
