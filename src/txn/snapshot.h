/*
 * What a reader sees: commits by their place on the number line, but for a few.
 *
 * A large commit is applied in slices while others go on: from its record to the end of its apply
 * it is hidden from every snapshot that is taken, though its LSN lies below theirs. What it changes
 * stays locked until then, so that nobody has changed a row since a hidden commit did, and is seen.
 */
#ifndef TXN_SNAPSHOT_H
#define TXN_SNAPSHOT_H

#include "storage/store.h"

#define SNAPSHOT_HIDDEN 4u /* large commits that are applied at a time */

typedef struct Snapshot {
    Lsn lsn;                     /* sees commits up to here; LSN_MAX: the latest applied */
    uint32_t command;            /* and own writes of commands before this one */
    uint32_t hidden_count;       /* of LSN_MAX: 0, which are hidden is asked at each look */
    Lsn hidden[SNAPSHOT_HIDDEN]; /* and none of these; each is at most lsn */
} Snapshot;

static inline bool snapshot_sees(const Snapshot *snapshot, Lsn date)
{
    if (date > snapshot->lsn)
        return false;
    for (uint32_t i = 0; i < snapshot->hidden_count; i++)
        if (snapshot->hidden[i] == date)
            return false;
    return true;
}

/* Everything up to here is seen: what a leaf's number, which is the newest of many, is held
 * against. */
static inline Lsn snapshot_floor(const Snapshot *snapshot)
{
    Lsn floor = snapshot->lsn;

    for (uint32_t i = 0; i < snapshot->hidden_count; i++)
        floor = MIN(floor, snapshot->hidden[i] - 1);
    return floor;
}

/* The same commits, with own writes of commands before that one. */
static inline Snapshot snapshot_with_command(const Snapshot *snapshot, uint32_t command)
{
    Snapshot other = *snapshot;

    other.command = command;
    return other;
}

/* Do both see the same commits? */
static inline bool snapshot_equal(const Snapshot *a, const Snapshot *b)
{
    return a->lsn == b->lsn && a->hidden_count == b->hidden_count &&
           memcmp(a->hidden, b->hidden, a->hidden_count * sizeof(a->hidden[0])) == 0;
}

#endif
