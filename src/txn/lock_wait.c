/*
 * Waiting for locks, finding deadlocks, and showing both.
 *
 * Each waiting session has its blockers recorded, recomputed for the whole queue whenever the
 * lock's holders or waiters change. A circle can only come into being when somebody begins to wait,
 * so it is looked for then, by him, and he is the one who fails; unless one of the circle waits for
 * nothing but another's place in a queue, before whom he is let (as PostgreSQL's deadlock detector
 * does, src/backend/storage/lmgr/README there).
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/settings.h"
#include "txn/lock_internal.h"

#define BIT(mode) (1u << (mode))

/* ------------------------------------------------------------------ who waits for whom */

/* Adds a blocker that is none of the first `known` ones. */
static void blockers_add(TxnSession *session, uint32_t known, TxnSession *blocker)
{
    for (uint32_t i = 0; i < known; i++)
        if (session->blockers[i] == blocker)
            return;
    if (session->blocker_count == session->blocker_capacity) {
        uint32_t capacity = session->blocker_capacity ? session->blocker_capacity * 2 : 4;
        session->blockers =
            memory_must_realloc((void *)session->blockers, capacity * sizeof(TxnSession *));
        session->blocker_capacity = capacity;
    }
    session->blockers[session->blocker_count++] = blocker;
}

/* Both the partition's and the deadlock mutex are held. */
static void blockers_refresh(Lock *lock)
{
    for (LockWaiter *waiter = lock->first; waiter; waiter = waiter->next) {
        uint32_t conflicts = lock_conflicts(lock->tag.space, waiter->mode);
        TxnSession *session = waiter->session;
        session->blocker_count = 0;
        for (LockHold *hold = lock->holds; hold; hold = hold->next_in_lock)
            if (hold->session != session && (conflicts & BIT(hold->mode)))
                blockers_add(session, session->blocker_count, hold->session);
        session->hard_blocker_count = session->blocker_count;
        if (lock->tag.space == SPACE_ROW && waiter->mode == ROW_PROBE)
            continue;
        /* Nobody waits twice: who is ahead in the queue can only be among the holders as well. */
        for (LockWaiter *ahead = lock->first; ahead != waiter; ahead = ahead->next)
            if (ahead->session != session && (conflicts & BIT(ahead->mode)))
                blockers_add(session, session->hard_blocker_count, ahead->session);
    }
}

void lock_blockers_changed(LockTable *table, Lock *lock)
{
    mutex_lock(&table->deadlock_mutex);
    blockers_refresh(lock);
    mutex_unlock(&table->deadlock_mutex);
}

/* Breadth first, so that the circle reported is a shortest one. True: *ret_last waits for me. */
static bool deadlock_search(LockTable *table, TxnSession *me, TxnSession **ret_last)
{
    uint64_t mark = ++table->visit_mark;
    TxnSession *queue = me;
    TxnSession *tail = me;

    me->visit_mark = mark;
    me->visit_parent = NULL;
    me->visit_next = NULL;
    for (; queue; queue = queue->visit_next) {
        if (!queue->waiting)
            continue;
        for (uint32_t i = 0; i < queue->blocker_count; i++) {
            TxnSession *blocker = queue->blockers[i];
            if (blocker == me) {
                *ret_last = queue;
                return true;
            }
            if (blocker->visit_mark == mark)
                continue;
            blocker->visit_mark = mark;
            blocker->visit_parent = queue;
            blocker->visit_next = NULL;
            tail->visit_next = blocker;
            tail = blocker;
        }
    }
    return false;
}

/* "ExclusiveLock on relation 16384 of database 5", as PostgreSQL describes what is waited for. */
static void describe_wait(StrBuf *text, const TxnSession *session, TxnSession *blocker)
{
    const LockTag *tag = &session->waiting->tag;
    Str mode = lock_mode_name(session->waiting->mode);

    switch ((LockSpace)tag->space) {
    case SPACE_ROW:
    case SPACE_KEY:
        strbuf_format(text, "ShareLock on transaction %llu",
                      (unsigned long long)txn_id(&blocker->txn));
        return;
    case SPACE_RELATION:
        strbuf_format(text, "%.*s on relation %u of database %u", STR_ARGS(mode), (Oid)tag->a,
                      tag->database);
        return;
    case SPACE_OBJECT:
        strbuf_format(text, "%.*s on object %u of class %u of database %u", STR_ARGS(mode),
                      (Oid)tag->b, (Oid)tag->a, tag->database);
        return;
    case SPACE_ADVISORY:
        strbuf_format(text, "%.*s on advisory lock [%u,%u,%u,%u]", STR_ARGS(mode), tag->database,
                      (uint32_t)(tag->a >> 32), (uint32_t)tag->a, tag->b ? 2u : 1u);
        return;
    }
}

/* Parents lead backwards, from `last` to `me`; visit_next then leads round: me → … → last → me. */
static void circle_close(TxnSession *me, TxnSession *last)
{
    TxnSession *next = me;

    for (TxnSession *each = last; each; each = each->visit_parent) {
        each->visit_next = next;
        next = each;
    }
}

/* A closed circle from `me` on. */
static void describe_circle(StrBuf *text, TxnSession *me)
{
    TxnSession *each = me;

    do {
        if (text->length > 0)
            strbuf_append_char(text, '\n');
        strbuf_format(text, "Process %d waits for ", each->process_id);
        describe_wait(text, each, each->visit_next);
        strbuf_format(text, "; blocked by process %d.", each->visit_next->process_id);
        each = each->visit_next;
    } while (each != me);
}

/* ------------------------------------------------------------------ the queue */

/* NULL: at the end. */
static void queue_put(Lock *lock, LockWaiter *waiter, LockWaiter *before)
{
    waiter->next = before;
    waiter->previous = before ? before->previous : lock->last;
    if (waiter->previous)
        waiter->previous->next = waiter;
    else
        lock->first = waiter;
    if (before)
        before->previous = waiter;
    else
        lock->last = waiter;
}

LockWaiter *lock_queue_place(const Lock *lock, const TxnSession *session)
{
    uint32_t held = 0;
    LockWaiter *before = lock->first;

    for (const LockHold *hold = before ? lock->holds : NULL; hold; hold = hold->next_in_lock)
        if (hold->session == session)
            held |= lock_conflicts(lock->tag.space, hold->mode);
    while (before && !(held & BIT(before->mode)))
        before = before->next;
    return before;
}

static void queue_remove(Lock *lock, LockWaiter *waiter)
{
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        lock->first = waiter->next;
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    else
        lock->last = waiter->previous;
}

void lock_wake(LockTable *table, Lock *lock)
{
    LockWaiter *granted = NULL;

    for (LockWaiter *waiter = lock->first, *next; waiter; waiter = next) {
        next = waiter->next;
        if (lock_is_blocked(lock, waiter->session, waiter->mode, waiter))
            continue;
        queue_remove(lock, waiter);
        lock_hold_link(lock, waiter->hold);
        waiter->granted = true;
        waiter->next = granted;
        granted = waiter;
    }
    mutex_lock(&table->deadlock_mutex);
    for (LockWaiter *waiter = granted; waiter; waiter = waiter->next) {
        waiter->session->waiting = NULL;
        waiter->session->blocker_count = 0;
    }
    blockers_refresh(lock);
    mutex_unlock(&table->deadlock_mutex);
    /* An event may be gone as soon as it is set: its waiter lives on its own stack. */
    while (granted) {
        LockWaiter *waiter = granted;
        granted = waiter->next;
        event_set(&waiter->event);
    }
}

/* Somebody who waits for nothing but the place of another in the queue of a lock. */
typedef struct SoftWait {
    LockTag tag;
    const TxnSession *waiter, *ahead; /* compared only: they may be gone when nothing is held */
} SoftWait;

#define SOFT_WAITS_MAX 8u /* of one circle that are looked at */

typedef struct SoftWaits {
    SoftWait waits[SOFT_WAITS_MAX];
    uint32_t count;
} SoftWaits;

/* Those of a closed circle. The deadlock mutex is held. */
static void soft_waits_collect(TxnSession *me, SoftWaits *ret)
{
    TxnSession *each = me;

    do {
        bool is_hard = false;
        for (uint32_t i = 0; i < each->hard_blocker_count; i++)
            is_hard |= each->blockers[i] == each->visit_next;
        if (!is_hard && ret->count < SOFT_WAITS_MAX)
            ret->waits[ret->count++] = (SoftWait){each->waiting->tag, each, each->visit_next};
        each = each->visit_next;
    } while (each != me);
}

static LockWaiter *queue_find(const Lock *lock, const TxnSession *session)
{
    LockWaiter *waiter = lock->first;

    while (waiter && waiter->session != session)
        waiter = waiter->next;
    return waiter;
}

/* NULL: to the end. */
static void queue_move(Lock *lock, LockWaiter *waiter, LockWaiter *before)
{
    queue_remove(lock, waiter);
    queue_put(lock, waiter, before);
}

/* Lets one go before the other; false: they no longer wait so, or that makes another circle. */
static bool soft_wait_turn(LockTable *table, TxnSession *me, const SoftWait *soft)
{
    LockPartition *partition = lock_partition(table, lock_tag_hash(&soft->tag));
    bool is_turned = false;
    TxnSession *last;

    mutex_lock(&partition->mutex);
    Lock *lock = lock_find(partition, &soft->tag);
    LockWaiter *waiter = lock ? queue_find(lock, soft->waiter) : NULL;
    LockWaiter *ahead = waiter ? queue_find(lock, soft->ahead) : NULL;
    for (LockWaiter *each = ahead; each && !is_turned; each = each->next)
        is_turned = each == waiter;
    if (is_turned) {
        LockWaiter *behind = waiter->next;
        mutex_lock(&table->deadlock_mutex);
        queue_move(lock, waiter, ahead);
        blockers_refresh(lock);
        is_turned =
            !deadlock_search(table, me, &last) && !deadlock_search(table, waiter->session, &last);
        if (!is_turned) {
            queue_move(lock, waiter, behind);
            blockers_refresh(lock);
        }
        mutex_unlock(&table->deadlock_mutex);
    }
    if (is_turned)
        lock_wake(table, lock);
    mutex_unlock(&partition->mutex);
    return is_turned;
}

static bool soft_waits_turn(LockTable *table, TxnSession *me, const SoftWaits *soft)
{
    for (uint32_t i = soft->count; i-- > 0;)
        if (soft_wait_turn(table, me, &soft->waits[i]))
            return true;
    return false;
}

/*
 * Looks for a circle through who is in the queue; the partition's mutex is held. True: he is still
 * in it. Of a circle the soft waits are in `soft`, where it is given: if there are any he keeps his
 * place, and the caller turns one of them or calls again without. Else he leaves, and the circle is
 * told.
 */
static bool queue_check(LockTable *table, Lock *lock, LockWaiter *waiter, SoftWaits *soft,
                        StrBuf *ret_detail)
{
    TxnSession *session = waiter->session, *last;

    mutex_lock(&table->deadlock_mutex);
    session->waiting = waiter;
    blockers_refresh(lock);
    const bool is_circle = deadlock_search(table, session, &last);
    if (is_circle) {
        circle_close(session, last);
        if (soft)
            soft_waits_collect(session, soft);
    }
    const bool leaves = is_circle && !(soft && soft->count > 0);
    if (leaves) {
        describe_circle(ret_detail, session);
        session->waiting = NULL;
        session->blocker_count = 0;
    }
    mutex_unlock(&table->deadlock_mutex);
    if (leaves) {
        queue_remove(lock, waiter);
        lock_wake(table, lock);
    }
    return !leaves;
}

/* Enters the queue; false, with the circle told, where that closes one that nothing opens. The
 * partition's mutex is held at the call and free afterwards. */
static bool queue_enter(LockTable *table, LockPartition *partition, LockWaiter *waiter,
                        StrBuf *ret_detail)
{
    SoftWaits soft = {.count = 0};

    queue_put(waiter->lock, waiter, lock_queue_place(waiter->lock, waiter->session));
    bool may_wait = queue_check(table, waiter->lock, waiter, &soft, ret_detail);
    mutex_unlock(&partition->mutex);
    if (soft.count == 0 || soft_waits_turn(table, waiter->session, &soft))
        return may_wait;
    mutex_lock(&partition->mutex);
    if (!waiter->granted)
        may_wait = queue_check(table, waiter->lock, waiter, NULL, ret_detail);
    mutex_unlock(&partition->mutex);
    return may_wait;
}

static LockOutcome fail_deadlock(StrBuf *detail)
{
    ERROR_SET(ERR_T_R_DEADLOCK_DETECTED, .message = STR("deadlock detected"),
              .detail = strbuf_view(detail), .hint = STR("See server log for query details."));
    strbuf_deinit(detail);
    return LOCK_FAILED;
}

/* After a wait that ended without a grant: leaves the queue. True: it was granted all the same. */
static bool queue_leave(LockTable *table, LockPartition *partition, LockWaiter *waiter)
{
    mutex_lock(&partition->mutex);
    if (!waiter->granted) {
        Lock *lock = waiter->lock;
        queue_remove(lock, waiter);
        mutex_lock(&table->deadlock_mutex);
        waiter->session->waiting = NULL;
        waiter->session->blocker_count = 0;
        mutex_unlock(&table->deadlock_mutex);
        lock_wake(table, lock);
    }
    mutex_unlock(&partition->mutex);
    return waiter->granted;
}

/* ------------------------------------------------------------------ log_lock_waits */

static void append_process(StrBuf *list, int *count, int32_t process_id)
{
    strbuf_format(list, "%s%d", (*count)++ > 0 ? ", " : "", process_id);
}

/* What is waited for and who is in the way; false: the wait is over. */
static bool describe_waiting(LockTable *table, LockPartition *partition, const LockWaiter *waiter,
                             StrBuf *ret_wait, StrBuf *ret_detail)
{
    CLEANUP(strbuf_deinit) StrBuf holders = {0}, queue = {0};
    int holder_count = 0, queue_count = 0;

    mutex_lock(&partition->mutex);
    const bool is_waiting = !waiter->granted;
    if (is_waiting) {
        mutex_lock(&table->deadlock_mutex);
        TxnSession *session = waiter->session;
        if (session->blocker_count > 0)
            describe_wait(ret_wait, session, session->blockers[0]);
        for (LockHold *hold = waiter->lock->holds; hold; hold = hold->next_in_lock)
            if (hold->session != session)
                append_process(&holders, &holder_count, hold->session->process_id);
        for (LockWaiter *each = waiter->lock->first; each; each = each->next)
            append_process(&queue, &queue_count, each->session->process_id);
        mutex_unlock(&table->deadlock_mutex);
    }
    mutex_unlock(&partition->mutex);
    strbuf_format(ret_detail, "Process%s holding the lock: %.*s. Wait queue: %.*s.",
                  holder_count == 1 ? "" : "es", STR_ARGS(strbuf_view(&holders)),
                  STR_ARGS(strbuf_view(&queue)));
    return is_waiting && ret_wait->length > 0;
}

static void tell_wait(const LockWaiter *waiter, const char *what, Str wait, Str detail)
{
    const int64_t took = os->wall_clock() - waiter->wait_start;

    NOTICE(SEVERITY_LOG, ERR_SUCCESSFUL_COMPLETION,
           .message = fmt("process %d %s %.*s after %lld.%03d ms", waiter->session->process_id,
                          what, STR_ARGS(wait), (long long)(took / 1000), (int)(took % 1000)),
           .detail_log = detail);
}

/* Waits; a wait that is longer than deadlock_timeout is told when that has passed, and at its end.
 */
static WaitOutcome wait_and_tell(LockTable *table, LockPartition *partition, LockWaiter *waiter,
                                 Deadline deadline, WaitEvent wait_event)
{
    const Deadline telling = deadline_after(settings()->deadlock_timeout * 1000);
    CLEANUP(strbuf_deinit) StrBuf wait = {0}, detail = {0};

    if (!settings()->log_lock_waits || telling >= deadline)
        return event_wait(&waiter->event, deadline, wait_event);
    WaitOutcome outcome = event_wait(&waiter->event, telling, wait_event);
    if (outcome != WAIT_TIMED_OUT)
        return outcome;
    const bool is_told = describe_waiting(table, partition, waiter, &wait, &detail);
    if (is_told)
        tell_wait(waiter, "still waiting for", strbuf_view(&wait), strbuf_view(&detail));
    outcome = event_wait(&waiter->event, deadline, wait_event);
    if (is_told && outcome == WAIT_DONE)
        tell_wait(waiter, "acquired", strbuf_view(&wait), STR_NONE);
    return outcome;
}

LockOutcome lock_wait(TxnSession *session, LockPartition *partition, Lock *lock, LockHold *hold,
                      const LockRequest *request)
{
    LockTable *table = session->manager->locks;
    StrBuf detail = {0};
    LockWaiter waiter = {
        .lock = lock,
        .tag = request->tag,
        .session = session,
        .hold = hold,
        .relation = request->relation,
        .mode = request->mode,
        .wait_start = os->wall_clock(),
    };

    event_init(&waiter.event);
    if (!queue_enter(table, partition, &waiter, &detail))
        return fail_deadlock(&detail);

    int64_t timeout_ms = settings()->lock_timeout;
    Deadline deadline = timeout_ms > 0 ? deadline_after(timeout_ms * 1000) : DEADLINE_NEVER;
    WaitOutcome outcome = wait_and_tell(table, partition, &waiter, deadline, request->wait_event);
    if (outcome == WAIT_DONE)
        return LOCK_GRANTED;
    bool granted = queue_leave(table, partition, &waiter);
    if (granted)
        event_wait_uninterruptible(&waiter.event, request->wait_event); /* its setter is done */
    if (outcome == WAIT_TIMED_OUT) {
        if (granted)
            return LOCK_GRANTED;
        FAIL(ERR_LOCK_NOT_AVAILABLE, .message = STR("canceling statement due to lock timeout"));
    }
    if (granted) {
        /* Cancelled just as it was granted. */
        lock_granted_late(session, hold);
    }
    return LOCK_FAILED;
}

/* ------------------------------------------------------------------ showing */

LockInfo lock_info_of(const LockTag *tag, const TxnSession *session, uint8_t mode)
{
    LockInfo info = {
        .database = tag->database,
        .virtual_id = session->number,
        .local_number = atomic_load_explicit(&session->local_number, memory_order_relaxed),
        .process_id = session->process_id,
        .mode = lock_mode_name((LockMode)mode),
    };
    switch ((LockSpace)tag->space) {
    case SPACE_RELATION:
        info.lock_type = STR("relation");
        info.relation = (Oid)tag->a;
        break;
    case SPACE_OBJECT:
        info.lock_type = STR("object");
        info.class_id = (Oid)tag->a;
        info.object_id = (Oid)tag->b;
        break;
    case SPACE_ADVISORY:
        info.lock_type = STR("advisory");
        info.class_id = (Oid)(tag->a >> 32);
        info.object_id = (Oid)tag->a;
        info.object_sub_id = tag->b ? 2 : 1;
        break;
    case SPACE_ROW:
    case SPACE_KEY:
        break;
    }
    return info;
}

static void put_holds(const Lock *lock, Arena *arena, LockInfoVec *locks)
{
    for (LockHold *hold = lock->holds; hold; hold = hold->next_in_lock) {
        LockInfo info = lock_info_of(&lock->tag, hold->session, hold->mode);
        info.granted = true;
        VEC_PUSH(arena, locks, info);
    }
    for (LockWaiter *waiter = lock->first; waiter; waiter = waiter->next) {
        LockInfo info = lock_info_of(&lock->tag, waiter->session, waiter->mode);
        info.wait_start = waiter->wait_start;
        VEC_PUSH(arena, locks, info);
    }
}

/*
 * PostgreSQL marks rows themselves as locked, and shows waiters only: the first one holds the
 * tuple's lock and waits for the end of a transaction, the others wait for the tuple's lock.
 * Waiting for a key is waiting for the transaction that inserts or deletes it.
 */
static void put_row_waiters(const Lock *lock, Arena *arena, LockInfoVec *locks)
{
    static const LockMode tuple_modes[] = {LOCK_NONE, LOCK_ACCESS_SHARE, LOCK_ROW_SHARE,
                                           LOCK_EXCLUSIVE, LOCK_ACCESS_EXCLUSIVE};
    bool is_first = true;

    for (LockWaiter *waiter = lock->first; waiter; waiter = waiter->next) {
        TxnSession *session = waiter->session;
        bool waits_for_end = true;
        if (lock->tag.space == SPACE_ROW && waiter->mode != ROW_PROBE) {
            LockInfo tuple = lock_info_of(&lock->tag, session, LOCK_NONE);
            tuple.lock_type = STR("tuple");
            tuple.relation = waiter->relation;
            tuple.row_id = (int64_t)lock->tag.b;
            tuple.mode = lock_mode_name(tuple_modes[row_mode_known_as(waiter->mode)]);
            tuple.granted = waits_for_end = is_first;
            tuple.wait_start = is_first ? 0 : waiter->wait_start;
            VEC_PUSH(arena, locks, tuple);
            is_first = false;
        }
        if (!waits_for_end || session->blocker_count == 0)
            continue;
        LockInfo end = lock_info_of(&lock->tag, session, LOCK_SHARE);
        end.lock_type = STR("transactionid");
        end.txn_id = txn_id(&session->blockers[0]->txn);
        end.wait_start = waiter->wait_start;
        VEC_PUSH(arena, locks, end);
    }
}

/* The number within its session and the identifier that a transaction has, each locked by it. */
static void put_identifiers(TxnSession *session, Arena *arena, LockInfoVec *locks)
{
    const LockTag none = {.space = SPACE_KEY};
    LockInfo info = lock_info_of(&none, session, LOCK_EXCLUSIVE);

    info.granted = true;
    if (info.local_number != 0) {
        info.lock_type = STR("virtualxid");
        info.is_fast = true;
        VEC_PUSH(arena, locks, info);
    }
    info.txn_id = txn_id_shown(&session->txn);
    if (info.txn_id != 0) {
        info.lock_type = STR("transactionid");
        info.is_fast = false;
        VEC_PUSH(arena, locks, info);
    }
}

static void put_sessions(TxnManager *manager, Arena *arena, LockInfoVec *locks)
{
    mutex_lock(&manager->sessions_mutex);
    for (TxnSession *session = manager->sessions; session; session = session->next) {
        fast_locks_show(session, arena, locks);
        put_identifiers(session, arena, locks);
    }
    mutex_unlock(&manager->sessions_mutex);
}

static void put_lock(TxnManager *manager, const Lock *lock, Arena *arena, LockInfoVec *locks)
{
    if (lock->tag.space != SPACE_ROW && lock->tag.space != SPACE_KEY) {
        put_holds(lock, arena, locks);
    } else if (lock->first) {
        mutex_lock(&manager->locks->deadlock_mutex);
        put_row_waiters(lock, arena, locks);
        mutex_unlock(&manager->locks->deadlock_mutex);
    }
}

void lock_snapshot(TxnManager *manager, Arena *arena, LockInfoVec *locks)
{
    /* Before the table: what moves there meanwhile is shown twice rather than not at all. */
    put_sessions(manager, arena, locks);
    for (uint32_t i = 0; i < LOCK_PARTITIONS; i++) {
        LockPartition *partition = &manager->locks->partitions[i];
        mutex_lock(&partition->mutex);
        for (uint32_t b = 0; b <= partition->bucket_mask; b++)
            for (const Lock *lock = partition->buckets[b]; lock; lock = lock->next)
                put_lock(manager, lock, arena, locks);
        mutex_unlock(&partition->mutex);
    }
}

void lock_blockers(TxnManager *manager, int32_t process_id, Arena *arena, ProcessIdVec *blockers)
{
    mutex_lock(&manager->locks->deadlock_mutex);
    mutex_lock(&manager->sessions_mutex);
    for (TxnSession *session = manager->sessions; session; session = session->next) {
        if (session->process_id != process_id || !session->waiting)
            continue;
        for (uint32_t i = 0; i < session->blocker_count; i++)
            VEC_PUSH(arena, blockers, session->blockers[i]->process_id);
    }
    mutex_unlock(&manager->sessions_mutex);
    mutex_unlock(&manager->locks->deadlock_mutex);
}
