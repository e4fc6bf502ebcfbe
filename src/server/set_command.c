/* SET, RESET and ALTER SYSTEM: from the tree to text. */
#include "parser/parser.h"
#include "server/server.h"
#include "server/setting_checks.h"
#include "txn/export.h"
#include "types/identifier.h"
#include "types/type.h"

/* HOUR, HOUR TO MINUTE or a precision, as the type's modifier. */
static bool interval_modifier(const TypeName *type, int32_t *ret_typmod)
{
    int64_t arguments[2];
    const int count = (int)MIN(type->typmods.length, ARRAY_LENGTH(arguments));

    *ret_typmod = -1;
    for (int i = 0; i < count; i++)
        arguments[i] = NODE_CAST(A_Const, type->typmods.items[i])->integer;
    return count == 0 || builtin_type(TYPE_INTERVAL)->typmod_in(arguments, count, ret_typmod);
}

static bool interval_refused(const Value *value, const char *why)
{
    CLEANUP(strbuf_deinit) StrBuf text = {0};

    TRY(type_output(TYPE_INTERVAL, value, &text));
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message = fmt("invalid value for parameter \"TimeZone\": \"INTERVAL '%.*s'\"",
                        STR_ARGS(strbuf_view(&text))),
         .detail = str_from_c(why));
}

/* SET TIME ZONE INTERVAL '…': the offset as POSIX writes it, west positive. */
static bool interval_text(Arena *arena, const TypeCast *cast, Str *ret_text)
{
    const A_Const *constant = NODE_CAST(A_Const, cast->arg);
    Value value;
    int32_t typmod;

    TRY(interval_modifier(cast->type_name, &typmod));
    TRY(type_input(arena, TYPE_INTERVAL, typmod, constant->text, &value));
    if (value.interval.months != 0)
        return interval_refused(&value, "Cannot specify months in time zone interval.");
    if (value.interval.days != 0)
        return interval_refused(&value, "Cannot specify days in time zone interval.");
    const int64_t seconds = value.interval.microseconds / 1000000;
    const int64_t size = seconds < 0 ? -seconds : seconds;
    if (size > 168 * 3600)
        return interval_refused(&value, "UTC timezone offset is out of range.");
    StrBuf clock = strbuf_in(arena);
    strbuf_format(&clock, "%02d", (int)(size / 3600));
    if (size % 3600 != 0)
        strbuf_format(&clock, ":%02d", (int)(size / 60 % 60));
    if (size % 60 != 0)
        strbuf_format(&clock, ":%02d", (int)(size % 60));
    const Str shown = strbuf_view(&clock);
    *ret_text = str_format(arena, "<%c%.*s>%c%.*s", seconds < 0 ? '-' : '+', STR_ARGS(shown),
                           seconds < 0 ? '+' : '-', STR_ARGS(shown));
    return true;
}

static bool constant_text(Arena *arena, const A_Const *constant, Str *ret_text)
{
    switch (constant->kind) {
    case CONST_INTEGER:
        *ret_text = str_format(arena, "%d", constant->integer);
        return true;
    case CONST_BOOLEAN:
        *ret_text = constant->boolean ? STR("true") : STR("false");
        return true;
    case CONST_NULL:
        FAIL(ERR_SYNTAX_ERROR, .message = STR("SET requires a value"));
    default:
        *ret_text = constant->text;
        return true;
    }
}

static bool argument_text(Arena *arena, const Node *argument, Str *ret_text)
{
    if (NODE_IS(argument, TypeCast))
        return interval_text(arena, NODE_CAST(TypeCast, argument), ret_text);
    if (NODE_IS(argument, A_Const))
        return constant_text(arena, NODE_CAST(A_Const, argument), ret_text);
    FAIL_UNSUPPORTED("an expression as a setting's value");
}

static bool arguments_text(Arena *arena, const VariableSetStmt *set, Str *ret_text)
{
    StrBuf out = strbuf_in(arena);
    const uint32_t flags = setting_flags(set->name);

    if (set->args.length > 1 && !(flags & (SETTING_IS_LIST | SETTING_IS_NAME_LIST)))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("SET %.*s takes only one argument", STR_ARGS(set->name)));
    for (size_t i = 0; i < set->args.length; i++) {
        Str text;
        TRY(argument_text(arena, set->args.items[i], &text));
        if (i > 0)
            strbuf_append_c(&out, ", ");
        strbuf_append(&out, flags & SETTING_IS_NAME_LIST ? identifier_quote(arena, text) : text);
    }
    *ret_text = strbuf_view(&out);
    return true;
}

static void warn_outside_block(const Session *session, const char *what)
{
    if (!block_is_open(session))
        NOTICE(SEVERITY_WARNING, ERR_NO_ACTIVE_SQL_TRANSACTION,
               .message = fmt("%s can only be used in transaction blocks", what));
}

static bool set_snapshot(Session *session, const VariableSetStmt *set)
{
    CatalogSession *catalog = &session->exec.catalog;

    if (set->is_local)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("SET LOCAL TRANSACTION SNAPSHOT is not implemented"));
    warn_outside_block(session, "SET TRANSACTION");
    if (session->has_queried || session->savepoints.length > 1)
        FAIL(ERR_ACTIVE_SQL_TRANSACTION,
             .message = STR("SET TRANSACTION SNAPSHOT must be called before any query"));
    TRY(txn_snapshot_import(catalog->txn, catalog->database_oid,
                            NODE_CAST(A_Const, set->args.items[0])->text));
    session->has_queried = true; /* the next statement takes no other one */
    return true;
}

/* SET TRANSACTION and SET SESSION CHARACTERISTICS: one setting for each mode named. */
static bool set_modes(Session *session, const VariableSetStmt *set)
{
    bool for_session = str_equal(set->name, STR("SESSION CHARACTERISTICS"));

    if (str_equal(set->name, STR("TRANSACTION SNAPSHOT")))
        return set_snapshot(session, set);
    if (!for_session && !block_is_open(session)) {
        warn_outside_block(session, "SET TRANSACTION");
        return true;
    }
    for (size_t i = 0; i < set->args.length; i++) {
        const DefElem *mode = NODE_CAST(DefElem, set->args.items[i]);
        const A_Const *value = NODE_CAST(A_Const, mode->arg);
        Str name = for_session
                       ? str_format(session->statement_arena, "default_%.*s", STR_ARGS(mode->name))
                       : mode->name;
        Str text =
            value->kind == CONST_INTEGER ? (value->integer ? STR("on") : STR("off")) : value->text;
        TRY(session_setting_set(session, name, text, !for_session));
    }
    return true;
}

bool session_set_execute(Session *session, const VariableSetStmt *set, Str *ret_tag)
{
    Str text;

    *ret_tag = set->kind == VAR_RESET || set->kind == VAR_RESET_ALL ? STR("RESET") : STR("SET");
    if (set->is_local)
        warn_outside_block(session, "SET LOCAL");
    switch (set->kind) {
    case VAR_SET_VALUE:
        TRY(arguments_text(session->statement_arena, set, &text));
        return session_setting_set(session, set->name, text, set->is_local);
    case VAR_SET_MULTI:
        return set_modes(session, set);
    case VAR_SET_DEFAULT:
    case VAR_RESET:
        return session_setting_reset(session, set->name, set->is_local);
    case VAR_RESET_ALL:
        return session_setting_reset_all(session);
    case VAR_SET_CURRENT:
        FAIL_UNSUPPORTED("SET … FROM CURRENT outside a function");
    }
    assert(!"a known kind");
    return false;
}

bool session_alter_system(Session *session, const AlterSystemStmt *alter, Str *ret_tag)
{
    const VariableSetStmt *set = alter->setstmt;
    Str text = STR_NONE;

    *ret_tag = STR("ALTER SYSTEM");
    TRY(block_require_none(session, "ALTER SYSTEM"));
    if (!session->settings.current.is_superuser)
        FAIL(ERR_INSUFFICIENT_PRIVILEGE,
             .message = fmt("permission denied to set parameter \"%.*s\"", STR_ARGS(set->name)));
    if (set->kind == VAR_RESET_ALL)
        return config_alter_system(session->server->data_directory, STR_NONE, STR_NONE);
    int id = setting_find(set->name);
    if (id < 0) {
        /* One that the session knows: nobody looks at a file's line that no one has asked for. */
        TRY(session_setting_get(session, set->name, false, session->statement_arena, &text));
        text = STR_NONE;
        if (set->kind == VAR_SET_VALUE)
            TRY(arguments_text(session->statement_arena, set, &text));
        return config_alter_system(session->server->data_directory, set->name, text);
    }
    if (setting_infos[id].context == CONTEXT_INTERNAL ||
        (setting_infos[id].flags & (SETTING_IS_NOT_IN_FILE | SETTING_IS_NOT_IN_AUTO)))
        FAIL(ERR_CANT_CHANGE_RUNTIME_PARAM,
             .message = fmt("parameter \"%.*s\" cannot be changed", STR_ARGS(set->name)));
    if (set->kind == VAR_SET_VALUE) {
        SettingValues trial = session->settings.current;
        TRY(arguments_text(session->statement_arena, set, &text));
        TRY(settings_set(&trial, session->statement_arena, (SettingId)id, text));
    }
    return config_alter_system(session->server->data_directory, setting_infos[id].name, text);
}
