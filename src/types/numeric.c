/* numeric: its bytes, text and binary forms, order and hash. */
#include "types/numeric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "types/numeric_internal.h"

const uint64_t powers_of_10[20] = {1u,
                                   10u,
                                   100u,
                                   1000u,
                                   10000u,
                                   100000u,
                                   1000000u,
                                   10000000u,
                                   100000000u,
                                   1000000000u,
                                   10000000000u,
                                   100000000000u,
                                   1000000000000u,
                                   10000000000000u,
                                   100000000000000u,
                                   1000000000000000u,
                                   10000000000000000u,
                                   100000000000000000u,
                                   1000000000000000000u,
                                   10000000000000000000u};

int128 power_of_10(int n)
{
    assert(n >= 0 && n <= 37);
    return n < 20 ? (int128)powers_of_10[n] : (int128)powers_of_10[19] * powers_of_10[n - 19];
}

void big_init(Big *b)
{
    mpz_init(b->m);
    b->scale = 0;
    b->kind = NUMERIC_FINITE;
}

void big_deinit(Big *b)
{
    mpz_clear(b->m);
}

void big_set_special(Big *b, NumericKind kind)
{
    mpz_set_ui(b->m, 0);
    b->scale = 0;
    b->kind = kind;
}

void big_copy(Big *to, const Big *from)
{
    mpz_set(to->m, from->m);
    to->scale = from->scale;
    to->kind = from->kind;
}

NumericKind numeric_kind(const Value *value)
{
    const uint16_t header = get_le16(value->var.data);
    return header & 0x8000 ? (NumericKind)((header & 3) + 1) : NUMERIC_FINITE;
}

Value numeric_special(NumericKind kind)
{
    static const char specials[4][2] = {{0, 0}, {0, (char)0x80}, {1, (char)0x80}, {2, (char)0x80}};
    return (Value){.var = var_make(specials[kind], 2)};
}

void big_load(Big *b, const Value *value)
{
    const byte *p = (const byte *)value->var.data;
    const uint16_t header = get_le16(p);

    b->kind = numeric_kind(value);
    b->scale = header & 0x8000 ? 0 : header & 0x3fff;
    if (b->kind != NUMERIC_FINITE) {
        mpz_set_ui(b->m, 0);
        return;
    }
    mpz_import(b->m, value->var.length - 2, -1, 1, 0, 0, p + 2);
    if (header & 0x4000)
        mpz_neg(b->m, b->m);
}

size_t mpz_digits(const mpz_t m)
{
    if (mpz_sgn(m) == 0)
        return 0;
    const size_t estimate = mpz_sizeinbase(m, 10); /* exact or one too many */
    mpz_t limit;
    mpz_init(limit);
    mpz_ui_pow_ui(limit, 10, estimate - 1);
    const bool is_short = mpz_cmpabs(m, limit) < 0;
    mpz_clear(limit);
    return estimate - is_short;
}

bool big_store(Arena *arena, const Big *b, Value *ret)
{
    if (b->kind != NUMERIC_FINITE) {
        *ret = numeric_special(b->kind);
        return true;
    }
    if (b->scale > NUMERIC_MAX_SCALE) {
        BIG(rounded);
        big_copy(&rounded, b);
        big_round(&rounded, NUMERIC_MAX_SCALE);
        return big_store(arena, &rounded, ret);
    }
    assert(b->scale >= 0);
    const size_t bits = mpz_sizeinbase(b->m, 2);
    /* 3.32 bits a digit: the exact count is only asked for near the limit. */
    if (bits / 3 + 1 > NUMERIC_MAX_WHOLE_DIGITS - 64 &&
        mpz_digits(b->m) > (size_t)(NUMERIC_MAX_WHOLE_DIGITS + b->scale))
        FAIL_NUMERIC_OVERFLOW();
    byte *to = arena_alloc(arena, 2 + bits / 8 + 2);
    size_t length = 0;
    const uint16_t header = (uint16_t)(b->scale | (mpz_sgn(b->m) < 0 ? 0x4000 : 0));
    memcpy(to, &header, 2);
    mpz_export(to + 2, &length, -1, 1, 0, 0, b->m);
    ret->var = var_make(to, length + 2);
    return true;
}

Value numeric_from_int128(Arena *arena, int128 mantissa, int scale)
{
    byte *to = arena_alloc(arena, NUMERIC_ENCODED_SMALL);
    const size_t size = numeric_put_small(to, mantissa, scale);
    return (Value){.var = var_make(to, size)};
}

Value numeric_from_int64(Arena *arena, int64_t value)
{
    return numeric_from_int128(arena, value, 0);
}

void mpz_shift_truncate(mpz_t m, long by)
{
    if (by == 0)
        return;
    mpz_t power;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)labs(by));
    if (by > 0)
        mpz_mul(m, m, power);
    else
        mpz_tdiv_q(m, m, power);
    mpz_clear(power);
}

void mpz_shift_round(mpz_t m, long by)
{
    if (by >= 0) {
        mpz_shift_truncate(m, by);
        return;
    }
    mpz_t power, half;
    mpz_inits(power, half, NULL);
    mpz_ui_pow_ui(power, 10, (unsigned long)-by);
    mpz_tdiv_q_2exp(half, power, 1);
    if (mpz_sgn(m) < 0)
        mpz_sub(m, m, half);
    else
        mpz_add(m, m, half);
    mpz_tdiv_q(m, m, power);
    mpz_clears(power, half, NULL);
}

void big_round(Big *b, int scale)
{
    if (b->kind != NUMERIC_FINITE)
        return;
    mpz_shift_round(b->m, (long)scale - b->scale);
    b->scale = scale;
}

int big_weight(const Big *b, int *ret_first_digit)
{
    *ret_first_digit = 0;
    if (mpz_sgn(b->m) == 0)
        return 0;
    const long exponent = (long)mpz_digits(b->m) - 1 - b->scale;
    const int weight = (int)(exponent >= 0 ? exponent / 4 : -((-exponent + 3) / 4));
    mpz_t first;
    mpz_init(first);
    mpz_abs(first, b->m);
    mpz_shift_truncate(first, -(b->scale + 4L * weight));
    *ret_first_digit = (int)mpz_get_ui(first);
    mpz_clear(first);
    return weight;
}

/* Text. */

static void digits_append(const char *digits, size_t count, bool negative, int scale, StrBuf *out)
{
    if (negative)
        strbuf_append_char(out, '-');
    if (count <= (size_t)scale) {
        strbuf_append_char(out, '0');
        if (scale > 0)
            strbuf_append_char(out, '.');
        for (size_t i = count; i < (size_t)scale; i++)
            strbuf_append_char(out, '0');
        strbuf_append_bytes(out, digits, count);
        return;
    }
    strbuf_append_bytes(out, digits, count - (size_t)scale);
    if (scale > 0) {
        strbuf_append_char(out, '.');
        strbuf_append_bytes(out, digits + count - scale, (size_t)scale);
    }
}

void numeric_append_text(const Value *value, StrBuf *out)
{
    int128 mantissa;
    int scale;

    if (numeric_small(value, &mantissa, &scale)) {
        char digits[40];
        size_t at = sizeof(digits);
        uint128 rest = mantissa < 0 ? -(uint128)mantissa : (uint128)mantissa;
        while (rest > UINT64_MAX) {
            digits[--at] = (char)('0' + (int)(rest % 10));
            rest /= 10;
        }
        for (uint64_t low = (uint64_t)rest; low > 0; low /= 10)
            digits[--at] = (char)('0' + low % 10);
        digits_append(digits + at, sizeof(digits) - at, mantissa < 0, scale, out);
        return;
    }
    static const char *const names[] = {"", "NaN", "Infinity", "-Infinity"};
    const NumericKind kind = numeric_kind(value);
    if (kind != NUMERIC_FINITE) {
        strbuf_append_c(out, names[kind]);
        return;
    }
    BIG(b);
    big_load(&b, value);
    char *text = mpz_get_str(NULL, 10, b.m);
    const bool negative = text[0] == '-';
    const size_t length = strlen(text) - negative;
    digits_append(text + negative, length, negative, b.scale, out);
    void (*release)(void *, size_t);
    mp_get_memory_functions(NULL, NULL, &release);
    release(text, length + negative + 1);
}

static bool special_parse(Str word, NumericKind *ret)
{
    static const struct {
        const char *word;
        NumericKind kind;
    } words[] = {{"nan", NUMERIC_NAN},
                 {"infinity", NUMERIC_PLUS_INFINITY},
                 {"+infinity", NUMERIC_PLUS_INFINITY},
                 {"-infinity", NUMERIC_MINUS_INFINITY},
                 {"inf", NUMERIC_PLUS_INFINITY},
                 {"+inf", NUMERIC_PLUS_INFINITY},
                 {"-inf", NUMERIC_MINUS_INFINITY}};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (str_equal_nocase(word, str_from_c(words[i].word))) {
            *ret = words[i].kind;
            return true;
        }
    return false;
}

/* A decimal number taken apart: digits without the point, and the power of ten of the last. */
typedef struct Decimal {
    Str whole, fraction;
    bool negative;
    long exponent;
} Decimal;

static bool decimal_split(Str word, Decimal *ret)
{
    const char *p = word.data, *end = word.data + word.length;
    *ret = (Decimal){0};
    if (p < end && (*p == '-' || *p == '+'))
        ret->negative = *p++ == '-';
    const char *start = p;
    while (p < end && is_digit(*p))
        p++;
    ret->whole = str_make(start, (size_t)(p - start));
    if (p < end && *p == '.') {
        start = ++p;
        while (p < end && is_digit(*p))
            p++;
        ret->fraction = str_make(start, (size_t)(p - start));
    }
    if (ret->whole.length + ret->fraction.length == 0)
        return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        const bool negative = p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        if (p == end)
            return false;
        for (; p < end && is_digit(*p); p++)
            ret->exponent = MIN(ret->exponent * 10 + (*p - '0'), 1000000000L);
        if (negative)
            ret->exponent = -ret->exponent;
    }
    return p == end;
}

static bool decimal_store_small(Arena *arena, const Decimal *d, Value *ret)
{
    uint64_t high = 0, low = 0;
    int count = 0;
    for (int part = 0; part < 2; part++) {
        const Str s = part ? d->fraction : d->whole;
        for (size_t i = 0; i < s.length; i++, count++) {
            if (count < 17)
                low = low * 10 + (uint64_t)(s.data[i] - '0');
            else
                high = high * 10 + (uint64_t)(s.data[i] - '0');
        }
    }
    int128 mantissa =
        count <= 17 ? (int128)low : (int128)low * (int128)powers_of_10[count - 17] + (int128)high;
    *ret = numeric_from_int128(arena, d->negative ? -mantissa : mantissa, (int)d->fraction.length);
    return true;
}

static bool decimal_store(Arena *arena, const Decimal *d, Value *ret)
{
    const size_t count = d->whole.length + d->fraction.length;
    if (d->exponent == 0 && count <= 35)
        return decimal_store_small(arena, d, ret);
    if (d->exponent > NUMERIC_MAX_WHOLE_DIGITS * 4L || count > 4u * NUMERIC_MAX_WHOLE_DIGITS)
        FAIL_NUMERIC_OVERFLOW();
    char *digits = arena_alloc(arena, count + 1);
    if (d->whole.length)
        memcpy(digits, d->whole.data, d->whole.length);
    if (d->fraction.length)
        memcpy(digits + d->whole.length, d->fraction.data, d->fraction.length);
    digits[count] = 0;
    BIG(b);
    mpz_set_str(b.m, digits, 10);
    if (d->negative)
        mpz_neg(b.m, b.m);
    const long scale = (long)d->fraction.length - d->exponent;
    if (mpz_sgn(b.m) != 0 && scale < 0)
        mpz_shift_truncate(b.m, -scale);
    b.scale = (int)MAX(0, MIN(scale, NUMERIC_MAX_SCALE + 1));
    if (scale > NUMERIC_MAX_SCALE) {
        if (scale - NUMERIC_MAX_SCALE > (long)count)
            mpz_set_ui(b.m, 0);
        else
            mpz_shift_round(b.m, NUMERIC_MAX_SCALE - scale);
        b.scale = NUMERIC_MAX_SCALE;
    }
    return big_store(arena, &b, ret);
}

bool numeric_parse(Arena *arena, Str text, int32_t typmod, Value *ret)
{
    const Str word = str_trim(text);
    NumericKind kind;
    Decimal decimal;

    if (special_parse(word, &kind))
        *ret = numeric_special(kind);
    else if (!decimal_split(word, &decimal))
        FAIL_SYNTAX("numeric", text);
    else
        TRY(decimal_store(arena, &decimal, ret));
    return numeric_apply_typmod(arena, typmod, ret);
}

bool numeric_input(const TypeIo *io, Str text, Value *ret)
{
    return numeric_parse(io->arena, text, io->typmod, ret);
}

bool numeric_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    numeric_append_text(value, out);
    return true;
}

/* Binary: base-10000 digits from weight down. */

#define GROUPS_AT_ONCE 4 /* such digits that a word of 64 bits holds */

bool numeric_receive(const TypeIo *io, Str bytes, Value *ret)
{
    if (bytes.length < 8)
        FAIL(ERR_PROTOCOL_VIOLATION, .message = STR("insufficient data left in message"));
    const int count = get_be16(bytes.data);
    const int weight = (int16_t)get_be16(bytes.data + 2);
    const uint16_t sign = get_be16(bytes.data + 4), scale = get_be16(bytes.data + 6);

    NEED_BYTES(bytes, 8 + (size_t)count * 2);
    if (sign != 0 && sign != 0x4000 && sign != 0xc000 && sign != 0xd000 && sign != 0xf000)
        FAIL_BINARY("invalid sign in external \"numeric\" value");
    if (scale > NUMERIC_MAX_SCALE)
        FAIL_BINARY("invalid scale in external \"numeric\" value");
    BIG(b);
    if (sign >= 0xc000) {
        b.kind = sign == 0xc000   ? NUMERIC_NAN
                 : sign == 0xd000 ? NUMERIC_PLUS_INFINITY
                                  : NUMERIC_MINUS_INFINITY;
        TRY(big_store(io->arena, &b, ret));
        return numeric_apply_typmod(io->arena, io->typmod, ret);
    }
    for (int i = 0; i < count;) {
        uint64_t word = 0, power = 1;
        CHECK_INTERRUPTS();
        for (int last = MIN(i + GROUPS_AT_ONCE, count); i < last; i++) {
            const uint16_t digit = get_be16(bytes.data + 8 + i * 2);
            if (digit >= 10000)
                FAIL_BINARY("invalid digit in external \"numeric\" value");
            word = word * 10000 + digit;
            power *= 10000;
        }
        mpz_mul_ui(b.m, b.m, power);
        mpz_add_ui(b.m, b.m, word);
    }
    if (sign == 0x4000)
        mpz_neg(b.m, b.m);
    /* The last digit stands for 10000^(weight - count + 1); what lies beyond the scale is cut. */
    mpz_shift_truncate(b.m, 4L * (weight - count + 1) + scale);
    b.scale = scale;
    TRY(big_store(io->arena, &b, ret));
    return numeric_apply_typmod(io->arena, io->typmod, ret);
}

bool numeric_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    static const uint16_t signs[] = {0, 0xc000, 0xd000, 0xf000};
    BIG(b);
    big_load(&b, value);
    if (b.kind != NUMERIC_FINITE) {
        put_be16(out, 0);
        put_be16(out, 0);
        put_be16(out, signs[b.kind]);
        /* PostgreSQL reads a scale of 32 out of an infinity's header. */
        put_be16(out, b.kind == NUMERIC_NAN ? 0 : 32);
        return true;
    }
    int first;
    const int weight = big_weight(&b, &first);
    BIG(rest);
    mpz_abs(rest.m, b.m);
    /* As an integer of base-10000 digits: the fraction filled up to whole digits. */
    const int fraction_digits = (b.scale + 3) / 4;
    mpz_shift_truncate(rest.m, 4L * fraction_digits - b.scale);
    int count = mpz_sgn(rest.m) == 0 ? 0 : weight + 1 + fraction_digits;
    /* The digits come from the last to the first, straight into their places. */
    char *fields = strbuf_reserve(out, 8 + (size_t)count * 2);
    for (int i = count - 1; i >= 0;) {
        uint64_t word = mpz_tdiv_q_ui(rest.m, rest.m, powers_of_10[4 * GROUPS_AT_ONCE]);
        CHECK_INTERRUPTS();
        for (int last = MAX(i - GROUPS_AT_ONCE, -1); i > last; i--, word /= 10000)
            set_be16(fields + 8 + i * 2, (uint16_t)(word % 10000));
    }
    while (count > 0 && get_be16(fields + 6 + count * 2) == 0)
        count--;
    set_be16(fields, (uint16_t)count);
    set_be16(fields + 2, (uint16_t)(count ? weight : 0));
    set_be16(fields + 4, mpz_sgn(b.m) < 0 ? 0x4000 : 0);
    set_be16(fields + 6, (uint16_t)b.scale);
    strbuf_advance(out, 8 + (size_t)count * 2);
    return true;
}

/* Type modifiers: precision and scale. */

static int typmod_precision(int32_t typmod)
{
    return ((typmod - 4) >> 16) & 0xffff;
}

static int typmod_scale(int32_t typmod)
{
    return (((typmod - 4) & 0x7ff) ^ 1024) - 1024;
}

bool typmod_numeric_in(const int64_t *arguments, int count, int32_t *ret_typmod)
{
    if (count < 1 || count > 2)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("invalid NUMERIC type modifier"));
    const int64_t precision = arguments[0], scale = count == 2 ? arguments[1] : 0;
    if (precision < 1 || precision > NUMERIC_MAX_PRECISION)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("NUMERIC precision %lld must be between 1 and %d", (long long)precision,
                            NUMERIC_MAX_PRECISION));
    if (scale < -1000 || scale > 1000)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("NUMERIC scale %lld must be between -1000 and 1000", (long long)scale));
    *ret_typmod = NUMERIC_TYPMOD((int32_t)precision, (int32_t)scale);
    return true;
}

void typmod_numeric_out(int32_t typmod, StrBuf *out)
{
    if (typmod >= 4)
        strbuf_format(out, "(%d,%d)", typmod_precision(typmod), typmod_scale(typmod));
}

static bool field_overflow(int precision, int scale, bool is_infinite)
{
    if (is_infinite)
        FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("numeric field overflow"),
             .detail = fmt("A field with precision %d, scale %d cannot hold an infinite value.",
                           precision, scale));
    FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("numeric field overflow"),
         .detail = fmt("A field with precision %d, scale %d must round to an absolute value less "
                       "than %s%d.",
                       precision, scale, precision == scale ? "" : "10^",
                       precision == scale ? 1 : precision - scale));
}

bool numeric_apply_typmod(Arena *arena, int32_t typmod, Value *value)
{
    if (typmod < 4)
        return true;
    const int precision = typmod_precision(typmod), scale = typmod_scale(typmod);
    const NumericKind kind = numeric_kind(value);
    int128 mantissa;
    int from;

    if (kind == NUMERIC_NAN)
        return true;
    if (kind != NUMERIC_FINITE)
        return field_overflow(precision, scale, true);
    if (numeric_small(value, &mantissa, &from) && from == scale && precision <= 37) {
        const int128 limit = power_of_10(precision);
        return mantissa < limit && mantissa > -limit ? true
                                                     : field_overflow(precision, scale, false);
    }
    BIG(b);
    big_load(&b, value);
    big_round(&b, scale);
    if (mpz_digits(b.m) > (size_t)precision)
        return field_overflow(precision, scale, false);
    if (scale < 0) {
        mpz_shift_truncate(b.m, -(long)scale);
        b.scale = 0;
    }
    return big_store(arena, &b, value);
}

FUNCTION(numeric)
{
    *ret = args[0];
    return numeric_apply_typmod(call->arena, args[1].int32, ret);
}

/* Order: -Infinity, numbers, Infinity, NaN. */

static int kind_rank(NumericKind kind)
{
    static const int ranks[] = {1, 3, 2, 0};
    return ranks[kind];
}

int big_compare(const Big *a, const Big *b)
{
    if (a->kind != NUMERIC_FINITE || b->kind != NUMERIC_FINITE)
        return kind_rank(a->kind) - kind_rank(b->kind);
    if (a->scale == b->scale)
        return mpz_cmp(a->m, b->m);
    const Big *shorter = a->scale < b->scale ? a : b;
    mpz_t shifted;
    mpz_init_set(shifted, shorter->m);
    mpz_shift_truncate(shifted, labs((long)a->scale - b->scale));
    const int order = shorter == a ? mpz_cmp(shifted, b->m) : mpz_cmp(a->m, shifted);
    mpz_clear(shifted);
    return order;
}

static bool small_align(int128 *a, int a_scale, int128 *b, int b_scale)
{
    const int by = abs(a_scale - b_scale);
    if (by > 37)
        return *a == 0 && *b == 0;
    if (a_scale < b_scale)
        return !__builtin_mul_overflow(*a, power_of_10(by), a);
    return !__builtin_mul_overflow(*b, power_of_10(by), b);
}

int numeric_order(const Value *a, const Value *b)
{
    int128 x, y;
    int x_scale, y_scale;

    if (numeric_small(a, &x, &x_scale) && numeric_small(b, &y, &y_scale) &&
        (x_scale == y_scale || small_align(&x, x_scale, &y, y_scale)))
        return (x > y) - (x < y);
    BIG(left);
    BIG(right);
    big_load(&left, a);
    big_load(&right, b);
    return big_compare(&left, &right);
}

int numeric_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    return numeric_order(a, b);
}

/* Trailing zeros do not count: they go before the bytes are hashed. */
uint64_t numeric_hash(const BuiltinType *type, const Value *value)
{
    int128 mantissa;
    int scale;

    if (numeric_small(value, &mantissa, &scale)) {
        if (mantissa == 0)
            return hash_mix64(0x5eed);
        while (scale > 0 && mantissa % 10 == 0) {
            mantissa /= 10;
            scale--;
        }
        byte bytes[NUMERIC_ENCODED_SMALL];
        return hash_bytes(bytes, numeric_put_small(bytes, mantissa, scale));
    }
    BIG(b);
    big_load(&b, value);
    if (b.kind != NUMERIC_FINITE)
        return hash_mix64(0x5eed + (uint64_t)b.kind);
    while (b.scale > 0 && mpz_divisible_ui_p(b.m, 10)) {
        mpz_divexact_ui(b.m, b.m, 10);
        b.scale--;
    }
    const uint16_t header = (uint16_t)(b.scale | (mpz_sgn(b.m) < 0 ? 0x4000 : 0));
    const size_t size = mpz_sizeinbase(b.m, 2) / 8 + 3;
    byte small[256];
    byte *bytes = size <= sizeof(small) ? small : memory_must(size);
    size_t length = 0;
    memcpy(bytes, &header, 2);
    mpz_export(bytes + 2, &length, -1, 1, 0, 0, b.m);
    const uint64_t hash = hash_bytes(bytes, length + 2);
    if (bytes != small)
        memory_free(bytes);
    return hash;
}

/* Conversions. */

double big_double(const Big *b)
{
    if (b->kind != NUMERIC_FINITE)
        return b->kind == NUMERIC_NAN             ? NAN
               : b->kind == NUMERIC_PLUS_INFINITY ? INFINITY
                                                  : -INFINITY;
    CLEANUP(strbuf_deinit) StrBuf text = {0};
    char *digits = mpz_get_str(NULL, 10, b->m);
    strbuf_append_c(&text, digits);
    strbuf_format(&text, "e%d", -b->scale);
    strbuf_append_char(&text, 0);
    void (*release)(void *, size_t);
    mp_get_memory_functions(NULL, NULL, &release);
    release(digits, strlen(digits) + 1);
    return strtod(text.data, NULL);
}

double numeric_to_double(const Value *value)
{
    int128 mantissa;
    int scale;
    /* One rounding only: both numbers are exact doubles. */
    if (numeric_small(value, &mantissa, &scale) && scale <= 22 && mantissa < (1LL << 53) &&
        mantissa > -(1LL << 53))
        return scale == 0   ? (double)mantissa
               : scale < 20 ? (double)mantissa / (double)powers_of_10[scale]
                            : (double)mantissa /
                                  ((double)powers_of_10[19] * (double)powers_of_10[scale - 19]);
    BIG(b);
    big_load(&b, value);
    return big_double(&b);
}

bool numeric_from_double(Arena *arena, double value, Value *ret)
{
    char text[64];
    if (isnan(value) || isinf(value)) {
        *ret = numeric_special(isnan(value) ? NUMERIC_NAN
                               : value > 0  ? NUMERIC_PLUS_INFINITY
                                            : NUMERIC_MINUS_INFINITY);
        return true;
    }
    snprintf(text, sizeof(text), "%.*g", 15, value);
    return numeric_parse(arena, str_from_c(text), -1, ret);
}

static bool kind_check_integer(NumericKind kind, const char *name)
{
    if (kind == NUMERIC_NAN)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = fmt("cannot convert NaN to %s", name));
    if (kind != NUMERIC_FINITE)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = fmt("cannot convert infinity to %s", name));
    return true;
}

static bool to_integer(const Value *value, const char *name, int64_t low, int64_t high,
                       int64_t *ret)
{
    BIG(b);
    big_load(&b, value);
    TRY(kind_check_integer(b.kind, name));
    big_round(&b, 0);
    if (!mpz_fits_slong_p(b.m) || mpz_get_si(b.m) < low || mpz_get_si(b.m) > high)
        FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = fmt("%s out of range", name));
    *ret = mpz_get_si(b.m);
    return true;
}

bool numeric_to_int64(const Value *value, int64_t *ret)
{
    return to_integer(value, "bigint", INT64_MIN, INT64_MAX, ret);
}

#define NUMERIC_TO_INTEGER(symbol, member, ctype, low, high, name)                                 \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        int64_t value;                                                                             \
        TRY(to_integer(&args[0], name, low, high, &value));                                        \
        ret->member = (ctype)value;                                                                \
        return true;                                                                               \
    }
NUMERIC_TO_INTEGER(numeric_int2, int16, int16_t, INT16_MIN, INT16_MAX, "smallint")
NUMERIC_TO_INTEGER(numeric_int4, int32, int32_t, INT32_MIN, INT32_MAX, "integer")
NUMERIC_TO_INTEGER(numeric_int8, int64, int64_t, INT64_MIN, INT64_MAX, "bigint")

FUNCTION(int2_numeric)
{
    *ret = numeric_from_int64(call->arena, args[0].int16);
    return true;
}
FUNCTION(int4_numeric)
{
    *ret = numeric_from_int64(call->arena, args[0].int32);
    return true;
}
FUNCTION(int8_numeric)
{
    *ret = numeric_from_int64(call->arena, args[0].int64);
    return true;
}

FUNCTION(float8_numeric)
{
    return numeric_from_double(call->arena, args[0].float64, ret);
}

FUNCTION(float4_numeric)
{
    const float value = args[0].float32;
    char text[64];
    if (!isfinite(value))
        return numeric_from_double(call->arena, (double)value, ret);
    snprintf(text, sizeof(text), "%.*g", 6, (double)value);
    return numeric_parse(call->arena, str_from_c(text), -1, ret);
}

FUNCTION(numeric_float8)
{
    const bool is_zero = args[0].var.length == sizeof(uint16_t); /* a header without digits */
    ret->float64 = numeric_to_double(&args[0]);
    if ((isinf(ret->float64) && numeric_kind(&args[0]) == NUMERIC_FINITE) ||
        (ret->float64 == 0 && !is_zero)) {
        StrBuf text = strbuf_in(call->arena);
        numeric_append_text(&args[0], &text);
        FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE,
             .message = fmt("\"%.*s\" is out of range for type double precision",
                            STR_ARGS(strbuf_view(&text))));
    }
    return true;
}

FUNCTION(numeric_float4)
{
    StrBuf text = strbuf_in(call->arena);
    numeric_append_text(&args[0], &text);
    const TypeIo io = {.arena = call->arena, .type_oid = TYPE_FLOAT4, .typmod = -1};
    return float4_input(&io, strbuf_view(&text), ret);
}
