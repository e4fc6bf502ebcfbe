#include "executor/sort_node.h"

#include "base/pace.h"

/* ORDER BY: all of the child's rows by the bytes of their keys; and the bounded variety. */

bool sort_node_init(NodeState *node, const SortKeyVec *keys)
{
    SortState *state = (SortState *)node;
    Arena *arena = node->exec->arena;
    uint32_t count = (uint32_t)node->plan->column_count;
    TRY(state->keys = sort_keys_new(node->exec, node->scratch, keys));
    sorter_init(&state->sorter, &node->exec->spills, exec_work_mem());
    packed_layout_init(&state->layout, arena, node->types, count);
    state->sizes = ARENA_ARRAY(arena, uint32_t, VECTOR_SIZE);
    state->batch = batch_new(arena, node->types, count);
    state->batch_arena = arena_new("sort batch");
    return true;
}

static bool sort_init(NodeState *node)
{
    return sort_node_init(node, &((const SortPlan *)node->plan)->keys);
}

/* Leaves out the rows that the sorter would drop. */
static void refuse(SortState *state, Selection *selection)
{
    KeyBatch *keys = &state->keys->batch;
    StrBuf *buffer = &state->keys->buffer;
    char *at[VECTOR_SIZE];
    size_t size = 0;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < selection->count; i++)
        size += keys->sizes[i];
    strbuf_truncate(buffer, 0);
    char *key = strbuf_reserve(buffer, size);
    for (uint32_t i = 0; i < selection->count; i++) {
        at[i] = key;
        key += keys->sizes[i];
    }
    key_batch_put(keys, 0, selection->count, at);
    for (uint32_t i = 0; i < selection->count; i++)
        if (!sorter_refuses(&state->sorter, str_make(at[i] - keys->sizes[i], keys->sizes[i])))
            state->kept[kept++] = (uint16_t)selection_row(*selection, i);
    *selection = (Selection){.rows = state->kept, .count = kept};
}

bool sort_node_add(SortState *state, const Batch *batch, Selection selection)
{
    KeyBatch *keys = &state->keys->batch;
    char *at[VECTOR_SIZE];

    TRY(key_batch_begin(keys, state->keys->program->results, selection));
    if (state->sorter.has_cutoff) {
        refuse(state, &selection);
        TRY(key_batch_begin(keys, state->keys->program->results, selection));
    }
    memset(state->sizes, 0, selection.count * sizeof(uint32_t));
    packed_sizes(&state->layout, batch->columns, selection, state->sizes);
    for (uint32_t from = 0; from < selection.count;) {
        const uint32_t count = sorter_reserve(&state->sorter, keys->sizes + from,
                                              state->sizes + from, selection.count - from, at);
        TRY(count);
        key_batch_put(keys, from, from + count, at);
        packed_put(&state->layout, batch->columns, selection, from, from + count, at);
        from += count;
    }
    return true;
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
        TRY(sort_node_add(state, batch, batch->selection));
    }
    state->is_filled = true;
    TRY(sorter_finish(&state->sorter));
    if (node->instrument) {
        node->instrument->method =
            sorter_is_merging(&state->sorter) ? "external merge" : "quicksort";
        node->instrument->spilled_bytes = state->sorter.spilled_bytes;
        node->instrument->memory_bytes = state->sorter.peak_bytes;
    }
    return true;
}

static bool gather(SortState *state, const char *const *rows, uint32_t count, Batch **ret_batch)
{
    *ret_batch = NULL;
    if (count == 0)
        return true;
    packed_gather(&state->layout, rows, count, state->batch->columns);
    state->batch->row_count = count;
    state->batch->selection = (Selection){.count = count};
    *ret_batch = state->batch;
    return true;
}

/* A merged record is only borrowed until the next one. */
static const char *record_row(SortState *state, const SortRecord *record)
{
    return sorter_is_merging(&state->sorter)
               ? arena_copy(state->batch_arena, record->payload, record->payload_size)
               : record->payload;
}

bool sort_node_give(SortState *state, uint32_t most, Batch **ret_batch)
{
    const char *rows[VECTOR_SIZE];
    uint32_t count = 0;
    arena_reset(state->batch_arena);
    for (; count < most; count++) {
        SortRecord record;
        TRY(sorter_next(&state->sorter, &record));
        if (!record.key.data)
            break;
        rows[count] = record_row(state, &record);
    }
    return gather(state, rows, count, ret_batch);
}

static bool sort_next(NodeState *node, Batch **ret_batch)
{
    SortState *state = (SortState *)node;
    if (!state->is_filled)
        TRY(sort_fill(state));
    return sort_node_give(state, node->exec->batch_size, ret_batch);
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

void sort_node_free(NodeState *node)
{
    SortState *state = (SortState *)node;
    sorter_deinit(&state->sorter);
    arena_free(state->batch_arena);
}

const NodeMethods node_sort_methods = {
    .size = sizeof(SortState),
    .init = sort_init,
    .next = sort_next,
    .rewind = sort_rewind,
    .stop = sort_stop,
    .free = sort_node_free,
};

/* ---- top-N ---- */

static bool top_n_init(NodeState *node)
{
    SortState *state = (SortState *)node;
    const TopNPlan *plan = (const TopNPlan *)node->plan;
    Expr *exprs[2] = {plan->count, plan->offset};
    TRY(state->bounds =
            expr_compile(node->exec, node->exec->run_arena, exprs, plan->offset ? 2 : 1));
    state->kept = ARENA_ARRAY(node->exec->arena, uint16_t, VECTOR_SIZE);
    return sort_node_init(node, &plan->keys);
}

static bool top_n_fill(SortState *state)
{
    const TopNPlan *plan = (const TopNPlan *)state->base.plan;
    bool none, none_offset;
    TRY(expr_run_scalar(state->bounds));
    uint64_t count;
    TRY(limit_value(state->bounds->results[0], false, &count, &none));
    state->skip = 0;
    if (plan->offset)
        TRY(limit_value(state->bounds->results[1], true, &state->skip, &none_offset));
    state->given = 0;
    const uint64_t skip = state->skip;
    if (plan->is_below_limit)
        state->skip = 0;
    const bool is_all = none || count > UINT64_MAX / 2;
    /* LIMIT 0 wants none of the rows that OFFSET leaves out either. */
    state->keep = is_all ? UINT64_MAX : count == 0 ? 0 : count + skip;
    /* Rows that are equal to the last one may come anywhere. */
    sorter_keep_first(&state->sorter, plan->with_ties ? UINT64_MAX : state->keep);
    if (state->keep == 0) {
        state->is_filled = true;
        return sorter_finish(&state->sorter);
    }
    TRY(sort_fill(state));
    if (state->base.instrument && !sorter_is_merging(&state->sorter) &&
        state->sorter.keep != UINT64_MAX)
        state->base.instrument->method = "top-N heapsort";
    return true;
}

static bool top_n_next(NodeState *node, Batch **ret_batch)
{
    SortState *state = (SortState *)node;
    const TopNPlan *plan = (const TopNPlan *)node->plan;
    const char *rows[VECTOR_SIZE];
    uint32_t count = 0;
    if (!state->is_filled)
        TRY(top_n_fill(state));
    arena_reset(state->batch_arena);
    while (count < node->exec->batch_size && (state->given < state->keep || plan->with_ties)) {
        SortRecord record;
        TRY(sorter_next(&state->sorter, &record));
        if (!record.key.data ||
            (state->given >= state->keep && !str_equal(record.key, state->last)))
            break;
        if (plan->with_ties && state->given + 1 == state->keep)
            state->last = str_copy(node->exec->run_arena, record.key);
        if (state->given++ < state->skip) {
            CHECK_INTERRUPTS_EACH(state->given);
            continue;
        }
        rows[count++] = record_row(state, &record);
    }
    return gather(state, rows, count, ret_batch);
}

static bool top_n_rewind(NodeState *node)
{
    sort_stop(node);
    return node_rewind(node->left);
}

const NodeMethods node_top_n_methods = {
    .size = sizeof(SortState),
    .init = top_n_init,
    .next = top_n_next,
    .rewind = top_n_rewind,
    .stop = sort_stop,
    .free = sort_node_free,
};
