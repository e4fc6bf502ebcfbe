/* How each type's values are encoded in keys: shared by the encoders of one value and of batches.
 */
#ifndef TYPES_KEY_INTERNAL_H
#define TYPES_KEY_INTERNAL_H

#include <math.h>

#include "types/key.h"

enum { MARK_NULL_FIRST = 0, MARK_VALUE = 1, MARK_NULL_LAST = 2 };

typedef enum KeyForm {
    FORM_NONE = 0,
    FORM_BOOL,
    FORM_CHAR,
    FORM_INT16,
    FORM_INT32,
    FORM_OID,
    FORM_INT64,
    FORM_UINT64,
    FORM_FLOAT32,
    FORM_FLOAT64,
    FORM_UUID,
    FORM_INTERVAL,
    FORM_TIMETZ,
    FORM_TEXT,
    FORM_BPCHAR,
    FORM_BYTES,
    FORM_NUMERIC,
    FORM_ARRAY,
    FORM_JSONB,
    FORM_RECORD,
} KeyForm;

KeyForm key_form(const BuiltinType *type);

/* Signs flipped so that unsigned words sort as the numbers do; -0 is 0, and NaN the greatest. */
static inline uint64_t key_double_bits(double value)
{
    uint64_t bits;
    if (isnan(value))
        return UINT64_MAX;
    if (value == 0)
        value = 0;
    memcpy(&bits, &value, 8);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

#endif
