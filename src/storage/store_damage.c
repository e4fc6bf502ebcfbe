/* Damaged pages that recovery or a commit comes to: set aside, told, and gone on without. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "storage/store_internal.h"

void store_aside_begin(Store *store)
{
    atomic_fetch_add(&store->damage.passers_over, 1);
}

void store_aside_end(Store *store)
{
    atomic_fetch_sub(&store->damage.passers_over, 1);
}

bool store_sets_aside(Store *store)
{
    return !store->options.read_only &&
           (!store->recovered || atomic_load(&store->damage.passers_over) > 0);
}

/* What is found again and again is told once. */
static void damage_tell(StoreDamage *damage, Str why) REQUIRES(damage->mutex)
{
    char text[sizeof(damage->told[0])];

    damage->is_met = true;
    snprintf(text, sizeof(text), "%.*s", STR_ARGS(why));
    for (uint32_t i = 0; i < damage->told_count; i++)
        if (strcmp(damage->told[i], text) == 0)
            return;
    if (damage->told_count < STORE_DAMAGE_TOLD)
        memcpy(damage->told[damage->told_count++], text, sizeof(text));
}

void store_note_wrong(Store *store, Str why)
{
    mutex_lock(&store->damage.mutex);
    damage_tell(&store->damage, why);
    mutex_unlock(&store->damage.mutex);
}

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
    damage_tell(damage, why);
    mutex_unlock(&damage->mutex);
}

bool store_pass_over(Store *store)
{
    StoreDamage *damage = &store->damage;

    mutex_lock(&damage->mutex);
    const bool is_damage = error_fields()->sqlstate == ERR_DATA_CORRUPTED && damage->is_met;
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
