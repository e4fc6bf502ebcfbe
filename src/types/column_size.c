/*
 * pg_column_size: the bytes that PostgreSQL keeps a value in as a column of a row, where its form
 * is one that both know; of JSON and rows, whose forms are our own, what they take here.
 */
#include "base/pace.h"
#include "types/array.h"
#include "types/numeric.h"
#include "types/types_internal.h"

enum {
    SHORT_LENGTH_MAX = 126, /* longer values carry four bytes of length instead of one */
    NUMERIC_GROUP = 4,      /* decimal digits in two bytes */
    ARRAY_HEADER = 12,
};

static int alignment_of(const BuiltinType *type)
{
    switch (type->alignment) {
    case 's':
        return 2;
    case 'i':
        return 4;
    case 'd':
        return 8;
    default:
        return 1;
    }
}

static int64_t aligned(int64_t size, int alignment)
{
    return (size + alignment - 1) / alignment * alignment;
}

/* The group of four digits that a digit is in, counted from the point: 0 is left of it. */
static int digit_group(size_t digit, size_t whole_digits)
{
    return digit < whole_digits ? (int)((whole_digits - 1 - digit) / NUMERIC_GROUP)
                                : -1 - (int)((digit - whole_digits) / NUMERIC_GROUP);
}

/* Two bytes for each group without zeros at either end, after a header of two or four. */
static int64_t numeric_size(StrBuf *text, const Value *value)
{
    size_t digit = 0, whole_digits = SIZE_MAX, first = SIZE_MAX, last = 0;

    strbuf_truncate(text, 0);
    numeric_append_text(value, text);
    for (size_t i = 0; i < text->length; i++) {
        const char c = text->data[i];
        if (c == '.') {
            whole_digits = digit;
        } else if (is_digit(c)) {
            if (c != '0') {
                last = digit;
                first = MIN(first, digit);
            }
            digit++;
        }
    }
    if (first == SIZE_MAX)
        return 2;
    whole_digits = MIN(whole_digits, digit);
    const int weight = digit_group(first, whole_digits);
    const int groups = weight - digit_group(last, whole_digits) + 1;
    const bool is_short = digit - whole_digits <= 63 && weight >= -64 && weight <= 63;
    return (is_short ? 2 : 4) + 2 * groups;
}

static int64_t variable_size(StrBuf *text, Oid type, const Value *value);

/* Elements lie at their alignment, variable ones with four bytes of length each. */
static bool array_size(StrBuf *text, const Value *array, int64_t *ret)
{
    ArrayView view;
    TRY(array_open(array, &view));
    const BuiltinType *element = type_require(view.element_type);
    TRY(element);
    const int alignment = alignment_of(element);
    int64_t size = ARRAY_HEADER + 4 + 8 * view.dimension_count;

    if (view.has_nulls)
        size += (view.count + 7) / 8;
    if (view.dimension_count > 0)
        size = aligned(size, 8);
    for (int i = 0; i < view.count; i++) {
        Value item;
        bool is_null;
        CHECK_INTERRUPTS_EACH(i);
        array_element(&view, i, &item, &is_null);
        if (is_null)
            continue;
        size += element->length > 0 ? element->length
                                    : 4 + variable_size(text, view.element_type, &item);
        size = aligned(size, alignment);
    }
    *ret = size - 4;
    return true;
}

/* Without the bytes of its length. `text` is for the digits of one number after another. */
static int64_t variable_size(StrBuf *text, Oid type, const Value *value)
{
    enum { INET_HEADER = 2, IPV4_BYTES = 4, IPV6_BYTES = 16 };

    if (type == TYPE_NUMERIC)
        return numeric_size(text, value);
    if (type == TYPE_INET || type == TYPE_CIDR)
        return INET_HEADER + (value->var.length > IPV6_BYTES ? IPV6_BYTES : IPV4_BYTES);
    return value->var.length;
}

FUNCTION(pg_column_size)
{
    const Oid oid = call->arg_types[0];
    const BuiltinType *type = type_require(oid);
    StrBuf text = strbuf_in(call->arena);
    int64_t size;

    TRY(type);
    if (type->length != -1) {
        ret->int32 = type->length > 0 ? type->length : (int32_t)args[0].var.length + 1;
        return true;
    }
    if (type->element != OID_NONE)
        TRY(array_size(&text, &args[0], &size));
    else
        size = variable_size(&text, oid, &args[0]);
    ret->int32 = (int32_t)(size + (size <= SHORT_LENGTH_MAX ? 1 : 4));
    return true;
}

/* Values are never compressed one by one. */
FUNCTION(pg_column_compression)
{
    *ret_null = true;
    return true;
}
