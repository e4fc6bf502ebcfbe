/*
 * Reading dates and times: text → fields, with PostgreSQL's freedom of order and words.
 *
 * The text is cut into tokens by what they look like (number, date with separators, time, zone
 * offset, word); then each finds its field. What a bare number means depends on what is already
 * known and on DateStyle.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "types/datetime_internal.h"

#define MAX_TOKENS 25

const char *const month_names[12] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
const char *const day_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                  "Thursday", "Friday", "Saturday"};

typedef enum TokenKind {
    TOKEN_NUMBER = 1,
    TOKEN_DATE,
    TOKEN_TIME,
    TOKEN_ZONE,
    TOKEN_WORD
} TokenKind;

typedef struct Token {
    TokenKind kind;
    Str text;
} Token;

enum { HAS_YEAR = 1, HAS_MONTH = 2, HAS_DAY = 4, HAS_DATE = 7, HAS_TIME = 8, HAS_ZONE = 16 };

typedef struct Reader {
    Str text;
    const char *type_name;
    Token tokens[MAX_TOKENS];
    int count;
    int has;
    bool has_text_month, is_two_digit_year, is_bc, is_day_of_year;
    int half; /* 0 none, 1 AM, 2 PM */
    ParsedKind kind;
    DateOrder order;
    bool is_time_only;
    Str abbreviation; /* of a zone; what it means follows from the date */
    Parsed *out;
} Reader;

void date_style(DateStyle *ret_style, DateOrder *ret_order)
{
    const Str s = settings()->date_style;
    const char first = s.length ? ascii_lower(s.data[0]) : 'i';
    *ret_style = first == 's'   ? STYLE_SQL
                 : first == 'p' ? STYLE_POSTGRES
                 : first == 'g' ? STYLE_GERMAN
                                : STYLE_ISO;
    const size_t comma = str_find_char(s, ',', 0);
    const Str rest = comma == SIZE_MAX ? STR("MDY") : str_trim(str_slice(s, comma + 1, s.length));
    const char order = rest.length ? ascii_lower(rest.data[0]) : 'm';
    *ret_order = order == 'd' ? ORDER_DMY : order == 'y' ? ORDER_YMD : ORDER_MDY;
}

#define SYNTAX(r)                                                                                  \
    FAIL(ERR_INVALID_DATETIME_FORMAT, .message = fmt("invalid input syntax for type %s: \"%.*s\"", \
                                                     (r)->type_name, STR_ARGS((r)->text)))

static bool overflow(Reader *r, bool is_month_or_day)
{
    FAIL(ERR_DATETIME_FIELD_OVERFLOW,
         .message = fmt("date/time field value out of range: \"%.*s\"", STR_ARGS(r->text)),
         .hint = is_month_or_day ? STR("Perhaps you need a different \"datestyle\" setting.")
                                 : STR_NONE);
}

/* Where the token that begins at p ends. */
static const char *scan_digits(const char *p, const char *end, TokenKind *ret_kind)
{
    while (p < end && is_digit(*p))
        p++;
    if (p < end && *p == ':') {
        *ret_kind = TOKEN_TIME;
        while (p < end && (is_digit(*p) || *p == ':' || *p == '.'))
            p++;
        return p;
    }
    if (p < end && (*p == '-' || *p == '/' || *p == '.')) {
        const char separator = *p;
        const char *q = p + 1;
        if (q < end && is_digit(*q)) {
            while (q < end && is_digit(*q))
                q++;
            /* One point only: seconds and their fraction, "040506.7"; two make a date. */
            if (separator == '.' && !(q < end && *q == '.')) {
                *ret_kind = TOKEN_NUMBER;
                return q;
            }
            *ret_kind = TOKEN_DATE;
            if (q < end && *q == separator)
                for (q++; q < end && (is_digit(*q) || *q == separator);)
                    q++;
            return q;
        }
        if (q < end && is_alpha(*q)) {
            *ret_kind = TOKEN_DATE;
            while (q < end && (is_alpha(*q) || is_digit(*q) || *q == separator))
                q++;
            return q;
        }
        if (separator == '.') {
            *ret_kind = TOKEN_NUMBER;
            return p + 1;
        }
    }
    *ret_kind = TOKEN_NUMBER;
    return p;
}

static int month_of(Str word)
{
    for (int i = 0; i < 12; i++) {
        const Str name = str_from_c(month_names[i]);
        if ((word.length == 3 && str_equal_nocase(word, str_slice(name, 0, 3))) ||
            str_equal_nocase(word, name))
            return i + 1;
    }
    return str_equal_nocase(word, STR("sept")) ? 9 : 0;
}

static bool is_day_name(Str word)
{
    for (int i = 0; i < 7; i++) {
        const Str name = str_from_c(day_names[i]);
        if ((word.length >= 3 && word.length <= 5 &&
             str_equal_nocase(word, str_slice(name, 0, word.length))) ||
            str_equal_nocase(word, name))
            return true;
    }
    return false;
}

/* Words of one or two letters that a number may follow at once; any other such is a zone's name. */
static bool is_short_word(const char *start, const char *end)
{
    static const char words[] = " ad am at bc d h j jd m mm on pm s t y ";
    char wanted[8];
    snprintf(wanted, sizeof(wanted), " %.*s ", (int)(end - start), start);
    for (char *c = wanted; *c; c++)
        *c = ascii_lower(*c);
    return strstr(words, wanted) != NULL;
}

static const char *scan_word(const char *p, const char *end, TokenKind *ret_kind)
{
    const char *start = p;
    *ret_kind = TOKEN_WORD;
    while (p < end && is_alpha(*p))
        p++;
    /* "Jan-08-1999" is a date; "America/New_York" and "EST5EDT" are zones. */
    if (p < end && (*p == '-' || *p == '/' || *p == '.')) {
        const char separator = *p;
        if (p + 1 < end && is_digit(p[1]) && p - start >= 3 &&
            (separator != '/' || month_of(str_make(start, (size_t)(p - start))))) {
            /* Or a zone, "GMT-1", which what stands before it tells. */
            *ret_kind = TOKEN_DATE;
            while (p < end && (is_digit(*p) || is_alpha(*p) || strchr("+-/_.:", *p)))
                p++;
            return p;
        }
        if (separator == '.' && !(p + 1 < end && is_digit(p[1])))
            return p;
    }
    /* What is no zone for certain ends here: "Jan8", "Fri13". */
    const Str letters = str_make(start, (size_t)(p - start));
    if (p < end && (is_digit(*p) || *p == '+') && (month_of(letters) || is_day_name(letters)))
        return p;
    const char *rest = p;
    while (rest < end && (is_alpha(*rest) || is_digit(*rest) || strchr("/_-+", *rest)))
        rest++;
    if (memchr(start, '/', (size_t)(rest - start)) || memchr(start, '_', (size_t)(rest - start)))
        return rest;
    /* A POSIX zone: letters, digits, perhaps letters. */
    const bool is_short = p - start < 3;
    while (is_short && rest > p && rest < end &&
           (is_alpha(*rest) || is_digit(*rest) || strchr("/_-+.:", *rest)))
        rest++;
    if (rest > p && (!is_short || !is_short_word(start, p))) {
        char word[64];
        const size_t n = MIN((size_t)(rest - start), sizeof(word) - 1);
        memcpy(word, start, n);
        if (is_short || timezone_find(str_make(word, n)))
            return rest;
    }
    return p;
}

static bool tokens_cut(Reader *r)
{
    const char *p = r->text.data, *end = p + r->text.length;
    while (p < end) {
        TokenKind kind = TOKEN_WORD;
        const char *start = p;
        if (is_space(*p)) {
            p++;
            continue;
        }
        if (is_digit(*p)) {
            p = scan_digits(p, end, &kind);
        } else if (*p == '.' && p + 1 < end && is_digit(p[1])) {
            kind = TOKEN_NUMBER;
            for (p++; p < end && is_digit(*p);)
                p++;
        } else if (is_alpha(*p)) {
            p = scan_word(p, end, &kind);
        } else if (*p == '-' || *p == '+') {
            p++;
            while (p < end && is_space(*p))
                p++;
            if (p < end && is_digit(*p)) {
                kind = TOKEN_ZONE;
                while (p < end && (is_digit(*p) || *p == ':' || *p == '.' || *p == '-'))
                    p++;
            } else if (p < end && is_alpha(*p)) {
                while (p < end && is_alpha(*p))
                    p++;
            } else {
                SYNTAX(r);
            }
        } else if (strchr("!\"#$%&'()*,./:;<=>?@[\\]^_`{|}~", *p)) {
            p++;
            continue;
        } else {
            SYNTAX(r);
        }
        if (r->count == MAX_TOKENS)
            SYNTAX(r);
        r->tokens[r->count++] = (Token){kind, str_make(start, (size_t)(p - start))};
    }
    if (r->count == 0)
        SYNTAX(r);
    return true;
}

static bool number_of(Str digits, int64_t *ret)
{
    return digits.length <= 12 && str_to_int64(digits, ret);
}

static bool field_set(Reader *r, int which, int64_t value)
{
    Fields *f = &r->out->fields;
    if (r->has & which)
        SYNTAX(r);
    r->has |= which;
    if (which == HAS_YEAR)
        f->year = value;
    else if (which == HAS_MONTH)
        f->month = (int)MIN(value, 1000);
    else
        f->day = (int)MIN(value, 1000);
    return true;
}

/* What a number is depends on what is known already. */
static bool number_place(Reader *r, Str digits)
{
    int64_t value;
    const size_t length = digits.length;
    int which;

    if (!number_of(digits, &value))
        return overflow(r, false);
    if (length == 3 && (r->has & HAS_DATE) == HAS_YEAR && value >= 1 && value <= 366) {
        r->has |= HAS_MONTH | HAS_DAY;
        r->is_day_of_year = true;
        r->out->fields.month = 1;
        r->out->fields.day = (int)value;
        return true;
    }
    switch (r->has & HAS_DATE) {
    case 0:
        which = length >= 3 || r->order == ORDER_YMD ? HAS_YEAR
                : r->order == ORDER_DMY              ? HAS_DAY
                                                     : HAS_MONTH;
        break;
    case HAS_YEAR:
        which = HAS_MONTH;
        break;
    case HAS_MONTH:
        which = r->has_text_month && (length >= 3 || r->order == ORDER_YMD) ? HAS_YEAR : HAS_DAY;
        break;
    case HAS_YEAR | HAS_MONTH:
        if (r->has_text_month && length >= 3 && r->is_two_digit_year) {
            r->out->fields.day = (int)r->out->fields.year;
            r->has |= HAS_DAY;
            r->has &= ~HAS_YEAR;
            r->is_two_digit_year = false;
            which = HAS_YEAR;
        } else {
            which = HAS_DAY;
        }
        break;
    case HAS_DAY:
        which = HAS_MONTH;
        break;
    case HAS_MONTH | HAS_DAY:
        which = HAS_YEAR;
        break;
    case HAS_YEAR | HAS_DAY:
        which = HAS_MONTH;
        break;
    default:
        SYNTAX(r);
    }
    if (which == HAS_YEAR)
        r->is_two_digit_year = length <= 2;
    return field_set(r, which, value);
}

/* "1999-01-08", "1/8/99", "8-Jan-1999": the month's name first, then the numbers in order. */
static bool date_read(Reader *r, Str text)
{
    Str parts[3];
    int count = 0;
    for (size_t at = 0; at < text.length;) {
        size_t end = at;
        const bool digits = is_digit(text.data[at]);
        while (end < text.length && (digits ? is_digit(text.data[end]) : is_alpha(text.data[end])))
            end++;
        if (end == at) {
            at++;
            continue;
        }
        if (count == 3)
            SYNTAX(r);
        parts[count++] = str_slice(text, at, end - at);
        at = end;
    }
    for (int i = 0; i < count; i++)
        if (is_alpha(parts[i].data[0])) {
            const int month = month_of(parts[i]);
            if (month == 0)
                SYNTAX(r);
            r->has_text_month = true;
            TRY(field_set(r, HAS_MONTH, month));
        }
    for (int i = 0; i < count; i++)
        if (is_digit(parts[i].data[0]))
            TRY(number_place(r, parts[i]));
    if ((r->has & HAS_DATE) != HAS_DATE)
        SYNTAX(r);
    return true;
}

static int fraction_of(Str digits)
{
    int value = 0, n = 0;
    for (size_t i = 0; i < digits.length && n < 6; i++, n++)
        value = value * 10 + (digits.data[i] - '0');
    for (; n < 6; n++)
        value *= 10;
    if (digits.length > 6 && digits.data[6] >= '5')
        value++;
    return value;
}

static bool time_read(Reader *r, Str text)
{
    Fields *f = &r->out->fields;
    int *const slots[] = {&f->hour, &f->minute, &f->second};
    size_t at = 0;
    int i;

    if (r->has & HAS_TIME)
        SYNTAX(r);
    f->hour = f->minute = f->second = f->microsecond = 0;
    for (i = 0; i < 3; i++) {
        int64_t value = 0;
        size_t end = at;
        while (end < text.length && is_digit(text.data[end]))
            end++;
        if (end == at || !number_of(str_slice(text, at, end - at), &value))
            SYNTAX(r);
        if (value > 100000)
            return overflow(r, false);
        *slots[i] = (int)value;
        at = end;
        if (at >= text.length || text.data[at] != ':')
            break;
        at++;
    }
    if (at < text.length && text.data[at] == '.') {
        /* "mm:ss.fff" */
        if (i == 1) {
            f->second = f->minute;
            f->minute = f->hour;
            f->hour = 0;
        }
        f->microsecond = fraction_of(str_slice(text, at + 1, text.length));
        for (size_t k = at + 1; k < text.length; k++)
            if (!is_digit(text.data[k]))
                SYNTAX(r);
    } else if (at < text.length) {
        SYNTAX(r);
    }
    r->has |= HAS_TIME;
    if (f->minute > 59 || f->second > 60 || f->hour > 24)
        return overflow(r, false);
    return true;
}

/* "yyyymmdd", "yymmdd", "hhmmss.fff", "hhmm". */
static bool run_read(Reader *r, Str text)
{
    const size_t point = str_find_char(text, '.', 0);
    const Str digits = str_slice(text, 0, point == SIZE_MAX ? text.length : point);
    int64_t value;
    Fields *f = &r->out->fields;

    if (!number_of(digits, &value))
        return overflow(r, false);
    if ((r->has & HAS_DATE) == 0 && point != SIZE_MAX && digits.length == 4 && !r->is_time_only) {
        /* "1999.008": year and day of the year */
        TRY(number_place(r, digits));
        return number_place(r, str_slice(text, point + 1, text.length));
    }
    if ((r->has & HAS_DATE) != HAS_DATE && point == SIZE_MAX && digits.length >= 6 &&
        !r->is_time_only) {
        f->year = value / 10000;
        f->month = (int)(value / 100 % 100);
        f->day = (int)(value % 100);
        r->is_two_digit_year = digits.length == 6;
        r->has |= HAS_DATE;
        return true;
    }
    if (r->has & HAS_TIME)
        SYNTAX(r);
    if (digits.length == 6) {
        f->hour = (int)(value / 10000);
        f->minute = (int)(value / 100 % 100);
        f->second = (int)(value % 100);
    } else if (digits.length == 4) {
        f->hour = (int)(value / 100);
        f->minute = (int)(value % 100);
        f->second = 0;
    } else {
        SYNTAX(r);
    }
    f->microsecond = point == SIZE_MAX ? 0 : fraction_of(str_slice(text, point + 1, text.length));
    r->has |= HAS_TIME;
    if (f->minute > 59 || f->second > 60 || f->hour > 24)
        return overflow(r, false);
    return true;
}

static bool zone_read(Reader *r, Str text)
{
    int64_t parts[3] = {0};
    int count = 0;
    Str rest = str_trim(str_slice(text, 1, text.length));

    if (r->has & HAS_ZONE)
        SYNTAX(r);
    while (rest.length > 0 && count < 3) {
        size_t end = 0;
        while (end < rest.length && is_digit(rest.data[end]))
            end++;
        if (!number_of(str_slice(rest, 0, end), &parts[count]))
            SYNTAX(r);
        if (count == 0 && end == rest.length && end > 2) {
            parts[1] = end > 4 ? parts[0] / 100 % 100 : parts[0] % 100;
            parts[2] = end > 4 ? parts[0] % 100 : 0;
            parts[0] = end > 4 ? parts[0] / 10000 : parts[0] / 100;
        }
        count++;
        rest = str_slice(rest, end + 1, rest.length);
    }
    if (parts[0] > 15 || parts[1] > 59 || parts[2] > 59)
        FAIL(ERR_INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
             .message = fmt("time zone displacement out of range: \"%.*s\"", STR_ARGS(r->text)));
    const int offset = (int)(parts[0] * 3600 + parts[1] * 60 + parts[2]);
    r->out->fields.offset = text.data[0] == '-' ? -offset : offset;
    r->out->fields.has_offset = true;
    r->has |= HAS_ZONE;
    return true;
}

/* today, now and their kin, in the session's zone. */
static bool relative_read(Reader *r, Str word, bool *ret_found)
{
    static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};
    Fields now;
    *ret_found = false;
    for (int i = 0; i < 4; i++) {
        if (!str_equal_nocase(word, str_from_c(words[i])))
            continue;
        *ret_found = true;
        fields_from_timestamptz(clock_transaction_hook(), timezone_session(), &now);
        Fields *f = &r->out->fields;
        const int64_t shift = i == 2 ? 1 : i == 3 ? -1 : 0;
        civil_from_days(days_from_civil(now.year, now.month, now.day) + shift, &f->year, &f->month,
                        &f->day);
        r->has |= HAS_DATE;
        if (i == 0) {
            fields_set_time(f, fields_time(&now));
            f->offset = now.offset;
            f->has_offset = true;
            r->has |= HAS_TIME | HAS_ZONE;
        }
    }
    return true;
}

static bool zone_name_unknown(Str word)
{
    CLEANUP(strbuf_deinit) StrBuf lower = {0};
    for (size_t i = 0; i < word.length; i++)
        strbuf_append_char(&lower, ascii_lower(word.data[i]));
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message = fmt("time zone \"%.*s\" not recognized", STR_ARGS(strbuf_view(&lower))));
}

/* A zone whose name has digits or punctuation: nothing else can be meant. */
static bool zone_name_read(Reader *r, Str word)
{
    if (r->has & HAS_ZONE)
        SYNTAX(r);
    r->out->zone = timezone_find(word);
    if (!r->out->zone)
        return zone_name_unknown(word);
    r->has |= HAS_ZONE;
    return true;
}

static bool zone_word(Reader *r, Str word)
{
    if (r->has & HAS_ZONE)
        SYNTAX(r);
    if (zone_abbreviation_known(word)) {
        r->abbreviation = word;
    } else {
        r->out->zone = timezone_find(word);
        if (!r->out->zone && str_find_char(word, '/', 0) != SIZE_MAX)
            return zone_name_unknown(word);
        if (!r->out->zone)
            SYNTAX(r);
    }
    r->has |= HAS_ZONE;
    return true;
}

static bool word_read(Reader *r, Str word)
{
    bool found;
    const int month = month_of(word);
    Fields *f = &r->out->fields;

    if (month) {
        /* A number taken for the month gives way to the name: "8 Jan 1999". */
        if ((r->has & HAS_MONTH) && !r->has_text_month && !(r->has & HAS_DAY) && f->month <= 31) {
            f->day = f->month;
            r->has |= HAS_DAY;
            r->has &= ~HAS_MONTH;
        }
        r->has_text_month = true;
        return field_set(r, HAS_MONTH, month);
    }
    if (str_equal_nocase(word, STR("infinity"))) {
        r->kind = PARSED_INFINITY;
        return true;
    }
    if (str_equal_nocase(word, STR("-infinity"))) {
        r->kind = PARSED_MINUS_INFINITY;
        return true;
    }
    if (str_equal_nocase(word, STR("epoch"))) {
        *f = (Fields){.year = 1970, .month = 1, .day = 1, .has_offset = true};
        r->has |= HAS_DATE | HAS_TIME | HAS_ZONE;
        return true;
    }
    if (str_equal_nocase(word, STR("am")) || str_equal_nocase(word, STR("pm"))) {
        r->half = ascii_lower(word.data[0]) == 'a' ? 1 : 2;
        return true;
    }
    if (str_equal_nocase(word, STR("bc")) || str_equal_nocase(word, STR("ad"))) {
        r->is_bc = ascii_lower(word.data[0]) == 'b';
        return true;
    }
    if (str_equal_nocase(word, STR("allballs"))) {
        r->has |= HAS_TIME | HAS_ZONE;
        f->has_offset = true;
        return true;
    }
    if (str_equal_nocase(word, STR("t")) || str_equal_nocase(word, STR("at")) ||
        str_equal_nocase(word, STR("on")) || is_day_name(word))
        return true;
    if (str_equal_nocase(word, STR("dst"))) {
        f->offset += 3600;
        return true;
    }
    TRY(relative_read(r, word, &found));
    return found ? true : zone_word(r, word);
}

/* "J2451187": a Julian day. */
static bool julian_read(Reader *r, Str digits)
{
    int64_t day;
    if (!number_of(digits, &day) || day > INT32_MAX)
        return overflow(r, false);
    Fields *f = &r->out->fields;
    civil_from_days(day - JULIAN_2000, &f->year, &f->month, &f->day);
    r->has |= HAS_DATE;
    return true;
}

/* "040506-08" where only a time is wanted. */
static bool time_and_zone_read(Reader *r, Str text)
{
    const size_t minus = str_find_char(text, '-', 0);
    if (minus != 6 && minus != 4)
        return date_read(r, text);
    TRY(run_read(r, str_slice(text, 0, minus)));
    return zone_read(r, str_slice(text, minus, text.length));
}

static bool token_read(Reader *r, int i)
{
    const Token *token = &r->tokens[i];
    switch (token->kind) {
    case TOKEN_DATE:
        if (is_alpha(token->text.data[0]) &&
            (r->is_time_only || (r->has & (HAS_MONTH | HAS_DAY)) == (HAS_MONTH | HAS_DAY)))
            return zone_name_read(r, token->text);
        if (r->is_time_only && i == 0 && r->count == 1)
            return time_and_zone_read(r, token->text);
        return date_read(r, token->text);
    case TOKEN_TIME:
        return time_read(r, token->text);
    case TOKEN_ZONE:
        return zone_read(r, token->text);
    case TOKEN_WORD:
        if (str_equal_nocase(token->text, STR("j")) && i + 1 < r->count &&
            r->tokens[i + 1].kind == TOKEN_NUMBER) {
            TRY(julian_read(r, r->tokens[i + 1].text));
            r->tokens[i + 1].text.length = 0;
            return true;
        }
        /* "T" says that a time follows. */
        if (str_equal_nocase(token->text, STR("t")) &&
            (token + 1 == r->tokens + r->count ||
             (token[1].kind != TOKEN_NUMBER && token[1].kind != TOKEN_TIME &&
              token[1].kind != TOKEN_DATE)))
            SYNTAX(r);
        return word_read(r, token->text);
    case TOKEN_NUMBER:
        if (token->text.length == 0)
            return true;
        if (str_find_char(token->text, '.', 0) != SIZE_MAX || token->text.length >= 6 ||
            (token->text.length == 4 && ((r->has & HAS_DATE) == HAS_DATE || r->is_time_only)))
            return run_read(r, token->text);
        /* "3 PM" */
        if ((r->has & HAS_DATE) == 0 || (r->has & HAS_DATE) == HAS_DATE)
            if (i + 1 < r->count && (str_equal_nocase(r->tokens[i + 1].text, STR("am")) ||
                                     str_equal_nocase(r->tokens[i + 1].text, STR("pm")))) {
                int64_t hour;
                if (!number_of(token->text, &hour) || hour > 24)
                    return overflow(r, false);
                r->out->fields.hour = (int)hour;
                r->has |= HAS_TIME;
                return true;
            }
        return number_place(r, token->text);
    }
    SYNTAX(r);
}

static bool date_validate(Reader *r)
{
    Fields *f = &r->out->fields;
    if (r->is_bc) {
        if (f->year <= 0)
            return overflow(r, false);
        f->year = -(f->year - 1);
    } else if (r->is_two_digit_year) {
        f->year += f->year < 70 ? 2000 : f->year < 100 ? 1900 : 0;
    } else if ((r->has & HAS_YEAR) && f->year <= 0 && r->kind == PARSED_FIELDS &&
               !r->out->fields.has_offset) {
        return overflow(r, false);
    }
    if (r->is_day_of_year) {
        civil_from_days(days_from_civil(f->year, 1, 1) + f->day - 1, &f->year, &f->month, &f->day);
        return true;
    }
    if (f->month < 1 || f->month > 12 || f->day < 1 || f->day > 31)
        return overflow(r, true);
    if (f->day > days_in_month(f->year, f->month))
        return overflow(r, false);
    return true;
}

static bool time_validate(Reader *r)
{
    Fields *f = &r->out->fields;
    if (r->half) {
        if (f->hour > 12)
            return overflow(r, false);
        if (r->half == 1 && f->hour == 12)
            f->hour = 0;
        else if (r->half == 2 && f->hour != 12)
            f->hour += 12;
    }
    if (r->is_time_only && f->hour == 23 && f->minute == 59 && f->second == 60 &&
        f->microsecond > 0)
        return overflow(r, false);
    if (f->hour == 24 && (f->minute > 0 || f->second > 0 || f->microsecond > 0))
        return overflow(r, false);
    return true;
}

/* What an abbreviation means on the date that was read; without one, today. */
static bool abbreviation_resolve(Reader *r)
{
    Fields *f = &r->out->fields;
    int64_t moment = clock_transaction_hook();
    ZoneClock clock = ZONE_CLOCK_UTC;
    int32_t offset;
    if (r->abbreviation.length == 0)
        return true;
    if ((r->has & HAS_DATE) == HAS_DATE) {
        TRY(fields_to_timestamp(f, &moment));
        clock = ZONE_CLOCK_LOCAL;
    }
    if (!zone_abbreviation(r->abbreviation, moment, clock, &offset))
        SYNTAX(r);
    f->offset += offset;
    f->has_offset = true;
    return true;
}

ParsedKind datetime_parse(Str text, const char *type_name, int wanted, Parsed *ret)
{
    DateStyle style;
    *ret = (Parsed){0};
    Reader r = {.text = text,
                .type_name = type_name,
                .out = ret,
                .kind = PARSED_FIELDS,
                .is_time_only = !(wanted & WANT_DATE)};

    date_style(&style, &r.order);
    TRY(tokens_cut(&r));
    for (int i = 0; i < r.count; i++)
        TRY(token_read(&r, i));
    if (r.kind != PARSED_FIELDS) {
        if (r.has || !(wanted & WANT_DATE))
            FAIL_DATE_SYNTAX(type_name, text);
        return r.kind;
    }
    const int date = r.has & HAS_DATE;
    if ((wanted & WANT_DATE) && date != HAS_DATE)
        FAIL_DATE_SYNTAX(type_name, text);
    if (!(wanted & WANT_DATE) && ((date && date != HAS_DATE) || !(r.has & HAS_TIME)))
        FAIL_DATE_SYNTAX(type_name, text);
    ret->has_date = date == HAS_DATE;
    ret->has_time = (r.has & HAS_TIME) != 0;
    if (date)
        TRY(date_validate(&r));
    TRY(time_validate(&r));
    if (!date && ret->zone && !timezone_is_fixed(ret->zone))
        FAIL_DATE_SYNTAX(type_name, text);
    TRY(abbreviation_resolve(&r));
    return PARSED_FIELDS;
}
