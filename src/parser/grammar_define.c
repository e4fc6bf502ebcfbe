/* Tables, constraints, indexes, sequences, views: what CREATE and ALTER are made of. */
#include "parser/grammar.h"

#define NEW(type, position) NODE_NEW(p->arena, type, (position))
#define PUSH(vec, value) VEC_PUSH(p->arena, &(vec), (value))

/* -- Options --------------------------------------------------------------------------------- */

DefElem *def_elem(Grammar *p, Token name, Node *arg)
{
    DefElem *option = NEW(DefElem, name.position);

    option->name = name.text;
    option->arg = arg;
    return option;
}

DefElem *def_named(Grammar *p, const char *name, Node *arg, int position)
{
    return def_elem(p, (Token){.text = str_from_c(name), .position = position}, arg);
}

DefElem *def_bool(Grammar *p, const char *name, bool value, int position)
{
    return def_named(p, name, const_boolean(p, value, position), position);
}

DefElem *def_text(Grammar *p, const char *name, const char *value, int position)
{
    return def_named(p, name, const_text(p, str_from_c(value), position), position);
}

Node *strings_node(Grammar *p, const StrVec *names)
{
    NodeVec items = {0};

    for (size_t i = 0; i < names->length; i++)
        PUSH(items, const_text(p, names->items[i], 0));
    return expr_list_node(p, &items);
}

Node *roles_node(Grammar *p, const RoleSpecVec *roles)
{
    NodeVec items = {0};

    for (size_t i = 0; i < roles->length; i++)
        PUSH(items, &roles->items[i]->node);
    return expr_list_node(p, &items);
}

/* -- Columns and constraints ----------------------------------------------------------------- */

ColumnDef *column_def(Grammar *p, Token name, TypeName *type)
{
    ColumnDef *column = NEW(ColumnDef, name.position);

    column->name = name.text;
    column->type_name = type;
    return column;
}

void column_quals(ColumnDef *column, const ColumnQuals *quals)
{
    column->constraints = quals->constraints;
    column->coll_clause = quals->collate;
}

void column_collate(Grammar *p, ColumnQuals *quals, const Names *names, int position)
{
    if (quals->collate)
        grammar_fail(p, ERR_SYNTAX_ERROR, STR("multiple COLLATE clauses not allowed"), STR_NONE,
                     position);
    quals->collate = NODE_CAST(CollateClause, collate_clause(p, NULL, names, position));
}

Constraint *constraint(Grammar *p, ConstraintType type, int position)
{
    Constraint *node = NEW(Constraint, position);

    node->type = type;
    node->initially_valid = true;
    node->fk_matchtype = FKMATCH_SIMPLE;
    return node;
}

Constraint *constraint_index(Grammar *p, const Constraint *parts, int position)
{
    Constraint *node = constraint(p, parts->type, position);

    node->keys = parts->keys;
    node->including = parts->including;
    node->options = parts->options;
    node->index_space = parts->index_space;
    return node;
}

Constraint *constraint_generated(Grammar *p, Token when, Node *expr, int position)
{
    Constraint *node = constraint(p, CONSTR_GENERATED, position);

    node->generated_when = (char)when.integer;
    node->raw_expr = expr;
    if (when.integer != 'a')
        grammar_fail(p, ERR_SYNTAX_ERROR,
                     STR("for a generated column, GENERATED ALWAYS must be specified"), STR_NONE,
                     when.position);
    return node;
}

Constraint *constraint_foreign(Grammar *p, const Constraint *parts, const KeyActions *actions,
                               int position)
{
    Constraint *node = constraint(p, CONSTR_FOREIGN, position);

    node->fk_attrs = parts->fk_attrs;
    node->pktable = parts->pktable;
    node->pk_attrs = parts->pk_attrs;
    node->fk_matchtype = parts->fk_matchtype;
    node->fk_upd_action = (FkAction)actions->on_update;
    node->fk_del_action = (FkAction)actions->on_delete;
    node->fk_del_set_cols = actions->columns;
    return node;
}

void constraint_exclusion(Constraint *node, Str method, const Exclusion *exclusion, Node *where)
{
    node->access_method = method;
    node->exclusion_elems = exclusion->elems;
    node->exclusion_operators = exclusion->operators;
    node->where_clause = where;
}

Exclusion exclusion(Grammar *p, IndexElem *elem, const Names *operator)
{
    Exclusion one = {0};

    PUSH(one.elems, elem);
    PUSH(one.operators, object_name(p, operator));
    return one;
}

void exclusion_append(Grammar *p, Exclusion *list, const Exclusion *more)
{
    for (size_t i = 0; i < more->elems.length; i++) {
        PUSH(list->elems, more->elems.items[i]);
        PUSH(list->operators, more->operators.items[i]);
    }
}

ConstraintAttrs constraint_attr_add(Grammar *p, ConstraintAttrs attrs, ConstraintAttr attr)
{
    int bits = attrs.bits | attr.bit;

    if ((bits & CAS_NOT_DEFERRABLE) && (bits & CAS_INITIALLY_DEFERRED))
        grammar_fail(p, ERR_SYNTAX_ERROR,
                     STR("constraint declared INITIALLY DEFERRED must be DEFERRABLE"), STR_NONE,
                     attr.position);
    if ((bits & CAS_NOT_DEFERRABLE && bits & CAS_DEFERRABLE) ||
        (bits & CAS_INITIALLY_IMMEDIATE && bits & CAS_INITIALLY_DEFERRED))
        grammar_fail(p, ERR_SYNTAX_ERROR, STR("conflicting constraint properties"), STR_NONE,
                     attr.position);
    return (ConstraintAttrs){bits};
}

static void fail_attribute(Grammar *p, const char *kind, const char *what, int position)
{
    grammar_fail(p, ERR_FEATURE_NOT_SUPPORTED,
                 fmt("%s constraints cannot be marked %s", kind, what), STR_NONE, position);
}

void constraint_attrs(Grammar *p, Constraint *node, const ConstraintAttrs *attrs, const char *kind,
                      int allowed)
{
    int bits = attrs->bits, position = node->node.position;

    if (bits & (CAS_DEFERRABLE | CAS_INITIALLY_DEFERRED)) {
        if (!(allowed & CAS_DEFER))
            fail_attribute(p, kind, "DEFERRABLE", position);
        node->deferrable = true;
    }
    if (bits & CAS_INITIALLY_DEFERRED)
        node->initdeferred = true;
    if (bits & CAS_NOT_VALID) {
        if (!(allowed & CAS_NOT_VALID))
            fail_attribute(p, kind, "NOT VALID", position);
        node->skip_validation = true;
        node->initially_valid = false;
    }
    if (bits & CAS_NO_INHERIT) {
        if (!(allowed & CAS_NO_INHERIT))
            fail_attribute(p, kind, "NO INHERIT", position);
        node->is_no_inherit = true;
    }
}

KeyActions key_action(FkAction action, const StrVec *columns)
{
    KeyActions actions = {.on_update = (int)action, .on_delete = (int)action};

    if (columns)
        actions.columns = *columns;
    return actions;
}

KeyActions key_update(Grammar *p, const KeyActions *actions, int position)
{
    if (actions->columns.length > 0)
        grammar_fail(p, ERR_FEATURE_NOT_SUPPORTED,
                     STR("a column list with SET NULL is only supported for ON DELETE actions"),
                     STR_NONE, position);
    return *actions;
}

/* -- CREATE TABLE ---------------------------------------------------------------------------- */

CreateStmt *create_table(Grammar *p, RangeVar *relation, int persistence, bool if_not_exists,
                         int position)
{
    CreateStmt *statement = NEW(CreateStmt, position);

    relation->persistence = (Persistence)persistence;
    statement->relation = relation;
    statement->if_not_exists = if_not_exists;
    return statement;
}

void create_table_finish(CreateStmt *statement, PartitionSpec *partition, Str method,
                         const DefElemVec *options, int on_commit)
{
    statement->partspec = partition;
    statement->access_method = method;
    statement->options = *options;
    statement->on_commit = (OnCommitAction)on_commit;
}

Node *create_table_as(Grammar *p, const CreateTableAsStmt *parts, int persistence, bool with_data,
                      int position)
{
    CreateTableAsStmt *statement = NEW(CreateTableAsStmt, position);

    statement->into = parts->into;
    statement->into->relation->persistence = (Persistence)persistence;
    statement->into->skip_data = !with_data;
    statement->query = parts->query;
    statement->object_type = OBJECT_TABLE;
    statement->if_not_exists = parts->if_not_exists;
    return &statement->node;
}

PartitionBoundSpec *partition_hash(Grammar *p, const DefElemVec *options, int position)
{
    PartitionBoundSpec *bound = NEW(PartitionBoundSpec, position);

    bound->strategy = 'h';
    bound->modulus = bound->remainder = -1;
    for (size_t i = 0; i < options->length; i++) {
        const DefElem *option = options->items[i];
        int value = NODE_CAST(A_Const, option->arg)->integer;
        int *field = str_equal(option->name, STR("modulus"))     ? &bound->modulus
                     : str_equal(option->name, STR("remainder")) ? &bound->remainder
                                                                 : NULL;
        if (!field)
            grammar_fail(p, ERR_SYNTAX_ERROR,
                         fmt("unrecognized hash partition bound specification \"%.*s\"",
                             STR_ARGS(option->name)),
                         STR_NONE, option->node.position);
        else
            *field = value;
    }
    return bound;
}

Node *partition_cmd_node(Grammar *p, RangeVar *name, PartitionBoundSpec *bound, bool concurrent)
{
    PartitionCmd *command = NEW(PartitionCmd, name->node.position);

    command->name = name;
    command->bound = bound;
    command->concurrent = concurrent;
    return &command->node;
}

/* -- Indexes, sequences, views, schemas ------------------------------------------------------ */

IndexElem *index_elem(Grammar *p, Str name, Node *expr, int position)
{
    IndexElem *elem = NEW(IndexElem, position);

    elem->name = name;
    elem->expr = expr;
    return elem;
}

Node *create_sequence(Grammar *p, const CreateSeqStmt *parts, int persistence, int position)
{
    parts->sequence->persistence = (Persistence)persistence;
    return &MAKE(CreateSeqStmt, position, .sequence = parts->sequence, .options = parts->options,
                 .if_not_exists = parts->if_not_exists)
                ->node;
}

Node *alter_sequence(Grammar *p, const AlterRelation *relation, const DefElemVec *options,
                     int position)
{
    AlterSeqStmt *statement = NEW(AlterSeqStmt, position);

    if (relation->type != OBJECT_SEQUENCE) {
        Token at = token_at(options->items[0]);
        grammar_syntax_error(p, &at);
    }
    statement->sequence = relation->relation;
    statement->options = *options;
    statement->missing_ok = relation->missing_ok;
    return &statement->node;
}

Node *view_stmt(Grammar *p, const ViewStmt *parts, int persistence, int position)
{
    ViewStmt *statement = NEW(ViewStmt, position);

    parts->view->persistence = (Persistence)persistence;
    statement->view = parts->view;
    statement->aliases = parts->aliases;
    statement->options = parts->options;
    statement->query = parts->query;
    statement->check_option = parts->check_option;
    return &statement->node;
}

/* CREATE RECURSIVE VIEW v (a) AS q is CREATE VIEW v AS WITH RECURSIVE v (a) AS (q) SELECT a FROM v.
 */
Node *view_recursive(Grammar *p, const ViewStmt *parts, int persistence, int position)
{
    SelectStmt *outer = NEW(SelectStmt, position);
    WithClause *with = NEW(WithClause, 0);
    CommonTableExpr *cte = NEW(CommonTableExpr, 0);
    Token name = {.text = parts->view->relation};
    ViewStmt whole = *parts;

    cte->name = parts->view->relation;
    cte->aliascolnames = parts->aliases;
    cte->query = &parts->query->node;
    with->recursive = true;
    PUSH(with->ctes, cte);
    outer->with_clause = with;
    for (size_t i = 0; i < parts->aliases.length; i++) {
        Token column = {.text = parts->aliases.items[i]};
        PUSH(outer->target_list, res_target(p, column_ref(p, column, NULL), STR_NONE, 0));
    }
    PUSH(outer->from_clause, &range_var_simple(p, name)->node);
    if (parts->check_option != NO_CHECK_OPTION)
        grammar_fail_unsupported(p, "WITH CHECK OPTION not supported on recursive views", position);
    whole.query = outer;
    Node *statement = view_stmt(p, &whole, persistence, position);
    NODE_CAST(ViewStmt, statement)->recursive = true;
    return statement;
}

Node *create_schema(Grammar *p, const CreateSchemaStmt *parts, int position)
{
    if (parts->if_not_exists && parts->schema_elts.length > 0)
        grammar_fail_unsupported(p, "CREATE SCHEMA IF NOT EXISTS cannot include schema elements",
                                 node_position(parts->schema_elts.items[0]));
    return &MAKE(CreateSchemaStmt, position, .schema_name = parts->schema_name,
                 .authrole = parts->authrole, .schema_elts = parts->schema_elts,
                 .if_not_exists = parts->if_not_exists)
                ->node;
}

/* -- ALTER TABLE ----------------------------------------------------------------------------- */

AlterRelation alter_relation(ObjectType type, RangeVar *relation, bool missing_ok)
{
    return (AlterRelation){type, relation, missing_ok};
}

Node *alter_table(Grammar *p, const AlterRelation *relation, const AlterTableCmdVec *commands,
                  int position)
{
    AlterTableStmt *statement = NEW(AlterTableStmt, position);

    statement->relation = relation->relation;
    statement->object_type = relation->type;
    statement->missing_ok = relation->missing_ok;
    statement->cmds = *commands;
    return &statement->node;
}

AlterTableCmd *at_cmd(Grammar *p, AlterTableType type, Str name, Node *def)
{
    AlterTableCmd *command = NEW(AlterTableCmd, node_position(def));

    command->type = type;
    command->name = name;
    command->def = def;
    return command;
}

int at_column_number(Grammar *p, int number)
{
    if (number <= 0 || number > INT16_MAX)
        grammar_fail(p, ERR_INVALID_PARAMETER_VALUE,
                     fmt("column number must be in range from 1 to %d", INT16_MAX), STR_NONE, 0);
    return number;
}

AlterTableCmd *at_column_type(Grammar *p, Token name, TypeName *type, CollateClause *collate,
                              Node *using_expr)
{
    ColumnDef *column = column_def(p, name, type);

    column->coll_clause = collate;
    if (using_expr) {
        Constraint *carrier = constraint(p, CONSTR_DEFAULT, node_position(using_expr));
        carrier->raw_expr = using_expr;
        PUSH(column->constraints, carrier);
    }
    AlterTableCmd *command = at_cmd(p, AT_ALTER_COLUMN_TYPE, name.text, &column->node);
    return command;
}

AlterTableCmd *at_alter_constraint(Grammar *p, Token name, const ConstraintAttrs *attrs,
                                   int position)
{
    Constraint *node = constraint(p, CONSTR_FOREIGN, position);

    node->name = name.text;
    constraint_attrs(p, node, attrs, "ALTER CONSTRAINT statement", CAS_DEFER);
    return at_cmd(p, AT_ALTER_CONSTRAINT, name.text, &node->node);
}

Node *replica_identity(Grammar *p, char type, Str name)
{
    ReplicaIdentity *identity = NEW(ReplicaIdentity, 0);

    identity->type = type;
    identity->name = name;
    return &identity->node;
}

Node *alter_index_attach(Grammar *p, const AlterRelation *relation, RangeVar *name, Token attach,
                         int position)
{
    (void)name;
    if (relation->type != OBJECT_INDEX)
        grammar_syntax_error(p, &attach);
    return unsupported(p, "ALTER INDEX ATTACH PARTITION", position);
}

Node *alter_depends(Grammar *p, const AlterRelation *relation, Token depends, int position)
{
    const bool is_index = relation->type == OBJECT_INDEX;

    if (!is_index && relation->type != OBJECT_MATVIEW)
        grammar_syntax_error(p, &depends);
    return unsupported(p,
                       is_index ? "ALTER INDEX DEPENDS ON EXTENSION"
                                : "ALTER MATERIALIZED VIEW DEPENDS ON EXTENSION",
                       position);
}
