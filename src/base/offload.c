#include "base/offload.h"

#include "base/os.h"
#include "base/scheduler.h"
#include "base/sync.h"

#define HELPER_COUNT 8

typedef struct OffloadJob {
    struct OffloadJob *next;
    void (*function)(void *argument);
    void *argument;
    Event done;
} OffloadJob;

static struct {
    Mutex mutex; /* rank LEAF */
    Cond work;
    OffloadJob *first GUARDED_BY(mutex);
    OffloadJob *last GUARDED_BY(mutex);
    Thread *threads[HELPER_COUNT] GUARDED_BY(mutex);
    bool running GUARDED_BY(mutex);
} offload = {.mutex = MUTEX_INIT(RANK_LEAF)};

static OffloadJob *offload_take(void)
{
    mutex_lock(&offload.mutex);
    while (!offload.first && offload.running)
        cond_wait(&offload.work, &offload.mutex);
    OffloadJob *job = offload.first;
    if (job) {
        offload.first = job->next;
        if (!offload.first)
            offload.last = NULL;
    }
    mutex_unlock(&offload.mutex);
    return job;
}

static void helper_main(void *argument)
{
    OffloadJob *job;

    (void)argument;
    while ((job = offload_take()) != NULL) {
        job->function(job->argument);
        event_set(&job->done);
    }
}

static void offload_start(void) REQUIRES(offload.mutex)
{
    offload.running = true;
    for (size_t i = 0; i < HELPER_COUNT; i++)
        offload.threads[i] = os->thread_start("helper", helper_main, NULL);
}

void offload_begin(void)
{
    mutex_lock(&offload.mutex);
    if (!offload.running)
        offload_start();
    mutex_unlock(&offload.mutex);
}

void task_offload(void (*function)(void *argument), void *argument, WaitEvent name)
{
    if (!scheduler_current() || os->simulated) {
        function(argument);
        return;
    }
    OffloadJob job = {.function = function, .argument = argument};
    event_init(&job.done);
    mutex_lock(&offload.mutex);
    if (!offload.running)
        offload_start();
    if (offload.last)
        offload.last->next = &job;
    else
        offload.first = &job;
    offload.last = &job;
    mutex_unlock(&offload.mutex);
    cond_signal(&offload.work);
    event_wait_uninterruptible(&job.done, name);
}

void offload_stop(void)
{
    Thread *threads[HELPER_COUNT];

    mutex_lock(&offload.mutex);
    bool running = offload.running;
    offload.running = false;
    memcpy(threads, offload.threads, sizeof(threads));
    mutex_unlock(&offload.mutex);
    if (!running)
        return;
    cond_broadcast(&offload.work);
    for (size_t i = 0; i < HELPER_COUNT; i++)
        os->thread_join(threads[i]);
}
