/*
 * Sort keys: the expressions of ORDER BY as bytes whose memcmp order is the order wanted.
 *
 *   TRY(sort_keys_run(keys, batch));               the expressions, for a batch
 *   TRY(sort_keys_encode(keys, row, &key));         borrowed until the next call
 *   TRY(key_batch_begin(&keys->batch, keys->program->results, selection));   or of many rows
 */
#ifndef EXECUTOR_SORT_KEY_H
#define EXECUTOR_SORT_KEY_H

#include "executor/expr.h"
#include "types/key_batch.h"

typedef struct SortKeys {
    ExprProgram *program;
    KeyColumn *columns;
    uint32_t count;
    StrBuf buffer;  /* heap */
    KeyBatch batch; /* of all rows of a batch at once */
} SortKeys;

MUST_CHECK SortKeys *sort_keys_new(ExecState *exec, Arena *scratch, const SortKeyVec *keys);
MUST_CHECK bool sort_keys_run(SortKeys *keys, const Batch *batch);
MUST_CHECK bool sort_keys_encode(SortKeys *keys, uint32_t row, Str *ret_key);
/* LIMIT's and OFFSET's values: node_limit.c. */
MUST_CHECK bool limit_value(const Vector *vector, bool is_offset, uint64_t *ret_value,
                            bool *ret_none);

#endif
