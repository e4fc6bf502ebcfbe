/* Latches on pages, and changing them. */
#include "storage/page.h"

#include <string.h>

#include "base/error.h"
#include "storage/store_internal.h"

/* A shared holder may itself be waiting for a page that the upgrading task holds. */
#define UPGRADE_SPINS 4096

/* -------- The latch word: PAGE_LATCH byte and version -------- */

static inline uint64_t latch_word(uint64_t latch, uint64_t version)
{
    return latch << PAGE_LATCH_SHIFT | version;
}

bool page_entry_try_latch(PageEntry *entry)
{
    uint64_t state = atomic_load_explicit(&entry->state, memory_order_relaxed);

    return state >> PAGE_LATCH_SHIFT == 0 &&
           atomic_compare_exchange_strong_explicit(&entry->state, &state,
                                                   latch_word(PAGE_LATCH_EXCLUSIVE, state),
                                                   memory_order_acquire, memory_order_relaxed);
}

void page_entry_latch(PageEntry *entry)
{
    for (uint32_t rounds = 0; !page_entry_try_latch(entry);)
        spin_pause(&rounds);
}

void page_entry_unlatch(PageEntry *entry)
{
    const uint64_t state = atomic_load_explicit(&entry->state, memory_order_relaxed);

    assert(state >> PAGE_LATCH_SHIFT == PAGE_LATCH_EXCLUSIVE);
    atomic_store_explicit(&entry->state, (state + 1) & PAGE_VERSION_MASK, memory_order_release);
}

void page_entry_unlatch_unchanged(PageEntry *entry)
{
    const uint64_t state = atomic_load_explicit(&entry->state, memory_order_relaxed);

    assert(state >> PAGE_LATCH_SHIFT == PAGE_LATCH_EXCLUSIVE);
    atomic_store_explicit(&entry->state, state & PAGE_VERSION_MASK, memory_order_release);
}

void page_entry_latch_shared(PageEntry *entry)
{
    uint64_t state = atomic_load_explicit(&entry->state, memory_order_relaxed);

    for (uint32_t rounds = 0;;) {
        if (state >> PAGE_LATCH_SHIFT < PAGE_LATCH_SHARED_MAX &&
            atomic_compare_exchange_weak_explicit(&entry->state, &state, state + latch_word(1, 0),
                                                  memory_order_acquire, memory_order_relaxed))
            return;
        if (state >> PAGE_LATCH_SHIFT >= PAGE_LATCH_SHARED_MAX)
            spin_pause(&rounds);
        state = atomic_load_explicit(&entry->state, memory_order_relaxed);
    }
}

void page_entry_unlatch_shared(PageEntry *entry)
{
    const uint64_t before =
        atomic_fetch_sub_explicit(&entry->state, latch_word(1, 0), memory_order_release);

    assert(before >> PAGE_LATCH_SHIFT >= 1 && before >> PAGE_LATCH_SHIFT <= PAGE_LATCH_SHARED_MAX);
    (void)before;
}

/* -------- Latches on pages in memory -------- */

/* After the latch is taken: the page in hand, or the latch given back. */
static PageOutcome page_latched(Database *database, PageId id, PageMode mode, Page *ret_page)
{
    PageEntry *entry = &database->entries[id];
    const uint32_t frame = atomic_load_explicit(&entry->frame, memory_order_relaxed);

    if (unlikely(frame == 0 || frame == PAGE_FRAME_LOADING)) {
        if (mode == PAGE_EXCLUSIVE)
            page_entry_unlatch_unchanged(entry);
        else
            page_entry_unlatch_shared(entry);
        return PAGE_NOT_RESIDENT;
    }
    if (atomic_load_explicit(&entry->heat, memory_order_relaxed) == HEAT_COLD)
        atomic_store_explicit(&entry->heat, HEAT_READ, memory_order_relaxed);
    task_current()->latch_count++;
    *ret_page = (Page){
        .database = database,
        .data = database->frames + (size_t)frame * PAGE_SIZE,
        .version = atomic_load_explicit(&entry->state, memory_order_relaxed) & PAGE_VERSION_MASK,
        .id = id,
        .mode = mode,
    };
    return PAGE_OK;
}

PageOutcome page_latch_shared(Database *database, PageId id, Page *ret_page)
{
    if (unlikely(id >= database->page_limit))
        return PAGE_NOT_RESIDENT;
    page_entry_latch_shared(&database->entries[id]);
    return page_latched(database, id, PAGE_SHARED, ret_page);
}

/* Turns away without a latch what would be turned away with it. */
static inline bool page_seems_resident(const Database *database, PageId id)
{
    if (unlikely(id >= database->page_limit))
        return false;
    const uint32_t frame = atomic_load_explicit(&database->entries[id].frame, memory_order_acquire);
    return frame != 0 && frame != PAGE_FRAME_LOADING;
}

PageOutcome page_latch_exclusive(Database *database, PageId id, Page *ret_page)
{
    if (unlikely(!page_seems_resident(database, id)))
        return PAGE_NOT_RESIDENT;
    page_entry_latch(&database->entries[id]);
    return page_latched(database, id, PAGE_EXCLUSIVE, ret_page);
}

bool page_upgrade(Page *page)
{
    assert(page->mode == PAGE_OPTIMISTIC);
    PageEntry *entry = &page->database->entries[page->id];
    uint64_t expected = page->version;

    for (uint32_t rounds = 0;; spin_pause(&rounds)) {
        if (atomic_compare_exchange_strong_explicit(&entry->state, &expected,
                                                    latch_word(PAGE_LATCH_EXCLUSIVE, page->version),
                                                    memory_order_acquire, memory_order_relaxed))
            break;
        /* Shared holders go away by themselves; a new version does not. */
        if ((expected & PAGE_VERSION_MASK) != page->version ||
            expected >> PAGE_LATCH_SHIFT == PAGE_LATCH_EXCLUSIVE || rounds > UPGRADE_SPINS)
            return false;
        expected = page->version;
    }
    page->mode = PAGE_EXCLUSIVE;
    task_current()->latch_count++;
    return true;
}

bool page_upgrade_shared(Page *page)
{
    assert(page->mode == PAGE_OPTIMISTIC);
    PageEntry *entry = &page->database->entries[page->id];

    page_entry_latch_shared(entry);
    if ((atomic_load_explicit(&entry->state, memory_order_relaxed) & PAGE_VERSION_MASK) !=
        page->version) {
        page_entry_unlatch_shared(entry);
        return false;
    }
    page->mode = PAGE_SHARED;
    task_current()->latch_count++;
    return true;
}

void page_unlatch(Page *page)
{
    PageEntry *entry = &page->database->entries[page->id];

    if (page->mode == PAGE_EXCLUSIVE)
        page_entry_unlatch(entry);
    else if (page->mode == PAGE_SHARED)
        page_entry_unlatch_shared(entry);
    if (page->mode == PAGE_EXCLUSIVE || page->mode == PAGE_SHARED) {
        Task *task = task_current();
        assert(task->latch_count > 0);
        task->latch_count--;
    }
    page->mode = PAGE_UNLATCHED;
}

/* -------- Changing -------- */

/* Whether the running checkpoint has still to write the page as it is now. */
static bool page_is_owed(const Store *store, const PageEntry *entry, uint16_t flags)
{
    const uint32_t running = atomic_load_explicit(&store->running, memory_order_relaxed);

    return running != 0 && entry->epoch <= running && (flags & PAGE_FLAG_DIRTY) &&
           !(flags & (PAGE_FLAG_TEMPORARY | PAGE_FLAG_SHADOWED)) && !FAULT(fault_no_shadow);
}

/* Queues a frame whose bytes are what the running checkpoint is owed of the page. */
static void page_shadow_push(Store *store, uint32_t frame, Database *database, PageId page,
                             uint32_t epoch)
{
    FrameInfo *info = &store->pool.infos[frame];

    atomic_store(&info->database, NULL);
    atomic_store(&info->page, page);
    info->shadow_of = database;
    info->shadow_epoch = epoch;
    info->next = 0;
    mutex_lock(&store->map_mutex);
    atomic_fetch_or(&database->entries[page].flags, PAGE_FLAG_SHADOWED);
    if (store->shadow_tail)
        store->pool.infos[store->shadow_tail].next = frame;
    else
        store->shadow_head = frame;
    store->shadow_tail = frame;
    atomic_fetch_add(&store->shadow_count, 1);
    mutex_unlock(&store->map_mutex);
    atomic_fetch_add_explicit(&store->shadows_made, 1, memory_order_relaxed);
}

static uint32_t action_take_frame(Action *action)
{
    assert(action->slot->stock_count > 0);
    assert(action->budget > 0);
    action->budget--;
    return action->slot->stock[--action->slot->stock_count];
}

static COLD void page_copy_aside(Action *action, const Page *page, const PageEntry *entry)
{
    const uint32_t frame = action_take_frame(action);

    memcpy(action->store->pool.frames + (size_t)frame * PAGE_SIZE, page->data, PAGE_SIZE);
    page_shadow_push(action->store, frame, page->database, page->id, entry->epoch);
}

void page_touch(Action *action, Page *page)
{
    Store *store = action->store;
    PageEntry *entry = &page->database->entries[page->id];
    const uint16_t flags = atomic_load_explicit(&entry->flags, memory_order_relaxed);
    const uint32_t epoch = atomic_load_explicit(&store->epoch, memory_order_relaxed);

    assert(page->mode == PAGE_EXCLUSIVE);
    assert(page->database->store == store);
    assert(flags & PAGE_FLAG_ALLOCATED);
    if (entry->epoch < epoch) {
        if (unlikely(page_is_owed(store, entry, flags)))
            page_copy_aside(action, page, entry);
        entry->epoch = epoch;
    }
    if (!(flags & PAGE_FLAG_DIRTY)) {
        atomic_fetch_or(&entry->flags, PAGE_FLAG_DIRTY);
        dirty_count_add(store, 1);
    }
}

static PageId page_take_id(PageMap *map, PageLife life)
{
    Store *store = map->database.store;
    PageId id;

    mutex_lock(&store->map_mutex);
    if (map->free_pages.length > 0)
        id = map->free_pages.items[--map->free_pages.length];
    else
        id = map->next_page++;
    map->page_count += life == PAGE_PERMANENT;
    mutex_unlock(&store->map_mutex);
    assert(id < map->database.page_limit);
    return id;
}

void page_allocate(Action *action, Database *database, PageLife life, Page *ret_page)
{
    Store *store = action->store;
    const PageId id = page_take_id(database->map, life);
    PageEntry *entry = &database->entries[id];
    const uint32_t frame = action_take_frame(action);
    byte *data = store->pool.frames + (size_t)frame * PAGE_SIZE;

    assert(database->store == store);
    page_entry_latch(entry); /* readers of a stale parent may hold it for a moment */
    task_current()->latch_count++;
    assert(atomic_load(&entry->flags) == 0 && entry->slot == 0);
    memset(data, 0, PAGE_SIZE);
    entry->epoch = atomic_load_explicit(&store->epoch, memory_order_relaxed);
    atomic_store(&entry->versions, NULL);
    atomic_store(&entry->flags, (uint16_t)(PAGE_FLAG_ALLOCATED | PAGE_FLAG_DIRTY |
                                           (life == PAGE_TEMPORARY ? PAGE_FLAG_TEMPORARY : 0)));
    dirty_count_add(store, 1);
    pool_assign(&store->pool, frame, database, id, false);
    *ret_page = (Page){
        .database = database,
        .data = data,
        .version = atomic_load(&entry->state) & PAGE_VERSION_MASK,
        .id = id,
        .mode = PAGE_EXCLUSIVE,
    };
}

/* The frame goes where the next action finds it, or back to the pool. */
static void action_return_frame(Action *action, uint32_t frame)
{
    ActionSlot *slot = action->slot;

    atomic_store(&action->store->pool.infos[frame].database, NULL);
    if (slot->stock_count < ARRAY_LENGTH(slot->stock))
        slot->stock[slot->stock_count++] = frame;
    else
        pool_give(&action->store->pool, &frame, 1);
}

/* An id is used again at once where no map and no write on its way can know it. */
static void page_settle_freed(Store *store, PageMap *map, PageId id, bool is_owed)
{
    PageEntry *entry = &map->database.entries[id];
    const uint16_t flags = atomic_load(&entry->flags);
    const bool is_known = entry->slot != 0 || is_owed || (flags & PAGE_FLAG_SHADOWED);
    const bool is_temporary = (flags & PAGE_FLAG_TEMPORARY) != 0;

    if (flags & PAGE_FLAG_SHADOWED)
        atomic_fetch_or(&entry->flags, PAGE_FLAG_FREED);
    else
        page_map_tombstone(store, map, id);
    if ((flags & PAGE_FLAG_IO_PENDING) || (is_known && !is_temporary))
        u32_push(&map->freed_pages[EPOCH_CURRENT], id);
    else
        u32_push(&map->free_pages, id);
    map->page_count -= !is_temporary;
    if (flags & PAGE_FLAG_DIRTY)
        dirty_count_add(store, -1);
    atomic_fetch_and(&entry->flags, PAGE_FLAG_SHADOWED | PAGE_FLAG_FREED | PAGE_FLAG_IO_PENDING);
}

/* Entry latched exclusively; unlatched on return. */
static void page_free_entry(Action *action, Database *database, PageId id)
{
    Store *store = action->store;
    PageEntry *entry = &database->entries[id];
    const uint16_t flags = atomic_load(&entry->flags);
    const uint32_t frame = atomic_load(&entry->frame);
    const bool is_owed = page_is_owed(store, entry, flags);

    assert(flags & PAGE_FLAG_ALLOCATED);
    atomic_store(&entry->frame, 0); /* who loads it finds another version, and drops it */
    if (frame != 0 && frame != PAGE_FRAME_LOADING) {
        /* Nobody needs the page's frame any more: it is the shadow. */
        if (is_owed)
            page_shadow_push(store, frame, database, id, entry->epoch);
        else
            action_return_frame(action, frame);
    }
    atomic_store(&entry->versions, NULL);
    entry->epoch = atomic_load(&store->epoch);
    mutex_lock(&store->map_mutex);
    page_settle_freed(store, database->map, id, is_owed);
    mutex_unlock(&store->map_mutex);
    page_entry_unlatch(entry);
}

void page_free(Action *action, Page *page)
{
    assert(page->mode == PAGE_EXCLUSIVE);
    page_free_entry(action, page->database, page->id);
    task_current()->latch_count--;
    page->mode = PAGE_UNLATCHED;
}

void page_free_id(Action *action, Database *database, PageId id)
{
    assert(id != PAGE_ID_NONE && id < database->page_limit);
    page_entry_latch(&database->entries[id]);
    page_free_entry(action, database, id);
}

void page_attach(Action *action, Database *database, PageId id)
{
    Store *store = action->store;
    PageEntry *entry = &database->entries[id];

    page_entry_latch(entry);
    assert(atomic_load(&entry->flags) & PAGE_FLAG_ALLOCATED);
    mutex_lock(&store->map_mutex);
    if (atomic_load(&entry->flags) & PAGE_FLAG_TEMPORARY) {
        atomic_fetch_and(&entry->flags, (uint16_t)~PAGE_FLAG_TEMPORARY);
        entry->epoch = atomic_load(&store->epoch);
        entry->slot_epoch = entry->epoch;
        database->map->page_count++;
        if (entry->slot != 0)
            records_push(&database->map->delta[EPOCH_CURRENT],
                         &(MapRecord){.page = id,
                                      .slot = entry->slot,
                                      .crc = entry->crc,
                                      .slot_epoch = entry->epoch});
    }
    mutex_unlock(&store->map_mutex);
    page_entry_unlatch_unchanged(entry); /* it may be being loaded; its bytes are the same */
}

void page_loose_begin(Database *database)
{
    atomic_fetch_add(&database->store->loose_count, 1);
}

void page_loose_end(Database *database)
{
    const uint32_t before = atomic_fetch_sub(&database->store->loose_count, 1);

    assert(before > 0);
    (void)before;
}

uint32_t database_frame_count(const Database *database)
{
    return database->store->pool.count;
}
