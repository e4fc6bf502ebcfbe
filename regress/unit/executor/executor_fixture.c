#include "executor_fixture.h"

#include "executor/node.h"
#include "parser/parser.h"
#include "planner/analyze.h"
#include "planner/planner.h"
#include "types/type.h"

int executor_fixture_setup(void **state)
{
    executor_init();
    return fixture_setup(state);
}

static SqlClient *sql_open(void)
{
    SqlClient *sql = calloc(1, sizeof(*sql));
    sql->client = client_open();
    client_begin(sql->client);
    sql->arena = arena_new("sql");
    sql->session.catalog = sql->client->session;
    sql->session.temporary_directory = STR("/tmp");
    task_current()->session = &sql->session;
    return sql;
}

SqlClient *sql_open_table(const char *insert)
{
    SqlClient *sql = sql_open();
    client_create_table(sql->client, "t");
    sql->session.catalog = sql->client->session;
    sql_run(sql, insert);
    return sql;
}

void sql_close(SqlClient *sql)
{
    executor_session_deinit(&sql->session);
    sql->client->session = sql->session.catalog;
    client_rollback(sql->client);
    client_close(sql->client);
    arena_free(sql->arena);
    free(sql);
}

void work_mem_set(int kilobytes)
{
    settings_default.work_mem = kilobytes;
}

static void append_row(StrBuf *out, const RowDescription *rows, const Batch *batch, uint32_t row)
{
    for (uint32_t c = 0; c < rows->count; c++) {
        Value value;
        bool is_null;
        vector_get(batch->columns[c], row, &value, &is_null);
        if (c > 0)
            strbuf_append_char(out, '|');
        if (is_null)
            strbuf_append_char(out, '~');
        else
            ok(type_output(rows->columns[c].type, &value, out));
    }
    strbuf_append_char(out, '\n');
}

SqlResult sql_run(SqlClient *sql, const char *text)
{
    Arena *arena = sql->arena;
    CatalogSession *session = &sql->session.catalog;
    const Str source = str_from_c(text);
    StatementList statements = {0};
    SqlResult result = {0};
    StrBuf out = strbuf_in(arena);

    ok(parse(arena, source, &statements));
    AnalyzeContext context = {.arena = arena, .session = session, .source = source};
    Query *query = analyze_statement(&context, &statements.items[0]->node);
    ok(query != NULL);
    PlannedStatement *plan = planner_plan(arena, session, query, &(PlanOptions){0});
    ok(plan != NULL);
    ok(txn_statement_begin(session->txn));
    ExecState *state = executor_new(plan, &sql->session);
    ok(state != NULL);
    ok(executor_start(state, &(ExecRequest){0}));
    for (;;) {
        Batch *batch;
        ok(executor_next(state, &batch));
        if (!batch)
            break;
        assert_true(batch->selection.count > 0);
        FOR_SELECTED (batch->selection, row)
            append_row(&out, executor_description(state), batch, row);
        result.rows += batch->selection.count;
    }
    result.spilled = state->spills.written_bytes;
    executor_stop(state);
    assert_null(state->spills.files);
    executor_free(state);
    result.text = strbuf_view(&out);
    return result;
}
