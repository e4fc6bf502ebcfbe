/*
 * Writing rows outside plans: COPY FROM, ALTER TABLE rewrites, CREATE INDEX, constraint validation.
 *
 * A TableWriter does to a batch what INSERT does: generated columns, NOT NULL, CHECK, the row,
 * its index entries, unique checks, foreign keys. Defaults of columns that the input does not have
 * are evaluated when `columns` leaves them out.
 *
 *   TableWriter *writer = table_writer_new(session, relation, columns, count);
 *   TRY(table_writer_check(writer, batch));          when nothing more is at hand: may be left out
 *   TRY(table_writer_insert(writer, batch));         any number of times
 *   TRY(table_writer_finish(writer));                foreign keys due at the end of the statement
 *   table_writer_free(writer);                       always
 *
 * Invariant: M1 after a failure the caller rolls back; the writer does not undo.
 */
#ifndef EXECUTOR_MODIFY_H
#define EXECUTOR_MODIFY_H

#include "executor/executor.h"

typedef struct RelationDesc RelationDesc;
typedef struct Expr Expr;
typedef struct TableWriter TableWriter;

/* columns: attribute numbers (1-based) that each batch column fills; NULL: all live ones in order.
 */
MUST_CHECK TableWriter *table_writer_new(ExecSession *session, const RelationDesc *relation,
                                         const int16_t *columns, uint32_t count);
/* Only rows for which this condition (analyzed, over the table's columns) is true go in. */
MUST_CHECK bool table_writer_filter(TableWriter *writer, Expr *condition);
/*
 * Checks what rows must be by themselves (the condition, NOT NULL, CHECK), which insert would do
 * first: those of the batch that no call has checked, in order. The batch may grow afterwards, rows
 * that it has stay as they are until it is inserted.
 */
MUST_CHECK bool table_writer_check(TableWriter *writer, const Batch *batch);
MUST_CHECK bool table_writer_insert(TableWriter *writer, const Batch *batch);
uint64_t table_writer_count(const TableWriter *writer); /* rows that went in */
/* After a failure: the row of the batch that it was about. */
uint32_t table_writer_failed_row(const TableWriter *writer);
MUST_CHECK bool table_writer_finish(TableWriter *writer);
void table_writer_free(TableWriter *writer);

/*
 * Fills a new, empty index from its table: scan, keys, sort (spilling), bulk build, uniqueness
 * (23505 "could not create unique index …"). The index's tree exists in the transaction already.
 */
MUST_CHECK bool executor_build_index(ExecSession *session, const RelationDesc *table,
                                     const RelationDesc *index);

/* ALTER TABLE … ADD/VALIDATE CONSTRAINT: every row satisfies it, or 23514 / 23502 / 23503. */
MUST_CHECK bool executor_validate_check(ExecSession *session, const RelationDesc *table,
                                        Oid constraint);
MUST_CHECK bool executor_validate_not_null(ExecSession *session, const RelationDesc *table,
                                           int16_t column);
MUST_CHECK bool executor_validate_foreign_key(ExecSession *session, const RelationDesc *table,
                                              Oid constraint);

#endif
