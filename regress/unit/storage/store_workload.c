#include "store_workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/os.h"

static bool workload_fail(Workload *work, const char *what, unsigned long a, unsigned long b)
{
    if (!work->failed)
        snprintf(work->why, sizeof(work->why), "%s (%lu, %lu)", what, a, b);
    work->failed = true;
    return false;
}

static bool workload_error(Workload *work)
{
    if (!work->failed)
        snprintf(work->why, sizeof(work->why), "error: %.*s", STR_ARGS(error_fields()->message));
    work->failed = true;
    return false;
}

static uint32_t workload_random(uint32_t *seed, uint32_t bound)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(*seed >> 8) * bound >> 24);
}

/* The directory entry of a pair, in a page's body. */
static PageId *pair_ids(byte *data, uint32_t pair)
{
    return (PageId *)(data + PAGE_HEADER_SIZE) + 2 * (size_t)pair;
}
uint32_t *pair_value(byte *data)
{
    return (uint32_t *)(data + PAGE_SIZE - 8);
}

typedef enum PairOutcome { PAIR_DONE, PAIR_LOAD, PAIR_DAMAGED } PairOutcome;

static PairOutcome pair_latch(Database *database, PageId id, Page *page, PageId *missing)
{
    *missing = id;
    return page_latch_exclusive(database, id, page) == PAGE_OK ? PAIR_DONE : PAIR_LOAD;
}

/* Both pages, whose ids the directory (latched) has. */
static PairOutcome pair_change_old(Action *action, Database *database, const PageId *ids,
                                   uint32_t value, PageId *missing)
{
    Page page[2];

    /* A page latched twice by one task would be waited for without end. */
    if (ids[0] == ids[1] || ids[0] == 1 || ids[1] == 1)
        return PAIR_DAMAGED;
    if (pair_latch(database, ids[0], &page[0], missing) == PAIR_LOAD)
        return PAIR_LOAD;
    if (pair_latch(database, ids[1], &page[1], missing) == PAIR_LOAD) {
        page_unlatch(&page[0]);
        return PAIR_LOAD;
    }
    for (int i = 0; i < 2; i++) {
        if (value == 0) {
            page_free(action, &page[i]);
            continue;
        }
        page_touch(action, &page[i]);
        *pair_value(page[i].data) = value;
        page_unlatch(&page[i]);
    }
    return PAIR_DONE;
}

static PairOutcome pair_try(Action *action, Database *database, const PairRecord *record,
                            PageId *missing)
{
    Page directory;

    if (pair_latch(database, 1, &directory, missing) == PAIR_LOAD)
        return PAIR_LOAD;
    PageId *ids = pair_ids(directory.data, record->pair);
    PairOutcome outcome = PAIR_DONE;
    if (ids[0] != 0) {
        outcome = pair_change_old(action, database, ids, record->value, missing);
        if (outcome == PAIR_DONE && record->value == 0) {
            page_touch(action, &directory);
            ids[0] = ids[1] = 0;
        }
    } else if (record->value != 0) {
        page_touch(action, &directory);
        for (int i = 0; i < 2; i++) {
            Page fresh;
            page_allocate(action, database, PAGE_PERMANENT, &fresh);
            ids[i] = fresh.id;
            *pair_value(fresh.data) = record->value;
            page_unlatch(&fresh);
        }
    }
    page_unlatch(&directory);
    return outcome;
}

bool pair_apply(Database *database, const PairRecord *record)
{
    for (;;) {
        Action action;
        PageId missing;
        TRY(action_begin(database, 3, &action));
        const PairOutcome outcome = pair_try(&action, database, record, &missing);
        action_end(&action);
        if (outcome == PAIR_DONE)
            return true;
        if (outcome == PAIR_DAMAGED)
            FAIL(ERR_DATA_CORRUPTED, .message = STR("a pair has one page twice"));
        TRY(page_load(database, missing));
    }
}

/* -------- Writing -------- */

typedef struct Writer {
    Workload *work;
    uint32_t number;
} Writer;

static Writer workload_writers[WRITERS];
uint32_t workload_reads;
int64_t workload_dawdle_us;

static bool writer_step(Writer *writer, uint32_t *seed, uint32_t value)
{
    Workload *work = writer->work;
    Wal *wal = store_wal(work->store);
    Database *database = store_database(work->store, DATABASE_SHARED);
    /* Each writer has pairs of its own: no locks are needed to keep the order of conflicts. */
    const uint32_t pair = workload_random(seed, PAIRS / WRITERS) * WRITERS + writer->number;
    const PairRecord record = {pair, workload_random(seed, 5) == 0 ? 0 : value};
    const Str payload = str_make(&record, sizeof(record));
    WalSlot slot;

    /* Only its own pairs: others may go away between the directory and the page. */
    for (uint32_t i = 0; i < workload_reads; i++) {
        uint32_t unused;
        TRY(pair_read(work, database,
                      workload_random(seed, PAIRS / WRITERS) * WRITERS + writer->number, &unused));
    }
    TRY(wal_admit(wal, sizeof(record)));
    atomic_store(&work->applying[writer->number], wal_reserved_end(wal));
    wal_append(wal, sizeof(record), sizeof(record), &slot);
    const uint32_t at = atomic_fetch_add(&work->history_count, 1);
    if (at >= HISTORY_MAX)
        return workload_fail(work, "history is full", at, 0);
    work->history[at] = (PairHistory){slot.end, record};
    wal_fill(wal, &slot, &payload, 1);
    if (workload_dawdle_us && workload_random(seed, 3) == 0)
        TRY(task_sleep(workload_dawdle_us, WAIT_EVENT_LOG_WRITER_MAIN));
    task_current()->interrupts_held = true;
    TRY(pair_apply(database, &record));
    task_current()->interrupts_held = false;
    atomic_store(&work->applying[writer->number], LSN_MAX);
    if (workload_random(seed, 4) == 0) {
        TRY(wal_wait(wal, slot.end));
        Lsn acknowledged = atomic_load(&work->acknowledged);
        while (acknowledged < slot.end &&
               !atomic_compare_exchange_weak(&work->acknowledged, &acknowledged, slot.end))
            continue;
    }
    return true;
}

static void writer_main(void *argument)
{
    Writer *writer = argument;
    Workload *work = writer->work;
    uint32_t seed = work->seed * 31 + writer->number;

    for (uint32_t i = 1; i <= work->steps && !work->failed; i++) {
        if (!writer_step(writer, &seed, i * WRITERS + writer->number))
            workload_error(work);
    }
    atomic_fetch_sub(&work->writers_left, 1);
}

static Lsn workload_floor(void *context)
{
    Workload *work = context;
    Lsn floor = LSN_MAX;

    for (uint32_t i = 0; i < WRITERS; i++)
        floor = MIN(floor, atomic_load(&work->applying[i]));
    return floor;
}

/* -------- Reading and checking -------- */

bool page_read_value(Database *database, PageId id, uint32_t *ret_value)
{
    Page page;

    while (page_latch_shared(database, id, &page) != PAGE_OK)
        TRY(page_load(database, id));
    *ret_value = *pair_value(page.data);
    page_unlatch(&page);
    return true;
}

bool pair_read(Workload *work, Database *database, uint32_t pair, uint32_t *ret_value)
{
    Page directory;
    uint32_t values[2] = {0, 0};

    while (page_latch_shared(database, 1, &directory) != PAGE_OK)
        TRY(page_load(database, 1));
    const PageId *ids = pair_ids(directory.data, pair);
    const PageId copy[2] = {ids[0], ids[1]};
    page_unlatch(&directory);
    for (int i = 0; i < 2 && copy[0] != 0; i++)
        TRY(page_read_value(database, copy[i], &values[i]));
    if (values[0] != values[1])
        return workload_fail(work, "the pages of a pair differ", values[0], values[1]);
    *ret_value = values[0];
    return true;
}

bool workload_check_pairs(Workload *work, Database *database, Lsn end)
{
    uint32_t expected[PAIRS] = {0};
    Lsn newest[PAIRS] = {0};
    const uint32_t count = MIN(atomic_load(&work->history_count), HISTORY_MAX);

    for (uint32_t i = 0; i < count; i++) {
        const PairHistory *line = &work->history[i];
        if (line->end <= end && line->end > newest[line->record.pair]) {
            newest[line->record.pair] = line->end;
            expected[line->record.pair] = line->record.value;
        }
    }
    for (uint32_t pair = 0; pair < PAIRS; pair++) {
        uint32_t value;
        if (!pair_read(work, database, pair, &value))
            return work->failed ? false : workload_error(work);
        if (value != expected[pair])
            return workload_fail(work, "a pair has another value", value, expected[pair]);
    }
    return true;
}

void workload_problem(void *context, const StoreProblem *problem)
{
    Workload *work = context;

    if (!work->failed)
        snprintf(work->why, sizeof(work->why), "page %u slot %u: %.*s", problem->page,
                 problem->slot, STR_ARGS(problem->text));
    work->failed = true;
}

typedef struct Replay {
    Workload *work;
    bool checked;
    uint32_t count;
} Replay;

static bool workload_apply(void *context, Store *store, const WalRecord *record)
{
    Replay *replay = context;
    PairRecord pair;

    if (!record)
        return true;
    replay->count++;
    memcpy(&pair, record->payload.data, sizeof(pair));
    return pair_apply(store_database(store, DATABASE_SHARED), &pair);
}

StoreOptions workload_options(void)
{
    return (StoreOptions){.pool_bytes = STORE_POOL_MIN,
                          .database_page_limit = 1u << 20,
                          .wal_ring_bytes = 1u << 16,
                          .checkpoint_timeout_us = 0};
}

bool workload_open(Workload *work)
{
    const StoreOptions options = workload_options();
    Replay replay = {.work = work};
    uint64_t problems;

    work->store = store_open(work->path, &options);
    if (!work->store || !store_verify(work->store, workload_problem, work, &problems))
        return workload_error(work);
    if (work->failed)
        return false;
    store_set_redo_floor(work->store, workload_floor, work);
    return store_recover(work->store, workload_apply, &replay) || workload_error(work);
}

/* Makes the store with its directory page in a durable checkpoint. */
bool workload_create(Workload *work)
{
    for (uint32_t i = 0; i < WRITERS; i++)
        atomic_store(&work->applying[i], LSN_MAX);
    if (!store_create(work->path))
        return workload_error(work);
    if (!workload_open(work))
        return false;
    Action action;
    Page page;
    Database *database = store_database(work->store, DATABASE_SHARED);
    if (!action_begin(database, 1, &action))
        return workload_error(work);
    page_allocate(&action, database, PAGE_PERMANENT, &page);
    const bool is_first = page.id == 1;
    page_unlatch(&page);
    action_end(&action);
    if (!is_first)
        return workload_fail(work, "the first page is not page 1", page.id, 1);
    return checkpoint_request(work->store, CHECKPOINT_WAIT) || workload_error(work);
}

/* Writers and checkpoints until the writers have done their steps. */
void workload_run(Workload *work)
{
    Thread *threads[WRITERS];

    atomic_store(&work->writers_left, WRITERS);
    for (uint32_t i = 0; i < WRITERS; i++) {
        workload_writers[i] = (Writer){work, i};
        threads[i] = os->thread_start("writer", writer_main, &workload_writers[i]);
    }
    while (atomic_load(&work->writers_left) > 0 && !work->failed) {
        if (!checkpoint_request(work->store, CHECKPOINT_WAIT))
            workload_error(work);
        os->thread_yield();
    }
    for (uint32_t i = 0; i < WRITERS; i++)
        os->thread_join(threads[i]);
}

/* Where the log ends after recovery; what was acknowledged is before it. */
bool workload_check(Workload *work)
{
    const Lsn end = wal_reserved_end(store_wal(work->store));

    if (end < atomic_load(&work->acknowledged))
        return workload_fail(work, "acknowledged records are lost", end, work->acknowledged);
    return workload_check_pairs(work, store_database(work->store, DATABASE_SHARED), end);
}
