/* What sessions are doing: pg_stat_get_activity, pg_lock_status and their kin. */
#include "base/error.h"
#include "base/os.h"
#include "base/wait_events.h"
#include "catalog/lookup.h"
#include "catalog/privilege.h"
#include "server/server.h"
#include "server/view_rows.h"
#include "storage/store.h"
#include "txn/export.h"
#include "txn/lock.h"
#include "types/array.h"

typedef struct WaitEventName {
    const char *type, *name;
} WaitEventName;

#define WAIT_EVENT_PAIR(event_type, event_name) {event_type, event_name},
static const WaitEventName wait_event_names[] = {{NULL, NULL}, WAIT_EVENT_NAMES(WAIT_EVENT_PAIR)};

static const char *const activity_names[] = {
    [ACTIVITY_STARTING] = NULL,
    [ACTIVITY_ACTIVE] = "active",
    [ACTIVITY_IDLE] = "idle",
    [ACTIVITY_IDLE_IN_TRANSACTION] = "idle in transaction",
    [ACTIVITY_IDLE_IN_FAILED_TRANSACTION] = "idle in transaction (aborted)",
    [ACTIVITY_DISABLED] = "disabled",
};

/* ---- pg_stat_get_activity ---- */

enum {
    ACT_DATID,
    ACT_PID,
    ACT_USESYSID,
    ACT_APPLICATION_NAME,
    ACT_STATE,
    ACT_QUERY,
    ACT_WAIT_EVENT_TYPE,
    ACT_WAIT_EVENT,
    ACT_XACT_START,
    ACT_QUERY_START,
    ACT_BACKEND_START,
    ACT_STATE_CHANGE,
    ACT_CLIENT_ADDR,
    ACT_CLIENT_HOSTNAME,
    ACT_CLIENT_PORT,
    ACT_BACKEND_XID,
    ACT_BACKEND_XMIN,
    ACT_BACKEND_TYPE,
    ACT_SSL,
    ACT_SSLVERSION,
    ACT_SSLCIPHER,
    ACT_SSLBITS,
    ACT_SSL_CLIENT_DN,
    ACT_SSL_CLIENT_SERIAL,
    ACT_SSL_ISSUER_DN,
    ACT_GSS_AUTH,
    ACT_GSS_PRINC,
    ACT_GSS_ENC,
    ACT_LEADER_PID,
    ACT_QUERY_ID,
    ACT_COUNT,
};

typedef struct ActivityFill {
    ViewRows *rows;
    const LockInfoVec *locks; /* they tell transaction ids */
    int32_t only_process;     /* 0: all */
    bool has_failed;
} ActivityFill;

static void put_transaction_id(ActivityFill *fill, ViewRow row, int32_t process_id)
{
    for (size_t i = 0; i < fill->locks->length; i++) {
        const LockInfo *lock = &fill->locks->items[i];
        if (lock->granted && lock->process_id == process_id && lock->txn_id != 0)
            view_put_value(row, ACT_BACKEND_XID, (Value){.oid = (Oid)lock->txn_id});
    }
}

static void put_wait(ViewRow row, const Session *session)
{
    int event = WAIT_EVENT_NONE;

    if (session->task)
        event = atomic_load_explicit(&session->task->wait_event, memory_order_relaxed);
    else if (session->activity != ACTIVITY_ACTIVE)
        event = WAIT_EVENT_CLIENT_READ; /* idle: no coroutine, the descriptor is watched */
    if (event <= WAIT_EVENT_NONE || event >= WAIT_EVENT_COUNT)
        return;
    view_put_text(row, ACT_WAIT_EVENT_TYPE, str_from_c(wait_event_names[event].type));
    view_put_text(row, ACT_WAIT_EVENT, str_from_c(wait_event_names[event].name));
}

static bool put_details(ActivityFill *fill, ViewRow row, const Session *session)
{
    view_put_text(row, ACT_STATE, str_from_c(activity_names[session->activity]));
    view_put_text(row, ACT_QUERY, (Str){session->activity_query, session->activity_query_length});
    put_wait(row, session);
    if (session->activity != ACTIVITY_DISABLED)
        view_put_time(row, ACT_XACT_START,
                      atomic_load_explicit(&session->transaction_started_at, memory_order_relaxed));
    view_put_time(row, ACT_QUERY_START, session->query_start);
    view_put_time(row, ACT_BACKEND_START, session->connected_at);
    view_put_time(row, ACT_STATE_CHANGE, session->state_changed_at);
    put_transaction_id(fill, row, session->exec.backend_pid);
    view_put_text(row, ACT_BACKEND_TYPE, STR("client backend"));
    if (session->connection.is_local) {
        view_put_int32(row, ACT_CLIENT_PORT, -1);
        return true;
    }
    const struct sockaddr *address = (const struct sockaddr *)&session->connection.address;
    view_put_int32(row, ACT_CLIENT_PORT, address_port(address));
    return view_put_address(row, ACT_CLIENT_ADDR, address);
}

static bool put_session(ActivityFill *fill, const Session *session)
{
    const SessionIdentity *identity = &session->identity;
    ViewRow row = view_row_add(fill->rows);

    view_put_oid(row, ACT_DATID, identity->database);
    view_put_int32(row, ACT_PID, session->exec.backend_pid);
    view_put_oid(row, ACT_USESYSID, identity->user);
    view_put_text(row, ACT_APPLICATION_NAME,
                  (Str){identity->application_name, identity->application_name_length});
    view_put_bool(row, ACT_SSL, identity->is_tls);
    view_put_bool(row, ACT_GSS_AUTH, false);
    view_put_bool(row, ACT_GSS_ENC, false);
    if (identity->is_tls) {
        view_put_text(row, ACT_SSLVERSION, identity->tls_version);
        view_put_text(row, ACT_SSLCIPHER, identity->tls_cipher);
        view_put_int32(row, ACT_SSLBITS, identity->tls_bits);
    }
    return put_details(fill, row, session);
}

static void visit_session(void *context, Session *session)
{
    ActivityFill *fill = context;

    if (fill->has_failed || (fill->only_process && fill->only_process != session->exec.backend_pid))
        return;
    mutex_lock(&session->mutex);
    if (session->identity.database != OID_NONE)
        fill->has_failed = !put_session(fill, session);
    mutex_unlock(&session->mutex);
}

/* Only the session's own role, its members and pg_read_all_stats see more than that it is there. */
static void hide_details(CatalogSession *catalog, ViewRows *rows)
{
    if (role_is_superuser(catalog, catalog->current_user) ||
        role_is_member(catalog, catalog->current_user, ROLE_PG_READ_ALL_STATS))
        return;
    for (size_t i = 0; i < rows->rows.length; i++) {
        const ViewRow row = rows->rows.items[i];
        if (role_is_member(catalog, catalog->current_user, row.values[ACT_USESYSID].oid))
            continue;
        for (int c = ACT_STATE; c < ACT_COUNT; c++)
            row.nulls[c] = true;
        view_put_text(row, ACT_QUERY, STR("<insufficient privilege>"));
    }
}

static bool fill_activity(FunctionCall *call, const Value *args, const bool *nulls, ViewRows *rows)
{
    Session *session = view_session(call);
    LockInfoVec locks = {0};
    ActivityFill fill = {
        .rows = rows,
        .locks = &locks,
        .only_process = nulls[0] ? 0 : args[0].int32,
    };

    if (!nulls[0] && args[0].int32 == 0)
        return true;
    lock_snapshot(session->server->txn_manager, rows->arena, &locks);
    /* Names and rights are looked up afterwards: that may wait, which nobody may with a mutex. */
    server_each_session(session->server, visit_session, &fill);
    if (fill.has_failed)
        return false;
    hide_details(&session->exec.catalog, rows);
    return !error_is_set();
}
VIEW_FUNCTION(pg_stat_get_activity, ACT_COUNT, fill_activity)

/* ---- pg_lock_status ---- */

enum {
    LOCK_COL_TYPE,
    LOCK_COL_DATABASE,
    LOCK_COL_RELATION,
    LOCK_COL_PAGE,
    LOCK_COL_TUPLE,
    LOCK_COL_VIRTUALXID,
    LOCK_COL_TRANSACTIONID,
    LOCK_COL_CLASSID,
    LOCK_COL_OBJID,
    LOCK_COL_OBJSUBID,
    LOCK_COL_VIRTUALTRANSACTION,
    LOCK_COL_PID,
    LOCK_COL_MODE,
    LOCK_COL_GRANTED,
    LOCK_COL_FASTPATH,
    LOCK_COL_WAITSTART,
    LOCK_COL_COUNT,
};

static Str virtual_transaction(Arena *arena, const LockInfo *lock)
{
    return str_format(arena, "%lu/%lu", lock->virtual_id, lock->local_number);
}

static void put_lock_target(ViewRow row, const LockInfo *lock, Arena *arena)
{
    const bool is_row = str_equal(lock->lock_type, STR("tuple"));

    if (lock->txn_id != 0) {
        view_put_value(row, LOCK_COL_TRANSACTIONID, (Value){.oid = (Oid)lock->txn_id});
        return;
    }
    if (lock->local_number != 0 && str_equal(lock->lock_type, STR("virtualxid"))) {
        view_put_text(row, LOCK_COL_VIRTUALXID, virtual_transaction(arena, lock));
        return;
    }
    view_put_value(row, LOCK_COL_DATABASE, (Value){.oid = lock->database});
    if (lock->relation != OID_NONE)
        view_put_oid(row, LOCK_COL_RELATION, lock->relation);
    if (is_row) {
        view_put_int32(row, LOCK_COL_PAGE, (int32_t)(lock->row_id >> 16));
        view_put_int16(row, LOCK_COL_TUPLE, (int16_t)(lock->row_id & 0xffff));
    }
    if (lock->relation == OID_NONE) {
        view_put_value(row, LOCK_COL_CLASSID, (Value){.oid = lock->class_id});
        view_put_value(row, LOCK_COL_OBJID, (Value){.oid = lock->object_id});
        view_put_int16(row, LOCK_COL_OBJSUBID, lock->object_sub_id);
    }
}

static bool fill_locks(FunctionCall *call, const Value *args, const bool *nulls, ViewRows *rows)
{
    LockInfoVec locks = {0};

    lock_snapshot(view_session(call)->server->txn_manager, rows->arena, &locks);
    for (size_t i = 0; i < locks.length; i++) {
        const LockInfo *lock = &locks.items[i];
        ViewRow row = view_row_add(rows);
        view_put_text(row, LOCK_COL_TYPE, lock->lock_type);
        put_lock_target(row, lock, rows->arena);
        view_put_text(row, LOCK_COL_VIRTUALTRANSACTION, virtual_transaction(rows->arena, lock));
        view_put_int32(row, LOCK_COL_PID, lock->process_id);
        view_put_text(row, LOCK_COL_MODE, lock->mode);
        view_put_bool(row, LOCK_COL_GRANTED, lock->granted);
        view_put_bool(row, LOCK_COL_FASTPATH, lock->is_fast);
        view_put_time(row, LOCK_COL_WAITSTART, lock->wait_start);
    }
    return true;
}
VIEW_FUNCTION(pg_lock_status, LOCK_COL_COUNT, fill_locks)

FUNCTION(pg_blocking_pids)
{
    ProcessIdVec blockers = {0};

    lock_blockers(view_session(call)->server->txn_manager, args[0].int32, call->arena, &blockers);
    Value *values = ARENA_ARRAY(call->arena, Value, blockers.length + 1);
    for (size_t i = 0; i < blockers.length; i++)
        values[i].int32 = blockers.items[i];
    return array_from_values(call->arena, TYPE_INT4, values, (int)blockers.length, ret);
}

/* Serializable transactions that a deferrable one waits for: there are none. */
FUNCTION(pg_safe_snapshot_blocking_pids)
{
    return array_from_values(call->arena, TYPE_INT4, NULL, 0, ret);
}

/* ---- the server, the connection ---- */

FUNCTION(pg_postmaster_start_time)
{
    ret->int64 = view_session(call)->server->started_at - WALL_CLOCK_2000;
    return true;
}

FUNCTION(pg_conf_load_time)
{
    ret->int64 =
        atomic_load(&view_session(call)->server->configuration_loaded_at) - WALL_CLOCK_2000;
    return true;
}

static bool local_address(const Session *session, struct sockaddr_storage *ret_address)
{
    socklen_t length = sizeof(*ret_address);

    return !session->connection.is_local &&
           getsockname(transport_fd(session->connection.transport), (struct sockaddr *)ret_address,
                       &length) == 0;
}

FUNCTION(inet_client_addr)
{
    const Connection *connection = &view_session(call)->connection;

    *ret_null = connection->is_local;
    return *ret_null || inet_of_address(call->arena, (const struct sockaddr *)&connection->address,
                                        ret, ret_null);
}

FUNCTION(inet_client_port)
{
    const Connection *connection = &view_session(call)->connection;

    *ret_null = connection->is_local;
    if (!*ret_null)
        ret->int32 = address_port((const struct sockaddr *)&connection->address);
    return true;
}

FUNCTION(inet_server_addr)
{
    struct sockaddr_storage address;

    *ret_null = !local_address(view_session(call), &address);
    return *ret_null ||
           inet_of_address(call->arena, (const struct sockaddr *)&address, ret, ret_null);
}

FUNCTION(inet_server_port)
{
    struct sockaddr_storage address;

    *ret_null = !local_address(view_session(call), &address);
    if (!*ret_null)
        ret->int32 = address_port((const struct sockaddr *)&address);
    return true;
}

/* ---- backends one by one: numbers from 1 in the order of the list ---- */

typedef struct BackendWalk {
    int32_t process_ids[4096];
    int count;
} BackendWalk;

static void note_backend(void *context, Session *session)
{
    BackendWalk *walk = context;

    if (walk->count < (int)ARRAY_LENGTH(walk->process_ids))
        walk->process_ids[walk->count++] = session->exec.backend_pid;
}

static bool fill_backend_ids(FunctionCall *call, const Value *args, const bool *nulls,
                             ViewRows *rows)
{
    BackendWalk *walk = ARENA_NEW(rows->arena, BackendWalk);

    server_each_session(view_session(call)->server, note_backend, walk);
    for (int i = 0; i < walk->count; i++)
        view_put_int32(view_row_add(rows), 0, walk->process_ids[i]);
    return true;
}
VIEW_FUNCTION(pg_stat_get_backend_idset, 1, fill_backend_ids)

/* The row of one backend, whose number is its process id here; *ret_row is zero where it's gone. */
static bool backend_row(FunctionCall *call, const Value *args, ViewRow *ret_row)
{
    ViewRows rows = {.arena = call->arena, .column_count = ACT_COUNT};

    *ret_row = (ViewRow){0};
    TRY(fill_activity(call, args, &(bool){false}, &rows));
    if (rows.rows.length > 0)
        *ret_row = rows.rows.items[0];
    return true;
}

static bool backend_value(FunctionCall *call, const Value *args, int column, Value *ret,
                          bool *ret_null)
{
    ViewRow row;

    TRY(backend_row(call, args, &row));
    *ret_null = !row.values || row.nulls[column];
    if (!*ret_null)
        *ret = row.values[column];
    return true;
}

/* What it does, which says why where it isn't told: the backend is gone, or another's. */
static bool backend_text(FunctionCall *call, const Value *args, int column, Value *ret,
                         bool *ret_null)
{
    ViewRow row;

    TRY(backend_row(call, args, &row));
    if (!row.values) {
        ret->var = var_from_str(STR("<backend information not available>"));
    } else if (row.nulls[ACT_BACKEND_START]) {
        ret->var = var_from_str(STR("<insufficient privilege>"));
    } else {
        *ret_null = row.nulls[column];
        *ret = row.values[column];
    }
    return true;
}

#define BACKEND(symbol, column)                                                                    \
    FUNCTION(pg_stat_get_backend_##symbol)                                                         \
    {                                                                                              \
        return backend_value(call, args, column, ret, ret_null);                                   \
    }
#define BACKEND_TEXT(symbol, column)                                                               \
    FUNCTION(pg_stat_get_backend_##symbol)                                                         \
    {                                                                                              \
        return backend_text(call, args, column, ret, ret_null);                                    \
    }
BACKEND(pid, ACT_PID)
BACKEND(dbid, ACT_DATID)
BACKEND(userid, ACT_USESYSID)
BACKEND(start, ACT_BACKEND_START)
BACKEND(xact_start, ACT_XACT_START)
BACKEND(activity_start, ACT_QUERY_START)
BACKEND(client_addr, ACT_CLIENT_ADDR)
BACKEND(client_port, ACT_CLIENT_PORT)
BACKEND_TEXT(activity, ACT_QUERY)
BACKEND_TEXT(wait_event_type, ACT_WAIT_EVENT_TYPE)
BACKEND_TEXT(wait_event, ACT_WAIT_EVENT)

typedef struct BackendCount {
    Oid database;
    int count;
} BackendCount;

static void count_backend(void *context, Session *session)
{
    BackendCount *counted = context;

    mutex_lock(&session->mutex);
    counted->count += session->identity.database == counted->database;
    mutex_unlock(&session->mutex);
}

FUNCTION(pg_stat_get_db_numbackends)
{
    BackendCount counted = {.database = args[0].oid};

    if (counted.database != OID_NONE)
        server_each_session(view_session(call)->server, count_backend, &counted);
    ret->int32 = counted.count;
    return true;
}

/* ---- memory that sessions share ---- */

static void put_allocation(ViewRows *rows, const char *name, uint64_t bytes)
{
    const ViewRow row = view_row_add(rows);

    view_put_text(row, 0, str_from_c(name));
    view_put_int64(row, 2, (int64_t)bytes);
    view_put_int64(row, 3, (int64_t)bytes);
}

static bool fill_allocations(FunctionCall *call, const Value *args, const bool *nulls,
                             ViewRows *rows)
{
    TxnManager *manager = view_session(call)->server->txn_manager;
    StoreStatistics statistics;

    store_statistics(txn_manager_store(manager), &statistics);
    put_allocation(rows, "Buffer Blocks", (uint64_t)statistics.frame_count * PAGE_SIZE);
    put_allocation(rows, "Row Versions", txn_version_bytes(manager));
    put_allocation(rows, "Row Versions on Disk", txn_version_bytes_spilled(manager));
    return true;
}
VIEW_FUNCTION(pg_get_shmem_allocations, 4, fill_allocations)

/* ---- of what does not exist here ---- */

EMPTY_VIEW_FUNCTION(pg_stat_get_progress_info)
EMPTY_VIEW_FUNCTION(pg_stat_get_wal_senders)
EMPTY_VIEW_FUNCTION(pg_get_replication_slots)
EMPTY_VIEW_FUNCTION(pg_prepared_xact)
EMPTY_VIEW_FUNCTION(pg_show_replication_origin_status)
EMPTY_VIEW_FUNCTION(pg_stat_get_subscription)
EMPTY_VIEW_FUNCTION(pg_available_extensions)
EMPTY_VIEW_FUNCTION(pg_available_extension_versions)
EMPTY_VIEW_FUNCTION(pg_get_publication_tables)
EMPTY_VIEW_FUNCTION(pg_ident_file_mappings)
EMPTY_VIEW_FUNCTION(pg_stat_get_slru)

/* ---- snapshots ---- */

FUNCTION(pg_export_snapshot)
{
    Session *session = view_session(call);
    CatalogSession *catalog = &session->exec.catalog;
    Str name;

    if (session->savepoints.length > 1)
        FAIL(ERR_ACTIVE_SQL_TRANSACTION,
             .message = STR("cannot export a snapshot from a subtransaction"));
    TRY(txn_snapshot_export(catalog->txn, catalog->database_oid, &name));
    ret->var = var_from_str(str_copy(call->arena, name));
    return true;
}
