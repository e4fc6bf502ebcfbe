#include "protocol/startup.h"

#define CODE(major, minor) ((uint32_t)(major) << 16 | (uint32_t)(minor))
#define CODE_CANCEL CODE(1234, 5678)
#define CODE_SSL CODE(1234, 5679)
#define CODE_GSS CODE(1234, 5680)

static void option_add(Startup *startup, Arena *arena, Str name, Str value)
{
    StartupOption option = {str_copy(arena, name), str_copy(arena, value)};

    VEC_PUSH(arena, &startup->options, option);
}

/* The next word of "options": a backslash keeps the character behind it. */
static Str next_word(Arena *arena, Str *rest)
{
    StrBuf word = strbuf_in(arena);
    size_t i = 0;

    while (i < rest->length && (rest->data[i] == ' ' || rest->data[i] == '\t'))
        i++;
    for (; i < rest->length && rest->data[i] != ' ' && rest->data[i] != '\t'; i++) {
        if (rest->data[i] == '\\' && i + 1 < rest->length)
            i++;
        strbuf_append_char(&word, rest->data[i]);
    }
    *rest = str_slice(*rest, i, rest->length);
    return strbuf_view(&word);
}

static bool assignment_add(Startup *startup, Arena *arena, Str text)
{
    size_t equals = str_find_char(text, '=', 0);

    if (equals == SIZE_MAX)
        FAIL(ERR_SYNTAX_ERROR, .severity = SEVERITY_FATAL,
             .message = fmt("-c %.*s requires a value", STR_ARGS(text)));
    char *name = str_to_c(arena, str_slice(text, 0, equals));
    for (char *c = name; *c; c++)
        if (*c == '-')
            *c = '_';
    option_add(startup, arena, str_from_c(name), str_slice(text, equals + 1, text.length));
    return true;
}

/* "-c name=value", "-cname=value" and "--name=value", as libpq's PGOPTIONS sends them. */
static bool parse_options_text(Startup *startup, Arena *arena, Str text)
{
    for (Str word = next_word(arena, &text); word.length > 0; word = next_word(arena, &text)) {
        if (str_equal(word, STR("-c")))
            TRY(assignment_add(startup, arena, next_word(arena, &text)));
        else if (str_starts_with(word, STR("-c")) || str_starts_with(word, STR("--")))
            TRY(assignment_add(startup, arena, str_slice(word, 2, word.length)));
        else
            FAIL(ERR_SYNTAX_ERROR, .severity = SEVERITY_FATAL,
                 .message =
                     fmt("invalid command-line argument for server process: %.*s", STR_ARGS(word)));
    }
    return true;
}

static bool parse_pair(Startup *startup, Arena *arena, Str name, Str value)
{
    if (str_equal(name, STR("user"))) {
        startup->user = str_copy(arena, value);
    } else if (str_equal(name, STR("database"))) {
        startup->database = str_copy(arena, value);
    } else if (str_equal(name, STR("options"))) {
        return parse_options_text(startup, arena, value);
    } else if (str_equal(name, STR("replication"))) {
        startup->replication = !str_equal_nocase(value, STR("false")) &&
                               !str_equal_nocase(value, STR("off")) &&
                               !str_equal_nocase(value, STR("no")) && !str_equal(value, STR("0"));
    } else if (str_starts_with(name, STR("_pq_."))) {
        VEC_PUSH(arena, &startup->unknown_extensions, str_copy(arena, name));
    } else {
        option_add(startup, arena, name, value);
    }
    return true;
}

static StartupKind parse_session(MessageReader *in, Arena *arena, Startup *ret_startup)
{
    Startup startup = {.minor_version = ret_startup->minor_version};

    for (;;) {
        Str name = message_get_string(in);
        if (in->failed || name.length == 0)
            break;
        Str value = message_get_string(in);
        if (in->failed)
            break;
        TRY(parse_pair(&startup, arena, name, value));
    }
    if (in->failed || in->rest.length > 0)
        FAIL(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
             .message = STR("invalid startup packet layout: expected terminator as last byte"));
    if (startup.user.length == 0)
        FAIL(ERR_INVALID_AUTHORIZATION_SPECIFICATION, .severity = SEVERITY_FATAL,
             .message = STR("no PostgreSQL user name specified in startup packet"));
    if (startup.database.length == 0)
        startup.database = startup.user;
    *ret_startup = startup;
    return STARTUP_SESSION;
}

StartupKind startup_parse(Str body, Arena *arena, Startup *ret_startup)
{
    MessageReader in = message_reader(body);
    uint32_t code = message_get_int32(&in);

    if (code == CODE_SSL && in.rest.length == 0)
        return STARTUP_SSL_REQUEST;
    if (code == CODE_GSS && in.rest.length == 0)
        return STARTUP_GSS_REQUEST;
    if (code == CODE_CANCEL) {
        ret_startup->process_id = (int32_t)message_get_int32(&in);
        ret_startup->secret = (int32_t)message_get_int32(&in);
        if (in.failed || in.rest.length > 0)
            FAIL(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
                 .message = STR("invalid length of cancel request packet"));
        return STARTUP_CANCEL;
    }
    if (code >> 16 != 3)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .severity = SEVERITY_FATAL,
             .message = fmt("unsupported frontend protocol %u.%u: server supports 3.0 to 3.0",
                            code >> 16, code & 0xffff));
    ret_startup->minor_version = code & 0xffff;
    return parse_session(&in, arena, ret_startup);
}

bool startup_put_negotiation(MessageOut *out, const Startup *startup)
{
    if (startup->minor_version == 0 && startup->unknown_extensions.length == 0)
        return false;
    message_begin(out, 'v');
    message_put_int32(out, 3u << 16);
    message_put_int32(out, (uint32_t)startup->unknown_extensions.length);
    for (size_t i = 0; i < startup->unknown_extensions.length; i++)
        message_put_string(out, startup->unknown_extensions.items[i]);
    message_end(out);
    return true;
}
