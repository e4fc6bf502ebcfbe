/*
 * Sinks: how rows leave the executor.
 *
 * Whoever wants a statement's rows (the wire, a cursor, COPY (query) TO, INSERT … SELECT of a
 * command, EXPLAIN ANALYZE) fills a RowSink and embeds it in its own struct. The executor calls
 *
 *   describe      once, before the first batch, also when there are no rows
 *   rows          for each batch that has rows; the batch is borrowed until it returns
 *   row           instead of `rows` for a single row, where the sink has one
 *   complete      once, when the statement (or the row-limited part asked for) has ended
 *
 * Any callback may be NULL. A callback that returns false has set the error, and the run stops with
 * that error. A sink may wait (a slow client): no latch is held around it.
 *
 *   bool mine_rows(RowSink *sink, const RowDescription *description, const Batch *batch)
 *   {
 *       Mine *mine = CONTAINER_OF(sink, Mine, sink);
 *       FOR_SELECTED(batch->selection, row)
 *           for (uint32_t c = 0; c < description->count; c++)
 *               vector_get(batch->columns[c], row, &value, &is_null);
 *       return true;
 *   }
 *
 * A batch has at least description->count columns; further ones are the executor's own (sort keys,
 * row ids) and are to be ignored.
 */
#ifndef EXECUTOR_SINK_H
#define EXECUTOR_SINK_H

#include "base/vector.h"

/* One column of a result: what RowDescription tells a client. */
typedef struct ResultColumn {
    Str name;
    Oid type;
    int32_t type_modifier; /* -1: none */
    Oid collation;
    Oid table;            /* relation it comes from directly, or 0 */
    int16_t table_column; /* attribute number there, or 0 */
    PhysType phys;
} ResultColumn;

/* A statement that gives no rows has no `columns`; one that gives rows may have a count of 0. */
typedef struct RowDescription {
    const ResultColumn *columns;
    uint32_t count;
} RowDescription;

/* What the statement did: the command tag's words come from this. */
typedef enum CommandVerb {
    VERB_NONE = 0,
    VERB_SELECT,
    VERB_INSERT,
    VERB_UPDATE,
    VERB_DELETE,
    VERB_FETCH,
    VERB_MOVE,
} CommandVerb;

typedef struct CommandResult {
    CommandVerb verb;
    uint64_t row_count; /* rows returned (SELECT, FETCH) or changed */
    bool finished;      /* false: a row limit stopped it and more may follow */
} CommandResult;

typedef struct RowSink RowSink;
struct RowSink {
    bool (*describe)(RowSink *sink, const RowDescription *description);
    bool (*rows)(RowSink *sink, const RowDescription *description, const Batch *batch);
    bool (*complete)(RowSink *sink, const CommandResult *result);
    bool (*row)(RowSink *sink, const RowDescription *description, const Value *values,
                const bool *nulls);
};

/* "SELECT 3", "INSERT 0 1", "UPDATE 2": the text of a command tag, in the arena. */
Str command_tag(Arena *arena, CommandVerb verb, uint64_t row_count);

#endif
