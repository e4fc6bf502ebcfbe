#include <math.h>

#include "base/settings.h"
#include "planner/cost.h"
#include "planner/plan_scan.h"
#include "planner/variable.h"
#include "txn/ddl.h"
#include "types/array.h"
#include "types/key.h"

/* ---- what a scan gives out ---- */

static Expr *base_column(Level *level, int rel, int attnum)
{
    const RangeTableEntry *rte = query_rte(level->query, rel);
    Expr like = {0};
    like.typmod = -1;
    if (attnum >= 1) {
        like.type = rte->columns[attnum - 1].type;
        like.typmod = rte->columns[attnum - 1].typmod;
        like.collation = rte->columns[attnum - 1].collation;
    } else if (attnum == ATTNUM_ROW_ID) {
        like.type = TYPE_INT8;
    } else if (attnum < 0) {
        like.type = system_column_at(attnum)->type;
    }
    return expr_column(level->planner->arena, rel, attnum, 0, &like);
}

static void add_unique(Arena *arena, ExprVec *list, Expr *expr)
{
    for (size_t i = 0; i < list->length; i++)
        if (expr_equal(list->items[i], expr))
            return;
    VEC_PUSH(arena, list, expr);
}

static bool is_of_rel(const Expr *expr, int rel)
{
    return expr->kind == EXPR_COLUMN && EXPR_AS(const ExprColumn, expr)->levels_up == 0 &&
           EXPR_AS(const ExprColumn, expr)->rel == rel;
}

/* A whole row is made from all columns. */
static void add_source(Level *level, ExprVec *sources, int rel, Expr *column)
{
    Arena *arena = level->planner->arena;
    if (EXPR_AS(ExprColumn, column)->attnum != ATTNUM_WHOLE_ROW) {
        add_unique(arena, sources, column);
        return;
    }
    const RangeTableEntry *rte = query_rte(level->query, rel);
    for (int i = 0; i < rte->column_count; i++)
        if (rte->columns[i].name.length > 0)
            add_unique(arena, sources, base_column(level, rel, i + 1));
}

typedef struct ScanShape {
    ExprVec sources; /* columns read */
    ExprVec out;     /* columns given */
    ExprVec targets; /* planned, over sources */
} ScanShape;

typedef struct WholeRow {
    Level *level;
    int rel;
} WholeRow;

static bool is_whole_row(const WholeRow *whole, const Expr *expr, int depth)
{
    if (expr->kind != EXPR_COLUMN)
        return false;
    const ExprColumn *column = EXPR_AS(const ExprColumn, expr);
    return column->levels_up == depth && column->rel == whole->rel &&
           column->attnum == ATTNUM_WHOLE_ROW;
}

static WalkStep find_whole_row(void *context, Expr *expr, int depth)
{
    return is_whole_row(context, expr, depth) ? WALK_STOP : WALK_CHILDREN;
}

/* Puts its columns in the place of the whole row, in subqueries too. */
static Expr *whole_row_step(void *context, Expr *expr, int depth)
{
    const WholeRow *whole = context;
    Arena *arena = whole->level->planner->arena;
    if (expr->kind != EXPR_COLUMN)
        return NULL;
    if (!is_whole_row(whole, expr, depth))
        return expr;
    const RangeTableEntry *rte = query_rte(whole->level->query, whole->rel);
    ExprRow *row = expr_whole_row(arena, expr, rte->name, rte->column_count);
    for (int i = 0; i < rte->column_count; i++) {
        const Expr *like = base_column(whole->level, whole->rel, i + 1);
        expr_whole_row_add(arena, row, rte->columns[i].name,
                           expr_column(arena, whole->rel, i + 1, depth, like));
    }
    return &row->base;
}

/* An expression over the scan's columns. */
static Expr *fix_over_sources(Level *level, int rel, Expr *expr, const ScanShape *shape)
{
    WholeRow whole = {.level = level, .rel = rel};
    if (!expr_walk_deep(expr, 0, find_whole_row, &whole))
        TRY(expr = expr_replace_deep(level->planner->arena, expr, 0, whole_row_step, &whole));
    return plan_fix(level, expr, &shape->sources, NULL);
}

static bool scan_shape(Level *level, const ScanRequest *request, bool all_columns, ScanShape *ret)
{
    Arena *arena = level->planner->arena;
    const int rel = request->rel;
    const ExprVec *quals = request->quals, *needed = request->needed;
    ExprVec columns = {0};
    const RangeTableEntry *rte = query_rte(level->query, rel);

    if (all_columns)
        for (int i = 0; i < rte->column_count; i++)
            VEC_PUSH(arena, &ret->sources, base_column(level, rel, i + 1));
    for (size_t i = 0; i < quals->length; i++)
        collect_columns(level, quals->items[i], &columns);
    for (size_t i = 0; i < columns.length; i++)
        if (is_of_rel(columns.items[i], rel))
            add_source(level, &ret->sources, rel, columns.items[i]);
    for (size_t i = 0; i < needed->length; i++) {
        if (!is_of_rel(needed->items[i], rel))
            continue;
        add_source(level, &ret->sources, rel, needed->items[i]);
        VEC_PUSH(arena, &ret->out, needed->items[i]);
    }
    for (size_t i = 0; i < ret->out.length; i++) {
        Expr *target = fix_over_sources(level, rel, ret->out.items[i], ret);
        TRY(target);
        VEC_PUSH(arena, &ret->targets, target);
    }
    return true;
}

static void scan_fill(Level *level, ScanPlan *scan, const RelationDesc *relation, int rel,
                      const ScanShape *shape)
{
    const RangeTableEntry *rte = query_rte(level->query, rel);
    scan->relation = relation->oid;
    scan->rel = level_scan_number(level, rel);
    scan->base.source = scan->rel;
    scan->alias = rte->name;
    scan->relation_name = relation->name;
    scan->schema_name = relation->namespace_name;
    scan->scan_column_count = (int)shape->sources.length;
    scan->scan_columns = ARENA_ARRAY(level->planner->arena, int, shape->sources.length + 1);
    for (size_t i = 0; i < shape->sources.length; i++)
        scan->scan_columns[i] = EXPR_AS(const ExprColumn, shape->sources.items[i])->attnum;
    plan_set_targets(level, &scan->base, &shape->targets);
    Plan *plan = &scan->base;
    plan->width = 0;
    for (size_t i = 0; i < shape->out.length; i++) {
        const int attnum = EXPR_AS(const ExprColumn, shape->out.items[i])->attnum;
        if (attnum > 0)
            plan->columns[i].width = (int)column_width(level->planner->session, relation, attnum);
        plan->width += plan->columns[i].width;
    }
}

/* ---- sizes ---- */

enum { HEAP_PAGE_ROOM = 8192 - 24, HEAP_ROW_OVERHEAD = 28 };

static double row_width(CatalogSession *session, const RelationDesc *relation)
{
    double width = 0;
    for (int i = 0; i < relation->column_count; i++)
        if (!relation->columns[i].dropped)
            width += column_width(session, relation, i + 1);
    return width;
}

/* ANALYZE's count, unless the table has grown or shrunk since. */
double relation_rows(CatalogSession *session, const RelationDesc *relation)
{
    const double known = relation->row_count;
    if (!relation->storage || !session->txn)
        return MAX(1, known);
    const double live = (double)txn_tree_row_count(session->txn, relation->storage);
    if (known > 0 && live >= known * 0.9 && live <= known * 1.1)
        return known;
    if (live >= 1 && (known >= 0 || relation->is_builtin))
        return live;
    /* What was never looked at is small or is going to be filled: ten pages at least. */
    const double a_page = HEAP_PAGE_ROOM / (row_width(session, relation) + HEAP_ROW_OVERHEAD);
    return known == 0 ? 1 : MAX(live, floor(10 * a_page));
}

static double relation_pages(CatalogSession *session, const RelationDesc *relation, double rows)
{
    if (relation->page_count > 0 && relation->row_count > 0)
        return MAX(1, rint(relation->page_count * rows / relation->row_count));
    return MAX(1, ceil(rows * (row_width(session, relation) + HEAP_ROW_OVERHEAD) / HEAP_PAGE_ROOM));
}

/* From the table's rows, which *ret has already. */
static void index_size(Level *level, int rel, const RelationDesc *relation, const IndexDesc *index,
                       IndexProbe *ret)
{
    const double table_rows = ret->table_rows;
    double rows = table_rows;
    if (index->page_count > 0 && index->row_count >= 0 && relation->row_count > 0) {
        const double grown = table_rows / relation->row_count;
        ret->index_rows = index->row_count * grown;
        ret->index_pages = MAX(1, rint(index->page_count * grown));
        return;
    }
    if (!str_is_none(index->predicate)) {
        ExprVec predicate = {0};
        Expr *expr = index_predicate(level, rel, relation, index);
        if (expr)
            VEC_PUSH(level->planner->arena, &predicate, expr);
        rows *= selectivity_among(level, &predicate, REL_BIT(rel));
    }
    double width = 0;
    for (int c = 0; c < index->key_count; c++)
        width += index->columns[c].attnum
                     ? column_width(level->planner->session, relation, index->columns[c].attnum)
                     : 8;
    ret->index_rows = rows;
    ret->index_pages = 1 + ceil(rows * (width + 12) / (HEAP_PAGE_ROOM * 0.9));
}

/* How far the order of the index is the order of the table. */
static double index_correlation(CatalogSession *session, const RelationDesc *relation,
                                const IndexDesc *index)
{
    const IndexColumn *first = &index->columns[0];
    const RelationDesc *holder = first->attnum ? relation : relation_find(session, index->oid);
    const ColumnStatistics *stats =
        holder ? relation_statistics(session, holder, first->attnum ? first->attnum : 1) : NULL;
    if (!stats || !stats->has_correlation)
        return 0;
    return index->key_count > 1 ? stats->correlation * 0.75 : stats->correlation;
}

/* ---- choosing a scan ---- */

typedef struct ParamReplace {
    Level *level;
    RelSet outer;
    Tree *tree;
} ParamReplace;

static Expr *outer_to_param(void *context, Expr *expr, int depth)
{
    ParamReplace *replace = context;
    if (expr->kind != EXPR_COLUMN || EXPR_AS(ExprColumn, expr)->levels_up != depth || depth > 0 ||
        !(REL_BIT(EXPR_AS(ExprColumn, expr)->rel) & replace->outer))
        return expr->kind == EXPR_SUB_LINK && depth == 0 && !(expr_rels(expr) & replace->outer)
                   ? expr /* itself, as it is planned once */
                   : NULL;
    Arena *arena = replace->level->planner->arena;
    const int number = level_param(replace->level, expr);
    bool known = false;
    for (size_t i = 0; i < replace->tree->params.length; i++)
        known |= replace->tree->params.items[i] == number;
    if (!known)
        VEC_PUSH(arena, &replace->tree->params, number);
    return expr_param_exec(arena, number, expr);
}

static bool contains(const ExprVec *list, const Expr *expr)
{
    for (size_t i = 0; i < list->length; i++)
        if (list->items[i] == expr)
            return true;
    return false;
}

/* Conditions that a partial index's own makes sure of need not be looked at again; but a row that
 * has changed since is. */
static void kept_quals(Level *level, const ScanRequest *request, const RelationDesc *relation,
                       const IndexDesc *index, ExprVec *ret)
{
    const ExprVec *quals = request->quals;
    ExprVec predicate = {0};
    const Query *query = level->query;
    if (!str_is_none(index->predicate) && query->command == QUERY_SELECT &&
        query->row_marks.length == 0) {
        Expr *expr = index_predicate(level, request->rel, relation, index);
        if (expr)
            plan_split_and(level->planner->arena, expr, &predicate);
    }
    for (size_t i = 0; i < quals->length; i++)
        if (predicate.length == 0 ||
            !plan_implies(level->planner->session, &predicate, quals->items[i]))
            VEC_PUSH(level->planner->arena, ret, quals->items[i]);
}

static const IndexColumn *index_column_of(const IndexDesc *index, int attnum)
{
    for (int c = 0; c < index->key_count && attnum > 0; c++)
        if (index->columns[c].attnum == attnum)
            return &index->columns[c];
    return NULL;
}

/* Of these expressions, are all columns of `rel` in the index (and can be read back)? */
static bool are_in_index(Level *level, int rel, const IndexDesc *index, const ExprVec *exprs,
                         bool as_values)
{
    for (size_t i = 0; i < exprs->length; i++) {
        ExprVec columns = {0};
        collect_columns(level, exprs->items[i], &columns);
        for (size_t c = 0; c < columns.length; c++) {
            if (!is_of_rel(columns.items[c], rel))
                continue;
            const int attnum = EXPR_AS(const ExprColumn, columns.items[c])->attnum;
            const IndexColumn *column = index_column_of(index, attnum);
            if (attnum == ATTNUM_ROW_ID) /* entries have it */
                continue;
            if (!column || (as_values && !key_is_lossless(column->type)))
                return false;
        }
    }
    return true;
}

static bool is_index_only(Level *level, const ScanRequest *request, const IndexDesc *index,
                          const ScanChoice *choice)
{
    ExprVec filter = {0}, columns = {0};
    if (!settings()->enable_indexonlyscan || level->query->command != QUERY_SELECT ||
        level->query->row_marks.length > 0)
        return false;
    for (size_t i = 0; i < choice->quals.length; i++)
        if (!contains(&choice->match.exact, choice->quals.items[i]))
            VEC_PUSH(level->planner->arena, &filter, choice->quals.items[i]);
    for (size_t i = 0; i < request->needed->length; i++)
        if (is_of_rel(request->needed->items[i], request->rel))
            VEC_PUSH(level->planner->arena, &columns, request->needed->items[i]);
    return are_in_index(level, request->rel, index, &choice->match.exact, false) &&
           are_in_index(level, request->rel, index, &filter, true) &&
           are_in_index(level, request->rel, index, &columns, true);
}

static double array_values(const IndexKey *key)
{
    const Expr *list = key->value;
    ArrayView view;
    if (list->kind == EXPR_ARRAY)
        return MAX(1, (double)EXPR_AS(const ExprArray, list)->elements.length);
    if (list->kind != EXPR_CONST || EXPR_AS(const ExprConst, list)->is_null)
        return 10;
    if (array_open(&EXPR_AS(const ExprConst, list)->value, &view))
        return MAX(1, view.count);
    error_clear();
    return 10;
}

/* Cost at the part of the rows that is going to be read. */
double cost_at(Cost cost, double fraction)
{
    return cost.startup + (cost.total - cost.startup) * MIN(1, fraction);
}

static void offer(ScanChoice *best, const ScanChoice *choice, double fraction)
{
    if (!best->is_known || cost_at(choice->cost, fraction) < cost_at(best->cost, fraction))
        *best = *choice;
    best->is_known = true;
}

/* An index's entries alone have to show what it answers. */
static bool answers_arm(Level *level, const ScanRequest *request, const IndexDesc *index,
                        const IndexMatch *match)
{
    bool answers = false;
    for (size_t i = 0; i < match->used.length; i++)
        answers |= contains(request->arm, match->used.items[i]);
    return answers && are_in_index(level, request->rel, index, &match->used, false);
}

static void offer_index(Level *level, const ScanRequest *request, const RelationDesc *relation,
                        const IndexDesc *index, ScanChoice *best)
{
    CatalogSession *session = level->planner->session;
    ScanChoice choice = {.index = index};
    IndexProbe probe = {.ranges = 1, .loops = MAX(1, request->loops)};

    if (!index->is_valid || index->access_method != ACCESS_METHOD_BTREE)
        return;
    if (!str_is_none(index->predicate)) {
        const Expr *predicate = index_predicate(level, request->rel, relation, index);
        if (!predicate || !plan_implies(session, request->quals, predicate))
            return;
    }
    index_match(level, request, index, &choice.match);
    for (size_t k = 0; k < choice.match.keys.length; k++)
        if (choice.match.keys.items[k].op == INDEX_IN)
            probe.ranges *= array_values(&choice.match.keys.items[k]);
    if (request->order && request->order->length > 0 && probe.ranges == 1)
        choice.direction = index_direction(level, request, index, &choice.match, &choice.presorted);
    if (choice.presorted < request->needs_presorted)
        return;
    kept_quals(level, request, relation, index, &choice.quals);
    if (request->arm && !answers_arm(level, request, index, &choice.match))
        return;
    if (request->arm)
        choice.quals = choice.match.exact;
    choice.is_only = request->arm || is_index_only(level, request, index, &choice);
    const bool has_keys = choice.match.keys.length > 0;
    if (!has_keys && !choice.direction && !choice.is_only && str_is_none(index->predicate))
        return;
    probe.table_rows = relation_rows(session, relation);
    probe.table_pages = relation_pages(session, relation, probe.table_rows);
    index_size(level, request->rel, relation, index, &probe);
    probe.selectivity = selectivity_among(level, &choice.match.used, REL_BIT(request->rel));
    /* What a partial index leaves out, its own condition accounts for, once. */
    ExprVec implied = {0};
    for (size_t i = 0; i < request->quals->length && !str_is_none(index->predicate); i++)
        if (contains(&choice.match.used, request->quals->items[i]) ||
            !contains(&choice.quals, request->quals->items[i]))
            VEC_PUSH(level->planner->arena, &implied, request->quals->items[i]);
    if (!str_is_none(index->predicate)) {
        probe.selectivity = selectivity_among(level, &implied, REL_BIT(request->rel));
        probe.selectivity = MIN(probe.selectivity, probe.index_rows / probe.table_rows);
    }
    probe.rows = MAX(1, probe.table_rows * probe.selectivity);
    probe.conditions = (int)choice.match.used.length;
    probe.correlation = index_correlation(session, relation, index);
    probe.is_index_only = choice.is_only;
    ExprVec filter = {0};
    for (size_t i = 0; i < choice.quals.length; i++)
        if (!contains(&choice.match.exact, choice.quals.items[i]))
            VEC_PUSH(level->planner->arena, &filter, choice.quals.items[i]);
    probe.filter_cost = cost_of_list(session, &filter);
    Cost gathered;
    cost_index_scan(&probe, &choice.cost, &gathered);
    if (request->arm) /* ids alone: what is fetched by them is counted once, for all arms */
        choice.cost = cost_index_part(&probe);
    if (!choice.is_only || choice.direction || has_keys || !str_is_none(index->predicate))
        offer(best, &choice, request->fraction);
    if (choice.is_only || request->needs_presorted || !has_keys)
        return;
    choice.cost = gathered;
    choice.is_gathered = true;
    choice.direction = choice.presorted = 0;
    offer(best, &choice, request->fraction);
}

/* The cheapest index for one side of an OR beside the other conditions; ret->is_known: there is
 * one. */
static bool choose_arm(Level *level, const ScanRequest *request, const RelationDesc *relation,
                       const Expr *qual, Expr *side, ScanChoice *ret)
{
    Arena *arena = level->planner->arena;
    ExprVec arm = {0}, quals = {0}, none = {0};
    CHECK_INTERRUPTS();
    plan_split_and(arena, side, &arm);
    for (size_t i = 0; i < arm.length; i++)
        VEC_PUSH(arena, &quals, arm.items[i]);
    for (size_t i = 0; i < request->quals->length; i++)
        if (request->quals->items[i] != qual)
            VEC_PUSH(arena, &quals, request->quals->items[i]);
    const ScanRequest own = {
        .rel = request->rel, .quals = &quals, .needed = &none, .fraction = 1, .arm = &arm};
    *ret = (ScanChoice){0};
    for (int i = 0; i < relation->index_count; i++)
        offer_index(level, &own, relation, &relation->indexes[i], ret);
    ret->rows = MAX(1, rint(relation_rows(level->planner->session, relation) *
                            selectivity_among(level, &arm, REL_BIT(request->rel))));
    return true;
}

/* x = 1 OR y = 2: each side by an index of its own. */
static bool offer_arms(Level *level, const ScanRequest *request, const RelationDesc *relation,
                       const ExprBool *qual, ScanChoice *best)
{
    CatalogSession *session = level->planner->session;
    ScanArms *arms = ARENA_NEW(level->planner->arena, ScanArms);
    IndexProbe probe = {.loops = 1, .table_rows = relation_rows(session, relation)};
    double cost = 0;

    *arms = (ScanArms){.qual = (Expr *)(uintptr_t)&qual->base};
    arms->items = ARENA_ARRAY(level->planner->arena, ScanChoice, qual->args.length);
    for (size_t i = 0; i < qual->args.length; i++) {
        ScanChoice *arm = &arms->items[arms->count++];
        TRY(choose_arm(level, request, relation, &qual->base, qual->args.items[i], arm));
        if (!arm->is_known)
            return true;
        cost += arm->cost.total;
        probe.rows += arm->rows;
    }
    probe.rows = MIN(probe.rows, probe.table_rows);
    probe.table_pages = relation_pages(session, relation, probe.table_rows);
    probe.filter_cost = cost_of_list(session, request->quals);
    ScanChoice choice = {.arms = arms, .quals = *request->quals};
    choice.cost = cost_gathered(&probe, cost);
    offer(best, &choice, request->fraction);
    return true;
}

static bool offer_all_arms(Level *level, const ScanRequest *request, const RelationDesc *relation,
                           ScanChoice *best)
{
    for (size_t i = 0; i < request->quals->length; i++) {
        const Expr *qual = request->quals->items[i];
        if (qual->kind == EXPR_BOOL && EXPR_AS(const ExprBool, qual)->op == BOOL_OR)
            TRY(offer_arms(level, request, relation, EXPR_AS(const ExprBool, qual), best));
    }
    return true;
}

bool scan_choose(Level *level, const ScanRequest *request, ScanChoice *ret)
{
    CatalogSession *session = level->planner->session;
    const RelationDesc *relation =
        relation_get(session, query_rte(level->query, request->rel)->relation);
    ScanChoice best = {0};
    TRY(relation);
    const double rows = relation_rows(session, relation);
    if (!request->outer && !request->needs_presorted) {
        ScanChoice choice = {.quals = *request->quals};
        choice.cost = cost_seq_scan(relation_pages(session, relation, rows), rows,
                                    cost_of_list(session, request->quals));
        offer(&best, &choice, request->fraction);
        TRY(offer_all_arms(level, request, relation, &best));
    }
    for (int i = 0; i < relation->index_count; i++)
        offer_index(level, request, relation, &relation->indexes[i], &best);
    const double selected = selectivity_among(level, request->quals, REL_BIT(request->rel));
    best.rows = MAX(1, rint(rows * selected));
    if (best.index && best.match.is_unique)
        best.rows = 1;
    *ret = best;
    return true;
}

/* ---- building scans ---- */

static bool bounds_whole_row(const IndexKey *key)
{
    return key->source->kind == EXPR_ROW_COMPARE &&
           key->more.length + 1 == EXPR_AS(const ExprRowCompare, key->source)->left.length;
}

static bool build_index_scan(Level *level, const ScanRequest *request, const RelationDesc *relation,
                             const ScanChoice *choice, Tree *ret)
{
    Arena *arena = level->planner->arena;
    const int rel = request->rel;
    const ExprVec *quals = &choice->quals;
    ScanShape shape = {0};
    ParamReplace replace = {level, request->outer, ret};
    IndexScanPlan *scan =
        PLAN_NEW(level, IndexScanPlan, choice->is_only ? PLAN_INDEX_ONLY_SCAN : PLAN_INDEX_SCAN);
    ExprVec read = {0};

    for (size_t i = 0; i < quals->length; i++)
        VEC_PUSH(arena, &read, quals->items[i]);
    for (size_t i = 0; i < choice->match.keys.length; i++)
        VEC_PUSH(arena, &read, choice->match.keys.items[i].source);
    const ScanRequest whole = {.rel = rel, .quals = &read, .needed = request->needed};
    TRY(scan_shape(level, &whole, false, &shape));
    for (size_t i = 0; i < choice->match.keys.length; i++) {
        IndexKey key = choice->match.keys.items[i];
        if (key.value) {
            TRY(key.value = expr_replace_deep(arena, key.value, 0, outer_to_param, &replace));
            TRY(key.value = plan_fix(level, key.value, NULL, NULL));
        }
        ExprVec more = {0};
        for (size_t v = 0; v < key.more.length; v++) {
            Expr *value = expr_replace_deep(arena, key.more.items[v], 0, outer_to_param, &replace);
            TRY(value);
            TRY(value = plan_fix(level, value, NULL, NULL));
            VEC_PUSH(arena, &more, value);
        }
        key.more = more;
        TRY(key.source = expr_replace_deep(arena, key.source, 0, outer_to_param, &replace));
        TRY(key.source = fix_over_sources(level, rel, key.source, &shape));
        VEC_PUSH(arena, &scan->keys, key);
    }
    for (size_t i = 0; i < quals->length; i++) {
        if (contains(&choice->match.exact, quals->items[i]))
            continue;
        Expr *qual = expr_replace_deep(arena, quals->items[i], 0, outer_to_param, &replace);
        TRY(qual);
        TRY(qual = fix_over_sources(level, rel, qual, &shape));
        VEC_PUSH(arena, &scan->scan.base.filter, qual);
        for (size_t k = 0; k < scan->keys.length; k++)
            if (choice->match.keys.items[k].source == quals->items[i] &&
                bounds_whole_row(&scan->keys.items[k]))
                scan->keys.items[k].source = qual; /* EXPLAIN shows it once */
    }
    scan_fill(level, &scan->scan, relation, rel, &shape);
    scan->index = choice->index->oid;
    scan->index_name = choice->index->name;
    scan->is_unique_lookup = choice->match.is_unique;
    scan->is_backward = choice->direction < 0;
    scan->is_gathered = choice->is_gathered;
    ret->plan = &scan->scan.base;
    ret->out = shape.out;
    ret->one_row = choice->match.is_unique;
    return true;
}

/* The conditions as the filter of a scan. */
static bool filter_over_sources(Level *level, const ScanRequest *request, const ScanShape *shape,
                                ExprVec *filter)
{
    for (size_t i = 0; i < request->quals->length; i++) {
        Expr *qual = fix_over_sources(level, request->rel, request->quals->items[i], shape);
        TRY(qual);
        VEC_PUSH(level->planner->arena, filter, qual);
    }
    return true;
}

static bool build_seq_scan(Level *level, const ScanRequest *request, const RelationDesc *relation,
                           Tree *ret)
{
    ScanPlan *scan = PLAN_NEW(level, ScanPlan, PLAN_SEQ_SCAN);
    ScanShape shape = {0};
    TRY(scan_shape(level, request, false, &shape));
    TRY(filter_over_sources(level, request, &shape, &scan->base.filter));
    scan_fill(level, scan, relation, request->rel, &shape);
    ret->plan = &scan->base;
    ret->out = shape.out;
    return true;
}

static void set_estimate(Plan *plan, const ScanChoice *choice)
{
    plan->startup_cost = choice->cost.startup;
    plan->total_cost = choice->cost.total;
    plan->rows = choice->rows;
}

static bool build_arms(Level *level, const ScanRequest *request, const RelationDesc *relation,
                       const ScanChoice *choice, Tree *ret)
{
    Arena *arena = level->planner->arena;
    const int rel = request->rel;
    RowIdScanPlan *scan = PLAN_NEW(level, RowIdScanPlan, PLAN_ROW_ID_SCAN);
    AppendPlan *append = PLAN_NEW(level, AppendPlan, PLAN_APPEND);
    ScanShape shape = {0};
    ExprVec row_id = {0};

    TRY(scan_shape(level, request, false, &shape));
    TRY(filter_over_sources(level, request, &shape, &scan->scan.base.filter));
    for (size_t i = 0; i < request->quals->length; i++)
        if (request->quals->items[i] == choice->arms->qual)
            scan->source = scan->scan.base.filter.items[i];
    scan_fill(level, &scan->scan, relation, rel, &shape);
    VEC_PUSH(arena, &row_id, base_column(level, rel, ATTNUM_ROW_ID));
    for (size_t i = 0; i < choice->arms->count; i++) {
        const ScanChoice *arm = &choice->arms->items[i];
        const ScanRequest own = {.rel = rel, .quals = &arm->quals, .needed = &row_id};
        Tree tree = {0};
        TRY(build_index_scan(level, &own, relation, arm, &tree));
        ((IndexScanPlan *)tree.plan)->is_of_bitmap = true;
        set_estimate(tree.plan, arm);
        VEC_PUSH(arena, &append->children, tree.plan);
    }
    plan_pass_through(level, &append->base, append->children.items[0]);
    for (size_t i = 1; i < append->children.length; i++) {
        append->base.rows += append->children.items[i]->rows;
        append->base.total_cost += append->children.items[i]->total_cost;
    }
    append->is_of_bitmap = true;
    scan->scan.base.left = &append->base;
    ret->plan = &scan->scan.base;
    ret->out = shape.out;
    return true;
}

bool scan_build(Level *level, const ScanRequest *request, const ScanChoice *choice, Tree *ret)
{
    const RelationDesc *relation =
        relation_get(level->planner->session, query_rte(level->query, request->rel)->relation);
    TRY(relation);
    *ret = (Tree){.rels = REL_BIT(request->rel), .rel = request->rel};
    if (choice->index)
        TRY(build_index_scan(level, request, relation, choice, ret));
    else if (choice->arms)
        TRY(build_arms(level, request, relation, choice, ret));
    else
        TRY(build_seq_scan(level, request, relation, ret));
    set_estimate(ret->plan, choice);
    return true;
}

static bool plan_current_of(Level *level, const ScanRequest *request, const RelationDesc *relation,
                            Expr *qual, Tree *ret)
{
    const int rel = request->rel;
    RowIdScanPlan *scan = PLAN_NEW(level, RowIdScanPlan, PLAN_ROW_ID_SCAN);
    ScanShape shape = {0};
    const ExprVec none = {0};
    const ScanRequest whole = {.rel = rel, .quals = &none, .needed = request->needed};
    TRY(scan_shape(level, &whole, false, &shape));
    scan_fill(level, &scan->scan, relation, rel, &shape);
    scan->cursor_name = EXPR_AS(const ExprCurrentOf, qual)->cursor_name;
    scan->source = qual;
    *ret =
        (Tree){.plan = &scan->scan.base, .out = shape.out, .rels = REL_BIT(rel), .one_row = true};
    return true;
}

enum { OPERATOR_TID_EQUAL = 387 };

static bool is_row_id(const Expr *expr, int rel)
{
    return is_of_rel(expr, rel) && EXPR_AS(const ExprColumn, expr)->attnum == ATTNUM_CTID;
}

/* `ctid = value`, `ctid = ANY (array)` where no row of the table is needed for the value. */
static Expr *row_id_value(Level *level, int rel, const Expr *qual, bool *ret_is_array)
{
    Expr *value = NULL;
    *ret_is_array = qual->kind == EXPR_SCALAR_ARRAY;
    if (*ret_is_array) {
        const ExprScalarArray *any = EXPR_AS(const ExprScalarArray, qual);
        if (any->use_or && any->op == OPERATOR_TID_EQUAL && is_row_id(any->left, rel))
            value = any->array;
    } else if (qual->kind == EXPR_OPERATOR &&
               EXPR_AS(const ExprOperator, qual)->op == OPERATOR_TID_EQUAL) {
        const ExprVec *args = &EXPR_AS(const ExprOperator, qual)->args;
        value = is_row_id(args->items[0], rel)   ? args->items[1]
                : is_row_id(args->items[1], rel) ? args->items[0]
                                                 : NULL;
    }
    return value && expr_rels(value) == 0 && !expr_is_volatile(level->planner->session, value)
               ? value
               : NULL;
}

bool scan_is_by_row_id(Level *level, int rel, const ExprVec *quals)
{
    bool is_array;
    for (size_t i = 0; i < quals->length; i++)
        if (quals->items[i]->kind == EXPR_CURRENT_OF ||
            row_id_value(level, rel, quals->items[i], &is_array))
            return true;
    return false;
}

/* Rows by their places, where that is cheaper than what has been chosen: *ret->plan is set. */
static bool plan_row_ids(Level *level, const ScanRequest *request, const RelationDesc *relation,
                         const ScanChoice *other, Tree *ret)
{
    Expr *value = NULL;
    bool is_array = false;
    size_t at;
    for (at = 0; at < request->quals->length; at++) {
        value = row_id_value(level, request->rel, request->quals->items[at], &is_array);
        if (value)
            break;
    }
    const double rows = value && is_array ? plan_array_length(value) : 1;
    const double cost = rows * (settings()->random_page_cost + settings()->cpu_tuple_cost) +
                        (settings()->enable_tidscan ? 0 : COST_DISABLED);
    if (!value || cost >= other->cost.total)
        return true;
    RowIdScanPlan *scan = PLAN_NEW(level, RowIdScanPlan, PLAN_ROW_ID_SCAN);
    ScanShape shape = {0};
    TRY(scan_shape(level, request, false, &shape));
    TRY(scan->source = fix_over_sources(level, request->rel, request->quals->items[at], &shape));
    TRY(value = plan_fix(level, value, NULL, NULL));
    VEC_PUSH(level->planner->arena, &scan->ctids, value);
    scan->is_array = is_array;
    for (size_t i = 0; i < request->quals->length; i++) {
        if (i == at)
            continue;
        Expr *qual = fix_over_sources(level, request->rel, request->quals->items[i], &shape);
        TRY(qual);
        VEC_PUSH(level->planner->arena, &scan->scan.base.filter, qual);
    }
    scan_fill(level, &scan->scan, relation, request->rel, &shape);
    scan->scan.base.total_cost = cost;
    scan->scan.base.rows = rows;
    *ret = (Tree){.plan = &scan->scan.base,
                  .out = shape.out,
                  .rels = REL_BIT(request->rel),
                  .rel = request->rel,
                  .one_row = !is_array};
    return true;
}

static bool plan_relation(Level *level, const ScanRequest *request, Tree *ret)
{
    const ExprVec *quals = request->quals;
    const RelationDesc *relation =
        relation_get(level->planner->session, query_rte(level->query, request->rel)->relation);
    ScanChoice choice;

    TRY(relation);
    for (size_t i = 0; i < quals->length; i++)
        if (quals->items[i]->kind == EXPR_CURRENT_OF)
            return plan_current_of(level, request, relation, quals->items[i], ret);
    TRY(scan_choose(level, request, &choice));
    ret->plan = NULL;
    TRY(plan_row_ids(level, request, relation, &choice, ret));
    if (!ret->plan)
        TRY(scan_build(level, request, &choice, ret));
    ret->base_quals = *quals;
    level_note_rows(level, request->rel, choice.rows);
    return true;
}

/* How often the scan is run: not more often than the least relation that gives it values has rows,
 * as what is read then is read again. */
static double outer_loops(Level *level, const ExprVec *quals, RelSet outer, double loops)
{
    double least = INFINITY;
    for (size_t i = 0; i < quals->length; i++) {
        const RelSet rels = expr_rels(quals->items[i]) & outer;
        for (int rel = 1; rel <= (int)level->query->range_table.length; rel++)
            if ((rels & REL_BIT(rel)) && level_rel_rows(level, rel) > 0)
                least = MIN(least, level_rel_rows(level, rel));
    }
    return isinf(least) ? loops : least;
}

bool plan_index_inner(Level *level, const Tree *inner, const ScanRequest *wanted, InnerScan *ret)
{
    const ExprVec *join_quals = wanted->quals;
    *ret = (InnerScan){0};
    if (!inner->rel || query_rte(level->query, inner->rel)->kind != RANGE_RELATION)
        return true;
    Arena *arena = level->planner->arena;
    ExprVec *quals = ARENA_NEW(arena, ExprVec);
    for (size_t i = 0; i < inner->base_quals.length; i++)
        VEC_PUSH(arena, quals, inner->base_quals.items[i]);
    for (size_t i = 0; i < join_quals->length; i++)
        VEC_PUSH(arena, quals, join_quals->items[i]);
    ret->request = *wanted;
    ret->request.rel = inner->rel;
    ret->request.quals = quals;
    ret->request.loops = outer_loops(level, join_quals, wanted->outer, wanted->loops);
    TRY(scan_choose(level, &ret->request, &ret->choice));
    const ExprVec *exact = &ret->choice.match.exact;
    for (size_t i = 0; i < exact->length && ret->choice.is_known; i++)
        ret->is_found |= contains(join_quals, exact->items[i]);
    if (!ret->is_found)
        return true;
    /* The scan answers the index conditions; other join conditions stay with the join. */
    ExprVec *own = ARENA_NEW(arena, ExprVec);
    ExprVec kept = {0};
    for (size_t i = 0; i < quals->length; i++) {
        const bool is_exact = contains(exact, quals->items[i]);
        if (is_exact || contains(&inner->base_quals, quals->items[i])) {
            VEC_PUSH(arena, own, quals->items[i]);
            if (contains(&ret->choice.quals, quals->items[i]))
                VEC_PUSH(arena, &kept, quals->items[i]);
        }
        if (is_exact && contains(join_quals, quals->items[i]))
            VEC_PUSH(arena, &ret->used, quals->items[i]);
    }
    ret->request.quals = own;
    ret->choice.quals = kept;
    const RelationDesc *relation =
        relation_get(level->planner->session, query_rte(level->query, inner->rel)->relation);
    TRY(relation);
    const double rows = relation_rows(level->planner->session, relation) *
                        selectivity_among(level, own, REL_BIT(inner->rel));
    ret->choice.rows = ret->choice.match.is_unique ? 1 : MAX(1, rint(rows));
    return true;
}

/* ---- other sources ---- */

/* Columns of this level that an inner level reads: they must be set from outside. */
static void lateral_needs(Level *level, const Level *inner, Tree *tree)
{
    for (size_t i = 0; i < inner->used.length; i++)
        for (size_t k = 0; k < level->params.length; k++) {
            if (level->params.items[k].number != inner->used.items[i])
                continue;
            tree->needs |= expr_rels(level->params.items[k].column);
            VEC_PUSH(level->planner->arena, &tree->params, inner->used.items[i]);
        }
}

static bool scan_of_source(Level *level, const ScanRequest *request, Plan *plan, Tree *ret)
{
    ScanShape shape = {0};
    TRY(scan_shape(level, request, true, &shape));
    TRY(filter_over_sources(level, request, &shape, &plan->filter));
    plan_set_targets(level, plan, &shape.targets);
    plan->source = level_scan_number(level, request->rel);
    plan->rows = MAX(1, rint(plan->rows * selectivity_list(level, request->quals)));
    plan->total_cost += plan->rows * 0.01;
    ret->plan = plan;
    ret->out = shape.out;
    ret->rels = REL_BIT(request->rel);
    return true;
}

static bool plan_subquery(Level *level, const ScanRequest *request, Tree *ret)
{
    const int rel = request->rel;
    const ExprVec *needed = request->needed;
    RangeTableEntry *rte = query_rte(level->query, rel);
    if (level->query->row_marks.length == 0)
        rte->subquery = plan_read_query(level->planner, rte->subquery, rel, needed);
    Level *inner = level_new(level->planner, level, rte->subquery);
    ExprVec out;
    Plan *child = plan_query(inner, &out);
    TRY(child);
    bool is_trivial = request->quals->length == 0;
    for (size_t i = 0; i < needed->length; i++)
        is_trivial &= !is_of_rel(needed->items[i], rel) ||
                      EXPR_AS(const ExprColumn, needed->items[i])->attnum > 0;
    if (is_trivial) {
        /* Nothing to filter or rename: the subquery's rows are the scan's. */
        lateral_needs(level, inner, ret);
        for (int i = 0; i < rte->column_count; i++)
            VEC_PUSH(level->planner->arena, &ret->out, base_column(level, rel, i + 1));
        /* What the subquery sorts by may stand behind its columns: nothing refers to it. */
        for (int i = rte->column_count; i < child->column_count; i++)
            VEC_PUSH(level->planner->arena, &ret->out,
                     expr_null(level->planner->arena, TYPE_INT4, -1, 0));
        ret->plan = child;
        ret->rels = REL_BIT(rel);
        return true;
    }
    SubqueryScanPlan *scan = PLAN_NEW(level, SubqueryScanPlan, PLAN_SUBQUERY_SCAN);
    scan->base.left = child;
    scan->base.rows = child->rows;
    scan->base.startup_cost = child->startup_cost;
    scan->base.total_cost = child->total_cost;
    scan->alias = rte->name;
    lateral_needs(level, inner, ret);
    return scan_of_source(level, request, &scan->base, ret);
}

static bool plan_values(Level *level, const ScanRequest *request, Tree *ret)
{
    Arena *arena = level->planner->arena;
    const RangeTableEntry *rte = query_rte(level->query, request->rel);
    ValuesScanPlan *scan = PLAN_NEW(level, ValuesScanPlan, PLAN_VALUES_SCAN);
    scan->alias = rte->name;
    for (size_t r = 0; r < rte->values.length; r++) {
        ExprVec row = {0};
        TRY(plan_fix_list(level, &rte->values.items[r], NULL, NULL, &row));
        VEC_PUSH(arena, &scan->rows, row);
    }
    scan->base.rows = (double)rte->values.length;
    return scan_of_source(level, request, &scan->base, ret);
}

static bool plan_function(Level *level, const ScanRequest *request, Tree *ret)
{
    Arena *arena = level->planner->arena;
    const RangeTableEntry *rte = query_rte(level->query, request->rel);
    FunctionScanPlan *scan = PLAN_NEW(level, FunctionScanPlan, PLAN_FUNCTION_SCAN);
    scan->alias = rte->name;
    scan->with_ordinality = rte->with_ordinality;
    ParamReplace replace = {level, UINT64_MAX, ret};
    for (size_t i = 0; i < rte->functions.length; i++) {
        RangeCall call = rte->functions.items[i];
        ret->needs |= expr_rels(call.call);
        TRY(call.call = plan_flatten_joins(level, call.call));
        TRY(call.call = expr_replace_deep(arena, call.call, 0, outer_to_param, &replace));
        TRY(call.call = plan_fix(level, call.call, NULL, NULL));
        VEC_PUSH(arena, &scan->functions, call);
        scan->base.rows =
            MAX(i > 0 ? scan->base.rows : 1, rows_of_call(level->planner->session, call.call));
    }
    return scan_of_source(level, request, &scan->base, ret);
}

static bool plan_cte(Level *level, const ScanRequest *request, Tree *ret)
{
    const RangeTableEntry *rte = query_rte(level->query, request->rel);
    Level *owner = level;
    for (int i = 0; i < rte->cte_levels_up && owner; i++)
        owner = owner->parent;
    for (size_t i = 0; owner && i < owner->query->ctes.length; i++) {
        if (!str_equal(owner->query->ctes.items[i]->name, rte->cte_name))
            continue;
        if (i < owner->cte_work_tables.length && owner->cte_subplans.items[i] < 0) {
            WorkTableScanPlan *scan = PLAN_NEW(level, WorkTableScanPlan, PLAN_WORK_TABLE_SCAN);
            scan->alias = rte->name;
            scan->cte_name = rte->cte_name;
            scan->work_table = owner->cte_work_tables.items[i];
            scan->param = owner->cte_work_params.items[i];
            scan->base.rows = owner->cte_work_rows.items[i];
            return scan_of_source(level, request, &scan->base, ret);
        }
        CteScanPlan *scan = PLAN_NEW(level, CteScanPlan, PLAN_CTE_SCAN);
        scan->alias = rte->name;
        scan->cte_name = rte->cte_name;
        scan->subplan = owner->cte_subplans.items[i];
        scan->base.rows = level->planner->statement->subplans.items[scan->subplan].plan->rows;
        return scan_of_source(level, request, &scan->base, ret);
    }
    FAIL(ERR_INTERNAL_ERROR,
         .message = fmt("could not find CTE \"%.*s\"", STR_ARGS(rte->cte_name)));
}

bool plan_base(Level *level, int rel, const ExprVec *quals, const ExprVec *needed, Tree *ret)
{
    const ScanRequest request = {.rel = rel, .quals = quals, .needed = needed, .fraction = 1};
    *ret = (Tree){0};
    switch (query_rte(level->query, rel)->kind) {
    case RANGE_RELATION:
        return plan_relation(level, &request, ret);
    case RANGE_SUBQUERY:
        return plan_subquery(level, &request, ret);
    case RANGE_VALUES:
        return plan_values(level, &request, ret);
    case RANGE_FUNCTION:
        return plan_function(level, &request, ret);
    case RANGE_CTE:
        return plan_cte(level, &request, ret);
    case RANGE_JOIN:
        break;
    }
    FAIL(ERR_INTERNAL_ERROR, .message = STR("a join is no base relation"));
}
