/* Copies one element of a vector, or field of a row, by its PhysType's width (vector.h). */
#ifndef BASE_ELEMENT_COPY_H
#define BASE_ELEMENT_COPY_H

#include <string.h>

#include "base/base.h"

/* Copies of a known size are a move or two. A width of 0 (PHYS_NONE) copies nothing. */
static inline void element_copy(void *to, const void *from, size_t width)
{
    switch (width) {
    case 1:
        memcpy(to, from, 1);
        break;
    case 2:
        memcpy(to, from, 2);
        break;
    case 4:
        memcpy(to, from, 4);
        break;
    case 8:
        memcpy(to, from, 8);
        break;
    case 16:
        memcpy(to, from, 16);
        break;
    default:
        break;
    }
}

#endif
