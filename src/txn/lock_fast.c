/*
 * Weak locks of tables, kept with the session that holds them.
 *
 * AccessShare, RowShare and RowExclusive are in each other's way nowhere, and every statement takes
 * one. A session notes those it holds in places of its own, so that sessions on the same table
 * write to no cache line in common. Who wants one of the modes that conflict with them counts
 * himself among the strong ones of that table first and then moves what the sessions have noted
 * into the lock table.
 *
 * Invariant F1: while a strong lock of a table is wanted or held, no session notes a weak one of
 * it. The note is made under the session's mutex, where the count is read; the collector counts
 * before he takes that mutex: one of the two sees the other.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "txn/lock_internal.h"

#define WEAKEST LOCK_ACCESS_SHARE
#define STRONGEST_WEAK LOCK_ROW_EXCLUSIVE

static_assert(STRONGEST_WEAK - WEAKEST + 1 == FAST_LOCK_MODES, "a position for each weak mode");

static uint8_t mode_bit(int mode)
{
    return (uint8_t)(1u << mode);
}

static _Atomic uint32_t *strong_count(LockTable *table, DatabaseId database, Oid relation)
{
    return &table->strong_counts[(relation ^ database * 31u) % STRONG_COUNTS];
}

static FastLock *fast_find(TxnSession *session, DatabaseId database, Oid relation)
{
    for (uint32_t i = 0; i < session->fast_count; i++) {
        FastLock *fast = &session->fast[i];
        if (fast->relation == relation && fast->database == database)
            return fast;
    }
    return NULL;
}

bool fast_lock_is_strong(const LockTag *tag, uint8_t mode)
{
    return tag->space == SPACE_RELATION && mode >= LOCK_SHARE && tag->database != SHARED_SPACE;
}

LockOutcome fast_lock_acquire(TxnSession *session, DatabaseId database, Oid relation, LockMode mode)
{
    FastLock *fast = fast_find(session, database, relation);

    if (fast && fast->modes & mode_bit(mode))
        return LOCK_HELD;
    if (mode > STRONGEST_WEAK || database == SHARED_SPACE ||
        (!fast && session->fast_count == FAST_LOCKS))
        return LOCK_WOULD_BLOCK;

    const _Atomic uint32_t *strong = strong_count(session->manager->locks, database, relation);
    mutex_lock(&session->shared_mutex);
    const bool is_free = atomic_load_explicit(strong, memory_order_relaxed) == 0;
    if (is_free) {
        if (!fast) {
            fast = &session->fast[session->fast_count++];
            fast->database = database;
            fast->relation = relation;
            fast->modes = fast->moved_modes = 0;
        }
        fast->modes |= mode_bit(mode);
        fast->positions[mode - WEAKEST] = session->lock_position;
    }
    mutex_unlock(&session->shared_mutex);
    return is_free ? LOCK_GRANTED : LOCK_WOULD_BLOCK;
}

bool fast_lock_is_held(TxnSession *session, DatabaseId database, Oid relation, LockMode mode)
{
    const FastLock *fast = fast_find(session, database, relation);

    for (uint8_t held = WEAKEST; fast && held <= STRONGEST_WEAK; held++)
        if (fast->modes & mode_bit(held) && lock_mode_covers(SPACE_RELATION, held, (uint8_t)mode))
            return true;
    return false;
}

/* Which of its modes were taken at that position or after it. */
static uint8_t modes_since(const FastLock *fast, uint64_t position)
{
    uint8_t modes = 0;

    for (int mode = WEAKEST; mode <= STRONGEST_WEAK; mode++)
        if (fast->modes & mode_bit(mode) && fast->positions[mode - WEAKEST] >= position)
            modes |= mode_bit(mode);
    return modes;
}

void fast_locks_release(TxnSession *session, uint64_t position)
{
    uint8_t moved = 0;
    uint32_t kept = 0;

    mutex_lock(&session->shared_mutex);
    for (uint32_t i = 0; i < session->fast_count; i++) {
        FastLock *fast = &session->fast[i];
        const uint8_t modes = modes_since(fast, position);
        moved |= modes & fast->moved_modes;
        fast->modes &= (uint8_t)~modes;
        fast->moved_modes &= (uint8_t)~modes;
        if (fast->modes)
            session->fast[kept++] = *fast;
    }
    session->fast_count = kept;
    mutex_unlock(&session->shared_mutex);
    if (moved)
        lock_release_foreign(session, position);
}

/* ------------------------------------------------------------------ collecting */

void fast_locks_bar(LockTable *table, const LockTag *tag)
{
    atomic_fetch_add(strong_count(table, tag->database, (Oid)tag->a), 1);
}

void fast_locks_unbar(LockTable *table, const LockTag *tag)
{
    atomic_fetch_sub(strong_count(table, tag->database, (Oid)tag->a), 1);
}

static void collect_from(TxnSession *session, Lock *lock) REQUIRES(session->shared_mutex)
{
    FastLock *fast = fast_find(session, lock->tag.database, (Oid)lock->tag.a);

    for (uint8_t mode = WEAKEST; fast && mode <= STRONGEST_WEAK; mode++) {
        if (!((fast->modes & ~fast->moved_modes) & mode_bit(mode)))
            continue;
        fast->moved_modes |= mode_bit(mode);
        lock_make_foreign(lock, session, mode, fast->positions[mode - WEAKEST]);
    }
}

void fast_locks_collect(TxnManager *manager, Lock *lock)
{
    mutex_lock(&manager->sessions_mutex);
    for (TxnSession *session = manager->sessions; session; session = session->next) {
        mutex_lock(&session->shared_mutex);
        collect_from(session, lock);
        mutex_unlock(&session->shared_mutex);
    }
    mutex_unlock(&manager->sessions_mutex);
}

/* ------------------------------------------------------------------ showing */

void fast_locks_show(TxnSession *session, Arena *arena, LockInfoVec *locks)
{
    mutex_lock(&session->shared_mutex);
    for (uint32_t i = 0; i < session->fast_count; i++) {
        const FastLock *fast = &session->fast[i];
        const LockTag tag = {
            .space = SPACE_RELATION, .database = fast->database, .a = fast->relation};
        for (int mode = WEAKEST; mode <= STRONGEST_WEAK; mode++) {
            if (!((fast->modes & ~fast->moved_modes) & mode_bit(mode)))
                continue;
            LockInfo info = lock_info_of(&tag, session, (uint8_t)mode);
            info.granted = info.is_fast = true;
            VEC_PUSH(arena, locks, info);
        }
    }
    mutex_unlock(&session->shared_mutex);
}
