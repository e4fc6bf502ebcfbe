#include "executor/sort_node.h"

/*
 * Rows that come in order by their leading keys, sorted a few groups at a time: the rows between
 * two changes of those keys. Groups that are small are sorted together; who wants the first rows
 * only has few read.
 */

#define LEAST_ROWS 32 /* of a sort, if there are as many */

typedef struct IncrementalSort {
    SortState sort;
    SortKeys *leading;
    Batch *pending; /* the child's; its keys are computed */
    uint32_t pending_at;
    bool child_done;
    uint64_t given;
    uint64_t wanted; /* rows of the next sort, before the end of a group is looked for */
    StrBuf last;     /* heap: leading keys of the row taken last */
} IncrementalSort;

static bool incremental_init(NodeState *node)
{
    IncrementalSort *state = (IncrementalSort *)node;
    const SortPlan *plan = (const SortPlan *)node->plan;
    SortKeyVec leading = {.items = plan->keys.items, .length = (size_t)plan->presorted};
    state->sort.kept = ARENA_ARRAY(node->exec->arena, uint16_t, VECTOR_SIZE);
    TRY(state->leading = sort_keys_new(node->exec, node->scratch, &leading));
    return sort_node_init(node, &plan->keys);
}

/* Is this row of the pending batch one of the group of the row taken last? */
static bool is_of_group(IncrementalSort *state, uint32_t at, bool *ret)
{
    Str key;
    TRY(sort_keys_encode(state->leading, selection_row(state->pending->selection, at), &key));
    *ret = str_equal(key, strbuf_view(&state->last));
    return true;
}

/* The first pending row of another group: rows come in the order of groups. */
static bool group_end(IncrementalSort *state, uint32_t *ret_end)
{
    uint32_t low = state->pending_at, high = state->pending->selection.count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        bool is_same;
        TRY(is_of_group(state, middle, &is_same));
        if (is_same)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_end = low;
    return true;
}

static bool remember(IncrementalSort *state, uint32_t at)
{
    Str key;
    TRY(sort_keys_encode(state->leading, selection_row(state->pending->selection, at), &key));
    strbuf_truncate(&state->last, 0);
    strbuf_append(&state->last, key);
    return true;
}

static bool take(IncrementalSort *state, uint32_t end)
{
    const Batch *batch = state->pending;
    uint16_t rows[VECTOR_SIZE];
    Selection part = {.rows = rows, .count = end - state->pending_at};
    if (part.count == 0)
        return true;
    for (uint32_t i = 0; i < part.count; i++)
        rows[i] = (uint16_t)selection_row(batch->selection, state->pending_at + i);
    state->pending_at = end;
    return sort_node_add(&state->sort, batch, part);
}

/* As many rows of the pending batch as this sort wants; is it complete then? */
static bool take_pending(IncrementalSort *state, uint64_t *taken, bool *ret_complete)
{
    const uint32_t count = state->pending->selection.count;
    uint32_t end;
    if (*taken < state->wanted) {
        end = (uint32_t)MIN((uint64_t)count, state->pending_at + state->wanted - *taken);
        *taken += end - state->pending_at;
        TRY(take(state, end));
        if (*taken == state->wanted)
            TRY(remember(state, end - 1));
    }
    if (*taken >= state->wanted && state->pending_at < count) {
        TRY(group_end(state, &end));
        *taken += end - state->pending_at;
        TRY(take(state, end));
        *ret_complete = end < count;
    }
    if (state->pending_at == count)
        state->pending = NULL;
    return true;
}

static bool next_pending(IncrementalSort *state)
{
    NodeState *node = &state->sort.base;
    CHECK_INTERRUPTS();
    TRY(node_next(node->left, &state->pending));
    state->child_done = !state->pending;
    if (state->child_done)
        return true;
    state->pending_at = 0;
    node_scratch_reset(node);
    TRY(sort_keys_run(state->sort.keys, state->pending));
    return sort_keys_run(state->leading, state->pending);
}

/* Few rows at first, then more: whoever wants them all has them sorted a batch at a time. */
static void choose_size(IncrementalSort *state)
{
    const NodeState *node = &state->sort.base;
    const uint64_t most = MAX(node->exec->batch_size, (uint32_t)LEAST_ROWS);
    state->wanted = state->wanted == 0 ? LEAST_ROWS : state->wanted * 4;
    state->wanted = node->exec->batch_size == 1 ? LEAST_ROWS : MIN(state->wanted, most);
    uint64_t keep = UINT64_MAX;
    if (node->row_goal > state->given)
        keep = node->row_goal - state->given;
    state->wanted = MIN(state->wanted, keep);
    sorter_keep_first(&state->sort.sorter, keep);
}

static void note(IncrementalSort *state, uint64_t rows)
{
    NodeInstrument *instrument = state->sort.base.instrument;
    const Sorter *sorter = &state->sort.sorter;
    if (!instrument || rows == 0)
        return;
    instrument->groups++;
    instrument->group_bytes += sorter->peak_bytes;
    instrument->memory_bytes = MAX(instrument->memory_bytes, sorter->peak_bytes);
    instrument->spilled_bytes = MAX(instrument->spilled_bytes, sorter->spilled_bytes);
    if (sorter_is_merging(sorter))
        instrument->methods |= SORT_EXTERNAL_MERGE;
    else
        instrument->methods |= sorter->has_cutoff ? SORT_TOP_N : SORT_QUICKSORT;
}

static bool sort_groups(IncrementalSort *state)
{
    uint64_t taken = 0;
    bool is_complete = false;
    sorter_clear(&state->sort.sorter);
    choose_size(state);
    while (!is_complete && !state->child_done) {
        if (state->pending)
            TRY(take_pending(state, &taken, &is_complete));
        else
            TRY(next_pending(state));
    }
    TRY(sorter_finish(&state->sort.sorter));
    note(state, taken);
    return true;
}

static uint32_t give_count(const IncrementalSort *state)
{
    const NodeState *node = &state->sort.base;
    const uint64_t most = node->exec->batch_size;
    if (node->row_goal <= state->given)
        return (uint32_t)most;
    return (uint32_t)MIN(most, node->row_goal - state->given);
}

static bool incremental_next(NodeState *node, Batch **ret_batch)
{
    IncrementalSort *state = (IncrementalSort *)node;
    *ret_batch = NULL;
    for (;;) {
        if (state->sort.is_filled)
            TRY(sort_node_give(&state->sort, give_count(state), ret_batch));
        if (*ret_batch)
            break;
        if (state->child_done)
            return true;
        TRY(sort_groups(state));
        state->sort.is_filled = true;
    }
    state->given += (*ret_batch)->selection.count;
    return true;
}

static void incremental_stop(NodeState *node)
{
    IncrementalSort *state = (IncrementalSort *)node;
    sorter_clear(&state->sort.sorter);
    state->sort.is_filled = state->child_done = false;
    state->pending = NULL;
    state->given = state->wanted = 0;
}

static bool incremental_rewind(NodeState *node)
{
    incremental_stop(node);
    return node_rewind(node->left);
}

static void incremental_free(NodeState *node)
{
    strbuf_deinit(&((IncrementalSort *)node)->last);
    sort_node_free(node);
}

const NodeMethods node_incremental_sort_methods = {
    .size = sizeof(IncrementalSort),
    .init = incremental_init,
    .next = incremental_next,
    .rewind = incremental_rewind,
    .stop = incremental_stop,
    .free = incremental_free,
};
