#include "base/pace.h"
#include "executor/equality.h"
#include "executor/expr.h"

/*
 * Hash join: the right side in a table, the left side probing. When the table outgrows memory both
 * sides go to partition files by hash and the partitions are joined one after the other.
 * Kept rows are {keys, right columns}; Row.flags says that a row has found a partner.
 */

#define JOIN_PARTITIONS 32
#define PREFETCH_FROM 8191 /* heads: fewer are in the caches anyway */
#define ROW_MATCHED 1

typedef struct JoinPartition {
    SpillFile *build, *probe;
    uint64_t build_rows, probe_rows;
} JoinPartition;

typedef struct HashJoinState {
    NodeState base;
    JoinKind type;
    bool null_aware;
    ExprProgram *condition, *left_keys, *right_keys;
    uint32_t key_count, left_count, right_count;
    Oid *types;
    RowLayout layout, probe_layout;
    Vector **kept; /* keys then right columns: what row_make reads */
    Arena *arena, *read_arena, *probe_arena;
    Row **heads;
    uint64_t mask;
    Row **rows; /* every build row in memory */
    uint64_t count, capacity, unmatched_at;
    bool has_null_key, any_build, is_built, is_partitioned, giving_unmatched;
    JoinPartition *partitions;
    int partition; /* being joined; -1: none yet */
    /* probing */
    Batch *left, *probe_batch;
    uint64_t *hashes;
    uint8_t *left_matched;
    uint32_t left_at;
    Row *chain;
    bool chain_open, tail_given;
    Batch *pairs_left, *pairs_right, *null_left, *null_right;
    uint16_t *pair_rows, *filtered, *tail_rows;
    Row **pair_build;
} HashJoinState;

/* ---- init ---- */

static Batch *null_batch(Arena *arena, const PhysType *types, uint32_t count)
{
    Batch *batch = ARENA_NEW(arena, Batch);
    batch->columns = ARENA_ARRAY(arena, Vector *, count + 1);
    for (uint32_t c = 0; c < count; c++)
        batch->columns[c] = vector_new_constant(arena, types[c], &(Value){0}, true);
    return batch;
}

static bool join_init(HashJoinState *state, const JoinPlan *join, const ExprVec *left,
                      const ExprVec *right)
{
    NodeState *node = &state->base;
    ExecState *exec = node->exec;
    Arena *arena = exec->arena;
    state->type = join->join_type;
    state->partition = -1;
    state->key_count = (uint32_t)right->length;
    state->left_count = (uint32_t)node->left->plan->column_count;
    state->right_count = (uint32_t)node->right->plan->column_count;
    state->types = ARENA_ARRAY(arena, Oid, state->key_count + 1);
    PhysType *types = ARENA_ARRAY(arena, PhysType, state->key_count + state->right_count + 1);
    for (uint32_t i = 0; i < state->key_count; i++) {
        state->types[i] = right->items[i]->type;
        types[i] = type_phys(state->types[i]);
    }
    memcpy(types + state->key_count, node->right->types, state->right_count * sizeof(PhysType));
    row_layout_init(&state->layout, arena, types, state->key_count + state->right_count);
    row_layout_init(&state->probe_layout, arena, node->left->types, state->left_count);
    state->kept = ARENA_ARRAY(arena, Vector *, state->layout.count + 1);
    state->arena = exec_arena(exec, "hash join");
    state->read_arena = exec_arena(exec, "hash join build input");
    state->probe_arena = exec_arena(exec, "hash join probe input");
    TRY(state->condition = expr_compile(exec, node->scratch, join->condition.items,
                                        (uint32_t)join->condition.length));
    TRY(state->left_keys = expr_compile(exec, state->probe_arena, left->items, state->key_count));
    Expr **keys = ARENA_ARRAY(arena, Expr *, state->key_count + 1);
    memcpy(keys, right->items, state->key_count * sizeof(Expr *));
    TRY(state->right_keys = expr_compile(exec, state->read_arena, keys, state->key_count));
    state->hashes = ARENA_ARRAY(arena, uint64_t, VECTOR_SIZE);
    state->left_matched = ARENA_ARRAY(arena, uint8_t, VECTOR_SIZE);
    state->pairs_left = batch_new(arena, node->left->types, state->left_count);
    state->pairs_right = batch_new(arena, node->right->types, state->right_count);
    state->null_left = null_batch(arena, node->left->types, state->left_count);
    state->null_right = null_batch(arena, node->right->types, state->right_count);
    state->pair_rows = ARENA_ARRAY(arena, uint16_t, VECTOR_SIZE);
    state->filtered = ARENA_ARRAY(arena, uint16_t, VECTOR_SIZE);
    state->tail_rows = ARENA_ARRAY(arena, uint16_t, VECTOR_SIZE);
    state->pair_build = ARENA_ARRAY(arena, Row *, VECTOR_SIZE);
    return node_init_projection(node);
}

static bool hash_join_init(NodeState *node)
{
    HashJoinState *state = (HashJoinState *)node;
    const HashJoinPlan *plan = (const HashJoinPlan *)node->plan;
    state->null_aware = plan->null_aware;
    return join_init(state, &plan->join, &plan->left_keys, &plan->right_keys);
}

/* ---- build ---- */

static bool keeps_unmatched_right(const HashJoinState *state)
{
    return state->type == JOINS_RIGHT || state->type == JOINS_FULL;
}

static bool table_index(HashJoinState *state)
{
    uint64_t size = 64;
    while (size < state->count * 2)
        size *= 2;
    TRY(state->heads = PACE_ARRAY(state->arena, Row *, size));
    state->mask = size - 1;
    for (uint64_t i = 0; i < state->count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        Row *row = state->rows[i];
        bool has_null = false;
        for (uint32_t k = 0; k < state->key_count; k++)
            has_null |= row_is_null(&state->layout, row, k);
        if (has_null)
            continue;
        row->next = state->heads[row->hash & state->mask];
        state->heads[row->hash & state->mask] = row;
    }
    return true;
}

static uint32_t partition_of(uint64_t hash)
{
    return (uint32_t)(hash >> 59);
}

static bool build_write(HashJoinState *state, Row *row)
{
    JoinPartition *part = &state->partitions[partition_of(row->hash)];
    if (!part->build)
        TRY(part->build = spill_new(&state->base.exec->spills));
    part->build_rows++;
    return row_write(part->build, row);
}

static bool start_partitions(HashJoinState *state)
{
    state->partitions = ARENA_ARRAY(state->base.exec->run_arena, JoinPartition, JOIN_PARTITIONS);
    state->is_partitioned = true;
    for (uint64_t i = 0; i < state->count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        TRY(build_write(state, state->rows[i]));
    }
    pace_arena_reset(state->arena);
    state->rows = NULL;
    state->count = state->capacity = 0;
    return true;
}

static bool rows_push(HashJoinState *state, Row *row)
{
    if (state->count == state->capacity) {
        uint64_t more = state->capacity ? state->capacity * 2 : 256;
        TRY(state->rows = pace_grow(state->arena, state->rows, state->capacity * sizeof(Row *),
                                    more * sizeof(Row *)));
        state->capacity = more;
    }
    state->rows[state->count++] = row;
    return true;
}

static bool build_batch(HashJoinState *state, Batch *batch)
{
    ExprInput input = {.slots = {batch->columns, batch->columns}, .row_count = batch->row_count};
    arena_reset(state->read_arena);
    TRY(expr_run(state->right_keys, &input, batch->selection));
    memcpy(state->kept, state->right_keys->results, state->key_count * sizeof(Vector *));
    memcpy(state->kept + state->key_count, batch->columns, state->right_count * sizeof(Vector *));
    uint64_t hashes[VECTOR_SIZE];
    rows_hash(state->types, state->kept, state->key_count, batch->selection, hashes);
    uint32_t i = 0;
    FOR_SELECTED (batch->selection, row) {
        uint64_t hash = hashes[i++];
        bool has_null = false;
        for (uint32_t k = 0; k < state->key_count; k++)
            has_null |= vector_is_null(state->kept[k], row);
        state->any_build = true;
        state->has_null_key |= has_null;
        if (has_null && !keeps_unmatched_right(state))
            continue;
        Arena *arena = state->is_partitioned ? state->read_arena : state->arena;
        Row *kept = row_make(&state->layout, arena, state->kept, row);
        kept->hash = hash;
        if (state->is_partitioned)
            TRY(build_write(state, kept));
        else
            TRY(rows_push(state, kept));
    }
    if (!state->is_partitioned && state->count > 64 && arena_size(state->arena) > exec_hash_mem())
        TRY(start_partitions(state));
    return true;
}

/* All left rows into the partitions' files. */
static bool partition_probe(HashJoinState *state)
{
    NodeState *node = &state->base;
    for (;;) {
        Batch *batch;
        CHECK_INTERRUPTS();
        TRY(node_next(node->left, &batch));
        if (!batch)
            return true;
        arena_reset(state->probe_arena);
        ExprInput input = {.slots = {batch->columns, NULL}, .row_count = batch->row_count};
        TRY(expr_run(state->left_keys, &input, batch->selection));
        rows_hash(state->types, state->left_keys->results, state->key_count, batch->selection,
                  state->hashes);
        uint32_t i = 0;
        FOR_SELECTED (batch->selection, row) {
            JoinPartition *part = &state->partitions[partition_of(state->hashes[i++])];
            if (!part->probe)
                TRY(part->probe = spill_new(&node->exec->spills));
            part->probe_rows++;
            ArenaMark mark = arena_mark(state->probe_arena);
            TRY(row_write(part->probe,
                          row_make(&state->probe_layout, state->probe_arena, batch->columns, row)));
            arena_rewind(state->probe_arena, mark);
        }
    }
}

static bool build(HashJoinState *state)
{
    NodeState *node = &state->base;
    node_fill_mark(node);
    for (;;) {
        Batch *batch;
        CHECK_INTERRUPTS();
        TRY(node_next(node->right, &batch));
        if (!batch)
            break;
        TRY(build_batch(state, batch));
    }
    state->is_built = true;
    state->unmatched_at = 0;
    if (node->instrument) {
        node->instrument->memory_bytes = arena_size(state->arena);
        node->instrument->partitions = state->is_partitioned ? JOIN_PARTITIONS : 1;
    }
    return state->is_partitioned ? partition_probe(state) : table_index(state);
}

/* ---- the left side ---- */

static bool partition_read(HashJoinState *state, Batch **ret_batch)
{
    JoinPartition *part = &state->partitions[state->partition];
    Row *rows[VECTOR_SIZE];
    uint32_t count = 0;
    *ret_batch = NULL;
    arena_reset(state->probe_arena);
    for (; count < state->base.exec->batch_size && part->probe_rows > 0;
         count++, part->probe_rows--)
        TRY(rows[count] = row_read(&state->probe_layout, part->probe, state->probe_arena));
    if (count == 0)
        return true;
    if (!state->probe_batch)
        state->probe_batch =
            batch_new(state->base.exec->arena, state->probe_layout.types, state->left_count);
    rows_gather(&state->probe_layout, rows, count, 0, state->left_count,
                state->probe_batch->columns, 0);
    state->probe_batch->row_count = count;
    state->probe_batch->selection = (Selection){.count = count};
    *ret_batch = state->probe_batch;
    return true;
}

/* The next partition's table in memory; *ret_end after the last. */
static bool partition_next(HashJoinState *state, bool *ret_end)
{
    *ret_end = ++state->partition >= JOIN_PARTITIONS;
    if (*ret_end)
        return true;
    JoinPartition *part = &state->partitions[state->partition];
    pace_arena_reset(state->arena);
    state->rows = NULL;
    state->count = state->capacity = state->unmatched_at = 0;
    if (part->build)
        TRY(spill_begin_read(part->build, 0));
    if (part->probe)
        TRY(spill_begin_read(part->probe, 0));
    for (; part->build_rows > 0; part->build_rows--) {
        CHECK_INTERRUPTS_EACH(part->build_rows);
        Row *row = row_read(&state->layout, part->build, state->arena);
        TRY(row);
        TRY(rows_push(state, row));
    }
    return table_index(state);
}

/*
 * A large table lies outside the caches: what this batch will look at is asked for at once.
 * (Inlined, since compilers drop calls of functions that do nothing else.)
 */
static ALWAYS_INLINE void probe_prefetch(const HashJoinState *state, uint32_t count)
{
    if (!state->heads || state->mask < PREFETCH_FROM)
        return;
    for (uint32_t i = 0; i < count; i++)
        __builtin_prefetch(&state->heads[state->hashes[i] & state->mask]);
    for (uint32_t i = 0; i < count; i++)
        __builtin_prefetch(state->heads[state->hashes[i] & state->mask]);
}

static bool left_begin(HashJoinState *state, Batch *batch)
{
    state->left = batch;
    state->left_at = 0;
    state->chain_open = state->tail_given = false;
    memset(state->left_matched, 0, batch->row_count);
    if (!state->is_partitioned)
        arena_reset(state->probe_arena);
    ExprInput input = {.slots = {batch->columns, NULL}, .row_count = batch->row_count};
    TRY(expr_run(state->left_keys, &input, batch->selection));
    rows_hash(state->types, state->left_keys->results, state->key_count, batch->selection,
              state->hashes);
    probe_prefetch(state, batch->selection.count);
    return true;
}

static bool keeps_unmatched_left(const HashJoinState *state)
{
    return state->type == JOINS_LEFT || state->type == JOINS_FULL;
}

/*
 * Candidate pairs of equal keys, up to a batch. A left row that is to be kept and has found nobody
 * is paired with NULL, so that rows come in the left side's order.
 */
static uint32_t collect_pairs(HashJoinState *state)
{
    const uint32_t limit = state->base.exec->batch_size;
    uint32_t count = 0;
    bool once = state->type == JOINS_SEMI || state->type == JOINS_ANTI;
    while (count < limit && state->left_at < state->left->selection.count) {
        uint32_t row = selection_row(state->left->selection, state->left_at);
        uint64_t hash = state->hashes[state->left_at];
        if (!state->chain_open) {
            bool has_null = false;
            for (uint32_t k = 0; k < state->key_count; k++)
                has_null |= vector_is_null(state->left_keys->results[k], row);
            state->chain = has_null || !state->heads ? NULL : state->heads[hash & state->mask];
            state->chain_open = true;
        }
        if (once && state->left_matched[row])
            state->chain = NULL;
        for (; state->chain && count < limit; state->chain = state->chain->next) {
            if (state->chain->hash != hash ||
                !row_keys_equal(&state->layout, state->chain, state->types, state->key_count,
                                state->left_keys->results, row))
                continue;
            state->pair_rows[count] = (uint16_t)row;
            state->pair_build[count++] = state->chain;
            if (once && state->condition->count == 0) {
                state->chain = NULL;
                break;
            }
        }
        if (state->chain)
            break;
        if (keeps_unmatched_left(state) && !state->left_matched[row] &&
            (count == 0 || state->pair_rows[count - 1] != row)) {
            if (count == limit)
                break;
            state->pair_rows[count] = (uint16_t)row;
            state->pair_build[count++] = NULL;
        }
        state->chain_open = false;
        state->left_at++;
    }
    return count;
}

/* The pairs that the condition lets through. */
static bool filter_pairs(HashJoinState *state, const ExprInput *input, Selection *selection)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < selection->count; i++)
        if (state->pair_build[i])
            state->tail_rows[count++] = (uint16_t)i;
    if (count < selection->count)
        *selection = (Selection){.rows = state->tail_rows, .count = count};
    return count == 0 ||
           expr_filter(state->condition, input, *selection, state->filtered, selection);
}

/*
 * Left rows that have no partner among all their candidates take the place of the last candidate;
 * *selection becomes the pairs that are given. True if there are such rows.
 */
static bool keep_lonely(HashJoinState *state, uint32_t count, Selection *selection)
{
    const uint32_t unfinished =
        state->chain_open ? selection_row(state->left->selection, state->left_at) : VECTOR_SIZE;
    uint32_t kept = 0, passed = 0;
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        const uint16_t row = state->pair_rows[i];
        const bool is_last = i + 1 == count || state->pair_rows[i + 1] != row;
        if (passed < selection->count && selection_row(*selection, passed) == i) {
            state->tail_rows[kept++] = (uint16_t)i;
            passed++;
        } else if (!state->pair_build[i] ||
                   (is_last && row != unfinished && !state->left_matched[row])) {
            any |= state->pair_build[i] != NULL;
            state->pair_build[i] = NULL;
            state->tail_rows[kept++] = (uint16_t)i;
        }
    }
    *selection = (Selection){.rows = state->tail_rows, .count = kept};
    return any;
}

static bool probe_pairs(HashJoinState *state, uint32_t count, Batch **ret_batch)
{
    NodeState *node = &state->base;
    node_scratch_reset(node);
    for (uint32_t c = 0; c < state->left_count; c++)
        vector_gather(state->pairs_left->columns[c], state->left->columns[c], state->pair_rows,
                      count);
    rows_gather(&state->layout, state->pair_build, count, state->key_count, state->right_count,
                state->pairs_right->columns, 0);
    ExprInput input = {.slots = {state->pairs_left->columns, state->pairs_right->columns},
                       .row_count = count};
    Selection selection = {.count = count};
    if (state->condition->count > 0)
        TRY(filter_pairs(state, &input, &selection));
    FOR_SELECTED (selection, pair) {
        state->left_matched[state->pair_rows[pair]] = 1;
        if (state->pair_build[pair])
            state->pair_build[pair]->flags |= ROW_MATCHED;
    }
    if (state->condition->count > 0 && keeps_unmatched_left(state) &&
        keep_lonely(state, count, &selection))
        rows_gather(&state->layout, state->pair_build, count, state->key_count, state->right_count,
                    state->pairs_right->columns, 0);
    if (selection.count == 0 || state->type == JOINS_SEMI || state->type == JOINS_ANTI)
        return true;
    return node_project(node, &input, selection, ret_batch);
}

/* NOT IN: a null on the right lets nothing through, a null on the left only past an empty right. */
static bool passes_null_aware(const HashJoinState *state, uint32_t row)
{
    if (!state->null_aware || !state->any_build)
        return true;
    return !state->has_null_key && !vector_is_null(state->left_keys->results[0], row);
}

/* When a left batch is through: its matched (SEMI) or unmatched (ANTI) rows. */
static bool give_tail(HashJoinState *state, Batch **ret_batch)
{
    bool wants_matched = state->type == JOINS_SEMI;
    uint32_t count = 0;
    if (state->type != JOINS_SEMI && state->type != JOINS_ANTI)
        return true;
    FOR_SELECTED (state->left->selection, row)
        if ((state->left_matched[row] != 0) == wants_matched &&
            (state->type != JOINS_ANTI || passes_null_aware(state, row)))
            state->tail_rows[count++] = (uint16_t)row;
    node_scratch_reset(&state->base);
    ExprInput input = {.slots = {state->left->columns, state->null_right->columns},
                       .row_count = state->left->row_count};
    Selection selection = {.rows = state->tail_rows, .count = count};
    return node_project(&state->base, &input, selection, ret_batch);
}

/* Build rows without a partner, with nulls on the left. */
static bool give_unmatched(HashJoinState *state, Batch **ret_batch)
{
    uint32_t count = 0;
    while (count < state->base.exec->batch_size && state->unmatched_at < state->count) {
        Row *row = state->rows[state->unmatched_at++];
        if (!(row->flags & ROW_MATCHED))
            state->pair_build[count++] = row;
    }
    if (count == 0)
        return true;
    node_scratch_reset(&state->base);
    rows_gather(&state->layout, state->pair_build, count, state->key_count, state->right_count,
                state->pairs_right->columns, 0);
    ExprInput input = {.slots = {state->null_left->columns, state->pairs_right->columns},
                       .row_count = count};
    return node_project(&state->base, &input, (Selection){.count = count}, ret_batch);
}

/* The left side is through: unmatched build rows, then the next partition. */
static bool left_ended(HashJoinState *state, Batch **ret_batch, bool *ret_end)
{
    while (keeps_unmatched_right(state) && state->unmatched_at < state->count && !*ret_batch)
        TRY(give_unmatched(state, ret_batch));
    if (*ret_batch)
        return true;
    *ret_end = true;
    return !state->is_partitioned || partition_next(state, ret_end);
}

static bool hash_join_next(NodeState *node, Batch **ret_batch)
{
    HashJoinState *state = (HashJoinState *)node;
    bool end = false;
    *ret_batch = NULL;
    if (!state->is_built)
        TRY(build(state));
    if (state->is_partitioned && state->partition < 0)
        TRY(partition_next(state, &end));
    while (!*ret_batch && !end) {
        CHECK_INTERRUPTS();
        if (!state->left) {
            Batch *batch = NULL;
            bool ended = state->giving_unmatched;
            if (!ended && state->is_partitioned)
                TRY(partition_read(state, &batch));
            else if (!ended)
                TRY(node_next(node->left, &batch));
            state->giving_unmatched = !batch;
            if (batch) {
                TRY(left_begin(state, batch));
                continue;
            }
            TRY(left_ended(state, ret_batch, &end));
            state->giving_unmatched = *ret_batch != NULL || (end && !state->is_partitioned);
            continue;
        }
        uint32_t count = collect_pairs(state);
        if (count > 0) {
            TRY(probe_pairs(state, count, ret_batch));
        } else if (!state->tail_given) {
            state->tail_given = true;
            TRY(give_tail(state, ret_batch));
        } else {
            state->left = NULL;
        }
    }
    return true;
}

static void hash_join_forget(HashJoinState *state)
{
    for (int i = 0; state->is_partitioned && i < JOIN_PARTITIONS; i++) {
        spill_free(state->partitions[i].build);
        spill_free(state->partitions[i].probe);
    }
    if (state->arena) /* a join whose making failed has none */
        pace_arena_reset(state->arena);
    state->rows = NULL;
    state->heads = NULL;
    state->count = state->capacity = 0;
    state->is_built = state->is_partitioned = state->has_null_key = state->any_build = false;
}

static void probe_reset(HashJoinState *state)
{
    state->left = NULL;
    state->partition = -1;
    state->giving_unmatched = false;
    state->unmatched_at = 0;
}

static void hash_join_stop(NodeState *node)
{
    HashJoinState *state = (HashJoinState *)node;
    hash_join_forget(state);
    probe_reset(state);
}

/* The table stays when nothing that the right side depends on has moved. */
static bool hash_join_rewind(NodeState *node)
{
    HashJoinState *state = (HashJoinState *)node;
    probe_reset(state);
    bool keep = state->is_built && !state->is_partitioned && !node_is_stale(node);
    if (keep) {
        for (uint64_t i = 0; i < state->count; i++)
            state->rows[i]->flags = 0;
    } else {
        hash_join_forget(state);
        TRY(node_rewind(node->right));
    }
    return node_rewind(node->left);
}

const NodeMethods node_hash_join_methods = {
    .size = sizeof(HashJoinState),
    .init = hash_join_init,
    .next = hash_join_next,
    .rewind = hash_join_rewind,
    .stop = hash_join_stop,
};
