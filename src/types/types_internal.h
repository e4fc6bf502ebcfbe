/*
 * Shared inside src/types: the C functions that the type table names, and small helpers.
 */
#ifndef TYPES_TYPES_INTERNAL_H
#define TYPES_TYPES_INTERNAL_H

#include "base/hash.h"
#include "base/settings.h"
#include "types/function.h"
#include "types/type.h"

enum { TYPE_CIDR = 650 };

extern const BuiltinType type_table[];
extern const size_t type_table_count;

#define DECLARE_IO(name)                                                                           \
    TypeInput name##_input;                                                                        \
    TypeOutput name##_output;                                                                      \
    TypeReceive name##_receive;                                                                    \
    TypeSend name##_send
#define DECLARE_ORDER(name)                                                                        \
    TypeCompare name##_compare;                                                                    \
    TypeHash name##_hash
#define DECLARE_TYPMOD(name)                                                                       \
    TypmodInput typmod_##name##_in;                                                                \
    TypmodOutput typmod_##name##_out

DECLARE_IO(bool);
DECLARE_IO(bytea);
DECLARE_IO(char);
DECLARE_IO(name);
DECLARE_IO(int8);
DECLARE_IO(int2);
DECLARE_IO(int2vector);
DECLARE_IO(int4);
DECLARE_IO(reg);
DECLARE_IO(text);
DECLARE_IO(oid);
DECLARE_IO(tid);
DECLARE_IO(xid);
DECLARE_IO(oidvector);
DECLARE_IO(json);
DECLARE_IO(node_tree);
DECLARE_IO(xid8);
DECLARE_IO(float4);
DECLARE_IO(float8);
DECLARE_IO(aclitem);
DECLARE_IO(bpchar);
DECLARE_IO(varchar);
DECLARE_IO(date);
DECLARE_IO(time);
DECLARE_IO(timestamp);
DECLARE_IO(timestamptz);
DECLARE_IO(interval);
DECLARE_IO(timetz);
DECLARE_IO(numeric);
DECLARE_IO(uuid);
DECLARE_IO(lsn);
DECLARE_IO(void);
DECLARE_IO(rowtype);
DECLARE_IO(pseudo);
DECLARE_IO(array);
DECLARE_IO(inet);
DECLARE_IO(jsonb);
DECLARE_IO(cidr);
DECLARE_ORDER(bool);
DECLARE_ORDER(text);
DECLARE_ORDER(char);
DECLARE_ORDER(int8);
DECLARE_ORDER(int2);
DECLARE_ORDER(int4);
DECLARE_ORDER(array);
DECLARE_ORDER(oid);
DECLARE_ORDER(xid8);
DECLARE_ORDER(float4);
DECLARE_ORDER(float8);
DECLARE_ORDER(bpchar);
DECLARE_ORDER(interval);
DECLARE_ORDER(timetz);
DECLARE_ORDER(numeric);
DECLARE_ORDER(uuid);
DECLARE_ORDER(jsonb);
DECLARE_ORDER(rowtype);
/* 42804 where the order of two rows would be that of values of different types. */
MUST_CHECK bool rowtype_comparable(const Value *a, const Value *b);
DECLARE_TYPMOD(char);
DECLARE_TYPMOD(varchar);
DECLARE_TYPMOD(time);
DECLARE_TYPMOD(timestamp);
DECLARE_TYPMOD(timestamptz);
DECLARE_TYPMOD(timetz);
DECLARE_TYPMOD(interval);
DECLARE_TYPMOD(numeric);

/* 22P02 invalid input syntax for type … */
#define FAIL_SYNTAX(type_name, text)                                                               \
    FAIL(ERR_INVALID_TEXT_REPRESENTATION,                                                          \
         .message =                                                                                \
             fmt("invalid input syntax for type %s: \"%.*s\"", (type_name), STR_ARGS(text)))
#define FAIL_BINARY(what) FAIL(ERR_INVALID_BINARY_REPRESENTATION, .message = fmt("%s", (what)))
#define FAIL_DIVISION() FAIL(ERR_DIVISION_BY_ZERO, .message = STR("division by zero"))
#define FAIL_RANGE(what) FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR(what " out of range"))
#define FAIL_TIMESTAMP_RANGE()                                                                     \
    FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = STR("timestamp out of range"))
#define FAIL_INTERVAL_RANGE()                                                                      \
    FAIL(ERR_DATETIME_VALUE_OUT_OF_RANGE, .message = STR("interval out of range"))

/* Big-endian, as binary forms are. */
static inline void put_be16(StrBuf *out, uint16_t v)
{
    v = __builtin_bswap16(v);
    strbuf_append_bytes(out, &v, 2);
}
static inline void put_be32(StrBuf *out, uint32_t v)
{
    v = __builtin_bswap32(v);
    strbuf_append_bytes(out, &v, 4);
}
static inline void put_be64(StrBuf *out, uint64_t v)
{
    v = __builtin_bswap64(v);
    strbuf_append_bytes(out, &v, 8);
}
static inline void set_be16(void *p, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(p, &v, sizeof(v));
}
static inline uint16_t get_be16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return __builtin_bswap16(v);
}
static inline uint32_t get_be32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}
static inline uint64_t get_be64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return __builtin_bswap64(v);
}
static inline uint16_t get_le16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}
static inline uint32_t get_le32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

/* The binary form must have exactly this many bytes. */
#define NEED_BYTES(bytes, count)                                                                   \
    do {                                                                                           \
        if ((bytes).length < (count))                                                              \
            FAIL(ERR_PROTOCOL_VIOLATION, .message = STR("insufficient data left in message"));     \
        if ((bytes).length > (count))                                                              \
            FAIL(ERR_INVALID_BINARY_REPRESENTATION,                                                \
                 .message = STR("incorrect binary data format"));                                  \
    } while (0)

static inline bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
static inline char ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static inline Value value_text(Str s)
{
    return (Value){.var = var_from_str(s)};
}

/* utf8.c: text is valid UTF-8; lengths and positions in characters. */
size_t utf8_count(Str text); /* long ones in pieces, between which others have their turn */
/* Byte offset of the n-th character, or the length. */
size_t utf8_offset(Str text, size_t characters);
/* Bytes of the character that begins with this byte. */
static inline int utf8_width(char first)
{
    const uint8_t c = (uint8_t)first;
    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}
uint32_t utf8_decode(const char *p, int *ret_width);
int utf8_encode(uint32_t code, char *out);
uint32_t unicode_lower(uint32_t code);
uint32_t unicode_upper(uint32_t code);
bool unicode_is_alnum(uint32_t code);
typedef uint32_t UnicodeMap(uint32_t code, void *context);
MUST_CHECK bool utf8_map(Arena *arena, Str s, UnicodeMap *map, void *context, Str *ret);
MUST_CHECK bool utf8_lower(Arena *arena, Str s, Str *ret);
MUST_CHECK bool utf8_upper(Arena *arena, Str s, Str *ret);

/* text_functions.c: as str_find, in texts that can be long. */
MUST_CHECK bool text_find(Str s, Str part, size_t from, size_t *ret);

/* float.c */
int float8_order(double a, double b);
MUST_CHECK bool float8_parse(Str text, const char *type_name, double *ret);

/* text.c */
/* The largest value, in bytes: 1 GiB - 1, as in PostgreSQL and as rows can hold (row.h). */
#define VALUE_SIZE_MAX 0x3fffffff
MUST_CHECK bool value_concat(Arena *arena, Str a, Str b, Value *ret);
Str bpchar_trimmed(const Value *value);
/* To a char(n) or varchar(n) typmod; the result may be a view of the text. */
MUST_CHECK bool varchar_coerce(Arena *arena, Str text, int32_t typmod, bool is_explicit,
                               Value *ret);
MUST_CHECK bool bpchar_coerce(Arena *arena, Str text, int32_t typmod, bool is_explicit, Value *ret);

/* A type description that a value's arrays' element needs, or 42704. */
MUST_CHECK const BuiltinType *type_require(Oid oid);

#endif
