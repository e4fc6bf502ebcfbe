/*
 * From the root to a leaf.
 */
#include "storage/store_internal.h"
#include "storage/tree_internal.h"

bool tree_damaged(const Tree *tree, PageId page, const char *what)
{
    if (store_sets_aside(tree->database->store))
        store_note_wrong(tree->database->store, fmt("damaged page %u of tree %u in database %u: %s",
                                                    page, tree->id, tree->database->id, what));
    FAIL(ERR_DATA_CORRUPTED, .message = fmt("damaged page %u of tree %u in database %u: %s", page,
                                            tree->id, tree->database->id, what));
}

/* Begins to read a page; in latched-reads builds its bytes are read only while a latch is held. */
static ALWAYS_INLINE PageOutcome read_begin(Database *database, PageId id, Page *page)
{
#ifdef SENGI_LATCHED_READS
    PageOutcome outcome = page_latch_shared(database, id, page);
    return outcome;
#else
    return page_read_begin(database, id, page);
#endif
}
static ALWAYS_INLINE void read_end(Page *page)
{
#ifdef SENGI_LATCHED_READS
    Page copy = *page;
    page_unlatch(&copy);
    page->mode = PAGE_OPTIMISTIC; /* a shared latch leaves the version alone */
#else
    (void)page;
#endif
}

static uint32_t choose_child(const Node *node, Str key, DescendTo to)
{
    bool exact;
    switch (to) {
    case DESCEND_LAST:
        return node_count(node);
    case DESCEND_BELOW:
        return node_lower_bound(node, key, &exact);
    default:
        return node_child_index(node, key);
    }
}

DescendOutcome tree_descend(Tree *tree, Str key, DescendTo to, uint32_t level, Descent *ret_descent)
{
    Database *database = tree->database;
    Descent *d = ret_descent;
    uint32_t expected = UINT32_MAX;

    d->parent.mode = PAGE_UNLATCHED;
    d->miss = tree->root;
    if (read_begin(database, tree->root, &d->page) != PAGE_OK)
        return DESCEND_MISS;
    for (uint32_t depth = 0; depth < TREE_MAX_HEIGHT; depth++) {
        const Node *node = page_node(&d->page);
        uint32_t node_level = node->header.level;
        uint32_t kind = node->header.kind;
        bool is_inner = kind == NODE_INNER;
        PageId child = PAGE_ID_NONE;
        if (is_inner && node_level > level)
            child = node_child(node, choose_child(node, key, to));
        read_end(&d->page);
        if (unlikely(is_inner != (node_level > 0) ||
                     (expected != UINT32_MAX && node_level != expected))) {
            if (!page_read_validate(&d->page))
                return DESCEND_RESTART;
            return (DescendOutcome)tree_damaged(tree, d->page.id, "wrong level");
        }
        if (node_level == level)
            return DESCEND_OK;
        if (node_level < level)
            return page_read_validate(&d->page) ? DESCEND_SHALLOW : DESCEND_RESTART;
        if (!page_read_validate(&d->page))
            return DESCEND_RESTART;
        if (unlikely(child == PAGE_ID_NONE))
            return (DescendOutcome)tree_damaged(tree, d->page.id, "a child is missing");
        d->parent = d->page;
        if (read_begin(database, child, &d->page) != PAGE_OK) {
            d->miss = child;
            return page_read_validate(&d->parent) ? DESCEND_MISS : DESCEND_RESTART;
        }
        if (!page_read_validate(&d->parent)) {
            read_end(&d->page);
            return DESCEND_RESTART;
        }
        expected = node_level - 1;
    }
    return (DescendOutcome)tree_damaged(tree, tree->root, "too many levels");
}

/* Looks a page over that has just come from disk. */
static bool tree_check_loaded(Tree *tree, PageId id)
{
    Page page;
    const char *wrong = NULL;
    if (page_latch_shared(tree->database, id, &page) != PAGE_OK)
        return true;
    const Node *node = page_node(&page);
    if (node->header.kind == NODE_TABLE_LEAF && tree->kind == TREE_TABLE) {
        const Layout *layout = tree_layout_version(tree, page_leaf(&page)->layout_version);
        wrong = layout ? leaf_check(page_leaf(&page), layout) : "unknown layout";
    } else if (node->header.kind == NODE_INNER ||
               (node->header.kind == NODE_SLOTTED_LEAF && tree->kind != TREE_TABLE)) {
        wrong = node_check(node);
    } else {
        wrong = "not a page of this kind of tree";
    }
    page_unlatch(&page);
    return wrong ? tree_damaged(tree, id, wrong) : true;
}

bool tree_load(Tree *tree, PageId id, TreeRetry *retry)
{
    if (atomic_load_explicit(&tree->is_dropped, memory_order_relaxed))
        FAIL(ERR_DATA_CORRUPTED, .message = fmt("tree %u has been dropped", tree->id));
    if (likely(page_load(tree->database, id) && tree_check_loaded(tree, id)))
        return true;
    /* The page may have been freed since its id was read: look once more whether it is wanted. */
    if (retry->failed == id || error_fields()->sqlstate != ERR_DATA_CORRUPTED)
        return false;
    retry->failed = id;
    error_clear();
    return true;
}

bool tree_leaf_shared(Tree *tree, Str key, DescendTo to, Page *ret_leaf)
{
    TreeRetry retry = {0};
    for (;;) {
        Descent descent;
        switch (tree_descend(tree, key, to, 0, &descent)) {
        case DESCEND_OK:
            if (likely(page_upgrade_shared(&descent.page))) {
                *ret_leaf = descent.page;
                return true;
            }
            break;
        case DESCEND_MISS:
            TRY(tree_load(tree, descent.miss, &retry));
            break;
        case DESCEND_RESTART:
        case DESCEND_SHALLOW:
            break;
        case DESCEND_FAILED:
            return false;
        }
        if (++retry.rounds > 16)
            spin_pause(&retry.rounds);
    }
}

PageId tree_child_above(Tree *tree, uint64_t row_id, Page *ret_parent)
{
    const RowKey key = row_key_make(row_id);
    Descent descent;

    const DescendOutcome outcome = tree_descend(tree, ROW_KEY_STR(key), DESCEND_AT, 1, &descent);
    if (unlikely(outcome == DESCEND_FAILED))
        error_clear(); /* who visits the leaf will be told */
    if (outcome != DESCEND_OK || read_begin(tree->database, descent.page.id, ret_parent) != PAGE_OK)
        return PAGE_ID_NONE;
    const Node *node = page_node(ret_parent);
    const PageId child = node_child(node, node_child_index(node, ROW_KEY_STR(key)));
    read_end(ret_parent);
    return page_read_validate(&descent.page) && page_read_validate(ret_parent) ? child
                                                                               : PAGE_ID_NONE;
}

bool tree_leaf_write(Tree *tree, Str key, uint32_t page_count, Action *ret_action, Page *ret_leaf)
{
    TreeRetry retry = {0};
    for (;;) {
        Descent descent;
        TRY(action_begin(tree->database, page_count, ret_action));
        DescendOutcome outcome;
        do {
            outcome = tree_descend(tree, key, DESCEND_AT, 0, &descent);
            if (likely(outcome == DESCEND_OK && page_upgrade(&descent.page))) {
                *ret_leaf = descent.page;
                return true;
            }
        } while (outcome == DESCEND_OK || outcome == DESCEND_RESTART);
        action_end(ret_action);
        if (outcome == DESCEND_FAILED)
            return false;
        if (outcome == DESCEND_MISS)
            TRY(tree_load(tree, descent.miss, &retry));
    }
}

DescendOutcome tree_copy_inner(Tree *tree, Str key, uint32_t level, Node *buffer)
{
    TreeRetry retry = {0};
    assert(level > 0);
    for (;;) {
        Descent descent;
        DescendOutcome outcome = tree_descend(tree, key, DESCEND_AT, level, &descent);
        if (outcome == DESCEND_FAILED || outcome == DESCEND_SHALLOW)
            return outcome;
        if (outcome == DESCEND_OK && page_upgrade_shared(&descent.page)) {
            memcpy(buffer, descent.page.data, PAGE_SIZE);
            page_unlatch(&descent.page);
            return DESCEND_OK;
        }
        if (outcome == DESCEND_MISS)
            TRY(tree_load(tree, descent.miss, &retry));
    }
}

bool tree_height(Tree *tree, uint32_t *ret_height)
{
    TreeRetry retry = {0};
    Page page;
    while (page_latch_shared(tree->database, tree->root, &page) != PAGE_OK)
        TRY(tree_load(tree, tree->root, &retry));
    *ret_height = page_node(&page)->header.level + 1u;
    page_unlatch(&page);
    return true;
}

static const Layout *tree_leaf_layout(const Tree *tree, const LeafPage *leaf)
{
    const Layout *layout = atomic_load_explicit(&((Tree *)tree)->newest, memory_order_acquire);
    if (likely(layout && layout->version == leaf->layout_version))
        return layout;
    layout = tree_layout_version(tree, leaf->layout_version);
    if (unlikely(!layout))
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("tree %u has no layout version %u", tree->id, leaf->layout_version));
    return layout;
}

bool tree_leaf_view(Tree *tree, const Page *page, TableLeaf *ret_leaf)
{
    if (unlikely(page_leaf(page)->header.kind != NODE_TABLE_LEAF))
        return tree_damaged(tree, page->id, "not a table leaf");
    const Layout *layout = tree_leaf_layout(tree, page_leaf(page));
    TRY(layout);
    TRY(leaf_view(page_leaf(page), layout, ret_leaf));
    ret_leaf->tree = tree;
    ret_leaf->newest = tree_layout(tree);
    ret_leaf->versions = page_versions_slot(page);
    return true;
}
