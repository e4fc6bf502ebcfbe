/* From the first byte to the first ReadyForQuery: TLS, startup, authentication, session start. */
#include "base/os.h"
#include "catalog/lookup.h"
#include "catalog/privilege.h"
#include "protocol/scram.h"
#include "protocol/startup.h"
#include "server/log.h"
#include "server/server.h"
#include "server/setting_checks.h"

/* -- Receiving ------------------------------------------------------------------------------- */

/* Waits for more bytes. False: gone, too late, or failed; nothing is to be told. */
static bool receive_more(Session *session)
{
    switch (connection_receive(&session->connection, true, session->login_deadline)) {
    case RECEIVE_SOME:
        return true;
    case RECEIVE_TIMED_OUT:
        log_message(SEVERITY_LOG, "terminating connection from %.*s: login took too long",
                    STR_ARGS(session->client_address));
        return false;
    default:
        return false;
    }
}

static bool receive_startup(Session *session, Frame *ret_frame)
{
    for (;;) {
        switch (frame_next_startup(connection_received(&session->connection), ret_frame)) {
        case FRAME_INVALID:
            return false;
        case FRAME_WHOLE:
            return true;
        case FRAME_PARTIAL:
            TRY(receive_more(session));
        }
    }
}

/* The next password or SASL message's body, copied into the arena. */
static bool receive_password(Session *session, Str *ret_body)
{
    Frame frame;

    for (;;) {
        switch (frame_next(connection_received(&session->connection), false, &frame)) {
        case FRAME_INVALID:
            return false;
        case FRAME_PARTIAL:
            TRY(receive_more(session));
            break;
        case FRAME_WHOLE:
            *ret_body = str_copy(session->arena, frame.body);
            connection_consume(&session->connection, frame.size);
            return true;
        }
    }
}

/* -- Startup --------------------------------------------------------------------------------- */

static bool answer_byte(Session *session, char answer)
{
    strbuf_append_char(&session->connection.out.buffer, answer);
    return connection_flush(&session->connection);
}

static bool start_tls(Session *session)
{
    TlsContext *tls = server_tls(session->server);

    if (!tls)
        return answer_byte(session, 'N');
    /* Bytes sent before our answer would be unencrypted commands smuggled in. */
    bool ok = connection_received(&session->connection).length == 0;
    if (!ok)
        ERROR_SET(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
                  .message = STR("received unencrypted data after SSL request"));
    ok = ok && answer_byte(session, 'S') &&
         connection_start_tls(&session->connection, tls, session->login_deadline);
    tls_context_unref(tls);
    return ok;
}

/* Up to the startup packet proper. STARTUP_CANCEL: served, and the connection is to be closed. */
static StartupKind negotiate(Session *session, Startup *startup)
{
    bool has_tls = false, has_gss = false;
    Frame frame;

    for (;;) {
        TRY(receive_startup(session, &frame));
        Str body = str_copy(session->arena, frame.body);
        connection_consume(&session->connection, frame.size);
        StartupKind kind = startup_parse(body, session->arena, startup);
        switch (kind) {
        case STARTUP_SSL_REQUEST:
            if (has_tls)
                FAIL(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
                     .message = STR("unsupported frontend protocol 1234.5679: server supports "
                                    "3.0 to 3.0"));
            has_tls = true;
            TRY(start_tls(session));
            break;
        case STARTUP_GSS_REQUEST:
            if (has_gss)
                FAIL(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
                     .message = STR("unsupported frontend protocol 1234.5680: server supports "
                                    "3.0 to 3.0"));
            has_gss = true;
            TRY(answer_byte(session, 'N'));
            break;
        default:
            return kind;
        }
    }
}

/* -- Authentication -------------------------------------------------------------------------- */

static bool fail_password(Session *session)
{
    /* Guessing is slowed down without holding the worker. */
    const int64_t delay = login_delay_next(&session->server->login_delays, session->client_address,
                                           session->user_name);
    TRY(task_sleep(delay, WAIT_EVENT_PG_SLEEP));
    FAIL(ERR_INVALID_PASSWORD, .severity = SEVERITY_FATAL,
         .message =
             fmt("password authentication failed for user \"%.*s\"", STR_ARGS(session->user_name)));
}

static bool password_usable(const RoleDesc *role)
{
    return role && !str_is_none(role->password) &&
           (!role->has_valid_until || role->valid_until > os->wall_clock() - WALL_CLOCK_2000);
}

static bool authenticate_password(Session *session, const RoleDesc *role)
{
    MessageOut *out = &session->connection.out;
    Str body;

    message_begin(out, 'R');
    message_put_int32(out, 3); /* AuthenticationCleartextPassword */
    message_end(out);
    TRY(connection_flush(&session->connection));
    TRY(receive_password(session, &body));
    MessageReader in = message_reader(body);
    Str password = message_get_string(&in);
    TRY(message_done(&in));
    if (!password_usable(role) || password.length == 0 ||
        !scram_verify_password(session->arena, role->password, password))
        return fail_password(session);
    return true;
}

static void put_sasl(MessageOut *out, uint32_t code, Str data)
{
    message_begin(out, 'R');
    message_put_int32(out, code);
    message_put_bytes(out, data);
    message_end(out);
}

static bool authenticate_scram(Session *session, const RoleDesc *role)
{
    MessageOut *out = &session->connection.out;
    Scram *scram =
        scram_begin(session->arena, password_usable(role) ? role->password : STR_NONE,
                    transport_channel_binding(session->connection.transport, session->arena),
                    session->user_name, session->server->scram_secret);
    Str body, reply;

    scram_put_mechanisms(scram, out);
    TRY(connection_flush(&session->connection));
    TRY(receive_password(session, &body));
    MessageReader in = message_reader(body);
    Str mechanism = message_get_string(&in);
    uint32_t length = message_get_int32(&in);
    Str data = length == UINT32_MAX ? STR("") : message_get_bytes(&in, length);
    TRY(message_done(&in));
    switch (scram_first(scram, mechanism, data, &reply)) {
    case SCRAM_FAILED:
        return false;
    case SCRAM_REFUSED:
        return fail_password(session);
    case SCRAM_CONTINUE:
        break;
    }
    put_sasl(out, 11, reply);
    TRY(connection_flush(&session->connection));
    TRY(receive_password(session, &body));
    switch (scram_final(scram, body, &reply)) {
    case SCRAM_FAILED:
        return false;
    case SCRAM_REFUSED:
        return fail_password(session);
    case SCRAM_CONTINUE:
        put_sasl(out, 12, reply);
        return true;
    }
    return false;
}

static Str tls_state(const Session *session)
{
    return transport_is_tls(session->connection.transport) ? STR("SSL encryption")
                                                           : STR("no encryption");
}

static bool fail_no_entry(Session *session, bool rejected)
{
    Str host = session->connection.is_local ? STR("[local]") : session->client_address;

    if (rejected)
        FAIL(ERR_INVALID_AUTHORIZATION_SPECIFICATION, .severity = SEVERITY_FATAL,
             .message = fmt("pg_hba.conf rejects connection for host \"%.*s\", user \"%.*s\", "
                            "database \"%.*s\", %.*s",
                            STR_ARGS(host), STR_ARGS(session->user_name),
                            STR_ARGS(session->database_name), STR_ARGS(tls_state(session))));
    FAIL(ERR_INVALID_AUTHORIZATION_SPECIFICATION, .severity = SEVERITY_FATAL,
         .message = fmt("no pg_hba.conf entry for host \"%.*s\", user \"%.*s\", database "
                        "\"%.*s\", %.*s",
                        STR_ARGS(host), STR_ARGS(session->user_name),
                        STR_ARGS(session->database_name), STR_ARGS(tls_state(session))));
}

static bool authenticate_certificate(Session *session, const HbaRule *rule)
{
    Str name = transport_client_name(session->connection.transport, session->arena);

    if (str_is_none(name))
        FAIL(ERR_INVALID_AUTHORIZATION_SPECIFICATION, .severity = SEVERITY_FATAL,
             .message = STR("connection requires a valid client certificate"));
    if (rule->certificate_names_user && !str_equal(name, session->user_name))
        FAIL(ERR_INVALID_AUTHORIZATION_SPECIFICATION, .severity = SEVERITY_FATAL,
             .message = fmt("certificate authentication failed for user \"%.*s\"",
                            STR_ARGS(session->user_name)));
    return true;
}

static bool authenticate(Session *session, const Startup *startup, const LoginFacts *facts)
{
    HbaClient client = {
        .is_local = session->connection.is_local,
        .is_tls = transport_is_tls(session->connection.transport),
        .is_replication = startup->replication,
        .address = (const struct sockaddr *)&session->connection.address,
        .database = session->database_name,
        .user = session->user_name,
    };
    const Hba *hba = server_hba_acquire(session->server);
    const HbaRule *match = hba_match(hba, &client);
    HbaRule rule = match ? *match : (HbaRule){0};
    server_hba_release(session->server, hba);

    if (!match || rule.method == HBA_REJECT)
        return fail_no_entry(session, match != NULL);
    if (rule.needs_client_certificate)
        TRY(authenticate_certificate(session, &rule));
    switch (rule.method) {
    case HBA_SCRAM:
        return authenticate_scram(session, facts->role);
    case HBA_PASSWORD:
        return authenticate_password(session, facts->role);
    case HBA_TRUST:
    case HBA_CERT:
    case HBA_REJECT:
        return true;
    }
    return false;
}

/* -- After the password ---------------------------------------------------------------------- */

static bool check_facts(Session *session, const LoginFacts *facts)
{
    if (!facts->role)
        FAIL(ERR_INVALID_AUTHORIZATION_SPECIFICATION, .severity = SEVERITY_FATAL,
             .message = fmt("role \"%.*s\" does not exist", STR_ARGS(session->user_name)));
    if (!facts->role->can_login)
        FAIL(ERR_INVALID_AUTHORIZATION_SPECIFICATION, .severity = SEVERITY_FATAL,
             .message =
                 fmt("role \"%.*s\" is not permitted to log in", STR_ARGS(session->user_name)));
    if (!facts->database)
        FAIL(ERR_UNDEFINED_DATABASE, .severity = SEVERITY_FATAL,
             .message = fmt("database \"%.*s\" does not exist", STR_ARGS(session->database_name)));
    if (!facts->database->allow_connections)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE, .severity = SEVERITY_FATAL,
             .message = fmt("database \"%.*s\" is not currently accepting connections",
                            STR_ARGS(session->database_name)));
    return true;
}

static bool check_room(Session *session, const LoginFacts *facts)
{
    mutex_lock(&session->server->sessions_mutex);
    int64_t count = session->server->session_count;
    mutex_unlock(&session->server->sessions_mutex);
    int64_t room = settings_default.max_connections;
    if (!facts->role->superuser)
        room -= settings_default.superuser_reserved_connections;
    if (count <= room)
        return true;
    if (count <= settings_default.max_connections)
        FAIL(ERR_TOO_MANY_CONNECTIONS, .severity = SEVERITY_FATAL,
             .message = STR("remaining connection slots are reserved for non-replication "
                            "superuser connections"));
    FAIL(ERR_TOO_MANY_CONNECTIONS, .severity = SEVERITY_FATAL,
         .message = STR("sorry, too many clients already"));
}

static bool start_settings(Session *session, const Startup *startup, const LoginFacts *facts)
{
    for (uint32_t i = 0; i < facts->setting_count; i++) {
        size_t equals = str_find_char(facts->settings[i], '=', 0);
        if (!session_setting_start(
                session, str_slice(facts->settings[i], 0, equals),
                str_slice(facts->settings[i], equals + 1, facts->settings[i].length),
                SOURCE_GLOBAL + facts->setting_levels[i])) {
            /* A stored setting that has become wrong does not keep anybody out. */
            log_fields(error_fields(), STR(""));
            error_clear();
        }
    }
    for (size_t i = 0; i < startup->options.length; i++)
        TRY(session_setting_start(session, startup->options.items[i].name,
                                  startup->options.items[i].value, SOURCE_CLIENT));
    return true;
}

extern const ExecSessionOps session_exec_ops;

static bool connect_database(Session *session, const LoginFacts *facts)
{
    ExecSession *exec = &session->exec;

    catalog_session_init(&exec->catalog, session->server->catalog, session->arena);
    exec->catalog.backend_id = (uint32_t)exec->backend_pid;
    exec->catalog.arena = session->block_arena;
    session->txn_session = txn_session_open(session->server->txn_manager, exec->backend_pid);
    TRY(session->txn_session);
    exec->ops = &session_exec_ops;
    exec->usage_table = session->worker->usage;
    exec->temporary_directory =
        path_join(session->arena, session->server->data_directory, STR("tmp"));
    return catalog_session_connect(&exec->catalog, facts->database->oid, facts->role->oid);
}

static void put_welcome(Session *session)
{
    MessageOut *out = &session->connection.out;

    session_publish_application(session);
    session_report_settings(session);
    message_put_backend_key(out, session->exec.backend_pid, session->secret);
    message_put_ready(out, 'I');
}

static void log_received(const Session *session)
{
    if (session->connection.is_local)
        log_message(SEVERITY_LOG, "connection received: host=[local]");
    else
        log_message(SEVERITY_LOG, "connection received: host=%.*s",
                    STR_ARGS(session->client_address));
}

static void log_authorized(Session *session)
{
    StrBuf line = strbuf_in(session->message_arena);
    const Str application = session->settings.current.application_name;

    strbuf_format(&line, "connection authorized: user=%.*s database=%.*s",
                  STR_ARGS(session->user_name), STR_ARGS(session->database_name));
    if (application.length > 0)
        strbuf_format(&line, " application_name=%.*s", STR_ARGS(application));
    if (session->identity.is_tls)
        strbuf_format(&line, " SSL enabled (protocol=%.*s, cipher=%.*s, bits=%d)",
                      STR_ARGS(session->identity.tls_version),
                      STR_ARGS(session->identity.tls_cipher), session->identity.tls_bits);
    log_message(SEVERITY_LOG, "%.*s", STR_ARGS(strbuf_view(&line)));
}

static bool log_in(Session *session, Startup *startup)
{
    LoginFacts facts = {0};
    MessageOut *out = &session->connection.out;

    session->user_name = startup->user;
    session->database_name = startup->database;
    startup_put_negotiation(out, startup);
    if (settings_default.log_connections)
        log_received(session);
    if (startup->replication)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .severity = SEVERITY_FATAL,
             .message = STR("replication connections are not supported"));
    TRY(catalog_login_facts(session->server->catalog, startup->user, startup->database,
                            session->arena, &facts));
    TRY(authenticate(session, startup, &facts));
    TRY(check_facts(session, &facts));
    TRY(check_room(session, &facts));
    message_begin(out, 'R');
    message_put_int32(out, 0); /* AuthenticationOk */
    message_end(out);
    TRY(connect_database(session, &facts));
    session_settings_identify(&session->settings, session->user_name, facts.role->superuser);
    TRY(start_settings(session, startup, &facts));
    setting_apply_all(session, &session->settings.current);
    session->is_logged_in = true;
    put_welcome(session);
    session_publish_identity(session);
    usage_add(usage_of(&session->exec, OID_NONE), USAGE_SESSIONS, 1);
    session_set_activity(session, ACTIVITY_IDLE, STR_NONE);
    if (settings_default.log_connections)
        log_authorized(session);
    return connection_flush(&session->connection);
}

/* What went wrong, in words, to a client that may have left. */
static void tell_failure(Session *session)
{
    if (!error_is_set())
        return;
    ErrorFields fields = *error_fields();
    fields.severity = SEVERITY_FATAL;
    log_fields(&fields, STR(""));
    message_put_error(&session->connection.out, &fields);
    error_clear();
    if (!connection_flush(&session->connection))
        error_clear();
}

bool session_login(Session *session)
{
    Startup startup = {0};
    bool ok = false;

    switch (negotiate(session, &startup)) {
    case STARTUP_CANCEL:
        server_cancel(session->server, startup.process_id, startup.secret);
        return false;
    case STARTUP_SESSION:
        ok = log_in(session, &startup);
        break;
    default:
        break;
    }
    if (!ok)
        tell_failure(session);
    return ok;
}
