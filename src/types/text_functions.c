/* Functions of text: lengths, parts, trimming, padding, quoting. Positions count characters. */
#include "base/pace.h"
#include "types/array.h"
#include "types/encoding.h"
#include "types/types_internal.h"

#define ARG(i) var_str(args[i].var)

static bool give(Value *ret, Str s)
{
    *ret = value_text(s);
    return true;
}

FUNCTION(textlen)
{
    ret->int32 = (int32_t)utf8_count(ARG(0));
    return true;
}
FUNCTION(bpcharlen)
{
    ret->int32 = (int32_t)utf8_count(bpchar_trimmed(&args[0]));
    return true;
}
FUNCTION(textoctetlen)
{
    ret->int32 = (int32_t)args[0].var.length;
    return true;
}
FUNCTION(bpcharoctetlen)
{
    ret->int32 = (int32_t)args[0].var.length;
    return true;
}
/* bit_length(text) */
FUNCTION(sql_1811)
{
    ret->int32 = (int32_t)args[0].var.length * 8;
    return true;
}
FUNCTION(textcat)
{
    return value_concat(call->arena, ARG(0), ARG(1), ret);
}
FUNCTION(lower)
{
    Str mapped;
    TRY(utf8_lower(call->arena, ARG(0), &mapped));
    return give(ret, mapped);
}
FUNCTION(upper)
{
    Str mapped;
    TRY(utf8_upper(call->arena, ARG(0), &mapped));
    return give(ret, mapped);
}

/* Text of any value as a cast gives it: what || does to the other side. */
static bool text_of(FunctionCall *call, int index, const Value *value, Str *ret)
{
    StrBuf out = strbuf_in(call->arena);
    if (call->arg_types[index] == TYPE_BOOL) {
        *ret = value->boolean ? STR("true") : STR("false");
        return true;
    }
    if (call->arg_types[index] == TYPE_BPCHAR) {
        *ret = bpchar_trimmed(value);
        return true;
    }
    TRY(type_output(call->arg_types[index], value, &out));
    *ret = strbuf_view(&out);
    return true;
}

/* textanycat, anytextcat */
FUNCTION(sql_2003)
{
    Str right;
    TRY(text_of(call, 1, &args[1], &right));
    return value_concat(call->arena, ARG(0), right, ret);
}

FUNCTION(sql_2004)
{
    Str left;
    TRY(text_of(call, 0, &args[0], &left));
    return value_concat(call->arena, left, ARG(1), ret);
}

/* The context tells whether a word goes on. */
static uint32_t map_initial(uint32_t code, void *context)
{
    bool *inside = context;
    const uint32_t mapped = *inside ? unicode_lower(code) : unicode_upper(code);
    *inside = unicode_is_alnum(code);
    return mapped;
}

FUNCTION(initcap)
{
    Str mapped;
    bool inside = false;
    TRY(utf8_map(call->arena, ARG(0), map_initial, &inside, &mapped));
    return give(ret, mapped);
}

/* Characters from `start` (1-based), `count` of them where has_count. */
static bool substring(Str s, int64_t start, int64_t count, bool has_count, Value *ret)
{
    if (has_count && count < 0)
        FAIL(ERR_SUBSTRING_ERROR, .message = STR("negative substring length not allowed"));
    const int64_t from = MAX(start, 1);
    const size_t begin = utf8_offset(s, (size_t)(from - 1));
    const Str rest = str_slice(s, begin, s.length);
    if (!has_count)
        return give(ret, rest);
    const int64_t end = start + count;
    return give(ret, end <= from ? str_slice(rest, 0, 0)
                                 : str_slice(rest, 0, utf8_offset(rest, (size_t)(end - from))));
}

FUNCTION(text_substr)
{
    return substring(ARG(0), args[1].int32, args[2].int32, true, ret);
}
FUNCTION(text_substr_no_len)
{
    return substring(ARG(0), args[1].int32, 0, false, ret);
}

/* From piece to piece, each with what may begin in it. */
bool text_find(Str s, Str part, size_t from, size_t *ret)
{
    const size_t step = MAX(PACE_BYTES, part.length);

    for (;;) {
        CHECK_INTERRUPTS();
        const size_t end =
            s.length - from > step + part.length ? from + step + part.length : s.length;
        *ret = str_find(str_slice(s, 0, end), part, from);
        if (*ret != SIZE_MAX || end == s.length)
            return true;
        from += step;
    }
}

FUNCTION(textpos)
{
    size_t at;
    TRY(text_find(ARG(0), ARG(1), 0, &at));
    ret->int32 = at == SIZE_MAX ? 0 : (int32_t)utf8_count(str_slice(ARG(0), 0, at)) + 1;
    return true;
}

FUNCTION(text_left)
{
    const Str s = ARG(0);
    const int64_t n = args[1].int32;
    const int64_t count = n >= 0 ? n : MAX(0, (int64_t)utf8_count(s) + n);
    return give(ret, str_slice(s, 0, utf8_offset(s, (size_t)count)));
}

FUNCTION(text_right)
{
    const Str s = ARG(0);
    const int64_t n = args[1].int32, length = (int64_t)utf8_count(s);
    const int64_t skip = n >= 0 ? MAX(0, length - n) : MIN(length, -n);
    return give(ret, str_slice(s, utf8_offset(s, (size_t)skip), s.length));
}

static bool set_has(Str set, Str character)
{
    for (size_t at = 0; at < set.length;) {
        const size_t width = (size_t)utf8_width(set.data[at]);
        if (width == character.length && memcmp(set.data + at, character.data, width) == 0)
            return true;
        at += width;
    }
    return false;
}

static bool trim(Str s, Str set, bool left, bool right, Value *ret)
{
    size_t step = 0;
    while (left && s.length > 0) {
        CHECK_INTERRUPTS_EACH(step++);
        const size_t width = (size_t)utf8_width(s.data[0]);
        if (!set_has(set, str_slice(s, 0, width)))
            break;
        s = str_slice(s, width, s.length);
    }
    while (right && s.length > 0) {
        CHECK_INTERRUPTS_EACH(step++);
        size_t start = s.length - 1;
        while (start > 0 && ((uint8_t)s.data[start] & 0xc0) == 0x80)
            start--;
        if (!set_has(set, str_slice(s, start, s.length)))
            break;
        s = str_slice(s, 0, start);
    }
    return give(ret, s);
}

FUNCTION(btrim)
{
    return trim(ARG(0), ARG(1), true, true, ret);
}
FUNCTION(btrim1)
{
    return trim(ARG(0), STR(" "), true, true, ret);
}
FUNCTION(ltrim)
{
    return trim(ARG(0), ARG(1), true, false, ret);
}
FUNCTION(ltrim1)
{
    return trim(ARG(0), STR(" "), true, false, ret);
}
FUNCTION(rtrim)
{
    return trim(ARG(0), ARG(1), false, true, ret);
}
FUNCTION(rtrim1)
{
    return trim(ARG(0), STR(" "), false, true, ret);
}

static bool byte_trim(FunctionCall *call, const Value *args, bool left, bool right, Value *ret)
{
    Str s = ARG(0);
    const Str set = ARG(1);
    while (left && s.length && set.length && memchr(set.data, s.data[0], set.length)) {
        CHECK_INTERRUPTS_EACH(s.length);
        s = str_slice(s, 1, s.length);
    }
    while (right && s.length && set.length && memchr(set.data, s.data[s.length - 1], set.length)) {
        CHECK_INTERRUPTS_EACH(s.length);
        s.length--;
    }
    return give(ret, s);
}

FUNCTION(byteatrim)
{
    return byte_trim(call, args, true, true, ret);
}
FUNCTION(bytealtrim)
{
    return byte_trim(call, args, true, false, ret);
}
FUNCTION(byteartrim)
{
    return byte_trim(call, args, false, true, ret);
}

static bool too_large(void)
{
    FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = STR("requested length too large"));
}

static bool pad(FunctionCall *call, Str s, int32_t wanted, Str fill, bool left, Value *ret)
{
    const size_t want = (size_t)MAX(wanted, 0), length = utf8_count(s);
    if (want > VALUE_SIZE_MAX / 4)
        return too_large();
    if (want <= length || fill.length == 0)
        return give(ret, str_slice(s, 0, utf8_offset(s, MIN(want, length))));
    StrBuf out = strbuf_in(call->arena);
    if (!left)
        TRY(pace_append(&out, s));
    size_t missing = want - length, at = 0;
    while (missing-- > 0) {
        CHECK_INTERRUPTS_EACH(missing);
        const size_t width = (size_t)utf8_width(fill.data[at]);
        strbuf_append_bytes(&out, fill.data + at, width);
        at = at + width >= fill.length ? 0 : at + width;
    }
    if (left)
        TRY(pace_append(&out, s));
    return give(ret, strbuf_view(&out));
}

FUNCTION(lpad)
{
    return pad(call, ARG(0), args[1].int32, ARG(2), true, ret);
}
FUNCTION(rpad)
{
    return pad(call, ARG(0), args[1].int32, ARG(2), false, ret);
}
FUNCTION(sql_879)
{
    return pad(call, ARG(0), args[1].int32, STR(" "), true, ret);
}
FUNCTION(sql_880)
{
    return pad(call, ARG(0), args[1].int32, STR(" "), false, ret);
}

FUNCTION(replace_text)
{
    const Str s = ARG(0), from = ARG(1), to = ARG(2);
    size_t at = SIZE_MAX, done = 0;
    TRY(from.length == 0 || text_find(s, from, 0, &at));
    if (at == SIZE_MAX)
        return give(ret, s);
    StrBuf out = strbuf_in(call->arena);
    while (at != SIZE_MAX) {
        TRY(pace_append(&out, str_slice(s, done, at - done)));
        TRY(pace_append(&out, to));
        if (out.length > VALUE_SIZE_MAX)
            return too_large();
        done = at + from.length;
        TRY(text_find(s, from, done, &at));
    }
    TRY(pace_append(&out, str_slice(s, done, s.length)));
    return give(ret, strbuf_view(&out));
}

FUNCTION(translate)
{
    const Str s = ARG(0), from = ARG(1), to = ARG(2);
    StrBuf out = strbuf_in(call->arena);
    size_t step = 0, pause = 0; /* each character goes through `from` */
    for (size_t at = 0; at < s.length;) {
        step += from.length + 1;
        CHECK_INTERRUPTS_PAST(step, pause);
        const size_t width = (size_t)utf8_width(s.data[at]);
        size_t index = 0, seek = 0;
        bool found = false;
        for (; seek < from.length && !found; index++) {
            const size_t w = (size_t)utf8_width(from.data[seek]);
            found = w == width && memcmp(from.data + seek, s.data + at, w) == 0;
            seek += w;
        }
        if (!found) {
            strbuf_append_bytes(&out, s.data + at, width);
        } else {
            const size_t place = utf8_offset(to, index - 1);
            if (place < to.length)
                strbuf_append_bytes(&out, to.data + place, (size_t)utf8_width(to.data[place]));
        }
        at += width;
    }
    return give(ret, strbuf_view(&out));
}

FUNCTION(repeat)
{
    const Str s = ARG(0);
    const size_t count = (size_t)MAX(args[1].int32, 0);
    /* PostgreSQL counts the four bytes of its header. */
    if (s.length && count > (VALUE_SIZE_MAX - 4) / s.length)
        return too_large();
    const size_t size = s.length * count;
    char *to = arena_try_alloc(call->arena, size + 1);
    TRY(to);
    if (size)
        TRY(pace_copy(to, s.data, s.length));
    /* What is there is copied behind itself: the pieces double. */
    for (size_t done = s.length; done < size; done *= 2)
        TRY(pace_copy(to + done, to, MIN(done, size - done)));
    ret->var = var_make(to, size);
    return true;
}

FUNCTION(text_reverse)
{
    const Str s = ARG(0);
    char *to = arena_alloc(call->arena, s.length + 1);
    size_t end = s.length, pause = 0;
    for (size_t at = 0; at < s.length;) {
        CHECK_INTERRUPTS_PAST(at, pause);
        const size_t width = (size_t)utf8_width(s.data[at]);
        end -= width;
        memcpy(to + end, s.data + at, width);
        at += width;
    }
    ret->var = var_make(to, s.length);
    return true;
}

FUNCTION(split_part)
{
    const Str s = ARG(0), separator = ARG(1);
    int64_t n = args[2].int32;
    if (n == 0)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("field position must not be zero"));
    if (s.length == 0 || separator.length == 0)
        return give(ret, separator.length == 0 && (n == 1 || n == -1) ? s : STR(""));
    if (n < 0) {
        int64_t count = 1;
        for (size_t at = 0;; at += separator.length, count++) {
            TRY(text_find(s, separator, at, &at));
            if (at == SIZE_MAX)
                break;
        }
        n += count + 1;
        if (n < 1)
            return give(ret, STR(""));
    }
    size_t start = 0;
    for (;; n--) {
        size_t end;
        TRY(text_find(s, separator, start, &end));
        if (n == 1)
            return give(ret, str_slice(s, start, (end == SIZE_MAX ? s.length : end) - start));
        if (end == SIZE_MAX)
            return give(ret, STR(""));
        start = end + separator.length;
    }
}

static bool overlay(FunctionCall *call, Str s, Str with, int32_t start, int32_t count, Value *ret)
{
    Value head, tail;
    int32_t end;
    if (start <= 0)
        FAIL(ERR_SUBSTRING_ERROR, .message = STR("negative substring length not allowed"));
    if (__builtin_add_overflow(start, count, &end))
        FAIL_RANGE("integer");
    StrBuf out = strbuf_in(call->arena);
    TRY(substring(s, 1, start - 1, true, &head));
    TRY(substring(s, end, 0, false, &tail));
    TRY(pace_append(&out, var_str(head.var)));
    TRY(pace_append(&out, with));
    TRY(pace_append(&out, var_str(tail.var)));
    return give(ret, strbuf_view(&out));
}

FUNCTION(textoverlay)
{
    return overlay(call, ARG(0), ARG(1), args[2].int32, args[3].int32, ret);
}

FUNCTION(textoverlay_no_len)
{
    return overlay(call, ARG(0), ARG(1), args[2].int32, (int32_t)utf8_count(ARG(1)), ret);
}

FUNCTION(ascii)
{
    int width;
    ret->int32 = args[0].var.length ? (int32_t)utf8_decode(args[0].var.data, &width) : 0;
    return true;
}

FUNCTION(chr)
{
    const int32_t code = args[0].int32;
    if (code == 0)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = STR("null character not permitted"));
    if (code < 0)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("character number must be positive"));
    if (code > 0x10ffff)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("requested character too large for encoding: %d", code));
    if (code >= 0xd800 && code <= 0xdfff)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("requested character not valid for encoding: %d", code));
    char *to = arena_alloc(call->arena, 4);
    ret->var = var_make(to, (size_t)utf8_encode((uint32_t)code, to));
    return true;
}

FUNCTION(text_starts_with)
{
    const Str head = str_slice(ARG(0), 0, ARG(1).length);
    ret->boolean = head.length == ARG(1).length && pace_compare(head, ARG(1)) == 0;
    return true;
}

/* Quoting. */

static bool literal_quote(Arena *arena, Str s, Value *ret)
{
    StrBuf out = strbuf_in(arena);
    size_t escape;
    TRY(text_find(s, STR("\\"), 0, &escape));
    if (escape != SIZE_MAX)
        strbuf_append_char(&out, 'E');
    strbuf_append_char(&out, '\'');
    for (size_t i = 0; i < s.length; i++) {
        CHECK_INTERRUPTS_EACH(i);
        if (s.data[i] == '\'' || s.data[i] == '\\')
            strbuf_append_char(&out, s.data[i]);
        strbuf_append_char(&out, s.data[i]);
    }
    strbuf_append_char(&out, '\'');
    return give(ret, strbuf_view(&out));
}

FUNCTION(quote_literal)
{
    return literal_quote(call->arena, ARG(0), ret);
}

FUNCTION(quote_nullable)
{
    return nulls[0] ? give(ret, STR("NULL")) : literal_quote(call->arena, ARG(0), ret);
}

/* quote_literal(anyelement), quote_nullable(anyelement) */
FUNCTION(sql_1285)
{
    Str text;
    TRY(text_of(call, 0, &args[0], &text));
    return literal_quote(call->arena, text, ret);
}

FUNCTION(sql_1290)
{
    Str text;
    if (nulls[0])
        return give(ret, STR("NULL"));
    TRY(text_of(call, 0, &args[0], &text));
    return literal_quote(call->arena, text, ret);
}

/* concat, concat_ws: arguments of any types, or one array after VARIADIC. */
static bool concat_append(FunctionCall *call, Oid type, const Value *value, Str separator,
                          bool *first, StrBuf *out)
{
    if (!*first)
        TRY(pace_append(out, separator));
    *first = false;
    if (out->length > VALUE_SIZE_MAX)
        return too_large();
    CHECK_INTERRUPTS();
    return type_output(type, value, out);
}

static bool concat_all(FunctionCall *call, const Value *args, const bool *nulls, int from,
                       Str separator, Value *ret, bool *ret_null)
{
    StrBuf out = strbuf_in(call->arena);
    bool first = true;
    if (call->is_variadic && from == call->arg_count - 1) {
        ArrayView view;
        *ret_null = nulls[from];
        if (nulls[from])
            return true;
        TRY(array_open(&args[from], &view));
        for (int i = 0; i < view.count; i++) {
            Value value;
            bool is_null;
            array_element(&view, i, &value, &is_null);
            if (!is_null)
                TRY(concat_append(call, view.element_type, &value, separator, &first, &out));
        }
        return give(ret, strbuf_view(&out));
    }
    for (int i = from; i < call->arg_count; i++)
        if (!nulls[i])
            TRY(concat_append(call, call->arg_types[i], &args[i], separator, &first, &out));
    return give(ret, strbuf_view(&out));
}

FUNCTION(text_concat)
{
    return concat_all(call, args, nulls, 0, STR(""), ret, ret_null);
}

FUNCTION(text_concat_ws)
{
    *ret_null = nulls[0];
    return nulls[0] ? true : concat_all(call, args, nulls, 1, ARG(0), ret, ret_null);
}

/* LIKE: % and _ with an escape character; patterns are matched in one pass with backtracking to
 * the last %. */
typedef enum LikeCase { LIKE_EXACT = 0, LIKE_FOLDED, LIKE_BYTES } LikeCase;

static uint32_t next_character(Str s, size_t at, LikeCase fold, size_t *ret_width)
{
    int width;
    uint32_t code = (uint8_t)s.data[at];
    if (code < 0x80 || fold == LIKE_BYTES) {
        *ret_width = 1;
    } else {
        code = utf8_decode(s.data + at, &width);
        *ret_width = MIN((size_t)width, s.length - at);
    }
    return fold == LIKE_FOLDED ? unicode_lower(code) : code;
}

/* A pattern of texts between percent signs only: bytes match where characters do. */
static bool like_match_plain(Str s, Str pattern, bool *ret_match)
{
    const char *end = pattern.data + pattern.length, *p = memchr(pattern.data, '%', pattern.length);
    *ret_match = p ? true : str_equal(s, pattern);
    if (!p)
        return true;
    size_t at = (size_t)(p - pattern.data);
    *ret_match = s.length >= at && memcmp(s.data, pattern.data, at) == 0;
    while (*ret_match) {
        while (p < end && *p == '%')
            p++;
        const size_t rest = (size_t)(end - p);
        if (rest == 0)
            return true;
        const char *next = memchr(p, '%', rest);
        if (!next) {
            *ret_match = s.length - at >= rest && memcmp(s.data + s.length - rest, p, rest) == 0;
            return true;
        }
        const Str part = {p, (size_t)(next - p)};
        TRY(text_find(s, part, at, &at));
        *ret_match = at != SIZE_MAX;
        at += part.length;
        p = next;
    }
    return true;
}

static bool like_match(Str s, Str pattern, LikeCase fold, bool *ret_match)
{
    size_t at = 0, p = 0, star = SIZE_MAX, star_at = 0;
    if (fold != LIKE_FOLDED && pattern.length > 0 && s.length > 0 &&
        !memchr(pattern.data, '_', pattern.length) && !memchr(pattern.data, '\\', pattern.length)) {
        return like_match_plain(s, pattern, ret_match);
    }
    *ret_match = false;
    for (size_t step = 1;; step++) {
        size_t width = 0, pattern_width = 1;
        CHECK_INTERRUPTS_EACH(step);
        if (p < pattern.length && pattern.data[p] == '%') {
            star = ++p;
            star_at = at;
            continue;
        }
        if (at >= s.length) {
            *ret_match = p >= pattern.length;
            return true;
        }
        const uint32_t c = next_character(s, at, fold, &width);
        bool same = false;
        if (p < pattern.length) {
            size_t q = p;
            if (pattern.data[q] == '\\') {
                if (++q >= pattern.length)
                    FAIL(ERR_INVALID_ESCAPE_SEQUENCE,
                         .message = STR("LIKE pattern must not end with escape character"));
                same = next_character(pattern, q, fold, &pattern_width) == c;
            } else {
                same =
                    pattern.data[q] == '_' || next_character(pattern, q, fold, &pattern_width) == c;
            }
            if (same)
                p = q + pattern_width;
        }
        if (same) {
            at += width;
        } else if (star != SIZE_MAX) {
            next_character(s, star_at, fold, &width);
            star_at += width;
            at = star_at;
            p = star;
        } else {
            return true;
        }
    }
}

#define LIKE_FUNCTION(symbol, fold, wanted)                                                        \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        bool match;                                                                                \
        TRY(like_match(ARG(0), ARG(1), fold, &match));                                             \
        ret->boolean = match == wanted;                                                            \
        return true;                                                                               \
    }
LIKE_FUNCTION(textlike, LIKE_EXACT, true)
LIKE_FUNCTION(textnlike, LIKE_EXACT, false)
LIKE_FUNCTION(namelike, LIKE_EXACT, true)
LIKE_FUNCTION(namenlike, LIKE_EXACT, false)
LIKE_FUNCTION(texticlike, LIKE_FOLDED, true)
LIKE_FUNCTION(texticnlike, LIKE_FOLDED, false)
LIKE_FUNCTION(nameiclike, LIKE_FOLDED, true)
LIKE_FUNCTION(nameicnlike, LIKE_FOLDED, false)
LIKE_FUNCTION(bytealike, LIKE_BYTES, true)
LIKE_FUNCTION(byteanlike, LIKE_BYTES, false)

/* Rewrites a pattern with another escape character into one with backslashes. */
static bool pattern_escape(FunctionCall *call, Str pattern, Str escape, Value *ret)
{
    StrBuf out = strbuf_in(call->arena);
    bool after_escape = false;
    size_t pause = 0;

    if (utf8_count(escape) > 1)
        FAIL(ERR_INVALID_ESCAPE_SEQUENCE, .message = STR("invalid escape string"),
             .hint = STR("Escape string must be empty or one character."));
    for (size_t at = 0; at < pattern.length;) {
        CHECK_INTERRUPTS_PAST(at, pause);
        const size_t width = (size_t)utf8_width(pattern.data[at]);
        const Str character = str_slice(pattern, at, width);
        at += width;
        if (escape.length && str_equal(character, escape) && !after_escape) {
            strbuf_append_char(&out, '\\');
            after_escape = true;
            continue;
        }
        if (character.data[0] == '\\' && !after_escape)
            strbuf_append_char(&out, '\\');
        strbuf_append(&out, character);
        after_escape = false;
    }
    return give(ret, strbuf_view(&out));
}

FUNCTION(like_escape)
{
    return pattern_escape(call, ARG(0), ARG(1), ret);
}

/* Of bytes: each is its own character. */
FUNCTION(like_escape_bytea)
{
    const Str pattern = ARG(0), escape = ARG(1);
    StrBuf out = strbuf_in(call->arena);
    bool after_escape = false;
    if (escape.length > 1)
        FAIL(ERR_INVALID_ESCAPE_SEQUENCE, .message = STR("invalid escape string"),
             .hint = STR("Escape string must be empty or one character."));
    for (size_t i = 0; i < pattern.length; i++) {
        CHECK_INTERRUPTS_EACH(i);
        const char c = pattern.data[i];
        if (escape.length && c == escape.data[0] && !after_escape) {
            strbuf_append_char(&out, '\\');
            after_escape = true;
            continue;
        }
        if (c == '\\' && !after_escape)
            strbuf_append_char(&out, '\\');
        strbuf_append_char(&out, c);
        after_escape = false;
    }
    return give(ret, strbuf_view(&out));
}

/* LIKE is what scans filter by. */
VECTOR_FUNCTION(textlike)
{
    const VarRef *texts = args[0]->values, *patterns = args[1]->values;
    uint8_t *results = ret->values;
    FOR_SELECTED (selection, row) {
        bool match;
        if (ret->has_nulls && ret->nulls[row])
            continue;
        TRY(like_match(var_str(texts[vector_index(args[0], row)]),
                       var_str(patterns[vector_index(args[1], row)]), LIKE_EXACT, &match));
        results[row] = match;
    }
    return true;
}

FUNCTION(pg_client_encoding)
{
    return give(ret, str_from_c(encoding_name(encoding_find(settings()->client_encoding))));
}
