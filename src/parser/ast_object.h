/*
 * Statements about other objects: sequences, views, schemas; and DROP, RENAME, COMMENT and the
 * like, which name any kind of object.
 */
#ifndef PARSER_AST_OBJECT_H
#define PARSER_AST_OBJECT_H

#include "parser/ast_table.h"

/* Options by name: as (TypeName), cache, cycle (boolean), increment, maxvalue, minvalue (arg NULL:
 * NO), owned_by (ObjectName), sequence_name (ObjectName), start, restart (arg may be NULL). */
struct CreateSeqStmt {
    Node node;
    RangeVar *sequence;
    DefElemVec options;
    bool if_not_exists;
};

struct AlterSeqStmt {
    Node node;
    RangeVar *sequence;
    DefElemVec options;
    bool missing_ok;
};

typedef enum ViewCheckOption {
    NO_CHECK_OPTION,
    LOCAL_CHECK_OPTION,
    CASCADED_CHECK_OPTION,
} ViewCheckOption;

struct ViewStmt {
    Node node;
    RangeVar *view;
    StrVec aliases;
    SelectStmt *query;
    bool replace;
    bool recursive; /* the query is already wrapped in WITH RECURSIVE */
    DefElemVec options;
    ViewCheckOption check_option;
};

struct RefreshMatViewStmt {
    Node node;
    RangeVar *relation;
    bool concurrent;
    bool skip_data;
};

struct CreateSchemaStmt {
    Node node;
    Str schema_name; /* STR_NONE: the role's name */
    RoleSpec *authrole;
    NodeVec schema_elts; /* statements */
    bool if_not_exists;
};

struct TruncateStmt {
    Node node;
    RangeVarVec relations;
    bool restart_seqs;
    DropBehavior behavior;
};

struct DropStmt {
    Node node;
    ObjectType remove_type;
    NodeVec objects; /* ObjectName, TypeName (types, domains), ObjectWithArgs (functions …), for
                        casts an ExprList of two TypeNames */
    DropBehavior behavior;
    bool missing_ok;
    bool concurrent;
};

struct RenameStmt {
    Node node;
    ObjectType rename_type;
    ObjectType relation_type; /* what `relation` is when renaming a column or constraint */
    RangeVar *relation;       /* relations and what belongs to them */
    Node *object;             /* others: ObjectName, ObjectWithArgs */
    Str subname;              /* the column, constraint, trigger */
    Str newname;
    DropBehavior behavior;
    bool missing_ok;
};

struct AlterObjectSchemaStmt {
    Node node;
    ObjectType object_type;
    RangeVar *relation;
    Node *object;
    Str newschema;
    bool missing_ok;
};

struct AlterOwnerStmt {
    Node node;
    ObjectType object_type;
    RangeVar *relation;
    Node *object;
    RoleSpec *newowner;
};

struct CommentStmt {
    Node node;
    ObjectType object_type;
    Node *object; /* as in DropStmt; columns: the table's names, then the column's */
    Str comment;  /* STR_NONE: IS NULL */
};

#endif
