#include "planner/analyze.h"
#include "planner/deparse_internal.h"

static void put(Deparse *d, const char *text)
{
    strbuf_append_c(d->buf, text);
}

/* ---- target lists ---- */

static Str shown_name(Deparse *d, const Expr *expr)
{
    if (expr->kind != EXPR_COLUMN)
        return d->level->names_unseen ? STR("?column?") : STR_NONE;
    if (EXPR_AS(const ExprColumn, expr)->attnum < 1)
        return STR_NONE;
    const ExprColumn *column = EXPR_AS(const ExprColumn, expr);
    const DeparseLevel *level = d->level;
    for (int i = 0; i < column->levels_up && level; i++)
        level = level->outer;
    return level ? query_rte(level->query, column->rel)->columns[column->attnum - 1].name
                 : STR_NONE;
}

static void deparse_targets(Deparse *d, const TargetVec *targets)
{
    bool first = true;
    size_t number = 0;
    for (size_t i = 0; i < targets->length; i++) {
        const TargetEntry *target = &targets->items[i];
        if (target->is_junk)
            continue;
        if (first)
            put(d, " ");
        else
            put(d, ",");
        if (!first)
            deparse_keyword(d, "", -INDENT_STEP, INDENT_STEP, INDENT_COLUMN);
        first = false;
        size_t start = d->buf->length;
        while (start > 0 && d->buf->data[start - 1] == ' ')
            start--;
        deparse_item(d, target->expr);
        /* What begins with a line of its own needs none before it. */
        if (start > 0 && d->buf->length > start && d->buf->data[start] == '\n' &&
            d->buf->data[start - 1] == '\n') {
            memmove(d->buf->data + start, d->buf->data + start + 1, d->buf->length - start - 1);
            strbuf_truncate(d->buf, d->buf->length - 1);
        }
        const TargetVec *names = d->level->names;
        const Str name = names && number < names->length ? names->items[number].name : target->name;
        const Str shown = shown_name(d, target->expr);
        number++;
        if (str_is_none(shown) || !str_equal(shown, name)) {
            put(d, " AS ");
            deparse_name(d, name);
        }
    }
}

/* ---- FROM ---- */

static void deparse_values(Deparse *d, const RangeTableEntry *rte)
{
    put(d, "VALUES ");
    for (size_t r = 0; r < rte->values.length; r++) {
        if (r > 0)
            put(d, ", ");
        put(d, "(");
        deparse_items(d, &rte->values.items[r], ",");
        put(d, ")");
    }
}

static void column_aliases(Deparse *d, const RangeTableEntry *rte)
{
    put(d, "(");
    for (int i = 0; i < rte->column_count; i++) {
        if (i > 0)
            put(d, ", ");
        deparse_name(d, rte->columns[i].name);
    }
    put(d, ")");
}

static void deparse_functions(Deparse *d, const RangeTableEntry *rte)
{
    const bool many = rte->functions.length > 1;
    if (many)
        put(d, "ROWS FROM(");
    for (size_t i = 0; i < rte->functions.length; i++) {
        if (i > 0)
            put(d, ", ");
        deparse_expr(d, rte->functions.items[i].call);
    }
    if (many)
        put(d, ")");
    if (rte->with_ordinality)
        put(d, " WITH ORDINALITY");
}

static void definition_list(Deparse *d, const RangeTableEntry *rte)
{
    put(d, "(");
    for (int i = 0; i < rte->column_count; i++) {
        if (i > 0)
            put(d, ", ");
        deparse_name(d, rte->columns[i].name);
        put(d, " ");
        strbuf_append(d->buf, type_sql_name(d->session, rte->columns[i].type,
                                            rte->columns[i].typmod, d->arena));
    }
    put(d, ")");
}

static void deparse_rel(Deparse *d, int rel)
{
    const RangeTableEntry *rte = query_rte(d->level->query, rel);
    const Str name = deparse_rel_name(d->level, rel);
    const bool has_alias = !str_is_none(rte->alias_name) || !str_equal(name, rte->name);

    if (rte->is_lateral)
        put(d, "LATERAL ");
    if (rte->relation) {
        if (rte->is_only)
            put(d, "ONLY ");
        strbuf_append(d->buf, deparse_relation_name(d, rte->relation));
    } else if (rte->kind == RANGE_SUBQUERY) {
        put(d, "(");
        deparse_subquery(d, rte->subquery);
        put(d, ")");
    } else if (rte->kind == RANGE_FUNCTION) {
        deparse_functions(d, rte);
    } else if (rte->kind == RANGE_VALUES) {
        put(d, "(");
        deparse_values(d, rte);
        put(d, ")");
    } else if (rte->kind == RANGE_CTE) {
        deparse_name(d, rte->cte_name);
    }
    if (rte->kind == RANGE_FUNCTION && rte->functions.items[0].has_definition_list) {
        put(d, has_alias ? " " : " AS ");
        if (has_alias)
            deparse_name(d, name);
        definition_list(d, rte);
        return;
    }
    const bool always = rte->kind == RANGE_FUNCTION || rte->kind == RANGE_VALUES ||
                        (rte->kind == RANGE_SUBQUERY && !rte->relation);
    if (has_alias || always) {
        put(d, " ");
        deparse_name(d, name);
    }
    if (rte->kind == RANGE_FUNCTION || rte->kind == RANGE_VALUES || rte->alias_column_count > 0)
        column_aliases(d, rte);
}

static void deparse_from_item(Deparse *d, const FromItem *item);

static void deparse_join(Deparse *d, const FromItem *item)
{
    static const char *const words[] = {
        [JOINS_INNER] = " JOIN ",
        [JOINS_LEFT] = " LEFT JOIN ",
        [JOINS_RIGHT] = " RIGHT JOIN ",
        [JOINS_FULL] = " FULL JOIN ",
    };
    const RangeTableEntry *rte = item->rel ? query_rte(d->level->query, item->rel) : NULL;
    const bool has_alias = rte && !str_is_none(rte->alias_name);
    const bool paren = !d->pretty || has_alias;
    const char *word =
        item->condition || item->join_type != JOINS_INNER ? words[item->join_type] : " CROSS JOIN ";
    if (paren)
        put(d, "(");
    deparse_from_item(d, item->left);
    deparse_keyword(d, word, -INDENT_STEP, INDENT_STEP, INDENT_JOIN);
    const bool paren_right = d->pretty && item->right->kind == FROM_JOIN;
    if (paren_right)
        put(d, "(");
    deparse_from_item(d, item->right);
    if (paren_right)
        put(d, ")");
    if (item->using_count > 0) {
        put(d, " USING (");
        for (int i = 0; i < item->using_count; i++) {
            if (i > 0)
                put(d, ", ");
            deparse_name(d, item->using_columns[i]);
        }
        put(d, ")");
    } else if (item->condition) {
        put(d, d->pretty ? " ON " : " ON (");
        deparse_condition(d, item->condition);
        if (!d->pretty)
            put(d, ")");
    } else if (item->join_type != JOINS_INNER) {
        put(d, " ON TRUE");
    }
    if (paren)
        put(d, ")");
    if (has_alias) {
        put(d, " ");
        deparse_name(d, deparse_rel_name(d->level, item->rel));
        if (rte->alias_column_count > 0)
            column_aliases(d, rte);
    }
}

static void deparse_from_item(Deparse *d, const FromItem *item)
{
    if (item->kind == FROM_JOIN)
        deparse_join(d, item);
    else
        deparse_rel(d, item->rel);
}

static void deparse_from(Deparse *d, const Query *query, const char *keyword, int skip_rel)
{
    bool first = true;
    for (size_t i = 0; i < query->from.length; i++) {
        const FromItem *item = query->from.items[i];
        if (item->kind == FROM_REL && item->rel == skip_rel)
            continue;
        if (first) {
            deparse_keyword(d, keyword, -INDENT_STEP, INDENT_STEP, 2);
        } else {
            put(d, ",");
            deparse_keyword(d, "", -INDENT_STEP, INDENT_STEP, INDENT_COLUMN);
        }
        first = false;
        deparse_from_item(d, item);
    }
}

/* ---- sorting and grouping ---- */

static void deparse_sort_group(Deparse *d, const Query *query, int ref, bool for_set)
{
    for (size_t i = 0; i < query->targets.length; i++) {
        const TargetEntry *target = &query->targets.items[i];
        if (target->sort_group_ref != ref)
            continue;
        if (for_set) {
            strbuf_append_int64(d->buf, (int64_t)i + 1);
        } else if (target->expr->kind == EXPR_CONST) {
            deparse_const(d, EXPR_AS(const ExprConst, target->expr), 1);
        } else {
            const ExprKind kind = target->expr->kind;
            const bool is_call =
                kind == EXPR_FUNCTION || kind == EXPR_AGGREGATE || kind == EXPR_WINDOW_FUNCTION;
            const bool paren = is_call || (d->pretty && kind != EXPR_COLUMN);
            if (paren)
                put(d, "(");
            deparse_expr(d, target->expr);
            if (paren)
                put(d, ")");
        }
        return;
    }
}

static void deparse_clauses(Deparse *d, const Query *query, const SortVec *list, bool sorted)
{
    for (size_t i = 0; i < list->length; i++) {
        const SortClause *clause = &list->items[i];
        if (i > 0)
            put(d, ", ");
        deparse_sort_group(d, query, clause->ref, sorted && query->set_op);
        if (sorted)
            deparse_sort(d, query_target_by_ref(query, clause->ref)->expr, clause->is_descending,
                         clause->nulls_first);
    }
}

/* A node of GROUP BY; at the top a single expression has no parentheses of its own. */
static void deparse_grouping(Deparse *d, const Query *query, const GroupingNode *node,
                             bool omits_parens)
{
    const char *open = "(";
    switch (node->kind) {
    case GROUPING_EMPTY:
        put(d, "()");
        return;
    case GROUPING_SIMPLE: {
        const bool bare = omits_parens && node->refs.length == 1;
        put(d, bare ? "" : "(");
        for (size_t i = 0; i < node->refs.length; i++) {
            put(d, i > 0 ? ", " : "");
            deparse_sort_group(d, query, node->refs.items[i], false);
        }
        put(d, bare ? "" : ")");
        return;
    }
    case GROUPING_ROLLUP:
        open = "ROLLUP(";
        break;
    case GROUPING_CUBE:
        open = "CUBE(";
        break;
    case GROUPING_LIST:
        open = "GROUPING SETS (";
        break;
    }
    put(d, open);
    for (size_t i = 0; i < node->children.length; i++) {
        put(d, i > 0 ? ", " : "");
        deparse_grouping(d, query, node->children.items[i], node->kind != GROUPING_LIST);
    }
    put(d, ")");
}

static void deparse_bound(Deparse *d, int options, bool is_end, const Expr *offset)
{
    const int preceding =
        is_end ? FRAMEOPTION_END_OFFSET_PRECEDING : FRAMEOPTION_START_OFFSET_PRECEDING;
    if (options &
        (is_end ? FRAMEOPTION_END_UNBOUNDED_FOLLOWING : FRAMEOPTION_START_UNBOUNDED_FOLLOWING)) {
        put(d, "UNBOUNDED FOLLOWING ");
    } else if (options & (is_end ? FRAMEOPTION_END_UNBOUNDED_PRECEDING
                                 : FRAMEOPTION_START_UNBOUNDED_PRECEDING)) {
        put(d, "UNBOUNDED PRECEDING ");
    } else if (options & (is_end ? FRAMEOPTION_END_CURRENT_ROW : FRAMEOPTION_START_CURRENT_ROW)) {
        put(d, "CURRENT ROW ");
    } else if (offset) {
        deparse_condition(d, offset);
        put(d, options & preceding ? " PRECEDING " : " FOLLOWING ");
    }
}

void deparse_window(Deparse *d, const Query *query, const WindowClause *window)
{
    bool blank = false;
    put(d, "(");
    if (!str_is_none(window->ref_name)) {
        deparse_name(d, window->ref_name);
        blank = true;
    }
    if (window->partition_by.length > 0 && str_is_none(window->ref_name)) {
        put(d, "PARTITION BY ");
        deparse_clauses(d, query, &window->partition_by, false);
        blank = true;
    }
    if (window->order_by.length > 0 && !window->copied_order) {
        put(d, blank ? " ORDER BY " : "ORDER BY ");
        deparse_clauses(d, query, &window->order_by, true);
        blank = true;
    }
    if (window->frame_options & FRAMEOPTION_NONDEFAULT) {
        if (blank)
            put(d, " ");
        put(d, window->frame_options & FRAMEOPTION_RANGE  ? "RANGE "
               : window->frame_options & FRAMEOPTION_ROWS ? "ROWS "
                                                          : "GROUPS ");
        if (window->frame_options & FRAMEOPTION_BETWEEN)
            put(d, "BETWEEN ");
        deparse_bound(d, window->frame_options, false, window->start_offset);
        if (window->frame_options & FRAMEOPTION_BETWEEN) {
            put(d, "AND ");
            deparse_bound(d, window->frame_options, true, window->end_offset);
        }
        if (window->frame_options & FRAMEOPTION_EXCLUDE_CURRENT_ROW)
            put(d, "EXCLUDE CURRENT ROW ");
        else if (window->frame_options & FRAMEOPTION_EXCLUDE_GROUP)
            put(d, "EXCLUDE GROUP ");
        else if (window->frame_options & FRAMEOPTION_EXCLUDE_TIES)
            put(d, "EXCLUDE TIES ");
        strbuf_truncate(d->buf, d->buf->length - 1);
    }
    put(d, ")");
}

/* ---- SELECT ---- */

static void deparse_cte_columns(Deparse *d, const CommonTable *cte, const int *columns, int count)
{
    for (int i = 0; i < count; i++) {
        put(d, i > 0 ? ", " : "");
        deparse_name(d, cte->columns[columns[i]].name);
    }
}

static void deparse_cte_clauses(Deparse *d, const CommonTable *cte)
{
    if (cte->search) {
        put(d,
            cte->search->breadth_first ? " SEARCH BREADTH FIRST BY " : " SEARCH DEPTH FIRST BY ");
        deparse_cte_columns(d, cte, cte->search->columns, cte->search->column_count);
        put(d, " SET ");
        deparse_name(d, cte->search->sequence);
    }
    if (!cte->cycle)
        return;
    put(d, " CYCLE ");
    deparse_cte_columns(d, cte, cte->cycle->columns, cte->cycle->column_count);
    put(d, " SET ");
    deparse_name(d, cte->cycle->mark);
    if (cte->cycle->is_written) {
        put(d, " TO ");
        deparse_expr(d, cte->cycle->value);
        put(d, " DEFAULT ");
        deparse_expr(d, cte->cycle->otherwise);
    }
    put(d, " USING ");
    deparse_name(d, cte->cycle->path);
}

static void deparse_with(Deparse *d, const Query *query)
{
    if (query->ctes.length == 0)
        return;
    d->indent += INDENT_STEP;
    put(d, " ");
    put(d, query->with_recursive ? "WITH RECURSIVE " : "WITH ");
    for (size_t i = 0; i < query->ctes.length; i++) {
        const CommonTable *cte = query->ctes.items[i];
        if (i > 0)
            put(d, ", ");
        deparse_name(d, cte->name);
        if (cte->alias_column_count > 0) {
            put(d, "(");
            for (int c = 0; c < cte->alias_column_count; c++) {
                if (c > 0)
                    put(d, ", ");
                deparse_name(d, cte->alias_columns[c]);
            }
            put(d, ")");
        }
        put(d, cte->materialize == CTE_MATERIALIZE_ALWAYS  ? " AS MATERIALIZED ("
               : cte->materialize == CTE_MATERIALIZE_NEVER ? " AS NOT MATERIALIZED ("
                                                           : " AS (");
        deparse_keyword(d, "", 0, 0, 0);
        deparse_subquery(d, cte->query);
        deparse_keyword(d, "", 0, 0, 0);
        put(d, ")");
        deparse_cte_clauses(d, cte);
    }
    d->indent -= INDENT_STEP;
    deparse_keyword(d, "", 0, 0, 0);
}

static void deparse_basic_select(Deparse *d, const Query *query)
{
    d->indent += INDENT_STEP;
    put(d, " ");
    if (query->is_values) {
        deparse_values(d, query->range_table.items[0]);
        d->indent -= INDENT_STEP;
        return;
    }
    put(d, "SELECT");
    if (query->is_distinct_on) {
        put(d, " DISTINCT ON (");
        deparse_clauses(d, query, &query->distinct, false);
        put(d, ")");
    } else if (query->distinct.length > 0) {
        put(d, " DISTINCT");
    }
    deparse_targets(d, &query->targets);
    deparse_from(d, query, " FROM ", 0);
    if (query->where) {
        deparse_keyword(d, " WHERE ", -INDENT_STEP, INDENT_STEP, 1);
        deparse_condition(d, query->where);
    }
    if (query->group_by.length > 0 || query->grouping_sets.length > 0) {
        deparse_keyword(d, " GROUP BY ", -INDENT_STEP, INDENT_STEP, 1);
        if (query->group_distinct)
            put(d, "DISTINCT ");
        if (query->grouping_sets.length == 0)
            deparse_clauses(d, query, &query->group_by, false);
        for (size_t i = 0; i < query->grouping_sets.length; i++) {
            put(d, i > 0 ? ", " : "");
            deparse_grouping(d, query, query->grouping_sets.items[i], true);
        }
    }
    if (query->having) {
        deparse_keyword(d, " HAVING ", -INDENT_STEP, INDENT_STEP, 0);
        deparse_condition(d, query->having);
    }
    bool first = true;
    for (size_t i = 0; i < query->windows.length; i++) {
        const WindowClause *window = query->windows.items[i];
        if (str_is_none(window->name))
            continue;
        if (first)
            deparse_keyword(d, " WINDOW ", -INDENT_STEP, INDENT_STEP, 1);
        else
            put(d, ", ");
        first = false;
        deparse_name(d, window->name);
        put(d, " AS ");
        deparse_window(d, query, window);
    }
    d->indent -= INDENT_STEP;
}

/* `is_first`: the member whose columns name the whole's. */
static void deparse_set(Deparse *d, const Query *query, const SetOpNode *node, bool is_first)
{
    if (!node->op) {
        const Query *leaf = query_rte(query, node->rel)->subquery;
        const bool paren = leaf->ctes.length > 0 || leaf->order_by.length > 0 ||
                           leaf->row_marks.length > 0 || leaf->limit_count || leaf->limit_offset ||
                           leaf->set_op;
        if (paren)
            put(d, "(");
        d->member_names = d->level->names ? d->level->names : &query->targets;
        d->names_unseen = d->level->names_unseen || !is_first;
        deparse_subquery(d, leaf);
        if (paren)
            put(d, ")");
        return;
    }
    /* A left operand of the same kind needs no parentheses. */
    const bool paren_left =
        node->left->op && !(node->left->op == node->op && node->left->is_all == node->is_all);
    const int step = paren_left ? INDENT_STEP : 0;
    if (paren_left) {
        put(d, "(");
        d->indent += step;
        deparse_keyword(d, "", 0, 0, 0);
    }
    deparse_set(d, query, node->left, is_first);
    if (paren_left)
        deparse_keyword(d, ") ", -step, 0, 0);
    else
        deparse_keyword(d, "", 0, 0, 0);
    put(d, node->op == SET_UNION ? "UNION " : node->op == SET_INTERSECT ? "INTERSECT " : "EXCEPT ");
    if (node->is_all)
        put(d, "ALL ");
    const bool paren_right = node->right->op != 0;
    if (paren_right) {
        put(d, "(");
        d->indent += INDENT_STEP;
    }
    deparse_keyword(d, "", 0, 0, 0);
    deparse_set(d, query, node->right, false);
    if (paren_right) {
        d->indent -= INDENT_STEP;
        deparse_keyword(d, ")", 0, 0, 0);
    }
}

static void deparse_select(Deparse *d, const Query *query)
{
    static const char *const locks[] = {
        [LOCK_FOR_KEY_SHARE] = " FOR KEY SHARE",
        [LOCK_FOR_SHARE] = " FOR SHARE",
        [LOCK_FOR_NO_KEY_UPDATE] = " FOR NO KEY UPDATE",
        [LOCK_FOR_UPDATE] = " FOR UPDATE",
    };
    deparse_with(d, query);
    if (query->set_op)
        deparse_set(d, query, query->set_op, true);
    else
        deparse_basic_select(d, query);
    if (query->order_by.length > 0) {
        deparse_keyword(d, " ORDER BY ", 0, 0, 1);
        deparse_clauses(d, query, &query->order_by, true);
    }
    if (query->limit_offset) {
        deparse_keyword(d, " OFFSET ", 0, 0, 0);
        deparse_condition(d, query->limit_offset);
    }
    if (query->limit_count) {
        const bool is_all = query->limit_count->kind == EXPR_CONST &&
                            EXPR_AS(const ExprConst, query->limit_count)->is_null;
        if (query->limit_option == LIMIT_OPTION_WITH_TIES) {
            deparse_keyword(d, " FETCH FIRST ", 0, 0, 0);
            put(d, "(");
            deparse_condition(d, query->limit_count);
            put(d, ") ROWS WITH TIES");
        } else {
            deparse_keyword(d, " LIMIT ", 0, 0, 0);
            if (is_all)
                put(d, "ALL");
            else
                deparse_condition(d, query->limit_count);
        }
    }
    for (size_t i = 0; i < query->row_marks.length; i++) {
        const RowMark *mark = &query->row_marks.items[i];
        if (mark->pushed_down)
            continue;
        deparse_keyword(d, locks[mark->strength], 0, 0, 0);
        put(d, " OF ");
        deparse_name(d, deparse_rel_name(d->level, mark->rel));
        put(d, mark->wait == LOCK_WAIT_ERROR  ? " NOWAIT"
               : mark->wait == LOCK_WAIT_SKIP ? " SKIP LOCKED"
                                              : "");
    }
}

static void deparse_modify(Deparse *d, const Query *query)
{
    const RangeTableEntry *rte = query_rte(query, query->result_rel);
    deparse_with(d, query);
    put(d, query->command == QUERY_INSERT   ? " INSERT INTO "
           : query->command == QUERY_UPDATE ? " UPDATE "
                                            : " DELETE FROM ");
    strbuf_append(d->buf, deparse_relation_name(d, rte->relation));
    if (!str_is_none(rte->alias_name)) {
        put(d, query->command == QUERY_INSERT ? " AS " : " ");
        deparse_name(d, rte->alias_name);
    }
    d->indent += INDENT_STEP;
    if (query->command == QUERY_INSERT) {
        put(d, " (");
        for (size_t i = 0; i < query->targets.length; i++) {
            if (i > 0)
                put(d, ", ");
            deparse_name(d, query->targets.items[i].name);
        }
        put(d, ")");
        deparse_keyword(d, "VALUES (", -INDENT_STEP, INDENT_STEP, 2);
        for (size_t i = 0; i < query->targets.length; i++) {
            if (i > 0)
                put(d, ", ");
            deparse_expr(d, query->targets.items[i].expr);
        }
        put(d, ")");
    } else if (query->command == QUERY_UPDATE) {
        put(d, " SET ");
        for (size_t i = 0; i < query->targets.length; i++) {
            if (i > 0)
                put(d, ", ");
            deparse_name(d, query->targets.items[i].name);
            put(d, " = ");
            deparse_expr(d, query->targets.items[i].expr);
        }
        deparse_from(d, query, " FROM ", query->result_rel);
    } else {
        deparse_from(d, query, " USING ", query->result_rel);
    }
    if (query->where) {
        deparse_keyword(d, " WHERE ", -INDENT_STEP, INDENT_STEP, 1);
        deparse_condition(d, query->where);
    }
    if (query->returning.length > 0) {
        deparse_keyword(d, " RETURNING", -INDENT_STEP, INDENT_STEP, 1);
        deparse_targets(d, &query->returning);
    }
    d->indent -= INDENT_STEP;
}

Str deparse_rel_name(const DeparseLevel *level, int rel)
{
    return level->rel_names ? level->rel_names[rel - 1] : query_rte(level->query, rel)->name;
}

/* A view's rule has entries of its own before those of its query. */
static const Str rule_names[] = {{"old", 3}, {"new", 3}};

static bool is_named(const DeparseLevel *outer, const Str *names, size_t count, Str name)
{
    for (size_t i = 0; i < count; i++)
        if (!str_is_none(names[i]) && str_equal(names[i], name))
            return true;
    if (!outer) {
        for (size_t i = 0; i < ARRAY_LENGTH(rule_names); i++)
            if (str_equal(rule_names[i], name))
                return true;
        return false;
    }
    return is_named(outer->outer, outer->rel_names,
                    outer->rel_names ? outer->query->range_table.length : 0, name);
}

static const Str *choose_names(Deparse *d, const Query *query)
{
    const size_t count = query->range_table.length;
    Str *names = ARENA_ARRAY(d->arena, Str, count + 1);
    for (size_t i = 0; i < count; i++) {
        const RangeTableEntry *rte = query->range_table.items[i];
        Str name = rte->kind == RANGE_JOIN ? rte->alias_name : rte->name;
        for (int n = 1; !str_is_none(name) && is_named(d->level, names, i, name); n++)
            name = str_format(d->arena, "%.*s_%d", (int)MIN(rte->name.length, NAME_MAX_BYTES - 4),
                              rte->name.data, n);
        names[i] = name;
    }
    return names;
}

void deparse_subquery(Deparse *d, const Query *query)
{
    const DeparseLevel level = {.query = query,
                                .outer = d->level,
                                .rel_names = choose_names(d, query),
                                .prefix = true,
                                .names_unseen = d->names_unseen,
                                .names = d->member_names};
    d->member_names = NULL;
    d->names_unseen = false;
    const DeparseLevel *saved = d->level;
    const RelationDesc *relation = d->relation;
    d->level = &level;
    d->relation = NULL;
    if (query->command == QUERY_SELECT)
        deparse_select(d, query);
    else
        deparse_modify(d, query);
    d->level = saved;
    d->relation = relation;
}

/* ---- public ---- */

static const SearchPath *stored_path(CatalogSession *session)
{
    static const Oid namespaces[] = {NAMESPACE_PG_CATALOG};
    static const SearchPath path = {.namespaces = namespaces, .count = 1};
    return catalog_override_search_path(session, &path);
}

static bool finish(Deparse *d, Str *ret_text)
{
    if (d->failed) {
        if (!error_is_set())
            ERROR_SET(ERR_INTERNAL_ERROR, .message = STR("an expression cannot be printed"));
        return false;
    }
    *ret_text = strbuf_view(d->buf);
    return true;
}

bool deparse_expression(Arena *arena, CatalogSession *session, const Expr *expr,
                        const RelationDesc *relation, DeparseStyle style, Str *ret_text)
{
    StrBuf buf = strbuf_in(arena);
    Deparse d = {.arena = arena,
                 .session = session,
                 .buf = &buf,
                 .pretty = (style & DEPARSE_PRETTY) != 0,
                 .relation = relation};
    const SearchPath *saved = style & DEPARSE_QUALIFIED ? stored_path(session) : NULL;
    deparse_expr(&d, expr);
    if (style & DEPARSE_QUALIFIED)
        (void)catalog_override_search_path(session, saved);
    return finish(&d, ret_text);
}

bool deparse_query(Arena *arena, CatalogSession *session, const Query *query, DeparseStyle style,
                   Str *ret_text)
{
    StrBuf buf = strbuf_in(arena);
    Deparse d = {
        .arena = arena, .session = session, .buf = &buf, .pretty = (style & DEPARSE_PRETTY) != 0};
    const SearchPath *saved = style & DEPARSE_QUALIFIED ? stored_path(session) : NULL;
    deparse_subquery(&d, query);
    if (style & DEPARSE_QUALIFIED)
        (void)catalog_override_search_path(session, saved);
    return finish(&d, ret_text);
}

bool deparse_view(Arena *arena, CatalogSession *session, Oid view, bool is_pretty, Str *ret_text)
{
    const RelationDesc *relation = relation_find(session, view);
    if (!relation || relation->kind != RELKIND_VIEW) {
        *ret_text = STR_NONE;
        return true;
    }
    Query *query = analyze_view_text(arena, session, relation->view_text);
    TRY(query);
    Str text;
    TRY(deparse_query(arena, session, query, is_pretty ? DEPARSE_PRETTY : DEPARSE_PLAIN, &text));
    *ret_text = str_concat(arena, text, STR(";"));
    return true;
}

/*
 * The column whose default the text is, if it is one: the cast to the column's type is in no text,
 * but what stands under it has parentheses of its own.
 */
static const ColumnDesc *column_of_default(const RelationDesc *relation, Str text)
{
    for (int i = 0; i < relation->column_count; i++)
        if (relation->columns[i].has_default && str_equal(relation->columns[i].default_text, text))
            return &relation->columns[i];
    return NULL;
}

bool deparse_stored_expression(Arena *arena, CatalogSession *session, Str text, Oid relation,
                               bool is_pretty, Str *ret_text)
{
    const RelationDesc *desc = relation ? relation_find(session, relation) : NULL;
    const ColumnDesc *column = desc && is_pretty ? column_of_default(desc, text) : NULL;
    const StoredExprKind kind = !column                  ? STORED_CHECK
                                : column->generated != 0 ? STORED_GENERATED
                                                         : STORED_DEFAULT;
    Expr *expr =
        analyze_expression_text(arena, session, text, desc, kind, column ? column->type : OID_NONE,
                                column ? column->typmod : -1);
    TRY(expr);
    return deparse_expression(arena, session, expr, desc,
                              is_pretty ? DEPARSE_PRETTY : DEPARSE_PLAIN, ret_text);
}
