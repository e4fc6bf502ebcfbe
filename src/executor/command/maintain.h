/*
 * Commands about queries and tables as wholes: EXPLAIN, ANALYZE and VACUUM, LOCK TABLE, CREATE
 * TABLE AS.
 *
 * EXPLAIN's lines leave through the sink as rows of one text column. ANALYZE reads a sample of each
 * table and stores what planner/statistics.h finds; VACUUM has nothing to clean here (row
 * versions never reach the disk) and only checks what PostgreSQL checks.
 */
#ifndef EXECUTOR_COMMAND_MAINTAIN_H
#define EXECUTOR_COMMAND_MAINTAIN_H

#include "executor/command/ddl.h"
#include "planner/planner.h"
#include "txn/lock.h"

/* What a statement that uses a relation so locks it with. */
static inline LockMode plan_relation_lock_mode(const PlanRelation *relation)
{
    return relation->is_target   ? LOCK_ROW_EXCLUSIVE
           : relation->is_locked ? LOCK_ROW_SHARE
                                 : LOCK_ACCESS_SHARE;
}

#define PLAN_TRIES 10
#define PLAN_PATIENCE 2 /* so often it is planned again for any change of the schema */

/*
 * Takes the locks of a plan's relations. Whoever waited, or whose snapshot is older than the
 * schema, gets a new snapshot under READ COMMITTED. Whether the plan is still true is the caller's
 * to see, unless *ret_were_held: the transaction had all of the locks before, and nothing that the
 * plan is about can have changed under them, however often the schema has moved since.
 */
MUST_CHECK bool planned_lock_relations(CatalogSession *catalog, const PlannedStatement *planned,
                                       bool *ret_were_held);
/* The plan of a query in a command, its relations locked as it names them; *ret_query may be NULL.
 */
MUST_CHECK const PlannedStatement *command_plan(CommandContext *context, const Node *statement,
                                                Str source, const PlanOptions *options,
                                                Query **ret_query);

/* Of what EXPLAIN gives; in `arena`. */
RowDescription explain_description(Arena *arena, const ExplainStmt *statement);
MUST_CHECK bool explain_execute(CommandContext *context, const ExplainStmt *statement,
                                RowSink *sink, Str *ret_tag);
MUST_CHECK bool vacuum_execute(CommandContext *context, const VacuumStmt *statement, Str *ret_tag);
MUST_CHECK bool lock_execute(CommandContext *context, const LockStmt *statement, Str *ret_tag);
/* SET CONSTRAINTS … DEFERRED, IMMEDIATE: the latter looks at what is pending. */
MUST_CHECK bool set_constraints_execute(CommandContext *context,
                                        const ConstraintsSetStmt *statement, Str *ret_tag);
MUST_CHECK bool create_table_as_execute(CommandContext *context, const CreateTableAsStmt *statement,
                                        Str *ret_tag);
/* SELECT … INTO: the same, spelt otherwise. */
MUST_CHECK bool select_into_execute(CommandContext *context, const SelectStmt *statement,
                                    Str *ret_tag);

#endif
