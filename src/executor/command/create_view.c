/* CREATE [OR REPLACE] VIEW. */
#include "catalog/system_row.h"
#include "executor/command/ddl_internal.h"
#include "planner/deparse.h"
#include "types/type.h"

typedef struct NewView {
    CommandContext *context;
    const ViewStmt *statement;
    Query *query;
    ColumnDefinition *columns;
    uint16_t count;
    Str options;
} NewView;

static bool view_columns(NewView *view)
{
    CatalogSession *session = ddl_catalog(view->context);
    const StrVec *aliases = &view->statement->aliases;
    TargetVec *targets = &view->query->targets;
    uint16_t count = 0;

    view->columns = ARENA_ARRAY(view->context->arena, ColumnDefinition, targets->length + 1);
    for (size_t i = 0; i < targets->length; i++) {
        TargetEntry *target = &targets->items[i];
        if (target->is_junk)
            continue;
        /* The view's column names become the query's own, so that its text says them. */
        if (count < aliases->length)
            target->name = aliases->items[count];
        const TypeDesc *type = type_get(session, target->expr->type);
        TRY(type);
        const bool may_be_any = (type->oid == TYPE_ANYARRAY || type->oid == TYPE_RECORD) &&
                                catalog_is_bootstrapping(session->catalog);
        if (type->kind == 'p' && type->oid != TYPE_UNKNOWN && !may_be_any)
            FAIL(ERR_INVALID_TABLE_DEFINITION,
                 .message = fmt("column \"%.*s\" has pseudo-type %.*s", STR_ARGS(target->name),
                                STR_ARGS(type_name(session, type->oid))));
        for (int j = 0; j < count; j++)
            if (str_equal(view->columns[j].name, target->name))
                FAIL(ERR_DUPLICATE_COLUMN,
                     .message =
                         fmt("column \"%.*s\" specified more than once", STR_ARGS(target->name)));
        view->columns[count++] = (ColumnDefinition){
            .name = target->name,
            .type = type->oid,
            .typmod = target->expr->typmod,
            .collation = type->collation
                             ? (target->expr->collation ? target->expr->collation : type->collation)
                             : OID_NONE};
    }
    if (aliases->length > count)
        FAIL(ERR_SYNTAX_ERROR,
             .message = STR("CREATE VIEW specifies more column names than columns"));
    view->count = count;
    return true;
}

static bool view_options(NewView *view)
{
    StrBuf text = strbuf_in(view->context->arena);
    const ViewCheckOption check = view->statement->check_option;

    TRY(ddl_options_text(view->context, &view->statement->options,
                         "security_barrier check_option security_invoker", &view->options));
    if (check == NO_CHECK_OPTION)
        return true;
    strbuf_append_char(&text, '{');
    if (!str_is_none(view->options))
        strbuf_format(&text, "%.*s,", (int)view->options.length - 2, view->options.data + 1);
    strbuf_format(&text, "check_option=%s}", check == LOCAL_CHECK_OPTION ? "local" : "cascaded");
    view->options = strbuf_view(&text);
    return true;
}

/* The columns that were there stay as they were; more may follow. */
static bool check_replaceable(NewView *view, const RelationDesc *old)
{
    CatalogSession *session = ddl_catalog(view->context);

    if (view->count < old->column_count)
        FAIL(ERR_INVALID_TABLE_DEFINITION, .message = STR("cannot drop columns from view"));
    for (int i = 0; i < old->column_count; i++) {
        const ColumnDesc *was = &old->columns[i];
        const ColumnDefinition *is = &view->columns[i];
        if (!str_equal(was->name, is->name))
            FAIL(ERR_INVALID_TABLE_DEFINITION,
                 .message = fmt("cannot change name of view column \"%.*s\" to \"%.*s\"",
                                STR_ARGS(was->name), STR_ARGS(is->name)),
                 .hint = STR("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column "
                             "instead."));
        if (was->type != is->type || was->typmod != is->typmod) {
            const Str from = type_sql_name(session, was->type, was->typmod, view->context->arena);
            const Str to = type_sql_name(session, is->type, is->typmod, view->context->arena);
            FAIL(ERR_INVALID_TABLE_DEFINITION,
                 .message = fmt("cannot change data type of view column \"%.*s\" from %.*s to %.*s",
                                STR_ARGS(was->name), STR_ARGS(from), STR_ARGS(to)));
        }
    }
    return true;
}

static bool view_replace(NewView *view, const RelationDesc *old)
{
    CatalogSession *session = ddl_catalog(view->context);
    CatalogRow row;
    int16_t attnum;

    if (old->kind != RELKIND_VIEW)
        FAIL(ERR_WRONG_OBJECT_TYPE, .message = fmt("\"%.*s\" is not a view", STR_ARGS(old->name)));
    TRY(ddl_check_owner(view->context, old));
    TRY(check_replaceable(view, old));
    const Oid oid = old->oid;
    for (int i = old->column_count; i < view->count; i++) {
        const RelationDesc *now = relation_get(session, oid);
        TRY(now);
        TRY(define_column(session, now, &view->columns[i], NULL, &attnum));
    }
    TRY(system_row_find(session, INDEX_PG_CLASS_OID_INDEX, &(Value){.oid = oid}, 1, &row));
    row_set_null(&row, PG_CLASS_RELOPTIONS);
    if (!str_is_none(view->options)) {
        Value value;
        TRY(type_input(view->context->arena, TYPE_TEXT_ARRAY, -1, view->options, &value));
        row_set_value(&row, PG_CLASS_RELOPTIONS, value);
    }
    return system_row_update(session, &row);
}

/* What has the name already, under a lock; 0: nothing. */
static bool lock_existing(NewView *view, Oid namespace_oid, Oid *ret_existing)
{
    CatalogSession *session = ddl_catalog(view->context);
    const Str name = view->statement->view->relation;

    for (;;) {
        const Oid oid = relation_oid_in(session, namespace_oid, name);
        TRY(!error_is_set());
        if (oid) {
            TRY(privilege_check_owner(session, ON_TABLE, oid)); /* before anybody waits */
            TRY(object_lock(session, address_of_relation(oid), LOCK_ACCESS_EXCLUSIVE));
        }
        if (relation_oid_in(session, namespace_oid, name) == oid) {
            *ret_existing = oid;
            return !error_is_set();
        }
        CHECK_INTERRUPTS();
    }
}

static bool rule_define(NewView *view, Oid oid, bool replace)
{
    CommandContext *context = view->context;
    CatalogSession *session = ddl_catalog(context);
    const Value keys[] = {{.oid = oid}, {.var = var_from_str(STR("_RETURN"))}};
    CatalogRow row;
    Str text;

    TRY(deparse_query(context->arena, session, view->query, DEPARSE_QUALIFIED, &text));
    TRY(define_view_rule(session, oid, text, replace));
    TRY(system_row_find(session, INDEX_PG_REWRITE_REL_RULENAME_INDEX, keys, 2, &row));
    const ObjectAddress rule = {RELATION_PG_REWRITE, row_oid(&row, PG_REWRITE_OID), 0};
    return ddl_depend_on_query(context, rule, view->query);
}

/* A view over temporary tables is temporary. */
static bool uses_temporary(NewView *view)
{
    CatalogSession *session = ddl_catalog(view->context);

    for (size_t i = 0; i < view->query->range_table.length; i++) {
        const RangeTableEntry *rte = view->query->range_table.items[i];
        const RelationDesc *relation = rte->relation ? relation_find(session, rte->relation) : NULL;
        if (relation && relation->persistence == RELPERSISTENCE_TEMPORARY)
            return true;
    }
    return false;
}

static bool has_plain_column(const Query *query)
{
    for (size_t i = 0; i < query->targets.length; i++)
        if (!query->targets.items[i].is_junk && query->targets.items[i].expr->kind == EXPR_COLUMN)
            return true;
    return false;
}

/* WITH CHECK OPTION means nothing where rows cannot be written. */
static bool check_updatable(const NewView *view)
{
    const char *why = view_why_not_updatable(ddl_catalog(view->context), view->query);

    if (!why && !has_plain_column(view->query))
        why = "Views that have no updatable columns are not automatically updatable.";
    if (!why || str_is_none(view->options) ||
        str_find(view->options, STR("check_option="), 0) == SIZE_MAX)
        return true;
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message = STR("WITH CHECK OPTION is supported only on automatically updatable views"),
         .hint = str_from_c(why));
}

/* What the query names stays as it is, from the analysis to the view's being there. */
static bool view_query(NewView *view)
{
    CommandContext *context = view->context;
    AnalyzeContext analyze = {
        .arena = context->arena, .session = ddl_catalog(context), .source = context->source};

    for (bool moved = true; moved;) {
        view->query = analyze_statement(&analyze, (const Node *)view->statement->query);
        TRY(view->query);
        TRY(ddl_lock_query(context, view->query, &moved));
        CHECK_INTERRUPTS();
    }
    return true;
}

bool ddl_create_view(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const ViewStmt *statement = NODE_CAST(ViewStmt, node);
    NewView view = {.context = context, .statement = statement};
    RangeVar name = *statement->view;
    name.node.position = 0; /* as PostgreSQL's, errors of the place have none */
    CreationPlace place;
    Oid oid;

    *ret_tag = STR("CREATE VIEW");
    if (statement->query->into_clause)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("views must not contain SELECT INTO"));
    TRY(view_query(&view));
    if (view.query->has_modifying_cte)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("views must not contain data-modifying statements in WITH"));
    TRY(view_columns(&view));
    TRY(view_options(&view));
    TRY(check_updatable(&view));
    if (name.persistence == PERSISTENCE_PERMANENT && uses_temporary(&view)) {
        name.persistence = PERSISTENCE_TEMPORARY;
        DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
                   fmt("view \"%.*s\" will be a temporary view", STR_ARGS(name.relation)));
    }
    TRY(ddl_creation_place(context, &name, &place));
    Oid existing = OID_NONE;
    if (statement->replace)
        TRY(lock_existing(&view, place.namespace_oid, &existing));
    if (existing) {
        const RelationDesc *old = relation_get(session, existing);
        TRY(old);
        TRY(view_replace(&view, old));
        return rule_define(&view, existing, true);
    }
    const RelationDefinition definition = {.name = name.relation,
                                           .namespace_oid = place.namespace_oid,
                                           .kind = RELKIND_VIEW,
                                           .persistence = place.persistence,
                                           .owner = session->current_user,
                                           .columns = view.columns,
                                           .column_count = view.count,
                                           .options = view.options};
    TRY(define_relation(session, &definition, &oid));
    return rule_define(&view, oid, false);
}
