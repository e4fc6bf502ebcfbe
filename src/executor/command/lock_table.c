#include "executor/command/maintain.h"

#include "catalog/privilege.h"
#include "catalog/relation.h"
#include "executor/command/ddl_internal.h"

bool lock_execute(CommandContext *context, const LockStmt *statement, Str *ret_tag)
{
    *ret_tag = STR("LOCK TABLE");
    if (context->is_top_level)
        FAIL(ERR_NO_ACTIVE_SQL_TRANSACTION,
             .message = STR("LOCK TABLE can only be used in transaction blocks"));
    for (size_t i = 0; i < statement->relations.length; i++) {
        const RangeVar *name = statement->relations.items[i];
        const RelationDesc *relation =
            ddl_open_relation(context, name, statement->mode, statement->nowait, false);
        TRY(relation);
        if (relation->kind != RELKIND_TABLE && relation->kind != RELKIND_VIEW)
            FAIL(ERR_WRONG_OBJECT_TYPE,
                 .message = fmt("cannot lock relation \"%.*s\"", STR_ARGS(relation->name)),
                 .detail = fmt("This operation is not supported for %.*ss.",
                               STR_ARGS(relation_kind_name(relation->kind))));
    }
    return true;
}
