/* CREATE TABLE, and the table of CREATE TABLE AS and SELECT INTO. */
#include "executor/command/ddl_internal.h"
#include "executor/command/on_commit.h"
#include "planner/deparse.h"
#include "planner/query_walk.h"
#include "types/identifier.h"
#include "types/type.h"

typedef VEC(TableColumn) TableColumnVec;

typedef struct PendingConstraint {
    Constraint *constraint;
    Str column; /* STR_NONE: a table constraint */
} PendingConstraint;

typedef struct PendingLike {
    Oid source;
    uint32_t options;
} PendingLike;

typedef struct NewTable {
    CommandContext *context;
    const CreateStmt *statement;
    TableColumnVec columns;
    VEC(PendingConstraint) constraints;
    VEC(PendingLike) likes;
    Oid oid;
} NewTable;

/* ---- columns ---- */

static Oid serial_type(const TypeName *type)
{
    static const struct {
        Str name;
        Oid type;
    } serials[] = {{{"serial", 6}, TYPE_INT4},       {{"serial4", 7}, TYPE_INT4},
                   {{"bigserial", 9}, TYPE_INT8},    {{"serial8", 7}, TYPE_INT8},
                   {{"smallserial", 11}, TYPE_INT2}, {{"serial2", 7}, TYPE_INT2}};

    if (type->names.length != 1)
        return OID_NONE;
    for (size_t i = 0; i < ARRAY_LENGTH(serials); i++)
        if (str_equal(type->names.items[0], serials[i].name))
            return serials[i].type;
    return OID_NONE;
}

static bool check_column_type(CommandContext *context, Str name, Oid oid)
{
    const TypeDesc *type = type_get(ddl_catalog(context), oid);

    TRY(type);
    if (type->kind == 'p')
        FAIL(ERR_INVALID_TABLE_DEFINITION,
             .message = fmt("column \"%.*s\" has pseudo-type %.*s", STR_ARGS(name),
                            STR_ARGS(type_name(ddl_catalog(context), oid))));
    return true;
}

static bool column_collation(CommandContext *context, const ColumnDef *source,
                             ColumnDefinition *column)
{
    CatalogSession *session = ddl_catalog(context);
    const TypeDesc *type = type_get(session, column->type);
    Str schema, name;

    TRY(type);
    column->collation = type->collation;
    if (!source->coll_clause)
        return true;
    if (!type->collation)
        FAIL(ERR_DATATYPE_MISMATCH,
             .message = fmt("collations are not supported by type %.*s",
                            STR_ARGS(type_name(session, column->type))),
             .position = source->coll_clause->node.position);
    TRY(ddl_split_name(context, &source->coll_clause->collation, &schema, &name));
    column->collation =
        collation_get_name(session, schema, name, source->coll_clause->node.position);
    return column->collation != OID_NONE;
}

static bool note_default(TableColumn *column, const Constraint *constraint, const Constraint **slot,
                         const char *what, Str table)
{
    if (*slot)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("multiple %s for column \"%.*s\" of table \"%.*s\"", what,
                            STR_ARGS(column->definition.name), STR_ARGS(table)),
             .position = constraint->node.position);
    *slot = constraint;
    return true;
}

/* A column's value comes from one of: a default, an identity, a generation expression. */
static bool check_value_sources(const TableColumn *column, const Constraint *constraint, Str table)
{
    static const char *const clashes[] = {"", "both default and identity specified",
                                          "both default and generation expression specified",
                                          "both identity and generation expression specified"};
    const bool has_default = column->default_constraint || column->serial_type;
    const int clash = has_default && column->identity         ? 1
                      : has_default && column->generated      ? 2
                      : column->identity && column->generated ? 3
                                                              : 0;

    if (!clash)
        return true;
    FAIL(ERR_SYNTAX_ERROR,
         .message = fmt("%s for column \"%.*s\" of table \"%.*s\"", clashes[clash],
                        STR_ARGS(column->definition.name), STR_ARGS(table)),
         .position = column->serial_type ? 0 : constraint->node.position);
}

static bool column_constraints(CommandContext *context, const ColumnDef *source, Str table,
                               TableColumn *column)
{
    bool null_said = false, not_null_said = false;

    for (size_t i = 0; i < source->constraints.length; i++) {
        const Constraint *constraint = source->constraints.items[i];
        switch (constraint->type) {
        case CONSTR_NULL:
            null_said = true;
            break;
        case CONSTR_NOTNULL:
            not_null_said = true;
            column->definition.not_null = true;
            break;
        case CONSTR_DEFAULT:
            TRY(note_default(column, constraint, &column->default_constraint,
                             "default values specified", table));
            break;
        case CONSTR_IDENTITY:
            TRY(note_default(column, constraint, &column->identity, "identity specifications",
                             table));
            column->definition.identity = constraint->generated_when;
            column->definition.not_null = true;
            break;
        case CONSTR_GENERATED:
            TRY(note_default(column, constraint, &column->generated, "generation clauses specified",
                             table));
            column->definition.generated = 's';
            break;
        case CONSTR_PRIMARY:
            column->definition.not_null = true;
            break;
        default:
            break;
        }
        TRY(check_value_sources(column, constraint, table));
        if (null_said && (not_null_said || column->identity))
            FAIL(ERR_SYNTAX_ERROR,
                 .message = fmt("conflicting NULL/NOT NULL declarations for column \"%.*s\" of "
                                "table \"%.*s\"",
                                STR_ARGS(source->name), STR_ARGS(table)),
                 .position = constraint->node.position);
    }
    if (column->serial_type && column->default_constraint)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("multiple default values specified for column \"%.*s\" of table "
                            "\"%.*s\"",
                            STR_ARGS(source->name), STR_ARGS(table)));
    return true;
}

static bool fail_attribute(const char *message, const Constraint *attribute)
{
    FAIL(ERR_SYNTAX_ERROR, .message = str_from_c(message), .position = attribute->node.position);
}

/* DEFERRABLE and INITIALLY belong to the constraint before them, once each. */
static bool check_attributes(const ConstraintVec *list)
{
    bool has_owner = false, saw_deferrable = false, saw_initially = false;
    bool is_deferrable = false, is_deferred = false;

    for (size_t i = 0; i < list->length; i++) {
        const Constraint *item = list->items[i];
        const bool is_yes = item->type == CONSTR_ATTR_DEFERRABLE;
        const bool is_late = item->type == CONSTR_ATTR_DEFERRED;
        switch (item->type) {
        case CONSTR_ATTR_DEFERRABLE:
        case CONSTR_ATTR_NOT_DEFERRABLE:
            if (!has_owner)
                return fail_attribute(is_yes ? "misplaced DEFERRABLE clause"
                                             : "misplaced NOT DEFERRABLE clause",
                                      item);
            if (saw_deferrable)
                return fail_attribute("multiple DEFERRABLE/NOT DEFERRABLE clauses not allowed",
                                      item);
            saw_deferrable = true;
            is_deferrable = is_yes;
            break;
        case CONSTR_ATTR_DEFERRED:
        case CONSTR_ATTR_IMMEDIATE:
            if (!has_owner)
                return fail_attribute(is_late ? "misplaced INITIALLY DEFERRED clause"
                                              : "misplaced INITIALLY IMMEDIATE clause",
                                      item);
            if (saw_initially)
                return fail_attribute("multiple INITIALLY IMMEDIATE/DEFERRED clauses not allowed",
                                      item);
            saw_initially = true;
            is_deferred = is_late;
            break;
        default:
            has_owner = item->type == CONSTR_PRIMARY || item->type == CONSTR_UNIQUE ||
                        item->type == CONSTR_EXCLUSION || item->type == CONSTR_FOREIGN;
            saw_deferrable = saw_initially = is_deferrable = is_deferred = false;
            break;
        }
        if (is_deferred && saw_deferrable && !is_deferrable)
            return fail_attribute("constraint declared INITIALLY DEFERRED must be DEFERRABLE",
                                  item);
    }
    return true;
}

bool ddl_table_column(CommandContext *context, const ColumnDef *source, Str table,
                      TableColumn *ret_column)
{
    AnalyzeContext analyze = {
        .arena = context->arena, .session = ddl_catalog(context), .source = context->source};
    TableColumn column = {.source = source,
                          .definition = {.name = source->name, .typmod = -1},
                          .serial_type = serial_type(source->type_name)};

    TRY(check_attributes(&source->constraints));
    if (system_column_find(source->name))
        FAIL(ERR_DUPLICATE_COLUMN,
             .message = fmt("column name \"%.*s\" conflicts with a system column name",
                            STR_ARGS(source->name)));
    if (column.serial_type) {
        if (source->type_name->array_bounds.length)
            FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("array of serial is not implemented"),
                 .position = source->type_name->node.position);
        column.definition.type = column.serial_type;
        column.definition.not_null = true;
    } else {
        TRY(analyze_type_name(&analyze, (const Node *)source->type_name, &column.definition.type,
                              &column.definition.typmod));
    }
    column.definition.dimensions = (int16_t)source->type_name->array_bounds.length;
    TRY(check_column_type(context, source->name, column.definition.type));
    TRY(column_collation(context, source, &column.definition));
    TRY(column_constraints(context, source, table, &column));
    if (column.identity && column.definition.type != TYPE_INT2 &&
        column.definition.type != TYPE_INT4 && column.definition.type != TYPE_INT8)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("identity column type must be smallint, integer, or bigint"));
    *ret_column = column;
    return true;
}

/* ---- defaults ---- */

static bool default_define(CommandContext *context, const RelationDesc *table,
                           const ColumnDesc *column, const StoredText *text)
{
    CatalogSession *session = ddl_catalog(context);

    TRY(define_default(session, table->oid, column->attnum, text->text));
    const RelationDesc *changed = relation_get(session, table->oid);
    TRY(changed);
    const Oid oid = relation_column_at(changed, column->attnum)->default_oid;
    return ddl_depend_on_expression(context, (ObjectAddress){RELATION_PG_ATTRDEF, oid, 0},
                                    text->expr, changed, DEPENDENCY_NORMAL);
}

typedef struct GenerationCheck {
    const RelationDesc *table;
    bool failed;
} GenerationCheck;

static WalkStep generation_visit(void *argument, Expr *expr, int depth)
{
    GenerationCheck *check = argument;
    const ExprColumn *ref = EXPR_AS(ExprColumn, expr);

    if (expr->kind != EXPR_COLUMN)
        return WALK_CHILDREN;
    const ColumnDesc *column = relation_column_at(check->table, ref->attnum);
    if (ref->attnum == 0)
        ERROR_SET(ERR_INVALID_OBJECT_DEFINITION,
                  .message = STR("cannot use whole-row variable in column generation expression"),
                  .detail = STR("This would cause the generated column to depend on its own "
                                "value."),
                  .position = expr->position);
    else if (column && column->generated)
        ERROR_SET(ERR_INVALID_OBJECT_DEFINITION,
                  .message = fmt("cannot use generated column \"%.*s\" in column generation "
                                 "expression",
                                 STR_ARGS(column->name)),
                  .detail = STR("A generated column cannot reference another generated column."),
                  .position = expr->position);
    else
        return WALK_CHILDREN;
    check->failed = true;
    return WALK_STOP;
}

static bool check_generation(const RelationDesc *table, Expr *expr)
{
    GenerationCheck check = {.table = table};

    (void)expr_walk_deep(expr, 0, generation_visit, &check);
    return !check.failed;
}

static bool default_text_define(CommandContext *context, const RelationDesc *table,
                                const ColumnDesc *column, Str text)
{
    StoredText stored = {.text = text};

    stored.expr = analyze_expression_text(context->arena, ddl_catalog(context), text, table,
                                          column->generated ? STORED_GENERATED : STORED_DEFAULT,
                                          column->type, column->typmod);
    TRY(stored.expr);
    return default_define(context, table, column, &stored);
}

static bool serial_default(CommandContext *context, const RelationDesc *table,
                           const ColumnDesc *column, Oid type)
{
    CatalogSession *session = ddl_catalog(context);
    Oid sequence;

    TRY(ddl_sequence_for_column(context, table, column, type, false, NULL, &sequence));
    const RelationDesc *relation = relation_get(session, sequence);
    TRY(relation);
    const Str qualified =
        identifier_qualify(context->arena, relation->namespace_name, relation->name);
    const Str literal = deparse_literal(context->arena, qualified);
    return default_text_define(
        context, table, column,
        str_format(context->arena, "nextval(%.*s::regclass)", STR_ARGS(literal)));
}

bool ddl_column_default(CommandContext *context, Oid table_oid, int16_t attnum,
                        const TableColumn *column)
{
    CatalogSession *session = ddl_catalog(context);
    const RelationDesc *table = relation_get(session, table_oid);
    TRY(table);
    const ColumnDesc *desc = relation_column_at(table, attnum);
    StoredText text;
    Oid sequence;

    if (column->serial_type)
        return serial_default(context, table, desc, column->serial_type);
    if (column->identity)
        return ddl_sequence_for_column(context, table, desc, desc->type, true,
                                       &column->identity->options, &sequence);
    if (column->copied_default.length)
        return default_text_define(context, table, desc, column->copied_default);
    const Constraint *constraint =
        column->generated ? column->generated : column->default_constraint;
    if (!constraint)
        return true;
    TRY(ddl_stored_expression(context, constraint->raw_expr, table,
                              column->generated ? STORED_GENERATED : STORED_DEFAULT, desc->type,
                              desc->typmod, desc->name, &text));
    if (column->generated && !check_generation(table, text.expr)) {
        if (context->hides_positions)
            error_hide_position();
        return false;
    }
    /* DEFAULT NULL is no default. */
    if (!column->generated && text.expr->kind == EXPR_CONST &&
        EXPR_AS(ExprConst, text.expr)->is_null)
        return true;
    return default_define(context, table, desc, &text);
}

/* ---- LIKE ---- */

static bool like_columns(NewTable *table, const TableLikeClause *like)
{
    CommandContext *context = table->context;
    const RelationDesc *source =
        ddl_open_relation(context, like->relation, LOCK_ACCESS_SHARE, false, false);
    if (!source) {
        if (error_fields()->sqlstate == ERR_UNDEFINED_TABLE)
            error_set_position(like->relation->node.position);
        return false;
    }
    if (source->kind != RELKIND_TABLE && source->kind != RELKIND_VIEW &&
        source->kind != RELKIND_MATVIEW && source->kind != RELKIND_COMPOSITE)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("relation \"%.*s\" is invalid in LIKE clause", STR_ARGS(source->name)),
             .detail = fmt("This operation is not supported for %.*s.",
                           STR_ARGS(relation_kind_plural(source->kind))),
             .position = like->relation->node.position);
    TRY(privilege_check(ddl_catalog(context), ON_TABLE, source->oid, ACL_SELECT));
    for (int i = 0; i < source->column_count; i++) {
        const ColumnDesc *column = &source->columns[i];
        TableColumn copy = {.definition = {.name = column->name,
                                           .type = column->type,
                                           .typmod = column->typmod,
                                           .collation = column->collation,
                                           .not_null = column->not_null,
                                           .dimensions = column->dimensions}};
        if (column->dropped)
            continue;
        const uint32_t wanted =
            column->generated ? CREATE_TABLE_LIKE_GENERATED : CREATE_TABLE_LIKE_DEFAULTS;
        if (column->has_default && (like->options & wanted)) {
            copy.copied_default = column->default_text;
            copy.definition.generated = column->generated;
        }
        if (column->identity && (like->options & CREATE_TABLE_LIKE_IDENTITY)) {
            Constraint *identity = NODE_NEW(context->arena, Constraint, like->node.position);
            identity->type = CONSTR_IDENTITY;
            identity->generated_when = column->identity;
            copy.identity = identity;
            copy.definition.identity = column->identity;
        }
        VEC_PUSH(context->arena, &table->columns, copy);
    }
    VEC_PUSH(context->arena, &table->likes, ((PendingLike){source->oid, like->options}));
    return true;
}

static bool like_checks(NewTable *table, const RelationDesc *source)
{
    CommandContext *context = table->context;
    CatalogSession *session = ddl_catalog(context);

    for (int i = 0; i < source->constraint_count; i++) {
        const ConstraintDesc *check = &source->constraints[i];
        AttnumVec columns = {0};
        Oid oid;
        if (check->kind != CONTYPE_CHECK)
            continue;
        const RelationDesc *relation = relation_get(session, table->oid);
        TRY(relation);
        Expr *expr = analyze_expression_text(context->arena, session, check->check_text, relation,
                                             STORED_CHECK, TYPE_BOOL, -1);
        TRY(expr);
        TRY(ddl_expression_columns(context, expr, &columns));
        const ConstraintDefinition definition = {.name = check->name,
                                                 .kind = CONTYPE_CHECK,
                                                 .table = table->oid,
                                                 .columns = columns.items,
                                                 .column_count = (uint16_t)columns.length,
                                                 .check_text = check->check_text,
                                                 .validated = true,
                                                 .is_local = true,
                                                 .no_inherit = check->no_inherit};
        TRY(define_constraint(session, &definition, &oid));
    }
    return true;
}

static bool like_comments(NewTable *table, const RelationDesc *source)
{
    CommandContext *context = table->context;
    CatalogSession *session = ddl_catalog(context);
    const RelationDesc *relation = relation_get(session, table->oid);

    TRY(relation);
    for (int i = 0; i < source->column_count; i++) {
        const ColumnDesc *to = relation_column(relation, source->columns[i].name);
        const Str comment = comment_find(
            session, (ObjectAddress){RELATION_PG_CLASS, source->oid, i + 1}, context->arena);
        TRY(!error_is_set());
        if (to && !source->columns[i].dropped && !str_is_none(comment))
            TRY(define_comment(session, (ObjectAddress){RELATION_PG_CLASS, table->oid, to->attnum},
                               comment));
    }
    return true;
}

static bool like_finish(NewTable *table, const PendingLike *like)
{
    CatalogSession *session = ddl_catalog(table->context);
    const RelationDesc *source = relation_get(session, like->source);

    TRY(source);
    if (like->options & CREATE_TABLE_LIKE_CONSTRAINTS)
        TRY(like_checks(table, source));
    for (int i = 0; (like->options & CREATE_TABLE_LIKE_INDEXES) && i < source->index_count; i++)
        TRY(ddl_define_index_like(table->context, source, &source->indexes[i], table->oid));
    if (like->options & CREATE_TABLE_LIKE_COMMENTS)
        TRY(like_comments(table, source));
    return true;
}

/* ---- the statement ---- */

void ddl_constraint_attributes(const ConstraintVec *list, size_t i, Constraint *constraint)
{
    for (size_t j = i + 1; j < list->length; j++)
        switch (list->items[j]->type) {
        case CONSTR_ATTR_DEFERRABLE:
            constraint->deferrable = true;
            break;
        case CONSTR_ATTR_NOT_DEFERRABLE:
            constraint->deferrable = false;
            break;
        case CONSTR_ATTR_DEFERRED:
            constraint->deferrable = true;
            constraint->initdeferred = true;
            break;
        case CONSTR_ATTR_IMMEDIATE:
            constraint->initdeferred = false;
            break;
        default:
            return;
        }
}

static void add_constraint(NewTable *table, const Constraint *constraint, Str column,
                           const ConstraintVec *list, size_t i)
{
    Constraint *copy = NODE_NEW(table->context->arena, Constraint, constraint->node.position);

    *copy = *constraint;
    if (list)
        ddl_constraint_attributes(list, i, copy);
    VEC_PUSH(table->context->arena, &table->constraints, ((PendingConstraint){copy, column}));
}

static bool collect_elements(NewTable *table)
{
    CommandContext *context = table->context;
    const CreateStmt *statement = table->statement;

    for (size_t i = 0; i < statement->table_elts.length; i++) {
        const Node *element = statement->table_elts.items[i];
        if (NODE_IS(element, TableLikeClause)) {
            TRY(like_columns(table, NODE_CAST(TableLikeClause, element)));
            continue;
        }
        if (NODE_IS(element, Constraint)) {
            add_constraint(table, NODE_CAST(Constraint, element), STR_NONE, NULL, 0);
            continue;
        }
        const ColumnDef *source = NODE_CAST(ColumnDef, element);
        TableColumn column;
        TRY(ddl_table_column(context, source, statement->relation->relation, &column));
        VEC_PUSH(context->arena, &table->columns, column);
        for (size_t c = 0; c < source->constraints.length; c++) {
            const Constraint *constraint = source->constraints.items[c];
            if (constraint->type == CONSTR_CHECK || constraint->type == CONSTR_PRIMARY ||
                constraint->type == CONSTR_UNIQUE || constraint->type == CONSTR_FOREIGN)
                add_constraint(table, constraint, source->name, &source->constraints, c);
        }
    }
    return true;
}

static TableColumn *column_named(NewTable *table, Str name)
{
    for (size_t i = 0; i < table->columns.length; i++)
        if (str_equal(table->columns.items[i].definition.name, name))
            return &table->columns.items[i];
    return NULL;
}

static bool check_columns(NewTable *table)
{
    const size_t count = table->columns.length;

    if (count > 1600)
        FAIL(ERR_TOO_MANY_COLUMNS, .message = STR("tables can have at most 1600 columns"));
    for (size_t i = 0; i < count; i++)
        if (column_named(table, table->columns.items[i].definition.name) !=
            &table->columns.items[i])
            FAIL(ERR_DUPLICATE_COLUMN,
                 .message = fmt("column \"%.*s\" specified more than once",
                                STR_ARGS(table->columns.items[i].definition.name)));
    /* A primary key makes its columns NOT NULL. */
    bool has_primary = false;
    for (size_t i = 0; i < table->constraints.length; i++) {
        const PendingConstraint *pending = &table->constraints.items[i];
        if (pending->constraint->type != CONSTR_PRIMARY)
            continue;
        if (has_primary)
            FAIL(ERR_INVALID_TABLE_DEFINITION,
                 .message = fmt("multiple primary keys for table \"%.*s\" are not allowed",
                                STR_ARGS(table->statement->relation->relation)),
                 .position = pending->constraint->node.position);
        has_primary = true;
        for (size_t k = 0; k < pending->constraint->keys.length; k++) {
            TableColumn *column = column_named(table, pending->constraint->keys.items[k]);
            if (column)
                column->definition.not_null = true;
        }
    }
    return true;
}

static bool refuse_unsupported(const CreateStmt *statement)
{
    if (statement->inherits.length)
        FAIL_UNSUPPORTED("table inheritance");
    if (statement->partspec || statement->partbound)
        FAIL_UNSUPPORTED("table partitioning");
    if (statement->of_type)
        FAIL_UNSUPPORTED("CREATE TABLE OF");
    if (statement->access_method.length && !str_equal(statement->access_method, STR("heap")))
        FAIL(ERR_UNDEFINED_OBJECT, .message = fmt("access method \"%.*s\" does not exist",
                                                  STR_ARGS(statement->access_method)));
    if (statement->tablespace.length && !str_equal(statement->tablespace, STR("pg_default")))
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("tablespace \"%.*s\" does not exist", STR_ARGS(statement->tablespace)));
    return true;
}

static bool check_on_commit(OnCommitAction action, const CreationPlace *place)
{
    if (action != ONCOMMIT_NOOP && place->persistence != RELPERSISTENCE_TEMPORARY)
        FAIL(ERR_INVALID_TABLE_DEFINITION,
             .message = STR("ON COMMIT can only be used on temporary tables"));
    return true;
}

static bool remember_on_commit(CommandContext *context, Oid table, OnCommitAction action)
{
    return (action != ONCOMMIT_DELETE_ROWS && action != ONCOMMIT_DROP) ||
           on_commit_add(context->session, table, action);
}

/* Storage parameters that PostgreSQL knows for tables; they are kept, and shown. */
const char ddl_table_options[] =
    "fillfactor parallel_workers toast_tuple_target autovacuum_enabled user_catalog_table "
    "autovacuum_vacuum_threshold autovacuum_vacuum_scale_factor autovacuum_analyze_threshold "
    "autovacuum_analyze_scale_factor autovacuum_vacuum_cost_delay autovacuum_vacuum_cost_limit "
    "autovacuum_freeze_min_age autovacuum_freeze_max_age autovacuum_freeze_table_age "
    "vacuum_index_cleanup vacuum_truncate log_autovacuum_min_duration";

/* OIDS, which older dumps have, may only say that there are none. */
static bool table_options(CommandContext *context, const DefElemVec *options, Str *ret_text)
{
    DefElemVec others = {0};

    for (size_t i = 0; i < options->length; i++) {
        DefElem *option = options->items[i];
        bool has_oids;
        if (option->name_space.length > 0 || !str_equal(option->name, STR("oids"))) {
            VEC_PUSH(context->arena, &others, option);
            continue;
        }
        TRY(ddl_bool_option(option, &has_oids));
        if (has_oids)
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR("tables declared WITH OIDS are not supported"));
    }
    return ddl_options_text(context, &others, ddl_table_options, ret_text);
}

static bool define_new_table(NewTable *table, CreationPlace place)
{
    CommandContext *context = table->context;
    CatalogSession *session = ddl_catalog(context);
    const size_t count = table->columns.length;
    ColumnDefinition *columns = ARENA_ARRAY(context->arena, ColumnDefinition, count + 1);
    RelationDefinition definition = {.name = table->statement->relation->relation,
                                     .namespace_oid = place.namespace_oid,
                                     .kind = RELKIND_TABLE,
                                     .persistence = place.persistence,
                                     .owner = session->current_user,
                                     .columns = columns,
                                     .column_count = (uint16_t)count};

    for (size_t i = 0; i < count; i++) {
        columns[i] = table->columns.items[i].definition;
        columns[i].default_text = STR_NONE;
    }
    TRY(table_options(context, &table->statement->options, &definition.options));
    return define_relation(session, &definition, &table->oid);
}

static bool check_name_is_new(const NewTable *table, const Constraint *constraint)
{
    const RelationDesc *relation = relation_get(ddl_catalog(table->context), table->oid);
    TRY(relation);
    if (constraint->name.length && relation_constraint(relation, constraint->name))
        FAIL(ERR_DUPLICATE_OBJECT, .message = fmt("check constraint \"%.*s\" already exists",
                                                  STR_ARGS(constraint->name)));
    return true;
}

/* CHECKs first, then keys (PRIMARY KEY before UNIQUE), then what refers to keys. */
static bool define_constraints(NewTable *table)
{
    static const ConstraintType order[] = {CONSTR_CHECK, CONSTR_PRIMARY, CONSTR_UNIQUE,
                                           CONSTR_EXCLUSION, CONSTR_FOREIGN};

    for (size_t pass = 0; pass < ARRAY_LENGTH(order); pass++)
        for (size_t i = 0; i < table->constraints.length; i++) {
            const PendingConstraint *pending = &table->constraints.items[i];
            const Str *column = str_is_none(pending->column) ? NULL : &pending->column;
            if (pending->constraint->type != order[pass])
                continue;
            switch (order[pass]) {
            case CONSTR_CHECK:
                TRY(check_name_is_new(table, pending->constraint));
                TRY(ddl_add_check(table->context, table->oid, pending->constraint, false));
                break;
            case CONSTR_PRIMARY:
            case CONSTR_UNIQUE:
                TRY(ddl_add_unique(table->context, table->oid, pending->constraint, column, false));
                break;
            case CONSTR_FOREIGN:
                TRY(ddl_add_foreign_key(table->context, table->oid, pending->constraint, column,
                                        false));
                break;
            default:
                FAIL_UNSUPPORTED("EXCLUDE constraint");
            }
        }
    return true;
}

bool ddl_create_table(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const CreateStmt *statement = NODE_CAST(CreateStmt, node);
    NewTable table = {.context = context, .statement = statement};
    CreationPlace place;

    *ret_tag = STR("CREATE TABLE");
    TRY(refuse_unsupported(statement));
    TRY(ddl_creation_place(context, statement->relation, &place));
    TRY(check_on_commit(statement->on_commit, &place));
    const Oid existing =
        relation_oid_in(session, place.namespace_oid, statement->relation->relation);
    TRY(!error_is_set());
    if (existing && statement->if_not_exists) {
        DDL_NOTICE(ERR_DUPLICATE_TABLE, fmt("relation \"%.*s\" already exists, skipping",
                                            STR_ARGS(statement->relation->relation)));
        return true;
    }
    TRY(collect_elements(&table));
    TRY(check_columns(&table));
    TRY(define_new_table(&table, place));
    TRY(ddl_lock(context, table.oid, LOCK_ACCESS_EXCLUSIVE, statement->relation->relation));
    TRY(remember_on_commit(context, table.oid, statement->on_commit));
    for (size_t i = 0; i < table.columns.length; i++)
        TRY(ddl_column_default(context, table.oid, (int16_t)(i + 1), &table.columns.items[i]));
    TRY(define_constraints(&table));
    for (size_t i = 0; i < table.likes.length; i++)
        TRY(like_finish(&table, &table.likes.items[i]));
    return true;
}

/* ---- CREATE TABLE AS ---- */

static bool query_columns(CommandContext *context, const IntoClause *into,
                          const ResultColumn *columns, uint32_t count, ColumnDefinition *ret)
{
    CatalogSession *session = ddl_catalog(context);

    if (into->colnames.length > count)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("too many column names were specified"));
    for (uint32_t i = 0; i < count; i++) {
        const Oid type = columns[i].type == TYPE_UNKNOWN ? TYPE_TEXT : columns[i].type;
        const TypeDesc *desc = type_get(session, type);
        TRY(desc);
        ret[i] = (ColumnDefinition){
            .name = i < into->colnames.length ? into->colnames.items[i] : columns[i].name,
            .type = type,
            .typmod = columns[i].type_modifier,
            .collation = desc->collation
                             ? (columns[i].collation ? columns[i].collation : desc->collation)
                             : OID_NONE};
        TRY(check_column_type(context, ret[i].name, type));
        for (uint32_t j = 0; j < i; j++)
            if (str_equal(ret[j].name, ret[i].name))
                FAIL(ERR_DUPLICATE_COLUMN,
                     .message =
                         fmt("column \"%.*s\" specified more than once", STR_ARGS(ret[i].name)));
    }
    return true;
}

bool ddl_create_table_for_query(CommandContext *context, const IntoClause *into, bool if_not_exists,
                                const ResultColumn *columns, uint32_t column_count, Oid *ret_oid)
{
    CatalogSession *session = ddl_catalog(context);
    ColumnDefinition *definitions = ARENA_ARRAY(context->arena, ColumnDefinition, column_count + 1);
    CreationPlace place;
    Oid oid = OID_NONE;

    TRY(ddl_creation_place(context, into->relation, &place));
    TRY(check_on_commit(into->on_commit, &place));
    if (if_not_exists && relation_oid_in(session, place.namespace_oid, into->relation->relation)) {
        DDL_NOTICE(ERR_DUPLICATE_TABLE, fmt("relation \"%.*s\" already exists, skipping",
                                            STR_ARGS(into->relation->relation)));
        *ret_oid = OID_NONE;
        return true;
    }
    TRY(!error_is_set());
    TRY(query_columns(context, into, columns, column_count, definitions));
    RelationDefinition definition = {.name = into->relation->relation,
                                     .namespace_oid = place.namespace_oid,
                                     .kind = RELKIND_TABLE,
                                     .persistence = place.persistence,
                                     .owner = session->current_user,
                                     .columns = definitions,
                                     .column_count = (uint16_t)column_count};
    TRY(table_options(context, &into->options, &definition.options));
    TRY(define_relation(session, &definition, &oid));
    TRY(ddl_lock(context, oid, LOCK_ACCESS_EXCLUSIVE, into->relation->relation));
    TRY(remember_on_commit(context, oid, into->on_commit));
    *ret_oid = oid;
    return true;
}
