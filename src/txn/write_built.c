#include "txn/write_built.h"
#include "storage/tree_cursor.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/task.h"
#include "storage/leaf.h"
#include "storage/tree_builder.h"
#include "storage/tree_pairs.h"
#include "txn/fresh.h"
#include "txn/txn_internal.h"

#define RUNS_MOST 65536u          /* of one table; rows of further commands go as pairs */
#define SETTLE_LEAST (1u << 20)   /* bytes in memory that are worth leaves at the commit */
#define BUILT_FILL 90             /* percent of a leaf; rows and keys may come between */
#define LEAF_ROWS (PAGE_SIZE / 4) /* at most */

/* ------------------------------------------------------------------ runs */

/* The run with the greatest first id that is not above the row's. */
static BuiltRun *run_at(const TreeWrites *rows, uint64_t row_id)
{
    size_t from = 0, to = rows->runs.length;

    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (rows->runs.items[middle].first <= row_id)
            from = middle + 1;
        else
            to = middle;
    }
    return from > 0 ? &rows->runs.items[from - 1] : NULL;
}

static const TreeWrites *rows_of(const TreeWrites *writes)
{
    return writes->tree->kind == TREE_TABLE ? writes : writes->rows;
}

const BuiltRun *built_run(const TreeWrites *writes, uint64_t row_id)
{
    const TreeWrites *rows = rows_of(writes);
    const BuiltRun *run = rows ? run_at(rows, row_id) : NULL;

    return run && row_id <= run->last ? run : NULL;
}

/* Was a savepoint set behind `from` and not behind `to`? */
static bool savepoint_lies_between(const Txn *txn, uint64_t from, uint64_t to)
{
    for (size_t i = txn->savepoints.length; i > 0; i--) {
        const uint64_t place = txn->savepoints.items[i - 1].place;
        if (place <= from)
            return false;
        if (place <= to)
            return true;
    }
    return false;
}

/* Enters a row in a run; false: it finds none. */
static bool run_add(Txn *txn, TreeWrites *writes, uint64_t row_id, const WriteEntry *entry)
{
    BuiltRun *run = writes->runs.length > 0 ? &VEC_LAST(&writes->runs) : NULL;

    if (run && row_id <= run->last)
        return false;
    if (run && run->command == entry->command &&
        !savepoint_lies_between(txn, run->place, entry->place)) {
        run->last = row_id;
        return true;
    }
    if (writes->runs.length >= RUNS_MOST)
        return false;
    const BuiltRun fresh = {
        .first = row_id, .last = row_id, .place = entry->place, .command = entry->command};
    assert(writes->runs.items || writes->runs.capacity == 0); /* which clang-tidy doubts */
    VEC_PUSH(txn->arena, &writes->runs, fresh);
    return true;
}

/* ------------------------------------------------------------------ building */

#define BATCH_KEYS 256u

/* On their way into a built part that has keys already. Borrowed from nodes. */
typedef struct KeyBatch {
    uint32_t count;
    Str keys[BATCH_KEYS];
} KeyBatch;

static bool batch_put(TreeWrites *writes)
{
    KeyBatch *batch = writes->joining;
    const uint32_t count = batch->count;

    batch->count = 0;
    return tree_index_insert_all(writes->spill->built, batch->keys, count);
}

static bool batch_add(TreeWrites *writes, Str key)
{
    KeyBatch *batch = writes->joining;

    batch->keys[batch->count++] = key;
    return batch->count < BATCH_KEYS || batch_put(writes);
}

static bool batch_begin(TreeWrites *writes)
{
    if (writes->tree->kind != TREE_INDEX)
        return true;
    writes->joining = memory_malloc(sizeof(KeyBatch));
    if (!writes->joining)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    writes->joining->count = 0;
    return true;
}

static bool batch_end(TreeWrites *writes, bool done)
{
    done = done && batch_put(writes);
    memory_free(writes->joining);
    writes->joining = NULL;
    return done;
}

static TreeWrites *find_rows(Txn *txn, const TreeWrites *index)
{
    const TreeName table = atomic_load_explicit(&index->tree->table, memory_order_relaxed);

    for (TreeWrites *each = txn->writes.trees; each; each = each->following)
        if (table != 0 && each->tree->name == table && each->spill && each->spill->built)
            return each;
    return NULL;
}

/* Leaves are for trees that are there, in the layout that they have. */
static bool is_buildable(Txn *txn, TreeWrites *writes)
{
    TxnTree *tree = writes->tree;

    if (!writes->arena || !atomic_load(&tree->tree) || atomic_load(&tree->creator) == txn ||
        atomic_load(&tree->layout_txn) == txn)
        return false;
    if (tree->kind == TREE_TABLE)
        return writes->fresh_count > 0;
    if (!writes->rows)
        writes->rows = find_rows(txn, writes);
    return writes->rows != NULL;
}

bool built_begin(Txn *txn, TreeWrites *writes)
{
    WriteSpill *spill = writes->spill;

    if (spill->built)
        return batch_begin(writes);
    if (!is_buildable(txn, writes))
        return true;
    Tree *target = atomic_load(&writes->tree->tree);
    const bool is_table = writes->tree->kind == TREE_TABLE;
    Tree *built = tree_new_private(tree_database(target), writes->tree->kind,
                                   is_table ? tree_layout(target) : NULL);
    TRY(built);
    mutex_lock(&writes->tree->runs_mutex); /* others look for keys there */
    spill->built = built;
    mutex_unlock(&writes->tree->runs_mutex);
    writes->filling = tree_builder_new(built, BUILT_FILL, TREE_TO_GRAFT);
    return writes->filling != NULL;
}

bool built_end(TreeWrites *writes, bool done)
{
    TreeBuilder *builder = MOVE(writes->filling);

    if (writes->joining)
        return batch_end(writes, done);

    if (!done || (builder && !tree_builder_finish(builder))) {
        tree_builder_abandon(builder);
        return false;
    }
    tree_builder_free(builder);
    return true;
}

static bool take_row(Txn *txn, TreeWrites *writes, const WriteNode *node, bool *ret_taken)
{
    const WriteEntry *entry = node->head;
    const Str image = str_make(entry->image, entry->length);
    Tree *built = writes->spill->built;

    *ret_taken = !writes->growing && entry->fresh &&
                 row_image_version(image) == tree_layout(built)->version &&
                 run_add(txn, writes, node->row_id, entry);
    if (!*ret_taken)
        return true;
    return writes->filling ? tree_builder_add_row(writes->filling, node->row_id, image)
                           : tree_put(built, node->row_id, image, NULL);
}

/* An entry that came with its row, and is all that there is of its key. */
static bool take_key(Txn *txn, TreeWrites *writes, const WriteNode *node, bool *ret_taken)
{
    const BuiltRun *run = built_run(writes, node->row_id);
    Str before;

    *ret_taken = run && run->command == node->head->command && node->head->place > run->place &&
                 !savepoint_lies_between(txn, run->place, node->head->place);
    if (*ret_taken && writes->spill->has_pairs) {
        CLEANUP(arena_freep) Arena *scratch = arena_new("spilled key");
        const TreeFound found = tree_kv_get(writes->spill->tree, node->key, scratch, &before);
        TRY(found);
        *ret_taken = found == TREE_MISSING;
    }
    if (!*ret_taken)
        return true;
    return writes->filling ? tree_builder_add_key(writes->filling, node->key)
                           : batch_add(writes, node->key);
}

bool built_take(Txn *txn, TreeWrites *writes, const WriteNode *node, bool *ret_taken)
{
    *ret_taken = false;
    if (!writes->spill->built || node->head->older || node->head->op != WRITE_PUT)
        return true;
    return writes->tree->kind == TREE_TABLE ? take_row(txn, writes, node, ret_taken)
                                            : take_key(txn, writes, node, ret_taken);
}

bool built_may_append(Txn *txn, const TxnTree *tree)
{
    const TreeWrites *writes = writes_find(txn, tree);

    return !writes || (!(writes->spill && writes->spill->built) && writes->runs.length == 0);
}

bool built_append_begin(Txn *txn, TxnTree *tree, uint64_t row_id, TreeWrites **ret_writes)
{
    *ret_writes = NULL;
    if (!built_may_append(txn, tree))
        return true;
    TreeWrites *writes = writes_make(txn, tree);
    if (!writes->arena)
        writes->arena = arena_new("bulk writes");
    writes->fresh_count++;
    const bool made = write_spill_make(txn, writes) && built_begin(txn, writes);
    writes->fresh_count--;
    TRY(made);
    if (!writes->spill->built)
        return true;
    if (!(writes->appended = fresh_rows_new(tree->name)))
        return built_end(writes, false);
    const BuiltRun run = {
        .first = row_id, .last = row_id, .place = txn->writes.place++, .command = txn->command};
    VEC_PUSH(txn->arena, &writes->runs, run);
    txn->writes.spill_count++; /* there is something to commit, outside memory */
    *ret_writes = writes;
    return true;
}

/* ------------------------------------------------------------------ looking */

bool built_may_have(const TreeWrites *writes, Str prefix, bool *ret_may_have)
{
    char buffer[TREE_MAX_KEY];
    bool is_ghost;
    Str first;

    *ret_may_have = false;
    if (!writes->spill || !writes->spill->built)
        return true;
    const TreeFound found =
        tree_index_first(writes->spill->built, prefix, buffer, &first, &is_ghost);
    TRY(found);
    *ret_may_have = found == TREE_FOUND && str_starts_with(first, prefix);
    return true;
}

static bool look_row(const TreeWrites *writes, uint64_t row_id, Arena *arena, WriteSeen *seen)
{
    CLEANUP(arena_freep) Arena *scratch = arena ? NULL : arena_new("built row");
    Str image;
    const TreeFound found =
        tree_get_image(writes->spill->built, row_id, arena ? arena : scratch, &image);

    TRY(found);
    seen->found = found == TREE_FOUND;
    seen->image = arena && seen->found ? image : STR_NONE;
    return true;
}

bool built_look(const TreeWrites *writes, uint64_t row_id, Str key, uint32_t command, Arena *arena,
                WriteSeen *ret_seen)
{
    const bool is_table = writes->tree->kind == TREE_TABLE;
    const uint64_t row = is_table ? row_id : key.length >= 8 ? tree_key_row_id(key) : 0;
    const BuiltRun *run = built_run(writes, row);
    bool may_have = true;

    if (!run || run->command >= command)
        return true;
    if (is_table)
        TRY(look_row(writes, row_id, arena, ret_seen));
    else
        TRY(built_may_have(writes, key, &may_have)); /* no key begins like another one */
    if (!is_table)
        ret_seen->found = may_have;
    ret_seen->fresh = is_table && ret_seen->found;
    ret_seen->op = WRITE_PUT;
    ret_seen->command = run->command;
    return true;
}

/* ------------------------------------------------------------------ cursors */

struct BuiltCursor {
    TreeWrites *writes;
    bool keys_only;
    TreeCursor keys; /* of an index */
    /* A leaf's rows. */
    uint32_t at, count;
    uint64_t first, next; /* from which id on; where the next leaf begins, 0: there is none */
    StrBuf images;
    uint64_t ids[LEAF_ROWS];
    uint32_t starts[LEAF_ROWS]; /* in images; UINT32_MAX: it has large values, read by itself */
    uint32_t lengths[LEAF_ROWS];
};

static bool is_table(const BuiltCursor *cursor)
{
    return cursor->writes->tree->kind == TREE_TABLE;
}

BuiltCursor *built_cursor_new(TreeWrites *writes, bool is_backward, bool keys_only)
{
    BuiltCursor *cursor = memory_malloc(sizeof(*cursor));

    if (!cursor)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    cursor->writes = writes;
    cursor->keys_only = keys_only;
    cursor->at = cursor->count = 0;
    cursor->first = cursor->next = 0;
    cursor->images = (StrBuf){0};
    cursor->keys = (TreeCursor){0};
    if (!is_table(cursor))
        tree_cursor_init(&cursor->keys, writes->spill->built,
                         is_backward ? TREE_BACKWARD : TREE_FORWARD);
    return cursor;
}

void built_cursor_free(BuiltCursor *cursor)
{
    if (!cursor)
        return;
    tree_cursor_deinit(&cursor->keys); /* the writes may have ended: portals are closed later */
    strbuf_deinit(&cursor->images);
    memory_free(cursor);
}

static bool copy_image(BuiltCursor *cursor, const TableLeaf *leaf, uint32_t position)
{
    size_t size;

    cursor->starts[cursor->count] = UINT32_MAX;
    if (cursor->keys_only || table_leaf_has_externals(leaf, position))
        return true;
    TRY(table_leaf_image_size(leaf, position, &size));
    cursor->starts[cursor->count] = (uint32_t)cursor->images.length;
    cursor->lengths[cursor->count] = (uint32_t)size;
    TRY(table_leaf_image(leaf, position, (byte *)strbuf_reserve(&cursor->images, size)));
    strbuf_advance(&cursor->images, size);
    return true;
}

static bool copy_leaf(void *context, const TableLeaf *leaf)
{
    BuiltCursor *cursor = context;

    for (uint32_t i = table_leaf_lower_bound(leaf, cursor->first); i < leaf->row_count; i++) {
        TRY(copy_image(cursor, leaf, i));
        cursor->ids[cursor->count++] = table_leaf_row_id(leaf, i);
    }
    return true;
}

/* The rows of the leaf that covers `row_id`, or of the first behind it that has some. */
static bool read_rows(BuiltCursor *cursor, uint64_t row_id)
{
    cursor->next = row_id;
    do {
        cursor->at = cursor->count = 0;
        cursor->first = cursor->next;
        strbuf_truncate(&cursor->images, 0);
        TRY(tree_visit_leaf(cursor->writes->spill->built, cursor->first, copy_leaf, cursor,
                            &cursor->next));
    } while (cursor->count == 0 && cursor->next != 0);
    return true;
}

bool built_cursor_valid(const BuiltCursor *cursor)
{
    return is_table(cursor) ? cursor->at < cursor->count : tree_cursor_valid(&cursor->keys);
}

uint64_t built_cursor_row_id(const BuiltCursor *cursor)
{
    return is_table(cursor) ? cursor->ids[cursor->at] : tree_key_row_id(built_cursor_key(cursor));
}

Str built_cursor_key(const BuiltCursor *cursor)
{
    return tree_cursor_key(&cursor->keys);
}

static bool step(BuiltCursor *cursor)
{
    if (!is_table(cursor))
        return tree_cursor_advance(&cursor->keys);
    if (++cursor->at < cursor->count || cursor->next == 0)
        return true;
    return read_rows(cursor, cursor->next);
}

/* What has been rolled back since it was copied is passed over. */
static bool to_what_is_there(BuiltCursor *cursor)
{
    while (built_cursor_valid(cursor) && !built_run(cursor->writes, built_cursor_row_id(cursor)))
        TRY(step(cursor));
    return true;
}

bool built_cursor_seek(BuiltCursor *cursor, uint64_t row_id, Str key)
{
    TRY(is_table(cursor) ? read_rows(cursor, row_id)
                         : tree_cursor_seek(&cursor->keys, key, SEEK_AT));
    return to_what_is_there(cursor);
}

bool built_cursor_seek_before(BuiltCursor *cursor, Str key)
{
    TRY(tree_cursor_seek(&cursor->keys, key, key.length > 0 ? SEEK_BEYOND : SEEK_AT));
    return to_what_is_there(cursor);
}

bool built_cursor_next(BuiltCursor *cursor)
{
    TRY(step(cursor));
    return to_what_is_there(cursor);
}

bool built_cursor_image(BuiltCursor *cursor, Arena *arena, Str *ret_image)
{
    const uint32_t at = cursor->at;

    *ret_image = STR_NONE;
    if (cursor->starts[at] == UINT32_MAX)
        return tree_get_image(cursor->writes->spill->built, cursor->ids[at], arena, ret_image) !=
               TREE_FAILED;
    *ret_image = str_make(cursor->images.data + cursor->starts[at], cursor->lengths[at]);
    return true;
}

/* ------------------------------------------------------------------ taking back */

/* Runs from this one on have ended: their rows go. */
static bool delete_rows(TreeWrites *rows, size_t first_run)
{
    for (size_t i = first_run; i < rows->runs.length; i++)
        for (uint64_t id = rows->runs.items[i].first; id <= rows->runs.items[i].last; id++)
            TRY(tree_delete(rows->spill->built, id, NULL));
    return true;
}

static bool delete_keys(TreeWrites *index, size_t first_run)
{
    const TreeWrites *rows = index->rows;
    CLEANUP(tree_cursor_deinit) TreeCursor cursor;

    tree_cursor_init(&cursor, index->spill->built, TREE_FORWARD);
    TRY(tree_cursor_seek(&cursor, STR(""), SEEK_AT));
    while (tree_cursor_valid(&cursor)) {
        const Str key = tree_cursor_key(&cursor);
        const BuiltRun *run = run_at(rows, tree_key_row_id(key));
        if (run && run >= rows->runs.items + first_run)
            TRY(tree_index_delete(index->spill->built, key, NULL));
        TRY(tree_cursor_advance(&cursor));
    }
    return true;
}

/* The whole part goes unread, once nobody else looks at it. */
static void discard_part(TreeWrites *writes)
{
    WriteSpill *spill = writes->spill;

    assert(spill);
    Tree *built = spill->built;
    built_close(writes);
    mutex_lock(&writes->tree->runs_mutex);
    spill->built = NULL;
    spill->is_closed = false;
    mutex_unlock(&writes->tree->runs_mutex);
    tree_discard(built);
}

static bool end_runs(Txn *txn, TreeWrites *rows, size_t first_run)
{
    if (first_run == 0) {
        for (TreeWrites *each = txn->writes.trees; each; each = each->following) {
            if (each->rows != rows)
                continue;
            each->rows = NULL; /* others may be built anew */
            if (each->spill && each->spill->built)
                discard_part(each);
        }
        discard_part(rows);
        return true;
    }
    TRY(delete_rows(rows, first_run));
    for (TreeWrites *each = txn->writes.trees; each; each = each->following)
        if (each->rows == rows && each->spill && each->spill->built)
            TRY(delete_keys(each, first_run));
    return true;
}

void built_roll_back(Txn *txn, uint64_t place)
{
    Task *task = task_current();
    const bool were_held = task->interrupts_held;

    task->interrupts_held = true;
    for (TreeWrites *rows = txn->writes.trees; rows; rows = rows->following) {
        size_t first_run = rows->runs.length;
        while (first_run > 0 && rows->runs.items[first_run - 1].place >= place)
            first_run--;
        if (first_run == rows->runs.length)
            continue;
        txn->writes.spill_count++; /* cursors stand on what goes */
        if (!end_runs(txn, rows, first_run)) {
            error_clear(); /* what is left there must not be committed */
            txn->writes.is_damaged = true;
        }
        rows->runs.length = first_run;
    }
    task->interrupts_held = were_held;
}

void built_forget(TreeWrites *writes)
{
    WriteSpill *spill = writes->spill;

    writes->runs.length = 0;
    writes->rows = NULL;
    if (!spill || !spill->built)
        return;
    Tree *built = spill->built;
    mutex_lock(&writes->tree->runs_mutex);
    spill->built = NULL;
    mutex_unlock(&writes->tree->runs_mutex);
    tree_discard(built);
}

/* ------------------------------------------------------------------ at the commit */

/* Does the index end below these keys, or have a hole for all of them? Else leaves of them would
 * find no place. */
static bool index_has_hole(const TreeWrites *writes, bool *ret_has)
{
    const WriteNode *first = writes->first->next[0], *last = writes_last(writes);
    char buffer[TREE_MAX_KEY];
    bool is_ghost;
    Str next;

    *ret_has = false;
    if (!first)
        return true;
    const TreeFound found =
        tree_index_first(atomic_load(&writes->tree->tree), first->key, buffer, &next, &is_ghost);
    TRY(found);
    *ret_has = found == TREE_MISSING || str_compare(last->key, next) < 0;
    return true;
}

static bool is_worth_settling(Txn *txn, TreeWrites *writes, bool *ret_is)
{
    const uint64_t least = MIN(SETTLE_LEAST, txn->manager->config.write_set_memory / 2);

    *ret_is = false;
    if (!is_buildable(txn, writes))
        return true;
    *ret_is = writes->spill && writes->spill->built;
    if (*ret_is)
        return true;
    if (writes->tree->kind != TREE_TABLE)
        return index_has_hole(writes, ret_is);
    *ret_is = writes->bytes >= least;
    return true;
}

static bool settle_nodes(Txn *txn, TreeWrites *writes)
{
    for (WriteNode *node = writes->first->next[0]; node; node = node->next[0]) {
        bool taken = false;
        CHECK_INTERRUPTS();
        if (node->head)
            TRY(built_take(txn, writes, node, &taken));
        node->is_built |= taken;
    }
    return true;
}

static bool settle(Txn *txn, TreeWrites *writes)
{
    bool is_worth;

    TRY(is_worth_settling(txn, writes, &is_worth));
    if (!is_worth)
        return true;
    TRY(write_spill_make(txn, writes) && built_begin(txn, writes));
    return built_end(writes, settle_nodes(txn, writes));
}

bool built_settle(Txn *txn)
{
    if (txn->writes.is_damaged)
        FAIL(ERR_DATA_CORRUPTED,
             .message = STR("a rollback to a savepoint could not be completed"));
    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following)
        if (writes->tree->kind == TREE_TABLE)
            TRY(settle(txn, writes));
    for (TreeWrites *writes = txn->writes.trees; writes; writes = writes->following)
        if (writes->tree->kind == TREE_INDEX)
            TRY(settle(txn, writes));
    return true;
}

void built_close(TreeWrites *writes)
{
    WriteSpill *spill = writes->spill;
    uint32_t rounds = 0, turns = 0;

    mutex_lock(&writes->tree->runs_mutex);
    spill->is_closed = true;
    while (spill->references > 1) {
        mutex_unlock(&writes->tree->runs_mutex);
        if (turns++ < SPIN_TURNS)
            spin_pause(&rounds);
        else
            task_yield();
        mutex_lock(&writes->tree->runs_mutex);
    }
    mutex_unlock(&writes->tree->runs_mutex);
}
