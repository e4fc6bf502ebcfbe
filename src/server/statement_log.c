#include "server/statement_log.h"

#include "base/os.h"
#include "server/log.h"
#include "server/parameter_text.h"
#include "server/portal.h"
#include "types/type.h"

/* What kind of statement it is for log_statement: the least level that logs it. */
static int statement_level(const Node *node)
{
    switch (node->tag) {
    case NODE_SELECT_STMT:
        return NODE_CAST(SelectStmt, node)->into_clause ? LOG_STATEMENT_DDL : LOG_STATEMENT_ALL;
    case NODE_INSERT_STMT:
    case NODE_UPDATE_STMT:
    case NODE_DELETE_STMT:
    case NODE_MERGE_STMT:
    case NODE_TRUNCATE_STMT:
        return LOG_STATEMENT_MOD;
    case NODE_COPY_STMT:
        return NODE_CAST(CopyStmt, node)->is_from ? LOG_STATEMENT_MOD : LOG_STATEMENT_ALL;
    case NODE_PREPARE_STMT:
        return statement_level(NODE_CAST(PrepareStmt, node)->query);
    case NODE_TRANSACTION_STMT:
    case NODE_VARIABLE_SET_STMT:
    case NODE_VARIABLE_SHOW_STMT:
    case NODE_EXPLAIN_STMT:
    case NODE_FETCH_STMT:
    case NODE_DECLARE_CURSOR_STMT:
    case NODE_CLOSE_PORTAL_STMT:
    case NODE_EXECUTE_STMT:
    case NODE_DEALLOCATE_STMT:
    case NODE_DISCARD_STMT:
    case NODE_LOCK_STMT:
    case NODE_CHECK_POINT_STMT:
    case NODE_VACUUM_STMT:
    case NODE_CONSTRAINTS_SET_STMT:
    case NODE_LOAD_STMT:
    case NODE_LISTEN_STMT:
    case NODE_NOTIFY_STMT:
    case NODE_UNLISTEN_STMT:
    case NODE_CALL_STMT:
    case NODE_DO_STMT:
        return LOG_STATEMENT_ALL;
    default:
        return LOG_STATEMENT_DDL;
    }
}

/* "statement: ", "execute <unnamed>: ". */
static Str statement_head(const LoggedStatement *statement)
{
    if (!statement->step)
        return STR("statement");
    return fmt("%s %.*s%s%.*s", statement->step,
               STR_ARGS(statement->name.length > 0 ? statement->name : STR("<unnamed>")),
               statement->portal.length > 0 ? "/" : "", STR_ARGS(statement->portal));
}

static Str logged_parameters(Session *session, const Portal *portal)
{
    return parameters_text(session, portal, NULL,
                           session->settings.current.log_parameter_max_length);
}

/* One line, with the parameters below it. */
static void log_statement(Session *session, const LoggedStatement *statement, Str line)
{
    ErrorFields fields = {.severity = SEVERITY_LOG, .message = line};

    if (!log_wants(SEVERITY_LOG))
        return;
    const Str parameters =
        statement->bound ? logged_parameters(session, statement->bound) : statement->parameters;
    if (parameters.length > 0)
        fields.detail =
            str_format(session->message_arena, "parameters: %.*s", STR_ARGS(parameters));
    log_fields(&fields, STR_NONE);
}

LoggedStatement statement_log_copy(Session *session, const LoggedStatement *statement)
{
    Arena *arena = session->message_arena;
    LoggedStatement copy = *statement;

    copy.text = str_copy(arena, statement->text);
    copy.name = str_copy(arena, statement->name);
    copy.portal = str_copy(arena, statement->portal);
    copy.parameters = logged_parameters(session, statement->bound);
    copy.bound = NULL;
    return copy;
}

int64_t statement_log_begin(Session *session)
{
    const SettingValues *values = &session->settings.current;

    session->is_statement_logged = false;
    return values->log_min_duration_statement >= 0 || values->log_min_duration_sample >= 0 ||
                   values->log_duration
               ? os->monotonic()
               : 0;
}

void statement_log_text(Session *session, const LoggedStatement *statement, const Node *node)
{
    const int wanted = session->settings.current.log_statement;

    if (likely(wanted == LOG_STATEMENT_NONE) || session->is_statement_logged ||
        (wanted != LOG_STATEMENT_ALL && statement_level(node) > wanted))
        return;
    session->is_statement_logged = true;
    log_statement(session, statement,
                  str_format(session->message_arena, "%.*s: %.*s",
                             STR_ARGS(statement_head(statement)), STR_ARGS(statement->text)));
}

static bool is_sampled(const SettingValues *values, int64_t took)
{
    const int64_t least = values->log_min_duration_sample;
    uint32_t lot;

    if (least < 0 || took < least * 1000)
        return false;
    os->random(&lot, sizeof(lot));
    return (double)lot < values->log_statement_sample_rate * 4294967296.0;
}

void statement_log_end(Session *session, const LoggedStatement *statement, int64_t started)
{
    const SettingValues *values = &session->settings.current;
    const int64_t least = values->log_min_duration_statement;

    if (likely(started == 0))
        return;
    const int64_t took = os->monotonic() - started;
    const bool is_slow = (least >= 0 && took >= least * 1000) || is_sampled(values, took);
    if (is_slow && !session->is_statement_logged)
        log_statement(session, statement,
                      str_format(session->message_arena, "duration: %lld.%03d ms  %.*s: %.*s",
                                 (long long)(took / 1000), (int)(took % 1000),
                                 STR_ARGS(statement_head(statement)), STR_ARGS(statement->text)));
    else if (is_slow || values->log_duration)
        log_message(SEVERITY_LOG, "duration: %lld.%03d ms", (long long)(took / 1000),
                    (int)(took % 1000));
}
