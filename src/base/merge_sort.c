#include "base/merge_sort.h"

#include <string.h>

#include "base/pace.h"

#define SMALL 8 /* items that are sorted by insertion */

static int compare_at(const MergeSort *sort, const char *a, const char *b)
{
    return sort->compare(a, b, sort->context);
}

static void insertion_sort(const MergeSort *sort, char *items, char *scratch, size_t count)
{
    const size_t size = sort->size;

    for (size_t i = 1; i < count; i++) {
        size_t at = i;
        while (at > 0 && compare_at(sort, items + i * size, items + (at - 1) * size) < 0)
            at--;
        if (at == i)
            continue;
        memcpy(scratch, items + i * size, size);
        memmove(items + (at + 1) * size, items + at * size, (i - at) * size);
        memcpy(items + at * size, scratch, size);
    }
}

/* Two sorted parts, of which the first one has `half` items. */
static bool merge(const MergeSort *sort, char *items, char *scratch, size_t half, size_t count)
{
    const size_t size = sort->size;
    const char *left = scratch, *left_end = scratch + half * size;
    const char *right = items + half * size, *right_end = items + count * size;

    TRY(pace_copy(scratch, items, half * size));
    for (size_t i = 0; left < left_end && right < right_end; i++) {
        const char **from = compare_at(sort, right, left) < 0 ? &right : &left;
        CHECK_INTERRUPTS_EACH(i);
        memcpy(items, *from, size);
        items += size;
        *from += size;
    }
    return pace_copy(items, left, (size_t)(left_end - left));
}

static bool sort_part(const MergeSort *sort, char *items, char *scratch, size_t count)
{
    const size_t half = count / 2;

    if (count <= SMALL) {
        insertion_sort(sort, items, scratch, count);
        return true;
    }
    CHECK_INTERRUPTS();
    TRY(sort_part(sort, items, scratch, half));
    TRY(sort_part(sort, items + half * sort->size, scratch, count - half));
    /* What is in order already needs no merging. */
    return compare_at(sort, items + (half - 1) * sort->size, items + half * sort->size) <= 0 ||
           merge(sort, items, scratch, half, count);
}

bool merge_sort(const MergeSort *sort, void *items, void *scratch, size_t count)
{
    assert(sort->size > 0);
    return sort_part(sort, items, scratch, count);
}
