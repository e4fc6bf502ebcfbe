#include "catalog/lookup.h"
#include "catalog/system_row.h"
#include "executor/command/ddl_internal.h"
#include "executor/command/maintain.h"

/* SET CONSTRAINTS: names are looked for along the search path; the first schema that has it counts.
 */

typedef VEC(Oid) OidList;

static bool find_in(CommandContext *context, Oid namespace_oid, const RangeVar *name,
                    bool is_deferred, OidList *oids, bool *ret_found)
{
    const Value keys[] = {{.var = var_from_str(name->relation)}, {.oid = namespace_oid}};
    CatalogRowVec rows = {0};

    TRY(system_rows_find(ddl_catalog(context), INDEX_PG_CONSTRAINT_CONNAME_NSP_INDEX, keys, 2,
                         &rows));
    for (size_t i = 0; i < rows.length; i++) {
        const CatalogRow *row = rows.items[i];
        *ret_found = true;
        if (row->values[PG_CONSTRAINT_CONDEFERRABLE].boolean)
            VEC_PUSH(context->arena, oids, row->values[PG_CONSTRAINT_OID].oid);
        else if (is_deferred)
            FAIL(ERR_WRONG_OBJECT_TYPE,
                 .message = fmt("constraint \"%.*s\" is not deferrable", STR_ARGS(name->relation)));
    }
    return true;
}

static bool find_constraint(CommandContext *context, const RangeVar *name, bool is_deferred,
                            OidList *oids)
{
    CatalogSession *catalog = ddl_catalog(context);
    bool found = false;

    if (!str_is_none(name->schema)) {
        const Oid namespace_oid = namespace_get(catalog, name->schema, 0);
        TRY(namespace_oid);
        TRY(find_in(context, namespace_oid, name, is_deferred, oids, &found));
    } else {
        const SearchPath *path = catalog_search_path(catalog);
        TRY(path);
        for (uint32_t i = 0; i < path->count && !found; i++)
            TRY(find_in(context, path->namespaces[i], name, is_deferred, oids, &found));
    }
    if (!found)
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("constraint \"%.*s\" does not exist", STR_ARGS(name->relation)));
    return true;
}

bool set_constraints_execute(CommandContext *context, const ConstraintsSetStmt *statement,
                             Str *ret_tag)
{
    OidList oids = {0};

    *ret_tag = STR("SET CONSTRAINTS");
    if (context->is_top_level)
        NOTICE(SEVERITY_WARNING, ERR_NO_ACTIVE_SQL_TRANSACTION,
               .message = STR("SET CONSTRAINTS can only be used in transaction blocks"));
    for (size_t i = 0; i < statement->constraints.length; i++)
        TRY(find_constraint(context, statement->constraints.items[i], statement->deferred, &oids));
    if (statement->constraints.length == 0)
        return executor_set_constraints(context->session, NULL, 0, statement->deferred);
    return oids.length == 0 || executor_set_constraints(context->session, oids.items,
                                                        (uint32_t)oids.length, statement->deferred);
}
