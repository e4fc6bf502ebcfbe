#include "executor/window_function.h"

#include "parser/ast_query.h"

/*
 * Window functions over sorted input. Rows are taken in until at least a batch of them and whole
 * partitions are in the store; then results are computed row by row and given a block at a time.
 * Where no function needs the partition's end, results are computed for what is there.
 */

/* ---- init ---- */

static bool call_init(Window *window, WindowCallState *call, const WindowCall *plan)
{
    ExecState *exec = window->base.exec;
    uint32_t count = (uint32_t)plan->args.length;
    Oid *types = ARENA_ARRAY(exec->arena, Oid, count + 1);
    call->plan = plan;
    for (uint32_t i = 0; i < count; i++)
        types[i] = plan->args.items[i]->type;
    TRY(call->call = expr_new_call(exec, &(CallSite){.function = plan->function,
                                                     .arg_types = types,
                                                     .arg_count = count,
                                                     .result_type = plan->result_type,
                                                     .collation = plan->input_collation}));
    call->call->arena = window->base.scratch;
    if (plan->is_aggregate) {
        window->needs_frame = true;
        return window_aggregate_init(window, call);
    }
    call->function = call->call->function->window;
    if (!call->function)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("window function %s is not supported", call->call->function->name));
    window->needs_frame |= call->function->reach == WINDOW_FRAME;
    return true;
}

/* Rows may be given as they come where no function needs more than what came before and peers. */
static bool can_stream(const Window *window)
{
    const int options = window->plan->frame_options;
    const bool is_running = (options & FRAMEOPTION_START_UNBOUNDED_PRECEDING) &&
                            (options & FRAMEOPTION_END_CURRENT_ROW) && !window->has_exclusion;
    bool streams = true;
    for (uint32_t c = 0; c < window->call_count; c++) {
        const WindowFunction *function = window->calls[c].function;
        const WindowReach reach = function ? function->reach : WINDOW_FRAME;
        streams &= reach == WINDOW_BEFORE || (reach == WINDOW_FRAME && is_running);
    }
    return streams;
}

/* The stored column of an expression: the child's own where it is nothing more. */
static uint32_t column_for(Window *window, ExprVec *extra, Expr *expr)
{
    if (expr->kind == EXPR_SLOT)
        return (uint32_t)EXPR_AS(ExprSlot, expr)->column;
    VEC_PUSH(window->base.exec->arena, extra, expr);
    return window->child_count + (uint32_t)extra->length - 1;
}

/* Which columns are stored: the child's, partition keys, order keys, arguments, filters. */
static void columns_init(Window *window, ExprVec *extra)
{
    const WindowPlan *plan = window->plan;
    Arena *arena = window->base.exec->arena;
    window->partition_count = (uint32_t)plan->partition_by.length;
    window->order_count = (uint32_t)plan->order_by.length;
    window->partition_types = ARENA_ARRAY(arena, Oid, window->partition_count + 1);
    window->order_types = ARENA_ARRAY(arena, Oid, window->order_count + 1);
    window->partition_column = window->child_count;
    for (uint32_t i = 0; i < window->partition_count; i++) {
        window->partition_types[i] = plan->partition_by.items[i]->type;
        VEC_PUSH(arena, extra, plan->partition_by.items[i]);
    }
    window->order_column = window->child_count + window->partition_count;
    for (uint32_t i = 0; i < window->order_count; i++) {
        window->order_types[i] = plan->order_by.items[i].expr->type;
        VEC_PUSH(arena, extra, plan->order_by.items[i].expr);
    }
    for (uint32_t c = 0; c < window->call_count; c++) {
        const WindowCall *call = &plan->calls.items[c];
        WindowCallState *state = &window->calls[c];
        state->columns = ARENA_ARRAY(arena, uint32_t, call->args.length + 1);
        for (size_t i = 0; i < call->args.length; i++)
            state->columns[i] = column_for(window, extra, call->args.items[i]);
        state->filter =
            call->filter ? column_for(window, extra, (Expr *)(uintptr_t)call->filter) : UINT32_MAX;
        state->result = vector_new(arena, type_phys(call->result_type));
    }
}

static void block_init(Window *window, WindowBlock *block)
{
    row_reader_init(&block->reader, &window->store);
    block->batch =
        batch_new(window->base.exec->arena, window->store.layout.types, window->column_count);
}

static bool window_init(NodeState *node)
{
    Window *window = (Window *)node;
    ExecState *exec = node->exec;
    Arena *arena = exec->arena;
    ExprVec extra = {0};

    window->plan = (const WindowPlan *)node->plan;
    window->child_count = (uint32_t)node->left->plan->column_count;
    window->call_count = (uint32_t)window->plan->calls.length;
    window->calls = ARENA_ARRAY(arena, WindowCallState, window->call_count + 1);
    window->input_arena = exec_arena(exec, "window input");
    window->last_arena = exec_arena(exec, "window keys");
    window->bounds_arena = exec_arena(exec, "window bounds");
    columns_init(window, &extra);
    window->column_count = window->child_count + (uint32_t)extra.length;
    PhysType *types = ARENA_ARRAY(arena, PhysType, window->column_count + 1);
    memcpy(types, node->left->types, window->child_count * sizeof(PhysType));
    for (size_t i = 0; i < extra.length; i++)
        types[window->child_count + i] = type_phys(extra.items[i]->type);
    row_store_init(&window->store, arena, &exec->spills, types, window->column_count,
                   exec_work_mem());
    TRY(window->extra =
            expr_compile(exec, window->input_arena, extra.items, (uint32_t)extra.length));
    window->stored = ARENA_ARRAY(arena, Vector *, window->column_count + 1);
    const uint32_t keys = window->partition_count + window->order_count;
    window->last = ARENA_ARRAY(arena, Value, keys + 1);
    window->last_nulls = ARENA_ARRAY(arena, bool, keys + 1);
    block_init(window, &window->output);
    for (int i = 0; i < WINDOW_BLOCKS; i++)
        block_init(window, &window->blocks[i]);
    for (uint32_t c = 0; c < window->call_count; c++)
        TRY(call_init(window, &window->calls[c], &window->plan->calls.items[c]));
    window->results = ARENA_ARRAY(arena, Vector *, window->child_count + window->call_count + 1);
    memcpy(window->results, window->output.batch->columns, window->child_count * sizeof(Vector *));
    for (uint32_t c = 0; c < window->call_count; c++)
        window->results[window->child_count + c] = window->calls[c].result;
    TRY(window_frame_init(window));
    window->streams = can_stream(window);
    window->selected = ARENA_ARRAY(arena, uint16_t, VECTOR_SIZE);
    window->is_whole = true;
    return node_init_projection(node);
}

/* ---- taking rows in ---- */

/* Are these key columns (counted from the first partition key) what they were a row ago? */
static bool keys_repeat(const Window *window, uint32_t first, uint32_t count, const Oid *types,
                        uint32_t row)
{
    for (uint32_t k = 0; k < count; k++) {
        const Vector *v = window->stored[window->partition_column + first + k];
        Value value;
        bool is_null;
        vector_get(v, row, &value, &is_null);
        if (is_null != window->last_nulls[first + k] ||
            (!is_null && !type_equal(types[k], &value, &window->last[first + k])))
            return false;
    }
    return true;
}

static void keys_remember(Window *window, uint32_t row)
{
    const uint32_t keys = window->partition_count + window->order_count;
    if (arena_size(window->last_arena) > 65536)
        arena_reset(window->last_arena);
    for (uint32_t k = 0; k < keys; k++) {
        const Vector *v = window->stored[window->partition_column + k];
        Value value;
        vector_get(v, row, &value, &window->last_nulls[k]);
        if (!window->last_nulls[k])
            window->last[k] = value_copy(window->last_arena, v->type, &value);
    }
}

/* Takes a row, unless it begins a partition and enough of them are here (*ret_taken false). */
static bool row_take(Window *window, uint32_t row, bool *ret_taken)
{
    const uint64_t number = window->store.count;
    const bool same_partition =
        number > 0 && keys_repeat(window, 0, window->partition_count, window->partition_types, row);
    *ret_taken = same_partition || number < window->base.exec->batch_size;
    if (!*ret_taken)
        return true;
    const bool same_peers =
        same_partition &&
        keys_repeat(window, window->partition_count, window->order_count, window->order_types, row);
    if (!same_partition)
        VEC_PUSH(window->bounds_arena, &window->partition_group, window->groups.length);
    if (!same_peers) {
        VEC_PUSH(window->bounds_arena, &window->groups, number);
        keys_remember(window, row);
    }
    return row_store_add(&window->store, window->stored, row);
}

static bool pending_take(Window *window, bool *ret_enough)
{
    Batch *batch = window->pending;
    while (window->pending_at < batch->selection.count) {
        bool taken;
        TRY(row_take(window, selection_row(batch->selection, window->pending_at), &taken));
        if (!taken) {
            *ret_enough = true;
            return true;
        }
        window->pending_at++;
    }
    window->pending = NULL;
    return true;
}

static void store_clear(Window *window)
{
    row_store_clear(&window->store);
    arena_reset(window->bounds_arena);
    memset(&window->groups, 0, sizeof(window->groups));
    memset(&window->partition_group, 0, sizeof(window->partition_group));
    for (int i = 0; i < WINDOW_BLOCKS; i++)
        window->blocks[i].used_at = 0;
    window->given = window->computed = window->ready = 0;
    window->is_whole = true;
}

/* More rows are going to stand behind the last ones. */
static void blocks_forget_last(Window *window)
{
    for (int i = 0; i < WINDOW_BLOCKS; i++)
        if ((window->blocks[i].number + 1) * VECTOR_SIZE > window->store.count)
            window->blocks[i].used_at = 0;
}

/* Which rows may be computed now; the peers of the last ones may not all be here. */
static bool is_ready(Window *window)
{
    const bool needs_peers =
        window->needs_frame && !(window->plan->frame_options & FRAMEOPTION_ROWS);
    if (!window->streams || window->store.count == 0)
        return false;
    window->ready =
        needs_peers ? window->groups.items[window->groups.length - 1] : window->store.count;
    /* Many rows are computed a block at a time. */
    const bool by_block = window->given >= VECTOR_SIZE && window->base.exec->batch_size > 1;
    const uint64_t least = by_block ? VECTOR_SIZE - window->given % VECTOR_SIZE : 1;
    return window->ready >= window->given + least;
}

static bool fill(Window *window)
{
    NodeState *node = &window->base;
    bool enough = false;
    if (window->is_whole)
        store_clear(window);
    window->is_whole = false;
    blocks_forget_last(window);
    while (!enough) {
        if (window->pending) {
            TRY(pending_take(window, &enough));
            if (!enough && is_ready(window))
                return true;
            continue;
        }
        if (window->child_done)
            break;
        CHECK_INTERRUPTS();
        TRY(node_next(node->left, &window->pending));
        window->child_done = !window->pending;
        if (!window->pending)
            break;
        const Batch *batch = window->pending;
        const ExprInput input = {.slots = {batch->columns, NULL}, .row_count = batch->row_count};
        arena_reset(window->input_arena);
        TRY(expr_run(window->extra, &input, batch->selection));
        memcpy(window->stored, batch->columns, window->child_count * sizeof(Vector *));
        memcpy(window->stored + window->child_count, window->extra->results,
               window->extra->count * sizeof(Vector *));
        window->pending_at = 0;
    }
    window->is_whole = true;
    window->ready = window->store.count;
    if (node->instrument)
        node->instrument->memory_bytes =
            MAX(node->instrument->memory_bytes, row_store_memory(&window->store));
    return true;
}

/* ---- reading stored rows ---- */

static bool block_load(Window *window, WindowBlock *block, uint64_t number)
{
    block->reader.position = number * VECTOR_SIZE;
    block->number = number;
    block->used_at = 0;
    TRY(row_reader_next(&block->reader, block->batch, VECTOR_SIZE));
    block->used_at = ++window->clock;
    return true;
}

WindowBlock *window_block(Window *window, uint64_t row)
{
    const uint64_t number = row / VECTOR_SIZE;
    WindowBlock *oldest = &window->blocks[0];
    for (int i = 0; i < WINDOW_BLOCKS; i++) {
        WindowBlock *block = &window->blocks[i];
        if (block->used_at > 0 && block->number == number) {
            block->used_at = ++window->clock;
            return block;
        }
        if (block->used_at < oldest->used_at)
            oldest = block;
    }
    TRY(block_load(window, oldest, number));
    return oldest;
}

bool window_value(Window *window, uint32_t column, uint64_t row, Value *ret_value, bool *ret_null)
{
    const WindowBlock *block = window_block(window, row);
    TRY(block);
    const Vector *vector = block->batch->columns[column];
    vector_get(vector, (uint32_t)(row % VECTOR_SIZE), ret_value, ret_null);
    /* What was read back from disk goes when its block does. */
    if (!*ret_null && vector->type == PHYS_VAR && window->store.file)
        *ret_value = value_copy(window->base.scratch, PHYS_VAR, ret_value);
    return true;
}

/* ---- results ---- */

static uint64_t group_limit(const Window *window, uint64_t group)
{
    return group < window->groups.length ? window->groups.items[group] : window->store.count;
}

static void partition_begin(Window *window, uint64_t partition)
{
    window->partition = partition;
    window->group = window->partition_group.items[partition];
    const uint64_t next = partition + 1 < window->partition_group.length
                              ? window->partition_group.items[partition + 1]
                              : window->groups.length;
    window->rows = (WindowRange){window->groups.items[window->group], group_limit(window, next)};
    window_frame_partition(window);
    for (uint32_t c = 0; c < window->call_count; c++)
        if (window->calls[c].aggregate)
            window_aggregate_partition(&window->calls[c]);
}

/* The ends of the partition and the peers at hand may have moved since. */
static void ends_refresh(Window *window)
{
    const uint64_t next = window->partition + 1 < window->partition_group.length
                              ? window->partition_group.items[window->partition + 1]
                              : window->groups.length;
    window->rows.end = group_limit(window, next);
    window->peers.end = group_limit(window, window->group + 1);
}

static bool row_begin(Window *window, uint64_t row)
{
    window->row = row;
    if (row == 0)
        partition_begin(window, 0);
    else if (row == window->rows.end)
        partition_begin(window, window->partition + 1);
    else if (row == window->peers.end)
        window->group++;
    window->peers =
        (WindowRange){window->groups.items[window->group], group_limit(window, window->group + 1)};
    return !window->needs_frame || window_frame_move(window);
}

/* The functions' values for the next block. */
static bool block_compute(Window *window)
{
    NodeState *node = &window->base;
    node_scratch_reset(node);
    TRY(window_frame_begin(window));
    TRY(block_load(window, &window->output, window->given / VECTOR_SIZE));
    const uint64_t block = window->given / VECTOR_SIZE * VECTOR_SIZE;
    const uint32_t count =
        (uint32_t)MIN((uint64_t)window->output.batch->row_count, window->ready - block);
    if (window->given > 0)
        ends_refresh(window);
    for (uint32_t c = 0; c < window->call_count; c++) {
        vector_begin(window->calls[c].result, count);
        if (window->calls[c].aggregate)
            window_aggregate_batch(&window->calls[c]);
    }
    for (uint32_t i = (uint32_t)(window->given - block); i < count; i++) {
        TRY(row_begin(window, block + i));
        for (uint32_t c = 0; c < window->call_count; c++) {
            WindowCallState *call = &window->calls[c];
            Value value = {0};
            bool is_null = false;
            if (call->aggregate)
                TRY(window_aggregate_value(window, call, &value, &is_null));
            else
                TRY(call->function->value(window, call, &value, &is_null));
            vector_set(call->result, i, &value, is_null);
        }
    }
    window->computed = block + count;
    return true;
}

static bool give_block(Window *window, Batch **ret_batch)
{
    NodeState *node = &window->base;
    if (window->given == window->computed)
        TRY(block_compute(window));
    const ExprInput input = {.slots = {window->results, NULL},
                             .row_count = window->output.batch->row_count};
    const uint16_t at = (uint16_t)(window->given % VECTOR_SIZE);
    const uint32_t left = (uint32_t)(window->computed - window->given);
    const Selection rows = {.rows = window->selected, .count = MIN(left, node->exec->batch_size)};
    for (uint32_t i = 0; i < rows.count; i++)
        window->selected[i] = (uint16_t)(at + i);
    window->given += rows.count;
    return node_project(node, &input, rows, ret_batch);
}

static bool window_next(NodeState *node, Batch **ret_batch)
{
    Window *window = (Window *)node;
    *ret_batch = NULL;
    while (!*ret_batch) {
        CHECK_INTERRUPTS();
        while (window->given == window->ready) {
            TRY(fill(window));
            if (window->given == window->ready && window->child_done && !window->pending)
                return true;
        }
        TRY(give_block(window, ret_batch));
    }
    return true;
}

static void window_stop(NodeState *node)
{
    Window *window = (Window *)node;
    if (window->bounds_arena) /* none when init failed */
        store_clear(window);
    window->pending = NULL;
    window->child_done = window->offsets_known = false;
}

static bool window_rewind(NodeState *node)
{
    window_stop(node);
    return node_rewind(node->left);
}

static void window_free(NodeState *node)
{
    Window *window = (Window *)node;
    row_store_deinit(&window->store);
    row_reader_deinit(&window->output.reader);
    for (int i = 0; i < WINDOW_BLOCKS; i++)
        row_reader_deinit(&window->blocks[i].reader);
}

const NodeMethods node_window_methods = {
    .size = sizeof(Window),
    .init = window_init,
    .next = window_next,
    .rewind = window_rewind,
    .stop = window_stop,
    .free = window_free,
};
