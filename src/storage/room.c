/*
 * Room in the data file.
 *
 * Every dirty page needs a free slot to leave memory through, and the checkpoint that gives old
 * slots back needs one for every dirty page. So there are always as many free slots, with blocks of
 * the disk under them, as there are dirty pages: an action that could dirty more waits until the
 * file has grown, or a checkpoint has given slots back. What a commit adds to the trees is asked
 * for before its record is in the log (store_admit), because its apply may not fail; whoever may
 * fail leaves ROOM_MARGIN slots for those who may not. Hence a full disk is 53100 for who needs
 * space, and nothing at all for readers, checkpoints and recovery.
 */
#include "base/error.h"
#include "storage/checkpoint.h"
#include "storage/store_internal.h"

#define ROOM_MARGIN_MIN 64u
#define ROOM_MARGIN_MAX 1024u

static uint64_t room_margin(const Store *store)
{
    return MIN(MAX(store->pool.count / 8, ROOM_MARGIN_MIN), ROOM_MARGIN_MAX);
}

/* Slots that `pages` more need beside what is dirty and, for who may fail, promised to others. */
static uint64_t room_needed(const Store *store, uint64_t pages)
{
    Store *seen = (Store *)store; /* atomics are read through pointers to non-const */
    const uint64_t dirty = (uint64_t)atomic_load_explicit(&seen->dirty_count, memory_order_relaxed);

    pages += dirty + atomic_load_explicit(&seen->shadow_count, memory_order_relaxed);
    if (!task_current()->interrupts_held)
        pages +=
            atomic_load_explicit(&seen->promised_pages, memory_order_relaxed) + room_margin(store);
    return pages;
}

static uint64_t room_free(const Store *store)
{
    SlotSpace *space = (SlotSpace *)&store->space;
    const uint64_t used = atomic_load_explicit(&space->used_count, memory_order_relaxed);
    const uint64_t capacity = atomic_load_explicit(&space->capacity, memory_order_relaxed);

    return capacity > used ? capacity - used : 0;
}

bool store_has_room(const Store *store, uint64_t pages)
{
    return room_free(store) >= room_needed(store, pages);
}

typedef struct Growth {
    Store *store;
    uint32_t count;
    bool ok;
    SqlState sqlstate; /* of a failure: it happens on another task */
} Growth;

static void growth_run(void *argument)
{
    Growth *growth = argument;

    growth->ok = slots_extend(growth->store, growth->count);
    if (!growth->ok) {
        growth->sqlstate = error_fields()->sqlstate;
        error_clear();
    }
}

static bool room_fail(const Store *store, SqlState sqlstate)
{
    FAIL(sqlstate,
         .message = fmt("could not extend file \"%.*s/pages\"%s", STR_ARGS(store->path),
                        sqlstate == ERR_DISK_FULL ? ": No space left on device" : ""),
         .hint = STR("Check free disk space."));
}

bool store_make_room(Store *store, uint64_t pages)
{
    const bool must_go_on = task_current()->interrupts_held || !store->recovered;

    for (bool is_last = false; !store_has_room(store, pages); is_last = true) {
        Growth growth = {.store = store,
                         .count = (uint32_t)(room_needed(store, pages) - room_free(store))};
        task_offload(growth_run, &growth, WAIT_EVENT_DATA_FILE_EXTEND);
        if (growth.ok)
            return true;
        /* What waits for a checkpoint to be free is looked for once. */
        if (is_last || !store->recovered)
            return must_go_on || room_fail(store, growth.sqlstate);
        if (!checkpointer_do(store, &(Job){.kind = JOB_CHECKPOINT})) {
            TRY(must_go_on);
            error_clear();
            return true;
        }
    }
    return true;
}

bool store_admit(Store *store, uint64_t pages)
{
    if (unlikely(!store_has_room(store, pages)))
        TRY(store_make_room(store, pages));
    atomic_fetch_add(&store->promised_pages, pages);
    return true;
}

void store_retract(Store *store, uint64_t pages)
{
    atomic_fetch_sub(&store->promised_pages, pages);
}
