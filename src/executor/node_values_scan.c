#include "executor/expr.h"

/* VALUES lists: each row's expressions are compiled together and computed when it is their turn. */

typedef struct ValuesScanState {
    NodeState base;
    ExprProgram **rows;
    uint32_t row_count, at, column_count;
    Arena *values_arena;
    Batch *batch;
    uint32_t capacity;
} ValuesScanState;

static bool values_scan_init(NodeState *node)
{
    ValuesScanState *state = (ValuesScanState *)node;
    const ValuesScanPlan *plan = (const ValuesScanPlan *)node->plan;
    Arena *arena = node->exec->arena;
    state->values_arena = arena_new("values");
    state->row_count = (uint32_t)plan->rows.length;
    state->rows = ARENA_ARRAY(arena, ExprProgram *, state->row_count + 1);
    state->column_count = state->row_count ? (uint32_t)plan->rows.items[0].length : 0;
    PhysType *types = ARENA_ARRAY(arena, PhysType, state->column_count + 1);
    for (uint32_t c = 0; c < state->column_count; c++)
        types[c] = type_phys(plan->rows.items[0].items[c]->type);
    for (uint32_t r = 0; r < state->row_count; r++) {
        CHECK_INTERRUPTS();
        TRY(state->rows[r] = expr_compile(node->exec, state->values_arena,
                                          plan->rows.items[r].items, state->column_count));
    }
    state->capacity = MIN(MAX(state->row_count, 1u), (uint32_t)VECTOR_SIZE);
    state->batch = ARENA_NEW(arena, Batch);
    state->batch->columns = ARENA_ARRAY(arena, Vector *, state->column_count + 1);
    state->batch->column_count = state->column_count;
    for (uint32_t c = 0; c < state->column_count; c++) {
        Vector *v = ARENA_NEW(arena, Vector);
        v->type = types[c];
        v->values = arena_alloc_zeroed(arena, phys_width(v->type) * state->capacity);
        v->nulls = arena_alloc_zeroed(arena, state->capacity);
        state->batch->columns[c] = v;
    }
    return node_init_projection(node);
}

static bool values_fill(ValuesScanState *state, uint32_t *ret_count)
{
    const uint32_t room = MIN(state->capacity, state->base.exec->batch_size);
    uint32_t count = 0;
    for (uint32_t c = 0; c < state->column_count; c++)
        vector_begin(state->batch->columns[c], room);
    for (; count < room && state->at < state->row_count; count++, state->at++) {
        CHECK_INTERRUPTS();
        ExprProgram *program = state->rows[state->at];
        TRY(expr_run_scalar(program));
        for (uint32_t c = 0; c < state->column_count; c++) {
            Value value;
            bool is_null;
            vector_get(program->results[c], 0, &value, &is_null);
            vector_set(state->batch->columns[c], count, &value, is_null);
        }
    }
    *ret_count = count;
    return true;
}

static bool values_scan_next(NodeState *node, Batch **ret_batch)
{
    ValuesScanState *state = (ValuesScanState *)node;
    *ret_batch = NULL;
    while (!*ret_batch && state->at < state->row_count) {
        uint32_t count;
        CHECK_INTERRUPTS();
        node_scratch_reset(node);
        arena_reset(state->values_arena);
        TRY(values_fill(state, &count));
        ExprInput input = {.slots = {state->batch->columns, NULL}, .row_count = count};
        TRY(node_project(node, &input, (Selection){.count = count}, ret_batch));
    }
    return true;
}

static bool values_scan_rewind(NodeState *node)
{
    ((ValuesScanState *)node)->at = 0;
    return true;
}

static void values_scan_stop(NodeState *node)
{
    ((ValuesScanState *)node)->at = 0;
}

static void values_scan_free(NodeState *node)
{
    arena_free(((ValuesScanState *)node)->values_arena);
}

const NodeMethods node_values_scan_methods = {
    .size = sizeof(ValuesScanState),
    .init = values_scan_init,
    .next = values_scan_next,
    .rewind = values_scan_rewind,
    .stop = values_scan_stop,
    .free = values_scan_free,
};
