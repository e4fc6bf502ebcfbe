#include "executor/command/maintain.h"

#include "base/os.h"
#include "base/settings.h"
#include "executor/command/ddl_internal.h"
#include "executor/state.h"
#include "planner/explain.h"
#include "planner/planner.h"
#include "types/type.h"

typedef struct Explanation {
    CommandContext *context;
    ExplainOptions options;
    bool has_timing, has_summary, wants_wal;
    const PlannedStatement *planned;
    ExecParameters parameters;
    ExecState *state;
    const Plan **plans; /* by Plan.id */
} Explanation;

/* ---- options ---- */

static Str format_name(const DefElem *option)
{
    return NODE_IS(option->arg, A_Const) ? NODE_CAST(A_Const, option->arg)->text : STR("");
}

static bool find_format(Str name, ExplainFormat *ret_format)
{
    static const Str names[] = {[EXPLAIN_TEXT] = {"text", 4},
                                [EXPLAIN_JSON] = {"json", 4},
                                [EXPLAIN_XML] = {"xml", 3},
                                [EXPLAIN_YAML] = {"yaml", 4}};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (str_equal(name, names[i])) {
            *ret_format = (ExplainFormat)i;
            return true;
        }
    return false;
}

static bool option_format(const DefElem *option, ExplainFormat *ret_format)
{
    const Str text = format_name(option);
    if (find_format(text, ret_format))
        return true;
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message = fmt("unrecognized value for EXPLAIN option \"%.*s\": \"%.*s\"",
                        STR_ARGS(option->name), STR_ARGS(text)),
         .position = option->node.position);
}

/* Documents in JSON are of that type; XML is text here. */
static RowDescription describe_format(Arena *arena, ExplainFormat format)
{
    ResultColumn *column = ARENA_NEW(arena, ResultColumn);

    *column = (ResultColumn){.name = STR("QUERY PLAN"),
                             .type = format == EXPLAIN_JSON ? TYPE_JSON : TYPE_TEXT,
                             .type_modifier = -1,
                             .collation = format == EXPLAIN_JSON ? OID_NONE : COLLATION_DEFAULT,
                             .phys = PHYS_VAR};
    return (RowDescription){column, 1};
}

RowDescription explain_description(Arena *arena, const ExplainStmt *statement)
{
    ExplainFormat format = EXPLAIN_TEXT;

    for (size_t i = 0; i < statement->options.length; i++)
        if (str_equal(statement->options.items[i]->name, STR("format")) &&
            !find_format(format_name(statement->options.items[i]), &format))
            format = EXPLAIN_TEXT; /* refused when it is run */
    return describe_format(arena, format);
}

static bool read_options(Explanation *e, const ExplainStmt *statement)
{
    e->options.costs = true;
    for (size_t i = 0; i < statement->options.length; i++) {
        const DefElem *option = statement->options.items[i];
        const Str name = option->name;
        bool value = true;
        if (str_equal(name, STR("format"))) {
            TRY(option_format(option, &e->options.format));
            continue;
        }
        TRY(ddl_option_bool(option, &value));
        if (str_equal(name, STR("analyze"))) {
            e->options.analyze = value;
        } else if (str_equal(name, STR("verbose"))) {
            e->options.verbose = value;
        } else if (str_equal(name, STR("costs"))) {
            e->options.costs = value;
        } else if (str_equal(name, STR("timing"))) {
            e->options.timing = value;
            e->has_timing = true;
        } else if (str_equal(name, STR("summary"))) {
            e->options.summary = value;
            e->has_summary = true;
        } else if (str_equal(name, STR("settings"))) {
            e->options.settings = value;
        } else if (str_equal(name, STR("buffers"))) {
            if (value)
                FAIL_UNSUPPORTED("EXPLAIN (BUFFERS)");
        } else if (str_equal(name, STR("wal"))) {
            e->wants_wal = value;
        } else {
            FAIL(ERR_SYNTAX_ERROR,
                 .message = fmt("unrecognized EXPLAIN option \"%.*s\"", STR_ARGS(name)),
                 .position = option->node.position);
        }
    }
    if (e->wants_wal && !e->options.analyze)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("EXPLAIN option WAL requires ANALYZE"));
    if (e->wants_wal)
        FAIL_UNSUPPORTED("EXPLAIN (WAL)");
    if (e->has_timing && e->options.timing && !e->options.analyze)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("EXPLAIN option TIMING requires ANALYZE"));
    if (!e->has_timing)
        e->options.timing = e->options.analyze;
    if (!e->has_summary)
        e->options.summary = e->options.analyze;
    return true;
}

/* What plans hang on and is not as it is by default. */
static bool note_settings(Explanation *e)
{
    Arena *arena = e->context->arena;
    SettingValues *defaults = arena_copy(arena, settings(), sizeof(SettingValues));
    for (SettingId id = 0; id < SETTING_COUNT; id++) {
        const SettingInfo *info = &setting_infos[id];
        if (!(info->flags & SETTING_IS_EXPLAIN) || info->size == 0)
            continue;
        TRY(settings_set(defaults, arena, id, info->default_text));
        if (!setting_differs(settings(), defaults, id))
            continue;
        const ExplainSetting setting = {info->name, setting_show(settings(), id, arena)};
        VEC_PUSH(arena, &e->options.changed, setting);
    }
    return true;
}

/* ---- running ---- */

static void collect_plans(Explanation *e, const Plan *plan)
{
    if (!plan)
        return;
    e->plans[plan->id] = plan;
    collect_plans(e, plan->left);
    collect_plans(e, plan->right);
    if (plan->kind == PLAN_APPEND)
        for (size_t i = 0; i < ((const AppendPlan *)plan)->children.length; i++)
            collect_plans(e, ((const AppendPlan *)plan)->children.items[i]);
}

static bool instrument(void *context, int node_id, ExplainInstrument *ret)
{
    const Explanation *e = context;
    const Plan *plan = e->plans[node_id];
    const NodeInstrument *actual = plan ? executor_instrument(e->state, plan) : NULL;
    if (!actual)
        return false;
    *ret = (ExplainInstrument){.startup_ms = (double)actual->startup_time / 1000,
                               .total_ms = (double)actual->total_time / 1000,
                               .rows = (double)actual->rows,
                               .loops = (double)actual->loops,
                               .filtered_rows = (double)actual->rows_removed,
                               .condition_filtered = (double)actual->rows_removed_join,
                               .memory_bytes = actual->memory_bytes,
                               .disk_bytes = actual->spilled_bytes,
                               .sorts = actual->groups,
                               .sort_bytes = actual->group_bytes,
                               .sort_methods = actual->methods,
                               .hash_batches = actual->partitions};
    return true;
}

static bool run(Explanation *e)
{
    RowSink nowhere = {0};
    e->state = executor_new(e->planned, e->context->session);
    TRY(e->state);
    const int64_t start = os->monotonic();
    TRY(executor_start(e->state, &(ExecRequest){.parameters = &e->parameters,
                                                .instrument = true,
                                                .instrument_timing = e->options.timing}));
    TRY(executor_run(e->state, &nowhere, 0));
    e->options.execution_ms = (double)(os->monotonic() - start) / 1000;
    e->plans = ARENA_ARRAY(e->context->arena, const Plan *, e->planned->node_count + 1);
    collect_plans(e, e->planned->plan);
    for (size_t i = 0; i < e->planned->subplans.length; i++)
        collect_plans(e, e->planned->subplans.items[i].plan);
    e->options.instrument = instrument;
    e->options.context = e;
    return true;
}

/* What stands in EXPLAIN: a query, or a command around one. */
static const Node *inner_query(const Node *statement)
{
    if (NODE_IS(statement, CreateTableAsStmt))
        return inner_query(NODE_CAST(CreateTableAsStmt, statement)->query);
    if (NODE_IS(statement, DeclareCursorStmt))
        return &NODE_CAST(DeclareCursorStmt, statement)->query->node;
    return statement;
}

static bool plan_statement(Explanation *e, const ExplainStmt *statement)
{
    CommandContext *context = e->context;
    const Node *inner = inner_query(statement->query);
    const int64_t start = os->monotonic();
    if (NODE_IS(inner, ExecuteStmt)) {
        TRY(context->hooks->prepared_plan(context->hooks->context, NODE_CAST(ExecuteStmt, inner),
                                          &e->planned, &e->parameters));
        if (!e->planned)
            FAIL_UNSUPPORTED("EXPLAIN of this statement");
        e->options.planning_ms = (double)(os->monotonic() - start) / 1000;
        return true;
    }
    const PlanOptions options = {.is_cursor = NODE_IS(statement->query, DeclareCursorStmt)};
    Query *query;
    TRY(e->planned = command_plan(context, inner, context->source, &options, &query));
    if (query->command == QUERY_UTILITY && e->options.analyze)
        FAIL_UNSUPPORTED("EXPLAIN of this statement");
    e->options.planning_ms = (double)(os->monotonic() - start) / 1000;
    if (context->parameters)
        e->parameters = *context->parameters;
    return true;
}

static bool give_lines(Explanation *e, const ExplainLines *lines, RowSink *sink)
{
    Arena *arena = e->context->arena;
    const RowDescription description = describe_format(arena, e->options.format);
    TRY(!sink->describe || sink->describe(sink, &description));
    for (size_t i = 0; i < lines->length; i++) {
        const Value value = {.var = var_from_str(lines->items[i])};
        Vector *columns[1] = {vector_new_constant(arena, PHYS_VAR, &value, false)};
        const Batch batch = {
            .columns = columns, .column_count = 1, .row_count = 1, .selection = {.count = 1}};
        TRY(!sink->rows || sink->rows(sink, &description, &batch));
    }
    return true;
}

bool explain_execute(CommandContext *context, const ExplainStmt *statement, RowSink *sink,
                     Str *ret_tag)
{
    Explanation e = {.context = context};
    ExplainLines lines = {0};
    *ret_tag = STR("EXPLAIN");
    TRY(read_options(&e, statement));
    if (e.options.settings)
        TRY(note_settings(&e));
    TRY(plan_statement(&e, statement));
    bool ok = !e.options.analyze || run(&e);
    ok = ok &&
         explain_plan(context->arena, &context->session->catalog, e.planned, &e.options, &lines);
    executor_free(e.state);
    return ok && give_lines(&e, &lines, sink);
}
