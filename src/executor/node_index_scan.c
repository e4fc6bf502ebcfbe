#include "base/merge_sort.h"
#include "base/pace.h"
#include "executor/expr.h"
#include "executor/scan_columns.h"
#include "executor/usage.h"
#include "types/array.h"
#include "types/key.h"

/*
 * Rows through an index, in key order. The conditions become ranges of key bytes: the equalities of
 * the leading columns a common prefix (several, where IN gives several values), the bounds on the
 * next column the ends. Index-only scans decode the key instead of fetching the row.
 */

/* One equality column: its possible encodings, ascending and distinct. */
typedef struct KeyChoices {
    Str *items;
    uint32_t count, at;
} KeyChoices;

#define NO_SLOT UINT32_MAX
#define GATHER_LIMIT (64 * 1024u)

typedef struct IndexScanState {
    NodeState base;
    ScanColumns columns; /* of an index-only scan: for rows that EPQ looks at again */
    IndexHandle *index;
    KeyColumn *key_columns;
    ExprProgram *values; /* of the keys that have one, in order */
    int *value_of;       /* per key: its place in values, -1 none */
    Arena *keys_arena;   /* encodings: until the next rewind */
    KeyChoices *choices;
    uint32_t choice_count;
    bool has_range;
    IndexScan *scan;
    bool is_ready, is_done, range_open, override_given;
    bool is_point;                        /* one look-up of a unique key */
    Str low, high;                        /* of the range that is open */
    uint32_t fetch_size;                  /* grows: a LIMIT above wants few rows */
    uint64_t given;                       /* rows since the rewind, beside the node's row_goal */
    bool decodes_key;                     /* index-only, from key bytes */
    uint32_t *key_slots;                  /* per key column: the slot it fills, NO_SLOT: none */
    uint32_t *undecoded, undecoded_count; /* slots that no key column fills: nulls */
    uint32_t row_id_slot;                 /* NO_SLOT: the row's id is not asked for */
    uint32_t decoded_columns;             /* leading key columns that have to be passed through */
    Batch *key_batch;
    IndexEntry *entries;
    int64_t *gathered, *gather_scratch; /* row ids in the table's order */
    uint32_t gathered_count, gathered_at, gather_capacity;
    RelationUsage *index_usage, *table_usage;
} IndexScanState;

/* ---- keys ---- */

/* Integers of another width than the column's: out of its range is beyond every key. */
typedef enum Narrowed { NARROW_FITS, NARROW_BELOW, NARROW_ABOVE } Narrowed;

static Narrowed narrow(PhysType from, PhysType to, Value *value)
{
    int64_t v = from == PHYS_INT16   ? value->int16
                : from == PHYS_INT32 ? value->int32
                                     : value->int64;
    int64_t low = to == PHYS_INT16 ? INT16_MIN : to == PHYS_INT32 ? INT32_MIN : INT64_MIN;
    int64_t high = to == PHYS_INT16 ? INT16_MAX : to == PHYS_INT32 ? INT32_MAX : INT64_MAX;
    if (v < low)
        return NARROW_BELOW;
    if (v > high)
        return NARROW_ABOVE;
    memset(value, 0, sizeof(*value));
    if (to == PHYS_INT16)
        value->int16 = (int16_t)v;
    else if (to == PHYS_INT32)
        value->int32 = (int32_t)v;
    else
        value->int64 = v;
    return NARROW_FITS;
}

static bool encode(IndexScanState *state, int column, const Value *value, bool is_null, Str *ret)
{
    StrBuf buf = strbuf_in(state->keys_arena);
    TRY(key_append(&buf, &state->key_columns[column], value, is_null));
    *ret = strbuf_view(&buf);
    return true;
}

static Str after_prefix(IndexScanState *state, Str prefix)
{
    StrBuf buf = strbuf_in(state->keys_arena);
    strbuf_append(&buf, prefix);
    return key_prefix_end(&buf) ? strbuf_view(&buf) : STR_NONE;
}

static int choice_order(const void *a, const void *b, const void *context)
{
    (void)context;
    return str_compare(*(const Str *)a, *(const Str *)b);
}

/* The distinct encodings of an IN list's elements; nulls match nothing. */
static bool choices_from_array(IndexScanState *state, const IndexKey *key, const Value *array,
                               KeyChoices *choices)
{
    ArrayView view;
    PhysType to = state->index->desc->columns[key->column].phys;
    TRY(array_open(array, &view));
    TRY(choices->items = PACE_ARRAY(state->keys_arena, Str, view.count + 1));
    uint32_t count = 0;
    for (int i = 0; i < view.count; i++) {
        Value value;
        bool is_null;
        CHECK_INTERRUPTS_EACH((unsigned)i);
        array_element(&view, i, &value, &is_null);
        if (is_null || (key->value_wider && narrow(view.phys, to, &value) != NARROW_FITS))
            continue;
        TRY(encode(state, key->column, &value, false, &choices->items[count]));
        count++;
    }
    const MergeSort sort = {.size = sizeof(Str), .compare = choice_order};
    Str *scratch = arena_alloc(state->keys_arena, (count / 2 + 1) * sizeof(Str));
    TRY(merge_sort(&sort, choices->items, scratch, count));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        if (kept == 0 || !str_equal(choices->items[kept - 1], choices->items[i]))
            choices->items[kept++] = choices->items[i];
    }
    choices->count = kept;
    return true;
}

static const Vector *key_value(IndexScanState *state, size_t key, Value *ret, bool *ret_null)
{
    assert(state->values);
    const Vector *vector = state->values->results[state->value_of[key]];
    vector_get(vector, 0, ret, ret_null);
    return vector;
}

static bool choices_of_key(IndexScanState *state, size_t k, const IndexKey *key,
                           KeyChoices *choices)
{
    Value value = {0};
    bool is_null = true;
    *choices = (KeyChoices){0};
    if (key->op != INDEX_IS_NULL) {
        const Vector *vector = key_value(state, k, &value, &is_null);
        if (is_null)
            return true;
        if (key->op == INDEX_IN)
            return choices_from_array(state, key, &value, choices);
        PhysType to = state->index->desc->columns[key->column].phys;
        if (key->value_wider && narrow(vector->type, to, &value) != NARROW_FITS)
            return true;
    }
    choices->items = ARENA_NEW(state->keys_arena, Str);
    choices->count = 1;
    return encode(state, key->column, &value, key->op == INDEX_IS_NULL, &choices->items[0]);
}

/* The bounds on the range column as suffixes to the prefix; *ret_empty when nothing can match. */
typedef struct RangeBounds {
    Str low, high;              /* encodings; STR_NONE: not bounded by a value */
    bool low_after, high_after; /* the bound is just behind the encoding */
} RangeBounds;

/* Bounds may have more columns than others: behind `a` is behind all that begins with it. */
static int edge_compare(Str a, bool a_after, Str b, bool b_after)
{
    if (a.length < b.length && str_starts_with(b, a))
        return a_after ? 1 : -1;
    if (b.length < a.length && str_starts_with(a, b))
        return b_after ? -1 : 1;
    const int order = str_compare(a, b);
    return order != 0 ? order : (int)a_after - (int)b_after;
}

static void bound_low(RangeBounds *bounds, Str at, bool after)
{
    if (str_is_none(bounds->low) || edge_compare(at, after, bounds->low, bounds->low_after) > 0) {
        bounds->low = at;
        bounds->low_after = after;
    }
}

static void bound_high(RangeBounds *bounds, Str at, bool after)
{
    if (str_is_none(bounds->high) ||
        edge_compare(at, after, bounds->high, bounds->high_after) < 0) {
        bounds->high = at;
        bounds->high_after = after;
    }
}

/* A value beyond the column's range: the condition is always or never true. */
static bool bound_never(IndexOp op, Narrowed side)
{
    bool greater = op == INDEX_GT || op == INDEX_GE;
    return greater ? side == NARROW_ABOVE : side == NARROW_BELOW;
}

/* A row's bound goes on with further columns, up to one that is null: with it nothing is known. */
static bool bound_more(IndexScanState *state, size_t k, const IndexKey *key, Str *at,
                       bool *inclusive)
{
    StrBuf buf = strbuf_in(state->keys_arena);
    strbuf_append(&buf, *at);
    for (size_t i = 0; i < key->more.length; i++) {
        Value value;
        bool is_null;
        vector_get(state->values->results[(size_t)state->value_of[k] + 1 + i], 0, &value, &is_null);
        if (is_null) {
            *inclusive = true;
            break;
        }
        TRY(key_append(&buf, &state->key_columns[(size_t)key->column + 1 + i], &value, false));
    }
    *at = strbuf_view(&buf);
    return true;
}

static bool bound_key(IndexScanState *state, size_t k, const IndexKey *key, RangeBounds *bounds,
                      bool *ret_empty)
{
    Value value;
    bool is_null;
    if (key->op == INDEX_IS_NOT_NULL)
        return true;
    const Vector *vector = key_value(state, k, &value, &is_null);
    if (is_null) {
        *ret_empty = true;
        return true;
    }
    const IndexColumn *column = &state->index->desc->columns[key->column];
    if (key->value_wider) {
        Narrowed side = narrow(vector->type, column->phys, &value);
        *ret_empty |= side != NARROW_FITS && bound_never(key->op, side);
        if (side != NARROW_FITS)
            return true;
    }
    Str at;
    TRY(encode(state, key->column, &value, false, &at));
    bool greater = key->op == INDEX_GT || key->op == INDEX_GE;
    bool inclusive = key->op == INDEX_GE || key->op == INDEX_LE;
    if (key->more.length > 0)
        TRY(bound_more(state, k, key, &at, &inclusive));
    /* A descending column turns the order of the bytes round. */
    if (column->descending)
        greater = !greater;
    if (greater)
        bound_low(bounds, at, !inclusive);
    else
        bound_high(bounds, at, inclusive);
    return true;
}

/* Turns the range column's conditions into suffixes; nulls never match one. */
static bool range_bounds(IndexScanState *state, int column, RangeBounds *ret, bool *ret_empty)
{
    const IndexScanPlan *plan = (const IndexScanPlan *)state->base.plan;
    RangeBounds bounds = {0};
    for (size_t k = state->choice_count; k < plan->keys.length; k++)
        if (plan->keys.items[k].column == column)
            TRY(bound_key(state, k, &plan->keys.items[k], &bounds, ret_empty));
    Value none = {0};
    Str null_key;
    TRY(encode(state, column, &none, true, &null_key));
    bool nulls_first = state->key_columns[column].nulls_first;
    if (str_is_none(bounds.low) && nulls_first)
        bounds.low = null_key, bounds.low_after = true;
    if (str_is_none(bounds.high) && !nulls_first)
        bounds.high = null_key, bounds.high_after = false;
    *ret = bounds;
    return true;
}

static bool keys_prepare(IndexScanState *state)
{
    const IndexScanPlan *plan = (const IndexScanPlan *)state->base.plan;
    pace_arena_reset(state->keys_arena);
    if (state->values)
        TRY(expr_run_scalar(state->values));
    state->is_done = false;
    for (uint32_t k = 0; k < state->choice_count; k++) {
        KeyChoices *choices = &state->choices[k];
        TRY(choices_of_key(state, k, &plan->keys.items[k], choices));
        if (choices->count == 0)
            state->is_done = true;
        choices->at = plan->is_backward && choices->count ? choices->count - 1 : 0;
    }
    state->is_ready = true;
    state->range_open = false;
    return true;
}

static Str joined(IndexScanState *state, Str a, Str b)
{
    return str_concat(state->keys_arena, a, b);
}

/* The range of the present choices into state->low, high; *ret_empty: nothing in it. */
static bool range_make(IndexScanState *state, bool *ret_empty)
{
    StrBuf prefix = strbuf_in(state->keys_arena);
    for (uint32_t k = 0; k < state->choice_count; k++)
        strbuf_append(&prefix, state->choices[k].items[state->choices[k].at]);
    Str base = strbuf_view(&prefix);
    *ret_empty = false;
    state->low = base;
    state->high = base.length ? after_prefix(state, base) : STR_NONE;
    if (!state->has_range)
        return true;
    const IndexScanPlan *plan = (const IndexScanPlan *)state->base.plan;
    RangeBounds bounds;
    TRY(range_bounds(state, plan->keys.items[state->choice_count].column, &bounds, ret_empty));
    if (!str_is_none(bounds.low)) {
        state->low = joined(state, base, bounds.low);
        if (bounds.low_after)
            state->low = after_prefix(state, state->low);
        *ret_empty |= str_is_none(state->low);
    }
    if (!str_is_none(bounds.high)) {
        state->high = joined(state, base, bounds.high);
        if (bounds.high_after)
            state->high = after_prefix(state, state->high);
    }
    if (!str_is_none(state->high) && str_compare(state->low, state->high) >= 0)
        *ret_empty = true;
    return true;
}

/* The next combination of choices in scan order; false when all are done. */
static bool choices_step(IndexScanState *state)
{
    bool backward = ((const IndexScanPlan *)state->base.plan)->is_backward;
    for (uint32_t k = state->choice_count; k-- > 0;) {
        KeyChoices *choices = &state->choices[k];
        if (!backward && choices->at + 1 < choices->count) {
            choices->at++;
            return true;
        }
        if (backward && choices->at > 0) {
            choices->at--;
            return true;
        }
        choices->at = backward ? choices->count - 1 : 0;
    }
    return false;
}

/* ---- init ---- */

static bool compile_values(IndexScanState *state)
{
    NodeState *node = &state->base;
    Arena *arena = node->exec->arena;
    const IndexScanPlan *plan = (const IndexScanPlan *)node->plan;
    size_t most = plan->keys.length + 1;
    for (size_t k = 0; k < plan->keys.length; k++)
        most += plan->keys.items[k].more.length;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, most);
    uint32_t count = 0;
    state->value_of = ARENA_ARRAY(arena, int, plan->keys.length + 1);
    for (size_t k = 0; k < plan->keys.length; k++) {
        const IndexKey *key = &plan->keys.items[k];
        state->value_of[k] = -1;
        if (key->value) {
            state->value_of[k] = (int)count;
            exprs[count++] = key->value;
        }
        for (size_t i = 0; i < key->more.length; i++)
            exprs[count++] = key->more.items[i];
        bool equality = key->op == INDEX_EQ || key->op == INDEX_IN || key->op == INDEX_IS_NULL;
        if (equality && state->choice_count == k && key->column == (int)k)
            state->choice_count++;
        else
            state->has_range = true;
    }
    state->choices = ARENA_ARRAY(arena, KeyChoices, state->choice_count + 1);
    if (count > 0)
        TRY(state->values = expr_compile(node->exec, state->keys_arena, exprs, count));
    return true;
}

static void key_columns_init(IndexScanState *state, Arena *arena)
{
    const IndexDesc *desc = state->index->desc;
    state->key_columns = ARENA_ARRAY(arena, KeyColumn, desc->key_count + 1);
    for (uint16_t i = 0; i < desc->key_count; i++)
        state->key_columns[i] = (KeyColumn){.type = desc->columns[i].type,
                                            .descending = desc->columns[i].descending,
                                            .nulls_first = desc->columns[i].nulls_first};
}

/* Which key column each slot of an index-only scan comes from; none where the key does not give
 * the value back: then only the conditions' texts speak of it. */
static bool key_slots_init(IndexScanState *state, const IndexScanPlan *plan)
{
    Arena *arena = state->base.exec->arena;
    const IndexDesc *desc = state->index->desc;
    const uint32_t count = (uint32_t)plan->scan.scan_column_count;
    PhysType *types = ARENA_ARRAY(arena, PhysType, count + 1);
    state->key_slots = ARENA_ARRAY(arena, uint32_t, desc->key_count + 1);
    state->undecoded = ARENA_ARRAY(arena, uint32_t, count + 1);
    for (uint16_t k = 0; k < desc->key_count; k++)
        state->key_slots[k] = NO_SLOT;
    state->row_id_slot = NO_SLOT;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t k = 0;
        types[i] = PHYS_INT64;
        if (plan->scan.scan_columns[i] == ATTNUM_ROW_ID) {
            state->row_id_slot = i;
            continue;
        }
        while (k < desc->key_count && desc->columns[k].attnum != plan->scan.scan_columns[i])
            k++;
        if (k == desc->key_count)
            FAIL(ERR_INTERNAL_ERROR,
                 .message = STR("index-only scan of a column not in the index"));
        types[i] = desc->columns[k].phys;
        if (!key_is_lossless(desc->columns[k].type)) {
            state->undecoded[state->undecoded_count++] = i;
            continue;
        }
        state->key_slots[k] = i;
        state->decoded_columns = MAX(state->decoded_columns, k + 1u);
    }
    state->decodes_key = true;
    state->key_batch = batch_new(arena, types, count);
    return true;
}

static bool columns_init(IndexScanState *state, const IndexScanPlan *plan)
{
    if (plan->scan.base.kind == PLAN_INDEX_ONLY_SCAN)
        TRY(key_slots_init(state, plan));
    return scan_columns_init(&state->columns, state->base.exec, plan->scan.relation,
                             plan->scan.scan_columns, (uint32_t)plan->scan.scan_column_count);
}

static bool index_scan_init(NodeState *node)
{
    IndexScanState *state = (IndexScanState *)node;
    const IndexScanPlan *plan = (const IndexScanPlan *)node->plan;
    TRY(state->index = exec_index(node->exec, plan->scan.relation, plan->index));
    exec_usage(node->exec, plan->index, &state->index_usage);
    exec_usage(node->exec, plan->scan.relation, &state->table_usage);
    state->keys_arena = arena_new("index keys");
    key_columns_init(state, node->exec->arena);
    TRY(compile_values(state));
    TRY(columns_init(state, plan));
    state->is_point = plan->is_unique_lookup && !state->has_range &&
                      state->choice_count == state->index->desc->key_count;
    for (uint32_t k = 0; k < state->choice_count; k++)
        state->is_point &= plan->keys.items[k].op == INDEX_EQ;
    state->entries =
        arena_alloc(node->exec->arena, (state->is_point ? 1 : VECTOR_SIZE) * sizeof(IndexEntry));
    return node_init_projection(node);
}

/* ---- running ---- */

static bool give(IndexScanState *state, Vector *const *slots, uint32_t count, Batch **ret_batch)
{
    ExprInput input = {.slots = {slots, NULL}, .row_count = count};
    return node_project(&state->base, &input, (Selection){.count = count}, ret_batch);
}

static bool decode_entry(IndexScanState *state, uint32_t at)
{
    Str rest = state->entries[at].key;
    for (uint32_t k = 0; k < state->decoded_columns; k++) {
        const uint32_t slot = state->key_slots[k];
        Value value;
        bool is_null;
        if (slot == NO_SLOT) {
            TRY(key_skip(&state->key_columns[k], &rest));
            continue;
        }
        TRY(key_take(state->base.scratch, &state->key_columns[k], &rest, &value, &is_null));
        vector_set(state->key_batch->columns[slot], at, &value, is_null);
    }
    return true;
}

static bool decode_entries(IndexScanState *state, uint32_t count)
{
    const Value none = {0};
    for (uint32_t c = 0; c < state->key_batch->column_count; c++)
        vector_begin(state->key_batch->columns[c], count);
    for (uint32_t c = 0; c < state->undecoded_count; c++)
        for (uint32_t i = 0; i < count; i++)
            vector_set(state->key_batch->columns[state->undecoded[c]], i, &none, true);
    for (uint32_t i = 0; state->row_id_slot != NO_SLOT && i < count; i++) {
        const Value row_id = {.int64 = state->entries[i].row_id};
        vector_set(state->key_batch->columns[state->row_id_slot], i, &row_id, false);
    }
    for (uint32_t i = 0; state->decoded_columns > 0 && i < count; i++)
        TRY(decode_entry(state, i));
    return true;
}

static bool point_next(IndexScanState *state, Batch **ret_batch)
{
    NodeState *node = &state->base;
    ExecState *exec = node->exec;
    Txn *txn = exec->session->catalog.txn;
    bool empty;
    state->is_done = true;
    usage_add(state->index_usage, USAGE_SCANS, 1);
    TRY(range_make(state, &empty));
    int64_t row_id;
    switch (txn_index_lookup(txn, &exec->snapshot, state->index->tree, state->low, &row_id)) {
    case FETCH_FAILED:
        return false;
    case FETCH_NONE:
        return true;
    case FETCH_ROW:
        break;
    }
    uint32_t count;
    usage_add(state->index_usage, USAGE_ROWS_READ, 1);
    if (state->decodes_key) {
        state->entries[0] = (IndexEntry){.key = state->low, .row_id = row_id};
        TRY(decode_entries(state, 1));
        return give(state, state->key_batch->columns, 1, ret_batch);
    }
    TRY(scan_columns_fetch(&state->columns, exec, &exec->snapshot, &row_id, 1, node->scratch,
                           &count));
    usage_add(state->index_usage, USAGE_ROWS_FETCHED, count);
    return give(state, state->columns.slots, count, ret_batch);
}

static bool range_begin(IndexScanState *state, bool *ret_empty)
{
    ExecState *exec = state->base.exec;
    const IndexScanPlan *plan = (const IndexScanPlan *)state->base.plan;
    TRY(range_make(state, ret_empty));
    if (*ret_empty)
        return true;
    IndexScanSpec spec = {.low = state->low,
                          .high = state->high,
                          .direction = plan->is_backward ? SCAN_BACKWARD : SCAN_FORWARD};
    if (state->scan) {
        index_scan_reset(state->scan, &exec->snapshot, &spec);
    } else {
        state->scan = index_scan_open(exec->session->catalog.txn, &exec->snapshot,
                                      state->index->tree, &spec, exec->run_arena);
        TRY(state->scan);
    }
    state->range_open = true;
    usage_add(state->index_usage, USAGE_SCANS, 1);
    return true;
}

/* ---- gathering: many rows are read faster in the table's order than in the index's ---- */

/* By bytes, lowest first; ids of one table have few that differ. */
static void sort_row_ids(int64_t *ids, int64_t *scratch, uint32_t count)
{
    uint64_t differ = 0;
    for (uint32_t i = 1; i < count; i++)
        differ |= (uint64_t)(ids[i] ^ ids[0]);
    for (int shift = 0; shift < 64; shift += 8) {
        uint32_t starts[257] = {0};
        if (!(differ >> shift & 0xff))
            continue;
        for (uint32_t i = 0; i < count; i++)
            starts[((uint64_t)ids[i] >> shift & 0xff) + 1]++;
        for (int b = 0; b < 256; b++)
            starts[b + 1] += starts[b];
        for (uint32_t i = 0; i < count; i++)
            scratch[starts[(uint64_t)ids[i] >> shift & 0xff]++] = ids[i];
        memcpy(ids, scratch, count * sizeof(int64_t));
    }
}

/* Room for one more batch of ids: most scans find few. */
static void gather_grow(IndexScanState *state)
{
    Arena *arena = state->base.exec->run_arena;
    if (state->gathered && state->gather_capacity - state->gathered_count >= VECTOR_SIZE)
        return;
    const uint32_t wanted = state->gathered ? state->gather_capacity * 4 : (uint32_t)VECTOR_SIZE;
    const uint32_t capacity = MIN(wanted, GATHER_LIMIT);
    int64_t *ids = arena_alloc(arena, capacity * sizeof(int64_t));
    if (state->gathered)
        memcpy(ids, state->gathered, state->gathered_count * sizeof(int64_t));
    state->gathered = ids;
    state->gather_scratch = arena_alloc(arena, capacity * sizeof(int64_t));
    state->gather_capacity = capacity;
}

/* The next entries of the range; none, and the next range if there is one, at its end. */
static bool entries_next(IndexScanState *state, uint32_t limit, uint32_t *ret_count)
{
    *ret_count = 0;
    switch (index_scan_next_many(state->scan, state->entries, limit, ret_count)) {
    case SCAN_FAILED:
        return false;
    case SCAN_END:
        *ret_count = 0;
        state->range_open = false;
        state->is_done = !choices_step(state);
        return true;
    case SCAN_ROWS:
        break;
    }
    usage_add(state->index_usage, USAGE_ROWS_READ, *ret_count);
    return true;
}

static bool gather_range(IndexScanState *state)
{
    if (state->gather_capacity < GATHER_LIMIT || !state->gathered)
        gather_grow(state);
    const uint32_t limit =
        MIN((uint32_t)VECTOR_SIZE, state->gather_capacity - state->gathered_count);
    uint32_t count;
    TRY(entries_next(state, limit, &count));
    for (uint32_t i = 0; i < count; i++)
        state->gathered[state->gathered_count++] = state->entries[i].row_id;
    return true;
}

/* The ids of the next rows by index, sorted; as many as there is room for. */
static bool gather(IndexScanState *state)
{
    state->gathered_count = state->gathered_at = 0;
    while (!state->is_done && state->gathered_count < GATHER_LIMIT) {
        CHECK_INTERRUPTS();
        if (state->range_open) {
            TRY(gather_range(state));
            continue;
        }
        bool empty;
        TRY(range_begin(state, &empty));
        if (empty)
            state->is_done = !choices_step(state);
    }
    sort_row_ids(state->gathered, state->gather_scratch, state->gathered_count);
    return true;
}

static bool gathered_next(IndexScanState *state, Batch **ret_batch)
{
    NodeState *node = &state->base;
    while (!*ret_batch) {
        if (state->gathered_at == state->gathered_count) {
            if (state->is_done)
                return true;
            TRY(gather(state));
            continue;
        }
        const uint32_t count =
            MIN(node->exec->batch_size, state->gathered_count - state->gathered_at);
        uint32_t found;
        node_scratch_reset(node);
        TRY(scan_columns_fetch(&state->columns, node->exec, &node->exec->snapshot,
                               state->gathered + state->gathered_at, count, node->scratch, &found));
        state->gathered_at += count;
        usage_add(state->table_usage, USAGE_ROWS_FETCHED, found);
        TRY(give(state, state->columns.slots, found, ret_batch));
    }
    return true;
}

/* How many entries are read at once: what the parent still takes, or else few and then more. */
static uint32_t fetch_size_next(IndexScanState *state)
{
    const NodeState *node = &state->base;

    if (node->row_goal > state->given && !node->filter)
        return (uint32_t)MIN(node->row_goal - state->given, (uint64_t)node->exec->batch_size);
    state->fetch_size = MIN(state->fetch_size ? state->fetch_size * 4 : 4, node->exec->batch_size);
    return state->fetch_size;
}

static bool range_next(IndexScanState *state, Batch **ret_batch)
{
    NodeState *node = &state->base;
    uint32_t count;
    TRY(entries_next(state, fetch_size_next(state), &count));
    if (count == 0)
        return true;
    state->given += count;
    node_scratch_reset(node);
    if (state->decodes_key) {
        TRY(decode_entries(state, count));
        return give(state, state->key_batch->columns, count, ret_batch);
    }
    int64_t row_ids[VECTOR_SIZE];
    for (uint32_t i = 0; i < count; i++) {
        /* Entries of B+tree indexes are versioned like rows: the key is the visible row's. */
        assert(!state->entries[i].recheck);
        row_ids[i] = state->entries[i].row_id;
    }
    uint32_t found;
    TRY(scan_columns_fetch(&state->columns, node->exec, &node->exec->snapshot, row_ids, count,
                           node->scratch, &found));
    usage_add(state->index_usage, USAGE_ROWS_FETCHED, found);
    return give(state, state->columns.slots, found, ret_batch);
}

/* EPQ: the one row, if it meets the keys' conditions (their source expressions). */
static bool override_next(IndexScanState *state, const EpqOverride *override, Batch **ret_batch)
{
    uint32_t count;
    if (state->override_given)
        return true;
    state->override_given = true;
    TRY(scan_override_fetch(&state->columns, state->base.exec, override, state->base.scratch,
                            &count));
    if (count == 0)
        return true;
    const IndexScanPlan *plan = (const IndexScanPlan *)state->base.plan;
    ExprInput input = {.slots = {state->columns.slots, NULL}, .row_count = count};
    for (size_t k = 0; k < plan->keys.length; k++) {
        uint16_t row;
        Selection selection;
        if (!plan->keys.items[k].source)
            continue;
        ExprProgram *check =
            expr_compile(state->base.exec, state->base.scratch, &plan->keys.items[k].source, 1);
        TRY(check);
        TRY(expr_filter(check, &input, (Selection){.count = 1}, &row, &selection));
        if (selection.count == 0)
            return true;
    }
    return give(state, state->columns.slots, count, ret_batch);
}

static bool index_scan_next_batch(NodeState *node, Batch **ret_batch)
{
    IndexScanState *state = (IndexScanState *)node;
    const EpqOverride *override = scan_override(node->exec, ((const ScanPlan *)node->plan)->rel);
    *ret_batch = NULL;
    node_scratch_reset(node);
    if (override)
        return override_next(state, override, ret_batch);
    if (!state->is_ready)
        TRY(keys_prepare(state));
    if (((const IndexScanPlan *)node->plan)->is_gathered && !state->is_point)
        return gathered_next(state, ret_batch);
    while (!*ret_batch && !state->is_done) {
        CHECK_INTERRUPTS();
        if (state->is_point) {
            TRY(point_next(state, ret_batch));
        } else if (!state->range_open) {
            bool empty;
            TRY(range_begin(state, &empty));
            if (empty)
                state->is_done = !choices_step(state);
        } else {
            TRY(range_next(state, ret_batch));
        }
    }
    return true;
}

static bool index_scan_rewind(NodeState *node)
{
    IndexScanState *state = (IndexScanState *)node;
    state->is_ready = state->range_open = state->override_given = false;
    state->fetch_size = 0;
    state->given = 0;
    state->gathered_count = state->gathered_at = 0;
    return true;
}

static void index_scan_stop(NodeState *node)
{
    IndexScanState *state = (IndexScanState *)node;
    index_scan_close(state->scan);
    state->scan = NULL;
    state->gathered = state->gather_scratch = NULL;
    index_scan_rewind(node);
}

static void index_scan_free(NodeState *node)
{
    pace_arena_free(((IndexScanState *)node)->keys_arena);
}

const NodeMethods node_index_scan_methods = {
    .size = sizeof(IndexScanState),
    .init = index_scan_init,
    .next = index_scan_next_batch,
    .rewind = index_scan_rewind,
    .stop = index_scan_stop,
    .free = index_scan_free,
};
