/*
 * Cursors over indexes and key-value trees.
 *
 * A cursor reads leaf by leaf: each fill copies what one leaf has from a key on into the cursor's
 * own buffer, so entries stay readable until the next fill, and no latch is held between calls. It
 * sees every key that is there throughout, whatever splits and merges happen meanwhile, in order,
 * once.
 *
 *   TreeCursor cursor;
 *   tree_cursor_init(&cursor, tree, FORWARD);
 *   TRY(tree_cursor_seek(&cursor, key, SEEK_AT));         first entry >= key
 *   while (cursor.index < cursor.count) {
 *       use(tree_cursor_key(&cursor), ...);
 *       TRY(tree_cursor_advance(&cursor));
 *   }
 *   tree_cursor_deinit(&cursor);
 */
#ifndef STORAGE_TREE_CURSOR_H
#define STORAGE_TREE_CURSOR_H

#include "storage/tree.h"

typedef enum TreeDirection { TREE_FORWARD = 1, TREE_BACKWARD = -1 } TreeDirection;

/*
 * Reading ahead: a scan says which leaf it comes to, and the ones behind it that are not in memory
 * are loaded meanwhile. Zero to begin with; cursors do it by themselves. A hint: never fails.
 */
typedef struct TreeReadahead {
    uint32_t window; /* leaves ahead; grows while the scan goes on */
    uint32_t left;   /* leaves until the next look */
} TreeReadahead;
void tree_readahead(TreeReadahead *readahead, Tree *tree, Str key, TreeDirection direction);
void tree_readahead_rows(TreeReadahead *readahead, Tree *tree, uint64_t row_id);
typedef enum TreeSeek {
    SEEK_AT,     /* forward: first >= key; backward: last <= key */
    SEEK_BEYOND, /* forward: first > key; backward: last < key */
} TreeSeek;

typedef struct TreeEntry {
    uint32_t key_offset, key_length;     /* in the cursor's bytes */
    uint32_t value_offset, value_length; /* TREE_KEY_VALUE */
    bool ghost;
    bool external; /* the value is an overflow reference: tree_cursor_value loads it */
} TreeEntry;

typedef struct TreeCursor {
    Tree *tree;
    TreeDirection direction;
    bool at_end;        /* nothing follows what the cursor holds */
    uint32_t index;     /* the current entry */
    uint32_t count;     /* entries held; index == count: at the end */
    uint32_t limit;     /* entries to copy at most in a fill; 0: no limit but the leaf's */
    TreeEntry *entries; /* heap, grown */
    uint32_t capacity;
    char *bytes; /* heap, grown: keys and values */
    uint32_t bytes_length, bytes_capacity;
    char *fence; /* where the next fill begins */
    uint32_t fence_length, fence_capacity;
    TreeSeek fence_seek;
    TreeReadahead readahead;
    /*
     * Called under the leaf's S-latch at each fill, with the slot, so that a snapshot can tell
     * whether the leaf's entries may be trusted. May be NULL.
     */
    void (*on_leaf)(void *context, void *versions);
    void *context;
} TreeCursor;

void tree_cursor_init(TreeCursor *cursor, Tree *tree, TreeDirection direction);
void tree_cursor_deinit(TreeCursor *cursor);
/* An empty key: from the beginning (forward), from the end (backward). Fills unless at the end. */
MUST_CHECK bool tree_cursor_seek(TreeCursor *cursor, Str key, TreeSeek seek);
/* Replaces what the cursor holds by the next leaf's entries; count is 0 at the end. */
MUST_CHECK bool tree_cursor_fill(TreeCursor *cursor);
static inline bool tree_cursor_valid(const TreeCursor *cursor)
{
    return cursor->index < cursor->count;
}
/* To the next entry, filling when the last one held is passed. */
MUST_CHECK static inline bool tree_cursor_advance(TreeCursor *cursor)
{
    if (++cursor->index < cursor->count || cursor->at_end)
        return true;
    return tree_cursor_fill(cursor);
}
static inline Str tree_cursor_key(const TreeCursor *cursor)
{
    const TreeEntry *entry = &cursor->entries[cursor->index];
    return str_make(cursor->bytes + entry->key_offset, entry->key_length);
}
static inline bool tree_cursor_is_ghost(const TreeCursor *cursor)
{
    return cursor->entries[cursor->index].ghost;
}
/* Small values are borrowed from the cursor, large ones loaded into the arena; a large one whose
 * entry has been deleted since the fill is STR_NONE. */
MUST_CHECK bool tree_cursor_value(TreeCursor *cursor, Arena *arena, Str *ret_value);

#endif
