#include "executor/command/maintain.h"

#include "catalog/define.h"
#include "catalog/lookup.h"
#include "catalog/relation.h"
#include "executor/command/ddl_internal.h"
#include "executor/usage.h"
#include "parser/parser.h"
#include "planner/analyze.h"
#include "planner/planner.h"
#include "planner/statistics.h"

enum { SAMPLE_PER_TARGET = 300 };

/* ---- a query of our own ---- */

typedef bool BatchFunction(void *context, const Batch *batch);

static bool run_sql(CommandContext *context, Str sql, BatchFunction *function, void *argument)
{
    StatementList list = {0};
    AnalyzeContext analysis = {
        .arena = context->arena, .session = &context->session->catalog, .source = sql};
    Batch *batch;
    TRY(parse(context->arena, sql, &list));
    Query *query = analyze_statement(&analysis, list.items[0]->stmt);
    TRY(query);
    PlannedStatement *planned =
        planner_plan(context->arena, &context->session->catalog, query, &(PlanOptions){0});
    TRY(planned);
    CLEANUP(executor_freep) ExecState *state = executor_new(planned, context->session);
    TRY(state);
    TRY(executor_start(state, &(ExecRequest){0}));
    do {
        TRY(executor_next(state, &batch));
        TRY(!batch || function(argument, batch));
    } while (batch);
    executor_stop(state);
    return true;
}

/* ---- sampling ---- */

typedef struct Sample {
    const RelationDesc *relation;
    StatisticsCollector **collectors;
    int *attnums;
    int count;
    uint64_t rows, stride;
} Sample;

static bool count_rows(void *context, const Batch *batch)
{
    Sample *sample = context;
    sample->rows += batch->selection.count;
    return true;
}

/* Every stride-th row: the same table gives the same sample. */
static bool add_rows(void *context, const Batch *batch)
{
    Sample *sample = context;
    uint16_t rows[VECTOR_SIZE];
    uint32_t count = 0;
    for (uint32_t i = 0; i < batch->selection.count; i++)
        if (sample->rows++ % sample->stride == 0)
            rows[count++] = (uint16_t)selection_row(batch->selection, i);
    for (int c = 0; count > 0 && c < sample->count; c++)
        TRY(statistics_add(sample->collectors[c], batch->columns[c],
                           (Selection){.rows = rows, .count = count}));
    return true;
}

static bool is_wanted(const StrVec *columns, Str name)
{
    for (size_t i = 0; i < columns->length; i++)
        if (str_equal(columns->items[i], name))
            return true;
    return columns->length == 0;
}

static bool check_columns(const RelationDesc *relation, const StrVec *columns)
{
    for (size_t i = 0; i < columns->length; i++)
        if (!relation_column(relation, columns->items[i]))
            FAIL(ERR_UNDEFINED_COLUMN,
                 .message = fmt("column \"%.*s\" of relation \"%.*s\" does not exist",
                                STR_ARGS(columns->items[i]), STR_ARGS(relation->name)));
    return true;
}

static bool analyze_relation(CommandContext *context, Oid oid, const StrVec *columns)
{
    Arena *arena = context->arena;
    CatalogSession *session = &context->session->catalog;
    const RelationDesc *relation = relation_get(session, oid);
    StrBuf select = strbuf_in(arena), count = strbuf_in(arena);
    Sample sample = {.stride = 1};
    int target = STATISTICS_DEFAULT_TARGET;

    TRY(relation);
    TRY(check_columns(relation, columns));
    sample.collectors = ARENA_ARRAY(arena, StatisticsCollector *, relation->column_count + 1);
    sample.attnums = ARENA_ARRAY(arena, int, relation->column_count + 1);
    const Str table = quote_qualified_identifier(arena, relation->namespace_name, relation->name);
    strbuf_format(&count, "SELECT 1 FROM ONLY %.*s", STR_ARGS(table));
    TRY(run_sql(context, strbuf_view(&count), count_rows, &sample));
    const uint64_t total = sample.rows;
    strbuf_append_c(&select, "SELECT ");
    for (int i = 0; i < relation->column_count; i++) {
        const ColumnDesc *column = &relation->columns[i];
        if (column->dropped || !is_wanted(columns, column->name) || column->statistics_target == 0)
            continue;
        const int own =
            column->statistics_target > 0 ? column->statistics_target : STATISTICS_DEFAULT_TARGET;
        target = MAX(target, own);
        strbuf_format(&select, "%s%.*s", sample.count ? ", " : "",
                      STR_ARGS(quote_identifier(arena, column->name)));
        sample.attnums[sample.count] = column->attnum;
        sample.collectors[sample.count++] = statistics_new(arena, column->type, own, (double)total);
    }
    if (sample.count > 0 && total > 0) {
        strbuf_format(&select, " FROM ONLY %.*s", STR_ARGS(table));
        sample.stride = MAX(1, total / ((uint64_t)target * SAMPLE_PER_TARGET));
        sample.rows = 0;
        TRY(run_sql(context, strbuf_view(&select), add_rows, &sample));
    }
    ColumnStatistics *statistics = ARENA_ARRAY(arena, ColumnStatistics, sample.count + 1);
    double width = 24;
    for (int c = 0; c < sample.count; c++) {
        TRY(statistics_finish(sample.collectors[c], sample.attnums[c], &statistics[c]));
        width += statistics[c].average_width;
    }
    if (total > 0)
        TRY(define_statistics(session, relation, statistics, (uint32_t)sample.count));
    const double pages = (double)total * width / (16 * 1024 - 128);
    TRY(define_relation_size(session, oid, (double)total, (int32_t)(pages + 1)));
    usage_analyzed(context->session, oid);
    return true;
}

/* ---- which tables ---- */

typedef struct TableList {
    Arena *arena;
    OidVec oids;
} TableList;

static bool add_tables(void *context, const Batch *batch)
{
    TableList *list = context;
    FOR_SELECTED (batch->selection, row) {
        Value value;
        bool is_null;
        vector_get(batch->columns[0], row, &value, &is_null);
        VEC_PUSH(list->arena, &list->oids, value.oid);
    }
    return true;
}

static bool wants_analyze(const VacuumStmt *statement, bool *ret)
{
    *ret = !statement->is_vacuum;
    for (size_t i = 0; i < statement->options.length; i++) {
        const DefElem *option = statement->options.items[i];
        static const char *const known[] = {"analyze",       "verbose",
                                            "full",          "freeze",
                                            "skip_locked",   "disable_page_skipping",
                                            "index_cleanup", "process_toast",
                                            "truncate",      "parallel"};
        bool is_known = false;
        for (size_t k = 0; k < ARRAY_LENGTH(known); k++)
            is_known |= str_equal(option->name, str_from_c(known[k]));
        if (!is_known)
            FAIL(ERR_SYNTAX_ERROR,
                 .message =
                     fmt("unrecognized %s option \"%.*s\"",
                         statement->is_vacuum ? "VACUUM" : "ANALYZE", STR_ARGS(option->name)),
                 .position = option->node.position);
        if (!str_equal(option->name, STR("analyze")))
            continue;
        const A_Const *constant =
            NODE_IS(option->arg, A_Const) ? NODE_CAST(A_Const, option->arg) : NULL;
        *ret = !constant ||
               !(constant->kind == CONST_BOOLEAN ? !constant->boolean
                                                 : str_equal_nocase(constant->text, STR("false")));
    }
    return true;
}

/* Others than the owners of the table or the database are told and passed over. */
static bool may_maintain(CommandContext *context, const RelationDesc *relation, bool is_vacuum,
                         bool *ret_may)
{
    CatalogSession *session = ddl_catalog(context);
    const Oid user = session->current_user;
    const char *who = relation->is_shared ? "superuser"
                      : relation->namespace_oid == NAMESPACE_PG_CATALOG
                          ? "superuser or database owner"
                          : "table or database owner";

    *ret_may = privilege_is_owner(session, ON_TABLE, relation->oid, user) ||
               (!relation->is_shared &&
                privilege_is_owner(session, ON_DATABASE, session->database_oid, user));
    TRY(!error_is_set());
    if (!*ret_may)
        NOTICE(SEVERITY_WARNING, ERR_WARNING,
               .message = fmt("skipping \"%.*s\" --- only %s can %s it", STR_ARGS(relation->name),
                              who, is_vacuum ? "vacuum" : "analyze"));
    return true;
}

static bool one_relation(CommandContext *context, const VacuumRelation *target, bool is_vacuum,
                         bool analyzes)
{
    const RelationDesc *relation =
        ddl_open_relation(context, target->relation, LOCK_ACCESS_SHARE, false, false);
    bool may;
    TRY(relation);
    TRY(may_maintain(context, relation, is_vacuum, &may));
    if (!may)
        return true;
    TRY(ddl_lock(context, relation->oid, LOCK_SHARE_UPDATE_EXCLUSIVE, relation->name));
    TRY(relation = relation_get(ddl_catalog(context), relation->oid));
    if (relation->kind != RELKIND_TABLE) {
        NOTICE(SEVERITY_WARNING, ERR_WARNING,
               .message = fmt("skipping \"%.*s\" --- cannot %s non-tables or special system tables",
                              STR_ARGS(relation->name), is_vacuum ? "vacuum" : "analyze"));
        return true;
    }
    if (is_vacuum)
        usage_vacuumed(context->session, relation->oid);
    return !analyzes || analyze_relation(context, relation->oid, &target->va_cols);
}

bool vacuum_execute(CommandContext *context, const VacuumStmt *statement, Str *ret_tag)
{
    bool analyzes;
    *ret_tag = statement->is_vacuum ? STR("VACUUM") : STR("ANALYZE");
    TRY(wants_analyze(statement, &analyzes));
    if (statement->is_vacuum && !context->is_top_level)
        FAIL(ERR_ACTIVE_SQL_TRANSACTION,
             .message = STR("VACUUM cannot run inside a transaction block"));
    for (size_t i = 0; i < statement->rels.length; i++)
        TRY(one_relation(context, statement->rels.items[i], statement->is_vacuum, analyzes));
    if (statement->rels.length > 0)
        return true;
    TableList list = {.arena = context->arena};
    const StrVec all = {0};
    TRY(run_sql(context,
                STR("SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'r' AND oid >= 16384 AND "
                    "pg_catalog.pg_has_role(relowner, 'USAGE')"),
                add_tables, &list));
    for (size_t i = 0; i < list.oids.length; i++) {
        if (statement->is_vacuum)
            usage_vacuumed(context->session, list.oids.items[i]);
        if (analyzes)
            TRY(analyze_relation(context, list.oids.items[i], &all));
    }
    return true;
}
