/* Damaged pages that recovery or a commit comes to: set aside, told, and gone on without. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/task.h"
#include "storage/store_internal.h"

void store_aside_begin(Store *store, StorePasser *passer)
{
    StoreDamage *damage = &store->damage;

    passer->task = task_current();
    mutex_lock(&damage->mutex);
    passer->next = damage->passers;
    damage->passers = passer;
    mutex_unlock(&damage->mutex);
}

void store_aside_end(Store *store, StorePasser *passer)
{
    StoreDamage *damage = &store->damage;

    mutex_lock(&damage->mutex);
    for (StorePasser **at = &damage->passers; *at; at = &(*at)->next) {
        if (*at != passer)
            continue;
        *at = passer->next;
        break;
    }
    mutex_unlock(&damage->mutex);
}

static bool passes_over(StoreDamage *damage, const Task *task)
{
    mutex_lock(&damage->mutex);
    const StorePasser *passer = damage->passers;
    while (passer && passer->task != task)
        passer = passer->next;
    mutex_unlock(&damage->mutex);
    return passer != NULL;
}

bool store_sets_aside(Store *store)
{
    return !store->options.read_only &&
           (!store->recovered || passes_over(&store->damage, task_current()));
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

void page_set_aside(Database *database, PageId page, uint32_t slot, Str why)
{
    Store *store = database->store;
    PageEntry *entry = &database->entries[page];
    StoreDamage *damage = &store->damage;

    mutex_lock(&store->map_mutex);
    /* Freed since, and perhaps another page by now: no longer what was read. */
    const bool is_other = entry->slot != slot || atomic_load(&entry->frame) != PAGE_FRAME_LOADING ||
                          (atomic_load(&entry->flags) & PAGE_FLAG_TEMPORARY);
    const bool is_new = !is_other && entry->crc != PAGE_CRC_NEVER;
    if (is_new) {
        entry->crc = PAGE_CRC_NEVER;
        records_push(&database->map->delta[EPOCH_CURRENT],
                     &(MapRecord){.page = page,
                                  .slot = entry->slot,
                                  .crc = entry->crc,
                                  .slot_epoch = entry->slot_epoch,
                                  .is_clone = page_entry_is_clone(entry)});
    }
    mutex_unlock(&store->map_mutex);
    if (!is_new)
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
