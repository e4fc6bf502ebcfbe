/*
 * COPY's text, csv and binary forms, fed in pieces as a network may cut them: what comes in as a
 * row goes out and comes in again as the same row.
 */
#include "fuzz.h"
#include "protocol/copy_format.h"

#define COLUMNS 3

typedef struct Feed {
    CopyReader *reader;
    Input input;
    uint8_t piece; /* bytes at a time; 0: all at once */
    bool has_ended;
} Feed;

static void feed_more(Feed *feed)
{
    fuzz_require(!feed->has_ended);
    if (feed->input.rest.length == 0) {
        copy_reader_end(feed->reader);
        feed->has_ended = true;
        return;
    }
    copy_reader_feed(feed->reader, input_bytes(&feed->input, feed->piece ? feed->piece : SIZE_MAX));
}

static CopyOutcome next_row(Feed *feed, Str *fields, uint32_t *count)
{
    CopyOutcome outcome;

    while ((outcome = copy_reader_next(feed->reader, fields, count)) == COPY_MORE)
        feed_more(feed);
    return outcome;
}

static bool same_field(Str a, Str b)
{
    return str_is_none(a) == str_is_none(b) && str_equal(a, b);
}

/* A row written is the row read. */
static void read_back(Arena *arena, const CopyFormat *format, const Str *fields)
{
    StrBuf out = strbuf_in(arena);
    Str again[COLUMNS + 1];
    uint32_t count;

    if (format->form == COPY_BINARY) {
        copy_put_binary_start(&out);
        copy_put_binary_row(&out, fields, COLUMNS);
        copy_put_binary_end(&out);
    } else {
        copy_put_row(&out, format, fields, COLUMNS);
    }
    Feed feed = {.reader = copy_reader_new(arena, format, COLUMNS),
                 .input = {.rest = strbuf_view(&out)}};
    const CopyOutcome outcome = next_row(&feed, again, &count);
    fuzz_require(outcome == COPY_ROW && count == COLUMNS);
    for (int i = 0; i < COLUMNS; i++)
        fuzz_require(same_field(fields[i], again[i]));
    copy_reader_free(feed.reader);
}

static CopyFormat format_of(uint8_t options)
{
    static const bool some[COLUMNS] = {true, false, true};
    CopyFormat format = {.form = (CopyForm)(options % 3), .null_text = STR("\\N")};

    format.delimiter = format.form == COPY_CSV ? ',' : '\t';
    format.quote = '"';
    format.escape = options & 64 ? '\\' : '"';
    if (format.form == COPY_CSV) {
        format.null_text = STR("");
        format.force_not_null = options & 4 ? some : NULL;
        format.force_null = options & 8 ? some : NULL;
        format.force_quote = options & 16 ? some : NULL;
    }
    format.has_header = options & 32 && format.form != COPY_BINARY;
    return format;
}

FUZZ_TARGET(data, size)
{
    Input input = input_of(data, size);
    const CopyFormat format = format_of(input_byte(&input));
    const uint8_t piece = input_byte(&input);
    Arena *arena = arena_new("fuzz");
    Feed feed = {copy_reader_new(arena, &format, COLUMNS), input, piece, false};
    Str fields[COLUMNS + 1];
    uint32_t count;

    while (next_row(&feed, fields, &count) == COPY_ROW) {
        copy_reader_text(feed.reader);
        /* A header may have any number of names; of the others no row has too many fields. */
        fuzz_require(count <= COLUMNS || (format.has_header && copy_reader_line(feed.reader) == 1));
        if (count == COLUMNS && !format.force_null && !format.force_not_null)
            read_back(arena, &format, fields);
    }
    copy_reader_free(feed.reader);
    arena_free(arena);
    error_clear();
    return 0;
}
