/*
 * Keys of index entries from table rows: columns, expressions, the partial index's predicate.
 * Shared by INSERT/UPDATE/DELETE and CREATE INDEX. INCLUDE columns are not in the key.
 */
#ifndef EXECUTOR_INDEX_KEY_H
#define EXECUTOR_INDEX_KEY_H

#include "executor/expr.h"
#include "types/key_batch.h"

typedef struct IndexKeyBuilder {
    ExecSession *session;
    IndexHandle *index;
    const IndexMaintain *plan;
    KeyColumn *columns;
    ExprProgram *expressions; /* NULL: plain columns only */
    ExprProgram *predicate;
    StrBuf buffer;    /* the last key made */
    bool is_left_out; /* by the predicate: it has none */
    Vector **vectors; /* of the key columns of `batch` */
    KeyBatch batch;
} IndexKeyBuilder;

MUST_CHECK bool index_key_init(IndexKeyBuilder *builder, ExecState *exec, Arena *scratch, Oid table,
                               const IndexMaintain *plan);
/* The key of one row (slot attnum - 1). *ret_skip: the predicate leaves it out; *ret_null: some
 * column is null. Borrowed until the next call. */
MUST_CHECK bool index_key_make(IndexKeyBuilder *builder, const ExprInput *row, uint32_t at,
                               Str *ret_key, bool *ret_skip, bool *ret_null);
/* The last row's once more. */
static inline Str index_key_last(const IndexKeyBuilder *builder, bool *ret_skip)
{
    *ret_skip = builder->is_left_out;
    return strbuf_view(&builder->buffer);
}
/*
 * The keys of many rows: index_key_select leaves out those that the predicate does (`rows` has room
 * for them) and begins builder->batch for the others.
 */
MUST_CHECK bool index_key_select(IndexKeyBuilder *builder, const ExprInput *input,
                                 Selection selection, uint16_t *rows, Selection *ret_selection);
/* "Key (a, b)=(1, x)": what error details begin with. */
Str index_key_describe(IndexKeyBuilder *builder, const ExprInput *row, uint32_t at, Arena *arena);

/*
 * Every row of a table as the transaction sees it, batch by batch: what CREATE INDEX, constraint
 * validation and verification read. False stops it, with the error set.
 */
typedef bool RowsCallback(void *context, const ExprInput *rows, Selection selection,
                          const Vector *row_ids);
MUST_CHECK bool table_each(ExecState *exec, const RelationDesc *table, RowsCallback *callback,
                           void *context);

#endif
