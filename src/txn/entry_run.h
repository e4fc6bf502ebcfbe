/*
 * Index entries that one large commit has changed, in key order: what older snapshots see of them.
 *
 * A history for each of a million entries (version.h) is a place in a hash table for each, made,
 * looked for and freed singly. The apply of a commit comes to an index's entries in key order and
 * gives them all one date: so they are appended to a run instead, which is searched by bisection
 * and freed as a whole.
 *
 *   EntryRun *run = entry_run_new(runs, index, lsn);   NULL: there are enough already
 *   if (entry_run_add(run, key, live)) ...             false: not behind the last one
 *   entry_runs_find(runs, index, key, &snapshot, &change);
 *   entry_runs_reclaim(runs, horizon);
 *
 * The commit that made a run alone appends to it, under the leaf's X-latch and before the leaf
 * changes; only while its commit is hidden from all snapshots. Readers take no mutex: a run whose
 * date a snapshot does not see is not freed while that snapshot is published, and stays in its
 * place. So its date, which is stored last, says that the place is its own.
 *
 * Invariants: E1 Keys of a run ascend. E2 What is counted of a run, of blocks and of a block's
 * entries, changes no more.
 */
#ifndef TXN_ENTRY_RUN_H
#define TXN_ENTRY_RUN_H

#include "base/str.h"
#include "base/sync.h"
#include "storage/store.h"
#include "txn/snapshot.h"
#include "txn/version_memory.h"

typedef struct EntryRun EntryRun;
typedef uint64_t TreeName; /* version.h */

#define ENTRY_RUNS_MOST 32u   /* at a time */
#define ENTRY_RUNS_OF_INDEX 8 /* of one index: each costs its readers a search */

typedef struct EntryRunPlace {
    _Atomic Lsn lsn; /* 0: free */
    _Atomic TreeName index;
    EntryRun *_Atomic run;
} EntryRunPlace;

typedef struct EntryRuns {
    Mutex mutex; /* rank LEAF: of who takes or frees a place */
    VersionMemory *memory;
    _Atomic uint32_t count; /* places in use; changed under the mutex, as the places are */
    _Atomic uint64_t bytes;
    EntryRunPlace places[ENTRY_RUNS_MOST];
} EntryRuns;

/* What an entry became, and when. */
typedef struct EntryChange {
    Lsn ts;
    bool live;
} EntryChange;

void entry_runs_init(EntryRuns *runs, VersionMemory *memory);
void entry_runs_deinit(EntryRuns *runs);
static inline uint64_t entry_runs_bytes(const EntryRuns *runs)
{
    return atomic_load_explicit(&((EntryRuns *)runs)->bytes, memory_order_relaxed);
}

EntryRun *entry_run_new(EntryRuns *runs, TreeName index, Lsn lsn);
bool entry_run_add(EntryRun *run, Str key, bool live);

/* The oldest change of the entry that the published snapshot does not see; false: there is none. */
bool entry_runs_find(EntryRuns *runs, TreeName index, Str key, const Snapshot *snapshot,
                     EntryChange *ret_change);
/* Frees those that every snapshot sees. */
void entry_runs_reclaim(EntryRuns *runs, Lsn horizon);

#endif
