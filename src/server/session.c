/* A session's life, its message loop, and what it sends. */
#include "server/session.h"

#include <stdlib.h>

#include "base/error_record.h"
#include "base/memory.h"
#include "base/os.h"
#include "base/pace.h"
#include "parser/parser.h"
#include "server/client_text.h"
#include "server/log.h"
#include "server/portal.h"
#include "server/server.h"
#include "types/type.h"

#define FLUSH_AT (64 * 1024) /* bytes of answers that gather before they are sent early */

/* The session of the running task, or NULL. */
static Session *session_current(void)
{
    return task_current()->session;
}

/* -- Seen by others -------------------------------------------------------------------------- */

/* What fits of the text, whole characters only. */
static size_t activity_length(Str query)
{
    const size_t room = (size_t)settings_default.track_activity_query_size;
    size_t length = MIN(query.length, room - 1);

    if (length < query.length)
        while (length > 0 && ((byte)query.data[length] & 0xc0) == 0x80)
            length--;
    return length;
}

void session_set_activity(Session *session, ActivityState state, Str query)
{
    const int64_t now = os->wall_clock();

    session->shown_statement = NULL;
    mutex_lock(&session->mutex);
    if (!session->settings.current.track_activities) {
        session->activity = ACTIVITY_DISABLED;
        session->activity_query_length = 0;
        session->state_changed_at = session->query_start = 0;
        mutex_unlock(&session->mutex);
        return;
    }
    session->activity = state;
    session->state_changed_at = now;
    if (!str_is_none(query)) {
        const size_t length = activity_length(query);
        memcpy(session->activity_query, query.data, length);
        session->activity_query_length = (uint32_t)length;
        session->query_start = session->state_changed_at;
    }
    mutex_unlock(&session->mutex);
}

void session_show_statement(Session *session, const PreparedStatement *statement, Str source)
{
    if (session->shown_statement == statement)
        return;
    session_set_activity(session, ACTIVITY_ACTIVE, source);
    session->shown_statement = statement;
}

void session_publish_identity(Session *session)
{
    const Transport *transport = session->connection.transport;

    mutex_lock(&session->mutex);
    SessionIdentity *identity = &session->identity;
    identity->is_tls = transport_is_tls(transport);
    if (identity->is_tls) {
        identity->tls_version = str_copy(session->arena, transport_tls_version(transport));
        identity->tls_cipher = str_copy(session->arena, transport_tls_cipher(transport));
        identity->tls_bits = transport_tls_bits(transport);
    }
    identity->user = session->exec.catalog.authenticated_user;
    identity->database = session->exec.catalog.database_oid;
    mutex_unlock(&session->mutex);
}

void session_publish_application(Session *session)
{
    const Str name = session->settings.current.application_name;

    mutex_lock(&session->mutex);
    SessionIdentity *identity = &session->identity;
    identity->application_name_length =
        (uint32_t)MIN(name.length, sizeof(identity->application_name) - 1);
    memcpy(identity->application_name, name.data, identity->application_name_length);
    mutex_unlock(&session->mutex);
}

void session_cancel(Session *session)
{
    mutex_lock(&session->mutex);
    if (session->task && session->activity == ACTIVITY_ACTIVE)
        task_interrupt(session->task, INTERRUPT_CANCEL);
    mutex_unlock(&session->mutex);
}

static void wake_idle(void *argument);

void session_terminate(Session *session, Interrupt why)
{
    mutex_lock(&session->mutex);
    session->terminate_pending = true;
    if (session->task)
        task_interrupt(session->task, why);
    mutex_unlock(&session->mutex);
    scheduler_post(session->connection.scheduler, wake_idle,
                   (void *)(uintptr_t)(uint32_t)session->exec.backend_pid);
}

/* -- Sending --------------------------------------------------------------------------------- */

bool session_flush(Session *session)
{
    /* What the client reads must survive a crash: the reply waits, the worker doesn't. */
    if (session->txn_session)
        TRY(txn_wait_durable(session->txn_session));
    return connection_flush(&session->connection);
}

bool session_flush_if_full(Session *session)
{
    return session->connection.out.buffer.length < FLUSH_AT || session_flush(session);
}

static bool client_wants(const Session *session, Severity severity)
{
    int least = session->settings.current.client_min_messages;

    switch (severity) {
    case SEVERITY_DEBUG:
        return least <= CLIENT_MIN_MESSAGES_DEBUG1;
    case SEVERITY_LOG:
        return least <= CLIENT_MIN_MESSAGES_LOG;
    case SEVERITY_NOTICE:
        return least <= CLIENT_MIN_MESSAGES_NOTICE;
    case SEVERITY_WARNING:
        return least <= CLIENT_MIN_MESSAGES_WARNING;
    default:
        return true;
    }
}

static void put_notice(Session *session, const ErrorFields *fields)
{
    ErrorFields told = *fields;

    if (unlikely(session->client_encoding != 0)) {
        CLEANUP(arena_freep) Arena *arena = arena_new("notice");
        if (client_fields_give(session, arena, &told)) {
            message_put_error(&session->connection.out, &told);
            return;
        }
        /* A notice is no reason to fail: what cannot be said is said to be so. */
        told = *error_fields();
        told.severity = fields->severity;
        message_put_error(&session->connection.out, &told);
        error_clear();
        return;
    }
    message_put_error(&session->connection.out, &told);
}

static void on_notice(void *context, const ErrorFields *fields)
{
    Session *session = context;

    if (log_wants(fields->severity))
        log_fields(fields, session->query_text);
    if (client_wants(session, fields->severity))
        put_notice(session, fields);
}

/* For pg_stat_database. */
static void count_error(Session *session, const ErrorFields *fields)
{
    if (!session->is_logged_in)
        return;
    if (fields->sqlstate == ERR_T_R_DEADLOCK_DETECTED)
        usage_add(usage_of(&session->exec, OID_NONE), USAGE_DEADLOCKS, 1);
    if (fields->severity == SEVERITY_FATAL)
        usage_add(usage_of(&session->exec, OID_NONE),
                  fields->sqlstate == ERR_ADMIN_SHUTDOWN ? USAGE_SESSIONS_KILLED
                                                         : USAGE_SESSIONS_FATAL,
                  1);
}

/* An error that the client's encoding cannot say is told as the 22P05 which that is. */
static void put_error(Session *session, const ErrorFields *fields)
{
    if (likely(session->client_encoding == 0)) {
        message_put_error(&session->connection.out, fields);
        return;
    }
    CLEANUP(arena_freep) Arena *arena = arena_new("error to the client");
    ErrorFields told = *fields;
    if (!client_fields_give(session, arena, &told)) {
        told = *error_fields();
        told.severity = fields->severity;
    }
    message_put_error(&session->connection.out, &told);
}

void session_report_error(Session *session)
{
    assert(error_is_set());
    const ErrorFields *fields = error_fields();

    log_fields(fields, session->query_text);
    count_error(session, fields);
    if (fields->severity == SEVERITY_FATAL)
        session->is_closing = true;
    put_error(session, fields);
    error_clear_told();
    session->query_text = STR(""); /* its statement may go with the portals */
    block_error(session);
}

/* -- Messages -------------------------------------------------------------------------------- */

static void show_idle(Session *session)
{
    session_set_activity(session,
                         session->block == BLOCK_OPEN     ? ACTIVITY_IDLE_IN_TRANSACTION
                         : session->block == BLOCK_FAILED ? ACTIVITY_IDLE_IN_FAILED_TRANSACTION
                                                          : ACTIVITY_IDLE,
                         STR_NONE);
}

/* The end of a statement or of a pipeline: what was asked for is answered, memory is given back. */
static void ready_for_query(Session *session)
{
    if (session->settings.has_news)
        session_report_settings(session);
    message_put_ready(&session->connection.out, block_ready_state(session));
    pace_arena_reset(session->statement_arena);
    memory_settle();
    session->is_at_rest = true;
    session->query_text = STR("");
    if (session->block == BLOCK_OPEN) {
        portals_keep_snapshots(session);
        txn_statement_end(session->exec.catalog.txn);
    }
    show_idle(session);
    /* Who cancels comes too late from here on; what came too late before is not for the next
     * statement, and memory that was too much has been given back. */
    timer_cancel(session->connection.scheduler, &session->statement_timer);
    task_clear_interrupts(session->task,
                          INTERRUPT_CANCEL | INTERRUPT_STATEMENT_TIMEOUT | INTERRUPT_MEMORY);
}

static void handle_query(Session *session, Str body)
{
    MessageReader in = message_reader(body);
    Str text = message_get_string(&in);

    if (!message_done(&in)) {
        session_report_error(session);
    } else {
        session_simple_query(session, text);
    }
    if (!session->is_closing)
        ready_for_query(session);
}

static bool check_empty(Session *session, Str body)
{
    MessageReader in = message_reader(body);

    if (message_done(&in))
        return true;
    session_report_error(session);
    return false;
}

static void handle_sync(Session *session, Str body)
{
    session->skips_to_sync = false;
    if (check_empty(session, body) && !block_statement_end(session))
        session_report_error(session);
    if (!session->is_closing)
        ready_for_query(session);
}

static void handle_extended(Session *session, const Frame *frame)
{
    if (session->skips_to_sync)
        return;
    if (!session_extended(session, frame)) {
        session_report_error(session);
        session->skips_to_sync = true;
    }
    session->query_text = STR("");
}

static void arm_statement_timeout(Session *session)
{
    int64_t timeout = session->settings.current.statement_timeout;

    if (timeout > 0)
        timer_arm(session->connection.scheduler, &session->statement_timer,
                  deadline_after(timeout * 1000));
}

static void handle_frame(Session *session, const Frame *frame)
{
    if (unlikely(
            session->settings.loaded_at !=
            atomic_load_explicit(&session->server->configuration_loaded_at, memory_order_relaxed)))
        session_settings_refresh(session);
    switch (frame->type) {
    case 'Q':
        session->skips_to_sync = false;
        arm_statement_timeout(session);
        handle_query(session, frame->body);
        break;
    case 'P':
    case 'B':
    case 'D':
    case 'E':
    case 'C':
        if (session->statement_timer.heap_index == SIZE_MAX)
            arm_statement_timeout(session);
        handle_extended(session, frame);
        break;
    case 'S':
        handle_sync(session, frame->body);
        break;
    case 'H':
        if (session->skips_to_sync)
            break;
        if (!check_empty(session, frame->body))
            session->skips_to_sync = true;
        else if (!session_flush(session))
            session_report_error(session);
        break;
    case 'X':
        session->is_closing = true;
        break;
    case 'F':
        ERROR_SET(ERR_FEATURE_NOT_SUPPORTED,
                  .message = STR("the function call protocol is not supported"));
        session_report_error(session);
        ready_for_query(session);
        break;
    default: /* COPY messages after the COPY has failed: passed over, as PostgreSQL does */
        break;
    }
}

/* COPY reads on while its statement's message is served, so that the buffer moves: such messages
 * are served from a copy. */
static bool may_read_on(char type)
{
    return type != 'P' && type != 'B' && type != 'D' && type != 'C' && type != 'S';
}

/* One message if a whole one is there. False: nothing more to do now, or the session is ending. */
static bool next_message(Session *session)
{
    Frame frame = {0};

    switch (frame_next(connection_received(&session->connection), true, &frame)) {
    case FRAME_INVALID:
        session_report_error(session);
        session->is_closing = true;
        return false;
    case FRAME_PARTIAL:
        return false;
    case FRAME_WHOLE:
        break;
    }
    const size_t size = frame.size;
    session->is_at_rest = false;
    pace_arena_reset(session->message_arena);
    if (may_read_on(frame.type)) {
        char *copy = arena_alloc(session->message_arena, frame.body.length + 1);
        pace_copy_turns(copy, frame.body.data, frame.body.length);
        frame.body.data = copy;
        connection_consume(&session->connection, size);
        handle_frame(session, &frame);
    } else {
        handle_frame(session, &frame);
        connection_consume(&session->connection, size);
    }
    return !session->is_closing;
}

/* Everything that is there; then back to being idle. */
static void serve_messages(Session *session)
{
    while (!session->is_closing) {
        while (next_message(session))
            if (session->connection.out.buffer.length >= FLUSH_AT && !session_flush(session)) {
                session->is_closing = true;
                break;
            }
        if (session->connection.out.buffer.length > 0 && !session_flush(session)) {
            session->is_closing = true;
            break;
        }
        if (session->is_closing)
            break;
        switch (connection_receive(&session->connection, false, DEADLINE_NEVER)) {
        case RECEIVE_SOME:
            pace_turn(); /* a message can be of a gigabyte */
            break;
        case RECEIVE_NOTHING:
            return;
        case RECEIVE_FAILED:
        case RECEIVE_CLOSED:
        case RECEIVE_TIMED_OUT:
            session->is_closing = true;
            break;
        }
    }
}

/* -- Timers ---------------------------------------------------------------------------------- */

static void on_statement_timeout(Timer *timer)
{
    Session *session = CONTAINER_OF(timer, Session, statement_timer);

    mutex_lock(&session->mutex);
    if (session->task)
        task_interrupt(session->task, INTERRUPT_STATEMENT_TIMEOUT);
    mutex_unlock(&session->mutex);
}

static void close_idle(Session *session, SqlState state, Str message);

static void on_idle_timeout(Timer *timer)
{
    Session *session = CONTAINER_OF(timer, Session, idle_timer);

    if (session->connection.task)
        return;
    if (session->block == BLOCK_IDLE)
        close_idle(session, ERR_IDLE_SESSION_TIMEOUT,
                   STR("terminating connection due to idle-session timeout"));
    else
        close_idle(session, ERR_IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                   STR("terminating connection due to idle-in-transaction timeout"));
}

static void arm_idle_timeout(Session *session)
{
    const SettingValues *values = &session->settings.current;
    int64_t timeout = session->block == BLOCK_IDLE ? values->idle_session_timeout
                                                   : values->idle_in_transaction_session_timeout;

    if (timeout > 0)
        timer_arm(session->connection.scheduler, &session->idle_timer,
                  deadline_after(timeout * 1000));
}

/* -- Life ------------------------------------------------------------------------------------ */

static void log_disconnection(const Session *session)
{
    const int64_t ms = (os->wall_clock() - session->connected_at) / 1000;
    const Str host = session->connection.is_local ? STR("[local]") : session->client_address;

    log_message(SEVERITY_LOG,
                "disconnection: session time: %d:%02d:%02d.%03d user=%.*s database=%.*s host=%.*s",
                (int)(ms / 3600000), (int)(ms / 60000 % 60), (int)(ms / 1000 % 60),
                (int)(ms % 1000), STR_ARGS(session->user_name), STR_ARGS(session->database_name),
                STR_ARGS(host));
}

static void session_free(Session *session)
{
    Scheduler *scheduler = session->connection.scheduler;

    timer_cancel(scheduler, &session->statement_timer);
    timer_cancel(scheduler, &session->idle_timer);
    if (session->is_logged_in && session->settings.current.log_disconnections)
        log_disconnection(session);
    if (session->is_logged_in)
        block_abort_all(session);
    portals_close_all(session);
    statements_drop_all(session);
    if (session->is_logged_in && session->exec.catalog.temp_namespace) {
        /* What the session made in pg_temp goes with it. */
        if (!block_statement_begin(session) || !catalog_drop_temp_objects(&session->exec.catalog) ||
            !block_statement_end(session)) {
            log_fields(error_fields(), STR("dropping temporary objects"));
            error_clear();
            block_abort_all(session);
        }
    }
    executor_session_deinit(&session->exec);
    if (session->txn_session)
        txn_session_close(session->txn_session);
    if (session->is_logged_in)
        catalog_session_deinit(&session->exec.catalog);
    server_remove_session(session->server, session);
    atomic_fetch_sub(&session->worker->session_count, 1);
    connection_close(&session->connection);
    if (session_current() == session) {
        task_current()->session = NULL;
        task_current()->settings = &settings_default;
        task_current()->notice_handler = NULL;
    }
    session_settings_deinit(&session->settings);
    arena_free(session->statement_arena);
    arena_free(session->message_arena);
    arena_free(session->block_arena);
    arena_free(session->arena);
    memory_free(session);
}

static void task_adopt(Session *session)
{
    Task *task = task_current();

    task->session = session;
    task->settings = &session->settings.current;
    task->notice_handler = on_notice;
    task->notice_context = session;
    mutex_lock(&session->mutex);
    session->task = task;
    if (session->txn_session)
        txn_session_wake(session->txn_session);
    bool terminate = session->terminate_pending;
    mutex_unlock(&session->mutex);
    if (terminate)
        task_interrupt(task, INTERRUPT_TERMINATE);
}

/* False: it has been told to end, and stays the session's. Whoever is told later is woken. */
static bool task_leave(Session *session)
{
    mutex_lock(&session->mutex);
    const bool may_leave = session->is_closing || !session->terminate_pending;
    if (may_leave) {
        if (session->txn_session)
            txn_session_rest(session->txn_session);
        session->task = NULL;
    }
    mutex_unlock(&session->mutex);
    return may_leave;
}

static void say_terminated(Session *session)
{
    if (!task_handle_interrupts(task_current())) {
        session_report_error(session);
        if (!connection_flush(&session->connection))
            error_clear();
    }
    session->is_closing = true;
}

/* -- Memory of sessions at rest -------------------------------------------------------------- */

static Arena *spare_take(Worker *worker, const char *name)
{
    return worker->spare_arena_count > 0 ? worker->spare_arenas[--worker->spare_arena_count]
                                         : arena_new(name);
}

static void spare_give(Worker *worker, Arena **arena)
{
    arena_reset(*arena);
    if (worker->spare_arena_count < SPARE_ARENAS && arena_size(*arena) <= SPARE_ARENA_MAX)
        worker->spare_arenas[worker->spare_arena_count++] = *arena;
    else
        arena_free(*arena);
    *arena = NULL;
}

static void buffer_take(StrBuf *spare, StrBuf *buffer)
{
    if (buffer->data || !spare->data)
        return;
    *buffer = *spare;
    *spare = (StrBuf){0};
}

static void buffer_give(StrBuf *spare, StrBuf *buffer)
{
    if (!buffer->data || buffer->length > 0)
        return;
    if (spare->data)
        strbuf_deinit(buffer);
    else
        *spare = *buffer;
    *buffer = (StrBuf){0};
}

static void session_memory_take(Session *session)
{
    Worker *worker = session->worker;

    if (!session->statement_arena) {
        session->statement_arena = spare_take(worker, "statement");
        session->message_arena = spare_take(worker, "message");
    }
    buffer_take(&worker->spare_in, &session->connection.in);
    buffer_take(&worker->spare_out, &session->connection.out.buffer);
}

static void session_memory_give(Session *session)
{
    Worker *worker = session->worker;

    if (!session->is_at_rest)
        return;
    spare_give(worker, &session->statement_arena);
    spare_give(worker, &session->message_arena);
    buffer_give(&worker->spare_in, &session->connection.in);
    buffer_give(&worker->spare_out, &session->connection.out.buffer);
}

/* The connection's coroutine: until nothing more is there to do. */
static bool session_serve(Connection *connection)
{
    Session *session = CONTAINER_OF(connection, Session, connection);

    task_adopt(session);
    session_memory_take(session);
    timer_cancel(connection->scheduler, &session->idle_timer);
    if (!session->is_logged_in) {
        session->is_closing |= !session_login(session);
        session->is_at_rest = true;
    }
    if (!session->is_closing && !session->terminate_pending)
        serve_messages(session);
    if (error_is_set())
        error_clear();
    /* Nothing waits between this and the coroutine's end: see wake_idle. */
    if (!session->is_closing && task_leave(session)) {
        session_memory_give(session);
        arm_idle_timeout(session);
        return true;
    }
    if (!session->is_closing)
        say_terminated(session);
    /* Its own end is not to be interrupted. */
    task_clear_interrupts(task_current(), ~0u);
    task_current()->interrupts_held = true;
    (void)task_leave(session);
    session_free(session);
    return false;
}

/* Ends an idle session: a coroutine says why and closes. */
static void close_idle(Session *session, SqlState state, Str message)
{
    message_put_error(
        &session->connection.out,
        &(ErrorFields){.severity = SEVERITY_FATAL, .sqlstate = state, .message = message});
    session->is_closing = true;
    session->connection.peer_left = true;
    if (session->connection.watch.fd >= 0) {
        if (!connection_flush(&session->connection))
            error_clear();
    }
    /* A callback may not wait; the coroutine that closes may. */
    connection_serve(&session->connection);
}

typedef struct FindByPid {
    int32_t process_id;
    Session *found;
} FindByPid;

static void match_pid(void *context, Session *session)
{
    FindByPid *find = context;

    if (session->exec.backend_pid == find->process_id)
        find->found = session;
}

/* On the session's own loop: a terminated session that is idle is ended now. One that has a
 * coroutine still hears of it in task_leave at the latest. */
static void wake_idle(void *argument)
{
    FindByPid find = {.process_id = (int32_t)(uintptr_t)argument};

    server_each_session(server_running, match_pid, &find);
    if (find.found && !find.found->connection.task)
        connection_serve(&find.found->connection);
}

void session_start(Server *server, Worker *worker, int fd, bool is_local,
                   const struct sockaddr_storage *address)
{
    memory_settle(); /* who has given the slack up may be gone, with nobody left to ask for it */
    Session *session = memory_is_short() ? NULL : memory_calloc(1, sizeof(Session));

    if (!session) {
        server_refuse(fd, ERR_OUT_OF_MEMORY, STR("out of memory"));
        atomic_fetch_sub(&worker->session_count, 1);
        return;
    }
    session->server = server;
    session->worker = worker;
    session->arena = arena_new("session");
    session->block_arena = arena_new("transaction");
    const int64_t loaded_at = atomic_load(&server->configuration_loaded_at);
    session_settings_init(&session->settings);
    session->settings.loaded_at = loaded_at;
    mutex_init(&session->mutex, RANK_SESSION);
    session->statement_timer = TIMER_INIT(on_statement_timeout);
    session->idle_timer = TIMER_INIT(on_idle_timeout);
    session->connected_at = os->wall_clock();
    session->login_deadline = deadline_after(settings_default.authentication_timeout * 1000000);
    session->query_text = STR("");
    session->activity_query =
        arena_alloc(session->arena, (size_t)settings_default.track_activity_query_size);
    session->connection.is_local = is_local;
    session->connection.address = *address;
    session->connection.serve = session_serve;
    session->client_address =
        is_local ? STR("[local]") : address_text(session->arena, (const struct sockaddr *)address);
    os->random(&session->secret, sizeof(session->secret));
    /* From here on others may tell it to end. */
    session->connection.scheduler = worker->scheduler;
    server_add_session(server, session);
    if (atomic_load(&server->is_stopping)) /* and may not have told this one */
        session_terminate(session, INTERRUPT_SHUTDOWN);
    if (!connection_open(&session->connection, worker->scheduler, fd)) {
        log_fields(error_fields(), STR(""));
        error_clear();
        session_free(session);
        return;
    }
    /* The login's clock runs also for those who say nothing. */
    connection_serve(&session->connection);
}
