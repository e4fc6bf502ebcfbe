/*
 * Giving a tree's pages back: from the right, a few at a time, so that what is left is a tree after
 * every action and the work may be cut short and repeated.
 */
#include "base/vec.h"
#include "storage/faults.h"
#include "storage/tree_internal.h"

#define FREE_BATCH 64 /* leaves freed in one action */

/* Where the last child hangs that can be cut off: the lowest node on the right edge with a sibling.
 */
typedef struct RightEdge {
    PageId path[TREE_MAX_HEIGHT]; /* from the root down to the leaf */
    uint32_t height;
    uint32_t cut;      /* index in path of the node that loses children; UINT32_MAX: none has any */
    uint32_t children; /* of that node */
    PageId last[FREE_BATCH]; /* the leaves to cut off (level 1), rightmost first */
    uint32_t last_count;
} RightEdge;

static bool latch_page(Tree *tree, PageId id, Page *ret_page)
{
    TreeRetry retry = {.failed = id};
    while (page_latch_shared(tree->database, id, ret_page) != PAGE_OK)
        TRY(tree_load(tree, id, &retry));
    return true;
}

/* Reads the right edge; the leaf itself is not touched. */
static bool edge_read(Tree *tree, RightEdge *edge)
{
    PageId id = tree->root;
    uint32_t level = 0;
    edge->height = 0;
    edge->cut = UINT32_MAX;
    edge->last_count = 0;
    do {
        Page page;
        if (edge->height == TREE_MAX_HEIGHT)
            return tree_damaged(tree, tree->root, "too many levels");
        edge->path[edge->height++] = id;
        if (edge->height > 1 && level == 0)
            return true;
        TRY(latch_page(tree, id, &page));
        const Node *node = page_node(&page);
        bool is_leaf = node->header.level == 0;
        if (is_leaf != (node->header.kind != NODE_INNER) ||
            (edge->height > 1 && node->header.level != level)) {
            page_unlatch(&page);
            return tree_damaged(tree, id, "wrong level");
        }
        level = is_leaf ? 0 : node->header.level - 1u;
        if (!is_leaf && node_count(node) > 0) {
            edge->cut = edge->height - 1;
            edge->children = node_count(node);
            edge->last_count = 0;
            while (level == 0 && edge->last_count < MIN(FREE_BATCH, node_count(node))) {
                edge->last[edge->last_count] =
                    node_child(node, node_count(node) - edge->last_count);
                edge->last_count++;
            }
        }
        id = is_leaf ? PAGE_ID_NONE : node->upper_child;
        page_unlatch(&page);
    } while (id != PAGE_ID_NONE);
    return true;
}

/* Overflow chains of leaves that are about to go: freed once nothing refers to them. */
typedef struct LeafChains {
    Arena *arena;
    VEC(LeafExternal) items;
} LeafChains;

/* False: its leaves need not be read before they go, which may be from the disk. */
static bool may_have_chains(Tree *tree)
{
    if (tree->kind == TREE_INDEX || (tree->kind == TREE_TABLE && tree_layout(tree)->var_count == 0))
        return false;
    /* A private tree's handle is as old as the tree. */
    return tree->id != TREE_ID_PRIVATE ||
           atomic_load_explicit(&tree->has_overflow, memory_order_relaxed);
}

static bool collect_leaf_chains(Tree *tree, PageId id, LeafChains *chains)
{
    if (!may_have_chains(tree))
        return true;
    LeafExternal external;
    Page page;
    TRY(latch_page(tree, id, &page));
    const Node *node = page_node(&page);
    bool done = true;
    if (node->header.kind == NODE_SLOTTED_LEAF) {
        for (uint32_t i = 0; i < node_count(node); i++) {
            Str value = node_value(node, i);
            if (!(node->slots[i].flags & SLOT_EXTERNAL) || value.length != sizeof(external))
                continue;
            memcpy(&external, value.data, sizeof(external));
            VEC_PUSH(chains->arena, &chains->items, external);
        }
    } else {
        TableLeaf leaf;
        done = tree_leaf_view(tree, &page, &leaf);
        for (uint32_t i = 0; done && i < leaf.row_count; i++)
            for (uint32_t c = 0; c < leaf.layout->column_count; c++)
                if (leaf_external(page_leaf(&page), leaf.layout, i, c, &external))
                    VEC_PUSH(chains->arena, &chains->items, external);
    }
    page_unlatch(&page);
    return done;
}

static void free_leaf_chains(Tree *tree, const LeafChains *chains)
{
    for (size_t i = 0; i < chains->items.length; i++) {
        overflow_unlinked(tree);
        overflow_free(tree, &chains->items.items[i]);
    }
}

static void discard_page(Tree *tree, Action *action, PageId id)
{
    Page page = {.database = tree->database, .id = id};
    tree_hook_discarded(tree, &page);
    page_free_id(action, tree->database, id);
}

/* Latches a page that is to change; false: not in memory, action ended. */
static bool latch_for_change(Tree *tree, Action *action, PageId id, Page *ret_page,
                             bool *ret_loaded)
{
    *ret_loaded = false;
    if (page_latch_exclusive(tree->database, id, ret_page) == PAGE_OK) {
        page_touch(action, ret_page);
        return true;
    }
    action_end(action);
    TreeRetry retry = {.failed = id};
    *ret_loaded = tree_load(tree, id, &retry);
    return false;
}

/* Cuts off the rightmost child (level 1: several) of the node that has more than one. */
static bool cut_children(Tree *tree, const RightEdge *edge)
{
    PageId id = edge->path[edge->cut];
    uint32_t below = edge->height - edge->cut - 1; /* levels of the single chain that goes */
    uint32_t gone = below == 1 ? edge->last_count : 1;
    Action action;
    Page page;
    bool loaded;

    do {
        TRY(action_begin_giving(tree->database, 1, &action));
        if (latch_for_change(tree, &action, id, &page, &loaded))
            break;
        TRY(loaded);
    } while (true);
    Node *node = page_node(&page);
    for (uint32_t i = 0; i < gone; i++) {
        uint32_t last = node->header.count - 1u;
        node->upper_child = node_child(node, last);
        node_remove(node, last);
    }
    if (below == 1)
        for (uint32_t i = 0; i < gone; i++)
            discard_page(tree, &action, edge->last[i]);
    else
        for (uint32_t i = edge->cut + 1; i < edge->height; i++)
            discard_page(tree, &action, edge->path[i]);
    page_unlatch(&page);
    action_end(&action);
    return true;
}

/* One chain of pages is left: the root becomes an empty leaf, or goes too. */
static bool cut_root(Tree *tree, const RightEdge *edge, bool free_root)
{
    Action action;
    Page page;
    bool loaded;

    do {
        TRY(action_begin_giving(tree->database, 1, &action));
        if (latch_for_change(tree, &action, tree->root, &page, &loaded))
            break;
        TRY(loaded);
    } while (true);
    tree_hook_discarded(tree, &page);
    tree_init_leaf(tree->kind, tree_layout(tree), page.data);
    for (uint32_t i = 1; i < edge->height; i++)
        discard_page(tree, &action, edge->path[i]);
    if (free_root)
        page_free(&action, &page);
    else
        page_unlatch(&page);
    action_end(&action);
    return true;
}

/* Frees what hangs at the right end; *ret_done: nothing is left but perhaps the root. */
static bool free_right_end(Tree *tree, bool free_root, LeafChains *chains, bool *ret_done)
{
    RightEdge edge;
    CHECK_INTERRUPTS();
    if (task_current()->interrupts_held)
        task_yield(); /* nothing may stop it, but others have their turn */
    FAULT_STOP(fault_at_free);
    TRY(edge_read(tree, &edge));
    const uint32_t below = edge.cut == UINT32_MAX ? 0 : edge.height - edge.cut - 1;
    if (below == 1) {
        for (uint32_t i = 0; i < edge.last_count; i++)
            TRY(collect_leaf_chains(tree, edge.last[i], chains));
    } else {
        TRY(collect_leaf_chains(tree, edge.path[edge.height - 1], chains));
    }
    *ret_done = edge.cut == UINT32_MAX;
    tree_loose_begin(tree);
    const bool ok = *ret_done ? cut_root(tree, &edge, free_root) : cut_children(tree, &edge);
    if (ok)
        free_leaf_chains(tree, chains);
    tree_loose_end(tree);
    return ok;
}

bool tree_free_pages(Tree *tree, bool free_root)
{
    bool done = false, ok = true;

    while (ok && !done) {
        LeafChains chains = {.arena = arena_new("overflow chains")};
        ok = free_right_end(tree, free_root, &chains, &done);
        arena_free(chains.arena);
    }
    return ok;
}
