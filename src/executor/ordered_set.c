#include "executor/ordered_set.h"

#include <math.h>

#include "types/array.h"

#define FUNCTION_INTERVAL_MUL 1618 /* interval * float8 */

/* One fraction: the rows whose values it takes, and what lies between them. */
typedef struct Percentile {
    bool is_null;
    uint64_t first, second; /* rows of the group, from 0 */
    double part;            /* of the way from first to second */
    Value low, high;
} Percentile;

struct OrderedSetState {
    uint64_t count, seen;
    bool has_begun, is_null;
    Percentile *percentiles;
    uint32_t percentile_count;
    Value fractions; /* the direct array: its shape is the result's */
    /* mode */
    Value best, run;
    uint64_t best_count, run_count;
    /* hypothetical */
    Str key;
    uint64_t less, equal, distinct_less;
    StrBuf last; /* the key seen last, in the state arena */
};

/* What the catalog's functions refer to; the rows go through the functions below. */
AGGREGATE(percentile_disc_float8_anyelement) = {.state_size = sizeof(OrderedSetState)};
AGGREGATE(percentile_disc_float8_array_anyelement) = {.state_size = sizeof(OrderedSetState)};
AGGREGATE(percentile_cont_float8_float8) = {.state_size = sizeof(OrderedSetState)};
AGGREGATE(percentile_cont_float8_array_float8) = {.state_size = sizeof(OrderedSetState)};
AGGREGATE(percentile_cont_float8_interval) = {.state_size = sizeof(OrderedSetState)};
AGGREGATE(percentile_cont_float8_array_interval) = {.state_size = sizeof(OrderedSetState)};
AGGREGATE(mode_anyelement) = {.state_size = sizeof(OrderedSetState)};
AGGREGATE(rank_any) = {.state_size = sizeof(OrderedSetState)};
AGGREGATE(percent_rank_any) = {.state_size = sizeof(OrderedSetState)};
AGGREGATE(cume_dist_any) = {.state_size = sizeof(OrderedSetState)};
AGGREGATE(dense_rank_any) = {.state_size = sizeof(OrderedSetState)};

typedef struct OrderedSetName {
    const AggregateFunction *function;
    OrderedSetKind kind;
    bool is_array;
} OrderedSetName;

static const OrderedSetName names[] = {
    {&agg_percentile_disc_float8_anyelement, ORDERED_SET_PERCENTILE_DISC, false},
    {&agg_percentile_disc_float8_array_anyelement, ORDERED_SET_PERCENTILE_DISC, true},
    {&agg_percentile_cont_float8_float8, ORDERED_SET_PERCENTILE_CONT, false},
    {&agg_percentile_cont_float8_array_float8, ORDERED_SET_PERCENTILE_CONT, true},
    {&agg_percentile_cont_float8_interval, ORDERED_SET_PERCENTILE_CONT, false},
    {&agg_percentile_cont_float8_array_interval, ORDERED_SET_PERCENTILE_CONT, true},
    {&agg_mode_anyelement, ORDERED_SET_MODE, false},
    {&agg_rank_any, ORDERED_SET_RANK, false},
    {&agg_percent_rank_any, ORDERED_SET_PERCENT_RANK, false},
    {&agg_cume_dist_any, ORDERED_SET_CUME_DIST, false},
    {&agg_dense_rank_any, ORDERED_SET_DENSE_RANK, false},
};

OrderedSet *ordered_set_new(Arena *arena, FunctionCall *call, Oid type, const SortKeys *order)
{
    OrderedSet *set = ARENA_NEW(arena, OrderedSet);
    *set = (OrderedSet){.type = type, .call = call, .order = order};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (names[i].function == call->function->aggregate) {
            set->kind = names[i].kind;
            set->is_array = names[i].is_array;
        }
    return set;
}

/* Only hypothetical rows are compared with nulls. */
bool ordered_set_count(const OrderedSet *set, OrderedSetState *state, bool is_null)
{
    if (is_null && set->kind < ORDERED_SET_RANK)
        return false;
    state->count++;
    return true;
}

bool ordered_set_has_begun(const OrderedSetState *state)
{
    return state->has_begun;
}

/* ---- percentiles ---- */

static bool percentile_begin(const OrderedSet *set, uint64_t count, double fraction,
                             Percentile *ret)
{
    if (isnan(fraction) || fraction < 0 || fraction > 1)
        FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE,
             .message = fmt("percentile value %g is not between 0 and 1", fraction));
    if (count == 0)
        return true;
    if (set->kind == ORDERED_SET_PERCENTILE_DISC) {
        const double row = ceil(fraction * (double)count);
        ret->first = ret->second = row < 1 ? 0 : (uint64_t)row - 1;
        return true;
    }
    const double at = fraction * (double)(count - 1);
    ret->first = (uint64_t)floor(at);
    ret->second = (uint64_t)ceil(at);
    ret->part = at - (double)ret->first;
    return true;
}

static bool percentiles_begin(const OrderedSet *set, OrderedSetState *state, const Value *direct)
{
    Arena *arena = set->call->state_arena;
    if (!set->is_array) {
        state->percentiles = ARENA_NEW(arena, Percentile);
        state->percentile_count = 1;
        return percentile_begin(set, state->count, direct->float64, state->percentiles);
    }
    ArrayView view;
    state->fractions = value_copy(arena, PHYS_VAR, direct);
    TRY(array_open(&state->fractions, &view));
    state->percentiles = ARENA_ARRAY(arena, Percentile, view.count + 1);
    state->percentile_count = (uint32_t)view.count;
    for (int i = 0; i < view.count; i++) {
        Percentile *percentile = &state->percentiles[i];
        Value fraction;
        array_element(&view, i, &fraction, &percentile->is_null);
        if (!percentile->is_null)
            TRY(percentile_begin(set, state->count, fraction.float64, percentile));
    }
    return true;
}

static void percentiles_row(const OrderedSet *set, OrderedSetState *state, const Value *value)
{
    const PhysType phys = type_phys(set->type);
    for (uint32_t i = 0; i < state->percentile_count; i++) {
        Percentile *percentile = &state->percentiles[i];
        if (percentile->is_null)
            continue;
        if (percentile->first == state->seen)
            percentile->low = value_copy(set->call->state_arena, phys, value);
        if (percentile->second == state->seen)
            percentile->high = value_copy(set->call->state_arena, phys, value);
    }
}

static bool interval_scaled(const OrderedSet *set, const Interval *interval, double factor,
                            Interval *ret)
{
    const Oid types[] = {TYPE_INTERVAL, TYPE_FLOAT8};
    FunctionCall call = {.arena = set->call->arena,
                         .site_arena = set->call->site_arena,
                         .function = builtin_function(FUNCTION_INTERVAL_MUL),
                         .arg_types = types,
                         .arg_count = 2,
                         .result_type = TYPE_INTERVAL,
                         .result_typmod = -1};
    const Value args[] = {{.interval = *interval}, {.float64 = factor}};
    const bool nulls[] = {false, false};
    Value product;
    bool is_null;
    TRY(function_call(&call, args, nulls, &product, &is_null));
    *ret = product.interval;
    return true;
}

static bool percentile_value(const OrderedSet *set, const Percentile *percentile, Value *ret)
{
    *ret = percentile->low;
    if (percentile->first == percentile->second)
        return true;
    if (set->type == TYPE_FLOAT8) {
        ret->float64 = percentile->low.float64 +
                       percentile->part * (percentile->high.float64 - percentile->low.float64);
        return true;
    }
    const Interval *low = &percentile->low.interval, *high = &percentile->high.interval;
    const Interval distance = {.months = high->months - low->months,
                               .days = high->days - low->days,
                               .microseconds = high->microseconds - low->microseconds};
    Interval step;
    TRY(interval_scaled(set, &distance, percentile->part, &step));
    ret->interval = (Interval){.months = low->months + step.months,
                               .days = low->days + step.days,
                               .microseconds = low->microseconds + step.microseconds};
    return true;
}

static bool percentiles_final(const OrderedSet *set, const OrderedSetState *state, Value *ret,
                              bool *ret_null)
{
    Arena *arena = set->call->arena;
    *ret_null = state->count == 0;
    if (*ret_null)
        return true;
    if (!set->is_array)
        return percentile_value(set, &state->percentiles[0], ret);
    ArrayView view;
    ArrayBuilder builder;
    TRY(array_open(&state->fractions, &view));
    array_builder_init(&builder, arena, set->type);
    for (uint32_t i = 0; i < state->percentile_count; i++) {
        Value value = {0};
        if (!state->percentiles[i].is_null)
            TRY(percentile_value(set, &state->percentiles[i], &value));
        array_builder_add(&builder, &value, state->percentiles[i].is_null);
    }
    return array_builder_finish_shape(&builder, view.dimension_count, view.lengths, view.lowers,
                                      ret);
}

/* ---- mode ---- */

/* Does the key repeat the one before? It is remembered. */
static bool key_repeats(const OrderedSet *set, OrderedSetState *state, Str key)
{
    const bool repeats = state->seen > 0 && str_equal(key, strbuf_view(&state->last));
    if (state->seen == 0)
        state->last = strbuf_in(set->call->state_arena);
    if (!repeats) {
        strbuf_truncate(&state->last, 0);
        strbuf_append(&state->last, key);
    }
    return repeats;
}

static void mode_row(const OrderedSet *set, OrderedSetState *state, Str key, const Value *value)
{
    if (!key_repeats(set, state, key)) {
        state->run = value_copy(set->call->state_arena, type_phys(set->type), value);
        state->run_count = 0;
    }
    if (++state->run_count > state->best_count) {
        state->best = state->run;
        state->best_count = state->run_count;
    }
}

/* ---- hypothetical rows ---- */

static bool hypothetical_begin(const OrderedSet *set, OrderedSetState *state, const Value *direct,
                               const bool *nulls)
{
    StrBuf key = strbuf_in(set->call->state_arena);
    for (uint32_t i = 0; i < set->order->count; i++)
        TRY(key_append(&key, &set->order->columns[i], &direct[i], nulls[i]));
    state->key = strbuf_view(&key);
    return true;
}

static void hypothetical_row(const OrderedSet *set, OrderedSetState *state, Str key)
{
    const int order = str_compare(key, state->key);
    state->equal += order == 0;
    if (order >= 0)
        return;
    state->less++;
    if (!key_repeats(set, state, key))
        state->distinct_less++;
}

/* ---- all of them ---- */

bool ordered_set_begin(const OrderedSet *set, OrderedSetState *state, const Value *direct,
                       const bool *direct_nulls)
{
    state->has_begun = true;
    if (set->kind >= ORDERED_SET_RANK)
        return hypothetical_begin(set, state, direct, direct_nulls);
    if (set->kind == ORDERED_SET_MODE)
        return true;
    state->is_null = direct_nulls[0];
    return state->is_null || percentiles_begin(set, state, &direct[0]);
}

bool ordered_set_row(const OrderedSet *set, OrderedSetState *state, Str key, const Value *value)
{
    if (set->kind >= ORDERED_SET_RANK)
        hypothetical_row(set, state, key);
    else if (set->kind == ORDERED_SET_MODE)
        mode_row(set, state, key, value);
    else if (!state->is_null)
        percentiles_row(set, state, value);
    state->seen++;
    return true;
}

bool ordered_set_final(const OrderedSet *set, const OrderedSetState *state, Value *ret,
                       bool *ret_null)
{
    *ret_null = state->is_null;
    if (state->is_null)
        return true;
    switch (set->kind) {
    case ORDERED_SET_NONE:
        break;
    case ORDERED_SET_PERCENTILE_DISC:
    case ORDERED_SET_PERCENTILE_CONT:
        return percentiles_final(set, state, ret, ret_null);
    case ORDERED_SET_MODE:
        *ret_null = state->best_count == 0;
        *ret = state->best;
        break;
    case ORDERED_SET_RANK:
        ret->int64 = (int64_t)state->less + 1;
        break;
    case ORDERED_SET_DENSE_RANK:
        ret->int64 = (int64_t)state->distinct_less + 1;
        break;
    case ORDERED_SET_PERCENT_RANK:
        ret->float64 = state->count ? (double)state->less / (double)state->count : 0;
        break;
    case ORDERED_SET_CUME_DIST:
        ret->float64 = (double)(state->less + state->equal + 1) / (double)(state->count + 1);
        break;
    }
    return true;
}
