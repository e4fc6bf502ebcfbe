/* uuid: sixteen bytes. */
#include "base/os.h"
#include "types/types_internal.h"

/* Groups of four digits may be parted by hyphens, the whole braced, as PostgreSQL reads them. */
bool uuid_input(const TypeIo *io, Str text, Value *ret)
{
    size_t at = 0;
    const bool braces = text.length > 0 && text.data[0] == '{';

    if (braces)
        at++;
    for (int i = 0; i < 16; i++) {
        int v = 0;
        for (int half = 0; half < 2; half++, at++) {
            const char c = at < text.length ? ascii_lower(text.data[at]) : 0;
            if (is_digit(c))
                v = v << 4 | (c - '0');
            else if (c >= 'a' && c <= 'f')
                v = v << 4 | (c - 'a' + 10);
            else
                FAIL_SYNTAX("uuid", text);
        }
        ret->fixed16[i] = (byte)v;
        if (i % 2 == 1 && i < 15 && at < text.length && text.data[at] == '-')
            at++;
    }
    if (braces) {
        if (at >= text.length || text.data[at] != '}')
            FAIL_SYNTAX("uuid", text);
        at++;
    }
    if (at != text.length)
        FAIL_SYNTAX("uuid", text);
    return true;
}

bool uuid_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    char *to = strbuf_reserve(out, 36);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = "0123456789abcdef"[value->fixed16[i] >> 4];
        *to++ = "0123456789abcdef"[value->fixed16[i] & 15];
    }
    strbuf_advance(out, 36);
    return true;
}

bool uuid_receive(const TypeIo *io, Str bytes, Value *ret)
{
    NEED_BYTES(bytes, 16);
    memcpy(ret->fixed16, bytes.data, 16);
    return true;
}

bool uuid_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    strbuf_append_bytes(out, value->fixed16, 16);
    return true;
}

int uuid_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    return memcmp(a->fixed16, b->fixed16, 16);
}

uint64_t uuid_hash(const BuiltinType *type, const Value *value)
{
    return hash_bytes(value->fixed16, 16);
}

/* Version 4, variant 1. */
FUNCTION(gen_random_uuid)
{
    os->random(ret->fixed16, 16);
    ret->fixed16[6] = (byte)((ret->fixed16[6] & 0x0f) | 0x40);
    ret->fixed16[8] = (byte)((ret->fixed16[8] & 0x3f) | 0x80);
    return true;
}
