/* Descents that only look: what comes from disk on the way is checked. */
#include "storage/tree_ready.h"

#include "storage/tree_internal.h"

/* The range that the leaf covers, from its bytes; false: it is no leaf of such a tree. */
static bool ready_from_leaf(const Page *page, TreeKind kind, TreeReady *ready)
{
    const Node *node = page_node(page);

    if (kind == TREE_TABLE) {
        ready->last_row_id = page_leaf(page)->high;
        return node->header.kind == NODE_TABLE_LEAF;
    }
    ready->is_last = !node_has_upper(node);
    const Str upper = ready->is_last ? STR("") : node_upper(node);
    ready->upper_length = MIN(upper.length, sizeof(ready->upper));
    memcpy(ready->upper, upper.data, ready->upper_length);
    return node->header.kind == NODE_SLOTTED_LEAF;
}

/* False: what was read was changing. */
static bool ready_note(Descent *descent, TreeKind kind, TreeReady *ready, bool *ret_is_leaf)
{
#ifdef SENGI_LATCHED_READS
    if (!page_upgrade_shared(&descent->page))
        return false;
    *ret_is_leaf = ready_from_leaf(&descent->page, kind, ready);
    page_unlatch(&descent->page);
    return true;
#else
    *ret_is_leaf = ready_from_leaf(&descent->page, kind, ready);
    return page_read_validate(&descent->page);
#endif
}

static bool ready_descend(Tree *tree, Str key, TreeReady *ready)
{
    TreeRetry retry = {0};

    ready->has_range = false;
    for (;;) {
        Descent descent;
        bool is_leaf;
        const DescendOutcome outcome = tree_descend(tree, key, DESCEND_AT, 0, &descent);
        TRY(outcome);
        if (outcome == DESCEND_OK && ready_note(&descent, tree->kind, ready, &is_leaf)) {
            ready->has_range = is_leaf;
            return is_leaf || tree_damaged(tree, descent.page.id, "not a leaf of this tree");
        }
        if (outcome == DESCEND_MISS)
            TRY(tree_load(tree, descent.miss, &retry));
        if (++retry.rounds > 16)
            spin_pause(&retry.rounds);
    }
}

bool tree_ready_row(Tree *tree, uint64_t row_id, TreeReady *ready)
{
    const RowKey key = row_key_make(row_id);

    assert(tree->kind == TREE_TABLE);
    if (ready->has_range && row_id >= ready->first_row_id && row_id <= ready->last_row_id)
        return true;
    ready->first_row_id = row_id;
    return ready_descend(tree, ROW_KEY_STR(key), ready);
}

typedef struct ExternalsLook {
    uint64_t row_id;
    bool has_externals;
    uint64_t size; /* of the image that has them in it */
} ExternalsLook;

static bool externals_visit(void *context, const TableLeaf *leaf)
{
    ExternalsLook *look = context;
    const Layout *layout = leaf->layout;
    uint32_t position;

    look->has_externals =
        table_leaf_find(leaf, look->row_id, &position) && table_leaf_has_externals(leaf, position);
    look->size = 0;
    if (!look->has_externals)
        return true;
    look->size = PAGE_SIZE; /* what of it is in the leaf */
    for (uint32_t column = 0; column < layout->column_count; column++) {
        LeafExternal external;
        if (leaf_external((const LeafPage *)leaf->page, layout, position, column, &external))
            look->size += external.length;
    }
    return true;
}

bool tree_old_row_size(Tree *tree, uint64_t row_id, uint64_t *ret_size)
{
    ExternalsLook look = {.row_id = row_id};
    uint64_t next;

    TRY(tree_visit_leaf(tree, row_id, externals_visit, &look, &next));
    *ret_size = look.size;
    return true;
}

bool tree_ready_old_row(Tree *tree, uint64_t row_id, uint64_t *ret_size)
{
    ExternalsLook look = {.row_id = row_id};
    uint64_t next;
    Str image = STR("");

    TRY(tree_visit_leaf(tree, row_id, externals_visit, &look, &next));
    if (look.has_externals) {
        CLEANUP(arena_freep) Arena *arena = arena_new("old row");
        TRY(tree_get_image(tree, row_id, arena, &image));
    }
    *ret_size = image.length;
    return true;
}

bool tree_ready_has(const TreeReady *ready, Str key)
{
    return ready->has_range &&
           (ready->is_last || str_compare(key, str_make(ready->upper, ready->upper_length)) < 0);
}

bool tree_ready_key(Tree *tree, Str key, TreeReady *ready)
{
    assert(tree->kind != TREE_TABLE);
    if (tree_ready_has(ready, key))
        return true;
    return ready_descend(tree, key, ready);
}
