/* DROP, RENAME, GRANT, roles, databases, settings, transactions and other small statements. */
#include "parser/grammar.h"

#define NEW(type, position) NODE_NEW(p->arena, type, (position))
#define PUSH(vec, value) VEC_PUSH(p->arena, &(vec), (value))

Node *unsupported(Grammar *p, const char *command, int position)
{
    UnsupportedStmt *statement = NEW(UnsupportedStmt, position);

    statement->command = str_from_c(command);
    return &statement->node;
}

/* -- Objects --------------------------------------------------------------------------------- */

ObjectAddress object_address(int type, Node *object)
{
    return (ObjectAddress){(ObjectType)type, object};
}

FunctionParameter *function_parameter(Grammar *p, int mode, const Token *name, TypeName *type)
{
    FunctionParameter *parameter =
        NEW(FunctionParameter, name ? name->position : type->node.position);

    parameter->mode = (FunctionParameterMode)mode;
    parameter->name = name ? name->text : STR_NONE;
    parameter->arg_type = type;
    return parameter;
}

ObjectWithArgs *object_with_args(Grammar *p, const Names *names, const FunctionParameterVec *args)
{
    ObjectWithArgs *object = NEW(ObjectWithArgs, names->position);

    object->names = names->names;
    object->args_unspecified = args == NULL;
    for (size_t i = 0; args && i < args->length; i++)
        if (args->items[i]->mode != FUNC_PARAM_OUT && args->items[i]->mode != FUNC_PARAM_TABLE)
            PUSH(object->args, args->items[i]->arg_type);
    return object;
}

ObjectWithArgs *operator_with_args(Grammar *p, const Names *names, TypeName *left, TypeName *right)
{
    ObjectWithArgs *object = NEW(ObjectWithArgs, names->position);

    object->names = names->names;
    PUSH(object->args, left);
    PUSH(object->args, right);
    return object;
}

Node *drop_one(Grammar *p, Node *object, DropStmt *statement)
{
    PUSH(statement->objects, object);
    return &statement->node;
}

Node *drop_database(Grammar *p, Str name, bool missing_ok, const DefElemVec *options, int position)
{
    DropdbStmt *statement = NEW(DropdbStmt, position);

    statement->dbname = name;
    statement->missing_ok = missing_ok;
    if (options)
        statement->options = *options;
    return &statement->node;
}

Node *drop_role(Grammar *p, const RoleSpecVec *roles, bool missing_ok, int position)
{
    DropRoleStmt *statement = NEW(DropRoleStmt, position);

    statement->roles = *roles;
    statement->missing_ok = missing_ok;
    return &statement->node;
}

Node *rename_relation(Grammar *p, const AlterRelation *relation, const RenameStmt *parts,
                      int position)
{
    RenameStmt *statement = NEW(RenameStmt, position);

    statement->rename_type = parts->rename_type;
    statement->relation_type = relation->type;
    statement->relation = relation->relation;
    statement->missing_ok = relation->missing_ok;
    statement->subname = parts->subname;
    statement->newname = parts->newname;
    return &statement->node;
}

Node *rename_object(Grammar *p, const ObjectAddress *object, Str part, Token name, int position)
{
    RenameStmt *statement = NEW(RenameStmt, position);

    statement->rename_type = object->type;
    statement->object = object->object;
    statement->subname = part;
    statement->newname = name.text;
    return &statement->node;
}

Node *rename_role(Grammar *p, Str from, Str to, int position)
{
    RenameStmt *statement = NEW(RenameStmt, position);

    statement->rename_type = OBJECT_ROLE;
    statement->subname = from;
    statement->newname = to;
    return &statement->node;
}

/* -- Databases and roles --------------------------------------------------------------------- */

/* The name in an address that is one plain word. */
static Str address_name(const ObjectAddress *object)
{
    return NODE_IS(object->object, ObjectName)
               ? VEC_LAST(&NODE_CAST(ObjectName, object->object)->names)
               : STR("");
}

Node *alter_database(Grammar *p, const ObjectAddress *object, const DefElemVec *options,
                     Token token, int position)
{
    AlterDatabaseStmt *statement = NEW(AlterDatabaseStmt, position);

    grammar_expect(p, object, OBJECT_DATABASE, token);
    statement->dbname = address_name(object);
    statement->options = *options;
    return &statement->node;
}

Node *alter_object_set(Grammar *p, const ObjectAddress *object, VariableSetStmt *set, int position)
{
    AlterDatabaseSetStmt *statement = NEW(AlterDatabaseSetStmt, position);

    if (object->type != OBJECT_DATABASE) {
        if (object->type == OBJECT_FUNCTION || object->type == OBJECT_PROCEDURE ||
            object->type == OBJECT_ROUTINE)
            return unsupported(p, "ALTER FUNCTION", position);
        grammar_fail(p, ERR_SYNTAX_ERROR, STR("syntax error at or near \"SET\""), STR_NONE,
                     set->node.position);
    }
    statement->dbname = address_name(object);
    statement->setstmt = set;
    return &statement->node;
}

DefElem *role_option(Grammar *p, Token word)
{
    static const struct {
        const char *word, *name;
        bool value;
    } options[] = {{"superuser", "superuser", true},
                   {"nosuperuser", "superuser", false},
                   {"createrole", "createrole", true},
                   {"nocreaterole", "createrole", false},
                   {"replication", "isreplication", true},
                   {"noreplication", "isreplication", false},
                   {"createdb", "createdb", true},
                   {"nocreatedb", "createdb", false},
                   {"login", "canlogin", true},
                   {"nologin", "canlogin", false},
                   {"bypassrls", "bypassrls", true},
                   {"nobypassrls", "bypassrls", false},
                   {"noinherit", "inherit", false}};

    for (size_t i = 0; i < ARRAY_LENGTH(options); i++)
        if (str_equal(word.text, str_from_c(options[i].word)))
            return def_bool(p, options[i].name, options[i].value, word.position);
    grammar_fail(p, ERR_SYNTAX_ERROR, fmt("unrecognized role option \"%.*s\"", STR_ARGS(word.text)),
                 STR_NONE, word.position);
    return def_bool(p, "inherit", true, word.position);
}

Node *alter_role(Grammar *p, RoleSpec *role, const DefElemVec *options, int action, int position)
{
    AlterRoleStmt *statement = NEW(AlterRoleStmt, position);

    statement->role = role;
    statement->options = *options;
    statement->action = action;
    return &statement->node;
}

Node *alter_group(Grammar *p, RoleSpec *role, const RoleSpecVec *members, int action, int position)
{
    DefElemVec options = {0};

    PUSH(options, def_named(p, "rolemembers", roles_node(p, members), position));
    return alter_role(p, role, &options, action, position);
}

Node *alter_role_set(Grammar *p, RoleSpec *role, Str database, VariableSetStmt *set, int position)
{
    AlterRoleSetStmt *statement = NEW(AlterRoleSetStmt, position);

    statement->role = role;
    statement->database = database;
    statement->setstmt = set;
    return &statement->node;
}

/* -- GRANT ----------------------------------------------------------------------------------- */

AccessPriv *access_priv(Grammar *p, Str name, const StrVec *columns, int position)
{
    AccessPriv *privilege = NEW(AccessPriv, position);

    privilege->priv_name = name;
    if (columns)
        privilege->cols = *columns;
    return privilege;
}

PrivilegeTarget privileges_on(GrantTargetType target, ObjectType type, const NodeVec *objects)
{
    return (PrivilegeTarget){target, type, *objects};
}

PrivilegeTarget privileges_relations(Grammar *p, ObjectType type, const RangeVarVec *relations)
{
    NodeVec objects = {0};

    for (size_t i = 0; i < relations->length; i++)
        PUSH(objects, &relations->items[i]->node);
    return privileges_on(ACL_TARGET_OBJECT, type, &objects);
}

void grant_make_revoke(Node *grant, DropBehavior behavior)
{
    GrantStmt *statement = NODE_CAST(GrantStmt, grant);

    statement->is_grant = false;
    statement->behavior = behavior;
}

/* -- Transactions and settings --------------------------------------------------------------- */

Node *transaction(Grammar *p, TransactionStmtKind kind, const DefElemVec *options, bool chain,
                  int position)
{
    TransactionStmt *statement = NEW(TransactionStmt, position);

    statement->kind = kind;
    if (options)
        statement->options = *options;
    statement->chain = chain;
    return &statement->node;
}

Node *transaction_savepoint(Grammar *p, TransactionStmtKind kind, Token name, int position)
{
    TransactionStmt *statement = NEW(TransactionStmt, position);

    statement->kind = kind;
    statement->savepoint_name = name.text;
    return &statement->node;
}

Node *transaction_prepared(Grammar *p, TransactionStmtKind kind, Token gid, int position)
{
    TransactionStmt *statement = NEW(TransactionStmt, position);

    statement->kind = kind;
    statement->gid = gid.text;
    return &statement->node;
}

Node *discard(Grammar *p, DiscardMode target, int position)
{
    DiscardStmt *statement = NEW(DiscardStmt, position);

    statement->target = target;
    return &statement->node;
}

VariableSetStmt *variable_set(Grammar *p, VariableSetKind kind, Str name, const NodeVec *args)
{
    VariableSetStmt *statement = NEW(VariableSetStmt, 0);

    statement->kind = kind;
    statement->name = name;
    if (args)
        statement->args = *args;
    return statement;
}

/* value NULL: DEFAULT. */
VariableSetStmt *variable_set_one(Grammar *p, const char *name, Node *value)
{
    NodeVec args = {0};

    if (!value)
        return variable_set(p, VAR_SET_DEFAULT, str_from_c(name), NULL);
    PUSH(args, value);
    return variable_set(p, VAR_SET_VALUE, str_from_c(name), &args);
}

VariableSetStmt *variable_multi(Grammar *p, const char *name, const DefElemVec *modes)
{
    NodeVec args = {0};

    for (size_t i = 0; i < modes->length; i++)
        PUSH(args, &modes->items[i]->node);
    return variable_set(p, VAR_SET_MULTI, str_from_c(name), &args);
}

Node *variable_show(Grammar *p, Str name, int position)
{
    VariableShowStmt *statement = NEW(VariableShowStmt, position);

    statement->name = name;
    return &statement->node;
}

/* -- VACUUM, CLUSTER, REINDEX, COPY ---------------------------------------------------------- */

Node *vacuum(Grammar *p, bool is_vacuum, const DefElemVec *options,
             const VacuumRelationVec *relations, int position)
{
    VacuumStmt *statement = NEW(VacuumStmt, position);

    statement->is_vacuum = is_vacuum;
    statement->options = *options;
    statement->rels = *relations;
    return &statement->node;
}

/* VACUUM FULL FREEZE VERBOSE ANALYZE: words rather than options; absent ones have position 0. */
Node *vacuum_old(Grammar *p, const Token *words, const VacuumRelationVec *relations, int position)
{
    static const char *const names[] = {"full", "freeze", "verbose", "analyze"};
    DefElemVec options = {0};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (words[i].position)
            PUSH(options, def_named(p, names[i], NULL, words[i].position));
    return vacuum(p, true, &options, relations, position);
}

Node *cluster(Grammar *p, RangeVar *relation, Str index, const DefElemVec *options, int position)
{
    ClusterStmt *statement = NEW(ClusterStmt, position);

    statement->relation = relation;
    statement->indexname = index;
    statement->params = *options;
    return &statement->node;
}

Node *reindex(Grammar *p, const ReindexStmt *parts, bool concurrent, int position)
{
    ReindexStmt *statement = NEW(ReindexStmt, position);

    statement->kind = parts->kind;
    statement->relation = parts->relation;
    statement->name = parts->name;
    statement->params = parts->params;
    if (concurrent)
        PUSH(statement->params, def_named(p, "concurrently", NULL, position));
    return &statement->node;
}

Node *copy_stmt(Grammar *p, const CopyParts *parts, int position)
{
    CopyStmt *statement = NEW(CopyStmt, position);

    statement->relation = parts->relation;
    statement->query = parts->query;
    statement->attlist = parts->columns;
    statement->is_from = parts->is_from;
    statement->is_program = parts->is_program;
    statement->filename = parts->filename;
    statement->where_clause = parts->where;
    if (parts->is_program && str_is_none(parts->filename))
        grammar_fail(p, ERR_SYNTAX_ERROR, STR("STDIN/STDOUT not allowed with PROGRAM"), STR_NONE,
                     position);
    if (!parts->is_from && parts->where)
        grammar_fail(p, ERR_SYNTAX_ERROR, STR("WHERE clause not allowed with COPY TO"), STR_NONE,
                     parts->where_position);
    if (parts->binary)
        PUSH(statement->options, parts->binary);
    if (parts->delimiter)
        PUSH(statement->options, parts->delimiter);
    for (size_t i = 0; i < parts->options.length; i++)
        PUSH(statement->options, parts->options.items[i]);
    return &statement->node;
}
