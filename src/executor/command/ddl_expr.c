/* Expressions and queries that are stored: canonical text, dependencies, renames. */
#include "base/scheduler.h"
#include "catalog/system_row.h"
#include "executor/command/ddl_internal.h"
#include "planner/deparse.h"
#include "planner/query_walk.h"

static const SearchPath catalog_only = {.namespaces = (const Oid[]){NAMESPACE_PG_CATALOG},
                                        .count = 1};

void error_hide_position(void)
{
    ErrorFields fields = *error_fields();

    fields.position = 0;
    error_set(&fields);
}

bool ddl_stored_expression(CommandContext *context, const Node *node, const RelationDesc *relation,
                           StoredExprKind kind, Oid type, int32_t typmod, Str subject,
                           StoredText *ret)
{
    CatalogSession *session = ddl_catalog(context);
    AnalyzeContext analyze = {
        .arena = context->arena, .session = session, .source = context->source};

    ret->expr = analyze_expression(&analyze, node, relation, kind, type, typmod, subject);
    if (!ret->expr && context->hides_positions)
        error_hide_position();
    TRY(ret->expr);
    return deparse_expression(context->arena, session, ret->expr, relation, DEPARSE_QUALIFIED,
                              &ret->text);
}

/* ---- dependencies ---- */

typedef struct Uses {
    CommandContext *context;
    ObjectVec objects;
    Oid relation;     /* columns of level 0 are this one's; 0: of the query's range table */
    bool ranges_only; /* what range tables name, and nothing else */
} Uses;

static void uses_add(Uses *uses, ObjectAddress object)
{
    for (size_t i = 0; i < uses->objects.length; i++)
        if (uses->objects.items[i].class_oid == object.class_oid &&
            uses->objects.items[i].oid == object.oid &&
            uses->objects.items[i].column == object.column)
            return;
    VEC_PUSH(uses->context->arena, &uses->objects, object);
}

/* 'seq'::regclass and its like name objects by constants. */
static void uses_constant(Uses *uses, const ExprConst *constant)
{
    if (constant->is_null)
        return;
    switch (constant->base.type) {
    case 2205:
        uses_add(uses, address_of_relation(constant->value.oid));
        break; /* regclass */
    case 2206:
        uses_add(uses, (ObjectAddress){RELATION_PG_TYPE, constant->value.oid, 0});
        break;
    case 4089:
        uses_add(uses, (ObjectAddress){RELATION_PG_NAMESPACE, constant->value.oid, 0});
        break;
    default:
        break;
    }
}

static void uses_query(Uses *uses, Query *query);

static WalkStep uses_visit(void *argument, Expr *expr, int depth)
{
    Uses *uses = argument;

    if (uses->ranges_only && expr->kind != EXPR_SUB_LINK)
        return WALK_CHILDREN;
    switch (expr->kind) {
    case EXPR_CONST:
        uses_constant(uses, EXPR_AS(ExprConst, expr));
        break;
    case EXPR_FUNCTION:
        uses_add(uses, (ObjectAddress){RELATION_PG_PROC, EXPR_AS(ExprFunction, expr)->function, 0});
        break;
    case EXPR_COLUMN: {
        const ExprColumn *column = EXPR_AS(ExprColumn, expr);
        if (uses->relation && column->levels_up == depth)
            uses_add(uses,
                     (ObjectAddress){RELATION_PG_CLASS, uses->relation, MAX(column->attnum, 0)});
        break;
    }
    case EXPR_SUB_LINK:
        uses_query(uses, EXPR_AS(ExprSubLink, expr)->query);
        break;
    default:
        break;
    }
    if (expr->type >= OID_FIRST_USER && !uses->ranges_only)
        uses_add(uses, (ObjectAddress){RELATION_PG_TYPE, expr->type, 0});
    return WALK_CHILDREN;
}

/* Columns by the query's own range table: read ones are in the entries' bitmaps. */
static void uses_query(Uses *uses, Query *query)
{
    for (size_t i = 0; i < query->range_table.length; i++) {
        const RangeTableEntry *rte = query->range_table.items[i];
        if (rte->kind == RANGE_SUBQUERY && rte->subquery && !rte->relation)
            uses_query(uses, rte->subquery);
        if (!rte->relation)
            continue;
        bool any = false;
        for (int word = 0; word < rte->bitmap_words; word++)
            for (int bit = 0; bit < 64; bit++)
                if (rte->selected_columns[word] >> bit & 1) {
                    any = true;
                    uses_add(uses, (ObjectAddress){RELATION_PG_CLASS, rte->relation,
                                                   word * 64 + bit + 1});
                }
        if (!any || rte->selects_whole_row)
            uses_add(uses, address_of_relation(rte->relation));
    }
    for (size_t i = 0; i < query->key_constraints.length && !uses->ranges_only; i++)
        uses_add(uses, (ObjectAddress){RELATION_PG_CONSTRAINT, query->key_constraints.items[i], 0});
    for (size_t i = 0; i < query->ctes.length; i++)
        if (query->ctes.items[i]->query)
            uses_query(uses, query->ctes.items[i]->query);
}

static bool uses_record(Uses *uses, ObjectAddress dependent, DependencyKind self_kind)
{
    CatalogSession *session = ddl_catalog(uses->context);

    for (size_t i = 0; i < uses->objects.length; i++) {
        const ObjectAddress object = uses->objects.items[i];
        const bool own =
            uses->relation && object.class_oid == RELATION_PG_CLASS && object.oid == uses->relation;
        TRY(depend_record(session, dependent, object, own ? self_kind : DEPENDENCY_NORMAL));
    }
    return true;
}

bool ddl_depend_on_expression(CommandContext *context, ObjectAddress dependent, Expr *expr,
                              const RelationDesc *relation, DependencyKind self_kind)
{
    Uses uses = {.context = context, .relation = relation ? relation->oid : OID_NONE};

    TRY(expr_walk_deep(expr, 0, uses_visit, &uses));
    return uses_record(&uses, dependent, self_kind);
}

bool ddl_query_relations(CommandContext *context, Query *query, OidVec *ret_relations)
{
    Uses uses = {.context = context, .ranges_only = true};

    uses_query(&uses, query);
    TRY(query_walk_deep(query, 0, uses_visit, &uses));
    for (size_t i = 0; i < uses.objects.length; i++) {
        const Oid oid = uses.objects.items[i].oid; /* its columns follow one another */
        if (oid >= OID_FIRST_USER && !(ret_relations->length > 0 && VEC_LAST(ret_relations) == oid))
            VEC_PUSH(context->arena, ret_relations, oid);
    }
    return true;
}

bool ddl_lock_query(CommandContext *context, Query *query, bool *ret_moved)
{
    CatalogSession *session = ddl_catalog(context);
    const uint64_t version = catalog_version(session);
    OidVec relations = {0};

    *ret_moved = false;
    TRY(ddl_query_relations(context, query, &relations));
    for (size_t i = 0; i < relations.length; i++) {
        const ObjectLocked outcome =
            object_lock(session, address_of_relation(relations.items[i]), LOCK_ACCESS_SHARE);
        TRY(outcome);
        *ret_moved |= outcome == OBJECT_GONE;
    }
    *ret_moved |= catalog_version(session) != version;
    return true;
}

bool ddl_depend_on_query(CommandContext *context, ObjectAddress dependent, Query *query)
{
    Uses uses = {.context = context};

    uses_query(&uses, query);
    TRY(query_walk_deep(query, 0, uses_visit, &uses));
    return uses_record(&uses, dependent, DEPENDENCY_NORMAL);
}

bool ddl_expression_columns(CommandContext *context, Expr *expr, AttnumVec *columns)
{
    Uses uses = {.context = context, .relation = 1};

    TRY(expr_walk_deep(expr, 0, uses_visit, &uses));
    for (size_t i = 0; i < uses.objects.length; i++) {
        const ObjectAddress object = uses.objects.items[i];
        if (object.class_oid != RELATION_PG_CLASS || object.oid != 1 || object.column == 0)
            continue;
        size_t at = columns->length;
        VEC_PUSH(context->arena, columns, 0);
        for (; at > 0 && columns->items[at - 1] > object.column; at--)
            columns->items[at] = columns->items[at - 1];
        columns->items[at] = (int16_t)object.column;
    }
    return true;
}

/* ---- renames ---- */

static bool stale_add_default(CommandContext *context, const RelationDesc *relation,
                              const ColumnDesc *column, StaleVec *stale)
{
    StaleText text = {.kind = STALE_DEFAULT,
                      .oid = column->default_oid,
                      .relation = relation->oid,
                      .attnum = column->attnum};

    text.expr = analyze_expression_text(
        context->arena, ddl_catalog(context), column->default_text, relation,
        column->generated ? STORED_GENERATED : STORED_DEFAULT, column->type, column->typmod);
    TRY(text.expr);
    VEC_PUSH(context->arena, stale, text);
    return true;
}

static bool stale_add_check(CommandContext *context, const RelationDesc *relation,
                            const ConstraintDesc *check, StaleVec *stale)
{
    StaleText text = {.kind = STALE_CHECK, .oid = check->oid, .relation = relation->oid};

    text.expr = analyze_expression_text(context->arena, ddl_catalog(context), check->check_text,
                                        relation, STORED_CHECK, 16, -1);
    TRY(text.expr);
    VEC_PUSH(context->arena, stale, text);
    return true;
}

static bool stale_add_index(CommandContext *context, const RelationDesc *relation,
                            const IndexDesc *index, StaleVec *stale)
{
    StaleText text = {.kind = STALE_INDEX, .oid = index->oid, .relation = relation->oid};

    for (int i = 0; i < index->column_count; i++) {
        if (index->columns[i].attnum)
            continue;
        Expr *expr = analyze_expression_text(context->arena, ddl_catalog(context),
                                             index->columns[i].expression, relation,
                                             STORED_INDEX_KEY, OID_NONE, -1);
        TRY(expr);
        VEC_PUSH(context->arena, &text.index_exprs, expr);
    }
    if (!str_is_none(index->predicate)) {
        Expr *expr = analyze_expression_text(context->arena, ddl_catalog(context), index->predicate,
                                             relation, STORED_INDEX_PREDICATE, 16, -1);
        TRY(expr);
        text.has_predicate = true;
        VEC_PUSH(context->arena, &text.index_exprs, expr);
    }
    if (text.index_exprs.length)
        VEC_PUSH(context->arena, stale, text);
    return true;
}

static bool stale_add_view(CommandContext *context, Oid view, StaleVec *stale)
{
    StaleText text = {.kind = STALE_VIEW, .oid = view};
    const RelationDesc *relation = relation_get(ddl_catalog(context), view);

    TRY(relation);
    for (size_t i = 0; i < stale->length; i++)
        if (stale->items[i].kind == STALE_VIEW && stale->items[i].oid == view)
            return true;
    if (str_is_none(relation->view_text))
        return true;
    text.query = analyze_view_text(context->arena, ddl_catalog(context), relation->view_text);
    TRY(text.query);
    VEC_PUSH(context->arena, stale, text);
    return true;
}

static bool stale_of_table(CommandContext *context, const RelationDesc *relation, StaleVec *stale)
{
    for (int i = 0; i < relation->column_count; i++)
        if (relation->columns[i].generated && relation->columns[i].has_default)
            TRY(stale_add_default(context, relation, &relation->columns[i], stale));
    for (int i = 0; i < relation->constraint_count; i++)
        if (relation->constraints[i].kind == CONTYPE_CHECK)
            TRY(stale_add_check(context, relation, &relation->constraints[i], stale));
    for (int i = 0; relation->kind != RELKIND_INDEX && i < relation->index_count; i++)
        TRY(stale_add_index(context, relation, &relation->indexes[i], stale));
    return true;
}

/* Views and defaults elsewhere that name the relation (a sequence in nextval, say). */
static bool stale_of_users(CommandContext *context, ObjectAddress object, StaleVec *stale)
{
    CatalogSession *session = ddl_catalog(context);
    DependencyVec users = {0};

    TRY(depend_on(session, object, context->arena, &users));
    for (size_t i = 0; i < users.length; i++) {
        const ObjectAddress user = users.items[i].dependent;
        const bool is_rule = user.class_oid == RELATION_PG_REWRITE;
        const bool is_default = user.class_oid == RELATION_PG_ATTRDEF;
        CatalogRow row;
        if (!is_rule && !is_default)
            continue;
        const RowFound found = system_row_find(
            session, is_rule ? INDEX_PG_REWRITE_OID_INDEX : INDEX_PG_ATTRDEF_OID_INDEX,
            &(Value){.oid = user.oid}, 1, &row);
        TRY(found);
        if (found == ROW_MISSING)
            continue;
        if (is_rule) {
            const Oid view = row_oid(&row, PG_REWRITE_EV_CLASS);
            if (view != object.oid)
                TRY(stale_add_view(context, view, stale));
            continue;
        }
        const RelationDesc *table = relation_get(session, row_oid(&row, PG_ATTRDEF_ADRELID));
        TRY(table);
        const ColumnDesc *column = relation_column_at(table, row.values[PG_ATTRDEF_ADNUM].int16);
        if (table->oid != object.oid && column)
            TRY(stale_add_default(context, table, column, stale));
    }
    return true;
}

bool ddl_rename_prepare(CommandContext *context, ObjectAddress object, StaleVec *ret_stale)
{
    CatalogSession *session = ddl_catalog(context);
    DependencyVec members = {0};

    if (object.class_oid == RELATION_PG_CLASS) {
        const RelationDesc *relation = relation_get(session, object.oid);
        TRY(relation);
        TRY(stale_of_table(context, relation, ret_stale));
        return stale_of_users(context, address_of_relation(object.oid), ret_stale);
    }
    if (object.class_oid != RELATION_PG_NAMESPACE)
        return true;
    TRY(depend_on(session, object, context->arena, &members));
    for (size_t i = 0; i < members.length; i++)
        if (members.items[i].dependent.class_oid == RELATION_PG_CLASS)
            TRY(stale_of_users(context, address_of_relation(members.items[i].dependent.oid),
                               ret_stale));
    return true;
}

static bool row_text_update(CommandContext *context, CatalogIndexId index, Oid oid, int column,
                            Str text)
{
    CatalogRow row;
    const RowFound found =
        system_row_find(ddl_catalog(context), index, &(Value){.oid = oid}, 1, &row);

    TRY(found);
    if (found == ROW_MISSING || str_equal(row_text(&row, column), text))
        return true;
    row_set_text(&row, column, text);
    return system_row_update(ddl_catalog(context), &row);
}

static bool finish_index(CommandContext *context, const RelationDesc *relation,
                         const StaleText *stale)
{
    StrBuf expressions = strbuf_in(context->arena);
    const size_t count = stale->index_exprs.length - (stale->has_predicate ? 1 : 0);

    for (size_t i = 0; i < stale->index_exprs.length; i++) {
        Str text;
        TRY(deparse_expression(context->arena, ddl_catalog(context), stale->index_exprs.items[i],
                               relation, DEPARSE_QUALIFIED, &text));
        if (i == count) {
            TRY(row_text_update(context, INDEX_PG_INDEX_INDEXRELID_INDEX, stale->oid,
                                PG_INDEX_INDPRED, text));
            continue;
        }
        if (i > 0)
            strbuf_append_char(&expressions, '\x1f');
        strbuf_append(&expressions, text);
    }
    return count == 0 || row_text_update(context, INDEX_PG_INDEX_INDEXRELID_INDEX, stale->oid,
                                         PG_INDEX_INDEXPRS, strbuf_view(&expressions));
}

/* An analyzed query carries names from when it was analyzed; they are taken anew. */
static bool query_refresh(CommandContext *context, Query *query);

static WalkStep refresh_visit(void *argument, Expr *expr, int depth)
{
    CommandContext *context = argument;

    if (expr->kind == EXPR_SUB_LINK && !query_refresh(context, EXPR_AS(ExprSubLink, expr)->query))
        return WALK_STOP;
    return WALK_CHILDREN;
}

static bool entry_refresh(CommandContext *context, RangeTableEntry *rte)
{
    const RelationDesc *relation = relation_get(ddl_catalog(context), rte->relation);

    TRY(relation);
    rte->schema_name = str_copy(context->arena, relation->namespace_name);
    rte->relation_name = str_copy(context->arena, relation->name);
    if (str_is_none(rte->alias_name))
        rte->name = rte->relation_name;
    for (int i = rte->alias_column_count; i < rte->column_count && i < relation->column_count; i++)
        if (!relation->columns[i].dropped)
            rte->columns[i].name = str_copy(context->arena, relation->columns[i].name);
    return true;
}

static bool query_refresh(CommandContext *context, Query *query)
{
    if (task_stack_left() < 32 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    for (size_t i = 0; i < query->range_table.length; i++) {
        RangeTableEntry *rte = query->range_table.items[i];
        if (rte->relation)
            TRY(entry_refresh(context, rte));
        else if (rte->kind == RANGE_SUBQUERY && rte->subquery)
            TRY(query_refresh(context, rte->subquery));
    }
    for (size_t i = 0; i < query->ctes.length; i++)
        if (query->ctes.items[i]->query)
            TRY(query_refresh(context, query->ctes.items[i]->query));
    return query_walk_deep(query, 0, refresh_visit, context);
}

bool ddl_rename_finish(CommandContext *context, const StaleVec *stale)
{
    CatalogSession *session = ddl_catalog(context);
    bool ok = true;
    const SearchPath *old = catalog_override_search_path(session, &catalog_only);

    for (size_t i = 0; ok && i < stale->length; i++) {
        const StaleText *text = &stale->items[i];
        const RelationDesc *relation =
            text->relation ? relation_get(session, text->relation) : NULL;
        Str printed;
        ok = relation || !text->relation;
        if (!ok)
            break;
        if (text->kind == STALE_VIEW) {
            ok = query_refresh(context, text->query) &&
                 deparse_query(context->arena, session, text->query, DEPARSE_QUALIFIED, &printed);
            CatalogRow row;
            const Value keys[] = {{.oid = text->oid}, {.var = var_from_str(STR("_RETURN"))}};
            ok = ok && system_row_find(session, INDEX_PG_REWRITE_REL_RULENAME_INDEX, keys, 2,
                                       &row) == ROW_FOUND;
            if (ok) {
                row_set_text(&row, PG_REWRITE_EV_ACTION, printed);
                ok = system_row_update(session, &row);
            }
        } else if (text->kind == STALE_INDEX) {
            ok = finish_index(context, relation, text);
        } else {
            const bool is_default = text->kind == STALE_DEFAULT;
            ok = deparse_expression(context->arena, session, text->expr, relation,
                                    DEPARSE_QUALIFIED, &printed) &&
                 row_text_update(
                     context,
                     is_default ? INDEX_PG_ATTRDEF_OID_INDEX : INDEX_PG_CONSTRAINT_OID_INDEX,
                     text->oid, is_default ? PG_ATTRDEF_ADBIN : PG_CONSTRAINT_CONBIN, printed);
        }
    }
    (void)catalog_override_search_path(session, old);
    return ok;
}
