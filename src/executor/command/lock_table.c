/* LOCK TABLE. */
#include "executor/command/maintain.h"

#include "base/scheduler.h"
#include "catalog/privilege.h"
#include "catalog/relation.h"
#include "executor/command/ddl_internal.h"

typedef struct LockTable {
    CommandContext *context;
    LockMode mode;
    LockWait wait;
} LockTable;

/* Who may change or read the rows may lock them; privileges on columns do not count. */
static bool check_may_lock(const LockTable *lock, Oid relation, Oid role)
{
    CatalogSession *session = ddl_catalog(lock->context);
    AclRights rights = ACL_UPDATE | ACL_DELETE | ACL_TRUNCATE;

    if (lock->mode == LOCK_ACCESS_SHARE)
        rights = ACL_SELECT;
    else if (lock->mode == LOCK_ROW_EXCLUSIVE)
        rights |= ACL_INSERT;
    if (privilege_rights(session, ON_TABLE, relation, role, rights))
        return true;
    TRY(!error_is_set());
    return privilege_check_of(session, role, ON_TABLE, relation, rights);
}

static bool check_kind(const RelationDesc *relation)
{
    if (relation->kind == RELKIND_TABLE || relation->kind == RELKIND_VIEW)
        return true;
    FAIL(ERR_WRONG_OBJECT_TYPE,
         .message = fmt("cannot lock relation \"%.*s\"", STR_ARGS(relation->name)),
         .detail = fmt("This operation is not supported for %.*s.",
                       STR_ARGS(relation_kind_plural(relation->kind))));
}

/* What a view shows is locked with it, as far as the view's owner may. */
static bool lock_shown(const LockTable *lock, const RelationDesc *view)
{
    CatalogSession *session = ddl_catalog(lock->context);
    const Oid owner = view->owner;
    OidVec relations = {0};

    if (task_stack_left() < 32 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    Query *query = analyze_view_text(lock->context->arena, session, view->view_text);
    TRY(query);
    TRY(ddl_query_relations(lock->context, query, &relations));
    for (size_t i = 0; i < relations.length; i++) {
        const RelationDesc *relation = relation_get(session, relations.items[i]);
        TRY(relation);
        if (relation->kind != RELKIND_TABLE && relation->kind != RELKIND_VIEW)
            continue;
        TRY(check_may_lock(lock, relation->oid, owner));
        TRY(lock_relation(session->txn, session->database_oid, relation->oid, lock->mode,
                          lock->wait, relation->name));
        TRY(relation = relation_get(session, relations.items[i]));
        if (relation->kind == RELKIND_VIEW)
            TRY(lock_shown(lock, relation));
    }
    return true;
}

static bool lock_one(const LockTable *lock, const RangeVar *name)
{
    CatalogSession *session = ddl_catalog(lock->context);
    const RelationDesc *relation = ddl_open_relation(lock->context, name, LOCK_NONE, false, false);

    /* Who may not lock it is told so at once, and waits for nobody. */
    TRY(relation);
    TRY(check_kind(relation));
    TRY(check_may_lock(lock, relation->oid, session->current_user));
    TRY(relation = ddl_open_relation(lock->context, name, (int)lock->mode,
                                     lock->wait == LOCK_NOWAIT, false));
    TRY(check_kind(relation));
    TRY(check_may_lock(lock, relation->oid, session->current_user));
    return relation->kind != RELKIND_VIEW || relation->is_builtin || lock_shown(lock, relation);
}

bool lock_execute(CommandContext *context, const LockStmt *statement, Str *ret_tag)
{
    const LockTable lock = {.context = context,
                            .mode = (LockMode)statement->mode,
                            .wait = statement->nowait ? LOCK_NOWAIT : LOCK_WAIT};

    *ret_tag = STR("LOCK TABLE");
    if (context->is_top_level)
        FAIL(ERR_NO_ACTIVE_SQL_TRANSACTION,
             .message = STR("LOCK TABLE can only be used in transaction blocks"));
    for (size_t i = 0; i < statement->relations.length; i++)
        TRY(lock_one(&lock, statement->relations.items[i]));
    return true;
}
