/* Parts of dates and times: extract, date_part, date_trunc, age, make_*, zones, overlaps, series.
 */
#include <math.h>
#include <stdlib.h>

#include "types/datetime_internal.h"
#include "types/numeric.h"

typedef enum Part {
    PART_NONE = 0,
    PART_MICROSECONDS,
    PART_MILLISECONDS,
    PART_SECOND,
    PART_MINUTE,
    PART_HOUR,
    PART_DAY,
    PART_WEEK,
    PART_MONTH,
    PART_QUARTER,
    PART_YEAR,
    PART_DECADE,
    PART_CENTURY,
    PART_MILLENNIUM,
    PART_DOW,
    PART_ISODOW,
    PART_DOY,
    PART_ISOYEAR,
    PART_JULIAN,
    PART_EPOCH,
    PART_TIMEZONE,
    PART_TIMEZONE_HOUR,
    PART_TIMEZONE_MINUTE,
} Part;

static Part part_of(Str word)
{
    static const struct {
        const char *name;
        Part part;
    } parts[] = {
        {"microseconds", PART_MICROSECONDS},
        {"microsecond", PART_MICROSECONDS},
        {"us", PART_MICROSECONDS},
        {"usec", PART_MICROSECONDS},
        {"usecs", PART_MICROSECONDS},
        {"milliseconds", PART_MILLISECONDS},
        {"millisecond", PART_MILLISECONDS},
        {"ms", PART_MILLISECONDS},
        {"msec", PART_MILLISECONDS},
        {"msecs", PART_MILLISECONDS},
        {"second", PART_SECOND},
        {"seconds", PART_SECOND},
        {"s", PART_SECOND},
        {"sec", PART_SECOND},
        {"secs", PART_SECOND},
        {"minute", PART_MINUTE},
        {"minutes", PART_MINUTE},
        {"m", PART_MINUTE},
        {"min", PART_MINUTE},
        {"mins", PART_MINUTE},
        {"hour", PART_HOUR},
        {"hours", PART_HOUR},
        {"h", PART_HOUR},
        {"hr", PART_HOUR},
        {"hrs", PART_HOUR},
        {"day", PART_DAY},
        {"days", PART_DAY},
        {"d", PART_DAY},
        {"week", PART_WEEK},
        {"weeks", PART_WEEK},
        {"w", PART_WEEK},
        {"month", PART_MONTH},
        {"months", PART_MONTH},
        {"mon", PART_MONTH},
        {"mons", PART_MONTH},
        {"quarter", PART_QUARTER},
        {"qtr", PART_QUARTER},
        {"year", PART_YEAR},
        {"years", PART_YEAR},
        {"y", PART_YEAR},
        {"yr", PART_YEAR},
        {"yrs", PART_YEAR},
        {"decade", PART_DECADE},
        {"decades", PART_DECADE},
        {"dec", PART_DECADE},
        {"century", PART_CENTURY},
        {"centuries", PART_CENTURY},
        {"c", PART_CENTURY},
        {"millennium", PART_MILLENNIUM},
        {"millennia", PART_MILLENNIUM},
        {"mil", PART_MILLENNIUM},
        {"dow", PART_DOW},
        {"isodow", PART_ISODOW},
        {"doy", PART_DOY},
        {"isoyear", PART_ISOYEAR},
        {"julian", PART_JULIAN},
        {"epoch", PART_EPOCH},
        {"timezone", PART_TIMEZONE},
        {"timezone_hour", PART_TIMEZONE_HOUR},
        {"timezone_minute", PART_TIMEZONE_MINUTE},
        {"timezone_h", PART_TIMEZONE_HOUR},
        {"timezone_m", PART_TIMEZONE_MINUTE},
    };
    /* Asked for each row: most names begin with another letter. */
    const char first = (char)(word.length > 0 ? word.data[0] | 0x20 : 0);
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        if (first == parts[i].name[0] && str_equal_nocase(word, str_from_c(parts[i].name)))
            return parts[i].part;
    return PART_NONE;
}

/* In small letters, as messages show units. */
static Str fmt_lower(Str word)
{
    const Str copy = fmt("%.*s", STR_ARGS(word));
    for (size_t i = 0; i < copy.length; i++)
        ((char *)copy.data)[i] = ascii_lower(copy.data[i]);
    return copy;
}

/* Parts that extract alone knows. */
static bool part_is_no_unit(Part part)
{
    return part == PART_DOW || part == PART_ISODOW || part == PART_DOY || part == PART_ISOYEAR ||
           part == PART_JULIAN || part == PART_EPOCH;
}

static bool part_unknown(Str word, const char *type)
{
    const Str lower = fmt_lower(word);
    if (part_of(word) == PART_NONE)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("unit \"%.*s\" not recognized for type %s", STR_ARGS(lower), type));
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message = fmt("unit \"%.*s\" not supported for type %s", STR_ARGS(lower), type));
}

static bool unit_unknown(Str word, const char *type)
{
    if (!part_is_no_unit(part_of(word)))
        return part_unknown(word, type);
    FAIL(ERR_INVALID_PARAMETER_VALUE, .message = fmt("unit \"%.*s\" not recognized for type %s",
                                                     STR_ARGS(fmt_lower(word)), type));
}

/* A part as a decimal: mantissa and scale. */
typedef struct PartValue {
    int128 mantissa;
    int scale;
    double real;     /* with a scale over 6: what double precision arithmetic gives */
    double infinite; /* ±1: the part of an infinity that grows; then 0 mantissa */
    bool is_null;
} PartValue;

static bool time_part(Part part, const Fields *f, PartValue *ret)
{
    const int64_t micro = f->second * INT64_C(1000000) + f->microsecond;
    switch (part) {
    case PART_MICROSECONDS:
        *ret = (PartValue){.mantissa = micro};
        return true;
    case PART_MILLISECONDS:
        *ret = (PartValue){.mantissa = micro, .scale = 3};
        return true;
    case PART_SECOND:
        *ret = (PartValue){.mantissa = micro, .scale = 6};
        return true;
    case PART_MINUTE:
        *ret = (PartValue){.mantissa = f->minute};
        return true;
    case PART_HOUR:
        *ret = (PartValue){.mantissa = f->hour};
        return true;
    default:
        return false;
    }
}

static int64_t century_of(int64_t year, int64_t length)
{
    return year > 0 ? (year + length - 1) / length : -((length - 1 - (year - 1)) / length);
}

static bool date_part_of(Part part, const Fields *f, PartValue *ret)
{
    const int64_t days = days_from_civil(f->year, f->month, f->day);
    int64_t year, value;
    int week;
    iso_week(days, &year, &week);
    switch (part) {
    case PART_DAY:
        value = f->day;
        break;
    case PART_WEEK:
        value = week;
        break;
    case PART_MONTH:
        value = f->month;
        break;
    case PART_QUARTER:
        value = (f->month - 1) / 3 + 1;
        break;
    case PART_YEAR:
        value = f->year > 0 ? f->year : f->year - 1;
        break;
    case PART_DECADE:
        value = f->year >= 0 ? f->year / 10 : -((8 - (f->year - 1)) / 10);
        break;
    case PART_CENTURY:
        value = century_of(f->year, 100);
        break;
    case PART_MILLENNIUM:
        value = century_of(f->year, 1000);
        break;
    case PART_DOW:
        value = day_of_week(days);
        break;
    case PART_ISODOW:
        value = day_of_week(days) ? day_of_week(days) : 7;
        break;
    case PART_DOY:
        value = days - days_from_civil(f->year, 1, 1) + 1;
        break;
    case PART_ISOYEAR:
        value = year > 0 ? year : year - 1;
        break;
    default:
        return false;
    }
    *ret = (PartValue){.mantissa = value};
    return true;
}

static bool infinite_part(Part part, bool positive, PartValue *ret)
{
    switch (part) {
    case PART_YEAR:
    case PART_DECADE:
    case PART_CENTURY:
    case PART_MILLENNIUM:
    case PART_JULIAN:
    case PART_ISOYEAR:
    case PART_EPOCH:
        *ret = (PartValue){.infinite = positive ? 1 : -1};
        break;
    default:
        *ret = (PartValue){.is_null = true};
    }
    return true;
}

/* Days and the fraction of a day, with as many digits as numeric division gives the fraction. */
static PartValue julian_part(int64_t days, int64_t time)
{
    const int64_t last_of_few = 864; /* the first of the divisor's digits, to base 10,000 */
    PartValue value = {.mantissa = days, .scale = 20};

    if (time < 10000)
        value.scale = time <= last_of_few ? 28 : 24;
    else if (time < 10000 * 10000)
        value.scale = time / 10000 <= last_of_few ? 24 : 20;
    int128 unit = 1;
    for (int i = 0; i < value.scale; i++)
        unit *= 10;
    value.mantissa = days * unit + (time * unit + USECS_PER_DAY / 2) / USECS_PER_DAY;
    const int64_t seconds = time / USECS_PER_SEC, rest = time % USECS_PER_SEC;
    const int64_t seconds_a_day = USECS_PER_DAY / USECS_PER_SEC;
    value.real = (double)days +
                 ((double)seconds + (double)rest / (double)USECS_PER_SEC) / (double)seconds_a_day;
    return value;
}

static bool timestamp_part(Str word, int64_t timestamp, const TimeZone *zone, PartValue *ret)
{
    const Part part = part_of(word);
    const char *name = zone ? "timestamp with time zone" : "timestamp without time zone";
    Fields f;
    if (part == PART_NONE)
        return part_unknown(word, name);
    if (!timestamp_is_finite(timestamp))
        return infinite_part(part, timestamp == TIMESTAMP_INFINITY, ret);
    if (zone)
        fields_from_timestamptz(timestamp, zone, &f);
    else
        fields_from_timestamp(timestamp, &f);
    if (time_part(part, &f, ret) || date_part_of(part, &f, ret))
        return true;
    if (part == PART_EPOCH) {
        *ret = (PartValue){
            .mantissa = (int128)timestamp + (int128)DAYS_1970_TO_2000 * USECS_PER_DAY, .scale = 6};
        /* Beyond 64 bits numeric division takes over, and gives four digits. */
        if (ret->mantissa > INT64_MAX)
            ret->mantissa = (ret->mantissa + 50) / 100 * 100;
        return true;
    }
    if (part == PART_JULIAN) {
        const int64_t days = days_from_civil(f.year, f.month, f.day) + JULIAN_2000;
        *ret = julian_part(days, fields_time(&f));
        return true;
    }
    if (zone &&
        (part == PART_TIMEZONE || part == PART_TIMEZONE_HOUR || part == PART_TIMEZONE_MINUTE)) {
        *ret = (PartValue){.mantissa = part == PART_TIMEZONE        ? f.offset
                                       : part == PART_TIMEZONE_HOUR ? f.offset / 3600
                                                                    : f.offset / 60 % 60};
        return true;
    }
    return part_unknown(word, name);
}

static bool date_only_part(Str word, int32_t date, PartValue *ret)
{
    const Part part = part_of(word);
    Fields f = {0};
    if (part == PART_NONE)
        return part_unknown(word, "date");
    if (part <= PART_HOUR || part >= PART_TIMEZONE)
        return part_unknown(word, "date");
    if (!date_is_finite(date))
        return infinite_part(part, date == DATE_INFINITY, ret);
    civil_from_days(date, &f.year, &f.month, &f.day);
    if (date_part_of(part, &f, ret))
        return true;
    *ret = (PartValue){.mantissa = part == PART_EPOCH ? ((int128)date + DAYS_1970_TO_2000) * 86400
                                                      : (int128)date + JULIAN_2000};
    return true;
}

static bool clock_part(Str word, int64_t time, const TimeTz *zoned, PartValue *ret)
{
    const Part part = part_of(word);
    Fields f = {0};
    fields_set_time(&f, time);
    if (time_part(part, &f, ret))
        return true;
    if (part == PART_EPOCH) {
        *ret = (PartValue){.mantissa = (int128)time + (zoned ? zoned->zone * USECS_PER_SEC : 0),
                           .scale = 6};
        return true;
    }
    if (zoned && part >= PART_TIMEZONE) {
        *ret = (PartValue){.mantissa = part == PART_TIMEZONE        ? -zoned->zone
                                       : part == PART_TIMEZONE_HOUR ? -zoned->zone / 3600
                                                                    : -zoned->zone / 60 % 60};
        return true;
    }
    return part_unknown(word, zoned ? "time with time zone" : "time without time zone");
}

static bool interval_part(Str word, const Interval *i, PartValue *ret)
{
    const Part part = part_of(word);
    const int64_t seconds = i->microseconds / USECS_PER_SEC;
    Fields f = {.hour = 0,
                .minute = (int)(seconds / 60 % 60),
                .second = (int)(seconds % 60),
                .microsecond = (int)(i->microseconds % USECS_PER_SEC)};
    int128 value;
    if (part != PART_HOUR && time_part(part, &f, ret))
        return true;
    switch (part) {
    case PART_HOUR:
        value = seconds / 3600;
        break;
    case PART_DAY:
        value = i->days;
        break;
    case PART_MONTH:
        value = i->months % 12;
        break;
    case PART_QUARTER:
        value = i->months % 12 / 3 + 1;
        break;
    case PART_YEAR:
        value = i->months / 12;
        break;
    case PART_DECADE:
        value = i->months / 120;
        break;
    case PART_CENTURY:
        value = i->months / 1200;
        break;
    case PART_MILLENNIUM:
        value = i->months / 12000;
        break;
    case PART_EPOCH:
        /* A year counts as 365.25 days, a month as 30. */
        value = ((int128)(i->months / 12) * 31557600 + (int128)(i->months % 12) * 2592000 +
                 (int128)i->days * 86400) *
                    USECS_PER_SEC +
                i->microseconds;
        *ret = (PartValue){.mantissa = value, .scale = 6};
        return true;
    default:
        return part_unknown(word, "interval");
    }
    *ret = (PartValue){.mantissa = value};
    return true;
}

static bool part_to_numeric(FunctionCall *call, const PartValue *part, Value *ret, bool *ret_null)
{
    *ret_null = part->is_null;
    if (part->infinite != 0)
        return numeric_from_double(call->arena, part->infinite * (double)INFINITY, ret);
    *ret = numeric_from_int128(call->arena, part->mantissa, part->scale);
    return true;
}

static bool part_to_double(const PartValue *part, Value *ret, bool *ret_null)
{
    *ret_null = part->is_null;
    if (part->infinite != 0) {
        ret->float64 = part->infinite * (double)INFINITY;
        return true;
    }
    ret->float64 = part->scale > 6 ? part->real : (double)part->mantissa / pow(10, part->scale);
    return true;
}

#define PART_FUNCTIONS(extract_name, part_name, expression)                                        \
    FUNCTION(extract_name)                                                                         \
    {                                                                                              \
        PartValue part;                                                                            \
        TRY(expression);                                                                           \
        return part_to_numeric(call, &part, ret, ret_null);                                        \
    }                                                                                              \
    FUNCTION(part_name)                                                                            \
    {                                                                                              \
        PartValue part;                                                                            \
        TRY(expression);                                                                           \
        return part_to_double(&part, ret, ret_null);                                               \
    }
#define WORD var_str(args[0].var)
PART_FUNCTIONS(extract_timestamp, timestamp_part, timestamp_part(WORD, args[1].int64, NULL, &part))
PART_FUNCTIONS(extract_timestamptz, timestamptz_part,
               timestamp_part(WORD, args[1].int64, timezone_session(), &part))
PART_FUNCTIONS(extract_time, time_part, clock_part(WORD, args[1].int64, NULL, &part))
PART_FUNCTIONS(extract_timetz, timetz_part,
               clock_part(WORD, args[1].timetz.microseconds, &args[1].timetz, &part))
PART_FUNCTIONS(extract_interval, interval_part, interval_part(WORD, &args[1].interval, &part))
/* date_part of a date is PostgreSQL's SQL function over a timestamp. */
static bool date_as_timestamp_part(Str word, int32_t date, PartValue *ret)
{
    int64_t timestamp;
    TRY(date_to_timestamp(date, &timestamp));
    return timestamp_part(word, timestamp, NULL, ret);
}
FUNCTION(extract_date)
{
    PartValue part;
    TRY(date_only_part(WORD, args[1].int32, &part));
    return part_to_numeric(call, &part, ret, ret_null);
}

FUNCTION(sql_1384)
{
    PartValue part;
    TRY(date_as_timestamp_part(WORD, args[1].int32, &part));
    return part_to_double(&part, ret, ret_null);
}

/* date_trunc */

static bool fields_truncate(Part part, Fields *f)
{
    int64_t days, year;
    int week;
    switch (part) {
    case PART_WEEK:
        days = days_from_civil(f->year, f->month, f->day);
        iso_week(days, &year, &week);
        civil_from_days(iso_week_start(year, week), &f->year, &f->month, &f->day);
        break;
    case PART_MILLENNIUM:
        f->year = f->year > 0 ? (f->year + 999) / 1000 * 1000 - 999
                              : -((999 - (f->year - 1)) / 1000) * 1000 + 1;
        f->month = f->day = 1;
        break;
    case PART_CENTURY:
        f->year =
            f->year > 0 ? (f->year + 99) / 100 * 100 - 99 : -((99 - (f->year - 1)) / 100) * 100 + 1;
        f->month = f->day = 1;
        break;
    case PART_DECADE:
        f->year = f->year > 0 ? f->year / 10 * 10 : -((8 - (f->year - 1)) / 10) * 10;
        f->month = f->day = 1;
        break;
    case PART_YEAR:
        f->month = f->day = 1;
        break;
    case PART_QUARTER:
        f->month = (f->month - 1) / 3 * 3 + 1;
        f->day = 1;
        break;
    case PART_MONTH:
        f->day = 1;
        break;
    case PART_DAY:
        break;
    case PART_HOUR:
        f->minute = f->second = f->microsecond = 0;
        return true;
    case PART_MINUTE:
        f->second = f->microsecond = 0;
        return true;
    case PART_SECOND:
        f->microsecond = 0;
        return true;
    case PART_MILLISECONDS:
        f->microsecond -= f->microsecond % 1000;
        return true;
    case PART_MICROSECONDS:
        return true;
    default:
        return false;
    }
    f->hour = f->minute = f->second = f->microsecond = 0;
    return true;
}

static bool truncate_local(Str word, int64_t timestamp, const char *type, int64_t *ret)
{
    Fields f;
    *ret = timestamp;
    if (!timestamp_is_finite(timestamp))
        return true;
    fields_from_timestamp(timestamp, &f);
    if (!fields_truncate(part_of(word), &f))
        return unit_unknown(word, type);
    return fields_to_timestamp(&f, ret);
}

FUNCTION(timestamp_trunc)
{
    return truncate_local(WORD, args[1].int64, "timestamp without time zone", &ret->int64);
}

static bool truncate_in_zone(Str word, int64_t timestamptz, const TimeZone *zone, int64_t *ret)
{
    Fields f;
    const Part part = part_of(word);
    *ret = timestamptz;
    if (!timestamp_is_finite(timestamptz))
        return true;
    fields_from_timestamptz(timestamptz, zone, &f);
    if (!fields_truncate(part, &f))
        return unit_unknown(word, "timestamp with time zone");
    /* Within a day the offset stands; the day's beginning may have another. */
    f.has_offset = part <= PART_HOUR;
    return fields_to_timestamptz(&f, zone, ret);
}

FUNCTION(timestamptz_trunc)
{
    return truncate_in_zone(WORD, args[1].int64, timezone_session(), &ret->int64);
}

FUNCTION(timestamptz_trunc_zone)
{
    int32_t offset;
    const TimeZone *zone;
    TRY(zone_lookup(var_str(args[2].var), args[1].int64, ZONE_CLOCK_UTC, &offset, &zone));
    if (zone)
        return truncate_in_zone(WORD, args[1].int64, zone, &ret->int64);
    if (!timestamp_is_finite(args[1].int64)) {
        *ret = args[1];
        return true;
    }
    TRY(truncate_local(WORD, args[1].int64 + offset * USECS_PER_SEC, "timestamp with time zone",
                       &ret->int64));
    ret->int64 -= offset * USECS_PER_SEC;
    return true;
}

FUNCTION(interval_trunc)
{
    Interval *i = &ret->interval;
    static const int months_each[] = {[PART_QUARTER] = 3,
                                      [PART_YEAR] = 12,
                                      [PART_DECADE] = 120,
                                      [PART_CENTURY] = 1200,
                                      [PART_MILLENNIUM] = 12000};
    const Part part = part_of(WORD);
    int64_t unit = 0;
    *ret = args[1];
    switch (part) {
    case PART_MICROSECONDS:
        return true;
    case PART_MILLISECONDS:
        unit = 1000;
        break;
    case PART_SECOND:
        unit = USECS_PER_SEC;
        break;
    case PART_MINUTE:
        unit = USECS_PER_MINUTE;
        break;
    case PART_HOUR:
        unit = USECS_PER_HOUR;
        break;
    case PART_DAY:
        i->microseconds = 0;
        return true;
    case PART_MONTH:
        i->days = 0;
        i->microseconds = 0;
        return true;
    case PART_QUARTER:
    case PART_YEAR:
    case PART_DECADE:
    case PART_CENTURY:
    case PART_MILLENNIUM:
        i->months = i->months / months_each[part] * months_each[part];
        i->days = 0;
        i->microseconds = 0;
        return true;
    default:
        if (part == PART_WEEK)
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = fmt("unit \"%.*s\" not supported for type interval",
                                STR_ARGS(fmt_lower(WORD))),
                 .detail = STR("Months usually have fractional weeks."));
        return unit_unknown(WORD, "interval");
    }
    i->microseconds = i->microseconds / unit * unit;
    return true;
}

/* age: the difference in years, months, days as a person counts it. */
static bool age_of(const Fields *a, const Fields *b, bool a_is_later, Interval *ret)
{
    const Fields *late = a_is_later ? a : b, *early = a_is_later ? b : a;
    int64_t months = (late->year - early->year) * 12 + late->month - early->month;
    int64_t days = late->day - early->day, time = fields_time(late) - fields_time(early);
    if (time < 0) {
        time += USECS_PER_DAY;
        days--;
    }
    if (days < 0) {
        /* The length of the month that the earlier date lies in. */
        days += days_in_month(early->year, early->month);
        months--;
    }
    const int sign = a_is_later ? 1 : -1;
    *ret = (Interval){.microseconds = sign * time,
                      .days = (int32_t)(sign * days),
                      .months = (int32_t)(sign * months)};
    return true;
}

FUNCTION(timestamp_age)
{
    Fields a, b;
    if (!timestamp_is_finite(args[0].int64) || !timestamp_is_finite(args[1].int64))
        FAIL_TIMESTAMP_RANGE();
    fields_from_timestamp(args[0].int64, &a);
    fields_from_timestamp(args[1].int64, &b);
    return age_of(&a, &b, args[0].int64 >= args[1].int64, &ret->interval);
}

FUNCTION(timestamptz_age)
{
    Fields a, b;
    if (!timestamp_is_finite(args[0].int64) || !timestamp_is_finite(args[1].int64))
        FAIL_TIMESTAMP_RANGE();
    fields_from_timestamptz(args[0].int64, timezone_session(), &a);
    fields_from_timestamptz(args[1].int64, timezone_session(), &b);
    return age_of(&a, &b, args[0].int64 >= args[1].int64, &ret->interval);
}

/* age(x): since midnight of the current day. */
static int64_t today_local(const FunctionCall *call)
{
    Fields now;
    fields_from_timestamptz(clock_transaction(call), timezone_session(), &now);
    return days_from_civil(now.year, now.month, now.day) * USECS_PER_DAY;
}

FUNCTION(sql_2059)
{
    const Value both[] = {{.int64 = today_local(call)}, args[0]};
    return fn_timestamp_age(call, both, nulls, ret, ret_null);
}

FUNCTION(sql_1386)
{
    Value both[] = {{.int64 = today_local(call)}, args[0]};
    TRY(timestamp_from_local(both[0].int64, timezone_session(), &both[0].int64));
    return fn_timestamptz_age(call, both, nulls, ret, ret_null);
}

/* make_* */

/* `shown_year` is the year that errors name. */
static bool date_made(int32_t year, int32_t month, int32_t day, int64_t shown_year, Fields *f)
{
    *f = (Fields){.year = year < 0 ? (int64_t)year + 1 : year, .month = month, .day = day};
    if (year == 0 || month < 1 || month > 12 || day < 1 || day > days_in_month(f->year, month))
        FAIL(ERR_DATETIME_FIELD_OVERFLOW,
             .message = fmt("date field value out of range: %lld-%02d-%02d", (long long)shown_year,
                            month, day));
    if (f->year < -4713 || (f->year == -4713 && month < 11) || f->year > 5874898 ||
        (f->year == 5874898 && month >= 6))
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = fmt("date out of range: %lld-%02d-%02d",
                                                             (long long)shown_year, month, day));
    return true;
}

static bool time_made(int32_t hour, int32_t minute, double second, Fields *f)
{
    const double micro = rint(second * 1e6);
    if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || !(micro >= 0) ||
        micro > (double)USECS_PER_MINUTE || (hour == 24 && (minute > 0 || micro > 0)))
        FAIL(ERR_DATETIME_FIELD_OVERFLOW,
             .message =
                 isfinite(second)
                     ? fmt("time field value out of range: %d:%02d:%02g", hour, minute, second)
                     : fmt("time field value out of range: %d:%02d:%s", hour, minute,
                           isnan(second) ? "NaN"
                           : second > 0  ? "Infinity"
                                         : "-Infinity"));
    fields_set_time(f, hour * USECS_PER_HOUR + minute * USECS_PER_MINUTE + (int64_t)micro);
    return true;
}

FUNCTION(make_date)
{
    Fields f;
    const int32_t year = args[0].int32;
    const int64_t shown_year = year < 0 ? (int64_t)year + 1 : year;
    TRY(date_made(year, args[1].int32, args[2].int32, shown_year, &f));
    const int64_t days = days_from_civil(f.year, f.month, f.day);
    if (days < DATE_FIRST || days >= DATE_END)
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE,
             .message = fmt("date out of range: %lld-%02d-%02d", (long long)shown_year,
                            args[1].int32, args[2].int32));
    ret->int32 = (int32_t)days;
    return true;
}

FUNCTION(make_time)
{
    Fields f = {0};
    TRY(time_made(args[0].int32, args[1].int32, args[2].float64, &f));
    ret->int64 = fields_time(&f);
    return true;
}

FUNCTION(make_timestamp)
{
    Fields f;
    TRY(date_made(args[0].int32, args[1].int32, args[2].int32, args[0].int32, &f));
    TRY(time_made(args[3].int32, args[4].int32, args[5].float64, &f));
    if (fields_to_timestamp(&f, &ret->int64))
        return true;
    FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE,
         .message =
             fmt("timestamp out of range: %d-%02d-%02d %d:%02d:%02g", args[0].int32, args[1].int32,
                 args[2].int32, args[3].int32, args[4].int32, args[5].float64));
}

FUNCTION(make_timestamptz)
{
    TRY(fn_make_timestamp(call, args, nulls, ret, ret_null));
    return timestamp_from_local(ret->int64, timezone_session(), &ret->int64);
}

/* "+3", "-04:30": what make_timestamptz takes as a displacement, which counts to the east. */
static bool zone_displacement(Str zone, bool *ret_found, int32_t *ret_offset)
{
    int64_t parts[3] = {0};
    Str rest = str_slice(zone, 1, zone.length);
    *ret_found = false;
    if (zone.length && is_digit(zone.data[0]))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message =
                 fmt("invalid input syntax for type numeric time zone: \"%.*s\"", STR_ARGS(zone)),
             .hint = STR("Numeric time zones must have \"-\" or \"+\" as first character."));
    if (zone.length < 2 || (zone.data[0] != '-' && zone.data[0] != '+'))
        return true;
    for (int i = 0; i < 3 && rest.length; i++) {
        const size_t colon = MIN(str_find_char(rest, ':', 0), rest.length);
        if (!str_to_int64(str_slice(rest, 0, colon), &parts[i]))
            return true;
        rest = str_slice(rest, colon + 1, rest.length);
    }
    if (rest.length)
        return true;
    if (parts[0] < 0 || parts[0] > 15 || parts[1] < 0 || parts[1] > 59 || parts[2] < 0 ||
        parts[2] > 59)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("numeric time zone \"%.*s\" out of range", STR_ARGS(zone)));
    *ret_found = true;
    *ret_offset = (int32_t)(parts[0] * 3600 + parts[1] * 60 + parts[2]);
    if (zone.data[0] == '-')
        *ret_offset = -*ret_offset;
    return true;
}

FUNCTION(make_timestamptz_at_timezone)
{
    bool found;
    int32_t offset;
    const TimeZone *zone;
    TRY(fn_make_timestamp(call, args, nulls, ret, ret_null));
    TRY(zone_displacement(var_str(args[6].var), &found, &offset));
    zone = NULL;
    if (!found)
        TRY(zone_lookup(var_str(args[6].var), ret->int64, ZONE_CLOCK_LOCAL, &offset, &zone));
    if (zone)
        return timestamp_from_local(ret->int64, zone, &ret->int64);
    ret->int64 -= offset * USECS_PER_SEC;
    return true;
}

/* What does not fit is the least number, as x86 converts it for PostgreSQL. */
static int64_t microseconds_of(double seconds)
{
    const double value = rint(seconds * 1e6);

    return value >= -0x1p63 && value < 0x1p63 ? (int64_t)value : INT64_MIN;
}

/* Years, months, weeks and days wrap around, as they do in PostgreSQL 15. */
FUNCTION(make_interval)
{
    const double seconds = args[6].float64;
    if (!isfinite(seconds))
        FAIL_INTERVAL_RANGE();
    const int64_t months = args[0].int32 * INT64_C(12) + args[1].int32;
    const int64_t days = args[2].int32 * INT64_C(7) + args[3].int32;
    ret->interval =
        (Interval){.months = (int32_t)months,
                   .days = (int32_t)days,
                   .microseconds = args[4].int32 * USECS_PER_HOUR +
                                   args[5].int32 * USECS_PER_MINUTE + microseconds_of(seconds)};
    return true;
}

/* to_timestamp(double precision): seconds since 1970. */
FUNCTION(float8_timestamptz)
{
    const double seconds = args[0].float64;
    if (isnan(seconds))
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = STR("timestamp cannot be NaN"));
    if (isinf(seconds)) {
        ret->int64 = seconds > 0 ? TIMESTAMP_INFINITY : TIMESTAMP_MINUS_INFINITY;
        return true;
    }
    const double micro = rint((seconds - 946684800.0) * 1e6);
    if (!(micro >= (double)TIMESTAMP_FIRST && micro < (double)TIMESTAMP_END))
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE,
             .message = fmt("timestamp out of range: \"%g\"", seconds));
    ret->int64 = (int64_t)micro;
    return true;
}

/* AT TIME ZONE */

FUNCTION(timestamp_zone)
{
    int32_t offset;
    const TimeZone *zone;
    *ret = args[1];
    if (!timestamp_is_finite(args[1].int64))
        return true;
    TRY(zone_lookup(var_str(args[0].var), args[1].int64, ZONE_CLOCK_LOCAL, &offset, &zone));
    if (zone)
        return timestamp_from_local(args[1].int64, zone, &ret->int64);
    ret->int64 -= offset * USECS_PER_SEC;
    if (!timestamp_in_range(ret->int64))
        FAIL_TIMESTAMP_RANGE();
    return true;
}

FUNCTION(timestamptz_zone)
{
    int32_t offset;
    const TimeZone *zone;
    *ret = args[1];
    if (!timestamp_is_finite(args[1].int64))
        return true;
    TRY(zone_lookup(var_str(args[0].var), args[1].int64, ZONE_CLOCK_UTC, &offset, &zone));
    if (zone)
        return timestamp_to_local(args[1].int64, zone, &ret->int64);
    ret->int64 += offset * USECS_PER_SEC;
    if (!timestamp_in_range(ret->int64))
        FAIL_TIMESTAMP_RANGE();
    return true;
}

static bool interval_zone(const Interval *i, int64_t *ret)
{
    if (i->months != 0 || i->days != 0) {
        CLEANUP(strbuf_deinit) StrBuf text = {0};
        interval_append_text(i, &text);
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("interval time zone \"%.*s\" must not include months or days",
                            STR_ARGS(strbuf_view(&text))));
    }
    *ret = i->microseconds / USECS_PER_SEC * USECS_PER_SEC;
    return true;
}

FUNCTION(timestamp_izone)
{
    int64_t shift;
    *ret = args[1];
    if (!timestamp_is_finite(args[1].int64))
        return true;
    TRY(interval_zone(&args[0].interval, &shift));
    if (__builtin_sub_overflow(args[1].int64, shift, &ret->int64) ||
        !timestamp_in_range(ret->int64))
        FAIL_TIMESTAMP_RANGE();
    return true;
}

FUNCTION(timestamptz_izone)
{
    int64_t shift;
    *ret = args[1];
    if (!timestamp_is_finite(args[1].int64))
        return true;
    TRY(interval_zone(&args[0].interval, &shift));
    if (__builtin_add_overflow(args[1].int64, shift, &ret->int64) ||
        !timestamp_in_range(ret->int64))
        FAIL_TIMESTAMP_RANGE();
    return true;
}

static int64_t day_wrap(int64_t time)
{
    time %= USECS_PER_DAY;
    return time < 0 ? time + USECS_PER_DAY : time;
}

FUNCTION(timetz_zone)
{
    int32_t offset;
    const TimeZone *zone;
    TRY(zone_lookup(var_str(args[0].var), clock_transaction(call), ZONE_CLOCK_UTC, &offset, &zone));
    if (zone)
        offset = timezone_offset_at(zone, clock_transaction(call), NULL, NULL);
    ret->timetz =
        (TimeTz){.zone = -offset,
                 .microseconds = day_wrap(args[1].timetz.microseconds +
                                          (args[1].timetz.zone + offset) * USECS_PER_SEC)};
    return true;
}

/* OVERLAPS: periods are half-open; a null end makes the answer unknown unless the rest decides. */
typedef int PairOrder(const Value *a, const Value *b);

static int order_int64(const Value *a, const Value *b)
{
    return (a->int64 > b->int64) - (a->int64 < b->int64);
}

static int order_timetz(const Value *a, const Value *b)
{
    return timetz_compare(NULL, a, b);
}

static bool overlaps(const Value *args, const bool *nulls, PairOrder *order, Value *ret,
                     bool *ret_null)
{
    Value s[2], e[2];
    bool has_end[2];
    for (int i = 0; i < 2; i++) {
        const Value *a = &args[i * 2], *b = &args[i * 2 + 1];
        const bool no_a = nulls[i * 2], no_b = nulls[i * 2 + 1];
        if (no_a && no_b) {
            *ret_null = true;
            return true;
        }
        has_end[i] = !no_a && !no_b;
        const bool swap = no_a || (has_end[i] && order(a, b) > 0);
        s[i] = swap ? *b : *a;
        e[i] = swap ? *a : *b;
    }
    const int starts = order(&s[0], &s[1]);
    const int first = starts > 0 ? 1 : 0, second = 1 - first;
    if (starts == 0) {
        *ret_null = !has_end[0] || !has_end[1];
        ret->boolean = true;
        return true;
    }
    if (!has_end[first]) {
        *ret_null = true;
        return true;
    }
    ret->boolean = order(&s[second], &e[first]) < 0;
    /* With the later period's end unknown only an overlap at its start is certain. */
    *ret_null = !ret->boolean && !has_end[second];
    return true;
}

FUNCTION(overlaps_timestamp)
{
    return overlaps(args, nulls, order_int64, ret, ret_null);
}
FUNCTION(overlaps_time)
{
    return overlaps(args, nulls, order_int64, ret, ret_null);
}
FUNCTION(overlaps_timetz)
{
    return overlaps(args, nulls, order_timetz, ret, ret_null);
}

/* A period given by its start and how long it is: the end is computed where both are known. */
typedef bool PeriodEnd(FunctionCall *call, const Value *args, const bool *nulls, Value *ret,
                       bool *ret_null);

static bool overlaps_spans(FunctionCall *call, const Value *args, const bool *nulls,
                           const bool spans[2], PeriodEnd *add, Value *ret, bool *ret_null)
{
    Value ends[4];
    bool missing[4];
    for (int i = 0; i < 4; i++) {
        ends[i] = args[i];
        missing[i] = nulls[i];
        if (i % 2 == 0 || !spans[i / 2])
            continue;
        missing[i] = nulls[i] || nulls[i - 1];
        if (!missing[i])
            TRY(add(call, args + i - 1, nulls + i - 1, &ends[i], &missing[i]));
    }
    return overlaps(ends, missing, order_int64, ret, ret_null);
}

ScalarFunction fn_timestamptz_pl_interval, fn_timestamp_pl_interval, fn_time_pl_interval;

#define OVERLAPS_SPANS(oid, first, second, add)                                                    \
    FUNCTION(sql_##oid)                                                                            \
    {                                                                                              \
        return overlaps_spans(call, args, nulls, (const bool[]){first, second}, add, ret,          \
                              ret_null);                                                           \
    }
OVERLAPS_SPANS(1305, true, true, fn_timestamptz_pl_interval)
OVERLAPS_SPANS(1306, false, true, fn_timestamptz_pl_interval)
OVERLAPS_SPANS(1307, true, false, fn_timestamptz_pl_interval)
OVERLAPS_SPANS(1309, true, true, fn_time_pl_interval)
OVERLAPS_SPANS(1310, false, true, fn_time_pl_interval)
OVERLAPS_SPANS(1311, true, false, fn_time_pl_interval)
OVERLAPS_SPANS(2042, true, true, fn_timestamp_pl_interval)
OVERLAPS_SPANS(2043, false, true, fn_timestamp_pl_interval)
OVERLAPS_SPANS(2044, true, false, fn_timestamp_pl_interval)

FUNCTION(timetz_izone)
{
    int64_t shift;
    TRY(interval_zone(&args[0].interval, &shift));
    const int64_t zone = -shift / USECS_PER_SEC;
    ret->timetz = (TimeTz){.zone = (int32_t)zone,
                           .microseconds = day_wrap(args[1].timetz.microseconds +
                                                    (args[1].timetz.zone - zone) * USECS_PER_SEC)};
    return true;
}

/* timestamptz(date, time) */
FUNCTION(sql_1176)
{
    int64_t local;
    TRY(date_to_timestamp(args[0].int32, &local));
    ret->int64 = local;
    if (!timestamp_is_finite(local))
        return true;
    return timestamp_from_local(local + args[1].int64, timezone_session(), &ret->int64);
}

/* date_bin: the start of the stride, counted from an origin, in which an instant lies. */
static bool bin(const Value *args, Value *ret)
{
    const Interval *stride = &args[0].interval;
    const int64_t source = args[1].int64, origin = args[2].int64;
    int64_t width, difference;
    *ret = args[1];
    if (!timestamp_is_finite(source))
        return true;
    if (!timestamp_is_finite(origin))
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = STR("origin out of range"));
    if (stride->months != 0)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("timestamps cannot be binned into intervals containing months or "
                            "years"));
    if (__builtin_mul_overflow(stride->days, USECS_PER_DAY, &width) ||
        __builtin_add_overflow(width, stride->microseconds, &width))
        FAIL_INTERVAL_RANGE();
    if (width <= 0)
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = STR("stride must be greater than zero"));
    if (__builtin_sub_overflow(source, origin, &difference))
        FAIL_INTERVAL_RANGE();
    const int64_t rest = difference % width;
    ret->int64 = origin + (difference - rest);
    if (rest < 0 &&
        (__builtin_sub_overflow(ret->int64, width, &ret->int64) || !timestamp_in_range(ret->int64)))
        FAIL_TIMESTAMP_RANGE();
    return true;
}

FUNCTION(timestamp_bin)
{
    return bin(args, ret);
}
FUNCTION(timestamptz_bin)
{
    return bin(args, ret);
}

/* Sets of instants. */
typedef struct InstantSeries {
    int64_t next, stop;
    Interval step;
    int sign;
} InstantSeries;

static bool instants(FunctionCall *call, const Value *args, bool zoned, void **cursor, Value *ret,
                     bool *ret_nulls, bool *ret_done)
{
    InstantSeries *s = *cursor;
    if (!s) {
        const int128 span = interval_span(&args[2].interval);
        if (span == 0)
            FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("step size cannot equal zero"));
        *cursor = s = ARENA_NEW(call->site_arena, InstantSeries);
        *s = (InstantSeries){args[0].int64, args[1].int64, args[2].interval, span > 0 ? 1 : -1};
    }
    *ret_done = s->sign > 0 ? s->next > s->stop : s->next < s->stop;
    if (*ret_done)
        return true;
    ret->int64 = s->next;
    *ret_nulls = false;
    return zoned ? timestamptz_add_interval(s->next, &s->step, &s->next)
                 : timestamp_add_interval(s->next, &s->step, &s->next);
}

SET_FUNCTION(generate_series_timestamp)
{
    return instants(call, args, false, cursor, ret, ret_nulls, ret_done);
}

SET_FUNCTION(generate_series_timestamptz)
{
    return instants(call, args, true, cursor, ret, ret_nulls, ret_done);
}
