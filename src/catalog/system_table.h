/*
 * The system tables' own description, compiled in: what PostgreSQL 15 has, from data/tables.dat.
 *
 * They describe themselves in pg_class and pg_attribute too, but are never looked up there: these
 * arrays are what the catalog reads and writes by. CatalogTableId and CatalogIndexId (generated
 * catalog/tables.h) are positions in them; columns are numbered from 0 (PG_CLASS_RELNAME).
 */
#ifndef CATALOG_SYSTEM_TABLE_H
#define CATALOG_SYSTEM_TABLE_H

#include "base/base.h"
#include "base/str.h"
#include "catalog/tables.h" /* generated */

typedef struct CatalogColumn {
    Str name;
    Oid type;
    bool not_null;
    Oid collation;
} CatalogColumn;

typedef struct CatalogIndexColumn {
    int16_t attnum; /* 1-based */
    Oid opclass;
    Oid collation;
} CatalogIndexColumn;

typedef struct CatalogIndex {
    Oid oid;
    Str name;
    CatalogTableId table;
    bool is_unique, is_primary;
    Oid constraint;
    bool mapped; /* pg_class.relfilenode is 0 */
    uint16_t column_count;
    const CatalogIndexColumn *columns;
} CatalogIndex;

typedef struct CatalogTable {
    Oid oid;
    Str name;
    bool shared;
    bool mapped;
    Oid row_type, array_type;
    uint16_t column_count;
    uint16_t index_count;
    uint16_t first_index; /* in catalog_indexes */
    const CatalogColumn *columns;
    bool public_select; /* everybody may read it */
} CatalogTable;

extern const CatalogTable catalog_tables[CATALOG_TABLE_COUNT];
extern const CatalogIndex catalog_indexes[CATALOG_INDEX_COUNT];

#define CATALOG_MAX_COLUMNS 33

/* NULL: not a system table (or index). */
const CatalogTable *catalog_table_find(Oid oid);
const CatalogIndex *catalog_index_find(Oid oid);
static inline CatalogTableId catalog_table_id(const CatalogTable *table)
{
    return (CatalogTableId)(table - catalog_tables);
}
static inline CatalogIndexId catalog_index_id(const CatalogIndex *index)
{
    return (CatalogIndexId)(index - catalog_indexes);
}

#endif
