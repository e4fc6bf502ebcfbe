/*
 * Commit: encode, take a place in the log, apply, let go.
 *
 * Until wal_append everything may fail and nothing has happened. From there to the end of the
 * apply nothing fails (T4): what could, has been asked before. A page that the disk does not give
 * is asked for again for a while, then the process ends, and recovery does the rest from the
 * record.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/pace.h"
#include "storage/faults.h"
#include "storage/tree_ready.h"
#include "txn/record.h"
#include "txn/txn_internal.h"
#include "txn/write_built.h"

#define FRAGMENT_SIZE (1u << 20) /* bytes of operations in one fragment */
/* While so many large commits are applied as can be at a time. */
#define LARGE_POLL_US 500

/* ------------------------------------------------------------------ the order of commits */

static LargeCommit *large_commit_take(TxnManager *manager)
{
    LargeCommit *taken = NULL;

    mutex_lock(&manager->commit_mutex);
    for (uint32_t i = 0; i < SNAPSHOT_HIDDEN && !taken; i++)
        if (!manager->large[i].is_taken)
            taken = &manager->large[i];
    if (taken) {
        taken->is_taken = true;
        taken->start = LSN_MAX;
    }
    mutex_unlock(&manager->commit_mutex);
    return taken;
}

static void large_commit_give_back(TxnManager *manager, LargeCommit *large)
{
    if (!large)
        return;
    mutex_lock(&manager->commit_mutex);
    if (atomic_exchange(&large->end, 0) != 0)
        atomic_fetch_sub(&manager->large_count, 1);
    large->is_taken = false;
    mutex_unlock(&manager->commit_mutex);
}

/*
 * Others go on while much is applied. But system tables are read as they are, and what was seen
 * there must have its rows: who changes the schema is waited for, as small commits are.
 */
static bool large_commit_begin(Txn *txn, LargeCommit **ret_large)
{
    TxnManager *manager = txn->manager;
    uint64_t count = 0;

    *ret_large = NULL;
    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following)
        count += MAX(writes->node_count, writes->fresh_count);
    if (count < manager->config.large_commit_writes || txn->changes_schema || txn->ddl.length > 0)
        return true;
    while (!(*ret_large = large_commit_take(manager)))
        TRY(task_sleep(LARGE_POLL_US, WAIT_EVENT_TXN_APPLY));
    return true;
}

/* Everything up to the first commit of the ring that isn't done has been applied, or is hidden. */
static void ring_advance(TxnManager *manager) REQUIRES(manager->commit_mutex)
{
    Lsn applied = 0;

    while (manager->ring_first < manager->ring_next &&
           manager->ring[manager->ring_first % COMMIT_RING_SIZE].is_applied)
        applied = manager->ring[manager->ring_first++ % COMMIT_RING_SIZE].end;
    if (applied != 0)
        atomic_store(&manager->applied_lsn, applied);
}

/*
 * Takes a place in the log; until commit_done, checkpoints keep the log from `start` on. A large
 * commit has done with the ring at once: first it is hidden, then applied_lsn may pass it.
 */
static uint64_t commit_reserve(TxnManager *manager, uint32_t length, LargeCommit *large,
                               WalSlot *ret_slot)
{
    uint32_t rounds = 0, turns = 0;

    mutex_lock(&manager->commit_mutex);
    while (manager->ring_next - manager->ring_first == COMMIT_RING_SIZE) {
        mutex_unlock(&manager->commit_mutex);
        if (turns++ < SPIN_TURNS)
            spin_pause(&rounds);
        else
            task_yield();
        mutex_lock(&manager->commit_mutex);
    }
    uint64_t place = manager->ring_next++;
    CommitInFlight *commit = &manager->ring[place % COMMIT_RING_SIZE];
    commit->start = wal_reserved_end(manager->wal);
    commit->is_applied = false;
    wal_append(manager->wal, length, length, ret_slot);
    commit->end = ret_slot->end;
    if (large) {
        large->start = commit->start;
        atomic_store(&large->end, commit->end);
        atomic_fetch_add(&manager->large_count, 1);
        commit->is_applied = true;
        ring_advance(manager);
    }
    mutex_unlock(&manager->commit_mutex);
    return place;
}

static void commit_done(TxnManager *manager, uint64_t place, LargeCommit *large)
{
    if (large) {
        large_commit_give_back(manager, large);
        return;
    }
    mutex_lock(&manager->commit_mutex);
    manager->ring[place % COMMIT_RING_SIZE].is_applied = true;
    ring_advance(manager);
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
    for (uint32_t i = 0; i < SNAPSHOT_HIDDEN; i++)
        if (manager->large[i].is_taken)
            floor = MIN(floor, manager->large[i].start);
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

static TreeName name_of(const Tree *tree)
{
    return tree_name(tree_database(tree)->id, tree_id(tree));
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

static bool hook_may_purge_ghost(void *context, Tree *tree, Str key)
{
    TxnManager *manager = context;
    return !version_has_entry(manager->versions, name_of(tree), key);
}

static void hook_ghosts_gather(void *context, Tree *tree, void **versions, Str key)
{
    if (tree_id(tree) != TREE_ID_PRIVATE)
        purge_gather(context, name_of(tree), key, slot_get(versions));
}

static void hook_ghosts_met(void *context, Tree *tree, void **versions, Str key)
{
    if (tree_id(tree) != TREE_ID_PRIVATE)
        purge_met(context, name_of(tree), key, slot_get(versions));
}

static const TreeHooks hooks = {
    .leaf_split = hook_split,
    .leaf_merged = hook_merged,
    .leaf_discarded = hook_discarded,
    .may_purge_ghosts = hook_may_purge,
    .may_purge_ghost = hook_may_purge_ghost,
    .ghosts_gather = hook_ghosts_gather,
    .ghosts_met = hook_ghosts_met,
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
    RecordList list; /* of buf */
    TreeReady ready;
    uint64_t put_bytes, overflow_pages; /* what the apply adds to the trees, at most */
    uint64_t version_bytes;             /* what it needs to remember what was there, roughly */
    uint64_t leaf_bytes;                /* and for old images of one table that lie in leaves */
    uint64_t old_size;                  /* of the row's old image, where it has large values */
    uint64_t largest_value;             /* it is packed while it is put */
} Encoder;

#define PUT_OVERHEAD 32   /* bytes of a page that an operation needs beside key and value */
#define NEW_ROW_COST 128u /* in the version store, with its name for reclaiming */
#define OLD_ROW_COST 640u /* beside that for the old image, where it is in its leaf */
#define ENTRY_COST 256u
#define APPLY_COST 8192u /* of each commit: arenas, cursors */

static void count_growth(Encoder *encoder, const Op *op)
{
    if (op->code != OP_PUT_ROW && op->code != OP_PUT_ENTRY && op->code != OP_PUT_PAIR &&
        op->code != OP_CREATE_TREE)
        return;
    if (op->value.length < INLINE_LEAST)
        encoder->put_bytes += op->value.length;
    else
        encoder->overflow_pages += overflow_pages_of(op->value.length);
    encoder->put_bytes += op->key.length + PUT_OVERHEAD;
    encoder->largest_value = MAX(encoder->largest_value, op->value.length);
}

static void count_version(Encoder *encoder, const TreeWrites *writes, const WriteCursor *write)
{
    if (writes->fresh && (writes->tree->kind != TREE_TABLE || write->seen.fresh))
        return;
    if (writes->tree->kind != TREE_TABLE)
        encoder->version_bytes += ENTRY_COST + 2 * write->key.length;
    else
        encoder->version_bytes += NEW_ROW_COST;
    if (writes->tree->kind != TREE_TABLE || write->seen.fresh)
        return;
    encoder->leaf_bytes += OLD_ROW_COST;
    /* Where the old image is in its leaf it is like the new one, if that is large. */
    const uint64_t new_size = write->seen.op == WRITE_PUT ? write->seen.image.length : 0;
    encoder->version_bytes += MAX(new_size, encoder->old_size);
    encoder->largest_value = MAX(encoder->largest_value, encoder->old_size);
}

/* However many rows are changed, their old images are no more than the database's pages hold. */
static void count_leaves(Encoder *encoder, const TreeWrites *writes)
{
    Tree *tree = atomic_load(&writes->tree->tree);
    uint64_t bytes = encoder->leaf_bytes;

    if (bytes > FRAGMENT_SIZE && tree)
        bytes = MIN(bytes, 2 * PAGE_SIZE * database_page_count(tree_database(tree)));
    encoder->version_bytes += bytes;
    encoder->leaf_bytes = 0;
}

/* Pages that splits leave half full, and a few on the way to the root. */
static uint64_t growth_pages(const Encoder *encoder)
{
    return encoder->overflow_pages + encoder->put_bytes * 5 / (2 * PAGE_SIZE) + 4;
}

static bool encode_op(Encoder *encoder, const Op *op)
{
    count_growth(encoder, op);
    record_put_op(encoder->buf, &encoder->list, op);
    if (encoder->buf->length < FRAGMENT_SIZE)
        return true;
    CHECK_INTERRUPTS();
    TRY(fragment_write(encoder->txn, strbuf_view(encoder->buf)));
    strbuf_truncate(encoder->buf, 0);
    encoder->list = (RecordList){0};
    return true;
}

/* A row inserted and deleted by the same transaction has never been. */
static bool write_is_void(const WriteSeen *seen)
{
    return seen->op == WRITE_DELETE && seen->fresh;
}

static Op write_op(const TxnTree *tree, const WriteCursor *write)
{
    static const OpCode puts[] = {
        [TREE_TABLE] = OP_PUT_ROW, [TREE_INDEX] = OP_PUT_ENTRY, [TREE_KEY_VALUE] = OP_PUT_PAIR};
    static const OpCode deletes[] = {[TREE_TABLE] = OP_DELETE_ROW,
                                     [TREE_INDEX] = OP_DELETE_ENTRY,
                                     [TREE_KEY_VALUE] = OP_DELETE_PAIR};
    return (Op){.code = write->seen.op == WRITE_PUT ? puts[tree->kind] : deletes[tree->kind],
                .database = tree->database,
                .tree = tree->id,
                .row_id = write->row_id,
                .key = write->key,
                .value = write->seen.image};
}

/*
 * Everything that a transaction has written to one tree, but for the built part, in key order, one
 * at a time; what has never been is left out. False: the callback said so, or it could not be read.
 */
typedef bool WriteVisitor(void *context, TreeWrites *writes, const WriteCursor *write);
static bool each_write(Txn *txn, TreeWrites *writes, WriteVisitor *visit, void *context)
{
    CLEANUP(arena_freep) Arena *scratch = writes->arena ? arena_new("bulk write") : NULL;
    WriteCursor cursor;

    write_cursor_init(&cursor, txn, writes, UINT32_MAX, scratch);
    cursor.no_built = true;
    bool done = write_cursor_seek(&cursor, 0, STR(""));
    while (done && cursor.valid) {
        done = write_is_void(&cursor.seen) || visit(context, writes, &cursor);
        if (scratch)
            arena_reset(scratch);
        done = done && write_cursor_next(&cursor);
    }
    write_cursor_deinit(&cursor);
    return done;
}

/* Rows of a large insertion are dated together; a new table has a date itself. */
static bool fresh_begin(Txn *txn, TreeWrites *writes)
{
    if (writes->appended) {
        writes->fresh = writes->appended;
        writes->appended = NULL;
        return true;
    }
    if (writes->tree->kind != TREE_TABLE || !writes->arena || writes->fresh_count == 0 ||
        atomic_load_explicit(&writes->tree->creator, memory_order_relaxed) == txn)
        return true;
    return (writes->fresh = fresh_rows_new(writes->tree->name)) != NULL;
}

/*
 * Reads every page that the apply goes to: one that is damaged fails the commit here, where nothing
 * has happened yet, not in the apply, which must not fail. The leaf of an index entry is read when
 * the entry is written; a row that is changed has been read by whoever locked it, and what it
 * becomes is all there.
 */
static bool ready_write(Encoder *encoder, const TreeWrites *writes, const WriteCursor *write)
{
    Tree *tree = atomic_load(&writes->tree->tree);

    encoder->old_size = 0;
    if (!tree || writes->tree->kind == TREE_INDEX)
        return true; /* without a tree: made by this transaction */
    CHECK_INTERRUPTS();
    if (writes->tree->kind == TREE_KEY_VALUE)
        return tree_ready_key(tree, write->key, &encoder->ready);
    if (write->seen.op == WRITE_DELETE)
        return tree_ready_old_row(tree, write->row_id, &encoder->old_size);
    if (write->seen.fresh)
        return tree_ready_row(tree, write->row_id, &encoder->ready);
    return !encoder->txn->met_large_rows ||
           tree_old_row_size(tree, write->row_id, &encoder->old_size);
}

static bool encode_write(void *context, TreeWrites *writes, const WriteCursor *write)
{
    TRY(ready_write(context, writes, write));
    count_version(context, writes, write);
    if (writes->fresh && writes->tree->kind == TREE_TABLE && write->seen.fresh)
        TRY(fresh_rows_add(writes->fresh, write->row_id));
    const Op op = write_op(writes->tree, write);
    return encode_op(context, &op);
}

/* What is newer of the same rows and entries follows behind it in the log. Rows that came as
 * finished leaves are in the log, and among the fresh ones. */
static bool encode_built(Encoder *encoder, TreeWrites *writes)
{
    CLEANUP(arena_freep) Arena *scratch = arena_new("built writes");
    CLEANUP(built_cursor_freep) BuiltCursor *cursor = built_cursor_new(writes, false, false);
    const bool is_table = writes->tree->kind == TREE_TABLE;
    Op op = {.code = is_table ? OP_PUT_ROW : OP_PUT_ENTRY,
             .database = writes->tree->database,
             .tree = writes->tree->id};

    /* A leaf that does not fit between others' rows is written row by row. */
    encoder->overflow_pages += writes->appended_pages;
    encoder->largest_value = MAX(encoder->largest_value, writes->appended_largest);
    const uint64_t first = writes->logged_last ? writes->logged_last + 1 : 0;
    TRY(cursor && built_cursor_seek(cursor, first, STR("")));
    while (built_cursor_valid(cursor)) {
        if (is_table) {
            op.row_id = built_cursor_row_id(cursor);
            TRY(built_cursor_image(cursor, scratch, &op.value));
            if (writes->fresh)
                TRY(fresh_rows_add(writes->fresh, op.row_id));
        } else {
            op.key = built_cursor_key(cursor);
        }
        if (!writes->fresh)
            encoder->version_bytes += is_table ? NEW_ROW_COST : ENTRY_COST + 2 * op.key.length;
        TRY(encode_op(encoder, &op));
        arena_reset(scratch);
        TRY(built_cursor_next(cursor));
    }
    return true;
}

/* The built part is logged row by row, and applied by the leaf. */
static bool graft_begin(Encoder *encoder, TreeWrites *writes)
{
    if (!writes->spill || !writes->spill->built)
        return true;
    TRY(tree_graft_prepare(atomic_load(&writes->tree->tree), writes->spill->built,
                           writes->fresh == NULL, &writes->graft));
    const uint64_t put_bytes = encoder->put_bytes;
    TRY(encode_built(encoder, writes));
    if (writes->tree->kind == TREE_TABLE)
        encoder->put_bytes = put_bytes + tree_graft_page_count(writes->graft) * PAGE_SIZE;
    return true;
}

static void fresh_name_indexes(Txn *txn);

static bool encode_writes(Encoder *encoder)
{
    Txn *txn = encoder->txn;

    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following)
        TRY(fresh_begin(txn, writes));
    fresh_name_indexes(txn);
    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following) {
        encoder->ready = (TreeReady){0};
        TRY(graft_begin(encoder, writes));
        TRY(each_write(txn, writes, encode_write, encoder));
        count_leaves(encoder, writes);
    }
    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following)
        if (writes->tree->kind == TREE_TABLE && writes->fresh)
            fresh_rows_seal(writes->fresh);
    return true;
}

/* ------------------------------------------------------------------ rows added in bulk */

/* An index's entries of fresh rows are as new as the rows. */
static void fresh_name_indexes(Txn *txn)
{
    for (TreeWrites *index = txn->writes.trees; index; index = index->following) {
        const TreeName table = atomic_load_explicit(&index->tree->table, memory_order_relaxed);
        if (index->tree->kind != TREE_INDEX || table == 0)
            continue;
        for (TreeWrites *each = txn->writes.trees; each && !index->fresh; each = each->following)
            if (each->tree->name == table && each->fresh &&
                fresh_rows_name(each->fresh, index->tree->name))
                index->fresh = each->fresh;
    }
}

/* They are everybody's from now on, until no snapshot is older. */
static void fresh_publish(Txn *txn, Lsn lsn)
{
    FreshList *list = version_fresh(txn->manager->versions);

    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following)
        if (writes->tree->kind == TREE_TABLE && writes->fresh)
            fresh_list_publish(list, writes->fresh, lsn);
}

static void fresh_abandon(Txn *txn)
{
    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following) {
        if (writes->tree->kind == TREE_TABLE)
            fresh_rows_free(writes->fresh);
        writes->fresh = NULL;
    }
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

/* ------------------------------------------------------------------ applying */

typedef struct Applier {
    TxnManager *manager;
    TreeName tree;
    Lsn lsn;
    Txn *txn;
    bool wants_run; /* of an index: it has none yet */
    EntryRun *run;  /* or NULL */
} Applier;

#define GARBAGE_MOST 65536u  /* names in one piece */
#define NAME_ROWS_MOST 1024u /* rows of one name: what a turn of reclaiming looks at */

static size_t garbage_bytes(uint64_t capacity)
{
    return sizeof(Garbage) + capacity * sizeof(VersionName);
}

/* Is the row the next one behind the last that was named? Then that name is for it, too. */
static bool garbage_extends(Garbage *garbage, const VersionName *name)
{
    VersionName *last = garbage->count > 0 ? &garbage->names[garbage->count - 1] : NULL;

    if (!last || name->is_entry || last->is_entry || last->tree != name->tree ||
        last->id + last->more + 1 != name->id || last->more + 1 >= NAME_ROWS_MOST)
        return false;
    last->more++;
    return true;
}

/* A commit of very many names has several pieces, the newest first. */
static void garbage_add(Applier *applier, VersionName name)
{
    Txn *txn = applier->txn;

    txn->name_count++;
    if (garbage_extends(txn->garbage, &name))
        return;
    if (txn->garbage->count == txn->garbage->capacity) {
        Garbage *next = memory_must(garbage_bytes(GARBAGE_MOST));
        *next = (Garbage){.capacity = GARBAGE_MOST, .lsn = applier->lsn, .next = txn->garbage};
        txn->garbage = next;
    }
    txn->garbage->names[txn->garbage->count++] = name;
}

/* Fresh rows and their entries have no older versions. */
static void observe_fresh(void *context, const TreeChange *change)
{
    const Applier *applier = context;
    slot_raise(change->versions, applier->lsn);
}

/* The run that the commit makes of the index's entries, from the first one on. */
static EntryRun *run_of(Applier *applier)
{
    VersionStore *versions = applier->manager->versions;

    if (applier->wants_run)
        applier->run = entry_run_new(version_entry_runs(versions), applier->tree, applier->lsn);
    applier->wants_run = false;
    return applier->run;
}

/* True: it stays what it is, or the run has what it becomes. */
static bool entry_is_told(Applier *applier, const TreeChange *change)
{
    const bool was_live = change->existed && !change->was_ghost;

    if (was_live != change->deletes)
        return true;
    EntryRun *run = run_of(applier);
    return run && entry_run_add(run, change->key, !change->deletes);
}

static void observe(void *context, const TreeChange *change)
{
    Applier *applier = context;
    VersionStore *versions = applier->manager->versions;

    slot_raise(change->versions, applier->lsn);
    if (tree_kind(change->tree) == TREE_TABLE) {
        version_push_row(versions, applier->tree, change, applier->lsn);
        garbage_add(applier, (VersionName){.tree = applier->tree, .id = change->row_id});
    } else if (entry_is_told(applier, change)) {
        applier->txn->name_count++; /* reclaiming is due as if it had one */
    } else {
        version_push_entry(versions, applier->tree, change, applier->lsn);
        garbage_add(applier, (VersionName){.tree = applier->tree,
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

typedef struct WriteApply {
    Txn *txn;
    Tree *tree;
    const TreeObserver *observer; /* NULL: a new table's rows are dated as a whole, by base_lsn */
    const TreeObserver *fresh_observer;
    uint32_t count;
} WriteApply;

#define APPLY_TURN 256u       /* writes, until others of this worker have their turn */
#define APPLY_LOOK 32u        /* until the time slice is looked at */
#define APPLY_TRIES 40        /* to read a page that the disk does not give */
#define APPLY_PAUSE_US 250000 /* between them */

static bool write_is_fresh(const TreeWrites *writes, const WriteCursor *write)
{
    return writes->fresh && fresh_rows_have(writes->fresh, write->row_id);
}

static bool apply_once(const WriteApply *apply, const TreeWrites *writes, const WriteCursor *write)
{
    const TreeObserver *observer =
        write_is_fresh(writes, write) ? apply->fresh_observer : apply->observer;
    const bool puts = write->seen.op == WRITE_PUT;
    Tree *tree = apply->tree;

    switch (writes->tree->kind) {
    case TREE_TABLE:
        return puts ? tree_put(tree, write->row_id, write->seen.image, observer)
                    : tree_delete(tree, write->row_id, observer);
    case TREE_INDEX:
        return puts ? tree_index_insert(tree, write->key, observer)
                    : tree_index_ghost(tree, write->key, observer);
    case TREE_KEY_VALUE:
        return puts ? tree_kv_put(tree, write->key, write->seen.image)
                    : tree_kv_delete(tree, write->key);
    }
    return true;
}

/*
 * A page that its statement has read has left memory since, and comes back no more. A disk that
 * fails may yet give it. What has been damaged in between is set aside, and the change with it, as
 * recovery would do: the page is lost, which is no reason to end the server.
 */
COLD static bool apply_again(const WriteApply *apply, const TreeWrites *writes,
                             const WriteCursor *write)
{
    Txn *txn = apply->txn;
    Store *store = txn->manager->store;

    for (int i = 0; i < APPLY_TRIES && error_fields()->sqlstate == ERR_IO_ERROR; i++) {
        error_clear();
        if (!task_sleep(APPLY_PAUSE_US, WAIT_EVENT_DATA_FILE_READ))
            error_clear();
        if (apply_once(apply, writes, write))
            return true;
    }
    TRY(error_fields()->sqlstate == ERR_DATA_CORRUPTED);
    error_clear();
    StorePasser passer;
    store_aside_begin(store, &passer);
    const bool ok = apply_once(apply, writes, write);
    store_aside_end(store, &passer);
    if (ok)
        return true;
    if (txn->passed_over++ == 0)
        txn->passed_over_why = str_copy(txn->arena, error_fields()->message);
    return store_pass_over(store);
}

static bool apply_write(void *context, TreeWrites *writes, const WriteCursor *write)
{
    WriteApply *apply = context;

    if (++apply->count % APPLY_TURN == 0)
        task_yield();
    else if (apply->count % APPLY_LOOK == 0)
        pace_turn();
    FAULT_STOP(fault_at_apply);
    return likely(apply_once(apply, writes, write)) || apply_again(apply, writes, write);
}

static void tell_passed_over(const Txn *txn)
{
    NOTICE(SEVERITY_WARNING, ERR_DATA_CORRUPTED,
           .message = fmt("the transaction is committed without %llu of its changes",
                          (unsigned long long)txn->passed_over),
           .detail = txn->passed_over_why,
           .hint = STR("They were for pages that have been damaged since it read them. Run "
                       "\"sengi verify\", and restore the database from a backup."));
}

static void graft_leaf(void *context, void **versions)
{
    const Applier *applier = context;
    slot_raise(versions, applier->lsn);
}

/* What is built becomes the tree's. */
static void apply_graft(TreeWrites *writes, Applier *applier, const TreeObserver *observer)
{
    const GraftObserver graft_observer = {.leaf = graft_leaf, .context = applier, .each = observer};

    if (!writes->graft)
        return;
    must_apply(tree_graft_run(writes->graft, &graft_observer));
    mutex_lock(&writes->tree->runs_mutex);
    writes->spill->built = NULL;
    mutex_unlock(&writes->tree->runs_mutex);
}

/* Much is changed in the index's order. While the commit is hidden nobody frees what it adds to. */
static void run_begin(Applier *applier, const TreeWrites *writes, bool is_hidden)
{
    applier->run = NULL;
    applier->wants_run = is_hidden && writes->tree->kind == TREE_INDEX && writes->arena;
}

static void apply_writes(Txn *txn, Lsn lsn, bool is_hidden)
{
    Applier applier = {.manager = txn->manager, .lsn = lsn, .txn = txn};
    TreeObserver observer = {.before = observe, .context = &applier};
    TreeObserver fresh_observer = {.before = observe_fresh, .context = &applier};

    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following) {
        WriteApply apply = {.txn = txn, .tree = atomic_load(&writes->tree->tree)};
        if (!apply.tree)
            continue; /* made and dropped by this transaction */
        bool is_new = atomic_load_explicit(&writes->tree->creator, memory_order_relaxed) == txn &&
                      writes->tree->kind == TREE_TABLE;
        if (!is_new)
            apply.observer = &observer;
        apply.fresh_observer = &fresh_observer;
        applier.tree = writes->tree->name;
        run_begin(&applier, writes, false); /* a graft does not go in the keys' order */
        apply_graft(writes, &applier, writes->fresh ? &fresh_observer : &observer);
        run_begin(&applier, writes, is_hidden);
        must_apply(each_write(txn, writes, apply_write, &apply));
    }
}

static Garbage *garbage_new(const Txn *txn)
{
    uint64_t count = 0;
    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following)
        count += writes->node_count;
    count = MIN(count, GARBAGE_MOST);
    Garbage *garbage = memory_malloc(garbage_bytes(count));
    if (!garbage)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    *garbage = (Garbage){.capacity = (uint32_t)count};
    return garbage;
}

static void garbage_hand_over_all(Txn *txn)
{
    while (txn->garbage) {
        Garbage *garbage = txn->garbage;
        txn->garbage = garbage->next;
        garbage->next = NULL;
        garbage_hand_over(txn->manager, garbage);
    }
}

/* ------------------------------------------------------------------ the whole */

/* What must be there for the apply, which cannot fail. */
typedef struct ApplyNeeds {
    uint64_t growth; /* pages */
    uint64_t memory; /* bytes */
} ApplyNeeds;

static bool encode_all(Txn *txn, StrBuf *buf, ApplyNeeds *ret_needs)
{
    Encoder encoder = {.txn = txn, .buf = buf};
    TRY(encode_ddl(&encoder));
    TRY(encode_writes(&encoder));
    TRY(encode_drops(&encoder));
    *ret_needs = (ApplyNeeds){
        .growth = growth_pages(&encoder),
        .memory = APPLY_COST + encoder.version_bytes + 2 * encoder.largest_value,
    };
    return true;
}

/* Room for the record in the log, for what it adds in the data file, and in memory. */
static bool commit_admit(TxnManager *manager, uint32_t length, const ApplyNeeds *needs)
{
    TRY(memory_promise(needs->memory));
    if (store_admit(manager->store, needs->growth)) {
        if (wal_admit(manager->wal, length))
            return true;
        store_retract(manager->store, needs->growth);
    }
    memory_promise_end(needs->memory);
    return false;
}

static void commit_retract(TxnManager *manager, const ApplyNeeds *needs)
{
    store_retract(manager->store, needs->growth);
    memory_promise_end(needs->memory);
}

static void garbage_drop(Txn *txn)
{
    memory_free(txn->garbage);
    txn->garbage = NULL;
}

static bool commit_write(Txn *txn)
{
    TxnManager *manager = txn->manager;
    TxnSession *session = txn->session;
    StrBuf *header = &session->record_head, *ops = &session->record;
    LargeCommit *large;
    ApplyNeeds needs;

    strbuf_truncate(header, 0);
    strbuf_truncate(ops, 0);
    TRY(ddl_prepare_commit(txn));
    TRY(built_settle(txn));
    TRY(encode_all(txn, ops, &needs));
    if (ops->length == 0 && txn->fragment_id == 0 && txn->ddl.length == 0)
        return true; /* everything was taken back */
    TRY(ready_ddl(txn));
    txn->garbage = garbage_new(txn);
    TRY(txn->garbage);
    if (!large_commit_begin(txn, &large)) {
        garbage_drop(txn);
        return false;
    }

    int64_t now = os->wall_clock();
    strbuf_append_char(header, RECORD_COMMIT);
    record_put_varint(header, txn->fragment_id);
    strbuf_append_bytes(header, &now, sizeof(now));
    record_put_varint(header, txn_id_peek(txn));
    uint32_t length = (uint32_t)(header->length + ops->length);
    if (!commit_admit(manager, length, &needs)) {
        large_commit_give_back(manager, large);
        garbage_drop(txn);
        return false;
    }

    Task *task = task_current();
    bool were_held = task->interrupts_held;
    task->interrupts_held = true;
    task_clear_interrupts(task, INTERRUPT_MEMORY); /* too late: it is going to be committed */
    WalSlot slot;
    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following)
        if (writes->graft)
            built_close(writes);
    uint64_t place = commit_reserve(manager, length, large, &slot);
    wal_fill(manager->wal, &slot, (Str[]){strbuf_view(header), strbuf_view(ops)}, 2);
    txn->commit_lsn = slot.end;
    txn->garbage->lsn = slot.end;
    fresh_publish(txn, slot.end);
    ddl_apply(txn);
    apply_writes(txn, slot.end, large != NULL);
    ddl_after_commit(txn);
    commit_done(manager, place, large);
    task->interrupts_held = were_held;
    commit_retract(manager, &needs);

    session->last_commit_lsn = slot.end;
    txn_saw(txn, slot.end);
    garbage_hand_over_all(txn);
    if (unlikely(txn->passed_over > 0))
        tell_passed_over(txn);
    if (ops->capacity > 4 * FRAGMENT_SIZE)
        strbuf_deinit(ops);
    return true;
}

bool commit_run(Txn *txn)
{
    const bool done = commit_write(txn);
    if (txn->commit_lsn == 0)
        fresh_abandon(txn);
    return done;
}

bool commit_autonomous(TxnManager *manager, DatabaseId database, TreeId tree, Str key, Str value,
                       Lsn *ret_end)
{
    Database *store_of = store_database(manager->store, database);
    Tree *target = store_of ? tree_open(store_of, tree) : NULL;
    StrBuf buf = {0};
    RecordList list = {0};
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
        &buf, &list,
        &(Op){.code = OP_PUT_PAIR, .database = database, .tree = tree, .key = key, .value = value});
    uint32_t length = (uint32_t)buf.length;
    const ApplyNeeds needs = {.growth = 1, .memory = APPLY_COST};
    bool admitted = commit_admit(manager, length, &needs);
    if (admitted) {
        Task *task = task_current();
        bool were_held = task->interrupts_held;
        task->interrupts_held = true;
        WalSlot slot;
        uint64_t place = commit_reserve(manager, length, NULL, &slot);
        Str piece = strbuf_view(&buf);
        wal_fill(manager->wal, &slot, &piece, 1);
        must_apply(tree_kv_put(target, key, value));
        commit_done(manager, place, NULL);
        task->interrupts_held = were_held;
        commit_retract(manager, &needs);
        *ret_end = slot.end;
    }
    strbuf_deinit(&buf);
    return admitted;
}
