/* The simple protocol: a string of statements, in one transaction where none of them says
 * otherwise. */
#include "executor/command/maintain.h"
#include "parser/parser.h"
#include "server/client_text.h"
#include "server/log.h"
#include "server/portal.h"
#include "server/server.h"
#include "server/statement_log.h"
#include "types/type.h"

static void log_text(Session *session, Str text, const Node *node)
{
    statement_log_text(session, &(LoggedStatement){.text = text}, node);
}

static const uint16_t is_binary_format = 1;

/* Rows of a BINARY cursor come in binary even in the simple protocol. */
static bool fetches_binary(Session *session, const Node *statement)
{
    if (!NODE_IS(statement, FetchStmt))
        return false;
    const Portal *portal = portal_find(session, NODE_CAST(FetchStmt, statement)->portalname);
    return portal && (portal->cursor_options & CURSOR_OPT_BINARY);
}

/* One statement of the string to its CommandComplete. */
static bool run_statement(Session *session, Str text, const RawStmt *raw, bool is_last)
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
    statement->has_no_params = true;
    bool ok = statement_ready(session, statement) &&
              (portal = portal_open(session, STR(""), statement)) != NULL;
    statement_release(statement);
    TRY(ok);

    uint32_t number = portal->number;
    bool is_binary = fetches_binary(session, raw->stmt);
    wire_sink_init(&wire, session, true, &is_binary_format, is_binary);
    ok = portal_run(session, portal, &wire.sink, 0, !block_is_open(session), &tag);
    /* The statement itself may have closed it: CLOSE ALL, DISCARD ALL, ROLLBACK. */
    portal = portal_find(session, STR(""));
    if (portal && portal->number == number)
        portal_close(session, portal);
    TRY(ok);
    /* The last statement's commit comes before the client is told that it is done. */
    if (is_last)
        TRY(block_statement_end(session));
    message_put_command_complete(out, tag);
    return true;
}

/* -- By the plan cache ------------------------------------------------------------------------ */

typedef enum CachedOutcome {
    CACHED_FAILED = 0, /* the error is set */
    CACHED_DONE,
    CACHED_NOT, /* nothing has been done: the statement is to be parsed */
} CachedOutcome;

static bool run_state(Session *session, CachedPlan *plan, ExecState *state,
                      const ExecParameters *parameters, Str *ret_tag)
{
    WireSink wire;

    session->has_queried = true;
    TRY(executor_start(state, &(ExecRequest){
                                  .snapshot = txn_snapshot(session->exec.catalog.txn),
                                  .parameters = parameters,
                                  .is_admitted = plan->is_admitted,
                              }));
    plan->is_admitted = true;
    wire_sink_init(&wire, session, true, NULL, 0);
    TRY(executor_run(state, &wire.sink, 0));
    CommandResult result = executor_result(state);
    *ret_tag = command_tag(session->statement_arena, result.verb, result.row_count);
    return true;
}

static CachedOutcome run_plan(Session *session, CachedPlan *plan, const Fingerprint *print)
{
    ExecParameters parameters;
    Str tag = STR_NONE;
    bool were_held;

    if (!plan_read_literals(plan, print, session->statement_arena, &parameters))
        return CACHED_NOT;
    TRY(planned_lock_relations(&session->exec.catalog, plan->planned, &were_held));
    /* Whoever made us wait may have changed what the plan is about. */
    if (!plan_is_valid(session, plan))
        return CACHED_NOT;
    ExecState *state = plan_take_state(session, plan);
    TRY(state);
    bool ok = run_state(session, plan, state, &parameters, &tag);
    plan_give_state(plan, state);
    TRY(ok);
    TRY(block_statement_end(session));
    message_put_command_complete(&session->connection.out, tag);
    return CACHED_DONE;
}

static CachedOutcome run_cached(Session *session, Str text)
{
    Fingerprint print;
    PlanKey key = {.print = &print, .is_lifted = true};

    if (session->block == BLOCK_FAILED)
        return CACHED_NOT;
    fingerprint_make(session->statement_arena, text, &print);
    if (!print.is_cacheable || print.has_params)
        return CACHED_NOT;
    TRY(block_statement_begin(session));
    CachedPlan *plan = plan_cache_find(session, &key);
    if (!plan && plan_cache_is_worth_it(session, &key)) {
        plan = plan_cache_make(session, &key, text);
        if (!plan && error_is_set())
            error_clear(); /* parsing it again tells what is wrong */
    }
    if (!plan)
        return CACHED_NOT;
    session->statement_index = 0;
    log_text(session, text, plan->statement);
    CachedOutcome outcome = run_plan(session, plan, &print);
    plan_unref(plan);
    return outcome;
}

/* -- By parsing ------------------------------------------------------------------------------- */

static void run_parsed(Session *session, Str text)
{
    StatementList list = {0};

    if (!parse(session->statement_arena, text, &list)) {
        session_report_error(session);
        return;
    }
    if (list.length == 0)
        message_put_empty(&session->connection.out, 'I');
    for (size_t i = 0; i < list.length; i++)
        log_text(session, text, list.items[i]->stmt);
    session->is_in_list = list.length > 1;
    for (size_t i = 0; i < list.length; i++) {
        session->statement_index = i;
        if (!run_statement(session, text, list.items[i], i + 1 == list.length)) {
            session_report_error(session);
            break;
        }
    }
    session->is_in_list = false;
}

void session_simple_query(Session *session, Str text)
{
    const int64_t started = statement_log_begin(session);

    session->query_text = STR("");
    statement_drop(session, STR(""));
    if (!client_text_take(session, session->message_arena, &text)) {
        session_report_error(session);
        return;
    }
    session->query_text = text;
    session_set_activity(session, ACTIVITY_ACTIVE, text);
    switch (run_cached(session, text)) {
    case CACHED_FAILED:
        session_report_error(session);
        break;
    case CACHED_DONE:
        break;
    case CACHED_NOT:
        run_parsed(session, text);
        break;
    }
    statement_log_end(session, &(LoggedStatement){.text = text}, started);
}
