/*
 * Rows to come: finding their leaves, and asking for the cache lines that will be read of them.
 */
#include "storage/tree_ahead.h"

#include "storage/tree_internal.h"

/* How many rows ahead of the visited one each stage is. The farthest is the window. */
#define AHEAD_WARM 5u /* the page's header and row ids */
#define AHEAD_AIM 3u  /* the row's elements in the columns' arrays */
#define AHEAD_HEAP 1u /* its values of variable length */

#define COLUMNS_MOST 16u /* so many columns of a row are asked for */

void tree_ahead_init(TreeAhead *ahead, Tree *tree, const int64_t *row_ids, uint32_t count)
{
    ahead->tree = tree;
    ahead->row_ids = row_ids;
    ahead->count = count;
    ahead->window = 0;
    ahead->visited = UINT32_MAX;
    ahead->found = ahead->warmed = ahead->aimed = 0;
}

static TreeAheadPlace *place_of(TreeAhead *ahead, uint32_t at)
{
    return &ahead->places[at % TREE_AHEAD_MAX];
}

/* -------- The stages; none fails -------- */

/* The leaf by the node above it; where that is in memory, and the tree has one. */
static void place_find(TreeAhead *ahead, uint32_t at)
{
    Database *database = ahead->tree->database;
    TreeAheadPlace *place = place_of(ahead, at);

    place->arrays = NULL;
    place->leaf = tree_child_above(ahead->tree, (uint64_t)ahead->row_ids[at], &place->parent);
    if (place->leaf < database->page_limit)
        __builtin_prefetch(&database->entries[place->leaf]);
}

#ifndef SENGI_LATCHED_READS

/* The leaf's bytes if it is in memory. They may be another page's by now: good for hints alone. */
static const byte *place_bytes(const TreeAhead *ahead, const TreeAheadPlace *place)
{
    const Database *database = ahead->tree->database;

    if (place->leaf == PAGE_ID_NONE || place->leaf >= database->page_limit)
        return NULL;
    const uint32_t frame =
        atomic_load_explicit(&database->entries[place->leaf].frame, memory_order_acquire);
    if (frame == 0 || frame == PAGE_FRAME_LOADING)
        return NULL;
    return database->frames + (size_t)frame * PAGE_SIZE;
}

static void place_warm(TreeAhead *ahead, uint32_t at)
{
    const TreeAheadPlace *place = place_of(ahead, at);
    const byte *bytes = place_bytes(ahead, place);

    if (!bytes) {
        page_prefetch(ahead->tree->database, place->leaf);
        return;
    }
    __builtin_prefetch(bytes);
    __builtin_prefetch(bytes + CACHE_LINE);
}

/* The first columns of the row, of which there are so many. */
static uint32_t columns_ahead(const Layout *layout)
{
    return MIN(layout->column_count, COLUMNS_MOST);
}

static void place_aim(TreeAhead *ahead, uint32_t at)
{
    TreeAheadPlace *place = place_of(ahead, at);
    const byte *bytes = place_bytes(ahead, place);
    const Layout *layout = tree_layout(ahead->tree);
    LeafPage header; /* a copy, that it stays as it was looked over */
    TableLeaf leaf;

    if (!bytes)
        return;
    memcpy(&header, bytes, sizeof(header));
    if (header.header.kind != NODE_TABLE_LEAF || header.layout_version != layout->version)
        return;
    if (!leaf_view(&header, layout, &leaf)) {
        error_clear();
        return;
    }
    leaf.page = bytes;
    place->position = table_leaf_lower_bound(&leaf, (uint64_t)ahead->row_ids[at]);
    if (place->position >= leaf.row_count)
        return;
    place->capacity = leaf.capacity;
    place->arrays = bytes + leaf.fixed;
    for (uint32_t c = 0; c < columns_ahead(layout); c++)
        __builtin_prefetch(place->arrays + (size_t)leaf.capacity * layout->offsets[c] +
                           (size_t)place->position * phys_width(layout->columns[c].type));
}

static void place_heap(TreeAhead *ahead, uint32_t at)
{
    const TreeAheadPlace *place = place_of(ahead, at);
    const byte *bytes = place_bytes(ahead, place);
    const Layout *layout = tree_layout(ahead->tree);

    if (!bytes || !place->arrays || layout->var_count == 0)
        return;
    for (uint32_t c = 0; c < columns_ahead(layout); c++) {
        LeafVar var;
        if (layout->columns[c].type != PHYS_VAR)
            continue;
        memcpy(&var,
               place->arrays + (size_t)place->capacity * layout->offsets[c] +
                   (size_t)place->position * sizeof(var),
               sizeof(var));
        if (var.length == LEAF_EXTERNAL || (uint32_t)var.offset + var.length > PAGE_SIZE)
            continue;
        /* The processor goes on by itself where a value is longer. */
        __builtin_prefetch(bytes + var.offset);
        if (var.length > CACHE_LINE)
            __builtin_prefetch(bytes + var.offset + CACHE_LINE);
    }
}

#else /* pages are read under latches only */

static void place_warm(TreeAhead *ahead, uint32_t at)
{
    page_prefetch(ahead->tree->database, place_of(ahead, at)->leaf);
}
static void place_aim(TreeAhead *ahead, uint32_t at)
{
    (void)ahead;
    (void)at;
}
static void place_heap(TreeAhead *ahead, uint32_t at)
{
    (void)ahead;
    (void)at;
}

#endif

/* -------- Going along the rows -------- */

/* The window grows while each visit has but one row or two, and shuts where a leaf has more. */
static void window_adapt(TreeAhead *ahead, uint32_t at)
{
    const bool is_first = ahead->visited == UINT32_MAX;

    if (!is_first)
        ahead->window = at - ahead->visited <= 2 ? TREE_AHEAD_MAX - 1 : 0;
    ahead->visited = at;
}

static uint32_t stage_end(const TreeAhead *ahead, uint32_t at, uint32_t distance)
{
    return MIN(at + MIN(distance, ahead->window) + 1, ahead->count);
}

/* Takes each stage as far as it goes with the row `at` being visited. */
static void stages_move(TreeAhead *ahead, uint32_t at)
{
    ahead->found = MAX(ahead->found, at + 1);
    while (ahead->found < stage_end(ahead, at, ahead->window))
        place_find(ahead, ahead->found++);
    ahead->warmed = MAX(ahead->warmed, at + 1);
    while (ahead->warmed < stage_end(ahead, at, AHEAD_WARM))
        place_warm(ahead, ahead->warmed++);
    ahead->aimed = MAX(ahead->aimed, at + 1);
    while (ahead->aimed < stage_end(ahead, at, AHEAD_AIM))
        place_aim(ahead, ahead->aimed++);
    if (at + AHEAD_HEAP < ahead->aimed)
        place_heap(ahead, at + AHEAD_HEAP);
}

/* The row's leaf, latched, if it was found ahead and is still where it was. */
static bool place_latch(TreeAhead *ahead, uint32_t at, Page *ret_page)
{
    const TreeAheadPlace *place = place_of(ahead, at);

    if (place->leaf == PAGE_ID_NONE ||
        page_latch_shared(ahead->tree->database, place->leaf, ret_page) != PAGE_OK)
        return false;
    if (likely(page_read_validate(&place->parent)))
        return true;
    page_unlatch(ret_page);
    return false;
}

bool tree_ahead_visit(TreeAhead *ahead, uint32_t at, TreeLeafVisitor *visitor, void *context)
{
    const uint64_t row_id = (uint64_t)ahead->row_ids[at];
    const bool is_found = at < ahead->found;
    uint64_t next;
    Page page;

    window_adapt(ahead, at);
    if (ahead->window > 0)
        stages_move(ahead, at);
    if (is_found && place_latch(ahead, at, &page))
        return tree_visit_latched(ahead->tree, &page, row_id, visitor, context);
    return tree_visit_leaf(ahead->tree, row_id, visitor, context, &next);
}
