/*
 * Rows of system tables: found by index, added, changed and removed with their index entries.
 *
 *   Value key = {.oid = oid};
 *   CatalogRow row;
 *   switch (system_row_find(session, INDEX_PG_CLASS_OID_INDEX, &key, 1, &row)) { … }
 *   row.values[PG_CLASS_RELHASINDEX].boolean = true;
 *   TRY(system_row_update(session, &row));
 *
 * Reads see the newest committed state and all of this transaction's writes. Variable-length
 * values live in session->arena. Writers lock the row first; a change by somebody else since the
 * row was read fails with PostgreSQL's "tuple concurrently updated" (XX000) and sets
 * session->was_overtaken: nobody's change is lost, and the command is run again (server/utility.c).
 */
#ifndef CATALOG_SYSTEM_ROW_H
#define CATALOG_SYSTEM_ROW_H

#include "base/vector.h"
#include "catalog/catalog.h"
#include "catalog/system_table.h"

typedef struct CatalogRow {
    CatalogTableId table;
    int64_t row_id; /* 0: not stored yet */
    uint64_t seen;  /* hash of what was read; 0: whatever is there is to be replaced */
    Value values[CATALOG_MAX_COLUMNS];
    bool nulls[CATALOG_MAX_COLUMNS];
} CatalogRow;

typedef VEC(CatalogRow *) CatalogRowVec;

typedef enum RowFound {
    ROW_FAILED = 0, /* error is set */
    ROW_FOUND,
    ROW_MISSING,
} RowFound;

/* The first row whose leading index columns equal the keys. */
MUST_CHECK RowFound system_row_find(CatalogSession *session, CatalogIndexId index,
                                    const Value *keys, uint32_t key_count, CatalogRow *ret_row);
/* All of them, in key order. key_count 0: the whole table. */
MUST_CHECK bool system_rows_find(CatalogSession *session, CatalogIndexId index, const Value *keys,
                                 uint32_t key_count, CatalogRowVec *ret_rows);
MUST_CHECK bool system_rows_all(CatalogSession *session, CatalogTableId table,
                                CatalogRowVec *ret_rows);

/* All nulls. */
void system_row_init(CatalogRow *row, CatalogTableId table);
MUST_CHECK bool system_row_insert(CatalogSession *session, CatalogRow *row);
MUST_CHECK bool system_row_update(CatalogSession *session, const CatalogRow *row);
/* A row's key of an index of its table, behind what `key` has. */
MUST_CHECK bool system_row_key(const CatalogIndex *index, const CatalogRow *row, StrBuf *key);
MUST_CHECK bool system_row_delete(CatalogSession *session, const CatalogRow *row);
/* Waits for who is changing the row, and keeps others from it: who reads it then may decide. */
MUST_CHECK bool system_row_lock(CatalogSession *session, const CatalogRow *row);

/* Field setters: a value that is not null. */
static inline void row_set_oid(CatalogRow *row, int column, Oid oid)
{
    row->values[column] = (Value){.oid = oid};
    row->nulls[column] = false;
}
static inline void row_set_int16(CatalogRow *row, int column, int16_t value)
{
    row->values[column] = (Value){.int16 = value};
    row->nulls[column] = false;
}
static inline void row_set_int32(CatalogRow *row, int column, int32_t value)
{
    row->values[column] = (Value){.int32 = value};
    row->nulls[column] = false;
}
static inline void row_set_int64(CatalogRow *row, int column, int64_t value)
{
    row->values[column] = (Value){.int64 = value};
    row->nulls[column] = false;
}
static inline void row_set_float4(CatalogRow *row, int column, float value)
{
    row->values[column] = (Value){.float32 = value};
    row->nulls[column] = false;
}
static inline void row_set_bool(CatalogRow *row, int column, bool value)
{
    row->values[column] = (Value){.boolean = value};
    row->nulls[column] = false;
}
/* The "char" type. */
static inline void row_set_char(CatalogRow *row, int column, char value)
{
    row->values[column] = (Value){.int8 = value};
    row->nulls[column] = false;
}
static inline void row_set_text(CatalogRow *row, int column, Str value)
{
    row->values[column] = (Value){.var = var_from_str(value)};
    row->nulls[column] = str_is_none(value);
}
static inline void row_set_value(CatalogRow *row, int column, Value value)
{
    row->values[column] = value;
    row->nulls[column] = false;
}
static inline void row_set_null(CatalogRow *row, int column)
{
    row->nulls[column] = true;
}
static inline Str row_text(const CatalogRow *row, int column)
{
    return row->nulls[column] ? STR_NONE : var_str(row->values[column].var);
}
static inline Oid row_oid(const CatalogRow *row, int column)
{
    return row->nulls[column] ? OID_NONE : row->values[column].oid;
}
static inline char row_char(const CatalogRow *row, int column)
{
    return row->nulls[column] ? 0 : (char)row->values[column].int8;
}
/* Arrays (int2vector, int2[], oidvector, oid[] …) of fixed-width elements. */
MUST_CHECK bool row_set_oids(CatalogSession *session, CatalogRow *row, int column, const Oid *oids,
                             uint32_t count);
MUST_CHECK bool row_set_int16s(CatalogSession *session, CatalogRow *row, int column,
                               const int16_t *numbers, uint32_t count);
/* Into the arena; a null array has no elements. */
MUST_CHECK bool row_oids(const CatalogRow *row, int column, Arena *arena, Oid **ret_oids,
                         uint32_t *ret_count);
MUST_CHECK bool row_int16s(const CatalogRow *row, int column, Arena *arena, int16_t **ret_numbers,
                           uint32_t *ret_count);

#endif
