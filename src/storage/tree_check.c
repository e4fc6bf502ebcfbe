/*
 * Trees looked over: invariants, sizes, ranges.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/vec.h"
#include "storage/store_internal.h"
#include "storage/tree_internal.h"

typedef struct Check {
    Tree *tree;
    bool (*on_page)(void *context, uint32_t page_id);
    void *context;
    TreeReport *report;
    uint8_t *seen; /* one bit a page */
    PageId seen_limit;
} Check;

/* B4, and the caller's own bookkeeping. */
static bool check_reached(void *context, uint32_t page_id)
{
    Check *check = context;
    if (page_id >= check->seen_limit)
        return tree_damaged(check->tree, page_id, "no such page");
    if (check->seen[page_id / 8] >> page_id % 8 & 1)
        return tree_damaged(check->tree, page_id, "the page is reached twice (B4)");
    check->seen[page_id / 8] |= (uint8_t)(1u << page_id % 8);
    return !check->on_page || check->on_page(check->context, page_id);
}

static bool check_external(Check *check, const LeafExternal *external)
{
    return overflow_check(check->tree, external, check_reached, check,
                          &check->report->overflow_pages);
}

/* What was behind it is freed: the bound that it has stays. */
static bool is_cut(const Check *check, Str upper)
{
    return check->tree->is_going && str_is_none(upper);
}

static bool check_table_leaf(Check *check, PageId id, const LeafPage *page, Str lower, Str upper)
{
    Tree *tree = check->tree;
    const Layout *layout = tree_layout_version(tree, page->layout_version);
    if (!layout)
        return tree_damaged(tree, id, "unknown layout (B5)");
    const char *wrong = leaf_check(page, layout);
    if (wrong)
        return tree_damaged(tree, id, wrong);
    if (page->low != (lower.length ? tree_key_row_id(lower) : 0) ||
        (!is_cut(check, upper) &&
         page->high != (str_is_none(upper) ? UINT64_MAX : tree_key_row_id(upper) - 1)))
        return tree_damaged(tree, id, "the fences are not the parent's (B2)");
    check->report->rows += page->header.count;
    check->report->free_bytes += PAGE_SIZE - sizeof(LeafPage) - leaf_used_bytes(page, layout);
    for (uint32_t i = 0; layout->var_count > 0 && i < page->header.count; i++) {
        for (uint32_t c = 0; c < layout->column_count; c++) {
            LeafExternal external;
            if (leaf_external(page, layout, i, c, &external))
                TRY(check_external(check, &external));
        }
    }
    return true;
}

static bool check_slotted(Check *check, PageId id, const Node *node, Str lower, Str upper)
{
    const char *wrong = node_check(node);
    if (wrong)
        return tree_damaged(check->tree, id, wrong);
    if (!str_equal(node_lower(node), lower) ||
        (!is_cut(check, upper) && (node_has_upper(node) == str_is_none(upper) ||
                                   (node_has_upper(node) && !str_equal(node_upper(node), upper)))))
        return tree_damaged(check->tree, id, "the fences are not the parent's (B2)");
    if (node_is_inner(node))
        return true;
    check->report->ghosts += node->ghost_count;
    check->report->rows += node->header.count - node->ghost_count;
    check->report->free_bytes += node_free_bytes(node);
    for (uint32_t i = 0; i < node->header.count; i++) {
        LeafExternal external;
        Str value = node_value(node, i);
        if (!(node->slots[i].flags & SLOT_EXTERNAL))
            continue;
        if (value.length != sizeof(external))
            return tree_damaged(check->tree, id, "damaged overflow reference (B6)");
        memcpy(&external, value.data, sizeof(external));
        TRY(check_external(check, &external));
    }
    return true;
}

static bool check_node(Check *check, PageId id, int level, Str lower, Str upper);

/* Works on a copy, so that no latch is held further down. */
static bool check_copy(Check *check, PageId id, const Node *node, int level, Str lower, Str upper)
{
    Tree *tree = check->tree;
    if (level >= 0 && node->header.level != level)
        return tree_damaged(tree, id, "wrong level (B3)");
    if (node->header.kind == NODE_TABLE_LEAF || node->header.kind == NODE_SLOTTED_LEAF) {
        if ((node->header.kind == NODE_TABLE_LEAF) != (tree->kind == TREE_TABLE))
            return tree_damaged(tree, id, "not a leaf of this kind of tree");
        check->report->leaf_pages++;
        return tree->kind == TREE_TABLE
                   ? check_table_leaf(check, id, (const LeafPage *)node, lower, upper)
                   : check_slotted(check, id, node, lower, upper);
    }
    TRY(check_slotted(check, id, node, lower, upper));
    check->report->inner_pages++;
    if (node->header.level >= TREE_MAX_HEIGHT)
        return tree_damaged(tree, id, "too many levels");
    for (uint32_t i = 0; i <= node->header.count; i++) {
        char low[TREE_MAX_KEY], high[TREE_MAX_KEY];
        Str child_lower = i > 0 ? node_key(node, i - 1, low) : lower;
        Str child_upper = i < node->header.count ? node_key(node, i, high) : upper;
        if (tree->kind == TREE_TABLE && ((child_lower.length != 0 && child_lower.length != 8) ||
                                         (child_upper.data && child_upper.length != 8)))
            return tree_damaged(tree, id, "a separator is not a row id (B1)");
        TRY(check_node(check, node_child(node, i), node->header.level - 1, child_lower,
                       child_upper));
    }
    return true;
}

static bool check_node(Check *check, PageId id, int level, Str lower, Str upper)
{
    Page page;
    CHECK_INTERRUPTS();
    TRY(check_reached(check, id));
    while (page_latch_shared(check->tree->database, id, &page) != PAGE_OK)
        TRY(page_load(check->tree->database, id));
    Node *copy = memory_malloc(PAGE_SIZE);
    if (copy)
        memcpy(copy, page.data, PAGE_SIZE);
    page_unlatch(&page);
    if (!copy)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    bool done = check_copy(check, id, copy, level, lower, upper);
    memory_free(copy);
    return done;
}

bool tree_visit_pages(Tree *tree, uint32_t page_id, uint32_t depth,
                      bool (*on_page)(void *context, uint32_t page_id), void *context)
{
    Page page;
    VEC(PageId) children = {0};

    CHECK_INTERRUPTS();
    if (depth == TREE_MAX_HEIGHT)
        return tree_damaged(tree, page_id, "too many levels");
    TRY(on_page(context, page_id));
    while (page_latch_shared(tree->database, page_id, &page) != PAGE_OK)
        TRY(page_load(tree->database, page_id));
    const Node *node = page_node(&page);
    const uint32_t level = node->header.kind == NODE_INNER ? node->header.level : 0;
    CLEANUP(arena_freep) Arena *arena = level > 0 ? arena_new("tree pages") : NULL;
    for (uint32_t i = 0; level > 0 && i <= node_count(node); i++)
        VEC_PUSH(arena, &children, node_child(node, i));
    page_unlatch(&page);
    for (size_t i = 0; i < children.length; i++)
        TRY(level == 1 ? on_page(context, children.items[i])
                       : tree_visit_pages(tree, children.items[i], depth + 1, on_page, context));
    return true;
}

bool tree_check(Tree *tree, bool (*on_page)(void *context, uint32_t page_id), void *context,
                TreeReport *ret_report)
{
    TreeReport report = {0};
    const PageId end = atomic_load(&tree->database->map->next_page);
    Check check = {
        .tree = tree,
        .on_page = on_page,
        .context = context,
        .report = &report,
        .seen_limit = end,
        .seen = memory_calloc(end / 8 + 1, 1),
    };
    if (!check.seen)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    bool done = check_node(&check, tree->root, -1, STR(""), STR_NONE);
    memory_free(check.seen);
    if (done)
        *ret_report = report;
    return done;
}

/* ------------------------------------------------------------------ sizes */

/* Visits the nodes of a level above 0 from left to right; `visit`'s false stops without error. */
static bool level_walk(Tree *tree, uint32_t level, bool (*visit)(void *context, const Node *node),
                       void *context)
{
    char fence[TREE_MAX_KEY];
    Str key = STR("");
    Node *node = memory_malloc(PAGE_SIZE);
    if (!node)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    DescendOutcome outcome;
    while ((outcome = tree_copy_inner(tree, key, level, node)) == DESCEND_OK) {
        if (!visit(context, node) || !node_has_upper(node))
            break;
        Str upper = node_upper(node);
        memcpy(fence, upper.data, MIN(upper.length, sizeof(fence)));
        key = str_make(fence, MIN(upper.length, sizeof(fence)));
    }
    memory_free(node);
    return outcome != DESCEND_FAILED;
}

#define STATS_SAMPLE 32

typedef struct StatsWalk {
    uint64_t inner, leaves;
    uint32_t sampled;
    uint64_t every;                        /* one leaf of so many is in the sample */
    char keys[STATS_SAMPLE][TREE_MAX_KEY]; /* lower fences of the sample */
    uint32_t key_lengths[STATS_SAMPLE];
} StatsWalk;

/* Counts; keeps an even sample of the leaves' fences by dropping every other one when full. */
static bool stats_visit(void *context, const Node *node)
{
    StatsWalk *walk = context;
    walk->inner++;
    for (uint32_t i = 0; i <= node_count(node); i++) {
        if (walk->leaves++ % walk->every != 0)
            continue;
        if (walk->sampled == STATS_SAMPLE) {
            for (uint32_t k = 0; k < STATS_SAMPLE / 2; k++) {
                walk->key_lengths[k] = walk->key_lengths[2 * k];
                memmove(walk->keys[k], walk->keys[2 * k], walk->key_lengths[k]);
            }
            walk->sampled = STATS_SAMPLE / 2;
            walk->every *= 2;
            if ((walk->leaves - 1) % walk->every != 0)
                continue;
        }
        uint32_t at = walk->sampled++;
        Str key = node_lower(node);
        if (i > 0)
            key = node_key(node, i - 1, walk->keys[at]);
        else
            memcpy(walk->keys[at], key.data, key.length);
        walk->key_lengths[at] = (uint32_t)key.length;
    }
    return true;
}

static bool leaf_rows(Tree *tree, Str key, uint64_t *ret_rows)
{
    Page page;
    TRY(tree_leaf_shared(tree, key, DESCEND_AT, &page));
    const Node *node = page_node(&page);
    *ret_rows = node->header.count;
    if (node->header.kind == NODE_SLOTTED_LEAF)
        *ret_rows -= MIN(node->ghost_count, (uint32_t)node->header.count);
    page_unlatch(&page);
    return true;
}

/* Counts leaves by their parents and rows by a sample, once for a handle. */
static bool stats_prime(Tree *tree)
{
    StatsWalk *walk = memory_calloc(1, sizeof(StatsWalk));
    if (!walk)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    walk->every = 1;
    int64_t rows_before = atomic_load(&tree->row_count),
            pages_before = atomic_load(&tree->page_count);
    bool done = level_walk(tree, 1, stats_visit, walk);
    if (walk->leaves == 0) {
        walk->leaves = 1;
        walk->sampled = 1; /* the root is the only leaf; its lower fence is empty */
    }
    assert(walk->sampled > 0);
    uint64_t rows = 0;
    for (uint32_t i = 0; done && i < walk->sampled; i++) {
        uint64_t count;
        done = leaf_rows(tree, str_make(walk->keys[i], walk->key_lengths[i]), &count);
        rows += done ? count : 0;
    }
    if (done) {
        int64_t total = (int64_t)(rows * walk->leaves / walk->sampled);
        tree_count_rows(tree, total - rows_before);
        tree_count_pages(tree, (int64_t)(walk->leaves + walk->inner) - pages_before);
        atomic_store(&tree->is_counted, true);
    }
    memory_free(walk);
    return done;
}

bool tree_stats(Tree *tree, TreeStats *ret_stats)
{
    uint32_t height;
    if (!atomic_load_explicit(&tree->is_counted, memory_order_relaxed))
        TRY(stats_prime(tree));
    TRY(tree_height(tree, &height));
    int64_t rows = atomic_load_explicit(&tree->row_count, memory_order_relaxed);
    int64_t pages = atomic_load_explicit(&tree->page_count, memory_order_relaxed);
    *ret_stats = (TreeStats){
        .page_count = (uint64_t)MAX(pages, (int64_t)1),
        .row_count = (uint64_t)MAX(rows, (int64_t)0),
        .height = height,
    };
    return true;
}
