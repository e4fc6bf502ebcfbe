#include "planner/analyze_internal.h"

static bool check_subquery_place(ExprPlace place, int position)
{
    const char *what = NULL;
    switch (place) {
    case PLACE_CHECK:
        what = "check constraint";
        break;
    case PLACE_DEFAULT:
        what = "DEFAULT expression";
        break;
    case PLACE_INDEX_KEY:
        what = "index expression";
        break;
    case PLACE_INDEX_PREDICATE:
        what = "index predicate";
        break;
    case PLACE_ALTER_USING:
        what = "transform expression";
        break;
    case PLACE_EXECUTE:
        what = "EXECUTE parameter";
        break;
    case PLACE_GENERATED:
        what = "column generation expression";
        break;
    case PLACE_CALL:
        what = "CALL argument";
        break;
    case PLACE_COPY_WHERE:
        what = "COPY FROM WHERE condition";
        break;
    default:
        return true;
    }
    FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = fmt("cannot use subquery in %s", what),
         .position = position);
}

static int visible_targets(const Query *query)
{
    int count = 0;
    for (size_t i = 0; i < query->targets.length; i++)
        count += !query->targets.items[i].is_junk;
    return count;
}

/* Operators for two rows, column by column. */
static bool row_operators(Scope *scope, const StrVec *name, const ExprVec *left,
                          const ExprVec *right, int position, ExprVec *ret)
{
    if (left->length != right->length)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("unequal number of entries in row expressions"),
             .position = position);
    if (left->length == 0)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("cannot compare rows of zero length"),
             .position = position);
    for (size_t i = 0; i < left->length; i++) {
        Expr *made = make_operator(scope, name, left->items[i], right->items[i], position);
        TRY(made);
        if (made->type != TYPE_BOOL)
            FAIL(ERR_DATATYPE_MISMATCH,
                 .message = fmt("row comparison operator must yield type boolean, not type %.*s",
                                STR_ARGS(type_text(scope, made->type))),
                 .position = position);
        if (EXPR_AS(ExprOperator, made)->returns_set)
            FAIL(ERR_DATATYPE_MISMATCH,
                 .message = STR("row comparison operator must not return a set"),
                 .position = position);
        VEC_PUSH(scope_arena(scope), ret, made);
    }
    return true;
}

/* The btree strategy all columns' operators share; -1 for <>. */
static bool row_strategy(Scope *scope, const StrVec *name, const ExprVec *operators, int position,
                         int *ret_strategy)
{
    CatalogSession *session = scope_session(scope);
    int strategy = 0;

    for (size_t i = 0; i < operators->length; i++) {
        const ExprOperator *op = EXPR_AS(const ExprOperator, operators->items[i]);
        OpfamilyMember members[8];
        int found = 0;
        if (operator_btree_families(session, op->op, members, ARRAY_LENGTH(members)) > 0)
            found = members[0].strategy;
        const OperatorDesc *desc = operator_find(session, op->op);
        if (!found && desc && desc->negator &&
            operator_btree_families(session, desc->negator, members, ARRAY_LENGTH(members)) > 0 &&
            members[0].strategy == 3)
            found = -1;
        if (!found || (strategy && strategy != found))
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message =
                     fmt("could not determine interpretation of row comparison operator %.*s",
                         STR_ARGS(VEC_LAST(name))),
                 .hint = STR(
                     "Row comparison operators must be associated with btree operator families."),
                 .position = position);
        strategy = found;
    }
    *ret_strategy = strategy;
    return true;
}

static Expr *row_bool(Arena *arena, BoolOp op, const ExprVec *args, int position)
{
    ExprBool *result = EXPR_NEW(arena, ExprBool, EXPR_BOOL);
    result->base.type = TYPE_BOOL;
    result->base.position = position;
    result->op = op;
    result->args = *args;
    return &result->base;
}

Expr *analyze_row_compare(Scope *scope, const StrVec *name, RowExpr *left, RowExpr *right,
                          int position)
{
    Arena *arena = scope_arena(scope);
    ExprVec l = {0}, r = {0}, operators = {0};
    int strategy;

    TRY(analyze_expr_list(scope, &left->args, scope->place, false, &l));
    TRY(analyze_expr_list(scope, &right->args, scope->place, false, &r));
    TRY(row_operators(scope, name, &l, &r, position, &operators));
    if (operators.length == 1)
        return operators.items[0];
    TRY(row_strategy(scope, name, &operators, position, &strategy));
    if (strategy == 3)
        return row_bool(arena, BOOL_AND, &operators, position);
    if (strategy == -1)
        return row_bool(arena, BOOL_OR, &operators, position);

    ExprRowCompare *compare = EXPR_NEW(arena, ExprRowCompare, EXPR_ROW_COMPARE);
    compare->base.type = TYPE_BOOL;
    compare->base.position = position;
    compare->compare = (RowCompareKind)strategy;
    for (size_t i = 0; i < operators.length; i++) {
        const ExprOperator *op = EXPR_AS(const ExprOperator, operators.items[i]);
        VEC_PUSH(arena, &compare->ops, op->op);
        VEC_PUSH(arena, &compare->left, op->args.items[0]);
        VEC_PUSH(arena, &compare->right, op->args.items[1]);
    }
    return &compare->base;
}

/* left op ANY/ALL (SELECT …), and ROW(…) op (SELECT …). */
static bool sublink_test(Scope *scope, const SubLink *link, ExprSubLink *result)
{
    Arena *arena = scope_arena(scope);
    const int position = link->node.position;
    const Query *query = result->query;
    ExprVec left = {0}, right = {0}, operators = {0};
    StrVec name = link->oper_name;
    int strategy;

    if (name.length == 0) {
        VEC_PUSH(arena, &name, STR("="));
        result->is_in = true;
    }
    if (NODE_IS(link->test_expr, RowExpr)) {
        TRY(analyze_expr_list(scope, &NODE_CAST(RowExpr, link->test_expr)->args, scope->place,
                              false, &left));
    } else {
        Expr *one = analyze_expr_inner(scope, link->test_expr);
        TRY(one);
        if (one->kind == EXPR_ROW)
            left = EXPR_AS(ExprRow, one)->fields;
        else
            VEC_PUSH(arena, &left, one);
    }
    for (size_t i = 0; i < query->targets.length; i++) {
        const TargetEntry *target = &query->targets.items[i];
        if (target->is_junk)
            continue;
        Expr *param = expr_param_exec(arena, (int)right.length, target->expr);
        VEC_PUSH(arena, &right, param);
    }
    if (left.length < right.length)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("subquery has too many columns"),
             .position = position);
    if (left.length > right.length)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("subquery has too few columns"),
             .position = position);
    TRY(row_operators(scope, &name, &left, &right, position, &operators));
    if (operators.length > 1) {
        TRY(row_strategy(scope, &name, &operators, position, &strategy));
        result->combine_or = strategy == -1;
        result->row_compare = strategy != 3 && strategy != -1 ? (RowCompareKind)strategy : 0;
    }
    for (size_t i = 0; i < operators.length; i++) {
        const ExprOperator *op = EXPR_AS(const ExprOperator, operators.items[i]);
        VEC_PUSH(arena, &result->ops, op->op);
        VEC_PUSH(arena, &result->functions, op->function);
        VEC_PUSH(arena, &result->left, op->args.items[0]);
        VEC_PUSH(arena, &result->right, op->args.items[1]);
    }
    result->op_name = VEC_LAST(&name);
    result->base.type = TYPE_BOOL;
    return true;
}

static bool sublink_one_column(const ExprSubLink *link, int position)
{
    const int count = visible_targets(link->query);
    if (count == 0)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("subquery must return a column"),
             .position = position);
    if (count != 1)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("subquery must return only one column"),
             .position = position);
    return true;
}

Expr *analyze_sublink(Scope *scope, const SubLink *link)
{
    const int position = link->node.position;
    ExprSubLink *result = EXPR_NEW(scope_arena(scope), ExprSubLink, EXPR_SUB_LINK);

    TRY(check_subquery_place(scope->place, position));
    scope->query->has_sublinks = true;
    TRY(result->query = analyze_subquery(scope, link->subselect, NULL, NULL, true));
    if (result->query->command != QUERY_SELECT)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("unexpected non-SELECT command in SubLink"));
    result->source = result->query;
    result->base.position = position;
    switch (link->type) {
    case EXISTS_SUBLINK:
        result->sublink = SUBLINK_EXISTS;
        result->base.type = TYPE_BOOL;
        return &result->base;
    case EXPR_SUBLINK:
        if (link->test_expr) {
            result->sublink = SUBLINK_ROW;
            TRY(sublink_test(scope, link, result));
            return &result->base;
        }
        FALLTHROUGH;
    case ARRAY_SUBLINK: {
        TRY(sublink_one_column(result, position));
        const Expr *column = result->query->targets.items[0].expr;
        result->sublink = SUBLINK_SCALAR;
        result->base.type = column->type;
        result->base.typmod = column->typmod;
        result->base.collation = column->collation;
        if (link->type == EXPR_SUBLINK)
            return &result->base;
        result->sublink = SUBLINK_ARRAY;
        CatalogSession *session = scope_session(scope);
        result->base.type = element_type_of(session, column->type)
                                ? column->type
                                : array_type_of(session, column->type);
        if (!result->base.type)
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("could not find array type for data type %.*s",
                                STR_ARGS(type_text(scope, column->type))),
                 .position = position);
        return &result->base;
    }
    case ANY_SUBLINK:
    case ALL_SUBLINK:
        result->sublink = link->type == ANY_SUBLINK ? SUBLINK_ANY : SUBLINK_ALL;
        TRY(sublink_test(scope, link, result));
        return &result->base;
    }
    return NULL;
}
