#include "catalog/names.h"
#include "planner/analyze_internal.h"

static const char *const place_names[] = {
    [PLACE_NONE] = "invalid clause",
    [PLACE_OTHER] = "this clause",
    [PLACE_JOIN_ON] = "JOIN conditions",
    [PLACE_JOIN_USING] = "JOIN/USING conditions",
    [PLACE_FROM_SUBSELECT] = "FROM clause",
    [PLACE_FROM_FUNCTION] = "functions in FROM",
    [PLACE_WHERE] = "WHERE",
    [PLACE_HAVING] = "HAVING",
    [PLACE_FILTER] = "FILTER",
    [PLACE_WINDOW_PARTITION] = "window definitions",
    [PLACE_WINDOW_ORDER] = "window definitions",
    [PLACE_WINDOW_FRAME_RANGE] = "window RANGE",
    [PLACE_WINDOW_FRAME_ROWS] = "window ROWS",
    [PLACE_WINDOW_FRAME_GROUPS] = "window GROUPS",
    [PLACE_SELECT_TARGET] = "SELECT",
    [PLACE_INSERT_TARGET] = "INSERT",
    [PLACE_UPDATE_SOURCE] = "UPDATE",
    [PLACE_UPDATE_TARGET] = "UPDATE",
    [PLACE_GROUP_BY] = "GROUP BY",
    [PLACE_ORDER_BY] = "ORDER BY",
    [PLACE_DISTINCT_ON] = "DISTINCT ON",
    [PLACE_LIMIT] = "LIMIT",
    [PLACE_OFFSET] = "OFFSET",
    [PLACE_RETURNING] = "RETURNING",
    [PLACE_VALUES] = "VALUES",
    [PLACE_VALUES_SINGLE] = "VALUES",
    [PLACE_CHECK] = "check constraints",
    [PLACE_DEFAULT] = "DEFAULT expressions",
    [PLACE_INDEX_KEY] = "index expressions",
    [PLACE_INDEX_PREDICATE] = "index predicates",
    [PLACE_ALTER_USING] = "transform expressions",
    [PLACE_EXECUTE] = "EXECUTE parameters",
    [PLACE_POLICY] = "policy expressions",
    [PLACE_GENERATED] = "column generation expressions",
    [PLACE_CALL] = "CALL arguments",
    [PLACE_COPY_WHERE] = "COPY FROM WHERE conditions",
    [PLACE_CYCLE_MARK] = "CYCLE",
};

Str place_name(ExprPlace place)
{
    return str_from_c(place_names[place]);
}

Scope *scope_new(AnalyzeContext *context, Scope *parent)
{
    Scope *scope = ARENA_NEW(context->arena, Scope);
    scope->context = context;
    scope->parent = parent;
    scope->query = ARENA_NEW(context->arena, Query);
    scope->query->source = context->source;
    scope->resolve_unknowns = true;
    return scope;
}

int scope_add_rte(Scope *scope, RangeTableEntry *rte)
{
    VEC_PUSH(scope_arena(scope), &scope->query->range_table, rte);
    return (int)scope->query->range_table.length;
}

void scope_add_from(Scope *scope, int rel)
{
    FromItem *from = ARENA_NEW(scope_arena(scope), FromItem);

    from->kind = FROM_REL;
    from->rel = rel;
    VEC_PUSH(scope_arena(scope), &scope->query->from, from);
}

ScopeItem scope_item_new(Scope *scope, RangeTableEntry *rte, int rel)
{
    ScopeItem item = {.rte = rte,
                      .rel = rel,
                      .name = rte->name,
                      .name_visible = true,
                      .columns_visible = true,
                      .is_lateral_ok = true};
    item.columns = ARENA_ARRAY(scope_arena(scope), ScopeColumn, rte->column_count + 1);
    for (int i = 0; i < rte->column_count; i++)
        item.columns[i] = (ScopeColumn){.rel = rel,
                                        .attnum = i + 1,
                                        .type = rte->columns[i].type,
                                        .typmod = rte->columns[i].typmod,
                                        .collation = rte->columns[i].collation};
    return item;
}

static bool items_conflict(const ScopeItem *a, const ScopeItem *b)
{
    if (!a->name_visible || !b->name_visible || !str_equal(a->name, b->name))
        return false;
    /* Two relations without aliases differ when they are different tables of one name. */
    if (a->rte->relation && b->rte->relation && str_is_none(a->rte->alias_name) &&
        str_is_none(b->rte->alias_name) && a->rte->relation != b->rte->relation)
        return false;
    return true;
}

static bool fail_conflict(Str name)
{
    FAIL(ERR_DUPLICATE_ALIAS,
         .message = fmt("table name \"%.*s\" specified more than once", STR_ARGS(name)));
}

bool scope_check_conflict(Scope *scope, const ScopeItemVec *left, const ScopeItemVec *right)
{
    (void)scope;
    for (size_t i = 0; i < left->length; i++)
        for (size_t j = 0; j < right->length; j++)
            if (items_conflict(&left->items[i], &right->items[j]))
                return fail_conflict(left->items[i].name);
    return true;
}

bool scope_add_item(Scope *scope, const ScopeItem *item, bool name, bool columns)
{
    ScopeItem copy = *item;
    copy.name_visible = name;
    copy.columns_visible = columns;
    for (size_t i = 0; i < scope->items.length; i++)
        if (items_conflict(&scope->items.items[i], &copy))
            return fail_conflict(copy.name);
    VEC_PUSH(scope_arena(scope), &scope->items, copy);
    return true;
}

/* ---- privileges ---- */

void rte_mark(Arena *arena, RangeTableEntry *rte, uint64_t **bitmap, int attnum)
{
    if (rte->bitmap_words == 0) {
        rte->bitmap_words = rte->column_count / 64 + 1;
        rte->selected_columns = ARENA_ARRAY(arena, uint64_t, rte->bitmap_words);
        rte->modified_columns = ARENA_ARRAY(arena, uint64_t, rte->bitmap_words);
    }
    if (attnum >= 1 && attnum <= rte->column_count)
        (*bitmap)[(attnum - 1) / 64] |= (uint64_t)1 << ((attnum - 1) % 64);
}

void scope_mark_selected(Scope *scope, int levels_up, int rel, int attnum)
{
    for (; levels_up > 0 && scope; levels_up--)
        scope = scope->parent;
    RangeTableEntry *rte = query_rte(scope->query, rel);

    if (rte->kind == RANGE_JOIN) {
        for (int i = 0; i < (int)rte->alias_exprs.length; i++) {
            const Expr *expr = rte->alias_exprs.items[i];
            if ((attnum == ATTNUM_WHOLE_ROW || attnum == i + 1) && expr->kind == EXPR_COLUMN) {
                const ExprColumn *column = EXPR_AS(const ExprColumn, expr);
                scope_mark_selected(scope, 0, column->rel, column->attnum);
            }
        }
        return;
    }
    if (!rte->relation)
        return;
    rte->access |= ACCESS_SELECT;
    if (attnum == ATTNUM_WHOLE_ROW)
        rte->selects_whole_row = true;
    else
        rte_mark(scope_arena(scope), rte, &rte->selected_columns, attnum);
}

/* ---- finding ---- */

static Oid schema_relation(Scope *scope, Str schema, Str name)
{
    return relation_oid(scope_session(scope), schema, name);
}

static bool item_matches(Scope *scope, const ScopeItem *item, Str schema, Str name)
{
    if (!item->name_visible || !str_equal(item->name, name))
        return false;
    if (str_is_none(schema))
        return true;
    return item->rte->relation && str_is_none(item->rte->alias_name) &&
           item->rte->relation == schema_relation(scope, schema, name);
}

static bool check_lateral(Scope *scope, const ScopeItem *item, int position)
{
    (void)scope;
    if (!item->is_lateral_only || item->is_lateral_ok)
        return true;
    FAIL(ERR_INVALID_COLUMN_REFERENCE,
         .message =
             fmt("invalid reference to FROM-clause entry for table \"%.*s\"", STR_ARGS(item->name)),
         .detail = STR("The combining JOIN type must be INNER or LEFT for a LATERAL reference."),
         .position = position);
}

ScopeItem *scope_find_item(Scope *scope, Str schema, Str name, int position, int *ret_levels,
                           bool *ret_failed)
{
    int levels = 0;
    *ret_failed = false;
    for (Scope *s = scope; s; s = s->parent, levels++) {
        ScopeItem *found = NULL;
        for (size_t i = 0; i < s->items.length; i++) {
            ScopeItem *item = &s->items.items[i];
            if (!item_matches(s, item, schema, name) ||
                (item->is_lateral_only && !s->lateral_active))
                continue;
            if (found) {
                ERROR_SET(ERR_AMBIGUOUS_ALIAS,
                          .message = fmt("table reference \"%.*s\" is ambiguous", STR_ARGS(name)),
                          .position = position);
                *ret_failed = true;
                return NULL;
            }
            if (!check_lateral(s, item, position)) {
                *ret_failed = true;
                return NULL;
            }
            found = item;
        }
        if (found) {
            *ret_levels = levels;
            return found;
        }
    }
    return NULL;
}

Expr *scope_item_column(Scope *scope, const ScopeItem *item, int index, int levels_up, int position)
{
    const ScopeColumn *column = &item->columns[index];
    ExprColumn *expr = EXPR_NEW(scope_arena(scope), ExprColumn, EXPR_COLUMN);

    expr->base.type = column->type;
    expr->base.typmod = column->typmod;
    expr->base.collation = column->collation;
    expr->base.position = position;
    expr->rel = column->rel;
    expr->attnum = column->attnum;
    expr->levels_up = levels_up;
    scope_mark_selected(scope, levels_up, column->rel, column->attnum);
    return &expr->base;
}

static Expr *system_column(Scope *scope, const ScopeItem *item, Str name, int levels, int position)
{
    if (item->rte->kind != RANGE_RELATION)
        return NULL;
    const SystemColumn *system = system_column_find(name);
    if (!system)
        return NULL;
    ExprColumn *expr = EXPR_NEW(scope_arena(scope), ExprColumn, EXPR_COLUMN);
    expr->base.type = system->type;
    expr->base.position = position;
    expr->rel = item->rel;
    expr->attnum = system->attnum;
    expr->levels_up = levels;
    scope_mark_selected(scope, levels, item->rel, ATTNUM_CTID);
    return &expr->base;
}

/* A column of one item. NULL with or without error. */
static Expr *item_find_column(Scope *scope, const ScopeItem *item, Str name, int levels,
                              int position, bool *ret_failed)
{
    int found = -1;
    for (int i = 0; i < item->rte->column_count; i++) {
        if (item->columns[i].hidden || !str_equal(item->rte->columns[i].name, name))
            continue;
        if (found >= 0) {
            ERROR_SET(ERR_AMBIGUOUS_COLUMN,
                      .message = fmt("column reference \"%.*s\" is ambiguous", STR_ARGS(name)),
                      .position = position);
            *ret_failed = true;
            return NULL;
        }
        found = i;
    }
    if (found >= 0)
        return scope_item_column(scope, item, found, levels, position);
    return system_column(scope, item, name, levels, position);
}

static Expr *find_unqualified(Scope *scope, Str name, int position, bool *ret_failed)
{
    int levels = 0;
    for (Scope *s = scope; s; s = s->parent, levels++) {
        Expr *found = NULL;
        for (size_t i = 0; i < s->items.length; i++) {
            const ScopeItem *item = &s->items.items[i];
            if (!item->columns_visible || (item->is_lateral_only && !s->lateral_active))
                continue;
            Expr *column = item_find_column(scope, item, name, levels, position, ret_failed);
            if (*ret_failed)
                return NULL;
            if (!column)
                continue;
            if (found) {
                ERROR_SET(ERR_AMBIGUOUS_COLUMN,
                          .message = fmt("column reference \"%.*s\" is ambiguous", STR_ARGS(name)),
                          .position = position);
                *ret_failed = true;
                return NULL;
            }
            if (!check_lateral(s, item, position)) {
                *ret_failed = true;
                return NULL;
            }
            found = column;
        }
        if (found)
            return found;
    }
    return NULL;
}

Expr *scope_whole_row(Scope *scope, ScopeItem *item, int levels_up, int position)
{
    CatalogSession *session = scope_session(scope);
    RangeTableEntry *rte = item->rte;
    ExprColumn *expr = EXPR_NEW(scope_arena(scope), ExprColumn, EXPR_COLUMN);

    expr->base.position = position;
    expr->rel = item->rel;
    expr->attnum = ATTNUM_WHOLE_ROW;
    expr->levels_up = levels_up;
    expr->base.type = TYPE_RECORD;
    if (rte->relation) {
        const RelationDesc *relation = relation_find(session, rte->relation);
        if (relation && relation->row_type)
            expr->base.type = relation->row_type;
    } else if (rte->kind == RANGE_FUNCTION && rte->functions.length == 1 && !rte->with_ordinality &&
               rte->column_count == 1) {
        /* The "row" of a scalar function is its value. */
        const TypeDesc *type = type_find(session, rte->functions.items[0].call->type);
        if (!type || (type->kind != 'c' && type->oid != TYPE_RECORD))
            return scope_item_column(scope, item, 0, levels_up, position);
    }
    scope_mark_selected(scope, levels_up, item->rel, ATTNUM_WHOLE_ROW);
    return &expr->base;
}

/* ---- what is missing, and what may have been meant ---- */

int name_distance(Str a, Str b, int limit)
{
    enum { ROOM = 64 };
    int rows[2][ROOM + 1];
    if (a.length > ROOM || b.length > ROOM)
        return limit + 1;
    for (size_t j = 0; j <= b.length; j++)
        rows[0][j] = (int)j;
    for (size_t i = 1; i <= a.length; i++) {
        int *above = rows[(i + 1) % 2], *row = rows[i % 2];
        row[0] = (int)i;
        for (size_t j = 1; j <= b.length; j++) {
            const int change = above[j - 1] + (a.data[i - 1] != b.data[j - 1]);
            row[j] = MIN(change, MIN(above[j], row[j - 1]) + 1);
        }
    }
    return rows[a.length % 2][b.length];
}

typedef struct FuzzyMatch {
    int distance;
    const RangeTableEntry *first, *second;
    Str first_name, second_name;
    const RangeTableEntry *exact;
} FuzzyMatch;

static void fuzzy_item(const ScopeItem *item, Str alias, Str name, FuzzyMatch *match)
{
    int base = 0;
    if (!str_is_none(alias) && !str_equal(alias, item->name))
        base = MIN(name_distance(alias, item->name, 3), 4);
    for (int i = 0; i < item->rte->column_count; i++) {
        const Str column = item->rte->columns[i].name;
        if (column.length == 0)
            continue;
        const int own = name_distance(name, column, 3), distance = base + own;
        if (distance == 0 || distance > 3 || distance > match->distance)
            continue;
        if (own > (int)MAX(name.length, 1) / 2)
            continue;
        if (distance < match->distance) {
            match->distance = distance;
            match->first = item->rte;
            match->first_name = column;
            match->second = NULL;
        } else if (match->first && !match->second) {
            match->second = item->rte;
            match->second_name = column;
        } else {
            match->first = match->second = NULL; /* three alike: no help */
        }
    }
}

static Str missing_column_hint(Scope *scope, Str alias, Str name)
{
    FuzzyMatch match = {.distance = 4};
    for (Scope *s = scope; s; s = s->parent)
        for (size_t i = 0; i < s->query->range_table.length; i++) {
            RangeTableEntry *rte = s->query->range_table.items[i];
            const ScopeItem item = {.rte = rte, .name = rte->name};
            if (rte->kind == RANGE_JOIN)
                continue;
            if (!str_is_none(alias) && name_distance(alias, rte->name, 3) > 3)
                continue;
            for (int c = 0; c < rte->column_count; c++)
                if (str_equal(rte->columns[c].name, name) &&
                    (str_is_none(alias) || str_equal(alias, rte->name)))
                    match.exact = rte;
            fuzzy_item(&item, alias, name, &match);
        }
    if (match.exact)
        return fmt("There is a column named \"%.*s\" in table \"%.*s\", but it cannot be "
                   "referenced from this part of the query.",
                   STR_ARGS(name), STR_ARGS(match.exact->name));
    if (!match.first)
        return STR_NONE;
    if (!match.second)
        return fmt("Perhaps you meant to reference the column \"%.*s.%.*s\".",
                   STR_ARGS(match.first->name), STR_ARGS(match.first_name));
    return fmt("Perhaps you meant to reference the column \"%.*s.%.*s\" or the column "
               "\"%.*s.%.*s\".",
               STR_ARGS(match.first->name), STR_ARGS(match.first_name),
               STR_ARGS(match.second->name), STR_ARGS(match.second_name));
}

static void *fail_missing_column(Scope *scope, Str alias, Str name, int position)
{
    const Str hint = missing_column_hint(scope, alias, name);
    FAIL(ERR_UNDEFINED_COLUMN,
         .message = str_is_none(alias)
                        ? fmt("column \"%.*s\" does not exist", STR_ARGS(name))
                        : fmt("column %.*s.%.*s does not exist", STR_ARGS(alias), STR_ARGS(name)),
         .hint = hint, .position = position);
}

bool scope_missing_item(Scope *scope, Str schema, Str name, int position)
{
    const Oid relation = relation_oid(scope_session(scope), schema, name);
    for (Scope *s = scope; s; s = s->parent)
        for (size_t i = 0; i < s->query->range_table.length; i++) {
            const RangeTableEntry *rte = s->query->range_table.items[i];
            if (!str_equal(rte->name, name) || rte->kind == RANGE_JOIN)
                continue;
            FAIL(ERR_UNDEFINED_TABLE,
                 .message = fmt("invalid reference to FROM-clause entry for table \"%.*s\"",
                                STR_ARGS(name)),
                 .hint = fmt("There is an entry for table \"%.*s\", but it cannot be referenced "
                             "from this part of the query.",
                             STR_ARGS(name)),
                 .position = position);
        }
    for (Scope *s = scope; relation && s; s = s->parent)
        for (size_t i = 0; i < s->query->range_table.length; i++) {
            const RangeTableEntry *rte = s->query->range_table.items[i];
            if (rte->relation != relation || str_equal(rte->name, name))
                continue;
            FAIL(ERR_UNDEFINED_TABLE,
                 .message = fmt("invalid reference to FROM-clause entry for table \"%.*s\"",
                                STR_ARGS(name)),
                 .hint = fmt("Perhaps you meant to reference the table alias \"%.*s\".",
                             STR_ARGS(rte->name)),
                 .position = position);
        }
    FAIL(ERR_UNDEFINED_TABLE,
         .message = fmt("missing FROM-clause entry for table \"%.*s\"", STR_ARGS(name)),
         .position = position);
}

/* t.a, s.t.a: the column of a named item; or a function of the row in functional notation. */
static Expr *qualified_column(Scope *scope, Str schema, Str table, Str name, int position)
{
    int levels = 0;
    bool failed = false;
    ScopeItem *item = scope_find_item(scope, schema, table, position, &levels, &failed);
    if (failed)
        return NULL;
    if (!item) {
        if (!scope_missing_item(scope, schema, table, position))
            return NULL;
        return NULL;
    }
    Expr *column = item_find_column(scope, item, name, levels, position, &failed);
    if (column || failed)
        return column;
    return fail_missing_column(scope, table, name, position);
}

Expr *scope_column_ref(Scope *scope, const ColumnRef *ref)
{
    const Str *names = ref->names.items;
    const int position = ref->node.position;
    bool failed = false;

    switch (ref->names.length) {
    case 1: {
        Expr *column = find_unqualified(scope, names[0], position, &failed);
        if (column || failed)
            return column;
        int levels = 0;
        ScopeItem *item = scope_find_item(scope, STR_NONE, names[0], position, &levels, &failed);
        if (failed)
            return NULL;
        if (item)
            return scope_whole_row(scope, item, levels, position);
        return fail_missing_column(scope, STR_NONE, names[0], position);
    }
    case 2:
        return qualified_column(scope, STR_NONE, names[0], names[1], position);
    case 3:
        return qualified_column(scope, names[0], names[1], names[2], position);
    case 4:
        TRY(database_check_name(scope_session(scope), names[0],
                                name_list_text(scope_arena(scope), &ref->names), position));
        return qualified_column(scope, names[1], names[2], names[3], position);
    default:
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("improper qualified name (too many dotted names): %.*s",
                            STR_ARGS(name_list_text(scope_arena(scope), &ref->names))),
             .position = position);
    }
}
