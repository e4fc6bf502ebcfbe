/* Databases: made, cloned and dropped between checkpoints, on the checkpointer's thread. */
#include "base/error.h"
#include "storage/checkpoint.h"

static void database_publish(Store *store, PageMap *map)
{
    mutex_lock(&store->map_mutex);
    map->created[EPOCH_CURRENT] = true;
    page_map_add(store, map);
    mutex_unlock(&store->map_mutex);
}

/* Gives the slots back: at once where no durable map refers to them. REQUIRES(map_mutex). */
static void database_release_slots(Store *store, PageMap *map)
{
    for (PageId page = 1; page < map->next_page; page++) {
        const PageEntry *entry = &map->database.entries[page];
        if (entry->slot == 0)
            continue;
        const bool is_temporary = page_is_temporary(&map->database, page);
        if (is_temporary || entry->slot_epoch > atomic_load(&store->durable))
            slot_release(&store->space, entry->slot);
        else
            u32_push(&store->space.freed[EPOCH_CURRENT], entry->slot);
    }
}

static void database_remove(Store *store, PageMap *map)
{
    prefetcher_forget(store, &map->database);
    pool_cleaner_pause(store);
    pool_drop_database(store, &map->database);
    mutex_lock(&store->map_mutex);
    database_release_slots(store, map);
    if (!map->created[EPOCH_CURRENT])
        u32_push(&store->dropped[EPOCH_CURRENT], map->database.id);
    page_map_remove(store, map);
    mutex_unlock(&store->map_mutex);
    pool_cleaner_resume(store);
    page_map_free(map);
}

static bool database_check_absent(Store *store, DatabaseId id)
{
    if (page_map_find(store, id))
        FAIL(ERR_DUPLICATE_DATABASE, .message = fmt("database with OID %u already exists", id));
    return true;
}

bool job_create(Store *store, DatabaseId id)
{
    TRY(database_check_absent(store, id));
    PageMap *map = page_map_new(store, id);
    TRY(map);
    database_publish(store, map);
    if (checkpoint_run(store, false))
        return true;
    database_remove(store, map);
    return false;
}

/* One page of the clone refers to the same slot. REQUIRES(map_mutex). */
static bool database_clone_page(Store *store, PageMap *map, const PageMap *source, PageId page)
{
    const PageEntry *from = &source->database.entries[page];
    PageEntry *to = &map->database.entries[page];
    const uint16_t flags = atomic_load(&((PageEntry *)from)->flags);

    if (!(flags & PAGE_FLAG_ALLOCATED) || (flags & PAGE_FLAG_TEMPORARY))
        return true;
    if ((flags & PAGE_FLAG_DIRTY) || from->slot == 0)
        FAIL(ERR_OBJECT_IN_USE,
             .message = fmt("source database with OID %u is being changed", source->database.id));
    TRY(slot_reference(&store->space, from->slot, true));
    to->slot = from->slot;
    to->crc = from->crc;
    to->epoch = to->slot_epoch = atomic_load(&store->epoch);
    atomic_store(&to->flags, (uint16_t)(PAGE_FLAG_ALLOCATED | PAGE_FLAG_CLONED));
    map->page_count++;
    records_push(&map->delta[EPOCH_CURRENT], &(MapRecord){.page = page,
                                                          .slot = to->slot,
                                                          .crc = to->crc,
                                                          .slot_epoch = to->slot_epoch,
                                                          .is_clone = true});
    return true;
}

bool job_clone(Store *store, DatabaseId id, Database *source)
{
    TRY(database_check_absent(store, id));
    TRY(checkpoint_run(store, false)); /* afterwards every page of the source is in a slot */
    PageMap *map = page_map_new(store, id);
    TRY(map);
    bool ok = true;
    mutex_lock(&store->map_mutex);
    map->next_page = source->map->next_page;
    map->created[EPOCH_CURRENT] = true;
    for (PageId page = 1; ok && page < map->next_page; page++)
        ok = database_clone_page(store, map, source->map, page);
    page_map_list_free_pages(map);
    page_map_add(store, map);
    mutex_unlock(&store->map_mutex);
    if (ok && checkpoint_run(store, false))
        return true;
    database_remove(store, map);
    return false;
}

bool job_drop(Store *store, DatabaseId id)
{
    PageMap *map = page_map_find(store, id);

    if (!map)
        FAIL(ERR_UNDEFINED_DATABASE, .message = fmt("database with OID %u does not exist", id));
    database_remove(store, map);
    return checkpoint_run(store, false);
}

/* -------- For everybody -------- */

Database *store_database(Store *store, DatabaseId id)
{
    mutex_lock(&store->map_mutex);
    PageMap *map = page_map_find(store, id);
    mutex_unlock(&store->map_mutex);
    return map ? &map->database : NULL;
}

void store_databases(Store *store, StoreDatabaseCallback *callback, void *context)
{
    for (uint64_t next = 0;;) {
        PageMap *map = NULL;
        mutex_lock(&store->map_mutex);
        for (size_t i = 0; i < store->database_count && !map; i++) {
            if (store->databases[i]->database.id >= next)
                map = store->databases[i];
        }
        mutex_unlock(&store->map_mutex);
        if (!map)
            return;
        next = (uint64_t)map->database.id + 1;
        if (!callback(context, &map->database))
            return;
    }
}

Database *database_create(Store *store, DatabaseId id)
{
    TRY(checkpointer_do(store, &(Job){.kind = JOB_CREATE, .id = id}));
    return store_database(store, id);
}

Database *database_clone(Store *store, DatabaseId id, Database *source)
{
    TRY(checkpointer_do(store, &(Job){.kind = JOB_CLONE, .id = id, .source = source}));
    return store_database(store, id);
}

bool database_drop(Store *store, DatabaseId id)
{
    assert(id != DATABASE_SHARED);
    return checkpointer_do(store, &(Job){.kind = JOB_DROP, .id = id});
}

uint64_t database_page_count(const Database *database)
{
    Store *store = database->store;

    mutex_lock(&store->map_mutex);
    const uint64_t count = database->map->page_count;
    mutex_unlock(&store->map_mutex);
    return count;
}
