#include "parser/parser.h"
#include "planner/analyze_internal.h"

/* A function that could be meant, with its parameters laid out as the call's arguments. */
typedef struct Candidate {
    const FunctionDesc *function;
    Oid *types;         /* one per call argument, then defaults */
    int variadic_count; /* arguments packed into the VARIADIC array; 0: none */
    bool is_plain;      /* neither variadic nor defaulted */
    int *positions;     /* named notation: argument i fills parameter positions[i]; else NULL */
} Candidate;

typedef VEC(Candidate) CandidateVec;

static int parameter_by_name(const FunctionDesc *function, Str name)
{
    int input = 0;
    const int count = function->all_count ? function->all_count : function->argument_count;
    for (int i = 0; i < count; i++) {
        const char mode = function->all_count ? function->all_modes[i] : 'i';
        if (mode != 'i' && mode != 'b' && mode != 'v')
            continue;
        if (function->names && str_equal(function->names[i], name))
            return input;
        input++;
    }
    return -1;
}

/* Named notation: every parameter is filled exactly once, positional ones first. */
static bool match_names(Arena *arena, const Call *call, Candidate *candidate)
{
    const FunctionDesc *function = candidate->function;
    const int count = (int)call->args.length;
    const int positional = count - (int)call->arg_names.length;
    bool filled[256] = {0};

    if (!function->names || function->argument_count > 256 || function->argument_count < count ||
        function->argument_count - function->default_count > count)
        return false;
    candidate->positions = ARENA_ARRAY(arena, int, count);
    for (int i = 0; i < count; i++) {
        const int parameter =
            i < positional ? i : parameter_by_name(function, call->arg_names.items[i - positional]);
        if (parameter < 0 || filled[parameter])
            return false;
        filled[parameter] = true;
        candidate->positions[i] = parameter;
        candidate->types[i] = function->argument_types[parameter];
    }
    for (int i = 0; i < function->argument_count - function->default_count; i++)
        if (!filled[i])
            return false;
    return true;
}

static bool candidate_fits(Arena *arena, const FunctionDesc *function, const Call *call,
                           Candidate *candidate)
{
    const int count = (int)call->args.length;
    const bool is_variadic = call->node->func_variadic;

    *candidate = (Candidate){.function = function, .types = ARENA_ARRAY(arena, Oid, count + 1)};
    if (call->arg_names.length > 0) {
        candidate->is_plain = function->argument_count == count;
        return match_names(arena, call, candidate);
    }
    if (is_variadic && !function->variadic)
        return false;
    if (function->argument_count == count && (!function->variadic || is_variadic)) {
        if (count > 0)
            memcpy(candidate->types, function->argument_types, (size_t)count * sizeof(Oid));
        candidate->is_plain = true;
        return true;
    }
    if (!function->variadic && count < function->argument_count &&
        count >= function->argument_count - function->default_count) {
        if (count > 0)
            memcpy(candidate->types, function->argument_types, (size_t)count * sizeof(Oid));
        return true;
    }
    if (!function->variadic || is_variadic || count < function->argument_count)
        return false;
    const int fixed = function->argument_count - 1;
    memcpy(candidate->types, function->argument_types, (size_t)fixed * sizeof(Oid));
    for (int i = fixed; i < count; i++)
        candidate->types[i] = function->variadic;
    candidate->variadic_count = count - fixed;
    return true;
}

static void candidates_collect(Scope *scope, const Call *call, CandidateVec *ret)
{
    Arena *arena = scope_arena(scope);
    const StrVec *name = &call->node->name;
    const Str schema = name->length > 1 ? name->items[name->length - 2] : STR_NONE;
    const FunctionCandidates found =
        function_candidates(scope_session(scope), schema, VEC_LAST(name), -1);

    for (uint32_t i = 0; i < found.count; i++) {
        Candidate candidate;
        if (!candidate_fits(arena, found.items[i], call, &candidate))
            continue;
        /* Of two with the same parameters, the one that is not variadic is meant. */
        bool dominated = false;
        for (size_t k = 0; k < ret->length && !dominated; k++) {
            Candidate *other = &ret->items[k];
            if (memcmp(other->types, candidate.types, call->args.length * sizeof(Oid)) != 0)
                continue;
            if (!other->is_plain && candidate.is_plain)
                *other = candidate;
            dominated = other->is_plain || !candidate.is_plain;
        }
        if (!dominated)
            VEC_PUSH(arena, ret, candidate);
    }
}

static Str call_signature(Scope *scope, const Call *call)
{
    StrBuf buf = strbuf_in(scope_arena(scope));
    const size_t positional = call->args.length - call->arg_names.length;

    strbuf_append(&buf, name_list_text(scope_arena(scope), &call->node->name));
    strbuf_append_char(&buf, '(');
    for (size_t i = 0; i < call->args.length; i++) {
        if (i > 0)
            strbuf_append_c(&buf, ", ");
        if (i >= positional)
            strbuf_format(&buf, "%.*s => ", STR_ARGS(call->arg_names.items[i - positional]));
        strbuf_append(&buf, type_text(scope, call->args.items[i]->type));
    }
    strbuf_append_char(&buf, ')');
    return strbuf_view(&buf);
}

static int choose_exact(const CandidateVec *candidates, const Oid *inputs, int count)
{
    for (size_t i = 0; i < candidates->length; i++)
        if (memcmp(candidates->items[i].types, inputs, (size_t)count * sizeof(Oid)) == 0)
            return (int)i;
    return -1;
}

static int choose(Scope *scope, const CandidateVec *candidates, const Oid *inputs, int count)
{
    if (candidates->length == 0)
        return -1;
    Arena *arena = scope_arena(scope);
    const Oid **signatures = ARENA_ARRAY(arena, const Oid *, candidates->length);
    uint8_t *alive = arena_alloc(arena, candidates->length);
    for (size_t i = 0; i < candidates->length; i++) {
        signatures[i] = candidates->items[i].types;
        alive[i] = 1;
    }
    return candidates_select(scope, inputs, count, signatures, (int)candidates->length, alive);
}

/* name(x) may be a cast in functional notation: int4(x), text(x). */
static Expr *functional_cast(Scope *scope, const Call *call, bool *ret_failed)
{
    CatalogSession *session = scope_session(scope);
    const StrVec *name = &call->node->name;
    if (call->args.length != 1 || name->length > 2)
        return NULL;
    const Str schema = name->length > 1 ? name->items[0] : STR_NONE;
    const Oid target = type_oid(session, schema, VEC_LAST(name));
    if (!target)
        return NULL;
    Expr *arg = call->args.items[0];
    const TypeDesc *type = type_find(session, target);
    if (!type || type->kind == 'p')
        return NULL;
    const CastDesc *cast = cast_find(session, arg->type, target);
    const bool by_text = type_category(session, arg->type, NULL) == 'S' || type->category == 'S';
    if (arg->type != TYPE_UNKNOWN && !(cast && cast->method != 'i') && arg->type != target &&
        !(by_text && arg->type != TYPE_RECORD))
        return NULL;
    Expr *result = coerce_type(scope, arg,
                               &(Coercion){.type = target,
                                           .typmod = -1,
                                           .context = COERCION_EXPLICIT,
                                           .form = CALL_PLAIN,
                                           .position = call_position(call)});
    *ret_failed = !result;
    return result;
}

/* f(row) for a field f of the row's type. */
static Expr *functional_field(Scope *scope, Str name, Expr *arg, int position)
{
    const TypeDesc *type = type_find(scope_session(scope), arg->type);
    if (!type || type->kind != 'c')
        return NULL;
    const RelationDesc *relation = relation_find(scope_session(scope), type->relation);
    const ColumnDesc *column = relation ? relation_column(relation, name) : NULL;
    if (!column)
        return NULL;
    ExprFieldSelect *field = EXPR_NEW(scope_arena(scope), ExprFieldSelect, EXPR_FIELD_SELECT);
    field->base.type = column->type;
    field->base.typmod = column->typmod;
    field->base.collation = column->collation;
    field->base.position = position;
    field->arg = arg;
    field->attnum = relation_field_number(relation, column);
    field->name = column->name;
    return &field->base;
}

static void *fail_no_function(Scope *scope, const Call *call)
{
    const StrVec *name = &call->node->name;
    const int position = call_position(call);
    if (name->length > 1 &&
        !namespace_get(scope_session(scope), name->items[name->length - 2], position))
        return NULL;
    const Str signature = call_signature(scope, call);
    if (call->node->agg_order.length > 0 && !call->node->agg_within_group && call->args.length > 1)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("function %.*s does not exist", STR_ARGS(signature)),
             .hint = STR("No aggregate function matches the given name and argument types. Perhaps "
                         "you misplaced ORDER BY; ORDER BY must appear after all regular arguments "
                         "of the aggregate."),
             .position = position);
    FAIL(ERR_UNDEFINED_FUNCTION,
         .message = fmt("function %.*s does not exist", STR_ARGS(signature)),
         .hint = STR("No function matches the given name and argument types. You might need to add "
                     "explicit type casts."),
         .position = position);
}

static bool fail_not_aggregate(Scope *scope, const char *what, const StrVec *name, int position)
{
    FAIL(ERR_WRONG_OBJECT_TYPE,
         .message = fmt("%s specified, but %.*s is not an aggregate function", what,
                        STR_ARGS(name_list_text(scope_arena(scope), name))),
         .position = position);
}

/* What is written in the call fits the kind of function found. */
static bool check_decorations(Scope *scope, const FunctionDesc *function, const FuncCall *call)
{
    const StrVec *name = &call->name;
    const int position = call->node.position;
    const Str shown = name_list_text(scope_arena(scope), name);
    const bool is_aggregate = function->kind == PROKIND_AGGREGATE;

    if (function->kind == PROKIND_PROCEDURE)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("%.*s is a procedure",
                            STR_ARGS(function_signature(scope_session(scope), function))),
             .hint = STR("To call a procedure, use CALL."), .position = position);
    if (!is_aggregate) {
        if (call->agg_star)
            FAIL(ERR_WRONG_OBJECT_TYPE,
                 .message = fmt("%.*s(*) specified, but %.*s is not an aggregate function",
                                STR_ARGS(shown), STR_ARGS(shown)),
                 .position = position);
        if (call->agg_distinct)
            return fail_not_aggregate(scope, "DISTINCT", name, position);
        if (call->agg_within_group)
            return fail_not_aggregate(scope, "WITHIN GROUP", name, position);
        if (call->agg_order.length > 0)
            return fail_not_aggregate(scope, "ORDER BY", name, position);
        if (call->agg_filter && function->kind != PROKIND_WINDOW)
            return fail_not_aggregate(scope, "FILTER", name, position);
        if (call->over && function->kind != PROKIND_WINDOW)
            FAIL(ERR_WRONG_OBJECT_TYPE,
                 .message = fmt("OVER specified, but %.*s is not a window function nor an "
                                "aggregate function",
                                STR_ARGS(shown)),
                 .position = position);
        if (!call->over && function->kind == PROKIND_WINDOW)
            FAIL(ERR_WRONG_OBJECT_TYPE,
                 .message = fmt("window function %.*s requires an OVER clause", STR_ARGS(shown)),
                 .position = position);
    }
    return true;
}

/* Trailing arguments of a variadic call become one array. */
static bool pack_variadic(Scope *scope, const Candidate *candidate, ExprVec *args, Oid *declared,
                          int *count)
{
    const FunctionDesc *function = candidate->function;
    if (candidate->variadic_count == 0 || function->variadic == TYPE_ANY)
        return true;
    Arena *arena = scope_arena(scope);
    const int fixed = *count - candidate->variadic_count;
    ExprArray *array = EXPR_NEW(arena, ExprArray, EXPR_ARRAY);
    for (int i = fixed; i < *count; i++)
        VEC_PUSH(arena, &array->elements, args->items[i]);
    array->element_type = array->elements.items[0]->type;
    array->base.type = array_type_of(scope_session(scope), array->element_type);
    array->base.collation = select_common_collation(&array->elements);
    array->base.position = array->elements.items[0]->position;
    if (!array->base.type)
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("could not find array type for data type %.*s",
                            STR_ARGS(type_text(scope, array->element_type))),
             .position = array->base.position);
    args->length = (size_t)fixed;
    VEC_PUSH(arena, args, &array->base);
    declared[fixed] = array->base.type;
    *count = fixed + 1;
    return true;
}

static void reorder_named(Arena *arena, const Candidate *candidate, ExprVec *args, Oid *declared)
{
    if (!candidate->positions)
        return;
    Expr **items = ARENA_ARRAY(arena, Expr *, args->length);
    Oid *types = ARENA_ARRAY(arena, Oid, args->length);
    for (size_t i = 0; i < args->length; i++) {
        items[candidate->positions[i]] = args->items[i];
        types[candidate->positions[i]] = declared[i];
    }
    args->items = items;
    memcpy(declared, types, args->length * sizeof(Oid));
}

/* Parameters that the call leaves out have their defaults; the given ones move to their places. */
static bool fill_defaults(Scope *scope, const Candidate *candidate, Call *call, Oid **declared,
                          int *count)
{
    ExprVec *args = &call->args;
    Arena *arena = scope_arena(scope);
    const FunctionDesc *function = candidate->function;
    const int total = function->argument_count;

    if (function->default_count == 0 || *count >= total || candidate->variadic_count > 0)
        return true;
    Expr **items = ARENA_ARRAY(arena, Expr *, total);
    for (int i = 0; i < *count; i++)
        items[candidate->positions ? candidate->positions[i] : i] = args->items[i];
    const Node *node =
        parse_expression(arena, str_format(arena, "ROW(%.*s)", STR_ARGS(function->defaults)));
    TRY(node);
    const RowExpr *row = NODE_CAST(RowExpr, node);
    call->default_count = candidate->positions ? 0 : total - *count;
    const int first = total - (int)row->args.length;
    for (int i = 0; i < total; i++)
        if (!items[i])
            TRY(items[i] = analyze_expr_inner(scope, row->args.items[i - first]));
    *args = (ExprVec){.items = items, .length = (size_t)total, .capacity = (size_t)total};
    *declared = arena_copy(arena, function->argument_types, (size_t)total * sizeof(Oid));
    *count = total;
    return true;
}

static bool note_outputs(Scope *scope, ExprFunction *expr, const FunctionDesc *function)
{
    Oid *types = ARENA_ARRAY(scope_arena(scope), Oid, function->all_count + 1);

    for (int i = 0; i < function->all_count; i++)
        if (function->all_modes[i] != 'i' && function->all_modes[i] != 'v')
            TRY(function_output_type(scope, expr, function, i, &types[expr->output_count++]));
    expr->output_types = types;
    return true;
}

static Expr *make_plain_call(Scope *scope, const Call *call)
{
    const FunctionDesc *function = call->function;
    ExprFunction *expr = EXPR_NEW(scope_arena(scope), ExprFunction, EXPR_FUNCTION);

    expr->base.type = call->result_type;
    expr->base.position = call_position(call);
    expr->function = function->oid;
    expr->args = call->args;
    expr->form = call->node->form == COERCE_SQL_SYNTAX ? CALL_SQL_SYNTAX : CALL_PLAIN;
    expr->default_count = call->default_count;
    expr->returns_set = function->returns_set;
    expr->is_variadic = call->node->func_variadic;
    if (call->result_type == TYPE_RECORD)
        TRY(note_outputs(scope, expr, function));
    TRY(combine_collations(scope, &call->args, &expr->input_collation));
    expr->base.collation = expr_result_collation(scope, call->result_type, expr->input_collation);
    if (expr->returns_set) {
        TRY(check_srf_call(scope, &call->node->node, call_position(call)));
        scope->query->has_srfs = true;
    }
    return &expr->base;
}

static Oid *argument_types(Arena *arena, const ExprVec *args)
{
    Oid *types = ARENA_ARRAY(arena, Oid, args->length + 1);
    for (size_t i = 0; i < args->length; i++)
        types[i] = args->items[i]->type;
    return types;
}

/* The arguments become the candidate's parameters, in their order and of their types. */
static bool fit_arguments(Scope *scope, const Candidate *candidate, Call *call)
{
    Arena *arena = scope_arena(scope);
    const FunctionDesc *function = candidate->function;
    ExprVec *args = &call->args;
    int count = (int)args->length;
    Oid *declared = arena_copy(arena, candidate->types, (size_t)(count + 1) * sizeof(Oid));

    if (function->argument_count == count)
        reorder_named(arena, candidate, args, declared);
    TRY(fill_defaults(scope, candidate, call, &declared, &count));
    call->result_type = function->return_type;
    TRY(resolve_polymorphic(scope, argument_types(arena, args), declared, count,
                            &call->result_type));
    for (int i = 0; i < count; i++)
        TRY(args->items[i] = coerce_implicitly(scope, args->items[i], declared[i]));
    return pack_variadic(scope, candidate, args, declared, &count);
}

/* Nothing but a name and arguments: may be a cast or a field written as a call. */
static bool call_is_bare(const FuncCall *call)
{
    return !call->agg_star && !call->agg_distinct && !call->over && !call->agg_filter &&
           call->agg_order.length == 0 && !call->func_variadic;
}

static Expr *make_chosen(Scope *scope, const Candidate *candidate, Call *call)
{
    const FunctionDesc *function = call->function = candidate->function;

    TRY(check_decorations(scope, function, call->node));
    if (call->node->func_variadic && function->variadic == TYPE_ANY &&
        !element_type_of(scope_session(scope), VEC_LAST(&call->args)->type))
        FAIL(ERR_DATATYPE_MISMATCH, .message = STR("VARIADIC argument must be an array"),
             .position = expr_location(VEC_LAST(&call->args)));
    TRY(fit_arguments(scope, candidate, call));
    if (call->node->over)
        return make_window_function(scope, call);
    if (function->kind == PROKIND_AGGREGATE)
        return make_aggregate(scope, call);
    return make_plain_call(scope, call);
}

static Expr *make_function(Scope *scope, Call *call)
{
    const StrVec *name = &call->node->name;
    const int count = (int)call->args.length, position = call_position(call);
    const bool is_bare = call_is_bare(call->node);
    bool failed = false;

    if (count > 100)
        FAIL(ERR_TOO_MANY_ARGUMENTS,
             .message = STR("cannot pass more than 100 arguments to a function"),
             .position = position);
    const Oid *inputs = argument_types(scope_arena(scope), &call->args);
    CandidateVec candidates = {0};
    candidates_collect(scope, call, &candidates);
    int chosen = choose_exact(&candidates, inputs, count);
    if (chosen < 0 && is_bare) {
        Expr *cast = functional_cast(scope, call, &failed);
        if (cast || failed)
            return cast;
    }
    if (chosen < 0)
        chosen = choose(scope, &candidates, inputs, count);
    if (chosen >= 0)
        return make_chosen(scope, &candidates.items[chosen], call);
    Expr *field = is_bare && count == 1 && name->length == 1
                      ? functional_field(scope, name->items[0], call->args.items[0], position)
                      : NULL;
    if (field)
        return field;
    if (chosen == -2)
        FAIL(ERR_AMBIGUOUS_FUNCTION,
             .message = fmt("function %.*s is not unique", STR_ARGS(call_signature(scope, call))),
             .hint = STR("Could not choose a best candidate function. You might need to add "
                         "explicit type casts."),
             .position = position);
    return fail_no_function(scope, call);
}

bool function_output_type(Scope *scope, const ExprFunction *call, const FunctionDesc *function,
                          int index, Oid *ret_type)
{
    Arena *arena = scope_arena(scope);
    const int count = (int)MIN(call->args.length, (size_t)function->argument_count);
    Oid *actual = ARENA_ARRAY(arena, Oid, count + 1);
    Oid *declared = ARENA_ARRAY(arena, Oid, count + 1);

    for (int i = 0; i < count; i++) {
        actual[i] = call->args.items[i]->type;
        declared[i] = function->argument_types[i];
    }
    Oid type = function->all_types[index];
    TRY(resolve_polymorphic(scope, actual, declared, count, &type));
    *ret_type = type;
    return true;
}

/* ---- from the parser's call ---- */

static bool call_arguments(Scope *scope, Call *call)
{
    Arena *arena = scope_arena(scope);
    StrVec *names = &call->arg_names;
    for (size_t i = 0; i < call->node->args.length; i++) {
        const Node *node = call->node->args.items[i];
        Expr *arg;
        if (NODE_IS(node, NamedArgExpr)) {
            const NamedArgExpr *named = NODE_CAST(NamedArgExpr, node);
            for (size_t k = 0; k < names->length; k++)
                if (str_equal(names->items[k], named->name))
                    FAIL(ERR_SYNTAX_ERROR,
                         .message = fmt("argument name \"%.*s\" used more than once",
                                        STR_ARGS(named->name)),
                         .position = node->position);
            VEC_PUSH(arena, names, named->name);
            TRY(arg = analyze_expr_inner(scope, named->arg));
        } else {
            if (names->length > 0)
                FAIL(ERR_SYNTAX_ERROR,
                     .message = STR("positional argument cannot follow named argument"),
                     .position = node->position);
            TRY(arg = analyze_expr_inner(scope, node));
        }
        VEC_PUSH(arena, &call->args, arg);
    }
    return true;
}

/* WITHIN GROUP: the sort expressions are the aggregated arguments. */
static bool within_group_arguments(Scope *scope, Call *call)
{
    if (!call->node->agg_within_group)
        return true;
    for (size_t i = 0; i < call->node->agg_order.length; i++) {
        Expr *arg = analyze_expr(scope, call->node->agg_order.items[i]->expr, PLACE_ORDER_BY);
        TRY(arg);
        VEC_PUSH(scope_arena(scope), &call->args, arg);
    }
    return true;
}

Expr *analyze_function_call(Scope *scope, const FuncCall *node)
{
    Call call = {.node = node};

    TRY(call_arguments(scope, &call));
    TRY(within_group_arguments(scope, &call));
    if (node->agg_filter)
        TRY(call.filter = analyze_condition(scope, node->agg_filter, PLACE_FILTER, STR("FILTER")));
    return make_function(scope, &call);
}
