/*
 * to_char, to_timestamp and to_date: templates of dates and times.
 *
 * A template is cut into nodes (a pattern with its case, modifiers, or literal text) once per
 * use; printing and reading walk the same nodes.
 */
#include <stdlib.h>

#include "types/datetime_internal.h"

typedef enum Key {
    KEY_LITERAL = 0, KEY_AM, KEY_AM_DOTS, KEY_BC, KEY_BC_DOTS, KEY_CC, KEY_DAY, KEY_DDD, KEY_DD,
    KEY_DY, KEY_D, KEY_FF, KEY_HH24, KEY_HH12, KEY_IDDD, KEY_ID, KEY_IW, KEY_IYYYY, KEY_IYYY,
    KEY_IYY, KEY_IY, KEY_J, KEY_MI, KEY_MM, KEY_MONTH, KEY_MON, KEY_MS, KEY_OF, KEY_Q, KEY_RM,
    KEY_SSSS, KEY_SS, KEY_TZH, KEY_TZM, KEY_TZ, KEY_US, KEY_WW, KEY_W, KEY_Y_YYY, KEY_YYYY,
    KEY_YYY, KEY_YY, KEY_Y,
} Key;

typedef struct Node {
    Key key;
    Str text;     /* literal, or the pattern as written: its case is the output's */
    int digits;   /* FF1-FF6 */
    bool fill, ordinal, ordinal_upper, is_quoted;
} Node;

#define MAX_NODES 256

typedef struct Template {
    Node nodes[MAX_NODES];
    int count;
} Template;

/* Longest first among those that begin alike. */
static const struct {
    const char *word;
    Key key;
} keys[] = {
    {"A.D.", KEY_BC_DOTS}, {"A.M.", KEY_AM_DOTS}, {"AD", KEY_BC}, {"AM", KEY_AM},
    {"B.C.", KEY_BC_DOTS}, {"BC", KEY_BC}, {"CC", KEY_CC}, {"DAY", KEY_DAY}, {"DDD", KEY_DDD},
    {"DD", KEY_DD}, {"DY", KEY_DY}, {"D", KEY_D}, {"FF1", KEY_FF}, {"FF2", KEY_FF},
    {"FF3", KEY_FF}, {"FF4", KEY_FF}, {"FF5", KEY_FF}, {"FF6", KEY_FF}, {"HH24", KEY_HH24},
    {"HH12", KEY_HH12}, {"HH", KEY_HH12}, {"IDDD", KEY_IDDD}, {"ID", KEY_ID}, {"IW", KEY_IW},
    {"IYYY", KEY_IYYYY}, {"IYY", KEY_IYYY}, {"IY", KEY_IYY}, {"I", KEY_IY}, {"J", KEY_J},
    {"MI", KEY_MI}, {"MM", KEY_MM}, {"MONTH", KEY_MONTH}, {"MON", KEY_MON}, {"MS", KEY_MS},
    {"OF", KEY_OF}, {"P.M.", KEY_AM_DOTS}, {"PM", KEY_AM}, {"Q", KEY_Q}, {"RM", KEY_RM},
    {"SSSSS", KEY_SSSS}, {"SSSS", KEY_SSSS}, {"SS", KEY_SS}, {"TZH", KEY_TZH}, {"TZM", KEY_TZM},
    {"TZ", KEY_TZ}, {"US", KEY_US}, {"WW", KEY_WW}, {"W", KEY_W}, {"Y,YYY", KEY_Y_YYY},
    {"YYYY", KEY_YYYY}, {"YYY", KEY_YYY}, {"YY", KEY_YY}, {"Y", KEY_Y},
};

static const char *const romans[12] = {"I",   "II",   "III", "IV", "V",  "VI",
                                       "VII", "VIII", "IX",  "X",  "XI", "XII"};

/* Cuts a template; false (error set) when it has too many parts. */
static bool template_cut(Str f, Template *t)
{
    t->count = 0;
    for (size_t at = 0; at < f.length;) {
        Node node = {0};
        if (t->count == MAX_NODES)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = STR("date/time template is too long"));
        for (;;) {
            const Str rest = str_slice(f, at, 2);
            if (str_equal_nocase(rest, STR("FM")))
                node.fill = true;
            else if (!str_equal(rest, STR("FX")) && !str_equal(rest, STR("TM")))
                break;
            at += 2;
        }
        if (at >= f.length)
            break;
        const Str rest = str_slice(f, at, f.length);
        for (size_t i = 0; i < ARRAY_LENGTH(keys) && !node.key; i++) {
            const Str word = str_from_c(keys[i].word);
            if (rest.length >= word.length &&
                str_equal_nocase(str_slice(rest, 0, word.length), word)) {
                node.key = keys[i].key;
                node.text = str_slice(rest, 0, word.length);
                node.digits = node.key == KEY_FF ? rest.data[2] - '0' : 0;
            }
        }
        if (node.key) {
            at += node.text.length;
            const Str suffix = str_slice(f, at, 2);
            if (str_equal(suffix, STR("TH")) || str_equal(suffix, STR("th"))) {
                node.ordinal = true;
                node.ordinal_upper = suffix.data[0] == 'T';
                at += 2;
            }
        } else if (f.data[at] == '"') {
            const size_t start = ++at;
            while (at < f.length && f.data[at] != '"')
                at += f.data[at] == '\\' && at + 1 < f.length ? 2 : 1;
            node.text = str_slice(f, start, at - start);
            node.is_quoted = true;
            at++;
        } else {
            if (f.data[at] == '\\' && at + 1 < f.length && f.data[at + 1] == '"')
                at++;
            const size_t width = MIN((size_t)utf8_width(f.data[at]), f.length - at);
            node.text = str_slice(f, at, width);
            at += width;
        }
        t->nodes[t->count++] = node;
    }
    return true;
}

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
    const char *suffix = teen ? "th" : last == '1' ? "st" : last == '2' ? "nd" : last == '3' ? "rd" : "th";
    strbuf_append_char(out, node->ordinal_upper ? ascii_upper(suffix[0]) : suffix[0]);
    strbuf_append_char(out, node->ordinal_upper ? ascii_upper(suffix[1]) : suffix[1]);
}

static void append_padded(const Node *node, const char *word, size_t width, StrBuf *out)
{
    const size_t start = out->length;
    append_cased(word, node->text, out);
    while (!node->fill && out->length - start < width)
        strbuf_append_char(out, ' ');
}

static int64_t shown_year(const Moment *m, int64_t year)
{
    return m->is_interval || year > 0 ? year : 1 - year;
}

static void append_year(const Node *node, const Moment *m, int64_t year, int digits, StrBuf *out)
{
    static const int powers[] = {1, 10, 100, 1000};
    year = shown_year(m, year);
    if (digits < 4)
        year %= powers[digits];
    append_number(node, year, digits, out);
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
        memcpy(text, node->key == KEY_DY ? day_names[day_of_week(days)] : month_names[f->month - 1], 3);
        text[3] = 0;
        append_cased(text, node->text, out);
        break;
    case KEY_RM: {
        const size_t start = out->length;
        const char *roman = f->month ? romans[f->month - 1] : "";
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
    const int64_t days = m->is_interval ? 0 : days_from_civil(f->year, f->month, f->day);
    int64_t iso_year = f->year;
    int week = 0;
    if (!m->is_interval)
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
    case KEY_DDD: append_number(node, day_of_year, 3, out); break;
    case KEY_IDDD:
        append_number(node, days - iso_week_start(iso_year, 1) + 1, 3, out);
        break;
    case KEY_DD: append_number(node, f->day, 2, out); break;
    case KEY_D: append_number(node, day_of_week(days) + 1, 1, out); break;
    case KEY_ID: append_number(node, day_of_week(days) ? day_of_week(days) : 7, 1, out); break;
    case KEY_IW: append_number(node, week, 2, out); break;
    case KEY_WW: append_number(node, (day_of_year - 1) / 7 + 1, 2, out); break;
    case KEY_W: append_number(node, (f->day - 1) / 7 + 1, 1, out); break;
    case KEY_Q: append_number(node, f->month ? (f->month - 1) / 3 + 1 : 0, 1, out); break;
    case KEY_J: append_number(node, days + JULIAN_2000, 1, out); break;
    case KEY_MM: append_number(node, f->month, 2, out); break;
    case KEY_Y_YYY: {
        const int64_t year = shown_year(m, f->year);
        strbuf_format(out, "%lld,%03lld", (long long)(year / 1000), (long long)(year % 1000));
        break;
    }
    case KEY_YYYY: append_year(node, m, f->year, 4, out); break;
    case KEY_YYY: append_year(node, m, f->year, 3, out); break;
    case KEY_YY: append_year(node, m, f->year, 2, out); break;
    case KEY_Y: append_year(node, m, f->year, 1, out); break;
    case KEY_IYYYY: append_year(node, m, iso_year, 4, out); break;
    case KEY_IYYY: append_year(node, m, iso_year, 3, out); break;
    case KEY_IYY: append_year(node, m, iso_year, 2, out); break;
    case KEY_IY: append_year(node, m, iso_year, 1, out); break;
    default: append_names(node, m, days, out); break;
    }
}

static bool moment_format(FunctionCall *call, const Moment *m, Str format, Value *ret)
{
    Template *t = arena_alloc(call->arena, sizeof(*t));
    StrBuf out = strbuf_in(call->arena);
    TRY(template_cut(format, t));
    for (int i = 0; i < t->count; i++) {
        const Node *node = &t->nodes[i];
        switch (node->key) {
        case KEY_LITERAL:
            for (size_t k = 0; k < node->text.length; k++) {
                if (node->is_quoted && node->text.data[k] == '\\' && k + 1 < node->text.length)
                    k++;
                strbuf_append_char(&out, node->text.data[k]);
            }
            break;
        case KEY_AM:
        case KEY_AM_DOTS:
            append_half(node, m->hours % 24 >= 12, "AM", "PM", node->key == KEY_AM_DOTS, &out);
            break;
        case KEY_BC:
        case KEY_BC_DOTS:
            append_half(node, m->f.year <= 0, "AD", "BC", node->key == KEY_BC_DOTS, &out);
            break;
        case KEY_TZ: case KEY_TZH: case KEY_TZM: case KEY_OF:
            append_zone(node, &m->f, &out);
            break;
        case KEY_HH12: case KEY_HH24: case KEY_MI: case KEY_SS: case KEY_FF: case KEY_MS:
        case KEY_US: case KEY_SSSS:
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
    Moment m = {.is_interval = true, .hours = seconds / 3600,
                .interval_days = i->months * INT64_C(30) + i->days};
    *ret_null = args[1].var.length == 0;
    if (*ret_null)
        return true;
    m.f = (Fields){.year = i->months / 12, .month = i->months % 12, .day = i->days,
                   .minute = (int)(seconds / 60 % 60), .second = (int)(seconds % 60),
                   .microsecond = (int)(i->microseconds % USECS_PER_SEC)};
    return moment_format(call, &m, var_str(args[1].var), ret);
}
