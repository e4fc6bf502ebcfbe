/* Kept rows, stores and sorters: what goes in comes out, in memory and from disk. */
#include "executor_fixture.h"

#include "executor/rows.h"
#include "executor/sorter.h"

#define ROWS 5000

static const PhysType types[] = {PHYS_INT64, PHYS_VAR, PHYS_INT16, PHYS_FIXED16};

/* A batch of one: row `number`, with nulls here and there. */
static void fill(Batch *batch, Arena *arena, uint64_t number)
{
    Value value = {.int64 = (int64_t)number * 7};
    vector_set(batch->columns[0], 0, &value, number % 5 == 0);
    char text[64];
    const int length = snprintf(text, sizeof(text), "row %llu %.*s", (unsigned long long)number,
                                (int)(number % 30), "..............................");
    value.var = var_make(arena_copy(arena, text, (size_t)length), (size_t)length);
    vector_set(batch->columns[1], 0, &value, number % 7 == 0);
    value = (Value){.int16 = (int16_t)number};
    vector_set(batch->columns[2], 0, &value, false);
    value = (Value){.interval = {.microseconds = (int64_t)number, .days = 3}};
    vector_set(batch->columns[3], 0, &value, number % 2 == 0);
}

static void check(const RowLayout *layout, const Row *row, Arena *arena, uint64_t number)
{
    Batch *wanted = batch_new(arena, types, 4);
    fill(wanted, arena, number);
    for (uint32_t c = 0; c < 4; c++) {
        Value value, expected;
        bool is_null, expects_null;
        row_value(layout, row, c, &value, &is_null);
        vector_get(wanted->columns[c], 0, &expected, &expects_null);
        assert_int_equal(is_null, expects_null);
        if (is_null)
            continue;
        if (types[c] == PHYS_VAR)
            assert_true(var_equal(&value.var, &expected.var));
        else
            assert_memory_equal(&value, &expected, phys_width(types[c]));
    }
}

static void rows_hold_what_was_put_in(void **state)
{
    Arena *arena = arena_new("test");
    RowLayout layout;
    row_layout_init(&layout, arena, types, 4);
    Batch *batch = batch_new(arena, types, 4);
    for (uint64_t i = 0; i < 200; i++) {
        fill(batch, arena, i);
        Row *row = row_make(&layout, arena, batch->columns, 0);
        check(&layout, row, arena, i);
        Row *copy = arena_copy(arena, row, row->size);
        memset((byte *)row + layout.fixed, 0xee, row->size - layout.fixed);
        row_relocate(&layout, copy);
        check(&layout, copy, arena, i);
    }
    arena_free(arena);
}

/* Writes and reads in turn, as a recursive query does, and reads again from any place. */
static void store_reads_back(size_t limit, bool must_spill)
{
    Arena *arena = arena_new("test");
    SpillSet spills;
    RowStore store;
    RowReader reader;
    spill_set_init(&spills, STR("/tmp"));
    row_store_init(&store, arena, &spills, types, 4, limit);
    row_reader_init(&reader, &store);
    Batch *batch = batch_new(arena, types, 4), *out = batch_new(arena, types, 4);
    RowLayout layout;
    row_layout_init(&layout, arena, types, 4);
    uint64_t read = 0;
    for (uint64_t i = 0; i < ROWS; i++) {
        fill(batch, arena, i);
        ok(row_store_add(&store, batch->columns, 0));
        if (i % 777 != 0 && i != ROWS - 1)
            continue;
        while (read < store.count) {
            reader.position = read;
            ok(row_reader_next(&reader, out, 100));
            assert_true(out->row_count > 0);
            for (uint32_t r = 0; r < out->row_count; r++)
                check(&layout, row_make(&layout, arena, out->columns, r), arena, read++);
        }
    }
    assert_int_equal(spills.files != NULL, must_spill);
    for (uint64_t start = 0; start < ROWS; start += 611) {
        reader.position = start;
        ok(row_reader_next(&reader, out, VECTOR_SIZE));
        assert_int_equal(out->row_count, MIN((uint64_t)VECTOR_SIZE, ROWS - start));
        for (uint32_t r = 0; r < out->row_count; r++)
            check(&layout, row_make(&layout, arena, out->columns, r), arena, start + r);
    }
    row_reader_deinit(&reader);
    row_store_deinit(&store);
    assert_null(spills.files);
    arena_free(arena);
}

static void a_store_reads_back_in_order(void **state)
{
    store_reads_back((size_t)64 << 20, false);
    store_reads_back(65536, true);
    store_reads_back(0, true);
}

static void sorter_sorts(size_t limit, bool must_spill)
{
    Arena *arena = arena_new("test");
    SpillSet spills;
    Sorter sorter;
    spill_set_init(&spills, STR("/tmp"));
    sorter_init(&sorter, arena, &spills, types, 4, limit);
    Batch *batch = batch_new(arena, types, 4);
    for (uint64_t i = 0; i < ROWS; i++) {
        const uint64_t number = i * 2741 % ROWS;
        fill(batch, arena, number);
        /* Pairs of rows have equal keys: these keep the order they came in. */
        const uint64_t key = __builtin_bswap64(number / 2);
        ok(sorter_add(&sorter, str_make((const char *)&key, 8), batch->columns, 0));
    }
    ok(sorter_finish(&sorter));
    assert_int_equal(sorter.run_count > 0, must_spill);
    bool seen[ROWS] = {false};
    for (uint64_t i = 0; i < ROWS; i++) {
        Row *row;
        Str key;
        ok(sorter_next(&sorter, &row, &key));
        assert_non_null(row);
        Value value;
        bool is_null;
        row_value(&sorter.layout, row, 2, &value, &is_null);
        const uint64_t number = (uint64_t)value.int16;
        assert_int_equal(number / 2, i / 2);
        assert_false(seen[number]);
        /* 2741 is odd, so of a pair the one whose i is smaller came first. */
        seen[number] = true;
        check(&sorter.layout, row, arena, number);
    }
    Row *end;
    Str key;
    ok(sorter_next(&sorter, &end, &key));
    assert_null(end);
    sorter_deinit(&sorter);
    assert_null(spills.files);
    arena_free(arena);
}

static void a_sorter_gives_every_row_in_order(void **state)
{
    sorter_sorts((size_t)64 << 20, false);
    sorter_sorts(65536, true);
    sorter_sorts(0, true); /* more runs than are merged at once */
}

static void equal_keys_keep_their_order(void **state)
{
    Arena *arena = arena_new("test");
    SpillSet spills;
    Sorter sorter;
    spill_set_init(&spills, STR("/tmp"));
    sorter_init(&sorter, arena, &spills, types, 4, 20000);
    Batch *batch = batch_new(arena, types, 4);
    for (uint64_t i = 0; i < ROWS; i++) {
        fill(batch, arena, i);
        ok(sorter_add(&sorter, i % 3 ? STR("b") : STR("a"), batch->columns, 0));
    }
    ok(sorter_finish(&sorter));
    int64_t last = -1;
    for (uint64_t i = 0; i < ROWS; i++) {
        Row *row;
        Str key;
        Value value;
        bool is_null;
        ok(sorter_next(&sorter, &row, &key));
        row_value(&sorter.layout, row, 2, &value, &is_null);
        if (i == (ROWS + 2) / 3)
            last = -1;
        assert_int_equal(value.int16 % 3 == 0, i < (ROWS + 2) / 3);
        assert_true(value.int16 > last);
        last = value.int16;
    }
    sorter_deinit(&sorter);
    arena_free(arena);
}

static int settings_up(void **state)
{
    settings_init();
    task_current()->settings = &settings_default;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold_what_was_put_in),
        cmocka_unit_test(a_store_reads_back_in_order),
        cmocka_unit_test(a_sorter_gives_every_row_in_order),
        cmocka_unit_test(equal_keys_keep_their_order),
    };
    return cmocka_run_group_tests(tests, settings_up, NULL);
}
