/*
 * Inside the date and time files: broken-down times and what parses and prints them.
 */
#ifndef TYPES_DATETIME_INTERNAL_H
#define TYPES_DATETIME_INTERNAL_H

#include "types/datetime.h"
#include "types/types_internal.h"

/* The first and last instants that a timestamp holds: 4714-11-24 BC, 294276-12-31. */
#define TIMESTAMP_FIRST INT64_C(-211813488000000000)
#define TIMESTAMP_END INT64_C(9223371331200000000)
#define DATE_FIRST (-2451545) /* 4714-11-24 BC: Julian day 0 */
#define DATE_END 2145031949   /* 5874898-01-01 */
#define JULIAN_2000 2451545

static inline bool timestamp_in_range(int64_t t)
{
    return t >= TIMESTAMP_FIRST && t < TIMESTAMP_END;
}
static inline bool timestamp_is_finite(int64_t t)
{
    return t != TIMESTAMP_INFINITY && t != TIMESTAMP_MINUS_INFINITY;
}
static inline bool date_is_finite(int32_t d)
{
    return d != DATE_INFINITY && d != DATE_MINUS_INFINITY;
}

/* A point in calendar time. Years are astronomical: 0 is 1 BC. */
typedef struct Fields {
    int64_t year;
    int month, day, hour, minute, second, microsecond;
    int offset; /* seconds east of UTC */
    bool has_offset;
    Str abbreviation;
} Fields;

int64_t days_from_civil(int64_t year, int month, int day); /* since 2000-01-01 */
void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);
int days_in_month(int64_t year, int month);
int day_of_week(int64_t days); /* 0 Sunday */
void iso_week(int64_t days, int64_t *ret_year, int *ret_week);
int64_t iso_week_start(int64_t year, int week);

void fields_from_timestamp(int64_t timestamp, Fields *ret); /* local time, no zone */
void fields_from_timestamptz(int64_t timestamptz, const TimeZone *zone, Fields *ret);
/* 22008 "timestamp out of range" */
MUST_CHECK bool fields_to_timestamp(const Fields *fields, int64_t *ret);
/* With the fields' offset where they have one, else the zone's. */
MUST_CHECK bool fields_to_timestamptz(const Fields *fields, const TimeZone *zone, int64_t *ret);
static inline int64_t fields_time(const Fields *f)
{
    return ((f->hour * 60LL + f->minute) * 60 + f->second) * USECS_PER_SEC + f->microsecond;
}
void fields_set_time(Fields *f, int64_t microseconds);
/* What a clock there shows, which at the ends of the range may be no timestamp. */
int64_t timestamp_local_clock(int64_t timestamptz, const TimeZone *zone);
MUST_CHECK bool timestamp_to_local(int64_t timestamptz, const TimeZone *zone, int64_t *ret);
MUST_CHECK bool timestamp_from_local(int64_t local, const TimeZone *zone, int64_t *ret);

typedef enum ParsedKind {
    PARSED_FAILED = 0,
    PARSED_FIELDS,
    PARSED_INFINITY,
    PARSED_MINUS_INFINITY
} ParsedKind;
enum { WANT_DATE = 1, WANT_TIME = 2, WANT_ZONE = 4 };
/* Parses text of a date, time or timestamp. `zone` is the named zone if one was written. */
typedef struct Parsed {
    Fields fields;
    bool has_date, has_time;
    const TimeZone *zone;
} Parsed;
ParsedKind datetime_parse(Str text, const char *type_name, int wanted, Parsed *ret);

typedef enum DateStyle { STYLE_ISO = 0, STYLE_SQL, STYLE_POSTGRES, STYLE_GERMAN } DateStyle;
typedef enum DateOrder { ORDER_MDY = 0, ORDER_DMY, ORDER_YMD } DateOrder;
void date_style(DateStyle *ret_style, DateOrder *ret_order);

extern const char *const month_names[12];
extern const char *const day_names[7];

/* "+02", "-5.5": hours east of UTC; NULL (no error): not a number. */
const TimeZone *timezone_numeric(Str name);
/* Which clock tells the moment at which a zone's name is asked about. */
typedef enum ZoneClock { ZONE_CLOCK_UTC = 0, ZONE_CLOCK_LOCAL } ZoneClock;
/* An abbreviation of the standard set ("EST", "CET") at a moment; false: none such. */
bool zone_abbreviation(Str word, int64_t timestamp, ZoneClock clock, int32_t *ret_offset);
typedef enum ZoneAbbreviationKind {
    ABBREVIATION_NONE = 0,
    ABBREVIATION_FIXED,
    ABBREVIATION_SUMMER,  /* daylight saving time */
    ABBREVIATION_OF_ZONE, /* has had several meanings */
} ZoneAbbreviationKind;
ZoneAbbreviationKind zone_abbreviation_kind(Str word);
bool timezone_is_fixed(const TimeZone *zone); /* one offset at all times */
/* What an abbreviation means in a zone at a moment: as it is used then, was used last, or will
 * be first. False: never used. */
bool timezone_abbreviation_offset(const TimeZone *zone, Str abbreviation, int64_t timestamptz,
                                  int32_t *ret_offset, bool *ret_is_dst);
/* A zone as AT TIME ZONE takes it: abbreviation, name or POSIX string. 22023 when unknown. */
MUST_CHECK bool zone_lookup(Str name, int64_t timestamp, ZoneClock clock, int32_t *ret_offset,
                            const TimeZone **ret_zone);

void append_fraction(int microsecond, StrBuf *out);    /* ".123", nothing for 0 */
void append_offset(int32_t seconds_east, StrBuf *out); /* "+05:30" */
int64_t timestamp_round(int64_t value, int32_t typmod);
int64_t clock_transaction(const FunctionCall *call);
int64_t clock_transaction_hook(void);

/* interval.c */
const char *interval_range_text(int range);
void interval_append_text(const Interval *interval, StrBuf *out);
MUST_CHECK bool interval_apply_typmod(int32_t typmod, Interval *interval);
int128 interval_span(const Interval *interval);
MUST_CHECK bool timestamp_add_interval(int64_t timestamp, const Interval *interval, int64_t *ret);
MUST_CHECK bool interval_negate(const Interval *interval, Interval *ret);
MUST_CHECK bool interval_plus(const Interval *a, const Interval *b, Interval *ret);
MUST_CHECK bool interval_minus(const Interval *a, const Interval *b, Interval *ret);
/* interval × factor; with `divisor` not 0, interval ÷ divisor. Fractions spill down. */
MUST_CHECK bool interval_scale(const Interval *interval, double factor, double divisor,
                               Interval *ret);
bool date_to_timestamp(int32_t date, int64_t *ret);

#define FAIL_DATE_FIELD(text)                                                                      \
    FAIL(ERR_DATETIME_FIELD_OVERFLOW,                                                              \
         .message = fmt("date/time field value out of range: \"%.*s\"", STR_ARGS(text)))
#define FAIL_DATE_SYNTAX(type_name, text)                                                          \
    FAIL(ERR_INVALID_DATETIME_FORMAT,                                                              \
         .message = fmt("invalid input syntax for type %s: \"%.*s\"", type_name, STR_ARGS(text)))

#endif
