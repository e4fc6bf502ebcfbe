/*
 * Memory: how much of it what users ask for may take, and what happens at its end.
 *
 * Arenas, and whoever else grows with what users ask for, take their memory here. What arenas hold
 * is counted, and beyond the limit those who hold much of it are told to stop: their next
 * CHECK_INTERRUPTS fails with 53200. Where the system itself has no more, a reserve is given up, so
 * that the one who asked gets as far as its next CHECK_INTERRUPTS too, and nobody else is hurt.
 *
 *   memory_set_limit(memory_default_limit(pool_bytes));       once, before sessions come
 *   void *block = memory_take(size, held, "statement");       counted; memory_give(block, size)
 *   void *slots = memory_calloc(count, size);                 not counted; free(slots)
 *
 * They return NULL only when the reserve is spent as well.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "base/base.h"

/* Bytes that memory_take may have given out before askers are told to stop; 0: no bound. */
void memory_set_limit(uint64_t bytes);
/* Three quarters of what machine and control group have beside what is set aside for other uses. */
uint64_t memory_default_limit(uint64_t set_aside);

/* `held` is what the asker, known by `name`, holds already: who holds little is left in peace. */
void *memory_take(size_t size, size_t held, const char *name);
void memory_give(void *memory, size_t size);
/* Would memory_take stay below the limit? For sizes that users choose. */
bool memory_allows(size_t size);

/* Between statements: what a shortage has cost of the reserve is asked for again. */
void memory_settle(void);

void *memory_malloc(size_t size);
void *memory_calloc(size_t count, size_t size);
void *memory_realloc(void *old, size_t size);

#endif
