/*
 * Commands that define: CREATE, ALTER, DROP, RENAME, TRUNCATE, GRANT, COMMENT and their kin.
 *
 *   CommandContext context = {.session = session, .arena = arena, .source = text, .hooks = &hooks};
 *   if (ddl_handles(statement->tag))
 *       TRY(ddl_execute(&context, statement, &tag));
 *
 * One function a statement, one file a kind. The caller has an open transaction with a begun
 * statement; a failure leaves it to be rolled back. Each command takes the table locks that
 * PostgreSQL's takes, checks privileges, and moves the command counter on when it is done. CREATE
 * and DROP DATABASE refuse to run in a transaction block: the caller says in is_top_level whether
 * there is none.
 */
#ifndef EXECUTOR_COMMAND_DDL_H
#define EXECUTOR_COMMAND_DDL_H

#include "executor/executor.h"
#include "parser/ast.h"

typedef struct RelationDesc RelationDesc;

/* What commands need from the rooms beside and above; NULL members: 0A000. */
typedef struct CommandHooks {
    /* A SCRAM verifier of the password, or the password itself if it is one already. */
    bool (*password_verifier)(void *context, Str role, Str password, Arena *arena,
                              Str *ret_verifier);
    /* Sessions connected to a database, other than the caller's own. */
    uint32_t (*database_session_count)(void *context, Oid database);
    /* Ends the other sessions of a database: DROP DATABASE … WITH (FORCE). */
    bool (*database_sessions_end)(void *context, Oid database);
    /* Validates "SET name = value" of ALTER ROLE/DATABASE … SET; canonical text back. */
    bool (*setting_check)(void *context, Str name, Str value, Arena *arena, Str *ret_value);
    /* The plan of a prepared statement and the values of its parameters, for CREATE TABLE AS
     * EXECUTE and EXPLAIN EXECUTE; they live as long as the command. */
    bool (*prepared_plan)(void *context, const ExecuteStmt *execute,
                          const PlannedStatement **ret_planned, ExecParameters *ret_parameters);
    void *context;
} CommandHooks;

typedef struct CommandContext {
    ExecSession *session;
    Arena *arena;                     /* of the statement */
    Str source;                       /* the text that positions are in */
    const CommandHooks *hooks;        /* may be NULL */
    bool hides_positions;             /* for the command's own use */
    const Oid *param_types;           /* of $1 …, where the command's query uses them */
    const ExecParameters *parameters; /* NULL: none */
    bool is_top_level; /* not inside a transaction block, function or several statements */
} CommandContext;

bool ddl_handles(NodeTag tag);
/* "CREATE TABLE", "LISTEN" …: how errors call a command. */
Str command_name(const Node *statement);
/* 25006 for commands that a read-only transaction refuses. */
MUST_CHECK bool command_check_writable(CommandContext *context, const Node *statement);
MUST_CHECK bool ddl_execute(CommandContext *context, const Node *statement, Str *ret_tag);

/*
 * CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW: makes the table that the query's rows
 * go to (table_writer_insert). *ret_oid is 0 where IF NOT EXISTS found one (NOTICE sent).
 */
MUST_CHECK bool ddl_create_table_for_query(CommandContext *context, const IntoClause *into,
                                           bool if_not_exists, const ResultColumn *columns,
                                           uint32_t column_count, Oid *ret_oid);

/* Takes the lock and finds the relation again until both agree; `mode` as in txn/lock.h. */
MUST_CHECK const RelationDesc *ddl_open_relation(CommandContext *context, const RangeVar *name,
                                                 int mode, bool nowait, bool missing_ok);

#endif
