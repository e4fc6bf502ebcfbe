/* Recovery and damaged pages: set aside, told, and gone on without. */
#include <stdio.h>

#include "base/error.h"
#include "storage/store_internal.h"

void page_set_aside(Database *database, PageId page, Str why)
{
    Store *store = database->store;
    PageEntry *entry = &database->entries[page];
    StoreDamage *damage = &store->damage;

    mutex_lock(&store->map_mutex);
    const bool is_known = entry->slot == 0 || entry->crc == PAGE_CRC_NEVER ||
                          (atomic_load(&entry->flags) & PAGE_FLAG_TEMPORARY);
    if (!is_known) {
        entry->crc = PAGE_CRC_NEVER;
        records_push(&database->map->delta[EPOCH_CURRENT],
                     &(MapRecord){.page = page,
                                  .slot = entry->slot,
                                  .crc = entry->crc,
                                  .slot_epoch = entry->slot_epoch,
                                  .is_clone = page_entry_is_clone(entry)});
    }
    mutex_unlock(&store->map_mutex);
    if (is_known)
        return;
    mutex_lock(&damage->mutex);
    damage->page_count++;
    if (damage->told_count < STORE_DAMAGE_TOLD)
        snprintf(damage->told[damage->told_count++], sizeof(damage->told[0]), "%.*s",
                 STR_ARGS(why));
    mutex_unlock(&damage->mutex);
}

bool store_pass_over(Store *store)
{
    StoreDamage *damage = &store->damage;

    mutex_lock(&damage->mutex);
    const bool is_damage = error_fields()->sqlstate == ERR_DATA_CORRUPTED && damage->page_count > 0;
    damage->change_count += is_damage;
    mutex_unlock(&damage->mutex);
    if (is_damage)
        error_clear();
    return is_damage;
}

Str store_damage(const Store *store, uint32_t index)
{
    return index < store->damage.told_count ? str_from_c(store->damage.told[index]) : STR_NONE;
}
