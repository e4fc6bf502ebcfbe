/* Functions that belong to no type: of arguments as such, sizes, encodings, Unicode escapes. */
#include <stdio.h>
#include <time.h>

#include "types/array.h"
#include "types/datetime.h"
#include "types/numeric.h"
#include "types/types_internal.h"

/* num_nulls, num_nonnulls: of the arguments, or of the elements of the VARIADIC array. */
static bool nulls_count(FunctionCall *call, const Value *args, const bool *nulls, bool wanted,
                        Value *ret, bool *ret_null)
{
    ArrayView view;
    ret->int32 = 0;
    if (!call->is_variadic) {
        for (int i = 0; i < call->arg_count; i++)
            ret->int32 += nulls[i] == wanted;
        return true;
    }
    *ret_null = nulls[0];
    if (nulls[0])
        return true;
    TRY(array_open(&args[0], &view));
    for (int i = 0; i < view.count; i++) {
        Value element;
        bool is_null;
        array_element(&view, i, &element, &is_null);
        ret->int32 += is_null == wanted;
    }
    return true;
}

FUNCTION(pg_num_nulls)
{
    return nulls_count(call, args, nulls, true, ret, ret_null);
}
FUNCTION(pg_num_nonnulls)
{
    return nulls_count(call, args, nulls, false, ret, ret_null);
}

FUNCTION(xid8_larger)
{
    *ret = (uint64_t)args[0].int64 > (uint64_t)args[1].int64 ? args[0] : args[1];
    return true;
}
FUNCTION(xid8_smaller)
{
    *ret = (uint64_t)args[0].int64 < (uint64_t)args[1].int64 ? args[0] : args[1];
    return true;
}

/* Equal keys have equal bytes in every type here. */
FUNCTION(btequalimage)
{
    ret->boolean = true;
    return true;
}
FUNCTION(btvarstrequalimage)
{
    ret->boolean = true;
    return true;
}

FUNCTION(btbpchar_pattern_cmp)
{
    const int order = str_compare(bpchar_trimmed(&args[0]), bpchar_trimmed(&args[1]));
    ret->int32 = (order > 0) - (order < 0);
    return true;
}

/* name || '_' || oid, cut to what a name holds. */
FUNCTION(nameconcatoid)
{
    char suffix[16];
    const Str name = var_str(args[0].var);
    const size_t room = 63 - (size_t)snprintf(suffix, sizeof(suffix), "_%u", args[1].oid);
    size_t length = MIN(name.length, room);
    while (length < name.length && length > 0 && ((uint8_t)name.data[length] & 0xc0) == 0x80)
        length--;
    *ret = value_text(str_concat(call->arena, str_slice(name, 0, length), str_from_c(suffix)));
    return true;
}

FUNCTION(oidvectortypes)
{
    ArrayView view;
    StrBuf out = strbuf_in(call->arena);
    TRY(array_open(&args[0], &view));
    for (int i = 0; i < view.count; i++) {
        Value oid;
        bool is_null;
        array_element(&view, i, &oid, &is_null);
        if (i > 0)
            strbuf_append_c(&out, ", ");
        if (!type_format(oid.oid, TYPMOD_UNASKED, &out))
            TRY(type_output(TYPE_REGTYPE, &oid, &out));
    }
    *ret = value_from_buf(&out);
    return true;
}

/* Only single-byte encodings can be stripped of accents. */
static bool to_ascii_refused(const char *encoding)
{
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message = fmt("encoding conversion from %s to ASCII not supported", encoding));
}
FUNCTION(to_ascii_default)
{
    return to_ascii_refused("UTF8");
}

/* timeofday(): the wall clock in words, in the session's zone. */
FUNCTION(timeofday)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    Str zone;
    const int64_t now = timestamp_now();
    const int32_t offset = timezone_offset_at(timezone_session(), now, &zone, NULL);
    const int64_t micro = now + DAYS_1970_TO_2000 * USECS_PER_DAY;
    const time_t local = (time_t)(micro / USECS_PER_SEC + offset);
    struct tm tm;
    gmtime_r(&local, &tm);
    *ret = value_text(str_format(call->arena, "%s %s %02d %02d:%02d:%02d.%06d %04d %.*s",
                                 days[tm.tm_wday], months[tm.tm_mon], tm.tm_mday, tm.tm_hour,
                                 tm.tm_min, tm.tm_sec, (int)(micro % USECS_PER_SEC),
                                 tm.tm_year + 1900, STR_ARGS(zone)));
    return true;
}

/* unistr: \XXXX, \+XXXXXX, \uXXXX, \UXXXXXXXX and \\. */
static bool hex_read(Str s, size_t at, int digits, uint32_t *ret)
{
    *ret = 0;
    if (at + (size_t)digits > s.length)
        return false;
    for (int i = 0; i < digits; i++) {
        const char c = ascii_lower(s.data[at + (size_t)i]);
        if (!is_digit(c) && !(c >= 'a' && c <= 'f'))
            return false;
        *ret = *ret * 16 + (uint32_t)(is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return true;
}

/* The escape at `at`: its code, and how many bytes it takes (0: none). */
static size_t escape_read(Str s, size_t at, uint32_t *ret)
{
    if (hex_read(s, at + 1, 4, ret))
        return 5;
    if (at + 1 >= s.length)
        return 0;
    const char kind = s.data[at + 1];
    if (kind == '+' && hex_read(s, at + 2, 6, ret))
        return 8;
    if (kind == 'u' && hex_read(s, at + 2, 4, ret))
        return 6;
    if (kind == 'U' && hex_read(s, at + 2, 8, ret))
        return 10;
    return 0;
}

#define FAIL_SURROGATES() FAIL(ERR_SYNTAX_ERROR, .message = STR("invalid Unicode surrogate pair"))

static bool escape_append(uint32_t code, uint32_t *first, StrBuf *out)
{
    if (code == 0 || code > 0x10ffff)
        FAIL(ERR_SYNTAX_ERROR, .message = fmt("invalid Unicode code point: %04X", code));
    const bool is_first = code >= 0xd800 && code < 0xdc00;
    const bool is_second = code >= 0xdc00 && code < 0xe000;
    if ((*first != 0) != is_second)
        FAIL_SURROGATES();
    if (is_first) {
        *first = code;
        return true;
    }
    if (is_second)
        code = 0x10000 + ((*first & 0x3ff) << 10) + (code & 0x3ff);
    *first = 0;
    char *to = strbuf_reserve(out, 4);
    strbuf_advance(out, (size_t)utf8_encode(code, to));
    return true;
}

FUNCTION(unistr)
{
    const Str s = var_str(args[0].var);
    StrBuf out = strbuf_in(call->arena);
    uint32_t first = 0, code;
    for (size_t at = 0; at < s.length;) {
        if (s.data[at] != '\\' || (at + 1 < s.length && s.data[at + 1] == '\\')) {
            if (first)
                FAIL_SURROGATES();
            at += s.data[at] == '\\';
            strbuf_append_char(&out, s.data[at++]);
            continue;
        }
        const size_t length = escape_read(s, at, &code);
        if (length == 0)
            FAIL(ERR_SYNTAX_ERROR, .message = STR("invalid Unicode escape"),
                 .hint = STR("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or "
                             "\\UXXXXXXXX."));
        TRY(escape_append(code, &first, &out));
        at += length;
    }
    if (first)
        FAIL_SURROGATES();
    *ret = value_from_buf(&out);
    return true;
}
