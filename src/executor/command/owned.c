/* DROP OWNED and REASSIGN OWNED: everything that roles have in this database. */
#include "catalog/system_row.h"
#include "executor/command/ddl_internal.h"

typedef struct OwnedObject {
    ObjectAddress address;
    bool is_owned; /* else its privileges name the role */
    bool is_shared;
} OwnedObject;

typedef VEC(OwnedObject) OwnedVec;

static bool roles_named(CommandContext *context, const RoleSpecVec *specs, const char *verb,
                        OidVec *ret_roles)
{
    CatalogSession *session = ddl_catalog(context);

    for (size_t i = 0; i < specs->length; i++) {
        RoleSpec spec = *specs->items[i];
        Oid role;
        spec.node.position = 0; /* as PostgreSQL's, the error has none */
        TRY(ddl_role(context, &spec, &role));
        VEC_PUSH(context->arena, ret_roles, role);
    }
    for (size_t i = 0; i < ret_roles->length; i++) {
        if (role_has_privileges_of(session, session->current_user, ret_roles->items[i]))
            continue;
        TRY(!error_is_set());
        FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = fmt("permission denied to %s objects", verb));
    }
    return true;
}

static bool refuse_system(CommandContext *context, const OidVec *roles, const char *what)
{
    for (size_t i = 0; i < roles->length; i++)
        if (roles->items[i] < OID_FIRST_UNPINNED)
            FAIL(ERR_DEPENDENT_OBJECTS_STILL_EXIST,
                 .message = fmt("cannot %s role %.*s because they are required by the database "
                                "system",
                                what, STR_ARGS(role_name(ddl_catalog(context), roles->items[i]))));
    return true;
}

/* Row types come and go with their tables. */
static bool objects_of(CommandContext *context, Oid role, OwnedVec *ret_objects)
{
    CatalogSession *session = ddl_catalog(context);
    const Value keys[] = {{.oid = RELATION_PG_AUTHID}, {.oid = role}};
    CatalogRowVec rows = {0};

    TRY(system_rows_find(session, INDEX_PG_SHDEPEND_REFERENCE_INDEX, keys, 2, &rows));
    for (size_t i = 0; i < rows.length; i++) {
        const CatalogRow *row = rows.items[i];
        const Oid database = row_oid(row, PG_SHDEPEND_DBID);
        const OwnedObject object = {
            .address = {row_oid(row, PG_SHDEPEND_CLASSID), row_oid(row, PG_SHDEPEND_OBJID),
                        row->values[PG_SHDEPEND_OBJSUBID].int32},
            .is_owned = row_char(row, PG_SHDEPEND_DEPTYPE) == 'o',
            .is_shared = database == SHARED_DATABASE,
        };
        if ((object.is_shared || database == session->database_oid) &&
            object.address.class_oid != RELATION_PG_TYPE)
            VEC_PUSH(context->arena, ret_objects, object);
    }
    return true;
}

bool ddl_drop_owned(CommandContext *context, const Node *node, Str *ret_tag)
{
    const DropOwnedStmt *statement = NODE_CAST(DropOwnedStmt, node);
    OidVec roles = {0};
    ObjectVec dropped = {0};

    *ret_tag = STR("DROP OWNED");
    TRY(roles_named(context, &statement->roles, "drop", &roles));
    TRY(refuse_system(context, &roles, "drop objects owned by"));
    for (size_t r = 0; r < roles.length; r++) {
        OwnedVec objects = {0};
        TRY(objects_of(context, roles.items[r], &objects));
        for (size_t i = 0; i < objects.length; i++) {
            const OwnedObject *object = &objects.items[i];
            if (!object->is_owned)
                TRY(ddl_revoke_all(context, object->address, roles.items[r]));
            else if (!object->is_shared)
                VEC_PUSH(context->arena, &dropped, object->address);
        }
    }
    for (size_t i = 0; i < dropped.length; i++) {
        if (dropped.items[i].class_oid != RELATION_PG_CLASS)
            continue;
        const RelationDesc *relation = relation_get(ddl_catalog(context), dropped.items[i].oid);
        TRY(ddl_check_not_in_use(context, relation, STR("DROP TABLE")));
    }
    return dropped.length == 0 ||
           drop_objects(ddl_catalog(context), dropped.items, dropped.length,
                        (DropOptions){.cascade = statement->behavior == DROP_CASCADE});
}

bool ddl_reassign_owned(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const ReassignOwnedStmt *statement = NODE_CAST(ReassignOwnedStmt, node);
    OidVec roles = {0};
    Oid owner;

    *ret_tag = STR("REASSIGN OWNED");
    TRY(roles_named(context, &statement->roles, "reassign", &roles));
    TRY(ddl_role(context, statement->newrole, &owner));
    if (!role_has_privileges_of(session, session->current_user, owner)) {
        TRY(!error_is_set());
        FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = STR("permission denied to reassign objects"));
    }
    TRY(refuse_system(context, &roles, "reassign ownership of objects owned by"));
    for (size_t r = 0; r < roles.length; r++) {
        OwnedVec objects = {0};
        TRY(objects_of(context, roles.items[r], &objects));
        for (size_t i = 0; i < objects.length; i++)
            if (objects.items[i].is_owned)
                TRY(define_owner(session, objects.items[i].address, owner));
    }
    return true;
}
