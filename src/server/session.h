/*
 * Sessions: what a connection is between messages, and the state machine of the protocol.
 *
 * A Session begins with an ExecSession, which begins with a CatalogSession: functions find it
 * through FunctionCall.session. It is served by one coroutine at a time (connection.h); other
 * threads touch only what `mutex` guards: its activity and its task, for cancel and
 * pg_stat_activity.
 *
 *   login.c             startup packet, authentication
 *   session.c           life, message loop
 *   session_query.c     simple queries; one statement after the other
 *   session_extended.c  Parse, Bind, Describe, Execute, Close, Sync
 *   statement.c         prepared statements: planned, and again when the schema moves
 *   portal.c, block.c   portals and cursors; transaction blocks and savepoints
 *   session_settings.h  SET, SHOW, RESET, and what rollback does to them
 *   utility.c           statements that are not plans
 *   result.c            rows to the wire
 *
 * Transaction blocks (PostgreSQL manual, "Multiple Statements in a Simple Query"):
 *
 *   IDLE ──any statement──► IMPLICIT ──its end──► IDLE
 *   IDLE, IMPLICIT ──BEGIN──► BLOCK ──COMMIT, ROLLBACK──► IDLE
 *   BLOCK ──an error──► FAILED ──ROLLBACK, COMMIT──► IDLE;  FAILED ──ROLLBACK TO──► BLOCK
 */
#ifndef SERVER_SESSION_H
#define SERVER_SESSION_H

#include "base/sync.h"
#include "executor/executor.h"
#include "parser/ast.h"
#include "server/connection.h"
#include "server/plan_cache.h"
#include "server/session_settings.h"
#include "txn/txn.h"

typedef struct Portal Portal;
typedef struct PreparedStatement PreparedStatement;
typedef struct Server Server;

typedef enum BlockState { BLOCK_IDLE = 0, BLOCK_IMPLICIT, BLOCK_OPEN, BLOCK_FAILED } BlockState;

typedef struct Savepoint {
    Str name;
    TxnSavepoint position;
    size_t settings_mark, deferred_mark, on_commit_mark;
    uint32_t portal_mark; /* portals numbered from here on were opened inside */
    bool read_only;       /* the transaction, when it was set */
} Savepoint;

typedef enum ActivityState {
    ACTIVITY_STARTING = 0,
    ACTIVITY_ACTIVE,
    ACTIVITY_IDLE,
    ACTIVITY_IDLE_IN_TRANSACTION,
    ACTIVITY_IDLE_IN_FAILED_TRANSACTION,
    ACTIVITY_DISABLED, /* track_activities is off */
} ActivityState;

/* Who the session is, as others see it. Texts live as long as the session. */
typedef struct SessionIdentity {
    Oid user, database; /* database 0: not logged in yet */
    char application_name[64];
    uint32_t application_name_length;
    bool is_tls;
    Str tls_version, tls_cipher;
    int32_t tls_bits;
} SessionIdentity;

typedef struct Session {
    ExecSession exec; /* first */
    Connection connection;
    Server *server;
    struct Worker *worker;
    Arena *arena; /* as long as the session */
    /* These two and the connection's buffers are the worker's while the session is at rest. */
    Arena *statement_arena; /* reset after each statement of the simple protocol, and at Sync */
    Arena *message_arena;   /* the message being served; reset by the next */
    Arena *block_arena;     /* reset when the transaction ends */
    TxnSession *txn_session;
    SessionSettings settings;
    Str user_name, database_name, client_address;
    int client_encoding; /* what is converted to and from UTF8; 0: nothing (client_text.h) */
    int32_t secret;      /* with backend_pid: what a CancelRequest must know */
    bool is_logged_in, is_closing;
    bool is_at_rest; /* between ReadyForQuery and the next message */
    Arena *login_arena;

    /* Transactions. */
    BlockState block;
    VEC(Savepoint) savepoints; /* in block_arena */
    bool chain_read_only;
    bool read_only_in_block;
    bool has_queried; /* data was seen: too late for SET TRANSACTION */
    bool is_in_list;  /* the statement is one of several in a query string */

    /* Extended protocol. */
    bool skips_to_sync;
    StrMap statements; /* by name; the unnamed one apart */
    PreparedStatement *unnamed_statement;
    Portal *portals; /* open ones, newest first */
    uint32_t next_portal_number;
    HeldPlan held_plan;
    size_t statement_index;   /* of the statement being run, in its text */
    bool is_statement_logged; /* log_statement has told its text */
    uint64_t log_line_count;  /* %l of log_line_prefix */
    Str query_text; /* of the statement being run, for logs; it lives as long as the message */

    /* Seen by others. */
    Mutex mutex;                  /* rank SESSION */
    Task *task GUARDED_BY(mutex); /* serving now, or NULL */
    bool cancel_pending GUARDED_BY(mutex);
    bool terminate_pending GUARDED_BY(mutex);
    ActivityState activity GUARDED_BY(mutex);
    char *activity_query GUARDED_BY(mutex); /* track_activity_query_size bytes of room */
    uint32_t activity_query_length GUARDED_BY(mutex);
    int64_t connected_at, query_start, state_changed_at GUARDED_BY(mutex); /* wall clock */
    SessionIdentity identity GUARDED_BY(mutex);
    _Atomic int64_t transaction_started_at; /* wall clock; 0: none. Statistic: relaxed, may lag */

    /* What the activity shows now, where Bind or Execute have set it; to be compared, not read. */
    const PreparedStatement *shown_statement;
    Timer statement_timer, idle_timer;
    Deadline login_deadline;

    struct Session *next, *previous; /* in server->sessions, under server->sessions_mutex */
} Session;

/* -------- session.c -------- */

/* A session for an accepted socket; runs on the worker's thread. Closes `fd` on failure. */
void session_start(Server *server, struct Worker *worker, int fd, bool is_local,
                   const struct sockaddr_storage *address);
static inline Session *session_of(ExecSession *exec)
{
    return CONTAINER_OF(exec, Session, exec);
}

/* Asks for the end of what it runs, or of the session. Any thread; the session must not go away
 * meanwhile (server_find_session's lock is held). */
void session_cancel(Session *session);
void session_terminate(Session *session, Interrupt why);
void session_set_activity(Session *session, ActivityState state, Str query);
/* Active with a prepared statement: Execute need not say again what Bind has said. */
void session_show_statement(Session *session, const PreparedStatement *statement, Str source);
/* Makes user, database and TLS known to others, once logged in. */
void session_publish_identity(Session *session);
/* The same of application_name, whenever it changes. */
void session_publish_application(Session *session);
/* Sends the error to client and log, clears it, and does what an error does to the block. */
void session_report_error(Session *session);
/* Waits for durability of what the reply tells, then sends what has gathered. */
MUST_CHECK bool session_flush(Session *session);
/* Sends early when much has gathered, so that memory stays bounded. */
MUST_CHECK bool session_flush_if_full(Session *session);

/* -------- login.c -------- */

/* Startup and authentication, waiting as need be. False: refused (told) or gone. */
MUST_CHECK bool session_login(Session *session);

/* -------- block.c -------- */

/* Makes sure that a transaction is open and begins a statement in it. */
MUST_CHECK bool block_statement_begin(Session *session);
/* The end of an implicit transaction's statement (or of its query string): commits it. */
MUST_CHECK bool block_statement_end(Session *session);
/* Undoes what must not stay after an error: an implicit transaction; a block becomes failed. */
void block_error(Session *session);
/* Everything gone: at the end of the session. */
void block_abort_all(Session *session);
/* A savepoint of the server's own, taken back without a trace: settings and portals apart. */
MUST_CHECK bool block_mark(Session *session, Savepoint *ret_mark);
void block_rewind(Session *session, const Savepoint *mark);
MUST_CHECK bool block_execute(Session *session, const TransactionStmt *statement, Str *ret_tag);
/* 25P02 in a failed block, but for statements that end it. */
MUST_CHECK bool block_allows(Session *session, const Node *statement);
/* Is there a transaction block? Several statements in one query string make one too. */
bool block_is_open(const Session *session);
/* 25001: "%s cannot run inside a transaction block". */
MUST_CHECK bool block_require_none(Session *session, const char *what);
char block_ready_state(const Session *session);

/* -------- session_query.c, session_extended.c -------- */

/* Runs a query string; sends everything but ReadyForQuery. Errors have been reported. */
void session_simple_query(Session *session, Str text);
/* One message of the extended protocol; false: an error is set. */
MUST_CHECK bool session_extended(Session *session, const Frame *frame);

/* -------- utility.c -------- */

/*
 * Runs a statement that is not a plan. Its rows, if any, go to the sink; the tag into *ret_tag
 * (arena of the statement).
 */
MUST_CHECK bool utility_execute(Session *session, Portal *portal, bool is_top_level, RowSink *sink,
                                Str *ret_tag);
/* What its rows look like; no columns where it has none. */
MUST_CHECK bool utility_describe(Session *session, Arena *arena, const Node *statement, Str source,
                                 RowDescription *ret_description);

#endif
