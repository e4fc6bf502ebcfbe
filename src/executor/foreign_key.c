#include "executor/foreign_key.h"

#include "catalog/lookup.h"
#include "executor/modify.h"
#include "executor/sequences.h"
#include "txn/lock.h"
#include "types/key.h"

/* One referencing value to be looked up at the end of the statement or transaction. */
typedef struct PendingKey {
    struct PendingKey *next;
    const ForeignKeyPlan *plan;
    Value *values; /* in the referencing columns' order */
    bool is_removal; /* a referenced key went away: no row may refer to it any more */
} PendingKey;

struct ForeignKeys {
    ExecState *exec;
    const ModifyPlan *plan;
    Arena *arena;      /* of the pending keys */
    PendingKey *first, **last;
};

ForeignKeys *foreign_keys_new(ExecState *exec, const ModifyPlan *plan)
{
    ForeignKeys *keys = ARENA_NEW(exec->arena, ForeignKeys);
    keys->exec = exec;
    keys->plan = plan;
    keys->last = &keys->first;
    return keys;
}

void foreign_keys_reset(ForeignKeys *keys)
{
    arena_free(keys->arena);
    keys->arena = NULL;
    keys->first = NULL;
    keys->last = &keys->first;
}

static const ColumnDesc *key_column(ForeignKeys *keys, const ForeignKeyPlan *fk, bool referenced,
                                    int i)
{
    TableHandle *table = exec_table(keys->exec, referenced ? fk->referenced : fk->relation);
    return table ? relation_column_at(table->desc, (referenced ? fk->referenced_columns
                                                               : fk->columns)[i])
                 : NULL;
}

/* "(a, b)=(1, 2)" */
static Str describe_key(ForeignKeys *keys, const ForeignKeyPlan *fk, const Value *values,
                        bool referenced)
{
    Arena *arena = keys->arena;
    StrBuf text = strbuf_in(arena);
    Str *names = referenced ? fk->referenced_column_names : fk->column_names;
    strbuf_append_char(&text, '(');
    for (int i = 0; i < fk->column_count; i++)
        strbuf_format(&text, "%s%.*s", i ? ", " : "", STR_ARGS(names[i]));
    strbuf_append_c(&text, ")=(");
    for (int i = 0; i < fk->column_count; i++) {
        const ColumnDesc *column = key_column(keys, fk, referenced, i);
        if (i > 0)
            strbuf_append_c(&text, ", ");
        if (!column || !type_output(column->type, &values[i], &text))
            error_clear();
    }
    strbuf_append_char(&text, ')');
    return strbuf_view(&text);
}

static bool pending_add(ForeignKeys *keys, const ForeignKeyPlan *fk, const ExprInput *row,
                        uint32_t at, bool is_removal)
{
    if (!keys->arena)
        keys->arena = arena_new("foreign keys");
    PendingKey *pending = ARENA_NEW(keys->arena, PendingKey);
    pending->plan = fk;
    pending->is_removal = is_removal;
    pending->values = ARENA_ARRAY(keys->arena, Value, fk->column_count);
    const int *columns = is_removal ? fk->referenced_columns : fk->columns;
    int null_count = 0;
    for (int i = 0; i < fk->column_count; i++) {
        const Vector *v = row->slots[0][columns[i] - 1];
        bool is_null;
        vector_get(v, at, &pending->values[i], &is_null);
        null_count += is_null;
        if (!is_null)
            pending->values[i] = value_copy(keys->arena, v->type, &pending->values[i]);
    }
    if (null_count > 0 && !is_removal && fk->is_match_full && null_count < fk->column_count)
        FAIL(ERR_FOREIGN_KEY_VIOLATION,
             .message = fmt("insert or update on table \"%.*s\" violates foreign key constraint "
                            "\"%.*s\"", STR_ARGS(fk->relation_name), STR_ARGS(fk->constraint_name)),
             .detail = STR("MATCH FULL does not allow mixing of null and nonnull key values."),
             .schema_name = fk->relation_schema, .table_name = fk->relation_name,
             .constraint_name = fk->constraint_name);
    if (null_count > 0)
        return true;
    *keys->last = pending;
    keys->last = &pending->next;
    return true;
}

bool foreign_keys_added(ForeignKeys *keys, const ExprInput *row, uint32_t at)
{
    for (size_t i = 0; i < keys->plan->references.length; i++)
        TRY(pending_add(keys, &keys->plan->references.items[i], row, at, false));
    return true;
}

static bool key_changed(const ForeignKeyPlan *fk, const ExprInput *old_row,
                        const ExprInput *new_row, uint32_t at)
{
    for (int i = 0; i < fk->column_count; i++) {
        int column = fk->referenced_columns[i] - 1;
        Value a, b;
        bool a_null, b_null;
        vector_get(old_row->slots[0][column], at, &a, &a_null);
        vector_get(new_row->slots[0][column], at, &b, &b_null);
        PhysType phys = old_row->slots[0][column]->type;
        if (a_null != b_null)
            return true;
        if (a_null)
            continue;
        if (phys == PHYS_VAR ? !var_equal(&a.var, &b.var) : memcmp(&a, &b, phys_width(phys)) != 0)
            return true;
    }
    return false;
}

bool foreign_keys_removed(ForeignKeys *keys, const ExprInput *old_row, const ExprInput *new_row,
                          uint32_t at)
{
    for (size_t i = 0; i < keys->plan->referenced.length; i++) {
        const ForeignKeyPlan *fk = &keys->plan->referenced.items[i];
        if (new_row && !key_changed(fk, old_row, new_row, at))
            continue;
        char action = new_row ? fk->on_update : fk->on_delete;
        if (action != 'a' && action != 'r')
            FAIL_UNSUPPORTED("a foreign key with ON DELETE or ON UPDATE actions");
        TRY(pending_add(keys, fk, old_row, at, true));
    }
    return true;
}

/* The row with these key values in the unique index, by what is there now; 0: none. */
static bool find_referenced(ForeignKeys *keys, const PendingKey *pending, int64_t *ret_row_id)
{
    const ForeignKeyPlan *fk = pending->plan;
    Txn *txn = keys->exec->session->catalog.txn;
    IndexHandle *index = exec_index(keys->exec, fk->referenced, fk->referenced_index);
    TRY(index);
    StrBuf key = strbuf_in(keys->arena);
    for (uint16_t k = 0; k < index->desc->key_count; k++) {
        const IndexColumn *column = &index->desc->columns[k];
        KeyColumn encoding = {.type = column->type, .descending = column->descending,
                              .nulls_first = column->nulls_first};
        for (int i = 0; i < fk->column_count; i++)
            if (fk->referenced_columns[i] == column->attnum)
                TRY(key_append(&key, &encoding, &pending->values[i], false));
    }
    Snapshot now = txn_snapshot_self(txn);
    *ret_row_id = 0;
    return txn_index_lookup(txn, &now, index->tree, strbuf_view(&key), ret_row_id) != FETCH_FAILED;
}

static bool check_reference(ForeignKeys *keys, const PendingKey *pending)
{
    const ForeignKeyPlan *fk = pending->plan;
    Txn *txn = keys->exec->session->catalog.txn;
    int64_t row_id;
    TRY(find_referenced(keys, pending, &row_id));
    if (row_id != 0) {
        TableHandle *table = exec_table(keys->exec, fk->referenced);
        TRY(table);
        RowLockRequest request = {.mode = ROW_LOCK_KEY_SHARE, .ignore_changes = true,
                                  .snapshot = txn_snapshot_self(txn),
                                  .relation_name = fk->referenced_name};
        RowLockResult result;
        switch (txn_lock_row(txn, table->tree, row_id, &request, keys->arena, &result)) {
        case ROW_LOCK_FAILED: return false;
        case ROW_LOCK_GONE: row_id = 0; break;
        default: break;
        }
    }
    if (row_id != 0)
        return true;
    FAIL(ERR_FOREIGN_KEY_VIOLATION,
         .message = fmt("insert or update on table \"%.*s\" violates foreign key constraint "
                        "\"%.*s\"", STR_ARGS(fk->relation_name), STR_ARGS(fk->constraint_name)),
         .detail = str_format(keys->arena, "Key %.*s is not present in table \"%.*s\".",
                              STR_ARGS(describe_key(keys, fk, pending->values, false)),
                              STR_ARGS(fk->referenced_name)),
         .schema_name = fk->relation_schema, .table_name = fk->relation_name,
         .constraint_name = fk->constraint_name);
}

/* Looks through the referencing table for a row that still has the key. */
static bool find_referencing(ForeignKeys *keys, const PendingKey *pending, bool *ret_found)
{
    const ForeignKeyPlan *fk = pending->plan;
    Txn *txn = keys->exec->session->catalog.txn;
    TableHandle *table = exec_table(keys->exec, fk->relation);
    TRY(table);
    uint16_t columns[32];
    for (int i = 0; i < fk->column_count; i++)
        columns[i] = (uint16_t)(fk->columns[i] - 1);
    Snapshot now = txn_snapshot_self(txn);
    TableScanSpec spec = {.columns = columns, .column_count = (uint32_t)fk->column_count};
    TableScan *scan = table_scan_open(txn, &now, table->tree, &spec, keys->arena);
    TRY(scan);
    ScanOutcome outcome = SCAN_END;
    *ret_found = false;
    while (!*ret_found && (outcome = table_scan_next(scan)) == SCAN_ROWS) {
        Batch *batch = table_scan_batch(scan);
        FOR_SELECTED(batch->selection, row)
        {
            bool same = true;
            for (int i = 0; i < fk->column_count && same; i++) {
                Value value;
                bool is_null;
                vector_get(batch->columns[i], row, &value, &is_null);
                const ColumnDesc *column = relation_column_at(table->desc, fk->columns[i]);
                same = !is_null && type_equal(column->type, &value, &pending->values[i]);
            }
            *ret_found |= same;
        }
    }
    table_scan_close(scan);
    return outcome != SCAN_FAILED;
}

static bool check_removal(ForeignKeys *keys, const PendingKey *pending)
{
    const ForeignKeyPlan *fk = pending->plan;
    int64_t row_id;
    bool found;
    /* Another row may have the key by now (NO ACTION looks at the end of the statement). */
    TRY(find_referenced(keys, pending, &row_id));
    if (row_id != 0)
        return true;
    TRY(find_referencing(keys, pending, &found));
    if (!found)
        return true;
    FAIL(ERR_FOREIGN_KEY_VIOLATION,
         .message = fmt("update or delete on table \"%.*s\" violates foreign key constraint "
                        "\"%.*s\" on table \"%.*s\"", STR_ARGS(fk->referenced_name),
                        STR_ARGS(fk->constraint_name), STR_ARGS(fk->relation_name)),
         .detail = str_format(keys->arena, "Key %.*s is still referenced from table \"%.*s\".",
                              STR_ARGS(describe_key(keys, fk, pending->values, true)),
                              STR_ARGS(fk->relation_name)),
         .schema_name = fk->relation_schema, .table_name = fk->relation_name,
         .constraint_name = fk->constraint_name);
}

bool foreign_keys_finish(ForeignKeys *keys)
{
    for (PendingKey *pending = keys->first; pending; pending = pending->next) {
        CHECK_INTERRUPTS();
        TRY(pending->is_removal ? check_removal(keys, pending) : check_reference(keys, pending));
    }
    foreign_keys_reset(keys);
    return true;
}

/* ---- checks put off: every key is checked at the end of its statement, so none is queued ---- */

bool executor_deferred_run(ExecSession *session)
{
    return true;
}

void executor_deferred_clear(ExecSession *session)
{
    session->deferred = NULL;
}

size_t executor_deferred_mark(const ExecSession *session)
{
    return 0;
}

void executor_deferred_rewind(ExecSession *session, size_t mark)
{
}

bool executor_set_constraints(ExecSession *session, const Oid *oids, uint32_t count,
                              bool is_deferred)
{
    if (is_deferred && oids)
        FAIL_UNSUPPORTED("SET CONSTRAINTS … DEFERRED");
    return true;
}
