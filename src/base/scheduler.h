/*
 * Schedulers: one per worker thread, running any number of coroutines, descriptors and timers.
 *
 *   Scheduler *scheduler = scheduler_new("worker 0");     on any thread
 *   scheduler_run(scheduler);                             on the worker's thread, until stopped
 *
 * A coroutine (task_spawn) has a guard-paged stack from the scheduler's pool and stays on this
 * scheduler for life (K2). Idle connections need none: they are an FdWatch whose callback runs on
 * the loop itself and spawns a coroutine when there is work. Callbacks must not wait.
 *
 * Only the functions marked "any thread" may be called from elsewhere.
 */
#ifndef BASE_SCHEDULER_H
#define BASE_SCHEDULER_H

#include "base/task.h"

typedef void TaskFunction(void *argument);

Scheduler *scheduler_new(const char *name);
/* After scheduler_run has returned, and every thread that wakes its tasks has ended. */
void scheduler_free(Scheduler *scheduler);
void scheduler_run(Scheduler *scheduler);
void scheduler_stop(Scheduler *scheduler); /* any thread; run returns once no coroutine is left */
Scheduler *scheduler_current(void);        /* NULL on a plain thread */

/* Address space of a coroutine's stack; only touched pages cost memory. Sanitized frames are
 * larger. */
#if defined(SENGI_ASAN) || defined(SENGI_TSAN)
#define TASK_STACK_SIZE (8 * 1024 * 1024)
#else
#define TASK_STACK_SIZE (2 * 1024 * 1024)
#endif

/* Starts a coroutine; it first runs when the loop comes to it. Own scheduler only. */
Task *task_spawn(Scheduler *scheduler, TaskFunction *function, void *argument);
/* Bytes left on the running coroutine's stack; recursion stops with 54001 below a reserve. */
size_t task_stack_left(void);

/* Runs `callback` on the scheduler's loop soon. Any thread. */
void scheduler_post(Scheduler *scheduler, void (*callback)(void *argument), void *argument);

/*
 * Work that others gain by when it comes late (one sync for many commits): `callback` runs on the
 * calling scheduler's loop once that finds nothing else to do, before a task that has yielded goes
 * on, or SCHEDULER_PATIENCE_US after it was first asked for. A scheduler remembers one. False: it
 * remembers another one, or the caller is a plain thread or simulated; then the caller does it now.
 */
#define SCHEDULER_PATIENCE_US 200
bool scheduler_defer(void (*callback)(void *argument), void *argument);

/*
 * Whether the caller may block its thread for a fraction of a millisecond: it is a plain thread, or
 * its scheduler has had events of one descriptor only for a while and has nobody to run next.
 */
bool scheduler_may_block(void);

typedef enum FdEvents { FD_READABLE = 1, FD_WRITABLE = 2, FD_CLOSED = 4 } FdEvents;

/* A descriptor the loop watches (level-triggered); embed it in what it belongs to. */
typedef struct FdWatch {
    int fd;
    uint32_t events; /* FdEvents asked for; FD_CLOSED is always told */
    void (*callback)(struct FdWatch *watch, uint32_t events);
} FdWatch;
MUST_CHECK bool scheduler_watch(Scheduler *scheduler, FdWatch *watch);
void scheduler_watch_change(Scheduler *scheduler, FdWatch *watch, uint32_t events);
void scheduler_unwatch(Scheduler *scheduler, FdWatch *watch); /* no callback follows it */

/* A one-shot timer on the loop; embed it. Re-arming moves it. */
typedef struct Timer {
    Deadline deadline;
    void (*callback)(struct Timer *timer);
    size_t heap_index; /* the scheduler's; SIZE_MAX when not armed */
} Timer;
#define TIMER_INIT(function) ((Timer){.callback = (function), .heap_index = SIZE_MAX})
void timer_arm(Scheduler *scheduler, Timer *timer, Deadline deadline);
void timer_cancel(Scheduler *scheduler, Timer *timer);

#endif
