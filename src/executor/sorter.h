/*
 * Sorting records by key bytes, in memory or in runs on disk: ORDER BY, CREATE INDEX, ordered
 * aggregates.
 *
 * A record is a key and a payload, which the sorter doesn't look into.
 *
 *   sorter_init(&sorter, spills, limit);
 *   count = sorter_reserve(&sorter, key_sizes, payload_sizes, wanted, at);   0: failed
 *   … the caller writes each key and, right behind it, the payload at at[i] …
 *   TRY(sorter_finish(&sorter));
 *   TRY(sorter_next(&sorter, &record));         record.key.data NULL at the end; see below
 *   sorter_clear(&sorter); … sorter_deinit(&sorter);
 *
 * Records with equal keys come in the order they were added. A record given lives until the next
 * call when sorter_is_merging, otherwise until sorter_clear.
 *
 * sorter_keep_first(&sorter, n) before the first record: only the first n of the order are wanted.
 * Records that sorter_refuses need not be added then.
 *
 * How: records lie one behind the other in chunks. To sort, an entry of 16 bytes is made for each:
 * 8 key bytes (behind what all keys have in common) and the record's place. Entries are
 * radix-sorted from the first bit in which they differ; those whose 8 bytes are equal get their
 * next 8. What outgrows the limit is sorted and written as a run; a tree of losers merges the runs.
 */
#ifndef EXECUTOR_SORTER_H
#define EXECUTOR_SORTER_H

#include "executor/spill.h"

#include "base/str.h"

typedef struct SortRecord {
    Str key;
    const char *payload;
    uint32_t payload_size;
} SortRecord;

typedef struct SortEntry {
    uint64_t prefix; /* 8 bytes of the key, big-endian */
    const char *record;
} SortEntry;

/* Chunks of megabytes: one that grows with the records would be copied, and let go of at once. */
typedef struct SortChunk SortChunk;

typedef struct SortRun SortRun;

typedef struct Sorter {
    SpillSet *spills;
    size_t limit;
    SortChunk *first, *last; /* heap: of records, to the one that is being filled */
    size_t used;             /* bytes of all records in memory */
    uint64_t count, at;
    SortEntry *entries, *spare; /* heap: of the records in memory, once they are sorted */
    uint64_t entry_capacity;
    uint64_t *buckets; /* heap: while they are sorted */
    uint32_t common;   /* bytes that all keys begin with, as far as keys have been looked at */
    StrBuf first_key;  /* heap: its beginning */
    SortRun *runs;     /* heap, in the order they were written */
    uint32_t *losers;  /* heap: the tree; the first one is the winner */
    uint32_t run_count, run_capacity;
    uint64_t keep; /* UINT64_MAX: all */
    StrBuf cutoff; /* heap: key of the last record kept, when `keep` have come */
    bool has_first_key, has_cutoff, has_current;
    uint64_t spilled_bytes, peak_bytes;
} Sorter;

void sorter_init(Sorter *sorter, SpillSet *spills, size_t limit);
/* Room for the first of `wanted` records, as many as memory takes: at least one. */
MUST_CHECK uint32_t sorter_reserve(Sorter *sorter, const uint32_t *key_sizes,
                                   const uint32_t *payload_sizes, uint32_t wanted, char **at);
MUST_CHECK bool sorter_finish(Sorter *sorter);
MUST_CHECK bool sorter_next(Sorter *sorter, SortRecord *ret);
static inline bool sorter_is_merging(const Sorter *sorter)
{
    return sorter->run_count > 0;
}
/* Reads again from the start; only sorts that fit in memory can (false, no error: sort again). */
bool sorter_restart(Sorter *sorter);
void sorter_keep_first(Sorter *sorter, uint64_t count);
/* Whether a record with this key would not be kept. */
static inline bool sorter_refuses(const Sorter *sorter, Str key)
{
    return sorter->has_cutoff && str_compare(key, strbuf_view(&sorter->cutoff)) >= 0;
}
void sorter_clear(Sorter *sorter);
void sorter_deinit(Sorter *sorter);

#endif
