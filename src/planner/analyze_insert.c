#include "planner/analyze_internal.h"

/* ---- assignment ---- */

Expr *assign_column(Scope *scope, const RelationDesc *relation, const ColumnDesc *column,
                    const NodeVec *indirection, Expr *current, Expr *source, ExprPlace place,
                    int position)
{
    bool failed = false;
    (void)place;
    if (source->kind == EXPR_DEFAULT)
        return source;
    if (indirection && indirection->length > 0) {
        (void)current;
        FAIL_UNSUPPORTED("assignment to an array element or field");
    }
    (void)relation;
    Expr *made = coerce_to_target(scope, source, column->type, column->typmod, COERCION_ASSIGNMENT,
                                  CALL_IMPLICIT_CAST, 0, &failed);
    if (made || failed)
        return made;
    FAIL(ERR_DATATYPE_MISMATCH,
         .message = fmt("column \"%.*s\" is of type %.*s but expression is of type %.*s",
                        STR_ARGS(column->name), STR_ARGS(type_text(scope, column->type)),
                        STR_ARGS(type_text(scope, source->type))),
         .hint = STR("You will need to rewrite or cast the expression."),
         .position = source->position ? expr_location(source) : position);
}

Expr *column_default(AnalyzeContext *context, const RelationDesc *relation,
                     const ColumnDesc *column)
{
    if (column->identity) {
        ExprNextValue *next = EXPR_NEW(context->arena, ExprNextValue, EXPR_NEXT_VALUE);
        next->base.type = TYPE_INT8;
        next->sequence = column->identity_sequence;
        if (column->type == TYPE_INT8)
            return &next->base;
        Scope *scope = scope_new(context, NULL);
        bool failed = false;
        return coerce_to_target(scope, &next->base, column->type, -1, COERCION_ASSIGNMENT,
                                CALL_IMPLICIT_CAST, 0, &failed);
    }
    if (column->has_default && !column->generated)
        return analyze_expression_text(context->arena, context->session, column->default_text,
                                       relation, STORED_DEFAULT, column->type, column->typmod);
    return expr_null(context->arena, column->type, column->typmod, column->collation);
}

/* ---- the column list ---- */

typedef struct InsertColumns {
    VEC(const ColumnDesc *) columns;
    VEC(const ResTarget *) written; /* NULL where the list was not written */
} InsertColumns;

static bool insert_columns(Scope *scope, const InsertStmt *insert, InsertColumns *ret)
{
    const RelationDesc *relation = scope->target;
    Arena *arena = scope_arena(scope);

    if (insert->cols.length == 0) {
        for (int i = 0; i < relation->column_count; i++) {
            if (relation->columns[i].dropped)
                continue;
            VEC_PUSH(arena, &ret->columns, &relation->columns[i]);
            VEC_PUSH(arena, &ret->written, NULL);
        }
        return true;
    }
    for (size_t i = 0; i < insert->cols.length; i++) {
        const ResTarget *target = insert->cols.items[i];
        const ColumnDesc *column = relation_column(relation, target->name);
        if (!column) {
            if (system_column_find(target->name))
                FAIL(ERR_FEATURE_NOT_SUPPORTED,
                     .message =
                         fmt("cannot assign to system column \"%.*s\"", STR_ARGS(target->name)),
                     .position = target->node.position);
            FAIL(ERR_UNDEFINED_COLUMN,
                 .message = fmt("column \"%.*s\" of relation \"%.*s\" does not exist",
                                STR_ARGS(target->name), STR_ARGS(relation->name)),
                 .position = target->node.position);
        }
        for (size_t k = 0; k < i; k++)
            if (ret->columns.items[k] == column && target->indirection.length == 0)
                FAIL(ERR_DUPLICATE_COLUMN,
                     .message =
                         fmt("column \"%.*s\" specified more than once", STR_ARGS(target->name)),
                     .position = target->node.position);
        VEC_PUSH(arena, &ret->columns, column);
        VEC_PUSH(arena, &ret->written, target);
    }
    return true;
}

static bool check_counts(const InsertStmt *insert, const InsertColumns *columns,
                         const ExprVec *exprs)
{
    if (exprs->length > columns->columns.length)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("INSERT has more expressions than target columns"),
             .position = expr_location(exprs->items[columns->columns.length]));
    if (insert->cols.length > 0 && exprs->length < columns->columns.length)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("INSERT has more target columns than expressions"),
             .position = insert->cols.items[exprs->length]->node.position);
    return true;
}

/* One row's expressions made into the columns' types. */
static bool insert_row(Scope *scope, const InsertStmt *insert, const InsertColumns *columns,
                       ExprVec *exprs)
{
    TRY(check_counts(insert, columns, exprs));
    for (size_t i = 0; i < exprs->length; i++) {
        const ResTarget *written = columns->written.items[i];
        TRY(exprs->items[i] =
                assign_column(scope, scope->target, columns->columns.items[i],
                              written ? &written->indirection : NULL, NULL, exprs->items[i],
                              PLACE_INSERT_TARGET, written ? written->node.position : 0));
    }
    return true;
}

/* DEFAULTs become what they stand for; identity and generated columns guard themselves. */
static bool resolve_default(Scope *scope, const ColumnDesc *column, Expr **slot)
{
    const RelationDesc *relation = scope->target;
    const bool is_default = (*slot)->kind == EXPR_DEFAULT;
    const OverridingKind overriding = scope->query->overriding;

    if (column->identity && !is_default) {
        if (overriding == OVERRIDING_USER_VALUE) {
            TRY(*slot = column_default(scope->context, relation, column));
            return true;
        }
        if (column->identity == 'a' && overriding != OVERRIDING_SYSTEM_VALUE)
            FAIL(ERR_GENERATED_ALWAYS,
                 .message = fmt("cannot insert a non-DEFAULT value into column \"%.*s\"",
                                STR_ARGS(column->name)),
                 .detail = fmt("Column \"%.*s\" is an identity column defined as GENERATED ALWAYS.",
                               STR_ARGS(column->name)),
                 .hint = STR("Use OVERRIDING SYSTEM VALUE to override."));
    }
    if (column->generated && !is_default)
        FAIL(ERR_GENERATED_ALWAYS,
             .message = fmt("cannot insert a non-DEFAULT value into column \"%.*s\"",
                            STR_ARGS(column->name)),
             .detail = fmt("Column \"%.*s\" is a generated column.", STR_ARGS(column->name)));
    if (is_default)
        TRY(*slot = column_default(scope->context, relation, column));
    return true;
}

static void add_insert_target(Scope *scope, const ColumnDesc *column, Expr *expr)
{
    TargetEntry target = {.expr = expr, .name = column->name, .attnum = column->attnum};
    VEC_PUSH(scope_arena(scope), &scope->query->targets, target);
    RangeTableEntry *rte = scope->target_item->rte;
    rte_mark(scope_arena(scope), rte, &rte->modified_columns, column->attnum);
}

static bool insert_default_values(Scope *scope)
{
    (void)scope; /* columns without a target get their defaults below */
    return true;
}

static bool insert_single_row(Scope *scope, const InsertStmt *insert, InsertColumns *columns)
{
    ExprVec row = {0};
    TRY(analyze_expr_list(scope, &insert->select->values_lists.items[0], PLACE_VALUES_SINGLE, true,
                          &row));
    TRY(insert_row(scope, insert, columns, &row));
    for (size_t i = 0; i < row.length; i++) {
        TRY(resolve_default(scope, columns->columns.items[i], &row.items[i]));
        add_insert_target(scope, columns->columns.items[i], row.items[i]);
    }
    return true;
}

static bool insert_many_rows(Scope *scope, const InsertStmt *insert, InsertColumns *columns)
{
    Arena *arena = scope_arena(scope);
    const NodeVecVec *lists = &insert->select->values_lists;
    RangeTableEntry *rte = rte_new(scope, RANGE_VALUES, insert->select->node.position);

    for (size_t r = 0; r < lists->length; r++) {
        ExprVec row = {0};
        TRY(analyze_expr_list(scope, &lists->items[r], PLACE_VALUES, true, &row));
        if (r > 0 && row.length != rte->values.items[0].length)
            FAIL(ERR_SYNTAX_ERROR, .message = STR("VALUES lists must all be the same length"),
                 .position = lists->items[r].items[0]->position);
        TRY(insert_row(scope, insert, columns, &row));
        for (size_t i = 0; i < row.length; i++) {
            if (row.items[i]->kind != EXPR_DEFAULT && columns->columns.items[i]->identity &&
                scope->query->overriding == OVERRIDING_NOT_SET)
                TRY(resolve_default(scope, columns->columns.items[i], &row.items[i]));
            else
                TRY(resolve_default(scope, columns->columns.items[i], &row.items[i]));
        }
        VEC_PUSH(arena, &rte->values, row);
    }
    const size_t count = rte->values.items[0].length;
    rte->column_count = (int)count;
    rte->columns = ARENA_ARRAY(arena, RangeColumn, count + 1);
    for (size_t i = 0; i < count; i++) {
        const ColumnDesc *column = columns->columns.items[i];
        rte->columns[i] = (RangeColumn){.name = str_format(arena, "column%zu", i + 1),
                                        .type = column->type,
                                        .typmod = column->typmod,
                                        .collation = column->collation};
    }
    rte->name = STR("*VALUES*");
    const int rel = scope_add_rte(scope, rte);
    FromItem *from = ARENA_NEW(arena, FromItem);
    from->kind = FROM_REL;
    from->rel = rel;
    VEC_PUSH(arena, &scope->query->from, from);
    const ScopeItem item = scope_item_new(scope, rte, rel);
    for (size_t i = 0; i < count; i++)
        add_insert_target(scope, columns->columns.items[i],
                          scope_item_column(scope, &item, (int)i, 0, 0));
    return true;
}

static bool insert_select(Scope *scope, const InsertStmt *insert, InsertColumns *columns)
{
    Arena *arena = scope_arena(scope);
    /* The source does not see the target, but it sees our WITH. */
    Query *source = analyze_subquery(scope, &insert->select->node, NULL, NULL, false);
    TRY(source);
    ExprVec row = {0};
    for (size_t i = 0; i < source->targets.length; i++) {
        TargetEntry *target = &source->targets.items[i];
        if (target->is_junk)
            continue;
        /* An unknown literal takes the column's type, inside the source. */
        const size_t at = row.length;
        if (target->expr->type == TYPE_UNKNOWN && at < columns->columns.length &&
            source->distinct.length == 0) {
            TRY(target->expr = assign_column(scope, scope->target, columns->columns.items[at], NULL,
                                             NULL, target->expr, PLACE_INSERT_TARGET, 0));
        } else if (target->expr->type == TYPE_UNKNOWN) {
            TRY(target->expr = coerce_type(scope, target->expr, TYPE_UNKNOWN, TYPE_TEXT, -1,
                                           COERCION_IMPLICIT, CALL_IMPLICIT_CAST, 0));
        }
        VEC_PUSH(arena, &row, target->expr);
    }
    RangeTableEntry *rte = rte_for_subquery(scope, source, STR("*SELECT*"));
    const int rel = scope_add_rte(scope, rte);
    FromItem *from = ARENA_NEW(arena, FromItem);
    from->kind = FROM_REL;
    from->rel = rel;
    VEC_PUSH(arena, &scope->query->from, from);
    const ScopeItem item = scope_item_new(scope, rte, rel);
    for (size_t i = 0; i < row.length; i++) {
        const int position = row.items[i]->position;
        row.items[i] = scope_item_column(scope, &item, (int)i, 0, position);
    }
    TRY(insert_row(scope, insert, columns, &row));
    for (size_t i = 0; i < row.length; i++) {
        TRY(resolve_default(scope, columns->columns.items[i], &row.items[i]));
        add_insert_target(scope, columns->columns.items[i], row.items[i]);
    }
    return true;
}

/* Every column gets a target, in order: what the statement leaves out takes its default. */
bool insert_complete_targets(AnalyzeContext *context, Query *query, const RelationDesc *relation)
{
    Arena *arena = context->arena;
    TargetVec complete = {0};

    for (int i = 0; i < relation->column_count; i++) {
        const ColumnDesc *column = &relation->columns[i];
        TargetEntry target = {.name = column->name, .attnum = column->attnum};
        for (size_t t = 0; t < query->targets.length; t++)
            if (query->targets.items[t].attnum == column->attnum)
                target = query->targets.items[t];
        if (!target.expr && column->dropped)
            target.expr = expr_null(arena, TYPE_INT4, -1, 0);
        else if (!target.expr)
            TRY(target.expr = column_default(context, relation, column));
        VEC_PUSH(arena, &complete, target);
    }
    query->targets = complete;
    return true;
}

/* ---- ON CONFLICT ---- */

static bool infer_arbiters(Scope *scope, const InferClause *infer, ConflictClause *conflict)
{
    const RelationDesc *relation = scope->target;
    Arena *arena = scope_arena(scope);

    if (!str_is_none(infer->constraint)) {
        const ConstraintDesc *constraint = relation_constraint(relation, infer->constraint);
        if (!constraint)
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("constraint \"%.*s\" for table \"%.*s\" does not exist",
                                STR_ARGS(infer->constraint), STR_ARGS(relation->name)));
        if (!constraint->index)
            FAIL(ERR_WRONG_OBJECT_TYPE,
                 .message = STR("constraint in ON CONFLICT clause has no associated index"));
        conflict->constraint = constraint->oid;
        VEC_PUSH(arena, &conflict->indexes, constraint->index);
        return true;
    }
    VEC(int) columns = {0};
    for (size_t i = 0; i < infer->index_elems.length; i++) {
        const IndexElem *element = infer->index_elems.items[i];
        if (str_is_none(element->name))
            FAIL_UNSUPPORTED("ON CONFLICT on an expression");
        const ColumnDesc *column = relation_column(relation, element->name);
        if (!column)
            FAIL(ERR_UNDEFINED_COLUMN,
                 .message = fmt("column \"%.*s\" does not exist", STR_ARGS(element->name)),
                 .position = element->node.position);
        VEC_PUSH(arena, &columns, column->attnum);
        VEC_PUSH(arena, &conflict->arbiter_exprs,
                 scope_item_column(scope, scope->target_item, column->attnum - 1, 0, 0));
    }
    if (infer->where_clause)
        TRY(conflict->arbiter_where =
                analyze_condition(scope, infer->where_clause, PLACE_INDEX_PREDICATE, STR("WHERE")));
    for (int i = 0; i < relation->index_count; i++) {
        const IndexDesc *index = &relation->indexes[i];
        if (!index->is_unique || !index->is_valid || index->key_count != columns.length)
            continue;
        if (!str_is_none(index->predicate)) {
            Expr *predicate =
                analyze_expression_text(arena, scope_session(scope), index->predicate, relation,
                                        STORED_INDEX_PREDICATE, TYPE_BOOL, -1);
            TRY(predicate);
            if (!conflict->arbiter_where || !expr_equal(predicate, conflict->arbiter_where))
                continue;
        }
        bool fits = true;
        for (int k = 0; k < index->key_count && fits; k++) {
            bool named = false;
            for (size_t c = 0; c < columns.length; c++)
                named |= columns.items[c] == index->columns[k].attnum;
            fits = named;
        }
        if (fits)
            VEC_PUSH(arena, &conflict->indexes, index->oid);
    }
    if (conflict->indexes.length == 0)
        FAIL(ERR_INVALID_COLUMN_REFERENCE,
             .message = STR("there is no unique or exclusion constraint matching the ON CONFLICT "
                            "specification"));
    return true;
}

static bool analyze_conflict(Scope *scope, const OnConflictClause *clause)
{
    Arena *arena = scope_arena(scope);
    Query *query = scope->query;
    ConflictClause *conflict = ARENA_NEW(arena, ConflictClause);

    if (clause->do_update && !clause->infer)
        FAIL(ERR_SYNTAX_ERROR,
             .message =
                 STR("ON CONFLICT DO UPDATE requires inference specification or constraint name"),
             .hint = STR("For example, ON CONFLICT (column_name)."),
             .position = clause->node.position);
    query->conflict = conflict;
    conflict->do_update = clause->do_update;
    const ScopeItemVec saved = scope->items;
    scope->items = (ScopeItemVec){0};
    TRY(scope_add_item(scope, scope->target_item, true, true));
    if (clause->infer)
        TRY(infer_arbiters(scope, clause->infer, conflict));
    if (clause->do_update) {
        RangeTableEntry *excluded = rte_for_relation(scope, scope->target, NULL, NULL);
        TRY(excluded);
        excluded->name = excluded->alias_name = STR("excluded");
        excluded->is_excluded = true;
        excluded->is_in_from = false;
        excluded->access = 0;
        conflict->excluded = scope_add_rte(scope, excluded);
        scope->target_item->rte->access |= ACCESS_UPDATE;
        const ScopeItem item = scope_item_new(scope, excluded, conflict->excluded);
        TRY(scope_add_item(scope, &item, true, true));
        scope->items.items[scope->items.length - 1].columns_visible = false;
        TRY(analyze_set_list(scope, &clause->target_list, &conflict->set));
        if (clause->where_clause)
            TRY(conflict->where =
                    analyze_condition(scope, clause->where_clause, PLACE_WHERE, STR("WHERE")));
        excluded->access = 0;
    }
    scope->items = saved;
    return true;
}

bool analyze_insert(Scope *scope, const InsertStmt *insert)
{
    Query *query = scope->query;
    InsertColumns columns = {0};

    query->command = QUERY_INSERT;
    query->overriding = insert->overriding;
    if (insert->with_clause)
        TRY(analyze_with(scope, insert->with_clause));
    TRY(analyze_target_relation(scope, insert->relation, ACCESS_INSERT));
    TRY(insert_columns(scope, insert, &columns));
    const SelectStmt *select = insert->select;
    if (!select)
        TRY(insert_default_values(scope));
    else if (select->values_lists.length == 1 && select->sort_clause.length == 0 &&
             !select->limit_count && !select->limit_offset && !select->with_clause)
        TRY(insert_single_row(scope, insert, &columns));
    else if (select->values_lists.length > 1 && select->sort_clause.length == 0 &&
             !select->limit_count && !select->limit_offset && !select->with_clause)
        TRY(insert_many_rows(scope, insert, &columns));
    else
        TRY(insert_select(scope, insert, &columns));
    if (scope->target->kind == RELKIND_TABLE)
        TRY(insert_complete_targets(scope->context, query, scope->target));
    if (insert->on_conflict)
        TRY(analyze_conflict(scope, insert->on_conflict));
    scope->items = (ScopeItemVec){0};
    return analyze_returning(scope, &insert->returning);
}
