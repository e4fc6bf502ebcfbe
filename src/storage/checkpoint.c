/*
 * Checkpoints (ENGINE 1): boundary, images, sync, log, map, superblock, release.
 *
 * Every step may fail up to the superblock; then the checkpoint is abandoned: the durable one
 * stays valid, and what was to be written belongs to the next.
 */
#include "storage/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error_record.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "storage/wal_internal.h"

#define CHECKPOINT_RETRY_US 1000000
#define PACE_SLEEP_US 20000

/* How far a checkpoint that nobody waits for may be, so that its writes are spread. */
typedef struct Pace {
    bool is_on;
    int64_t start;
    Lsn log_start;
} Pace;

struct Checkpointer {
    Mutex mutex; /* rank CHECKPOINT */
    Cond cond;
    Job *jobs, **jobs_tail;
    bool wanted; /* by size, or without waiting */
    bool stop;
    Pace pace;      /* of the checkpoint under way; the thread's own */
    StoreClose how; /* with stop */
    bool last_ok;
    SqlState last_sqlstate;
    char last_message[300];
    Thread *thread;
    _Atomic int64_t timeout_us;
    _Atomic uint64_t max_wal_bytes;
    _Atomic double completion_target;
    _Atomic Lsn wake_at; /* the log's end that starts a checkpoint */
};

/* -------- One checkpoint -------- */

typedef struct Boundary {
    uint32_t checkpoint;
    Lsn end; /* B */
    Lsn redo;
    bool has_loose_pages;
    int64_t pause_us;
} Boundary;

/* The instant at which no action is open (C1). */
static Boundary checkpoint_boundary(Store *store)
{
    const int64_t start = os->monotonic();
    Boundary boundary;

    actions_close_gate(store);
    mutex_lock(&store->map_mutex);
    boundary.checkpoint = atomic_load(&store->epoch);
    page_maps_begin_checkpoint(store);
    atomic_store(&store->running, boundary.checkpoint);
    atomic_store(&store->epoch, boundary.checkpoint + 1);
    atomic_store(&store->image_failed, false);
    mutex_unlock(&store->map_mutex);
    /* The order counts (C3): who reserves later than this has published a floor above it. */
    boundary.end = wal_reserved_end(store->wal);
    const Lsn floor = store->redo_floor ? store->redo_floor(store->redo_floor_context) : LSN_MAX;
    boundary.redo = FAULT(fault_no_redo_floor) ? boundary.end : MIN(boundary.end, floor);
    boundary.has_loose_pages = atomic_load(&store->loose_count) > 0;
    actions_open_gate(store);

    boundary.pause_us = os->monotonic() - start;
    if ((uint64_t)boundary.pause_us > atomic_load(&store->boundary_microseconds_max))
        atomic_store(&store->boundary_microseconds_max, (uint64_t)boundary.pause_us);
    return boundary;
}

static int owed_compare(const void *a, const void *b)
{
    const ImageTarget *left = a, *right = b;

    if (left->database->id != right->database->id)
        return left->database->id < right->database->id ? -1 : 1;
    return left->page < right->page ? -1 : left->page > right->page;
}

/* Dirty pages of the epochs up to the boundary, by database and page; a superset. */
static ImageTarget *checkpoint_list_owed(Store *store, size_t *ret_count)
{
    BufferPool *pool = &store->pool;
    ImageTarget *owed = memory_malloc(sizeof(ImageTarget) * pool->count);
    size_t count = 0;

    if (!owed)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory for a checkpoint"));
    for (uint32_t frame = 1; frame <= pool->count; frame++) {
        Database *database = atomic_load(&pool->infos[frame].database);
        if (!database)
            continue;
        const PageId page = atomic_load(&pool->infos[frame].page);
        const uint16_t flags = atomic_load(&database->entries[page].flags);
        if ((flags & PAGE_FLAG_DIRTY) && !(flags & PAGE_FLAG_TEMPORARY))
            owed[count++] = (ImageTarget){database, page};
    }
    qsort(owed, count, sizeof(*owed), owed_compare);
    *ret_count = count;
    return owed;
}

static bool checkpoint_flush_batch(Store *store, ImageBatch *batch)
{
    atomic_fetch_add_explicit(&store->images_checkpoint, batch->used, memory_order_relaxed);
    metric_add(METRIC_CHECKPOINT_PAGES_WRITTEN, batch->used);
    return image_batch_write(store, batch);
}

/* Shadows first: their frames are few, and writers wait for them. */
static bool checkpoint_write_shadows(Store *store, ImageBatch *batch)
{
    while (atomic_load(&store->shadow_count) > 0) {
        const uint32_t count = MIN(atomic_load(&store->shadow_count), (uint32_t)IMAGE_BATCH);
        TRY(image_batch_begin(store, batch, count));
        while (batch->used < count && image_batch_add_shadow(store, batch))
            continue;
        TRY(checkpoint_flush_batch(store, batch));
    }
    return true;
}

/* The page as it is now belongs to the image, and nobody has written it. A quick look. */
static bool page_seems_owed(const Store *store, const ImageTarget *target)
{
    PageEntry *entry = &target->database->entries[target->page];
    const uint16_t flags = atomic_load(&entry->flags);

    if ((flags & (PAGE_FLAG_DIRTY | PAGE_FLAG_TEMPORARY | PAGE_FLAG_SHADOWED)) != PAGE_FLAG_DIRTY)
        return false;
    page_entry_latch_shared(entry);
    const bool is_owed = entry->epoch <= atomic_load(&store->running);
    page_entry_unlatch_shared(entry);
    return is_owed;
}

/* How much of what it may take until the next one is due has passed: the more of time and log. */
static double pace_due(Store *store, const Checkpointer *checkpointer)
{
    const Pace *pace = &checkpointer->pace;
    const double log_bytes = (double)atomic_load(&checkpointer->max_wal_bytes) / 2;
    const double timeout = (double)atomic_load(&checkpointer->timeout_us);
    const double log = (double)(wal_reserved_end(store->wal) - pace->log_start) / log_bytes;
    /* Without a timeout the log alone counts. */
    const double time = timeout > 0 ? (double)(os->monotonic() - pace->start) / timeout : 0;

    return MAX(log, time);
}

/* Is it ahead of its time with this share written? */
static bool pace_is_ahead(Store *store, const Checkpointer *checkpointer, double written)
{
    const double target = atomic_load(&checkpointer->completion_target);

    return written * target > pace_due(store, checkpointer);
}

static bool checkpointer_is_awaited(Checkpointer *checkpointer)
{
    mutex_lock(&checkpointer->mutex);
    const bool is_awaited = checkpointer->stop || checkpointer->jobs;
    mutex_unlock(&checkpointer->mutex);
    return is_awaited;
}

/* Sleeps while `done` of `total` pages is more than is due. Shadows are not kept waiting. */
static bool checkpoint_pace(Store *store, ImageBatch *batch, size_t done, size_t total)
{
    Checkpointer *checkpointer = store->checkpointer;
    Pace *pace = checkpointer ? &checkpointer->pace : NULL;

    while (pace && pace->is_on &&
           pace_is_ahead(store, checkpointer, (double)done / (double)total)) {
        if (checkpointer_is_awaited(checkpointer)) {
            pace->is_on = false;
            break;
        }
        if (atomic_load(&store->shadow_count) > store->pool.shadow_quota / 4)
            TRY(checkpoint_write_shadows(store, batch));
        mutex_lock(&checkpointer->mutex);
        if (!checkpointer->stop && !checkpointer->jobs)
            (void)cond_wait_until(&checkpointer->cond, &checkpointer->mutex,
                                  os->monotonic() + PACE_SLEEP_US);
        mutex_unlock(&checkpointer->mutex);
    }
    return true;
}

/* One pass over the list; what is still owed afterwards moves to its front. */
static bool checkpoint_pass(Store *store, ImageBatch *batch, ImageTarget *owed, size_t *count)
{
    for (size_t i = 0; i < *count;) {
        TRY(checkpoint_pace(store, batch, i, *count));
        TRY(checkpoint_write_shadows(store, batch));
        const uint32_t part = (uint32_t)MIN(*count - i, (size_t)IMAGE_BATCH);
        TRY(image_batch_begin(store, batch, part));
        for (const size_t end = i + part; i < end; i++)
            image_batch_add(store, batch, owed[i], IMAGE_CHECKPOINT);
        TRY(checkpoint_flush_batch(store, batch));
    }
    TRY(checkpoint_write_shadows(store, batch));
    /* The cleaner may be writing pages that this checkpoint owes, or an older image of one. */
    pool_cleaner_settle(store);
    if (atomic_load(&store->image_failed))
        FAIL(ERR_IO_ERROR, .message = STR("could not write a page of the checkpoint"));
    size_t left = 0;
    for (size_t i = 0; i < *count; i++) {
        if (page_seems_owed(store, &owed[i]))
            owed[left++] = owed[i];
    }
    *count = left;
    return true;
}

static bool checkpoint_write_images(Store *store)
{
    ImageBatch batch;
    size_t count = 0;
    ImageTarget *owed = checkpoint_list_owed(store, &count);
    bool ok = owed != NULL;

    TRY(ok);
    if (FAULT(fault_slow_checkpoint) && !task_sleep(FAULT_DELAY_US, WAIT_EVENT_CHECKPOINTER_MAIN))
        error_clear();
    ok = image_batch_init(&batch) && checkpoint_pass(store, &batch, owed, &count);
    while (ok && (count > 0 || atomic_load(&store->shadow_count) > 0))
        ok = checkpoint_pass(store, &batch, owed, &count);
    image_batch_deinit(&batch);
    memory_free(owed);
    return ok;
}

/* Shadows that nobody is owed any more. The pages themselves are dirty. */
static void checkpoint_drop_shadows(Store *store)
{
    BufferPool *pool = &store->pool;

    mutex_lock(&store->map_mutex);
    uint32_t frame = store->shadow_head;
    store->shadow_head = store->shadow_tail = 0;
    for (uint32_t at = frame; at != 0; at = pool->infos[at].next) {
        Database *database = pool->infos[at].shadow_of;
        const PageId page = atomic_load(&pool->infos[at].page);
        const uint16_t flags = atomic_fetch_and(&database->entries[page].flags,
                                                (uint16_t) ~(PAGE_FLAG_SHADOWED | PAGE_FLAG_FREED));
        if (flags & PAGE_FLAG_FREED)
            page_map_tombstone(store, database->map, page);
        atomic_fetch_sub(&store->shadow_count, 1);
    }
    mutex_unlock(&store->map_mutex);
    while (frame != 0) {
        const uint32_t next = pool->infos[frame].next;
        pool_give(pool, &frame, 1);
        frame = next;
    }
}

static void checkpoint_abandon(Store *store)
{
    /* No new shadow may come once the queue is empty: `running` changes behind the gate. */
    pool_cleaner_pause(store);
    actions_close_gate(store);
    checkpoint_drop_shadows(store);
    mutex_lock(&store->map_mutex);
    page_maps_abandon_checkpoint(store);
    atomic_store(&store->running, 0);
    mutex_unlock(&store->map_mutex);
    actions_open_gate(store);
    pool_cleaner_resume(store);
    atomic_fetch_add(&store->checkpoints_failed, 1);
}

/* Takes back what a failed checkpoint has written, and the reserve; why it failed stays set. */
static void checkpoint_tidy(Store *store)
{
    ErrorRecord *why = error_put_aside();

    page_map_files_clean(store);
    reserve_keep(store);
    error_put_back(why);
}

static void checkpoint_finish(Store *store, const Boundary *boundary)
{
    mutex_lock(&store->map_mutex);
    page_maps_end_checkpoint(store);
    atomic_store(&store->durable, boundary->checkpoint);
    atomic_store(&store->running, 0);
    mutex_unlock(&store->map_mutex);
    pool_wake_frames(&store->pool);
    page_map_files_clean(store);
    reserve_keep(store);
    wal_recycle(store->wal, boundary->redo);
    atomic_fetch_add(&store->checkpoints_done, 1);
}

static bool checkpoint_write(Store *store, const Boundary *boundary, CheckpointReport *report)
{
    Superblock superblock = store->superblock;
    const int64_t start = os->monotonic();
    const uint64_t images = atomic_load(&store->images_checkpoint);

    TRY(checkpoint_write_images(store));
    const int64_t written = os->monotonic();
    if (!os->file_sync(store->data_file))
        panic("could not sync the data file: %.*s", STR_ARGS(error_fields()->message));
    metric_add(METRIC_CHECKPOINT_WRITE_MICROSECONDS, (uint64_t)(written - start));
    metric_add(METRIC_CHECKPOINT_SYNC_MICROSECONDS, (uint64_t)(os->monotonic() - written));
    if (!FAULT(fault_no_wal_flush))
        wal_flush(store->wal, boundary->end);
    superblock.checkpoint = boundary->checkpoint;
    superblock.redo = boundary->redo;
    superblock.has_loose_pages = boundary->has_loose_pages;
    superblock.wal_durable = FAULT(fault_no_wal_flush) ? 0 : boundary->end;
    superblock.is_clean =
        report->reason == CHECKPOINT_AT_END && boundary->redo == wal_reserved_end(store->wal);
    TRY(page_map_files_write(store, &superblock));
    TRY(superblock_write(store->path, &superblock));
    page_map_files_adopt(store);
    report->is_complete = true;
    report->page_count = atomic_load(&store->images_checkpoint) - images;
    report->write_us = written - start;
    report->sync_us = os->monotonic() - written;
    report->total_us = os->monotonic() - start;
    report->boundary_us = boundary->pause_us;
    report->log_bytes = boundary->redo - store->superblock.redo;
    report->redo = boundary->redo;
    store->superblock = superblock;
    return true;
}

static bool maps_have_changes(Store *store)
{
    bool has_changes = store->dropped[EPOCH_CURRENT].length > 0;

    mutex_lock(&store->map_mutex);
    for (size_t i = 0; i < store->database_count; i++) {
        const PageMap *map = store->databases[i];
        has_changes |= map->delta[EPOCH_CURRENT].length > 0 || map->created[EPOCH_CURRENT];
    }
    mutex_unlock(&store->map_mutex);
    return has_changes;
}

static bool checkpoint_has_work(Store *store, bool is_last)
{
    if (store->superblock.redo != wal_reserved_end(store->wal) ||
        (is_last && !store->superblock.is_clean) || maps_have_changes(store))
        return true;
    for (uint32_t frame = 1; frame <= store->pool.count; frame++) {
        Database *database = atomic_load(&store->pool.infos[frame].database);
        if (!database)
            continue;
        const uint16_t flags =
            atomic_load(&database->entries[atomic_load(&store->pool.infos[frame].page)].flags);
        if ((flags & PAGE_FLAG_DIRTY) && !(flags & PAGE_FLAG_TEMPORARY))
            return true;
    }
    return false;
}

static void checkpoint_tell(Store *store, const CheckpointReport *report)
{
    if (store->on_checkpoint)
        store->on_checkpoint(store->on_checkpoint_context, report);
}

bool checkpoint_run(Store *store, CheckpointReason reason)
{
    CheckpointReport report = {.reason = reason};

    if (!checkpoint_has_work(store, reason == CHECKPOINT_AT_END))
        return true;
    checkpoint_tell(store, &report);
    const Boundary boundary = checkpoint_boundary(store);
    if (checkpoint_write(store, &boundary, &report)) {
        checkpoint_finish(store, &boundary);
        checkpoint_tell(store, &report);
        return true;
    }
    checkpoint_abandon(store);
    checkpoint_tidy(store);
    return false;
}

/* -------- The thread -------- */

static bool job_run(Store *store, const Job *job)
{
    switch (job->kind) {
    case JOB_CREATE:
        return job_create(store, job->id);
    case JOB_CLONE:
        return job_clone(store, job->id, job->source);
    case JOB_DROP:
        return job_drop(store, job->id);
    case JOB_CHECKPOINT:
        break;
    }
    return checkpoint_run(store, CHECKPOINT_BY_REQUEST);
}

static void job_finish(Job *job, bool ok)
{
    job->ok = ok;
    if (!ok) {
        job->sqlstate = error_fields()->sqlstate;
        snprintf(job->message, sizeof(job->message), "%.*s", STR_ARGS(error_fields()->message));
        error_clear();
    }
    event_set(&job->done); /* the job is gone after this */
}

/* Answers every request for a plain checkpoint that came before it began. */
static void checkpointer_finish_jobs(Checkpointer *checkpointer, Job *jobs, bool ok)
{
    for (Job *job = jobs, *next; job; job = next) {
        next = job->next;
        job->ok = ok;
        if (!ok) {
            job->sqlstate = checkpointer->last_sqlstate;
            snprintf(job->message, sizeof(job->message), "%s", checkpointer->last_message);
        }
        event_set(&job->done);
    }
}

static void checkpointer_note(Checkpointer *checkpointer, bool ok)
{
    checkpointer->last_ok = ok;
    if (ok)
        return;
    checkpointer->last_sqlstate = error_fields()->sqlstate;
    snprintf(checkpointer->last_message, sizeof(checkpointer->last_message), "%.*s",
             STR_ARGS(error_fields()->message));
    error_clear();
}

static Job *checkpointer_take_jobs(Checkpointer *checkpointer, JobKind kind)
{
    Job *taken = NULL;

    for (Job **at = &checkpointer->jobs; *at;) {
        Job *job = *at;
        if (job->kind != kind) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        job->next = taken;
        taken = job;
    }
    checkpointer->jobs_tail = &checkpointer->jobs;
    while (*checkpointer->jobs_tail)
        checkpointer->jobs_tail = &(*checkpointer->jobs_tail)->next;
    return taken;
}

/*
 * Where the log starts the next checkpoint. A transaction under way may keep the log from long
 * before the last one: another one helps only after a while.
 */
static Lsn log_is_due_at(const Store *store, const Checkpointer *checkpointer)
{
    const uint64_t bytes = atomic_load(&checkpointer->max_wal_bytes);

    return MAX(store->superblock.redo + bytes / 2, checkpointer->pace.log_start + bytes / 4);
}

/* Runs what is due; the mutex is released meanwhile. */
static void checkpointer_work(Store *store, Checkpointer *checkpointer)
{
    Job *waiting = checkpointer_take_jobs(checkpointer, JOB_CHECKPOINT);
    Job *job = waiting ? NULL : checkpointer->jobs;
    const CheckpointReason reason = waiting                ? CHECKPOINT_BY_REQUEST
                                    : checkpointer->wanted ? CHECKPOINT_BY_LOG
                                                           : CHECKPOINT_BY_TIME;

    if (job) {
        checkpointer->jobs = job->next;
        if (!checkpointer->jobs)
            checkpointer->jobs_tail = &checkpointer->jobs;
    } else {
        checkpointer->wanted = false;
    }
    mutex_unlock(&checkpointer->mutex);
    if (job) {
        job_finish(job, job_run(store, job));
        mutex_lock(&checkpointer->mutex);
        return;
    }
    checkpointer->pace = (Pace){
        .is_on = !waiting,
        .start = os->monotonic(),
        .log_start = wal_reserved_end(store->wal),
    };
    metric_add(
        reason == CHECKPOINT_BY_TIME ? METRIC_CHECKPOINTS_TIMED : METRIC_CHECKPOINTS_REQUESTED, 1);
    const bool ok = checkpoint_run(store, reason);
    checkpointer->pace.is_on = false;
    checkpointer_note(checkpointer, ok);
    atomic_store(&checkpointer->wake_at, log_is_due_at(store, checkpointer));
    mutex_lock(&checkpointer->mutex);
    checkpointer_finish_jobs(checkpointer, waiting, ok);
}

static void checkpointer_main(void *argument)
{
    Store *store = argument;
    Checkpointer *checkpointer = store->checkpointer;
    int64_t last = os->monotonic();

    mutex_lock(&checkpointer->mutex);
    while (!checkpointer->stop) {
        const int64_t timeout = atomic_load(&checkpointer->timeout_us);
        const bool retry = !checkpointer->last_ok;
        Deadline deadline = timeout > 0 ? last + timeout : DEADLINE_NEVER;
        if (retry)
            deadline = MIN(deadline, last + CHECKPOINT_RETRY_US);
        if (checkpointer->jobs || (checkpointer->wanted && !retry) || os->monotonic() >= deadline) {
            last = os->monotonic(); /* from beginning to beginning */
            checkpointer_work(store, checkpointer);
            continue;
        }
        (void)cond_wait_until(&checkpointer->cond, &checkpointer->mutex, deadline);
    }
    checkpointer_finish_jobs(checkpointer, checkpointer->jobs, false);
    checkpointer->jobs = NULL;
    mutex_unlock(&checkpointer->mutex);
    if (checkpointer->how == STORE_CLOSE_CLEAN)
        checkpointer_note(checkpointer, checkpoint_run(store, CHECKPOINT_AT_END));
}

/* The log writer says how far the log has come. */
static void checkpointer_on_wal(void *context, Lsn flushed)
{
    Store *store = context;
    Checkpointer *checkpointer = store->checkpointer;

    if (flushed < atomic_load_explicit(&checkpointer->wake_at, memory_order_relaxed))
        return;
    atomic_store(&checkpointer->wake_at, LSN_MAX);
    mutex_lock(&checkpointer->mutex);
    checkpointer->wanted = true;
    cond_signal(&checkpointer->cond);
    mutex_unlock(&checkpointer->mutex);
}

void checkpointer_start(Store *store)
{
    Checkpointer *checkpointer = memory_calloc(1, sizeof(Checkpointer));

    if (!checkpointer)
        panic("out of memory for the checkpointer");
    mutex_init(&checkpointer->mutex, RANK_CHECKPOINT);
    checkpointer->jobs_tail = &checkpointer->jobs;
    checkpointer->last_ok = true;
    store->checkpointer = checkpointer;
    store_configure(store, &store->options);
    wal_subscribe(store->wal, checkpointer_on_wal, store);
    checkpointer->thread = os->thread_start("checkpointer", checkpointer_main, store);
}

bool checkpointer_stop(Store *store, StoreClose how)
{
    Checkpointer *checkpointer = store->checkpointer;

    if (!checkpointer)
        return true;
    mutex_lock(&checkpointer->mutex);
    checkpointer->stop = true;
    checkpointer->how = how;
    checkpointer->last_sqlstate = ERR_ADMIN_SHUTDOWN;
    snprintf(checkpointer->last_message, sizeof(checkpointer->last_message),
             "the database system is shutting down");
    checkpointer->last_ok = true;
    cond_signal(&checkpointer->cond);
    mutex_unlock(&checkpointer->mutex);
    os->thread_join(checkpointer->thread);
    const bool ok = checkpointer->last_ok;
    if (!ok)
        ERROR_SET(checkpointer->last_sqlstate, .message = str_from_c(checkpointer->last_message));
    return ok;
}

/* After the log writer has ended: it calls back until then. */
void checkpointer_free(Store *store)
{
    memory_free(store->checkpointer);
    store->checkpointer = NULL;
}

void store_configure(Store *store, const StoreOptions *options)
{
    Checkpointer *checkpointer = store->checkpointer;

    store->options.checkpoint_timeout_us = options->checkpoint_timeout_us;
    store->options.completion_target = options->completion_target;
    store->options.max_wal_bytes = options->max_wal_bytes ? options->max_wal_bytes : 1ull << 30;
    store->options.min_wal_bytes = options->min_wal_bytes ? options->min_wal_bytes : 80ull << 20;
    wal_configure(store->wal, store->options.min_wal_bytes);
    if (!checkpointer)
        return;
    mutex_lock(&checkpointer->mutex);
    atomic_store(&checkpointer->timeout_us, options->checkpoint_timeout_us);
    atomic_store(&checkpointer->completion_target, store->options.completion_target);
    atomic_store(&checkpointer->max_wal_bytes, store->options.max_wal_bytes);
    atomic_store(&checkpointer->wake_at, store->superblock.redo + store->options.max_wal_bytes / 2);
    cond_signal(&checkpointer->cond);
    mutex_unlock(&checkpointer->mutex);
}

/* -------- Asking -------- */

bool checkpointer_do(Store *store, Job *job)
{
    Checkpointer *checkpointer = store->checkpointer;

    if (!checkpointer)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE, .message = STR("recovery is in progress"));
    event_init(&job->done);
    job->next = NULL;
    mutex_lock(&checkpointer->mutex);
    if (checkpointer->stop) {
        mutex_unlock(&checkpointer->mutex);
        FAIL(ERR_ADMIN_SHUTDOWN, .message = STR("the database system is shutting down"));
    }
    *checkpointer->jobs_tail = job;
    checkpointer->jobs_tail = &job->next;
    cond_signal(&checkpointer->cond);
    mutex_unlock(&checkpointer->mutex);
    /* The job lives on this stack and may be under way: its end is waited for. */
    event_wait_uninterruptible(&job->done, WAIT_EVENT_CHECKPOINT);
    if (!job->ok)
        FAIL(job->sqlstate, .message = str_from_c(job->message));
    return true;
}

bool checkpoint_request(Store *store, CheckpointMode mode)
{
    if (mode == CHECKPOINT_WAIT)
        return checkpointer_do(store, &(Job){.kind = JOB_CHECKPOINT});
    Checkpointer *checkpointer = store->checkpointer;
    if (!checkpointer)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE, .message = STR("recovery is in progress"));
    mutex_lock(&checkpointer->mutex);
    checkpointer->wanted = true;
    cond_signal(&checkpointer->cond);
    mutex_unlock(&checkpointer->mutex);
    return true;
}
