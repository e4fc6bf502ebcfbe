#include "executor/row_fields.h"

#include "catalog/hooks.h"
#include "catalog/lookup.h"
#include "catalog/relation.h"
#include "types/record.h"

/*
 * A composite type's live columns, in order. A row may have been made with the dropped columns'
 * places in it, which are taken out.
 */
static void names_of_type(Oid type, RowFields *row)
{
    CatalogSession *session = catalog_session_current();
    const TypeDesc *desc = session ? type_find(session, type) : NULL;
    const RelationDesc *relation = desc ? relation_find(session, desc->relation) : NULL;
    if (!relation)
        return;
    const bool has_dropped = row->count == (uint32_t)relation->column_count;
    uint32_t live = 0;
    for (uint32_t i = 0; i < (uint32_t)relation->column_count && live < row->count; i++) {
        if (relation->columns[i].dropped)
            continue;
        if (has_dropped) {
            row->types[live] = row->types[i];
            row->values[live] = row->values[i];
            row->nulls[live] = row->nulls[i];
        }
        row->names[live++] = relation->columns[i].name;
    }
    row->count = live;
}

bool row_fields(Arena *arena, const Value *record, RowFields *ret)
{
    TRY(record_fields(arena, record, ret));
    const Oid type = record_type(record);
    if (type != TYPE_RECORD)
        names_of_type(type, ret);
    return true;
}
