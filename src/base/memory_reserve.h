/*
 * The reserve: memory that is there when the system has no more. For memory.c alone.
 *
 * A region that the process has from its start, and more of them while large promises are kept.
 * Each is a buddy heap: blocks of powers of two, a freed one joined with its other half.
 *
 *   void *memory = reserve_take(size, RESERVE_ANYBODY);      NULL: it is spent
 *   if (!reserve_give(memory)) free(memory);                 false: it is none of the reserve's
 *
 * Any thread. Nearly always nothing of it is in use, and reserve_give is one load.
 */
#ifndef BASE_MEMORY_RESERVE_H
#define BASE_MEMORY_RESERVE_H

#include "base/base.h"

typedef enum ReserveUse {
    RESERVE_ANYBODY,  /* leaves what is promised */
    RESERVE_PROMISED, /* has been promised it */
} ReserveUse;

void *reserve_take(size_t size, ReserveUse use);
bool reserve_give(void *memory);
/* How much the block has room for; 0: it is none of the reserve's. */
size_t reserve_size(const void *memory);

/* Makes sure of `size` bytes for RESERVE_PROMISED, beside those of other promises. */
MUST_CHECK bool reserve_promise(size_t size);
void reserve_promise_end(size_t size);
size_t reserve_promised(void); /* now */
/* Bytes in use of the first region, and how many it has. */
size_t reserve_used(void);
size_t reserve_capacity(void);

#endif
