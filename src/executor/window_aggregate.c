#include "executor/window_function.h"

/*
 * Aggregates over frames.
 *
 * A frame that only grows at its end is fed what is new. Any other is aggregated again: row by row
 * while it is small; where it is large and the aggregate's partial results can be combined
 * exactly, out of a tree of partial results over blocks of the partition, made at first need. So
 * a sliding frame costs a few blocks a row whatever its size.
 */

#define LEAF 128   /* rows under a state of the lowest level */
#define FAN_OUT 16 /* states under a state of the next level */
#define LEVELS 16
#define TREE_MINIMUM (4 * LEAF)

typedef struct TreeLevel {
    byte *states;
    uint64_t count;
} TreeLevel;

struct WindowAggregate {
    const AggregateFunction *function;
    void *state;
    Arena *arena;      /* what the state points to */
    WindowFrame frame; /* what the state has been fed */
    bool has_state;
    bool has_value; /* of the state, in this output batch */
    Value value;
    bool value_null;
    bool can_combine;
    TreeLevel levels[LEVELS]; /* of this partition; [0].states NULL: not made */
    uint32_t level_count;
    Arena *tree_arena;
    const Vector **args;
    uint16_t *rows;
};

/* Additions of floats in another order round differently. */
static bool is_exact(const WindowCall *plan)
{
    for (size_t i = 0; i < plan->args.length; i++)
        if (plan->args.items[i]->type == TYPE_FLOAT4 || plan->args.items[i]->type == TYPE_FLOAT8)
            return false;
    return true;
}

bool window_aggregate_init(Window *window, WindowCallState *call)
{
    ExecState *exec = window->base.exec;
    WindowAggregate *aggregate = ARENA_NEW(exec->arena, WindowAggregate);
    aggregate->function = call->call->function->aggregate;
    if (!aggregate->function)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("aggregate function %s is not supported", call->call->function->name));
    aggregate->state = arena_alloc_zeroed(exec->arena, aggregate->function->state_size + 1);
    aggregate->arena = exec_arena(exec, "window aggregate");
    aggregate->tree_arena = exec_arena(exec, "window aggregate tree");
    aggregate->can_combine = aggregate->function->combine && is_exact(call->plan);
    aggregate->args = ARENA_ARRAY(exec->arena, const Vector *, call->plan->args.length + 1);
    aggregate->rows = ARENA_ARRAY(exec->arena, uint16_t, VECTOR_SIZE);
    call->aggregate = aggregate;
    return true;
}

void window_aggregate_batch(WindowCallState *call)
{
    call->aggregate->has_value = false;
}

void window_aggregate_partition(WindowCallState *call)
{
    WindowAggregate *aggregate = call->aggregate;
    aggregate->has_state = aggregate->has_value = false;
    if (aggregate->level_count > 0)
        arena_reset(aggregate->tree_arena);
    aggregate->level_count = 0;
}

static void state_clear(WindowAggregate *aggregate)
{
    memset(aggregate->state, 0, aggregate->function->state_size);
    arena_reset(aggregate->arena);
    aggregate->frame.count = 0;
    aggregate->has_state = true;
}

/* Rows start … end - 1 into the state. */
static bool feed_rows(Window *window, WindowCallState *call, uint64_t start, uint64_t end,
                      void *state)
{
    WindowAggregate *aggregate = call->aggregate;
    while (start < end) {
        const uint64_t base = start / VECTOR_SIZE * VECTOR_SIZE;
        const uint64_t stop = MIN(end, base + VECTOR_SIZE);
        const WindowBlock *block = window_block(window, start);
        uint32_t count = 0;
        TRY(block);
        CHECK_INTERRUPTS();
        const Vector *filter =
            call->filter == UINT32_MAX ? NULL : block->batch->columns[call->filter];
        for (uint64_t row = start; row < stop; row++) {
            const uint32_t at = (uint32_t)(row - base);
            if (!filter || (!vector_is_null(filter, at) && VECTOR_VALUES(filter, uint8_t)[at]))
                aggregate->rows[count++] = (uint16_t)at;
        }
        for (size_t i = 0; i < call->plan->args.length; i++)
            aggregate->args[i] = block->batch->columns[call->columns[i]];
        const Selection selection = {.rows = aggregate->rows, .count = count};
        if (count > 0)
            TRY(aggregate->function->update(call->call, aggregate->args, selection,
                                            (AggregateTarget){.single = state}));
        start = stop;
    }
    return true;
}

/* ---- the tree ---- */

static byte *level_state(const WindowAggregate *aggregate, uint32_t level, uint64_t number)
{
    const size_t size = ALIGN_UP(aggregate->function->state_size, (size_t)16);
    return aggregate->levels[level].states + number * size;
}

static bool level_fill(Window *window, WindowCallState *call, uint32_t level)
{
    WindowAggregate *aggregate = call->aggregate;
    for (uint64_t i = 0; i < aggregate->levels[level].count; i++) {
        byte *state = level_state(aggregate, level, i);
        if (level == 0) {
            const uint64_t start = window->rows.start + i * LEAF;
            TRY(feed_rows(window, call, start, start + LEAF, state));
            continue;
        }
        for (uint64_t k = 0; k < FAN_OUT; k++)
            TRY(aggregate->function->combine(call->call, state,
                                             level_state(aggregate, level - 1, i * FAN_OUT + k)));
    }
    return true;
}

static bool tree_make(Window *window, WindowCallState *call)
{
    WindowAggregate *aggregate = call->aggregate;
    const size_t size = ALIGN_UP(aggregate->function->state_size, (size_t)16);
    uint64_t count = (window->rows.end - window->rows.start) / LEAF;
    Arena *saved = call->call->state_arena;
    bool done = true;
    call->call->state_arena = aggregate->tree_arena;
    for (uint32_t level = 0; done && count > 0 && level < LEVELS; level++, count /= FAN_OUT) {
        aggregate->levels[level].count = count;
        aggregate->levels[level].states = arena_alloc_zeroed(aggregate->tree_arena, count * size);
        aggregate->level_count = level + 1;
        done = level_fill(window, call, level);
    }
    call->call->state_arena = saved;
    return done;
}

/* States first … last - 1 of a level into the state, through the level above where it can. */
static bool feed_states(WindowCallState *call, uint32_t level, uint64_t first, uint64_t last)
{
    WindowAggregate *aggregate = call->aggregate;
    const uint64_t above_first = (first + FAN_OUT - 1) / FAN_OUT, above_last = last / FAN_OUT;
    const bool climbs = level + 1 < aggregate->level_count && above_first < above_last;
    const uint64_t pause = climbs ? above_first * FAN_OUT : last;
    for (uint64_t i = first; i < pause; i++)
        TRY(aggregate->function->combine(call->call, aggregate->state,
                                         level_state(aggregate, level, i)));
    if (!climbs)
        return true;
    TRY(feed_states(call, level + 1, above_first, above_last));
    for (uint64_t i = above_last * FAN_OUT; i < last; i++)
        TRY(aggregate->function->combine(call->call, aggregate->state,
                                         level_state(aggregate, level, i)));
    return true;
}

static bool feed_range(Window *window, WindowCallState *call, WindowRange range)
{
    WindowAggregate *aggregate = call->aggregate;
    if (!aggregate->can_combine || range.end - range.start < TREE_MINIMUM)
        return feed_rows(window, call, range.start, range.end, aggregate->state);
    if (aggregate->level_count == 0)
        TRY(tree_make(window, call));
    const uint64_t base = window->rows.start;
    const uint64_t first = (range.start - base + LEAF - 1) / LEAF, last = (range.end - base) / LEAF;
    TRY(feed_rows(window, call, range.start, base + first * LEAF, aggregate->state));
    TRY(feed_states(call, 0, first, last));
    return feed_rows(window, call, base + last * LEAF, range.end, aggregate->state);
}

/* ---- the value ---- */

static bool same_frame(const WindowFrame *a, const WindowFrame *b)
{
    return a->count == b->count &&
           memcmp(a->ranges, b->ranges, a->count * sizeof(WindowRange)) == 0;
}

/* Is `to` what `from` is, with more rows at its end? */
static bool frame_grows(const WindowFrame *from, const WindowFrame *to)
{
    if (from->count > to->count)
        return false;
    for (uint32_t i = 0; i < from->count; i++) {
        const bool is_last = i + 1 == from->count;
        if (from->ranges[i].start != to->ranges[i].start ||
            (is_last ? from->ranges[i].end > to->ranges[i].end
                     : from->ranges[i].end != to->ranges[i].end))
            return false;
    }
    return true;
}

static bool state_move(Window *window, WindowCallState *call)
{
    WindowAggregate *aggregate = call->aggregate;
    const WindowFrame *to = &window->frame;
    call->call->state_arena = aggregate->arena;
    if (aggregate->has_state && frame_grows(&aggregate->frame, to)) {
        const uint32_t known = aggregate->frame.count;
        for (uint32_t i = known ? known - 1 : 0; i < to->count; i++) {
            const uint64_t start = i < known ? aggregate->frame.ranges[i].end : to->ranges[i].start;
            TRY(feed_rows(window, call, start, to->ranges[i].end, aggregate->state));
        }
    } else {
        state_clear(aggregate);
        for (uint32_t i = 0; i < to->count; i++)
            TRY(feed_range(window, call, to->ranges[i]));
    }
    aggregate->frame = *to;
    aggregate->has_value = false;
    return true;
}

bool window_aggregate_value(Window *window, WindowCallState *call, Value *ret, bool *ret_null)
{
    WindowAggregate *aggregate = call->aggregate;
    if (!aggregate->has_state || !same_frame(&aggregate->frame, &window->frame))
        TRY(state_move(window, call));
    if (!aggregate->has_value) {
        aggregate->value = (Value){0};
        aggregate->value_null = false;
        TRY(aggregate->function->final(call->call, aggregate->state, &aggregate->value,
                                       &aggregate->value_null));
        aggregate->has_value = true;
    }
    *ret = aggregate->value;
    *ret_null = aggregate->value_null;
    return true;
}
