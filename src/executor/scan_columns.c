#include "executor/scan_columns.h"

#include "executor/expr.h"
#include "txn/sequence.h"
#include "types/record.h"

enum { SLOT_TABLE_OID = -1, SLOT_WHOLE_ROW = -2 };

static int fetch_add(ScanColumns *columns, uint16_t column)
{
    for (uint32_t i = 0; i < columns->fetch_count; i++)
        if (columns->fetch[i] == column)
            return (int)i;
    columns->fetch[columns->fetch_count] = column;
    return (int)columns->fetch_count++;
}

static void whole_row_init(ScanColumns *columns, Arena *arena)
{
    const RelationDesc *desc = columns->table->desc;
    columns->whole = vector_new(arena, PHYS_VAR);
    columns->whole_map = ARENA_ARRAY(arena, int, desc->column_count + 1);
    for (uint16_t i = 0; i < desc->column_count; i++)
        columns->whole_map[i] = desc->columns[i].dropped ? -1 : fetch_add(columns, i);
}

static bool slot_init(ScanColumns *columns, ExecState *exec, uint32_t slot, int attnum)
{
    switch (attnum) {
    case ATTNUM_ROW_ID:
    case ATTNUM_CTID:
        columns->map[slot] = fetch_add(columns, SCAN_ROW_ID);
        return true;
    case ATTNUM_TABLEOID: {
        Value oid = {.oid = columns->table->relation};
        columns->map[slot] = SLOT_TABLE_OID;
        columns->table_oid = vector_new_constant(exec->arena, PHYS_INT32, &oid, false);
        return true;
    }
    case ATTNUM_WHOLE_ROW:
        columns->map[slot] = SLOT_WHOLE_ROW;
        whole_row_init(columns, exec->arena);
        return true;
    default:
        break;
    }
    if (attnum < 0) {
        const SystemColumn *column = system_column_find(STR("xmin"));
        column = system_column_at(attnum) ? system_column_at(attnum) : column;
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("system column \"%.*s\" is not supported", STR_ARGS(column->name)));
    }
    columns->map[slot] = fetch_add(columns, (uint16_t)(attnum - 1));
    return true;
}

bool scan_columns_init(ScanColumns *columns, ExecState *exec, Oid relation, const int *attnums,
                       uint32_t count)
{
    TRY(columns->table = exec_table(exec, relation));
    uint32_t room = count + columns->table->desc->column_count + 1;
    columns->count = count;
    columns->slots = ARENA_ARRAY(exec->arena, Vector *, count + 1);
    columns->map = ARENA_ARRAY(exec->arena, int, count + 1);
    columns->fetch = ARENA_ARRAY(exec->arena, uint16_t, room);
    for (uint32_t i = 0; i < count; i++)
        TRY(slot_init(columns, exec, i, attnums[i]));
    return true;
}

/* Rows as composite values; dropped columns have no place in them. */
static void whole_row_make(ScanColumns *columns, Vector *const *fetched, Selection selection,
                           Arena *arena)
{
    const RelationDesc *desc = columns->table->desc;
    uint32_t count = desc->column_count;
    Oid *types = ARENA_ARRAY(arena, Oid, count + 1);
    Value *values = ARENA_ARRAY(arena, Value, count + 1);
    bool *nulls = ARENA_ARRAY(arena, bool, count + 1);
    columns->whole->has_nulls = false;
    FOR_SELECTED (selection, row) {
        uint32_t live = 0;
        for (uint32_t c = 0; c < count; c++) {
            if (columns->whole_map[c] < 0)
                continue;
            types[live] = desc->columns[c].type;
            vector_get(fetched[columns->whole_map[c]], row, &values[live], &nulls[live]);
            live++;
        }
        Value record = record_make(arena, desc->row_type, types, values, nulls, live);
        VECTOR_VALUES(columns->whole, VarRef)[row] = record.var;
    }
}

void scan_columns_bind(ScanColumns *columns, Vector *const *fetched, Selection selection,
                       Arena *arena)
{
    for (uint32_t i = 0; i < columns->count; i++) {
        int map = columns->map[i];
        columns->slots[i] = map == SLOT_TABLE_OID   ? columns->table_oid
                            : map == SLOT_WHOLE_ROW ? columns->whole
                                                    : fetched[map];
    }
    if (columns->whole)
        whole_row_make(columns, fetched, selection, arena);
}

static PhysType fetch_type(const ScanColumns *columns, uint16_t column)
{
    return column == SCAN_ROW_ID ? PHYS_INT64 : columns->table->desc->columns[column].phys;
}

/* Vectors for `rows` rows: a point look-up stays small. */
static void batch_reserve(ScanColumns *columns, Arena *arena, uint32_t rows)
{
    if (columns->batch && rows <= columns->capacity)
        return;
    uint32_t capacity = rows <= 4 ? 4 : rows <= 64 ? 64 : VECTOR_SIZE;
    Batch *batch = ARENA_NEW(arena, Batch);
    batch->columns = ARENA_ARRAY(arena, Vector *, columns->fetch_count + 1);
    batch->column_count = columns->fetch_count;
    for (uint32_t i = 0; i < columns->fetch_count; i++) {
        Vector *v = ARENA_NEW(arena, Vector);
        v->type = fetch_type(columns, columns->fetch[i]);
        v->values = arena_alloc_zeroed(arena, phys_width(v->type) * capacity);
        v->nulls = arena_alloc_zeroed(arena, capacity);
        batch->columns[i] = v;
    }
    columns->batch = batch;
    columns->capacity = capacity;
}

bool scan_columns_fetch(ScanColumns *columns, ExecState *exec, const Snapshot *snapshot,
                        const int64_t *row_ids, uint32_t count, Arena *arena, uint32_t *ret_count)
{
    uint16_t from[VECTOR_SIZE];
    batch_reserve(columns, exec->arena, count);
    TRY(txn_fetch_rows(exec->session->catalog.txn, snapshot, columns->table->tree, row_ids, count,
                       columns->fetch, columns->fetch_count, columns->batch, from, arena));
    *ret_count = columns->batch->row_count;
    scan_columns_bind(columns, columns->batch->columns, (Selection){.count = *ret_count}, arena);
    return true;
}

bool scan_columns_sequence(ScanColumns *columns, ExecState *exec, Arena *arena)
{
    const CatalogSession *catalog = &exec->session->catalog;
    SequenceState state;
    TRY(sequence_read(catalog->txn, catalog->database_oid, columns->table->desc->tree, &state));
    const Value values[] = {
        {.int64 = state.last_value}, {.int64 = state.log_count}, {.boolean = state.is_called}};
    const Value row_id = {.int64 = 1};
    batch_reserve(columns, exec->arena, 1);
    for (uint32_t i = 0; i < columns->fetch_count; i++) {
        const uint16_t column = columns->fetch[i];
        vector_set(columns->batch->columns[i], 0,
                   column < ARRAY_LENGTH(values) ? &values[column] : &row_id, false);
    }
    scan_columns_bind(columns, columns->batch->columns, (Selection){.count = 1}, arena);
    return true;
}

EpqOverride *scan_override(const ExecState *exec, int rel)
{
    for (uint32_t i = 0; i < exec->override_count; i++)
        if (exec->overrides[i].rel == rel)
            return &exec->overrides[i];
    return NULL;
}

bool scan_override_fetch(ScanColumns *columns, ExecState *exec, const EpqOverride *override,
                         Arena *arena, uint32_t *ret_count)
{
    *ret_count = 0;
    if (override->is_missing)
        return true;
    Snapshot snapshot =
        override->is_newest ? txn_snapshot_latest(exec->session->catalog.txn) : exec->snapshot;
    return scan_columns_fetch(columns, exec, &snapshot, &override->row_id, 1, arena, ret_count);
}

void row_wait_add_context(const char *doing, int64_t row_id, Str relation_name)
{
    const ErrorFields *error = error_fields();
    const bool has_waited = error->sqlstate == ERR_T_R_DEADLOCK_DETECTED ||
                            error->sqlstate == ERR_QUERY_CANCELED ||
                            (error->sqlstate == ERR_LOCK_NOT_AVAILABLE &&
                             str_starts_with(error->message, STR("canceling")));

    if (has_waited) /* else nobody was waited for, and PostgreSQL names no tuple either */
        error_add_context(fmt("while %s tuple (%lu,%u) in relation \"%.*s\"", doing,
                              (unsigned long)((uint64_t)row_id >> 16), (unsigned)(row_id & 0xffff),
                              STR_ARGS(relation_name)));
}
