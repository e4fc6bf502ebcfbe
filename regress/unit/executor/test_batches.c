/* An expression gives a row the same value in a batch of many as alone, nulls and all. */
#include "executor_fixture.h"

static SqlClient *sql;

static int open_tables(void **state)
{
    if (executor_fixture_setup(state) != 0)
        return -1;
    sql = sql_open_table(
        "INSERT INTO t SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE (i * 31 % 97)::text END "
        "FROM generate_series(1, 2100) i");
    return 0;
}

static int close_tables(void **state)
{
    sql_close(sql);
    return fixture_teardown(state);
}

static Str line_at(Str text, uint32_t number)
{
    size_t start = 0;
    for (uint32_t i = 0; i < number; i++)
        start = str_find_char(text, '\n', start) + 1;
    return str_slice(text, start, str_find_char(text, '\n', start) - start + 1);
}

static void a_batch_gives_what_a_row_alone_gives(void **state)
{
    static const char *const exprs[] = {
        "note IS NULL, note IS NOT NULL, coalesce(note, 'none'), nullif(note, '31')",
        "note::int + id, id - note::int * 2, -note::int, note::int % 7",
        "note::int > 40 AND id % 2 = 0, note::int > 40 OR id % 2 = 0, NOT (note::int > 40)",
        "CASE WHEN note IS NULL THEN -1 WHEN note::int > 50 THEN id / (note::int - 50) ELSE 0 END",
        "note = '62', note <> '62', note < '5', note IS DISTINCT FROM NULL, note IN ('1', '31', "
        "NULL)",
        "greatest(note::int, id, 50), least(note, 'a'), note || ':' || id, length(note), "
        "upper(note)",
        "ARRAY[note::int, id], (ARRAY[note, 'x'])[1], note LIKE '3%', note::numeric / 7, "
        "note::int = ANY (ARRAY[31, 62, id])",
        "(SELECT count(*) FROM t u WHERE u.id <= t.id % 5 AND u.note IS NOT NULL)",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(exprs); i++) {
        char text[600];
        snprintf(text, sizeof(text), "SELECT %s FROM t ORDER BY id", exprs[i]);
        const SqlResult all = sql_run(sql, text);
        assert_int_equal(all.rows, 2100);
        for (uint32_t id = 1; id <= 2100; id += 83) {
            snprintf(text, sizeof(text), "SELECT %s FROM t WHERE id = %u", exprs[i], id);
            const SqlResult one = sql_run(sql, text);
            assert_int_equal(one.rows, 1);
            assert_true(str_equal(one.text, line_at(all.text, id - 1)));
        }
    }
}

static void a_filter_keeps_the_rows_that_are_true(void **state)
{
    static const char *const conditions[] = {
        "note::int > 40",
        "note IS NULL OR id % 5 = 0",
        "NOT (note::int BETWEEN 10 AND 60)",
        "note IN ('1', '2', '31')",
        "note NOT IN ('1', '2', '31')",
        "id % 1025 < 3",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(conditions); i++) {
        char text[400];
        snprintf(text, sizeof(text),
                 "SELECT count(*) FILTER (WHERE %s) + count(*) FILTER (WHERE NOT (%s)) + "
                 "count(*) FILTER (WHERE (%s) IS NULL) FROM t",
                 conditions[i], conditions[i], conditions[i]);
        assert_true(str_equal(sql_run(sql, text).text, STR("2100\n")));
        snprintf(text, sizeof(text), "SELECT count(*) FROM t WHERE %s", conditions[i]);
        const SqlResult kept = sql_run(sql, text);
        snprintf(text, sizeof(text), "SELECT count(*) FILTER (WHERE %s) FROM t", conditions[i]);
        assert_true(str_equal(kept.text, sql_run(sql, text).text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_gives_what_a_row_alone_gives),
        cmocka_unit_test(a_filter_keeps_the_rows_that_are_true),
    };
    return cmocka_run_group_tests(tests, open_tables, close_tables);
}
