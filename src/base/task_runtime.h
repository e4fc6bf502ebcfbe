/*
 * How a task is run: the part of it that scheduler.c and task.c share. For src/base only.
 *
 * Tasks are never given back to the heap while anyone may still wake them: they are kept on free
 * lists, so a late wake finds a task (perhaps another one by now) and is merely spurious. Every
 * wait therefore loops until its own condition holds.
 */
#ifndef BASE_TASK_RUNTIME_H
#define BASE_TASK_RUNTIME_H

#include "base/scheduler.h"
#include "base/task.h"

typedef struct TaskRuntime {
    Task task;
    Scheduler *scheduler; /* NULL: a whole thread */

    /* A thread: counts wakes; it sleeps while the count is `wake_seen`. */
    _Atomic uint32_t wake_word;
    uint32_t wake_seen;

    /* A coroutine. */
    _Atomic bool queued;           /* on a ready list, local or remote */
    struct TaskRuntime *next;      /* in that list */
    struct TaskRuntime *free_next; /* among ended tasks */
    struct TaskRuntime *all_next;  /* every task of the scheduler */
    TaskFunction *function;
    void *argument;
    char *stack; /* lowest usable address; NULL: it has yet to get one */
    struct TaskRuntime *stackless_next;
    bool is_stackless; /* in the scheduler's list of those that wait for a stack */
    size_t stack_low;  /* the least that task_stack_left has told */
    void *stack_pointer;
    Timer timer;
    bool timer_fired;
    bool finished;
    void *asan_fake_stack;
    void *tsan_fiber;
} TaskRuntime;

static inline TaskRuntime *task_runtime(Task *task)
{
    return task->runtime;
}

/* Makes the task look at its condition again. Any thread. */
void task_wake(Task *task);
/* Sleeps until task_wake or the deadline; may return early. */
void task_suspend(Task *task, Deadline deadline);

/* A task for a simulated thread, and back; task_running is the caller's to set. */
Task *task_new_thread(void);
void task_free_thread(Task *task);
/* Which scheduler runs on this (simulated) thread; returns the one before. */
Scheduler *scheduler_exchange(Scheduler *scheduler);

/* scheduler.c's halves of the two, for coroutines. */
void scheduler_wake(TaskRuntime *runtime);
void scheduler_suspend(TaskRuntime *runtime, Deadline deadline);
/* Puts the running coroutine at the end of the ready list and lets others run. */
void scheduler_yield(TaskRuntime *runtime);

#endif
