/* interval: text in four styles, typmods, order, arithmetic. */
#include <math.h>
#include <stdlib.h>

#include "types/datetime_internal.h"

#define RANGE_FULL 0x7fff
#define PRECISION_FULL 0xffff
enum {
    BIT_MONTH = 1 << 1,
    BIT_YEAR = 1 << 2,
    BIT_DAY = 1 << 3,
    BIT_HOUR = 1 << 10,
    BIT_MINUTE = 1 << 11,
    BIT_SECOND = 1 << 12
};

typedef enum Unit {
    UNIT_NONE = 0,
    UNIT_MICROSECOND,
    UNIT_MILLISECOND,
    UNIT_SECOND,
    UNIT_MINUTE,
    UNIT_HOUR,
    UNIT_DAY,
    UNIT_WEEK,
    UNIT_MONTH,
    UNIT_YEAR,
    UNIT_DECADE,
    UNIT_CENTURY,
    UNIT_MILLENNIUM
} Unit;

static Unit unit_of(Str word)
{
    static const struct {
        const char *name;
        Unit unit;
    } units[] = {
        {"us", UNIT_MICROSECOND},
        {"usec", UNIT_MICROSECOND},
        {"usecs", UNIT_MICROSECOND},
        {"usecond", UNIT_MICROSECOND},
        {"useconds", UNIT_MICROSECOND},
        {"microsecond", UNIT_MICROSECOND},
        {"microseconds", UNIT_MICROSECOND},
        {"microsecon", UNIT_MICROSECOND},
        {"ms", UNIT_MILLISECOND},
        {"msec", UNIT_MILLISECOND},
        {"msecs", UNIT_MILLISECOND},
        {"msecond", UNIT_MILLISECOND},
        {"mseconds", UNIT_MILLISECOND},
        {"millisecond", UNIT_MILLISECOND},
        {"milliseconds", UNIT_MILLISECOND},
        {"millisecon", UNIT_MILLISECOND},
        {"s", UNIT_SECOND},
        {"sec", UNIT_SECOND},
        {"secs", UNIT_SECOND},
        {"second", UNIT_SECOND},
        {"seconds", UNIT_SECOND},
        {"m", UNIT_MINUTE},
        {"min", UNIT_MINUTE},
        {"mins", UNIT_MINUTE},
        {"minute", UNIT_MINUTE},
        {"minutes", UNIT_MINUTE},
        {"h", UNIT_HOUR},
        {"hr", UNIT_HOUR},
        {"hrs", UNIT_HOUR},
        {"hour", UNIT_HOUR},
        {"hours", UNIT_HOUR},
        {"d", UNIT_DAY},
        {"day", UNIT_DAY},
        {"days", UNIT_DAY},
        {"w", UNIT_WEEK},
        {"week", UNIT_WEEK},
        {"weeks", UNIT_WEEK},
        {"mon", UNIT_MONTH},
        {"mons", UNIT_MONTH},
        {"month", UNIT_MONTH},
        {"months", UNIT_MONTH},
        {"y", UNIT_YEAR},
        {"yr", UNIT_YEAR},
        {"yrs", UNIT_YEAR},
        {"year", UNIT_YEAR},
        {"years", UNIT_YEAR},
        {"dec", UNIT_DECADE},
        {"decs", UNIT_DECADE},
        {"decade", UNIT_DECADE},
        {"decades", UNIT_DECADE},
        {"c", UNIT_CENTURY},
        {"cent", UNIT_CENTURY},
        {"century", UNIT_CENTURY},
        {"centuries", UNIT_CENTURY},
        {"mil", UNIT_MILLENNIUM},
        {"mils", UNIT_MILLENNIUM},
        {"millennium", UNIT_MILLENNIUM},
        {"millennia", UNIT_MILLENNIUM},
        {"millenniums", UNIT_MILLENNIUM},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++)
        if (str_equal_nocase(word, str_from_c(units[i].name)))
            return units[i].unit;
    return UNIT_NONE;
}

/* What is being added up; wide, so that overflow shows at the end. */
typedef struct Sum {
    int64_t years, months, days, microseconds;
    bool overflow;
    uint32_t seen;     /* bits of the Units that have been given: none is given twice */
    bool all_negative; /* one sign at the front is the sign of all fields */
} Sum;

static void sum_add(int64_t *field, int64_t value, int64_t times, Sum *sum)
{
    int64_t product;
    sum->overflow |= __builtin_mul_overflow(value, times, &product) ||
                     __builtin_add_overflow(*field, product, field);
}

static void sum_seconds(Sum *sum, double fraction, double usecs_each)
{
    const double value = rint(fraction * usecs_each);
    if (fabs(value) > 9.2e18)
        sum->overflow = true;
    else
        sum_add(&sum->microseconds, (int64_t)value, 1, sum);
}

static void sum_days(Sum *sum, double fraction, int days_each)
{
    const double days = fraction * days_each;
    const int64_t whole = (int64_t)days;
    sum_add(&sum->days, whole, 1, sum);
    sum_seconds(sum, days - (double)whole, (double)USECS_PER_DAY);
}

/* `value` and a fraction with its sign, in units; fractions spill into smaller fields. */
static void sum_unit(Sum *sum, Unit unit, int64_t value, double fraction)
{
    static const int years_each[] = {
        [UNIT_YEAR] = 1, [UNIT_DECADE] = 10, [UNIT_CENTURY] = 100, [UNIT_MILLENNIUM] = 1000};
    switch (unit) {
    case UNIT_MICROSECOND:
        sum_add(&sum->microseconds, value, 1, sum);
        sum_seconds(sum, fraction, 1);
        break;
    case UNIT_MILLISECOND:
        sum_add(&sum->microseconds, value, 1000, sum);
        sum_seconds(sum, fraction, 1000);
        break;
    case UNIT_NONE:
    case UNIT_SECOND:
        sum_add(&sum->microseconds, value, USECS_PER_SEC, sum);
        sum_seconds(sum, fraction, (double)USECS_PER_SEC);
        break;
    case UNIT_MINUTE:
        sum_add(&sum->microseconds, value, USECS_PER_MINUTE, sum);
        sum_seconds(sum, fraction, (double)USECS_PER_MINUTE);
        break;
    case UNIT_HOUR:
        sum_add(&sum->microseconds, value, USECS_PER_HOUR, sum);
        sum_seconds(sum, fraction, (double)USECS_PER_HOUR);
        break;
    case UNIT_DAY:
        sum_add(&sum->days, value, 1, sum);
        sum_seconds(sum, fraction, (double)USECS_PER_DAY);
        break;
    case UNIT_WEEK:
        sum_add(&sum->days, value, 7, sum);
        sum_days(sum, fraction, 7);
        break;
    case UNIT_MONTH:
        sum_add(&sum->months, value, 1, sum);
        sum_days(sum, fraction, 30);
        break;
    default:
        sum_add(&sum->years, value, years_each[unit], sum);
        sum_add(&sum->months, (int64_t)rint(fraction * 12 * years_each[unit]), 1, sum);
        break;
    }
}

typedef struct Number {
    bool negative, has_sign;
    int64_t whole;
    double fraction;
    size_t end;
    bool overflow;
} Number;

static bool number_read(Str text, size_t at, Number *ret)
{
    *ret = (Number){0};
    if (at < text.length && (text.data[at] == '-' || text.data[at] == '+')) {
        ret->has_sign = true;
        ret->negative = text.data[at++] == '-';
        while (at < text.length && is_space(text.data[at]))
            at++;
    }
    const size_t start = at;
    for (; at < text.length && is_digit(text.data[at]); at++)
        ret->overflow |= __builtin_mul_overflow(ret->whole, 10, &ret->whole) ||
                         __builtin_add_overflow(ret->whole, text.data[at] - '0', &ret->whole);
    size_t digits = at - start;
    if (at < text.length && text.data[at] == '.') {
        double scale = 1, value = 0;
        for (at++; at < text.length && is_digit(text.data[at]); at++, digits++) {
            if (scale < 1e17) {
                value = value * 10 + (text.data[at] - '0');
                scale *= 10;
            }
        }
        ret->fraction = value / scale;
    }
    if (ret->negative) {
        ret->whole = -ret->whole;
        ret->fraction = -ret->fraction;
    }
    ret->end = at;
    return digits > 0;
}

/* "hh:mm", "hh:mm:ss.f", "mm:ss.f"; the first part has been read. */
static bool clock_read(Str text, const Number *first, int range, Sum *sum, size_t *ret_end)
{
    int64_t parts[3] = {llabs(first->whole)};
    double fraction = 0;
    int count = 1;
    size_t at = first->end;

    while (at < text.length && text.data[at] == ':' && count < 3) {
        Number n;
        if (!number_read(text, at + 1, &n) || n.has_sign)
            return false;
        parts[count++] = n.whole;
        fraction = n.fraction;
        at = n.end;
        if (n.overflow)
            sum->overflow = true;
    }
    if (count == 2 && (fraction != 0 || range == (BIT_MINUTE | BIT_SECOND))) {
        parts[2] = parts[1];
        parts[1] = parts[0];
        parts[0] = 0;
    }
    if (parts[1] > 59 || parts[2] > 60)
        sum->overflow = true;
    const int64_t sign = first->negative ? -1 : 1;
    sum_add(&sum->microseconds, parts[0], sign * USECS_PER_HOUR, sum);
    sum_add(&sum->microseconds, parts[1], sign * USECS_PER_MINUTE, sum);
    sum_add(&sum->microseconds, parts[2], sign * USECS_PER_SEC, sum);
    sum_seconds(sum, (double)sign * fraction, (double)USECS_PER_SEC);
    *ret_end = at;
    return true;
}

static Unit unit_of_range(int range)
{
    if (range == BIT_YEAR)
        return UNIT_YEAR;
    if (range == BIT_MONTH || range == (BIT_YEAR | BIT_MONTH))
        return UNIT_MONTH;
    if (range == BIT_DAY)
        return UNIT_DAY;
    if (range == BIT_HOUR || range == (BIT_DAY | BIT_HOUR))
        return UNIT_HOUR;
    if (range == BIT_MINUTE || range == (BIT_HOUR | BIT_MINUTE) ||
        range == (BIT_DAY | BIT_HOUR | BIT_MINUTE))
        return UNIT_MINUTE;
    return UNIT_SECOND;
}

#define UNIT_BIT(unit) (1u << (unit))
#define SECOND_BITS                                                                                \
    (UNIT_BIT(UNIT_SECOND) | UNIT_BIT(UNIT_MILLISECOND) | UNIT_BIT(UNIT_MICROSECOND))
#define CLOCK_BITS (UNIT_BIT(UNIT_HOUR) | UNIT_BIT(UNIT_MINUTE) | SECOND_BITS)

static bool units_see(Sum *sum, uint32_t bits)
{
    const bool is_new = (sum->seen & bits) == 0;
    sum->seen |= bits;
    return is_new;
}

static uint32_t unit_bits(Unit unit, const Number *n)
{
    if (unit == UNIT_NONE || unit == UNIT_SECOND)
        return n->fraction != 0 ? SECOND_BITS : UNIT_BIT(UNIT_SECOND);
    return UNIT_BIT(unit);
}

/* What parts words and numbers and says nothing. */
static bool is_blank(char c)
{
    return is_space(c) || (c != 0 && strchr("!\"#$%&'()*,;<=>?@[\\]^_`{|}~", c));
}

/* Whether what stands at `at` is a number of hours or a clock. */
static bool hours_follow(Str text, size_t at, int range)
{
    Number n;
    if (!number_read(text, at, &n))
        return false;
    if (n.end < text.length && text.data[n.end] == ':')
        return true;
    size_t word = n.end;
    while (word < text.length && is_blank(text.data[word]))
        word++;
    if (word == text.length)
        return unit_of_range(range) == UNIT_HOUR;
    size_t end = word;
    while (end < text.length && is_alpha(text.data[end]))
        end++;
    return unit_of(str_slice(text, word, end - word)) == UNIT_HOUR;
}

/* One number with what follows it: a clock, years-months, or a unit. */
static bool item_read(Str text, size_t *at, int range, Sum *sum)
{
    Number n;
    if (!number_read(text, *at, &n))
        return false;
    sum->overflow |= n.overflow;
    if (sum->all_negative && !n.negative) {
        n.negative = true;
        n.whole = -n.whole;
        n.fraction = -n.fraction;
    }
    size_t end = n.end;
    if (end < text.length && text.data[end] == ':' && n.fraction == 0) {
        return units_see(sum, CLOCK_BITS) && clock_read(text, &n, range, sum, at);
    }
    if (end < text.length && text.data[end] == '-' && end + 1 < text.length &&
        is_digit(text.data[end + 1])) {
        Number months;
        if (!number_read(text, end + 1, &months) || months.whole > 11 ||
            (months.end < text.length && text.data[months.end] == '-'))
            return false;
        sum_add(&sum->months, n.whole, 12, sum);
        sum_add(&sum->months, n.negative ? -months.whole : months.whole, 1, sum);
        *at = months.end;
        return units_see(sum, UNIT_BIT(UNIT_MONTH));
    }
    while (end < text.length && is_blank(text.data[end]))
        end++;
    size_t word = end;
    while (word < text.length && is_alpha(text.data[word]))
        word++;
    Unit unit = word > end ? unit_of(str_slice(text, end, word - end)) : UNIT_NONE;
    if (unit == UNIT_NONE) {
        if (word > end)
            return false;
        /* Days before hours, "1 02:03:04"; else the last, and what the range's last field is. */
        if (end == text.length)
            unit = unit_of_range(range);
        else if (end > n.end && hours_follow(text, end, range))
            unit = UNIT_DAY;
        else
            return false;
        word = n.end;
    }
    if (!units_see(sum, unit_bits(unit, &n)))
        return false;
    sum_unit(sum, unit, n.whole, n.fraction);
    *at = word;
    return true;
}

static size_t digits_before_point(Str text, size_t at)
{
    size_t end = at + (at < text.length && text.data[at] == '-');
    const size_t start = end;
    while (end < text.length && is_digit(text.data[end]))
        end++;
    return end - start;
}

/* "0001-02-03", "00010203" and "0001" as far as a T: the number before has no unit. */
static bool iso_date_read(Str text, const Number *first, size_t width, size_t *at, Sum *sum)
{
    Number parts[3] = {*first};
    size_t end = first->end;
    if (width == 8 && (end == text.length || text.data[end] == 'T')) {
        sum_add(&sum->years, first->whole / 10000, 1, sum);
        sum_add(&sum->months, first->whole / 100 % 100, 1, sum);
        sum_unit(sum, UNIT_DAY, first->whole % 100, first->fraction);
        *at = end;
        return true;
    }
    for (int i = 1; i < 3 && end < text.length && text.data[end] == '-'; i++) {
        if (!number_read(text, end + 1, &parts[i]))
            return false;
        end = parts[i].end;
        sum->overflow |= parts[i].overflow;
    }
    if (end < text.length && text.data[end] != 'T')
        return false;
    sum_unit(sum, UNIT_YEAR, parts[0].whole, parts[0].fraction);
    sum_unit(sum, UNIT_MONTH, parts[1].whole, parts[1].fraction);
    sum_unit(sum, UNIT_DAY, parts[2].whole, parts[2].fraction);
    *at = end;
    return true;
}

/* "04:05:06", "040506" and "04", to the end. */
static bool iso_time_read(Str text, const Number *first, size_t width, size_t *at, Sum *sum)
{
    Number parts[3] = {*first};
    size_t end = first->end;
    if (width == 6 && end == text.length) {
        sum_add(&sum->microseconds, first->whole / 10000, USECS_PER_HOUR, sum);
        sum_add(&sum->microseconds, first->whole / 100 % 100, USECS_PER_MINUTE, sum);
        sum_unit(sum, UNIT_SECOND, first->whole % 100, first->fraction);
        *at = end;
        return true;
    }
    for (int i = 1; i < 3 && end < text.length && text.data[end] == ':'; i++) {
        if (!number_read(text, end + 1, &parts[i]))
            return false;
        end = parts[i].end;
        sum->overflow |= parts[i].overflow;
    }
    if (end < text.length)
        return false;
    sum_unit(sum, UNIT_HOUR, parts[0].whole, parts[0].fraction);
    sum_unit(sum, UNIT_MINUTE, parts[1].whole, parts[1].fraction);
    sum_unit(sum, UNIT_SECOND, parts[2].whole, parts[2].fraction);
    *at = end;
    return true;
}

static Unit iso_unit(char designator, bool in_time)
{
    switch (designator) {
    case 'Y':
        return in_time ? UNIT_NONE : UNIT_YEAR;
    case 'M':
        return in_time ? UNIT_MINUTE : UNIT_MONTH;
    case 'W':
        return in_time ? UNIT_NONE : UNIT_WEEK;
    case 'D':
        return in_time ? UNIT_NONE : UNIT_DAY;
    case 'H':
        return in_time ? UNIT_HOUR : UNIT_NONE;
    case 'S':
        return in_time ? UNIT_SECOND : UNIT_NONE;
    default:
        return UNIT_NONE;
    }
}

/* "P1Y2M3DT4H5M6S", "P0001-02-03T04:05:06" and "P00010203T040506". */
static bool iso_read(Str text, Sum *sum)
{
    bool in_time = false, has_field = false;
    size_t at = 1;
    if (text.length < 2)
        return false;
    while (at < text.length) {
        Number n;
        if (text.data[at] == 'T' && !in_time) {
            in_time = true;
            has_field = false;
            at++;
            continue;
        }
        if (!number_read(text, at, &n))
            return false;
        sum->overflow |= n.overflow;
        const char designator = n.end < text.length ? text.data[n.end] : 0;
        const Unit unit = iso_unit(designator, in_time);
        const size_t width = digits_before_point(text, at);
        if (unit) {
            sum_unit(sum, unit, n.whole, n.fraction);
            at = n.end + 1;
            has_field = true;
        } else if (has_field || (designator && designator != (in_time ? ':' : '-') &&
                                 (in_time || designator != 'T'))) {
            return false;
        } else if (in_time ? !iso_time_read(text, &n, width, &at, sum)
                           : !iso_date_read(text, &n, width, &at, sum)) {
            return false;
        }
    }
    return true;
}

static bool words_read(Str text, int range, Sum *sum)
{
    bool ago = false, any = false;
    size_t at = 0;
    while (at < text.length) {
        const char c = text.data[at];
        if (is_blank(c)) {
            at++;
            continue;
        }
        if (is_alpha(c)) {
            size_t end = at;
            while (end < text.length && is_alpha(text.data[end]))
                end++;
            const Str word = str_slice(text, at, end - at);
            if (str_equal_nocase(word, STR("ago")))
                ago = true;
            else if (unit_of(word) == UNIT_NONE)
                return false; /* a unit without a number says nothing */
            at = end;
            continue;
        }
        if (!item_read(text, &at, range, sum))
            return false;
        any = true;
    }
    if (ago) {
        sum->years = -sum->years;
        sum->months = -sum->months;
        sum->days = -sum->days;
        sum->microseconds = -sum->microseconds;
    }
    return any;
}

/* In the SQL standard's style one sign at the front is the sign of all fields. */
static bool sign_is_common(Str text)
{
    if (settings()->interval_style != INTERVAL_STYLE_SQL_STANDARD || text.length == 0 ||
        text.data[0] != '-')
        return false;
    for (size_t i = 1; i < text.length; i++)
        if ((text.data[i] == '-' || text.data[i] == '+') && is_space(text.data[i - 1]))
            return false;
    return true;
}

static bool fits_int32(int64_t value)
{
    return value >= INT32_MIN && value <= INT32_MAX;
}

static bool interval_parse(Str text, int32_t typmod, Interval *ret)
{
    Sum sum = {0};
    const Str word = str_trim(text);
    const int range = typmod >= 0 ? (typmod >> 16) & RANGE_FULL : RANGE_FULL;
    sum.all_negative = sign_is_common(word);
    const bool ok =
        word.length && word.data[0] == 'P' ? iso_read(word, &sum) : words_read(word, range, &sum);
    if (!ok)
        FAIL_DATE_SYNTAX("interval", text);
    if (sum.overflow || !fits_int32(sum.years) || !fits_int32(sum.months) || !fits_int32(sum.days))
        FAIL(ERR_INTERVAL_FIELD_OVERFLOW,
             .message = fmt("interval field value out of range: \"%.*s\"", STR_ARGS(text)));
    const int64_t months = sum.years * 12 + sum.months;
    if (!fits_int32(months))
        FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = STR("interval out of range"));
    *ret = (Interval){
        .microseconds = sum.microseconds, .days = (int32_t)sum.days, .months = (int32_t)months};
    return interval_apply_typmod(typmod, ret);
}

bool interval_input(const TypeIo *io, Str text, Value *ret)
{
    return interval_parse(text, io->typmod, &ret->interval);
}

/* Cuts fields finer than the range's last; rounds the seconds. */
bool interval_apply_typmod(int32_t typmod, Interval *interval)
{
    if (typmod < 0)
        return true;
    const int range = (typmod >> 16) & RANGE_FULL, precision = typmod & PRECISION_FULL;
    int64_t unit = 1;
    if (range != RANGE_FULL && !(range & BIT_SECOND)) {
        if (range & BIT_MINUTE)
            unit = USECS_PER_MINUTE;
        else if (range & BIT_HOUR)
            unit = USECS_PER_HOUR;
        else
            unit = 0;
        if (unit == 0)
            interval->microseconds = 0;
        else
            interval->microseconds = interval->microseconds / unit * unit;
        if (unit == 0 && !(range & BIT_DAY))
            interval->days = 0;
        if (unit == 0 && !(range & (BIT_DAY | BIT_MONTH)))
            interval->months = interval->months / 12 * 12;
    }
    if (precision != PRECISION_FULL)
        interval->microseconds = timestamp_round(interval->microseconds, precision);
    return true;
}

/* PostgreSQL's style: "1 year 2 mons -3 days +04:05:06.7" */

static void append_part(int64_t value, const char *unit, bool *first, bool *negative, StrBuf *out)
{
    if (value == 0)
        return;
    strbuf_format(out, "%s%s%lld %s%s", *first ? "" : " ", *negative && value > 0 ? "+" : "",
                  (long long)value, unit, value == 1 ? "" : "s");
    *negative = value < 0;
    *first = false;
}

static void append_clock(uint64_t microseconds, StrBuf *out)
{
    const uint64_t seconds = microseconds / USECS_PER_SEC;
    strbuf_format(out, "%02llu:%02d:%02d", (unsigned long long)(seconds / 3600),
                  (int)(seconds / 60 % 60), (int)(seconds % 60));
    append_fraction((int)(microseconds % USECS_PER_SEC), out);
}

static uint64_t size_of(int64_t v)
{
    return v < 0 ? -(uint64_t)v : (uint64_t)v;
}

static void append_postgres(const Interval *i, StrBuf *out)
{
    bool first = true, negative = false;
    append_part(i->months / 12, "year", &first, &negative, out);
    append_part(i->months % 12, "mon", &first, &negative, out);
    append_part(i->days, "day", &first, &negative, out);
    if (first || i->microseconds != 0) {
        strbuf_append_c(out, first ? "" : " ");
        if (i->microseconds < 0)
            strbuf_append_char(out, '-');
        else if (negative)
            strbuf_append_char(out, '+');
        append_clock(size_of(i->microseconds), out);
    }
}

static void append_verbose_part(int64_t value, const char *unit, bool *first, bool *ago,
                                StrBuf *out)
{
    if (value == 0)
        return;
    if (*first)
        *ago = value < 0;
    if (*ago)
        value = -value;
    strbuf_format(out, " %lld %s%s", (long long)value, unit, value == 1 ? "" : "s");
    *first = false;
}

static void append_verbose(const Interval *i, StrBuf *out)
{
    bool first = true, ago = false;
    strbuf_append_char(out, '@');
    append_verbose_part(i->months / 12, "year", &first, &ago, out);
    append_verbose_part(i->months % 12, "mon", &first, &ago, out);
    append_verbose_part(i->days, "day", &first, &ago, out);
    const int64_t seconds = i->microseconds / USECS_PER_SEC;
    const int micro = (int)(i->microseconds % USECS_PER_SEC);
    append_verbose_part(seconds / 3600, "hour", &first, &ago, out);
    append_verbose_part(seconds / 60 % 60, "min", &first, &ago, out);
    if (seconds % 60 != 0 || micro != 0) {
        const bool negative = i->microseconds < 0;
        if (first)
            ago = negative;
        strbuf_format(out, " %s%d", negative != ago ? "-" : "", abs((int)(seconds % 60)));
        append_fraction(micro, out);
        strbuf_format(out, " sec%s", abs((int)(seconds % 60)) != 1 || micro != 0 ? "s" : "");
        first = false;
    }
    if (first)
        strbuf_append_c(out, " 0");
    if (ago)
        strbuf_append_c(out, " ago");
}

static void append_iso_part(int64_t value, char designator, StrBuf *out)
{
    if (value != 0)
        strbuf_format(out, "%lld%c", (long long)value, designator);
}

static void append_iso(const Interval *i, StrBuf *out)
{
    if (i->months == 0 && i->days == 0 && i->microseconds == 0) {
        strbuf_append_c(out, "PT0S");
        return;
    }
    strbuf_append_char(out, 'P');
    append_iso_part(i->months / 12, 'Y', out);
    append_iso_part(i->months % 12, 'M', out);
    append_iso_part(i->days, 'D', out);
    const int64_t seconds = i->microseconds / USECS_PER_SEC;
    const int micro = (int)(i->microseconds % USECS_PER_SEC);
    if (i->microseconds != 0)
        strbuf_append_char(out, 'T');
    append_iso_part(seconds / 3600, 'H', out);
    append_iso_part(seconds / 60 % 60, 'M', out);
    if (seconds % 60 != 0 || micro != 0) {
        strbuf_format(out, "%s%d", i->microseconds < 0 ? "-" : "", abs((int)(seconds % 60)));
        append_fraction(micro, out);
        strbuf_append_char(out, 'S');
    }
}

static void append_standard_clock(int64_t microseconds, StrBuf *out)
{
    const uint64_t size = size_of(microseconds), seconds = size / USECS_PER_SEC;
    strbuf_format(out, "%llu:%02d:%02d", (unsigned long long)(seconds / 3600),
                  (int)(seconds / 60 % 60), (int)(seconds % 60));
    append_fraction((int)(size % USECS_PER_SEC), out);
}

static void append_standard(const Interval *i, StrBuf *out)
{
    const bool has_negative = i->months < 0 || i->days < 0 || i->microseconds < 0;
    const bool has_positive = i->months > 0 || i->days > 0 || i->microseconds > 0;
    const bool has_months = i->months != 0, has_day = i->days != 0 || i->microseconds != 0;
    if (!has_negative && !has_positive) {
        strbuf_append_char(out, '0');
        return;
    }
    /* Values that SQL's form cannot hold have each part signed. */
    if ((has_negative && has_positive) || (has_months && has_day)) {
        strbuf_format(out, "%c%d-%d %c%lld %c", i->months < 0 ? '-' : '+', abs(i->months / 12),
                      abs(i->months % 12), i->days < 0 ? '-' : '+', llabs((long long)i->days),
                      i->microseconds < 0 ? '-' : '+');
        append_standard_clock(i->microseconds, out);
        return;
    }
    if (has_negative)
        strbuf_append_char(out, '-');
    if (has_months) {
        strbuf_format(out, "%d-%d", abs(i->months / 12), abs(i->months % 12));
        return;
    }
    if (i->days != 0)
        strbuf_format(out, "%lld ", llabs((long long)i->days));
    append_standard_clock(i->microseconds, out);
}

void interval_append_text(const Interval *interval, StrBuf *out)
{
    switch (settings()->interval_style) {
    case INTERVAL_STYLE_POSTGRES_VERBOSE:
        append_verbose(interval, out);
        break;
    case INTERVAL_STYLE_SQL_STANDARD:
        append_standard(interval, out);
        break;
    case INTERVAL_STYLE_ISO_8601:
        append_iso(interval, out);
        break;
    default:
        append_postgres(interval, out);
        break;
    }
}

bool interval_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    interval_append_text(&value->interval, out);
    return true;
}

bool interval_receive(const TypeIo *io, Str bytes, Value *ret)
{
    NEED_BYTES(bytes, 16);
    ret->interval = (Interval){.microseconds = (int64_t)get_be64(bytes.data),
                               .days = (int32_t)get_be32(bytes.data + 8),
                               .months = (int32_t)get_be32(bytes.data + 12)};
    return interval_apply_typmod(io->typmod, &ret->interval);
}

bool interval_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    put_be64(out, (uint64_t)value->interval.microseconds);
    put_be32(out, (uint32_t)value->interval.days);
    put_be32(out, (uint32_t)value->interval.months);
    return true;
}

/* Months count as 30 days, days as 24 hours. */
int128 interval_span(const Interval *i)
{
    return (int128)i->microseconds + ((int128)i->months * 30 + i->days) * USECS_PER_DAY;
}

int interval_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    const int128 x = interval_span(&a->interval), y = interval_span(&b->interval);
    return (x > y) - (x < y);
}

uint64_t interval_hash(const BuiltinType *type, const Value *value)
{
    const int128 span = interval_span(&value->interval);
    return hash_combine(hash_mix64((uint64_t)span), (uint64_t)(span >> 64));
}

/* " day to hour" of a mask of fields; NULL (no error): no such range. */
const char *interval_range_text(int range)
{
    static const struct {
        int range;
        const char *text;
    } ranges[] = {{RANGE_FULL, ""},
                  {BIT_YEAR, " year"},
                  {BIT_MONTH, " month"},
                  {BIT_DAY, " day"},
                  {BIT_HOUR, " hour"},
                  {BIT_MINUTE, " minute"},
                  {BIT_SECOND, " second"},
                  {BIT_YEAR | BIT_MONTH, " year to month"},
                  {BIT_DAY | BIT_HOUR, " day to hour"},
                  {BIT_DAY | BIT_HOUR | BIT_MINUTE, " day to minute"},
                  {BIT_DAY | BIT_HOUR | BIT_MINUTE | BIT_SECOND, " day to second"},
                  {BIT_HOUR | BIT_MINUTE, " hour to minute"},
                  {BIT_HOUR | BIT_MINUTE | BIT_SECOND, " hour to second"},
                  {BIT_MINUTE | BIT_SECOND, " minute to second"}};
    for (size_t i = 0; i < ARRAY_LENGTH(ranges); i++)
        if (ranges[i].range == range)
            return ranges[i].text;
    return NULL;
}

/* typmod: {range mask} or {range mask, precision}, as the grammar gives them. */
bool typmod_interval_in(const int64_t *arguments, int count, int32_t *ret_typmod)
{
    if (count < 1 || count > 2 || arguments[0] < 0 || arguments[0] > RANGE_FULL ||
        !interval_range_text((int)arguments[0]))
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("invalid INTERVAL type modifier"));
    int64_t precision = count == 2 ? arguments[1] : PRECISION_FULL;
    if (precision < 0)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("INTERVAL(%lld) precision must not be negative", (long long)precision));
    if (precision > 6 && precision != PRECISION_FULL) {
        NOTICE(SEVERITY_WARNING, ERR_INVALID_PARAMETER_VALUE,
               .message = fmt("INTERVAL(%lld) precision reduced to maximum allowed, 6",
                              (long long)precision));
        precision = 6;
    }
    if (count == 1 && arguments[0] == RANGE_FULL)
        *ret_typmod = -1;
    else
        *ret_typmod = (int32_t)((arguments[0] & RANGE_FULL) << 16 | precision);
    return true;
}

void typmod_interval_out(int32_t typmod, StrBuf *out)
{
    if (typmod < 0)
        return;
    const int precision = typmod & PRECISION_FULL;
    const char *range = interval_range_text((typmod >> 16) & RANGE_FULL);
    if (range)
        strbuf_append_c(out, range);
    if (precision != PRECISION_FULL)
        strbuf_format(out, "(%d)", precision);
}
