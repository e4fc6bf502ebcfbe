/*
 * Trees built bottom up from sorted input.
 *
 * The builder has one open node a level, in memory of its own. A full one is closed (its upper
 * fence is the separator to what follows), copied to a fresh page and entered in the open node
 * above. The last open node becomes the root. Keys of the open leaf are kept side by side: how much
 * of them their prefix takes is known when the leaf is closed, and they are written then.
 */
#include <stdlib.h>

#include "base/error_record.h"
#include "base/memory.h"
#include "base/task.h"
#include "storage/tree_builder.h"
#include "storage/tree_internal.h"

#define SOME_MORE 4u /* rows of a leaf than of the one before, for which its arrays have room */

/* Keys of the open leaf. */
typedef struct OpenKeys {
    uint32_t count, size; /* bytes */
    uint32_t lower_length;
    char lower[TREE_MAX_KEY]; /* the leaf's lower fence */
    uint16_t lengths[NODE_MAX_SLOTS];
    char bytes[NODE_SPACE + NODE_KEYS_SLACK];
} OpenKeys;

struct TreeBuilder {
    Tree *tree;
    uint32_t fill_bytes; /* a leaf is closed above it */
    byte *levels[TREE_MAX_HEIGHT];
    uint32_t height; /* levels in use; 0: nothing has come yet */
    RowScratch *scratch;
    int64_t row_count, page_count;
    uint64_t last_id;
    OpenKeys *keys; /* of indexes */
};

TreeBuilder *tree_builder_new(Tree *tree, uint32_t fill_percent)
{
    TreeBuilder *builder = memory_calloc(1, sizeof(TreeBuilder));
    if (!builder)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    builder->tree = tree;
    builder->fill_bytes = (uint32_t)(PAGE_SIZE * MIN(MAX(fill_percent, 10u), 100u) / 100);
    if (tree->kind == TREE_TABLE) {
        builder->scratch = row_scratch_new(tree);
    } else {
        builder->keys = memory_malloc(sizeof(OpenKeys));
        if (builder->keys)
            builder->keys->count = builder->keys->size = builder->keys->lower_length = 0;
        else
            ERROR_SET(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    }
    if (!builder->scratch && !builder->keys) {
        memory_free(builder);
        return NULL;
    }
    return builder;
}

void tree_builder_free(TreeBuilder *builder)
{
    if (!builder)
        return;
    for (uint32_t i = 0; i < builder->height; i++)
        memory_free(builder->levels[i]);
    row_scratch_free(builder->scratch);
    memory_free(builder->keys);
    memory_free(builder);
}

static bool level_open(TreeBuilder *builder, uint32_t level)
{
    if (level == TREE_MAX_HEIGHT)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = STR("a tree has too many levels"));
    byte *page = aligned_alloc(CACHE_LINE, PAGE_SIZE);
    if (!page)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    memset(page, 0, PAGE_SIZE); /* what stays free goes to disk, too */
    if (level == 0)
        tree_init_leaf(builder->tree->kind, tree_layout(builder->tree), page);
    else
        node_init((Node *)page, NODE_INNER, level, STR(""), STR_NONE);
    builder->levels[level] = page;
    builder->height = level + 1;
    return true;
}

static bool write_out(TreeBuilder *builder, const byte *content, PageId *ret_page)
{
    Action action;
    Page page;

    TRY(action_begin(builder->tree->database, 1, &action));
    page_allocate(&action, builder->tree->database, builder->tree->life, &page);
    memcpy(page.data + PAGE_HEADER_SIZE, content + PAGE_HEADER_SIZE, PAGE_BODY_SIZE);
    *ret_page = page.id;
    page_unlatch(&page);
    action_end(&action);
    builder->page_count++;
    return true;
}

/* Enters a finished child, with the separator to what follows it, one level up. */
static bool level_push(TreeBuilder *builder, uint32_t level, PageId child, Str separator)
{
    char buffer[TREE_MAX_KEY];
    for (;; level++) {
        if (level == builder->height)
            TRY(level_open(builder, level));
        Node *node = (Node *)builder->levels[level];
        if (node_has_room(node, separator.length, sizeof(PageId))) {
            node_insert(node, node->header.count, separator, str_make(&child, sizeof(child)), 0);
            return true;
        }
        /* Full: the last separator moves up, its child becomes the node's last. */
        char up_buffer[TREE_MAX_KEY];
        uint32_t last = node->header.count - 1u;
        Str up = node_key(node, last, up_buffer);
        PageId written;
        node->upper_child = node_child(node, last);
        node_remove(node, last);
        node_close(node, up);
        TRY(write_out(builder, builder->levels[level], &written));
        node_init(node, NODE_INNER, level, up, STR_NONE);
        node_insert(node, 0, separator, str_make(&child, sizeof(child)), 0);
        memcpy(buffer, up.data, up.length);
        separator = str_make(buffer, up.length);
        child = written;
    }
}

/* ------------------------------------------------------------------ rows */

static bool close_table_leaf(TreeBuilder *builder, uint64_t separator)
{
    LeafPage *leaf = (LeafPage *)builder->levels[0];
    RowKey key = row_key_make(separator);
    PageId written;
    const uint32_t rows = leaf->header.count;
    leaf->high = separator - 1;
    TRY(write_out(builder, builder->levels[0], &written));
    leaf_init(leaf, tree_layout(builder->tree), separator, UINT64_MAX);
    leaf_expect_rows(leaf, tree_layout(builder->tree), rows + SOME_MORE);
    return level_push(builder, 1, written, ROW_KEY_STR(key));
}

bool tree_builder_add_row(TreeBuilder *builder, uint64_t row_id, Str image)
{
    const Layout *layout = tree_layout(builder->tree);
    assert(builder->tree->kind == TREE_TABLE);
    assert(row_id <= TREE_MAX_ROW_ID && (builder->row_count == 0 || row_id > builder->last_id));
    CHECK_INTERRUPTS(); /* not between a page and its place in the one above */
    if (builder->height == 0)
        TRY(level_open(builder, 0));
    const LeafRow *row = row_scratch_prepare(builder->tree, builder->scratch, row_id, image);
    TRY(row);
    LeafPage *leaf = (LeafPage *)builder->levels[0];
    if (leaf->header.count > 0 &&
        (!leaf_has_room(leaf, layout, row_id, row->var_size) ||
         leaf_used_bytes(leaf, layout) + row->var_size > builder->fill_bytes))
        TRY(close_table_leaf(builder, row_id));
    leaf_insert(leaf, layout, leaf->header.count, row);
    builder->row_count++;
    builder->last_id = row_id;
    return true;
}

static bool add_range(TreeBuilder *builder, uint64_t first_id, const RowRange *range,
                      const size_t *var_sizes)
{
    const Layout *layout = tree_layout(builder->tree);

    for (uint32_t done = 0; done < range->count;) {
        LeafPage *leaf = (LeafPage *)builder->levels[0];
        LeafRowRange rows = {
            .first_id = first_id + done, .range = *range, .var_sizes = var_sizes + done};
        rows.range.from += done;
        rows.range.count -= done;
        rows.range.count = leaf_rows_with_room(leaf, layout, &rows, builder->fill_bytes);
        assert(rows.range.count > 0 || leaf->header.count > 0);
        if (rows.range.count > 0)
            leaf_append(leaf, layout, &rows);
        else
            TRY(close_table_leaf(builder, first_id + done));
        done += rows.range.count;
    }
    return true;
}

bool tree_builder_add_rows(TreeBuilder *builder, uint64_t first_id, const RowRange *range,
                           const size_t *image_sizes)
{
    const Layout *layout = tree_layout(builder->tree);
    const size_t fixed = row_image_fixed_size(layout);
    size_t var_sizes[VECTOR_SIZE];

    assert(builder->tree->kind == TREE_TABLE);
    assert(range->count > 0 && range->count <= VECTOR_SIZE);
    assert(first_id + range->count - 1 <= TREE_MAX_ROW_ID);
    assert(builder->row_count == 0 || first_id > builder->last_id);
    CHECK_INTERRUPTS();
    if (builder->height == 0)
        TRY(level_open(builder, 0));
    for (uint32_t i = 0; i < range->count; i++) {
        assert(image_sizes[i] >= fixed && image_sizes[i] <= TREE_SMALL_ROW);
        var_sizes[i] = image_sizes[i] - fixed;
    }
    TRY(add_range(builder, first_id, range, var_sizes));
    builder->row_count += range->count;
    builder->last_id = first_id + range->count - 1;
    return true;
}

/* ------------------------------------------------------------------ keys */

static inline Str last_key(const OpenKeys *keys)
{
    const uint32_t length = keys->lengths[keys->count - 1];
    return str_make(keys->bytes + keys->size - length, length);
}

/* Makes the open leaf of its keys; `upper` STR_NONE: it has no upper fence. */
static void write_keys(TreeBuilder *builder, Str upper)
{
    OpenKeys *keys = builder->keys;
    Node *node = (Node *)builder->levels[0];

    node_init(node, NODE_SLOTTED_LEAF, 0, str_make(keys->lower, keys->lower_length), upper);
    node_append_keys(node, keys->bytes, keys->lengths, keys->count);
    keys->count = keys->size = 0;
}

static bool close_slotted_leaf(TreeBuilder *builder, Str key)
{
    OpenKeys *keys = builder->keys;
    const Str last = last_key(keys);
    size_t common = 0, limit = MIN(key.length, last.length);
    PageId written;

    while (common < limit && key.data[common] == last.data[common])
        common++;
    const Str separator = str_slice(key, 0, MIN(common + 1, key.length));
    write_keys(builder, separator);
    memcpy(keys->lower, separator.data, separator.length);
    keys->lower_length = (uint32_t)separator.length;
    TRY(write_out(builder, builder->levels[0], &written));
    return level_push(builder, 1, written, separator);
}

/* By words of eight bytes as long as both have them. */
static inline bool key_is_before(Str a, Str b)
{
    const size_t shorter = MIN(a.length, b.length);
    uint64_t x, y;

    for (size_t at = 0; at + sizeof(x) <= shorter; at += sizeof(x)) {
        memcpy(&x, a.data + at, sizeof(x));
        memcpy(&y, b.data + at, sizeof(y));
        if (x != y)
            return __builtin_bswap64(x) < __builtin_bswap64(y);
    }
    return str_compare(a, b) < 0;
}

bool tree_builder_add_key(TreeBuilder *builder, Str key)
{
    OpenKeys *keys = builder->keys;

    assert(builder->tree->kind == TREE_INDEX);
    CHECK_INTERRUPTS();
    if (key.length > TREE_MAX_KEY)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = fmt("index row size %zu exceeds maximum %u",
                                                        key.length, (unsigned)TREE_MAX_KEY));
    if (builder->height == 0)
        TRY(level_open(builder, 0));
    assert(keys->count == 0 || key_is_before(last_key(keys), key));
    const size_t used = keys->lower_length + keys->size + (size_t)keys->count * sizeof(NodeSlot);
    const size_t size = sizeof(NodeSlot) + key.length;
    /* The fence that will close the leaf is at most a byte longer than its last key. */
    if (keys->count > 0 &&
        (NODE_SPACE - used < size + key.length + 1 || used + size > builder->fill_bytes))
        TRY(close_slotted_leaf(builder, key));
    memcpy(keys->bytes + keys->size, key.data, key.length);
    keys->lengths[keys->count++] = (uint16_t)key.length;
    keys->size += (uint32_t)key.length;
    builder->row_count++;
    return true;
}

bool tree_builder_finish(TreeBuilder *builder)
{
    Tree *tree = builder->tree;
    Action action;
    Page root;
    TreeRetry retry = {0};

    if (builder->height == 0)
        return true;
    if (builder->keys)
        write_keys(builder, STR_NONE);
    for (uint32_t level = 0; level + 1 < builder->height; level++) {
        PageId written;
        TRY(write_out(builder, builder->levels[level], &written));
        ((Node *)builder->levels[level + 1])->upper_child = written;
    }
    for (;;) {
        TRY(action_begin(tree->database, 1, &action));
        if (page_latch_exclusive(tree->database, tree->root, &root) == PAGE_OK)
            break;
        action_end(&action);
        TRY(tree_load(tree, tree->root, &retry));
    }
    page_touch(&action, &root);
    memcpy(root.data + PAGE_HEADER_SIZE, builder->levels[builder->height - 1] + PAGE_HEADER_SIZE,
           PAGE_BODY_SIZE);
    tree_write_end(&action, &root);
    tree_count_rows(tree, builder->row_count);
    tree_count_pages(tree, builder->page_count);
    return true;
}

void tree_builder_abandon(TreeBuilder *builder)
{
    Task *task = task_current();
    ErrorRecord *earlier = error_put_aside();
    const bool were_held = task->interrupts_held;

    task->interrupts_held = true;
    if (builder && !tree_builder_finish(builder))
        error_clear();
    task->interrupts_held = were_held;
    error_put_back(earlier);
    tree_builder_free(builder);
}
