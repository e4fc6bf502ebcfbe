/*
 * Keys that have been met: what DISTINCT need not sort again.
 *
 *   SeenKeys seen = {0};
 *   if (seen_keys_add(&seen, key, limit)) …          the key was there already
 *   seen_keys_clear(&seen);                           gives everything back
 *
 * Only a help: beyond `limit` bytes, and where hardly a key comes twice, keys count as new though
 * they are not. Whoever asks removes the rest of the duplicates by other means.
 */
#ifndef EXECUTOR_SEEN_KEYS_H
#define EXECUTOR_SEEN_KEYS_H

#include "base/arena.h"
#include "base/str.h"

typedef struct SeenKey {
    uint64_t hash;
    Str key; /* STR_NONE: a free place */
} SeenKey;

typedef struct SeenKeys {
    Arena *arena; /* the keys' bytes */
    SeenKey *places;
    uint32_t capacity, count; /* capacity is a power of two, or 0 */
    uint32_t asked, found;
    bool is_off; /* it was of no use */
} SeenKeys;

bool seen_keys_add(SeenKeys *seen, Str key, size_t limit);
void seen_keys_clear(SeenKeys *seen);

#endif
