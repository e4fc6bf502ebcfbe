/*
 * The store: one data directory and everything that keeps it whole.
 *
 *   pages         the data file: 16 KiB slots, never overwritten while a checkpoint refers to them
 *   map.N.base    a page map for every database, as of one checkpoint
 *   map.N.journal changes since, one batch a checkpoint, chained by checksums
 *   superblock    which base and journal count, and where redo starts; two generations, two copies
 *   wal/          the log (wal.h)
 *   lock          held while a server has the directory open
 *   reserve       room for the next maps, given up when the disk is full
 *
 *   TRY(store_create(path));
 *   Store *store = store_open(path, &options);          maps loaded; pages readable
 *   TRY(store_recover(store, apply, context));          replays the log; then the log is open
 *   Database *database = store_database(store, id);
 *   TRY(checkpoint_request(store, CHECKPOINT_WAIT));
 *   store_close(store, STORE_CLOSE_CLEAN);
 *
 * A database is a page map. database_clone copies the map, not the pages; both share slots until
 * one of them writes. database_create, _clone and _drop return when a checkpoint has made them
 * durable; a crash before leaves them wholly done or not done. Who calls them keeps sessions away
 * from the databases concerned. Databases that nobody's catalog knows (a crash between the clone
 * and the commit) are found by store_databases and dropped by the caller.
 *
 * Invariants of the checkpoint (ENGINE 1; the model in regress/crash/checkpoint_model.py):
 * C1  Image k is the state of all pages at boundary k, at which no action was open.
 * C2  A slot that a durable map refers to is not written until a newer map is durable.
 * C3  redo of checkpoint k = min(B, every applying_lsn), B the end of the log at the boundary; a
 *     writer publishes its applying_lsn before its wal_append.
 * C4  The log is durable up to B before map k is.
 * C5  Slots + free space = the whole data file, computed from the maps at every start.
 */
#ifndef STORAGE_STORE_H
#define STORAGE_STORE_H

#include "base/base.h"
#include "base/str.h"
#include "storage/page.h"
#include "storage/wal.h"

/* What is written, and the oldest that is read. A start makes of the older one the newest, which an
 * older server refuses. What each brought: docs/storage-format.md. */
#define STORE_FORMAT_VERSION 2
#define STORE_FORMAT_OLDEST 1
/* That of a directory that may be in use; another server's fails with 55000. */
MUST_CHECK bool store_format_version(Str path, uint32_t *ret_version);

typedef struct StoreOptions {
    uint64_t pool_bytes;           /* frames; at least STORE_POOL_MIN is used */
    uint32_t database_page_limit;  /* page ids a database can have; 0: the default, 2^28 (4 TiB) */
    uint32_t wal_ring_bytes;       /* a power of two; 0: 16 MiB */
    uint64_t wal_ahead_bytes;      /* log kept ready for what comes; 0: a segment */
    int64_t checkpoint_timeout_us; /* between checkpoints; 0: never by time */
    double completion_target;      /* of the time to the next checkpoint, that one may take; 0: all
                                    * at once */
    uint64_t max_wal_bytes;        /* log since the last checkpoint that starts one; 0: 1 GiB */
    uint64_t min_wal_bytes;        /* recycled segments kept ready; 0: 80 MiB */
    bool direct_io;                /* bypass the system's page cache for the data file */
    bool read_only;                /* for verification: nothing is written; readable where clean */
} StoreOptions;
#define STORE_POOL_MIN (256u * PAGE_SIZE)

typedef enum StoreClose {
    STORE_CLOSE_CLEAN, /* a last checkpoint; the next start replays nothing */
    STORE_CLOSE_ABORT, /* as a crash leaves it */
} StoreClose;

/* Makes the directory; one that is there must be empty. */
MUST_CHECK bool store_prepare_directory(Str path);
/* Makes an empty store with the shared database in a directory that is absent or empty. */
MUST_CHECK bool store_create(Str path);
/* A directory without this file is no store: who moves a store moves it last. */
#define STORE_SUPERBLOCK "superblock"
MUST_CHECK Store *store_open(Str path, const StoreOptions *options);
/* No task uses the store any more. Accepts NULL. False: the last checkpoint failed, error set. */
bool store_close(Store *store, StoreClose how);

/*
 * Called for each record of the log in order, and with NULL behind the last: what was put off must
 * be done then. False stops recovery with the error set.
 */
typedef bool StoreApply(void *context, Store *store, const WalRecord *record);
/* Once, after store_open and before any wal_append; `apply` may change pages. */
MUST_CHECK bool store_recover(Store *store, StoreApply *apply, void *context);

/* What recovery had to do; all zero where the store was closed cleanly. */
typedef struct StoreRecovery {
    Lsn redo, end;
    uint64_t record_count;
    int64_t microseconds;
    uint64_t damaged_pages; /* that were met and set aside: reading them gives XX001 from now on */
    uint64_t lost_changes;  /* of the log, that would have gone to such pages */
} StoreRecovery;
StoreRecovery store_recovery(const Store *store);
/*
 * For `apply`, after an operation has failed with XX001: recovery goes on without it, since whoever
 * reads what it would have changed is told of the damage. False: the error is of another kind, or
 * no page was damaged.
 */
MUST_CHECK bool store_pass_over(Store *store);
/*
 * Afterwards a commit may pass over a change, too: it tries once more in between, so that the page
 * that is in its way is set aside. What other tasks find meanwhile isn't: they can still fail, and
 * a disk may give another time what it doesn't give now.
 */
typedef struct StorePasser {
    const struct Task *task;
    struct StorePasser *next; /* guarded by the store */
} StorePasser;
void store_aside_begin(Store *store, StorePasser *passer); /* one's own, until */
void store_aside_end(Store *store, StorePasser *passer);
/* The first few damaged pages by what was found, from 0; STR_NONE past the last. */
Str store_damage(const Store *store, uint32_t index);

Wal *store_wal(Store *store);
Str store_path(const Store *store);

/*
 * Makes sure that the data file has room for `pages` pages more, before the record is logged whose
 * apply allocates them. May wait for a checkpoint; fails with 53100. Given back after the apply.
 */
MUST_CHECK bool store_admit(Store *store, uint64_t pages);
void store_retract(Store *store, uint64_t pages);

/* The least applying_lsn of all workers, LSN_MAX if none; called while no action is open. */
typedef Lsn StoreRedoFloor(void *context);
void store_set_redo_floor(Store *store, StoreRedoFloor *callback, void *context);

/* -------- Databases -------- */

Database *store_database(Store *store, DatabaseId id); /* NULL: no such database, no error */
typedef bool StoreDatabaseCallback(void *context, Database *database); /* false stops */
void store_databases(Store *store, StoreDatabaseCallback *callback, void *context);
MUST_CHECK Database *database_create(Store *store, DatabaseId id);
MUST_CHECK Database *database_clone(Store *store, DatabaseId id, Database *source);
MUST_CHECK bool database_drop(Store *store, DatabaseId id);
/* Pages allocated (permanent), for pg_database_size. */
uint64_t database_page_count(const Database *database);

/* -------- Checkpoints -------- */

typedef enum CheckpointMode {
    CHECKPOINT_START, /* ask for one and go on */
    CHECKPOINT_WAIT,  /* return when one that began after the call is durable */
} CheckpointMode;
MUST_CHECK bool checkpoint_request(Store *store, CheckpointMode mode);

typedef enum CheckpointReason {
    CHECKPOINT_BY_TIME,
    CHECKPOINT_BY_LOG,
    CHECKPOINT_BY_REQUEST,
    CHECKPOINT_AT_END
} CheckpointReason;

/* One checkpoint, told as it begins and when it is durable (abandoned ones are not told again). */
typedef struct CheckpointReport {
    CheckpointReason reason;
    bool is_complete; /* the rest is zero before */
    uint64_t page_count;
    int64_t write_us, sync_us, total_us, boundary_us;
    uint64_t log_bytes; /* since the one before */
    Lsn redo;
} CheckpointReport;
typedef void StoreCheckpointCallback(void *context, const CheckpointReport *report);
/* On the checkpointer's thread. Set before store_recover. */
void store_on_checkpoint(Store *store, StoreCheckpointCallback *callback, void *context);

typedef struct StoreStatistics {
    uint64_t checkpoint_count, checkpoint_failed_count;
    uint64_t pages_written_checkpoint, pages_written_eviction, shadow_count;
    uint64_t pages_read, pages_prefetched; /* the latter are among the former */
    uint64_t boundary_microseconds_max;    /* the longest pause a checkpoint has caused */
    uint32_t frame_count, frames_free;
    uint64_t slots_total, slots_used;
    uint32_t epoch, durable_epoch;
} StoreStatistics;
void store_statistics(Store *store, StoreStatistics *ret_statistics);
/* New limits after a configuration reload, for a checkpoint under way too; pool and ring sizes
 * stay. */
void store_configure(Store *store, const StoreOptions *options);

/* -------- Verification -------- */

typedef struct StoreProblem {
    DatabaseId database;
    PageId page;
    uint32_t slot;
    Str text; /* valid during the call */
} StoreProblem;
typedef void StoreProblemCallback(void *context, const StoreProblem *problem);
/*
 * Reads every page the newest checkpoint refers to and checks checksum, identity, that slots are
 * shared only by clones, that reference counts and free space agree with the maps. Needs a store
 * that nothing is writing to. *ret_count: problems told. False: it could not be done.
 */
MUST_CHECK bool store_verify(Store *store, StoreProblemCallback *callback, void *context,
                             uint64_t *ret_count);

#endif
