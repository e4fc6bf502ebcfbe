#include "executor/window_function.h"

/* The window functions that are no aggregates: by position, by rank, by row of the frame. */

static uint64_t row_in_partition(const Window *window)
{
    return window->row - window->rows.start;
}

static uint64_t partition_size(const Window *window)
{
    return window->rows.end - window->rows.start;
}

WINDOW_FUNCTION(window_row_number, WINDOW_BEFORE)
{
    ret->int64 = (int64_t)row_in_partition(window) + 1;
    return true;
}

WINDOW_FUNCTION(window_rank, WINDOW_BEFORE)
{
    ret->int64 = (int64_t)(window->peers.start - window->rows.start) + 1;
    return true;
}

WINDOW_FUNCTION(window_dense_rank, WINDOW_BEFORE)
{
    ret->int64 = (int64_t)(window->group - window->partition_group.items[window->partition]) + 1;
    return true;
}

WINDOW_FUNCTION(window_percent_rank, WINDOW_PARTITION)
{
    const uint64_t size = partition_size(window);
    const uint64_t before = window->peers.start - window->rows.start;
    ret->float64 = size > 1 ? (double)before / (double)(size - 1) : 0;
    return true;
}

WINDOW_FUNCTION(window_cume_dist, WINDOW_PARTITION)
{
    const uint64_t through = window->peers.end - window->rows.start;
    ret->float64 = (double)through / (double)partition_size(window);
    return true;
}

WINDOW_FUNCTION(window_ntile, WINDOW_PARTITION)
{
    Value buckets;
    /* The first row of the partition decides. */
    TRY(window_argument(window, call, 0, window->rows.start, &buckets, ret_null));
    if (*ret_null)
        return true;
    if (buckets.int32 <= 0)
        FAIL(ERR_INVALID_ARGUMENT_FOR_NTILE,
             .message = STR("argument of ntile must be greater than zero"));
    const uint64_t size = partition_size(window), count = (uint64_t)buckets.int32;
    const uint64_t row = row_in_partition(window);
    /* The first size % count buckets have a row more than the others. */
    const uint64_t less = size / count, larger = size % count, edge = larger * (less + 1);
    const uint64_t bucket =
        row < edge ? row / (less + 1) : larger + (less ? (row - edge) / less : 0);
    ret->int32 = (int32_t)bucket + 1;
    return true;
}

/* lag and lead: `direction` times the offset away, the default beyond the partition. */
static bool row_away(Window *window, WindowCallState *call, int direction, bool has_offset,
                     bool has_default, Value *ret, bool *ret_null)
{
    int64_t offset = 1;
    if (has_offset) {
        Value value;
        TRY(window_argument(window, call, 1, window->row, &value, ret_null));
        if (*ret_null)
            return true;
        offset = value.int32;
    }
    const int64_t at = (int64_t)window->row + direction * offset;
    if (at >= (int64_t)window->rows.start && at < (int64_t)window->rows.end)
        return window_argument(window, call, 0, (uint64_t)at, ret, ret_null);
    if (has_default)
        return window_argument(window, call, 2, window->row, ret, ret_null);
    *ret_null = true;
    return true;
}

WINDOW_FUNCTION(window_lag, WINDOW_BEFORE)
{
    return row_away(window, call, -1, false, false, ret, ret_null);
}

WINDOW_FUNCTION(window_lag_with_offset, WINDOW_PARTITION)
{
    return row_away(window, call, -1, true, false, ret, ret_null);
}

WINDOW_FUNCTION(window_lag_with_offset_and_default, WINDOW_PARTITION)
{
    return row_away(window, call, -1, true, true, ret, ret_null);
}

WINDOW_FUNCTION(window_lead, WINDOW_PARTITION)
{
    return row_away(window, call, 1, false, false, ret, ret_null);
}

WINDOW_FUNCTION(window_lead_with_offset, WINDOW_PARTITION)
{
    return row_away(window, call, 1, true, false, ret, ret_null);
}

WINDOW_FUNCTION(window_lead_with_offset_and_default, WINDOW_PARTITION)
{
    return row_away(window, call, 1, true, true, ret, ret_null);
}

WINDOW_FUNCTION(window_first_value, WINDOW_FRAME)
{
    const WindowFrame *frame = &window->frame;
    *ret_null = frame->count == 0;
    return *ret_null || window_argument(window, call, 0, frame->ranges[0].start, ret, ret_null);
}

WINDOW_FUNCTION(window_last_value, WINDOW_FRAME)
{
    const WindowFrame *frame = &window->frame;
    *ret_null = frame->count == 0;
    return *ret_null ||
           window_argument(window, call, 0, frame->ranges[frame->count - 1].end - 1, ret, ret_null);
}

WINDOW_FUNCTION(window_nth_value, WINDOW_FRAME)
{
    Value nth;
    TRY(window_argument(window, call, 1, window->row, &nth, ret_null));
    if (*ret_null)
        return true;
    if (nth.int32 <= 0)
        FAIL(ERR_INVALID_ARGUMENT_FOR_NTH_VALUE,
             .message = STR("argument of nth_value must be greater than zero"));
    uint64_t left = (uint64_t)nth.int32 - 1;
    for (uint32_t i = 0; i < window->frame.count; i++) {
        const WindowRange range = window->frame.ranges[i];
        if (left < range.end - range.start)
            return window_argument(window, call, 0, range.start + left, ret, ret_null);
        left -= range.end - range.start;
    }
    *ret_null = true;
    return true;
}
