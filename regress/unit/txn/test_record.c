/* Lists of operations: what is written is read, what is cut off or changed is not believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/hash.h"
#include "txn/record.h"

#define DATABASE ((DatabaseId)5)
#define OPS 4000u

static uint64_t drawn;

static uint32_t draw_below(uint32_t limit)
{
    return (uint32_t)(hash_mix64(++drawn) % limit);
}

static StrBuf list_begin(void)
{
    StrBuf buf = {0};

    strbuf_append_char(&buf, RECORD_FRAGMENT);
    record_put_varint(&buf, 7);
    return buf;
}

/* A key in the manner of those that follow each other, and now and then any other, long ones, too;
 * its row id is near that of the one before or far from it. */
static Str draw_entry(Arena *arena, uint32_t number)
{
    static const uint64_t steps[] = {1, 2, (uint64_t)-1, 1u << 20, 1ull << 62, (uint64_t)-3};
    static uint64_t id;
    const uint32_t length = draw_below(5) > 0   ? 12
                            : draw_below(3) > 0 ? draw_below(RECORD_ENTRY_MAX + 8)
                                                : draw_below(TREE_MAX_KEY - 8);
    char *bytes = arena_alloc(arena, length + sizeof(id));

    id += steps[draw_below(ARRAY_LENGTH(steps))];
    const uint64_t id_bytes = __builtin_bswap64(id);
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (char)(i + 4 < length || i < 4 ? 'k' : number >> 8 * (length - 1 - i));
    memcpy(bytes + length, &id_bytes, sizeof(id_bytes));
    return str_make(bytes, length + sizeof(id));
}

static Op draw_op(Arena *arena, uint32_t number)
{
    Op op = {.code = OP_PUT_ENTRY, .database = DATABASE, .tree = 100 + draw_below(2)};

    switch (draw_below(12)) {
    case 0:
        op.code = OP_DELETE_ENTRY;
        break;
    case 1:
        op.code = OP_PUT_ROW;
        op.row_id = number;
        op.value = STR("image");
        return op;
    case 2:
        op.code = OP_PUT_PAIR;
        op.value = STR("value");
        break;
    default:
        break;
    }
    op.key = draw_entry(arena, number);
    return op;
}

static void assert_same_op(const Op *a, const Op *b)
{
    assert_int_equal(a->code, b->code);
    assert_int_equal(a->database, b->database);
    assert_int_equal(a->tree, b->tree);
    assert_int_equal(a->row_id, b->row_id);
    assert_true(str_equal(a->key, b->key));
    assert_true(str_equal(a->value, b->value));
}

static void what_is_written_is_read(void **state)
{
    Arena *arena = arena_new("ops");
    Op *ops = arena_alloc(arena, OPS * sizeof(Op)), op;
    StrBuf buf = list_begin();
    RecordList list = {0};
    RecordReader reader;

    (void)state;
    for (uint32_t i = 0; i < OPS; i++) {
        ops[i] = draw_op(arena, i);
        record_put_op(&buf, &list, &ops[i]);
    }
    assert_true(record_open(&reader, strbuf_view(&buf)));
    for (uint32_t i = 0; i < OPS; i++) {
        assert_int_equal(record_next(&reader, &op), OP_READ);
        assert_same_op(&op, &ops[i]);
    }
    assert_int_equal(record_next(&reader, &op), OP_READ_END);
    strbuf_deinit(&buf);
    arena_free(arena);
}

static void entries_in_order_take_few_bytes(void **state)
{
    StrBuf buf = list_begin();
    RecordList list = {0};

    (void)state;
    for (uint64_t i = 1; i <= OPS; i++) {
        const uint64_t entry[2] = {__builtin_bswap64(i), __builtin_bswap64(i + 1000000)};
        record_put_op(&buf, &list,
                      &(Op){.code = OP_PUT_ENTRY,
                            .database = DATABASE,
                            .tree = 100,
                            .key = str_make((const char *)entry, sizeof(entry))});
    }
    assert_true(buf.length < OPS * 6);
    strbuf_deinit(&buf);
}

/* A list may be read to its end, or not: nothing beyond its bytes is, and no key is too long. */
static void read_all(Str bytes)
{
    RecordReader reader;
    OpRead outcome;
    Op op;

    if (!record_open(&reader, bytes)) {
        error_clear();
        return;
    }
    while ((outcome = record_next(&reader, &op)) == OP_READ)
        assert_true(op.key.length <= bytes.length + RECORD_ENTRY_MAX);
    assert_int_equal(outcome == OP_READ_FAILED, error_is_set());
    if (outcome == OP_READ_FAILED)
        assert_int_equal(error_fields()->sqlstate, ERR_DATA_CORRUPTED);
    error_clear();
}

static void damaged_lists_are_read_or_refused(void **state)
{
    Arena *arena = arena_new("ops");
    StrBuf buf = list_begin();
    RecordList list = {0};

    (void)state;
    for (uint32_t i = 0; i < 60; i++) {
        const Op op = draw_op(arena, i);
        record_put_op(&buf, &list, &op);
    }
    for (size_t length = 0; length < buf.length; length++) {
        char *cut = arena_alloc(arena, length + 1); /* so that what lies behind is not to be read */
        memcpy(cut + 1, strbuf_view(&buf).data, length);
        read_all(str_make(cut + 1, length));
    }
    for (uint32_t round = 0; round < 20000; round++) {
        Arena *scratch = arena_new("damaged");
        char *copy = arena_alloc(scratch, buf.length);
        memcpy(copy, strbuf_view(&buf).data, buf.length);
        copy[draw_below((uint32_t)buf.length)] = (char)draw_below(256);
        read_all(str_make(copy, buf.length));
        arena_free(scratch);
    }
    strbuf_deinit(&buf);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(entries_in_order_take_few_bytes),
        cmocka_unit_test(damaged_lists_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
