/*
 * DROP of what only PostgreSQL can make: functions, types, triggers, extensions and their kin.
 *
 * None of a user's exist here, so the answer is that the object is missing (with IF EXISTS a
 * notice), that it is needed by the system, or that it is of another kind. Scripts that begin
 * with DROP … IF EXISTS get what PostgreSQL says on an empty database.
 */
#include "executor/command/ddl_internal.h"
#include "planner/analyze.h"

typedef struct AbsentKind {
    ObjectType type;
    const char *word; /* in messages */
    const char *tag;
} AbsentKind;

/* Kinds of which not even the system has any. */
static const AbsentKind absent_kinds[] = {
    {OBJECT_EVENT_TRIGGER, "event trigger", "DROP EVENT TRIGGER"},
    {OBJECT_EXTENSION, "extension", "DROP EXTENSION"},
    {OBJECT_FDW, "foreign-data wrapper", "DROP FOREIGN DATA WRAPPER"},
    {OBJECT_FOREIGN_SERVER, "server", "DROP SERVER"},
    {OBJECT_PUBLICATION, "publication", "DROP PUBLICATION"},
    {OBJECT_STATISTIC, "statistics object", "DROP STATISTICS"},
};

static const AbsentKind function_kinds[] = {
    {OBJECT_FUNCTION, "function", "DROP FUNCTION"},
    {OBJECT_PROCEDURE, "procedure", "DROP PROCEDURE"},
    {OBJECT_ROUTINE, "routine", "DROP ROUTINE"},
    {OBJECT_AGGREGATE, "aggregate", "DROP AGGREGATE"},
};

/* Kinds whose objects belong to a table; `table` is what their errors call it. */
static const struct {
    AbsentKind kind;
    const char *table;
} attached_kinds[] = {
    {{OBJECT_TRIGGER, "trigger", "DROP TRIGGER"}, "table"},
    {{OBJECT_POLICY, "policy", "DROP POLICY"}, "table"},
    {{OBJECT_RULE, "rule", "DROP RULE"}, "relation"},
};

static Str names_text(Arena *arena, const StrVec *names)
{
    StrBuf out = strbuf_in(arena);
    for (size_t i = 0; i < names->length; i++) {
        if (i)
            strbuf_append_char(&out, '.');
        strbuf_append(&out, names->items[i]);
    }
    return strbuf_view(&out);
}

/* A type as it is written, "pg_catalog.int4", "nope[]". */
static Str written_type(Arena *arena, const TypeName *name)
{
    const Str text = names_text(arena, &name->names);
    return name->array_bounds.length ? str_concat(arena, text, STR("[]")) : text;
}

static bool skip(Str text)
{
    DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION, text);
    return true;
}

/* Whether the schema of a qualified name is missing; with IF EXISTS that is a notice. */
static bool schema_is_missing(CommandContext *context, const StrVec *names, bool missing_ok,
                              bool *ret_missing)
{
    *ret_missing = false;
    if (names->length < 2)
        return true;
    const Str schema = names->items[names->length - 2];
    *ret_missing = !namespace_oid(ddl_catalog(context), schema);
    TRY(!error_is_set());
    if (!*ret_missing)
        return true;
    if (!missing_ok)
        FAIL(ERR_INVALID_SCHEMA_NAME,
             .message = fmt("schema \"%.*s\" does not exist", STR_ARGS(schema)));
    return skip(fmt("schema \"%.*s\" does not exist, skipping", STR_ARGS(schema)));
}

static bool needed_by_system(const char *what, Str name)
{
    FAIL(ERR_DEPENDENT_OBJECTS_STILL_EXIST,
         .message = fmt("cannot drop %s %.*s because it is required by the database system", what,
                        STR_ARGS(name)));
}

static bool drop_named(CommandContext *context, const DropStmt *statement, const AbsentKind *kind)
{
    for (size_t i = 0; i < statement->objects.length; i++) {
        const ObjectName *object = NODE_CAST(ObjectName, statement->objects.items[i]);
        bool no_schema;
        TRY(schema_is_missing(context, &object->names, statement->missing_ok, &no_schema));
        if (no_schema)
            continue;
        const Str name = names_text(context->arena, &object->names);
        if (!statement->missing_ok)
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("%s \"%.*s\" does not exist", kind->word, STR_ARGS(name)));
        TRY(skip(fmt("%s \"%.*s\" does not exist, skipping", kind->word, STR_ARGS(name))));
    }
    return true;
}

static bool drop_attached(CommandContext *context, const DropStmt *statement,
                          const AbsentKind *kind, const char *table)
{
    const ObjectName *object = NODE_CAST(ObjectName, statement->objects.items[0]);
    const Str own = object->names.items[object->names.length - 1];
    const StrVec names = {.items = object->names.items, .length = object->names.length - 1};
    RangeVar range = {.node = object->node};
    bool no_schema;

    TRY(schema_is_missing(context, &names, statement->missing_ok, &no_schema));
    if (no_schema)
        return true;
    TRY(names.length != 3 || database_check_own(ddl_catalog(context), names.items, true, 0));
    TRY(ddl_split_name(context, &names, &range.schema, &range.relation));
    const RelationDesc *relation =
        ddl_open_relation(context, &range, LOCK_ACCESS_EXCLUSIVE, false, statement->missing_ok);
    TRY(relation || !error_is_set());
    if (!relation)
        return skip(fmt("relation \"%.*s\" does not exist, skipping",
                        STR_ARGS(names_text(context->arena, &names))));
    if (relation->kind == RELKIND_VIEW && str_equal(own, STR("_RETURN")))
        FAIL_UNSUPPORTED("DROP RULE of a view's own rule");
    if (!statement->missing_ok)
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("%s \"%.*s\" for %s \"%.*s\" does not exist", kind->word, STR_ARGS(own),
                            table, STR_ARGS(relation->name)));
    return skip(fmt("%s \"%.*s\" for relation \"%.*s\" does not exist, skipping", kind->word,
                    STR_ARGS(own), STR_ARGS(names_text(context->arena, &names))));
}

/* The type of a name; 0 where there is none, which IF EXISTS has told. */
static bool type_of(CommandContext *context, const TypeName *name, bool missing_ok, Oid *ret_type)
{
    CatalogSession *session = ddl_catalog(context);
    AnalyzeContext analyze = {
        .arena = context->arena, .session = session, .source = context->source};
    int32_t typmod;
    bool no_schema;
    *ret_type = 0;
    TRY(schema_is_missing(context, &name->names, missing_ok, &no_schema));
    if (no_schema)
        return true;
    const size_t count = name->names.length;
    const Str schema = count > 1 ? name->names.items[count - 2] : STR_NONE;
    const Oid found = type_oid(session, schema, name->names.items[count - 1]);
    TRY(!error_is_set());
    if (found)
        return analyze_type_name(&analyze, &name->node, ret_type, &typmod);
    const Str text = written_type(context->arena, name);
    if (!missing_ok)
        FAIL(ERR_UNDEFINED_OBJECT, .message = fmt("type \"%.*s\" does not exist", STR_ARGS(text)));
    return skip(fmt("type \"%.*s\" does not exist, skipping", STR_ARGS(text)));
}

static bool drop_types(CommandContext *context, const DropStmt *statement)
{
    for (size_t i = 0; i < statement->objects.length; i++) {
        const TypeName *name = NODE_CAST(TypeName, statement->objects.items[i]);
        Oid type;
        TRY(type_of(context, name, statement->missing_ok, &type));
        if (!type)
            continue;
        if (statement->remove_type == OBJECT_DOMAIN)
            FAIL(ERR_WRONG_OBJECT_TYPE,
                 .message =
                     fmt("\"%.*s\" is not a domain", STR_ARGS(written_type(context->arena, name))));
        if (type >= OID_FIRST_UNPINNED)
            FAIL_UNSUPPORTED("DROP TYPE of a table's row type");
        return needed_by_system(
            "type", type_sql_name(ddl_catalog(context), type, TYPMOD_UNASKED, context->arena));
    }
    return true;
}

/* The arguments' types. False in *ret_known: one is missing, which IF EXISTS has told. */
static bool argument_types(CommandContext *context, const TypeNameVec *args, bool missing_ok,
                           Oid *types, bool *ret_known)
{
    *ret_known = true;
    for (size_t i = 0; i < args->length && *ret_known; i++) {
        types[i] = 0;
        if (!args->items[i])
            continue;
        TRY(type_of(context, args->items[i], missing_ok, &types[i]));
        *ret_known = types[i] != 0;
    }
    return true;
}

static Str written_types(Arena *arena, const TypeNameVec *args)
{
    StrBuf out = strbuf_in(arena);
    for (size_t i = 0; i < args->length; i++) {
        if (i)
            strbuf_append_char(&out, ',');
        strbuf_append(&out, written_type(arena, args->items[i]));
    }
    return strbuf_view(&out);
}

static Str signature(CommandContext *context, const ObjectWithArgs *object, const Oid *types)
{
    StrBuf out = strbuf_in(context->arena);
    strbuf_append(&out, names_text(context->arena, &object->names));
    strbuf_append_char(&out, '(');
    if (object->star)
        strbuf_append_char(&out, '*');
    for (size_t i = 0; i < object->args.length; i++) {
        strbuf_append_c(&out, i ? ", " : "");
        strbuf_append(
            &out, type_sql_name(ddl_catalog(context), types[i], TYPMOD_UNASKED, context->arena));
    }
    strbuf_append_char(&out, ')');
    return strbuf_view(&out);
}

static bool function_missing(CommandContext *context, const DropStmt *statement,
                             const AbsentKind *kind, const ObjectWithArgs *object, const Oid *types)
{
    const Str name = names_text(context->arena, &object->names);
    /* A routine that is missing is called a function. */
    const char *word = kind->type == OBJECT_ROUTINE ? "function" : kind->word;
    if (statement->missing_ok)
        return skip(fmt("%s %.*s(%.*s) does not exist, skipping", kind->word, STR_ARGS(name),
                        STR_ARGS(written_types(context->arena, &object->args))));
    if (object->args_unspecified)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("could not find a %s named \"%.*s\"", word, STR_ARGS(name)));
    FAIL(ERR_UNDEFINED_FUNCTION, .message = fmt("%s %.*s does not exist", word,
                                                STR_ARGS(signature(context, object, types))));
}

/* A function that is there is the system's. */
static bool function_present(CommandContext *context, const AbsentKind *kind,
                             const FunctionDesc *function)
{
    const Str text = function_signature(ddl_catalog(context), function);
    const bool is_aggregate = function->kind == PROKIND_AGGREGATE;
    if (kind->type == OBJECT_PROCEDURE)
        FAIL(ERR_WRONG_OBJECT_TYPE, .message = fmt("%.*s is not a procedure", STR_ARGS(text)));
    if (kind->type == OBJECT_AGGREGATE && !is_aggregate)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("function %.*s is not an aggregate", STR_ARGS(text)));
    if (kind->type == OBJECT_FUNCTION && is_aggregate)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("\"%.*s\" is an aggregate function", STR_ARGS(function->name)),
             .hint = STR("Use DROP AGGREGATE to drop aggregate functions."));
    return needed_by_system("function", text);
}

/* The types of the arguments; *ret_known: types and schema are there, else a notice has said so. */
static bool signature_types(CommandContext *context, const DropStmt *statement,
                            const ObjectWithArgs *object, Oid *types, bool *ret_known)
{
    bool no_schema = false;

    TRY(argument_types(context, &object->args, statement->missing_ok, types, ret_known));
    if (*ret_known)
        TRY(schema_is_missing(context, &object->names, statement->missing_ok, &no_schema));
    *ret_known &= !no_schema;
    return true;
}

static bool drop_function(CommandContext *context, const DropStmt *statement,
                          const AbsentKind *kind, const ObjectWithArgs *object)
{
    CatalogSession *session = ddl_catalog(context);
    const size_t count = object->args.length, parts = object->names.length;
    Oid *types = ARENA_ARRAY(context->arena, Oid, count + 1);
    const Str schema = parts > 1 ? object->names.items[parts - 2] : STR_NONE;
    const Str name = object->names.items[parts - 1];
    bool known;

    TRY(signature_types(context, statement, object, types, &known));
    if (!known)
        return true;
    if (object->args_unspecified) {
        const FunctionCandidates all = function_candidates(session, schema, name, -1);
        TRY(!error_is_set());
        if (kind->type == OBJECT_PROCEDURE || all.count == 0)
            return function_missing(context, statement, kind, object, types);
        if (all.count > 1)
            FAIL(ERR_AMBIGUOUS_FUNCTION,
                 .message = fmt("%s name \"%.*s\" is not unique", kind->word,
                                STR_ARGS(names_text(context->arena, &object->names))),
                 .hint =
                     fmt("Specify the argument list to select the %s unambiguously.", kind->word));
        return function_present(context, kind, all.items[0]);
    }
    const FunctionDesc *function =
        function_find_exact(session, schema, name, types, (uint32_t)count);
    TRY(!error_is_set());
    return function ? function_present(context, kind, function)
                    : function_missing(context, statement, kind, object, types);
}

static bool drop_operator(CommandContext *context, const DropStmt *statement,
                          const ObjectWithArgs *object)
{
    CatalogSession *session = ddl_catalog(context);
    const size_t parts = object->names.length;
    const Str schema = parts > 1 ? object->names.items[parts - 2] : STR_NONE;
    const Str name = names_text(context->arena, &object->names);
    Oid types[2] = {0};
    Str texts[2] = {STR(""), STR("")};
    bool known;

    TRY(signature_types(context, statement, object, types, &known));
    if (!known)
        return true;
    for (int i = 0; i < 2; i++)
        if (types[i])
            texts[i] = type_sql_name(session, types[i], TYPMOD_UNASKED, context->arena);
    const OperatorDesc *found =
        operator_find_exact(session, schema, object->names.items[parts - 1], types[0], types[1]);
    TRY(!error_is_set());
    if (found)
        return needed_by_system("operator", fmt("%.*s(%.*s,%.*s)", STR_ARGS(found->name),
                                                STR_ARGS(types[0] ? texts[0] : STR("NONE")),
                                                STR_ARGS(texts[1])));
    if (statement->missing_ok)
        return skip(fmt("operator %.*s does not exist, skipping", STR_ARGS(name)));
    FAIL(ERR_UNDEFINED_FUNCTION,
         .message = fmt("operator does not exist: %.*s%s%.*s %.*s", STR_ARGS(texts[0]),
                        types[0] ? " " : "", STR_ARGS(name), STR_ARGS(texts[1])));
}

bool ddl_drop_absent(CommandContext *context, const DropStmt *statement, Str *ret_tag)
{
    const ObjectType type = statement->remove_type;
    const NodeVec *objects = &statement->objects;

    for (size_t i = 0; i < ARRAY_LENGTH(absent_kinds); i++)
        if (absent_kinds[i].type == type) {
            *ret_tag = str_from_c(absent_kinds[i].tag);
            return drop_named(context, statement, &absent_kinds[i]);
        }
    for (size_t i = 0; i < ARRAY_LENGTH(attached_kinds); i++)
        if (attached_kinds[i].kind.type == type) {
            *ret_tag = str_from_c(attached_kinds[i].kind.tag);
            return drop_attached(context, statement, &attached_kinds[i].kind,
                                 attached_kinds[i].table);
        }
    for (size_t i = 0; i < ARRAY_LENGTH(function_kinds); i++)
        if (function_kinds[i].type == type) {
            *ret_tag = str_from_c(function_kinds[i].tag);
            for (size_t k = 0; k < objects->length; k++)
                TRY(drop_function(context, statement, &function_kinds[i],
                                  NODE_CAST(ObjectWithArgs, objects->items[k])));
            return true;
        }
    if (type == OBJECT_TYPE || type == OBJECT_DOMAIN) {
        *ret_tag = type == OBJECT_TYPE ? STR("DROP TYPE") : STR("DROP DOMAIN");
        return drop_types(context, statement);
    }
    if (type != OBJECT_OPERATOR)
        return ddl_refuse_object("DROP", type);
    *ret_tag = STR("DROP OPERATOR");
    for (size_t k = 0; k < objects->length; k++)
        TRY(drop_operator(context, statement, NODE_CAST(ObjectWithArgs, objects->items[k])));
    return true;
}
