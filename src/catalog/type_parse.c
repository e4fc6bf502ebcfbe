/* Type names as text: what 'numeric(10,2)[]'::regtype and to_regtype read. */
#include "base/error.h"
#include "catalog/catalog_internal.h"
#include "catalog/hooks.h"
#include "catalog/lookup.h"
#include "catalog/names.h"
#include "types/type.h"

/* SQL's spellings, longest first where one begins another. */
static const struct {
    Str words;
    Oid type;
} spellings[] = {
    {{"timestamp with time zone", 24}, TYPE_TIMESTAMPTZ},
    {{"timestamp without time zone", 27}, TYPE_TIMESTAMP},
    {{"time with time zone", 19}, TYPE_TIMETZ},
    {{"time without time zone", 22}, TYPE_TIME},
    {{"national character varying", 26}, TYPE_VARCHAR},
    {{"character varying", 17}, TYPE_VARCHAR},
    {{"national character", 18}, TYPE_BPCHAR},
    {{"char varying", 12}, TYPE_VARCHAR},
    {{"double precision", 16}, TYPE_FLOAT8},
    {{"character", 9}, TYPE_BPCHAR},
    {{"char", 4}, TYPE_BPCHAR},
    {{"nchar", 5}, TYPE_BPCHAR},
    {{"bigint", 6}, TYPE_INT8},
    {{"boolean", 7}, TYPE_BOOL},
    {{"decimal", 7}, TYPE_NUMERIC},
    {{"dec", 3}, TYPE_NUMERIC},
    {{"numeric", 7}, TYPE_NUMERIC},
    {{"float", 5}, TYPE_FLOAT8},
    {{"integer", 7}, TYPE_INT4},
    {{"int", 3}, TYPE_INT4},
    {{"smallint", 8}, TYPE_INT2},
    {{"real", 4}, TYPE_FLOAT4},
    {{"varchar", 7}, TYPE_VARCHAR},
    {{"timestamp", 9}, TYPE_TIMESTAMP},
    {{"time", 4}, TYPE_TIME},
    {{"interval", 8}, TYPE_INTERVAL},
};

typedef struct TypeText {
    Str name; /* words, one space between, typmod and brackets taken out */
    int64_t typmods[2];
    int typmod_count;
    bool is_array;
} TypeText;

/* Takes "(10,2)" out of the middle (timestamp(3) with time zone) or end, and "[]" off the end. */
static bool text_split(CatalogSession *session, Str text, TypeText *ret)
{
    Str s = str_trim(text);
    StrBuf name = strbuf_in(session->arena);

    while (str_ends_with(s, STR("]"))) {
        size_t open = s.length - 1;
        while (open > 0 && s.data[open] != '[')
            open--;
        if (s.data[open] != '[')
            FAIL(ERR_SYNTAX_ERROR, .message = STR("syntax error"));
        ret->is_array = true;
        s = str_trim(str_slice(s, 0, open));
    }
    const size_t open = s.length && s.data[0] != '"' ? str_find_char(s, '(', 0) : SIZE_MAX;
    if (open == SIZE_MAX) {
        ret->name = s;
        return true;
    }
    const size_t close = str_find_char(s, ')', open);
    if (close == SIZE_MAX)
        FAIL(ERR_SYNTAX_ERROR, .message = fmt("syntax error at end of input"));
    Str arguments = str_slice(s, open + 1, close - open - 1);
    while (arguments.length > 0) {
        const size_t comma = str_find_char(arguments, ',', 0);
        const Str item = str_trim(comma == SIZE_MAX ? arguments : str_slice(arguments, 0, comma));
        if (ret->typmod_count == 2 || !str_to_int64(item, &ret->typmods[ret->typmod_count++]))
            FAIL(ERR_SYNTAX_ERROR,
                 .message = fmt("syntax error at or near \"%.*s\"", STR_ARGS(item)));
        arguments = comma == SIZE_MAX ? STR("") : str_slice(arguments, comma + 1, SIZE_MAX);
    }
    strbuf_append(&name, str_trim(str_slice(s, 0, open)));
    strbuf_append(&name, str_slice(s, close + 1, SIZE_MAX));
    ret->name = str_trim(strbuf_view(&name));
    return true;
}

static Str words_normalize(Arena *arena, Str text)
{
    StrBuf out = strbuf_in(arena);

    for (size_t i = 0; i < text.length; i++) {
        const bool space = text.data[i] == ' ' || text.data[i] == '\t' || text.data[i] == '\n';
        if (!space)
            strbuf_append_char(&out, text.data[i]);
        else if (out.length && out.data[out.length - 1] != ' ')
            strbuf_append_char(&out, ' ');
    }
    return strbuf_view(&out);
}

static bool base_type(CatalogSession *session, TypeText *text, Oid *ret_type)
{
    const Str words = words_normalize(session->arena, text->name);
    StrParts parts;

    for (size_t i = 0; i < ARRAY_LENGTH(spellings); i++)
        if (str_equal_nocase(words, spellings[i].words)) {
            *ret_type = spellings[i].type;
            return true;
        }
    TRY(name_parse(session->arena, text->name, &parts));
    if (parts.count == 3)
        TRY(database_check_own(session, parts.items, false, 0));
    const TypeDesc *type =
        type_get_name(session, parts.count > 1 ? parts.items[parts.count - 2] : STR_NONE,
                      parts.items[parts.count - 1], 0);
    TRY(type);
    *ret_type = type->oid;
    return true;
}

bool type_parse_name(CatalogSession *session, Str text, bool allow_typmod, Oid *ret_type,
                     int32_t *ret_typmod)
{
    TypeText parts = {0};
    Oid type;
    int32_t typmod = -1;

    TRY(text_split(session, text, &parts));
    if (parts.name.length == 0)
        FAIL(ERR_SYNTAX_ERROR, .message = fmt("invalid type name \"%.*s\"", STR_ARGS(text)));
    TRY(base_type(session, &parts, &type));
    const BuiltinType *builtin = builtin_type(type);
    if (parts.typmod_count && allow_typmod) {
        if (!builtin || !builtin->typmod_in)
            FAIL(ERR_SYNTAX_ERROR, .message = fmt("type modifier is not allowed for type \"%.*s\"",
                                                  STR_ARGS(parts.name)));
        TRY(builtin->typmod_in(parts.typmods, parts.typmod_count, &typmod));
    }
    if (parts.is_array) {
        const TypeDesc *desc = type_get(session, type);
        TRY(desc);
        if (!desc->array)
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("could not find array type for data type %.*s",
                                STR_ARGS(type_name(session, type))));
        type = desc->array;
    }
    *ret_type = type;
    *ret_typmod = typmod;
    return true;
}
