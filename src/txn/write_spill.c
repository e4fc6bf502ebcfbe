/* The write set's part on temporary pages, and reading over both parts. */
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/pace.h"
#include "storage/tree_cursor.h"
#include "storage/tree_pairs.h"
#include "txn/txn_internal.h"
#include "txn/write_built.h"

/* ------------------------------------------------------------------ encoding */

#define ROW_PAIR_SIZE 21u /* row id, place, command, op */
#define KEY_ITEM_SIZE 13u /* place, command, op */
#define OP_MASK 0x0fu
#define OP_FRESH 0x10u

/* An entry as spilled, without its image. */
typedef struct SpilledEntry {
    uint64_t place;
    uint32_t command;
    uint8_t op;
    bool fresh;
} SpilledEntry;

static void put_numbers(char *at, uint64_t place, const WriteEntry *entry)
{
    place = __builtin_bswap64(place);
    memcpy(at, &place, sizeof(place));
    memcpy(at + 8, &entry->command, sizeof(entry->command));
    at[12] = (char)(entry->op | (entry->fresh ? OP_FRESH : 0));
}

static SpilledEntry get_numbers(const char *at)
{
    SpilledEntry entry;
    memcpy(&entry.place, at, sizeof(entry.place));
    entry.place = __builtin_bswap64(entry.place);
    memcpy(&entry.command, at + 8, sizeof(entry.command));
    entry.op = (uint8_t)at[12] & OP_MASK;
    entry.fresh = ((uint8_t)at[12] & OP_FRESH) != 0;
    return entry;
}

/* Rows: the newest entry comes first, since places are inverted. */
static void row_pair_put(char *buffer, uint64_t row_id, const WriteEntry *entry)
{
    row_id = __builtin_bswap64(row_id);
    memcpy(buffer, &row_id, sizeof(row_id));
    put_numbers(buffer + 8, ~entry->place, entry);
}

static bool row_pair_get(const WriteSpill *spill, Str key, uint64_t *ret_row_id,
                         SpilledEntry *ret_entry)
{
    if (key.length != ROW_PAIR_SIZE)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("a spilled row of tree %u is damaged", spill->of->id));
    memcpy(ret_row_id, key.data, sizeof(*ret_row_id));
    *ret_row_id = __builtin_bswap64(*ret_row_id);
    *ret_entry = get_numbers(key.data + 8);
    ret_entry->place = ~ret_entry->place;
    return true;
}

static bool place_is_dead(const WriteSpill *spill, uint64_t place)
{
    uint32_t from = 0, to = spill->dead_count;

    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;
        if (spill->dead[middle].end <= place)
            from = middle + 1;
        else
            to = middle;
    }
    return from < spill->dead_count && spill->dead[from].first <= place;
}

/* ------------------------------------------------------------------ spilling */

/*
 * Notes that what has been written until now may be spilled, and makes room for one more range of
 * dead places, which a rollback needs that must not fail: it makes one of all that it covers, so
 * that there is one more only where something has been spilled since the last.
 */
static bool spill_extend(WriteSpill *spill, uint64_t end)
{
    spill->end = end;
    if (spill->dead_count < spill->dead_capacity)
        return true;
    const uint32_t capacity = spill->dead_capacity ? spill->dead_capacity * 2 : 4;
    DeadPlaces *grown = memory_malloc(capacity * sizeof(*grown));
    if (!grown)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    if (spill->dead_count > 0)
        memcpy(grown, spill->dead, spill->dead_count * sizeof(*grown));
    mutex_lock(&spill->of->runs_mutex);
    DeadPlaces *old = spill->dead;
    spill->dead = grown;
    spill->dead_capacity = capacity;
    mutex_unlock(&spill->of->runs_mutex);
    memory_free(old);
    return true;
}

static bool spill_new(Txn *txn, TreeWrites *writes)
{
    TxnTree *tree = writes->tree;
    Database *database = store_database(txn->manager->store, tree->database);
    if (!database)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("database %u does not exist", tree->database));
    WriteSpill *spill = memory_calloc(1, sizeof(*spill));
    if (!spill)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    spill->tree = tree_new_private(database, TREE_KEY_VALUE, NULL);
    if (!spill->tree) {
        memory_free(spill);
        return false;
    }
    spill->of = tree;
    spill->session = txn->session;
    spill->references = 1;
    txn_tree_ref(tree);
    txn->session->has_spills = true;
    mutex_lock(&tree->runs_mutex);
    spill->next_in_tree = tree->spills;
    tree->spills = spill;
    atomic_fetch_add(&tree->spill_count, 1);
    mutex_unlock(&tree->runs_mutex);
    writes->spill = spill;
    return true;
}

bool write_spill_make(Txn *txn, TreeWrites *writes)
{
    TRY(writes->spill || spill_new(txn, writes));
    return spill_extend(writes->spill, txn->writes.place);
}

void write_spill_free(WriteSpill *spill)
{
    tree_discard(spill->tree);
    tree_discard(spill->built);
    txn_tree_close(spill->of);
    memory_free(spill->dead);
    strbuf_deinit(&spill->least);
    strbuf_deinit(&spill->greatest);
    memory_free(spill);
}

void write_spill_roll_back(WriteSpill *spill, uint64_t from, uint64_t end)
{
    if (from == end || from >= spill->end)
        return;
    mutex_lock(&spill->of->runs_mutex);
    while (spill->dead_count > 0 && spill->dead[spill->dead_count - 1].first >= from)
        spill->dead_count--;
    if (spill->dead_count > 0 && spill->dead[spill->dead_count - 1].end >= from)
        from = spill->dead[--spill->dead_count].first;
    assert(spill->dead_count < spill->dead_capacity);
    spill->dead[spill->dead_count++] = (DeadPlaces){.first = from, .end = end};
    mutex_unlock(&spill->of->runs_mutex);
}

/* ------------------------------------------------------------------ what the pairs reach over */

/* Surely it has no pairs of the row, or of a key that begins like this. */
static bool spill_lacks(const WriteSpill *spill, uint64_t row_id, Str prefix)
{
    if (!spill->has_pairs)
        return true;
    if (spill->of->kind == TREE_TABLE)
        return row_id < spill->least_row || row_id > spill->greatest_row;
    const Str least = strbuf_view(&spill->least);
    return str_compare(prefix, strbuf_view(&spill->greatest)) > 0 ||
           (str_compare(prefix, least) < 0 && !str_starts_with(least, prefix));
}

static void set_key(StrBuf *buf, Str key)
{
    strbuf_truncate(buf, 0);
    strbuf_append(buf, key);
}

/* The nodes in memory have become pairs, or some of them have. */
static void spill_reach(const TreeWrites *writes)
{
    WriteSpill *spill = writes->spill;
    const WriteNode *first = writes->first->next[0], *last = writes_last(writes);

    if (!spill->has_pairs || !first)
        return;
    const bool is_first = !spill->reaches;
    spill->reaches = true;
    if (spill->of->kind == TREE_TABLE) {
        spill->least_row = is_first ? first->row_id : MIN(spill->least_row, first->row_id);
        spill->greatest_row = MAX(spill->greatest_row, last->row_id);
        return;
    }
    if (is_first || str_compare(first->key, strbuf_view(&spill->least)) < 0)
        set_key(&spill->least, first->key);
    if (is_first || str_compare(last->key, strbuf_view(&spill->greatest)) > 0)
        set_key(&spill->greatest, last->key);
}

/* ------------------------------------------------------------------ pairs, some at a time */

#define BATCH_PAIRS 64u

/* Nodes come in key order, so that pairs side by side go to one leaf. */
typedef struct SpillBatch {
    WriteSpill *spill;
    Arena *scratch; /* for chains of the pairs in the batch */
    uint32_t count;
    TreePair pairs[BATCH_PAIRS];
    char rows[BATCH_PAIRS][ROW_PAIR_SIZE];
} SpillBatch;

static bool batch_put(SpillBatch *batch)
{
    const uint32_t count = batch->count;

    batch->count = 0;
    TRY(tree_kv_put_all(batch->spill->tree, batch->pairs, count));
    arena_reset(batch->scratch);
    return true;
}

static bool spill_row(SpillBatch *batch, const WriteNode *node)
{
    for (const WriteEntry *entry = node->head; entry; entry = entry->older) {
        if (batch->count == BATCH_PAIRS)
            TRY(batch_put(batch));
        char *key = batch->rows[batch->count];
        row_pair_put(key, node->row_id, entry);
        batch->pairs[batch->count++] = (TreePair){.key = str_make(key, ROW_PAIR_SIZE),
                                                  .value = str_make(entry->image, entry->length)};
    }
    return true;
}

/* Entries that were spilled earlier than those of the chain. */
static bool chain_add_spilled(const WriteSpill *spill, Str key, uint64_t oldest, Arena *scratch,
                              StrBuf *chain)
{
    Str before;
    const TreeFound found = tree_kv_get(spill->tree, key, scratch, &before);

    TRY(found);
    for (size_t at = 0; found == TREE_FOUND && at + KEY_ITEM_SIZE <= before.length;
         at += KEY_ITEM_SIZE) {
        const SpilledEntry entry = get_numbers(before.data + at);
        /* Put by a spill that failed half way, or void. */
        if (entry.place >= oldest || place_is_dead(spill, entry.place))
            continue;
        strbuf_append_bytes(chain, before.data + at, KEY_ITEM_SIZE);
    }
    return true;
}

/* The entries in memory before those that were spilled earlier. */
static bool spill_key(SpillBatch *batch, const WriteNode *node)
{
    uint64_t oldest = 0;

    if (batch->count == BATCH_PAIRS)
        TRY(batch_put(batch));
    StrBuf chain = strbuf_in(batch->scratch);
    for (const WriteEntry *entry = node->head; entry; entry = entry->older) {
        char item[KEY_ITEM_SIZE];
        put_numbers(item, entry->place, entry);
        strbuf_append_bytes(&chain, item, sizeof(item));
        oldest = entry->place;
    }
    if (!spill_lacks(batch->spill, node->row_id, node->key))
        TRY(chain_add_spilled(batch->spill, node->key, oldest, batch->scratch, &chain));
    batch->pairs[batch->count++] = (TreePair){.key = node->key, .value = strbuf_view(&chain)};
    return true;
}

static bool spill_each(Txn *txn, TreeWrites *writes, bool *ret_has_pairs)
{
    CLEANUP(arena_freep) Arena *scratch = arena_new("spilling");
    SpillBatch batch = {.spill = writes->spill, .scratch = scratch};
    const bool is_table = writes->tree->kind == TREE_TABLE;

    for (const WriteNode *node = writes->first->next[0]; node; node = node->next[0]) {
        bool taken;
        CHECK_INTERRUPTS();
        if (!node->head)
            continue;
        TRY(built_take(txn, writes, node, &taken));
        if (taken)
            continue;
        *ret_has_pairs = true;
        TRY(is_table ? spill_row(&batch, node) : spill_key(&batch, node));
    }
    return batch_put(&batch);
}

/* However far it comes: what it has put there is looked for. */
static bool spill_pairs(Txn *txn, TreeWrites *writes)
{
    bool has_pairs = writes->spill->has_pairs;
    const bool done = spill_each(txn, writes, &has_pairs);

    writes->spill->has_pairs = has_pairs;
    spill_reach(writes);
    return done;
}

static bool spill_nodes(Txn *txn, TreeWrites *writes)
{
    TRY(write_spill_make(txn, writes) && built_begin(txn, writes));
    return built_end(writes, spill_pairs(txn, writes));
}

/* The nodes are on temporary pages: their locks and their memory may go. */
static void nodes_drop(Txn *txn, TreeWrites *writes)
{
    const bool is_unique = writes->tree->kind == TREE_INDEX &&
                           atomic_load_explicit(&writes->tree->is_unique, memory_order_relaxed);

    uint32_t count = 0;

    for (WriteNode *node = writes->first->next[0]; node; node = node->next[0]) {
        if (++count % PACE_LOOPS == 0)
            pace_turn();
        if (is_unique && node->head)
            unique_key_unlock(txn, writes->tree, node->key);
        for (WriteEntry *entry = node->head; entry; entry = entry->older)
            entry->node = NULL;
    }
}

void writes_log_compact(WriteSet *set)
{
    size_t kept = 0;

    for (size_t i = 0; i < set->log_length; i++) {
        if (set->log[i]->node)
            set->log[kept++] = set->log[i];
        if (i % PACE_LOOPS == PACE_LOOPS - 1)
            pace_turn();
    }
    set->log_length = kept;
}

static void nodes_forget(TreeWrites *writes)
{
    for (uint32_t i = 0; i < WRITE_MAX_HEIGHT; i++) {
        writes->first->next[i] = NULL;
        writes->last[i] = writes->first;
    }
    writes->height = 1;
    writes->bytes = 0;
    pace_arena_reset(writes->arena);
}

bool writes_spill(Txn *txn)
{
    WriteSet *set = &txn->writes;

    /* Tables first: the rows' runs say what of the indexes may be built. */
    for (TreeWrites *writes = set->trees; writes; writes = writes->following)
        if (writes->arena && writes->tree->kind == TREE_TABLE)
            TRY(spill_nodes(txn, writes));
    for (TreeWrites *writes = set->trees; writes; writes = writes->following)
        if (writes->arena && writes->tree->kind != TREE_TABLE)
            TRY(spill_nodes(txn, writes));
    for (TreeWrites *writes = set->trees; writes; writes = writes->following)
        if (writes->arena)
            nodes_drop(txn, writes);
    writes_log_compact(set);
    for (TreeWrites *writes = set->trees; writes; writes = writes->following)
        if (writes->arena)
            nodes_forget(writes);
    set->arena_bytes = 0;
    set->spill_count++;
    return true;
}

/* ------------------------------------------------------------------ looking */

/* False: surely no key begins like this. */
static bool spill_may_have(const WriteSpill *spill, Str prefix, bool *ret_may_have)
{
    char buffer[TREE_MAX_KEY];
    Str first;
    bool is_ghost;
    const TreeFound found = tree_index_first(spill->tree, prefix, buffer, &first, &is_ghost);

    TRY(found);
    *ret_may_have = found == TREE_FOUND && str_starts_with(first, prefix);
    return true;
}

bool writes_may_have(const TreeWrites *writes, Str prefix, bool *ret_may_have)
{
    *ret_may_have = false;
    /* Ascending keys, the usual ones of a bulk load. */
    if (writes->arena && str_compare(prefix, strbuf_view(&writes->greatest)) > 0)
        return true;
    const WriteNode *node = writes_seek(writes, 0, prefix);
    *ret_may_have = node && str_starts_with(node->key, prefix);
    if (*ret_may_have || !writes->spill)
        return true;
    if (!spill_lacks(writes->spill, 0, prefix))
        TRY(spill_may_have(writes->spill, prefix, ret_may_have));
    return *ret_may_have || built_may_have(writes, prefix, ret_may_have);
}

/* What memory says of a row or key. */
static void seen_in_memory(const WriteNode *node, uint32_t command, WriteSeen *seen,
                           const WriteEntry **ret_entry)
{
    const WriteEntry *entry = node->head;

    *ret_entry = write_seen(node, command);
    if (*ret_entry) {
        seen->found = true;
        seen->op = (*ret_entry)->op;
        seen->command = (*ret_entry)->command;
    }
    for (; entry; entry = entry->older)
        seen->fresh = entry->fresh;
}

/* A spilled entry, each older than those before it. True: it is the one to be seen. */
static bool seen_add(WriteSeen *seen, const WriteSpill *spill, const SpilledEntry *entry,
                     uint32_t command)
{
    if (place_is_dead(spill, entry->place))
        return false;
    seen->fresh = entry->fresh;
    if (seen->found || entry->command >= command)
        return false;
    seen->found = true;
    seen->op = entry->op;
    seen->command = entry->command;
    return true;
}

static uint64_t row_of_key(const TxnTree *tree, uint64_t row_id, Str key)
{
    if (tree->kind == TREE_TABLE)
        return row_id;
    return key.length >= sizeof(uint64_t) ? tree_key_row_id(key) : 0;
}

bool writes_look(Txn *txn, const TxnTree *tree, uint64_t row_id, Str key, uint32_t command,
                 Arena *arena, WriteSeen *ret_seen)
{
    TreeWrites *writes = writes_find(txn, tree);
    const WriteNode *node = writes ? writes_get(writes, row_id, key) : NULL;
    const WriteEntry *entry = NULL;

    *ret_seen = (WriteSeen){0};
    if (!writes)
        return true;
    if (writes->spill && (writes->spill->has_pairs || node)) {
        const uint64_t id = __builtin_bswap64(row_id);
        const Str prefix = tree->kind == TREE_TABLE ? str_make((const char *)&id, sizeof(id)) : key;
        bool may_have = built_run(writes, row_of_key(tree, row_id, key)) != NULL;
        if (!may_have && !spill_lacks(writes->spill, row_id, key))
            TRY(spill_may_have(writes->spill, prefix, &may_have));
        if (may_have) {
            CLEANUP(arena_freep) Arena *none = arena ? NULL : arena_new("write set look-up");
            WriteCursor cursor;
            write_cursor_init(&cursor, txn, writes, command, arena ? arena : none);
            cursor.keys_only = arena == NULL;
            cursor.last_row_id = row_id;
            cursor.prefix = key;
            bool done = write_cursor_seek(&cursor, row_id, key);
            if (done && cursor.valid && (tree->kind == TREE_TABLE || str_equal(cursor.key, key)))
                *ret_seen = cursor.seen;
            write_cursor_deinit(&cursor);
            return done;
        }
    }
    if (!node)
        return !writes->spill || built_look(writes, row_id, key, command, arena, ret_seen);
    seen_in_memory(node, command, ret_seen, &entry);
    if (arena && entry && entry->op == WRITE_PUT)
        return write_image(writes, entry, arena, &ret_seen->image);
    return true;
}

/* ------------------------------------------------------------------ cursors */

void write_cursor_init(WriteCursor *cursor, Txn *txn, TreeWrites *writes, uint32_t command,
                       Arena *arena)
{
    *cursor = (WriteCursor){.txn = txn,
                            .writes = writes,
                            .command = command,
                            .last_row_id = UINT64_MAX,
                            .arena = arena};
}

void write_cursor_deinit(WriteCursor *cursor)
{
    if (cursor->spilled) {
        tree_cursor_deinit(cursor->spilled);
        memory_free(cursor->spilled);
        cursor->spilled = NULL;
    }
    built_cursor_free(cursor->built);
    cursor->built = NULL;
    strbuf_deinit(&cursor->place);
    cursor->valid = false;
}

static bool is_table(const WriteCursor *cursor)
{
    return cursor->writes->tree->kind == TREE_TABLE;
}

static bool parts_open(WriteCursor *cursor)
{
    const WriteSpill *spill = cursor->writes->spill;
    const uint32_t spill_count = cursor->txn->writes.spill_count;

    /* The built part may have gone since, and another one have its place. */
    if (cursor->spill_count != spill_count) {
        built_cursor_free(cursor->built);
        cursor->built = NULL;
        cursor->spill_count = spill_count;
    }
    if (spill && spill->built && !cursor->built && !cursor->no_built)
        TRY(cursor->built =
                built_cursor_new(cursor->writes, cursor->is_backward, cursor->keys_only));
    if (cursor->spilled || !spill || !spill->has_pairs)
        return true;
    cursor->spilled = memory_calloc(1, sizeof(*cursor->spilled));
    if (!cursor->spilled)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    tree_cursor_init(cursor->spilled, cursor->writes->spill->tree,
                     cursor->is_backward ? TREE_BACKWARD : TREE_FORWARD);
    return true;
}

static bool position_at(WriteCursor *cursor, uint64_t row_id, Str key)
{
    const uint64_t id = __builtin_bswap64(row_id);

    cursor->node = writes_seek(cursor->writes, row_id, key);
    TRY(parts_open(cursor));
    TRY(!cursor->built || built_cursor_seek(cursor->built, row_id, key));
    return !cursor->spilled ||
           tree_cursor_seek(cursor->spilled,
                            is_table(cursor) ? str_make((const char *)&id, sizeof(id)) : key,
                            SEEK_AT);
}

static bool position_before(WriteCursor *cursor, Str key)
{
    cursor->node =
        key.length > 0 ? writes_seek_before(cursor->writes, 0, key) : writes_last(cursor->writes);
    TRY(parts_open(cursor));
    TRY(!cursor->built || built_cursor_seek_before(cursor->built, key));
    return !cursor->spilled ||
           tree_cursor_seek(cursor->spilled, key, key.length > 0 ? SEEK_BEYOND : SEEK_AT);
}

/* Nodes have gone from memory since the last call, or a built part's rows have been taken back. */
static bool find_again(WriteCursor *cursor)
{
    const Str place = cursor->place.length > 0 ? strbuf_view(&cursor->place) : cursor->key;

    if (is_table(cursor))
        return position_at(cursor, cursor->row_id + 1, STR_NONE);
    if (cursor->is_backward)
        return position_before(cursor, place);
    TRY(position_at(cursor, 0, place));
    if (cursor->node && str_equal(cursor->node->key, place))
        cursor->node = cursor->node->next[0];
    if (cursor->spilled && tree_cursor_valid(cursor->spilled) &&
        str_equal(tree_cursor_key(cursor->spilled), place))
        TRY(tree_cursor_advance(cursor->spilled));
    if (cursor->built && built_cursor_valid(cursor->built) &&
        str_equal(built_cursor_key(cursor->built), place))
        TRY(built_cursor_next(cursor->built));
    return true;
}

/* Where a part is; what a table's has is its row id alone. */
typedef struct PartPlace {
    bool is_valid;
    uint64_t row_id;
    Str key;
} PartPlace;

static bool place_in_spill(const WriteCursor *cursor, PartPlace *ret_place)
{
    SpilledEntry entry;

    *ret_place = (PartPlace){.is_valid = cursor->spilled && tree_cursor_valid(cursor->spilled)};
    if (!ret_place->is_valid)
        return true;
    ret_place->key = tree_cursor_key(cursor->spilled);
    return !is_table(cursor) ||
           row_pair_get(cursor->writes->spill, ret_place->key, &ret_place->row_id, &entry);
}

static PartPlace place_in_built(const WriteCursor *cursor)
{
    if (!cursor->built || !built_cursor_valid(cursor->built))
        return (PartPlace){0};
    if (is_table(cursor))
        return (PartPlace){.is_valid = true, .row_id = built_cursor_row_id(cursor->built)};
    return (PartPlace){.is_valid = true, .key = built_cursor_key(cursor->built)};
}

/* Negative: `a` comes first in the cursor's direction. Parts at their end come last. */
static int places_compare(const WriteCursor *cursor, const PartPlace *a, const PartPlace *b)
{
    if (!a->is_valid || !b->is_valid)
        return a->is_valid ? -1 : b->is_valid ? 1 : 0;
    if (is_table(cursor))
        return (a->row_id > b->row_id) - (a->row_id < b->row_id);
    const int order = str_compare(a->key, b->key);
    return cursor->is_backward ? -order : order;
}

static bool is_wanted(const WriteCursor *cursor, const PartPlace *next)
{
    if (is_table(cursor))
        return next->row_id <= cursor->last_row_id;
    if (!str_starts_with(next->key, cursor->prefix))
        return false;
    if (str_is_none(cursor->bound))
        return true;
    return str_compare(next->key, cursor->bound) < 0 ? !cursor->is_backward : cursor->is_backward;
}

/* What is borrowed from a page, for as long as the cursor's arena lasts. */
static bool keep_image(WriteCursor *cursor, Str image)
{
    char *copy = arena_try_alloc(cursor->arena, MAX(image.length, (size_t)1));

    TRY(copy);
    memcpy(copy, image.data, image.length);
    cursor->seen.image = str_make(copy, image.length);
    return true;
}

/* The row's spilled entries, of which the cursor is at the first; passes them. */
static bool take_spilled_row(WriteCursor *cursor)
{
    TreeCursor *spilled = cursor->spilled;
    const WriteSpill *spill = cursor->writes->spill;
    SpilledEntry entry;
    uint64_t row_id;

    TRY(row_pair_get(spill, tree_cursor_key(spilled), &cursor->row_id, &entry));
    for (;;) {
        if (seen_add(&cursor->seen, spill, &entry, cursor->command) && entry.op == WRITE_PUT &&
            !cursor->keys_only) {
            Str image;
            TRY(tree_cursor_value(spilled, cursor->arena, &image));
            TRY(keep_image(cursor, image));
        }
        TRY(tree_cursor_advance(spilled));
        if (!tree_cursor_valid(spilled))
            return true;
        TRY(row_pair_get(spill, tree_cursor_key(spilled), &row_id, &entry));
        if (row_id != cursor->row_id)
            return true;
    }
}

static bool take_spilled_key(WriteCursor *cursor)
{
    TreeCursor *spilled = cursor->spilled;
    CLEANUP(arena_freep) Arena *large = NULL;
    Str items;

    strbuf_truncate(&cursor->place, 0);
    strbuf_append(&cursor->place, tree_cursor_key(spilled));
    cursor->key = strbuf_view(&cursor->place);
    cursor->row_id = cursor->key.length >= 8 ? tree_key_row_id(cursor->key) : 0;
    if (spilled->entries[spilled->index].external)
        large = arena_new("spilled key");
    TRY(tree_cursor_value(spilled, large, &items));
    for (size_t at = 0; at + KEY_ITEM_SIZE <= items.length; at += KEY_ITEM_SIZE) {
        const SpilledEntry entry = get_numbers(items.data + at);
        seen_add(&cursor->seen, cursor->writes->spill, &entry, cursor->command);
    }
    return tree_cursor_advance(spilled);
}

static bool take_node(WriteCursor *cursor)
{
    const WriteNode *node = cursor->node;
    const WriteEntry *entry;

    assert(node);
    cursor->node = cursor->is_backward ? node->previous : node->next[0];
    if (node->is_built)
        return true;
    cursor->row_id = node->row_id;
    cursor->key = node->key;
    seen_in_memory(node, cursor->command, &cursor->seen, &entry);
    if (entry && entry->op == WRITE_PUT && !cursor->keys_only)
        TRY(write_image(cursor->writes, entry, cursor->arena, &cursor->seen.image));
    return true;
}

static bool take_built(WriteCursor *cursor)
{
    BuiltCursor *built = cursor->built;
    const uint64_t row_id = built_cursor_row_id(built);
    const BuiltRun *run = built_run(cursor->writes, row_id);

    cursor->row_id = row_id;
    if (!is_table(cursor)) {
        strbuf_truncate(&cursor->place, 0);
        strbuf_append(&cursor->place, built_cursor_key(built));
        cursor->key = strbuf_view(&cursor->place);
    }
    cursor->seen.fresh = is_table(cursor);
    if (!cursor->seen.found && run->command < cursor->command) {
        cursor->seen.found = true;
        cursor->seen.op = WRITE_PUT;
        cursor->seen.command = run->command;
        if (is_table(cursor) && !cursor->keys_only) {
            Str image;
            TRY(built_cursor_image(built, cursor->arena, &image));
            TRY(keep_image(cursor, image));
        }
    }
    return built_cursor_next(built);
}

/* The next row or key, from all parts that are at it: the newest first. */
static bool take_next_place(WriteCursor *cursor, bool *ret_any)
{
    const WriteNode *node = cursor->node;
    const PartPlace memory = {.is_valid = node != NULL,
                              .row_id = node ? node->row_id : 0,
                              .key = node ? node->key : STR_NONE};
    const PartPlace built = place_in_built(cursor);
    PartPlace spilled;

    TRY(place_in_spill(cursor, &spilled));
    const PartPlace *first = &memory;
    if (places_compare(cursor, &spilled, first) < 0)
        first = &spilled;
    if (places_compare(cursor, &built, first) < 0)
        first = &built;
    *ret_any = first->is_valid && is_wanted(cursor, first);
    if (!*ret_any)
        return true;
    /* Each moves its own part only. */
    const bool at_memory = places_compare(cursor, &memory, first) == 0;
    const bool at_spilled = places_compare(cursor, &spilled, first) == 0;
    const bool at_built = places_compare(cursor, &built, first) == 0;
    if (at_memory)
        TRY(take_node(cursor));
    if (at_spilled)
        TRY(is_table(cursor) ? take_spilled_row(cursor) : take_spilled_key(cursor));
    return !at_built || take_built(cursor);
}

/* The next row or key that is to be seen, from where all parts are. */
static bool take_next(WriteCursor *cursor)
{
    bool any = true;

    cursor->valid = false;
    while (!cursor->valid) {
        CHECK_INTERRUPTS();
        cursor->seen = (WriteSeen){0};
        TRY(take_next_place(cursor, &any));
        if (!any)
            return true;
        cursor->valid = cursor->seen.found;
    }
    if (cursor->writes->arena && !is_table(cursor)) {
        cursor->key = str_copy(cursor->arena, cursor->key);
        strbuf_truncate(&cursor->place, 0);
        strbuf_append(&cursor->place, cursor->key);
    }
    return true;
}

bool write_cursor_seek(WriteCursor *cursor, uint64_t row_id, Str key)
{
    cursor->valid = false;
    strbuf_truncate(&cursor->place, 0);
    if (!cursor->writes)
        return true;
    TRY(position_at(cursor, row_id, key));
    return take_next(cursor);
}

bool write_cursor_seek_before(WriteCursor *cursor, Str key)
{
    cursor->valid = false;
    strbuf_truncate(&cursor->place, 0);
    if (!cursor->writes)
        return true;
    TRY(position_before(cursor, key));
    return take_next(cursor);
}

bool write_cursor_next(WriteCursor *cursor)
{
    assert(cursor->valid);
    if (unlikely(cursor->spill_count != cursor->txn->writes.spill_count))
        TRY(find_again(cursor));
    return take_next(cursor);
}

/* ------------------------------------------------------------------ for others */

/* Under the tree's mutex: the owner may be rolling back to a savepoint. */
static bool any_item_lives(WriteSpill *spill, Str items)
{
    bool lives = false;

    mutex_lock(&spill->of->runs_mutex);
    for (size_t at = 0; at + KEY_ITEM_SIZE <= items.length && !lives; at += KEY_ITEM_SIZE)
        lives = !place_is_dead(spill, get_numbers(items.data + at).place);
    mutex_unlock(&spill->of->runs_mutex);
    return lives;
}

/* An entry of exactly this key in the built part, where what was taken back is gone. */
static bool built_has_key(Tree *built, Str key, bool *ret_has)
{
    CLEANUP(tree_cursor_deinit) TreeCursor cursor;

    tree_cursor_init(&cursor, built, TREE_FORWARD);
    cursor.limit = 4;
    TRY(tree_cursor_seek(&cursor, key, SEEK_AT));
    while (tree_cursor_valid(&cursor) && !*ret_has) {
        const Str entry = tree_cursor_key(&cursor);
        if (!str_starts_with(entry, key))
            break;
        *ret_has = entry.length == key.length + sizeof(uint64_t);
        TRY(tree_cursor_advance(&cursor));
    }
    return true;
}

bool write_spill_has_key(WriteSpill *spill, Str key, bool *ret_has)
{
    CLEANUP(tree_cursor_deinit) TreeCursor cursor;
    CLEANUP(arena_freep) Arena *large = NULL;

    mutex_lock(&spill->of->runs_mutex);
    Tree *built = spill->is_closed ? NULL : spill->built;
    *ret_has = spill->is_closed; /* by what is surely its holder, or soon no more */
    mutex_unlock(&spill->of->runs_mutex);
    tree_cursor_init(&cursor, spill->tree, TREE_FORWARD);
    if (built && !*ret_has)
        TRY(built_has_key(built, key, ret_has));
    if (*ret_has)
        return true;
    TRY(spill_may_have(spill, key, ret_has));
    if (!*ret_has)
        return true;
    *ret_has = false;
    large = arena_new("spilled key");
    cursor.limit = 4;
    TRY(tree_cursor_seek(&cursor, key, SEEK_AT));
    while (tree_cursor_valid(&cursor) && !*ret_has) {
        const Str entry = tree_cursor_key(&cursor);
        Str items;
        if (!str_starts_with(entry, key))
            break;
        if (entry.length == key.length + sizeof(uint64_t)) {
            TRY(tree_cursor_value(&cursor, large, &items));
            *ret_has = any_item_lives(spill, items);
        }
        TRY(tree_cursor_advance(&cursor));
    }
    return true;
}
