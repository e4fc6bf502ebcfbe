/*
 * Reading ahead of a scan. The level above the leaves says which ones come next.
 *
 * The first leaf of a scan asks for nothing, as it is often the only one. From then on the window
 * doubles, and is looked at again when half of it has been passed, or all of it where every leaf
 * was in memory. A window ends at the end of its inner page: one stall in some hundred leaves.
 */
#include "storage/tree_cursor.h"
#include "storage/tree_internal.h"

#define WINDOW_FIRST 4u
#define WINDOW_MOST 32u
#define FRAMES_PER_WINDOW                                                                          \
    16u /* of the pool, at least: what is read ahead must not push itself out */

static uint32_t window_limit(const Tree *tree)
{
    return MIN(database_frame_count(tree->database) / FRAMES_PER_WINDOW, WINDOW_MOST);
}

/* Asks for the leaves behind the key's under the inner page; how many were looked at, and missed.
 */
static uint32_t window_prefetch(Tree *tree, const Node *node, Str key, TreeReadahead *readahead,
                                TreeDirection direction, uint32_t *ret_missing)
{
    const uint32_t at = node_child_index(node, key);
    const uint32_t ahead =
        direction == TREE_FORWARD ? node_count(node) - MIN(at, node_count(node)) : at;
    const uint32_t count = MIN(ahead, readahead->window);

    *ret_missing = 0;
    for (uint32_t i = 1; i <= count; i++) {
        const PageId child = node_child(node, direction == TREE_FORWARD ? at + i : at - i);
        const bool is_valid = child != PAGE_ID_NONE && child < tree->database->page_limit;
        if (!is_valid ||
            atomic_load_explicit(&tree->database->entries[child].frame, memory_order_relaxed) != 0)
            continue;
        page_prefetch(tree->database, child);
        (*ret_missing)++;
    }
    return count;
}

void tree_readahead(TreeReadahead *readahead, Tree *tree, Str key, TreeDirection direction)
{
    Descent descent;
    uint32_t missing;

    if (readahead->left > 0) {
        readahead->left--;
        return;
    }
    if (readahead->window == 0) {
        readahead->window = MIN(WINDOW_FIRST, window_limit(tree));
        return;
    }
    const DescendOutcome outcome = tree_descend(tree, key, DESCEND_AT, 1, &descent);
    if (outcome == DESCEND_FAILED)
        error_clear(); /* the scan itself will be told */
    if (outcome != DESCEND_OK || !page_upgrade_shared(&descent.page))
        return;
    const uint32_t count =
        window_prefetch(tree, page_node(&descent.page), key, readahead, direction, &missing);
    page_unlatch(&descent.page);
    readahead->left = missing > 0 ? count / 2 : count;
    readahead->window = MIN(readahead->window * 2, window_limit(tree));
}

void tree_readahead_rows(TreeReadahead *readahead, Tree *tree, uint64_t row_id)
{
    const RowKey key = row_key_make(row_id);

    tree_readahead(readahead, tree, ROW_KEY_STR(key), TREE_FORWARD);
}
