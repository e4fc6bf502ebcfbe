/*
 * ALTER TABLE and its kin: what is done to columns, constraints, partitions and options.
 */
#ifndef PARSER_AST_ALTER_TABLE_H
#define PARSER_AST_ALTER_TABLE_H

#include "parser/ast_name.h"
#include "parser/ast_query.h"

typedef enum AlterTableType {
    AT_ADD_COLUMN,
    AT_COLUMN_DEFAULT /* def NULL: drop */,
    AT_DROP_NOT_NULL,
    AT_SET_NOT_NULL,
    AT_DROP_EXPRESSION,
    AT_SET_STATISTICS,
    AT_SET_OPTIONS,
    AT_RESET_OPTIONS,
    AT_SET_STORAGE,
    AT_SET_COMPRESSION,
    AT_DROP_COLUMN,
    AT_ADD_CONSTRAINT,
    AT_ALTER_CONSTRAINT,
    AT_VALIDATE_CONSTRAINT,
    AT_DROP_CONSTRAINT,
    AT_ALTER_COLUMN_TYPE,
    AT_ALTER_COLUMN_GENERIC_OPTIONS,
    AT_CHANGE_OWNER,
    AT_CLUSTER_ON,
    AT_DROP_CLUSTER,
    AT_SET_LOGGED,
    AT_SET_UNLOGGED,
    AT_DROP_OIDS,
    AT_SET_ACCESS_METHOD,
    AT_SET_TABLE_SPACE,
    AT_SET_REL_OPTIONS,
    AT_RESET_REL_OPTIONS,
    AT_ENABLE_TRIG,
    AT_ENABLE_ALWAYS_TRIG,
    AT_ENABLE_REPLICA_TRIG,
    AT_DISABLE_TRIG,
    AT_ENABLE_TRIG_ALL,
    AT_DISABLE_TRIG_ALL,
    AT_ENABLE_TRIG_USER,
    AT_DISABLE_TRIG_USER,
    AT_ENABLE_RULE,
    AT_ENABLE_ALWAYS_RULE,
    AT_ENABLE_REPLICA_RULE,
    AT_DISABLE_RULE,
    AT_ADD_INHERIT,
    AT_DROP_INHERIT,
    AT_ADD_OF,
    AT_DROP_OF,
    AT_REPLICA_IDENTITY,
    AT_ENABLE_ROW_SECURITY,
    AT_DISABLE_ROW_SECURITY,
    AT_FORCE_ROW_SECURITY,
    AT_NO_FORCE_ROW_SECURITY,
    AT_GENERIC_OPTIONS,
    AT_ATTACH_PARTITION,
    AT_DETACH_PARTITION,
    AT_DETACH_PARTITION_FINALIZE,
    AT_ADD_IDENTITY,
    AT_SET_IDENTITY,
    AT_DROP_IDENTITY,
} AlterTableType;

struct AlterTableCmd {
    Node node;
    AlterTableType type;
    Str name;   /* column, constraint, trigger, index, tablespace, access method */
    int number; /* ALTER COLUMN 1 SET STATISTICS */
    RoleSpec *new_owner;
    Node *def; /* ColumnDef (ADD COLUMN; ALTER TYPE: type, collation and USING as the
                  DEFAULT constraint's raw_expr), expression, Constraint, RangeVar,
                  TypeName, A_Const, PartitionCmd, ReplicaIdentity */
    DefElemVec options;
    DropBehavior behavior;
    bool missing_ok; /* IF EXISTS, IF NOT EXISTS */
};

struct ReplicaIdentity {
    Node node;
    char type; /* 'n' nothing, 'f' full, 'd' default, 'i' index */
    Str name;
};

struct PartitionCmd {
    Node node;
    RangeVar *name;
    PartitionBoundSpec *bound;
    bool concurrent;
};

struct AlterTableStmt {
    Node node;
    RangeVar *relation;
    ObjectType object_type; /* TABLE, INDEX, SEQUENCE, VIEW, MATVIEW, FOREIGN_TABLE, TYPE */
    AlterTableCmdVec cmds;
    bool missing_ok;
};

#endif
