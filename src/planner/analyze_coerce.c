#include "planner/analyze_internal.h"

typedef enum Pathway {
    PATHWAY_NONE = 0,
    PATHWAY_RELABEL,
    PATHWAY_FUNCTION,
    PATHWAY_ARRAY,
    PATHWAY_IO,
} Pathway;

Oid base_type_of(CatalogSession *session, Oid type, int32_t *typmod)
{
    for (int depth = 0; depth < 32; depth++) {
        const TypeDesc *desc = type_find(session, type);
        if (!desc || desc->kind != 'd')
            break;
        if (typmod && *typmod < 0)
            *typmod = desc->typmod;
        type = desc->base_type;
    }
    return type;
}

Oid element_type_of(CatalogSession *session, Oid type)
{
    const TypeDesc *desc = type_find(session, type);
    return desc && type_is_array(desc) ? desc->element : 0;
}

Oid array_type_of(CatalogSession *session, Oid element)
{
    const TypeDesc *desc = type_find(session, element);
    return desc ? desc->array : 0;
}

char type_category(CatalogSession *session, Oid type, bool *ret_preferred)
{
    const TypeDesc *desc = type_find(session, type);
    if (ret_preferred)
        *ret_preferred = desc && desc->preferred;
    return desc ? desc->category : 'X';
}

bool is_polymorphic(Oid type)
{
    switch (type) {
    case TYPE_ANYELEMENT:
    case TYPE_ANYARRAY:
    case TYPE_ANYNONARRAY:
    case TYPE_ANYENUM:
    case TYPE_ANYRANGE:
    case TYPE_ANYMULTIRANGE:
    case TYPE_ANYCOMPATIBLE:
    case TYPE_ANYCOMPATIBLEARRAY:
    case TYPE_ANYCOMPATIBLENONARRAY:
    case TYPE_ANYCOMPATIBLERANGE:
    case TYPE_ANYCOMPATIBLEMULTIRANGE:
        return true;
    default:
        return false;
    }
}

static bool is_row_type(CatalogSession *session, Oid type)
{
    const TypeDesc *desc = type_find(session, type);
    return desc && desc->kind == 'c';
}

static bool context_allows(char cast_context, CoercionContext context)
{
    switch (cast_context) {
    case 'i':
        return true;
    case 'a':
        return context != COERCION_IMPLICIT;
    default:
        return context == COERCION_EXPLICIT;
    }
}

static Pathway find_pathway(CatalogSession *session, Oid to, Oid from, CoercionContext context,
                            Oid *ret_function)
{
    *ret_function = 0;
    from = base_type_of(session, from, NULL);
    to = base_type_of(session, to, NULL);
    if (from == to)
        return PATHWAY_RELABEL;

    const CastDesc *cast = cast_find(session, from, to);
    if (cast) {
        if (!context_allows(cast->context, context))
            return PATHWAY_NONE;
        *ret_function = cast->function;
        return cast->method == 'f'   ? PATHWAY_FUNCTION
               : cast->method == 'b' ? PATHWAY_RELABEL
                                     : PATHWAY_IO;
    }

    if (to != TYPE_OIDVECTOR && to != TYPE_INT2VECTOR) {
        const Oid to_element = element_type_of(session, to);
        const Oid from_element = element_type_of(session, from);
        Oid ignored;
        if (to_element && from_element &&
            find_pathway(session, to_element, from_element, context, &ignored) != PATHWAY_NONE)
            return PATHWAY_ARRAY;
    }
    if (context != COERCION_IMPLICIT && type_category(session, to, NULL) == 'S')
        return PATHWAY_IO;
    if (context == COERCION_EXPLICIT && type_category(session, from, NULL) == 'S')
        return PATHWAY_IO;
    return PATHWAY_NONE;
}

/* ---- polymorphic arguments ---- */

typedef struct Poly {
    Oid element, array;   /* anyelement, anyarray */
    Oid compat_types[64]; /* inputs of anycompatible and element types of anycompatiblearray */
    int compat_count;
    bool has_poly_unknown, nonarray, is_enum, compat_nonarray;
    bool unknown_is_compat;
} Poly;

/* Collects what the arguments say; false (no error) where they contradict. */
static bool poly_collect(CatalogSession *session, const Oid *actual, const Oid *declared, int count,
                         Poly *poly)
{
    for (int i = 0; i < count; i++) {
        Oid type = actual[i];
        switch (declared[i]) {
        case TYPE_ANYNONARRAY:
            poly->nonarray = true;
            FALLTHROUGH;
        case TYPE_ANYENUM:
            poly->is_enum |= declared[i] == TYPE_ANYENUM;
            FALLTHROUGH;
        case TYPE_ANYELEMENT:
            if (type == TYPE_UNKNOWN) {
                poly->has_poly_unknown = true;
                break;
            }
            if (poly->element && poly->element != type)
                return false;
            poly->element = type;
            break;
        case TYPE_ANYARRAY:
            if (type == TYPE_UNKNOWN) {
                poly->has_poly_unknown = true;
                break;
            }
            type = base_type_of(session, type, NULL);
            if (poly->array && poly->array != type)
                return false;
            poly->array = type;
            break;
        case TYPE_ANYCOMPATIBLENONARRAY:
            poly->compat_nonarray = true;
            FALLTHROUGH;
        case TYPE_ANYCOMPATIBLE:
            if (type == TYPE_UNKNOWN)
                poly->unknown_is_compat = true;
            else if (poly->compat_count < (int)ARRAY_LENGTH(poly->compat_types))
                poly->compat_types[poly->compat_count++] = type;
            break;
        case TYPE_ANYCOMPATIBLEARRAY:
            if (type == TYPE_UNKNOWN) {
                poly->unknown_is_compat = true;
            } else {
                type = base_type_of(session, type, NULL);
                const Oid element = element_type_of(session, type);
                if (!element)
                    return false;
                if (poly->compat_count < (int)ARRAY_LENGTH(poly->compat_types))
                    poly->compat_types[poly->compat_count++] = element;
            }
            break;
        case TYPE_ANYRANGE:
        case TYPE_ANYMULTIRANGE:
        case TYPE_ANYCOMPATIBLERANGE:
        case TYPE_ANYCOMPATIBLEMULTIRANGE: {
            const TypeDesc *desc = type_find(session, type);
            if (!desc || (desc->kind != 'r' && desc->kind != 'm'))
                return false;
            break;
        }
        default:
            break;
        }
    }
    return true;
}

static Oid common_of_types(Scope *scope, const Oid *types, int count)
{
    if (count == 0)
        return TYPE_TEXT;
    CatalogSession *session = scope_session(scope);
    Oid best = types[0];
    bool preferred;
    char category = type_category(session, best, &preferred);

    for (int i = 1; i < count; i++) {
        bool next_preferred;
        const char next_category = type_category(session, types[i], &next_preferred);
        if (types[i] == best)
            continue;
        if (next_category != category)
            return 0;
        if (!preferred && can_coerce(scope, &best, &types[i], 1, COERCION_IMPLICIT) &&
            !can_coerce(scope, &types[i], &best, 1, COERCION_IMPLICIT)) {
            best = types[i];
            preferred = next_preferred;
        }
    }
    for (int i = 0; i < count; i++)
        if (!can_coerce(scope, &types[i], &best, 1, COERCION_IMPLICIT))
            return 0;
    return best;
}

/* Whether the arguments of polymorphic parameters agree (manual 38.2.5). */
static bool poly_consistent(Scope *scope, const Oid *actual, const Oid *declared, int count)
{
    CatalogSession *session = scope_session(scope);
    Poly poly = {0};

    if (!poly_collect(session, actual, declared, count, &poly))
        return false;
    if (poly.array) {
        const Oid element = poly.array == TYPE_ANYARRAY ? 0 : element_type_of(session, poly.array);
        if (poly.array == TYPE_ANYARRAY)
            return !poly.element;
        if (!element || (poly.element && poly.element != element))
            return false;
        poly.element = element;
    }
    if (poly.nonarray && poly.element && element_type_of(session, poly.element))
        return false;
    if (poly.is_enum && poly.element) {
        const TypeDesc *desc = type_find(session, poly.element);
        if (!desc || desc->kind != 'e')
            return false;
    }
    if (poly.compat_count > 0) {
        const Oid common = common_of_types(scope, poly.compat_types, poly.compat_count);
        if (!common || (poly.compat_nonarray && element_type_of(session, common)))
            return false;
    }
    return true;
}

static bool poly_undetermined(void)
{
    FAIL(ERR_DATATYPE_MISMATCH,
         .message = STR("could not determine polymorphic type because input has type unknown"));
}

bool resolve_polymorphic(Scope *scope, const Oid *actual, Oid *declared, int count, Oid *result)
{
    CatalogSession *session = scope_session(scope);
    bool any = is_polymorphic(*result);
    for (int i = 0; i < count; i++)
        any |= is_polymorphic(declared[i]);
    if (!any)
        return true;

    Poly poly = {0};
    if (!poly_collect(session, actual, declared, count, &poly))
        FAIL(ERR_DATATYPE_MISMATCH,
             .message = STR("arguments declared \"anyelement\" are not all alike"));
    if (poly.array && poly.array != TYPE_ANYARRAY && !poly.element)
        poly.element = element_type_of(session, poly.array);
    if (poly.element && !poly.array)
        poly.array = array_type_of(session, poly.element);
    if (!poly.element && poly.has_poly_unknown && !poly.array)
        TRY(poly_undetermined());
    const Oid compat = poly.compat_count
                           ? common_of_types(scope, poly.compat_types, poly.compat_count)
                           : TYPE_TEXT;
    for (int i = 0; i <= count; i++) {
        Oid *slot = i < count ? &declared[i] : result;
        switch (*slot) {
        case TYPE_ANYELEMENT:
        case TYPE_ANYNONARRAY:
        case TYPE_ANYENUM:
            *slot = poly.element ? poly.element : *slot;
            break;
        case TYPE_ANYARRAY:
            if (i == count && !poly.array && poly.element)
                FAIL(ERR_UNDEFINED_OBJECT,
                     .message = fmt("could not find array type for data type %.*s",
                                    STR_ARGS(type_text(scope, poly.element))));
            *slot = poly.array ? poly.array : *slot;
            break;
        case TYPE_ANYCOMPATIBLE:
        case TYPE_ANYCOMPATIBLENONARRAY:
            *slot = compat;
            break;
        case TYPE_ANYCOMPATIBLEARRAY:
            *slot = array_type_of(session, compat);
            break;
        default:
            break;
        }
    }
    return true;
}

bool can_coerce(Scope *scope, const Oid *from, const Oid *to, int count, CoercionContext context)
{
    CatalogSession *session = scope_session(scope);
    bool generic = false;

    for (int i = 0; i < count; i++) {
        Oid function;
        if (from[i] == to[i] || to[i] == TYPE_ANY)
            continue;
        if (is_polymorphic(to[i])) {
            generic = true;
            continue;
        }
        if (from[i] == TYPE_UNKNOWN)
            continue;
        if (find_pathway(session, to[i], from[i], context, &function) != PATHWAY_NONE)
            continue;
        if (from[i] == TYPE_RECORD && is_row_type(session, to[i]))
            continue;
        if (to[i] == TYPE_RECORD && is_row_type(session, from[i]))
            continue;
        if (to[i] == TYPE_RECORD_ARRAY) {
            const Oid element = element_type_of(session, from[i]);
            if (element && is_row_type(session, element))
                continue;
        }
        return false;
    }
    return !generic || poly_consistent(scope, from, to, count);
}

/* ---- building casts ---- */

static ExprCast *cast_new(Scope *scope, CastKind kind, Expr *arg, const Coercion *to)
{
    Arena *arena = scope_arena(scope);
    ExprCast *cast = EXPR_NEW(arena, ExprCast, EXPR_CAST);
    const TypeDesc *desc = type_find(scope_session(scope), to->type);

    cast->base.type = to->type;
    cast->base.position = to->position > 0 ? to->position : arg->position;
    if (desc && desc->collation)
        cast->base.collation = arg->collation && kind != CAST_IO ? arg->collation : desc->collation;
    cast->cast = kind;
    cast->form = to->form;
    VEC_PUSH(arena, &cast->args, arg);
    return cast;
}

static void cast_add_typmod(Scope *scope, ExprCast *cast, const Coercion *to)
{
    Arena *arena = scope_arena(scope);
    const FunctionDesc *function = function_find(scope_session(scope), cast->function);

    if (function && function->argument_count >= 2) {
        VEC_PUSH(arena, &cast->args, expr_int4(arena, to->typmod));
        cast->base.typmod = to->typmod;
    }
    if (function && function->argument_count >= 3)
        VEC_PUSH(arena, &cast->args, expr_bool(arena, to->context == COERCION_EXPLICIT));
}

static Expr *case_test_new(Scope *scope, Oid type, int32_t typmod)
{
    ExprCaseTest *test = EXPR_NEW(scope_arena(scope), ExprCaseTest, EXPR_CASE_TEST);
    const TypeDesc *desc = type_find(scope_session(scope), type);
    test->base.type = type;
    test->base.typmod = typmod;
    test->base.collation = desc ? desc->collation : 0;
    return &test->base;
}

/* The same coercion of what an array holds. */
static Coercion coercion_of_elements(const Coercion *to, Oid element)
{
    Coercion result = *to;
    result.type = element;
    return result;
}

static Expr *cast_array(Scope *scope, Expr *expr, const Coercion *to)
{
    CatalogSession *session = scope_session(scope);
    const Coercion element =
        coercion_of_elements(to, element_type_of(session, base_type_of(session, to->type, NULL)));
    const Oid from_element = element_type_of(session, base_type_of(session, expr->type, NULL));
    ExprCast *cast = cast_new(scope, CAST_ARRAY, expr, to);
    bool failed = false;

    cast->element_cast = coerce_to_target(scope, case_test_new(scope, from_element, expr->typmod),
                                          &element, &failed);
    TRY(cast->element_cast);
    cast->base.typmod = to->typmod;
    return &cast->base;
}

static Expr *literal_coerce(Scope *scope, const ExprConst *literal, const Coercion *to)
{
    CatalogSession *session = scope_session(scope);
    const Oid type = to->type;
    int32_t base_typmod = to->typmod;
    const Oid base = base_type_of(session, type, &base_typmod);
    const TypeDesc *desc = type_find(session, base);
    Value value = {0};

    if (desc && desc->kind == 'p' && type != TYPE_RECORD && type != TYPE_CSTRING &&
        type != TYPE_VOID && type != TYPE_UNKNOWN && !(literal->is_null && type == TYPE_ANYARRAY)) {
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("cannot accept a value of type %.*s", STR_ARGS(type_text(scope, type))),
             .position = literal->base.position);
    }
    /* Only interval's modifier changes how its text reads; other lengths are enforced after. */
    if (!literal->is_null &&
        !type_input(scope_arena(scope), base, base == TYPE_INTERVAL ? base_typmod : -1,
                    var_str(literal->value.var), &value)) {
        error_set_position(literal->base.position);
        return NULL;
    }
    ExprConst *result = expr_const(
        scope_arena(scope), type, base == TYPE_INTERVAL ? base_typmod : -1,
        desc ? desc->collation : 0, value, literal->is_null,
        to->position > 0 && literal->base.position == 0 ? to->position : literal->base.position);
    return &result->base;
}

static bool row_cast_refused(Scope *scope, const Expr *expr, Oid type, Str detail, int position)
{
    FAIL(ERR_CANNOT_COERCE,
         .message = fmt("cannot cast type record to %.*s", STR_ARGS(type_text(scope, type))),
         .detail = detail, .position = position ? position : expr_location(expr));
}

/* ROW(…) as a row of a table's type: field by field. */
static Expr *cast_row(Scope *scope, const Expr *expr, const Coercion *to)
{
    const Oid type = to->type;
    const int position = to->position;
    Arena *arena = scope_arena(scope);
    const TypeDesc *desc = type_find(scope_session(scope), type);
    const RelationDesc *relation = desc ? relation_get(scope_session(scope), desc->relation) : NULL;
    TRY(relation);
    if (expr->kind == EXPR_COLUMN)
        FAIL_UNSUPPORTED("a cast of a whole row to another row type");
    if (expr->kind != EXPR_ROW) {
        TRY(row_cast_refused(scope, expr, type, STR_NONE, position));
        return NULL;
    }
    const ExprRow *from = EXPR_AS(const ExprRow, expr);
    ExprRow *row = EXPR_NEW(arena, ExprRow, EXPR_ROW);
    size_t next = 0;
    *row = *from;
    row->base.type = type;
    row->fields = (ExprVec){0};
    row->names = ARENA_ARRAY(arena, Str, relation->column_count + 1);
    for (int i = 0; i < relation->column_count; i++) {
        const ColumnDesc *column = &relation->columns[i];
        bool failed = false;
        if (column->dropped)
            continue;
        if (next == from->fields.length) {
            TRY(row_cast_refused(scope, expr, type, STR("Input has too few columns."), position));
            return NULL;
        }
        Expr *field = from->fields.items[next++];
        const Oid field_type = field->type;
        field = coerce_to_target(scope, field,
                                 &(Coercion){.type = column->type,
                                             .typmod = column->typmod,
                                             .context = to->context,
                                             .form = CALL_IMPLICIT_CAST},
                                 &failed);
        if (!field && !failed)
            TRY(row_cast_refused(scope, expr, type,
                                 fmt("Cannot cast type %.*s to %.*s in column %zu.",
                                     STR_ARGS(type_text(scope, field_type)),
                                     STR_ARGS(type_text(scope, column->type)), next),
                                 position));
        TRY(field);
        row->names[row->fields.length] = column->name;
        VEC_PUSH(arena, &row->fields, field);
    }
    if (next < from->fields.length) {
        TRY(row_cast_refused(scope, expr, type, STR("Input has too many columns."), position));
        return NULL;
    }
    return &row->base;
}

Expr *coerce_type(Scope *scope, Expr *expr, const Coercion *to)
{
    CatalogSession *session = scope_session(scope);
    const Oid from = expr->type, type = to->type;

    if (type == from || type == TYPE_ANY || type == TYPE_ANYELEMENT || type == TYPE_ANYNONARRAY ||
        type == TYPE_ANYCOMPATIBLE || type == TYPE_ANYCOMPATIBLENONARRAY)
        return expr;
    if (is_polymorphic(type) && from != TYPE_UNKNOWN)
        return expr;
    if (from == TYPE_UNKNOWN && expr->kind == EXPR_CONST)
        return literal_coerce(scope, (const ExprConst *)expr, to);
    if (from == TYPE_UNKNOWN && expr->kind == EXPR_PARAM) {
        TRY(param_set_type(scope, EXPR_AS(ExprParam, expr), type, to->position));
        return expr;
    }
    if (expr->kind == EXPR_COLLATE && from == TYPE_UNKNOWN) {
        ExprCollate *collate = EXPR_NEW(scope_arena(scope), ExprCollate, EXPR_COLLATE);
        *collate = *(const ExprCollate *)expr;
        TRY(collate->arg = coerce_type(scope, collate->arg, to));
        collate->base.type = type;
        return &collate->base;
    }

    Oid function;
    ExprCast *cast;
    switch (find_pathway(session, type, from, to->context, &function)) {
    case PATHWAY_RELABEL:
        cast = cast_new(scope, CAST_RELABEL, expr, to);
        cast->base.typmod = from == type ? expr->typmod : -1;
        return &cast->base;
    case PATHWAY_FUNCTION:
        cast = cast_new(scope, CAST_FUNCTION, expr, to);
        cast->function = function;
        cast_add_typmod(scope, cast, to);
        return &cast->base;
    case PATHWAY_ARRAY:
        return cast_array(scope, expr, to);
    case PATHWAY_IO:
        return &cast_new(scope, CAST_IO, expr, to)->base;
    case PATHWAY_NONE:
        break;
    }
    if (from == TYPE_RECORD && is_row_type(session, type))
        return cast_row(scope, expr, to);
    if ((type == TYPE_RECORD && is_row_type(session, from)) || type == TYPE_RECORD_ARRAY)
        return &cast_new(scope, CAST_RELABEL, expr, to)->base;
    if (from == TYPE_UNKNOWN)
        return &cast_new(scope, CAST_IO, expr, to)->base;
    FAIL(ERR_INTERNAL_ERROR,
         .message = fmt("failed to find conversion function from %.*s to %.*s",
                        STR_ARGS(type_text(scope, from)), STR_ARGS(type_text(scope, type))));
}

Expr *coerce_implicitly(Scope *scope, Expr *expr, Oid type)
{
    return coerce_type(
        scope, expr,
        &(Coercion){
            .type = type, .typmod = -1, .context = COERCION_IMPLICIT, .form = CALL_IMPLICIT_CAST});
}

static Expr *coerce_typmod(Scope *scope, Expr *expr, const Coercion *to)
{
    CatalogSession *session = scope_session(scope);

    if (to->typmod < 0 || to->typmod == expr->typmod)
        return expr;
    const Oid base = base_type_of(session, to->type, NULL);
    const Oid element = element_type_of(session, base);
    const CastDesc *length = cast_find(session, element ? element : base, element ? element : base);
    if (!length || !length->function) {
        /* No length function: the modifier is only a label. */
        ExprCast *relabel = cast_new(scope, CAST_RELABEL, expr, to);
        relabel->base.typmod = to->typmod;
        return &relabel->base;
    }
    if (element) {
        ExprCast *cast = cast_new(scope, CAST_ARRAY, expr, to);
        const Coercion of_element = coercion_of_elements(to, element);
        cast->element_cast = coerce_typmod(scope, case_test_new(scope, element, -1), &of_element);
        TRY(cast->element_cast);
        cast->base.typmod = to->typmod;
        return &cast->base;
    }
    ExprCast *cast = cast_new(scope, CAST_FUNCTION, expr, to);
    cast->function = length->function;
    cast->is_length = true;
    cast_add_typmod(scope, cast, to);
    cast->base.typmod = to->typmod;
    return &cast->base;
}

Expr *coerce_to_target(Scope *scope, Expr *expr, const Coercion *to, bool *ret_failed)
{
    const Oid from = expr->type;
    if (!can_coerce(scope, &from, &to->type, 1, to->context))
        return NULL;

    ExprCollate *collate = NULL;
    if (expr->kind == EXPR_COLLATE && from != TYPE_UNKNOWN) {
        collate = (ExprCollate *)expr;
        expr = collate->arg;
    }
    Expr *result = coerce_type(scope, expr, to);
    if (result)
        result = coerce_typmod(scope, result, to);
    if (!result) {
        *ret_failed = true;
        return NULL;
    }
    const TypeDesc *desc = type_find(scope_session(scope), to->type);
    if (collate && desc && desc->collation) {
        ExprCollate *copy = EXPR_NEW(scope_arena(scope), ExprCollate, EXPR_COLLATE);
        *copy = *collate;
        copy->arg = result;
        copy->base.type = to->type;
        copy->base.typmod = result->typmod;
        result = &copy->base;
    }
    return result;
}

Expr *coerce_for_assignment(Scope *scope, Expr *expr, Oid type, int32_t typmod, bool *ret_failed)
{
    return coerce_to_target(scope, expr,
                            &(Coercion){.type = type,
                                        .typmod = typmod,
                                        .context = COERCION_ASSIGNMENT,
                                        .form = CALL_IMPLICIT_CAST},
                            ret_failed);
}

/* ---- what clauses demand ---- */

Expr *coerce_to_boolean(Scope *scope, Expr *expr, Str construct)
{
    return coerce_to_specific(scope, expr, TYPE_BOOL, construct);
}

Expr *coerce_to_specific(Scope *scope, Expr *expr, Oid type, Str construct)
{
    if (expr->type != type) {
        bool failed = false;
        Expr *result = coerce_for_assignment(scope, expr, type, -1, &failed);
        if (failed)
            return NULL;
        if (!result)
            FAIL(ERR_DATATYPE_MISMATCH,
                 .message =
                     fmt("argument of %.*s must be type %.*s, not type %.*s", STR_ARGS(construct),
                         STR_ARGS(type_text(scope, type)), STR_ARGS(type_text(scope, expr->type))),
                 .position = expr_location(expr));
        expr = result;
    }
    if (expr_has_srf(expr))
        FAIL(ERR_DATATYPE_MISMATCH,
             .message = fmt("argument of %.*s must not return a set", STR_ARGS(construct)),
             .position = expr_location(expr));
    return expr;
}

Expr *coerce_to_common(Scope *scope, Expr *expr, Oid type, Str construct)
{
    if (expr->type == type)
        return expr;
    const Oid from = expr->type;
    if (!can_coerce(scope, &from, &type, 1, COERCION_IMPLICIT))
        FAIL(ERR_CANNOT_COERCE,
             .message = fmt("%.*s could not convert type %.*s to %.*s", STR_ARGS(construct),
                            STR_ARGS(type_text(scope, from)), STR_ARGS(type_text(scope, type))),
             .position = expr_location(expr));
    return coerce_implicitly(scope, expr, type);
}

Oid select_common_type(Scope *scope, const ExprVec *exprs, Str construct, Expr **ret_which)
{
    CatalogSession *session = scope_session(scope);
    Expr *best = exprs->items[0];
    size_t i = 1;

    if (best->type != TYPE_UNKNOWN) {
        while (i < exprs->length && exprs->items[i]->type == best->type)
            i++;
        if (i == exprs->length) {
            if (ret_which)
                *ret_which = best;
            return best->type;
        }
    }

    Oid type = base_type_of(session, best->type, NULL);
    bool preferred;
    char category = type_category(session, type, &preferred);
    for (; i < exprs->length; i++) {
        Expr *next = exprs->items[i];
        const Oid next_type = base_type_of(session, next->type, NULL);
        if (next_type == TYPE_UNKNOWN || next_type == type)
            continue;
        bool next_preferred;
        const char next_category = type_category(session, next_type, &next_preferred);
        if (type == TYPE_UNKNOWN) {
            best = next;
            type = next_type;
            category = next_category;
            preferred = next_preferred;
        } else if (next_category != category) {
            if (str_is_none(construct))
                return 0;
            FAIL(ERR_DATATYPE_MISMATCH,
                 .message =
                     fmt("%.*s types %.*s and %.*s cannot be matched", STR_ARGS(construct),
                         STR_ARGS(type_text(scope, type)), STR_ARGS(type_text(scope, next_type))),
                 .position = expr_location(next));
        } else if (!preferred && can_coerce(scope, &type, &next_type, 1, COERCION_IMPLICIT) &&
                   !can_coerce(scope, &next_type, &type, 1, COERCION_IMPLICIT)) {
            best = next;
            type = next_type;
            preferred = next_preferred;
        }
    }
    if (type == TYPE_UNKNOWN)
        type = TYPE_TEXT;
    if (ret_which)
        *ret_which = best;
    return type;
}

int32_t select_common_typmod(const ExprVec *exprs, Oid type)
{
    int32_t typmod = -1;
    for (size_t i = 0; i < exprs->length; i++) {
        if (exprs->items[i]->type != type)
            return -1;
        if (i == 0)
            typmod = exprs->items[i]->typmod;
        else if (typmod != exprs->items[i]->typmod)
            return -1;
    }
    return typmod;
}

Oid select_common_collation(const ExprVec *exprs)
{
    Oid collation = 0;
    for (size_t i = 0; i < exprs->length; i++)
        if (exprs->items[i]->collation &&
            (!collation ||
             (collation == COLLATION_DEFAULT && exprs->items[i]->collation != COLLATION_DEFAULT)))
            collation = exprs->items[i]->collation;
    return collation;
}

static bool is_explicit_collate(const Expr *expr)
{
    while (expr->kind == EXPR_CAST)
        expr = EXPR_AS(const ExprCast, expr)->args.items[0];
    return expr->kind == EXPR_COLLATE;
}

bool combine_collations(Scope *scope, const ExprVec *args, Oid *ret_collation)
{
    CatalogSession *session = scope_session(scope);
    Oid explicit_one = 0;

    for (size_t i = 0; i < args->length; i++) {
        const Expr *arg = args->items[i];
        if (!arg->collation || !is_explicit_collate(arg))
            continue;
        if (explicit_one && explicit_one != arg->collation) {
            const CollationDesc *a = collation_find(session, explicit_one);
            const CollationDesc *b = collation_find(session, arg->collation);
            FAIL(ERR_COLLATION_MISMATCH,
                 .message =
                     fmt("collation mismatch between explicit collations \"%.*s\" and \"%.*s\"",
                         STR_ARGS(a->name), STR_ARGS(b->name)),
                 .position = arg->position);
        }
        explicit_one = arg->collation;
    }
    *ret_collation = explicit_one ? explicit_one : select_common_collation(args);
    return true;
}

Oid expr_result_collation(Scope *scope, Oid type, Oid input_collation)
{
    const TypeDesc *desc = type_find(scope_session(scope), type);
    if (!desc || !desc->collation)
        return 0;
    return input_collation ? input_collation : desc->collation;
}
