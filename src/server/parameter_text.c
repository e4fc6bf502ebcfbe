/* Bound parameters in words. */
#include "server/parameter_text.h"

#include "base/error.h"
#include "base/pace.h"
#include "server/portal.h"
#include "types/type.h"

static void put_quoted(StrBuf *out, Str text, int64_t most)
{
    size_t length = most < 0 ? text.length : MIN(text.length, (size_t)most);

    while (length < text.length && length > 0 && ((byte)text.data[length] & 0xc0) == 0x80)
        length--;
    strbuf_append_char(out, '\'');
    for (size_t i = 0; i < length; i++) {
        if (unlikely((i + 1) % PACE_BYTES == 0))
            pace_turn();
        if (text.data[i] == '\'')
            strbuf_append_char(out, '\'');
        strbuf_append_char(out, text.data[i]);
    }
    strbuf_append_c(out, length < text.length ? "...'" : "'");
}

/* "portal "c"" or "unnamed portal" */
static void put_portal(StrBuf *out, const Portal *portal)
{
    if (portal->name.length > 0)
        strbuf_format(out, "portal \"%.*s\"", STR_ARGS(portal->name));
    else
        strbuf_append_c(out, "unnamed portal");
}

static void put_value(StrBuf *out, Session *session, const Portal *portal, int i, int64_t most)
{
    StrBuf text = strbuf_in(session->message_arena);

    if (type_output(portal->statement->param_types[i], &portal->parameters.values[i], &text))
        put_quoted(out, strbuf_view(&text), most);
    else
        error_clear(); /* a value that cannot be shown is no reason to fail */
}

Str parameters_text(Session *session, const Portal *portal, const Str *texts, int64_t most)
{
    StrBuf out = strbuf_in(session->message_arena);

    for (int i = 0; most != 0 && i < portal->statement->param_count; i++) {
        strbuf_format(&out, "%s$%d = ", i > 0 ? ", " : "", i + 1);
        if (portal->parameters.nulls[i])
            strbuf_append_c(&out, "NULL");
        else if (texts && !str_is_none(texts[i]))
            put_quoted(&out, texts[i], most);
        else
            put_value(&out, session, portal, i, most);
    }
    return strbuf_view(&out);
}

void bind_error_context(Session *session, const Portal *portal, uint16_t i, Str text)
{
    StrBuf line = strbuf_in(session->message_arena);

    put_portal(&line, portal);
    strbuf_format(&line, " parameter $%u", i + 1u);
    if (!str_is_none(text)) {
        strbuf_append_c(&line, " = ");
        put_quoted(&line, text, session->settings.current.log_parameter_max_length_on_error);
    }
    error_add_context(strbuf_view(&line));
}

Str portal_context(Session *session, const Portal *portal)
{
    if (likely(portal->parameters_told.length == 0))
        return STR_NONE;

    StrBuf line = strbuf_in(session->message_arena);
    put_portal(&line, portal);
    strbuf_append_c(&line, " with parameters: ");
    strbuf_append(&line, portal->parameters_told);
    return strbuf_view(&line);
}
