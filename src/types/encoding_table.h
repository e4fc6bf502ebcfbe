/*
 * Tables of encodings, made from data/encodings.dat: what encoding_convert.c looks up.
 *
 * A row says what `count` consecutive keys are: `base` plus the value at `first` and on, where
 * ENCODING_HOLE is nothing; or, where first is ENCODING_RUN, base and its successors. Keys are
 * codes as numbers (big-endian) where codes are decoded, code points where they are encoded.
 */
#ifndef TYPES_ENCODING_TABLE_H
#define TYPES_ENCODING_TABLE_H

#include <stdint.h>

#define ENCODING_RUN UINT32_MAX
#define ENCODING_HOLE 0xffff
/* GB18030's codes of four bytes are numbered from here. */
#define ENCODING_FOUR_BYTES 0x1000000

typedef struct EncodingRow {
    uint32_t key, count, first, base;
} EncodingRow;

/* A code that is two characters. */
typedef struct EncodingPair {
    uint32_t code, first, second;
} EncodingPair;

typedef struct EncodingTable {
    const char *name;
    const EncodingRow *decode, *encode; /* by key */
    uint32_t decode_count, encode_count;
    const EncodingPair *pairs;
    uint32_t pair_count;
} EncodingTable;

extern const EncodingTable encoding_tables[]; /* the last has no name */
extern const uint16_t encoding_values[];

#endif
