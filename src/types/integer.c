/* int2, int4, int8: text, binary, order, arithmetic, casts among them, bits, gcd and lcm. */
#include "types/types_internal.h"

typedef struct IntegerKind {
    const char *name;
    int64_t minimum, maximum;
    uint32_t safe_digits; /* so many are never out of range */
} IntegerKind;

static const IntegerKind int2_kind = {"smallint", INT16_MIN, INT16_MAX, 4};
static const IntegerKind int4_kind = {"integer", INT32_MIN, INT32_MAX, 9};
static const IntegerKind int8_kind = {"bigint", INT64_MIN, INT64_MAX, 18};

/* Perhaps a minus, then a few digits: what nearly every number is. */
static inline bool digits_parse(Str text, const IntegerKind *kind, int64_t *ret)
{
    const bool negative = text.length > 1 && text.data[0] == '-';
    int64_t value = 0;

    if (text.length - negative - 1 >= kind->safe_digits) /* none at all is many, too */
        return false;
    for (size_t i = negative; i < text.length; i++) {
        const uint8_t digit = (uint8_t)(text.data[i] - '0');
        if (digit > 9)
            return false;
        value = value * 10 + digit;
    }
    *ret = negative ? -value : value;
    return true;
}

static bool integer_parse(Str text, const IntegerKind *kind, int64_t *ret)
{
    const char *p = text.data, *end = text.data + text.length;
    uint64_t value = 0;
    bool negative = false, overflow = false;

    while (p < end && is_space(*p))
        p++;
    if (p < end && (*p == '-' || *p == '+'))
        negative = *p++ == '-';
    if (p == end || !is_digit(*p))
        FAIL_SYNTAX(kind->name, text);
    for (; p < end && is_digit(*p); p++)
        overflow |= __builtin_mul_overflow(value, 10u, &value) ||
                    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value);
    while (p < end && is_space(*p))
        p++;
    if (p != end)
        FAIL_SYNTAX(kind->name, text);
    const uint64_t limit = negative ? -(uint64_t)kind->minimum : (uint64_t)kind->maximum;
    if (overflow || value > limit)
        FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE,
             .message =
                 fmt("value \"%.*s\" is out of range for type %s", STR_ARGS(text), kind->name));
    *ret = negative ? (int64_t)-value : (int64_t)value;
    return true;
}

#define INTEGER_IO(type, member, ctype, bits)                                                      \
    bool type##_input(const TypeIo *io, Str text, Value *ret)                                      \
    {                                                                                              \
        int64_t value;                                                                             \
        TRY(digits_parse(text, &type##_kind, &value) ||                                            \
            integer_parse(text, &type##_kind, &value));                                            \
        ret->member = (ctype)value;                                                                \
        return true;                                                                               \
    }                                                                                              \
    bool type##_output(const TypeIo *io, const Value *value, StrBuf *out)                          \
    {                                                                                              \
        strbuf_append_int64(out, value->member);                                                   \
        return true;                                                                               \
    }                                                                                              \
    bool type##_receive(const TypeIo *io, Str bytes, Value *ret)                                   \
    {                                                                                              \
        NEED_BYTES(bytes, bits / 8);                                                               \
        ret->member = (ctype)get_be##bits(bytes.data);                                             \
        return true;                                                                               \
    }                                                                                              \
    bool type##_send(const TypeIo *io, const Value *value, StrBuf *out)                            \
    {                                                                                              \
        put_be##bits(out, (uint##bits##_t)value->member);                                          \
        return true;                                                                               \
    }                                                                                              \
    int type##_compare(const BuiltinType *t, const Value *a, const Value *b)                       \
    {                                                                                              \
        return (a->member > b->member) - (a->member < b->member);                                  \
    }                                                                                              \
    uint64_t type##_hash(const BuiltinType *t, const Value *value)                                 \
    {                                                                                              \
        return hash_mix64((uint64_t)(int64_t)value->member + 0x51ed270b);                          \
    }
INTEGER_IO(int2, int16, int16_t, 16)
INTEGER_IO(int4, int32, int32_t, 32)
INTEGER_IO(int8, int64, int64_t, 64)

/* symbol, result's member and name, left member, right member */
#define INTEGER_ARITHMETIC(X)                                                                      \
    X(int2, int16, int16_t, "smallint", int16, int16)                                              \
    X(int4, int32, int32_t, "integer", int32, int32)                                               \
    X(int8, int64, int64_t, "bigint", int64, int64)                                                \
    X(int24, int32, int32_t, "integer", int16, int32)                                              \
    X(int42, int32, int32_t, "integer", int32, int16)                                              \
    X(int28, int64, int64_t, "bigint", int16, int64)                                               \
    X(int82, int64, int64_t, "bigint", int64, int16)                                               \
    X(int48, int64, int64_t, "bigint", int32, int64)                                               \
    X(int84, int64, int64_t, "bigint", int64, int32)

#define DEFINE_ARITHMETIC(symbol, member, ctype, name, left, right)                                \
    FUNCTION(symbol##pl)                                                                           \
    {                                                                                              \
        if (__builtin_add_overflow(args[0].left, args[1].right, &ret->member))                     \
            FAIL_RANGE(name);                                                                      \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##mi)                                                                           \
    {                                                                                              \
        if (__builtin_sub_overflow(args[0].left, args[1].right, &ret->member))                     \
            FAIL_RANGE(name);                                                                      \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##mul)                                                                          \
    {                                                                                              \
        if (__builtin_mul_overflow(args[0].left, args[1].right, &ret->member))                     \
            FAIL_RANGE(name);                                                                      \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##div)                                                                          \
    {                                                                                              \
        const ctype a = (ctype)args[0].left, b = (ctype)args[1].right;                             \
        if (b == 0)                                                                                \
            FAIL_DIVISION();                                                                       \
        if (b == -1) {                                                                             \
            if (__builtin_sub_overflow((ctype)0, a, &ret->member))                                 \
                FAIL_RANGE(name);                                                                  \
            return true;                                                                           \
        }                                                                                          \
        ret->member = (ctype)(a / b);                                                              \
        return true;                                                                               \
    }
INTEGER_ARITHMETIC(DEFINE_ARITHMETIC)

#define DEFINE_CROSS_COMPARISON(symbol, left, right)                                               \
    FUNCTION(symbol##eq)                                                                           \
    {                                                                                              \
        ret->boolean = args[0].left == args[1].right;                                              \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##ne)                                                                           \
    {                                                                                              \
        ret->boolean = args[0].left != args[1].right;                                              \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##lt)                                                                           \
    {                                                                                              \
        ret->boolean = args[0].left < args[1].right;                                               \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##le)                                                                           \
    {                                                                                              \
        ret->boolean = args[0].left <= args[1].right;                                              \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##gt)                                                                           \
    {                                                                                              \
        ret->boolean = args[0].left > args[1].right;                                               \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##ge)                                                                           \
    {                                                                                              \
        ret->boolean = args[0].left >= args[1].right;                                              \
        return true;                                                                               \
    }
DEFINE_CROSS_COMPARISON(int24, int16, int32)
DEFINE_CROSS_COMPARISON(int42, int32, int16)
DEFINE_CROSS_COMPARISON(int28, int16, int64)
DEFINE_CROSS_COMPARISON(int82, int64, int16)
DEFINE_CROSS_COMPARISON(int48, int32, int64)
DEFINE_CROSS_COMPARISON(int84, int64, int32)

#define DEFINE_CROSS_CMP(symbol, left, right)                                                      \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        ret->int32 = (args[0].left > args[1].right) - (args[0].left < args[1].right);              \
        return true;                                                                               \
    }
DEFINE_CROSS_CMP(btint24cmp, int16, int32)
DEFINE_CROSS_CMP(btint42cmp, int32, int16)
DEFINE_CROSS_CMP(btint28cmp, int16, int64)
DEFINE_CROSS_CMP(btint82cmp, int64, int16)
DEFINE_CROSS_CMP(btint48cmp, int32, int64)
DEFINE_CROSS_CMP(btint84cmp, int64, int32)

#define DEFINE_UNARY_AND_BITS(type, member, ctype, utype, name, shift_mask)                        \
    FUNCTION(type##um)                                                                             \
    {                                                                                              \
        if (__builtin_sub_overflow((ctype)0, args[0].member, &ret->member))                        \
            FAIL_RANGE(name);                                                                      \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(type##up)                                                                             \
    {                                                                                              \
        ret->member = args[0].member;                                                              \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(type##abs)                                                                            \
    {                                                                                              \
        if (args[0].member >= 0)                                                                   \
            ret->member = args[0].member;                                                          \
        else if (__builtin_sub_overflow((ctype)0, args[0].member, &ret->member))                   \
            FAIL_RANGE(name);                                                                      \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(type##mod)                                                                            \
    {                                                                                              \
        if (args[1].member == 0)                                                                   \
            FAIL_DIVISION();                                                                       \
        ret->member = args[1].member == -1 ? 0 : (ctype)(args[0].member % args[1].member);         \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(type##and)                                                                            \
    {                                                                                              \
        ret->member = (ctype)(args[0].member & args[1].member);                                    \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(type## or)                                                                            \
    {                                                                                              \
        ret->member = (ctype)(args[0].member | args[1].member);                                    \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(type## xor)                                                                           \
    {                                                                                              \
        ret->member = (ctype)(args[0].member ^ args[1].member);                                    \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(type##not )                                                                           \
    {                                                                                              \
        ret->member = (ctype)~args[0].member;                                                      \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(type##shl)                                                                            \
    {                                                                                              \
        ret->member = (ctype)((utype)args[0].member << (args[1].int32 & shift_mask));              \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(type##shr)                                                                            \
    {                                                                                              \
        ret->member = (ctype)(args[0].member >> (args[1].int32 & shift_mask));                     \
        return true;                                                                               \
    }
DEFINE_UNARY_AND_BITS(int2, int16, int16_t, uint32_t, "smallint", 31)
DEFINE_UNARY_AND_BITS(int4, int32, int32_t, uint32_t, "integer", 31)
DEFINE_UNARY_AND_BITS(int8, int64, int64_t, uint64_t, "bigint", 63)

FUNCTION(int4inc)
{
    if (__builtin_add_overflow(args[0].int32, 1, &ret->int32))
        FAIL_RANGE("integer");
    return true;
}

FUNCTION(int8inc)
{
    if (__builtin_add_overflow(args[0].int64, 1, &ret->int64))
        FAIL_RANGE("bigint");
    return true;
}

/* Casts. */
#define WIDEN(symbol, from, to)                                                                    \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        ret->to = args[0].from;                                                                    \
        return true;                                                                               \
    }
WIDEN(i2toi4, int16, int32)
WIDEN(int28, int16, int64)
WIDEN(int48, int32, int64)

#define NARROW(symbol, from, to, ctype, low, high, name)                                           \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        if (args[0].from < low || args[0].from > high)                                             \
            FAIL_RANGE(name);                                                                      \
        ret->to = (ctype)args[0].from;                                                             \
        return true;                                                                               \
    }
NARROW(i4toi2, int32, int16, int16_t, INT16_MIN, INT16_MAX, "smallint")
NARROW(int82, int64, int16, int16_t, INT16_MIN, INT16_MAX, "smallint")
NARROW(int84, int64, int32, int32_t, INT32_MIN, INT32_MAX, "integer")
NARROW(i8tooid, int64, int32, int32_t, 0, UINT32_MAX, "OID")

FUNCTION(oidtoi8)
{
    ret->int64 = args[0].oid;
    return true;
}

FUNCTION(int4_bool)
{
    ret->boolean = args[0].int32 != 0;
    return true;
}

FUNCTION(bool_int4)
{
    ret->int32 = args[0].boolean;
    return true;
}

/* Of magnitudes, so that the minimum needs no special path until the end. */
static uint64_t gcd_magnitude(uint64_t a, uint64_t b)
{
    while (b != 0) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint64_t magnitude(int64_t v)
{
    return v < 0 ? -(uint64_t)v : (uint64_t)v;
}

FUNCTION(int4gcd)
{
    const uint64_t g = gcd_magnitude(magnitude(args[0].int32), magnitude(args[1].int32));
    if (g > INT32_MAX)
        FAIL_RANGE("integer");
    ret->int32 = (int32_t)g;
    return true;
}

FUNCTION(int8gcd)
{
    const uint64_t g = gcd_magnitude(magnitude(args[0].int64), magnitude(args[1].int64));
    if (g > INT64_MAX)
        FAIL_RANGE("bigint");
    ret->int64 = (int64_t)g;
    return true;
}

static bool lcm_magnitude(int64_t a, int64_t b, uint64_t limit, uint64_t *ret)
{
    *ret = 0;
    if (a == 0 || b == 0)
        return true;
    const uint64_t step = magnitude(a) / gcd_magnitude(magnitude(a), magnitude(b));
    return !__builtin_mul_overflow(step, magnitude(b), ret) && *ret <= limit;
}

FUNCTION(int4lcm)
{
    uint64_t lcm;
    if (!lcm_magnitude(args[0].int32, args[1].int32, INT32_MAX, &lcm))
        FAIL_RANGE("integer");
    ret->int32 = (int32_t)lcm;
    return true;
}

FUNCTION(int8lcm)
{
    uint64_t lcm;
    if (!lcm_magnitude(args[0].int64, args[1].int64, INT64_MAX, &lcm))
        FAIL_RANGE("bigint");
    ret->int64 = (int64_t)lcm;
    return true;
}

static Value unsigned_in_base(Arena *arena, uint64_t value, int bits_a_digit)
{
    char buffer[64];
    size_t at = sizeof(buffer);
    do {
        buffer[--at] = "0123456789abcdef"[value & ((1u << bits_a_digit) - 1)];
        value >>= bits_a_digit;
    } while (value != 0);
    return value_text(str_copy(arena, str_make(buffer + at, sizeof(buffer) - at)));
}

FUNCTION(to_hex32)
{
    *ret = unsigned_in_base(call->arena, (uint32_t)args[0].int32, 4);
    return true;
}

FUNCTION(to_hex64)
{
    *ret = unsigned_in_base(call->arena, (uint64_t)args[0].int64, 4);
    return true;
}

/* The set: current, stop and step as a 64-bit walk; an overflow of the type ends it. */
typedef struct SeriesCursor {
    int64_t next, stop, step;
    bool is_over;
} SeriesCursor;

static bool series_begin(FunctionCall *call, int64_t start, int64_t stop, int64_t step,
                         void **cursor)
{
    if (step == 0)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("step size cannot equal zero"));
    SeriesCursor *series = ARENA_NEW(call->site_arena, SeriesCursor);
    *series = (SeriesCursor){.next = start, .stop = stop, .step = step};
    *cursor = series;
    return true;
}

static bool series_next(SeriesCursor *series, int64_t *ret)
{
    if (series->is_over ||
        (series->step > 0 ? series->next > series->stop : series->next < series->stop))
        return false;
    *ret = series->next;
    series->is_over = __builtin_add_overflow(series->next, series->step, &series->next);
    return true;
}

#define SERIES(symbol, member, ctype, step_value)                                                  \
    SET_FUNCTION(symbol)                                                                           \
    {                                                                                              \
        int64_t value;                                                                             \
        if (!*cursor)                                                                              \
            TRY(series_begin(call, args[0].member, args[1].member, step_value, cursor));           \
        *ret_done = !series_next(*cursor, &value);                                                 \
        if (!*ret_done) {                                                                          \
            ret->member = (ctype)value;                                                            \
            *ret_nulls = false;                                                                    \
        }                                                                                          \
        return true;                                                                               \
    }
SERIES(generate_series_int4, int32, int32_t, 1)
SERIES(generate_series_step_int4, int32, int32_t, args[2].int32)
SERIES(generate_series_int8, int64, int64_t, 1)
SERIES(generate_series_step_int8, int64, int64_t, args[2].int64)
