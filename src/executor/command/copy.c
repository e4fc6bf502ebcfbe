/* COPY: options, columns, privileges; then one of the two directions. */
#include "executor/command/copy_convert.h"
#include "executor/command/copy_file.h"
#include "executor/command/copy_internal.h"

#include "base/settings.h"
#include "txn/ddl.h"
#include "types/encoding.h"
#include "types/encoding_convert.h"
#include "types/type.h"

/* -- Options --------------------------------------------------------------------------------- */

static bool fail_option(const char *what)
{
    FAIL(ERR_INVALID_PARAMETER_VALUE, .message = str_from_c(what));
}

static bool single_char(Str text, const char *what, char *ret_char)
{
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
        if (!job->statement->is_from)
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR("cannot use \"match\" with HEADER in COPY TO"));
        job->format.has_header = job->format.checks_header = true;
        return true;
    }
    if (ddl_bool_option(option, &job->format.has_header))
        return true;
    FAIL(ERR_SYNTAX_ERROR, .message = STR("header requires a Boolean value or \"match\""));
}

static bool parse_encoding(CopyJob *job, const DefElem *option)
{
    Str name = ddl_text_option(job->context, option);
    const int encoding = encoding_find(name);

    if (encoding < 0)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("argument to option \"encoding\" must be a valid encoding name"),
             .position = option->node.position);
    job->file_encoding = encoding;
    return true;
}

/* FORCE_…: a list of columns, or all. */
static bool parse_force(const DefElem *option, const DefElem **ret)
{
    if (!option->arg || !(NODE_IS(option->arg, A_Star) || NODE_IS(option->arg, ExprList)))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("argument to option \"%.*s\" must be a list of column names",
                            STR_ARGS(option->name)),
             .position = option->node.position);
    *ret = option;
    return true;
}

/* What is checked when all options are known. */
typedef struct CopyWords {
    Str delimiter, null, quote, escape; /* STR_NONE: not given */
    bool freeze;
} CopyWords;

static bool parse_option(CopyJob *job, const DefElem *option, CopyWords *words)
{
    CommandContext *context = job->context;
    Str name = option->name;
    Str *text = str_equal(name, STR("delimiter")) ? &words->delimiter
                : str_equal(name, STR("null"))    ? &words->null
                : str_equal(name, STR("quote"))   ? &words->quote
                : str_equal(name, STR("escape"))  ? &words->escape
                                                  : NULL;

    const bool is_text = text || str_equal(name, STR("format")) || str_equal(name, STR("encoding"));
    if (is_text && !option->arg)
        FAIL(ERR_SYNTAX_ERROR, .message = fmt("%.*s requires a parameter", STR_ARGS(name)));
    if (text) {
        *text = ddl_text_option(context, option);
        return true;
    }
    if (str_equal(name, STR("format")))
        return parse_form(job, option);
    if (str_equal(name, STR("freeze")))
        return ddl_bool_option(option, &words->freeze);
    if (str_equal(name, STR("header")))
        return parse_header(job, option);
    if (str_equal(name, STR("force_quote")))
        return parse_force(option, &job->force_quote);
    if (str_equal(name, STR("force_not_null")))
        return parse_force(option, &job->force_not_null);
    if (str_equal(name, STR("force_null")))
        return parse_force(option, &job->force_null);
    if (str_equal(name, STR("encoding")))
        return parse_encoding(job, option);
    FAIL(ERR_SYNTAX_ERROR, .message = fmt("option \"%.*s\" not recognized", STR_ARGS(name)),
         .position = option->node.position);
}

static bool has_line_end(Str text)
{
    return str_find_char(text, '\n', 0) != SIZE_MAX || str_find_char(text, '\r', 0) != SIZE_MAX;
}

static bool check_text(CopyJob *job, CopyWords *words)
{
    CopyFormat *format = &job->format;
    const bool is_csv = format->form == COPY_CSV;

    if (format->form == COPY_BINARY && !str_is_none(words->delimiter))
        FAIL(ERR_SYNTAX_ERROR, .message = STR("cannot specify DELIMITER in BINARY mode"));
    if (format->form == COPY_BINARY && !str_is_none(words->null))
        FAIL(ERR_SYNTAX_ERROR, .message = STR("cannot specify NULL in BINARY mode"));
    if (str_is_none(words->delimiter))
        words->delimiter = is_csv ? STR(",") : STR("\t");
    if (str_is_none(words->null))
        words->null = is_csv ? STR("") : STR("\\N");
    format->null_text = words->null;
    TRY(single_char(words->delimiter, "delimiter", &format->delimiter));
    if (has_line_end(words->delimiter))
        return fail_option("COPY delimiter cannot be newline or carriage return");
    if (has_line_end(words->null))
        return fail_option("COPY null representation cannot use newline or carriage return");
    if (!is_csv && strchr("\\.abcdefghijklmnopqrstuvwxyz0123456789", format->delimiter))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("COPY delimiter cannot be \"%c\"", format->delimiter));
    if (format->form == COPY_BINARY && format->has_header)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("cannot specify HEADER in BINARY mode"));
    return true;
}

static bool check_csv(CopyJob *job, const CopyWords *words)
{
    CopyFormat *format = &job->format;
    const bool is_csv = format->form == COPY_CSV;

    format->quote = format->escape = '"';
    if (!is_csv && !str_is_none(words->quote))
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("COPY quote available only in CSV mode"));
    if (!str_is_none(words->quote))
        TRY(single_char(words->quote, "quote", &format->quote));
    if (is_csv && format->delimiter == format->quote)
        return fail_option("COPY delimiter and quote must be different");
    format->escape = format->quote;
    if (!is_csv && !str_is_none(words->escape))
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("COPY escape available only in CSV mode"));
    if (!str_is_none(words->escape))
        TRY(single_char(words->escape, "escape", &format->escape));
    return true;
}

static bool check_force(const CopyJob *job, const DefElem *option, const char *what, bool is_from)
{
    if (!option)
        return true;
    if (job->format.form != COPY_CSV)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = fmt("COPY %s available only in CSV mode", what));
    if (job->statement->is_from != is_from)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("COPY %s only available using COPY %s", what, is_from ? "FROM" : "TO"));
    return true;
}

static bool parse_options(CopyJob *job)
{
    const DefElemVec *options = &job->statement->options;
    CopyFormat *format = &job->format;
    CopyWords words = {
        .delimiter = STR_NONE, .null = STR_NONE, .quote = STR_NONE, .escape = STR_NONE};

    for (size_t i = 0; i < options->length; i++) {
        for (size_t j = 0; j < i; j++)
            if (str_equal(options->items[i]->name, options->items[j]->name))
                FAIL(ERR_SYNTAX_ERROR, .message = STR("conflicting or redundant options"),
                     .position = options->items[i]->node.position);
        TRY(parse_option(job, options->items[i], &words));
    }
    TRY(check_text(job, &words));
    TRY(check_csv(job, &words));
    TRY(check_force(job, job->force_quote, "force quote", false));
    TRY(check_force(job, job->force_not_null, "force not null", true));
    TRY(check_force(job, job->force_null, "force null", true));
    if (str_find_char(format->null_text, format->delimiter, 0) != SIZE_MAX)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("COPY delimiter must not appear in the NULL specification"));
    if (format->form == COPY_CSV && str_find_char(format->null_text, format->quote, 0) != SIZE_MAX)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("CSV quote character must not appear in the NULL specification"));
    job->freeze = words.freeze;
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

bool copy_column_flags(const CopyJob *job, const DefElem *option, const Str *names, uint32_t count,
                       const bool **ret_flags)
{
    bool *flags = ARENA_ARRAY(job->context->arena, bool, MAX(count, 1u));

    *ret_flags = flags;
    if (NODE_IS(option->arg, A_Star)) {
        memset(flags, true, count);
        return true;
    }
    const NodeVec *wanted = &NODE_CAST(ExprList, option->arg)->items;
    for (size_t i = 0; i < wanted->length; i++) {
        Str name = NODE_CAST(A_Const, wanted->items[i])->text;
        uint32_t c = 0;
        if (job->relation && !find_column(job->relation, name))
            FAIL(ERR_UNDEFINED_COLUMN,
                 .message = fmt("column \"%.*s\" of relation \"%.*s\" does not exist",
                                STR_ARGS(name), STR_ARGS(job->relation->name)));
        while (c < count && !str_equal(names[c], name))
            c++;
        if (c == count && !job->relation)
            FAIL(ERR_UNDEFINED_COLUMN,
                 .message = fmt("column \"%.*s\" does not exist", STR_ARGS(name)));
        if (c == count)
            FAIL(ERR_INVALID_COLUMN_REFERENCE,
                 .message = fmt("%s column \"%.*s\" not referenced by COPY",
                                option == job->force_quote      ? "FORCE_QUOTE"
                                : option == job->force_not_null ? "FORCE_NOT_NULL"
                                                                : "FORCE_NULL",
                                STR_ARGS(name)));
        flags[c] = true;
    }
    return true;
}

/* A query's columns are known when it has been analyzed. */
static bool apply_forces(CopyJob *job)
{
    const DefElem *options[] = {job->force_quote, job->force_not_null, job->force_null};
    const bool **flags[] = {&job->format.force_quote, &job->format.force_not_null,
                            &job->format.force_null};
    Str *names = ARENA_ARRAY(job->context->arena, Str, MAX(job->column_count, 1u));

    for (uint32_t c = 0; c < job->column_count; c++)
        names[c] = job->columns[c]->name;
    for (size_t i = 0; i < ARRAY_LENGTH(options) && job->relation; i++)
        if (options[i])
            TRY(copy_column_flags(job, options[i], names, job->column_count, flags[i]));
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

/* FREEZE is for tables of the own transaction; as nobody else sees them, nothing is left to do. */
static bool check_freeze(const CopyJob *job)
{
    Txn *txn = ddl_catalog(job->context)->txn;
    TxnTree *tree;

    TRY(txn_tree_open(txn, ddl_catalog(job->context)->database_oid, job->relation->tree, &tree));
    const bool is_own = txn_tree_is_own(txn, tree);
    txn_tree_close(tree);
    if (!is_own)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = STR("cannot perform COPY FREEZE because the table was not created or "
                            "truncated in the current subtransaction"));
    return true;
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
    if (statement->is_from && job->freeze)
        TRY(check_freeze(job));
    return true;
}

/* Text is in the encoding that ENCODING says; the binary form's texts, and text without the option,
 * are in the client's. */
static bool run(CopyJob *job)
{
    const bool is_from = job->statement->is_from;
    const int client = encoding_find(settings()->client_encoding);
    const bool is_binary = job->format.form == COPY_BINARY;
    const int encoding = is_binary || job->file_encoding < 0 ? client : job->file_encoding;

    if (encoding == ENCODING_UTF8 || encoding == ENCODING_SQL_ASCII)
        return is_from ? copy_from(job) : copy_to(job);
    if (encoding == ENCODING_MULE_INTERNAL)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("default conversion function for encoding \"%s\" to \"%s\" does not "
                            "exist",
                            encoding_name(is_from ? encoding : ENCODING_UTF8),
                            encoding_name(is_from ? ENCODING_UTF8 : encoding)));
    if (is_binary) {
        job->binary_encoding = encoding;
        return is_from ? copy_from(job) : copy_to(job);
    }
    CopyConverter converter;
    copy_converter_init(&converter, job->channel, encoding);
    job->channel = &converter.channel;
    const bool ok = is_from ? copy_from(job) : copy_to(job);
    copy_converter_deinit(&converter);
    return ok;
}

static bool run_through_file(CopyJob *job)
{
    const CopyStmt *statement = job->statement;
    CopyFile file;

    TRY(copy_file_open(&file, job->context, statement->filename, statement->is_from));
    job->channel = &file.channel;
    bool ok = run(job);
    return copy_file_close(&file, ok);
}

bool copy_execute(CommandContext *context, const CopyStmt *statement, CopyChannel *channel,
                  Str *ret_tag)
{
    CopyJob job = {
        .context = context, .statement = statement, .channel = channel, .file_encoding = -1};
    const bool has_file = !str_is_none(statement->filename);

    if (statement->is_program)
        FAIL_UNSUPPORTED("COPY with PROGRAM");
    TRY(!has_file || copy_file_check_role(context, statement->is_from));
    TRY(parse_options(&job));
    if (statement->relation)
        TRY(open_table(&job));
    TRY(apply_forces(&job));
    TRY(has_file ? run_through_file(&job) : run(&job));
    *ret_tag = str_format(context->arena, "COPY %llu", (unsigned long long)job.row_count);
    return true;
}
