/* The lock table: granting, releasing, the modes; tables, objects and advisory locks. */
#include "txn/lock.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/settings.h"
#include "txn/lock_internal.h"

#define LOCKS_PER_BUCKET 4u
#define FREE_LOCKS_KEPT 16u

#define BIT(mode) (1u << (mode))

/* PostgreSQL manual, "Explicit Locking", table 13.2. */
static const uint32_t table_conflicts[] = {
    [LOCK_ACCESS_SHARE] = BIT(8),
    [LOCK_ROW_SHARE] = BIT(7) | BIT(8),
    [LOCK_ROW_EXCLUSIVE] = BIT(5) | BIT(6) | BIT(7) | BIT(8),
    [LOCK_SHARE_UPDATE_EXCLUSIVE] = BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8),
    [LOCK_SHARE] = BIT(3) | BIT(4) | BIT(6) | BIT(7) | BIT(8),
    [LOCK_SHARE_ROW_EXCLUSIVE] = BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8),
    [LOCK_EXCLUSIVE] = BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8),
    [LOCK_ACCESS_EXCLUSIVE] = BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8),
};

/* The same chapter, table 13.3. Writers' modes, 5 and 6, are like 3 and 4; 7 is ROW_PROBE. */
static const uint32_t row_conflicts[] = {
    [ROW_LOCK_KEY_SHARE] = BIT(4) | BIT(6),
    [ROW_LOCK_SHARE] = BIT(3) | BIT(4) | BIT(5) | BIT(6),
    [ROW_LOCK_NO_KEY_UPDATE] = BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6),
    [ROW_LOCK_UPDATE] = BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6),
    [ROW_WRITE_NO_KEY] = BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6),
    [ROW_WRITE] = BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6),
    [ROW_PROBE] = BIT(5) | BIT(6),
};

uint32_t lock_conflicts(uint32_t space, uint8_t mode)
{
    return space == SPACE_ROW ? row_conflicts[mode] : table_conflicts[mode];
}

bool lock_mode_covers(uint32_t space, uint8_t held, uint8_t wanted)
{
    uint32_t needed = lock_conflicts(space, wanted);

    /* A mode that conflicts with all that the wanted one does is as strong. */
    if (space == SPACE_ROW && wanted >= ROW_WRITE_NO_KEY && held < wanted)
        return false;
    return (lock_conflicts(space, held) & needed) == needed;
}

Str lock_mode_name(LockMode mode)
{
    static const char *const names[] = {"INVALID",
                                        "AccessShareLock",
                                        "RowShareLock",
                                        "RowExclusiveLock",
                                        "ShareUpdateExclusiveLock",
                                        "ShareLock",
                                        "ShareRowExclusiveLock",
                                        "ExclusiveLock",
                                        "AccessExclusiveLock"};
    return str_from_c(names[mode]);
}

LockTable *lock_table_new(void)
{
    LockTable *table = memory_aligned(sizeof(LockTable));
    if (!table)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    for (uint32_t i = 0; i < LOCK_PARTITIONS; i++) {
        LockPartition *partition = &table->partitions[i];
        mutex_init(&partition->mutex, RANK_LOCK_TABLE);
        partition->buckets = &partition->only_bucket;
    }
    mutex_init(&table->deadlock_mutex, RANK_DEADLOCK);
    return table;
}

void lock_table_free(LockTable *table)
{
    if (!table)
        return;
    for (uint32_t i = 0; i < LOCK_PARTITIONS; i++) {
        assert(table->partitions[i].lock_count == 0);
        assert(table->partitions[i].buckets == &table->partitions[i].only_bucket);
        while (table->partitions[i].free_locks) {
            Lock *lock = table->partitions[i].free_locks;
            table->partitions[i].free_locks = lock->next;
            memory_free(lock);
        }
    }
    memory_free(table);
}

/* ------------------------------------------------------------------ locks in partitions */

LockPartition *lock_partition(LockTable *table, uint64_t hash)
{
    return &table->partitions[hash % LOCK_PARTITIONS];
}

static Lock **bucket_of(const LockPartition *partition, const LockTag *tag)
    REQUIRES(partition->mutex)
{
    return &partition->buckets[lock_tag_hash(tag) / LOCK_PARTITIONS & partition->bucket_mask];
}

/* All locks into `count` buckets. Without memory for them chains stay longer. */
static void buckets_resize(LockPartition *partition, uint32_t count) REQUIRES(partition->mutex)
{
    Lock **old = partition->buckets, **buckets = &partition->only_bucket;
    const uint32_t old_count = partition->bucket_mask + 1;

    if (count > 1 && !(buckets = memory_calloc(count, sizeof(Lock *))))
        return;
    Lock *all = NULL;
    for (uint32_t i = 0; i < old_count; i++)
        while (old[i]) {
            Lock *lock = old[i];
            old[i] = lock->next;
            lock->next = all;
            all = lock;
        }
    partition->buckets = buckets;
    partition->bucket_mask = count - 1;
    while (all) {
        Lock *lock = all;
        all = lock->next;
        Lock **bucket = bucket_of(partition, &lock->tag);
        lock->next = *bucket;
        *bucket = lock;
    }
    if (old != &partition->only_bucket)
        memory_free(old);
}

Lock *lock_find(LockPartition *partition, const LockTag *tag)
{
    Lock *lock = *bucket_of(partition, tag);
    while (lock && !lock_tag_equal(&lock->tag, tag))
        lock = lock->next;
    return lock;
}

static Lock *lock_make(LockPartition *partition, const LockTag *tag)
{
    Lock *lock = lock_find(partition, tag);
    if (lock)
        return lock;
    lock = partition->free_locks;
    if (lock) {
        partition->free_locks = lock->next;
        partition->free_count--;
    } else {
        lock = memory_must(sizeof(*lock));
    }
    if (partition->lock_count++ > LOCKS_PER_BUCKET * partition->bucket_mask + LOCKS_PER_BUCKET)
        buckets_resize(partition, (partition->bucket_mask + 1) * 8);
    Lock **bucket = bucket_of(partition, tag);
    *lock = (Lock){.tag = *tag, .next = *bucket};
    *bucket = lock;
    return lock;
}

static void lock_drop_unused(LockPartition *partition, Lock *lock)
{
    if (lock->holds || lock->first)
        return;
    Lock **link = bucket_of(partition, &lock->tag);
    while (*link != lock)
        link = &(*link)->next;
    *link = lock->next;
    if (--partition->lock_count == 0 && partition->bucket_mask > 0)
        buckets_resize(partition, 1);
    /* A few are kept for the next; what a large transaction needed is given back. */
    if (partition->free_count >= FREE_LOCKS_KEPT) {
        memory_free(lock);
        return;
    }
    partition->free_count++;
    lock->next = partition->free_locks;
    partition->free_locks = lock;
}

void lock_hold_link(Lock *lock, LockHold *hold)
{
    hold->lock = lock;
    hold->next_in_lock = lock->holds;
    hold->link_in_lock = &lock->holds;
    if (lock->holds)
        lock->holds->link_in_lock = &hold->next_in_lock;
    lock->holds = hold;
    lock->hold_counts[hold->mode]++;
    lock->held_modes |= BIT(hold->mode);
}

static void hold_unlink(LockHold *hold)
{
    Lock *lock = hold->lock;

    if (--lock->hold_counts[hold->mode] == 0)
        lock->held_modes &= ~BIT(hold->mode);
    *hold->link_in_lock = hold->next_in_lock;
    if (hold->next_in_lock)
        hold->next_in_lock->link_in_lock = hold->link_in_lock;
}

/* ------------------------------------------------------------------ a session's holds */

/* Without memory for more chains stay longer. */
static void hold_buckets_grow(TxnSession *session)
{
    const uint32_t count = session->hold_bucket_count ? session->hold_bucket_count * 2 : 32;
    LockHold **buckets = session->hold_bucket_count ? memory_calloc(count, sizeof(*buckets))
                                                    : memory_must_calloc(count, sizeof(*buckets));
    if (!buckets)
        return;
    for (LockHold *hold = session->holds; hold; hold = hold->older) {
        LockHold **slot = &buckets[hold->hash / LOCK_PARTITIONS & (count - 1)];
        hold->next_in_bucket = *slot;
        *slot = hold;
    }
    memory_free(session->hold_buckets);
    session->hold_buckets = buckets;
    session->hold_bucket_count = count;
}

static LockHold *hold_new(TxnSession *session)
{
    LockHold *hold = session->free_holds;
    if (hold)
        session->free_holds = hold->older;
    else
        hold = memory_must(sizeof(*hold));
    return hold;
}

/* Enters a granted hold into the session's own list. */
static void hold_keep(TxnSession *session, LockHold *hold)
{
    if (session->hold_count >= session->hold_bucket_count)
        hold_buckets_grow(session);
    hold->older = session->holds;
    hold->newer = NULL;
    if (session->holds)
        session->holds->newer = hold;
    session->holds = hold;
    LockHold **slot =
        &session->hold_buckets[hold->hash / LOCK_PARTITIONS & (session->hold_bucket_count - 1)];
    hold->next_in_bucket = *slot;
    *slot = hold;
    session->hold_count++;
}

static void hold_forget(TxnSession *session, LockHold *hold)
{
    LockHold **slot =
        &session->hold_buckets[hold->hash / LOCK_PARTITIONS & (session->hold_bucket_count - 1)];
    while (*slot != hold)
        slot = &(*slot)->next_in_bucket;
    *slot = hold->next_in_bucket;
    if (hold->newer)
        hold->newer->older = hold->older;
    else
        session->holds = hold->older;
    if (hold->older)
        hold->older->newer = hold->newer;
    session->hold_count--;
}

LockHold *lock_hold_find(const TxnSession *session, const LockTag *tag, uint8_t mode,
                         bool session_scope)
{
    if (session->hold_bucket_count == 0)
        return NULL;
    uint64_t hash = lock_tag_hash(tag);
    LockHold *hold =
        session->hold_buckets[hash / LOCK_PARTITIONS & (session->hold_bucket_count - 1)];
    for (; hold; hold = hold->next_in_bucket) {
        /* Session locks are given back by their mode, each for itself. */
        if (hold->hash == hash && hold->session_scope == session_scope &&
            lock_tag_equal(&hold->lock->tag, tag) &&
            (hold->mode == mode || (tag->space == SPACE_ROW && !session_scope &&
                                    lock_mode_covers(tag->space, hold->mode, mode))))
            return hold;
    }
    return NULL;
}

/* ------------------------------------------------------------------ acquiring, releasing */

bool lock_is_blocked(const Lock *lock, const TxnSession *session, uint8_t mode,
                     const LockWaiter *before)
{
    uint32_t conflicts = lock_conflicts(lock->tag.space, mode);

    for (const LockHold *hold = conflicts & lock->held_modes ? lock->holds : NULL; hold;
         hold = hold->next_in_lock)
        if (hold->session != session && (conflicts & BIT(hold->mode)))
            return true;
    if (lock->tag.space == SPACE_ROW && mode == ROW_PROBE)
        return false;
    for (const LockWaiter *waiter = lock->first; waiter && waiter != before; waiter = waiter->next)
        if (waiter->session != session && (conflicts & BIT(waiter->mode)))
            return true;
    return false;
}

LockOutcome lock_acquire(TxnSession *session, const LockRequest *request)
{
    LockHold *held = lock_hold_find(session, &request->tag, request->mode, request->session_scope);
    if (held) {
        held->count++;
        return LOCK_HELD;
    }
    LockTable *table = session->manager->locks;
    uint64_t hash = lock_tag_hash(&request->tag);
    LockPartition *partition = lock_partition(table, hash);
    LockHold *hold = hold_new(session);
    *hold = (LockHold){.session = session,
                       .hash = hash,
                       .position = session->lock_position,
                       .count = 1,
                       .mode = request->mode,
                       .session_scope = request->session_scope};

    const bool is_strong = fast_lock_is_strong(&request->tag, request->mode);
    if (is_strong)
        fast_locks_bar(table, &request->tag);
    mutex_lock(&partition->mutex);
    Lock *lock = lock_make(partition, &request->tag);
    if (is_strong)
        fast_locks_collect(session->manager, lock);
    bool blocked = request->tree && atomic_load(&request->tree->runs_count) > 0 &&
                   lock_runs_materialize(request->tree, lock, session, request);
    /* Who holds the lock already passes those who wait for him; on a row, whom no holder is in the
     * way of passes everybody, as in PostgreSQL. */
    const LockWaiter *passed =
        request->tag.space == SPACE_ROW ? lock->first : lock_queue_place(lock, session);
    blocked = blocked || lock_is_blocked(lock, session, request->mode, passed);
    if (!blocked) {
        lock_hold_link(lock, hold);
        if (lock->first)
            lock_blockers_changed(table, lock);
        mutex_unlock(&partition->mutex);
        hold_keep(session, hold);
        return LOCK_GRANTED;
    }
    LockOutcome outcome = LOCK_WOULD_BLOCK;
    if (request->wait != LOCK_WAIT) {
        lock_drop_unused(partition, lock);
        mutex_unlock(&partition->mutex);
    } else {
        outcome = lock_wait(session, partition, lock, hold, request);
        if (outcome == LOCK_GRANTED) {
            hold_keep(session, hold);
            return LOCK_GRANTED;
        }
        if (hold->lock)
            return outcome; /* granted too late and given back already */
        mutex_lock(&partition->mutex);
        lock = lock_find(partition, &request->tag);
        if (lock)
            lock_drop_unused(partition, lock);
        mutex_unlock(&partition->mutex);
    }
    if (is_strong)
        fast_locks_unbar(table, &request->tag);
    hold->older = session->free_holds;
    session->free_holds = hold;
    return outcome;
}

/* Are later snapshots to see what its holder has committed? Who gets a row's or key's lock looks at
 * what is newest. */
static bool orders_snapshots(const LockHold *hold)
{
    const LockTag *tag = &hold->lock->tag;

    return tag->space == SPACE_ADVISORY || fast_lock_is_strong(tag, hold->mode);
}

/* Takes a hold off its lock and lets others have it. */
static void hold_release(TxnSession *session, LockHold *hold)
{
    LockTable *table = session->manager->locks;
    LockPartition *partition = lock_partition(table, hold->hash);

    if (orders_snapshots(hold))
        ordered_raise(session->manager, session->txn.commit_lsn);
    mutex_lock(&partition->mutex);
    Lock *lock = hold->lock;
    hold_unlink(hold);
    if (fast_lock_is_strong(&lock->tag, hold->mode))
        fast_locks_unbar(table, &lock->tag);
    if (lock->first)
        lock_wake(table, lock);
    lock_drop_unused(partition, lock);
    mutex_unlock(&partition->mutex);
    hold->older = session->free_holds;
    session->free_holds = hold;
}

bool lock_is_waited_for(TxnSession *session, LockHold *hold)
{
    LockPartition *partition = lock_partition(session->manager->locks, hold->hash);

    mutex_lock(&partition->mutex);
    bool is_waited_for = hold->lock->first != NULL;
    mutex_unlock(&partition->mutex);
    return is_waited_for;
}

void lock_granted_late(TxnSession *session, LockHold *hold)
{
    hold_keep(session, hold);
    lock_release_hold(session, hold);
}

void lock_release_hold(TxnSession *session, LockHold *hold)
{
    hold_forget(session, hold);
    hold_release(session, hold);
}

void lock_release_from(TxnSession *session, uint64_t position)
{
    LockHold *hold = session->holds;

    /* Newest first: what follows an older one is older. */
    while (hold && hold->position >= position) {
        LockHold *older = hold->older;
        if (!hold->session_scope)
            lock_release_hold(session, hold);
        hold = older;
    }
    if (session->fast_count > 0)
        fast_locks_release(session, position);
    if (position == 0 && session->has_spills)
        spills_release(session);
    if (session->runs || session->has_spills) {
        lock_runs_release(session, position);
        lock_release_foreign(session, position);
    }
    if (position == 0)
        session->has_spills = false;
    /* A bulk's memory isn't kept for the small ones that follow. */
    if (position == 0 && session->hold_count == 0 && session->hold_bucket_count > 1024) {
        memory_free(session->hold_buckets);
        session->hold_buckets = NULL;
        session->hold_bucket_count = 0;
    }
}

void lock_make_foreign(Lock *lock, TxnSession *session, uint8_t mode, uint64_t position)
{
    LockHold *hold = memory_must_calloc(1, sizeof(*hold));
    hold->session = session;
    hold->hash = lock_tag_hash(&lock->tag);
    hold->position = position;
    hold->count = 1;
    hold->mode = mode;
    lock_hold_link(lock, hold);
    hold->older = session->foreign_holds;
    session->foreign_holds = hold;
}

void lock_release_foreign(TxnSession *session, uint64_t position)
{
    mutex_lock(&session->shared_mutex);
    LockHold *holds = session->foreign_holds;
    session->foreign_holds = NULL;
    mutex_unlock(&session->shared_mutex);

    while (holds) {
        LockHold *next = holds->older;
        if (holds->position >= position) {
            hold_release(session, holds);
        } else {
            mutex_lock(&session->shared_mutex);
            holds->older = session->foreign_holds;
            session->foreign_holds = holds;
            mutex_unlock(&session->shared_mutex);
        }
        holds = next;
    }
}

void lock_release_foreign_on(TxnSession *session, const LockTag *tag)
{
    mutex_lock(&session->shared_mutex);
    LockHold **link = &session->foreign_holds;
    while (*link && !lock_tag_equal(&(*link)->lock->tag, tag))
        link = &(*link)->older;
    LockHold *hold = *link;
    if (hold)
        *link = hold->older;
    mutex_unlock(&session->shared_mutex);
    if (hold)
        hold_release(session, hold);
}

void lock_session_release_all(TxnSession *session)
{
    while (session->holds)
        lock_release_hold(session, session->holds);
    fast_locks_release(session, 0);
    lock_runs_release(session, 0);
    lock_release_foreign(session, 0);
    while (session->free_holds) {
        LockHold *hold = session->free_holds;
        session->free_holds = hold->older;
        memory_free(hold);
    }
}

/* ------------------------------------------------------------------ tables and objects */

LockOutcome lock_relation(Txn *txn, DatabaseId database, Oid relation, LockMode mode, LockWait wait,
                          Str name)
{
    LockOutcome outcome = fast_lock_acquire(txn->session, database, relation, mode);
    if (outcome != LOCK_WOULD_BLOCK)
        return outcome;
    LockRequest request = {
        .tag = {.space = SPACE_RELATION, .database = database, .a = relation},
        .mode = (uint8_t)mode,
        .wait = wait,
        .wait_event = WAIT_EVENT_RELATION,
    };
    outcome = lock_acquire(txn->session, &request);
    if (outcome == LOCK_WOULD_BLOCK && wait == LOCK_NOWAIT)
        FAIL(ERR_LOCK_NOT_AVAILABLE,
             .message = fmt("could not obtain lock on relation \"%.*s\"", STR_ARGS(name)));
    return outcome;
}

bool lock_relation_is_held(Txn *txn, DatabaseId database, Oid relation, LockMode mode)
{
    const LockTag tag = {.space = SPACE_RELATION, .database = database, .a = relation};

    if (fast_lock_is_held(txn->session, database, relation, mode))
        return true;
    for (int held = LOCK_ACCESS_SHARE; held <= LOCK_ACCESS_EXCLUSIVE; held++)
        if (lock_mode_covers(tag.space, (uint8_t)held, (uint8_t)mode) &&
            lock_hold_find(txn->session, &tag, (uint8_t)held, false))
            return true;
    return false;
}

LockOutcome lock_object(Txn *txn, DatabaseId database, Oid class_id, Oid object_id, LockMode mode,
                        LockWait wait)
{
    LockRequest request = {
        .tag = {.space = SPACE_OBJECT, .database = database, .a = class_id, .b = object_id},
        .mode = (uint8_t)mode,
        .wait = wait,
        .wait_event = WAIT_EVENT_DATABASE,
    };
    LockOutcome outcome = lock_acquire(txn->session, &request);
    if (outcome == LOCK_WOULD_BLOCK && wait == LOCK_NOWAIT)
        FAIL(ERR_LOCK_NOT_AVAILABLE,
             .message = fmt("could not obtain lock on object %u of class %u", object_id, class_id));
    return outcome;
}

/* One of a session lock's acquisitions of exactly this mode. */
static bool session_lock_release(TxnSession *session, const LockTag *tag, LockMode mode)
{
    for (LockHold *hold = session->holds; hold; hold = hold->older) {
        if (!hold->session_scope || hold->mode != mode || !lock_tag_equal(&hold->lock->tag, tag))
            continue;
        if (--hold->count == 0)
            lock_release_hold(session, hold);
        return true;
    }
    return false;
}

/* ------------------------------------------------------------------ advisory locks */

static LockMode advisory_mode(AdvisoryMode mode)
{
    return mode == ADVISORY_SHARED ? LOCK_SHARE : LOCK_EXCLUSIVE;
}

LockOutcome lock_advisory(Txn *txn, DatabaseId database, AdvisoryKey key, AdvisoryScope scope,
                          AdvisoryMode mode, LockWait wait)
{
    LockRequest request = {
        .tag = {.space = SPACE_ADVISORY,
                .database = database,
                .a = (uint64_t)key.key,
                .b = key.pair},
        .mode = (uint8_t)advisory_mode(mode),
        .session_scope = scope == ADVISORY_SESSION,
        .wait = wait,
        .wait_event = WAIT_EVENT_ADVISORY,
    };
    return lock_acquire(txn->session, &request);
}

bool lock_advisory_release(TxnSession *session, DatabaseId database, AdvisoryKey key,
                           AdvisoryMode mode)
{
    LockTag tag = {
        .space = SPACE_ADVISORY, .database = database, .a = (uint64_t)key.key, .b = key.pair};
    return session_lock_release(session, &tag, advisory_mode(mode));
}

void lock_advisory_release_all(TxnSession *session)
{
    LockHold *hold = session->holds;
    while (hold) {
        LockHold *older = hold->older;
        if (hold->session_scope && hold->lock->tag.space == SPACE_ADVISORY)
            lock_release_hold(session, hold);
        hold = older;
    }
}
