/*
 * to_char and to_number: templates of numbers.
 *
 * A template is parsed into nodes and what they say together (NumberTemplate). to_char lays the
 * text of the rounded number over the template's digit positions, the shorter side filled with
 * spaces or zeros; to_number walks the template and its input side by side. Odd templates have
 * PostgreSQL's odd results, so the order of the steps matters.
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"
#include "types/call_site.h"
#include "types/numeric_internal.h"

typedef enum NumberKey {
    NUMBER_LITERAL = 0,
    NUMBER_NINE,
    NUMBER_ZERO,
    NUMBER_POINT,
    NUMBER_GROUP, /* "," and "G" */
    NUMBER_SIGN,
    NUMBER_MI,
    NUMBER_PL,
    NUMBER_SG,
    NUMBER_PR,
    NUMBER_TH,
    NUMBER_TH_LOWER,
    NUMBER_CURRENCY,
    NUMBER_FILL,
    NUMBER_BLANK,
    NUMBER_ROMAN,
    NUMBER_ROMAN_LOWER,
    NUMBER_EXPONENT,
    NUMBER_SHIFT,
    NUMBER_NOTHING, /* "C", "SP": taken and without effect */
} NumberKey;

typedef struct NumberNode {
    NumberKey key;
    Str text;
} NumberNode;

/* Where the sign of "S" stands. */
typedef enum SignPlace { SIGN_NONE = 0, SIGN_BEFORE, SIGN_BEHIND } SignPlace;

#define ROMAN_LENGTH 15

typedef struct NumberTemplate {
    VEC(NumberNode) nodes;
    int whole, decimals, shift; /* digit positions before and after the point; after V */
    int zero_from;              /* position of the first "0", counted from 1; 0: there is none */
    int zero_until;             /* positions up to the last "0" */
    int whole_before_sign;      /* whole positions ahead of "S" */
    SignPlace sign;
    bool fill, has_point, angle, roman, exponent, blank, has_shift, has_zero, has_mi, has_pl;
} NumberTemplate;

static bool template_wrong(const char *what)
{
    FAIL(ERR_SYNTAX_ERROR, .message = str_from_c(what));
}

static bool digit_add(NumberTemplate *t, bool zero)
{
    if (t->angle)
        return template_wrong(zero ? "\"0\" must be ahead of \"PR\""
                                   : "\"9\" must be ahead of \"PR\"");
    if (!zero && t->has_shift) {
        t->shift++;
        return true;
    }
    if (zero && !t->has_zero && !t->has_point) {
        t->has_zero = true;
        t->zero_from = t->whole + 1;
    }
    if (t->has_point)
        t->decimals++;
    else
        t->whole++;
    if (zero)
        t->zero_until = t->whole + t->decimals;
    return true;
}

static bool point_add(NumberTemplate *t)
{
    if (t->has_point)
        return template_wrong("multiple decimal points");
    if (t->has_shift)
        return template_wrong("cannot use \"V\" and decimal point together");
    t->has_point = true;
    return true;
}

static bool sign_add(NumberTemplate *t)
{
    if (t->sign)
        return template_wrong("cannot use \"S\" twice");
    if (t->has_pl || t->has_mi || t->angle)
        return template_wrong("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
    t->sign = t->has_point ? SIGN_BEHIND : SIGN_BEFORE;
    t->whole_before_sign = t->has_point ? 0 : t->whole;
    return true;
}

static bool exponent_add(NumberTemplate *t)
{
    if (t->exponent)
        return template_wrong("cannot use \"EEEE\" twice");
    if (t->blank || t->fill || t->sign || t->angle || t->has_mi || t->has_pl || t->roman ||
        t->has_shift)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("\"EEEE\" is incompatible with other formats"),
             .detail = STR("\"EEEE\" may only be used together with digit and decimal point "
                           "patterns."));
    t->exponent = true;
    return true;
}

static bool mark_add(NumberTemplate *t, NumberKey key)
{
    switch (key) {
    case NUMBER_MI:
        if (t->sign)
            return template_wrong("cannot use \"S\" and \"MI\" together");
        t->has_mi = true;
        return true;
    case NUMBER_PL:
        if (t->sign)
            return template_wrong("cannot use \"S\" and \"PL\" together");
        t->has_pl = true;
        return true;
    case NUMBER_SG:
        if (t->sign)
            return template_wrong("cannot use \"S\" and \"SG\" together");
        t->has_mi = t->has_pl = true;
        return true;
    case NUMBER_PR:
        if (t->sign || t->has_mi || t->has_pl)
            return template_wrong("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
        t->angle = true;
        return true;
    case NUMBER_SHIFT:
        if (t->has_point)
            return template_wrong("cannot use \"V\" and decimal point together");
        t->has_shift = true;
        return true;
    default:
        return true;
    }
}

/* What a key means for the whole template. */
static bool key_add(NumberTemplate *t, NumberKey key)
{
    if (t->exponent && key != NUMBER_EXPONENT)
        return template_wrong("\"EEEE\" must be the last pattern used");
    switch (key) {
    case NUMBER_NINE:
    case NUMBER_ZERO:
        return digit_add(t, key == NUMBER_ZERO);
    case NUMBER_POINT:
        return point_add(t);
    case NUMBER_SIGN:
        return sign_add(t);
    case NUMBER_EXPONENT:
        return exponent_add(t);
    case NUMBER_FILL:
        t->fill = true;
        return true;
    case NUMBER_BLANK:
        if (t->whole == 0 && t->decimals == 0 && !t->has_zero)
            t->blank = true;
        return true;
    case NUMBER_ROMAN:
    case NUMBER_ROMAN_LOWER:
        t->roman = true;
        return true;
    default:
        return mark_add(t, key);
    }
}

static NumberKey key_at(Str rest, size_t *ret_width)
{
    static const struct {
        const char *upper, *lower;
        NumberKey key, lower_key;
    } words[] = {{",", ",", NUMBER_GROUP, NUMBER_GROUP},
                 {".", ".", NUMBER_POINT, NUMBER_POINT},
                 {"0", "0", NUMBER_ZERO, NUMBER_ZERO},
                 {"9", "9", NUMBER_NINE, NUMBER_NINE},
                 {"B", "b", NUMBER_BLANK, NUMBER_BLANK},
                 {"C", "c", NUMBER_NOTHING, NUMBER_NOTHING},
                 {"D", "d", NUMBER_POINT, NUMBER_POINT},
                 {"EEEE", "eeee", NUMBER_EXPONENT, NUMBER_EXPONENT},
                 {"FM", "fm", NUMBER_FILL, NUMBER_FILL},
                 {"G", "g", NUMBER_GROUP, NUMBER_GROUP},
                 {"L", "l", NUMBER_CURRENCY, NUMBER_CURRENCY},
                 {"MI", "mi", NUMBER_MI, NUMBER_MI},
                 {"PL", "pl", NUMBER_PL, NUMBER_PL},
                 {"PR", "pr", NUMBER_PR, NUMBER_PR},
                 {"RN", "rn", NUMBER_ROMAN, NUMBER_ROMAN_LOWER},
                 {"SG", "sg", NUMBER_SG, NUMBER_SG},
                 {"SP", "sp", NUMBER_NOTHING, NUMBER_NOTHING},
                 {"S", "s", NUMBER_SIGN, NUMBER_SIGN},
                 {"TH", "th", NUMBER_TH, NUMBER_TH_LOWER},
                 {"V", "v", NUMBER_SHIFT, NUMBER_SHIFT}};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        const Str upper = str_from_c(words[i].upper);
        const bool is_upper = str_starts_with(rest, upper);
        if (!is_upper && !str_starts_with(rest, str_from_c(words[i].lower)))
            continue;
        *ret_width = upper.length;
        return is_upper ? words[i].key : words[i].lower_key;
    }
    return NUMBER_LITERAL;
}

/* A quoted part, from its quote on: one node for each character. Sets where it ends. */
static void quoted_add(Arena *arena, NumberTemplate *t, Str f, size_t *at)
{
    (*at)++;
    while (*at < f.length) {
        if (f.data[*at] == '"') {
            (*at)++;
            return;
        }
        if (f.data[*at] == '\\' && *at + 1 < f.length)
            (*at)++;
        const size_t width = MIN((size_t)utf8_width(f.data[*at]), f.length - *at);
        VEC_PUSH(arena, &t->nodes, ((NumberNode){NUMBER_LITERAL, str_slice(f, *at, width)}));
        *at += width;
    }
}

static bool template_cut(Arena *arena, Str f, NumberTemplate *t)
{
    for (size_t at = 0; at < f.length;) {
        size_t width = 0;
        const NumberKey key = key_at(str_slice(f, at, f.length), &width);
        if (key) {
            VEC_PUSH(arena, &t->nodes, ((NumberNode){key, str_slice(f, at, width)}));
            TRY(key_add(t, key));
        } else if (f.data[at] == '"') {
            quoted_add(arena, t, f, &at);
        } else {
            if (f.data[at] == '\\' && at + 1 < f.length && f.data[at + 1] == '"')
                at++;
            width = MIN((size_t)utf8_width(f.data[at]), f.length - at);
            VEC_PUSH(arena, &t->nodes, ((NumberNode){NUMBER_LITERAL, str_slice(f, at, width)}));
        }
        at += width;
    }
    if (t->roman) { /* digits and signs say nothing beside it */
        t->whole = t->decimals = t->shift = t->zero_from = t->zero_until = 0;
        t->sign = SIGN_NONE;
        t->has_point = t->angle = t->blank = t->has_shift = t->has_zero = false;
        t->has_mi = t->has_pl = false;
    }
    return true;
}

/* The call site's template: cut again only when the text changes. */
static const NumberTemplate *number_template(FunctionCall *call, Str format)
{
    NumberTemplate *t = call_site_find(call, format);

    if (t)
        return t;
    Arena *arena = call_site_arena(call);
    t = ARENA_NEW(arena, NumberTemplate);
    TRY(template_cut(arena, str_copy(arena, format), t));
    call_site_keep(call, format, t);
    return t;
}

/* A number on its way into text. */
typedef struct NumberWriter {
    const NumberTemplate *t;
    StrBuf *out;
    Str number;    /* without its sign */
    size_t next;   /* of `number` */
    size_t last;   /* its last character that FM shows; its length when FM drops none */
    int spaces;    /* whole positions that the number leaves empty */
    int position;  /* digit and point positions passed */
    int positions; /* of which the closing sign stands behind the last */
    SignPlace sign_place;
    bool negative, angle, sign_done, shows_digits;
    bool is_over; /* nothing follows: "NaN" has fewer characters than positions, for one */
} NumberWriter;

static bool last_is_point(const NumberWriter *w)
{
    return w->last < w->number.length && w->number.data[w->last] == '.';
}

/* A lone zero before the point isn't shown: " .5". */
static bool is_hidden_zero(const NumberWriter *w)
{
    return !w->t->has_zero && w->next == 0 && w->number.length && w->number.data[0] == '0' &&
           w->t->decimals != 0;
}

static void sign_before(NumberWriter *w)
{
    const NumberTemplate *t = w->t;
    if (w->sign_done)
        return;
    if (w->position < w->spaces && !(t->has_zero && t->zero_from - 1 == w->position))
        return;
    if (is_hidden_zero(w) && !last_is_point(w))
        return;
    if (t->sign && w->sign_place != SIGN_BEFORE)
        return;
    w->sign_done = true;
    if (t->sign)
        strbuf_append_char(w->out, w->negative ? '-' : '+');
    else if (w->angle)
        strbuf_append_char(w->out, w->negative ? '<' : ' ');
    else if (w->negative)
        strbuf_append_char(w->out, '-');
    else if (!t->fill)
        strbuf_append_char(w->out, ' ');
}

/* The next character of the number, at a digit or at the point of the template. */
static void character_write(NumberWriter *w, NumberKey key)
{
    const bool fill = w->t->fill;
    const char c = w->next < w->number.length ? w->number.data[w->next] : '\0';
    if (c == '.') {
        strbuf_append_char(w->out, '.');
    } else if (w->next > w->last && key != NUMBER_ZERO) {
        /* FM leaves out the zeros at the end. */
    } else if (is_hidden_zero(w)) {
        if (!fill)
            strbuf_append_char(w->out, ' ');
        else if (last_is_point(w))
            strbuf_append_char(w->out, '0');
    } else {
        if (c)
            strbuf_append_char(w->out, c);
        else
            w->is_over = true;
        w->shows_digits = true;
    }
    if (c)
        w->next++;
}

static void digit_write(NumberWriter *w, NumberKey key)
{
    const NumberTemplate *t = w->t;
    if (t->roman)
        return;
    w->shows_digits = false;
    sign_before(w);
    if (w->position >= w->spaces) {
        character_write(w, key);
        if (w->is_over)
            return;
    } else if (t->has_zero && t->zero_from - 1 <= w->position) {
        strbuf_append_char(w->out, '0');
        w->shows_digits = true;
    } else if (!t->fill) {
        strbuf_append_char(w->out, ' ');
    }
    int end = w->positions + (w->spaces ? 1 : 0) + (t->has_point ? 1 : 0);
    if (w->last < w->number.length && w->last == w->next)
        end = w->position;
    if (w->position + 1 == end) {
        if (w->sign_done && w->angle)
            strbuf_append_char(w->out, w->negative ? '>' : ' ');
        else if (t->sign && w->sign_place == SIGN_BEHIND)
            strbuf_append_char(w->out, w->negative ? '-' : '+');
    }
    w->position++;
}

static bool ordinal_write(const NumberWriter *w, bool lower)
{
    static const char suffixes[][3] = {"th", "st", "nd", "rd"};
    const Str n = w->number;
    if (w->t->roman || w->negative || w->t->has_point || !n.length || n.data[0] == '#')
        return true;
    if (!is_digit(n.data[n.length - 1]))
        FAIL(ERR_INVALID_TEXT_REPRESENTATION,
             .message = fmt("\"%.*s\" is not a number", STR_ARGS(n)));
    const int last = n.data[n.length - 1] - '0';
    const bool teen = n.length > 1 && n.data[n.length - 2] == '1';
    const char *suffix = suffixes[!teen && last >= 1 && last <= 3 ? last : 0];
    for (int i = 0; i < 2; i++)
        strbuf_append_char(w->out, lower ? suffix[i] : ascii_upper(suffix[i]));
    return true;
}

static void roman_write(const NumberWriter *w, bool lower)
{
    for (size_t i = w->number.length; !w->t->fill && i < ROMAN_LENGTH; i++)
        strbuf_append_char(w->out, ' ');
    for (size_t i = 0; i < w->number.length; i++) {
        const char c = w->number.data[i];
        strbuf_append_char(w->out, lower ? ascii_lower(c) : c);
    }
}

static bool node_write(NumberWriter *w, const NumberNode *node)
{
    const bool fill = w->t->fill;
    switch (node->key) {
    case NUMBER_LITERAL:
        strbuf_append(w->out, node->text);
        break;
    case NUMBER_NINE:
    case NUMBER_ZERO:
    case NUMBER_POINT:
        digit_write(w, node->key);
        break;
    case NUMBER_GROUP:
        if (w->shows_digits)
            strbuf_append_char(w->out, ',');
        else if (!fill)
            strbuf_append_char(w->out, ' ');
        break;
    case NUMBER_MI:
        if (w->negative)
            strbuf_append_char(w->out, '-');
        else if (!fill)
            strbuf_append_char(w->out, ' ');
        break;
    case NUMBER_PL:
        if (!w->negative && !w->t->roman)
            strbuf_append_char(w->out, '+');
        else if (!fill)
            strbuf_append_char(w->out, ' ');
        break;
    case NUMBER_SG:
        if (w->t->roman)
            w->is_over = true; /* it has no sign, which ends the text */
        else
            strbuf_append_char(w->out, w->negative ? '-' : '+');
        break;
    case NUMBER_TH:
    case NUMBER_TH_LOWER:
        return ordinal_write(w, node->key == NUMBER_TH_LOWER);
    case NUMBER_CURRENCY: /* the C locale's is a space */
        strbuf_append_char(w->out, ' ');
        break;
    case NUMBER_ROMAN:
    case NUMBER_ROMAN_LOWER:
        roman_write(w, node->key == NUMBER_ROMAN_LOWER);
        break;
    default:
        break;
    }
    return true;
}

/* How far FM shows what is behind the point. */
static void last_shown_find(NumberWriter *w)
{
    const Str n = w->number;
    const size_t point = MIN(str_find_char(n, '.', 0), n.length);
    w->last = n.length;
    if (!w->t->fill || !w->t->has_point || point == n.length)
        return;
    w->last = point;
    for (size_t i = point + 1; i < n.length; i++)
        if (n.data[i] != '0')
            w->last = i;
    if (w->t->zero_until > w->spaces) {
        const size_t zero = MIN(n.length - 1, (size_t)(w->t->zero_until - w->spaces));
        w->last = MAX(w->last, zero);
    }
}

/* `number` has its sign. */
static bool number_write(const NumberTemplate *t, Arena *arena, Str number, Value *ret)
{
    const int whole = t->whole + t->shift, decimals = t->decimals;
    StrBuf out = strbuf_in(arena);
    StrBuf hashes = strbuf_in(arena);
    NumberWriter w = {.t = t, .out = &out, .number = number, .sign_place = t->sign};
    if (number.length && number.data[0] == '-') {
        w.negative = true;
        w.number = str_slice(number, 1, number.length);
    }
    const int length = (int)MIN(str_find_char(w.number, '.', 0), w.number.length);
    if (t->roman) {
        w.negative = false;
    } else if (length < whole) {
        w.spaces = whole - length;
    } else if (length > whole) {
        for (int i = 0; i <= whole + decimals; i++)
            strbuf_append_char(&hashes, i == whole ? '.' : '#');
        w.number = strbuf_view(&hashes);
    }
    w.angle = t->angle && (w.negative || !t->fill);
    if (t->has_pl || t->has_mi)
        w.sign_done = t->has_mi;
    else
        w.sign_done = !w.negative && t->fill && !t->sign;
    if (w.sign_place == SIGN_BEFORE && t->whole_before_sign == whole)
        w.sign_place = SIGN_BEHIND;
    last_shown_find(&w);
    w.positions = whole + decimals - 1;
    if (!w.sign_done && w.spaces == 0)
        w.positions++;
    for (size_t i = 0; i < t->nodes.length && !w.is_over; i++)
        TRY(node_write(&w, &t->nodes.items[i]));
    *ret = value_from_buf(&out);
    return true;
}

static Str roman_text(Arena *arena, int64_t number)
{
    static const struct {
        int value;
        const char *text;
    } parts[] = {{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"},
                 {90, "XC"},  {50, "L"},   {40, "XL"}, {10, "X"},   {9, "IX"},
                 {5, "V"},    {4, "IV"},   {1, "I"}};
    StrBuf text = strbuf_in(arena);
    if (number < 1 || number > 3999)
        return STR("###############");
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        for (; number >= parts[i].value; number -= parts[i].value)
            strbuf_append_c(&text, parts[i].text);
    return strbuf_view(&text);
}

/* What stands for NaN and the infinities under EEEE. */
static bool exponent_unknown(const NumberTemplate *t, Arena *arena, Value *ret)
{
    StrBuf out = strbuf_in(arena);
    for (int i = 0; i < t->whole + t->decimals + 6; i++)
        strbuf_append_char(&out, i == 0 ? ' ' : i == t->whole + 1 ? '.' : '#');
    *ret = value_from_buf(&out);
    return true;
}

/* "9.99EEEE": the exponent is that of the number before it is rounded, so 9.999 is 10.00e+00. */
static bool exponent_write(const NumberTemplate *t, Arena *arena, const Big *value, Value *ret)
{
    BIG(b);
    Value text_value;
    StrBuf out = strbuf_in(arena);
    big_copy(&b, value);
    const long exponent = mpz_sgn(b.m) ? (long)mpz_digits(b.m) - 1 - b.scale : 0;
    mpz_shift_round(b.m, t->decimals - exponent - b.scale);
    b.scale = t->decimals;
    TRY(big_store(arena, &b, &text_value));
    if (mpz_sgn(value->m) >= 0)
        strbuf_append_char(&out, ' ');
    numeric_append_text(&text_value, &out);
    strbuf_format(&out, "e%c%02ld", exponent < 0 ? '-' : '+', labs(exponent));
    *ret = value_from_buf(&out);
    return true;
}

static bool big_to_char(FunctionCall *call, const Big *value, Str format, Value *ret)
{
    const NumberTemplate *t = number_template(call, format);
    BIG(b);
    Value text_value;
    StrBuf text = strbuf_in(call->arena);
    TRY(t);
    const bool finite = value->kind == NUMERIC_FINITE;
    if (t->exponent)
        return finite ? exponent_write(t, call->arena, value, ret)
                      : exponent_unknown(t, call->arena, ret);
    big_copy(&b, value);
    if (t->roman) {
        if (!finite)
            FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = value->kind == NUMERIC_NAN
                                                           ? STR("cannot convert NaN to integer")
                                                           : STR("cannot convert infinity to "
                                                                 "integer"));
        big_round(&b, 0);
        if (!mpz_fits_sint_p(b.m))
            FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("integer out of range"));
        return number_write(t, call->arena, roman_text(call->arena, mpz_get_si(b.m)), ret);
    }
    if (finite) {
        if (t->shift)
            mpz_shift_truncate(b.m, t->shift);
        big_round(&b, t->decimals);
    }
    TRY(big_store(call->arena, &b, &text_value));
    numeric_append_text(&text_value, &text);
    return number_write(t, call->arena, strbuf_view(&text), ret);
}

FUNCTION(numeric_to_char)
{
    BIG(b);
    big_load(&b, &args[0]);
    return big_to_char(call, &b, var_str(args[1].var), ret);
}

/* `limit` is what the shifted number may be at most. */
static bool integer_to_char(FunctionCall *call, int64_t value, int64_t limit, Str format,
                            Value *ret)
{
    const NumberTemplate *t = number_template(call, format);
    StrBuf text = strbuf_in(call->arena);
    TRY(t);
    if (t->exponent && limit == INT32_MAX) {
        strbuf_format(&text, value < 0 ? "%.*e" : " %.*e", t->decimals, (double)value);
        *ret = value_from_buf(&text);
        return true;
    }
    if (t->exponent) {
        BIG(b);
        mpz_set_si(b.m, value);
        return exponent_write(t, call->arena, &b, ret);
    }
    if (t->roman) {
        if (value < INT32_MIN || value > INT32_MAX)
            FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("integer out of range"));
        return number_write(t, call->arena, roman_text(call->arena, value), ret);
    }
    for (int i = 0; i < t->shift; i++)
        if (__builtin_mul_overflow(value, (int64_t)10, &value) || value > limit ||
            value < -limit - 1)
            FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = limit == INT32_MAX
                                                                ? STR("integer out of range")
                                                                : STR("bigint out of range"));
    strbuf_format(&text, "%" PRId64, value);
    for (int i = 0; i <= t->decimals && t->decimals; i++)
        strbuf_append_char(&text, i == 0 ? '.' : '0');
    return number_write(t, call->arena, strbuf_view(&text), ret);
}

FUNCTION(int4_to_char)
{
    return integer_to_char(call, args[0].int32, INT32_MAX, var_str(args[1].var), ret);
}

FUNCTION(int8_to_char)
{
    return integer_to_char(call, args[0].int64, INT64_MAX, var_str(args[1].var), ret);
}

static void double_append(StrBuf *text, int decimals, double value)
{
    if (isnan(value))
        strbuf_append_c(text, "NaN");
    else if (isinf(value))
        strbuf_append_c(text, value < 0 ? "-Infinity" : "Infinity");
    else
        strbuf_format(text, "%.*f", decimals, value);
}

/* Digits beyond the type's precision aren't shown: decimals give way. */
static bool double_to_char(FunctionCall *call, double value, int digits, Str format, Value *ret)
{
    const NumberTemplate *t = number_template(call, format);
    StrBuf whole = strbuf_in(call->arena), text = strbuf_in(call->arena);
    TRY(t);
    if (t->exponent) {
        if (!isfinite(value))
            return exponent_unknown(t, call->arena, ret);
        strbuf_format(&text, signbit(value) ? "%.*e" : " %.*e", t->decimals, value);
        *ret = value_from_buf(&text);
        return true;
    }
    if (t->roman) {
        const double rounded = rint(value);
        const int64_t number = rounded >= 1 && rounded <= 3999 ? (int64_t)rounded : 0;
        return number_write(t, call->arena, roman_text(call->arena, number), ret);
    }
    if (t->has_shift)
        value *= pow(10, t->shift);
    double_append(&whole, 0, fabs(value));
    const int length = (int)strbuf_view(&whole).length;
    NumberTemplate shown = *t;
    shown.decimals = MAX(MIN(t->decimals, digits - length), 0);
    double_append(&text, shown.decimals, value);
    return number_write(&shown, call->arena, strbuf_view(&text), ret);
}

FUNCTION(float8_to_char)
{
    return double_to_char(call, args[0].float64, DBL_DIG, var_str(args[1].var), ret);
}

FUNCTION(float4_to_char)
{
    return double_to_char(call, (double)args[0].float32, FLT_DIG, var_str(args[1].var), ret);
}

/* Text on its way into a number. */
typedef struct NumberReader {
    const NumberTemplate *t;
    Str in;
    size_t at;
    StrBuf *digits; /* with the point */
    char sign;      /* ' ' until one is read */
    int whole, decimals;
    bool has_point, saw_digits;
} NumberReader;

static char reader_peek(const NumberReader *r, size_t ahead)
{
    return r->at + ahead < r->in.length ? r->in.data[r->at + ahead] : '\0';
}

/* Passes by up to `count` characters that no number has. */
static void reader_skip(NumberReader *r, int count)
{
    for (; count > 0 && r->at < r->in.length; count--) {
        const char c = r->in.data[r->at];
        if (is_digit(c) || c == '.' || c == ',' || c == '+' || c == '-')
            return;
        r->at += MIN((size_t)utf8_width(c), r->in.length - r->at);
    }
}

static void sign_read_before(NumberReader *r)
{
    const char c = reader_peek(r, 0);
    if (r->t->sign && r->t->sign != SIGN_BEFORE)
        return;
    if (c == '-' || (c == '<' && r->t->angle && !r->t->sign))
        r->sign = '-';
    else if (c == '+')
        r->sign = '+';
    else
        return;
    r->at++;
}

/* A sign behind the number: its place follows from the input more than from the template. */
static void sign_read_behind(NumberReader *r, bool took)
{
    if (r->sign != ' ' || r->whole + r->decimals == 0)
        return;
    if (r->t->sign && took) {
        const char next = reader_peek(r, 1);
        if (next == '-' || next == '+') {
            r->sign = next;
            r->at++;
        }
    } else if (!took && !r->t->sign && (r->t->has_pl || r->t->has_mi)) {
        const char c = reader_peek(r, 0);
        if (c == '-' || c == '+')
            r->sign = c;
    }
}

static void digit_read(NumberReader *r, NumberKey key)
{
    bool took = false;
    if (reader_peek(r, 0) == ' ')
        r->at++;
    if (r->at >= r->in.length)
        return;
    if (r->sign == ' ' && key != NUMBER_POINT && r->whole + r->decimals == 0)
        sign_read_before(r);
    if (r->at >= r->in.length)
        return;
    const char c = r->in.data[r->at];
    if (is_digit(c)) {
        if (r->has_point && r->decimals == r->t->decimals)
            return;
        strbuf_append_char(r->digits, c);
        *(r->has_point ? &r->decimals : &r->whole) += 1;
        took = true;
    } else if (r->t->has_point && !r->has_point && c == '.') {
        strbuf_append_char(r->digits, c);
        r->has_point = took = true;
    }
    sign_read_behind(r, took);
}

/* A sign that MI, PL or SG wants here; false: there is none, and nothing is passed by. */
static bool mark_read(NumberReader *r, char first, char second)
{
    const char c = reader_peek(r, 0);
    if (c != first && c != second) {
        reader_skip(r, 1);
        return false;
    }
    r->sign = c;
    return true;
}

/* True: the character at hand is passed by. */
static bool node_read(NumberReader *r, const NumberNode *node)
{
    switch (node->key) {
    case NUMBER_LITERAL:
        r->at += MIN((size_t)utf8_width(r->in.data[r->at]), r->in.length - r->at);
        return false;
    case NUMBER_NINE:
    case NUMBER_ZERO:
    case NUMBER_POINT:
        digit_read(r, node->key);
        return true;
    case NUMBER_GROUP:
        return !r->t->fill && reader_peek(r, 0) == ',';
    case NUMBER_CURRENCY:
        reader_skip(r, 1);
        return false;
    case NUMBER_TH:
    case NUMBER_TH_LOWER:
        if (r->sign != '-' && !r->t->has_point)
            reader_skip(r, 2);
        return false;
    case NUMBER_MI:
        return mark_read(r, '-', '-');
    case NUMBER_PL:
        return mark_read(r, '+', '+');
    case NUMBER_SG:
        return mark_read(r, '-', '+');
    default:
        return false;
    }
}

FUNCTION(numeric_to_number)
{
    StrBuf digits = strbuf_in(call->arena);

    *ret_null = args[1].var.length == 0;
    if (*ret_null)
        return true;
    const NumberTemplate *t = number_template(call, var_str(args[1].var));
    TRY(t);
    NumberReader r = {.t = t, .in = var_str(args[0].var), .digits = &digits, .sign = ' '};
    if (t->exponent)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("\"EEEE\" not supported for input"));
    if (t->roman)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("\"RN\" not supported for input"));
    for (size_t i = 0; i < t->nodes.length && r.at < r.in.length; i++)
        if (node_read(&r, &t->nodes.items[i]))
            r.at++;
    Str text = strbuf_view(&digits);
    if (str_ends_with(text, STR(".")))
        text = str_slice(text, 0, text.length - 1);
    text = str_concat(call->arena, str_make(&r.sign, 1), text);
    const int precision = t->whole + t->shift + r.decimals;
    TRY(numeric_parse(call->arena, text, NUMERIC_TYPMOD(precision, r.decimals), ret));
    if (!t->has_shift)
        return true;
    Value factor;
    const Value ten = numeric_from_int64(call->arena, 10);
    const Value exponent = numeric_from_int64(call->arena, -t->shift);
    TRY(numeric_power_of(call->arena, &ten, &exponent, &factor));
    return numeric_multiply(call->arena, ret, &factor, ret);
}
