/*
 * Trees built bottom up from sorted input.
 *
 * The builder has one open node a level, in memory of its own. A full one is closed (its upper
 * fence is the separator to what follows), copied to a fresh page and entered in the open node
 * above. The last open node becomes the root. Keys of the open leaf are kept side by side: how much
 * of them their prefix takes is known when the leaf is closed, and they are written then.
 *
 * As many keys go into a leaf as fit behind the prefix that they share with its lower fence. Where
 * the key that follows shares less, the fence is the least key behind the last one instead, which
 * keeps the prefix. A leaf that may get other fences (TREE_TO_GRAFT), and the last one, which has
 * no upper fence, take no more keys than fit without a prefix.
 */
#include <stdlib.h>

#include "base/error_record.h"
#include "base/memory.h"
#include "base/task.h"
#include "storage/tree_builder.h"
#include "storage/tree_internal.h"

/* Bytes of the keys of a leaf, whose own prefixes come on top of what a page holds. */
#define OPEN_KEYS_MAX (4 * PAGE_SIZE)
#define SOME_MORE 4u /* rows of a leaf than of the one before, for which its arrays have room */

/* Keys of the open leaf. */
typedef struct OpenKeys {
    uint32_t count, size; /* bytes */
    uint32_t prefix;      /* bytes that all of them share with the lower fence */
    uint32_t lower_length;
    char lower[TREE_MAX_KEY]; /* the leaf's lower fence */
    uint16_t lengths[NODE_MAX_SLOTS];
    char bytes[OPEN_KEYS_MAX + NODE_KEYS_SLACK];
} OpenKeys;

struct TreeBuilder {
    Tree *tree;
    TreeBuildUse use;
    uint32_t fill_bytes; /* a leaf is closed above it */
    byte *levels[TREE_MAX_HEIGHT];
    uint32_t height; /* levels in use; 0: nothing has come yet */
    RowScratch *scratch;
    int64_t row_count, page_count;
    uint64_t last_id;
    OpenKeys *keys; /* of indexes */
};

/* The open leaf has this lower fence. */
static void keys_begin(OpenKeys *keys, Str lower)
{
    memcpy(keys->lower, lower.data, lower.length);
    keys->lower_length = keys->prefix = (uint32_t)lower.length;
}

static void keys_init(OpenKeys *keys)
{
    keys->count = keys->size = 0;
    keys_begin(keys, STR(""));
}

TreeBuilder *tree_builder_new(Tree *tree, uint32_t fill_percent, TreeBuildUse use)
{
    TreeBuilder *builder = memory_calloc(1, sizeof(TreeBuilder));
    if (!builder)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    builder->tree = tree;
    builder->use = use;
    builder->fill_bytes = (uint32_t)(PAGE_SIZE * MIN(MAX(fill_percent, 10u), 100u) / 100);
    if (tree->kind == TREE_TABLE) {
        builder->scratch = row_scratch_new(tree);
    } else {
        builder->keys = memory_malloc(sizeof(OpenKeys));
        if (builder->keys)
            keys_init(builder->keys);
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

/* What the slots and keys take, behind such a prefix. */
static size_t keys_size(const OpenKeys *keys, size_t prefix)
{
    return keys->lower_length + keys->size + keys->count * sizeof(NodeSlot) - keys->count * prefix;
}

/* Makes the open leaf of the first `count` keys; `upper` STR_NONE: it has no upper fence. The
 * others are the first ones of the next. */
static void write_keys(TreeBuilder *builder, uint32_t count, Str upper)
{
    OpenKeys *keys = builder->keys;
    Node *node = (Node *)builder->levels[0];
    uint32_t size = 0;

    node_init(node, NODE_SLOTTED_LEAF, 0, str_make(keys->lower, keys->lower_length), upper);
    node_append_keys(node, keys->bytes, keys->lengths, count);
    for (uint32_t i = 0; i < count; i++)
        size += keys->lengths[i];
    keys->count -= count;
    keys->size -= size;
    memmove(keys->bytes, keys->bytes + size, keys->size);
    memmove(keys->lengths, keys->lengths + count, keys->count * sizeof(keys->lengths[0]));
}

static bool close_slotted_leaf(TreeBuilder *builder, uint32_t count, Str separator)
{
    OpenKeys *keys = builder->keys;
    PageId written;

    write_keys(builder, count, separator);
    keys_begin(keys, separator);
    TRY(write_out(builder, builder->levels[0], &written));
    return level_push(builder, 1, written, separator);
}

/* Before `key`: the shortest fence, or the one that keeps the prefix where they need it. */
static bool close_before(TreeBuilder *builder, Str key)
{
    const OpenKeys *keys = builder->keys;
    const Str last = last_key(keys), lower = str_make(keys->lower, keys->lower_length);
    char buffer[TREE_MAX_KEY + 1];
    Str separator = str_slice(key, 0, MIN(str_common_length(last, key) + 1, key.length));

    if (keys_size(keys, str_common_length(lower, separator)) + separator.length > NODE_SPACE) {
        memcpy(buffer, last.data, last.length);
        buffer[last.length] = 0;
        separator = str_make(buffer, last.length + 1);
    }
    return close_slotted_leaf(builder, keys->count, separator);
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

/* How much of it the leaf need not have, once the key is the last one in it. The fence that would
 * keep the prefix is a byte longer than a key. */
static inline uint32_t shared_prefix(const TreeBuilder *builder, Str key)
{
    const OpenKeys *keys = builder->keys;

    if (builder->use == TREE_TO_GRAFT || key.length == TREE_MAX_KEY)
        return 0;
    return (uint32_t)str_common_length(str_make(keys->lower, keys->prefix), key);
}

/* Does it fit beside the fence that would close the leaf behind it? */
static bool has_room(const TreeBuilder *builder, Str key, uint32_t prefix)
{
    const OpenKeys *keys = builder->keys;
    const size_t used = keys_size(keys, prefix) + sizeof(NodeSlot) + key.length - prefix;

    return used + key.length + 1 <= NODE_SPACE && used <= builder->fill_bytes &&
           keys->count < NODE_MAX_SLOTS && keys->size + key.length <= OPEN_KEYS_MAX;
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
    uint32_t prefix = shared_prefix(builder, key);
    if (keys->count > 0 && !has_room(builder, key, prefix)) {
        TRY(close_before(builder, key));
        prefix = shared_prefix(builder, key);
    }
    keys->prefix = prefix;
    str_copy_to(keys->bytes + keys->size, key);
    keys->lengths[keys->count++] = (uint16_t)key.length;
    keys->size += (uint32_t)key.length;
    builder->row_count++;
    return true;
}

/* The last leaf has no upper fence, and so no prefix: where the keys don't fit like that, the last
 * ones get it to themselves. */
static bool write_last_keys(TreeBuilder *builder)
{
    OpenKeys *keys = builder->keys;

    if (keys_size(keys, 0) > NODE_SPACE) {
        uint32_t count = keys->count, at = keys->size;
        size_t size = 0;
        do {
            at -= keys->lengths[--count];
            size += sizeof(NodeSlot) + keys->lengths[count];
        } while (count > 1 && size < builder->fill_bytes / 2);
        const Str first = str_make(keys->bytes + at, keys->lengths[count]);
        const Str before =
            str_make(first.data - keys->lengths[count - 1], keys->lengths[count - 1]);
        char buffer[TREE_MAX_KEY];
        const size_t length = MIN(str_common_length(before, first) + 1, first.length);
        memcpy(buffer, first.data, length);
        TRY(close_slotted_leaf(builder, count, str_make(buffer, length)));
    }
    write_keys(builder, keys->count, STR_NONE);
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
        TRY(write_last_keys(builder));
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
