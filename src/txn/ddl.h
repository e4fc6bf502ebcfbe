/*
 * Trees and databases made, changed and dropped by transactions.
 *
 * A tree is named by {database, tree id}; catalog chooses ids (relfilenodes) and never uses one
 * twice. A TxnTree is the shared handle that reading and writing take: open it once, keep it in
 * the relation cache.
 *
 *   TRY(txn_tree_create(txn, database, tree_id, TREE_TABLE, layout));
 *   TRY(txn_tree_open(txn, database, tree_id, &tree));     at once, for the creator
 *   …
 *   txn_tree_close(tree);
 *
 * Everything takes effect at commit and is undone by rollback, rollback to a savepoint included.
 * Two transactions never change the same tree's existence or layout at a time: catalog's table
 * locks see to that.
 *
 * Bulk building writes rows in row id order, or entries in key order, straight into finished
 * pages of a tree that this transaction created:
 *
 *   TRY(txn_bulk_begin(txn, tree, &bulk));
 *   TRY(txn_bulk_append_row(bulk, image, &row_id));  or  txn_bulk_append_key(bulk, entry)
 *   TRY(txn_bulk_end(bulk));                         the creator sees them from now on
 */
#ifndef TXN_DDL_H
#define TXN_DDL_H

#include "storage/row.h"
#include "txn/txn.h"

/* A reference; fails with XX000 when there is no such tree for this transaction. */
MUST_CHECK bool txn_tree_open(Txn *txn, DatabaseId database, TreeId tree_id, TxnTree **ret_tree);
void txn_tree_close(TxnTree *tree); /* accepts NULL */
DatabaseId txn_tree_database(const TxnTree *tree);
TreeId txn_tree_id(const TxnTree *tree);
bool txn_tree_is_own(const Txn *txn, const TxnTree *tree); /* made by txn, which has not ended */
/* The layout that new rows are encoded by, as this transaction sees it. */
const Layout *txn_tree_layout(Txn *txn, TxnTree *tree);
/* For planners: committed rows (or entries) and pages, roughly. */
uint64_t txn_tree_row_count(Txn *txn, TxnTree *tree);
uint64_t txn_tree_page_count(Txn *txn, TxnTree *tree);

/* `layout` is NULL but for TREE_TABLE. */
MUST_CHECK bool txn_tree_create(Txn *txn, DatabaseId database, TreeId tree_id, TreeKind kind,
                                const Layout *layout);
/* The pages are given back when nobody can see the tree any more. */
MUST_CHECK bool txn_tree_drop(Txn *txn, DatabaseId database, TreeId tree_id);
/* Adds the layout that rows are written by from now on; older rows keep theirs. */
MUST_CHECK bool txn_tree_set_layout(Txn *txn, TxnTree *tree, const Layout *layout);

typedef struct TxnBulk TxnBulk;
MUST_CHECK bool txn_bulk_begin(Txn *txn, TxnTree *tree, TxnBulk **ret_bulk);
/* The same where the statement may read the table itself: rows never go to a tree that the
 * transaction has made, where its own command would see them. */
MUST_CHECK bool txn_bulk_begin_among(Txn *txn, TxnTree *tree, TxnBulk **ret_bulk);
/* Many rows follow: the first of them goes where they will. */
void txn_bulk_expect_many(TxnBulk *bulk);
/* Rows of a table that others know stay in the write set: the commit may leave them out
 * (txn_forget_writes). Before the first row. */
void txn_bulk_stay(TxnBulk *bulk);
/* Row ids are given in order from 1, or continue after those that are there. */
MUST_CHECK bool txn_bulk_append_row(TxnBulk *bulk, Str image, int64_t *ret_row_id);
/*
 * The same for rows in columns, of txn_tree_layout. *ret_taken false: they go one by one, as some
 * are large, or are not worth leaves of their own. An id for each row of the selection.
 */
MUST_CHECK bool txn_bulk_append_rows(TxnBulk *bulk, Vector *const *columns, Selection rows,
                                     int64_t *ret_row_ids, bool *ret_taken);
/* An entry of an index: the key, and its row id, big-endian, behind it. Ascending. */
MUST_CHECK bool txn_bulk_append_key(TxnBulk *bulk, Str entry);
MUST_CHECK bool txn_bulk_end(TxnBulk *bulk);
void txn_bulk_abandon(TxnBulk *bulk); /* instead of end; rollback does it too */

/* Databases. Nobody may write in `source` meanwhile: the caller holds its lock. */
MUST_CHECK bool txn_database_create(Txn *txn, DatabaseId database);
MUST_CHECK bool txn_database_clone(Txn *txn, DatabaseId source, DatabaseId target);
MUST_CHECK bool txn_database_drop(Txn *txn, DatabaseId database);

#endif
