#include "txn/fresh.h"

#include <stdlib.h>

#include "base/memory.h"

#define MAX_NAMES 64 /* a table and its indexes; those of more have versions one by one */

typedef struct IdRun {
    uint64_t first, last;
} IdRun;

struct FreshRows {
    FreshRows *next;
    TreeName names[MAX_NAMES];
    uint32_t name_count;
    Lsn lsn;
    size_t count, capacity;
    IdRun *runs;      /* sealed: ascending */
    bool is_unsorted; /* until it is sealed */
};

FreshRows *fresh_rows_new(TreeName table)
{
    FreshRows *rows = memory_calloc(1, sizeof(*rows));

    if (!rows)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    rows->names[rows->name_count++] = table;
    return rows;
}

bool fresh_rows_add(FreshRows *rows, uint64_t row_id)
{
    return fresh_rows_add_run(rows, row_id, row_id);
}

bool fresh_rows_add_run(FreshRows *rows, uint64_t first, uint64_t last)
{
    if (rows->count > 0 && rows->runs[rows->count - 1].last + 1 == first) {
        rows->runs[rows->count - 1].last = last;
        return true;
    }
    rows->is_unsorted |= rows->count > 0 && rows->runs[rows->count - 1].last > first;
    if (rows->count == rows->capacity) {
        const size_t capacity = rows->capacity ? rows->capacity * 2 : 16;
        IdRun *grown = memory_realloc(rows->runs, capacity * sizeof(*grown));
        if (!grown)
            FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
        rows->runs = grown;
        rows->capacity = capacity;
    }
    rows->runs[rows->count++] = (IdRun){.first = first, .last = last};
    return true;
}

static int by_first(const void *a, const void *b)
{
    const IdRun *left = a, *right = b;

    return (left->first > right->first) - (left->first < right->first);
}

void fresh_rows_seal(FreshRows *rows)
{
    if (rows->is_unsorted)
        qsort(rows->runs, rows->count, sizeof(rows->runs[0]), by_first);
    rows->is_unsorted = false;
}

static bool has_name(const FreshRows *rows, TreeName name)
{
    for (uint32_t i = 0; i < rows->name_count; i++)
        if (rows->names[i] == name)
            return true;
    return false;
}

bool fresh_rows_name(FreshRows *rows, TreeName index)
{
    if (has_name(rows, index))
        return true;
    if (rows->name_count == MAX_NAMES)
        return false;
    rows->names[rows->name_count++] = index;
    return true;
}

bool fresh_rows_have(const FreshRows *rows, uint64_t row_id)
{
    size_t from = 0, to = rows->count;

    assert(!rows->is_unsorted);
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (rows->runs[middle].last < row_id)
            from = middle + 1;
        else
            to = middle;
    }
    return from < rows->count && rows->runs[from].first <= row_id;
}

void fresh_rows_free(FreshRows *rows)
{
    if (!rows)
        return;
    memory_free(rows->runs);
    memory_free(rows);
}

/* ------------------------------------------------------------------ everybody's */

void fresh_list_init(FreshList *list)
{
    *list = (FreshList){0};
    mutex_init(&list->mutex, RANK_LEAF);
}

void fresh_list_deinit(FreshList *list)
{
    while (list->first) {
        FreshRows *rows = list->first;
        list->first = rows->next;
        fresh_rows_free(rows);
    }
}

static uint64_t name_bits(const FreshRows *rows)
{
    uint64_t bits = 0;

    for (uint32_t i = 0; i < rows->name_count; i++)
        bits |= fresh_name_bit(rows->names[i]);
    return bits;
}

void fresh_list_publish(FreshList *list, FreshRows *rows, Lsn lsn)
{
    rows->lsn = lsn;
    mutex_lock(&list->mutex);
    rows->next = list->first;
    list->first = rows;
    atomic_fetch_or(&list->names, name_bits(rows));
    mutex_unlock(&list->mutex);
}

Lsn fresh_list_find(FreshList *list, TreeName tree, uint64_t row_id, const Snapshot *snapshot)
{
    Lsn date = 0;

    mutex_lock(&list->mutex);
    for (const FreshRows *rows = list->first; rows; rows = rows->next) {
        if (snapshot_sees(snapshot, rows->lsn) || !has_name(rows, tree) ||
            !fresh_rows_have(rows, row_id))
            continue;
        date = rows->lsn;
        break;
    }
    mutex_unlock(&list->mutex);
    return date;
}

void fresh_list_reclaim(FreshList *list, Lsn horizon)
{
    FreshRows *old = NULL;
    uint64_t names = 0;

    if (atomic_load(&list->names) == 0)
        return;
    mutex_lock(&list->mutex);
    for (FreshRows **link = &list->first; *link;) {
        FreshRows *rows = *link;
        if (rows->lsn > horizon) {
            names |= name_bits(rows);
            link = &rows->next;
            continue;
        }
        *link = rows->next;
        rows->next = old;
        old = rows;
    }
    atomic_store(&list->names, names);
    mutex_unlock(&list->mutex);
    while (old) {
        FreshRows *rows = old;
        old = rows->next;
        fresh_rows_free(rows);
    }
}
