#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/offload.h"
#include "base/os.h"
#include "base/scheduler.h"
#include "base/sync.h"
#include "base/ticker.h"

/* Two coroutines that hand a ball to each other, on one scheduler or across two. */
typedef struct Court {
    Event events[2];
    int bounces;
    Scheduler *schedulers[2];
    _Atomic int ended;
} Court;

typedef struct Player {
    Court *court;
    int side;
} Player;

#define BOUNCES 20000

static void play(void *argument)
{
    Player *player = argument;
    Court *court = player->court;

    for (;;) {
        assert_int_equal(
            event_wait(&court->events[player->side], DEADLINE_NEVER, WAIT_EVENT_PG_SLEEP),
            WAIT_DONE);
        event_init(&court->events[player->side]);
        bool last = ++court->bounces >= BOUNCES; /* the other side's from the event on */
        event_set(&court->events[!player->side]);
        if (last)
            break;
    }
    if (atomic_fetch_add(&court->ended, 1) == 1) {
        scheduler_stop(court->schedulers[0]);
        scheduler_stop(court->schedulers[1]);
    }
}

static void start_player(void *argument)
{
    Player *player = argument;
    task_spawn(player->court->schedulers[player->side], play, player);
}

static void run_scheduler(void *argument)
{
    scheduler_run(argument);
}

static void events_wake_coroutines_across_threads(void **state)
{
    Court court = {.schedulers = {scheduler_new("left"), scheduler_new("right")}};
    Player players[2] = {{&court, 0}, {&court, 1}};

    (void)state;
    Thread *left = os->thread_start("left", run_scheduler, court.schedulers[0]);
    Thread *right = os->thread_start("right", run_scheduler, court.schedulers[1]);
    scheduler_post(court.schedulers[0], start_player, &players[0]);
    scheduler_post(court.schedulers[1], start_player, &players[1]);
    event_set(&court.events[0]);
    os->thread_join(left);
    os->thread_join(right);
    assert_true(court.bounces >= BOUNCES);
    scheduler_free(court.schedulers[0]);
    scheduler_free(court.schedulers[1]);
}

typedef struct Trial {
    Scheduler *scheduler;
    Task *victim;
    int timed_out, interrupted;
    _Atomic int offloaded;
    int64_t spun;
} Trial;

static void blocking_work(void *argument)
{
    Trial *trial = argument;
    usleep(1000);
    trial->offloaded++;
}

static bool spin_until_cancelled(Trial *trial)
{
    for (;;) {
        trial->spun++;
        CHECK_INTERRUPTS();
    }
}

static void victim_main(void *argument)
{
    Trial *trial = argument;
    Event never;

    event_init(&never);
    trial->timed_out =
        event_wait(&never, deadline_after(2000), WAIT_EVENT_PG_SLEEP) == WAIT_TIMED_OUT;
    task_offload(blocking_work, trial, WAIT_EVENT_OFFLOAD);
    /* Spins: only the ticker's yields let the other coroutine run and cancel us. */
    trial->interrupted =
        !spin_until_cancelled(trial) && error_fields()->sqlstate == ERR_QUERY_CANCELED;
    scheduler_stop(trial->scheduler);
}

static void killer_main(void *argument)
{
    Trial *trial = argument;

    while (!trial->offloaded || trial->spun == 0)
        task_yield();
    task_interrupt(trial->victim, INTERRUPT_CANCEL);
}

static void start_trial(void *argument)
{
    Trial *trial = argument;
    trial->victim = task_spawn(trial->scheduler, victim_main, trial);
    task_spawn(trial->scheduler, killer_main, trial);
}

static void waits_time_out_and_spinning_tasks_are_preempted_and_cancelled(void **state)
{
    Trial trial = {.scheduler = scheduler_new("trial")};

    (void)state;
    scheduler_post(trial.scheduler, start_trial, &trial);
    scheduler_run(trial.scheduler);
    assert_true(trial.timed_out);
    assert_int_equal(trial.offloaded, 1);
    assert_true(trial.interrupted);
    offload_stop(); /* helpers wake the scheduler's tasks: they end first */
    scheduler_free(trial.scheduler);
}

/* Work that may come late. */
typedef struct Lateness {
    Scheduler *scheduler;
    int runs;
    int64_t turns; /* of a loop that is never idle, until its patience ended */
} Lateness;

static void late_work(void *argument)
{
    ((Lateness *)argument)->runs++;
}

static void other_work(void *argument)
{
    (void)argument;
}

static void keep_busy(void *argument)
{
    Lateness *late = argument;

    late->turns++;
    if (late->runs < 3)
        scheduler_post(late->scheduler, keep_busy, late);
}

static void lateness_main(void *argument)
{
    Lateness *late = argument;

    assert_true(scheduler_defer(late_work, late));
    assert_true(scheduler_defer(late_work, late)); /* noted once */
    assert_false(scheduler_defer(other_work, late));
    assert_int_equal(late->runs, 0);
    assert_true(task_sleep(10000, WAIT_EVENT_PG_SLEEP)); /* nothing else to do */
    assert_int_equal(late->runs, 1);
    assert_true(scheduler_defer(late_work, late));
    while (late->runs == 1)
        task_yield();
    keep_busy(late);
    const int64_t began = os->monotonic();
    assert_true(scheduler_defer(late_work, late));
    assert_true(task_sleep(10000, WAIT_EVENT_PG_SLEEP));
    assert_int_equal(late->runs, 3);
    assert_true(late->turns > 1);
    assert_true(os->monotonic() - began >= SCHEDULER_PATIENCE_US);
    assert_true(scheduler_defer(late_work, late)); /* the loop's end does it */
    scheduler_stop(late->scheduler);
}

static void start_lateness(void *argument)
{
    Lateness *late = argument;
    task_spawn(late->scheduler, lateness_main, late);
}

static void deferred_work_is_done_when_there_is_no_other_or_patience_ends(void **state)
{
    Lateness late = {.scheduler = scheduler_new("late")};

    (void)state;
    assert_false(scheduler_defer(late_work, &late)); /* a plain thread has no loop */
    scheduler_post(late.scheduler, start_lateness, &late);
    scheduler_run(late.scheduler);
    assert_int_equal(late.runs, 4);
    scheduler_free(late.scheduler);
}

static int late_turns;

static void count_late_turn(int64_t late_microseconds)
{
    assert_true(late_microseconds >= TICKER_LATE_US);
    late_turns++;
}

/* The ticker's part is played here: a slot that it doesn't know of. */
static void only_the_turn_that_was_asked_can_be_late(void **state)
{
    TickerSlot slot = {.clock = CLOCK_MONOTONIC};
    Task *task = task_current();

    (void)state;
    late_turns = 0;
    ticker_observe(count_late_turn);
    ticker_run_begin(&slot, task);
    assert_false(ticker_run_end(&slot));
    ticker_run_begin(&slot, task);
    slot.asked = slot.switches;
    slot.asked_at = 1; /* long ago */
    assert_true(ticker_run_end(&slot));
    assert_int_equal(late_turns, 1);
    ticker_run_begin(&slot, task); /* the ticker has meant the one before */
    assert_false(ticker_run_end(&slot));
    ticker_run_begin(&slot, task);
    slot.asked = slot.switches;
    slot.asked_at = INT64_MAX; /* the ticker is just asking */
    assert_true(ticker_run_end(&slot));
    assert_int_equal(late_turns, 1);
    ticker_observe(NULL);
}

static struct {
    Mutex mutex;
    long count;
} counter = {.mutex = MUTEX_INIT(RANK_LEAF)};

static void count_up(void *argument)
{
    (void)argument;
    for (int i = 0; i < 100000; i++) {
        mutex_lock(&counter.mutex);
        counter.count++;
        mutex_unlock(&counter.mutex);
    }
}

static void mutexes_exclude(void **state)
{
    Thread *threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        threads[i] = os->thread_start("count", count_up, NULL);
    for (int i = 0; i < 4; i++)
        os->thread_join(threads[i]);
    assert_int_equal(counter.count, 400000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_wake_coroutines_across_threads),
        cmocka_unit_test(waits_time_out_and_spinning_tasks_are_preempted_and_cancelled),
        cmocka_unit_test(only_the_turn_that_was_asked_can_be_late),
        cmocka_unit_test(deferred_work_is_done_when_there_is_no_other_or_patience_ends),
        cmocka_unit_test(mutexes_exclude),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
