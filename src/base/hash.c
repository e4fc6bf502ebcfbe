#include "base/hash.h"

#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

#include "base/error.h"
#include "base/memory.h"

static char deleted_marker;
#define HASH_DELETED ((void *)&deleted_marker)
#define FIRST_CAPACITY 16

static void *slots_new(Arena *arena, size_t size)
{
    if (arena)
        return arena_alloc_zeroed(arena, size);
    return memory_must_calloc(1, size);
}

static bool is_live(const void *value)
{
    return value != NULL && value != HASH_DELETED;
}

/* At most 3/4 of the slots are in use, deleted ones included. */
static bool is_full(size_t used, size_t capacity)
{
    return (used + 1) * 4 > capacity * 3;
}

static size_t grown_capacity(size_t count)
{
    size_t capacity = FIRST_CAPACITY;

    while (is_full(count * 2, capacity))
        capacity *= 2;
    return capacity;
}

/* The slot that has the key, or the one where it belongs. */
static HashSlot *hashmap_slot(const HashMap *map, uint64_t key)
{
    size_t mask = map->capacity - 1;
    HashSlot *reusable = NULL;

    for (size_t i = hash_mix64(key) & mask;; i = (i + 1) & mask) {
        HashSlot *slot = &map->slots[i];
        if (!slot->value)
            return reusable ? reusable : slot;
        if (slot->value == HASH_DELETED)
            reusable = reusable ? reusable : slot;
        else if (slot->key == key)
            return slot;
    }
}

static void hashmap_rehash(HashMap *map)
{
    HashMap grown = {.arena = map->arena, .capacity = grown_capacity(map->count + 1)};

    grown.slots = slots_new(map->arena, grown.capacity * sizeof(HashSlot));
    for (size_t i = 0; i < map->capacity; i++)
        if (is_live(map->slots[i].value))
            *hashmap_slot(&grown, map->slots[i].key) = map->slots[i];
    grown.count = grown.used = map->count;
    if (!map->arena)
        memory_free(map->slots);
    *map = grown;
}

void hashmap_deinit(HashMap *map)
{
    if (!map->arena)
        memory_free(map->slots);
    *map = (HashMap){.arena = map->arena};
}

void *hashmap_get(const HashMap *map, uint64_t key)
{
    if (map->count == 0)
        return NULL;
    HashSlot *slot = hashmap_slot(map, key);
    return is_live(slot->value) && slot->key == key ? slot->value : NULL;
}

void *hashmap_put(HashMap *map, uint64_t key, void *value)
{
    assert(value);
    if (is_full(map->used, map->capacity))
        hashmap_rehash(map);

    HashSlot *slot = hashmap_slot(map, key);
    void *old = is_live(slot->value) ? slot->value : NULL;
    if (!slot->value)
        map->used++;
    if (!old)
        map->count++;
    *slot = (HashSlot){.key = key, .value = value};
    return old;
}

void *hashmap_remove(HashMap *map, uint64_t key)
{
    if (map->count == 0)
        return NULL;
    HashSlot *slot = hashmap_slot(map, key);
    if (!is_live(slot->value) || slot->key != key)
        return NULL;
    void *old = slot->value;
    slot->value = HASH_DELETED;
    map->count--;
    return old;
}

void hashmap_clear(HashMap *map)
{
    if (map->capacity)
        memset(map->slots, 0, map->capacity * sizeof(HashSlot));
    map->count = map->used = 0;
}

bool hashmap_next(const HashMap *map, size_t *position, uint64_t *ret_key, void **ret_value)
{
    while (*position < map->capacity) {
        const HashSlot *slot = &map->slots[(*position)++];
        if (is_live(slot->value)) {
            if (ret_key)
                *ret_key = slot->key;
            *ret_value = slot->value;
            return true;
        }
    }
    return false;
}

static StrMapSlot *strmap_slot(const StrMap *map, Str key, uint64_t hash)
{
    size_t mask = map->capacity - 1;
    StrMapSlot *reusable = NULL;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        StrMapSlot *slot = &map->slots[i];
        if (!slot->value)
            return reusable ? reusable : slot;
        if (slot->value == HASH_DELETED)
            reusable = reusable ? reusable : slot;
        else if (slot->hash == hash && str_equal(slot->key, key))
            return slot;
    }
}

static void strmap_rehash(StrMap *map)
{
    StrMap grown = {.arena = map->arena, .capacity = grown_capacity(map->count + 1)};

    grown.slots = slots_new(map->arena, grown.capacity * sizeof(StrMapSlot));
    for (size_t i = 0; i < map->capacity; i++)
        if (is_live(map->slots[i].value))
            *strmap_slot(&grown, map->slots[i].key, map->slots[i].hash) = map->slots[i];
    grown.count = grown.used = map->count;
    if (!map->arena)
        memory_free(map->slots);
    *map = grown;
}

void strmap_deinit(StrMap *map)
{
    if (!map->arena)
        memory_free(map->slots);
    *map = (StrMap){.arena = map->arena};
}

void *strmap_get(const StrMap *map, Str key)
{
    if (map->count == 0)
        return NULL;
    uint64_t hash = str_hash(key);
    StrMapSlot *slot = strmap_slot(map, key, hash);
    return is_live(slot->value) && slot->hash == hash && str_equal(slot->key, key) ? slot->value
                                                                                   : NULL;
}

void *strmap_put(StrMap *map, Str key, void *value)
{
    assert(value);
    if (is_full(map->used, map->capacity))
        strmap_rehash(map);

    uint64_t hash = str_hash(key);
    StrMapSlot *slot = strmap_slot(map, key, hash);
    void *old = is_live(slot->value) ? slot->value : NULL;
    if (!slot->value)
        map->used++;
    if (!old)
        map->count++;
    *slot = (StrMapSlot){.key = key, .hash = hash, .value = value};
    return old;
}

void *strmap_remove(StrMap *map, Str key)
{
    if (map->count == 0)
        return NULL;
    uint64_t hash = str_hash(key);
    StrMapSlot *slot = strmap_slot(map, key, hash);
    if (!is_live(slot->value) || slot->hash != hash || !str_equal(slot->key, key))
        return NULL;
    void *old = slot->value;
    slot->value = HASH_DELETED;
    map->count--;
    return old;
}

bool strmap_next(const StrMap *map, size_t *position, Str *ret_key, void **ret_value)
{
    while (*position < map->capacity) {
        const StrMapSlot *slot = &map->slots[(*position)++];
        if (is_live(slot->value)) {
            if (ret_key)
                *ret_key = slot->key;
            *ret_value = slot->value;
            return true;
        }
    }
    return false;
}

uint64_t hash_bytes(const void *data, size_t size)
{
    return XXH3_64bits(data, size);
}

#if defined(__SSE4_2__)

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
    const byte *p = data;
    uint64_t state = ~crc;

    for (; size >= 8; size -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        state = _mm_crc32_u64(state, word);
    }
    for (; size > 0; size--, p++)
        state = _mm_crc32_u8((uint32_t)state, *p);
    return ~(uint32_t)state;
}

#else

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
    const byte *p = data;
    uint32_t state = ~crc;

    for (; size > 0; size--, p++) {
        state ^= *p;
        for (int bit = 0; bit < 8; bit++)
            state = (state >> 1) ^ (0x82f63b78u & (0u - (state & 1)));
    }
    return ~state;
}

#endif
