/* Builds relation descriptions from the system tables' rows. */
#include "catalog/catalog_internal.h"
#include "catalog/lookup.h"
#include "catalog/privilege.h"
#include "catalog/relation_life.h"
#include "catalog/trigger.h"
#include "types/type.h"

#define INDEX_DESC 1
#define INDEX_NULLS_FIRST 2

static RelationDesc *relation_new(Oid oid)
{
    Arena *arena = arena_new("relation");
    RelationDesc *relation = ARENA_NEW(arena, RelationDesc);

    relation->life = ARENA_NEW(arena, RelationLife);
    relation->life->arena = arena;
    atomic_init(&relation->life->references, 1);
    relation->oid = oid;
    return relation;
}

static bool acl_load(Arena *arena, const CatalogRow *row, int column, const Acl **ret_acl)
{
    if (row->nulls[column])
        return true;
    Acl *acl = ARENA_NEW(arena, Acl);
    TRY(acl_from_value(arena, &row->values[column], acl));
    *ret_acl = acl;
    return true;
}

static void load_class(CatalogSession *session, RelationDesc *relation, const CatalogRow *row)
{
    Arena *arena = relation->life->arena;
    const Oid file = row_oid(row, PG_CLASS_RELFILENODE);

    relation->name = str_copy(arena, row_text(row, PG_CLASS_RELNAME));
    relation->namespace_oid = row_oid(row, PG_CLASS_RELNAMESPACE);
    relation->namespace_name = str_copy(arena, namespace_name(session, relation->namespace_oid));
    relation->kind = (RelationKind)row_char(row, PG_CLASS_RELKIND);
    relation->persistence = (RelationPersistence)row_char(row, PG_CLASS_RELPERSISTENCE);
    relation->owner = row_oid(row, PG_CLASS_RELOWNER);
    relation->row_type = row_oid(row, PG_CLASS_RELTYPE);
    relation->of_type = row_oid(row, PG_CLASS_RELOFTYPE);
    relation->access_method = row_oid(row, PG_CLASS_RELAM);
    relation->is_shared = row->values[PG_CLASS_RELISSHARED].boolean;
    relation->database = relation->is_shared ? SHARED_DATABASE : session->database_oid;
    relation->tree = file;
    relation->row_count = row->values[PG_CLASS_RELTUPLES].float32;
    relation->page_count = row->values[PG_CLASS_RELPAGES].int32;
    relation->has_rules = row->values[PG_CLASS_RELHASRULES].boolean;
    relation->has_triggers = row->values[PG_CLASS_RELHASTRIGGERS].boolean;
    relation->has_subclass = row->values[PG_CLASS_RELHASSUBCLASS].boolean;
    relation->row_security = row->values[PG_CLASS_RELROWSECURITY].boolean;
    relation->force_row_security = row->values[PG_CLASS_RELFORCEROWSECURITY].boolean;
    relation->is_partition = row->values[PG_CLASS_RELISPARTITION].boolean;
    relation->replica_identity = row_char(row, PG_CLASS_RELREPLIDENT);
}

/* The value of an option in "{a=b,c=d}"; none where it is not there. */
static Str option_value(Arena *arena, Str options, const char *name)
{
    const Str head = str_format(arena, "%s=", name);
    const size_t at = str_find(options, head, 0);

    if (at == SIZE_MAX)
        return STR_NONE;
    const Str rest = str_slice(options, at + head.length, options.length);
    const size_t comma = str_find_char(rest, ',', 0);
    return str_slice(rest, 0, MIN(comma, rest.length - 1));
}

/* Whoever set it has had it looked at: as booleans are written. */
static bool option_is_on(Arena *arena, Str options, const char *name)
{
    const Str text = option_value(arena, options, name);
    Value value = {0};

    if (!str_is_none(text) && !type_input(arena, TYPE_BOOL, -1, text, &value))
        error_clear();
    return value.boolean;
}

/* "{a=b,c=d}" as a Str, and the options of views taken out of it. */
static bool load_options(RelationDesc *relation, const CatalogRow *row)
{
    Arena *arena = relation->life->arena;
    StrBuf text = strbuf_in(arena);

    if (row->nulls[PG_CLASS_RELOPTIONS])
        return true;
    TRY(type_output(TYPE_TEXT_ARRAY, &row->values[PG_CLASS_RELOPTIONS], &text));
    relation->options = strbuf_view(&text);
    if (relation->kind != RELKIND_VIEW)
        return true;
    relation->view_options = relation->options;
    relation->security_barrier = option_is_on(arena, relation->options, "security_barrier");
    relation->security_invoker = option_is_on(arena, relation->options, "security_invoker");
    relation->check_option =
        str_lower(arena, option_value(arena, relation->options, "check_option"));
    return true;
}

static bool load_column(CatalogSession *session, Arena *arena, const CatalogRow *row,
                        ColumnDesc *column)
{
    column->attnum = row->values[PG_ATTRIBUTE_ATTNUM].int16;
    column->name = str_copy(arena, row_text(row, PG_ATTRIBUTE_ATTNAME));
    column->type = row_oid(row, PG_ATTRIBUTE_ATTTYPID);
    column->typmod = row->values[PG_ATTRIBUTE_ATTTYPMOD].int32;
    column->collation = row_oid(row, PG_ATTRIBUTE_ATTCOLLATION);
    column->type_length = row->values[PG_ATTRIBUTE_ATTLEN].int16;
    column->type_by_value = row->values[PG_ATTRIBUTE_ATTBYVAL].boolean;
    column->type_align = row_char(row, PG_ATTRIBUTE_ATTALIGN);
    column->storage = row_char(row, PG_ATTRIBUTE_ATTSTORAGE);
    column->not_null = row->values[PG_ATTRIBUTE_ATTNOTNULL].boolean;
    column->has_default = row->values[PG_ATTRIBUTE_ATTHASDEF].boolean;
    column->identity = row_char(row, PG_ATTRIBUTE_ATTIDENTITY);
    column->generated = row_char(row, PG_ATTRIBUTE_ATTGENERATED);
    column->dropped = row->values[PG_ATTRIBUTE_ATTISDROPPED].boolean;
    column->is_local = row->values[PG_ATTRIBUTE_ATTISLOCAL].boolean;
    column->inherit_count = (int16_t)row->values[PG_ATTRIBUTE_ATTINHCOUNT].int32;
    column->dimensions = (int16_t)row->values[PG_ATTRIBUTE_ATTNDIMS].int32;
    column->statistics_target = row->values[PG_ATTRIBUTE_ATTSTATTARGET].int32;
    column->has_missing = row->values[PG_ATTRIBUTE_ATTHASMISSING].boolean;
    if (!column->dropped) {
        const BuiltinType *builtin = builtin_type(column->type);
        const TypeDesc *type = builtin ? NULL : type_find(session, column->type);
        column->phys = builtin ? builtin->phys : type ? type->phys : PHYS_VAR;
    }
    return acl_load(arena, row, PG_ATTRIBUTE_ATTACL, &column->acl);
}

static bool load_columns(CatalogSession *session, RelationDesc *relation)
{
    Arena *arena = relation->life->arena;
    const Value key = {.oid = relation->oid};
    CatalogRowVec rows = {0};

    TRY(system_rows_find(session, INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, &key, 1, &rows));
    ColumnDesc *columns = ARENA_ARRAY(arena, ColumnDesc, rows.length + 1);
    uint16_t count = 0;
    for (size_t i = 0; i < rows.length; i++)
        if (rows.items[i]->values[PG_ATTRIBUTE_ATTNUM].int16 > 0)
            TRY(load_column(session, arena, rows.items[i], &columns[count++]));
    relation->columns = columns;
    relation->column_count = count;
    return true;
}

static bool load_defaults(CatalogSession *session, RelationDesc *relation)
{
    Arena *arena = relation->life->arena;
    const Value key = {.oid = relation->oid};
    ColumnDesc *columns = (ColumnDesc *)(uintptr_t)relation->columns;
    CatalogRowVec rows = {0};
    bool needed = false;

    for (int i = 0; i < relation->column_count; i++)
        needed |= columns[i].has_default;
    if (!needed)
        return true;
    TRY(system_rows_find(session, INDEX_PG_ATTRDEF_ADRELID_ADNUM_INDEX, &key, 1, &rows));
    for (size_t i = 0; i < rows.length; i++) {
        const CatalogRow *row = rows.items[i];
        const int attnum = row->values[PG_ATTRDEF_ADNUM].int16;
        if (attnum < 1 || attnum > relation->column_count)
            continue;
        columns[attnum - 1].default_text = str_copy(arena, row_text(row, PG_ATTRDEF_ADBIN));
        columns[attnum - 1].default_oid = row_oid(row, PG_ATTRDEF_OID);
    }
    return true;
}

/* An identity column's sequence depends internally on the column. */
static bool load_identities(CatalogSession *session, RelationDesc *relation)
{
    ColumnDesc *columns = (ColumnDesc *)(uintptr_t)relation->columns;

    for (int i = 0; i < relation->column_count; i++) {
        if (!columns[i].identity)
            continue;
        const Value keys[] = {
            {.oid = RELATION_PG_CLASS}, {.oid = relation->oid}, {.int32 = columns[i].attnum}};
        CatalogRowVec rows = {0};
        TRY(system_rows_find(session, INDEX_PG_DEPEND_REFERENCE_INDEX, keys, 3, &rows));
        for (size_t r = 0; r < rows.length; r++)
            if (row_oid(rows.items[r], PG_DEPEND_CLASSID) == RELATION_PG_CLASS &&
                row_char(rows.items[r], PG_DEPEND_DEPTYPE) == 'i')
                columns[i].identity_sequence = row_oid(rows.items[r], PG_DEPEND_OBJID);
    }
    return true;
}

/* ---- indexes ---- */

/* pg_index.indexprs holds the texts of all expressions, separated by unit separators. */
static Str next_expression(Str *rest)
{
    const size_t end = str_find_char(*rest, '\x1f', 0);
    const Str first = end == SIZE_MAX ? *rest : str_slice(*rest, 0, end);

    *rest = end == SIZE_MAX ? STR("") : str_slice(*rest, end + 1, SIZE_MAX);
    return first;
}

static bool load_index_columns(CatalogSession *session, Arena *arena, const CatalogRow *row,
                               IndexDesc *index)
{
    const Value key = {.oid = index->oid};
    CatalogRowVec attributes = {0};
    int16_t *attnums, *options;
    Oid *opclasses, *collations;
    uint32_t count, key_count;
    Str expressions = row_text(row, PG_INDEX_INDEXPRS);

    TRY(row_int16s(row, PG_INDEX_INDKEY, arena, &attnums, &count));
    TRY(row_int16s(row, PG_INDEX_INDOPTION, arena, &options, &key_count));
    TRY(row_oids(row, PG_INDEX_INDCLASS, arena, &opclasses, &key_count));
    TRY(row_oids(row, PG_INDEX_INDCOLLATION, arena, &collations, &key_count));
    TRY(system_rows_find(session, INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, &key, 1, &attributes));
    if (attributes.length != count || key_count > count)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("pg_attribute does not match index %u", index->oid));
    IndexColumn *columns = ARENA_ARRAY(arena, IndexColumn, count);
    for (uint32_t i = 0; i < count; i++) {
        ColumnDesc attribute = {0};
        TRY(load_column(session, arena, attributes.items[i], &attribute));
        columns[i].attnum = attnums[i];
        columns[i].type = attribute.type;
        columns[i].typmod = attribute.typmod;
        columns[i].phys = attribute.phys;
        columns[i].expression =
            attnums[i] == 0 ? str_copy(arena, next_expression(&expressions)) : STR_NONE;
        if (i >= key_count)
            continue;
        columns[i].descending = options[i] & INDEX_DESC;
        columns[i].nulls_first = options[i] & INDEX_NULLS_FIRST;
        columns[i].collation = collations[i];
        columns[i].opclass = opclasses[i];
        const OpclassDesc *opclass = opclass_find(session, opclasses[i]);
        columns[i].opfamily = opclass ? opclass->family : OID_NONE;
    }
    index->columns = columns;
    index->column_count = (uint16_t)count;
    index->key_count = (uint16_t)row->values[PG_INDEX_INDNKEYATTS].int16;
    return true;
}

static bool load_index_constraint(CatalogSession *session, IndexDesc *index)
{
    const Value keys[] = {{.oid = RELATION_PG_CLASS}, {.oid = index->oid}, {.int32 = 0}};
    CatalogRowVec rows = {0};

    if (!index->is_unique)
        return true;
    TRY(system_rows_find(session, INDEX_PG_DEPEND_DEPENDER_INDEX, keys, 3, &rows));
    for (size_t i = 0; i < rows.length; i++)
        if (row_oid(rows.items[i], PG_DEPEND_REFCLASSID) == RELATION_PG_CONSTRAINT &&
            row_char(rows.items[i], PG_DEPEND_DEPTYPE) == 'i')
            index->constraint = row_oid(rows.items[i], PG_DEPEND_REFOBJID);
    return true;
}

static bool load_index(CatalogSession *session, Arena *arena, const CatalogRow *row,
                       IndexDesc *index)
{
    CatalogRow *class_row = ARENA_NEW(session->arena, CatalogRow);
    const Value key = {.oid = row_oid(row, PG_INDEX_INDEXRELID)};

    const RowFound found = system_row_find(session, INDEX_PG_CLASS_OID_INDEX, &key, 1, class_row);
    TRY(found);
    if (found == ROW_MISSING)
        FAIL(ERR_DATA_CORRUPTED, .message = fmt("index %u has no row in pg_class", key.oid));
    index->oid = key.oid;
    index->table = row_oid(row, PG_INDEX_INDRELID);
    index->name = str_copy(arena, row_text(class_row, PG_CLASS_RELNAME));
    index->namespace_oid = row_oid(class_row, PG_CLASS_RELNAMESPACE);
    index->access_method = row_oid(class_row, PG_CLASS_RELAM);
    index->tree = row_oid(class_row, PG_CLASS_RELFILENODE);
    index->row_count = class_row->values[PG_CLASS_RELTUPLES].float32;
    index->page_count = class_row->values[PG_CLASS_RELPAGES].int32;
    index->is_unique = row->values[PG_INDEX_INDISUNIQUE].boolean;
    index->nulls_not_distinct = row->values[PG_INDEX_INDNULLSNOTDISTINCT].boolean;
    index->is_primary = row->values[PG_INDEX_INDISPRIMARY].boolean;
    index->is_exclusion = row->values[PG_INDEX_INDISEXCLUSION].boolean;
    index->is_immediate = row->values[PG_INDEX_INDIMMEDIATE].boolean;
    index->is_valid = row->values[PG_INDEX_INDISVALID].boolean;
    index->is_ready = row->values[PG_INDEX_INDISREADY].boolean;
    index->is_replica_identity = row->values[PG_INDEX_INDISREPLIDENT].boolean;
    index->is_clustered = row->values[PG_INDEX_INDISCLUSTERED].boolean;
    index->predicate = str_copy(arena, row_text(row, PG_INDEX_INDPRED));
    TRY(load_index_columns(session, arena, row, index));
    TRY(load_index_constraint(session, index));
    return txn_tree_open(session->txn, session->database_oid, index->tree, &index->storage);
}

static bool load_indexes(CatalogSession *session, RelationDesc *relation)
{
    const Value key = {.oid = relation->oid};
    CatalogRowVec rows = {0};
    const bool itself = relation->kind == RELKIND_INDEX;

    TRY(system_rows_find(session,
                         itself ? INDEX_PG_INDEX_INDEXRELID_INDEX : INDEX_PG_INDEX_INDRELID_INDEX,
                         &key, 1, &rows));
    IndexDesc *indexes = ARENA_ARRAY(relation->life->arena, IndexDesc, rows.length + 1);
    relation->indexes = indexes;
    for (size_t i = 0; i < rows.length; i++) {
        /* Counted first: an index that fails to load has nothing open, the ones before have. */
        relation->index_count = (uint16_t)(i + 1);
        TRY(load_index(session, relation->life->arena, rows.items[i], &indexes[i]));
    }
    /* PostgreSQL keeps a table's indexes in OID order. */
    for (int i = 1; i < relation->index_count; i++)
        for (int j = i; j > 0 && indexes[j].oid < indexes[j - 1].oid; j--) {
            const IndexDesc swap = indexes[j];
            indexes[j] = indexes[j - 1];
            indexes[j - 1] = swap;
        }
    return true;
}

/* ---- constraints ---- */

static bool load_constraint(CatalogSession *session, RelationDesc *relation, const CatalogRow *row,
                            ConstraintDesc *constraint)
{
    Arena *arena = relation->life->arena;
    uint32_t count;
    int16_t *columns, *foreign, *set_columns;
    Oid *operators;

    constraint->oid = row_oid(row, PG_CONSTRAINT_OID);
    constraint->name = str_copy(arena, row_text(row, PG_CONSTRAINT_CONNAME));
    constraint->kind = (ConstraintKind)row_char(row, PG_CONSTRAINT_CONTYPE);
    constraint->table = row_oid(row, PG_CONSTRAINT_CONRELID);
    constraint->deferrable = row->values[PG_CONSTRAINT_CONDEFERRABLE].boolean;
    constraint->initially_deferred = row->values[PG_CONSTRAINT_CONDEFERRED].boolean;
    constraint->validated = row->values[PG_CONSTRAINT_CONVALIDATED].boolean;
    constraint->is_local = row->values[PG_CONSTRAINT_CONISLOCAL].boolean;
    constraint->no_inherit = row->values[PG_CONSTRAINT_CONNOINHERIT].boolean;
    constraint->index = row_oid(row, PG_CONSTRAINT_CONINDID);
    constraint->foreign_table = row_oid(row, PG_CONSTRAINT_CONFRELID);
    constraint->on_update = (ForeignAction)row_char(row, PG_CONSTRAINT_CONFUPDTYPE);
    constraint->on_delete = (ForeignAction)row_char(row, PG_CONSTRAINT_CONFDELTYPE);
    constraint->match = row_char(row, PG_CONSTRAINT_CONFMATCHTYPE);
    constraint->check_text = str_copy(arena, row_text(row, PG_CONSTRAINT_CONBIN));
    TRY(row_int16s(row, PG_CONSTRAINT_CONKEY, arena, &columns, &count));
    constraint->columns = columns;
    constraint->column_count = (uint16_t)count;
    TRY(row_int16s(row, PG_CONSTRAINT_CONFKEY, arena, &foreign, &count));
    constraint->foreign_columns = foreign;
    TRY(row_oids(row, PG_CONSTRAINT_CONPFEQOP, arena, &operators, &count));
    constraint->equal_operators = operators;
    TRY(row_int16s(row, PG_CONSTRAINT_CONFDELSETCOLS, arena, &set_columns, &count));
    constraint->delete_set_columns = set_columns;
    constraint->delete_set_count = (uint16_t)count;
    return trigger_load(session, constraint);
}

static bool load_constraints(CatalogSession *session, RelationDesc *relation)
{
    Arena *arena = relation->life->arena;
    const Value key = {.oid = relation->oid};
    CatalogRowVec rows = {0};

    TRY(system_rows_find(session, INDEX_PG_CONSTRAINT_CONRELID_CONTYPID_CONNAME_INDEX, &key, 1,
                         &rows));
    ConstraintDesc *constraints = ARENA_ARRAY(arena, ConstraintDesc, rows.length + 1);
    for (size_t i = 0; i < rows.length; i++)
        TRY(load_constraint(session, relation, rows.items[i], &constraints[i]));
    relation->constraints = constraints;
    relation->constraint_count = (uint16_t)rows.length;
    return true;
}

/* Foreign keys depend on the columns that they reference. */
static bool load_referencing(CatalogSession *session, RelationDesc *relation)
{
    Arena *arena = relation->life->arena;
    const Value keys[] = {{.oid = RELATION_PG_CLASS}, {.oid = relation->oid}};
    CatalogRowVec rows = {0};
    uint16_t count = 0;

    TRY(system_rows_find(session, INDEX_PG_DEPEND_REFERENCE_INDEX, keys, 2, &rows));
    ConstraintDesc *found = ARENA_ARRAY(arena, ConstraintDesc, rows.length + 1);
    for (size_t i = 0; i < rows.length; i++) {
        const Oid oid = row_oid(rows.items[i], PG_DEPEND_OBJID);
        bool known = row_oid(rows.items[i], PG_DEPEND_CLASSID) != RELATION_PG_CONSTRAINT;
        for (int j = 0; j < count && !known; j++)
            known = found[j].oid == oid;
        if (known)
            continue;
        CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
        const RowFound outcome =
            system_row_find(session, INDEX_PG_CONSTRAINT_OID_INDEX, &(Value){.oid = oid}, 1, row);
        TRY(outcome);
        if (outcome == ROW_MISSING || row_char(row, PG_CONSTRAINT_CONTYPE) != CONTYPE_FOREIGN ||
            row_oid(row, PG_CONSTRAINT_CONFRELID) != relation->oid)
            continue;
        TRY(load_constraint(session, relation, row, &found[count]));
        count++;
    }
    relation->referencing = found;
    relation->referencing_count = count;
    return true;
}

static bool load_view(CatalogSession *session, RelationDesc *relation)
{
    const Value keys[] = {{.oid = relation->oid}, {.var = var_from_str(STR("_RETURN"))}};
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);

    const RowFound found =
        system_row_find(session, INDEX_PG_REWRITE_REL_RULENAME_INDEX, keys, 2, row);
    TRY(found);
    if (found == ROW_FOUND)
        relation->view_text = str_copy(relation->life->arena, row_text(row, PG_REWRITE_EV_ACTION));
    return true;
}

static bool relation_load(CatalogSession *session, RelationDesc *relation, const CatalogRow *row)
{
    load_class(session, relation, row);
    TRY(acl_load(relation->life->arena, row, PG_CLASS_RELACL, &relation->acl));
    TRY(load_options(relation, row));
    TRY(load_columns(session, relation));
    TRY(load_defaults(session, relation));
    switch (relation->kind) {
    case RELKIND_TABLE:
    case RELKIND_MATVIEW:
    case RELKIND_PARTITIONED:
        TRY(load_identities(session, relation));
        TRY(load_indexes(session, relation));
        TRY(load_constraints(session, relation));
        TRY(load_referencing(session, relation));
        TRY(load_view(session, relation));
        if (relation->tree) {
            TRY(txn_tree_open(session->txn, relation->database, relation->tree,
                              &relation->storage));
            relation->layout = txn_tree_layout(session->txn, relation->storage);
        }
        return true;
    case RELKIND_INDEX:
        return load_indexes(session, relation);
    case RELKIND_VIEW:
        return load_view(session, relation);
    default:
        return true;
    }
}

RelationDesc *relation_build(CatalogSession *session, Oid oid)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);

    if (system_row_find(session, INDEX_PG_CLASS_OID_INDEX, &(Value){.oid = oid}, 1, row) !=
        ROW_FOUND)
        return NULL;
    RelationDesc *relation = relation_new(oid);
    if (!relation_load(session, relation, row)) {
        relation_unref(relation);
        return NULL;
    }
    return relation;
}

/* ---- system tables ---- */

static bool system_index_load(CatalogSession *session, Arena *arena, const CatalogIndex *facts,
                              IndexDesc *index)
{
    const CatalogTable *table = &catalog_tables[facts->table];
    IndexColumn *columns = ARENA_ARRAY(arena, IndexColumn, facts->column_count);

    for (int i = 0; i < facts->column_count; i++) {
        const CatalogColumn *column = &table->columns[facts->columns[i].attnum - 1];
        const OpclassDesc *opclass = opclass_find(session, facts->columns[i].opclass);
        columns[i] = (IndexColumn){.attnum = facts->columns[i].attnum,
                                   .type = column->type,
                                   .typmod = -1,
                                   .phys = type_phys(column->type),
                                   .collation = facts->columns[i].collation,
                                   .opclass = facts->columns[i].opclass,
                                   .opfamily = opclass ? opclass->family : OID_NONE};
    }
    *index = (IndexDesc){.oid = facts->oid,
                         .table = table->oid,
                         .name = facts->name,
                         .namespace_oid = NAMESPACE_PG_CATALOG,
                         .access_method = ACCESS_METHOD_BTREE,
                         .tree = facts->oid,
                         .is_unique = facts->is_unique,
                         .is_primary = facts->is_primary,
                         .is_immediate = true,
                         .is_valid = true,
                         .is_ready = true,
                         .key_count = facts->column_count,
                         .column_count = facts->column_count,
                         .columns = columns,
                         .constraint = facts->constraint,
                         .row_count = -1};
    return txn_tree_open(session->txn, table->shared ? SHARED_DATABASE : session->database_oid,
                         facts->oid, &index->storage);
}

static void system_columns_load(RelationDesc *relation, const CatalogTable *table)
{
    ColumnDesc *columns = ARENA_ARRAY(relation->life->arena, ColumnDesc, table->column_count);

    for (int i = 0; i < table->column_count; i++) {
        const CatalogColumn *facts = &table->columns[i];
        const BuiltinType *type = builtin_type(facts->type);
        columns[i] = (ColumnDesc){.attnum = (int16_t)(i + 1),
                                  .name = facts->name,
                                  .type = facts->type,
                                  .typmod = -1,
                                  .collation = facts->collation,
                                  .phys = type ? type->phys : PHYS_VAR,
                                  .type_length = type ? type->length : -1,
                                  .type_by_value = type && type->by_value,
                                  .type_align = type ? type->alignment : 'i',
                                  .storage = type ? type->storage : 'x',
                                  .not_null = facts->not_null,
                                  .is_local = true,
                                  .statistics_target = -1};
    }
    relation->columns = columns;
    relation->column_count = table->column_count;
}

static const Acl *system_acl(Arena *arena, const CatalogTable *table)
{
    Acl *acl = ARENA_NEW(arena, Acl);

    acl_default(arena, ON_TABLE, ROLE_BOOTSTRAP_SUPERUSER, acl);
    if (table->public_select)
        acl_grant(arena, acl, ROLE_BOOTSTRAP_SUPERUSER, ROLE_PUBLIC, ACL_SELECT, false);
    return acl;
}

static bool system_table_load(CatalogSession *session, RelationDesc *relation,
                              const CatalogTable *table)
{
    Arena *arena = relation->life->arena;
    IndexDesc *indexes = ARENA_ARRAY(arena, IndexDesc, table->index_count + 1);

    relation->name = table->name;
    relation->kind = RELKIND_TABLE;
    relation->row_type = table->row_type;
    relation->access_method = ACCESS_METHOD_HEAP;
    relation->is_shared = table->shared;
    relation->tree = table->oid;
    relation->acl = system_acl(arena, table);
    system_columns_load(relation, table);
    relation->indexes = indexes;
    for (int i = 0; i < table->index_count; i++) {
        relation->index_count = (uint16_t)(i + 1);
        TRY(system_index_load(session, arena, &catalog_indexes[table->first_index + i],
                              &indexes[i]));
    }
    TRY(txn_tree_open(session->txn, relation->database, relation->tree, &relation->storage));
    relation->layout = txn_tree_layout(session->txn, relation->storage);
    relation->row_count = (double)txn_tree_row_count(session->txn, relation->storage);
    relation->page_count = (int32_t)txn_tree_page_count(session->txn, relation->storage);
    return true;
}

RelationDesc *relation_build_system(CatalogSession *session, Oid oid)
{
    const CatalogTable *table = catalog_table_find(oid);
    const CatalogIndex *index = table ? NULL : catalog_index_find(oid);
    const bool shared = table ? table->shared : catalog_tables[index->table].shared;
    RelationDesc *relation = relation_new(oid);
    bool ok;

    relation->namespace_oid = NAMESPACE_PG_CATALOG;
    relation->namespace_name = STR("pg_catalog");
    relation->persistence = RELPERSISTENCE_PERMANENT;
    relation->owner = ROLE_BOOTSTRAP_SUPERUSER;
    relation->database = shared ? SHARED_DATABASE : session->database_oid;
    relation->replica_identity = 'n';
    relation->is_builtin = true;
    if (table) {
        ok = system_table_load(session, relation, table);
    } else {
        IndexDesc *desc = ARENA_NEW(relation->life->arena, IndexDesc);
        relation->name = index->name;
        relation->kind = RELKIND_INDEX;
        relation->access_method = ACCESS_METHOD_BTREE;
        relation->is_shared = shared;
        relation->tree = index->oid;
        relation->row_count = -1;
        relation->indexes = desc;
        relation->index_count = 1;
        ok = system_index_load(session, relation->life->arena, index, desc);
    }
    if (!ok) {
        relation_unref(relation);
        return NULL;
    }
    return relation;
}
