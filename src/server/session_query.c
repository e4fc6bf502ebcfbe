/* The simple protocol: a string of statements, in one transaction where none of them says otherwise. */
#include "parser/parser.h"
#include "server/log.h"
#include "server/portal.h"
#include "server/server.h"

/* Log lines of log_statement and log_min_duration_statement. */
static void log_duration(Session *session, Str text, int64_t started)
{
    const SettingValues *values = &session->settings.current;
    int64_t took = os->monotonic() - started;

    if (values->log_min_duration_statement < 0 ||
        took < values->log_min_duration_statement * 1000)
        return;
    log_message(SEVERITY_LOG, "duration: %lld.%03d ms  statement: %.*s", (long long)(took / 1000),
                (int)(took % 1000), STR_ARGS(text));
}

/* One statement of the string to its CommandComplete. */
static bool run_statement(Session *session, Str text, const RawStmt *raw, bool is_alone)
{
    MessageOut *out = &session->connection.out;
    WireSink wire;
    Str tag = STR_NONE;

    TRY(block_allows(session, raw->stmt));
    if (NODE_IS(raw->stmt, TransactionStmt)) {
        TRY(block_execute(session, NODE_CAST(TransactionStmt, raw->stmt), &tag));
        message_put_command_complete(out, tag);
        return true;
    }
    TRY(block_statement_begin(session));
    PreparedStatement *statement = statement_new(session, STR(""), text, raw->stmt, NULL, 0);
    Portal *portal = NULL;
    bool ok = statement_ready(session, statement) &&
              (portal = portal_open(session, STR(""), statement)) != NULL;
    statement_release(statement);
    TRY(ok);

    uint32_t number = portal->number;
    wire_sink_init(&wire, session, true, NULL, 0);
    ok = portal_run(session, portal, &wire.sink, 0, is_alone && session->block == BLOCK_IMPLICIT,
                    &tag);
    /* The statement itself may have closed it: CLOSE ALL, DISCARD ALL, ROLLBACK. */
    portal = portal_find(session, STR(""));
    if (portal && portal->number == number)
        portal_close(session, portal);
    TRY(ok);
    /* The last statement's commit comes before the client is told that it is done. */
    if (is_alone)
        TRY(block_statement_end(session));
    message_put_command_complete(out, tag);
    return true;
}

void session_simple_query(Session *session, Str text)
{
    StatementList list = {0};
    int64_t started = os->monotonic();

    session->query_text = text;
    statement_drop(session, STR(""));
    if (!parse(session->statement_arena, text, &list)) {
        session_report_error(session);
        return;
    }
    if (list.length == 0)
        message_put_empty(&session->connection.out, 'I');
    if (session->settings.current.log_statement == LOG_STATEMENT_ALL)
        log_message(SEVERITY_LOG, "statement: %.*s", STR_ARGS(text));
    for (size_t i = 0; i < list.length; i++) {
        session->statement_index = i;
        if (!run_statement(session, text, list.items[i], i + 1 == list.length)) {
            session_report_error(session);
            break;
        }
    }
    log_duration(session, text, started);
}
