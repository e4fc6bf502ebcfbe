#include "txn/export.h"

#include "txn/txn_internal.h"

struct ExportedSnapshot {
    ExportedSnapshot *next;
    Txn *owner;
    DatabaseId database;
    Snapshot snapshot; /* the owner keeps it published */
    uint64_t schema;   /* txn->snapshot_schema of it */
    Str name;
};

static uint32_t count_of(const TxnManager *manager, const Txn *txn)
    REQUIRES(manager->sessions_mutex)
{
    uint32_t count = 0;

    for (const ExportedSnapshot *item = manager->exported; item; item = item->next)
        count += item->owner == txn;
    return count;
}

bool txn_snapshot_export(Txn *txn, DatabaseId database, Str *ret_name)
{
    TxnManager *manager = txn->manager;
    TxnSession *session = txn->session;
    ExportedSnapshot *exported = ARENA_NEW(txn->arena, ExportedSnapshot);

    TRY(snapshot_check(txn));
    txn_snapshot_pin(txn, &txn->snapshot);
    *exported = (ExportedSnapshot){.owner = txn,
                                   .database = database,
                                   .snapshot = txn->snapshot,
                                   .schema = txn->snapshot_schema};
    const uint64_t number = atomic_load_explicit(&session->local_number, memory_order_relaxed);
    mutex_lock(&manager->sessions_mutex);
    exported->name = str_format(txn->arena, "%08X-%08X-%u", (unsigned)session->process_id,
                                (unsigned)number, count_of(manager, txn) + 1);
    exported->next = manager->exported;
    manager->exported = exported;
    txn->has_exported = true;
    mutex_unlock(&manager->sessions_mutex);
    *ret_name = exported->name;
    return true;
}

void exported_snapshots_forget(Txn *txn)
{
    TxnManager *manager = txn->manager;

    mutex_lock(&manager->sessions_mutex);
    for (ExportedSnapshot **link = &manager->exported; *link;) {
        if ((*link)->owner == txn)
            *link = (*link)->next;
        else
            link = &(*link)->next;
    }
    mutex_unlock(&manager->sessions_mutex);
    txn->has_exported = false;
}

/* Does its owner keep the versions that it needs? What is given up is given up under the mutex. */
static bool is_kept(const ExportedSnapshot *exported)
    REQUIRES(exported->owner->manager->sessions_mutex)
{
    const TxnSession *owner = exported->owner->session;
    const Lsn floor = snapshot_floor(&exported->snapshot);

    return atomic_load(&owner->snapshot_use) != SNAPSHOT_GIVEN_UP &&
           atomic_load(&owner->snapshot_low) <= floor &&
           atomic_load(&owner->snapshot_too_old) < floor;
}

/*
 * Takes the snapshot over and publishes it. Reclaiming looks at all sessions at once under the same
 * mutex (snapshots_collect): at each of its looks the snapshot is its owner's, or both have it.
 */
static bool take_over(Txn *txn, const ExportedSnapshot *exported)
    REQUIRES(txn->manager->sessions_mutex)
{
    if (!is_kept(exported))
        FAIL(ERR_SNAPSHOT_TOO_OLD, .message = STR("snapshot too old"));
    txn->snapshot = snapshot_with_command(&exported->snapshot, txn->command);
    txn->snapshot_schema = exported->schema;
    txn->latest_floor = LSN_MAX;
    txn->has_snapshot = true;
    reader_list(txn->session);
    snapshot_publish(txn);
    return true;
}

static const ExportedSnapshot *find(const TxnManager *manager, Str name)
    REQUIRES(manager->sessions_mutex)
{
    const ExportedSnapshot *item = manager->exported;

    while (item && !str_equal(item->name, name))
        item = item->next;
    return item;
}

static bool import(Txn *txn, DatabaseId database, Str name) REQUIRES(txn->manager->sessions_mutex)
{
    const ExportedSnapshot *exported = find(txn->manager, name);

    if (!exported)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("invalid snapshot identifier: \"%.*s\"", STR_ARGS(name)));
    if (exported->database != database)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("cannot import a snapshot from a different database"));
    return take_over(txn, exported);
}

bool txn_snapshot_import(Txn *txn, DatabaseId database, Str name)
{
    TxnManager *manager = txn->manager;

    if (txn_isolation(txn) < ISOLATION_REPEATABLE_READ)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("a snapshot-importing transaction must have isolation level "
                            "SERIALIZABLE or REPEATABLE READ"));
    mutex_lock(&manager->sessions_mutex);
    const bool ok = import(txn, database, name);
    mutex_unlock(&manager->sessions_mutex);
    if (ok && txn->session->synchronous == COMMIT_DURABLE &&
        txn->snapshot.lsn > wal_flushed(manager->wal))
        txn_saw(txn, txn->snapshot.lsn);
    return ok;
}
