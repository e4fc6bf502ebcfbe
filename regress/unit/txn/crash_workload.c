#include "crash_workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/os.h"
#include "base/settings.h"
#include "storage/leaf.h"
#include "txn/ddl.h"
#include "txn/lock.h"
#include "txn/scan.h"
#include "txn/sequence.h"
#include "txn/txn_internal.h"

#define HOME ((DatabaseId)5)
#define JOURNAL ((TreeId)90)
#define SEQUENCE ((TreeId)80)
#define FIXED_TABLES 3u
#define TABLES_MAX 64u
#define INDEXES 3u
#define TRANSACTIONS_MAX 1000u
#define OPERATIONS_MAX 300u
#define ROWS_MAX 4000u
#define TEXT_MAX 60000u
#define MISSING_EXTRA 99

/* -------- The model -------- */

/* A row by value; its text follows from seed and length. */
typedef struct RowValue {
    int64_t key, amount;
    uint32_t text_seed, text_length;
    int32_t extra; /* the column that widening adds */
} RowValue;

typedef enum OperationKind {
    ROW_PUT = 1,
    ROW_DELETE,
    TABLE_MAKE,
    TABLE_WIDEN,
    TABLE_DROP
} OperationKind;

typedef struct Operation {
    OperationKind kind;
    uint32_t table;
    int64_t row_id;
    RowValue row;
} Operation;

typedef enum TransactionState {
    TXN_OPEN = 0,
    TXN_ASKED,
    TXN_DONE,
    TXN_ACKNOWLEDGED,
    TXN_UNDONE
} TransactionState;

typedef struct Transaction {
    TransactionState state;
    Lsn lsn; /* once done */
    int64_t sequence_value;
    uint32_t operation_count;
    Operation *operations;
} Transaction;

typedef struct ModelRow {
    uint32_t table;
    int64_t row_id;
    RowValue value;
    bool exists;
} ModelRow;

typedef struct ModelTable {
    bool exists, is_wide;
} ModelTable;

typedef struct Model {
    ModelTable tables[TABLES_MAX];
    ModelRow rows[ROWS_MAX];
    uint32_t row_count;
} Model;

static struct {
    CrashOptions options;
    Store *store;
    TxnManager *manager;
    Transaction transactions[TRANSACTIONS_MAX]; /* by number, from 1 */
    uint32_t transaction_count;
    uint32_t order[TRANSACTIONS_MAX]; /* numbers, as their commits were asked for */
    uint32_t order_count;
    uint32_t table_count;       /* numbers given, used once each */
    uint32_t owner[TABLES_MAX]; /* the writer that may change what is no fixed table */
    Model model;                /* what has been applied, for choosing rows; and for the check */
    uint32_t writers_left;
    bool is_found;       /* verify has found damage */
    uint32_t committing; /* writers whose commit is asked for and not answered */
    uint64_t operation;  /* of the crash, and how many there have been */
    uint32_t depth;
} work;

/* The store's threads would run on for ever: the process ends. */
static NORETURN void fail_with(const char *why)
{
    fprintf(stderr, "seed %u, operation %llu, depth %u: %s\n", work.options.seed,
            (unsigned long long)work.operation, work.depth, why);
    fflush(NULL);
    _exit(CRASH_FAILED);
}

static bool fail(const char *what, long long a, long long b)
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

static bool fail_error(const char *where)
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

static ModelRow *model_row(Model *model, uint32_t table, int64_t row_id, bool makes)
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

static void model_apply(Model *model, const Transaction *transaction)
{
    for (uint32_t i = 0; i < transaction->operation_count; i++) {
        const Operation *operation = &transaction->operations[i];
        ModelTable *table = &model->tables[operation->table];
        switch (operation->kind) {
        case ROW_PUT: {
            ModelRow *row = model_row(model, operation->table, operation->row_id, true);
            row->value = operation->row;
            row->exists = true;
            break;
        }
        case ROW_DELETE:
            model_row(model, operation->table, operation->row_id, true)->exists = false;
            break;
        case TABLE_MAKE:
            table->exists = true;
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

static void model_init(Model *model)
{
    memset(model, 0, sizeof(*model));
    for (uint32_t i = 0; i < FIXED_TABLES; i++)
        model->tables[i].exists = true;
}

void crash_start(const CrashOptions *options)
{
    for (uint32_t i = 1; i <= work.transaction_count; i++)
        free(work.transactions[i].operations);
    memset(&work, 0, sizeof(work));
    work.options = *options;
    work.table_count = FIXED_TABLES;
    model_init(&work.model);
}

/* -------- Rows as bytes -------- */

static TreeId table_tree(uint32_t table)
{
    return 100 + table * 10;
}

static TreeId index_tree(uint32_t table, uint32_t index)
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

static Str row_text(Arena *arena, const RowValue *row)
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
static Str index_key(Arena *arena, uint32_t index, const RowValue *row)
{
    if (index < 2)
        return number_key(arena, index == 0 ? row->key : row->amount);
    return row_text_start(arena, row, MIN(row->text_length, 500u));
}

/* -------- One writer's transaction -------- */

typedef struct Writer {
    uint32_t number, seed;
    TxnSession *session;
    Txn *txn;
    Transaction *transaction;
    Arena *arena;
    TxnTree *trees[TABLES_MAX][1 + INDEXES]; /* open for the transaction */
} Writer;

static TxnTree *writer_tree(Writer *writer, uint32_t table, uint32_t which)
{
    TxnTree **tree = &writer->trees[table][which];
    const TreeId id = which == 0 ? table_tree(table) : index_tree(table, which - 1);

    if (!*tree)
        TRY(txn_tree_open(writer->txn, HOME, id, tree));
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

static bool build_table(Writer *writer, uint32_t table, uint32_t rows)
{
    TxnBulk *bulk;
    const Layout *layout = layout_new(writer->arena, 1, columns, 3);
    int64_t row_id;

    TRY(txn_bulk_begin(writer->txn, writer_tree(writer, table, 0), &bulk));
    for (uint32_t i = 0; i < rows; i++) {
        RowValue row = draw_row(writer);
        row.key = i;
        row.amount = i / 2;
        row.text_seed = 2; /* entries of the third index come in order: the texts are alike */
        TRY(txn_bulk_append_row(bulk, row_image_of(writer->arena, layout, &row), &row_id));
        note(writer, ROW_PUT, table, row_id, &row);
    }
    TRY(txn_bulk_end(bulk));
    const Operation *made =
        &writer->transaction->operations[writer->transaction->operation_count - rows];
    for (uint32_t index = 0; index < 2; index++) {
        TRY(txn_bulk_begin(writer->txn, writer_tree(writer, table, 1 + index), &bulk));
        for (uint32_t i = 0; i < rows; i++)
            TRY(txn_bulk_append_entry(bulk, index_key(writer->arena, index, &made[i].row),
                                      made[i].row_id));
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
    TRY(build_table(writer, table, 1 + draw(&writer->seed, 40)));
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
    TRY(txn_tree_drop(writer->txn, HOME, table_tree(table)));
    for (uint32_t i = 0; i < INDEXES; i++)
        TRY(txn_tree_drop(writer->txn, HOME, index_tree(table, i)));
    note(writer, TABLE_DROP, table, 0, NULL);
    return true;
}

/* -------- Transactions -------- */

static const SequenceDefinition counting = {
    .increment = 1, .minimum = 1, .maximum = INT64_MAX, .start = 1, .cache = 1};

static bool writer_work(Writer *writer)
{
    const uint32_t what = draw(&writer->seed, 20);

    if (what == 0)
        return make_table(writer);
    if (what == 1)
        return drop_table(writer);
    if (what == 2)
        return widen_table(writer);
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

static void writer_run(Writer *writer, uint32_t steps)
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

static bool open_all(void)
{
    const StoreOptions options = {.pool_bytes = STORE_POOL_MIN,
                                  .database_page_limit = 1u << 20,
                                  .wal_ring_bytes = 1u << 18,
                                  .min_wal_bytes = 1};
    TxnConfig config = txn_config_default;

    config.write_set_memory = 64u << 10;
    config.row_lock_limit = 16;
    work.store = store_open(STR("data"), &options);
    return ((work.store && txn_manager_open(work.store, &config, &work.manager)) ||
            fail_error("open")) &&
           check_recovery();
}

static void close_all(StoreClose how)
{
    txn_manager_close(work.manager);
    if (store_close(work.store, how))
        return;
    if (!is_expected_error())
        fail_error("close");
    error_clear();
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
    return txn_commit(txn);
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

/* -------- Checking -------- */

/* Bit n: the journal has transaction n. */
typedef struct Present {
    bool items[TRANSACTIONS_MAX];
} Present;

static bool read_journal(Txn *txn, Arena *arena, Present *present)
{
    const uint16_t column = 0;
    TxnTree *journal;
    ScanOutcome outcome;

    TRY(txn_tree_open(txn, HOME, JOURNAL, &journal) || fail_error("journal"));
    TableScan *scan =
        table_scan_open(txn, txn_snapshot(txn), journal,
                        &(TableScanSpec){.columns = &column, .column_count = 1}, arena);
    TRY(scan || fail_error("journal"));
    while ((outcome = table_scan_next(scan)) == SCAN_ROWS) {
        const Batch *batch = table_scan_batch(scan);
        for (uint32_t i = 0; i < batch->row_count; i++) {
            const int64_t number = VECTOR_VALUES(batch->columns[0], int64_t)[i];
            if (number < 1 || number > work.transaction_count || present->items[number])
                return fail("a transaction is there that has never been", number, 0);
            present->items[number] = true;
        }
    }
    table_scan_close(scan);
    txn_tree_close(journal);
    return outcome == SCAN_END || fail_error("journal");
}

/* What is there is everything up to the end of the log, whole transactions only. */
static bool check_transactions(const Present *present, Lsn end)
{
    for (uint32_t i = 1; i <= work.transaction_count; i++) {
        const Transaction *transaction = &work.transactions[i];
        const bool is_there = present->items[i];
        if (transaction->state == TXN_ACKNOWLEDGED && !is_there && work.options.is_damaged)
            _exit(CRASH_CUT);
        if (transaction->state == TXN_ACKNOWLEDGED && !is_there)
            return fail("an acknowledged transaction is lost", i, (long long)transaction->lsn);
        if ((transaction->state == TXN_UNDONE || transaction->state == TXN_OPEN) && is_there)
            return fail("a transaction is there that did not commit", i, 0);
        if (transaction->lsn != 0 && is_there != (transaction->lsn <= end))
            return fail("the log's end and the transactions do not agree", i, (long long)end);
    }
    return true;
}

static void model_of(const Present *present, Model *model)
{
    model_init(model);
    for (uint32_t i = 0; i < work.order_count; i++)
        if (present->items[work.order[i]])
            model_apply(model, &work.transactions[work.order[i]]);
}

static bool check_row(const Model *model, Arena *arena, uint32_t table, const Batch *batch,
                      uint32_t i)
{
    const int64_t row_id = VECTOR_VALUES(batch->columns[0], int64_t)[i];
    const ModelRow *row = model_row((Model *)model, table, row_id, false);

    if (!row || !row->exists)
        return fail("a row is there that should not be", table, row_id);
    const RowValue *value = &row->value;
    if (VECTOR_VALUES(batch->columns[1], int64_t)[i] != value->key ||
        VECTOR_VALUES(batch->columns[2], int64_t)[i] != value->amount ||
        !str_equal(var_str(VECTOR_VALUES(batch->columns[3], VarRef)[i]), row_text(arena, value)))
        return fail("a row has other values", table, row_id);
    if (model->tables[table].is_wide &&
        VECTOR_VALUES(batch->columns[4], int32_t)[i] != value->extra)
        return fail("a row's added column has another value", table, row_id);
    return true;
}

static bool check_table(Txn *txn, const Model *model, uint32_t table, uint32_t *ret_rows)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("table");
    const uint16_t wanted[] = {SCAN_ROW_ID, 0, 1, 2, 3};
    TxnTree *tree;
    ScanOutcome outcome;
    uint32_t found = 0, expected = 0;

    TRY(txn_tree_open(txn, HOME, table_tree(table), &tree) || fail_error("table"));
    const uint32_t count = model->tables[table].is_wide ? 5 : 4;
    TableScan *scan =
        table_scan_open(txn, txn_snapshot(txn), tree,
                        &(TableScanSpec){.columns = wanted, .column_count = count}, arena);
    TRY(scan || fail_error("table"));
    while ((outcome = table_scan_next(scan)) == SCAN_ROWS) {
        const Batch *batch = table_scan_batch(scan);
        for (uint32_t i = 0; i < batch->row_count; i++, found++)
            TRY(check_row(model, arena, table, batch, i));
    }
    table_scan_close(scan);
    txn_tree_close(tree);
    TRY(outcome == SCAN_END || fail_error("table"));
    for (uint32_t i = 0; i < model->row_count; i++)
        expected += model->rows[i].table == table && model->rows[i].exists;
    *ret_rows = found;
    return found == expected || fail("rows are missing", table, (long long)expected - found);
}

static bool check_index(Txn *txn, const Model *model, uint32_t table, uint32_t index, uint32_t rows)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("index");
    TxnTree *tree;
    IndexEntry entry;
    ScanOutcome outcome;
    uint32_t found = 0;
    Str last = STR_NONE;

    TRY(txn_tree_open(txn, HOME, index_tree(table, index), &tree) || fail_error("index"));
    IndexScan *scan = index_scan_open(txn, txn_snapshot(txn), tree,
                                      &(IndexScanSpec){.low = STR(""), .high = STR_NONE}, arena);
    TRY(scan || fail_error("index"));
    while ((outcome = index_scan_next(scan, &entry)) == SCAN_ROWS) {
        const ModelRow *row = model_row((Model *)model, table, entry.row_id, false);
        if (!row || !row->exists || !str_equal(entry.key, index_key(arena, index, &row->value)))
            return fail("an index has an entry that its table has not", index, entry.row_id);
        if (index == 0 && !str_is_none(last) && str_equal(last, entry.key))
            return fail("a unique index has a key twice", table, row->value.key);
        last = str_copy(arena, entry.key);
        found++;
    }
    index_scan_close(scan);
    txn_tree_close(tree);
    TRY(outcome == SCAN_END || fail_error("index"));
    return found == rows || fail("an index has not all rows of its table", index, table);
}

static bool check_sequence(Txn *txn, const Present *present)
{
    SequenceState state;

    TRY(sequence_read(txn, HOME, SEQUENCE, &state) || fail_error("sequence"));
    for (uint32_t i = 1; i <= work.transaction_count; i++) {
        const int64_t value = work.transactions[i].sequence_value;
        if (present->items[i] && value > state.last_value)
            return fail("a number of the sequence would be given twice", value, state.last_value);
    }
    return true;
}

static bool tell_lost_page(void *context, uint32_t page_id)
{
    (void)context;
    if (work.options.is_damaged && work.is_found) /* what damage hides cannot be given back */
        _exit(CRASH_REFUSED);
    fail("a page belongs to no tree", page_id, 0);
    return true;
}

static bool check_pages(void)
{
    uint64_t count;
    Database *database = store_database(work.store, HOME);

    if (!database)
        return fail("the database is gone", HOME, 0);
    if (!tree_unreached(database, tell_lost_page, NULL, &count))
        return fail_error("trees");
    return count == 0;
}

static bool check_contents(Txn *txn, Lsn end)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("check");
    Present present = {0};
    Model *model = &work.model;

    TRY(read_journal(txn, arena, &present));
    TRY(check_transactions(&present, end));
    model_of(&present, model);
    for (uint32_t table = 0; table < work.table_count; table++) {
        TxnTree *tree;
        uint32_t rows;
        if (!model->tables[table].exists) {
            if (txn_tree_open(txn, HOME, table_tree(table), &tree))
                return fail("a table is there that should not be", table, 0);
            error_clear();
            continue;
        }
        TRY(check_table(txn, model, table, &rows));
        for (uint32_t index = 0; index < INDEXES; index++)
            TRY(check_index(txn, model, table, index, rows));
    }
    return check_sequence(txn, &present);
}

/* From here on the recovered state is the truth: what is not there will never be. */
static void settle_history(Lsn end)
{
    for (uint32_t i = 1; i <= work.transaction_count; i++) {
        Transaction *transaction = &work.transactions[i];
        if (transaction->state == TXN_OPEN || (transaction->lsn != 0 && transaction->lsn > end))
            transaction->state = TXN_UNDONE;
        if (transaction->state == TXN_UNDONE)
            transaction->lsn = 0;
    }
}

static bool check_all(Lsn end)
{
    TxnSession *session = txn_session_open(work.manager, 1);
    Txn *txn = txn_begin(session, &(TxnOptions){ISOLATION_READ_COMMITTED});

    TRY((txn && txn_statement_begin(txn)) || fail_error("check"));
    TRY(check_contents(txn, end));
    txn_rollback(txn);
    txn_session_close(session);
    return check_pages();
}

static void tell_problem(void *context, const StoreProblem *problem)
{
    char why[300];

    (void)context;
    snprintf(why, sizeof(why), "page %u slot %u: %.*s", problem->page, problem->slot,
             STR_ARGS(problem->text));
    fail_with(why);
}

static bool verify_store(void)
{
    uint64_t count;
    Store *store = store_open(STR("data"), &(StoreOptions){.pool_bytes = STORE_POOL_MIN,
                                                           .database_page_limit = 1u << 20,
                                                           .read_only = true});

    TRY(store || fail_error("verify"));
    TRY(store_verify(store, tell_problem, NULL, &count) || fail_error("verify"));
    store_close(store, STORE_CLOSE_ABORT);
    return true;
}

static void count_problem(void *context, const StoreProblem *problem)
{
    (void)context, (void)problem;
}

/* What verify finds before anybody has opened it for writing; an error counts as well. */
static bool verify_finds(void)
{
    uint64_t count = 0;
    Store *store = store_open(STR("data"), &(StoreOptions){.pool_bytes = STORE_POOL_MIN,
                                                           .database_page_limit = 1u << 20,
                                                           .read_only = true});

    const bool ok = store && store_verify(store, count_problem, NULL, &count);
    if (!ok)
        error_clear();
    store_close(store, STORE_CLOSE_ABORT);
    return !ok || count > 0;
}

void crash_read(void *unused)
{
    (void)unused;
    work.is_found = verify_finds();
    work.committing = 0;
    /* Where everything is right, nobody uses what was damaged, or the log has made it anew. */
    if (open_all() && check_all(wal_reserved_end(store_wal(work.store))))
        close_all(STORE_CLOSE_ABORT);
}

void crash_recover(void *unused)
{
    Writer writer = {.number = CRASH_WRITERS, .seed = work.options.seed + 7};

    (void)unused;
    work.committing = 0;
    if (!verify_store() || !open_all())
        return;
    const Lsn end = wal_reserved_end(store_wal(work.store));
    if (!check_all(end))
        return;
    if (work.operation % 3 != 0) {
        close_all(STORE_CLOSE_ABORT);
        return;
    }
    /* Life goes on with what was recovered. */
    settle_history(end);
    writer_run(&writer, 3);
    close_all(STORE_CLOSE_CLEAN);
    if (verify_store() && open_all() && check_all(wal_reserved_end(store_wal(work.store))))
        close_all(STORE_CLOSE_CLEAN);
}
