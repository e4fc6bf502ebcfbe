/* Pages and row images with damage in them, and many threads on one tree. */
#include "storage/tree_cursor.h"
#include "tree_fixture.h"

#define THREADS 4
#define IDS 20000

static Arena *arena;
static const Layout *layout;
static const LayoutColumn columns[] = {{PHYS_INT64}, {PHYS_VAR}, {PHYS_INT32}};

static int begin(void **state)
{
    arena = arena_new("test");
    layout = layout_new(arena, 1, columns, 3);
    return fixture_begin(state);
}

static int end(void **state)
{
    arena_free(arena);
    return fixture_end(state);
}

static Str make_image(uint64_t id, uint32_t generation, byte *buffer)
{
    char text[64];
    int length = snprintf(text, sizeof(text), "row %llu of generation %u", (unsigned long long)id,
                          generation);
    Value values[3] = {{.int64 = (int64_t)id},
                       {.var = var_make(text, (size_t)length)},
                       {.int32 = (int32_t)generation}};
    bool nulls[3] = {false, false, generation % 3 == 0};
    row_image_encode(layout, values, nulls, buffer);
    return str_make(buffer, row_image_size(layout, values, nulls));
}

/* ------------------------------------------------------------------ threads */

typedef struct Worker {
    Tree *table, *index;
    uint32_t number;
    uint64_t random;
    bool failed;
    uint8_t exists[IDS]; /* of the ids that are this worker's: id % THREADS == number */
} Worker;

static bool worker_sees(void *context, const TableLeaf *leaf)
{
    uint64_t *last = context;
    for (uint32_t i = 0; i < leaf->row_count; i++) {
        uint64_t id = table_leaf_row_id(leaf, i);
        Value value;
        bool is_null, external;
        TRY(id >= leaf->first_id && id <= leaf->last_id && id >= *last);
        TRY(table_leaf_peek(leaf, i, 0, &value, &is_null, &external));
        TRY(!is_null && value.int64 == (int64_t)id);
        *last = id + 1;
    }
    return true;
}

static Str index_key(uint64_t id, char *buffer)
{
    uint64_t spread = __builtin_bswap64(hash_mix64(id + 1)), stored = __builtin_bswap64(id);
    memcpy(buffer, &spread, 8);
    memcpy(buffer + 8, &stored, 8);
    return str_make(buffer, 16);
}

static bool worker_step(Worker *worker)
{
    char key[16];
    byte buffer[128];
    worker->random = hash_mix64(worker->random + 1);
    uint32_t id = (uint32_t)(worker->random % (IDS / THREADS)) * THREADS + worker->number;
    uint32_t what = (uint32_t)(worker->random >> 32) % 16;
    if (what < 9) {
        TRY(tree_put(worker->table, id, make_image(id, what, buffer), NULL));
        TRY(tree_index_insert(worker->index, index_key(id, key), NULL));
        worker->exists[id] = 1;
    } else if (what < 15) {
        TRY(tree_delete(worker->table, id, NULL));
        TRY(tree_index_delete(worker->index, index_key(id, key), NULL));
        worker->exists[id] = 0;
    } else {
        Str image, found_key;
        bool ghost;
        char found_buffer[TREE_MAX_KEY];
        Arena *scratch = arena_new("worker");
        TreeFound found = tree_get_image(worker->table, id, scratch, &image);
        TreeFound entry =
            tree_index_first(worker->index, index_key(id, key), found_buffer, &found_key, &ghost);
        bool entry_there = entry == TREE_FOUND && str_equal(found_key, index_key(id, key));
        arena_free(scratch);
        return found == (worker->exists[id] ? TREE_FOUND : TREE_MISSING) &&
               entry_there == worker->exists[id];
    }
    return true;
}

static void worker_main(void *argument)
{
    Worker *worker = argument;
    for (uint32_t step = 0; step < 30000 && !worker->failed; step++) {
        worker->failed = !worker_step(worker);
        if (step % 3000 == 0 && !worker->failed) {
            uint64_t next = 0, last = 0;
            do
                worker->failed |= !tree_visit_leaf(worker->table, next, worker_sees, &last, &next);
            while (next && !worker->failed);
            TreeCursor cursor;
            char previous[16] = {0};
            tree_cursor_init(&cursor, worker->index, TREE_FORWARD);
            worker->failed |= !tree_cursor_seek(&cursor, STR(""), SEEK_AT);
            while (!worker->failed && tree_cursor_valid(&cursor)) {
                worker->failed |= memcmp(previous, tree_cursor_key(&cursor).data, 16) >= 0;
                memcpy(previous, tree_cursor_key(&cursor).data, 16);
                worker->failed |= !tree_cursor_advance(&cursor);
            }
            tree_cursor_deinit(&cursor);
        }
    }
    if (worker->failed)
        print_error("worker %u: %.*s\n", worker->number,
                    error_is_set() ? (int)error_fields()->message.length : 14,
                    error_is_set() ? error_fields()->message.data : "wrong content");
}

static void threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    Thread *threads[THREADS];
    Worker *workers = calloc(THREADS, sizeof(Worker));
    require(tree_create(fix.database, 7, TREE_TABLE, layout));
    require(tree_create(fix.database, 8, TREE_INDEX, NULL));
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i].table = tree_open(fix.database, 7);
        workers[i].index = tree_open(fix.database, 8);
        workers[i].number = i;
        workers[i].random = i + 1;
        threads[i] = os->thread_start("worker", worker_main, &workers[i]);
    }
    require(checkpoint_request(fix.store, CHECKPOINT_WAIT));
    for (uint32_t i = 0; i < THREADS; i++)
        os->thread_join(threads[i]);
    uint64_t rows = 0;
    TreeReport report;
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_false(workers[i].failed);
        for (uint32_t id = i; id < IDS; id += THREADS)
            rows += workers[i].exists[id];
    }
    require(tree_check(workers[0].table, NULL, NULL, &report));
    assert_int_equal(report.rows, rows);
    require(tree_check(workers[0].index, NULL, NULL, &report));
    assert_int_equal(report.rows, rows);
    require_no_leak();
    free(workers);
}

/* Readers of large values that are replaced all the time see one value or another, whole. */
static void large_main(void *argument)
{
    Worker *worker = argument;
    Arena *scratch = arena_new("large");
    char *text = malloc(40000);
    for (uint32_t step = 0; step < 1500 && !worker->failed; step++) {
        worker->random = hash_mix64(worker->random + 1);
        uint64_t id = 1 + worker->random % 20;
        Str image;
        Value values[3];
        bool nulls[3] = {false};
        if (worker->number == 0) { /* one writer, as row locks would have it */
            memset(text, 'a' + (int)(step % 26), 40000);
            for (uint32_t i = 0; step % 2 && i < 40000; i += 2)
                text[i] = (char)hash_mix64(i);
            values[0] = (Value){.int64 = (int64_t)id};
            values[1].var = var_make(text, 10000 + worker->random % 30000);
            values[2] = (Value){.int32 = (int32_t)('a' + step % 26)};
            worker->failed = !row_image_make(scratch, layout, values, nulls, &image) ||
                             !tree_put(worker->table, id, image, NULL);
        } else {
            TreeFound found = tree_get_image(worker->table, id, scratch, &image);
            worker->failed = found == TREE_FAILED;
            if (found == TREE_FOUND) {
                worker->failed = !row_image_decode(layout, layout, image, NULL, 3, values, nulls);
                for (uint32_t i = 1; !worker->failed && i < values[1].var.length; i += 2)
                    worker->failed = values[1].var.data[i] != (char)values[2].int32;
            }
        }
        arena_reset(scratch);
    }
    free(text);
    arena_free(scratch);
    if (worker->failed)
        print_error("worker %u: %s\n", worker->number,
                    error_is_set() ? error_fields()->message.data : "wrong content");
}

static void large_values_are_read_whole(void **state)
{
    (void)state;
    Thread *threads[THREADS];
    Worker *workers = calloc(THREADS, sizeof(Worker));
    require(tree_create(fix.database, 7, TREE_TABLE, layout));
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i].table = tree_open(fix.database, 7);
        workers[i].number = i;
        workers[i].random = i + 1;
        threads[i] = os->thread_start("worker", large_main, &workers[i]);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        os->thread_join(threads[i]);
    for (uint32_t i = 0; i < THREADS; i++)
        assert_false(workers[i].failed);
    require_no_leak();
    free(workers);
}

/* ------------------------------------------------------------------ damage */

/* Changes a few bytes behind the pager's header. */
static void damage(byte *page, size_t from, size_t size)
{
    for (uint32_t i = 0; i <= draw_below(4); i++)
        page[from + draw_below((uint32_t)(draw() & 1 ? MIN(size - from, 100) : size - from))] =
            (byte)draw();
}

static void damaged_leaves_are_errors(void **state)
{
    (void)state;
    _Alignas(LeafPage) static byte page[PAGE_SIZE], copy[PAGE_SIZE];
    LeafPage *leaf = (LeafPage *)page;
    Value values[3] = {{.int64 = 1}, {.var = var_make("some text", 9)}, {.int32 = 3}};
    uint8_t marks[3] = {0};
    leaf_init(leaf, layout, 0, UINT64_MAX);
    for (uint32_t i = 0; leaf_has_room(leaf, layout, i, 9); i++)
        leaf_insert(leaf, layout, leaf->header.count, &(LeafRow){i, values, marks, 9});
    assert_null(leaf_check(leaf, layout));
    memcpy(copy, page, PAGE_SIZE);
    uint32_t found = 0;
    for (uint32_t round = 0; round < 3000; round++) {
        memcpy(page, copy, PAGE_SIZE);
        damage(page, PAGE_HEADER_SIZE, PAGE_SIZE);
        found += leaf_check(leaf, layout) != NULL;
        TableLeaf view;
        if (leaf_view(leaf, layout, &view)) {
            Arena *scratch = arena_new("damage");
            TreeExternals externals = {.arena = scratch};
            uint32_t count = MIN(view.row_count, (uint32_t)VECTOR_SIZE);
            for (uint32_t c = 0; c < 3; c++) {
                Vector *vector = vector_new(scratch, columns[c].type);
                if (!table_leaf_copy_column(&view, c, NULL, 0, count, vector, 0, &externals))
                    error_clear();
            }
            arena_free(scratch);
        } else {
            error_clear();
        }
    }
    assert_true(found > 300);
}

static void damaged_nodes_are_found(void **state)
{
    (void)state;
    _Alignas(Node) static byte page[PAGE_SIZE], copy[PAGE_SIZE];
    Node *node = (Node *)page;
    char key[TREE_MAX_KEY];
    bool exact;
    node_init(node, NODE_SLOTTED_LEAF, 0, STR("key"), STR("kez"));
    for (uint32_t i = 0; i < 300; i++) {
        Str text = str_make(key, (size_t)snprintf(key, sizeof(key), "key %u", draw_below(1000000)));
        uint32_t index = node_lower_bound(node, text, &exact);
        if (!exact)
            node_insert(node, index, text, STR("value"), i % 5 == 0 ? SLOT_GHOST : 0);
    }
    assert_null(node_check(node));
    memcpy(copy, page, PAGE_SIZE);
    uint32_t found = 0;
    for (uint32_t round = 0; round < 3000; round++) {
        memcpy(page, copy, PAGE_SIZE);
        damage(page, PAGE_HEADER_SIZE, PAGE_SIZE);
        found += node_check(node) != NULL;
        uint32_t index = node_lower_bound(node, STR("key 5"), &exact);
        if (index < node_count(node)) {
            node_key(node, index, key);
            node_value(node, index);
        }
        node_child(node, node_child_index(node, STR("key 77")));
    }
    assert_true(found > 1000);
}

static void damaged_images_are_errors(void **state)
{
    (void)state;
    byte buffer[128];
    for (uint32_t round = 0; round < 5000; round++) {
        Str image = make_image(round, 1, buffer);
        size_t length = image.length - (draw() & 1 ? draw_below((uint32_t)image.length) : 0);
        byte *exact_copy = malloc(length + 1);
        memcpy(exact_copy, image.data, length);
        if (length > 8)
            damage(exact_copy, 0, length);
        Value values[3];
        bool nulls[3];
        Str damaged = str_make(exact_copy, length);
        if (!row_image_decode(layout, layout, damaged, NULL, 3, values, nulls))
            error_clear();
        if (!layout_decode(arena, damaged))
            error_clear();
        arena_reset(arena);
        layout = layout_new(arena, 1, columns, 3);
        free(exact_copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(threads_do_not_disturb_each_other, begin, end),
        cmocka_unit_test_setup_teardown(large_values_are_read_whole, begin, end),
        cmocka_unit_test_setup_teardown(damaged_leaves_are_errors, begin, end),
        cmocka_unit_test_setup_teardown(damaged_nodes_are_found, begin, end),
        cmocka_unit_test_setup_teardown(damaged_images_are_errors, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
