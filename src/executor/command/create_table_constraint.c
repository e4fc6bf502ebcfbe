/* Table constraints: CHECK, PRIMARY KEY, UNIQUE, FOREIGN KEY. */
#include "catalog/system_row.h"
#include "executor/command/ddl_internal.h"
#include "executor/modify.h"
#include "types/type.h"

/* ---- CHECK ---- */

bool ddl_add_check(CommandContext *context, Oid table_oid, const Constraint *constraint,
                   bool validate)
{
    CatalogSession *session = ddl_catalog(context);
    const RelationDesc *table = relation_get(session, table_oid);
    StoredText text;
    AttnumVec columns = {0};
    Oid oid;

    TRY(table);
    TRY(ddl_stored_expression(context, constraint->raw_expr, table, STORED_CHECK, TYPE_BOOL, -1,
                              STR_NONE, &text));
    TRY(ddl_expression_columns(context, text.expr, &columns));
    Str name = constraint->name;
    if (name.length == 0) {
        const Str column =
            columns.length == 1 ? relation_column_at(table, columns.items[0])->name : STR("");
        name = define_choose_name(session, table->name, column, STR("check"), table->namespace_oid,
                                  true, table_oid, context->arena);
    }
    const ConstraintDefinition definition = {.name = name,
                                             .kind = CONTYPE_CHECK,
                                             .table = table_oid,
                                             .columns = columns.items,
                                             .column_count = (uint16_t)columns.length,
                                             .check_text = text.text,
                                             .validated = !constraint->skip_validation,
                                             .no_inherit = constraint->is_no_inherit,
                                             .is_local = true};
    TRY(define_constraint(session, &definition, &oid));
    TRY(ddl_depend_on_expression(context, (ObjectAddress){RELATION_PG_CONSTRAINT, oid, 0},
                                 text.expr, table, DEPENDENCY_AUTO));
    if (!validate || constraint->skip_validation)
        return true;
    table = relation_get(session, table_oid);
    TRY(table);
    return executor_validate_check(context->session, table, oid);
}

/* ---- PRIMARY KEY and UNIQUE ---- */

static bool set_not_null(CommandContext *context, const RelationDesc *table,
                         const ColumnDesc *column, bool validate)
{
    CatalogSession *session = ddl_catalog(context);
    const Value keys[] = {{.oid = table->oid}, {.int16 = column->attnum}};
    CatalogRow row;

    if (column->not_null)
        return true;
    TRY(system_row_find(session, INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, keys, 2, &row));
    row_set_bool(&row, PG_ATTRIBUTE_ATTNOTNULL, true);
    TRY(system_row_update(session, &row));
    if (!validate)
        return true;
    const RelationDesc *changed = relation_get(session, table->oid);
    TRY(changed);
    return executor_validate_not_null(context->session, changed, column->attnum);
}

static bool key_elements(CommandContext *context, const RelationDesc *table,
                         const Constraint *constraint, const StrVec *names, bool is_new,
                         IndexElemVec *ret_elements)
{
    /* ALTER TABLE's errors have no position, as in PostgreSQL. */
    const int position = is_new ? constraint->node.position : 0;
    const bool primary = constraint->type == CONSTR_PRIMARY;

    for (size_t i = 0; i < names->length; i++) {
        if (!relation_column(table, names->items[i]))
            FAIL(ERR_UNDEFINED_COLUMN,
                 .message =
                     fmt("column \"%.*s\" named in key does not exist", STR_ARGS(names->items[i])),
                 .position = position);
        for (size_t j = 0; j < i; j++)
            if (str_equal(names->items[i], names->items[j]))
                FAIL(ERR_DUPLICATE_COLUMN,
                     .message = fmt("column \"%.*s\" appears twice in %s constraint",
                                    STR_ARGS(names->items[i]), primary ? "primary key" : "unique"),
                     .position = position);
        IndexElem *element = NODE_NEW(context->arena, IndexElem, 0);
        element->name = names->items[i];
        VEC_PUSH(context->arena, ret_elements, element);
    }
    return true;
}

static Str key_name(CommandContext *context, const RelationDesc *table, const StrVec *keys,
                    const StrVec *including, bool primary)
{
    StrVec all = {0};
    StrBuf columns = strbuf_in(context->arena);

    if (primary)
        return define_choose_name(ddl_catalog(context), table->name, STR(""), STR("pkey"),
                                  table->namespace_oid, false, table->oid, context->arena);
    for (size_t i = 0; i < keys->length; i++)
        VEC_PUSH(context->arena, &all, keys->items[i]);
    for (size_t i = 0; i < including->length; i++)
        VEC_PUSH(context->arena, &all, including->items[i]);
    for (size_t i = 0; i < all.length && columns.length < 64; i++) {
        if (i > 0)
            strbuf_append_char(&columns, '_');
        strbuf_append(&columns, all.items[i]);
    }
    return define_choose_name(ddl_catalog(context), table->name, strbuf_view(&columns), STR("key"),
                              table->namespace_oid, false, table->oid, context->arena);
}

static bool key_constraint(CommandContext *context, const RelationDesc *table, Oid index,
                           const IndexDefinition *definition, const Constraint *constraint)
{
    int16_t *columns = ARENA_ARRAY(context->arena, int16_t, definition->key_count + 1);
    Oid oid;

    for (int i = 0; i < definition->key_count; i++)
        columns[i] = definition->columns[i].attnum;
    const ConstraintDefinition key = {.name = definition->name,
                                      .kind =
                                          definition->is_primary ? CONTYPE_PRIMARY : CONTYPE_UNIQUE,
                                      .table = table->oid,
                                      .columns = columns,
                                      .column_count = definition->key_count,
                                      .index = index,
                                      .deferrable = constraint->deferrable,
                                      .initially_deferred = constraint->initdeferred,
                                      .validated = true,
                                      .no_inherit = true,
                                      .is_local = true};
    return define_constraint(ddl_catalog(context), &key, &oid);
}

/* ---- … USING INDEX ---- */

static bool index_unfit(const Constraint *constraint, Str message)
{
    FAIL(ERR_WRONG_OBJECT_TYPE, .message = message,
         .detail = STR("Cannot create a primary key or unique constraint using such an index."),
         .position = constraint->node.position);
}

/* A constraint's index is as PRIMARY KEY or UNIQUE would have made it. */
static bool check_key_index(CatalogSession *session, const RelationDesc *table,
                            const IndexDesc *index, const Constraint *constraint)
{
    const int position = constraint->node.position;
    const Str name = constraint->index_name;
    if (index->constraint)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message =
                 fmt("index \"%.*s\" is already associated with a constraint", STR_ARGS(name)),
             .position = position);
    if (index->table != table->oid)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = fmt("index \"%.*s\" does not belong to table \"%.*s\"", STR_ARGS(name),
                            STR_ARGS(table->name)),
             .position = position);
    if (!index->is_valid)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = fmt("index \"%.*s\" is not valid", STR_ARGS(name)), .position = position);
    if (!index->is_unique)
        return index_unfit(constraint, fmt("\"%.*s\" is not a unique index", STR_ARGS(name)));
    for (int i = 0; i < index->key_count; i++)
        if (!index->columns[i].attnum)
            return index_unfit(constraint,
                               fmt("index \"%.*s\" contains expressions", STR_ARGS(name)));
    if (!str_is_none(index->predicate) && index->predicate.length > 0)
        return index_unfit(constraint, fmt("\"%.*s\" is a partial index", STR_ARGS(name)));
    for (int i = 0; i < index->key_count; i++) {
        const IndexColumn *column = &index->columns[i];
        const OpclassDesc *opclass = opclass_find(session, column->opclass);
        if (!opclass || !opclass->is_default || column->descending || column->nulls_first ||
            column->collation != table->columns[column->attnum - 1].collation)
            return index_unfit(constraint, fmt("index \"%.*s\" column number %d does not have "
                                               "default sorting behavior",
                                               STR_ARGS(name), i + 1));
    }
    return true;
}

static bool find_key_index(CommandContext *context, const RelationDesc *table,
                           const Constraint *constraint, const IndexDesc **ret_index)
{
    CatalogSession *session = ddl_catalog(context);
    const Str name = constraint->index_name;
    const Oid oid = relation_oid_in(session, table->namespace_oid, name);
    TRY(!error_is_set());
    if (!oid)
        FAIL(ERR_UNDEFINED_OBJECT, .message = fmt("index \"%.*s\" does not exist", STR_ARGS(name)),
             .position = constraint->node.position);
    const RelationDesc *relation = relation_get(session, oid);
    TRY(relation);
    if (relation->kind != RELKIND_INDEX || relation->index_count == 0)
        FAIL(ERR_WRONG_OBJECT_TYPE, .message = fmt("\"%.*s\" is not an index", STR_ARGS(name)));
    *ret_index = &relation->indexes[0];
    return check_key_index(session, table, *ret_index, constraint);
}

/* The index goes with its constraint from here on, not with the columns. */
static bool adopt_index(CommandContext *context, const IndexDesc *index, bool primary,
                        const Constraint *constraint)
{
    CatalogSession *session = ddl_catalog(context);
    CatalogRow row;
    const Oid oid = index->oid;

    TRY(system_row_find(session, INDEX_PG_INDEX_INDEXRELID_INDEX, &(Value){.oid = oid}, 1, &row));
    row_set_bool(&row, PG_INDEX_INDISPRIMARY, primary);
    row_set_bool(&row, PG_INDEX_INDIMMEDIATE, !constraint->deferrable);
    TRY(system_row_update(session, &row));
    return depend_forget(session, (ObjectAddress){RELATION_PG_CLASS, oid, 0}, DEPENDENCY_AUTO);
}

static bool add_using_index(CommandContext *context, const RelationDesc *table,
                            const Constraint *constraint)
{
    CatalogSession *session = ddl_catalog(context);
    const bool primary = constraint->type == CONSTR_PRIMARY;
    const Oid table_oid = table->oid;
    const IndexDesc *index;

    TRY(find_key_index(context, table, constraint, &index));
    const IndexDefinition definition = {
        .name = constraint->name.length ? constraint->name : constraint->index_name,
        .columns =
            arena_copy(context->arena, index->columns, index->column_count * sizeof(IndexColumn)),
        .key_count = index->key_count,
        .is_primary = primary};
    const Oid oid = index->oid;
    if (!str_equal(definition.name, constraint->index_name)) {
        DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
                   fmt("ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"%.*s\" to "
                       "\"%.*s\"",
                       STR_ARGS(constraint->index_name), STR_ARGS(definition.name)));
        if (relation_oid_in(session, table->namespace_oid, definition.name))
            FAIL(ERR_DUPLICATE_TABLE,
                 .message = fmt("relation \"%.*s\" already exists", STR_ARGS(definition.name)));
        TRY(!error_is_set());
        TRY(define_rename(session, (ObjectAddress){RELATION_PG_CLASS, oid, 0}, definition.name));
        TRY(table = relation_get(session, table_oid));
    }
    if (primary && relation_primary_key(table))
        FAIL(ERR_INVALID_TABLE_DEFINITION,
             .message = fmt("multiple primary keys for table \"%.*s\" are not allowed",
                            STR_ARGS(table->name)));
    for (int i = 0; primary && i < definition.key_count; i++) {
        TRY(set_not_null(context, table, relation_column_at(table, definition.columns[i].attnum),
                         true));
        TRY(table = relation_get(session, table_oid));
    }
    const RelationDesc *changed = relation_get(session, oid);
    TRY(changed);
    TRY(adopt_index(context, &changed->indexes[0], primary, constraint));
    TRY(table = relation_get(session, table_oid));
    return key_constraint(context, table, oid, &definition, constraint);
}

bool ddl_add_unique(CommandContext *context, Oid table_oid, const Constraint *constraint,
                    const Str *column, bool build)
{
    CatalogSession *session = ddl_catalog(context);
    const RelationDesc *table = relation_get(session, table_oid);
    const bool primary = constraint->type == CONSTR_PRIMARY;
    StrVec names = constraint->keys;
    IndexElemVec elements = {0}, including = {0};
    IndexDefinition definition = {.table = table_oid};
    Oid index;

    TRY(table);
    if (constraint->index_name.length && !build)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("cannot use an existing index in CREATE TABLE"),
             .position = constraint->node.position);
    if (constraint->index_name.length)
        return add_using_index(context, table, constraint);
    if (primary && relation_primary_key(table))
        FAIL(ERR_INVALID_TABLE_DEFINITION,
             .message = fmt("multiple primary keys for table \"%.*s\" are not allowed",
                            STR_ARGS(table->name)));
    if (names.length == 0 && column)
        VEC_PUSH(context->arena, &names, *column);
    TRY(key_elements(context, table, constraint, &names, !build, &elements));
    TRY(key_elements(context, table, constraint, &constraint->including, !build, &including));
    for (size_t i = 0; primary && i < names.length; i++)
        TRY(set_not_null(context, table, relation_column(table, names.items[i]), build));
    table = relation_get(session, table_oid);
    TRY(table);
    TRY(ddl_index_columns(context, table, &elements, &including, &definition, NULL));
    definition.name = constraint->name.length
                          ? constraint->name
                          : key_name(context, table, &names, &constraint->including, primary);
    definition.is_unique = true;
    definition.is_primary = primary;
    definition.nulls_not_distinct = constraint->nulls_not_distinct;
    definition.deferrable = constraint->deferrable;
    definition.for_constraint = true;
    TRY(ddl_options_text(context, &constraint->options, "fillfactor deduplicate_items",
                         &definition.options));
    TRY(define_index(session, &definition, &index));
    table = relation_get(session, table_oid);
    TRY(table);
    TRY(key_constraint(context, table, index, &definition, constraint));
    return !build || ddl_fill_index(context, table_oid, index);
}

/* ---- FOREIGN KEY ---- */

typedef struct ForeignKey {
    const Constraint *constraint;
    const RelationDesc *table, *referenced;
    int16_t columns[32], foreign[32], set_columns[32];
    Oid operators[32];
    uint16_t count, set_count;
    const IndexDesc *index;
} ForeignKey;

static bool resolve_columns(const RelationDesc *table, const StrVec *names, const char *clause,
                            int16_t *ret_columns, uint16_t *ret_count)
{
    if (names->length > 32)
        FAIL(ERR_TOO_MANY_COLUMNS,
             .message = STR("cannot have more than 32 keys in a foreign key"));
    for (size_t i = 0; i < names->length; i++) {
        const ColumnDesc *column = relation_column(table, names->items[i]);
        if (!column)
            FAIL(ERR_UNDEFINED_COLUMN,
                 .message = fmt("column \"%.*s\" referenced in foreign key constraint does not "
                                "exist",
                                STR_ARGS(names->items[i])));
        ret_columns[i] = column->attnum;
    }
    (void)clause;
    *ret_count = (uint16_t)names->length;
    return true;
}

static bool index_matches(const IndexDesc *index, const ForeignKey *key)
{
    if (!index->is_unique || index->key_count != key->count || !index->is_valid ||
        !str_is_none(index->predicate))
        return false;
    for (int i = 0; i < key->count; i++) {
        bool found = false;
        for (int j = 0; j < index->key_count && !found; j++)
            found = index->columns[j].attnum == key->foreign[i];
        if (!found)
            return false;
    }
    return true;
}

static bool find_referenced_index(ForeignKey *key, bool columns_given)
{
    const RelationDesc *referenced = key->referenced;

    if (!columns_given) {
        key->index = relation_primary_key(referenced);
        if (!key->index)
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("there is no primary key for referenced table \"%.*s\"",
                                STR_ARGS(referenced->name)));
        if (!key->index->is_immediate)
            FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
                 .message = fmt("cannot use a deferrable primary key for referenced table "
                                "\"%.*s\"",
                                STR_ARGS(referenced->name)));
        const uint16_t count = key->index->key_count;
        for (int i = 0; i < count; i++)
            key->foreign[i] = key->index->columns[i].attnum;
        if (count != key->count)
            FAIL(ERR_INVALID_FOREIGN_KEY,
                 .message = STR("number of referencing and referenced columns for foreign key "
                                "disagree"));
        return true;
    }
    bool deferrable = false;
    for (int i = 0; i < referenced->index_count; i++) {
        const IndexDesc *index = &referenced->indexes[i];
        if (!index_matches(index, key))
            continue;
        if (index->is_immediate) {
            key->index = index;
            return true;
        }
        deferrable = true;
    }
    if (deferrable)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = fmt("cannot use a deferrable unique constraint for referenced table "
                            "\"%.*s\"",
                            STR_ARGS(referenced->name)));
    FAIL(ERR_INVALID_FOREIGN_KEY,
         .message = fmt("there is no unique constraint matching given keys for referenced table "
                        "\"%.*s\"",
                        STR_ARGS(referenced->name)));
}

static Oid family_of(const ForeignKey *key, int16_t attnum)
{
    for (int i = 0; i < key->index->key_count; i++)
        if (key->index->columns[i].attnum == attnum)
            return key->index->columns[i].opfamily;
    return OID_NONE;
}

/* pk = fk: an operator of the referenced index, or of its type where the other casts to it. */
static Oid equality_operator(CatalogSession *session, Oid family, Oid primary, Oid foreign)
{
    const TypeOperators *operators = type_operators(session, primary);
    Oid found = opfamily_operator(session, family, primary, foreign, 3);

    if (found || !operators)
        return found;
    const CastDesc *cast = cast_find(session, foreign, primary);
    if (primary == foreign || (cast && cast->context == 'i'))
        return operators->equal;
    /* Both are coercible to the operator class's input: varchar and text. */
    if (operators->opclass_input != primary) {
        cast = cast_find(session, foreign, operators->opclass_input);
        if (foreign == operators->opclass_input || (cast && cast->context == 'i'))
            return operators->equal;
    }
    return OID_NONE;
}

static bool find_operators(CommandContext *context, ForeignKey *key, Str name)
{
    CatalogSession *session = ddl_catalog(context);

    for (int i = 0; i < key->count; i++) {
        const ColumnDesc *foreign = relation_column_at(key->table, key->columns[i]);
        const ColumnDesc *primary = relation_column_at(key->referenced, key->foreign[i]);
        key->operators[i] = equality_operator(session, family_of(key, primary->attnum),
                                              primary->type, foreign->type);
        if (key->operators[i])
            continue;
        const Str foreign_type = type_name(session, foreign->type);
        const Str primary_type = type_name(session, primary->type);
        FAIL(ERR_DATATYPE_MISMATCH,
             .message =
                 fmt("foreign key constraint \"%.*s\" cannot be implemented", STR_ARGS(name)),
             .detail = fmt("Key columns \"%.*s\" and \"%.*s\" are of incompatible types: %.*s and "
                           "%.*s.",
                           STR_ARGS(foreign->name), STR_ARGS(primary->name), STR_ARGS(foreign_type),
                           STR_ARGS(primary_type)));
    }
    return true;
}

static bool check_persistence(const ForeignKey *key)
{
    const RelationPersistence own = key->table->persistence;
    const RelationPersistence other = key->referenced->persistence;

    if (own == RELPERSISTENCE_PERMANENT && other != RELPERSISTENCE_PERMANENT)
        FAIL(ERR_INVALID_TABLE_DEFINITION,
             .message = STR("constraints on permanent tables may reference only permanent tables"));
    if (own == RELPERSISTENCE_UNLOGGED && other == RELPERSISTENCE_TEMPORARY)
        FAIL(ERR_INVALID_TABLE_DEFINITION,
             .message = STR("constraints on unlogged tables may reference only permanent or "
                            "unlogged tables"));
    if (own == RELPERSISTENCE_TEMPORARY && other != RELPERSISTENCE_TEMPORARY)
        FAIL(ERR_INVALID_TABLE_DEFINITION,
             .message = STR("constraints on temporary tables may reference only temporary tables"));
    return true;
}

static bool open_referenced(CommandContext *context, ForeignKey *key)
{
    RangeVar name = *key->constraint->pktable;

    name.node.position = 0;
    key->referenced = ddl_open_relation(context, &name, LOCK_SHARE_ROW_EXCLUSIVE, false, false);
    TRY(key->referenced);
    if (key->referenced->kind != RELKIND_TABLE)
        FAIL(ERR_WRONG_OBJECT_TYPE, .message = fmt("referenced relation \"%.*s\" is not a table",
                                                   STR_ARGS(key->referenced->name)));
    TRY(ddl_check_not_system(context, key->referenced));
    return check_persistence(key);
}

static Str foreign_key_name(CommandContext *context, const ForeignKey *key)
{
    StrBuf columns = strbuf_in(context->arena);

    if (key->constraint->name.length)
        return key->constraint->name;
    for (int i = 0; i < key->count && columns.length < 64; i++) {
        if (i > 0)
            strbuf_append_char(&columns, '_');
        strbuf_append(&columns, relation_column_at(key->table, key->columns[i])->name);
    }
    return define_choose_name(ddl_catalog(context), key->table->name, strbuf_view(&columns),
                              STR("fkey"), key->table->namespace_oid, true, key->table->oid,
                              context->arena);
}

/* What the grammar writes is what pg_constraint has. */
static_assert((int)FKACTION_NOACTION == (int)REFERENCE_NO_ACTION &&
                  (int)FKACTION_RESTRICT == (int)REFERENCE_RESTRICT &&
                  (int)FKACTION_CASCADE == (int)REFERENCE_CASCADE &&
                  (int)FKACTION_SETNULL == (int)REFERENCE_SET_NULL &&
                  (int)FKACTION_SETDEFAULT == (int)REFERENCE_SET_DEFAULT,
              "a parsed action is cast to a constraint's");

bool ddl_add_foreign_key(CommandContext *context, Oid table_oid, const Constraint *constraint,
                         const Str *column, bool validate)
{
    CatalogSession *session = ddl_catalog(context);
    ForeignKey key = {.constraint = constraint, .table = relation_get(session, table_oid)};
    StrVec names = constraint->fk_attrs;
    uint16_t foreign_count = 0;
    Oid oid;

    TRY(key.table);
    if (constraint->fk_matchtype == FKMATCH_PARTIAL)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("MATCH PARTIAL not yet implemented"),
             .position = constraint->node.position);
    if (names.length == 0 && column)
        VEC_PUSH(context->arena, &names, *column);
    TRY(open_referenced(context, &key));
    TRY(resolve_columns(key.table, &names, "fk", key.columns, &key.count));
    TRY(resolve_columns(key.table, &constraint->fk_del_set_cols, "set", key.set_columns,
                        &key.set_count));
    if (constraint->pk_attrs.length)
        TRY(resolve_columns(key.referenced, &constraint->pk_attrs, "pk", key.foreign,
                            &foreign_count));
    if (foreign_count && foreign_count != key.count)
        FAIL(ERR_INVALID_FOREIGN_KEY,
             .message = STR("number of referencing and referenced columns for foreign key "
                            "disagree"));
    TRY(find_referenced_index(&key, constraint->pk_attrs.length > 0));
    for (int i = 0; i < key.count; i++)
        TRY(privilege_check_columns(session, key.referenced->oid, session->current_user,
                                    ACL_REFERENCES, &key.foreign[i], 1));
    const Str name = foreign_key_name(context, &key);
    TRY(find_operators(context, &key, name));
    const ConstraintDefinition definition = {
        .name = name,
        .kind = CONTYPE_FOREIGN,
        .table = table_oid,
        .columns = key.columns,
        .column_count = key.count,
        .index = key.index->oid,
        .deferrable = constraint->deferrable,
        .initially_deferred = constraint->initdeferred,
        .validated = !constraint->skip_validation,
        .no_inherit = true,
        .is_local = true,
        .foreign_table = key.referenced->oid,
        .foreign_columns = key.foreign,
        .on_update = (ForeignAction)(constraint->fk_upd_action ? constraint->fk_upd_action
                                                               : FKACTION_NOACTION),
        .on_delete = (ForeignAction)(constraint->fk_del_action ? constraint->fk_del_action
                                                               : FKACTION_NOACTION),
        .match = constraint->fk_matchtype ? (char)constraint->fk_matchtype : 's',
        .equal_operators = key.operators,
        .delete_set_columns = key.set_columns,
        .delete_set_count = key.set_count};
    TRY(define_constraint(session, &definition, &oid));
    if (!validate || constraint->skip_validation)
        return true;
    const RelationDesc *table = relation_get(session, table_oid);
    TRY(table);
    return executor_validate_foreign_key(context->session, table, oid);
}

/* ---- foreign keys of columns whose type changes ---- */

typedef VEC(const ConstraintDesc *) KeyVec;

static bool has_column(const int16_t *columns, int count, int16_t attnum)
{
    for (int i = 0; i < count; i++)
        if (columns[i] == attnum)
            return true;
    return false;
}

static void keys_of_column(Arena *arena, const RelationDesc *table, int16_t attnum, KeyVec *ret)
{
    for (int i = 0; i < table->constraint_count; i++) {
        const ConstraintDesc *key = &table->constraints[i];
        if (key->kind == CONTYPE_FOREIGN && has_column(key->columns, key->column_count, attnum))
            VEC_PUSH(arena, ret, key);
    }
    for (int i = 0; i < table->referencing_count; i++) {
        const ConstraintDesc *key = &table->referencing[i];
        const bool is_own =
            key->table == table->oid && has_column(key->columns, key->column_count, attnum);
        if (!is_own && has_column(key->foreign_columns, key->column_count, attnum))
            VEC_PUSH(arena, ret, key);
    }
}

static bool refit_key(CommandContext *context, const ConstraintDesc *constraint)
{
    CatalogSession *session = ddl_catalog(context);
    ForeignKey key = {.count = constraint->column_count};
    CatalogRow row;

    TRY(key.table = relation_get(session, constraint->table));
    TRY(ddl_lock(context, key.table->oid, LOCK_ACCESS_EXCLUSIVE, key.table->name));
    TRY(key.table = relation_get(session, constraint->table));
    TRY(key.referenced = relation_get(session, constraint->foreign_table));
    memcpy(key.columns, constraint->columns, key.count * sizeof(int16_t));
    memcpy(key.foreign, constraint->foreign_columns, key.count * sizeof(int16_t));
    key.index = relation_index(key.referenced, constraint->index);
    assert(key.index);
    TRY(find_operators(context, &key, constraint->name));
    TRY(system_row_find(session, INDEX_PG_CONSTRAINT_OID_INDEX, &(Value){.oid = constraint->oid}, 1,
                        &row));
    TRY(define_key_operators(session, &row, key.operators, key.count));
    return system_row_update(session, &row);
}

bool ddl_refit_foreign_keys(CommandContext *context, Oid table_oid, int16_t attnum)
{
    const RelationDesc *table = relation_get(ddl_catalog(context), table_oid);
    KeyVec keys = {0};
    TRY(table);
    keys_of_column(context->arena, table, attnum, &keys);
    for (size_t i = 0; i < keys.length; i++)
        TRY(refit_key(context, keys.items[i]));
    return true;
}

bool ddl_recheck_foreign_keys(CommandContext *context, Oid table_oid, int16_t attnum)
{
    CatalogSession *session = ddl_catalog(context);
    const RelationDesc *table = relation_get(session, table_oid);
    KeyVec keys = {0};
    TRY(table);
    keys_of_column(context->arena, table, attnum, &keys);
    for (size_t i = 0; i < keys.length; i++) {
        const RelationDesc *child = relation_get(session, keys.items[i]->table);
        TRY(child);
        if (keys.items[i]->validated)
            TRY(executor_validate_foreign_key(context->session, child, keys.items[i]->oid));
    }
    return true;
}
