/* Plans as trees of named values: json, xml and yaml. */
#include "catalog/lookup.h"
#include "planner/explain_internal.h"

/*
 * One writer for three formats. A group is an object or a list; what stands in a list has no label.
 * In xml everything is an element, which is why groups have a name of their own (`kind`).
 */
typedef struct Writer {
    ExplainFormat format;
    StrBuf *out;
    int depth;
    bool is_first; /* of its group: what comes next needs no separator */
} Writer;

static void put(Writer *w, const char *text)
{
    strbuf_append_c(w->out, text);
}

static void put_spaces(Writer *w, int count)
{
    for (int i = 0; i < count; i++)
        strbuf_append_char(w->out, ' ');
}

/* As json quotes them; yaml does likewise. */
static void put_quoted(Writer *w, Str text)
{
    strbuf_append_char(w->out, '"');
    for (size_t i = 0; i < text.length; i++) {
        const unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            strbuf_format(w->out, "\\%c", c);
        else if (c == '\n')
            put(w, "\\n");
        else if (c < 32)
            strbuf_format(w->out, "\\u%04x", c);
        else
            strbuf_append_char(w->out, (char)c);
    }
    strbuf_append_char(w->out, '"');
}

static void put_escaped(Writer *w, Str text)
{
    for (size_t i = 0; i < text.length; i++) {
        const char c = text.data[i];
        if (c == '&')
            put(w, "&amp;");
        else if (c == '<')
            put(w, "&lt;");
        else if (c == '>')
            put(w, "&gt;");
        else if (c == '\r')
            put(w, "&#x0d;");
        else
            strbuf_append_char(w->out, c);
    }
}

static void put_tag(Writer *w, const char *before, const char *name)
{
    put(w, before);
    for (const char *c = name; *c; c++)
        strbuf_append_char(w->out, *c == ' ' || *c == '/' ? '-' : *c);
    put(w, ">");
}

/* The place of the next value: its line and its label. */
static void begin_value(Writer *w, const char *label)
{
    if (w->format == EXPLAIN_XML) {
        put_spaces(w, 2 * w->depth);
        return;
    }
    if (w->format == EXPLAIN_YAML) {
        if (!w->is_first) {
            put(w, "\n");
            put_spaces(w, 2 * w->depth);
        }
    } else {
        put(w, w->is_first ? "\n" : ",\n");
        put_spaces(w, 2 * w->depth);
    }
    w->is_first = false;
    if (label)
        strbuf_format(w->out, w->format == EXPLAIN_JSON ? "\"%s\": " : "%s: ", label);
}

static void open_group(Writer *w, const char *kind, const char *label, bool is_object)
{
    begin_value(w, label);
    if (w->format == EXPLAIN_XML) {
        put_tag(w, "<", kind);
        put(w, "\n");
    } else if (w->format == EXPLAIN_JSON) {
        put(w, is_object ? "{" : "[");
    } else if (!label) {
        put(w, "- ");
    }
    w->depth++;
    w->is_first = w->format == EXPLAIN_JSON || !label;
}

static void close_group(Writer *w, const char *kind, bool is_object)
{
    w->depth--;
    w->is_first = false;
    if (w->format == EXPLAIN_XML) {
        put_spaces(w, 2 * w->depth);
        put_tag(w, "</", kind);
        put(w, "\n");
    } else if (w->format == EXPLAIN_JSON) {
        put(w, "\n");
        put_spaces(w, 2 * w->depth);
        put(w, is_object ? "}" : "]");
    }
}

static void put_value(Writer *w, const char *label, Str text, bool is_quoted)
{
    begin_value(w, label);
    if (w->format == EXPLAIN_XML) {
        put_tag(w, "<", label);
        put_escaped(w, text);
        put_tag(w, "</", label);
        put(w, "\n");
    } else if (is_quoted) {
        put_quoted(w, text);
    } else {
        strbuf_append(w->out, text);
    }
}

static void put_text(Writer *w, const char *label, Str text)
{
    put_value(w, label, text, true);
}

static void put_number(Writer *w, const char *label, const char *format, double number)
{
    put_value(w, label, fmt(format, number), false);
}

static void put_list(Writer *w, const char *label, const Texts *list)
{
    begin_value(w, label);
    if (w->format == EXPLAIN_XML) {
        put_tag(w, "<", label);
        put(w, "\n");
    } else if (w->format == EXPLAIN_JSON) {
        put(w, "[");
    }
    for (size_t i = 0; i < list->length; i++) {
        if (w->format == EXPLAIN_JSON) {
            put(w, i > 0 ? ", " : "");
            put_quoted(w, list->items[i]);
        } else if (w->format == EXPLAIN_XML) {
            put_spaces(w, 2 * w->depth + 2);
            put(w, "<Item>");
            put_escaped(w, list->items[i]);
            put(w, "</Item>\n");
        } else {
            put(w, "\n");
            put_spaces(w, 2 * w->depth + 2);
            put(w, "- ");
            put_quoted(w, list->items[i]);
        }
    }
    if (w->format == EXPLAIN_XML) {
        put_spaces(w, 2 * w->depth);
        put_tag(w, "</", label);
        put(w, "\n");
    } else if (w->format == EXPLAIN_JSON) {
        put(w, "]");
    }
}

/* ---- nodes ---- */

/* How a node hangs on the one above it. */
typedef struct Relation {
    const char *relationship; /* NULL: the topmost */
    Str subplan_name;
} Relation;

/* What comes right after the node's type. */
static void tree_kind(Writer *w, const Plan *plan)
{
    if (plan->kind == PLAN_AGGREGATE) {
        const AggregateStrategy strategy = ((const AggregatePlan *)plan)->strategy;
        put_text(w, "Strategy",
                 explain_has_empty_set((const AggregatePlan *)plan) ? STR("Mixed")
                 : strategy == AGGREGATE_PLAIN                      ? STR("Plain")
                 : strategy == AGGREGATE_HASHED                     ? STR("Hashed")
                                                                    : STR("Sorted"));
        put_text(w, "Partial Mode", STR("Simple"));
    } else if (plan->kind == PLAN_SET_OP) {
        put_text(w, "Strategy", STR("Hashed"));
    } else if (plan->kind == PLAN_MODIFY) {
        put_text(w, "Operation", str_from_c(explain_modify_word(plan)));
    }
}

static void tree_relation(Explain *e, Writer *w, const Plan *plan, Str name, Str schema)
{
    put_text(w, "Relation Name", name);
    if (e->options->verbose)
        put_text(w, "Schema", schema);
    put_text(w, "Alias", deparse_plan_name(e->deparse, plan));
}

/* What of a call comes before its arguments. */
static Str called_name(Explain *e, const Plan *plan, const Expr *call)
{
    const Str text = deparse_plan_expression(e->deparse, plan, call, false);
    return str_slice(text, 0, MIN(str_find_char(text, '(', 0), text.length));
}

static void tree_join(Writer *w, const JoinPlan *join)
{
    const JoinKind kind = join->join_type;
    put_text(w, "Join Type",
             kind == JOINS_INNER ? STR("Inner") : str_from_c(explain_join_word(kind) + 1));
}

static void tree_details(Explain *e, Writer *w, const Plan *plan)
{
    switch (plan->kind) {
    case PLAN_INDEX_SCAN:
    case PLAN_INDEX_ONLY_SCAN:
        if (!((const IndexScanPlan *)plan)->is_of_bitmap)
            put_text(w, "Scan Direction",
                     ((const IndexScanPlan *)plan)->is_backward ? STR("Backward") : STR("Forward"));
        put_text(w, "Index Name", ((const IndexScanPlan *)plan)->index_name);
        if (((const IndexScanPlan *)plan)->is_of_bitmap)
            break;
        FALLTHROUGH;
    case PLAN_SEQ_SCAN:
    case PLAN_ROW_ID_SCAN:
        tree_relation(e, w, plan, ((const ScanPlan *)plan)->relation_name,
                      ((const ScanPlan *)plan)->schema_name);
        break;
    case PLAN_MODIFY:
        tree_relation(e, w, plan, ((const ModifyPlan *)plan)->relation_name,
                      ((const ModifyPlan *)plan)->schema_name);
        break;
    case PLAN_FUNCTION_SCAN: {
        const Expr *call = ((const FunctionScanPlan *)plan)->functions.items[0].call;
        const FunctionDesc *function =
            expr_function(call) ? function_find(e->session, expr_function(call)) : NULL;
        put_text(w, "Function Name", called_name(e, plan, call));
        if (e->options->verbose && function)
            put_text(w, "Schema", namespace_name(e->session, function->namespace_oid));
        put_text(w, "Alias", deparse_plan_name(e->deparse, plan));
        break;
    }
    case PLAN_CTE_SCAN:
        put_text(w, "CTE Name", ((const CteScanPlan *)plan)->cte_name);
        put_text(w, "Alias", deparse_plan_name(e->deparse, plan));
        break;
    case PLAN_WORK_TABLE_SCAN:
        put_text(w, "CTE Name", ((const WorkTableScanPlan *)plan)->cte_name);
        put_text(w, "Alias", deparse_plan_name(e->deparse, plan));
        break;
    case PLAN_VALUES_SCAN:
    case PLAN_SUBQUERY_SCAN:
        put_text(w, "Alias", deparse_plan_name(e->deparse, plan));
        break;
    case PLAN_NEST_LOOP:
    case PLAN_HASH_JOIN:
        tree_join(w, (const JoinPlan *)plan);
        break;
    case PLAN_SET_OP: {
        const SetOpPlan *set = (const SetOpPlan *)plan;
        put_text(w, "Command",
                 str_format(e->arena, "%s%s", set->op == SET_INTERSECT ? "Intersect" : "Except",
                            set->is_all ? " All" : ""));
        break;
    }
    default:
        break;
    }
}

static void tree_costs(Explain *e, Writer *w, const Plan *plan, double startup_cost)
{
    if (!e->options->costs)
        return;
    put_number(w, "Startup Cost", "%.2f", startup_cost);
    put_number(w, "Total Cost", "%.2f", plan->total_cost);
    put_number(w, "Plan Rows", "%.0f", plan->rows);
    put_number(w, "Plan Width", "%.0f", plan->width);
}

static void tree_actual(Explain *e, Writer *w, const ExplainInstrument *actual)
{
    const double loops = MAX(1, actual->loops);
    if (!e->options->analyze)
        return;
    if (e->options->timing) {
        put_number(w, "Actual Startup Time", "%.3f", actual->startup_ms / loops);
        put_number(w, "Actual Total Time", "%.3f", actual->total_ms / loops);
    }
    put_number(w, "Actual Rows", "%.0f", actual->rows / loops);
    put_number(w, "Actual Loops", "%.0f", actual->loops);
}

static void begin_node(Writer *w, const char *label, const char *type, const Plan *plan,
                       const Relation *relation)
{
    open_group(w, "Plan", label, true);
    put_text(w, "Node Type", str_from_c(type));
    if (plan)
        tree_kind(w, plan);
    if (relation->relationship)
        put_text(w, "Parent Relationship", str_from_c(relation->relationship));
    if (!str_is_none(relation->subplan_name))
        put_text(w, "Subplan Name", relation->subplan_name);
    put_value(w, "Parallel Aware", STR("false"), false);
    put_value(w, "Async Capable", STR("false"), false);
}

static void tree_node(Explain *e, Writer *w, const char *label, const Plan *plan,
                      Relation relation);

static void tree_properties(Explain *e, Writer *w, const Plan *plan,
                            const ExplainInstrument *actual)
{
    Properties properties = {0};
    explain_node_properties(e, plan, actual, &properties);
    for (size_t i = 0; i < properties.length; i++) {
        const Property *property = &properties.items[i];
        if (property->is_list)
            put_list(w, property->label, &property->list);
        else
            put_value(w, property->label, property->text, !property->is_number);
    }
}

static void tree_sort_groups(Explain *e, Writer *w, const ExplainInstrument *actual)
{
    Texts methods = {0};
    explain_sort_methods(e, actual, &methods);
    open_group(w, "Incremental Sort Groups", "Full-sort Groups", true);
    put_number(w, "Group Count", "%.0f", (double)actual->sorts);
    put_list(w, "Sort Methods Used", &methods);
    open_group(w, "Sort Space", "Sort Space Memory", true);
    put_number(w, "Average Sort Space Used", "%.0f",
               (double)explain_kilobytes(actual->sort_bytes / actual->sorts));
    put_number(w, "Peak Sort Space Used", "%.0f", (double)explain_kilobytes(actual->memory_bytes));
    close_group(w, "Sort Space", true);
    close_group(w, "Incremental Sort Groups", true);
}

/* The hash table is no node of its own here; it is shown as one, as readers expect. */
static void tree_hash(Explain *e, Writer *w, const Plan *plan)
{
    begin_node(w, NULL, "Hash", NULL, &(Relation){"Inner", STR_NONE});
    tree_costs(e, w, plan, plan->total_cost);
    open_group(w, "Plans", "Plans", false);
    tree_node(e, w, NULL, plan, (Relation){"Outer", STR_NONE});
    close_group(w, "Plans", false);
    close_group(w, "Plan", true);
}

static void tree_subplan(Explain *e, Writer *w, const SubplanInfo *info)
{
    const bool is_init =
        info->use == SUBPLAN_INIT || info->use == SUBPLAN_CTE || info->use == SUBPLAN_MODIFY_CTE;
    tree_node(e, w, NULL, info->plan, (Relation){is_init ? "InitPlan" : "SubPlan", info->name});
}

static bool is_with_item(const SubplanInfo *info)
{
    return info->use == SUBPLAN_CTE || info->use == SUBPLAN_MODIFY_CTE;
}

/* Items of WITH hang on the topmost node, init plans come before the children, others behind. */
static void tree_children(Explain *e, Writer *w, const Plan *plan, const SubplanRefs *refs,
                          bool is_top)
{
    const PlannedStatement *statement = e->statement;
    for (size_t i = 0; is_top && i < statement->subplans.length; i++)
        if (is_with_item(&statement->subplans.items[i]))
            tree_subplan(e, w, &statement->subplans.items[i]);
    for (size_t i = 0; i < refs->list.length; i++)
        if (statement->subplans.items[refs->list.items[i]].use == SUBPLAN_INIT)
            tree_subplan(e, w, &statement->subplans.items[refs->list.items[i]]);
    if (plan->kind == PLAN_APPEND)
        for (size_t i = 0; i < ((const AppendPlan *)plan)->children.length; i++)
            tree_node(e, w, NULL, ((const AppendPlan *)plan)->children.items[i],
                      (Relation){"Member", STR_NONE});
    if (plan->left)
        tree_node(e, w, NULL, plan->left,
                  (Relation){plan->kind == PLAN_SUBQUERY_SCAN ? "Subquery" : "Outer", STR_NONE});
    if (plan->right && plan->kind == PLAN_HASH_JOIN)
        tree_hash(e, w, plan->right);
    else if (plan->right)
        tree_node(e, w, NULL, plan->right, (Relation){"Inner", STR_NONE});
    for (size_t i = 0; i < refs->list.length; i++)
        if (statement->subplans.items[refs->list.items[i]].use != SUBPLAN_INIT)
            tree_subplan(e, w, &statement->subplans.items[refs->list.items[i]]);
}

static bool has_children(const Explain *e, const Plan *plan, const SubplanRefs *refs, bool is_top)
{
    for (size_t i = 0; is_top && i < e->statement->subplans.length; i++)
        if (is_with_item(&e->statement->subplans.items[i]))
            return true;
    return plan->left || plan->right || plan->kind == PLAN_APPEND || refs->list.length > 0;
}

static void tree_node(Explain *e, Writer *w, const char *label, const Plan *plan, Relation relation)
{
    ExplainInstrument actual = {0};
    SubplanRefs refs = {0};
    const bool ran = e->options->analyze && e->options->instrument &&
                     e->options->instrument(e->options->context, plan->id, &actual);
    const bool is_limit = plan->kind == PLAN_TOP_N && !((const TopNPlan *)plan)->is_below_limit;
    const bool is_top = !relation.relationship;
    if (is_limit) { /* a top-N is a Limit over a Sort */
        begin_node(w, label, "Limit", NULL, &relation);
        tree_costs(e, w, plan, plan->startup_cost);
        tree_actual(e, w, &actual);
        open_group(w, "Plans", "Plans", false);
        relation = (Relation){"Outer", STR_NONE};
        label = NULL;
    }
    begin_node(w, label, explain_node_type(plan), plan, &relation);
    tree_details(e, w, plan);
    tree_costs(e, w, plan, plan->startup_cost);
    tree_actual(e, w, &actual);
    tree_properties(e, w, plan, ran ? &actual : NULL);
    if (explain_is_incremental(plan) && ran && actual.sorts > 0)
        tree_sort_groups(e, w, &actual);
    if (plan->kind == PLAN_APPEND)
        put_number(w, "Subplans Removed", "%.0f", 0);
    explain_node_subplans(e, plan, &refs);
    if (has_children(e, plan, &refs, is_top)) {
        open_group(w, "Plans", "Plans", false);
        tree_children(e, w, plan, &refs, is_top);
        close_group(w, "Plans", false);
    }
    close_group(w, "Plan", true);
    if (is_limit) {
        close_group(w, "Plans", false);
        close_group(w, "Plan", true);
    }
}

/* ---- the document ---- */

static void tree_query(Explain *e, Writer *w)
{
    const ExplainOptions *options = e->options;
    open_group(w, "Query", NULL, true);
    tree_node(e, w, "Plan", e->statement->plan, (Relation){NULL, STR_NONE});
    if (options->settings) {
        open_group(w, "Settings", "Settings", true);
        for (size_t i = 0; i < options->changed.length; i++) {
            const Str name = options->changed.items[i].name;
            char *label = ARENA_ARRAY(e->arena, char, name.length + 1);
            memcpy(label, name.data, name.length);
            put_text(w, label, options->changed.items[i].value);
        }
        close_group(w, "Settings", true);
    }
    if (options->summary)
        put_number(w, "Planning Time", "%.3f", options->planning_ms);
    if (options->analyze) {
        open_group(w, "Triggers", "Triggers", false);
        close_group(w, "Triggers", false);
    }
    if (options->analyze && options->summary)
        put_number(w, "Execution Time", "%.3f", options->execution_ms);
    close_group(w, "Query", true);
}

Str explain_document(Explain *e)
{
    StrBuf out = strbuf_in(e->arena);
    Writer w = {.format = e->options->format, .out = &out, .is_first = true};
    if (w.format == EXPLAIN_XML)
        put(&w, "<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n");
    else if (w.format == EXPLAIN_JSON)
        put(&w, "[");
    w.depth = w.format == EXPLAIN_YAML ? 0 : 1;
    tree_query(e, &w);
    if (w.format == EXPLAIN_XML)
        put(&w, "</explain>");
    else if (w.format == EXPLAIN_JSON)
        put(&w, "\n]");
    return strbuf_view(&out);
}
