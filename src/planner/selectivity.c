#include <math.h>

#include "base/pace.h"
#include "planner/variable.h"
#include "types/array.h"

/*
 * How many of the rows a condition lets through. `among`: the relations whose rows are counted;
 * columns of others are values that are given from outside.
 */

#define ELEMENTS_OF_A_TURN 64 /* each is looked for among the common values */

static double selectivity(Level *level, const Expr *expr, RelSet among);
static double list_selectivity(Level *level, const ExprVec *list, RelSet among);

static const ExprConst *as_const(const Expr *expr)
{
    expr = strip_relabel(expr);
    return expr->kind == EXPR_CONST ? EXPR_AS(const ExprConst, expr) : NULL;
}

/* ---- binary conditions: a variable, an operator, a value ---- */

typedef struct Sides {
    Variable variable;
    const Expr *expr;  /* the variable's */
    const Expr *value; /* the other side */
    bool is_flipped;   /* the variable is on the right */
} Sides;

static bool has_among(const Expr *expr, RelSet among)
{
    return (expr_rels(expr) & among) != 0;
}

/* False where neither or both sides speak of the rows counted. */
static bool find_sides(Level *level, const Expr *left, const Expr *right, RelSet among, Sides *ret)
{
    const bool on_left = has_among(left, among), on_right = has_among(right, among);
    if (on_left == on_right)
        return false;
    *ret = (Sides){
        .expr = on_left ? left : right, .value = on_left ? right : left, .is_flipped = on_right};
    variable_find(level, ret->expr, &ret->variable);
    return true;
}

static double equal_join(Level *level, const Expr *left, const Expr *right)
{
    Variable a, b;
    bool a_default, b_default;
    variable_find(level, left, &a);
    variable_find(level, right, &b);
    const double a_distinct = variable_distinct(&a, &a_default);
    const double b_distinct = variable_distinct(&b, &b_default);
    const double present = (1 - variable_nulls(&a)) * (1 - variable_nulls(&b));
    const bool have_common =
        a.stats && b.stats && a.stats->common_count && b.stats->common_count && a.type == b.type;
    if (!have_common)
        return clamp01(present / MAX(a_distinct, b_distinct));
    /* Common values that are met on both sides, and what is left of either. */
    double both = 0, a_matched = 0, b_matched = 0, a_sum = 0, b_sum = 0;
    uint32_t matches = 0;
    for (uint32_t j = 0; j < b.stats->common_count; j++)
        b_sum += b.stats->common_fractions[j];
    for (uint32_t i = 0; i < a.stats->common_count; i++) {
        a_sum += a.stats->common_fractions[i];
        for (uint32_t j = 0; j < b.stats->common_count; j++) {
            if (!type_equal(a.type, &a.stats->common_values[i], &b.stats->common_values[j]))
                continue;
            both += a.stats->common_fractions[i] * b.stats->common_fractions[j];
            a_matched += a.stats->common_fractions[i];
            b_matched += b.stats->common_fractions[j];
            matches++;
            break;
        }
    }
    const double a_rest = clamp01(1 - variable_nulls(&a) - a_sum);
    const double b_rest = clamp01(1 - variable_nulls(&b) - b_sum);
    const double a_alone = clamp01(a_sum - a_matched), b_alone = clamp01(b_sum - b_matched);
    double from_a = both, from_b = both;
    if (b_distinct > b.stats->common_count)
        from_a += a_alone * b_rest / (b_distinct - b.stats->common_count);
    if (b_distinct > matches)
        from_a += a_rest * (b_rest + b_alone) / (b_distinct - matches);
    if (a_distinct > a.stats->common_count)
        from_b += b_alone * a_rest / (a_distinct - a.stats->common_count);
    if (a_distinct > matches)
        from_b += b_rest * (a_rest + a_alone) / (a_distinct - matches);
    return clamp01(MIN(from_a, from_b));
}

static double equality(Level *level, const Expr *left, const Expr *right, RelSet among, bool negate)
{
    Sides sides;
    if (has_among(left, among) && has_among(right, among) &&
        (expr_rels(left) & among) != (expr_rels(right) & among)) {
        const double equal = equal_join(level, left, right);
        return negate ? 1 - equal : equal;
    }
    if (expr_equal(left, right)) {
        Variable variable;
        variable_find(level, left, &variable);
        return negate ? 0 : 1 - variable_nulls(&variable);
    }
    if (!find_sides(level, left, right, among, &sides))
        return negate ? 1 - DEFAULT_EQUAL : DEFAULT_EQUAL;
    const ExprConst *constant = as_const(sides.value);
    if (constant && constant->is_null)
        return 0;
    const double equal = constant ? variable_equals(&sides.variable, constant)
                                  : variable_equals_some(&sides.variable);
    return clamp01(negate ? 1 - equal - variable_nulls(&sides.variable) : equal);
}

static double inequality(Level *level, const Expr *left, const Expr *right, RelSet among, bool less,
                         bool or_equal, bool *ret_default)
{
    Sides sides;
    *ret_default = true;
    if (!find_sides(level, left, right, among, &sides))
        return DEFAULT_RANGE;
    const ExprConst *constant = as_const(sides.value);
    if (!constant)
        return DEFAULT_RANGE;
    return variable_range(&sides.variable, constant, sides.is_flipped ? !less : less, or_equal,
                          ret_default);
}

/* ---- patterns ---- */

typedef struct Pattern {
    Str prefix;    /* what every match begins with */
    bool is_exact; /* and ends with */
    double rest;   /* of what has the prefix */
} Pattern;

static void like_pattern(Arena *arena, Str text, bool ignores_case, Pattern *ret)
{
    StrBuf prefix = strbuf_in(arena);
    size_t i = 0;
    for (; i < text.length; i++) {
        const unsigned char c = (unsigned char)text.data[i];
        if (c == '%' || c == '_')
            break;
        if (ignores_case && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 128))
            break;
        if (c == '\\' && ++i >= text.length)
            break;
        strbuf_append_char(&prefix, text.data[i]);
    }
    ret->prefix = strbuf_view(&prefix);
    ret->is_exact = i >= text.length;
    ret->rest = 1;
    bool after_percent = false;
    for (; i < text.length; i++) {
        if (text.data[i] == '%') {
            ret->rest *= after_percent ? 1 : 5;
            after_percent = true;
            continue;
        }
        ret->rest *= text.data[i] == '_' ? 0.9 : 0.2;
        if (text.data[i] == '\\')
            i++;
    }
    ret->rest = MIN(1, ret->rest);
}

/* ^abc and no more than letters and digits: the prefix; else only a guess of the rest. */
static void regex_pattern(Arena *arena, Str text, bool ignores_case, Pattern *ret)
{
    StrBuf prefix = strbuf_in(arena);
    size_t i = 0;
    *ret = (Pattern){.rest = 1};
    bool is_anchored = text.length > 0 && text.data[0] == '^' && !ignores_case;
    for (size_t c = 0; c < text.length; c++)
        is_anchored &= text.data[c] != '|';
    for (i = is_anchored; is_anchored && i < text.length; i++) {
        if (strchr(".*+?()[]{}\\$^", text.data[i]))
            break;
        if (i + 1 < text.length && strchr("*?{", text.data[i + 1]))
            break;
        strbuf_append_char(&prefix, text.data[i]);
    }
    ret->prefix = strbuf_view(&prefix);
    ret->is_exact = is_anchored && i + 1 == text.length && text.data[i] == '$';
    for (size_t c = i; c < text.length && !ret->is_exact; c++)
        if (!strchr("^$*+?(){}", text.data[c]))
            ret->rest *= text.data[c] == '.' ? 0.9 : 0.2;
    if (!text.length || text.data[text.length - 1] != '$')
        ret->rest *= 5;
    ret->rest = MIN(1, ret->rest);
}

typedef enum PatternKind {
    PATTERN_NONE = 0,
    PATTERN_LIKE,
    PATTERN_ILIKE,
    PATTERN_REGEX,
    PATTERN_REGEX_NOCASE,
    PATTERN_PREFIX,
} PatternKind;

static PatternKind pattern_kind(Str estimator, bool *ret_negate)
{
    static const struct {
        const char *name;
        PatternKind kind;
        bool negate;
    } kinds[] = {{"likesel", PATTERN_LIKE, false},
                 {"nlikesel", PATTERN_LIKE, true},
                 {"iclikesel", PATTERN_ILIKE, false},
                 {"icnlikesel", PATTERN_ILIKE, true},
                 {"regexeqsel", PATTERN_REGEX, false},
                 {"regexnesel", PATTERN_REGEX, true},
                 {"icregexeqsel", PATTERN_REGEX_NOCASE, false},
                 {"icregexnesel", PATTERN_REGEX_NOCASE, true},
                 {"prefixsel", PATTERN_PREFIX, false}};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (str_equal(estimator, str_from_c(kinds[i].name))) {
            *ret_negate = kinds[i].negate;
            return kinds[i].kind;
        }
    return PATTERN_NONE;
}

/* x >= prefix AND x < the next one. */
static double prefix_selectivity(Level *level, const Variable *variable, Str prefix)
{
    Arena *arena = level->planner->arena;
    if (!variable->stats)
        return DEFAULT_BOUNDED_RANGE;
    StrBuf end = strbuf_in(arena);
    strbuf_append(&end, prefix);
    const ExprConst low = {.base = {.type = TYPE_TEXT}, .value = {.var = var_from_str(prefix)}};
    bool is_default;
    double result = variable_range(variable, &low, false, true, &is_default);
    end.data[end.length - 1]++;
    const ExprConst high = {.base = {.type = TYPE_TEXT},
                            .value = {.var = var_from_str(strbuf_view(&end))}};
    result +=
        variable_range(variable, &high, true, false, &is_default) - 1 + variable_nulls(variable);
    return clamp01(MAX(result, variable_equals(variable, &low)));
}

static double pattern_selectivity(Level *level, const Variable *variable, const ValueTest *test,
                                  PatternKind kind, bool negate)
{
    Arena *arena = level->planner->arena;
    const double nulls = variable_nulls(variable);
    Pattern pattern = {.rest = 1};
    assert(test->constant);
    if (test->constant->is_null)
        return 0;
    const Str text = var_str(test->constant->value.var);
    if (kind == PATTERN_LIKE || kind == PATTERN_ILIKE)
        like_pattern(arena, text, kind == PATTERN_ILIKE, &pattern);
    else if (kind == PATTERN_PREFIX)
        pattern.prefix = text;
    else
        regex_pattern(arena, text, kind == PATTERN_REGEX_NOCASE, &pattern);
    double result;
    if (pattern.is_exact && kind != PATTERN_ILIKE) {
        const ExprConst exact = {.base = {.type = TYPE_TEXT},
                                 .value = {.var = var_from_str(pattern.prefix)}};
        result = variable_equals(variable, &exact);
    } else {
        uint32_t bounds;
        double common, passing = variable_common_passing(variable, test, &common);
        if (negate)
            passing = common - passing;
        double part = variable_histogram_passing(variable, test, &bounds);
        if (negate && part >= 0)
            part = 1 - part;
        if (bounds < 100) {
            const double prefix =
                pattern.prefix.length ? prefix_selectivity(level, variable, pattern.prefix) : 1;
            const double guess = prefix * pattern.rest;
            part = part < 0 ? guess : part * bounds / 100 + guess * (1 - bounds / 100.0);
        }
        if (variable->stats)
            part = MIN(MAX(part, 0.0001), 0.9999);
        result = part * clamp01(1 - nulls - common) + passing;
    }
    return clamp01(negate ? 1 - result - nulls : result);
}

/* ---- operators ---- */

/* Operators that nobody estimates are asked about what ANALYZE keeps. */
static double general_selectivity(const Variable *variable, const ValueTest *test, double otherwise)
{
    uint32_t bounds;
    double common;
    const double passing = variable_common_passing(variable, test, &common);
    double part = variable_histogram_passing(variable, test, &bounds);
    if (!variable->stats)
        return otherwise;
    if (part < 0)
        part = otherwise;
    else if (bounds < 100)
        part = part * bounds / 100 + otherwise * (1 - bounds / 100.0);
    part = MIN(MAX(part, 0.0001), 0.9999);
    return clamp01(part * clamp01(1 - variable_nulls(variable) - common) + passing);
}

static double operator_named(Level *level, const ExprOperator *op, Str estimator, RelSet among)
{
    const Expr *left = strip_relabel(op->args.items[0]), *right = strip_relabel(op->args.items[1]);
    bool is_default, negate;
    if (str_equal(estimator, STR("eqsel")))
        return equality(level, left, right, among, false);
    if (str_equal(estimator, STR("neqsel")))
        return equality(level, left, right, among, true);
    if (str_equal(estimator, STR("scalarltsel")))
        return inequality(level, left, right, among, true, false, &is_default);
    if (str_equal(estimator, STR("scalarlesel")))
        return inequality(level, left, right, among, true, true, &is_default);
    if (str_equal(estimator, STR("scalargtsel")))
        return inequality(level, left, right, among, false, false, &is_default);
    if (str_equal(estimator, STR("scalargesel")))
        return inequality(level, left, right, among, false, true, &is_default);
    const PatternKind kind = pattern_kind(estimator, &negate);
    const double otherwise = kind                                        ? DEFAULT_EQUAL
                             : str_equal(estimator, STR("matchingsel"))  ? 0.01
                             : str_equal(estimator, STR("contsel"))      ? 0.001
                             : str_equal(estimator, STR("arraycontsel")) ? DEFAULT_EQUAL
                             : str_equal(estimator, STR("areasel"))      ? DEFAULT_EQUAL
                                                                         : 0.5;
    Sides sides;
    if (!find_sides(level, left, right, among, &sides) || !as_const(sides.value))
        return kind && negate ? 1 - otherwise : otherwise;
    const ValueTest test = {level, op, as_const(sides.value), sides.is_flipped};
    if (kind)
        return pattern_selectivity(level, &sides.variable, &test, kind, negate);
    return str_equal(estimator, STR("matchingsel"))
               ? general_selectivity(&sides.variable, &test, otherwise)
               : otherwise;
}

static double operator_selectivity(Level *level, const ExprOperator *op, Oid oid, RelSet among)
{
    const OperatorDesc *desc = operator_find(level->planner->session, oid);
    if (!desc || op->args.length != 2)
        return 0.5;
    return operator_named(level, op, desc->restrict_estimator, among);
}

/* ---- arrays: x = ANY (…), x <> ALL (…) ---- */

typedef struct ArraySum {
    double any, disjoint;
    bool use_or;
} ArraySum;

static void array_add(ArraySum *sum, double one)
{
    sum->any = sum->use_or ? sum->any + one - sum->any * one : sum->any * one;
    sum->disjoint += sum->use_or ? one : one - 1;
}

static double element_selectivity(Level *level, const ExprScalarArray *array, Expr *element,
                                  RelSet among)
{
    ExprOperator op = {.base = {.kind = EXPR_OPERATOR, .type = TYPE_BOOL},
                       .op = array->op,
                       .function = array->function,
                       .input_collation = array->input_collation};
    VEC_PUSH(level->planner->arena, &op.args, array->left);
    VEC_PUSH(level->planner->arena, &op.args, element);
    return operator_selectivity(level, &op, array->op, among);
}

static double array_selectivity(Level *level, const ExprScalarArray *array, RelSet among)
{
    Arena *arena = level->planner->arena;
    CatalogSession *session = level->planner->session;
    const OperatorDesc *desc = operator_find(session, array->op);
    ArraySum sum = {
        .use_or = array->use_or, .any = array->use_or ? 0 : 1, .disjoint = array->use_or ? 0 : 1};
    const Expr *list = strip_relabel(array->array);
    ArrayView view;
    if (list->kind == EXPR_CONST) {
        const ExprConst *constant = EXPR_AS(const ExprConst, list);
        if (constant->is_null)
            return 0;
        if (!array_open(&constant->value, &view)) {
            error_clear();
            return 0.5;
        }
        for (int i = 0; i < view.count; i++) {
            Value value;
            bool is_null;
            if (i % ELEMENTS_OF_A_TURN == ELEMENTS_OF_A_TURN - 1)
                pace_turn();
            array_element(&view, i, &value, &is_null);
            ExprConst *element =
                expr_const(arena, view.element_type, -1, array->left->collation, value, is_null, 0);
            array_add(&sum, element_selectivity(level, array, &element->base, among));
        }
    } else if (list->kind == EXPR_ARRAY && !EXPR_AS(const ExprArray, list)->is_nested) {
        const ExprVec *elements = &EXPR_AS(const ExprArray, list)->elements;
        for (size_t i = 0; i < elements->length; i++) {
            if (i % ELEMENTS_OF_A_TURN == ELEMENTS_OF_A_TURN - 1)
                pace_turn();
            array_add(&sum, element_selectivity(level, array, elements->items[i], among));
        }
    } else {
        const TypeDesc *type = type_find(session, list->type);
        Expr unknown = {.kind = EXPR_CASE_TEST, .type = type ? type->element : array->left->type};
        for (int i = 0; i < 10; i++)
            array_add(&sum, element_selectivity(level, array, &unknown, among));
    }
    /* Equal to one value is not to be equal to another. */
    const Str estimator = desc ? desc->restrict_estimator : STR("");
    const bool disjoint = str_equal(estimator, array->use_or ? STR("eqsel") : STR("neqsel"));
    if (disjoint && sum.disjoint >= 0 && sum.disjoint <= 1)
        return sum.disjoint;
    return clamp01(sum.any);
}

/* ---- the rest ---- */

static double boolean_variable(Level *level, const Expr *expr, RelSet among)
{
    Variable variable;
    if (!has_among(expr, among))
        return 0.5;
    variable_find(level, expr, &variable);
    if (!variable.stats)
        return expr->kind == EXPR_FUNCTION ? DEFAULT_RANGE : 0.5;
    const ExprConst yes = {.base = {.type = TYPE_BOOL}, .value = {.boolean = true}};
    return variable_equals(&variable, &yes);
}

static double boolean_test(Level *level, const ExprBooleanTest *test, RelSet among)
{
    Variable variable;
    variable_find(level, test->arg, &variable);
    const double yes = selectivity(level, test->arg, among);
    const double nulls = variable.stats ? variable_nulls(&variable) : 0;
    const double unknown = variable.stats ? nulls : DEFAULT_EQUAL;
    switch (test->test) {
    case BOOLEAN_IS_TRUE:
        return yes;
    case BOOLEAN_IS_NOT_TRUE:
        return clamp01(1 - yes);
    case BOOLEAN_IS_FALSE:
        return clamp01(1 - yes - nulls);
    case BOOLEAN_IS_NOT_FALSE:
        return clamp01(yes + nulls);
    case BOOLEAN_IS_UNKNOWN:
        return unknown;
    case BOOLEAN_IS_NOT_UNKNOWN:
        return 1 - unknown;
    }
    return 0.5;
}

/* Functions that stand for an operator. */
static double function_selectivity(Level *level, const ExprFunction *call, RelSet among)
{
    const FunctionDesc *desc = function_find(level->planner->session, call->function);
    if (desc && str_equal(desc->name, STR("starts_with")) && call->args.length == 2) {
        const ExprOperator op = {.base = {.kind = EXPR_OPERATOR, .type = TYPE_BOOL},
                                 .function = call->function,
                                 .input_collation = call->input_collation,
                                 .args = call->args};
        return operator_named(level, &op, STR("prefixsel"), among);
    }
    return boolean_variable(level, &call->base, among);
}

static double not_selectivity(Level *level, const Expr *arg, RelSet among)
{
    if (arg->kind == EXPR_OPERATOR) {
        const ExprOperator *op = EXPR_AS(const ExprOperator, arg);
        const OperatorDesc *desc = operator_find(level->planner->session, op->op);
        if (desc && desc->negator)
            return operator_selectivity(level, op, desc->negator, among);
    }
    if (arg->kind == EXPR_BOOL && EXPR_AS(const ExprBool, arg)->op != BOOL_NOT) {
        const ExprBool *b = EXPR_AS(const ExprBool, arg);
        double result = b->op == BOOL_OR;
        for (size_t i = 0; i < b->args.length; i++) {
            const double one = not_selectivity(level, b->args.items[i], among);
            result = b->op == BOOL_OR ? result * one : result + one - result * one;
        }
        return clamp01(result);
    }
    return clamp01(1 - selectivity(level, arg, among));
}

static double bool_selectivity(Level *level, const ExprBool *b, RelSet among)
{
    if (b->op == BOOL_NOT)
        return not_selectivity(level, b->args.items[0], among);
    if (b->op == BOOL_AND)
        return list_selectivity(level, &b->args, among);
    double result = 0;
    for (size_t i = 0; i < b->args.length; i++) {
        const double one = selectivity(level, b->args.items[i], among);
        result += one - result * one;
    }
    return clamp01(result);
}

static double null_selectivity(Level *level, const ExprNullTest *test)
{
    Variable variable;
    variable_find(level, test->arg, &variable);
    double null = DEFAULT_EQUAL;
    if (variable.stats)
        null = variable.stats->null_fraction;
    else if (variable.is_unique && variable.rows > 0)
        null = DEFAULT_EQUAL;
    return clamp01(test->is_not_null ? 1 - null : null);
}

/* Rows compare as their first columns mostly do. */
static double row_selectivity(Level *level, const ExprRowCompare *row, RelSet among)
{
    const bool less = row->compare == ROW_COMPARE_LT || row->compare == ROW_COMPARE_LE;
    const bool or_equal = row->compare == ROW_COMPARE_LE || row->compare == ROW_COMPARE_GE;
    bool is_default;
    return inequality(level, row->left.items[0], row->right.items[0], among, less,
                      or_equal || row->left.length > 1, &is_default);
}

static double selectivity(Level *level, const Expr *expr, RelSet among)
{
    switch (expr->kind) {
    case EXPR_CONST:
        return !EXPR_AS(const ExprConst, expr)->is_null &&
               EXPR_AS(const ExprConst, expr)->value.boolean;
    case EXPR_OPERATOR:
        return operator_selectivity(level, EXPR_AS(const ExprOperator, expr),
                                    EXPR_AS(const ExprOperator, expr)->op, among);
    case EXPR_BOOL:
        return bool_selectivity(level, EXPR_AS(const ExprBool, expr), among);
    case EXPR_SCALAR_ARRAY:
        return array_selectivity(level, EXPR_AS(const ExprScalarArray, expr), among);
    case EXPR_NULL_TEST:
        return null_selectivity(level, EXPR_AS(const ExprNullTest, expr));
    case EXPR_BOOLEAN_TEST:
        return boolean_test(level, EXPR_AS(const ExprBooleanTest, expr), among);
    case EXPR_COLUMN:
        return boolean_variable(level, expr, among);
    case EXPR_FUNCTION:
        return function_selectivity(level, EXPR_AS(const ExprFunction, expr), among);
    case EXPR_DISTINCT: {
        const ExprDistinct *distinct = EXPR_AS(const ExprDistinct, expr);
        const double equal = equality(level, strip_relabel(distinct->left),
                                      strip_relabel(distinct->right), among, false);
        return clamp01(distinct->is_not ? equal : 1 - equal);
    }
    case EXPR_ROW_COMPARE:
        return row_selectivity(level, EXPR_AS(const ExprRowCompare, expr), among);
    default:
        return 0.5;
    }
}

/* ---- lists: two bounds on one variable are one range ---- */

typedef struct RangePair {
    const Expr *variable;
    double low, high; /* negative: not there */
    bool is_default;
} RangePair;

typedef VEC(RangePair) RangePairVec;

/* A bound goes to its variable's pair; false: the condition is none. */
static bool pair_add(Level *level, RangePairVec *pairs, const Expr *expr, RelSet among)
{
    if (expr->kind != EXPR_OPERATOR || EXPR_AS(const ExprOperator, expr)->args.length != 2)
        return false;
    const ExprOperator *op = EXPR_AS(const ExprOperator, expr);
    const OperatorDesc *desc = operator_find(level->planner->session, op->op);
    if (!desc)
        return false;
    const Str estimator = desc->restrict_estimator;
    const bool less = str_starts_with(estimator, STR("scalarl"));
    if (!less && !str_starts_with(estimator, STR("scalarg")))
        return false;
    const bool or_equal = str_ends_with(estimator, STR("esel"));
    const Expr *left = strip_relabel(op->args.items[0]), *right = strip_relabel(op->args.items[1]);
    Sides sides;
    if (!find_sides(level, left, right, among, &sides) || sides.value->kind == EXPR_SUB_LINK)
        return false;
    bool is_default;
    const double one = inequality(level, left, right, among, less, or_equal, &is_default);
    const bool is_high = less != sides.is_flipped;
    RangePair *pair = NULL;
    for (size_t i = 0; i < pairs->length && !pair; i++)
        if (expr_equal(pairs->items[i].variable, sides.expr))
            pair = &pairs->items[i];
    if (!pair) {
        const RangePair fresh = {sides.expr, -1, -1, false};
        VEC_PUSH(level->planner->arena, pairs, fresh);
        pair = &pairs->items[pairs->length - 1];
    }
    double *bound = is_high ? &pair->high : &pair->low;
    *bound = *bound < 0 ? one : MIN(*bound, one);
    pair->is_default |= is_default;
    return true;
}

static double pair_selectivity(Level *level, const RangePair *pair)
{
    Variable variable;
    if (pair->low < 0 || pair->high < 0)
        return pair->low < 0 ? pair->high : pair->low;
    if (pair->is_default)
        return DEFAULT_BOUNDED_RANGE;
    variable_find(level, pair->variable, &variable);
    const double result = pair->low + pair->high - 1 + variable_nulls(&variable);
    if (result > 0)
        return clamp01(result);
    return result < -0.01 ? DEFAULT_BOUNDED_RANGE : 1e-10;
}

static double list_selectivity(Level *level, const ExprVec *list, RelSet among)
{
    RangePairVec pairs = {0};
    double result = 1;
    for (size_t i = 0; i < list->length; i++)
        if (list->length == 1 || !pair_add(level, &pairs, list->items[i], among))
            result *= selectivity(level, list->items[i], among);
    for (size_t i = 0; i < pairs.length; i++)
        result *= pair_selectivity(level, &pairs.items[i]);
    return clamp01(result);
}

double selectivity_of(Level *level, const Expr *expr)
{
    return clamp01(selectivity(level, expr, UINT64_MAX));
}

double selectivity_list(Level *level, const ExprVec *list)
{
    return list_selectivity(level, list, UINT64_MAX);
}

double selectivity_among(Level *level, const ExprVec *list, RelSet among)
{
    return list_selectivity(level, list, among);
}

/* ---- semi joins: of the left rows, how many have a match ---- */

static double semi_equality(Level *level, const Expr *left, const Expr *right, double right_rows)
{
    Variable a, b;
    bool a_default, b_default;
    variable_find(level, left, &a);
    variable_find(level, right, &b);
    const double a_distinct = variable_distinct(&a, &a_default);
    double b_distinct = variable_distinct(&b, &b_default);
    const double present = 1 - variable_nulls(&a);
    if (b_distinct >= right_rows) {
        b_distinct = MAX(1, right_rows);
        b_default = false;
    }
    if (a_default || b_default)
        return 0.5 * present;
    return a_distinct <= b_distinct ? present : present * b_distinct / a_distinct;
}

double selectivity_semi(Level *level, const ExprVec *quals, RelSet left, double right_rows)
{
    double result = 1;
    for (size_t i = 0; i < quals->length; i++) {
        const Expr *qual = quals->items[i];
        const ExprOperator *op = EXPR_AS(const ExprOperator, qual);
        const OperatorDesc *desc =
            qual->kind == EXPR_OPERATOR ? operator_find(level->planner->session, op->op) : NULL;
        if (!desc || op->args.length != 2 || !str_equal(desc->restrict_estimator, STR("eqsel"))) {
            result *= selectivity_of(level, qual);
            continue;
        }
        const Expr *a = op->args.items[0], *b = op->args.items[1];
        const bool in_order = has_among(a, left);
        result *= semi_equality(level, strip_relabel(in_order ? a : b),
                                strip_relabel(in_order ? b : a), right_rows);
    }
    return clamp01(result);
}
