/*
 * The buffer pool: frames, which pages lie in them, who waits for one, and the cleaner that keeps
 * some free. Guarded by pool.mutex except where a field says otherwise.
 */
#ifndef STORAGE_BUFFER_INTERNAL_H
#define STORAGE_BUFFER_INTERNAL_H

#include <stdatomic.h>

#include "base/sync.h"
#include "storage/page.h"

typedef struct FrameInfo {
    _Atomic(Database *) database; /* NULL: free, in stock, or a shadow */
    _Atomic PageId page;
    uint32_t next; /* in the free list or the shadow queue; 0 ends it */
    uint32_t shadow_epoch;
    Database *shadow_of;
    bool is_hot; /* under pool.mutex */
} FrameInfo;

typedef struct PoolWaiter {
    struct PoolWaiter *next;
    Event event;
    uint64_t key; /* 0: a frame; else database and page being loaded */
} PoolWaiter;

typedef struct BufferPool {
    byte *frames; /* frame n at n * PAGE_SIZE; frame 0 does not exist */
    FrameInfo *infos;
    uint32_t count; /* frames 1 … count */
    uint32_t low_water, high_water, shadow_quota;
    Mutex mutex; /* rank BUFFER_POOL; guards the rest */
    uint32_t free_head;
    _Atomic uint32_t free_count;
    uint32_t hand, hot_count, hot_target;
    uint32_t *fresh; /* a ring of frames loaded last, whose reads do not count */
    uint32_t fresh_size, fresh_next;
    uint32_t fresh_pushed;   /* since it was settled */
    int64_t fresh_settle_at; /* os->monotonic */
    PoolWaiter *waiters;
    Cond cleaner_cond;
    bool cleaner_stop, cleaner_kicked;
    uint32_t cleaner_paused;                /* nested: drops and closing */
    uint64_t batches_started, batches_done; /* image batches of the cleaner */
    Cond batch_cond;
    _Atomic uint32_t write_error; /* SqlState while pages cannot be written, else 0 */
} BufferPool;

MUST_CHECK bool pool_init(Store *store);
void pool_deinit(Store *store);
/* All or nothing, without waiting. */
bool pool_take(BufferPool *pool, uint32_t count, uint32_t *ret_frames);
/* Waits; fails where interrupted or the disk is full, unless the task holds interrupts. */
MUST_CHECK bool pool_wait_for_frames(Store *store);
void pool_give(BufferPool *pool, const uint32_t *frames, uint32_t count);
/* Gives the frame to a page that has just been loaded or allocated. */
void pool_assign(BufferPool *pool, uint32_t frame, Database *database, PageId page, bool is_fresh);
/* Waits until the page is no longer being loaded; spurious returns are possible. */
void pool_wait_for_load(Store *store, Database *database, PageId page);
void pool_wake_load(BufferPool *pool, Database *database, PageId page);
void pool_wake_frames(BufferPool *pool);
void pool_cleaner_start(Store *store);
void pool_cleaner_stop(Store *store);
void pool_cleaner_pause(Store *store);
void pool_cleaner_resume(Store *store);
/* Returns when every image batch that the cleaner has begun is on its way no more. */
void pool_cleaner_settle(Store *store);
/* Forgets the frames of a database that is going away. */
void pool_drop_database(Store *store, Database *database);

#endif
