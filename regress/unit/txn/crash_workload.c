#include "crash_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/os.h"
#include "base/settings.h"
#include "storage/leaf.h"
#include "txn/ddl.h"
#include "txn/index.h"
#include "txn/lock.h"
#include "txn/scan.h"
#include "txn/sequence.h"
#include "txn/txn_internal.h"

CrashWork work;

/* The store's threads would run on for ever: the process ends. */
NORETURN void fail_with(const char *why)
{
    fprintf(stderr, "seed %u, operation %llu, depth %u: %s\n", work.options.seed,
            (unsigned long long)work.operation, work.depth, why);
    fflush(NULL);
    _exit(CRASH_FAILED);
}

bool fail(const char *what, long long a, long long b)
{
    char why[300];

    snprintf(why, sizeof(why), "%s (%lld, %lld)", what, a, b);
    fail_with(why);
}

/* Errors that tell of damage, or of files whose names it has hit. */
static bool is_damage(SqlState state)
{
    return state == ERR_DATA_CORRUPTED || state == ERR_UNDEFINED_FILE || state == ERR_IO_ERROR;
}

bool fail_error(const char *where)
{
    char why[300];

    if (work.options.is_damaged && is_damage(error_fields()->sqlstate))
        _exit(work.is_found ? CRASH_REFUSED : CRASH_UNSEEN);
    snprintf(why, sizeof(why), "%s: %s: %.*s", where, sqlstate_text(error_fields()->sqlstate).text,
             STR_ARGS(error_fields()->message));
    fail_with(why);
}

void crash_note_point(uint64_t operation, uint32_t depth)
{
    work.operation = operation;
    work.depth = depth;
}

uint32_t crash_acknowledged(void)
{
    uint32_t count = 0;

    for (uint32_t i = 1; i <= work.transaction_count; i++)
        count += work.transactions[i].state == TXN_ACKNOWLEDGED;
    return count;
}

ModelRow *model_row(Model *model, uint32_t table, int64_t row_id, bool makes)
{
    for (uint32_t i = 0; i < model->row_count; i++)
        if (model->rows[i].table == table && model->rows[i].row_id == row_id)
            return &model->rows[i];
    if (!makes)
        return NULL;
    if (model->row_count == ROWS_MAX) {
        fail("too many rows for the model", model->row_count, 0);
        return &model->rows[0];
    }
    ModelRow *row = &model->rows[model->row_count++];
    *row = (ModelRow){.table = table, .row_id = row_id};
    return row;
}

static void model_put(Model *model, uint32_t table, int64_t row_id, const RowValue *value)
{
    ModelRow *row = model_row(model, table, row_id, true);

    row->value = *value;
    row->exists = true;
}

void model_apply(Model *model, const Transaction *transaction)
{
    for (uint32_t i = 0; i < transaction->operation_count; i++) {
        const Operation *operation = &transaction->operations[i];
        ModelTable *table = &model->tables[operation->table];
        switch (operation->kind) {
        case ROW_PUT:
            model_put(model, operation->table, operation->row_id, &operation->row);
            break;
        case ROW_DELETE:
            model_row(model, operation->table, operation->row_id, true)->exists = false;
            break;
        case TABLE_MAKE:
            table->exists = true;
            break;
        case DATABASE_MAKE:
            table->exists = true;
            for (uint32_t r = 0; r < TEMPLATE_ROWS; r++)
                model_put(model, operation->table, r + 1, &work.template_rows[r]);
            break;
        case TABLE_WIDEN:
            table->is_wide = true;
            break;
        case TABLE_DROP:
            table->exists = false;
            for (uint32_t r = 0; r < model->row_count; r++)
                if (model->rows[r].table == operation->table)
                    model->rows[r].exists = false;
            break;
        }
    }
}

void model_init(Model *model)
{
    model->row_count = 0;
    memset(model->tables, 0, sizeof(model->tables));
    for (uint32_t i = 0; i < FIXED_TABLES; i++)
        model->tables[i].exists = true;
}

/* -------- Rows as bytes -------- */

TreeId table_tree(uint32_t table)
{
    return 100 + (work.is_clone[table] ? TEMPLATE_TABLE : table) * 10;
}

DatabaseId table_database(uint32_t table)
{
    return work.is_clone[table] ? CLONE_FIRST + table : HOME;
}

TreeId index_tree(uint32_t table, uint32_t index)
{
    return table_tree(table) + 1 + index;
}

static const LayoutColumn columns[4] = {
    {.type = PHYS_INT64},
    {.type = PHYS_INT64},
    {.type = PHYS_VAR},
    {.type = PHYS_INT32, .has_missing = true, .missing = {.int32 = MISSING_EXTRA}},
};

static uint32_t draw(uint32_t *seed, uint32_t bound)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(*seed >> 8) * bound >> 24);
}

/* The text's first bytes; even seeds make text that packs well. */
static Str row_text_start(Arena *arena, const RowValue *row, uint32_t length)
{
    char *text = arena_alloc(arena, length + 8);
    uint64_t mixed = row->text_seed;

    for (uint32_t i = 0; i < length; i += 8) {
        if (row->text_seed % 2)
            mixed = mixed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        else
            mixed = (row->text_seed + i / 64) % 64 * UINT64_C(0x0101010101010101);
        const uint64_t bytes = __builtin_bswap64(mixed);
        memcpy(text + i, &bytes, 8);
    }
    return str_make(text, length);
}

Str row_text(Arena *arena, const RowValue *row)
{
    return row_text_start(arena, row, row->text_length);
}

static Str row_image_of(Arena *arena, const Layout *layout, const RowValue *row)
{
    Value values[4] = {{.int64 = row->key},
                       {.int64 = row->amount},
                       {.var = var_from_str(row_text(arena, row))},
                       {.int32 = row->extra}};
    const bool nulls[4] = {false};
    Str image;

    if (!row_image_make(arena, layout, values, nulls, &image)) {
        fail_error("row image");
        return STR("");
    }
    return image;
}

static Str number_key(Arena *arena, int64_t number)
{
    const uint64_t bytes = __builtin_bswap64((uint64_t)number ^ (UINT64_C(1) << 63));
    return str_copy(arena, str_make(&bytes, sizeof(bytes)));
}

/* Unique by `key`; by amount; by the text's beginning, long enough to split inner nodes soon. */
Str index_key(Arena *arena, uint32_t index, const RowValue *row)
{
    if (index < 2)
        return number_key(arena, index == 0 ? row->key : row->amount);
    return row_text_start(arena, row, MIN(row->text_length, 500u));
}

/* -------- One writer's transaction -------- */

static TxnTree *writer_tree(Writer *writer, uint32_t table, uint32_t which)
{
    TxnTree **tree = &writer->trees[table][which];
    const TreeId id = which == 0 ? table_tree(table) : index_tree(table, which - 1);

    if (!*tree)
        TRY(txn_tree_open(writer->txn, table_database(table), id, tree));
    return *tree;
}

static void writer_close_trees(Writer *writer)
{
    for (uint32_t t = 0; t < TABLES_MAX; t++)
        for (uint32_t i = 0; i <= INDEXES; i++) {
            txn_tree_close(writer->trees[t][i]);
            writer->trees[t][i] = NULL;
        }
}

static void note(Writer *writer, OperationKind kind, uint32_t table, int64_t row_id,
                 const RowValue *row)
{
    Transaction *transaction = writer->transaction;

    if (transaction->operation_count == OPERATIONS_MAX) {
        fail("too many operations in a transaction", OPERATIONS_MAX, 0);
        return;
    }
    transaction->operations[transaction->operation_count++] = (Operation){
        .kind = kind, .table = table, .row_id = row_id, .row = row ? *row : (RowValue){0}};
}

static RowValue draw_row(Writer *writer)
{
    static const uint32_t lengths[] = {5, 60, 400, 1500};
    uint32_t length = lengths[draw(&writer->seed, ARRAY_LENGTH(lengths))];

    if (draw(&writer->seed, 8) == 0)
        length = 9000 + draw(&writer->seed, TEXT_MAX - 9000);
    return (RowValue){
        .key = draw(&writer->seed, 400),
        .amount = draw(&writer->seed, 50),
        .text_seed = draw(&writer->seed, 1u << 20),
        .text_length = length,
        .extra = MISSING_EXTRA,
    };
}

void crash_start(const CrashOptions *options)
{
    Writer writer = {.seed = options->seed};

    for (uint32_t i = 1; i <= work.transaction_count; i++)
        free(work.transactions[i].operations);
    memset(&work, 0, sizeof(work));
    work.options = *options;
    work.table_count = FIXED_TABLES;
    for (uint32_t r = 0; r < TEMPLATE_ROWS; r++) {
        work.template_rows[r] = draw_row(&writer);
        work.template_rows[r].key = r;
    }
    model_init(&work.model);
}

/* Half of the tables that the writer may change are chosen evenly. */
static uint32_t draw_table(Writer *writer)
{
    uint32_t table = draw(&writer->seed, work.table_count);

    if (table >= FIXED_TABLES &&
        (work.owner[table] != writer->number || !work.model.tables[table].exists))
        table = draw(&writer->seed, FIXED_TABLES);
    return table;
}

static bool write_row(Writer *writer, uint32_t table, int64_t row_id, RowValue *row)
{
    TxnTree *tree = writer_tree(writer, table, 0);
    TRY(tree);
    const Layout *layout = txn_tree_layout(writer->txn, tree);
    row->extra = layout->column_count == 4 ? (int32_t)row->amount : MISSING_EXTRA;
    const Str image = row_image_of(writer->arena, layout, row);
    if (row_id == 0)
        TRY(txn_insert(writer->txn, tree, image, &row_id));
    else
        TRY(txn_update(writer->txn, tree, row_id, image));
    note(writer, ROW_PUT, table, row_id, row);
    for (uint32_t i = 0; i < INDEXES; i++) {
        TxnTree *index = writer_tree(writer, table, 1 + i);
        TRY(index);
        txn_index_set_table(index, tree);
        TRY(txn_index_insert(writer->txn, index, index_key(writer->arena, i, row), row_id));
    }
    return true;
}

static bool remove_entries(Writer *writer, uint32_t table, int64_t row_id, const RowValue *row)
{
    for (uint32_t i = 0; i < INDEXES; i++) {
        TxnTree *index = writer_tree(writer, table, 1 + i);
        TRY(index);
        TRY(txn_index_delete(writer->txn, index, index_key(writer->arena, i, row), row_id));
    }
    return true;
}

typedef enum KeyCheck { KEY_FAILED = 0, KEY_FREE, KEY_TAKEN } KeyCheck;

static KeyCheck check_key(Writer *writer, uint32_t table, const RowValue *row, int64_t self)
{
    int64_t other;
    TxnTree *index = writer_tree(writer, table, 1);

    TRY(index);
    const UniqueProbe probe = {
        .index = index, .key = index_key(writer->arena, 0, row), .self_row_id = self};
    const UniqueOutcome outcome = txn_unique_check(writer->txn, &probe, &other);
    TRY(outcome);
    return outcome == UNIQUE_OK ? KEY_FREE : KEY_TAKEN;
}

static bool insert_row(Writer *writer, uint32_t table)
{
    RowValue row = draw_row(writer);
    const KeyCheck check = check_key(writer, table, &row, 0);

    TRY(check);
    return check == KEY_TAKEN || write_row(writer, table, 0, &row);
}

/* The row's values, found again in the model by what identifies them. */
static bool find_current(Writer *writer, uint32_t table, int64_t row_id, RowValue *ret_row)
{
    const Transaction *own = writer->transaction;

    for (uint32_t i = own->operation_count; i-- > 0;) {
        const Operation *operation = &own->operations[i];
        if (operation->table != table || operation->row_id != row_id)
            continue;
        *ret_row = operation->row;
        return operation->kind == ROW_PUT;
    }
    const ModelRow *row = model_row(&work.model, table, row_id, false);
    if (!row || !row->exists)
        return false;
    *ret_row = row->value;
    return true;
}

static int64_t draw_row_id(Writer *writer, uint32_t table)
{
    const Model *model = &work.model;

    if (model->row_count == 0)
        return 0;
    const uint32_t start = draw(&writer->seed, model->row_count);
    for (uint32_t i = 0; i < model->row_count; i++) {
        const ModelRow *row = &model->rows[(start + i) % model->row_count];
        if (row->table == table && row->exists)
            return row->row_id;
    }
    return 0;
}

/* A commit that is refused lets go of its locks before the model has forgotten it. */
static void await_commits(void)
{
    while (work.options.disk_fills && work.committing > 0)
        task_yield();
}

/* Update, or delete; a row that is gone when its lock has come is left alone. */
static bool change_row(Writer *writer, uint32_t table, bool deletes)
{
    const int64_t row_id = draw_row_id(writer, table);
    TxnTree *tree = writer_tree(writer, table, 0);
    RowLockResult result;
    RowValue old, row = draw_row(writer);

    TRY(tree);
    if (row_id == 0)
        return true;
    const RowLockRequest request = {.mode = ROW_LOCK_UPDATE,
                                    .snapshot = txn_snapshot_self(writer->txn),
                                    .relation_name = STR("t")};
    const RowLockOutcome outcome =
        txn_lock_row(writer->txn, tree, row_id, &request, writer->arena, &result);
    TRY(outcome);
    await_commits();
    if (outcome == ROW_LOCK_GONE || outcome == ROW_LOCK_SELF ||
        !find_current(writer, table, row_id, &old))
        return true;
    if (!deletes && draw(&writer->seed, 2) == 0)
        row.key = old.key;
    if (!deletes && row.key != old.key) {
        const KeyCheck check = check_key(writer, table, &row, row_id);
        TRY(check);
        if (check == KEY_TAKEN)
            row.key = old.key;
    }
    TRY(remove_entries(writer, table, row_id, &old));
    if (!deletes)
        return write_row(writer, table, row_id, &row);
    TRY(txn_delete(writer->txn, tree, row_id));
    note(writer, ROW_DELETE, table, row_id, NULL);
    return true;
}

static bool change_something(Writer *writer)
{
    const uint32_t table = draw_table(writer);
    const uint32_t what = draw(&writer->seed, 10);

    TRY(txn_command_next(writer->txn));
    if (what < 5)
        return insert_row(writer, table);
    return change_row(writer, table, what >= 8);
}

/* A part that is taken back. */
static bool change_and_take_back(Writer *writer)
{
    TxnSavepoint savepoint;
    Transaction *transaction = writer->transaction;
    const uint32_t count = transaction->operation_count;

    TRY(txn_savepoint(writer->txn, &savepoint));
    for (uint32_t i = 0; i < 3; i++)
        TRY(change_something(writer));
    txn_rollback_to(writer->txn, savepoint);
    transaction->operation_count = count;
    return true;
}

/* -------- Tables made, widened, dropped -------- */

/* Keys from `first_key` on, which nobody else uses. */
static bool build_table(Writer *writer, uint32_t table, int64_t first_key, uint32_t rows)
{
    TxnBulk *bulk;
    TxnTree *tree = writer_tree(writer, table, 0);
    int64_t row_id;

    TRY(tree);
    const Layout *layout = txn_tree_layout(writer->txn, tree);
    TRY(txn_bulk_begin(writer->txn, tree, &bulk));
    for (uint32_t i = 0; i < rows; i++) {
        RowValue row = draw_row(writer);
        row.key = first_key + i;
        row.amount = i / 2;
        row.extra = layout->column_count == 4 ? (int32_t)row.amount : MISSING_EXTRA;
        row.text_seed = 2; /* entries of the third index come in order: the texts are alike */
        TRY(txn_bulk_append_row(bulk, row_image_of(writer->arena, layout, &row), &row_id));
        note(writer, ROW_PUT, table, row_id, &row);
    }
    TRY(txn_bulk_end(bulk));
    const Operation *made =
        &writer->transaction->operations[writer->transaction->operation_count - rows];
    for (uint32_t index = 0; index < 2; index++) {
        TRY(txn_bulk_begin(writer->txn, writer_tree(writer, table, 1 + index), &bulk));
        for (uint32_t i = 0; i < rows; i++) {
            char buffer[TREE_MAX_KEY];
            Str entry;
            TRY(index_entry(index_key(writer->arena, index, &made[i].row), made[i].row_id, buffer,
                            &entry));
            TRY(txn_bulk_append_key(bulk, entry));
        }
        TRY(txn_bulk_end(bulk));
    }
    for (uint32_t i = 0; i < rows; i++)
        TRY(txn_index_insert(writer->txn, writer_tree(writer, table, 3),
                             index_key(writer->arena, 2, &made[i].row), made[i].row_id));
    return true;
}

static bool make_table(Writer *writer)
{
    const uint32_t table = work.table_count;

    if (table == TABLES_MAX)
        return true;
    work.owner[work.table_count++] = writer->number;
    TRY(txn_tree_create(writer->txn, HOME, table_tree(table), TREE_TABLE,
                        layout_new(writer->arena, 1, columns, 3)));
    note(writer, TABLE_MAKE, table, 0, NULL);
    for (uint32_t i = 0; i <= INDEXES; i++) {
        if (i > 0)
            TRY(txn_tree_create(writer->txn, HOME, index_tree(table, i - 1), TREE_INDEX, NULL));
        TRY(writer_tree(writer, table, i));
    }
    TRY(build_table(writer, table, 0, 1 + draw(&writer->seed, 40)));
    return true;
}

/* A database of its own, as the template is. */
static bool make_database(Writer *writer)
{
    const uint32_t table = work.table_count;

    if (table == TABLES_MAX)
        return true;
    work.is_clone[table] = true;
    work.owner[work.table_count++] = writer->number;
    TRY(txn_database_clone(writer->txn, TEMPLATE, table_database(table)));
    note(writer, DATABASE_MAKE, table, 0, NULL);
    return true;
}

/* One of the writer's own; TABLES_MAX: it has none. */
static uint32_t draw_own_table(Writer *writer)
{
    for (uint32_t table = FIXED_TABLES; table < work.table_count; table++)
        if (work.owner[table] == writer->number && work.model.tables[table].exists)
            return table;
    return TABLES_MAX;
}

/* Many rows at once behind those that are there. */
static bool append_in_bulk(Writer *writer)
{
    const uint32_t table = draw_table(writer);

    work.bulk_keys += 1000;
    return build_table(writer, table, work.bulk_keys, 20 + draw(&writer->seed, 100));
}

static bool widen_table(Writer *writer)
{
    const uint32_t table = draw_own_table(writer);

    if (table == TABLES_MAX || work.model.tables[table].is_wide)
        return true;
    TRY(txn_tree_set_layout(writer->txn, writer_tree(writer, table, 0),
                            layout_new(writer->arena, 2, columns, 4)));
    note(writer, TABLE_WIDEN, table, 0, NULL);
    return insert_row(writer, table);
}

static bool drop_table(Writer *writer)
{
    const uint32_t table = draw_own_table(writer);

    if (table == TABLES_MAX)
        return true;
    if (work.is_clone[table])
        TRY(txn_database_drop(writer->txn, table_database(table)));
    else
        TRY(txn_tree_drop(writer->txn, HOME, table_tree(table)));
    for (uint32_t i = 0; i < INDEXES && !work.is_clone[table]; i++)
        TRY(txn_tree_drop(writer->txn, HOME, index_tree(table, i)));
    note(writer, TABLE_DROP, table, 0, NULL);
    return true;
}

/* -------- Transactions -------- */

static const SequenceDefinition counting = {
    .increment = 1, .minimum = 1, .maximum = INT64_MAX, .start = 1, .cache = 1};

static bool writer_work(Writer *writer)
{
    const uint32_t what = draw(&writer->seed, 22);

    if (what == 0)
        return make_table(writer);
    if (what == 1)
        return drop_table(writer);
    if (what == 2)
        return widen_table(writer);
    if (what == 20)
        return make_database(writer);
    if (what == 21)
        return append_in_bulk(writer);
    if (what == 3)
        return change_and_take_back(writer) && change_something(writer);
    if (what == 4)
        TRY(sequence_next(writer->txn, HOME, SEQUENCE, &counting, STR("s"),
                          &writer->transaction->sequence_value));
    const uint32_t count = what == 5 ? 40 : 1 + draw(&writer->seed, 6); /* 40: beyond its memory */
    for (uint32_t i = 0; i < count; i++)
        TRY(change_something(writer));
    return true;
}

static bool write_journal(Writer *writer, uint32_t number)
{
    TxnTree *journal;
    Layout *layout = layout_new(writer->arena, 1, columns, 1);
    Value value = {.int64 = number};
    const bool is_null = false;
    int64_t row_id;
    Str image;

    TRY(txn_tree_open(writer->txn, HOME, JOURNAL, &journal));
    const bool ok = row_image_make(writer->arena, layout, &value, &is_null, &image) &&
                    txn_insert(writer->txn, journal, image, &row_id);
    txn_tree_close(journal);
    return ok;
}

/* Refusals that are part of life: the transaction is rolled back and the writer goes on. */
static bool is_expected_error(void)
{
    const SqlState state = error_fields()->sqlstate;

    return state == ERR_T_R_DEADLOCK_DETECTED || state == ERR_T_R_SERIALIZATION_FAILURE ||
           (state == ERR_DISK_FULL && work.options.disk_fills);
}

/* The commit was refused: the model is again what the others have made of it. */
static void forget_commit(uint32_t number)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < work.order_count; i++)
        if (work.order[i] != number)
            work.order[kept++] = work.order[i];
    work.order_count = kept;
    model_init(&work.model);
    for (uint32_t i = 0; i < kept; i++)
        model_apply(&work.model, &work.transactions[work.order[i]]);
}

static bool writer_commit(Writer *writer, uint32_t number)
{
    Transaction *transaction = writer->transaction;

    work.order[work.order_count++] = number;
    transaction->state = TXN_ASKED;
    /* Before its locks go: who gets them next finds its rows' values in the model. */
    model_apply(&work.model, transaction);
    work.committing++;
    const bool is_committed = txn_commit(writer->txn);
    work.committing--;
    if (!is_committed) {
        transaction->state = TXN_UNDONE;
        TRY(is_expected_error());
        forget_commit(number);
        error_clear();
        txn_rollback(writer->txn);
        return true;
    }
    transaction->lsn = writer->session->last_commit_lsn;
    transaction->state = TXN_DONE;
    if (draw(&writer->seed, 3) < work.options.waits_per_three) {
        TRY(txn_wait_durable(writer->session));
        transaction->state = TXN_ACKNOWLEDGED;
    }
    return true;
}

static bool writer_transaction(Writer *writer)
{
    if (work.transaction_count + 1 == TRANSACTIONS_MAX)
        return fail("too many transactions", TRANSACTIONS_MAX, 0);
    const uint32_t number = ++work.transaction_count;
    writer->transaction = &work.transactions[number];
    writer->transaction->operations = calloc(OPERATIONS_MAX, sizeof(Operation));
    writer->txn = txn_begin(writer->session, &(TxnOptions){ISOLATION_READ_COMMITTED});
    TRY(writer->txn);
    bool ok =
        txn_statement_begin(writer->txn) && write_journal(writer, number) && writer_work(writer);
    writer_close_trees(writer);
    if (ok && draw(&writer->seed, 15) != 0)
        return writer_commit(writer, number);
    writer->transaction->state = TXN_UNDONE;
    if (!ok && !is_expected_error())
        return false;
    error_clear();
    txn_rollback(writer->txn);
    return true;
}

void writer_run(Writer *writer, uint32_t steps)
{
    writer->session = txn_session_open(work.manager, (int32_t)writer->number + 1);
    for (uint32_t i = 0; i < steps; i++) {
        writer->arena = arena_new("writer");
        if (!writer_transaction(writer))
            fail_error("writer");
        arena_free(writer->arena);
    }
    txn_session_close(writer->session);
}

static Writer writers[CRASH_WRITERS];

static void writer_main(void *argument)
{
    writer_run(argument, work.options.steps);
    work.writers_left--;
}

/* -------- Opening, creating, running -------- */

/* Where the disk tells no lies, recovery finds no damage. */
static bool check_recovery(void)
{
    const StoreRecovery recovery = store_recovery(work.store);

    if (recovery.damaged_pages > 0 && !work.options.is_damaged)
        return fail("recovery has set pages aside", (long long)recovery.damaged_pages,
                    (long long)recovery.lost_changes);
    return true;
}

bool open_all(void)
{
    const StoreOptions options = {.pool_bytes = STORE_POOL_MIN,
                                  .database_page_limit = 1u << 20,
                                  .wal_ring_bytes = 1u << 18,
                                  .min_wal_bytes = 1};
    TxnConfig config = txn_config_default;

    config.write_set_memory = 4u << 10;
    config.row_lock_limit = 16;
    config.large_commit_writes = 8; /* others and checkpoints go on while these are applied */
    work.store = store_open(STR("data"), &options);
    return ((work.store && txn_manager_open(work.store, &config, &work.manager)) ||
            fail_error("open")) &&
           check_recovery();
}

void close_all(StoreClose how)
{
    txn_manager_close(work.manager);
    if (store_close(work.store, how))
        return;
    if (!is_expected_error())
        fail_error("close");
    error_clear();
}

/* The template's table, with rows of all lengths. */
static bool create_template(Txn *txn, Arena *arena)
{
    const Layout *layout = layout_new(arena, 1, columns, 3);
    const TreeId id = table_tree(TEMPLATE_TABLE);
    TxnTree *trees[1 + INDEXES];

    TRY(txn_database_create(txn, TEMPLATE));
    for (uint32_t i = 0; i <= INDEXES; i++) {
        TRY(txn_tree_create(txn, TEMPLATE, id + i, i == 0 ? TREE_TABLE : TREE_INDEX,
                            i == 0 ? layout : NULL));
        TRY(txn_tree_open(txn, TEMPLATE, id + i, &trees[i]));
    }
    for (uint32_t r = 0; r < TEMPLATE_ROWS; r++) {
        const RowValue *row = &work.template_rows[r];
        int64_t row_id;
        TRY(txn_insert(txn, trees[0], row_image_of(arena, layout, row), &row_id));
        for (uint32_t i = 0; i < INDEXES; i++)
            TRY(txn_index_insert(txn, trees[1 + i], index_key(arena, i, row), row_id));
    }
    for (uint32_t i = 0; i <= INDEXES; i++)
        txn_tree_close(trees[i]);
    return true;
}

static bool create_trees(Txn *txn, Arena *arena)
{
    TRY(txn_statement_begin(txn));
    TRY(txn_database_create(txn, HOME));
    TRY(txn_tree_create(txn, HOME, JOURNAL, TREE_TABLE, layout_new(arena, 1, columns, 1)));
    TRY(sequence_create(txn, HOME, SEQUENCE, 1));
    for (uint32_t table = 0; table < FIXED_TABLES; table++) {
        TRY(txn_tree_create(txn, HOME, table_tree(table), TREE_TABLE,
                            layout_new(arena, 1, columns, 3)));
        for (uint32_t i = 0; i < INDEXES; i++)
            TRY(txn_tree_create(txn, HOME, index_tree(table, i), TREE_INDEX, NULL));
    }
    return create_template(txn, arena) && txn_commit(txn);
}

void crash_create(void *unused)
{
    (void)unused;
    settings_init();
    if (!store_create(STR("data"))) {
        fail_error("create");
        return;
    }
    if (!open_all())
        return;
    Arena *arena = arena_new("create");
    TxnSession *session = txn_session_open(work.manager, 1);
    Txn *txn = txn_begin(session, &(TxnOptions){ISOLATION_READ_COMMITTED});
    if (!txn || !create_trees(txn, arena) || !txn_wait_durable(session)) {
        fail_error("create");
        return;
    }
    txn_session_close(session);
    arena_free(arena);
    close_all(STORE_CLOSE_CLEAN);
}

void crash_run(void *unused)
{
    Thread *threads[CRASH_WRITERS];

    (void)unused;
    if (!open_all())
        return;
    work.writers_left = CRASH_WRITERS;
    for (uint32_t i = 0; i < CRASH_WRITERS; i++) {
        writers[i] = (Writer){.number = i, .seed = work.options.seed * 31 + i};
        threads[i] = os->thread_start("writer", writer_main, &writers[i]);
    }
    for (uint32_t done = 0; work.writers_left > 0;) {
        if (done++ < work.options.checkpoints && !checkpoint_request(work.store, CHECKPOINT_WAIT)) {
            if (!is_expected_error())
                fail_error("checkpoint");
            error_clear();
        }
        os->thread_yield();
    }
    for (uint32_t i = 0; i < CRASH_WRITERS; i++)
        os->thread_join(threads[i]);
    close_all(STORE_CLOSE_CLEAN);
}
