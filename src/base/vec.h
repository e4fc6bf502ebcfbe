/*
 * Growing arrays in an arena, typed by macro.
 *
 *   VEC(Column *) columns = {0};
 *   VEC_PUSH(arena, &columns, column);
 *   for (size_t i = 0; i < columns.length; i++) use(columns.items[i]);
 *
 * Declare a named type where one is passed around: `typedef VEC(Expr *) ExprVec;`
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/arena.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t length;                                                                             \
        size_t capacity;                                                                           \
    }

#define VEC_PUSH(arena, vec, value)                                                                \
    do {                                                                                           \
        VEC_RESERVE((arena), (vec), 1);                                                            \
        (vec)->items[(vec)->length++] = (value);                                                   \
    } while (0)

/* Room for `extra` more items. */
#define VEC_RESERVE(arena, vec, extra)                                                             \
    do {                                                                                           \
        size_t vec_need = (vec)->length + (size_t)(extra);                                         \
        if (vec_need > (vec)->capacity) {                                                          \
            size_t vec_cap = (vec)->capacity ? (vec)->capacity * 2 : 8;                            \
            if (vec_cap < vec_need)                                                                \
                vec_cap = vec_need;                                                                \
            (vec)->items =                                                                         \
                arena_grow((arena), (vec)->items, (vec)->capacity * sizeof(*(vec)->items),         \
                           vec_cap * sizeof(*(vec)->items));                                       \
            (vec)->capacity = vec_cap;                                                             \
        }                                                                                          \
    } while (0)

#define VEC_LAST(vec) ((vec)->items[(vec)->length - 1])

#endif
