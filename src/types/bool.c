/* boolean and "char". */
#include "types/types_internal.h"

/* Unique prefixes of true, false, yes, no, on, off, and 1 and 0. */
static bool word_is(Str text, const char *word, size_t minimum)
{
    const size_t length = strlen(word);
    return text.length >= minimum && text.length <= length &&
           str_equal_nocase(text, str_make(word, text.length));
}

bool bool_input(const TypeIo *io, Str text, Value *ret)
{
    const Str word = str_trim(text);
    if (word_is(word, "true", 1) || word_is(word, "yes", 1) || word_is(word, "on", 2) ||
        str_equal(word, STR("1")))
        ret->boolean = true;
    else if (word_is(word, "false", 1) || word_is(word, "no", 1) || word_is(word, "off", 2) ||
             str_equal(word, STR("0")))
        ret->boolean = false;
    else
        FAIL_SYNTAX("boolean", text);
    return true;
}

bool bool_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    strbuf_append_char(out, value->boolean ? 't' : 'f');
    return true;
}

bool bool_receive(const TypeIo *io, Str bytes, Value *ret)
{
    NEED_BYTES(bytes, 1);
    ret->boolean = bytes.data[0] != 0;
    return true;
}

bool bool_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    strbuf_append_char(out, value->boolean ? 1 : 0);
    return true;
}

int bool_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    return a->boolean - b->boolean;
}

uint64_t bool_hash(const BuiltinType *type, const Value *value)
{
    return hash_mix64((uint64_t)value->boolean + 0xb001);
}

FUNCTION(booltext)
{
    *ret = value_text(args[0].boolean ? STR("true") : STR("false"));
    return true;
}

FUNCTION(booland_statefunc)
{
    ret->boolean = args[0].boolean && args[1].boolean;
    return true;
}

FUNCTION(boolor_statefunc)
{
    ret->boolean = args[0].boolean || args[1].boolean;
    return true;
}

/* "char": one byte; those above 127 are written as \ooo. */

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

static int8_t char_from_text(Str text)
{
    if (text.length == 4 && text.data[0] == '\\' && is_octal(text.data[1]) &&
        is_octal(text.data[2]) && is_octal(text.data[3]))
        return (int8_t)(((text.data[1] - '0') << 6) | ((text.data[2] - '0') << 3) |
                        (text.data[3] - '0'));
    return text.length ? (int8_t)text.data[0] : 0;
}

static void char_to_text(int8_t value, StrBuf *out)
{
    const uint8_t c = (uint8_t)value;
    if (c >= 0x80)
        strbuf_format(out, "\\%03o", c);
    else if (c != 0)
        strbuf_append_char(out, (char)c);
}

bool char_input(const TypeIo *io, Str text, Value *ret)
{
    ret->int8 = char_from_text(text);
    return true;
}

bool char_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    char_to_text(value->int8, out);
    return true;
}

bool char_receive(const TypeIo *io, Str bytes, Value *ret)
{
    NEED_BYTES(bytes, 1);
    ret->int8 = (int8_t)bytes.data[0];
    return true;
}

bool char_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    strbuf_append_char(out, (char)value->int8);
    return true;
}

/* As unsigned bytes. */
int char_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    return (uint8_t)a->int8 - (uint8_t)b->int8;
}

uint64_t char_hash(const BuiltinType *type, const Value *value)
{
    return hash_mix64((uint64_t)(uint8_t)value->int8 + 0xc4a2);
}

FUNCTION(chartoi4)
{
    ret->int32 = args[0].int8;
    return true;
}

FUNCTION(i4tochar)
{
    if (args[0].int32 < INT8_MIN || args[0].int32 > INT8_MAX)
        FAIL_RANGE("\"char\"");
    ret->int8 = (int8_t)args[0].int32;
    return true;
}

FUNCTION(text_char)
{
    ret->int8 = char_from_text(var_str(args[0].var));
    return true;
}

FUNCTION(char_text)
{
    StrBuf out = strbuf_in(call->arena);
    char_to_text(args[0].int8, &out);
    *ret = value_from_buf(&out);
    return true;
}
