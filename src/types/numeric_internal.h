/*
 * Inside numeric_*.c: values in hand. A Small is a mantissa in int128; a Big is one in GMP, with
 * special values. big_* functions follow the scale rules of PostgreSQL's numeric.
 */
#ifndef TYPES_NUMERIC_INTERNAL_H
#define TYPES_NUMERIC_INTERNAL_H

#include <gmp.h>

#include "types/numeric.h"
#include "types/types_internal.h"

#define NUMERIC_MIN_DIGITS 16    /* significant digits that inexact results have at least */
#define NUMERIC_MAX_DISPLAY 1000 /* scale that inexact results have at most */
#define NUMERIC_MAX_RESULT 2000
#define NUMERIC_MAX_WHOLE_DIGITS 131072
#define NUMERIC_SMALL_BYTES 15   /* mantissas up to this fit an int128 with room for a sum */
#define NUMERIC_ENCODED_SMALL 18 /* bytes of the largest value numeric_put_small writes */

typedef enum NumericKind {
    NUMERIC_FINITE = 0,
    NUMERIC_NAN,
    NUMERIC_PLUS_INFINITY,
    NUMERIC_MINUS_INFINITY,
} NumericKind;

typedef struct Big {
    mpz_t m; /* with sign; 0 in special values */
    int scale;
    NumericKind kind;
} Big;

#define BIG(name)                                                                                  \
    CLEANUP(big_deinit) Big name;                                                                  \
    big_init(&name)
void big_init(Big *b);
void big_deinit(Big *b);
void big_load(Big *b, const Value *value);
/* Fails with 22003 when there are too many digits before the point. Rounds to the largest scale. */
MUST_CHECK bool big_store(Arena *arena, const Big *b, Value *ret);
void big_set_special(Big *b, NumericKind kind);
void big_copy(Big *to, const Big *from);

/* Up to eight bytes, little-endian: a call of memcpy would take longer than all else. */
static inline uint64_t numeric_load(const byte *p, size_t length)
{
    if (length >= 8)
        return get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
    if (length >= 4)
        return get_le32(p) | (uint64_t)get_le32(p + length - 4) << (length - 4) * 8;
    if (length >= 2)
        return get_le16(p) | (uint64_t)get_le16(p + length - 2) << (length - 2) * 8;
    return length ? p[0] : 0;
}

/* False: special or too long. */
static inline bool numeric_small(const Value *value, int128 *ret_mantissa, int *ret_scale)
{
    const byte *p = (const byte *)value->var.data;
    const uint16_t header = get_le16(p);
    const size_t length = value->var.length - 2;

    if ((header & 0x8000) || length > NUMERIC_SMALL_BYTES)
        return false;
    const uint64_t low = numeric_load(p + 2, length);
    const uint64_t high = length > 8 ? numeric_load(p + 10, length - 8) : 0;
    const int128 mantissa = (int128)((uint128)high << 64 | low);
    *ret_mantissa = header & 0x4000 ? -mantissa : mantissa;
    *ret_scale = header & 0x3fff;
    return true;
}

/* Writes the encoded form to `to` (NUMERIC_ENCODED_SMALL bytes of room) and returns its size. */
static inline size_t numeric_put_small(byte *to, int128 mantissa, int scale)
{
    uint128 m = mantissa < 0 ? -(uint128)mantissa : (uint128)mantissa;
    const uint16_t header = (uint16_t)(scale | (mantissa < 0 ? 0x4000 : 0));
    const uint64_t high = (uint64_t)(m >> 64), low = (uint64_t)m;
    const size_t length = high  ? 16 - (size_t)__builtin_clzll(high) / 8
                          : low ? 8 - (size_t)__builtin_clzll(low) / 8
                                : 0;
    memcpy(to, &header, 2);
    memcpy(to + 2, &low, 8);
    memcpy(to + 10, &high, 8);
    return length + 2;
}

extern const uint64_t powers_of_10[20];
/* 10^n for n up to 37; what lies beyond does not fit. */
int128 power_of_10(int n);

NumericKind numeric_kind(const Value *value);
Value numeric_special(NumericKind kind);

/* m × 10^by, rounded half away from zero where by < 0. */
void mpz_shift_round(mpz_t m, long by);
void mpz_shift_truncate(mpz_t m, long by);
/* Decimal digits of |m|, 0 for zero. */
size_t mpz_digits(const mpz_t m);
void big_round(Big *b, int scale);
/* The exponent of the first base-10000 digit, and that digit; 0 and 0 for zero. */
int big_weight(const Big *b, int *ret_first_digit);
double big_double(const Big *b);
int big_compare(const Big *a, const Big *b);
/* |a| / |b| with the sign, rounded to the scale. b is not zero. */
void big_divide(Big *result, const Big *a, const Big *b, int scale);
MUST_CHECK bool numeric_apply_typmod(Arena *arena, int32_t typmod, Value *value);
bool numeric_add(Arena *arena, const Value *a, const Value *b, bool subtract, Value *ret);
bool numeric_multiply(Arena *arena, const Value *a, const Value *b, Value *ret);
bool numeric_power_of(Arena *arena, const Value *a, const Value *b, Value *ret);
bool numeric_divide(Arena *arena, const Value *a, const Value *b, Value *ret);
/* scale < 0: enough for sixteen significant digits, and not less than the operand shows. */
bool numeric_square_root(Arena *arena, const Value *a, int scale, Value *ret);

#define FAIL_NUMERIC_OVERFLOW()                                                                    \
    FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("value overflows numeric format"))

#endif
