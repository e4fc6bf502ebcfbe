#include "executor/modify.h"

#include "executor/expr.h"
#include "executor/foreign_key.h"
#include "executor/index_key.h"
#include "executor/scan_columns.h"
#include "executor/sorter.h"
#include "planner/planner.h"

#include "base/settings.h"

/* ---- writers ---- */

struct TableWriter {
    ExecState *exec;
    NodeState *node;
    const RelationDesc *table;
    int *from;             /* per attribute: the batch's column, -1: default, -2: dropped */
    ExprProgram *defaults; /* one expression per attribute with from -1 */
    int *default_of;
    ExprProgram *filter; /* NULL: all rows go in */
    uint32_t filtering;  /* the row that the filter failed at; UINT32_MAX: none */
    uint32_t checked;    /* rows of the batch that have been checked */
    uint32_t kept_count; /* and of those, what the filter kept */
    uint16_t *kept;
    Vector **columns; /* the batch's and `row`'s, one per attribute */
    uint64_t count;
    Arena *scratch;
    Batch *row;
    TxnBulk *bulk; /* finished pages where the transaction has made the table, else its write set */
};

static bool writer_defaults(TableWriter *writer)
{
    ExecState *exec = writer->exec;
    Arena *arena = exec->arena;
    Expr **exprs = ARENA_ARRAY(arena, Expr *, writer->table->column_count + 1);
    uint32_t count = 0;
    writer->default_of = ARENA_ARRAY(arena, int, writer->table->column_count + 1);
    for (uint16_t i = 0; i < writer->table->column_count; i++) {
        writer->default_of[i] = -1;
        if (writer->from[i] != -1 || writer->table->columns[i].generated)
            continue;
        Expr *expr = planner_column_default(arena, &exec->session->catalog, writer->table, i + 1);
        TRY(expr);
        writer->default_of[i] = (int)count;
        exprs[count++] = expr;
    }
    return (writer->defaults = expr_compile(exec, writer->scratch, exprs, count)) != NULL;
}

static bool writer_init(TableWriter *writer, const int16_t *columns, uint32_t count)
{
    ExecState *exec = writer->exec;
    const RelationDesc *table = writer->table;
    Arena *arena = exec->arena;
    int next = 0;
    writer->from = ARENA_ARRAY(arena, int, table->column_count + 1);
    for (uint16_t i = 0; i < table->column_count; i++)
        writer->from[i] = table->columns[i].dropped ? -2 : columns ? -1 : next++;
    for (uint32_t i = 0; columns && i < count; i++)
        writer->from[columns[i] - 1] = (int)i;
    writer->scratch = exec_arena(exec, "table writer");
    TRY(writer_defaults(writer));
    PhysType *types = ARENA_ARRAY(arena, PhysType, table->column_count + 1);
    for (uint16_t i = 0; i < table->column_count; i++)
        types[i] = table->columns[i].phys;
    writer->row = batch_new(arena, types, table->column_count);
    writer->columns = ARENA_ARRAY(arena, Vector *, table->column_count + 1);
    /* A batch's room is asked for at any place in it. */
    writer->kept = ARENA_ARRAY(arena, uint16_t, 2 * VECTOR_SIZE);
    ModifyPlan *plan = planner_modify(arena, &exec->session->catalog, table, QUERY_INSERT, NULL, 0);
    TRY(plan);
    exec->snapshot = txn_snapshot_self(exec->session->catalog.txn);
    TRY(writer->node = modify_node_new(exec, plan));
    TableHandle *handle = exec_table(exec, table->oid);
    TRY(handle);
    TRY(txn_bulk_begin(exec->session->catalog.txn, handle->tree, &writer->bulk));
    if (table->persistence == RELPERSISTENCE_TEMPORARY) /* ON COMMIT DELETE ROWS */
        txn_bulk_stay(writer->bulk);
    modify_set_bulk(writer->node, writer->bulk);
    return true;
}

TableWriter *table_writer_new(ExecSession *session, const RelationDesc *relation,
                              const int16_t *columns, uint32_t count)
{
    ExecState *exec = exec_new_bare(session);
    TableWriter *writer = ARENA_NEW(exec->arena, TableWriter);
    writer->exec = exec;
    writer->table = relation;
    writer->filtering = UINT32_MAX;
    if (!writer_init(writer, columns, count)) {
        table_writer_free(writer);
        return NULL;
    }
    return writer;
}

bool table_writer_filter(TableWriter *writer, Expr *condition)
{
    ExecState *exec = writer->exec;
    TRY(condition = planner_plan_expression(exec->arena, &exec->session->catalog, writer->table,
                                            condition));
    return (writer->filter = expr_compile(exec, writer->scratch, &condition, 1)) != NULL;
}

/* A failure is looked for row by row, so that it is told of the right one, and of the first. */
static bool filter_failed(TableWriter *writer, const Batch *batch, Selection selection)
{
    const ExprInput input = {.slots = {batch->columns, NULL}, .row_count = batch->row_count};
    uint16_t kept[1];
    Selection one;
    FOR_SELECTED (selection, row) {
        const uint16_t rows[1] = {(uint16_t)row};
        writer->filtering = row;
        TRY(expr_filter(writer->filter, &input, (Selection){.rows = rows, .count = 1}, kept, &one));
        writer->filtering = UINT32_MAX;
        TRY(modify_check(writer->node, batch, one));
    }
    return false;
}

/* Rows of the batch that no check has seen. */
static Selection unchecked_rows(const TableWriter *writer, const Batch *batch, uint16_t *rows)
{
    uint32_t count = 0;
    if (writer->checked == 0)
        return batch->selection;
    FOR_SELECTED (batch->selection, row) {
        if (row >= writer->checked)
            rows[count++] = (uint16_t)row;
    }
    return (Selection){.rows = rows, .count = count};
}

/* Defaults may be volatile (nextval): one evaluation a row. They are kept until the rows go in. */
static bool fill_defaults(TableWriter *writer, const Batch *batch, Selection rows)
{
    const ExprInput input = {.row_count = batch->row_count};
    if (writer->defaults->count == 0)
        return true;
    TRY(expr_run(writer->defaults, &input, rows));
    for (uint16_t i = 0; i < writer->table->column_count; i++) {
        if (writer->default_of[i] < 0)
            continue;
        Vector *column = writer->row->columns[i];
        FOR_SELECTED (rows, row) {
            Value value;
            bool is_null;
            vector_get(writer->defaults->results[writer->default_of[i]], row, &value, &is_null);
            vector_set(column, row, &value, is_null);
        }
    }
    return true;
}

/* The batch as rows of the table; what is generated is not there yet. */
static Batch table_rows(TableWriter *writer, const Batch *batch)
{
    Batch rows = *batch;
    for (uint16_t i = 0; i < writer->table->column_count; i++) {
        Vector *own = writer->row->columns[i];
        writer->columns[i] = writer->from[i] >= 0 ? batch->columns[writer->from[i]] : own;
        if (writer->from[i] < 0 && writer->default_of[i] < 0) {
            memset(own->nulls, 1, VECTOR_SIZE);
            own->has_nulls = true;
        }
    }
    rows.columns = writer->columns;
    rows.column_count = writer->table->column_count;
    return rows;
}

bool table_writer_check(TableWriter *writer, const Batch *batch)
{
    uint16_t rows[VECTOR_SIZE];
    if (writer->checked == batch->row_count)
        return true;
    Selection selection = unchecked_rows(writer, batch, rows);
    const Batch row = table_rows(writer, batch);
    if (writer->checked == 0)
        arena_reset(writer->scratch);
    TRY(fill_defaults(writer, batch, selection));
    if (writer->filter) {
        const ExprInput input = {.slots = {row.columns, NULL}, .row_count = batch->row_count};
        Selection kept;
        if (!expr_filter(writer->filter, &input, selection, writer->kept + writer->kept_count,
                         &kept))
            return filter_failed(writer, &row, selection);
        FOR_SELECTED (kept, at)
            writer->kept[writer->kept_count++] = (uint16_t)at;
        selection = kept;
    }
    TRY(modify_check(writer->node, &row, selection));
    writer->checked = batch->row_count;
    return true;
}

bool table_writer_insert(TableWriter *writer, const Batch *batch)
{
    TRY(table_writer_check(writer, batch));
    const Selection kept = {.rows = writer->kept, .count = writer->kept_count};
    const Selection rows = writer->filter ? kept : batch->selection;
    writer->count += rows.count;
    if (rows.count == VECTOR_SIZE)
        txn_bulk_expect_many(writer->bulk);
    TRY(modify_push_checked(writer->node, rows));
    writer->checked = writer->kept_count = 0;
    return true;
}

uint64_t table_writer_count(const TableWriter *writer)
{
    return writer->count;
}

uint32_t table_writer_failed_row(const TableWriter *writer)
{
    return writer->filtering != UINT32_MAX ? writer->filtering : modify_inserting(writer->node);
}

bool table_writer_finish(TableWriter *writer)
{
    /* What is checked now reads the rows. */
    modify_set_bulk(writer->node, NULL);
    TRY(txn_bulk_end(MOVE(writer->bulk)));
    return constraint_queue_run(writer->exec->queue);
}

void table_writer_free(TableWriter *writer)
{
    if (!writer)
        return;
    txn_bulk_abandon(writer->bulk);
    if (writer->node)
        modify_node_free(writer->node);
    constraint_queue_clear(writer->exec->queue);
    executor_free(writer->exec);
}

/* ---- reading every row ---- */

bool table_each(ExecState *exec, const RelationDesc *table, RowsCallback *callback, void *context)
{
    Txn *txn = exec->session->catalog.txn;
    TableHandle *handle = exec_table(exec, table->oid);
    TRY(handle);
    uint32_t count = table->column_count;
    uint16_t *columns = ARENA_ARRAY(exec->arena, uint16_t, count + 1);
    Vector **slots = ARENA_ARRAY(exec->arena, Vector *, count + 1);
    uint32_t fetched = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!table->columns[i].dropped)
            columns[fetched++] = (uint16_t)i;
    columns[fetched++] = SCAN_ROW_ID;
    TableScanSpec spec = {.columns = columns, .column_count = fetched};
    Snapshot now = txn_snapshot_self(txn);
    TableScan *scan = table_scan_open(txn, &now, handle->tree, &spec, exec->arena);
    TRY(scan);
    ScanOutcome outcome;
    bool done = true;
    while (done && (outcome = table_scan_next(scan)) == SCAN_ROWS) {
        Batch *batch = table_scan_batch(scan);
        for (uint32_t c = 0; c + 1 < fetched; c++)
            slots[columns[c]] = batch->columns[c];
        ExprInput input = {.slots = {slots, NULL}, .row_count = batch->row_count};
        done = callback(context, &input, batch->selection, batch->columns[fetched - 1]);
    }
    table_scan_close(scan);
    return done && outcome != SCAN_FAILED;
}

/* ---- CREATE INDEX ---- */

/* Behind each key: what makes it an entry of the index; of unique ones also whether it has nulls.
 */
typedef struct IndexBuild {
    ExecState *exec;
    IndexKeyBuilder keys;
    Sorter sorter;
    Arena *scratch;
    uint16_t *rows;
    uint32_t *payload_sizes;
    uint32_t payload_size;
} IndexBuild;

static bool any_null(Vector *const *vectors, uint32_t count, uint32_t row)
{
    bool any = false;
    for (uint32_t c = 0; c < count; c++)
        any |= vector_is_null(vectors[c], row);
    return any;
}

static bool index_build_rows(void *context, const ExprInput *rows, Selection selection,
                             const Vector *row_ids)
{
    IndexBuild *build = context;
    KeyBatch *keys = &build->keys.batch;
    char *at[VECTOR_SIZE];
    CHECK_INTERRUPTS();
    arena_reset(build->scratch);
    TRY(index_key_select(&build->keys, rows, selection, build->rows, &selection));
    for (uint32_t from = 0; from < selection.count;) {
        const uint32_t count = sorter_reserve(&build->sorter, keys->sizes + from,
                                              build->payload_sizes, selection.count - from, at);
        TRY(count);
        key_batch_put(keys, from, from + count, at);
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t row = selection_row(selection, from + i);
            const uint64_t id =
                __builtin_bswap64(VECTOR_VALUES(row_ids, uint64_t)[vector_index(row_ids, row)]);
            memcpy(at[i], &id, sizeof(id));
            if (build->payload_size > sizeof(id))
                at[i][sizeof(id)] = any_null(build->keys.vectors, keys->count, row);
        }
        from += count;
    }
    return true;
}

static bool fail_duplicate(IndexBuild *build, const RelationDesc *table, const IndexDesc *index,
                           int64_t row_id)
{
    ScanColumns columns = {0};
    Arena *arena = build->exec->arena;
    int *attnums = ARENA_ARRAY(arena, int, table->column_count + 1);
    uint32_t found;
    Snapshot now = txn_snapshot_self(build->exec->session->catalog.txn);
    Str detail = STR_NONE;
    for (uint16_t i = 0; i < table->column_count; i++)
        attnums[i] = i + 1;
    TRY(scan_columns_init(&columns, build->exec, table->oid, attnums, table->column_count));
    TRY(scan_columns_fetch(&columns, build->exec, &now, &row_id, 1, arena, &found));
    if (found > 0) {
        ExprInput input = {.slots = {columns.slots, NULL}, .row_count = 1};
        Str key;
        bool skip, has_null;
        TRY(index_key_make(&build->keys, &input, 0, &key, &skip, &has_null));
        Str text = index_key_describe(&build->keys, &input, 0, arena);
        detail = str_format(arena, "%.*s is duplicated.", STR_ARGS(text));
    }
    FAIL(ERR_UNIQUE_VIOLATION,
         .message = fmt("could not create unique index \"%.*s\"", STR_ARGS(index->name)),
         .detail = detail, .schema_name = table->namespace_name, .table_name = table->name,
         .constraint_name = index->name);
}

static bool index_load(IndexBuild *build, const RelationDesc *table, TxnBulk *bulk)
{
    const IndexDesc *index = build->keys.index->desc;
    StrBuf last = strbuf_in(build->exec->arena);
    bool last_counts = false;
    for (;;) {
        SortRecord record;
        CHECK_INTERRUPTS();
        TRY(sorter_next(&build->sorter, &record));
        if (!record.key.data)
            return true;
        const bool counts =
            index->is_unique && (!record.payload[sizeof(int64_t)] || index->nulls_not_distinct);
        if (counts && last_counts && str_equal(record.key, strbuf_view(&last))) {
            uint64_t id;
            memcpy(&id, record.payload, sizeof(id));
            return fail_duplicate(build, table, index, (int64_t)__builtin_bswap64(id));
        }
        if (index->is_unique) {
            strbuf_truncate(&last, 0);
            strbuf_append(&last, record.key);
        }
        last_counts = counts;
        const Str entry = str_make(record.key.data, record.key.length + sizeof(int64_t));
        TRY(txn_bulk_append_key(bulk, entry));
    }
}

static bool index_build_run(IndexBuild *build, const RelationDesc *table, Oid index)
{
    CatalogSession *catalog = &build->exec->session->catalog;
    Arena *arena = build->exec->arena;
    IndexMaintain *items;
    int count;
    TRY(planner_index_maintain(arena, catalog, table, &index, &items, &count));
    if (count != 1)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("index %u is not of this table", index));
    TRY(index_key_init(&build->keys, build->exec, build->scratch, table->oid, &items[0]));
    build->payload_size = (uint32_t)sizeof(int64_t) + build->keys.index->desc->is_unique;
    build->payload_sizes = ARENA_ARRAY(arena, uint32_t, VECTOR_SIZE);
    for (uint32_t i = 0; i < VECTOR_SIZE; i++)
        build->payload_sizes[i] = build->payload_size;
    build->rows = ARENA_ARRAY(arena, uint16_t, VECTOR_SIZE);
    sorter_init(&build->sorter, &build->exec->spills,
                (size_t)settings()->maintenance_work_mem * 1024);
    TRY(table_each(build->exec, table, index_build_rows, build));
    TRY(sorter_finish(&build->sorter));
    TxnBulk *bulk;
    TRY(txn_bulk_begin(catalog->txn, build->keys.index->tree, &bulk));
    if (!index_load(build, table, bulk)) {
        txn_bulk_abandon(bulk);
        return false;
    }
    return txn_bulk_end(bulk);
}

bool executor_build_index(ExecSession *session, const RelationDesc *table,
                          const RelationDesc *index)
{
    IndexBuild build = {.exec = exec_new_bare(session)};
    build.scratch = exec_arena(build.exec, "index build");
    bool done = index_build_run(&build, table, index->oid);
    sorter_deinit(&build.sorter);
    executor_free(build.exec);
    return done;
}

/* ---- constraints over existing rows ---- */

typedef struct Validation {
    ExecState *exec;
    const RelationDesc *table;
    const ConstraintDesc *constraint;
    ExprProgram *program;
    int16_t column;
    ForeignKeyPlan *key;
    Arena *scratch;
} Validation;

static bool validate_check_rows(void *context, const ExprInput *rows, Selection selection,
                                const Vector *row_ids)
{
    Validation *v = context;
    CHECK_INTERRUPTS();
    arena_reset(v->scratch);
    TRY(expr_run(v->program, rows, selection));
    const Vector *answer = v->program->results[0];
    FOR_SELECTED (selection, row)
        if (!vector_is_null(answer, row) &&
            !VECTOR_VALUES(answer, uint8_t)[vector_index(answer, row)])
            FAIL(ERR_CHECK_VIOLATION,
                 .message = fmt("check constraint \"%.*s\" of relation \"%.*s\" is violated by "
                                "some row",
                                STR_ARGS(v->constraint->name), STR_ARGS(v->table->name)),
                 .schema_name = v->table->namespace_name, .table_name = v->table->name,
                 .constraint_name = v->constraint->name);
    return true;
}

static bool validate_not_null_rows(void *context, const ExprInput *rows, Selection selection,
                                   const Vector *row_ids)
{
    Validation *v = context;
    CHECK_INTERRUPTS();
    Str name = v->table->columns[v->column - 1].name;
    FOR_SELECTED (selection, row)
        if (vector_is_null(rows->slots[0][v->column - 1], row))
            FAIL(ERR_NOT_NULL_VIOLATION,
                 .message = fmt("column \"%.*s\" of relation \"%.*s\" contains null values",
                                STR_ARGS(name), STR_ARGS(v->table->name)),
                 .schema_name = v->table->namespace_name, .table_name = v->table->name,
                 .column_name = name);
    return true;
}

static bool validate_foreign_rows(void *context, const ExprInput *rows, Selection selection,
                                  const Vector *row_ids)
{
    Validation *v = context;
    CHECK_INTERRUPTS();
    FOR_SELECTED (selection, row) {
        Value id;
        bool is_null;
        arena_reset(v->scratch);
        vector_get(row_ids, row, &id, &is_null);
        TRY(foreign_key_check_row(&(ForeignKeyLook){v->exec, v->scratch, v->key}, id.int64, false));
    }
    return true;
}

static bool validation_begin(Validation *v, ExecSession *session, const RelationDesc *table,
                             Oid constraint)
{
    *v = (Validation){.exec = exec_new_bare(session), .table = table};
    v->scratch = exec_arena(v->exec, "validation");
    for (uint16_t i = 0; i < table->constraint_count; i++)
        if (table->constraints[i].oid == constraint)
            v->constraint = &table->constraints[i];
    if (constraint == OID_NONE || v->constraint)
        return true;
    FAIL(ERR_UNDEFINED_OBJECT, .message = fmt("constraint with OID %u does not exist", constraint));
}

static bool check_run(Validation *v)
{
    ExecState *exec = v->exec;
    Expr *expr = planner_stored_expression(exec->arena, &exec->session->catalog, v->table,
                                           v->constraint->check_text, TYPE_BOOL, -1);
    TRY(expr);
    TRY(v->program = expr_compile(exec, v->scratch, &expr, 1));
    return table_each(exec, v->table, validate_check_rows, v);
}

static bool foreign_run(Validation *v)
{
    v->key = ARENA_NEW(v->exec->arena, ForeignKeyPlan);
    TRY(planner_foreign_key(v->exec->arena, &v->exec->session->catalog, v->constraint, v->key));
    return table_each(v->exec, v->table, validate_foreign_rows, v);
}

bool executor_validate_check(ExecSession *session, const RelationDesc *table, Oid constraint)
{
    Validation v;
    bool done = validation_begin(&v, session, table, constraint) && check_run(&v);
    executor_free(v.exec);
    return done;
}

bool executor_validate_not_null(ExecSession *session, const RelationDesc *table, int16_t column)
{
    Validation v;
    bool done = validation_begin(&v, session, table, OID_NONE);
    v.column = column;
    done = done && table_each(v.exec, table, validate_not_null_rows, &v);
    executor_free(v.exec);
    return done;
}

bool executor_validate_foreign_key(ExecSession *session, const RelationDesc *table, Oid constraint)
{
    Validation v;
    bool done = validation_begin(&v, session, table, constraint) && foreign_run(&v);
    executor_free(v.exec);
    return done;
}
