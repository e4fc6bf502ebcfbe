/*
 * The server: one data directory served by a number of workers.
 *
 *   TRY(server_start(&options, &server));     store recovered, listening
 *   server_run(server);                       until SIGTERM or SIGINT
 *   server_stop(server);                      sessions ended, a last checkpoint
 *
 * Worker 0's loop also accepts connections and handles signals; each connection is given to the
 * worker that has the fewest and stays there.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "base/os.h"
#include "base/sync.h"
#include "catalog/catalog.h"
#include "executor/usage.h"
#include "protocol/hba.h"
#include "protocol/transport.h"
#include "server/config.h"
#include "server/login_delay.h"
#include "server/session.h"
#include "storage/store.h"
#include "txn/txn.h"

#define SPARE_ARENAS 16
#define SPARE_ARENA_MAX 65536 /* bytes; larger ones are freed */

typedef struct Worker {
    Server *server;
    uint32_t number;
    Scheduler *scheduler;
    Thread *thread; /* NULL for worker 0, which runs on the main thread */
    UsageTable *usage;
    _Atomic uint32_t session_count;
    /* Of the worker's thread alone. */
    struct PlanCache *plans;
    Arena *spare_arena; /* of the portal closed last, empty; or NULL */
    /* What sessions at rest have given back: as many as run at a time, not as are connected. */
    Arena *spare_arenas[SPARE_ARENAS];
    uint32_t spare_arena_count;
    StrBuf spare_in, spare_out;
} Worker;

#define LISTENERS_MAX 16

typedef struct Listener {
    FdWatch watch; /* first */
    Server *server;
    bool is_local;
    Str socket_path, lock_path; /* local ones: removed at the end */
} Listener;

struct Server {
    Arena *arena;
    ServerOptions options;
    Str data_directory;
    Store *store;
    TxnManager *txn_manager;
    Catalog *catalog;
    Worker *workers;
    uint32_t worker_count;
    Listener listeners[LISTENERS_MAX];
    uint32_t listener_count;
    /* Worker 0's, which accepts: see refuse_one. */
    int spare_descriptor; /* -1: there is none */
    int64_t refused_at;   /* monotonic; 0: never */
    FdWatch signal_watch;
    _Atomic bool is_stopping;
    byte scram_secret[16];
    LoginDelays login_delays;
    int64_t checkpoint_began_at;             /* monotonic; of the last; the checkpointer's */
    int64_t started_at;                      /* wall clock */
    uint64_t wal_at_start;                   /* where the log ended then */
    _Atomic int64_t configuration_loaded_at; /* wall clock */
    bool has_started;                        /* was ready once */
    bool listens_elsewhere;                  /* than on loopback and sockets; since the start */

    Mutex access_mutex; /* rank SERVER: what a reload replaces */
    Hba *hba GUARDED_BY(access_mutex);
    uint32_t hba_users GUARDED_BY(access_mutex);
    TlsContext *tls GUARDED_BY(access_mutex); /* NULL: TLS is off */

    Mutex sessions_mutex; /* rank SERVER */
    Session *sessions GUARDED_BY(sessions_mutex);
    uint32_t session_count GUARDED_BY(sessions_mutex);
    int32_t next_process_id GUARDED_BY(sessions_mutex);
};

extern Server *server_running; /* the one of this process, or NULL */

MUST_CHECK bool server_start(const ServerOptions *options, Server **ret_server);
void server_run(Server *server);
void server_stop(Server *server);
/* Configuration, hba.conf and TLS files read again; errors go to the log and leave the old ones. */
void server_reload(Server *server);

/* Calls back for every session, under sessions_mutex. */
typedef void ServerSessionCallback(void *context, Session *session);
void server_each_session(Server *server, ServerSessionCallback *callback, void *context);
void server_add_session(Server *server, Session *session);
void server_remove_session(Server *server, Session *session);
/* Says why to who has just connected, and closes. */
void server_refuse(int fd, SqlState sqlstate, Str message);
/* A CancelRequest: nothing happens unless both numbers fit. */
void server_cancel(Server *server, int32_t process_id, int32_t secret);

/* hba rules in use; hand back with server_hba_release so that a reload can free the old ones. */
const Hba *server_hba_acquire(Server *server);
void server_hba_release(Server *server, const Hba *hba);
/* A reference of the caller's, or NULL. */
TlsContext *server_tls(Server *server);

#endif
