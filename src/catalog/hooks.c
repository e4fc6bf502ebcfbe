/* What the types room asks of the catalog: reg* names, aclitems, types that are not built in. */
#include "catalog/hooks.h"
#include "base/error.h"
#include "base/os.h"
#include "base/task.h"
#include "catalog/catalog_internal.h"
#include "catalog/lookup.h"
#include "catalog/names.h"
#include "catalog/privilege.h"
#include "catalog/relation.h"
#include "types/identifier.h"
#include "types/type.h"

CatalogSession *catalog_session_current(void)
{
    CatalogSession *session = task_current()->session;

    return session && session->txn ? session : NULL;
}

/* ---- names of several parts ---- */

typedef struct QualifiedName {
    Str schema, name;
} QualifiedName;

/* `a."B c"` in parts, folded to lower case outside quotes. */
static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool name_parse_as(Arena *arena, Str text, const char *what, StrParts *ret_parts)
{
    Str rest = str_trim(text);
    StrParts parts = {0};

    for (;;) {
        StrBuf part = strbuf_in(arena);
        size_t i = 0;
        if (rest.length > 0 && rest.data[0] == '"') {
            for (i = 1; i < rest.length; i++) {
                if (rest.data[i] == '"') {
                    if (i + 1 >= rest.length || rest.data[i + 1] != '"')
                        break;
                    i++;
                }
                strbuf_append_char(&part, rest.data[i]);
            }
            if (i++ >= rest.length)
                FAIL(ERR_INVALID_NAME, .message = STR("invalid name syntax"));
        } else {
            for (; i < rest.length && rest.data[i] != '.' && !is_blank(rest.data[i]); i++) {
                const char c = rest.data[i];
                strbuf_append_char(&part, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
            }
        }
        if (parts.count == ARRAY_LENGTH(parts.items))
            FAIL(ERR_SYNTAX_ERROR, .message = fmt("improper %s name (too many dotted names): %.*s",
                                                  what, STR_ARGS(text)));
        if (part.length == 0)
            FAIL(ERR_INVALID_NAME, .message = STR("invalid name syntax"));
        parts.items[parts.count++] =
            str_slice(strbuf_view(&part), 0, MIN(part.length, NAME_MAX_BYTES));
        rest = str_trim(str_slice(rest, i, SIZE_MAX));
        if (rest.length == 0)
            break;
        if (rest.data[0] != '.')
            FAIL(ERR_INVALID_NAME, .message = STR("invalid name syntax"));
        rest = str_trim(str_slice(rest, 1, SIZE_MAX));
    }
    *ret_parts = parts;
    return true;
}

bool name_parse(Arena *arena, Str text, StrParts *ret_parts)
{
    return name_parse_as(arena, text, "qualified", ret_parts);
}

static bool qualified_parse(CatalogSession *session, Oid type, Str text, QualifiedName *ret_name)
{
    StrParts parts;
    const bool is_relation = type == TYPE_REGCLASS;

    TRY(name_parse_as(session->arena, text, is_relation ? "relation" : "qualified", &parts));
    if (parts.count > 1 && (type == TYPE_REGROLE || type == TYPE_REGNAMESPACE))
        FAIL(ERR_INVALID_NAME, .message = STR("invalid name syntax"));
    if (parts.count == 3) { /* catalog.schema.name */
        TRY(database_check_own(session, parts.items, is_relation, 0));
        parts.items[0] = parts.items[1];
        parts.items[1] = parts.items[2];
        parts.count = 2;
    }
    *ret_name = parts.count == 2 ? (QualifiedName){parts.items[0], parts.items[1]}
                                 : (QualifiedName){STR_NONE, parts.items[0]};
    return true;
}

/* ---- input ---- */

/* A schema that is named and does not exist is the fault, not what would be in it. */
static bool check_schema(CatalogSession *session, Str schema)
{
    return str_is_none(schema) || schema.length == 0 || namespace_get(session, schema, 0);
}

static bool type_input_name(CatalogSession *session, Str text, Oid *ret_oid)
{
    int32_t typmod;

    return type_parse_name(session, text, true, ret_oid, &typmod);
}

static bool class_input(CatalogSession *session, QualifiedName name, Oid *ret_oid)
{
    TRY(check_schema(session, name.schema));
    const RelationDesc *relation = relation_get_name(session, name.schema, name.name, 0);
    TRY(relation);
    *ret_oid = relation->oid;
    return true;
}

static bool function_input(CatalogSession *session, QualifiedName name, Str text, Oid *ret_oid)
{
    TRY(check_schema(session, name.schema));
    const FunctionCandidates found = function_candidates(session, name.schema, name.name, -1);
    if (found.count == 0)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("function \"%.*s\" does not exist", STR_ARGS(text)));
    if (found.count > 1)
        FAIL(ERR_AMBIGUOUS_FUNCTION,
             .message = fmt("more than one function named \"%.*s\"", STR_ARGS(text)));
    *ret_oid = found.items[0]->oid;
    return true;
}

/* "name(type, type)": the name and its argument types ("none" is 0). */
static bool signature_parse(CatalogSession *session, Str text, Str *ret_name, Oid *types,
                            uint32_t room, uint32_t *ret_count)
{
    const size_t open = str_find_char(text, '(', 0);
    uint32_t count = 0;

    if (open == SIZE_MAX)
        FAIL(ERR_INVALID_TEXT_REPRESENTATION, .message = STR("expected a left parenthesis"));
    Str rest = str_trim(str_slice(text, open + 1, SIZE_MAX));
    if (!str_ends_with(rest, STR(")")))
        FAIL(ERR_INVALID_TEXT_REPRESENTATION, .message = STR("expected a right parenthesis"));
    rest = str_trim(str_slice(rest, 0, rest.length - 1));
    while (rest.length > 0) {
        size_t i = 0;
        int depth = 0;
        for (; i < rest.length && (depth > 0 || rest.data[i] != ','); i++)
            depth += rest.data[i] == '(' ? 1 : rest.data[i] == ')' ? -1 : 0;
        const Str item = str_trim(str_slice(rest, 0, i));
        if (count == room)
            FAIL(ERR_TOO_MANY_ARGUMENTS, .message = STR("too many arguments"));
        types[count] = OID_NONE;
        if (!str_equal_nocase(item, STR("none")))
            TRY(type_input_name(session, item, &types[count]));
        count++;
        rest = i < rest.length ? str_trim(str_slice(rest, i + 1, SIZE_MAX)) : STR("");
    }
    *ret_name = str_slice(text, 0, open);
    *ret_count = count;
    return true;
}

static bool procedure_input(CatalogSession *session, Str text, Oid *ret_oid)
{
    Oid types[100];
    uint32_t count;
    Str part;
    QualifiedName name;

    TRY(signature_parse(session, text, &part, types, ARRAY_LENGTH(types), &count));
    TRY(qualified_parse(session, TYPE_REGPROC, part, &name));
    TRY(check_schema(session, name.schema));
    const FunctionDesc *f = function_find_exact(session, name.schema, name.name, types, count);
    if (!f)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("function \"%.*s\" does not exist", STR_ARGS(text)));
    *ret_oid = f->oid;
    return true;
}

/* pg_catalog.+ : the operator is what follows the last dot that a name precedes. */
static QualifiedName operator_name(Str text)
{
    const size_t dot = str_find_char(text, '.', 0);

    if (dot == SIZE_MAX || dot + 1 == text.length || dot == 0)
        return (QualifiedName){STR_NONE, str_trim(text)};
    return (QualifiedName){str_trim(str_slice(text, 0, dot)),
                           str_trim(str_slice(text, dot + 1, SIZE_MAX))};
}

static bool operator_input(CatalogSession *session, Str text, Oid *ret_oid)
{
    const QualifiedName name = operator_name(text);
    TRY(check_schema(session, name.schema));
    const OperatorCandidates infix = operator_candidates(session, name.schema, name.name, 'b');
    const OperatorCandidates prefix = operator_candidates(session, name.schema, name.name, 'l');

    if (infix.count + prefix.count == 0)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("operator does not exist: %.*s", STR_ARGS(text)));
    if (infix.count + prefix.count > 1)
        FAIL(ERR_AMBIGUOUS_FUNCTION,
             .message = fmt("more than one operator named %.*s", STR_ARGS(text)));
    *ret_oid = infix.count ? infix.items[0]->oid : prefix.items[0]->oid;
    return true;
}

static bool operator_signature_input(CatalogSession *session, Str text, Oid *ret_oid)
{
    Oid types[100];
    uint32_t count;
    Str part;

    TRY(signature_parse(session, text, &part, types, ARRAY_LENGTH(types), &count));
    if (count == 1)
        FAIL(ERR_UNDEFINED_PARAMETER, .message = STR("missing argument"),
             .hint = STR("Use NONE to denote the missing argument of a unary operator."));
    if (count != 2)
        FAIL(ERR_TOO_MANY_ARGUMENTS, .message = STR("too many arguments"),
             .hint = STR("Provide two argument types for operator."));
    const QualifiedName name = operator_name(part);
    TRY(check_schema(session, name.schema));
    const OperatorDesc *op =
        operator_find_exact(session, name.schema, name.name, types[0], types[1]);
    if (!op)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("operator does not exist: %.*s", STR_ARGS(text)));
    *ret_oid = op->oid;
    return true;
}

bool catalog_reg_input(CatalogSession *session, Oid type, Str text, Oid *ret_oid)
{
    QualifiedName name;

    switch (type) {
    case TYPE_REGTYPE:
        return type_input_name(session, text, ret_oid);
    case TYPE_REGPROCEDURE:
        return procedure_input(session, text, ret_oid);
    case TYPE_REGOPERATOR:
        return operator_signature_input(session, text, ret_oid);
    case TYPE_REGOPER:
        return operator_input(session, text, ret_oid);
    default:
        break;
    }
    TRY(qualified_parse(session, type, text, &name));
    switch (type) {
    case TYPE_REGCLASS:
        return class_input(session, name, ret_oid);
    case TYPE_REGPROC:
        return function_input(session, name, text, ret_oid);
    case TYPE_REGNAMESPACE:
        *ret_oid = namespace_get(session, name.name, 0);
        return *ret_oid != OID_NONE;
    case TYPE_REGROLE: {
        const RoleDesc *role = role_get_name(session, name.name);
        TRY(role);
        *ret_oid = role->oid;
        return true;
    }
    case TYPE_REGCOLLATION:
        *ret_oid = collation_get_name(session, name.schema, name.name, 0);
        return *ret_oid != OID_NONE;
    case TYPE_REGCONFIG:
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("text search configuration \"%.*s\" does not exist", STR_ARGS(text)));
    case TYPE_REGDICTIONARY:
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("text search dictionary \"%.*s\" does not exist", STR_ARGS(text)));
    default:
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("unknown reg type %u", type));
    }
}

static bool reg_input_hook(Oid type, Str text, Oid *ret_oid)
{
    CatalogSession *session = catalog_session_current();

    if (!session)
        FAIL(ERR_INVALID_TEXT_REPRESENTATION,
             .message = fmt("invalid input syntax for type %s: \"%.*s\"", "oid", STR_ARGS(text)));
    return catalog_reg_input(session, type, text, ret_oid);
}

/* ---- output ---- */

static void append_function(CatalogSession *session, Oid oid, bool with_types, StrBuf *out)
{
    const FunctionDesc *f = function_find(session, oid);

    if (!f)
        return;
    const FunctionCandidates same = function_candidates(session, STR_NONE, f->name, -1);
    const bool qualify = with_types ? same.count == 0 : same.count != 1;
    strbuf_append(out,
                  identifier_qualify(session->arena,
                                     qualify ? namespace_name(session, f->namespace_oid) : STR_NONE,
                                     f->name));
    if (!with_types)
        return;
    strbuf_append_char(out, '(');
    for (int i = 0; i < f->argument_count; i++) {
        if (i > 0)
            strbuf_append_char(out, ',');
        strbuf_append(out, type_name(session, f->argument_types[i]));
    }
    strbuf_append_char(out, ')');
}

static void append_operator(CatalogSession *session, Oid oid, bool with_types, StrBuf *out)
{
    const OperatorDesc *op = operator_find(session, oid);

    if (!op)
        return;
    const uint32_t same = operator_candidates(session, STR_NONE, op->name, 'b').count +
                          operator_candidates(session, STR_NONE, op->name, 'l').count;
    if (!with_types && same > 1)
        strbuf_append_c(out, "pg_catalog.");
    strbuf_append(out, op->name);
    if (with_types)
        strbuf_format(out, "(%.*s,%.*s)",
                      STR_ARGS(op->left ? type_name(session, op->left) : STR("NONE")),
                      STR_ARGS(op->right ? type_name(session, op->right) : STR("NONE")));
}

/* Appends nothing when there is no such object. */
static bool catalog_reg_output(CatalogSession *session, Oid type, Oid oid, StrBuf *out)
{
    switch (type) {
    case TYPE_REGCLASS: {
        const RelationDesc *relation = relation_find(session, oid);
        if (relation)
            strbuf_append(out, relation_display_name(session, relation));
        break;
    }
    case TYPE_REGTYPE:
        if (type_find(session, oid))
            strbuf_append(out, type_name(session, oid));
        break;
    case TYPE_REGPROC:
        append_function(session, oid, false, out);
        break;
    case TYPE_REGPROCEDURE:
        append_function(session, oid, true, out);
        break;
    case TYPE_REGOPER:
        append_operator(session, oid, false, out);
        break;
    case TYPE_REGOPERATOR:
        append_operator(session, oid, true, out);
        break;
    case TYPE_REGNAMESPACE: {
        const Str name = namespace_name(session, oid);
        if (!str_is_none(name))
            strbuf_append(out, identifier_quote(session->arena, name));
        break;
    }
    case TYPE_REGROLE: {
        const RoleDesc *role = role_find(session, oid);
        if (role)
            strbuf_append(out, identifier_quote(session->arena, role->name));
        break;
    }
    case TYPE_REGCOLLATION: {
        const CollationDesc *collation = collation_find(session, oid);
        if (collation)
            strbuf_append(out, identifier_quote(session->arena, collation->name));
        break;
    }
    default:
        break;
    }
    return !error_is_set();
}

static bool reg_output_hook(Oid type, Oid oid, StrBuf *out)
{
    CatalogSession *session = catalog_session_current();

    return !session || catalog_reg_output(session, type, oid, out);
}

/* ---- types of users ---- */

/* A description in the types room's terms, kept with the session's other lookups. */
static const BuiltinType *type_find_hook(Oid oid)
{
    CatalogSession *session = catalog_session_current();
    const TypeDesc *type = session ? type_find(session, oid) : NULL;

    if (!type)
        return NULL;
    if (type->kind == 'd')
        return builtin_type(type->base_type);
    BuiltinType *copy = ARENA_NEW(session->cache->arena, BuiltinType);
    const bool is_array = type_is_array(type);
    *copy = *builtin_type(is_array ? TYPE_INT4_ARRAY : TYPE_RECORD);
    copy->oid = oid;
    copy->name = str_to_c(session->cache->arena, type->name);
    copy->sql_name = str_to_c(session->cache->arena, type_name(session, oid));
    copy->element = type->element;
    copy->array = type->array;
    copy->kind = type->kind;
    copy->category = type->category;
    if (type->kind == 'c') {
        copy->input = row_type_input;
        copy->receive = row_type_receive;
    }
    return copy;
}

static bool acl_input_hook(Arena *arena, Str text, Value *ret)
{
    CatalogSession *session = catalog_session_current();
    AclItem item;

    if (!session)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("aclitem needs a session"));
    TRY(acl_item_parse(session, text, &item));
    ret->var = var_make(arena_copy(arena, &item, sizeof(item)), sizeof(item));
    return true;
}

static bool acl_output_hook(const Value *value, StrBuf *out)
{
    CatalogSession *session = catalog_session_current();
    CLEANUP(arena_freep) Arena *scratch = arena_new("aclitem");
    AclItem item;

    if (value->var.length != sizeof(item))
        FAIL(ERR_DATA_CORRUPTED, .message = STR("malformed aclitem"));
    memcpy(&item, value->var.data, sizeof(item));
    strbuf_append(out, acl_item_print(session, &item, scratch));
    return true;
}

static int64_t transaction_time_hook(void)
{
    const CatalogSession *session = catalog_session_current();

    return (session ? txn_start_time(session->txn) : os->wall_clock()) - WALL_CLOCK_2000;
}

static const TypesHooks hooks = {
    .reg_input = reg_input_hook,
    .reg_output = reg_output_hook,
    .type_find = type_find_hook,
    .acl_input = acl_input_hook,
    .acl_output = acl_output_hook,
    .transaction_time = transaction_time_hook,
};

void catalog_install_hooks(void)
{
    types_set_hooks(&hooks);
}
