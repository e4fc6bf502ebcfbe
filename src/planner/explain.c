#include <math.h>

#include "catalog/lookup.h"
#include "catalog/relation.h"
#include "planner/explain_internal.h"

/* ---- names ---- */

const char *explain_join_word(JoinKind kind)
{
    static const char *const words[] = {
        [JOINS_INNER] = "",     [JOINS_LEFT] = " Left", [JOINS_RIGHT] = " Right",
        [JOINS_FULL] = " Full", [JOINS_SEMI] = " Semi", [JOINS_ANTI] = " Anti"};
    return words[kind];
}

const char *explain_node_type(const Plan *plan)
{
    switch (plan->kind) {
    case PLAN_RESULT:
        return "Result";
    case PLAN_SEQ_SCAN:
        return "Seq Scan";
    case PLAN_INDEX_SCAN:
        return "Index Scan";
    case PLAN_INDEX_ONLY_SCAN:
        return ((const IndexScanPlan *)plan)->is_of_bitmap ? "Bitmap Index Scan"
                                                           : "Index Only Scan";
    case PLAN_ROW_ID_SCAN:
        return plan->left ? "Bitmap Heap Scan" : "Tid Scan";
    case PLAN_VALUES_SCAN:
        return "Values Scan";
    case PLAN_FUNCTION_SCAN:
        return "Function Scan";
    case PLAN_SUBQUERY_SCAN:
        return "Subquery Scan";
    case PLAN_CTE_SCAN:
        return "CTE Scan";
    case PLAN_WORK_TABLE_SCAN:
        return "WorkTable Scan";
    case PLAN_RECURSIVE_UNION:
        return "Recursive Union";
    case PLAN_PROJECT_SET:
        return "ProjectSet";
    case PLAN_NEST_LOOP:
        return "Nested Loop";
    case PLAN_HASH_JOIN:
        return "Hash Join";
    case PLAN_AGGREGATE:
        return "Aggregate";
    case PLAN_SORT:
        return explain_is_incremental(plan) ? "Incremental Sort" : "Sort";
    case PLAN_TOP_N:
        return "Sort";
    case PLAN_LIMIT:
        return "Limit";
    case PLAN_UNIQUE:
        return "Unique";
    case PLAN_APPEND:
        return ((const AppendPlan *)plan)->is_of_bitmap ? "BitmapOr" : "Append";
    case PLAN_SET_OP:
        return "SetOp";
    case PLAN_MATERIAL:
        return "Materialize";
    case PLAN_WINDOW:
        return "WindowAgg";
    case PLAN_LOCK_ROWS:
        return "LockRows";
    case PLAN_MODIFY:
        return "ModifyTable";
    }
    return "???";
}

const char *explain_modify_word(const Plan *plan)
{
    const QueryCommand command = ((const ModifyPlan *)plan)->command;
    return command == QUERY_INSERT ? "Insert" : command == QUERY_UPDATE ? "Update" : "Delete";
}

static Str relation_text(Explain *e, Str schema, Str name, Str alias)
{
    StrBuf buf = strbuf_in(e->arena);
    strbuf_append(&buf, deparse_qualified(e->arena, e->options->verbose ? schema : STR_NONE, name));
    if (!str_equal(alias, name) && alias.length > 0)
        strbuf_format(&buf, " %.*s", STR_ARGS(deparse_identifier(e->arena, alias)));
    return strbuf_view(&buf);
}

/* Beside sets with columns, which are hashed. */
bool explain_has_empty_set(const AggregatePlan *plan)
{
    bool has_empty = false;
    for (size_t s = 0; s < plan->sets.length; s++)
        has_empty |= plan->sets.items[s].is_empty;
    return has_empty && plan->group_by.length > 0;
}

static Str call_schema(Explain *e, const Expr *call)
{
    const Oid oid = expr_function(call);
    const FunctionDesc *function = oid ? function_find(e->session, oid) : NULL;
    return function ? namespace_name(e->session, function->namespace_oid) : STR_NONE;
}

static Str node_title(Explain *e, const Plan *plan)
{
    StrBuf buf = strbuf_in(e->arena);
    switch (plan->kind) {
    case PLAN_SEQ_SCAN:
    case PLAN_ROW_ID_SCAN: {
        const ScanPlan *scan = (const ScanPlan *)plan;
        strbuf_format(&buf, "%s on %.*s", explain_node_type(plan),
                      STR_ARGS(relation_text(e, scan->schema_name, scan->relation_name,
                                             deparse_plan_name(e->deparse, plan))));
        break;
    }
    case PLAN_INDEX_SCAN:
    case PLAN_INDEX_ONLY_SCAN: {
        const IndexScanPlan *scan = (const IndexScanPlan *)plan;
        if (scan->is_of_bitmap) {
            strbuf_format(&buf, "%s on %.*s", explain_node_type(plan),
                          STR_ARGS(deparse_identifier(e->arena, scan->index_name)));
            break;
        }
        strbuf_format(&buf, "%s%s using %.*s on %.*s", explain_node_type(plan),
                      scan->is_backward ? " Backward" : "",
                      STR_ARGS(deparse_identifier(e->arena, scan->index_name)),
                      STR_ARGS(relation_text(e, scan->scan.schema_name, scan->scan.relation_name,
                                             deparse_plan_name(e->deparse, plan))));
        break;
    }
    case PLAN_VALUES_SCAN:
        strbuf_format(&buf, "Values Scan on %.*s",
                      STR_ARGS(deparse_identifier(e->arena, deparse_plan_name(e->deparse, plan))));
        break;
    case PLAN_FUNCTION_SCAN: {
        const FunctionScanPlan *scan = (const FunctionScanPlan *)plan;
        const Str call =
            deparse_plan_expression(e->deparse, plan, scan->functions.items[0].call, false);
        const size_t paren = str_find_char(call, '(', 0);
        const Str name = paren == SIZE_MAX ? call : str_slice(call, 0, paren);
        const Str schema =
            e->options->verbose ? call_schema(e, scan->functions.items[0].call) : STR_NONE;
        strbuf_format(&buf, "Function Scan on %.*s%s%.*s", STR_ARGS(schema),
                      schema.length > 0 ? "." : "", STR_ARGS(name));
        const Str alias = deparse_plan_name(e->deparse, plan);
        if (!str_equal(name, alias))
            strbuf_format(&buf, " %.*s", STR_ARGS(deparse_identifier(e->arena, alias)));
        break;
    }
    case PLAN_SUBQUERY_SCAN:
        strbuf_format(&buf, "Subquery Scan on %.*s",
                      STR_ARGS(deparse_identifier(e->arena, deparse_plan_name(e->deparse, plan))));
        break;
    case PLAN_CTE_SCAN:
    case PLAN_WORK_TABLE_SCAN: {
        const Str alias = deparse_plan_name(e->deparse, plan);
        const Str name = plan->kind == PLAN_CTE_SCAN ? ((const CteScanPlan *)plan)->cte_name
                                                     : ((const WorkTableScanPlan *)plan)->cte_name;
        strbuf_format(&buf, "%s on %.*s", explain_node_type(plan),
                      STR_ARGS(deparse_identifier(e->arena, name)));
        if (!str_equal(alias, name))
            strbuf_format(&buf, " %.*s", STR_ARGS(deparse_identifier(e->arena, alias)));
        break;
    }
    case PLAN_NEST_LOOP:
    case PLAN_HASH_JOIN: {
        const JoinKind kind = ((const JoinPlan *)plan)->join_type;
        if (kind == JOINS_INNER)
            strbuf_append_c(&buf, explain_node_type(plan));
        else
            strbuf_format(&buf, "%s%s Join", plan->kind == PLAN_NEST_LOOP ? "Nested Loop" : "Hash",
                          explain_join_word(kind));
        break;
    }
    case PLAN_AGGREGATE: {
        const AggregateStrategy strategy = ((const AggregatePlan *)plan)->strategy;
        strbuf_append_c(&buf, explain_has_empty_set((const AggregatePlan *)plan) ? "MixedAggregate"
                              : strategy == AGGREGATE_HASHED                     ? "HashAggregate"
                              : strategy == AGGREGATE_SORTED                     ? "GroupAggregate"
                                                                                 : "Aggregate");
        break;
    }
    case PLAN_SET_OP: {
        const SetOpPlan *set = (const SetOpPlan *)plan;
        strbuf_format(&buf, "HashSetOp %s%s", set->op == SET_INTERSECT ? "Intersect" : "Except",
                      set->is_all ? " All" : "");
        break;
    }
    case PLAN_MODIFY: {
        const ModifyPlan *modify = (const ModifyPlan *)plan;
        strbuf_format(&buf, "%s on %.*s", explain_modify_word(plan),
                      STR_ARGS(relation_text(e, modify->schema_name, modify->relation_name,
                                             deparse_plan_name(e->deparse, plan))));
        break;
    }
    default:
        strbuf_append_c(&buf, explain_node_type(plan));
        break;
    }
    return strbuf_view(&buf);
}

/* ---- properties: the same in each format ---- */

static void add_text(Explain *e, Properties *ret, const char *label, Str text)
{
    const Property property = {.label = label, .text = text};
    VEC_PUSH(e->arena, ret, property);
}

static void add_number(Explain *e, Properties *ret, const char *label, double number)
{
    const Property property = {
        .label = label, .text = str_format(e->arena, "%.0f", number), .is_number = true};
    VEC_PUSH(e->arena, ret, property);
}

/* Rows that a test removed: in text only where there are some. */
static void add_removed(Explain *e, Properties *ret, const char *label, double rows, double loops)
{
    if (rows > 0 || e->options->format != EXPLAIN_TEXT)
        add_number(e, ret, label, loops > 0 ? rows / loops : 0);
}

/* Conditions: one prints as it is, several are joined by AND. */
static void add_conditions(Explain *e, Properties *ret, const char *label, const Plan *plan,
                           const ExprVec *list)
{
    if (list->length == 0)
        return;
    const Expr *all = expr_and_list(e->arena, list);
    const bool is_word = all->kind == EXPR_PARAM || all->kind == EXPR_SLOT ||
                         all->kind == EXPR_FUNCTION || all->kind == EXPR_CONST;
    add_text(e, ret, label, deparse_plan_expression(e->deparse, plan, all, !is_word));
}

static void add_keys(Explain *e, Properties *ret, const char *label, const Plan *plan,
                     const SortKeyVec *keys)
{
    Property property = {.label = label, .is_list = true};
    for (size_t i = 0; i < keys->length; i++) {
        Str text = deparse_plan_expression(e->deparse, plan, keys->items[i].expr, false);
        if (keys->items[i].expr->kind != EXPR_SLOT)
            text = deparse_plan_expression(e->deparse, plan, keys->items[i].expr, true);
        if (keys->items[i].is_descending)
            text = str_concat(e->arena, text, STR(" DESC"));
        if (keys->items[i].nulls_first != keys->items[i].is_descending)
            text =
                str_concat(e->arena, text,
                           keys->items[i].nulls_first ? STR(" NULLS FIRST") : STR(" NULLS LAST"));
        VEC_PUSH(e->arena, &property.list, text);
    }
    if (property.list.length > 0)
        VEC_PUSH(e->arena, ret, property);
}

static void add_exprs(Explain *e, Properties *ret, const char *label, const Plan *plan,
                      const ExprVec *list)
{
    Property property = {.label = label, .is_list = true};
    for (size_t i = 0; i < list->length; i++) {
        const Str text = deparse_plan_expression(e->deparse, plan, list->items[i], false);
        VEC_PUSH(e->arena, &property.list, text);
    }
    if (property.list.length > 0)
        VEC_PUSH(e->arena, ret, property);
}

/* What the node below makes is a key as it is written there. */
static void add_group_keys(Explain *e, Properties *ret, const char *label, const Plan *plan,
                           const ExprVec *keys)
{
    Property property = {.label = label, .is_list = true};
    const bool is_made_below = plan->left && !plan->left->passes_through;
    Plan shell = *plan;
    shell.kind = PLAN_MATERIAL; /* keys are over the child's row, not over the node's own */
    for (size_t i = 0; i < keys->length; i++) {
        const Expr *key = keys->items[i];
        const Plan *owner = &shell;
        if (key->kind == EXPR_SLOT && is_made_below) {
            owner = plan->left;
            key = owner->targets.items[EXPR_AS(const ExprSlot, key)->column];
        }
        const Str text = deparse_plan_key(e->deparse, owner, key);
        VEC_PUSH(e->arena, &property.list, text);
    }
    if (property.list.length > 0)
        VEC_PUSH(e->arena, ret, property);
}

/* What passes through a node is what its child gives. */
static void add_output(Explain *e, Properties *ret, const Plan *plan)
{
    Property property = {.label = "Output", .is_list = true};
    ExprVec outputs = plan->targets;
    for (int i = 0; plan->passes_through && plan->left && i < plan->column_count; i++) {
        const Expr like = {.type = plan->columns[i].type, .typmod = plan->columns[i].typmod};
        VEC_PUSH(e->arena, &outputs, expr_slot(e->arena, 0, i, &like));
    }
    for (size_t i = 0; i < outputs.length; i++) {
        const Str text = deparse_plan_output(e->deparse, plan, outputs.items[i]);
        VEC_PUSH(e->arena, &property.list, text);
    }
    if (property.list.length > 0)
        VEC_PUSH(e->arena, ret, property);
}

static void add_grouping_sets(Explain *e, Properties *ret, const AggregatePlan *plan)
{
    for (size_t s = 0; s < plan->sets.length; s++) {
        ExprVec keys = {0};
        for (size_t g = 0; g < plan->group_by.length; g++)
            if (plan->sets.items[s].includes[g])
                VEC_PUSH(e->arena, &keys, plan->group_by.items[g]);
        add_group_keys(e, ret, "Hash Key", &plan->base, &keys);
    }
    for (size_t s = 0; s < plan->sets.length; s++)
        if (plan->sets.items[s].is_empty)
            add_text(e, ret, "Group Key", STR("()"));
}

/* As the condition of the index, or that for which rows are looked at again. */
static bool is_shown_otherwise(const Plan *plan, const Expr *condition)
{
    if (plan->kind == PLAN_ROW_ID_SCAN)
        return plan->left && ((const RowIdScanPlan *)plan)->source == condition;
    if (plan->kind != PLAN_INDEX_SCAN && plan->kind != PLAN_INDEX_ONLY_SCAN)
        return false;
    const IndexScanPlan *scan = (const IndexScanPlan *)plan;
    for (size_t k = 0; k < scan->keys.length; k++)
        if (scan->keys.items[k].source == condition)
            return true;
    return false;
}

static void add_filter(Explain *e, Properties *ret, const Plan *plan, const char *label,
                       const ExplainInstrument *actual)
{
    ExprVec filter = {0};
    for (size_t i = 0; i < plan->filter.length; i++)
        if (!is_shown_otherwise(plan, plan->filter.items[i]))
            VEC_PUSH(e->arena, &filter, plan->filter.items[i]);
    add_conditions(e, ret, label, plan, &filter);
    if (filter.length > 0 && e->options->analyze)
        add_removed(e, ret, "Rows Removed by Filter", actual ? actual->filtered_rows : 0,
                    actual ? actual->loops : 0);
}

static Str join_texts(Explain *e, const Texts *list)
{
    StrBuf buf = strbuf_in(e->arena);
    for (size_t i = 0; i < list->length; i++) {
        if (i > 0)
            strbuf_append_c(&buf, ", ");
        strbuf_append(&buf, list->items[i]);
    }
    return strbuf_view(&buf);
}

static void add_sort_keys(Explain *e, Properties *ret, const SortPlan *plan)
{
    SortKeyVec presorted = {0};
    for (int i = 0; i < plan->presorted; i++) { /* shown without their directions */
        const SortKey key = {.expr = plan->keys.items[i].expr};
        VEC_PUSH(e->arena, &presorted, key);
    }
    add_keys(e, ret, "Sort Key", &plan->base, &plan->keys);
    add_keys(e, ret, "Presorted Key", &plan->base, &presorted);
}

uint64_t explain_kilobytes(uint64_t bytes)
{
    return bytes / 1024 + 1;
}

void explain_sort_methods(Explain *e, const ExplainInstrument *actual, Texts *ret)
{
    static const char *const names[] = {"top-N heapsort", "quicksort", "external merge"};
    for (unsigned i = 0; i < 3; i++)
        if (actual->sort_methods & 1u << i)
            VEC_PUSH(e->arena, ret, str_from_c(names[i]));
}

static void add_sort_groups(Explain *e, Properties *ret, const ExplainInstrument *actual)
{
    StrBuf buf = strbuf_in(e->arena);
    Texts methods = {0};
    if (actual->sorts == 0)
        return;
    explain_sort_methods(e, actual, &methods);
    strbuf_format(&buf, "%lu  Sort Method%s: %.*s", (unsigned long)actual->sorts,
                  methods.length > 1 ? "s" : "", STR_ARGS(join_texts(e, &methods)));
    strbuf_format(&buf, "  Average Memory: %lukB  Peak Memory: %lukB",
                  (unsigned long)explain_kilobytes(actual->sort_bytes / actual->sorts),
                  (unsigned long)explain_kilobytes(actual->memory_bytes));
    if (actual->disk_bytes > 0)
        strbuf_format(&buf, "  Peak Disk: %lukB",
                      (unsigned long)explain_kilobytes(actual->disk_bytes));
    add_text(e, ret, "Full-sort Groups", strbuf_view(&buf));
}

void explain_node_properties(Explain *e, const Plan *plan, const ExplainInstrument *actual,
                             Properties *ret)
{
    if (e->options->verbose)
        add_output(e, ret, plan);
    switch (plan->kind) {
    case PLAN_INDEX_SCAN:
    case PLAN_INDEX_ONLY_SCAN: {
        const IndexScanPlan *scan = (const IndexScanPlan *)plan;
        ExprVec conditions = {0};
        for (size_t i = 0; i < scan->keys.length; i++)
            if (i == 0 || scan->keys.items[i].source != scan->keys.items[i - 1].source)
                VEC_PUSH(e->arena, &conditions, scan->keys.items[i].source);
        add_conditions(e, ret, "Index Cond", plan, &conditions);
        if (conditions.length > 0 && e->options->analyze)
            add_removed(e, ret, "Rows Removed by Index Recheck", 0, 0);
        break;
    }
    case PLAN_FUNCTION_SCAN: {
        const FunctionScanPlan *scan = (const FunctionScanPlan *)plan;
        ExprVec calls = {0};
        for (size_t i = 0; e->options->verbose && i < scan->functions.length; i++)
            VEC_PUSH(e->arena, &calls, scan->functions.items[i].call);
        add_exprs(e, ret, "Function Call", plan, &calls);
        break;
    }
    case PLAN_ROW_ID_SCAN: {
        const RowIdScanPlan *scan = (const RowIdScanPlan *)plan;
        if (scan->source)
            add_text(e, ret, plan->left ? "Recheck Cond" : "TID Cond",
                     deparse_plan_expression(e->deparse, plan, scan->source, false));
        break;
    }
    case PLAN_NEST_LOOP:
        add_conditions(e, ret, "Join Filter", plan, &((const JoinPlan *)plan)->condition);
        break;
    case PLAN_HASH_JOIN:
        add_conditions(e, ret, "Hash Cond", plan, &((const HashJoinPlan *)plan)->conditions);
        add_conditions(e, ret, "Join Filter", plan, &((const JoinPlan *)plan)->condition);
        break;
    case PLAN_AGGREGATE: {
        const AggregatePlan *aggregate = (const AggregatePlan *)plan;
        if (aggregate->sets.length > 0)
            add_grouping_sets(e, ret, aggregate);
        else
            add_group_keys(e, ret, "Group Key", plan, &aggregate->group_by);
        break;
    }
    case PLAN_SORT:
        add_sort_keys(e, ret, (const SortPlan *)plan);
        break;
    case PLAN_TOP_N:
        add_keys(e, ret, "Sort Key", plan, &((const TopNPlan *)plan)->keys);
        break;
    case PLAN_RESULT:
        add_conditions(e, ret, "One-Time Filter", plan,
                       &((const ResultPlan *)plan)->one_time_filter);
        break;
    case PLAN_MODIFY: {
        const ModifyPlan *modify = (const ModifyPlan *)plan;
        if (modify->conflict)
            add_text(e, ret, "Conflict Resolution",
                     modify->conflict->do_update ? STR("UPDATE") : STR("NOTHING"));
        break;
    }
    default:
        break;
    }
    add_filter(e, ret, plan, "Filter", actual);
    if (plan->kind == PLAN_INDEX_ONLY_SCAN && e->options->analyze)
        add_number(e, ret, "Heap Fetches", actual ? (double)actual->heap_fetches : 0);
    if (explain_is_incremental(plan) && actual && e->options->format == EXPLAIN_TEXT)
        add_sort_groups(e, ret, actual);
    const bool sorts =
        (plan->kind == PLAN_SORT && !explain_is_incremental(plan)) || plan->kind == PLAN_TOP_N;
    if (sorts && actual && actual->loops > 0) {
        const bool on_disk = actual->disk_bytes > 0;
        add_text(
            e, ret, "Sort Method",
            str_format(
                e->arena, "%s  %s: %lukB",
                on_disk                    ? "external merge"
                : plan->kind == PLAN_TOP_N ? "top-N heapsort"
                                           : "quicksort",
                on_disk ? "Disk" : "Memory",
                (unsigned long)((on_disk ? actual->disk_bytes : actual->memory_bytes) / 1024 + 1)));
    }
}

/* ---- text ---- */

static void add_line(Explain *e, int indent, Str text)
{
    StrBuf buf = strbuf_in(e->arena);
    for (int i = 0; i < indent; i++)
        strbuf_append_char(&buf, ' ');
    strbuf_append(&buf, text);
    const Str line = strbuf_view(&buf);
    VEC_PUSH(e->arena, e->lines, line);
}

static Str node_costs(Explain *e, const Plan *plan, const ExplainInstrument *actual, bool ran)
{
    StrBuf buf = strbuf_in(e->arena);
    if (e->options->costs)
        strbuf_format(&buf, "  (cost=%.2f..%.2f rows=%.0f width=%d)", plan->startup_cost,
                      plan->total_cost, plan->rows, plan->width);
    if (!e->options->analyze)
        return strbuf_view(&buf);
    if (!ran || actual->loops == 0) {
        strbuf_append_c(&buf, " (never executed)");
        return strbuf_view(&buf);
    }
    const double loops = actual->loops;
    if (e->options->timing)
        strbuf_format(&buf, " (actual time=%.3f..%.3f rows=%.0f loops=%.0f)",
                      actual->startup_ms / loops, actual->total_ms / loops, actual->rows / loops,
                      loops);
    else
        strbuf_format(&buf, " (actual rows=%.0f loops=%.0f)", actual->rows / loops, loops);
    return strbuf_view(&buf);
}

static void text_node(Explain *e, const Plan *plan, int indent, bool is_top);

static bool find_subplans(void *context, Expr *expr)
{
    SubplanRefs *refs = context;
    int index = -1;
    if (expr->kind == EXPR_SUB_PLAN)
        index = EXPR_AS(ExprSubPlan, expr)->subplan;
    else if (expr->kind == EXPR_PARAM && EXPR_AS(ExprParam, expr)->param_kind == PARAM_EXEC)
        index = refs->explain->statement->params.items[EXPR_AS(ExprParam, expr)->number].init_plan;
    if (index >= 0 && !refs->explain->shown_subplans[index]) {
        refs->explain->shown_subplans[index] = 1;
        VEC_PUSH(refs->explain->arena, &refs->list, index);
    }
    return expr_walk(expr, find_subplans, refs);
}

void explain_node_subplans(Explain *e, const Plan *plan, SubplanRefs *refs)
{
    refs->explain = e;
    for (size_t i = 0; i < plan->init_plans.length; i++) {
        const int index = plan->init_plans.items[i];
        if (!e->shown_subplans[index])
            VEC_PUSH(e->arena, &refs->list, index);
        e->shown_subplans[index] = 1;
    }
    for (size_t i = 0; i < plan->filter.length; i++)
        (void)find_subplans(refs, plan->filter.items[i]);
    for (size_t i = 0; i < plan->targets.length; i++)
        (void)find_subplans(refs, plan->targets.items[i]);
    if (plan->kind == PLAN_RESULT)
        for (size_t i = 0; i < ((const ResultPlan *)plan)->one_time_filter.length; i++)
            (void)find_subplans(refs, ((const ResultPlan *)plan)->one_time_filter.items[i]);
    if (plan->kind == PLAN_INDEX_SCAN || plan->kind == PLAN_INDEX_ONLY_SCAN)
        for (size_t i = 0; i < ((const IndexScanPlan *)plan)->keys.length; i++)
            if (((const IndexScanPlan *)plan)->keys.items[i].value)
                (void)find_subplans(refs, ((const IndexScanPlan *)plan)->keys.items[i].value);
    if (plan->kind == PLAN_MODIFY)
        for (size_t i = 0; i < ((const ModifyPlan *)plan)->assign.length; i++)
            (void)find_subplans(refs, ((const ModifyPlan *)plan)->assign.items[i].expr);
}

static void text_children(Explain *e, const Plan *plan, int indent)
{
    if (plan->kind == PLAN_APPEND) {
        const AppendPlan *append = (const AppendPlan *)plan;
        for (size_t i = 0; i < append->children.length; i++)
            text_node(e, append->children.items[i], indent, false);
    }
    if (plan->left)
        text_node(e, plan->left, indent, false);
    if (plan->right && plan->kind == PLAN_HASH_JOIN) {
        /* The hash table is no node of its own here; it is shown as one, as readers expect. */
        StrBuf buf = strbuf_in(e->arena);
        strbuf_append_c(&buf, "->  Hash");
        if (e->options->costs)
            strbuf_format(&buf, "  (cost=%.2f..%.2f rows=%.0f width=%d)", plan->right->total_cost,
                          plan->right->total_cost, plan->right->rows, plan->right->width);
        add_line(e, indent, strbuf_view(&buf));
        text_node(e, plan->right, indent + 6, false);
    } else if (plan->right) {
        text_node(e, plan->right, indent, false);
    }
}

static void text_node(Explain *e, const Plan *plan, int indent, bool is_top)
{
    ExplainInstrument actual = {0};
    Properties properties = {0};
    SubplanRefs refs = {0};
    const bool ran = e->options->analyze && e->options->instrument &&
                     e->options->instrument(e->options->context, plan->id, &actual);
    const Str title = node_title(e, plan);
    const Str costs = node_costs(e, plan, &actual, ran);
    if (plan->kind == PLAN_TOP_N && !((const TopNPlan *)plan)->is_below_limit) {
        /* A top-N is a Limit over a Sort. */
        add_line(e, indent,
                 str_format(e->arena, "%sLimit%.*s", is_top ? "" : "->  ", STR_ARGS(costs)));
        indent = is_top ? indent + 2 : indent + 6;
        is_top = false;
    }
    add_line(
        e, indent,
        str_format(e->arena, "%s%.*s%.*s", is_top ? "" : "->  ", STR_ARGS(title), STR_ARGS(costs)));
    const int inside = is_top ? indent + 2 : indent + 6;
    explain_node_properties(e, plan, ran ? &actual : NULL, &properties);
    for (size_t i = 0; i < properties.length; i++) {
        const Property *property = &properties.items[i];
        const Str text = property->is_list ? join_texts(e, &property->list) : property->text;
        add_line(e, inside, str_format(e->arena, "%s: %.*s", property->label, STR_ARGS(text)));
    }
    explain_node_subplans(e, plan, &refs);
    const PlannedStatement *statement = e->statement;
    if (is_top && indent == 0)
        for (size_t i = 0; i < statement->subplans.length; i++) {
            const SubplanInfo *info = &statement->subplans.items[i];
            if (info->use != SUBPLAN_CTE && info->use != SUBPLAN_MODIFY_CTE)
                continue;
            add_line(e, inside, info->name);
            text_node(e, info->plan, inside + 2, false);
        }
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1)
            text_children(e, plan, inside);
        for (size_t i = 0; i < refs.list.length; i++) {
            const SubplanInfo *info = &statement->subplans.items[refs.list.items[i]];
            if ((info->use == SUBPLAN_INIT) != (pass == 0))
                continue;
            add_line(e, inside, info->name);
            text_node(e, info->plan, inside + 2, false);
        }
    }
}

static void text_settings(Explain *e)
{
    StrBuf buf = strbuf_in(e->arena);
    for (size_t i = 0; i < e->options->changed.length; i++) {
        const ExplainSetting *setting = &e->options->changed.items[i];
        strbuf_format(&buf, "%s%.*s = '%.*s'", i > 0 ? ", " : "Settings: ", STR_ARGS(setting->name),
                      STR_ARGS(setting->value));
    }
    if (buf.length > 0)
        add_line(e, 0, strbuf_view(&buf));
}

bool explain_plan(Arena *arena, CatalogSession *session, const PlannedStatement *statement,
                  const ExplainOptions *options, ExplainLines *ret_lines)
{
    Explain e = {.arena = arena,
                 .session = session,
                 .statement = statement,
                 .options = options,
                 .deparse = deparse_plan_new(arena, session, statement, options->verbose),
                 .lines = ret_lines};
    e.shown_subplans = ARENA_ARRAY(arena, uint8_t, statement->subplans.length + 1);
    if (options->format != EXPLAIN_TEXT) {
        const Str document = explain_document(&e);
        VEC_PUSH(arena, ret_lines, document);
        return true;
    }
    text_node(&e, statement->plan, 0, true);
    if (options->settings)
        text_settings(&e);
    if (options->summary)
        add_line(&e, 0, str_format(arena, "Planning Time: %.3f ms", options->planning_ms));
    if (options->summary && options->analyze)
        add_line(&e, 0, str_format(arena, "Execution Time: %.3f ms", options->execution_ms));
    return true;
}
