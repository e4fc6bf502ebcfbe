/*
 * inet: an address of either family with its netmask.
 *
 * Kept as family (2, 3), network part, bits, address: in that order bytes compare as the type does.
 */
#include <arpa/inet.h>

#include "types/types_internal.h"

enum { FAMILY_V4 = 2, FAMILY_V6 = 3 };

typedef struct Inet {
    byte family;
    byte bits;
    byte size; /* of the address */
    byte address[16];
} Inet;

static bool inet_pack(const TypeIo *io, const Inet *inet, Value *ret)
{
    byte image[2 + 32];
    size_t length = 0;

    image[length++] = inet->family;
    for (int i = 0; i < inet->size; i++) {
        const int kept = inet->bits - 8 * i;
        const int mask = kept >= 8 ? 0xff : kept <= 0 ? 0 : 0xff << (8 - kept);
        image[length++] = (byte)(inet->address[i] & mask);
    }
    image[length++] = inet->bits;
    memcpy(image + length, inet->address, inet->size);
    length += inet->size;
    ret->var = var_from_str(str_copy(io->arena, (Str){(const char *)image, length}));
    return true;
}

static Inet inet_unpack(const Value *value)
{
    const Str image = var_str(value->var);
    Inet inet = {.family = (byte)image.data[0]};

    inet.size = inet.family == FAMILY_V4 ? 4 : 16;
    inet.bits = (byte)image.data[1 + inet.size];
    memcpy(inet.address, image.data + 2 + inet.size, inet.size);
    return inet;
}

static bool parse_bits(Str text, int limit, byte *ret_bits)
{
    int bits = 0;

    if (text.length == 0 || text.length > 3)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (!is_digit(text.data[i]))
            return false;
        bits = bits * 10 + (text.data[i] - '0');
    }
    *ret_bits = (byte)bits;
    return bits <= limit;
}

bool inet_input(const TypeIo *io, Str text, Value *ret)
{
    char address[INET6_ADDRSTRLEN];
    const size_t slash = MIN(str_find_char(text, '/', 0), text.length);
    const bool is_v6 = str_find_char(text, ':', 0) != SIZE_MAX;
    Inet inet = {.family = is_v6 ? FAMILY_V6 : FAMILY_V4, .size = is_v6 ? 16 : 4};

    inet.bits = (byte)(inet.size * 8);
    if (slash >= sizeof(address))
        FAIL_SYNTAX("inet", text);
    memcpy(address, text.data, slash);
    address[slash] = 0;
    if (inet_pton(is_v6 ? AF_INET6 : AF_INET, address, inet.address) != 1)
        FAIL_SYNTAX("inet", text);
    if (slash < text.length &&
        !parse_bits(str_slice(text, slash + 1, text.length), inet.size * 8, &inet.bits))
        FAIL_SYNTAX("inet", text);
    return inet_pack(io, &inet, ret);
}

static void append_address(const Inet *inet, StrBuf *out)
{
    char address[INET6_ADDRSTRLEN];

    inet_ntop(inet->family == FAMILY_V6 ? AF_INET6 : AF_INET, inet->address, address,
              sizeof(address));
    strbuf_append_c(out, address);
}

bool inet_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    const Inet inet = inet_unpack(value);

    append_address(&inet, out);
    if (inet.bits != inet.size * 8)
        strbuf_format(out, "/%d", inet.bits);
    return true;
}

bool inet_receive(const TypeIo *io, Str bytes, Value *ret)
{
    const byte *p = (const byte *)bytes.data;
    Inet inet = {0};

    if (bytes.length < 4)
        FAIL(ERR_PROTOCOL_VIOLATION, .message = STR("insufficient data left in message"));
    inet.family = p[0];
    inet.bits = p[1];
    inet.size = inet.family == FAMILY_V4 ? 4 : 16;
    if (inet.family != FAMILY_V4 && inet.family != FAMILY_V6)
        FAIL(ERR_INVALID_BINARY_REPRESENTATION,
             .message = STR("invalid address family in external \"inet\" value"));
    if (inet.bits > inet.size * 8)
        FAIL(ERR_INVALID_BINARY_REPRESENTATION,
             .message = STR("invalid bits in external \"inet\" value"));
    if (p[3] != inet.size)
        FAIL(ERR_INVALID_BINARY_REPRESENTATION,
             .message = STR("invalid length in external \"inet\" value"));
    NEED_BYTES(bytes, 4u + inet.size);
    memcpy(inet.address, p + 4, inet.size);
    return inet_pack(io, &inet, ret);
}

bool inet_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    const Inet inet = inet_unpack(value);
    const byte head[4] = {inet.family, inet.bits, 0, inet.size};

    strbuf_append_bytes(out, head, sizeof(head));
    strbuf_append_bytes(out, inet.address, inet.size);
    return true;
}

FUNCTION(network_host)
{
    const Inet inet = inet_unpack(&args[0]);
    StrBuf out = strbuf_in(call->arena);

    append_address(&inet, &out);
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(network_show)
{
    const Inet inet = inet_unpack(&args[0]);
    StrBuf out = strbuf_in(call->arena);

    append_address(&inet, &out);
    strbuf_format(&out, "/%d", inet.bits);
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(network_family)
{
    ret->int32 = inet_unpack(&args[0]).family == FAMILY_V4 ? 4 : 6;
    return true;
}

FUNCTION(network_masklen)
{
    ret->int32 = inet_unpack(&args[0]).bits;
    return true;
}
