/*
 * Tasks: who is running, what may interrupt it, and the one way to wait.
 *
 * A task is a coroutine on a worker's scheduler (scheduler.h) or a whole thread (log writer,
 * checkpointer, a unit test's main). It carries what belongs to "the one who runs": the error
 * record, pending interrupts, the session, and counters that assert the latching rules.
 *
 * Waiting. event_wait is the only suspend primitive: a coroutine gives its worker away, a thread
 * sleeps. No latch may be held and no action may be open across it (asserted).
 *
 *   Event event;
 *   event_init(&event);
 *   lock_queue_push(&queue, &event);           somebody will event_set(&event)
 *   switch (event_wait(&event, deadline, WAIT_EVENT_ROW_LOCK)) {
 *   case WAIT_FAILED: ...                       cancelled or terminated: the error is set
 *   case WAIT_TIMED_OUT: ...
 *   case WAIT_DONE: ...
 *   }
 *
 * Invariants: K1 An event has at most one waiter. K2 A started coroutine never changes thread.
 */
#ifndef BASE_TASK_H
#define BASE_TASK_H

#include <stdatomic.h>

#include "base/base.h"
#include "base/error.h"
#include "base/wait_events.h" /* generated: typedef enum WaitEvent { WAIT_EVENT_… } WaitEvent; */

typedef struct Scheduler Scheduler;
typedef struct SettingValues SettingValues;

/* Reasons to stop what a task is doing. Set from any thread; seen at CHECK_INTERRUPTS and waits. */
typedef enum Interrupt {
    INTERRUPT_CANCEL = 1 << 0,            /* 57014, by a CancelRequest or pg_cancel_backend */
    INTERRUPT_STATEMENT_TIMEOUT = 1 << 1, /* 57014 */
    INTERRUPT_TERMINATE = 1 << 2,         /* 57P01, by an administrator */
    INTERRUPT_CLIENT_GONE = 1 << 3,       /* 08006: nobody reads the answer */
    INTERRUPT_SHUTDOWN = 1 << 4,          /* 57P01 */
    INTERRUPT_YIELD = 1 << 5,             /* time slice used up: give the worker away */
    INTERRUPT_IDLE_TIMEOUT = 1 << 6,      /* 57P05 or 25P03 */
    INTERRUPT_MEMORY = 1 << 7,            /* 53200: see memory.h; set by the task itself */
} Interrupt;

typedef void NoticeHandler(void *context, const ErrorFields *fields);

typedef struct Task {
    _Atomic uint32_t interrupts;   /* Interrupt bits */
    uint16_t latch_count;          /* latches held now: must be 0 at event_wait */
    bool in_action;                /* inside a page-changing action: no waiting, no failing */
    bool interrupts_held;          /* CHECK_INTERRUPTS passes by: between WAL append and apply */
    ErrorRecord *error;            /* see error.h */
    void *session;                 /* the server's Session, or NULL */
    const SettingValues *settings; /* the session's settings; the defaults where there is none */
    NoticeHandler *notice_handler;
    void *notice_context;
    _Atomic int wait_event; /* WaitEvent that the task is in; 0 when running */
    size_t memory_request;  /* that INTERRUPT_MEMORY is about, and for what */
    const char *memory_name;
    struct TaskRuntime *runtime; /* the scheduler's and the os's own part */
} Task;

extern _Thread_local Task *task_running; /* NULL until task_current's first call on a thread */
Task *task_attach_thread(void);
static inline Task *task_current(void)
{
    Task *task = task_running;
    return likely(task != NULL) ? task : task_attach_thread();
}

/* Sets interrupt bits and wakes the task if it waits. Callable from any thread. */
void task_interrupt(Task *task, uint32_t interrupts);
void task_clear_interrupts(Task *task, uint32_t interrupts);

/* Turns pending interrupts into the error they mean, or yields; false when an error is set. */
MUST_CHECK bool task_handle_interrupts(Task *task);
#define CHECK_INTERRUPTS()                                                                         \
    do {                                                                                           \
        Task *task_checked = task_current();                                                       \
        if (unlikely(atomic_load_explicit(&task_checked->interrupts, memory_order_relaxed) !=      \
                     0) &&                                                                         \
            !task_handle_interrupts(task_checked))                                                 \
            return 0;                                                                              \
    } while (0)

/* Monotonic time in microseconds; DEADLINE_NEVER waits for ever. */
typedef int64_t Deadline;
#define DEADLINE_NEVER INT64_MAX
Deadline deadline_after(int64_t microseconds);

/* A one-shot signal with at most one waiter; event_init makes it ready for another use. */
typedef struct Event {
    _Atomic uintptr_t state; /* 0 empty, 1 set, else the waiting Task */
} Event;

typedef enum WaitOutcome {
    WAIT_FAILED = 0, /* interrupted: error is set, the event is no longer waited for */
    WAIT_DONE,
    WAIT_TIMED_OUT,
} WaitOutcome;

static inline void event_init(Event *event)
{
    atomic_init(&event->state, 0);
}
/* Any thread; may be called before the wait, and more than once. */
void event_set(Event *event);
static inline bool event_is_set(const Event *event)
{
    return atomic_load_explicit(&((Event *)event)->state, memory_order_acquire) == 1;
}
MUST_CHECK WaitOutcome event_wait(Event *event, Deadline deadline, WaitEvent name);
/* For waits that must not be cut short (durability): never fails, never times out. */
void event_wait_uninterruptible(Event *event, WaitEvent name);

/* Gives the worker away once (a coroutine), the time slice (a thread). */
void task_yield(void);
/* Interruptible sleep. */
MUST_CHECK bool task_sleep(int64_t microseconds, WaitEvent name);

/*
 * Runs a blocking function (a page read, a TLS handshake's big numbers) on the helper threads while
 * the calling coroutine waits uninterruptibly. On a plain thread, and in the simulator, it is
 * simply called.
 */
void task_offload(void (*function)(void *argument), void *argument, WaitEvent name);

#endif
