#include "planner/analyze_internal.h"

/*
 * Choosing a signature (PostgreSQL manual, 10.2 and 10.3). `alive` marks candidates still in the
 * running; each step keeps the better ones, unless none would be left.
 */

enum { MAX_ARGS = 100 };

typedef struct Choice {
    Scope *scope;
    const Oid *const *signatures;
    int signature_count;
    uint8_t *alive;
    Oid inputs[MAX_ARGS]; /* domains as their base types */
    int count;
} Choice;

static int choice_alive(const Choice *choice, int *ret_last)
{
    int count = 0;
    for (int i = 0; i < choice->signature_count; i++)
        if (choice->alive[i]) {
            count++;
            *ret_last = i;
        }
    return count;
}

/* Keeps the candidates of the highest score. */
static void choice_keep_best(Choice *choice, int (*score)(const Choice *, const Oid *))
{
    int best = -1;
    for (int i = 0; i < choice->signature_count; i++)
        if (choice->alive[i])
            best = MAX(best, score(choice, choice->signatures[i]));
    for (int i = 0; i < choice->signature_count; i++)
        if (choice->alive[i] && score(choice, choice->signatures[i]) < best)
            choice->alive[i] = 0;
}

static int score_exact(const Choice *choice, const Oid *signature)
{
    int score = 0;
    for (int i = 0; i < choice->count; i++)
        score += choice->inputs[i] != TYPE_UNKNOWN && choice->inputs[i] == signature[i];
    return score;
}

static int score_preferred(const Choice *choice, const Oid *signature)
{
    CatalogSession *session = scope_session(choice->scope);
    int score = 0;
    for (int i = 0; i < choice->count; i++) {
        if (choice->inputs[i] == TYPE_UNKNOWN)
            continue;
        bool preferred;
        const char category = type_category(session, choice->inputs[i], NULL);
        const bool same = type_category(session, signature[i], &preferred) == category;
        score += choice->inputs[i] == signature[i] || (same && preferred);
    }
    return score;
}

/* What category the unknown arguments have in all candidates; false where they disagree. */
static bool choice_categories(const Choice *choice, char *categories, bool *preferred)
{
    CatalogSession *session = scope_session(choice->scope);
    bool any = false;

    for (int i = 0; i < choice->count; i++) {
        if (choice->inputs[i] != TYPE_UNKNOWN)
            continue;
        bool conflict = false;
        any = true;
        categories[i] = 0;
        preferred[i] = false;
        for (int s = 0; s < choice->signature_count; s++) {
            if (!choice->alive[s])
                continue;
            bool is_preferred;
            const char category = type_category(session, choice->signatures[s][i], &is_preferred);
            if (categories[i] == 0) {
                categories[i] = category;
                preferred[i] = is_preferred;
            } else if (categories[i] == category) {
                preferred[i] |= is_preferred;
            } else if (category == 'S') {
                categories[i] = category;
                preferred[i] = is_preferred;
            } else {
                conflict = true;
            }
        }
        if (conflict && categories[i] != 'S')
            return false;
    }
    return any;
}

static void choice_by_category(Choice *choice)
{
    CatalogSession *session = scope_session(choice->scope);
    char categories[MAX_ARGS] = {0};
    bool preferred[MAX_ARGS] = {0};
    uint8_t keep[1024] = {0};
    int kept = 0;

    if (choice->signature_count > (int)sizeof(keep) ||
        !choice_categories(choice, categories, preferred))
        return;
    for (int s = 0; s < choice->signature_count; s++) {
        if (!choice->alive[s])
            continue;
        bool fits = true;
        for (int i = 0; i < choice->count && fits; i++) {
            if (choice->inputs[i] != TYPE_UNKNOWN)
                continue;
            bool is_preferred;
            const char category = type_category(session, choice->signatures[s][i], &is_preferred);
            fits = category == categories[i] && (!preferred[i] || is_preferred);
        }
        keep[s] = fits;
        kept += fits;
    }
    if (kept > 0)
        memcpy(choice->alive, keep, (size_t)choice->signature_count);
}

/* All known arguments are of one type: suppose the unknown ones are too. */
static int choice_last_gasp(Choice *choice)
{
    Oid known = 0;
    Oid supposed[MAX_ARGS];
    int found = -1;

    for (int i = 0; i < choice->count; i++) {
        if (choice->inputs[i] == TYPE_UNKNOWN)
            continue;
        if (known && known != choice->inputs[i])
            return -2;
        known = choice->inputs[i];
    }
    if (!known)
        return -2;
    for (int i = 0; i < choice->count; i++)
        supposed[i] = known;
    for (int s = 0; s < choice->signature_count; s++) {
        if (!choice->alive[s] || !can_coerce(choice->scope, supposed, choice->signatures[s],
                                             choice->count, COERCION_IMPLICIT))
            continue;
        if (found >= 0)
            return -2;
        found = s;
    }
    return found >= 0 ? found : -2;
}

int candidates_select(Scope *scope, const Oid *inputs, int count, const Oid *const *signatures,
                      int signature_count, uint8_t *alive)
{
    Choice choice = {.scope = scope,
                     .signatures = signatures,
                     .signature_count = signature_count,
                     .alive = alive,
                     .count = MIN(count, MAX_ARGS)};
    int last = -1, unknowns = 0;

    for (int s = 0; s < signature_count; s++)
        if (alive[s])
            alive[s] = can_coerce(scope, inputs, signatures[s], count, COERCION_IMPLICIT);
    int left = choice_alive(&choice, &last);
    if (left <= 1)
        return left ? last : -1;

    for (int i = 0; i < choice.count; i++) {
        choice.inputs[i] = inputs[i] == TYPE_UNKNOWN
                               ? inputs[i]
                               : base_type_of(scope_session(scope), inputs[i], NULL);
        unknowns += inputs[i] == TYPE_UNKNOWN;
    }
    choice_keep_best(&choice, score_exact);
    if (choice_alive(&choice, &last) == 1)
        return last;
    choice_keep_best(&choice, score_preferred);
    if (choice_alive(&choice, &last) == 1)
        return last;
    if (unknowns == 0)
        return -2;
    choice_by_category(&choice);
    if (choice_alive(&choice, &last) == 1)
        return last;
    return unknowns < choice.count ? choice_last_gasp(&choice) : -2;
}

/* ---- operators ---- */

static bool operator_names(Scope *scope, const StrVec *name, Str *ret_schema, Str *ret_name)
{
    if (name->length > 3)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("improper qualified name (too many dotted names): %.*s",
                            STR_ARGS(name_list_text(scope_arena(scope), name))));
    *ret_name = VEC_LAST(name);
    *ret_schema = name->length > 1 ? name->items[name->length - 2] : STR_NONE;
    return true;
}

/* -2: ambiguous. */
static const OperatorDesc *operator_search(Scope *scope, Str schema, Str name, Oid left, Oid right,
                                           bool *ret_ambiguous)
{
    CatalogSession *session = scope_session(scope);
    const bool is_prefix = left == 0;
    Oid a = left, b = right;
    bool was_unknown = false;

    *ret_ambiguous = false;
    if (!is_prefix) {
        if (a == TYPE_UNKNOWN && b != TYPE_UNKNOWN) {
            a = b;
            was_unknown = true;
        } else if (b == TYPE_UNKNOWN && a != TYPE_UNKNOWN) {
            b = a;
            was_unknown = true;
        }
    }
    const OperatorDesc *exact = operator_find_exact(session, schema, name, a, b);
    if (!exact && was_unknown) {
        const Oid base = base_type_of(session, a, NULL);
        if (base != a)
            exact = operator_find_exact(session, schema, name, base, base);
    }
    if (exact)
        return exact;

    const OperatorCandidates found =
        operator_candidates(session, schema, name, is_prefix ? 'l' : 'b');
    if (found.count == 0)
        return NULL;
    Arena *arena = scope_arena(scope);
    Oid *types = ARENA_ARRAY(arena, Oid, found.count * 2);
    const Oid **signatures = ARENA_ARRAY(arena, const Oid *, found.count);
    uint8_t *alive = arena_alloc(arena, found.count);
    const int count = is_prefix ? 1 : 2;
    for (uint32_t i = 0; i < found.count; i++) {
        const OperatorDesc *op = found.items[i];
        types[i * 2] = is_prefix ? op->right : op->left;
        types[i * 2 + 1] = op->right;
        signatures[i] = &types[i * 2];
        alive[i] = 1;
    }
    const Oid inputs[2] = {is_prefix ? right : left, right};
    const int choice = candidates_select(scope, inputs, count, signatures, (int)found.count, alive);
    *ret_ambiguous = choice == -2;
    return choice >= 0 ? found.items[choice] : NULL;
}

const OperatorDesc *operator_resolve(Scope *scope, const StrVec *name, Oid left, Oid right,
                                     int position)
{
    Str schema, op_name;
    bool ambiguous;
    TRY(operator_names(scope, name, &schema, &op_name));
    if (!str_is_none(schema))
        TRY(namespace_get(scope_session(scope), schema, position));
    const OperatorDesc *op = operator_search(scope, schema, op_name, left, right, &ambiguous);
    if (op)
        return op;

    const Str shown = name_list_text(scope_arena(scope), name);
    const Str signature =
        left ? fmt("%.*s %.*s %.*s", STR_ARGS(type_text(scope, left)), STR_ARGS(shown),
                   STR_ARGS(type_text(scope, right)))
             : fmt("%.*s %.*s", STR_ARGS(shown), STR_ARGS(type_text(scope, right)));
    if (ambiguous)
        FAIL(ERR_AMBIGUOUS_FUNCTION,
             .message = fmt("operator is not unique: %.*s", STR_ARGS(signature)),
             .hint = STR("Could not choose a best candidate operator. You might need to add "
                         "explicit type casts."),
             .position = position);
    FAIL(ERR_UNDEFINED_FUNCTION,
         .message = fmt("operator does not exist: %.*s", STR_ARGS(signature)),
         .hint = left ? STR("No operator matches the given name and argument types. You might need "
                            "to add explicit type casts.")
                      : STR("No operator matches the given name and argument type. You might need "
                            "to add an explicit type cast."),
         .position = position);
}

Expr *make_operator(Scope *scope, const StrVec *name, Expr *left, Expr *right, int position)
{
    Arena *arena = scope_arena(scope);
    const OperatorDesc *op =
        operator_resolve(scope, name, left ? left->type : 0, right->type, position);
    TRY(op);
    if (!op->function)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("operator is only a shell: %.*s", STR_ARGS(op->name)),
             .position = position);

    ExprOperator *result = EXPR_NEW(arena, ExprOperator, EXPR_OPERATOR);
    Oid actual[2], declared[2];
    int count = 0;
    if (left) {
        actual[count] = left->type;
        declared[count++] = op->left;
        VEC_PUSH(arena, &result->args, left);
    }
    actual[count] = right->type;
    declared[count++] = op->right;
    VEC_PUSH(arena, &result->args, right);
    result->base.type = op->result;
    TRY(resolve_polymorphic(scope, actual, declared, count, &result->base.type));
    for (int i = 0; i < count; i++) {
        Expr *arg = result->args.items[i];
        TRY(arg = coerce_implicitly(scope, arg, declared[i]));
        result->args.items[i] = arg;
    }
    result->op = op->oid;
    result->function = op->function;
    result->base.position = position;
    TRY(combine_collations(scope, &result->args, &result->input_collation));
    result->base.collation =
        expr_result_collation(scope, result->base.type, result->input_collation);
    const FunctionDesc *function = function_find(scope_session(scope), op->function);
    result->returns_set = function && function->returns_set;
    if (result->returns_set) {
        TRY(check_srf_call(scope, NULL, position));
        scope->query->has_srfs = true;
    }
    return &result->base;
}

Expr *make_scalar_array(Scope *scope, const StrVec *name, bool use_or, Expr *left, Expr *right,
                        int position)
{
    CatalogSession *session = scope_session(scope);
    const Oid array_type = base_type_of(session, right->type, NULL);
    Oid element = TYPE_UNKNOWN;

    if (array_type != TYPE_UNKNOWN) {
        const TypeDesc *desc = type_find(session, array_type);
        element = desc && (type_is_array(desc) || array_type == TYPE_OIDVECTOR ||
                           array_type == TYPE_INT2VECTOR)
                      ? desc->element
                      : 0;
        if (!element)
            FAIL(ERR_WRONG_OBJECT_TYPE,
                 .message = STR("op ANY/ALL (array) requires array on right side"),
                 .position = position);
    }
    const OperatorDesc *op = operator_resolve(scope, name, left->type, element, position);
    TRY(op);
    if (op->result != TYPE_BOOL)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = STR("op ANY/ALL (array) requires operator to yield boolean"),
             .position = position);
    const FunctionDesc *function = function_find(session, op->function);
    if (function && function->returns_set)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = STR("op ANY/ALL (array) requires operator not to return a set"),
             .position = position);

    const Oid actual[2] = {left->type, element};
    Oid declared[2] = {op->left, op->right}, result_type = TYPE_BOOL;
    TRY(resolve_polymorphic(scope, actual, declared, 2, &result_type));
    Oid target = right->type;
    if (!is_polymorphic(declared[1])) {
        target = array_type_of(session, declared[1]);
        if (!target)
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("could not find array type for data type %.*s",
                                STR_ARGS(type_text(scope, declared[1]))),
                 .position = position);
    }
    ExprScalarArray *result = EXPR_NEW(scope_arena(scope), ExprScalarArray, EXPR_SCALAR_ARRAY);
    result->base.type = TYPE_BOOL;
    result->base.position = position;
    result->op = op->oid;
    result->function = op->function;
    result->use_or = use_or;
    TRY(result->left = coerce_implicitly(scope, left, declared[0]));
    TRY(result->array = coerce_implicitly(scope, right, target));
    ExprVec args = {0};
    VEC_PUSH(scope_arena(scope), &args, result->left);
    VEC_PUSH(scope_arena(scope), &args, result->array);
    TRY(combine_collations(scope, &args, &result->input_collation));
    return &result->base;
}
