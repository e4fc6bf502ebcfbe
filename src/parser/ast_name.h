/*
 * How statements name things: objects of every kind, with or without arguments, roles, and the
 * options of WITH (…) and option lists.
 */
#ifndef PARSER_AST_NAME_H
#define PARSER_AST_NAME_H

#include "parser/node.h"

typedef enum ObjectType {
    OBJECT_NONE = 0,
    OBJECT_ACCESS_METHOD,
    OBJECT_AGGREGATE,
    OBJECT_CAST,
    OBJECT_COLLATION,
    OBJECT_COLUMN,
    OBJECT_CONVERSION,
    OBJECT_DATABASE,
    OBJECT_DOMAIN,
    OBJECT_DOMAIN_CONSTRAINT,
    OBJECT_ATTRIBUTE,
    OBJECT_EVENT_TRIGGER,
    OBJECT_EXTENSION,
    OBJECT_FDW,
    OBJECT_FOREIGN_SERVER,
    OBJECT_FOREIGN_TABLE,
    OBJECT_FUNCTION,
    OBJECT_INDEX,
    OBJECT_LANGUAGE,
    OBJECT_LARGE_OBJECT,
    OBJECT_MATVIEW,
    OBJECT_OPERATOR,
    OBJECT_OPERATOR_CLASS,
    OBJECT_OPERATOR_FAMILY,
    OBJECT_PARAMETER,
    OBJECT_POLICY,
    OBJECT_PROCEDURE,
    OBJECT_PUBLICATION,
    OBJECT_ROLE,
    OBJECT_ROUTINE,
    OBJECT_RULE,
    OBJECT_SCHEMA,
    OBJECT_SEQUENCE,
    OBJECT_STATISTIC,
    OBJECT_SUBSCRIPTION,
    OBJECT_TABLE,
    OBJECT_TABLE_CONSTRAINT,
    OBJECT_TABLESPACE,
    OBJECT_TRANSFORM,
    OBJECT_TRIGGER,
    OBJECT_TS_CONFIGURATION,
    OBJECT_TS_DICTIONARY,
    OBJECT_TS_PARSER,
    OBJECT_TS_TEMPLATE,
    OBJECT_TYPE,
    OBJECT_VIEW,
} ObjectType;

typedef enum DropBehavior { DROP_RESTRICT, DROP_CASCADE } DropBehavior;

/* A qualified name. Triggers, rules and policies: the table's names, then their own. */
struct ObjectName {
    Node node;
    StrVec names;
};

struct ObjectWithArgs { /* functions, aggregates, operators */
    Node node;
    StrVec names;
    TypeNameVec args; /* of an operator two; a NULL is NONE */
    bool args_unspecified;
    bool star; /* aggregate (*) */
};

typedef enum DefElemAction {
    DEFELEM_UNSPEC,
    DEFELEM_SET,
    DEFELEM_ADD,
    DEFELEM_DROP,
} DefElemAction;

/*
 * name [= value], in every WITH (…) list and option list. `arg` is NULL, an A_Const (numbers,
 * strings; words such as `on` or `csv` are CONST_STRING), a TypeName, an ExprList of ColumnRefs
 * or A_Consts, an ObjectName, or an A_Star.
 */
struct DefElem {
    Node node;
    Str name_space; /* toast.autovacuum_enabled */
    Str name;
    Node *arg;
    DefElemAction action;
};

typedef enum RoleSpecKind {
    ROLESPEC_NAME,
    ROLESPEC_CURRENT_ROLE,
    ROLESPEC_CURRENT_USER,
    ROLESPEC_SESSION_USER,
    ROLESPEC_PUBLIC,
} RoleSpecKind;

struct RoleSpec {
    Node node;
    RoleSpecKind kind;
    Str name;
};

#endif
