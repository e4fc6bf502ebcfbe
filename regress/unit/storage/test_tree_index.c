/* Index and key-value trees against a model: a sorted array. */
#include "storage/store_internal.h"
#include "storage/tree_builder.h"
#include "storage/tree_cursor.h"
#include "storage/tree_graft.h"
#include "storage/tree_pairs.h"
#include "tree_fixture.h"

#define KEYS 4000

typedef struct ModelKey {
    char bytes[TREE_MAX_KEY];
    size_t length;
    bool exists, ghost;
    Str value; /* malloc */
} ModelKey;
static ModelKey *model[KEYS]; /* sorted */

static Str model_key(uint32_t i)
{
    return str_make(model[i]->bytes, model[i]->length);
}

static int by_key(const void *a, const void *b)
{
    const ModelKey *left = *(ModelKey *const *)a, *right = *(ModelKey *const *)b;
    return str_compare(str_make(left->bytes, left->length), str_make(right->bytes, right->length));
}

/* Distinct keys, many with long common beginnings, some as long as may be. */
static void make_model(void)
{
    for (uint32_t i = 0; i < KEYS; i++) {
        ModelKey *key = calloc(1, sizeof(ModelKey));
        uint32_t kind = draw_below(100);
        size_t length = kind < 90 ? draw_below(30) : kind < 99 ? draw_below(300) : TREE_MAX_KEY - 8;
        for (size_t b = 0; b < length; b++)
            key->bytes[b] = (char)(kind < 50   ? 'a' + draw_below(2)
                                   : kind < 70 ? 'x'
                                               : (uint32_t)draw());
        uint64_t id = __builtin_bswap64((uint64_t)i + 1);
        memcpy(key->bytes + length, &id, 8);
        key->length = length + 8;
        model[i] = key;
    }
    qsort(model, KEYS, sizeof(model[0]), by_key);
}

static int begin(void **state)
{
    int result = fixture_begin(state);
    make_model();
    return result;
}

static int end(void **state)
{
    tree_set_hooks(NULL, NULL);
    for (uint32_t i = 0; i < KEYS; i++) {
        free((void *)model[i]->value.data);
        free(model[i]);
    }
    return fixture_end(state);
}

static void compare_forward(Tree *tree, uint32_t from, TreeSeek seek, uint32_t limit)
{
    TreeCursor cursor;
    Arena *arena = arena_new("value");
    tree_cursor_init(&cursor, tree, TREE_FORWARD);
    cursor.limit = limit;
    bool whole = from == KEYS;
    uint32_t at = whole ? 0 : from + (seek == SEEK_BEYOND);
    require(tree_cursor_seek(&cursor, whole ? STR("") : model_key(from), seek));
    for (; at < KEYS; at++) {
        if (!model[at]->exists)
            continue;
        assert_true(tree_cursor_valid(&cursor));
        assert_true(str_equal(tree_cursor_key(&cursor), model_key(at)));
        assert_int_equal(tree_cursor_is_ghost(&cursor), model[at]->ghost);
        if (tree_kind(tree) == TREE_KEY_VALUE) {
            Str value;
            require(tree_cursor_value(&cursor, arena, &value));
            assert_true(str_equal(value, model[at]->value));
            arena_reset(arena);
        }
        require(tree_cursor_advance(&cursor));
    }
    assert_false(tree_cursor_valid(&cursor));
    tree_cursor_deinit(&cursor);
    arena_free(arena);
}

static void compare_backward(Tree *tree, uint32_t from, TreeSeek seek, uint32_t limit)
{
    TreeCursor cursor;
    tree_cursor_init(&cursor, tree, TREE_BACKWARD);
    cursor.limit = limit;
    bool whole = from == KEYS;
    int64_t at = whole ? KEYS - 1 : (int64_t)from - (seek == SEEK_BEYOND);
    require(tree_cursor_seek(&cursor, whole ? STR("") : model_key(from), seek));
    for (; at >= 0; at--) {
        if (!model[at]->exists)
            continue;
        assert_true(tree_cursor_valid(&cursor));
        assert_true(str_equal(tree_cursor_key(&cursor), model_key((uint32_t)at)));
        require(tree_cursor_advance(&cursor));
    }
    assert_false(tree_cursor_valid(&cursor));
    tree_cursor_deinit(&cursor);
}

/* Look-ups by the key without its row id: what they are sure of is what the model says. */
static void compare_peeks(Tree *tree)
{
    uint32_t sure = 0;

    for (uint32_t i = 0; i < KEYS; i++) {
        const Str key = str_make(model[i]->bytes, model[i]->length - 8);
        EntryPeek peek;
        uint32_t first = i;
        while (first > 0 && str_compare(model_key(first - 1), key) >= 0)
            first--;
        while (first < KEYS && (!model[first]->exists || str_compare(model_key(first), key) < 0))
            first++;
        const bool is_there = first < KEYS && model[first]->length == model[i]->length &&
                              str_starts_with(model_key(first), key);
        switch (tree_index_peek(tree, key, &peek)) {
        case PEEK_FOUND:
            assert_true(is_there);
            assert_int_equal(peek.row_id, tree_key_row_id(model_key(first)));
            assert_int_equal(peek.is_ghost, model[first]->ghost);
            sure++;
            break;
        case PEEK_MISSING:
            assert_false(is_there);
            sure++;
            break;
        case PEEK_UNSURE:
            break;
        case PEEK_FAILED:
            require(false);
        }
    }
    assert_true(sure > KEYS / 2);
}

static void compare_all(Tree *tree)
{
    if (tree_kind(tree) == TREE_INDEX)
        compare_peeks(tree);
    TreeReport report;
    uint64_t rows = 0, ghosts = 0;
    require(tree_check(tree, NULL, NULL, &report));
    for (uint32_t i = 0; i < KEYS; i++) {
        rows += model[i]->exists && !model[i]->ghost;
        ghosts += model[i]->exists && model[i]->ghost;
    }
    assert_int_equal(report.rows, rows);
    assert_int_equal(report.ghosts, ghosts);
    compare_forward(tree, KEYS, SEEK_AT, 0);
    compare_backward(tree, KEYS, SEEK_AT, 0);
    for (uint32_t i = 0; i < 12; i++) {
        compare_forward(tree, draw_below(KEYS), i % 2 ? SEEK_AT : SEEK_BEYOND, i % 3 ? 0 : 7);
        compare_backward(tree, draw_below(KEYS), i % 2 ? SEEK_AT : SEEK_BEYOND, i % 3 ? 0 : 7);
    }
}

static void compare_first(Tree *tree, uint32_t from)
{
    char buffer[TREE_MAX_KEY];
    Str key;
    bool ghost;
    TreeFound found = tree_index_first(tree, model_key(from), buffer, &key, &ghost);
    while (from < KEYS && !model[from]->exists)
        from++;
    assert_int_equal(found, from < KEYS ? TREE_FOUND : TREE_MISSING);
    if (from == KEYS)
        return;
    assert_true(str_equal(key, model_key(from)));
    assert_int_equal(ghost, model[from]->ghost);
}

static bool never_purge(void *context, Tree *tree, void **versions)
{
    (void)context, (void)tree, (void)versions;
    return false;
}

static void an_index_holds_its_entries(void **state)
{
    (void)state;
    static const TreeHooks hooks = {.may_purge_ghosts = never_purge};
    tree_set_hooks(&hooks, NULL);
    require(tree_create(fix.database, 8, TREE_INDEX, NULL));
    Tree *tree = tree_open(fix.database, 8);
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t step = 0; step < 8000; step++) {
            uint32_t i = draw_below(KEYS), what = draw_below(10);
            if (what < (round == 3 ? 2 : 6)) {
                require(tree_index_insert(tree, model_key(i), NULL));
                model[i]->exists = true;
                model[i]->ghost = false;
            } else if (what < 8) {
                require(tree_index_ghost(tree, model_key(i), NULL));
                model[i]->ghost |= model[i]->exists;
            } else {
                require(tree_index_delete(tree, model_key(i), NULL));
                model[i]->exists = model[i]->ghost = false;
            }
            compare_first(tree, draw_below(KEYS));
        }
        compare_all(tree);
    }
    require_no_leak();
    char too_long[TREE_MAX_KEY + 1] = {0};
    assert_false(tree_index_insert(tree, str_make(too_long, sizeof(too_long)), NULL));
    assert_int_equal(error_fields()->sqlstate, ERR_PROGRAM_LIMIT_EXCEEDED);
    error_clear();
    for (uint32_t i = 0; i < KEYS; i++) {
        require(tree_index_delete(tree, model_key(i), NULL));
        model[i]->exists = false;
    }
    compare_all(tree);
    TreeReport report;
    require(tree_check(tree, NULL, NULL, &report));
    assert_true(report.leaf_pages + report.inner_pages <= 3);
    require(tree_drop(fix.database, 8));
    require_no_leak();
}

/* Ascending at first, then some among those that are there, in their order but for a few. */
static void entries_put_together_are_what_was_put(void **state)
{
    enum { MOST = 200 };
    Str keys[MOST];

    (void)state;
    require(tree_create(fix.database, 8, TREE_INDEX, NULL));
    Tree *tree = tree_open(fix.database, 8);
    for (uint32_t round = 0, next = 0; round < 300; round++) {
        const bool appends = next < KEYS / 2;
        uint32_t i = appends ? next : draw_below(KEYS), count = 0;
        while (count < MOST && i < KEYS) {
            model[i]->exists = true;
            keys[count++] = model_key(i);
            i += appends ? 1 : 1 + (draw_below(4) == 0) * draw_below(200);
        }
        next = MAX(next, i);
        if (count > 2 && !appends && round % 3 == 0) {
            const Str first = keys[0];
            keys[0] = keys[count - 1];
            keys[count - 1] = first;
        }
        require(tree_index_insert_all(tree, keys, count));
    }
    compare_all(tree);
    require(tree_index_insert_all(tree, keys, 0));
    keys[1] = str_make(keys, TREE_MAX_KEY + 1);
    keys[0] = model_key(0);
    assert_false(tree_index_insert_all(tree, keys, 2));
    assert_int_equal(error_fields()->sqlstate, ERR_PROGRAM_LIMIT_EXCEEDED);
    error_clear();
    require(tree_drop(fix.database, 8));
    require_no_leak();
}

/* Which of the model's ghosts must stay; and how often a leaf has been told of. */
static uint32_t kept_from, told;

static bool may_purge(void *context, Tree *tree, void **versions)
{
    (void)context, (void)tree, (void)versions;
    return kept_from == KEYS;
}

static bool may_purge_one(void *context, Tree *tree, Str key)
{
    (void)context, (void)tree;
    return str_compare(key, model_key(kept_from)) < 0;
}

static void count_told(void *context, Tree *tree, void **versions, Str key)
{
    (void)context, (void)tree, (void)versions, (void)key;
    told++;
}

/* All become ghosts and go, leaf by leaf, in that order: from the left, the right, or as drawn. */
static void purge_all(Tree *tree, uint32_t order)
{
    TreeReport report;
    void *versions;
    uint32_t kept;

    for (uint32_t i = 0; i < KEYS; i++)
        require(tree_index_insert(tree, model_key(i), NULL));
    require(tree_check(tree, NULL, NULL, &report));
    assert_true(report.leaf_pages > 10);
    told = 0;
    for (uint32_t i = 0; i < KEYS; i++)
        require(tree_index_ghost(tree, model_key(i), NULL));
    assert_in_range(told, report.leaf_pages, 6 * report.leaf_pages);
    for (uint32_t i = 0; i < KEYS; i++) {
        const uint32_t at = order == 0 ? i : order == 1 ? KEYS - 1 - i : (i * 1777u) % KEYS;
        require(tree_index_purge(tree, model_key(at), &versions, &kept));
        assert_int_equal(kept, 0);
    }
    require(tree_check(tree, NULL, NULL, &report));
    assert_int_equal(report.ghosts, 0);
    assert_in_range(report.leaf_pages + report.inner_pages, 1, 3);
    require_no_leak();
}

/* An empty leaf goes to the neighbour that has room for it, on whichever side. */
static void purged_leaves_go(void **state)
{
    (void)state;
    static const TreeHooks hooks = {.may_purge_ghosts = may_purge, .ghosts_gather = count_told};
    kept_from = KEYS;
    tree_set_hooks(&hooks, NULL);
    require(tree_create(fix.database, 8, TREE_INDEX, NULL));
    Tree *tree = tree_open(fix.database, 8);
    for (uint32_t order = 0; order < 3; order++)
        purge_all(tree, order);
    require(tree_drop(fix.database, 8));
    require_no_leak();
}

static void of_the_ghosts_those_stay_that_must(void **state)
{
    (void)state;
    static const TreeHooks hooks = {
        .may_purge_ghosts = may_purge, .may_purge_ghost = may_purge_one, .ghosts_met = count_told};
    uint32_t kept, all = 0;
    void *versions;

    kept_from = KEYS / 3;
    tree_set_hooks(&hooks, NULL);
    require(tree_create(fix.database, 8, TREE_INDEX, NULL));
    Tree *tree = tree_open(fix.database, 8);
    for (uint32_t i = 0; i < KEYS; i++) {
        require(tree_index_insert(tree, model_key(i), NULL));
        model[i]->exists = true;
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        model[i]->ghost = draw_below(4) > 0;
        if (model[i]->ghost)
            require(tree_index_ghost(tree, model_key(i), NULL));
    }
    told = 0;
    compare_forward(tree, KEYS, SEEK_AT, 0);
    assert_true(told > 5); /* readers come to leaves full of them */
    for (uint32_t i = 0; i < KEYS; i++) {
        require(tree_index_purge(tree, model_key(i), &versions, &kept));
        model[i]->exists &= i >= kept_from || !model[i]->ghost;
        all = MAX(all, kept);
    }
    assert_true(all > 0);
    compare_all(tree);
    require(tree_drop(fix.database, 8));
    require_no_leak();
}

static Str draw_value(void)
{
    uint32_t kind = draw_below(100);
    size_t length = kind < 90 ? draw_below(100) : kind < 98 ? draw_below(2100) : draw_below(60000);
    char *bytes = malloc(length + 1);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(kind & 1 ? draw() : i / 9);
    return str_make(bytes, length);
}

static void model_put(uint32_t i, Str value)
{
    free((void *)model[i]->value.data);
    model[i]->value = value;
    model[i]->exists = !str_is_none(value);
}

static void random_pairs(Tree *tree, uint32_t steps)
{
    Arena *arena = arena_new("value");
    for (uint32_t step = 0; step < steps; step++) {
        uint32_t i = draw_below(KEYS);
        if (draw_below(3)) {
            Str value = draw_value();
            require(tree_kv_put(tree, model_key(i), value));
            model_put(i, value);
        } else {
            require(tree_kv_delete(tree, model_key(i)));
            model_put(i, STR_NONE);
        }
        i = draw_below(KEYS);
        Str value;
        TreeFound found = tree_kv_get(tree, model_key(i), arena, &value);
        assert_int_equal(found, model[i]->exists ? TREE_FOUND : TREE_MISSING);
        if (found == TREE_FOUND)
            assert_true(str_equal(value, model[i]->value));
        arena_reset(arena);
    }
    arena_free(arena);
}

static void pairs_are_what_was_put(void **state)
{
    (void)state;
    require(tree_create(fix.database, 8, TREE_KEY_VALUE, NULL));
    Tree *tree = tree_open(fix.database, 8);
    random_pairs(tree, 12000);
    compare_all(tree);
    require_no_leak();
    require(store_close(fix.store, STORE_CLOSE_CLEAN));
    fixture_open();
    compare_all(tree_open(fix.database, 8));
    require(tree_drop(fix.database, 8));
    require_no_leak();
}

#define TOGETHER 100u

/* Some neighbours of the model, in their order but for a few. */
static void pairs_put_together_are_what_was_put(void **state)
{
    TreePair pairs[TOGETHER];

    (void)state;
    require(tree_create(fix.database, 8, TREE_KEY_VALUE, NULL));
    Tree *tree = tree_open(fix.database, 8);
    for (uint32_t round = 0; round < 400; round++) {
        uint32_t i = draw_below(KEYS), count = 0;
        while (count < TOGETHER && i < KEYS) {
            model_put(i, draw_value());
            pairs[count++] = (TreePair){.key = model_key(i), .value = model[i]->value};
            i += 1 + (draw_below(4) == 0) * draw_below(200);
        }
        if (count > 2 && round % 3 == 0) {
            const TreePair first = pairs[0];
            pairs[0] = pairs[count - 1];
            pairs[count - 1] = first;
        }
        require(tree_kv_put_all(tree, pairs, count));
        i = draw_below(KEYS);
        require(tree_kv_delete(tree, model_key(i)));
        model_put(i, STR_NONE);
    }
    compare_all(tree);
    require(tree_kv_put_all(tree, pairs, 0));
    Arena *arena = arena_new("value");
    for (uint32_t i = 0; i < KEYS; i++) {
        Str value;
        const TreeFound found = tree_kv_get(tree, model_key(i), arena, &value);
        assert_int_equal(found, model[i]->exists ? TREE_FOUND : TREE_MISSING);
        assert_true(found == TREE_MISSING || str_equal(value, model[i]->value));
        arena_reset(arena);
    }
    arena_free(arena);
    require_no_leak();
    pairs[0] = (TreePair){.key = str_make(pairs, TREE_MAX_KEY + 1), .value = STR("")};
    assert_false(tree_kv_put_all(tree, pairs, 1));
    assert_int_equal(error_fields()->sqlstate, ERR_PROGRAM_LIMIT_EXCEEDED);
    error_clear();
    require(tree_drop(fix.database, 8));
    require_no_leak();
}

/* What lies between slots and heap is nobody's. */
static void assert_same_nodes(const Node *a, const Node *b)
{
    char left[TREE_MAX_KEY], right[TREE_MAX_KEY];

    assert_int_equal(a->header.count, b->header.count);
    assert_int_equal(a->heap_start, b->heap_start);
    assert_int_equal(a->heap_used, b->heap_used);
    for (uint32_t i = 0; i < a->header.count; i++)
        assert_true(str_equal(node_key(a, i, left), node_key(b, i, right)));
    assert_memory_equal(a->slots, b->slots, a->header.count * sizeof(NodeSlot));
    assert_memory_equal((const char *)a + a->heap_start, (const char *)b + b->heap_start,
                        PAGE_SIZE - a->heap_start);
}

/* Keys of any lengths, a whole node of them, in one go or several. */
static void keys_appended_together_lie_as_if_inserted(void **state)
{
    _Alignas(Node) char one[PAGE_SIZE], other[PAGE_SIZE];
    Node *inserted = (Node *)one, *appended = (Node *)other;
    static char keys[4 * PAGE_SIZE + NODE_KEYS_SLACK]; /* the shared bytes of each, too */
    uint16_t lengths[NODE_MAX_SLOTS];

    (void)state;
    for (uint32_t round = 0; round < 200; round++) {
        const uint32_t longest = round % 2 ? 12 : 60;
        const Str lower = str_make("shared bounds", draw_below(14));
        const Str upper = round % 5 ? STR("shared bounds~") : STR_NONE;
        uint32_t size = 0, waiting = 0; /* of keys that are still to be appended */
        memset(one, 0, PAGE_SIZE);
        memset(other, 0, PAGE_SIZE);
        node_init(inserted, NODE_SLOTTED_LEAF, 0, lower, upper);
        node_init(appended, NODE_SLOTTED_LEAF, 0, lower, upper);
        for (uint32_t number = 0;; number++) {
            char *key = keys + size;
            uint32_t length = 13 + 2 + draw_below(longest);
            memcpy(key, "shared bounds", 13);
            key[13] = (char)(number >> 8);
            key[14] = (char)number;
            for (uint32_t b = 15; b < length; b++)
                key[b] = (char)draw();
            if (!node_has_room(inserted, length, 0))
                break;
            node_insert(inserted, number, str_make(key, length), STR(""), 0);
            lengths[waiting++] = (uint16_t)length;
            size += length;
            if (draw_below(round % 3 ? 1000 : 4) > 0)
                continue;
            node_append_keys(appended, keys, lengths, waiting);
            size = waiting = 0;
        }
        node_append_keys(appended, keys, lengths, waiting);
        assert_same_nodes(inserted, appended);
    }
}

static void built_indexes_hold_their_input(void **state)
{
    (void)state;
    for (uint32_t fill = 50; fill <= 100; fill += 50) {
        Tree *tree = tree_new_private(fix.database, TREE_INDEX, NULL);
        TreeBuilder *builder = tree_builder_new(tree, fill, TREE_TO_ATTACH);
        for (uint32_t i = 0; i < KEYS; i++) {
            model[i]->exists = draw_below(3) != 0;
            if (model[i]->exists)
                require(tree_builder_add_key(builder, model_key(i)));
        }
        require(tree_builder_finish(builder));
        tree_builder_free(builder);
        compare_all(tree);
        require(tree_attach(tree, 8));
        compare_all(tree_open(fix.database, 8));
        for (uint32_t i = 0; i < KEYS; i++) {
            require(tree_index_insert(tree_open(fix.database, 8), model_key(i), NULL));
            model[i]->exists = true;
        }
        compare_all(tree_open(fix.database, 8));
        require_no_leak();
    }
}

/* Ascending keys in groups that share their beginnings: a group's number and filling, the key's
 * number, a tail. `round` draws them. Returns the key with this number of the round. */
static Str grouped_key(uint32_t round, uint32_t number, char *buffer)
{
    const uint32_t group = __builtin_bswap32(number / (3 + 397 * (round % 7)));
    const uint32_t low = __builtin_bswap32(number);
    const size_t filling = (size_t)(round * 7 + __builtin_popcount(group)) % 61;

    memcpy(buffer, &group, 4);
    memset(buffer + 4, 'g', filling);
    memcpy(buffer + 4 + filling, &low, 4);
    const size_t tail = 8 + (round % 3 ? 0 : number % 5);
    memset(buffer + 8 + filling, 't', tail);
    return str_make(buffer, 8 + filling + tail);
}

static int64_t build_grouped(uint32_t round, uint32_t count, TreeBuildUse use, Tree **ret_tree)
{
    Tree *tree = tree_new_private(fix.database, TREE_INDEX, NULL);
    TreeBuilder *builder = tree_builder_new(tree, round % 2 ? 90 : 100, use);
    char buffer[TREE_MAX_KEY];
    TreeReport report;

    for (uint32_t i = 0; i < count; i++)
        require(tree_builder_add_key(builder, grouped_key(round, i * 2, buffer)));
    require(tree_builder_finish(builder));
    tree_builder_free(builder);
    require(tree_check(tree, NULL, NULL, &report));
    assert_int_equal(report.rows, count);
    *ret_tree = tree;
    return (int64_t)report.leaf_pages;
}

static void what_keys_share_takes_no_room_in_built_leaves(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 28; round++) {
        const uint32_t count = 1 + draw_below(8000);
        char buffer[TREE_MAX_KEY];
        Tree *dense, *loose;
        TreeReport report;
        const int64_t pages = build_grouped(round, count, TREE_TO_ATTACH, &dense);
        const int64_t loose_pages = build_grouped(round, count, TREE_TO_GRAFT, &loose);

        tree_discard(loose);
        assert_true(pages <= loose_pages + 1);
        if (round % 7 == 6 && loose_pages > 16) /* a thousand that share most of their bytes */
            assert_true(pages <= loose_pages * 3 / 4);
        for (uint32_t i = 0; i < count; i++) /* between them: everything splits */
            require(tree_index_insert(dense, grouped_key(round, i * 2 + 1, buffer), NULL));
        require(tree_check(dense, NULL, NULL, &report));
        assert_int_equal(report.rows, 2 * count);
        for (uint32_t i = 0; i < 2 * count; i++) {
            char found[TREE_MAX_KEY];
            const Str key = grouped_key(round, i, buffer);
            bool ghost = true;
            Str first;
            assert_int_equal(tree_index_first(dense, key, found, &first, &ghost), TREE_FOUND);
            assert_true(str_equal(first, key) && !ghost);
        }
        tree_discard(dense);
    }
}

/* Keys in order, alike but for their ends: the fence that closes a full leaf is as long as they
 * are. */
static void keys_in_order_fill_leaves_and_no_more(void **state)
{
    (void)state;
    for (uint32_t length = 10; length < 400; length += 13) {
        TreeReport report;
        char bytes[400 + 8];
        Tree *tree = tree_new_private(fix.database, TREE_INDEX, NULL);
        require(tree != NULL);
        const uint32_t count = 3 * PAGE_SIZE / length;
        memset(bytes, 'k', sizeof(bytes));
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t number = __builtin_bswap32(i);
            memcpy(bytes + length - 4, &number, 4);
            require(tree_index_insert(tree, str_make(bytes, length + 8), NULL));
        }
        require(tree_check(tree, NULL, NULL, &report));
        assert_int_equal(report.rows, count);
        tree_discard(tree);
    }
}

static void making_and_dropping_may_be_done_again(void **state)
{
    (void)state;
    require(tree_create(fix.database, 100, TREE_INDEX, NULL));
    require(tree_create(fix.database, 100, TREE_INDEX, NULL));
    require(tree_drop(fix.database, 100));
    require(tree_drop(fix.database, 100));
    Tree *tree;
    require(tree_find(fix.database, 100, &tree));
    assert_null(tree);
    assert_null(tree_open(fix.database, 100));
    error_clear();
    require_no_leak();
}

/* -------- Reading ahead -------- */

#define MANY_KEYS 200000u /* about as many leaves as the pool has frames */

static void count_leaf(void *context, void **versions)
{
    assert_null(*versions);
    ++*(uint32_t *)context;
}

/* Keys among those that are there, and between them: all come in, ranges by the leaf. */
static void grafted_keys_are_all_there(void **state)
{
    uint32_t linked = 0;

    (void)state;
    require(tree_create(fix.database, 100, TREE_INDEX, NULL));
    Tree *tree = tree_open(fix.database, 100);
    for (uint32_t round = 0; round < 60; round++) {
        const GraftObserver observer = {.leaf = count_leaf, .context = &linked};
        Tree *built = tree_new_private(fix.database, TREE_INDEX, NULL);
        const uint32_t first = draw_below(KEYS), length = draw_below(KEYS);
        TreeGraft *graft;
        for (uint32_t i = first; i < MIN(first + length, (uint32_t)KEYS); i++) {
            if (model[i]->exists || (round % 3 == 2 && draw_below(2)))
                continue;
            require(tree_index_insert(built, model_key(i), NULL));
            model[i]->exists = true;
        }
        require(tree_graft_prepare(tree, built, round % 10 == 9, &graft));
        require(tree_graft_run(graft, &observer));
        tree_graft_free(graft);
        compare_forward(tree, KEYS, SEEK_AT, 0);
        require_no_leak();
        for (uint32_t i = 0, from = draw_below(KEYS), gone = draw_below(KEYS / 2); i < gone; i++) {
            ModelKey *key = model[(from + i) % KEYS];
            require(tree_index_delete(tree, str_make(key->bytes, key->length), NULL));
            key->exists = false;
        }
    }
    assert_true(linked > 50);
}

static Str numbered_key(char *buffer, uint64_t number)
{
    memset(buffer, 'k', 40);
    number = __builtin_bswap64(number);
    memcpy(buffer + 32, &number, 8);
    return str_make(buffer, 40);
}

static StoreStatistics statistics(void)
{
    StoreStatistics statistics;
    store_statistics(fix.store, &statistics);
    return statistics;
}

static uint64_t pages_prefetched(void)
{
    return statistics().pages_prefetched;
}

static void scan_all(Tree *tree, TreeDirection direction)
{
    TreeCursor cursor;
    uint64_t count = 0;

    tree_cursor_init(&cursor, tree, direction);
    require(tree_cursor_seek(&cursor, STR(""), SEEK_AT));
    while (tree_cursor_valid(&cursor)) {
        const uint64_t expected = direction == TREE_FORWARD ? count + 1 : MANY_KEYS - count;
        assert_int_equal(tree_key_row_id(tree_cursor_key(&cursor)), expected);
        count++;
        require(tree_cursor_advance(&cursor));
    }
    tree_cursor_deinit(&cursor);
    assert_int_equal(count, MANY_KEYS);
}

static void scans_of_cold_leaves_read_ahead(void **state)
{
    char buffer[40];
    Tree *tree;

    (void)state;
    require(tree_create(fix.database, 100, TREE_INDEX, NULL));
    require(tree_find(fix.database, 100, &tree));
    for (uint64_t i = 1; i <= MANY_KEYS; i++)
        require(tree_index_insert(tree, numbered_key(buffer, i), NULL));
    uint64_t before = pages_prefetched();
    for (uint64_t i = 1; i <= 100; i++) {
        TreeCursor cursor;
        tree_cursor_init(&cursor, tree, TREE_FORWARD);
        require(tree_cursor_seek(&cursor, numbered_key(buffer, i * 1999), SEEK_AT));
        assert_int_equal(tree_key_row_id(tree_cursor_key(&cursor)), i * 1999);
        tree_cursor_deinit(&cursor);
    }
    assert_int_equal(pages_prefetched(), before); /* a look-up asks for no more than it reads */
    scan_all(tree, TREE_FORWARD);
    assert_true(pages_prefetched() > before + 20);
    before = pages_prefetched();
    scan_all(tree, TREE_BACKWARD);
    assert_true(pages_prefetched() > before + 20);
}

/* What a transaction has spilled goes at its rollback, however much it is: only long values make
 * it necessary to read the leaves. */
static void a_private_tree_is_given_back_unread(void **state)
{
    static const char short_value[100];
    char buffer[40];
    (void)state;
    for (int long_values = 0; long_values < 2; long_values++) {
        const uint64_t slots_used = statistics().slots_used;
        Tree *tree = tree_new_private(fix.database, TREE_KEY_VALUE, NULL);
        for (uint64_t i = 0; i < MANY_KEYS; i++)
            require(tree_kv_put(tree, numbered_key(buffer, i), str_make(short_value, 100)));
        for (uint64_t i = 0; long_values && i < MANY_KEYS; i += MANY_KEYS / 20) {
            StrBuf value = {0};
            for (int piece = 0; piece < 5000; piece++)
                strbuf_append(&value, STR("long "));
            require(tree_kv_put(tree, numbered_key(buffer, i), strbuf_view(&value)));
            strbuf_deinit(&value);
        }
        TreeStats stats;
        require(tree_stats(tree, &stats));
        assert_true(stats.page_count > 3 * (STORE_POOL_MIN / PAGE_SIZE));
        const uint64_t before = statistics().pages_read;
        tree_discard(tree);
        const uint64_t read = statistics().pages_read - before;
        assert_true(long_values ? read > stats.page_count / 2 : read < stats.page_count / 20);
        /* The directory's pages are there; what was being written a checkpoint gives back. */
        assert_true(statistics().slots_used < slots_used + 4 + IMAGE_BATCH);
        require_no_leak();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_index_holds_its_entries, begin, end),
        cmocka_unit_test_setup_teardown(purged_leaves_go, begin, end),
        cmocka_unit_test_setup_teardown(of_the_ghosts_those_stay_that_must, begin, end),
        cmocka_unit_test_setup_teardown(pairs_are_what_was_put, begin, end),
        cmocka_unit_test_setup_teardown(entries_put_together_are_what_was_put, begin, end),
        cmocka_unit_test_setup_teardown(pairs_put_together_are_what_was_put, begin, end),
        cmocka_unit_test_setup_teardown(keys_appended_together_lie_as_if_inserted, begin, end),
        cmocka_unit_test_setup_teardown(built_indexes_hold_their_input, begin, end),
        cmocka_unit_test_setup_teardown(what_keys_share_takes_no_room_in_built_leaves, begin, end),
        cmocka_unit_test_setup_teardown(grafted_keys_are_all_there, begin, end),
        cmocka_unit_test_setup_teardown(keys_in_order_fill_leaves_and_no_more, begin, end),
        cmocka_unit_test_setup_teardown(making_and_dropping_may_be_done_again, begin, end),
        cmocka_unit_test_setup_teardown(scans_of_cold_leaves_read_ahead, begin, end),
        cmocka_unit_test_setup_teardown(a_private_tree_is_given_back_unread, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
