/*
 * The buffer pool: frames, what leaves them, and the thread that cleans ahead.
 *
 * Replacement is a clock with two temperatures. A loaded page is cold; reads soon after the
 * loading, a second or two at most, do not count (the `fresh` ring), so a scan's pages stay cold
 * and replace one another. A cold page read again later becomes hot when the hand comes by, and hot
 * pages are left alone while they are at most hot_target; above it those not read since become cold
 * again.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/scheduler.h"
#include "storage/store_internal.h"

#define POOL_WAIT_US 10000
#define CLEANER_IDLE_US 1000000
#define FRESH_SETTLE_US 1000000
#define CLEANER_STUCK_US 20000
#define TAKE_STEPS_MAX 512u /* of the clock hand, while somebody waits for a frame */

static size_t pool_bytes(const BufferPool *pool)
{
    return ((size_t)pool->count + 1) * PAGE_SIZE;
}

bool pool_init(Store *store)
{
    BufferPool *pool = &store->pool;
    const uint64_t wanted = MAX(store->options.pool_bytes, STORE_POOL_MIN) / PAGE_SIZE;

    pool->count = (uint32_t)MIN(wanted, UINT32_MAX / 2);
    pool->frames = memory_reserve(pool_bytes(pool));
    pool->infos = memory_calloc((size_t)pool->count + 1, sizeof(FrameInfo));
    pool->fresh_size = MAX(pool->count / 16, 1u);
    pool->fresh = memory_calloc(pool->fresh_size, sizeof(uint32_t));
    if (!pool->frames || !pool->infos || !pool->fresh) {
        pool_deinit(store);
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("could not reserve memory for the buffer pool"),
             .hint = STR("Reduce \"shared_buffers\"."));
    }
    (void)madvise(pool->frames, pool_bytes(pool), MADV_HUGEPAGE);
    (void)madvise(pool->frames, pool_bytes(pool), MADV_DONTDUMP);
    pool->low_water = MAX(pool->count / 64, 24u);
    pool->high_water = MAX(pool->count / 32, 48u);
    pool->shadow_quota = MAX(pool->count / 20, 16u);
    pool->hot_target = pool->count / 4 * 3;
    mutex_init(&pool->mutex, RANK_BUFFER_POOL);
    for (uint32_t frame = pool->count; frame > 0; frame--) {
        pool->infos[frame].next = pool->free_head;
        pool->free_head = frame;
    }
    atomic_store(&pool->free_count, pool->count);
    return true;
}

void pool_deinit(Store *store)
{
    BufferPool *pool = &store->pool;

    if (pool->frames)
        memory_release(pool->frames, pool_bytes(pool));
    memory_free(pool->infos);
    memory_free(pool->fresh);
    *pool = (BufferPool){0};
}

/* -------- The clock -------- */

static void frame_free(BufferPool *pool, uint32_t frame)
{
    FrameInfo *info = &pool->infos[frame];

    if (info->is_hot) {
        info->is_hot = false;
        pool->hot_count--;
    }
    atomic_store(&info->database, NULL);
    info->next = pool->free_head;
    pool->free_head = frame;
    atomic_fetch_add(&pool->free_count, 1);
}

/* Moves the hand by one frame; that frame's page where it should leave, else NULL. */
static PageEntry *hand_step(BufferPool *pool, bool take_fresh, uint32_t *ret_frame)
    REQUIRES(pool->mutex)
{
    assert(pool->count > 0);
    pool->hand = pool->hand % pool->count + 1;
    FrameInfo *info = &pool->infos[pool->hand];
    Database *database = atomic_load(&info->database);
    if (!database)
        return NULL;
    PageEntry *entry = &database->entries[atomic_load(&info->page)];
    if (atomic_load(&entry->frame) != pool->hand)
        return NULL;
    const uint8_t heat = atomic_load_explicit(&entry->heat, memory_order_relaxed);
    if (info->is_hot) {
        if (pool->hot_count <= pool->hot_target)
            return NULL;
        if (heat == HEAT_READ) {
            atomic_store_explicit(&entry->heat, HEAT_COLD, memory_order_relaxed);
            return NULL;
        }
        info->is_hot = false;
        pool->hot_count--;
        return NULL;
    }
    if (heat == HEAT_READ) {
        info->is_hot = true;
        pool->hot_count++;
        atomic_store_explicit(&entry->heat, HEAT_COLD, memory_order_relaxed);
        return NULL;
    }
    if (heat == HEAT_FRESH && !take_fresh)
        return NULL;
    *ret_frame = pool->hand;
    return entry;
}

/* Takes a clean page out of memory; false: it is latched, dirty or being written. */
static bool frame_evict(BufferPool *pool, PageEntry *entry, uint32_t frame) REQUIRES(pool->mutex)
{
    const uint16_t busy = PAGE_FLAG_DIRTY | PAGE_FLAG_IO_PENDING | PAGE_FLAG_SHADOWED;

    if ((atomic_load(&entry->flags) & busy) || !page_entry_try_latch(entry))
        return false;
    if (atomic_load(&entry->frame) != frame || (atomic_load(&entry->flags) & busy)) {
        page_entry_unlatch_unchanged(entry);
        return false;
    }
    atomic_store(&entry->frame, 0);
    frame_free(pool, frame);
    page_entry_unlatch(entry);
    return true;
}

static void cleaner_kick(BufferPool *pool) REQUIRES(pool->mutex)
{
    if (!pool->cleaner_kicked) {
        pool->cleaner_kicked = true;
        cond_signal(&pool->cleaner_cond);
    }
}

bool pool_take(BufferPool *pool, uint32_t count, uint32_t *ret_frames)
{
    mutex_lock(&pool->mutex);
    for (uint32_t step = 0; atomic_load(&pool->free_count) < count && step < TAKE_STEPS_MAX;
         step++) {
        uint32_t frame;
        PageEntry *entry = hand_step(pool, step > TAKE_STEPS_MAX / 2, &frame);
        if (entry)
            (void)frame_evict(pool, entry, frame);
    }
    const bool ok = atomic_load(&pool->free_count) >= count;
    for (uint32_t i = 0; ok && i < count; i++) {
        ret_frames[i] = pool->free_head;
        pool->free_head = pool->infos[pool->free_head].next;
        atomic_fetch_sub(&pool->free_count, 1);
    }
    if (!ok || atomic_load(&pool->free_count) < pool->low_water)
        cleaner_kick(pool);
    mutex_unlock(&pool->mutex);
    metric_add(METRIC_FRAMES_ALLOCATED, ok ? count : 0);
    return ok;
}

/* Waiters of a kind are woken together and look again. */
static void pool_wake(BufferPool *pool, uint64_t key) REQUIRES(pool->mutex)
{
    for (PoolWaiter **at = &pool->waiters; *at;) {
        PoolWaiter *waiter = *at;
        if (waiter->key != key) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        event_set(&waiter->event);
    }
}

void pool_give(BufferPool *pool, const uint32_t *frames, uint32_t count)
{
    mutex_lock(&pool->mutex);
    for (uint32_t i = 0; i < count; i++)
        frame_free(pool, frames[i]);
    pool_wake(pool, 0);
    mutex_unlock(&pool->mutex);
}

void pool_wake_frames(BufferPool *pool)
{
    mutex_lock(&pool->mutex);
    pool_wake(pool, 0);
    mutex_unlock(&pool->mutex);
}

/* A page leaves the ring of fresh ones: from now on its reads count. */
static void fresh_leave(BufferPool *pool, uint32_t at) REQUIRES(pool->mutex)
{
    const uint32_t frame = pool->fresh[at];
    Database *database = frame ? atomic_load(&pool->infos[frame].database) : NULL;

    pool->fresh[at] = 0;
    if (!database)
        return;
    PageEntry *entry = &database->entries[atomic_load(&pool->infos[frame].page)];
    uint8_t expected = HEAT_FRESH;
    if (atomic_load(&entry->frame) == frame)
        atomic_compare_exchange_strong(&entry->heat, &expected, HEAT_COLD);
}

static void fresh_push(BufferPool *pool, uint32_t frame) REQUIRES(pool->mutex)
{
    fresh_leave(pool, pool->fresh_next);
    pool->fresh[pool->fresh_next] = frame;
    pool->fresh_next = (pool->fresh_next + 1) % pool->fresh_size;
    pool->fresh_pushed++;
}

/*
 * What was loaded before the settling before this one leaves, too: where little is loaded, the ring
 * would keep its pages fresh for ever, and the next scan would take those that are in use.
 */
static void fresh_settle(BufferPool *pool) REQUIRES(pool->mutex)
{
    const int64_t now = os->monotonic();

    if (now < pool->fresh_settle_at)
        return;
    for (uint32_t i = pool->fresh_pushed; i < pool->fresh_size; i++)
        fresh_leave(pool, (pool->fresh_next + i - pool->fresh_pushed) % pool->fresh_size);
    pool->fresh_pushed = 0;
    pool->fresh_settle_at = now + FRESH_SETTLE_US;
}

void pool_assign(BufferPool *pool, uint32_t frame, Database *database, PageId page, bool is_fresh)
{
    PageEntry *entry = &database->entries[page];

    atomic_store(&pool->infos[frame].page, page);
    atomic_store(&pool->infos[frame].database, database);
    atomic_store(&entry->heat, is_fresh ? HEAT_FRESH : HEAT_COLD);
    atomic_store_explicit(&entry->frame, frame, memory_order_release);
    if (is_fresh) {
        mutex_lock(&pool->mutex);
        fresh_push(pool, frame);
        mutex_unlock(&pool->mutex);
    }
}

/* -------- Waiting -------- */

static WaitOutcome pool_wait(BufferPool *pool, PoolWaiter *waiter, WaitEvent name)
{
    const WaitOutcome outcome = event_wait(&waiter->event, deadline_after(POOL_WAIT_US), name);

    mutex_lock(&pool->mutex);
    for (PoolWaiter **at = &pool->waiters; *at; at = &(*at)->next) {
        if (*at == waiter) {
            *at = waiter->next;
            break;
        }
    }
    mutex_unlock(&pool->mutex);
    return outcome;
}

bool pool_wait_for_frames(Store *store)
{
    BufferPool *pool = &store->pool;
    PoolWaiter waiter = {.key = 0};

    const SqlState write_error = (SqlState)atomic_load(&pool->write_error);
    if (write_error && !task_current()->interrupts_held)
        FAIL(write_error,
             .message = write_error == ERR_DISK_FULL
                            ? STR("could not write changed pages: No space left on device")
                            : STR("could not write changed pages"),
             .hint = STR("Check the disk and its free space."));
    event_init(&waiter.event);
    mutex_lock(&pool->mutex);
    waiter.next = pool->waiters;
    pool->waiters = &waiter;
    cleaner_kick(pool);
    mutex_unlock(&pool->mutex);
    return pool_wait(pool, &waiter, WAIT_EVENT_BUFFER_POOL) != WAIT_FAILED;
}

static uint64_t load_key(const Database *database, PageId page)
{
    return (uint64_t)database->id << 32 | page;
}

void pool_wait_for_load(Store *store, Database *database, PageId page)
{
    BufferPool *pool = &store->pool;
    PoolWaiter waiter = {.key = load_key(database, page)};

    event_init(&waiter.event);
    mutex_lock(&pool->mutex);
    const bool is_loading = atomic_load(&database->entries[page].frame) == PAGE_FRAME_LOADING;
    if (is_loading) {
        waiter.next = pool->waiters;
        pool->waiters = &waiter;
    }
    mutex_unlock(&pool->mutex);
    if (!is_loading)
        return;
    /* Not cut short: the caller looks again until the page is there, and who loads it may need
     * this worker. */
    Task *task = task_current();
    const bool were_held = task->interrupts_held;
    task->interrupts_held = true;
    const WaitOutcome outcome = pool_wait(pool, &waiter, WAIT_EVENT_DATA_FILE_READ);
    task->interrupts_held = were_held;
    assert(outcome != WAIT_FAILED);
    (void)outcome;
}

void pool_wake_load(BufferPool *pool, Database *database, PageId page)
{
    mutex_lock(&pool->mutex);
    pool_wake(pool, load_key(database, page));
    mutex_unlock(&pool->mutex);
}

/* -------- The cleaner -------- */

/* Frees clean pages under the hand and collects dirty ones that should leave. */
static uint32_t cleaner_collect(BufferPool *pool, ImageTarget *ret_targets, uint32_t *ret_frames)
    REQUIRES(pool->mutex)
{
    uint32_t count = 0;
    const uint32_t laps = pool->count * 3;

    for (uint32_t step = 0; step < laps && count < IMAGE_BATCH; step++) {
        if (atomic_load(&pool->free_count) + count >= pool->high_water)
            break;
        uint32_t frame;
        PageEntry *entry = hand_step(pool, step > pool->count, &frame);
        if (!entry || frame_evict(pool, entry, frame))
            continue;
        const uint16_t flags = atomic_load(&entry->flags);
        if (!(flags & PAGE_FLAG_DIRTY) || (flags & PAGE_FLAG_IO_PENDING) ||
            ((flags & PAGE_FLAG_SHADOWED) && !FAULT(fault_evict_shadow)))
            continue;
        ret_frames[count] = frame;
        ret_targets[count++] = (ImageTarget){atomic_load(&pool->infos[frame].database),
                                             atomic_load(&pool->infos[frame].page)};
    }
    return count;
}

static int target_compare(const void *a, const void *b)
{
    const ImageTarget *left = a, *right = b;

    if (left->database->id != right->database->id)
        return left->database->id < right->database->id ? -1 : 1;
    return left->page < right->page ? -1 : left->page > right->page;
}

static bool cleaner_write(Store *store, ImageBatch *batch, ImageTarget *targets, uint32_t count)
{
    qsort(targets, count, sizeof(*targets), target_compare);
    TRY(image_batch_begin(store, batch, count));
    for (uint32_t i = 0; i < count; i++)
        image_batch_add(store, batch, targets[i], IMAGE_EVICTION);
    atomic_fetch_add_explicit(&store->images_eviction, batch->used, memory_order_relaxed);
    metric_add(METRIC_EVICTION_PAGES_WRITTEN, batch->used);
    return image_batch_write(store, batch);
}

/* While pages cannot be written nobody may make more of them. */
static void cleaner_note(Store *store, SqlState write_error)
{
    atomic_store(&store->pool.write_error, write_error);
    wal_refuse(store->wal, write_error);
}

/* True: something came free. */
static bool cleaner_round(Store *store, ImageBatch *batch) REQUIRES(store->pool.mutex)
{
    BufferPool *pool = &store->pool;
    ImageTarget targets[IMAGE_BATCH];
    uint32_t frames[IMAGE_BATCH];
    const uint32_t before = atomic_load(&pool->free_count);
    const uint32_t count = cleaner_collect(pool, targets, frames);

    if (count > 0) {
        pool->batches_started++;
        mutex_unlock(&pool->mutex);
        const bool ok = cleaner_write(store, batch, targets, count);
        const SqlState write_error = ok ? 0 : error_fields()->sqlstate;
        if (!ok)
            error_clear();
        mutex_lock(&pool->mutex);
        pool->batches_done++;
        cond_broadcast(&pool->batch_cond);
        cleaner_note(store, write_error);
        for (uint32_t i = 0; ok && i < count; i++) {
            Database *database = atomic_load(&pool->infos[frames[i]].database);
            if (database)
                (void)frame_evict(
                    pool, &database->entries[atomic_load(&pool->infos[frames[i]].page)], frames[i]);
        }
    }
    const bool progress = atomic_load(&pool->free_count) > before;
    if (progress || atomic_load(&pool->write_error))
        pool_wake(pool, 0);
    return progress;
}

static void cleaner_main(void *argument)
{
    Store *store = argument;
    BufferPool *pool = &store->pool;
    ImageBatch batch;

    if (!image_batch_init(&batch)) /* the process has just begun */
        panic("out of memory for writing pages");
    mutex_lock(&pool->mutex);
    while (!pool->cleaner_stop) {
        pool->cleaner_kicked = false;
        fresh_settle(pool);
        bool progress = true;
        while (!pool->cleaner_stop && pool->cleaner_paused == 0 && progress &&
               atomic_load(&pool->free_count) < pool->high_water)
            progress = cleaner_round(store, &batch);
        if (atomic_load(&pool->write_error) && atomic_load(&pool->free_count) >= pool->high_water)
            cleaner_note(store, 0); /* nothing has to be written now: the next time tells */
        if (pool->cleaner_stop || (pool->cleaner_kicked && progress && !pool->cleaner_paused))
            continue;
        /* Without progress (everything latched, shadowed or the disk full) try again soon. */
        (void)cond_wait_until(&pool->cleaner_cond, &pool->mutex,
                              deadline_after(progress ? CLEANER_IDLE_US : CLEANER_STUCK_US));
    }
    mutex_unlock(&pool->mutex);
    image_batch_deinit(&batch);
}

void pool_cleaner_start(Store *store)
{
    store->cleaner = os->thread_start("page cleaner", cleaner_main, store);
}

void pool_cleaner_stop(Store *store)
{
    BufferPool *pool = &store->pool;

    if (!store->cleaner)
        return;
    mutex_lock(&pool->mutex);
    pool->cleaner_stop = true;
    cond_broadcast(&pool->cleaner_cond);
    mutex_unlock(&pool->mutex);
    os->thread_join(store->cleaner);
    store->cleaner = NULL;
}

void pool_cleaner_settle(Store *store)
{
    BufferPool *pool = &store->pool;

    mutex_lock(&pool->mutex);
    const uint64_t started = pool->batches_started;
    while (pool->batches_done < started)
        cond_wait(&pool->batch_cond, &pool->mutex);
    mutex_unlock(&pool->mutex);
}

void pool_cleaner_pause(Store *store)
{
    mutex_lock(&store->pool.mutex);
    store->pool.cleaner_paused++;
    mutex_unlock(&store->pool.mutex);
    pool_cleaner_settle(store);
}

void pool_cleaner_resume(Store *store)
{
    mutex_lock(&store->pool.mutex);
    store->pool.cleaner_paused--;
    cond_broadcast(&store->pool.cleaner_cond);
    mutex_unlock(&store->pool.mutex);
}

void pool_drop_database(Store *store, Database *database)
{
    BufferPool *pool = &store->pool;

    mutex_lock(&pool->mutex);
    for (uint32_t frame = 1; frame <= pool->count; frame++) {
        if (atomic_load(&pool->infos[frame].database) != database)
            continue;
        const PageId page = atomic_load(&pool->infos[frame].page);
        if (atomic_load(&database->entries[page].flags) & PAGE_FLAG_DIRTY)
            dirty_count_add(store, -1);
        frame_free(pool, frame);
    }
    mutex_unlock(&pool->mutex);
}
