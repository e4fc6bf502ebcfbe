/* The extended protocol: Parse, Bind, Describe, Execute, Close. */
#include "base/pace.h"
#include "parser/parser.h"
#include "server/client_text.h"
#include "server/log.h"
#include "server/parameter_text.h"
#include "server/portal.h"
#include "server/statement_log.h"
#include "types/type.h"

#define PARAMETERS_MAX 65535

/* -- Parse ----------------------------------------------------------------------------------- */

static bool parse_statement(PreparedStatement *statement)
{
    StatementList list = {0};

    TRY(parse(statement->arena, statement->source, &list));
    if (list.length > 1)
        FAIL(ERR_SYNTAX_ERROR,
             .message = STR("cannot insert multiple commands into a prepared statement"));
    statement->statement = list.length == 1 ? list.items[0]->stmt : NULL;
    return true;
}

static bool find_or_parse(Session *session, PreparedStatement *statement)
{
    if (session->block != BLOCK_FAILED && statement_fingerprint(statement)) {
        TRY(block_statement_begin(session));
        if (statement_find_shared(session, statement))
            return true;
    }
    return parse_statement(statement);
}

static bool handle_parse(Session *session, MessageReader *in)
{
    Str name = message_get_string(in), text = message_get_string(in);
    uint16_t count = message_get_int16(in);
    Oid *types = ARENA_ARRAY(session->statement_arena, Oid, count);

    for (uint16_t i = 0; i < count && !in->failed; i++)
        types[i] = message_get_int32(in);
    TRY(message_done(in));
    TRY(client_text_take(session, session->message_arena, &name));
    TRY(client_text_take(session, session->message_arena, &text));
    session_set_activity(session, ACTIVITY_ACTIVE, text);
    const int64_t started = statement_log_begin(session);
    if (name.length == 0)
        statement_drop(session, name);
    PreparedStatement *statement = statement_new(session, name, STR_NONE, NULL, types, count);
    session->query_text = text;
    bool ok = pace_str_copy(statement->arena, text, &statement->source) &&
              find_or_parse(session, statement);
    bool is_control = NODE_IS(statement->statement, TransactionStmt);
    ok = ok && (!statement->statement || block_allows(session, statement->statement));
    if (is_control)
        statement->is_utility = true;
    else
        ok = ok && block_statement_begin(session) && statement_ready(session, statement);
    if (!ok || !statement_store(session, statement)) {
        statement_release(statement);
        return false;
    }
    message_put_empty(&session->connection.out, '1');
    statement_log_end(session, &(LoggedStatement){.step = "parse", .text = text, .name = name},
                      started);
    return true;
}

/* -- Bind ------------------------------------------------------------------------------------ */

static uint16_t *get_formats(MessageReader *in, Arena *arena, uint16_t *ret_count)
{
    const uint16_t count = message_get_int16(in);

    *ret_count = count;
    if (count == 0)
        return NULL;
    uint16_t *formats = ARENA_ARRAY(arena, uint16_t, count);
    for (uint16_t i = 0; i < count && !in->failed; i++)
        formats[i] = message_get_int16(in);
    return formats;
}

static bool check_formats(const uint16_t *formats, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (formats[i] > 1)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("unsupported format code: %u", formats[i]));
    return true;
}

/* The usual integers: a few digits and nothing else. The type's own input takes the others. */
static bool is_plain_integer(Str text, Oid type, Value *ret_value)
{
    const bool is_negative = text.length > 1 && text.data[0] == '-';
    int32_t value = 0;

    if ((type != TYPE_INT4 && type != TYPE_INT8) || text.length == 0 ||
        text.length > 9 + (size_t)is_negative)
        return false;
    for (size_t i = is_negative; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (text.data[i] - '0');
    }
    value = is_negative ? -value : value;
    *ret_value = type == TYPE_INT4 ? (Value){.int32 = value} : (Value){.int64 = value};
    return true;
}

/* A parameter as it comes. */
typedef struct ParameterInput {
    Session *session;
    MessageReader *in;
    Portal *portal;
    Str text; /* of the one read last, once it is known to be text; or none */
} ParameterInput;

static bool get_parameter(ParameterInput *input, uint16_t i, uint16_t format)
{
    Session *session = input->session;
    MessageReader *in = input->in;
    Portal *portal = input->portal;
    Value *value = (Value *)&portal->parameters.values[i];
    bool *is_null = (bool *)&portal->parameters.nulls[i];
    Oid type = portal->statement->param_types[i];
    uint32_t length = message_get_int32(in);

    input->text = STR_NONE;
    *is_null = length == UINT32_MAX;
    if (*is_null)
        return true;
    const Str view = message_get_bytes(in, length);
    if (in->failed)
        return true; /* message_done tells */
    if (format == 0 && is_plain_integer(view, type, value)) {
        input->text = view;
        return true;
    }
    Str bytes;
    TRY(pace_str_copy(portal->arena, view, &bytes));
    if (format == 0) {
        TRY(client_text_take(session, portal->arena, &bytes));
        input->text = bytes;
        return type_input(portal->arena, type, -1, bytes, value);
    }
    TRY(client_binary_take(session, portal->arena, type, &bytes));
    if (type_receive(portal->arena, type, -1, bytes, value))
        return true;
    if (str_equal(error_fields()->message, STR("incorrect binary data format"))) {
        error_clear();
        FAIL(ERR_INVALID_BINARY_REPRESENTATION,
             .message = fmt("incorrect binary data format in bind parameter %u", i + 1u));
    }
    return false;
}

static bool get_parameters(Session *session, MessageReader *in, Portal *portal,
                           const uint16_t *formats, uint16_t format_count)
{
    uint16_t count = message_get_int16(in);
    PreparedStatement *statement = portal->statement;

    if (in->failed)
        return true;
    if (format_count > 1 && format_count != count)
        FAIL(ERR_PROTOCOL_VIOLATION,
             .message = fmt("bind message has %u parameter formats but %u parameters", format_count,
                            count));
    if (count != statement->param_count)
        FAIL(ERR_PROTOCOL_VIOLATION,
             .message = fmt("bind message supplies %u parameters, but prepared statement "
                            "\"%.*s\" requires %d",
                            count, STR_ARGS(statement->name), statement->param_count));
    portal->parameters = (ExecParameters){
        .count = count,
        .values = ARENA_ARRAY(portal->arena, Value, count),
        .nulls = ARENA_ARRAY(portal->arena, bool, count),
    };
    const int64_t most = session->settings.current.log_parameter_max_length_on_error;
    Str *texts = most != 0 ? ARENA_ARRAY(session->message_arena, Str, count) : NULL;
    ParameterInput input = {.session = session, .in = in, .portal = portal};
    for (uint16_t i = 0; i < count && !in->failed; i++) {
        const uint16_t format = format_count == 0 ? 0 : format_count == 1 ? formats[0] : formats[i];
        if (unlikely(!get_parameter(&input, i, format))) {
            bind_error_context(session, portal, i, input.text);
            return false;
        }
        if (texts)
            texts[i] = input.text;
    }
    if (texts && !in->failed)
        portal->parameters_told =
            str_copy(portal->arena, parameters_text(session, portal, texts, most));
    return true;
}

static bool failed_in(Str context)
{
    if (context.length > 0)
        error_add_context(context);
    return false;
}

/* Planned, and where it is a query begun: its rows are those of now, whenever it is executed;
 * changes are made when it is. */
static bool ready_portal(Session *session, Portal *portal)
{
    const uint32_t formats = portal->result_format_count;
    RowDescription description;

    TRY(portal_description(session, portal, &description));
    if (formats > 1 && formats != description.count)
        FAIL(ERR_PROTOCOL_VIOLATION,
             .message = fmt("bind message has %u result formats but query has %u columns", formats,
                            description.count));
    const PlannedStatement *planned = portal->statement->planned;
    return !planned || planned->command != QUERY_SELECT || planned->has_modifying_cte ||
           portal_start_ready(session, portal, false);
}

static bool bind_portal(Session *session, MessageReader *in, Portal *portal)
{
    uint16_t format_count, result_count;
    uint16_t *formats = get_formats(in, portal->arena, &format_count);

    TRY(check_formats(formats, format_count));
    TRY(get_parameters(session, in, portal, formats, format_count));
    portal->result_formats = get_formats(in, portal->arena, &result_count);
    portal->result_format_count = result_count;
    TRY(message_done(in));
    if (!NODE_IS(portal->statement->statement, TransactionStmt) && !ready_portal(session, portal))
        return failed_in(portal_context(session, portal));
    message_put_empty(&session->connection.out, '2');
    return true;
}

static bool handle_bind(Session *session, MessageReader *in)
{
    Str portal_name = message_get_string(in), statement_name = message_get_string(in);

    if (in->failed)
        return message_done(in);
    TRY(client_text_take(session, session->message_arena, &portal_name));
    TRY(client_text_take(session, session->message_arena, &statement_name));
    PreparedStatement *statement = statement_get(session, statement_name);
    TRY(statement);
    const int64_t started = statement_log_begin(session);
    session->query_text = statement->source; /* it stays while its portals are made */
    session_show_statement(session, statement, statement->source);
    if (statement->statement)
        TRY(block_allows(session, statement->statement));
    if (!NODE_IS(statement->statement, TransactionStmt))
        TRY(block_statement_begin(session));
    Portal *portal = portal_open(session, portal_name, statement);
    TRY(portal);
    if (!bind_portal(session, in, portal)) {
        portal_close(session, portal);
        return false;
    }
    statement_log_end(session,
                      &(LoggedStatement){.step = "bind",
                                         .text = statement->source,
                                         .name = statement->name,
                                         .portal = portal->name,
                                         .bound = portal},
                      started);
    return true;
}

/* -- Describe -------------------------------------------------------------------------------- */

MUST_CHECK static bool put_rows_or_none(Session *session, const RowDescription *description,
                                        const uint16_t *formats, uint32_t format_count)
{
    if (description->columns)
        return wire_put_description(session, description, formats, format_count);
    message_put_empty(&session->connection.out, 'n');
    return true;
}

static bool describe_statement(Session *session, Str name)
{
    MessageOut *out = &session->connection.out;
    PreparedStatement *statement = statement_get(session, name);
    RowDescription description = {0};

    TRY(statement);
    if (!NODE_IS(statement->statement, TransactionStmt)) {
        if (statement->statement)
            TRY(block_allows(session, statement->statement));
        TRY(block_statement_begin(session));
    }
    message_begin(out, 't');
    message_put_int16(out, (uint16_t)statement->param_count);
    for (int i = 0; i < statement->param_count; i++)
        message_put_int32(out, statement->param_types[i]);
    message_end(out);
    if (!NODE_IS(statement->statement, TransactionStmt))
        TRY(statement_describe(session, statement, &description));
    return put_rows_or_none(session, &description, NULL, 0);
}

static bool describe_portal(Session *session, Str name)
{
    Portal *portal = portal_get(session, name);
    RowDescription description = {0};

    TRY(portal);
    if (!NODE_IS(portal->statement->statement, TransactionStmt)) {
        if (portal->statement->statement)
            TRY(block_allows(session, portal->statement->statement));
        TRY(portal_description(session, portal, &description));
    }
    return put_rows_or_none(session, &description, portal->result_formats,
                            portal->result_format_count);
}

static bool handle_describe(Session *session, MessageReader *in)
{
    char kind = (char)message_get_int8(in);
    Str name = message_get_string(in);

    TRY(message_done(in));
    TRY(client_text_take(session, session->message_arena, &name));
    if (kind == 'S')
        return describe_statement(session, name);
    if (kind == 'P')
        return describe_portal(session, name);
    FAIL(ERR_PROTOCOL_VIOLATION, .message = fmt("invalid DESCRIBE message subtype %d", kind));
}

/* -- Execute --------------------------------------------------------------------------------- */

static bool execute_portal(Session *session, Portal *portal, uint64_t limit)
{
    MessageOut *out = &session->connection.out;
    PreparedStatement *statement = portal->statement;
    WireSink wire;
    Str tag = STR_NONE;

    /* What a command runs may be the end of the portal and of its statement. */
    session->query_text = statement->planned ? statement->source
                                             : str_copy(session->message_arena, statement->source);
    session->statement_index = 0;
    if (!statement->statement) {
        message_put_empty(out, 'I');
        return true;
    }
    TRY(block_allows(session, statement->statement));
    if (NODE_IS(statement->statement, TransactionStmt)) {
        PreparedStatement *kept = statement; /* the end of the block closes its portals */
        kept->references++;
        bool ok = block_execute(session, NODE_CAST(TransactionStmt, kept->statement), &tag);
        statement_release(kept);
        TRY(ok);
        message_put_command_complete(out, tag);
        return true;
    }
    if (!portal->is_started)
        TRY(block_statement_begin(session));
    TRY(check_formats(portal->result_formats, portal->result_format_count));
    wire_sink_init(&wire, session, false, portal->result_formats, portal->result_format_count);
    const Str context = portal_context(session, portal); /* it may end with its run */
    if (!portal_run(session, portal, &wire.sink, limit, !block_is_open(session), &tag))
        return failed_in(context);
    if (str_is_none(tag))
        message_put_empty(out, 's'); /* PortalSuspended */
    else
        message_put_command_complete(out, tag);
    return true;
}

static bool execute_logged(Session *session, Portal *portal, uint64_t limit, int64_t started)
{
    const PreparedStatement *statement = portal->statement;
    LoggedStatement logged = {.text = statement->source,
                              .step = "execute",
                              .name = statement->name,
                              .portal = portal->name,
                              .bound = portal};

    if (!statement->planned) /* what a command runs may be the end of the portal */
        logged = statement_log_copy(session, &logged);
    if (statement->statement)
        statement_log_text(session, &logged, statement->statement);
    TRY(execute_portal(session, portal, limit));
    statement_log_end(session, &logged, started);
    return true;
}

static bool handle_execute(Session *session, MessageReader *in)
{
    Str name = message_get_string(in);
    uint32_t limit = message_get_int32(in);

    TRY(message_done(in));
    TRY(client_text_take(session, session->message_arena, &name));
    Portal *portal = portal_get(session, name);
    TRY(portal);
    if (portal->has_failed)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = fmt("portal \"%.*s\" cannot be run", STR_ARGS(portal->name)));
    session_show_statement(session, portal->statement, portal->statement->source);
    const int64_t started = statement_log_begin(session);
    if (likely(started == 0 && session->settings.current.log_statement == LOG_STATEMENT_NONE))
        return execute_portal(session, portal, limit > INT32_MAX ? 0 : limit);
    return execute_logged(session, portal, limit > INT32_MAX ? 0 : limit, started);
}

static bool handle_close(Session *session, MessageReader *in)
{
    char kind = (char)message_get_int8(in);
    Str name = message_get_string(in);

    TRY(message_done(in));
    TRY(client_text_take(session, session->message_arena, &name));
    if (kind == 'S') {
        statement_drop(session, name);
    } else if (kind == 'P') {
        Portal *portal = portal_find(session, name);
        if (portal)
            portal_close(session, portal);
    } else {
        FAIL(ERR_PROTOCOL_VIOLATION, .message = fmt("invalid CLOSE message subtype %d", kind));
    }
    message_put_empty(&session->connection.out, '3');
    return true;
}

bool session_extended(Session *session, const Frame *frame)
{
    MessageReader in = message_reader(frame->body);

    switch (frame->type) {
    case 'P':
        return handle_parse(session, &in);
    case 'B':
        return handle_bind(session, &in);
    case 'D':
        return handle_describe(session, &in);
    case 'E':
        return handle_execute(session, &in);
    case 'C':
        return handle_close(session, &in);
    default:
        assert(!"session.c handles the others");
        return false;
    }
}
