#include "catalog/names.h"
#include "planner/analyze_internal.h"

Str type_text(Scope *scope, Oid type)
{
    return type_name(scope_session(scope), type);
}

Str type_text_typmod(Scope *scope, Oid type, int32_t typmod)
{
    return type_sql_name(scope_session(scope), type, typmod, scope_arena(scope));
}

/* The type of a column, for `t.a%TYPE`. */
static bool resolve_percent_type(Scope *scope, const TypeName *name, Oid *ret_type)
{
    const StrVec *names = &name->names;
    if (names->length < 2)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("improper %%TYPE reference (too few dotted names): %.*s",
                            STR_ARGS(name_list_text(scope_arena(scope), names))),
             .position = name->node.position);
    const Str schema = names->length > 2 ? names->items[names->length - 3] : STR_NONE;
    const RelationDesc *relation = relation_get_name(
        scope_session(scope), schema, names->items[names->length - 2], name->node.position);
    TRY(relation);
    const ColumnDesc *column = relation_column(relation, VEC_LAST(names));
    if (!column)
        FAIL(ERR_UNDEFINED_COLUMN,
             .message = fmt("column \"%.*s\" of relation \"%.*s\" does not exist",
                            STR_ARGS(VEC_LAST(names)), STR_ARGS(relation->name)),
             .position = name->node.position);
    *ret_type = column->type;
    return true;
}

static bool typmod_argument(const Node *node, int64_t *ret_value)
{
    if (NODE_IS(node, A_Const)) {
        const A_Const *constant = NODE_CAST(A_Const, node);
        if (constant->kind == CONST_INTEGER) {
            *ret_value = constant->integer;
            return true;
        }
        if ((constant->kind == CONST_STRING || constant->kind == CONST_FLOAT)) {
            if (str_to_int64(str_trim(constant->text), ret_value))
                return true;
            FAIL(ERR_INVALID_TEXT_REPRESENTATION,
                 .message = fmt("invalid input syntax for type integer: \"%.*s\"",
                                STR_ARGS(constant->text)));
        }
    }
    if (NODE_IS(node, A_Expr)) { /* -1: a sign is an operator to the grammar */
        const A_Expr *expr = NODE_CAST(A_Expr, node);
        if (!expr->lexpr && expr->name.length == 1 && str_equal(expr->name.items[0], STR("-"))) {
            TRY(typmod_argument(expr->rexpr, ret_value));
            *ret_value = -*ret_value;
            return true;
        }
    }
    if (NODE_IS(node, ColumnRef))
        FAIL(ERR_INVALID_TEXT_REPRESENTATION,
             .message = fmt("invalid input syntax for type integer: \"%.*s\"",
                            STR_ARGS(VEC_LAST(&NODE_CAST(ColumnRef, node)->names))));
    FAIL(ERR_SYNTAX_ERROR, .message = STR("type modifiers must be simple constants or identifiers"),
         .position = node->position);
}

/* Notices of a modifier are about the type's name. */
typedef struct NoticePlace {
    NoticeHandler *handler;
    void *context;
    int position;
} NoticePlace;

static void notice_with_place(void *context, const ErrorFields *fields)
{
    const NoticePlace *place = context;
    ErrorFields placed = *fields;
    placed.position = place->position;
    if (place->handler)
        place->handler(place->context, &placed);
}

static void notice_place_begin(NoticePlace *place)
{
    Task *task = task_current();
    place->handler = task->notice_handler;
    place->context = task->notice_context;
    task->notice_handler = notice_with_place;
    task->notice_context = place;
}

static void notice_place_end(const NoticePlace *place)
{
    Task *task = task_current();
    task->notice_handler = place->handler;
    task->notice_context = place->context;
}

static bool resolve_typmod(Scope *scope, const TypeName *name, const TypeDesc *type,
                           int32_t *ret_typmod)
{
    if (name->typmods.length == 0) {
        *ret_typmod = name->typemod;
        return true;
    }
    if (!type->defined)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("type modifier cannot be specified for shell type \"%.*s\"",
                            STR_ARGS(type->name)),
             .position = name->node.position);
    const BuiltinType *builtin = builtin_type(type->oid);
    if (!builtin || !builtin->typmod_in)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("type modifier is not allowed for type \"%.*s\"", STR_ARGS(type->name)),
             .position = name->node.position);

    int64_t arguments[8];
    const int count = (int)name->typmods.length;
    if (count > (int)ARRAY_LENGTH(arguments))
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("invalid type modifier"),
             .position = name->node.position);
    for (int i = 0; i < count; i++)
        if (!typmod_argument(name->typmods.items[i], &arguments[i])) {
            error_set_position(name->node.position);
            return false;
        }
    NoticePlace place = {.position = name->node.position};
    if (!scope->notices_have_no_place)
        notice_place_begin(&place);
    const bool ok = builtin->typmod_in(arguments, count, ret_typmod);
    if (!scope->notices_have_no_place)
        notice_place_end(&place);
    if (!ok)
        error_set_position(name->node.position);
    return ok;
}

/* PostgreSQL's types that are not there. */
static const char *const absent_types[] = {
    "anyenum",
    "bit",
    "box",
    "circle",
    "datemultirange",
    "daterange",
    "gtsvector",
    "int4multirange",
    "int4range",
    "int8multirange",
    "int8range",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "nummultirange",
    "numrange",
    "path",
    "pg_snapshot",
    "point",
    "polygon",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "txid_snapshot",
    "varbit",
    "xml",
};

/* The error that is set is told, unless it says that there is no such type where there ought to
 * be one. */
static bool fail_missing_type(Str schema, Str name, int position)
{
    const bool is_missing = error_is_set() && error_fields()->sqlstate == ERR_UNDEFINED_OBJECT &&
                            (str_is_none(schema) || str_equal(schema, STR("pg_catalog")));

    for (size_t i = 0; is_missing && i < ARRAY_LENGTH(absent_types); i++)
        if (str_equal(name, str_from_c(absent_types[i])))
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = fmt("type \"%.*s\" is not supported", STR_ARGS(name)),
                 .position = position);
    return false;
}

bool resolve_type_name(Scope *scope, const TypeName *name, Oid *ret_type, int32_t *ret_typmod)
{
    CatalogSession *session = scope_session(scope);

    if (name->percent_type) {
        *ret_typmod = -1;
        return resolve_percent_type(scope, name, ret_type);
    }
    const size_t count = name->names.length;
    if (count > 3)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("improper qualified name (too many dotted names): %.*s",
                            STR_ARGS(name_list_text(scope_arena(scope), &name->names))),
             .position = name->node.position);
    if (count == 3) /* PostgreSQL tells no place */
        TRY(database_check_own(session, name->names.items, false, 0));
    const Str schema = count > 1 ? name->names.items[count - 2] : STR_NONE;
    const TypeDesc *type =
        type_get_name(session, schema, name->names.items[count - 1], name->node.position);
    if (!type)
        return fail_missing_type(schema, name->names.items[count - 1], name->node.position);
    if (!type->defined)
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("type \"%.*s\" is only a shell", STR_ARGS(type->name)),
             .position = name->node.position);
    TRY(resolve_typmod(scope, name, type, ret_typmod));
    *ret_type = type->oid;
    if (name->array_bounds.length > 0) {
        if (!type->array)
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("could not find array type for data type %.*s",
                                STR_ARGS(type_text(scope, type->oid))),
                 .position = name->node.position);
        *ret_type = type->array;
    }
    return true;
}

bool param_set_type(Scope *scope, ExprParam *param, Oid type, int position)
{
    AnalyzeParams *params = NULL;
    for (Scope *s = scope; s && !params; s = s->parent)
        params = s->context->params;
    if (!params || !params->is_variable || param->param_kind != PARAM_EXTERNAL)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("unknown parameter type"));

    Oid *known = &params->types[param->number - 1];
    if (*known == 0 || *known == TYPE_UNKNOWN) {
        *known = type;
    } else if (*known != type) {
        FAIL(ERR_AMBIGUOUS_PARAMETER,
             .message = fmt("inconsistent types deduced for parameter $%d", param->number),
             .detail = fmt("%.*s versus %.*s", STR_ARGS(type_text(scope, *known)),
                           STR_ARGS(type_text(scope, type))),
             .position = param->base.position);
    }
    const TypeDesc *desc = type_find(scope_session(scope), type);
    param->base.type = type;
    param->base.typmod = -1;
    param->base.collation = desc ? desc->collation : 0;
    if (param->base.position == 0)
        param->base.position = position;
    return true;
}
