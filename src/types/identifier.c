/* Identifiers as SQL text, and parse_ident: a qualified name cut into its parts. */
#include "types/identifier.h"
#include "base/pace.h"
#include "base/settings.h"
#include "types/array.h"
#include "types/types_internal.h"

/* Sorted: all key words but the unreserved ones. */
extern const char *const quoted_keywords[];
extern const size_t quoted_keyword_count;

static bool is_quoted_keyword(Str name)
{
    size_t low = 0, high = quoted_keyword_count;

    while (low < high) {
        const size_t middle = (low + high) / 2;
        const int order = str_compare(str_from_c(quoted_keywords[middle]), name);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool is_plain(Str name)
{
    if (name.length == 0 || is_digit(name.data[0]))
        return false;
    for (size_t i = 0; i < name.length; i++) {
        const char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || is_digit(c) || c == '_'))
            return false;
    }
    return !is_quoted_keyword(name);
}

Str identifier_enclose(Arena *arena, Str name)
{
    StrBuf text = strbuf_in(arena);

    strbuf_append_char(&text, '"');
    for (size_t i = 0; i < name.length; i++) {
        if (unlikely((i + 1) % PACE_BYTES == 0))
            pace_turn(); /* a function may quote a text that is no name */
        if (name.data[i] == '"')
            strbuf_append_char(&text, '"');
        strbuf_append_char(&text, name.data[i]);
    }
    strbuf_append_char(&text, '"');
    return strbuf_view(&text);
}

Str identifier_quote(Arena *arena, Str name)
{
    return is_plain(name) && !settings()->quote_all_identifiers ? name
                                                                : identifier_enclose(arena, name);
}

Str identifier_qualify(Arena *arena, Str schema, Str name)
{
    const Str last = identifier_quote(arena, name);

    if (str_is_none(schema))
        return last;
    const Str first = identifier_quote(arena, schema);
    return str_format(arena, "%.*s.%.*s", STR_ARGS(first), STR_ARGS(last));
}

static bool starts_name(char c)
{
    return is_alpha(c) || c == '_' || (uint8_t)c >= 0x80;
}
static bool continues_name(char c)
{
    return starts_name(c) || is_digit(c) || c == '$';
}

static size_t space_skip(Str s, size_t at)
{
    while (at < s.length && is_space(s.data[at]))
        at++;
    return at;
}

static bool not_identifier(Str s, Str detail)
{
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message = fmt("string is not a valid identifier: \"%.*s\"", STR_ARGS(s)),
         .detail = detail);
}

/* "a ""b""": the bytes between the quotes, doubled ones once. */
static bool quoted_part(Arena *arena, Str s, size_t *at, Str *ret)
{
    StrBuf out = strbuf_in(arena);
    for (size_t i = *at + 1, pause = 0; i < s.length; i++) {
        CHECK_INTERRUPTS_PAST(i, pause);
        if (s.data[i] == '"' && i + 1 < s.length && s.data[i + 1] == '"') {
            i++;
        } else if (s.data[i] == '"') {
            *at = i + 1;
            *ret = strbuf_view(&out);
            if (out.length == 0)
                return not_identifier(s, STR("Quoted identifier must not be empty."));
            return true;
        }
        strbuf_append_char(&out, s.data[i]);
    }
    return not_identifier(s, STR("String has unclosed double quotes."));
}

static bool part_read(Arena *arena, Str s, size_t *at, bool after_dot, Str *ret)
{
    if (*at < s.length && s.data[*at] == '"')
        return quoted_part(arena, s, at, ret);
    if (*at < s.length && starts_name(s.data[*at])) {
        const size_t start = *at;
        while (*at < s.length && continues_name(s.data[*at]))
            (*at)++;
        *ret = str_lower(arena, str_slice(s, start, *at - start));
        return true;
    }
    if (*at < s.length && s.data[*at] == '.')
        return not_identifier(s, STR("No valid identifier before \".\"."));
    if (after_dot)
        return not_identifier(s, STR("No valid identifier after \".\"."));
    return not_identifier(s, STR_NONE);
}

FUNCTION(parse_ident)
{
    const Str s = var_str(args[0].var);
    const bool is_strict = args[1].boolean;
    ArrayBuilder parts;
    bool after_dot = false;
    size_t at = space_skip(s, 0);
    array_builder_init(&parts, call->arena, TYPE_TEXT);
    for (;;) {
        Str part;
        CHECK_INTERRUPTS();
        TRY(part_read(call->arena, s, &at, after_dot, &part));
        const Value value = value_text(part);
        array_builder_add(&parts, &value, false);
        at = space_skip(s, at);
        if (at < s.length && s.data[at] == '.') {
            after_dot = true;
            at = space_skip(s, at + 1);
            continue;
        }
        if (at < s.length && is_strict)
            return not_identifier(s, STR_NONE);
        return array_builder_finish(&parts, ret);
    }
}
