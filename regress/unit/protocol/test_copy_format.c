/* COPY's forms: every text is cut at every place, and comes out the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "protocol/copy_format.h"

static const CopyFormat text_format = {
    .form = COPY_TEXT, .delimiter = '\t', .null_text = {"\\N", 2}};
static const CopyFormat csv_format = {
    .form = COPY_CSV, .delimiter = ',', .quote = '"', .escape = '"', .null_text = {"", 0}};

/* Rows as "[a|b][c|<null>]", fed in two parts. "!": an error. */
static Str read_rows(Arena *arena, const CopyFormat *format, Str data, size_t cut_at,
                     uint32_t columns)
{
    CopyReader *reader = copy_reader_new(arena, format, columns);
    StrBuf out = strbuf_in(arena);
    Str *fields = ARENA_ARRAY(arena, Str, columns + 1);
    int fed = 0;

    for (;;) {
        uint32_t count = 0;
        CopyOutcome outcome = copy_reader_next(reader, fields, &count);
        if (outcome == COPY_MORE) {
            if (fed == 0)
                copy_reader_feed(reader, str_slice(data, 0, cut_at));
            else if (fed == 1)
                copy_reader_feed(reader, str_slice(data, cut_at, data.length));
            else
                copy_reader_end(reader);
            fed++;
            continue;
        }
        if (outcome != COPY_ROW) {
            if (outcome == COPY_FAILED) {
                strbuf_append_char(&out, '!');
                error_clear();
            }
            break;
        }
        for (uint32_t i = 0; i < count; i++) {
            strbuf_append_char(&out, i ? '|' : '[');
            strbuf_append(&out, str_is_none(fields[i]) ? STR("<null>") : fields[i]);
        }
        strbuf_append_char(&out, ']');
    }
    copy_reader_free(reader);
    return strbuf_view(&out);
}

typedef struct ReadCase {
    const char *data, *rows;
} ReadCase;

static void expect_rows(const CopyFormat *format, const ReadCase *cases, size_t count,
                        uint32_t columns)
{
    for (size_t i = 0; i < count; i++) {
        Str data = str_from_c(cases[i].data);
        for (size_t cut = 0; cut <= data.length; cut++) {
            Arena *arena = arena_new("test");
            Str rows = read_rows(arena, format, data, cut, columns);
            assert_string_equal(str_to_c(arena, rows), cases[i].rows);
            arena_free(arena);
        }
    }
}

static void text_is_read(void **state)
{
    static const ReadCase cases[] = {
        {"a\tb\n", "[a|b]"},
        {"a\tb", "[a|b]"},
        {"\t\n", "[|]"},
        {"\\N\tx\n", "[<null>|x]"},
        {"a\\tb\t\\\\N\n", "[a\tb|\\N]"},
        {"\\x41\\101\t\\q\n", "[AA|q]"},
        {"a\tb\n\\.\nc\td\n", "[a|b]"},
        {"1\t2\n3\t4\n", "[1|2][3|4]"},
        {"a\tb\\\nc\n", "[a|b\nc]"},
        {"", ""},
        {"\\b\\f\\n\\r\\v\t\\x4\n", "[\b\f\n\r\v|\x04]"},
    };

    (void)state;
    expect_rows(&text_format, cases, ARRAY_LENGTH(cases), 2);
}

/* The first line tells how lines end; what ends otherwise is a fault. */
static void lines_end_alike(void **state)
{
    static const ReadCase cases[] = {
        {"a\tb\r\nc\td\r\n", "[a|b][c|d]"},   {"a\tb\rc\td\r", "[a|b][c|d]"},
        {"a\tb\rc\td", "[a|b][c|d]"},         {"a\tb\nc\td\r\n", "[a|b]!"},
        {"a\tb\r\nc\td\n", "[a|b]!"},         {"a\tb\rc\td\n", "[a|b]!"},
        {"a\tb\\\r\nc\td\n", "[a|b\r][c|d]"}, {"a\tb\\.\nc\td\n", "[a|b]"},
        {"a\tb\r\n\\.\r\nc\td\r\n", "[a|b]"}, {"a\tb\n\\.x\n", "[a|b]!"},
        {"a\tb\n\\.\r\n", "[a|b]!"},          {"a\tb\n\\.", "[a|b]!"},
    };

    (void)state;
    expect_rows(&text_format, cases, ARRAY_LENGTH(cases), 2);
}

/* Whether or not a line is plain, it is cut in the same places. */
static void plain_lines_are_like_others(void **state)
{
    static const ReadCase cases[] = {
        {"\xc3\xa4|\n", "[\xc3\xa4|]"},
        {"||x|\n", "[||<null>|]"},
        {"x|xx|\xc3\xa4x|x\n", "[<null>|xx|\xc3\xa4x|<null>]"},
        {"x\n\n|\n", "[<null>][][|]"},
        {"a|b|c|d\r\nx|\\||\r\n", "[a|b|c|d][<null>|||]"},
    };
    const CopyFormat format = {.form = COPY_TEXT, .delimiter = '|', .null_text = {"x", 1}};

    (void)state;
    expect_rows(&format, cases, ARRAY_LENGTH(cases), 4);
}

/* Everything that is told of the rows, fed in parts of `size` bytes. */
static Str describe_rows(Arena *arena, const CopyFormat *format, Str data, size_t size)
{
    CopyReader *reader = copy_reader_new(arena, format, 3);
    StrBuf out = strbuf_in(arena);
    Str fields[3];
    size_t fed = 0;

    for (;;) {
        uint32_t count = 0;
        const CopyOutcome outcome = copy_reader_next(reader, fields, &count);
        if (outcome == COPY_MORE && fed < data.length) {
            copy_reader_feed(reader, str_slice(data, fed, size));
            fed += size;
            continue;
        }
        if (outcome == COPY_MORE) {
            copy_reader_end(reader);
            continue;
        }
        const Str text = copy_reader_text(reader);
        strbuf_format(&out, "%d at %llu, %u fields of %d bytes, %d:", (int)outcome,
                      (unsigned long long)copy_reader_line(reader), count, (int)text.length,
                      outcome == COPY_ROW && copy_reader_is_plain(reader));
        for (uint32_t i = 0; i < MIN(count, 3u) && outcome == COPY_ROW; i++)
            strbuf_format(&out, "<%.*s>",
                          STR_ARGS(str_is_none(fields[i]) ? STR("NULL") : fields[i]));
        strbuf_append_char(&out, '\n');
        if (outcome != COPY_ROW)
            break;
    }
    if (error_is_set())
        error_clear();
    copy_reader_free(reader);
    return strbuf_view(&out);
}

/* What comes byte by byte is looked at by bytes, and what has come whole in larger pieces. */
static void pieces_make_no_difference(void **state)
{
    static const char *const parts[] = {"plain",    "a longer one, of more than 16 bytes",
                                        "|",        "|",
                                        "\n",       "x",
                                        "\\|",      "\\N",
                                        "\xc3\xa4", "\r",
                                        "\\.\n",    "\\"};
    const CopyFormat formats[] = {{.form = COPY_TEXT, .delimiter = '|', .null_text = {"\\N", 2}},
                                  {.form = COPY_TEXT, .delimiter = '|', .null_text = {"x", 1}}};
    uint32_t random = 1;

    (void)state;
    for (uint32_t round = 0; round < 3000; round++) {
        Arena *arena = arena_new("test");
        StrBuf data = strbuf_in(arena);
        for (uint32_t i = 0; i < 30; i++) {
            random = random * 1664525 + 1013904223;
            const uint32_t drawn = random >> 16;
            /* Mostly the first few, so that there are many plain lines. */
            const bool is_rare = drawn % 64 == 0;
            const size_t at = is_rare ? drawn / 64 % ARRAY_LENGTH(parts) : drawn / 64 % 6;
            strbuf_append_c(&data, parts[at]);
        }
        const CopyFormat *format = &formats[round % 2];
        const Str whole = describe_rows(arena, format, strbuf_view(&data), data.length);
        const Str bytes = describe_rows(arena, format, strbuf_view(&data), 1);
        assert_string_equal(str_to_c(arena, whole), str_to_c(arena, bytes));
        arena_free(arena);
    }
}

static void plain_is_ascii_without_escapes(void **state)
{
    static const struct {
        Str line;
        bool text, csv;
    } cases[] = {
        {{"plain\n", 6}, true, true},
        {{"a\\b\n", 4}, false, true},
        {{"\xc3\xa4\n", 3}, false, false},
        {{"a\0b\n", 4}, false, false},
        {{"a long line; longer than any word \xff\n", 36}, false, false},
    };

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(cases); i++) {
        const bool is_csv = i % 2;
        Arena *arena = arena_new("test");
        CopyReader *reader = copy_reader_new(arena, is_csv ? &csv_format : &text_format, 1);
        Str field;
        uint32_t count;
        copy_reader_feed(reader, cases[i / 2].line);
        assert_int_equal(copy_reader_next(reader, &field, &count), COPY_ROW);
        assert_int_equal(copy_reader_is_plain(reader),
                         is_csv ? cases[i / 2].csv : cases[i / 2].text);
        copy_reader_free(reader);
        arena_free(arena);
    }
}

static void csv_is_read(void **state)
{
    static const ReadCase cases[] = {
        {"a,b\n", "[a|b]"},         {"\"a,b\",\"c\"\"d\"\n", "[a,b|c\"d]"},
        {",\"\"\n", "[<null>|]"},   {"\"two\nlines\",x\n", "[two\nlines|x]"},
        {"a,b", "[a|b]"},           {"\"open,x\n", "!"},
        {"a,\" b \"\n", "[a| b ]"}, {"x\"y\"z,\"1\"2\n", "[xyz|12]"},
    };

    (void)state;
    expect_rows(&csv_format, cases, ARRAY_LENGTH(cases), 2);
}

static void what_is_written_is_read_again(void **state)
{
    static const Str values[] = {
        {"plain", 5}, {"", 0},           {0},        {"tab\tand\nline\r", 13}, {"\\N", 2},
        {"\\.", 2},   {"\"quoted\"", 8}, {"a,b", 3}, {"\b\f\v\\", 4},          {" ", 1}};
    const CopyFormat *const formats[] = {&text_format, &csv_format};

    (void)state;
    for (size_t f = 0; f < ARRAY_LENGTH(formats); f++) {
        for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
            for (size_t k = 0; k < ARRAY_LENGTH(values); k++) {
                Arena *arena = arena_new("test");
                Str row[2] = {values[i], values[k]}, fields[3];
                StrBuf out = strbuf_in(arena);
                uint32_t count = 0;
                copy_put_row(&out, formats[f], row, 2);
                CopyReader *reader = copy_reader_new(arena, formats[f], 2);
                copy_reader_feed(reader, strbuf_view(&out));
                copy_reader_end(reader);
                assert_int_equal(copy_reader_next(reader, fields, &count), COPY_ROW);
                assert_int_equal(count, 2);
                for (int c = 0; c < 2; c++) {
                    assert_int_equal(str_is_none(fields[c]), str_is_none(row[c]));
                    assert_true(str_is_none(row[c]) || str_equal(fields[c], row[c]));
                }
                copy_reader_free(reader);
                arena_free(arena);
            }
        }
    }
}

static void binary_goes_round(void **state)
{
    const CopyFormat format = {.form = COPY_BINARY};
    Arena *arena = arena_new("test");
    StrBuf out = strbuf_in(arena);
    const Str row[2] = {STR("\x01\x02"), STR_NONE};

    (void)state;
    copy_put_binary_start(&out);
    for (int i = 0; i < 3; i++)
        copy_put_binary_row(&out, row, 2);
    copy_put_binary_end(&out);
    Str data = strbuf_view(&out);
    for (size_t cut = 0; cut <= data.length; cut++)
        assert_true(str_equal(read_rows(arena, &format, data, cut, 2),
                              STR("[\x01\x02|<null>][\x01\x02|<null>][\x01\x02|<null>]")));
    for (size_t length = 0; length < data.length; length++) {
        Str rows = read_rows(arena, &format, str_slice(data, 0, length), 0, 2);
        assert_true(rows.length == 0 || str_ends_with(rows, STR("!")) ||
                    str_ends_with(rows, STR("]")));
    }
    assert_true(
        str_equal(read_rows(arena, &format, STR("not the signature at all"), 3, 2), STR("!")));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_read),
        cmocka_unit_test(lines_end_alike),
        cmocka_unit_test(plain_lines_are_like_others),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(plain_is_ascii_without_escapes),
        cmocka_unit_test(csv_is_read),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(binary_goes_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
