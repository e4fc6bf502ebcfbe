/*
 * Row versions: what rows and index entries were before recent commits, in memory only.
 *
 * A leaf's `versions` slot holds one number, the LSN of the newest commit that changed the leaf: a
 * snapshot at or after it reads the page as it is and looks no further. Only for other leaves the
 * version store is asked: segments of 256 row ids for tables, and a history for each recently
 * changed index entry, in partitions with a mutex each. So a split or merge of leaves copies a
 * number, and reclaiming touches no page.
 *
 * Commit calls version_push_row / version_push_entry from the tree's observer, under the leaf's
 * X-latch, before the page changes. Readers look up under the S-latch (rows), or after a cursor's
 * fill (entries): the history then may know more than the copied entry, never less.
 *
 * A row's head dates what the page has; older versions follow, newest first. Before the oldest the
 * row did not exist. Images stay where they are until version_reclaim is
 * told a horizon that no published snapshot is below, so readers use them without the mutex.
 *
 * Invariants: V1 head.ts of a row <= its leaf's slot. V2 Versions of a chain have falling ts.
 */
#ifndef TXN_VERSION_H
#define TXN_VERSION_H

#include "base/str.h"
#include "base/sync.h"
#include "storage/tree.h"
#include "txn/entry_run.h"
#include "txn/fresh.h"
#include "txn/snapshot.h"
#include "txn/version_memory.h"

typedef struct VersionStore VersionStore;

/* A tree's name in one word: database << 32 | tree. */
typedef uint64_t TreeName;

typedef struct Version {
    Lsn ts;
    struct Version *older;
    uint32_t length;
    bool absent; /* the row did not exist */
    byte image[];
} Version;

/* What a snapshot sees of a row. */
typedef enum VersionSeen {
    SEEN_PAGE = 0, /* what the page has, be it a row or nothing */
    SEEN_IMAGE,
    SEEN_NOTHING,
} VersionSeen;

typedef struct VersionRow {
    uint64_t row_id;
    VersionSeen seen;
    const Version *image; /* SEEN_IMAGE */
} VersionRow;

/* Versions beyond a limit are spilled to `directory`; "": they are not. */
VersionStore *version_store_new(Str directory);
void version_store_free(VersionStore *store);
/* Rows added in bulk, which have no versions of their own. */
FreshList *version_fresh(VersionStore *store);
/* Entries that large commits have changed, which have no histories for that. */
EntryRuns *version_entry_runs(VersionStore *store);
uint64_t version_store_bytes(const VersionStore *store);
VersionMemory *version_store_memory(VersionStore *store);

/* A range of LSNs in which snapshots are; what lies between them need not be kept. */
typedef struct SnapshotRange {
    Lsn low, high;
} SnapshotRange;

/* The image of `change`'s row before it becomes version `ts`. */
void version_push_row(VersionStore *store, TreeName tree, const TreeChange *change, Lsn ts);
void version_push_entry(VersionStore *store, TreeName tree, const TreeChange *change, Lsn ts);

/* One row at a snapshot; *ret_ts (may be NULL) is the date of what the page has, 0 if old. */
VersionRow version_find_row(VersionStore *store, TreeName tree, uint64_t row_id,
                            const Snapshot *snapshot, Lsn *ret_ts);
/*
 * The rows in [first, last] of one segment that `snapshot` sees otherwise than the page has
 * them, ascending, at most 256. Returns their count.
 */
#define VERSION_SEGMENT_BITS 8
#define VERSION_SEGMENT_ROWS (1u << VERSION_SEGMENT_BITS)
uint32_t version_find_segment(VersionStore *store, TreeName tree, uint64_t segment, uint64_t first,
                              uint64_t last, const Snapshot *snapshot, VersionRow *ret_rows);
/* The next segment >= `segment` in which a row is missing from its page; false: none. */
bool version_next_dead_segment(VersionStore *store, TreeName tree, uint64_t segment,
                               uint64_t *ret_segment);
bool version_has_dead(const VersionStore *store);

/* Does `snapshot` see this entry, which now is live or a ghost? */
bool version_sees_entry(VersionStore *store, TreeName tree, Str key, bool live,
                        const Snapshot *snapshot);

/* May some snapshot see this entry otherwise than it is now? */
bool version_has_entry(VersionStore *store, TreeName tree, Str key);

/* A row or entry that a commit changed: what version_reclaim visits. */
typedef struct VersionName {
    TreeName tree;
    uint64_t id; /* the row id, or the entry's hash */
    bool is_entry;
    uint32_t more; /* where names are kept: so many rows behind it likewise */
} VersionName;
uint64_t version_entry_hash(TreeName tree, Str key);
/* Frees what no snapshot at or above `horizon` needs of it. */
void version_reclaim(VersionStore *store, const VersionName *name, Lsn horizon);
/* Frees versions of a row that lie between snapshots: none of `ranges` (ascending, disjoint)
 * touches them; *freed grows by their number. True: a commit later than `lsn` has changed the row
 * again, or nothing is left. */
bool version_prune(VersionStore *store, const VersionName *name, Lsn lsn,
                   const SnapshotRange *ranges, uint32_t range_count, Lsn bound, uint32_t *freed);

#endif
