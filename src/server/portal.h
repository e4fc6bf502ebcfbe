/*
 * Prepared statements and portals.
 *
 * A PreparedStatement is a statement analyzed and planned, with the ExecState of its last
 * execution kept for the next. It is planned again when the schema it was planned under has
 * changed. A Portal is one execution: suspended between Execute messages, or moved about in by
 * FETCH.
 */
#ifndef SERVER_PORTAL_H
#define SERVER_PORTAL_H

#include "planner/analyze.h"
#include "planner/planner.h"
#include "server/plan_cache.h"
#include "server/session.h"
#include "txn/txn.h"

struct PreparedStatement {
    Str name;              /* empty: the unnamed one */
    Str source;            /* the whole text that positions are in */
    Arena *arena;          /* text, tree, parameter types */
    Arena *plan_arena;     /* what planning again throws away */
    const Node *statement; /* NULL: an empty query */
    Oid *given_types;
    int given_count;
    Oid *param_types;
    int param_count;
    /* NULL for utilities and while out of date; `shared` has it where not NULL. */
    const PlannedStatement *planned;
    CachedPlan *shared;
    CachedPlan *origin; /* has the tree, where the statement was found in the cache; or NULL */
    Fingerprint *print; /* NULL: not to be looked for in the cache */
    bool is_utility;
    bool has_no_params; /* a simple query: $n means nothing in it */
    uint64_t schema_version, temp_version;
    SearchPath search_path;
    Oid planned_for;       /* role: privileges and views were resolved for it */
    RowDescription result; /* in arena: what was described must stay true */
    bool is_described;
    ExecState *state; /* NULL, or ready for use; state_busy while a portal has it */
    bool state_busy;
    bool from_sql;  /* PREPARE rather than Parse */
    bool is_cursor; /* of DECLARE: WHERE CURRENT OF may name it */
    int64_t prepared_at;
    int64_t execution_count; /* portals opened over it */
    uint32_t references;     /* the session's maps and open portals */
};

struct Portal {
    Str name; /* empty: the unnamed one */
    uint32_t number;
    Portal *next;
    Arena *arena;
    PreparedStatement *statement;
    ExecState *state; /* NULL for utilities, and before the first row is asked for */
    bool owns_state;
    Arena *plan_arena;  /* of a plan that the statement has given up; or NULL */
    CachedPlan *lender; /* has lent `state`; NULL: it is the statement's, or the portal's own */
    ExecParameters parameters;
    uint16_t *result_formats; /* as Bind gave them: 0, 1 or one for each column */
    uint32_t result_format_count;
    Str parameters_told; /* what errors tell of them; none by default */
    /* catalog_version when its statement was found ready, in this transaction: as long as it is the
     * same, locks taken then keep the plan true. 0: not yet. */
    uint64_t ready_version;
    Snapshot snapshot;
    bool is_pinned, is_started, is_finished, has_failed;
    bool is_running; /* between the start and the end of a call for rows; an error leaves it so */
    bool is_utility_done;
    bool is_at_once;         /* of EXECUTE: its rows come when all are there */
    uint32_t cursor_options; /* CursorOption bits */
    bool is_cursor;          /* DECLAREd */
    bool is_held;            /* outlives its transaction: rows are in `held` */
    Batch **held;
    uint32_t held_count;
    uint64_t held_rows, held_position; /* 0: before the first row */
    int64_t created_at;
};

/* -------- statement.c -------- */

/* Parses one statement's tree (NULL: empty) into a prepared statement with one reference. */
MUST_CHECK PreparedStatement *statement_new(Session *session, Str name, Str source,
                                            const Node *statement, const Oid *types, int count);
/* False: the cache knows nothing of such texts. */
bool statement_fingerprint(PreparedStatement *statement);
/* Takes tree and plan from the worker's cache; false (no error set): they are to be made. */
bool statement_find_shared(Session *session, PreparedStatement *statement);
/* A query inside another statement (PREPARE, DECLARE), found by `inner` in the tree of the whole,
 * which is parsed again so that it outlives the message it came in. */
MUST_CHECK PreparedStatement *statement_of_part(Session *session, Str name, Str source,
                                                const Node *(*inner)(const Node *whole),
                                                const Oid *types, int count);
void statement_release(PreparedStatement *statement); /* accepts NULL */
/* Analyzed, planned, locks taken, privileges checked. Needs a transaction's statement begun. */
/* 42P18 where analysis left a parameter without a type. */
MUST_CHECK bool statement_params_known(const AnalyzeParams *params);
/* What rows of a plan look like, in the arena. */
RowDescription statement_description(Arena *arena, const PlannedStatement *planned);
/* The locks that the plan's relations need. */
MUST_CHECK bool statement_ready(Session *session, PreparedStatement *statement);
/* What its rows look like. Needs the same. */
MUST_CHECK bool statement_describe(Session *session, PreparedStatement *statement,
                                   RowDescription *ret_description);
PreparedStatement *statement_find(Session *session, Str name);           /* NULL: none */
MUST_CHECK PreparedStatement *statement_get(Session *session, Str name); /* 26000 */
MUST_CHECK bool statement_store(Session *session, PreparedStatement *statement);
void statement_drop(Session *session, Str name);
void statements_drop_all(Session *session);

/* -------- portal.c -------- */

/* A portal over the statement, of which it takes a reference. Replaces an unnamed one. */
MUST_CHECK Portal *portal_open(Session *session, Str name, PreparedStatement *statement);
void portal_close(Session *session, Portal *portal);
Portal *portal_find(Session *session, Str name);
MUST_CHECK Portal *portal_get(Session *session, Str name); /* 34000 */
/* The same right after statement_ready. */
MUST_CHECK bool portal_start_ready(Session *session, Portal *portal, bool scrollable);
/* At most `limit` rows (0: all) into the sink. *ret_tag is set where it is finished. */
MUST_CHECK bool portal_run(Session *session, Portal *portal, RowSink *sink, uint64_t limit,
                           bool is_top_level, Str *ret_tag);
MUST_CHECK bool portal_description(Session *session, Portal *portal,
                                   RowDescription *ret_description);

/* Portals that are started and not finished go on seeing what they see. */
void portals_keep_snapshots(Session *session);
MUST_CHECK bool portals_before_commit(Session *session); /* holdable ones are read out */
void portals_end_transaction(Session *session, bool committed);
/* Stops what ran and what was opened since `mark`; it may still be closed. */
void portals_after_error(Session *session, uint32_t mark);
void portals_rollback_to(Session *session, uint32_t mark);

/* DECLARE, FETCH, MOVE, CLOSE. */
MUST_CHECK bool cursor_declare(Session *session, const DeclareCursorStmt *statement,
                               const Portal *declarer);
MUST_CHECK bool cursor_fetch(Session *session, const FetchStmt *statement, RowSink *sink,
                             Str *ret_tag);
MUST_CHECK bool cursor_close(Session *session, Str name);
/* Is the relation read by a portal that may give more rows? */
bool portals_read(const Session *session, Oid relation);
/* WHERE CURRENT OF: the id of the table's row that the cursor is on (0: it has none there). */
MUST_CHECK bool cursor_row(Session *session, Str name, const RelationDesc *table,
                           int64_t *ret_row_id);
void portals_close_all(Session *session);

/* -------- result.c -------- */

/* Rows as DataRow messages. */
typedef struct WireSink {
    RowSink sink; /* first */
    Session *session;
    bool tells_description; /* the simple protocol: RowDescription before the rows */
    const uint16_t *formats;
    uint32_t format_count;
    uint64_t row_count;
} WireSink;
void wire_sink_init(WireSink *wire, Session *session, bool tells_description,
                    const uint16_t *formats, uint32_t format_count);
/* 0 text, 1 binary: of a column, by the formats that Bind gave: none, one for all, one for each. */
static inline uint16_t wire_format(const uint16_t *formats, uint32_t count, uint32_t column)
{
    return count == 0 ? 0 : count == 1 ? formats[0] : column < count ? formats[column] : 0;
}
MUST_CHECK bool wire_put_description(Session *session, const RowDescription *description,
                                     const uint16_t *formats, uint32_t format_count);

#endif
