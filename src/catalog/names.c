/* Names in messages: SQL type names, quoted identifiers, what an object address is called. */
#include "catalog/names.h"

#include "catalog/catalog_internal.h"
#include "catalog/define.h"
#include "catalog/lookup.h"
#include "catalog/relation.h"
#include "types/identifier.h"
#include "types/type.h"

Str type_sql_name(CatalogSession *session, Oid oid, int32_t typmod, Arena *arena)
{
    StrBuf text = strbuf_in(arena);

    if (oid == OID_NONE)
        return STR("-");
    const TypeDesc *type = type_find(session, oid);
    if (!type)
        return STR("???");
    /* Only of types in its own table: for others the types room asks here. */
    const BuiltinType *own = builtin_type_by_name(type->name);
    if (own && own->oid == oid && type_format(oid, typmod, &text))
        return strbuf_view(&text);
    const bool is_array = type_is_array(type);
    const TypeDesc *named = is_array ? type_find(session, type->element) : type;
    if (!named)
        return STR("???[]");
    const bool visible = type_oid(session, STR_NONE, named->name) == named->oid;
    strbuf_append(&text, identifier_qualify(arena,
                                            visible ? STR_NONE
                                                    : namespace_name(session, named->namespace_oid),
                                            named->name));
    if (is_array)
        strbuf_append_c(&text, "[]");
    return strbuf_view(&text);
}

Str type_name(CatalogSession *session, Oid oid)
{
    return type_sql_name(session, oid, TYPMOD_UNASKED, session->arena);
}

Str relation_display_name(CatalogSession *session, const RelationDesc *relation)
{
    const bool visible = relation_oid(session, STR_NONE, relation->name) == relation->oid;

    return identifier_qualify(session->arena, visible ? STR_NONE : relation->namespace_name,
                              relation->name);
}

bool database_check_name(CatalogSession *session, Str database, Str whole, int position)
{
    const DatabaseDesc *own = database_find(session, session->database_oid);

    TRY(own || !error_is_set());
    if (own && str_equal(own->name, database))
        return true;
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message = fmt("cross-database references are not implemented: %.*s", STR_ARGS(whole)),
         .position = position);
}

bool database_check_own(CatalogSession *session, const Str names[3], bool is_relation, int position)
{
    const char *quote = is_relation ? "\"" : "";

    return database_check_name(session, names[0],
                               fmt("%s%.*s.%.*s.%.*s%s", quote, STR_ARGS(names[0]),
                                   STR_ARGS(names[1]), STR_ARGS(names[2]), quote),
                               position);
}

static void describe_relation(CatalogSession *session, Oid oid, StrBuf *text)
{
    const RelationDesc *relation = relation_find(session, oid);

    if (!relation) {
        strbuf_format(text, "relation %u", oid);
        return;
    }
    strbuf_format(text, "%.*s %.*s", STR_ARGS(relation_kind_name(relation->kind)),
                  STR_ARGS(relation_display_name(session, relation)));
}

/* A row of a table that has a unique index on its OID, by that index. */
static const CatalogRow *row_by_oid(CatalogSession *session, CatalogIndexId index, Oid oid)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);

    return system_row_find(session, index, &(Value){.oid = oid}, 1, row) == ROW_FOUND ? row : NULL;
}

static void describe_constraint(CatalogSession *session, Oid oid, StrBuf *text)
{
    const CatalogRow *row = row_by_oid(session, INDEX_PG_CONSTRAINT_OID_INDEX, oid);

    if (!row) {
        strbuf_format(text, "constraint %u", oid);
        return;
    }
    strbuf_format(text, "constraint %.*s", STR_ARGS(row_text(row, PG_CONSTRAINT_CONNAME)));
    if (row_oid(row, PG_CONSTRAINT_CONRELID)) {
        strbuf_append_c(text, " on ");
        describe_relation(session, row_oid(row, PG_CONSTRAINT_CONRELID), text);
    }
}

static void describe_column(CatalogSession *session, ObjectAddress object, StrBuf *text)
{
    const RelationDesc *relation = relation_find(session, object.oid);
    const ColumnDesc *column = relation ? relation_column_at(relation, object.column) : NULL;

    if (column)
        strbuf_format(text, "column %.*s of ", STR_ARGS(column->name));
    describe_relation(session, object.oid, text);
}

Str object_describe(CatalogSession *session, ObjectAddress object, Arena *arena)
{
    StrBuf text = strbuf_in(arena);
    const CatalogRow *row;

    switch (object.class_oid) {
    case RELATION_PG_CLASS:
        if (object.column)
            describe_column(session, object, &text);
        else
            describe_relation(session, object.oid, &text);
        break;
    case RELATION_PG_CONSTRAINT:
        describe_constraint(session, object.oid, &text);
        break;
    case RELATION_PG_ATTRDEF:
        row = row_by_oid(session, INDEX_PG_ATTRDEF_OID_INDEX, object.oid);
        strbuf_append_c(&text, "default value for ");
        if (row)
            describe_column(session,
                            (ObjectAddress){RELATION_PG_CLASS, row_oid(row, PG_ATTRDEF_ADRELID),
                                            row->values[PG_ATTRDEF_ADNUM].int16},
                            &text);
        break;
    case RELATION_PG_TYPE:
        strbuf_format(&text, "type %.*s", STR_ARGS(type_name(session, object.oid)));
        break;
    case RELATION_PG_NAMESPACE:
        strbuf_format(&text, "schema %.*s", STR_ARGS(namespace_name(session, object.oid)));
        break;
    case RELATION_PG_REWRITE:
        row = row_by_oid(session, INDEX_PG_REWRITE_OID_INDEX, object.oid);
        strbuf_append_c(&text, "rule ");
        if (row) {
            strbuf_format(&text, "%.*s on ", STR_ARGS(row_text(row, PG_REWRITE_RULENAME)));
            describe_relation(session, row_oid(row, PG_REWRITE_EV_CLASS), &text);
        }
        break;
    case RELATION_PG_TRIGGER:
        row = row_by_oid(session, INDEX_PG_TRIGGER_OID_INDEX, object.oid);
        strbuf_append_c(&text, "trigger ");
        if (row) {
            strbuf_format(&text, "%.*s on ", STR_ARGS(row_text(row, PG_TRIGGER_TGNAME)));
            describe_relation(session, row_oid(row, PG_TRIGGER_TGRELID), &text);
        }
        break;
    case RELATION_PG_AUTHID:
        strbuf_format(&text, "role %.*s", STR_ARGS(role_name(session, object.oid)));
        break;
    case RELATION_PG_DATABASE:
        row = row_by_oid(session, INDEX_PG_DATABASE_OID_INDEX, object.oid);
        strbuf_format(&text, "database %.*s",
                      STR_ARGS(row ? row_text(row, PG_DATABASE_DATNAME) : STR("?")));
        break;
    case RELATION_PG_PROC: {
        const FunctionDesc *function = function_find(session, object.oid);
        if (function)
            strbuf_format(&text, "function %.*s", STR_ARGS(function_signature(session, function)));
        break;
    }
    default:
        strbuf_format(&text, "object %u/%u", object.class_oid, object.oid);
        break;
    }
    return strbuf_view(&text);
}
