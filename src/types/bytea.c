/* bytea and what turns bytes into text: hex, escape, base64, digests. */
#include <openssl/evp.h>

#include "base/pace.h"
#include "types/types_internal.h"

#include "types/encoding.h"
#include "types/encoding_convert.h"

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_decode(Arena *arena, Str text, Value *ret)
{
    char *bytes = arena_alloc(arena, text.length / 2 + 1);
    size_t length = 0, pause = 0;

    for (size_t i = 0; i < text.length;) {
        CHECK_INTERRUPTS_PAST(i, pause);
        if (is_space(text.data[i])) {
            i++;
            continue;
        }
        const int high = hex_digit(text.data[i]);
        if (high < 0)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message =
                     fmt("invalid hexadecimal digit: \"%.*s\"",
                         MIN(utf8_width(text.data[i]), (int)(text.length - i)), text.data + i));
        if (i + 1 >= text.length)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = STR("invalid hexadecimal data: odd number of digits"));
        const int low = hex_digit(text.data[i + 1]);
        if (low < 0)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("invalid hexadecimal digit: \"%.*s\"",
                                MIN(utf8_width(text.data[i + 1]), (int)(text.length - i - 1)),
                                text.data + i + 1));
        bytes[length++] = (char)(high << 4 | low);
        i += 2;
    }
    ret->var = var_make(bytes, length);
    return true;
}

static bool hex_append(Str bytes, StrBuf *out)
{
    char *to = strbuf_reserve(out, bytes.length * 2);
    for (size_t i = 0; i < bytes.length; i++) {
        CHECK_INTERRUPTS_EACH(i);
        to[2 * i] = "0123456789abcdef"[(uint8_t)bytes.data[i] >> 4];
        to[2 * i + 1] = "0123456789abcdef"[bytes.data[i] & 15];
    }
    strbuf_advance(out, bytes.length * 2);
    return true;
}

static bool is_octal(char c, char highest)
{
    return c >= '0' && c <= highest;
}

static bool escape_decode(Arena *arena, Str text, Value *ret)
{
    char *bytes = arena_alloc(arena, text.length + 1);
    size_t length = 0, pause = 0;

    for (size_t i = 0; i < text.length;) {
        const char *p = text.data + i;
        const size_t left = text.length - i;
        CHECK_INTERRUPTS_PAST(i, pause);
        if (*p != '\\') {
            bytes[length++] = *p;
            i++;
        } else if (left >= 4 && is_octal(p[1], '3') && is_octal(p[2], '7') && is_octal(p[3], '7')) {
            bytes[length++] = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
            i += 4;
        } else if (left >= 2 && p[1] == '\\') {
            bytes[length++] = '\\';
            i += 2;
        } else {
            FAIL(ERR_INVALID_TEXT_REPRESENTATION,
                 .message = STR("invalid input syntax for type bytea"));
        }
    }
    ret->var = var_make(bytes, length);
    return true;
}

bool bytea_input(const TypeIo *io, Str text, Value *ret)
{
    if (text.length >= 2 && text.data[0] == '\\' && text.data[1] == 'x')
        return hex_decode(io->arena, str_slice(text, 2, text.length), ret);
    return escape_decode(io->arena, text, ret);
}

bool bytea_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    const Str bytes = var_str(value->var);
    if (settings()->bytea_output == BYTEA_OUTPUT_HEX) {
        strbuf_append_c(out, "\\x");
        return hex_append(bytes, out);
    }
    for (size_t i = 0; i < bytes.length; i++) {
        CHECK_INTERRUPTS_EACH(i);
        const uint8_t c = (uint8_t)bytes.data[i];
        if (c == '\\')
            strbuf_append_c(out, "\\\\");
        else if (c < 0x20 || c > 0x7e)
            strbuf_format(out, "\\%03o", c);
        else
            strbuf_append_char(out, (char)c);
    }
    return true;
}

bool bytea_receive(const TypeIo *io, Str bytes, Value *ret)
{
    return text_input(io, bytes, ret);
}

bool bytea_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return text_output(io, value, out);
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Lines of 76 characters, as MIME has them. */
static bool base64_append(Str bytes, StrBuf *out)
{
    const uint8_t *p = (const uint8_t *)bytes.data;
    size_t line = 0;
    for (size_t i = 0; i < bytes.length; i += 3) {
        const size_t n = MIN((size_t)3, bytes.length - i);
        CHECK_INTERRUPTS_EACH(i);
        const uint32_t v =
            (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (n > 2 ? p[i + 2] : 0);
        if (line == 76) {
            strbuf_append_char(out, '\n');
            line = 0;
        }
        strbuf_append_char(out, base64_digits[v >> 18]);
        strbuf_append_char(out, base64_digits[(v >> 12) & 63]);
        strbuf_append_char(out, n > 1 ? base64_digits[(v >> 6) & 63] : '=');
        strbuf_append_char(out, n > 2 ? base64_digits[v & 63] : '=');
        line += 4;
    }
    return true;
}

static bool base64_decode(Arena *arena, Str text, Value *ret)
{
    char *bytes = arena_alloc(arena, text.length / 4 * 3 + 4);
    size_t length = 0;
    uint32_t group = 0;
    int digits = 0, padding = 0;

    for (size_t i = 0; i < text.length; i++) {
        const char c = text.data[i];
        CHECK_INTERRUPTS_EACH(i);
        if (is_space(c))
            continue;
        const char *found = c ? memchr(base64_digits, c, 64) : NULL;
        if (c == '=') {
            if (digits < 2)
                FAIL(ERR_INVALID_PARAMETER_VALUE,
                     .message = STR("unexpected \"=\" while decoding base64 sequence"));
            padding++;
        } else if (!found || padding) {
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("invalid symbol \"%.*s\" found while decoding base64 sequence",
                                MIN(utf8_width(c), (int)(text.length - i)), text.data + i));
        }
        group = group << 6 | (found ? (uint32_t)(found - base64_digits) : 0);
        if (++digits < 4)
            continue;
        bytes[length++] = (char)(group >> 16);
        if (padding < 2)
            bytes[length++] = (char)(group >> 8);
        if (padding < 1)
            bytes[length++] = (char)group;
        group = 0;
        digits = 0;
    }
    if (digits != 0)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("invalid base64 end sequence"),
             .hint = STR("Input data is missing padding, is truncated, or is otherwise "
                         "corrupted."));
    ret->var = var_make(bytes, length);
    return true;
}

/* The "escape" format writes zero and high bytes as octal and doubles backslashes. */
static bool escape_append(Str bytes, StrBuf *out)
{
    for (size_t i = 0; i < bytes.length; i++) {
        const uint8_t c = (uint8_t)bytes.data[i];
        CHECK_INTERRUPTS_EACH(i);
        if (c == 0 || c >= 0x80)
            strbuf_format(out, "\\%03o", c);
        else if (c == '\\')
            strbuf_append_c(out, "\\\\");
        else
            strbuf_append_char(out, (char)c);
    }
    return true;
}

FUNCTION(binary_encode)
{
    const Str bytes = var_str(args[0].var), format = var_str(args[1].var);
    StrBuf out = strbuf_in(call->arena);

    if (str_equal_nocase(format, STR("hex")))
        TRY(hex_append(bytes, &out));
    else if (str_equal_nocase(format, STR("base64")))
        TRY(base64_append(bytes, &out));
    else if (str_equal_nocase(format, STR("escape")))
        TRY(escape_append(bytes, &out));
    else
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("unrecognized encoding: \"%.*s\"", STR_ARGS(format)));
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(binary_decode)
{
    const Str text = var_str(args[0].var), format = var_str(args[1].var);

    if (str_equal_nocase(format, STR("hex")))
        return hex_decode(call->arena, text, ret);
    if (str_equal_nocase(format, STR("base64")))
        return base64_decode(call->arena, text, ret);
    if (str_equal_nocase(format, STR("escape")))
        return escape_decode(call->arena, text, ret);
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message = fmt("unrecognized encoding: \"%.*s\"", STR_ARGS(format)));
}

static bool digest_pieces(EVP_MD_CTX *context, Str bytes)
{
    for (size_t at = 0; at < bytes.length; at += PACE_BYTES) {
        CHECK_INTERRUPTS();
        if (!EVP_DigestUpdate(context, bytes.data + at, MIN(PACE_BYTES, bytes.length - at)))
            FAIL(ERR_INTERNAL_ERROR, .message = STR("could not compute a hash"));
    }
    return true;
}

/* Of what is long enough to take its time. */
static bool digest_long(const EVP_MD *method, Str bytes, unsigned char *ret_digest,
                        unsigned *ret_length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool begun = context && EVP_DigestInit_ex(context, method, NULL);
    const bool fed = begun && digest_pieces(context, bytes);
    const bool done = fed && EVP_DigestFinal_ex(context, ret_digest, ret_length);

    EVP_MD_CTX_free(context);
    if (!done && (!begun || fed))
        FAIL(ERR_INTERNAL_ERROR, .message = STR("could not compute a hash"));
    return done;
}

static bool digest(FunctionCall *call, const char *name, const Value *value, bool as_text,
                   Value *ret)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    const EVP_MD *method = EVP_get_digestbyname(name);

    if (method && value->var.length > PACE_BYTES)
        TRY(digest_long(method, var_str(value->var), bytes, &length));
    else if (!method ||
             !EVP_Digest(value->var.data, value->var.length, bytes, &length, method, NULL))
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("could not compute %s hash: unsupported", name));
    const Str raw = str_make(bytes, length);
    StrBuf out = strbuf_in(call->arena);
    if (as_text)
        TRY(hex_append(raw, &out));
    else
        strbuf_append(&out, raw);
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(md5_text)
{
    return digest(call, "MD5", &args[0], true, ret);
}
FUNCTION(md5_bytea)
{
    return digest(call, "MD5", &args[0], true, ret);
}
FUNCTION(sha224_bytea)
{
    return digest(call, "SHA224", &args[0], false, ret);
}
FUNCTION(sha256_bytea)
{
    return digest(call, "SHA256", &args[0], false, ret);
}
FUNCTION(sha384_bytea)
{
    return digest(call, "SHA384", &args[0], false, ret);
}
FUNCTION(sha512_bytea)
{
    return digest(call, "SHA512", &args[0], false, ret);
}

FUNCTION(byteaoctetlen)
{
    ret->int32 = (int32_t)args[0].var.length;
    return true;
}

/* bit_length */
FUNCTION(sql_1810)
{
    ret->int32 = (int32_t)(args[0].var.length * 8);
    return true;
}

FUNCTION(byteacat)
{
    return value_concat(call->arena, var_str(args[0].var), var_str(args[1].var), ret);
}

/* From `start` (1-based) for `count` bytes, of which those before 1 are not there. */
static bool bytes_slice(Str bytes, int64_t start, int64_t count, bool has_count, Value *ret)
{
    if (has_count && count < 0)
        FAIL(ERR_SUBSTRING_ERROR, .message = STR("negative substring length not allowed"));
    const int64_t length = (int64_t)bytes.length;
    const int64_t from = MIN(MAX(start, 1), length + 1);
    const int64_t end = has_count ? MIN(MAX(start + count, from), length + 1) : length + 1;
    *ret = value_text(str_slice(bytes, (size_t)from - 1, (size_t)(end - from)));
    return true;
}

FUNCTION(bytea_substr)
{
    return bytes_slice(var_str(args[0].var), args[1].int32, args[2].int32, true, ret);
}

FUNCTION(bytea_substr_no_len)
{
    return bytes_slice(var_str(args[0].var), args[1].int32, 0, false, ret);
}

FUNCTION(byteapos)
{
    size_t at;
    TRY(text_find(var_str(args[0].var), var_str(args[1].var), 0, &at));
    ret->int32 = at == SIZE_MAX ? 0 : (int32_t)at + 1;
    return true;
}

static bool check_index(int64_t index, int64_t count)
{
    if (index < 0 || index >= count)
        FAIL(ERR_ARRAY_SUBSCRIPT_ERROR, .message = fmt("index %lld out of valid range, 0..%lld",
                                                       (long long)index, (long long)count - 1));
    return true;
}

FUNCTION(byteaGetByte)
{
    TRY(check_index(args[1].int32, args[0].var.length));
    ret->int32 = (uint8_t)args[0].var.data[args[1].int32];
    return true;
}

FUNCTION(byteaSetByte)
{
    TRY(check_index(args[1].int32, args[0].var.length));
    char *copy = pace_arena_copy(call->arena, args[0].var.data, args[0].var.length);
    TRY(copy);
    copy[args[1].int32] = (char)args[2].int32;
    ret->var = var_make(copy, args[0].var.length);
    return true;
}

FUNCTION(byteaGetBit)
{
    TRY(check_index(args[1].int64, (int64_t)args[0].var.length * 8));
    ret->int32 = ((uint8_t)args[0].var.data[args[1].int64 / 8] >> (args[1].int64 % 8)) & 1;
    return true;
}

FUNCTION(bytea_bit_count)
{
    ret->int64 = 0;
    for (size_t i = 0; i < args[0].var.length; i++) {
        CHECK_INTERRUPTS_EACH(i);
        ret->int64 += __builtin_popcount((uint8_t)args[0].var.data[i]);
    }
    return true;
}

FUNCTION(byteaSetBit)
{
    const int64_t n = args[1].int64;
    TRY(check_index(n, (int64_t)args[0].var.length * 8));
    if (args[2].int32 != 0 && args[2].int32 != 1)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("new bit must be 0 or 1"));
    char *copy = pace_arena_copy(call->arena, args[0].var.data, args[0].var.length);
    TRY(copy);
    const char mask = (char)(1 << (n % 8));
    copy[n / 8] = (char)(args[2].int32 ? copy[n / 8] | mask : copy[n / 8] & ~mask);
    ret->var = var_make(copy, args[0].var.length);
    return true;
}

/* overlay(bytes placing … from start for count) */
static bool bytes_overlay(FunctionCall *call, const Value *args, int64_t count, Value *ret)
{
    const Str bytes = var_str(args[0].var), with = var_str(args[1].var);
    const int64_t start = args[2].int32, after = start + count;
    StrBuf out = strbuf_in(call->arena);
    Value before, rest;
    if (start <= 0)
        FAIL(ERR_SUBSTRING_ERROR, .message = STR("negative substring length not allowed"));
    if (after > INT32_MAX)
        FAIL_RANGE("integer");
    TRY(bytes_slice(bytes, 1, start - 1, true, &before));
    TRY(bytes_slice(bytes, after, 0, false, &rest));
    TRY(pace_append(&out, var_str(before.var)));
    TRY(pace_append(&out, with));
    TRY(pace_append(&out, var_str(rest.var)));
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(byteaoverlay)
{
    return bytes_overlay(call, args, args[3].int32, ret);
}
FUNCTION(byteaoverlay_no_len)
{
    return bytes_overlay(call, args, (int64_t)args[1].var.length, ret);
}

/* `what`: which of the two encodings of a conversion it is. */
static bool encoding_get(Str name, const char *what, int *ret_encoding)
{
    *ret_encoding = encoding_find(name);
    if (*ret_encoding < 0)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("invalid %sencoding name \"%.*s\"", what, STR_ARGS(name)));
    return true;
}

static bool give_converted(FunctionCall *call, int from, int to, Value text, Value *ret)
{
    StrBuf out = strbuf_in(call->arena);

    if (from == to && to == ENCODING_UTF8 && encoding_passes(var_str(text.var))) {
        *ret = text;
        return true;
    }
    TRY(encoding_convert(from, to, var_str(text.var), &out));
    ret->var = var_from_str(strbuf_view(&out));
    return true;
}

FUNCTION(pg_convert_to)
{
    int to;

    TRY(encoding_get(var_str(args[1].var), "destination ", &to));
    return give_converted(call, ENCODING_UTF8, to, args[0], ret);
}

FUNCTION(pg_convert_from)
{
    int from;

    TRY(encoding_get(var_str(args[1].var), "source ", &from));
    TRY(give_converted(call, from, ENCODING_UTF8, args[0], ret));
    return from != ENCODING_SQL_ASCII || utf8_check(var_str(ret->var));
}

FUNCTION(pg_convert)
{
    int from, to;

    TRY(encoding_get(var_str(args[1].var), "source ", &from));
    TRY(encoding_get(var_str(args[2].var), "destination ", &to));
    return give_converted(call, from, to, args[0], ret);
}

FUNCTION(length_in_encoding)
{
    int encoding;

    TRY(encoding_get(var_str(args[1].var), "", &encoding));
    return encoding_count(encoding, var_str(args[0].var), &ret->int32);
}
