/* Statements that are not plans: each goes to who does it. */
#include "base/os.h"
#include "executor/command/copy.h"
#include "executor/command/ddl.h"
#include "executor/command/maintain.h"
#include "executor/sequences.h"
#include "executor/state.h"
#include "parser/parser.h"
#include "planner/planner.h"
#include "protocol/scram.h"
#include "server/copy_channel.h"
#include "server/portal.h"
#include "server/server.h"
#include "server/setting_checks.h"
#include "types/type.h"

#define DEFINE_TRIES 20

/* -- What commands need from us -------------------------------------------------------------- */

typedef struct CommandServer {
    Session *session;
    Str source;
    Portal *prepared; /* of an EXECUTE inside the command */
} CommandServer;

static bool make_verifier(void *context, Str role, Str password, Arena *arena, Str *ret_verifier)
{
    (void)context, (void)role;
    if (scram_is_verifier(password)) {
        *ret_verifier = password;
        return true;
    }
    return scram_verifier_make(arena, password, ret_verifier);
}

typedef struct CountDatabase {
    Oid database;
    const Session *except;
    uint32_t count;
    bool terminate;
} CountDatabase;

static void count_database(void *context, Session *session)
{
    CountDatabase *count = context;

    if (session == count->except || !session->is_logged_in ||
        session->exec.catalog.database_oid != count->database)
        return;
    count->count++;
    if (count->terminate)
        session_terminate(session, INTERRUPT_TERMINATE);
}

static uint32_t database_session_count(void *context, Oid database)
{
    const CommandServer *command = context;
    CountDatabase count = {.database = database, .except = command->session};

    server_each_session(server_running, count_database, &count);
    return count.count;
}

static bool database_sessions_end(void *context, Oid database)
{
    const CommandServer *command = context;
    for (int i = 0; i < 50; i++) {
        CountDatabase count = {.database = database, .except = command->session, .terminate = true};
        server_each_session(server_running, count_database, &count);
        if (count.count == 0)
            break;
        TRY(task_sleep(100000, WAIT_EVENT_DATABASE));
    }
    return true;
}

static bool setting_check(void *context, Str name, Str value, Arena *arena, Str *ret_value)
{
    const CommandServer *command = context;

    *ret_value = value;
    return session_setting_check(command->session, name, value, arena);
}

/* -- SHOW ------------------------------------------------------------------------------------ */

static RowDescription text_columns(Arena *arena, const Str *names, uint32_t count)
{
    ResultColumn *columns = ARENA_ARRAY(arena, ResultColumn, count);

    for (uint32_t i = 0; i < count; i++)
        columns[i] = (ResultColumn){.name = names[i],
                                    .type = TYPE_TEXT,
                                    .type_modifier = -1,
                                    .collation = COLLATION_DEFAULT,
                                    .phys = PHYS_VAR};
    return (RowDescription){columns, count};
}

/* Rows of text, given one by one. */
static bool give_row(RowSink *sink, const RowDescription *description, Arena *arena,
                     const Str *texts)
{
    ArenaMark mark = arena_mark(arena);
    Vector **columns = ARENA_ARRAY(arena, Vector *, description->count);

    for (uint32_t i = 0; i < description->count; i++) {
        Value value = {.var = var_from_str(texts[i])};
        columns[i] = vector_new_constant(arena, PHYS_VAR, &value, str_is_none(texts[i]));
    }
    Batch batch = {.columns = columns,
                   .column_count = description->count,
                   .row_count = 1,
                   .selection = {.count = 1}};
    bool ok = !sink->rows || sink->rows(sink, description, &batch);
    arena_rewind(arena, mark);
    return ok;
}

static RowDescription describe_show(Arena *arena, const VariableShowStmt *show)
{
    static const Str all_names[] = {{"name", 4}, {"setting", 7}, {"description", 11}};
    int id = setting_find(show->name);
    Str name = id >= 0 ? setting_infos[id].name : str_copy(arena, show->name);

    if (str_equal(show->name, STR("all")))
        return text_columns(arena, all_names, 3);
    return text_columns(arena, arena_copy(arena, &name, sizeof(name)), 1);
}

static bool execute_show(Session *session, const VariableShowStmt *show, RowSink *sink)
{
    Arena *arena = session->statement_arena;
    RowDescription description = describe_show(arena, show);
    Str value;

    if (!str_equal(show->name, STR("all"))) {
        TRY(session_setting_get(session, show->name, false, arena, &value));
        TRY(!sink->describe || sink->describe(sink, &description));
        return give_row(sink, &description, arena, &value);
    }
    TRY(!sink->describe || sink->describe(sink, &description));
    const bool sees_private = session_sees_private(session);
    TRY(sees_private || !error_is_set());
    for (int id = 0; id < SETTING_COUNT; id++) {
        if ((setting_infos[id].flags & SETTING_IS_HIDDEN) ||
            ((setting_infos[id].flags & SETTING_IS_PRIVATE) && !sees_private))
            continue;
        Str texts[3] = {setting_infos[id].name,
                        setting_show(&session->settings.current, (SettingId)id, arena),
                        setting_infos[id].description};
        TRY(give_row(sink, &description, arena, texts));
    }
    return true;
}

/* -- PREPARE, EXECUTE, DEALLOCATE ------------------------------------------------------------ */

static const Node *prepared_query(const Node *whole)
{
    return NODE_CAST(PrepareStmt, whole)->query;
}

static bool execute_prepare(Session *session, const PrepareStmt *prepare, Str source)
{
    size_t count = prepare->argtypes.length;
    Oid *types = ARENA_ARRAY(session->statement_arena, Oid, count);
    AnalyzeContext context = {
        .arena = session->statement_arena, .session = &session->exec.catalog, .source = source};
    int32_t typmod;

    for (size_t i = 0; i < count; i++)
        TRY(analyze_type_name(&context, &prepare->argtypes.items[i]->node, &types[i], &typmod));
    PreparedStatement *statement =
        statement_of_part(session, prepare->name, source, prepared_query, types, (int)count);
    TRY(statement);
    statement->from_sql = true;
    if (!statement_ready(session, statement) || !statement_store(session, statement)) {
        statement_release(statement);
        return false;
    }
    return true;
}

static bool evaluate_parameters(Session *session, Portal *portal, const ExecuteStmt *execute,
                                Str source)
{
    PreparedStatement *statement = portal->statement;
    AnalyzeContext context = {
        .arena = session->statement_arena, .session = &session->exec.catalog, .source = source};
    uint32_t count = (uint32_t)execute->params.length;

    if ((int)count != statement->param_count)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("wrong number of parameters for prepared statement \"%.*s\"",
                            STR_ARGS(statement->name)),
             .detail = fmt("Expected %d parameters but got %u.", statement->param_count, count));
    Value *values = ARENA_ARRAY(portal->arena, Value, count);
    bool *nulls = ARENA_ARRAY(portal->arena, bool, count);
    for (uint32_t i = 0; i < count; i++) {
        Str subject = str_format(session->statement_arena, "$%u", i + 1);
        Expr *expr = analyze_expression(&context, execute->params.items[i], NULL, STORED_OTHER,
                                        statement->param_types[i], -1, subject);
        TRY(expr);
        expr =
            planner_plan_expression(session->statement_arena, &session->exec.catalog, NULL, expr);
        TRY(expr);
        TRY(executor_evaluate(portal->arena, &session->exec, expr, &values[i], &nulls[i]));
    }
    portal->parameters = (ExecParameters){.count = count, .values = values, .nulls = nulls};
    return true;
}

/* The portal of EXECUTE, bound to its values; closed by who has opened it. */
static Portal *open_execute(Session *session, const ExecuteStmt *execute, Str source)
{
    static const Str portal_name = {"<execute>", 9};
    PreparedStatement *statement = statement_get(session, execute->name);

    TRY(statement);
    TRY(statement_ready(session, statement));
    Portal *old = portal_find(session, portal_name);
    if (old)
        portal_close(session, old);
    Portal *portal = portal_open(session, portal_name, statement);
    TRY(portal);
    if (evaluate_parameters(session, portal, execute, source))
        return portal;
    portal_close(session, portal);
    return NULL;
}

static bool prepared_plan(void *context, const ExecuteStmt *execute,
                          const PlannedStatement **ret_planned, ExecParameters *ret_parameters)
{
    CommandServer *command = context;

    TRY(command->prepared = open_execute(command->session, execute, command->source));
    *ret_planned = command->prepared->statement->planned;
    *ret_parameters = command->prepared->parameters;
    return true;
}

static bool execute_execute(Session *session, const ExecuteStmt *execute, Str source,
                            bool is_top_level, RowSink *sink, Str *ret_tag)
{
    Portal *portal = open_execute(session, execute, source);

    TRY(portal);
    portal->is_at_once = true;
    const bool ok = portal_run(session, portal, sink, 0, is_top_level, ret_tag);
    portal = portal_find(session, STR("<execute>"));
    if (portal)
        portal_close(session, portal);
    return ok;
}

static bool execute_deallocate(Session *session, const DeallocateStmt *deallocate, Str *ret_tag)
{
    if (str_is_none(deallocate->name)) {
        statements_drop_all(session);
        *ret_tag = STR("DEALLOCATE ALL");
        return true;
    }
    TRY(statement_get(session, deallocate->name));
    statement_drop(session, deallocate->name);
    *ret_tag = STR("DEALLOCATE");
    return true;
}

/* -- DISCARD --------------------------------------------------------------------------------- */

static bool execute_discard(Session *session, const DiscardStmt *discard, Str *ret_tag)
{
    switch (discard->target) {
    case DISCARD_ALL:
        TRY(block_require_none(session, "DISCARD ALL"));
        *ret_tag = STR("DISCARD ALL");
        portals_close_all(session);
        TRY(session_setting_set(session, STR("session_authorization"), session->user_name, false));
        TRY(session_setting_reset_all(session));
        statements_drop_all(session);
        return catalog_drop_temp_objects(&session->exec.catalog);
    case DISCARD_PLANS:
        *ret_tag = STR("DISCARD PLANS"); /* plans follow the schema by themselves */
        return true;
    case DISCARD_SEQUENCES:
        *ret_tag = STR("DISCARD SEQUENCES");
        sequence_memory_clear(&session->exec);
        return true;
    case DISCARD_TEMP:
        *ret_tag = STR("DISCARD TEMP");
        return catalog_drop_temp_objects(&session->exec.catalog);
    }
    return false;
}

/* -- Dispatch -------------------------------------------------------------------------------- */

static bool execute_checkpoint(Session *session)
{
    if (!session->settings.current.is_superuser)
        FAIL(ERR_INSUFFICIENT_PRIVILEGE,
             .message = STR("must be superuser or have privileges of pg_checkpoint to do "
                            "CHECKPOINT"));
    return checkpoint_request(session->server->store, CHECKPOINT_WAIT);
}

/*
 * Does the command fail only because others were changing the schema while it ran? It found a
 * system row changed between reading and writing it, or half of what a commit changes.
 */
static bool was_overtaken(const Session *session, uint64_t version)
{
    const TxnManager *manager = session->server->txn_manager;

    if (!error_is_set())
        return true; /* what it had looked up a moment before was gone */
    const ErrorFields *error = error_fields();
    if (error->severity != SEVERITY_ERROR)
        return false;
    if (session->exec.catalog.was_overtaken)
        return true;
    if (!txn_schema_is_moving(manager) && txn_schema_version(manager) == version)
        return false;
    switch (error->sqlstate) {
    case ERR_INTERNAL_ERROR:
    case ERR_INDEX_CORRUPTED:
    case ERR_DATA_CORRUPTED:
    case ERR_UNDEFINED_TABLE:
    case ERR_UNDEFINED_COLUMN:
    case ERR_INVALID_SCHEMA_NAME:
        return true;
    default:
        return false;
    }
}

/*
 * A command that defines is run again where others were quicker: nobody's change is lost, and
 * nobody is told XX000. One that waits for them takes its locks anew, so no order is kept.
 */
static bool define_command(Session *session, CommandContext *context, const Node *statement,
                           Str *ret_tag)
{
    CatalogSession *catalog = &session->exec.catalog;
    const TxnManager *manager = session->server->txn_manager;

    for (int i = 1;; i++) {
        const uint64_t version = txn_schema_version(manager);
        Savepoint mark;
        catalog->was_overtaken = false;
        TRY(block_mark(session, &mark));
        if (ddl_execute(context, statement, ret_tag)) {
            txn_release(catalog->txn, mark.position);
            return true;
        }
        if (i == DEFINE_TRIES && !error_is_set())
            FAIL(ERR_T_R_SERIALIZATION_FAILURE,
                 .message = STR("the schema keeps changing while the command runs"));
        if (i == DEFINE_TRIES || !was_overtaken(session, version))
            return false;
        error_clear();
        block_rewind(session, &mark);
        TRY(txn_schema_settle(manager));
        TRY(txn_statement_begin(catalog->txn));
        CHECK_INTERRUPTS();
    }
}

static bool dispatch_command(Session *session, CommandContext *context, const Node *statement,
                             RowSink *sink, Str *ret_tag)
{
    TRY(command_check_writable(context, statement));
    if (NODE_IS(statement, CreatedbStmt) || NODE_IS(statement, DropdbStmt))
        return ddl_execute(context, statement, ret_tag); /* no savepoint takes these back */
    if (ddl_handles(statement->tag))
        return define_command(session, context, statement, ret_tag);
    if (NODE_IS(statement, CopyStmt)) {
        SessionCopy copy;
        session_copy_init(&copy, session);
        bool ok = copy_execute(context, NODE_CAST(CopyStmt, statement), &copy.channel, ret_tag);
        session_copy_deinit(&copy);
        return ok;
    }
    switch (statement->tag) {
    case NODE_EXPLAIN_STMT:
        return explain_execute(context, NODE_CAST(ExplainStmt, statement), sink, ret_tag);
    case NODE_VACUUM_STMT:
        return vacuum_execute(context, NODE_CAST(VacuumStmt, statement), ret_tag);
    case NODE_LOCK_STMT:
        return lock_execute(context, NODE_CAST(LockStmt, statement), ret_tag);
    case NODE_CONSTRAINTS_SET_STMT:
        return set_constraints_execute(context, NODE_CAST(ConstraintsSetStmt, statement), ret_tag);
    case NODE_SELECT_STMT: /* INTO */
        return select_into_execute(context, NODE_CAST(SelectStmt, statement), ret_tag);
    case NODE_CREATE_TABLE_AS_STMT:
        return create_table_as_execute(context, NODE_CAST(CreateTableAsStmt, statement), ret_tag);
    case NODE_SEC_LABEL_STMT: /* as in PostgreSQL without a module that gives labels */
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("no security label providers have been loaded"));
    case NODE_ALTER_DEFAULT_PRIVILEGES_STMT:
        FAIL_UNSUPPORTED("ALTER DEFAULT PRIVILEGES");
    default:
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("%.*s is not supported", STR_ARGS(command_name(statement))));
    }
}

static bool execute_command(Session *session, const Portal *portal, bool is_top_level,
                            RowSink *sink, Str *ret_tag)
{
    CommandServer command = {.session = session, .source = portal->statement->source};
    const CommandHooks hooks = {.password_verifier = make_verifier,
                                .database_session_count = database_session_count,
                                .database_sessions_end = database_sessions_end,
                                .setting_check = setting_check,
                                .prepared_plan = prepared_plan,
                                .context = &command};
    CommandContext context = {.session = &session->exec,
                              .arena = session->statement_arena,
                              .source = portal->statement->source,
                              .hooks = &hooks,
                              .param_types = portal->statement->param_types,
                              .parameters = &portal->parameters,
                              .is_top_level = is_top_level};
    const bool ok =
        dispatch_command(session, &context, portal->statement->statement, sink, ret_tag);

    if (command.prepared)
        portal_close(session, command.prepared);
    return ok;
}

bool utility_execute(Session *session, Portal *portal, bool is_top_level, RowSink *sink,
                     Str *ret_tag)
{
    const Node *statement = portal->statement->statement;
    Str source = portal->statement->source;

    switch (statement->tag) {
    case NODE_VARIABLE_SET_STMT:
        return session_set_execute(session, NODE_CAST(VariableSetStmt, statement), ret_tag);
    case NODE_VARIABLE_SHOW_STMT:
        *ret_tag = STR("SHOW");
        return execute_show(session, NODE_CAST(VariableShowStmt, statement), sink);
    case NODE_ALTER_SYSTEM_STMT:
        return session_alter_system(session, NODE_CAST(AlterSystemStmt, statement), ret_tag);
    case NODE_PREPARE_STMT:
        *ret_tag = STR("PREPARE");
        return execute_prepare(session, NODE_CAST(PrepareStmt, statement), source);
    case NODE_EXECUTE_STMT:
        return execute_execute(session, NODE_CAST(ExecuteStmt, statement), source, is_top_level,
                               sink, ret_tag);
    case NODE_DEALLOCATE_STMT:
        return execute_deallocate(session, NODE_CAST(DeallocateStmt, statement), ret_tag);
    case NODE_DECLARE_CURSOR_STMT:
        *ret_tag = STR("DECLARE CURSOR");
        return cursor_declare(session, NODE_CAST(DeclareCursorStmt, statement), portal);
    case NODE_FETCH_STMT:
        return cursor_fetch(session, NODE_CAST(FetchStmt, statement), sink, ret_tag);
    case NODE_CLOSE_PORTAL_STMT: {
        const ClosePortalStmt *close = NODE_CAST(ClosePortalStmt, statement);
        *ret_tag = str_is_none(close->portalname) ? STR("CLOSE CURSOR ALL") : STR("CLOSE CURSOR");
        if (!str_is_none(close->portalname))
            return cursor_close(session, close->portalname);
        portals_close_all(session);
        return true;
    }
    case NODE_DISCARD_STMT:
        return execute_discard(session, NODE_CAST(DiscardStmt, statement), ret_tag);
    case NODE_CHECK_POINT_STMT:
        *ret_tag = STR("CHECKPOINT");
        return execute_checkpoint(session);
    default:
        return execute_command(session, portal, is_top_level, sink, ret_tag);
    }
}

bool utility_describe(Session *session, Arena *arena, const Node *statement, Str source,
                      RowDescription *ret_description)
{
    (void)source;
    *ret_description = (RowDescription){0};
    switch (statement->tag) {
    case NODE_VARIABLE_SHOW_STMT:
        *ret_description = describe_show(arena, NODE_CAST(VariableShowStmt, statement));
        return true;
    case NODE_EXECUTE_STMT: {
        PreparedStatement *prepared =
            statement_get(session, NODE_CAST(ExecuteStmt, statement)->name);
        TRY(prepared);
        return statement_describe(session, prepared, ret_description);
    }
    case NODE_FETCH_STMT: {
        const FetchStmt *fetch = NODE_CAST(FetchStmt, statement);
        Portal *portal = portal_find(session, fetch->portalname);
        return fetch->is_move || !portal || portal_description(session, portal, ret_description);
    }
    case NODE_EXPLAIN_STMT:
        *ret_description = explain_description(arena, NODE_CAST(ExplainStmt, statement));
        return true;
    default:
        return true;
    }
}

/* -- What functions need from us ------------------------------------------------------------- */

static bool op_setting_set(ExecSession *exec, Str name, Str value, bool is_local)
{
    return session_setting_set(session_of(exec), name, value, is_local);
}

static bool op_setting_get(ExecSession *exec, Str name, bool missing_ok, Arena *arena,
                           Str *ret_value)
{
    return session_setting_get(session_of(exec), name, missing_ok, arena, ret_value);
}

static bool op_cursor_row(ExecSession *exec, Str cursor, const RelationDesc *table,
                          int64_t *ret_row_id)
{
    return cursor_row(session_of(exec), cursor, table, ret_row_id);
}

static bool op_relation_in_use(ExecSession *exec, Oid relation)
{
    return portals_read(session_of(exec), relation);
}

typedef struct Signal {
    int32_t process_id;
    bool terminate, sent;
} Signal;

static void signal_session(void *context, Session *session)
{
    Signal *signal = context;

    if (session->exec.backend_pid != signal->process_id)
        return;
    signal->sent = true;
    if (signal->terminate)
        session_terminate(session, INTERRUPT_TERMINATE);
    else
        session_cancel(session);
}

static bool send_signal(ExecSession *exec, Signal *signal, bool *ret_sent)
{
    server_each_session(session_of(exec)->server, signal_session, signal);
    *ret_sent = signal->sent;
    if (!signal->sent)
        NOTICE(SEVERITY_WARNING, ERR_WARNING,
               .message = fmt("PID %d is not a PostgreSQL backend process", signal->process_id));
    CHECK_INTERRUPTS(); /* it may have been meant for this session */
    return true;
}

static bool op_backend_cancel(ExecSession *exec, int32_t pid, bool *ret_sent)
{
    Signal signal = {.process_id = pid};

    return send_signal(exec, &signal, ret_sent);
}

static bool op_backend_terminate(ExecSession *exec, int32_t pid, bool *ret_sent)
{
    Signal signal = {.process_id = pid, .terminate = true};

    return send_signal(exec, &signal, ret_sent);
}

static bool op_configuration_reload(ExecSession *exec)
{
    server_reload(session_of(exec)->server);
    return true;
}

extern const ExecSessionOps session_exec_ops;
const ExecSessionOps session_exec_ops = {
    .setting_set = op_setting_set,
    .setting_get = op_setting_get,
    .backend_cancel = op_backend_cancel,
    .backend_terminate = op_backend_terminate,
    .configuration_reload = op_configuration_reload,
    .cursor_row = op_cursor_row,
    .relation_in_use = op_relation_in_use,
};
