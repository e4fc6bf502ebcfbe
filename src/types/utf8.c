/* UTF-8: validity, counting, case maps (simple ones, of the C.UTF-8 locale). */
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <wctype.h>

#include "base/pace.h"
#include "types/types_internal.h"

static locale_t unicode_locale;
static pthread_once_t unicode_once = PTHREAD_ONCE_INIT;

static void unicode_open(void)
{
    unicode_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static locale_t unicode(void)
{
    pthread_once(&unicode_once, unicode_open);
    return unicode_locale;
}

uint32_t unicode_lower(uint32_t code)
{
    if (code < 0x80)
        return (uint32_t)(uint8_t)ascii_lower((char)code);
    return unicode() ? (uint32_t)towlower_l((wint_t)code, unicode()) : code;
}

uint32_t unicode_upper(uint32_t code)
{
    if (code < 0x80)
        return (uint32_t)(uint8_t)ascii_upper((char)code);
    return unicode() ? (uint32_t)towupper_l((wint_t)code, unicode()) : code;
}

bool unicode_is_alnum(uint32_t code)
{
    if (code < 0x80)
        return is_digit((char)code) || is_alpha((char)code);
    return unicode() && iswalnum_l((wint_t)code, unicode());
}

uint32_t utf8_decode(const char *p, int *ret_width)
{
    const uint8_t *s = (const uint8_t *)p;
    *ret_width = utf8_width(*p);
    switch (*ret_width) {
    case 1:
        return s[0];
    case 2:
        return ((uint32_t)(s[0] & 0x1f) << 6) | (s[1] & 0x3f);
    case 3:
        return ((uint32_t)(s[0] & 0x0f) << 12) | ((uint32_t)(s[1] & 0x3f) << 6) | (s[2] & 0x3f);
    default:
        return ((uint32_t)(s[0] & 0x07) << 18) | ((uint32_t)(s[1] & 0x3f) << 12) |
               ((uint32_t)(s[2] & 0x3f) << 6) | (s[3] & 0x3f);
    }
}

int utf8_encode(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | (code >> 6));
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | (code >> 12));
        out[1] = (char)(0x80 | ((code >> 6) & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (code >> 18));
    out[1] = (char)(0x80 | ((code >> 12) & 0x3f));
    out[2] = (char)(0x80 | ((code >> 6) & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* Length of the well-formed sequence at p (Unicode table 3-7), or 0. */
static size_t sequence_length(const uint8_t *p, size_t left)
{
    const size_t n = p[0] < 0x80   ? 1
                     : p[0] < 0xc2 ? 0
                     : p[0] < 0xe0 ? 2
                     : p[0] < 0xf0 ? 3
                     : p[0] < 0xf5 ? 4
                                   : 0;
    if (n == 0 || n > left || p[0] == 0)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

/* Eight bytes, each of them ASCII and none of them 0? */
static bool is_plain_word(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return ((word | (word - 0x0101010101010101ULL)) & 0x8080808080808080ULL) == 0;
}

bool utf8_check(Str text)
{
    const uint8_t *p = (const uint8_t *)text.data;
    size_t pause = PACE_BYTES;
    for (size_t at = 0; at < text.length;) {
        if (unlikely(at >= pause)) {
            CHECK_INTERRUPTS();
            pause = at + PACE_BYTES;
        }
        if (text.length - at >= 8 && is_plain_word(p + at)) {
            at += 8;
            continue;
        }
        const size_t n = p[at] < 0x80 && p[at] != 0 ? 1 : sequence_length(p + at, text.length - at);
        if (n == 0) {
            char bytes[64];
            size_t length = 0;
            /* As long as its first byte says; a byte that begins nothing stands alone. */
            const size_t width =
                p[at] >= 0xc0 && p[at] < 0xf8 ? (size_t)utf8_width((char)p[at]) : 1;
            const size_t wrong = MIN(width, text.length - at);
            for (size_t i = 0; i < wrong; i++)
                length += (size_t)snprintf(bytes + length, sizeof(bytes) - length, "%s0x%02x",
                                           i ? " " : "", p[at + i]);
            FAIL(ERR_CHARACTER_NOT_IN_REPERTOIRE,
                 .message = fmt("invalid byte sequence for encoding \"UTF8\": %s", bytes));
        }
        at += n;
    }
    return true;
}

static size_t count_piece(Str text)
{
    const uint64_t ones = 0x0101010101010101ULL;
    size_t i = 0, count = text.length;

    /* All bytes less those of the form 10xxxxxx, eight at a time. */
    for (; i + 8 <= text.length; i += 8) {
        uint64_t word;
        memcpy(&word, text.data + i, sizeof(word));
        count -= ((word >> 7 & ~word >> 6 & ones) * ones) >> 56;
    }
    for (; i < text.length; i++)
        count -= ((uint8_t)text.data[i] & 0xc0) == 0x80;
    return count;
}

size_t utf8_count(Str text)
{
    size_t count = 0;

    for (; unlikely(text.length > PACE_BYTES); text = str_slice(text, PACE_BYTES, text.length)) {
        count += count_piece(str_slice(text, 0, PACE_BYTES));
        pace_turn();
    }
    return count + count_piece(text);
}

size_t utf8_offset(Str text, size_t characters)
{
    size_t at = 0;
    while (characters > 0 && at < text.length) {
        at += (size_t)utf8_width(text.data[at]);
        if (unlikely((--characters & (PACE_BYTES - 1)) == 0))
            pace_turn();
    }
    return MIN(at, text.length);
}

bool utf8_map(Arena *arena, Str s, UnicodeMap *map, void *context, Str *ret)
{
    StrBuf out = strbuf_in(arena);
    size_t pause = 0;
    strbuf_reserve(&out, s.length + 4);
    for (size_t at = 0; at < s.length;) {
        int width;
        CHECK_INTERRUPTS_PAST(at, pause);
        const uint32_t code = map(utf8_decode(s.data + at, &width), context);
        char *to = strbuf_reserve(&out, 4);
        strbuf_advance(&out, (size_t)utf8_encode(code, to));
        at += (size_t)width;
    }
    *ret = strbuf_view(&out);
    return true;
}

static uint32_t map_lower(uint32_t code, void *context)
{
    (void)context;
    return unicode_lower(code);
}

static uint32_t map_upper(uint32_t code, void *context)
{
    (void)context;
    return unicode_upper(code);
}

bool utf8_lower(Arena *arena, Str s, Str *ret)
{
    return utf8_map(arena, s, map_lower, NULL, ret);
}

bool utf8_upper(Arena *arena, Str s, Str *ret)
{
    return utf8_map(arena, s, map_upper, NULL, ret);
}
