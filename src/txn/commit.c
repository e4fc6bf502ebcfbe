/*
 * Commit: encode, take a place in the log, apply, let go.
 *
 * Until wal_append everything may fail and nothing has happened. From there to the end of the
 * apply nothing fails (T4): what could, has been asked before, and an I/O error ends the process;
 * recovery does the rest from the record.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/os.h"
#include "storage/tree_ready.h"
#include "txn/record.h"
#include "txn/txn_internal.h"

#define FRAGMENT_SIZE (1u << 20) /* bytes of operations in one fragment */

/* ------------------------------------------------------------------ the order of commits */

/* Takes a place in the log; until commit_done, checkpoints keep the log from `start` on. */
static uint64_t commit_reserve(TxnManager *manager, uint32_t admitted, uint32_t length,
                               WalSlot *ret_slot)
{
    uint32_t rounds = 0;

    mutex_lock(&manager->commit_mutex);
    while (manager->ring_next - manager->ring_first == COMMIT_RING_SIZE) {
        mutex_unlock(&manager->commit_mutex);
        spin_pause(&rounds);
        mutex_lock(&manager->commit_mutex);
    }
    uint64_t place = manager->ring_next++;
    CommitInFlight *commit = &manager->ring[place % COMMIT_RING_SIZE];
    commit->start = wal_reserved_end(manager->wal);
    commit->is_applied = false;
    wal_append(manager->wal, admitted, length, ret_slot);
    commit->end = ret_slot->end;
    mutex_unlock(&manager->commit_mutex);
    return place;
}

static void commit_done(TxnManager *manager, uint64_t place)
{
    mutex_lock(&manager->commit_mutex);
    manager->ring[place % COMMIT_RING_SIZE].is_applied = true;
    Lsn applied = 0;
    while (manager->ring_first < manager->ring_next &&
           manager->ring[manager->ring_first % COMMIT_RING_SIZE].is_applied)
        applied = manager->ring[manager->ring_first++ % COMMIT_RING_SIZE].end;
    if (applied != 0)
        atomic_store(&manager->applied_lsn, applied);
    mutex_unlock(&manager->commit_mutex);
}

Lsn commit_redo_floor(void *context)
{
    TxnManager *manager = context;
    Lsn floor = LSN_MAX;

    mutex_lock(&manager->sessions_mutex);
    for (TxnSession *session = manager->sessions; session; session = session->next)
        floor = MIN(floor, atomic_load(&session->fragment_lsn));
    mutex_unlock(&manager->sessions_mutex);
    mutex_lock(&manager->commit_mutex);
    if (manager->ring_first < manager->ring_next)
        floor = MIN(floor, manager->ring[manager->ring_first % COMMIT_RING_SIZE].start);
    mutex_unlock(&manager->commit_mutex);
    return floor;
}

/* ------------------------------------------------------------------ hooks */

static Lsn slot_get(void *const *slot)
{
    return (Lsn)(uintptr_t)*slot;
}

static void slot_raise(void **slot, Lsn lsn)
{
    if (slot_get(slot) < lsn)
        *slot = (void *)(uintptr_t)lsn;
}

static void hook_split(void *context, Tree *tree, void **from, void **to, uint64_t first_row_id)
{
    slot_raise(to, slot_get(from));
}

static void hook_merged(void *context, Tree *tree, void **from, void **to)
{
    slot_raise(to, slot_get(from));
    *from = NULL;
}

static void hook_discarded(void *context, Tree *tree, void **versions)
{
    *versions = NULL;
}

static bool hook_may_purge(void *context, Tree *tree, void **versions)
{
    TxnManager *manager = context;
    return slot_get(versions) <= atomic_load(&manager->horizon);
}

static const TreeHooks hooks = {
    .leaf_split = hook_split,
    .leaf_merged = hook_merged,
    .leaf_discarded = hook_discarded,
    .may_purge_ghosts = hook_may_purge,
};

void commit_hooks_install(TxnManager *manager)
{
    tree_set_hooks(&hooks, manager);
}

/* ------------------------------------------------------------------ fragments */

static bool fragment_write(Txn *txn, Str ops)
{
    TxnManager *manager = txn->manager;
    TxnSession *session = txn->session;
    StrBuf header = {0};

    if (txn->fragment_id == 0)
        txn->fragment_id = atomic_fetch_add(&manager->fragment_id, 1);
    strbuf_append_char(&header, RECORD_FRAGMENT);
    record_put_varint(&header, txn->fragment_id);
    uint32_t length = (uint32_t)(header.length + ops.length);
    bool admitted = wal_admit(manager->wal, length);
    if (admitted) {
        if (atomic_load(&session->fragment_lsn) == LSN_MAX)
            atomic_store(&session->fragment_lsn, wal_reserved_end(manager->wal));
        WalSlot slot;
        wal_append(manager->wal, length, length, &slot);
        wal_fill(manager->wal, &slot, (Str[]){strbuf_view(&header), ops}, 2);
    }
    strbuf_deinit(&header);
    return admitted;
}

bool commit_write_fragment(Txn *txn, Str ops)
{
    return fragment_write(txn, ops);
}

/* ------------------------------------------------------------------ encoding */

typedef struct Encoder {
    Txn *txn;
    StrBuf *buf;
    TreeName tree;
    uint64_t put_bytes, overflow_pages; /* what the apply adds to the trees, at most */
} Encoder;

#define PUT_OVERHEAD 32    /* bytes of a page that an operation needs beside key and value */
#define INLINE_LEAST 2048u /* a shorter value is never on pages of its own */

static void count_growth(Encoder *encoder, const Op *op)
{
    if (op->code != OP_PUT_ROW && op->code != OP_PUT_ENTRY && op->code != OP_PUT_PAIR &&
        op->code != OP_CREATE_TREE)
        return;
    if (op->value.length < INLINE_LEAST)
        encoder->put_bytes += op->value.length;
    else
        encoder->overflow_pages += op->value.length / (PAGE_SIZE / 2) + 1;
    encoder->put_bytes += op->key.length + PUT_OVERHEAD;
}

/* Pages that splits leave half full, and a few on the way to the root. */
static uint64_t growth_pages(const Encoder *encoder)
{
    return encoder->overflow_pages + encoder->put_bytes * 5 / (2 * PAGE_SIZE) + 4;
}

static bool encode_op(Encoder *encoder, const Op *op)
{
    count_growth(encoder, op);
    record_put_op(encoder->buf, &encoder->tree, op);
    if (encoder->buf->length < FRAGMENT_SIZE)
        return true;
    CHECK_INTERRUPTS();
    TRY(fragment_write(encoder->txn, strbuf_view(encoder->buf)));
    strbuf_truncate(encoder->buf, 0);
    encoder->tree = 0;
    return true;
}

/* A row inserted and deleted by the same transaction has never been. */
static bool node_is_void(const WriteNode *node)
{
    const WriteEntry *oldest = node->head;
    if (!oldest)
        return true;
    if (oldest->op != WRITE_DELETE)
        return false;
    while (oldest->older)
        oldest = oldest->older;
    return oldest->fresh;
}

static Op node_op(const TxnTree *tree, const WriteNode *node)
{
    static const OpCode puts[] = {
        [TREE_TABLE] = OP_PUT_ROW, [TREE_INDEX] = OP_PUT_ENTRY, [TREE_KEY_VALUE] = OP_PUT_PAIR};
    static const OpCode deletes[] = {[TREE_TABLE] = OP_DELETE_ROW,
                                     [TREE_INDEX] = OP_DELETE_ENTRY,
                                     [TREE_KEY_VALUE] = OP_DELETE_PAIR};
    return (Op){.code = node->head->op == WRITE_PUT ? puts[tree->kind] : deletes[tree->kind],
                .database = tree->database,
                .tree = tree->id,
                .row_id = node->row_id,
                .key = node->key};
}

static bool encode_writes(Encoder *encoder)
{
    Txn *txn = encoder->txn;
    Arena *scratch = NULL;
    bool ok = true;

    for (TreeWrites *writes = txn->writes.trees; writes && ok; writes = writes->following) {
        for (WriteNode *node = writes->first->next[0]; node && ok; node = node->next[0]) {
            if (node_is_void(node))
                continue;
            Op op = node_op(writes->tree, node);
            if (node->head->position != 0 && !scratch)
                scratch = arena_new("spilled row");
            ok = write_image(txn, node->head, scratch, &op.value) && encode_op(encoder, &op);
            if (scratch)
                arena_reset(scratch);
        }
    }
    arena_free(scratch);
    return ok;
}

static bool encode_ddl(Encoder *encoder)
{
    Txn *txn = encoder->txn;

    for (size_t i = 0; i < txn->ddl.length; i++) {
        const DdlOp *ddl = &txn->ddl.items[i];
        Op op = {.database = ddl->database};
        if (ddl->tree)
            op.tree = ddl->tree->id;
        switch (ddl->kind) {
        case DDL_CREATE_TREE:
            assert(ddl->tree);
            op.code = OP_CREATE_TREE;
            op.kind = ddl->tree->kind;
            if (ddl->layout)
                op.value = layout_encode(txn->arena, ddl->layout);
            break;
        case DDL_SET_LAYOUT:
            op.code = OP_SET_LAYOUT;
            op.value = layout_encode(txn->arena, ddl->layout);
            break;
        case DDL_DROP_TREE:
        case DDL_DROP_DATABASE:
        case DDL_BULK:
        case DDL_CREATE_DATABASE:
            continue;
        }
        TRY(encode_op(encoder, &op));
    }
    return true;
}

/* Last of all: what was written into a tree that is dropped goes with it. */
static bool encode_drops(Encoder *encoder)
{
    Txn *txn = encoder->txn;

    for (size_t i = 0; i < txn->ddl.length; i++) {
        const DdlOp *ddl = &txn->ddl.items[i];
        if (ddl->kind != DDL_DROP_TREE && ddl->kind != DDL_DROP_DATABASE)
            continue;
        Op op = {.code = ddl->kind == DDL_DROP_TREE ? OP_DROP_TREE : OP_DROP_DATABASE,
                 .database = ddl->database,
                 .tree = ddl->tree ? ddl->tree->id : 0};
        TRY(encode_op(encoder, &op));
    }
    return true;
}

/* ------------------------------------------------------------------ what will be touched */

/* A row that is changed has been read by whoever locked it; what it becomes is all there. */
static bool ready_node(Tree *tree, const WriteNode *node, TreeReady *ready)
{
    if (tree_kind(tree) == TREE_KEY_VALUE)
        return tree_ready_key(tree, node->key, ready);
    if (node->head->op == WRITE_DELETE)
        return tree_ready_old_row(tree, node->row_id);
    return !node->head->fresh || tree_ready_row(tree, node->row_id, ready);
}

static bool ready_writes(const Txn *txn)
{
    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following) {
        Tree *tree = atomic_load(&writes->tree->tree);
        if (!tree || writes->tree->kind == TREE_INDEX)
            continue; /* made by this transaction; the leaf of an entry is read when it's written */
        TreeReady ready = {0};
        for (WriteNode *node = writes->first->next[0]; node; node = node->next[0]) {
            if (node_is_void(node))
                continue;
            CHECK_INTERRUPTS();
            TRY(ready_node(tree, node, &ready));
        }
    }
    return true;
}

static bool ready_ddl(const Txn *txn)
{
    for (size_t i = 0; i < txn->ddl.length; i++) {
        const DdlOp *op = &txn->ddl.items[i];
        Database *home = op->tree ? store_database(txn->manager->store, op->database) : NULL;
        if (home)
            TRY(tree_ready_directory(home, op->tree->id));
    }
    return true;
}

/*
 * Reads every page that the apply goes to: one that is damaged fails the commit here, where nothing
 * has happened yet, not in the apply, which must not fail.
 */
static bool ready_all(const Txn *txn)
{
    return ready_ddl(txn) && ready_writes(txn);
}

/* ------------------------------------------------------------------ applying */

typedef struct Applier {
    TxnManager *manager;
    TreeName tree;
    Lsn lsn;
    Garbage *garbage;
} Applier;

static void garbage_add(Garbage *garbage, VersionName name)
{
    if (garbage->count < garbage->capacity)
        garbage->names[garbage->count++] = name;
}

static void observe(void *context, const TreeChange *change)
{
    Applier *applier = context;
    VersionStore *versions = applier->manager->versions;

    slot_raise(change->versions, applier->lsn);
    if (tree_kind(change->tree) == TREE_TABLE) {
        version_push_row(versions, applier->tree, change, applier->lsn);
        garbage_add(applier->garbage, (VersionName){.tree = applier->tree, .id = change->row_id});
    } else {
        version_push_entry(versions, applier->tree, change, applier->lsn);
        garbage_add(applier->garbage,
                    (VersionName){.tree = applier->tree,
                                  .id = version_entry_hash(applier->tree, change->key),
                                  .is_entry = true});
    }
}

static void must_apply(bool ok)
{
    if (unlikely(!ok)) {
        const ErrorFields *fields = error_fields();
        panic("a commit could not be applied: %.*s", STR_ARGS(fields->message));
    }
}

static void apply_node(Txn *txn, Tree *tree, const WriteNode *node, const TreeObserver *observer,
                       Arena *scratch)
{
    const WriteEntry *entry = node->head;
    Str image = STR_NONE;

    if (entry->op == WRITE_PUT)
        must_apply(write_image(txn, entry, scratch, &image));
    switch (tree_kind(tree)) {
    case TREE_TABLE:
        must_apply(entry->op == WRITE_PUT ? tree_put(tree, node->row_id, image, observer)
                                          : tree_delete(tree, node->row_id, observer));
        return;
    case TREE_INDEX:
        must_apply(entry->op == WRITE_PUT ? tree_index_insert(tree, node->key, observer)
                                          : tree_index_ghost(tree, node->key, observer));
        return;
    case TREE_KEY_VALUE:
        must_apply(entry->op == WRITE_PUT ? tree_kv_put(tree, node->key, image)
                                          : tree_kv_delete(tree, node->key));
        return;
    }
}

static void apply_writes(Txn *txn, Lsn lsn)
{
    Applier applier = {.manager = txn->manager, .lsn = lsn, .garbage = txn->garbage};
    TreeObserver observer = {.before = observe, .context = &applier};
    Arena *scratch = NULL;

    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following) {
        Tree *tree = atomic_load(&writes->tree->tree);
        if (!tree)
            continue; /* made and dropped by this transaction */
        /* A new table's rows are dated as a whole: base_lsn. */
        bool is_new = atomic_load_explicit(&writes->tree->creator, memory_order_relaxed) == txn &&
                      writes->tree->kind == TREE_TABLE;
        applier.tree = writes->tree->name;
        for (WriteNode *node = writes->first->next[0]; node; node = node->next[0]) {
            if (node_is_void(node))
                continue;
            if (node->head->position != 0 && !scratch)
                scratch = arena_new("spilled row");
            apply_node(txn, tree, node, is_new ? NULL : &observer, scratch);
            if (scratch)
                arena_reset(scratch);
        }
    }
    arena_free(scratch);
}

static Garbage *garbage_new(const Txn *txn)
{
    size_t count = 0;
    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following)
        count += writes->node_count;
    Garbage *garbage = memory_malloc(sizeof(*garbage) + count * sizeof(VersionName));
    if (!garbage)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    *garbage = (Garbage){.capacity = (uint32_t)count};
    return garbage;
}

/* ------------------------------------------------------------------ the whole */

static bool encode_all(Txn *txn, StrBuf *buf, uint64_t *ret_growth)
{
    Encoder encoder = {.txn = txn, .buf = buf};
    TRY(encode_ddl(&encoder));
    TRY(encode_writes(&encoder));
    TRY(encode_drops(&encoder));
    *ret_growth = growth_pages(&encoder);
    return true;
}

/* Room for the record in the log, and for what it adds in the data file. */
static bool commit_admit(TxnManager *manager, uint32_t length, uint64_t growth)
{
    TRY(store_admit(manager->store, growth));
    if (wal_admit(manager->wal, length))
        return true;
    store_retract(manager->store, growth);
    return false;
}

bool commit_run(Txn *txn)
{
    TxnManager *manager = txn->manager;
    TxnSession *session = txn->session;
    StrBuf *ops = &session->record;
    StrBuf header = {0};
    uint64_t growth;

    strbuf_truncate(ops, 0);
    TRY(ddl_prepare_commit(txn));
    TRY(encode_all(txn, ops, &growth));
    if (ops->length == 0 && txn->fragment_id == 0 && txn->ddl.length == 0)
        return true; /* everything was taken back */
    TRY(ready_all(txn));
    txn->garbage = garbage_new(txn);
    TRY(txn->garbage);

    int64_t now = os->wall_clock();
    strbuf_append_char(&header, RECORD_COMMIT);
    record_put_varint(&header, txn->fragment_id);
    strbuf_append_bytes(&header, &now, sizeof(now));
    record_put_varint(&header, txn_id_peek(txn));
    uint32_t length = (uint32_t)(header.length + ops->length);
    if (!commit_admit(manager, length, growth)) {
        strbuf_deinit(&header);
        free(txn->garbage);
        return false;
    }

    Task *task = task_current();
    bool were_held = task->interrupts_held;
    task->interrupts_held = true;
    WalSlot slot;
    uint64_t place = commit_reserve(manager, length, length, &slot);
    wal_fill(manager->wal, &slot, (Str[]){strbuf_view(&header), strbuf_view(ops)}, 2);
    txn->commit_lsn = slot.end;
    txn->garbage->lsn = slot.end;
    ddl_apply(txn);
    apply_writes(txn, slot.end);
    ddl_after_commit(txn);
    commit_done(manager, place);
    store_retract(manager->store, growth);
    task->interrupts_held = were_held;

    session->last_commit_lsn = slot.end;
    txn_saw(txn, slot.end);
    garbage_hand_over(manager, txn->garbage);
    strbuf_deinit(&header);
    if (ops->capacity > 4 * FRAGMENT_SIZE)
        strbuf_deinit(ops);
    return true;
}

bool commit_autonomous(TxnManager *manager, DatabaseId database, TreeId tree, Str key, Str value,
                       Lsn *ret_end)
{
    Database *store_of = store_database(manager->store, database);
    Tree *target = store_of ? tree_open(store_of, tree) : NULL;
    StrBuf buf = {0};
    TreeName name = 0;
    int64_t now = os->wall_clock();
    TreeReady ready = {0};

    if (!store_of)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("database %u does not exist", database));
    TRY(target && tree_ready_key(target, key, &ready));
    strbuf_append_char(&buf, RECORD_COMMIT);
    record_put_varint(&buf, 0);
    strbuf_append_bytes(&buf, &now, sizeof(now));
    record_put_varint(&buf, 0);
    record_put_op(
        &buf, &name,
        &(Op){.code = OP_PUT_PAIR, .database = database, .tree = tree, .key = key, .value = value});
    uint32_t length = (uint32_t)buf.length;
    bool admitted = commit_admit(manager, length, 1);
    if (admitted) {
        Task *task = task_current();
        bool were_held = task->interrupts_held;
        task->interrupts_held = true;
        WalSlot slot;
        uint64_t place = commit_reserve(manager, length, length, &slot);
        Str piece = strbuf_view(&buf);
        wal_fill(manager->wal, &slot, &piece, 1);
        must_apply(tree_kv_put(target, key, value));
        commit_done(manager, place);
        store_retract(manager->store, 1);
        task->interrupts_held = were_held;
        *ret_end = slot.end;
    }
    strbuf_deinit(&buf);
    return admitted;
}
