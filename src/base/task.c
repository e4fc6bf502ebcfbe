#include "base/task.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/error_record.h"
#include "base/memory.h"
#include "base/os.h"
#include "base/settings.h"
#include "base/sync.h"
#include "base/task_runtime.h"

_Thread_local Task *task_running;

/* Tasks of threads that have ended, for the next ones; reachable, so no leak. */
static TaskRuntime *thread_tasks_free;
static pthread_mutex_t thread_tasks_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t thread_exit_key;
static pthread_once_t thread_exit_once = PTHREAD_ONCE_INIT;

static void thread_task_release(void *argument)
{
    TaskRuntime *runtime = argument;

    error_record_free(runtime->task.error);
    runtime->task.error = NULL;
    if (task_running == &runtime->task)
        task_running = NULL;
    pthread_mutex_lock(&thread_tasks_mutex);
    runtime->free_next = thread_tasks_free;
    thread_tasks_free = runtime;
    pthread_mutex_unlock(&thread_tasks_mutex);
}

/* The main thread ends without running key destructors. */
static void main_task_release(void)
{
    if (task_running && task_running->error) {
        error_record_free(task_running->error);
        task_running->error = NULL;
    }
}

static void thread_exit_setup(void)
{
    pthread_key_create(&thread_exit_key, thread_task_release);
    atexit(main_task_release);
}

Task *task_new_thread(void)
{
    pthread_mutex_lock(&thread_tasks_mutex);
    TaskRuntime *runtime = thread_tasks_free;
    if (runtime)
        thread_tasks_free = runtime->free_next;
    pthread_mutex_unlock(&thread_tasks_mutex);

    if (!runtime)
        runtime = memory_must_calloc(1, sizeof(TaskRuntime));
    runtime->task = (Task){.runtime = runtime, .settings = &settings_default};
    return &runtime->task;
}

void task_free_thread(Task *task)
{
    thread_task_release(task_runtime(task));
}

Task *task_attach_thread(void)
{
    pthread_once(&thread_exit_once, thread_exit_setup);
    task_running = task_new_thread();
    pthread_setspecific(thread_exit_key, task_runtime(task_running));
    return task_running;
}

void task_wake(Task *task)
{
    TaskRuntime *runtime = task_runtime(task);

    if (runtime->scheduler) {
        scheduler_wake(runtime);
    } else {
        atomic_fetch_add(&runtime->wake_word, 1);
        os->word_wake(&runtime->wake_word, 1);
    }
}

void task_suspend(Task *task, Deadline deadline)
{
    TaskRuntime *runtime = task_runtime(task);

    if (runtime->scheduler) {
        scheduler_suspend(runtime, deadline);
        return;
    }
    os->word_wait(&runtime->wake_word, runtime->wake_seen, deadline);
    runtime->wake_seen = atomic_load(&runtime->wake_word);
}

void task_interrupt(Task *task, uint32_t interrupts)
{
    atomic_fetch_or(&task->interrupts, interrupts);
    task_wake(task);
}

void task_clear_interrupts(Task *task, uint32_t interrupts)
{
    /* One that comes meanwhile comes later. */
    if (atomic_load_explicit(&task->interrupts, memory_order_relaxed) & interrupts)
        atomic_fetch_and(&task->interrupts, ~interrupts);
}

#define INTERRUPTS_THAT_STOP (~(uint32_t)INTERRUPT_YIELD)

static bool has_stopping_interrupt(Task *task)
{
    return !task->interrupts_held &&
           (atomic_load_explicit(&task->interrupts, memory_order_relaxed) & INTERRUPTS_THAT_STOP);
}

/* They are no longer pending: the error that is set stands for them (see error_clear). */
static bool interrupts_taken(Task *task, uint32_t interrupts)
{
    error_add_interrupts(atomic_fetch_and(&task->interrupts, ~interrupts) & interrupts);
    return false;
}

/* The error of the most important pending interrupt; those that end the session stay pending. */
static bool interrupt_fail(Task *task)
{
    uint32_t pending = atomic_load(&task->interrupts);

    if (pending & INTERRUPT_CLIENT_GONE)
        FAIL(ERR_CONNECTION_FAILURE, .severity = SEVERITY_FATAL,
             .message = STR("connection to client lost"));
    if (pending & (INTERRUPT_TERMINATE | INTERRUPT_SHUTDOWN))
        FAIL(ERR_ADMIN_SHUTDOWN, .severity = SEVERITY_FATAL,
             .message = STR("terminating connection due to administrator command"));
    if (pending & INTERRUPT_IDLE_TIMEOUT)
        FAIL(ERR_IDLE_IN_TRANSACTION_SESSION_TIMEOUT, .severity = SEVERITY_FATAL,
             .message = STR("terminating connection due to idle-in-transaction timeout"));
    if (pending & INTERRUPT_MEMORY) {
        ERROR_SET(ERR_OUT_OF_MEMORY, .message = STR("out of memory"),
                  .detail = fmt("Failed on request of size %zu in memory context \"%s\".",
                                task->memory_request, task->memory_name));
        return interrupts_taken(task, INTERRUPT_MEMORY);
    }
    if (pending & INTERRUPT_STATEMENT_TIMEOUT) {
        ERROR_SET(ERR_QUERY_CANCELED,
                  .message = STR("canceling statement due to statement timeout"));
        return interrupts_taken(task, INTERRUPT_STATEMENT_TIMEOUT | INTERRUPT_CANCEL);
    }
    assert(pending & INTERRUPT_CANCEL);
    ERROR_SET(ERR_QUERY_CANCELED, .message = STR("canceling statement due to user request"));
    return interrupts_taken(task, INTERRUPT_CANCEL);
}

bool task_handle_interrupts(Task *task)
{
    /* Between a commit's WAL record and its apply, and in an action, nothing may stop us. */
    if (task->interrupts_held || task->in_action || task->latch_count > 0)
        return true;
    if (atomic_load(&task->interrupts) & INTERRUPT_YIELD) {
        task_clear_interrupts(task, INTERRUPT_YIELD);
        task_yield();
    }
    return !has_stopping_interrupt(task) || interrupt_fail(task);
}

Deadline deadline_after(int64_t microseconds)
{
    Deadline now = os->monotonic(), deadline;

    return __builtin_add_overflow(now, microseconds, &deadline) ? DEADLINE_NEVER : deadline;
}

void event_set(Event *event)
{
    /* The event may be gone as soon as its waiter sees 1: nothing of it is read after that. */
    uintptr_t before = atomic_exchange(&event->state, 1);

    if (before > 1)
        task_wake((Task *)before);
}

static WaitOutcome wait_for(Event *event, Deadline deadline, WaitEvent name, bool interruptible)
{
    Task *task = task_current();
    uintptr_t expected = 0;
    WaitOutcome outcome = WAIT_DONE;

    assert(task->latch_count == 0);
    assert(!task->in_action);
    if (!atomic_compare_exchange_strong(&event->state, &expected, (uintptr_t)task)) {
        assert(expected == 1); /* K1 */
        return WAIT_DONE;
    }
    atomic_store_explicit(&task->wait_event, (int)name, memory_order_relaxed);
    while (!event_is_set(event)) {
        bool interrupted = interruptible && has_stopping_interrupt(task);
        bool late = deadline != DEADLINE_NEVER && os->monotonic() >= deadline;
        if (interrupted || late) {
            expected = (uintptr_t)task;
            if (atomic_compare_exchange_strong(&event->state, &expected, 0)) {
                outcome = interrupted ? WAIT_FAILED : WAIT_TIMED_OUT;
                break;
            }
        } else {
            task_suspend(task, deadline);
        }
    }
    atomic_store_explicit(&task->wait_event, WAIT_EVENT_NONE, memory_order_relaxed);
    if (outcome == WAIT_FAILED)
        (void)!interrupt_fail(task);
    return outcome;
}

WaitOutcome event_wait(Event *event, Deadline deadline, WaitEvent name)
{
    return wait_for(event, deadline, name, true);
}

void event_wait_uninterruptible(Event *event, WaitEvent name)
{
    WaitOutcome outcome = wait_for(event, DEADLINE_NEVER, name, false);

    assert(outcome == WAIT_DONE);
    (void)outcome;
}

void task_yield(void)
{
    Task *task = task_current();

    assert(task->latch_count == 0 && !task->in_action);
    if (task_runtime(task)->scheduler)
        scheduler_yield(task_runtime(task));
    else
        os->thread_yield();
}

bool task_sleep(int64_t microseconds, WaitEvent name)
{
    Event event;

    event_init(&event);
    return event_wait(&event, deadline_after(microseconds), name) != WAIT_FAILED;
}
