#include "executor/command/maintain.h"

#include <math.h>

#include "base/settings.h"
#include "catalog/define.h"
#include "catalog/lookup.h"
#include "catalog/relation.h"
#include "executor/command/ddl_internal.h"
#include "executor/usage.h"
#include "parser/parser.h"
#include "planner/analyze.h"
#include "planner/planner.h"
#include "planner/statistics.h"
#include "txn/index.h"
#include "types/identifier.h"
#include "types/key.h"

enum { SAMPLE_PER_TARGET = 300 };

/* ---- a query of our own ---- */

typedef bool BatchFunction(void *context, const Batch *batch);

static bool run_sql(CommandContext *context, Str sql, BatchFunction *function, void *argument)
{
    StatementList list = {0};
    AnalyzeContext analysis = {
        .arena = context->arena, .session = &context->session->catalog, .source = sql};
    Batch *batch;
    TRY(parse_stored(context->arena, sql, &list));
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

/* A column of the sample: a table's, an index's expression, or (no collector) its predicate. */
typedef struct SampleColumn {
    StatisticsCollector *collector;
    Oid holder;
    int attnum;
    uint64_t seen, passing; /* of a predicate */
} SampleColumn;

typedef struct Sample {
    VEC(SampleColumn) columns;
    StrBuf select; /* the statement that reads them */
    uint64_t rows, stride;
} Sample;

static bool count_rows(void *context, const Batch *batch)
{
    Sample *sample = context;
    sample->rows += batch->selection.count;
    return true;
}

/* One row of each stride, wherever in it: the same table gives the same sample. */
static bool is_sampled(const Sample *sample, uint64_t row)
{
    const uint64_t group = row / sample->stride;
    uint64_t mixed = (group + 1) * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    return row % sample->stride == (mixed >> 32) % sample->stride;
}

static void count_passing(SampleColumn *column, const Vector *vector, Selection selection)
{
    FOR_SELECTED (selection, row) {
        Value value;
        bool is_null;
        vector_get(vector, row, &value, &is_null);
        column->seen++;
        column->passing += !is_null && value.boolean;
    }
}

static bool add_rows(void *context, const Batch *batch)
{
    Sample *sample = context;
    uint16_t rows[VECTOR_SIZE];
    uint32_t count = 0;
    for (uint32_t i = 0; i < batch->selection.count; i++)
        if (is_sampled(sample, sample->rows++))
            rows[count++] = (uint16_t)selection_row(batch->selection, i);
    const Selection selection = {.rows = rows, .count = count};
    for (size_t c = 0; count > 0 && c < sample->columns.length; c++) {
        SampleColumn *column = &sample->columns.items[c];
        if (column->collector)
            TRY(statistics_add(column->collector, batch->columns[c], selection));
        else
            count_passing(column, batch->columns[c], selection);
    }
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
    for (size_t i = 0; i < columns->length; i++) {
        if (!relation_column(relation, columns->items[i]))
            FAIL(ERR_UNDEFINED_COLUMN,
                 .message = fmt("column \"%.*s\" of relation \"%.*s\" does not exist",
                                STR_ARGS(columns->items[i]), STR_ARGS(relation->name)));
        for (size_t before = 0; before < i; before++)
            if (str_equal(columns->items[before], columns->items[i]))
                FAIL(ERR_DUPLICATE_COLUMN,
                     .message = fmt("column \"%.*s\" of relation \"%.*s\" appears more than once",
                                    STR_ARGS(columns->items[i]), STR_ARGS(relation->name)));
    }
    return true;
}

/* ---- sizes, in pages of 8 KiB as PostgreSQL would fill them: what plans are weighed by ---- */

enum { PAGE_ROOM = 8192 - 24, TUPLE_HEADER = 24, LINE_POINTER = 4, INDEX_TUPLE_HEADER = 8 };
#define INDEX_FILL 0.9
#define POSTING_ROWS 220.0 /* of equal keys, in one entry */

static double align_up(double size, double unit)
{
    return ceil(size / unit) * unit;
}

static double column_width(CatalogSession *session, const RelationDesc *relation, int attnum)
{
    const ColumnDesc *column = relation_column_at(relation, attnum);
    const ColumnStatistics *known = relation_statistics(session, relation, attnum);
    if (!column || column->dropped)
        return 0;
    return column->type_length > 0 ? column->type_length : known ? known->average_width : 32;
}

static int32_t table_pages(CatalogSession *session, const RelationDesc *relation, double rows)
{
    double width = 0;
    for (int i = 0; i < relation->column_count; i++) {
        const ColumnDesc *column = &relation->columns[i];
        const double unit = column->type_length < 0     ? 1
                            : column->type_align == 'd' ? 8
                            : column->type_align == 'i' ? 4
                            : column->type_align == 's' ? 2
                                                        : 1;
        width = align_up(width, unit) + column_width(session, relation, column->attnum);
    }
    const double row = TUPLE_HEADER + align_up(width, 8) + LINE_POINTER;
    return (int32_t)ceil(rows / MAX(1, floor(PAGE_ROOM / row)));
}

/* Equal keys share an entry, where equal means the same bytes. */
static bool can_share(const IndexDesc *index)
{
    for (int c = 0; c < index->key_count; c++)
        if (!key_is_lossless(index->columns[c].type))
            return false;
    return !index->is_unique && index->column_count == index->key_count;
}

static int32_t index_pages(CatalogSession *session, const RelationDesc *relation,
                           const IndexDesc *index, double rows)
{
    const RelationDesc *holder = relation_find(session, index->oid);
    double width = 0, keys = 1;
    for (int c = 0; c < index->key_count; c++) {
        const int attnum = index->columns[c].attnum;
        const RelationDesc *of = attnum ? relation : holder;
        const ColumnStatistics *known =
            of ? relation_statistics(session, of, attnum ? attnum : c + 1) : NULL;
        width += attnum  ? column_width(session, relation, attnum)
                 : known ? known->average_width
                         : 8;
        const double distinct = !known                ? rows
                                : known->distinct < 0 ? -(double)known->distinct * rows
                                                      : known->distinct;
        keys *= MAX(1, distinct);
    }
    double entry = INDEX_TUPLE_HEADER + align_up(width, 8) + LINE_POINTER;
    const double same = rows / MIN(keys, MAX(1, rows));
    if (can_share(index) && same > 1.5)
        entry = 6 + entry / MIN(same, POSTING_ROWS);
    return (int32_t)MAX(rows > 0 ? 2 : 1, ceil(rows * entry / (PAGE_ROOM * INDEX_FILL)) + 1);
}

/* ---- one table ---- */

static void sample_add(Arena *arena, Sample *sample, Str text, SampleColumn column)
{
    strbuf_format(&sample->select, "%s%.*s", sample->columns.length ? ", " : "", STR_ARGS(text));
    VEC_PUSH(arena, &sample->columns, column);
}

/* What is read: the columns asked for, and what indexes have beside columns. */
static int sample_columns(Arena *arena, const RelationDesc *relation, const StrVec *columns,
                          double total, Sample *sample)
{
    int target = settings()->default_statistics_target;
    const int usual = target;
    for (int i = 0; i < relation->column_count; i++) {
        const ColumnDesc *column = &relation->columns[i];
        if (column->dropped || !is_wanted(columns, column->name) || column->statistics_target == 0)
            continue;
        const int own = column->statistics_target > 0 ? column->statistics_target : usual;
        target = MAX(target, own);
        sample_add(arena, sample, identifier_quote(arena, column->name),
                   (SampleColumn){.collector = statistics_new(arena, column->type, own, total),
                                  .holder = relation->oid,
                                  .attnum = column->attnum});
    }
    for (int i = 0; i < relation->index_count; i++) {
        const IndexDesc *index = &relation->indexes[i];
        for (int c = 0; c < index->key_count && str_is_none(index->predicate); c++)
            if (!index->columns[c].attnum)
                sample_add(arena, sample,
                           str_format(arena, "(%.*s)", STR_ARGS(index->columns[c].expression)),
                           (SampleColumn){.collector = statistics_new(arena, index->columns[c].type,
                                                                      usual, total),
                                          .holder = index->oid,
                                          .attnum = c + 1});
        if (!str_is_none(index->predicate))
            sample_add(arena, sample, str_format(arena, "(%.*s)", STR_ARGS(index->predicate)),
                       (SampleColumn){.holder = index->oid});
    }
    return target;
}

static bool keep_statistics(CommandContext *context, const Sample *sample)
{
    CatalogSession *session = &context->session->catalog;
    for (size_t i = 0; i < sample->columns.length; i++) {
        const SampleColumn *column = &sample->columns.items[i];
        ColumnStatistics statistics;
        if (!column->collector)
            continue;
        const RelationDesc *holder = relation_get(session, column->holder);
        TRY(holder);
        TRY(statistics_finish(column->collector, column->attnum, &statistics));
        TRY(define_statistics(session, holder, &statistics, 1));
    }
    return true;
}

static bool keep_sizes(CommandContext *context, Oid oid, const Sample *sample, double total)
{
    CatalogSession *session = &context->session->catalog;
    const RelationDesc *relation = relation_get(session, oid);
    TRY(relation);
    for (int i = 0; i < relation->index_count; i++) {
        const IndexDesc *index = &relation->indexes[i];
        double rows = total;
        for (size_t c = 0; c < sample->columns.length; c++) {
            const SampleColumn *column = &sample->columns.items[c];
            if (column->holder == index->oid && !column->collector && column->seen > 0)
                rows = rint(total * (double)column->passing / (double)column->seen);
        }
        TRY(define_relation_size(session, index->oid, rows,
                                 index_pages(session, relation, index, rows)));
    }
    return define_relation_size(session, oid, total, table_pages(session, relation, total));
}

static bool analyze_relation(CommandContext *context, Oid oid, const StrVec *columns)
{
    Arena *arena = context->arena;
    CatalogSession *session = &context->session->catalog;
    const RelationDesc *relation = relation_get(session, oid);
    StrBuf count = strbuf_in(arena);
    Sample sample = {.stride = 1, .select = strbuf_in(arena)};

    TRY(relation);
    TRY(check_columns(relation, columns));
    const Str table = identifier_qualify(arena, relation->namespace_name, relation->name);
    strbuf_format(&count, "SELECT 1 FROM ONLY %.*s", STR_ARGS(table));
    TRY(run_sql(context, strbuf_view(&count), count_rows, &sample));
    const uint64_t total = sample.rows;
    strbuf_append_c(&sample.select, "SELECT ");
    const int target = sample_columns(arena, relation, columns, (double)total, &sample);
    if (sample.columns.length > 0 && total > 0) {
        strbuf_format(&sample.select, " FROM ONLY %.*s", STR_ARGS(table));
        sample.stride = MAX(1, total / ((uint64_t)target * SAMPLE_PER_TARGET));
        sample.rows = 0;
        TRY(run_sql(context, strbuf_view(&sample.select), add_rows, &sample));
        TRY(keep_statistics(context, &sample));
    }
    TRY(keep_sizes(context, oid, &sample, (double)total));
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

/* The table is locked against drops. */
static bool purge_indexes(const RelationDesc *relation)
{
    for (int i = 0; i < relation->index_count; i++)
        TRY(!relation->indexes[i].storage || txn_index_purge(relation->indexes[i].storage));
    return true;
}

/* One of all tables, which may be gone by now. Nobody waits for one that is in use. */
static bool vacuum_if_free(CommandContext *context, Oid oid)
{
    CatalogSession *session = ddl_catalog(context);
    const LockOutcome outcome = lock_relation(session->txn, session->database_oid, oid,
                                              LOCK_SHARE_UPDATE_EXCLUSIVE, LOCK_TRY, STR_NONE);

    TRY(outcome);
    if (outcome == LOCK_WOULD_BLOCK)
        return true;
    const RelationDesc *relation = relation_find(session, oid);
    if (!relation)
        return !error_is_set();
    TRY(purge_indexes(relation));
    usage_vacuumed(context->session, oid);
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
    if (is_vacuum) {
        TRY(purge_indexes(relation));
        usage_vacuumed(context->session, relation->oid);
    }
    return !analyzes || analyze_relation(context, relation->oid, &target->va_cols);
}

bool vacuum_execute(CommandContext *context, const VacuumStmt *statement, Str *ret_tag)
{
    bool analyzes;
    *ret_tag = statement->is_vacuum ? STR("VACUUM") : STR("ANALYZE");
    TRY(wants_analyze(statement, &analyzes));
    for (size_t i = 0; i < statement->rels.length && !analyzes; i++)
        if (((const VacuumRelation *)statement->rels.items[i])->va_cols.length > 0)
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR("ANALYZE option must be specified when a column list is "
                                "provided"));
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
            TRY(vacuum_if_free(context, list.oids.items[i]));
        if (analyzes)
            TRY(analyze_relation(context, list.oids.items[i], &all));
    }
    return true;
}
