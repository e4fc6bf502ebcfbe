/* CREATE, DROP and ALTER DATABASE. */
#include <locale.h>

#include "catalog/system_row.h"
#include "executor/command/ddl_internal.h"
#include "txn/ddl.h"
#include "types/encoding.h"

#define LAST_SERVER_ENCODING 34 /* those behind it are for clients */

typedef struct DatabaseOptions {
    const DefElem *owner, *template, *encoding, *locale, *lc_collate, *lc_ctype;
    const DefElem *locale_provider, *icu_locale, *collation_version, *oid, *strategy, *tablespace;
    const DefElem *connection_limit, *is_template, *allow_connections, *location;
} DatabaseOptions;

/* An option's name, where it is kept, and whether ALTER DATABASE knows it too. */
static const struct {
    Str name;
    size_t offset;
    bool of_alter;
} option_names[] = {
#define OPTION(name, of_alter)                                                                     \
    {                                                                                              \
        STR(#name), offsetof(DatabaseOptions, name), of_alter                                      \
    }
    OPTION(owner, false),
    OPTION(template, false),
    OPTION(encoding, false),
    OPTION(locale, false),
    OPTION(lc_collate, false),
    OPTION(lc_ctype, false),
    OPTION(locale_provider, false),
    OPTION(icu_locale, false),
    OPTION(collation_version, false),
    OPTION(oid, false),
    OPTION(strategy, false),
    OPTION(tablespace, true),
    OPTION(connection_limit, true),
    OPTION(is_template, true),
    OPTION(allow_connections, true),
    OPTION(location, false),
#undef OPTION
};

static const DefElem **option_place(DatabaseOptions *options, Str name, bool is_alter)
{
    for (size_t i = 0; i < ARRAY_LENGTH(option_names); i++)
        if (str_equal(name, option_names[i].name) && (option_names[i].of_alter || !is_alter))
            return (const DefElem **)((char *)options + option_names[i].offset);
    return NULL;
}

static bool options_read(const DefElemVec *given, bool is_alter, DatabaseOptions *ret)
{
    for (size_t i = 0; i < given->length; i++) {
        const DefElem *option = given->items[i];
        const DefElem **place = option_place(ret, option->name, is_alter);
        if (!place)
            FAIL(ERR_SYNTAX_ERROR,
                 .message = fmt("option \"%.*s\" not recognized", STR_ARGS(option->name)),
                 .position = option->node.position);
        if (*place && place != &ret->location)
            FAIL(ERR_SYNTAX_ERROR, .message = STR("conflicting or redundant options"),
                 .position = option->node.position);
        *place = option;
        if (place == &ret->location)
            NOTICE(SEVERITY_WARNING, ERR_FEATURE_NOT_SUPPORTED,
                   .message = STR("LOCATION is not supported anymore"),
                   .hint = STR("Consider using tablespaces instead."),
                   .position = option->node.position);
    }
    /* DEFAULT says no more than no word at all. */
    for (size_t i = 0; i < ARRAY_LENGTH(option_names); i++) {
        const DefElem **place = option_place(ret, option_names[i].name, false);
        if (*place && !(*place)->arg)
            *place = NULL;
    }
    return true;
}

static bool encoding_read(CommandContext *context, const DefElem *option, int *ret_encoding)
{
    const A_Const *value = NODE_IS(option->arg, A_Const) ? NODE_CAST(A_Const, option->arg) : NULL;
    const bool is_code = value && value->kind == CONST_INTEGER;
    const Str text = ddl_text_option(context, option);
    const int encoding = is_code ? value->integer : encoding_find(text);

    if (!encoding_name(encoding) || encoding > LAST_SERVER_ENCODING)
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt(is_code ? "%.*s is not a valid encoding code"
                                    : "%.*s is not a valid encoding name",
                            STR_ARGS(text)),
             .position = option->node.position);
    *ret_encoding = encoding;
    return true;
}

/* What the flags and the limit come to; `ret` has what they are without a word. */
typedef struct DatabaseFlags {
    bool is_template, allow_connections;
    int32_t connection_limit;
} DatabaseFlags;

static bool flags_read(const DatabaseOptions *options, DatabaseFlags *ret)
{
    if (options->is_template)
        TRY(ddl_bool_option(options->is_template, &ret->is_template));
    if (options->allow_connections)
        TRY(ddl_bool_option(options->allow_connections, &ret->allow_connections));
    if (options->connection_limit) {
        const Node *arg = options->connection_limit->arg;
        const A_Const *value = NODE_IS(arg, A_Const) ? NODE_CAST(A_Const, arg) : NULL;
        if (!value || value->kind != CONST_INTEGER)
            FAIL(ERR_SYNTAX_ERROR, .message = STR("connection_limit requires an integer value"));
        if (value->integer < -1)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("invalid connection limit: %d", value->integer));
        ret->connection_limit = value->integer;
    }
    return true;
}

static void flags_set(const DatabaseFlags *flags, CatalogRow *row)
{
    row_set_bool(row, PG_DATABASE_DATISTEMPLATE, flags->is_template);
    row_set_bool(row, PG_DATABASE_DATALLOWCONN, flags->allow_connections);
    row_set_int32(row, PG_DATABASE_DATCONNLIMIT, flags->connection_limit);
}

/* ---- locales ---- */

typedef struct DatabaseLocale {
    int encoding;
    Str collate, ctype;
    bool is_icu;
} DatabaseLocale;

/* What can be told without the template: the provider's name, an encoding's, a number. */
static bool check_words(CommandContext *context, const DatabaseOptions *options,
                        DatabaseLocale *locale)
{
    if (options->oid) {
        int64_t oid;
        TRY(ddl_int_option(options->oid, &oid));
        if ((uint32_t)oid < OID_FIRST_USER)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message =
                     fmt("OIDs less than %u are reserved for system objects", OID_FIRST_USER));
    }
    if (options->encoding)
        TRY(encoding_read(context, options->encoding, &locale->encoding));
    if (options->locale_provider) {
        const Str provider = ddl_text_option(context, options->locale_provider);
        locale->is_icu = str_equal_nocase(provider, STR("icu"));
        if (!locale->is_icu && !str_equal_nocase(provider, STR("libc")))
            FAIL(ERR_INVALID_OBJECT_DEFINITION,
                 .message = fmt("unrecognized locale provider: %.*s", STR_ARGS(provider)));
    }
    return true;
}

static bool is_plain_locale(Str name)
{
    return str_equal(name, STR("C")) || str_equal(name, STR("POSIX"));
}

/* The system knows the name; "" is what the server was started with, which the template has. */
static bool check_locale_name(Str *name, int category_mask, Str inherited)
{
    if (name->length == 0) {
        *name = inherited;
        return true;
    }
    const locale_t locale =
        newlocale(category_mask, fmt("%.*s", STR_ARGS(*name)).data, (locale_t)0);
    if (!locale)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("invalid locale name: \"%.*s\"", STR_ARGS(*name)));
    freelocale(locale);
    return true;
}

static bool check_encoding_fits(int encoding, Str locale, const char *category)
{
    if (encoding == ENCODING_UTF8 || encoding == ENCODING_SQL_ASCII || is_plain_locale(locale))
        return true;
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message = fmt("encoding \"%s\" does not match locale \"%.*s\"", encoding_name(encoding),
                        STR_ARGS(locale)),
         .detail = fmt("The chosen %s setting requires encoding \"UTF8\".", category));
}

/* A copy keeps its template's encoding and locale, unless that is template0, which has no text. */
static bool check_like_template(const DatabaseLocale *locale, const DatabaseDesc *source)
{
    if (locale->encoding != source->encoding)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("new encoding (%s) is incompatible with the encoding of the template "
                            "database (%s)",
                            encoding_name(locale->encoding), encoding_name(source->encoding)),
             .hint = STR("Use the same encoding as in the template database, or use template0 as "
                         "template."));
    if (!str_equal(locale->collate, source->collate))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("new collation (%.*s) is incompatible with the collation of the "
                            "template database (%.*s)",
                            STR_ARGS(locale->collate), STR_ARGS(source->collate)),
             .hint = STR("Use the same collation as in the template database, or use template0 as "
                         "template."));
    if (!str_equal(locale->ctype, source->ctype))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("new LC_CTYPE (%.*s) is incompatible with the LC_CTYPE of the template "
                            "database (%.*s)",
                            STR_ARGS(locale->ctype), STR_ARGS(source->ctype)),
             .hint = STR("Use the same LC_CTYPE as in the template database, or use template0 as "
                         "template."));
    return true;
}

/* Text is UTF8 and ordered by its bytes here. */
static bool check_supported(const DatabaseLocale *locale)
{
    const Str names[] = {locale->collate, locale->ctype};

    if (locale->encoding != ENCODING_UTF8)
        FAIL_UNSUPPORTED(fmt("encoding \"%s\"", encoding_name(locale->encoding)).data);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (!is_plain_locale(names[i]) && !str_equal_nocase(names[i], STR("C.UTF-8")) &&
            !str_equal_nocase(names[i], STR("C.utf8")))
            FAIL_UNSUPPORTED(fmt("locale \"%.*s\"", STR_ARGS(names[i])).data);
    return true;
}

static bool icu_check(const DatabaseOptions *options, const DatabaseLocale *locale)
{
    if (!locale->is_icu) {
        if (options->icu_locale)
            FAIL(ERR_INVALID_OBJECT_DEFINITION,
                 .message = STR("ICU locale cannot be specified unless locale provider is ICU"));
        return true;
    }
    if (locale->encoding == ENCODING_SQL_ASCII || locale->encoding == ENCODING_MULE_INTERNAL)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("encoding \"%s\" is not supported with ICU provider",
                            encoding_name(locale->encoding)));
    if (!options->icu_locale)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("ICU locale must be specified"));
    FAIL_UNSUPPORTED("the locale provider icu");
}

static bool locale_resolve(CommandContext *context, const DatabaseOptions *options,
                           const DatabaseDesc *source, DatabaseLocale *locale)
{
    const DefElem *collate = options->lc_collate ? options->lc_collate : options->locale;
    const DefElem *ctype = options->lc_ctype ? options->lc_ctype : options->locale;

    locale->collate = collate ? ddl_text_option(context, collate) : source->collate;
    locale->ctype = ctype ? ddl_text_option(context, ctype) : source->ctype;
    if (!options->encoding)
        locale->encoding = source->encoding;
    TRY(check_locale_name(&locale->collate, LC_COLLATE_MASK, source->collate));
    TRY(check_locale_name(&locale->ctype, LC_CTYPE_MASK, source->ctype));
    TRY(check_encoding_fits(locale->encoding, locale->ctype, "LC_CTYPE"));
    TRY(check_encoding_fits(locale->encoding, locale->collate, "LC_COLLATE"));
    TRY(icu_check(options, locale));
    if (!str_equal(source->name, STR("template0")))
        TRY(check_like_template(locale, source));
    return true;
}

/* ---- other places ---- */

static bool check_strategy(CommandContext *context, const DatabaseOptions *options)
{
    if (!options->strategy)
        return true;
    /* How pages are copied; here they never are. */
    const Str strategy = ddl_text_option(context, options->strategy);
    if (!str_equal_nocase(strategy, STR("wal_log")) &&
        !str_equal_nocase(strategy, STR("file_copy")))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("invalid create database strategy \"%.*s\"", STR_ARGS(strategy)),
             .hint = STR("Valid strategies are \"wal_log\" and \"file_copy\"."));
    return true;
}

static bool check_tablespace(CommandContext *context, const DatabaseOptions *options)
{
    CatalogSession *session = ddl_catalog(context);

    if (!options->tablespace)
        return true;
    const Str name = ddl_text_option(context, options->tablespace);
    const Oid tablespace = tablespace_oid(session, name);
    TRY(tablespace || !error_is_set());
    if (!tablespace)
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("tablespace \"%.*s\" does not exist", STR_ARGS(name)));
    if (!str_equal(name, STR("pg_default")))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("pg_global cannot be used as default tablespace"));
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

/* The template, which the current user may copy. */
static const DatabaseDesc *template_get(CommandContext *context, const DatabaseOptions *options)
{
    CatalogSession *session = ddl_catalog(context);
    const Str name =
        options->template ? ddl_text_option(context, options->template) : STR("template1");
    const DatabaseDesc *source = database_find_name(session, name);

    if (!source) {
        TRY(!error_is_set());
        FAIL(ERR_UNDEFINED_DATABASE,
             .message = fmt("template database \"%.*s\" does not exist", STR_ARGS(name)));
    }
    if (!source->is_template &&
        !privilege_is_owner(session, ON_DATABASE, source->oid, session->current_user))
        FAIL(ERR_INSUFFICIENT_PRIVILEGE,
             .message = fmt("permission denied to copy database \"%.*s\"", STR_ARGS(name)));
    return source;
}

/* Who owns it: the role that is named, else who makes it, who must be allowed to. */
static bool owner_resolve(CommandContext *context, const DatabaseOptions *options, Oid *ret_owner)
{
    CatalogSession *session = ddl_catalog(context);
    Oid owner = session->current_user;

    if (options->owner) {
        const RoleDesc *role = role_get_name(session, ddl_text_option(context, options->owner));
        TRY(role);
        owner = role->oid;
    }
    const RoleDesc *self = role_find(session, session->current_user);
    if (!self || !(self->superuser || self->create_database))
        FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = STR("permission denied to create database"));
    TRY(ddl_check_member(context, owner));
    *ret_owner = owner;
    return true;
}

/* The template's row is where the new one comes from. */
static bool database_copy(CommandContext *context, const DatabaseDesc *source, CatalogRow *row)
{
    CatalogSession *session = ddl_catalog(context);

    TRY(lock_object(session->txn, SHARED_DATABASE, RELATION_PG_DATABASE, source->oid, LOCK_SHARE,
                    LOCK_WAIT));
    TRY(check_not_in_use(context, source->oid,
                         "source database \"%.*s\" is being accessed by other users",
                         source->name));
    const Oid oid = catalog_new_oid(session);
    TRY(oid);
    TRY(system_row_find(session, INDEX_PG_DATABASE_OID_INDEX, &(Value){.oid = source->oid}, 1,
                        row));
    row->row_id = 0;
    row_set_oid(row, PG_DATABASE_OID, oid);
    row_set_null(row, PG_DATABASE_DATACL);
    return true;
}

bool ddl_create_database(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const CreatedbStmt *statement = NODE_CAST(CreatedbStmt, node);
    DatabaseFlags flags = {.allow_connections = true, .connection_limit = -1};
    DatabaseOptions options = {0};
    DatabaseLocale locale = {0};
    CatalogRow row;
    Oid owner;

    *ret_tag = STR("CREATE DATABASE");
    if (!context->is_top_level)
        FAIL(ERR_ACTIVE_SQL_TRANSACTION,
             .message = STR("CREATE DATABASE cannot run inside a transaction block"));
    TRY(options_read(&statement->options, false, &options));
    TRY(check_words(context, &options, &locale));
    TRY(flags_read(&options, &flags));
    TRY(owner_resolve(context, &options, &owner));
    const DatabaseDesc *source = template_get(context, &options);
    TRY(source);
    TRY(check_strategy(context, &options));
    TRY(locale_resolve(context, &options, source, &locale));
    TRY(check_tablespace(context, &options));
    if (database_find_name(session, statement->dbname))
        FAIL(ERR_DUPLICATE_DATABASE,
             .message = fmt("database \"%.*s\" already exists", STR_ARGS(statement->dbname)));
    TRY(!error_is_set());
    TRY(check_supported(&locale));
    if (options.oid || options.collation_version)
        FAIL_UNSUPPORTED(options.oid ? "CREATE DATABASE option \"oid\""
                                     : "CREATE DATABASE option \"collation_version\"");
    TRY(database_copy(context, source, &row));
    row_set_text(&row, PG_DATABASE_DATNAME, statement->dbname);
    row_set_oid(&row, PG_DATABASE_DATDBA, owner);
    row_set_text(&row, PG_DATABASE_DATCOLLATE, locale.collate);
    row_set_text(&row, PG_DATABASE_DATCTYPE, locale.ctype);
    flags_set(&flags, &row);
    TRY(system_row_insert(session, &row));
    const Oid oid = row_oid(&row, PG_DATABASE_OID);
    TRY(depend_record_owner(session, (ObjectAddress){RELATION_PG_DATABASE, oid, 0}, owner));
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

/* A database has one place, so that a move is checked and done. */
static bool tablespace_move(CommandContext *context, const DatabaseDesc *database,
                            const DatabaseOptions *options)
{
    if (database->oid == ddl_catalog(context)->database_oid)
        FAIL(ERR_OBJECT_IN_USE,
             .message = STR("cannot change the tablespace of the currently open database"));
    return check_tablespace(context, options);
}

bool ddl_alter_database(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const AlterDatabaseStmt *statement = NODE_CAST(AlterDatabaseStmt, node);
    DatabaseFlags flags = {.allow_connections = true, .connection_limit = -1};
    DatabaseOptions options = {0};
    CatalogRow row;

    *ret_tag = STR("ALTER DATABASE");
    TRY(options_read(&statement->options, true, &options));
    if (options.tablespace && statement->options.length > 1)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("option \"tablespace\" cannot be specified with other options"),
             .position = options.tablespace->node.position);
    if (options.tablespace && !context->is_top_level)
        FAIL(ERR_ACTIVE_SQL_TRANSACTION,
             .message = STR("ALTER DATABASE SET TABLESPACE cannot run inside a transaction block"));
    TRY(flags_read(&options, &flags));
    const DatabaseDesc *database = database_get_name(session, statement->dbname);
    TRY(database);
    TRY(privilege_check_owner(session, ON_DATABASE, database->oid));
    if (statement->refresh_collation) {
        /* Locales here have no versions. */
        DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION, STR("version has not changed"));
        return true;
    }
    if (options.tablespace)
        return tablespace_move(context, database, &options);
    if (!flags.allow_connections && database->oid == session->database_oid)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("cannot disallow connections for current database"));
    flags = (DatabaseFlags){database->is_template, database->allow_connections,
                            database->connection_limit};
    TRY(flags_read(&options, &flags));
    TRY(system_row_find(session, INDEX_PG_DATABASE_OID_INDEX, &(Value){.oid = database->oid}, 1,
                        &row));
    flags_set(&flags, &row);
    return system_row_update(session, &row);
}
