/* The write set's part on temporary pages, and reading over both parts. */
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "txn/txn_internal.h"

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

static bool spill_make(Txn *txn, TreeWrites *writes)
{
    TxnTree *tree = writes->tree;

    if (writes->spill)
        return true;
    Database *database = store_database(txn->manager->store, tree->database);
    if (!database)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("database %u does not exist", tree->database));
    WriteSpill *spill = memory_calloc(1, sizeof(*spill));
    if (!spill)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    spill->tree = tree_new_private(database, TREE_KEY_VALUE, NULL);
    if (!spill->tree) {
        free(spill);
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

void write_spill_free(WriteSpill *spill)
{
    tree_discard(spill->tree);
    txn_tree_close(spill->of);
    free(spill->dead);
    free(spill);
}

void write_spill_roll_back(WriteSpill *spill, uint64_t from, uint64_t end)
{
    if (from == end)
        return;
    mutex_lock(&spill->of->runs_mutex);
    while (spill->dead_count > 0 && spill->dead[spill->dead_count - 1].first >= from)
        spill->dead_count--;
    if (spill->dead_count > 0 && spill->dead[spill->dead_count - 1].end >= from)
        from = spill->dead[--spill->dead_count].first;
    if (spill->dead_count == spill->dead_capacity) {
        uint32_t capacity = spill->dead_capacity ? spill->dead_capacity * 2 : 4;
        DeadPlaces *grown = memory_realloc(spill->dead, capacity * sizeof(*grown));
        if (!grown)
            panic("out of memory for a rollback");
        spill->dead = grown;
        spill->dead_capacity = capacity;
    }
    spill->dead[spill->dead_count++] = (DeadPlaces){.first = from, .end = end};
    mutex_unlock(&spill->of->runs_mutex);
}

static bool spill_row(WriteSpill *spill, const WriteNode *node)
{
    char key[ROW_PAIR_SIZE];

    for (const WriteEntry *entry = node->head; entry; entry = entry->older) {
        row_pair_put(key, node->row_id, entry);
        TRY(tree_kv_put(spill->tree, str_make(key, sizeof(key)),
                        str_make(entry->image, entry->length)));
    }
    return true;
}

/* The entries in memory before those that were spilled earlier. */
static bool spill_key(WriteSpill *spill, const WriteNode *node, Arena *scratch)
{
    StrBuf chain = strbuf_in(scratch);
    uint64_t oldest = 0;
    Str before;

    for (const WriteEntry *entry = node->head; entry; entry = entry->older) {
        char item[KEY_ITEM_SIZE];
        put_numbers(item, entry->place, entry);
        strbuf_append_bytes(&chain, item, sizeof(item));
        oldest = entry->place;
    }
    TreeFound found = tree_kv_get(spill->tree, node->key, scratch, &before);
    TRY(found);
    for (size_t at = 0; found == TREE_FOUND && at + KEY_ITEM_SIZE <= before.length;
         at += KEY_ITEM_SIZE) {
        const SpilledEntry entry = get_numbers(before.data + at);
        /* Put by a spill that failed half way, or void. */
        if (entry.place >= oldest || place_is_dead(spill, entry.place))
            continue;
        strbuf_append_bytes(&chain, before.data + at, KEY_ITEM_SIZE);
    }
    return tree_kv_put(spill->tree, node->key, strbuf_view(&chain));
}

static bool spill_nodes(Txn *txn, TreeWrites *writes)
{
    CLEANUP(arena_freep) Arena *scratch = arena_new("spilling");
    const bool is_table = writes->tree->kind == TREE_TABLE;

    TRY(spill_make(txn, writes));
    for (const WriteNode *node = writes->first->next[0]; node; node = node->next[0]) {
        CHECK_INTERRUPTS();
        if (!node->head)
            continue;
        TRY(is_table ? spill_row(writes->spill, node) : spill_key(writes->spill, node, scratch));
        arena_reset(scratch);
    }
    return true;
}

/* The nodes are on temporary pages: their locks and their memory may go. */
static void nodes_drop(Txn *txn, TreeWrites *writes)
{
    const bool is_unique = writes->tree->kind == TREE_INDEX &&
                           atomic_load_explicit(&writes->tree->is_unique, memory_order_relaxed);

    for (WriteNode *node = writes->first->next[0]; node; node = node->next[0]) {
        if (is_unique && node->head)
            unique_key_unlock(txn, writes->tree, node->key);
        for (WriteEntry *entry = node->head; entry; entry = entry->older)
            entry->node = NULL;
    }
}

void writes_log_compact(WriteSet *set)
{
    size_t kept = 0;

    for (size_t i = 0; i < set->log_length; i++)
        if (set->log[i]->node)
            set->log[kept++] = set->log[i];
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
    arena_reset(writes->arena);
}

bool writes_spill(Txn *txn)
{
    WriteSet *set = &txn->writes;

    for (TreeWrites *writes = set->trees; writes; writes = writes->following)
        if (writes->arena)
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
    const WriteNode *node = writes_seek(writes, 0, prefix);

    *ret_may_have = node && str_starts_with(node->key, prefix);
    return *ret_may_have || !writes->spill || spill_may_have(writes->spill, prefix, ret_may_have);
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

bool writes_look(Txn *txn, const TxnTree *tree, uint64_t row_id, Str key, uint32_t command,
                 Arena *arena, WriteSeen *ret_seen)
{
    TreeWrites *writes = writes_find(txn, tree);
    const WriteNode *node = writes ? writes_get(writes, row_id, key) : NULL;
    const WriteEntry *entry = NULL;

    *ret_seen = (WriteSeen){0};
    if (!writes)
        return true;
    if (writes->spill) {
        const uint64_t id = __builtin_bswap64(row_id);
        const Str prefix = tree->kind == TREE_TABLE ? str_make((const char *)&id, sizeof(id)) : key;
        bool may_have;
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
        return true;
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
        free(cursor->spilled);
        cursor->spilled = NULL;
    }
    strbuf_deinit(&cursor->place);
    cursor->valid = false;
}

static bool is_table(const WriteCursor *cursor)
{
    return cursor->writes->tree->kind == TREE_TABLE;
}

static bool spilled_open(WriteCursor *cursor)
{
    if (cursor->spilled || !cursor->writes->spill)
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

    cursor->spill_count = cursor->txn->writes.spill_count;
    cursor->node = writes_seek(cursor->writes, row_id, key);
    TRY(spilled_open(cursor));
    return !cursor->spilled ||
           tree_cursor_seek(cursor->spilled,
                            is_table(cursor) ? str_make((const char *)&id, sizeof(id)) : key,
                            SEEK_AT);
}

static bool position_before(WriteCursor *cursor, Str key)
{
    cursor->spill_count = cursor->txn->writes.spill_count;
    cursor->node =
        key.length > 0 ? writes_seek_before(cursor->writes, 0, key) : writes_last(cursor->writes);
    TRY(spilled_open(cursor));
    return !cursor->spilled ||
           tree_cursor_seek(cursor->spilled, key, key.length > 0 ? SEEK_BEYOND : SEEK_AT);
}

/* Nodes have gone from memory since the last call. */
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
    return true;
}

/* The row or key that comes next, and where it is: in memory, on temporary pages, or in both. */
typedef struct NextWrite {
    bool in_memory, is_spilled;
    uint64_t row_id;
    Str key;
} NextWrite;

static bool next_write(const WriteCursor *cursor, NextWrite *ret_next)
{
    const WriteNode *node = cursor->node;
    const bool has_spilled = cursor->spilled && tree_cursor_valid(cursor->spilled);
    NextWrite spilled = {.is_spilled = true};
    SpilledEntry entry;
    int order = -1;

    if (has_spilled) {
        spilled.key = tree_cursor_key(cursor->spilled);
        if (is_table(cursor))
            TRY(row_pair_get(cursor->writes->spill, spilled.key, &spilled.row_id, &entry));
        order = !node ? 1
                : is_table(cursor)
                    ? (node->row_id > spilled.row_id) - (node->row_id < spilled.row_id)
                    : str_compare(node->key, spilled.key);
        if (node && cursor->is_backward)
            order = -order;
    }
    *ret_next = spilled;
    if (order <= 0)
        *ret_next = (NextWrite){
            .in_memory = true, .is_spilled = order == 0, .row_id = node->row_id, .key = node->key};
    return true;
}

static bool is_wanted(const WriteCursor *cursor, const NextWrite *next)
{
    if (is_table(cursor))
        return next->row_id <= cursor->last_row_id;
    if (!str_starts_with(next->key, cursor->prefix))
        return false;
    if (str_is_none(cursor->bound))
        return true;
    return str_compare(next->key, cursor->bound) < 0 ? !cursor->is_backward : cursor->is_backward;
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
            char *copy = arena_try_alloc(cursor->arena, MAX(image.length, (size_t)1));
            TRY(copy);
            memcpy(copy, image.data, image.length);
            cursor->seen.image = str_make(copy, image.length);
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

    cursor->row_id = node->row_id;
    cursor->key = node->key;
    seen_in_memory(node, cursor->command, &cursor->seen, &entry);
    if (entry && entry->op == WRITE_PUT && !cursor->keys_only)
        TRY(write_image(cursor->writes, entry, cursor->arena, &cursor->seen.image));
    cursor->node = cursor->is_backward ? node->previous : node->next[0];
    return true;
}

/* The next row or key that is to be seen, from where both parts are. */
static bool take_next(WriteCursor *cursor)
{
    cursor->valid = false;
    while (!cursor->valid) {
        NextWrite next;
        if (!cursor->node && !(cursor->spilled && tree_cursor_valid(cursor->spilled)))
            return true;
        CHECK_INTERRUPTS();
        TRY(next_write(cursor, &next));
        if (!is_wanted(cursor, &next))
            return true;
        cursor->seen = (WriteSeen){0};
        if (next.in_memory)
            TRY(take_node(cursor));
        if (next.is_spilled)
            TRY(is_table(cursor) ? take_spilled_row(cursor) : take_spilled_key(cursor));
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

bool write_spill_has_key(WriteSpill *spill, Str key, bool *ret_has)
{
    CLEANUP(tree_cursor_deinit) TreeCursor cursor;
    CLEANUP(arena_freep) Arena *large = NULL;

    tree_cursor_init(&cursor, spill->tree, TREE_FORWARD);
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
