/*
 * to_char and to_number: templates of numbers.
 *
 * The value is rounded to the template's decimals and laid over its digit positions from the
 * right; what the template shows besides digits is placed as it is met.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "types/numeric_internal.h"

typedef enum NumberKey {
    NUMBER_LITERAL = 0,
    NUMBER_NINE,
    NUMBER_ZERO,
    NUMBER_POINT,
    NUMBER_GROUP,
    NUMBER_SIGN,
    NUMBER_MI,
    NUMBER_PL,
    NUMBER_SG,
    NUMBER_TH,
    NUMBER_TH_LOWER,
    NUMBER_CURRENCY,
} NumberKey;

typedef struct NumberNode {
    NumberKey key;
    Str text;
} NumberNode;

#define MAX_NODES 512

typedef struct NumberTemplate {
    NumberNode nodes[MAX_NODES];
    int count;
    int whole, decimals, shift; /* digit positions before and after the point; after V */
    int zero_from;              /* index among whole positions of the first 0, or -1 */
    int last_zero_decimal;      /* decimals that FM keeps even when zero */
    bool fill, has_point, angle, roman, roman_lower, exponent, blank, has_v;
    bool sign_leading, sign_trailing, has_mi, has_pl, has_sg;
} NumberTemplate;

static bool template_wrong(const char *what)
{
    FAIL(ERR_SYNTAX_ERROR, .message = str_from_c(what));
}

static bool digit_add(NumberTemplate *t, bool zero)
{
    if (t->angle)
        return template_wrong("\"9\" must be ahead of \"PR\"");
    if (t->has_v) {
        t->shift++;
        t->whole++;
    } else if (t->has_point) {
        t->decimals++;
        if (zero)
            t->last_zero_decimal = t->decimals;
        return true;
    } else {
        t->whole++;
    }
    if (zero && t->zero_from < 0)
        t->zero_from = t->whole - 1;
    return true;
}

static bool pattern_add(NumberTemplate *t, Str f, size_t *at)
{
    static const struct {
        const char *word;
        NumberKey key;
    } words[] = {{"MI", NUMBER_MI},   {"PL", NUMBER_PL},     {"SG", NUMBER_SG},
                 {"S", NUMBER_SIGN},  {",", NUMBER_GROUP},   {"G", NUMBER_GROUP},
                 {".", NUMBER_POINT}, {"D", NUMBER_POINT},   {"9", NUMBER_NINE},
                 {"0", NUMBER_ZERO},  {"L", NUMBER_CURRENCY}};
    static const char *const marks[] = {"FM", "PR", "RN", "EEEE", "V", "B"};
    const Str rest = str_slice(f, *at, f.length);
    for (size_t i = 0; i < ARRAY_LENGTH(marks); i++) {
        const Str mark = str_from_c(marks[i]);
        if (rest.length < mark.length || !str_equal_nocase(str_slice(rest, 0, mark.length), mark))
            continue;
        *at += mark.length;
        switch (i) {
        case 0:
            t->fill = true;
            break;
        case 1:
            t->angle = true;
            break;
        case 2:
            t->roman = true;
            t->roman_lower = rest.data[0] == 'r';
            break;
        case 3:
            t->exponent = true;
            break;
        case 4:
            t->has_v = true;
            break;
        default:
            t->blank = true;
            break;
        }
        return true;
    }
    if (rest.data[0] == 'C' || rest.data[0] == 'c') { /* the currency, which no locale here has */
        (*at)++;
        return true;
    }
    NumberNode node = {NUMBER_LITERAL, str_slice(rest, 0, 1)};
    size_t width = MIN((size_t)utf8_width(rest.data[0]), rest.length);
    if (str_starts_with(rest, STR("TH")) || str_starts_with(rest, STR("th"))) {
        node.key = rest.data[0] == 'T' ? NUMBER_TH : NUMBER_TH_LOWER;
        width = 2;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(words) && !node.key; i++) {
        const Str word = str_from_c(words[i].word);
        if (rest.length >= word.length && str_equal_nocase(str_slice(rest, 0, word.length), word)) {
            node.key = words[i].key;
            width = word.length;
        }
    }
    node.text = str_slice(rest, 0, width);
    if (node.key == NUMBER_LITERAL && rest.data[0] == '"') {
        const size_t end = MIN(str_find_char(rest, '"', 1), rest.length);
        node.text = str_slice(rest, 1, end - 1);
        width = MIN(end + 1, rest.length);
    }
    *at += width;
    t->nodes[t->count++] = node;
    switch (node.key) {
    case NUMBER_NINE:
        return digit_add(t, false);
    case NUMBER_ZERO:
        return digit_add(t, true);
    case NUMBER_POINT:
        if (t->has_point)
            return template_wrong("multiple decimal points");
        t->has_point = true;
        return true;
    case NUMBER_SIGN:
        if (t->sign_leading || t->sign_trailing)
            return template_wrong("cannot use \"S\" twice");
        if (t->whole + t->decimals == 0)
            t->sign_leading = true;
        else
            t->sign_trailing = true;
        return true;
    case NUMBER_MI:
        t->has_mi = true;
        return true;
    case NUMBER_PL:
        t->has_pl = true;
        return true;
    case NUMBER_SG:
        t->has_sg = true;
        return true;
    default:
        return true;
    }
}

static bool number_template(Str f, NumberTemplate *t)
{
    memset(t, 0, sizeof(*t));
    t->zero_from = -1;
    for (size_t at = 0; at < f.length;) {
        if (t->count == MAX_NODES)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = STR("number template is too long"));
        TRY(pattern_add(t, f, &at));
    }
    return true;
}

/* The number as digits: sign, whole and decimals ("#" fills what does not fit). */
typedef struct Digits {
    bool negative, is_zero_whole, overflow;
    Str whole, decimals;
} Digits;

static void digits_of(Arena *arena, const Big *value, const NumberTemplate *t, Digits *ret)
{
    BIG(b);
    big_copy(&b, value);
    if (t->shift)
        mpz_shift_truncate(b.m, t->shift);
    big_round(&b, t->decimals);
    ret->negative = mpz_sgn(b.m) < 0;
    mpz_abs(b.m, b.m);
    b.kind = NUMERIC_FINITE;
    Value text_value;
    StrBuf text = strbuf_in(arena);
    if (!big_store(arena, &b, &text_value)) {
        error_clear();
        ret->overflow = true;
        return;
    }
    numeric_append_text(&text_value, &text);
    const Str s = strbuf_view(&text);
    const size_t point = MIN(str_find_char(s, '.', 0), s.length);
    ret->whole = str_slice(s, 0, point);
    ret->decimals = str_slice(s, point + 1, s.length);
    ret->is_zero_whole = str_equal(ret->whole, STR("0"));
    ret->overflow = ret->whole.length > (size_t)t->whole && !(ret->is_zero_whole);
    /* A sign shows only on what is not zero. */
    if (mpz_sgn(b.m) == 0)
        ret->negative = false;
}

static void append_ordinal(const Digits *d, bool lower, StrBuf *out)
{
    const Str w = d->whole;
    const char last = w.length ? w.data[w.length - 1] : '0';
    const bool teen = w.length > 1 && w.data[w.length - 2] == '1';
    const char *suffix = teen          ? "TH"
                         : last == '1' ? "ST"
                         : last == '2' ? "ND"
                         : last == '3' ? "RD"
                                       : "TH";
    if (d->negative)
        return;
    strbuf_append_char(out, lower ? ascii_lower(suffix[0]) : suffix[0]);
    strbuf_append_char(out, lower ? ascii_lower(suffix[1]) : suffix[1]);
}

typedef struct NumberWriter {
    const NumberTemplate *t;
    const Digits *d;
    StrBuf *out;
    int position; /* whole positions passed */
    int decimal;  /* decimal positions passed */
    int first;    /* the whole position of the first shown digit */
    int shown_decimals;
    bool sign_done;
} NumberWriter;

/* The sign that stands before the first digit when no pattern places it. */
static void sign_before(NumberWriter *w)
{
    if (w->sign_done)
        return;
    w->sign_done = true;
    const NumberTemplate *t = w->t;
    if (t->angle) {
        if (w->d->negative)
            strbuf_append_char(w->out, '<');
        else if (!t->fill)
            strbuf_append_char(w->out, ' ');
    } else if (t->sign_leading) {
        strbuf_append_char(w->out, w->d->negative ? '-' : '+');
    } else if (!t->sign_trailing && !t->has_mi && !t->has_pl && !t->has_sg) {
        if (w->d->negative)
            strbuf_append_char(w->out, '-');
        else if (!t->fill)
            strbuf_append_char(w->out, ' ');
    } else if (t->has_pl && !t->has_mi && !t->has_sg && !t->sign_trailing) {
        if (w->d->negative)
            strbuf_append_char(w->out, '-');
        else if (!t->fill)
            strbuf_append_char(w->out, ' ');
    }
}

static void whole_digit(NumberWriter *w)
{
    const int position = w->position++;
    const int from_right = w->t->whole - 1 - position;
    const Str s = w->d->whole;
    if (position < w->first) {
        if (!w->t->fill)
            strbuf_append_char(w->out, ' ');
        return;
    }
    sign_before(w);
    if (w->d->overflow)
        strbuf_append_char(w->out, '#');
    else if (from_right < (int)s.length && !(w->d->is_zero_whole && w->first == w->t->whole))
        strbuf_append_char(w->out, s.data[(int)s.length - 1 - from_right]);
    else
        strbuf_append_char(w->out, '0');
}

static void decimal_digit(NumberWriter *w)
{
    const int at = w->decimal++;
    sign_before(w);
    if (w->d->overflow)
        strbuf_append_char(w->out, '#');
    else if (at < w->shown_decimals)
        strbuf_append_char(w->out, w->d->decimals.data[at]);
}

static void node_write(NumberWriter *w, const NumberNode *node)
{
    const bool negative = w->d->negative;
    const bool fill = w->t->fill;
    switch (node->key) {
    case NUMBER_NINE:
    case NUMBER_ZERO:
        if (w->position < w->t->whole)
            whole_digit(w);
        else
            decimal_digit(w);
        break;
    case NUMBER_POINT:
        sign_before(w);
        strbuf_append_char(w->out, '.');
        break;
    case NUMBER_GROUP:
        if (w->position > w->first || (w->position == w->first && w->sign_done))
            strbuf_append_char(w->out, ',');
        else if (!fill)
            strbuf_append_char(w->out, ' ');
        break;
    case NUMBER_SIGN:
        if (w->t->sign_trailing)
            strbuf_append_char(w->out, negative ? '-' : '+');
        break;
    case NUMBER_MI:
        if (negative)
            strbuf_append_char(w->out, '-');
        else if (!fill)
            strbuf_append_char(w->out, ' ');
        break;
    case NUMBER_PL:
        if (!negative)
            strbuf_append_char(w->out, '+');
        else if (!fill)
            strbuf_append_char(w->out, ' ');
        break;
    case NUMBER_SG:
        strbuf_append_char(w->out, negative ? '-' : '+');
        break;
    case NUMBER_TH:
    case NUMBER_TH_LOWER:
        append_ordinal(w->d, node->key == NUMBER_TH_LOWER, w->out);
        break;
    case NUMBER_CURRENCY:
        if (!fill)
            strbuf_append_char(w->out, ' ');
        break;
    case NUMBER_LITERAL:
        strbuf_append(w->out, node->text);
        break;
    }
}

static void number_write(const NumberTemplate *t, const Digits *d, StrBuf *out)
{
    NumberWriter w = {.t = t, .d = d, .out = out, .shown_decimals = t->decimals};
    w.first = t->whole - (int)d->whole.length;
    if (d->is_zero_whole && t->has_point && t->decimals > 0)
        w.first = t->whole; /* ".5": a lone zero is not shown before the point */
    if (d->overflow)
        w.first = 0;
    if (t->zero_from >= 0)
        w.first = MIN(w.first, t->zero_from);
    w.first = MAX(w.first, 0);
    if (t->fill)
        while (w.shown_decimals > t->last_zero_decimal && !d->overflow &&
               d->decimals.data[w.shown_decimals - 1] == '0')
            w.shown_decimals--;
    for (int i = 0; i < t->count; i++)
        node_write(&w, &t->nodes[i]);
    if (t->angle)
        strbuf_append_c(out, d->negative ? ">" : t->fill ? "" : " ");
}

static void roman_write(const NumberTemplate *t, const Big *value, StrBuf *out)
{
    static const struct {
        int value;
        const char *text;
    } parts[] = {{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"},
                 {90, "XC"},  {50, "L"},   {40, "XL"}, {10, "X"},   {9, "IX"},
                 {5, "V"},    {4, "IV"},   {1, "I"}};
    BIG(b);
    char text[32];
    size_t length = 0;
    big_copy(&b, value);
    big_round(&b, 0);
    long rest = mpz_fits_slong_p(b.m) ? mpz_get_si(b.m) : -1;
    if (rest < 1 || rest > 3999) {
        strbuf_append_c(out, "###############");
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        for (; rest >= parts[i].value; rest -= parts[i].value)
            for (const char *p = parts[i].text; *p; p++)
                text[length++] = t->roman_lower ? ascii_lower(*p) : *p;
    for (size_t i = length; !t->fill && i < 15; i++)
        strbuf_append_char(out, ' ');
    strbuf_append_bytes(out, text, length);
}

/* "9.99EEEE": one digit, decimals, exponent. */
static void exponent_write(const NumberTemplate *t, const Big *value, StrBuf *out)
{
    BIG(b);
    big_copy(&b, value);
    long exponent = mpz_sgn(b.m) ? (long)mpz_digits(b.m) - 1 - b.scale : 0;
    mpz_shift_round(b.m, t->decimals - exponent - b.scale);
    if ((long)mpz_digits(b.m) > t->decimals + 1) {
        mpz_shift_round(b.m, -1);
        exponent++;
    }
    const bool negative = mpz_sgn(b.m) < 0;
    mpz_abs(b.m, b.m);
    char digits[64] = "0";
    if (mpz_sizeinbase(b.m, 10) < sizeof(digits) - 2)
        mpz_get_str(digits, 10, b.m);
    if (negative)
        strbuf_append_char(out, '-');
    else if (!t->fill)
        strbuf_append_char(out, ' ');
    const size_t length = strlen(digits);
    strbuf_append_char(out, digits[0]);
    if (t->has_point)
        strbuf_append_char(out, '.');
    for (int i = 1; i <= t->decimals; i++)
        strbuf_append_char(out, (size_t)i < length ? digits[i] : '0');
    strbuf_format(out, "e%c%02ld", exponent < 0 ? '-' : '+', labs(exponent));
}

static bool number_to_char(FunctionCall *call, const Big *value, Str format, Value *ret)
{
    NumberTemplate *t = arena_alloc(call->arena, sizeof(*t));
    StrBuf out = strbuf_in(call->arena);
    Digits d = {0};
    TRY(number_template(format, t));
    if (value->kind != NUMERIC_FINITE) {
        d.overflow = true;
        d.negative = value->kind == NUMERIC_MINUS_INFINITY;
        number_write(t, &d, &out);
    } else if (t->roman) {
        roman_write(t, value, &out);
    } else if (t->exponent) {
        exponent_write(t, value, &out);
    } else {
        digits_of(call->arena, value, t, &d);
        number_write(t, &d, &out);
    }
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(numeric_to_char)
{
    BIG(b);
    big_load(&b, &args[0]);
    return number_to_char(call, &b, var_str(args[1].var), ret);
}

FUNCTION(int4_to_char)
{
    BIG(b);
    mpz_set_si(b.m, args[0].int32);
    return number_to_char(call, &b, var_str(args[1].var), ret);
}

FUNCTION(int8_to_char)
{
    BIG(b);
    mpz_set_si(b.m, args[0].int64);
    return number_to_char(call, &b, var_str(args[1].var), ret);
}

static bool double_to_char(FunctionCall *call, double value, int digits, Str format, Value *ret)
{
    Value number;
    char text[512];
    if (isfinite(value)) {
        const int n = snprintf(text, sizeof(text), "%.*g", digits, value);
        TRY(numeric_parse(call->arena, str_make(text, (size_t)n), -1, &number));
    } else {
        TRY(numeric_from_double(call->arena, value, &number));
    }
    BIG(b);
    big_load(&b, &number);
    return number_to_char(call, &b, format, ret);
}

FUNCTION(float8_to_char)
{
    return double_to_char(call, args[0].float64, 15, var_str(args[1].var), ret);
}

FUNCTION(float4_to_char)
{
    return double_to_char(call, (double)args[0].float32, 6, var_str(args[1].var), ret);
}

/* to_number: takes the digits, the sign and the point; everything else is passed by. */
FUNCTION(numeric_to_number)
{
    NumberTemplate *t = arena_alloc(call->arena, sizeof(*t));
    const Str s = var_str(args[0].var);
    StrBuf digits = strbuf_in(call->arena);
    bool negative = false, point = false;
    int whole = 0, decimals = 0;

    *ret_null = args[1].var.length == 0;
    if (*ret_null)
        return true;
    TRY(number_template(var_str(args[1].var), t));
    for (size_t i = 0; i < s.length; i++) {
        const char c = s.data[i];
        if (c == '-' || (c == '<' && t->angle)) {
            negative = true;
        } else if (c == '.' && t->has_point && !point) {
            point = true;
            strbuf_append_char(&digits, c);
        } else if (is_digit(c)) {
            if (point ? decimals >= t->decimals : whole >= t->whole)
                continue;
            *(point ? &decimals : &whole) += 1;
            strbuf_append_char(&digits, c);
        }
    }
    if (whole + decimals == 0)
        FAIL_SYNTAX("numeric", digits.length ? strbuf_view(&digits) : STR(" "));
    const Str text = str_concat(call->arena, negative ? STR("-") : STR(""), strbuf_view(&digits));
    return numeric_parse(call->arena, text, -1, ret);
}
