/* Indexes, constraints and sequences as rows of the system tables. */
#include "base/error.h"
#include "catalog/catalog_internal.h"
#include "catalog/define.h"
#include "catalog/define_internal.h"
#include "catalog/lookup.h"
#include "catalog/object.h"
#include "catalog/trigger.h"

static ObjectAddress class_address(Oid oid, int column)
{
    return (ObjectAddress){RELATION_PG_CLASS, oid, column};
}

static bool index_attributes(CatalogSession *session, Oid index, const IndexDefinition *definition)
{
    for (int i = 0; i < definition->column_count; i++) {
        const IndexColumn *column = &definition->columns[i];
        const ColumnDefinition attribute = {.name = definition->column_names[i],
                                            .type = column->type,
                                            .typmod = column->typmod,
                                            .collation = column->collation};
        TRY(define_attribute_row(session, index, (int16_t)(i + 1), &attribute, false));
    }
    return true;
}

static bool index_row(CatalogSession *session, Oid oid, const IndexDefinition *definition)
{
    CatalogRow row;
    const int keys = definition->key_count;
    int16_t *attnums = ARENA_ARRAY(session->arena, int16_t, definition->column_count + 1);
    int16_t *options = ARENA_ARRAY(session->arena, int16_t, keys + 1);
    Oid *opclasses = ARENA_ARRAY(session->arena, Oid, keys + 1);
    Oid *collations = ARENA_ARRAY(session->arena, Oid, keys + 1);
    StrBuf expressions = strbuf_in(session->arena);

    for (int i = 0; i < definition->column_count; i++) {
        const IndexColumn *column = &definition->columns[i];
        attnums[i] = column->attnum;
        if (column->attnum == 0) {
            if (expressions.length)
                strbuf_append_char(&expressions, '\x1f');
            strbuf_append(&expressions, column->expression);
        }
        if (i >= keys)
            continue;
        options[i] = (int16_t)((column->descending ? 1 : 0) | (column->nulls_first ? 2 : 0));
        opclasses[i] = column->opclass;
        collations[i] = column->collation;
    }
    system_row_init(&row, CAT_PG_INDEX);
    row_set_oid(&row, PG_INDEX_INDEXRELID, oid);
    row_set_oid(&row, PG_INDEX_INDRELID, definition->table);
    row_set_int16(&row, PG_INDEX_INDNATTS, (int16_t)definition->column_count);
    row_set_int16(&row, PG_INDEX_INDNKEYATTS, (int16_t)keys);
    row_set_bool(&row, PG_INDEX_INDISUNIQUE, definition->is_unique);
    row_set_bool(&row, PG_INDEX_INDNULLSNOTDISTINCT, definition->nulls_not_distinct);
    row_set_bool(&row, PG_INDEX_INDISPRIMARY, definition->is_primary);
    row_set_bool(&row, PG_INDEX_INDISEXCLUSION, false);
    row_set_bool(&row, PG_INDEX_INDIMMEDIATE, !definition->deferrable);
    row_set_bool(&row, PG_INDEX_INDISCLUSTERED, false);
    row_set_bool(&row, PG_INDEX_INDISVALID, true);
    row_set_bool(&row, PG_INDEX_INDCHECKXMIN, false);
    row_set_bool(&row, PG_INDEX_INDISREADY, true);
    row_set_bool(&row, PG_INDEX_INDISLIVE, true);
    row_set_bool(&row, PG_INDEX_INDISREPLIDENT, false);
    TRY(row_set_int16s(session, &row, PG_INDEX_INDKEY, attnums, definition->column_count));
    TRY(row_set_oids(session, &row, PG_INDEX_INDCOLLATION, collations, (uint32_t)keys));
    TRY(row_set_oids(session, &row, PG_INDEX_INDCLASS, opclasses, (uint32_t)keys));
    TRY(row_set_int16s(session, &row, PG_INDEX_INDOPTION, options, (uint32_t)keys));
    if (expressions.length)
        row_set_text(&row, PG_INDEX_INDEXPRS, strbuf_view(&expressions));
    row_set_text(&row, PG_INDEX_INDPRED, definition->predicate);
    return system_row_insert(session, &row);
}

/* The columns an index is of; its expressions' columns are recorded by the command. */
static bool index_depend(CatalogSession *session, Oid oid, const IndexDefinition *definition)
{
    bool any_column = false;

    for (int i = 0; i < definition->column_count; i++) {
        if (definition->columns[i].attnum <= 0)
            continue;
        any_column = true;
        TRY(depend_record(session, class_address(oid, 0),
                          class_address(definition->table, definition->columns[i].attnum),
                          DEPENDENCY_AUTO));
    }
    if (!any_column)
        TRY(depend_record(session, class_address(oid, 0), class_address(definition->table, 0),
                          DEPENDENCY_AUTO));
    return true;
}

bool define_index(CatalogSession *session, const IndexDefinition *definition, Oid *ret_oid)
{
    CatalogRow row;
    CatalogRow *table_row = ARENA_NEW(session->arena, CatalogRow);
    const RelationDesc *table = relation_get(session, definition->table);

    TRY(table);
    if (relation_oid_in(session, table->namespace_oid, definition->name))
        FAIL(ERR_DUPLICATE_TABLE,
             .message = fmt("relation \"%.*s\" already exists", STR_ARGS(definition->name)));
    TRY(!error_is_set());
    const Oid oid = catalog_new_oid(session);
    TRY(oid);
    TRY(define_lock_new(session, oid));
    define_class_row(&row, oid, definition->name, table->namespace_oid, RELKIND_INDEX);
    row_set_oid(&row, PG_CLASS_RELOWNER, table->owner);
    row_set_char(&row, PG_CLASS_RELPERSISTENCE, (char)table->persistence);
    row_set_oid(&row, PG_CLASS_RELFILENODE, oid);
    row_set_int16(&row, PG_CLASS_RELNATTS, (int16_t)definition->column_count);
    if (!str_is_none(definition->options)) {
        TRY(type_input(session->arena, TYPE_TEXT_ARRAY, -1, definition->options,
                       &row.values[PG_CLASS_RELOPTIONS]));
        row.nulls[PG_CLASS_RELOPTIONS] = false;
    }
    TRY(system_row_insert(session, &row));
    TRY(index_attributes(session, oid, definition));
    TRY(index_row(session, oid, definition));
    TRY(txn_tree_create(session->txn, session->database_oid, oid, TREE_INDEX, NULL));
    if (object_row_find(session, RELATION_PG_CLASS, definition->table, table_row) == ROW_FOUND &&
        !table_row->values[PG_CLASS_RELHASINDEX].boolean) {
        row_set_bool(table_row, PG_CLASS_RELHASINDEX, true);
        TRY(system_row_update(session, table_row));
    }
    TRY(!error_is_set());
    if (!definition->for_constraint)
        TRY(index_depend(session, oid, definition));
    *ret_oid = oid;
    return true;
}

/* ---- constraints ---- */

/* What compares two values of one side: the equality of the operator's type on that side. */
static Oid side_operator(CatalogSession *session, Oid op, bool is_left)
{
    const OperatorDesc *desc = operator_find(session, op);
    const TypeOperators *own =
        desc ? type_operators(session, is_left ? desc->left : desc->right) : NULL;
    return !desc || desc->left == desc->right || !own || !own->equal ? op : own->equal;
}

bool define_key_operators(CatalogSession *session, CatalogRow *row, const Oid *operators,
                          uint32_t count)
{
    Oid *left = ARENA_ARRAY(session->arena, Oid, count + 1);
    Oid *right = ARENA_ARRAY(session->arena, Oid, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        left[i] = side_operator(session, operators[i], true);
        right[i] = side_operator(session, operators[i], false);
    }
    TRY(row_set_oids(session, row, PG_CONSTRAINT_CONPFEQOP, operators, count));
    TRY(row_set_oids(session, row, PG_CONSTRAINT_CONPPEQOP, left, count));
    return row_set_oids(session, row, PG_CONSTRAINT_CONFFEQOP, right, count);
}

static bool constraint_row(CatalogSession *session, Oid oid, Oid namespace,
                           const ConstraintDefinition *c)
{
    CatalogRow row;
    const bool foreign = c->kind == CONTYPE_FOREIGN;

    system_row_init(&row, CAT_PG_CONSTRAINT);
    row_set_oid(&row, PG_CONSTRAINT_OID, oid);
    row_set_text(&row, PG_CONSTRAINT_CONNAME, c->name);
    row_set_oid(&row, PG_CONSTRAINT_CONNAMESPACE, namespace);
    row_set_char(&row, PG_CONSTRAINT_CONTYPE, (char)c->kind);
    row_set_bool(&row, PG_CONSTRAINT_CONDEFERRABLE, c->deferrable);
    row_set_bool(&row, PG_CONSTRAINT_CONDEFERRED, c->initially_deferred);
    row_set_bool(&row, PG_CONSTRAINT_CONVALIDATED, c->validated);
    row_set_oid(&row, PG_CONSTRAINT_CONRELID, c->table);
    row_set_oid(&row, PG_CONSTRAINT_CONTYPID, c->type);
    row_set_oid(&row, PG_CONSTRAINT_CONINDID, c->index);
    row_set_oid(&row, PG_CONSTRAINT_CONPARENTID, OID_NONE);
    row_set_oid(&row, PG_CONSTRAINT_CONFRELID, c->foreign_table);
    row_set_char(&row, PG_CONSTRAINT_CONFUPDTYPE, foreign ? (char)c->on_update : ' ');
    row_set_char(&row, PG_CONSTRAINT_CONFDELTYPE, foreign ? (char)c->on_delete : ' ');
    row_set_char(&row, PG_CONSTRAINT_CONFMATCHTYPE, foreign ? c->match : ' ');
    row_set_bool(&row, PG_CONSTRAINT_CONISLOCAL, c->is_local);
    row_set_int32(&row, PG_CONSTRAINT_CONINHCOUNT, 0);
    row_set_bool(&row, PG_CONSTRAINT_CONNOINHERIT, c->no_inherit || c->kind != CONTYPE_CHECK);
    if (c->column_count)
        TRY(row_set_int16s(session, &row, PG_CONSTRAINT_CONKEY, c->columns, c->column_count));
    if (foreign) {
        TRY(row_set_int16s(session, &row, PG_CONSTRAINT_CONFKEY, c->foreign_columns,
                           c->column_count));
        TRY(define_key_operators(session, &row, c->equal_operators, c->column_count));
        if (c->delete_set_count)
            TRY(row_set_int16s(session, &row, PG_CONSTRAINT_CONFDELSETCOLS, c->delete_set_columns,
                               c->delete_set_count));
    }
    row_set_text(&row, PG_CONSTRAINT_CONBIN, c->check_text);
    return system_row_insert(session, &row);
}

static bool constraint_depend(CatalogSession *session, Oid oid, const ConstraintDefinition *c)
{
    const ObjectAddress self = {RELATION_PG_CONSTRAINT, oid, 0};

    for (int i = 0; i < c->column_count; i++)
        TRY(depend_record(session, self, class_address(c->table, c->columns[i]), DEPENDENCY_AUTO));
    if (c->column_count == 0 && c->table)
        TRY(depend_record(session, self, class_address(c->table, 0), DEPENDENCY_AUTO));
    if (c->kind == CONTYPE_FOREIGN) {
        for (int i = 0; i < c->column_count; i++)
            TRY(depend_record(session, self, class_address(c->foreign_table, c->foreign_columns[i]),
                              DEPENDENCY_NORMAL));
        if (c->index)
            TRY(depend_record(session, self, class_address(c->index, 0), DEPENDENCY_NORMAL));
    } else if (c->index) {
        TRY(depend_record(session, class_address(c->index, 0), self, DEPENDENCY_INTERNAL));
    }
    return true;
}

static bool count_check(CatalogSession *session, Oid table, int change)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const RowFound found = object_row_find(session, RELATION_PG_CLASS, table, row);

    TRY(found);
    if (found == ROW_MISSING)
        return true;
    row->values[PG_CLASS_RELCHECKS].int16 =
        (int16_t)(row->values[PG_CLASS_RELCHECKS].int16 + change);
    return system_row_update(session, row);
}

bool define_check_count(CatalogSession *session, Oid table, int change)
{
    return count_check(session, table, change);
}

static bool note_triggers(CatalogSession *session, Oid table)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const RowFound found = object_row_find(session, RELATION_PG_CLASS, table, row);

    TRY(found);
    if (found == ROW_MISSING || row->values[PG_CLASS_RELHASTRIGGERS].boolean)
        return true;
    row_set_bool(row, PG_CLASS_RELHASTRIGGERS, true);
    return system_row_update(session, row);
}

bool define_constraint(CatalogSession *session, const ConstraintDefinition *definition,
                       Oid *ret_oid)
{
    const RelationDesc *table = relation_get(session, definition->table);
    TRY(table);

    if (relation_constraint(table, definition->name))
        FAIL(ERR_DUPLICATE_OBJECT,
             .message = fmt("constraint \"%.*s\" for relation \"%.*s\" already exists",
                            STR_ARGS(definition->name), STR_ARGS(table->name)));
    const Oid oid = catalog_new_oid(session);
    TRY(oid);
    TRY(constraint_row(session, oid, table->namespace_oid, definition));
    TRY(constraint_depend(session, oid, definition));
    if (definition->kind == CONTYPE_CHECK)
        TRY(count_check(session, definition->table, 1));
    if (definition->kind == CONTYPE_FOREIGN || definition->deferrable) {
        TRY(note_triggers(session, definition->table));
        if (definition->foreign_table)
            TRY(note_triggers(session, definition->foreign_table));
    }
    TRY(trigger_define(session, oid, definition));
    *ret_oid = oid;
    return true;
}

/* ---- sequences ---- */

bool define_sequence(CatalogSession *session, Oid relation, Oid type,
                     const SequenceDefinition *definition)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const RowFound found = system_row_find(session, INDEX_PG_SEQUENCE_SEQRELID_INDEX,
                                           &(Value){.oid = relation}, 1, row);

    TRY(found);
    if (found == ROW_MISSING)
        system_row_init(row, CAT_PG_SEQUENCE);
    row_set_oid(row, PG_SEQUENCE_SEQRELID, relation);
    row_set_oid(row, PG_SEQUENCE_SEQTYPID, type);
    row_set_int64(row, PG_SEQUENCE_SEQSTART, definition->start);
    row_set_int64(row, PG_SEQUENCE_SEQINCREMENT, definition->increment);
    row_set_int64(row, PG_SEQUENCE_SEQMAX, definition->maximum);
    row_set_int64(row, PG_SEQUENCE_SEQMIN, definition->minimum);
    row_set_int64(row, PG_SEQUENCE_SEQCACHE, definition->cache);
    row_set_bool(row, PG_SEQUENCE_SEQCYCLE, definition->cycle);
    return found == ROW_MISSING ? system_row_insert(session, row) : system_row_update(session, row);
}

bool sequence_definition(CatalogSession *session, Oid relation, Oid *ret_type,
                         SequenceDefinition *ret_definition)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const RowFound found = system_row_find(session, INDEX_PG_SEQUENCE_SEQRELID_INDEX,
                                           &(Value){.oid = relation}, 1, row);

    TRY(found);
    if (found == ROW_MISSING)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("cache lookup failed for sequence %u", relation));
    *ret_type = row_oid(row, PG_SEQUENCE_SEQTYPID);
    *ret_definition = (SequenceDefinition){.start = row->values[PG_SEQUENCE_SEQSTART].int64,
                                           .increment = row->values[PG_SEQUENCE_SEQINCREMENT].int64,
                                           .maximum = row->values[PG_SEQUENCE_SEQMAX].int64,
                                           .minimum = row->values[PG_SEQUENCE_SEQMIN].int64,
                                           .cache = row->values[PG_SEQUENCE_SEQCACHE].int64,
                                           .cycle = row->values[PG_SEQUENCE_SEQCYCLE].boolean};
    return true;
}
