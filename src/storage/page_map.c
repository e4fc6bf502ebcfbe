/* The page maps in memory: slots, free space, and what the next checkpoints must write. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "storage/store_internal.h"
#include "storage/tree.h"

#define SLOT_LIMIT UINT32_MAX
#define SLOTS_GROW_MIN 64u   /* 1 MiB */
#define SLOTS_GROW_MAX 4096u /* 64 MiB */
#define SLOT_EXTRA_MAX 65000u
#define PAGE_LIMIT_DEFAULT (1u << 28)

#ifdef SENGI_TEST_FAULTS
bool fault_no_shadow, fault_free_now, fault_no_wal_flush, fault_evict_shadow, fault_no_hide;
bool fault_no_redo_floor, fault_no_reclaim, fault_no_redo_drain, fault_redo_scatter;
_Atomic bool fault_slow_log;
bool fault_slow_checkpoint, fault_yield_often;
void (*fault_at_apply)(void);
void (*fault_at_free)(void);
void (*fault_at_purge)(void);
#endif

/* -------- Lists -------- */

static void *list_grow(void *items, size_t *capacity, size_t need, size_t item_size)
{
    size_t wanted = *capacity ? *capacity * 2 : 16;

    if (wanted < need)
        wanted = need;
    *capacity = wanted;
    return memory_must_realloc(items, wanted * item_size);
}

void u32_push(U32List *list, uint32_t item)
{
    if (list->length == list->capacity)
        list->items = list_grow(list->items, &list->capacity, list->length + 1, sizeof(item));
    list->items[list->length++] = item;
}

void u32_deinit(U32List *list)
{
    memory_free(list->items);
    *list = (U32List){0};
}

/* Puts `first` before what is in `list`; `first` is empty afterwards. */
static void u32_prepend(U32List *list, U32List *first)
{
    for (size_t i = 0; i < list->length; i++)
        u32_push(first, list->items[i]);
    u32_deinit(list);
    *list = *first;
    *first = (U32List){0};
}

void records_push(MapRecordList *list, const MapRecord *record)
{
    if (list->length == list->capacity)
        list->items = list_grow(list->items, &list->capacity, list->length + 1, sizeof(*record));
    list->items[list->length++] = *record;
}

static void records_deinit(MapRecordList *list)
{
    memory_free(list->items);
    *list = (MapRecordList){0};
}

static void records_prepend(MapRecordList *list, MapRecordList *first)
{
    for (size_t i = 0; i < list->length; i++)
        records_push(first, &list->items[i]);
    records_deinit(list);
    *list = *first;
    *first = (MapRecordList){0};
}

void *memory_reserve(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

void memory_release(void *memory, size_t bytes)
{
    if (memory)
        munmap(memory, bytes);
}

/* -------- Databases -------- */

PageMap *page_map_new(Store *store, DatabaseId id)
{
    const PageId limit = store->options.database_page_limit ? store->options.database_page_limit
                                                            : PAGE_LIMIT_DEFAULT;
    PageMap *map = memory_calloc(1, sizeof(PageMap));
    PageEntry *entries = memory_reserve((size_t)limit * sizeof(PageEntry));

    if (!map || !entries) {
        memory_free(map);
        memory_release(entries, (size_t)limit * sizeof(PageEntry));
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"),
             .detail = fmt("Failed to reserve the page map of database %u.", id),
             .hint = STR(STORE_SPACE_HINT));
    }
    map->database = (Database){
        .entries = entries,
        .page_limit = limit,
        .id = id,
        .frames = store->pool.frames,
        .store = store,
        .map = map,
    };
    map->next_page = 1;
    return map;
}

void page_map_free(PageMap *map)
{
    if (!map)
        return;
    tree_close_all(&map->database);
    memory_release(map->database.entries, (size_t)map->database.page_limit * sizeof(PageEntry));
    for (int class = EPOCH_CURRENT; class <= EPOCH_RUNNING; class ++) {
        records_deinit(&map->delta[class]);
        u32_deinit(&map->freed_pages[class]);
    }
    records_deinit(&map->prior);
    u32_deinit(&map->free_pages);
    memory_free(map);
}

PageMap *page_map_find(const Store *store, DatabaseId id)
{
    size_t low = 0, high = store->database_count;

    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (store->databases[middle]->database.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < store->database_count && store->databases[low]->database.id == id)
        return store->databases[low];
    return NULL;
}

void page_map_add(Store *store, PageMap *map)
{
    if (store->database_count == store->database_capacity)
        store->databases = list_grow(store->databases, &store->database_capacity,
                                     store->database_count + 1, sizeof(PageMap *));
    size_t at = store->database_count++;
    for (; at > 0 && store->databases[at - 1]->database.id > map->database.id; at--)
        store->databases[at] = store->databases[at - 1];
    store->databases[at] = map;
}

void page_map_remove(Store *store, PageMap *map)
{
    size_t at = 0;

    while (at < store->database_count && store->databases[at] != map)
        at++;
    assert(at < store->database_count);
    store->database_count--;
    for (; at < store->database_count; at++)
        store->databases[at] = store->databases[at + 1];
}

void page_map_list_free_pages(PageMap *map)
{
    map->free_pages.length = 0;
    for (PageId page = map->next_page; page-- > 1;) {
        if (atomic_load(&map->database.entries[page].flags) == 0)
            u32_push(&map->free_pages, page);
    }
}

/* -------- Slots -------- */

static bool slot_is_used(const SlotSpace *space, uint32_t slot)
{
    return (space->used[slot / 64] >> (slot % 64) & 1) != 0;
}

static void slot_mark_used(SlotSpace *space, uint32_t slot)
{
    assert(!slot_is_used(space, slot));
    space->used[slot / 64] |= 1ull << (slot % 64);
    space->used_count++;
}

static void slot_mark_free(SlotSpace *space, uint32_t slot)
{
    assert(slot != 0 && slot_is_used(space, slot));
    space->used[slot / 64] &= ~(1ull << (slot % 64));
    space->used_count--;
    if (slot < space->cursor)
        space->cursor = slot;
}

bool slot_reference(SlotSpace *space, uint32_t slot, bool is_shared)
{
    if (slot == 0 || slot >= space->capacity)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("page map refers to slot %u beyond the data file's %u", slot,
                            space->capacity));
    if (!slot_is_used(space, slot)) {
        slot_mark_used(space, slot);
        return true;
    }
    if (!is_shared)
        FAIL(ERR_DATA_CORRUPTED, .message = fmt("page map refers to slot %u twice", slot));
    if (space->extra[slot] >= SLOT_EXTRA_MAX)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("too many databases are clones of one template"),
             .detail = fmt("A page can be shared by at most %u databases.", SLOT_EXTRA_MAX));
    space->extra[slot]++;
    return true;
}

void slot_release(SlotSpace *space, uint32_t slot)
{
    if (space->extra[slot] > 0)
        space->extra[slot]--;
    else
        slot_mark_free(space, slot);
}

/* The first free slot at or after `from`; capacity where there is none. */
static uint32_t slot_find_free(const SlotSpace *space, uint32_t from)
{
    uint32_t slot = from;

    while (slot < space->capacity) {
        const uint64_t unused = ~space->used[slot / 64] >> (slot % 64);
        if (unused != 0) {
            slot += (uint32_t)__builtin_ctzll(unused);
            return MIN(slot, space->capacity);
        }
        slot = (slot / 64 + 1) * 64;
    }
    return space->capacity;
}

/* A run of `count` free slots starting in [from, end); 0: none. */
static uint32_t slot_find_run(const SlotSpace *space, uint32_t from, uint32_t end, uint32_t count)
{
    uint32_t start = slot_find_free(space, from);

    while (start < end && start + count <= space->capacity) {
        uint32_t length = 1;
        while (length < count && !slot_is_used(space, start + length))
            length++;
        if (length == count)
            return start;
        start = slot_find_free(space, start + length);
    }
    return 0;
}

/* One lap over the file at most, going on where the last search ended; then low single slots. */
static void slots_take_free(SlotSpace *space, uint32_t count, uint32_t *ret_slots)
{
    uint32_t run = 0;

    if (count > 1) {
        const uint32_t from = MAX(space->run_cursor, space->cursor);
        run = slot_find_run(space, from, space->capacity, count);
        if (run == 0)
            run = slot_find_run(space, space->cursor, from, count);
        space->run_cursor = run ? run + count : space->cursor;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t slot = run ? run + i : slot_find_free(space, space->cursor);
        assert(slot < space->capacity);
        slot_mark_used(space, slot);
        if (!run)
            space->cursor = slot + 1;
        ret_slots[i] = slot;
    }
}

static bool slots_allocate(Store *store, uint32_t from, uint64_t count)
{
    if (atomic_load(&store->spends_reserve))
        FAIL(ERR_DISK_FULL, .message = STR("what is left of the disk is for the page map"));
    return os->file_allocate(store->data_file, (uint64_t)from * PAGE_SIZE, count * PAGE_SIZE);
}

/* Extends the data file so that writes into it cannot meet a full disk. */
static bool slots_grow(Store *store, uint32_t capacity, uint32_t count)
{
    const uint32_t eighth = MIN(MAX(capacity / 8, SLOTS_GROW_MIN), SLOTS_GROW_MAX);
    uint64_t wanted = MAX(eighth, count);

    if (capacity + wanted > SLOT_LIMIT)
        FAIL(ERR_DISK_FULL, .message = STR("the data file has reached its largest size"));
    if (!slots_allocate(store, capacity, wanted)) {
        /* A smaller piece may still fit. */
        TRY(error_fields()->sqlstate == ERR_DISK_FULL);
        wanted = count;
        if (!slots_allocate(store, capacity, wanted)) {
            TRY(!store->recovered && reserve_spend_on_recovery(store));
            TRY(slots_allocate(store, capacity, wanted));
        }
        error_clear();
    }
    mutex_lock(&store->map_mutex);
    if (store->space.capacity < capacity + wanted)
        store->space.capacity = (uint32_t)(capacity + wanted);
    mutex_unlock(&store->map_mutex);
    return true;
}

bool slots_extend(Store *store, uint32_t count)
{
    return slots_grow(store, atomic_load(&store->space.capacity), count);
}

bool slots_take(Store *store, uint32_t count, uint32_t *ret_slots)
{
    SlotSpace *space = &store->space;

    for (;;) {
        mutex_lock(&store->map_mutex);
        const uint32_t capacity = space->capacity;
        const bool fits = capacity - space->used_count >= count;
        if (fits)
            slots_take_free(space, count, ret_slots);
        mutex_unlock(&store->map_mutex);
        if (fits)
            return true;
        TRY(slots_grow(store, capacity, count));
    }
}

void slots_give_back(Store *store, const uint32_t *slots, uint32_t count)
{
    mutex_lock(&store->map_mutex);
    for (uint32_t i = 0; i < count; i++)
        slot_release(&store->space, slots[i]);
    mutex_unlock(&store->map_mutex);
}

/* -------- Lines -------- */

/*
 * What becomes of the slot a page leaves, for a change of class `class`. A slot that only the
 * same unfinished checkpoint would refer to is free at once, unless an image is on its way there.
 */
static void page_map_leave_slot(Store *store, const PageEntry *entry, EpochClass class,
                                bool is_writing)
{
    const bool unborn = entry->slot_epoch > atomic_load(&store->durable) &&
                        epoch_class(store, entry->slot_epoch) == class;

    if ((unborn && !is_writing) || FAULT(fault_free_now))
        slot_release(&store->space, entry->slot);
    else
        u32_push(&store->space.freed[class], entry->slot);
}

/* Keeps the line that map `running` has, for a base written while newer lines come. */
static void page_map_keep_prior(Store *store, PageMap *map, PageId page, const PageEntry *entry,
                                EpochClass class)
{
    if (class != EPOCH_CURRENT || entry->slot == 0 || atomic_load(&store->running) == 0 ||
        epoch_class(store, entry->slot_epoch) != EPOCH_RUNNING)
        return;
    records_push(&map->prior, &(MapRecord){
                                  .page = page,
                                  .slot = entry->slot,
                                  .crc = entry->crc,
                                  .slot_epoch = entry->slot_epoch,
                                  .is_clone = page_entry_is_clone(entry),
                              });
}

void page_map_replace(Store *store, PageMap *map, const MapRecord *record, EpochClass class,
                      bool is_old_writing)
{
    PageEntry *entry = &map->database.entries[record->page];
    const uint32_t epoch = atomic_load(&store->epoch);

    if (atomic_load(&entry->flags) & PAGE_FLAG_TEMPORARY) {
        if (entry->slot != 0)
            slot_release(&store->space, entry->slot);
        entry->slot = record->slot;
        entry->crc = record->crc;
        entry->slot_epoch = epoch;
        return;
    }
    page_map_keep_prior(store, map, record->page, entry, class);
    if (entry->slot != 0)
        page_map_leave_slot(store, entry, class, is_old_writing);
    entry->slot = record->slot;
    entry->crc = record->crc;
    entry->slot_epoch = class == EPOCH_RUNNING ? atomic_load(&store->running) : epoch;
    MapRecord line = *record;
    line.slot_epoch = entry->slot_epoch;
    records_push(&map->delta[class], &line);
}

void page_map_tombstone(Store *store, PageMap *map, PageId page)
{
    PageEntry *entry = &map->database.entries[page];
    const bool is_writing = (atomic_load(&entry->flags) & PAGE_FLAG_IO_PENDING) != 0;

    if (entry->slot == 0)
        return;
    if (atomic_load(&entry->flags) & PAGE_FLAG_TEMPORARY) {
        if (is_writing)
            u32_push(&store->space.freed[EPOCH_CURRENT], entry->slot);
        else
            slot_release(&store->space, entry->slot);
    } else {
        page_map_keep_prior(store, map, page, entry, EPOCH_CURRENT);
        page_map_leave_slot(store, entry, EPOCH_CURRENT, is_writing);
        records_push(&map->delta[EPOCH_CURRENT], &(MapRecord){.page = page});
    }
    entry->slot = 0;
    entry->crc = 0;
    entry->slot_epoch = 0;
}

/* -------- Checkpoints -------- */

void page_maps_begin_checkpoint(Store *store)
{
    assert(store->space.freed[EPOCH_RUNNING].length == 0);
    u32_prepend(&store->space.freed[EPOCH_RUNNING], &store->space.freed[EPOCH_CURRENT]);
    u32_prepend(&store->dropped[EPOCH_RUNNING], &store->dropped[EPOCH_CURRENT]);
    for (size_t i = 0; i < store->database_count; i++) {
        PageMap *map = store->databases[i];
        assert(map->delta[EPOCH_RUNNING].length == 0 && map->prior.length == 0);
        records_prepend(&map->delta[EPOCH_RUNNING], &map->delta[EPOCH_CURRENT]);
        u32_prepend(&map->freed_pages[EPOCH_RUNNING], &map->freed_pages[EPOCH_CURRENT]);
        map->created[EPOCH_RUNNING] |= map->created[EPOCH_CURRENT];
        map->created[EPOCH_CURRENT] = false;
    }
}

void page_maps_end_checkpoint(Store *store)
{
    U32List *freed = &store->space.freed[EPOCH_RUNNING];

    for (size_t i = 0; i < freed->length; i++)
        slot_release(&store->space, freed->items[i]);
    u32_deinit(freed);
    u32_deinit(&store->dropped[EPOCH_RUNNING]);
    for (size_t i = 0; i < store->database_count; i++) {
        PageMap *map = store->databases[i];
        U32List *pages = &map->freed_pages[EPOCH_RUNNING];
        for (size_t j = 0; j < pages->length; j++)
            u32_push(&map->free_pages, pages->items[j]);
        u32_deinit(pages);
        records_deinit(&map->delta[EPOCH_RUNNING]);
        records_deinit(&map->prior);
        map->created[EPOCH_RUNNING] = false;
    }
}

void page_maps_abandon_checkpoint(Store *store)
{
    u32_prepend(&store->space.freed[EPOCH_CURRENT], &store->space.freed[EPOCH_RUNNING]);
    u32_prepend(&store->dropped[EPOCH_CURRENT], &store->dropped[EPOCH_RUNNING]);
    for (size_t i = 0; i < store->database_count; i++) {
        PageMap *map = store->databases[i];
        records_prepend(&map->delta[EPOCH_CURRENT], &map->delta[EPOCH_RUNNING]);
        u32_prepend(&map->freed_pages[EPOCH_CURRENT], &map->freed_pages[EPOCH_RUNNING]);
        records_deinit(&map->prior);
        map->created[EPOCH_CURRENT] |= map->created[EPOCH_RUNNING];
        map->created[EPOCH_RUNNING] = false;
    }
}
