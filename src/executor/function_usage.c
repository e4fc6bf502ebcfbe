/* pg_stat_get_…: what usage.h has counted. */
#include "base/error.h"
#include "base/metrics.h"
#include "base/os.h"
#include "catalog/relation.h"
#include "executor/usage.h"
#include "txn/ddl.h"
#include "types/function.h"

static ExecSession *session_of(FunctionCall *call)
{
    return call->session;
}

/* ---- of a table or an index ---- */

static int64_t counted(FunctionCall *call, Oid relation, UsageCounter counter)
{
    int64_t counts[USAGE_COUNTERS];

    usage_sum(session_of(call), session_of(call)->catalog.database_oid, relation, counts);
    return counts[counter];
}

#define COUNTED(symbol, counter)                                                                   \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        ret->int64 = counted(call, args[0].oid, counter);                                          \
        return true;                                                                               \
    }
COUNTED(pg_stat_get_numscans, USAGE_SCANS)
COUNTED(pg_stat_get_tuples_returned, USAGE_ROWS_READ)
COUNTED(pg_stat_get_tuples_fetched, USAGE_ROWS_FETCHED)
COUNTED(pg_stat_get_tuples_inserted, USAGE_INSERTED)
COUNTED(pg_stat_get_tuples_updated, USAGE_UPDATED)
COUNTED(pg_stat_get_tuples_deleted, USAGE_DELETED)

#define COUNTED_NOW(symbol, counter)                                                               \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        ret->int64 = usage_of(session_of(call), args[0].oid)->counts[counter];                     \
        return true;                                                                               \
    }
COUNTED_NOW(pg_stat_get_xact_numscans, USAGE_SCANS)
COUNTED_NOW(pg_stat_get_xact_tuples_returned, USAGE_ROWS_READ)
COUNTED_NOW(pg_stat_get_xact_tuples_fetched, USAGE_ROWS_FETCHED)
COUNTED_NOW(pg_stat_get_xact_tuples_inserted, USAGE_INSERTED)
COUNTED_NOW(pg_stat_get_xact_tuples_updated, USAGE_UPDATED)
COUNTED_NOW(pg_stat_get_xact_tuples_deleted, USAGE_DELETED)

/* What cannot happen here: dead rows in tables, updates that spare the indexes by luck of space,
 * an autovacuum, conflicts with a standby's recovery. */
#define NEVER_HAPPENS(symbol)                                                                      \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        ret->int64 = 0;                                                                            \
        return true;                                                                               \
    }
NEVER_HAPPENS(pg_stat_get_dead_tuples)
NEVER_HAPPENS(pg_stat_get_tuples_hot_updated)
NEVER_HAPPENS(pg_stat_get_xact_tuples_hot_updated)
NEVER_HAPPENS(pg_stat_get_autovacuum_count)
NEVER_HAPPENS(pg_stat_get_autoanalyze_count)
NEVER_HAPPENS(pg_stat_get_db_conflict_all)
NEVER_HAPPENS(pg_stat_get_db_conflict_bufferpin)
NEVER_HAPPENS(pg_stat_get_db_conflict_lock)
NEVER_HAPPENS(pg_stat_get_db_conflict_snapshot)
NEVER_HAPPENS(pg_stat_get_db_conflict_startup_deadlock)
NEVER_HAPPENS(pg_stat_get_db_conflict_tablespace)

/* ---- of the server: base/metrics.h ---- */

#define METRIC(symbol, id)                                                                         \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        ret->int64 = (int64_t)metric_read(id);                                                     \
        return true;                                                                               \
    }
METRIC(pg_stat_get_bgwriter_timed_checkpoints, METRIC_CHECKPOINTS_TIMED)
METRIC(pg_stat_get_bgwriter_requested_checkpoints, METRIC_CHECKPOINTS_REQUESTED)
METRIC(pg_stat_get_bgwriter_buf_written_checkpoints, METRIC_CHECKPOINT_PAGES_WRITTEN)
METRIC(pg_stat_get_bgwriter_buf_written_clean, METRIC_EVICTION_PAGES_WRITTEN)
METRIC(pg_stat_get_buf_alloc, METRIC_FRAMES_ALLOCATED)

/* In milliseconds. */
#define METRIC_TIME(symbol, id)                                                                    \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        ret->float64 = (double)metric_read(id) / 1000;                                             \
        return true;                                                                               \
    }
METRIC_TIME(pg_stat_get_checkpoint_write_time, METRIC_CHECKPOINT_WRITE_MICROSECONDS)
METRIC_TIME(pg_stat_get_checkpoint_sync_time, METRIC_CHECKPOINT_SYNC_MICROSECONDS)

/* Sessions neither write pages nor sync them; the cleaner has no ceiling to stop at. */
NEVER_HAPPENS(pg_stat_get_bgwriter_maxwritten_clean)
NEVER_HAPPENS(pg_stat_get_buf_written_backend)
NEVER_HAPPENS(pg_stat_get_buf_fsync_backend)

/* What is not counted: unknown rather than nothing. */
#define NOT_COUNTED(symbol)                                                                        \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        *ret_null = true;                                                                          \
        return true;                                                                               \
    }
NOT_COUNTED(pg_stat_get_last_autovacuum_time)
NOT_COUNTED(pg_stat_get_last_autoanalyze_time)
NOT_COUNTED(pg_stat_get_blocks_fetched)
NOT_COUNTED(pg_stat_get_blocks_hit)
NOT_COUNTED(pg_stat_get_xact_blocks_fetched)
NOT_COUNTED(pg_stat_get_xact_blocks_hit)
NOT_COUNTED(pg_stat_get_db_blocks_fetched)
NOT_COUNTED(pg_stat_get_db_blocks_hit)
NOT_COUNTED(pg_stat_get_db_blk_read_time)
NOT_COUNTED(pg_stat_get_db_blk_write_time)
NOT_COUNTED(pg_stat_get_db_session_time)
NOT_COUNTED(pg_stat_get_db_active_time)
NOT_COUNTED(pg_stat_get_db_idle_in_transaction_time)
NOT_COUNTED(pg_stat_get_db_sessions_abandoned)
NOT_COUNTED(pg_stat_get_db_checksum_failures)
NOT_COUNTED(pg_stat_get_db_checksum_last_failure)
NOT_COUNTED(pg_stat_get_db_stat_reset_time)
NOT_COUNTED(pg_stat_get_function_calls)
NOT_COUNTED(pg_stat_get_function_total_time)
NOT_COUNTED(pg_stat_get_function_self_time)
NOT_COUNTED(pg_stat_get_xact_function_calls)
NOT_COUNTED(pg_stat_get_xact_function_total_time)
NOT_COUNTED(pg_stat_get_xact_function_self_time)
NOT_COUNTED(pg_stat_get_bgwriter_stat_reset_time)
/* Counts are read as they are, not from a snapshot of them. */
NOT_COUNTED(pg_stat_get_snapshot_timestamp)

/* Rows of the newest state, as the tree's own counters know them. */
FUNCTION(pg_stat_get_live_tuples)
{
    CatalogSession *catalog = &session_of(call)->catalog;
    const RelationDesc *relation = relation_find(catalog, args[0].oid);

    TRY(relation || !error_is_set());
    ret->int64 = relation && relation->kind == RELKIND_TABLE && relation->storage
                     ? (int64_t)txn_tree_row_count(catalog->txn, relation->storage)
                     : 0;
    return true;
}

#define UPKEEP(symbol, field)                                                                      \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        ret->int64 = usage_upkeep(session_of(call), args[0].oid).field;                            \
        return true;                                                                               \
    }
UPKEEP(pg_stat_get_vacuum_count, vacuum_count)
UPKEEP(pg_stat_get_analyze_count, analyze_count)
UPKEEP(pg_stat_get_mod_since_analyze, changes_since_analyze)
UPKEEP(pg_stat_get_ins_since_vacuum, inserts_since_vacuum)

#define UPKEEP_TIME(symbol, field)                                                                 \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        const int64_t at = usage_upkeep(session_of(call), args[0].oid).field;                      \
        ret->int64 = at - WALL_CLOCK_2000;                                                         \
        *ret_null = at == 0;                                                                       \
        return true;                                                                               \
    }
UPKEEP_TIME(pg_stat_get_last_vacuum_time, vacuumed_at)
UPKEEP_TIME(pg_stat_get_last_analyze_time, analyzed_at)

/* ---- of a database ---- */

static int64_t database_counted(FunctionCall *call, Oid database, UsageCounter counter)
{
    int64_t counts[USAGE_COUNTERS];

    usage_sum_database(session_of(call), database, counts);
    return counts[counter];
}

#define DATABASE_COUNTED(symbol, counter)                                                          \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        ret->int64 = database_counted(call, args[0].oid, counter);                                 \
        return true;                                                                               \
    }
DATABASE_COUNTED(pg_stat_get_db_xact_commit, USAGE_COMMITS)
DATABASE_COUNTED(pg_stat_get_db_xact_rollback, USAGE_ROLLBACKS)
DATABASE_COUNTED(pg_stat_get_db_tuples_returned, USAGE_ROWS_READ)
DATABASE_COUNTED(pg_stat_get_db_tuples_fetched, USAGE_ROWS_FETCHED)
DATABASE_COUNTED(pg_stat_get_db_tuples_inserted, USAGE_INSERTED)
DATABASE_COUNTED(pg_stat_get_db_tuples_updated, USAGE_UPDATED)
DATABASE_COUNTED(pg_stat_get_db_tuples_deleted, USAGE_DELETED)
DATABASE_COUNTED(pg_stat_get_db_deadlocks, USAGE_DEADLOCKS)
DATABASE_COUNTED(pg_stat_get_db_temp_files, USAGE_TEMP_FILES)
DATABASE_COUNTED(pg_stat_get_db_temp_bytes, USAGE_TEMP_BYTES)
DATABASE_COUNTED(pg_stat_get_db_sessions, USAGE_SESSIONS)
DATABASE_COUNTED(pg_stat_get_db_sessions_fatal, USAGE_SESSIONS_FATAL)
DATABASE_COUNTED(pg_stat_get_db_sessions_killed, USAGE_SESSIONS_KILLED)

/* Sums are read anew by every call: there is no copy to forget, and nothing waits to be counted. */
FUNCTION(pg_stat_clear_snapshot)
{
    ret->var = var_make("", 0);
    return true;
}

FUNCTION(pg_stat_force_next_flush)
{
    ret->var = var_make("", 0);
    return true;
}
