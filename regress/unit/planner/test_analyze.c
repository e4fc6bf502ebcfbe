/* Statements of analyze.cases answer as PostgreSQL answered when analyze.txt was recorded. */
#include "../catalog/catalog_fixture.h"

#include <string.h>

#include "parser/parser.h"
#include "planner/analyze.h"
#include "planner/deparse.h"
#include "planner/explain.h"
#include "planner/planner.h"

static Str unescape(Arena *arena, Str text)
{
    StrBuf buf = strbuf_in(arena);
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '\\' && i + 1 < text.length) {
            c = text.data[++i];
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
        strbuf_append_char(&buf, c);
    }
    return strbuf_view(&buf);
}

static Str error_text(Arena *arena)
{
    const ErrorFields *error = error_fields();
    StrBuf buf = strbuf_in(arena);
    strbuf_format(&buf, "%s|", sqlstate_text(error->sqlstate).text);
    if (error->position)
        strbuf_format(&buf, "%d", error->position);
    strbuf_format(&buf, "|%.*s|", STR_ARGS(error->message));
    if (error->detail.length)
        strbuf_append(&buf, error->detail);
    strbuf_append_char(&buf, '|');
    if (error->hint.length)
        strbuf_append(&buf, error->hint);
    error_clear();
    return strbuf_view(&buf);
}

typedef struct Answer {
    const char *kind;
    Str text;
} Answer;

static Query *analyze(Arena *arena, CatalogSession *session, Str sql, AnalyzeParams *params)
{
    StatementList statements = {0};
    TRY(parse(arena, sql, &statements));
    AnalyzeContext context = {.arena = arena, .session = session, .source = sql, .params = params};
    return analyze_statement(&context, &statements.items[0]->node);
}

static Answer describe(Arena *arena, CatalogSession *session, Str sql)
{
    AnalyzeParams params = {.is_variable = true};
    Query *query = analyze(arena, session, sql, &params);
    if (!query)
        return (Answer){"error", error_text(arena)};
    StrBuf buf = strbuf_in(arena);
    for (int i = 0; i < params.count; i++)
        strbuf_format(&buf, "%s%u", i ? "," : "", params.types[i]);
    strbuf_append_char(&buf, ';');
    const TargetVec *targets = query_result(query);
    bool first = true;
    for (size_t i = 0; i < targets->length; i++) {
        const TargetEntry *target = &targets->items[i];
        if (target->is_junk)
            continue;
        strbuf_format(&buf, "%s%.*s:%u:%d", first ? "" : ",", STR_ARGS(target->name),
                      target->expr->type, target->expr->typmod);
        first = false;
    }
    /* What can be analyzed can be planned, and its plan be explained. */
    PlannedStatement *planned = planner_plan(arena, session, query, &(PlanOptions){0});
    if (!planned)
        return (Answer){"plan", error_text(arena)};
    if (planned->plan) {
        ExplainLines lines = {0};
        const ExplainOptions options = {.costs = true, .verbose = true};
        ok(explain_plan(arena, session, planned, &options, &lines));
        if (getenv("PLANNER_SHOW"))
            for (size_t i = 0; i < lines.length; i++)
                printf("    %.*s\n", STR_ARGS(lines.items[i]));
    }
    return (Answer){"ok", strbuf_view(&buf)};
}

static Answer deparse(Arena *arena, CatalogSession *session, Str sql, bool pretty)
{
    Query *query = analyze(arena, session, sql, NULL);
    Str text;
    if (!query ||
        !deparse_query(arena, session, query, pretty ? DEPARSE_PRETTY : DEPARSE_PLAIN, &text))
        return (Answer){"error", error_text(arena)};
    return (Answer){pretty ? "pretty" : "view", text};
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    text[size] = 0;
    fclose(file);
    return text;
}

static void statements_are_analyzed_as_recorded(void **state)
{
    char *text = read_file(getenv("PLANNER_CASES"));
    Client *client = client_open();
    int failures = 0, total = 0;

    client_begin(client);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        Arena *arena = arena_new("case");
        const Str whole = str_from_c(line);
        const size_t a = str_find_char(whole, '\t', 0), b = str_find_char(whole, '\t', a + 1);
        const Str kind = str_slice(whole, 0, a);
        const Str sql = unescape(arena, str_slice(whole, a + 1, b - a - 1));
        const Str expected = unescape(arena, str_slice(whole, b + 1, whole.length));
        if (getenv("PLANNER_SHOW"))
            printf("%.*s\n", STR_ARGS(sql));
        const bool is_view = str_equal(kind, STR("view")),
                   is_pretty = str_equal(kind, STR("pretty"));
        const Answer answer = is_view || is_pretty
                                  ? deparse(arena, &client->session, sql, is_pretty)
                                  : describe(arena, &client->session, sql);
        total++;
        if (!str_equal(kind, str_from_c(answer.kind)) || !str_equal(expected, answer.text)) {
            failures++;
            printf("%.*s\n  expected %.*s %.*s\n  got      %s %.*s\n", STR_ARGS(sql),
                   STR_ARGS(kind), STR_ARGS(expected), answer.kind, STR_ARGS(answer.text));
        }
        arena_free(arena);
    }
    client_rollback(client);
    client_close(client);
    free(text);
    printf("%d of %d statements differ\n", failures, total);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_analyzed_as_recorded),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
