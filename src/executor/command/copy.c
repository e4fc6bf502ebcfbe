/* COPY: options, columns, privileges; then one of the two directions. */
#include "executor/command/copy_file.h"
#include "executor/command/copy_internal.h"

#include "types/type.h"

/* -- Options --------------------------------------------------------------------------------- */

static bool fail_option(const char *what)
{
    FAIL(ERR_INVALID_PARAMETER_VALUE, .message = str_from_c(what));
}

static bool single_char(CommandContext *context, const DefElem *option, const char *what,
                        char *ret_char)
{
    Str text = ddl_text_option(context, option);

    if (text.length != 1)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("COPY %s must be a single one-byte character", what));
    *ret_char = text.data[0];
    return true;
}

static bool parse_form(CopyJob *job, const DefElem *option)
{
    Str text = ddl_text_option(job->context, option);

    if (str_equal(text, STR("text")))
        job->format.form = COPY_TEXT;
    else if (str_equal(text, STR("csv")))
        job->format.form = COPY_CSV;
    else if (str_equal(text, STR("binary")))
        job->format.form = COPY_BINARY;
    else
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("COPY format \"%.*s\" not recognized", STR_ARGS(text)),
             .position = option->node.position);
    return true;
}

static bool parse_header(CopyJob *job, const DefElem *option)
{
    if (option->arg && str_equal_nocase(ddl_text_option(job->context, option), STR("match"))) {
        job->format.has_header = job->format.checks_header = true;
        return true;
    }
    return ddl_bool_option(option, &job->format.has_header);
}

static bool parse_encoding(CopyJob *job, const DefElem *option)
{
    Str name = ddl_text_option(job->context, option);

    if (!str_equal_nocase(name, STR("UTF8")) && !str_equal_nocase(name, STR("UTF-8")))
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("COPY with encoding \"%.*s\" is not supported", STR_ARGS(name)));
    return true;
}

static bool parse_option(CopyJob *job, const DefElem *option, bool *has_null)
{
    CommandContext *context = job->context;
    Str name = option->name;
    bool ignored;

    if (str_equal(name, STR("format")))
        return parse_form(job, option);
    if (str_equal(name, STR("freeze"))) /* rows are never frozen or thawed here: true as it is */
        return ddl_bool_option(option, &ignored);
    if (str_equal(name, STR("delimiter")))
        return single_char(context, option, "delimiter", &job->format.delimiter);
    if (str_equal(name, STR("null"))) {
        job->format.null_text = ddl_text_option(context, option);
        *has_null = true;
        return true;
    }
    if (str_equal(name, STR("header")))
        return parse_header(job, option);
    if (str_equal(name, STR("quote")))
        return single_char(context, option, "quote", &job->format.quote);
    if (str_equal(name, STR("escape")))
        return single_char(context, option, "escape", &job->format.escape);
    if (str_equal(name, STR("force_quote")))
        job->force_quote = option;
    else if (str_equal(name, STR("force_not_null")))
        job->force_not_null = option;
    else if (str_equal(name, STR("force_null")))
        job->force_null = option;
    else if (str_equal(name, STR("encoding")))
        return parse_encoding(job, option);
    else
        FAIL(ERR_SYNTAX_ERROR, .message = fmt("option \"%.*s\" not recognized", STR_ARGS(name)),
             .position = option->node.position);
    return true;
}

static bool check_options(const CopyJob *job)
{
    const CopyFormat *format = &job->format;
    bool is_csv = format->form == COPY_CSV;

    if (format->form == COPY_BINARY && format->delimiter)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("cannot specify DELIMITER in BINARY mode"));
    if (format->form == COPY_BINARY && format->has_header)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("cannot specify HEADER in BINARY mode"));
    if (!is_csv && format->quote)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("COPY quote available only in CSV mode"));
    if (!is_csv && format->escape)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("COPY escape available only in CSV mode"));
    if (!is_csv && job->force_quote)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("COPY force quote available only in CSV mode"));
    if (format->delimiter == '\n' || format->delimiter == '\r')
        return fail_option("COPY delimiter cannot be newline or carriage return");
    return true;
}

static bool parse_options(CopyJob *job)
{
    const DefElemVec *options = &job->statement->options;
    CopyFormat *format = &job->format;
    bool has_null = false;

    for (size_t i = 0; i < options->length; i++) {
        for (size_t j = 0; j < i; j++)
            if (str_equal(options->items[i]->name, options->items[j]->name))
                FAIL(ERR_SYNTAX_ERROR, .message = STR("conflicting or redundant options"),
                     .position = options->items[i]->node.position);
        TRY(parse_option(job, options->items[i], &has_null));
    }
    TRY(check_options(job));
    if (!format->delimiter)
        format->delimiter = format->form == COPY_CSV ? ',' : '\t';
    if (!has_null)
        format->null_text = format->form == COPY_CSV ? STR("") : STR("\\N");
    if (!format->quote)
        format->quote = '"';
    if (!format->escape)
        format->escape = format->quote;
    if (format->form == COPY_CSV && format->delimiter == format->quote)
        return fail_option("COPY delimiter and quote must be different");
    return true;
}

/* -- Columns --------------------------------------------------------------------------------- */

static const ColumnDesc *find_column(const RelationDesc *relation, Str name)
{
    for (uint32_t i = 0; i < relation->column_count; i++)
        if (!relation->columns[i].dropped && str_equal(relation->columns[i].name, name))
            return &relation->columns[i];
    return NULL;
}

static bool name_column(CopyJob *job, Str name)
{
    const ColumnDesc *column = find_column(job->relation, name);

    if (!column)
        FAIL(ERR_UNDEFINED_COLUMN,
             .message = fmt("column \"%.*s\" of relation \"%.*s\" does not exist", STR_ARGS(name),
                            STR_ARGS(job->relation->name)));
    if (column->generated)
        FAIL(ERR_INVALID_COLUMN_REFERENCE,
             .message = fmt("column \"%.*s\" is a generated column", STR_ARGS(name)),
             .detail = STR("Generated columns cannot be used in COPY."));
    for (uint32_t i = 0; i < job->column_count; i++)
        if (job->columns[i] == column)
            FAIL(ERR_DUPLICATE_COLUMN,
                 .message = fmt("column \"%.*s\" specified more than once", STR_ARGS(name)));
    job->columns[job->column_count++] = column;
    return true;
}

static bool choose_columns(CopyJob *job)
{
    const RelationDesc *relation = job->relation;
    const StrVec *names = &job->statement->attlist;

    job->columns = ARENA_ARRAY(job->context->arena, const ColumnDesc *,
                               relation->column_count + names->length);
    for (size_t i = 0; i < names->length; i++)
        TRY(name_column(job, names->items[i]));
    for (uint32_t i = 0; names->length == 0 && i < relation->column_count; i++)
        if (!relation->columns[i].dropped && !relation->columns[i].generated)
            job->columns[job->column_count++] = &relation->columns[i];
    return true;
}

/* FORCE_… (columns) or * as a flag for each column. */
static bool column_flags(CopyJob *job, const DefElem *option, const char *what,
                         const bool **ret_flags)
{
    bool *flags = ARENA_ARRAY(job->context->arena, bool, MAX(job->column_count, 1u));

    *ret_flags = flags;
    if (NODE_IS(option->arg, A_Star)) {
        memset(flags, true, job->column_count);
        return true;
    }
    const NodeVec *names = &NODE_CAST(ExprList, option->arg)->items;
    for (size_t i = 0; i < names->length; i++) {
        Str name = NODE_CAST(A_Const, names->items[i])->text;
        uint32_t c = 0;
        while (c < job->column_count && !str_equal(job->columns[c]->name, name))
            c++;
        if (c == job->column_count)
            FAIL(ERR_INVALID_COLUMN_REFERENCE,
                 .message = fmt("%s column \"%.*s\" not referenced by COPY", what, STR_ARGS(name)));
        flags[c] = true;
    }
    return true;
}

static bool apply_forces(CopyJob *job)
{
    if (job->force_quote && job->relation)
        TRY(column_flags(job, job->force_quote, "FORCE_QUOTE", &job->format.force_quote));
    if (job->force_not_null)
        TRY(column_flags(job, job->force_not_null, "FORCE_NOT_NULL", &job->format.force_not_null));
    if (job->force_null)
        TRY(column_flags(job, job->force_null, "FORCE_NULL", &job->format.force_null));
    return true;
}

/* -- Who may ---------------------------------------------------------------------------------- */

static bool check_privileges(CopyJob *job)
{
    CatalogSession *catalog = &job->context->session->catalog;
    AclRight right = job->statement->is_from ? ACL_INSERT : ACL_SELECT;
    int16_t *numbers = ARENA_ARRAY(job->context->arena, int16_t, MAX(job->column_count, 1u));

    for (uint32_t i = 0; i < job->column_count; i++)
        numbers[i] = job->columns[i]->attnum;
    return privilege_check_columns(catalog, job->relation->oid, catalog->current_user, right,
                                   numbers, job->column_count);
}

static bool check_relation(const CopyJob *job)
{
    const RelationDesc *relation = job->relation;
    bool is_from = job->statement->is_from;

    switch (relation->kind) {
    case RELKIND_TABLE:
        return true;
    case RELKIND_VIEW:
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = is_from ? fmt("cannot copy to view \"%.*s\"", STR_ARGS(relation->name))
                                : fmt("cannot copy from view \"%.*s\"", STR_ARGS(relation->name)),
             .hint = is_from ? STR("To enable copying to a view, provide an INSTEAD OF INSERT "
                                   "trigger.")
                             : STR("Try the COPY (SELECT ...) TO variant."));
    case RELKIND_SEQUENCE:
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("cannot copy %s sequence \"%.*s\"", is_from ? "to" : "from",
                            STR_ARGS(relation->name)));
    default:
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("cannot copy %s non-table relation \"%.*s\"", is_from ? "to" : "from",
                            STR_ARGS(relation->name)));
    }
}

static bool open_table(CopyJob *job)
{
    const CopyStmt *statement = job->statement;
    LockMode mode = statement->is_from ? LOCK_ROW_EXCLUSIVE : LOCK_ACCESS_SHARE;

    RangeVar range = *statement->relation;
    range.node.position = 0; /* as PostgreSQL's, COPY's errors about its table have none */
    job->relation = ddl_open_relation(job->context, &range, mode, false, false);
    TRY(job->relation);
    TRY(check_relation(job));
    TRY(choose_columns(job));
    TRY(check_privileges(job));
    if (statement->is_from && job->context->session->is_read_only &&
        job->relation->persistence != RELPERSISTENCE_TEMPORARY)
        FAIL(ERR_READ_ONLY_SQL_TRANSACTION,
             .message = STR("cannot execute COPY FROM in a read-only transaction"));
    return true;
}

static bool run_through_file(CopyJob *job)
{
    const CopyStmt *statement = job->statement;
    CopyFile file;

    TRY(copy_file_open(&file, job->context, statement->filename, statement->is_from));
    job->channel = &file.channel;
    bool ok = statement->is_from ? copy_from(job) : copy_to(job);
    return copy_file_close(&file, ok);
}

bool copy_execute(CommandContext *context, const CopyStmt *statement, CopyChannel *channel,
                  Str *ret_tag)
{
    CopyJob job = {.context = context, .statement = statement, .channel = channel};
    const bool has_file = !str_is_none(statement->filename);

    if (statement->is_program)
        FAIL_UNSUPPORTED("COPY with PROGRAM");
    TRY(!has_file || copy_file_check_role(context, statement->is_from));
    TRY(parse_options(&job));
    if (statement->relation)
        TRY(open_table(&job));
    TRY(apply_forces(&job));
    TRY(has_file ? run_through_file(&job) : statement->is_from ? copy_from(&job) : copy_to(&job));
    *ret_tag = str_format(context->arena, "COPY %llu", (unsigned long long)job.row_count);
    return true;
}
