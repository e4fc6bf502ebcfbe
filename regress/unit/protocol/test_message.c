#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/message.h"

static FrameOutcome next(const char *bytes, size_t length, bool logged_in, Frame *frame)
{
    return frame_next(str_make(bytes, length), logged_in, frame);
}

static void whole_messages_are_found(void **state)
{
    Frame frame = {0};

    (void)state;
    assert_int_equal(next("Q\0\0\0\x0bSELECT\0rest", 16, true, &frame), FRAME_WHOLE);
    assert_int_equal(frame.type, 'Q');
    assert_int_equal(frame.size, 12);
    assert_int_equal(frame.body.length, 7);
    assert_int_equal(next("S\0\0\0\x04", 5, true, &frame), FRAME_WHOLE);
    assert_int_equal(frame.body.length, 0);
}

static void parts_of_messages_wait(void **state)
{
    static const char whole[] = "Q\0\0\0\x08"
                                "abc";
    Frame frame = {0};

    (void)state;
    for (size_t length = 0; length < sizeof(whole); length++)
        assert_int_equal(next(whole, length, true, &frame), FRAME_PARTIAL);
    assert_int_equal(frame.size, 9);
}

static void lengths_are_bounded(void **state)
{
    static const char *const wrong[] = {"Q\0\0\0\x03", "Q\x7f\xff\xff\xff", "Q\xff\xff\xff\xff",
                                        "S\0\0\x30\0", "p\0\x01\x00\x04"};
    Frame frame;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        assert_int_equal(next(wrong[i], 5, true, &frame), FRAME_INVALID);
        assert_int_equal(error_fields()->sqlstate, ERR_PROTOCOL_VIOLATION);
        assert_int_equal(error_fields()->severity, SEVERITY_FATAL);
        error_clear();
    }
    assert_int_equal(next("Q\x3f\xff\xff\xff", 5, true, &frame), FRAME_PARTIAL);
    assert_int_equal(frame.size, 0x40000000);
}

static void only_passwords_come_before_the_login(void **state)
{
    Frame frame;

    (void)state;
    assert_int_equal(next("p\0\0\0\x06x\0", 7, false, &frame), FRAME_WHOLE);
    assert_int_equal(next("Q\0\0\0\x05\0", 6, false, &frame), FRAME_INVALID);
    assert_true(
        str_equal(error_fields()->message, STR("expected password response, got message type 81")));
    error_clear();
    for (int type = 0; type < 256; type++) {
        const char bytes[] = {(char)type, 0, 0, 0, 4};
        if (next(bytes, 5, true, &frame) == FRAME_INVALID) {
            error_clear();
            assert_null(type ? strchr("QPBFdpCDEHSXcf", type) : NULL);
        }
    }
}

static void startup_packets_are_bounded(void **state)
{
    Frame frame;

    (void)state;
    assert_int_equal(frame_next_startup(str_make("\0\0\0\x08\x04\xd2\x16\x2f", 8), &frame),
                     FRAME_WHOLE);
    assert_int_equal(frame.body.length, 4);
    assert_int_equal(frame_next_startup(str_make("\0\0\0\x07"
                                                 "abc",
                                                 7),
                                        &frame),
                     FRAME_INVALID);
    error_clear();
    assert_int_equal(frame_next_startup(str_make("\0\0\x27\x11", 4), &frame), FRAME_INVALID);
    error_clear();
    assert_int_equal(frame_next_startup(str_make("\0\0\x27\x10", 4), &frame), FRAME_PARTIAL);
    assert_int_equal(frame_next_startup(str_make("\0\0", 2), &frame), FRAME_PARTIAL);
}

static void fields_are_read_in_order(void **state)
{
    MessageReader in = message_reader(str_make("\x01\x02\x03\xff\xff\xff\xfename\0xyz", 15));

    (void)state;
    assert_int_equal(message_get_int8(&in), 1);
    assert_int_equal(message_get_int16(&in), 0x0203);
    assert_int_equal(message_get_int32(&in), 0xfffffffe);
    assert_true(str_equal(message_get_string(&in), STR("name")));
    assert_false(message_done(&in));
    assert_true(str_equal(error_fields()->message, STR("invalid message format")));
    error_clear();
    assert_true(str_equal(message_get_bytes(&in, 3), STR("xyz")));
    assert_true(message_done(&in));
}

static void reading_past_the_end_fails_once_and_for_all(void **state)
{
    MessageReader in = message_reader(str_make("\0\0\x01", 3));

    (void)state;
    assert_int_equal(message_get_int32(&in), 0);
    assert_int_equal(message_get_int8(&in), 0);
    assert_int_equal(message_get_string(&in).length, 0);
    assert_int_equal(message_get_bytes(&in, SIZE_MAX).length, 0);
    assert_false(message_done(&in));
    assert_true(str_equal(error_fields()->message, STR("insufficient data left in message")));
    error_clear();
    in = message_reader(STR("no end"));
    assert_int_equal(message_get_string(&in).length, 0);
    assert_false(message_done(&in));
    assert_true(str_equal(error_fields()->message, STR("invalid string in message")));
    error_clear();
}

static void messages_are_built_with_their_length(void **state)
{
    MessageOut out = {0};

    (void)state;
    message_begin(&out, 'D');
    message_put_int16(&out, 1);
    message_put_int32(&out, 3);
    message_put_bytes(&out, STR("abc"));
    message_end(&out);
    message_put_ready(&out, 'I');
    assert_int_equal(out.buffer.length, 14 + 6);
    assert_memory_equal(out.buffer.data,
                        "D\0\0\0\x0d\0\x01\0\0\0\x03"
                        "abcZ\0\0\0\x05I",
                        20);
    message_begin(&out, 'T');
    message_put_string(&out, STR("dropped"));
    message_cancel(&out);
    assert_int_equal(out.buffer.length, 20);
    strbuf_deinit(&out.buffer);
}

static void errors_carry_the_fields_that_are_set(void **state)
{
    MessageOut out = {0};

    (void)state;
    message_put_error(&out, &(ErrorFields){.severity = SEVERITY_ERROR,
                                           .sqlstate = ERR_UNIQUE_VIOLATION,
                                           .message = STR("m"),
                                           .detail = STR("d"),
                                           .position = 7,
                                           .constraint_name = STR("c"),
                                           .file = "a/b/file.c",
                                           .line = 3});
    assert_memory_equal(out.buffer.data + 5,
                        "SERROR\0VERROR\0C23505\0Mm\0Dd\0nc\0P7\0Ffile.c\0L3\0", 45);
    assert_int_equal(out.buffer.data[0], 'E');
    out.buffer.length = 0;
    message_put_error(&out, &(ErrorFields){.severity = SEVERITY_NOTICE, .message = STR("n")});
    assert_int_equal(out.buffer.data[0], 'N');
    strbuf_deinit(&out.buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_messages_are_found),
        cmocka_unit_test(parts_of_messages_wait),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(only_passwords_come_before_the_login),
        cmocka_unit_test(startup_packets_are_bounded),
        cmocka_unit_test(fields_are_read_in_order),
        cmocka_unit_test(reading_past_the_end_fails_once_and_for_all),
        cmocka_unit_test(messages_are_built_with_their_length),
        cmocka_unit_test(errors_carry_the_fields_that_are_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
