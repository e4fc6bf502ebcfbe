/* Bringing pages into memory, when asked and ahead of time. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "storage/store_internal.h"

#define PREFETCH_QUEUE 256u
#define PREFETCH_THREADS 4u /* reads under way at a time */
#define MISSING_PAGE_TRIES 1000u

typedef struct LoadJob {
    Store *store;
    const Database *database;
    PageEntry *entry;
    PageId page;
    uint32_t slot;
    byte *data;
    bool ok;
    SqlState sqlstate; /* of a failure: it happens on another task */
    char message[300];
} LoadJob;

static bool load_read(const LoadJob *job)
{
    return os->file_read(job->store->data_file, job->data, PAGE_SIZE,
                         (uint64_t)job->slot * PAGE_SIZE) &&
           page_image_check(job->database, job->page, job->entry, job->data);
}

/* On a helper thread. */
static void load_run(void *argument)
{
    LoadJob *job = argument;

    job->ok = load_read(job);
    if (!job->ok && error_fields()->sqlstate == ERR_DATA_CORRUPTED) {
        error_clear(); /* once more: the way from the disk may have been the culprit */
        job->ok = load_read(job);
    }
    if (!job->ok) {
        const ErrorFields *error = error_fields();
        job->sqlstate = error->sqlstate;
        snprintf(job->message, sizeof(job->message), "%.*s", STR_ARGS(error->message));
        error_clear();
    }
}

/* Publishes the page, or forgets the attempt. *ret_stale: the page went away while it was read. */
static bool load_finish(LoadJob *job, uint32_t frame, uint64_t version, bool *ret_stale)
{
    Store *store = job->store;
    Database *database = (Database *)job->database;
    PageEntry *entry = job->entry;

    page_entry_latch(entry);
    const bool is_stale = atomic_load(&entry->frame) != PAGE_FRAME_LOADING ||
                          (atomic_load(&entry->state) & PAGE_VERSION_MASK) != version;
    const bool publish = !is_stale && job->ok;
    if (publish)
        pool_assign(&store->pool, frame, database, job->page, true);
    else if (!is_stale)
        atomic_store(&entry->frame, 0);
    if (publish)
        page_entry_unlatch(entry);
    else
        page_entry_unlatch_unchanged(entry);
    if (!publish)
        pool_give(&store->pool, &frame, 1);
    pool_wake_load(&store->pool, database, job->page);
    *ret_stale = is_stale;
    return publish;
}

/*
 * A page may be freed between the look at its parent and its loading: no error, the caller starts
 * over and does not find it again. A reference that never goes away is damage.
 */
static bool load_missing(const Database *database, PageId page)
{
    static _Thread_local struct {
        const Database *database;
        PageId page;
        uint32_t count;
    } last;

    if (last.database != database || last.page != page) {
        last.database = database;
        last.page = page;
        last.count = 0;
    }
    if (++last.count >= MISSING_PAGE_TRIES) {
        last.count = 0;
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("page %u in database %u does not exist", page, database->id));
    }
    task_yield();
    return true;
}

typedef enum LoadClaim { LOAD_DONE, LOAD_BUSY, LOAD_MISSING, LOAD_MINE } LoadClaim;

static LoadClaim load_claim(PageEntry *entry, uint64_t *ret_version, uint32_t *ret_slot)
{
    LoadClaim claim;

    page_entry_latch(entry);
    const uint32_t frame = atomic_load(&entry->frame);
    if (frame == PAGE_FRAME_LOADING)
        claim = LOAD_BUSY;
    else if (frame != 0)
        claim = LOAD_DONE;
    else if (!(atomic_load(&entry->flags) & PAGE_FLAG_ALLOCATED) || entry->slot == 0)
        claim = LOAD_MISSING;
    else
        claim = LOAD_MINE;
    if (claim == LOAD_MINE) {
        atomic_store(&entry->frame, PAGE_FRAME_LOADING);
        *ret_version = atomic_load(&entry->state) & PAGE_VERSION_MASK;
        *ret_slot = entry->slot;
    }
    page_entry_unlatch_unchanged(entry);
    return claim;
}

/*
 * The disk may give the page another time. Recovery cannot wait for that, nor go on without what
 * may be whole: it stops, and nothing has changed.
 */
COLD static bool load_unreadable(const LoadJob *job)
{
    FAIL(ERR_IO_ERROR,
         .message = fmt("could not read page %u of database %u, in slot %u: %s", job->page,
                        job->database->id, job->slot, job->message),
         .hint = job->store->recovered
                     ? STR_NONE
                     : STR("Nothing has changed. Copy the data directory to a sound disk with a "
                           "tool that leaves out what cannot be read, such as ddrescue, and start "
                           "the server there: it sets aside what is missing."));
}

/* One attempt. *ret_again: look again. */
static bool load_try(Database *database, PageId page, uint32_t frame, bool *ret_again)
{
    Store *store = database->store;
    LoadJob job = {.store = store,
                   .database = database,
                   .entry = &database->entries[page],
                   .page = page,
                   .data = store->pool.frames + (size_t)frame * PAGE_SIZE};
    uint64_t version = 0;
    const LoadClaim claim = load_claim(job.entry, &version, &job.slot);

    *ret_again = false;
    if (claim != LOAD_MINE) {
        pool_give(&store->pool, &frame, 1);
        if (claim == LOAD_MISSING)
            return load_missing(database, page);
        if (claim == LOAD_BUSY) {
            pool_wait_for_load(store, database, page);
            *ret_again = true;
        }
        return true;
    }
    task_offload(load_run, &job, WAIT_EVENT_DATA_FILE_READ);
    atomic_fetch_add_explicit(&store->pages_read, 1, memory_order_relaxed);
    metric_add(METRIC_PAGES_READ, 1);
    /* Before others may load it again. */
    if (!job.ok && job.sqlstate == ERR_DATA_CORRUPTED && store_sets_aside(store))
        page_set_aside(database, page, job.slot, str_from_c(job.message));
    if (load_finish(&job, frame, version, ret_again) || *ret_again)
        return true;
    if (job.sqlstate == ERR_IO_ERROR)
        return load_unreadable(&job);
    FAIL(job.sqlstate, .message = str_from_c(job.message),
         .hint = job.sqlstate == ERR_DATA_CORRUPTED
                     ? STR("Run \"sengi verify\", and restore the database from a backup.")
                     : STR_NONE);
}

bool page_load(Database *database, PageId page)
{
    Store *store = database->store;

    assert(task_current()->latch_count == 0);
    assert(!task_current()->in_action);
    if (page == PAGE_ID_NONE || page >= database->page_limit)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("page %u in database %u does not exist", page, database->id));
    for (bool again = true; again;) {
        const uint32_t resident = atomic_load(&database->entries[page].frame);
        uint32_t frame;
        if (resident != 0 && resident != PAGE_FRAME_LOADING)
            return true;
        if (resident == PAGE_FRAME_LOADING) {
            pool_wait_for_load(store, database, page);
            continue;
        }
        if (!pool_take(&store->pool, 1, &frame)) {
            TRY(pool_wait_for_frames(store));
            continue;
        }
        TRY(load_try(database, page, frame, &again));
    }
    return true;
}

/* -------- Ahead of time -------- */

struct Prefetcher {
    Mutex mutex; /* rank LEAF */
    Cond cond;   /* work, or an end of work */
    ImageTarget queue[PREFETCH_QUEUE];
    uint32_t head, count;
    const Database *busy_with[PREFETCH_THREADS];
    uint32_t started_count; /* threads, to give each its number */
    bool stop;
    Thread *threads[PREFETCH_THREADS];
};

static void prefetcher_main(void *argument)
{
    Prefetcher *prefetcher = argument;

    mutex_lock(&prefetcher->mutex);
    const Database **busy_with = &prefetcher->busy_with[prefetcher->started_count++];
    while (!prefetcher->stop) {
        if (prefetcher->count == 0) {
            cond_wait(&prefetcher->cond, &prefetcher->mutex);
            continue;
        }
        const ImageTarget target = prefetcher->queue[prefetcher->head];
        prefetcher->head = (prefetcher->head + 1) % PREFETCH_QUEUE;
        prefetcher->count--;
        *busy_with = target.database;
        mutex_unlock(&prefetcher->mutex);
        if (page_load(target.database, target.page))
            atomic_fetch_add_explicit(&target.database->store->pages_prefetched, 1,
                                      memory_order_relaxed);
        else
            error_clear(); /* who really needs the page will be told */
        mutex_lock(&prefetcher->mutex);
        *busy_with = NULL;
        cond_broadcast(&prefetcher->cond);
    }
    mutex_unlock(&prefetcher->mutex);
}

void prefetcher_start(Store *store)
{
    Prefetcher *prefetcher = memory_calloc(1, sizeof(Prefetcher));

    if (!prefetcher)
        panic("out of memory for the prefetcher");
    mutex_init(&prefetcher->mutex, RANK_LEAF);
    store->prefetcher = prefetcher;
    for (uint32_t i = 0; i < PREFETCH_THREADS; i++)
        prefetcher->threads[i] = os->thread_start("prefetcher", prefetcher_main, prefetcher);
}

void prefetcher_stop(Store *store)
{
    Prefetcher *prefetcher = store->prefetcher;

    if (!prefetcher)
        return;
    mutex_lock(&prefetcher->mutex);
    prefetcher->stop = true;
    cond_broadcast(&prefetcher->cond);
    mutex_unlock(&prefetcher->mutex);
    for (uint32_t i = 0; i < PREFETCH_THREADS; i++)
        os->thread_join(prefetcher->threads[i]);
    memory_free(prefetcher);
    store->prefetcher = NULL;
}

static bool prefetcher_is_busy_with(const Prefetcher *prefetcher, const Database *database)
{
    for (uint32_t i = 0; i < PREFETCH_THREADS; i++)
        if (prefetcher->busy_with[i] == database)
            return true;
    return false;
}

void prefetcher_forget(Store *store, const Database *database)
{
    Prefetcher *prefetcher = store->prefetcher;

    if (!prefetcher)
        return;
    mutex_lock(&prefetcher->mutex);
    for (uint32_t i = 0; i < prefetcher->count; i++) {
        ImageTarget *target = &prefetcher->queue[(prefetcher->head + i) % PREFETCH_QUEUE];
        if (target->database != database)
            continue;
        *target = prefetcher->queue[prefetcher->head];
        prefetcher->head = (prefetcher->head + 1) % PREFETCH_QUEUE;
        prefetcher->count--;
        i--;
    }
    while (prefetcher_is_busy_with(prefetcher, database))
        cond_wait(&prefetcher->cond, &prefetcher->mutex);
    mutex_unlock(&prefetcher->mutex);
}

void page_prefetch(Database *database, PageId id)
{
    Prefetcher *prefetcher = database->store->prefetcher;

    if (!prefetcher || id == PAGE_ID_NONE || id >= database->page_limit ||
        atomic_load_explicit(&database->entries[id].frame, memory_order_relaxed) != 0 ||
        !(atomic_load(&database->entries[id].flags) & PAGE_FLAG_ALLOCATED) ||
        !mutex_try_lock(&prefetcher->mutex))
        return;
    if (prefetcher->count < PREFETCH_QUEUE) {
        prefetcher->queue[(prefetcher->head + prefetcher->count++) % PREFETCH_QUEUE] =
            (ImageTarget){database, id};
        cond_signal(&prefetcher->cond);
    }
    mutex_unlock(&prefetcher->mutex);
}
