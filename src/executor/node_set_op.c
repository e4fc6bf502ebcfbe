#include "base/pace.h"
#include "executor/equality.h"
#include "executor/node.h"

/*
 * INTERSECT and EXCEPT, with and without ALL. The right side becomes a table of distinct rows and
 * how often each comes; left rows then pass or not as they come by, so their order stays.
 *
 * When the table outgrows memory, rows that are not in it go to partition files by their hash, the
 * right side's and then the left side's, and each partition is a pass of its own. A left row that
 * is not in the table of a pass which put nothing aside has no partner at all.
 */

#define PARTITIONS 16

typedef struct SetEntry {
    struct SetEntry *next;
    Row *row;
    uint64_t hash;
    uint64_t count; /* rows of the right side without a partner yet */
    bool given;     /* without ALL: it has been output */
} SetEntry;

typedef struct SetPartition {
    struct SetPartition *next;
    SpillFile *files[2]; /* of the left and the right side; NULL: no rows */
    uint64_t rows[2];
    uint32_t depth;
} SetPartition;

enum { LEFT = 0, RIGHT = 1 };

typedef struct SetOpState {
    NodeState base;
    Oid *types;
    uint32_t column_count;
    RowLayout layout;
    bool is_except, is_all;
    Arena *arena; /* the table of this pass */
    Arena *read_arena;
    SetEntry **heads;
    uint64_t mask, count;
    SetPartition *pass; /* being read; NULL: the children themselves */
    SetPartition *waiting, *current[PARTITIONS];
    uint32_t depth;
    bool is_spilling, is_filled, is_done;
    Batch *input;
    uint64_t *hashes;
    uint16_t *rows;
} SetOpState;

static bool set_op_init(NodeState *node)
{
    SetOpState *state = (SetOpState *)node;
    const SetOpPlan *plan = (const SetOpPlan *)node->plan;
    Arena *arena = node->exec->arena;

    state->is_except = plan->op == SET_EXCEPT;
    state->is_all = plan->is_all;
    state->column_count = (uint32_t)node->plan->column_count;
    state->types = ARENA_ARRAY(arena, Oid, state->column_count + 1);
    for (uint32_t c = 0; c < state->column_count; c++)
        state->types[c] = node->plan->columns[c].type;
    row_layout_init(&state->layout, arena, node->types, state->column_count);
    state->arena = exec_arena(node->exec, "set operation");
    state->read_arena = exec_arena(node->exec, "set operation input");
    state->hashes = ARENA_ARRAY(arena, uint64_t, VECTOR_SIZE);
    state->rows = ARENA_ARRAY(arena, uint16_t, VECTOR_SIZE);
    return true;
}

/* ---- the table ---- */

static bool heads_grow(SetOpState *state)
{
    uint64_t size = state->heads ? (state->mask + 1) * 4 : 256;
    SetEntry **old = state->heads;
    uint64_t old_size = state->heads ? state->mask + 1 : 0;
    TRY(state->heads = PACE_ARRAY(state->arena, SetEntry *, size));
    state->mask = size - 1;
    for (uint64_t i = 0; i < old_size; i++) {
        CHECK_INTERRUPTS_EACH(i);
        for (SetEntry *entry = old[i], *next; entry; entry = next) {
            next = entry->next;
            entry->next = state->heads[entry->hash & state->mask];
            state->heads[entry->hash & state->mask] = entry;
        }
    }
    return true;
}

static SetEntry *entry_find(const SetOpState *state, const Batch *batch, uint64_t hash,
                            uint32_t row)
{
    SetEntry *entry = state->heads ? state->heads[hash & state->mask] : NULL;
    for (; entry; entry = entry->next)
        if (entry->hash == hash && row_keys_equal(&state->layout, entry->row, state->types,
                                                  state->column_count, batch->columns, row))
            return entry;
    return NULL;
}

static SetEntry *entry_new(SetOpState *state, const Batch *batch, uint64_t hash, uint32_t row)
{
    if (!state->heads || state->count > state->mask)
        TRY(heads_grow(state));
    SetEntry *entry = ARENA_NEW(state->arena, SetEntry);
    entry->hash = hash;
    entry->row = row_make(&state->layout, state->arena, batch->columns, row);
    entry->next = state->heads[hash & state->mask];
    state->heads[hash & state->mask] = entry;
    state->count++;
    return entry;
}

/* A row in memory at least, so that each pass gets somewhere. */
static bool may_grow(const SetOpState *state)
{
    return state->count < 16 || (!state->is_spilling && arena_size(state->arena) < exec_hash_mem());
}

static bool spill_row(SetOpState *state, const Batch *batch, int side, uint64_t hash, uint32_t row)
{
    ExecState *exec = state->base.exec;
    uint32_t p = (uint32_t)(hash >> (60 - 4 * MIN(state->depth, 14u))) % PARTITIONS;
    SetPartition *part = state->current[p];
    if (!part) {
        part = ARENA_NEW(exec->run_arena, SetPartition);
        part->depth = state->depth + 1;
        part->next = state->waiting;
        state->waiting = part;
        state->current[p] = part;
    }
    state->is_spilling = true;
    if (!part->files[side])
        TRY(part->files[side] = spill_new(&exec->spills));
    part->rows[side]++;
    node_scratch_reset(&state->base);
    return row_write(part->files[side],
                     row_make(&state->layout, state->base.scratch, batch->columns, row));
}

/* ---- input ---- */

static bool partition_next(SetOpState *state, int side, Batch **ret_batch)
{
    SetPartition *part = state->pass;
    Row *rows[VECTOR_SIZE];
    uint32_t count = 0;
    *ret_batch = NULL;
    if (!state->input)
        state->input = batch_new(state->base.exec->arena, state->base.types, state->column_count);
    arena_reset(state->read_arena);
    for (; count < VECTOR_SIZE && part->rows[side] > 0; count++, part->rows[side]--)
        TRY(rows[count] = row_read(&state->layout, part->files[side], state->read_arena));
    if (count == 0)
        return true;
    rows_gather(&state->layout, rows, count, 0, state->column_count, state->input->columns, 0);
    state->input->row_count = count;
    state->input->selection = (Selection){.count = count};
    *ret_batch = state->input;
    return true;
}

static bool input_next(SetOpState *state, int side, Batch **ret_batch)
{
    CHECK_INTERRUPTS();
    if (state->pass)
        return partition_next(state, side, ret_batch);
    return node_next(side == LEFT ? state->base.left : state->base.right, ret_batch);
}

static bool fill(SetOpState *state)
{
    for (;;) {
        Batch *batch;
        uint32_t i = 0;
        TRY(input_next(state, RIGHT, &batch));
        if (!batch)
            break;
        rows_hash(state->types, batch->columns, state->column_count, batch->selection,
                  state->hashes);
        FOR_SELECTED (batch->selection, row) {
            CHECK_INTERRUPTS();
            uint64_t hash = state->hashes[i++];
            SetEntry *entry = entry_find(state, batch, hash, row);
            if (!entry && !may_grow(state)) {
                TRY(spill_row(state, batch, RIGHT, hash, row));
                continue;
            }
            if (!entry)
                TRY(entry = entry_new(state, batch, hash, row));
            entry->count++;
        }
    }
    state->is_filled = true;
    if (state->base.instrument)
        state->base.instrument->memory_bytes =
            MAX(state->base.instrument->memory_bytes, arena_size(state->arena));
    return true;
}

/* ---- output ---- */

/* Does a left row with this entry pass? */
static bool entry_passes(const SetOpState *state, SetEntry *entry)
{
    if (!state->is_all) {
        bool passes = !entry->given && (entry->count > 0) != state->is_except;
        entry->given = true;
        return passes;
    }
    if (entry->count == 0)
        return state->is_except;
    entry->count--;
    return !state->is_except;
}

static bool decide(SetOpState *state, const Batch *batch, uint64_t hash, uint32_t row,
                   bool *ret_passes)
{
    SetEntry *entry = entry_find(state, batch, hash, row);
    *ret_passes = false;
    if (entry) {
        *ret_passes = entry_passes(state, entry);
        return true;
    }
    if (state->is_spilling)
        return spill_row(state, batch, LEFT, hash, row);
    if (!state->is_except)
        return true;
    if (!state->is_all) {
        if (!may_grow(state))
            return spill_row(state, batch, LEFT, hash, row);
        TRY(entry = entry_new(state, batch, hash, row));
        entry->given = true;
    }
    *ret_passes = true;
    return true;
}

static bool left_batch(SetOpState *state, Batch *batch, Batch **ret_batch)
{
    uint32_t count = 0, i = 0;
    rows_hash(state->types, batch->columns, state->column_count, batch->selection, state->hashes);
    FOR_SELECTED (batch->selection, row) {
        bool passes;
        TRY(decide(state, batch, state->hashes[i++], row, &passes));
        if (passes)
            state->rows[count++] = (uint16_t)row;
    }
    if (count == 0)
        return true;
    state->base.output = *batch;
    state->base.output.selection = (Selection){.rows = state->rows, .count = count};
    *ret_batch = &state->base.output;
    return true;
}

static void table_clear(SetOpState *state)
{
    pace_arena_reset(state->arena);
    state->heads = NULL;
    state->mask = state->count = 0;
    state->is_spilling = state->is_filled = false;
    memset(state->current, 0, sizeof(state->current));
}

/* The next partition, or the end. */
static bool pass_next(SetOpState *state)
{
    if (state->pass) {
        spill_free(state->pass->files[LEFT]);
        spill_free(state->pass->files[RIGHT]);
    }
    table_clear(state);
    state->pass = state->waiting;
    state->is_done = !state->pass;
    if (state->is_done)
        return true;
    state->waiting = state->pass->next;
    state->depth = state->pass->depth;
    for (int side = LEFT; side <= RIGHT; side++)
        if (state->pass->files[side])
            TRY(spill_begin_read(state->pass->files[side], 0));
    return true;
}

static bool set_op_next(NodeState *node, Batch **ret_batch)
{
    SetOpState *state = (SetOpState *)node;
    *ret_batch = NULL;
    while (!*ret_batch && !state->is_done) {
        Batch *batch;
        if (!state->is_filled)
            TRY(fill(state));
        TRY(input_next(state, LEFT, &batch));
        if (batch)
            TRY(left_batch(state, batch, ret_batch));
        else
            TRY(pass_next(state));
    }
    return true;
}

static void set_op_stop(NodeState *node)
{
    SetOpState *state = (SetOpState *)node;
    if (state->pass) {
        spill_free(state->pass->files[LEFT]);
        spill_free(state->pass->files[RIGHT]);
    }
    for (SetPartition *part = state->waiting; part; part = part->next) {
        spill_free(part->files[LEFT]);
        spill_free(part->files[RIGHT]);
    }
    state->pass = state->waiting = NULL;
    state->depth = 0;
    state->is_done = false;
    if (state->arena) /* none when init failed */
        table_clear(state);
}

static bool set_op_rewind(NodeState *node)
{
    set_op_stop(node);
    TRY(node_rewind(node->left));
    return node_rewind(node->right);
}

const NodeMethods node_set_op_methods = {
    .size = sizeof(SetOpState),
    .init = set_op_init,
    .next = set_op_next,
    .rewind = set_op_rewind,
    .stop = set_op_stop,
};
