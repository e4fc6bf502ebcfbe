#include "executor/foreign_key.h"

#include "catalog/lookup.h"
#include "executor/scan_columns.h"
#include "planner/planner.h"
#include "txn/lock.h"
#include "types/identifier.h"

/*
 * CASCADE, SET NULL, SET DEFAULT: rows of the referencing table are found, locked, and given to a
 * modifying node of their own, which sees to their indexes, constraints and foreign keys in turn.
 */

struct ReferentialAction {
    ExecState *exec; /* its own; the queue is the statement's */
    const ForeignKeyPlan *key;
    bool is_update;
    char action;
    NodeState *node;
    int *columns; /* attnums that are set; none: the row is deleted */
    int column_count;
    ExprProgram *defaults; /* SET DEFAULT */
    Batch *batch;          /* row id, then the new values */
};

static void choose_columns(ReferentialAction *action)
{
    const ForeignKeyPlan *key = action->key;
    const bool some = !action->is_update && key->set_column_count > 0;
    if (action->action == REFERENCE_CASCADE && !action->is_update)
        return;
    action->columns = some ? key->set_columns : key->columns;
    action->column_count = some ? key->set_column_count : key->column_count;
}

static bool compile_defaults(ReferentialAction *action, const RelationDesc *table)
{
    ExecState *exec = action->exec;
    Expr **exprs = ARENA_ARRAY(exec->arena, Expr *, action->column_count + 1);
    for (int i = 0; i < action->column_count; i++)
        TRY(exprs[i] = planner_column_default(exec->arena, &exec->session->catalog, table,
                                              action->columns[i]));
    action->defaults = expr_compile(exec, exec_arena(exec, "foreign key defaults"), exprs,
                                    (uint32_t)action->column_count);
    return action->defaults != NULL;
}

static bool action_init(ReferentialAction *action)
{
    ExecState *exec = action->exec;
    const ForeignKeyPlan *key = action->key;
    TableHandle *table = exec_table(exec, key->relation);
    TRY(table);
    choose_columns(action);
    ModifyPlan *plan = planner_modify(exec->arena, &exec->session->catalog, table->desc,
                                      action->column_count > 0 ? QUERY_UPDATE : QUERY_DELETE,
                                      action->columns, action->column_count);
    TRY(plan);
    if (action->action == REFERENCE_SET_DEFAULT)
        TRY(compile_defaults(action, table->desc));
    PhysType *types = ARENA_ARRAY(exec->arena, PhysType, action->column_count + 1);
    types[0] = PHYS_INT64;
    for (int i = 0; i < action->column_count; i++)
        types[i + 1] = relation_column_at(table->desc, action->columns[i])->phys;
    action->batch = batch_new(exec->arena, types, (uint32_t)action->column_count + 1);
    action->node = modify_node_new(exec, plan);
    return action->node != NULL;
}

ReferentialAction *foreign_action_new(ExecState *parent, const ForeignKeyPlan *key, bool is_update)
{
    ExecState *exec = exec_new_bare(parent->session);
    parent->has_offspring = true;
    ReferentialAction *action = ARENA_NEW(exec->arena, ReferentialAction);
    action->exec = exec;
    action->key = key;
    action->is_update = is_update;
    action->action = is_update ? key->on_update : key->on_delete;
    exec->queue = parent->queue;
    exec->snapshot = txn_snapshot_self(exec->session->catalog.txn);
    if (!action_init(action)) {
        foreign_action_free(action);
        return NULL;
    }
    return action;
}

void foreign_action_free(ReferentialAction *action)
{
    if (!action)
        return;
    if (action->node)
        modify_node_free(action->node);
    executor_free(action->exec);
}

/* What the columns become, at every place of the batch. */
static bool new_value(ReferentialAction *action, const ForeignRemoval *removal,
                      const TableHandle *table, int at, Arena *scratch, Value *ret, bool *ret_null)
{
    const ForeignKeyPlan *key = action->key;
    const Oid type = relation_column_at(table->desc, action->columns[at])->type;
    *ret = (Value){0};
    *ret_null = true;
    if (action->action == REFERENCE_SET_DEFAULT) {
        assert(action->defaults);
        vector_get(action->defaults->results[at], 0, ret, ret_null);
    }
    if (action->action != REFERENCE_CASCADE || removal->new_nulls[at])
        return true;
    TableHandle *referenced = exec_table(action->exec, key->referenced);
    TRY(referenced);
    const ColumnDesc *from = relation_column_at(referenced->desc, key->referenced_columns[at]);
    bool fits;
    TRY(foreign_key_convert(scratch, from->type, type, &removal->new_values[at], ret, &fits));
    if (!fits)
        FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE,
             .message =
                 fmt("%.*s out of range", STR_ARGS(type_sql_name(&action->exec->session->catalog,
                                                                 type, TYPMOD_UNASKED, scratch))));
    *ret_null = false;
    return true;
}

/* Locks a row; false in *ret_claimed: it is gone, or refers to something else by now. */
static bool claim(ReferentialAction *action, const ForeignRemoval *removal, int64_t row_id,
                  Arena *scratch, bool *ret_claimed)
{
    ExecState *exec = action->exec;
    const ForeignKeyLook look = {exec, scratch, action->key};
    TableHandle *table = exec_table(exec, action->key->relation);
    TRY(table);
    Txn *txn = exec->session->catalog.txn;
    Snapshot seen = txn_snapshot_self(txn);
    if (txn_isolation(txn) >= ISOLATION_REPEATABLE_READ)
        seen = snapshot_with_command(txn_snapshot(txn), seen.command);
    const ModifyPlan *plan = (const ModifyPlan *)action->node->plan;
    RowLockRequest request = {.mode = plan->lock == LOCK_FOR_UPDATE ? ROW_LOCK_UPDATE
                                                                    : ROW_LOCK_NO_KEY_UPDATE,
                              .snapshot = seen,
                              .for_writing = true,
                              .relation = action->key->relation,
                              .relation_name = action->key->relation_name};
    RowLockResult result;
    *ret_claimed = false;
    RowLockOutcome outcome = txn_lock_row(txn, table->tree, row_id, &request, scratch, &result);
    if (outcome == ROW_LOCK_FAILED)
        row_wait_add_context(action->column_count > 0 ? "updating" : "deleting", row_id,
                             action->key->relation_name);
    TRY(outcome);
    return outcome == ROW_LOCK_GONE ||
           foreign_key_row_refers(&look, removal->old_values, row_id, ret_claimed);
}

static bool push(ReferentialAction *action, const Value *values, const bool *nulls, uint32_t count)
{
    Batch *batch = action->batch;
    for (int i = 0; i < action->column_count; i++) {
        vector_begin(batch->columns[i + 1], count);
        for (uint32_t row = 0; row < count; row++)
            vector_set(batch->columns[i + 1], row, &values[i], nulls[i]);
    }
    batch->row_count = count;
    batch->selection = (Selection){.count = count};
    return count == 0 || modify_push(action->node, batch);
}

static Str column_quoted(const ReferentialAction *action, Arena *arena, int attnum)
{
    const ForeignKeyPlan *key = action->key;
    int at = 0;
    while (key->columns[at] != attnum)
        at++;
    return identifier_enclose(arena, key->column_names[at]);
}

/* The statement that the action is like, for the context of an error in it. */
static Str action_text(const ReferentialAction *action, Arena *arena)
{
    const ForeignKeyPlan *key = action->key;
    const bool cascades = action->action == REFERENCE_CASCADE;
    StrBuf text = strbuf_in(arena);
    int parameter = 1;

    strbuf_format(&text, "%s ONLY %.*s.%.*s", action->column_count > 0 ? "UPDATE" : "DELETE FROM",
                  STR_ARGS(identifier_enclose(arena, key->relation_schema)),
                  STR_ARGS(identifier_enclose(arena, key->relation_name)));
    for (int i = 0; i < action->column_count; i++) {
        const Str name = column_quoted(action, arena, action->columns[i]);
        strbuf_format(&text, "%s%.*s = ", i > 0 ? ", " : " SET ", STR_ARGS(name));
        if (cascades)
            strbuf_format(&text, "$%d", parameter++);
        else
            strbuf_append_c(&text, action->defaults ? "DEFAULT" : "NULL");
    }
    foreign_key_put_condition(action->exec, key, false, parameter, &text);
    return strbuf_view(&text);
}

static bool rows_change(ReferentialAction *action, Arena *scratch, const ForeignRemoval *removal,
                        TableHandle *table, const RowIdVec *rows)
{
    uint32_t count = 0;
    Value *values = ARENA_ARRAY(scratch, Value, action->column_count + 1);
    bool *nulls = ARENA_ARRAY(scratch, bool, action->column_count + 1);
    if (action->defaults)
        TRY(expr_run_scalar(action->defaults));
    for (int i = 0; i < action->column_count; i++)
        TRY(new_value(action, removal, table, i, scratch, &values[i], &nulls[i]));
    for (size_t i = 0; i < rows->length; i++) {
        bool claimed;
        CHECK_INTERRUPTS();
        arena_reset(action->exec->arena_scratch);
        TRY(claim(action, removal, rows->items[i], action->exec->arena_scratch, &claimed));
        if (!claimed)
            continue;
        VECTOR_VALUES(action->batch->columns[0], int64_t)[count++] = rows->items[i];
        if (count == VECTOR_SIZE) {
            TRY(push(action, values, nulls, count));
            count = 0;
        }
    }
    return push(action, values, nulls, count);
}

bool foreign_action_run(ReferentialAction *action, Arena *scratch, const ForeignRemoval *removal)
{
    ExecState *exec = action->exec;
    TableHandle *table = exec_table(exec, action->key->relation);
    RowIdVec rows;
    TRY(table);
    TRY(foreign_key_find_rows(&(ForeignKeyLook){exec, scratch, action->key}, removal->old_values, 0,
                              &rows));
    if (rows.length == 0)
        return true;
    if (!rows_change(action, scratch, removal, table, &rows)) {
        error_add_context(fmt("SQL statement \"%.*s\"", STR_ARGS(action_text(action, scratch))));
        return false;
    }
    /* The default may be the very value that went away. */
    return action->action != REFERENCE_SET_DEFAULT ||
           foreign_key_check_removal(exec, scratch, removal);
}
