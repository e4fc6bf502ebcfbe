/*
 * Which rows a damaged page takes with it: the separators above it say so, as far as they can be
 * read.
 */
#include <stdlib.h>

#include "base/error_record.h"
#include "base/memory.h"
#include "base/vec.h"
#include "storage/tree_internal.h"
#include "storage/verify.h"

/* The child that covers the row in the node of `level`; false: that cannot be read either. */
static bool damage_at_level(Tree *tree, uint64_t row_id, uint32_t level, Node *node,
                            TreeDamage *ret_damage)
{
    const RowKey key = row_key_make(row_id);
    char buffer[TREE_MAX_KEY];

    if (tree_copy_inner(tree, ROW_KEY_STR(key), level, node) != DESCEND_OK)
        return false;
    const uint32_t index = node_child_index(node, ROW_KEY_STR(key));
    const Str low = index > 0 ? node_key(node, index - 1, buffer) : node_lower(node);
    ret_damage->page = node_child(node, index);
    ret_damage->first_row_id = low.length == sizeof(RowKey) ? tree_key_row_id(low) : 0;
    const Str high = index < node_count(node) ? node_key(node, index, buffer)
                     : node_has_upper(node)   ? node_upper(node)
                                              : STR("");
    ret_damage->last_row_id =
        high.length == sizeof(RowKey) ? tree_key_row_id(high) - 1 : TREE_MAX_ROW_ID;
    return true;
}

/* The range that the damage on the way to this row covers, as far as the nodes above tell. */
static void tree_damage_around(Tree *tree, uint64_t row_id, TreeDamage *ret_damage)
{
    ErrorRecord *record = error_put_aside();
    Node *node = memory_malloc(PAGE_SIZE);
    bool is_found = false;

    *ret_damage = (TreeDamage){.page = tree->root, .last_row_id = TREE_MAX_ROW_ID};
    for (uint32_t level = 1; node && !is_found && level < TREE_MAX_HEIGHT; level++) {
        is_found = damage_at_level(tree, row_id, level, node, ret_damage);
        error_clear();
    }
    memory_free(node);
    error_put_back(record);
}

Str tree_damage_text(const TreeDamage *damage)
{
    if (damage->last_row_id >= TREE_MAX_ROW_ID)
        return fmt("rows with ctid from (%llu,%u) on",
                   (unsigned long long)(damage->first_row_id >> 16),
                   (unsigned)(damage->first_row_id & 0xffff));
    return fmt(
        "rows with ctid from (%llu,%u) to (%llu,%u)",
        (unsigned long long)(damage->first_row_id >> 16), (unsigned)(damage->first_row_id & 0xffff),
        (unsigned long long)(damage->last_row_id >> 16), (unsigned)(damage->last_row_id & 0xffff));
}

void tree_damage_explain(Tree *tree, uint64_t row_id)
{
    const ErrorFields *error = error_fields();
    TreeDamage damage;

    if (error->sqlstate != ERR_DATA_CORRUPTED || error->detail.length > 0)
        return;
    CLEANUP(arena_freep) Arena *arena = arena_new("damage");
    const Str message = str_copy(arena, error->message), hint = str_copy(arena, error->hint);
    tree_damage_around(tree, row_id, &damage);
    const Str text = str_copy(arena, tree_damage_text(&damage));
    error_clear();
    ERROR_SET(ERR_DATA_CORRUPTED, .message = message,
              .detail = fmt("The %.*s cannot be read (tree %u).", STR_ARGS(text), tree->id),
              .hint = hint.length > 0 ? hint : STR_NONE);
}

/* Large values of a leaf's rows are read one by one, with the leaf let go. */
typedef struct LeafRows {
    Arena *arena;
    VEC(uint64_t) with_values;
} LeafRows;

static bool list_rows_with_values(void *context, const TableLeaf *leaf)
{
    LeafRows *rows = context;

    for (uint32_t i = 0; i < leaf->row_count; i++)
        if (table_leaf_has_externals(leaf, i))
            VEC_PUSH(rows->arena, &rows->with_values, table_leaf_row_id(leaf, i));
    return true;
}

static bool tell_values(Tree *tree, const LeafRows *rows, TreeDamageCallback *callback,
                        void *context)
{
    for (size_t i = 0; i < rows->with_values.length; i++) {
        CLEANUP(arena_freep) Arena *arena = arena_new("a row's values");
        const uint64_t row_id = rows->with_values.items[i];
        Str image;
        if (tree_get_image(tree, row_id, arena, &image) != TREE_FAILED)
            continue;
        TRY(error_fields()->sqlstate == ERR_DATA_CORRUPTED);
        callback(context,
                 &(TreeDamage){.first_row_id = row_id, .last_row_id = row_id, .is_value = true});
        error_clear();
    }
    return true;
}

bool tree_list_damage(Tree *tree, TreeDamageCallback *callback, void *context)
{
    uint64_t row_id = 0, next;

    assert(tree->kind == TREE_TABLE);
    do {
        CLEANUP(arena_freep) Arena *arena = arena_new("rows with large values");
        LeafRows rows = {.arena = arena};
        CHECK_INTERRUPTS();
        if (tree_visit_leaf(tree, row_id, list_rows_with_values, &rows, &next)) {
            TRY(tell_values(tree, &rows, callback, context));
            continue;
        }
        TRY(error_fields()->sqlstate == ERR_DATA_CORRUPTED);
        error_clear();
        TreeDamage damage;
        tree_damage_around(tree, row_id, &damage);
        callback(context, &damage);
        next = damage.last_row_id >= TREE_MAX_ROW_ID ? 0 : damage.last_row_id + 1;
    } while ((row_id = next) != 0);
    return true;
}
