/* Kept rows, stores and sorters: what goes in comes out, in memory and from disk. */
#include "executor_fixture.h"

#include "executor/packed_row.h"
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

static void add_row(Sorter *sorter, const PackedLayout *layout, Str key, Batch *batch)
{
    const Selection one = {.count = 1};
    const uint32_t key_size = (uint32_t)key.length;
    uint32_t size = 0;
    char *at;
    packed_sizes(layout, batch->columns, one, &size);
    assert_int_equal(sorter_reserve(sorter, &key_size, &size, 1, &at), 1);
    memcpy(at, key.data, key.length);
    at += key.length;
    packed_put(layout, batch->columns, one, 0, 1, &at);
}

static void check_value(PhysType type, const Value *value, bool is_null, const Value *expected,
                        bool expects_null)
{
    assert_int_equal(is_null, expects_null);
    if (is_null)
        return;
    if (type == PHYS_VAR)
        assert_true(var_equal(&value->var, &expected->var));
    else
        assert_memory_equal(value, expected, phys_width(type));
}

static void check_packed(const PackedLayout *layout, const char *row, Arena *arena, uint64_t number)
{
    Batch *wanted = batch_new(arena, types, 4), *got = batch_new(arena, types, 4);
    fill(wanted, arena, number);
    packed_gather(layout, &row, 1, got->columns);
    for (uint32_t c = 0; c < 4; c++) {
        Value value, expected;
        bool is_null, expects_null;
        vector_get(wanted->columns[c], 0, &expected, &expects_null);
        packed_value(layout, row, c, &value, &is_null);
        check_value(types[c], &value, is_null, &expected, expects_null);
        vector_get(got->columns[c], 0, &value, &is_null);
        check_value(types[c], &value, is_null, &expected, expects_null);
    }
}

static void sorter_sorts(size_t limit, bool must_spill)
{
    Arena *arena = arena_new("test");
    SpillSet spills;
    Sorter sorter;
    PackedLayout layout;
    spill_set_init(&spills, STR("/tmp"));
    sorter_init(&sorter, &spills, limit);
    packed_layout_init(&layout, arena, types, 4);
    Batch *batch = batch_new(arena, types, 4);
    for (uint64_t i = 0; i < ROWS; i++) {
        const uint64_t number = i * 2741 % ROWS;
        fill(batch, arena, number);
        const uint64_t key = __builtin_bswap64(number / 2);
        add_row(&sorter, &layout, str_make((const char *)&key, 8), batch);
    }
    ok(sorter_finish(&sorter));
    assert_int_equal(sorter_is_merging(&sorter), must_spill);
    bool seen[ROWS] = {false};
    for (uint64_t i = 0; i < ROWS; i++) {
        SortRecord record;
        ok(sorter_next(&sorter, &record));
        assert_non_null(record.key.data);
        Value value;
        bool is_null;
        packed_value(&layout, record.payload, 2, &value, &is_null);
        const uint64_t number = (uint64_t)value.int16;
        assert_int_equal(number / 2, i / 2);
        assert_false(seen[number]);
        seen[number] = true;
        check_packed(&layout, record.payload, arena, number);
    }
    SortRecord end;
    ok(sorter_next(&sorter, &end));
    assert_null(end.key.data);
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

static bool add_record(Sorter *sorter, Str key, const void *payload, uint32_t size)
{
    const uint32_t key_size = (uint32_t)key.length;
    char *at;
    if (sorter_reserve(sorter, &key_size, &size, 1, &at) == 0)
        return false;
    if (key_size > 0)
        memcpy(at, key.data, key_size);
    memcpy(at + key_size, payload, size);
    return true;
}

static void keeps_order(size_t limit)
{
    SpillSet spills;
    Sorter sorter;
    int64_t last = -1;
    spill_set_init(&spills, STR("/tmp"));
    sorter_init(&sorter, &spills, limit);
    for (uint32_t i = 0; i < ROWS; i++)
        ok(add_record(&sorter, i % 3 ? STR("b") : STR("a"), &i, sizeof(i)));
    ok(sorter_finish(&sorter));
    for (uint32_t i = 0; i < ROWS; i++) {
        SortRecord record;
        uint32_t number;
        ok(sorter_next(&sorter, &record));
        assert_int_equal(record.payload_size, sizeof(number));
        memcpy(&number, record.payload, sizeof(number));
        if (i == (ROWS + 2) / 3)
            last = -1;
        assert_int_equal(number % 3 == 0, i < (ROWS + 2) / 3);
        assert_true((int64_t)number > last);
        last = number;
    }
    sorter_deinit(&sorter);
}

static void equal_keys_keep_their_order(void **state)
{
    keeps_order(0);
    keeps_order(20000);
    keeps_order((size_t)64 << 20);
}

/* ---- keys of every kind against a plain comparison ---- */

typedef struct Wanted {
    char *key;
    uint32_t length, number;
} Wanted;

static int wanted_order(const void *a, const void *b)
{
    const Wanted *x = a, *y = b;
    const int order = str_compare(str_make(x->key, x->length), str_make(y->key, y->length));
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

/* Few or many letters, short or long, beginnings in common; some differ in zeros at their end. */
static void make_key(uint64_t *seed, uint32_t kind, Wanted *ret)
{
    const uint32_t same = kind % 3 * 11, letters = kind % 2 ? 2 : 256;
    const uint32_t most = kind % 5 == 0 ? 9 : kind % 5 == 1 ? 40 : 4;
    ret->length = same + next_random(seed) % (most + 1);
    ret->key = malloc(ret->length + 1);
    memset(ret->key, 'x', same);
    for (uint32_t i = same; i < ret->length; i++)
        ret->key[i] = (char)(next_random(seed) % letters);
}

static void check_order(Sorter *sorter, const Wanted *wanted, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        SortRecord record;
        uint32_t number;
        ok(sorter_next(sorter, &record));
        memcpy(&number, record.payload, sizeof(number));
        assert_int_equal(number, wanted[i].number);
        assert_true(str_equal(record.key, str_make(wanted[i].key, wanted[i].length)));
    }
}

static void sorts_like_qsort(uint32_t kind, uint32_t count, size_t limit, uint64_t keep)
{
    SpillSet spills;
    Sorter sorter;
    Wanted *wanted = calloc(count, sizeof(Wanted));
    uint64_t seed = kind * 977 + count;
    spill_set_init(&spills, STR("/tmp"));
    sorter_init(&sorter, &spills, limit);
    sorter_keep_first(&sorter, keep);
    for (uint32_t i = 0; i < count; i++) {
        make_key(&seed, kind, &wanted[i]);
        wanted[i].number = i;
        const Str key = str_make(wanted[i].key, wanted[i].length);
        if (!sorter_refuses(&sorter, key))
            ok(add_record(&sorter, key, &i, sizeof(i)));
    }
    ok(sorter_finish(&sorter));
    qsort(wanted, count, sizeof(Wanted), wanted_order);
    check_order(&sorter, wanted, MIN(count, keep));
    sorter_deinit(&sorter);
    assert_null(spills.files);
    for (uint32_t i = 0; i < count; i++)
        free(wanted[i].key);
    free(wanted);
}

static void keys_of_every_kind_are_sorted(void **state)
{
    static const uint32_t counts[] = {1, 2, 24, 25, 60, 700, 20000};
    for (uint32_t kind = 0; kind < 30; kind++)
        for (size_t i = 0; i < ARRAY_LENGTH(counts); i++) {
            sorts_like_qsort(kind, counts[i], (size_t)64 << 20, UINT64_MAX);
            sorts_like_qsort(kind, counts[i], 100000, UINT64_MAX);
        }
}

static void a_bounded_sort_gives_the_first(void **state)
{
    for (uint32_t kind = 0; kind < 30; kind++) {
        sorts_like_qsort(kind, 20000, (size_t)64 << 20, 10);
        sorts_like_qsort(kind, 20000, (size_t)64 << 20, 3000);
        sorts_like_qsort(kind, 20000, 50000, 3000);
    }
}

/* Each key goes on where the one before it ends: as many prefixes in turn as there are keys. */
static void long_keys_need_no_stack(void **state)
{
    enum { COUNT = 3000 };
    SpillSet spills;
    Sorter sorter;
    char *key = malloc(COUNT * 8 + 1);
    memset(key, 'a', COUNT * 8);
    spill_set_init(&spills, STR("/tmp"));
    sorter_init(&sorter, &spills, SIZE_MAX);
    for (uint32_t i = 0; i < COUNT; i++) {
        key[i * 8] = 'b';
        ok(add_record(&sorter, str_make(key, (size_t)i * 8 + 1), &i, sizeof(i)));
        key[i * 8] = 'a';
    }
    ok(sorter_finish(&sorter));
    for (uint32_t i = 0; i < COUNT; i++) {
        SortRecord record;
        uint32_t number;
        ok(sorter_next(&sorter, &record));
        memcpy(&number, record.payload, sizeof(number));
        assert_int_equal(number, COUNT - 1 - i);
    }
    sorter_deinit(&sorter);
    free(key);
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
        cmocka_unit_test(keys_of_every_kind_are_sorted),
        cmocka_unit_test(a_bounded_sort_gives_the_first),
        cmocka_unit_test(long_keys_need_no_stack),
    };
    return cmocka_run_group_tests(tests, settings_up, NULL);
}
