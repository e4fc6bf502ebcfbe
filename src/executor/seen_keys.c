#include "executor/seen_keys.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/pace.h"

#define FIRST_CAPACITY 256
#define TRIAL 4096 /* after so many keys … */
#define USEFUL 4   /* … one in so many must have been a repeat */

static size_t memory_used(const SeenKeys *seen)
{
    return arena_size(seen->arena) + seen->capacity * sizeof(SeenKey);
}

/* Where the key is, or the free place where it belongs. */
static SeenKey *place_of(SeenKey *places, uint32_t capacity, uint64_t hash, Str key)
{
    uint32_t at = (uint32_t)hash & (capacity - 1);

    while (!str_is_none(places[at].key) &&
           (places[at].hash != hash || !str_equal(places[at].key, key)))
        at = (at + 1) & (capacity - 1);
    return &places[at];
}

static bool grow(SeenKeys *seen)
{
    uint32_t capacity = seen->capacity ? seen->capacity * 2 : FIRST_CAPACITY;
    SeenKey *places = memory_calloc(capacity, sizeof(SeenKey));

    if (!places)
        return false; /* it goes without */
    for (uint32_t i = 0; i < seen->capacity; i++) {
        if ((i & (PACE_LOOPS - 1)) == 0)
            pace_turn();
        if (!str_is_none(seen->places[i].key))
            *place_of(places, capacity, seen->places[i].hash, seen->places[i].key) =
                seen->places[i];
    }
    pace_free(seen->places, seen->capacity * sizeof(SeenKey));
    seen->places = places;
    seen->capacity = capacity;
    return true;
}

void seen_keys_clear(SeenKeys *seen)
{
    pace_free(seen->places, seen->capacity * sizeof(SeenKey));
    pace_arena_free(seen->arena);
    *seen = (SeenKeys){0};
}

bool seen_keys_add(SeenKeys *seen, Str key, size_t limit)
{
    if (seen->is_off)
        return false;
    if (!seen->arena)
        seen->arena = arena_new("distinct keys");
    if (seen->asked == TRIAL && seen->found < TRIAL / USEFUL) {
        seen_keys_clear(seen);
        seen->is_off = true;
        return false;
    }
    seen->asked += seen->asked < UINT32_MAX;
    bool is_full = memory_used(seen) > limit;
    if (seen->count >= seen->capacity / 2 && !is_full && !grow(seen))
        is_full = true;
    if (seen->capacity == 0)
        return false;
    const uint64_t hash = hash_bytes(key.data, key.length);
    SeenKey *place = place_of(seen->places, seen->capacity, hash, key);
    if (!str_is_none(place->key)) {
        seen->found += seen->found < UINT32_MAX;
        return true;
    }
    if (!is_full && seen->count < seen->capacity / 2) {
        *place = (SeenKey){hash, str_copy(seen->arena, key)};
        seen->count++;
    }
    return false;
}
