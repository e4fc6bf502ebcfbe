/*
 * Recovery: the log from the checkpoint's redo position, in order, blind.
 *
 * What the checkpoint already has is written again with the same outcome. Operations on trees or
 * databases that are not there are passed over: they are dropped later in the log, or were before
 * the image was taken. Fragments count when a commit record behind them names them; the log is
 * read ahead once, at the first fragment met, to know which do. Applying a fragment where it stands
 * is as good as at its commit: who wrote it held its rows locked from before to after.
 */
#include "base/os.h"
#include "txn/record.h"
#include "txn/txn_internal.h"

typedef struct Replay {
    TxnManager *manager;
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

static bool replay_tree_op(Replay *replay, Database *database, const Op *op)
{
    Tree *tree;

    if (op->code == OP_CREATE_TREE) {
        Layout *layout = NULL;
        if (op->kind == TREE_TABLE) {
            layout = layout_decode(replay->scratch, op->value);
            TRY(layout);
        }
        return tree_create(database, op->tree, op->kind, layout);
    }
    if (op->code == OP_DROP_TREE)
        return tree_drop(database, op->tree);
    if (op->tree == SEQUENCE_TREE && op->code == OP_PUT_PAIR)
        TRY(tree_create(database, op->tree, TREE_KEY_VALUE, NULL)); /* as sequence_create does */
    TRY(tree_find(database, op->tree, &tree));
    if (!tree)
        return true;
    switch (op->code) {
    case OP_PUT_ROW:
        return tree_put(tree, op->row_id, op->value, NULL);
    case OP_DELETE_ROW:
        return tree_delete(tree, op->row_id, NULL);
    case OP_PUT_ENTRY:
        return tree_index_insert(tree, op->key, NULL);
    case OP_DELETE_ENTRY:
        /* Nobody has a snapshot: no ghost is needed. */
        return tree_index_delete(tree, op->key, NULL);
    case OP_PUT_PAIR:
        return tree_kv_put(tree, op->key, op->value);
    case OP_DELETE_PAIR:
        return tree_kv_delete(tree, op->key);
    case OP_SET_LAYOUT: {
        Layout *layout = layout_decode(replay->scratch, op->value);
        TRY(layout);
        return tree_set_layout(database, op->tree, layout);
    }
    default:
        return true;
    }
}

static bool replay_record(void *context, Store *store, const WalRecord *record)
{
    Replay *replay = context;
    RecordReader reader;
    OpRead outcome;
    Op op;

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
            TRY(replay_tree_op(replay, database, &op));
    }
    return outcome == OP_READ_END;
}

static bool replay_finish(Replay *replay)
{
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
    replay.committed.arena = replay.arena;
    bool ok = store_recover(manager->store, replay_record, &replay) && replay_finish(&replay);
    arena_free(replay.scratch);
    arena_free(replay.arena);
    return ok;
}
