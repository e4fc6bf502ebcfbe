/* Clocks, casts and arithmetic of dates, times, timestamps and intervals. */
#include <math.h>
#include <stdlib.h>

#include "types/datetime_internal.h"

#define FAIL_DATE_RANGE() FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = STR("date out of range"))

/* Clocks. */

FUNCTION(now)
{
    ret->int64 = clock_transaction(call);
    return true;
}
FUNCTION(statement_timestamp)
{
    ret->int64 = call->statement_time ? call->statement_time : clock_transaction(call);
    return true;
}
FUNCTION(clock_timestamp)
{
    ret->int64 = timestamp_now();
    return true;
}

/* Casts. */

bool date_to_timestamp(int32_t date, int64_t *ret)
{
    if (!date_is_finite(date)) {
        *ret = date == DATE_INFINITY ? TIMESTAMP_INFINITY : TIMESTAMP_MINUS_INFINITY;
        return true;
    }
    if (__builtin_mul_overflow((int64_t)date, USECS_PER_DAY, ret) || !timestamp_in_range(*ret))
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = STR("date out of range for timestamp"));
    return true;
}

static int64_t floor_days(int64_t timestamp)
{
    return timestamp / USECS_PER_DAY - (timestamp % USECS_PER_DAY < 0);
}

static int32_t timestamp_date_of(int64_t timestamp)
{
    if (!timestamp_is_finite(timestamp))
        return timestamp == TIMESTAMP_INFINITY ? DATE_INFINITY : DATE_MINUS_INFINITY;
    return (int32_t)floor_days(timestamp);
}

static bool zoned(int64_t local, int64_t *ret)
{
    *ret = local;
    return timestamp_is_finite(local) ? timestamp_from_local(local, timezone_session(), ret) : true;
}

static bool unzoned(int64_t timestamptz, int64_t *ret)
{
    *ret = timestamptz;
    return timestamp_is_finite(timestamptz)
               ? timestamp_to_local(timestamptz, timezone_session(), ret)
               : true;
}

/* Infinity as it is. */
static int64_t session_clock(int64_t timestamptz)
{
    return timestamp_is_finite(timestamptz) ? timestamp_local_clock(timestamptz, timezone_session())
                                            : timestamptz;
}

FUNCTION(date_timestamp)
{
    return date_to_timestamp(args[0].int32, &ret->int64);
}
FUNCTION(date_timestamptz)
{
    int64_t local;
    TRY(date_to_timestamp(args[0].int32, &local));
    if (zoned(local, &ret->int64))
        return true;
    error_clear();
    FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = STR("date out of range for timestamp"));
}
FUNCTION(timestamp_date)
{
    ret->int32 = timestamp_date_of(args[0].int64);
    return true;
}
FUNCTION(timestamptz_date)
{
    ret->int32 = timestamp_date_of(session_clock(args[0].int64));
    return true;
}
FUNCTION(timestamp_timestamptz)
{
    return zoned(args[0].int64, &ret->int64);
}
FUNCTION(timestamptz_timestamp)
{
    return unzoned(args[0].int64, &ret->int64);
}

static int64_t time_of_day(int64_t timestamp)
{
    return timestamp - floor_days(timestamp) * USECS_PER_DAY;
}

FUNCTION(timestamp_time)
{
    *ret_null = !timestamp_is_finite(args[0].int64);
    ret->int64 = time_of_day(args[0].int64);
    return true;
}

FUNCTION(timestamptz_time)
{
    *ret_null = !timestamp_is_finite(args[0].int64);
    ret->int64 = time_of_day(session_clock(args[0].int64));
    return true;
}

FUNCTION(timestamptz_timetz)
{
    *ret_null = !timestamp_is_finite(args[0].int64);
    if (*ret_null)
        return true;
    ret->timetz =
        (TimeTz){.microseconds = time_of_day(session_clock(args[0].int64)),
                 .zone = -timezone_offset_at(timezone_session(), args[0].int64, NULL, NULL)};
    return true;
}

FUNCTION(time_interval)
{
    ret->interval = (Interval){.microseconds = args[0].int64};
    return true;
}

FUNCTION(interval_time)
{
    int64_t time = args[0].interval.microseconds % USECS_PER_DAY;
    ret->int64 = time < 0 ? time + USECS_PER_DAY : time;
    return true;
}

FUNCTION(timetz_time)
{
    ret->int64 = args[0].timetz.microseconds;
    return true;
}

FUNCTION(time_timetz)
{
    const int32_t offset =
        timezone_offset_at(timezone_session(), clock_transaction(call), NULL, NULL);
    ret->timetz = (TimeTz){.microseconds = args[0].int64, .zone = -offset};
    return true;
}

/* Length coercions. */
FUNCTION(timestamp_scale)
{
    if (timestamp_is_finite(args[0].int64) && (args[1].int32 > 6 || args[1].int32 < -1))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("timestamp(%d) precision must be between 0 and 6", args[1].int32));
    ret->int64 = timestamp_is_finite(args[0].int64) ? timestamp_round(args[0].int64, args[1].int32)
                                                    : args[0].int64;
    return true;
}
FUNCTION(timestamptz_scale)
{
    return fn_timestamp_scale(call, args, nulls, ret, ret_null);
}
FUNCTION(time_scale)
{
    ret->int64 = timestamp_round(args[0].int64, args[1].int32);
    return true;
}
FUNCTION(timetz_scale)
{
    *ret = args[0];
    ret->timetz.microseconds = timestamp_round(args[0].timetz.microseconds, args[1].int32);
    return true;
}
FUNCTION(interval_scale)
{
    *ret = args[0];
    return interval_apply_typmod(args[1].int32, &ret->interval);
}

/* Cross-type comparisons: everything as an instant. Dates beyond timestamps stay beyond. */
static int64_t instant_of_date(int32_t date, bool with_zone)
{
    int64_t value;
    if (!date_to_timestamp(date, &value)) {
        error_clear();
        return date > 0 ? TIMESTAMP_INFINITY - 1 : TIMESTAMP_MINUS_INFINITY + 1;
    }
    if (with_zone && !zoned(value, &value))
        error_clear();
    return value;
}

static int64_t instant_of_local(int64_t timestamp)
{
    int64_t value;
    if (!zoned(timestamp, &value)) {
        error_clear();
        return timestamp;
    }
    return value;
}

#define COMPARE_AS(infix, symbol, left, right)                                                     \
    FUNCTION(infix##_eq_##symbol)                                                                  \
    {                                                                                              \
        ret->boolean = (left) == (right);                                                          \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(infix##_ne_##symbol)                                                                  \
    {                                                                                              \
        ret->boolean = (left) != (right);                                                          \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(infix##_lt_##symbol)                                                                  \
    {                                                                                              \
        ret->boolean = (left) < (right);                                                           \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(infix##_le_##symbol)                                                                  \
    {                                                                                              \
        ret->boolean = (left) <= (right);                                                          \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(infix##_gt_##symbol)                                                                  \
    {                                                                                              \
        ret->boolean = (left) > (right);                                                           \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(infix##_ge_##symbol)                                                                  \
    {                                                                                              \
        ret->boolean = (left) >= (right);                                                          \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(infix##_cmp_##symbol)                                                                 \
    {                                                                                              \
        const int64_t a = (left), b = (right);                                                     \
        ret->int32 = (a > b) - (a < b);                                                            \
        return true;                                                                               \
    }
COMPARE_AS(date, timestamp, instant_of_date(args[0].int32, false), args[1].int64)
COMPARE_AS(timestamp, date, args[0].int64, instant_of_date(args[1].int32, false))
COMPARE_AS(date, timestamptz, instant_of_date(args[0].int32, true), args[1].int64)
COMPARE_AS(timestamptz, date, args[0].int64, instant_of_date(args[1].int32, true))
COMPARE_AS(timestamp, timestamptz, instant_of_local(args[0].int64), args[1].int64)
COMPARE_AS(timestamptz, timestamp, args[0].int64, instant_of_local(args[1].int64))

/* date ± days */

static bool date_shift(int32_t date, int64_t by, int32_t *ret)
{
    if (!date_is_finite(date)) {
        *ret = date;
        return true;
    }
    const int64_t shifted = date + by;
    if (shifted < DATE_FIRST || shifted >= DATE_END)
        FAIL_DATE_RANGE();
    *ret = (int32_t)shifted;
    return true;
}

FUNCTION(date_pli)
{
    return date_shift(args[0].int32, args[1].int32, &ret->int32);
}
FUNCTION(date_mii)
{
    return date_shift(args[0].int32, -(int64_t)args[1].int32, &ret->int32);
}
/* integer + date */
FUNCTION(sql_2550)
{
    return date_shift(args[1].int32, args[0].int32, &ret->int32);
}

FUNCTION(date_mi)
{
    if (!date_is_finite(args[0].int32) || !date_is_finite(args[1].int32))
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = STR("cannot subtract infinite dates"));
    ret->int32 = args[0].int32 - args[1].int32;
    return true;
}

FUNCTION(datetime_timestamp)
{
    TRY(date_to_timestamp(args[0].int32, &ret->int64));
    if (!timestamp_is_finite(ret->int64))
        return true;
    ret->int64 += args[1].int64;
    if (!timestamp_in_range(ret->int64))
        FAIL_TIMESTAMP_RANGE();
    return true;
}

FUNCTION(datetimetz_timestamptz)
{
    TRY(date_to_timestamp(args[0].int32, &ret->int64));
    if (!timestamp_is_finite(ret->int64))
        return true;
    ret->int64 += args[1].timetz.microseconds + args[1].timetz.zone * USECS_PER_SEC;
    if (!timestamp_in_range(ret->int64))
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = STR("date out of range for timestamp"));
    return true;
}

/* time + date */
FUNCTION(sql_1296)
{
    const Value swapped[] = {args[1], args[0]};
    return fn_datetime_timestamp(call, swapped, nulls, ret, ret_null);
}

FUNCTION(sql_1298)
{
    const Value swapped[] = {args[1], args[0]};
    return fn_datetimetz_timestamptz(call, swapped, nulls, ret, ret_null);
}

/* timestamp ± interval: months, then days, then time. */

/* The result may lie beyond timestamps' range. */
static bool clock_add_days(int64_t clock, int32_t add_months, int32_t add_days, int64_t *ret)
{
    Fields f;
    fields_from_timestamp(clock, &f);
    const int64_t months = f.year * 12 + f.month - 1 + add_months;
    f.year = months >= 0 ? months / 12 : -((-months + 11) / 12);
    f.month = (int)(months - f.year * 12) + 1;
    f.day = MIN(f.day, days_in_month(f.year, f.month));
    const int64_t days = days_from_civil(f.year, f.month, f.day) + add_days;
    if (__builtin_mul_overflow(days, USECS_PER_DAY, ret) ||
        __builtin_add_overflow(*ret, fields_time(&f), ret))
        FAIL_TIMESTAMP_RANGE();
    return true;
}

bool timestamp_add_interval(int64_t timestamp, const Interval *i, int64_t *ret)
{
    *ret = timestamp;
    if (!timestamp_is_finite(timestamp))
        return true;
    /* What is between must be a timestamp too. */
    if (i->months != 0)
        TRY(clock_add_days(timestamp, i->months, 0, ret));
    if (timestamp_in_range(*ret) && i->days != 0)
        TRY(clock_add_days(*ret, 0, i->days, ret));
    if (!timestamp_in_range(*ret))
        FAIL_TIMESTAMP_RANGE();
    if (__builtin_add_overflow(*ret, i->microseconds, ret) || !timestamp_in_range(*ret))
        FAIL_TIMESTAMP_RANGE();
    return true;
}

/* Months and days move the local clock; time moves the instant. */
bool timestamptz_add_interval(int64_t timestamptz, const Interval *i, int64_t *ret)
{
    *ret = timestamptz;
    if (!timestamp_is_finite(timestamptz))
        return true;
    /* Each step is an instant: what is between must be one too. */
    const Interval steps[] = {{.months = i->months}, {.days = i->days}};
    for (size_t s = 0; s < ARRAY_LENGTH(steps); s++) {
        int64_t clock = session_clock(*ret);
        if (steps[s].months == 0 && steps[s].days == 0)
            continue;
        TRY(clock_add_days(clock, steps[s].months, steps[s].days, &clock));
        TRY(timestamp_from_local(clock, timezone_session(), ret));
    }
    if (__builtin_add_overflow(*ret, i->microseconds, ret) || !timestamp_in_range(*ret))
        FAIL_TIMESTAMP_RANGE();
    return true;
}

bool interval_negate(const Interval *i, Interval *ret)
{
    if (__builtin_sub_overflow(0, i->months, &ret->months) ||
        __builtin_sub_overflow(0, i->days, &ret->days) ||
        __builtin_sub_overflow(0, i->microseconds, &ret->microseconds))
        FAIL_INTERVAL_RANGE();
    return true;
}

#define SHIFT_FUNCTIONS(type)                                                                      \
    FUNCTION(type##_pl_interval)                                                                   \
    {                                                                                              \
        return type##_add_interval(args[0].int64, &args[1].interval, &ret->int64);                 \
    }                                                                                              \
    FUNCTION(type##_mi_interval)                                                                   \
    {                                                                                              \
        Interval back;                                                                             \
        TRY(interval_negate(&args[1].interval, &back));                                            \
        return type##_add_interval(args[0].int64, &back, &ret->int64);                             \
    }
SHIFT_FUNCTIONS(timestamp)
SHIFT_FUNCTIONS(timestamptz)

FUNCTION(date_pl_interval)
{
    int64_t timestamp;
    TRY(date_to_timestamp(args[0].int32, &timestamp));
    return timestamp_add_interval(timestamp, &args[1].interval, &ret->int64);
}

FUNCTION(date_mi_interval)
{
    int64_t timestamp;
    Interval back;
    TRY(date_to_timestamp(args[0].int32, &timestamp));
    TRY(interval_negate(&args[1].interval, &back));
    return timestamp_add_interval(timestamp, &back, &ret->int64);
}

static int64_t time_wrap(int64_t time)
{
    time %= USECS_PER_DAY;
    return time < 0 ? time + USECS_PER_DAY : time;
}

FUNCTION(time_pl_interval)
{
    ret->int64 = time_wrap(args[0].int64 + args[1].interval.microseconds % USECS_PER_DAY);
    return true;
}

FUNCTION(time_mi_interval)
{
    ret->int64 = time_wrap(args[0].int64 - args[1].interval.microseconds % USECS_PER_DAY);
    return true;
}

FUNCTION(timetz_pl_interval)
{
    *ret = args[0];
    ret->timetz.microseconds =
        time_wrap(args[0].timetz.microseconds + args[1].interval.microseconds % USECS_PER_DAY);
    return true;
}

FUNCTION(timetz_mi_interval)
{
    *ret = args[0];
    ret->timetz.microseconds =
        time_wrap(args[0].timetz.microseconds - args[1].interval.microseconds % USECS_PER_DAY);
    return true;
}

/* interval + x, written in SQL in PostgreSQL */
#define SWAPPED(symbol, target)                                                                    \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        const Value swapped[] = {args[1], args[0]};                                                \
        return target(call, swapped, nulls, ret, ret_null);                                        \
    }
SWAPPED(sql_1848, fn_time_pl_interval)
SWAPPED(sql_2546, fn_date_pl_interval)
SWAPPED(sql_2547, fn_timetz_pl_interval)
SWAPPED(sql_2548, fn_timestamp_pl_interval)
SWAPPED(sql_2549, fn_timestamptz_pl_interval)

FUNCTION(time_mi_time)
{
    ret->interval = (Interval){.microseconds = args[0].int64 - args[1].int64};
    return true;
}

/* Differences are in days and time; whole days of 24 hours. */
FUNCTION(timestamp_mi)
{
    int64_t difference;
    if (!timestamp_is_finite(args[0].int64) || !timestamp_is_finite(args[1].int64))
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE,
             .message = STR("cannot subtract infinite timestamps"));
    if (__builtin_sub_overflow(args[0].int64, args[1].int64, &difference))
        FAIL_INTERVAL_RANGE();
    ret->interval = (Interval){.microseconds = difference % USECS_PER_DAY,
                               .days = (int32_t)(difference / USECS_PER_DAY)};
    return true;
}

/* Intervals among themselves. */

FUNCTION(interval_um)
{
    return interval_negate(&args[0].interval, &ret->interval);
}

bool interval_plus(const Interval *a, const Interval *b, Interval *ret)
{
    if (__builtin_add_overflow(a->months, b->months, &ret->months) ||
        __builtin_add_overflow(a->days, b->days, &ret->days) ||
        __builtin_add_overflow(a->microseconds, b->microseconds, &ret->microseconds))
        FAIL_INTERVAL_RANGE();
    return true;
}

bool interval_minus(const Interval *a, const Interval *b, Interval *ret)
{
    if (__builtin_sub_overflow(a->months, b->months, &ret->months) ||
        __builtin_sub_overflow(a->days, b->days, &ret->days) ||
        __builtin_sub_overflow(a->microseconds, b->microseconds, &ret->microseconds))
        FAIL_INTERVAL_RANGE();
    return true;
}

FUNCTION(interval_pl)
{
    return interval_plus(&args[0].interval, &args[1].interval, &ret->interval);
}

FUNCTION(interval_mi)
{
    return interval_minus(&args[0].interval, &args[1].interval, &ret->interval);
}

static double round_to_micro(double value)
{
    return rint(value * 1e6) / 1e6;
}

bool interval_scale(const Interval *i, double factor, double divisor, Interval *ret)
{
    const bool divide = divisor != 0;
    const double months = divide ? i->months / divisor : i->months * factor;
    const double days = divide ? i->days / divisor : i->days * factor;
    const double time =
        divide ? (double)i->microseconds / divisor : (double)i->microseconds * factor;
    if (!(fabs(months) <= INT32_MAX) || !(fabs(days) <= INT32_MAX))
        FAIL_INTERVAL_RANGE();
    ret->months = (int32_t)months;
    ret->days = (int32_t)days;
    /* What is left of a month counts as 30 days, of a day as seconds. */
    double month_days = round_to_micro((months - ret->months) * 30);
    double seconds = (days - ret->days + month_days - (int32_t)month_days) * 86400;
    seconds = round_to_micro(seconds);
    if (fabs(seconds) >= 86400) {
        const int32_t more = (int32_t)(seconds / 86400);
        ret->days += more;
        seconds -= more * 86400.0;
    }
    if (__builtin_add_overflow(ret->days, (int32_t)month_days, &ret->days))
        FAIL_INTERVAL_RANGE();
    const double total = rint(time + seconds * 1e6);
    if (!(total >= -0x1p63 && total < 0x1p63))
        FAIL_INTERVAL_RANGE();
    ret->microseconds = (int64_t)total;
    return true;
}

FUNCTION(interval_mul)
{
    return interval_scale(&args[0].interval, args[1].float64, 0, &ret->interval);
}

FUNCTION(mul_d_interval)
{
    return interval_scale(&args[1].interval, args[0].float64, 0, &ret->interval);
}

FUNCTION(interval_div)
{
    if (args[1].float64 == 0)
        FAIL_DIVISION();
    return interval_scale(&args[0].interval, 0, args[1].float64, &ret->interval);
}

/* justify_*: moves whole days and months up, and makes signs agree. */
static bool justify(Interval *i, bool hours, bool days)
{
    if (hours && days) {
        if (__builtin_add_overflow(i->days, (int32_t)(i->microseconds / USECS_PER_DAY), &i->days))
            FAIL_INTERVAL_RANGE();
        i->microseconds %= USECS_PER_DAY;
        i->months += i->days / 30;
        i->days %= 30;
        if (i->months > 0 && (i->days < 0 || (i->days == 0 && i->microseconds < 0))) {
            i->days += 30;
            i->months--;
        } else if (i->months < 0 && (i->days > 0 || (i->days == 0 && i->microseconds > 0))) {
            i->days -= 30;
            i->months++;
        }
    } else if (hours) {
        if (__builtin_add_overflow(i->days, (int32_t)(i->microseconds / USECS_PER_DAY), &i->days))
            FAIL_INTERVAL_RANGE();
        i->microseconds %= USECS_PER_DAY;
    } else {
        i->months += i->days / 30;
        i->days %= 30;
        if (i->months > 0 && i->days < 0) {
            i->days += 30;
            i->months--;
        } else if (i->months < 0 && i->days > 0) {
            i->days -= 30;
            i->months++;
        }
    }
    if (hours && i->days > 0 && i->microseconds < 0) {
        i->microseconds += USECS_PER_DAY;
        i->days--;
    } else if (hours && i->days < 0 && i->microseconds > 0) {
        i->microseconds -= USECS_PER_DAY;
        i->days++;
    }
    return true;
}

FUNCTION(interval_justify_hours)
{
    *ret = args[0];
    return justify(&ret->interval, true, false);
}
FUNCTION(interval_justify_days)
{
    *ret = args[0];
    return justify(&ret->interval, false, true);
}
FUNCTION(interval_justify_interval)
{
    *ret = args[0];
    return justify(&ret->interval, true, true);
}

FUNCTION(date_finite)
{
    ret->boolean = date_is_finite(args[0].int32);
    return true;
}
FUNCTION(timestamp_finite)
{
    ret->boolean = timestamp_is_finite(args[0].int64);
    return true;
}
FUNCTION(interval_finite)
{
    ret->boolean = true;
    return true;
}
