/*
 * Pages from disk: table leaves and slotted nodes of any bytes. The looks at a page that has not
 * been checked stay within it; a page that passes its check can be read, changed and passes again.
 */
#include "fuzz.h"
#include "storage/leaf_page.h"
#include "storage/node.h"

static const LayoutColumn columns[] = {
    {PHYS_INT64, false, {0}}, {PHYS_VAR, false, {0}},     {PHYS_INT32, false, {0}},
    {PHYS_VAR, false, {0}},   {PHYS_FIXED16, false, {0}}, {PHYS_BOOL, false, {0}},
};
#define COLUMN_COUNT ((uint32_t)ARRAY_LENGTH(columns))

typedef struct PageBuffer {
    _Alignas(64) byte bytes[PAGE_SIZE];
} PageBuffer;

/* A block of its own each time: what reads behind it is seen. */
static PageBuffer *page_new(void)
{
    PageBuffer *page = aligned_alloc(64, sizeof(PageBuffer));

    fuzz_require(page != NULL);
    memset(page, 0, sizeof(*page));
    return page;
}

/* Changes of two to four bytes somewhere, as the input says. */
static void page_damage(PageBuffer *page, Input *input)
{
    while (input->rest.length >= 3) {
        const uint32_t at = input_number(input, 2);
        const Str bytes = input_bytes(input, at >> 14 & 3 ? 2 : 1);
        const uint32_t start = PAGE_HEADER_SIZE + at % (PAGE_SIZE - PAGE_HEADER_SIZE - 4);
        memcpy(page->bytes + (at & 0x2000 ? start : PAGE_HEADER_SIZE + at % 100), bytes.data,
               bytes.length);
    }
}

/* -------- Leaves -------- */

static void leaf_fill(LeafPage *page, const Layout *layout, Input *input)
{
    const uint32_t rows = input_byte(input), step = 1 + input_byte(input) % 3;
    const Str text = input_piece(input);

    leaf_init(page, layout, 1, step == 3 ? UINT64_MAX - 1 : 100000);
    for (uint32_t i = 0; i < rows; i++) {
        const uint32_t length = (uint32_t)(i * 7 % (text.length + 1));
        Value values[] = {
            {.int64 = i},          {.var = var_make(text.data ? text.data : "", length)},
            {.int32 = (int32_t)i}, {.var = var_make("x", 1)},
            {.int64 = 5},          {.boolean = i % 2}};
        const uint8_t marks[] = {MARK_VALUE, i % 5 ? MARK_VALUE : MARK_NULL,
                                 MARK_VALUE, i % 3 ? MARK_NULL : MARK_VALUE,
                                 MARK_VALUE, MARK_VALUE};
        const uint32_t size = (i % 5 ? length : 0) + (i % 3 ? 0 : 1);
        const uint64_t id = 1 + (uint64_t)i * step * (step == 3 ? 1ull << 40 : 1);
        if (!leaf_has_room(page, layout, id, size))
            break;
        leaf_insert(page, layout, page->header.count, &(LeafRow){id, values, marks, size});
    }
    fuzz_require(!leaf_check(page, layout));
}

static void leaf_read(Arena *arena, const LeafPage *page, const Layout *layout, bool is_sound)
{
    TreeExternals externals = {.arena = arena};
    TableLeaf view;
    Value values[COLUMN_COUNT];
    bool nulls[COLUMN_COUNT], is_null, is_external;
    uint32_t position;

    if (!leaf_view(page, layout, &view)) {
        fuzz_require(!is_sound);
        error_clear();
        return;
    }
    view.newest = layout;
    table_leaf_find(&view, 7, &position);
    const uint32_t count = MIN(view.row_count, (uint32_t)VECTOR_SIZE);
    for (uint32_t c = 0; c < COLUMN_COUNT; c++) {
        Vector *vector = vector_new(arena, columns[c].type);
        if (!table_leaf_copy_column(&view, c, NULL, 0, count, vector, 0, &externals))
            error_clear();
    }
    for (uint32_t i = 0; i < count; i++) {
        size_t size;
        if (!table_leaf_copy_row(&view, i, NULL, COLUMN_COUNT, values, nulls, &externals))
            error_clear();
        for (uint32_t c = 0; c < COLUMN_COUNT; c++)
            if (!table_leaf_peek(&view, i, c, &values[c], &is_null, &is_external))
                error_clear();
        if (table_leaf_has_externals(&view, i))
            continue;
        if (!table_leaf_image_size(&view, i, &size)) {
            error_clear();
            continue;
        }
        StrBuf image = strbuf_in(arena);
        if (!table_leaf_image(&view, i, (byte *)strbuf_reserve(&image, size)))
            error_clear();
    }
}

/* What a sound leaf takes: rows out, rows in, a split and the merge that undoes it. */
static void leaf_change(LeafPage *page, const Layout *layout, uint8_t choice)
{
    PageBuffer *other = page_new();
    LeafPage *right = (LeafPage *)other;
    const uint32_t count = page->header.count;

    if (count > 2 && choice & 1) {
        const uint32_t position = 1 + choice % (count - 1);
        TableLeaf view;
        fuzz_require(leaf_view(page, layout, &view));
        const uint64_t separator = table_leaf_row_id(&view, position);
        leaf_split(page, right, layout, position, separator);
        fuzz_require(!leaf_check(page, layout) && !leaf_check(right, layout));
        if (leaf_can_merge(page, right, layout)) {
            leaf_merge(page, right, layout);
            fuzz_require(!leaf_check(page, layout) && page->header.count == count);
        }
    }
    while (page->header.count > 0 && choice & 2) {
        leaf_remove(page, layout, choice % page->header.count);
        fuzz_require(!leaf_check(page, layout));
    }
    free(other);
}

static void fuzz_leaf(Arena *arena, Input *input)
{
    const Layout *layout = layout_new(arena, 1, columns, COLUMN_COUNT);
    PageBuffer *buffer = page_new();
    LeafPage *page = (LeafPage *)buffer;
    const uint8_t choice = input_byte(input);

    leaf_fill(page, layout, input);
    page_damage(buffer, input);
    const bool is_sound = !leaf_check(page, layout);
    leaf_read(arena, page, layout, is_sound);
    if (is_sound)
        leaf_change(page, layout, choice);
    free(buffer);
}

/* -------- Nodes -------- */

static void node_fill(Node *node, Input *input)
{
    const uint8_t kind = input_byte(input);
    const uint32_t entries = input_byte(input);
    const Str prefix = input_piece(input);
    char upper[300], key[300];
    bool is_exact;

    memcpy(upper, prefix.data ? prefix.data : "", prefix.length);
    upper[prefix.length] = (char)0xff;
    node_init(node, kind & 1 ? NODE_INNER : NODE_SLOTTED_LEAF, kind & 1, prefix,
              kind & 2 ? str_make(upper, prefix.length + 1) : STR_NONE);
    for (uint32_t i = 0; i < entries; i++) {
        const uint32_t child = i + 2, spread = i * 2654435761u;
        memcpy(key, prefix.data ? prefix.data : "", prefix.length);
        const int digits =
            snprintf(key + prefix.length, sizeof(key) - prefix.length, "%u", spread >> 12);
        const Str text = str_make(key, prefix.length + (size_t)digits);
        const uint32_t at = node_lower_bound(node, text, &is_exact);
        if (is_exact)
            continue;
        const Str value = kind & 1 ? str_make(&child, 4) : STR("some value");
        if (!node_has_room(node, text.length, value.length))
            break;
        node_insert(node, at, text, value, !(kind & 1) && i % 4 == 0 ? SLOT_GHOST : 0);
    }
    if (kind & 1)
        node->upper_child = 1;
}

static void node_read(const Node *node)
{
    const Str keys[] = {STR(""), STR("key"), STR("\xff\xff\xff\xff\xff"), STR("77")};
    char buffer[TREE_MAX_KEY];
    bool is_exact;

    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        const uint32_t at = node_lower_bound(node, keys[i], &is_exact);
        fuzz_require(at <= node_count(node));
        node_child(node, node_child_index(node, keys[i]));
        if (at < node_count(node)) {
            node_value(node, at);
            node_key(node, at, buffer);
        }
        node_covers(node, keys[i]);
    }
}

static bool is_odd(void *context, Str key)
{
    return key.length % 2 == 1;
}

static void node_change(Node *node, uint8_t choice)
{
    PageBuffer *other = page_new();
    Node *right = (Node *)other;
    NodeSplit split;
    char buffer[TREE_MAX_KEY];

    if (node->header.count > 3 && choice & 1) {
        const uint32_t at = choice % node->header.count, count = node->header.count;
        const Str key = node_key(node, at, buffer);
        node_choose_split(node, at, key, &split);
        node_split(node, right, &split);
        fuzz_require(!node_check(node) && !node_check(right));
        const uint32_t moved_up = node_is_inner(node); /* the separator of two inner nodes */
        fuzz_require(node->header.count + right->header.count + moved_up == count);
        if (node_can_merge(node, right)) {
            node_merge(node, right);
            fuzz_require(!node_check(node) && node->header.count == count);
        }
    }
    if (choice & 2 && !node_is_inner(node)) {
        /* Some, then all. */
        const uint32_t others = node->header.count - node->ghost_count;
        node_purge_ghosts(node, is_odd, NULL);
        fuzz_require(!node_check(node) && node->header.count - node->ghost_count == others);
        node_purge_ghosts(node, NULL, NULL);
        fuzz_require(!node_check(node) && node->ghost_count == 0);
    }
    while (node->header.count > 0 && choice & 4) {
        node_remove(node, choice % node->header.count);
        fuzz_require(!node_check(node));
    }
    free(other);
}

static void fuzz_node(Input *input)
{
    PageBuffer *buffer = page_new();
    Node *node = (Node *)buffer;
    const uint8_t choice = input_byte(input);

    node_fill(node, input);
    page_damage(buffer, input);
    node_read(node);
    if (!node_check(node))
        node_change(node, choice);
    free(buffer);
}

FUZZ_TARGET(data, size)
{
    Input input = input_of(data, size);
    const uint8_t kind = input_byte(&input) % 2;
    Arena *arena = arena_new("fuzz");

    if (kind == 0)
        fuzz_leaf(arena, &input);
    else
        fuzz_node(&input);
    error_clear();
    arena_free(arena);
    return 0;
}
