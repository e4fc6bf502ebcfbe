/* Page images on their way to slots: what eviction and checkpoint share. */
#include <string.h>

#include "base/error.h"
#include "storage/store_internal.h"

typedef struct PageHeader {
    uint32_t magic;
    uint32_t page;
    uint32_t database;
    uint32_t epoch;
} PageHeader;
static_assert(sizeof(PageHeader) == PAGE_HEADER_SIZE, "the pager's part of a page");

bool image_batch_init(ImageBatch *batch)
{
    *batch = (ImageBatch){.staging = memory_reserve((size_t)IMAGE_BATCH * PAGE_SIZE)};
    if (!batch->staging)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"),
             .detail = STR("Failed while making room for pages to be written."));
    return true;
}

void image_batch_deinit(ImageBatch *batch)
{
    memory_release(batch->staging, (size_t)IMAGE_BATCH * PAGE_SIZE);
    batch->staging = NULL;
}

bool image_batch_begin(Store *store, ImageBatch *batch, uint32_t count)
{
    assert(batch->slot_count == 0 && batch->used == 0);
    assert(count <= IMAGE_BATCH);
    TRY(slots_take(store, count, batch->slots));
    batch->slot_count = count;
    return true;
}

/* Fills header and checksum of the copy in the batch's next place. */
static MapRecord image_seal(ImageBatch *batch, Database *database, PageId page, uint32_t epoch)
{
    byte *image = batch->staging + (size_t)batch->used * PAGE_SIZE;
    PageHeader header = {
        .magic = PAGE_MAGIC, .page = page, .database = database->id, .epoch = epoch};

    memcpy(image, &header, sizeof(header));
    uint32_t crc = crc32c(0, image, PAGE_SIZE);
    if (unlikely(crc == PAGE_CRC_NEVER)) {
        header.epoch ^= 1; /* which nobody reads */
        memcpy(image, &header, sizeof(header));
        crc = crc32c(0, image, PAGE_SIZE);
    }
    return (MapRecord){.page = page, .slot = batch->slots[batch->used], .crc = crc};
}

/* Whether the page, latched, needs an image in this scope. */
static bool image_is_wanted(const Store *store, const PageEntry *entry, ImageScope scope)
{
    const uint16_t flags = atomic_load(&entry->flags);
    const uint32_t frame = atomic_load(&entry->frame);

    if (frame == 0 || frame == PAGE_FRAME_LOADING || !(flags & PAGE_FLAG_DIRTY))
        return false;
    if ((flags & PAGE_FLAG_SHADOWED) && !FAULT(fault_evict_shadow))
        return false;
    return scope == IMAGE_EVICTION ||
           (!(flags & PAGE_FLAG_TEMPORARY) && entry->epoch <= atomic_load(&store->running));
}

void image_batch_add(Store *store, ImageBatch *batch, ImageTarget target, ImageScope scope)
{
    Database *database = target.database;
    PageEntry *entry = &database->entries[target.page];

    assert(batch->used < batch->slot_count);
    page_entry_latch_shared(entry);
    if (!image_is_wanted(store, entry, scope) ||
        (atomic_fetch_or(&entry->flags, PAGE_FLAG_IO_PENDING) & PAGE_FLAG_IO_PENDING)) {
        page_entry_unlatch_shared(entry);
        return;
    }
    memcpy(batch->staging + (size_t)batch->used * PAGE_SIZE,
           database->frames + (size_t)atomic_load(&entry->frame) * PAGE_SIZE, PAGE_SIZE);
    const MapRecord record = image_seal(batch, database, target.page, entry->epoch);
    mutex_lock(&store->map_mutex);
    page_map_replace(store, database->map, &record, epoch_class(store, entry->epoch), false);
    mutex_unlock(&store->map_mutex);
    atomic_fetch_and(&entry->flags, (uint16_t) ~(PAGE_FLAG_DIRTY | PAGE_FLAG_CLONED));
    dirty_count_add(store, -1);
    if (FAULT(fault_evict_shadow))
        atomic_fetch_and(&entry->flags, (uint16_t)~PAGE_FLAG_SHADOWED);
    page_entry_unlatch_shared(entry);
    batch->targets[batch->used] = target;
    batch->is_shadow[batch->used++] = false;
}

/* Takes the oldest frame off the queue of shadows; 0: none. REQUIRES(map_mutex). */
static uint32_t shadow_take(Store *store)
{
    const uint32_t frame = store->shadow_head;

    if (frame == 0)
        return 0;
    store->shadow_head = store->pool.infos[frame].next;
    if (store->shadow_head == 0)
        store->shadow_tail = 0;
    atomic_fetch_sub(&store->shadow_count, 1);
    return frame;
}

bool image_batch_add_shadow(Store *store, ImageBatch *batch)
{
    assert(batch->used < batch->slot_count);
    mutex_lock(&store->map_mutex);
    const uint32_t frame = shadow_take(store);
    mutex_unlock(&store->map_mutex);
    if (frame == 0)
        return false;

    FrameInfo *info = &store->pool.infos[frame];
    Database *database = info->shadow_of;
    const PageId page = atomic_load(&info->page);
    PageEntry *entry = &database->entries[page];
    memcpy(batch->staging + (size_t)batch->used * PAGE_SIZE,
           store->pool.frames + (size_t)frame * PAGE_SIZE, PAGE_SIZE);
    const MapRecord record = image_seal(batch, database, page, info->shadow_epoch);
    mutex_lock(&store->map_mutex);
    const uint16_t flags = atomic_fetch_and(
        &entry->flags, (uint16_t) ~(PAGE_FLAG_SHADOWED | PAGE_FLAG_FREED | PAGE_FLAG_CLONED));
    if (!FAULT(fault_evict_shadow) || (flags & PAGE_FLAG_SHADOWED)) {
        page_map_replace(store, database->map, &record, EPOCH_RUNNING,
                         (flags & PAGE_FLAG_IO_PENDING) != 0);
        /* Freed since the boundary: this image is in map `running` and in no later one. */
        if (flags & PAGE_FLAG_FREED)
            page_map_tombstone(store, database->map, page);
        batch->targets[batch->used] = (ImageTarget){database, page};
        batch->is_shadow[batch->used++] = true;
    }
    mutex_unlock(&store->map_mutex);
    pool_give(&store->pool, &frame, 1);
    return true;
}

/* Neighbouring slots go out as one write. */
static bool image_batch_transfer(Store *store, const ImageBatch *batch)
{
    for (uint32_t i = 0, count; i < batch->used; i += count) {
        count = 1;
        while (i + count < batch->used && batch->slots[i + count] == batch->slots[i] + count)
            count++;
        TRY(os->file_write(store->data_file, batch->staging + (size_t)i * PAGE_SIZE,
                           (size_t)count * PAGE_SIZE, (uint64_t)batch->slots[i] * PAGE_SIZE));
    }
    return true;
}

/* After a failed write the frames are again the only good copies. */
static void image_settle(Store *store, const ImageBatch *batch, uint32_t i, bool ok)
{
    PageEntry *entry = &batch->targets[i].database->entries[batch->targets[i].page];

    if (batch->is_shadow[i])
        return;
    page_entry_latch_shared(entry);
    if (!ok && (atomic_load(&entry->flags) & PAGE_FLAG_ALLOCATED) &&
        !(atomic_fetch_or(&entry->flags, PAGE_FLAG_DIRTY) & PAGE_FLAG_DIRTY))
        dirty_count_add(store, 1);
    atomic_fetch_and(&entry->flags, (uint16_t)~PAGE_FLAG_IO_PENDING);
    page_entry_unlatch_shared(entry);
}

bool image_batch_write(Store *store, ImageBatch *batch)
{
    slots_give_back(store, batch->slots + batch->used, batch->slot_count - batch->used);
    const bool ok = batch->used == 0 || image_batch_transfer(store, batch);

    if (!ok)
        atomic_store(&store->image_failed, true);
    for (uint32_t i = 0; i < batch->used; i++)
        image_settle(store, batch, i, ok);
    batch->slot_count = batch->used = 0;
    return ok;
}

bool page_image_check(const Database *database, PageId page, const PageEntry *entry,
                      const byte *image)
{
    PageHeader header;
    const uint32_t crc = crc32c(0, image, PAGE_SIZE);

    memcpy(&header, image, sizeof(header));
    if (entry->crc == PAGE_CRC_NEVER)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("page %u in database %u is lost: recovery found it damaged in slot %u",
                            page, database->id, entry->slot),
             .hint = STR("Changes that the log had for it are lost with it. Restore the database "
                         "from a backup, or drop what the page belongs to."));
    if (crc != entry->crc)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("invalid page %u in database %u: checksum of slot %u is %08x, not %08x",
                            page, database->id, entry->slot, crc, entry->crc),
             .hint = STR("The data file was damaged outside of the server. Restore the page from "
                         "a backup."));
    if (header.magic != PAGE_MAGIC || header.page != page ||
        (header.database != database->id && !page_entry_is_clone(entry)))
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("invalid page %u in database %u: slot %u holds page %u of database %u",
                            page, database->id, entry->slot, header.page, header.database));
    return true;
}
