/* Table trees against a model: an array of rows by id. */
#include "storage/tree_ahead.h"
#include "storage/tree_builder.h"
#include "storage/tree_graft.h"
#include "tree_fixture.h"

#define MODEL_IDS 6000
#define COLUMNS 5

static Arena *arena;

typedef struct ModelRow {
    bool exists;
    Str image; /* malloc */
} ModelRow;
static ModelRow model[MODEL_IDS];
static const Layout *layouts[4];

static const LayoutColumn columns_1[] = {{PHYS_INT64}, {PHYS_VAR}, {PHYS_INT16}, {PHYS_BOOL}};
static const LayoutColumn columns_2[] = {
    {PHYS_INT64}, {PHYS_VAR}, {PHYS_INT16}, {PHYS_BOOL}, {.type = PHYS_VAR}};

static void make_layouts(void)
{
    LayoutColumn with_missing[COLUMNS];
    memcpy(with_missing, columns_2, sizeof(with_missing));
    with_missing[4].has_missing = true;
    with_missing[4].missing.var = var_make("missing value", 13);
    layouts[1] = layout_new(arena, 1, columns_1, 4);
    layouts[2] = layout_new(arena, 2, with_missing, 5);
    with_missing[2].type = PHYS_NONE;
    layouts[3] = layout_new(arena, 3, with_missing, 5);
}

static int begin(void **state)
{
    arena = arena_new("test");
    memset(model, 0, sizeof(model));
    make_layouts();
    return fixture_begin(state);
}

static int end(void **state)
{
    tree_set_hooks(NULL, NULL);
    for (uint32_t i = 0; i < MODEL_IDS; i++)
        free((void *)model[i].image.data);
    arena_free(arena);
    return fixture_end(state);
}

static uint32_t draw_length(void)
{
    uint32_t kind = draw_below(100);
    if (kind < 80)
        return draw_below(40);
    if (kind < 97)
        return draw_below(600);
    return kind < 99 ? draw_below(20000) : draw_below(100000);
}

static void draw_row(const Layout *layout, Value *values, bool *nulls)
{
    static char text[2][100000];
    for (uint32_t c = 0; c < layout->column_count; c++) {
        nulls[c] = draw_below(6) == 0;
        values[c] = (Value){0};
        if (layout->columns[c].type == PHYS_VAR) {
            uint32_t length = draw_length();
            char *bytes = text[c == 4];
            bool compressible = draw() & 1;
            for (uint32_t i = 0; i < length; i++)
                bytes[i] = compressible ? (char)('a' + i % 7) : (char)draw();
            values[c].var = var_make(bytes, length);
        } else if (layout->columns[c].type == PHYS_BOOL) {
            values[c].boolean = draw() & 1;
        } else {
            values[c].int64 = (int64_t)draw();
        }
    }
}

static Str draw_image(const Layout *layout)
{
    Value values[COLUMNS];
    bool nulls[COLUMNS];
    draw_row(layout, values, nulls);
    size_t size = row_image_size(layout, values, nulls);
    byte *image = malloc(size);
    row_image_encode(layout, values, nulls, image);
    return str_make(image, size);
}

static void model_set(uint32_t id, Str image)
{
    free((void *)model[id].image.data);
    model[id] = (ModelRow){.exists = !str_is_none(image), .image = image};
}

/* Both images say the same, seen through the newest layout. */
static void same_row(const Layout *newest, Str a, Str b)
{
    Value va[COLUMNS], vb[COLUMNS];
    bool na[COLUMNS], nb[COLUMNS];
    uint32_t count = newest->column_count;
    require(row_image_decode(layouts[row_image_version(a)], newest, a, NULL, count, va, na));
    require(row_image_decode(layouts[row_image_version(b)], newest, b, NULL, count, vb, nb));
    for (uint32_t c = 0; c < count; c++) {
        if (newest->columns[c].type == PHYS_NONE)
            continue;
        assert_int_equal(na[c], nb[c]);
        if (na[c])
            continue;
        if (newest->columns[c].type == PHYS_VAR)
            assert_true(var_equal(&va[c].var, &vb[c].var));
        else
            assert_memory_equal(&va[c], &vb[c], phys_width(newest->columns[c].type));
    }
}

static void compare_row(Tree *tree, uint32_t id)
{
    Arena *scratch = arena_new("row");
    Str image;
    TreeFound found = tree_get_image(tree, id, scratch, &image);
    require(found != TREE_FAILED);
    assert_int_equal(found == TREE_FOUND, model[id].exists);
    if (found == TREE_FOUND)
        same_row(tree_layout(tree), image, model[id].image);
    arena_free(scratch);
}

static void compare_all(Tree *tree)
{
    TreeReport report;
    uint64_t rows = 0;
    require(tree_check(tree, NULL, NULL, &report));
    for (uint32_t id = 0; id < MODEL_IDS; id++) {
        compare_row(tree, id);
        rows += model[id].exists;
    }
    assert_int_equal(report.rows, rows);
    TreeStats stats;
    require(tree_stats(tree, &stats));
    assert_int_equal(stats.page_count, report.leaf_pages + report.inner_pages);
}

/* What the observer is told is the row that was. */
static void observe_old(void *context, const TreeChange *change)
{
    uint32_t *calls = context;
    ++*calls;
    assert_int_equal(change->existed, model[change->row_id].exists);
    if (!change->existed)
        return;
    byte *image = malloc(change->old_size);
    tree_change_old_image(change, image);
    Str old = str_make(image, change->old_size);
    same_row(layouts[row_image_version(old)], old, model[change->row_id].image);
    free(image);
}

static void random_steps(Tree *tree, uint32_t steps, const TreeObserver *observer)
{
    for (uint32_t i = 0; i < steps; i++) {
        uint32_t id = draw_below(MODEL_IDS), what = draw_below(10);
        if (what < 8) {
            const Layout *layout = layouts[1 + draw_below(tree_layout(tree)->version)];
            Str image = draw_image(layout);
            require(tree_put(tree, id, image, observer));
            model_set(id, image);
        } else {
            require(tree_delete(tree, id, observer));
            model_set(id, STR_NONE);
        }
        arena_reset(arena);
        make_layouts();
    }
}

static void a_tree_is_what_was_put_into_it(void **state)
{
    (void)state;
    uint32_t calls = 0;
    TreeObserver observer = {.before = observe_old, .context = &calls};
    require(tree_create(fix.database, 7, TREE_TABLE, layouts[1]));
    Tree *tree = tree_open(fix.database, 7);
    require(tree != NULL);
    TreeStats stats;
    require(tree_stats(tree, &stats));
    for (uint32_t version = 1; version <= 3; version++) {
        if (version > 1)
            require(tree_set_layout(fix.database, 7, layouts[version]));
        random_steps(tree, 6000, &observer);
        compare_all(tree);
    }
    assert_true(calls > 6000);
    require_no_leak();
    /* Deleting everything leaves one page. */
    for (uint32_t id = 0; id < MODEL_IDS; id++) {
        require(tree_delete(tree, id, NULL));
        model_set(id, STR_NONE);
    }
    compare_all(tree);
    TreeReport report;
    require(tree_check(tree, NULL, NULL, &report));
    assert_true(report.leaf_pages + report.inner_pages <= 3);
    require(tree_drop(fix.database, 7));
    require_no_leak();
}

static void rows_stay_through_a_restart(void **state)
{
    (void)state;
    require(tree_create(fix.database, 7, TREE_TABLE, layouts[1]));
    require(tree_set_layout(fix.database, 7, layouts[2]));
    random_steps(tree_open(fix.database, 7), 4000, NULL);
    require(store_close(fix.store, STORE_CLOSE_CLEAN));
    fixture_open();
    Tree *tree = tree_open(fix.database, 7);
    require(tree != NULL);
    compare_all(tree);
    uint64_t max, expected = 0;
    require(tree_max_row_id(tree, &max));
    for (uint32_t id = 0; id < MODEL_IDS; id++)
        expected = model[id].exists ? id : expected;
    assert_int_equal(max, expected);
    require_no_leak();
}

typedef struct ScanContext {
    uint64_t next_expected;
    Vector *numbers, *texts, *extra;
    TreeExternals externals;
    uint64_t ids[8192];
    uint32_t count;
} ScanContext;

static bool scan_visit(void *context, const TableLeaf *leaf)
{
    ScanContext *scan = context;
    scan->count = MIN(leaf->row_count, (uint32_t)VECTOR_SIZE);
    table_leaf_copy_ids(leaf, 0, scan->count, scan->ids);
    TRY(table_leaf_copy_column(leaf, 0, NULL, 0, scan->count, scan->numbers, 0, &scan->externals));
    TRY(table_leaf_copy_column(leaf, 1, NULL, 0, scan->count, scan->texts, 0, &scan->externals));
    return table_leaf_copy_column(leaf, 4, NULL, 0, scan->count, scan->extra, 0, &scan->externals);
}

static void same_value(const Vector *vector, uint32_t row, uint32_t column, Str image)
{
    Value value;
    bool is_null;
    require(row_image_column(layouts[row_image_version(image)], layouts[2], image, column, &value,
                             &is_null));
    assert_int_equal(is_null, vector_is_null(vector, row));
    if (is_null)
        return;
    if (vector->type == PHYS_VAR)
        assert_true(var_equal(&value.var, &VECTOR_VALUES(vector, VarRef)[row]));
    else
        assert_int_equal(value.int64, VECTOR_VALUES(vector, int64_t)[row]);
}

static void scans_copy_what_the_leaves_hold(void **state)
{
    (void)state;
    require(tree_create(fix.database, 7, TREE_TABLE, layouts[1]));
    Tree *tree = tree_open(fix.database, 7);
    random_steps(tree, 3000, NULL);
    require(tree_set_layout(fix.database, 7, layouts[2]));
    random_steps(tree, 300, NULL);
    Arena *scratch = arena_new("scan");
    ScanContext *scan = calloc(1, sizeof(*scan));
    uint64_t next = 0, seen = 0, expected = 0;
    do {
        arena_reset(scratch);
        scan->numbers = vector_new(scratch, PHYS_INT64);
        scan->texts = vector_new(scratch, PHYS_VAR);
        scan->extra = vector_new(scratch, PHYS_VAR);
        scan->externals = (TreeExternals){.arena = scratch};
        require(tree_visit_leaf(tree, next, scan_visit, scan, &next));
        assert_int_equal(tree_externals_load(tree, &scan->externals), TREE_FOUND);
        for (uint32_t i = 0; i < scan->count; i++) {
            Str image = model[scan->ids[i]].image;
            assert_true(model[scan->ids[i]].exists);
            same_value(scan->numbers, i, 0, image);
            same_value(scan->texts, i, 1, image);
            same_value(scan->extra, i, 4, image);
        }
        seen += scan->count;
    } while (next != 0);
    for (uint32_t id = 0; id < MODEL_IDS; id++)
        expected += model[id].exists;
    assert_int_equal(seen, expected);
    free(scan);
    arena_free(scratch);
}

#define WANTED_MOST 300u

/* Rows that are wanted by id, and how many of them the leaves visited so far had to say about. */
typedef struct Wanted {
    int64_t ids[WANTED_MOST];
    uint32_t count, at;
} Wanted;

/* Somewhere, or close behind the one before. */
static void draw_wanted(Wanted *wanted)
{
    const uint32_t step = draw_below(3) == 0 ? 4 : MODEL_IDS;

    wanted->at = 0;
    wanted->count = 1 + draw_below(WANTED_MOST);
    for (uint32_t i = 0; i < wanted->count; i++)
        wanted->ids[i] = ((i > 0 ? wanted->ids[i - 1] : 0) + draw_below(step)) % MODEL_IDS;
}

static bool wanted_visit(void *context, const TableLeaf *leaf)
{
    Wanted *wanted = context;
    const uint32_t first = wanted->at;

    for (; wanted->at < wanted->count; wanted->at++) {
        const uint64_t id = (uint64_t)wanted->ids[wanted->at];
        uint32_t position;
        if (id < leaf->first_id || id > leaf->last_id)
            break;
        assert_int_equal(table_leaf_find(leaf, id, &position), model[id].exists);
    }
    assert_true(wanted->at > first); /* the leaf covers the row that it was visited for */
    return true;
}

/* Also where the tree changes, and its leaves split, merge and leave memory, between the visits. */
static void rows_from_all_over_are_found_ahead(void **state)
{
    (void)state;
    Wanted *wanted = calloc(1, sizeof(*wanted));
    TreeAhead ahead;
    require(tree_create(fix.database, 7, TREE_TABLE, layouts[1]));
    require(tree_set_layout(fix.database, 7, layouts[2]));
    Tree *tree = tree_open(fix.database, 7);

    for (uint32_t round = 0; round < 200; round++) {
        const bool is_shrinking = round % 40 >= 30;
        draw_wanted(wanted);
        tree_ahead_init(&ahead, tree, wanted->ids, wanted->count);
        while (wanted->at < wanted->count) {
            require(tree_ahead_visit(&ahead, wanted->at, wanted_visit, wanted));
            if (draw_below(4) == 0)
                random_steps(tree, draw_below(30), NULL);
            for (uint32_t i = 0; is_shrinking && i < 10; i++) {
                const uint32_t id = draw_below(MODEL_IDS);
                require(tree_delete(tree, id, NULL));
                model_set(id, STR_NONE);
            }
        }
    }
    compare_all(tree);
    free(wanted);
}

static void wide_rows_fit_or_are_refused(void **state)
{
    (void)state;
    static LayoutColumn wide[1600];
    static Value values[1600];
    static bool nulls[1600];
    for (uint32_t c = 0; c < 1600; c++)
        wide[c].type = c % 2 ? PHYS_VAR : PHYS_INT16;
    layouts[1] = layout_new(arena, 1, wide, 1600);
    require(tree_create(fix.database, 9, TREE_TABLE, layouts[1]));
    Tree *tree = tree_open(fix.database, 9);
    char text[3000];
    memset(text, 'x', sizeof(text));
    for (uint32_t id = 1; id <= 20; id++) {
        for (uint32_t c = 0; c < 1600; c++) {
            values[c] = (Value){0};
            if (c % 2)
                values[c].var = var_make(text, c == 5 || c == 77 ? 3000 : 4);
            else
                values[c].int16 = (int16_t)(id + c);
        }
        Str image, back;
        require(row_image_make(arena, layouts[1], values, nulls, &image));
        require(tree_row_fits(tree, image));
        require(tree_put(tree, id, image, NULL));
        assert_int_equal(tree_get_image(tree, id, arena, &back), TREE_FOUND);
        assert_true(str_equal(image, back));
    }
    for (uint32_t c = 1; c < 1600; c += 2)
        values[c].var = var_make(text, 40);
    Str image;
    require(row_image_make(arena, layouts[1], values, nulls, &image));
    assert_false(tree_row_fits(tree, image));
    assert_int_equal(error_fields()->sqlstate, ERR_PROGRAM_LIMIT_EXCEEDED);
    error_clear();
    assert_false(tree_put(tree, 50, image, NULL));
    error_clear();
    require_no_leak();
}

static void count_leaf(void *context, void **versions)
{
    assert_null(*versions);
    ++*(uint32_t *)context;
}

/* How many leaves were linked. */
static uint32_t graft_into(Tree *tree, Tree *built)
{
    uint32_t linked = 0;
    const GraftObserver observer = {.leaf = count_leaf, .context = &linked};
    TreeGraft *graft;

    require(tree_graft_prepare(tree, built, false, &graft));
    require(tree_graft_run(graft, &observer));
    tree_graft_free(graft);
    return linked;
}

/* Ids that the table has, ids between, ids in holes: all comes in, most of it by the leaf. */
static void grafts_find_their_place(void **state)
{
    (void)state;
    uint32_t linked = 0;
    require(tree_create(fix.database, 7, TREE_TABLE, layouts[1]));
    Tree *tree = tree_open(fix.database, 7);
    for (uint32_t round = 0; round < 40; round++) {
        Tree *built = tree_new_private(fix.database, TREE_TABLE, layouts[1]);
        require(built != NULL);
        const uint32_t first = draw_below(MODEL_IDS), length = draw_below(1500);
        const bool overlaps = round % 4 == 3;
        for (uint32_t id = first; id < MIN(first + length, (uint32_t)MODEL_IDS); id++) {
            if ((!overlaps && model[id].exists) || draw_below(10) == 0)
                continue;
            const Str image = draw_image(layouts[1]);
            require(tree_put(built, id, image, NULL));
            model_set(id, image);
        }
        linked += graft_into(tree, built);
        compare_all(tree);
        require_no_leak();
        for (uint32_t i = 0, from = draw_below(MODEL_IDS); i < 800; i++) {
            const uint32_t id = (from + i) % MODEL_IDS;
            require(tree_delete(tree, id, NULL));
            model_set(id, STR_NONE);
        }
        arena_reset(arena);
        make_layouts();
    }
    assert_true(linked > 50);
}

static void built_trees_are_attached_and_grafted(void **state)
{
    (void)state;
    require(tree_create(fix.database, 7, TREE_TABLE, layouts[1]));
    Tree *built = tree_new_private(fix.database, TREE_TABLE, layouts[1]);
    require(built != NULL);
    TreeBuilder *builder = tree_builder_new(built, 90, TREE_TO_GRAFT);
    for (uint32_t id = 1; id < 3000; id += 1 + draw_below(2)) {
        Str image = draw_image(layouts[1]);
        require(tree_builder_add_row(builder, id, image));
        model_set(id, image);
    }
    require(tree_builder_finish(builder));
    tree_builder_free(builder);
    compare_all(built);
    require(tree_attach(built, 7));
    compare_all(tree_open(fix.database, 7));
    require_no_leak();
    for (uint32_t round = 0; round < 2; round++) {
        Tree *more = tree_new_private(fix.database, TREE_TABLE, layouts[1]);
        builder = tree_builder_new(more, 100, TREE_TO_GRAFT);
        /* The second time ids lie among those that are there: row by row. */
        for (uint32_t id = round ? 1000 : 3000; id < (round ? 2000 : MODEL_IDS); id += 2) {
            Str image = draw_image(layouts[1]);
            require(tree_builder_add_row(builder, id, image));
            model_set(id, image);
        }
        require(tree_builder_finish(builder));
        tree_builder_free(builder);
        graft_into(tree_open(fix.database, 7), more);
        compare_all(tree_open(fix.database, 7));
        require_no_leak();
    }
    for (uint32_t id = 0; id < MODEL_IDS; id++) {
        require(tree_delete(tree_open(fix.database, 7), id, NULL));
        model_set(id, STR_NONE);
    }
    compare_all(tree_open(fix.database, 7));
    require_no_leak();
    Tree *unused = tree_new_private(fix.database, TREE_TABLE, layouts[1]);
    random_steps(unused, 2000, NULL);
    compare_all(unused);
    tree_discard(unused);
}

/* Random rows without large values, in columns and as images. */
typedef struct DrawnRows {
    Vector *columns[COLUMNS];
    uint16_t selected[VECTOR_SIZE];
    uint32_t count;
    size_t sizes[VECTOR_SIZE];
    byte *images[VECTOR_SIZE];
    RowRange range;
} DrawnRows;

static void draw_rows(const Layout *layout, uint32_t most, DrawnRows *rows)
{
    const uint32_t step = 1 + draw_below(2), wanted = 1 + draw_below(most);
    Value values[COLUMNS];
    bool nulls[COLUMNS];

    for (uint32_t c = 0; c < layout->column_count; c++)
        rows->columns[c] = vector_new(arena, layout->columns[c].type);
    rows->count = 0;
    for (uint32_t row = 0; row < VECTOR_SIZE && rows->count < wanted; row += step) {
        do {
            draw_row(layout, values, nulls);
            if (most < 20) /* columns without any NULL as well */
                memset(nulls, 0, sizeof(nulls));
        } while (row_image_size(layout, values, nulls) > TREE_SMALL_ROW);
        for (uint32_t c = 0; c < layout->column_count; c++) {
            const Value value = value_copy(arena, layout->columns[c].type, &values[c]);
            if (layout->columns[c].type != PHYS_NONE)
                vector_set(rows->columns[c], row, &value, nulls[c]);
        }
        rows->sizes[rows->count] = row_image_size(layout, values, nulls);
        rows->images[rows->count] = malloc(rows->sizes[rows->count]);
        row_image_encode(layout, values, nulls, rows->images[rows->count]);
        rows->selected[rows->count++] = (uint16_t)row;
    }
    rows->range = (RowRange){.columns = rows->columns, .count = rows->count};
    rows->range.rows.count = rows->count;
    if (step > 1)
        rows->range.rows.rows = rows->selected;
}

static void require_same_images(const Layout *layout, const DrawnRows *rows)
{
    size_t sizes[VECTOR_SIZE];
    byte *images[VECTOR_SIZE];

    row_images_size(layout, &rows->range, sizes);
    for (uint32_t i = 0; i < rows->count; i++) {
        assert_int_equal(sizes[i], rows->sizes[i]);
        images[i] = malloc(sizes[i]);
    }
    row_images_encode(layout, &rows->range, images);
    for (uint32_t i = 0; i < rows->count; i++) {
        assert_memory_equal(images[i], rows->images[i], sizes[i]);
        free(images[i]);
    }
}

/* A stretch begins anywhere in the selection. */
static void add_in_two(TreeBuilder *builder, uint64_t id, const DrawnRows *rows)
{
    const uint32_t first = draw_below(rows->count + 1);
    RowRange range = rows->range;

    range.count = first;
    if (first > 0)
        require(tree_builder_add_rows(builder, id, &range, rows->sizes));
    range.from = first;
    range.count = rows->count - first;
    if (range.count > 0)
        require(tree_builder_add_rows(builder, id + first, &range, rows->sizes + first));
}

static void rows_in_columns_are_the_rows(void **state)
{
    static DrawnRows rows;
    (void)state;
    for (uint32_t version = 1; version <= 3; version += 2) {
        const Layout *layout = layouts[version];
        Tree *built = tree_new_private(fix.database, TREE_TABLE, layout);
        TreeBuilder *builder = tree_builder_new(built, 90, TREE_TO_GRAFT);
        for (uint32_t id = 1;;) {
            draw_rows(layout, draw_below(2) ? 700 : 10, &rows);
            if (id + rows.count >= MODEL_IDS)
                break;
            require_same_images(layout, &rows);
            add_in_two(builder, id, &rows);
            for (uint32_t i = 0; i < rows.count; i++)
                model_set(id + i, str_make(rows.images[i], rows.sizes[i]));
            id += rows.count + draw_below(3);
            if (draw_below(2)) {
                const Str image = draw_image(layout);
                require(tree_builder_add_row(builder, id, image));
                model_set(id++, image);
            }
        }
        for (uint32_t i = 0; i < rows.count; i++)
            free(rows.images[i]);
        require(tree_builder_finish(builder));
        tree_builder_free(builder);
        compare_all(built);
        tree_discard(built);
        for (uint32_t id = 0; id < MODEL_IDS; id++)
            model_set(id, STR_NONE);
    }
}

/* Ids that the first leaf cannot tell from 0 by four bytes. */
static void rows_in_columns_have_their_ids(void **state)
{
    static const uint64_t firsts[] = {UINT32_MAX - 300ull, UINT32_MAX + 1ull, 1ull << 40};
    static DrawnRows rows;
    (void)state;
    for (uint32_t f = 0; f < ARRAY_LENGTH(firsts); f++) {
        Tree *built = tree_new_private(fix.database, TREE_TABLE, layouts[1]);
        TreeBuilder *builder = tree_builder_new(built, 90, TREE_TO_GRAFT);
        for (uint64_t gap = 0; gap <= 6ull << 32; gap += 3ull << 32) {
            draw_rows(layouts[1], 900, &rows);
            require(tree_builder_add_rows(builder, firsts[f] + gap, &rows.range, rows.sizes));
            for (uint32_t i = 0; i < rows.count; i++)
                free(rows.images[i]);
        }
        require(tree_builder_finish(builder));
        tree_builder_free(builder);
        Str image;
        const uint64_t last = firsts[f] + (6ull << 32) + rows.count - 1;
        assert_int_equal(tree_get_image(built, last, arena, &image), TREE_FOUND);
        assert_int_equal(image.length, rows.sizes[rows.count - 1]);
        assert_int_equal(tree_get_image(built, last + 1, arena, &image), TREE_MISSING);
        assert_int_equal(tree_get_image(built, firsts[f], arena, &image), TREE_FOUND);
        TreeReport report;
        require(tree_check(built, NULL, NULL, &report));
        tree_discard(built);
    }
}

/* Versions hang on leaves as a count of rows ever put there; hooks must carry them along. */
typedef struct Marks {
    uint64_t moved_from, merged;
} Marks;
static void mark_split(void *context, Tree *tree, void **from, void **to, uint64_t first)
{
    (void)tree;
    Marks *marks = context;
    assert_non_null(*from);
    assert_true(first > 0 && *to == NULL);
    *to = *from;
    marks->moved_from++;
}
static void mark_merged(void *context, Tree *tree, void **from, void **to)
{
    (void)tree;
    Marks *marks = context;
    *to = *from;
    *from = NULL;
    marks->merged++;
}
static void mark_discarded(void *context, Tree *tree, void **versions)
{
    (void)context, (void)tree;
    *versions = NULL;
}
static void mark_leaf(void *context, const TreeChange *change)
{
    *change->versions = context;
}
static bool marked_visit(void *context, const TableLeaf *leaf)
{
    return *leaf->versions == context;
}

static void versions_follow_their_rows(void **state)
{
    (void)state;
    static const TreeHooks hooks = {mark_split, mark_merged, mark_discarded, NULL};
    Marks marks = {0};
    TreeObserver observer = {.before = mark_leaf, .context = &marks};
    tree_set_hooks(&hooks, &marks);
    require(tree_create(fix.database, 7, TREE_TABLE, layouts[1]));
    Tree *tree = tree_open(fix.database, 7);
    for (uint32_t i = 0; i < 3000; i++) {
        Str image = draw_image(layouts[1]);
        uint32_t id = draw_below(MODEL_IDS);
        require(tree_put(tree, id, image, &observer));
        model_set(id, image);
    }
    uint64_t next = 0;
    do
        assert_true(tree_visit_leaf(tree, next, marked_visit, &marks, &next));
    while (next);
    for (uint32_t id = 0; id < MODEL_IDS; id++)
        require(tree_delete(tree, id, NULL));
    assert_true(marks.moved_from > 10 && marks.merged > 10);
    assert_true(tree_visit_leaf(tree, 0, marked_visit, &marks, &next));
    require(tree_drop(fix.database, 7));
    tree_set_hooks(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_tree_is_what_was_put_into_it, begin, end),
        cmocka_unit_test_setup_teardown(rows_stay_through_a_restart, begin, end),
        cmocka_unit_test_setup_teardown(scans_copy_what_the_leaves_hold, begin, end),
        cmocka_unit_test_setup_teardown(rows_from_all_over_are_found_ahead, begin, end),
        cmocka_unit_test_setup_teardown(wide_rows_fit_or_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(grafts_find_their_place, begin, end),
        cmocka_unit_test_setup_teardown(rows_in_columns_are_the_rows, begin, end),
        cmocka_unit_test_setup_teardown(rows_in_columns_have_their_ids, begin, end),
        cmocka_unit_test_setup_teardown(built_trees_are_attached_and_grafted, begin, end),
        cmocka_unit_test_setup_teardown(versions_follow_their_rows, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
