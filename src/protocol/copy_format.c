#include "protocol/copy_format.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/error.h"

#define BINARY_SIGNATURE "PGCOPY\n\377\r\n"
#define BINARY_SIGNATURE_SIZE 11
#define BINARY_HEADER_SIZE (BINARY_SIGNATURE_SIZE + 8)

/* How lines end: the first one tells, and all others must end alike. */
typedef enum LineEnds { ENDS_UNKNOWN = 0, ENDS_NEWLINE, ENDS_RETURN, ENDS_BOTH } LineEnds;

struct CopyReader {
    CopyFormat format;
    LineEnds ends;
    uint32_t column_count;
    StrBuf in; /* heap: bytes not yet made into rows start at `start` */
    size_t start;
    bool at_end;         /* no more is fed */
    bool saw_marker;     /* `\.` came */
    bool saw_header;     /* binary */
    bool has_plain_null; /* the NULL text may stand in a line without backslashes */
    uint64_t line;
    Str text;      /* the line last read */
    bool is_plain; /* it is ASCII, and of the text form without a backslash */
    StrBuf values; /* heap: unescaped fields of the row */
};

CopyReader *copy_reader_new(Arena *arena, const CopyFormat *format, uint32_t column_count)
{
    CopyReader *reader = ARENA_NEW(arena, CopyReader);

    reader->format = *format;
    reader->column_count = column_count;
    reader->has_plain_null = str_find_char(format->null_text, '\\', 0) == SIZE_MAX;
    return reader;
}

void copy_reader_free(CopyReader *reader)
{
    if (!reader)
        return;
    strbuf_deinit(&reader->in);
    strbuf_deinit(&reader->values);
}

void copy_reader_feed(CopyReader *reader, Str data)
{
    size_t left = reader->in.length - reader->start;

    if (reader->start > 0) {
        memmove(reader->in.data, reader->in.data + reader->start, left);
        reader->in.length = left;
        reader->start = 0;
    }
    strbuf_append(&reader->in, data);
}

void copy_reader_end(CopyReader *reader)
{
    reader->at_end = true;
}

uint64_t copy_reader_line(const CopyReader *reader)
{
    return reader->line;
}

Str copy_reader_text(const CopyReader *reader)
{
    return reader->text;
}

bool copy_reader_is_plain(const CopyReader *reader)
{
    return reader->is_plain;
}

/* -- Lines ----------------------------------------------------------------------------------- */

/* Where `c` is first no data: outside quotes, not behind a backslash; SIZE_MAX: nowhere yet. */
static size_t find_bare(const CopyReader *reader, Str text, char wanted)
{
    if (reader->format.form == COPY_TEXT) {
        size_t end = str_find_char(text, wanted, 0);
        while (end != SIZE_MAX && end > 0) {
            size_t slashes = 0;
            while (slashes < end && text.data[end - 1 - slashes] == '\\')
                slashes++;
            if (slashes % 2 == 0)
                break;
            end = str_find_char(text, wanted, end + 1);
        }
        return end;
    }
    bool in_quotes = false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (in_quotes && c == reader->format.escape && c != reader->format.quote &&
            i + 1 < text.length)
            i++;
        else if (c == reader->format.quote)
            in_quotes = !in_quotes;
        else if (c == wanted && !in_quotes)
            return i;
    }
    return SIZE_MAX;
}

/* Looks at how the first line ends; it stays unknown where that has not come. */
static void learn_ends(CopyReader *reader, Str rest)
{
    const size_t newline = find_bare(reader, rest, '\n'), carriage = find_bare(reader, rest, '\r');

    if (carriage < newline && (carriage + 1 < rest.length || reader->at_end))
        reader->ends = carriage + 1 == newline ? ENDS_BOTH : ENDS_RETURN;
    else if (newline < carriage)
        reader->ends = ENDS_NEWLINE;
}

static CopyOutcome fail_stray(const CopyReader *reader, bool is_newline)
{
    const char *what = is_newline ? "newline" : "carriage return";
    if (reader->format.form == COPY_CSV)
        FAIL(ERR_BAD_COPY_FILE_FORMAT, .message = fmt("unquoted %s found in data", what),
             .hint = fmt("Use quoted CSV field to represent %s.", what));
    FAIL(ERR_BAD_COPY_FILE_FORMAT, .message = fmt("literal %s found in data", what),
         .hint = fmt("Use \"\\%c\" to represent %s.", is_newline ? 'n' : 'r', what));
}

/* Lines that lie within quotes count as well; in the first row only their carriage returns. */
static void count_lines(CopyReader *reader, Str line, LineEnds known)
{
    const char inner = known == ENDS_NEWLINE ? '\n' : '\r';
    reader->line++;
    if (reader->format.form != COPY_CSV)
        return;
    if (line.length > 0 && line.data[line.length - 1] == '\r')
        line.length--;
    for (size_t at = str_find_char(line, inner, 0); at != SIZE_MAX;
         at = str_find_char(line, inner, at + 1))
        reader->line++;
}

/* `\.` ends the data, also of the line that it stands in. */
static bool find_marker(CopyReader *reader, bool is_ended, Str *line)
{
    size_t at = 0;
    for (;;) {
        at = str_find_char(*line, '\\', at);
        if (at == SIZE_MAX)
            return true;
        if (at + 1 < line->length && line->data[at + 1] == '.')
            break;
        at += 2;
    }
    const Str rest = str_slice(*line, at + 2, line->length);
    const Str wanted = reader->ends == ENDS_BOTH ? STR("\r") : STR("");
    if (!is_ended || (rest.length > 0 && !str_equal(rest, STR("\r"))))
        FAIL(ERR_BAD_COPY_FILE_FORMAT, .message = STR("end-of-copy marker corrupt"));
    if (!str_equal(rest, wanted))
        FAIL(ERR_BAD_COPY_FILE_FORMAT,
             .message = STR("end-of-copy marker does not match previous newline style"));
    reader->saw_marker = true;
    line->length = at;
    return true;
}

/* The next line without its end, as COPY_ROW. */
static CopyOutcome take_line(CopyReader *reader, Str *ret_line)
{
    Str rest = str_make(reader->in.data + reader->start, reader->in.length - reader->start);
    const LineEnds known = reader->ends;
    if (known == ENDS_UNKNOWN)
        learn_ends(reader, rest);
    const LineEnds ends = reader->ends;
    size_t end = ends == ENDS_UNKNOWN  ? SIZE_MAX
                 : ends == ENDS_RETURN ? find_bare(reader, rest, '\r')
                                       : find_bare(reader, rest, '\n');
    const bool is_ended = end != SIZE_MAX;

    if (!is_ended) {
        if (!reader->at_end)
            return COPY_MORE;
        if (rest.length == 0)
            return COPY_END;
        end = rest.length;
    }
    Str line = str_slice(rest, 0, end);
    reader->start += MIN(end + 1, rest.length);
    reader->text = STR("");
    count_lines(reader, line, known);
    if (reader->format.form == COPY_TEXT)
        TRY(find_marker(reader, is_ended, &line));
    if (reader->saw_marker) {
        *ret_line = line;
        return line.length > 0 ? COPY_ROW : COPY_END;
    }
    if (ends == ENDS_BOTH && is_ended) {
        if (line.length == 0 || line.data[line.length - 1] != '\r')
            return fail_stray(reader, true);
        line.length--;
    }
    const char other = ends == ENDS_RETURN ? '\n' : '\r';
    if (line.length > 0 && memchr(line.data, other, line.length) &&
        find_bare(reader, line, other) != SIZE_MAX)
        return fail_stray(reader, other == '\n');
    *ret_line = line;
    return COPY_ROW;
}

/* -- Text fields ----------------------------------------------------------------------------- */

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The character that `\…` at raw[*i] means; *i is left on its last one. */
static char unescape(Str raw, size_t *i)
{
    char c = raw.data[*i];

    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'v':
        return '\v';
    case 'x': {
        int value = 0, digits = 0;
        while (digits < 2 && *i + 1 < raw.length && hex_value(raw.data[*i + 1]) >= 0) {
            value = value * 16 + hex_value(raw.data[++*i]);
            digits++;
        }
        return digits ? (char)value : 'x';
    }
    default:
        break;
    }
    if (c < '0' || c > '7')
        return c;
    int value = c - '0';
    for (int digits = 1;
         digits < 3 && *i + 1 < raw.length && raw.data[*i + 1] >= '0' && raw.data[*i + 1] <= '7';
         digits++)
        value = value * 8 + (raw.data[++*i] - '0');
    return (char)value;
}

/* A field as written → its value, in `values` where it has escapes. */
static Str text_value(CopyReader *reader, Str raw)
{
    if (str_equal(raw, reader->format.null_text))
        return STR_NONE;
    if (raw.length == 0 || !memchr(raw.data, '\\', raw.length))
        return raw;
    char *start = strbuf_reserve(&reader->values, raw.length), *out = start;
    for (size_t i = 0; i < raw.length; i++) {
        if (raw.data[i] == '\\' && i + 1 < raw.length) {
            i++;
            *out++ = unescape(raw, &i);
        } else {
            *out++ = raw.data[i];
        }
    }
    strbuf_advance(&reader->values, (size_t)(out - start));
    return str_make(start, (size_t)(out - start));
}

static bool fail_extra(void)
{
    FAIL(ERR_BAD_COPY_FILE_FORMAT, .message = STR("extra data after last expected column"));
}

static uint32_t split_text(CopyReader *reader, Str line, Str *fields)
{
    uint32_t count = 0;
    size_t start = 0;

    for (size_t i = 0;; i++) {
        if (i < line.length && line.data[i] == '\\') {
            i++;
            continue;
        }
        if (i >= line.length || line.data[i] == reader->format.delimiter) {
            size_t end = MIN(i, line.length);
            if (count < reader->column_count)
                fields[count] = text_value(reader, str_slice(line, start, end - start));
            count++;
            start = end + 1;
            if (i >= line.length)
                return count;
        }
    }
}

/* ASCII without zeros, and without `other`. A loop that compilers make vectors of. */
static bool is_plain(Str line, char other)
{
    uint8_t wrong = 0;
    for (size_t i = 0; i < line.length; i++)
        wrong |= (uint8_t)(((int8_t)line.data[i] <= 0) | (line.data[i] == other));
    return !wrong;
}

static inline void put_plain(const CopyReader *reader, Str *fields, uint32_t column, Str field)
{
    if (column < reader->column_count)
        fields[column] =
            reader->has_plain_null && str_equal(field, reader->format.null_text) ? STR_NONE : field;
}

#if defined(__SSE2__)

#define BLOCK 16
#define PLAIN_MOST ((size_t)64 * 1024) /* longer lines, which come in many parts, are not tried */

/* A bit for each of the block's bytes. */
typedef struct BlockMarks {
    uint32_t newlines, delimiters;
    uint32_t others; /* nothing of a plain line */
} BlockMarks;

static inline BlockMarks mark_block(const char *data, __m128i delimiter)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)data);
    const __m128i slashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const __m128i returns = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r'));
    const __m128i wide = _mm_cmplt_epi8(bytes, _mm_set1_epi8(1)); /* or zero */
    BlockMarks marks = {
        .newlines = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'))),
        .delimiters = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, delimiter)),
        .others = (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(slashes, returns), wide)),
    };
    /* What lies behind the line's end is of the next one. */
    const uint32_t before = marks.newlines ? (marks.newlines & -marks.newlines) - 1 : UINT32_MAX;
    marks.delimiters &= before;
    marks.others &= before;
    return marks;
}

/*
 * The next line of the text form and its fields in one pass, where it is plain and ends in a
 * newline as all do. False: perhaps it is not, or has not come whole; then nothing has been taken.
 */
static bool take_plain(CopyReader *reader, Str *fields, uint32_t *ret_count)
{
    const char *const line = reader->in.data + reader->start;
    const size_t size = MIN(reader->in.length - reader->start, PLAIN_MOST);
    const __m128i delimiter = _mm_set1_epi8(reader->format.delimiter);
    uint32_t count = 0;
    size_t from = 0;

    for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
        BlockMarks marks = mark_block(line + at, delimiter);
        if (marks.others)
            return false;
        for (; marks.delimiters; marks.delimiters &= marks.delimiters - 1) {
            const size_t to = at + (uint32_t)__builtin_ctz(marks.delimiters);
            put_plain(reader, fields, count++, str_make(line + from, to - from));
            from = to + 1;
        }
        if (marks.newlines) {
            const size_t to = at + (uint32_t)__builtin_ctz(marks.newlines);
            put_plain(reader, fields, count++, str_make(line + from, to - from));
            reader->text = str_make(line, to);
            reader->start += to + 1;
            reader->line++;
            reader->is_plain = true;
            *ret_count = count;
            return true;
        }
    }
    return false;
}

#else

static bool take_plain(CopyReader *reader, Str *fields, uint32_t *ret_count)
{
    return false; /* what follows takes any line */
}

#endif

/* A line without backslashes. */
static uint32_t split_plain(const CopyReader *reader, Str line, Str *fields)
{
    const char *from = line.data, *const end = line.data + line.length;
    uint32_t count = 0;

    for (;;) {
        const char *to =
            from < end ? memchr(from, reader->format.delimiter, (size_t)(end - from)) : NULL;
        if (!to)
            to = end;
        put_plain(reader, fields, count++, str_make(from, (size_t)(to - from)));
        if (to == end)
            return count;
        from = to + 1;
    }
}

/* -- CSV fields ------------------------------------------------------------------------------ */

static Str csv_field(CopyReader *reader, Str line, size_t *position, bool *ret_quoted, bool *ok)
{
    const CopyFormat *format = &reader->format;
    char *start = strbuf_reserve(&reader->values, line.length + 1), *out = start;
    bool in_quotes = false;
    size_t i = *position;

    *ret_quoted = false;
    for (; i < line.length; i++) {
        char c = line.data[i];
        if (in_quotes && c == format->escape && i + 1 < line.length &&
            (line.data[i + 1] == format->quote || line.data[i + 1] == format->escape)) {
            *out++ = line.data[++i];
        } else if (c == format->quote) {
            in_quotes = !in_quotes;
            *ret_quoted = true;
        } else if (!in_quotes && c == format->delimiter) {
            break;
        } else {
            *out++ = c;
        }
    }
    if (in_quotes) {
        ERROR_SET(ERR_BAD_COPY_FILE_FORMAT, .message = STR("unterminated CSV quoted field"));
        *ok = false;
    }
    *position = i;
    strbuf_advance(&reader->values, (size_t)(out - start));
    return str_make(start, (size_t)(out - start));
}

static bool split_csv(CopyReader *reader, Str line, Str *fields, uint32_t *ret_count)
{
    const CopyFormat *format = &reader->format;
    uint32_t count = 0;
    bool ok = true;

    for (size_t i = 0;; i++) {
        bool quoted;
        Str value = csv_field(reader, line, &i, &quoted, &ok);
        TRY(ok);
        bool is_null = str_equal(value, format->null_text);
        if (count < reader->column_count) {
            bool keeps = format->force_not_null && format->force_not_null[count];
            bool forced = format->force_null && format->force_null[count];
            fields[count] =
                is_null && ((!quoted && !keeps) || (quoted && forced)) ? STR_NONE : value;
        }
        count++;
        if (i >= line.length)
            break;
    }
    *ret_count = count;
    return true;
}

static CopyOutcome next_text(CopyReader *reader, Str *fields, uint32_t *ret_count)
{
    Str line;

    if (reader->saw_marker)
        return COPY_END;
    if (reader->format.form == COPY_TEXT && reader->ends == ENDS_NEWLINE &&
        take_plain(reader, fields, ret_count))
        return COPY_ROW;
    const CopyOutcome outcome = take_line(reader, &line);
    if (outcome != COPY_ROW)
        return outcome;
    if (reader->format.form == COPY_CSV && str_equal(line, STR("\\."))) {
        reader->saw_marker = true;
        return COPY_END;
    }
    reader->text = line;
    reader->is_plain = is_plain(line, reader->format.form == COPY_TEXT ? '\\' : '\0');
    if (reader->is_plain && reader->format.form == COPY_TEXT) {
        *ret_count = split_plain(reader, line, fields);
        return COPY_ROW;
    }
    reader->values.length = 0;
    /* Room for all values at once, so that none of them moves. */
    strbuf_reserve(&reader->values, 2 * line.length + reader->column_count + 16);
    if (reader->format.form == COPY_TEXT)
        *ret_count = split_text(reader, line, fields);
    else
        TRY(split_csv(reader, line, fields, ret_count));
    return COPY_ROW;
}

/* -- Binary ---------------------------------------------------------------------------------- */

static uint32_t load32(const char *data)
{
    uint32_t big;

    memcpy(&big, data, sizeof(big));
    return __builtin_bswap32(big);
}

static CopyOutcome binary_short(CopyReader *reader)
{
    if (!reader->at_end)
        return COPY_MORE;
    reader->line++;
    FAIL(ERR_BAD_COPY_FILE_FORMAT, .message = STR("unexpected EOF in COPY data"));
}

static CopyOutcome binary_header(CopyReader *reader)
{
    Str rest = str_make(reader->in.data + reader->start, reader->in.length - reader->start);

    if (rest.length < BINARY_HEADER_SIZE && !reader->at_end)
        return COPY_MORE;
    if (rest.length < BINARY_SIGNATURE_SIZE ||
        memcmp(rest.data, BINARY_SIGNATURE, BINARY_SIGNATURE_SIZE) != 0)
        FAIL(ERR_BAD_COPY_FILE_FORMAT, .message = STR("COPY file signature not recognized"));
    if (rest.length < BINARY_HEADER_SIZE)
        FAIL(ERR_BAD_COPY_FILE_FORMAT,
             .message = fmt("invalid COPY file header (missing %s)",
                            rest.length < BINARY_SIGNATURE_SIZE + 4 ? "flags" : "length"));
    uint32_t flags = load32(rest.data + BINARY_SIGNATURE_SIZE);
    uint32_t extension = load32(rest.data + BINARY_SIGNATURE_SIZE + 4);
    if (flags & 0x10000)
        FAIL(ERR_BAD_COPY_FILE_FORMAT, .message = STR("invalid COPY file header (WITH OIDS)"));
    if (flags & 0xffff0000u)
        FAIL(ERR_BAD_COPY_FILE_FORMAT,
             .message = STR("unrecognized critical flags in COPY file header"));
    if (rest.length - BINARY_HEADER_SIZE < extension) {
        if (!reader->at_end)
            return COPY_MORE;
        FAIL(ERR_BAD_COPY_FILE_FORMAT, .message = STR("invalid COPY file header (wrong length)"));
    }
    reader->start += BINARY_HEADER_SIZE + extension;
    reader->saw_header = true;
    return COPY_ROW;
}

static CopyOutcome next_binary(CopyReader *reader, Str *fields, uint32_t *ret_count)
{
    if (reader->saw_marker)
        return COPY_END;
    if (!reader->saw_header) {
        CopyOutcome outcome = binary_header(reader);
        if (outcome != COPY_ROW)
            return outcome;
    }
    Str rest = str_make(reader->in.data + reader->start, reader->in.length - reader->start);
    size_t at = 2;
    if (rest.length == 0 && reader->at_end)
        return COPY_END;
    if (rest.length < 2)
        return binary_short(reader);
    int16_t count = (int16_t)((uint8_t)rest.data[0] << 8 | (uint8_t)rest.data[1]);
    if (count == -1) {
        reader->saw_marker = true;
        return COPY_END;
    }
    if ((uint32_t)count != reader->column_count) {
        reader->line++;
        FAIL(ERR_BAD_COPY_FILE_FORMAT,
             .message = fmt("row field count is %d, expected %u", count, reader->column_count));
    }
    for (int i = 0; i < count; i++) {
        if (rest.length - at < 4)
            return binary_short(reader);
        uint32_t length = load32(rest.data + at);
        at += 4;
        fields[i] = STR_NONE;
        if (length == UINT32_MAX)
            continue;
        if (length > INT32_MAX) {
            reader->line++;
            FAIL(ERR_BAD_COPY_FILE_FORMAT, .message = STR("invalid field size"));
        }
        if (rest.length - at < length)
            return binary_short(reader);
        fields[i] = str_make(rest.data + at, length);
        at += length;
    }
    reader->start += at;
    reader->line++;
    reader->text = STR("");
    *ret_count = (uint32_t)count;
    return COPY_ROW;
}

CopyOutcome copy_reader_next(CopyReader *reader, Str *fields, uint32_t *ret_count)
{
    if (reader->format.form == COPY_BINARY)
        return next_binary(reader, fields, ret_count);
    CopyOutcome outcome = next_text(reader, fields, ret_count);
    bool is_header = reader->format.has_header && reader->line == 1;
    if (outcome == COPY_ROW && *ret_count > reader->column_count && !is_header)
        return fail_extra() ? COPY_ROW : COPY_FAILED;
    return outcome;
}

/* -- Writing --------------------------------------------------------------------------------- */

/* Nothing in it is escaped? A loop that compilers make vectors of. */
static bool is_verbatim(Str value, char delimiter)
{
    uint8_t special = 0;
    for (size_t i = 0; i < value.length; i++) {
        const uint8_t c = (uint8_t)value.data[i];
        special |= (uint8_t)(((uint8_t)(c - '\b') <= '\r' - '\b') | (c == '\\') |
                             (c == (uint8_t)delimiter));
    }
    return !special;
}

static void put_text(StrBuf *out, char delimiter, Str value)
{
    if (is_verbatim(value, delimiter)) {
        strbuf_append(out, value);
        return;
    }
    for (size_t i = 0; i < value.length; i++) {
        char c = value.data[i];
        const char *special = c == '\b'   ? "\\b"
                              : c == '\f' ? "\\f"
                              : c == '\n' ? "\\n"
                              : c == '\r' ? "\\r"
                              : c == '\t' ? "\\t"
                              : c == '\v' ? "\\v"
                                          : NULL;
        if (special) {
            strbuf_append_c(out, special);
            continue;
        }
        if (c == '\\' || c == delimiter)
            strbuf_append_char(out, '\\');
        strbuf_append_char(out, c);
    }
}

static bool needs_quotes(const CopyFormat *format, Str value, bool is_single)
{
    if (str_equal(value, format->null_text) || (is_single && str_equal(value, STR("\\."))))
        return true;
    for (size_t i = 0; i < value.length; i++) {
        char c = value.data[i];
        if (c == format->delimiter || c == format->quote || c == '\n' || c == '\r')
            return true;
    }
    return false;
}

static void put_csv(StrBuf *out, const CopyFormat *format, Str value, bool forced, bool is_single)
{
    if (!forced && !needs_quotes(format, value, is_single)) {
        strbuf_append(out, value);
        return;
    }
    strbuf_append_char(out, format->quote);
    for (size_t i = 0; i < value.length; i++) {
        char c = value.data[i];
        if (c == format->quote || c == format->escape)
            strbuf_append_char(out, format->escape);
        strbuf_append_char(out, c);
    }
    strbuf_append_char(out, format->quote);
}

void copy_put_row(StrBuf *out, const CopyFormat *format, const Str *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            strbuf_append_char(out, format->delimiter);
        if (str_is_none(fields[i]))
            strbuf_append(out, format->null_text);
        else if (format->form == COPY_TEXT)
            put_text(out, format->delimiter, fields[i]);
        else
            put_csv(out, format, fields[i], format->force_quote && format->force_quote[i],
                    count == 1);
    }
    strbuf_append_char(out, '\n');
}

void copy_put_header(StrBuf *out, const CopyFormat *format, const Str *names, uint32_t count)
{
    CopyFormat plain = *format;

    plain.force_quote = NULL;
    copy_put_row(out, &plain, names, count);
}

static void put16(StrBuf *out, uint16_t value)
{
    uint16_t big = __builtin_bswap16(value);
    strbuf_append_bytes(out, &big, sizeof(big));
}

static void put32(StrBuf *out, uint32_t value)
{
    uint32_t big = __builtin_bswap32(value);
    strbuf_append_bytes(out, &big, sizeof(big));
}

void copy_put_binary_start(StrBuf *out)
{
    strbuf_append_bytes(out, BINARY_SIGNATURE, BINARY_SIGNATURE_SIZE);
    put32(out, 0);
    put32(out, 0);
}

void copy_put_binary_row(StrBuf *out, const Str *fields, uint32_t count)
{
    put16(out, (uint16_t)count);
    for (uint32_t i = 0; i < count; i++) {
        put32(out, str_is_none(fields[i]) ? UINT32_MAX : (uint32_t)fields[i].length);
        strbuf_append(out, fields[i]);
    }
}

void copy_put_binary_end(StrBuf *out)
{
    put16(out, UINT16_MAX);
}
