/*
 * The executor: runs a Plan and hands its rows out in batches.
 *
 * An ExecState is a plan made ready: node states, compiled expressions, buffers. It belongs to one
 * session, can be executed any number of times, one after the other, and allocates nothing more
 * from the heap when executed again (a prepared point query).
 *
 *   ExecState *state = executor_new(plan, session);              compile, once
 *   TRY(executor_start(state, &(ExecRequest){.snapshot = s, .parameters = &p}));
 *   TRY(executor_run(state, sink, 0));                            all rows into the sink
 *   executor_stop(state);                                         always, also after a failure
 *   …  executor_start again: the next execution (executor_rearm is its other name)
 *   executor_free(state);
 *
 * Portals. executor_run with a row limit returns after that many rows; the next call goes on where
 * it stopped. A statement that changes rows runs to its end before the first row leaves, so that a
 * portal closed early has still done all its work. With ExecRequest.scrollable the result is kept
 * as it is read, and executor_fetch moves either way.
 *
 * Pull interface: executor_next gives the batches themselves, borrowed until the next call.
 *
 * Transactions. The caller begins and ends them and supplies the snapshot of the statement;
 * READ COMMITTED statements that meet a newer row re-evaluate it here (DESIGN 4). Before COMMIT the
 * caller runs executor_deferred_run(session), at ROLLBACK and after COMMIT executor_deferred_clear.
 * After a failure inside a statement the caller rolls back to the savepoint or the transaction: the
 * executor does not undo writes.
 *
 * Invariants: X1 executor_stop releases every scan, lock wait and temporary file, whatever failed.
 * X2 A batch is valid until the next call on the same state. X3 Nothing here outlives the
 * ExecState except the session's deferred checks and sequence values.
 */
#ifndef EXECUTOR_EXECUTOR_H
#define EXECUTOR_EXECUTOR_H

#include "catalog/catalog.h"
#include "executor/sink.h"

typedef struct DeferredChecks DeferredChecks;
typedef struct ExecState ExecState;
typedef struct OnCommitTables OnCommitTables;
typedef struct PlannedStatement PlannedStatement;
typedef struct SequenceMemory SequenceMemory;
typedef struct Snapshot Snapshot;
typedef struct Txn Txn;

/*
 * What the executor knows of the session it works for. It begins with the catalog's part, and the
 * server's Session begins with one of these: a pointer to one is a pointer to all three, which is
 * how functions find it through FunctionCall.session. Everything a function of this room needs from
 * above comes through `ops`; a NULL entry means "not available here" (0A000).
 */
typedef struct ExecSession ExecSession;
typedef struct ExecSessionOps {
    /* SET and SHOW by name, with the permission checks of the session. is_local: until the
     * transaction ends. */
    bool (*setting_set)(ExecSession *session, Str name, Str value, bool is_local);
    /* STR_NONE: no such setting and missing_ok. */
    bool (*setting_get)(ExecSession *session, Str name, bool missing_ok, Arena *arena,
                        Str *ret_value);
    bool (*backend_cancel)(ExecSession *session, int32_t pid, bool *ret_sent);
    bool (*backend_terminate)(ExecSession *session, int32_t pid, bool *ret_sent);
    bool (*configuration_reload)(ExecSession *session);
    /* WHERE CURRENT OF: the row id by executor_current_row, or 34000 / 24000. */
    bool (*cursor_row)(ExecSession *session, Str cursor, const RelationDesc *table,
                       int64_t *ret_row_id);
    /* Do open cursors read the relation? */
    bool (*relation_in_use)(ExecSession *session, Oid relation);
    /* Runs SQL text of a function's body or of set-returning catalog functions; rows go to the
     * sink. */
    bool (*query_run)(ExecSession *session, Str sql, RowSink *sink);
} ExecSessionOps;

struct ExecSession {
    CatalogSession catalog;    /* first; catalog.txn is the running transaction */
    const ExecSessionOps *ops; /* may be NULL */
    int32_t backend_pid;
    int64_t transaction_start;      /* now(), as a timestamptz: microseconds since 2000 */
    int64_t statement_start;        /* statement_timestamp(), likewise */
    Str temporary_directory;        /* where spill files go; it exists */
    bool is_read_only;              /* SET TRANSACTION READ ONLY: nextval and DML fail with 25006 */
    SequenceMemory *sequences;      /* currval and lastval; made at first use */
    DeferredChecks *deferred;       /* foreign keys to check at COMMIT; made at first use */
    OnCommitTables *on_commit;      /* temporary tables; made at first use */
    struct UsageMemory *usage;      /* counts of this transaction; made at first use */
    struct UsageTable *usage_table; /* its worker's; NULL: nobody counts */
};
/* Registers this room's functions; once, at the start of the process. */
void executor_init(void);
/* Gives back what the executor keeps for a session. */
void executor_session_deinit(ExecSession *session);

/* Values of $1 …; types as the plan was made for. Borrowed until executor_stop. */
typedef struct ExecParameters {
    uint32_t count;
    const Value *values;
    const bool *nulls;
} ExecParameters;

typedef struct ExecRequest {
    const Snapshot
        *snapshot; /* borrowed until executor_stop; NULL: txn_snapshot of the session's txn */
    const ExecParameters *parameters; /* NULL: none */
    bool scrollable;                  /* keep rows for executor_fetch backwards */
    bool at_once;                     /* no row leaves before all are there: an error comes alone */
    bool instrument;                  /* count rows and time per node (EXPLAIN ANALYZE) */
    bool instrument_timing;
    bool is_admitted; /* the caller holds the relations' locks and knows of the privileges */
} ExecRequest;

/* What a statement's rows have; the names are the statement's. */
ResultColumn *executor_columns(const PlannedStatement *stmt, Arena *arena);

/* Compiles. The plan and the session must outlive the state. */
MUST_CHECK ExecState *executor_new(const PlannedStatement *plan, ExecSession *session);
void executor_free(ExecState *state);   /* accepts NULL; stops first */
void executor_freep(ExecState **state); /* for CLEANUP */

/* Begins an execution. The state must be stopped (or new). */
MUST_CHECK bool executor_start(ExecState *state, const ExecRequest *request);
static inline MUST_CHECK bool executor_rearm(ExecState *state, const ExecRequest *request)
{
    return executor_start(state, request);
}

/* Hands a stopped state to another session of the same database and role. */
void executor_adopt(ExecState *state, ExecSession *session);
/* False for states with parts that know their session themselves. */
bool executor_may_adopt(const ExecState *state);

/* Ends an execution; idempotent, cannot fail. */
void executor_stop(ExecState *state);

/* What rows look like; valid as long as the state. count is 0 for statements without a result. */
const RowDescription *executor_description(const ExecState *state);

/* The next batch, or *ret_batch = NULL at the end. The batch has at least one selected row. */
MUST_CHECK bool executor_next(ExecState *state, Batch **ret_batch);

/* Rows into the sink: at most row_limit (0: all). Calls describe the first time, complete at the
 * end. */
MUST_CHECK bool executor_run(ExecState *state, RowSink *sink, uint64_t row_limit);

/* Scrollable executions: FETCH and MOVE. The cursor starts before the first row. */
typedef enum ExecFetchDirection {
    EXEC_FETCH_FORWARD = 1, /* count rows on; INT64_MAX: all */
    EXEC_FETCH_BACKWARD,    /* count rows back, nearest first */
    EXEC_FETCH_ABSOLUTE,    /* to row `count` (negative: from the end); that row */
    EXEC_FETCH_RELATIVE,    /* count rows on (negative: back; 0: the same again); that row */
} ExecFetchDirection;
/* sink NULL: MOVE. *ret_count: rows given (or moved over). */
MUST_CHECK bool executor_fetch(ExecState *state, RowSink *sink, ExecFetchDirection direction,
                               int64_t count, uint64_t *ret_count);

/* What has been done so far; finished once the end was reached. */
CommandResult executor_result(const ExecState *state);
/* The row that executor_fetch gave last, 1-based; 0: before the first. */
int64_t executor_position(const ExecState *state);
bool executor_is_on_row(const ExecState *state);

/*
 * The row a positioned UPDATE or DELETE (WHERE CURRENT OF) means: the row of `table` behind the row
 * last fetched of a scrollable execution; 0: an outer join has none there. 24000 where the query
 * has no such rows, or the cursor stands before the first or after the last.
 */
MUST_CHECK bool executor_current_row(ExecState *state, Str cursor, const RelationDesc *table,
                                     int64_t *ret_row_id);

/* Foreign keys whose check was put off to COMMIT. */
MUST_CHECK bool executor_deferred_run(ExecSession *session);
void executor_deferred_clear(ExecSession *session);
/* Savepoints: the mark at SAVEPOINT, the cut at ROLLBACK TO. */
size_t executor_deferred_mark(const ExecSession *session);
void executor_deferred_rewind(ExecSession *session, size_t mark);
/* Is a check of the table pending? Then it can't be altered, truncated or dropped. */
bool executor_deferred_has(const ExecSession *session, Oid table);
/* SET CONSTRAINTS: oids NULL = ALL. Becoming immediate runs what is queued. */
MUST_CHECK bool executor_set_constraints(ExecSession *session, const Oid *oids, uint32_t count,
                                         bool is_deferred);

#endif
