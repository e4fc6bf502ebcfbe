/*
 * inet and cidr: an address of either family with its netmask; of a cidr only the network is set.
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

static bool inet_pack(Arena *arena, const Inet *inet, Value *ret)
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
    ret->var = var_from_str(str_copy(arena, (Str){(const char *)image, length}));
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

    if (text.length == 0 || text.length > 3 || (text.length > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (!is_digit(text.data[i]))
            return false;
        bits = bits * 10 + (text.data[i] - '0');
    }
    *ret_bits = (byte)bits;
    return bits <= limit;
}

/* One to four octets, the rest zero; false: malformed. */
static bool parse_octets(Str text, byte *address, int *ret_count)
{
    int count = 0;
    for (size_t at = 0; at < text.length; count++) {
        int value = 0;
        const size_t start = at;
        for (; at < text.length && is_digit(text.data[at]); at++) {
            value = value * 10 + (text.data[at] - '0');
            if (value > 255)
                return false;
        }
        if (at == start || count == 4)
            return false;
        address[count] = (byte)value;
        if (at < text.length && (text.data[at++] != '.' || at == text.length))
            return false;
    }
    *ret_count = count;
    return count > 0;
}

/* "0x0a01": digits of a network, left to right. */
static bool parse_hex(Str text, byte *address, int *ret_count)
{
    int digits = 0;
    for (size_t i = 2; i < text.length; i++, digits++) {
        const char c = ascii_lower(text.data[i]);
        if (digits == 8 || (!is_digit(c) && !(c >= 'a' && c <= 'f')))
            return false;
        const int value = is_digit(c) ? c - '0' : c - 'a' + 10;
        address[digits / 2] |= (byte)(digits % 2 ? value : value << 4);
    }
    *ret_count = (digits + 1) / 2;
    return digits > 0;
}

/* The netmask of a network that is written without: by its class, or by what is written. */
static byte class_bits(const byte *address, int count)
{
    const byte first = address[0];
    int bits = first >= 240 ? 32 : first >= 224 ? 8 : first >= 192 ? 24 : first >= 128 ? 16 : 8;
    if (bits < count * 8)
        bits = count * 8;
    return (byte)(bits == 8 && first == 224 ? 4 : bits);
}

static bool parse_v4(Str address, Str mask, bool is_cidr, Inet *ret)
{
    int count;
    const bool is_hex = is_cidr && address.length > 2 && address.data[0] == '0' &&
                        ascii_lower(address.data[1]) == 'x';
    if (!(is_hex ? parse_hex : parse_octets)(address, ret->address, &count))
        return false;
    if (!str_is_none(mask))
        return parse_bits(mask, 32, &ret->bits) && (is_cidr || ret->bits / 8 <= count);
    ret->bits = is_cidr ? class_bits(ret->address, count) : 32;
    return is_cidr || count == 4;
}

static bool parse_v6(Str address, Str mask, Inet *ret)
{
    char text[INET6_ADDRSTRLEN];
    if (address.length >= sizeof(text))
        return false;
    memcpy(text, address.data, address.length);
    text[address.length] = 0;
    ret->bits = 128;
    return inet_pton(AF_INET6, text, ret->address) == 1 &&
           (str_is_none(mask) || parse_bits(mask, 128, &ret->bits));
}

static Inet network_of(Inet inet)
{
    for (int i = 0; i < inet.size; i++) {
        const int kept = inet.bits - 8 * i;
        const int mask = kept >= 8 ? 0xff : kept <= 0 ? 0 : 0xff << (8 - kept);
        inet.address[i] &= (byte)mask;
    }
    return inet;
}

static bool has_host_bits(const Inet *inet)
{
    const Inet network = network_of(*inet);
    return memcmp(network.address, inet->address, inet->size) != 0;
}

static bool parse(const TypeIo *io, Str text, bool is_cidr, Value *ret)
{
    const size_t slash = MIN(str_find_char(text, '/', 0), text.length);
    const Str address = str_slice(text, 0, slash);
    const Str mask = slash < text.length ? str_slice(text, slash + 1, text.length) : STR_NONE;
    const bool is_v6 = str_find_char(text, ':', 0) != SIZE_MAX;
    Inet inet = {.family = is_v6 ? FAMILY_V6 : FAMILY_V4, .size = is_v6 ? 16 : 4};

    if (!(is_v6 ? parse_v6(address, mask, &inet) : parse_v4(address, mask, is_cidr, &inet)))
        FAIL_SYNTAX(is_cidr ? "cidr" : "inet", text);
    if (is_cidr && has_host_bits(&inet))
        FAIL(ERR_INVALID_TEXT_REPRESENTATION,
             .message = fmt("invalid cidr value: \"%.*s\"", STR_ARGS(text)),
             .detail = STR("Value has bits set to right of mask."));
    return inet_pack(io->arena, &inet, ret);
}

bool inet_input(const TypeIo *io, Str text, Value *ret)
{
    return parse(io, text, false, ret);
}
bool cidr_input(const TypeIo *io, Str text, Value *ret)
{
    return parse(io, text, true, ret);
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

bool cidr_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    const Inet inet = inet_unpack(value);

    append_address(&inet, out);
    strbuf_format(out, "/%d", inet.bits);
    return true;
}

static bool receive(const TypeIo *io, Str bytes, const char *type, Value *ret)
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
             .message = fmt("invalid address family in external \"%s\" value", type));
    if (inet.bits > inet.size * 8)
        FAIL(ERR_INVALID_BINARY_REPRESENTATION,
             .message = fmt("invalid bits in external \"%s\" value", type));
    if (p[3] != inet.size)
        FAIL(ERR_INVALID_BINARY_REPRESENTATION,
             .message = fmt("invalid length in external \"%s\" value", type));
    NEED_BYTES(bytes, 4u + inet.size);
    memcpy(inet.address, p + 4, inet.size);
    if (str_equal(str_from_c(type), STR("cidr")) && has_host_bits(&inet))
        FAIL(ERR_INVALID_BINARY_REPRESENTATION, .message = STR("invalid external \"cidr\" value"),
             .detail = STR("Value has bits set to right of mask."));
    return inet_pack(io->arena, &inet, ret);
}

bool inet_receive(const TypeIo *io, Str bytes, Value *ret)
{
    return receive(io, bytes, "inet", ret);
}
bool cidr_receive(const TypeIo *io, Str bytes, Value *ret)
{
    return receive(io, bytes, "cidr", ret);
}

static void network_write(const Value *value, bool is_cidr, StrBuf *out)
{
    const Inet inet = inet_unpack(value);
    const byte head[4] = {inet.family, inet.bits, is_cidr, inet.size};

    strbuf_append_bytes(out, head, sizeof(head));
    strbuf_append_bytes(out, inet.address, inet.size);
}

bool inet_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    network_write(value, false, out);
    return true;
}
bool cidr_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    network_write(value, true, out);
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

/* Without the octets that the netmask leaves zero. */
static bool abbreviate(FunctionCall *call, const Value *value, bool is_cidr, Value *ret)
{
    const Inet inet = inet_unpack(value);
    const TypeIo io = {.arena = call->arena};
    StrBuf out = strbuf_in(call->arena);
    if (!is_cidr) {
        TRY(inet_output(&io, value, &out));
    } else if (inet.family == FAMILY_V4) {
        const int octets = MAX(1, (inet.bits + 7) / 8);
        for (int i = 0; i < octets; i++)
            strbuf_format(&out, "%s%d", i ? "." : "", inet.address[i]);
        strbuf_format(&out, "/%d", inet.bits);
    } else {
        /* Whole groups of the network, unless those that follow are needed. */
        append_address(&inet, &out);
        const size_t length = out.length;
        if (inet.bits < 128 && length > 2 && str_ends_with(strbuf_view(&out), STR("::"))) {
            int groups = 1;
            for (size_t i = 0; i + 2 < length; i++)
                groups += out.data[i] == ':';
            if (groups * 16 >= inet.bits)
                strbuf_truncate(&out, length - 2);
        }
        strbuf_format(&out, "/%d", inet.bits);
    }
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(inet_abbrev)
{
    return abbreviate(call, &args[0], false, ret);
}
FUNCTION(cidr_abbrev)
{
    return abbreviate(call, &args[0], true, ret);
}

/* A mask of `bits` ones and then zeros, or the other way round. */
static Inet mask_of(Inet inet, bool of_hosts)
{
    const int bits = inet.bits;
    for (int i = 0; i < inet.size; i++) {
        const int kept = bits - 8 * i;
        const int mask = kept >= 8 ? 0xff : kept <= 0 ? 0 : 0xff << (8 - kept);
        inet.address[i] = (byte)(of_hosts ? ~mask : mask);
    }
    return inet;
}

FUNCTION(network_broadcast)
{
    Inet inet = inet_unpack(&args[0]);
    const Inet hosts = mask_of(inet, true);
    for (int i = 0; i < inet.size; i++)
        inet.address[i] |= hosts.address[i];
    return inet_pack(call->arena, &inet, ret);
}

FUNCTION(network_netmask)
{
    Inet inet = mask_of(inet_unpack(&args[0]), false);
    inet.bits = (byte)(inet.size * 8);
    return inet_pack(call->arena, &inet, ret);
}

FUNCTION(network_hostmask)
{
    Inet inet = mask_of(inet_unpack(&args[0]), true);
    inet.bits = (byte)(inet.size * 8);
    return inet_pack(call->arena, &inet, ret);
}

FUNCTION(network_network)
{
    const Inet inet = network_of(inet_unpack(&args[0]));
    return inet_pack(call->arena, &inet, ret);
}
FUNCTION(inet_to_cidr)
{
    return fn_network_network(call, args, nulls, ret, ret_null);
}

static bool with_bits(FunctionCall *call, const Value *args, bool is_cidr, Value *ret)
{
    Inet inet = inet_unpack(&args[0]);
    const int bits = args[1].int32 == -1 ? inet.size * 8 : args[1].int32;
    if (bits < 0 || bits > inet.size * 8)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = fmt("invalid mask length: %d", bits));
    inet.bits = (byte)bits;
    if (is_cidr)
        inet = network_of(inet);
    return inet_pack(call->arena, &inet, ret);
}

FUNCTION(inet_set_masklen)
{
    return with_bits(call, args, false, ret);
}
FUNCTION(cidr_set_masklen)
{
    return with_bits(call, args, true, ret);
}

FUNCTION(inet_same_family)
{
    ret->boolean = inet_unpack(&args[0]).family == inet_unpack(&args[1]).family;
    return true;
}

/* How many leading bits two addresses share, up to `limit`. */
static int common_bits(const Inet *a, const Inet *b, int limit)
{
    int bits = 0;
    while (bits < limit && !((a->address[bits / 8] ^ b->address[bits / 8]) & (0x80 >> bits % 8)))
        bits++;
    return bits;
}

FUNCTION(inet_merge)
{
    Inet a = inet_unpack(&args[0]);
    const Inet b = inet_unpack(&args[1]);
    if (a.family != b.family)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("cannot merge addresses from different families"));
    a.bits = (byte)common_bits(&a, &b, MIN(a.bits, b.bits));
    a = network_of(a);
    return inet_pack(call->arena, &a, ret);
}

/* Whether the network of one holds the other; `strictly`: and is larger. */
static bool holds(const Value *outer, const Value *inner, bool strictly)
{
    const Inet a = inet_unpack(outer), b = inet_unpack(inner);
    return a.family == b.family && (strictly ? a.bits < b.bits : a.bits <= b.bits) &&
           common_bits(&a, &b, a.bits) == a.bits;
}

FUNCTION(network_sub)
{
    ret->boolean = holds(&args[1], &args[0], true);
    return true;
}
FUNCTION(network_subeq)
{
    ret->boolean = holds(&args[1], &args[0], false);
    return true;
}
FUNCTION(network_sup)
{
    ret->boolean = holds(&args[0], &args[1], true);
    return true;
}
FUNCTION(network_supeq)
{
    ret->boolean = holds(&args[0], &args[1], false);
    return true;
}
FUNCTION(network_overlap)
{
    ret->boolean = holds(&args[0], &args[1], false) || holds(&args[1], &args[0], false);
    return true;
}

FUNCTION(network_larger)
{
    *ret = var_compare(&args[0].var, &args[1].var) > 0 ? args[0] : args[1];
    return true;
}
FUNCTION(network_smaller)
{
    *ret = var_compare(&args[0].var, &args[1].var) < 0 ? args[0] : args[1];
    return true;
}

FUNCTION(inetnot)
{
    Inet inet = inet_unpack(&args[0]);
    for (int i = 0; i < inet.size; i++)
        inet.address[i] = (byte)~inet.address[i];
    return inet_pack(call->arena, &inet, ret);
}

static bool bitwise(FunctionCall *call, const Value *args, bool is_and, Value *ret)
{
    Inet a = inet_unpack(&args[0]);
    const Inet b = inet_unpack(&args[1]);
    if (a.family != b.family)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("cannot %s inet values of different sizes", is_and ? "AND" : "OR"));
    for (int i = 0; i < a.size; i++)
        a.address[i] = is_and ? a.address[i] & b.address[i] : a.address[i] | b.address[i];
    a.bits = MAX(a.bits, b.bits);
    return inet_pack(call->arena, &a, ret);
}

FUNCTION(inetand)
{
    return bitwise(call, args, true, ret);
}
FUNCTION(inetor)
{
    return bitwise(call, args, false, ret);
}

/* Adds a signed number to an address of any size. */
static bool shift(FunctionCall *call, const Value *address, int64_t by, Value *ret)
{
    Inet inet = inet_unpack(address);
    int64_t carry = 0;
    for (int i = inet.size - 1; i >= 0; i--) {
        const int64_t sum = inet.address[i] + (by & 0xff) + carry;
        inet.address[i] = (byte)sum;
        carry = sum >> 8;
        by >>= 8; /* keeps the sign */
    }
    if (!((by == 0 && carry == 0) || (by == -1 && carry == 1)))
        FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("result is out of range"));
    return inet_pack(call->arena, &inet, ret);
}

FUNCTION(inetpl)
{
    return shift(call, &args[0], args[1].int64, ret);
}
FUNCTION(inetmi_int8)
{
    if (args[1].int64 == INT64_MIN)
        FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("result is out of range"));
    return shift(call, &args[0], -args[1].int64, ret);
}
/* bigint + inet */
FUNCTION(sql_2631)
{
    return shift(call, &args[1], args[0].int64, ret);
}

FUNCTION(inetmi)
{
    const Inet a = inet_unpack(&args[0]), b = inet_unpack(&args[1]);
    int128 difference = 0;
    if (a.family != b.family)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("cannot subtract inet values of different sizes"));
    for (int i = 0; i < a.size; i++) {
        difference = difference * 256 + a.address[i] - b.address[i];
        /* What has grown so far beyond 64 bits no later octet takes back. */
        if (difference > (int128)INT64_MAX + 1 || difference < (int128)INT64_MIN - 1)
            break;
    }
    if (difference > INT64_MAX || difference < INT64_MIN)
        FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("result is out of range"));
    ret->int64 = (int64_t)difference;
    return true;
}
