/* text, varchar(n), char(n), name: forms, order, length coercion, casts among them. */
#include "base/pace.h"
#include "types/types_internal.h"

#define NAME_LENGTH 63
#define MAX_CHARACTERS 10485760

bool text_input(const TypeIo *io, Str text, Value *ret)
{
    Str copy;
    TRY(pace_str_copy(io->arena, text, &copy));
    *ret = value_text(copy);
    return true;
}

bool text_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    return pace_append(out, var_str(value->var));
}

bool text_receive(const TypeIo *io, Str bytes, Value *ret)
{
    TRY(utf8_check(bytes));
    return text_input(io, bytes, ret);
}

bool text_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return text_output(io, value, out);
}

int text_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    if (unlikely(a->var.length > PACE_BYTES))
        return pace_compare(var_str(a->var), var_str(b->var));
    return var_compare(&a->var, &b->var);
}

uint64_t text_hash(const BuiltinType *type, const Value *value)
{
    return hash_bytes(value->var.data, value->var.length);
}

static Str str_trim_spaces_right(Str s)
{
    while (s.length > 0 && s.data[s.length - 1] == ' ')
        s.length--;
    return s;
}

Str bpchar_trimmed(const Value *value)
{
    return str_trim_spaces_right(var_str(value->var));
}

int bpchar_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    return pace_compare(bpchar_trimmed(a), bpchar_trimmed(b));
}

uint64_t bpchar_hash(const BuiltinType *type, const Value *value)
{
    const Str s = bpchar_trimmed(value);
    return hash_bytes(s.data, s.length);
}

/* name: cut to 63 bytes at a character's end. */
static Str name_clip(Str s)
{
    size_t length = s.length;
    if (length > NAME_LENGTH)
        for (length = NAME_LENGTH; length > 0 && ((uint8_t)s.data[length] & 0xc0) == 0x80;)
            length--;
    return str_make(s.data, length);
}

bool name_input(const TypeIo *io, Str text, Value *ret)
{
    *ret = value_text(str_copy(io->arena, name_clip(text)));
    return true;
}

bool name_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    return text_output(io, value, out);
}

bool name_receive(const TypeIo *io, Str bytes, Value *ret)
{
    TRY(utf8_check(bytes));
    if (bytes.length > NAME_LENGTH)
        FAIL(ERR_NAME_TOO_LONG, .message = STR("identifier too long"),
             .detail = fmt("Identifier must be less than %d characters.", NAME_LENGTH + 1));
    return name_input(io, bytes, ret);
}

bool name_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return text_output(io, value, out);
}

static bool value_size_check(size_t size)
{
    /* PostgreSQL's values begin with a word for their length. */
    if (size + 4 > VALUE_SIZE_MAX)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("invalid memory alloc request size %zu", size + 4));
    return true;
}

bool value_concat(Arena *arena, Str a, Str b, Value *ret)
{
    TRY(value_size_check((size_t)a.length + b.length));
    if (likely(a.length + b.length <= PACE_BYTES)) {
        *ret = value_text(str_concat(arena, a, b));
        return true;
    }
    char *to = arena_try_alloc(arena, a.length + b.length);
    TRY(to);
    TRY(pace_copy(to, a.data, a.length));
    TRY(pace_copy(to + a.length, b.data, b.length));
    ret->var = var_make(to, a.length + b.length);
    return true;
}

/* Cuts to the typmod. Only blanks may be lost, unless the cast is explicit. */
static bool characters_fit(Str *text, int32_t typmod, bool is_explicit, const char *type_name)
{
    const size_t limit = (size_t)typmod - 4;
    if (typmod < 4 || text->length <= limit)
        return true;
    const size_t cut = utf8_offset(*text, limit);
    if (cut == text->length)
        return true;
    for (size_t i = cut; i < text->length && !is_explicit; i++) {
        CHECK_INTERRUPTS_EACH(i);
        if (text->data[i] != ' ')
            FAIL(ERR_STRING_DATA_RIGHT_TRUNCATION,
                 .message = fmt("value too long for type %s(%zu)", type_name, limit));
    }
    text->length = cut;
    return true;
}

bool varchar_coerce(Arena *arena, Str text, int32_t typmod, bool is_explicit, Value *ret)
{
    TRY(characters_fit(&text, typmod, is_explicit, "character varying"));
    *ret = value_text(text);
    return true;
}

bool bpchar_coerce(Arena *arena, Str text, int32_t typmod, bool is_explicit, Value *ret)
{
    TRY(characters_fit(&text, typmod, is_explicit, "character"));
    const size_t count = typmod >= 4 ? utf8_count(text) : 0;
    const size_t wanted = typmod >= 4 ? (size_t)typmod - 4 : 0;
    if (count >= wanted) {
        *ret = value_text(text);
        return true;
    }
    const size_t size = text.length + wanted - count;
    TRY(value_size_check(size));
    char *padded = arena_alloc(arena, size);
    TRY(pace_copy(padded, text.data, text.length));
    for (size_t at = text.length; at < size; at += PACE_BYTES) {
        CHECK_INTERRUPTS();
        memset(padded + at, ' ', MIN(PACE_BYTES, size - at));
    }
    ret->var = var_make(padded, size);
    return true;
}

bool varchar_input(const TypeIo *io, Str text, Value *ret)
{
    TRY(pace_str_copy(io->arena, text, &text));
    return varchar_coerce(io->arena, text, io->typmod, false, ret);
}

bool varchar_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    return text_output(io, value, out);
}

bool varchar_receive(const TypeIo *io, Str bytes, Value *ret)
{
    TRY(utf8_check(bytes));
    return varchar_input(io, bytes, ret);
}

bool varchar_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return text_output(io, value, out);
}

bool bpchar_input(const TypeIo *io, Str text, Value *ret)
{
    TRY(pace_str_copy(io->arena, text, &text));
    return bpchar_coerce(io->arena, text, io->typmod, false, ret);
}

bool bpchar_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    return text_output(io, value, out);
}

bool bpchar_receive(const TypeIo *io, Str bytes, Value *ret)
{
    TRY(utf8_check(bytes));
    return bpchar_input(io, bytes, ret);
}

bool bpchar_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return text_output(io, value, out);
}

static bool typmod_characters(const int64_t *arguments, int count, const char *name, int32_t *ret)
{
    if (count != 1)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("invalid type modifier"));
    if (arguments[0] < 1)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("length for type %s must be at least 1", name));
    if (arguments[0] > MAX_CHARACTERS)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("length for type %s cannot exceed %d", name, MAX_CHARACTERS));
    *ret = (int32_t)arguments[0] + 4;
    return true;
}

bool typmod_char_in(const int64_t *arguments, int count, int32_t *ret_typmod)
{
    return typmod_characters(arguments, count, "char", ret_typmod);
}

bool typmod_varchar_in(const int64_t *arguments, int count, int32_t *ret_typmod)
{
    return typmod_characters(arguments, count, "varchar", ret_typmod);
}

void typmod_char_out(int32_t typmod, StrBuf *out)
{
    if (typmod > 4)
        strbuf_format(out, "(%d)", typmod - 4);
}

void typmod_varchar_out(int32_t typmod, StrBuf *out)
{
    typmod_char_out(typmod, out);
}

/* The casts that enforce a length: (value, typmod, is explicit). */
FUNCTION(varchar)
{
    return varchar_coerce(call->arena, var_str(args[0].var), args[1].int32, args[2].boolean, ret);
}

FUNCTION(bpchar)
{
    return bpchar_coerce(call->arena, var_str(args[0].var), args[1].int32, args[2].boolean, ret);
}

FUNCTION(text_name)
{
    *ret = value_text(name_clip(var_str(args[0].var)));
    return true;
}

FUNCTION(name_text)
{
    *ret = args[0];
    return true;
}

FUNCTION(bpchar_name)
{
    *ret =
        value_text(str_trim_spaces_right(name_clip(str_trim_spaces_right(var_str(args[0].var)))));
    return true;
}

FUNCTION(name_bpchar)
{
    *ret = args[0];
    return true;
}

FUNCTION(char_bpchar)
{
    char *byte_copy = arena_alloc(call->arena, 1);
    *byte_copy = (char)args[0].int8;
    ret->var = var_make(byte_copy, *byte_copy ? 1 : 0);
    return true;
}

/* Bytewise comparisons under the names of name × text and of the pattern operator classes. */
#define TEXT_COMPARISON(symbol, op)                                                                \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        ret->boolean = text_compare(NULL, &args[0], &args[1]) op 0;                                \
        return true;                                                                               \
    }
TEXT_COMPARISON(nameeqtext, ==)
TEXT_COMPARISON(namenetext, !=)
TEXT_COMPARISON(namelttext, <)
TEXT_COMPARISON(nameletext, <=)
TEXT_COMPARISON(namegttext, >)
TEXT_COMPARISON(namegetext, >=)
TEXT_COMPARISON(texteqname, ==)
TEXT_COMPARISON(textnename, !=)
TEXT_COMPARISON(textltname, <)
TEXT_COMPARISON(textlename, <=)
TEXT_COMPARISON(textgtname, >)
TEXT_COMPARISON(textgename, >=)
TEXT_COMPARISON(text_pattern_lt, <)
TEXT_COMPARISON(text_pattern_le, <=)
TEXT_COMPARISON(text_pattern_gt, >)
TEXT_COMPARISON(text_pattern_ge, >=)

FUNCTION(bttext_pattern_cmp)
{
    const int order = text_compare(NULL, &args[0], &args[1]);
    ret->int32 = (order > 0) - (order < 0);
    return true;
}

FUNCTION(btnametextcmp)
{
    return fn_bttext_pattern_cmp(call, args, nulls, ret, ret_null);
}

FUNCTION(bttextnamecmp)
{
    return fn_bttext_pattern_cmp(call, args, nulls, ret, ret_null);
}

#define BPCHAR_PATTERN(symbol, op)                                                                 \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        ret->boolean = bpchar_compare(NULL, &args[0], &args[1]) op 0;                              \
        return true;                                                                               \
    }
BPCHAR_PATTERN(bpchar_pattern_lt, <)
BPCHAR_PATTERN(bpchar_pattern_le, <=)
BPCHAR_PATTERN(bpchar_pattern_gt, >)
BPCHAR_PATTERN(bpchar_pattern_ge, >=)
