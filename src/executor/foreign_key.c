#include "executor/foreign_key.h"

#include "base/error_record.h"
#include "catalog/lookup.h"
#include "catalog/operator.h"
#include "executor/scan_columns.h"
#include "txn/lock.h"
#include "types/identifier.h"
#include "types/key.h"
#include "types/type.h"

enum { MOST_COLUMNS = 32 };

/* ---- values of the two sides ---- */

static bool is_integer(Oid type)
{
    return type == TYPE_INT2 || type == TYPE_INT4 || type == TYPE_INT8;
}

static bool is_text(Oid type)
{
    return type == TYPE_TEXT || type == TYPE_VARCHAR;
}

static int64_t integer_of(Oid type, const Value *value)
{
    return type == TYPE_INT2 ? value->int16 : type == TYPE_INT4 ? value->int32 : value->int64;
}

static bool integer_convert(Oid to, int64_t from, Value *ret)
{
    *ret = (Value){0};
    if (to == TYPE_INT2)
        ret->int16 = (int16_t)from;
    else if (to == TYPE_INT4)
        ret->int32 = (int32_t)from;
    else
        ret->int64 = from;
    return integer_of(to, ret) == from;
}

bool foreign_key_convert(Arena *arena, Oid from, Oid to, const Value *value, Value *ret,
                         bool *ret_fits)
{
    *ret_fits = true;
    if (from == to || (is_text(from) && is_text(to))) {
        *ret = *value;
        return true;
    }
    if (is_integer(from) && is_integer(to)) {
        *ret_fits = integer_convert(to, integer_of(from, value), ret);
        return true;
    }
    StrBuf text = strbuf_in(arena);
    TRY(type_output(from, value, &text));
    if (type_input(arena, to, -1, strbuf_view(&text), ret))
        return true;
    *ret_fits = false;
    error_clear();
    return true;
}

static Oid column_type(const TableHandle *table, int attnum)
{
    return relation_column_at(table->desc, attnum)->type;
}

static Snapshot snapshot_now(const ExecState *exec)
{
    return txn_snapshot_self(exec->session->catalog.txn);
}

static bool is_repeatable(const ExecState *exec)
{
    return txn_isolation(exec->session->catalog.txn) >= ISOLATION_REPEATABLE_READ;
}

/* What was committed when the transaction's snapshot was taken, and everything of its own. */
static Snapshot snapshot_then(const ExecState *exec)
{
    Snapshot then = snapshot_now(exec);
    if (is_repeatable(exec))
        then = snapshot_with_command(txn_snapshot(exec->session->catalog.txn), then.command);
    return then;
}

/* Both tables of a key: the one that refers and the one it refers to. */
typedef struct Sides {
    const ForeignKeyPlan *key;
    const TableHandle *table, *referenced;
} Sides;

/* What a referring row has in the key's columns. */
typedef struct KeyRow {
    Value values[MOST_COLUMNS];
    bool nulls[MOST_COLUMNS];
} KeyRow;

static bool sides_open(ExecState *exec, const ForeignKeyPlan *key, Sides *ret)
{
    *ret = (Sides){.key = key, .table = exec_table(exec, key->relation)};
    TRY(ret->table);
    ret->referenced = exec_table(exec, key->referenced);
    return ret->referenced != NULL;
}

/* FETCH_NONE: the row is gone. */
static FetchOutcome read_key(ExecState *exec, const Sides *sides, int64_t row_id, Arena *scratch,
                             KeyRow *ret)
{
    const ForeignKeyPlan *key = sides->key;
    uint16_t columns[MOST_COLUMNS];
    for (int i = 0; i < key->column_count; i++)
        columns[i] = (uint16_t)(key->columns[i] - 1);
    Snapshot now = snapshot_now(exec);
    return txn_fetch(exec->session->catalog.txn, &now, sides->table->tree, row_id, columns,
                     (uint32_t)key->column_count, ret->values, ret->nulls, scratch);
}

/* "(a, b)=(1, 2)" */
static Str describe_key(const ForeignKeyPlan *key, const TableHandle *table, bool is_referenced,
                        const Value *values, Arena *arena)
{
    const int *attnums = is_referenced ? key->referenced_columns : key->columns;
    const Str *names = is_referenced ? key->referenced_column_names : key->column_names;
    const int count = key->column_count;
    StrBuf text = strbuf_in(arena);
    strbuf_append_char(&text, '(');
    for (int i = 0; i < count; i++)
        strbuf_format(&text, "%s%.*s", i ? ", " : "", STR_ARGS(names[i]));
    strbuf_append_c(&text, ")=(");
    for (int i = 0; i < count; i++) {
        if (i > 0)
            strbuf_append_c(&text, ", ");
        if (!type_output(column_type(table, attnums[i]), &values[i], &text))
            error_clear();
    }
    strbuf_append_char(&text, ')');
    return strbuf_view(&text);
}

/* ---- the statements that checks are like ---- */

/* The operator takes another type than the column has: the column is cast. */
static void put_cast(ExecState *exec, Oid relation, int attnum, Oid wanted, StrBuf *text)
{
    const TableHandle *table = exec_table(exec, relation);
    const TypeDesc *type = type_find(&exec->session->catalog, wanted);

    if (table && type && column_type(table, attnum) != wanted)
        strbuf_format(text, "::pg_catalog.%.*s",
                      STR_ARGS(identifier_quote(exec->arena, type->name)));
}

void foreign_key_put_condition(ExecState *exec, const ForeignKeyPlan *key, bool of_referenced,
                               int first_parameter, StrBuf *text)
{
    Arena *arena = exec->arena;
    const Str *names = of_referenced ? key->referenced_column_names : key->column_names;

    for (int i = 0; i < key->column_count; i++) {
        const OperatorDesc *equal = operator_find(&exec->session->catalog, key->equal_ops[i]);
        const Str parameter = str_format(arena, "$%d", first_parameter + i);
        const Str column = identifier_enclose(arena, names[i]);
        const Str left = of_referenced ? column : parameter;
        const Str right = of_referenced ? parameter : column;
        strbuf_format(text, "%s%.*s", i > 0 ? " AND " : " WHERE ", STR_ARGS(left));
        if (equal)
            put_cast(exec, key->referenced, key->referenced_columns[i], equal->left, text);
        strbuf_format(text, " OPERATOR(pg_catalog.=) %.*s", STR_ARGS(right));
        if (equal)
            put_cast(exec, key->relation, key->columns[i], equal->right, text);
    }
}

/* In what an error came up while rows of one side were looked for and locked. */
static void add_check_context(ExecState *exec, const ForeignKeyPlan *key, bool of_referenced)
{
    ErrorRecord *record = error_put_aside();
    Arena *arena = exec->arena;
    const Str schema = of_referenced ? key->referenced_schema : key->relation_schema;
    const Str name = of_referenced ? key->referenced_name : key->relation_name;
    StrBuf text = strbuf_in(arena);

    strbuf_format(&text, "SQL statement \"SELECT 1 FROM ONLY %.*s.%.*s x",
                  STR_ARGS(identifier_enclose(arena, schema)),
                  STR_ARGS(identifier_enclose(arena, name)));
    foreign_key_put_condition(exec, key, of_referenced, 1, &text);
    strbuf_append_c(&text, " FOR KEY SHARE OF x\"");
    error_clear();
    error_put_back(record);
    error_add_context(strbuf_view(&text));
}

/* ---- from the referencing row to the referenced one ---- */

/* Bytes of the key in an index whose first key columns are, in some order, `attnums`. */
static bool index_key(const IndexDesc *index, const int *attnums, const Value *values, int count,
                      StrBuf *key)
{
    for (int k = 0; k < count; k++) {
        const IndexColumn *column = &index->columns[k];
        const KeyColumn encoding = {.type = column->type,
                                    .descending = column->descending,
                                    .nulls_first = column->nulls_first};
        for (int i = 0; i < count; i++)
            if (attnums[i] == column->attnum) {
                TRY(key_append(key, &encoding, &values[i], false));
                break;
            }
    }
    return true;
}

/* The referenced row that has these values, 0: none. */
static bool find_referenced(const ForeignKeyLook *look, const Value *values,
                            const Snapshot *snapshot, int64_t *ret_row_id)
{
    ExecState *exec = look->exec;
    Arena *scratch = look->scratch;
    const ForeignKeyPlan *key = look->key;
    IndexHandle *index = exec_index(exec, key->referenced, key->referenced_index);
    TRY(index);
    StrBuf bytes = strbuf_in(scratch);
    TRY(index_key(index->desc, key->referenced_columns, values, key->column_count, &bytes));
    *ret_row_id = 0;
    return txn_index_lookup(exec->session->catalog.txn, snapshot, index->tree, strbuf_view(&bytes),
                            ret_row_id) != FETCH_FAILED;
}

static bool fail_match_full(const ForeignKeyPlan *key)
{
    FAIL(ERR_FOREIGN_KEY_VIOLATION,
         .message = fmt("insert or update on table \"%.*s\" violates foreign key constraint "
                        "\"%.*s\"",
                        STR_ARGS(key->relation_name), STR_ARGS(key->constraint_name)),
         .detail = STR("MATCH FULL does not allow mixing of null and nonnull key values."),
         .schema_name = key->relation_schema, .table_name = key->relation_name,
         .constraint_name = key->constraint_name);
}

static bool fail_missing(const ForeignKeyPlan *key, const TableHandle *table, const Value *values,
                         Arena *scratch)
{
    Str text = describe_key(key, table, false, values, scratch);
    FAIL(ERR_FOREIGN_KEY_VIOLATION,
         .message = fmt("insert or update on table \"%.*s\" violates foreign key constraint "
                        "\"%.*s\"",
                        STR_ARGS(key->relation_name), STR_ARGS(key->constraint_name)),
         .detail = str_format(scratch, "Key %.*s is not present in table \"%.*s\".", STR_ARGS(text),
                              STR_ARGS(key->referenced_name)),
         .schema_name = key->relation_schema, .table_name = key->relation_name,
         .constraint_name = key->constraint_name);
}

static bool fail_changed(ExecState *exec, const ForeignKeyPlan *key)
{
    ERROR_SET(ERR_T_R_SERIALIZATION_FAILURE,
              .message = STR("could not serialize access due to concurrent update"));
    add_check_context(exec, key, true);
    return false;
}

/*
 * Finds and locks the row with these values. One that was deleted or given another key while the
 * lock was waited for is missing, as it is for PostgreSQL, even if another has the key by now.
 */
static bool lock_referenced(const ForeignKeyLook *look, const Value *values, int64_t *ret_row_id)
{
    ExecState *exec = look->exec;
    Arena *scratch = look->scratch;
    const ForeignKeyPlan *key = look->key;
    Txn *txn = exec->session->catalog.txn;
    TableHandle *table = exec_table(exec, key->referenced);
    TRY(table);
    Snapshot then = snapshot_then(exec), now = snapshot_now(exec);
    RowLockRequest request = {.mode = ROW_LOCK_KEY_SHARE,
                              .ignore_changes = true,
                              .snapshot = now,
                              .relation = key->referenced,
                              .relation_name = key->referenced_name};
    RowLockResult result;
    int64_t found;
    TRY(find_referenced(look, values, &then, ret_row_id));
    if (*ret_row_id == 0)
        return true;
    RowLockOutcome outcome =
        txn_lock_row(txn, table->tree, *ret_row_id, &request, scratch, &result);
    if (outcome == ROW_LOCK_FAILED) {
        row_wait_add_context("locking", *ret_row_id, key->referenced_name);
        add_check_context(exec, key, true);
        return false;
    }
    TRY(find_referenced(look, values, &now, &found));
    if (outcome != ROW_LOCK_GONE && found == *ret_row_id)
        return true;
    if (is_repeatable(exec))
        return fail_changed(exec, key);
    *ret_row_id = 0;
    return true;
}

bool foreign_key_check_row(const ForeignKeyLook *look, int64_t row_id, bool locks)
{
    ExecState *exec = look->exec;
    Arena *scratch = look->scratch;
    const ForeignKeyPlan *key = look->key;
    Sides sides;
    KeyRow row;
    Value wanted[MOST_COLUMNS];
    int null_count = 0;
    int64_t found = 0;
    TRY(sides_open(exec, key, &sides));
    switch (read_key(exec, &sides, row_id, scratch, &row)) {
    case FETCH_FAILED:
        return false;
    case FETCH_NONE:
        return true;
    case FETCH_ROW:
        break;
    }
    for (int i = 0; i < key->column_count; i++)
        null_count += row.nulls[i];
    if (null_count > 0 && key->is_match_full && null_count < key->column_count)
        return fail_match_full(key);
    if (null_count > 0)
        return true;
    bool all_fit = true;
    for (int i = 0; i < key->column_count; i++) {
        bool fits;
        TRY(foreign_key_convert(scratch, column_type(sides.table, key->columns[i]),
                                column_type(sides.referenced, key->referenced_columns[i]),
                                &row.values[i], &wanted[i], &fits));
        all_fit &= fits;
    }
    Snapshot now = snapshot_now(exec);
    if (all_fit && locks)
        TRY(lock_referenced(look, wanted, &found));
    else if (all_fit)
        TRY(find_referenced(look, wanted, &now, &found));
    return found != 0 || fail_missing(key, sides.table, row.values, scratch);
}

/* ---- from the referenced row to the referencing ones ---- */

/* Do these values, of the referencing columns, equal the key of the other side? */
static bool values_refer(const Sides *sides, const KeyRow *row, const Value *wanted, Arena *scratch,
                         bool *ret_same)
{
    const ForeignKeyPlan *key = sides->key;
    *ret_same = true;
    for (int i = 0; i < key->column_count && *ret_same; i++) {
        const Oid to = column_type(sides->referenced, key->referenced_columns[i]);
        Value value;
        bool fits = false;
        if (!row->nulls[i])
            TRY(foreign_key_convert(scratch, column_type(sides->table, key->columns[i]), to,
                                    &row->values[i], &value, &fits));
        *ret_same = fits && type_equal(to, &value, &wanted[i]);
    }
    return true;
}

bool foreign_key_row_refers(const ForeignKeyLook *look, const Value *wanted, int64_t row_id,
                            bool *ret_refers)
{
    ExecState *exec = look->exec;
    Arena *scratch = look->scratch;
    const ForeignKeyPlan *key = look->key;
    Sides sides;
    KeyRow row;
    TRY(sides_open(exec, key, &sides));
    *ret_refers = false;
    switch (read_key(exec, &sides, row_id, scratch, &row)) {
    case FETCH_FAILED:
        return false;
    case FETCH_NONE:
        return true;
    case FETCH_ROW:
        break;
    }
    return values_refer(&sides, &row, wanted, scratch, ret_refers);
}

/* The key in the types of the referencing columns, where an index may be asked for it. */
static bool index_values(const Sides *sides, const Value *wanted, Value *ret_values,
                         bool *ret_usable, bool *ret_fits)
{
    const ForeignKeyPlan *key = sides->key;

    *ret_usable = key->relation_index != 0;
    *ret_fits = true;
    for (int i = 0; i < key->column_count && *ret_usable; i++) {
        const Oid from = column_type(sides->referenced, key->referenced_columns[i]);
        const Oid to = column_type(sides->table, key->columns[i]);
        bool fits;
        /* Elsewhere equality across the types may be wider than one value. */
        *ret_usable =
            from == to || (is_integer(from) && is_integer(to)) || (is_text(from) && is_text(to));
        if (!*ret_usable)
            break;
        TRY(foreign_key_convert(NULL, from, to, &wanted[i], &ret_values[i], &fits));
        *ret_fits &= fits;
    }
    return true;
}

static bool rows_by_index(const ForeignKeyLook *look, const Value *values, uint32_t limit,
                          RowIdVec *rows)
{
    ExecState *exec = look->exec;
    Arena *scratch = look->scratch;
    const ForeignKeyPlan *key = look->key;
    IndexHandle *index = exec_index(exec, key->relation, key->relation_index);
    TRY(index);
    Snapshot now = snapshot_now(exec);
    StrBuf low = strbuf_in(scratch), high = strbuf_in(scratch);
    TRY(index_key(index->desc, key->columns, values, key->column_count, &low));
    strbuf_append(&high, strbuf_view(&low));
    IndexScanSpec spec = {.low = strbuf_view(&low),
                          .high = key_prefix_end(&high) ? strbuf_view(&high) : STR_NONE};
    IndexScan *scan =
        index_scan_open(exec->session->catalog.txn, &now, index->tree, &spec, scratch);
    TRY(scan);
    ScanOutcome outcome = SCAN_ROWS;
    IndexEntry entry;
    while ((limit == 0 || rows->length < limit) &&
           (outcome = index_scan_next(scan, &entry)) == SCAN_ROWS)
        VEC_PUSH(scratch, rows, entry.row_id);
    index_scan_close(scan);
    return outcome != SCAN_FAILED;
}

static bool batch_refers(const Sides *sides, const Batch *batch, const Value *wanted,
                         Arena *scratch, RowIdVec *rows)
{
    const int count = sides->key->column_count;
    Arena *row_arena = arena_new("foreign key rows");
    bool done = true;
    FOR_SELECTED (batch->selection, at) {
        KeyRow row;
        Value id;
        bool is_null, same = false;
        arena_reset(row_arena);
        for (int i = 0; i < count; i++)
            vector_get(batch->columns[i], at, &row.values[i], &row.nulls[i]);
        done = done && values_refer(sides, &row, wanted, row_arena, &same);
        if (!done || !same)
            continue;
        vector_get(batch->columns[count], at, &id, &is_null);
        VEC_PUSH(scratch, rows, id.int64);
    }
    arena_free(row_arena);
    return done;
}

static bool rows_by_scan(const ForeignKeyLook *look, const Sides *sides, const Value *wanted,
                         uint32_t limit, RowIdVec *rows)
{
    ExecState *exec = look->exec;
    Arena *scratch = look->scratch;
    const ForeignKeyPlan *key = sides->key;
    uint16_t columns[MOST_COLUMNS + 1];
    for (int i = 0; i < key->column_count; i++)
        columns[i] = (uint16_t)(key->columns[i] - 1);
    columns[key->column_count] = SCAN_ROW_ID;
    Snapshot now = snapshot_now(exec);
    TableScanSpec spec = {.columns = columns, .column_count = (uint32_t)key->column_count + 1};
    TableScan *scan =
        table_scan_open(exec->session->catalog.txn, &now, sides->table->tree, &spec, scratch);
    TRY(scan);
    ScanOutcome outcome = SCAN_ROWS;
    bool done = true;
    while (done && (limit == 0 || rows->length < limit) &&
           (outcome = table_scan_next(scan)) == SCAN_ROWS)
        done = batch_refers(sides, table_scan_batch(scan), wanted, scratch, rows);
    table_scan_close(scan);
    return done && outcome != SCAN_FAILED;
}

bool foreign_key_find_rows(const ForeignKeyLook *look, const Value *wanted, uint32_t limit,
                           RowIdVec *ret_rows)
{
    Sides sides;
    Value values[MOST_COLUMNS];
    bool usable, fits;
    TRY(sides_open(look->exec, look->key, &sides));
    *ret_rows = (RowIdVec){0};
    TRY(index_values(&sides, wanted, values, &usable, &fits));
    if (usable && !fits)
        return true;
    return usable ? rows_by_index(look, values, limit, ret_rows)
                  : rows_by_scan(look, &sides, wanted, limit, ret_rows);
}

static bool fail_referenced(ExecState *exec, const ForeignRemoval *removal, Arena *scratch)
{
    const ForeignKeyPlan *key = removal->key;
    TableHandle *referenced = exec_table(exec, key->referenced);
    TRY(referenced);
    Str text = describe_key(key, referenced, true, removal->old_values, scratch);
    FAIL(ERR_FOREIGN_KEY_VIOLATION,
         .message = fmt("update or delete on table \"%.*s\" violates foreign key constraint "
                        "\"%.*s\" on table \"%.*s\"",
                        STR_ARGS(key->referenced_name), STR_ARGS(key->constraint_name),
                        STR_ARGS(key->relation_name)),
         .detail = str_format(scratch, "Key %.*s is still referenced from table \"%.*s\".",
                              STR_ARGS(text), STR_ARGS(key->relation_name)),
         .schema_name = key->relation_schema, .table_name = key->relation_name,
         .constraint_name = key->constraint_name);
}

bool foreign_key_check_removal(ExecState *exec, Arena *scratch, const ForeignRemoval *removal)
{
    const ForeignKeyPlan *key = removal->key;
    const ForeignKeyLook look = {exec, scratch, key};
    const char action = removal->is_update ? key->on_update : key->on_delete;
    if (action != REFERENCE_RESTRICT) {
        Snapshot now = snapshot_now(exec);
        int64_t other;
        TRY(find_referenced(&look, removal->old_values, &now, &other));
        if (other != 0)
            return true;
    }
    /* A row found may be on its way out: it counts once its deleter has not committed. */
    for (;;) {
        RowIdVec rows;
        RowLockResult result;
        bool refers = false;
        CHECK_INTERRUPTS();
        TRY(foreign_key_find_rows(&look, removal->old_values, 1, &rows));
        if (rows.length == 0)
            return true;
        TableHandle *table = exec_table(exec, key->relation);
        TRY(table);
        RowLockRequest request = {.mode = ROW_LOCK_KEY_SHARE,
                                  .ignore_changes = true,
                                  .snapshot = snapshot_now(exec),
                                  .relation = key->relation,
                                  .relation_name = key->relation_name};
        RowLockOutcome outcome = txn_lock_row(exec->session->catalog.txn, table->tree,
                                              rows.items[0], &request, scratch, &result);
        if (outcome == ROW_LOCK_FAILED) {
            row_wait_add_context("locking", rows.items[0], key->relation_name);
            add_check_context(exec, key, false);
            return false;
        }
        if (outcome != ROW_LOCK_GONE)
            TRY(foreign_key_row_refers(&look, removal->old_values, rows.items[0], &refers));
        if (refers)
            return fail_referenced(exec, removal, scratch);
    }
}
