#include "executor/command/maintain.h"

#include "executor/command/ddl_internal.h"
#include "executor/modify.h"
#include "planner/planner.h"
#include "types/type.h"

/* What the query's rows look like as a table's columns. */
static bool result_columns(CommandContext *context, const PlannedStatement *planned,
                           const IntoClause *into, ResultColumn **ret_columns, uint32_t *ret_count)
{
    const size_t count = planned->result.length;
    ResultColumn *columns = ARENA_ARRAY(context->arena, ResultColumn, count + 1);
    if (into->colnames.length > count)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("too many column names were specified"));
    for (size_t i = 0; i < count; i++) {
        const TargetEntry *target = &planned->result.items[i];
        columns[i] = (ResultColumn){.name = i < into->colnames.length ? into->colnames.items[i]
                                                                      : target->name,
                                    .type = target->expr->type,
                                    .type_modifier = target->expr->typmod,
                                    .collation = target->expr->collation,
                                    .phys = type_phys(target->expr->type)};
    }
    *ret_columns = columns;
    *ret_count = (uint32_t)count;
    return true;
}

static bool fill_table(CommandContext *context, ExecState *state, const RelationDesc *relation,
                       uint32_t column_count, uint64_t *ret_rows)
{
    TableWriter *writer = table_writer_new(context->session, relation, NULL, 0);
    Batch *batch;
    bool ok = writer != NULL;
    while (ok) {
        ok = executor_next(state, &batch);
        if (!ok || !batch)
            break;
        /* Further columns are the executor's own. */
        Batch visible = *batch;
        visible.column_count = column_count;
        *ret_rows += batch->selection.count;
        ok = table_writer_insert(writer, &visible);
    }
    ok = ok && table_writer_finish(writer);
    table_writer_free(writer);
    return ok;
}

bool create_table_as_execute(CommandContext *context, const CreateTableAsStmt *statement,
                             Str *ret_tag)
{
    CatalogSession *session = &context->session->catalog;
    AnalyzeParams params = command_params(context);
    AnalyzeContext analysis = {
        .arena = context->arena, .session = session, .source = context->source, .params = &params};
    ResultColumn *columns;
    uint32_t count;
    uint64_t rows = 0;
    Oid oid;

    if (NODE_IS(statement->query, ExecuteStmt))
        FAIL_UNSUPPORTED("CREATE TABLE AS EXECUTE");
    Query *query = analyze_statement(&analysis, statement->query);
    TRY(query);
    PlannedStatement *planned = planner_plan(context->arena, session, query, &(PlanOptions){0});
    TRY(planned);
    TRY(result_columns(context, planned, statement->into, &columns, &count));
    CLEANUP(executor_freep) ExecState *state = executor_new(planned, context->session);
    TRY(state);
    TRY(ddl_create_table_for_query(context, statement->into, statement->if_not_exists, columns,
                                   count, &oid));
    *ret_tag = STR("CREATE TABLE AS");
    if (!oid || statement->into->skip_data)
        return true;
    const RelationDesc *relation = relation_get(session, oid);
    TRY(relation);
    TRY(executor_start(state, &(ExecRequest){.parameters = context->parameters}));
    const bool ok = fill_table(context, state, relation, count, &rows);
    executor_stop(state);
    *ret_tag = str_format(context->arena, "SELECT %lu", (unsigned long)rows);
    return ok;
}

bool select_into_execute(CommandContext *context, const SelectStmt *statement, Str *ret_tag)
{
    AnalyzeParams params = command_params(context);
    AnalyzeContext analysis = {.arena = context->arena,
                               .session = &context->session->catalog,
                               .source = context->source,
                               .params = &params};
    const Query *query = analyze_statement(&analysis, &statement->node);
    TRY(query);
    if (query->command != QUERY_UTILITY || !NODE_IS(query->utility, CreateTableAsStmt))
        FAIL_UNSUPPORTED("this form of SELECT INTO");
    return create_table_as_execute(context, NODE_CAST(CreateTableAsStmt, query->utility), ret_tag);
}
