/* Sequences: values given from memory, logged 32 ahead. */
#include "txn/sequence.h"
#include "storage/tree_cursor.h"

#include <stdlib.h>

#include "base/memory.h"
#include "txn/txn_internal.h"

#define LOG_AHEAD 32

typedef struct Sequence {
    Mutex mutex;
    DatabaseId database;
    TreeId id;
    bool is_loaded GUARDED_BY(mutex);
    bool is_busy GUARDED_BY(mutex);        /* somebody is reading or logging its state */
    SequenceState state GUARDED_BY(mutex); /* log_count: values still covered by the log */
} Sequence;

struct SequenceTable {
    Mutex mutex;
    HashMap sequences GUARDED_BY(mutex);
};

/* What the tree holds. */
typedef struct SequenceRecord {
    int64_t last_value;
    int64_t is_called;
} SequenceRecord;

SequenceTable *sequence_table_new(void)
{
    SequenceTable *table = memory_must_calloc(1, sizeof(*table));
    mutex_init(&table->mutex, RANK_TXN_MANAGER);
    return table;
}

void sequence_table_free(SequenceTable *table)
{
    size_t position = 0;
    uint64_t key;
    void *sequence;

    if (!table)
        return;
    while (hashmap_next(&table->sequences, &position, &key, &sequence))
        memory_free(sequence);
    hashmap_deinit(&table->sequences);
    memory_free(table);
}

static Sequence *sequence_find(TxnManager *manager, DatabaseId database, TreeId id)
{
    SequenceTable *table = manager->sequences;
    TreeName name = tree_name(database, id);

    mutex_lock(&table->mutex);
    Sequence *sequence = hashmap_get(&table->sequences, name);
    if (!sequence) {
        sequence = memory_must_calloc(1, sizeof(*sequence));
        mutex_init(&sequence->mutex, RANK_LEAF);
        sequence->database = database;
        sequence->id = id;
        hashmap_put(&table->sequences, name, sequence);
    }
    mutex_unlock(&table->mutex);
    return sequence;
}

static Str sequence_key(uint32_t *buffer, TreeId id)
{
    *buffer = __builtin_bswap32(id);
    return str_make(buffer, sizeof(*buffer));
}

static bool record_decode(Str value, TreeId id, SequenceRecord *ret)
{
    if (value.length != sizeof(*ret))
        FAIL(ERR_DATA_CORRUPTED, .message = fmt("the state of sequence %u is damaged", id));
    memcpy(ret, value.data, sizeof(*ret));
    return true;
}

/* The database's sequence tree; made at the first sequence. Redo makes it likewise. */
static bool open_tree(Txn *txn, DatabaseId database, TxnTree **ret_tree)
{
    Database *home = store_database(txn->manager->store, database);
    if (!home)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("database %u does not exist", database));
    TRY(tree_create(home, SEQUENCE_TREE, TREE_KEY_VALUE, NULL));
    return txn_tree_open(txn, database, SEQUENCE_TREE, ret_tree);
}

static bool put_record(Txn *txn, DatabaseId database, TreeId id, int64_t last_value, bool is_called)
{
    SequenceRecord record = {.last_value = last_value, .is_called = is_called};
    uint32_t buffer;
    TxnTree *tree;

    TRY(open_tree(txn, database, &tree));
    bool ok = txn_put(txn, tree, sequence_key(&buffer, id), str_make(&record, sizeof(record)));
    txn_tree_close(tree);
    return ok;
}

bool sequence_create(Txn *txn, DatabaseId database, TreeId id, int64_t start)
{
    return put_record(txn, database, id, start, false);
}

bool sequence_create_state(Txn *txn, DatabaseId database, TreeId id, int64_t last_value,
                           bool is_called)
{
    return put_record(txn, database, id, last_value, is_called);
}

bool sequence_drop(Txn *txn, DatabaseId database, TreeId id)
{
    uint32_t buffer;
    TxnTree *tree;

    TRY(open_tree(txn, database, &tree));
    bool ok = txn_remove(txn, tree, sequence_key(&buffer, id));
    txn_tree_close(tree);
    return ok;
}

/* The state of a sequence that this transaction made; false: it is everybody's. */
static bool own_state(Txn *txn, DatabaseId database, TreeId id, SequenceRecord *ret)
{
    uint32_t buffer;
    Str key = sequence_key(&buffer, id);

    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following) {
        if (writes->tree->name != tree_name(database, SEQUENCE_TREE))
            continue;
        const WriteNode *node = writes_get(writes, 0, key);
        const WriteEntry *entry = node ? node->head : NULL;
        if (!entry || entry->op != WRITE_PUT || !entry->image)
            return false;
        memcpy(ret, entry->image, sizeof(*ret));
        return true;
    }
    return false;
}

/* Waits until nobody else is busy with it; then this task is, and the mutex is free. */
static bool sequence_occupy(Txn *txn, Sequence *sequence)
{
    for (;;) {
        mutex_lock(&sequence->mutex);
        if (!sequence->is_busy)
            break;
        mutex_unlock(&sequence->mutex);
        CHECK_INTERRUPTS();
        task_yield();
    }
    sequence->is_busy = true;
    bool is_loaded = sequence->is_loaded;
    mutex_unlock(&sequence->mutex);
    if (is_loaded)
        return true;

    SequenceRecord record = {0};
    uint32_t buffer;
    TxnTree *tree;
    Str value;
    bool ok = open_tree(txn, sequence->database, &tree);
    if (ok) {
        Snapshot latest = {.lsn = LSN_MAX};
        FetchOutcome found =
            txn_get(txn, &latest, tree, sequence_key(&buffer, sequence->id), txn->arena, &value);
        ok = found == FETCH_ROW && record_decode(value, sequence->id, &record);
        if (found == FETCH_NONE)
            ERROR_SET(ERR_INTERNAL_ERROR,
                      .message = fmt("sequence %u does not exist", sequence->id));
        txn_tree_close(tree);
    }
    mutex_lock(&sequence->mutex);
    if (ok) {
        sequence->is_loaded = true;
        sequence->state =
            (SequenceState){.last_value = record.last_value, .is_called = record.is_called != 0};
    } else {
        sequence->is_busy = false;
    }
    mutex_unlock(&sequence->mutex);
    return ok;
}

static void sequence_leave(Sequence *sequence)
{
    mutex_lock(&sequence->mutex);
    sequence->is_busy = false;
    mutex_unlock(&sequence->mutex);
}

static bool log_state(Txn *txn, const Sequence *sequence, int64_t last_value, bool is_called)
{
    SequenceRecord record = {.last_value = last_value, .is_called = is_called};
    uint32_t buffer;
    Lsn end;

    TRY(commit_autonomous(txn->manager, sequence->database, SEQUENCE_TREE,
                          sequence_key(&buffer, sequence->id), str_make(&record, sizeof(record)),
                          &end));
    txn_saw(txn, end);
    return true;
}

/* The value after the state; false with 2200H at the end of what the definition allows. */
static bool value_after(const SequenceState *state, const SequenceDefinition *definition, Str name,
                        int64_t *ret_value)
{
    int64_t next;

    if (!state->is_called) {
        *ret_value = state->last_value;
        return true;
    }
    bool overflows = __builtin_add_overflow(state->last_value, definition->increment, &next);
    if (definition->increment > 0 && (overflows || next > definition->maximum)) {
        if (!definition->cycle)
            FAIL(ERR_SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
                 .message = fmt("nextval: reached maximum value of sequence \"%.*s\" (%lld)",
                                STR_ARGS(name), (long long)definition->maximum));
        next = definition->minimum;
    } else if (definition->increment < 0 && (overflows || next < definition->minimum)) {
        if (!definition->cycle)
            FAIL(ERR_SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
                 .message = fmt("nextval: reached minimum value of sequence \"%.*s\" (%lld)",
                                STR_ARGS(name), (long long)definition->minimum));
        next = definition->maximum;
    }
    *ret_value = next;
    return true;
}

/* Up to LOG_AHEAD values on from `value`, as far as they go without wrapping. */
static int64_t values_ahead(const SequenceDefinition *definition, int64_t value, int64_t *ret_last)
{
    int64_t ahead = 0, next;

    while (ahead < LOG_AHEAD && !__builtin_add_overflow(value, definition->increment, &next) &&
           next <= definition->maximum && next >= definition->minimum) {
        value = next;
        ahead++;
    }
    *ret_last = value;
    return ahead;
}

static bool next_shared(Txn *txn, Sequence *sequence, const SequenceDefinition *definition,
                        Str name, int64_t *ret_value)
{
    /* Nobody else changes the state while this task is busy with it. */
    SequenceState state = sequence->state;
    int64_t value, last;

    TRY(value_after(&state, definition, name, &value));
    if (state.log_count > 0) {
        state.log_count--;
    } else {
        state.log_count = values_ahead(definition, value, &last);
        TRY(log_state(txn, sequence, last, true));
    }
    state.last_value = value;
    state.is_called = true;
    mutex_lock(&sequence->mutex);
    sequence->state = state;
    mutex_unlock(&sequence->mutex);
    *ret_value = value;
    return true;
}

/* The common case: the value is logged already. */
static bool next_quick(Sequence *sequence, const SequenceDefinition *definition, int64_t *ret_value)
{
    bool done = false;

    mutex_lock(&sequence->mutex);
    SequenceState *state = &sequence->state;
    int64_t next;
    if (sequence->is_loaded && !sequence->is_busy && state->is_called && state->log_count > 0 &&
        !__builtin_add_overflow(state->last_value, definition->increment, &next) &&
        next <= definition->maximum && next >= definition->minimum) {
        state->last_value = next;
        state->log_count--;
        *ret_value = next;
        done = true;
    }
    mutex_unlock(&sequence->mutex);
    return done;
}

bool sequence_next(Txn *txn, DatabaseId database, TreeId id, const SequenceDefinition *definition,
                   Str name, int64_t *ret_value)
{
    SequenceRecord own;

    if (txn->writes.trees && own_state(txn, database, id, &own)) {
        SequenceState state = {.last_value = own.last_value, .is_called = own.is_called != 0};
        TRY(value_after(&state, definition, name, ret_value));
        return put_record(txn, database, id, *ret_value, true);
    }
    Sequence *sequence = sequence_find(txn->manager, database, id);
    if (next_quick(sequence, definition, ret_value))
        return true;
    TRY(sequence_occupy(txn, sequence));
    bool ok = next_shared(txn, sequence, definition, name, ret_value);
    sequence_leave(sequence);
    return ok;
}

/* Logs the value it stands at where the log is ahead of it. */
static bool settle(Txn *txn, Sequence *sequence)
{
    TRY(sequence_occupy(txn, sequence));
    SequenceState state = sequence->state;
    const bool ok =
        state.log_count == 0 || log_state(txn, sequence, state.last_value, state.is_called);
    if (ok)
        state.log_count = 0;
    mutex_lock(&sequence->mutex);
    sequence->state = state;
    sequence->is_busy = false;
    mutex_unlock(&sequence->mutex);
    return ok;
}

bool sequences_settle(Txn *txn, DatabaseId database)
{
    SequenceTable *table = txn->manager->sequences;
    VEC(Sequence *) found = {0};
    size_t position = 0;
    uint64_t key;
    void *each;

    mutex_lock(&table->mutex);
    while (hashmap_next(&table->sequences, &position, &key, &each)) {
        Sequence *sequence = each;
        if (sequence->database == database)
            VEC_PUSH(txn->arena, &found, sequence);
    }
    mutex_unlock(&table->mutex);
    for (size_t i = 0; i < found.length; i++) {
        Sequence *sequence = found.items[i];
        mutex_lock(&sequence->mutex);
        const bool is_ahead = sequence->is_loaded && sequence->state.log_count > 0;
        mutex_unlock(&sequence->mutex);
        if (is_ahead)
            TRY(settle(txn, sequence));
    }
    return true;
}

bool sequence_set(Txn *txn, DatabaseId database, TreeId id, int64_t value, bool is_called)
{
    SequenceRecord own;

    if (own_state(txn, database, id, &own))
        return put_record(txn, database, id, value, is_called);
    Sequence *sequence = sequence_find(txn->manager, database, id);
    TRY(sequence_occupy(txn, sequence));
    bool ok = log_state(txn, sequence, value, is_called);
    mutex_lock(&sequence->mutex);
    if (ok)
        sequence->state = (SequenceState){.last_value = value, .is_called = is_called};
    sequence->is_busy = false;
    mutex_unlock(&sequence->mutex);
    return ok;
}

bool sequence_read(Txn *txn, DatabaseId database, TreeId id, SequenceState *ret_state)
{
    SequenceRecord own;

    if (own_state(txn, database, id, &own)) {
        *ret_state = (SequenceState){.last_value = own.last_value, .is_called = own.is_called != 0};
        return true;
    }
    Sequence *sequence = sequence_find(txn->manager, database, id);
    TRY(sequence_occupy(txn, sequence));
    *ret_state = sequence->state;
    sequence_leave(sequence);
    return true;
}

void sequence_settle(TxnManager *manager)
{
    SequenceTable *table = manager->sequences;
    size_t position = 0;
    uint64_t name;
    void *value;

    while (hashmap_next(&table->sequences, &position, &name, &value)) {
        const Sequence *sequence = value;
        Database *home = store_database(manager->store, sequence->database);
        uint32_t buffer;
        Str key = sequence_key(&buffer, sequence->id), old;
        Lsn end;
        if (!sequence->is_loaded || sequence->state.log_count == 0 || !home)
            continue;
        Arena *scratch = arena_new("sequence");
        Tree *tree;
        SequenceRecord record = {.last_value = sequence->state.last_value,
                                 .is_called = sequence->state.is_called};
        bool exists = tree_find(home, SEQUENCE_TREE, &tree) && tree &&
                      tree_kv_get(tree, key, scratch, &old) == TREE_FOUND;
        if (!exists || !commit_autonomous(manager, sequence->database, SEQUENCE_TREE, key,
                                          str_make(&record, sizeof(record)), &end))
            error_clear(); /* it goes on with a gap, as after a crash */
        arena_free(scratch);
    }
}

/* -------- Verification -------- */

static StoredSequence stored_sequence(Str key, Str value)
{
    StoredSequence stored = {0};
    SequenceRecord record;
    uint32_t id = 0;

    memcpy(&id, key.data, MIN(key.length, sizeof(id)));
    stored.id = __builtin_bswap32(id);
    if (key.length != sizeof(id) || value.length != sizeof(record))
        return stored;
    memcpy(&record, value.data, sizeof(record));
    stored.is_sound = record.is_called == 0 || record.is_called == 1;
    stored.last_value = record.last_value;
    stored.is_called = record.is_called != 0;
    return stored;
}

bool sequence_list(TxnManager *manager, DatabaseId database, StoredSequenceCallback *callback,
                   void *context)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("sequences");
    Database *home = store_database(manager->store, database);
    TreeCursor cursor;
    Tree *tree = NULL;

    TRY(!home || tree_find(home, SEQUENCE_TREE, &tree));
    if (!tree)
        return true;
    tree_cursor_init(&cursor, tree, TREE_FORWARD);
    bool ok = tree_cursor_seek(&cursor, STR(""), SEEK_AT);
    while (ok && tree_cursor_valid(&cursor)) {
        Str value;
        ok = tree_cursor_value(&cursor, arena, &value);
        if (ok) {
            const StoredSequence stored = stored_sequence(tree_cursor_key(&cursor), value);
            ok = callback(context, &stored) && tree_cursor_advance(&cursor);
        }
    }
    tree_cursor_deinit(&cursor);
    return ok;
}
