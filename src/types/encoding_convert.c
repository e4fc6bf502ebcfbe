#include "types/encoding_convert.h"

#include <stdio.h>

#include "base/pace.h"
#include "base/scheduler.h"
#include "types/encoding.h"
#include "types/encoding_table.h"
#include "types/jsonb.h"
#include "types/types_internal.h"

/* PostgreSQL's numbers of those that have a case of their own. */
enum {
    EUC_JP = 1,
    EUC_CN = 2,
    EUC_KR = 3,
    EUC_TW = 4,
    EUC_JIS_2004 = 5,
    WIN1250 = 29,
    SJIS = 35,
    BIG5 = 36,
    GBK = 37,
    UHC = 38,
    GB18030 = 39,
    JOHAB = 40,
    SHIFT_JIS_2004 = 41,
};

#define STACK_RESERVE ((size_t)32 * 1024) /* left for what runs at the bottom */
#define SS2 0x8e
#define SS3 0x8f
#define BYTES_SHOWN 8 /* of what an error is about */

/* -- Codes ------------------------------------------------------------------------------------ */

static bool is_euc(uint8_t c)
{
    return c >= 0xa1 && c <= 0xfe;
}

static bool is_between(uint8_t c, uint8_t low, uint8_t high)
{
    return c >= low && c <= high;
}

/* As long as the first byte (of GB18030 the second) says; there may be fewer. */
static size_t code_length(int encoding, const uint8_t *s, size_t length)
{
    if (s[0] < 0x80)
        return 1;
    switch (encoding) {
    case EUC_JP:
    case EUC_KR:
    case EUC_JIS_2004:
    case JOHAB:
        return s[0] == SS3 ? 3 : 2;
    case EUC_TW:
        return s[0] == SS2 ? 4 : s[0] == SS3 ? 3 : 2;
    case EUC_CN:
    case BIG5:
    case GBK:
    case UHC:
        return 2;
    case SJIS:
    case SHIFT_JIS_2004:
        return is_between(s[0], 0xa1, 0xdf) ? 1 : 2;
    case GB18030:
        return length > 1 && is_between(s[1], '0', '9') ? 4 : 2;
    case ENCODING_UTF8:
        return (size_t)utf8_width((char)s[0]);
    default:
        return 1;
    }
}

/* Are the bytes after the first what may come there? */
static bool tail_is_euc(const uint8_t *s, size_t length)
{
    for (size_t i = 1; i < length; i++)
        if (!is_euc(s[i]))
            return false;
    return true;
}

static bool gb18030_is_valid(const uint8_t *s, size_t length)
{
    if (!is_between(s[0], 0x81, 0xfe))
        return false;
    if (length == 4)
        return is_between(s[1], '0', '9') && is_between(s[2], 0x81, 0xfe) &&
               is_between(s[3], '0', '9');
    return is_between(s[1], 0x40, 0x7e) || is_between(s[1], 0x80, 0xfe);
}

static bool code_is_valid(int encoding, const uint8_t *s, size_t length)
{
    switch (encoding) {
    case EUC_JP:
    case EUC_JIS_2004:
        if (s[0] == SS2)
            return is_between(s[1], 0xa1, 0xdf);
        return (s[0] == SS3 || is_euc(s[0])) && tail_is_euc(s, length);
    case EUC_CN:
    case EUC_KR:
        return length == 2 && is_euc(s[0]) && is_euc(s[1]);
    case EUC_TW:
        if (s[0] == SS2)
            return is_between(s[1], 0xa1, 0xa7) && is_euc(s[2]) && is_euc(s[3]);
        return s[0] != SS3 && is_euc(s[1]);
    case JOHAB:
        return tail_is_euc(s, length);
    case SJIS:
    case SHIFT_JIS_2004:
        return length == 1 || ((is_between(s[0], 0x81, 0x9f) || is_between(s[0], 0xe0, 0xfc)) &&
                               (is_between(s[1], 0x40, 0x7e) || is_between(s[1], 0x80, 0xfc)));
    case BIG5:
    case GBK:
    case UHC:
        return s[1] != 0;
    case GB18030:
        return gb18030_is_valid(s, length);
    default:
        return true;
    }
}

/* The length of a whole, valid code; 0: there is none. */
static size_t code_next(int encoding, const uint8_t *s, size_t length)
{
    const size_t size = code_length(encoding, s, length);

    if (s[0] == 0 || size > length || (s[0] >= 0x80 && !code_is_valid(encoding, s, size)))
        return 0;
    return size;
}

static uint32_t key_of(int encoding, const uint8_t *s, size_t length)
{
    uint32_t key = 0;

    if (encoding == GB18030 && length == 4)
        return ENCODING_FOUR_BYTES +
               (((s[0] - 0x81u) * 10 + (s[1] - 0x30u)) * 126 + (s[2] - 0x81u)) * 10 + s[3] - 0x30u;
    for (size_t i = 0; i < length; i++)
        key = key << 8 | s[i];
    return key;
}

static void put_code(int encoding, uint32_t key, StrBuf *out)
{
    if (encoding == GB18030 && key >= ENCODING_FOUR_BYTES) {
        const uint32_t number = key - ENCODING_FOUR_BYTES;
        strbuf_append_char(out, (char)(0x81 + number / 12600));
        strbuf_append_char(out, (char)(0x30 + number / 1260 % 10));
        strbuf_append_char(out, (char)(0x81 + number / 10 % 126));
        strbuf_append_char(out, (char)(0x30 + number % 10));
        return;
    }
    for (int shift = 24; shift >= 0; shift -= 8)
        if (key >> shift)
            strbuf_append_char(out, (char)(key >> shift & 0xff));
}

/* -- Tables ----------------------------------------------------------------------------------- */

static const EncodingTable *table_of(int encoding)
{
    const Str name = str_from_c(encoding_name(encoding));

    for (const EncodingTable *table = encoding_tables; table->name; table++)
        if (str_equal(name, str_from_c(table->name)))
            return table;
    return NULL;
}

/* False: the key is in no row, or a hole of one. */
static bool rows_find(const EncodingRow *rows, uint32_t count, uint32_t key, uint32_t *ret_value)
{
    uint32_t low = 0, high = count;

    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (rows[middle].key + rows[middle].count <= key)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count || rows[low].key > key)
        return false;
    const EncodingRow *row = &rows[low];
    if (row->first == ENCODING_RUN) {
        *ret_value = row->base + (key - row->key);
        return true;
    }
    const uint16_t value = encoding_values[row->first + (key - row->key)];
    *ret_value = row->base | value;
    return value != ENCODING_HOLE;
}

bool encoding_is_supported(int encoding)
{
    return encoding == ENCODING_UTF8 || encoding == ENCODING_SQL_ASCII ||
           (encoding_name(encoding) && table_of(encoding));
}

/* -- Errors ----------------------------------------------------------------------------------- */

/* "0xe2 0x82 0xac" */
static const char *bytes_text(char *text, size_t size, const uint8_t *s, size_t length)
{
    size_t at = 0;

    for (size_t i = 0; i < MIN(length, (size_t)BYTES_SHOWN); i++)
        at += (size_t)snprintf(text + at, size - at, "%s0x%02x", i ? " " : "", s[i]);
    return text;
}

static bool fail_invalid(int encoding, const uint8_t *s, size_t length)
{
    const size_t shown = MIN(code_length(encoding, s, length), length);
    char text[BYTES_SHOWN * 5 + 1];

    FAIL(ERR_CHARACTER_NOT_IN_REPERTOIRE,
         .message = fmt("invalid byte sequence for encoding \"%s\": %s", encoding_name(encoding),
                        bytes_text(text, sizeof(text), s, shown)));
}

static bool fail_untranslatable(int from, int to, const uint8_t *s, size_t length)
{
    const size_t shown = MIN(code_length(from, s, length), length);
    char text[BYTES_SHOWN * 5 + 1];

    FAIL(ERR_UNTRANSLATABLE_CHARACTER,
         .message =
             fmt("character with byte sequence %s in encoding \"%s\" has no equivalent in "
                 "encoding \"%s\"",
                 bytes_text(text, sizeof(text), s, shown), encoding_name(from), encoding_name(to)));
}

/* -- Conversion ------------------------------------------------------------------------------- */

static size_t plain_length(const uint8_t *s, size_t length)
{
    size_t at = 0;

    while (at < length && s[at] != 0 && s[at] < 0x80)
        at++;
    return at;
}

/* What goes through as it is from `at` on. False: interrupted. */
static bool plain_append(Str text, size_t *at, StrBuf *out)
{
    for (;;) {
        const size_t most = MIN(text.length - *at, PACE_BYTES);
        const size_t plain = plain_length((const uint8_t *)text.data + *at, most);
        strbuf_append_bytes(out, text.data + *at, plain);
        *at += plain;
        if (plain < most || most < PACE_BYTES)
            return true;
        CHECK_INTERRUPTS();
    }
}

bool encoding_passes(Str text)
{
    for (; unlikely(text.length > PACE_BYTES); text = str_slice(text, PACE_BYTES, text.length)) {
        if (plain_length((const uint8_t *)text.data, PACE_BYTES) < PACE_BYTES)
            return false;
        pace_turn();
    }
    return plain_length((const uint8_t *)text.data, text.length) == text.length;
}

static void put_utf8(uint32_t code, StrBuf *out)
{
    strbuf_reserve(out, 4);
    strbuf_advance(out, (size_t)utf8_encode(code, out->data + out->length));
}

static bool decode_code(const EncodingTable *table, uint32_t key, StrBuf *out)
{
    uint32_t code;

    for (uint32_t i = 0; i < table->pair_count; i++) {
        if (table->pairs[i].code == key) {
            put_utf8(table->pairs[i].first, out);
            put_utf8(table->pairs[i].second, out);
            return true;
        }
    }
    if (!rows_find(table->decode, table->decode_count, key, &code))
        return false;
    put_utf8(code, out);
    return true;
}

bool encoding_decode(int encoding, Str bytes, StrBuf *out, size_t *ret_done)
{
    const EncodingTable *table = table_of(encoding);
    const uint8_t *s = (const uint8_t *)bytes.data;
    size_t at = 0, pause = 0;

    *ret_done = 0;
    assert(table);
    while (at < bytes.length) {
        TRY(plain_append(bytes, &at, out));
        *ret_done = at;
        if (at == bytes.length)
            break;
        CHECK_INTERRUPTS_PAST(at, pause);
        const size_t size = code_next(encoding, s + at, bytes.length - at);
        if (size == 0)
            return fail_invalid(encoding, s + at, bytes.length - at);
        if (!decode_code(table, key_of(encoding, s + at, size), out))
            return fail_untranslatable(encoding, ENCODING_UTF8, s + at, bytes.length - at);
        at += size;
        *ret_done = at;
    }
    return true;
}

/* The code of a character and the one behind it, where the two are one; 0: they are not. */
static uint32_t pair_find(const EncodingTable *table, uint32_t first, const char *rest, size_t left,
                          size_t *ret_size)
{
    int width;

    if (table->pair_count == 0 || left == 0)
        return 0;
    const uint32_t second = utf8_decode(rest, &width);
    for (uint32_t i = 0; i < table->pair_count; i++) {
        if (table->pairs[i].first == first && table->pairs[i].second == second) {
            *ret_size = (size_t)width;
            return table->pairs[i].code;
        }
    }
    return 0;
}

bool encoding_encode(int encoding, Str text, StrBuf *out)
{
    const EncodingTable *table = table_of(encoding);
    const uint8_t *s = (const uint8_t *)text.data;
    size_t at = 0, pause = 0;

    assert(table);
    while (at < text.length) {
        TRY(plain_append(text, &at, out));
        if (at == text.length)
            break;
        CHECK_INTERRUPTS_PAST(at, pause);
        if (s[at] == 0)
            return fail_invalid(ENCODING_UTF8, s + at, text.length - at);
        int width;
        size_t more = 0;
        const uint32_t code = utf8_decode(text.data + at, &width);
        const size_t next = at + (size_t)width;
        uint32_t key = pair_find(table, code, text.data + next, text.length - next, &more);
        if (key == 0 && !rows_find(table->encode, table->encode_count, code, &key))
            return fail_untranslatable(ENCODING_UTF8, encoding, s + at, text.length - at);
        put_code(encoding, key, out);
        at = next + more;
    }
    return true;
}

size_t encoding_unfinished(int encoding, Str bytes)
{
    const uint8_t *s = (const uint8_t *)bytes.data;
    size_t at = 0;

    while (at < bytes.length) {
        size_t size = code_length(encoding, s + at, bytes.length - at);
        /* GB18030's second byte tells; without it four are as possible as two. */
        if (size > bytes.length - at)
            return bytes.length - at;
        at += size;
    }
    return 0;
}

bool encoding_count(int encoding, Str bytes, int32_t *ret_count)
{
    const uint8_t *s = (const uint8_t *)bytes.data;
    int32_t count = 0;

    if (encoding == ENCODING_UTF8) {
        TRY(utf8_check(bytes));
        *ret_count = (int32_t)utf8_count(bytes);
        return true;
    }
    for (size_t at = 0; at < bytes.length; count++) {
        const size_t size = code_next(encoding, s + at, bytes.length - at);
        if (size == 0)
            return fail_invalid(encoding, s + at, bytes.length - at);
        at += size;
    }
    *ret_count = count;
    return true;
}

/* -- From any to any -------------------------------------------------------------------------- */

/* Pairs that PostgreSQL converts without one of them being UTF8. */
static bool is_direct(int from, int to)
{
    enum { LATIN2 = 9, WIN866 = 20, KOI8R = 22, WIN1251 = 23, ISO_8859_5 = 25 };
    static const uint8_t cyrillic[] = {WIN866, KOI8R, WIN1251, ISO_8859_5};
    static const uint8_t others[][2] = {
        {BIG5, EUC_TW}, {EUC_JIS_2004, SHIFT_JIS_2004}, {EUC_JP, SJIS}, {LATIN2, WIN1250}};
    bool has_from = false, has_to = false;

    for (size_t i = 0; i < ARRAY_LENGTH(cyrillic); i++) {
        has_from |= cyrillic[i] == from;
        has_to |= cyrillic[i] == to;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        if ((others[i][0] == from && others[i][1] == to) ||
            (others[i][1] == from && others[i][0] == to))
            return true;
    return has_from && has_to;
}

static bool convert_through_utf8(int from, int to, Str bytes, StrBuf *out)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("conversion");
    StrBuf text = strbuf_in(arena);
    size_t done;

    TRY(encoding_decode(from, bytes, &text, &done));
    return encoding_encode(to, strbuf_view(&text), out);
}

bool encoding_convert(int from, int to, Str bytes, StrBuf *out)
{
    int32_t count;
    size_t done;

    if (from == ENCODING_SQL_ASCII || to == ENCODING_SQL_ASCII || from == to) {
        TRY(from == ENCODING_MULE_INTERNAL || encoding_count(from, bytes, &count));
        strbuf_append(out, bytes);
        return true;
    }
    if (from != ENCODING_UTF8 && to != ENCODING_UTF8 &&
        (from == ENCODING_MULE_INTERNAL || to == ENCODING_MULE_INTERNAL))
        FAIL_UNSUPPORTED("conversion from and to MULE_INTERNAL");
    if ((from != ENCODING_UTF8 && to != ENCODING_UTF8 && !is_direct(from, to)) ||
        from == ENCODING_MULE_INTERNAL || to == ENCODING_MULE_INTERNAL)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("default conversion function for encoding \"%s\" to \"%s\" does not "
                            "exist",
                            encoding_name(from), encoding_name(to)));
    TRY(encoding_count(from, bytes, &count));
    if (from == ENCODING_UTF8)
        return encoding_encode(to, bytes, out);
    if (to == ENCODING_UTF8)
        return encoding_decode(from, bytes, out, &done);
    return convert_through_utf8(from, to, bytes, out);
}

/* -- Binary forms ----------------------------------------------------------------------------- */

typedef struct BinaryWalk {
    int encoding;
    EncodingDirection direction;
    Str rest;
    StrBuf *out;
} BinaryWalk;

static bool convert_text(int encoding, EncodingDirection direction, Str text, StrBuf *out)
{
    size_t done;

    if (direction == ENCODING_TO_UTF8)
        return encoding_decode(encoding, text, out, &done);
    return encoding_encode(encoding, text, out);
}

static uint32_t peek32(Str bytes, size_t at)
{
    uint32_t big = 0;

    if (bytes.length >= at + sizeof(big))
        memcpy(&big, bytes.data + at, sizeof(big));
    return __builtin_bswap32(big);
}

static void walk_copy(BinaryWalk *walk, size_t count)
{
    const size_t taken = MIN(count, walk->rest.length);

    strbuf_append(walk->out, str_slice(walk->rest, 0, taken));
    walk->rest = str_slice(walk->rest, taken, walk->rest.length - taken);
}

/* A length and as many bytes. */
static bool walk_value(BinaryWalk *walk, Oid type)
{
    const uint32_t length = peek32(walk->rest, 0);

    if (walk->rest.length < 4 || length > walk->rest.length - 4) {
        walk_copy(walk, 4); /* a null, or what its reader refuses */
        return true;
    }
    const size_t at = walk->out->length;
    walk_copy(walk, 4);
    TRY(encoding_convert_binary(walk->encoding, walk->direction, type,
                                str_slice(walk->rest, 0, length), walk->out));
    walk->rest = str_slice(walk->rest, length, walk->rest.length - length);
    const uint32_t big = __builtin_bswap32((uint32_t)(walk->out->length - at - 4));
    memcpy(walk->out->data + at, &big, sizeof(big));
    return true;
}

/* Dimensions, flags, the elements' type, two numbers for each dimension, values. */
static bool walk_array(BinaryWalk *walk)
{
    const uint32_t dimensions = peek32(walk->rest, 0), type = peek32(walk->rest, 8);

    walk_copy(walk, 12 + 8 * (size_t)dimensions);
    while (walk->rest.length > 0)
        TRY(walk_value(walk, type));
    return true;
}

/* A count, then the type and the value of each. */
static bool walk_row(BinaryWalk *walk)
{
    walk_copy(walk, 4);
    while (walk->rest.length > 0) {
        const uint32_t type = peek32(walk->rest, 0);
        walk_copy(walk, 4);
        TRY(walk_value(walk, type));
    }
    return true;
}

bool encoding_convert_binary(int encoding, EncodingDirection direction, Oid type, Str bytes,
                             StrBuf *out)
{
    BinaryWalk walk = {encoding, direction, bytes, out};
    const BuiltinType *known = builtin_type(type);

    if (task_stack_left() < STACK_RESERVE)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    if (type == TYPE_TEXT || type == TYPE_VARCHAR || type == TYPE_BPCHAR || type == TYPE_NAME ||
        type == TYPE_JSON || type == TYPE_UNKNOWN || type == TYPE_CSTRING ||
        (known && known->kind == 'e'))
        return convert_text(encoding, direction, bytes, out);
    if (type == TYPE_JSONB && bytes.length > 0) {
        walk_copy(&walk, 1);
        return convert_text(encoding, direction, walk.rest, out);
    }
    if (type == TYPE_RECORD || (known && known->kind == 'c'))
        return walk_row(&walk);
    if (known && known->category == 'A')
        return walk_array(&walk);
    strbuf_append(out, bytes);
    return true;
}
