/*
 * Cursors over index and key-value trees: a leaf's part at a time, copied out.
 */
#include <stdlib.h>

#include "base/memory.h"

#include "storage/tree_cursor.h"
#include "storage/tree_internal.h"

void tree_cursor_init(TreeCursor *cursor, Tree *tree, TreeDirection direction)
{
    assert(tree->kind != TREE_TABLE);
    *cursor = (TreeCursor){.tree = tree, .direction = direction, .at_end = true};
}

void tree_cursor_deinit(TreeCursor *cursor)
{
    memory_free(cursor->entries);
    memory_free(cursor->bytes);
    memory_free(cursor->fence);
    *cursor = (TreeCursor){.at_end = true};
}

static bool buffer_reserve(char **data, uint32_t *capacity, uint32_t need)
{
    if (likely(need <= *capacity))
        return true;
    uint32_t wanted = MAX(need, 2 * *capacity);
    char *grown = memory_realloc(*data, wanted);
    if (!grown)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    *data = grown;
    *capacity = wanted;
    return true;
}

static bool cursor_set_fence(TreeCursor *cursor, Str key, TreeSeek seek)
{
    TRY(buffer_reserve(&cursor->fence, &cursor->fence_capacity, (uint32_t)MAX(key.length, 64u)));
    if (key.length > 0)
        memmove(cursor->fence, key.data, key.length);
    cursor->fence_length = (uint32_t)key.length;
    cursor->fence_seek = seek;
    return true;
}

static bool cursor_add(TreeCursor *cursor, const Node *node, uint32_t index)
{
    Str value = node_value(node, index);
    uint32_t key_length = (uint32_t)node_key_length(node, index);
    uint32_t at = cursor->bytes_length;

    if (unlikely(key_length > TREE_MAX_KEY))
        return tree_damaged(cursor->tree, cursor->tree->root, "a key is too long");
    assert(cursor->count < cursor->capacity);
    assert(at + TREE_MAX_KEY + value.length <= cursor->bytes_capacity);
    node_key(node, index, cursor->bytes + at);
    if (value.length > 0)
        memcpy(cursor->bytes + at + key_length, value.data, value.length);
    cursor->entries[cursor->count++] = (TreeEntry){
        .key_offset = at,
        .key_length = key_length,
        .value_offset = at + key_length,
        .value_length = (uint32_t)value.length,
        .ghost = node->slots[index].flags & SLOT_GHOST,
        .external = (node->slots[index].flags & SLOT_EXTERNAL) != 0,
    };
    cursor->bytes_length = at + key_length + (uint32_t)value.length;
    return true;
}

/* Room for what a leaf can hold at most of `count` entries. */
static bool cursor_reserve(TreeCursor *cursor, const Node *node, uint32_t from, uint32_t count)
{
    uint64_t need = TREE_MAX_KEY;
    for (uint32_t i = from; i < from + count; i++)
        need += node_key_length(node, i) + node_value(node, i).length;
    if (count > cursor->capacity) {
        TreeEntry *grown = memory_realloc(cursor->entries, count * sizeof(TreeEntry));
        if (!grown)
            FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
        cursor->entries = grown;
        cursor->capacity = count;
    }
    return buffer_reserve(&cursor->bytes, &cursor->bytes_capacity, (uint32_t)need);
}

static bool fill_forward(TreeCursor *cursor, const Node *node)
{
    Str fence = str_make(cursor->fence, cursor->fence_length);
    bool exact;
    uint32_t from = node_lower_bound(node, fence, &exact);
    from += exact && cursor->fence_seek == SEEK_BEYOND;
    uint32_t rest = node_count(node) - MIN(from, node_count(node));
    uint32_t count = cursor->limit ? MIN(rest, cursor->limit) : rest;

    TRY(cursor_reserve(cursor, node, from, count));
    for (uint32_t i = 0; i < count; i++)
        TRY(cursor_add(cursor, node, from + i));
    cursor->at_end = false;
    if (count < rest) {
        cursor->index = count - 1;
        TRY(cursor_set_fence(cursor, tree_cursor_key(cursor), SEEK_BEYOND));
    } else if (node_has_upper(node)) {
        TRY(cursor_set_fence(cursor, node_upper(node), SEEK_AT));
    } else {
        cursor->at_end = true;
    }
    cursor->index = 0;
    return true;
}

static bool fill_backward(TreeCursor *cursor, const Node *node, bool from_end)
{
    Str fence = str_make(cursor->fence, cursor->fence_length);
    bool exact = false;
    uint32_t end = from_end ? node_count(node) : node_lower_bound(node, fence, &exact);
    end += exact && cursor->fence_seek == SEEK_AT;
    uint32_t count = cursor->limit ? MIN(end, cursor->limit) : end;

    TRY(cursor_reserve(cursor, node, end - count, count));
    for (uint32_t i = 0; i < count; i++)
        TRY(cursor_add(cursor, node, end - 1 - i));
    cursor->at_end = false;
    if (count < end) {
        cursor->index = count - 1;
        TRY(cursor_set_fence(cursor, tree_cursor_key(cursor), SEEK_BEYOND));
    } else if (node_lower(node).length > 0) {
        TRY(cursor_set_fence(cursor, node_lower(node), SEEK_BEYOND));
    } else {
        cursor->at_end = true;
    }
    cursor->index = 0;
    return true;
}

/* Most of what readers copy from the leaf is ghosts: who gave them up has not come to purge it. */
COLD static void cursor_tell_ghosts(const TreeCursor *cursor, const Page *page)
{
    char key[TREE_MAX_KEY];
    tree_hook_ghosts_met(cursor->tree, page, node_key(page_node(page), 0, key));
}

/* One leaf; `from_end`: the last one. */
static bool cursor_fill_leaf(TreeCursor *cursor, bool from_end)
{
    Page page;
    Tree *tree = cursor->tree;
    Str fence = str_make(cursor->fence, cursor->fence_length);
    bool backward = cursor->direction == TREE_BACKWARD;
    DescendTo to = DESCEND_AT;

    if (backward)
        to = from_end                            ? DESCEND_LAST
             : cursor->fence_seek == SEEK_BEYOND ? DESCEND_BELOW
                                                 : DESCEND_AT;
    TRY(tree_leaf_shared(tree, fence, to, &page));
    const Node *node = page_node(&page);
    cursor->count = 0;
    cursor->bytes_length = 0;
    if (cursor->on_leaf)
        cursor->on_leaf(cursor->context, *page_versions_slot(&page));
    bool done =
        node->header.kind == NODE_SLOTTED_LEAF
            ? (backward ? fill_backward(cursor, node, from_end) : fill_forward(cursor, node))
            : tree_damaged(tree, page.id, "not a leaf of entries");
    if (done &&
        unlikely(node->ghost_count >= GHOSTS_LEAST && node->ghost_count > node_count(node) / 2))
        cursor_tell_ghosts(cursor, &page);
    page_unlatch(&page);
    return done;
}

bool tree_cursor_fill(TreeCursor *cursor)
{
    cursor->count = 0;
    cursor->index = 0;
    while (cursor->count == 0 && !cursor->at_end) {
        CHECK_INTERRUPTS();
        tree_readahead(&cursor->readahead, cursor->tree,
                       str_make(cursor->fence, cursor->fence_length), cursor->direction);
        TRY(cursor_fill_leaf(cursor, false));
    }
    return true;
}

bool tree_cursor_seek(TreeCursor *cursor, Str key, TreeSeek seek)
{
    bool from_end = cursor->direction == TREE_BACKWARD && key.length == 0;
    TRY(cursor_set_fence(cursor, str_make(key.data, MIN(key.length, (size_t)TREE_MAX_KEY + 1)),
                         seek));
    cursor->at_end = false;
    cursor->readahead = (TreeReadahead){0};
    TRY(cursor_fill_leaf(cursor, from_end));
    return cursor->count > 0 || cursor->at_end || tree_cursor_fill(cursor);
}

bool tree_cursor_value(TreeCursor *cursor, Arena *arena, Str *ret_value)
{
    const TreeEntry *entry = &cursor->entries[cursor->index];
    Str value = str_make(cursor->bytes + entry->value_offset, entry->value_length);
    LeafExternal external;

    if (likely(!entry->external)) {
        *ret_value = value;
        return true;
    }
    if (value.length != sizeof(external))
        return tree_damaged(cursor->tree, cursor->tree->root, "damaged overflow reference");
    memcpy(&external, value.data, sizeof(external));
    if (external.length > ROW_MAX_SIZE)
        return tree_damaged(cursor->tree, external.page, "damaged overflow reference");
    char *bytes = arena_try_alloc(arena, MAX(external.length, 1u));
    TRY(bytes);
    if (likely(overflow_read(cursor->tree, &external, bytes))) {
        *ret_value = str_make(bytes, external.length);
        return true;
    }
    /* The entry may have changed since it was copied: the tree has its value now. */
    Str key = tree_cursor_key(cursor);
    if (error_fields()->sqlstate != ERR_DATA_CORRUPTED)
        return false;
    error_clear();
    TreeFound found = tree_kv_get(cursor->tree, key, arena, ret_value);
    if (found == TREE_MISSING)
        *ret_value = STR_NONE;
    return found != TREE_FAILED;
}
