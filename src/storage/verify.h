/*
 * What looking over a whole store needs besides store.h and tree.h: `sengi verify`.
 *
 * A store that is opened read_only and is clean can be read by transactions: store_recover has
 * nothing to replay then, and fails where it would have to.
 */
#ifndef STORAGE_VERIFY_H
#define STORAGE_VERIFY_H

#include "storage/store.h"
#include "storage/tree.h"

/* Closed with everything in its last checkpoint. */
bool store_is_clean(const Store *store);
/* The checkpoint may have pages that no tree reaches (page_loose_begin); recovery frees them. */
bool store_has_loose_pages(const Store *store);

/* Called by store_verify now and then, with pages. */
typedef void StoreProgressCallback(void *context, uint64_t done, uint64_t total);
void store_on_verify_progress(Store *store, StoreProgressCallback *callback, void *context);

/* tree_unreached tree by tree, for who names them: tree_check, and no page belongs to two. */
typedef struct TreeReach TreeReach;
MUST_CHECK TreeReach *tree_reach_new(Database *database);
MUST_CHECK bool tree_reach_tree(TreeReach *reach, TreeId id, TreeReport *ret_report);
MUST_CHECK bool tree_reach_lost(const TreeReach *reach,
                                bool (*on_page)(void *context, uint32_t page_id), void *context,
                                uint64_t *ret_count);
void tree_reach_free(TreeReach *reach);

/*
 * What of a table cannot be read: a page and the rows on it or behind it, or a row whose large
 * value is damaged. Others may use the table meanwhile.
 */
typedef struct TreeDamage {
    uint32_t page; /* 0 with is_value */
    bool is_value;
    uint64_t first_row_id, last_row_id; /* TREE_MAX_ROW_ID: all that follow */
} TreeDamage;
typedef void TreeDamageCallback(void *context, const TreeDamage *damage);
MUST_CHECK bool tree_list_damage(Tree *tree, TreeDamageCallback *callback, void *context);
/* "rows with ctid from (0,1) to (0,80)", borrowed. */
Str tree_damage_text(const TreeDamage *damage);

#endif
