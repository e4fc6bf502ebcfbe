#include "executor/row_fields.h"

#include "catalog/hooks.h"
#include "catalog/lookup.h"
#include "catalog/operator.h"
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

/* Can a value of the one type be taken for one of the other, as it is? */
static bool is_same_bytes(CatalogSession *session, Oid from, Oid to)
{
    const CastDesc *cast = from == to ? NULL : cast_find(session, from, to);

    return from == to || (cast && cast->method == 'b' && cast->context == 'i');
}

bool row_shape_check(const RowShape *shape, const Oid *types, uint32_t count)
{
    static const char wrong[] = "function return row and query-specified return row do not match";
    CatalogSession *session = catalog_session_current();

    if (count != shape->count)
        FAIL(ERR_DATATYPE_MISMATCH, .message = str_from_c(wrong),
             .detail = fmt("Returned row contains %u attribute%s, but query expects %u.", count,
                           count == 1 ? "" : "s", shape->count));
    for (uint32_t i = 0; i < count; i++)
        if (!is_same_bytes(session, types[i], shape->types[i]))
            FAIL(ERR_DATATYPE_MISMATCH, .message = str_from_c(wrong),
                 .detail = fmt("Returned type %.*s at ordinal position %u, but query expects %.*s.",
                               STR_ARGS(type_name(session, types[i])), i + 1,
                               STR_ARGS(type_name(session, shape->types[i]))));
    return true;
}
