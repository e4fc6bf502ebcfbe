#include "txn/write_set.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/pace.h"
#include "txn/fresh.h"
#include "txn/txn_internal.h"
#include "txn/write_built.h"

#define FEW_TREES 8
#define OWN_ARENA_BYTES (256u << 10) /* written to a tree before it gets an arena of its own */

static int key_compare(const WriteNode *node, uint64_t row_id, Str key, bool by_row)
{
    if (by_row)
        return (node->row_id > row_id) - (node->row_id < row_id);
    return str_compare(node->key, key);
}

TreeWrites *writes_find(Txn *txn, const TxnTree *tree)
{
    WriteSet *set = &txn->writes;

    if (set->recent && set->recent->tree == tree)
        return set->recent;
    TreeWrites *writes = NULL;
    if (set->tree_count > FEW_TREES) {
        writes = hashmap_get(&set->by_tree, tree->name);
    } else {
        writes = set->trees;
        while (writes && writes->tree != tree)
            writes = writes->following;
    }
    if (writes)
        set->recent = writes;
    return writes;
}

TreeWrites *writes_make(Txn *txn, TxnTree *tree)
{
    WriteSet *set = &txn->writes;
    TreeWrites *writes = writes_find(txn, tree);

    if (writes)
        return writes;
    writes = ARENA_NEW(txn->arena, TreeWrites);
    writes->first =
        arena_alloc_zeroed(txn->arena, sizeof(WriteNode) + sizeof(WriteNode *) * WRITE_MAX_HEIGHT);
    writes->first->height = WRITE_MAX_HEIGHT;
    for (uint32_t i = 0; i < WRITE_MAX_HEIGHT; i++)
        writes->last[i] = writes->first;
    writes->height = 1;
    writes->tree = tree;
    txn_tree_ref(tree);
    writes->following = set->trees;
    set->trees = writes;
    set->recent = writes;
    if (++set->tree_count == FEW_TREES + 1) {
        set->by_tree = (HashMap){.arena = txn->arena};
        for (TreeWrites *each = set->trees; each; each = each->following)
            hashmap_put(&set->by_tree, each->tree->name, each);
    } else if (set->tree_count > FEW_TREES) {
        hashmap_put(&set->by_tree, tree->name, writes);
    }
    return writes;
}

/* The last node before the key at each level, and the node after it. */
static WriteNode *seek(const TreeWrites *writes, uint64_t row_id, Str key, WriteNode **before)
{
    bool by_row = writes->tree->kind == TREE_TABLE;
    WriteNode *node = writes->first;

    /* Behind the last node there is none at any level: appending, the commonest of all. */
    if (writes->last[0] != node && key_compare(writes->last[0], row_id, key, by_row) < 0) {
        if (before)
            memcpy(before, writes->last, writes->height * sizeof(before[0]));
        return writes->last[0];
    }

    for (int level = writes->height - 1; level >= 0; level--) {
        WriteNode *last = writes->last[level];
        if (last != writes->first && key_compare(last, row_id, key, by_row) < 0)
            node = last;
        while (node->next[level] && key_compare(node->next[level], row_id, key, by_row) < 0)
            node = node->next[level];
        if (before)
            before[level] = node;
    }
    return node;
}

WriteNode *writes_seek(const TreeWrites *writes, uint64_t row_id, Str key)
{
    return seek(writes, row_id, key, NULL)->next[0];
}

WriteNode *writes_seek_before(const TreeWrites *writes, uint64_t row_id, Str key)
{
    WriteNode *node = seek(writes, row_id, key, NULL);
    return node == writes->first ? NULL : node;
}

WriteNode *writes_last(const TreeWrites *writes)
{
    return writes->last[0] == writes->first ? NULL : writes->last[0];
}

WriteNode *writes_get(const TreeWrites *writes, uint64_t row_id, Str key)
{
    WriteNode *node = writes_seek(writes, row_id, key);
    if (node && key_compare(node, row_id, key, writes->tree->kind == TREE_TABLE) == 0)
        return node;
    return NULL;
}

static uint8_t random_height(WriteSet *set)
{
    set->random = set->random * 1664525u + 1013904223u;
    uint32_t bits = set->random >> 8;
    uint8_t height = 1;
    while (height < WRITE_MAX_HEIGHT && (bits & 3) == 0) {
        height++;
        bits >>= 2;
    }
    return height;
}

static void count_bytes(Txn *txn, TreeWrites *writes, size_t size)
{
    writes->bytes += size;
    if (writes->arena)
        txn->writes.arena_bytes += size;
}

static WriteNode *node_make(Txn *txn, TreeWrites *writes, uint64_t row_id, Str key)
{
    Arena *arena = writes->arena ? writes->arena : txn->arena;
    WriteNode *before[WRITE_MAX_HEIGHT];
    WriteNode *found = seek(writes, row_id, key, before)->next[0];
    bool by_row = writes->tree->kind == TREE_TABLE;

    if (found && key_compare(found, row_id, key, by_row) == 0)
        return found;
    uint8_t height = random_height(&txn->writes);
    for (; writes->height < height; writes->height++)
        before[writes->height] = writes->first;
    const size_t size = sizeof(WriteNode) + sizeof(WriteNode *) * height;
    WriteNode *node = arena_alloc(arena, size);
    count_bytes(txn, writes, size + key.length);
    *node = (WriteNode){.row_id = row_id, .height = height, .previous = before[0]};
    if (!by_row)
        node->key = str_copy(arena, key);
    for (uint8_t level = 0; level < height; level++) {
        node->next[level] = before[level]->next[level];
        before[level]->next[level] = node;
        if (!node->next[level])
            writes->last[level] = node;
    }
    if (node->next[0])
        node->next[0]->previous = node;
    if (node->previous == writes->first)
        node->previous = NULL;
    writes->node_count++;
    return node;
}

bool write_image(const TreeWrites *writes, const WriteEntry *entry, Arena *arena, Str *ret_image)
{
    *ret_image = str_make(entry->image, entry->length);
    if (!writes->arena || entry->length == 0)
        return true;
    char *copy = arena_try_alloc(arena, entry->length);
    TRY(copy);
    memcpy(copy, entry->image, entry->length);
    *ret_image = str_make(copy, entry->length);
    return true;
}

static bool log_reserve(WriteSet *set)
{
    if (set->log_length < set->log_capacity)
        return true;
    size_t capacity = set->log_capacity ? set->log_capacity * 2 : 64;
    const size_t size = set->log_capacity * sizeof(*set->log);
    WriteEntry **log = memory_malloc(capacity * sizeof(*log));
    if (!log)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    for (size_t at = 0; at < size; at += PACE_BYTES) {
        memcpy((char *)log + at, (char *)set->log + at, MIN(PACE_BYTES, size - at));
        pace_turn();
    }
    pace_free(set->log, size);
    set->log = log;
    set->log_capacity = capacity;
    return true;
}

/* Much is written to this tree: from now on into an arena that can be emptied. */
static void own_arena(Txn *txn, TreeWrites *writes, size_t more)
{
    const uint64_t few = MIN(OWN_ARENA_BYTES, txn->manager->config.write_set_memory / 8);

    if (writes->arena || writes->bytes + more <= few || writes->tree->kind == TREE_KEY_VALUE)
        return;
    writes->arena = arena_new("bulk writes");
    if (writes->tree->kind == TREE_INDEX) {
        const WriteNode *last = writes_last(writes);
        writes->greatest = strbuf_in(txn->arena);
        strbuf_append(&writes->greatest, last ? last->key : STR(""));
    }
}

static void note_key(TreeWrites *writes, Str key)
{
    if (!writes->arena || writes->tree->kind != TREE_INDEX ||
        str_compare(key, strbuf_view(&writes->greatest)) <= 0)
        return;
    strbuf_truncate(&writes->greatest, 0);
    strbuf_append(&writes->greatest, key);
}

bool writes_add(Txn *txn, TxnTree *tree, uint64_t row_id, Str key, WriteOp op, Str image,
                bool fresh)
{
    WriteSet *set = &txn->writes;
    TreeWrites *writes = writes_make(txn, tree);
    byte *copy = NULL;

    TRY(log_reserve(set));
    own_arena(txn, writes, image.length);
    Arena *arena = writes->arena ? writes->arena : txn->arena;
    if (image.length > 0) {
        TRY(copy = arena_try_alloc(arena, image.length));
        memcpy(copy, image.data, image.length);
    }
    WriteNode *node = node_make(txn, writes, row_id, key);
    note_key(writes, key);
    WriteEntry *entry = arena_alloc(arena, sizeof(*entry));
    *entry = (WriteEntry){.older = node->head,
                          .node = node,
                          .image = copy,
                          .place = set->place++,
                          .length = (uint32_t)image.length,
                          .command = txn->command,
                          .op = (uint8_t)op,
                          .fresh = fresh};
    node->head = entry;
    set->log[set->log_length++] = entry;
    writes->fresh_count += fresh;
    count_bytes(txn, writes, sizeof(*entry) + image.length);
    return set->arena_bytes <= txn->manager->config.write_set_memory || writes_spill(txn);
}

uint64_t writes_place(const Txn *txn)
{
    return txn->writes.place;
}

void writes_rollback_to(Txn *txn, uint64_t place)
{
    WriteSet *set = &txn->writes;

    while (set->log_length > 0 && set->log[set->log_length - 1]->place >= place) {
        if (set->log_length % PACE_LOOPS == 0)
            pace_turn();
        WriteEntry *entry = set->log[--set->log_length];
        assert(entry->node->head == entry);
        entry->node->head = entry->older;
    }
    for (TreeWrites *writes = set->trees; writes; writes = writes->following)
        if (writes->spill)
            write_spill_roll_back(writes->spill, place, set->place);
}

bool writes_exist(const Txn *txn)
{
    return txn->writes.log_length > 0 || txn->writes.spill_count > 0;
}

void txn_forget_writes(Txn *txn, const TxnTree *tree)
{
    TreeWrites *writes = writes_find(txn, tree);

    if (!writes)
        return;
    uint32_t count = 0;
    for (WriteNode *node = writes->first->next[0]; node; node = node->next[0]) {
        if (++count % PACE_LOOPS == 0)
            pace_turn();
        for (WriteEntry *entry = node->head; entry; entry = entry->older)
            entry->node = NULL;
        node->head = NULL;
    }
    /* The commit may yet fail: then the rest of the log is rolled back. */
    writes_log_compact(&txn->writes);
    if (writes->spill) {
        write_spill_roll_back(writes->spill, 0, txn->writes.place);
        txn->writes.spill_count++; /* cursors stand on what goes */
    }
    built_forget(writes);
}

/* What is spilled stays until the locks go: others look there for keys. */
void writes_clear(Txn *txn)
{
    WriteSet *set = &txn->writes;

    for (TreeWrites *writes = set->trees; writes; writes = writes->following) {
        bulk_detach(writes->growing);
        txn_tree_close(writes->tree);
        pace_arena_free(writes->arena);
        tree_graft_free(writes->graft);
        fresh_rows_free(writes->appended);
        if (writes->spill) {
            writes->spill->next_in_session = txn->session->spills;
            txn->session->spills = writes->spill;
        }
    }
    WriteEntry **log = set->log;
    size_t capacity = set->log_capacity;
    if (capacity > 4096) {
        pace_free(log, capacity * sizeof(*log));
        log = NULL;
        capacity = 0;
    }
    *set = (WriteSet){.log = log, .log_capacity = capacity, .random = set->random + 1};
}
