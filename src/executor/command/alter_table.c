/* ALTER TABLE, and ALTER INDEX, VIEW and SEQUENCE where the grammar gives them the same actions. */
#include "executor/command/alter_table.h"
#include "catalog/system_row.h"
#include "catalog/trigger.h"
#include "executor/command/ddl_internal.h"
#include "executor/modify.h"
#include "executor/state.h"
#include "planner/planner.h"
#include "types/array.h"
#include "types/type.h"

typedef struct Alter {
    CommandContext *context;
    const AlterTableStmt *statement;
    Oid oid;
} Alter;

static const RelationDesc *current(Alter *alter)
{
    return relation_get(ddl_catalog(alter->context), alter->oid);
}

/* A live column, or 42703. */
static const ColumnDesc *column_get(const RelationDesc *table, Str name)
{
    const ColumnDesc *column = relation_column(table, name);

    if (column)
        return column;
    if (system_column_find(name))
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("cannot alter system column \"%.*s\"", STR_ARGS(name)));
    FAIL(ERR_UNDEFINED_COLUMN, .message = fmt("column \"%.*s\" of relation \"%.*s\" does not exist",
                                              STR_ARGS(name), STR_ARGS(table->name)));
}

static bool attribute_row(Alter *alter, int16_t attnum, CatalogRow *row)
{
    const Value keys[] = {{.oid = alter->oid}, {.int16 = attnum}};
    const RowFound found = system_row_find(ddl_catalog(alter->context),
                                           INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, keys, 2, row);

    TRY(found);
    if (found == ROW_MISSING)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("column vanished"));
    return true;
}

static bool class_row(Alter *alter, CatalogRow *row)
{
    const RowFound found = system_row_find(ddl_catalog(alter->context), INDEX_PG_CLASS_OID_INDEX,
                                           &(Value){.oid = alter->oid}, 1, row);

    TRY(found);
    if (found == ROW_MISSING)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("relation vanished"));
    return true;
}

/* ---- ADD COLUMN ---- */

/* What older rows have in the new column: a default that does not depend on when it is asked. */
static bool constant_default(Alter *alter, const TableColumn *column, Value *ret_value,
                             bool *ret_has, bool *ret_rewrite)
{
    CommandContext *context = alter->context;
    CatalogSession *session = ddl_catalog(context);
    const RelationDesc *table = current(alter);
    StoredText text;

    TRY(table);
    *ret_has = false;
    *ret_rewrite = column->serial_type || column->identity || column->generated;
    if (!column->default_constraint || *ret_rewrite)
        return true;
    TRY(ddl_stored_expression(context, column->default_constraint->raw_expr, table, STORED_DEFAULT,
                              column->definition.type, column->definition.typmod,
                              column->definition.name, &text));
    if (alter_expression_is_volatile(session, text.expr)) {
        *ret_rewrite = true;
        return true;
    }
    Expr *planned = planner_plan_expression(context->arena, session, NULL, text.expr);
    TRY(planned);
    bool is_null;
    TRY(executor_evaluate(context->arena, context->session, planned, ret_value, &is_null));
    *ret_has = !is_null;
    return true;
}

static bool add_column_constraints(Alter *alter, const ColumnDef *source)
{
    for (size_t i = 0; i < source->constraints.length; i++) {
        const ConstraintType type = source->constraints.items[i]->type;
        Constraint constraint = *source->constraints.items[i];
        ddl_constraint_attributes(&source->constraints, i, &constraint);
        if (type == CONSTR_CHECK)
            TRY(ddl_add_check(alter->context, alter->oid, &constraint, true));
        else if (type == CONSTR_PRIMARY || type == CONSTR_UNIQUE)
            TRY(ddl_add_unique(alter->context, alter->oid, &constraint, &source->name, true));
        else if (type == CONSTR_FOREIGN)
            TRY(ddl_add_foreign_key(alter->context, alter->oid, &constraint, &source->name, true));
    }
    return true;
}

static bool add_column(Alter *alter, const AlterTableCmd *command)
{
    CatalogSession *session = ddl_catalog(alter->context);
    const ColumnDef *source = NODE_CAST(ColumnDef, command->def);
    const RelationDesc *table = current(alter);
    TableColumn column;
    Value missing;
    bool has_missing, rewrite;
    int16_t attnum;

    TRY(table);
    if (relation_column(table, source->name)) {
        if (!command->missing_ok)
            FAIL(ERR_DUPLICATE_COLUMN,
                 .message = fmt("column \"%.*s\" of relation \"%.*s\" already exists",
                                STR_ARGS(source->name), STR_ARGS(table->name)));
        DDL_NOTICE(ERR_DUPLICATE_COLUMN,
                   fmt("column \"%.*s\" of relation \"%.*s\" already exists, skipping",
                       STR_ARGS(source->name), STR_ARGS(table->name)));
        return true;
    }
    TRY(ddl_table_column(alter->context, source, table->name, &column));
    TRY(constant_default(alter, &column, &missing, &has_missing, &rewrite));
    TRY(define_column(session, table, &column.definition, has_missing ? &missing : NULL, &attnum));
    TRY(ddl_column_default(alter->context, alter->oid, attnum, &column));
    if (rewrite)
        TRY(alter_table_rewrite(alter->context, alter->oid, attnum, NULL));
    if (column.definition.not_null && !rewrite && !has_missing) {
        table = current(alter);
        TRY(table);
        TRY(executor_validate_not_null(alter->context->session, table, attnum));
    }
    return add_column_constraints(alter, source);
}

/* ---- columns ---- */

static bool drop_column(Alter *alter, const AlterTableCmd *command)
{
    const RelationDesc *table = current(alter);
    TRY(table);
    const ColumnDesc *column = relation_column(table, command->name);

    if (!column && command->missing_ok) {
        DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
                   fmt("column \"%.*s\" of relation \"%.*s\" does not exist, skipping",
                       STR_ARGS(command->name), STR_ARGS(table->name)));
        return true;
    }
    if (!column && system_column_find(command->name))
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("cannot drop system column \"%.*s\"", STR_ARGS(command->name)));
    TRY(column = column_get(table, command->name));
    const ObjectAddress object = {RELATION_PG_CLASS, table->oid, column->attnum};
    return drop_objects(ddl_catalog(alter->context), &object, 1,
                        (DropOptions){.cascade = command->behavior == DROP_CASCADE});
}

static bool column_default(Alter *alter, const AlterTableCmd *command)
{
    const RelationDesc *table = current(alter);
    TRY(table);
    const ColumnDesc *column = column_get(table, command->name);
    TRY(column);

    if (column->identity)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("column \"%.*s\" of relation \"%.*s\" is an identity column",
                            STR_ARGS(column->name), STR_ARGS(table->name)),
             .hint = command->def ? STR_NONE
                                  : STR("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY "
                                        "instead."));
    if (column->generated)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("column \"%.*s\" of relation \"%.*s\" is a generated column",
                            STR_ARGS(column->name), STR_ARGS(table->name)),
             .hint = command->def ? STR_NONE
                                  : STR("Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION "
                                        "instead."));
    const int16_t attnum = column->attnum;
    TRY(define_default(ddl_catalog(alter->context), alter->oid, attnum, STR_NONE));
    if (!command->def)
        return true;
    Constraint *constraint = NODE_NEW(alter->context->arena, Constraint, 0);
    constraint->type = CONSTR_DEFAULT;
    constraint->raw_expr = command->def;
    const TableColumn given = {.default_constraint = constraint};
    return ddl_column_default(alter->context, alter->oid, attnum, &given);
}

static bool set_not_null(Alter *alter, const AlterTableCmd *command, bool not_null)
{
    const RelationDesc *table = current(alter);
    TRY(table);
    const ColumnDesc *column = column_get(table, command->name);
    TRY(column);
    const IndexDesc *primary = relation_primary_key(table);
    const int16_t attnum = column->attnum;
    CatalogRow row;

    if (!not_null && column->identity)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("column \"%.*s\" of relation \"%.*s\" is an identity column",
                            STR_ARGS(column->name), STR_ARGS(table->name)));
    for (int i = 0; !not_null && primary && i < primary->key_count; i++)
        if (primary->columns[i].attnum == attnum)
            FAIL(ERR_INVALID_TABLE_DEFINITION,
                 .message = fmt("column \"%.*s\" is in a primary key", STR_ARGS(column->name)));
    if (column->not_null == not_null)
        return true;
    TRY(attribute_row(alter, attnum, &row));
    row_set_bool(&row, PG_ATTRIBUTE_ATTNOTNULL, not_null);
    TRY(system_row_update(ddl_catalog(alter->context), &row));
    if (!not_null)
        return true;
    TRY(table = current(alter));
    return executor_validate_not_null(alter->context->session, table, attnum);
}

#define MAX_STATISTICS_TARGET 10000

static bool set_statistics(Alter *alter, const AlterTableCmd *command)
{
    const RelationDesc *table = current(alter);
    TRY(table);
    const ColumnDesc *column = command->name.length ? column_get(table, command->name)
                                                    : relation_column_at(table, command->number);
    const A_Const *value = NODE_CAST(A_Const, command->def);
    CatalogRow row;

    TRY(column || error_is_set());
    TRY(column);
    if (value->integer < -1)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("statistics target %d is too low", value->integer));
    if (value->integer > MAX_STATISTICS_TARGET)
        NOTICE(SEVERITY_WARNING, ERR_INVALID_PARAMETER_VALUE,
               .message = fmt("lowering statistics target to %d", MAX_STATISTICS_TARGET));
    TRY(attribute_row(alter, column->attnum, &row));
    row_set_int32(&row, PG_ATTRIBUTE_ATTSTATTARGET, MIN(value->integer, MAX_STATISTICS_TARGET));
    return system_row_update(ddl_catalog(alter->context), &row);
}

static bool set_storage(Alter *alter, const AlterTableCmd *command)
{
    const RelationDesc *table = current(alter);
    TRY(table);
    const ColumnDesc *column = column_get(table, command->name);
    TRY(column);
    const Str word =
        NODE_IS(command->def, A_Const) ? NODE_CAST(A_Const, command->def)->text : STR("");
    CatalogRow row;
    char storage = 0;

    if (str_equal_nocase(word, STR("plain")))
        storage = 'p';
    else if (str_equal_nocase(word, STR("external")))
        storage = 'e';
    else if (str_equal_nocase(word, STR("extended")))
        storage = 'x';
    else if (str_equal_nocase(word, STR("main")))
        storage = 'm';
    else
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("invalid storage type \"%.*s\"", STR_ARGS(word)));
    if (storage != 'p' && column->type_length != -1)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("column data type %.*s can only have storage PLAIN",
                            STR_ARGS(type_name(ddl_catalog(alter->context), column->type))));
    TRY(attribute_row(alter, column->attnum, &row));
    row_set_char(&row, PG_ATTRIBUTE_ATTSTORAGE, storage);
    return system_row_update(ddl_catalog(alter->context), &row);
}

/* ---- identity ---- */

static bool add_identity(Alter *alter, const AlterTableCmd *command)
{
    const Constraint *identity = NODE_CAST(Constraint, command->def);
    const RelationDesc *table = current(alter);
    TRY(table);
    const ColumnDesc *column = column_get(table, command->name);
    TRY(column);
    CatalogRow row;

    if (column->identity)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = fmt("column \"%.*s\" of relation \"%.*s\" is already an identity column",
                            STR_ARGS(column->name), STR_ARGS(table->name)));
    if (column->type != TYPE_INT2 && column->type != TYPE_INT4 && column->type != TYPE_INT8)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("identity column type must be smallint, integer, or bigint"));
    if (!column->not_null)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = fmt("column \"%.*s\" of relation \"%.*s\" must be declared NOT NULL before "
                            "identity can be added",
                            STR_ARGS(column->name), STR_ARGS(table->name)));
    if (column->has_default)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = fmt("column \"%.*s\" of relation \"%.*s\" already has a default value",
                            STR_ARGS(column->name), STR_ARGS(table->name)));
    TRY(attribute_row(alter, column->attnum, &row));
    row_set_char(&row, PG_ATTRIBUTE_ATTIDENTITY, identity->generated_when);
    TRY(system_row_update(ddl_catalog(alter->context), &row));
    const TableColumn given = {.identity = identity};
    return ddl_column_default(alter->context, alter->oid, column->attnum, &given);
}

static bool set_identity(Alter *alter, const AlterTableCmd *command)
{
    const RelationDesc *table = current(alter);
    TRY(table);
    const ColumnDesc *column = column_get(table, command->name);
    TRY(column);
    DefElemVec options = {0};
    CatalogRow row;

    if (!column->identity)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = fmt("column \"%.*s\" of relation \"%.*s\" is not an identity column",
                            STR_ARGS(column->name), STR_ARGS(table->name)));
    for (size_t i = 0; i < command->options.length; i++) {
        DefElem *option = command->options.items[i];
        if (!str_equal(option->name, STR("generated"))) {
            VEC_PUSH(alter->context->arena, &options, option);
            continue;
        }
        const Str when = ddl_text_option(alter->context, option);
        const A_Const *value = NODE_CAST(A_Const, option->arg);
        const char letter = value->kind == CONST_INTEGER ? (char)value->integer
                            : when.length                ? when.data[0]
                                                         : 'd';
        TRY(attribute_row(alter, column->attnum, &row));
        row_set_char(&row, PG_ATTRIBUTE_ATTIDENTITY, letter);
        TRY(system_row_update(ddl_catalog(alter->context), &row));
    }
    return options.length == 0 ||
           ddl_sequence_set_options(alter->context, column->identity_sequence, &options);
}

static bool drop_identity(Alter *alter, const AlterTableCmd *command)
{
    const RelationDesc *table = current(alter);
    TRY(table);
    const ColumnDesc *column = column_get(table, command->name);
    TRY(column);
    CatalogSession *session = ddl_catalog(alter->context);
    const ObjectAddress sequence = address_of_relation(column->identity_sequence);
    CatalogRow row;

    if (!column->identity) {
        if (!command->missing_ok)
            FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
                 .message = fmt("column \"%.*s\" of relation \"%.*s\" is not an identity column",
                                STR_ARGS(column->name), STR_ARGS(table->name)));
        DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
                   fmt("column \"%.*s\" of relation \"%.*s\" is not an identity column, skipping",
                       STR_ARGS(column->name), STR_ARGS(table->name)));
        return true;
    }
    TRY(attribute_row(alter, column->attnum, &row));
    row_set_char(&row, PG_ATTRIBUTE_ATTIDENTITY, 0);
    TRY(system_row_update(session, &row));
    TRY(depend_forget(session, sequence, DEPENDENCY_INTERNAL));
    return drop_objects(session, &sequence, 1, (DropOptions){0});
}

static bool drop_expression(Alter *alter, const AlterTableCmd *command)
{
    const RelationDesc *table = current(alter);
    TRY(table);
    const ColumnDesc *column = column_get(table, command->name);
    TRY(column);
    CatalogRow row;

    if (!column->generated) {
        if (!command->missing_ok)
            FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
                 .message = fmt("column \"%.*s\" of relation \"%.*s\" is not a stored generated "
                                "column",
                                STR_ARGS(column->name), STR_ARGS(table->name)));
        DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
                   fmt("column \"%.*s\" of relation \"%.*s\" is not a stored generated column, "
                       "skipping",
                       STR_ARGS(column->name), STR_ARGS(table->name)));
        return true;
    }
    const int16_t attnum = column->attnum;
    TRY(define_default(ddl_catalog(alter->context), alter->oid, attnum, STR_NONE));
    TRY(attribute_row(alter, attnum, &row));
    row_set_char(&row, PG_ATTRIBUTE_ATTGENERATED, 0);
    return system_row_update(ddl_catalog(alter->context), &row);
}

/* ---- constraints ---- */

static bool add_constraint(Alter *alter, const AlterTableCmd *command)
{
    const Constraint *constraint = NODE_CAST(Constraint, command->def);

    switch (constraint->type) {
    case CONSTR_CHECK:
        return ddl_add_check(alter->context, alter->oid, constraint, true);
    case CONSTR_PRIMARY:
    case CONSTR_UNIQUE:
        return ddl_add_unique(alter->context, alter->oid, constraint, NULL, true);
    case CONSTR_FOREIGN:
        return ddl_add_foreign_key(alter->context, alter->oid, constraint, NULL, true);
    default:
        FAIL_UNSUPPORTED("EXCLUDE constraint");
    }
}

static const ConstraintDesc *constraint_get(const RelationDesc *table, Str name, bool missing_ok)
{
    const ConstraintDesc *constraint = relation_constraint(table, name);

    if (constraint)
        return constraint;
    if (!missing_ok)
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("constraint \"%.*s\" of relation \"%.*s\" does not exist",
                            STR_ARGS(name), STR_ARGS(table->name)));
    DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
               fmt("constraint \"%.*s\" of relation \"%.*s\" does not exist, skipping",
                   STR_ARGS(name), STR_ARGS(table->name)));
    return NULL;
}

static bool drop_constraint(Alter *alter, const AlterTableCmd *command)
{
    const RelationDesc *table = current(alter);
    TRY(table);
    const ConstraintDesc *constraint = constraint_get(table, command->name, command->missing_ok);

    if (!constraint)
        return !error_is_set();
    if (constraint->kind == CONTYPE_FOREIGN)
        TRY(ddl_lock(alter->context, constraint->foreign_table, LOCK_ACCESS_EXCLUSIVE, STR("")));
    const ObjectAddress object = {RELATION_PG_CONSTRAINT, constraint->oid, 0};
    return drop_objects(ddl_catalog(alter->context), &object, 1,
                        (DropOptions){.cascade = command->behavior == DROP_CASCADE});
}

static bool constraint_row_update(Alter *alter, Oid oid, int column, bool value)
{
    CatalogSession *session = ddl_catalog(alter->context);
    CatalogRow row;

    TRY(system_row_find(session, INDEX_PG_CONSTRAINT_OID_INDEX, &(Value){.oid = oid}, 1, &row));
    row_set_bool(&row, column, value);
    return system_row_update(session, &row);
}

static bool validate_constraint(Alter *alter, const AlterTableCmd *command)
{
    const RelationDesc *table = current(alter);
    TRY(table);
    const ConstraintDesc *constraint = constraint_get(table, command->name, false);
    TRY(constraint);

    if (constraint->kind != CONTYPE_FOREIGN && constraint->kind != CONTYPE_CHECK)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("constraint \"%.*s\" of relation \"%.*s\" is not a foreign key or "
                            "check constraint",
                            STR_ARGS(command->name), STR_ARGS(table->name)));
    if (constraint->validated)
        return true;
    if (constraint->kind == CONTYPE_CHECK)
        TRY(executor_validate_check(alter->context->session, table, constraint->oid));
    else
        TRY(executor_validate_foreign_key(alter->context->session, table, constraint->oid));
    return constraint_row_update(alter, constraint->oid, PG_CONSTRAINT_CONVALIDATED, true);
}

static bool alter_constraint(Alter *alter, const AlterTableCmd *command)
{
    const Constraint *wanted = NODE_CAST(Constraint, command->def);
    const RelationDesc *table = current(alter);
    TRY(table);
    const ConstraintDesc *constraint = constraint_get(table, wanted->name, false);
    TRY(constraint);

    if (constraint->kind != CONTYPE_FOREIGN)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("constraint \"%.*s\" of relation \"%.*s\" is not a foreign key "
                            "constraint",
                            STR_ARGS(wanted->name), STR_ARGS(table->name)));
    const Oid oid = constraint->oid;
    TRY(constraint_row_update(alter, oid, PG_CONSTRAINT_CONDEFERRABLE, wanted->deferrable));
    TRY(constraint_row_update(alter, oid, PG_CONSTRAINT_CONDEFERRED, wanted->initdeferred));
    return trigger_set_deferrable(ddl_catalog(alter->context), oid, wanted->deferrable,
                                  wanted->initdeferred);
}

/* ---- the relation ---- */

static bool change_owner(Alter *alter, const AlterTableCmd *command)
{
    Oid owner;

    TRY(ddl_role(alter->context, command->new_owner, &owner));
    const RelationDesc *relation = relation_get(ddl_catalog(alter->context), alter->oid);
    return relation && ddl_change_owner(alter->context, relation, owner);
}

static bool set_class_flag(Alter *alter, int column, bool value)
{
    CatalogRow row;

    TRY(class_row(alter, &row));
    row_set_bool(&row, column, value);
    return system_row_update(ddl_catalog(alter->context), &row);
}

static bool replica_identity(Alter *alter, const AlterTableCmd *command)
{
    const ReplicaIdentity *identity = NODE_CAST(ReplicaIdentity, command->def);
    CatalogRow row;

    if (identity->type == 'i')
        FAIL_UNSUPPORTED("REPLICA IDENTITY USING INDEX");
    TRY(class_row(alter, &row));
    row_set_char(&row, PG_CLASS_RELREPLIDENT, identity->type);
    return system_row_update(ddl_catalog(alter->context), &row);
}

static bool is_option(const DefElemVec *options, Str entry)
{
    const size_t equals = str_find_char(entry, '=', 0);
    const Str name = str_slice(entry, 0, equals == SIZE_MAX ? entry.length : equals);

    for (size_t i = 0; i < options->length; i++)
        if (str_equal(options->items[i]->name, name))
            return true;
    return false;
}

/* The entries of a stored list; those that `options` name are left out where it is not NULL. */
static bool options_add(const Value *list, const DefElemVec *options, ArrayBuilder *builder)
{
    ArrayView view;

    TRY(array_open(list, &view));
    for (int i = 0; i < view.count; i++) {
        Value entry;
        bool is_null;
        array_element(&view, i, &entry, &is_null);
        if (!is_null && !(options && is_option(options, var_str(entry.var))))
            array_builder_add(builder, &entry, false);
    }
    return true;
}

static bool set_options(Alter *alter, const AlterTableCmd *command, bool reset)
{
    Arena *arena = alter->context->arena;
    ArrayBuilder builder;
    CatalogRow row;
    Str text = STR_NONE;
    Value value;

    for (size_t i = 0; reset && i < command->options.length; i++)
        if (command->options.items[i]->arg)
            FAIL(ERR_SYNTAX_ERROR, .message = STR("RESET must not include values for parameters"));
    const RelationDesc *relation = current(alter);
    TRY(relation);
    const char *known = relation->kind == RELKIND_INDEX  ? "fillfactor deduplicate_items"
                        : relation->kind == RELKIND_VIEW ? "security_barrier check_option "
                                                           "security_invoker"
                                                         : ddl_table_options;
    if (!reset)
        TRY(ddl_options_text(alter->context, &command->options, known, &text));
    array_builder_init(&builder, arena, TYPE_TEXT);
    TRY(class_row(alter, &row));
    if (!row.nulls[PG_CLASS_RELOPTIONS])
        TRY(options_add(&row.values[PG_CLASS_RELOPTIONS], &command->options, &builder));
    if (!str_is_none(text)) {
        TRY(type_input(arena, TYPE_TEXT_ARRAY, -1, text, &value));
        TRY(options_add(&value, NULL, &builder));
    }
    row_set_null(&row, PG_CLASS_RELOPTIONS);
    if (builder.count > 0) {
        TRY(array_builder_finish(&builder, &value));
        row_set_value(&row, PG_CLASS_RELOPTIONS, value);
    }
    return system_row_update(ddl_catalog(alter->context), &row);
}

/* Says of the table's indexes which one it is clustered on; 0: none. */
static bool set_cluster(Alter *alter, Oid chosen)
{
    CatalogSession *session = ddl_catalog(alter->context);
    const RelationDesc *table = relation_get(session, alter->oid);
    OidVec indexes = {0};

    TRY(table);
    for (int i = 0; i < table->index_count; i++)
        VEC_PUSH(alter->context->arena, &indexes, table->indexes[i].oid);
    for (size_t i = 0; i < indexes.length; i++) {
        const Value key = {.oid = indexes.items[i]};
        CatalogRow row;
        TRY(system_row_find(session, INDEX_PG_INDEX_INDEXRELID_INDEX, &key, 1, &row));
        if (row.values[PG_INDEX_INDISCLUSTERED].boolean == (indexes.items[i] == chosen))
            continue;
        row_set_bool(&row, PG_INDEX_INDISCLUSTERED, indexes.items[i] == chosen);
        TRY(system_row_update(session, &row));
    }
    return true;
}

static bool cluster_on(Alter *alter, const AlterTableCmd *command)
{
    const RelationDesc *table = relation_get(ddl_catalog(alter->context), alter->oid);

    TRY(table);
    for (int i = 0; i < table->index_count; i++) {
        const IndexDesc *index = &table->indexes[i];
        if (!str_equal(index->name, command->name))
            continue;
        if (!str_is_none(index->predicate))
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = fmt("cannot cluster on partial index \"%.*s\"", STR_ARGS(index->name)));
        return set_cluster(alter, index->oid);
    }
    FAIL(ERR_UNDEFINED_OBJECT, .message = fmt("index \"%.*s\" for table \"%.*s\" does not exist",
                                              STR_ARGS(command->name), STR_ARGS(table->name)));
}

static bool change_triggers(Alter *alter, const AlterTableCmd *command)
{
    const AlterTableType type = command->type;
    const bool of_user = type == AT_ENABLE_TRIG_USER || type == AT_DISABLE_TRIG_USER;
    const bool disables =
        type == AT_DISABLE_TRIG || type == AT_DISABLE_TRIG_ALL || type == AT_DISABLE_TRIG_USER;
    const RelationDesc *table = current(alter);
    TRY(table);

    return trigger_change(
        ddl_catalog(alter->context), table,
        &(TriggerChange){.name = command->name,
                         .spares_system = of_user,
                         .enabled = disables                         ? TRIGGER_DISABLED
                                    : type == AT_ENABLE_ALWAYS_TRIG  ? TRIGGER_ENABLED_ALWAYS
                                    : type == AT_ENABLE_REPLICA_TRIG ? TRIGGER_ENABLED_REPLICA
                                                                     : TRIGGER_ENABLED_ORIGIN});
}

/* There are no rules but those of views. */
static bool change_rule(Alter *alter, const AlterTableCmd *command)
{
    const RelationDesc *table = current(alter);
    TRY(table);

    FAIL(ERR_UNDEFINED_OBJECT, .message = fmt("rule \"%.*s\" for relation \"%.*s\" does not exist",
                                              STR_ARGS(command->name), STR_ARGS(table->name)));
}

static bool set_access_method(const AlterTableCmd *command)
{
    if (str_equal(command->name, STR("heap")))
        return true;
    FAIL_UNSUPPORTED("an access method of tables other than heap");
}

/* Policies are not kept yet, so a table without any must not be told that they are enforced. */
static bool run_command(Alter *alter, const AlterTableCmd *command)
{
    switch (command->type) {
    case AT_ADD_COLUMN:
        return add_column(alter, command);
    case AT_DROP_COLUMN:
        return drop_column(alter, command);
    case AT_COLUMN_DEFAULT:
        return column_default(alter, command);
    case AT_DROP_NOT_NULL:
        return set_not_null(alter, command, false);
    case AT_SET_NOT_NULL:
        return set_not_null(alter, command, true);
    case AT_DROP_EXPRESSION:
        return drop_expression(alter, command);
    case AT_SET_STATISTICS:
        return set_statistics(alter, command);
    case AT_SET_STORAGE:
        return set_storage(alter, command);
    case AT_ADD_CONSTRAINT:
        return add_constraint(alter, command);
    case AT_DROP_CONSTRAINT:
        return drop_constraint(alter, command);
    case AT_VALIDATE_CONSTRAINT:
        return validate_constraint(alter, command);
    case AT_ALTER_CONSTRAINT:
        return alter_constraint(alter, command);
    case AT_ALTER_COLUMN_TYPE:
        return alter_column_type(alter->context, alter->oid, command);
    case AT_CHANGE_OWNER:
        return change_owner(alter, command);
    case AT_ADD_IDENTITY:
        return add_identity(alter, command);
    case AT_SET_IDENTITY:
        return set_identity(alter, command);
    case AT_DROP_IDENTITY:
        return drop_identity(alter, command);
    case AT_REPLICA_IDENTITY:
        return replica_identity(alter, command);
    case AT_SET_REL_OPTIONS:
        return set_options(alter, command, false);
    case AT_RESET_REL_OPTIONS:
        return set_options(alter, command, true);
    case AT_DISABLE_ROW_SECURITY:
        return set_class_flag(alter, PG_CLASS_RELROWSECURITY, false);
    case AT_NO_FORCE_ROW_SECURITY:
        return set_class_flag(alter, PG_CLASS_RELFORCEROWSECURITY, false);
    case AT_ENABLE_ROW_SECURITY:
    case AT_FORCE_ROW_SECURITY:
        FAIL_UNSUPPORTED("row security");
    case AT_DROP_OIDS:
        return true;
    case AT_CLUSTER_ON:
        return cluster_on(alter, command);
    case AT_DROP_CLUSTER:
        return set_cluster(alter, OID_NONE);
    case AT_SET_ACCESS_METHOD:
        return set_access_method(command);
    case AT_ENABLE_TRIG:
    case AT_ENABLE_ALWAYS_TRIG:
    case AT_ENABLE_REPLICA_TRIG:
    case AT_DISABLE_TRIG:
    case AT_ENABLE_TRIG_ALL:
    case AT_DISABLE_TRIG_ALL:
    case AT_ENABLE_TRIG_USER:
    case AT_DISABLE_TRIG_USER:
        return change_triggers(alter, command);
    case AT_ENABLE_RULE:
    case AT_ENABLE_ALWAYS_RULE:
    case AT_ENABLE_REPLICA_RULE:
    case AT_DISABLE_RULE:
        return change_rule(alter, command);
    default:
        FAIL_UNSUPPORTED("this form of ALTER TABLE");
    }
}

/* PostgreSQL's passes: drops, types, then new columns, then what is built on them. */
static int pass_of(AlterTableType type)
{
    switch (type) {
    case AT_DROP_COLUMN:
    case AT_DROP_CONSTRAINT:
    case AT_DROP_NOT_NULL:
    case AT_DROP_EXPRESSION:
    case AT_DROP_IDENTITY:
        return 0;
    case AT_ALTER_COLUMN_TYPE:
        return 1;
    case AT_ADD_COLUMN:
        return 2;
    case AT_COLUMN_DEFAULT:
    case AT_SET_NOT_NULL:
    case AT_ADD_IDENTITY:
        return 3;
    case AT_ADD_CONSTRAINT:
        return 4;
    default:
        return 5;
    }
}

static LockMode lock_of(const AlterTableStmt *statement)
{
    LockMode mode = LOCK_SHARE_UPDATE_EXCLUSIVE;

    for (size_t i = 0; i < statement->cmds.length; i++) {
        const AlterTableCmd *command = statement->cmds.items[i];
        LockMode needed = LOCK_ACCESS_EXCLUSIVE;
        if (command->type == AT_VALIDATE_CONSTRAINT || command->type == AT_SET_STATISTICS)
            needed = LOCK_SHARE_UPDATE_EXCLUSIVE;
        else if (command->type == AT_ADD_CONSTRAINT &&
                 NODE_CAST(Constraint, command->def)->type == CONSTR_FOREIGN)
            needed = LOCK_SHARE_ROW_EXCLUSIVE;
        else if (command->type >= AT_ENABLE_TRIG && command->type <= AT_DISABLE_TRIG_USER)
            needed = LOCK_SHARE_ROW_EXCLUSIVE;
        mode = MAX(mode, needed);
    }
    return mode;
}

static bool may_alter(CommandContext *context, const RelationDesc *relation, const void *argument)
{
    const AlterTableStmt *statement = argument;
    static const struct {
        ObjectType type;
        RelationKind kind;
        const char *article;
    } exact[] = {{OBJECT_INDEX, RELKIND_INDEX, "an index"},
                 {OBJECT_VIEW, RELKIND_VIEW, "a view"},
                 {OBJECT_SEQUENCE, RELKIND_SEQUENCE, "a sequence"},
                 {OBJECT_MATVIEW, RELKIND_MATVIEW, "a materialized view"}};

    TRY(ddl_check_owner(context, relation));
    for (size_t i = 0; i < ARRAY_LENGTH(exact); i++)
        if (exact[i].type == statement->object_type && exact[i].kind != relation->kind)
            FAIL(ERR_WRONG_OBJECT_TYPE,
                 .message = fmt("\"%.*s\" is not %s", STR_ARGS(relation->name), exact[i].article));
    for (size_t i = 0; i < statement->cmds.length && relation->kind != RELKIND_TABLE; i++) {
        const AlterTableType type = statement->cmds.items[i]->type;
        if (type == AT_CHANGE_OWNER || type == AT_SET_REL_OPTIONS || type == AT_RESET_REL_OPTIONS ||
            (type == AT_COLUMN_DEFAULT && relation->kind == RELKIND_VIEW))
            continue;
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("ALTER action %s cannot be performed on relation \"%.*s\"",
                            alter_action_name(type), STR_ARGS(relation->name)),
             .detail = fmt("This operation is not supported for %.*s.",
                           STR_ARGS(relation_kind_plural(relation->kind))));
    }
    return true;
}

bool ddl_alter_table(CommandContext *context, const Node *node, Str *ret_tag)
{
    const AlterTableStmt *statement = NODE_CAST(AlterTableStmt, node);
    Alter alter = {.context = context, .statement = statement};

    *ret_tag = ddl_alter_tag(context, statement->object_type);
    if (statement->object_type == OBJECT_TYPE || statement->object_type == OBJECT_FOREIGN_TABLE)
        return ddl_refuse_object("ALTER", statement->object_type);
    const RelationDesc *relation =
        ddl_open_checked(context, statement->relation, lock_of(statement), statement->missing_ok,
                         may_alter, statement);
    if (!relation) {
        TRY(!error_is_set());
        DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION, fmt("relation \"%.*s\" does not exist, skipping",
                                                  STR_ARGS(statement->relation->relation)));
        return true;
    }
    TRY(ddl_check_not_in_use(context, relation, *ret_tag));
    alter.oid = relation->oid;
    context->hides_positions = true; /* as PostgreSQL's, errors in these expressions have none */
    for (int pass = 0; pass <= 5; pass++)
        for (size_t i = 0; i < statement->cmds.length; i++)
            if (pass_of(statement->cmds.items[i]->type) == pass) {
                TRY(run_command(&alter, statement->cmds.items[i]));
                TRY(txn_command_next(ddl_catalog(context)->txn));
            }
    return true;
}
