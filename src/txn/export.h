/*
 * Snapshots that a transaction lends to others: pg_export_snapshot and SET TRANSACTION SNAPSHOT
 * (PostgreSQL's manual, 9.27.5 "Snapshot Synchronization Functions").
 *
 *   TRY(txn_snapshot_export(txn, database, &name));       in the one
 *   TRY(txn_snapshot_import(other, database, name));      in the other, before it reads anything
 *
 * What is exported can be imported until the transaction ends that has exported it, and is readable
 * for it as long. Who has imported it holds it by himself. It shows what is committed, not what
 * either has written.
 */
#ifndef TXN_EXPORT_H
#define TXN_EXPORT_H

#include "txn/txn.h"

/* *ret_name is "PROCESS-TRANSACTION-NUMBER" as PostgreSQL writes it, in the transaction's memory.
 */
MUST_CHECK bool txn_snapshot_export(Txn *txn, DatabaseId database, Str *ret_name);

/* Its statements see what the exporter's one saw, from now on. Under REPEATABLE READ alone. Fails
 * with 22023 where there is no such snapshot, 72000 where its versions are gone. */
MUST_CHECK bool txn_snapshot_import(Txn *txn, DatabaseId database, Str name);

#endif
