/* A store in a temporary directory, a manager over it, and a table of (int64, text) with an index.
 */
#ifndef TEST_TXN_FIXTURE_H
#define TEST_TXN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../test_directory.h"

#include "base/os.h"
#include "base/settings.h"
#include "storage/checkpoint.h"
#include "storage/leaf.h"
#include "txn/ddl.h"
#include "txn/lock.h"
#include "txn/scan.h"
#include "txn/sequence.h"
#include "txn/txn.h"

#define HOME ((DatabaseId)5)
#define TABLE ((TreeId)100)
#define INDEX ((TreeId)101)

typedef struct Fixture {
    char path[TEST_PATH_SIZE];
    Store *store;
    TxnManager *manager;
    Arena *arena;
    TxnConfig config;
} Fixture;

extern const LayoutColumn fixture_columns[2];

void ok(bool result); /* fails the test with the error's message */
void fixture_open(Fixture *fixture);
void fixture_reopen(Fixture *fixture, StoreClose how);
/* Opened again with less: of bytes, of locks with a hold each. */
void fixture_limit_write_sets(Fixture *fixture, uint64_t bytes);
void fixture_limit_row_locks(Fixture *fixture, uint32_t count);
void fixture_call_large(Fixture *fixture, uint32_t writes); /* commits of so many */
int fixture_setup(void **state);                            /* with database, table and index */
int fixture_teardown(void **state);

Txn *begin(TxnSession *session, IsolationLevel isolation);
void commit(Txn *txn);
TxnTree *open_tree(Txn *txn, TreeId id);
Str row_image(Arena *arena, int64_t number, const char *text);
/* An order-preserving key of a number. */
Str number_key(Arena *arena, int64_t number);
int64_t insert(Txn *txn, int64_t number, const char *text); /* and its index entry */
/* The sum and the count of the numbers that a scan sees; checks that row ids ascend. */
int64_t scan_sum(Txn *txn, const Snapshot *snapshot, int64_t *ret_count);
/* The number in a row, or INT64_MIN where there is none. */
int64_t fetch_number(Txn *txn, const Snapshot *snapshot, int64_t row_id);
RowLockOutcome lock_row(Txn *txn, int64_t row_id, RowLockMode mode, LockWait wait,
                        int64_t *ret_number);

extern const char fixture_text[];
/* Is what the transaction has inserted on leaves that the commit will graft? */
bool is_built(Txn *txn, TreeId id);

#endif
