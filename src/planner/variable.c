#include "planner/variable.h"

#include <math.h>

#include "planner/plan_scan.h"
#include "txn/scan.h"
#include "types/function.h"
#include "types/key.h"
#include "types/numeric.h"

double clamp01(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

const Expr *strip_relabel(const Expr *expr)
{
    while (expr->kind == EXPR_CAST && EXPR_AS(const ExprCast, expr)->cast == CAST_RELABEL)
        expr = EXPR_AS(const ExprCast, expr)->args.items[0];
    return expr;
}

/* ---- finding ---- */

static void column_find(CatalogSession *session, const Query *query, const ExprColumn *column,
                        Variable *ret);

/* A subquery's column is what stands there, if rows come through as they are. */
static void subquery_column(CatalogSession *session, const Query *query, int attnum, Variable *ret)
{
    const TargetEntry *target = NULL;
    for (size_t i = 0; i < query->targets.length; i++)
        if (query->targets.items[i].attnum == attnum && !query->targets.items[i].is_junk)
            target = &query->targets.items[i];
    if (!target || query->set_op)
        return;
    const bool is_group =
        query->group_by.length == 1 && target->sort_group_ref == query->group_by.items[0].ref;
    const bool is_distinct =
        query->distinct.length == 1 && target->sort_group_ref == query->distinct.items[0].ref;
    ret->is_unique = is_group || is_distinct;
    if (query->group_by.length > 0 || query->distinct.length > 0 || query->has_aggregates)
        return;
    const Expr *expr = strip_relabel(target->expr);
    if (expr->kind == EXPR_COLUMN && EXPR_AS(const ExprColumn, expr)->levels_up == 0)
        column_find(session, query, EXPR_AS(const ExprColumn, expr), ret);
}

static bool is_unique_column(const RelationDesc *relation, int attnum)
{
    for (int i = 0; i < relation->index_count; i++) {
        const IndexDesc *index = &relation->indexes[i];
        if (index->is_unique && index->is_immediate && index->key_count == 1 &&
            str_is_none(index->predicate) && index->columns[0].attnum == attnum)
            return true;
    }
    return false;
}

static void column_find(CatalogSession *session, const Query *query, const ExprColumn *column,
                        Variable *ret)
{
    const RangeTableEntry *rte = query_rte(query, column->rel);
    if (rte->kind == RANGE_SUBQUERY && column->attnum > 0) {
        subquery_column(session, rte->subquery, column->attnum, ret);
        return;
    }
    if (rte->kind != RANGE_RELATION)
        return;
    ret->relation = relation_find(session, rte->relation);
    if (!ret->relation)
        return;
    ret->rows = relation_rows(session, ret->relation);
    ret->is_unique = column->attnum < 0 || is_unique_column(ret->relation, column->attnum);
    ret->attnum = column->attnum;
    if (column->attnum > 0)
        ret->stats = relation_statistics(session, ret->relation, column->attnum);
}

/* An index that holds the expression has statistics of it. */
static void expression_find(Level *level, const Expr *expr, Variable *ret)
{
    CatalogSession *session = level->planner->session;
    ExprVec columns = {0};
    collect_columns(level, (Expr *)(uintptr_t)expr, &columns);
    int rel = 0;
    for (size_t i = 0; i < columns.length; i++) {
        const ExprColumn *column = EXPR_AS(const ExprColumn, columns.items[i]);
        if (column->levels_up > 0 || (rel && rel != column->rel))
            return;
        rel = column->rel;
    }
    if (!rel || query_rte(level->query, rel)->kind != RANGE_RELATION)
        return;
    const RelationDesc *relation = relation_find(session, query_rte(level->query, rel)->relation);
    if (!relation)
        return;
    ret->rows = relation_rows(session, relation);
    for (int i = 0; i < relation->index_count; i++) {
        const IndexDesc *index = &relation->indexes[i];
        for (int c = 0; c < index->key_count; c++) {
            if (index->columns[c].attnum)
                continue;
            const Expr *key = index_expression(level, rel, index, c);
            if (!key || (!expr_equal(key, expr) && !expr_equal(strip_relabel(key), expr)))
                continue;
            ret->relation = relation;
            ret->is_unique = index->is_unique && index->is_immediate && index->key_count == 1 &&
                             str_is_none(index->predicate);
            const RelationDesc *holder = relation_find(session, index->oid);
            if (holder && str_is_none(index->predicate))
                ret->stats = relation_statistics(session, holder, c + 1);
            if (ret->stats)
                return;
        }
    }
}

void variable_find(Level *level, const Expr *expr, Variable *ret)
{
    expr = strip_relabel(expr);
    *ret = (Variable){.level = level, .type = expr->type};
    if (expr->kind == EXPR_COLUMN) {
        if (EXPR_AS(const ExprColumn, expr)->levels_up == 0)
            column_find(level->planner->session, level->query, EXPR_AS(const ExprColumn, expr),
                        ret);
        return;
    }
    if (expr->kind != EXPR_CONST && expr->kind != EXPR_PARAM && expr->kind != EXPR_SUB_LINK)
        expression_find(level, expr, ret);
}

/* ---- how many ---- */

double variable_nulls(const Variable *variable)
{
    return variable->stats ? variable->stats->null_fraction : 0;
}

double variable_distinct(const Variable *variable, bool *ret_default)
{
    const ColumnStatistics *stats = variable->stats;
    double distinct = stats ? stats->distinct : variable->type == TYPE_BOOL ? 2 : 0;

    *ret_default = false;
    if (variable->is_unique)
        distinct = -1 * (1 - variable_nulls(variable));
    if (distinct > 0)
        return MAX(1, rint(distinct));
    if (variable->rows <= 0) {
        *ret_default = true;
        return DEFAULT_DISTINCT;
    }
    if (distinct < 0)
        return MAX(1, rint(-distinct * variable->rows));
    if (variable->rows < DEFAULT_DISTINCT)
        return MAX(1, rint(variable->rows));
    *ret_default = true;
    return DEFAULT_DISTINCT;
}

/* ---- values on a line ---- */

static bool is_text(Oid type)
{
    return type == TYPE_TEXT || type == TYPE_VARCHAR || type == TYPE_BPCHAR || type == TYPE_NAME;
}

static bool scalar_number(Oid type, const Value *value, double *ret)
{
    switch (type) {
    case TYPE_BOOL:
        *ret = value->boolean;
        return true;
    case TYPE_INT2:
        *ret = value->int16;
        return true;
    case TYPE_INT4:
        *ret = value->int32;
        return true;
    case TYPE_INT8:
        *ret = (double)value->int64;
        return true;
    case TYPE_OID:
        *ret = value->oid;
        return true;
    case TYPE_FLOAT4:
        *ret = value->float32;
        return true;
    case TYPE_FLOAT8:
        *ret = value->float64;
        return true;
    case TYPE_NUMERIC:
        *ret = numeric_to_double(value);
        return true;
    case TYPE_DATE:
        *ret = value->int32 * 86400000000.0;
        return true;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_TIME:
        *ret = (double)value->int64;
        return true;
    case TYPE_INTERVAL:
        *ret = (double)value->interval.microseconds +
               (value->interval.days + value->interval.months * 365.25 / 12) * 86400000000.0;
        return true;
    default:
        return false;
    }
}

/* Which types may stand for each other on the line. */
static bool is_comparable(Oid a, Oid b)
{
    const bool a_time = a == TYPE_DATE || a == TYPE_TIMESTAMP || a == TYPE_TIMESTAMPTZ;
    const bool b_time = b == TYPE_DATE || b == TYPE_TIMESTAMP || b == TYPE_TIMESTAMPTZ;
    double number;
    const Value zero = {0};
    if (a == b || (is_text(a) && is_text(b)))
        return true;
    if (a_time || b_time)
        return a_time && b_time;
    return a != TYPE_NUMERIC && b != TYPE_NUMERIC && a != TYPE_TIME && b != TYPE_TIME &&
           scalar_number(a, &zero, &number) && scalar_number(b, &zero, &number);
}

static int compare(Oid a_type, const Value *a, Oid b_type, const Value *b)
{
    double x = 0, y = 0;
    if (a_type == b_type || is_text(a_type))
        return type_compare(a_type, a, b);
    (void)scalar_number(a_type, a, &x);
    (void)scalar_number(b_type, b, &y);
    return x < y ? -1 : x > y;
}

static const char *bytes_of(Oid type, const Value *value, size_t *ret_length)
{
    if (type == TYPE_UUID) {
        *ret_length = sizeof(value->fixed16);
        return (const char *)value->fixed16;
    }
    *ret_length = value->var.length;
    return value->var.data;
}

/* Digits in the base of the characters in use, from behind the common prefix on. */
static double scalar_bytes(const char *bytes, size_t length, size_t from, int low, int high)
{
    double number = 0, unit = 1;
    const double base = high - low + 1;
    for (size_t i = from; i < length && i < from + 12; i++) {
        int digit = (unsigned char)bytes[i];
        digit = digit < low ? low - 1 : digit > high ? high + 1 : digit;
        unit /= base;
        number += (digit - low) * unit;
    }
    return number;
}

static void widen(int *low, int *high, int from, int to)
{
    if (*low <= to && *high >= from) {
        *low = MIN(*low, from);
        *high = MAX(*high, to);
    }
}

/* Where in the bin a string lies: 0 to 1. */
static double bytes_position(Oid type, const Value *low, const Value *high, const Value *value)
{
    size_t lengths[3];
    const char *texts[3] = {bytes_of(type, low, &lengths[0]), bytes_of(type, high, &lengths[1]),
                            bytes_of(type, value, &lengths[2])};
    int least = 255, greatest = 0;
    for (int t = 0; t < 3; t++)
        for (size_t i = 0; i < lengths[t]; i++) {
            least = MIN(least, (unsigned char)texts[t][i]);
            greatest = MAX(greatest, (unsigned char)texts[t][i]);
        }
    if (type == TYPE_UUID || type == TYPE_BYTEA) {
        least = 0;
        greatest = 255;
    }
    widen(&least, &greatest, 'A', 'Z');
    widen(&least, &greatest, 'a', 'z');
    widen(&least, &greatest, '0', '9');
    if (greatest - least < 9) {
        least = ' ';
        greatest = 127;
    }
    size_t common = 0;
    while (common < lengths[0] && common < lengths[1] && common < lengths[2] &&
           texts[0][common] == texts[1][common] && texts[0][common] == texts[2][common])
        common++;
    double at[3];
    for (int t = 0; t < 3; t++)
        at[t] = scalar_bytes(texts[t], lengths[t], common, least, greatest);
    return at[1] <= at[0] ? 0.5 : clamp01((at[2] - at[0]) / (at[1] - at[0]));
}

static double bin_position(Oid type, const Value *low, const Value *high, const ExprConst *constant)
{
    double bottom, top, at;
    if (scalar_number(type, low, &bottom) && scalar_number(type, high, &top) &&
        scalar_number(constant->base.type, &constant->value, &at))
        return top <= bottom || isnan(at) ? 0.5 : clamp01((at - bottom) / (top - bottom));
    if (is_text(type) || type == TYPE_BYTEA || type == TYPE_UUID)
        return bytes_position(type, low, high, &constant->value);
    return 0.5;
}

/* ---- equality ---- */

static double common_sum(const ColumnStatistics *stats)
{
    double sum = 0;
    for (uint32_t i = 0; i < stats->common_count; i++)
        sum += stats->common_fractions[i];
    return sum;
}

double variable_equals(const Variable *variable, const ExprConst *constant)
{
    const ColumnStatistics *stats = variable->stats;
    bool is_default;
    const double distinct = variable_distinct(variable, &is_default);

    if (constant->is_null)
        return 0;
    if (variable->is_unique && variable->rows >= 1)
        return 1 / variable->rows;
    if (!stats)
        return 1 / distinct;
    if (is_comparable(variable->type, constant->base.type))
        for (uint32_t i = 0; i < stats->common_count; i++)
            if (compare(variable->type, &stats->common_values[i], constant->base.type,
                        &constant->value) == 0)
                return stats->common_fractions[i];
    double rest = clamp01(1 - common_sum(stats) - stats->null_fraction);
    const double others = distinct - stats->common_count;
    if (others > 1)
        rest /= others;
    if (stats->common_count > 0)
        rest = MIN(rest, stats->common_fractions[stats->common_count - 1]);
    return clamp01(rest);
}

double variable_equals_some(const Variable *variable)
{
    const ColumnStatistics *stats = variable->stats;
    bool is_default;
    const double distinct = variable_distinct(variable, &is_default);

    if (variable->is_unique && variable->rows >= 1)
        return 1 / variable->rows;
    if (!stats)
        return 1 / distinct;
    double result = (1 - stats->null_fraction) / distinct;
    if (stats->common_count > 0)
        result = MIN(result, stats->common_fractions[0]);
    return clamp01(result);
}

/* ---- ranges ---- */

static bool first_key(CatalogSession *session, const IndexDesc *index, bool at_end, Arena *arena,
                      Value *ret)
{
    const IndexColumn *column = &index->columns[0];
    const KeyColumn key_column = {column->type, column->descending, column->nulls_first};
    const Snapshot snapshot = txn_snapshot_latest(session->txn);
    IndexScanSpec spec = {.high = STR_NONE, .direction = at_end ? SCAN_BACKWARD : SCAN_FORWARD};
    StrBuf nulls = strbuf_in(arena);
    const Value none = {0};
    IndexEntry entry;
    bool is_null = true;

    TRY(key_append(&nulls, &key_column, &none, true));
    if (column->nulls_first && key_prefix_end(&nulls))
        spec.low = strbuf_view(&nulls);
    else
        spec.high = strbuf_view(&nulls);
    IndexScan *scan = index_scan_open(session->txn, &snapshot, index->storage, &spec, arena);
    TRY(scan);
    const ScanOutcome outcome = index_scan_next(scan, &entry);
    const bool done =
        outcome == SCAN_ROWS && key_take(arena, &key_column, &entry.key, ret, &is_null);
    index_scan_close(scan);
    return done && !is_null;
}

/* The least or greatest value there is now, where an index has it at an end. */
static bool actual_end(const Variable *variable, bool greatest, Value *ret)
{
    CatalogSession *session = variable->level->planner->session;
    for (int i = 0; variable->relation && variable->attnum > 0 && session->txn &&
                    i < variable->relation->index_count;
         i++) {
        const IndexDesc *index = &variable->relation->indexes[i];
        if (!index->is_valid || index->access_method != ACCESS_METHOD_BTREE || !index->storage ||
            !str_is_none(index->predicate) || index->columns[0].attnum != variable->attnum ||
            !key_is_lossless(index->columns[0].type))
            continue;
        if (first_key(session, index, greatest != index->columns[0].descending,
                      variable->level->planner->arena, ret))
            return true;
        error_clear();
    }
    return false;
}

/* The fraction of the histogram's rows below the constant. In the outermost bins the table's
 * present ends count, not those that ANALYZE saw. */
static double histogram_below(const Variable *variable, const ExprConst *constant, bool *ret_sure)
{
    const ColumnStatistics *stats = variable->stats;
    const uint32_t count = stats->histogram_count;
    uint32_t low = 0, high = count;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (compare(variable->type, &stats->histogram[middle], constant->base.type,
                    &constant->value) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    Value bottom = stats->histogram[MIN(MAX(low, 1), count - 1) - 1];
    Value top = stats->histogram[MIN(MAX(low, 1), count - 1)];
    *ret_sure = (low <= 1 && actual_end(variable, false, &bottom)) ||
                (low >= count - 1 && actual_end(variable, true, &top));
    if (compare(variable->type, &bottom, constant->base.type, &constant->value) >= 0)
        return low <= 1 ? 0 : (double)(low - 1) / (count - 1);
    if (compare(variable->type, &top, constant->base.type, &constant->value) < 0)
        return low >= count - 1 ? 1 : (double)low / (count - 1);
    const double bin = MIN(MAX(low, 1), count - 1) - 1;
    return (bin + bin_position(variable->type, &bottom, &top, constant)) / (count - 1);
}

double variable_range(const Variable *variable, const ExprConst *constant, bool less, bool or_equal,
                      bool *ret_default)
{
    const ColumnStatistics *stats = variable->stats;
    *ret_default = false;
    if (constant->is_null)
        return 0;
    if (!stats || !is_comparable(variable->type, constant->base.type)) {
        *ret_default = true;
        return DEFAULT_RANGE;
    }
    double common = 0, passing = 0;
    for (uint32_t i = 0; i < stats->common_count; i++) {
        const int order = compare(variable->type, &stats->common_values[i], constant->base.type,
                                  &constant->value);
        common += stats->common_fractions[i];
        if (order == 0 ? or_equal : less ? order < 0 : order > 0)
            passing += stats->common_fractions[i];
    }
    const double rest = clamp01(1 - common - stats->null_fraction);
    double fraction = 0.5;
    if (stats->histogram_count > 1) {
        /* The ends may have moved since ANALYZE: nothing is sure there. */
        const double cutoff = 0.01 / (stats->histogram_count - 1);
        bool is_sure;
        fraction = histogram_below(variable, constant, &is_sure);
        fraction = less ? fraction : 1 - fraction;
        if (!is_sure)
            fraction = MIN(MAX(fraction, cutoff), 1 - cutoff);
    }
    return clamp01(fraction * rest + passing);
}

/* ---- asking the operator ---- */

static bool test_value(const ValueTest *test, Oid type, const Value *value)
{
    const BuiltinFunction *function = builtin_function(test->op->function);
    Planner *planner = test->level->planner;
    Value values[2] = {*value, test->constant->value}, result = {0};
    Oid types[2] = {type, test->constant->base.type};
    const bool nulls[2] = {false, false};
    bool is_null = true;

    if (!function || !function->scalar)
        return false;
    if (test->is_flipped) {
        values[0] = test->constant->value;
        values[1] = *value;
        types[0] = test->constant->base.type;
        types[1] = type;
    }
    FunctionCall call = {.arena = planner->arena,
                         .site_arena = planner->arena,
                         .function = function,
                         .arg_types = types,
                         .arg_count = 2,
                         .result_type = TYPE_BOOL,
                         .result_typmod = -1,
                         .collation = test->op->input_collation,
                         .session = planner->session};
    if (!function_call(&call, values, nulls, &result, &is_null)) {
        error_clear();
        return false;
    }
    return !is_null && result.boolean;
}

double variable_common_passing(const Variable *variable, const ValueTest *test, double *ret_common)
{
    double passing = 0;
    *ret_common = 0;
    for (uint32_t i = 0; variable->stats && i < variable->stats->common_count; i++) {
        *ret_common += variable->stats->common_fractions[i];
        if (test_value(test, variable->type, &variable->stats->common_values[i]))
            passing += variable->stats->common_fractions[i];
    }
    return passing;
}

double variable_histogram_passing(const Variable *variable, const ValueTest *test,
                                  uint32_t *ret_bounds)
{
    const ColumnStatistics *stats = variable->stats;
    *ret_bounds = stats ? stats->histogram_count : 0;
    if (*ret_bounds < 10)
        return -1;
    uint32_t passing = 0;
    for (uint32_t i = 1; i + 1 < stats->histogram_count; i++)
        passing += test_value(test, variable->type, &stats->histogram[i]);
    return (double)passing / (stats->histogram_count - 2);
}

/* ---- groups ---- */

typedef struct GroupPart {
    int rel;
    double rows, passing; /* of its table; of what is left of it */
    double product, greatest;
    int count;
} GroupPart;

static int column_rel(const ExprVec *columns)
{
    int rel = 0;
    for (size_t i = 0; i < columns->length; i++) {
        if (EXPR_AS(const ExprColumn, columns->items[i])->levels_up > 0)
            continue;
        const int own = EXPR_AS(const ExprColumn, columns->items[i])->rel;
        if (rel && rel != own)
            return 0;
        rel = own;
    }
    return rel;
}

typedef struct GroupVariables {
    Arena *arena;
    ExprVec seen;
    VEC(GroupPart) parts;
    Level *level;
    double rows;
} GroupVariables;

static void group_add(GroupVariables *groups, const Expr *expr)
{
    Variable variable;
    bool is_default;
    ExprVec columns = {0};
    for (size_t i = 0; i < groups->seen.length; i++)
        if (expr_equal(groups->seen.items[i], expr))
            return;
    VEC_PUSH(groups->arena, &groups->seen, (Expr *)(uintptr_t)expr);
    collect_columns(groups->level, (Expr *)(uintptr_t)expr, &columns);
    if (columns.length == 0)
        return;
    variable_find(groups->level, expr, &variable);
    const bool is_known = expr->type == TYPE_BOOL || expr->kind == EXPR_COLUMN || variable.stats ||
                          variable.is_unique;
    if (!is_known) { /* as many as there are combinations of what it is made of */
        for (size_t i = 0; i < columns.length; i++)
            group_add(groups, columns.items[i]);
        return;
    }
    const int rel = column_rel(&columns);
    double distinct = variable_distinct(&variable, &is_default);
    if (variable_nulls(&variable) > 0)
        distinct += 1;
    for (size_t i = 0; i < groups->parts.length; i++) {
        GroupPart *part = &groups->parts.items[i];
        if (part->rel != rel)
            continue;
        part->product *= distinct;
        part->greatest = MAX(part->greatest, distinct);
        part->count++;
        return;
    }
    const GroupPart part = {.rel = rel,
                            .rows = variable.rows,
                            .passing = rel ? level_rel_rows(groups->level, rel) : 0,
                            .product = distinct,
                            .greatest = distinct,
                            .count = 1};
    VEC_PUSH(groups->arena, &groups->parts, part);
}

double group_estimate(Level *level, const ExprVec *groups, double rows)
{
    GroupVariables all = {.arena = level->planner->arena, .level = level, .rows = rows};
    double total = 1;
    for (size_t i = 0; i < groups->length; i++)
        group_add(&all, groups->items[i]);
    for (size_t i = 0; i < all.parts.length; i++) {
        const GroupPart *part = &all.parts.items[i];
        double count = part->product;
        if (part->rows > 0) {
            double limit = part->rows;
            if (part->count > 1) /* columns are rarely independent */
                limit = MIN(MAX(part->rows * 0.1, part->greatest), part->rows);
            count = MIN(count, limit);
            /* Of so many groups as many are met by that part of the rows. */
            if (part->passing > 0 && part->passing < part->rows && count > 0)
                count *= 1 - pow((part->rows - part->passing) / part->rows, part->rows / count);
        }
        total *= MAX(1, rint(count));
    }
    return MAX(1, MIN(rint(total), rows));
}
