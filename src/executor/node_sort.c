#include "executor/sort_key.h"
#include "executor/sorter.h"

/* ORDER BY: all of the child's rows by the bytes of their keys; and the bounded variety. */

typedef struct SortState {
    NodeState base;
    SortKeys *keys;
    Sorter sorter;
    Batch *batch;
    Arena *batch_arena; /* rows read back from runs are copied while a batch is gathered */
    bool is_filled;
    /* top-N */
    ExprProgram *bounds;
    uint64_t keep, skip, given;
    SortItem *heap; /* the worst kept is at the top */
    uint64_t heap_count, heap_capacity;
    Arena *heap_arena;
    uint64_t heap_garbage;
} SortState;

static bool sort_init_common(NodeState *node, const SortKeyVec *keys)
{
    SortState *state = (SortState *)node;
    uint32_t count = (uint32_t)node->plan->column_count;
    TRY(state->keys = sort_keys_new(node->exec, node->scratch, keys));
    sorter_init(&state->sorter, node->exec->arena, &node->exec->spills, node->types, count,
                exec_work_mem());
    state->batch = batch_new(node->exec->arena, node->types, count);
    state->batch_arena = arena_new("sort batch");
    return true;
}

static bool sort_init(NodeState *node)
{
    return sort_init_common(node, &((const SortPlan *)node->plan)->keys);
}

static bool sort_fill(SortState *state)
{
    NodeState *node = &state->base;
    node_fill_mark(node);
    for (;;) {
        Batch *batch;
        CHECK_INTERRUPTS();
        TRY(node_next(node->left, &batch));
        if (!batch)
            break;
        node_scratch_reset(node);
        TRY(sort_keys_run(state->keys, batch));
        FOR_SELECTED (batch->selection, row) {
            Str key;
            TRY(sort_keys_encode(state->keys, row, &key));
            TRY(sorter_add(&state->sorter, key, batch->columns, row));
        }
    }
    state->is_filled = true;
    TRY(sorter_finish(&state->sorter));
    if (node->instrument) {
        node->instrument->method = state->sorter.run_count ? "external merge" : "quicksort";
        node->instrument->spilled_bytes = state->sorter.spilled_bytes;
        node->instrument->memory_bytes = state->sorter.arena ? arena_size(state->sorter.arena) : 0;
    }
    return true;
}

static bool gather(SortState *state, Row **rows, uint32_t count, Batch **ret_batch)
{
    *ret_batch = NULL;
    if (count == 0)
        return true;
    rows_gather(&state->sorter.layout, rows, count, 0, state->sorter.layout.count,
                state->batch->columns, 0);
    state->batch->row_count = count;
    state->batch->selection = (Selection){.count = count};
    *ret_batch = state->batch;
    return true;
}

static bool sort_next(NodeState *node, Batch **ret_batch)
{
    SortState *state = (SortState *)node;
    Row *rows[VECTOR_SIZE];
    uint32_t count = 0;
    if (!state->is_filled)
        TRY(sort_fill(state));
    arena_reset(state->batch_arena);
    while (count < VECTOR_SIZE) {
        Str key;
        TRY(sorter_next(&state->sorter, &rows[count], &key));
        if (!rows[count])
            break;
        /* A merged row is only borrowed until the next one. */
        if (state->sorter.run_count > 0) {
            rows[count] = arena_copy(state->batch_arena, rows[count], rows[count]->size);
            row_relocate(&state->sorter.layout, rows[count]);
        }
        count++;
    }
    return gather(state, rows, count, ret_batch);
}

static bool sort_rewind(NodeState *node)
{
    SortState *state = (SortState *)node;
    if (state->is_filled && !node_is_stale(node) && sorter_restart(&state->sorter))
        return true;
    sorter_clear(&state->sorter);
    state->is_filled = false;
    return node_rewind(node->left);
}

static void sort_stop(NodeState *node)
{
    SortState *state = (SortState *)node;
    sorter_clear(&state->sorter);
    state->is_filled = false;
}

static void sort_free(NodeState *node)
{
    SortState *state = (SortState *)node;
    sorter_deinit(&state->sorter);
    arena_free(state->batch_arena);
    arena_free(state->heap_arena);
}

const NodeMethods node_sort_methods = {
    .size = sizeof(SortState),
    .init = sort_init,
    .next = sort_next,
    .rewind = sort_rewind,
    .stop = sort_stop,
    .free = sort_free,
};

/* ---- top-N ---- */

static bool top_n_init(NodeState *node)
{
    SortState *state = (SortState *)node;
    const TopNPlan *plan = (const TopNPlan *)node->plan;
    Expr *exprs[2] = {plan->count, plan->offset};
    TRY(state->bounds =
            expr_compile(node->exec, node->exec->run_arena, exprs, plan->offset ? 2 : 1));
    state->heap_arena = arena_new("top-n");
    return sort_init_common(node, &plan->keys);
}

static void heap_sift_down(SortItem *heap, uint64_t count, uint64_t at)
{
    for (;;) {
        uint64_t child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count && sort_item_compare(&heap[child + 1], &heap[child]) > 0)
            child++;
        if (sort_item_compare(&heap[at], &heap[child]) >= 0)
            return;
        SortItem swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
        at = child;
    }
}

static void heap_sift_up(SortItem *heap, uint64_t at)
{
    while (at > 0) {
        uint64_t parent = (at - 1) / 2;
        if (sort_item_compare(&heap[parent], &heap[at]) >= 0)
            return;
        SortItem swap = heap[at];
        heap[at] = heap[parent];
        heap[parent] = swap;
        at = parent;
    }
}

/* Copies the kept rows into a fresh arena when most of the old one is dropped rows. */
static void heap_compact(SortState *state)
{
    if (state->heap_garbage < 4096 || state->heap_garbage < 4 * state->heap_count)
        return;
    Arena *fresh = arena_new("top-n");
    SortItem *heap = arena_alloc(fresh, (state->heap_capacity + 1) * sizeof(SortItem));
    for (uint64_t i = 0; i < state->heap_count; i++) {
        heap[i] = state->heap[i];
        heap[i].key = str_copy(fresh, heap[i].key);
        heap[i].row = arena_copy(fresh, heap[i].row, heap[i].row->size);
        row_relocate(&state->sorter.layout, heap[i].row);
    }
    arena_free(state->heap_arena);
    state->heap_arena = fresh;
    state->heap = heap;
    state->heap_garbage = 0;
}

static void heap_offer(SortState *state, Str key, Batch *batch, uint32_t row)
{
    SortItem item = {.prefix = sort_prefix(key), .key = key, .sequence = state->sorter.sequence++};
    bool full = state->heap_count == state->keep;
    if (full && sort_item_compare(&item, &state->heap[0]) >= 0)
        return;
    item.key = str_copy(state->heap_arena, key);
    item.row = row_make(&state->sorter.layout, state->heap_arena, batch->columns, row);
    if (full) {
        state->heap[0] = item;
        heap_sift_down(state->heap, state->heap_count, 0);
        state->heap_garbage++;
        heap_compact(state);
        return;
    }
    if (state->heap_count == state->heap_capacity) {
        uint64_t more = state->heap_capacity ? state->heap_capacity * 2 : 64;
        state->heap = arena_grow(state->heap_arena, state->heap,
                                 state->heap_capacity * sizeof(SortItem), more * sizeof(SortItem));
        state->heap_capacity = more;
    }
    state->heap[state->heap_count] = item;
    heap_sift_up(state->heap, state->heap_count++);
}

/* Bounds that would not fit in memory go through a full sort. */
static bool top_n_fill(SortState *state, bool *ret_full_sort)
{
    NodeState *node = &state->base;
    const TopNPlan *plan = (const TopNPlan *)node->plan;
    bool none, none_offset;
    TRY(expr_run_scalar(state->bounds));
    uint64_t count;
    TRY(limit_value(state->bounds->results[0], false, &count, &none));
    state->skip = 0;
    if (plan->offset)
        TRY(limit_value(state->bounds->results[1], true, &state->skip, &none_offset));
    state->given = 0;
    state->keep = none || count > UINT64_MAX / 2 ? UINT64_MAX : count + state->skip;
    uint64_t per_row = sizeof(SortItem) + sizeof(Row) + 64 + (uint64_t)plan->base.width;
    *ret_full_sort = plan->with_ties || state->keep > exec_work_mem() / per_row;
    if (*ret_full_sort)
        return sort_fill(state);
    node_fill_mark(node);
    while (state->keep > 0) {
        Batch *batch;
        CHECK_INTERRUPTS();
        TRY(node_next(node->left, &batch));
        if (!batch)
            break;
        node_scratch_reset(node);
        TRY(sort_keys_run(state->keys, batch));
        FOR_SELECTED (batch->selection, row) {
            Str key;
            TRY(sort_keys_encode(state->keys, row, &key));
            heap_offer(state, key, batch, row);
        }
    }
    for (uint64_t left = state->heap_count; left > 1; left--) {
        SortItem worst = state->heap[0];
        state->heap[0] = state->heap[left - 1];
        state->heap[left - 1] = worst;
        heap_sift_down(state->heap, left - 1, 0);
    }
    state->is_filled = true;
    state->sorter.items = state->heap;
    state->sorter.count = state->heap_count;
    if (node->instrument)
        node->instrument->method = "top-N heapsort";
    return true;
}

static void top_n_forget(SortState *state)
{
    if (state->sorter.items == state->heap) {
        state->sorter.items = NULL;
        state->sorter.count = state->sorter.capacity = 0;
    }
    arena_reset(state->heap_arena);
    state->heap = NULL;
    state->heap_count = state->heap_capacity = state->heap_garbage = 0;
    sorter_clear(&state->sorter);
    state->is_filled = false;
}

static bool top_n_next(NodeState *node, Batch **ret_batch)
{
    SortState *state = (SortState *)node;
    const TopNPlan *plan = (const TopNPlan *)node->plan;
    Row *rows[VECTOR_SIZE];
    uint32_t count = 0;
    if (!state->is_filled) {
        bool full;
        TRY(top_n_fill(state, &full));
    }
    arena_reset(state->batch_arena);
    Str last = {0};
    while (count < VECTOR_SIZE && (state->given < state->keep || plan->with_ties)) {
        Row *row;
        Str key;
        TRY(sorter_next(&state->sorter, &row, &key));
        if (!row || (state->given >= state->keep && !str_equal(key, last)))
            break;
        if (plan->with_ties && state->given + 1 >= state->keep)
            last = str_copy(node->exec->run_arena, key);
        if (state->given++ < state->skip)
            continue;
        rows[count] = arena_copy(state->batch_arena, row, row->size);
        row_relocate(&state->sorter.layout, rows[count]);
        count++;
    }
    return gather(state, rows, count, ret_batch);
}

static bool top_n_rewind(NodeState *node)
{
    top_n_forget((SortState *)node);
    return node_rewind(node->left);
}

static void top_n_stop(NodeState *node)
{
    top_n_forget((SortState *)node);
}

const NodeMethods node_top_n_methods = {
    .size = sizeof(SortState),
    .init = top_n_init,
    .next = top_n_next,
    .rewind = top_n_rewind,
    .stop = top_n_stop,
    .free = sort_free,
};
