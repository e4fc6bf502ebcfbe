/* to_char of dates, times and intervals. */
#include <stdlib.h>

#include "types/datetime_template.h"

/* What is printed: fields, or an interval's parts. */
typedef struct Moment {
    Fields f;
    bool is_interval;
    int64_t interval_days; /* of an interval: months and days together, for DDD */
    int64_t hours;         /* an interval's may pass 24 */
} Moment;

/* In the case that the pattern has: all, first or no capital. */
static void append_cased(const char *word, Str pattern, StrBuf *out)
{
    const bool first_upper = pattern.data[0] >= 'A' && pattern.data[0] <= 'Z';
    const bool rest_upper = pattern.length > 1 && pattern.data[1] >= 'A' && pattern.data[1] <= 'Z';
    for (size_t i = 0; word[i]; i++) {
        const bool upper = i == 0 ? first_upper : first_upper && rest_upper;
        strbuf_append_char(out, upper ? ascii_upper(word[i]) : ascii_lower(word[i]));
    }
}

static void append_number(const Node *node, int64_t value, int width, StrBuf *out)
{
    const size_t start = out->length;
    if (node->fill)
        strbuf_format(out, "%lld", (long long)value);
    else
        strbuf_format(out, "%0*lld", width + (value < 0), (long long)value);
    if (!node->ordinal)
        return;
    const char last = out->data[out->length - 1];
    const bool teen = out->length - start > 1 && out->data[out->length - 2] == '1';
    const char *suffix = teen          ? "th"
                         : last == '1' ? "st"
                         : last == '2' ? "nd"
                         : last == '3' ? "rd"
                                       : "th";
    strbuf_append_char(out, node->ordinal_upper ? ascii_upper(suffix[0]) : suffix[0]);
    strbuf_append_char(out, node->ordinal_upper ? ascii_upper(suffix[1]) : suffix[1]);
}

static void append_padded(const Node *node, const char *word, size_t width, StrBuf *out)
{
    const size_t start = out->length;
    append_cased(word, node->text, out);
    while (!node->fill && !node->is_local && out->length - start < width)
        strbuf_append_char(out, ' ');
}

static int64_t shown_year(const Moment *m, int64_t year)
{
    return m->is_interval || year > 0 ? year : 1 - year;
}

/* An interval's date, as if its fields were one. The Julian day's formula takes months that no
 * date has, and so does what is shown. */
static int64_t interval_date(const Fields *f)
{
    const int64_t year = f->year + (f->month > 2 ? 4800 : 4799);
    const int64_t month = f->month + (f->month > 2 ? 1 : 13);
    const int64_t julian =
        year * 365 - 32167 + year / 4 - year / 100 + year / 100 / 4 + 7834 * month / 256 + f->day;
    return julian - JULIAN_2000;
}

/* Twelve months are 0 months and a year; negative months count from December back. */
static const char *roman_month(const Fields *f)
{
    if (f->month == 0 && f->year == 0)
        return "";
    if (f->month == 0)
        return roman_months[f->year >= 0 ? 11 : 0];
    return roman_months[f->month < 0 ? 12 + f->month : f->month - 1];
}

static void append_year(const Node *node, const Moment *m, int64_t year, int digits, StrBuf *out)
{
    static const int powers[] = {1, 10, 100, 1000};
    year = shown_year(m, year);
    /* Room for the sign is kept even where the digits shown are zero. */
    const int width = digits + (digits < 4 && year < 0 && year % powers[digits] == 0);
    if (digits < 4)
        year %= powers[digits];
    append_number(node, year, width, out);
}

static void append_iso_year(const Node *node, const Moment *m, int64_t year, int digits,
                            StrBuf *out)
{
    static const int powers[] = {1, 10, 100, 1000, 10000};
    /* An interval's own year keeps the room for the sign. */
    if (m->is_interval && year < 0 && m->f.year >= 0)
        append_number(node, digits < 4 ? year % powers[digits] : year, digits - 1, out);
    else
        append_year(node, m, year, digits, out);
}

static void append_zone(const Node *node, const Fields *f, StrBuf *out)
{
    if (node->key == KEY_TZ) {
        for (size_t i = 0; i < f->abbreviation.length; i++)
            strbuf_append_char(out, node->text.data[0] == 't' ? ascii_lower(f->abbreviation.data[i])
                                                              : f->abbreviation.data[i]);
        return;
    }
    const int size = abs(f->offset);
    if (node->key == KEY_TZM) {
        strbuf_format(out, "%02d", size / 60 % 60);
        return;
    }
    strbuf_format(out, "%c%0*d", f->offset >= 0 ? '+' : '-', node->fill ? 0 : 2, size / 3600);
    if (node->key == KEY_OF && size / 60 % 60)
        strbuf_format(out, ":%02d", size / 60 % 60);
}

static void append_names(const Node *node, const Moment *m, int64_t days, StrBuf *out)
{
    const Fields *f = &m->f;
    char text[16];
    switch (node->key) {
    case KEY_DAY:
        append_padded(node, day_names[day_of_week(days)], 9, out);
        break;
    case KEY_MONTH:
        if (f->month)
            append_padded(node, month_names[f->month - 1], 9, out);
        break;
    case KEY_DY:
    case KEY_MON:
        if (node->key == KEY_MON && !f->month)
            break;
        memcpy(text, node->key == KEY_DY ? day_names[day_of_week(days)] : month_names[f->month - 1],
               3);
        text[3] = 0;
        append_cased(text, node->text, out);
        break;
    case KEY_RM: {
        const size_t start = out->length;
        const char *roman = roman_month(f);
        if (!*roman)
            break;
        for (; *roman; roman++)
            strbuf_append_char(out, node->text.data[0] == 'r' ? ascii_lower(*roman) : *roman);
        while (!node->fill && out->length - start < 4)
            strbuf_append_char(out, ' ');
        break;
    }
    default:
        break;
    }
}

static void append_half(const Node *node, bool second, const char *first_word,
                        const char *second_word, bool dots, StrBuf *out)
{
    const char *word = second ? second_word : first_word;
    const bool lower = node->text.data[0] >= 'a';
    for (int i = 0; i < 2; i++) {
        strbuf_append_char(out, lower ? ascii_lower(word[i]) : word[i]);
        if (dots)
            strbuf_append_char(out, '.');
    }
}

static void append_clock_node(const Node *node, const Moment *m, StrBuf *out)
{
    static const int scales[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    const Fields *f = &m->f;
    const int64_t hour = m->hours;
    switch (node->key) {
    case KEY_HH12:
        append_number(node, hour % 12 == 0 ? 12 : hour % 12, 2, out);
        break;
    case KEY_HH24:
        append_number(node, hour, 2, out);
        break;
    case KEY_MI:
        append_number(node, f->minute, 2, out);
        break;
    case KEY_SS:
        append_number(node, f->second, 2, out);
        break;
    case KEY_FF:
        strbuf_format(out, "%0*d", node->digits, f->microsecond / scales[node->digits]);
        break;
    case KEY_MS:
        strbuf_format(out, "%03d", f->microsecond / 1000);
        break;
    case KEY_US:
        strbuf_format(out, "%06d", f->microsecond);
        break;
    case KEY_SSSS:
        append_number(node, hour * 3600 + f->minute * 60 + f->second, 1, out);
        break;
    default:
        break;
    }
}

static void append_calendar_node(const Node *node, const Moment *m, StrBuf *out)
{
    const Fields *f = &m->f;
    const int64_t days =
        m->is_interval ? interval_date(f) : days_from_civil(f->year, f->month, f->day);
    int64_t iso_year = f->year;
    int week = 0;
    iso_week(days, &iso_year, &week);
    const int64_t day_of_year =
        m->is_interval ? m->interval_days : days - days_from_civil(f->year, 1, 1) + 1;
    switch (node->key) {
    case KEY_CC: {
        const int64_t year = f->year;
        const int64_t century = m->is_interval ? year / 100
                                : year > 0     ? (year - 1) / 100 + 1
                                               : year / 100 - 1;
        append_number(node, century, 2, out);
        break;
    }
    /* Of these the width counts a sign in. */
    case KEY_DDD:
        append_number(node, day_of_year, 3 - (day_of_year < 0), out);
        break;
    case KEY_IDDD:
        append_number(node, days - iso_week_start(iso_year, 1) + 1, 3, out);
        break;
    case KEY_DD:
        append_number(node, f->day, 2 - (f->day < 0), out);
        break;
    case KEY_D:
        append_number(node, day_of_week(days) + 1, 1, out);
        break;
    case KEY_ID:
        append_number(node, day_of_week(days) ? day_of_week(days) : 7, 1, out);
        break;
    case KEY_IW:
        append_number(node, week, 2, out);
        break;
    case KEY_WW:
        append_number(node, (day_of_year - 1) / 7 + 1, 2, out);
        break;
    case KEY_W:
        append_number(node, (f->day - 1) / 7 + 1, 1, out);
        break;
    case KEY_Q:
        if (f->month)
            append_number(node, (f->month - 1) / 3 + 1, 1, out);
        break;
    case KEY_J:
        append_number(node, days + JULIAN_2000, 1, out);
        break;
    case KEY_MM:
        append_number(node, f->month, 2, out);
        break;
    case KEY_Y_YYY: {
        const int64_t year = shown_year(m, f->year);
        strbuf_format(out, "%lld,%03lld", (long long)(year / 1000), (long long)(year % 1000));
        break;
    }
    case KEY_YYYY:
        append_year(node, m, f->year, 4, out);
        break;
    case KEY_YYY:
        append_year(node, m, f->year, 3, out);
        break;
    case KEY_YY:
        append_year(node, m, f->year, 2, out);
        break;
    case KEY_Y:
        append_year(node, m, f->year, 1, out);
        break;
    case KEY_IYYYY:
        append_iso_year(node, m, iso_year, 4, out);
        break;
    case KEY_IYYY:
        append_iso_year(node, m, iso_year, 3, out);
        break;
    case KEY_IYY:
        append_iso_year(node, m, iso_year, 2, out);
        break;
    case KEY_IY:
        append_iso_year(node, m, iso_year, 1, out);
        break;
    default:
        append_names(node, m, days, out);
        break;
    }
}

static bool needs_date(Key key)
{
    return key == KEY_BC || key == KEY_BC_DOTS || key == KEY_MONTH || key == KEY_MON ||
           key == KEY_DAY || key == KEY_DY || key == KEY_D || key == KEY_ID || key == KEY_TZ ||
           key == KEY_TZH || key == KEY_TZM || key == KEY_OF;
}

static bool moment_format(FunctionCall *call, const Moment *m, Str format, Value *ret)
{
    const Template *t = template_of(call, format);
    StrBuf out = strbuf_in(call->arena);
    for (size_t i = 0; i < t->length; i++) {
        const Node *node = &t->items[i];
        if (m->is_interval && needs_date(node->key))
            FAIL(ERR_INVALID_DATETIME_FORMAT,
                 .message = STR("invalid format specification for an interval value"),
                 .hint = STR("Intervals are not tied to specific calendar dates."));
        switch (node->key) {
        case KEY_LITERAL:
            strbuf_append(&out, node->text);
            break;
        case KEY_FX:
            break;
        case KEY_AM:
        case KEY_AM_DOTS:
            append_half(node, m->hours % 24 >= 12, "AM", "PM", node->key == KEY_AM_DOTS, &out);
            break;
        case KEY_BC:
        case KEY_BC_DOTS:
            append_half(node, m->f.year <= 0, "AD", "BC", node->key == KEY_BC_DOTS, &out);
            break;
        case KEY_TZ:
        case KEY_TZH:
        case KEY_TZM:
        case KEY_OF:
            append_zone(node, &m->f, &out);
            break;
        case KEY_HH12:
        case KEY_HH24:
        case KEY_MI:
        case KEY_SS:
        case KEY_FF:
        case KEY_MS:
        case KEY_US:
        case KEY_SSSS:
            append_clock_node(node, m, &out);
            break;
        default:
            append_calendar_node(node, m, &out);
        }
    }
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(timestamp_to_char)
{
    Moment m = {0};
    *ret_null = args[1].var.length == 0 || !timestamp_is_finite(args[0].int64);
    if (*ret_null)
        return true;
    fields_from_timestamp(args[0].int64, &m.f);
    m.hours = m.f.hour;
    return moment_format(call, &m, var_str(args[1].var), ret);
}

FUNCTION(timestamptz_to_char)
{
    Moment m = {0};
    *ret_null = args[1].var.length == 0 || !timestamp_is_finite(args[0].int64);
    if (*ret_null)
        return true;
    fields_from_timestamptz(args[0].int64, timezone_session(), &m.f);
    m.hours = m.f.hour;
    return moment_format(call, &m, var_str(args[1].var), ret);
}

FUNCTION(interval_to_char)
{
    const Interval *i = &args[0].interval;
    const int64_t seconds = i->microseconds / USECS_PER_SEC;
    Moment m = {.is_interval = true,
                .hours = seconds / 3600,
                .interval_days = i->months * INT64_C(30) + i->days};
    *ret_null = args[1].var.length == 0;
    if (*ret_null)
        return true;
    m.f = (Fields){.year = i->months / 12,
                   .month = i->months % 12,
                   .day = i->days,
                   .minute = (int)(seconds / 60 % 60),
                   .second = (int)(seconds % 60),
                   .microsecond = (int)(i->microseconds % USECS_PER_SEC)};
    return moment_format(call, &m, var_str(args[1].var), ret);
}
