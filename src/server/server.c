#include "server/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/offload.h"
#include "base/os.h"
#include "base/ticker.h"
#include "server/bootstrap.h"
#include "server/log.h"
#include "server/plan_cache.h"
#include "storage/verify.h"
#include "storage/wal.h"

#define BACKLOG 4096 /* a herd's; the kernel cuts it to net.core.somaxconn */
#define ACCEPTS_AT_ONCE 64
#define BLOCK_BYTES 8192    /* the unit of shared_buffers */
#define DESCRIPTORS_KEPT 32 /* for the log, maps and temporary files */

Server *server_running;

/* -- Access: hba.conf and TLS ---------------------------------------------------------------- */

static Str in_directory(Server *server, Arena *arena, Str file)
{
    if (file.length == 0 || file.data[0] == '/')
        return file;
    return path_join(arena, server->data_directory, file);
}

static Hba *load_hba(Server *server, Arena *arena)
{
    const Str path = in_directory(server, arena, settings_default.hba_file);
    Str text;

    if (!os_read_file(arena, path, 1 << 20, &text))
        return NULL;
    return hba_parse(text, path);
}

static bool load_tls(Server *server, Arena *arena, TlsContext **ret_context)
{
    static const Str versions[] = {{"TLSv1.2", 7}, {"TLSv1.3", 7}};
    const int least = settings_default.ssl_min_protocol_version;
    const int most = settings_default.ssl_max_protocol_version;

    *ret_context = NULL;
    if (!settings_default.ssl)
        return true;
    TlsOptions options = {
        .certificate_file = in_directory(server, arena, settings_default.ssl_cert_file),
        .key_file = in_directory(server, arena, settings_default.ssl_key_file),
        .ca_file = in_directory(server, arena, settings_default.ssl_ca_file),
        .ciphers = settings_default.ssl_ciphers,
        .minimum_version = least == SSL_MIN_PROTOCOL_VERSION_TLSV1_3 ? versions[1] : versions[0],
        .maximum_version = most == SSL_MAX_PROTOCOL_VERSION_TLSV1_2   ? versions[0]
                           : most == SSL_MAX_PROTOCOL_VERSION_TLSV1_3 ? versions[1]
                                                                      : STR(""),
        .curve = settings_default.ssl_ecdh_curve,
        .prefers_client_ciphers = !settings_default.ssl_prefer_server_ciphers,
    };
    if (options.maximum_version.length > 0 && least == SSL_MIN_PROTOCOL_VERSION_TLSV1_3 &&
        most == SSL_MAX_PROTOCOL_VERSION_TLSV1_2)
        FAIL(ERR_CONFIG_FILE_ERROR, .message = STR("could not set SSL protocol version range"),
             .detail = STR("\"ssl_min_protocol_version\" cannot be higher than "
                           "\"ssl_max_protocol_version\""));
    *ret_context = tls_context_new(&options);
    return *ret_context != NULL;
}

const Hba *server_hba_acquire(Server *server)
{
    mutex_lock(&server->access_mutex);
    const Hba *hba = server->hba;
    server->hba_users++;
    mutex_unlock(&server->access_mutex);
    return hba;
}

void server_hba_release(Server *server, const Hba *hba)
{
    (void)hba;
    mutex_lock(&server->access_mutex);
    server->hba_users--;
    mutex_unlock(&server->access_mutex);
}

TlsContext *server_tls(Server *server)
{
    mutex_lock(&server->access_mutex);
    TlsContext *tls = server->tls;
    if (tls)
        tls_context_ref(tls);
    mutex_unlock(&server->access_mutex);
    return tls;
}

/* Puts new rules in place; waits the instant until nobody reads the old ones. */
static void replace_access(Server *server, Hba *hba, TlsContext *tls)
{
    uint32_t rounds = 0;

    mutex_lock(&server->access_mutex);
    while (server->hba_users > 0) {
        mutex_unlock(&server->access_mutex);
        spin_pause(&rounds);
        mutex_lock(&server->access_mutex);
    }
    Hba *old_hba = server->hba;
    TlsContext *old_tls = server->tls;
    server->hba = hba;
    server->tls = tls;
    mutex_unlock(&server->access_mutex);
    if (old_hba != hba)
        hba_free(old_hba);
    if (old_tls != tls)
        tls_context_unref(old_tls);
}

static bool load_access(Server *server)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("access");
    TlsContext *tls;
    Hba *hba = load_hba(server, arena);

    TRY(hba);
    if (!load_tls(server, arena, &tls)) {
        hba_free(hba);
        return false;
    }
    replace_access(server, hba, tls);
    return true;
}

static StoreOptions store_options(void)
{
    const SettingValues *values = &settings_default;

    return (StoreOptions){
        .pool_bytes = (uint64_t)values->shared_buffers * BLOCK_BYTES,
        .checkpoint_timeout_us = values->checkpoint_timeout * 1000000,
        .completion_target = values->checkpoint_completion_target,
        .max_wal_bytes = (uint64_t)values->max_wal_size << 20,
        .min_wal_bytes = (uint64_t)values->min_wal_size << 20,
    };
}

/* A reload that fails is no failure of the server's: it is for the log. */
static void tell_failure(void)
{
    ErrorFields fields = *error_fields();

    fields.severity = SEVERITY_LOG;
    log_fields(&fields, STR(""));
    error_clear();
}

static void tell_not_reloaded(Str what)
{
    tell_failure();
    log_message(SEVERITY_LOG, "%.*s was not reloaded", STR_ARGS(what));
}

/* What cannot be read leaves what is in force. */
static void reload_access(Server *server)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("access");
    TlsContext *tls = server->tls;
    Hba *hba = load_hba(server, arena);

    if (!hba) {
        tell_not_reloaded(in_directory(server, arena, settings_default.hba_file));
        hba = server->hba;
    } else if (server->listens_elsewhere && hba_trusts_others(hba)) {
        log_message(SEVERITY_LOG,
                    "%.*s was not reloaded: it trusts connections from other machines, and the "
                    "server listens to them",
                    STR_ARGS(settings_default.hba_file));
        hba_free(hba);
        hba = server->hba;
    }
    if (!load_tls(server, arena, &tls)) {
        tell_not_reloaded(STR("SSL configuration"));
        tls = server->tls;
    }
    replace_access(server, hba, tls);
}

void server_reload(Server *server)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("reload");

    log_message(SEVERITY_LOG, "received SIGHUP, reloading configuration files");
    if (!config_load(&server->options, server->data_directory, arena, true)) {
        tell_failure();
        log_message(SEVERITY_LOG,
                    "configuration file \"%.*s\" contains errors; no changes were applied",
                    STR_ARGS(path_join(arena, server->data_directory, STR(CONFIG_FILE))));
    }
    reload_access(server);
    const StoreOptions options = store_options();
    store_configure(server->store, &options);
    txn_set_version_limits(server->txn_manager,
                           (uint64_t)settings_default.version_memory_limit << 20,
                           (uint64_t)settings_default.version_disk_limit << 20);
    atomic_store(&server->configuration_loaded_at, os->wall_clock());
    log_rotate();
}

/* -- Sessions -------------------------------------------------------------------------------- */

void server_add_session(Server *server, Session *session)
{
    mutex_lock(&server->sessions_mutex);
    session->exec.backend_pid = server->next_process_id++;
    session->next = server->sessions;
    if (server->sessions)
        server->sessions->previous = session;
    server->sessions = session;
    server->session_count++;
    mutex_unlock(&server->sessions_mutex);
}

void server_remove_session(Server *server, Session *session)
{
    mutex_lock(&server->sessions_mutex);
    if (session->next)
        session->next->previous = session->previous;
    if (session->previous)
        session->previous->next = session->next;
    else
        server->sessions = session->next;
    server->session_count--;
    mutex_unlock(&server->sessions_mutex);
}

void server_each_session(Server *server, ServerSessionCallback *callback, void *context)
{
    mutex_lock(&server->sessions_mutex);
    for (Session *session = server->sessions; session; session = session->next)
        callback(context, session);
    mutex_unlock(&server->sessions_mutex);
}

typedef struct CancelKey {
    int32_t process_id, secret;
} CancelKey;

static void cancel_matching(void *context, Session *session)
{
    const CancelKey *key = context;

    if (session->exec.backend_pid == key->process_id && session->secret == key->secret)
        session_cancel(session);
}

void server_cancel(Server *server, int32_t process_id, int32_t secret)
{
    CancelKey key = {process_id, secret};

    server_each_session(server, cancel_matching, &key);
}

/* -- Accepting ------------------------------------------------------------------------------- */

typedef struct Accepted {
    Server *server;
    Worker *worker;
    int fd;
    bool is_local;
    struct sockaddr_storage address;
} Accepted;

static void start_accepted(void *argument)
{
    Accepted *accepted = argument;

    session_start(accepted->server, accepted->worker, accepted->fd, accepted->is_local,
                  &accepted->address);
    memory_free(accepted);
}

static Worker *least_busy_worker(Server *server)
{
    Worker *chosen = &server->workers[0];

    for (uint32_t i = 1; i < server->worker_count; i++)
        if (atomic_load(&server->workers[i].session_count) < atomic_load(&chosen->session_count))
            chosen = &server->workers[i];
    return chosen;
}

static void set_tcp_options(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

/* -- Descriptors ----------------------------------------------------------------------------- */

#define OTHER_DESCRIPTORS 256 /* files of the store, spill files, listeners, loops */

/* One for each connection and some more, as far as the system lets us. */
static void raise_descriptor_limit(void)
{
    const rlim_t wanted = (rlim_t)settings_default.max_connections + OTHER_DESCRIPTORS;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = MIN(wanted, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
        log_message(SEVERITY_LOG,
                    "max_connections is %lld, but the system lets this process have %llu open "
                    "files: connections beyond are refused",
                    (long long)settings_default.max_connections,
                    (unsigned long long)limit.rlim_cur);
}

static int open_spare_descriptor(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void server_refuse(int fd, SqlState sqlstate, Str message)
{
    MessageOut out = {0};
    const ErrorFields fields = {
        .severity = SEVERITY_FATAL, .sqlstate = sqlstate, .message = message};

    message_put_error(&out, &fields);
    ssize_t sent = send(fd, out.buffer.data, out.buffer.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent; /* who doesn't hear it sees the connection closed */
    strbuf_deinit(&out.buffer);
    close(fd);
}

static void refuse_one_too_many(int fd)
{
    server_refuse(fd, ERR_TOO_MANY_CONNECTIONS, STR("sorry, too many clients already"));
}

/*
 * Without a descriptor left a connection cannot even be refused, and the listener would wake us
 * for it for ever: one is kept to take it with.
 */
static bool refuse_one(Listener *listener)
{
    Server *server = listener->server;

    if (server->spare_descriptor < 0)
        return false;
    close(server->spare_descriptor);
    const int fd = accept4(listener->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        refuse_one_too_many(fd);
    server->spare_descriptor = open_spare_descriptor();
    return fd >= 0;
}

static bool accept_failed(Listener *listener, int error)
{
    Server *server = listener->server;

    if (error != EMFILE && error != ENFILE && error != ENOMEM && error != ENOBUFS)
        return false;
    const int64_t now = os->monotonic();
    if (server->refused_at == 0 || now - server->refused_at > 1000000) {
        server->refused_at = now; /* told of once a second */
        log_message(SEVERITY_LOG, "could not accept new connection: %s", strerror(error));
    }
    return (error == EMFILE || error == ENFILE) && refuse_one(listener);
}

/* Whether the last descriptors would be left for files. The limit may change while we run. */
static bool is_short_of_descriptors(int fd)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           (rlim_t)fd + DESCRIPTORS_KEPT >= limit.rlim_cur;
}

static bool accept_one(Listener *listener)
{
    Accepted *accepted = memory_must_calloc(1, sizeof(Accepted));
    socklen_t size = sizeof(accepted->address);

    accepted->fd = accept4(listener->watch.fd, (struct sockaddr *)&accepted->address, &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted->fd < 0) {
        const int error = errno;
        memory_free(accepted);
        return accept_failed(listener, error);
    }
    if (unlikely(is_short_of_descriptors(accepted->fd))) {
        refuse_one_too_many(accepted->fd);
        memory_free(accepted);
        return true;
    }
    if (!listener->is_local)
        set_tcp_options(accepted->fd);
    accepted->server = listener->server;
    accepted->is_local = listener->is_local;
    accepted->worker = least_busy_worker(listener->server);
    atomic_fetch_add(&accepted->worker->session_count, 1);
    scheduler_post(accepted->worker->scheduler, start_accepted, accepted);
    return true;
}

static void on_listener(FdWatch *watch, uint32_t events)
{
    Listener *listener = (Listener *)watch;

    (void)events;
    for (int i = 0; i < ACCEPTS_AT_ONCE && accept_one(listener); i++)
        continue;
}

/* -- Listening ------------------------------------------------------------------------------- */

static bool add_listener(Server *server, int fd, bool is_local, Str socket_path)
{
    if (server->listener_count == LISTENERS_MAX) {
        close(fd);
        FAIL(ERR_CONFIGURATION_LIMIT_EXCEEDED,
             .message = fmt("more than %d addresses to listen on", LISTENERS_MAX));
    }
    Listener *listener = &server->listeners[server->listener_count++];
    *listener = (Listener){
        .watch = {.fd = fd, .events = FD_READABLE, .callback = on_listener},
        .server = server,
        .is_local = is_local,
        .socket_path = socket_path,
    };
    return scheduler_watch(server->workers[0].scheduler, &listener->watch);
}

static bool listen_address(Server *server, Arena *arena, const struct addrinfo *address)
{
    int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        FAIL(ERR_IO_ERROR, .message = fmt("could not create a socket: %s", strerror(errno)));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int error = errno;
        close(fd);
        FAIL(ERR_IO_ERROR,
             .message = fmt("could not listen on address \"%.*s\", port %lld: %s",
                            STR_ARGS(address_text(arena, address->ai_addr)),
                            (long long)settings_default.port, strerror(error)),
             .hint = error == EADDRINUSE
                         ? STR("Is another server already running on that port? If not, wait a "
                               "few seconds and retry.")
                         : STR_NONE);
    }
    log_message(SEVERITY_LOG, "listening on address \"%.*s\", port %lld",
                STR_ARGS(address_text(arena, address->ai_addr)), (long long)settings_default.port);
    return add_listener(server, fd, false, STR_NONE);
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return (ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24) == 127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* Elsewhere than on loopback nobody gets in without a password by default. */
static bool may_listen(Server *server, const struct sockaddr *address, Str name)
{
    if (is_loopback(address))
        return true;
    server->listens_elsewhere = true;
    if (!hba_trusts_others(server->hba))
        return true;
    FAIL(ERR_CONFIG_FILE_ERROR,
         .message = fmt("refusing to listen on \"%.*s\": hba.conf trusts connections from other "
                        "machines",
                        STR_ARGS(name)),
         .hint = STR("Give the rule that says \"trust\" another method, such as "
                     "scram-sha-256, or a loopback address."));
}

static bool listen_name(Server *server, Arena *arena, Str name)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
    char port[16];
    bool is_any = str_equal(name, STR("*"));

    snprintf(port, sizeof(port), "%lld", (long long)settings_default.port);
    int result = getaddrinfo(is_any ? NULL : str_to_c(arena, name), port, &hints, &list);
    if (result != 0)
        FAIL(ERR_CONFIG_FILE_ERROR, .message = fmt("could not translate host name \"%.*s\": %s",
                                                   STR_ARGS(name), gai_strerror(result)));
    bool ok = true, any = false;
    for (const struct addrinfo *item = list; ok && item; item = item->ai_next) {
        ok = may_listen(server, item->ai_addr, name);
        if (!ok)
            break;
        if (listen_address(server, arena, item)) {
            any = true;
        } else if (item->ai_family == AF_INET6 && (any || item->ai_next)) {
            error_clear(); /* a machine without IPv6 */
        } else {
            ok = false;
        }
    }
    freeaddrinfo(list);
    return ok;
}

/* unix_socket_group: a name, or a number. */
static bool give_socket_to_group(const char *path)
{
    const Str name = settings_default.unix_socket_group;
    CLEANUP(arena_freep) Arena *arena = arena_new("group");
    uint64_t number;

    if (name.length == 0)
        return true;
    if (!str_to_uint64(name, &number)) {
        const struct group *group = getgrnam(str_to_c(arena, name));
        if (!group)
            FAIL(ERR_CONFIG_FILE_ERROR,
                 .message = fmt("group \"%.*s\" does not exist", STR_ARGS(name)));
        number = group->gr_gid;
    }
    if (chown(path, (uid_t)-1, (gid_t)number) != 0)
        FAIL(ERR_IO_ERROR,
             .message = fmt("could not set group of file \"%s\": %s", path, strerror(errno)));
    return true;
}

/* unix_socket_group and unix_socket_permissions: who may connect. */
static bool socket_admit(const char *path)
{
    TRY(give_socket_to_group(path));
    if (chmod(path, (mode_t)settings_default.unix_socket_permissions) != 0)
        FAIL(ERR_IO_ERROR,
             .message = fmt("could not set permissions of file \"%s\": %s", path, strerror(errno)));
    return true;
}

static bool listen_local(Server *server, Arena *arena, Str directory)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    Str path = str_format(server->arena, "%.*s/.s.PGSQL.%lld", STR_ARGS(directory),
                          (long long)settings_default.port);

    (void)arena;
    if (path.length >= sizeof(address.sun_path))
        FAIL(ERR_CONFIG_FILE_ERROR,
             .message = fmt("Unix-domain socket path \"%.*s\" is too long (maximum %zu bytes)",
                            STR_ARGS(path), sizeof(address.sun_path) - 1));
    memcpy(address.sun_path, path.data, path.length);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        FAIL(ERR_IO_ERROR, .message = fmt("could not create a socket: %s", strerror(errno)));
    /* A socket that answers belongs to a running server; one that doesn't is a leftover. */
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN) {
        close(fd);
        FAIL(ERR_OBJECT_IN_USE,
             .message = fmt("another server answers on \"%.*s\"", STR_ARGS(path)));
    }
    unlink(address.sun_path);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, BACKLOG) != 0) {
        int error = errno;
        close(fd);
        FAIL(ERR_IO_ERROR,
             .message = fmt("could not listen on \"%.*s\": %s", STR_ARGS(path), strerror(error)));
    }
    if (!socket_admit(address.sun_path)) {
        close(fd);
        return false;
    }
    log_message(SEVERITY_LOG, "listening on Unix socket \"%.*s\"", STR_ARGS(path));
    return add_listener(server, fd, true, path);
}

typedef bool ListenFunction(Server *server, Arena *arena, Str item);

static bool for_each_listed(Server *server, Str list, ListenFunction *function)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("listen");

    while (list.length > 0) {
        size_t comma = MIN(str_find_char(list, ',', 0), list.length);
        Str item = str_trim(str_slice(list, 0, comma));
        if (item.length > 1 && item.data[0] == '"')
            item = str_slice(item, 1, item.length - 2);
        if (item.length > 0)
            TRY(function(server, arena, item));
        list = str_slice(list, comma + 1, list.length);
    }
    return true;
}

/* -- Signals --------------------------------------------------------------------------------- */

static void terminate_session(void *context, Session *session)
{
    (void)context;
    session_terminate(session, INTERRUPT_SHUTDOWN);
}

static void begin_stop(Server *server)
{
    if (atomic_exchange(&server->is_stopping, true))
        return;
    log_message(SEVERITY_LOG, "received a stop request, ending all sessions");
    for (uint32_t i = 0; i < server->listener_count; i++) {
        int fd = server->listeners[i].watch.fd;
        scheduler_unwatch(server->workers[0].scheduler, &server->listeners[i].watch);
        if (fd >= 0)
            close(fd);
        if (server->listeners[i].is_local)
            unlink(str_to_c(server->arena, server->listeners[i].socket_path));
    }
    server_each_session(server, terminate_session, NULL);
    for (uint32_t i = server->worker_count; i-- > 0;)
        scheduler_stop(server->workers[i].scheduler);
}

static void on_signal(FdWatch *watch, uint32_t events)
{
    Server *server = CONTAINER_OF(watch, Server, signal_watch);
    struct signalfd_siginfo info;

    (void)events;
    while (read(watch->fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            server_reload(server);
        else if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            begin_stop(server);
    }
}

static sigset_t handled_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

/* Before any thread starts: all of them inherit the mask, so only the descriptor sees signals. */
static void block_signals(void)
{
    const sigset_t set = handled_signals();

    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* who writes is told */
    /* Nobody has a reason to send these, and to end for them would be worse. */
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGALRM, SIG_IGN);
}

static bool watch_signals(Server *server)
{
    const sigset_t set = handled_signals();
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        FAIL(ERR_IO_ERROR, .message = fmt("could not watch signals: %s", strerror(errno)));
    server->signal_watch = (FdWatch){.fd = fd, .events = FD_READABLE, .callback = on_signal};
    return scheduler_watch(server->workers[0].scheduler, &server->signal_watch);
}

/* -- Start and stop -------------------------------------------------------------------------- */

/* Recovery goes on without pages that it cannot read, and without the changes that were for them.
 */
static void log_damage(const Store *store, const StoreRecovery *recovery)
{
    if (recovery->damaged_pages == 0 && recovery->lost_changes == 0)
        return;
    for (uint32_t i = 0; !str_is_none(store_damage(store, i)); i++)
        log_message(SEVERITY_WARNING, "%.*s", STR_ARGS(store_damage(store, i)));
    log_message(
        SEVERITY_WARNING, "recovery went on without %llu damaged pages and %llu changes to them",
        (unsigned long long)recovery->damaged_pages, (unsigned long long)recovery->lost_changes);
}

/* What recovery did, in PostgreSQL's words. */
static void log_recovery(const Server *server)
{
    const StoreRecovery recovery = store_recovery(server->store);
    struct rusage usage;

    if (recovery.record_count == 0)
        return;
    getrusage(RUSAGE_SELF, &usage);
    log_message(SEVERITY_LOG, "redo starts at %X/%X", (uint32_t)(recovery.redo >> 32),
                (uint32_t)recovery.redo);
    log_message(SEVERITY_LOG,
                "redo done at %X/%X system usage: CPU: user: %.2f s, system: %.2f s, elapsed: "
                "%.2f s (%llu records, %.0f MB)",
                (uint32_t)(recovery.end >> 32), (uint32_t)recovery.end,
                (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6,
                (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6,
                (double)recovery.microseconds / 1e6, (unsigned long long)recovery.record_count,
                (double)(recovery.end - recovery.redo) / 1e6);
    log_damage(server->store, &recovery);
}

/* When checkpoints that the log's size calls for follow each other too fast: checkpoint_warning. */
static void warn_of_frequency(Server *server, const CheckpointReport *report)
{
    const int64_t now = os->monotonic();
    const int64_t last = server->checkpoint_began_at;
    const int64_t seconds = (now - last) / 1000000;

    if (report->is_complete)
        return;
    server->checkpoint_began_at = now;
    if (report->reason != CHECKPOINT_BY_LOG || last == 0 ||
        seconds >= settings_default.checkpoint_warning)
        return;
    log_fields(&(ErrorFields){.severity = SEVERITY_LOG,
                              .message = fmt("checkpoints are occurring too frequently (%lld "
                                             "second%s apart)",
                                             (long long)seconds, seconds == 1 ? "" : "s"),
                              .hint = STR("Consider increasing the configuration parameter "
                                          "\"max_wal_size\".")},
               STR_NONE);
}

/* As PostgreSQL words it. What it counts in buffers of its own are pages of 16 KiB here. */
static void log_checkpoint(void *context, const CheckpointReport *report)
{
    static const char *const reasons[] = {
        [CHECKPOINT_BY_TIME] = "time",
        [CHECKPOINT_BY_LOG] = "wal",
        [CHECKPOINT_BY_REQUEST] = "immediate force wait",
        [CHECKPOINT_AT_END] = "shutdown immediate",
    };
    Server *server = context;
    StoreStatistics statistics;

    warn_of_frequency(server, report);
    if (!settings_default.log_checkpoints)
        return;
    if (!report->is_complete) {
        log_message(SEVERITY_LOG, "checkpoint starting: %s", reasons[report->reason]);
        return;
    }
    store_statistics(server->store, &statistics);
    log_message(SEVERITY_LOG,
                "checkpoint complete: wrote %llu buffers (%.1f%%); write=%.3f s, sync=%.3f s, "
                "total=%.3f s; distance=%llu kB; boundary=%lld us, redo lsn=%X/%X",
                (unsigned long long)report->page_count,
                (double)report->page_count * 100 / statistics.frame_count,
                (double)report->write_us / 1e6, (double)report->sync_us / 1e6,
                (double)report->total_us / 1e6, (unsigned long long)report->log_bytes >> 10,
                (long long)report->boundary_us, (uint32_t)(report->redo >> 32),
                (uint32_t)report->redo);
}

static bool open_store(Server *server)
{
    const StoreOptions options = store_options();
    const int64_t memory_limit = settings_default.memory_limit;

    memory_set_limit(memory_limit > 0 ? (uint64_t)memory_limit << 10
                                      : memory_default_limit(options.pool_bytes));
    TRY(server_check_version(server->data_directory));
    server->store = store_open(server->data_directory, &options);
    TRY(server->store);
    store_on_checkpoint(server->store, log_checkpoint, server);
    if (!store_is_clean(server->store))
        log_message(SEVERITY_LOG, "database system was not properly shut down; automatic recovery "
                                  "in progress");
    TxnConfig config = txn_config_default;
    config.version_memory_limit = (uint64_t)settings_default.version_memory_limit << 20;
    config.version_disk_limit = (uint64_t)settings_default.version_disk_limit << 20;
    config.temporary_directory = path_join(server->arena, server->data_directory, STR("tmp"));
    TRY(txn_manager_open(server->store, &config, &server->txn_manager));
    log_recovery(server);
    server->wal_at_start = wal_reserved_end(store_wal(server->store));
    return catalog_open(server->txn_manager, &server->catalog);
}

static bool forget_file(void *context, Str name, bool is_directory)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("path");

    if (!is_directory && !os->unlink(path_join(arena, *(const Str *)context, name)))
        error_clear();
    return true;
}

/* Spill files of an earlier run are of no use to anybody. */
static bool prepare_temporary_directory(Server *server)
{
    Str path = path_join(server->arena, server->data_directory, STR("tmp"));

    if (!os->exists(path))
        return os->make_directory(path);
    return os->list_directory(path, forget_file, &path);
}

static void run_worker(void *argument)
{
    scheduler_run(((Worker *)argument)->scheduler);
}

static void make_workers(Server *server)
{
    int64_t wanted = settings_default.worker_threads;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    server->worker_count = (uint32_t)(wanted > 0 ? wanted : processors > 0 ? processors : 1);
    server->workers = ARENA_ARRAY(server->arena, Worker, server->worker_count);
    for (uint32_t i = 0; i < server->worker_count; i++) {
        Worker *worker = &server->workers[i];
        worker->server = server;
        worker->number = i;
        worker->scheduler = scheduler_new("worker");
        worker->plans = plan_cache_new();
        worker->usage = usage_table_new(i > 0 ? server->workers[i - 1].usage : NULL);
        if (i > 0)
            worker->thread = os->thread_start("worker", run_worker, worker);
    }
}

/* Before anything is read or written there: is it ours, and only ours? */
static bool check_directory(const Server *server)
{
    char path[PATH_MAX];
    struct stat facts;
    const Str directory = server->data_directory;

    snprintf(path, sizeof(path), "%.*s", STR_ARGS(directory));
    if (stat(path, &facts) != 0 && errno == ENOENT)
        FAIL(ERR_UNDEFINED_FILE,
             .message = fmt("data directory \"%.*s\" does not exist", STR_ARGS(directory)),
             .hint = fmt("Create one with \"sengi init %.*s\".", STR_ARGS(directory)));
    if (stat(path, &facts) != 0)
        FAIL(ERR_IO_ERROR, .message = fmt("could not read permissions of directory \"%.*s\": %s",
                                          STR_ARGS(directory), strerror(errno)));
    if (!S_ISDIR(facts.st_mode))
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message =
                 fmt("specified data directory \"%.*s\" is not a directory", STR_ARGS(directory)));
    if (facts.st_uid != geteuid())
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = fmt("data directory \"%.*s\" has wrong ownership", STR_ARGS(directory)),
             .hint = STR("The server must be started by the user that owns the data directory."));
    if (facts.st_mode & (S_IWGRP | S_IRWXO))
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = fmt("data directory \"%.*s\" has invalid permissions", STR_ARGS(directory)),
             .detail = STR("Permissions should be u=rwx (0700) or u=rwx,g=rx (0750)."),
             .hint = fmt("Run \"chmod 0700 %.*s\".", STR_ARGS(directory)));
    return true;
}

static void log_late_turn(int64_t late_microseconds)
{
    log_message(SEVERITY_DEBUG,
                "worker was given away %lld.%03d ms of processor time after its time slice",
                (long long)(late_microseconds / 1000), (int)(late_microseconds % 1000));
}

static bool start(Server *server)
{
    TRY(check_directory(server));
    TRY(config_load(&server->options, server->data_directory, server->arena, false));
    settings_default.data_directory = server->data_directory;
    if (settings_default.config_file.length == 0)
        settings_default.config_file =
            path_join(server->arena, server->data_directory, STR(CONFIG_FILE));
    if (settings_default.hba_file.length == 0)
        settings_default.hba_file = path_join(server->arena, server->data_directory, STR(HBA_FILE));
    TRY(log_open(server->data_directory));
    raise_descriptor_limit();
    server->spare_descriptor = open_spare_descriptor();
    TRY(open_store(server));
    TRY(prepare_temporary_directory(server)); /* not before the directory's lock is ours */
    make_workers(server);
    offload_begin();
    ticker_observe(log_late_turn);
    TRY(load_access(server));
    TRY(watch_signals(server));
    TRY(for_each_listed(server, settings_default.listen_addresses, listen_name));
    TRY(for_each_listed(server, settings_default.unix_socket_directories, listen_local));
    if (server->listener_count == 0)
        FAIL(ERR_CONFIG_FILE_ERROR, .message = STR("nothing to listen on"),
             .hint = STR("Set listen_addresses or unix_socket_directories."));
    log_message(SEVERITY_LOG, "database system is ready to accept connections");
    server->has_started = true;
    return true;
}

/* Paths in it are found from anywhere, and shown whole. */
static Str absolute_path(Arena *arena, Str path)
{
    char here[PATH_MAX];

    if (str_starts_with(path, STR("/")) || !getcwd(here, sizeof(here)))
        return str_copy(arena, path);
    return path_join(arena, str_from_c(here), path);
}

bool server_start(const ServerOptions *options, Server **ret_server)
{
    Server *server = memory_must_calloc(1, sizeof(Server));

    server->arena = arena_new("server");
    server->options = *options;
    server->data_directory = absolute_path(server->arena, options->directory);
    server->next_process_id = (int32_t)getpid();
    server->spare_descriptor = -1;
    server->started_at = os->wall_clock();
    atomic_store(&server->configuration_loaded_at, server->started_at);
    mutex_init(&server->access_mutex, RANK_SERVER);
    mutex_init(&server->sessions_mutex, RANK_SESSION);
    os->random(server->scram_secret, sizeof(server->scram_secret));
    server_running = server;
    block_signals();
    if (!start(server)) {
        server_stop(server);
        return false;
    }
    *ret_server = server;
    return true;
}

void server_run(Server *server)
{
    scheduler_run(server->workers[0].scheduler);
}

void server_stop(Server *server)
{
    for (uint32_t i = 0; i < server->worker_count; i++) {
        Worker *worker = &server->workers[i];
        if (worker->thread) {
            scheduler_stop(worker->scheduler);
            os->thread_join(worker->thread);
        }
        plan_cache_free(worker->plans);
        arena_free(worker->spare_arena);
        while (worker->spare_arena_count > 0)
            arena_free(worker->spare_arenas[--worker->spare_arena_count]);
        strbuf_deinit(&worker->spare_in);
        strbuf_deinit(&worker->spare_out);
    }
    if (server->worker_count > 0)
        usage_tables_free(server->workers[server->worker_count - 1].usage);
    offload_stop();
    catalog_close(server->catalog);
    if (server->txn_manager)
        txn_manager_close(server->txn_manager);
    if (server->store && !store_close(server->store, STORE_CLOSE_CLEAN)) {
        log_fields(error_fields(), STR(""));
        error_clear();
    }
    /* The log writer, the last thread that wakes tasks, has ended with the store. */
    for (uint32_t i = 0; i < server->worker_count; i++)
        scheduler_free(server->workers[i].scheduler);
    hba_free(server->hba);
    tls_context_unref(server->tls);
    if (server->spare_descriptor >= 0)
        close(server->spare_descriptor);
    if (server->has_started)
        log_message(SEVERITY_LOG, "database system is shut down");
    log_close();
    server_running = NULL;
    arena_free(server->arena);
    memory_free(server);
}
