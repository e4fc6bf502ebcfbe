#include "types/key_internal.h"

#include <gmp.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/scheduler.h"
#include "types/array.h"
#include "types/jsonb.h"
#include "types/numeric_internal.h"
#include "types/record.h"

#define STACK_RESERVE (16 * 1024)

KeyForm key_form(const BuiltinType *type)
{
    if (!type || !type->compare)
        return FORM_NONE;
    TypeCompare *const compare = type->compare;
    if (compare == bool_compare)
        return FORM_BOOL;
    if (compare == char_compare)
        return FORM_CHAR;
    if (compare == int2_compare)
        return FORM_INT16;
    if (compare == int4_compare)
        return FORM_INT32;
    if (compare == int8_compare)
        return FORM_INT64;
    if (compare == oid_compare)
        return FORM_OID;
    if (compare == xid8_compare)
        return FORM_UINT64;
    if (compare == float4_compare)
        return FORM_FLOAT32;
    if (compare == float8_compare)
        return FORM_FLOAT64;
    if (compare == uuid_compare)
        return FORM_UUID;
    if (compare == interval_compare)
        return FORM_INTERVAL;
    if (compare == timetz_compare)
        return FORM_TIMETZ;
    if (compare == bpchar_compare)
        return FORM_BPCHAR;
    if (compare == numeric_compare)
        return FORM_NUMERIC;
    if (compare == array_compare)
        return FORM_ARRAY;
    if (compare == jsonb_compare)
        return FORM_JSONB;
    if (compare == rowtype_compare)
        return FORM_RECORD;
    if (compare == text_compare)
        return type->oid == TYPE_BYTEA || type->oid == TYPE_ACLITEM || type->oid == TYPE_INET ||
                       type->oid == TYPE_CIDR
                   ? FORM_BYTES
                   : FORM_TEXT;
    return FORM_NONE;
}

bool key_is_supported(Oid type)
{
    return key_form(builtin_type(type)) != FORM_NONE;
}

bool key_is_lossless(Oid type)
{
    const KeyForm form = key_form(builtin_type(type));
    return form != FORM_NONE && form != FORM_NUMERIC && form != FORM_INTERVAL &&
           form != FORM_BPCHAR && form != FORM_FLOAT32 && form != FORM_FLOAT64 &&
           form != FORM_ARRAY && form != FORM_JSONB && form != FORM_RECORD;
}

bool key_prefix_end(StrBuf *prefix)
{
    while (prefix->length > 0) {
        uint8_t *last = (uint8_t *)prefix->data + prefix->length - 1;
        if (*last != 0xff) {
            (*last)++;
            return true;
        }
        prefix->length--;
    }
    return false;
}

static void put_double(StrBuf *key, double value)
{
    put_be64(key, key_double_bits(value));
}

static double take_double(uint64_t bits)
{
    double value;
    if (bits == UINT64_MAX)
        return NAN;
    bits = bits >> 63 ? bits & ~(UINT64_C(1) << 63) : ~bits;
    memcpy(&value, &bits, 8);
    return value;
}

/* Bytes ended by 00 00; a 00 inside is 00 ff. */
static void put_bytes(StrBuf *key, Str bytes)
{
    size_t from = 0;
    for (;;) {
        const char *zero =
            from < bytes.length ? memchr(bytes.data + from, 0, bytes.length - from) : NULL;
        const size_t end = zero ? (size_t)(zero - bytes.data) : bytes.length;
        if (end > from)
            strbuf_append_bytes(key, bytes.data + from, end - from);
        if (!zero)
            break;
        strbuf_append_bytes(key, "\0\xff", 2);
        from = end + 1;
    }
    strbuf_append_bytes(key, "\0\0", 2);
}

enum {
    CLASS_MINUS_INFINITY = 1,
    CLASS_NEGATIVE,
    CLASS_ZERO,
    CLASS_POSITIVE,
    CLASS_INFINITY,
    CLASS_NAN
};

/*
 * numeric: class; then for others than zero the exponent of the first digit and the digits in
 * pairs (1-100, so that 0 ends them), all inverted when negative.
 */
static bool put_numeric(StrBuf *key, const Value *value)
{
    BIG(b);
    big_load(&b, value);
    if (b.kind != NUMERIC_FINITE || mpz_sgn(b.m) == 0) {
        static const char classes[] = {CLASS_ZERO, CLASS_NAN, CLASS_INFINITY, CLASS_MINUS_INFINITY};
        strbuf_append_char(key, classes[b.kind]);
        return true;
    }
    const bool negative = mpz_sgn(b.m) < 0;
    strbuf_append_char(key, negative ? CLASS_NEGATIVE : CLASS_POSITIVE);
    const size_t start = key->length;
    mpz_abs(b.m, b.m);
    char small[64];
    const size_t room = mpz_sizeinbase(b.m, 10) + 2;
    char *digits = room <= sizeof(small) ? small : memory_malloc(room);
    if (!digits)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    mpz_get_str(digits, 10, b.m);
    size_t count = strlen(digits);
    put_be32(key, (uint32_t)((int32_t)count - 1 - b.scale) ^ 0x80000000u);
    while (count > 0 && digits[count - 1] == '0')
        count--;
    for (size_t i = 0; i < count; i += 2)
        strbuf_append_char(
            key, (char)((digits[i] - '0') * 10 + (i + 1 < count ? digits[i + 1] - '0' : 0) + 1));
    strbuf_append_char(key, 0);
    if (digits != small)
        memory_free(digits);
    for (size_t i = start; negative && i < key->length; i++)
        key->data[i] = (char)~key->data[i];
    return true;
}

static bool put_value(StrBuf *key, const BuiltinType *type, KeyForm form, const Value *value);

/* Elements, each behind a 1 (2 when null), then 0, then the shape. */
static bool put_array(StrBuf *key, const Value *value)
{
    ArrayView view;
    TRY(array_open(value, &view));
    const BuiltinType *element = type_require(view.element_type);
    TRY(element);
    for (int i = 0; i < view.count; i++) {
        Value v;
        bool is_null;
        array_element(&view, i, &v, &is_null);
        strbuf_append_char(key, is_null ? 2 : 1);
        if (!is_null)
            TRY(put_value(key, element, key_form(element), &v));
    }
    strbuf_append_char(key, 0);
    strbuf_append_char(key, (char)view.dimension_count);
    for (int i = 0; i < view.dimension_count; i++)
        put_be32(key, (uint32_t)view.lengths[i]);
    for (int i = 0; i < view.dimension_count; i++)
        put_be32(key, (uint32_t)view.lowers[i] ^ 0x80000000u);
    return true;
}

/* A kind, then what it has: characters to a 0, a number, a count and the items in order. */
static bool put_node(StrBuf *key, Str node)
{
    const JsonKind kind = jsonb_kind(node);
    const uint32_t count = jsonb_count(node);
    strbuf_append_char(key, (char)(kind + 1));
    if (kind == JSON_BOOL)
        strbuf_append_char(key, node.data[0] == 't');
    if (kind == JSON_STRING) {
        strbuf_append(key, jsonb_characters(node));
        strbuf_append_char(key, 0);
    }
    if (kind == JSON_NUMBER) {
        const Value number = {.var = var_from_str(jsonb_characters(node))};
        return put_numeric(key, &number);
    }
    if (kind < JSON_ARRAY)
        return true;
    put_be32(key, count);
    for (uint32_t i = 0; i < count; i++) {
        if (kind == JSON_OBJECT) {
            strbuf_append(key, jsonb_key(node, i));
            strbuf_append_char(key, 0);
        }
        TRY(put_node(key, kind == JSON_OBJECT ? jsonb_value(node, i) : jsonb_element(node, i)));
    }
    return true;
}

/* At the top an empty array comes before all scalars, any other after them. */
static bool put_jsonb(StrBuf *key, Str root)
{
    const bool is_empty = jsonb_kind(root) == JSON_ARRAY && jsonb_count(root) == 0;
    strbuf_append_char(key, is_empty ? 1 : jsonb_is_scalar(root) ? 2 : 3);
    return put_node(key, root);
}

/* Fields, each behind a 1 (2 when null), then 0. */
static bool put_record(StrBuf *key, const Value *value)
{
    uint32_t count;
    TRY(record_count(value, &count));
    for (uint32_t i = 0; i < count; i++) {
        Value field;
        bool is_null;
        Oid oid;
        TRY(record_field(value, i, &field, &is_null, &oid));
        strbuf_append_char(key, is_null ? 2 : 1);
        if (is_null)
            continue;
        const BuiltinType *type = type_require(oid);
        TRY(type);
        TRY(put_value(key, type, key_form(type), &field));
    }
    strbuf_append_char(key, 0);
    return true;
}

static void put_interval(StrBuf *key, const Interval *i)
{
    const int128 span =
        (int128)i->microseconds + ((int128)i->months * 30 + i->days) * INT64_C(86400000000);
    put_be64(key, (uint64_t)(span >> 64) ^ UINT64_C(1) << 63);
    put_be64(key, (uint64_t)span);
}

static bool put_value(StrBuf *key, const BuiltinType *type, KeyForm form, const Value *value)
{
    switch (form) {
    case FORM_BOOL:
        strbuf_append_char(key, value->boolean);
        return true;
    case FORM_CHAR:
        strbuf_append_char(key, (char)value->int8);
        return true;
    case FORM_INT16:
        put_be16(key, (uint16_t)(value->int16 ^ INT16_MIN));
        return true;
    case FORM_INT32:
        put_be32(key, (uint32_t)value->int32 ^ 0x80000000u);
        return true;
    case FORM_OID:
        put_be32(key, value->oid);
        return true;
    case FORM_INT64:
        put_be64(key, (uint64_t)value->int64 ^ UINT64_C(1) << 63);
        return true;
    case FORM_UINT64:
        put_be64(key, (uint64_t)value->int64);
        return true;
    case FORM_FLOAT32:
        put_double(key, (double)value->float32);
        return true;
    case FORM_FLOAT64:
        put_double(key, value->float64);
        return true;
    case FORM_UUID:
        strbuf_append_bytes(key, value->fixed16, 16);
        return true;
    case FORM_INTERVAL:
        put_interval(key, &value->interval);
        return true;
    case FORM_TIMETZ:
        put_be64(key,
                 (uint64_t)(value->timetz.microseconds + value->timetz.zone * INT64_C(1000000)) ^
                     UINT64_C(1) << 63);
        put_be32(key, (uint32_t)value->timetz.zone ^ 0x80000000u);
        return true;
    case FORM_TEXT:
        strbuf_append_bytes(key, value->var.data, value->var.length);
        strbuf_append_char(key, 0);
        return true;
    case FORM_BPCHAR:
        strbuf_append(key, bpchar_trimmed(value));
        strbuf_append_char(key, 0);
        return true;
    case FORM_BYTES:
        put_bytes(key, var_str(value->var));
        return true;
    case FORM_NUMERIC:
        return put_numeric(key, value);
    case FORM_ARRAY:
        return put_array(key, value);
    case FORM_JSONB:
        return put_jsonb(key, var_str(value->var));
    case FORM_RECORD:
        return put_record(key, value);
    case FORM_NONE:
        break;
    }
    FAIL(ERR_UNDEFINED_FUNCTION,
         .message = fmt("could not identify a comparison function for type %s",
                        type ? type->sql_name : "unknown"));
}

bool key_append(StrBuf *key, const KeyColumn *column, const Value *value, bool is_null)
{
    if (is_null) {
        strbuf_append_char(key, column->nulls_first ? MARK_NULL_FIRST : MARK_NULL_LAST);
        return true;
    }
    const BuiltinType *type = builtin_type(column->type);
    strbuf_append_char(key, MARK_VALUE);
    const size_t start = key->length;
    TRY(put_value(key, type, key_form(type), value));
    if (column->descending)
        for (size_t i = start; i < key->length; i++)
            key->data[i] = (char)~key->data[i];
    return true;
}

/* Reading back. The source gives bytes, inverted again where the column is descending. */
typedef struct KeySource {
    Str rest;
    uint8_t flip;
} KeySource;

static bool corrupted(void)
{
    FAIL(ERR_INDEX_CORRUPTED, .message = STR("index key is damaged"));
}

static bool take(KeySource *s, void *to, size_t size)
{
    if (s->rest.length < size)
        return corrupted();
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)to)[i] = (uint8_t)s->rest.data[i] ^ s->flip;
    s->rest = str_slice(s->rest, size, s->rest.length);
    return true;
}

/* Up to the 00 that ends it, which is passed. */
static bool take_text(Arena *arena, KeySource *s, Value *ret)
{
    const char *end = memchr(s->rest.data, s->flip, s->rest.length);
    if (!end)
        return corrupted();
    const size_t length = (size_t)(end - s->rest.data);
    char *copy = arena_alloc(arena, length + 1);
    TRY(take(s, copy, length + 1));
    ret->var = var_make(copy, length);
    return true;
}

static bool take_bytes(Arena *arena, KeySource *s, Value *ret)
{
    StrBuf out = strbuf_in(arena);
    for (;;) {
        uint8_t c;
        TRY(take(s, &c, 1));
        if (c == 0) {
            TRY(take(s, &c, 1));
            if (c == 0)
                break;
            c = 0;
        }
        strbuf_append_char(&out, (char)c);
    }
    *ret = value_from_buf(&out);
    return true;
}

static bool take_numeric(Arena *arena, KeySource *s, Value *ret)
{
    uint8_t class, digit;
    uint32_t exponent;
    TRY(take(s, &class, 1));
    if (class == CLASS_ZERO) {
        *ret = numeric_from_int64(arena, 0);
        return true;
    }
    if (class == CLASS_NAN || class == CLASS_INFINITY || class == CLASS_MINUS_INFINITY) {
        *ret = numeric_special(class == CLASS_NAN        ? NUMERIC_NAN
                               : class == CLASS_INFINITY ? NUMERIC_PLUS_INFINITY
                                                         : NUMERIC_MINUS_INFINITY);
        return true;
    }
    if (class != CLASS_NEGATIVE && class != CLASS_POSITIVE)
        return corrupted();
    KeySource inner = {s->rest, class == CLASS_NEGATIVE ? (uint8_t)~s->flip : s->flip};
    TRY(take(&inner, &exponent, 4));
    const int32_t first = (int32_t)(__builtin_bswap32(exponent) ^ 0x80000000u);
    BIG(b);
    long digits = 0;
    for (;;) {
        TRY(take(&inner, &digit, 1));
        if (digit == 0)
            break;
        if (digit > 100)
            return corrupted();
        mpz_mul_ui(b.m, b.m, 100);
        mpz_add_ui(b.m, b.m, digit - 1u);
        digits += 2;
    }
    s->rest = inner.rest;
    const long scale = digits - 1 - first;
    /* No numeric is as large, or as fine: what stands there is not a key's. */
    if (first > NUMERIC_MAX_WHOLE_DIGITS || scale > NUMERIC_MAX_SCALE + 2)
        return corrupted();
    if (scale < 0)
        mpz_shift_truncate(b.m, -scale);
    b.scale = (int)MAX(scale, 0);
    while (b.scale > 0 && mpz_divisible_ui_p(b.m, 10)) {
        mpz_divexact_ui(b.m, b.m, 10);
        b.scale--;
    }
    if (class == CLASS_NEGATIVE)
        mpz_neg(b.m, b.m);
    return big_store(arena, &b, ret);
}

static bool take_value(Arena *arena, KeySource *s, const BuiltinType *type, Value *ret);

static bool take_array(Arena *arena, KeySource *s, const BuiltinType *type, Value *ret)
{
    const BuiltinType *element = type_require(type->element ? type->element : TYPE_TEXT);
    ArrayBuilder b;
    int32_t lengths[ARRAY_MAX_DIMENSIONS], lowers[ARRAY_MAX_DIMENSIONS];
    uint8_t mark, dimensions;
    TRY(element);
    array_builder_init(&b, arena, element->oid);
    for (;;) {
        Value value = {0};
        TRY(take(s, &mark, 1));
        if (mark == 0)
            break;
        if (mark == 1)
            TRY(take_value(arena, s, element, &value));
        array_builder_add(&b, &value, mark != 1);
    }
    TRY(take(s, &dimensions, 1));
    if (dimensions > ARRAY_MAX_DIMENSIONS)
        return corrupted();
    for (int i = 0; i < 2 * dimensions; i++) {
        uint32_t v;
        TRY(take(s, &v, 4));
        v = __builtin_bswap32(v);
        if (i < dimensions)
            lengths[i] = (int32_t)v;
        else
            lowers[i - dimensions] = (int32_t)(v ^ 0x80000000u);
    }
    return array_builder_finish_shape(&b, dimensions, lengths, lowers, ret);
}

static bool take_node(Arena *arena, KeySource *s, Str *ret)
{
    uint8_t kind, flag;
    uint32_t count;
    Value value;
    JsonbBuilder b;
    if (task_stack_left() < STACK_RESERVE)
        return corrupted();
    TRY(take(s, &kind, 1));
    switch (kind - 1) {
    case JSON_NULL:
        *ret = jsonb_null();
        return true;
    case JSON_BOOL:
        TRY(take(s, &flag, 1));
        *ret = jsonb_from_bool(flag != 0);
        return true;
    case JSON_STRING:
        TRY(take_text(arena, s, &value));
        *ret = jsonb_from_string(arena, var_str(value.var));
        return true;
    case JSON_NUMBER:
        TRY(take_numeric(arena, s, &value));
        *ret = jsonb_from_numeric(arena, &value);
        return true;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    default:
        return corrupted();
    }
    jsonb_builder_init(&b, arena, (JsonKind)(kind - 1));
    TRY(take(s, &count, 4));
    for (uint32_t i = __builtin_bswap32(count); i > 0; i--) {
        Str item;
        Value name = {0};
        if (b.kind == JSON_OBJECT)
            TRY(take_text(arena, s, &name));
        TRY(take_node(arena, s, &item));
        jsonb_builder_add(&b, var_str(name.var), item);
    }
    return jsonb_builder_finish(&b, ret);
}

static bool take_jsonb(Arena *arena, KeySource *s, Value *ret)
{
    uint8_t class;
    Str root;
    TRY(take(s, &class, 1));
    TRY(take_node(arena, s, &root));
    ret->var = var_from_str(root);
    return true;
}

static void interval_from_span(int128 span, Interval *ret)
{
    const int64_t day = INT64_C(86400000000);
    const int64_t days = (int64_t)(span / day);
    *ret = (Interval){.microseconds = (int64_t)(span % day),
                      .days = (int32_t)(days % 30),
                      .months = (int32_t)(days / 30)};
}

static bool take_value(Arena *arena, KeySource *s, const BuiltinType *type, Value *ret)
{
    uint8_t b1;
    uint16_t b2;
    uint32_t b4;
    uint64_t b8, low;

    *ret = (Value){0};
    switch (key_form(type)) {
    case FORM_BOOL:
        TRY(take(s, &b1, 1));
        ret->boolean = b1 != 0;
        return true;
    case FORM_CHAR:
        return take(s, &ret->int8, 1);
    case FORM_INT16:
        TRY(take(s, &b2, 2));
        ret->int16 = (int16_t)(__builtin_bswap16(b2) ^ 0x8000);
        return true;
    case FORM_INT32:
        TRY(take(s, &b4, 4));
        ret->int32 = (int32_t)(__builtin_bswap32(b4) ^ 0x80000000u);
        return true;
    case FORM_OID:
        TRY(take(s, &b4, 4));
        ret->oid = __builtin_bswap32(b4);
        return true;
    case FORM_INT64:
    case FORM_UINT64:
        TRY(take(s, &b8, 8));
        b8 = __builtin_bswap64(b8);
        ret->int64 = (int64_t)(key_form(type) == FORM_INT64 ? b8 ^ UINT64_C(1) << 63 : b8);
        return true;
    case FORM_FLOAT32:
    case FORM_FLOAT64:
        TRY(take(s, &b8, 8));
        if (key_form(type) == FORM_FLOAT32)
            ret->float32 = (float)take_double(__builtin_bswap64(b8));
        else
            ret->float64 = take_double(__builtin_bswap64(b8));
        return true;
    case FORM_UUID:
        return take(s, ret->fixed16, 16);
    case FORM_INTERVAL:
        TRY(take(s, &b8, 8));
        TRY(take(s, &low, 8));
        b8 = __builtin_bswap64(b8) ^ UINT64_C(1) << 63;
        interval_from_span((int128)((uint128)b8 << 64 | __builtin_bswap64(low)), &ret->interval);
        return true;
    case FORM_TIMETZ:
        TRY(take(s, &b8, 8));
        TRY(take(s, &b4, 4));
        ret->timetz.zone = (int32_t)(__builtin_bswap32(b4) ^ 0x80000000u);
        ret->timetz.microseconds = (int64_t)(__builtin_bswap64(b8) ^ UINT64_C(1) << 63) -
                                   ret->timetz.zone * INT64_C(1000000);
        return true;
    case FORM_TEXT:
    case FORM_BPCHAR:
        return take_text(arena, s, ret);
    case FORM_BYTES:
        return take_bytes(arena, s, ret);
    case FORM_NUMERIC:
        return take_numeric(arena, s, ret);
    case FORM_ARRAY:
        return take_array(arena, s, type, ret);
    case FORM_JSONB:
        return take_jsonb(arena, s, ret);
    case FORM_RECORD: /* not lossless: nobody reads it back */
    case FORM_NONE:
        break;
    }
    return corrupted();
}

bool key_take(Arena *arena, const KeyColumn *column, Str *rest, Value *ret, bool *ret_null)
{
    const BuiltinType *type = type_require(column->type);
    uint8_t mark;
    KeySource s = {*rest, 0};
    TRY(type);
    TRY(take(&s, &mark, 1));
    *ret_null = mark != MARK_VALUE;
    s.flip = column->descending ? 0xff : 0;
    if (mark > MARK_NULL_LAST)
        return corrupted();
    if (!*ret_null)
        TRY(take_value(arena, &s, type, ret));
    *rest = s.rest;
    return true;
}

bool key_skip(const KeyColumn *column, Str *rest)
{
    static const uint8_t sizes[] = {
        [FORM_BOOL] = 1,    [FORM_CHAR] = 1,  [FORM_INT16] = 2,     [FORM_INT32] = 4,
        [FORM_OID] = 4,     [FORM_INT64] = 8, [FORM_UINT64] = 8,    [FORM_FLOAT32] = 8,
        [FORM_FLOAT64] = 8, [FORM_UUID] = 16, [FORM_INTERVAL] = 16, [FORM_TIMETZ] = 12};
    const KeyForm form = key_form(builtin_type(column->type));
    if (rest->length > 0 && rest->data[0] != MARK_VALUE) {
        *rest = str_slice(*rest, 1, rest->length);
        return true;
    }
    if (form < ARRAY_LENGTH(sizes) && sizes[form]) {
        if (rest->length < 1u + sizes[form])
            return corrupted();
        *rest = str_slice(*rest, 1u + sizes[form], rest->length);
        return true;
    }
    if (form == FORM_TEXT || form == FORM_BPCHAR) {
        const char *end = rest->length < 2 ? NULL
                                           : memchr(rest->data + 1, column->descending ? 0xff : 0,
                                                    rest->length - 1);
        if (!end)
            return corrupted();
        *rest = str_slice(*rest, (size_t)(end - rest->data) + 1, rest->length);
        return true;
    }
    Arena *arena = arena_new("key");
    Value value;
    bool is_null;
    const bool ok = key_take(arena, column, rest, &value, &is_null);
    arena_free(arena);
    return ok;
}
