/*
 * Sorting rows by key bytes, in memory or in runs on disk.
 *
 *   sorter_init(&sorter, exec, types, count);
 *   TRY(sorter_add(&sorter, key, vectors, row));          any number of times
 *   TRY(sorter_finish(&sorter));
 *   TRY(sorter_next(&sorter, &row, &key));                 NULL at the end; borrowed until the next
 *   sorter_clear(&sorter); … sorter_deinit(&sorter);
 *
 * Rows with equal keys come in the order they were added.
 */
#ifndef EXECUTOR_SORTER_H
#define EXECUTOR_SORTER_H

#include "executor/rows.h"

typedef struct SortItem {
    uint64_t prefix; /* the key's first 8 bytes, big-endian: decides most comparisons */
    Str key;
    Row *row;
    uint64_t sequence;
} SortItem;

typedef struct SortRun {
    SpillFile *file;
    Arena *arena; /* of the item at hand */
    SortItem item;
    uint64_t left;
} SortRun;

typedef struct Sorter {
    RowLayout layout;
    SpillSet *spills;
    size_t limit;
    Arena *arena;
    SortItem *items; /* heap: it grows without leaving its old places behind */
    uint64_t count, capacity, at, sequence;
    SortRun *runs; /* heap by key while merging */
    uint32_t run_count, run_capacity;
    Arena *runs_arena;
    bool is_finished, has_current;
    uint64_t spilled_bytes;
} Sorter;

void sorter_init(Sorter *sorter, Arena *arena, SpillSet *spills, const PhysType *types,
                 uint32_t count, size_t limit);
MUST_CHECK bool sorter_add(Sorter *sorter, Str key, Vector *const *vectors, uint32_t row);
MUST_CHECK bool sorter_finish(Sorter *sorter);
MUST_CHECK bool sorter_next(Sorter *sorter, Row **ret_row, Str *ret_key);
/* Reads again from the start; only sorts that fit in memory can (false, no error: sort again). */
bool sorter_restart(Sorter *sorter);
/* Replaces the worst item by this one if it is better: bounded sorts. False: not kept. */
void sorter_clear(Sorter *sorter);
void sorter_deinit(Sorter *sorter);

int sort_item_compare(const SortItem *a, const SortItem *b);
uint64_t sort_prefix(Str key);

#endif
