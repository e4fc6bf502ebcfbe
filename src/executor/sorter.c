#include "executor/sorter.h"

#include <stdlib.h>

#include "base/task.h"

#define MERGE_WAYS 64

uint64_t sort_prefix(Str key)
{
    uint64_t word = 0;
    memcpy(&word, key.data, MIN(key.length, sizeof(word)));
    return __builtin_bswap64(word);
}

int sort_item_compare(const SortItem *a, const SortItem *b)
{
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    /* Equal prefixes of short keys differ in length at most. */
    int order = a->key.length <= sizeof(a->prefix) && b->key.length <= sizeof(b->prefix)
                    ? (a->key.length > b->key.length) - (a->key.length < b->key.length)
                    : str_compare(a->key, b->key);
    if (order != 0)
        return order;
    return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

static int item_order(const void *a, const void *b)
{
    return sort_item_compare(a, b);
}

static inline bool item_is_before(const SortItem *a, const SortItem *b)
{
    return a->prefix != b->prefix ? a->prefix < b->prefix : sort_item_compare(a, b) < 0;
}

static inline void items_swap(SortItem *a, SortItem *b)
{
    SortItem kept = *a;
    *a = *b;
    *b = kept;
}

static void items_insert_sort(SortItem *items, uint64_t count)
{
    for (uint64_t i = 1; i < count; i++) {
        SortItem item = items[i];
        uint64_t at = i;
        for (; at > 0 && item_is_before(&item, &items[at - 1]); at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

/* The middle one of three, put first. */
static void items_choose_pivot(SortItem *items, uint64_t count)
{
    SortItem *a = &items[1], *b = &items[count / 2], *c = &items[count - 1];

    if (item_is_before(b, a))
        items_swap(a, b);
    if (item_is_before(c, b))
        items_swap(b, c);
    if (item_is_before(b, a))
        items_swap(a, b);
    items_swap(&items[0], b);
}

/* Quicksort while it halves well; no two items are equal. */
static void items_sort(SortItem *items, uint64_t count, int depth)
{
    while (count > 24) {
        if (depth-- == 0) {
            qsort(items, count, sizeof(SortItem), item_order);
            return;
        }
        items_choose_pivot(items, count);
        uint64_t low = 0, high = count;
        for (;;) {
            while (++low < count && item_is_before(&items[low], &items[0]))
                ;
            while (item_is_before(&items[0], &items[--high]))
                ;
            if (low >= high)
                break;
            items_swap(&items[low], &items[high]);
        }
        items_swap(&items[0], &items[high]);
        /* The smaller part by recursion, which bounds the stack. */
        if (high < count - high - 1) {
            items_sort(items, high, depth);
            items += high + 1;
            count -= high + 1;
        } else {
            items_sort(items + high + 1, count - high - 1, depth);
            count = high;
        }
    }
    items_insert_sort(items, count);
}

static void sorter_sort(Sorter *sorter)
{
    int depth = 2;

    for (uint64_t n = sorter->count; n > 1; n /= 2)
        depth += 2;
    items_sort(sorter->items, sorter->count, depth);
}

void sorter_init(Sorter *sorter, Arena *arena, SpillSet *spills, const PhysType *types,
                 uint32_t count, size_t limit)
{
    *sorter = (Sorter){.spills = spills, .limit = limit};
    row_layout_init(&sorter->layout, arena, types, count);
}

static void runs_free(Sorter *sorter)
{
    for (uint32_t i = 0; i < sorter->run_count; i++) {
        spill_free(sorter->runs[i].file);
        arena_free(sorter->runs[i].arena);
    }
    arena_free(sorter->runs_arena);
    sorter->runs_arena = NULL;
    sorter->runs = NULL;
    sorter->run_count = sorter->run_capacity = 0;
}

void sorter_clear(Sorter *sorter)
{
    runs_free(sorter);
    if (sorter->arena)
        arena_reset(sorter->arena);
    free(sorter->items);
    sorter->items = NULL;
    sorter->count = sorter->capacity = sorter->at = sorter->sequence = 0;
    sorter->is_finished = sorter->has_current = false;
}

void sorter_deinit(Sorter *sorter)
{
    sorter_clear(sorter);
    arena_free(sorter->arena);
    sorter->arena = NULL;
}

static bool item_write(SpillFile *file, const SortItem *item)
{
    uint32_t length = (uint32_t)item->key.length;
    TRY(spill_write(file, &item->sequence, sizeof(item->sequence)));
    TRY(spill_write(file, &length, sizeof(length)));
    TRY(spill_write(file, item->key.data, length));
    return row_write(file, item->row);
}

static bool item_read(const RowLayout *layout, SpillFile *file, Arena *arena, SortItem *ret)
{
    uint32_t length;
    arena_reset(arena);
    TRY(spill_read(file, &ret->sequence, sizeof(ret->sequence)));
    TRY(spill_read(file, &length, sizeof(length)));
    char *key = arena_alloc(arena, length + 1);
    TRY(spill_read(file, key, length));
    ret->key = str_make(key, length);
    ret->prefix = sort_prefix(ret->key);
    return (ret->row = row_read(layout, file, arena)) != NULL;
}

static SortRun *run_new(Sorter *sorter)
{
    if (!sorter->runs_arena)
        sorter->runs_arena = arena_new("sort runs");
    if (sorter->run_count == sorter->run_capacity) {
        uint32_t more = sorter->run_capacity ? sorter->run_capacity * 2 : 16;
        sorter->runs = arena_grow(sorter->runs_arena, sorter->runs,
                                  sorter->run_capacity * sizeof(SortRun), more * sizeof(SortRun));
        sorter->run_capacity = more;
    }
    SortRun *run = &sorter->runs[sorter->run_count];
    *run = (SortRun){0};
    TRY(run->file = spill_new(sorter->spills));
    run->arena = arena_new("sort run");
    sorter->run_count++;
    return run;
}

static void sift_down(SortRun *runs, uint32_t count, uint32_t at)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count && sort_item_compare(&runs[child + 1].item, &runs[child].item) < 0)
            child++;
        if (sort_item_compare(&runs[at].item, &runs[child].item) <= 0)
            return;
        SortRun swap = runs[at];
        runs[at] = runs[child];
        runs[child] = swap;
        at = child;
    }
}

/* Opens `count` runs from `runs` for reading and makes them a heap. */
static bool merge_begin(Sorter *sorter, SortRun *runs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        TRY(spill_begin_read(runs[i].file, 0));
        TRY(item_read(&sorter->layout, runs[i].file, runs[i].arena, &runs[i].item));
        runs[i].left--;
    }
    for (uint32_t i = count / 2; i-- > 0;)
        sift_down(runs, count, i);
    return true;
}

/* Steps past the smallest item; an exhausted run sinks out of *count. */
static bool merge_step(Sorter *sorter, SortRun *runs, uint32_t *count)
{
    if (runs[0].left == 0) {
        SortRun done = runs[0];
        runs[0] = runs[*count - 1];
        runs[*count - 1] = done;
        (*count)--;
    } else {
        TRY(item_read(&sorter->layout, runs[0].file, runs[0].arena, &runs[0].item));
        runs[0].left--;
    }
    sift_down(runs, *count, 0);
    return true;
}

/* Merges the first MERGE_WAYS runs into one at the end of the list. */
static bool merge_some(Sorter *sorter)
{
    uint32_t ways = MIN(sorter->run_count, (uint32_t)MERGE_WAYS), live = ways;
    TRY(run_new(sorter));
    SortRun *out = &sorter->runs[sorter->run_count - 1];
    for (uint32_t i = 0; i < ways; i++)
        out->left += sorter->runs[i].left;
    TRY(merge_begin(sorter, sorter->runs, live));
    while (live > 0) {
        CHECK_INTERRUPTS();
        TRY(item_write(out->file, &sorter->runs[0].item));
        TRY(merge_step(sorter, sorter->runs, &live));
    }
    for (uint32_t i = 0; i < ways; i++) {
        spill_free(sorter->runs[i].file);
        arena_free(sorter->runs[i].arena);
    }
    memmove(sorter->runs, sorter->runs + ways, (sorter->run_count - ways) * sizeof(SortRun));
    sorter->run_count -= ways;
    return true;
}

static bool spill_items(Sorter *sorter)
{
    sorter_sort(sorter);
    SortRun *run = run_new(sorter);
    TRY(run);
    run->left = sorter->count;
    for (uint64_t i = 0; i < sorter->count; i++)
        TRY(item_write(run->file, &sorter->items[i]));
    sorter->spilled_bytes += spill_size(run->file);
    arena_reset(sorter->arena);
    sorter->count = 0;
    return true;
}

static bool items_grow(Sorter *sorter)
{
    uint64_t more = sorter->capacity ? sorter->capacity * 2 : 256;
    SortItem *grown = realloc(sorter->items, more * sizeof(SortItem));

    if (!grown)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    sorter->items = grown;
    sorter->capacity = more;
    return true;
}

static size_t memory_used(const Sorter *sorter)
{
    return arena_size(sorter->arena) + sorter->capacity * sizeof(SortItem);
}

bool sorter_add(Sorter *sorter, Str key, Vector *const *vectors, uint32_t row)
{
    if (!sorter->arena)
        sorter->arena = arena_new("sort");
    if (sorter->count > 16 && memory_used(sorter) > sorter->limit)
        TRY(spill_items(sorter));
    if (sorter->count == sorter->capacity)
        TRY(items_grow(sorter));
    SortItem *item = &sorter->items[sorter->count++];
    item->prefix = sort_prefix(key);
    item->key = str_copy(sorter->arena, key);
    item->row = row_make(&sorter->layout, sorter->arena, vectors, row);
    item->sequence = sorter->sequence++;
    return true;
}

bool sorter_finish(Sorter *sorter)
{
    sorter->is_finished = true;
    sorter->at = 0;
    if (sorter->run_count == 0) {
        if (sorter->count > 1)
            sorter_sort(sorter);
        return true;
    }
    if (sorter->count > 0)
        TRY(spill_items(sorter));
    while (sorter->run_count > MERGE_WAYS)
        TRY(merge_some(sorter));
    TRY(merge_begin(sorter, sorter->runs, sorter->run_count));
    sorter->at = sorter->run_count; /* live runs */
    sorter->has_current = false;
    return true;
}

bool sorter_next(Sorter *sorter, Row **ret_row, Str *ret_key)
{
    *ret_row = NULL;
    if (sorter->run_count == 0) {
        if (sorter->at < sorter->count) {
            *ret_row = sorter->items[sorter->at].row;
            *ret_key = sorter->items[sorter->at++].key;
        }
        return true;
    }
    uint32_t live = (uint32_t)sorter->at;
    /* The item given last stays readable until now. */
    if (sorter->has_current)
        TRY(merge_step(sorter, sorter->runs, &live));
    sorter->at = live;
    sorter->has_current = live > 0;
    if (live > 0) {
        *ret_row = sorter->runs[0].item.row;
        *ret_key = sorter->runs[0].item.key;
    }
    return true;
}

bool sorter_restart(Sorter *sorter)
{
    if (sorter->run_count > 0)
        return false;
    sorter->at = 0;
    return true;
}
