/*
 * Tables: putting, updating, deleting and reading rows by id.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/pace.h"

#include "storage/tree_internal.h"

/* ------------------------------------------------------------------ rows made ready */

#define SCRATCH_COLUMNS 64

/* A row as values of the newest layout; large values already on overflow pages. */
struct RowScratch {
    Value inline_values[SCRATCH_COLUMNS];
    bool inline_nulls[SCRATCH_COLUMNS];
    uint8_t inline_marks[SCRATCH_COLUMNS];
    Value *values;
    bool *nulls;
    uint8_t *marks;
    void *heap;
    LeafExternal *externals; /* by column; allocated at the first */
    uint32_t external_count;
    const Layout *layout;
    LeafRow row;
};

static bool scratch_init(RowScratch *scratch, const Layout *layout)
{
    uint32_t count = layout->column_count;
    scratch->values = scratch->inline_values;
    scratch->nulls = scratch->inline_nulls;
    scratch->marks = scratch->inline_marks;
    scratch->heap = NULL;
    scratch->externals = NULL;
    scratch->external_count = 0;
    scratch->layout = layout;
    if (count <= SCRATCH_COLUMNS)
        return true;
    scratch->heap = memory_malloc((size_t)count * (sizeof(Value) + 2));
    if (!scratch->heap)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    scratch->values = scratch->heap;
    scratch->nulls = (bool *)(scratch->values + count);
    scratch->marks = (uint8_t *)(scratch->nulls + count);
    return true;
}

static void scratch_deinit(RowScratch *scratch)
{
    memory_free(scratch->heap);
    memory_free(scratch->externals);
}

/* The row is in its leaf. */
static void scratch_linked(Tree *tree, const RowScratch *scratch)
{
    for (uint32_t i = 0; i < scratch->external_count; i++)
        overflow_linked(tree);
}

/* Gives back what was stored for a row that is not written after all. */
static void scratch_abandon(Tree *tree, RowScratch *scratch)
{
    for (uint32_t c = 0; scratch->external_count > 0 && c < scratch->layout->column_count; c++)
        if (scratch->marks[c] == MARK_EXTERNAL)
            overflow_free(tree, &scratch->externals[c]);
}

static uint32_t scratch_largest(const RowScratch *scratch)
{
    uint32_t best = ROW_NO_COLUMN, length = sizeof(LeafExternal);
    for (uint32_t c = 0; c < scratch->layout->column_count; c++) {
        if (scratch->layout->columns[c].type == PHYS_VAR && scratch->marks[c] == MARK_VALUE &&
            scratch->values[c].var.length > length) {
            best = c;
            length = scratch->values[c].var.length;
        }
    }
    return best;
}

/* Heap bytes of the row as marked. */
static uint64_t scratch_heap(const RowScratch *scratch)
{
    uint64_t size = 0;
    if (scratch->layout->var_count > 0)
        for (uint32_t c = 0; c < scratch->layout->column_count; c++)
            if (scratch->layout->columns[c].type == PHYS_VAR && scratch->marks[c] != MARK_NULL)
                size += scratch->values[c].var.length;
    return size;
}

static COLD bool row_too_big(const Layout *layout, uint64_t size)
{
    uint32_t room = leaf_row_room(layout);
    FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
         .message = fmt("row is too big: size %llu, maximum size %u",
                        (unsigned long long)(size + PAGE_SIZE - room), (unsigned)PAGE_SIZE));
}

/* Moves one value out of the row. `tree` NULL: only pretends, to see whether the row fits. */
static bool scratch_move_out(Tree *tree, RowScratch *scratch, uint32_t column)
{
    if (!scratch->externals) {
        scratch->externals = memory_calloc(scratch->layout->column_count, sizeof(LeafExternal));
        if (!scratch->externals)
            FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    }
    LeafExternal *external = &scratch->externals[column];
    if (tree)
        TRY(overflow_store(tree, var_str(scratch->values[column].var), external));
    scratch->marks[column] = MARK_EXTERNAL;
    scratch->values[column].var = var_make(external, sizeof(*external));
    scratch->external_count += tree != NULL;
    return true;
}

/* Fits the row into half a page if moving large values out helps, into a page if it must. */
static bool scratch_fit(Tree *tree, RowScratch *scratch)
{
    const Layout *layout = scratch->layout;
    uint64_t heap = scratch_heap(scratch);
    uint32_t wanted = leaf_row_room_of_two(layout), room = leaf_row_room(layout);

    while (heap > wanted) {
        uint32_t column = scratch_largest(scratch);
        if (column == ROW_NO_COLUMN)
            break;
        uint32_t length = scratch->values[column].var.length;
        if (heap <= room && length < 512)
            break; /* small values are better off in the leaf */
        TRY(scratch_move_out(tree, scratch, column));
        heap -= length - sizeof(LeafExternal);
    }
    if (heap > room || leaf_row_room(layout) == 0)
        return row_too_big(layout, heap);
    scratch->row.var_size = (uint32_t)heap;
    return true;
}

/* Decodes an image of any layout into the newest. */
static bool scratch_decode(const Tree *tree, RowScratch *scratch, uint64_t row_id, Str image)
{
    const Layout *layout = tree_layout_version(tree, row_image_version(image));
    if (!layout)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("row image of an unknown layout version %u of tree %u",
                            row_image_version(image), tree->id));
    TRY(row_image_decode(layout, scratch->layout, image, NULL, scratch->layout->column_count,
                         scratch->values, scratch->nulls));
    for (uint32_t c = 0; c < scratch->layout->column_count; c++)
        scratch->marks[c] = scratch->nulls[c] || scratch->layout->columns[c].type == PHYS_NONE;
    scratch->row = (LeafRow){.id = row_id, .values = scratch->values, .marks = scratch->marks};
    return true;
}

RowScratch *row_scratch_new(const Tree *tree)
{
    RowScratch *scratch = memory_malloc(sizeof(RowScratch));
    if (!scratch)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    if (!scratch_init(scratch, tree_layout(tree))) {
        memory_free(scratch);
        return NULL;
    }
    return scratch;
}

const LeafRow *row_scratch_prepare(Tree *tree, RowScratch *scratch, uint64_t row_id, Str image)
{
    scratch->external_count = 0;
    TRY(scratch_decode(tree, scratch, row_id, image));
    if (!scratch_fit(tree, scratch)) {
        scratch_abandon(tree, scratch);
        return NULL;
    }
    return &scratch->row;
}

void row_scratch_free(RowScratch *scratch)
{
    if (scratch)
        scratch_deinit(scratch);
    memory_free(scratch);
}

bool tree_row_fits(const Tree *tree, Str image)
{
    RowScratch scratch;
    TRY(scratch_init(&scratch, tree_layout(tree)));
    bool fits = scratch_decode(tree, &scratch, 1, image) && scratch_fit(NULL, &scratch);
    scratch_deinit(&scratch);
    return fits;
}

/* ------------------------------------------------------------------ the row that was */

/* The old row's overflow references and, for an observer, its whole image. */
typedef struct OldRow {
    LeafExternal *externals; /* heap */
    uint32_t count;
    Arena *arena;
    Str image; /* fetched before the action */
    bool is_fetched;
} OldRow;

static void old_row_deinit(OldRow *old)
{
    memory_free(old->externals);
    arena_free(old->arena);
}

typedef struct ChangeDetail {
    const TableLeaf *leaf;
    uint32_t position;
    Str image; /* STR_NONE: in the leaf; also a key-value tree's old value */
} ChangeDetail;

void tree_change_old_image(const TreeChange *change, byte *ret_image)
{
    const ChangeDetail *detail = change->detail;
    assert(change->existed);
    if (!str_is_none(detail->image))
        memcpy(ret_image, detail->image.data, detail->image.length);
    else if (!table_leaf_image(detail->leaf, detail->position, ret_image))
        panic("a row that was just measured cannot be read");
}

/* Collects the references of the row's large values. */
static bool old_row_collect(OldRow *old, const TableLeaf *leaf, uint32_t position)
{
    const LeafPage *page = (const LeafPage *)leaf->page;
    const uint32_t count = leaf->layout->column_count;
    old->count = 0;
    for (uint32_t column = 0; column < count; column++) {
        LeafExternal external;
        if (!leaf_external(page, leaf->layout, position, column, &external))
            continue;
        if (!old->externals) {
            old->externals = memory_calloc(count, sizeof(LeafExternal));
            if (!old->externals)
                FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
        }
        old->externals[old->count++] = external;
    }
    return true;
}

/* In the action that takes the references out of the leaf. */
static void old_row_unlinked(Tree *tree, const OldRow *old)
{
    for (uint32_t i = 0; i < old->count; i++)
        overflow_unlinked(tree);
}

static void old_row_free_chains(Tree *tree, OldRow *old)
{
    for (uint32_t i = 0; i < old->count; i++)
        overflow_free(tree, &old->externals[i]);
}

/* Must the old image be fetched before an action may go on? */
static bool old_row_wants_image(const OldRow *old, const TableLeaf *leaf, uint32_t position,
                                const TreeObserver *observer)
{
    return observer && !old->is_fetched && table_leaf_has_externals(leaf, position);
}

static bool old_row_fetch(Tree *tree, OldRow *old, uint64_t row_id)
{
    if (!old->arena)
        old->arena = arena_new("old row");
    TreeFound found = tree_get_image(tree, row_id, old->arena, &old->image);
    old->is_fetched = found == TREE_FOUND;
    return found != TREE_FAILED;
}

/* Tells the observer; the leaf is latched and touched. */
static bool observe(const TreeObserver *observer, const TableLeaf *leaf, const OldRow *old,
                    uint64_t row_id, bool existed, uint32_t position, bool deletes)
{
    if (!observer)
        return true;
    ChangeDetail detail = {.leaf = leaf, .position = position};
    size_t size = 0;
    if (existed && old->is_fetched) {
        detail.image = old->image;
        size = old->image.length;
    } else if (existed) {
        TRY(table_leaf_image_size(leaf, position, &size));
    }
    TreeChange change = {
        .tree = leaf->tree,
        .versions = leaf->versions,
        .row_id = row_id,
        .existed = existed,
        .deletes = deletes,
        .old_size = (uint32_t)size,
        .detail = &detail,
    };
    observer->before(observer->context, &change);
    return true;
}

/* ------------------------------------------------------------------ put */

typedef enum PutOutcome {
    PUT_FAILED = 0,
    PUT_DONE,
    PUT_SPLIT, /* no room: split, then again */
    PUT_FETCH, /* the old image must be fetched first */
    PUT_WHOLE, /* it stands alone, on a leaf of another layout: the leaf is made anew */
} PutOutcome;

/* Brings a latched leaf to the newest layout. */
static PutOutcome leaf_to_newest(Tree *tree, Action *action, Page *page, TableLeaf *leaf,
                                 const LeafRow *row)
{
    LeafPage *bytes = page_leaf(page);
    const Layout *newest = tree_layout(tree);
    if (leaf->layout == newest)
        return PUT_DONE;
    bool convertible = leaf_can_convert(bytes, leaf->layout, newest);
    /* A row that stands alone and is about to be replaced: nothing of it needs converting, but the
     * observer reads it first, so the caller converts by replacing it (put_into_leaf). */
    if (!convertible)
        return leaf->row_count == 1 && table_leaf_row_id(leaf, 0) == row->id ? PUT_WHOLE
                                                                             : PUT_SPLIT;
    page_touch(action, page);
    leaf_convert(bytes, leaf->layout, newest);
    TRY(tree_leaf_view(tree, page, leaf));
    return PUT_DONE;
}

static PutOutcome put_into_leaf(Tree *tree, Action *action, Page *page, const LeafRow *row,
                                const TreeObserver *observer, OldRow *old)
{
    TableLeaf leaf;
    LeafPage *bytes = page_leaf(page);
    old->count = 0;
    TRY(tree_leaf_view(tree, page, &leaf));
    if (unlikely(row->id < leaf.first_id || row->id > leaf.last_id))
        return (PutOutcome)tree_damaged(tree, page->id, "wrong fences");
    uint32_t position = table_leaf_lower_bound(&leaf, row->id);
    bool existed = position < leaf.row_count && table_leaf_row_id(&leaf, position) == row->id;
    if (existed && old_row_wants_image(old, &leaf, position, observer))
        return PUT_FETCH;
    if (existed && leaf.layout->var_count > 0)
        TRY(old_row_collect(old, &leaf, position));
    PutOutcome converted = leaf_to_newest(tree, action, page, &leaf, row);
    if (converted == PUT_FAILED || converted == PUT_SPLIT)
        return converted;
    const Layout *newest = tree_layout(tree);
    if (converted == PUT_WHOLE) {
        page_touch(action, page);
        TRY(observe(observer, &leaf, old, row->id, true, position, false));
        leaf_init(bytes, newest, bytes->low, bytes->high);
        leaf_insert(bytes, newest, 0, row);
        return PUT_DONE;
    }
    if (existed ? !leaf_can_replace(bytes, newest, position, row)
                : !leaf_has_room(bytes, newest, row->id, row->var_size))
        return PUT_SPLIT;
    page_touch(action, page);
    TRY(observe(observer, &leaf, old, row->id, existed, position, false));
    if (existed) {
        leaf_replace(bytes, newest, position, row);
    } else {
        leaf_insert(bytes, newest, position, row);
        tree_count_rows(tree, 1);
    }
    return PUT_DONE;
}

static bool put_row(Tree *tree, const LeafRow *row, const TreeObserver *observer, OldRow *old)
{
    RowKey key = row_key_make(row->id);
    for (;;) {
        Action action;
        Page page;
        TRY(tree_leaf_write(tree, ROW_KEY_STR(key), 1, &action, &page));
        PutOutcome outcome = put_into_leaf(tree, &action, &page, row, observer, old);
        if (outcome == PUT_DONE)
            old_row_unlinked(tree, old);
        tree_write_end(&action, &page);
        switch (outcome) {
        case PUT_FAILED:
            return false;
        case PUT_SPLIT:
            TRY(tree_split(tree, ROW_KEY_STR(key), 0));
            break;
        case PUT_FETCH:
            TRY(old_row_fetch(tree, old, row->id));
            break;
        default:
            return true;
        }
    }
}

bool tree_put(Tree *tree, uint64_t row_id, Str image, const TreeObserver *observer)
{
    RowScratch scratch;
    OldRow old = {0};

    assert(tree->kind == TREE_TABLE && row_id <= TREE_MAX_ROW_ID);
    TRY(scratch_init(&scratch, tree_layout(tree)));
    bool done = scratch_decode(tree, &scratch, row_id, image) && scratch_fit(tree, &scratch) &&
                put_row(tree, &scratch.row, observer, &old);
    if (done) {
        scratch_linked(tree, &scratch);
        old_row_free_chains(tree, &old);
    } else {
        scratch_abandon(tree, &scratch);
    }
    old_row_deinit(&old);
    scratch_deinit(&scratch);
    return done;
}

/* ------------------------------------------------------------------ delete */

static PutOutcome delete_in_leaf(Tree *tree, Action *action, Page *page, uint64_t row_id,
                                 const TreeObserver *observer, OldRow *old, bool *ret_underfull)
{
    TableLeaf leaf;
    uint32_t position;

    *ret_underfull = false;
    old->count = 0;
    TRY(tree_leaf_view(tree, page, &leaf));
    bool existed = table_leaf_find(&leaf, row_id, &position);
    if (!existed)
        return PUT_DONE;
    if (old_row_wants_image(old, &leaf, position, observer))
        return PUT_FETCH;
    if (leaf.layout->var_count > 0)
        TRY(old_row_collect(old, &leaf, position));
    page_touch(action, page);
    TRY(observe(observer, &leaf, old, row_id, true, position, true));
    leaf_remove(page_leaf(page), leaf.layout, position);
    tree_count_rows(tree, -1);
    *ret_underfull = tree_leaf_is_underfull(tree, page);
    return PUT_DONE;
}

bool tree_delete(Tree *tree, uint64_t row_id, const TreeObserver *observer)
{
    RowKey key = row_key_make(row_id);
    OldRow old = {0};
    bool done = false, underfull = false;

    assert(tree->kind == TREE_TABLE);
    for (;;) {
        Action action;
        Page page;
        if (!tree_leaf_write(tree, ROW_KEY_STR(key), 1, &action, &page))
            break;
        PutOutcome outcome =
            delete_in_leaf(tree, &action, &page, row_id, observer, &old, &underfull);
        if (outcome == PUT_DONE)
            old_row_unlinked(tree, &old);
        tree_write_end(&action, &page);
        if (outcome == PUT_FETCH && old_row_fetch(tree, &old, row_id))
            continue;
        done = outcome == PUT_DONE;
        break;
    }
    if (done)
        old_row_free_chains(tree, &old);
    old_row_deinit(&old);
    return done && (!underfull || tree_shrink(tree, ROW_KEY_STR(key), 0));
}

/* ------------------------------------------------------------------ reading */

bool tree_visit_latched(Tree *tree, Page *page, uint64_t row_id, TreeLeafVisitor *visitor,
                        void *context)
{
    TableLeaf leaf;
    bool done = tree_leaf_view(tree, page, &leaf);

    if (done && (row_id < leaf.first_id || row_id > leaf.last_id))
        done = tree_damaged(tree, page->id, "wrong fences");
    done = done && visitor(context, &leaf);
    page_unlatch(page);
    return done;
}

bool tree_visit_leaf(Tree *tree, uint64_t row_id, TreeLeafVisitor *visitor, void *context,
                     uint64_t *ret_next)
{
    RowKey key = row_key_make(row_id);
    Page page;

    assert(tree->kind == TREE_TABLE);
    if (!tree_leaf_shared(tree, ROW_KEY_STR(key), DESCEND_AT, &page)) {
        tree_damage_explain(tree, row_id);
        return false;
    }
    const uint64_t last_id = page_leaf(&page)->high;
    *ret_next = last_id >= TREE_MAX_ROW_ID ? 0 : last_id + 1;
    return tree_visit_latched(tree, &page, row_id, visitor, context);
}

/* The same walking down: the leaf covering `row_id`; *ret_previous is the last id of the leaf to
 * the left, and *ret_has_previous whether there is one. */
static bool tree_visit_leaf_backward(Tree *tree, uint64_t row_id, TreeLeafVisitor *visitor,
                                     void *context, uint64_t *ret_previous, bool *ret_has_previous)
{
    RowKey key = row_key_make(row_id);
    Page page;
    TableLeaf leaf;

    TRY(tree_leaf_shared(tree, ROW_KEY_STR(key), DESCEND_AT, &page));
    bool done = tree_leaf_view(tree, &page, &leaf);
    if (done) {
        *ret_has_previous = leaf.first_id > 0;
        *ret_previous = leaf.first_id > 0 ? leaf.first_id - 1 : 0;
    }
    done = done && visitor(context, &leaf);
    page_unlatch(&page);
    return done;
}

/* One row taken out of its leaf: an image, or values and references. */
typedef struct GetRow {
    uint64_t row_id;
    Arena *arena;
    bool found, has_externals;
    const Layout *layout;
    Value *values;
    bool *nulls;
    TreeExternals externals;
    Str image;
} GetRow;

static bool get_row_visit(void *context, const TableLeaf *leaf)
{
    GetRow *get = context;
    uint32_t position;

    get->found = table_leaf_find(leaf, get->row_id, &position);
    if (!get->found)
        return true;
    get->has_externals = table_leaf_has_externals(leaf, position);
    if (!get->has_externals) {
        size_t size;
        TRY(table_leaf_image_size(leaf, position, &size));
        byte *image = arena_alloc(get->arena, size);
        get->image = str_make(image, size);
        return table_leaf_image(leaf, position, image);
    }
    /* The leaf's own layout, dropped columns and all. */
    TableLeaf plain = *leaf;
    plain.newest = leaf->layout;
    get->layout = leaf->layout;
    get->values = ARENA_ARRAY(get->arena, Value, leaf->layout->column_count);
    get->nulls = ARENA_ARRAY(get->arena, bool, leaf->layout->column_count);
    get->externals = (TreeExternals){.arena = get->arena};
    return table_leaf_copy_row(&plain, position, NULL, leaf->layout->column_count, get->values,
                               get->nulls, &get->externals);
}

TreeFound tree_get_image(Tree *tree, uint64_t row_id, Arena *arena, Str *ret_image)
{
    GetRow get = {.row_id = row_id, .arena = arena};
    for (;;) {
        uint64_t next;
        TRY(tree_visit_leaf(tree, row_id, get_row_visit, &get, &next));
        if (!get.found)
            return TREE_MISSING;
        if (!get.has_externals) {
            *ret_image = get.image;
            return TREE_FOUND;
        }
        TreeFound found = tree_externals_load(tree, &get.externals);
        TRY(found);
        if (found == TREE_STALE)
            continue;
        TRY(row_image_make(arena, get.layout, get.values, get.nulls, ret_image));
        return TREE_FOUND;
    }
}

/* Does the row still have this very reference? */
typedef struct CurrentCheck {
    const TreeExternal *external;
    bool is_current;
} CurrentCheck;

static bool current_visit(void *context, const TableLeaf *leaf)
{
    CurrentCheck *check = context;
    const TreeExternal *external = check->external;
    LeafExternal found;
    uint32_t position;
    check->is_current = table_leaf_find(leaf, external->row_id, &position) &&
                        external->column < leaf->layout->column_count &&
                        leaf_external((const LeafPage *)leaf->page, leaf->layout, position,
                                      external->column, &found) &&
                        found.stamp == external->stamp;
    return true;
}

TreeFound tree_externals_load(Tree *tree, TreeExternals *externals)
{
    for (uint32_t i = 0; i < externals->count; i++) {
        const TreeExternal *item = &externals->items[i];
        pace_turn();
        if (item->length > ROW_MAX_SIZE)
            return (TreeFound)tree_damaged(tree, item->page, "an overflow reference is wrong");
        char *bytes = arena_try_alloc(externals->arena, MAX(item->length, 1u));
        TRY(bytes);
        LeafExternal external = {
            .stamp = item->stamp,
            .page = item->page,
            .length = item->length,
            .stored_length = item->stored_length,
            .compressed = item->compressed,
        };
        if (likely(overflow_read(tree, &external, bytes))) {
            *item->target = var_make(bytes, item->length);
            continue;
        }
        if (error_fields()->sqlstate != ERR_DATA_CORRUPTED)
            return TREE_FAILED;
        error_clear();
        CurrentCheck check = {.external = item};
        uint64_t next;
        TRY(tree_visit_leaf(tree, item->row_id, current_visit, &check, &next));
        if (check.is_current)
            return (TreeFound)overflow_read(tree, &external, bytes);
        return TREE_STALE;
    }
    externals->count = 0;
    return TREE_FOUND;
}

static bool max_visit(void *context, const TableLeaf *leaf)
{
    uint64_t *max = context;
    max[0] = leaf->row_count ? table_leaf_row_id(leaf, leaf->row_count - 1) : 0;
    max[1] = leaf->row_count;
    return true;
}

bool tree_max_row_id(Tree *tree, uint64_t *ret_row_id)
{
    uint64_t at = TREE_MAX_ROW_ID, max[2], previous;
    bool more = true;
    *ret_row_id = 0;
    while (more) {
        TRY(tree_visit_leaf_backward(tree, at, max_visit, max, &previous, &more));
        *ret_row_id = max[0];
        if (max[1] > 0)
            break;
        at = previous;
    }
    return true;
}
