/* Relations, their types, columns and defaults as rows of the system tables. */
#include "catalog/define.h"

#include "base/error.h"
#include "catalog/catalog_internal.h"
#include "catalog/define_internal.h"
#include "catalog/lookup.h"
#include "catalog/names.h"
#include "catalog/object.h"
#include "storage/row.h"
#include "types/array.h"

static ObjectAddress relation_address(Oid oid)
{
    return (ObjectAddress){RELATION_PG_CLASS, oid, 0};
}

bool define_namespace(CatalogSession *session, Str name, Oid owner, Oid *ret_oid)
{
    CatalogRow row;
    const Oid oid = catalog_new_oid(session);

    TRY(oid);
    system_row_init(&row, CAT_PG_NAMESPACE);
    row_set_oid(&row, PG_NAMESPACE_OID, oid);
    row_set_text(&row, PG_NAMESPACE_NSPNAME, name);
    row_set_oid(&row, PG_NAMESPACE_NSPOWNER, owner);
    TRY(system_row_insert(session, &row));
    TRY(depend_record_owner(session, (ObjectAddress){RELATION_PG_NAMESPACE, oid, 0}, owner));
    *ret_oid = oid;
    return true;
}

/* ---- row types ---- */

typedef struct RowTypes {
    Oid row, array;
} RowTypes;

static Oid function_named(CatalogSession *session, Str name)
{
    const FunctionCandidates found = function_candidates(session, STR("pg_catalog"), name, -1);

    return found.count > 0 ? found.items[0]->oid : OID_NONE;
}

static void type_row_fill(CatalogSession *session, CatalogRow *row, Oid oid, Str name,
                          const RelationDefinition *definition)
{
    system_row_init(row, CAT_PG_TYPE);
    row_set_oid(row, PG_TYPE_OID, oid);
    row_set_text(row, PG_TYPE_TYPNAME, name);
    row_set_oid(row, PG_TYPE_TYPNAMESPACE, definition->namespace_oid);
    row_set_oid(row, PG_TYPE_TYPOWNER, definition->owner);
    row_set_int16(row, PG_TYPE_TYPLEN, -1);
    row_set_bool(row, PG_TYPE_TYPBYVAL, false);
    row_set_bool(row, PG_TYPE_TYPISPREFERRED, false);
    row_set_bool(row, PG_TYPE_TYPISDEFINED, true);
    row_set_char(row, PG_TYPE_TYPDELIM, ',');
    row_set_oid(row, PG_TYPE_TYPRELID, OID_NONE);
    row_set_oid(row, PG_TYPE_TYPSUBSCRIPT, OID_NONE);
    row_set_oid(row, PG_TYPE_TYPELEM, OID_NONE);
    row_set_oid(row, PG_TYPE_TYPARRAY, OID_NONE);
    row_set_oid(row, PG_TYPE_TYPMODIN, OID_NONE);
    row_set_oid(row, PG_TYPE_TYPMODOUT, OID_NONE);
    row_set_oid(row, PG_TYPE_TYPANALYZE, OID_NONE);
    row_set_char(row, PG_TYPE_TYPALIGN, 'd');
    row_set_char(row, PG_TYPE_TYPSTORAGE, 'x');
    row_set_bool(row, PG_TYPE_TYPNOTNULL, false);
    row_set_oid(row, PG_TYPE_TYPBASETYPE, OID_NONE);
    row_set_int32(row, PG_TYPE_TYPTYPMOD, -1);
    row_set_int32(row, PG_TYPE_TYPNDIMS, 0);
    row_set_oid(row, PG_TYPE_TYPCOLLATION, OID_NONE);
}

static void type_row_io(CatalogSession *session, CatalogRow *row, const char *prefix)
{
    static const char *const suffixes[] = {"_in", "_out", "_recv", "_send"};
    static const int columns[] = {PG_TYPE_TYPINPUT, PG_TYPE_TYPOUTPUT, PG_TYPE_TYPRECEIVE,
                                  PG_TYPE_TYPSEND};

    for (size_t i = 0; i < ARRAY_LENGTH(columns); i++)
        row_set_oid(
            row, columns[i],
            function_named(session, str_format(session->arena, "%s%s", prefix, suffixes[i])));
}

/* "_name", or with more underscores where that is taken. */
static Str array_type_name(CatalogSession *session, Str name, Oid namespace)
{
    Str candidate = str_format(session->arena, "_%.*s", (int)MIN(name.length, 62), name.data);
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);

    for (int i = 0; i < 10; i++) {
        const Value keys[] = {{.var = var_from_str(candidate)}, {.oid = namespace}};
        if (system_row_find(session, INDEX_PG_TYPE_TYPNAME_NSP_INDEX, keys, 2, row) != ROW_FOUND)
            break;
        candidate =
            str_format(session->arena, "_%.*s", (int)MIN(candidate.length, 62), candidate.data);
    }
    return candidate;
}

static bool define_row_types(CatalogSession *session, const RelationDefinition *definition,
                             Oid relation, RowTypes *types)
{
    CatalogRow row;

    types->row = catalog_new_oid(session);
    TRY(types->row);
    types->array = catalog_new_oid(session);
    TRY(types->array);
    type_row_fill(session, &row, types->row, definition->name, definition);
    row_set_char(&row, PG_TYPE_TYPTYPE, 'c');
    row_set_char(&row, PG_TYPE_TYPCATEGORY, 'C');
    row_set_oid(&row, PG_TYPE_TYPRELID, relation);
    row_set_oid(&row, PG_TYPE_TYPARRAY, types->array);
    type_row_io(session, &row, "record");
    TRY(system_row_insert(session, &row));
    type_row_fill(session, &row, types->array,
                  array_type_name(session, definition->name, definition->namespace_oid),
                  definition);
    row_set_char(&row, PG_TYPE_TYPTYPE, 'b');
    row_set_char(&row, PG_TYPE_TYPCATEGORY, 'A');
    row_set_oid(&row, PG_TYPE_TYPELEM, types->row);
    row_set_oid(&row, PG_TYPE_TYPSUBSCRIPT, 6179);
    type_row_io(session, &row, "array");
    TRY(system_row_insert(session, &row));
    const ObjectAddress row_type = {RELATION_PG_TYPE, types->row, 0};
    TRY(depend_record(session, row_type, relation_address(relation), DEPENDENCY_INTERNAL));
    return depend_record(session, (ObjectAddress){RELATION_PG_TYPE, types->array, 0}, row_type,
                         DEPENDENCY_INTERNAL);
}

/* ---- columns ---- */

bool define_attribute_row(CatalogSession *session, Oid relation, int16_t attnum,
                          const ColumnDefinition *column, bool is_system)
{
    CatalogRow row;
    const TypeDesc *type = type_get(session, column->type);
    TRY(type);

    system_row_init(&row, CAT_PG_ATTRIBUTE);
    row_set_oid(&row, PG_ATTRIBUTE_ATTRELID, relation);
    row_set_text(&row, PG_ATTRIBUTE_ATTNAME, column->name);
    row_set_oid(&row, PG_ATTRIBUTE_ATTTYPID, column->type);
    row_set_int32(&row, PG_ATTRIBUTE_ATTSTATTARGET, is_system ? 0 : -1);
    row_set_int16(&row, PG_ATTRIBUTE_ATTLEN, type->length);
    row_set_int16(&row, PG_ATTRIBUTE_ATTNUM, attnum);
    row_set_int32(&row, PG_ATTRIBUTE_ATTNDIMS, column->dimensions);
    row_set_int32(&row, PG_ATTRIBUTE_ATTCACHEOFF, -1);
    row_set_int32(&row, PG_ATTRIBUTE_ATTTYPMOD, column->typmod);
    row_set_bool(&row, PG_ATTRIBUTE_ATTBYVAL, type->by_value);
    row_set_char(&row, PG_ATTRIBUTE_ATTALIGN, type->align);
    row_set_char(&row, PG_ATTRIBUTE_ATTSTORAGE, type->storage);
    row_set_char(&row, PG_ATTRIBUTE_ATTCOMPRESSION, 0);
    row_set_bool(&row, PG_ATTRIBUTE_ATTNOTNULL, column->not_null);
    row_set_bool(&row, PG_ATTRIBUTE_ATTHASDEF, !str_is_none(column->default_text));
    row_set_bool(&row, PG_ATTRIBUTE_ATTHASMISSING, false);
    row_set_char(&row, PG_ATTRIBUTE_ATTIDENTITY, column->identity);
    row_set_char(&row, PG_ATTRIBUTE_ATTGENERATED, column->generated);
    row_set_bool(&row, PG_ATTRIBUTE_ATTISDROPPED, false);
    row_set_bool(&row, PG_ATTRIBUTE_ATTISLOCAL, true);
    row_set_int32(&row, PG_ATTRIBUTE_ATTINHCOUNT, 0);
    row_set_oid(&row, PG_ATTRIBUTE_ATTCOLLATION, column->collation);
    return system_row_insert(session, &row);
}

/* PostgreSQL lists ctid, xmin … of everything that holds rows. */
static bool define_system_attributes(CatalogSession *session, Oid relation)
{
    for (int attnum = -1; attnum >= -6; attnum--) {
        const SystemColumn *system = system_column_at(attnum);
        const ColumnDefinition column = {
            .name = system->name, .type = system->type, .typmod = -1, .not_null = true};
        TRY(define_attribute_row(session, relation, (int16_t)attnum, &column, true));
    }
    return true;
}

static bool depend_on_type(CatalogSession *session, ObjectAddress object,
                           const ColumnDefinition *column)
{
    TRY(depend_record(session, object, (ObjectAddress){RELATION_PG_TYPE, column->type, 0},
                      DEPENDENCY_NORMAL));
    if (column->collation && column->collation != COLLATION_DEFAULT)
        TRY(depend_record(session, object,
                          (ObjectAddress){RELATION_PG_COLLATION, column->collation, 0},
                          DEPENDENCY_NORMAL));
    return true;
}

bool define_default(CatalogSession *session, Oid relation, int attnum, Str text)
{
    const Value keys[] = {{.oid = relation}, {.int16 = (int16_t)attnum}};
    CatalogRow *attribute = ARENA_NEW(session->arena, CatalogRow);
    CatalogRow *old = ARENA_NEW(session->arena, CatalogRow);
    CatalogRow row;

    RowFound found =
        system_row_find(session, INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, keys, 2, attribute);
    TRY(found);
    if (found == ROW_MISSING)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("no column %d of relation %u", attnum, relation));
    found = system_row_find(session, INDEX_PG_ATTRDEF_ADRELID_ADNUM_INDEX, keys, 2, old);
    TRY(found);
    if (found == ROW_FOUND) {
        TRY(depend_forget(
            session, (ObjectAddress){RELATION_PG_ATTRDEF, row_oid(old, PG_ATTRDEF_OID), 0}, 0));
        TRY(system_row_delete(session, old));
    }
    if (attribute->values[PG_ATTRIBUTE_ATTHASDEF].boolean != !str_is_none(text)) {
        row_set_bool(attribute, PG_ATTRIBUTE_ATTHASDEF, !str_is_none(text));
        TRY(system_row_update(session, attribute));
    }
    if (str_is_none(text))
        return true;
    const Oid oid = catalog_new_oid(session);
    TRY(oid);
    system_row_init(&row, CAT_PG_ATTRDEF);
    row_set_oid(&row, PG_ATTRDEF_OID, oid);
    row_set_oid(&row, PG_ATTRDEF_ADRELID, relation);
    row_set_int16(&row, PG_ATTRDEF_ADNUM, (int16_t)attnum);
    row_set_text(&row, PG_ATTRDEF_ADBIN, text);
    TRY(system_row_insert(session, &row));
    return depend_record(session, (ObjectAddress){RELATION_PG_ATTRDEF, oid, 0},
                         (ObjectAddress){RELATION_PG_CLASS, relation, attnum},
                         attribute->values[PG_ATTRIBUTE_ATTGENERATED].int8 ? DEPENDENCY_INTERNAL
                                                                           : DEPENDENCY_AUTO);
}

/* ---- relations ---- */

static bool kind_has_storage(RelationKind kind)
{
    return kind == RELKIND_TABLE || kind == RELKIND_MATVIEW;
}

static void class_row_fill(CatalogRow *row, Oid oid, Str name, Oid namespace, RelationKind kind)
{
    system_row_init(row, CAT_PG_CLASS);
    row_set_oid(row, PG_CLASS_OID, oid);
    row_set_text(row, PG_CLASS_RELNAME, name);
    row_set_oid(row, PG_CLASS_RELNAMESPACE, namespace);
    row_set_oid(row, PG_CLASS_RELTYPE, OID_NONE);
    row_set_oid(row, PG_CLASS_RELOFTYPE, OID_NONE);
    row_set_oid(row, PG_CLASS_RELAM,
                kind == RELKIND_INDEX    ? ACCESS_METHOD_BTREE
                : kind_has_storage(kind) ? ACCESS_METHOD_HEAP
                                         : OID_NONE);
    row_set_oid(row, PG_CLASS_RELTABLESPACE, OID_NONE);
    row_set_int32(row, PG_CLASS_RELPAGES, 0);
    row_set_float4(row, PG_CLASS_RELTUPLES,
                   kind_has_storage(kind)     ? -1
                   : kind == RELKIND_SEQUENCE ? 1
                                              : 0);
    row_set_int32(row, PG_CLASS_RELALLVISIBLE, 0);
    row_set_oid(row, PG_CLASS_RELTOASTRELID, OID_NONE);
    row_set_bool(row, PG_CLASS_RELHASINDEX, false);
    row_set_bool(row, PG_CLASS_RELISSHARED, false);
    row_set_char(row, PG_CLASS_RELKIND, (char)kind);
    row_set_int16(row, PG_CLASS_RELCHECKS, 0);
    row_set_bool(row, PG_CLASS_RELHASRULES, kind == RELKIND_VIEW);
    row_set_bool(row, PG_CLASS_RELHASTRIGGERS, false);
    row_set_bool(row, PG_CLASS_RELHASSUBCLASS, false);
    row_set_bool(row, PG_CLASS_RELROWSECURITY, false);
    row_set_bool(row, PG_CLASS_RELFORCEROWSECURITY, false);
    row_set_bool(row, PG_CLASS_RELISPOPULATED, true);
    row_set_char(row, PG_CLASS_RELREPLIDENT, kind_has_storage(kind) ? 'd' : 'n');
    row_set_bool(row, PG_CLASS_RELISPARTITION, false);
    row_set_oid(row, PG_CLASS_RELREWRITE, OID_NONE);
    row_set_int32(row, PG_CLASS_RELFROZENXID, kind_has_storage(kind) ? 3 : 0);
    row_set_int32(row, PG_CLASS_RELMINMXID, kind_has_storage(kind) ? 1 : 0);
}

void define_class_row(CatalogRow *row, Oid oid, Str name, Oid namespace, RelationKind kind)
{
    class_row_fill(row, oid, name, namespace, kind);
}

static bool fail_exists(Str name)
{
    FAIL(ERR_DUPLICATE_TABLE, .message = fmt("relation \"%.*s\" already exists", STR_ARGS(name)));
}

/* The columns' physical types as the tree's first layout. */
static bool define_tree_create(CatalogSession *session, Oid tree, const ColumnDefinition *columns,
                               uint16_t count)
{
    LayoutColumn *layout_columns = ARENA_ARRAY(session->arena, LayoutColumn, count + 1);

    for (int i = 0; i < count; i++) {
        const TypeDesc *type = columns[i].type ? type_get(session, columns[i].type) : NULL;
        TRY(type || !columns[i].type);
        layout_columns[i].type = type ? type->phys : PHYS_NONE;
    }
    const Layout *layout = layout_new(session->arena, 1, layout_columns, count);
    return txn_tree_create(session->txn, session->database_oid, tree, TREE_TABLE, layout);
}

static bool define_options(CatalogRow *row, CatalogSession *session, Str options)
{
    Value value;

    if (str_is_none(options))
        return true;
    TRY(type_input(session->arena, TYPE_TEXT_ARRAY, -1, options, &value));
    row_set_value(row, PG_CLASS_RELOPTIONS, value);
    return true;
}

static bool check_row_type_name(CatalogSession *session, const RelationDefinition *definition)
{
    const Value keys[] = {{.var = var_from_str(definition->name)},
                          {.oid = definition->namespace_oid}};
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const RowFound found = system_row_find(session, INDEX_PG_TYPE_TYPNAME_NSP_INDEX, keys, 2, row);

    TRY(found);
    if (found == ROW_MISSING)
        return true;
    /* Nobody names array types: they make way. */
    if (row_char(row, PG_TYPE_TYPCATEGORY) == 'A' && row->values[PG_TYPE_TYPSUBSCRIPT].oid) {
        row_set_text(row, PG_TYPE_TYPNAME,
                     array_type_name(session, definition->name, definition->namespace_oid));
        return system_row_update(session, row);
    }
    FAIL(ERR_DUPLICATE_OBJECT,
         .message = fmt("type \"%.*s\" already exists", STR_ARGS(definition->name)),
         .hint = STR("A relation has an associated type of the same name, so you must use a name "
                     "that doesn't conflict with any existing type."));
}

/* Nobody sees the relation before the commit, but pg_locks shows who is making it. */
bool define_lock_new(CatalogSession *session, Oid relation)
{
    return lock_relation(session->txn, session->database_oid, relation, LOCK_ACCESS_EXCLUSIVE,
                         LOCK_WAIT, STR("")) != LOCK_FAILED;
}

bool define_relation(CatalogSession *session, const RelationDefinition *definition, Oid *ret_oid)
{
    CatalogRow row;
    RowTypes types = {0};
    const bool has_type = definition->kind != RELKIND_SEQUENCE;
    const Oid existing = relation_oid_in(session, definition->namespace_oid, definition->name);

    TRY(!error_is_set());
    if (existing)
        return fail_exists(definition->name);
    if (has_type)
        TRY(check_row_type_name(session, definition));
    const Oid oid = catalog_new_oid(session);
    TRY(oid);
    TRY(define_lock_new(session, oid));
    if (has_type)
        TRY(define_row_types(session, definition, oid, &types));
    class_row_fill(&row, oid, definition->name, definition->namespace_oid, definition->kind);
    row_set_oid(&row, PG_CLASS_RELTYPE, types.row);
    row_set_oid(&row, PG_CLASS_RELOWNER, definition->owner);
    row_set_char(&row, PG_CLASS_RELPERSISTENCE, (char)definition->persistence);
    row_set_oid(&row, PG_CLASS_RELFILENODE,
                kind_has_storage(definition->kind) || definition->kind == RELKIND_SEQUENCE
                    ? oid
                    : OID_NONE);
    row_set_int16(&row, PG_CLASS_RELNATTS, (int16_t)definition->column_count);
    TRY(define_options(&row, session, definition->options));
    TRY(system_row_insert(session, &row));
    for (int i = 0; i < definition->column_count; i++) {
        ColumnDefinition column = definition->columns[i];
        const Str text = column.default_text;
        column.default_text = STR_NONE;
        TRY(define_attribute_row(session, oid, (int16_t)(i + 1), &column, false));
        TRY(depend_on_type(session, (ObjectAddress){RELATION_PG_CLASS, oid, i + 1}, &column));
        if (!str_is_none(text))
            TRY(define_default(session, oid, i + 1, text));
    }
    if (definition->kind != RELKIND_VIEW && definition->kind != RELKIND_COMPOSITE)
        TRY(define_system_attributes(session, oid));
    if (kind_has_storage(definition->kind))
        TRY(define_tree_create(session, oid, definition->columns, definition->column_count));
    TRY(depend_record(session, relation_address(oid),
                      (ObjectAddress){RELATION_PG_NAMESPACE, definition->namespace_oid, 0},
                      DEPENDENCY_NORMAL));
    TRY(depend_record_owner(session, relation_address(oid), definition->owner));
    *ret_oid = oid;
    return true;
}

/* ---- ALTER TABLE ADD COLUMN ---- */

static bool add_layout_column(CatalogSession *session, const RelationDesc *relation, PhysType phys,
                              const Value *missing)
{
    const Layout *old = txn_tree_layout(session->txn, relation->storage);
    LayoutColumn *columns = ARENA_ARRAY(session->arena, LayoutColumn, old->column_count + 1);

    memcpy(columns, old->columns, old->column_count * sizeof(*columns));
    columns[old->column_count] = (LayoutColumn){
        .type = phys, .has_missing = missing != NULL, .missing = missing ? *missing : (Value){0}};
    const Layout *layout =
        layout_new(session->arena, old->version + 1, columns, old->column_count + 1);
    return txn_tree_set_layout(session->txn, relation->storage, layout);
}

bool define_column(CatalogSession *session, const RelationDesc *relation,
                   const ColumnDefinition *column, const Value *missing, int16_t *ret_attnum)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const int16_t attnum = (int16_t)(relation->column_count + 1);
    const TypeDesc *type = type_get(session, column->type);
    ColumnDefinition without_default = *column;

    TRY(type);
    if (relation->column_count >= 1600)
        FAIL(ERR_TOO_MANY_COLUMNS, .message = STR("tables can have at most 1600 columns"));
    const RowFound found = object_row_find(session, RELATION_PG_CLASS, relation->oid, row);
    TRY(found);
    if (found == ROW_MISSING)
        FAIL(ERR_UNDEFINED_TABLE,
             .message = fmt("relation with OID %u does not exist", relation->oid));
    row_set_int16(row, PG_CLASS_RELNATTS, attnum);
    TRY(system_row_update(session, row));
    without_default.default_text = STR_NONE;
    TRY(define_attribute_row(session, relation->oid, attnum, &without_default, false));
    TRY(depend_on_type(session, (ObjectAddress){RELATION_PG_CLASS, relation->oid, attnum}, column));
    if (!str_is_none(column->default_text))
        TRY(define_default(session, relation->oid, attnum, column->default_text));
    if (relation->storage)
        TRY(add_layout_column(session, relation, type->phys, missing));
    if (missing) {
        const Value keys[] = {{.oid = relation->oid}, {.int16 = attnum}};
        TRY(system_row_find(session, INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, keys, 2, row));
        row_set_bool(row, PG_ATTRIBUTE_ATTHASMISSING, true);
        TRY(system_row_update(session, row));
    }
    *ret_attnum = attnum;
    return true;
}

/* ---- views ---- */

bool define_view_rule(CatalogSession *session, Oid view, Str text, bool replace)
{
    const Value keys[] = {{.oid = view}, {.var = var_from_str(STR("_RETURN"))}};
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);

    if (replace) {
        const RowFound found =
            system_row_find(session, INDEX_PG_REWRITE_REL_RULENAME_INDEX, keys, 2, row);
        TRY(found);
        if (found == ROW_FOUND) {
            row_set_text(row, PG_REWRITE_EV_ACTION, text);
            TRY(system_row_update(session, row));
            const ObjectAddress rule = {RELATION_PG_REWRITE, row_oid(row, PG_REWRITE_OID), 0};
            return depend_forget(session, rule, 'n');
        }
    }
    const Oid oid = catalog_new_oid(session);
    TRY(oid);
    system_row_init(row, CAT_PG_REWRITE);
    row_set_oid(row, PG_REWRITE_OID, oid);
    row_set_text(row, PG_REWRITE_RULENAME, STR("_RETURN"));
    row_set_oid(row, PG_REWRITE_EV_CLASS, view);
    row_set_char(row, PG_REWRITE_EV_TYPE, '1');
    row_set_char(row, PG_REWRITE_EV_ENABLED, 'O');
    row_set_bool(row, PG_REWRITE_IS_INSTEAD, true);
    row_set_text(row, PG_REWRITE_EV_QUAL, STR("<>"));
    row_set_text(row, PG_REWRITE_EV_ACTION, text);
    row->row_id = 0;
    TRY(system_row_insert(session, row));
    return depend_record(session, (ObjectAddress){RELATION_PG_REWRITE, oid, 0},
                         relation_address(view), DEPENDENCY_INTERNAL);
}

/* ---- names ---- */

static size_t utf8_clip(Str name, size_t limit)
{
    size_t length = MIN(name.length, limit);

    while (length > 0 && length < name.length && ((byte)name.data[length] & 0xc0) == 0x80)
        length--;
    return length;
}

/* name1_name2_label within 63 bytes, the longer name giving way first, as PostgreSQL's. */
static Str object_name_make(Arena *arena, Str name1, Str name2, Str label)
{
    size_t overhead = (name2.length ? 1 : 0) + (label.length ? label.length + 1 : 0);
    size_t length1 = name1.length, length2 = name2.length;

    while (length1 + length2 > NAME_MAX_BYTES - overhead) {
        if (length1 > length2)
            length1--;
        else
            length2--;
    }
    StrBuf text = strbuf_in(arena);
    strbuf_append(&text, str_slice(name1, 0, utf8_clip(name1, length1)));
    if (name2.length) {
        strbuf_append_char(&text, '_');
        strbuf_append(&text, str_slice(name2, 0, utf8_clip(name2, length2)));
    }
    if (label.length) {
        strbuf_append_char(&text, '_');
        strbuf_append(&text, label);
    }
    return strbuf_view(&text);
}

static bool constraint_name_taken(CatalogSession *session, Str name, Oid namespace, Oid relation)
{
    const Value keys[] = {{.var = var_from_str(name)}, {.oid = namespace}};
    CatalogRowVec rows = {0};

    if (!system_rows_find(session, INDEX_PG_CONSTRAINT_CONNAME_NSP_INDEX, keys, 2, &rows))
        return false;
    (void)relation;
    return rows.length > 0;
}

Str define_choose_name(CatalogSession *session, Str name1, Str name2, Str label, Oid namespace,
                       bool for_constraint, Oid relation, Arena *arena)
{
    for (int pass = 0;; pass++) {
        const Str numbered = pass == 0 ? label : str_format(arena, "%.*s%d", STR_ARGS(label), pass);
        const Str name = object_name_make(arena, name1, name2, numbered);
        const bool relation_taken = relation_oid_in(session, namespace, name) != OID_NONE;
        if (error_is_set())
            return name;
        if (for_constraint
                ? !constraint_name_taken(session, name, namespace, relation)
                : !relation_taken && !constraint_name_taken(session, name, namespace, relation))
            return name;
    }
}
