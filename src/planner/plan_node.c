#include "planner/plan_query.h"

void *plan_new(Level *level, size_t size, PlanKind kind)
{
    Plan *plan = arena_alloc_zeroed(level->planner->arena, size);
    plan->kind = kind;
    plan->id = level->planner->statement->node_count++;
    plan->rows = 1;
    return plan;
}

static int type_width(Oid type)
{
    const PhysType phys = type_phys(type);
    return phys == PHYS_VAR ? 32 : (int)phys_width(phys);
}

/* Of a column that a child gives, what is known there. */
static int expr_width(const Plan *plan, const Expr *expr)
{
    if (expr->kind == EXPR_SLOT) {
        const ExprSlot *slot = EXPR_AS(const ExprSlot, expr);
        const Plan *child = slot->child == 0 ? plan->left : plan->right;
        if (child && slot->column < child->column_count && child->columns[slot->column].width > 0)
            return child->columns[slot->column].width;
    }
    return type_width(expr->type);
}

void plan_set_targets(Level *level, Plan *plan, const ExprVec *planned)
{
    Arena *arena = level->planner->arena;
    plan->targets = *planned;
    plan->column_count = (int)planned->length;
    plan->columns = ARENA_ARRAY(arena, PlanColumn, planned->length + 1);
    plan->width = 0;
    for (size_t i = 0; i < planned->length; i++) {
        const Expr *expr = planned->items[i];
        plan->columns[i] = (PlanColumn){.type = expr->type,
                                        .typmod = expr->typmod,
                                        .collation = expr->collation,
                                        .width = expr_width(plan, expr)};
        plan->width += plan->columns[i].width;
    }
}

void plan_pass_through(Level *level, Plan *plan, const Plan *child)
{
    (void)level;
    plan->passes_through = true;
    plan->columns = child->columns;
    plan->column_count = child->column_count;
    plan->width = child->width;
    plan->rows = child->rows;
    plan->startup_cost = child->startup_cost;
    plan->total_cost = child->total_cost;
}

double column_width(CatalogSession *session, const RelationDesc *relation, int attnum)
{
    const ColumnDesc *column = relation_column_at(relation, attnum);
    if (!column)
        return 8;
    if (column->type_length > 0)
        return column->type_length;
    const ColumnStatistics *stats = relation_statistics(session, relation, attnum);
    if (stats && stats->average_width > 0)
        return stats->average_width;
    /* A limit says little about what is stored, the longer the less. */
    const double limit = column->typmod > 4 ? column->typmod - 4 : 0;
    if (column->type == TYPE_BPCHAR && limit > 0)
        return limit;
    if (column->type == TYPE_VARCHAR && limit > 0)
        return limit <= 32 ? limit : 32 + (MIN(limit, 1000) - 32) / 2;
    return 32;
}

void level_note_rows(Level *level, int rel, double rows)
{
    while (level->rel_rows.length < (size_t)rel)
        VEC_PUSH(level->planner->arena, &level->rel_rows, 0.0);
    level->rel_rows.items[rel - 1] = rows;
}

double level_rel_rows(const Level *level, int rel)
{
    return (size_t)rel <= level->rel_rows.length ? level->rel_rows.items[rel - 1] : 0;
}

Cost plan_cost(const Plan *plan)
{
    return (Cost){plan->startup_cost, plan->total_cost};
}

void plan_set_cost(Plan *plan, Cost cost)
{
    plan->startup_cost = cost.startup;
    plan->total_cost = cost.total;
}
