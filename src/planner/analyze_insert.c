#include "planner/analyze_internal.h"
#include "planner/plan_internal.h"

/* ---- assignment ---- */

/* SET a[i] = …: the whole array with that element changed. */
static Expr *assign_element(Scope *scope, const Assignment *set)
{
    const ColumnDesc *column = set->column;
    const NodeVec *indirection = set->indirection;
    Expr *current = set->current, *source = set->source;
    const int position = set->position;
    const ExprPlace outer = scope->place;
    bool failed = false;

    for (size_t i = 0; i < indirection->length; i++)
        if (!NODE_IS(indirection->items[i], A_Indices))
            FAIL_UNSUPPORTED("assignment to a field of a composite column");
    if (source->kind == EXPR_DEFAULT)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("cannot set an array element to DEFAULT"),
             .position = position);
    if (!current)
        current = expr_null(scope_arena(scope), column->type, column->typmod, column->collation);
    current->position = position;
    scope->place = set->place;
    Expr *made = analyze_subscripts(scope, current, (const Node *const *)indirection->items,
                                    indirection->length);
    scope->place = outer;
    TRY(made);
    Expr *value = coerce_for_assignment(scope, source, made->type, -1, &failed);
    if (!value && !failed)
        FAIL(ERR_DATATYPE_MISMATCH,
             .message = fmt("subscripted assignment to \"%.*s\" requires type %.*s but "
                            "expression is of type %.*s",
                            STR_ARGS(column->name), STR_ARGS(type_text(scope, made->type)),
                            STR_ARGS(type_text(scope, source->type))),
             .hint = STR("You will need to rewrite or cast the expression."), .position = position);
    TRY(value);
    EXPR_AS(ExprSubscript, made)->assigned = value;
    made->type = column->type;
    made->typmod = column->typmod;
    made->collation = column->collation;
    return made;
}

void assign_merge(Expr *next, Expr *earlier)
{
    while (next->kind == EXPR_SUBSCRIPT &&
           EXPR_AS(ExprSubscript, next)->container->kind == EXPR_SUBSCRIPT)
        next = EXPR_AS(ExprSubscript, next)->container;
    if (next->kind == EXPR_SUBSCRIPT && EXPR_AS(ExprSubscript, next)->assigned)
        EXPR_AS(ExprSubscript, next)->container = earlier;
}

Expr *assign_column(Scope *scope, const Assignment *set)
{
    const ColumnDesc *column = set->column;
    Expr *source = set->source;
    bool failed = false;
    if (set->indirection && set->indirection->length > 0)
        return assign_element(scope, set);
    if (source->kind == EXPR_DEFAULT)
        return source;
    Expr *made = coerce_for_assignment(scope, source, column->type, column->typmod, &failed);
    if (made || failed)
        return made;
    FAIL(ERR_DATATYPE_MISMATCH,
         .message = fmt("column \"%.*s\" is of type %.*s but expression is of type %.*s",
                        STR_ARGS(column->name), STR_ARGS(type_text(scope, column->type)),
                        STR_ARGS(type_text(scope, source->type))),
         .hint = STR("You will need to rewrite or cast the expression."),
         .position = source->position ? expr_location(source) : set->position);
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
        return coerce_for_assignment(scope, &next->base, column->type, -1, &failed);
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
            if (ret->columns.items[k] == column &&
                (target->indirection.length == 0 || insert->cols.items[k]->indirection.length == 0))
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
        const Assignment set = {.column = columns->columns.items[i],
                                .indirection = written ? &written->indirection : NULL,
                                .source = exprs->items[i],
                                .place = PLACE_INSERT_TARGET,
                                .position = written ? written->node.position : 0};
        TRY(exprs->items[i] = assign_column(scope, &set));
    }
    return true;
}

/* DEFAULTs become what they stand for; identity and generated columns guard themselves. A view's
 * column without a default of its own leaves DEFAULT to the table below. */
static bool resolve_default(AnalyzeContext *context, const RelationDesc *relation,
                            OverridingKind overriding, const ColumnDesc *column, Expr **slot)
{
    const bool is_default = (*slot)->kind == EXPR_DEFAULT;

    if (is_default && relation->kind == RELKIND_VIEW && !column->has_default)
        return true;

    if (column->identity && !is_default) {
        if (overriding == OVERRIDING_USER_VALUE) {
            TRY(*slot = column_default(context, relation, column));
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
        TRY(*slot = column_default(context, relation, column));
    return true;
}

static bool resolve_row_default(Scope *scope, const ColumnDesc *column, Expr **slot)
{
    return resolve_default(scope->context, scope->target, scope->query->overriding, column, slot);
}

bool insert_resolve_targets(AnalyzeContext *context, Query *query, const RelationDesc *relation)
{
    for (size_t i = 0; i < query->targets.length; i++) {
        TargetEntry *target = &query->targets.items[i];
        const ColumnDesc *column = relation_column_at(relation, target->attnum);
        const RangeTableEntry *rte = NULL;
        if (target->expr->kind == EXPR_COLUMN && !EXPR_AS(ExprColumn, target->expr)->levels_up)
            rte = query_rte(query, EXPR_AS(ExprColumn, target->expr)->rel);
        if (!rte || rte->kind != RANGE_VALUES) {
            TRY(resolve_default(context, relation, query->overriding, column, &target->expr));
            continue;
        }
        const int at = EXPR_AS(ExprColumn, target->expr)->attnum - 1;
        for (size_t r = 0; r < rte->values.length; r++)
            TRY(resolve_default(context, relation, query->overriding, column,
                                &rte->values.items[r].items[at]));
    }
    return true;
}

static void add_insert_target(Scope *scope, const ColumnDesc *column, Expr *expr)
{
    TargetEntry target = {.expr = expr, .name = column->name, .attnum = column->attnum};
    RangeTableEntry *rte = scope->target_item->rte;
    rte_mark(scope_arena(scope), rte, &rte->modified_columns, column->attnum);
    for (size_t i = 0; i < scope->query->targets.length; i++) {
        TargetEntry *earlier = &scope->query->targets.items[i];
        if (earlier->attnum != column->attnum)
            continue;
        assign_merge(expr, earlier->expr);
        earlier->expr = expr;
        return;
    }
    VEC_PUSH(scope_arena(scope), &scope->query->targets, target);
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
        TRY(resolve_row_default(scope, columns->columns.items[i], &row.items[i]));
        add_insert_target(scope, columns->columns.items[i], row.items[i]);
    }
    return true;
}

static bool assigns_element(const InsertColumns *columns, size_t column)
{
    const ResTarget *written = columns->written.items[column];
    return written && written->indirection.length > 0;
}

/* The rows to be inserted, as the only item of FROM. */
static ScopeItem add_source(Scope *scope, RangeTableEntry *rte)
{
    const int rel = scope_add_rte(scope, rte);

    scope_add_from(scope, rel);
    return scope_item_new(scope, rte, rel);
}

static bool insert_many_rows(Scope *scope, const InsertStmt *insert, InsertColumns *columns)
{
    Arena *arena = scope_arena(scope);
    const NodeVecVec *lists = &insert->select->values_lists;
    RangeTableEntry *rte = rte_new(scope, RANGE_VALUES, insert->select->node.position);
    ExprVec elements = {0}; /* of a[i]: the first row's assignment; NULL for whole columns */
    size_t width = 0;

    for (size_t r = 0; r < lists->length; r++) {
        ExprVec row = {0};
        TRY(analyze_expr_list(scope, &lists->items[r], PLACE_VALUES, true, &row));
        if (r == 0)
            width = row.length;
        if (row.length != width)
            FAIL(ERR_SYNTAX_ERROR, .message = STR("VALUES lists must all be the same length"),
                 .position = lists->items[r].items[0]->position);
        TRY(insert_row(scope, insert, columns, &row));
        for (size_t i = 0; i < row.length; i++) {
            TRY(resolve_row_default(scope, columns->columns.items[i], &row.items[i]));
            const bool is_element = assigns_element(columns, i);
            if (r == 0)
                VEC_PUSH(arena, &elements, is_element ? row.items[i] : NULL);
            if (is_element)
                row.items[i] = EXPR_AS(ExprSubscript, row.items[i])->assigned;
        }
        VEC_PUSH(arena, &rte->values, row);
    }
    const size_t count = rte->values.items[0].length;
    rte->column_count = (int)count;
    rte->columns = ARENA_ARRAY(arena, RangeColumn, count + 1);
    for (size_t i = 0; i < count; i++) {
        const ColumnDesc *column = columns->columns.items[i];
        const Expr *element = elements.items[i] ? rte->values.items[0].items[i] : NULL;
        rte->columns[i] = (RangeColumn){.name = str_format(arena, "column%zu", i + 1),
                                        .type = element ? element->type : column->type,
                                        .typmod = element ? element->typmod : column->typmod,
                                        .collation = column->collation};
    }
    rte->name = STR("*VALUES*");
    const ScopeItem item = add_source(scope, rte);
    for (size_t i = 0; i < count; i++) {
        Expr *value = scope_item_column(scope, &item, (int)i, 0, 0);
        if (elements.items[i]) {
            EXPR_AS(ExprSubscript, elements.items[i])->assigned = value;
            value = elements.items[i];
        }
        add_insert_target(scope, columns->columns.items[i], value);
    }
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
            const Assignment set = {.column = columns->columns.items[at],
                                    .source = target->expr,
                                    .place = PLACE_INSERT_TARGET};
            TRY(target->expr = assign_column(scope, &set));
        } else if (target->expr->type == TYPE_UNKNOWN) {
            TRY(target->expr = coerce_implicitly(scope, target->expr, TYPE_TEXT));
        }
        VEC_PUSH(arena, &row, target->expr);
    }
    RangeTableEntry *rte = rte_for_subquery(scope, source, STR("*SELECT*"));
    const ScopeItem item = add_source(scope, rte);
    for (size_t i = 0; i < row.length; i++) {
        const int position = row.items[i]->position;
        row.items[i] = scope_item_column(scope, &item, (int)i, 0, position);
    }
    TRY(insert_row(scope, insert, columns, &row));
    for (size_t i = 0; i < row.length; i++) {
        TRY(resolve_row_default(scope, columns->columns.items[i], &row.items[i]));
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
        else if (!target.expr && (relation->kind != RELKIND_VIEW || column->has_default))
            TRY(target.expr = column_default(context, relation, column));
        if (target.expr)
            VEC_PUSH(arena, &complete, target);
    }
    query->targets = complete;
    return true;
}

/* ---- ON CONFLICT ---- */

/* What one element of ON CONFLICT (…) names: a column or an expression over the target. */
static Expr *infer_key(Scope *scope, const InferClause *infer, const IndexElem *element)
{
    if (str_is_none(element->name))
        return analyze_expr(scope, element->expr, PLACE_INDEX_KEY);
    const ColumnDesc *column = relation_column(scope->target, element->name);
    if (!column)
        FAIL(ERR_UNDEFINED_COLUMN,
             .message = fmt("column \"%.*s\" does not exist", STR_ARGS(element->name)),
             .position = infer->node.position);
    return scope_item_column(scope, scope->target_item, column->attnum - 1, 0, 0);
}

/* Texts stored with the table speak of entry 1; the target may have another number. */
static WalkStep stored_to_target(void *context, Expr *expr, int depth)
{
    if (expr->kind == EXPR_COLUMN && EXPR_AS(ExprColumn, expr)->levels_up == depth)
        EXPR_AS(ExprColumn, expr)->rel = *(const int *)context;
    return WALK_CHILDREN;
}

typedef struct ConflictTarget {
    AnalyzeContext *context;
    const RelationDesc *relation;
    int rel;
} ConflictTarget;

static Expr *stored_over_target(const ConflictTarget *target, Str text, StoredExprKind kind,
                                Oid type)
{
    AnalyzeContext *context = target->context;
    int rel = target->rel;
    Expr *expr = analyze_expression_text(context->arena, context->session, text, target->relation,
                                         kind, type, -1);
    TRY(expr);
    (void)expr_walk_deep(expr, 0, stored_to_target, &rel);
    return expr;
}

static bool holds_key(const ExprVec *keys, const Expr *wanted, int attnum)
{
    for (size_t i = 0; i < keys->length; i++) {
        const Expr *key = keys->items[i];
        if (wanted ? expr_equal(key, wanted)
                   : key->kind == EXPR_COLUMN && EXPR_AS(const ExprColumn, key)->attnum == attnum)
            return true;
    }
    return false;
}

/* An index whose keys are those named, and whose predicate the WHERE written implies. */
static bool index_is_arbiter(const ConflictTarget *target, const IndexDesc *index,
                             const ConflictClause *conflict, bool *ret_fits)
{
    AnalyzeContext *context = target->context;
    const ExprVec *keys = &conflict->arbiter_exprs;
    ExprVec stored = {0}, given = {0};

    *ret_fits = false;
    if (!index->is_unique || !index->is_valid)
        return true;
    for (int k = 0; k < index->key_count; k++) {
        Expr *key = NULL;
        if (!index->columns[k].attnum)
            TRY(key = stored_over_target(target, index->columns[k].expression, STORED_OTHER, 0));
        if (!holds_key(keys, key, index->columns[k].attnum))
            return true;
        VEC_PUSH(context->arena, &stored, key);
    }
    for (size_t i = 0; i < keys->length; i++) {
        bool named = false;
        for (int k = 0; k < index->key_count; k++) {
            const ExprVec one = {.items = &keys->items[i], .length = 1};
            named |= holds_key(&one, stored.items[k], index->columns[k].attnum);
        }
        if (!named)
            return true;
    }
    if (!str_is_none(index->predicate)) {
        Expr *predicate =
            stored_over_target(target, index->predicate, STORED_INDEX_PREDICATE, TYPE_BOOL);
        TRY(predicate);
        plan_split_and(context->arena, conflict->arbiter_where, &given);
        if (!plan_implies(context->session, &given, predicate))
            return true;
    }
    *ret_fits = true;
    return true;
}

bool conflict_find_arbiters(AnalyzeContext *context, const RelationDesc *relation, int rel,
                            ConflictClause *conflict)
{
    if (conflict->arbiter_exprs.length == 0)
        return true;
    const ConflictTarget target = {context, relation, rel};
    for (int i = 0; i < relation->index_count; i++) {
        bool fits;
        TRY(index_is_arbiter(&target, &relation->indexes[i], conflict, &fits));
        if (fits)
            VEC_PUSH(context->arena, &conflict->indexes, relation->indexes[i].oid);
    }
    if (conflict->indexes.length == 0)
        FAIL(ERR_INVALID_COLUMN_REFERENCE,
             .message = STR("there is no unique or exclusion constraint matching the ON CONFLICT "
                            "specification"));
    return true;
}

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
    for (size_t i = 0; i < infer->index_elems.length; i++) {
        Expr *key = infer_key(scope, infer, infer->index_elems.items[i]);
        TRY(key);
        VEC_PUSH(arena, &conflict->arbiter_exprs, key);
    }
    if (infer->where_clause)
        TRY(conflict->arbiter_where =
                analyze_condition(scope, infer->where_clause, PLACE_INDEX_PREDICATE, STR("WHERE")));
    /* A view's arbiters are those of the table below it. */
    return relation->kind == RELKIND_VIEW ||
           conflict_find_arbiters(scope->context, relation, scope->target_item->rel, conflict);
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
    TRY(insert_complete_targets(scope->context, query, scope->target));
    if (insert->on_conflict)
        TRY(analyze_conflict(scope, insert->on_conflict));
    scope->items = (ScopeItemVec){0};
    return analyze_returning(scope, &insert->returning);
}
