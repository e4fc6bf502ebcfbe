/*
 * What the defining commands share.
 */
#ifndef EXECUTOR_COMMAND_DDL_INTERNAL_H
#define EXECUTOR_COMMAND_DDL_INTERNAL_H

#include "catalog/define.h"
#include "catalog/lookup.h"
#include "catalog/names.h"
#include "catalog/privilege.h"
#include "catalog/relation.h"
#include "executor/command/ddl.h"
#include "planner/analyze.h"
#include "txn/lock.h"

static inline CatalogSession *ddl_catalog(CommandContext *context)
{
    return &context->session->catalog;
}

/* $1 … of the command, for the analysis of the query in it. */
static inline AnalyzeParams command_params(const CommandContext *context)
{
    return (AnalyzeParams){.types = (Oid *)context->param_types,
                           .count = context->parameters ? (int)context->parameters->count : 0};
}

static inline ObjectAddress address_of_relation(Oid oid)
{
    return (ObjectAddress){RELATION_PG_CLASS, oid, 0};
}

/* NOTICE with SQLSTATE 00000 (or 42P07 and kin for "already exists, skipping"). */
#define DDL_NOTICE(state, text) NOTICE(SEVERITY_NOTICE, (state), .message = (text))

/* ---- ddl.c ---- */
typedef struct CreationPlace {
    Oid namespace_oid;
    RelationPersistence persistence;
} CreationPlace;
/* Where CREATE puts `name`; checks CREATE on the schema; makes pg_temp when needed. */
MUST_CHECK bool ddl_creation_place(CommandContext *context, const RangeVar *name,
                                   CreationPlace *ret_place);
/* "schema.name" of a name list; at most three parts. */
MUST_CHECK bool ddl_split_name(CommandContext *context, const StrVec *names, Str *ret_schema,
                               Str *ret_name);
/* May this be done with the relation? Asked with and without a lock on it. */
typedef bool DdlMay(CommandContext *context, const RelationDesc *relation, const void *argument);
/*
 * As ddl_open_relation, but whoever may not is refused before he waits: a lock that is waited for
 * holds up all who come after it.
 */
MUST_CHECK const RelationDesc *ddl_open_checked(CommandContext *context, const RangeVar *name,
                                                LockMode mode, bool missing_ok, DdlMay *may,
                                                const void *argument);
/* A DdlMay: ddl_check_owner. */
MUST_CHECK bool ddl_may_owner(CommandContext *context, const RelationDesc *relation,
                              const void *argument);
MUST_CHECK bool ddl_lock(CommandContext *context, Oid relation, LockMode mode, Str name);
MUST_CHECK bool ddl_role(CommandContext *context, const RoleSpec *spec, Oid *ret_role);
/* System tables are nobody's to change: 42501 permission denied: "pg_class" is a system catalog. */
MUST_CHECK bool ddl_check_not_system(CommandContext *context, const RelationDesc *relation);
/* The command's own owner check with the right word for the relation's kind. */
MUST_CHECK bool ddl_check_owner(CommandContext *context, const RelationDesc *relation);
/* 55006 while deferred checks of the table's rows are pending. */
MUST_CHECK bool ddl_check_not_in_use(CommandContext *context, const RelationDesc *relation,
                                     Str command);
/* May the current user give things to `role`? 42501 must be member of role "x". */
MUST_CHECK bool ddl_check_member(CommandContext *context, Oid role);
MUST_CHECK bool ddl_bool_option(const DefElem *option, bool *ret_value);
MUST_CHECK bool ddl_int_option(const DefElem *option, int64_t *ret_value);
Str ddl_text_option(CommandContext *context, const DefElem *option);
/* WITH (…) as reloptions; names not in `known` (space-separated) are 22023. */
/* An option in parentheses that is on or off: on where it has no value. */
MUST_CHECK bool ddl_option_bool(const DefElem *option, bool *ret_value);
MUST_CHECK bool ddl_options_text(CommandContext *context, const DefElemVec *options,
                                 const char *known, Str *ret_text);

/* Locks the schema against being dropped or renamed and tells what `name` means then. */
MUST_CHECK bool ddl_lock_schema(CommandContext *context, Str name, int position, LockMode mode,
                                Oid *ret_oid);
/* Locks the role and tells what `name` means then: *ret_role is 0 where there is none. */
MUST_CHECK bool ddl_lock_role(CommandContext *context, Str name, LockMode mode, Oid *ret_role);

/* ---- ddl_tag.c ---- */
Str ddl_alter_tag(CommandContext *context, ObjectType type); /* "ALTER TABLE" …; the context's */
/* 0A000 with the kind's name behind the verb; never true. */
MUST_CHECK bool ddl_refuse_object(const char *verb, ObjectType type);

/* ---- ddl_expr.c ---- */
typedef struct StoredText {
    Expr *expr;
    Str text; /* canonical */
} StoredText;
MUST_CHECK bool ddl_stored_expression(CommandContext *context, const Node *node,
                                      const RelationDesc *relation, StoredExprKind kind, Oid type,
                                      int32_t typmod, Str subject, StoredText *ret);
/* The error that is set says nothing of a place in the text. */
void error_hide_position(void);
/* Records what an expression over `relation` uses; columns of it with `self_kind`. */
MUST_CHECK bool ddl_depend_on_expression(CommandContext *context, ObjectAddress dependent,
                                         Expr *expr, const RelationDesc *relation,
                                         DependencyKind self_kind);
/* The users' relations that the query and its subqueries name; not what views stand for. */
MUST_CHECK bool ddl_query_relations(CommandContext *context, Query *query, OidVec *ret_relations);
/* Locks the relations that the query names; *ret_moved: analyze it again, they may be others. */
MUST_CHECK bool ddl_lock_query(CommandContext *context, Query *query, bool *ret_moved);
MUST_CHECK bool ddl_depend_on_query(CommandContext *context, ObjectAddress dependent, Query *query);
/* The columns of `relation` that the expression mentions, ascending, without repeats. */
typedef VEC(int16_t) AttnumVec;
MUST_CHECK bool ddl_expression_columns(CommandContext *context, Expr *expr, AttnumVec *columns);

/*
 * Stored texts name columns, tables and schemas; before a rename those that would go stale are
 * analyzed, after it they are printed again.
 *   TRY(ddl_rename_prepare(context, object, &stale));   … rename …   TRY(ddl_rename_finish(…));
 */
typedef struct StaleText {
    enum { STALE_DEFAULT, STALE_CHECK, STALE_INDEX, STALE_VIEW } kind;
    Oid oid; /* attrdef, constraint, index, view */
    Oid relation;
    int attnum; /* STALE_DEFAULT */
    Expr *expr;
    ExprVec index_exprs; /* STALE_INDEX: expressions, then the predicate */
    bool has_predicate;
    Query *query;
} StaleText;
typedef VEC(StaleText) StaleVec;
MUST_CHECK bool ddl_rename_prepare(CommandContext *context, ObjectAddress object,
                                   StaleVec *ret_stale);
MUST_CHECK bool ddl_rename_finish(CommandContext *context, const StaleVec *stale);

/* ---- create_sequence.c ---- */
/* Makes a sequence for a column: name t_c_seq; `internal`: of an identity column. */
MUST_CHECK bool ddl_sequence_for_column(CommandContext *context, const RelationDesc *table,
                                        const ColumnDesc *column, Oid type, bool internal,
                                        const DefElemVec *options, Oid *ret_sequence);
MUST_CHECK bool ddl_sequence_set_options(CommandContext *context, Oid sequence,
                                         const DefElemVec *options);
MUST_CHECK bool ddl_sequence_restart(CommandContext *context, Oid sequence);

/* ---- create_table.c ---- */
extern const char ddl_table_options[]; /* names of storage parameters */
typedef struct TableColumn {
    const ColumnDef *source; /* NULL: from LIKE or a query */
    ColumnDefinition definition;
    Oid serial_type; /* serial, bigserial …: the integer type; 0 */
    const Constraint *default_constraint, *identity, *generated;
    Str copied_default; /* LIKE INCLUDING DEFAULTS / GENERATED: canonical text */
} TableColumn;
/* Types, collation, NOT NULL and the like of one ColumnDef. */
MUST_CHECK bool ddl_table_column(CommandContext *context, const ColumnDef *source, Str table,
                                 TableColumn *ret_column);
/* Default, serial, identity or generation of a column that exists already. */
MUST_CHECK bool ddl_column_default(CommandContext *context, Oid table, int16_t attnum,
                                   const TableColumn *column);

/* ---- create_table_constraint.c ---- */
/* A table constraint, or one written on `column` (NULL: none). */
MUST_CHECK bool ddl_add_check(CommandContext *context, Oid table, const Constraint *constraint,
                              bool validate);
MUST_CHECK bool ddl_add_unique(CommandContext *context, Oid table, const Constraint *constraint,
                               const Str *column, bool build);
MUST_CHECK bool ddl_add_foreign_key(CommandContext *context, Oid table,
                                    const Constraint *constraint, const Str *column, bool validate);
/* After the column's type has changed: the foreign keys over it and to it have their operators anew
 * (42804 where there are none); and, once the rows are as they are to be, are looked at. */
MUST_CHECK bool ddl_refit_foreign_keys(CommandContext *context, Oid table, int16_t attnum);
MUST_CHECK bool ddl_recheck_foreign_keys(CommandContext *context, Oid table, int16_t attnum);
/* The constraint attributes that follow entry i of a column's list. */
void ddl_constraint_attributes(const ConstraintVec *list, size_t i, Constraint *constraint);

/* ---- create_index.c ---- */
MUST_CHECK bool ddl_index_columns(CommandContext *context, const RelationDesc *table,
                                  const IndexElemVec *elements, const IndexElemVec *including,
                                  IndexDefinition *ret_definition, ExprVec *ret_exprs);
MUST_CHECK bool ddl_define_index_like(CommandContext *context, const RelationDesc *source_table,
                                      const IndexDesc *source, Oid table);
MUST_CHECK bool ddl_fill_index(CommandContext *context, Oid table, Oid index);
/* The table's indexes get new, empty trees and are filled again (after a rewrite). */
MUST_CHECK bool ddl_rebuild_indexes(CommandContext *context, Oid table, bool fill);

/* ---- rename.c ---- */
MUST_CHECK bool ddl_change_owner(CommandContext *context, const RelationDesc *relation, Oid owner);

/* ---- grant.c ---- */
/* Takes back every privilege that the role has on the object, and what it has passed on. */
MUST_CHECK bool ddl_revoke_all(CommandContext *context, ObjectAddress object, Oid role);

/* ---- truncate.c ---- */
MUST_CHECK bool ddl_empty_table(CommandContext *context, Oid table);

/* ---- the statements ---- */
/* DROP of kinds that have none of a user's here: functions, types, triggers … */
MUST_CHECK bool ddl_drop_absent(CommandContext *context, const DropStmt *statement, Str *ret_tag);

typedef bool DdlStatement(CommandContext *context, const Node *statement, Str *ret_tag);
DdlStatement ddl_create_table, ddl_create_index, ddl_create_sequence, ddl_alter_sequence,
    ddl_create_schema, ddl_create_view, ddl_drop, ddl_rename, ddl_reindex, ddl_truncate,
    ddl_alter_table, ddl_alter_schema_of, ddl_alter_owner, ddl_comment, ddl_create_role,
    ddl_alter_role, ddl_alter_role_set, ddl_drop_role, ddl_grant, ddl_grant_role,
    ddl_create_database, ddl_drop_database, ddl_alter_database, ddl_alter_database_set,
    ddl_reassign_owned, ddl_drop_owned;
MUST_CHECK bool ddl_drop_sequence_dependents(CommandContext *context, Oid relation, int attnum);

#endif
