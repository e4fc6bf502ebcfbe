/*
 * Reading dates and times: text → fields, with PostgreSQL's freedom of order and words.
 *
 * The text is cut into tokens by what they look like (number, date with separators, time, zone
 * offset, word); then each finds its field. What a bare number means depends on what is already
 * known, on DateStyle, and on a word before it that labels it ("Y2024M02D29", "J2451187"). No field
 * is given twice. Texts of times follow rules of their own where a date could be meant.
 */
#include <math.h>
#include <stdlib.h>

#include "types/datetime_internal.h"

#define MAX_TOKENS 25
/* Characters of a text's tokens, with one after each: dates and times, and timestamps. */
#define MAX_CHARACTERS 129
#define MAX_TIMESTAMP_CHARACTERS 153

const char *const month_names[12] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
const char *const day_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                  "Thursday", "Friday", "Saturday"};

typedef enum TokenKind {
    TOKEN_NUMBER = 1, /* digits, perhaps with a point */
    TOKEN_DATE,       /* digits or letters with separators; zones' names with punctuation too */
    TOKEN_TIME,
    TOKEN_ZONE, /* +05:30 */
    TOKEN_WORD,
} TokenKind;

typedef struct Token {
    TokenKind kind;
    Str text;
} Token;

/* What is known already. */
enum {
    HAS_YEAR = 1,
    HAS_MONTH = 2,
    HAS_DAY = 4,
    HAS_DATE = 7,
    HAS_HOUR = 8,
    HAS_MINUTE = 16,
    HAS_SECOND = 32,
    HAS_TIME = 56,
    HAS_ZONE = 64,
    HAS_SUMMER = 128,
    HAS_SPECIAL = 256,
    HAS_HALF = 512,
    HAS_ERA = 1024,
    HAS_WEEKDAY = 2048,
    HAS_DAY_OF_YEAR = 4096,
    HAS_ZONE_OF_OLD = 8192, /* an abbreviation that has had several meanings */
    HAS_MODIFIER = 16384,   /* "DST" after a zone: an hour more */
};

/* What a word says of the number after it. */
typedef enum Label {
    LABEL_NONE = 0,
    LABEL_YEAR,
    LABEL_MONTH,
    LABEL_DAY,
    LABEL_HOUR,
    LABEL_MINUTE,
    LABEL_SECOND,
    LABEL_JULIAN,
    LABEL_TIME,
    LABEL_OTHER, /* a unit that no number may follow: "dow" */
} Label;

typedef struct Reader {
    Str text;
    const char *type_name;
    Token tokens[MAX_TOKENS];
    int count;
    size_t room; /* characters that the tokens may have together */
    unsigned known;
    Label label;
    bool has_text_month, is_two_digit_year, is_bc, is_julian;
    int day_of_year;
    int half; /* 0 none, 1 AM, 2 PM */
    ParsedKind kind;
    bool is_epoch;
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

/* ---- words ---- */

typedef enum WordKind {
    WORD_UNKNOWN = 0,
    WORD_IGNORED,
    WORD_SPECIAL,
    WORD_MONTH,
    WORD_WEEKDAY,
    WORD_HALF,
    WORD_ERA,
    WORD_SUMMER,
    WORD_LABEL,
} WordKind;

typedef enum SpecialWord {
    SPECIAL_EPOCH,
    SPECIAL_INFINITY,
    SPECIAL_MINUS_INFINITY,
    SPECIAL_NOW,
    SPECIAL_TODAY,
    SPECIAL_TOMORROW,
    SPECIAL_YESTERDAY,
    SPECIAL_ALLBALLS,
} SpecialWord;

typedef struct Word {
    const char *name;
    WordKind kind;
    int value;
} Word;

/* By name, as bsearch needs them. */
static const Word words[] = {
    {"-infinity", WORD_SPECIAL, SPECIAL_MINUS_INFINITY},
    {"ad", WORD_ERA, 0},
    {"allballs", WORD_SPECIAL, SPECIAL_ALLBALLS},
    {"am", WORD_HALF, 1},
    {"apr", WORD_MONTH, 4},
    {"april", WORD_MONTH, 4},
    {"at", WORD_IGNORED, 0},
    {"aug", WORD_MONTH, 8},
    {"august", WORD_MONTH, 8},
    {"bc", WORD_ERA, 1},
    {"d", WORD_LABEL, LABEL_DAY},
    {"dec", WORD_MONTH, 12},
    {"december", WORD_MONTH, 12},
    {"dow", WORD_LABEL, LABEL_OTHER},
    {"doy", WORD_LABEL, LABEL_OTHER},
    {"dst", WORD_SUMMER, 0},
    {"epoch", WORD_SPECIAL, SPECIAL_EPOCH},
    {"feb", WORD_MONTH, 2},
    {"february", WORD_MONTH, 2},
    {"fri", WORD_WEEKDAY, 5},
    {"friday", WORD_WEEKDAY, 5},
    {"h", WORD_LABEL, LABEL_HOUR},
    {"infinity", WORD_SPECIAL, SPECIAL_INFINITY},
    {"isodow", WORD_LABEL, LABEL_OTHER},
    {"isoyear", WORD_LABEL, LABEL_OTHER},
    {"j", WORD_LABEL, LABEL_JULIAN},
    {"jan", WORD_MONTH, 1},
    {"january", WORD_MONTH, 1},
    {"jd", WORD_LABEL, LABEL_JULIAN},
    {"jul", WORD_MONTH, 7},
    {"julian", WORD_LABEL, LABEL_JULIAN},
    {"july", WORD_MONTH, 7},
    {"jun", WORD_MONTH, 6},
    {"june", WORD_MONTH, 6},
    {"m", WORD_LABEL, LABEL_MONTH},
    {"mar", WORD_MONTH, 3},
    {"march", WORD_MONTH, 3},
    {"may", WORD_MONTH, 5},
    {"mm", WORD_LABEL, LABEL_MINUTE},
    {"mon", WORD_WEEKDAY, 1},
    {"monday", WORD_WEEKDAY, 1},
    {"nov", WORD_MONTH, 11},
    {"november", WORD_MONTH, 11},
    {"now", WORD_SPECIAL, SPECIAL_NOW},
    {"oct", WORD_MONTH, 10},
    {"october", WORD_MONTH, 10},
    {"on", WORD_IGNORED, 0},
    {"pm", WORD_HALF, 2},
    {"s", WORD_LABEL, LABEL_SECOND},
    {"sat", WORD_WEEKDAY, 6},
    {"saturday", WORD_WEEKDAY, 6},
    {"sep", WORD_MONTH, 9},
    {"sept", WORD_MONTH, 9},
    {"september", WORD_MONTH, 9},
    {"sun", WORD_WEEKDAY, 0},
    {"sunday", WORD_WEEKDAY, 0},
    {"t", WORD_LABEL, LABEL_TIME},
    {"thu", WORD_WEEKDAY, 4},
    {"thur", WORD_WEEKDAY, 4},
    {"thurs", WORD_WEEKDAY, 4},
    {"thursday", WORD_WEEKDAY, 4},
    {"today", WORD_SPECIAL, SPECIAL_TODAY},
    {"tomorrow", WORD_SPECIAL, SPECIAL_TOMORROW},
    {"tue", WORD_WEEKDAY, 2},
    {"tues", WORD_WEEKDAY, 2},
    {"tuesday", WORD_WEEKDAY, 2},
    {"wed", WORD_WEEKDAY, 3},
    {"wednesday", WORD_WEEKDAY, 3},
    {"weds", WORD_WEEKDAY, 3},
    {"y", WORD_LABEL, LABEL_YEAR},
    {"yesterday", WORD_SPECIAL, SPECIAL_YESTERDAY},
};

static int word_order(const void *key, const void *entry)
{
    const Str wanted = *(const Str *)key;
    const char *name = ((const Word *)entry)->name;

    for (size_t i = 0; i < wanted.length; i++) {
        const int difference = (unsigned char)ascii_lower(wanted.data[i]) - (unsigned char)name[i];
        if (difference != 0)
            return difference;
    }
    return name[wanted.length] == '\0' ? 0 : -1;
}

static const Word *word_find(Str text)
{
    return bsearch(&text, words, ARRAY_LENGTH(words), sizeof(words[0]), word_order);
}

/* ---- cutting ---- */

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && is_digit(*p))
        p++;
    return p;
}

static const char *skip_letters(const char *p, const char *end)
{
    while (p < end && is_alpha(*p))
        p++;
    return p;
}

/* Where the token that begins with a digit at p ends. */
static const char *scan_digits(const char *p, const char *end, TokenKind *ret_kind)
{
    p = skip_digits(p, end);
    if (p < end && *p == ':') {
        *ret_kind = TOKEN_TIME;
        while (p < end && (is_digit(*p) || *p == ':' || *p == '.'))
            p++;
        return p;
    }
    *ret_kind = TOKEN_NUMBER;
    if (p == end || (*p != '-' && *p != '/' && *p != '.'))
        return p;
    const char separator = *p++;
    if (p < end && is_digit(*p)) {
        /* One point only: seconds and their fraction, "040506.7"; two make a date. */
        *ret_kind = separator == '.' ? TOKEN_NUMBER : TOKEN_DATE;
        p = skip_digits(p, end);
        if (p < end && *p == separator) {
            *ret_kind = TOKEN_DATE;
            while (p < end && (is_digit(*p) || *p == separator))
                p++;
        }
        return p;
    }
    *ret_kind = TOKEN_DATE;
    while (p < end && (is_alpha(*p) || is_digit(*p) || *p == separator))
        p++;
    return p;
}

static const char *scan_word(const char *p, const char *end, TokenKind *ret_kind)
{
    const char *start = p;
    *ret_kind = TOKEN_WORD;
    p = skip_letters(p, end);
    if (p == end)
        return p;
    /* "Jan-08-1999" and "America/New_York"; "EST5EDT", but not "Y2024" or "Jan8". */
    const Str letters = str_make(start, (size_t)(p - start));
    if (*p == '-' || *p == '/' || *p == '.' ||
        ((*p == '+' || is_digit(*p)) && !word_find(letters))) {
        *ret_kind = TOKEN_DATE;
        while (p < end && (is_digit(*p) || is_alpha(*p) || strchr("+-/_.:", *p)))
            p++;
    }
    return p;
}

/* "+05:30", "-infinity"; white space after the sign is passed over by who reads it. */
static const char *scan_signed(const char *p, const char *end, TokenKind *ret_kind)
{
    p++;
    while (p < end && is_space(*p))
        p++;
    if (p < end && is_digit(*p)) {
        *ret_kind = TOKEN_ZONE;
        while (p < end && (is_digit(*p) || *p == ':' || *p == '.' || *p == '-'))
            p++;
        return p;
    }
    *ret_kind = TOKEN_WORD;
    return p < end && is_alpha(*p) ? skip_letters(p, end) : NULL;
}

/* A word with its sign, and nothing between them. */
static Str signed_word(Str token)
{
    const char *letters = token.data + 1, *end = token.data + token.length;

    while (letters < end && is_space(*letters))
        letters++;
    const Str word = str_make(letters, (size_t)(end - letters));
    return token.data[0] == '-' && str_equal_nocase(word, STR("infinity")) ? STR("-infinity")
                                                                           : token;
}

static bool is_punctuation(char c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
}

static bool tokens_cut(Reader *r)
{
    const char *p = r->text.data, *end = p + r->text.length;
    size_t used = 0;

    while (p < end) {
        TokenKind kind = TOKEN_NUMBER;
        const char *start = p;
        if (is_space(*p)) {
            p++;
            continue;
        }
        if (is_digit(*p)) {
            p = scan_digits(p, end, &kind);
        } else if (*p == '.') {
            p = skip_digits(p + 1, end);
        } else if (is_alpha(*p)) {
            p = scan_word(p, end, &kind);
        } else if (*p == '-' || *p == '+') {
            p = scan_signed(p, end, &kind);
            if (!p)
                SYNTAX(r);
        } else if (is_punctuation(*p)) {
            p++;
            continue;
        } else {
            SYNTAX(r);
        }
        used += (size_t)(p - start) + 1;
        if (r->count == MAX_TOKENS || used > r->room)
            SYNTAX(r);
        const Str text = str_make(start, (size_t)(p - start));
        r->tokens[r->count++] =
            (Token){kind, kind == TOKEN_WORD && !is_alpha(*start) ? signed_word(text) : text};
    }
    return true;
}

/* ---- numbers ---- */

/* The digits at `at`, as far as they go. No digits are zero. */
static bool digits_read(Reader *r, Str text, size_t *at, int *ret)
{
    int64_t value = 0;
    for (; *at < text.length && is_digit(text.data[*at]); ++*at) {
        value = value * 10 + (text.data[*at] - '0');
        if (value > INT32_MAX)
            return overflow(r, false);
    }
    *ret = (int)value;
    return true;
}

/* Of digits that are known to be such, however many: what they wrap to is nobody's date. */
static int64_t digits_value(Str digits)
{
    int64_t value = 0;
    for (size_t i = 0; i < digits.length && value < INT32_MAX; i++)
        value = value * 10 + (digits.data[i] - '0');
    return value;
}

/* ".789" in microseconds, rounded to even as a double is; true: digits alone follow the point. */
static bool fraction_read(Str text, double unit, double *ret)
{
    char buffer[MAX_TIMESTAMP_CHARACTERS + 2] = "0";
    const size_t length = MIN(text.length, (size_t)MAX_TIMESTAMP_CHARACTERS);
    bool is_clean = text.length <= MAX_TIMESTAMP_CHARACTERS;

    for (size_t i = 1; i < length; i++)
        is_clean = is_clean && is_digit(text.data[i]);
    memcpy(buffer + 1, text.data, length);
    *ret = strtod(buffer, NULL) * unit;
    return is_clean;
}

static bool microseconds_read(Reader *r, Str text, int *ret)
{
    double value;
    if (!fraction_read(text, 1e6, &value))
        SYNTAX(r);
    *ret = (int)rint(value);
    return true;
}

/* "yyyymmdd", "yymmdd", "hhmmss.fff", "hhmm"; `known`: what may not be meant any more. */
static bool run_read(Reader *r, Str text, unsigned known, unsigned *ret_bits)
{
    Fields *f = &r->out->fields;
    const size_t point = str_find_char(text, '.', 0);
    const Str digits = point == SIZE_MAX ? text : str_slice(text, 0, point);
    const size_t n = digits.length;

    if (point != SIZE_MAX) {
        double fraction;
        (void)fraction_read(str_slice(text, point, text.length), 1e6, &fraction);
        f->microsecond = (int)rint(fraction);
    } else if ((known & HAS_DATE) != HAS_DATE && n >= 6) {
        f->day = (int)digits_value(str_slice(digits, n - 2, 2));
        f->month = (int)digits_value(str_slice(digits, n - 4, 2));
        f->year = digits_value(str_slice(digits, 0, n - 4));
        if (n == 6)
            r->is_two_digit_year = true;
        *ret_bits = HAS_DATE;
        return true;
    }
    if ((known & HAS_TIME) == HAS_TIME || (n != 6 && n != 4))
        SYNTAX(r);
    f->second = n == 6 ? (int)digits_value(str_slice(digits, 4, 2)) : 0;
    f->minute = (int)digits_value(str_slice(digits, 2, 2));
    f->hour = (int)digits_value(str_slice(digits, 0, 2));
    *ret_bits = HAS_TIME;
    return true;
}

/* Which part of a date a bare number is, by what is known; 0: none can be. */
static unsigned date_part_of(Reader *r, size_t length, unsigned known)
{
    const bool is_year = length >= 3 || r->order == ORDER_YMD;

    switch (known & HAS_DATE) {
    case 0:
        return is_year ? HAS_YEAR : r->order == ORDER_DMY ? HAS_DAY : HAS_MONTH;
    case HAS_YEAR:
    case HAS_DAY:
        return HAS_MONTH;
    case HAS_MONTH:
        return r->has_text_month && is_year ? HAS_YEAR : HAS_DAY;
    case HAS_YEAR | HAS_MONTH:
        return HAS_DAY;
    case HAS_MONTH | HAS_DAY:
        return HAS_YEAR;
    default:
        return 0;
    }
}

static void part_set(Reader *r, unsigned part, int value)
{
    Fields *f = &r->out->fields;
    switch (part) {
    case HAS_YEAR:
        f->year = value;
        break;
    case HAS_MONTH:
        f->month = value;
        break;
    case HAS_DAY:
        f->day = value;
        break;
    case HAS_HOUR:
        f->hour = value;
        break;
    case HAS_MINUTE:
        f->minute = value;
        break;
    default:
        f->second = value;
        break;
    }
}

static bool number_read(Reader *r, Str text, unsigned known, unsigned *ret_bits)
{
    Fields *f = &r->out->fields;
    const size_t length = text.length;
    size_t at = 0;
    int value;

    TRY(digits_read(r, text, &at, &value));
    if (at == 0)
        SYNTAX(r);
    if (at < length) {
        if (text.data[at] != '.')
            SYNTAX(r);
        if (at > 2)
            return run_read(r, text, known | HAS_DATE, ret_bits);
        TRY(microseconds_read(r, str_slice(text, at, length), &f->microsecond));
    }
    if (length == 3 && (known & HAS_DATE) == HAS_YEAR && value >= 1 && value <= 366) {
        *ret_bits = HAS_MONTH | HAS_DAY | HAS_DAY_OF_YEAR;
        r->day_of_year = value;
        return true;
    }
    if ((known & HAS_DATE) == HAS_DATE)
        return run_read(r, text, known, ret_bits);
    if ((known & HAS_DATE) == (HAS_YEAR | HAS_MONTH) && r->has_text_month && length >= 3 &&
        r->is_two_digit_year) {
        /* What was taken for a year of two digits was the day: "08-Jan-1999" where years are first.
         */
        f->day = (int)f->year;
        f->year = value;
        r->is_two_digit_year = false;
        *ret_bits = HAS_DAY;
        return true;
    }
    const unsigned part = date_part_of(r, length, known);
    if (part == 0)
        SYNTAX(r);
    part_set(r, part, value);
    if (part == HAS_YEAR)
        r->is_two_digit_year = length <= 2;
    *ret_bits = part;
    return true;
}

/* ---- dates, times, zones ---- */

/* The next run of letters or of digits; the character after it separates, whatever it is. */
static bool date_part_cut(Reader *r, Str text, size_t *at, Str *ret)
{
    while (*at < text.length && !is_digit(text.data[*at]) && !is_alpha(text.data[*at]))
        ++*at;
    if (*at == text.length)
        SYNTAX(r);
    const char *start = text.data + *at, *end = text.data + text.length;
    const char *stop = is_digit(*start) ? skip_digits(start, end) : skip_letters(start, end);
    *ret = str_make(start, (size_t)(stop - start));
    *at = (size_t)(stop - text.data) + (stop < end);
    return true;
}

/* "1999-01-08", "1/8/99", "8-Jan-1999": the month's name first, then the numbers in order. */
static bool date_read(Reader *r, Str text, unsigned *ret_bits)
{
    enum { MAX_PARTS = 25 };
    Str parts[MAX_PARTS];
    int count = 0;
    unsigned known = r->known, all = 0, bits;

    for (size_t at = 0; at < text.length && count < MAX_PARTS; count++)
        TRY(date_part_cut(r, text, &at, &parts[count]));
    for (int i = 0; i < count; i++) {
        if (!is_alpha(parts[i].data[0]))
            continue;
        const Word *word = word_find(parts[i]);
        if (word && word->kind == WORD_IGNORED)
            continue;
        if (!word || word->kind != WORD_MONTH || (known & HAS_MONTH))
            SYNTAX(r);
        r->has_text_month = true;
        r->out->fields.month = word->value;
        known |= HAS_MONTH;
        all |= HAS_MONTH;
        parts[i] = STR_NONE;
    }
    for (int i = 0; i < count; i++) {
        if (str_is_none(parts[i]))
            continue;
        TRY(number_read(r, parts[i], known, &bits));
        if (known & bits)
            SYNTAX(r);
        known |= bits;
        all |= bits;
    }
    if ((known & ~(unsigned)(HAS_DAY_OF_YEAR | HAS_ZONE)) != HAS_DATE)
        SYNTAX(r);
    *ret_bits = all;
    return true;
}

/* No time of a day, nor its end. */
static bool clock_is_over(const Fields *f)
{
    return f->hour > 24 || f->minute > 59 || f->second > 60 || f->microsecond > USECS_PER_SEC ||
           fields_time(f) > USECS_PER_DAY;
}

/* "hh:mm", "hh:mm:ss.fff", and "mm:ss.fff". */
static bool time_read(Reader *r, Str text, unsigned *ret_bits)
{
    Fields *f = &r->out->fields;
    size_t at = 0;

    f->second = f->microsecond = 0;
    TRY(digits_read(r, text, &at, &f->hour));
    if (at == text.length || text.data[at++] != ':')
        SYNTAX(r);
    TRY(digits_read(r, text, &at, &f->minute));
    if (at < text.length && text.data[at] == '.') {
        TRY(microseconds_read(r, str_slice(text, at, text.length), &f->microsecond));
        f->second = f->minute;
        f->minute = f->hour;
        f->hour = 0;
    } else if (at < text.length) {
        at++;
        TRY(digits_read(r, text, &at, &f->second));
        if (at < text.length && text.data[at] != '.')
            SYNTAX(r);
        if (at < text.length)
            TRY(microseconds_read(r, str_slice(text, at, text.length), &f->microsecond));
    }
    if (f->minute > 59 || f->second > 60 || f->microsecond > USECS_PER_SEC)
        return overflow(r, false);
    *ret_bits = HAS_TIME;
    return true;
}

/* The number of an offset after its sign or colon; no zone is so far off. */
static int offset_part_read(Str text, size_t *at)
{
    int64_t value = 0;
    for (; *at < text.length && is_digit(text.data[*at]); ++*at)
        value = MIN(value * 10 + (text.data[*at] - '0'), INT32_MAX);
    return (int)value;
}

/* "+05", "-0530", "+05:30:15". */
static bool offset_read(Reader *r, Str text, unsigned *ret_bits)
{
    Fields *f = &r->out->fields;
    size_t at = 1;
    int minute = 0, second = 0;

    if (text.data[0] != '+' && text.data[0] != '-')
        SYNTAX(r);
    while (at < text.length && is_space(text.data[at]))
        at++;
    const size_t digits = text.length - at;
    int hour = offset_part_read(text, &at);
    if (at < text.length && text.data[at] == ':') {
        at++;
        minute = offset_part_read(text, &at);
        if (at < text.length && text.data[at] == ':') {
            at++;
            second = offset_part_read(text, &at);
        }
    } else if (at == text.length && digits > 2) {
        minute = hour % 100;
        hour /= 100;
    }
    if (hour > 15 || minute > 59 || second > 59)
        FAIL(ERR_INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
             .message = fmt("time zone displacement out of range: \"%.*s\"", STR_ARGS(r->text)));
    if (at != text.length)
        SYNTAX(r);
    const int offset = (hour * 60 + minute) * 60 + second;
    f->offset = text.data[0] == '-' ? -offset : offset;
    f->has_offset = true;
    *ret_bits = HAS_ZONE;
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
static bool zone_name_read(Reader *r, Str word, unsigned *ret_bits)
{
    r->out->zone = timezone_find(word);
    if (!r->out->zone)
        return zone_name_unknown(word);
    *ret_bits = HAS_ZONE;
    return true;
}

/* "040506.789-08": a time run together and its offset. */
static bool run_and_offset_read(Reader *r, Str text, unsigned known, unsigned *ret_bits)
{
    const size_t minus = str_find_char(text, '-', 0);

    if ((r->known & HAS_TIME) == HAS_TIME || minus == SIZE_MAX)
        SYNTAX(r);
    TRY(offset_read(r, str_slice(text, minus, text.length), ret_bits));
    TRY(run_read(r, str_slice(text, 0, minus), known, ret_bits));
    *ret_bits |= HAS_ZONE;
    return true;
}

static void julian_set(Reader *r, int day)
{
    Fields *f = &r->out->fields;
    civil_from_days(day - (int64_t)JULIAN_2000, &f->year, &f->month, &f->day);
    r->is_julian = true;
}

/* ---- tokens ---- */

/* A token that looks like a date, or a zone's name, or a time with an offset. */
static bool date_token_read(Reader *r, Str text, unsigned *ret_bits)
{
    if (r->label == LABEL_JULIAN) {
        /* "J2451187-05": its offset hangs on it. */
        size_t at = 0;
        int day;
        TRY(digits_read(r, text, &at, &day));
        julian_set(r, day);
        r->label = LABEL_NONE;
        if (at == text.length)
            SYNTAX(r);
        TRY(offset_read(r, str_slice(text, at, text.length), ret_bits));
        *ret_bits = HAS_DATE | HAS_TIME | HAS_ZONE;
        return true;
    }
    if (r->label == LABEL_NONE && (r->known & (HAS_MONTH | HAS_DAY)) != (HAS_MONTH | HAS_DAY))
        return date_read(r, text, ret_bits);
    if (r->label == LABEL_NONE && !is_digit(text.data[0]))
        return zone_name_read(r, text, ret_bits);
    if (r->label != LABEL_NONE && r->label != LABEL_TIME)
        SYNTAX(r);
    r->label = LABEL_NONE;
    return run_and_offset_read(r, text, r->known, ret_bits);
}

/* The same where a time is read: a date only before another token that makes sense of it. */
static bool date_token_read_in_time(Reader *r, int i, unsigned *ret_bits)
{
    const Str text = r->tokens[i].text;

    if (i == 0 && r->count >= 2 &&
        (r->tokens[r->count - 1].kind == TOKEN_DATE || r->tokens[1].kind == TOKEN_TIME))
        return date_read(r, text, ret_bits);
    return is_digit(text.data[0]) ? run_and_offset_read(r, text, r->known | HAS_DATE, ret_bits)
                                  : zone_name_read(r, text, ret_bits);
}

static bool time_token_read(Reader *r, Str text, unsigned *ret_bits)
{
    if (!r->is_time_only) {
        if (r->label != LABEL_NONE && r->label != LABEL_TIME)
            SYNTAX(r);
        r->label = LABEL_NONE;
    }
    TRY(time_read(r, text, ret_bits));
    return r->is_time_only || !clock_is_over(&r->out->fields) ? true : overflow(r, false);
}

/* "J2451187.5": the fraction is a time of the day. */
static bool julian_number_read(Reader *r, int day, Str fraction, unsigned *ret_bits)
{
    double microseconds;

    julian_set(r, day);
    *ret_bits = HAS_DATE;
    if (fraction.length == 0)
        return true;
    if (!fraction_read(fraction, (double)USECS_PER_DAY, &microseconds))
        SYNTAX(r);
    fields_set_time(&r->out->fields, (int64_t)microseconds);
    *ret_bits |= HAS_TIME;
    return true;
}

/* A number that the word before it labels. */
static bool labelled_read(Reader *r, Str text, unsigned *ret_bits)
{
    static const unsigned parts[] = {
        [LABEL_YEAR] = HAS_YEAR, [LABEL_MONTH] = HAS_MONTH,   [LABEL_DAY] = HAS_DAY,
        [LABEL_HOUR] = HAS_HOUR, [LABEL_MINUTE] = HAS_MINUTE, [LABEL_SECOND] = HAS_SECOND};
    Label label = r->label;
    size_t at = 0;
    int value;

    r->label = LABEL_NONE;
    if (label == LABEL_TIME) {
        TRY(digits_read(r, text, &at, &value));
        TRY(run_read(r, text, r->known | HAS_DATE, ret_bits));
        r->kind = PARSED_FIELDS;
        r->is_epoch = false;
        return true;
    }
    TRY(digits_read(r, text, &at, &value));
    const Str rest = str_slice(text, at, text.length);
    if (label == LABEL_OTHER || (rest.length && label != LABEL_SECOND && label != LABEL_JULIAN))
        SYNTAX(r);
    r->kind = PARSED_FIELDS;
    r->is_epoch = false;
    if (label == LABEL_JULIAN)
        return julian_number_read(r, value, rest, ret_bits);
    /* "H04M05": M is a month only where no hour is known. */
    if (label == LABEL_MONTH && (r->known & HAS_MONTH) && (r->known & HAS_HOUR))
        label = LABEL_MINUTE;
    part_set(r, parts[label], value);
    *ret_bits = parts[label];
    if (rest.length)
        TRY(microseconds_read(r, rest, &r->out->fields.microsecond));
    return true;
}

static bool number_token_read(Reader *r, Str text, unsigned *ret_bits)
{
    const size_t point = str_find_char(text, '.', 0);

    if (r->label != LABEL_NONE)
        return labelled_read(r, text, ret_bits);
    /* "1999.008": year and day of the year. */
    if (point != SIZE_MAX && !(r->known & HAS_DATE))
        return date_read(r, text, ret_bits);
    if (point != SIZE_MAX && point > 2)
        return run_read(r, text, r->known, ret_bits);
    if (text.length >= 6 && (!(r->known & HAS_DATE) || !(r->known & HAS_TIME)))
        return run_read(r, text, r->known, ret_bits);
    return number_read(r, text, r->known, ret_bits);
}

static bool number_token_read_in_time(Reader *r, int i, unsigned *ret_bits)
{
    const Str text = r->tokens[i].text;
    const size_t point = str_find_char(text, '.', 0);

    if (r->label != LABEL_NONE)
        return labelled_read(r, text, ret_bits);
    if (point != SIZE_MAX) {
        if (i == 0 && r->count >= 2 && r->tokens[r->count - 1].kind == TOKEN_DATE)
            return date_read(r, text, ret_bits);
        if (point <= 2)
            SYNTAX(r);
        return run_read(r, text, r->known | HAS_DATE, ret_bits);
    }
    if (text.length > 4)
        return run_read(r, text, r->known | HAS_DATE, ret_bits);
    return number_read(r, text, r->known | HAS_DATE, ret_bits);
}

/* ---- what words say ---- */

static void day_set(Reader *r, int shift)
{
    Fields now, *f = &r->out->fields;
    fields_from_timestamptz(clock_transaction_hook(), timezone_session(), &now);
    civil_from_days(days_from_civil(now.year, now.month, now.day) + shift, &f->year, &f->month,
                    &f->day);
}

static bool special_read(Reader *r, SpecialWord special, unsigned *ret_bits)
{
    Fields now, *f = &r->out->fields;

    if (r->is_time_only && special != SPECIAL_NOW && special != SPECIAL_ALLBALLS)
        SYNTAX(r);
    *ret_bits = HAS_SPECIAL;
    switch (special) {
    case SPECIAL_EPOCH:
    case SPECIAL_INFINITY:
    case SPECIAL_MINUS_INFINITY:
        r->is_epoch = special == SPECIAL_EPOCH;
        r->kind = special == SPECIAL_INFINITY         ? PARSED_INFINITY
                  : special == SPECIAL_MINUS_INFINITY ? PARSED_MINUS_INFINITY
                                                      : PARSED_FIELDS;
        return true;
    case SPECIAL_NOW:
        fields_from_timestamptz(clock_transaction_hook(), timezone_session(), &now);
        *ret_bits = HAS_TIME;
        fields_set_time(f, fields_time(&now));
        if (!r->is_time_only) {
            day_set(r, 0);
            f->offset = now.offset;
            f->has_offset = true;
            *ret_bits |= HAS_DATE | HAS_ZONE;
        }
        break;
    case SPECIAL_ALLBALLS:
        f->hour = f->minute = f->second = 0;
        f->offset = 0;
        f->has_offset = true;
        *ret_bits = HAS_TIME | HAS_ZONE;
        break;
    default:
        day_set(r, special == SPECIAL_TOMORROW ? 1 : special == SPECIAL_YESTERDAY ? -1 : 0);
        *ret_bits = HAS_DATE;
        break;
    }
    r->kind = PARSED_FIELDS;
    r->is_epoch = false;
    return true;
}

static bool month_read(Reader *r, int month, unsigned *ret_bits)
{
    Fields *f = &r->out->fields;

    if (r->is_time_only)
        SYNTAX(r);
    *ret_bits = HAS_MONTH;
    /* A number taken for the month gives way to the name: "8 Jan 1999". */
    if ((r->known & HAS_MONTH) && !r->has_text_month && !(r->known & HAS_DAY) && f->month >= 1 &&
        f->month <= 31) {
        f->day = f->month;
        *ret_bits = HAS_DAY;
    }
    r->has_text_month = true;
    f->month = month;
    return true;
}

/* "T" says that a time follows. */
static bool time_label_read(Reader *r, int i)
{
    if (!r->is_time_only && (r->known & HAS_DATE) != HAS_DATE)
        SYNTAX(r);
    if (i + 1 >= r->count || r->tokens[i + 1].kind == TOKEN_ZONE ||
        r->tokens[i + 1].kind == TOKEN_WORD)
        SYNTAX(r);
    r->label = LABEL_TIME;
    return true;
}

static bool zone_word_read(Reader *r, Str word, unsigned *ret_bits)
{
    r->out->zone = timezone_find(word);
    if (!r->out->zone)
        SYNTAX(r);
    *ret_bits = HAS_ZONE;
    return true;
}

static bool word_token_read(Reader *r, int i, unsigned *ret_bits)
{
    const Str text = r->tokens[i].text;
    const Word *word;

    const ZoneAbbreviationKind abbreviation = zone_abbreviation_kind(text);
    if (abbreviation != ABBREVIATION_NONE) {
        r->abbreviation = text;
        *ret_bits = abbreviation == ABBREVIATION_FIXED    ? HAS_ZONE
                    : abbreviation == ABBREVIATION_SUMMER ? HAS_ZONE | HAS_SUMMER
                                                          : HAS_ZONE | HAS_ZONE_OF_OLD;
        return true;
    }
    word = word_find(text);
    switch (word ? word->kind : WORD_UNKNOWN) {
    case WORD_IGNORED:
        return true;
    case WORD_SPECIAL:
        return special_read(r, (SpecialWord)word->value, ret_bits);
    case WORD_MONTH:
        return month_read(r, word->value, ret_bits);
    case WORD_WEEKDAY:
        if (r->is_time_only)
            SYNTAX(r);
        *ret_bits = HAS_WEEKDAY;
        return true;
    case WORD_HALF:
        r->half = word->value;
        *ret_bits = HAS_HALF;
        return true;
    case WORD_ERA:
        r->is_bc = word->value;
        *ret_bits = HAS_ERA;
        return true;
    case WORD_SUMMER:
        *ret_bits = HAS_SUMMER | HAS_MODIFIER;
        return true;
    case WORD_LABEL:
        if (word->value == LABEL_TIME)
            return time_label_read(r, i);
        r->label = (Label)word->value;
        return true;
    default:
        return zone_word_read(r, text, ret_bits);
    }
}

static bool token_read(Reader *r, int i)
{
    const Token *token = &r->tokens[i];
    unsigned bits = 0;

    switch (token->kind) {
    case TOKEN_DATE:
        TRY(r->is_time_only ? date_token_read_in_time(r, i, &bits)
                            : date_token_read(r, token->text, &bits));
        break;
    case TOKEN_TIME:
        TRY(time_token_read(r, token->text, &bits));
        break;
    case TOKEN_ZONE:
        TRY(offset_read(r, token->text, &bits));
        break;
    case TOKEN_NUMBER:
        TRY(r->is_time_only ? number_token_read_in_time(r, i, &bits)
                            : number_token_read(r, token->text, &bits));
        break;
    case TOKEN_WORD:
        TRY(word_token_read(r, i, &bits));
        break;
    }
    if (bits & r->known)
        SYNTAX(r);
    r->known |= bits;
    return true;
}

/* ---- the end ---- */

static bool date_validate(Reader *r)
{
    Fields *f = &r->out->fields;

    if ((r->known & HAS_YEAR) && !r->is_julian) {
        if (f->year <= 0 && (r->is_bc || !r->is_two_digit_year))
            return overflow(r, false);
        if (r->is_bc)
            f->year = -(f->year - 1);
        else if (r->is_two_digit_year)
            f->year += f->year < 70 ? 2000 : f->year < 100 ? 1900 : 0;
    }
    if (r->known & HAS_DAY_OF_YEAR)
        civil_from_days(days_from_civil(f->year, 1, 1) + r->day_of_year - 1, &f->year, &f->month,
                        &f->day);
    if ((r->known & HAS_MONTH) && (f->month < 1 || f->month > 12))
        return overflow(r, true);
    if ((r->known & HAS_DAY) && (f->day < 1 || f->day > 31))
        return overflow(r, true);
    if ((r->known & HAS_DATE) == HAS_DATE && f->day > days_in_month(f->year, f->month))
        return overflow(r, false);
    return true;
}

static bool half_apply(Reader *r)
{
    Fields *f = &r->out->fields;

    if (r->half && f->hour > 12)
        return overflow(r, false);
    if (r->half == 1 && f->hour == 12)
        f->hour = 0;
    else if (r->half == 2 && f->hour != 12)
        f->hour += 12;
    return true;
}

/* What an abbreviation means on the date that was read; without one, today. "DST" adds an hour. */
static bool zone_resolve(Reader *r)
{
    Fields *f = &r->out->fields;
    int64_t moment = clock_transaction_hook();
    ZoneClock clock = ZONE_CLOCK_UTC;
    int32_t offset;

    if ((r->known & HAS_MODIFIER) &&
        (r->out->zone || (r->known & HAS_ZONE_OF_OLD) || !(r->known & HAS_ZONE)))
        SYNTAX(r);
    if (r->abbreviation.length > 0) {
        if (r->known & HAS_DATE) {
            clock = ZONE_CLOCK_LOCAL;
            /* Beyond all time the value will be refused for that. */
            if (!fields_to_timestamp(f, &moment)) {
                error_clear();
                moment = 0;
            }
        }
        if (!zone_abbreviation(r->abbreviation, moment, clock, &offset))
            SYNTAX(r);
        f->offset = offset;
        f->has_offset = true;
    }
    if (r->known & HAS_MODIFIER)
        f->offset += 3600;
    return true;
}

static bool time_finish(Reader *r)
{
    const TimeZone *zone = r->out->zone;
    const unsigned date = r->known & HAS_DATE;

    if (clock_is_over(&r->out->fields))
        return overflow(r, false);
    if ((r->known & HAS_TIME) != HAS_TIME)
        SYNTAX(r);
    if (zone && !timezone_is_fixed(zone) && date != HAS_DATE)
        SYNTAX(r);
    const bool needs_date = r->abbreviation.length > 0 || !(r->known & HAS_ZONE);
    if (needs_date && date != 0 && date != HAS_DATE)
        SYNTAX(r);
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
                .room = (wanted & WANT_DATE) && (wanted & WANT_TIME) ? MAX_TIMESTAMP_CHARACTERS
                                                                     : MAX_CHARACTERS,
                .is_time_only = !(wanted & WANT_DATE)};

    date_style(&style, &r.order);
    TRY(tokens_cut(&r));
    for (int i = 0; i < r.count; i++)
        TRY(token_read(&r, i));
    if (r.kind != PARSED_FIELDS)
        return r.kind;
    if (r.is_epoch) {
        *ret = (Parsed){.fields = {.year = 1970, .month = 1, .day = 1, .has_offset = true},
                        .has_date = true,
                        .has_time = true};
        return PARSED_FIELDS;
    }
    TRY(date_validate(&r));
    TRY(half_apply(&r));
    if (r.is_time_only)
        TRY(time_finish(&r));
    else if ((r.known & HAS_DATE) != HAS_DATE)
        SYNTAX(&r);
    TRY(zone_resolve(&r));
    ret->has_date = (r.known & HAS_DATE) == HAS_DATE;
    ret->has_time = (r.known & HAS_TIME) != 0;
    return PARSED_FIELDS;
}
