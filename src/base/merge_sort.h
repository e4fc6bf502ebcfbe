/*
 * Sorting with interrupts and a context: qsort has no place for either.
 *
 *   const MergeSort by_count = {.size = sizeof(Run), .compare = run_compare, .context = NULL};
 *   TRY(merge_sort(&by_count, runs, scratch, count));      false: interrupted
 *
 * Stable. `scratch` has room for count / 2 + 1 items. After a failure the items are in no order,
 * some perhaps twice.
 */
#ifndef BASE_MERGE_SORT_H
#define BASE_MERGE_SORT_H

#include "base/base.h"

/* Below zero: `a` comes first. Zero: they stay as they are. */
typedef int MergeSortCompare(const void *a, const void *b, const void *context);

typedef struct MergeSort {
    size_t size; /* of an item */
    MergeSortCompare *compare;
    const void *context;
} MergeSort;

MUST_CHECK bool merge_sort(const MergeSort *sort, void *items, void *scratch, size_t count);

#endif
