#include "base/pace.h"
#include "executor/equality.h"
#include "executor/ordered_set.h"
#include "executor/packed_row.h"
#include "executor/seen_keys.h"
#include "executor/sort_key.h"
#include "executor/sorter.h"

/*
 * GROUP BY and aggregates. Groups are found by hash and given in the order they were first seen.
 * When the groups outgrow memory, rows of further groups go to partition files by their hash and
 * are aggregated in later passes.
 *
 * Sorted input needs no hash: a group is complete, and is given, when a row of another one comes.
 * A pass then has the groups that one batch of the child has completed.
 *
 * Aggregates with ORDER BY or DISTINCT collect their arguments in a sorter under {group, keys} and
 * are fed when the pass has read all its rows.
 *
 * With grouping sets each row is grouped once a set, with nulls for the columns that are not in it;
 * groups of different sets are different groups.
 */

#define PARTITIONS 16
#define PREFETCH_FROM 2048 /* groups: fewer are in the caches anyway */

typedef struct Group {
    struct Group *next;
    uint64_t hash;
    uint64_t number;
    uint32_t set;
    Row *key;
    byte *states;
} Group;

typedef struct CallState {
    const AggregateCall *plan;
    FunctionCall *call;
    const AggregateFunction *function;
    ExprProgram *args, *filter;
    size_t offset;   /* of its state in a group's */
    PhysType *types; /* of its arguments */
    SortKeys *order; /* NULL: fed at once */
    Sorter sorter;
    PackedLayout layout; /* of the arguments in the sorter */
    SeenKeys seen;       /* DISTINCT */
    StrBuf whole;        /* heap: group and key of a row */
    Batch *batch;
    OrderedSet *ordered; /* WITHIN GROUP; NULL: others */
    ExprProgram *direct; /* its direct arguments, over the group columns */
} CallState;

typedef struct Partition {
    struct Partition *next;
    SpillFile *file;
    uint64_t rows;
    uint32_t depth, set;
} Partition;

typedef struct AggregateState {
    NodeState base;
    ExprProgram *group;
    Oid *group_types;
    uint32_t group_count;
    RowLayout key_layout, input_layout;
    CallState *calls;
    uint32_t call_count;
    size_t states_size;
    Arena *arena; /* groups and their states: of one pass */
    Arena *read_arena;
    Group **heads;
    uint64_t mask;
    Group **groups; /* in order of arrival */
    uint64_t count, capacity, given;
    Partition *waiting, **current; /* PARTITIONS for each set */
    uint32_t depth;
    uint32_t set_count, set; /* set: at hand */
    int only_set;            /* of a partition; -1: all */
    Vector **keys;           /* of the set at hand */
    Vector **no_keys;        /* constant nulls */
    Batch *group_row;        /* one group's columns, for direct arguments */
    Arena *direct_arena;
    bool is_spilling, is_filled;
    bool is_sorted;     /* the child is sorted on the group columns */
    Arena *group_arena; /* values of the group columns of the child's batch */
    const Batch *open;  /* sorted: the child's batch, whose rows from open_at on are to be fed */
    uint32_t open_at;
    Batch *output, *input;
    uint64_t *hashes;
    void **targets;
    Group **found;
    uint16_t *rows, *filtered;
} AggregateState;

/* ---- init ---- */

static bool call_init(AggregateState *state, CallState *call, const AggregateCall *plan)
{
    ExecState *exec = state->base.exec;
    uint32_t count = (uint32_t)plan->args.length;
    Oid *types = ARENA_ARRAY(exec->arena, Oid, count + 1);
    call->plan = plan;
    call->types = ARENA_ARRAY(exec->arena, PhysType, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        types[i] = plan->args.items[i]->type;
        call->types[i] = type_phys(types[i]);
    }
    TRY(call->call = expr_new_call(exec, &(CallSite){.function = plan->function,
                                                     .arg_types = types,
                                                     .arg_count = count,
                                                     .result_type = plan->result_type,
                                                     .collation = plan->input_collation}));
    call->call->is_variadic = plan->is_variadic;
    call->call->arena = state->base.scratch;
    call->call->state_arena = state->arena;
    call->function = call->call->function->aggregate;
    if (!call->function)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("aggregate function %s is not supported", call->call->function->name));
    call->offset = state->states_size;
    state->states_size += ALIGN_UP(call->function->state_size, (size_t)16);
    TRY(call->args = expr_compile(exec, state->base.scratch, plan->args.items, count));
    if (plan->filter)
        TRY(call->filter =
                expr_compile(exec, state->base.scratch, (Expr *const *)&plan->filter, 1));
    if (plan->order_by.length == 0)
        return true;
    TRY(call->order = sort_keys_new(exec, state->base.scratch, &plan->order_by));
    if (plan->is_ordered_set) {
        call->ordered = ordered_set_new(exec->arena, call->call, types[0], call->order);
        TRY(call->direct = expr_compile(exec, state->direct_arena, plan->direct_args.items,
                                        (uint32_t)plan->direct_args.length));
    }
    sorter_init(&call->sorter, &exec->spills, exec_work_mem());
    packed_layout_init(&call->layout, exec->arena, call->types, count);
    call->batch = batch_new(exec->arena, call->types, count);
    return true;
}

static void sets_init(AggregateState *state, const PhysType *types)
{
    const AggregatePlan *plan = (const AggregatePlan *)state->base.plan;
    Arena *arena = state->base.exec->arena;
    state->set_count = MAX((uint32_t)plan->sets.length, 1u);
    state->only_set = -1;
    state->current = ARENA_ARRAY(arena, Partition *, (size_t)state->set_count * PARTITIONS);
    state->keys = ARENA_ARRAY(arena, Vector *, state->group_count + 1);
    state->no_keys = ARENA_ARRAY(arena, Vector *, state->group_count + 1);
    for (uint32_t c = 0; c < state->group_count; c++)
        state->no_keys[c] = vector_new_constant(arena, types[c], &(Value){0}, true);
}

/* The group columns of a set: `from`, or nulls. */
static void set_begin(AggregateState *state, uint32_t set, Vector **from)
{
    const AggregatePlan *plan = (const AggregatePlan *)state->base.plan;
    state->set = set;
    for (uint32_t c = 0; c < state->group_count; c++)
        state->keys[c] = plan->sets.length == 0 || plan->sets.items[set].includes[c]
                             ? from[c]
                             : state->no_keys[c];
}

static bool aggregate_init(NodeState *node)
{
    AggregateState *state = (AggregateState *)node;
    const AggregatePlan *plan = (const AggregatePlan *)node->plan;
    ExecState *exec = node->exec;
    Arena *arena = exec->arena;
    state->arena = exec_arena(exec, "aggregate groups");
    state->read_arena = exec_arena(exec, "aggregate input");
    state->direct_arena = exec_arena(exec, "aggregate direct arguments");
    state->group_count = (uint32_t)plan->group_by.length;
    state->call_count = (uint32_t)plan->calls.length;
    const uint32_t grouping_count = (uint32_t)plan->groupings.length;
    PhysType *types =
        ARENA_ARRAY(arena, PhysType, state->group_count + state->call_count + grouping_count + 1);
    state->group_types = ARENA_ARRAY(arena, Oid, state->group_count + 1);
    for (uint32_t i = 0; i < state->group_count; i++) {
        state->group_types[i] = plan->group_by.items[i]->type;
        types[i] = type_phys(state->group_types[i]);
    }
    state->is_sorted = plan->strategy == AGGREGATE_SORTED;
    state->group_arena = exec_arena(exec, "aggregate group columns");
    TRY(state->group =
            expr_compile(exec, state->group_arena, plan->group_by.items, state->group_count));
    row_layout_init(&state->key_layout, arena, types, state->group_count);
    row_layout_init(&state->input_layout, arena, node->left->types,
                    (uint32_t)node->left->plan->column_count);
    state->calls = ARENA_ARRAY(arena, CallState, state->call_count + 1);
    for (uint32_t i = 0; i < state->call_count; i++) {
        TRY(call_init(state, &state->calls[i], &plan->calls.items[i]));
        types[state->group_count + i] = type_phys(plan->calls.items[i].result_type);
    }
    for (uint32_t i = 0; i < grouping_count; i++)
        types[state->group_count + state->call_count + i] = PHYS_INT32;
    state->output =
        batch_new(arena, types, state->group_count + state->call_count + grouping_count);
    state->group_row = batch_new(arena, types, state->group_count);
    sets_init(state, types);
    state->hashes = ARENA_ARRAY(arena, uint64_t, VECTOR_SIZE);
    state->targets = ARENA_ARRAY(arena, void *, VECTOR_SIZE);
    state->found = ARENA_ARRAY(arena, Group *, VECTOR_SIZE);
    state->rows = ARENA_ARRAY(arena, uint16_t, VECTOR_SIZE);
    state->filtered = ARENA_ARRAY(arena, uint16_t, VECTOR_SIZE);
    return node_init_projection(node);
}

/* ---- groups ---- */

static bool heads_grow(AggregateState *state)
{
    uint64_t size = state->mask ? (state->mask + 1) * 4 : 256;
    TRY(state->heads = PACE_ARRAY(state->arena, Group *, size));
    state->mask = size - 1;
    for (uint64_t i = 0; i < state->count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        Group *group = state->groups[i];
        group->next = state->heads[group->hash & state->mask];
        state->heads[group->hash & state->mask] = group;
    }
    return true;
}

static Group *group_new(AggregateState *state, uint64_t hash, uint32_t row)
{
    if (state->count == state->capacity) {
        uint64_t more = state->capacity ? state->capacity * 2 : 64;
        TRY(state->groups = pace_grow(state->arena, state->groups,
                                      state->capacity * sizeof(Group *), more * sizeof(Group *)));
        state->capacity = more;
    }
    Group *group = ARENA_NEW(state->arena, Group);
    group->hash = hash;
    group->number = state->count;
    group->set = state->set;
    group->key = row_make(&state->key_layout, state->arena, state->keys, row);
    group->states = arena_alloc_zeroed(state->arena, state->states_size + 1);
    state->groups[state->count++] = group;
    if (state->is_sorted)
        return group;
    if (!state->heads || state->count > state->mask) {
        TRY(heads_grow(state));
    } else {
        group->next = state->heads[hash & state->mask];
        state->heads[hash & state->mask] = group;
    }
    return group;
}

static Group *group_find(AggregateState *state, uint64_t hash, uint32_t row)
{
    Group *group = state->heads ? state->heads[hash & state->mask] : NULL;
    for (; group; group = group->next)
        if (group->hash == hash && group->set == state->set &&
            row_keys_equal(&state->key_layout, group->key, state->group_types, state->group_count,
                           state->keys, row))
            return group;
    return NULL;
}

static bool spill_row(AggregateState *state, const Batch *batch, uint32_t row, uint64_t hash)
{
    ExecState *exec = state->base.exec;
    uint32_t p = (uint32_t)(hash >> (60 - 4 * MIN(state->depth, 14u))) % PARTITIONS;
    p += state->set * PARTITIONS;
    Partition *part = state->current[p];
    if (!part) {
        part = ARENA_NEW(exec->run_arena, Partition);
        TRY(part->file = spill_new(&exec->spills));
        part->depth = state->depth + 1;
        part->set = state->set;
        part->next = state->waiting;
        state->waiting = part;
        state->current[p] = part;
    }
    ArenaMark mark = arena_mark(state->base.scratch);
    bool done = row_write(part->file,
                          row_make(&state->input_layout, state->base.scratch, batch->columns, row));
    arena_rewind(state->base.scratch, mark);
    part->rows++;
    return done;
}

static bool may_grow(AggregateState *state)
{
    return state->count < 16 || (!state->is_spilling && arena_size(state->arena) < exec_hash_mem());
}

static void keys_hash(AggregateState *state, Selection selection)
{
    rows_hash(state->group_types, state->keys, state->group_count, selection, state->hashes);
    if (state->set > 0)
        for (uint32_t i = 0; i < selection.count; i++)
            state->hashes[i] ^= state->set * 0x9e3779b97f4a7c15u;
}

/*
 * Many groups lie outside the caches: those that this batch will look at are asked for at once.
 * (Inlined, since compilers drop calls of functions that do nothing else.)
 */
static ALWAYS_INLINE void groups_prefetch(const AggregateState *state, uint32_t count)
{
    if (!state->heads || state->count < PREFETCH_FROM)
        return;
    for (uint32_t i = 0; i < count; i++)
        __builtin_prefetch(&state->heads[state->hashes[i] & state->mask]);
    for (uint32_t i = 0; i < count; i++) {
        const Group *group = state->heads[state->hashes[i] & state->mask];
        __builtin_prefetch(group);
        __builtin_prefetch((const byte *)group + 64);
    }
}

/* The group of each row; rows put aside for a later pass leave the selection. */
static bool find_groups(AggregateState *state, const Batch *batch, Selection *selection)
{
    uint32_t kept = 0;
    keys_hash(state, *selection);
    groups_prefetch(state, selection->count);
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection_row(*selection, i);
        Group *group = group_find(state, state->hashes[i], row);
        if (!group && !may_grow(state)) {
            state->is_spilling = true;
            TRY(spill_row(state, batch, row, state->hashes[i]));
            continue;
        }
        if (!group)
            TRY(group = group_new(state, state->hashes[i], row));
        state->found[kept] = group;
        state->rows[kept++] = (uint16_t)row;
    }
    if (kept < selection->count || selection->rows)
        selection->rows = state->rows;
    selection->count = kept;
    return true;
}

/* ---- feeding ---- */

static bool order_row(CallState *call, uint64_t group, uint32_t row, void *target)
{
    Str key;
    if (call->ordered &&
        !ordered_set_count(call->ordered, target, vector_is_null(call->args->results[0], row)))
        return true;
    TRY(sort_keys_encode(call->order, row, &key));
    uint64_t number = __builtin_bswap64(group);
    const uint32_t key_size = (uint32_t)key.length + (uint32_t)sizeof(number);
    if (call->plan->is_distinct) {
        StrBuf *whole = &call->whole;
        strbuf_truncate(whole, 0);
        strbuf_append_bytes(whole, &number, sizeof(number));
        strbuf_append(whole, key);
        if (seen_keys_add(&call->seen, strbuf_view(whole), exec_work_mem()))
            return true;
    }
    const Selection one = {.rows = &(uint16_t){(uint16_t)row}, .count = 1};
    uint32_t size = 0;
    char *at;
    packed_sizes(&call->layout, call->args->results, one, &size);
    TRY(sorter_reserve(&call->sorter, &key_size, &size, 1, &at));
    memcpy(at, &number, sizeof(number));
    if (key.length > 0)
        memcpy(at + sizeof(number), key.data, key.length);
    at += key_size;
    packed_put(&call->layout, call->args->results, one, 0, 1, &at);
    return true;
}

/* Without GROUP BY there is one group and no look-up. */
static bool is_single(const AggregateState *state)
{
    const AggregatePlan *plan = (const AggregatePlan *)state->base.plan;
    return state->group_count == 0 && plan->sets.length == 0;
}

static bool feed_call(AggregateState *state, CallState *call, const Batch *batch,
                      Selection selection)
{
    ExprInput input = {.slots = {batch->columns, NULL}, .row_count = batch->row_count};
    Selection passed = selection;
    bool single = is_single(state);
    if (call->filter)
        TRY(expr_filter(call->filter, &input, selection, state->filtered, &passed));
    if (passed.count == 0)
        return true;
    TRY(expr_run(call->args, &input, passed));
    if (call->order) {
        Batch part = *batch;
        part.selection = passed;
        TRY(sort_keys_run(call->order, &part));
    }
    AggregateTarget target = {.states = state->targets};
    if (single)
        target.single = state->groups[0]->states + call->offset;
    /* Both selections ascend: the filtered rows' groups are found by walking along. */
    uint32_t at = 0;
    for (uint32_t i = 0; i < passed.count && (!single || call->order); i++) {
        uint32_t row = selection_row(passed, i);
        while (selection_row(selection, at) != row)
            at++;
        Group *group = single ? state->groups[0] : state->found[at];
        state->targets[i] = group->states + call->offset;
        if (call->order)
            TRY(order_row(call, group->number, row, state->targets[i]));
    }
    if (call->order)
        return true;
    return call->function->update(call->call, (const Vector *const *)call->args->results, passed,
                                  target);
}

static bool feed_calls(AggregateState *state, const Batch *batch, Selection selection)
{
    for (uint32_t i = 0; i < state->call_count && selection.count > 0; i++)
        TRY(feed_call(state, &state->calls[i], batch, selection));
    return true;
}

static bool groups_run(AggregateState *state, const Batch *batch)
{
    const ExprInput input = {.slots = {batch->columns, NULL}, .row_count = batch->row_count};
    arena_reset(state->group_arena);
    return state->group_count == 0 || expr_run(state->group, &input, batch->selection);
}

static bool feed_batch(AggregateState *state, const Batch *batch)
{
    node_scratch_reset(&state->base);
    TRY(groups_run(state, batch));
    for (uint32_t set = 0; set < state->set_count; set++) {
        Selection selection = batch->selection;
        if (state->only_set >= 0 && set != (uint32_t)state->only_set)
            continue;
        if (!is_single(state)) {
            set_begin(state, set, state->group->results);
            TRY(find_groups(state, batch, &selection));
        }
        TRY(feed_calls(state, batch, selection));
    }
    return true;
}

/* ---- sorted input ---- */

/*
 * Feeds the open rows up to the last group's first one: the groups before it are complete then.
 * *ret_complete: there are some. Otherwise all rows are of one group, which may go on.
 */
static bool feed_sorted_rows(AggregateState *state, bool *ret_complete)
{
    const Batch *batch = state->open;
    const uint32_t end = batch->selection.count;
    uint32_t last = state->open_at, count = 0;

    set_begin(state, 0, state->group->results);
    for (uint32_t i = state->open_at; i < end; i++) {
        const uint32_t row = selection_row(batch->selection, i);
        Group *group = state->count > 0 ? state->groups[state->count - 1] : NULL;
        if (!group || !row_keys_equal(&state->key_layout, group->key, state->group_types,
                                      state->group_count, state->keys, row)) {
            last = i;
            TRY(group = group_new(state, 0, row));
        }
        state->found[count] = group;
        state->rows[count++] = (uint16_t)row;
    }
    *ret_complete = state->count > 1;
    if (*ret_complete) {
        state->count--;
        count = last - state->open_at;
        state->open_at = last;
    } else {
        state->open = NULL;
    }
    node_scratch_reset(&state->base);
    return feed_calls(state, batch, (Selection){.rows = state->rows, .count = count});
}

/* ---- sorted arguments ---- */

/* The direct arguments of a group, and what the state makes of them before its first row. */
static bool ordered_begin(AggregateState *state, CallState *call, const Group *group)
{
    const uint32_t count = call->direct->count;
    arena_reset(state->direct_arena);
    Value *values = ARENA_ARRAY(state->direct_arena, Value, count + 1);
    bool *nulls = ARENA_ARRAY(state->direct_arena, bool, count + 1);
    rows_gather(&state->key_layout, &(Row *){group->key}, 1, 0, state->group_count,
                state->group_row->columns, 0);
    const ExprInput input = {.slots = {state->group_row->columns, NULL}, .row_count = 1};
    TRY(expr_run(call->direct, &input, (Selection){.count = 1}));
    for (uint32_t i = 0; i < count; i++)
        vector_get(call->direct->results[i], 0, &values[i], &nulls[i]);
    return ordered_set_begin(call->ordered, (void *)(group->states + call->offset), values, nulls);
}

static bool ordered_row(AggregateState *state, CallState *call, const SortRecord *record)
{
    const Str key = record->key;
    uint64_t number;
    memcpy(&number, key.data, 8);
    assert(state->groups);
    const Group *group = state->groups[__builtin_bswap64(number)];
    OrderedSetState *to = (void *)(group->states + call->offset);
    if (!ordered_set_has_begun(to))
        TRY(ordered_begin(state, call, group));
    Value value;
    bool is_null;
    packed_value(&call->layout, record->payload, 0, &value, &is_null);
    return ordered_set_row(call->ordered, to, str_slice(key, 8, key.length - 8), &value);
}

static bool ordered_rows(AggregateState *state, CallState *call)
{
    TRY(sorter_finish(&call->sorter));
    for (uint64_t i = 0;; i++) {
        SortRecord record;
        CHECK_INTERRUPTS_EACH(i);
        TRY(sorter_next(&call->sorter, &record));
        if (!record.key.data)
            return true;
        TRY(ordered_row(state, call, &record));
    }
}

static bool feed_ordered_set(AggregateState *state, CallState *call)
{
    const bool done = ordered_rows(state, call);

    sorter_clear(&call->sorter);
    return done;
}

/* Up to a batch of rows and their groups' states, without repeats where the call is DISTINCT. */
static bool sorted_rows(AggregateState *state, CallState *call, StrBuf *last, const char **rows,
                        uint32_t *ret_count)
{
    uint32_t count = 0;

    arena_reset(state->read_arena);
    while (count < VECTOR_SIZE) {
        SortRecord record;
        TRY(sorter_next(&call->sorter, &record));
        if (!record.key.data)
            break;
        if (call->plan->is_distinct) {
            CHECK_INTERRUPTS(); /* there may be many repeats */
            if (str_equal(record.key, strbuf_view(last)))
                continue;
            strbuf_truncate(last, 0);
            strbuf_append(last, record.key);
        }
        uint64_t number;
        memcpy(&number, record.key.data, 8);
        assert(state->groups);
        state->targets[count] = state->groups[__builtin_bswap64(number)]->states + call->offset;
        rows[count++] = sorter_is_merging(&call->sorter)
                            ? arena_copy(state->read_arena, record.payload, record.payload_size)
                            : record.payload;
    }
    *ret_count = count;
    return true;
}

static bool sorted_update(AggregateState *state, CallState *call, StrBuf *last)
{
    const AggregateTarget target = {.states = state->targets};
    const char *rows[VECTOR_SIZE];
    uint32_t count;

    TRY(sorter_finish(&call->sorter));
    for (;;) {
        CHECK_INTERRUPTS();
        TRY(sorted_rows(state, call, last, rows, &count));
        if (count == 0)
            return true;
        packed_gather(&call->layout, rows, count, call->batch->columns);
        TRY(call->function->update(call->call, (const Vector *const *)call->batch->columns,
                                   (Selection){.count = count}, target));
    }
}

/* Sorted arguments into their groups' states, a batch at a time. */
static bool feed_sorted(AggregateState *state, CallState *call)
{
    StrBuf last = {0};
    const bool done = sorted_update(state, call, &last);

    strbuf_deinit(&last);
    sorter_clear(&call->sorter);
    seen_keys_clear(&call->seen);
    return done;
}

/* ---- passes ---- */

/* A set without columns has its group even when there is no row. */
static bool empty_sets_begin(AggregateState *state)
{
    const AggregatePlan *plan = (const AggregatePlan *)state->base.plan;
    for (uint32_t set = 0; set < plan->sets.length; set++) {
        if (!plan->sets.items[set].is_empty)
            continue;
        set_begin(state, set, state->no_keys);
        keys_hash(state, (Selection){.count = 1});
        TRY(group_new(state, state->hashes[0], 0));
    }
    return true;
}

static bool pass_begin(AggregateState *state, uint32_t depth)
{
    pace_arena_reset(state->arena);
    state->heads = NULL;
    state->groups = NULL;
    state->mask = state->count = state->capacity = state->given = 0;
    state->is_spilling = false;
    state->depth = depth;
    memset(state->current, 0, (size_t)state->set_count * PARTITIONS * sizeof(Partition *));
    if (is_single(state))
        return group_new(state, 0, 0) != NULL;
    return depth > 0 || empty_sets_begin(state);
}

static bool pass_end(AggregateState *state)
{
    for (uint32_t i = 0; i < state->call_count; i++)
        if (state->calls[i].ordered)
            TRY(feed_ordered_set(state, &state->calls[i]));
        else if (state->calls[i].order)
            TRY(feed_sorted(state, &state->calls[i]));
    if (state->base.instrument) {
        NodeInstrument *instrument = state->base.instrument;
        instrument->memory_bytes = MAX(instrument->memory_bytes, arena_size(state->arena));
        instrument->spilled_bytes = state->base.exec->spills.written_bytes;
    }
    return true;
}

/* The next groups that are complete; none at the end. */
static bool sorted_pass(AggregateState *state)
{
    NodeState *node = &state->base;
    bool is_complete = false;
    TRY(pass_begin(state, 0));
    while (!is_complete) {
        if (!state->open) {
            Batch *batch;
            CHECK_INTERRUPTS();
            TRY(node_next(node->left, &batch));
            if (!batch)
                break;
            TRY(groups_run(state, batch));
            state->open = batch;
            state->open_at = 0;
        }
        TRY(feed_sorted_rows(state, &is_complete));
    }
    state->is_filled = !is_complete;
    return pass_end(state);
}

static bool first_pass(AggregateState *state)
{
    NodeState *node = &state->base;
    node_fill_mark(node);
    if (state->is_sorted)
        return sorted_pass(state);
    TRY(pass_begin(state, 0));
    state->only_set = -1;
    for (;;) {
        Batch *batch;
        CHECK_INTERRUPTS();
        TRY(node_next(node->left, &batch));
        if (!batch)
            break;
        TRY(feed_batch(state, batch));
    }
    state->is_filled = true;
    return pass_end(state);
}

static bool partition_pass(AggregateState *state)
{
    Partition *part = state->waiting;
    state->waiting = part->next;
    TRY(pass_begin(state, part->depth));
    state->only_set = (int)part->set;
    if (!state->input)
        state->input = batch_new(state->base.exec->arena, state->input_layout.types,
                                 state->input_layout.count);
    TRY(spill_begin_read(part->file, 0));
    while (part->rows > 0) {
        Row *rows[VECTOR_SIZE];
        uint32_t count = 0;
        CHECK_INTERRUPTS();
        arena_reset(state->read_arena);
        for (; count < VECTOR_SIZE && part->rows > 0; count++, part->rows--)
            TRY(rows[count] = row_read(&state->input_layout, part->file, state->read_arena));
        rows_gather(&state->input_layout, rows, count, 0, state->input_layout.count,
                    state->input->columns, 0);
        state->input->row_count = count;
        state->input->selection = (Selection){.count = count};
        TRY(feed_batch(state, state->input));
    }
    spill_free(part->file);
    return pass_end(state);
}

static bool call_final(AggregateState *state, CallState *call, const Group *group, Value *ret,
                       bool *ret_null)
{
    byte *from = group->states + call->offset;
    if (!call->ordered)
        return call->function->final(call->call, from, ret, ret_null);
    if (!ordered_set_has_begun((void *)from))
        TRY(ordered_begin(state, call, group));
    return ordered_set_final(call->ordered, (void *)from, ret, ret_null);
}

/* GROUPING(…): what each group's set leaves out. */
static void give_groupings(AggregateState *state, uint32_t count)
{
    const AggregatePlan *plan = (const AggregatePlan *)state->base.plan;
    for (size_t g = 0; g < plan->groupings.length; g++) {
        Vector *to = state->output->columns[state->group_count + state->call_count + g];
        vector_begin(to, count);
        for (uint32_t i = 0; i < count; i++)
            VECTOR_VALUES(to, int32_t)
        [i] = plan->groupings.items[g][state->groups[state->given + i]->set];
    }
}

static bool give_groups(AggregateState *state, Batch **ret_batch)
{
    uint32_t count =
        (uint32_t)MIN(state->count - state->given, (uint64_t)state->base.exec->batch_size);
    Row *keys[VECTOR_SIZE];
    node_scratch_reset(&state->base);
    for (uint32_t i = 0; i < count; i++)
        keys[i] = state->groups[state->given + i]->key;
    rows_gather(&state->key_layout, keys, count, 0, state->group_count, state->output->columns, 0);
    for (uint32_t c = 0; c < state->call_count; c++) {
        CallState *call = &state->calls[c];
        Vector *to = state->output->columns[state->group_count + c];
        vector_begin(to, count);
        for (uint32_t i = 0; i < count; i++) {
            Value value = {0};
            bool is_null = false;
            CHECK_INTERRUPTS(); /* a long array takes long */
            TRY(call_final(state, call, state->groups[state->given + i], &value, &is_null));
            vector_set(to, i, &value, is_null);
        }
    }
    give_groupings(state, count);
    state->given += count;
    ExprInput input = {.slots = {state->output->columns, NULL}, .row_count = count};
    return node_project(&state->base, &input, (Selection){.count = count}, ret_batch);
}

static bool aggregate_next(NodeState *node, Batch **ret_batch)
{
    AggregateState *state = (AggregateState *)node;
    *ret_batch = NULL;
    while (!*ret_batch) {
        if (state->given < state->count)
            TRY(give_groups(state, ret_batch));
        else if (!state->is_filled)
            TRY(first_pass(state));
        else if (state->waiting)
            TRY(partition_pass(state));
        else
            return true;
    }
    return true;
}

static void aggregate_forget(AggregateState *state)
{
    if (!state->calls) /* its making failed */
        return;
    for (uint32_t i = 0; i < state->call_count; i++)
        if (state->calls[i].order) {
            sorter_clear(&state->calls[i].sorter);
            seen_keys_clear(&state->calls[i].seen);
        }
    for (Partition *part = state->waiting; part; part = part->next)
        spill_free(part->file);
    state->waiting = NULL;
    pace_arena_reset(state->arena);
    state->groups = NULL;
    state->heads = NULL;
    state->count = state->given = state->capacity = state->mask = 0;
    state->open = NULL;
    state->is_filled = false;
}

static bool aggregate_rewind(NodeState *node)
{
    AggregateState *state = (AggregateState *)node;
    bool whole = !state->is_sorted && state->is_filled && state->depth == 0 && !state->waiting &&
                 !state->is_spilling;
    if (whole && !node_is_stale(node)) {
        state->given = 0;
        return true;
    }
    aggregate_forget(state);
    return node_rewind(node->left);
}

static void aggregate_stop(NodeState *node)
{
    aggregate_forget((AggregateState *)node);
}

static void aggregate_free(NodeState *node)
{
    AggregateState *state = (AggregateState *)node;
    for (uint32_t i = 0; state->calls && i < state->call_count; i++)
        if (state->calls[i].order) {
            sorter_deinit(&state->calls[i].sorter);
            strbuf_deinit(&state->calls[i].whole);
            seen_keys_clear(&state->calls[i].seen);
        }
}

const NodeMethods node_aggregate_methods = {
    .size = sizeof(AggregateState),
    .init = aggregate_init,
    .next = aggregate_next,
    .rewind = aggregate_rewind,
    .stop = aggregate_stop,
    .free = aggregate_free,
};
