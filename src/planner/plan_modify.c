#include "planner/plan_internal.h"

/* A table row as the modifying node sees it: column attnum - 1. */
static void row_outputs(Planner *planner, const RelationDesc *relation, int rel, ExprVec *ret)
{
    for (int i = 0; i < relation->column_count; i++) {
        const ColumnDesc *column = &relation->columns[i];
        const Expr like = {
            .type = column->type, .typmod = column->typmod, .collation = column->collation};
        VEC_PUSH(planner->arena, ret, expr_column(planner->arena, rel, i + 1, 0, &like));
    }
}

/* ---- stored expressions ---- */

static Level *stored_level(Arena *arena, CatalogSession *session)
{
    Planner *planner = ARENA_NEW(arena, Planner);
    planner->arena = arena;
    planner->session = session;
    planner->statement = ARENA_NEW(arena, PlannedStatement);
    return level_new(planner, NULL, ARENA_NEW(arena, Query));
}

static Expr *whole_row(Arena *arena, const RelationDesc *relation, const Expr *whole)
{
    ExprRow *row = expr_whole_row(arena, whole, relation->name, relation->column_count);
    for (int i = 0; i < relation->column_count; i++) {
        const ColumnDesc *column = &relation->columns[i];
        const Expr like = {
            .type = column->type, .typmod = column->typmod, .collation = column->collation};
        if (!column->dropped)
            expr_whole_row_add(arena, row, column->name, expr_slot(arena, 0, i, &like));
    }
    return &row->base;
}

typedef struct RowSlots {
    Arena *arena;
    const RelationDesc *relation; /* NULL: the expression has no columns */
} RowSlots;

static Expr *row_slots_step(void *context, Expr *expr)
{
    const RowSlots *slots = context;
    if (expr->kind != EXPR_COLUMN)
        return expr_mutate(slots->arena, expr, row_slots_step, context);
    const int attnum = EXPR_AS(ExprColumn, expr)->attnum;
    if (attnum > 0)
        return expr_slot(slots->arena, 0, attnum - 1, expr);
    if (!slots->relation)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("an expression without a row has columns"));
    if (attnum == 0)
        return whole_row(slots->arena, slots->relation, expr);
    if (attnum != ATTNUM_TABLEOID)
        FAIL(ERR_INVALID_COLUMN_REFERENCE,
             .message = STR("a row that is to be stored has no system columns but tableoid"));
    return &expr_const(slots->arena, TYPE_OID, -1, OID_NONE, (Value){.oid = slots->relation->oid},
                       false, 0)
                ->base;
}

Expr *planner_plan_expression(Arena *arena, CatalogSession *session, const RelationDesc *relation,
                              Expr *expr)
{
    Level *level = stored_level(arena, session);
    RowSlots slots = {.arena = arena, .relation = relation};
    TRY(expr = plan_fold(level->planner, expr));
    TRY(expr = row_slots_step(&slots, expr));
    return plan_fix(level, expr, NULL, NULL);
}

Expr *planner_stored_expression(Arena *arena, CatalogSession *session, const RelationDesc *relation,
                                Str text, Oid type, int32_t typmod)
{
    Expr *expr =
        analyze_expression_text(arena, session, text, relation, STORED_CHECK, type, typmod);
    return expr ? planner_plan_expression(arena, session, relation, expr) : NULL;
}

Expr *planner_column_default(Arena *arena, CatalogSession *session, const RelationDesc *relation,
                             int attnum)
{
    const ColumnDesc *column = relation_column_at(relation, attnum);
    AnalyzeContext context = {.arena = arena, .session = session};
    Expr *expr;
    if (column->identity) {
        ExprNextValue *next = EXPR_NEW(arena, ExprNextValue, EXPR_NEXT_VALUE);
        next->base.type = TYPE_INT8;
        next->sequence = column->identity_sequence;
        expr = &next->base;
        if (column->type != TYPE_INT8)
            TRY(expr = analyze_coerce(&context, expr, column->type, -1, COERCION_ASSIGNMENT));
    } else if (column->has_default && !column->generated) {
        TRY(expr = analyze_expression_text(arena, session, column->default_text, relation,
                                           STORED_DEFAULT, column->type, column->typmod));
    } else {
        expr = expr_null(arena, column->type, column->typmod, column->collation);
    }
    return planner_plan_expression(arena, session, NULL, expr);
}

bool planner_index_maintain(Arena *arena, CatalogSession *session, const RelationDesc *relation,
                            const Oid *only_index, IndexMaintain **ret_items, int *ret_count)
{
    IndexMaintain *items = ARENA_ARRAY(arena, IndexMaintain, relation->index_count + 1);
    int count = 0;

    for (int i = 0; i < relation->index_count; i++) {
        const IndexDesc *index = &relation->indexes[i];
        if ((only_index && *only_index != index->oid) || (!only_index && !index->is_ready))
            continue;
        IndexMaintain *item = &items[count++];
        *item = (IndexMaintain){.index = index->oid,
                                .name = index->name,
                                .key_count = index->key_count,
                                .column_count = index->column_count,
                                .is_unique = index->is_unique,
                                .is_primary = index->is_primary,
                                .nulls_not_distinct = index->nulls_not_distinct,
                                .is_deferrable = !index->is_immediate,
                                .is_affected = true,
                                .constraint = index->constraint};
        for (int c = 0; c < relation->constraint_count; c++)
            if (index->constraint && relation->constraints[c].oid == index->constraint) {
                item->is_deferred = relation->constraints[c].initially_deferred;
                item->recheck_trigger = relation->constraints[c].triggers[TRIGGER_CHECK_INSERT];
            }
        item->columns = ARENA_ARRAY(arena, int, index->column_count + 1);
        for (int c = 0; c < index->column_count; c++) {
            item->columns[c] = index->columns[c].attnum;
            if (index->columns[c].attnum)
                continue;
            Expr *expr = planner_stored_expression(arena, session, relation,
                                                   index->columns[c].expression, 0, -1);
            TRY(expr);
            VEC_PUSH(arena, &item->expressions, expr);
        }
        if (!str_is_none(index->predicate) && index->predicate.length > 0)
            TRY(item->predicate = planner_stored_expression(arena, session, relation,
                                                            index->predicate, TYPE_BOOL, -1));
    }
    *ret_items = items;
    *ret_count = count;
    return true;
}

static bool planner_checks(Arena *arena, CatalogSession *session, const RelationDesc *relation,
                           CheckPlan **ret_items, int *ret_count)
{
    CheckPlan *items = ARENA_ARRAY(arena, CheckPlan, relation->constraint_count + 1);
    int count = 0;
    for (int i = 0; i < relation->constraint_count; i++) {
        const ConstraintDesc *constraint = &relation->constraints[i];
        if (constraint->kind != CONTYPE_CHECK)
            continue;
        items[count].name = constraint->name;
        TRY(items[count].condition = planner_stored_expression(
                arena, session, relation, constraint->check_text, TYPE_BOOL, -1));
        count++;
    }
    *ret_items = items;
    *ret_count = count;
    return true;
}

/* CHECK constraints, stored generated columns likewise. */
static bool planner_generated(Arena *arena, CatalogSession *session, const RelationDesc *relation,
                              ColumnAssign **ret_items, int *ret_count)
{
    ColumnAssign *items = ARENA_ARRAY(arena, ColumnAssign, relation->column_count + 1);
    int count = 0;
    for (int i = 0; i < relation->column_count; i++) {
        const ColumnDesc *column = &relation->columns[i];
        if (column->dropped || !column->generated)
            continue;
        items[count].attnum = column->attnum;
        TRY(items[count].expr = planner_stored_expression(
                arena, session, relation, column->default_text, column->type, column->typmod));
        count++;
    }
    *ret_items = items;
    *ret_count = count;
    return true;
}

/* ---- what a modified table demands ---- */

static int *copy_attnums(Arena *arena, const int16_t *attnums, int count)
{
    int *copy = ARENA_ARRAY(arena, int, count + 1);
    for (int i = 0; i < count; i++)
        copy[i] = attnums[i];
    return copy;
}

static Str *attnum_names(Arena *arena, const RelationDesc *relation, const int16_t *attnums,
                         int count)
{
    Str *names = ARENA_ARRAY(arena, Str, count + 1);
    for (int i = 0; i < count; i++)
        names[i] = relation_column_at(relation, attnums[i])->name;
    return names;
}

static Oid index_on(const RelationDesc *relation, const int16_t *columns, int count)
{
    for (int i = 0; i < relation->index_count; i++) {
        const IndexDesc *index = &relation->indexes[i];
        if (!index->is_valid || index->key_count < count || !str_is_none(index->predicate))
            continue;
        bool fits = true;
        for (int c = 0; c < count && fits; c++) {
            bool found = false;
            for (int k = 0; k < count; k++)
                found |= index->columns[k].attnum == columns[c];
            fits = found;
        }
        if (fits)
            return index->oid;
    }
    return 0;
}

bool planner_foreign_key(Arena *arena, CatalogSession *session, const ConstraintDesc *constraint,
                         ForeignKeyPlan *ret)
{
    const RelationDesc *relation = relation_get(session, constraint->table);
    TRY(relation);
    const RelationDesc *referenced = relation_get(session, constraint->foreign_table);
    TRY(referenced);
    const int count = constraint->column_count;
    *ret = (ForeignKeyPlan){
        .constraint = constraint->oid,
        .constraint_name = constraint->name,
        .relation = relation->oid,
        .referenced = referenced->oid,
        .relation_name = relation->name,
        .referenced_name = referenced->name,
        .relation_schema = relation->namespace_name,
        .referenced_schema = referenced->namespace_name,
        .column_count = count,
        .columns = copy_attnums(arena, constraint->columns, count),
        .referenced_columns = copy_attnums(arena, constraint->foreign_columns, count),
        .column_names = attnum_names(arena, relation, constraint->columns, count),
        .referenced_column_names =
            attnum_names(arena, referenced, constraint->foreign_columns, count),
        .equal_ops = arena_copy(arena, constraint->equal_operators, sizeof(Oid) * (size_t)count),
        .referenced_index = constraint->index,
        .relation_index = index_on(relation, constraint->columns, count),
        .on_update = (char)constraint->on_update,
        .on_delete = (char)constraint->on_delete,
        .is_match_full = constraint->match == 'f',
        .is_deferrable = constraint->deferrable,
        .is_deferred = constraint->initially_deferred,
        .set_columns =
            constraint->delete_set_count
                ? copy_attnums(arena, constraint->delete_set_columns, constraint->delete_set_count)
                : NULL,
        .set_column_count = constraint->delete_set_count};
    for (int i = 0; i < CONSTRAINT_TRIGGER_COUNT; i++)
        ret->triggers[i] = constraint->triggers[i];
    return true;
}

static bool target_sets(const TargetVec *targets, int attnum)
{
    for (size_t i = 0; i < targets->length; i++)
        if (attnum != 0 && targets->items[i].attnum == attnum)
            return true;
    return false;
}

static bool is_assigned(const Query *query, int attnum)
{
    return target_sets(&query->targets, attnum);
}

static bool assigns_any(const Query *query, const int *columns, int count)
{
    for (int i = 0; i < count; i++)
        if (is_assigned(query, columns[i]))
            return true;
    return false;
}

/* Keys are looked at in the order in which they were made. */
static void add_by_age(Arena *arena, void *keys, const ForeignKeyPlan *key)
{
    VEC(ForeignKeyPlan) *list = keys;
    VEC_PUSH(arena, list, *key);
    for (size_t i = list->length - 1; i > 0; i--) {
        if (list->items[i - 1].constraint < key->constraint)
            break;
        list->items[i] = list->items[i - 1];
        list->items[i - 1] = *key;
    }
}

static bool fill_foreign_keys(Planner *planner, const Query *query, const RelationDesc *relation,
                              ModifyPlan *modify)
{
    for (int i = 0; i < relation->constraint_count && query->command != QUERY_DELETE; i++) {
        ForeignKeyPlan key;
        if (relation->constraints[i].kind != CONTYPE_FOREIGN)
            continue;
        TRY(planner_foreign_key(planner->arena, planner->session, &relation->constraints[i], &key));
        add_by_age(planner->arena, &modify->references, &key);
    }
    const bool updates =
        query->command == QUERY_UPDATE || (query->conflict && query->conflict->do_update);
    for (int i = 0; i < relation->referencing_count; i++) {
        ForeignKeyPlan key;
        if (query->command == QUERY_INSERT && !updates)
            break;
        TRY(planner_foreign_key(planner->arena, planner->session, &relation->referencing[i], &key));
        if (query->command == QUERY_UPDATE &&
            !assigns_any(query, key.referenced_columns, key.column_count))
            continue;
        add_by_age(planner->arena, &modify->referenced, &key);
    }
    return true;
}

static bool fill_indexes(Planner *planner, const Query *query, const RelationDesc *relation,
                         ModifyPlan *modify)
{
    IndexMaintain *items;
    int count;
    bool changes_key = false;
    TRY(planner_index_maintain(planner->arena, planner->session, relation, NULL, &items, &count));
    for (int i = 0; i < count; i++) {
        IndexMaintain *item = &items[i];
        if (query->command == QUERY_UPDATE) {
            item->is_affected = item->expressions.length > 0 || item->predicate ||
                                assigns_any(query, item->columns, item->column_count);
            if (item->is_unique && item->expressions.length == 0 && !item->predicate)
                changes_key |= assigns_any(query, item->columns, item->key_count);
        }
        if (query->conflict && query->conflict->do_update && item->is_unique && !item->predicate)
            for (int c = 0; c < item->key_count; c++)
                changes_key |= target_sets(&query->conflict->set, item->columns[c]);
        VEC_PUSH(planner->arena, &modify->indexes, *item);
    }
    modify->lock =
        query->command == QUERY_DELETE || changes_key ? LOCK_FOR_UPDATE : LOCK_FOR_NO_KEY_UPDATE;
    return true;
}

static bool fill_constraints(Planner *planner, const Query *query, const RelationDesc *relation,
                             ModifyPlan *modify)
{
    CheckPlan *checks;
    ColumnAssign *generated;
    int count;
    if (query->command == QUERY_DELETE)
        return true;
    for (int i = 0; i < relation->column_count; i++)
        if (relation->columns[i].not_null && !relation->columns[i].dropped)
            VEC_PUSH(planner->arena, &modify->not_null, relation->columns[i].attnum);
    TRY(planner_checks(planner->arena, planner->session, relation, &checks, &count));
    for (int i = 0; i < count; i++)
        VEC_PUSH(planner->arena, &modify->checks, checks[i]);
    TRY(planner_generated(planner->arena, planner->session, relation, &generated, &count));
    for (int i = 0; i < count; i++)
        VEC_PUSH(planner->arena, &modify->generated, generated[i]);
    return true;
}

/* Rows changed outside a statement: a Query that says no more than which columns are. */
ModifyPlan *planner_modify(Arena *arena, CatalogSession *session, const RelationDesc *relation,
                           QueryCommand command, const int *attnums, int count)
{
    Level *level = stored_level(arena, session);
    ModifyPlan *modify = PLAN_NEW(level, ModifyPlan, PLAN_MODIFY);
    level->query->command = command;
    modify->command = command;
    modify->relation = relation->oid;
    modify->relation_name = relation->name;
    modify->schema_name = relation->namespace_name;
    modify->alias = relation->name;
    modify->attribute_count = relation->column_count;
    for (int i = 0; i < count; i++) {
        const ColumnDesc *column = relation_column_at(relation, attnums[i]);
        const Expr like = {
            .type = column->type, .typmod = column->typmod, .collation = column->collation};
        const TargetEntry target = {.attnum = attnums[i]};
        const ColumnAssign assign = {attnums[i], expr_slot(arena, 0, i + 1, &like)};
        const ColumnAssign newest = {attnums[i], expr_slot(arena, 1, i + 1, &like)};
        VEC_PUSH(arena, &level->query->targets, target);
        VEC_PUSH(arena, &modify->assign, assign);
        VEC_PUSH(arena, &modify->assign_newest, newest);
    }
    TRY(fill_constraints(level->planner, level->query, relation, modify));
    TRY(fill_indexes(level->planner, level->query, relation, modify));
    TRY(fill_foreign_keys(level->planner, level->query, relation, modify));
    return modify;
}

/* ---- the three statements ---- */

/* Rows of the relation, by two entries of the range table. */
typedef struct WholeRows {
    Arena *arena;
    const RelationDesc *relation;
    int rel, other_rel;
} WholeRows;

static Expr *whole_row_step(void *context, Expr *expr, int depth)
{
    const WholeRows *rows = context;

    if (expr->kind != EXPR_COLUMN)
        return NULL;
    const ExprColumn *whole = EXPR_AS(const ExprColumn, expr);
    if (whole->levels_up != depth || whole->attnum != ATTNUM_WHOLE_ROW ||
        (whole->rel != rows->rel && whole->rel != rows->other_rel))
        return expr;
    ExprRow *row =
        expr_whole_row(rows->arena, expr, rows->relation->name, rows->relation->column_count);
    for (int i = 0; i < rows->relation->column_count; i++) {
        const ColumnDesc *column = &rows->relation->columns[i];
        const Expr like = {
            .type = column->type, .typmod = column->typmod, .collation = column->collation};
        if (!column->dropped)
            expr_whole_row_add(rows->arena, row, column->name,
                               expr_column(rows->arena, whole->rel, i + 1, depth, &like));
    }
    return &row->base;
}

/* Whole rows are made of their columns here: of the row as it is when they are looked at. */
static bool whole_rows_of_targets(WholeRows *rows, const TargetVec *targets, TargetVec *ret)
{
    for (size_t i = 0; i < targets->length; i++) {
        TargetEntry target = targets->items[i];
        TRY(target.expr = expr_replace_deep(rows->arena, target.expr, 0, whole_row_step, rows));
        VEC_PUSH(rows->arena, ret, target);
    }
    return true;
}

static bool whole_rows_of_list(WholeRows *rows, ExprVec *exprs)
{
    for (size_t i = 0; i < exprs->length; i++)
        TRY(exprs->items[i] =
                expr_replace_deep(rows->arena, exprs->items[i], 0, whole_row_step, rows));
    return true;
}

static bool plan_assignments(Level *level, const TargetVec *targets, const ExprVec *left,
                             const ExprVec *right, void *ret_vec)
{
    VEC(ColumnAssign) *ret = ret_vec;
    for (size_t i = 0; i < targets->length; i++) {
        ColumnAssign assign = {.attnum = targets->items[i].attnum};
        TRY(assign.expr = plan_fix(level, targets->items[i].expr, left, right));
        VEC_PUSH(level->planner->arena, ret, assign);
    }
    return true;
}

static bool insert_child(Level *level, ModifyPlan *modify, ExprVec *ret_out)
{
    Arena *arena = level->planner->arena;
    Query *query = level->query;
    ExprVec needed = {0}, quals = {0}, targets = {0}, exprs = {0};
    Tree tree = {0};

    collect_query_columns(level, &needed);
    /* The source's conditions, where it has been pulled up. */
    plan_split_and(arena, query->where, &quals);
    if (query->from.length > 0) {
        TRY(plan_from(level, &quals, &needed, &tree));
    } else {
        ResultPlan *result = PLAN_NEW(level, ResultPlan, PLAN_RESULT);
        ExprVec none = {0};
        plan_set_targets(level, &result->base, &none);
        result->base.total_cost = 0.01;
        tree.plan = &result->base;
    }
    for (size_t i = 0; i < query->targets.length; i++)
        VEC_PUSH(arena, &exprs, query->targets.items[i].expr);
    TRY(plan_fix_list(level, &exprs, &tree.out, NULL, &targets));
    bool has_srf = false;
    for (size_t i = 0; i < targets.length; i++)
        has_srf |= targets.items[i]->kind == EXPR_FUNCTION &&
                   EXPR_AS(ExprFunction, targets.items[i])->returns_set;
    if (has_srf) {
        ProjectSetPlan *project = PLAN_NEW(level, ProjectSetPlan, PLAN_PROJECT_SET);
        project->base.left = tree.plan;
        plan_set_targets(level, &project->base, &targets);
        tree.plan = &project->base;
    } else {
        TRY(plan_project(level, &tree.plan, &targets));
    }
    modify->base.left = tree.plan;
    *ret_out = tree.out;
    return true;
}

static bool change_child(Level *level, ModifyPlan *modify, const RelationDesc *relation,
                         ExprVec *ret_out)
{
    Arena *arena = level->planner->arena;
    Query *query = level->query;
    const Expr like = {.type = TYPE_INT8, .typmod = -1};
    ExprVec needed = {0}, quals = {0}, out = {0}, targets = {0}, newest = {0}, where = {0};
    WholeRows rows = {arena, relation, query->result_rel, query->result_rel};
    TargetVec set = {0};
    Tree tree;

    Expr *row_id = expr_column(arena, query->result_rel, ATTNUM_ROW_ID, 0, &like);
    collect_query_columns(level, &needed);
    VEC_PUSH(arena, &needed, row_id);
    plan_split_and(arena, query->where, &quals);
    for (size_t i = 0; i < query->from.length; i++)
        if (query->from.items[i]->kind == FROM_JOIN && query->from.items[i]->condition &&
            query->from.items[i]->join_type == JOINS_INNER)
            plan_split_and(arena, query->from.items[i]->condition, &where);
    for (size_t i = 0; i < quals.length; i++)
        if (quals.items[i]->kind != EXPR_CURRENT_OF)
            VEC_PUSH(arena, &where, quals.items[i]);
    TRY(plan_from(level, &quals, &needed, &tree));
    VEC_PUSH(arena, &out, row_id);
    for (size_t i = 0; i < tree.out.length; i++)
        if (!expr_equal(tree.out.items[i], row_id))
            VEC_PUSH(arena, &out, tree.out.items[i]);
    TRY(plan_fix_list(level, &out, &tree.out, NULL, &targets));
    TRY(plan_project(level, &tree.plan, &targets));
    modify->base.left = tree.plan;
    modify->row_id_column = 0;
    row_outputs(level->planner, relation, query->result_rel, &newest);
    TRY(whole_rows_of_list(&rows, &where));
    TRY(plan_fix_list(level, &where, &newest, &out, &modify->recheck));
    if (query->command == QUERY_UPDATE) {
        TRY(plan_assignments(level, &query->targets, &out, NULL, &modify->assign));
        TRY(whole_rows_of_targets(&rows, &query->targets, &set));
        TRY(plan_assignments(level, &set, &newest, &out, &modify->assign_newest));
    }
    *ret_out = out;
    return true;
}

static bool plan_conflict(Level *level, const RelationDesc *relation, ModifyPlan *modify)
{
    const ConflictClause *clause = level->query->conflict;
    Arena *arena = level->planner->arena;
    ConflictPlan *conflict = ARENA_NEW(arena, ConflictPlan);
    ExprVec existing = {0}, proposed = {0}, where = {0};

    conflict->do_update = clause->do_update;
    conflict->constraint = clause->constraint;
    for (size_t i = 0; i < clause->indexes.length; i++)
        VEC_PUSH(arena, &conflict->indexes, clause->indexes.items[i]);
    row_outputs(level->planner, relation, level->query->result_rel, &existing);
    if (clause->do_update) {
        WholeRows rows = {arena, relation, level->query->result_rel, clause->excluded};
        TargetVec set = {0};
        row_outputs(level->planner, relation, clause->excluded, &proposed);
        TRY(whole_rows_of_targets(&rows, &clause->set, &set));
        TRY(plan_assignments(level, &set, &existing, &proposed, &conflict->set));
        plan_split_and(arena, clause->where, &where);
        TRY(whole_rows_of_list(&rows, &where));
        TRY(plan_fix_list(level, &where, &existing, &proposed, &conflict->where));
    }
    modify->conflict = conflict;
    return true;
}

/* Of an INSERT's row, which came from no scan. */
static Expr *inserted_row_id(Level *level, const Expr *like)
{
    const Query *query = level->query;
    const RelationDesc *relation =
        relation_get(level->planner->session, query_rte(query, query->result_rel)->relation);
    return relation ? expr_slot(level->planner->arena, 0, relation->column_count, like) : NULL;
}

/* RETURNING's tableoid is known; ctid is what the child's row had, or of the row that is new. */
static Expr *returning_step(void *context, Expr *expr)
{
    Level *level = context;
    if (expr->kind != EXPR_COLUMN)
        return expr_mutate(level->planner->arena, expr, returning_step, level);
    const ExprColumn *column = EXPR_AS(const ExprColumn, expr);
    if (column->levels_up || column->rel != level->query->result_rel)
        return expr;
    const RangeTableEntry *rte = query_rte(level->query, column->rel);
    if (column->attnum == ATTNUM_TABLEOID)
        return &expr_const(level->planner->arena, TYPE_OID, -1, 0, (Value){.oid = rte->relation},
                           false, 0)
                    ->base;
    if (column->attnum < 0 && column->attnum != ATTNUM_CTID)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("system column \"%.*s\" is not supported",
                            STR_ARGS(system_column_at(column->attnum)->name)));
    if (column->attnum == ATTNUM_CTID && level->query->command == QUERY_INSERT)
        return inserted_row_id(level, expr);
    if (column->attnum != ATTNUM_WHOLE_ROW)
        return expr;
    Arena *arena = level->planner->arena;
    ExprRow *row = expr_whole_row(arena, expr, rte->name, rte->column_count);
    for (int i = 0; i < rte->column_count; i++) {
        const Expr like = {.type = rte->columns[i].type,
                           .typmod = rte->columns[i].typmod,
                           .collation = rte->columns[i].collation};
        expr_whole_row_add(arena, row, rte->columns[i].name,
                           expr_column(arena, column->rel, i + 1, 0, &like));
    }
    return &row->base;
}

Plan *plan_modify(Level *level, ExprVec *ret_out)
{
    Planner *planner = level->planner;
    Query *query = level->query;
    const RangeTableEntry *rte = query_rte(query, query->result_rel);
    const RelationDesc *relation = relation_get(planner->session, rte->relation);
    ModifyPlan *modify = PLAN_NEW(level, ModifyPlan, PLAN_MODIFY);
    ExprVec out = {0}, row = {0}, returning = {0}, targets = {0};

    TRY(relation);
    modify->command = query->command;
    modify->relation = relation->oid;
    modify->rel = query->result_rel;
    modify->base.source = level_scan_number(level, query->result_rel);
    modify->relation_name = relation->name;
    modify->schema_name = relation->namespace_name;
    modify->alias = rte->name;
    modify->attribute_count = relation->column_count;
    modify->can_set_tag = !level->parent;
    if (query->command == QUERY_INSERT)
        TRY(insert_child(level, modify, &out));
    else
        TRY(change_child(level, modify, relation, &out));
    if (query->conflict)
        TRY(plan_conflict(level, relation, modify));
    TRY(fill_constraints(planner, query, relation, modify));
    TRY(fill_indexes(planner, query, relation, modify));
    TRY(fill_foreign_keys(planner, query, relation, modify));
    row_outputs(planner, relation, query->result_rel, &row);
    for (size_t i = 0; i < query->view_checks.length; i++) {
        CheckPlan check = {.is_view_check = true,
                           .view_name = query->view_checks.items[i].view_name,
                           .name = query->view_checks.items[i].view_name};
        TRY(check.condition = plan_fix(level, query->view_checks.items[i].condition, &row, NULL));
        VEC_PUSH(planner->arena, &modify->checks, check);
    }
    for (size_t i = 0; i < query->returning.length; i++) {
        Expr *expr = returning_step(level, query->returning.items[i].expr);
        TRY(expr);
        VEC_PUSH(planner->arena, &returning, expr);
    }
    modify->has_returning = returning.length > 0;
    TRY(plan_fix_list(level, &returning, &row, query->command == QUERY_INSERT ? NULL : &out,
                      &targets));
    plan_set_targets(level, &modify->base, &targets);
    modify->base.startup_cost = modify->base.left->startup_cost;
    modify->base.total_cost = modify->base.left->total_cost;
    modify->base.rows = modify->has_returning ? modify->base.left->rows : 0;
    *ret_out = returning;
    return &modify->base;
}
