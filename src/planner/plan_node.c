#include "planner/plan_internal.h"

void *plan_new(Level *level, size_t size, PlanKind kind)
{
    Plan *plan = arena_alloc_zeroed(level->planner->arena, size);
    plan->kind = kind;
    plan->id = level->planner->statement->node_count++;
    plan->rows = 1;
    return plan;
}

double plan_width(const PlanColumn *columns, int count)
{
    double width = 0;
    for (int i = 0; i < count; i++) {
        const PhysType phys = type_phys(columns[i].type);
        width += phys == PHYS_VAR ? 32 : (double)phys_width(phys);
    }
    return width;
}

void plan_set_targets(Level *level, Plan *plan, const ExprVec *planned)
{
    Arena *arena = level->planner->arena;
    plan->targets = *planned;
    plan->column_count = (int)planned->length;
    plan->columns = ARENA_ARRAY(arena, PlanColumn, planned->length + 1);
    for (size_t i = 0; i < planned->length; i++) {
        const Expr *expr = planned->items[i];
        plan->columns[i] =
            (PlanColumn){.type = expr->type, .typmod = expr->typmod, .collation = expr->collation};
    }
    plan->width = (int)plan_width(plan->columns, plan->column_count);
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
