/*
 * to_date and to_timestamp: text read by a template (datetime_template.h).
 *
 * Reading is lenient: a separator or space in the template matches any one of the text or none,
 * spaces before fields are skipped, and literal characters stand for any character. FX makes it
 * exact.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "types/datetime_template.h"

typedef enum Calendar { CALENDAR_ANY = 0, CALENDAR_GREGORIAN, CALENDAR_ISO_WEEK } Calendar;

/* What has been read; 0 is "not given", as PostgreSQL has it. */
typedef struct Reading {
    Calendar calendar;
    int hour, minute, second, day_seconds, day_of_week, day, day_of_year, month, millisecond, year,
        is_bc, week, week_of_month, century, julian, microsecond, year_digits, is_pm,
        fraction_digits; /* of FF1 to FF6; 0: none */
    bool is_12_hour;
    int zone_sign, zone_hour, zone_minute;
} Reading;

typedef struct Reader {
    const Template *template;
    Str text; /* ends in a NUL past its length */
    size_t at;
    int extra_skip; /* characters skipped beyond those of the template */
    bool is_exact;
    Reading r;
} Reader;

static char here(const Reader *in)
{
    return in->at < in->text.length ? in->text.data[in->at] : 0;
}

static void skip_character(Reader *in)
{
    if (in->at < in->text.length)
        in->at = MIN(in->text.length, in->at + (size_t)utf8_width(in->text.data[in->at]));
}

static bool field_set(int *field, int value, const Node *node)
{
    if (*field != 0 && *field != value)
        FAIL(ERR_INVALID_DATETIME_FORMAT,
             .message = fmt("conflicting values for \"%.*s\" field in formatting string",
                            STR_ARGS(node->text)),
             .detail = STR("This value contradicts a previous setting for the same field type."));
    *field = value;
    return true;
}

static bool key_is_number(Key key)
{
    switch (key) {
    case KEY_LITERAL:
    case KEY_AM:
    case KEY_AM_DOTS:
    case KEY_BC:
    case KEY_BC_DOTS:
    case KEY_DAY:
    case KEY_DY:
    case KEY_FX:
    case KEY_MONTH:
    case KEY_MON:
    case KEY_OF:
    case KEY_RM:
    case KEY_TZH:
    case KEY_TZ:
        return false;
    default:
        return true;
    }
}

/* Whether a number ends where the text stops being digits, rather than after its width. */
static bool next_is_separator(const Reader *in, const Node *node)
{
    if (node->ordinal)
        return true;
    const Node *next = node + 1;
    if (next == in->template->items + in->template->length)
        return true;
    if (next->key != KEY_LITERAL)
        return !key_is_number(next->key);
    return !(next->text.length == 1 && is_digit(next->text.data[0]));
}

static const char *const fill_hint =
    "If your source string is not fixed-width, try using the \"FM\" modifier.";

/* A number of at most `width` characters; its length in *ret_length. */
static bool number_read(Reader *in, const Node *node, int width, int *field, int *ret_length)
{
    const size_t start = in->at;
    char copy[16] = {0};
    char *end;
    long result;
    while (is_space(here(in)))
        in->at++;
    const int left = (int)MIN(in->text.length - in->at, (size_t)INT_MAX);
    const int used = MIN(left, width);
    memcpy(copy, in->text.data + in->at, (size_t)used);
    errno = 0;
    if (node->fill || next_is_separator(in, node)) {
        result = strtol(in->text.data + start, &end, 10);
        in->at = (size_t)(end - in->text.data);
    } else {
        if (left < width)
            FAIL(ERR_INVALID_DATETIME_FORMAT,
                 .message = fmt("source string too short for \"%.*s\" formatting field",
                                STR_ARGS(node->text)),
                 .detail = fmt("Field requires %d characters, but only %d remain.", width, left),
                 .hint = str_from_c(fill_hint));
        result = strtol(copy, &end, 10);
        const int parsed = (int)(end - copy);
        if (parsed > 0 && parsed < width)
            FAIL(ERR_INVALID_DATETIME_FORMAT,
                 .message = fmt("invalid value \"%s\" for \"%.*s\"", copy, STR_ARGS(node->text)),
                 .detail = fmt("Field requires %d characters, but only %d could be parsed.", width,
                               parsed),
                 .hint = str_from_c(fill_hint));
        in->at += (size_t)parsed;
    }
    if (in->at == start)
        FAIL(ERR_INVALID_DATETIME_FORMAT,
             .message = fmt("invalid value \"%s\" for \"%.*s\"", copy, STR_ARGS(node->text)),
             .detail = STR("Value must be an integer."));
    if (errno == ERANGE || result < INT_MIN || result > INT_MAX)
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE,
             .message =
                 fmt("value for \"%.*s\" in source string is out of range", STR_ARGS(node->text)),
             .detail = fmt("Value must be in the range %d to %d.", INT_MIN, INT_MAX));
    if (ret_length)
        *ret_length = (int)(in->at - start);
    return field ? field_set(field, (int)result, node) : true;
}

static void ordinal_skip(Reader *in, const Node *node)
{
    if (node->ordinal) {
        skip_character(in);
        skip_character(in);
    }
}

static bool number_field(Reader *in, const Node *node, int width, int *field)
{
    TRY(number_read(in, node, width, field, NULL));
    ordinal_skip(in, node);
    return true;
}

/* The first of the words that the text goes on with, in any case. `length` 0: whole words. */
static bool word_read(Reader *in, const Node *node, const char *const *words, int count,
                      size_t length, int *ret)
{
    const Str rest = str_slice(in->text, in->at, in->text.length);
    for (int i = 0; i < count; i++) {
        const Str word = str_make(words[i], length ? length : strlen(words[i]));
        if (rest.length >= word.length && str_equal_nocase(str_slice(rest, 0, word.length), word)) {
            in->at += word.length;
            *ret = i;
            return true;
        }
    }
    size_t end = 0;
    while (end < rest.length && !is_space(rest.data[end]))
        end++;
    FAIL(ERR_INVALID_DATETIME_FORMAT,
         .message =
             fmt("invalid value \"%.*s\" for \"%.*s\"", (int)end, rest.data, STR_ARGS(node->text)),
         .detail = STR("The given value did not match any of the allowed values for this field."));
}

static bool half_read(Reader *in, const Node *node)
{
    static const char *const halves[] = {"am", "pm"}, *const dotted_halves[] = {"a.m.", "p.m."};
    static const char *const eras[] = {"ad", "bc"}, *const dotted_eras[] = {"a.d.", "b.c."};
    int value;
    switch (node->key) {
    case KEY_AM:
    case KEY_AM_DOTS:
        TRY(word_read(in, node, node->key == KEY_AM ? halves : dotted_halves, 2, 0, &value));
        in->r.is_12_hour = true;
        return field_set(&in->r.is_pm, value, node);
    default:
        TRY(word_read(in, node, node->key == KEY_BC ? eras : dotted_eras, 2, 0, &value));
        return field_set(&in->r.is_bc, value, node);
    }
}

static bool name_read(Reader *in, const Node *node)
{
    /* Longer numerals first: each begins with a shorter one. */
    static const char *const romans[] = {"xii", "xi", "x",  "ix",  "viii", "vii",
                                         "vi",  "v",  "iv", "iii", "ii",   "i"};
    int value;
    switch (node->key) {
    case KEY_MONTH:
    case KEY_MON:
        TRY(word_read(in, node, month_names, 12, node->key == KEY_MON ? 3 : 0, &value));
        return field_set(&in->r.month, value + 1, node);
    case KEY_RM:
        TRY(word_read(in, node, romans, 12, 0, &value));
        return field_set(&in->r.month, 12 - value, node);
    default:
        TRY(word_read(in, node, day_names, 7, node->key == KEY_DY ? 3 : 0, &value));
        TRY(field_set(&in->r.day_of_week, value, node));
        in->r.day_of_week++;
        return true;
    }
}

static bool fraction_read(Reader *in, const Node *node)
{
    static const int scales[] = {1, 100000, 10000, 1000, 100, 10, 1};
    const bool is_milli = node->key == KEY_MS;
    const int width = is_milli ? 3 : node->key == KEY_US ? 6 : node->digits;
    int length;
    if (is_milli) {
        TRY(number_read(in, node, width, &in->r.millisecond, &length));
        in->r.millisecond *= length == 1 ? 100 : length == 2 ? 10 : 1;
    } else {
        if (node->key == KEY_FF)
            in->r.fraction_digits = node->digits;
        TRY(number_read(in, node, width, &in->r.microsecond, &length));
        in->r.microsecond *= length <= 6 ? scales[length] : 1;
    }
    ordinal_skip(in, node);
    return true;
}

/* Years of less than four digits are those nearest to 2020. */
static int year_complete(int year)
{
    return year < 70     ? year + 2000
           : year < 100  ? year + 1900
           : year < 520  ? year + 2000
           : year < 1000 ? year + 1000
                         : year;
}

static bool year_read(Reader *in, const Node *node)
{
    Reading *r = &in->r;
    int length, digits;
    switch (node->key) {
    case KEY_YYYY:
    case KEY_IYYYY:
        digits = 4;
        break;
    case KEY_YYY:
    case KEY_IYYY:
        digits = 3;
        break;
    case KEY_YY:
    case KEY_IYY:
        digits = 2;
        break;
    default:
        digits = 1;
    }
    TRY(number_read(in, node, digits, &r->year, &length));
    if (digits < 4 && length < 4)
        r->year = year_complete(r->year);
    r->year_digits = digits;
    ordinal_skip(in, node);
    return true;
}

/* "2,026" */
static bool grouped_year_read(Reader *in, const Node *node)
{
    const char *start = in->text.data + in->at;
    char *comma, *end;
    const long thousands = strtol(start, &comma, 10);
    if (comma == start || *comma != ',')
        FAIL(ERR_INVALID_DATETIME_FORMAT, .message = STR("invalid input string for \"Y,YYY\""));
    char digits[4] = {0};
    for (int i = 0; i < 3 && comma[1 + i]; i++)
        digits[i] = comma[1 + i];
    const long rest = strtol(digits, &end, 10);
    if (end == digits)
        FAIL(ERR_INVALID_DATETIME_FORMAT, .message = STR("invalid input string for \"Y,YYY\""));
    TRY(field_set(&in->r.year, (int)(rest + thousands * 1000), node));
    in->r.year_digits = 4;
    in->at += (size_t)(comma - start) + 1 + (size_t)(end - digits);
    ordinal_skip(in, node);
    return true;
}

static bool zone_read(Reader *in, const Node *node)
{
    Reading *r = &in->r;
    if (node->key == KEY_TZM) {
        r->zone_sign = r->zone_sign ? r->zone_sign : 1;
        return number_read(in, node, 2, &r->zone_minute, NULL);
    }
    const char c = here(in);
    if (c == '+' || c == '-' || c == ' ') {
        r->zone_sign = c == '-' ? -1 : 1;
        in->at++;
    } else {
        /* A minus may have been taken for a separator. */
        r->zone_sign = in->extra_skip > 0 && in->text.data[in->at - 1] == '-' ? -1 : 1;
    }
    return number_read(in, node, 2, &r->zone_hour, NULL);
}

static Calendar calendar_of(Key key)
{
    switch (key) {
    case KEY_DDD:
    case KEY_DD:
    case KEY_D:
    case KEY_MM:
    case KEY_MONTH:
    case KEY_MON:
    case KEY_RM:
    case KEY_WW:
    case KEY_W:
    case KEY_Y_YYY:
    case KEY_YYYY:
    case KEY_YYY:
    case KEY_YY:
    case KEY_Y:
        return CALENDAR_GREGORIAN;
    case KEY_IDDD:
    case KEY_ID:
    case KEY_IW:
    case KEY_IYYYY:
    case KEY_IYYY:
    case KEY_IYY:
    case KEY_IY:
        return CALENDAR_ISO_WEEK;
    default:
        return CALENDAR_ANY;
    }
}

static bool calendar_read(Reader *in, const Node *node)
{
    Reading *r = &in->r;
    switch (node->key) {
    case KEY_MM:
        return number_field(in, node, 2, &r->month);
    case KEY_DDD:
        return number_field(in, node, 3, &r->day_of_year);
    case KEY_IDDD:
        return number_field(in, node, 3, &r->day_of_year);
    case KEY_DD:
        return number_field(in, node, 2, &r->day);
    case KEY_D:
        return number_field(in, node, 1, &r->day_of_week);
    case KEY_ID:
        TRY(number_read(in, node, 1, &r->day_of_week, NULL));
        if (++r->day_of_week > 7)
            r->day_of_week = 1;
        ordinal_skip(in, node);
        return true;
    case KEY_WW:
    case KEY_IW:
        return number_field(in, node, 2, &r->week);
    case KEY_W:
        return number_field(in, node, 1, &r->week_of_month);
    case KEY_Q:
        return number_field(in, node, 1, NULL);
    case KEY_CC:
        return number_field(in, node, 2, &r->century);
    case KEY_J:
        return number_field(in, node, 1, &r->julian);
    case KEY_Y_YYY:
        return grouped_year_read(in, node);
    default:
        return year_read(in, node);
    }
}

static bool pattern_read(Reader *in, const Node *node)
{
    Reading *r = &in->r;
    const Calendar calendar = calendar_of(node->key);
    if (calendar && r->calendar && r->calendar != calendar)
        FAIL(ERR_INVALID_DATETIME_FORMAT, .message = STR("invalid combination of date conventions"),
             .hint = STR("Do not mix Gregorian and ISO week date conventions in a formatting "
                         "template."));
    if (calendar)
        r->calendar = calendar;
    switch (node->key) {
    case KEY_FX:
        in->is_exact = true;
        return true;
    case KEY_AM:
    case KEY_AM_DOTS:
    case KEY_BC:
    case KEY_BC_DOTS:
        return half_read(in, node);
    case KEY_MONTH:
    case KEY_MON:
    case KEY_RM:
    case KEY_DAY:
    case KEY_DY:
        return name_read(in, node);
    case KEY_HH12:
        r->is_12_hour = true;
        FALLTHROUGH;
    case KEY_HH24:
        return number_field(in, node, 2, &r->hour);
    case KEY_MI:
        return number_field(in, node, 2, &r->minute);
    case KEY_SS:
        return number_field(in, node, 2, &r->second);
    case KEY_SSSS:
        return number_field(in, node, (int)node->text.length, &r->day_seconds);
    case KEY_MS:
    case KEY_US:
    case KEY_FF:
        return fraction_read(in, node);
    case KEY_TZ:
    case KEY_OF:
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("formatting field \"%.*s\" is only supported in to_char",
                            STR_ARGS(node->text)));
    case KEY_TZH:
    case KEY_TZM:
        return zone_read(in, node);
    default:
        return calendar_read(in, node);
    }
}

static void literal_read(Reader *in, const Node *node)
{
    const bool is_separator = node->literal != LITERAL_CHARACTER;
    if (in->is_exact) {
        skip_character(in);
    } else if (is_separator) {
        in->extra_skip--;
        if (is_space(here(in)) || template_is_separator(here(in))) {
            in->at++;
            in->extra_skip++;
        }
    } else if (in->extra_skip > 0) {
        in->extra_skip--;
    } else {
        skip_character(in);
    }
}

static void spaces_skip(Reader *in)
{
    for (; is_space(here(in)); in->at++)
        in->extra_skip++;
}

static bool text_read(Reader *in)
{
    const Template *t = in->template;
    for (size_t i = 0; i < t->length && in->at < in->text.length; i++) {
        const Node *node = &t->items[i];
        const bool is_pattern = node->key != KEY_LITERAL;
        if (!in->is_exact && node->key != KEY_FX && (is_pattern || i == 0))
            spaces_skip(in);
        if (!is_pattern) {
            literal_read(in, node);
            continue;
        }
        TRY(pattern_read(in, node));
        if (!in->is_exact) {
            in->extra_skip = 0;
            spaces_skip(in);
        }
    }
    return true;
}

/* The year, which is 0 when none is given. */
static bool year_resolve(Reading *r, Fields *f)
{
    if (r->year == 0 && r->century == 0)
        return false;
    if (r->century && r->is_bc && (r->year == 0 || r->year_digits <= 2))
        r->century = -r->century;
    if (r->year == 0) {
        f->year =
            r->century >= 0 ? (r->century - 1) * INT64_C(100) + 1 : r->century * INT64_C(100) + 1;
    } else if (r->century && r->year_digits <= 2) {
        f->year = r->year % 100;
        if (f->year)
            f->year = r->century >= 0 ? f->year + (r->century - 1) * INT64_C(100)
                                      : (r->century + 1) * INT64_C(100) - f->year + 1;
        else
            f->year = r->century * INT64_C(100) + (r->century >= 0 ? 0 : 1);
    } else {
        f->year = r->is_bc ? -(int64_t)r->year : r->year;
        if (f->year < 0)
            f->year++;
    }
    return true;
}

static bool day_of_year_resolve(const Reading *r, Fields *f, bool *ret_month, bool *ret_day)
{
    if (f->year == 0 && !r->is_bc)
        FAIL(ERR_INVALID_DATETIME_FORMAT,
             .message = STR("cannot calculate day of year without year information"));
    if (r->calendar == CALENDAR_ISO_WEEK) {
        civil_from_days(iso_week_start(f->year, 1) - 1 + r->day_of_year, &f->year, &f->month,
                        &f->day);
    } else {
        int month = 1, before = 0;
        while (month <= 12 && r->day_of_year > before + days_in_month(f->year, month))
            before += days_in_month(f->year, month++);
        if (f->month <= 1)
            f->month = month;
        if (f->day <= 1)
            f->day = r->day_of_year - before;
    }
    *ret_month = *ret_day = true;
    return true;
}

static bool date_resolve(Reading *r, Fields *f, Str text)
{
    bool has_year = year_resolve(r, f), has_month = false, has_day = false;
    if (r->julian) {
        civil_from_days(r->julian - (int64_t)JULIAN_2000, &f->year, &f->month, &f->day);
        has_year = has_month = has_day = true;
    }
    if (r->week && r->calendar == CALENDAR_ISO_WEEK) {
        int64_t day = iso_week_start(f->year, r->week);
        if (r->day_of_week)
            day += r->day_of_week > 1 ? r->day_of_week - 2 : 6;
        civil_from_days(day, &f->year, &f->month, &f->day);
        has_year = has_month = has_day = true;
    } else if (r->week) {
        r->day_of_year = (int)((r->week - 1) * 7U + 1);
    }
    if (r->week_of_month)
        r->day = (int)((r->week_of_month - 1) * 7U + 1);
    if (r->day) {
        f->day = r->day;
        has_day = true;
    }
    if (r->month) {
        f->month = r->month;
        has_month = true;
    }
    if (r->day_of_year && (f->month <= 1 || f->day <= 1)) {
        TRY(day_of_year_resolve(r, f, &has_month, &has_day));
        has_year |= r->calendar == CALENDAR_ISO_WEEK;
    }
    if ((has_month && (f->month < 1 || f->month > 12)) ||
        (has_day && (f->day < 1 || f->day > 31)) ||
        (has_year && has_month && has_day && f->day > days_in_month(f->year, f->month)))
        FAIL_DATE_FIELD(text);
    return true;
}

static bool time_resolve(Reading *r, Fields *f)
{
    if (r->day_seconds) {
        f->hour = r->day_seconds / 3600;
        f->minute = r->day_seconds % 3600 / 60;
        f->second = r->day_seconds % 60;
    }
    f->second = r->second ? r->second : f->second;
    f->minute = r->minute ? r->minute : f->minute;
    f->hour = r->hour ? r->hour : f->hour;
    if (!r->is_12_hour)
        return true;
    if (f->hour < 1 || f->hour > 12)
        FAIL(ERR_INVALID_DATETIME_FORMAT,
             .message = fmt("hour \"%d\" is invalid for the 12-hour clock", f->hour),
             .hint = STR("Use the 24-hour clock, or give an hour between 1 and 12."));
    if (r->is_pm && f->hour < 12)
        f->hour += 12;
    else if (!r->is_pm && f->hour == 12)
        f->hour = 0;
    return true;
}

static bool moment_read(FunctionCall *call, const Value *args, Fields *f)
{
    const Str format = var_str(args[1].var), original = var_str(args[0].var);
    Reader in = {.template = template_of(call, format),
                 .text = str_make(str_to_c(call->arena, original), original.length)};
    Reading *r = &in.r;
    *f = (Fields){.year = 0, .month = 1, .day = 1};
    TRY(text_read(&in));
    TRY(time_resolve(r, f));
    TRY(date_resolve(r, f, original));
    const int64_t fraction = r->millisecond * INT64_C(1000) + r->microsecond;
    if (f->hour < 0 || f->hour >= 24 || f->minute < 0 || f->minute >= 60 || f->second < 0 ||
        f->second >= 60 || fraction < 0 || fraction >= USECS_PER_SEC)
        FAIL_DATE_FIELD(original);
    f->microsecond =
        (int)(r->fraction_digits ? timestamp_round(fraction, r->fraction_digits) : fraction);
    if (r->zone_sign) {
        if (r->zone_hour < 0 || r->zone_hour > 15 || r->zone_minute < 0 || r->zone_minute >= 60)
            FAIL(ERR_INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
                 .message =
                     fmt("time zone displacement out of range: \"%.*s\"", STR_ARGS(original)));
        f->has_offset = true;
        f->offset = r->zone_sign * (r->zone_hour * 3600 + r->zone_minute * 60);
    }
    return true;
}

FUNCTION(to_timestamp)
{
    Fields f;
    TRY(moment_read(call, args, &f));
    return fields_to_timestamptz(&f, timezone_session(), &ret->int64);
}

FUNCTION(to_date)
{
    Fields f;
    TRY(moment_read(call, args, &f));
    const int64_t days = days_from_civil(f.year, f.month, f.day);
    if (f.year < -4713 || f.year > 5874898 || days < DATE_FIRST || days >= DATE_END)
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE,
             .message = fmt("date out of range: \"%.*s\"", STR_ARGS(var_str(args[0].var))));
    ret->int32 = (int32_t)days;
    return true;
}
