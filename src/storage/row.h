/*
 * Rows as bytes: layouts and row images.
 *
 * A Layout says how a table's columns lie: a version number and, per column, its physical type and
 * its missing value: what rows of older layouts have there. Versions of a table's layout count from
 * 1; a later version may add columns at the end and turn columns into PHYS_NONE (dropped), no more.
 *
 * A row image is one row, whole, in one piece: what WAL records, write sets and version chains
 * hold. It names the layout version it is encoded in. Fixed values lie at offsets that only the
 * layout decides, so one column is read without looking at the others.
 *
 *   u32 layout version | null bitmap | per column: its fixed bytes, or u32 end of its
 *   variable bytes | variable bytes
 *
 *   size_t size = row_image_size(layout, values, nulls);
 *   row_image_encode(layout, values, nulls, bytes);
 *   TRY(row_image_decode(layout, image, columns, count, values, nulls));   VarRefs borrow the image
 *
 * Images come from disk too: decoding checks every offset and fails with XX001 (data_corrupted); it
 * never reads outside the image. Byte order is the machine's (little endian).
 *
 * Invariants: R1 An image's bytes are a function of its values (nulls hold zeros): equal rows of
 * one layout are equal bytes. R2 A Layout never changes once made.
 */
#ifndef STORAGE_ROW_H
#define STORAGE_ROW_H

#include "base/arena.h"
#include "base/error.h"
#include "base/vector.h"

#define ROW_MAX_COLUMNS 1664     /* PostgreSQL's MaxTupleAttributeNumber; tables have up to 1600 */
#define ROW_MAX_SIZE 0x3fffffffu /* bytes of one row image: 1 GiB - 1 */

#define ROW_NO_COLUMN UINT16_MAX

typedef struct LayoutColumn {
    PhysType type;    /* PHYS_NONE: dropped, holds nothing and reads as NULL */
    bool has_missing; /* false: rows that lack the column have NULL there */
    Value missing;
} LayoutColumn;

typedef struct Layout {
    uint32_t version;
    uint32_t column_count;
    const LayoutColumn *columns;
    /* Derived by layout_new. */
    const uint32_t
        *offsets; /* of each column's fixed bytes in an image; column_count + 1 of them */
    const uint16_t *previous_var; /* the variable column before each; ROW_NO_COLUMN: none */
    uint32_t nulls_size;          /* bytes of the null bitmap */
    uint32_t var_count;
} Layout;

/* Copies the columns (and missing values) into the arena. */
Layout *layout_new(Arena *arena, uint32_t version, const LayoutColumn *columns, uint32_t count);
/* A layout's own bytes, for the tree directory and WAL. */
Str layout_encode(Arena *arena, const Layout *layout);
/* NULL with XX001 when the bytes are not a layout. */
MUST_CHECK Layout *layout_decode(Arena *arena, Str bytes);
/* Same types and missing values, whatever the versions. */
bool layout_equal(const Layout *a, const Layout *b);

/* Bytes one element takes in a row image or page: 4 for PHYS_VAR's offset, 0 for PHYS_NONE. */
static inline uint32_t row_fixed_width(PhysType type)
{
    return type == PHYS_VAR ? 4 : (uint32_t)phys_width(type);
}

size_t row_image_size(const Layout *layout, const Value *values, const bool *nulls);
/* Writes exactly row_image_size bytes. Values of dropped columns are not looked at. */
void row_image_encode(const Layout *layout, const Value *values, const bool *nulls,
                      byte *ret_image);
/* Both, into an arena; fails with 54000 above ROW_MAX_SIZE. */
MUST_CHECK bool row_image_make(Arena *arena, const Layout *layout, const Value *values,
                               const bool *nulls, Str *ret_image);

/*
 * The same for rows that lie in columns, each of its layout column's type: `count` of the selection
 * from its `from`-th on. Sizes, then the images, each to where its pointer says.
 */
typedef struct RowRange {
    Vector *const *columns; /* those of dropped columns are not looked at */
    Selection rows;
    uint32_t from, count;
} RowRange;
size_t row_image_fixed_size(const Layout *layout); /* of every image, before its variable bytes */
void row_images_size(const Layout *layout, const RowRange *range, size_t *ret_sizes);
void row_images_encode(const Layout *layout, const RowRange *range, byte *const *images);

/* The layout version that an image says; 0 where it is too short to say. */
static inline uint32_t row_image_version(Str image)
{
    uint32_t version = 0;
    if (image.length >= sizeof(version))
        memcpy(&version, image.data, sizeof(version));
    return version;
}

/*
 * Reads columns out of an image that was encoded in `layout` (the image's, not the newest): the
 * columns named, or all of them in order when `columns` is NULL. A column the layout lacks reads as
 * its missing value in `newest` (a layout of the same table; NULL: as NULL).
 */
MUST_CHECK bool row_image_decode(const Layout *layout, const Layout *newest, Str image,
                                 const uint16_t *columns, uint32_t count, Value *ret_values,
                                 bool *ret_nulls);
/* One column, likewise. */
MUST_CHECK bool row_image_column(const Layout *layout, const Layout *newest, Str image,
                                 uint32_t column, Value *ret_value, bool *ret_null);

#endif
