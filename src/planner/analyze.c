#include "planner/analyze_internal.h"

#include "parser/parser.h"
#include "planner/query_walk.h"

const TargetVec *query_result(const Query *query)
{
    return query->command == QUERY_SELECT || query->command == QUERY_UTILITY ? &query->targets
                                                                             : &query->returning;
}

static WalkStep find_outer(void *context, Expr *expr, int depth)
{
    bool *found = context;
    int levels = -1;
    if (expr->kind == EXPR_COLUMN)
        levels = EXPR_AS(ExprColumn, expr)->levels_up;
    else if (expr->kind == EXPR_AGGREGATE)
        levels = EXPR_AS(ExprAggregate, expr)->levels_up;
    if (levels <= depth)
        return WALK_CHILDREN;
    *found = true;
    return WALK_STOP;
}

static bool analyze_any_select(Scope *scope, const SelectStmt *select)
{
    if (select->values_lists.length > 0)
        return analyze_values(scope, select);
    return select->op == SETOP_NONE ? analyze_select(scope, select)
                                    : analyze_set_operation(scope, select);
}

Query *analyze_node(Scope *scope, const Node *node)
{
    Query *query = scope->query;
    if (task_stack_left() < 24 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    switch (node->tag) {
    case NODE_SELECT_STMT:
        TRY(analyze_any_select(scope, NODE_CAST(SelectStmt, node)));
        break;
    case NODE_INSERT_STMT:
        TRY(analyze_insert(scope, NODE_CAST(InsertStmt, node)));
        break;
    case NODE_UPDATE_STMT:
        TRY(analyze_update(scope, NODE_CAST(UpdateStmt, node)));
        break;
    case NODE_DELETE_STMT:
        TRY(analyze_delete(scope, NODE_CAST(DeleteStmt, node)));
        break;
    case NODE_MERGE_STMT:
        FAIL_UNSUPPORTED("MERGE");
    default:
        FAIL(ERR_INTERNAL_ERROR,
             .message = fmt("unrecognized node type: %s", node_name(node->tag)));
    }
    (void)query_walk_deep(query, 0, find_outer, &query->is_correlated);
    return query;
}

Query *analyze_subquery(Scope *parent, const Node *node, LockingClause *lock,
                        CommonTable *recursive, bool resolve_unknowns)
{
    Scope *scope = scope_new(parent->context, parent);
    (void)lock;
    scope->recursive = recursive;
    scope->resolve_unknowns = resolve_unknowns;
    return analyze_node(scope, node);
}

/* ---- parameters ---- */

static WalkStep check_param(void *context, Expr *expr, int depth)
{
    AnalyzeParams *params = context;
    (void)depth;
    if (expr->kind != EXPR_PARAM || EXPR_AS(ExprParam, expr)->param_kind != PARAM_EXTERNAL)
        return WALK_CHILDREN;
    ExprParam *param = EXPR_AS(ExprParam, expr);
    const Oid type = params->types[param->number - 1];
    if (expr->type == type || type == 0 || type == TYPE_UNKNOWN)
        return WALK_SKIP;
    ERROR_SET(ERR_AMBIGUOUS_PARAMETER,
              .message = fmt("could not determine data type of parameter $%d", param->number),
              .position = expr_location(expr));
    return WALK_STOP;
}

static bool check_params(AnalyzeContext *context, Query *query)
{
    AnalyzeParams *params = context->params;
    if (!params)
        return true;
    if (params->is_variable)
        TRY(query_walk_deep(query, 0, check_param, params));
    for (int i = 0; params->is_variable && i < params->count; i++)
        if (params->types[i] == 0 || params->types[i] == TYPE_UNKNOWN)
            FAIL(ERR_INDETERMINATE_DATATYPE,
                 .message = fmt("could not determine data type of parameter $%d", i + 1));
    query->param_types = params->types;
    query->param_count = params->count;
    return true;
}

/* ---- statements ---- */

static Query *analyze_inner(AnalyzeContext *context, const Node *node)
{
    Query *query = analyze_node(scope_new(context, NULL), node);
    TRY(query);
    TRY(rewrite_view_target(context, query));
    TRY(check_params(context, query));
    return query;
}

/* SELECT INTO is CREATE TABLE AS with another spelling. */
static const Node *select_into(AnalyzeContext *context, const SelectStmt *select)
{
    const SelectStmt *leaf = select;
    while (leaf->op != SETOP_NONE)
        leaf = leaf->larg;
    if (!leaf->into_clause)
        return NULL;
    CreateTableAsStmt *create = NODE_NEW(context->arena, CreateTableAsStmt, select->node.position);
    SelectStmt *copy = arena_copy(context->arena, select, sizeof(*select));
    SelectStmt *at = copy;
    create->into = leaf->into_clause;
    while (at->op != SETOP_NONE)
        at = at->larg = arena_copy(context->arena, at->larg, sizeof(*at));
    at->into_clause = NULL;
    create->query = &copy->node;
    return &create->node;
}

static const Node *wrapped_query(const Node *node)
{
    switch (node->tag) {
    case NODE_EXPLAIN_STMT:
        return NODE_CAST(ExplainStmt, node)->query;
    case NODE_DECLARE_CURSOR_STMT:
        return &NODE_CAST(DeclareCursorStmt, node)->query->node;
    case NODE_CREATE_TABLE_AS_STMT:
        return NODE_CAST(CreateTableAsStmt, node)->query;
    case NODE_COPY_STMT:
        return NODE_CAST(CopyStmt, node)->query;
    case NODE_VIEW_STMT:
        return &NODE_CAST(ViewStmt, node)->query->node;
    default:
        return NULL;
    }
}

static bool is_plannable(const Node *node)
{
    return NODE_IS(node, SelectStmt) || NODE_IS(node, InsertStmt) || NODE_IS(node, UpdateStmt) ||
           NODE_IS(node, DeleteStmt) || NODE_IS(node, MergeStmt);
}

Query *analyze_statement(AnalyzeContext *context, const Node *statement)
{
    const Node *node =
        NODE_IS(statement, RawStmt) ? NODE_CAST(RawStmt, statement)->stmt : statement;

    if (NODE_IS(node, SelectStmt)) {
        const Node *into = select_into(context, NODE_CAST(SelectStmt, node));
        if (into)
            node = into;
    }
    if (is_plannable(node))
        return analyze_inner(context, node);
    Query *query = ARENA_NEW(context->arena, Query);
    query->command = QUERY_UTILITY;
    query->utility = node;
    query->source = context->source;
    const Node *inner = wrapped_query(node);
    if (inner && !NODE_IS(inner, ExecuteStmt))
        TRY(query->utility_query = analyze_statement(context, inner));
    return query;
}

/* ---- stored expressions ---- */

static const struct {
    ExprPlace place;
} stored_places[] = {
    [STORED_DEFAULT] = {PLACE_DEFAULT},
    [STORED_GENERATED] = {PLACE_GENERATED},
    [STORED_CHECK] = {PLACE_CHECK},
    [STORED_INDEX_KEY] = {PLACE_INDEX_KEY},
    [STORED_INDEX_PREDICATE] = {PLACE_INDEX_PREDICATE},
    [STORED_POLICY] = {PLACE_POLICY},
    [STORED_ALTER_USING] = {PLACE_ALTER_USING},
    [STORED_COPY_WHERE] = {PLACE_COPY_WHERE},
    [STORED_OTHER] = {PLACE_EXECUTE},
};

/* text || anynonarray and the other way about, by pg_proc's OIDs: as mutable as the text they make.
 */
enum { FUNCTION_TEXTANYCAT = 2003, FUNCTION_ANYTEXTCAT = 2004 };

static bool is_immutable(CatalogSession *session, Oid function)
{
    const FunctionDesc *desc = function_find(session, function);
    return !desc || desc->volatility == 'i';
}

/* The text of some types' values, and how it is read, depends on settings. */
static bool is_immutable_text(CatalogSession *session, Oid from, Oid to)
{
    const TypeDesc *out = type_find(session, from), *in = type_find(session, to);
    return out && in && is_immutable(session, out->output) && is_immutable(session, in->input);
}

/* What is made a text to be put behind or before another. */
static const Expr *concatenated(const Expr *expr)
{
    const ExprVec *args = expr->kind == EXPR_OPERATOR ? &EXPR_AS(const ExprOperator, expr)->args
                                                      : &EXPR_AS(const ExprFunction, expr)->args;
    return args->items[expr_function(expr) == FUNCTION_TEXTANYCAT];
}

static WalkStep find_mutable(void *context, Expr *expr, int depth)
{
    CatalogSession *session = context;
    const Oid function = expr_function(expr);
    bool is_fixed = expr->kind != EXPR_SQL_VALUE;

    (void)depth;
    if (expr->kind == EXPR_CAST && EXPR_AS(ExprCast, expr)->cast == CAST_IO)
        is_fixed =
            is_immutable_text(session, EXPR_AS(ExprCast, expr)->args.items[0]->type, expr->type);
    else if (function == FUNCTION_TEXTANYCAT || function == FUNCTION_ANYTEXTCAT)
        is_fixed = is_immutable_text(session, concatenated(expr)->type, TYPE_TEXT);
    else if (function)
        is_fixed = is_immutable(session, function);
    return is_fixed ? WALK_CHILDREN : WALK_STOP;
}

/* A row that is not stored yet has no place and no transaction; tableoid it has. */
static WalkStep check_column(void *context, Expr *expr, int depth)
{
    const StoredExprKind kind = *(const StoredExprKind *)context;
    if (expr->kind != EXPR_COLUMN || EXPR_AS(ExprColumn, expr)->levels_up != depth)
        return WALK_CHILDREN;
    const int attnum = EXPR_AS(ExprColumn, expr)->attnum;
    const bool is_system = attnum < 0 && attnum != ATTNUM_TABLEOID;
    const Str name = attnum < 0 ? system_column_at(attnum)->name : STR_NONE;
    if (kind == STORED_GENERATED && attnum == 0)
        error_set(&(ErrorFields){
            .sqlstate = ERR_INVALID_OBJECT_DEFINITION,
            .message = STR("cannot use whole-row variable in column generation expression"),
            .detail = STR("This would cause the generated column to depend on its own value."),
            .position = expr->position});
    else if (kind == STORED_GENERATED && is_system)
        error_set(&(ErrorFields){
            .sqlstate = ERR_INVALID_COLUMN_REFERENCE,
            .message = fmt("cannot use system column \"%.*s\" in column generation expression",
                           STR_ARGS(name)),
            .position = expr->position});
    else if (kind == STORED_CHECK && is_system)
        error_set(&(ErrorFields){
            .sqlstate = ERR_INVALID_COLUMN_REFERENCE,
            .message = fmt("system column \"%.*s\" reference in check constraint is invalid",
                           STR_ARGS(name)),
            .position = expr->position});
    else if (attnum < 0 && (kind == STORED_INDEX_KEY || kind == STORED_INDEX_PREDICATE))
        error_set(
            &(ErrorFields){.sqlstate = ERR_FEATURE_NOT_SUPPORTED,
                           .message = STR("index creation on system columns is not supported")});
    return error_is_set() ? WALK_STOP : WALK_CHILDREN;
}

static bool check_stored(AnalyzeContext *context, Expr *expr, StoredExprKind kind)
{
    TRY(expr_walk_deep(expr, 0, check_column, &kind));
    if (kind != STORED_GENERATED && kind != STORED_INDEX_KEY && kind != STORED_INDEX_PREDICATE)
        return true;
    if (expr_walk_deep(expr, 0, find_mutable, context->session))
        return true;
    if (kind == STORED_GENERATED)
        FAIL(ERR_INVALID_OBJECT_DEFINITION,
             .message = STR("generation expression is not immutable"));
    FAIL(ERR_INVALID_OBJECT_DEFINITION,
         .message = fmt("functions in index %s must be marked IMMUTABLE",
                        kind == STORED_INDEX_KEY ? "expression" : "predicate"));
}

Expr *analyze_expression(AnalyzeContext *context, const Node *node, const RelationDesc *relation,
                         StoredExprKind kind, Oid type, int32_t typmod, Str subject)
{
    Scope *scope = scope_new(context, NULL);
    bool failed = false;

    if (relation) {
        RangeTableEntry *rte = rte_for_relation(scope, relation, NULL, NULL);
        TRY(rte);
        const int rel = scope_add_rte(scope, rte);
        const ScopeItem item = scope_item_new(scope, rte, rel);
        TRY(scope_add_item(scope, &item, true, true));
    }
    Expr *expr = analyze_expr(scope, node, stored_places[kind].place);
    TRY(expr);
    if (kind == STORED_GENERATED)
        TRY(check_stored(context, expr, kind));
    if (type) {
        const Oid from = expr->type;
        Expr *made = coerce_for_assignment(scope, expr, type, typmod, &failed);
        TRY(!failed);
        if (!made) {
            if (kind == STORED_DEFAULT || kind == STORED_GENERATED)
                FAIL(ERR_DATATYPE_MISMATCH,
                     .message =
                         fmt("column \"%.*s\" is of type %.*s but %s expression is of type %.*s",
                             STR_ARGS(subject), STR_ARGS(type_text(scope, type)),
                             kind == STORED_DEFAULT ? "default" : "generation",
                             STR_ARGS(type_text(scope, from))),
                     .hint = STR("You will need to rewrite or cast the expression."));
            if (kind == STORED_OTHER)
                FAIL(ERR_DATATYPE_MISMATCH,
                     .message = fmt("parameter %.*s of type %.*s cannot be coerced to the "
                                    "expected type %.*s",
                                    STR_ARGS(subject), STR_ARGS(type_text(scope, from)),
                                    STR_ARGS(type_text(scope, type))),
                     .hint = STR("You will need to rewrite or cast the expression."),
                     .position = expr_location(expr));
            FAIL(ERR_DATATYPE_MISMATCH,
                 .message = fmt("argument of %.*s must be type %.*s, not type %.*s",
                                STR_ARGS(kind == STORED_CHECK             ? STR("CHECK")
                                         : kind == STORED_INDEX_PREDICATE ? STR("WHERE")
                                                                          : subject),
                                STR_ARGS(type_text(scope, type)), STR_ARGS(type_text(scope, from))),
                 .position = expr_location(expr));
        }
        expr = made;
    } else if (expr->type == TYPE_UNKNOWN && kind != STORED_ALTER_USING &&
               kind != STORED_INDEX_KEY) {
        TRY(expr = coerce_implicitly(scope, expr, TYPE_TEXT));
    }
    TRY(check_stored(context, expr, kind));
    return expr;
}

/* Stored text was written under a path of pg_catalog alone. */
static const SearchPath *path_of_stored_text(CatalogSession *session)
{
    static const Oid namespaces[] = {NAMESPACE_PG_CATALOG};
    static const SearchPath path = {.namespaces = namespaces, .count = 1};
    return catalog_override_search_path(session, &path);
}

static WalkStep forget_position(void *context, Expr *expr, int depth)
{
    (void)context;
    (void)depth;
    expr->position = 0;
    return WALK_CHILDREN;
}

Expr *analyze_expression_text(Arena *arena, CatalogSession *session, Str text,
                              const RelationDesc *relation, StoredExprKind kind, Oid type,
                              int32_t typmod)
{
    AnalyzeContext context = {
        .arena = arena, .session = session, .source = text, .is_stored = true};
    Node *node = parse_expression(arena, text);
    TRY(node);
    const SearchPath *saved = path_of_stored_text(session);
    Expr *expr = analyze_expression(&context, node, relation, kind, type, typmod, STR_NONE);
    (void)catalog_override_search_path(session, saved);
    if (expr)
        (void)expr_walk_deep(expr, 0, forget_position, NULL);
    return expr;
}

Query *analyze_view_text(Arena *arena, CatalogSession *session, Str text)
{
    AnalyzeContext context = {
        .arena = arena, .session = session, .source = text, .is_stored = true};
    StatementList statements = {0};
    TRY(parse_stored(arena, text, &statements));
    if (statements.length != 1 || !NODE_IS(statements.items[0]->stmt, SelectStmt))
        FAIL(ERR_DATA_CORRUPTED, .message = STR("a view's text is not one SELECT"));
    const SearchPath *saved = path_of_stored_text(session);
    Query *query = analyze_node(scope_new(&context, NULL), statements.items[0]->stmt);
    (void)catalog_override_search_path(session, saved);
    if (query)
        (void)query_walk_deep(query, 0, forget_position, NULL);
    return query;
}

bool analyze_type_name(AnalyzeContext *context, const Node *node, Oid *ret_type,
                       int32_t *ret_typmod)
{
    Scope *scope = scope_new(context, NULL);
    scope->notices_have_no_place = true;
    return resolve_type_name(scope, NODE_CAST(TypeName, node), ret_type, ret_typmod);
}

Expr *analyze_coerce(AnalyzeContext *context, Expr *expr, Oid type, int32_t typmod,
                     CoercionContext coercion)
{
    const Coercion to = {.type = type,
                         .typmod = typmod,
                         .context = coercion,
                         .form = coercion == COERCION_EXPLICIT ? CALL_EXPLICIT_CAST
                                                               : CALL_IMPLICIT_CAST};
    bool failed = false;
    return coerce_to_target(scope_new(context, NULL), expr, &to, &failed);
}
