/*
 * Which columns a scan fetches and how they become the slots of its expressions: stored columns,
 * the row id, ctid (the row id as a tid), tableoid, the whole row.
 */
#ifndef EXECUTOR_SCAN_COLUMNS_H
#define EXECUTOR_SCAN_COLUMNS_H

#include "executor/node.h"

typedef struct ScanColumns {
    TableHandle *table;
    uint32_t count; /* slots */
    Vector **slots;
    int *map;        /* per slot: index into fetch, or SLOT_… */
    uint16_t *fetch; /* for TableScanSpec and txn_fetch_rows */
    uint32_t fetch_count;
    Vector *table_oid; /* constant; NULL: not asked for */
    Vector *whole;
    int *whole_map;    /* per attribute: index into fetch, -1 dropped */
    Batch *batch;      /* for txn_fetch_rows: flat vectors in fetch order */
    uint32_t capacity; /* rows that batch has room for */
} ScanColumns;

MUST_CHECK bool scan_columns_init(ScanColumns *columns, ExecState *exec, Oid relation,
                                  const int *attnums, uint32_t count);
/* Points the slots at fetched vectors. */
void scan_columns_bind(ScanColumns *columns, Vector *const *fetched, Selection selection,
                       Arena *arena);
/* Fetches rows by id, as `snapshot` sees them: count rows found are in columns->batch, bound. */
MUST_CHECK bool scan_columns_fetch(ScanColumns *columns, ExecState *exec, const Snapshot *snapshot,
                                   const int64_t *row_ids, uint32_t count, Arena *arena,
                                   uint32_t *ret_count);
/* CONTEXT of an error that ended the wait for a row's lock: while updating tuple (0,1) in relation
 * "t". The tuple is the row's ctid, which stays the same through updates. */
void row_wait_add_context(const char *doing, int64_t row_id, Str relation_name);
/* The one row that a sequence shows: last_value, log_cnt, is_called. */
MUST_CHECK bool scan_columns_sequence(ScanColumns *columns, ExecState *exec, Arena *arena);
/* The override of a range table entry in an EPQ tree, NULL: none. */
EpqOverride *scan_override(const ExecState *exec, int rel);
/* The one row of an override, or none; given once. */
MUST_CHECK bool scan_override_fetch(ScanColumns *columns, ExecState *exec,
                                    const EpqOverride *override, Arena *arena, uint32_t *ret_count);

#endif
