/*
 * Every decoder of src/protocol on bytes that nobody chose. The first byte says which, the second
 * where the rest is cut in two, as a network may cut it anywhere.
 */
#include <stdlib.h>

#include "base/error.h"
#include "protocol/copy_format.h"
#include "protocol/hba.h"
#include "protocol/message.h"
#include "protocol/scram.h"
#include "protocol/startup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_frames(Str stream)
{
    Frame frame = {0};

    for (int i = 0; i < 100 && frame_next(stream, i % 2, &frame) == FRAME_WHOLE; i++) {
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

static void read_copy(Arena *arena, Str first, Str second, CopyForm form)
{
    CopyFormat format = {.form = form,
                         .delimiter = form == COPY_CSV ? ',' : '\t',
                         .quote = '"',
                         .escape = form == COPY_CSV && first.length % 2 ? '\\' : '"',
                         .null_text = STR("\\N")};
    CopyReader *reader = copy_reader_new(arena, &format, 3);
    Str fields[4];
    uint32_t count;
    int fed = 0;

    for (;;) {
        CopyOutcome outcome = copy_reader_next(reader, fields, &count);
        if (outcome == COPY_FAILED || outcome == COPY_END)
            break;
        if (outcome == COPY_ROW) {
            StrBuf out = strbuf_in(arena);
            if (form == COPY_BINARY)
                copy_put_binary_row(&out, fields, 3);
            else if (count == 3)
                copy_put_row(&out, &format, fields, 3);
            continue;
        }
        if (fed == 0)
            copy_reader_feed(reader, first);
        else if (fed == 1)
            copy_reader_feed(reader, second);
        else
            copy_reader_end(reader);
        fed++;
    }
    copy_reader_free(reader);
    error_clear();
}

static void log_in(Arena *arena, Str first, Str second)
{
    static const byte secret[16];
    Scram *scram = scram_begin(arena, STR_NONE, first.length % 2 ? STR("hash") : STR_NONE,
                               STR("user"), secret);
    Str reply, bytes;

    if (scram_first(scram, first.length % 2 ? STR("SCRAM-SHA-256-PLUS") : STR("SCRAM-SHA-256"),
                    first, &reply) == SCRAM_CONTINUE &&
        scram_final(scram, second, &reply) == SCRAM_CONTINUE)
        abort(); /* nobody has a password */
    error_clear();
    if (scram_is_verifier(first) && scram_verify_password(arena, first, second) &&
        second.length == 0)
        error_clear();
    if (base64_decode(arena, first, &bytes) && !str_equal(base64_encode(arena, bytes), first) &&
        first.length < 4)
        abort();
}

static void read_rules(Str text)
{
    Hba *hba = hba_parse(text, STR("hba.conf"));

    if (hba)
        hba_trusts_others(hba);
    hba_free(hba);
    error_clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    Arena *arena = arena_new("fuzz");
    Str rest = str_make(data + 2, size - 2);
    size_t cut = rest.length ? data[1] % (rest.length + 1) : 0;
    Str first = str_slice(rest, 0, cut), second = str_slice(rest, cut, rest.length);

    switch (data[0] % 7) {
    case 0:
        read_frames(rest);
        break;
    case 1:
        read_startup(arena, rest);
        break;
    case 2:
    case 3:
    case 4:
        read_copy(arena, first, second, (CopyForm)(data[0] % 7 - 2));
        break;
    case 5:
        log_in(arena, first, second);
        break;
    default:
        read_rules(rest);
    }
    arena_free(arena);
    return 0;
}
