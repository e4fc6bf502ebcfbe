/* Calendar arithmetic, clocks, and what date, time and timestamp types share in printing. */
#include "types/datetime_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"

#define EPOCH_2000_USECS (INT64_C(946684800) * USECS_PER_SEC)

/* Days of the proleptic Gregorian calendar; years start in March so that leap days come last. */
int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t of_era = year - era * 400;
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const int64_t days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * 146097 + days - 719468 - DAYS_1970_TO_2000;
}

void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    days += 719468 + DAYS_1970_TO_2000;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const int64_t of_era = days - era * 146097;
    const int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const int64_t month = (5 * of_year + 2) / 153;
    *ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = year + era * 400 + (*ret_month <= 2);
}

int days_in_month(int64_t year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* 2000-01-01 was a Saturday. */
int day_of_week(int64_t days)
{
    const int64_t d = (days + 6) % 7;
    return (int)(d < 0 ? d + 7 : d);
}

/* The Monday of the week, counted in ISO weeks of the year. */
int64_t iso_week_start(int64_t year, int week)
{
    const int64_t fourth = days_from_civil(year, 1, 4);
    return fourth - (day_of_week(fourth) + 6) % 7 + (week - 1) * 7;
}

void iso_week(int64_t days, int64_t *ret_year, int *ret_week)
{
    int64_t year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    if (days >= iso_week_start(year + 1, 1))
        year++;
    else if (days < iso_week_start(year, 1))
        year--;
    *ret_year = year;
    *ret_week = (int)((days - iso_week_start(year, 1)) / 7) + 1;
}

void fields_set_time(Fields *f, int64_t microseconds)
{
    f->microsecond = (int)(microseconds % USECS_PER_SEC);
    const int64_t seconds = microseconds / USECS_PER_SEC;
    f->hour = (int)(seconds / 3600);
    f->minute = (int)(seconds / 60 % 60);
    f->second = (int)(seconds % 60);
}

void fields_from_timestamp(int64_t timestamp, Fields *ret)
{
    int64_t days = timestamp / USECS_PER_DAY, time = timestamp % USECS_PER_DAY;
    *ret = (Fields){0};
    if (time < 0) {
        time += USECS_PER_DAY;
        days--;
    }
    civil_from_days(days, &ret->year, &ret->month, &ret->day);
    fields_set_time(ret, time);
}

void fields_from_timestamptz(int64_t timestamptz, const TimeZone *zone, Fields *ret)
{
    Str abbreviation;
    const int32_t offset = timezone_offset_at(zone, timestamptz, &abbreviation, NULL);
    fields_from_timestamp(timestamptz + offset * USECS_PER_SEC, ret);
    ret->offset = offset;
    ret->has_offset = true;
    ret->abbreviation = abbreviation;
}

/* Somewhat beyond the range of timestamps, too: an offset may bring it back. */
static bool fields_to_local(const Fields *f, int64_t *ret)
{
    int64_t value;
    if (f->year < -4800 || f->year > 294277 ||
        __builtin_mul_overflow(days_from_civil(f->year, f->month, f->day), USECS_PER_DAY, &value) ||
        __builtin_add_overflow(value, fields_time(f), &value))
        FAIL_TIMESTAMP_RANGE();
    *ret = value;
    return true;
}

bool fields_to_timestamp(const Fields *f, int64_t *ret)
{
    int64_t value;
    TRY(fields_to_local(f, &value));
    if (!timestamp_in_range(value))
        FAIL_TIMESTAMP_RANGE();
    *ret = value;
    return true;
}

bool timestamp_from_local(int64_t local, const TimeZone *zone, int64_t *ret)
{
    const int64_t value = local - timezone_offset_of_local(zone, local) * USECS_PER_SEC;
    if (!timestamp_in_range(value))
        FAIL_TIMESTAMP_RANGE();
    *ret = value;
    return true;
}

int64_t timestamp_local_clock(int64_t timestamptz, const TimeZone *zone)
{
    return timestamptz + timezone_offset_at(zone, timestamptz, NULL, NULL) * USECS_PER_SEC;
}

bool timestamp_to_local(int64_t timestamptz, const TimeZone *zone, int64_t *ret)
{
    const int64_t value = timestamp_local_clock(timestamptz, zone);
    if (!timestamp_in_range(value))
        FAIL_TIMESTAMP_RANGE();
    *ret = value;
    return true;
}

bool fields_to_timestamptz(const Fields *f, const TimeZone *zone, int64_t *ret)
{
    int64_t local;
    TRY(fields_to_local(f, &local));
    if (!f->has_offset)
        return timestamp_from_local(local, zone, ret);
    local -= f->offset * USECS_PER_SEC;
    if (!timestamp_in_range(local))
        FAIL_TIMESTAMP_RANGE();
    *ret = local;
    return true;
}

/* Clocks. */

int64_t timestamp_now(void)
{
    return os->wall_clock() - EPOCH_2000_USECS;
}

int64_t clock_transaction_hook(void)
{
    return types_hooks()->transaction_time ? types_hooks()->transaction_time() : timestamp_now();
}

int64_t clock_transaction(const FunctionCall *call)
{
    return call->transaction_time ? call->transaction_time : clock_transaction_hook();
}

/* Rounds to typmod digits of a second, half away from zero. */
int64_t timestamp_round(int64_t value, int32_t typmod)
{
    static const int64_t scales[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    if (typmod < 0 || typmod >= 6)
        return value;
    const int64_t scale = scales[typmod], half = scale / 2;
    return value >= 0 ? (value + half) / scale * scale : -((-value + half) / scale * scale);
}

/* Printing. */

void append_fraction(int microsecond, StrBuf *out)
{
    char text[8];
    if (microsecond == 0)
        return;
    int length = snprintf(text, sizeof(text), ".%06d", abs(microsecond) % 1000000);
    while (text[length - 1] == '0')
        length--;
    strbuf_append_bytes(out, text, (size_t)length);
}

void append_offset(int32_t seconds_east, StrBuf *out)
{
    const int size = abs(seconds_east);
    strbuf_format(out, "%c%02d", seconds_east < 0 ? '-' : '+', size / 3600);
    if (size % 3600)
        strbuf_format(out, ":%02d", size / 60 % 60);
    if (size % 60)
        strbuf_format(out, ":%02d", size % 60);
}

static void two_digits(char **to, int value)
{
    *(*to)++ = (char)('0' + value / 10);
    *(*to)++ = (char)('0' + value % 10);
}

static void append_clock(const Fields *f, StrBuf *out)
{
    char text[8], *to = text;
    two_digits(&to, f->hour);
    *to++ = ':';
    two_digits(&to, f->minute);
    *to++ = ':';
    two_digits(&to, f->second);
    strbuf_append_bytes(out, text, 8);
    append_fraction(f->microsecond, out);
}

static int64_t shown_year(const Fields *f)
{
    return f->year > 0 ? f->year : 1 - f->year;
}

static void append_date_iso(const Fields *f, StrBuf *out)
{
    const int64_t year = shown_year(f);
    if (year > 9999) {
        strbuf_format(out, "%lld-%02d-%02d", (long long)year, f->month, f->day);
        return;
    }
    char text[10], *to = text;
    two_digits(&to, (int)(year / 100));
    two_digits(&to, (int)(year % 100));
    *to++ = '-';
    two_digits(&to, f->month);
    *to++ = '-';
    two_digits(&to, f->day);
    strbuf_append_bytes(out, text, 10);
}

static void append_date_numeric(const Fields *f, char separator, bool day_first, StrBuf *out)
{
    strbuf_format(out, "%02d%c%02d%c%04lld", day_first ? f->day : f->month, separator,
                  day_first ? f->month : f->day, separator, (long long)shown_year(f));
}

static void append_date(const Fields *f, StrBuf *out)
{
    DateStyle style;
    DateOrder order;
    date_style(&style, &order);
    switch (style) {
    case STYLE_ISO:
        append_date_iso(f, out);
        break;
    case STYLE_SQL:
        append_date_numeric(f, '/', order == ORDER_DMY, out);
        break;
    case STYLE_GERMAN:
        append_date_numeric(f, '.', true, out);
        break;
    case STYLE_POSTGRES:
        append_date_numeric(f, '-', order == ORDER_DMY, out);
        break;
    }
    if (f->year <= 0)
        strbuf_append_c(out, " BC");
}

static void append_zone(const Fields *f, bool numeric, StrBuf *out)
{
    if (!f->has_offset)
        return;
    if (numeric) {
        append_offset(f->offset, out);
        return;
    }
    strbuf_append_char(out, ' ');
    /* Zones without a name have their offset for one. */
    if (f->abbreviation.length && is_alpha(f->abbreviation.data[0]))
        strbuf_append(out, f->abbreviation);
    else
        append_offset(f->offset, out);
}

static void append_timestamp(const Fields *f, StrBuf *out)
{
    DateStyle style;
    DateOrder order;
    date_style(&style, &order);
    if (style == STYLE_POSTGRES) {
        const int64_t days = days_from_civil(f->year, f->month, f->day);
        strbuf_append_bytes(out, day_names[day_of_week(days)], 3);
        if (order == ORDER_DMY)
            strbuf_format(out, " %02d %.3s ", f->day, month_names[f->month - 1]);
        else
            strbuf_format(out, " %.3s %02d ", month_names[f->month - 1], f->day);
        append_clock(f, out);
        strbuf_format(out, " %04lld", (long long)shown_year(f));
        append_zone(f, false, out);
    } else {
        if (style == STYLE_ISO)
            append_date_iso(f, out);
        else
            append_date_numeric(f, style == STYLE_SQL ? '/' : '.',
                                style == STYLE_GERMAN || order == ORDER_DMY, out);
        strbuf_append_char(out, ' ');
        append_clock(f, out);
        append_zone(f, style == STYLE_ISO, out);
    }
    if (f->year <= 0)
        strbuf_append_c(out, " BC");
}

static void timestamp_append(int64_t value, const TimeZone *zone, StrBuf *out)
{
    Fields f;
    if (!timestamp_is_finite(value)) {
        strbuf_append_c(out, value == TIMESTAMP_INFINITY ? "infinity" : "-infinity");
        return;
    }
    if (zone)
        fields_from_timestamptz(value, zone, &f);
    else
        fields_from_timestamp(value, &f);
    append_timestamp(&f, out);
}

/* "2026-01-02 03:04:05.678901+00" in the session's style. */
static void timestamptz_append_text(int64_t timestamptz, StrBuf *out)
{
    timestamp_append(timestamptz, timezone_session(), out);
}

/* date */

bool date_input(const TypeIo *io, Str text, Value *ret)
{
    Parsed parsed;
    const ParsedKind kind = datetime_parse(text, "date", WANT_DATE, &parsed);
    TRY(kind);
    if (kind != PARSED_FIELDS) {
        ret->int32 = kind == PARSED_INFINITY ? DATE_INFINITY : DATE_MINUS_INFINITY;
        return true;
    }
    const Fields *f = &parsed.fields;
    if (f->year > 5874897 || f->year < -4713)
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE,
             .message = fmt("date out of range: \"%.*s\"", STR_ARGS(text)));
    const int64_t days = days_from_civil(f->year, f->month, f->day);
    if (days < DATE_FIRST || days >= DATE_END)
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE,
             .message = fmt("date out of range: \"%.*s\"", STR_ARGS(text)));
    ret->int32 = (int32_t)days;
    return true;
}

bool date_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    Fields f = {0};
    if (!date_is_finite(value->int32)) {
        strbuf_append_c(out, value->int32 == DATE_INFINITY ? "infinity" : "-infinity");
        return true;
    }
    civil_from_days(value->int32, &f.year, &f.month, &f.day);
    append_date(&f, out);
    return true;
}

bool date_receive(const TypeIo *io, Str bytes, Value *ret)
{
    TRY(int4_receive(io, bytes, ret));
    if (date_is_finite(ret->int32) && (ret->int32 < DATE_FIRST || ret->int32 >= DATE_END))
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = STR("date out of range"));
    return true;
}

bool date_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return int4_send(io, value, out);
}

/* time and timetz */

bool time_input(const TypeIo *io, Str text, Value *ret)
{
    Parsed parsed;
    TRY(datetime_parse(text, "time", WANT_TIME, &parsed));
    ret->int64 = timestamp_round(fields_time(&parsed.fields), io->typmod);
    return true;
}

bool time_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    Fields f;
    fields_set_time(&f, value->int64);
    append_clock(&f, out);
    return true;
}

bool time_receive(const TypeIo *io, Str bytes, Value *ret)
{
    TRY(int8_receive(io, bytes, ret));
    if (ret->int64 < 0 || ret->int64 > USECS_PER_DAY)
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = STR("time out of range"));
    ret->int64 = timestamp_round(ret->int64, io->typmod);
    return true;
}

bool time_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return int8_send(io, value, out);
}

bool timetz_input(const TypeIo *io, Str text, Value *ret)
{
    Parsed parsed;
    TRY(datetime_parse(text, "time with time zone", WANT_TIME | WANT_ZONE, &parsed));
    Fields *f = &parsed.fields;
    int32_t offset = f->offset;
    if (!f->has_offset) {
        /* The session's zone needs a date: one written, or today. */
        const TimeZone *zone = parsed.zone ? parsed.zone : timezone_session();
        int64_t local;
        if (parsed.has_date) {
            TRY(fields_to_timestamp(f, &local));
            offset = timezone_offset_of_local(zone, local);
        } else {
            Fields now;
            fields_from_timestamptz(clock_transaction_hook(), zone, &now);
            f->year = now.year;
            f->month = now.month;
            f->day = now.day;
            TRY(fields_to_timestamp(f, &local));
            offset = timezone_offset_of_local(zone, local);
        }
    }
    ret->timetz =
        (TimeTz){.microseconds = timestamp_round(fields_time(f), io->typmod), .zone = -offset};
    return true;
}

bool timetz_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    TRY(time_output(io, &(Value){.int64 = value->timetz.microseconds}, out));
    append_offset(-value->timetz.zone, out);
    return true;
}

bool timetz_receive(const TypeIo *io, Str bytes, Value *ret)
{
    NEED_BYTES(bytes, 12);
    const int64_t time = (int64_t)get_be64(bytes.data);
    const int32_t zone = (int32_t)get_be32(bytes.data + 8);
    if (time < 0 || time > USECS_PER_DAY)
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = STR("time out of range"));
    if (zone <= -16 * 3600 || zone >= 16 * 3600)
        FAIL(ERR_INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
             .message = STR("time zone displacement out of range"));
    ret->timetz = (TimeTz){.microseconds = timestamp_round(time, io->typmod), .zone = zone};
    return true;
}

bool timetz_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    put_be64(out, (uint64_t)value->timetz.microseconds);
    put_be32(out, (uint32_t)value->timetz.zone);
    return true;
}

/* By the instant, then by the zone. */
int timetz_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    const int64_t x = a->timetz.microseconds + a->timetz.zone * USECS_PER_SEC;
    const int64_t y = b->timetz.microseconds + b->timetz.zone * USECS_PER_SEC;
    if (x != y)
        return x > y ? 1 : -1;
    return (a->timetz.zone > b->timetz.zone) - (a->timetz.zone < b->timetz.zone);
}

uint64_t timetz_hash(const BuiltinType *type, const Value *value)
{
    return hash_combine(hash_mix64((uint64_t)value->timetz.microseconds),
                        (uint64_t)(int64_t)value->timetz.zone);
}

/* timestamp and timestamptz */

static bool timestamp_read(const TypeIo *io, Str text, bool with_zone, Value *ret)
{
    Parsed parsed;
    const ParsedKind kind = datetime_parse(
        text, with_zone ? "timestamp with time zone" : "timestamp", WANT_DATE | WANT_TIME, &parsed);
    TRY(kind);
    if (kind != PARSED_FIELDS) {
        ret->int64 = kind == PARSED_INFINITY ? TIMESTAMP_INFINITY : TIMESTAMP_MINUS_INFINITY;
        return true;
    }
    int64_t value;
    const TimeZone *zone = parsed.zone ? parsed.zone : timezone_session();
    if (!(with_zone ? fields_to_timestamptz(&parsed.fields, zone, &value)
                    : fields_to_timestamp(&parsed.fields, &value))) {
        error_clear();
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE,
             .message = fmt("timestamp out of range: \"%.*s\"", STR_ARGS(text)));
    }
    ret->int64 = timestamp_round(value, io->typmod);
    return true;
}

bool timestamp_input(const TypeIo *io, Str text, Value *ret)
{
    return timestamp_read(io, text, false, ret);
}

bool timestamptz_input(const TypeIo *io, Str text, Value *ret)
{
    return timestamp_read(io, text, true, ret);
}

bool timestamp_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    timestamp_append(value->int64, NULL, out);
    return true;
}

bool timestamptz_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    timestamptz_append_text(value->int64, out);
    return true;
}

bool timestamp_receive(const TypeIo *io, Str bytes, Value *ret)
{
    TRY(int8_receive(io, bytes, ret));
    if (!timestamp_is_finite(ret->int64))
        return true;
    if (!timestamp_in_range(ret->int64))
        FAIL_TIMESTAMP_RANGE();
    ret->int64 = timestamp_round(ret->int64, io->typmod);
    return true;
}

bool timestamptz_receive(const TypeIo *io, Str bytes, Value *ret)
{
    return timestamp_receive(io, bytes, ret);
}

bool timestamp_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return int8_send(io, value, out);
}

bool timestamptz_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return int8_send(io, value, out);
}

/* Type modifiers: digits of a second. */
static bool typmod_precision(const int64_t *arguments, int count, const char *name, bool with_zone,
                             int32_t *ret)
{
    if (count != 1)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("invalid type modifier"));
    const char *suffix = with_zone ? " WITH TIME ZONE" : "";
    if (arguments[0] < 0)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("%s(%lld)%s precision must not be negative", name,
                            (long long)arguments[0], suffix));
    if (arguments[0] > 6)
        NOTICE(SEVERITY_WARNING, ERR_INVALID_PARAMETER_VALUE,
               .message = fmt("%s(%lld)%s precision reduced to maximum allowed, 6", name,
                              (long long)arguments[0], suffix));
    *ret = (int32_t)MIN(arguments[0], 6);
    return true;
}

#define DATETIME_TYPMOD(type, name, with_zone)                                                     \
    bool typmod_##type##_in(const int64_t *arguments, int count, int32_t *ret_typmod)              \
    {                                                                                              \
        return typmod_precision(arguments, count, name, with_zone, ret_typmod);                    \
    }                                                                                              \
    void typmod_##type##_out(int32_t typmod, StrBuf *out)                                          \
    {                                                                                              \
        if (typmod >= 0)                                                                           \
            strbuf_format(out, "(%d)", typmod);                                                    \
    }
DATETIME_TYPMOD(time, "TIME", false)
DATETIME_TYPMOD(timetz, "TIME", true)
DATETIME_TYPMOD(timestamp, "TIMESTAMP", false)
DATETIME_TYPMOD(timestamptz, "TIMESTAMP", true)
