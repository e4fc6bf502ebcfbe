#include "executor/expr.h"
#include "types/record.h"

/*
 * Set-returning functions in a select list: each input row gives as many rows as the longest set,
 * null where a shorter one has ended.
 */

typedef struct RunningSet {
    Value *args;
    bool *nulls;
    Value *outputs; /* the row just given */
    bool *output_nulls;
    void *cursor;
    bool is_done;
} RunningSet;

typedef struct ProjectSetState {
    NodeState base;
    ExprProgram *program;
    RunningSet *sets;
    uint32_t set_count;
    Arena *row_arena; /* arguments and cursors of the row at hand */
    Batch *input;
    uint32_t at; /* of the input's selected rows */
    bool in_row;
    Vector **columns;
    uint32_t *sets_until; /* by column: how many sets it and those before it have */
} ProjectSetState;

static bool count_sets(void *context, Expr *expr)
{
    uint32_t *count = context;
    *count += expr->kind == EXPR_FUNCTION && EXPR_AS(const ExprFunction, expr)->returns_set;
    return expr_walk(expr, count_sets, context);
}

static bool project_set_init(NodeState *node)
{
    ProjectSetState *state = (ProjectSetState *)node;
    Arena *arena = node->exec->arena;
    const Plan *plan = node->plan;

    state->row_arena = arena_new("set functions");
    state->program = expr_compile_sets(node->exec, node->scratch, plan->targets.items,
                                       (uint32_t)plan->targets.length);
    TRY(state->program);
    state->set_count = (uint32_t)state->program->set_calls.length;
    state->sets = ARENA_ARRAY(arena, RunningSet, state->set_count + 1);
    for (uint32_t s = 0; s < state->set_count; s++) {
        const uint32_t count = state->program->set_calls.items[s].arg_count;
        state->sets[s].args = ARENA_ARRAY(arena, Value, count + 1);
        state->sets[s].nulls = ARENA_ARRAY(arena, bool, count + 1);
        const uint32_t outputs = state->program->set_calls.items[s].output_count;
        state->sets[s].outputs = ARENA_ARRAY(arena, Value, outputs + 1);
        state->sets[s].output_nulls = ARENA_ARRAY(arena, bool, outputs + 1);
    }
    state->sets_until = ARENA_ARRAY(arena, uint32_t, plan->column_count + 1);
    uint32_t until = 0;
    for (size_t i = 0; i < plan->targets.length; i++) {
        (void)count_sets(&until, plan->targets.items[i]);
        state->sets_until[i] = until;
    }
    state->columns = ARENA_ARRAY(arena, Vector *, plan->column_count + 1);
    for (int c = 0; c < plan->column_count; c++)
        state->columns[c] = vector_new(arena, type_phys(plan->columns[c].type));
    return true;
}

/* The set's arguments, kept while the row lasts. */
static bool begin_set(ProjectSetState *state, uint32_t s, uint32_t row)
{
    const uint16_t rows[1] = {(uint16_t)row};
    const Selection one = {.rows = rows, .count = 1};
    ExprSetCall *set = &state->program->set_calls.items[s];
    RunningSet *running = &state->sets[s];
    bool any_null = false;
    for (uint32_t a = 0; a < set->arg_count; a++) {
        TRY(expr_block_run(state->program, &set->args[a], one));
        const Vector *v = state->program->registers[set->args[a].result];
        Value value;
        vector_get(v, row, &value, &running->nulls[a]);
        running->args[a] =
            running->nulls[a] ? (Value){0} : value_copy(state->row_arena, v->type, &value);
        any_null |= running->nulls[a];
    }
    set->call->site_arena = state->row_arena;
    running->cursor = NULL;
    running->is_done = any_null && set->call->function->is_strict;
    return true;
}

/* One more row of the set into its register; null at its end. */
static bool step_set(ProjectSetState *state, uint32_t s, uint32_t row)
{
    ExprSetCall *set = &state->program->set_calls.items[s];
    RunningSet *running = &state->sets[s];
    if (!running->is_done) {
        set->call->arena = state->base.scratch;
        memset(running->output_nulls, 0, set->output_count + 1);
        TRY(set->call->function->set(set->call, running->args, running->nulls, &running->cursor,
                                     running->outputs, running->output_nulls, &running->is_done));
    }
    const bool is_null = running->is_done || (set->output_count == 0 && running->output_nulls[0]);
    Value value = {0};
    /* An element of an argument lives as long as the row, the output as long as the batch. */
    if (!is_null)
        value = set->output_count > 0
                    ? record_make(state->base.scratch, TYPE_RECORD, set->output_types,
                                  running->outputs, running->output_nulls, set->output_count)
                    : value_copy(state->base.scratch, set->vector->type, running->outputs);
    if (!is_null && set->output_count > 0)
        TRY(record_depth_check(&value));
    vector_set(set->vector, row, &value, is_null);
    return true;
}

static bool output_column(ProjectSetState *state, uint32_t i, uint32_t row, uint32_t at)
{
    const uint16_t rows[1] = {(uint16_t)row};
    ExprBlock *block = &state->program->blocks[i];
    Value value;
    bool is_null;
    TRY(expr_block_run(state->program, block, (Selection){.rows = rows, .count = 1}));
    vector_get(state->program->registers[block->result], row, &value, &is_null);
    vector_set(state->columns[i], at, &value, is_null);
    return true;
}

/*
 * One more row, if a set has one (*ret_any), into `at`. Columns are computed in their order, those
 * without a set also when it turns out that the sets have ended, as in PostgreSQL.
 */
static bool step_row(ProjectSetState *state, uint32_t row, uint32_t at, bool *ret_any)
{
    const uint32_t count = state->program->count;
    *ret_any = false;
    if (!state->in_row)
        arena_reset(state->row_arena);
    for (uint32_t i = 0, s = 0; i < count; i++) {
        if (state->sets_until[i] == s)
            TRY(output_column(state, i, row, at));
        for (; s < state->sets_until[i]; s++) {
            if (!state->in_row)
                TRY(begin_set(state, s, row));
            TRY(step_set(state, s, row));
            *ret_any |= !state->sets[s].is_done;
        }
    }
    state->in_row = *ret_any;
    for (uint32_t i = 0, s = 0; i < count && *ret_any; s = state->sets_until[i++])
        if (state->sets_until[i] > s)
            TRY(output_column(state, i, row, at));
    return true;
}

static bool needs_input(const ProjectSetState *state)
{
    return !state->input || (!state->in_row && state->at >= state->input->selection.count);
}

static bool next_input(ProjectSetState *state)
{
    if (!needs_input(state))
        return true;
    state->at = 0;
    return node_next(state->base.left, &state->input);
}

static bool project_set_next(NodeState *node, Batch **ret_batch)
{
    ProjectSetState *state = (ProjectSetState *)node;
    uint32_t count = 0;

    *ret_batch = NULL;
    node_scratch_reset(node);
    for (int c = 0; c < node->plan->column_count; c++)
        vector_clear_nulls(state->columns[c], VECTOR_SIZE);
    while (count < node->exec->batch_size) {
        CHECK_INTERRUPTS();
        /* What the rows so far point at lives until the next batch is asked for. */
        if (count > 0 && needs_input(state))
            break;
        TRY(next_input(state));
        if (!state->input)
            break;
        const ExprInput input = {.slots = {state->input->columns, NULL},
                                 .row_count = state->input->row_count};
        TRY(expr_begin(state->program, &input));
        while (count < node->exec->batch_size &&
               (state->in_row || state->at < state->input->selection.count)) {
            const uint32_t row = selection_row(state->input->selection, state->at);
            bool any;
            TRY(step_row(state, row, count, &any));
            if (any)
                count++;
            else
                state->at++;
        }
    }
    if (count == 0)
        return true;
    node->output = (Batch){.columns = state->columns,
                           .column_count = (uint32_t)node->plan->column_count,
                           .row_count = count,
                           .selection = {.count = count}};
    *ret_batch = &node->output;
    return true;
}

static bool project_set_rewind(NodeState *node)
{
    ProjectSetState *state = (ProjectSetState *)node;
    state->input = NULL;
    state->in_row = false;
    state->at = 0;
    return node_rewind(node->left);
}

static void project_set_stop(NodeState *node)
{
    ProjectSetState *state = (ProjectSetState *)node;
    state->input = NULL;
    state->in_row = false;
    state->at = 0;
}

static void project_set_free(NodeState *node)
{
    arena_free(((ProjectSetState *)node)->row_arena);
}

const NodeMethods node_project_set_methods = {
    .size = sizeof(ProjectSetState),
    .init = project_set_init,
    .next = project_set_next,
    .rewind = project_set_rewind,
    .stop = project_set_stop,
    .free = project_set_free,
};
