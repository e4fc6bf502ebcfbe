#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "protocol/startup.h"

static Arena *arena;
static Startup startup;

/* A packet's body from its code and its pairs, in which '|' stands for NUL. */
static StartupKind parse(uint32_t code, const char *pairs)
{
    StrBuf body = strbuf_in(arena);

    startup = (Startup){0};
    for (int shift = 24; shift >= 0; shift -= 8)
        strbuf_append_char(&body, (char)(code >> shift));
    for (; *pairs; pairs++)
        strbuf_append_char(&body, *pairs == '|' ? '\0' : *pairs);
    return startup_parse(strbuf_view(&body), arena, &startup);
}

static void sessions_have_a_user_and_options(void **state)
{
    (void)state;
    assert_int_equal(parse(196608, "user|ann|database|shop|application_name|x y|DateStyle|ISO||"),
                     STARTUP_SESSION);
    assert_true(str_equal(startup.user, STR("ann")));
    assert_true(str_equal(startup.database, STR("shop")));
    assert_int_equal(startup.options.length, 2);
    assert_true(str_equal(startup.options.items[0].name, STR("application_name")));
    assert_true(str_equal(startup.options.items[0].value, STR("x y")));
    assert_int_equal(parse(196608, "user|ann||"), STARTUP_SESSION);
    assert_true(str_equal(startup.database, STR("ann")));
}

static void command_line_options_are_split(void **state)
{
    (void)state;
    assert_int_equal(
        parse(196608,
              "user|a|options|-c work_mem=1MB  -cenable_seqscan=off --search-path=a\\ b\\\\||"),
        STARTUP_SESSION);
    assert_int_equal(startup.options.length, 3);
    assert_true(str_equal(startup.options.items[0].value, STR("1MB")));
    assert_true(str_equal(startup.options.items[1].name, STR("enable_seqscan")));
    assert_true(str_equal(startup.options.items[2].name, STR("search_path")));
    assert_true(str_equal(startup.options.items[2].value, STR("a b\\")));
    static const char *const wrong[] = {"user|a|options|-c||", "user|a|options|-c x||",
                                        "user|a|options|word||", "user|a|options|--x||"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        assert_int_equal(parse(196608, wrong[i]), STARTUP_INVALID);
        assert_int_equal(error_fields()->sqlstate, ERR_SYNTAX_ERROR);
        error_clear();
    }
}

static void requests_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(parse(80877103, ""), STARTUP_SSL_REQUEST);
    assert_int_equal(parse(80877104, ""), STARTUP_GSS_REQUEST);
    assert_int_equal(
        startup_parse(str_make("\x04\xd2\x16\x2e\0\0\0\x05\xff\xff\xff\xff", 12), arena, &startup),
        STARTUP_CANCEL);
    assert_int_equal(startup.process_id, 5);
    assert_int_equal(startup.secret, -1);
    assert_int_equal(startup_parse(str_make("\x04\xd2\x16\x2e\0\0\0\x05", 8), arena, &startup),
                     STARTUP_INVALID);
    error_clear();
}

static void other_protocols_are_refused_and_newer_ones_negotiated(void **state)
{
    MessageOut out = {0};

    (void)state;
    assert_int_equal(parse(0x00020000, "user|a||"), STARTUP_INVALID);
    assert_true(str_equal(error_fields()->message,
                          STR("unsupported frontend protocol 2.0: server supports 3.0 to 3.0")));
    error_clear();
    assert_int_equal(parse(196608, "user|a||"), STARTUP_SESSION);
    assert_false(startup_put_negotiation(&out, &startup));
    assert_int_equal(parse(196610, "user|a|_pq_.new|1||"), STARTUP_SESSION);
    assert_true(startup_put_negotiation(&out, &startup));
    assert_int_equal(out.buffer.length, 22);
    assert_memory_equal(out.buffer.data, "v\0\0\0\x15\0\x03\0\0\0\0\0\x01_pq_.new", 22);
    strbuf_deinit(&out.buffer);
}

static void malformed_packets_are_refused(void **state)
{
    static const char *const wrong[] = {"",  "user|a|", "user|a",        "user",
                                        "|", "user||",  "user|a||extra", "database|x||"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        assert_int_equal(parse(196608, wrong[i]), STARTUP_INVALID);
        assert_int_equal(error_fields()->severity, SEVERITY_FATAL);
        error_clear();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_have_a_user_and_options),
        cmocka_unit_test(command_line_options_are_split),
        cmocka_unit_test(requests_are_told_apart),
        cmocka_unit_test(other_protocols_are_refused_and_newer_ones_negotiated),
        cmocka_unit_test(malformed_packets_are_refused),
    };

    arena = arena_new("test");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
