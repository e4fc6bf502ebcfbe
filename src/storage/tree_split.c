/*
 * Changes of a tree's shape: splits, merges, a root that grows and shrinks.
 *
 * Each changes one level at one place in one action. The parent is latched before its children;
 * a reader that came by before sees a changed version and starts over.
 */
#include "storage/tree_internal.h"

/* Pages of one action: parent, node, new node; or parent and two children. */
#define SHAPE_PAGES 4

static const TreeHooks *tree_hooks;
static void *tree_hooks_context;

void tree_set_hooks(const TreeHooks *hooks, void *context)
{
    tree_hooks = hooks;
    tree_hooks_context = context;
}

static void tree_hook_split(Tree *tree, const Page *from, const Page *to, uint64_t first_row_id)
{
    if (tree_hooks && tree_hooks->leaf_split && *page_versions_slot(from))
        tree_hooks->leaf_split(tree_hooks_context, tree, page_versions_slot(from),
                               page_versions_slot(to), first_row_id);
}

static void tree_hook_merged(Tree *tree, const Page *from, const Page *to)
{
    if (tree_hooks && tree_hooks->leaf_merged && *page_versions_slot(from))
        tree_hooks->leaf_merged(tree_hooks_context, tree, page_versions_slot(from),
                                page_versions_slot(to));
}

void tree_hook_discarded(Tree *tree, const Page *page)
{
    if (tree_hooks && tree_hooks->leaf_discarded && *page_versions_slot(page))
        tree_hooks->leaf_discarded(tree_hooks_context, tree, page_versions_slot(page));
}

bool tree_hook_may_purge(Tree *tree, const Page *page)
{
    if (!tree_hooks || !tree_hooks->may_purge_ghosts)
        return true;
    return tree_hooks->may_purge_ghosts(tree_hooks_context, tree, page_versions_slot(page));
}

/* ------------------------------------------------------------------ finding parent and node */

typedef enum ShapeOutcome {
    SHAPE_FAILED = 0,
    SHAPE_DONE,
    SHAPE_AGAIN,  /* start over */
    SHAPE_PARENT, /* the parent must change first */
    SHAPE_MISS,   /* a page is not in memory */
} ShapeOutcome;

typedef ShapeOutcome ShapeStep(Tree *tree, Str key, Action *action, Descent *descent,
                               void *context);

/* Runs a step with parent and node found at `level`, both optimistic, inside an action. */
static ShapeOutcome shape_change(Tree *tree, Str key, uint32_t level, ShapeStep *step,
                                 void *context)
{
    TreeRetry retry = {0};
    for (;;) {
        Action action;
        Descent descent;
        ShapeOutcome result = SHAPE_AGAIN;
        CHECK_INTERRUPTS();
        TRY(action_begin(tree->database, SHAPE_PAGES, &action));
        DescendOutcome outcome = tree_descend(tree, key, DESCEND_AT, level, &descent);
        if (outcome == DESCEND_OK)
            result = step(tree, key, &action, &descent, context);
        action_end(&action);
        if (outcome == DESCEND_FAILED)
            return SHAPE_FAILED;
        if (outcome == DESCEND_SHALLOW)
            return SHAPE_DONE;
        if (outcome == DESCEND_MISS || result == SHAPE_MISS)
            TRY(tree_load(tree, descent.miss, &retry));
        else if (outcome == DESCEND_OK && result != SHAPE_AGAIN)
            return result;
    }
}

static void copy_body(Page *to, const Page *from)
{
    memcpy(to->data + PAGE_HEADER_SIZE, from->data + PAGE_HEADER_SIZE, PAGE_BODY_SIZE);
}

/* The root's content goes into a child of its own; the root becomes an inner node above it. */
static void root_push_down(Tree *tree, Action *action, Page *root)
{
    Page child;
    page_touch(action, root);
    page_allocate(action, tree->database, tree->life, &child);
    copy_body(&child, root);
    uint32_t level = page_node(root)->header.level;
    tree_hook_merged(tree, root, &child);
    node_init(page_node(root), NODE_INNER, level + 1, STR(""), STR_NONE);
    page_node(root)->upper_child = child.id;
    tree_count_pages(tree, 1);
    page_unlatch(&child);
}

/* ------------------------------------------------------------------ splitting */

typedef struct LeafSplit {
    uint32_t position;
    uint64_t separator;
} LeafSplit;

/* Appending leaves the left leaf full; else half of the rows move. */
static LeafSplit choose_leaf_split(const TableLeaf *leaf, uint64_t row_id)
{
    uint32_t position = table_leaf_lower_bound(leaf, row_id);
    if (position == leaf->row_count)
        return (LeafSplit){.position = position, .separator = row_id};
    position = leaf->row_count / 2;
    return (LeafSplit){.position = position, .separator = table_leaf_row_id(leaf, position)};
}

/* Makes `node` point to `left` and `right` with the separator between, where it pointed to `left`.
 */
static void parent_add(Node *parent, Str key, PageId left, Str separator, PageId right)
{
    uint32_t index = node_child_index(parent, key);
    node_insert(parent, index, separator, str_make(&left, sizeof(left)), 0);
    node_set_child(parent, index + 1, right);
}

static ShapeOutcome split_table_leaf(Tree *tree, Str key, Action *action, Page *parent, Page *page)
{
    TableLeaf leaf;
    TRY(tree_leaf_view(tree, page, &leaf));
    uint64_t row_id = tree_key_row_id(key);
    if (leaf.row_count == 0 || row_id < leaf.first_id || row_id > leaf.last_id)
        return leaf.row_count == 0 ? SHAPE_DONE
                                   : (ShapeOutcome)tree_damaged(tree, page->id, "wrong fences");
    LeafSplit split = choose_leaf_split(&leaf, row_id);
    if (split.separator <= leaf.first_id)
        return SHAPE_DONE; /* the row is the only one that the leaf could have: nothing to split */
    if (!node_has_room(page_node(parent), sizeof(RowKey), sizeof(PageId)))
        return SHAPE_PARENT;
    RowKey separator = row_key_make(split.separator);
    Page right;
    page_touch(action, parent);
    page_touch(action, page);
    page_allocate(action, tree->database, tree->life, &right);
    leaf_split(page_leaf(page), page_leaf(&right), leaf.layout, split.position, split.separator);
    parent_add(page_node(parent), key, page->id, ROW_KEY_STR(separator), right.id);
    tree_hook_split(tree, page, &right, split.separator);
    tree_count_pages(tree, 1);
    page_unlatch(&right);
    return SHAPE_DONE;
}

static ShapeOutcome split_slotted(Tree *tree, Str key, Action *action, Page *parent, Page *page)
{
    Node *node = page_node(page);
    NodeSplit split;
    bool exact;

    if (node->header.count == 0)
        return SHAPE_DONE;
    uint32_t index = node_lower_bound(node, key, &exact);
    if (exact && node->header.count == 1)
        return SHAPE_DONE;
    node_choose_split(node, index, key, &split);
    if (!node_has_room(page_node(parent), split.separator.length, sizeof(PageId)))
        return SHAPE_PARENT;
    Page right;
    page_touch(action, parent);
    page_touch(action, page);
    page_allocate(action, tree->database, tree->life, &right);
    bool is_leaf = node->header.level == 0;
    node_split(node, page_node(&right), &split);
    parent_add(page_node(parent), key, page->id, split.separator, right.id);
    if (is_leaf)
        tree_hook_split(tree, page, &right, 0);
    tree_count_pages(tree, 1);
    page_unlatch(&right);
    return SHAPE_DONE;
}

static ShapeOutcome split_step(Tree *tree, Str key, Action *action, Descent *descent, void *context)
{
    Page *parent = &descent->parent, *page = &descent->page;
    if (parent->mode == PAGE_UNLATCHED) {
        if (!page_upgrade(page))
            return SHAPE_AGAIN;
        root_push_down(tree, action, page);
        page_unlatch(page);
        return SHAPE_AGAIN;
    }
    if (!page_upgrade(parent))
        return SHAPE_AGAIN;
    if (!page_upgrade(page)) {
        page_unlatch(parent);
        return SHAPE_AGAIN;
    }
    ShapeOutcome outcome = page_node(page)->header.kind == NODE_TABLE_LEAF
                               ? split_table_leaf(tree, key, action, parent, page)
                               : split_slotted(tree, key, action, parent, page);
    page_unlatch(page);
    page_unlatch(parent);
    return outcome;
}

bool tree_split(Tree *tree, Str key, uint32_t level)
{
    uint32_t at = level;
    for (;;) {
        switch (shape_change(tree, key, at, split_step, NULL)) {
        case SHAPE_FAILED:
            return false;
        case SHAPE_PARENT:
            at++;
            break;
        default:
            if (at == level)
                return true;
            at--;
            break;
        }
    }
}

/* ------------------------------------------------------------------ merging */

#define UNDERFULL_BYTES (PAGE_SIZE / 4)

bool tree_leaf_is_underfull(Tree *tree, const Page *page)
{
    if (page->id == tree->root)
        return false;
    if (page_node(page)->header.kind != NODE_TABLE_LEAF)
        return NODE_SPACE - node_free_bytes(page_node(page)) < UNDERFULL_BYTES;
    const Layout *layout = tree_layout_version(tree, page_leaf(page)->layout_version);
    return layout && leaf_used_bytes(page_leaf(page), layout) < UNDERFULL_BYTES;
}

/* Two table leaves into the left one; an empty one takes the other's layout. */
static bool merge_table_leaves(Tree *tree, Action *action, Page *left_page, Page *right_page)
{
    LeafPage *left = page_leaf(left_page), *right = page_leaf(right_page);
    const Layout *left_layout = tree_layout_version(tree, left->layout_version);
    const Layout *right_layout = tree_layout_version(tree, right->layout_version);

    if (!left_layout || !right_layout)
        return false;
    const Layout *layout = left->header.count > 0 ? left_layout : right_layout;
    if (left->header.count > 0 && right->header.count > 0) {
        if (left_layout != right_layout || !leaf_can_merge(left, right, layout) ||
            leaf_used_bytes(left, layout) + leaf_used_bytes(right, layout) > PAGE_SIZE * 7 / 8)
            return false;
    }
    page_touch(action, left_page);
    if (left->header.count == 0) {
        leaf_init(left, layout, left->low, left->high);
    } else if (right->header.count == 0) {
        left->high = right->high;
        return true;
    }
    if (!leaf_can_merge(left, right, layout)) /* ids that now need more room: keep both */
        return false;
    leaf_merge(left, right, layout);
    return true;
}

static bool merge_slotted(Action *action, Page *left_page, Page *right_page)
{
    Node *left = page_node(left_page), *right = page_node(right_page);
    uint32_t used = 2 * (uint32_t)NODE_SPACE - node_free_bytes(left) - node_free_bytes(right);
    if (!node_can_merge(left, right) || used > PAGE_SIZE * 7 / 8)
        return false;
    page_touch(action, left_page);
    node_merge(left, right);
    return true;
}

/* A root with one child only takes the child's content. */
static ShapeOutcome root_pull_up(Tree *tree, Action *action, Page *root, Descent *descent)
{
    Page child;
    PageId id = page_node(root)->upper_child;
    if (page_latch_exclusive(tree->database, id, &child) != PAGE_OK) {
        descent->miss = id;
        return SHAPE_MISS;
    }
    page_touch(action, root);
    copy_body(root, &child);
    tree_hook_merged(tree, &child, root);
    tree_count_pages(tree, -1);
    page_free(action, &child);
    return SHAPE_DONE;
}

/* The parent is latched exclusively: its children cannot come or go. */
static ShapeOutcome merge_children(Tree *tree, Str key, Action *action, Page *parent_page,
                                   Descent *descent)
{
    Node *parent = page_node(parent_page);
    Page left, right;
    uint32_t count = parent->header.count;

    if (count == 0)
        return parent_page->id == tree->root ? root_pull_up(tree, action, parent_page, descent)
                                             : SHAPE_PARENT;
    uint32_t index = MIN(node_child_index(parent, key), count - 1);
    descent->miss = node_child(parent, index);
    if (page_latch_exclusive(tree->database, descent->miss, &left) != PAGE_OK)
        return SHAPE_MISS;
    descent->miss = node_child(parent, index + 1);
    if (page_latch_exclusive(tree->database, descent->miss, &right) != PAGE_OK) {
        page_unlatch(&left);
        return SHAPE_MISS;
    }
    bool is_table_leaf = page_node(&left)->header.kind == NODE_TABLE_LEAF;
    bool is_leaf = page_node(&left)->header.level == 0;
    if (page_node(&right)->header.kind != page_node(&left)->header.kind ||
        !(is_table_leaf ? merge_table_leaves(tree, action, &left, &right)
                        : merge_slotted(action, &left, &right))) {
        page_unlatch(&right);
        page_unlatch(&left);
        return SHAPE_DONE;
    }
    page_touch(action, parent_page);
    node_set_child(parent, index + 1, left.id);
    node_remove(parent, index);
    if (is_leaf)
        tree_hook_merged(tree, &right, &left);
    tree_count_pages(tree, -1);
    page_free(action, &right);
    page_unlatch(&left);
    bool underfull = NODE_SPACE - node_free_bytes(parent) < UNDERFULL_BYTES;
    return parent->header.count == 0 || (underfull && parent_page->id != tree->root) ? SHAPE_PARENT
                                                                                     : SHAPE_DONE;
}

static ShapeOutcome shrink_step(Tree *tree, Str key, Action *action, Descent *descent,
                                void *context)
{
    Page *page = &descent->page;
    bool is_leaf = page_node(page)->header.level == 0;

    if (descent->parent.mode == PAGE_UNLATCHED) {
        if (is_leaf)
            return page_read_validate(page) ? SHAPE_DONE : SHAPE_AGAIN;
        if (!page_upgrade(page))
            return SHAPE_AGAIN;
        ShapeOutcome outcome = SHAPE_DONE;
        if (page_node(page)->header.count == 0)
            outcome = root_pull_up(tree, action, page, descent);
        page_unlatch(page);
        return outcome;
    }
    if (!page_upgrade(&descent->parent))
        return SHAPE_AGAIN;
    ShapeOutcome outcome = merge_children(tree, key, action, &descent->parent, descent);
    page_unlatch(&descent->parent);
    return outcome;
}

bool tree_shrink(Tree *tree, Str key, uint32_t level)
{
    for (uint32_t at = level; at < TREE_MAX_HEIGHT; at++) {
        ShapeOutcome outcome = shape_change(tree, key, at, shrink_step, NULL);
        if (outcome == SHAPE_FAILED && error_fields()->sqlstate == ERR_DATA_CORRUPTED) {
            error_clear(); /* the neighbour's damage: nobody needs the merge */
            break;
        }
        TRY(outcome);
        if (outcome != SHAPE_PARENT)
            break;
    }
    return true;
}

/* ------------------------------------------------------------------ a leaf on the right edge */

typedef struct AppendLeaf {
    PageId id;
    uint64_t first_id; /* of its first row: the separator */
    void (*on_leaf)(void *context, void **versions, uint64_t first, uint64_t last);
    void *context;
} AppendLeaf;

static void link_leaf(Tree *tree, Action *action, Page *parent, Page *last, Page *leaf,
                      const AppendLeaf *append)
{
    RowKey separator = row_key_make(append->first_id);
    LeafPage *bytes = page_leaf(leaf);
    page_touch(action, parent);
    page_touch(action, last);
    page_touch(action, leaf);
    page_leaf(last)->high = append->first_id - 1;
    bytes->low = append->first_id;
    bytes->high = UINT64_MAX;
    node_insert(page_node(parent), page_node(parent)->header.count, ROW_KEY_STR(separator),
                str_make(&last->id, sizeof(PageId)), 0);
    page_node(parent)->upper_child = leaf->id;
    TableLeaf view;
    if (append->on_leaf &&
        leaf_view(bytes, tree_layout_version(tree, bytes->layout_version), &view))
        append->on_leaf(append->context, page_versions_slot(leaf), append->first_id,
                        table_leaf_row_id(&view, view.row_count - 1));
    tree_count_pages(tree, 1);
    tree_count_rows(tree, bytes->header.count);
}

static ShapeOutcome append_step(Tree *tree, Str key, Action *action, Descent *descent,
                                void *context)
{
    const AppendLeaf *append = context;
    Page *parent = &descent->parent, *last = &descent->page;
    if (parent->mode == PAGE_UNLATCHED)
        return split_step(tree, key, action, descent, NULL);
    if (!page_upgrade(parent))
        return SHAPE_AGAIN;
    if (!page_upgrade(last)) {
        page_unlatch(parent);
        return SHAPE_AGAIN;
    }
    ShapeOutcome outcome = SHAPE_PARENT;
    Page leaf;
    if (page_leaf(last)->high != UINT64_MAX) {
        outcome = (ShapeOutcome)tree_damaged(tree, last->id, "not the last leaf");
    } else if (node_has_room(page_node(parent), sizeof(RowKey), sizeof(PageId))) {
        outcome = SHAPE_MISS;
        descent->miss = append->id;
        page_attach(action, tree->database, append->id); /* latches it; again is harmless */
        if (page_latch_exclusive(tree->database, append->id, &leaf) == PAGE_OK) {
            link_leaf(tree, action, parent, last, &leaf, append);
            page_unlatch(&leaf);
            outcome = SHAPE_DONE;
        }
    }
    page_unlatch(last);
    page_unlatch(parent);
    return outcome;
}

bool tree_append_leaf(Tree *tree, PageId leaf, uint64_t first_id,
                      void (*on_leaf)(void *context, void **versions, uint64_t first,
                                      uint64_t last),
                      void *context)
{
    AppendLeaf append = {.id = leaf, .first_id = first_id, .on_leaf = on_leaf, .context = context};
    RowKey key = row_key_make(first_id);
    for (;;) {
        ShapeOutcome outcome = shape_change(tree, ROW_KEY_STR(key), 0, append_step, &append);
        TRY(outcome);
        if (outcome != SHAPE_PARENT)
            return true;
        TRY(tree_split(tree, ROW_KEY_STR(key), 1));
    }
}
