/*
 * Pages that no tree reaches: what operations leave that a crash cuts short (page_loose_begin).
 */
#include <stdlib.h>

#include "base/memory.h"

#include "storage/store_internal.h"
#include "storage/tree_internal.h"
#include "storage/verify.h"

struct TreeReach {
    Database *database;
    uint8_t *bits; /* one a page, below `end` */
    PageId end;
    TreeId *trees;
    uint32_t tree_count, tree_capacity;
};

static bool reach_page(void *context, uint32_t page_id)
{
    TreeReach *reach = context;

    if (page_id >= reach->end)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("page %u in database %u does not exist", page_id, reach->database->id));
    if (reach->bits[page_id / 8] >> page_id % 8 & 1)
        FAIL(ERR_DATA_CORRUPTED, .message = fmt("page %u of database %u belongs to two trees",
                                                page_id, reach->database->id));
    reach->bits[page_id / 8] |= (uint8_t)(1u << page_id % 8);
    return true;
}

static bool reach_note_tree(void *context, TreeId id, TreeKind kind)
{
    TreeReach *reach = context;

    (void)kind;
    if (reach->tree_count == reach->tree_capacity) {
        const uint32_t capacity = MAX(64u, reach->tree_capacity * 2);
        reach->trees = memory_must_realloc(reach->trees, capacity * sizeof(TreeId));
        reach->tree_capacity = capacity;
    }
    reach->trees[reach->tree_count++] = id;
    return true;
}

TreeReach *tree_reach_new(Database *database)
{
    TreeReach *reach = memory_calloc(1, sizeof(TreeReach));
    const PageId end = atomic_load(&database->map->next_page);
    uint8_t *bits = memory_calloc(end / 8 + 1, 1);

    if (!reach || !bits) {
        memory_free(reach);
        memory_free(bits);
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    }
    *reach = (TreeReach){.database = database, .bits = bits, .end = end};
    return reach;
}

void tree_reach_free(TreeReach *reach)
{
    if (!reach)
        return;
    memory_free(reach->bits);
    memory_free(reach->trees);
    memory_free(reach);
}

bool tree_reach_tree(TreeReach *reach, TreeId id, TreeReport *ret_report)
{
    Tree *tree;

    TRY(tree_find(reach->database, id, &tree));
    if (tree)
        return tree_check(tree, reach_page, reach, ret_report);
    *ret_report = (TreeReport){0};
    return true;
}

static bool reach_all(TreeReach *reach)
{
    TreeReport report;

    TRY(tree_reach_tree(reach, TREE_DIRECTORY, &report));
    TRY(tree_list(reach->database, reach_note_tree, reach));
    for (uint32_t i = 0; i < reach->tree_count; i++)
        TRY(tree_reach_tree(reach, reach->trees[i], &report));
    return true;
}

static bool page_is_lost(const TreeReach *reach, PageId page)
{
    const uint16_t flags = atomic_load(&reach->database->entries[page].flags);

    return (flags & PAGE_FLAG_ALLOCATED) && !(flags & PAGE_FLAG_TEMPORARY) &&
           !(reach->bits[page / 8] >> page % 8 & 1);
}

bool tree_reach_lost(const TreeReach *reach, bool (*on_page)(void *context, uint32_t page_id),
                     void *context, uint64_t *ret_count)
{
    uint64_t count = 0;

    for (PageId page = 1; page < reach->end; page++) {
        if (!page_is_lost(reach, page))
            continue;
        count++;
        TRY(on_page(context, page));
    }
    *ret_count = count;
    return true;
}

bool tree_unreached(Database *database, bool (*on_page)(void *context, uint32_t page_id),
                    void *context, uint64_t *ret_count)
{
    TreeReach *reach = tree_reach_new(database);
    TRY(reach);
    const bool ok = reach_all(reach) && tree_reach_lost(reach, on_page, context, ret_count);
    tree_reach_free(reach);
    return ok;
}

static bool reclaim_page(void *context, uint32_t page_id)
{
    Database *database = context;
    Action action;

    TRY(action_begin(database, 1, &action));
    page_free_id(&action, database, page_id);
    action_end(&action);
    return true;
}

bool tree_reclaim(Database *database, uint64_t *ret_count)
{
    return tree_unreached(database, reclaim_page, database, ret_count);
}
