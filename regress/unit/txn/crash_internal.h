/*
 * What the crash workload and its check share: the model that outlives the crash.
 */
#ifndef TEST_TXN_CRASH_INTERNAL_H
#define TEST_TXN_CRASH_INTERNAL_H

#include "crash_workload.h"
#include "storage/row.h"
#include "txn/txn_internal.h"

#define HOME ((DatabaseId)5)
#define TEMPLATE ((DatabaseId)6) /* has one table, which nobody changes; clones follow it */
#define TEMPLATE_TABLE 0u        /* by its trees' ids */
#define TEMPLATE_ROWS 30u
#define CLONE_FIRST ((DatabaseId)20)
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
    TABLE_DROP,
    DATABASE_MAKE, /* with the template's table in it, which counts as a table like any other */
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

typedef struct CrashWork {
    CrashOptions options;
    RowValue template_rows[TEMPLATE_ROWS]; /* of ids from 1 */
    Store *store;
    TxnManager *manager;
    Transaction transactions[TRANSACTIONS_MAX]; /* by number, from 1 */
    uint32_t transaction_count;
    uint32_t order[TRANSACTIONS_MAX]; /* numbers, as their commits were asked for */
    uint32_t order_count;
    uint32_t table_count;       /* numbers given, used once each */
    uint32_t owner[TABLES_MAX]; /* the writer that may change what is no fixed table */
    bool is_clone[TABLES_MAX];  /* the table is in a database of its own */
    Model model;                /* what has been applied, for choosing rows; and for the check */
    uint32_t writers_left;
    bool is_found;       /* verify has found damage */
    int64_t bulk_keys;   /* above all others, given in thousands */
    uint32_t committing; /* writers whose commit is asked for and not answered */
    uint64_t operation;  /* of the crash, and how many there have been */
    uint32_t depth;
} CrashWork;
extern CrashWork work;

typedef struct Writer {
    uint32_t number, seed;
    TxnSession *session;
    Txn *txn;
    Transaction *transaction;
    Arena *arena;
    TxnTree *trees[TABLES_MAX][1 + INDEXES]; /* open for the transaction */
} Writer;

/* Wrong: told, and the process ends. Never return true. */
NORETURN void fail_with(const char *why);
bool fail(const char *what, long long a, long long b);
bool fail_error(const char *where);
ModelRow *model_row(Model *model, uint32_t table, int64_t row_id, bool makes);
void model_init(Model *model);
void model_apply(Model *model, const Transaction *transaction);
TreeId table_tree(uint32_t table);
DatabaseId table_database(uint32_t table);
TreeId index_tree(uint32_t table, uint32_t index);
Str row_text(Arena *arena, const RowValue *row);
Str index_key(Arena *arena, uint32_t index, const RowValue *row);
bool open_all(void);
void close_all(StoreClose how);
void writer_run(Writer *writer, uint32_t steps);

#endif
