/* COPY … FROM: fields to values, in batches, into the table. */
#include "base/error_record.h"
#include "executor/command/copy_internal.h"

#include "executor/modify.h"
#include "executor/state.h"
#include "planner/planner.h"
#include "types/encoding_convert.h"
#include "types/type.h"

typedef struct CopyIn {
    CopyJob *job;
    CopyReader *reader;
    TableWriter *writer;
    Arena *row_arena; /* values of the batch being filled */
    TypeIo *io;       /* of each column */
    Vector **vectors;
    Batch batch;
    Str *fields;
    uint32_t failing_column; /* for the message's context; UINT32_MAX: none */
    uint64_t *lines;         /* of the batch's rows */
    StrBuf texts;            /* heap: what messages show of those lines */
    uint32_t *text_ends;
    uint64_t failing_line; /* 0: the one last read */
    bool saw_header;
    bool hides_line; /* it is not text that could be shown, or not the line that is at fault */
    RowProgram *where;
} CopyIn;

enum { LINE_SHOWN = 100 }; /* bytes of a line in a message */

static Str failing_text(const CopyIn *in)
{
    const uint32_t row = table_writer_failed_row(in->writer);
    const uint32_t start = row > 0 ? in->text_ends[row - 1] : 0;
    return str_slice(strbuf_view(&in->texts), start, in->text_ends[row] - start);
}

static void keep_text(CopyIn *in, uint32_t row)
{
    const Str line = copy_reader_text(in->reader);
    strbuf_append(&in->texts, str_slice(line, 0, MIN(line.length, LINE_SHOWN + 1)));
    in->text_ends[row] = (uint32_t)in->texts.length;
}

/* "COPY t, line 3, column a: "x"" */
static void add_context(const CopyIn *in)
{
    const CopyJob *job = in->job;
    Str table = job->relation->name,
        line = in->failing_line ? failing_text(in) : copy_reader_text(in->reader);
    if (job->format.form == COPY_BINARY && copy_reader_line(in->reader) == 0)
        return; /* what comes before the rows */
    unsigned long long number = in->failing_line ? in->failing_line : copy_reader_line(in->reader);

    if (in->failing_column < job->column_count) {
        Str column = job->columns[in->failing_column]->name, value = in->fields[in->failing_column];
        if (str_is_none(value) || job->format.form == COPY_BINARY)
            error_add_context(fmt("COPY %.*s, line %llu, column %.*s%s", STR_ARGS(table), number,
                                  STR_ARGS(column), str_is_none(value) ? ": null input" : ""));
        else
            error_add_context(fmt("COPY %.*s, line %llu, column %.*s: \"%.*s\"", STR_ARGS(table),
                                  number, STR_ARGS(column),
                                  STR_ARGS(str_slice(value, 0, LINE_SHOWN))));
    } else if (line.length > 0 && !in->hides_line) {
        error_add_context(fmt("COPY %.*s, line %llu: \"%.*s%s\"", STR_ARGS(table), number,
                              STR_ARGS(str_slice(line, 0, LINE_SHOWN)),
                              line.length > LINE_SHOWN ? "..." : ""));
    } else {
        error_add_context(fmt("COPY %.*s, line %llu", STR_ARGS(table), number));
    }
}

static bool check_header(CopyIn *in, uint32_t count)
{
    const CopyJob *job = in->job;

    if (!job->format.checks_header)
        return true;
    if (count != job->column_count)
        FAIL(ERR_BAD_COPY_FILE_FORMAT,
             .message = fmt("wrong number of fields in header line: got %u, expected %u", count,
                            job->column_count));
    for (uint32_t i = 0; i < count; i++)
        if (!str_equal(in->fields[i], job->columns[i]->name))
            FAIL(ERR_BAD_COPY_FILE_FORMAT,
                 .message = fmt("column name mismatch in header line field %u: got \"%.*s\", "
                                "expected \"%.*s\"",
                                i + 1, STR_ARGS(in->fields[i]), STR_ARGS(job->columns[i]->name)));
    return true;
}

/* From the client's encoding. */
static bool convert_binary(CopyIn *in, Oid type, Str *field)
{
    StrBuf out = strbuf_in(in->row_arena);

    TRY(encoding_convert_binary(in->job->binary_encoding, ENCODING_TO_UTF8, type, *field, &out));
    *field = strbuf_view(&out);
    return true;
}

static bool read_field(CopyIn *in, uint32_t c, uint32_t row)
{
    const TypeIo *io = &in->io[c];
    const bool is_binary = in->job->format.form == COPY_BINARY;
    Str field = in->fields[c];
    Value value = {0};

    if (!str_is_none(field)) {
        if (!is_binary && !copy_reader_is_plain(in->reader) && !utf8_check(field)) {
            in->hides_line = true;
            return false;
        }
        in->failing_column = c;
        /* Values outlive the line they came in: what is received may be a view of it. */
        if (is_binary && in->job->columns[c]->phys == PHYS_VAR)
            field = str_copy(in->row_arena, field);
        if (unlikely(is_binary && in->job->binary_encoding != 0))
            TRY(convert_binary(in, io->type_oid, &field));
        TRY(is_binary ? io->type->receive(io, field, &value) : io->type->input(io, field, &value));
        in->failing_column = UINT32_MAX;
    }
    vector_set(in->vectors[c], row, &value, str_is_none(field));
    return true;
}

static bool read_row(CopyIn *in, uint32_t count)
{
    uint32_t row = in->batch.row_count;

    for (uint32_t c = 0; c < in->job->column_count; c++) {
        if (c >= count)
            FAIL(ERR_BAD_COPY_FILE_FORMAT, .message = fmt("missing data for column \"%.*s\"",
                                                          STR_ARGS(in->job->columns[c]->name)));
        TRY(read_field(in, c, row));
    }
    in->lines[row] = copy_reader_line(in->reader);
    keep_text(in, row);
    in->batch.row_count = in->batch.selection.count = row + 1;
    return true;
}

/* What is wrong with a row by itself is told with its line. */
static bool check_rows(CopyIn *in)
{
    if (in->batch.row_count == 0 || table_writer_check(in->writer, &in->batch))
        return true;
    in->failing_line = in->lines[table_writer_failed_row(in->writer)];
    in->hides_line = false;
    return false;
}

static bool flush_batch(CopyIn *in)
{
    if (in->batch.row_count == 0)
        return true;
    TRY(check_rows(in));
    if (!table_writer_insert(in->writer, &in->batch)) {
        in->failing_line = in->lines[table_writer_failed_row(in->writer)];
        in->hides_line = true; /* as in PostgreSQL, where rows enter indexes many at a time */
        return false;
    }
    in->batch.row_count = in->batch.selection.count = 0;
    strbuf_truncate(&in->texts, 0);
    for (uint32_t c = 0; c < in->job->column_count; c++)
        vector_clear_nulls(in->vectors[c], VECTOR_SIZE);
    arena_reset(in->row_arena);
    CHECK_INTERRUPTS();
    return true;
}

/*
 * When a line cannot be read, rows before it may be at fault themselves: then that is the error.
 * Keys are compared later, when rows enter their indexes.
 */
static void prefer_earlier_fault(CopyIn *in)
{
    ErrorRecord *fault = error_put_aside();
    const uint32_t column = in->failing_column;
    const bool hides_line = in->hides_line;

    in->failing_column = UINT32_MAX;
    if (!check_rows(in)) {
        error_record_free(fault);
        return;
    }
    in->failing_line = 0;
    in->failing_column = column;
    in->hides_line = hides_line;
    error_put_back(fault);
}

static bool take_rows(CopyIn *in, bool *ret_end)
{
    for (;;) {
        uint32_t count = 0;
        in->failing_column = UINT32_MAX;
        CopyOutcome outcome = copy_reader_next(in->reader, in->fields, &count);
        if (outcome == COPY_FAILED)
            return false;
        if (outcome != COPY_ROW) {
            *ret_end = outcome == COPY_END;
            return true;
        }
        if (in->job->format.has_header && !in->saw_header) {
            in->saw_header = true;
            TRY(check_header(in, count));
            continue;
        }
        TRY(read_row(in, count));
        if (in->batch.row_count == VECTOR_SIZE)
            TRY(flush_batch(in));
    }
}

static bool pump(CopyIn *in)
{
    CopyChannel *channel = in->job->channel;
    bool input_ended = false, rows_ended = false;
    Str data;

    TRY(channel->begin_in(channel, in->job->format.form == COPY_BINARY, in->job->column_count));
    while (!input_ended) {
        /* Who sends slowly hears of a fault when it is there, not when a batch is full. */
        if (channel->would_wait && channel->would_wait(channel) && !check_rows(in)) {
            add_context(in);
            return false;
        }
        if (!channel->read(channel, &data, &input_ended)) {
            prefer_earlier_fault(in);
            if (in->failing_line) {
                add_context(in);
                return false;
            }
            /* In the midst of the line behind the last one. */
            error_add_context(fmt("COPY %.*s, line %llu", STR_ARGS(in->job->relation->name),
                                  (unsigned long long)copy_reader_line(in->reader) + 1));
            return false;
        }
        if (input_ended)
            copy_reader_end(in->reader);
        else
            copy_reader_feed(in->reader, data);
        if (!rows_ended && !take_rows(in, &rows_ended)) {
            if (!in->failing_line)
                prefer_earlier_fault(in);
            add_context(in);
            return false;
        }
    }
    if (!flush_batch(in)) {
        add_context(in);
        return false;
    }
    in->job->row_count = table_writer_count(in->writer);
    return table_writer_finish(in->writer);
}

/* COPY … WHERE: computed from the other columns, generated ones are not there yet. */
static bool filter_rows(CopyIn *in)
{
    CommandContext *context = in->job->context;
    const RelationDesc *relation = in->job->relation;
    AnalyzeContext analyze = {
        .arena = context->arena, .session = ddl_catalog(context), .source = context->source};
    AttnumVec columns = {0};

    if (!in->job->statement->where_clause)
        return true;
    Expr *condition = analyze_expression(&analyze, in->job->statement->where_clause, relation,
                                         STORED_COPY_WHERE, TYPE_BOOL, -1, STR("WHERE"));
    TRY(condition);
    TRY(ddl_expression_columns(context, condition, &columns));
    for (size_t i = 0; i < columns.length; i++) {
        const ColumnDesc *column = relation_column_at(relation, columns.items[i]);
        if (column->generated)
            FAIL(ERR_INVALID_COLUMN_REFERENCE,
                 .message =
                     STR("generated columns are not supported in COPY FROM WHERE conditions"),
                 .detail = fmt("Column \"%.*s\" is a generated column.", STR_ARGS(column->name)));
    }
    return table_writer_filter(in->writer, condition);
}

static bool column_types_init(CopyIn *in)
{
    const CopyJob *job = in->job;

    in->io = ARENA_ARRAY(job->context->arena, TypeIo, MAX(job->column_count, 1u));
    for (uint32_t c = 0; c < job->column_count; c++) {
        const ColumnDesc *column = job->columns[c];
        in->io[c] = (TypeIo){.arena = in->row_arena,
                             .type = builtin_type(column->type),
                             .type_oid = column->type,
                             .typmod = column->typmod};
        if (!in->io[c].type)
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("type with OID %u does not exist", column->type));
    }
    return true;
}

bool copy_from(CopyJob *job)
{
    Arena *arena = job->context->arena;
    CopyIn in = {.job = job, .failing_column = UINT32_MAX};
    int16_t *numbers = ARENA_ARRAY(arena, int16_t, MAX(job->column_count, 1u));

    in.vectors = ARENA_ARRAY(arena, Vector *, MAX(job->column_count, 1u));
    in.fields = ARENA_ARRAY(arena, Str, MAX(job->column_count, 1u));
    in.lines = ARENA_ARRAY(arena, uint64_t, VECTOR_SIZE);
    in.text_ends = ARENA_ARRAY(arena, uint32_t, VECTOR_SIZE);
    for (uint32_t c = 0; c < job->column_count; c++) {
        numbers[c] = job->columns[c]->attnum;
        in.vectors[c] = vector_new(arena, job->columns[c]->phys);
    }
    in.batch = (Batch){.columns = in.vectors, .column_count = job->column_count};
    in.writer = table_writer_new(job->context->session, job->relation, numbers, job->column_count);
    TRY(in.writer);
    if (!filter_rows(&in)) {
        table_writer_free(in.writer);
        return false;
    }
    in.row_arena = arena_new("copy rows");
    in.reader = copy_reader_new(arena, &job->format, job->column_count);
    bool ok = column_types_init(&in) && pump(&in);
    copy_reader_free(in.reader);
    arena_free(in.row_arena);
    strbuf_deinit(&in.texts);
    table_writer_free(in.writer);
    return ok;
}
