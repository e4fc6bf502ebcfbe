/* COPY … TO: a query's rows to the stream. */
#include "executor/command/copy_internal.h"
#include "executor/command/maintain.h"

#include "parser/parser.h"
#include "planner/planner.h"
#include "types/encoding_convert.h"
#include "types/identifier.h"
#include "types/type.h"

typedef struct CopyOut {
    RowSink sink; /* first */
    CopyJob *job;
    Arena *row_arena;
    StrBuf line; /* heap */
    Str *fields;
    TypeIo *io; /* of each column */
} CopyOut;

/* A message for each line, even where the client would take them together. */
static bool write_line(CopyOut *out)
{
    CopyChannel *channel = out->job->channel;

    TRY(out->line.length == 0 || channel->write(channel, strbuf_view(&out->line)));
    out->line.length = 0;
    return true;
}

static bool output_types_init(CopyOut *out, const RowDescription *description)
{
    out->io = ARENA_ARRAY(out->job->context->arena, TypeIo, MAX(description->count, 1u));
    for (uint32_t c = 0; c < description->count; c++) {
        const Oid oid = description->columns[c].type;
        const BuiltinType *type = builtin_type(oid);
        if (!type)
            FAIL(ERR_UNDEFINED_OBJECT, .message = fmt("type with OID %u does not exist", oid));
        out->io[c] = (TypeIo){.arena = out->row_arena, .type = type, .type_oid = oid, .typmod = -1};
    }
    return true;
}

static bool out_describe(RowSink *sink, const RowDescription *description)
{
    CopyOut *out = (CopyOut *)sink;
    CopyJob *job = out->job;
    bool is_binary = job->format.form == COPY_BINARY;

    out->fields = ARENA_ARRAY(job->context->arena, Str, MAX(description->count, 1u));
    TRY(output_types_init(out, description));
    TRY(job->channel->begin_out(job->channel, is_binary, description->count));
    out->line.length = 0;
    if (is_binary) {
        /* It goes out with the first row, as clients that take rows from messages expect. */
        copy_put_binary_start(&out->line);
        return true;
    }
    for (uint32_t i = 0; i < description->count; i++)
        out->fields[i] = description->columns[i].name;
    if (job->format.has_header)
        copy_put_header(&out->line, &job->format, out->fields, description->count);
    return write_line(out);
}

/* Both forms of these are their bytes. */
static bool is_text(Oid type)
{
    return type == TYPE_TEXT || type == TYPE_VARCHAR || type == TYPE_BPCHAR;
}

/* In the client's encoding. */
static bool convert_binary(CopyOut *out, Oid type, Str *field)
{
    StrBuf bytes = strbuf_in(out->row_arena);

    if (likely(out->job->binary_encoding == 0) || str_is_none(*field))
        return true;
    TRY(encoding_convert_binary(out->job->binary_encoding, ENCODING_FROM_UTF8, type, *field,
                                &bytes));
    *field = bytes.length > 0 ? strbuf_view(&bytes) : STR("");
    return true;
}

static bool field_text(CopyOut *out, const Vector *vector, const TypeIo *io, uint32_t row,
                       Str *ret_text)
{
    StrBuf bytes = strbuf_in(out->row_arena);
    Value value;
    bool is_null;

    *ret_text = STR_NONE;
    if (vector_is_null(vector, row))
        return true;
    if (is_text(io->type_oid)) {
        const VarRef *text = &VECTOR_VALUES(vector, VarRef)[vector_index(vector, row)];
        *ret_text = text->length > 0 ? var_str(*text) : STR("");
        return true;
    }
    vector_get(vector, row, &value, &is_null);
    TRY(out->job->format.form == COPY_BINARY ? io->type->send(io, &value, &bytes)
                                             : io->type->output(io, &value, &bytes));
    *ret_text = strbuf_view(&bytes);
    return true;
}

static bool out_rows(RowSink *sink, const RowDescription *description, const Batch *batch)
{
    CopyOut *out = (CopyOut *)sink;
    CopyJob *job = out->job;

    FOR_SELECTED (batch->selection, row) {
        for (uint32_t c = 0; c < description->count; c++)
            TRY(field_text(out, batch->columns[c], &out->io[c], row, &out->fields[c]) &&
                convert_binary(out, out->io[c].type_oid, &out->fields[c]));
        if (job->format.form == COPY_BINARY)
            copy_put_binary_row(&out->line, out->fields, description->count);
        else
            copy_put_row(&out->line, &job->format, out->fields, description->count);
        TRY(write_line(out));
        job->row_count++;
        arena_reset(out->row_arena);
    }
    return true;
}

/* The query that a table's COPY means. */
static const Node *table_query(CopyJob *job, Str *ret_source)
{
    Arena *arena = job->context->arena;
    StrBuf text = strbuf_in(arena);
    StatementList list = {0};

    strbuf_append_c(&text, "SELECT ");
    for (uint32_t i = 0; i < job->column_count; i++)
        strbuf_format(&text, "%s%.*s", i ? ", " : "",
                      STR_ARGS(identifier_quote(arena, job->columns[i]->name)));
    Str schema = namespace_name(&job->context->session->catalog, job->relation->namespace_oid);
    strbuf_format(&text, " FROM ONLY %.*s",
                  STR_ARGS(identifier_qualify(arena, schema, job->relation->name)));
    *ret_source = strbuf_view(&text);
    TRY(parse(arena, *ret_source, &list));
    return list.items[0]->stmt;
}

static bool force_quotes(CopyJob *job, const PlannedStatement *plan)
{
    const uint32_t count = (uint32_t)plan->result.length;
    Str *names = ARENA_ARRAY(job->context->arena, Str, MAX(count, 1u));

    for (uint32_t c = 0; c < count; c++)
        names[c] = plan->result.items[c].name;
    return copy_column_flags(job, job->force_quote, names, count, &job->format.force_quote);
}

static bool run_query(CopyOut *out, const Node *statement, Str source)
{
    CommandContext *context = out->job->context;
    Query *query;
    const PlannedStatement *plan =
        command_plan(context, statement, source, &(PlanOptions){0}, &query);

    TRY(plan);
    if (query->command == QUERY_UTILITY)
        FAIL_UNSUPPORTED("COPY (SELECT INTO)");
    if (query->command != QUERY_SELECT && query->returning.length == 0)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("COPY query must have a RETURNING clause"));
    if (out->job->force_quote && !out->job->relation)
        TRY(force_quotes(out->job, plan));
    CLEANUP(executor_freep) ExecState *state = executor_new(plan, context->session);
    TRY(state);
    TRY(executor_start(state, &(ExecRequest){0}));
    bool ok = executor_run(state, &out->sink, 0);
    executor_stop(state);
    return ok;
}

static bool run(CopyOut *out)
{
    CopyJob *job = out->job;
    Str source = job->context->source;
    const Node *statement = job->statement->query;

    if (!statement) {
        statement = table_query(job, &source);
        TRY(statement);
    }
    TRY(run_query(out, statement, source));
    if (job->format.form == COPY_BINARY) {
        copy_put_binary_end(&out->line);
        TRY(write_line(out));
    }
    return job->channel->end_out(job->channel);
}

bool copy_to(CopyJob *job)
{
    CopyOut out = {.sink = {.describe = out_describe, .rows = out_rows},
                   .job = job,
                   .row_arena = arena_new("copy row")};
    bool ok = run(&out);

    strbuf_deinit(&out.line);
    arena_free(out.row_arena);
    return ok;
}
