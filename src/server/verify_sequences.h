/*
 * Sequences looked over by `sengi verify`: each has a definition, a state that can be read and lies
 * in its range, and, where it is owned, a column that exists; each state belongs to a sequence.
 */
#ifndef SERVER_VERIFY_SEQUENCES_H
#define SERVER_VERIFY_SEQUENCES_H

#include "catalog/relation.h"
#include "txn/txn.h"

typedef void VerifyTell(void *context, Str subject, Str text);

/* In the session's transaction, the session connected to `database`. */
MUST_CHECK bool verify_sequences(CatalogSession *session, TxnManager *manager, DatabaseId database,
                                 VerifyTell *tell, void *context);

#endif
