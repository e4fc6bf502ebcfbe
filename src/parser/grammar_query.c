/* SELECT, INSERT, UPDATE, DELETE, MERGE and their parts. */
#include "parser/grammar.h"

#define NEW(type, position) NODE_NEW(p->arena, type, (position))
#define PUSH(vec, value) VEC_PUSH(p->arena, &(vec), (value))

/* -- SELECT ---------------------------------------------------------------------------------- */

ResTarget *res_target(Grammar *p, Node *value, Str name, int position)
{
    ResTarget *target = NEW(ResTarget, position);

    target->val = value;
    target->name = name;
    return target;
}

ResTarget *res_target_star(Grammar *p, int position)
{
    ColumnRef *star = NEW(ColumnRef, position);

    star->star = true;
    return res_target(p, &star->node, STR_NONE, position);
}

SelectStmt *select_table(Grammar *p, RangeVar *relation, int position)
{
    SelectStmt *select = NEW(SelectStmt, position);

    PUSH(select->target_list, res_target_star(p, 0));
    PUSH(select->from_clause, &relation->node);
    return select;
}

SelectLimit *select_limit(Grammar *p, Node *count, LimitOption option)
{
    SelectLimit *limit = ARENA_NEW(p->arena, SelectLimit);

    limit->count = count;
    limit->option = option;
    return limit;
}

static void fail_multiple(Grammar *p, const char *what, int position)
{
    grammar_fail(p, ERR_SYNTAX_ERROR, fmt("multiple %s clauses not allowed", what), STR_NONE,
                 position);
}

static void add_limit(Grammar *p, SelectStmt *select, const SelectLimit *limit)
{
    if (limit->offset && select->limit_offset)
        fail_multiple(p, "OFFSET", node_position(limit->offset));
    if (limit->count && select->limit_count)
        fail_multiple(p, "LIMIT", node_position(limit->count));
    if (limit->offset)
        select->limit_offset = limit->offset;
    if (!limit->count)
        return;
    select->limit_count = limit->count;
    select->limit_option = limit->option;
    if (limit->option != LIMIT_OPTION_WITH_TIES)
        return;
    if (select->sort_clause.length == 0)
        grammar_fail(p, ERR_SYNTAX_ERROR,
                     STR("WITH TIES cannot be specified without ORDER BY clause"), STR_NONE, 0);
    for (size_t i = 0; i < select->locking_clause.length; i++)
        if (select->locking_clause.items[i]->wait_policy == LOCK_WAIT_SKIP)
            grammar_fail(p, ERR_SYNTAX_ERROR,
                         STR("SKIP LOCKED and WITH TIES options cannot be used together"), STR_NONE,
                         0);
}

/* The clauses that come after a SELECT or a set operation and belong to the whole. */
SelectStmt *select_finish(Grammar *p, SelectStmt *select, const SortByVec *sort,
                          const LockingClauseVec *locking, const SelectLimit *limit)
{
    if (sort && sort->length > 0) {
        if (select->sort_clause.length > 0)
            fail_multiple(p, "ORDER BY", node_position(sort->items[0]->expr));
        select->sort_clause = *sort;
    }
    for (size_t i = 0; locking && i < locking->length; i++)
        PUSH(select->locking_clause, locking->items[i]);
    if (limit)
        add_limit(p, select, limit);
    return select;
}

SelectStmt *select_with(Grammar *p, SelectStmt *select, WithClause *with)
{
    if (select->with_clause)
        fail_multiple(p, "WITH", with->node.position);
    select->with_clause = with;
    return select;
}

Node *grouping_set(Grammar *p, GroupingSetKind kind, const NodeVec *content, int position)
{
    GroupingSet *set = NEW(GroupingSet, position);

    set->kind = kind;
    if (content)
        set->content = *content;
    return &set->node;
}

Node *cte_search(Grammar *p, bool breadth_first, const StrVec *columns, Token sequence,
                 int position)
{
    CTESearchClause *clause = NEW(CTESearchClause, position);

    clause->breadth_first = breadth_first;
    clause->columns = *columns;
    clause->seq_column = sequence.text;
    return &clause->node;
}

/* -- FROM ------------------------------------------------------------------------------------ */

Alias *alias_new(Grammar *p, Token name, const StrVec *columns)
{
    Alias *alias = NEW(Alias, name.position);

    alias->name = name.text;
    if (columns)
        alias->colnames = *columns;
    return alias;
}

RangeFunction *func_table(Grammar *p, Node *function, bool ordinality)
{
    RangeFunction *range = NEW(RangeFunction, node_position(function));
    RangeFunctionItem *item = NEW(RangeFunctionItem, node_position(function));

    item->func = function;
    PUSH(range->functions, item);
    range->ordinality = ordinality;
    return range;
}

Node *range_function(RangeFunction *range, const FuncAlias *alias, bool lateral)
{
    range->lateral = lateral;
    range->alias = alias->alias;
    range->coldeflist = alias->columns;
    return &range->node;
}

Node *range_subselect(Grammar *p, SelectStmt *select, Alias *alias, bool lateral)
{
    RangeSubselect *range = NEW(RangeSubselect, select->node.position);

    range->subquery = select;
    range->alias = alias;
    range->lateral = lateral;
    if (!alias) {
        bool is_values = select->values_lists.length > 0;
        grammar_fail(p, ERR_SYNTAX_ERROR,
                     is_values ? STR("VALUES in FROM must have an alias")
                               : STR("subquery in FROM must have an alias"),
                     is_values ? STR("For example, FROM (VALUES ...) [AS] foo.")
                               : STR("For example, FROM (SELECT ...) [AS] foo."),
                     select->node.position);
    }
    return &range->node;
}

Node *table_sample(Grammar *p, const Names *method, const NodeVec *args, Node *repeatable,
                   int position)
{
    RangeTableSample *sample = NEW(RangeTableSample, position);

    sample->method = method->names;
    sample->args = *args;
    sample->repeatable = repeatable;
    return &sample->node;
}

/* -- INSERT, UPDATE, MERGE ------------------------------------------------------------------- */

/* (a, b) = source: each column refers to its share of the one source. */
ResTargetVec set_multiple(Grammar *p, const ResTargetVec *targets, Node *source)
{
    for (size_t i = 0; i < targets->length; i++) {
        MultiAssignRef *ref = NEW(MultiAssignRef, node_position(source));
        ref->source = source;
        ref->column_number = (int)i + 1;
        ref->column_count = (int)targets->length;
        targets->items[i]->val = &ref->node;
    }
    return *targets;
}

MergeWhenClause *merge_when(MergeWhenClause *clause, bool matched, Node *condition, int position)
{
    clause->node.position = position;
    clause->matched = matched;
    clause->condition = condition;
    return clause;
}

MergeWhenClause *merge_insert(Grammar *p, const ResTargetVec *columns, OverridingKind overriding,
                              const NodeVec *values)
{
    MergeWhenClause *clause = NEW(MergeWhenClause, 0);

    clause->action = MERGE_INSERT;
    clause->overriding = overriding;
    if (columns)
        clause->target_list = *columns;
    if (values)
        clause->values = *values;
    return clause;
}

/* -- Cursors, prepared statements, EXPLAIN ----------------------------------------------------- */

FetchStmt *fetch(Grammar *p, FetchDirection direction, int64_t count, Token cursor)
{
    FetchStmt *statement = NEW(FetchStmt, 0);

    statement->direction = direction;
    statement->how_many = count;
    statement->portalname = cursor.text;
    return statement;
}

Node *execute_stmt(Grammar *p, Token name, const NodeVec *params, int position)
{
    ExecuteStmt *statement = NEW(ExecuteStmt, position);

    statement->name = name.text;
    statement->params = *params;
    return &statement->node;
}

Node *deallocate(Grammar *p, Str name, int position)
{
    DeallocateStmt *statement = NEW(DeallocateStmt, position);

    statement->name = name;
    return &statement->node;
}

Node *explain(Grammar *p, Node *query, const DefElemVec *options, int position)
{
    ExplainStmt *statement = NEW(ExplainStmt, position);

    statement->query = query;
    if (options)
        statement->options = *options;
    return &statement->node;
}
