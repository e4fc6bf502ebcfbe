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

bool tree_hook_may_purge_ghost(Tree *tree, Str key)
{
    return tree_hooks && tree_hooks->may_purge_ghost &&
           tree_hooks->may_purge_ghost(tree_hooks_context, tree, key);
}

void tree_hook_ghosts_gather(Tree *tree, const Page *page, Str key)
{
    if (tree_hooks && tree_hooks->ghosts_gather)
        tree_hooks->ghosts_gather(tree_hooks_context, tree, page_versions_slot(page), key);
}

void tree_hook_ghosts_met(Tree *tree, const Page *page, Str key)
{
    if (tree_hooks && tree_hooks->ghosts_met)
        tree_hooks->ghosts_met(tree_hooks_context, tree, page_versions_slot(page), key);
}

/* ------------------------------------------------------------------ finding parent and node */

typedef enum ShapeOutcome {
    SHAPE_FAILED = 0,
    SHAPE_DONE,
    SHAPE_AGAIN,  /* start over */
    SHAPE_PARENT, /* the parent must change first */
    SHAPE_MISS,   /* a page is not in memory */
    SHAPE_FULL,   /* the node must be split first */
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

/*
 * Child `index` and the one behind it into one. The parent is latched exclusively: its children
 * cannot come or go.
 */
static ShapeOutcome merge_pair(Tree *tree, Action *action, Page *parent_page, uint32_t index,
                               Descent *descent)
{
    Node *parent = page_node(parent_page);
    Page left, right;

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

/* The child that covers the key and the next one; of entries also the one before, which may have
 * found no room when it was emptied itself. */
static ShapeOutcome merge_children(Tree *tree, Str key, Action *action, Page *parent_page,
                                   Descent *descent)
{
    Node *parent = page_node(parent_page);
    const uint32_t count = parent->header.count;

    if (count == 0)
        return parent_page->id == tree->root ? root_pull_up(tree, action, parent_page, descent)
                                             : SHAPE_PARENT;
    const uint32_t index = node_child_index(parent, key);
    const ShapeOutcome outcome =
        merge_pair(tree, action, parent_page, MIN(index, count - 1), descent);
    if ((outcome != SHAPE_DONE && outcome != SHAPE_PARENT) || tree->kind == TREE_TABLE ||
        index == 0 || index == count)
        return outcome;
    const ShapeOutcome before = merge_pair(tree, action, parent_page, index - 1, descent);
    return before == SHAPE_DONE ? outcome : before;
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

/* ------------------------------------------------------------------ linking a finished leaf */

/* A leaf's keys and fences in one form for all kinds: those of tables as big-endian row ids. */
typedef struct LeafKey {
    Str key; /* STR_NONE: there is none */
    char buffer[TREE_MAX_KEY];
} LeafKey;

static void leaf_key_row(LeafKey *key, uint64_t row_id)
{
    const RowKey row = row_key_make(row_id);
    memcpy(key->buffer, row.bytes, sizeof(row.bytes));
    key->key = str_make(key->buffer, sizeof(row.bytes));
}

static void leaf_key_copy(LeafKey *key, Str bytes)
{
    memcpy(key->buffer, bytes.data, bytes.length);
    key->key = str_make(key->buffer, bytes.length);
}

static uint64_t first_row_id(const Tree *tree, Str low)
{
    return tree->kind == TREE_TABLE ? tree_key_row_id(low) : 0;
}

/* The leaf's first key at `low` or behind it, and its position. */
static bool leaf_next(Tree *tree, const Page *page, Str low, LeafKey *ret_key,
                      uint32_t *ret_position)
{
    TableLeaf leaf;
    bool exact;

    ret_key->key = STR_NONE;
    if (tree->kind != TREE_TABLE) {
        *ret_position = node_lower_bound(page_node(page), low, &exact);
        if (*ret_position < page_node(page)->header.count)
            ret_key->key = node_key(page_node(page), *ret_position, ret_key->buffer);
        return true;
    }
    TRY(tree_leaf_view(tree, page, &leaf));
    *ret_position = table_leaf_lower_bound(&leaf, tree_key_row_id(low));
    if (*ret_position < leaf.row_count)
        leaf_key_row(ret_key, table_leaf_row_id(&leaf, *ret_position));
    return true;
}

/* The key of the last entry or row; STR_NONE: it has none. */
static bool leaf_last(Tree *tree, const Page *page, LeafKey *ret_key)
{
    const uint32_t count = page_node(page)->header.count;
    TableLeaf leaf;

    ret_key->key = STR_NONE;
    if (tree->kind == TREE_TABLE)
        TRY(tree_leaf_view(tree, page, &leaf));
    if (count == 0)
        return true;
    if (tree->kind == TREE_TABLE)
        leaf_key_row(ret_key, table_leaf_row_id(&leaf, leaf.row_count - 1));
    else
        ret_key->key = node_key(page_node(page), count - 1, ret_key->buffer);
    return true;
}

static void leaf_high(const Tree *tree, const Page *page, LeafKey *ret_key)
{
    ret_key->key = STR_NONE;
    if (tree->kind != TREE_TABLE && node_has_upper(page_node(page)))
        leaf_key_copy(ret_key, node_upper(page_node(page)));
    else if (tree->kind == TREE_TABLE && page_leaf(page)->high != UINT64_MAX)
        leaf_key_row(ret_key, page_leaf(page)->high + 1);
}

static bool leaf_begins_at(const Tree *tree, const Page *page, Str low)
{
    return tree->kind == TREE_TABLE ? page_leaf(page)->low == tree_key_row_id(low)
                                    : str_equal(node_lower(page_node(page)), low);
}

static bool bounds_are_equal(Str a, Str b)
{
    return str_is_none(a) == str_is_none(b) && (str_is_none(a) || str_equal(a, b));
}

/* Refuses what has keys at or behind `next`: there is something else of the tree's. */
static ShapeOutcome link_is_before(Tree *tree, Str next, LeafLink *link, Descent *descent)
{
    LeafKey last;
    Page leaf;

    if (!str_is_none(link->private_high) && str_compare(next, link->private_high) >= 0)
        return SHAPE_DONE;
    descent->miss = link->id;
    if (page_latch_shared(tree->database, link->id, &leaf) != PAGE_OK)
        return SHAPE_MISS;
    const bool is_known = leaf_last(tree, &leaf, &last);
    page_unlatch(&leaf);
    TRY(is_known);
    link->is_refused = str_is_none(last.key) || str_compare(next, last.key) <= 0;
    return SHAPE_DONE;
}

/* From `position` on, which has the key `separator`, everything goes to a leaf of its own. */
static ShapeOutcome split_at(Tree *tree, Action *action, Descent *descent, uint32_t position,
                             Str separator, LeafLink *link)
{
    Page *parent = &descent->parent, *page = &descent->page;
    NodeSplit split = {.index = position, .separator = separator};
    TableLeaf leaf;
    Page right;

    if (!node_has_room(page_node(parent), separator.length, sizeof(PageId)))
        return SHAPE_PARENT;
    if (tree->kind == TREE_TABLE)
        TRY(tree_leaf_view(tree, page, &leaf));
    else if (!node_split_fits(page_node(page), &split))
        link->is_refused = true;
    if (link->is_refused)
        return SHAPE_DONE;
    page_touch(action, parent);
    page_touch(action, page);
    page_allocate(action, tree->database, tree->life, &right);
    if (tree->kind == TREE_TABLE)
        leaf_split(page_leaf(page), page_leaf(&right), leaf.layout, position,
                   tree_key_row_id(separator));
    else
        node_split(page_node(page), page_node(&right), &split);
    parent_add(page_node(parent), separator, page->id, separator, right.id);
    tree_hook_split(tree, page, &right, first_row_id(tree, separator));
    tree_count_pages(tree, 1);
    page_unlatch(&right);
    return SHAPE_AGAIN;
}

/* The linked leaf gets the fences that it has in the tree. It stays unread if it has them. */
static ShapeOutcome link_fence(Tree *tree, Action *action, Str high, LeafLink *link,
                               Descent *descent)
{
    Page leaf;
    bool is_done = true;

    page_attach(action, tree->database, link->id);
    if (str_equal(link->low, link->private_low) && bounds_are_equal(high, link->private_high))
        return SHAPE_DONE;
    descent->miss = link->id;
    if (page_latch_exclusive(tree->database, link->id, &leaf) != PAGE_OK)
        return SHAPE_MISS;
    page_touch(action, &leaf);
    if (tree->kind == TREE_TABLE) {
        page_leaf(&leaf)->low = tree_key_row_id(link->low);
        page_leaf(&leaf)->high = str_is_none(high) ? UINT64_MAX : tree_key_row_id(high) - 1;
    } else {
        is_done = node_refence(page_node(&leaf), link->low, high);
    }
    page_unlatch(&leaf);
    link->is_refused = !is_done;
    return SHAPE_DONE;
}

/* Beside the leaf that has covered its keys, or in place of it. Parent and cover are latched. */
static void link_enter(Tree *tree, Action *action, Descent *descent, const LeafLink *link)
{
    Page *parent = &descent->parent, *cover = &descent->page;
    Page leaf = {.database = tree->database, .id = link->id};

    page_touch(action, parent);
    if (leaf_begins_at(tree, cover, link->low)) {
        const uint32_t index = node_child_index(page_node(parent), link->low);
        node_set_child(page_node(parent), index, link->id);
        tree_hook_merged(tree, cover, &leaf);
        page_free(action, cover);
    } else {
        page_touch(action, cover);
        if (tree->kind == TREE_TABLE) {
            page_leaf(cover)->high = tree_key_row_id(link->low) - 1;
        } else {
            const bool fits =
                node_refence(page_node(cover), node_lower(page_node(cover)), link->low);
            assert(fits);
            (void)fits;
        }
        parent_add(page_node(parent), link->low, cover->id, link->low, link->id);
        tree_hook_split(tree, cover, &leaf, first_row_id(tree, link->low));
        tree_count_pages(tree, 1);
    }
    if (link->on_leaf)
        link->on_leaf(link->context, page_versions_slot(&leaf));
}

static ShapeOutcome link_latched(Tree *tree, Action *action, Descent *descent, LeafLink *link)
{
    Page *parent = &descent->parent, *cover = &descent->page;
    LeafKey next, high;
    uint32_t position;

    TRY(leaf_next(tree, cover, link->low, &next, &position));
    if (!str_is_none(next.key)) {
        const ShapeOutcome outcome = link_is_before(tree, next.key, link, descent);
        if (outcome != SHAPE_DONE || link->is_refused)
            return outcome;
        return split_at(tree, action, descent, position, next.key, link);
    }
    if (!leaf_begins_at(tree, cover, link->low)) {
        if (!node_has_room(page_node(parent), link->low.length, sizeof(PageId)))
            return SHAPE_PARENT;
        if (tree->kind != TREE_TABLE && !node_can_refence(page_node(cover), link->low))
            return SHAPE_FULL;
    }
    leaf_high(tree, cover, &high);
    if (!str_is_none(high.key)) {
        const ShapeOutcome outcome = link_is_before(tree, high.key, link, descent);
        if (outcome != SHAPE_DONE || link->is_refused)
            return outcome;
    }
    const ShapeOutcome outcome = link_fence(tree, action, high.key, link, descent);
    if (outcome == SHAPE_DONE && !link->is_refused)
        link_enter(tree, action, descent, link);
    return outcome;
}

static ShapeOutcome link_step(Tree *tree, Str key, Action *action, Descent *descent, void *context)
{
    Page *parent = &descent->parent, *cover = &descent->page;

    if (parent->mode == PAGE_UNLATCHED)
        return split_step(tree, key, action, descent, NULL);
    if (!page_upgrade(parent))
        return SHAPE_AGAIN;
    if (!page_upgrade(cover)) {
        page_unlatch(parent);
        return SHAPE_AGAIN;
    }
    const ShapeOutcome outcome = link_latched(tree, action, descent, context);
    page_unlatch(cover);
    page_unlatch(parent);
    return outcome;
}

bool tree_link_leaf(Tree *tree, LeafLink *link)
{
    for (;;) {
        const ShapeOutcome outcome = shape_change(tree, link->low, 0, link_step, link);
        TRY(outcome);
        if (outcome == SHAPE_DONE)
            return true;
        TRY(tree_split(tree, link->low, outcome == SHAPE_PARENT ? 1 : 0));
    }
}
