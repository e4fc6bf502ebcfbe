#include "types/unicode_normal.h"

#include <stdlib.h>

#include "base/pace.h"
#include "base/vec.h"
#include "types/function.h"
#include "types/types_internal.h"

enum {
    HANGUL_FIRST = 0xac00,
    HANGUL_LEADING = 0x1100,
    HANGUL_VOWEL = 0x1161,
    HANGUL_TRAILING = 0x11a7, /* one before the first, which stands for none */
    LEADING_COUNT = 19,
    VOWEL_COUNT = 21,
    TRAILING_COUNT = 28,
    HANGUL_COUNT = LEADING_COUNT * VOWEL_COUNT * TRAILING_COUNT,
};

typedef struct Form {
    bool composes, is_compatible;
} Form;

static bool form_of(Str name, Form *ret)
{
    if (str_equal_nocase(name, STR("NFC")))
        *ret = (Form){true, false};
    else if (str_equal_nocase(name, STR("NFD")))
        *ret = (Form){false, false};
    else if (str_equal_nocase(name, STR("NFKC")))
        *ret = (Form){true, true};
    else if (str_equal_nocase(name, STR("NFKD")))
        *ret = (Form){false, true};
    else
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("invalid normalization form: %.*s", STR_ARGS(name)));
    return true;
}

static int entry_order(const void *code, const void *entry)
{
    const uint32_t a = *(const uint32_t *)code, b = ((const UnicodeEntry *)entry)->code;
    return (a > b) - (a < b);
}

static const UnicodeEntry *entry_find(uint32_t code)
{
    if (code < 0x80)
        return NULL;
    return bsearch(&code, unicode_entries, unicode_entry_count, sizeof(UnicodeEntry), entry_order);
}

static uint8_t class_of(uint32_t code)
{
    const UnicodeEntry *entry = entry_find(code);
    return entry ? entry->combining_class : 0;
}

typedef VEC(uint32_t) Points;

/* Parts have parts themselves, a few levels deep. */
static void decompose(Arena *arena, uint32_t code, Form form, Points *out)
{
    const uint32_t syllable = code - HANGUL_FIRST;
    if (code >= HANGUL_FIRST && syllable < HANGUL_COUNT) {
        VEC_PUSH(arena, out, HANGUL_LEADING + syllable / (VOWEL_COUNT * TRAILING_COUNT));
        VEC_PUSH(arena, out, HANGUL_VOWEL + syllable / TRAILING_COUNT % VOWEL_COUNT);
        if (syllable % TRAILING_COUNT)
            VEC_PUSH(arena, out, HANGUL_TRAILING + syllable % TRAILING_COUNT);
        return;
    }
    const UnicodeEntry *entry = entry_find(code);
    if (!entry || entry->part_count == 0 || (entry->is_compatible && !form.is_compatible)) {
        VEC_PUSH(arena, out, code);
        return;
    }
    for (uint32_t i = 0; i < entry->part_count; i++)
        decompose(arena, unicode_points[entry->first_part + i], form, out);
}

/* Marks in the order of their classes; equal classes keep theirs. */
static bool order_marks(Points *points)
{
    for (size_t i = 1; i < points->length; i++) {
        CHECK_INTERRUPTS_EACH(i);
        const uint32_t mark = points->items[i];
        const uint8_t class = class_of(mark);
        size_t to = i;
        for (; class > 0 && to > 0 && class_of(points->items[to - 1]) > class; to--)
            points->items[to] = points->items[to - 1];
        points->items[to] = mark;
    }
    return true;
}

static int pair_order(const void *key, const void *pair)
{
    const UnicodePair *a = key, *b = pair;
    if (a->first != b->first)
        return a->first > b->first ? 1 : -1;
    return (a->second > b->second) - (a->second < b->second);
}

/* 0: the two don't make one. */
static uint32_t compose_pair(uint32_t first, uint32_t second)
{
    const uint32_t leading = first - HANGUL_LEADING, vowel = second - HANGUL_VOWEL;
    const uint32_t syllable = first - HANGUL_FIRST, trailing = second - HANGUL_TRAILING;
    if (leading < LEADING_COUNT && vowel < VOWEL_COUNT)
        return HANGUL_FIRST + (leading * VOWEL_COUNT + vowel) * TRAILING_COUNT;
    if (syllable < HANGUL_COUNT && syllable % TRAILING_COUNT == 0 && trailing > 0 &&
        trailing < TRAILING_COUNT)
        return first + trailing;
    const UnicodePair key = {first, second, 0};
    const UnicodePair *pair =
        bsearch(&key, unicode_pairs, unicode_pair_count, sizeof(UnicodePair), pair_order);
    return pair ? pair->composed : 0;
}

/* A mark joins the last starter unless one of its class or a higher one stands between. */
static bool compose(Points *points)
{
    size_t count = 0, starter = 0;
    bool has_starter = false;
    int last_class = -1;
    for (size_t i = 0; i < points->length; i++) {
        CHECK_INTERRUPTS_EACH(i);
        const uint32_t code = points->items[i];
        const int class = class_of(code);
        const uint32_t made =
            has_starter && last_class < class ? compose_pair(points->items[starter], code) : 0;
        if (made) {
            points->items[starter] = made;
            continue;
        }
        if (class == 0) {
            starter = count;
            has_starter = true;
            last_class = -1;
        } else {
            last_class = class;
        }
        points->items[count++] = code;
    }
    points->length = count;
    return true;
}

static bool find_beyond_ascii(Str text, bool *ret)
{
    *ret = false;
    for (size_t i = 0; i < text.length && !*ret; i++) {
        CHECK_INTERRUPTS_EACH(i);
        *ret = (byte)text.data[i] >= 0x80;
    }
    return true;
}

static bool normalize(FunctionCall *call, const Value *args, Str *ret)
{
    const Str text = var_str(args[0].var);
    Points points = {0};
    StrBuf buf = strbuf_in(call->arena);
    size_t pause = 0;
    bool has_more;
    Form form;
    TRY(form_of(var_str(args[1].var), &form));
    *ret = text;
    TRY(find_beyond_ascii(text, &has_more));
    if (!has_more)
        return true;
    for (size_t at = 0; at < text.length;) {
        int width;
        CHECK_INTERRUPTS_PAST(at, pause);
        decompose(call->arena, utf8_decode(text.data + at, &width), form, &points);
        at += (size_t)width;
    }
    TRY(order_marks(&points));
    if (form.composes)
        TRY(compose(&points));
    for (size_t i = 0; i < points.length; i++) {
        char bytes[4];
        CHECK_INTERRUPTS_EACH(i);
        const int width = utf8_encode(points.items[i], bytes);
        strbuf_append_bytes(&buf, bytes, (size_t)width);
    }
    *ret = strbuf_view(&buf);
    return true;
}

FUNCTION(unicode_normalize_func)
{
    Str text;
    TRY(normalize(call, args, &text));
    ret->var = var_from_str(text);
    return true;
}

FUNCTION(unicode_is_normalized)
{
    Str text;
    TRY(normalize(call, args, &text));
    ret->boolean = pace_compare(text, var_str(args[0].var)) == 0;
    return true;
}
