/*
 * Every type's text and binary input, and what follows from an accepted value: its text is
 * accepted and printed alike, its binary form gives it back, it equals itself, its hash and its
 * key go with that.
 */
#include "fuzz.h"
#include "types/hash.h"
#include "types/key.h"
#include "types/type.h"

static Str text_of(Arena *arena, Oid type, const Value *value)
{
    StrBuf out = strbuf_in(arena);

    fuzz_require(type_output(type, value, &out));
    return strbuf_view(&out);
}

/* Of zones in the manner of POSIX, "Foo-30" or "o130", which lie as far off as they say: what is
 * printed of them is refused, or read as hours and minutes, in PostgreSQL as here. */
static bool zone_is_far(const TimeTz *time)
{
    return time->zone <= -16 * 3600 || time->zone >= 16 * 3600;
}

/* "char", cstring and record forms have their own ways. */
static bool reads_its_text(const BuiltinType *type, const Value *value)
{
    switch (type->oid) {
    case TYPE_RECORD:
    case TYPE_RECORD_ARRAY:
    case TYPE_CHAR:
    case TYPE_CHAR_ARRAY:
    case TYPE_ACLITEM:
    case TYPE_ACLITEM_ARRAY:
        return false;
    case TYPE_TIMETZ:
        return !zone_is_far(&value->timetz);
    default:
        return type->element != TYPE_TIMETZ;
    }
}

static bool reads_its_bytes(const BuiltinType *type, const Value *value)
{
    return type->send && type->receive && type->oid != TYPE_RECORD &&
           type->element != TYPE_TIMETZ &&
           !(type->oid == TYPE_TIMETZ && zone_is_far(&value->timetz));
}

static void check_text(Arena *arena, const BuiltinType *builtin, const Value *value)
{
    const Oid type = builtin->oid;
    const Str text = text_of(arena, type, value);
    Value again;

    if (!reads_its_text(builtin, value))
        return;
    if (!type_input(arena, type, -1, text, &again)) {
        fprintf(stderr, "type %u refuses its own text \"%.*s\": %.*s\n", type, STR_ARGS(text),
                STR_ARGS(error_fields()->message));
        abort();
    }
    const Str text_again = text_of(arena, type, &again);
    if (!str_equal(text_again, text)) {
        fprintf(stderr, "type %u: \"%.*s\" became \"%.*s\"\n", type, STR_ARGS(text),
                STR_ARGS(text_again));
        abort();
    }
}

static void check_binary(Arena *arena, const BuiltinType *type, const Value *value)
{
    StrBuf bytes = strbuf_in(arena);
    Value again;

    if (!reads_its_bytes(type, value))
        return;
    if (!type_send(type->oid, value, &bytes)) {
        error_clear();
        return;
    }
    if (!type_receive(arena, type->oid, -1, strbuf_view(&bytes), &again)) {
        fprintf(stderr, "type %u refuses its own bytes: %.*s\n", type->oid,
                STR_ARGS(error_fields()->message));
        abort();
    }
    fuzz_require(str_equal(text_of(arena, type->oid, value), text_of(arena, type->oid, &again)));
}

static void check_order(Arena *arena, const BuiltinType *type, const Value *value)
{
    const KeyColumn column = {.type = type->oid};
    StrBuf key = strbuf_in(arena);
    Value again;
    bool is_null;

    if (type->compare)
        fuzz_require(type_compare(type->oid, value, value) == 0);
    if (type->hash)
        hash_value(type->oid, value);
    if (!key_is_supported(type->oid))
        return;
    if (!key_append(&key, &column, value, false)) {
        error_clear();
        return;
    }
    Str rest = strbuf_view(&key);
    fuzz_require(key_skip(&column, &rest) && rest.length == 0);
    if (!key_is_lossless(type->oid))
        return;
    rest = strbuf_view(&key);
    fuzz_require(key_take(arena, &column, &rest, &again, &is_null) && !is_null);
    fuzz_require(rest.length == 0 && type_equal(type->oid, value, &again));
}

/* By OID, so that seeds stay what they are when types are added; or the next type behind it. */
static const BuiltinType *choose_type(Input *input)
{
    const uint32_t number = input_number(input, 2);
    const BuiltinType *type = builtin_type(number);

    for (Oid oid = number % (TYPE_UUID + 1); !type; oid++)
        type = builtin_type(oid);
    return type;
}

FUZZ_TARGET(data, size)
{
    Input input = input_of(data, size);
    const BuiltinType *type = choose_type(&input);
    const uint8_t form = input_byte(&input);
    const int32_t typmod = form & 2 ? (int32_t)input_number(&input, 3) : -1;
    Arena *arena = arena_new("fuzz");
    const Str given = str_copy(arena, input.rest);
    Value value = {0};
    bool ok = false;

    if (form & 1)
        ok = type->receive && type_receive(arena, type->oid, typmod, given, &value);
    else if (utf8_check(given))
        ok = type->input && type_input(arena, type->oid, typmod, given, &value);
    if (ok && type->output) {
        fuzz_require(!error_is_set());
        check_text(arena, type, &value);
        check_binary(arena, type, &value);
        check_order(arena, type, &value);
    }
    error_clear();
    arena_free(arena);
    return 0;
}
