/*
 * Reading: one row, many rows, all rows in row id order, index entries in key order.
 *
 * Every reader takes the Snapshot it reads at and merges the transaction's own writes of earlier
 * commands. Readers hold no latch between calls and survive splits, merges and commits of others.
 *
 *   TableScan *scan = table_scan_open(txn, &snapshot, table, &(TableScanSpec){…}, arena);
 *   while ((outcome = table_scan_next(scan)) == SCAN_ROWS)
 *       use(table_scan_batch(scan));         valid until the next call
 *   table_scan_close(scan);
 *
 * Column numbers are positions in the table's layout, from 0. SCAN_ROW_ID asks for the row id as
 * an int64 column. Variable-length values point into memory of the scan's, valid until its next
 * call; those of txn_fetch are copied into the caller's arena.
 *
 * Index entries are versioned as rows are, so an index scan returns exactly the entries that its
 * snapshot sees and `recheck` is false: the key is the visible row's. The flag stays in the
 * contract for index kinds that are lossy.
 */
#ifndef TXN_SCAN_H
#define TXN_SCAN_H

#include "base/vector.h"
#include "txn/txn.h"

#define SCAN_ROW_ID 0xffffu

typedef enum ScanOutcome {
    SCAN_FAILED = 0,
    SCAN_ROWS,
    SCAN_END,
} ScanOutcome;

typedef enum FetchOutcome {
    FETCH_FAILED = 0,
    FETCH_ROW,
    FETCH_NONE, /* the snapshot sees no such row */
} FetchOutcome;

/* One row's columns into values[] and nulls[] (column_count long). */
MUST_CHECK FetchOutcome txn_fetch(Txn *txn, const Snapshot *snapshot, TxnTree *table,
                                  int64_t row_id, const uint16_t *columns, uint32_t column_count,
                                  Value *values, bool *nulls, Arena *arena);
/* Is the row that the snapshot sees what it is now, own writes aside? */
MUST_CHECK bool txn_row_is_newest(Txn *txn, const Snapshot *snapshot, TxnTree *table,
                                  int64_t row_id, bool *ret_is_newest);
/*
 * Up to VECTOR_SIZE rows by id into `batch`, whose columns are flat vectors of the layout's
 * types (or int64 for SCAN_ROW_ID). Rows that the snapshot doesn't see are left out:
 * batch->row_count are there, and from[i] is the position in row_ids of batch row i.
 */
MUST_CHECK bool txn_fetch_rows(Txn *txn, const Snapshot *snapshot, TxnTree *table,
                               const int64_t *row_ids, uint32_t row_count, const uint16_t *columns,
                               uint32_t column_count, Batch *batch, uint16_t *from, Arena *arena);

typedef struct TableScan TableScan;

typedef struct TableScanSpec {
    const uint16_t *columns; /* may be none: rows are only counted */
    uint32_t column_count;
    int64_t low;  /* first row id of the range; 0: from the start */
    int64_t high; /* end of the range, exclusive; 0: to the end */
} TableScanSpec;

/* The scan, its vectors and `spec`'s columns live in `arena`. Never NULL without an error set. */
MUST_CHECK TableScan *table_scan_open(Txn *txn, const Snapshot *snapshot, TxnTree *table,
                                      const TableScanSpec *spec, Arena *arena);
MUST_CHECK ScanOutcome table_scan_next(TableScan *scan);
Batch *table_scan_batch(TableScan *scan);
void table_scan_rewind(TableScan *scan);
void table_scan_close(TableScan *scan); /* accepts NULL */

typedef struct IndexScan IndexScan;
typedef enum ScanDirection { SCAN_FORWARD = 0, SCAN_BACKWARD } ScanDirection;

typedef struct IndexScanSpec {
    Str low;  /* keys >= low; empty: from the start */
    Str high; /* keys < high, unless STR_NONE: to the end */
    ScanDirection direction;
} IndexScanSpec;

typedef struct IndexEntry {
    Str key; /* without the row id; valid until the next call */
    int64_t row_id;
    bool recheck;
} IndexEntry;

MUST_CHECK IndexScan *index_scan_open(Txn *txn, const Snapshot *snapshot, TxnTree *index,
                                      const IndexScanSpec *spec, Arena *arena);
/* Another range with the same scan: what an index join's inner side does for each outer row. */
void index_scan_reset(IndexScan *scan, const Snapshot *snapshot, const IndexScanSpec *spec);
MUST_CHECK ScanOutcome index_scan_next(IndexScan *scan, IndexEntry *ret_entry);
/* Up to `limit` entries at once; keys stay valid until the next call. */
MUST_CHECK ScanOutcome index_scan_next_many(IndexScan *scan, IndexEntry *entries, uint32_t limit,
                                            uint32_t *ret_count);
void index_scan_close(IndexScan *scan); /* accepts NULL */

/* The first visible entry with exactly this key (unique indexes): FETCH_ROW and its row id. */
MUST_CHECK FetchOutcome txn_index_lookup(Txn *txn, const Snapshot *snapshot, TxnTree *index,
                                         Str key, int64_t *ret_row_id);

/* A value of a key-value tree, in the arena. */
MUST_CHECK FetchOutcome txn_get(Txn *txn, const Snapshot *snapshot, TxnTree *tree, Str key,
                                Arena *arena, Str *ret_value);

#endif
