#include "planner/query.h"

/*
 * Equality of resolved queries as PostgreSQL's equal() sees them: what was written and what it was
 * resolved to, without positions in the text.
 */

/* One item of two vectors of the same type and length, with a function over both. */
#define VEC_SAME(a, b, same)                                                                       \
    ({                                                                                             \
        bool equal_ = (a).length == (b).length;                                                    \
        for (size_t i_ = 0; equal_ && i_ < (a).length; i_++)                                       \
            equal_ = same((a).items[i_], (b).items[i_]);                                           \
        equal_;                                                                                    \
    })

static bool names_same(const Str *a, int a_count, const Str *b, int b_count)
{
    bool same = a_count == b_count;
    for (int i = 0; same && i < a_count; i++)
        same = str_equal(a[i], b[i]);
    return same;
}

static bool columns_same(const RangeColumn *a, const RangeColumn *b, int count)
{
    bool same = true;
    for (int i = 0; same && i < count; i++)
        same = str_equal(a[i].name, b[i].name) && a[i].type == b[i].type &&
               a[i].typmod == b[i].typmod && a[i].collation == b[i].collation;
    return same;
}

static bool target_same(TargetEntry a, TargetEntry b)
{
    return a.attnum == b.attnum && a.sort_group_ref == b.sort_group_ref && a.is_junk == b.is_junk &&
           str_equal(a.name, b.name) && expr_equal(a.expr, b.expr);
}

static bool sort_same(SortClause a, SortClause b)
{
    return a.ref == b.ref && a.sort_op == b.sort_op && a.equal_op == b.equal_op &&
           a.is_descending == b.is_descending && a.nulls_first == b.nulls_first;
}

static bool int_same(int a, int b)
{
    return a == b;
}

static bool grouping_same(const GroupingNode *a, const GroupingNode *b)
{
    return a->kind == b->kind && VEC_SAME(a->refs, b->refs, int_same) &&
           VEC_SAME(a->children, b->children, grouping_same);
}

static bool window_same(const WindowClause *a, const WindowClause *b)
{
    return str_equal(a->name, b->name) && str_equal(a->ref_name, b->ref_name) &&
           VEC_SAME(a->partition_by, b->partition_by, sort_same) &&
           VEC_SAME(a->order_by, b->order_by, sort_same) && a->frame_options == b->frame_options &&
           expr_equal(a->start_offset, b->start_offset) &&
           expr_equal(a->end_offset, b->end_offset) && a->copied_order == b->copied_order;
}

static bool set_op_same(const SetOpNode *a, const SetOpNode *b)
{
    if (!a || !b)
        return a == b;
    return a->op == b->op && a->rel == b->rel && a->is_all == b->is_all &&
           a->column_count == b->column_count &&
           columns_same(a->columns, b->columns, a->column_count) &&
           VEC_SAME(a->groups, b->groups, sort_same) && set_op_same(a->left, b->left) &&
           set_op_same(a->right, b->right);
}

static bool cte_same(const CommonTable *a, const CommonTable *b)
{
    return str_equal(a->name, b->name) &&
           names_same(a->alias_columns, a->alias_column_count, b->alias_columns,
                      b->alias_column_count) &&
           a->materialize == b->materialize && a->is_recursive == b->is_recursive &&
           a->reference_count == b->reference_count && query_equal(a->query, b->query);
}

static bool mark_same(RowMark a, RowMark b)
{
    return a.rel == b.rel && a.strength == b.strength && a.wait == b.wait &&
           a.pushed_down == b.pushed_down;
}

static bool call_same(RangeCall a, RangeCall b)
{
    return a.column_count == b.column_count && a.has_definition_list == b.has_definition_list &&
           expr_equal(a.call, b.call);
}

static bool values_same(ExprVec a, ExprVec b)
{
    return VEC_SAME(a, b, expr_equal);
}

static bool rte_same(const RangeTableEntry *a, const RangeTableEntry *b)
{
    return a->kind == b->kind && str_equal(a->alias_name, b->alias_name) &&
           str_equal(a->name, b->name) &&
           names_same(a->alias_columns, a->alias_column_count, b->alias_columns,
                      b->alias_column_count) &&
           a->column_count == b->column_count &&
           columns_same(a->columns, b->columns, a->column_count) && a->relation == b->relation &&
           a->is_only == b->is_only && a->check_as == b->check_as &&
           query_equal(a->subquery, b->subquery) && a->is_lateral == b->is_lateral &&
           a->is_security_barrier == b->is_security_barrier && a->join_type == b->join_type &&
           values_same(a->alias_exprs, b->alias_exprs) &&
           VEC_SAME(a->functions, b->functions, call_same) &&
           a->with_ordinality == b->with_ordinality &&
           VEC_SAME(a->values, b->values, values_same) && str_equal(a->cte_name, b->cte_name) &&
           a->cte_levels_up == b->cte_levels_up && a->is_self_reference == b->is_self_reference;
}

static bool from_same(const FromItem *a, const FromItem *b)
{
    if (a->kind != b->kind || a->rel != b->rel)
        return false;
    if (a->kind == FROM_REL)
        return true;
    return a->join_type == b->join_type && a->is_natural == b->is_natural &&
           names_same(a->using_columns, a->using_count, b->using_columns, b->using_count) &&
           str_equal(a->using_alias, b->using_alias) && from_same(a->left, b->left) &&
           from_same(a->right, b->right) && expr_equal(a->condition, b->condition);
}

static bool clauses_same(const Query *a, const Query *b)
{
    return VEC_SAME(a->group_by, b->group_by, sort_same) &&
           VEC_SAME(a->grouping_sets, b->grouping_sets, grouping_same) &&
           a->group_distinct == b->group_distinct && expr_equal(a->having, b->having) &&
           VEC_SAME(a->windows, b->windows, window_same) &&
           VEC_SAME(a->distinct, b->distinct, sort_same) &&
           a->is_distinct_on == b->is_distinct_on &&
           VEC_SAME(a->order_by, b->order_by, sort_same) &&
           expr_equal(a->limit_count, b->limit_count) &&
           expr_equal(a->limit_offset, b->limit_offset) && a->limit_option == b->limit_option &&
           VEC_SAME(a->row_marks, b->row_marks, mark_same);
}

bool query_equal(const Query *a, const Query *b)
{
    if (a == b)
        return true;
    /* Only queries that change nothing stand where two of them can mean the same. */
    if (!a || !b || a->command != QUERY_SELECT || b->command != QUERY_SELECT)
        return false;
    return VEC_SAME(a->range_table, b->range_table, rte_same) &&
           VEC_SAME(a->from, b->from, from_same) && expr_equal(a->where, b->where) &&
           VEC_SAME(a->targets, b->targets, target_same) && clauses_same(a, b) &&
           set_op_same(a->set_op, b->set_op) && a->with_recursive == b->with_recursive &&
           VEC_SAME(a->ctes, b->ctes, cte_same);
}
