/* Key words, and identifiers as SQL text. */
#include "base/error.h"
#include "parser/keyword_table.h"

const Keyword *keyword_find(Str name)
{
    size_t low = 0, high = keyword_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_compare(keyword_table[middle].name, name);
        if (order == 0)
            return &keyword_table[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const Keyword *keyword_list(size_t *ret_count)
{
    *ret_count = keyword_count;
    return keyword_table;
}

static bool is_plain(Str name)
{
    if (name.length == 0 || !((name.data[0] >= 'a' && name.data[0] <= 'z') || name.data[0] == '_'))
        return false;
    for (size_t i = 1; i < name.length; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    const Keyword *keyword = keyword_find(name);
    return !keyword || keyword->category == KEYWORD_UNRESERVED;
}

Str quote_identifier(Arena *arena, Str name)
{
    StrBuf text = strbuf_in(arena);

    if (is_plain(name))
        return name;
    strbuf_append_char(&text, '"');
    for (size_t i = 0; i < name.length; i++) {
        if (name.data[i] == '"')
            strbuf_append_char(&text, '"');
        strbuf_append_char(&text, name.data[i]);
    }
    strbuf_append_char(&text, '"');
    return strbuf_view(&text);
}

Str quote_qualified_identifier(Arena *arena, Str schema, Str name)
{
    Str quoted = quote_identifier(arena, name);

    if (str_is_none(schema))
        return quoted;
    return str_format(arena, "%.*s.%.*s", STR_ARGS(quote_identifier(arena, schema)),
                      STR_ARGS(quoted));
}

static bool fail_name(void)
{
    FAIL(ERR_INVALID_NAME, .message = STR("invalid name syntax"));
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* One part: in quotes as written, else folded. */
static bool take_part(Arena *arena, Str text, size_t *position, Str *ret_part)
{
    StrBuf part = strbuf_in(arena);
    size_t i = *position;

    if (i < text.length && text.data[i] == '"') {
        for (i++;; i++) {
            if (i >= text.length)
                return fail_name();
            if (text.data[i] == '"') {
                if (i + 1 >= text.length || text.data[i + 1] != '"')
                    break;
                i++;
            }
            strbuf_append_char(&part, text.data[i]);
        }
        i++;
    } else {
        while (i < text.length && text.data[i] != '.' && text.data[i] != '"' &&
               !is_space(text.data[i]))
            strbuf_append_char(&part, text.data[i++]);
        Str lower = str_lower(arena, strbuf_view(&part));
        part = strbuf_in(arena);
        strbuf_append(&part, lower);
    }
    if (part.length == 0)
        return fail_name();
    *position = i;
    *ret_part = strbuf_view(&part);
    return true;
}

bool parse_qualified_name(Arena *arena, Str text, StrVec *ret_names)
{
    size_t i = 0;

    for (;;) {
        Str part;
        while (i < text.length && is_space(text.data[i]))
            i++;
        TRY(take_part(arena, text, &i, &part));
        VEC_PUSH(arena, ret_names, part);
        while (i < text.length && is_space(text.data[i]))
            i++;
        if (i >= text.length)
            return true;
        if (text.data[i] != '.')
            return fail_name();
        i++;
    }
}
