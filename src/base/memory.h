/*
 * Memory: how much of it what users ask for may take, and what happens at its end.
 *
 * Arenas, and whoever else grows with what users ask for, take their memory here. What arenas hold
 * is counted, and beyond the limit those who hold much of it are told to stop: their next
 * CHECK_INTERRUPTS fails with 53200.
 *
 *   memory_set_limit(memory_default_limit(pool_bytes));       once, before sessions come
 *   void *block = memory_take(size, held, "statement");       counted; memory_give(block, size)
 *   void *slots = memory_calloc(count, size);                 not counted; memory_free(slots)
 *   void *small = memory_must(size);                          never NULL; memory_free(small)
 *
 * Where the system itself has no more, there are three kinds of askers:
 *   - Who can fail gets NULL (memory_malloc and its kin, memory_take).
 *   - Who cannot (memory_must and its kin: a list's next item, a text that grows) gets it all the
 *     same, and its task is told to stop: first the slack is given back to the system, address
 * space that is kept for this and nobody touches; then there is a reserve for what is small. A task
 *     asks for little more before its next CHECK_INTERRUPTS; a server that has spent both ends.
 *   - Who may not stop in the middle (interrupts_held: from a commit's WAL record to the end of its
 *     apply) has asked before: memory_promise keeps so much of the reserve, which grows for it or
 *     fails then. Every function here takes from it while the task's interrupts are held.
 *
 * Invariants: M1 What these functions gave is freed by memory_free, never by free: it may be the
 * reserve's. M2 The reserve holds at least what has been promised.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "base/base.h"

/* Bytes that memory_take may have given out before askers are told to stop; 0: no bound. The slack
 * is a quarter of it, and at most 1 GiB. */
void memory_set_limit(uint64_t bytes);
/* Three quarters of what machine and control group have beside what is set aside for other uses. */
uint64_t memory_default_limit(uint64_t set_aside);

/* `held` is what the asker, known by `name`, holds already: who holds little is left in peace. */
void *memory_take(size_t size, size_t held, const char *name);
void *memory_must_take(size_t size, size_t held, const char *name);
void memory_give(void *memory, size_t size);
/* Whole pages of the system's own, counted too, which grow without a copy and cost what is written
 * to them; NULL: none to be had, and what is there stays as it is. Given back by memory_unmap. */
void *memory_map(size_t size, size_t held, const char *name);
void *memory_remap(void *old, size_t old_size, size_t size, size_t held, const char *name);
void memory_unmap(void *memory, size_t size);
/* Would memory_take stay below the limit? For sizes that users choose. */
bool memory_allows(size_t size);

void *memory_malloc(size_t size);
void *memory_calloc(size_t count, size_t size);
void *memory_realloc(void *old, size_t size);
void *memory_aligned(size_t size); /* to cache lines, and zeroed; never from the reserve */

void *memory_must(size_t size);
void *memory_must_calloc(size_t count, size_t size);
void *memory_must_realloc(void *old, size_t size);

void memory_free(void *memory);

/* Between statements, and for a newcomer: slack that has been given up is asked for again. */
void memory_settle(void);

/* Before interrupts are held: so much can be had meanwhile. False: 53200, and nothing is kept. */
MUST_CHECK bool memory_promise(size_t size);
void memory_promise_end(size_t size);
/* Has much of the reserve been spent? Newcomers are refused then. */
bool memory_is_short(void);

#endif
