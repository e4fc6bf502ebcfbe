/* ALTER COLUMN TYPE, and ADD COLUMN whose values must be computed row by row. */
#include "catalog/system_row.h"
#include "executor/command/alter_table.h"
#include "executor/command/ddl_internal.h"
#include "executor/state.h"
#include "planner/deparse.h"
#include "planner/planner.h"
#include "planner/query_walk.h"
#include "storage/row.h"
#include "txn/ddl.h"
#include "txn/scan.h"
#include "types/identifier.h"
#include "types/type.h"

const char *alter_action_name(AlterTableType type)
{
    static const char *const names[] = {
        [AT_ADD_COLUMN] = "ADD COLUMN",
        [AT_COLUMN_DEFAULT] = "ALTER COLUMN ... SET DEFAULT",
        [AT_DROP_NOT_NULL] = "ALTER COLUMN ... DROP NOT NULL",
        [AT_SET_NOT_NULL] = "ALTER COLUMN ... SET NOT NULL",
        [AT_DROP_EXPRESSION] = "ALTER COLUMN ... DROP EXPRESSION",
        [AT_SET_STATISTICS] = "ALTER COLUMN ... SET STATISTICS",
        [AT_SET_OPTIONS] = "ALTER COLUMN ... SET",
        [AT_RESET_OPTIONS] = "ALTER COLUMN ... RESET",
        [AT_SET_STORAGE] = "ALTER COLUMN ... SET STORAGE",
        [AT_SET_COMPRESSION] = "ALTER COLUMN ... SET COMPRESSION",
        [AT_DROP_COLUMN] = "DROP COLUMN",
        [AT_ADD_CONSTRAINT] = "ADD CONSTRAINT",
        [AT_ALTER_CONSTRAINT] = "ALTER CONSTRAINT",
        [AT_VALIDATE_CONSTRAINT] = "VALIDATE CONSTRAINT",
        [AT_DROP_CONSTRAINT] = "DROP CONSTRAINT",
        [AT_ALTER_COLUMN_TYPE] = "ALTER COLUMN ... SET DATA TYPE",
        [AT_ALTER_COLUMN_GENERIC_OPTIONS] = "ALTER COLUMN ... OPTIONS",
        [AT_CHANGE_OWNER] = "OWNER TO",
        [AT_CLUSTER_ON] = "CLUSTER ON",
        [AT_DROP_CLUSTER] = "SET WITHOUT CLUSTER",
        [AT_SET_LOGGED] = "SET LOGGED",
        [AT_SET_UNLOGGED] = "SET UNLOGGED",
        [AT_DROP_OIDS] = "SET WITHOUT OIDS",
        [AT_SET_ACCESS_METHOD] = "SET ACCESS METHOD",
        [AT_SET_TABLE_SPACE] = "SET TABLESPACE",
        [AT_SET_REL_OPTIONS] = "SET",
        [AT_RESET_REL_OPTIONS] = "RESET",
        [AT_ENABLE_TRIG] = "ENABLE TRIGGER",
        [AT_ENABLE_ALWAYS_TRIG] = "ENABLE ALWAYS TRIGGER",
        [AT_ENABLE_REPLICA_TRIG] = "ENABLE REPLICA TRIGGER",
        [AT_DISABLE_TRIG] = "DISABLE TRIGGER",
        [AT_ENABLE_TRIG_ALL] = "ENABLE TRIGGER ALL",
        [AT_DISABLE_TRIG_ALL] = "DISABLE TRIGGER ALL",
        [AT_ENABLE_TRIG_USER] = "ENABLE TRIGGER USER",
        [AT_DISABLE_TRIG_USER] = "DISABLE TRIGGER USER",
        [AT_ENABLE_RULE] = "ENABLE RULE",
        [AT_ENABLE_ALWAYS_RULE] = "ENABLE ALWAYS RULE",
        [AT_ENABLE_REPLICA_RULE] = "ENABLE REPLICA RULE",
        [AT_DISABLE_RULE] = "DISABLE RULE",
        [AT_ADD_INHERIT] = "INHERIT",
        [AT_DROP_INHERIT] = "NO INHERIT",
        [AT_ADD_OF] = "OF",
        [AT_DROP_OF] = "NOT OF",
        [AT_REPLICA_IDENTITY] = "REPLICA IDENTITY",
        [AT_ENABLE_ROW_SECURITY] = "ENABLE ROW SECURITY",
        [AT_DISABLE_ROW_SECURITY] = "DISABLE ROW SECURITY",
        [AT_FORCE_ROW_SECURITY] = "FORCE ROW SECURITY",
        [AT_NO_FORCE_ROW_SECURITY] = "NO FORCE ROW SECURITY",
        [AT_GENERIC_OPTIONS] = "OPTIONS",
        [AT_ATTACH_PARTITION] = "ATTACH PARTITION",
        [AT_DETACH_PARTITION] = "DETACH PARTITION",
        [AT_DETACH_PARTITION_FINALIZE] = "DETACH PARTITION ... FINALIZE",
        [AT_ADD_IDENTITY] = "ALTER COLUMN ... ADD IDENTITY",
        [AT_SET_IDENTITY] = "ALTER COLUMN ... SET",
        [AT_DROP_IDENTITY] = "ALTER COLUMN ... DROP IDENTITY",
    };

    return names[type];
}

typedef struct VolatileSearch {
    CatalogSession *session;
    bool found;
} VolatileSearch;

static WalkStep volatile_visit(void *argument, Expr *expr, int depth)
{
    VolatileSearch *search = argument;
    Oid function = OID_NONE;

    if (expr->kind == EXPR_FUNCTION)
        function = EXPR_AS(ExprFunction, expr)->function;
    else if (expr->kind == EXPR_OPERATOR)
        function = EXPR_AS(ExprOperator, expr)->function;
    const FunctionDesc *desc = function ? function_find(search->session, function) : NULL;
    search->found |= expr->kind == EXPR_NEXT_VALUE || (desc && desc->volatility == 'v');
    return search->found ? WALK_STOP : WALK_CHILDREN;
}

bool alter_expression_is_volatile(CatalogSession *session, const Expr *expr)
{
    VolatileSearch search = {.session = session};

    (void)expr_walk_deep((Expr *)(uintptr_t)expr, 0, volatile_visit, &search);
    return search.found;
}

/* ---- rewriting ---- */

typedef struct Rewrite {
    CommandContext *context;
    RowProgram *program; /* gives column `attnum` */
    int16_t attnum;
    uint16_t old_count, new_count;
    TxnTree *new_tree;
    const Layout *layout;
    bool not_null;
    Str column_name, table_name, schema_name;
    TxnBulk *bulk;
    Arena *scratch;
} Rewrite;

static bool fail_null(const Rewrite *rewrite)
{
    FAIL(ERR_NOT_NULL_VIOLATION,
         .message = fmt("column \"%.*s\" of relation \"%.*s\" contains null values",
                        STR_ARGS(rewrite->column_name), STR_ARGS(rewrite->table_name)),
         .schema_name = rewrite->schema_name, .table_name = rewrite->table_name,
         .column_name = rewrite->column_name);
}

static bool rewrite_batch(Rewrite *rewrite, const Batch *batch)
{
    Value *values = ARENA_ARRAY(rewrite->scratch, Value, rewrite->new_count);
    bool *nulls = ARENA_ARRAY(rewrite->scratch, bool, rewrite->new_count);
    Vector **results;

    TRY(row_program_run(rewrite->program, batch, &results));
    FOR_SELECTED (batch->selection, row) {
        const ArenaMark mark = arena_mark(rewrite->scratch);
        Str image;
        int64_t row_id;
        for (int c = 0; c < rewrite->new_count; c++) {
            nulls[c] = true;
            if (c == rewrite->attnum - 1)
                vector_get(results[0], row, &values[c], &nulls[c]);
            else if (c < rewrite->old_count && batch->columns[c])
                vector_get(batch->columns[c], row, &values[c], &nulls[c]);
        }
        if (rewrite->not_null && nulls[rewrite->attnum - 1])
            return fail_null(rewrite);
        TRY(row_image_make(rewrite->scratch, rewrite->layout, values, nulls, &image));
        TRY(txn_bulk_append_row(rewrite->bulk, image, &row_id));
        arena_rewind(rewrite->scratch, mark);
    }
    return true;
}

/* Scans the old tree. Columns that the old layout lacks, or that are dropped, are given as nulls.
 */
static bool rewrite_scan(Rewrite *rewrite, TxnTree *old_tree)
{
    CatalogSession *session = ddl_catalog(rewrite->context);
    const Snapshot snapshot = txn_snapshot_self(session->txn);
    uint16_t *columns = ARENA_ARRAY(rewrite->context->arena, uint16_t, rewrite->old_count + 1);
    Vector **vectors = ARENA_ARRAY(rewrite->context->arena, Vector *, rewrite->new_count + 1);
    const Value none = {0};

    for (int i = 0; i < rewrite->old_count; i++)
        columns[i] = (uint16_t)i;
    for (int i = rewrite->old_count; i < rewrite->new_count; i++)
        vectors[i] = vector_new_constant(rewrite->context->arena, rewrite->layout->columns[i].type,
                                         &none, true);
    TableScan *scan =
        table_scan_open(session->txn, &snapshot, old_tree,
                        &(TableScanSpec){.columns = columns, .column_count = rewrite->old_count},
                        rewrite->context->arena);
    TRY(scan);
    ScanOutcome outcome;
    bool ok = true;
    while (ok && (outcome = table_scan_next(scan)) == SCAN_ROWS) {
        Batch batch = *table_scan_batch(scan);
        memcpy(vectors, batch.columns, rewrite->old_count * sizeof(*vectors));
        batch.columns = vectors;
        batch.column_count = rewrite->new_count;
        ok = rewrite_batch(rewrite, &batch) && task_handle_interrupts(task_current());
        arena_reset(rewrite->scratch);
    }
    table_scan_close(scan);
    return ok && outcome == SCAN_END;
}

static bool new_layout(CommandContext *context, const RelationDesc *table, const Layout **ret)
{
    LayoutColumn *columns = ARENA_ARRAY(context->arena, LayoutColumn, table->column_count + 1);

    for (int i = 0; i < table->column_count; i++)
        columns[i].type = table->columns[i].dropped ? PHYS_NONE : table->columns[i].phys;
    *ret = layout_new(context->arena, 1, columns, table->column_count);
    return true;
}

static bool swap_tree(CommandContext *context, Oid table, Oid tree)
{
    CatalogSession *session = ddl_catalog(context);
    CatalogRow row;

    TRY(system_row_find(session, INDEX_PG_CLASS_OID_INDEX, &(Value){.oid = table}, 1, &row));
    row_set_oid(&row, PG_CLASS_RELFILENODE, tree);
    return system_row_update(session, &row);
}

/* `planned` refers to columns of the row as slots. */
static bool rewrite_run(CommandContext *context, Oid table_oid, int16_t attnum, Oid old_id,
                        TxnTree *old_tree, const Expr *planned)
{
    CatalogSession *session = ddl_catalog(context);
    const RelationDesc *table = relation_get(session, table_oid);
    TRY(table);
    const ColumnDesc *column = relation_column_at(table, attnum);
    CLEANUP(arena_freep) Arena *scratch = arena_new("rewrite");
    Rewrite rewrite = {.context = context,
                       .attnum = attnum,
                       .new_count = table->column_count,
                       .old_count = (uint16_t)txn_tree_layout(session->txn, old_tree)->column_count,
                       .not_null = column->not_null,
                       .column_name = column->name,
                       .table_name = table->name,
                       .schema_name = table->namespace_name,
                       .scratch = scratch};
    const Expr *exprs[] = {planned};

    TRY(new_layout(context, table, &rewrite.layout));
    const Oid tree = catalog_new_oid(session);
    TRY(tree);
    TRY(txn_tree_create(session->txn, session->database_oid, tree, TREE_TABLE, rewrite.layout));
    TRY(txn_tree_open(session->txn, session->database_oid, tree, &rewrite.new_tree));
    rewrite.program = row_program_new(context->arena, context->session, exprs, 1);
    bool ok = rewrite.program && txn_bulk_begin(session->txn, rewrite.new_tree, &rewrite.bulk);
    if (ok) {
        ok = rewrite_scan(&rewrite, old_tree);
        if (ok)
            ok = txn_bulk_end(rewrite.bulk);
        else
            txn_bulk_abandon(rewrite.bulk);
    }
    if (rewrite.program)
        row_program_free(rewrite.program);
    txn_tree_close(rewrite.new_tree);
    TRY(ok);
    TRY(drop_storage(session, RELKIND_TABLE, session->database_oid, old_id));
    TRY(swap_tree(context, table_oid, tree));
    return ddl_rebuild_indexes(context, table_oid, true);
}

bool alter_table_rewrite(CommandContext *context, Oid table_oid, int16_t attnum, Expr *expr)
{
    CatalogSession *session = ddl_catalog(context);
    const RelationDesc *table = relation_get(session, table_oid);
    TRY(table);
    const ColumnDesc *column = relation_column_at(table, attnum);
    const Expr *planned = expr;
    TxnTree *old_tree;

    TRY(txn_command_next(session->txn));
    if (!planned && column->generated)
        planned = planner_stored_expression(context->arena, session, table, column->default_text,
                                            column->type, column->typmod);
    else if (!planned)
        planned = planner_column_default(context->arena, session, table, attnum);
    TRY(planned);
    const Oid old_id = table->tree;
    TRY(txn_tree_open(session->txn, session->database_oid, old_id, &old_tree));
    const bool ok = rewrite_run(context, table_oid, attnum, old_id, old_tree, planned);
    txn_tree_close(old_tree);
    return ok;
}

/* ---- ALTER COLUMN TYPE ---- */

/* Views, rules and generated columns over the column stand in the way. */
static bool check_users(CommandContext *context, const RelationDesc *table,
                        const ColumnDesc *column)
{
    CatalogSession *session = ddl_catalog(context);
    const ObjectAddress object = {RELATION_PG_CLASS, table->oid, column->attnum};
    DependencyVec users = {0};

    TRY(depend_on(session, object, context->arena, &users));
    for (size_t i = 0; i < users.length; i++) {
        const ObjectAddress user = users.items[i].dependent;
        if (user.class_oid == RELATION_PG_REWRITE)
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR("cannot alter type of a column used by a view or rule"),
                 .detail = fmt("%.*s depends on column \"%.*s\"",
                               STR_ARGS(object_describe(session, user, context->arena)),
                               STR_ARGS(column->name)));
    }
    for (int i = 0; i < table->column_count; i++) {
        const ColumnDesc *other = &table->columns[i];
        AttnumVec used = {0};
        if (!other->generated || other->dropped || other == column)
            continue;
        Expr *expr = analyze_expression_text(context->arena, session, other->default_text, table,
                                             STORED_GENERATED, other->type, other->typmod);
        TRY(expr);
        TRY(ddl_expression_columns(context, expr, &used));
        for (size_t u = 0; u < used.length; u++)
            if (used.items[u] == column->attnum)
                FAIL(ERR_FEATURE_NOT_SUPPORTED,
                     .message = STR("cannot alter type of a column used by a generated column"),
                     .detail = fmt("Column \"%.*s\" is used by generated column \"%.*s\".",
                                   STR_ARGS(column->name), STR_ARGS(other->name)));
    }
    return true;
}

/* USING's expression, or the column itself, in the new type; planned over the old row. */
static Expr *conversion(CommandContext *context, const RelationDesc *table,
                        const ColumnDesc *column, const ColumnDef *def,
                        const ColumnDefinition *wanted)
{
    CatalogSession *session = ddl_catalog(context);
    AnalyzeContext analyze = {
        .arena = context->arena, .session = session, .source = context->source};
    const Node *node = NULL;

    for (size_t i = 0; i < def->constraints.length; i++)
        if (def->constraints.items[i]->type == CONSTR_DEFAULT)
            node = def->constraints.items[i]->raw_expr;
    const bool has_using = node != NULL;
    if (!has_using) {
        ColumnRef *ref = NODE_NEW(context->arena, ColumnRef, 0);
        VEC_PUSH(context->arena, &ref->names, column->name);
        node = (const Node *)ref;
    }
    Expr *expr =
        analyze_expression(&analyze, node, table, STORED_ALTER_USING, OID_NONE, -1, column->name);
    TRY(expr);
    Expr *coerced =
        analyze_coerce(&analyze, expr, wanted->type, wanted->typmod, COERCION_ASSIGNMENT);
    if (!coerced) {
        TRY(!error_is_set());
        const Str type = type_name(session, wanted->type);
        if (has_using)
            FAIL(ERR_DATATYPE_MISMATCH,
                 .message = fmt("result of USING clause for column \"%.*s\" cannot be cast "
                                "automatically to type %.*s",
                                STR_ARGS(column->name), STR_ARGS(type)),
                 .hint = STR("You might need to add an explicit cast."));
        const Str full = type_sql_name(session, wanted->type, wanted->typmod, context->arena);
        FAIL(ERR_DATATYPE_MISMATCH,
             .message = fmt("column \"%.*s\" cannot be cast automatically to type %.*s",
                            STR_ARGS(column->name), STR_ARGS(type)),
             .hint = fmt("You might need to specify \"USING %.*s::%.*s\".",
                         STR_ARGS(identifier_quote(context->arena, column->name)), STR_ARGS(full)));
    }
    return planner_plan_expression(context->arena, session, table, coerced);
}

static bool set_attribute_type(CommandContext *context, Oid table, int16_t attnum,
                               const ColumnDefinition *wanted)
{
    CatalogSession *session = ddl_catalog(context);
    const TypeDesc *type = type_get(session, wanted->type);
    const Value keys[] = {{.oid = table}, {.int16 = attnum}};
    CatalogRow row;

    TRY(type);
    TRY(system_row_find(session, INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, keys, 2, &row));
    row_set_oid(&row, PG_ATTRIBUTE_ATTTYPID, wanted->type);
    row_set_int32(&row, PG_ATTRIBUTE_ATTTYPMOD, wanted->typmod);
    row_set_oid(&row, PG_ATTRIBUTE_ATTCOLLATION, wanted->collation);
    row_set_int16(&row, PG_ATTRIBUTE_ATTLEN, type->length);
    row_set_bool(&row, PG_ATTRIBUTE_ATTBYVAL, type->by_value);
    row_set_char(&row, PG_ATTRIBUTE_ATTALIGN, type->align);
    row_set_char(&row, PG_ATTRIBUTE_ATTSTORAGE, type->storage);
    row_set_int32(&row, PG_ATTRIBUTE_ATTNDIMS, wanted->dimensions);
    row_set_bool(&row, PG_ATTRIBUTE_ATTHASMISSING, false);
    return system_row_update(session, &row);
}

/* Index columns over it take the new type and its default operator class. */
static bool retype_indexes(CommandContext *context, const RelationDesc *table, int16_t attnum,
                           const ColumnDefinition *wanted)
{
    CatalogSession *session = ddl_catalog(context);
    const OpclassDesc *opclass = opclass_default(session, ACCESS_METHOD_BTREE, wanted->type);

    for (int i = 0; i < table->index_count; i++) {
        const IndexDesc *index = &table->indexes[i];
        Oid *opclasses = ARENA_ARRAY(context->arena, Oid, index->key_count + 1);
        Oid *collations = ARENA_ARRAY(context->arena, Oid, index->key_count + 1);
        bool touched = false;
        CatalogRow row;
        for (int c = 0; c < index->column_count; c++) {
            const bool own = index->columns[c].attnum == attnum;
            if (c < index->key_count) {
                if (own && !opclass)
                    FAIL(ERR_UNDEFINED_OBJECT,
                         .message = fmt("data type %.*s has no default operator class for access "
                                        "method \"btree\"",
                                        STR_ARGS(type_name(session, wanted->type))));
                opclasses[c] = own ? opclass->oid : index->columns[c].opclass;
                collations[c] = own ? wanted->collation : index->columns[c].collation;
            }
            touched |= own;
            if (own)
                TRY(set_attribute_type(context, index->oid, (int16_t)(c + 1), wanted));
        }
        if (!touched)
            continue;
        TRY(system_row_find(session, INDEX_PG_INDEX_INDEXRELID_INDEX, &(Value){.oid = index->oid},
                            1, &row));
        TRY(row_set_oids(session, &row, PG_INDEX_INDCLASS, opclasses, index->key_count));
        TRY(row_set_oids(session, &row, PG_INDEX_INDCOLLATION, collations, index->key_count));
        TRY(system_row_update(session, &row));
    }
    return true;
}

/* Checks and other texts over the column are read again with its new type. */
static bool reprint_texts(CommandContext *context, const StaleVec *before)
{
    CatalogSession *session = ddl_catalog(context);
    StaleVec after = {0};

    for (size_t i = 0; i < before->length; i++) {
        StaleText text = before->items[i];
        if (text.kind != STALE_CHECK)
            continue;
        const RelationDesc *table = relation_get(session, text.relation);
        TRY(table);
        for (int c = 0; c < table->constraint_count; c++) {
            if (table->constraints[c].oid != text.oid)
                continue;
            text.expr =
                analyze_expression_text(context->arena, session, table->constraints[c].check_text,
                                        table, STORED_CHECK, TYPE_BOOL, -1);
            if (!text.expr) {
                error_hide_position();
                return false;
            }
            VEC_PUSH(context->arena, &after, text);
        }
    }
    return ddl_rename_finish(context, &after);
}

/* The default is cast to the new type, or stands in the way. */
static bool convert_default(CommandContext *context, Oid table_oid, int16_t attnum, Str old_text)
{
    CatalogSession *session = ddl_catalog(context);
    const RelationDesc *table = relation_get(session, table_oid);
    TRY(table);
    const ColumnDesc *column = relation_column_at(table, attnum);
    Str text;

    if (str_is_none(old_text) || column->generated)
        return true;
    Expr *expr = analyze_expression_text(context->arena, session, old_text, table, STORED_DEFAULT,
                                         column->type, column->typmod);
    if (!expr) {
        if (error_fields()->sqlstate != ERR_DATATYPE_MISMATCH)
            return false;
        error_clear();
        FAIL(ERR_DATATYPE_MISMATCH,
             .message = fmt("default for column \"%.*s\" cannot be cast automatically to type %.*s",
                            STR_ARGS(column->name), STR_ARGS(type_name(session, column->type))));
    }
    TRY(deparse_expression(context->arena, session, expr, table, DEPARSE_QUALIFIED, &text));
    TRY(define_default(session, table_oid, attnum, text));
    TRY(table = relation_get(session, table_oid));
    const Oid oid = relation_column_at(table, attnum)->default_oid;
    return ddl_depend_on_expression(context, (ObjectAddress){RELATION_PG_ATTRDEF, oid, 0}, expr,
                                    table, DEPENDENCY_NORMAL);
}

/* varchar(10) → varchar(20) or text, numeric wider: every value is as it was. */
static bool is_binary_change(CatalogSession *session, const ColumnDesc *column,
                             const ColumnDefinition *wanted)
{
    const bool same_type = column->type == wanted->type;
    const bool text_like = (column->type == TYPE_VARCHAR || column->type == TYPE_TEXT) &&
                           (wanted->type == TYPE_VARCHAR || wanted->type == TYPE_TEXT);

    (void)session;
    if (!same_type && !text_like)
        return false;
    if (wanted->typmod == -1)
        return column->type != TYPE_BPCHAR || column->typmod == -1;
    if (column->typmod == wanted->typmod && same_type)
        return true;
    return column->type == TYPE_VARCHAR && column->typmod != -1 && wanted->typmod >= column->typmod;
}

/* An identity column's sequence has the column's type. */
static bool retype_identity(CommandContext *context, const ColumnDesc *column, const ColumnDef *def,
                            Oid type)
{
    DefElem *as = NODE_NEW(context->arena, DefElem, 0);
    DefElemVec options = {0};

    if (type != TYPE_INT2 && type != TYPE_INT4 && type != TYPE_INT8)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("identity column type must be smallint, integer, or bigint"));
    as->name = STR("as");
    as->arg = &def->type_name->node;
    VEC_PUSH(context->arena, &options, as);
    return ddl_sequence_set_options(context, column->identity_sequence, &options);
}

bool alter_column_type(CommandContext *context, Oid table_oid, const AlterTableCmd *command)
{
    CatalogSession *session = ddl_catalog(context);
    const ColumnDef *def = NODE_CAST(ColumnDef, command->def);
    const RelationDesc *table = relation_get(session, table_oid);
    TRY(table);
    const ColumnDesc *column = relation_column(table, command->name);
    TableColumn wanted;
    StaleVec stale = {0};

    if (!column)
        FAIL(ERR_UNDEFINED_COLUMN,
             .message = fmt("column \"%.*s\" of relation \"%.*s\" does not exist",
                            STR_ARGS(command->name), STR_ARGS(table->name)));
    ColumnDef bare = *def;
    bare.name = column->name;
    bare.constraints.length = 0;
    TRY(ddl_table_column(context, &bare, table->name, &wanted));
    if (column->identity) {
        TRY(retype_identity(context, column, def, wanted.definition.type));
        TRY(table = relation_get(session, table_oid));
        TRY(column = relation_column(table, command->name));
    }
    TRY(check_users(context, table, column));
    Expr *expr = conversion(context, table, column, def, &wanted.definition);
    TRY(expr);
    TRY(ddl_rename_prepare(context, address_of_relation(table_oid), &stale));
    const int16_t attnum = column->attnum;
    const Str old_default = column->has_default ? column->default_text : STR_NONE;
    const bool keep =
        def->constraints.length == 0 && is_binary_change(session, column, &wanted.definition);
    TRY(set_attribute_type(context, table_oid, attnum, &wanted.definition));
    TRY(retype_indexes(context, table, attnum, &wanted.definition));
    TRY(convert_default(context, table_oid, attnum, old_default));
    TRY(reprint_texts(context, &stale));
    TRY(ddl_refit_foreign_keys(context, table_oid, attnum));
    if (keep)
        return true;
    TRY(alter_table_rewrite(context, table_oid, attnum, expr));
    return ddl_recheck_foreign_keys(context, table_oid, attnum);
}
