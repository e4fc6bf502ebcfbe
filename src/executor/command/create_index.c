/* CREATE INDEX, and index definitions for constraints. */
#include "catalog/system_row.h"
#include "executor/command/ddl_internal.h"
#include "executor/modify.h"
#include "planner/deparse.h"
#include "txn/ddl.h"
#include "types/type.h"

#define INDEX_MAX_COLUMNS 32

/* ---- keys ---- */

static bool key_opclass(CommandContext *context, const IndexElem *element, IndexColumn *column)
{
    CatalogSession *session = ddl_catalog(context);
    const OpclassDesc *opclass;
    Str schema, name;

    if (element->opclass.length) {
        TRY(ddl_split_name(context, &element->opclass, &schema, &name));
        opclass = opclass_find_name(session, ACCESS_METHOD_BTREE, schema, name);
        if (!opclass)
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("operator class \"%.*s\" does not exist for access method "
                                "\"btree\"",
                                STR_ARGS(name_list_text(context->arena, &element->opclass))));
        const CastDesc *cast = cast_find(session, column->type, opclass->input_type);
        if (column->type != opclass->input_type && !(cast && cast->method == 'b') &&
            opclass_default(session, ACCESS_METHOD_BTREE, column->type) != opclass)
            FAIL(ERR_DATATYPE_MISMATCH,
                 .message = fmt("operator class \"%.*s\" does not accept data type %.*s",
                                STR_ARGS(name), STR_ARGS(type_name(session, column->type))));
    } else {
        opclass = opclass_default(session, ACCESS_METHOD_BTREE, column->type);
        if (!opclass)
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("data type %.*s has no default operator class for access method "
                                "\"btree\"",
                                STR_ARGS(type_name(session, column->type))),
                 .hint = STR("You must specify an operator class for the index or define a "
                             "default operator class for the data type."));
    }
    column->opclass = opclass->oid;
    column->opfamily = opclass->family;
    return true;
}

static bool key_order(const IndexElem *element, IndexColumn *column)
{
    if (element->ordering == SORTBY_USING)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("USING in an index is not supported"));
    column->descending = element->ordering == SORTBY_DESC;
    column->nulls_first = element->nulls_ordering == SORTBY_NULLS_DEFAULT
                              ? column->descending
                              : element->nulls_ordering == SORTBY_NULLS_FIRST;
    return true;
}

static bool key_collation(CommandContext *context, const IndexElem *element, IndexColumn *column)
{
    Str schema, name;

    if (element->collation.length == 0)
        return true;
    if (!column->collation)
        FAIL(ERR_DATATYPE_MISMATCH,
             .message = fmt("collations are not supported by type %.*s",
                            STR_ARGS(type_name(ddl_catalog(context), column->type))));
    TRY(ddl_split_name(context, &element->collation, &schema, &name));
    column->collation = collation_get_name(ddl_catalog(context), schema, name, 0);
    return column->collation != OID_NONE;
}

/* What a lone expression is called as an index column: what a select list would call it. */
static Str expression_name(const Node *node)
{
    const Str name = expr_target_name(node);
    return str_equal(name, STR("?column?")) ? STR("expr") : name;
}

static bool key_from_expression(CommandContext *context, const RelationDesc *table,
                                const IndexElem *element, IndexColumn *column, ExprVec *exprs)
{
    StoredText text;
    const TypeDesc *type;

    TRY(ddl_stored_expression(context, element->expr, table, STORED_INDEX_KEY, OID_NONE, -1,
                              STR_NONE, &text));
    /* A column in parentheses is a column, its COLLATE the index column's. */
    const Expr *bare = text.expr;
    while (bare->kind == EXPR_COLLATE)
        bare = EXPR_AS(const ExprCollate, bare)->arg;
    if (bare->kind == EXPR_COLUMN && EXPR_AS(const ExprColumn, bare)->attnum > 0)
        column->attnum = (int16_t)EXPR_AS(const ExprColumn, bare)->attnum;
    column->expression = column->attnum ? STR_NONE : text.text;
    column->type = text.expr->type;
    column->typmod = text.expr->typmod;
    TRY(type = type_get(ddl_catalog(context), column->type));
    if (type->kind == 'p' && column->type != TYPE_UNKNOWN)
        FAIL(ERR_INVALID_TABLE_DEFINITION,
             .message = fmt("column \"%.*s\" has pseudo-type %.*s",
                            STR_ARGS(expression_name(element->expr)),
                            STR_ARGS(type_name(ddl_catalog(context), column->type))));
    column->phys = type->phys;
    column->collation = type->collation
                            ? (text.expr->collation ? text.expr->collation : type->collation)
                            : OID_NONE;
    if (exprs && !column->attnum)
        VEC_PUSH(context->arena, exprs, text.expr);
    return true;
}

static bool key_from_column(const RelationDesc *table, const IndexElem *element,
                            IndexColumn *column)
{
    const ColumnDesc *desc = relation_column(table, element->name);

    if (!desc) {
        if (system_column_find(element->name))
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR("index creation on system columns is not supported"));
        FAIL(ERR_UNDEFINED_COLUMN,
             .message = fmt("column \"%.*s\" does not exist", STR_ARGS(element->name)));
    }
    *column = (IndexColumn){.attnum = desc->attnum,
                            .type = desc->type,
                            .typmod = desc->typmod,
                            .phys = desc->phys,
                            .collation = desc->collation};
    return true;
}

/* Attribute names of an index are unique within it: expr, expr1 … */
static Str column_name_unique(Arena *arena, const Str *names, int count, Str wanted)
{
    Str name = wanted;

    for (int number = 1;; number++) {
        bool taken = false;
        for (int i = 0; i < count && !taken; i++)
            taken = str_equal(names[i], name);
        if (!taken)
            return name;
        name = str_format(arena, "%.*s%d", STR_ARGS(wanted), number);
    }
}

bool ddl_index_columns(CommandContext *context, const RelationDesc *table,
                       const IndexElemVec *elements, const IndexElemVec *including,
                       IndexDefinition *ret_definition, ExprVec *ret_exprs)
{
    const size_t count = elements->length + including->length;
    IndexColumn *columns = ARENA_ARRAY(context->arena, IndexColumn, count + 1);
    Str *names = ARENA_ARRAY(context->arena, Str, count + 1);

    if (count > INDEX_MAX_COLUMNS)
        FAIL(ERR_TOO_MANY_COLUMNS, .message = STR("cannot use more than 32 columns in an index"));
    for (size_t i = 0; i < count; i++) {
        const bool is_key = i < elements->length;
        const IndexElem *element =
            is_key ? elements->items[i] : including->items[i - elements->length];
        if (element->expr && !is_key)
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR("expressions are not supported in included columns"));
        if (element->expr)
            TRY(key_from_expression(context, table, element, &columns[i], ret_exprs));
        else
            TRY(key_from_column(table, element, &columns[i]));
        const Str wanted = element->index_col_name.length ? element->index_col_name
                           : columns[i].attnum ? relation_column_at(table, columns[i].attnum)->name
                                               : expression_name(element->expr);
        names[i] = column_name_unique(context->arena, names, (int)i, wanted);
        if (!is_key)
            continue;
        TRY(key_collation(context, element, &columns[i]));
        TRY(key_opclass(context, element, &columns[i]));
        TRY(key_order(element, &columns[i]));
    }
    ret_definition->columns = columns;
    ret_definition->column_names = names;
    ret_definition->column_count = (uint16_t)count;
    ret_definition->key_count = (uint16_t)elements->length;
    return true;
}

/* ---- building ---- */

bool ddl_fill_index(CommandContext *context, Oid table_oid, Oid index_oid)
{
    CatalogSession *session = ddl_catalog(context);

    TRY(txn_command_next(session->txn));
    const RelationDesc *table = relation_get(session, table_oid);
    TRY(table);
    const RelationDesc *index = relation_get(session, index_oid);
    TRY(index);
    return executor_build_index(context->session, table, index);
}

bool ddl_rebuild_indexes(CommandContext *context, Oid table_oid, bool fill)
{
    CatalogSession *session = ddl_catalog(context);
    const RelationDesc *table = relation_get(session, table_oid);
    TRY(table);
    const uint16_t count = table->index_count;
    Oid *indexes = ARENA_ARRAY(context->arena, Oid, count + 1);

    for (int i = 0; i < count; i++)
        indexes[i] = table->indexes[i].oid;
    for (int i = 0; i < count; i++) {
        CatalogRow row;
        TRY(system_row_find(session, INDEX_PG_CLASS_OID_INDEX, &(Value){.oid = indexes[i]}, 1,
                            &row));
        const Oid tree = catalog_new_oid(session);
        TRY(tree);
        TRY(drop_storage(session, RELKIND_INDEX, session->database_oid,
                         row_oid(&row, PG_CLASS_RELFILENODE)));
        TRY(txn_tree_create(session->txn, session->database_oid, tree, TREE_INDEX, NULL));
        row_set_oid(&row, PG_CLASS_RELFILENODE, tree);
        TRY(system_row_update(session, &row));
    }
    for (int i = 0; fill && i < count; i++)
        TRY(ddl_fill_index(context, table_oid, indexes[i]));
    return true;
}

/* LIKE INCLUDING INDEXES: the same keys over columns of the same names. */
bool ddl_define_index_like(CommandContext *context, const RelationDesc *source_table,
                           const IndexDesc *source, Oid table_oid)
{
    CatalogSession *session = ddl_catalog(context);
    const RelationDesc *table = relation_get(session, table_oid);
    TRY(table);
    IndexColumn *columns = ARENA_ARRAY(context->arena, IndexColumn, source->column_count);
    Str *names = ARENA_ARRAY(context->arena, Str, source->column_count);
    int16_t *attnums = ARENA_ARRAY(context->arena, int16_t, source->column_count);
    StrBuf joined = strbuf_in(context->arena);
    Oid index, constraint;
    const RelationDesc *source_index = relation_get(session, source->oid);
    TRY(source_index);

    for (int i = 0; i < source->column_count; i++) {
        columns[i] = source->columns[i];
        if (columns[i].attnum) {
            names[i] = source_table->columns[columns[i].attnum - 1].name;
            columns[i].attnum = relation_column(table, names[i])->attnum;
        } else {
            names[i] = source_index->columns[i].name;
        }
        attnums[i] = columns[i].attnum;
        if (i > 0)
            strbuf_append_char(&joined, '_');
        strbuf_append(&joined, names[i]);
    }
    /* The constraints of system catalogs are only for show. */
    const bool is_constraint =
        source->constraint && (source->is_primary || !source_table->is_builtin);
    const Str label = source->is_primary                   ? STR("pkey")
                      : source->is_unique && is_constraint ? STR("key")
                                                           : STR("idx");
    const IndexDefinition definition = {
        .name = define_choose_name(session, table->name,
                                   source->is_primary ? STR("") : strbuf_view(&joined), label,
                                   table->namespace_oid, false, table_oid, context->arena),
        .table = table_oid,
        .columns = columns,
        .column_names = names,
        .column_count = source->column_count,
        .key_count = source->key_count,
        .is_unique = source->is_unique,
        .is_primary = source->is_primary,
        .nulls_not_distinct = source->nulls_not_distinct,
        .deferrable = !source->is_immediate,
        .for_constraint = is_constraint,
        .predicate = source->predicate};
    TRY(define_index(session, &definition, &index));
    if (!is_constraint)
        return true;
    const ConstraintDefinition key = {.name = definition.name,
                                      .kind = source->is_primary ? CONTYPE_PRIMARY : CONTYPE_UNIQUE,
                                      .table = table_oid,
                                      .columns = attnums,
                                      .column_count = source->key_count,
                                      .index = index,
                                      .deferrable = !source->is_immediate,
                                      .validated = true,
                                      .no_inherit = true,
                                      .is_local = true};
    return define_constraint(session, &key, &constraint);
}

/* ---- the statement ---- */

static Str index_name(CommandContext *context, const IndexStmt *statement,
                      const RelationDesc *table, const IndexDefinition *definition)
{
    StrBuf columns = strbuf_in(context->arena);

    if (statement->name.length)
        return statement->name;
    for (int i = 0; i < definition->column_count && columns.length < 64; i++) {
        if (i > 0)
            strbuf_append_char(&columns, '_');
        strbuf_append(&columns, definition->column_names[i]);
    }
    return define_choose_name(ddl_catalog(context), table->name, strbuf_view(&columns), STR("idx"),
                              table->namespace_oid, false, table->oid, context->arena);
}

static bool check_access_method(const IndexStmt *statement)
{
    const Str method = statement->access_method;
    static const char *const others[] = {"hash", "gist", "gin", "spgist", "brin"};

    if (method.length == 0 || str_equal(method, STR("btree")))
        return true;
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        if (str_equal(method, str_from_c(others[i])))
            FAIL_UNSUPPORTED(fmt("access method \"%s\"", others[i]).data);
    FAIL(ERR_UNDEFINED_OBJECT,
         .message = fmt("access method \"%.*s\" does not exist", STR_ARGS(method)));
}

static bool may_index(CommandContext *context, const RelationDesc *table, const void *argument)
{
    (void)argument;
    if (table->kind == RELKIND_INDEX)
        FAIL(ERR_WRONG_OBJECT_TYPE, .message = fmt("\"%.*s\" is an index", STR_ARGS(table->name)));
    if (table->kind != RELKIND_TABLE && table->kind != RELKIND_MATVIEW)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("cannot create index on relation \"%.*s\"", STR_ARGS(table->name)),
             .detail = fmt("This operation is not supported for %.*s.",
                           STR_ARGS(relation_kind_plural(table->kind))));
    TRY(ddl_check_owner(context, table));
    return privilege_check(ddl_catalog(context), ON_SCHEMA, table->namespace_oid, ACL_CREATE);
}

bool ddl_create_index(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const IndexStmt *statement = NODE_CAST(IndexStmt, node);
    IndexDefinition definition = {.is_unique = statement->unique,
                                  .nulls_not_distinct = statement->nulls_not_distinct,
                                  .predicate = STR_NONE};
    ExprVec exprs = {0};
    StoredText predicate = {0};
    Oid oid;

    *ret_tag = STR("CREATE INDEX");
    TRY(check_access_method(statement));
    if (statement->concurrent && !context->is_top_level)
        FAIL(ERR_ACTIVE_SQL_TRANSACTION,
             .message = STR("CREATE INDEX CONCURRENTLY cannot run inside a transaction block"));
    const RelationDesc *table =
        ddl_open_checked(context, statement->relation, LOCK_SHARE, false, may_index, NULL);
    TRY(table);
    TRY(ddl_check_not_in_use(context, table, *ret_tag));
    if (statement->if_not_exists && statement->name.length &&
        relation_oid_in(session, table->namespace_oid, statement->name)) {
        DDL_NOTICE(ERR_DUPLICATE_TABLE,
                   fmt("relation \"%.*s\" already exists, skipping", STR_ARGS(statement->name)));
        return true;
    }
    TRY(!error_is_set());
    definition.table = table->oid;
    TRY(ddl_index_columns(context, table, &statement->params, &statement->including_params,
                          &definition, &exprs));
    if (statement->where_clause) {
        TRY(ddl_stored_expression(context, statement->where_clause, table, STORED_INDEX_PREDICATE,
                                  TYPE_BOOL, -1, STR_NONE, &predicate));
        definition.predicate = predicate.text;
    }
    TRY(ddl_options_text(context, &statement->options, "fillfactor deduplicate_items",
                         &definition.options));
    definition.name = index_name(context, statement, table, &definition);
    const Oid table_oid = table->oid;
    TRY(define_index(session, &definition, &oid));
    TRY(ddl_lock(context, oid, LOCK_ACCESS_EXCLUSIVE, definition.name));
    table = relation_get(session, table_oid);
    TRY(table);
    for (size_t i = 0; i < exprs.length; i++)
        TRY(ddl_depend_on_expression(context, address_of_relation(oid), exprs.items[i], table,
                                     DEPENDENCY_AUTO));
    if (predicate.expr)
        TRY(ddl_depend_on_expression(context, address_of_relation(oid), predicate.expr, table,
                                     DEPENDENCY_AUTO));
    return ddl_fill_index(context, table_oid, oid);
}
