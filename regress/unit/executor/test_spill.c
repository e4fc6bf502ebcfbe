/* Whatever outgrows work_mem gives the same rows as in memory. */
#include "executor_fixture.h"

static SqlClient *sql;

static int open_tables(void **state)
{
    if (executor_fixture_setup(state) != 0)
        return -1;
    sql = sql_open_table(
        "INSERT INTO t SELECT i, CASE WHEN i % 9 = 0 THEN NULL ELSE 'note ' || i * 7919 % 3001 "
        "END FROM generate_series(1, 12000) i");
    return 0;
}

static int close_tables(void **state)
{
    sql_close(sql);
    return fixture_teardown(state);
}

/* Runs it with plenty and with hardly any memory. `must_spill`: the second really goes to disk. */
static void same_either_way(const char *text, bool must_spill)
{
    work_mem_set(256 * 1024);
    const SqlResult wide = sql_run(sql, text);
    work_mem_set(64);
    const SqlResult narrow = sql_run(sql, text);
    work_mem_set(4096);
    assert_int_equal(wide.spilled, 0);
    if (must_spill)
        assert_true(narrow.spilled > 0);
    assert_true(wide.rows > 0);
    assert_int_equal(wide.rows, narrow.rows);
    assert_true(str_equal(wide.text, narrow.text));
}

static void a_sort_keeps_its_order(void **state)
{
    same_either_way("SELECT id, note FROM t ORDER BY note, id DESC", true);
    same_either_way("SELECT id, note FROM t ORDER BY note DESC NULLS LAST, id", true);
}

static void groups_are_found_again(void **state)
{
    same_either_way(
        "SELECT * FROM (SELECT note, count(*), sum(id), min(id) FROM t GROUP BY note) q "
        "ORDER BY 1",
        true);
    same_either_way("SELECT * FROM (SELECT note, id % 100 AS k, count(*) FROM t "
                    "GROUP BY CUBE (note, id % 100)) q ORDER BY 1, 2, 3",
                    true);
    same_either_way("SELECT * FROM (SELECT DISTINCT note, id % 5 FROM t) q ORDER BY 1, 2", true);
}

static void ordered_arguments_stay_in_order(void **state)
{
    same_either_way("SELECT id % 3, md5(string_agg(note, ',' ORDER BY note, id DESC)), "
                    "count(DISTINCT note) FROM t GROUP BY 1 ORDER BY 1",
                    true);
    same_either_way("SELECT percentile_disc(0.3) WITHIN GROUP (ORDER BY note), "
                    "mode() WITHIN GROUP (ORDER BY note DESC) FROM t",
                    true);
}

static void joins_find_every_partner(void **state)
{
    static const char *const kinds[] = {"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        char text[512];
        snprintf(text, sizeof(text),
                 "SELECT count(*), sum(a.id), sum(b.id), count(a.id), count(b.id) FROM "
                 "(SELECT * FROM t WHERE id %% 2 = 0) a %s (SELECT * FROM t WHERE id %% 3 = 0) b "
                 "ON a.note = b.note",
                 kinds[i]);
        same_either_way(text, true);
    }
    same_either_way("SELECT count(*), sum(id) FROM t a WHERE EXISTS "
                    "(SELECT 1 FROM t b WHERE b.note = a.note AND b.id > 6000)",
                    true);
    same_either_way("SELECT count(*), sum(id) FROM t a WHERE NOT EXISTS "
                    "(SELECT 1 FROM t b WHERE b.note = a.note AND b.id > 11000)",
                    false);
}

static void sets_count_every_row(void **state)
{
    static const char *const operations[] = {"INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL",
                                             "UNION"};
    for (size_t i = 0; i < ARRAY_LENGTH(operations); i++) {
        char text[512];
        snprintf(text, sizeof(text),
                 "SELECT * FROM (SELECT note, id %% 7 FROM t WHERE id < 9000 %s "
                 "SELECT note, id %% 7 FROM t WHERE id > 4000) q ORDER BY 1, 2",
                 operations[i]);
        same_either_way(text, true);
    }
}

static void windows_see_their_frames(void **state)
{
    same_either_way("SELECT id, lag(note, 5000) OVER w, sum(id) OVER (ORDER BY id ROWS 700 "
                    "PRECEDING), rank() OVER (ORDER BY note) FROM t WINDOW w AS (ORDER BY id) "
                    "ORDER BY id",
                    true);
    same_either_way("SELECT id, max(note) OVER (PARTITION BY id % 2 ORDER BY id ROWS BETWEEN 900 "
                    "PRECEDING AND 900 FOLLOWING EXCLUDE CURRENT ROW) FROM t ORDER BY id",
                    true);
}

static void recursion_reads_its_table(void **state)
{
    same_either_way("WITH RECURSIVE r(id, note, n) AS (SELECT id, note, 1 FROM t UNION ALL "
                    "SELECT id, note, n + 1 FROM r WHERE n < 3) "
                    "SELECT count(*), sum(id), sum(n), min(note) FROM r",
                    true);
    same_either_way("WITH w AS MATERIALIZED (SELECT * FROM t) SELECT count(*), sum(a.id) "
                    "FROM w a JOIN w b ON a.id = b.id + 1",
                    true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sort_keeps_its_order),
        cmocka_unit_test(groups_are_found_again),
        cmocka_unit_test(ordered_arguments_stay_in_order),
        cmocka_unit_test(joins_find_every_partner),
        cmocka_unit_test(sets_count_every_row),
        cmocka_unit_test(windows_see_their_frames),
        cmocka_unit_test(recursion_reads_its_table),
    };
    return cmocka_run_group_tests(tests, open_tables, close_tables);
}
