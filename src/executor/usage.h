/*
 * Usage: what is done to tables, indexes and databases, for pg_stat_user_tables and its kin.
 *
 *   RelationUsage *usage = usage_of(session, relation);    once a node, cheap afterwards
 *   usage_add(usage, USAGE_SCANS, 1);                       no lock, no shared memory
 *   usage_end_transaction(session, committed);               hands the counts on
 *
 * A session gathers its transaction's counts in memory of its own. At the transaction's end they
 * are added to the table of the worker that serves it. Only that worker writes there, so adding is
 * a load and a store; whoever asks sums over the workers' tables. The counts are of this run of the
 * server, and of what was done whether or not it was committed, as PostgreSQL's.
 *
 * Invariants: U1 A UsageTable's counters are written by its worker's thread alone. U2 Entries are
 * never freed while the server runs, so that sessions may keep pointers to them.
 */
#ifndef EXECUTOR_USAGE_H
#define EXECUTOR_USAGE_H

#include "executor/executor.h"

typedef enum UsageCounter {
    USAGE_SCANS = 0,    /* sequential scans of a table, scans of an index */
    USAGE_ROWS_READ,    /* by sequential scans; entries, of an index */
    USAGE_ROWS_FETCHED, /* of an index: rows it led to; of a table: those fetched in its own order
                         */
    USAGE_INSERTED,
    USAGE_UPDATED,
    USAGE_DELETED,
    USAGE_COMMITS, /* of a database (relation 0), as are those that follow */
    USAGE_ROLLBACKS,
    USAGE_DEADLOCKS,
    USAGE_SESSIONS,
    USAGE_SESSIONS_FATAL,
    USAGE_SESSIONS_KILLED,
    USAGE_TEMP_FILES,
    USAGE_TEMP_BYTES,
    USAGE_COUNTERS,
} UsageCounter;

static_assert(USAGE_COUNTERS <= 32, "a bit each");

typedef struct RelationUsage {
    Oid relation;
    bool is_dirty; /* on the session's list of those to hand on */
    struct RelationUsage *next_dirty;
    struct UsageMemory *memory;
    uint32_t counted;               /* a bit for each of those that may not be zero */
    int64_t counts[USAGE_COUNTERS]; /* of this transaction */
    struct SharedUsage *shared;     /* the worker's; NULL where nobody counts */
} RelationUsage;

typedef struct UsageTable UsageTable;

/* One a worker, chained; `next` is the head of the chain so far. */
UsageTable *usage_table_new(UsageTable *next);
void usage_tables_free(UsageTable *head);

/* The session's entry of a relation of its database; 0: of the database itself. */
RelationUsage *usage_of(ExecSession *session, Oid relation);
void usage_mark_dirty(RelationUsage *usage);
static inline void usage_add(RelationUsage *usage, UsageCounter counter, int64_t count)
{
    usage->counts[counter] += count;
    usage->counted |= 1u << counter;
    if (unlikely(!usage->is_dirty))
        usage_mark_dirty(usage);
}
void usage_end_transaction(ExecSession *session, bool committed);
void usage_session_deinit(ExecSession *session);

/* Of all workers together, by now ended transactions. */
void usage_sum(const ExecSession *session, Oid database, Oid relation,
               int64_t ret_counts[USAGE_COUNTERS]);
void usage_sum_database(const ExecSession *session, Oid database,
                        int64_t ret_counts[USAGE_COUNTERS]);

typedef struct UsageUpkeep {
    int64_t vacuumed_at, vacuum_count, analyzed_at, analyze_count; /* wall clock, or 0 */
    int64_t changes_since_analyze, inserts_since_vacuum;
} UsageUpkeep;
UsageUpkeep usage_upkeep(const ExecSession *session, Oid relation);

/* After VACUUM and ANALYZE of a table. */
void usage_vacuumed(ExecSession *session, Oid relation);
void usage_analyzed(ExecSession *session, Oid relation);

#endif
