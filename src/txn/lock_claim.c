/*
 * Keys of unique indexes that bulk writers hold without a lock for each: the entries they have
 * spilled say which.
 *
 * Who spills entries puts them where others find them, then gives the keys' locks back; who has
 * got a key's lock looks for it there. So one of the two sees the other. The holder is made a hold
 * of the lock then, and everything goes on as with any other: the queue, deadlocks, pg_locks.
 */
#include "txn/lock_internal.h"

static void spill_unref(WriteSpill *spill)
{
    mutex_lock(&spill->of->runs_mutex);
    const bool is_last = --spill->references == 0;
    mutex_unlock(&spill->of->runs_mutex);
    if (is_last)
        write_spill_free(spill);
}

/* The next one of another session's behind `after`, referenced; NULL: there is none. */
static WriteSpill *spill_next(TxnTree *index, const TxnSession *session, WriteSpill *after)
{
    mutex_lock(&index->runs_mutex);
    WriteSpill *spill = index->spills;
    if (after) {
        /* One that has ended meanwhile is no longer in the list: its transaction holds nothing. */
        while (spill && spill != after)
            spill = spill->next_in_tree;
        spill = spill ? spill->next_in_tree : index->spills;
    }
    while (spill && spill->session == session)
        spill = spill->next_in_tree;
    if (spill)
        spill->references++;
    mutex_unlock(&index->runs_mutex);
    return spill;
}

/* False: it has ended meanwhile. */
static bool hold_for(WriteSpill *spill, const LockTag *tag)
{
    TxnTree *index = spill->of;
    LockPartition *partition = lock_partition(index->manager->locks, lock_tag_hash(tag));
    bool is_listed = false;

    mutex_lock(&partition->mutex);
    Lock *lock = lock_find(partition, tag);
    assert(lock); /* the caller has a hold of it */
    mutex_lock(&index->runs_mutex);
    for (const WriteSpill *each = index->spills; each && !is_listed; each = each->next_in_tree)
        is_listed = each == spill;
    bool is_there = false;
    for (const LockHold *hold = lock->holds; hold && !is_there; hold = hold->next_in_lock)
        is_there = hold->session == spill->session;
    /* Any rollback to a savepoint gives it back: who waited looks again. */
    if (is_listed && !is_there) {
        mutex_lock(&spill->session->shared_mutex);
        lock_make_foreign(lock, spill->session, LOCK_EXCLUSIVE, UINT64_MAX);
        mutex_unlock(&spill->session->shared_mutex);
    }
    mutex_unlock(&index->runs_mutex);
    mutex_unlock(&partition->mutex);
    return is_listed;
}

bool key_claims_find(TxnTree *index, const TxnSession *session, const LockTag *tag, Str key,
                     bool *ret_is_claimed)
{
    bool done = true;

    *ret_is_claimed = false;
    for (WriteSpill *spill = spill_next(index, session, NULL), *next; spill; spill = next) {
        bool has = false;
        done = write_spill_has_key(spill, key, &has);
        *ret_is_claimed = done && has && (!tag || hold_for(spill, tag));
        next = done && !*ret_is_claimed ? spill_next(index, session, spill) : NULL;
        spill_unref(spill);
    }
    return done;
}

void spills_release(TxnSession *session)
{
    for (WriteSpill *spill = session->spills; spill; spill = spill->next_in_session) {
        TxnTree *tree = spill->of;
        mutex_lock(&tree->runs_mutex);
        WriteSpill **link = &tree->spills;
        while (*link != spill)
            link = &(*link)->next_in_tree;
        *link = spill->next_in_tree;
        atomic_fetch_sub(&tree->spill_count, 1);
        mutex_unlock(&tree->runs_mutex);
    }
    /* Nobody finds them any more: those who wait are let go before the pages are. */
    lock_release_foreign(session, 0);
    while (session->spills) {
        WriteSpill *spill = session->spills;
        session->spills = spill->next_in_session;
        spill_unref(spill);
    }
}
