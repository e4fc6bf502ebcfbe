/*
 * The abstract syntax tree: everything that text can say, before any name is looked up.
 *
 * Node types are PostgreSQL's, with its field names spelt out where that helps. Start at node.h
 * (Node, tags, vectors); then
 *
 *   ast_expr.h         expressions
 *   ast_call.h         function calls, windows, ORDER BY's items
 *   ast_query.h        SELECT, INSERT, UPDATE, DELETE, MERGE and their parts
 *   ast_from.h         what stands in FROM
 *   ast_name.h         how statements name objects, roles and options
 *   ast_table.h        tables, indexes, constraints
 *   ast_alter_table.h  ALTER TABLE
 *   ast_object.h       sequences, views, schemas, DROP, RENAME, COMMENT …
 *   ast_define.h       functions, triggers, types, domains, casts …
 *   ast_role.h         roles and privileges
 *   ast_session.h      transactions, settings, prepared statements, cursors
 *   ast_command.h      all other statements
 *
 * The grammar accepts all of PostgreSQL 15's language; what Sengi does not support is refused
 * with 0A000 by whoever would act on it.
 */
#ifndef PARSER_AST_H
#define PARSER_AST_H

#include "parser/ast_alter_table.h"
#include "parser/ast_call.h"
#include "parser/ast_command.h"
#include "parser/ast_define.h"
#include "parser/ast_expr.h"
#include "parser/ast_from.h"
#include "parser/ast_name.h"
#include "parser/ast_object.h"
#include "parser/ast_query.h"
#include "parser/ast_role.h"
#include "parser/ast_session.h"
#include "parser/ast_table.h"
#include "parser/node.h"

#endif
