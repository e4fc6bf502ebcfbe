/*
 * ALTER TABLE's heavier parts: new column types and whole rewrites.
 */
#ifndef EXECUTOR_COMMAND_ALTER_TABLE_H
#define EXECUTOR_COMMAND_ALTER_TABLE_H

#include "executor/command/ddl.h"
#include "planner/expr.h"

/* Does the expression contain a volatile function? Then each row gets a value of its own. */
bool alter_expression_is_volatile(CatalogSession *session, const Expr *expr);
/*
 * Writes every row anew into a new tree, with column `attnum` computed: by `expr` over the old row,
 * or, where it is NULL, by the column's default, identity or generation. Rebuilds the indexes.
 */
MUST_CHECK bool alter_table_rewrite(CommandContext *context, Oid table, int16_t attnum, Expr *expr);
MUST_CHECK bool alter_column_type(CommandContext *context, Oid table, const AlterTableCmd *command);
/* "ADD COLUMN" */
const char *alter_action_name(AlterTableType type);

#endif
