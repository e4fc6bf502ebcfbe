/* Functions about what exists: names, visibility, comments, sizes, the session's own facts. */
#include "base/error.h"
#include "base/settings.h"
#include "catalog/catalog_internal.h"
#include "catalog/define.h"
#include "catalog/function_session.h"
#include "catalog/hooks.h"
#include "catalog/lookup.h"
#include "catalog/names.h"
#include "catalog/privilege.h"
#include "catalog/relation.h"
#include "storage/page.h"
#include "storage/store.h"
#include "types/array.h"
#include "types/encoding.h"
#include "types/identifier.h"
#include "types/record.h"

#define SESSION CatalogSession *session = function_session(call)

static bool give_text(FunctionCall *call, Str text, Value *ret, bool *ret_null)
{
    if (str_is_none(text))
        *ret_null = true;
    else
        *ret = text_value(str_copy(call->arena, text));
    return !error_is_set();
}

/* ---- visibility ---- */

#define IS_VISIBLE(symbol, lookup)                                                                 \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        SESSION;                                                                                   \
        bool exists;                                                                               \
        ret->boolean = lookup(session, args[0].oid, &exists);                                      \
        *ret_null = !exists;                                                                       \
        return !error_is_set();                                                                    \
    }
IS_VISIBLE(pg_table_is_visible, relation_is_visible)
IS_VISIBLE(pg_type_is_visible, type_is_visible)
IS_VISIBLE(pg_function_is_visible, function_is_visible)
IS_VISIBLE(pg_operator_is_visible, operator_is_visible)
IS_VISIBLE(pg_collation_is_visible, collation_is_visible)
IS_VISIBLE(pg_opclass_is_visible, opclass_is_visible)

/* Kinds of objects that do not exist: no OID is one. */
#define NEVER_VISIBLE(symbol)                                                                      \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        *ret_null = true;                                                                          \
        return true;                                                                               \
    }
NEVER_VISIBLE(pg_conversion_is_visible)
NEVER_VISIBLE(pg_ts_config_is_visible)
NEVER_VISIBLE(pg_ts_dict_is_visible)
NEVER_VISIBLE(pg_ts_parser_is_visible)
NEVER_VISIBLE(pg_ts_template_is_visible)
NEVER_VISIBLE(pg_statistics_obj_is_visible)

FUNCTION(pg_opfamily_is_visible)
{
    bool exists = false;

    for (size_t i = 0; i < builtin_opfamily_count; i++)
        exists |= builtin_opfamilies[i].oid == args[0].oid;
    ret->boolean = exists;
    *ret_null = !exists;
    return true;
}

/* ---- names ---- */

FUNCTION(format_type)
{
    SESSION;
    if (nulls[0]) {
        *ret_null = true;
        return true;
    }
    return give_text(
        call,
        type_sql_name(session, args[0].oid, nulls[1] ? TYPMOD_UNASKED : args[1].int32, call->arena),
        ret, ret_null);
}

FUNCTION(pg_get_userbyid)
{
    SESSION;
    return give_text(call, role_name(session, args[0].oid), ret, ret_null);
}

/*
 * Access methods' handlers, named by pg_am. They take what only C can give them, and are strict:
 * they are never run.
 */
FUNCTION(heap_tableam_handler)
{
    *ret_null = true;
    return true;
}

FUNCTION(bthandler)
{
    *ret_null = true;
    return true;
}

FUNCTION(hashhandler)
{
    *ret_null = true;
    return true;
}

/* CREATE STATISTICS is refused: no OID is one of such an object, and an unknown one gives null. */
#define NO_STATISTICS_OBJECT(symbol)                                                               \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        *ret_null = true;                                                                          \
        return true;                                                                               \
    }
NO_STATISTICS_OBJECT(pg_get_statisticsobjdef)
NO_STATISTICS_OBJECT(pg_get_statisticsobjdef_columns)
NO_STATISTICS_OBJECT(pg_get_statisticsobjdef_expressions)

static bool to_reg(FunctionCall *call, Oid type, const Value *args, Value *ret, bool *ret_null)
{
    SESSION;
    Oid oid;

    if (catalog_reg_input(session, type, var_str(args[0].var), &oid)) {
        ret->oid = oid;
        return true;
    }
    switch (error_fields()->sqlstate) {
    case ERR_UNDEFINED_TABLE:
    case ERR_UNDEFINED_OBJECT:
    case ERR_UNDEFINED_FUNCTION:
    case ERR_AMBIGUOUS_FUNCTION:
    case ERR_INVALID_SCHEMA_NAME:
        error_clear();
        *ret_null = true;
        return true;
    default:
        return false;
    }
}

#define TO_REG(symbol, type)                                                                       \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        return to_reg(call, type, args, ret, ret_null);                                            \
    }
TO_REG(to_regclass, TYPE_REGCLASS)
TO_REG(to_regtype, TYPE_REGTYPE)
TO_REG(to_regnamespace, TYPE_REGNAMESPACE)
TO_REG(to_regrole, TYPE_REGROLE)
TO_REG(to_regproc, TYPE_REGPROC)
TO_REG(to_regprocedure, TYPE_REGPROCEDURE)
TO_REG(to_regcollation, TYPE_REGCOLLATION)
TO_REG(to_regoper, TYPE_REGOPER)
TO_REG(to_regoperator, TYPE_REGOPERATOR)

/* ---- comments ---- */

/* obj_description(oid, catalog name). */
FUNCTION(sql_1215)
{
    SESSION;
    const Oid class_oid = relation_oid_in(session, NAMESPACE_PG_CATALOG, var_str(args[1].var));
    const ObjectAddress object = {class_oid, args[0].oid, 0};
    return give_text(call, class_oid ? comment_find(session, object, call->arena) : STR_NONE, ret,
                     ret_null);
}

/* col_description(table, column number). */
FUNCTION(sql_1216)
{
    SESSION;
    if (args[1].int32 == 0) {
        *ret_null = true;
        return true;
    }
    const ObjectAddress object = {RELATION_PG_CLASS, args[0].oid, args[1].int32};
    return give_text(call, comment_find(session, object, call->arena), ret, ret_null);
}

/* obj_description(oid): whatever kind of object it is. */
FUNCTION(sql_1348)
{
    SESSION;
    CatalogRowVec rows = {0};

    TRY(system_rows_find(session, INDEX_PG_DESCRIPTION_O_C_O_INDEX, &args[0], 1, &rows));
    for (size_t i = 0; i < rows.length; i++)
        if (rows.items[i]->values[PG_DESCRIPTION_OBJSUBID].int32 == 0)
            return give_text(call, row_text(rows.items[i], PG_DESCRIPTION_DESCRIPTION), ret,
                             ret_null);
    *ret_null = true;
    return true;
}

/* shobj_description(oid, catalog name). */
FUNCTION(sql_1993)
{
    return fn_sql_1215(call, args, nulls, ret, ret_null);
}

/* ---- the session ---- */

FUNCTION(current_user)
{
    SESSION;
    return give_text(call, role_name(session, session->current_user), ret, ret_null);
}

FUNCTION(session_user)
{
    SESSION;
    return give_text(call, role_name(session, session->session_user), ret, ret_null);
}

FUNCTION(current_database)
{
    SESSION;
    const DatabaseDesc *database = database_find(session, session->database_oid);
    return give_text(call, database ? database->name : STR_NONE, ret, ret_null);
}

FUNCTION(current_schema)
{
    SESSION;
    const SearchPath *path = catalog_search_path(session);
    TRY(path);
    return give_text(call,
                     path->creation ? namespace_name(session, path->creation)
                     : path->temp_first && session->temp_namespace
                         ? namespace_name(session, session->temp_namespace)
                         : STR_NONE,
                     ret, ret_null);
}

/* What search_path names; with `true` also what is searched without being named. */
FUNCTION(current_schemas)
{
    SESSION;
    const SearchPath *path = catalog_search_path(session);
    ArrayBuilder builder;

    TRY(path);
    array_builder_init(&builder, call->arena, TYPE_NAME);
    bool named = args[0].boolean;
    for (uint32_t i = 0; i < path->count; i++) {
        const Oid namespace = path->namespaces[i];
        named |= namespace == path->creation ||
                 (namespace != NAMESPACE_PG_CATALOG && namespace != session->temp_namespace);
        if (!named)
            continue;
        const Str name = str_copy(call->arena, namespace_name(session, namespace));
        array_builder_add(&builder, &(Value){.var = var_from_str(name)}, false);
    }
    return array_builder_finish(&builder, ret);
}

FUNCTION(pg_my_temp_schema)
{
    SESSION;
    ret->oid = session->temp_namespace;
    return true;
}

FUNCTION(pg_is_other_temp_schema)
{
    SESSION;
    ret->boolean =
        args[0].oid != session->temp_namespace && namespace_is_temporary(session, args[0].oid);
    return true;
}

FUNCTION(pg_is_in_recovery)
{
    ret->boolean = false;
    return true;
}

FUNCTION(pgsql_version)
{
    const SettingValues *values = settings();
    const Str version = values->server_version;

    return give_text(call,
                     str_format(call->arena,
                                "PostgreSQL %.*s on x86_64-pc-linux-gnu, compiled by "
                                "gcc, 64-bit",
                                STR_ARGS(version)),
                     ret, ret_null);
}

/* ---- encodings ---- */

FUNCTION(PG_encoding_to_char)
{
    const char *name = encoding_name(args[0].int32);

    *ret = text_value(name ? str_from_c(name) : STR(""));
    return true;
}

FUNCTION(pg_encoding_max_length_sql)
{
    ret->int32 = encoding_max_length(args[0].int32);
    *ret_null = ret->int32 == 0;
    return true;
}

FUNCTION(PG_char_to_encoding)
{
    ret->int32 = encoding_find(var_str(args[0].var));
    return true;
}

/* ---- sizes ---- */

static bool tree_size(CatalogSession *session, TxnTree *tree, int64_t *ret_bytes)
{
    if (tree)
        *ret_bytes += (int64_t)txn_tree_page_count(session->txn, tree) * PAGE_SIZE;
    return true;
}

static bool relation_size(FunctionCall *call, Oid oid, bool own, bool indexes, Value *ret,
                          bool *ret_null)
{
    SESSION;
    const RelationDesc *relation = relation_find(session, oid);
    int64_t bytes = 0;

    TRY(relation || !error_is_set());
    if (!relation) {
        *ret_null = true;
        return true;
    }
    if (own)
        TRY(tree_size(session, relation->storage, &bytes));
    for (int i = 0; i < relation->index_count; i++)
        if (indexes || (own && relation->kind == RELKIND_INDEX))
            TRY(tree_size(session, relation->indexes[i].storage, &bytes));
    ret->int64 = bytes;
    return true;
}

/* pg_relation_size(regclass). */
FUNCTION(sql_2325)
{
    return relation_size(call, args[0].oid, true, false, ret, ret_null);
}

FUNCTION(pg_relation_size)
{
    const Str fork = var_str(args[1].var);

    if (str_equal(fork, STR("main")))
        return relation_size(call, args[0].oid, true, false, ret, ret_null);
    if (!str_equal(fork, STR("fsm")) && !str_equal(fork, STR("vm")) &&
        !str_equal(fork, STR("init")))
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("invalid fork name"),
             .hint = STR("Valid fork names are \"main\", \"fsm\", \"vm\", and \"init\"."));
    ret->int64 = 0;
    return true;
}

FUNCTION(pg_table_size)
{
    return relation_size(call, args[0].oid, true, false, ret, ret_null);
}

FUNCTION(pg_indexes_size)
{
    return relation_size(call, args[0].oid, false, true, ret, ret_null);
}

FUNCTION(pg_total_relation_size)
{
    return relation_size(call, args[0].oid, true, true, ret, ret_null);
}

static bool database_size(CatalogSession *session, Oid oid, Value *ret, bool *ret_null)
{
    Store *store = txn_manager_store(catalog_manager(session->catalog));
    Database *database = store_database(store, oid);

    *ret_null = database == NULL;
    if (database)
        ret->int64 = (int64_t)database_page_count(database) * PAGE_SIZE;
    return true;
}

FUNCTION(pg_database_size_oid)
{
    SESSION;
    return database_size(session, args[0].oid, ret, ret_null);
}

FUNCTION(pg_database_size_name)
{
    SESSION;
    const DatabaseDesc *database = database_get_name(session, var_str(args[0].var));
    TRY(database);
    return database_size(session, database->oid, ret, ret_null);
}

FUNCTION(pg_relation_filenode)
{
    SESSION;
    const RelationDesc *relation = relation_find(session, args[0].oid);
    const Oid tree = !relation                         ? OID_NONE
                     : relation->kind == RELKIND_INDEX ? relation->indexes[0].tree
                                                       : relation->tree;
    *ret_null = tree == OID_NONE;
    ret->oid = tree;
    return !error_is_set();
}

FUNCTION(pg_tablespace_location)
{
    *ret = text_value(STR(""));
    return true;
}

/* ---- sequences ---- */

FUNCTION(pg_get_serial_sequence)
{
    SESSION;
    Oid table;
    DependencyVec rows = {0};

    TRY(catalog_reg_input(session, TYPE_REGCLASS, var_str(args[0].var), &table));
    const RelationDesc *relation = relation_get(session, table);
    TRY(relation);
    const Str name = var_str(args[1].var);
    const ColumnDesc *column = relation_column(relation, name);
    if (!column)
        FAIL(ERR_UNDEFINED_COLUMN,
             .message = fmt("column \"%.*s\" of relation \"%.*s\" does not exist", STR_ARGS(name),
                            STR_ARGS(relation->name)));
    TRY(depend_on(session, (ObjectAddress){RELATION_PG_CLASS, table, column->attnum}, call->arena,
                  &rows));
    for (size_t i = 0; i < rows.length; i++) {
        const Dependency *d = &rows.items[i];
        const RelationDesc *found =
            d->dependent.class_oid == RELATION_PG_CLASS && d->kind != DEPENDENCY_NORMAL
                ? relation_find(session, d->dependent.oid)
                : NULL;
        if (found && found->kind == RELKIND_SEQUENCE)
            return give_text(call,
                             identifier_qualify(call->arena, found->namespace_name, found->name),
                             ret, ret_null);
    }
    *ret_null = true;
    return !error_is_set();
}

FUNCTION(pg_sequence_last_value)
{
    SESSION;
    const RelationDesc *sequence = relation_get(session, args[0].oid);
    SequenceState state;

    TRY(sequence);
    if (sequence->kind != RELKIND_SEQUENCE)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("\"%.*s\" is not a sequence", STR_ARGS(sequence->name)));
    TRY(sequence_read(session->txn, session->database_oid, sequence->tree, &state));
    *ret_null = !state.is_called;
    ret->int64 = state.last_value;
    return true;
}

FUNCTION(pg_sequence_parameters)
{
    SESSION;
    CatalogRow row;
    const RelationDesc *sequence = relation_get(session, args[0].oid);

    TRY(sequence);
    if (!privilege_has(session, ON_SEQUENCE, args[0].oid, session->current_user,
                       ACL_SELECT | ACL_UPDATE | ACL_USAGE, 0)) {
        TRY(!error_is_set());
        FAIL(ERR_INSUFFICIENT_PRIVILEGE,
             .message = fmt("permission denied for sequence %.*s", STR_ARGS(sequence->name)));
    }
    const RowFound found =
        system_row_find(session, INDEX_PG_SEQUENCE_SEQRELID_INDEX, &args[0], 1, &row);
    TRY(found);
    if (found == ROW_MISSING)
        FAIL(ERR_INTERNAL_ERROR,
             .message = fmt("cache lookup failed for sequence %u", args[0].oid));
    const Value values[] = {
        {.int64 = row.values[PG_SEQUENCE_SEQSTART].int64},
        {.int64 = row.values[PG_SEQUENCE_SEQMIN].int64},
        {.int64 = row.values[PG_SEQUENCE_SEQMAX].int64},
        {.int64 = row.values[PG_SEQUENCE_SEQINCREMENT].int64},
        {.boolean = row.values[PG_SEQUENCE_SEQCYCLE].boolean},
        {.int64 = row.values[PG_SEQUENCE_SEQCACHE].int64},
        {.oid = row_oid(&row, PG_SEQUENCE_SEQTYPID)},
    };
    static const Oid types[] = {TYPE_INT8, TYPE_INT8, TYPE_INT8, TYPE_INT8,
                                TYPE_BOOL, TYPE_INT8, TYPE_OID};
    static const bool are_null[ARRAY_LENGTH(types)];
    *ret = record_make(call->arena, TYPE_RECORD, types, values, are_null, ARRAY_LENGTH(types));
    return true;
}

FUNCTION(pg_get_replica_identity_index)
{
    SESSION;
    const RelationDesc *relation = relation_find(session, args[0].oid);

    TRY(relation || !error_is_set());
    if (!relation)
        FAIL(ERR_INTERNAL_ERROR,
             .message = fmt("could not open relation with OID %u", args[0].oid));
    *ret_null = true;
    for (uint32_t i = 0; i < relation->index_count; i++) {
        const IndexDesc *index = &relation->indexes[i];
        const bool is_it = relation->replica_identity == 'd'   ? index->is_primary
                           : relation->replica_identity == 'i' ? index->is_replica_identity
                                                               : false;
        if (is_it) {
            ret->oid = index->oid;
            *ret_null = false;
        }
    }
    return true;
}

/* The built-in collations have no versions. */
FUNCTION(pg_collation_actual_version)
{
    SESSION;
    *ret_null = true;
    if (!collation_find(session, args[0].oid)) {
        TRY(!error_is_set());
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("collation with OID %u does not exist", args[0].oid));
    }
    return true;
}

FUNCTION(pg_database_collation_actual_version)
{
    SESSION;
    *ret_null = true;
    if (!database_find(session, args[0].oid)) {
        TRY(!error_is_set());
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("database with OID %u does not exist", args[0].oid));
    }
    return true;
}

/* There is no standby. */
#define RECOVERY_CONTROL(symbol)                                                                   \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE, .message = STR("recovery is not in progress"),  \
             .hint = STR("Recovery control functions can only be executed during recovery."));     \
    }
RECOVERY_CONTROL(pg_wal_replay_pause)
RECOVERY_CONTROL(pg_wal_replay_resume)
RECOVERY_CONTROL(pg_is_wal_replay_paused)
RECOVERY_CONTROL(pg_get_wal_replay_pause_state)
RECOVERY_CONTROL(pg_promote)

/* Nobody notes when transactions commit, which in PostgreSQL is track_commit_timestamp = off. */
static bool no_commit_timestamps(void)
{
    FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
         .message = STR("could not get commit timestamp data"),
         .hint = STR("Make sure the configuration parameter \"track_commit_timestamp\" is set."));
}

/* Transactions 1 and 2 are PostgreSQL's own, of no time; the first of anybody is 3. */
static bool has_no_time(uint32_t xid)
{
    enum { FIRST_XID = 3 };

    if (xid == 0)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("cannot retrieve commit timestamp for transaction 0"));
    return xid < FIRST_XID || no_commit_timestamps();
}

FUNCTION(pg_xact_commit_timestamp)
{
    *ret_null = true;
    return has_no_time(args[0].oid);
}

FUNCTION(pg_xact_commit_timestamp_origin)
{
    static const Oid types[] = {TYPE_TIMESTAMPTZ, TYPE_OID};
    static const bool are_null[] = {true, true};
    const Value values[ARRAY_LENGTH(types)] = {0};

    TRY(has_no_time(args[0].oid));
    *ret = record_make(call->arena, TYPE_RECORD, types, values, are_null, ARRAY_LENGTH(types));
    return true;
}

FUNCTION(pg_last_committed_xact)
{
    return no_commit_timestamps();
}

/* ---- what is not there yet, truly answered ---- */

FUNCTION(row_security_active)
{
    ret->boolean = false;
    return true;
}

FUNCTION(row_security_active_name)
{
    ret->boolean = false;
    return true;
}

FUNCTION(pg_get_partkeydef)
{
    *ret_null = true;
    return true;
}

FUNCTION(pg_relation_is_publishable)
{
    SESSION;
    const RelationDesc *relation = relation_find(session, args[0].oid);

    *ret_null = relation == NULL;
    ret->boolean = relation && relation->kind == RELKIND_TABLE && !relation->is_builtin &&
                   relation->persistence == RELPERSISTENCE_PERMANENT;
    return !error_is_set();
}

/* No table is a partition of another. */
SET_FUNCTION(pg_partition_ancestors)
{
    *ret_done = true;
    return true;
}
