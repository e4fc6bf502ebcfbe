/*
 * Transactions: private writes, snapshots that are one number, commits that are one log record.
 *
 * A session has one TxnSession and at most one open Txn in it:
 *
 *   Txn *txn = txn_begin(session, &(TxnOptions){.isolation = ISOLATION_READ_COMMITTED});
 *   TRY(txn_statement_begin(txn));                 once a statement: command number, snapshot
 *   Snapshot snapshot = *txn_snapshot(txn);        what this statement sees
 *   TRY(txn_insert(txn, table, image, &row_id));
 *   TRY(txn_index_insert(txn, index, key, row_id));
 *   TRY(txn_commit(txn));                          applied and visible; durable once the log is
 *   TRY(txn_wait_durable(session));                before the client is told
 *
 * Row images are what storage/row.h encodes; index keys are bytes in memcmp order, without the
 * row id that storage appends to them. Reading is in scan.h, locks in lock.h, sequences in
 * sequence.h, trees and databases made by DDL in ddl.h.
 *
 * What a statement sees: everything committed up to snapshot.lsn, but for large commits that were
 * still being applied (snapshot.h), and what this transaction wrote in commands before
 * snapshot.command. Writes of the running command are not seen by it; they
 * are from the next txn_command_next or txn_statement_begin on. A snapshot that must outlive its
 * statement (a cursor) is pinned.
 *
 * Invariants:
 *   T1 Nothing uncommitted is ever on a permanent page or in a commit record.
 *   T2 Commit records that touch the same row or key are applied in LSN order: the locks that
 *      order them are held until their apply has ended.
 *   T3 applied_lsn is the end of a prefix of the commit order without gaps, but for the large
 *      commits that are hidden from snapshots until they are applied.
 *   T4 Between the append of a commit record and the end of its apply nothing fails.
 *   T5 No row version that a published snapshot can see is freed.
 */
#ifndef TXN_TXN_H
#define TXN_TXN_H

#include "base/arena.h"
#include "base/str.h"
#include "storage/store.h"
#include "storage/tree.h"
#include "txn/snapshot.h"

typedef struct TxnManager TxnManager;
typedef struct TxnSession TxnSession;
typedef struct Txn Txn;

/* A tree as transactions see it: shared by all sessions, counted references (ddl.h). */
typedef struct TxnTree TxnTree;

typedef enum IsolationLevel {
    ISOLATION_READ_UNCOMMITTED = 0, /* behaves as READ COMMITTED */
    ISOLATION_READ_COMMITTED,
    ISOLATION_REPEATABLE_READ,
    ISOLATION_SERIALIZABLE, /* refused with 0A000 */
} IsolationLevel;

typedef enum SynchronousCommit {
    COMMIT_DURABLE = 0,  /* the reply waits for the log */
    COMMIT_ASYNCHRONOUS, /* it doesn't; the session sees its own commits at once */
} SynchronousCommit;

typedef struct TxnOptions {
    IsolationLevel isolation;
    bool read_only;
    bool deferrable;
} TxnOptions;

typedef enum TxnState {
    TXN_IDLE = 0,
    TXN_ACTIVE,
    TXN_FAILED_STATE, /* an error occurred; only rollback, or rollback to a savepoint */
} TxnState;

typedef struct TxnConfig {
    uint64_t version_memory_limit; /* bytes of old row versions in memory; others are spilled */
    uint64_t version_disk_limit;   /* bytes of those before the oldest reader fails */
    Str temporary_directory;       /* for what is spilled; "": nothing is */
    uint64_t write_set_memory;     /* bytes a transaction keeps in memory before it spills */
    uint32_t row_lock_limit;       /* row locks one transaction holds singly in one table */
    uint32_t large_commit_writes;  /* so many, and others need not wait for its apply */
    uint32_t recovery_threads;     /* that redo the log; 0 chooses, 1: the caller's own */
} TxnConfig;
extern const TxnConfig txn_config_default;

/*
 * Opens transactions over a store: replays the log from the checkpoint's redo position, then is
 * ready. `config` may be NULL. Closing needs every session closed; it does not checkpoint.
 */
MUST_CHECK bool txn_manager_open(Store *store, const TxnConfig *config, TxnManager **ret_manager);
void txn_manager_close(TxnManager *manager);
/*
 * Bytes that old row versions take, and their limits. Those beyond the first are spilled to disk.
 * Beyond both, or where the disk has no room, the oldest reader gets 72000, and one whose session
 * is at rest keeps nothing from then on.
 */
uint64_t txn_version_bytes(TxnManager *manager);
uint64_t txn_version_bytes_spilled(TxnManager *manager); /* of the file's, in whole ranges */
void txn_set_version_limits(TxnManager *manager, uint64_t memory_bytes, uint64_t disk_bytes);
Store *txn_manager_store(const TxnManager *manager);

/* One for each connection; NULL: 53200. `process_id` names it in pg_locks and deadlock reports. */
TxnSession *txn_session_open(TxnManager *manager, int32_t process_id);
/* Rolls back what is open and gives session locks back. */
void txn_session_close(TxnSession *session);
/* The open transaction, or NULL. */
Txn *txn_session_current(TxnSession *session);
/* Nothing of the session runs until it is woken: it waits for its client. */
void txn_session_rest(TxnSession *session);
void txn_session_wake(TxnSession *session);
void txn_session_set_synchronous(TxnSession *session, SynchronousCommit mode);

/* Life of a transaction. */
MUST_CHECK Txn *txn_begin(TxnSession *session, const TxnOptions *options);
/*
 * Makes the writes visible and their locks free, or fails having rolled back. What it made is not
 * to be acknowledged before txn_wait_durable.
 */
MUST_CHECK bool txn_commit(Txn *txn);
void txn_rollback(Txn *txn);
/* Before the first snapshot is taken: SET TRANSACTION. */
MUST_CHECK bool txn_set_isolation(Txn *txn, IsolationLevel isolation);
void txn_set_read_only(Txn *txn, bool read_only);
void txn_set_deferrable(Txn *txn, bool deferrable);

/* Statements. Under READ COMMITTED each sees what was committed when it began. */
MUST_CHECK bool txn_statement_begin(Txn *txn);
/* Lets what the current command wrote be seen by what follows: between a statement's parts that
 * PostgreSQL separates by CommandCounterIncrement. Takes no new snapshot. */
MUST_CHECK bool txn_command_next(Txn *txn);
/* The statement is over and the client is to think: under READ COMMITTED gives the snapshot up, so
 * that an idle transaction keeps no old versions. Optional; pinned snapshots stay. */
void txn_statement_end(Txn *txn);
/* The next statement takes a new snapshot, under REPEATABLE READ too: no data was seen so far. */
void txn_snapshot_forget(Txn *txn);
/* A fresh snapshot within a statement (volatile functions under READ COMMITTED, FK checks). */
MUST_CHECK bool txn_snapshot_refresh(Txn *txn);
const Snapshot *txn_snapshot(const Txn *txn);
/* Sees the newest committed version of everything, and all own writes of earlier commands. */
Snapshot txn_snapshot_latest(const Txn *txn);
/* Sees the newest committed versions and own writes, the running command's included. */
Snapshot txn_snapshot_self(const Txn *txn);
/* Keeps a snapshot readable beyond its statement, until unpinned or the transaction ends. */
void txn_snapshot_pin(Txn *txn, const Snapshot *snapshot);
void txn_snapshot_unpin(Txn *txn, const Snapshot *snapshot);

/* Facts. */
TxnSession *txn_session(const Txn *txn);
TxnManager *txn_manager(const Txn *txn);
IsolationLevel txn_isolation(const Txn *txn);
bool txn_is_read_only(const Txn *txn);
bool txn_is_deferrable(const Txn *txn);
/* Something went wrong in it: until a rollback every write and commit is refused with 25P02. */
void txn_mark_failed(Txn *txn);
bool txn_has_snapshot(const Txn *txn); /* SET TRANSACTION ISOLATION is too late */
/* An identifier for pg_current_xact_id, assigned when first asked for; txn_id_peek: 0 if none. */
uint64_t txn_id(Txn *txn);
uint64_t txn_id_peek(const Txn *txn);
/* The next identifier to be given: for age(xid). */
uint64_t txn_id_next(TxnManager *manager);
int64_t txn_start_time(const Txn *txn); /* os->wall_clock at txn_begin */

/* Waits until the log is durable that far; at once under COMMIT_ASYNCHRONOUS. */
MUST_CHECK bool txn_wait_durable(TxnSession *session);
/* A number that grows whenever DDL commits; what schema caches are keyed by. */
uint64_t txn_schema_version(const TxnManager *manager);
/*
 * A commit that changes the schema is being applied: who reads the newest rows of system tables may
 * find some of its changes and miss others, until it is done and the version is another.
 */
bool txn_schema_is_moving(const TxnManager *manager);
/* Waits until no such commit is being applied. */
MUST_CHECK bool txn_schema_settle(const TxnManager *manager);
/* Has the schema changed since the statement's snapshot was taken? */
bool txn_schema_outran_snapshot(const Txn *txn);
/* Says that this transaction changes the schema: its commit raises txn_schema_version. */
void txn_mark_schema_change(Txn *txn);

/*
 * Savepoints: a position in the write set and in the locks. txn_rollback_to returns there and
 * leaves the savepoint standing; a released one's work belongs to its parent.
 */
typedef struct TxnSavepoint {
    uint32_t id; /* as txn_savepoint numbers them: grows, never used twice in a transaction */
} TxnSavepoint;
MUST_CHECK bool txn_savepoint(Txn *txn, TxnSavepoint *ret_savepoint);
void txn_rollback_to(Txn *txn, TxnSavepoint savepoint);
void txn_release(Txn *txn, TxnSavepoint savepoint);

/*
 * Callbacks at the end, in order of registration; `savepoint rollback` runs those registered
 * since with TXN_ABORTED. They may not fail or write. The context must outlive the transaction.
 */
typedef enum TxnEnd { TXN_ABORTED = 0, TXN_COMMITTED } TxnEnd;
typedef void TxnEndCallback(void *context, TxnEnd how);
void txn_on_end(Txn *txn, TxnEndCallback *callback, void *context);
/* Runs before the commit record is made, in order; may write, wait and fail (deferred checks,
 * ON COMMIT DELETE ROWS). */
typedef bool TxnCommitCheck(void *context, Txn *txn);
void txn_before_commit(Txn *txn, TxnCommitCheck *check, void *context);

/*
 * Writing. Nothing here checks locks or uniqueness: lock the row, check the key, then write. An
 * update or delete names a row that this transaction holds locked. Row ids are positive and, one
 * transaction's rows apart, in no order that means anything. Fails with 25006 when read only
 * ("cannot execute INSERT in a read-only transaction" is the caller's, earlier and better worded).
 */
MUST_CHECK bool txn_insert(Txn *txn, TxnTree *table, Str image, int64_t *ret_row_id);
/* The id that the transaction's next row would have, for messages. */
int64_t txn_next_row_id(const Txn *txn, const TxnTree *table);
/* Has the transaction written the row that is there? */
MUST_CHECK bool txn_row_is_own(Txn *txn, TxnTree *table, int64_t row_id, Arena *scratch,
                               bool *ret_is_own);
MUST_CHECK bool txn_update(Txn *txn, TxnTree *table, int64_t row_id, Str image);
MUST_CHECK bool txn_delete(Txn *txn, TxnTree *table, int64_t row_id);
MUST_CHECK bool txn_index_insert(Txn *txn, TxnTree *index, Str key, int64_t row_id);
MUST_CHECK bool txn_index_delete(Txn *txn, TxnTree *index, Str key, int64_t row_id);
/* Key-value trees (sequences, statistics): an empty value is a value. */
MUST_CHECK bool txn_put(Txn *txn, TxnTree *tree, Str key, Str value);
MUST_CHECK bool txn_remove(Txn *txn, TxnTree *tree, Str key);

/* Right before a commit, of which only more DDL can come in front: none of what this transaction
 * wrote to the tree takes place. Trees built in bulk keep what they have. */
void txn_forget_writes(Txn *txn, const TxnTree *tree);

/*
 * May `key` be inserted into this unique index? Takes the key's lock (held to the end where the
 * key is free, so that a second inserter waits for this transaction), then looks at what is
 * committed now and at own writes. Waits for a transaction that is deleting the key's entry, and
 * for one that has written the row which has the key, as PostgreSQL does. For ON CONFLICT and for
 * deferred checks as well.
 *
 * txn_index_delete takes that lock too, in indexes known to be unique: any txn_unique_check says so
 * of its index, the catalog of its own ones with txn_index_set_unique before anybody asks, since
 * their writers are known by keys' locks alone.
 */
typedef enum UniqueOutcome {
    UNIQUE_FAILED = 0, /* error is set: deadlock, timeout, cancelled */
    UNIQUE_OK,
    UNIQUE_CONFLICT, /* *ret_row_id has the key already */
} UniqueOutcome;
typedef struct UniqueProbe {
    TxnTree *index;
    TxnTree *table; /* NULL: nobody writes rows without their keys' locks (system tables) */
    Str key;
    int64_t self_row_id;   /* entries of this row don't count; 0: none */
    bool keeps_no_lock;    /* a look only: the key may be taken by the time it is inserted */
    bool waits_for_nobody; /* it is looked at again: the key's lock is taken if nobody has it */
} UniqueProbe;
MUST_CHECK UniqueOutcome txn_unique_check(Txn *txn, const UniqueProbe *check, int64_t *ret_row_id);
void txn_index_set_unique(TxnTree *index);

#endif
