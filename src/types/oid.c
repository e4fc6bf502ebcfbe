/* oid, xid, cid, xid8, tid, pg_lsn, the reg* types, and types that only have text. */
#include <stdio.h>

#include "base/scheduler.h"
#include "types/types_internal.h"

static bool unsigned_parse(Str text, const char *type_name, uint64_t limit, uint64_t *ret)
{
    const Str word = str_trim(text);
    const bool negative = word.length > 1 && word.data[0] == '-';
    const Str digits =
        str_slice(word, negative || str_starts_with(word, STR("+")) ? 1 : 0, word.length);
    uint64_t value = 0;
    bool overflow = false;

    if (digits.length == 0)
        FAIL_SYNTAX(type_name, text);
    for (size_t i = 0; i < digits.length; i++) {
        if (!is_digit(digits.data[i]))
            FAIL_SYNTAX(type_name, text);
        overflow |= __builtin_mul_overflow(value, 10u, &value) ||
                    __builtin_add_overflow(value, (uint64_t)(digits.data[i] - '0'), &value);
    }
    /* As strtoul: a minus sign wraps around. */
    if (overflow || (!negative && value > limit) || (negative && value > (limit >> 1) + 1))
        FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE,
             .message =
                 fmt("value \"%.*s\" is out of range for type %s", STR_ARGS(text), type_name));
    *ret = (negative ? -value : value) & limit;
    return true;
}

bool oid_input(const TypeIo *io, Str text, Value *ret)
{
    uint64_t value;
    TRY(unsigned_parse(text, "oid", UINT32_MAX, &value));
    ret->oid = (Oid)value;
    return true;
}

bool oid_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    strbuf_append_uint64(out, value->oid);
    return true;
}

bool oid_receive(const TypeIo *io, Str bytes, Value *ret)
{
    return int4_receive(io, bytes, ret);
}

bool oid_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return int4_send(io, value, out);
}

int oid_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    return (a->oid > b->oid) - (a->oid < b->oid);
}

uint64_t oid_hash(const BuiltinType *type, const Value *value)
{
    return hash_mix64((uint64_t)value->oid + 0x01d);
}

/* Reads the digits at the front, as strtoul does, and ignores the rest. */
static uint64_t leading_number(Str text)
{
    uint64_t value = 0;
    const Str word = str_trim(text);
    for (size_t i = 0; i < word.length && is_digit(word.data[i]); i++)
        value = value * 10 + (uint64_t)(word.data[i] - '0');
    return value;
}

bool xid_input(const TypeIo *io, Str text, Value *ret)
{
    ret->oid = (Oid)leading_number(text);
    return true;
}

bool xid_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    return oid_output(io, value, out);
}

bool xid_receive(const TypeIo *io, Str bytes, Value *ret)
{
    return int4_receive(io, bytes, ret);
}

bool xid_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return int4_send(io, value, out);
}

FUNCTION(xideq)
{
    ret->boolean = args[0].oid == args[1].oid;
    return true;
}

FUNCTION(xidneq)
{
    ret->boolean = args[0].oid != args[1].oid;
    return true;
}

FUNCTION(xid8toxid)
{
    ret->oid = (Oid)args[0].int64;
    return true;
}

bool xid8_input(const TypeIo *io, Str text, Value *ret)
{
    ret->int64 = (int64_t)leading_number(text);
    return true;
}

bool xid8_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    strbuf_append_uint64(out, (uint64_t)value->int64);
    return true;
}

bool xid8_receive(const TypeIo *io, Str bytes, Value *ret)
{
    return int8_receive(io, bytes, ret);
}

bool xid8_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return int8_send(io, value, out);
}

int xid8_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    const uint64_t x = (uint64_t)a->int64, y = (uint64_t)b->int64;
    return (x > y) - (x < y);
}

uint64_t xid8_hash(const BuiltinType *type, const Value *value)
{
    return hash_mix64((uint64_t)value->int64 + 0x8d);
}

/* tid: "(block,offset)" */
bool tid_input(const TypeIo *io, Str text, Value *ret)
{
    const Str word = str_trim(text);
    const size_t comma = str_find_char(word, ',', 0);
    uint64_t block, offset;

    if (word.length < 5 || word.data[0] != '(' || word.data[word.length - 1] != ')' ||
        comma == SIZE_MAX || !str_to_uint64(str_slice(word, 1, comma - 1), &block) ||
        !str_to_uint64(str_slice(word, comma + 1, word.length - comma - 2), &offset) ||
        block > UINT32_MAX || offset > UINT16_MAX)
        FAIL_SYNTAX("tid", text);
    ret->int64 = (int64_t)(block << 16 | offset);
    return true;
}

bool tid_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    strbuf_format(out, "(%llu,%u)", (unsigned long long)((uint64_t)value->int64 >> 16),
                  (unsigned)(value->int64 & 0xffff));
    return true;
}

bool tid_receive(const TypeIo *io, Str bytes, Value *ret)
{
    NEED_BYTES(bytes, 6);
    ret->int64 = (int64_t)((uint64_t)get_be32(bytes.data) << 16 | get_be16(bytes.data + 4));
    return true;
}

bool tid_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    put_be32(out, (uint32_t)((uint64_t)value->int64 >> 16));
    put_be16(out, (uint16_t)value->int64);
    return true;
}

/* pg_lsn: two hexadecimal halves. */
static bool hex_parse(Str text, uint64_t *ret)
{
    uint64_t value = 0;
    if (text.length < 1 || text.length > 8)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        const char c = ascii_lower(text.data[i]);
        if (!is_digit(c) && !(c >= 'a' && c <= 'f'))
            return false;
        value = value << 4 | (uint64_t)(is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *ret = value;
    return true;
}

bool lsn_input(const TypeIo *io, Str text, Value *ret)
{
    const size_t slash = str_find_char(text, '/', 0);
    uint64_t high, low;
    if (slash == SIZE_MAX || !hex_parse(str_slice(text, 0, slash), &high) ||
        !hex_parse(str_slice(text, slash + 1, text.length), &low))
        FAIL_SYNTAX("pg_lsn", text);
    ret->int64 = (int64_t)(high << 32 | low);
    return true;
}

bool lsn_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    strbuf_format(out, "%X/%X", (unsigned)((uint64_t)value->int64 >> 32), (unsigned)value->int64);
    return true;
}

bool lsn_receive(const TypeIo *io, Str bytes, Value *ret)
{
    return int8_receive(io, bytes, ret);
}

bool lsn_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return int8_send(io, value, out);
}

/* reg*: numbers here, names through the catalog's hook. */
bool reg_input(const TypeIo *io, Str text, Value *ret)
{
    size_t digits = 0;
    while (digits < text.length && is_digit(text.data[digits]))
        digits++;
    if (digits > 0 && digits == text.length)
        return oid_input(io, text, ret);
    if (str_equal(text, STR("-"))) {
        ret->oid = OID_NONE;
        return true;
    }
    const TypesHooks *hooks = types_hooks();
    if (!hooks->reg_input)
        FAIL_UNSUPPORTED("a name where a number of an object is wanted");
    return hooks->reg_input(io->type->oid, text, &ret->oid);
}

bool reg_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    const TypesHooks *hooks = types_hooks();
    const size_t before = out->length;

    if (value->oid == OID_NONE) {
        strbuf_append_char(out, '-');
        return true;
    }
    if (hooks->reg_output)
        TRY(hooks->reg_output(io->type->oid, value->oid, out));
    if (out->length == before)
        strbuf_append_uint64(out, value->oid);
    return true;
}

bool reg_receive(const TypeIo *io, Str bytes, Value *ret)
{
    return int4_receive(io, bytes, ret);
}

bool reg_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return int4_send(io, value, out);
}

/* Text to regclass, as a function: nextval('s'::text) and the like. */
FUNCTION(text_regclass)
{
    const TypeIo io = {.arena = call->arena,
                       .type = builtin_type(TYPE_REGCLASS),
                       .type_oid = TYPE_REGCLASS,
                       .typmod = -1};
    return reg_input(&io, var_str(args[0].var), ret);
}

/* aclitem: roles and rights, whose form is the catalog's; without it, text. */
bool aclitem_input(const TypeIo *io, Str text, Value *ret)
{
    if (types_hooks()->acl_input)
        return types_hooks()->acl_input(io->arena, text, ret);
    if (types_hooks() && types_hooks()->acl_input)
        return types_hooks()->acl_input(io->arena, text, ret);
    *ret = (Value){.var = var_from_str(str_copy(io->arena, text))};
    return true;
}

bool aclitem_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    if (types_hooks()->acl_output)
        return types_hooks()->acl_output(value, out);
    if (types_hooks() && types_hooks()->acl_output)
        return types_hooks()->acl_output(value, out);
    strbuf_append(out, var_str(value->var));
    return true;
}

bool aclitem_receive(const TypeIo *io, Str bytes, Value *ret)
{
    FAIL(ERR_UNDEFINED_FUNCTION,
         .message = STR("no binary input function available for type aclitem"));
}

bool aclitem_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    FAIL(ERR_UNDEFINED_FUNCTION,
         .message = STR("no binary output function available for type aclitem"));
}

bool node_tree_input(const TypeIo *io, Str text, Value *ret)
{
    FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("cannot accept a value of type pg_node_tree"));
}

bool node_tree_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    return text_output(io, value, out);
}

bool node_tree_receive(const TypeIo *io, Str bytes, Value *ret)
{
    return node_tree_input(io, bytes, ret);
}

bool node_tree_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return text_output(io, value, out);
}

bool void_input(const TypeIo *io, Str text, Value *ret)
{
    ret->var = var_make("", 0);
    return true;
}

bool void_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    return true;
}

bool void_receive(const TypeIo *io, Str bytes, Value *ret)
{
    ret->var = var_make("", 0);
    return true;
}

bool void_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return true;
}

bool pseudo_input(const TypeIo *io, Str text, Value *ret)
{
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message = fmt("cannot accept a value of type %s", io->type->name));
}

bool pseudo_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message = fmt("cannot display a value of type %s", io->type->name));
}

bool pseudo_receive(const TypeIo *io, Str bytes, Value *ret)
{
    return pseudo_input(io, bytes, ret);
}

bool pseudo_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return pseudo_output(io, value, out);
}

/* The type that the argument was resolved to. */
FUNCTION(pg_typeof)
{
    ret->oid = call->arg_types[0];
    return true;
}
