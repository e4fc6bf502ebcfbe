#include "base/scheduler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/context_switch.h"
#include "base/error_record.h"
#include "base/memory.h"
#include "base/offload.h"
#include "base/os.h"
#include "base/settings.h"
#include "base/task_runtime.h"
#include "base/ticker.h"

#if defined(SENGI_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(SENGI_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

/* Larger than any frame, so that an overflow ends in the guard and never in another's stack. In
 * release builds the compiler's probes (-fstack-clash-protection) see to it for frames of any size.
 */
#define GUARD_SIZE ((size_t)256 * 1024)
#define STACK_KEPT ((size_t)256 * 1024) /* of an ended task, for the next one */
#define EVENTS_AT_ONCE 128
#define STACKLESS_RETRY_US 10000
#define RUNS_BETWEEN_POLLS 64
#define EVENTS_OF_DEVOTION 64 /* of one descriptor, one after another */

typedef struct Post {
    struct Post *next;
    void (*callback)(void *argument);
    void *argument;
} Post;

struct Scheduler {
    const char *name;
    /* The loop's own. */
    TaskRuntime *running; /* NULL: the loop itself */
    void *loop_stack_pointer;
    TaskRuntime *ready_first, *ready_last;
    TaskRuntime *free;      /* ended tasks with their stacks */
    TaskRuntime *all;       /* every task ever made */
    TaskRuntime *stackless; /* tasks that wait for one */
    Timer stackless_timer;
    unsigned live_count;
    Timer **timers; /* a binary heap, earliest first */
    size_t timer_count, timer_capacity;
    void (*deferred)(void *argument); /* NULL: none */
    void *deferred_argument;
    Deadline deferred_until;
    const FdWatch *devoted_to; /* the descriptor of the last event, and of so many before it */
    unsigned devotion;
    int epoll_fd;
    Task *loop_task;
    const void *loop_stack_bottom; /* for ASan */
    size_t loop_stack_size;
    void *loop_fake_stack;
    void *loop_tsan_fiber;
    TickerSlot ticker;
    bool has_used_slice; /* of those that have run since descriptors and timers were looked at */

    /* Touched by other threads. */
    ALIGNED(CACHE_LINE) _Atomic(TaskRuntime *) remote; /* woken elsewhere, newest first */
    _Atomic(Post *) posts;                             /* newest first */
    _Atomic bool sleeping, stopping;
    _Atomic uint32_t sleep_word; /* the simulator's stand-in for the event descriptor */
    int event_fd;
};

static _Thread_local Scheduler *scheduler_running;

Scheduler *scheduler_current(void)
{
    return scheduler_running;
}

Scheduler *scheduler_exchange(Scheduler *scheduler)
{
    Scheduler *before = scheduler_running;

    scheduler_running = scheduler;
    return before;
}

/* -- Tasks and stacks ------------------------------------------------------------------------ */

static char *stack_new(void)
{
    char *memory = mmap(NULL, TASK_STACK_SIZE + GUARD_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    if (mprotect(memory, GUARD_SIZE, PROT_NONE) != 0) {
        munmap(memory, TASK_STACK_SIZE + GUARD_SIZE);
        return NULL;
    }
    return memory + GUARD_SIZE;
}

/* An ended task's, or another one. */
static bool stack_take(Scheduler *scheduler, TaskRuntime *runtime)
{
    TaskRuntime *ended = scheduler->free;

    while (ended && !ended->stack)
        ended = ended->free_next;
    if (ended) {
        runtime->stack = ended->stack;
        ended->stack = NULL;
        return true;
    }
    return (runtime->stack = stack_new()) != NULL;
}

static void stackless_retry(Timer *timer)
{
    Scheduler *scheduler = CONTAINER_OF(timer, Scheduler, stackless_timer);
    TaskRuntime *first = scheduler->stackless;

    if (!first)
        return;
    scheduler->stackless = first->stackless_next;
    first->is_stackless = false;
    scheduler_wake(first);
    if (scheduler->stackless)
        timer_arm(scheduler, timer, deadline_after(STACKLESS_RETRY_US));
}

/* There is no memory for a stack: it is tried again when a task has ended, and after a while. */
static void stackless_wait(Scheduler *scheduler, TaskRuntime *runtime)
{
    if (!runtime->is_stackless) {
        runtime->is_stackless = true;
        runtime->stackless_next = scheduler->stackless;
        scheduler->stackless = runtime;
    }
    timer_arm(scheduler, &scheduler->stackless_timer, deadline_after(STACKLESS_RETRY_US));
}

static void switch_announce_start(TaskRuntime *to, Scheduler *scheduler, void **fake_stack)
{
#if defined(SENGI_ASAN)
    __sanitizer_start_switch_fiber(fake_stack, to ? to->stack : scheduler->loop_stack_bottom,
                                   to ? TASK_STACK_SIZE : scheduler->loop_stack_size);
#elif defined(SENGI_TSAN)
    __tsan_switch_to_fiber(to ? to->tsan_fiber : scheduler->loop_tsan_fiber, 0);
#endif
    (void)to, (void)scheduler, (void)fake_stack;
}

static void switch_announce_end(Scheduler *scheduler, void *fake_stack, bool from_loop)
{
#if defined(SENGI_ASAN)
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(fake_stack, &bottom, &size);
    if (from_loop) {
        scheduler->loop_stack_bottom = bottom;
        scheduler->loop_stack_size = size;
    }
#endif
    (void)scheduler, (void)fake_stack, (void)from_loop;
}

/* From a coroutine back to the loop. */
static void switch_to_loop(TaskRuntime *runtime)
{
    Scheduler *scheduler = runtime->scheduler;

    switch_announce_start(NULL, scheduler, runtime->finished ? NULL : &runtime->asan_fake_stack);
    context_switch(&runtime->stack_pointer, scheduler->loop_stack_pointer);
    switch_announce_end(scheduler, runtime->asan_fake_stack, true);
}

/* The first frame of every coroutine; it is used again for the next task on the same stack. */
static void coroutine_main(void)
{
    Scheduler *scheduler = scheduler_running;
    TaskRuntime *runtime = scheduler->running;

    switch_announce_end(scheduler, NULL, true);
    runtime->function(runtime->argument);
    runtime->finished = true;
    switch_to_loop(runtime);
    assert(!"an ended coroutine is not resumed");
}

static void coroutine_end(Scheduler *scheduler, TaskRuntime *runtime)
{
    assert(runtime->task.latch_count == 0);
    error_record_free(runtime->task.error);
    runtime->task.error = NULL;
#if defined(SENGI_ASAN)
    /* Its last frames have not returned; the next task begins where they are. */
    ASAN_UNPOISON_MEMORY_REGION(runtime->stack_pointer,
                                runtime->stack + TASK_STACK_SIZE - (char *)runtime->stack_pointer);
#elif defined(SENGI_TSAN)
    __tsan_destroy_fiber(runtime->tsan_fiber);
#endif
    timer_cancel(scheduler, &runtime->timer);
    /* What a deep recursion has touched goes back to the system. */
    if (runtime->stack_low < TASK_STACK_SIZE - STACK_KEPT)
        madvise(runtime->stack, TASK_STACK_SIZE - STACK_KEPT, MADV_DONTNEED);
    runtime->free_next = scheduler->free;
    scheduler->free = runtime;
    scheduler->live_count--;
    stackless_retry(&scheduler->stackless_timer);
}

static void coroutine_resume(Scheduler *scheduler, TaskRuntime *runtime)
{
    scheduler->running = runtime;
    task_running = &runtime->task;
    ticker_run_begin(&scheduler->ticker, &runtime->task);
    switch_announce_start(runtime, scheduler, &scheduler->loop_fake_stack);
    context_switch(&scheduler->loop_stack_pointer, runtime->stack_pointer);
    switch_announce_end(scheduler, scheduler->loop_fake_stack, false);
    if (ticker_run_end(&scheduler->ticker))
        scheduler->has_used_slice = true;
    task_running = scheduler->loop_task;
    scheduler->running = NULL;
    if (runtime->finished)
        coroutine_end(scheduler, runtime);
}

static void coroutine_run(Scheduler *scheduler, TaskRuntime *runtime)
{
    if (!runtime->stack_pointer) {
        if (!runtime->stack && !stack_take(scheduler, runtime)) {
            stackless_wait(scheduler, runtime);
            return;
        }
        runtime->stack_pointer = context_prepare(runtime->stack + TASK_STACK_SIZE, coroutine_main);
    }
    coroutine_resume(scheduler, runtime);
}

static void ready_push(Scheduler *scheduler, TaskRuntime *runtime)
{
    runtime->next = NULL;
    if (scheduler->ready_last)
        scheduler->ready_last->next = runtime;
    else
        scheduler->ready_first = runtime;
    scheduler->ready_last = runtime;
}

static void timer_wakes_task(Timer *timer)
{
    TaskRuntime *runtime = CONTAINER_OF(timer, TaskRuntime, timer);

    runtime->timer_fired = true;
    scheduler_wake(runtime);
}

/* A fresh task, or an ended one's for another use. Its interrupts are atomic throughout: the
 * ticker, or a late wake, may still know the ended one. */
static void task_reset(TaskRuntime *runtime)
{
    Task *task = &runtime->task;

    atomic_store_explicit(&task->interrupts, 0, memory_order_release);
    task->latch_count = 0;
    task->in_action = task->interrupts_held = false;
    task->error = NULL;
    task->session = NULL;
    task->settings = &settings_default;
    task->notice_handler = NULL;
    task->notice_context = NULL;
    atomic_store_explicit(&task->wait_event, 0, memory_order_release);
}

Task *task_spawn(Scheduler *scheduler, TaskFunction *function, void *argument)
{
    TaskRuntime *runtime = scheduler->free;

    assert(scheduler_running == scheduler);
    if (runtime) {
        scheduler->free = runtime->free_next;
    } else {
        /* Who wakes it late, when another task is here already, reads these two: never changed. */
        runtime = memory_must_calloc(1, sizeof(TaskRuntime));
        runtime->task.runtime = runtime;
        runtime->scheduler = scheduler;
        runtime->all_next = scheduler->all;
        scheduler->all = runtime;
    }
    task_reset(runtime);
    runtime->function = function;
    runtime->argument = argument;
    runtime->finished = false;
    runtime->stack_low = TASK_STACK_SIZE;
    runtime->timer = TIMER_INIT(timer_wakes_task);
    runtime->stack_pointer = NULL;
#if defined(SENGI_TSAN)
    runtime->tsan_fiber = __tsan_create_fiber(0);
#endif
    scheduler->live_count++;
    scheduler_wake(runtime);
    return &runtime->task;
}

size_t task_stack_left(void)
{
    TaskRuntime *runtime = scheduler_running ? scheduler_running->running : NULL;

    if (!runtime)
        return TASK_STACK_SIZE; /* a plain thread has more than that */
    /* Locals may live on the sanitizer's fake stack; the frame address does not. */
    const size_t left = (size_t)((char *)__builtin_frame_address(0) - runtime->stack);
    runtime->stack_low = MIN(runtime->stack_low, left);
    return left;
}

/* -- Waking and suspending ------------------------------------------------------------------- */

/* After something was put where the loop looks only between sleeps. */
static void loop_wake(Scheduler *scheduler)
{
    /* One wake for each sleep: the others' work is found with the first one's. */
    if (!atomic_load(&scheduler->sleeping) || !atomic_exchange(&scheduler->sleeping, false))
        return;
    if (os->simulated) {
        atomic_fetch_add(&scheduler->sleep_word, 1);
        os->word_wake(&scheduler->sleep_word, 1);
        return;
    }
    uint64_t one = 1;
    ssize_t written = write(scheduler->event_fd, &one, sizeof(one));
    (void)written; /* a full counter wakes as well */
}

void scheduler_wake(TaskRuntime *runtime)
{
    Scheduler *scheduler = runtime->scheduler;

    if (atomic_exchange(&runtime->queued, true))
        return;
    if (scheduler_running == scheduler) {
        ready_push(scheduler, runtime);
        return;
    }
    TaskRuntime *head = atomic_load(&scheduler->remote);
    do
        runtime->next = head;
    while (!atomic_compare_exchange_weak(&scheduler->remote, &head, runtime));
    loop_wake(scheduler);
}

void scheduler_suspend(TaskRuntime *runtime, Deadline deadline)
{
    if (deadline != DEADLINE_NEVER)
        timer_arm(runtime->scheduler, &runtime->timer, deadline);
    switch_to_loop(runtime);
    if (deadline != DEADLINE_NEVER)
        timer_cancel(runtime->scheduler, &runtime->timer);
}

void scheduler_yield(TaskRuntime *runtime)
{
    scheduler_wake(runtime);
    switch_to_loop(runtime);
}

void scheduler_post(Scheduler *scheduler, void (*callback)(void *argument), void *argument)
{
    Post *post = memory_must(sizeof(Post));

    *post =
        (Post){.next = atomic_load(&scheduler->posts), .callback = callback, .argument = argument};
    while (!atomic_compare_exchange_weak(&scheduler->posts, &post->next, post))
        continue;
    loop_wake(scheduler);
}

void scheduler_stop(Scheduler *scheduler)
{
    atomic_store(&scheduler->stopping, true);
    loop_wake(scheduler);
}

/* -- Timers: a binary heap ------------------------------------------------------------------- */

static void timer_place(Scheduler *scheduler, size_t index, Timer *timer)
{
    scheduler->timers[index] = timer;
    timer->heap_index = index;
}

static void timer_sift_up(Scheduler *scheduler, size_t index, Timer *timer)
{
    while (index > 0) {
        Timer *parent = scheduler->timers[(index - 1) / 2];
        if (parent->deadline <= timer->deadline)
            break;
        timer_place(scheduler, index, parent);
        index = (index - 1) / 2;
    }
    timer_place(scheduler, index, timer);
}

static void timer_sift_down(Scheduler *scheduler, size_t index, Timer *timer)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= scheduler->timer_count)
            break;
        if (child + 1 < scheduler->timer_count &&
            scheduler->timers[child + 1]->deadline < scheduler->timers[child]->deadline)
            child++;
        if (timer->deadline <= scheduler->timers[child]->deadline)
            break;
        timer_place(scheduler, index, scheduler->timers[child]);
        index = child;
    }
    timer_place(scheduler, index, timer);
}

void timer_cancel(Scheduler *scheduler, Timer *timer)
{
    size_t index = timer->heap_index;

    if (index == SIZE_MAX)
        return;
    timer->heap_index = SIZE_MAX;
    Timer *last = scheduler->timers[--scheduler->timer_count];
    if (last == timer)
        return;
    if (index > 0 && scheduler->timers[(index - 1) / 2]->deadline > last->deadline)
        timer_sift_up(scheduler, index, last);
    else
        timer_sift_down(scheduler, index, last);
}

void timer_arm(Scheduler *scheduler, Timer *timer, Deadline deadline)
{
    timer_cancel(scheduler, timer);
    if (scheduler->timer_count == scheduler->timer_capacity) {
        size_t capacity = scheduler->timer_capacity ? scheduler->timer_capacity * 2 : 64;
        scheduler->timers =
            memory_must_realloc((void *)scheduler->timers, capacity * sizeof(Timer *));
        scheduler->timer_capacity = capacity;
    }
    timer->deadline = deadline;
    timer_sift_up(scheduler, scheduler->timer_count++, timer);
}

static void timers_fire(Scheduler *scheduler)
{
    if (scheduler->timer_count == 0)
        return;
    Deadline now = os->monotonic();
    while (scheduler->timer_count > 0 && scheduler->timers[0]->deadline <= now) {
        Timer *timer = scheduler->timers[0];
        timer_cancel(scheduler, timer);
        timer->callback(timer);
    }
}

/* -- The loop -------------------------------------------------------------------------------- */

/* Takes what other threads put: tasks onto the ready list in the order they were woken. */
static void remote_collect(Scheduler *scheduler)
{
    if (!atomic_load_explicit(&scheduler->remote, memory_order_relaxed))
        return;
    TaskRuntime *list = atomic_exchange(&scheduler->remote, NULL), *reversed = NULL;
    while (list) {
        TaskRuntime *next = list->next;
        list->next = reversed;
        reversed = list;
        list = next;
    }
    while (reversed) {
        TaskRuntime *next = reversed->next;
        ready_push(scheduler, reversed);
        reversed = next;
    }
}

static void posts_run(Scheduler *scheduler)
{
    if (!atomic_load_explicit(&scheduler->posts, memory_order_relaxed))
        return;
    Post *list = atomic_exchange(&scheduler->posts, NULL), *reversed = NULL;
    while (list) {
        Post *next = list->next;
        list->next = reversed;
        reversed = list;
        list = next;
    }
    while (reversed) {
        Post *post = reversed;
        reversed = post->next;
        post->callback(post->argument);
        memory_free(post);
    }
}

/* Who takes a whole time slice lets others wait: after it comes what has arrived meanwhile. */
static void ready_run(Scheduler *scheduler)
{
    scheduler->has_used_slice = false;
    for (unsigned i = 0;
         i < RUNS_BETWEEN_POLLS && scheduler->ready_first && !scheduler->has_used_slice; i++) {
        TaskRuntime *runtime = scheduler->ready_first;
        scheduler->ready_first = runtime->next;
        if (!scheduler->ready_first)
            scheduler->ready_last = NULL;
        atomic_store(&runtime->queued, false);
        if (!runtime->finished) /* a late wake of an ended task */
            coroutine_run(scheduler, runtime);
    }
}

static bool has_ended(Scheduler *scheduler)
{
    return atomic_load(&scheduler->stopping) && scheduler->live_count == 0;
}

static bool has_work(Scheduler *scheduler)
{
    return scheduler->ready_first || atomic_load(&scheduler->remote) ||
           atomic_load(&scheduler->posts);
}

bool scheduler_defer(void (*callback)(void *argument), void *argument)
{
    Scheduler *scheduler = scheduler_running;

    if (!scheduler || os->simulated)
        return false;
    if (scheduler->deferred)
        return scheduler->deferred == callback && scheduler->deferred_argument == argument;
    scheduler->deferred = callback;
    scheduler->deferred_argument = argument;
    scheduler->deferred_until = deadline_after(SCHEDULER_PATIENCE_US);
    return true;
}

static void deferred_run(Scheduler *scheduler)
{
    void (*callback)(void *argument) = scheduler->deferred;

    scheduler->deferred = NULL;
    callback(scheduler->deferred_argument);
}

bool scheduler_may_block(void)
{
    const Scheduler *scheduler = scheduler_running;

    return !scheduler ||
           (scheduler->devotion >= EVENTS_OF_DEVOTION && !has_work((Scheduler *)scheduler));
}

static void devotion_note(Scheduler *scheduler, const FdWatch *watch)
{
    if (watch == scheduler->devoted_to) {
        scheduler->devotion++;
        return;
    }
    scheduler->devoted_to = watch;
    scheduler->devotion = 0;
}

static int poll_timeout(Scheduler *scheduler)
{
    if (scheduler->deferred || has_work(scheduler) || has_ended(scheduler))
        return 0;
    if (scheduler->timer_count == 0)
        return -1;
    int64_t wait = scheduler->timers[0]->deadline - os->monotonic();
    return wait <= 0 ? 0 : (int)MIN((wait + 999) / 1000, 60 * 1000);
}

static void poll_descriptors(Scheduler *scheduler)
{
    struct epoll_event events[EVENTS_AT_ONCE];

    int count = epoll_wait(scheduler->epoll_fd, events, EVENTS_AT_ONCE, poll_timeout(scheduler));
    atomic_store(&scheduler->sleeping, false);
    if (count == 0 && scheduler->deferred && !has_work(scheduler))
        deferred_run(scheduler);
    for (int i = 0; i < count; i++) {
        FdWatch *watch = events[i].data.ptr;
        if (!watch || watch->fd < 0)
            continue; /* the event descriptor; or unwatched by a callback of this round */
        devotion_note(scheduler, watch);
        uint32_t told = 0;
        if (events[i].events & EPOLLIN)
            told |= FD_READABLE;
        if (events[i].events & EPOLLOUT)
            told |= FD_WRITABLE;
        if (events[i].events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
            told |= FD_CLOSED;
        watch->callback(watch, told);
    }
}

static void poll_simulated(Scheduler *scheduler)
{
    uint32_t word = atomic_load(&scheduler->sleep_word);

    if (!has_work(scheduler) && !has_ended(scheduler))
        os->word_wait(&scheduler->sleep_word, word,
                      scheduler->timer_count ? scheduler->timers[0]->deadline : DEADLINE_NEVER);
    else
        os->thread_yield();
    atomic_store(&scheduler->sleeping, false);
}

void scheduler_run(Scheduler *scheduler)
{
    assert(!scheduler_running);
    scheduler->loop_task = task_current();
    scheduler_running = scheduler;
#if defined(SENGI_TSAN)
    scheduler->loop_tsan_fiber = __tsan_get_current_fiber();
#endif
    ticker_attach(&scheduler->ticker);
    for (;;) {
        remote_collect(scheduler);
        posts_run(scheduler);
        ready_run(scheduler);
        timers_fire(scheduler);
        /* Who is ready still has yielded, and may take its time again. */
        if (scheduler->deferred &&
            (scheduler->ready_first || os->monotonic() >= scheduler->deferred_until))
            deferred_run(scheduler);
        if (has_ended(scheduler) && !has_work(scheduler))
            break;
        /* Sleeping is announced before the last look; who adds work looks at it afterwards. */
        atomic_store(&scheduler->sleeping, true);
        if (os->simulated)
            poll_simulated(scheduler);
        else
            poll_descriptors(scheduler);
    }
    if (scheduler->deferred)
        deferred_run(scheduler);
    ticker_detach(&scheduler->ticker);
    scheduler_running = NULL;
}

/* -- Descriptors ----------------------------------------------------------------------------- */

static uint32_t epoll_mask(uint32_t events)
{
    return (events & FD_READABLE ? EPOLLIN : 0u) | (events & FD_WRITABLE ? EPOLLOUT : 0u) |
           EPOLLRDHUP;
}

bool scheduler_watch(Scheduler *scheduler, FdWatch *watch)
{
    struct epoll_event event = {.events = epoll_mask(watch->events), .data.ptr = watch};

    assert(!os->simulated);
    if (epoll_ctl(scheduler->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) != 0)
        FAIL(ERR_TOO_MANY_CONNECTIONS,
             .message = fmt("could not watch a descriptor: %s", strerror(errno)));
    return true;
}

void scheduler_watch_change(Scheduler *scheduler, FdWatch *watch, uint32_t events)
{
    struct epoll_event event = {.events = epoll_mask(events), .data.ptr = watch};

    if (watch->events == events)
        return;
    watch->events = events;
    if (epoll_ctl(scheduler->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) != 0)
        panic("could not change a watched descriptor: %s", strerror(errno));
}

void scheduler_unwatch(Scheduler *scheduler, FdWatch *watch)
{
    if (watch->fd < 0)
        return;
    epoll_ctl(scheduler->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->fd = -1;
}

/* -- Life ------------------------------------------------------------------------------------ */

Scheduler *scheduler_new(const char *name)
{
    Scheduler *scheduler = memory_aligned(sizeof(Scheduler));

    if (!scheduler)
        panic("out of memory for a scheduler");
    scheduler->name = name;
    scheduler->stackless_timer = TIMER_INIT(stackless_retry);
    scheduler->epoll_fd = scheduler->event_fd = -1;
    if (os->simulated)
        return scheduler;
    scheduler->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    scheduler->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* Each write is told once, so that nobody needs to read. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
    if (scheduler->epoll_fd < 0 || scheduler->event_fd < 0 ||
        epoll_ctl(scheduler->epoll_fd, EPOLL_CTL_ADD, scheduler->event_fd, &event) != 0)
        panic("could not make a scheduler: %s", strerror(errno));
    return scheduler;
}

void scheduler_free(Scheduler *scheduler)
{
    if (!scheduler)
        return;
    assert(scheduler->live_count == 0);
    for (TaskRuntime *task = scheduler->all, *next; task; task = next) {
        next = task->all_next;
        if (task->stack)
            munmap(task->stack - GUARD_SIZE, TASK_STACK_SIZE + GUARD_SIZE);
        memory_free(task);
    }
    memory_free(scheduler->timers);
    if (scheduler->epoll_fd >= 0)
        close(scheduler->epoll_fd);
    if (scheduler->event_fd >= 0)
        close(scheduler->event_fd);
    memory_free(scheduler);
}
