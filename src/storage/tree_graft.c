#include "storage/tree_graft.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/vec.h"
#include "storage/faults.h"
#include "storage/tree_internal.h"
#include "storage/tree_ready.h"

typedef struct GraftLeaf {
    PageId id;
    Str low; /* its lower fence in the private tree */
} GraftLeaf;

struct TreeGraft {
    Tree *to, *from; /* from: NULL once it is gone */
    Arena *arena;
    VEC(GraftLeaf) leaves; /* ascending */
    VEC(PageId) useless;   /* pages that are not linked: to be freed */
    Str first;             /* the first key of all */
    bool one_by_one;
};

#define GRAFT_TURN 64u /* leaves, until others of this worker have their turn */

/* ------------------------------------------------------------------ looking over */

static bool latch_own(const TreeGraft *graft, PageId id, Page *ret_page)
{
    TreeRetry retry = {.failed = id};

    while (page_latch_shared(graft->from->database, id, ret_page) != PAGE_OK)
        TRY(tree_load(graft->from, id, &retry));
    return true;
}

typedef VEC(GraftLeaf) GraftChildren;

/* The children of an inner page; none: it is a leaf. */
static bool read_children(TreeGraft *graft, const GraftLeaf *page_of, GraftChildren *children,
                          uint32_t *ret_level)
{
    char buffer[TREE_MAX_KEY];
    Page page;

    TRY(latch_own(graft, page_of->id, &page));
    const Node *node = page_node(&page);
    *ret_level = node->header.kind == NODE_INNER ? node->header.level : 0;
    for (uint32_t i = 0; *ret_level > 0 && i <= node_count(node); i++) {
        const Str low =
            i == 0 ? page_of->low : str_copy(graft->arena, node_key(node, i - 1, buffer));
        VEC_PUSH(graft->arena, children, ((GraftLeaf){.id = node_child(node, i), .low = low}));
    }
    page_unlatch(&page);
    return true;
}

/* Notes every page of the private tree, leaves in order; leaves are not read, unless it has no
 * other page. */
static bool collect(TreeGraft *graft, const GraftLeaf *page_of, uint32_t depth)
{
    GraftChildren children = {0};
    uint32_t level;

    CHECK_INTERRUPTS();
    if (depth == TREE_MAX_HEIGHT)
        return tree_damaged(graft->from, page_of->id, "too many levels");
    TRY(read_children(graft, page_of, &children, &level));
    if (level == 0)
        VEC_PUSH(graft->arena, &graft->leaves, *page_of);
    else
        VEC_PUSH(graft->arena, &graft->useless, page_of->id);
    for (size_t i = 0; i < children.length; i++) {
        if (level == 1)
            VEC_PUSH(graft->arena, &graft->leaves, children.items[i]);
        else
            TRY(collect(graft, &children.items[i], depth + 1));
    }
    return true;
}

static bool leaf_first(const TreeGraft *graft, PageId id, Str *ret_first)
{
    char buffer[TREE_MAX_KEY];
    TableLeaf leaf;
    Page page;

    *ret_first = STR_NONE;
    TRY(latch_own(graft, id, &page));
    bool done = true;
    if (graft->from->kind == TREE_TABLE) {
        done = tree_leaf_view(graft->from, &page, &leaf);
        if (done && leaf.row_count > 0) {
            const RowKey key = row_key_make(table_leaf_row_id(&leaf, 0));
            *ret_first = str_copy(graft->arena, ROW_KEY_STR(key));
        }
    } else if (page_node(&page)->header.count > 0) {
        *ret_first = str_copy(graft->arena, node_key(page_node(&page), 0, buffer));
    }
    page_unlatch(&page);
    return done;
}

/* What stands before the first key is of no use. */
static bool skip_empty(TreeGraft *graft)
{
    size_t skipped = 0;

    while (skipped < graft->leaves.length) {
        TRY(leaf_first(graft, graft->leaves.items[skipped].id, &graft->first));
        if (!str_is_none(graft->first))
            break;
        VEC_PUSH(graft->arena, &graft->useless, graft->leaves.items[skipped].id);
        skipped++;
    }
    graft->leaves.items += skipped;
    graft->leaves.length -= skipped;
    return true;
}

/* The pages of the tree that the first and the last leaf go to. */
static bool ready_target(const TreeGraft *graft)
{
    TreeReady ready = {0};

    if (graft->leaves.length == 0)
        return true;
    const GraftLeaf *last = &graft->leaves.items[graft->leaves.length - 1];
    const Str keys[] = {graft->first, graft->leaves.length > 1 ? last->low : graft->first};
    for (uint32_t i = 0; i < ARRAY_LENGTH(keys); i++)
        TRY(graft->to->kind == TREE_TABLE
                ? tree_ready_row(graft->to, tree_key_row_id(keys[i]), &ready)
                : tree_ready_key(graft->to, keys[i], &ready));
    return true;
}

static bool layouts_agree(const TreeGraft *graft)
{
    const Layout *layout = tree_layout(graft->from);
    const Layout *theirs = tree_layout_version(graft->to, layout->version);

    return theirs && layout_equal(theirs, layout);
}

bool tree_graft_prepare(Tree *tree, Tree *built, bool one_by_one, TreeGraft **ret_graft)
{
    assert(tree->kind == built->kind && tree->kind != TREE_KEY_VALUE);
    assert(tree->life == PAGE_PERMANENT && built->life == PAGE_TEMPORARY);
    TreeGraft *graft = memory_calloc(1, sizeof(*graft));
    if (!graft)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    graft->to = tree;
    graft->from = built;
    graft->arena = arena_new("graft");
    graft->one_by_one = one_by_one;
    const GraftLeaf root = {.id = built->root, .low = STR("")};
    bool done = collect(graft, &root, 0) && skip_empty(graft) && ready_target(graft);
    if (done && tree->kind == TREE_TABLE && !layouts_agree(graft))
        done = tree_damaged(tree, tree->root, "its layout is not the one that rows have");
    if (!done) {
        tree_graft_free(graft);
        return false;
    }
    *ret_graft = graft;
    return true;
}

void tree_graft_free(TreeGraft *graft)
{
    if (!graft)
        return;
    arena_free(graft->arena);
    memory_free(graft);
}

uint64_t tree_graft_page_count(const TreeGraft *graft)
{
    return graft->leaves.length + graft->leaves.length / 64 + 4;
}

/* ------------------------------------------------------------------ large values */

typedef VEC(LeafExternal) Chains;

static bool leaf_chains(const TreeGraft *graft, PageId id, Arena *arena, Chains *chains)
{
    LeafExternal external;
    TableLeaf leaf;
    Page page;

    TRY(latch_own(graft, id, &page));
    const bool done = tree_leaf_view(graft->from, &page, &leaf);
    for (uint32_t i = 0; done && leaf.layout->var_count > 0 && i < leaf.row_count; i++)
        for (uint32_t c = 0; c < leaf.layout->column_count; c++)
            if (leaf_external(page_leaf(&page), leaf.layout, i, c, &external))
                VEC_PUSH(arena, chains, external);
    page_unlatch(&page);
    return done;
}

static bool has_chains(const TreeGraft *graft)
{
    return atomic_load_explicit(&graft->from->has_overflow, memory_order_relaxed);
}

static bool attach_chains(const TreeGraft *graft, PageId id)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("overflow chains");
    Chains chains = {0};

    TRY(leaf_chains(graft, id, arena, &chains));
    for (size_t i = 0; i < chains.length; i++) {
        uint64_t pages = 0;
        TRY(overflow_check(graft->from, &chains.items[i], tree_attach_page, graft->to, &pages));
    }
    if (chains.length > 0)
        atomic_store(&graft->to->has_overflow, true);
    return true;
}

static bool free_chains(const TreeGraft *graft, PageId id)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("overflow chains");
    Chains chains = {0};

    TRY(leaf_chains(graft, id, arena, &chains));
    for (size_t i = 0; i < chains.length; i++)
        overflow_free(graft->from, &chains.items[i]);
    return true;
}

/* ------------------------------------------------------------------ one by one */

/* A leaf's row ids, or all of its page where entries are short. */
typedef struct LeafCopy {
    uint64_t ids[PAGE_SIZE / 4];
    uint32_t count;
    _Alignas(Node) byte page[PAGE_SIZE];
} LeafCopy;

static bool copy_leaf(const TreeGraft *graft, PageId id, LeafCopy *copy)
{
    TableLeaf leaf;
    Page page;
    bool done = true;

    TRY(latch_own(graft, id, &page));
    if (graft->from->kind != TREE_TABLE) {
        memcpy(copy->page, page.data, PAGE_SIZE);
        copy->count = page_node(&page)->header.count;
    } else {
        done = tree_leaf_view(graft->from, &page, &leaf);
        copy->count = done ? leaf.row_count : 0;
        if (done)
            table_leaf_copy_ids(&leaf, 0, copy->count, copy->ids);
    }
    page_unlatch(&page);
    return done;
}

static bool put_row(const TreeGraft *graft, uint64_t row_id, Arena *arena,
                    const TreeObserver *observer)
{
    Str image;
    const TreeFound found = tree_get_image(graft->from, row_id, arena, &image);

    TRY(found);
    return found != TREE_FOUND || tree_put(graft->to, row_id, image, observer);
}

static bool put_each(const TreeGraft *graft, const LeafCopy *copy, const TreeObserver *observer)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("graft one by one");
    char buffer[TREE_MAX_KEY];

    for (uint32_t i = 0; i < copy->count; i++) {
        if (graft->from->kind == TREE_TABLE)
            TRY(put_row(graft, copy->ids[i], arena, observer));
        else
            TRY(tree_index_insert(graft->to, node_key((const Node *)copy->page, i, buffer),
                                  observer));
        arena_reset(arena);
    }
    return true;
}

/* The leaf stays where it is, to be freed with the rest. */
static bool put_leaf(TreeGraft *graft, PageId id, const TreeObserver *observer)
{
    LeafCopy *copy = memory_malloc(sizeof(*copy));
    if (!copy)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    const bool done = copy_leaf(graft, id, copy) && put_each(graft, copy, observer);
    if (done) {
        tree_count_rows(graft->to, -(int64_t)copy->count); /* the whole tree's have been counted */
        VEC_PUSH(graft->arena, &graft->useless, id);
    }
    memory_free(copy);
    return done;
}

/* ------------------------------------------------------------------ the whole */

static bool graft_leaf(TreeGraft *graft, size_t index, const GraftObserver *observer)
{
    const GraftLeaf *leaf = &graft->leaves.items[index];
    const bool is_last = index + 1 == graft->leaves.length;
    LeafLink link = {.id = leaf->id,
                     .low = index == 0 ? graft->first : leaf->low,
                     .private_low = leaf->low,
                     .private_high = is_last ? STR_NONE : graft->leaves.items[index + 1].low,
                     .on_leaf = observer->leaf,
                     .context = observer->context,
                     .is_refused = graft->one_by_one};

    if (!link.is_refused) {
        if (has_chains(graft))
            TRY(attach_chains(graft, leaf->id));
        TRY(tree_link_leaf(graft->to, &link));
    }
    return !link.is_refused || put_leaf(graft, leaf->id, observer->each);
}

static bool free_useless(const TreeGraft *graft)
{
    for (size_t i = 0; i < graft->useless.length; i++) {
        const PageId id = graft->useless.items[i];
        Action action;
        if (has_chains(graft)) {
            Page page;
            TRY(latch_own(graft, id, &page));
            const bool is_leaf = page_node(&page)->header.kind == NODE_TABLE_LEAF;
            page_unlatch(&page);
            TRY(!is_leaf || free_chains(graft, id));
        }
        TRY(action_begin_giving(graft->from->database, 1, &action));
        page_free_id(&action, graft->from->database, id);
        action_end(&action);
    }
    return true;
}

bool tree_graft_run(TreeGraft *graft, const GraftObserver *observer)
{
    Tree *to = graft->to;

    assert(graft->from);
    tree_count_rows(to, atomic_load_explicit(&graft->from->row_count, memory_order_relaxed));
    page_loose_begin(to->database); /* what is attached and not linked */
    for (size_t i = graft->leaves.length; i > 0; i--) {
        TRY(graft_leaf(graft, i - 1, observer));
        if (i % GRAFT_TURN == 0)
            task_yield();
        FAULT_STOP(fault_at_apply);
    }
    TRY(free_useless(graft));
    page_loose_end(to->database);
    tree_handle_free(graft->from);
    graft->from = NULL;
    return true;
}
