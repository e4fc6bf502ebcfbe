/*
 * Sequences: numbers that are given once, whatever becomes of the transaction.
 *
 * A sequence's state is an entry {last value, is called} of its database's sequence tree, under
 * the id that catalog gave it (a relfilenode, never used twice: RESTART inside a transaction is
 * a new id, so that it can be rolled back). What it counts by is the caller's, from pg_sequence.
 *
 *   TRY(sequence_create(txn, database, id, start));
 *   TRY(sequence_next(txn, database, id, &definition, name, &value));
 *
 * Values are logged 32 ahead in records of their own, which nobody waits for by themselves: the
 * commit that carries a value to the client is later in the log. Creating and dropping belong to
 * the transaction; giving numbers does not.
 */
#ifndef TXN_SEQUENCE_H
#define TXN_SEQUENCE_H

#include "txn/txn.h"

typedef struct SequenceDefinition {
    int64_t increment, minimum, maximum, start;
    int64_t cache;
    bool cycle;
} SequenceDefinition;

typedef struct SequenceState {
    int64_t last_value;
    int64_t log_count; /* values given before the next log record */
    bool is_called;
} SequenceState;

MUST_CHECK bool sequence_create(Txn *txn, DatabaseId database, TreeId id, int64_t start);
MUST_CHECK bool sequence_create_state(Txn *txn, DatabaseId database, TreeId id, int64_t last_value,
                                      bool is_called);
MUST_CHECK bool sequence_drop(Txn *txn, DatabaseId database, TreeId id);
/* Fails with 2200H: nextval: reached maximum value of sequence "name" (9223372036854775807). */
MUST_CHECK bool sequence_next(Txn *txn, DatabaseId database, TreeId id,
                              const SequenceDefinition *definition, Str name, int64_t *ret_value);
/* setval; the caller checks bounds and words 22003. Takes effect at once, as PostgreSQL's. */
MUST_CHECK bool sequence_set(Txn *txn, DatabaseId database, TreeId id, int64_t value,
                             bool is_called);
/* What is stored of the database's sequences is where they stand, not where the log is ahead of
 * them: before the database is copied. */
MUST_CHECK bool sequences_settle(Txn *txn, DatabaseId database);
/* What SELECT * FROM sequence shows. */
MUST_CHECK bool sequence_read(Txn *txn, DatabaseId database, TreeId id, SequenceState *ret_state);

/* What a database's sequence tree holds, for verification. */
typedef struct StoredSequence {
    TreeId id;
    bool is_sound; /* the entry can be read at all */
    int64_t last_value;
    bool is_called;
} StoredSequence;
typedef bool StoredSequenceCallback(void *context, const StoredSequence *sequence);
MUST_CHECK bool sequence_list(TxnManager *manager, DatabaseId database,
                              StoredSequenceCallback *callback, void *context);

#endif
