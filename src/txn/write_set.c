#include "txn/write_set.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "txn/txn_internal.h"

#define FEW_TREES 8

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

static TreeWrites *writes_make(Txn *txn, TxnTree *tree)
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

    for (int level = writes->height - 1; level >= 0; level--) {
        WriteNode *last = writes->last[level];
        if (last != writes->first && key_compare(last, row_id, key, by_row) < 0)
            node = last; /* appending, the commonest of all */
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

static WriteNode *node_make(Txn *txn, TreeWrites *writes, uint64_t row_id, Str key)
{
    WriteNode *before[WRITE_MAX_HEIGHT];
    WriteNode *found = seek(writes, row_id, key, before)->next[0];
    bool by_row = writes->tree->kind == TREE_TABLE;

    if (found && key_compare(found, row_id, key, by_row) == 0)
        return found;
    uint8_t height = random_height(&txn->writes);
    for (; writes->height < height; writes->height++)
        before[writes->height] = writes->first;
    WriteNode *node = arena_alloc(txn->arena, sizeof(*node) + sizeof(WriteNode *) * height);
    *node = (WriteNode){.row_id = row_id, .height = height, .previous = before[0]};
    if (!by_row)
        node->key = str_copy(txn->arena, key);
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

/* Puts the image into the spill tree and returns its position. */
static bool spill_image(Txn *txn, TxnTree *tree, Str image, uint64_t *ret_position)
{
    WriteSet *set = &txn->writes;

    if (!set->spill) {
        Database *database = store_database(txn->manager->store, tree->database);
        if (!database)
            FAIL(ERR_INTERNAL_ERROR, .message = fmt("database %u does not exist", tree->database));
        set->spill = tree_new_private(database, TREE_KEY_VALUE, NULL);
        TRY(set->spill);
    }
    uint64_t position = ++set->spill_position;
    uint64_t key = __builtin_bswap64(position);
    TRY(tree_kv_put(set->spill, str_make((const char *)&key, sizeof(key)), image));
    *ret_position = position;
    return true;
}

bool write_image(Txn *txn, const WriteEntry *entry, Arena *arena, Str *ret_image)
{
    if (entry->position == 0) {
        *ret_image = str_make(entry->image, entry->length);
        return true;
    }
    uint64_t key = __builtin_bswap64(entry->position);
    TreeFound found =
        tree_kv_get(txn->writes.spill, str_make((const char *)&key, sizeof(key)), arena, ret_image);
    TRY(found);
    if (found != TREE_FOUND)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("a spilled row of the write set is missing"));
    return true;
}

bool writes_add(Txn *txn, TxnTree *tree, uint64_t row_id, Str key, WriteOp op, Str image,
                bool fresh)
{
    WriteSet *set = &txn->writes;
    uint64_t position = 0;
    const byte *bytes = NULL;

    if (image.length > 64 &&
        set->image_bytes + image.length > txn->manager->config.write_set_memory)
        TRY(spill_image(txn, tree, image, &position));
    if (set->log_length == set->log_capacity) {
        size_t capacity = set->log_capacity ? set->log_capacity * 2 : 64;
        WriteEntry **log = memory_realloc(set->log, capacity * sizeof(*log));
        if (!log)
            FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
        set->log = log;
        set->log_capacity = capacity;
    }
    if (position == 0 && image.length > 0) {
        byte *copy = arena_try_alloc(txn->arena, image.length);
        TRY(copy);
        memcpy(copy, image.data, image.length);
        bytes = copy;
        set->image_bytes += image.length;
    }
    WriteNode *node = node_make(txn, writes_make(txn, tree), row_id, key);
    WriteEntry *entry = arena_alloc(txn->arena, sizeof(*entry));
    *entry = (WriteEntry){.older = node->head,
                          .node = node,
                          .image = bytes,
                          .position = position,
                          .length = (uint32_t)image.length,
                          .command = txn->command,
                          .op = (uint8_t)op,
                          .fresh = fresh};
    node->head = entry;
    set->log[set->log_length++] = entry;
    return true;
}

void writes_rollback_to(Txn *txn, size_t log_length)
{
    WriteSet *set = &txn->writes;

    assert(log_length <= set->log_length);
    while (set->log_length > log_length) {
        WriteEntry *entry = set->log[--set->log_length];
        assert(entry->node->head == entry);
        entry->node->head = entry->older;
    }
}

void txn_forget_writes(Txn *txn, const TxnTree *tree)
{
    TreeWrites *writes = writes_find(txn, tree);

    for (WriteNode *node = writes ? writes->first->next[0] : NULL; node; node = node->next[0])
        node->head = NULL;
}

void writes_clear(Txn *txn)
{
    WriteSet *set = &txn->writes;

    for (TreeWrites *writes = set->trees; writes; writes = writes->following)
        txn_tree_close(writes->tree);
    if (set->spill)
        tree_discard(set->spill);
    WriteEntry **log = set->log;
    size_t capacity = set->log_capacity;
    if (capacity > 4096) {
        free(log);
        log = NULL;
        capacity = 0;
    }
    *set = (WriteSet){.log = log, .log_capacity = capacity, .random = set->random + 1};
}
