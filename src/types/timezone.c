/*
 * Time zones: TZif files (RFC 8536) of the system's zoneinfo, and POSIX rules for names such as
 * EST5EDT and for the times after a file's last transition.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/memory.h"
#include "base/os.h"
#include "types/datetime_internal.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo/"
#define ZONE_FILE_MAX (1 << 20)
#define EPOCH_2000 INT64_C(946684800) /* seconds from 1970 to 2000 */

typedef struct ZoneType {
    int32_t offset;
    bool is_dst;
    char abbreviation[12];
} ZoneType;

/* "Mm.w.d/time", day of year "Jn" and "n". */
typedef struct ZoneRule {
    char kind; /* M J N */
    int month, week, day;
    int32_t time;
} ZoneRule;

typedef struct PosixZone {
    bool is_valid, has_dst;
    ZoneType standard, daylight;
    ZoneRule start, end;
} PosixZone;

struct TimeZone {
    TimeZone *next; /* in the list of all; never changes once published */
    char name[64];
    size_t count;
    int64_t *times; /* transitions, seconds since 1970 */
    uint8_t *kinds;
    ZoneType types[256];
    size_t type_count;
    PosixZone posix;
};

/* All zones read so far; entries are only added. */
static _Atomic(TimeZone *) all_zones;

Str timezone_name(const TimeZone *zone)
{
    return str_from_c(zone->name);
}

/* POSIX TZ strings. */

/* Names may be empty, as PostgreSQL's may: "+02:00" is two hours west. */
static bool posix_name(const char **p, const char *end, char *name)
{
    size_t n = 0;
    const bool quoted = *p < end && **p == '<';
    *p += quoted;
    while (*p < end && (quoted ? **p != '>' : is_alpha(**p)) && n < 11)
        name[n++] = *(*p)++;
    name[n] = 0;
    if (quoted) {
        if (*p == end || **p != '>')
            return false;
        (*p)++;
    }
    return true;
}

static bool posix_number(const char **p, const char *end, int *ret)
{
    const char *start = *p;
    *ret = 0;
    while (*p < end && is_digit(**p) && *p - start < 6)
        *ret = *ret * 10 + (*(*p)++ - '0');
    return *p > start;
}

static bool posix_time(const char **p, const char *end, int32_t *ret)
{
    int sign = 1, hours = 0, minutes = 0, seconds = 0;
    if (*p < end && (**p == '-' || **p == '+'))
        sign = *(*p)++ == '-' ? -1 : 1;
    if (!posix_number(p, end, &hours) || hours > 167)
        return false;
    if (*p < end && **p == ':') {
        (*p)++;
        if (!posix_number(p, end, &minutes))
            return false;
    }
    if (*p < end && **p == ':') {
        (*p)++;
        if (!posix_number(p, end, &seconds))
            return false;
    }
    *ret = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

static bool posix_rule(const char **p, const char *end, ZoneRule *rule)
{
    if (*p >= end || **p != ',')
        return false;
    (*p)++;
    rule->kind = *p < end && (**p == 'M' || **p == 'J') ? *(*p)++ : 'N';
    if (rule->kind == 'M') {
        if (!posix_number(p, end, &rule->month) || *p >= end || *(*p)++ != '.' ||
            !posix_number(p, end, &rule->week) || *p >= end || *(*p)++ != '.' ||
            !posix_number(p, end, &rule->day) || rule->month < 1 || rule->month > 12)
            return false;
    } else if (!posix_number(p, end, &rule->day)) {
        return false;
    }
    rule->time = 7200;
    if (*p < end && **p == '/') {
        (*p)++;
        return posix_time(p, end, &rule->time);
    }
    return true;
}

static bool posix_parse(Str text, PosixZone *zone)
{
    const char *p = text.data, *end = text.data + text.length;
    int32_t offset;

    *zone = (PosixZone){0};
    if (!posix_name(&p, end, zone->standard.abbreviation) || !posix_time(&p, end, &offset))
        return false;
    zone->standard.offset = -offset;
    zone->is_valid = true;
    if (p == end)
        return true;
    zone->has_dst = true;
    if (!posix_name(&p, end, zone->daylight.abbreviation) || !zone->daylight.abbreviation[0])
        return false;
    zone->daylight.is_dst = true;
    zone->daylight.offset = zone->standard.offset + 3600;
    if (p < end && *p != ',') {
        if (!posix_time(&p, end, &offset))
            return false;
        zone->daylight.offset = -offset;
    }
    if (p == end) {
        /* The United States' rules where none are given. */
        zone->start = (ZoneRule){'M', 3, 2, 0, 7200};
        zone->end = (ZoneRule){'M', 11, 1, 0, 7200};
        return true;
    }
    return posix_rule(&p, end, &zone->start) && posix_rule(&p, end, &zone->end) && p == end;
}

/* Seconds since 1970, local time, at which the rule applies in a year. */
static int64_t rule_time(const ZoneRule *rule, int64_t year)
{
    int64_t day;
    if (rule->kind == 'M') {
        const int64_t first = days_from_civil(year, rule->month, 1);
        int in_month = (rule->day - day_of_week(first) + 7) % 7 + (rule->week - 1) * 7;
        if (in_month >= days_in_month(year, rule->month))
            in_month -= 7;
        day = first + in_month;
    } else {
        day = days_from_civil(year, 1, 1) + rule->day;
        if (rule->kind == 'J')
            day -= rule->day < 60 || days_in_month(year, 2) == 28 ? 1 : 0;
    }
    return (day + DAYS_1970_TO_2000) * 86400 + rule->time;
}

static const ZoneType *posix_type_at(const PosixZone *zone, int64_t seconds)
{
    int64_t year, days;
    int month, day;
    if (!zone->has_dst)
        return &zone->standard;
    days = seconds + zone->standard.offset;
    days = (days >= 0 ? days / 86400 : -((-days + 86399) / 86400)) - DAYS_1970_TO_2000;
    civil_from_days(days, &year, &month, &day);
    const int64_t start = rule_time(&zone->start, year) - zone->standard.offset;
    const int64_t end = rule_time(&zone->end, year) - zone->daylight.offset;
    const bool is_dst =
        start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end;
    return is_dst ? &zone->daylight : &zone->standard;
}

/* TZif. */

typedef struct ZoneHeader {
    uint32_t counts[6]; /* isut, isstd, leap, time, type, character */
    char version;
} ZoneHeader;

static bool header_read(Str file, size_t at, ZoneHeader *ret)
{
    if (file.length < at + 44 || memcmp(file.data + at, "TZif", 4) != 0)
        return false;
    ret->version = file.data[at + 4];
    for (int i = 0; i < 6; i++) {
        ret->counts[i] = get_be32(file.data + at + 20 + 4 * i);
        if (ret->counts[i] > ZONE_FILE_MAX)
            return false;
    }
    return ret->counts[4] >= 1 && ret->counts[4] <= 256;
}

static size_t body_size(const ZoneHeader *h, size_t time_size)
{
    return h->counts[3] * time_size + h->counts[3] + h->counts[4] * 6 + h->counts[5] +
           h->counts[2] * (time_size + 4) + h->counts[1] + h->counts[0];
}

static bool zone_decode(TimeZone *zone, Str file)
{
    ZoneHeader h;
    size_t at = 0, width = 4;

    if (!header_read(file, 0, &h))
        return false;
    if (h.version >= '2') {
        at = 44 + body_size(&h, 4);
        width = 8;
        if (!header_read(file, at, &h))
            return false;
    }
    at += 44;
    if (file.length < at + body_size(&h, width))
        return false;
    const char *times = file.data + at, *kinds = times + h.counts[3] * width;
    const char *types = kinds + h.counts[3], *names = types + h.counts[4] * 6;
    zone->count = h.counts[3];
    zone->times = memory_malloc(MAX(zone->count, 1u) * sizeof(int64_t));
    zone->kinds = memory_malloc(MAX(zone->count, 1u));
    if (!zone->times || !zone->kinds)
        return false;
    for (size_t i = 0; i < zone->count; i++) {
        zone->times[i] =
            width == 8 ? (int64_t)get_be64(times + i * 8) : (int32_t)get_be32(times + i * 4);
        zone->kinds[i] = (uint8_t)kinds[i];
        if (zone->kinds[i] >= h.counts[4])
            return false;
    }
    zone->type_count = h.counts[4];
    for (size_t i = 0; i < zone->type_count; i++) {
        const uint8_t name = (uint8_t)types[i * 6 + 5];
        if (name >= h.counts[5])
            return false;
        zone->types[i].offset = (int32_t)get_be32(types + i * 6);
        zone->types[i].is_dst = types[i * 6 + 4] != 0;
        for (size_t k = 0; k < 11 && name + k < h.counts[5] && names[name + k]; k++)
            zone->types[i].abbreviation[k] = names[name + k];
    }
    at += body_size(&h, width);
    if (width == 8 && at + 2 < file.length && file.data[at] == '\n') {
        const Str footer = str_slice(file, at + 1, file.length - at - 2);
        if (footer.length > 0 && !posix_parse(footer, &zone->posix))
            zone->posix.is_valid = false;
    }
    return true;
}

static bool zone_read(TimeZone *zone)
{
    char path[128];
    uint64_t size;
    const int length = snprintf(path, sizeof(path), ZONE_DIRECTORY "%s", zone->name);
    File *file = os->file_open(str_make(path, (size_t)length), OS_READ_ONLY);
    if (!file) {
        error_clear();
        return false;
    }
    bool ok = os->file_size(file, &size) && size <= ZONE_FILE_MAX;
    char *bytes = ok ? memory_malloc(size + 1) : NULL;
    ok = bytes && os->file_read(file, bytes, size, 0);
    os->file_close(file);
    if (!ok)
        error_clear();
    ok = ok && zone_decode(zone, str_make(bytes, size));
    memory_free(bytes);
    return ok;
}

/* Finds the spelling that the directory has of a name in any case. */
typedef struct NameSearch {
    Str wanted;
    char *found;
    bool is_found;
} NameSearch;

static bool name_visit(void *context, Str name, bool is_directory)
{
    NameSearch *search = context;
    if (!str_equal_nocase(name, search->wanted))
        return true;
    memcpy(search->found, name.data, name.length);
    search->is_found = true;
    return false;
}

static bool name_canonical(char *name)
{
    char path[128] = ZONE_DIRECTORY;
    size_t base = strlen(ZONE_DIRECTORY);
    for (char *part = name; *part;) {
        const size_t length = strcspn(part, "/");
        NameSearch search = {.wanted = str_make(part, length), .found = part};
        if (length == 0)
            return false;
        if (!os->list_directory(str_make(path, base), name_visit, &search))
            error_clear();
        if (!search.is_found || base + length + 2 > sizeof(path))
            return false;
        memcpy(path + base, part, length);
        base += length;
        path[base++] = '/';
        part += length + (part[length] == '/');
    }
    return true;
}

static bool name_is_safe(Str name)
{
    if (name.length == 0 || name.length >= 63 || name.data[0] == '/')
        return false;
    for (size_t i = 0; i < name.length; i++) {
        const char c = name.data[i];
        if (!is_alpha(c) && !is_digit(c) && !strchr("/_+-<>:,.", c))
            return false;
    }
    return str_find(name, STR(".."), 0) == SIZE_MAX;
}

static bool zone_open(TimeZone *zone)
{
    static const char *const utc_names[] = {"UTC", "GMT", "Etc/UTC", "Z", "Zulu"};
    for (size_t i = 0; i < ARRAY_LENGTH(utc_names); i++)
        if (strcasecmp(zone->name, utc_names[i]) == 0) {
            memcpy(zone->name, utc_names[i], strlen(utc_names[i]));
            zone->posix.is_valid = true;
            memcpy(zone->posix.standard.abbreviation, i == 1 ? "GMT" : "UTC", 4);
            return true;
        }
    if (name_canonical(zone->name) && zone_read(zone))
        return true;
    if (!posix_parse(str_from_c(zone->name), &zone->posix))
        return false;
    for (char *c = zone->name; *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    return true;
}

const TimeZone *timezone_find(Str name)
{
    TimeZone *head = atomic_load_explicit(&all_zones, memory_order_acquire);
    for (TimeZone *zone = head; zone; zone = zone->next)
        if (str_equal_nocase(str_from_c(zone->name), name))
            return zone;
    if (!name_is_safe(name))
        return NULL;
    TimeZone *zone = memory_calloc(1, sizeof(*zone));
    if (!zone)
        return NULL;
    memcpy(zone->name, name.data, name.length);
    if (!zone_open(zone)) {
        memory_free(zone->times);
        memory_free(zone->kinds);
        memory_free(zone);
        return NULL;
    }
    /* Two threads may add the same zone; either copy serves. */
    zone->next = head;
    while (!atomic_compare_exchange_weak(&all_zones, &zone->next, zone))
        ;
    return zone;
}

static _Thread_local const TimeZone *session_zone;
static _Thread_local const char *session_zone_text;
static _Thread_local size_t session_zone_length;

/* A numeric zone, "+02" or "-5.5" hours east, as SET TIME ZONE has it: POSIX <+02>-02. */
const TimeZone *timezone_numeric(Str name)
{
    double hours;
    if (name.length == 0 || (!is_digit(name.data[0]) && name.data[0] != '-' && name.data[0] != '+'))
        return NULL;
    if (!float8_parse(name, "interval", &hours)) {
        error_clear();
        return NULL;
    }
    const int seconds = (int)(hours * 3600), size = abs(seconds);
    char text[64];
    char clock[16];
    if (size > 168 * 3600)
        return NULL;
    if (size % 3600)
        snprintf(clock, sizeof(clock), "%02d:%02d", size / 3600, size / 60 % 60);
    else
        snprintf(clock, sizeof(clock), "%02d", size / 3600);
    const int n = snprintf(text, sizeof(text), "<%c%s>%c%s", seconds < 0 ? '-' : '+', clock,
                           seconds < 0 ? '+' : '-', clock);
    return timezone_find(str_make(text, (size_t)n));
}

const TimeZone *timezone_session(void)
{
    const Str name = settings()->time_zone;
    if (session_zone && session_zone_text == name.data && session_zone_length == name.length &&
        str_equal_nocase(name, timezone_name(session_zone)))
        return session_zone;
    const TimeZone *zone = timezone_numeric(name);
    if (!zone && name.length)
        zone = timezone_find(name);
    if (!zone)
        zone = timezone_find(STR("UTC"));
    session_zone = zone;
    session_zone_text = name.data;
    session_zone_length = name.length;
    return zone;
}

static const ZoneType *zone_type_at(const TimeZone *zone, int64_t seconds)
{
    if (zone->count == 0 || seconds >= zone->times[zone->count - 1]) {
        if (zone->posix.is_valid)
            return posix_type_at(&zone->posix, seconds);
        return &zone->types[zone->count ? zone->kinds[zone->count - 1] : 0];
    }
    if (seconds < zone->times[0]) {
        for (size_t i = 0; i < zone->type_count; i++)
            if (!zone->types[i].is_dst)
                return &zone->types[i];
        return &zone->types[0];
    }
    size_t low = 0, high = zone->count;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (zone->times[middle] <= seconds)
            low = middle;
        else
            high = middle;
    }
    return &zone->types[zone->kinds[low]];
}

static int64_t floor_seconds(int64_t timestamp)
{
    const int64_t s = timestamp / USECS_PER_SEC;
    return (timestamp % USECS_PER_SEC < 0 ? s - 1 : s) + EPOCH_2000;
}

int32_t timezone_offset_at(const TimeZone *zone, int64_t timestamptz, Str *ret_abbreviation,
                           bool *ret_is_dst)
{
    const ZoneType *type = zone_type_at(zone, floor_seconds(timestamptz));
    if (ret_abbreviation)
        *ret_abbreviation = str_from_c(type->abbreviation);
    if (ret_is_dst)
        *ret_is_dst = type->is_dst;
    return type->offset;
}

/* As PostgreSQL: in a gap and in an overlap the offset that holds before, and after, it. */
int32_t timezone_offset_of_local(const TimeZone *zone, int64_t local)
{
    const int64_t seconds = floor_seconds(local);
    const ZoneType *before = zone_type_at(zone, seconds - 86400);
    const ZoneType *after = zone_type_at(zone, seconds + 86400);
    if (before->offset == after->offset) {
        /* Two changes within two days do not happen; one may touch neither end. */
        return zone_type_at(zone, seconds - before->offset)->offset;
    }
    const bool before_ok = zone_type_at(zone, seconds - before->offset)->offset == before->offset;
    const bool after_ok = zone_type_at(zone, seconds - after->offset)->offset == after->offset;
    if (before_ok && !after_ok)
        return before->offset;
    if (after_ok && !before_ok)
        return after->offset;
    /* Both or neither: the standard-time reading. */
    return before->is_dst && !after->is_dst   ? after->offset
           : !before->is_dst && after->is_dst ? before->offset
                                              : after->offset;
}

bool timezone_is_fixed(const TimeZone *zone)
{
    if (zone->count == 0)
        return !zone->posix.has_dst;
    for (size_t i = 1; i < zone->type_count; i++)
        if (zone->types[i].offset != zone->types[0].offset)
            return false;
    return !zone->posix.has_dst;
}

static bool type_matches(const ZoneType *type, Str abbreviation, int32_t *ret_offset,
                         bool *ret_is_dst)
{
    if (!str_equal_nocase(str_from_c(type->abbreviation), abbreviation))
        return false;
    *ret_offset = type->offset;
    *ret_is_dst = type->is_dst;
    return true;
}

bool timezone_abbreviation_offset(const TimeZone *zone, Str abbreviation, int64_t timestamptz,
                                  int32_t *ret_offset, bool *ret_is_dst)
{
    const int64_t seconds = floor_seconds(timestamptz);
    const PosixZone *posix = &zone->posix;
    size_t past = 0; /* transitions at or before the moment */
    if (type_matches(zone_type_at(zone, seconds), abbreviation, ret_offset, ret_is_dst))
        return true;
    while (past < zone->count && zone->times[past] <= seconds)
        past++;
    if (past == zone->count && posix->is_valid &&
        (type_matches(&posix->standard, abbreviation, ret_offset, ret_is_dst) ||
         (posix->has_dst && type_matches(&posix->daylight, abbreviation, ret_offset, ret_is_dst))))
        return true;
    for (size_t i = past; i > 0; i--)
        if (type_matches(&zone->types[zone->kinds[i - 1]], abbreviation, ret_offset, ret_is_dst))
            return true;
    for (size_t i = past; i < zone->count; i++)
        if (type_matches(&zone->types[zone->kinds[i]], abbreviation, ret_offset, ret_is_dst))
            return true;
    return false;
}

/* "+03", "-05:30": a POSIX string without a name, which counts to the west. */
static bool posix_offset(Str name, int32_t *ret)
{
    const char *p = name.data, *end = name.data + name.length;
    if (name.length < 2 || (p[0] != '+' && p[0] != '-') || !posix_time(&p, end, ret) || p != end)
        return false;
    *ret = -*ret;
    return true;
}

bool zone_lookup(Str name, int64_t timestamp, ZoneClock clock, int32_t *ret_offset,
                 const TimeZone **ret_zone)
{
    *ret_zone = NULL;
    if (zone_abbreviation(name, timestamp, clock, ret_offset))
        return true;
    *ret_zone = timezone_find(name);
    if (!*ret_zone && posix_offset(name, ret_offset))
        return true;
    if (!*ret_zone)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("time zone \"%.*s\" not recognized", STR_ARGS(name)));
    return true;
}
