/* float4 and float8: shortest text that reads back equal, order with NaN last, arithmetic. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "types/types_internal.h"

#define FAIL_OVERFLOW()                                                                            \
    FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("value out of range: overflow"))
#define FAIL_UNDERFLOW()                                                                           \
    FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("value out of range: underflow"))

static bool special_word(Str word, double *ret)
{
    static const struct {
        const char *word;
        double value;
    } words[] = {{"NaN", NAN},
                 {"Infinity", INFINITY},
                 {"+Infinity", INFINITY},
                 {"-Infinity", -INFINITY},
                 {"inf", INFINITY},
                 {"+inf", INFINITY},
                 {"-inf", -INFINITY}};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (str_equal_nocase(word, str_from_c(words[i].word))) {
            *ret = words[i].value;
            return true;
        }
    return false;
}

/* strtod needs a NUL behind the number. */
static bool number_parse(Str word, bool is_single, double *ret, bool *ret_range)
{
    char small[128];
    char *copy = word.length < sizeof(small) ? small : memory_malloc(word.length + 1);
    char *end;

    *ret_range = false;
    if (!copy)
        return false;
    if (word.length)
        memcpy(copy, word.data, word.length);
    copy[word.length] = 0;
    errno = 0;
    *ret = is_single ? (double)strtof(copy, &end) : strtod(copy, &end);
    const bool is_number = word.length > 0 && end == copy + word.length && !isnan(*ret);
    const double limit = is_single ? (double)HUGE_VALF : HUGE_VAL;
    *ret_range = errno == ERANGE && (*ret == 0 || *ret >= limit || *ret <= -limit);
    if (copy != small)
        memory_free(copy);
    return is_number;
}

/*
 * Digits, perhaps with a minus and a point, that make an exact double, as the power of ten that the
 * point stands for does: their quotient is rounded once, so that it is strtod's.
 * See: Clinger, How to Read Floating Point Numbers Accurately (1990).
 */
#define EXACT_DIGITS 15
static bool short_decimal_parse(Str text, double *ret)
{
    static const double powers[EXACT_DIGITS + 1] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const bool negative = text.length > 0 && text.data[0] == '-';
    uint32_t digits = 0, behind_point = 0;
    bool has_point = false;
    int64_t number = 0;

    if (text.length > EXACT_DIGITS)
        return false;
    for (size_t i = negative; i < text.length; i++) {
        const uint8_t digit = (uint8_t)(text.data[i] - '0');
        if (text.data[i] == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (digit > 9)
            return false;
        number = number * 10 + digit;
        digits++;
        behind_point += has_point;
    }
    const double value = (double)number / powers[behind_point];
    *ret = negative ? -value : value;
    return digits > 0;
}
static_assert(FLT_EVAL_METHOD == 0, "a quotient of doubles is a double");

static bool float_parse(Str text, const char *type_name, bool is_single, double *ret)
{
    const Str word = str_trim(text);
    bool is_range;

    if (!is_single && short_decimal_parse(text, ret))
        return true;
    if (special_word(word, ret))
        return true;
    if (!number_parse(word, is_single, ret, &is_range) || memchr(word.data, 'n', word.length) ||
        memchr(word.data, 'N', word.length))
        FAIL_SYNTAX(type_name, text);
    if (is_range)
        FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE,
             .message = fmt("\"%.*s\" is out of range for type %s", STR_ARGS(word), type_name));
    return true;
}

bool float8_parse(Str text, const char *type_name, double *ret)
{
    return float_parse(text, type_name, false, ret);
}

/* A whole number "d.ddde+xx" below 2^126; -1: it is another. */
static int128 whole_number(const char *text)
{
    int128 number = 0;
    int digits = -1;
    for (; *text != 'e'; text++) {
        if (!is_digit(*text))
            continue;
        number = number * 10 + (*text - '0');
        digits++;
    }
    int rest = (int)strtol(text + 1, NULL, 10) - digits;
    if (rest < 0 || rest + digits > 37)
        return -1;
    for (; rest > 0; rest--)
        number *= 10;
    return number;
}

/*
 * Half way to a neighbour reads back where ties go to the even one, but not everywhere: such digits
 * are not taken. Only whole numbers above the precision have so few digits and lie there.
 */
static bool is_half_way(const char *text, double value, bool is_single)
{
    const double size = fabs(value);
    const bool may_be = size >= (is_single ? 0x1p24 : 0x1p53) && size < 0x1p126;
    if (!may_be)
        return false;
    const int128 shown = whole_number(*text == '-' ? text + 1 : text), own = (int128)size;
    if (shown < 0 || shown == own)
        return false;
    const double target = shown > own ? INFINITY : 0;
    const double next =
        is_single ? nextafterf((float)size, (float)target) : nextafter(size, target);
    const int128 gap = (int128)next - own, away = shown - own;
    return 2 * away == gap;
}

/* Whether these digits read back as the value. */
static bool reads_back(const char *text, double value, bool is_single)
{
    const bool is_equal =
        is_single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
    return is_equal && !is_half_way(text, value, is_single);
}

/* Moves the last digit of "d.ddde±x" by one; false where that would carry. */
static bool last_digit_move(char *text, int by)
{
    char *e = strchr(text, 'e');
    char *digit = e - 1;
    if ((by > 0 && *digit == '9') || (by < 0 && *digit == '0'))
        return false;
    *digit = (char)(*digit + by);
    return true;
}

/*
 * The shortest digits that read back, as "d.ddde±xx". The nearest decimal of a length reads back
 * if any of that length does, except at powers of two, whose lower neighbour is nearer: there
 * the decimals beside it are tried too.
 */
static void shortest_digits(double value, bool is_single, char *text, size_t size)
{
    int exponent;
    const bool is_power = fabs(frexp(value, &exponent)) == 0.5;
    const int longest = is_single ? 9 : 17;
    int low = 0, high = longest - 1;

    /* Once a length reads back, all longer ones do: search by halves. */
    while (low < high && !is_power) {
        const int middle = (low + high) / 2;
        snprintf(text, size, "%.*e", middle, value);
        if (reads_back(text, value, is_single))
            high = middle;
        else
            low = middle + 1;
    }
    for (int precision = is_power ? 0 : low; precision < longest; precision++) {
        snprintf(text, size, "%.*e", precision, value);
        if (reads_back(text, value, is_single))
            return;
        for (int by = -1; is_power && by <= 1; by += 2) {
            char moved[64];
            snprintf(moved, sizeof(moved), "%s", text);
            if (last_digit_move(moved, by) && reads_back(moved, value, is_single)) {
                memcpy(text, moved, MIN(size, sizeof(moved)));
                return;
            }
        }
    }
}

/* Lays "d.ddde±xx" out plainly where the exponent is small. */
static void layout_digits(const char *text, int plain_limit, StrBuf *out)
{
    char digits[32];
    int count = 0;
    const char *p = text;

    if (*p == '-')
        strbuf_append_char(out, *p++);
    for (; *p != 'e'; p++)
        if (*p != '.')
            digits[count++] = *p;
    assert(count > 0);
    const int exponent = (int)strtol(p + 1, NULL, 10);
    while (count > 1 && digits[count - 1] == '0')
        count--;
    if (exponent < -4 || exponent >= plain_limit) {
        strbuf_append_char(out, digits[0]);
        if (count > 1)
            strbuf_append_char(out, '.');
        strbuf_append_bytes(out, digits + 1, (size_t)count - 1);
        strbuf_format(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
        return;
    }
    if (exponent < 0) {
        strbuf_append_c(out, "0.");
        for (int i = -1; i > exponent; i--)
            strbuf_append_char(out, '0');
        strbuf_append_bytes(out, digits, (size_t)count);
        return;
    }
    for (int i = 0; i < count || i <= exponent; i++) {
        if (i == exponent + 1)
            strbuf_append_char(out, '.');
        strbuf_append_char(out, i < count ? digits[i] : '0');
    }
}

static void float_append(double value, bool is_single, StrBuf *out)
{
    char text[64];
    const int extra = (int)settings()->extra_float_digits;

    if (isnan(value))
        strbuf_append_c(out, "NaN");
    else if (isinf(value))
        strbuf_append_c(out, value > 0 ? "Infinity" : "-Infinity");
    else if (extra <= 0)
        strbuf_format(out, "%.*g", MAX(1, (is_single ? FLT_DIG : DBL_DIG) + extra), value);
    else if (value == 0)
        strbuf_append_c(out, signbit(value) ? "-0" : "0");
    else if (fabs(value) < (is_single ? 1e6 : 1e15) && value == (double)(int64_t)value)
        strbuf_append_int64(out, (int64_t)value);
    else {
        shortest_digits(value, is_single, text, sizeof(text));
        layout_digits(text, is_single ? 6 : 15, out);
    }
}

bool float8_input(const TypeIo *io, Str text, Value *ret)
{
    return float_parse(text, "double precision", false, &ret->float64);
}

bool float4_input(const TypeIo *io, Str text, Value *ret)
{
    double value;
    TRY(float_parse(text, "real", true, &value));
    ret->float32 = (float)value;
    return true;
}

bool float8_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    float_append(value->float64, false, out);
    return true;
}

bool float4_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    float_append((double)value->float32, true, out);
    return true;
}

bool float8_receive(const TypeIo *io, Str bytes, Value *ret)
{
    NEED_BYTES(bytes, 8);
    ret->int64 = (int64_t)get_be64(bytes.data);
    return true;
}

bool float4_receive(const TypeIo *io, Str bytes, Value *ret)
{
    NEED_BYTES(bytes, 4);
    ret->int32 = (int32_t)get_be32(bytes.data);
    return true;
}

bool float8_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    put_be64(out, (uint64_t)value->int64);
    return true;
}

bool float4_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    put_be32(out, (uint32_t)value->int32);
    return true;
}

/* NaN equals NaN and is greater than everything. */
int float8_order(double a, double b)
{
    if (isnan(a))
        return isnan(b) ? 0 : 1;
    if (isnan(b))
        return -1;
    return (a > b) - (a < b);
}

int float8_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    return float8_order(a->float64, b->float64);
}

int float4_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    return float8_order((double)a->float32, (double)b->float32);
}

static uint64_t double_hash(double value)
{
    uint64_t bits;
    if (value == 0)
        value = 0; /* minus zero equals zero */
    if (isnan(value))
        value = NAN;
    memcpy(&bits, &value, 8);
    return hash_mix64(bits + 0xf10a7);
}

uint64_t float8_hash(const BuiltinType *type, const Value *value)
{
    return double_hash(value->float64);
}

uint64_t float4_hash(const BuiltinType *type, const Value *value)
{
    return double_hash((double)value->float32);
}

/* An infinite result of finite inputs is an overflow; a zero of non-zero ones an underflow. */
#define CHECK_RESULT(result, inf_ok, zero_ok)                                                      \
    do {                                                                                           \
        if (isinf(result) && !(inf_ok))                                                            \
            FAIL_OVERFLOW();                                                                       \
        if ((result) == 0 && !(zero_ok))                                                           \
            FAIL_UNDERFLOW();                                                                      \
    } while (0)

#define FLOAT_ARITHMETIC(symbol, member, ctype, left, right)                                       \
    FUNCTION(symbol##pl)                                                                           \
    {                                                                                              \
        const ctype a = (ctype)args[0].left, b = (ctype)args[1].right;                             \
        ret->member = a + b;                                                                       \
        CHECK_RESULT(ret->member, isinf(a) || isinf(b), true);                                     \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##mi)                                                                           \
    {                                                                                              \
        const ctype a = (ctype)args[0].left, b = (ctype)args[1].right;                             \
        ret->member = a - b;                                                                       \
        CHECK_RESULT(ret->member, isinf(a) || isinf(b), true);                                     \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##mul)                                                                          \
    {                                                                                              \
        const ctype a = (ctype)args[0].left, b = (ctype)args[1].right;                             \
        ret->member = a * b;                                                                       \
        CHECK_RESULT(ret->member, isinf(a) || isinf(b), a == 0 || b == 0);                         \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##div)                                                                          \
    {                                                                                              \
        const ctype a = (ctype)args[0].left, b = (ctype)args[1].right;                             \
        if (b == 0 && !isnan(a))                                                                   \
            FAIL_DIVISION();                                                                       \
        ret->member = a / b;                                                                       \
        CHECK_RESULT(ret->member, isinf(a), a == 0 || isinf(b));                                   \
        return true;                                                                               \
    }
FLOAT_ARITHMETIC(float8, float64, double, float64, float64)
FLOAT_ARITHMETIC(float4, float32, float, float32, float32)
FLOAT_ARITHMETIC(float48, float64, double, float32, float64)
FLOAT_ARITHMETIC(float84, float64, double, float64, float32)

#define FLOAT_CROSS(symbol, left, right)                                                           \
    FUNCTION(symbol##eq)                                                                           \
    {                                                                                              \
        ret->boolean = float8_order((double)args[0].left, (double)args[1].right) == 0;             \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##ne)                                                                           \
    {                                                                                              \
        ret->boolean = float8_order((double)args[0].left, (double)args[1].right) != 0;             \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##lt)                                                                           \
    {                                                                                              \
        ret->boolean = float8_order((double)args[0].left, (double)args[1].right) < 0;              \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##le)                                                                           \
    {                                                                                              \
        ret->boolean = float8_order((double)args[0].left, (double)args[1].right) <= 0;             \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##gt)                                                                           \
    {                                                                                              \
        ret->boolean = float8_order((double)args[0].left, (double)args[1].right) > 0;              \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(symbol##ge)                                                                           \
    {                                                                                              \
        ret->boolean = float8_order((double)args[0].left, (double)args[1].right) >= 0;             \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(bt##symbol##cmp)                                                                      \
    {                                                                                              \
        ret->int32 = float8_order((double)args[0].left, (double)args[1].right);                    \
        return true;                                                                               \
    }
FLOAT_CROSS(float48, float32, float64)
FLOAT_CROSS(float84, float64, float32)

#define FLOAT_UNARY(type, member, absolute)                                                        \
    FUNCTION(type##um)                                                                             \
    {                                                                                              \
        ret->member = -args[0].member;                                                             \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(type##up)                                                                             \
    {                                                                                              \
        ret->member = args[0].member;                                                              \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(type##abs)                                                                            \
    {                                                                                              \
        ret->member = absolute(args[0].member);                                                    \
        return true;                                                                               \
    }
FLOAT_UNARY(float8, float64, fabs)
FLOAT_UNARY(float4, float32, fabsf)

/* Casts. */
FUNCTION(ftod)
{
    ret->float64 = (double)args[0].float32;
    return true;
}
FUNCTION(dtof)
{
    ret->float32 = (float)args[0].float64;
    CHECK_RESULT(ret->float32, isinf(args[0].float64), args[0].float64 == 0);
    return true;
}
FUNCTION(i2tod)
{
    ret->float64 = args[0].int16;
    return true;
}
FUNCTION(i4tod)
{
    ret->float64 = args[0].int32;
    return true;
}
FUNCTION(i8tod)
{
    ret->float64 = (double)args[0].int64;
    return true;
}
FUNCTION(i2tof)
{
    ret->float32 = args[0].int16;
    return true;
}
FUNCTION(i4tof)
{
    ret->float32 = (float)args[0].int32;
    return true;
}
FUNCTION(i8tof)
{
    ret->float32 = (float)args[0].int64;
    return true;
}

/* Rounds half to even, as rint does; the limits are exact powers of two. */
#define FLOAT_TO_INTEGER(symbol, from, to, ctype, low, limit, name)                                \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        const double value = rint((double)args[0].from);                                           \
        if (isnan(value) || !(value >= low && value < limit))                                      \
            FAIL_RANGE(name);                                                                      \
        ret->to = (ctype)value;                                                                    \
        return true;                                                                               \
    }
FLOAT_TO_INTEGER(dtoi2, float64, int16, int16_t, -0x1p15, 0x1p15, "smallint")
FLOAT_TO_INTEGER(ftoi2, float32, int16, int16_t, -0x1p15, 0x1p15, "smallint")
FLOAT_TO_INTEGER(dtoi4, float64, int32, int32_t, -0x1p31, 0x1p31, "integer")
FLOAT_TO_INTEGER(ftoi4, float32, int32, int32_t, -0x1p31, 0x1p31, "integer")
FLOAT_TO_INTEGER(dtoi8, float64, int64, int64_t, -0x1p63, 0x1p63, "bigint")
FLOAT_TO_INTEGER(ftoi8, float32, int64, int64_t, -0x1p63, 0x1p63, "bigint")
