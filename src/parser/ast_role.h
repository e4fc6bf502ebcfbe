/*
 * Statements about roles and privileges.
 */
#ifndef PARSER_AST_ROLE_H
#define PARSER_AST_ROLE_H

#include "parser/ast_name.h"
#include "parser/ast_query.h"

typedef enum RoleStmtType { ROLESTMT_ROLE, ROLESTMT_USER, ROLESTMT_GROUP } RoleStmtType;

/* Options: superuser, inherit, createrole, createdb, canlogin, isreplication, bypassrls (booleans),
 * password (string; arg NULL: none), connectionlimit, validUntil, sysid (numbers, string),
 * addroleto, rolemembers, adminmembers (ExprList of RoleSpecs). */
struct CreateRoleStmt {
    Node node;
    RoleStmtType stmt_type;
    Str role;
    DefElemVec options;
};
struct AlterRoleStmt {
    Node node;
    RoleSpec *role;
    DefElemVec options;
    int action; /* +1 add (or set), -1 drop members: ALTER GROUP */
};
struct AlterRoleSetStmt {
    Node node;
    RoleSpec *role /* NULL: ALL */;
    Str database;
    VariableSetStmt *setstmt;
};
struct DropRoleStmt {
    Node node;
    RoleSpecVec roles;
    bool missing_ok;
};

typedef enum GrantTargetType {
    ACL_TARGET_OBJECT,
    ACL_TARGET_ALL_IN_SCHEMA,
    ACL_TARGET_DEFAULTS,
} GrantTargetType;

struct AccessPriv {
    Node node;
    Str priv_name /* lower case; STR_NONE: ALL */;
    StrVec cols;
};

struct GrantStmt {
    Node node;
    bool is_grant;
    GrantTargetType targtype;
    ObjectType objtype;
    NodeVec objects;          /* RangeVar, ObjectWithArgs, ObjectName, A_Const (large objects) */
    AccessPrivVec privileges; /* empty: ALL */
    RoleSpecVec grantees;
    bool grant_option;
    RoleSpec *grantor;
    DropBehavior behavior;
};

struct GrantRoleStmt {
    Node node;
    bool is_grant;
    AccessPrivVec granted_roles; /* priv_name is the role */
    RoleSpecVec grantee_roles;
    bool admin_opt;
    RoleSpec *grantor;
    DropBehavior behavior;
};

struct AlterDefaultPrivilegesStmt {
    Node node;
    DefElemVec options /* schemas, roles */;
    GrantStmt *action;
};
struct DropOwnedStmt {
    Node node;
    RoleSpecVec roles;
    DropBehavior behavior;
};
struct ReassignOwnedStmt {
    Node node;
    RoleSpecVec roles;
    RoleSpec *newrole;
};

#endif
