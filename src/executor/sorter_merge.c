/* Runs on disk, and their merging by a tree of losers. */
#include "executor/sorter_internal.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/task.h"

#define RUN_BUFFER_MIN 16384u
#define RUN_BUFFER_MAX (256u << 10)
#define MERGE_WAYS_MAX 512u
#define PREFETCH_AHEAD 12
#define NO_RUN UINT32_MAX

static bool out_of_memory(void)
{
    FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
}

/* As many runs at once as have a buffer each within the memory limit. */
static uint32_t merge_ways(const Sorter *sorter)
{
    return (uint32_t)MIN(MAX(sorter->limit / RUN_BUFFER_MIN, (size_t)16), (size_t)MERGE_WAYS_MAX);
}

static void run_deinit(SortRun *run)
{
    spill_free(run->file);
    memory_free(run->buffer);
    *run = (SortRun){0};
}

void sorter_runs_free(Sorter *sorter)
{
    for (uint32_t i = 0; i < sorter->run_count; i++)
        run_deinit(&sorter->runs[i]);
    memory_free(sorter->runs);
    memory_free(sorter->losers);
    sorter->runs = NULL;
    sorter->losers = NULL;
    sorter->run_count = sorter->run_capacity = 0;
}

/* ---- writing ---- */

static bool run_add(Sorter *sorter, SortRun **ret_run)
{
    if (sorter->run_count == sorter->run_capacity) {
        const uint32_t more = sorter->run_capacity ? sorter->run_capacity * 2 : 16;
        SortRun *grown = memory_realloc(sorter->runs, more * sizeof(SortRun));
        if (!grown)
            return out_of_memory();
        sorter->runs = grown;
        sorter->run_capacity = more;
    }
    SortRun run = {.file = spill_new(sorter->spills)};
    TRY(run.file);
    sorter->runs[sorter->run_count] = run;
    *ret_run = &sorter->runs[sorter->run_count++];
    return true;
}

bool sorter_write_run(Sorter *sorter)
{
    SortRun *run;
    TRY(sorter_sort(sorter));
    TRY(run_add(sorter, &run));
    const uint64_t count = MIN(sorter->count, sorter->keep);
    for (uint64_t i = 0; i < count; i++) {
        if (i + PREFETCH_AHEAD < count)
            __builtin_prefetch(sorter->entries[i + PREFETCH_AHEAD].record);
        const char *record = sorter->entries[i].record;
        TRY(spill_write(run->file, record, record_size(record)));
    }
    run->left = count;
    sorter->spilled_bytes += spill_size(run->file);
    sorter_chunks_empty(sorter);
    return true;
}

/* ---- reading ---- */

/* At least `size` bytes from run->at on are in the buffer. */
static bool run_load(SortRun *run, size_t size)
{
    const size_t have = run->used - run->at;
    size_t got;

    if (have >= size)
        return true;
    memmove(run->buffer, run->buffer + run->at, have);
    run->at = 0;
    run->used = have;
    if (size > run->capacity) {
        char *grown = memory_realloc(run->buffer, size + SORT_SLACK);
        if (!grown)
            return out_of_memory();
        run->buffer = grown;
        run->capacity = size;
    }
    TRY(spill_read_some(run->file, run->buffer + have, run->capacity - have, &got));
    run->used += got;
    if (run->used < size)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("a sorted run ends within a record"));
    return true;
}

static bool run_step(const Sorter *sorter, SortRun *run)
{
    if (run->left == 0) {
        run->record = (SortRecord){.key = {0}};
        run->prefix = UINT64_MAX;
        return true;
    }
    run->left--;
    TRY(run_load(run, sizeof(RecordHeader)));
    const size_t size = record_size(run->buffer + run->at);
    TRY(run_load(run, size));
    run->record = record_at(run->buffer + run->at);
    run->prefix = key_word(run->record.key.data, (uint32_t)run->record.key.length, sorter->common);
    run->at += size;
    return true;
}

static bool run_open(const Sorter *sorter, SortRun *run, size_t buffer_size)
{
    run->buffer = memory_malloc(buffer_size + SORT_SLACK);
    if (!run->buffer)
        return out_of_memory();
    run->capacity = buffer_size;
    run->at = run->used = 0;
    TRY(spill_begin_read(run->file, 0));
    return run_step(sorter, run);
}

/* Ended runs come last, equal keys in the order of their runs. */
static inline bool run_is_before(const SortRun *runs, uint32_t a, uint32_t b)
{
    if (runs[a].prefix != runs[b].prefix)
        return runs[a].prefix < runs[b].prefix;
    const Str x = runs[a].record.key, y = runs[b].record.key;
    if (!x.data || !y.data)
        return x.data || (!y.data && a < b);
    const int order = str_compare(x, y);
    return order != 0 ? order < 0 : a < b;
}

static void tree_replay(Sorter *sorter, const SortRun *runs, uint32_t count, uint32_t run)
{
    for (uint32_t node = (run + count) / 2; node > 0; node /= 2)
        if (run_is_before(runs, sorter->losers[node], run)) {
            const uint32_t loser = run;
            run = sorter->losers[node];
            sorter->losers[node] = loser;
        }
    sorter->losers[0] = run;
}

/* The first to come to a node waits there for the second. */
static void tree_enter(Sorter *sorter, const SortRun *runs, uint32_t count, uint32_t run)
{
    for (uint32_t node = (run + count) / 2; node > 0; node /= 2) {
        const uint32_t other = sorter->losers[node];
        if (other == NO_RUN) {
            sorter->losers[node] = run;
            return;
        }
        if (run_is_before(runs, other, run)) {
            sorter->losers[node] = run;
            run = other;
        }
    }
    sorter->losers[0] = run;
}

static bool tree_build(Sorter *sorter, SortRun *runs, uint32_t count)
{
    const size_t share = sorter->limit / count;
    const size_t buffer_size = MIN(MAX(share, (size_t)RUN_BUFFER_MIN), (size_t)RUN_BUFFER_MAX);

    memory_free(sorter->losers);
    sorter->losers = memory_malloc(count * sizeof(uint32_t));
    if (!sorter->losers)
        return out_of_memory();
    for (uint32_t i = 0; i < count; i++)
        sorter->losers[i] = NO_RUN;
    for (uint32_t i = 0; i < count; i++)
        TRY(run_open(sorter, &runs[i], buffer_size));
    for (uint32_t i = 0; i < count; i++)
        tree_enter(sorter, runs, count, i);
    return true;
}

/* Merges `count` runs from `first` on into one in their place, at the end of the list until then.
 */
static bool merge_some(Sorter *sorter, uint32_t first, uint32_t count)
{
    SortRun *out;
    uint64_t total = 0;
    TRY(run_add(sorter, &out));
    SortRun *runs = &sorter->runs[first];
    for (uint32_t i = 0; i < count; i++)
        total += runs[i].left;
    total = MIN(total, sorter->keep);
    TRY(tree_build(sorter, runs, count));
    for (uint64_t i = 0; i < total; i++) {
        const uint32_t winner = sorter->losers[0];
        const char *record = runs[winner].record.key.data - sizeof(RecordHeader);
        TRY(spill_write(out->file, record, record_size(record)));
        TRY(run_step(sorter, &runs[winner]));
        tree_replay(sorter, runs, count, winner);
    }
    out->left = total;
    const SortRun merged = *out;
    for (uint32_t i = 0; i < count; i++)
        run_deinit(&runs[i]);
    runs[0] = merged;
    memmove(&runs[1], &runs[count], (sorter->run_count - 1 - first - count) * sizeof(SortRun));
    sorter->run_count -= count;
    return true;
}

bool sorter_merge_begin(Sorter *sorter)
{
    const uint32_t ways = merge_ways(sorter);
    uint32_t first = 0;
    /* No more than is needed, and none twice before all others. */
    while (sorter->run_count > ways) {
        if (first + 2 > sorter->run_count)
            first = 0;
        const uint32_t excess = sorter->run_count - ways + 1;
        TRY(merge_some(sorter, first, MIN(MIN(excess, ways), sorter->run_count - first)));
        first++;
    }
    return tree_build(sorter, sorter->runs, sorter->run_count);
}

bool sorter_merge_next(Sorter *sorter, SortRecord *ret)
{
    /* The record given last stays readable until now. */
    if (sorter->has_current) {
        const uint32_t winner = sorter->losers[0];
        TRY(run_step(sorter, &sorter->runs[winner]));
        tree_replay(sorter, sorter->runs, sorter->run_count, winner);
    }
    *ret = sorter->runs[sorter->losers[0]].record;
    sorter->has_current = true;
    return true;
}
