/*
 * Recovery: the log from the checkpoint's redo position, in order, blind.
 *
 * What the checkpoint already has is written again with the same outcome. Operations on trees or
 * databases that are not there are passed over: they are dropped later in the log, or were before
 * the image was taken. Fragments count when a commit record behind them names them; the log is
 * read ahead once, at the first fragment met, to know which do. Applying a fragment where it stands
 * is as good as at its commit: who wrote it held its rows locked from before to after. Rows,
 * entries and pairs are handed to redo workers; what makes, changes or drops a tree is done here
 * once they have caught up.
 *
 * A damaged page stops nothing: it is set aside, and what the log has for it is passed over. Its
 * reader gets XX001; the rest of the database is whole.
 */
#include "base/os.h"
#include "storage/faults.h"
#include "txn/record.h"
#include "txn/redo.h"
#include "txn/txn_internal.h"

#define REDO_WORKERS 4 /* more than a small machine's processors: some wait for pages */

typedef struct Replay {
    TxnManager *manager;
    RedoWorkers *workers;
    HashMap committed; /* fragment ids that a commit names */
    bool has_looked_ahead;
    VEC(DatabaseId) dropped;
    Arena *arena;   /* of the recovery */
    Arena *scratch; /* reset for each record */
} Replay;

/* Reads the rest of the log for the commits that name fragments. */
static bool look_ahead(Replay *replay, Store *store, const WalRecord *record)
{
    Str directory = path_join(replay->arena, store_path(store), STR("wal"));
    CLEANUP(wal_reader_closep) WalReader *reader = wal_reader_open(directory, record->start, 0);
    WalRecord next;
    WalReadOutcome outcome;

    TRY(reader);
    while ((outcome = wal_reader_next(reader, &next)) == WAL_READ_RECORD) {
        RecordReader commit;
        TRY(record_open(&commit, next.payload));
        if (commit.type == RECORD_COMMIT && commit.fragment_id != 0)
            hashmap_put(&replay->committed, commit.fragment_id, replay);
    }
    TRY(outcome);
    replay->has_looked_ahead = true;
    return true;
}

/* What concerns a whole tree: everything before it in the log is applied first. */
static bool replay_structure(Replay *replay, Database *database, const Op *op)
{
    Layout *layout = NULL;

    if (!FAULT(fault_no_redo_drain))
        TRY(redo_drain(replay->workers));
    if (op->code == OP_DROP_TREE)
        return tree_drop(database, op->tree);
    if (op->code == OP_SET_LAYOUT || op->kind == TREE_TABLE) {
        layout = layout_decode(replay->scratch, op->value);
        TRY(layout);
    }
    if (op->code == OP_CREATE_TREE)
        return tree_create(database, op->tree, op->kind, layout);
    Tree *tree;
    TRY(tree_find(database, op->tree, &tree));
    return !tree || tree_is_going(tree) || tree_set_layout(database, op->tree, layout);
}

static bool replay_tree_op(Replay *replay, Database *database, const Op *op)
{
    Tree *tree;

    if (op->code == OP_CREATE_TREE || op->code == OP_DROP_TREE || op->code == OP_SET_LAYOUT)
        return replay_structure(replay, database, op);
    TRY(tree_find(database, op->tree, &tree));
    if (!tree && op->tree == SEQUENCE_TREE && op->code == OP_PUT_PAIR) {
        TRY(tree_create(database, op->tree, TREE_KEY_VALUE, NULL)); /* as sequence_create does */
        TRY(tree_find(database, op->tree, &tree));
    }
    /* What a crash has left of a drop takes nothing: the log has that drop further on. */
    return !tree || tree_is_going(tree) || redo_put(replay->workers, tree, op);
}

static bool replay_record(void *context, Store *store, const WalRecord *record)
{
    Replay *replay = context;
    RecordReader reader;
    OpRead outcome;
    Op op;

    if (!record)
        return redo_drain(replay->workers);
    TRY(record_open(&reader, record->payload));
    if (reader.type == RECORD_FRAGMENT) {
        if (!replay->has_looked_ahead)
            TRY(look_ahead(replay, store, record));
        if (!hashmap_get(&replay->committed, reader.fragment_id))
            return true;
    }
    arena_reset(replay->scratch);
    while ((outcome = record_next(&reader, &op)) == OP_READ) {
        if (op.code == OP_DROP_DATABASE) {
            VEC_PUSH(replay->arena, &replay->dropped, op.database);
            continue;
        }
        Database *database = store_database(store, op.database);
        if (database)
            TRY(replay_tree_op(replay, database, &op) || store_pass_over(store));
    }
    return outcome == OP_READ_END;
}

static bool close_trees(void *context, Database *database)
{
    (void)context;
    tree_close_all(database);
    return true;
}

static bool replay_finish(Replay *replay)
{
    Store *store = replay->manager->store;

    /* Handles know what damage kept from the directory; opened again, they meet it. */
    if (store_recovery(store).damaged_pages > 0 || store_recovery(store).lost_changes > 0)
        store_databases(store, close_trees, NULL);
    for (size_t i = 0; i < replay->dropped.length; i++) {
        DatabaseId id = replay->dropped.items[i];
        if (store_database(replay->manager->store, id))
            TRY(database_drop(replay->manager->store, id));
    }
    return true;
}

bool replay_run(TxnManager *manager)
{
    Replay replay = {.manager = manager,
                     .arena = arena_new("recovery"),
                     .scratch = arena_new("recovery record")};
    const uint32_t threads = manager->config.recovery_threads;
    replay.committed.arena = replay.arena;
    replay.workers = redo_workers_new(manager->store, threads == 0   ? REDO_WORKERS
                                                      : threads == 1 ? 0
                                                                     : threads);
    bool ok = store_recover(manager->store, replay_record, &replay);
    redo_workers_free(replay.workers);
    ok = ok && replay_finish(&replay);
    arena_free(replay.scratch);
    arena_free(replay.arena);
    return ok;
}
