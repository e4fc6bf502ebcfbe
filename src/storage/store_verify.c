/* Verification: every page the newest checkpoint refers to, and the free space between them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/task.h"
#include "storage/store_internal.h"
#include "storage/verify.h"

typedef struct Verification {
    Store *store;
    StoreProblemCallback *callback;
    void *context;
    uint64_t count;
    uint32_t *references; /* a counter a slot; the top bit: by a page that is no clone */
    byte *image;
} Verification;

#define REFERENCE_OWNED 0x80000000u

static void verify_tell(Verification *verification, DatabaseId database, PageId page, uint32_t slot,
                        Str text)
{
    const StoreProblem problem = {.database = database, .page = page, .slot = slot, .text = text};

    verification->count++;
    verification->callback(verification->context, &problem);
}

static void verify_reference(Verification *verification, const PageMap *map, PageId page,
                             const PageEntry *entry)
{
    uint32_t *counter = &verification->references[entry->slot];

    if (!page_entry_is_clone(entry)) {
        if (*counter & REFERENCE_OWNED)
            verify_tell(verification, map->database.id, page, entry->slot,
                        STR("slot is referred to by another page too"));
        *counter |= REFERENCE_OWNED;
    }
    ++*counter;
}

static bool verify_page(Verification *verification, const PageMap *map, PageId page)
{
    Store *store = verification->store;
    const PageEntry *entry = &map->database.entries[page];

    if (entry->slot == 0)
        return true;
    if (entry->slot >= store->space.capacity) {
        verify_tell(verification, map->database.id, page, entry->slot,
                    STR("slot lies beyond the end of the data file"));
        return true;
    }
    verify_reference(verification, map, page, entry);
    if (os->file_read(store->data_file, verification->image, PAGE_SIZE,
                      (uint64_t)entry->slot * PAGE_SIZE) &&
        page_image_check(&map->database, page, entry, verification->image))
        return true;
    verify_tell(verification, map->database.id, page, entry->slot, error_fields()->message);
    error_clear();
    return true;
}

static void verify_slot(Verification *verification, uint32_t slot)
{
    const SlotSpace *space = &verification->store->space;
    const bool is_used = (space->used[slot / 64] >> (slot % 64) & 1) != 0;
    const uint32_t found = verification->references[slot] & ~REFERENCE_OWNED;
    const uint32_t expected = is_used ? space->extra[slot] + 1u : 0;
    char text[100];

    if (found == expected)
        return;
    snprintf(text, sizeof(text), "slot has %u references, but %u are counted", found, expected);
    verify_tell(verification, 0, PAGE_ID_NONE, slot, str_from_c(text));
}

/* Slots that wait for the next checkpoint are used, though no page refers to them. */
static void verify_count_freed(Verification *verification)
{
    for (int class = EPOCH_CURRENT; class <= EPOCH_RUNNING; class ++) {
        const U32List *freed = &verification->store->space.freed[class];
        for (size_t i = 0; i < freed->length; i++)
            verification->references[freed->items[i]]++;
    }
}

#define PROGRESS_EVERY 1024 /* pages */

static void verify_progress(const Verification *verification, uint64_t done, uint64_t total)
{
    const Store *store = verification->store;

    if (store->verify_progress && (done % PROGRESS_EVERY == 0 || done == total))
        store->verify_progress(store->verify_progress_context, done, total);
}

static bool verify_run(Verification *verification)
{
    Store *store = verification->store;
    uint64_t total = 0, done = 0;

    for (size_t i = 0; i < store->database_count; i++)
        total += store->databases[i]->next_page - 1;
    for (size_t i = 0; i < store->database_count; i++) {
        PageMap *map = store->databases[i];
        for (PageId page = 1; page < map->next_page; page++) {
            CHECK_INTERRUPTS();
            TRY(verify_page(verification, map, page));
            verify_progress(verification, ++done, total);
        }
    }
    verify_count_freed(verification);
    for (uint32_t slot = 1; slot < store->space.capacity; slot++)
        verify_slot(verification, slot);
    return true;
}

void store_on_verify_progress(Store *store, StoreProgressCallback *callback, void *context)
{
    store->verify_progress = callback;
    store->verify_progress_context = context;
}

bool store_verify(Store *store, StoreProblemCallback *callback, void *context, uint64_t *ret_count)
{
    const size_t bytes = ((size_t)store->space.capacity + 1) * sizeof(uint32_t);
    Verification verification = {
        .store = store,
        .callback = callback,
        .context = context,
        .references = memory_reserve(bytes),
        .image = memory_reserve(PAGE_SIZE),
    };
    bool ok = verification.references && verification.image;

    if (!ok)
        ERROR_SET(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    ok = ok && verify_run(&verification);
    memory_release(verification.references, bytes);
    memory_release(verification.image, PAGE_SIZE);
    if (ok)
        *ret_count = verification.count;
    return ok;
}
