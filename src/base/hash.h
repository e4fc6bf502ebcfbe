/*
 * Hash tables: open addressing, keys by value, growing by doubling. No locks of their own.
 *
 * HashMap maps 64-bit keys to pointers; StrMap maps text (borrowed: it must outlive the entry).
 * Memory is the arena's, or the heap's where it is NULL.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/arena.h"
#include "base/str.h"

typedef struct HashSlot {
    uint64_t key;
    void *value; /* NULL: empty; HASH_DELETED: deleted */
} HashSlot;

typedef struct HashMap {
    HashSlot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;    /* live entries */
    size_t used;     /* live and deleted */
    Arena *arena;
} HashMap;

void hashmap_deinit(HashMap *map);
void *hashmap_get(const HashMap *map, uint64_t key); /* NULL: absent */
/* Adds or replaces; value is not NULL. Returns what was there. */
void *hashmap_put(HashMap *map, uint64_t key, void *value);
void *hashmap_remove(HashMap *map, uint64_t key);
void hashmap_clear(HashMap *map);
/* Visits entries in no order: start with *position = 0. */
bool hashmap_next(const HashMap *map, size_t *position, uint64_t *ret_key, void **ret_value);

typedef struct StrMapSlot {
    Str key;
    uint64_t hash;
    void *value;
} StrMapSlot;

typedef struct StrMap {
    StrMapSlot *slots;
    size_t capacity, count, used;
    Arena *arena;
} StrMap;

void strmap_deinit(StrMap *map);
void *strmap_get(const StrMap *map, Str key);
void *strmap_put(StrMap *map, Str key, void *value);
void *strmap_remove(StrMap *map, Str key);
bool strmap_next(const StrMap *map, size_t *position, Str *ret_key, void **ret_value);

/* Mixers for keys of one's own. */
static inline uint64_t hash_mix64(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}
static inline uint64_t hash_combine(uint64_t a, uint64_t b)
{
    return hash_mix64(a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2)));
}
uint64_t hash_bytes(const void *data, size_t size); /* XXH3 */
/* CRC-32C (Castagnoli) of the bytes, continuing `crc` (0 to start). RFC 3720, appendix B.4. */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

#endif
