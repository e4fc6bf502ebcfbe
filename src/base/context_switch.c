#include "base/context_switch.h"

#if defined(__x86_64__)

/* System V AMD64 ABI: rbx, rbp, r12-r15 and the control words are the callee's to keep. */
__asm__(".text\n"
        ".globl context_switch\n"
        ".type context_switch, @function\n"
        "context_switch:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size context_switch, .-context_switch\n");

void *context_prepare(char *stack_top, void (*entry)(void))
{
    /* At entry the stack is 8 below a multiple of 16, as after a call. */
    uintptr_t top = (uintptr_t)stack_top & ~(uintptr_t)15;
    void **stack = (void **)top;

    *--stack = NULL; /* where entry would return to: ends backtraces */
    *--stack = (void *)entry;
    for (int i = 0; i < 6; i++)
        *--stack = NULL;
    return stack;
}

#elif defined(__aarch64__)

/* AAPCS64: x19-x30 and the low halves of v8-v15 are the callee's to keep. */
__asm__(".text\n"
        ".globl context_switch\n"
        ".type context_switch, %function\n"
        "context_switch:\n"
        "    sub sp, sp, #160\n"
        "    stp x19, x20, [sp, #0]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"
        "    ldp x19, x20, [sp, #0]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #160\n"
        "    ret\n"
        ".size context_switch, .-context_switch\n");

void *context_prepare(char *stack_top, void (*entry)(void))
{
    uintptr_t top = (uintptr_t)stack_top & ~(uintptr_t)15;
    void **stack = (void **)(top - 160);

    for (int i = 0; i < 20; i++)
        stack[i] = NULL;
    stack[11] = (void *)entry; /* x30: where the switch returns to */
    return stack;
}

#else
#error "context_switch: no implementation for this processor"
#endif
