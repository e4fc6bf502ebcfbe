#include "executor/window_function.h"

#include "parser/ast_query.h"

/*
 * Frames: which rows of the partition a row's aggregates see. Both ends only move forward while
 * the row does, so that RANGE with offsets costs a comparison a row.
 */

#define EXCLUSIONS                                                                                 \
    (FRAMEOPTION_EXCLUDE_CURRENT_ROW | FRAMEOPTION_EXCLUDE_GROUP | FRAMEOPTION_EXCLUDE_TIES)
#define START_OFFSET (FRAMEOPTION_START_OFFSET_PRECEDING | FRAMEOPTION_START_OFFSET_FOLLOWING)
#define END_OFFSET (FRAMEOPTION_END_OFFSET_PRECEDING | FRAMEOPTION_END_OFFSET_FOLLOWING)

static FunctionCall *in_range_call(Window *window, Oid function, const Expr *offset)
{
    assert(offset);
    const Oid key = window->order_types[0];
    const Oid types[] = {key, key, offset->type, TYPE_BOOL, TYPE_BOOL};
    return expr_new_call(window->base.exec, &(CallSite){.function = function,
                                                        .arg_types = types,
                                                        .arg_count = ARRAY_LENGTH(types),
                                                        .result_type = TYPE_BOOL});
}

bool window_frame_init(Window *window)
{
    const WindowPlan *plan = window->plan;
    ExecState *exec = window->base.exec;
    Expr *exprs[2];
    uint32_t count = 0;
    if (plan->start_offset)
        exprs[count++] = plan->start_offset;
    if (plan->end_offset)
        exprs[count++] = plan->end_offset;
    window->has_exclusion = plan->frame_options & EXCLUSIONS;
    if (count > 0)
        TRY(window->offsets = expr_compile(exec, exec->run_arena, exprs, count));
    if (plan->start_in_range)
        TRY(window->start_in_range =
                in_range_call(window, plan->start_in_range, plan->start_offset));
    if (plan->end_in_range)
        TRY(window->end_in_range = in_range_call(window, plan->end_in_range, plan->end_offset));
    return true;
}

static bool offset_take(Window *window, uint32_t index, bool is_start, int64_t *ret_count,
                        Value *ret_value)
{
    const Vector *vector = window->offsets->results[index];
    const char *end = is_start ? "starting" : "ending";
    bool is_null;
    vector_get(vector, 0, ret_value, &is_null);
    if (is_null)
        FAIL(ERR_NULL_VALUE_NOT_ALLOWED, .message = fmt("frame %s offset must not be null", end));
    if (window->plan->frame_options & FRAMEOPTION_RANGE)
        return true;
    if (ret_value->int64 < 0)
        FAIL(ERR_INVALID_PRECEDING_OR_FOLLOWING_SIZE,
             .message = fmt("frame %s offset must not be negative", end));
    *ret_count = ret_value->int64;
    return true;
}

bool window_frame_begin(Window *window)
{
    const WindowPlan *plan = window->plan;
    if (window->offsets_known || !window->offsets)
        return true;
    TRY(expr_run_scalar(window->offsets));
    if (plan->start_offset)
        TRY(offset_take(window, 0, true, &window->start_offset, &window->start_value));
    if (plan->end_offset)
        TRY(offset_take(window, plan->start_offset ? 1 : 0, false, &window->end_offset,
                        &window->end_value));
    window->offsets_known = true;
    return true;
}

void window_frame_partition(Window *window)
{
    window->range_head = window->range_tail = window->rows.start;
}

/* ---- ROWS and GROUPS ---- */

static uint64_t row_before(const Window *window, uint64_t row, int64_t offset)
{
    return row - window->rows.start > (uint64_t)offset ? row - (uint64_t)offset
                                                       : window->rows.start;
}

static uint64_t row_after(const Window *window, uint64_t row, int64_t offset)
{
    return window->rows.end - row > (uint64_t)offset ? row + (uint64_t)offset : window->rows.end;
}

/* The first row of the group so many before (or after) the row's own; past the last: the end. */
static uint64_t group_start(const Window *window, int64_t offset, bool is_after, bool *ret_before)
{
    const uint64_t first = window->partition_group.items[window->partition];
    const uint64_t last = window->partition + 1 < window->partition_group.length
                              ? window->partition_group.items[window->partition + 1]
                              : window->groups.length;
    *ret_before = false;
    if (is_after) {
        if (last - window->group <= (uint64_t)offset)
            return window->rows.end;
        return window->groups.items[window->group + (uint64_t)offset];
    }
    if (window->group - first < (uint64_t)offset) {
        *ret_before = true;
        return window->rows.start;
    }
    return window->groups.items[window->group - (uint64_t)offset];
}

static uint64_t group_end(const Window *window, int64_t offset, bool is_after)
{
    bool before;
    const uint64_t start = group_start(window, offset, is_after, &before);
    if (before)
        return window->rows.start;
    if (start == window->rows.end)
        return start;
    const uint64_t group =
        is_after ? window->group + (uint64_t)offset : window->group - (uint64_t)offset;
    return group + 1 < window->groups.length
               ? MIN(window->groups.items[group + 1], window->rows.end)
               : window->rows.end;
}

/* ---- RANGE with offsets ---- */

/*
 * Is the row at `row` on this side of the edge for the row at hand? For a head: still before the
 * frame; for a tail: not past it. Nulls are peers of nulls alone, beyond every value.
 */
static bool range_continues(Window *window, uint64_t row, bool is_head, bool *ret_continues)
{
    const WindowPlan *plan = window->plan;
    const SortKey *key = &plan->order_by.items[0];
    Value values[5] = {0};
    bool nulls[5] = {false};
    TRY(window_value(window, window->order_column, row, &values[0], &nulls[0]));
    TRY(window_value(window, window->order_column, window->row, &values[1], &nulls[1]));
    if (nulls[0] || nulls[1]) {
        if (is_head)
            *ret_continues = key->nulls_first ? nulls[0] && !nulls[1] : !nulls[0] && nulls[1];
        else
            *ret_continues = key->nulls_first ? nulls[0] || !nulls[1] : !nulls[0] || nulls[1];
        return true;
    }
    const int preceding =
        is_head ? FRAMEOPTION_START_OFFSET_PRECEDING : FRAMEOPTION_END_OFFSET_PRECEDING;
    const bool subtracts = (plan->frame_options & preceding) != 0;
    values[2] = is_head ? window->start_value : window->end_value;
    values[3].boolean = subtracts != key->is_descending;
    values[4].boolean = is_head == key->is_descending; /* less: towards the tail, ascending */
    FunctionCall *call = is_head ? window->start_in_range : window->end_in_range;
    Value inside = {0};
    bool is_null;
    call->arena = window->base.scratch;
    TRY(function_call(call, values, nulls, &inside, &is_null));
    *ret_continues = inside.boolean != is_head;
    return true;
}

static bool range_move(Window *window, bool is_head, uint64_t *at)
{
    while (*at < window->rows.end) {
        bool continues;
        TRY(range_continues(window, *at, is_head, &continues));
        if (!continues)
            break;
        ++*at;
        if (*at % VECTOR_SIZE == 0)
            CHECK_INTERRUPTS();
    }
    return true;
}

/* ---- the frame ---- */

static bool start_move(Window *window)
{
    const int options = window->plan->frame_options;
    bool before;
    if (options & FRAMEOPTION_START_UNBOUNDED_PRECEDING) {
        window->frame_start = window->rows.start;
    } else if (options & FRAMEOPTION_START_UNBOUNDED_FOLLOWING) {
        window->frame_start = window->rows.end;
    } else if (options & FRAMEOPTION_START_CURRENT_ROW) {
        window->frame_start = options & FRAMEOPTION_ROWS ? window->row : window->peers.start;
    } else if (options & FRAMEOPTION_ROWS) {
        window->frame_start = options & FRAMEOPTION_START_OFFSET_PRECEDING
                                  ? row_before(window, window->row, window->start_offset)
                                  : row_after(window, window->row, window->start_offset);
    } else if (options & FRAMEOPTION_GROUPS) {
        window->frame_start =
            group_start(window, window->start_offset,
                        (options & FRAMEOPTION_START_OFFSET_FOLLOWING) != 0, &before);
    } else {
        TRY(range_move(window, true, &window->range_head));
        window->frame_start = window->range_head;
    }
    return true;
}

static uint64_t rows_end(const Window *window)
{
    const int64_t offset = window->end_offset;
    if (window->plan->frame_options & FRAMEOPTION_END_OFFSET_FOLLOWING)
        return offset == INT64_MAX ? window->rows.end : row_after(window, window->row, offset + 1);
    const uint64_t before = window->row - window->rows.start;
    return before < (uint64_t)offset ? window->rows.start : window->row - (uint64_t)offset + 1;
}

static bool end_move(Window *window)
{
    const int options = window->plan->frame_options;
    if (options & FRAMEOPTION_END_UNBOUNDED_FOLLOWING) {
        window->frame_end = window->rows.end;
    } else if (options & FRAMEOPTION_END_UNBOUNDED_PRECEDING) {
        window->frame_end = window->rows.start;
    } else if (options & FRAMEOPTION_END_CURRENT_ROW) {
        window->frame_end = options & FRAMEOPTION_ROWS ? window->row + 1 : window->peers.end;
    } else if (options & FRAMEOPTION_ROWS) {
        window->frame_end = rows_end(window);
    } else if (options & FRAMEOPTION_GROUPS) {
        window->frame_end = group_end(window, window->end_offset,
                                      (options & FRAMEOPTION_END_OFFSET_FOLLOWING) != 0);
    } else {
        TRY(range_move(window, false, &window->range_tail));
        window->frame_end = window->range_tail;
    }
    return true;
}

static void range_add(WindowFrame *frame, uint64_t start, uint64_t end)
{
    if (start < end)
        frame->ranges[frame->count++] = (WindowRange){start, end};
}

bool window_frame_move(Window *window)
{
    const int options = window->plan->frame_options;
    TRY(start_move(window));
    TRY(end_move(window));
    const uint64_t start = window->frame_start, end = window->frame_end;
    WindowFrame *frame = &window->frame;
    frame->count = 0;
    if (!window->has_exclusion) {
        range_add(frame, start, end);
        return true;
    }
    WindowRange gap = window->peers;
    if (options & FRAMEOPTION_EXCLUDE_CURRENT_ROW)
        gap = (WindowRange){window->row, window->row + 1};
    range_add(frame, start, MIN(end, gap.start));
    if ((options & FRAMEOPTION_EXCLUDE_TIES) && window->row >= start && window->row < end)
        range_add(frame, window->row, window->row + 1);
    range_add(frame, MAX(start, gap.end), end);
    return true;
}
