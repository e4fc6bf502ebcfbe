/* The tags of commands that define, told before they run: read-only transactions refuse them. */
#include "executor/command/ddl_internal.h"

static const char *const object_words[] = {
    [OBJECT_ACCESS_METHOD] = "ACCESS METHOD",
    [OBJECT_AGGREGATE] = "AGGREGATE",
    [OBJECT_CAST] = "CAST",
    [OBJECT_COLLATION] = "COLLATION",
    [OBJECT_COLUMN] = "TABLE",
    [OBJECT_CONVERSION] = "CONVERSION",
    [OBJECT_DATABASE] = "DATABASE",
    [OBJECT_DOMAIN] = "DOMAIN",
    [OBJECT_DOMAIN_CONSTRAINT] = "DOMAIN",
    [OBJECT_ATTRIBUTE] = "TYPE",
    [OBJECT_EVENT_TRIGGER] = "EVENT TRIGGER",
    [OBJECT_EXTENSION] = "EXTENSION",
    [OBJECT_FDW] = "FOREIGN DATA WRAPPER",
    [OBJECT_FOREIGN_SERVER] = "SERVER",
    [OBJECT_FOREIGN_TABLE] = "FOREIGN TABLE",
    [OBJECT_FUNCTION] = "FUNCTION",
    [OBJECT_INDEX] = "INDEX",
    [OBJECT_LANGUAGE] = "LANGUAGE",
    [OBJECT_LARGE_OBJECT] = "LARGE OBJECT",
    [OBJECT_MATVIEW] = "MATERIALIZED VIEW",
    [OBJECT_OPERATOR] = "OPERATOR",
    [OBJECT_OPERATOR_CLASS] = "OPERATOR CLASS",
    [OBJECT_OPERATOR_FAMILY] = "OPERATOR FAMILY",
    [OBJECT_POLICY] = "POLICY",
    [OBJECT_PROCEDURE] = "PROCEDURE",
    [OBJECT_PUBLICATION] = "PUBLICATION",
    [OBJECT_ROLE] = "ROLE",
    [OBJECT_ROUTINE] = "ROUTINE",
    [OBJECT_RULE] = "RULE",
    [OBJECT_SCHEMA] = "SCHEMA",
    [OBJECT_SEQUENCE] = "SEQUENCE",
    [OBJECT_STATISTIC] = "STATISTICS",
    [OBJECT_SUBSCRIPTION] = "SUBSCRIPTION",
    [OBJECT_TABLE] = "TABLE",
    [OBJECT_TABLE_CONSTRAINT] = "TABLE",
    [OBJECT_TABLESPACE] = "TABLESPACE",
    [OBJECT_TRANSFORM] = "TRANSFORM",
    [OBJECT_TRIGGER] = "TRIGGER",
    [OBJECT_TS_CONFIGURATION] = "TEXT SEARCH CONFIGURATION",
    [OBJECT_TS_DICTIONARY] = "TEXT SEARCH DICTIONARY",
    [OBJECT_TS_PARSER] = "TEXT SEARCH PARSER",
    [OBJECT_TS_TEMPLATE] = "TEXT SEARCH TEMPLATE",
    [OBJECT_TYPE] = "TYPE",
    [OBJECT_VIEW] = "VIEW",
};

/* As a message is: the next ones overwrite it. */
static Str object_tag(const char *verb, ObjectType type)
{
    const char *word = (size_t)type < ARRAY_LENGTH(object_words) ? object_words[type] : NULL;
    return fmt("%s %s", verb, word ? word : "OBJECT");
}

static Str rename_tag(const RenameStmt *statement)
{
    const bool is_part =
        statement->rename_type == OBJECT_COLUMN || statement->rename_type == OBJECT_ATTRIBUTE;
    return object_tag("ALTER", is_part && statement->relation_type ? statement->relation_type
                                                                   : statement->rename_type);
}

Str ddl_alter_tag(CommandContext *context, ObjectType type)
{
    return str_copy(context->arena, object_tag("ALTER", type));
}

static const struct {
    int tag;
    const char *text;
} plain_tags[] = {
    {NODE_TAG_OF_CreateStmt, "CREATE TABLE"},
    {NODE_TAG_OF_CreateTableAsStmt, "CREATE TABLE AS"},
    {NODE_TAG_OF_SelectStmt, "SELECT INTO"},
    {NODE_TAG_OF_IndexStmt, "CREATE INDEX"},
    {NODE_TAG_OF_CreateSeqStmt, "CREATE SEQUENCE"},
    {NODE_TAG_OF_AlterSeqStmt, "ALTER SEQUENCE"},
    {NODE_TAG_OF_CreateSchemaStmt, "CREATE SCHEMA"},
    {NODE_TAG_OF_ViewStmt, "CREATE VIEW"},
    {NODE_TAG_OF_TruncateStmt, "TRUNCATE TABLE"},
    {NODE_TAG_OF_CommentStmt, "COMMENT"},
    {NODE_TAG_OF_CreateRoleStmt, "CREATE ROLE"},
    {NODE_TAG_OF_AlterRoleStmt, "ALTER ROLE"},
    {NODE_TAG_OF_AlterRoleSetStmt, "ALTER ROLE"},
    {NODE_TAG_OF_DropRoleStmt, "DROP ROLE"},
    {NODE_TAG_OF_CreatedbStmt, "CREATE DATABASE"},
    {NODE_TAG_OF_DropdbStmt, "DROP DATABASE"},
    {NODE_TAG_OF_AlterDatabaseStmt, "ALTER DATABASE"},
    {NODE_TAG_OF_AlterDatabaseSetStmt, "ALTER DATABASE"},
    {NODE_TAG_OF_ReassignOwnedStmt, "REASSIGN OWNED"},
    {NODE_TAG_OF_DropOwnedStmt, "DROP OWNED"},
    {NODE_TAG_OF_AlterDefaultPrivilegesStmt, "ALTER DEFAULT PRIVILEGES"},
};

static Str definition_tag(const Node *statement)
{
    for (size_t i = 0; i < ARRAY_LENGTH(plain_tags); i++)
        if ((int)statement->tag == plain_tags[i].tag)
            return str_from_c(plain_tags[i].text);
    switch (statement->tag) {
    case NODE_DROP_STMT:
        return object_tag("DROP", NODE_CAST(DropStmt, statement)->remove_type);
    case NODE_RENAME_STMT:
        return rename_tag(NODE_CAST(RenameStmt, statement));
    case NODE_ALTER_TABLE_STMT:
        return object_tag("ALTER", NODE_CAST(AlterTableStmt, statement)->object_type);
    case NODE_ALTER_OBJECT_SCHEMA_STMT:
        return object_tag("ALTER", NODE_CAST(AlterObjectSchemaStmt, statement)->object_type);
    case NODE_ALTER_OWNER_STMT:
        return object_tag("ALTER", NODE_CAST(AlterOwnerStmt, statement)->object_type);
    case NODE_GRANT_STMT:
        return NODE_CAST(GrantStmt, statement)->is_grant ? STR("GRANT") : STR("REVOKE");
    case NODE_GRANT_ROLE_STMT:
        return NODE_CAST(GrantRoleStmt, statement)->is_grant ? STR("GRANT ROLE")
                                                             : STR("REVOKE ROLE");
    default:
        return STR_NONE;
    }
}

/* What is refused before it could have a tag of its own. */
static const struct {
    int tag;
    const char *text;
} refused_names[] = {
    {NODE_TAG_OF_RefreshMatViewStmt, "REFRESH MATERIALIZED VIEW"},
    {NODE_TAG_OF_ClusterStmt, "CLUSTER"},
    {NODE_TAG_OF_LoadStmt, "LOAD"},
    {NODE_TAG_OF_ListenStmt, "LISTEN"},
    {NODE_TAG_OF_UnlistenStmt, "UNLISTEN"},
    {NODE_TAG_OF_NotifyStmt, "NOTIFY"},
    {NODE_TAG_OF_DoStmt, "DO"},
    {NODE_TAG_OF_CallStmt, "CALL"},
    {NODE_TAG_OF_MergeStmt, "MERGE"},
    {NODE_TAG_OF_AlterFunctionStmt, "ALTER FUNCTION"},
    {NODE_TAG_OF_AlterEnumStmt, "ALTER TYPE"},
    {NODE_TAG_OF_AlterDomainStmt, "ALTER DOMAIN"},
    {NODE_TAG_OF_CreateExtensionStmt, "CREATE EXTENSION"},
    {NODE_TAG_OF_SecLabelStmt, "SECURITY LABEL"},
};

bool ddl_refuse_object(const char *verb, ObjectType type)
{
    const Str tag = object_tag(verb, type);
    FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = fmt("%.*s is not supported", STR_ARGS(tag)));
}

Str command_name(const Node *statement)
{
    const Str tag = definition_tag(statement);
    if (NODE_IS(statement, UnsupportedStmt))
        return NODE_CAST(UnsupportedStmt, statement)->command;
    for (size_t i = 0; str_is_none(tag) && i < ARRAY_LENGTH(refused_names); i++)
        if ((int)statement->tag == refused_names[i].tag)
            return str_from_c(refused_names[i].text);
    return str_is_none(tag) ? str_from_c(node_name(statement->tag)) : tag;
}

bool command_check_writable(CommandContext *context, const Node *statement)
{
    if (!txn_is_read_only(ddl_catalog(context)->txn))
        return true;
    const Str tag = definition_tag(statement);
    if (str_is_none(tag))
        return true;
    FAIL(ERR_READ_ONLY_SQL_TRANSACTION,
         .message = fmt("cannot execute %.*s in a read-only transaction", STR_ARGS(tag)));
}
