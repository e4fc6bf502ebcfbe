/* CREATE, DROP and ALTER DATABASE. */
#include "catalog/system_row.h"
#include "executor/command/ddl_internal.h"
#include "txn/ddl.h"

typedef struct DatabaseOptions {
    Str template, encoding, collate, ctype;
    const DefElem *owner, *connection_limit, *is_template, *allow_connections;
} DatabaseOptions;

static bool options_read(CommandContext *context, const DefElemVec *given, DatabaseOptions *ret)
{
    for (size_t i = 0; i < given->length; i++) {
        const DefElem *option = given->items[i];
        const Str name = option->name;
        for (size_t j = 0; j < i; j++)
            if (str_equal(name, given->items[j]->name))
                FAIL(ERR_SYNTAX_ERROR, .message = STR("conflicting or redundant options"),
                     .position = option->node.position);
        const Str text = ddl_text_option(context, option);
        if (str_equal(name, STR("owner")))
            ret->owner = option;
        else if (str_equal(name, STR("template")))
            ret->template = text;
        else if (str_equal(name, STR("encoding")))
            ret->encoding = text;
        else if (str_equal(name, STR("locale")))
            ret->collate = ret->ctype = text;
        else if (str_equal(name, STR("lc_collate")))
            ret->collate = text;
        else if (str_equal(name, STR("lc_ctype")))
            ret->ctype = text;
        else if (str_equal(name, STR("connection_limit")))
            ret->connection_limit = option;
        else if (str_equal(name, STR("is_template")))
            ret->is_template = option;
        else if (str_equal(name, STR("allow_connections")))
            ret->allow_connections = option;
        else if (str_equal(name, STR("tablespace")) && str_equal(text, STR("pg_default")))
            continue;
        else if (str_equal(name, STR("strategy")))
            continue; /* how pages are copied: here they never are */
        else if (str_equal(name, STR("tablespace")) || str_equal(name, STR("locale_provider")) ||
                 str_equal(name, STR("icu_locale")) || str_equal(name, STR("collation_version")) ||
                 str_equal(name, STR("oid")))
            FAIL_UNSUPPORTED(fmt("CREATE DATABASE option \"%.*s\"", STR_ARGS(name)).data);
        else
            FAIL(ERR_SYNTAX_ERROR, .message = fmt("option \"%.*s\" not recognized", STR_ARGS(name)),
                 .position = option->node.position);
    }
    return true;
}

static bool check_locale(const DatabaseOptions *options, const DatabaseDesc *source)
{
    const bool utf8 = options->encoding.length == 0 ||
                      str_equal_nocase(options->encoding, STR("UTF8")) ||
                      str_equal_nocase(options->encoding, STR("UTF-8")) ||
                      str_equal_nocase(options->encoding, STR("UNICODE")) ||
                      str_equal(options->encoding, STR("6"));
    const Str locales[] = {options->collate, options->ctype};

    if (!utf8)
        FAIL_UNSUPPORTED(fmt("encoding \"%.*s\"", STR_ARGS(options->encoding)).data);
    for (size_t i = 0; i < 2; i++) {
        const Str locale = locales[i];
        if (locale.length == 0 || str_equal(locale, source->collate) ||
            str_equal(locale, STR("C")) || str_equal(locale, STR("POSIX")) ||
            str_equal_nocase(locale, STR("C.UTF-8")) || str_equal_nocase(locale, STR("C.utf8")))
            continue;
        FAIL_UNSUPPORTED(fmt("locale \"%.*s\"", STR_ARGS(locale)).data);
    }
    return true;
}

static bool owner_and_flags(CommandContext *context, const DatabaseOptions *options,
                            CatalogRow *row)
{
    CatalogSession *session = ddl_catalog(context);
    bool flag;

    if (options->owner) {
        const RoleDesc *role = role_get_name(session, ddl_text_option(context, options->owner));
        TRY(role);
        TRY(ddl_check_member(context, role->oid));
        row_set_oid(row, PG_DATABASE_DATDBA, role->oid);
    }
    if (options->connection_limit) {
        int64_t limit;
        TRY(ddl_int_option(options->connection_limit, &limit));
        if (limit < -1)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("invalid connection limit: %ld", limit));
        row_set_int32(row, PG_DATABASE_DATCONNLIMIT, (int32_t)limit);
    }
    if (options->is_template) {
        TRY(ddl_bool_option(options->is_template, &flag));
        row_set_bool(row, PG_DATABASE_DATISTEMPLATE, flag);
    }
    if (options->allow_connections) {
        TRY(ddl_bool_option(options->allow_connections, &flag));
        row_set_bool(row, PG_DATABASE_DATALLOWCONN, flag);
    }
    return true;
}

static bool check_not_in_use(CommandContext *context, Oid database, const char *message, Str name)
{
    const CommandHooks *hooks = context->hooks;
    const uint32_t others = hooks && hooks->database_session_count
                                ? hooks->database_session_count(hooks->context, database)
                                : 0;

    if (others == 0)
        return true;
    FAIL(ERR_OBJECT_IN_USE, .message = fmt(message, STR_ARGS(name)),
         .detail = fmt(others == 1 ? "There is %u other session using the database."
                                   : "There are %u other sessions using the database.",
                       others));
}

bool ddl_create_database(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const CreatedbStmt *statement = NODE_CAST(CreatedbStmt, node);
    DatabaseOptions options = {0};
    CatalogRow row;

    *ret_tag = STR("CREATE DATABASE");
    if (!context->is_top_level)
        FAIL(ERR_ACTIVE_SQL_TRANSACTION,
             .message = STR("CREATE DATABASE cannot run inside a transaction block"));
    TRY(options_read(context, &statement->options, &options));
    const RoleDesc *self = role_find(session, session->current_user);
    if (!self || !(self->superuser || self->create_database))
        FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = STR("permission denied to create database"));
    if (database_find_name(session, statement->dbname))
        FAIL(ERR_DUPLICATE_DATABASE,
             .message = fmt("database \"%.*s\" already exists", STR_ARGS(statement->dbname)));
    TRY(!error_is_set());
    const Str template = options.template.length ? options.template : STR("template1");
    const DatabaseDesc *source = database_find_name(session, template);
    if (!source) {
        TRY(!error_is_set());
        FAIL(ERR_UNDEFINED_DATABASE,
             .message = fmt("template database \"%.*s\" does not exist", STR_ARGS(template)));
    }
    if (!source->is_template &&
        !privilege_is_owner(session, ON_DATABASE, source->oid, session->current_user))
        FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = fmt("permission denied to copy database "
                                                        "\"%.*s\"",
                                                        STR_ARGS(template)));
    TRY(check_locale(&options, source));
    TRY(lock_object(session->txn, SHARED_DATABASE, RELATION_PG_DATABASE, source->oid, LOCK_SHARE,
                    LOCK_WAIT));
    TRY(check_not_in_use(context, source->oid,
                         "source database \"%.*s\" is being accessed by other users", template));
    const Oid oid = catalog_new_oid(session);
    TRY(oid);
    TRY(system_row_find(session, INDEX_PG_DATABASE_OID_INDEX, &(Value){.oid = source->oid}, 1,
                        &row));
    row.row_id = 0;
    row_set_oid(&row, PG_DATABASE_OID, oid);
    row_set_text(&row, PG_DATABASE_DATNAME, statement->dbname);
    row_set_oid(&row, PG_DATABASE_DATDBA, session->current_user);
    row_set_bool(&row, PG_DATABASE_DATISTEMPLATE, false);
    row_set_bool(&row, PG_DATABASE_DATALLOWCONN, true);
    row_set_int32(&row, PG_DATABASE_DATCONNLIMIT, -1);
    row_set_null(&row, PG_DATABASE_DATACL);
    if (options.collate.length)
        row_set_text(&row, PG_DATABASE_DATCOLLATE, options.collate);
    if (options.ctype.length)
        row_set_text(&row, PG_DATABASE_DATCTYPE, options.ctype);
    TRY(owner_and_flags(context, &options, &row));
    TRY(system_row_insert(session, &row));
    TRY(depend_record_owner(session, (ObjectAddress){RELATION_PG_DATABASE, oid, 0},
                            row_oid(&row, PG_DATABASE_DATDBA)));
    return txn_database_clone(session->txn, source->oid, oid);
}

static bool rows_of_database_delete(CatalogSession *session, CatalogTableId table, int column,
                                    Oid oid)
{
    CatalogRowVec rows = {0};

    TRY(system_rows_all(session, table, &rows));
    for (size_t i = 0; i < rows.length; i++)
        if (row_oid(rows.items[i], column) == oid)
            TRY(system_row_delete(session, rows.items[i]));
    return true;
}

bool ddl_drop_database(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const DropdbStmt *statement = NODE_CAST(DropdbStmt, node);
    CatalogRow row;

    *ret_tag = STR("DROP DATABASE");
    if (!context->is_top_level)
        FAIL(ERR_ACTIVE_SQL_TRANSACTION,
             .message = STR("DROP DATABASE cannot run inside a transaction block"));
    const DatabaseDesc *database = database_find_name(session, statement->dbname);
    TRY(database || !error_is_set());
    if (!database) {
        if (!statement->missing_ok)
            FAIL(ERR_UNDEFINED_DATABASE,
                 .message = fmt("database \"%.*s\" does not exist", STR_ARGS(statement->dbname)));
        DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
                   fmt("database \"%.*s\" does not exist, skipping", STR_ARGS(statement->dbname)));
        return true;
    }
    TRY(privilege_check_owner(session, ON_DATABASE, database->oid));
    if (database->is_template)
        FAIL(ERR_WRONG_OBJECT_TYPE, .message = STR("cannot drop a template database"));
    if (database->oid == session->database_oid)
        FAIL(ERR_OBJECT_IN_USE, .message = STR("cannot drop the currently open database"));
    TRY(lock_object(session->txn, SHARED_DATABASE, RELATION_PG_DATABASE, database->oid,
                    LOCK_ACCESS_EXCLUSIVE, LOCK_WAIT));
    for (size_t i = 0; i < statement->options.length; i++)
        if (context->hooks && context->hooks->database_sessions_end &&
            str_equal(statement->options.items[i]->name, STR("force")))
            TRY(context->hooks->database_sessions_end(context->hooks->context, database->oid));
    TRY(check_not_in_use(context, database->oid,
                         "database \"%.*s\" is being accessed by other users", statement->dbname));
    TRY(system_row_find(session, INDEX_PG_DATABASE_OID_INDEX, &(Value){.oid = database->oid}, 1,
                        &row));
    TRY(system_row_delete(session, &row));
    TRY(define_comment(session, (ObjectAddress){RELATION_PG_DATABASE, database->oid, 0}, STR_NONE));
    TRY(rows_of_database_delete(session, CAT_PG_DB_ROLE_SETTING, PG_DB_ROLE_SETTING_SETDATABASE,
                                database->oid));
    TRY(rows_of_database_delete(session, CAT_PG_SHDEPEND, PG_SHDEPEND_DBID, database->oid));
    TRY(rows_of_database_delete(session, CAT_PG_SHDEPEND, PG_SHDEPEND_OBJID, database->oid));
    return txn_database_drop(session->txn, database->oid);
}

bool ddl_alter_database(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const AlterDatabaseStmt *statement = NODE_CAST(AlterDatabaseStmt, node);
    const DatabaseDesc *database = database_get_name(session, statement->dbname);
    DatabaseOptions options = {0};
    CatalogRow row;

    *ret_tag = STR("ALTER DATABASE");
    TRY(database);
    if (statement->refresh_collation)
        FAIL_UNSUPPORTED("ALTER DATABASE REFRESH COLLATION VERSION");
    TRY(privilege_check_owner(session, ON_DATABASE, database->oid));
    TRY(options_read(context, &statement->options, &options));
    TRY(system_row_find(session, INDEX_PG_DATABASE_OID_INDEX, &(Value){.oid = database->oid}, 1,
                        &row));
    TRY(owner_and_flags(context, &options, &row));
    return system_row_update(session, &row);
}
