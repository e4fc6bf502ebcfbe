/*
 * The built-in objects as constant arrays, generated from the data folder's .dat files.
 *
 * Sorted by OID where they have one. Bootstrap writes them into the system tables; lookups answer
 * from here, so a lookup of a built-in object reads no table.
 */
#ifndef CATALOG_BUILTIN_H
#define CATALOG_BUILTIN_H

#include "catalog/lookup.h"
#include "catalog/system_table.h"

typedef struct OpfamilyDesc {
    Oid oid;
    Oid access_method;
    Str name;
} OpfamilyDesc;

typedef struct AmopDesc {
    Oid oid, family, left, right;
    int16_t strategy;
    Oid operator_oid, access_method;
} AmopDesc;

typedef struct AmprocDesc {
    Oid oid, family, left, right;
    int16_t number;
    Oid function;
} AmprocDesc;

/* pg_aggregate's columns that nobody but clients read; names of functions, "-" for none. */
typedef struct AggregateRow {
    Str transition, final, combine, serial, deserial, moving_transition, moving_inverse,
        moving_final;
    bool final_extra, moving_final_extra;
    char final_modify, moving_final_modify;
    int32_t space;
    Str initial;
} AggregateRow;

/* Whole rows as text, NULL = null: cells of row r are cells[r * columns …]. */
typedef struct BuiltinRows {
    CatalogTableId table;
    uint32_t row_count;
    const char *const *cells;
} BuiltinRows;

extern const TypeDesc builtin_types[];
extern const size_t builtin_type_count;
extern const FunctionDesc builtin_function_descs[];
extern const size_t builtin_function_desc_count;
extern const AggregateDesc builtin_aggregates[];
extern const AggregateRow builtin_aggregate_rows[];
extern const size_t builtin_aggregate_count;
extern const OperatorDesc builtin_operators[];
extern const size_t builtin_operator_count;
extern const CastDesc builtin_casts[];
extern const size_t builtin_cast_count;
extern const OpfamilyDesc builtin_opfamilies[];
extern const size_t builtin_opfamily_count;
extern const OpclassDesc builtin_opclasses[];
extern const size_t builtin_opclass_count;
extern const AmopDesc builtin_amops[];
extern const size_t builtin_amop_count;
extern const AmprocDesc builtin_amprocs[];
extern const size_t builtin_amproc_count;
extern const CollationDesc builtin_collations[];
extern const size_t builtin_collation_count;
extern const BuiltinRows builtin_rows[];
extern const size_t builtin_rows_count;

#endif
