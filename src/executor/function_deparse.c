/* Functions that print stored definitions as SQL: views, indexes, constraints, expressions. */
#include "catalog/function_session.h"
#include "catalog/hooks.h"
#include "catalog/lookup.h"
#include "catalog/names.h"
#include "catalog/relation.h"
#include "catalog/system_row.h"
#include "planner/analyze.h"
#include "planner/deparse.h"
#include "types/identifier.h"

#define SESSION CatalogSession *session = function_session(call)

static bool give_text(Str text, Value *ret, bool *ret_null)
{
    *ret_null = str_is_none(text);
    *ret = text_value(text);
    return true;
}

/* pg_get_viewdef ends with a semicolon. */
static bool view_text(FunctionCall *call, Oid view, bool is_pretty, Value *ret, bool *ret_null)
{
    SESSION;
    Str text;

    TRY(deparse_view(call->arena, session, view, is_pretty, &text));
    return give_text(text, ret, ret_null);
}

FUNCTION(pg_get_viewdef)
{
    return view_text(call, args[0].oid, false, ret, ret_null);
}
FUNCTION(pg_get_viewdef_ext)
{
    return view_text(call, args[0].oid, args[1].boolean, ret, ret_null);
}
FUNCTION(pg_get_viewdef_wrap)
{
    return view_text(call, args[0].oid, true, ret, ret_null);
}

static bool view_by_name(FunctionCall *call, const Value *args, Oid *ret_view)
{
    SESSION;
    return catalog_reg_input(session, TYPE_REGCLASS, var_str(args[0].var), ret_view);
}

FUNCTION(pg_get_viewdef_name)
{
    Oid view;

    TRY(view_by_name(call, args, &view));
    return view_text(call, view, false, ret, ret_null);
}

FUNCTION(pg_get_viewdef_name_ext)
{
    Oid view;

    TRY(view_by_name(call, args, &view));
    return view_text(call, view, args[1].boolean, ret, ret_null);
}

FUNCTION(pg_get_indexdef)
{
    SESSION;
    Str text;

    TRY(deparse_index(call->arena, session, args[0].oid, 0, false, &text));
    return give_text(text, ret, ret_null);
}

FUNCTION(pg_get_indexdef_ext)
{
    SESSION;
    Str text;

    TRY(deparse_index(call->arena, session, args[0].oid, args[1].int32, args[2].boolean, &text));
    return give_text(text, ret, ret_null);
}

static bool constraint_text(FunctionCall *call, Oid oid, bool is_pretty, Value *ret, bool *ret_null)
{
    SESSION;
    CatalogRow row;
    Str text = STR_NONE;
    const RowFound found =
        system_row_find(session, INDEX_PG_CONSTRAINT_OID_INDEX, &(Value){.oid = oid}, 1, &row);

    TRY(found);
    const Oid table = found == ROW_FOUND ? row_oid(&row, PG_CONSTRAINT_CONRELID) : OID_NONE;
    const RelationDesc *relation = table ? relation_find(session, table) : NULL;
    TRY(relation || !error_is_set());
    for (int i = 0; relation && i < relation->constraint_count; i++)
        if (relation->constraints[i].oid == oid)
            TRY(deparse_constraint_of(call->arena, session, relation, &relation->constraints[i],
                                      is_pretty, &text));
    return give_text(text, ret, ret_null);
}

FUNCTION(pg_get_constraintdef)
{
    return constraint_text(call, args[0].oid, false, ret, ret_null);
}
FUNCTION(pg_get_constraintdef_ext)
{
    return constraint_text(call, args[0].oid, args[1].boolean, ret, ret_null);
}

/* Several expressions of one index are kept with unit separators between them. */
static bool expression_text(FunctionCall *call, Str stored, Oid relation, bool is_pretty,
                            Value *ret, bool *ret_null)
{
    SESSION;
    StrBuf all = strbuf_in(call->arena);
    Str rest = stored;

    for (;;) {
        const size_t end = str_find_char(rest, '\x1f', 0);
        const Str one = end == SIZE_MAX ? rest : str_slice(rest, 0, end);
        Str text;
        TRY(deparse_stored_expression(call->arena, session, one, relation, is_pretty, &text));
        /* A CASE begins a line, and takes the space before it. */
        if (all.length)
            strbuf_append_c(&all, text.data[0] == '\n' ? "," : ", ");
        strbuf_append(&all, text);
        if (end == SIZE_MAX)
            break;
        rest = str_slice(rest, end + 1, SIZE_MAX);
    }
    return give_text(strbuf_view(&all), ret, ret_null);
}

FUNCTION(pg_get_expr)
{
    return expression_text(call, var_str(args[0].var), args[1].oid, false, ret, ret_null);
}

FUNCTION(pg_get_expr_ext)
{
    return expression_text(call, var_str(args[0].var), args[1].oid, args[2].boolean, ret, ret_null);
}

static bool rule_text(FunctionCall *call, Oid rule, bool is_pretty, Value *ret, bool *ret_null)
{
    SESSION;
    CatalogRow row;
    Str text;
    const RowFound found =
        system_row_find(session, INDEX_PG_REWRITE_OID_INDEX, &(Value){.oid = rule}, 1, &row);

    TRY(found);
    if (found == ROW_MISSING) {
        *ret_null = true;
        return true;
    }
    const RelationDesc *view = relation_get(session, row_oid(&row, PG_REWRITE_EV_CLASS));
    TRY(view);
    TRY(deparse_view(call->arena, session, view->oid, is_pretty, &text));
    const Str name = identifier_qualify(call->arena, view->namespace_name, view->name);
    return give_text(str_format(call->arena,
                                "CREATE RULE \"_RETURN\" AS\n    ON SELECT TO %.*s DO INSTEAD %.*s",
                                STR_ARGS(name), STR_ARGS(text)),
                     ret, ret_null);
}

FUNCTION(pg_get_ruledef)
{
    return rule_text(call, args[0].oid, false, ret, ret_null);
}
FUNCTION(pg_get_ruledef_ext)
{
    return rule_text(call, args[0].oid, args[1].boolean, ret, ret_null);
}

/* ---- what of a view can be changed ---- */

/* Bits of pg_relation_is_updatable: 1 << CmdType. */
enum { MAY_UPDATE = 1 << 2, MAY_INSERT = 1 << 3, MAY_DELETE = 1 << 4 };
#define MAY_ALL (MAY_UPDATE | MAY_INSERT | MAY_DELETE)

/* The base relation's column behind column `attnum` of the view; 0: it is computed. */
static int base_column(const Query *view, int attnum)
{
    const Expr *expr = view->targets.items[attnum - 1].expr;

    if (expr->kind != EXPR_COLUMN)
        return 0;
    const ExprColumn *column = EXPR_AS(const ExprColumn, expr);
    return column->levels_up == 0 && column->rel == view->from.items[0]->rel
               ? MAX(column->attnum, 0)
               : 0;
}

/* attnum 0: of the relation as a whole. */
static bool relation_events(FunctionCall *call, Oid oid, int attnum, int *ret_events)
{
    SESSION;
    int events = MAY_ALL;

    for (;;) {
        const RelationDesc *relation = relation_find(session, oid);
        *ret_events = 0;
        if (!relation || (relation->kind != RELKIND_TABLE && relation->kind != RELKIND_VIEW))
            return !error_is_set();
        *ret_events = events;
        if (relation->kind == RELKIND_TABLE)
            return true;
        *ret_events = 0;
        const Query *view = analyze_view_text(call->arena, session, relation->view_text);
        TRY(view);
        if (view_why_not_updatable(session, view))
            return true;
        int found = 0, wanted = 0;
        for (int i = 1; i <= (int)view->targets.length; i++) {
            const int column = view->targets.items[i - 1].is_junk ? 0 : base_column(view, i);
            found += column != 0;
            if (i == attnum)
                wanted = column;
        }
        if (attnum ? wanted == 0 : found == 0)
            events &= MAY_DELETE;
        attnum = wanted;
        oid = query_rte(view, view->from.items[0]->rel)->relation;
    }
}

FUNCTION(pg_relation_is_updatable)
{
    return relation_events(call, args[0].oid, 0, &ret->int32);
}

FUNCTION(pg_column_is_updatable)
{
    const int wanted = MAY_UPDATE | MAY_DELETE;
    int events = 0;

    if (args[1].int16 > 0)
        TRY(relation_events(call, args[0].oid, args[1].int16, &events));
    ret->boolean = (events & wanted) == wanted;
    return true;
}
