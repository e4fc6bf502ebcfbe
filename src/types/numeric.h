/*
 * numeric: exact decimals of any size.
 *
 * A value is an integer (the mantissa) and a display scale: mantissa × 10^-scale. Its bytes, as
 * rows and vectors hold them: two bytes of header, little-endian (bits 0-13 scale, bit 14 negative,
 * bit 15 special: then bits 0-1 say NaN 0, Infinity 1, -Infinity 2), then the mantissa's magnitude,
 * little-endian base 256 without leading zeros (zero has none). Mantissas up to 16 bytes are
 * computed in int128, longer ones with GMP. Results have the digits and scale that PostgreSQL
 * gives.
 */
#ifndef TYPES_NUMERIC_H
#define TYPES_NUMERIC_H

#include "types/type.h"

#define NUMERIC_MAX_PRECISION 1000
#define NUMERIC_MAX_SCALE 16383
#define NUMERIC_TYPMOD(precision, scale) ((int32_t)(((precision) << 16) | ((scale)&0x7ff)) + 4)

Value numeric_from_int64(Arena *arena, int64_t value);
/* mantissa × 10^-scale */
Value numeric_from_int128(Arena *arena, int128 mantissa, int scale);
MUST_CHECK bool numeric_from_double(Arena *arena, double value, Value *ret);
/* Rounds half away from zero. Fails with 22003 "bigint out of range" and 0A000 for NaN. */
MUST_CHECK bool numeric_to_int64(const Value *value, int64_t *ret);
double numeric_to_double(const Value *value);
int numeric_order(const Value *a, const Value *b);
void numeric_append_text(const Value *value, StrBuf *out);
/* As input does; white space around is allowed. */
MUST_CHECK bool numeric_parse(Arena *arena, Str text, int32_t typmod, Value *ret);

#endif
