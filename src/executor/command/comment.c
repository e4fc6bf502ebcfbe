/* COMMENT ON. */
#include "executor/command/ddl_internal.h"

static bool relation_target(CommandContext *context, const StrVec *names, ObjectType type,
                            ObjectAddress *ret)
{
    RangeVar name = {0};

    TRY(names->length != 3 || database_check_own(ddl_catalog(context), names->items, true, 0));
    TRY(ddl_split_name(context, names, &name.schema, &name.relation));
    const RelationDesc *relation =
        ddl_open_relation(context, &name, LOCK_SHARE_UPDATE_EXCLUSIVE, false, false);
    TRY(relation);
    static const struct {
        ObjectType type;
        RelationKind kind;
        const char *article;
    } kinds[] = {{OBJECT_TABLE, RELKIND_TABLE, "a table"},
                 {OBJECT_VIEW, RELKIND_VIEW, "a view"},
                 {OBJECT_INDEX, RELKIND_INDEX, "an index"},
                 {OBJECT_SEQUENCE, RELKIND_SEQUENCE, "a sequence"},
                 {OBJECT_MATVIEW, RELKIND_MATVIEW, "a materialized view"}};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (kinds[i].type == type && relation->kind != kinds[i].kind)
            FAIL(ERR_WRONG_OBJECT_TYPE,
                 .message = fmt("\"%.*s\" is not %s", STR_ARGS(relation->name), kinds[i].article));
    TRY(ddl_check_owner(context, relation));
    *ret = address_of_relation(relation->oid);
    return true;
}

/* table.column or table.constraint: the last name is the inner one. */
static bool inner_target(CommandContext *context, const StrVec *names, ObjectType type,
                         ObjectAddress *ret)
{
    StrVec outer = *names;
    const Str last = names->items[names->length - 1];

    if (names->length < 2)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("column name must be qualified"));
    outer.length--;
    TRY(relation_target(context, &outer, OBJECT_NONE, ret));
    const RelationDesc *relation = relation_get(ddl_catalog(context), ret->oid);
    TRY(relation);
    if (type == OBJECT_COLUMN) {
        const ColumnDesc *column = relation_column(relation, last);
        if (!column)
            FAIL(ERR_UNDEFINED_COLUMN,
                 .message = fmt("column \"%.*s\" of relation \"%.*s\" does not exist",
                                STR_ARGS(last), STR_ARGS(relation->name)));
        ret->column = column->attnum;
        return true;
    }
    const ConstraintDesc *constraint = relation_constraint(relation, last);
    if (!constraint)
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("constraint \"%.*s\" for table \"%.*s\" does not exist", STR_ARGS(last),
                            STR_ARGS(relation->name)));
    *ret = (ObjectAddress){RELATION_PG_CONSTRAINT, constraint->oid, 0};
    return true;
}

static bool named_target(CommandContext *context, Str name, ObjectType type, ObjectAddress *ret)
{
    CatalogSession *session = ddl_catalog(context);

    if (type == OBJECT_SCHEMA) {
        Oid oid;
        TRY(ddl_lock_schema(context, name, 0, LOCK_SHARE_UPDATE_EXCLUSIVE, &oid));
        *ret = (ObjectAddress){RELATION_PG_NAMESPACE, oid, 0};
        return privilege_check_owner(session, ON_SCHEMA, oid);
    }
    if (type == OBJECT_DATABASE) {
        const DatabaseDesc *database = database_get_name(session, name);
        TRY(database);
        *ret = (ObjectAddress){RELATION_PG_DATABASE, database->oid, 0};
        return privilege_check_owner(session, ON_DATABASE, database->oid);
    }
    Oid locked;
    TRY(ddl_lock_role(context, name, LOCK_SHARE_UPDATE_EXCLUSIVE, &locked));
    const RoleDesc *role = role_get_name(session, name);
    TRY(role);
    const RoleDesc *self = role_find(session, session->current_user);
    if (!role_is_superuser(session, session->current_user) && !(self && self->create_role))
        FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = STR("must have CREATEROLE privilege"));
    *ret = (ObjectAddress){RELATION_PG_AUTHID, role->oid, 0};
    return true;
}

bool ddl_comment(CommandContext *context, const Node *node, Str *ret_tag)
{
    const CommentStmt *statement = NODE_CAST(CommentStmt, node);
    ObjectAddress target;

    *ret_tag = STR("COMMENT");
    if (!NODE_IS(statement->object, ObjectName))
        return ddl_refuse_object("COMMENT ON", statement->object_type);
    const StrVec *names = &NODE_CAST(ObjectName, statement->object)->names;
    switch (statement->object_type) {
    case OBJECT_TABLE:
    case OBJECT_VIEW:
    case OBJECT_INDEX:
    case OBJECT_SEQUENCE:
    case OBJECT_MATVIEW:
        TRY(relation_target(context, names, statement->object_type, &target));
        break;
    case OBJECT_COLUMN:
    case OBJECT_TABLE_CONSTRAINT:
        TRY(inner_target(context, names, statement->object_type, &target));
        break;
    case OBJECT_DATABASE:
        if (!database_find_name(ddl_catalog(context), names->items[0])) {
            TRY(!error_is_set());
            NOTICE(SEVERITY_WARNING, ERR_UNDEFINED_DATABASE,
                   .message = fmt("database \"%.*s\" does not exist", STR_ARGS(names->items[0])));
            return true;
        }
        FALLTHROUGH;
    case OBJECT_SCHEMA:
    case OBJECT_ROLE:
        TRY(named_target(context, names->items[names->length - 1], statement->object_type,
                         &target));
        break;
    default:
        return ddl_refuse_object("COMMENT ON", statement->object_type);
    }
    return define_comment(ddl_catalog(context), target, statement->comment);
}
