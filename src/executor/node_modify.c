#include "base/error_record.h"
#include "executor/constraint_queue.h"
#include "executor/index_key.h"
#include "executor/scan_columns.h"
#include "executor/usage.h"
#include "txn/lock.h"

/*
 * INSERT, UPDATE, DELETE. The child gives rows; each is locked, checked and written, in the child's
 * order. The new (DELETE: old) rows lie beside the child's in `fresh`, under the same row numbers,
 * which is what RETURNING and the constraints read.
 */

typedef struct ModifyState {
    NodeState base;
    TableHandle *table;
    uint32_t attributes;
    Batch *fresh, *old; /* fresh: its own, or a view of the child's columns */
    Batch *own_fresh, view;
    uint32_t capacity;
    ScanColumns old_columns; /* all attributes, for one row by id */
    ExprProgram *assign, *assign_newest, *recheck, *generated, *checks;
    ExprProgram *conflict_set, *conflict_where;
    IndexKeyBuilder *indexes;
    RelationUsage *usage;
    uint16_t *done; /* rows of the batch that have been written */
    uint32_t done_count;
    uint32_t inserting; /* the row of the batch that is at work, or failed */
    int64_t *row_ids;   /* of rows that were written at once, before their entries */
    int64_t written_id; /* of the row at work, if it is one of those; or 0 */
    uint64_t taken;     /* rows that the child has given */
    bool is_finished;
    Value *values;
    bool *nulls;
    TxnBulk *bulk;    /* rows of COPY go this way; or NULL */
    TxnBulk *many;    /* rows of an INSERT of many; or NULL */
    Arena *row_arena; /* images; reset per row */
    bool was_own;     /* the row being updated was written by this transaction before */
    Arena *old_arena; /* old rows; reset per batch */
} ModifyState;

static ExprProgram *compile_assigns(ExecState *exec, Arena *scratch, const ColumnAssign *items,
                                    size_t count)
{
    Expr **exprs = ARENA_ARRAY(exec->arena, Expr *, count + 1);
    for (size_t i = 0; i < count; i++)
        exprs[i] = items[i].expr;
    return expr_compile(exec, scratch, exprs, (uint32_t)count);
}

static bool compile_programs(ModifyState *state, const ModifyPlan *plan)
{
    ExecState *exec = state->base.exec;
    Arena *scratch = state->base.scratch;
    Expr **checks = ARENA_ARRAY(exec->arena, Expr *, plan->checks.length + 1);
    for (size_t i = 0; i < plan->checks.length; i++)
        checks[i] = plan->checks.items[i].condition;
    TRY(state->assign = compile_assigns(exec, scratch, plan->assign.items, plan->assign.length));
    TRY(state->assign_newest =
            compile_assigns(exec, scratch, plan->assign_newest.items, plan->assign_newest.length));
    TRY(state->recheck =
            expr_compile(exec, scratch, plan->recheck.items, (uint32_t)plan->recheck.length));
    TRY(state->generated =
            compile_assigns(exec, scratch, plan->generated.items, plan->generated.length));
    TRY(state->checks = expr_compile(exec, scratch, checks, (uint32_t)plan->checks.length));
    if (plan->conflict) {
        TRY(state->conflict_set = compile_assigns(exec, scratch, plan->conflict->set.items,
                                                  plan->conflict->set.length));
        TRY(state->conflict_where = expr_compile(exec, scratch, plan->conflict->where.items,
                                                 (uint32_t)plan->conflict->where.length));
    }
    return true;
}

static bool modify_init(NodeState *node)
{
    ModifyState *state = (ModifyState *)node;
    const ModifyPlan *plan = (const ModifyPlan *)node->plan;
    ExecState *exec = node->exec;
    TRY(state->table = exec_table(exec, plan->relation));
    state->attributes = (uint32_t)plan->attribute_count;
    exec_usage(exec, plan->relation, &state->usage);
    state->row_arena = arena_new("modify row");
    state->old_arena = arena_new("modify old rows");
    int *attnums = ARENA_ARRAY(exec->arena, int, state->attributes + 1);
    for (uint32_t i = 0; i < state->attributes; i++)
        attnums[i] = (int)i + 1;
    TRY(scan_columns_init(&state->old_columns, exec, plan->relation, attnums, state->attributes));
    TRY(compile_programs(state, plan));
    state->indexes = ARENA_ARRAY(exec->arena, IndexKeyBuilder, plan->indexes.length + 1);
    for (size_t i = 0; i < plan->indexes.length; i++)
        TRY(index_key_init(&state->indexes[i], exec, node->scratch, plan->relation,
                           &plan->indexes.items[i]));
    state->values = ARENA_ARRAY(exec->arena, Value, state->attributes + 1);
    state->nulls = ARENA_ARRAY(exec->arena, bool, state->attributes + 1);
    state->done = arena_alloc(exec->arena, VECTOR_SIZE * sizeof(uint16_t));
    return !plan->has_returning || node_init_projection(node);
}

/* Behind the row's attributes is its id. */
static Batch *row_batch(ModifyState *state, uint32_t capacity)
{
    Arena *arena = state->base.exec->arena;
    Batch *batch = ARENA_NEW(arena, Batch);
    batch->columns = ARENA_ARRAY(arena, Vector *, state->attributes + 1);
    batch->column_count = state->attributes + 1;
    for (uint32_t i = 0; i <= state->attributes; i++) {
        Vector *v = ARENA_NEW(arena, Vector);
        v->type =
            i < state->attributes ? state->table->desc->columns[i].phys : (PhysType)PHYS_INT64;
        v->values = arena_alloc_zeroed(arena, MAX(phys_width(v->type), (size_t)1) * capacity);
        v->nulls = arena_alloc_zeroed(arena, capacity);
        v->has_nulls = true;
        batch->columns[i] = v;
    }
    return batch;
}

static void reserve(ModifyState *state, uint32_t rows)
{
    if (rows <= state->capacity)
        return;
    const uint32_t kept = state->capacity;
    const Batch *before = state->own_fresh;
    state->capacity = rows <= 4 ? 4 : rows <= 64 ? 64 : VECTOR_SIZE;
    state->fresh = state->own_fresh = row_batch(state, state->capacity);
    state->old = row_batch(state, state->capacity);
    /* Rows of the batch may have been checked already. */
    for (uint32_t i = 0; before && i <= state->attributes; i++) {
        Vector *v = state->own_fresh->columns[i];
        memcpy(v->values, before->columns[i]->values, phys_width(v->type) * kept);
        memcpy(v->nulls, before->columns[i]->nulls, kept);
    }
}

static void put(Batch *batch, uint32_t column, uint32_t row, const Value *value, bool is_null)
{
    Vector *v = batch->columns[column];
    if (v->type == PHYS_NONE) {
        v->nulls[row] = 1;
        return;
    }
    vector_set(v, row, value, is_null);
    v->nulls[row] = is_null;
    v->has_nulls = true;
}

/* ---- messages ---- */

static Str failing_row(ModifyState *state, Batch *rows, uint32_t row)
{
    StrBuf text = strbuf_in(state->row_arena);
    bool first = true;
    strbuf_append_c(&text, "Failing row contains (");
    for (uint32_t c = 0; c < state->attributes; c++) {
        const ColumnDesc *column = &state->table->desc->columns[c];
        Value value;
        bool is_null;
        if (column->dropped)
            continue;
        if (!first)
            strbuf_append_c(&text, ", ");
        first = false;
        vector_get(rows->columns[c], row, &value, &is_null);
        size_t start = text.length;
        if (is_null)
            strbuf_append_c(&text, "null");
        else if (!type_output(column->type, &value, &text))
            error_clear();
        if (text.length - start > 64) {
            strbuf_truncate(&text, start + 64);
            strbuf_append_c(&text, "...");
        }
    }
    strbuf_append_c(&text, ").");
    return strbuf_view(&text);
}

static bool fail_not_null(ModifyState *state, const ModifyPlan *plan, uint32_t row, int attnum)
{
    Str column = state->table->desc->columns[attnum - 1].name;
    FAIL(ERR_NOT_NULL_VIOLATION,
         .message = fmt("null value in column \"%.*s\" of relation \"%.*s\" violates not-null "
                        "constraint",
                        STR_ARGS(column), STR_ARGS(plan->relation_name)),
         .detail = failing_row(state, state->fresh, row), .schema_name = plan->schema_name,
         .table_name = plan->relation_name, .column_name = column);
}

static bool fail_check(ModifyState *state, const ModifyPlan *plan, uint32_t row,
                       const CheckPlan *check)
{
    if (check->is_view_check)
        FAIL(ERR_WITH_CHECK_OPTION_VIOLATION,
             .message =
                 fmt("new row violates check option for view \"%.*s\"", STR_ARGS(check->view_name)),
             .detail = failing_row(state, state->fresh, row));
    FAIL(ERR_CHECK_VIOLATION,
         .message = fmt("new row for relation \"%.*s\" violates check constraint \"%.*s\"",
                        STR_ARGS(plan->relation_name), STR_ARGS(check->name)),
         .detail = failing_row(state, state->fresh, row), .schema_name = plan->schema_name,
         .table_name = plan->relation_name, .constraint_name = check->name);
}

static bool fail_arbiter(const ModifyPlan *plan, const IndexMaintain *index)
{
    FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
         .message = STR("ON CONFLICT does not support deferrable unique constraints/exclusion "
                        "constraints as arbiters"),
         .schema_name = plan->schema_name, .table_name = plan->relation_name,
         .constraint_name = index->name);
}

static bool fail_unique(ModifyState *state, const ModifyPlan *plan, IndexKeyBuilder *index,
                        const ExprInput *input, uint32_t row)
{
    Str key = index_key_describe(index, input, row, state->row_arena);
    FAIL(ERR_UNIQUE_VIOLATION,
         .message = fmt("duplicate key value violates unique constraint \"%.*s\"",
                        STR_ARGS(index->plan->name)),
         .detail = str_format(state->row_arena, "%.*s already exists.", STR_ARGS(key)),
         .schema_name = plan->schema_name, .table_name = plan->relation_name,
         .constraint_name = index->plan->name);
}

/* ---- constraints of one row in `fresh` ---- */

static bool check_row(ModifyState *state, const ModifyPlan *plan, const ExprInput *input,
                      uint32_t row)
{
    uint16_t at = (uint16_t)row;
    Selection one = {.rows = &at, .count = 1};
    if (state->generated->count > 0) {
        TRY(expr_run(state->generated, input, one));
        for (size_t i = 0; i < plan->generated.length; i++) {
            Value value;
            bool is_null;
            vector_get(state->generated->results[i], row, &value, &is_null);
            put(state->fresh, (uint32_t)plan->generated.items[i].attnum - 1, row, &value, is_null);
        }
    }
    for (size_t i = 0; i < plan->not_null.length; i++)
        if (vector_is_null(state->fresh->columns[plan->not_null.items[i] - 1], row))
            return fail_not_null(state, plan, row, plan->not_null.items[i]);
    if (state->checks->count == 0)
        return true;
    TRY(expr_run(state->checks, input, one));
    for (size_t i = 0; i < plan->checks.length; i++) {
        Value value;
        bool is_null;
        vector_get(state->checks->results[i], row, &value, &is_null);
        bool failed = plan->checks.items[i].is_view_check ? is_null || !value.boolean
                                                          : !is_null && !value.boolean;
        if (failed)
            return fail_check(state, plan, row, &plan->checks.items[i]);
    }
    return true;
}

static bool row_image(ModifyState *state, Str *ret_image)
{
    Txn *txn = state->base.exec->session->catalog.txn;
    const Layout *layout = txn_tree_layout(txn, state->table->tree);
    return row_image_make(state->row_arena, layout, state->values, state->nulls, ret_image);
}

static void take_values(ModifyState *state, uint32_t row)
{
    for (uint32_t c = 0; c < state->attributes; c++) {
        const Vector *v = state->fresh->columns[c];
        if (v->type == PHYS_NONE)
            state->nulls[c] = true;
        else
            vector_get(v, row, &state->values[c], &state->nulls[c]);
    }
}

/* Does this unique index arbitrate the statement's ON CONFLICT? */
static bool is_arbiter(const ConflictPlan *conflict, const IndexMaintain *index)
{
    if (conflict->indexes.length == 0)
        return conflict->constraint == OID_NONE || conflict->constraint == index->constraint;
    for (size_t i = 0; i < conflict->indexes.length; i++)
        if (conflict->indexes.items[i] == index->index)
            return true;
    return false;
}

/* One unique index. *ret_other: the row that has the key; 0: none has. */
static bool probe_unique(ModifyState *state, const ModifyPlan *plan, size_t i,
                         const ExprInput *input, uint32_t row, int64_t self, bool keeps_no_lock,
                         int64_t *ret_other)
{
    Txn *txn = state->base.exec->session->catalog.txn;
    UniqueProbe check = {.index = state->indexes[i].index->tree,
                         .table = state->table->tree,
                         .self_row_id = self,
                         .keeps_no_lock = keeps_no_lock,
                         .waits_for_nobody = plan->indexes.items[i].is_deferrable};
    bool skip, has_null;
    int64_t other;
    *ret_other = 0;
    TRY(index_key_make(&state->indexes[i], input, row, &check.key, &skip, &has_null));
    if (skip || (has_null && !plan->indexes.items[i].nulls_not_distinct))
        return true;
    const UniqueOutcome outcome = txn_unique_check(txn, &check, &other);
    if (outcome == UNIQUE_FAILED) {
        const int64_t own = self ? self : state->written_id;
        row_wait_add_context("inserting index",
                             own ? own : txn_next_row_id(txn, state->table->tree),
                             keeps_no_lock ? plan->relation_name : plan->indexes.items[i].name);
        return false;
    }
    if (outcome == UNIQUE_CONFLICT)
        *ret_other = other;
    return true;
}

/*
 * ON CONFLICT looks at the indexes that decide it before any key is locked for good: what waits
 * there, or has nothing to insert in the end, is in nobody's way.
 */
static bool probe_arbiters(ModifyState *state, const ModifyPlan *plan, const ExprInput *input,
                           uint32_t row, int64_t *ret_conflict)
{
    for (size_t i = 0; i < plan->indexes.length && *ret_conflict == 0; i++) {
        const IndexMaintain *index = &plan->indexes.items[i];
        if (!index->is_unique || !is_arbiter(plan->conflict, index))
            continue;
        if (index->is_deferrable)
            return fail_arbiter(plan, index);
        TRY(probe_unique(state, plan, i, input, row, 0, true, ret_conflict));
    }
    return true;
}

/*
 * Unique indexes first, so that a row that may not stay is never written. Keys that may be doubled
 * until the statement's or the transaction's end are looked at then, and waited for then.
 */
static bool check_unique(ModifyState *state, const ModifyPlan *plan, const ExprInput *input,
                         uint32_t row, int64_t self, bool affected_only, int64_t *ret_conflict)
{
    if (ret_conflict)
        TRY(probe_arbiters(state, plan, input, row, ret_conflict));
    if (ret_conflict && *ret_conflict != 0)
        return true;
    for (size_t i = 0; i < plan->indexes.length; i++) {
        const IndexMaintain *index = &plan->indexes.items[i];
        int64_t other;
        if (!index->is_unique || (affected_only && !index->is_affected))
            continue;
        TRY(probe_unique(state, plan, i, input, row, self, false, &other));
        if (other == 0 || index->is_deferrable)
            continue;
        if (!ret_conflict || !is_arbiter(plan->conflict, index))
            return fail_unique(state, plan, &state->indexes[i], input, row);
        *ret_conflict = other;
        return true;
    }
    return true;
}

/* ---- what is looked at when the statement has done its work ---- */

static bool columns_differ(const ExprInput *old_row, const ExprInput *new_row, uint32_t at,
                           const int *attnums, int count)
{
    for (int i = 0; i < count; i++) {
        const Vector *old_column = old_row->slots[0][attnums[i] - 1];
        const PhysType phys = old_column->type;
        Value a, b;
        bool a_null, b_null;
        vector_get(old_column, at, &a, &a_null);
        vector_get(new_row->slots[0][attnums[i] - 1], at, &b, &b_null);
        if (a_null != b_null)
            return true;
        if (!a_null &&
            (phys == PHYS_VAR ? !var_equal(&a.var, &b.var) : memcmp(&a, &b, phys_width(phys)) != 0))
            return true;
    }
    return false;
}

/* Does the row refer to anything? With MATCH FULL half a key is looked at as well. */
static bool has_reference(const ForeignKeyPlan *key, const ExprInput *row, uint32_t at)
{
    int null_count = 0;
    for (int i = 0; i < key->column_count; i++)
        null_count += vector_is_null(row->slots[0][key->columns[i] - 1], at);
    return null_count == 0 || (key->is_match_full && null_count < key->column_count);
}

/*
 * A row that was this transaction's before it was updated: its reference is looked at again even if
 * it is the same, as PostgreSQL does, so that as much is locked.
 */
static void row_written(ModifyState *state, const ModifyPlan *plan, const ExprInput *old_row,
                        const ExprInput *new_row, uint32_t at, int64_t row_id)
{
    ExecState *exec = state->base.exec;
    for (size_t i = 0; i < plan->references.length; i++) {
        const ForeignKeyPlan *key = &plan->references.items[i];
        const ConstraintTrigger trigger = old_row ? TRIGGER_CHECK_UPDATE : TRIGGER_CHECK_INSERT;
        if (constraint_trigger_fires(key->triggers[trigger]) && has_reference(key, new_row, at) &&
            (!old_row || state->was_own ||
             columns_differ(old_row, new_row, at, key->columns, key->column_count)))
            constraint_queue_reference(exec_queue(exec), key, row_id);
    }
    for (size_t i = 0; i < plan->indexes.length; i++) {
        const IndexMaintain *index = &plan->indexes.items[i];
        if (index->is_unique && index->is_deferrable && (!old_row || index->is_affected) &&
            constraint_trigger_fires(index->recheck_trigger))
            constraint_queue_unique(exec_queue(exec), plan->relation, index, row_id);
    }
}

static void row_removed(ModifyState *state, const ModifyPlan *plan, const ExprInput *old_row,
                        const ExprInput *new_row, uint32_t at)
{
    for (size_t i = 0; i < plan->referenced.length; i++) {
        const ForeignKeyPlan *key = &plan->referenced.items[i];
        const ConstraintTrigger trigger = new_row ? TRIGGER_ACTION_UPDATE : TRIGGER_ACTION_DELETE;
        if (!constraint_trigger_fires(key->triggers[trigger]))
            continue;
        if (!new_row ||
            columns_differ(old_row, new_row, at, key->referenced_columns, key->column_count))
            constraint_queue_removal(exec_queue(state->base.exec), key, old_row, new_row, at);
    }
}

static void note_row_id(ModifyState *state, uint32_t row, int64_t row_id)
{
    const Value id = {.int64 = row_id};
    put(state->fresh, state->attributes, row, &id, false);
}

/* Keys of unique indexes have just been made, by check_unique. */
static bool insert_entries(ModifyState *state, const ModifyPlan *plan, const ExprInput *input,
                           uint32_t row, int64_t row_id)
{
    Txn *txn = state->base.exec->session->catalog.txn;
    for (size_t i = 0; i < plan->indexes.length; i++) {
        Str key;
        bool skip, has_null;
        if (plan->indexes.items[i].is_unique)
            key = index_key_last(&state->indexes[i], &skip);
        else
            TRY(index_key_make(&state->indexes[i], input, row, &key, &skip, &has_null));
        if (!skip)
            TRY(txn_index_insert(txn, state->indexes[i].index->tree, key, row_id));
    }
    row_written(state, plan, NULL, input, row, row_id);
    note_row_id(state, row, row_id);
    return true;
}

static bool insert_row(ModifyState *state, const ModifyPlan *plan, const ExprInput *input,
                       uint32_t row)
{
    Txn *txn = state->base.exec->session->catalog.txn;
    Str image;
    int64_t row_id;
    take_values(state, row);
    TRY(row_image(state, &image));
    TxnBulk *bulk = state->bulk ? state->bulk : state->many;
    TRY(bulk ? txn_bulk_append_row(bulk, image, &row_id)
             : txn_insert(txn, state->table->tree, image, &row_id));
    usage_add(state->usage, USAGE_INSERTED, 1);
    return insert_entries(state, plan, input, row, row_id);
}

/* Entries whose key changed: the old goes, the new comes. */
static bool update_entries(ModifyState *state, const ModifyPlan *plan, const ExprInput *old_row,
                           const ExprInput *new_row, uint32_t row, int64_t row_id, bool all)
{
    Txn *txn = state->base.exec->session->catalog.txn;
    for (size_t i = 0; i < plan->indexes.length; i++) {
        if (!all && !plan->indexes.items[i].is_affected)
            continue;
        Str old_key = STR_NONE, new_key = STR_NONE;
        bool old_skip, new_skip, has_null;
        TRY(index_key_make(&state->indexes[i], old_row, row, &old_key, &old_skip, &has_null));
        if (!old_skip)
            old_key = str_copy(state->row_arena, old_key);
        TRY(index_key_make(&state->indexes[i], new_row, row, &new_key, &new_skip, &has_null));
        if (!old_skip && !new_skip && str_equal(old_key, new_key))
            continue;
        TxnTree *tree = state->indexes[i].index->tree;
        if (!old_skip)
            TRY(txn_index_delete(txn, tree, old_key, row_id));
        if (!new_skip)
            TRY(txn_index_insert(txn, tree, new_key, row_id));
    }
    return true;
}

/* The row's image changes from `old` to `fresh` at `row`. */
static bool update_row(ModifyState *state, const ModifyPlan *plan, uint32_t row, int64_t row_id,
                       bool all_indexes)
{
    Txn *txn = state->base.exec->session->catalog.txn;
    ExprInput new_row = {.slots = {state->fresh->columns, NULL}, .row_count = state->capacity};
    ExprInput old_row = {.slots = {state->old->columns, NULL}, .row_count = state->capacity};
    Str image;
    TRY(check_row(state, plan, &new_row, row));
    TRY(check_unique(state, plan, &new_row, row, row_id, !all_indexes, NULL));
    take_values(state, row);
    TRY(row_image(state, &image));
    if (plan->references.length > 0)
        TRY(txn_row_is_own(txn, state->table->tree, row_id, state->row_arena, &state->was_own));
    TRY(txn_update(txn, state->table->tree, row_id, image));
    usage_add(state->usage, USAGE_UPDATED, 1);
    TRY(update_entries(state, plan, &old_row, &new_row, row, row_id, all_indexes));
    row_removed(state, plan, &old_row, &new_row, row);
    row_written(state, plan, &old_row, &new_row, row, row_id);
    note_row_id(state, row, row_id);
    return true;
}

static bool delete_row(ModifyState *state, const ModifyPlan *plan, uint32_t row, int64_t row_id)
{
    Txn *txn = state->base.exec->session->catalog.txn;
    ExprInput old_row = {.slots = {state->old->columns, NULL}, .row_count = state->capacity};
    TRY(txn_delete(txn, state->table->tree, row_id));
    usage_add(state->usage, USAGE_DELETED, 1);
    for (size_t i = 0; i < plan->indexes.length; i++) {
        Str key;
        bool skip, has_null;
        TRY(index_key_make(&state->indexes[i], &old_row, row, &key, &skip, &has_null));
        if (!skip)
            TRY(txn_index_delete(txn, state->indexes[i].index->tree, key, row_id));
    }
    row_removed(state, plan, &old_row, NULL, row);
    return true;
}

/* What has been read into state->values becomes old[row]. */
static void keep_old(ModifyState *state, uint32_t row)
{
    for (uint32_t c = 0; c < state->attributes; c++)
        put(state->old, c, row, &state->values[c], state->nulls[c]);
}

/* Reads row `row_id` as `snapshot` sees it into old[row]. */
static bool read_old(ModifyState *state, const Snapshot *snapshot, int64_t row_id, uint32_t row,
                     bool *ret_found)
{
    Txn *txn = state->base.exec->session->catalog.txn;
    assert(state->old_columns.fetch_count == state->attributes);
    const FetchOutcome outcome =
        txn_fetch(txn, snapshot, state->table->tree, row_id, state->old_columns.fetch,
                  state->attributes, state->values, state->nulls, state->old_arena);
    TRY(outcome);
    *ret_found = outcome == FETCH_ROW;
    if (*ret_found)
        keep_old(state, row);
    return true;
}

static void set_fresh(ModifyState *state, const ColumnAssign *items, size_t count,
                      Vector *const *results, uint32_t row)
{
    /* A result may be one of fresh's own vectors (SET a = excluded.a): all are read first. */
    Value *values = ARENA_ARRAY(state->row_arena, Value, count + 1);
    bool *nulls = ARENA_ARRAY(state->row_arena, bool, count + 1);
    for (size_t i = 0; i < count; i++)
        vector_get(results[i], row, &values[i], &nulls[i]);
    for (uint32_t c = 0; c < state->attributes; c++) {
        Value value = {0};
        bool is_null = true;
        if (state->old->columns[c]->type != PHYS_NONE)
            vector_get(state->old->columns[c], row, &value, &is_null);
        put(state->fresh, c, row, &value, is_null);
    }
    for (size_t i = 0; i < count; i++)
        put(state->fresh, (uint32_t)items[i].attnum - 1, row, &values[i], nulls[i]);
}

/* May a foreign key refer to the index's columns? */
static bool is_referable(const IndexMaintain *index)
{
    return index->is_unique && !index->is_deferrable && index->expressions.length == 0 &&
           !index->predicate;
}

/* Does `fresh` have another key than `old`? */
static bool key_differs(ModifyState *state, const ModifyPlan *plan, uint32_t row)
{
    const ExprInput old_row = {.slots = {state->old->columns, NULL}};
    const ExprInput new_row = {.slots = {state->fresh->columns, NULL}};
    bool differs = false;
    for (size_t i = 0; i < plan->indexes.length && !differs; i++) {
        const IndexMaintain *index = &plan->indexes.items[i];
        differs = is_referable(index) &&
                  columns_differ(&old_row, &new_row, row, index->columns, index->key_count);
    }
    return differs;
}

/* Only an update that gives the row another key, not merely assigns it, is in a reference's way.
 * Where old[row] has been made what the snapshot sees for that, request->read becomes NULL. */
static bool claim_mode(ModifyState *state, const ModifyPlan *plan, uint32_t row, int64_t row_id,
                       RowLockRequest *request)
{
    bool found;
    request->mode = plan->command == QUERY_UPDATE ? ROW_LOCK_NO_KEY_UPDATE : ROW_LOCK_UPDATE;
    if (plan->command != QUERY_UPDATE || plan->lock != LOCK_FOR_UPDATE)
        return true;
    TRY(read_old(state, &state->base.exec->snapshot, row_id, row, &found));
    if (!found)
        return true;
    request->read = NULL;
    set_fresh(state, plan->assign.items, plan->assign.length, state->assign->results, row);
    if (key_differs(state, plan, row))
        request->mode = ROW_LOCK_UPDATE;
    return true;
}

/* Locks and reads the row to be changed. *ret_found false: it is gone, or no longer qualifies. */
static bool claim_row(ModifyState *state, const ModifyPlan *plan, const Batch *child, uint32_t row,
                      int64_t row_id, bool *ret_found, bool *ret_changed)
{
    ExecState *exec = state->base.exec;
    Txn *txn = exec->session->catalog.txn;
    const RowRead read = {.columns = state->old_columns.fetch,
                          .column_count = state->attributes,
                          .values = state->values,
                          .nulls = state->nulls,
                          .arena = state->old_arena};
    RowLockRequest request = {.snapshot = exec->snapshot,
                              .relation = plan->relation,
                              .relation_name = plan->relation_name,
                              .for_writing = true,
                              .read = &read};
    RowLockResult result = {0};
    *ret_found = *ret_changed = false;
    TRY(claim_mode(state, plan, row, row_id, &request));
    const bool is_read = !request.read;
    switch (txn_lock_row(txn, state->table->tree, row_id, &request, state->row_arena, &result)) {
    case ROW_LOCK_FAILED:
        row_wait_add_context(plan->command == QUERY_DELETE ? "deleting" : "updating", row_id,
                             plan->relation_name);
        return false;
    case ROW_LOCK_LOCKED:
        if (!is_read && !result.is_read)
            return read_old(state, &exec->snapshot, row_id, row, ret_found);
        if (!is_read)
            keep_old(state, row);
        *ret_found = true;
        return true;
    case ROW_LOCK_GONE:
    case ROW_LOCK_SELF:
    case ROW_LOCK_WOULD_BLOCK:
        return true;
    case ROW_LOCK_CHANGED:
        break;
    }
    Snapshot latest = txn_snapshot_latest(txn);
    TRY(read_old(state, &latest, row_id, row, ret_found));
    if (!*ret_found)
        return true;
    *ret_changed = true;
    uint16_t at = (uint16_t)row, kept;
    Selection one = {.rows = &at, .count = 1};
    ExprInput input = {.slots = {state->old->columns, child->columns},
                       .row_count = child->row_count};
    TRY(expr_filter(state->recheck, &input, one, &kept, &one));
    *ret_found = one.count > 0;
    if (*ret_found && state->assign_newest->count > 0)
        TRY(expr_run(state->assign_newest, &input, one));
    return true;
}

/* A row that is locked already is to be written in that mode. */
static bool claim_written(ModifyState *state, const ModifyPlan *plan, int64_t row_id,
                          RowLockMode mode)
{
    Txn *txn = state->base.exec->session->catalog.txn;
    RowLockRequest request = {.mode = mode,
                              .snapshot = txn_snapshot_latest(txn),
                              .relation = plan->relation,
                              .relation_name = plan->relation_name,
                              .ignore_changes = true,
                              .for_writing = true};
    RowLockResult result;
    return txn_lock_row(txn, state->table->tree, row_id, &request, state->row_arena, &result) !=
           ROW_LOCK_FAILED;
}

/* The row had changed: what it is updated to now may have another key where the row seen had not.
 */
static bool claim_key(ModifyState *state, const ModifyPlan *plan, uint32_t row, int64_t row_id)
{
    return plan->lock != LOCK_FOR_UPDATE || !key_differs(state, plan, row) ||
           claim_written(state, plan, row_id, ROW_LOCK_UPDATE);
}

/*
 * What the rows become, all at once. Where that fails rows are computed one by one (*ret_by_row):
 * changing a row before it may fail as well.
 */
static bool assign_batch(ModifyState *state, const ExprInput *input, Selection rows,
                         bool *ret_by_row)
{
    *ret_by_row = false;
    if (expr_run(state->assign, input, rows))
        return true;
    *ret_by_row = rows.count > 1 && error_is_of_values();
    if (*ret_by_row)
        error_clear();
    return *ret_by_row;
}

static bool change_batch(ModifyState *state, const ModifyPlan *plan, Batch *child)
{
    bool is_update = plan->command == QUERY_UPDATE, by_row = false;
    ExprInput input = {.slots = {child->columns, NULL}, .row_count = child->row_count};
    if (is_update)
        TRY(assign_batch(state, &input, child->selection, &by_row));
    FOR_SELECTED (child->selection, row) {
        const uint16_t at = (uint16_t)row;
        Value id;
        bool is_null, found, changed;
        CHECK_INTERRUPTS();
        arena_reset(state->row_arena);
        if (by_row)
            TRY(expr_run(state->assign, &input, (Selection){.rows = &at, .count = 1}));
        vector_get(child->columns[plan->row_id_column], row, &id, &is_null);
        if (is_null)
            continue;
        TRY(claim_row(state, plan, child, row, id.int64, &found, &changed));
        if (!found)
            continue;
        if (is_update) {
            if (changed)
                set_fresh(state, plan->assign_newest.items, plan->assign_newest.length,
                          state->assign_newest->results, row);
            else
                set_fresh(state, plan->assign.items, plan->assign.length, state->assign->results,
                          row);
            if (changed)
                TRY(claim_key(state, plan, row, id.int64));
            TRY(update_row(state, plan, row, id.int64, false));
        } else {
            TRY(delete_row(state, plan, row, id.int64));
            if (plan->has_returning)
                set_fresh(state, NULL, 0, NULL, row);
        }
        state->done[state->done_count++] = at;
    }
    return true;
}

/* ---- INSERT ---- */

static bool conflict_update(ModifyState *state, const ModifyPlan *plan, uint32_t row,
                            int64_t row_id, bool *ret_done, bool *ret_again)
{
    ExecState *exec = state->base.exec;
    Txn *txn = exec->session->catalog.txn;
    const bool is_certain = plan->conflict->where.length == 0;
    RowLockRequest request = {.mode = row_lock_mode(plan->lock),
                              .snapshot = txn_snapshot_latest(txn),
                              .relation = plan->relation,
                              .relation_name = plan->relation_name,
                              .for_writing = is_certain};
    RowLockResult result = {0};
    bool found;
    if (txn_isolation(txn) >= ISOLATION_REPEATABLE_READ)
        request.snapshot = snapshot_with_command(&exec->snapshot, request.snapshot.command);
    *ret_done = *ret_again = false;
    switch (txn_lock_row(txn, state->table->tree, row_id, &request, state->row_arena, &result)) {
    case ROW_LOCK_FAILED:
        row_wait_add_context("locking", row_id, plan->relation_name);
        return false;
    case ROW_LOCK_LOCKED:
    case ROW_LOCK_CHANGED:
        break;
    case ROW_LOCK_SELF:
        FAIL(ERR_CARDINALITY_VIOLATION,
             .message = STR("ON CONFLICT DO UPDATE command cannot affect row a second time"),
             .hint = STR("Ensure that no rows proposed for insertion within the same command have "
                         "duplicate constrained values."));
    case ROW_LOCK_GONE:
    case ROW_LOCK_WOULD_BLOCK:
        *ret_again = true;
        return true;
    }
    Snapshot latest = txn_snapshot_latest(txn);
    TRY(read_old(state, &latest, row_id, row, &found));
    if (!found) {
        Snapshot self = txn_snapshot_self(txn);
        TRY(read_old(state, &self, row_id, row, &found));
        if (found)
            FAIL(ERR_CARDINALITY_VIOLATION,
                 .message = STR("ON CONFLICT DO UPDATE command cannot affect row a second time"),
                 .hint = STR("Ensure that no rows proposed for insertion within the same command "
                             "have duplicate constrained values."));
        *ret_again = true;
        return true;
    }
    uint16_t at = (uint16_t)row, kept;
    Selection one = {.rows = &at, .count = 1}, passed;
    ExprInput input = {.slots = {state->old->columns, state->fresh->columns},
                       .row_count = state->capacity};
    TRY(expr_filter(state->conflict_where, &input, one, &kept, &passed));
    if (passed.count == 0)
        return true;
    /* Only now is the row going to be written: a row kept as it is holds up no inserter of its
     * keys. */
    if (!is_certain)
        TRY(claim_written(state, plan, row_id, request.mode));
    TRY(expr_run(state->conflict_set, &input, one));
    set_fresh(state, plan->conflict->set.items, plan->conflict->set.length,
              state->conflict_set->results, row);
    *ret_done = true;
    return update_row(state, plan, row, row_id, true);
}

/* DO NOTHING because of a row that is not as the transaction's snapshot sees it: an anomaly. */
static bool check_seen(ModifyState *state, int64_t row_id)
{
    Txn *txn = state->base.exec->session->catalog.txn;
    bool is_newest;
    if (txn_isolation(txn) < ISOLATION_REPEATABLE_READ)
        return true;
    TRY(txn_row_is_newest(txn, &state->base.exec->snapshot, state->table->tree, row_id,
                          &is_newest));
    if (!is_newest)
        FAIL(ERR_T_R_SERIALIZATION_FAILURE,
             .message = STR("could not serialize access due to concurrent update"));
    return true;
}

static bool insert_one(ModifyState *state, const ModifyPlan *plan, uint32_t row, bool *ret_done)
{
    ExprInput input = {.slots = {state->fresh->columns, NULL}, .row_count = state->capacity};
    TRY(check_row(state, plan, &input, row));
    for (;;) {
        int64_t other = 0;
        bool again;
        CHECK_INTERRUPTS();
        TRY(check_unique(state, plan, &input, row, 0, false, plan->conflict ? &other : NULL));
        if (other == 0) {
            *ret_done = true;
            return insert_row(state, plan, &input, row);
        }
        *ret_done = false;
        if (!plan->conflict->do_update)
            return check_seen(state, other);
        TRY(conflict_update(state, plan, row, other, ret_done, &again));
        if (!again)
            return true;
    }
}

/* Columns that the child has are taken as they are where nothing changes them on the way. */
static bool insert_views(ModifyState *state, const ModifyPlan *plan, const Batch *child)
{
    Batch *view = &state->view;

    state->fresh = state->own_fresh;
    if (plan->conflict || plan->generated.length > 0)
        return false;
    if (!view->columns)
        view->columns = ARENA_ARRAY(state->base.exec->arena, Vector *, state->attributes + 1);
    view->column_count = state->attributes + 1;
    view->columns[state->attributes] = state->own_fresh->columns[state->attributes];
    for (uint32_t c = 0; c < state->attributes; c++) {
        Vector *own = state->own_fresh->columns[c];
        const bool is_given = c < child->column_count && own->type != PHYS_NONE;
        if (is_given && child->columns[c]->type != own->type)
            return false;
        view->columns[c] = is_given ? child->columns[c] : own;
        if (!is_given) {
            memset(own->nulls, 1, state->capacity);
            own->has_nulls = true;
        }
    }
    state->fresh = view;
    return true;
}

static void take_fresh(ModifyState *state, const Batch *child, uint32_t row)
{
    for (uint32_t c = 0; c < state->attributes; c++) {
        Value value = {0};
        bool is_null = true;
        if (c < child->column_count && state->fresh->columns[c]->type != PHYS_NONE)
            vector_get(child->columns[c], row, &value, &is_null);
        put(state->fresh, c, row, &value, is_null);
    }
}

static bool insert_batch(ModifyState *state, const ModifyPlan *plan, Batch *child)
{
    const bool is_view = insert_views(state, plan, child);
    FOR_SELECTED (child->selection, row) {
        bool done;
        state->inserting = row;
        arena_reset(state->row_arena);
        if (!is_view)
            take_fresh(state, child, row);
        TRY(insert_one(state, plan, row, &done));
        if (done)
            state->done[state->done_count++] = (uint16_t)row;
    }
    return true;
}

/* ---- the node ---- */

/* Something failed: unless RETURNING of a row written before does, one by one, that is the error.
 */
static void fail_earliest(ModifyState *state, const ExprInput *input)
{
    ErrorRecord *first = error_put_aside();
    for (uint32_t i = 0; i < state->done_count; i++) {
        const Selection one = {.rows = state->done + i, .count = 1};
        Batch *ignored;
        if (!node_project(&state->base, input, one, &ignored)) {
            error_record_free(first);
            return;
        }
    }
    error_put_back(first);
}

static bool modify_batch(ModifyState *state, Batch *child, Batch **ret_batch)
{
    NodeState *node = &state->base;
    const ModifyPlan *plan = (const ModifyPlan *)node->plan;
    state->done_count = 0;
    node_scratch_reset(node);
    arena_reset(state->old_arena);
    reserve(state, MAX(child->row_count, 1u));
    const bool done = plan->command == QUERY_INSERT ? insert_batch(state, plan, child)
                                                    : change_batch(state, plan, child);
    if (done && plan->can_set_tag)
        node->exec->modified_count += state->done_count;
    if (!plan->has_returning || state->done_count == 0)
        return done;
    ExprInput input = {.slots = {state->fresh->columns, child->columns},
                       .row_count = child->row_count};
    const Selection rows = {.rows = state->done, .count = state->done_count};
    if (likely(done && node_project(node, &input, rows, ret_batch)))
        return true;
    if ((!done || rows.count > 1) && error_is_of_values())
        fail_earliest(state, &input);
    return false;
}

/* A full batch of rows that nobody looks at before the statement ends: there will be many. */
static bool begin_many(ModifyState *state, const Batch *child)
{
    const ModifyPlan *plan = (const ModifyPlan *)state->base.plan;

    if (state->many || plan->command != QUERY_INSERT || plan->has_returning || plan->conflict ||
        child->selection.count < VECTOR_SIZE / 2 ||
        state->table->desc->persistence == RELPERSISTENCE_TEMPORARY)
        return true;
    return txn_bulk_begin_among(state->base.exec->session->catalog.txn, state->table->tree,
                                &state->many);
}

static bool modify_next(NodeState *node, Batch **ret_batch)
{
    ModifyState *state = (ModifyState *)node;
    *ret_batch = NULL;
    while (!*ret_batch && !state->is_finished) {
        Batch *child;
        CHECK_INTERRUPTS();
        TRY(node_next_exact(node->left, &state->taken, &child));
        if (!child) {
            state->is_finished = true;
            return !state->many || txn_bulk_end(MOVE(state->many));
        }
        TRY(begin_many(state, child));
        TRY(modify_batch(state, child, ret_batch));
    }
    return true;
}

static void modify_stop(NodeState *node)
{
    ModifyState *state = (ModifyState *)node;
    state->is_finished = false;
    state->taken = 0;
    txn_bulk_abandon(MOVE(state->many));
}

static bool modify_rewind(NodeState *node)
{
    FAIL(ERR_INTERNAL_ERROR, .message = STR("a change of rows cannot be started over"));
}

static void modify_free(NodeState *node)
{
    ModifyState *state = (ModifyState *)node;
    txn_bulk_abandon(state->many);
    arena_free(state->row_arena);
    arena_free(state->old_arena);
}

const NodeMethods node_modify_methods = {
    .size = sizeof(ModifyState),
    .init = modify_init,
    .next = modify_next,
    .rewind = modify_rewind,
    .stop = modify_stop,
    .free = modify_free,
};

NodeState *modify_node_new(ExecState *exec, const ModifyPlan *plan)
{
    NodeState *node = arena_alloc_zeroed(exec->arena, node_modify_methods.size);
    node->plan = &plan->base;
    node->methods = &node_modify_methods;
    node->exec = exec;
    node->scratch = exec_arena(exec, "modify");
    if (!modify_init(node)) {
        modify_free(node);
        return NULL;
    }
    return node;
}

void modify_node_free(NodeState *node)
{
    modify_free(node);
}

void modify_set_bulk(NodeState *node, TxnBulk *bulk)
{
    ((ModifyState *)node)->bulk = bulk;
}

bool modify_push(NodeState *node, Batch *batch)
{
    Batch *ignored = NULL;
    return modify_batch((ModifyState *)node, batch, &ignored);
}

/* None of the rows can fail, as is seen without looking at them one by one. */
static bool surely_passes(const ModifyState *state, const ModifyPlan *plan)
{
    bool has_nulls = false;
    for (size_t i = 0; i < plan->not_null.length; i++)
        has_nulls |= state->fresh->columns[plan->not_null.items[i] - 1]->has_nulls;
    return !has_nulls && state->checks->count == 0 && state->generated->count == 0;
}

bool modify_check(NodeState *node, const Batch *batch, Selection rows)
{
    ModifyState *state = (ModifyState *)node;
    const ModifyPlan *plan = (const ModifyPlan *)node->plan;

    reserve(state, MAX(batch->row_count, 1u));
    const bool is_view = insert_views(state, plan, batch);
    if (is_view && surely_passes(state, plan))
        return true;
    const ExprInput input = {.slots = {state->fresh->columns, NULL}, .row_count = state->capacity};
    FOR_SELECTED (rows, row) {
        state->inserting = row;
        arena_reset(state->row_arena);
        CHECK_INTERRUPTS();
        if (!is_view)
            take_fresh(state, batch, row);
        TRY(check_row(state, plan, &input, row));
    }
    return true;
}

/* All rows in one go, without their entries; *ret_done false: they are to be inserted one by one.
 */
static bool insert_at_once(ModifyState *state, Selection rows, bool *ret_done)
{
    *ret_done = false;
    if (!state->bulk || rows.count == 0)
        return true;
    state->inserting = selection_row(rows, 0);
    if (!state->row_ids)
        state->row_ids = ARENA_ARRAY(state->base.exec->arena, int64_t, VECTOR_SIZE);
    TRY(txn_bulk_append_rows(state->bulk, state->fresh->columns, rows, state->row_ids, ret_done));
    if (*ret_done)
        usage_add(state->usage, USAGE_INSERTED, rows.count);
    return true;
}

/* Their entries, and what is to be looked at later. */
static bool finish_rows(ModifyState *state, const ModifyPlan *plan, const ExprInput *input,
                        Selection rows)
{
    uint32_t i = 0;
    if (plan->indexes.length == 0 && plan->references.length == 0)
        return true;
    FOR_SELECTED (rows, row) {
        state->inserting = row;
        state->written_id = state->row_ids[i++];
        arena_reset(state->row_arena);
        CHECK_INTERRUPTS();
        TRY(check_unique(state, plan, input, row, 0, false, NULL));
        TRY(insert_entries(state, plan, input, row, state->written_id));
    }
    state->written_id = 0;
    return true;
}

bool modify_push_checked(NodeState *node, Selection rows)
{
    ModifyState *state = (ModifyState *)node;
    const ModifyPlan *plan = (const ModifyPlan *)node->plan;
    const ExprInput input = {.slots = {state->fresh->columns, NULL}, .row_count = state->capacity};
    bool done;

    TRY(insert_at_once(state, rows, &done));
    if (done)
        TRY(finish_rows(state, plan, &input, rows));
    else
        FOR_SELECTED (rows, row) {
            state->inserting = row;
            arena_reset(state->row_arena);
            CHECK_INTERRUPTS();
            TRY(check_unique(state, plan, &input, row, 0, false, NULL));
            TRY(insert_row(state, plan, &input, row));
        }
    node_scratch_reset(node);
    return true;
}

uint32_t modify_inserting(const NodeState *node)
{
    return ((const ModifyState *)node)->inserting;
}
