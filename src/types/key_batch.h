/*
 * Keys of a batch of rows: the bytes that key_append makes, a column at a time.
 *
 *   key_batch_init(&keys, arena, columns, count);
 *   TRY(key_batch_begin(&keys, vectors, selection));      keys.sizes[i]: of the i-th selected row
 *   key_batch_put(&keys, from, to, at);                    rows from … to - 1 at at[0 …], advanced
 *
 * Between begin and put the caller finds room. The vectors stay as they are until then.
 */
#ifndef TYPES_KEY_BATCH_H
#define TYPES_KEY_BATCH_H

#include "types/key.h"

typedef struct KeyBatchColumn {
    KeyColumn column;
    uint8_t form;
    uint8_t width;     /* of a value of fixed form; 0: others */
    uint32_t *lengths; /* others: of each selected row's bytes, null mark included */
    StrBuf bytes;      /* forms without a kernel: all rows' bytes, one behind the other */
    size_t put;        /* of `bytes` */
} KeyBatchColumn;

typedef struct KeyBatch {
    KeyBatchColumn *columns;
    uint32_t count;
    Vector *const *vectors;
    Selection selection;
    uint32_t *sizes;
} KeyBatch;

void key_batch_init(KeyBatch *keys, Arena *arena, const KeyColumn *columns, uint32_t count);
MUST_CHECK bool key_batch_begin(KeyBatch *keys, Vector *const *vectors, Selection selection);
void key_batch_put(KeyBatch *keys, uint32_t from, uint32_t to, char **at);

#endif
