/* Framing and the startup packet, on bytes that nobody chose. */
#include "fuzz.h"
#include "protocol/message.h"
#include "protocol/startup.h"

static void read_frames(Str stream, bool is_logged_in)
{
    Frame frame = {0};

    for (int i = 0; i < 100 && frame_next(stream, is_logged_in, &frame) == FRAME_WHOLE; i++) {
        fuzz_require(frame.size <= stream.length && frame.body.length < frame.size);
        MessageReader in = message_reader(frame.body);
        message_get_string(&in);
        message_get_int16(&in);
        message_get_bytes(&in, message_get_int32(&in));
        message_get_int8(&in);
        if (!message_done(&in))
            error_clear();
        stream = str_slice(stream, frame.size, stream.length);
    }
    error_clear();
}

static void read_startup(Arena *arena, Str stream)
{
    Frame frame;
    Startup startup = {0};
    MessageOut out = {0};

    if (frame_next_startup(stream, &frame) == FRAME_WHOLE &&
        startup_parse(frame.body, arena, &startup) == STARTUP_SESSION)
        startup_put_negotiation(&out, &startup);
    strbuf_deinit(&out.buffer);
    error_clear();
}

FUZZ_TARGET(data, size)
{
    Input input = input_of(data, size);
    const uint8_t kind = input_byte(&input) % 3;
    Arena *arena = arena_new("fuzz");

    if (kind == 0)
        read_startup(arena, input.rest);
    else
        read_frames(input.rest, kind == 1);
    arena_free(arena);
    return 0;
}
