#include "planner/analyze_internal.h"

int target_assign_ref(Scope *scope, TargetVec *targets, TargetEntry *target)
{
    (void)targets;
    if (target->sort_group_ref == 0)
        target->sort_group_ref = ++scope->next_ref;
    return target->sort_group_ref;
}

/* ---- which target an ORDER BY or GROUP BY item means ---- */

static TargetEntry *find_by_number(const Node *node, TargetVec *targets, Str clause)
{
    const A_Const *constant = NODE_CAST(A_Const, node);
    if (constant->kind != CONST_INTEGER)
        FAIL(ERR_SYNTAX_ERROR, .message = fmt("non-integer constant in %.*s", STR_ARGS(clause)),
             .position = node->position);
    int number = 0;
    for (size_t i = 0; i < targets->length; i++)
        if (!targets->items[i].is_junk && ++number == constant->integer)
            return &targets->items[i];
    FAIL(ERR_INVALID_COLUMN_REFERENCE,
         .message =
             fmt("%.*s position %d is not in select list", STR_ARGS(clause), constant->integer),
         .position = node->position);
}

/* SQL99: any expression; a new target where it is not in the list already. */
static TargetEntry *find_by_expr(Scope *scope, const Node *node, TargetVec *targets,
                                 ExprPlace place)
{
    Expr *expr = analyze_expr(scope, node, place);
    TRY(expr);
    for (size_t i = 0; i < targets->length; i++) {
        const Expr *other = targets->items[i].expr;
        if (expr_equal(expr, other))
            return &targets->items[i];
        /* A literal that has become text in the list still is the same literal. */
        if (expr->type == TYPE_UNKNOWN && expr->kind == EXPR_CONST && other->kind == EXPR_CONST &&
            other->type == TYPE_TEXT && expr->position == other->position)
            return &targets->items[i];
    }
    TargetEntry target = {.expr = expr, .attnum = (int)targets->length + 1, .is_junk = true};
    VEC_PUSH(scope_arena(scope), targets, target);
    return &VEC_LAST(targets);
}

static bool column_exists(Scope *scope, Str name)
{
    for (size_t i = 0; i < scope->items.length; i++) {
        const ScopeItem *item = &scope->items.items[i];
        if (!item->columns_visible)
            continue;
        for (int c = 0; c < item->rte->column_count; c++)
            if (!item->columns[c].hidden && str_equal(item->rte->columns[c].name, name))
                return true;
    }
    return false;
}

/* SQL92: an output name or number, else as SQL99. GROUP BY prefers input names. */
static TargetEntry *find_target(Scope *scope, const Node *node, TargetVec *targets, ExprPlace place)
{
    const Str clause = place_name(place);
    if (NODE_IS(node, ColumnRef)) {
        const ColumnRef *ref = NODE_CAST(ColumnRef, node);
        const bool is_name = ref->names.length == 1 && !ref->star;
        if (is_name && !(place == PLACE_GROUP_BY && column_exists(scope, ref->names.items[0]))) {
            TargetEntry *found = NULL;
            for (size_t i = 0; i < targets->length; i++) {
                TargetEntry *target = &targets->items[i];
                if (target->is_junk || !str_equal(target->name, ref->names.items[0]))
                    continue;
                if (found && !expr_equal(found->expr, target->expr))
                    FAIL(ERR_AMBIGUOUS_COLUMN,
                         .message = fmt("%.*s \"%.*s\" is ambiguous", STR_ARGS(clause),
                                        STR_ARGS(ref->names.items[0])),
                         .position = node->position);
                if (!found)
                    found = target;
            }
            if (found)
                return found;
        }
    }
    if (NODE_IS(node, A_Const) && NODE_CAST(A_Const, node)->kind != CONST_BOOLEAN)
        return find_by_number(node, targets, clause);
    return find_by_expr(scope, node, targets, place);
}

/* ---- sorting and grouping operators ---- */

int node_begin(const Node *node)
{
    for (;;) {
        const Node *left = NODE_IS(node, A_Expr)          ? NODE_CAST(A_Expr, node)->lexpr
                           : NODE_IS(node, TypeCast)      ? NODE_CAST(TypeCast, node)->arg
                           : NODE_IS(node, CollateClause) ? NODE_CAST(CollateClause, node)->arg
                                                          : NULL;
        if (!left)
            return node->position;
        node = left;
    }
}

bool sort_clause_for(Scope *scope, const TargetEntry *target, SortByDir direction,
                     SortByNulls nulls, int position, SortClause *ret)
{
    const Oid type = target->expr->type;
    const TypeOperators *operators = type_operators(scope_session(scope), type);
    *ret = (SortClause){.ref = target->sort_group_ref};
    const bool descending = direction == SORTBY_DESC;

    if (!operators || !operators->less)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("could not identify an ordering operator for type %.*s",
                            STR_ARGS(type_text(scope, type))),
             .hint = STR("Use an explicit ordering operator or modify the query."),
             .position = position);
    ret->sort_op = descending ? operators->greater : operators->less;
    ret->equal_op = operators->equal;
    ret->is_descending = descending;
    ret->is_hashable = operators->hash != 0;
    ret->nulls_first = nulls == SORTBY_NULLS_FIRST || (nulls == SORTBY_NULLS_DEFAULT && descending);
    return true;
}

const TypeOperators *equality_operators(Scope *scope, Oid type, int position)
{
    const TypeOperators *operators = type_operators(scope_session(scope), type);
    if (!operators || !operators->equal)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("could not identify an equality operator for type %.*s",
                            STR_ARGS(type_text(scope, type))),
             .position = position);
    return operators;
}

static bool group_clause_for(Scope *scope, const TargetEntry *target, int position, SortClause *ret)
{
    const TypeOperators *operators = equality_operators(scope, target->expr->type, position);
    TRY(operators);
    *ret = (SortClause){.ref = target->sort_group_ref};
    ret->sort_op = operators->less;
    ret->equal_op = operators->equal;
    ret->is_hashable = operators->hash != 0;
    return true;
}

static bool target_known(Scope *scope, TargetEntry *target)
{
    if (target->expr->type != TYPE_UNKNOWN)
        return true;
    TRY(target->expr = coerce_implicitly(scope, target->expr, TYPE_TEXT));
    return true;
}

static const SortClause *clause_by_ref(const SortVec *list, int ref)
{
    for (size_t i = 0; ref && i < list->length; i++)
        if (list->items[i].ref == ref)
            return &list->items[i];
    return NULL;
}

/* ORDER BY x USING op: the operator says the direction. */
static bool using_direction(Scope *scope, const SortBy *by, const Expr *expr, SortByDir *ret)
{
    const OperatorDesc *op =
        operator_resolve(scope, &by->use_op, expr->type, expr->type, by->node.position);
    TRY(op);
    OpfamilyMember members[8];
    const uint32_t count =
        operator_btree_families(scope_session(scope), op->oid, members, ARRAY_LENGTH(members));
    for (uint32_t i = 0; i < count; i++) {
        if (members[i].strategy != 1 && members[i].strategy != 5)
            continue;
        *ret = members[i].strategy == 1 ? SORTBY_ASC : SORTBY_DESC;
        return true;
    }
    FAIL(ERR_WRONG_OBJECT_TYPE,
         .message = fmt("operator %.*s is not a valid ordering operator",
                        STR_ARGS(name_list_text(scope_arena(scope), &by->use_op))),
         .hint =
             STR("Ordering operators must be \"<\" or \">\" members of btree operator families."),
         .position = by->node.position);
}

bool analyze_order_by(Scope *scope, const SortByVec *list, TargetVec *targets, ExprPlace place,
                      bool sql99, SortVec *ret)
{
    for (size_t i = 0; i < list->length; i++) {
        const SortBy *by = list->items[i];
        TargetEntry *target = sql99 ? find_by_expr(scope, by->expr, targets, place)
                                    : find_target(scope, by->expr, targets, place);
        TRY(target);
        TRY(target_known(scope, target));
        target_assign_ref(scope, targets, target);
        if (clause_by_ref(ret, target->sort_group_ref))
            continue;
        SortByDir direction = by->direction;
        if (direction == SORTBY_USING)
            TRY(using_direction(scope, by, target->expr, &direction));
        SortClause clause;
        if (place == PLACE_WINDOW_PARTITION)
            TRY(equality_operators(scope, target->expr->type, node_begin(by->expr)));
        TRY(sort_clause_for(scope, target, direction, by->nulls, node_begin(by->expr), &clause));
        VEC_PUSH(scope_arena(scope), ret, clause);
    }
    return true;
}

/* One expression of GROUP BY; *ret_ref is its target's number. */
static bool group_expression(Scope *scope, const Node *node, TargetVec *targets, int *ret_ref)
{
    Query *query = scope->query;
    TargetEntry *target = find_target(scope, node, targets, PLACE_GROUP_BY);
    TRY(target);
    TRY(target_known(scope, target));
    *ret_ref = target_assign_ref(scope, targets, target);
    if (clause_by_ref(&query->group_by, *ret_ref))
        return true;
    SortClause clause;
    const SortClause *sort = clause_by_ref(&query->order_by, target->sort_group_ref);
    if (sort)
        clause = *sort; /* grouping in the order that is wanted anyway */
    else
        TRY(group_clause_for(scope, target, node_begin(node), &clause));
    VEC_PUSH(scope_arena(scope), &query->group_by, clause);
    return true;
}

static bool is_bare_row(const Node *node)
{
    return NODE_IS(node, RowExpr) && !NODE_CAST(RowExpr, node)->explicit_row;
}

/* An expression, or several in parentheses, as one SIMPLE node. */
static bool group_simple(Scope *scope, const Node *node, TargetVec *targets, GroupingNode *into)
{
    into->kind = GROUPING_SIMPLE;
    if (is_bare_row(node)) {
        const NodeVec *args = &NODE_CAST(RowExpr, node)->args;
        for (size_t i = 0; i < args->length; i++)
            TRY(group_simple(scope, args->items[i], targets, into));
        return true;
    }
    int ref;
    TRY(group_expression(scope, node, targets, &ref));
    VEC_PUSH(scope_arena(scope), &into->refs, ref);
    return true;
}

/* Nested GROUPING SETS are the same as their contents in the outer list. */
static bool group_node(Scope *scope, const Node *node, TargetVec *targets, GroupingNode *parent)
{
    Arena *arena = scope_arena(scope);
    if (task_stack_left() < 24 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    GroupingNode *own = ARENA_NEW(arena, GroupingNode);
    if (!NODE_IS(node, GroupingSet)) {
        TRY(group_simple(scope, node, targets, own));
        VEC_PUSH(arena, &parent->children, own);
        return true;
    }
    static const GroupingKind kinds[] = {[GROUPING_SET_EMPTY] = GROUPING_EMPTY,
                                         [GROUPING_SET_ROLLUP] = GROUPING_ROLLUP,
                                         [GROUPING_SET_CUBE] = GROUPING_CUBE,
                                         [GROUPING_SET_SETS] = GROUPING_LIST};
    const GroupingSet *set = NODE_CAST(GroupingSet, node);
    own->kind = kinds[set->kind];
    if (own->kind == GROUPING_CUBE && set->content.length > 12)
        FAIL(ERR_TOO_MANY_COLUMNS, .message = STR("CUBE is limited to 12 elements"),
             .position = node->position);
    if (own->kind == GROUPING_LIST && parent->kind == GROUPING_LIST)
        own = parent;
    else
        VEC_PUSH(arena, &parent->children, own);
    for (size_t i = 0; i < set->content.length; i++)
        TRY(group_node(scope, set->content.items[i], targets, own));
    return true;
}

bool analyze_group_by(Scope *scope, const SelectStmt *select, TargetVec *targets)
{
    Query *query = scope->query;
    GroupingNode all = {0};
    bool has_sets = false;
    query->group_distinct = select->group_distinct;
    for (size_t i = 0; i < select->group_clause.length; i++) {
        const Node *node = select->group_clause.items[i];
        has_sets |= NODE_IS(node, GroupingSet);
        if (!is_bare_row(node)) {
            TRY(group_node(scope, node, targets, &all));
            continue;
        }
        const NodeVec *args = &NODE_CAST(RowExpr, node)->args;
        for (size_t k = 0; k < args->length; k++)
            TRY(group_node(scope, args->items[k], targets, &all));
    }
    for (size_t i = 0; has_sets && i < all.children.length; i++)
        VEC_PUSH(scope_arena(scope), &query->grouping_sets, all.children.items[i]);
    return true;
}

bool analyze_distinct(Scope *scope, TargetVec *targets)
{
    Query *query = scope->query;
    Arena *arena = scope_arena(scope);

    for (size_t i = 0; i < query->order_by.length; i++) {
        const SortClause *sort = &query->order_by.items[i];
        const TargetEntry *target = query_target_by_ref(query, sort->ref);
        if (target->is_junk)
            FAIL(ERR_INVALID_COLUMN_REFERENCE,
                 .message =
                     STR("for SELECT DISTINCT, ORDER BY expressions must appear in select list"),
                 .position = expr_location(target->expr));
        VEC_PUSH(arena, &query->distinct, *sort);
    }
    for (size_t i = 0; i < targets->length; i++) {
        TargetEntry *target = &targets->items[i];
        if (target->is_junk || clause_by_ref(&query->distinct, target->sort_group_ref))
            continue;
        SortClause clause;
        TRY(target_known(scope, target));
        target_assign_ref(scope, targets, target);
        TRY(group_clause_for(scope, target, expr_location(target->expr), &clause));
        VEC_PUSH(arena, &query->distinct, clause);
    }
    if (query->distinct.length == 0)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("SELECT DISTINCT must have at least one column"));
    return true;
}

bool analyze_distinct_on(Scope *scope, const NodeVec *list, TargetVec *targets)
{
    Query *query = scope->query;
    Arena *arena = scope_arena(scope);
    VEC(int) refs = {0};
    bool skipped = false;

    for (size_t i = 0; i < list->length; i++) {
        TargetEntry *target = find_target(scope, list->items[i], targets, PLACE_DISTINCT_ON);
        TRY(target);
        TRY(target_known(scope, target));
        VEC_PUSH(arena, &refs, target_assign_ref(scope, targets, target));
    }
    for (size_t i = 0; i < query->order_by.length; i++) {
        const SortClause *sort = &query->order_by.items[i];
        const Node *wanted = NULL;
        for (size_t r = 0; r < refs.length && !wanted; r++)
            wanted = refs.items[r] == sort->ref ? list->items[r] : NULL;
        if (!wanted) {
            skipped = true;
            continue;
        }
        if (skipped)
            FAIL(ERR_INVALID_COLUMN_REFERENCE,
                 .message =
                     STR("SELECT DISTINCT ON expressions must match initial ORDER BY expressions"),
                 .position = node_begin(wanted));
        VEC_PUSH(arena, &query->distinct, *sort);
    }
    for (size_t r = 0; r < refs.length; r++) {
        if (clause_by_ref(&query->distinct, refs.items[r]))
            continue;
        if (skipped)
            FAIL(ERR_INVALID_COLUMN_REFERENCE,
                 .message =
                     STR("SELECT DISTINCT ON expressions must match initial ORDER BY expressions"),
                 .position = node_begin(list->items[r]));
        SortClause clause;
        const TargetEntry *target = query_target_by_ref(query, refs.items[r]);
        TRY(group_clause_for(scope, target, node_begin(list->items[r]), &clause));
        VEC_PUSH(arena, &query->distinct, clause);
    }
    query->is_distinct_on = true;
    return true;
}

Expr *analyze_limit(Scope *scope, const Node *node, ExprPlace place, LimitOption option)
{
    const Str clause = place == PLACE_LIMIT ? STR("LIMIT") : STR("OFFSET");
    Expr *expr = analyze_expr(scope, node, place);
    TRY(expr);
    TRY(expr = coerce_to_specific(scope, expr, TYPE_INT8, clause));
    if (expr_contains_columns(expr, 0))
        FAIL(ERR_INVALID_COLUMN_REFERENCE,
             .message = fmt("argument of %.*s must not contain variables", STR_ARGS(clause)),
             .position = expr_column_position(expr, 0));
    if (place == PLACE_LIMIT && option == LIMIT_OPTION_WITH_TIES && NODE_IS(node, A_Const) &&
        NODE_CAST(A_Const, node)->kind == CONST_NULL)
        FAIL(ERR_INVALID_ROW_COUNT_IN_LIMIT_CLAUSE,
             .message = STR("row count cannot be null in FETCH FIRST ... WITH TIES clause"));
    return expr;
}

/* ---- windows ---- */

static WindowClause *window_by_name(const Query *query, Str name)
{
    for (size_t i = 0; i < query->windows.length; i++)
        if (str_equal(query->windows.items[i]->name, name) &&
            !str_is_none(query->windows.items[i]->name))
            return query->windows.items[i];
    return NULL;
}

/* The types that offsets of RANGE may have for this key, and which of them an offset gets. */
typedef struct RangeOffset {
    Oid type, function;
    int known, possible;
} RangeOffset;

static RangeOffset range_offset_find(Scope *scope, const TypeOperators *key, Oid given)
{
    static const Oid candidates[] = {TYPE_INT2,   TYPE_INT4,    TYPE_INT8,
                                     TYPE_FLOAT8, TYPE_NUMERIC, TYPE_INTERVAL};
    const Oid preferred = given == TYPE_UNKNOWN ? key->opclass_input : given;
    RangeOffset found = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(candidates); i++) {
        const Oid function = opfamily_function(scope_session(scope), key->btree_family,
                                               key->opclass_input, candidates[i], 3);
        if (!function)
            continue;
        found.known++;
        if (!can_coerce(scope, &given, &candidates[i], 1, COERCION_IMPLICIT))
            continue;
        found.possible++;
        if (found.type == preferred)
            continue;
        found.type = candidates[i];
        found.function = function;
    }
    if (found.possible > 1 && found.type != preferred)
        found.type = 0;
    return found;
}

static Expr *range_offset(Scope *scope, const Node *node, const WindowClause *window,
                          const TargetVec *targets, Oid *ret_function)
{
    Expr *expr = analyze_expr(scope, node, PLACE_WINDOW_FRAME_RANGE);
    TRY(expr);
    Oid column = 0;
    for (size_t i = 0; i < targets->length; i++)
        if (targets->items[i].sort_group_ref == window->order_by.items[0].ref)
            column = targets->items[i].expr->type;
    const TypeOperators *key = type_operators(scope_session(scope), column);
    RangeOffset found = {0};
    if (key)
        found = range_offset_find(scope, key, expr->type);
    if (found.known == 0)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("RANGE with offset PRECEDING/FOLLOWING is not supported for column "
                            "type %.*s",
                            STR_ARGS(type_text(scope, column))),
             .position = expr_location(expr));
    if (found.possible == 0)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message =
                 fmt("RANGE with offset PRECEDING/FOLLOWING is not supported for column "
                     "type %.*s and offset type %.*s",
                     STR_ARGS(type_text(scope, column)), STR_ARGS(type_text(scope, expr->type))),
             .hint = STR("Cast the offset value to an appropriate type."),
             .position = expr_location(expr));
    if (found.type == 0)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message =
                 fmt("RANGE with offset PRECEDING/FOLLOWING has multiple interpretations "
                     "for column type %.*s and offset type %.*s",
                     STR_ARGS(type_text(scope, column)), STR_ARGS(type_text(scope, expr->type))),
             .hint = STR("Cast the offset value to the exact intended type."),
             .position = expr_location(expr));
    *ret_function = found.function;
    return coerce_to_specific(scope, expr, found.type, STR("RANGE"));
}

static Expr *frame_offset(Scope *scope, const Node *node, const WindowClause *window,
                          const TargetVec *targets, Oid *ret_in_range)
{
    if (!node)
        return NULL;
    const char *construct;
    Expr *expr;
    if (window->frame_options & FRAMEOPTION_ROWS) {
        construct = "ROWS";
        TRY(expr = analyze_expr(scope, node, PLACE_WINDOW_FRAME_ROWS));
        TRY(expr = coerce_to_specific(scope, expr, TYPE_INT8, STR("ROWS")));
    } else if (window->frame_options & FRAMEOPTION_GROUPS) {
        construct = "GROUPS";
        TRY(expr = analyze_expr(scope, node, PLACE_WINDOW_FRAME_GROUPS));
        TRY(expr = coerce_to_specific(scope, expr, TYPE_INT8, STR("GROUPS")));
    } else {
        construct = "RANGE";
        TRY(expr = range_offset(scope, node, window, targets, ret_in_range));
    }
    if (expr_contains_columns(expr, 0))
        FAIL(ERR_INVALID_COLUMN_REFERENCE,
             .message = fmt("argument of %s must not contain variables", construct),
             .position = expr_column_position(expr, 0));
    return expr;
}

static bool window_copy_base(const WindowDef *def, const Query *query, WindowClause *window)
{
    if (str_is_none(def->ref_name))
        return true;
    const WindowClause *base = window_by_name(query, def->ref_name);
    if (!base)
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("window \"%.*s\" does not exist", STR_ARGS(def->ref_name)),
             .position = def->node.position);
    if (window->partition_by.length > 0)
        FAIL(ERR_WINDOWING_ERROR,
             .message = fmt("cannot override PARTITION BY clause of window \"%.*s\"",
                            STR_ARGS(def->ref_name)),
             .position = def->node.position);
    if (window->order_by.length > 0 && base->order_by.length > 0)
        FAIL(ERR_WINDOWING_ERROR,
             .message =
                 fmt("cannot override ORDER BY clause of window \"%.*s\"", STR_ARGS(def->ref_name)),
             .position = def->node.position);
    if (base->frame_options != FRAMEOPTION_DEFAULTS)
        FAIL(ERR_WINDOWING_ERROR,
             .message = fmt("cannot copy window \"%.*s\" because it has a frame clause",
                            STR_ARGS(def->ref_name)),
             .hint = str_is_none(def->name) && def->order_clause.length == 0 &&
                             !(def->frame_options & FRAMEOPTION_NONDEFAULT)
                         ? STR("Omit the parentheses in this OVER clause.")
                         : STR_NONE,
             .position = def->node.position);
    window->partition_by = base->partition_by;
    if (window->order_by.length == 0 && base->order_by.length > 0) {
        window->order_by = base->order_by;
        window->copied_order = true;
    }
    return true;
}

bool analyze_windows(Scope *scope, TargetVec *targets)
{
    Query *query = scope->query;
    Arena *arena = scope_arena(scope);

    for (size_t i = 0; i < scope->window_defs.length; i++) {
        const WindowDef *def = scope->window_defs.items[i];
        WindowClause *window = ARENA_NEW(arena, WindowClause);
        SortByVec partition = {0};
        if (!str_is_none(def->name) && window_by_name(query, def->name))
            FAIL(ERR_WINDOWING_ERROR,
                 .message = fmt("window \"%.*s\" is already defined", STR_ARGS(def->name)),
                 .position = def->node.position);
        for (size_t p = 0; p < def->partition_clause.length; p++) {
            SortBy *by = NODE_NEW(arena, SortBy, 0);
            by->expr = def->partition_clause.items[p];
            VEC_PUSH(arena, &partition, by);
        }
        TRY(analyze_order_by(scope, &def->order_clause, targets, PLACE_WINDOW_ORDER, true,
                             &window->order_by));
        TRY(analyze_order_by(scope, &partition, targets, PLACE_WINDOW_PARTITION, true,
                             &window->partition_by));
        window->name = def->name;
        window->ref_name = def->ref_name;
        window->frame_options = def->frame_options ? def->frame_options : FRAMEOPTION_DEFAULTS;
        TRY(window_copy_base(def, query, window));
        if ((window->frame_options & FRAMEOPTION_GROUPS) && window->order_by.length == 0)
            FAIL(ERR_WINDOWING_ERROR, .message = STR("GROUPS mode requires an ORDER BY clause"),
                 .position = def->node.position);
        if ((window->frame_options & FRAMEOPTION_RANGE) && (def->start_offset || def->end_offset) &&
            window->order_by.length != 1)
            FAIL(ERR_WINDOWING_ERROR,
                 .message = STR("RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER "
                                "BY column"),
                 .position = def->node.position);
        if (def->start_offset)
            TRY(window->start_offset = frame_offset(scope, def->start_offset, window, targets,
                                                    &window->start_in_range));
        if (def->end_offset)
            TRY(window->end_offset =
                    frame_offset(scope, def->end_offset, window, targets, &window->end_in_range));
        VEC_PUSH(arena, &query->windows, window);
    }
    return true;
}
