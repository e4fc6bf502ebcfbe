/*
 * Reading table leaves.
 */
#include "storage/leaf_page.h"

static COLD bool leaf_damaged(const char *what)
{
    FAIL(ERR_DATA_CORRUPTED, .message = fmt("damaged table page: %s", what));
}

bool leaf_view(const LeafPage *page, const Layout *layout, TableLeaf *ret_leaf)
{
    if (unlikely(page->header.kind != NODE_TABLE_LEAF))
        return leaf_damaged("not a table leaf");
    if (unlikely(page->layout_version != layout->version ||
                 page->column_count != layout->column_count))
        return leaf_damaged("wrong layout");
    if (unlikely((page->id_width != 4 && page->id_width != 8) || page->heap_start > PAGE_SIZE ||
                 page->header.count > page->capacity))
        return leaf_damaged("wrong header");
    ret_leaf->page = (const byte *)page;
    ret_leaf->layout = layout;
    ret_leaf->newest = layout;
    ret_leaf->first_id = page->low;
    ret_leaf->last_id = page->high;
    ret_leaf->row_count = page->header.count;
    ret_leaf->capacity = page->capacity;
    ret_leaf->ids_offset = sizeof(LeafPage);
    ret_leaf->id_width = page->id_width;
    ret_leaf->id_base = page->id_base;
    ret_leaf->nulls_any = ret_leaf->ids_offset + ret_leaf->capacity * ret_leaf->id_width;
    ret_leaf->bitmaps = ret_leaf->nulls_any + layout->nulls_size;
    ret_leaf->bitmap_size = (ret_leaf->capacity + 7) / 8;
    ret_leaf->fixed = ret_leaf->bitmaps + layout->column_count * ret_leaf->bitmap_size;
    ret_leaf->heap_start = page->heap_start;
    uint64_t end =
        ret_leaf->fixed + (uint64_t)ret_leaf->capacity * layout->offsets[layout->column_count];
    if (unlikely(end > page->heap_start))
        return leaf_damaged("rows and heap overlap");
    return true;
}

uint32_t table_leaf_lower_bound(const TableLeaf *leaf, uint64_t row_id)
{
    uint32_t low = 0, high = leaf->row_count;

    /* Where ids are dense, the position is known without a search. */
    if (high > 0) {
        uint64_t first = table_leaf_row_id(leaf, 0);
        if (row_id <= first)
            return 0;
        if (row_id - first < high && table_leaf_row_id(leaf, (uint32_t)(row_id - first)) == row_id)
            return (uint32_t)(row_id - first);
    }
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (table_leaf_row_id(leaf, middle) < row_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool table_leaf_find(const TableLeaf *leaf, uint64_t row_id, uint32_t *ret_position)
{
    uint32_t position = table_leaf_lower_bound(leaf, row_id);
    if (position == leaf->row_count || table_leaf_row_id(leaf, position) != row_id)
        return false;
    *ret_position = position;
    return true;
}

void table_leaf_copy_ids(const TableLeaf *leaf, uint32_t first, uint32_t count, uint64_t *ret_ids)
{
    const byte *ids = leaf->page + leaf->ids_offset + (size_t)leaf->id_width * first;

    assert(first + count <= leaf->row_count);
    if (leaf->id_width == 8) {
        memcpy(ret_ids, ids, 8 * (size_t)count);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t delta;
        memcpy(&delta, ids + 4 * (size_t)i, 4);
        ret_ids[i] = leaf->id_base + delta;
    }
}

/* ------------------------------------------------------------------ pieces */

static inline bool leaf_bit(const byte *bits, uint32_t i)
{
    return bits[i / 8] >> i % 8 & 1;
}
__attribute__((returns_nonnull)) static inline const byte *leaf_array(const TableLeaf *leaf,
                                                                      uint32_t column)
{
    return leaf->page + leaf->fixed + (size_t)leaf->capacity * leaf->layout->offsets[column];
}
/* NULL where no row of the column is null. */
static inline const byte *leaf_nulls(const TableLeaf *leaf, uint32_t column)
{
    if (!leaf_bit(leaf->page + leaf->nulls_any, column))
        return NULL;
    return leaf->page + leaf->bitmaps + (size_t)column * leaf->bitmap_size;
}
static inline LeafVar leaf_var(const byte *array, uint32_t position)
{
    LeafVar var;
    memcpy(&var, array + 4 * (size_t)position, sizeof(var));
    return var;
}
static inline bool var_inside(LeafVar var)
{
    uint32_t size = var.length == LEAF_EXTERNAL ? (uint32_t)sizeof(LeafExternal) : var.length;
    return (uint32_t)var.offset + size <= PAGE_SIZE;
}
static inline bool column_in_leaf(const TableLeaf *leaf, uint32_t column)
{
    return column < leaf->layout->column_count && leaf->layout->columns[column].type != PHYS_NONE &&
           !(column < leaf->newest->column_count &&
             leaf->newest->columns[column].type == PHYS_NONE);
}

static void externals_add(TreeExternals *externals, const TableLeaf *leaf, uint32_t position,
                          uint32_t column, LeafVar var, VarRef *target)
{
    LeafExternal external;
    memcpy(&external, leaf->page + var.offset, sizeof(external));
    if (externals->count == externals->capacity) {
        uint32_t capacity = MAX(16u, externals->capacity * 2);
        externals->items =
            arena_grow(externals->arena, externals->items,
                       externals->capacity * sizeof(TreeExternal), capacity * sizeof(TreeExternal));
        externals->capacity = capacity;
    }
    *target = (VarRef){.length = external.length};
    externals->items[externals->count++] = (TreeExternal){
        .row_id = table_leaf_row_id(leaf, position),
        .stamp = external.stamp,
        .page = external.page,
        .length = external.length,
        .stored_length = external.stored_length,
        .column = (uint16_t)column,
        .compressed = external.compressed != 0,
        .target = target,
    };
}

/* ------------------------------------------------------------------ columns into vectors */

static void copy_nulls(const byte *bits, const uint16_t *positions, uint32_t first, uint32_t count,
                       Vector *vector, uint32_t target_row)
{
    uint8_t *nulls = vector->nulls + target_row;
    if (!bits) {
        if (vector->has_nulls)
            memset(nulls, 0, count);
        return;
    }
    if (!vector->has_nulls) {
        vector->has_nulls = true;
        memset(vector->nulls, 0, target_row);
    }
    for (uint32_t i = 0; i < count; i++)
        nulls[i] = leaf_bit(bits, positions ? positions[i] : first + i);
}

#define GATHER(ctype)                                                                              \
    for (uint32_t i = 0; i < count; i++)                                                           \
    memcpy(target + i * sizeof(ctype), array + positions[i] * sizeof(ctype), sizeof(ctype))

static void gather_fixed(const byte *array, uint32_t width, const uint16_t *positions,
                         uint32_t count, byte *target)
{
    switch (width) {
    case 1:
        GATHER(uint8_t);
        break;
    case 2:
        GATHER(uint16_t);
        break;
    case 4:
        GATHER(uint32_t);
        break;
    case 8:
        GATHER(uint64_t);
        break;
    default:
        GATHER(Value);
        break;
    }
}

/* The extent of the inline values in the page, and their total; false: one lies outside. */
static bool var_extent(const byte *array, const uint16_t *positions, uint32_t first, uint32_t count,
                       uint32_t *ret_low, uint32_t *ret_high, uint32_t *ret_total)
{
    uint32_t low = PAGE_SIZE, high = 0, total = 0;
    for (uint32_t i = 0; i < count; i++) {
        LeafVar var = leaf_var(array, positions ? positions[i] : first + i);
        if (unlikely(!var_inside(var)))
            return leaf_damaged("a value lies outside the page");
        if (var.length == LEAF_EXTERNAL || var.length == 0)
            continue;
        low = MIN(low, var.offset);
        high = MAX(high, (uint32_t)var.offset + var.length);
        total += var.length;
    }
    *ret_low = low;
    *ret_high = high;
    *ret_total = total;
    return true;
}

static bool copy_var(const TableLeaf *leaf, uint32_t column, const uint16_t *positions,
                     uint32_t first, uint32_t count, VarRef *target, TreeExternals *externals)
{
    const byte *array = leaf_array(leaf, column);
    uint32_t low, high, total;
    TRY(var_extent(array, positions, first, count, &low, &high, &total));

    /* One copy of the stretch of the heap that has them all, unless too much else is in it. */
    bool whole = total > 0 && high - low <= 2 * total;
    char *bytes = arena_alloc(externals->arena, whole ? high - low : MAX(total, 1u));
    char *next = bytes;
    if (whole)
        memcpy(bytes, leaf->page + low, high - low);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = positions ? positions[i] : first + i;
        LeafVar var = leaf_var(array, position);
        if (unlikely(var.length == LEAF_EXTERNAL)) {
            externals_add(externals, leaf, position, column, var, &target[i]);
        } else if (whole) {
            target[i] = var_make(var.length ? bytes + (var.offset - low) : bytes, var.length);
        } else {
            memcpy(next, leaf->page + var.offset, var.length);
            target[i] = var_make(next, var.length);
            next += var.length;
        }
    }
    return true;
}

static void fill_column_missing(const TableLeaf *leaf, uint32_t column, uint32_t count,
                                Vector *vector, uint32_t target_row)
{
    bool has = column < leaf->newest->column_count && leaf->newest->columns[column].has_missing;
    size_t width = phys_width(vector->type);
    if (!has && !vector->has_nulls) {
        vector->has_nulls = true;
        memset(vector->nulls, 0, target_row);
    }
    if (vector->has_nulls)
        memset(vector->nulls + target_row, !has, count);
    for (uint32_t i = 0; i < count; i++) {
        byte *place = (byte *)vector->values + (target_row + i) * width;
        if (has)
            memcpy(place, &leaf->newest->columns[column].missing, width);
        else
            memset(place, 0, width);
    }
}

bool table_leaf_copy_column(const TableLeaf *leaf, uint32_t column, const uint16_t *positions,
                            uint32_t first, uint32_t count, Vector *vector, uint32_t target_row,
                            TreeExternals *externals)
{
    assert(positions || first + count <= leaf->row_count);
    assert(target_row + count <= VECTOR_SIZE);
    if (!column_in_leaf(leaf, column)) {
        fill_column_missing(leaf, column, count, vector, target_row);
        return true;
    }
    PhysType type = leaf->layout->columns[column].type;
    uint32_t width = (uint32_t)phys_width(type);
    assert(type == vector->type);
    copy_nulls(leaf_nulls(leaf, column), positions, first, count, vector, target_row);
    byte *target = (byte *)vector->values + (size_t)target_row * width;
    if (type == PHYS_VAR)
        return copy_var(leaf, column, positions, first, count, (VarRef *)target, externals);
    const byte *array = leaf_array(leaf, column);
    if (positions)
        gather_fixed(array, width, positions, count, target);
    else
        memcpy(target, array + (size_t)first * width, (size_t)count * width);
    return true;
}

/* ------------------------------------------------------------------ single rows */

bool table_leaf_peek(const TableLeaf *leaf, uint32_t position, uint32_t column, Value *ret_value,
                     bool *ret_null, bool *ret_external)
{
    assert(position < leaf->row_count);
    *ret_external = false;
    *ret_value = (Value){0};
    if (!column_in_leaf(leaf, column)) {
        *ret_null =
            column >= leaf->newest->column_count || !leaf->newest->columns[column].has_missing;
        if (!*ret_null)
            *ret_value = leaf->newest->columns[column].missing;
        return true;
    }
    const byte *bits = leaf_nulls(leaf, column);
    *ret_null = bits && leaf_bit(bits, position);
    if (*ret_null)
        return true;
    PhysType type = leaf->layout->columns[column].type;
    const byte *array = leaf_array(leaf, column);
    if (type != PHYS_VAR) {
        uint32_t width = (uint32_t)phys_width(type);
        memcpy(ret_value, array + (size_t)position * width, width);
        return true;
    }
    LeafVar var = leaf_var(array, position);
    if (unlikely(!var_inside(var)))
        return leaf_damaged("a value lies outside the page");
    if (unlikely(var.length == LEAF_EXTERNAL)) {
        LeafExternal external;
        memcpy(&external, leaf->page + var.offset, sizeof(external));
        *ret_external = true;
        ret_value->var = (VarRef){.length = external.length};
        return true;
    }
    ret_value->var = var_make(leaf->page + var.offset, var.length);
    return true;
}

/* Is the value one of variable length that lies in the page? */
static inline bool is_borrowed(const TableLeaf *leaf, uint32_t column, const Value *value,
                               bool is_null)
{
    return !is_null && column < leaf->layout->column_count &&
           leaf->layout->columns[column].type == PHYS_VAR &&
           (uintptr_t)value->var.data - (uintptr_t)leaf->page < PAGE_SIZE;
}

/* A row's borrowed values into the arena: in one piece where they lie together, as they do unless
 * the row has been changed since it came. */
static void row_keep(const TableLeaf *leaf, const uint16_t *columns, uint32_t count, Value *values,
                     const bool *nulls, Arena *arena)
{
    uintptr_t low = UINTPTR_MAX, high = 0;
    size_t total = 0;

    for (uint32_t i = 0; i < count; i++) {
        const VarRef *var = &values[i].var;
        if (!is_borrowed(leaf, columns ? columns[i] : i, &values[i], nulls[i]))
            continue;
        low = MIN(low, (uintptr_t)var->data);
        high = MAX(high, (uintptr_t)var->data + var->length);
        total += var->length;
    }
    if (low == UINTPTR_MAX)
        return;
    const bool whole = high - low <= 2 * total;
    char *next = arena_alloc(arena, whole ? high - low : total);
    if (whole)
        memcpy(next, (const char *)low, high - low);
    for (uint32_t i = 0; i < count; i++) {
        VarRef *var = &values[i].var;
        if (!is_borrowed(leaf, columns ? columns[i] : i, &values[i], nulls[i]))
            continue;
        if (whole) {
            var->data = next + ((uintptr_t)var->data - low);
        } else {
            memcpy(next, var->data, var->length);
            var->data = next;
            next += var->length;
        }
    }
}

bool table_leaf_copy_row(const TableLeaf *leaf, uint32_t position, const uint16_t *columns,
                         uint32_t count, Value *ret_values, bool *ret_nulls,
                         TreeExternals *externals)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t column = columns ? columns[i] : i;
        bool external;
        TRY(table_leaf_peek(leaf, position, column, &ret_values[i], &ret_nulls[i], &external));
        if (external)
            externals_add(externals, leaf, position, column,
                          leaf_var(leaf_array(leaf, column), position), &ret_values[i].var);
    }
    if (leaf->layout->var_count > 0)
        row_keep(leaf, columns, count, ret_values, ret_nulls, externals->arena);
    return true;
}

bool table_leaf_has_externals(const TableLeaf *leaf, uint32_t position)
{
    if (leaf->layout->var_count > 0)
        for (uint32_t c = 0; c < leaf->layout->column_count; c++)
            if (leaf->layout->columns[c].type == PHYS_VAR &&
                leaf_var(leaf_array(leaf, c), position).length == LEAF_EXTERNAL)
                return true;
    return false;
}

bool table_leaf_image_size(const TableLeaf *leaf, uint32_t position, size_t *ret_size)
{
    const Layout *layout = leaf->layout;
    size_t size = 4 + layout->nulls_size + layout->offsets[layout->column_count];
    if (layout->var_count > 0) {
        for (uint32_t c = 0; c < layout->column_count; c++) {
            if (layout->columns[c].type != PHYS_VAR)
                continue;
            LeafVar var = leaf_var(leaf_array(leaf, c), position);
            if (unlikely(!var_inside(var)))
                return leaf_damaged("a value lies outside the page");
            assert(var.length != LEAF_EXTERNAL);
            size += var.length;
        }
    }
    *ret_size = size;
    return true;
}

bool table_leaf_image(const TableLeaf *leaf, uint32_t position, byte *ret_image)
{
    const Layout *layout = leaf->layout;
    byte *bitmap = ret_image + 4;
    byte *fixed = bitmap + layout->nulls_size;
    byte *var_area = fixed + layout->offsets[layout->column_count];
    uint32_t end = 0;

    memcpy(ret_image, &layout->version, 4);
    memset(bitmap, 0, layout->nulls_size);
    for (uint32_t c = 0; c < layout->column_count; c++) {
        PhysType type = layout->columns[c].type;
        const byte *bits = leaf_nulls(leaf, c);
        const byte *array = leaf_array(leaf, c);
        if (type == PHYS_NONE || (bits && leaf_bit(bits, position)))
            bitmap[c / 8] |= (byte)(1u << c % 8);
        if (type == PHYS_VAR) {
            LeafVar var = leaf_var(array, position);
            if (unlikely(!var_inside(var)))
                return leaf_damaged("a value lies outside the page");
            memcpy(var_area + end, leaf->page + var.offset, var.length);
            end += var.length;
            memcpy(fixed + layout->offsets[c], &end, 4);
        } else {
            uint32_t width = (uint32_t)phys_width(type);
            memcpy(fixed + layout->offsets[c], array + (size_t)position * width, width);
        }
    }
    return true;
}
