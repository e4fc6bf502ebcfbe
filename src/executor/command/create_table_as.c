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

/* Plan and parameters of the query, which may have been prepared. */
static bool query_plan(CommandContext *context, const Node *query,
                       const PlannedStatement **ret_planned, ExecParameters *ret_parameters)
{
    if (NODE_IS(query, ExecuteStmt)) {
        TRY(context->hooks->prepared_plan(context->hooks->context, NODE_CAST(ExecuteStmt, query),
                                          ret_planned, ret_parameters));
        if (!*ret_planned || (*ret_planned)->command != QUERY_SELECT)
            FAIL(ERR_WRONG_OBJECT_TYPE, .message = STR("prepared statement is not a SELECT"));
        return true;
    }
    TRY(*ret_planned = command_plan(context, query, context->source, &(PlanOptions){0}, NULL));
    if (context->parameters)
        *ret_parameters = *context->parameters;
    return true;
}

bool create_table_as_execute(CommandContext *context, const CreateTableAsStmt *statement,
                             Str *ret_tag)
{
    CatalogSession *session = &context->session->catalog;
    const PlannedStatement *planned;
    ExecParameters parameters = {0};
    ResultColumn *columns;
    uint32_t count;
    uint64_t rows = 0;
    Oid oid;

    if (statement->object_type == OBJECT_MATVIEW)
        FAIL_UNSUPPORTED("CREATE MATERIALIZED VIEW");
    TRY(query_plan(context, statement->query, &planned, &parameters));
    TRY(result_columns(context, planned, statement->into, &columns, &count));
    CLEANUP(executor_freep) ExecState *state = executor_new(planned, context->session);
    TRY(state);
    TRY(ddl_create_table_for_query(context, statement->into, statement->if_not_exists, columns,
                                   count, &oid));
    const bool was_prepared = NODE_IS(statement->query, ExecuteStmt);
    *ret_tag = oid && was_prepared ? STR("SELECT 0") : STR("CREATE TABLE AS");
    if (!oid || statement->into->skip_data)
        return true;
    const RelationDesc *relation = relation_get(session, oid);
    TRY(relation);
    TRY(executor_start(state, &(ExecRequest){.parameters = &parameters}));
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
