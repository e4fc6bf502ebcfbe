#include "planner/grouping_sets.h"

#include "base/scheduler.h"

bool grouping_refs_include(const GroupingRefs *set, int ref)
{
    for (size_t i = 0; i < set->refs.length; i++)
        if (set->refs.items[i] == ref)
            return true;
    return false;
}

static void refs_join(Arena *arena, GroupingRefs *into, const GroupingRefs *from)
{
    for (size_t i = 0; i < from->refs.length; i++)
        if (!grouping_refs_include(into, from->refs.items[i]))
            VEC_PUSH(arena, &into->refs, from->refs.items[i]);
}

static bool fail_too_many(void)
{
    FAIL(ERR_STATEMENT_TOO_COMPLEX,
         .message = fmt("too many grouping sets present (maximum %d)", GROUPING_SETS_MAXIMUM));
}

/* The columns of those children whose bit is set. */
static GroupingRefs children_refs(Arena *arena, const GroupingNode *node, uint64_t bits)
{
    GroupingRefs set = {0};
    for (size_t i = 0; i < node->children.length; i++)
        if (bits >> i & 1)
            for (size_t r = 0; r < node->children.items[i]->refs.length; r++) {
                const int ref = node->children.items[i]->refs.items[r];
                if (!grouping_refs_include(&set, ref))
                    VEC_PUSH(arena, &set.refs, ref);
            }
    return set;
}

static bool node_expand(Arena *arena, const GroupingNode *node, GroupingSetList *ret)
{
    if (task_stack_left() < 16 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    const size_t count = node->children.length;
    switch (node->kind) {
    case GROUPING_EMPTY:
        VEC_PUSH(arena, ret, (GroupingRefs){0});
        return true;
    case GROUPING_SIMPLE: {
        GroupingRefs set = {0};
        for (size_t i = 0; i < node->refs.length; i++)
            if (!grouping_refs_include(&set, node->refs.items[i]))
                VEC_PUSH(arena, &set.refs, node->refs.items[i]);
        VEC_PUSH(arena, ret, set);
        return true;
    }
    case GROUPING_ROLLUP:
        if (count >= 64 || count + 1 > GROUPING_SETS_MAXIMUM)
            return fail_too_many();
        for (size_t keep = count + 1; keep-- > 0;)
            VEC_PUSH(arena, ret, children_refs(arena, node, ((uint64_t)1 << keep) - 1));
        return true;
    case GROUPING_CUBE:
        if (count > 12)
            return fail_too_many();
        for (uint64_t bits = (uint64_t)1 << count; bits-- > 0;)
            VEC_PUSH(arena, ret, children_refs(arena, node, bits));
        return true;
    case GROUPING_LIST:
        for (size_t i = 0; i < count; i++)
            TRY(node_expand(arena, node->children.items[i], ret));
        return ret->length <= GROUPING_SETS_MAXIMUM || fail_too_many();
    }
    return true;
}

static bool same_refs(const GroupingRefs *a, const GroupingRefs *b)
{
    if (a->refs.length != b->refs.length)
        return false;
    for (size_t i = 0; i < a->refs.length; i++)
        if (!grouping_refs_include(b, a->refs.items[i]))
            return false;
    return true;
}

static void drop_repeated(GroupingSetList *sets)
{
    size_t kept = 0;
    for (size_t i = 0; i < sets->length; i++) {
        bool known = false;
        for (size_t k = 0; k < kept && !known; k++)
            known = same_refs(&sets->items[k], &sets->items[i]);
        if (!known)
            sets->items[kept++] = sets->items[i];
    }
    sets->length = kept;
}

/* Each item of GROUP BY multiplies the sets by its own. */
bool grouping_sets_expand(Arena *arena, const Query *query, GroupingSetList *ret)
{
    GroupingSetList sets = {0};
    VEC_PUSH(arena, &sets, (GroupingRefs){0});
    for (size_t n = 0; n < query->grouping_sets.length; n++) {
        GroupingSetList factors = {0}, product = {0};
        TRY(node_expand(arena, query->grouping_sets.items[n], &factors));
        if (sets.length * factors.length > GROUPING_SETS_MAXIMUM)
            return fail_too_many();
        for (size_t s = 0; s < sets.length; s++)
            for (size_t f = 0; f < factors.length; f++) {
                GroupingRefs set = {0};
                refs_join(arena, &set, &sets.items[s]);
                refs_join(arena, &set, &factors.items[f]);
                VEC_PUSH(arena, &product, set);
            }
        sets = product;
    }
    if (query->group_distinct)
        drop_repeated(&sets);
    *ret = sets;
    return true;
}
