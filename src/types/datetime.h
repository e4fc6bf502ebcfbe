/*
 * Dates, times, zones. Calendar arithmetic is proleptic Gregorian, as PostgreSQL's.
 */
#ifndef TYPES_DATETIME_H
#define TYPES_DATETIME_H

#include "types/type.h"

#define USECS_PER_SEC INT64_C(1000000)
#define USECS_PER_MINUTE (60 * USECS_PER_SEC)
#define USECS_PER_HOUR (3600 * USECS_PER_SEC)
#define USECS_PER_DAY (86400 * USECS_PER_SEC)
#define TIMESTAMP_INFINITY INT64_MAX
#define TIMESTAMP_MINUS_INFINITY INT64_MIN
#define DATE_INFINITY INT32_MAX
#define DATE_MINUS_INFINITY INT32_MIN
#define DAYS_1970_TO_2000 10957

/* The wall clock as a timestamptz. */
int64_t timestamp_now(void);
MUST_CHECK bool timestamptz_add_interval(int64_t timestamptz, const Interval *interval,
                                         int64_t *ret);
/* A zone by name ("Europe/Berlin", "UTC", POSIX "EST5EDT", "<+03>-03"); NULL: no such zone (no
 * error). Zones are cached for ever. */
typedef struct TimeZone TimeZone;
const TimeZone *timezone_find(Str name);
const TimeZone *timezone_session(void);
/* The abbreviations that input takes, one after the other; false: no more. */
bool timezone_abbreviation_at(size_t index, int64_t timestamptz, Str *ret_name, int32_t *ret_offset,
                              bool *ret_is_dst);
/* Seconds east of UTC at a UTC instant, with abbreviation and DST flag (each may be NULL). */
int32_t timezone_offset_at(const TimeZone *zone, int64_t timestamptz, Str *ret_abbreviation,
                           bool *ret_is_dst);
/* The offset that local time has (the earlier reading where it is ambiguous). */
int32_t timezone_offset_of_local(const TimeZone *zone, int64_t local);
Str timezone_name(const TimeZone *zone);

#endif
