/*
 * Rows that a bulk load has added, as runs of row ids: what older snapshots see nothing of.
 *
 * A row id is given once. So one date for many rows says all that version chains would say of
 * their insertion, and of that of their index entries, which end in the row id: no snapshot
 * before the date sees them, whatever became of them since.
 *
 *   FreshRows *rows = fresh_rows_new(table);      before the commit
 *   TRY(fresh_rows_add(rows, row_id)); ...        best in ascending order; each id once
 *   fresh_rows_seal(rows);                        before anybody asks
 *   fresh_rows_name(rows, index);                 a tree whose entries end in these row ids
 *   fresh_list_publish(list, rows, lsn);          before the first of them is put into a tree
 *
 * Invariant: N1 Who finds a leaf's number above his snapshot's finds the rows published that
 * raised it.
 */
#ifndef TXN_FRESH_H
#define TXN_FRESH_H

#include "base/hash.h"
#include "base/sync.h"
#include "storage/store.h"
#include "txn/snapshot.h"

typedef struct FreshRows FreshRows;
typedef uint64_t TreeName; /* version.h */

MUST_CHECK FreshRows *fresh_rows_new(TreeName table);
MUST_CHECK bool fresh_rows_add(FreshRows *rows, uint64_t row_id);
MUST_CHECK bool fresh_rows_add_run(FreshRows *rows, uint64_t first, uint64_t last);
void fresh_rows_seal(FreshRows *rows);
bool fresh_rows_name(FreshRows *rows, TreeName index); /* false: it has too many names */
bool fresh_rows_have(const FreshRows *rows, uint64_t row_id);
void fresh_rows_free(FreshRows *rows); /* unpublished ones; accepts NULL */

typedef struct FreshList {
    Mutex mutex;
    FreshRows *first GUARDED_BY(mutex);
    _Atomic uint64_t names; /* a bit for each name of one of them; changed under the mutex */
} FreshList;

void fresh_list_init(FreshList *list);
void fresh_list_deinit(FreshList *list);
void fresh_list_publish(FreshList *list, FreshRows *rows, Lsn lsn);

/* Of a row, or of an entry that ends in its id: its date where the snapshot doesn't see that. 0:
 * none. */
Lsn fresh_list_find(FreshList *list, TreeName tree, uint64_t row_id, const Snapshot *snapshot);
static inline uint64_t fresh_name_bit(TreeName name)
{
    return UINT64_C(1) << (hash_mix64(name) & 63);
}
/* False: surely nothing is to be found of this tree. Without the mutex, which all readers share. */
static inline bool fresh_list_may_have(const FreshList *list, TreeName tree)
{
    /* Pairs with the store of fresh_list_publish, by way of the leaf's latch (N1). */
    return atomic_load_explicit(&((FreshList *)list)->names, memory_order_acquire) &
           fresh_name_bit(tree);
}
/* Frees those that every snapshot sees. */
void fresh_list_reclaim(FreshList *list, Lsn horizon);

#endif
