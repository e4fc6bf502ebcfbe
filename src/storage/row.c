/*
 * Row images and deltas: encoding, checked decoding.
 */
#include "storage/row.h"

#define VERSION_SIZE 4

/* ------------------------------------------------------------------ layouts */

Layout *layout_new(Arena *arena, uint32_t version, const LayoutColumn *columns, uint32_t count)
{
    assert(count <= ROW_MAX_COLUMNS);
    Layout *layout = ARENA_NEW(arena, Layout);
    LayoutColumn *copies = ARENA_ARRAY(arena, LayoutColumn, count + 1);
    uint32_t *offsets = ARENA_ARRAY(arena, uint32_t, count + 1);
    uint16_t *previous = ARENA_ARRAY(arena, uint16_t, count + 1);
    uint16_t last_var = ROW_NO_COLUMN;
    uint32_t offset = 0;

    for (uint32_t c = 0; c < count; c++) {
        copies[c].type = columns[c].type;
        copies[c].has_missing = columns[c].has_missing && columns[c].type != PHYS_NONE;
        if (copies[c].has_missing)
            copies[c].missing = value_copy(arena, columns[c].type, &columns[c].missing);
        offsets[c] = offset;
        offset += row_fixed_width(columns[c].type);
        previous[c] = last_var;
        if (columns[c].type == PHYS_VAR) {
            last_var = (uint16_t)c;
            layout->var_count++;
        }
    }
    offsets[count] = offset;
    layout->version = version;
    layout->column_count = count;
    layout->columns = copies;
    layout->offsets = offsets;
    layout->previous_var = previous;
    layout->nulls_size = (count + 7) / 8;
    return layout;
}

/* u32 version, u32 count, per column: u8 type, u8 has_missing, [u32 length, bytes]. */
Str layout_encode(Arena *arena, const Layout *layout)
{
    StrBuf buf = strbuf_in(arena);
    strbuf_append_bytes(&buf, &layout->version, 4);
    strbuf_append_bytes(&buf, &layout->column_count, 4);
    for (uint32_t c = 0; c < layout->column_count; c++) {
        const LayoutColumn *column = &layout->columns[c];
        strbuf_append_char(&buf, (char)column->type);
        strbuf_append_char(&buf, (char)column->has_missing);
        if (!column->has_missing)
            continue;
        bool is_var = column->type == PHYS_VAR;
        uint32_t length = is_var ? column->missing.var.length : (uint32_t)phys_width(column->type);
        strbuf_append_bytes(&buf, &length, 4);
        if (length > 0)
            strbuf_append_bytes(
                &buf, is_var ? column->missing.var.data : (const char *)&column->missing, length);
    }
    return strbuf_view(&buf);
}

/* Takes `size` bytes off the front of *rest; NULL when there are not so many. */
static const char *bytes_take(Str *rest, size_t size)
{
    if (rest->length < size)
        return NULL;
    const char *data = rest->data;
    rest->data += size;
    rest->length -= size;
    return data;
}

static bool bytes_take_u32(Str *rest, uint32_t *ret_value)
{
    const char *data = bytes_take(rest, 4);
    if (data)
        memcpy(ret_value, data, 4);
    return data != NULL;
}

static bool layout_decode_column(Str *rest, LayoutColumn *column)
{
    const char *head = bytes_take(rest, 2);
    if (!head || (uint8_t)head[0] > PHYS_VAR)
        return false;
    column->type = (PhysType)head[0];
    column->has_missing = head[1] != 0;
    if (!column->has_missing)
        return true;
    uint32_t length;
    if (!bytes_take_u32(rest, &length))
        return false;
    const char *data = bytes_take(rest, length);
    if (!data)
        return false;
    if (column->type == PHYS_VAR) {
        column->missing.var = var_make(data, length);
        return true;
    }
    if (length != phys_width(column->type))
        return false;
    memcpy(&column->missing, data, length);
    return true;
}

Layout *layout_decode(Arena *arena, Str bytes)
{
    Str rest = bytes;
    uint32_t version, count;

    if (!bytes_take_u32(&rest, &version) || !bytes_take_u32(&rest, &count) || version == 0 ||
        count > ROW_MAX_COLUMNS)
        FAIL(ERR_DATA_CORRUPTED, .message = STR("damaged table layout"));
    LayoutColumn *columns = ARENA_ARRAY(arena, LayoutColumn, count + 1);
    for (uint32_t c = 0; c < count; c++)
        if (!layout_decode_column(&rest, &columns[c]))
            FAIL(ERR_DATA_CORRUPTED, .message = STR("damaged table layout"));
    return layout_new(arena, version, columns, count);
}

static bool missing_equal(const LayoutColumn *a, const LayoutColumn *b)
{
    if (a->has_missing != b->has_missing)
        return false;
    if (!a->has_missing)
        return true;
    if (a->type == PHYS_VAR)
        return var_equal(&a->missing.var, &b->missing.var);
    return memcmp(&a->missing, &b->missing, phys_width(a->type)) == 0;
}

bool layout_equal(const Layout *a, const Layout *b)
{
    if (a->column_count != b->column_count)
        return false;
    for (uint32_t c = 0; c < a->column_count; c++)
        if (a->columns[c].type != b->columns[c].type ||
            !missing_equal(&a->columns[c], &b->columns[c]))
            return false;
    return true;
}

/* ------------------------------------------------------------------ images */

size_t row_image_fixed_size(const Layout *layout)
{
    return VERSION_SIZE + layout->nulls_size + layout->offsets[layout->column_count];
}

size_t row_image_size(const Layout *layout, const Value *values, const bool *nulls)
{
    size_t size = row_image_fixed_size(layout);
    if (layout->var_count > 0)
        for (uint32_t c = 0; c < layout->column_count; c++)
            if (layout->columns[c].type == PHYS_VAR && !nulls[c])
                size += values[c].var.length;
    return size;
}

void row_image_encode(const Layout *layout, const Value *values, const bool *nulls, byte *ret_image)
{
    byte *bitmap = ret_image + VERSION_SIZE;
    byte *fixed = bitmap + layout->nulls_size;
    byte *var = fixed + layout->offsets[layout->column_count];
    uint32_t end = 0;

    memcpy(ret_image, &layout->version, VERSION_SIZE);
    memset(bitmap, 0, layout->nulls_size);
    for (uint32_t c = 0; c < layout->column_count; c++) {
        PhysType type = layout->columns[c].type;
        byte *place = fixed + layout->offsets[c];
        if (type == PHYS_NONE || nulls[c])
            bitmap[c / 8] |= (byte)(1 << c % 8);
        if (type == PHYS_NONE)
            continue;
        if (type == PHYS_VAR) {
            if (!nulls[c] && values[c].var.length > 0) {
                memcpy(var + end, values[c].var.data, values[c].var.length);
                end += values[c].var.length;
            }
            memcpy(place, &end, 4);
        } else if (nulls[c]) {
            memset(place, 0, phys_width(type));
        } else {
            memcpy(place, &values[c], phys_width(type));
        }
    }
}

bool row_image_make(Arena *arena, const Layout *layout, const Value *values, const bool *nulls,
                    Str *ret_image)
{
    size_t size = row_image_size(layout, values, nulls);
    if (size > ROW_MAX_SIZE)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("row is too big: size %zu, maximum size %u", size, ROW_MAX_SIZE));
    byte *image = arena_try_alloc(arena, size);
    TRY(image);
    row_image_encode(layout, values, nulls, image);
    *ret_image = str_make(image, size);
    return true;
}

static inline uint32_t range_row(const RowRange *range, uint32_t i)
{
    return selection_row(range->rows, range->from + i);
}

void row_images_size(const Layout *layout, const RowRange *range, size_t *ret_sizes)
{
    const size_t fixed = row_image_fixed_size(layout);

    for (uint32_t i = 0; i < range->count; i++)
        ret_sizes[i] = fixed;
    for (uint32_t c = 0; c < layout->column_count; c++) {
        const Vector *v = range->columns[c];
        if (layout->columns[c].type != PHYS_VAR)
            continue;
        for (uint32_t i = 0; i < range->count; i++) {
            const uint32_t row = range_row(range, i);
            if (!vector_is_null(v, row))
                ret_sizes[i] += VECTOR_VALUES(v, VarRef)[vector_index(v, row)].length;
        }
    }
}

/* Null marks of a column whose bytes are zeros already. */
static void encode_nulls(const RowRange *range, uint32_t column, bool is_dropped,
                         byte *const *images)
{
    const Vector *v = range->columns[column];

    if (!is_dropped && !v->has_nulls)
        return;
    for (uint32_t i = 0; i < range->count; i++)
        if (is_dropped || vector_is_null(v, range_row(range, i)))
            images[i][VERSION_SIZE + column / 8] |= (byte)(1 << column % 8);
}

#define ENCODE_FIXED(width)                                                                        \
    for (uint32_t i = 0; i < range->count; i++) {                                                  \
        const uint32_t row = range_row(range, i);                                                  \
        if (!vector_is_null(v, row))                                                               \
            memcpy(images[i] + place, (const byte *)v->values + vector_index(v, row) * (width),    \
                   (width));                                                                       \
    }

static void encode_fixed(const RowRange *range, const Vector *v, size_t place, byte *const *images)
{
    switch (phys_width(v->type)) {
    case 1:
        ENCODE_FIXED(1);
        break;
    case 2:
        ENCODE_FIXED(2);
        break;
    case 4:
        ENCODE_FIXED(4);
        break;
    case 8:
        ENCODE_FIXED(8);
        break;
    default:
        ENCODE_FIXED(16);
        break;
    }
}

/* `previous`: where the end of the variable bytes before these stands; 0: they are the first. */
static void encode_var(const RowRange *range, const Vector *v, size_t place, size_t previous,
                       size_t var_at, byte *const *images)
{
    for (uint32_t i = 0; i < range->count; i++) {
        const uint32_t row = range_row(range, i);
        byte *image = images[i];
        uint32_t end = 0;
        if (previous > 0)
            memcpy(&end, image + previous, sizeof(end));
        if (!vector_is_null(v, row)) {
            const VarRef *ref = &VECTOR_VALUES(v, VarRef)[vector_index(v, row)];
            if (ref->length > 0)
                memcpy(image + var_at + end, ref->data, ref->length);
            end += ref->length;
        }
        memcpy(image + place, &end, sizeof(end));
    }
}

void row_images_encode(const Layout *layout, const RowRange *range, byte *const *images)
{
    const size_t fixed_at = VERSION_SIZE + layout->nulls_size;
    const size_t var_at = fixed_at + layout->offsets[layout->column_count];

    for (uint32_t i = 0; i < range->count; i++) {
        memset(images[i], 0, var_at);
        memcpy(images[i], &layout->version, VERSION_SIZE);
    }
    for (uint32_t c = 0; c < layout->column_count; c++) {
        const PhysType type = layout->columns[c].type;
        const size_t place = fixed_at + layout->offsets[c];
        const uint16_t previous = layout->previous_var[c];
        encode_nulls(range, c, type == PHYS_NONE, images);
        if (type == PHYS_NONE)
            continue;
        assert(range->columns[c]->type == type);
        if (type == PHYS_VAR)
            encode_var(range, range->columns[c], place,
                       previous == ROW_NO_COLUMN ? 0 : fixed_at + layout->offsets[previous], var_at,
                       images);
        else
            encode_fixed(range, range->columns[c], place, images);
    }
}

static COLD bool image_damaged(void)
{
    FAIL(ERR_DATA_CORRUPTED, .message = STR("damaged row image"));
}

/* The parts of an image of known layout; false with the error set where it is too short. */
typedef struct ImageParts {
    const byte *bitmap, *fixed, *var;
    size_t var_size;
} ImageParts;

static bool image_open(const Layout *layout, Str image, ImageParts *ret_parts)
{
    size_t fixed_end = VERSION_SIZE + layout->nulls_size + layout->offsets[layout->column_count];
    if (unlikely(image.length < fixed_end))
        return image_damaged();
    ret_parts->bitmap = (const byte *)image.data + VERSION_SIZE;
    ret_parts->fixed = ret_parts->bitmap + layout->nulls_size;
    ret_parts->var = (const byte *)image.data + fixed_end;
    ret_parts->var_size = image.length - fixed_end;
    return true;
}

static bool image_read(const Layout *layout, const ImageParts *parts, uint32_t column,
                       Value *ret_value, bool *ret_null)
{
    PhysType type = layout->columns[column].type;
    if (type == PHYS_NONE || (parts->bitmap[column / 8] >> column % 8 & 1)) {
        *ret_null = true;
        *ret_value = (Value){0};
        return true;
    }
    *ret_null = false;
    const byte *place = parts->fixed + layout->offsets[column];
    if (type != PHYS_VAR) {
        *ret_value = (Value){0};
        memcpy(ret_value, place, phys_width(type));
        return true;
    }
    uint32_t start = 0, end;
    memcpy(&end, place, 4);
    if (layout->previous_var[column] != ROW_NO_COLUMN)
        memcpy(&start, parts->fixed + layout->offsets[layout->previous_var[column]], 4);
    if (unlikely(start > end || end > parts->var_size))
        return image_damaged();
    ret_value->var = var_make(parts->var + start, end - start);
    return true;
}

static void column_missing(const Layout *newest, uint32_t column, Value *ret_value, bool *ret_null)
{
    bool has = newest && column < newest->column_count && newest->columns[column].has_missing;
    *ret_null = !has;
    *ret_value = has ? newest->columns[column].missing : (Value){0};
}

bool row_image_decode(const Layout *layout, const Layout *newest, Str image,
                      const uint16_t *columns, uint32_t count, Value *ret_values, bool *ret_nulls)
{
    ImageParts parts;
    TRY(image_open(layout, image, &parts));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t column = columns ? columns[i] : i;
        if (column < layout->column_count)
            TRY(image_read(layout, &parts, column, &ret_values[i], &ret_nulls[i]));
        else
            column_missing(newest, column, &ret_values[i], &ret_nulls[i]);
    }
    return true;
}

bool row_image_column(const Layout *layout, const Layout *newest, Str image, uint32_t column,
                      Value *ret_value, bool *ret_null)
{
    uint16_t columns[1] = {(uint16_t)column};
    return row_image_decode(layout, newest, image, columns, 1, ret_value, ret_null);
}
