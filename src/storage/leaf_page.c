/*
 * Writing table leaves.
 */
#include "storage/leaf_page.h"

/* Where the parts of a leaf lie. */
typedef struct LeafShape {
    uint32_t ids, nulls_any, bitmaps, bitmap_size, fixed, end;
} LeafShape;

static inline LeafShape leaf_shape(const Layout *layout, uint32_t capacity, uint32_t id_width)
{
    LeafShape shape;
    shape.ids = sizeof(LeafPage);
    shape.nulls_any = shape.ids + capacity * id_width;
    shape.bitmaps = shape.nulls_any + layout->nulls_size;
    shape.bitmap_size = (capacity + 7) / 8;
    shape.fixed = shape.bitmaps + layout->column_count * shape.bitmap_size;
    shape.end = shape.fixed + capacity * layout->offsets[layout->column_count];
    return shape;
}

static inline LeafShape page_shape(const LeafPage *page, const Layout *layout)
{
    return leaf_shape(layout, page->capacity, page->id_width);
}

static inline bool bit_get(const byte *bits, uint32_t i)
{
    return bits[i / 8] >> i % 8 & 1;
}
static inline void bit_set(byte *bits, uint32_t i)
{
    bits[i / 8] |= (byte)(1u << i % 8);
}
static inline void bit_put(byte *bits, uint32_t i, bool value)
{
    bits[i / 8] = (byte)((bits[i / 8] & ~(1u << i % 8)) | (uint32_t)value << i % 8);
}

static inline byte *bitmap_of(const LeafPage *page, const LeafShape *shape, uint32_t column)
{
    return (byte *)page + shape->bitmaps + column * shape->bitmap_size;
}
static inline byte *array_of(const LeafPage *page, const LeafShape *shape, const Layout *layout,
                             uint32_t column)
{
    return (byte *)page + shape->fixed + page->capacity * layout->offsets[column];
}
static inline bool column_has_nulls(const LeafPage *page, const LeafShape *shape, uint32_t column)
{
    return bit_get((const byte *)page + shape->nulls_any, column);
}

static inline uint64_t id_get(const LeafPage *page, uint32_t position)
{
    const byte *ids = (const byte *)page + sizeof(LeafPage);
    uint64_t id = 0;
    memcpy(&id, ids + (size_t)page->id_width * position, page->id_width);
    return page->id_width == 4 ? page->id_base + id : id;
}
static inline void id_put(LeafPage *page, uint32_t position, uint64_t id)
{
    uint64_t stored = page->id_width == 4 ? id - page->id_base : id;
    memcpy((byte *)page + sizeof(LeafPage) + (size_t)page->id_width * position, &stored,
           page->id_width);
}

static inline LeafVar var_get(const byte *array, uint32_t position)
{
    LeafVar var;
    memcpy(&var, array + 4 * (size_t)position, sizeof(var));
    return var;
}
static inline uint32_t var_size(LeafVar var)
{
    return var.length == LEAF_EXTERNAL ? (uint32_t)sizeof(LeafExternal) : var.length;
}

/* ------------------------------------------------------------------ room */

uint32_t leaf_row_room(const Layout *layout)
{
    uint32_t end = leaf_shape(layout, 1, 8).end;
    return end < PAGE_SIZE ? PAGE_SIZE - end : 0;
}

uint32_t leaf_row_room_of_two(const Layout *layout)
{
    uint32_t end = leaf_shape(layout, 2, 8).end;
    return end < PAGE_SIZE ? (PAGE_SIZE - end) / 2 : 0;
}

/* How ids are stored once `row_id` is among them; UINT64_MAX: as they are. */
static void choose_ids(const LeafPage *page, uint64_t row_id, uint32_t *ret_width,
                       uint64_t *ret_base)
{
    uint64_t first = row_id, last = row_id;
    if (page->header.count > 0) {
        uint64_t have_first = id_get(page, 0), have_last = id_get(page, page->header.count - 1u);
        first = row_id == UINT64_MAX ? have_first : MIN(first, have_first);
        last = row_id == UINT64_MAX ? have_last : MAX(last, have_last);
    } else if (row_id == UINT64_MAX) {
        first = last = page->low;
    }
    *ret_width = last - first <= UINT32_MAX ? 4 : 8;
    *ret_base = last - page->low <= UINT32_MAX ? page->low : first;
}

static bool ids_take(const LeafPage *page, uint64_t row_id)
{
    return page->id_width == 8 || (row_id >= page->id_base && row_id - page->id_base <= UINT32_MAX);
}

bool leaf_has_room(const LeafPage *page, const Layout *layout, uint64_t row_id, uint32_t size)
{
    uint32_t width = page->id_width;
    uint64_t base;
    if (!ids_take(page, row_id))
        choose_ids(page, row_id, &width, &base);
    return leaf_shape(layout, page->header.count + 1u, width).end + page->heap_used + size <=
           PAGE_SIZE;
}

/* A capacity for at least `rows` rows which now take `heap` bytes: both shares grow alike. */
static uint32_t choose_capacity(const Layout *layout, uint32_t id_width, uint32_t rows,
                                uint32_t heap)
{
    uint32_t overhead = (uint32_t)sizeof(LeafPage) + layout->nulls_size + layout->column_count;
    uint32_t per_row_bits = 8 * (id_width + layout->offsets[layout->column_count]) +
                            layout->column_count + (rows ? 8 * heap / rows : 0);
    uint32_t fit = overhead < PAGE_SIZE ? 8 * (PAGE_SIZE - overhead) / MAX(per_row_bits, 1u) : 0;
    uint32_t capacity = layout->var_count == 0 ? fit : MIN(fit, MAX(8u, 2 * rows));
    capacity = MAX(capacity, MAX(rows, 1u));
    while (capacity > rows && leaf_shape(layout, capacity, id_width).end + heap > PAGE_SIZE)
        capacity--;
    return capacity;
}

void leaf_init(LeafPage *page, const Layout *layout, uint64_t low, uint64_t high)
{
    memset((byte *)page + PAGE_HEADER_SIZE, 0, PAGE_SIZE - PAGE_HEADER_SIZE);
    page->header.kind = NODE_TABLE_LEAF;
    page->column_count = (uint16_t)layout->column_count;
    page->layout_version = layout->version;
    page->heap_start = PAGE_SIZE;
    page->id_width = 4;
    page->id_base = low;
    page->low = low;
    page->high = high;
    page->capacity = (uint16_t)choose_capacity(layout, 4, 0, 0);
    while (page->capacity > 0 && page_shape(page, layout).end > PAGE_SIZE)
        page->capacity--;
}

void leaf_expect_rows(LeafPage *page, const Layout *layout, uint32_t rows)
{
    assert(page->header.count == 0);
    if (rows > page->capacity)
        page->capacity = (uint16_t)MIN(rows, UINT16_MAX);
    while (page->capacity > 0 && page_shape(page, layout).end > PAGE_SIZE)
        page->capacity--;
}

uint32_t leaf_used_bytes(const LeafPage *page, const Layout *layout)
{
    return leaf_shape(layout, page->header.count, page->id_width).end - (uint32_t)sizeof(LeafPage) +
           page->heap_used;
}

/* ------------------------------------------------------------------ copying rows between pages */

static LeafVar heap_push(LeafPage *page, const void *data, uint32_t size)
{
    page->heap_start = (uint16_t)(page->heap_start - size);
    page->heap_used = (uint16_t)(page->heap_used + size);
    if (size > 0)
        memcpy((byte *)page + page->heap_start, data, size);
    return (LeafVar){.offset = page->heap_start, .length = (uint16_t)size};
}

/* Is the column in both layouts? */
static inline bool column_shared(const Layout *from, const Layout *to, uint32_t column)
{
    return column < from->column_count && from->columns[column].type != PHYS_NONE &&
           to->columns[column].type != PHYS_NONE;
}

static void copy_column(LeafPage *dst, const LeafShape *dst_shape, const Layout *to,
                        const LeafPage *src, const LeafShape *src_shape, const Layout *from,
                        uint32_t column, uint32_t first, uint32_t count)
{
    uint32_t at = dst->header.count, width = row_fixed_width(to->columns[column].type);
    byte *dst_array = array_of(dst, dst_shape, to, column);
    const byte *src_array = array_of(src, src_shape, from, column);

    if (column_has_nulls(src, src_shape, column)) {
        const byte *src_bits = bitmap_of(src, src_shape, column);
        byte *dst_bits = bitmap_of(dst, dst_shape, column);
        bool any = false;
        for (uint32_t i = 0; i < count; i++) {
            if (bit_get(src_bits, first + i)) {
                bit_set(dst_bits, at + i);
                any = true;
            }
        }
        if (any)
            bit_set((byte *)dst + dst_shape->nulls_any, column);
    }
    if (to->columns[column].type != PHYS_VAR) {
        memcpy(dst_array + (size_t)at * width, src_array + (size_t)first * width,
               (size_t)count * width);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        LeafVar var = var_get(src_array, first + i);
        uint16_t length = var.length;
        if (length > 0) {
            var = heap_push(dst, (const byte *)src + var.offset, var_size(var));
            var.length = length;
        }
        memcpy(dst_array + 4 * (size_t)(at + i), &var, sizeof(var));
    }
}

/* A column that the source's layout lacks. */
static void fill_missing(LeafPage *dst, const LeafShape *shape, const Layout *to, uint32_t column,
                         uint32_t count)
{
    const LayoutColumn *info = &to->columns[column];
    uint32_t at = dst->header.count, width = row_fixed_width(info->type);
    byte *array = array_of(dst, shape, to, column);

    if (!info->has_missing && count > 0)
        bit_set((byte *)dst + shape->nulls_any, column);
    for (uint32_t i = 0; i < count; i++) {
        if (!info->has_missing) {
            bit_set(bitmap_of(dst, shape, column), at + i);
        } else if (info->type == PHYS_VAR) {
            LeafVar var = heap_push(dst, info->missing.var.data, info->missing.var.length);
            memcpy(array + 4 * (size_t)(at + i), &var, sizeof(var));
        } else {
            memcpy(array + (size_t)width * (at + i), &info->missing, width);
        }
    }
}

/* Appends rows [first, first+count) of src to dst, converting; everything fits. */
static void copy_rows(LeafPage *dst, const Layout *to, const LeafPage *src, const Layout *from,
                      uint32_t first, uint32_t count)
{
    LeafShape dst_shape = page_shape(dst, to), src_shape = page_shape(src, from);
    uint32_t at = dst->header.count;

    for (uint32_t i = 0; i < count; i++)
        id_put(dst, at + i, id_get(src, first + i));
    for (uint32_t c = 0; c < to->column_count; c++) {
        if (column_shared(from, to, c))
            copy_column(dst, &dst_shape, to, src, &src_shape, from, c, first, count);
        else
            fill_missing(dst, &dst_shape, to, c, count);
    }
    dst->header.count = (uint16_t)(at + count);
}

/* Heap bytes that rows [first, first+count) take in layout `to`. */
static uint32_t rows_heap(const LeafPage *page, const Layout *from, const Layout *to,
                          uint32_t first, uint32_t count)
{
    LeafShape shape = page_shape(page, from);
    uint64_t size = 0;
    for (uint32_t c = 0; c < to->column_count; c++) {
        if (to->columns[c].type != PHYS_VAR)
            continue;
        if (column_shared(from, to, c)) {
            const byte *array = array_of(page, &shape, from, c);
            for (uint32_t i = 0; i < count; i++)
                size += var_size(var_get(array, first + i));
        } else if (to->columns[c].has_missing) {
            size += (uint64_t)count * to->columns[c].missing.var.length;
        }
    }
    return (uint32_t)MIN(size, (uint64_t)UINT32_MAX / 2);
}

/* Makes `page` empty again with a capacity for `rows` and `heap` bytes. */
static void leaf_restart(LeafPage *page, const Layout *layout, uint64_t low, uint64_t high,
                         uint32_t id_width, uint64_t id_base, uint32_t rows, uint32_t heap)
{
    leaf_init(page, layout, low, high);
    page->id_width = id_width;
    page->id_base = id_base;
    page->capacity = (uint16_t)choose_capacity(layout, id_width, rows, heap);
}

static void copy_body(LeafPage *dst, const LeafPage *src)
{
    memcpy((byte *)dst + PAGE_HEADER_SIZE, (const byte *)src + PAGE_HEADER_SIZE,
           PAGE_SIZE - PAGE_HEADER_SIZE);
}

/*
 * Rewrites the page without holes, with room for `extra_rows` more that take `extra_heap` bytes,
 * one of them `row_id` (UINT64_MAX: none).
 */
static void leaf_rebuild(LeafPage *page, const Layout *from, const Layout *to, uint32_t extra_rows,
                         uint32_t extra_heap, uint64_t row_id)
{
    _Alignas(LeafPage) byte buffer[PAGE_SIZE];
    LeafPage *fresh = (LeafPage *)buffer;
    uint32_t width, count = page->header.count;
    uint64_t base;

    choose_ids(page, row_id, &width, &base);
    leaf_restart(fresh, to, page->low, page->high, width, base, count + extra_rows,
                 rows_heap(page, from, to, 0, count) + extra_heap);
    copy_rows(fresh, to, page, from, 0, count);
    copy_body(page, fresh);
}

static inline bool heap_has(const LeafPage *page, const LeafShape *shape, uint32_t size)
{
    return page->heap_start >= shape->end + size;
}

/* ------------------------------------------------------------------ rows */

static void put_value(LeafPage *page, const LeafShape *shape, const Layout *layout,
                      uint32_t position, uint32_t column, const Value *value, LeafMark mark)
{
    PhysType type = layout->columns[column].type;
    byte *array = array_of(page, shape, layout, column);
    bool is_null = mark == MARK_NULL || type == PHYS_NONE;

    if (is_null) {
        bit_set((byte *)page + shape->nulls_any, column);
        bit_set(bitmap_of(page, shape, column), position);
    } else if (column_has_nulls(page, shape, column)) {
        bit_put(bitmap_of(page, shape, column), position, false);
    }
    if (type == PHYS_NONE)
        return;
    if (type == PHYS_VAR) {
        LeafVar var = {0};
        if (!is_null && value->var.length > 0)
            var = heap_push(page, value->var.data, value->var.length);
        if (!is_null && mark == MARK_EXTERNAL)
            var.length = LEAF_EXTERNAL;
        memcpy(array + 4 * (size_t)position, &var, sizeof(var));
        return;
    }
    uint32_t width = (uint32_t)phys_width(type);
    if (is_null)
        memset(array + (size_t)width * position, 0, width);
    else
        memcpy(array + (size_t)width * position, value, width);
}

/* Moves elements [position, count) one up or down in every array. */
static void shift_rows(LeafPage *page, const LeafShape *shape, const Layout *layout, uint32_t from,
                       uint32_t to, uint32_t moved)
{
    byte *ids = (byte *)page + shape->ids;
    memmove(ids + (size_t)page->id_width * to, ids + (size_t)page->id_width * from,
            (size_t)page->id_width * moved);
    for (uint32_t c = 0; c < layout->column_count; c++) {
        uint32_t width = row_fixed_width(layout->columns[c].type);
        byte *array = array_of(page, shape, layout, c);
        if (width > 0)
            memmove(array + (size_t)width * to, array + (size_t)width * from,
                    (size_t)width * moved);
        if (!column_has_nulls(page, shape, c))
            continue;
        byte *bits = bitmap_of(page, shape, c);
        if (from < to) {
            for (uint32_t i = moved; i-- > 0;)
                bit_put(bits, to + i, bit_get(bits, from + i));
        } else {
            for (uint32_t i = 0; i < moved; i++)
                bit_put(bits, to + i, bit_get(bits, from + i));
        }
    }
}

void leaf_insert(LeafPage *page, const Layout *layout, uint32_t position, const LeafRow *row)
{
    uint32_t count = page->header.count;
    LeafShape shape = page_shape(page, layout);

    assert(position <= count);
    if (count == page->capacity || !heap_has(page, &shape, row->var_size) ||
        !ids_take(page, row->id)) {
        leaf_rebuild(page, layout, layout, 1, row->var_size, row->id);
        shape = page_shape(page, layout);
    }
    assert(count < page->capacity && heap_has(page, &shape, row->var_size));
    if (position < count)
        shift_rows(page, &shape, layout, position, position + 1, count - position);
    page->header.count++;
    id_put(page, position, row->id);
    for (uint32_t c = 0; c < layout->column_count; c++)
        put_value(page, &shape, layout, position, c, &row->values[c], (LeafMark)row->marks[c]);
}

/* ------------------------------------------------------------------ rows in columns */

uint32_t leaf_rows_with_room(const LeafPage *page, const Layout *layout, const LeafRowRange *rows,
                             uint32_t fill_bytes)
{
    const uint64_t last_id = rows->first_id + rows->range.count - 1;
    const uint32_t before = page->header.count;
    uint32_t width = page->id_width, count = 0;
    size_t heap = page->heap_used;
    uint64_t base;

    if (!ids_take(page, last_id))
        choose_ids(page, last_id, &width, &base);
    for (; count < rows->range.count; count++) {
        const size_t size = rows->var_sizes[count];
        const uint32_t here = before + count;
        if (leaf_shape(layout, here + 1, width).end + heap + size > PAGE_SIZE)
            break;
        if (here > 0 &&
            leaf_shape(layout, here, width).end - sizeof(LeafPage) + heap + size > fill_bytes)
            break;
        heap += size;
    }
    return count;
}

static void append_nulls(LeafPage *page, const LeafShape *shape, const RowRange *range,
                         uint32_t column, bool is_dropped)
{
    const Vector *v = range->columns[column];
    const uint32_t at = page->header.count;
    byte *bits = bitmap_of(page, shape, column);

    if (!is_dropped && !v->has_nulls && !column_has_nulls(page, shape, column))
        return;
    for (uint32_t i = 0; i < range->count; i++) {
        const bool is_null =
            is_dropped || vector_is_null(v, selection_row(range->rows, range->from + i));
        if (is_null)
            bit_set((byte *)page + shape->nulls_any, column);
        bit_put(bits, at + i, is_null);
    }
}

static void append_fixed(const RowRange *range, const Vector *v, byte *to)
{
    const size_t width = phys_width(v->type);
    const byte *values = v->values;

    if (!range->rows.rows && !v->constant) {
        memcpy(to, values + width * range->from, width * range->count);
    } else {
        for (uint32_t i = 0; i < range->count; i++) {
            const uint32_t row = selection_row(range->rows, range->from + i);
            memcpy(to + width * i, values + width * vector_index(v, row), width);
        }
    }
    for (uint32_t i = 0; v->has_nulls && i < range->count; i++)
        if (vector_is_null(v, selection_row(range->rows, range->from + i)))
            memset(to + width * i, 0, width);
}

static void append_var(LeafPage *page, const RowRange *range, const Vector *v, byte *to)
{
    for (uint32_t i = 0; i < range->count; i++) {
        const uint32_t row = selection_row(range->rows, range->from + i);
        const VarRef *ref = &VECTOR_VALUES(v, VarRef)[vector_index(v, row)];
        LeafVar var = {0};
        if (!vector_is_null(v, row) && ref->length > 0)
            var = heap_push(page, ref->data, ref->length);
        memcpy(to + sizeof(var) * i, &var, sizeof(var));
    }
}

/* Arrays, heap and ids take the rows. */
static void make_room(LeafPage *page, const Layout *layout, const LeafRowRange *rows)
{
    const uint64_t last_id = rows->first_id + rows->range.count - 1;
    const LeafShape shape = page_shape(page, layout);
    size_t size = 0;

    for (uint32_t i = 0; i < rows->range.count; i++)
        size += rows->var_sizes[i];
    const bool is_empty = page->header.count == 0;
    if (page->header.count + rows->range.count > page->capacity ||
        !heap_has(page, &shape, (uint32_t)size) || (!is_empty && !ids_take(page, last_id)))
        leaf_rebuild(page, layout, layout, rows->range.count, (uint32_t)size,
                     is_empty ? UINT64_MAX : last_id);
    if (is_empty && !ids_take(page, last_id))
        page->id_base = rows->first_id;
}

void leaf_append(LeafPage *page, const Layout *layout, const LeafRowRange *rows)
{
    const RowRange *range = &rows->range;
    const uint32_t at = page->header.count;

    make_room(page, layout, rows);
    const LeafShape shape = page_shape(page, layout);
    assert(at + range->count <= page->capacity);
    for (uint32_t i = 0; i < range->count; i++)
        id_put(page, at + i, rows->first_id + i);
    for (uint32_t c = 0; c < layout->column_count; c++) {
        const PhysType type = layout->columns[c].type;
        byte *array = array_of(page, &shape, layout, c);
        append_nulls(page, &shape, range, c, type == PHYS_NONE);
        if (type == PHYS_VAR)
            append_var(page, range, range->columns[c], array + sizeof(LeafVar) * at);
        else if (type != PHYS_NONE)
            append_fixed(range, range->columns[c], array + phys_width(type) * at);
    }
    page->header.count = (uint16_t)(at + range->count);
    assert(page->heap_start >= shape.end);
}

/* The heap bytes of one row. */
static uint32_t row_heap(const LeafPage *page, const LeafShape *shape, const Layout *layout,
                         uint32_t position)
{
    uint32_t size = 0;
    if (layout->var_count > 0)
        for (uint32_t c = 0; c < layout->column_count; c++)
            if (layout->columns[c].type == PHYS_VAR)
                size += var_size(var_get(array_of(page, shape, layout, c), position));
    return size;
}

/* Gives the heap bytes of one value back; closes the hole where it is at the heap's edge. */
static void release_var(LeafPage *page, byte *array, uint32_t position)
{
    LeafVar var = var_get(array, position);
    uint32_t size = var_size(var);
    if (size == 0)
        return;
    page->heap_used = (uint16_t)(page->heap_used - size);
    if (var.offset == page->heap_start)
        page->heap_start = (uint16_t)(page->heap_start + size);
    memset(array + 4 * (size_t)position, 0, 4);
}

static void release_row(LeafPage *page, const LeafShape *shape, const Layout *layout,
                        uint32_t position)
{
    if (layout->var_count > 0)
        for (uint32_t c = layout->column_count; c-- > 0;)
            if (layout->columns[c].type == PHYS_VAR)
                release_var(page, array_of(page, shape, layout, c), position);
}

bool leaf_can_replace(const LeafPage *page, const Layout *layout, uint32_t position,
                      const LeafRow *row)
{
    LeafShape shape = page_shape(page, layout);
    uint32_t rest = page->heap_used - row_heap(page, &shape, layout, position);
    uint32_t end = leaf_shape(layout, page->header.count, page->id_width).end;
    return end + rest + row->var_size <= PAGE_SIZE;
}

/* Does each value of the row lie where the old one does, as it is updated again and again? */
static bool row_fits_in_place(const LeafPage *page, const LeafShape *shape, const Layout *layout,
                              uint32_t position, const LeafRow *row)
{
    for (uint32_t c = 0; layout->var_count > 0 && c < layout->column_count; c++) {
        if (layout->columns[c].type != PHYS_VAR || row->marks[c] == MARK_NULL)
            continue;
        LeafVar old = var_get(array_of(page, shape, layout, c), position);
        if (old.length == LEAF_EXTERNAL || row->marks[c] == MARK_EXTERNAL ||
            row->values[c].var.length > old.length)
            return false;
    }
    return true;
}

/* Writes a value over one that is as long or longer. */
static void overwrite_var(LeafPage *page, byte *array, uint32_t position, const VarRef *var)
{
    LeafVar old = var_get(array, position);

    memcpy((byte *)page + old.offset, var->data, var->length);
    page->heap_used = (uint16_t)(page->heap_used - (old.length - var->length));
    old.length = (uint16_t)var->length;
    memcpy(array + 4 * (size_t)position, &old, sizeof(old));
}

static void replace_in_place(LeafPage *page, const LeafShape *shape, const Layout *layout,
                             uint32_t position, const LeafRow *row)
{
    for (uint32_t c = 0; c < layout->column_count; c++) {
        byte *array = array_of(page, shape, layout, c);
        if (layout->columns[c].type == PHYS_VAR) {
            if (row->marks[c] != MARK_NULL && row->values[c].var.length > 0) {
                overwrite_var(page, array, position, &row->values[c].var);
                continue;
            }
            release_var(page, array, position);
        }
        put_value(page, shape, layout, position, c, &row->values[c], (LeafMark)row->marks[c]);
    }
}

void leaf_replace(LeafPage *page, const Layout *layout, uint32_t position, const LeafRow *row)
{
    LeafShape shape = page_shape(page, layout);
    assert(leaf_can_replace(page, layout, position, row));
    if (row_fits_in_place(page, &shape, layout, position, row)) {
        replace_in_place(page, &shape, layout, position, row);
        return;
    }
    release_row(page, &shape, layout, position);
    if (!heap_has(page, &shape, row->var_size)) {
        leaf_rebuild(page, layout, layout, 0, row->var_size, UINT64_MAX);
        shape = page_shape(page, layout);
    }
    for (uint32_t c = 0; c < layout->column_count; c++)
        put_value(page, &shape, layout, position, c, &row->values[c], (LeafMark)row->marks[c]);
}

void leaf_remove(LeafPage *page, const Layout *layout, uint32_t position)
{
    uint32_t count = page->header.count;
    LeafShape shape = page_shape(page, layout);

    assert(position < count);
    release_row(page, &shape, layout, position);
    shift_rows(page, &shape, layout, position + 1, position, count - position - 1);
    page->header.count--;
    /* The place behind the last row holds nothing: an append expects its null bits clear. */
    for (uint32_t c = 0; c < layout->column_count; c++) {
        if (column_has_nulls(page, &shape, c))
            bit_put(bitmap_of(page, &shape, c), count - 1, false);
        if (layout->columns[c].type == PHYS_VAR)
            memset(array_of(page, &shape, layout, c) + 4 * (size_t)(count - 1), 0, 4);
    }
    if (count == 1) {
        page->heap_start = PAGE_SIZE;
        memset((byte *)page + shape.nulls_any, 0, layout->nulls_size);
    }
}

/* ------------------------------------------------------------------ layouts, split, merge */

bool leaf_can_convert(const LeafPage *page, const Layout *from, const Layout *to)
{
    uint32_t count = page->header.count;
    return (uint64_t)leaf_shape(to, MAX(count, 1u), page->id_width).end +
               rows_heap(page, from, to, 0, count) <=
           PAGE_SIZE;
}

void leaf_convert(LeafPage *page, const Layout *from, const Layout *to)
{
    leaf_rebuild(page, from, to, 0, 0, UINT64_MAX);
}

/* Rows [first, first + count) alone, in a page of their own. */
static void leaf_extract(LeafPage *dst, const LeafPage *src, const Layout *layout, uint32_t first,
                         uint32_t count, uint64_t low, uint64_t high)
{
    uint64_t first_id = count ? id_get(src, first) : low;
    uint64_t last_id = count ? id_get(src, first + count - 1) : low;
    uint32_t width = last_id - first_id <= UINT32_MAX ? 4 : 8;
    uint64_t base = last_id - low <= UINT32_MAX ? low : first_id;
    leaf_restart(dst, layout, low, high, width, base, count,
                 rows_heap(src, layout, layout, first, count));
    copy_rows(dst, layout, src, layout, first, count);
}

void leaf_split(LeafPage *page, LeafPage *right, const Layout *layout, uint32_t position,
                uint64_t separator)
{
    _Alignas(LeafPage) byte buffer[PAGE_SIZE];
    LeafPage *left = (LeafPage *)buffer;
    uint32_t count = page->header.count;

    assert(position <= count && separator > page->low && separator <= page->high);
    leaf_extract(right, page, layout, position, count - position, separator, page->high);
    if (position == count) { /* nothing moves: the left one stays as it is */
        page->high = separator - 1;
        return;
    }
    leaf_extract(left, page, layout, 0, position, page->low, separator - 1);
    copy_body(page, left);
}

/* The ids of both pages together. */
static void merged_ids(const LeafPage *left, const LeafPage *right, uint32_t *ret_width,
                       uint64_t *ret_base)
{
    if (right->header.count == 0)
        choose_ids(left, UINT64_MAX, ret_width, ret_base);
    else
        choose_ids(left, id_get(right, right->header.count - 1u), ret_width, ret_base);
    if (left->header.count == 0 && right->header.count > 0) {
        uint64_t last = id_get(right, right->header.count - 1u);
        *ret_width = last - left->low <= UINT32_MAX ? 4 : 8;
        *ret_base = left->low;
    }
}

bool leaf_can_merge(const LeafPage *left, const LeafPage *right, const Layout *layout)
{
    uint32_t width;
    uint64_t base;
    merged_ids(left, right, &width, &base);
    uint32_t count = (uint32_t)left->header.count + right->header.count;
    return leaf_shape(layout, MAX(count, 1u), width).end + left->heap_used + right->heap_used <=
           PAGE_SIZE;
}

void leaf_merge(LeafPage *left, const LeafPage *right, const Layout *layout)
{
    _Alignas(LeafPage) byte buffer[PAGE_SIZE];
    LeafPage *merged = (LeafPage *)buffer;
    uint32_t width;
    uint64_t base;

    assert(leaf_can_merge(left, right, layout));
    merged_ids(left, right, &width, &base);
    leaf_restart(merged, layout, left->low, right->high, width, base,
                 (uint32_t)left->header.count + right->header.count,
                 (uint32_t)left->heap_used + right->heap_used);
    copy_rows(merged, layout, left, layout, 0, left->header.count);
    copy_rows(merged, layout, right, layout, 0, right->header.count);
    copy_body(left, merged);
}

bool leaf_external(const LeafPage *page, const Layout *layout, uint32_t position, uint32_t column,
                   LeafExternal *ret_external)
{
    if (layout->columns[column].type != PHYS_VAR)
        return false;
    LeafShape shape = page_shape(page, layout);
    LeafVar var = var_get(array_of(page, &shape, layout, column), position);
    if (var.length != LEAF_EXTERNAL || var.offset + sizeof(LeafExternal) > PAGE_SIZE)
        return false;
    memcpy(ret_external, (const byte *)page + var.offset, sizeof(*ret_external));
    return true;
}

/* ------------------------------------------------------------------ checking */

static const char *check_column(const LeafPage *page, const LeafShape *shape, const Layout *layout,
                                uint32_t column, uint32_t *used)
{
    const byte *bits = bitmap_of(page, shape, column);
    bool has_nulls = column_has_nulls(page, shape, column);

    for (uint32_t i = 0; !has_nulls && i < page->header.count; i++)
        if (bit_get(bits, i))
            return "a NULL in a column that says it has none";
    if (layout->columns[column].type != PHYS_VAR)
        return NULL;
    const byte *array = array_of(page, shape, layout, column);
    for (uint32_t i = 0; i < page->header.count; i++) {
        LeafVar var = var_get(array, i);
        uint32_t size = var_size(var);
        if (size > 0 && (var.offset < page->heap_start || var.offset + size > PAGE_SIZE))
            return "a value lies outside the heap";
        if (size > 0 && has_nulls && bit_get(bits, i))
            return "a NULL has a value";
        *used += size;
    }
    return NULL;
}

const char *leaf_check(const LeafPage *page, const Layout *layout)
{
    if (page->header.kind != NODE_TABLE_LEAF || page->header.level != 0)
        return "not a table leaf";
    if (page->layout_version != layout->version || page->column_count != layout->column_count)
        return "the layout is not the page's";
    if ((page->id_width != 4 && page->id_width != 8) || page->header.count > page->capacity)
        return "the number of rows is wrong";
    LeafShape shape = page_shape(page, layout);
    if (page->heap_start > PAGE_SIZE || shape.end > page->heap_start)
        return "rows and heap overlap";
    uint32_t used = 0;
    for (uint32_t c = 0; c < layout->column_count; c++) {
        const char *wrong = check_column(page, &shape, layout, c, &used);
        if (wrong)
            return wrong;
    }
    if (used != page->heap_used || used + page->heap_start > PAGE_SIZE)
        return "the heap's size is wrong";
    if (page->low > page->high)
        return "the fences are out of order";
    for (uint32_t i = 0; i < page->header.count; i++) {
        uint64_t id = id_get(page, i);
        if (id < page->low || id > page->high)
            return "a row id lies outside the fences";
        if (i > 0 && id <= id_get(page, i - 1))
            return "row ids are out of order";
    }
    return NULL;
}
