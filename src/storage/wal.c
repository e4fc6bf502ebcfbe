/*
 * The WAL: ring, log writer, and the thread that keeps segments ready.
 *
 * The ring holds the log from `written` (taken out of it) to `reserved`. A place is zero until
 * the record there is filled: its first eight bytes, its own lsn, are stored last. So the log
 * writer sees at its position whether the next record is there, and zeros what it has written.
 * A record larger than a quarter of the ring waits until it is the first one in it, and goes
 * through in parts (`big_filled`).
 */
#include "storage/wal.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/scheduler.h"
#include "storage/store_internal.h"
#include "storage/wal_internal.h"

#define WAL_RING_DEFAULT (16u << 20)
#define WAL_RING_MIN (64u << 10)
#define WAL_WRITE_MAX (4u << 20) /* bytes in one write */
#define WAL_RETRY_US 100000
#define WAL_SUBSCRIBERS 64
#define SYNC_WORTH_BLOCKING_US 1000 /* a worker may stand still that long */
#define FLOOD_US 150000             /* in which a load fills a segment, and commits do not */

typedef struct WalWaiter {
    struct WalWaiter *next;
    Lsn lsn;
    Event event;
} WalWaiter;

struct Wal {
    char *directory_text;
    Str directory;
    byte *ring;
    uint32_t ring_size;
    uint32_t incarnation;
    _Atomic Lsn reserved, written, flushed;
    _Atomic Lsn flushed_whole; /* the last end of a record that is flushed */
    _Atomic Lsn big_filled;
    _Atomic uint64_t admitted;          /* bytes promised and not yet reserved */
    _Atomic Lsn ready_end;              /* segments exist up to here */
    _Atomic uint32_t refused;           /* SqlState */
    _Atomic bool is_stuck;              /* the writer waits for room on the disk */
    _Atomic uint32_t work, writer_idle; /* the log writer sleeps on `work` until it is asked */
    _Atomic uint32_t company;           /* mean of commits that waited for a sync, in 64ths */
    _Atomic uint32_t sync_mean;         /* microseconds of the last syncs */
    _Atomic uint32_t stop;              /* WAL_RUNNING … */
    Thread *writer, *keeper;

    /* Held by the log writer while it writes and syncs, or by a commit that does so itself. */
    _Atomic uint32_t writing;
    Lsn big_start, big_end; /* of the big record that `written` is in, or 0; who is writing's */
    File *segment;          /* at segment_start; who is writing's */
    Lsn segment_start;

    Mutex mutex; /* rank WAL; guards the rest */
    WalWaiter *durable_waiters, *ring_waiters, *space_waiters;
    Cond keeper_cond;
    bool keeper_stop, keeper_kicked;
    Lsn wanted_end; /* of the segments */
    Lsn recycle_before;
    Lsn oldest;       /* start of the oldest segment */
    Lsn extended_for; /* how far the log was reserved when the last segment was made */
    int64_t extended_at;
    uint64_t min_bytes, cycle_bytes;
    uint64_t ahead; /* log that is always ready beyond what is promised */
    SqlState keeper_error;
    struct {
        WalCallback *callback;
        void *context;
    } subscribers[WAL_SUBSCRIBERS];
    _Atomic uint32_t subscriber_count;

    _Atomic uint64_t record_count, write_count, sync_count, sync_microseconds;
};

enum { WAL_RUNNING = 0, WAL_DRAINING, WAL_ABORTED };

/* -------- Waiting -------- */

/* How many they were. */
static uint32_t waiters_wake(WalWaiter **list, Lsn reached)
{
    uint32_t count = 0;

    for (WalWaiter **at = list; *at;) {
        WalWaiter *waiter = *at;
        if (waiter->lsn > reached) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        event_set(&waiter->event);
        count++;
    }
    return count;
}

static void waiters_remove(WalWaiter **list, WalWaiter *waiter)
{
    for (WalWaiter **at = list; *at; at = &(*at)->next) {
        if (*at == waiter) {
            *at = waiter->next;
            return;
        }
    }
}

static void writer_wake(Wal *wal)
{
    atomic_fetch_add(&wal->work, 1);
    if (atomic_load(&wal->writer_idle))
        os->word_wake(&wal->work, 1);
}

/* There is more, or will be as soon as somebody has filled it. */
static bool wal_is_behind(const Wal *wal)
{
    return atomic_load(&((Wal *)wal)->written) < atomic_load(&((Wal *)wal)->reserved);
}

static void writer_wake_deferred(void *wal)
{
    if (wal_is_behind(wal))
        writer_wake(wal);
}

/* In 64ths: an eighth of the mean is taken off at each sync, with no rest that matters. */
#define COMPANY_ONE 64u
#define COMPANY_NONE (5 * COMPANY_ONE / 4)
#define COMPANY_WORTH_WAITING (5 * COMPANY_ONE / 2)
#define COMPANY_AT_FIRST (8 * COMPANY_ONE)

/* Commits come one by one, from one worker that has nothing else to do, and the disk is quick. */
static bool wal_committer_is_alone(const Wal *wal)
{
    return atomic_load_explicit(&wal->company, memory_order_relaxed) < COMPANY_NONE &&
           atomic_load_explicit(&wal->sync_mean, memory_order_relaxed) < SYNC_WORTH_BLOCKING_US &&
           scheduler_may_block();
}

/*
 * For a commit: a worker with more to do asks once for all that have come together by then, and one
 * with nothing else to do will write itself (wal_wait). Where few come together the disk would only
 * stand still meanwhile.
 */
static void writer_wake_soon(Wal *wal)
{
    const uint32_t company = atomic_load_explicit(&wal->company, memory_order_relaxed);
    const bool can_wait = company >= COMPANY_WORTH_WAITING || wal_committer_is_alone(wal);

    if (!can_wait || !scheduler_defer(writer_wake_deferred, wal))
        writer_wake(wal);
}

static void company_note(Wal *wal, uint32_t count)
{
    const uint32_t before = atomic_load_explicit(&wal->company, memory_order_relaxed);

    if (count > 0)
        atomic_store_explicit(&wal->company, before - before / 8 + count * (COMPANY_ONE / 8),
                              memory_order_relaxed);
}

static void sync_note(Wal *wal, int64_t microseconds)
{
    const uint32_t before = atomic_load_explicit(&wal->sync_mean, memory_order_relaxed);
    const uint32_t now = (uint32_t)MIN(microseconds, (int64_t)UINT32_MAX / 8);

    atomic_store_explicit(&wal->sync_mean, before - before / 8 + now / 8, memory_order_relaxed);
    atomic_fetch_add_explicit(&wal->sync_count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&wal->sync_microseconds, (uint64_t)microseconds,
                              memory_order_relaxed);
}

/* Adds the waiter unless `*position` has reached it. */
static bool wal_enlist(Wal *wal, WalWaiter **list, WalWaiter *waiter, const _Atomic Lsn *position)
{
    event_init(&waiter->event);
    mutex_lock(&wal->mutex);
    const bool wait = atomic_load((_Atomic Lsn *)position) < waiter->lsn;
    if (wait) {
        waiter->next = *list;
        *list = waiter;
    }
    mutex_unlock(&wal->mutex);
    return wait;
}

/* Of somebody who is in a hurry. */
static void wal_wait_for(Wal *wal, WalWaiter **list, const _Atomic Lsn *position, Lsn lsn,
                         WaitEvent name)
{
    WalWaiter waiter = {.lsn = lsn};

    if (atomic_load((_Atomic Lsn *)position) >= lsn || !wal_enlist(wal, list, &waiter, position))
        return;
    writer_wake(wal);
    event_wait_uninterruptible(&waiter.event, name);
}

static bool wal_flush_alone(Wal *wal);

bool wal_wait(Wal *wal, Lsn lsn)
{
    WalWaiter waiter = {.lsn = lsn};

    if (atomic_load(&wal->flushed) >= lsn)
        return true;
    if (wal_committer_is_alone(wal) && wal_flush_alone(wal) && atomic_load(&wal->flushed) >= lsn)
        return true;
    if (!wal_enlist(wal, &wal->durable_waiters, &waiter, &wal->flushed))
        return true;
    writer_wake_soon(wal); /* the record may be of a worker that is busy for longer than this one */
    WaitOutcome outcome = event_wait(&waiter.event, DEADLINE_NEVER, WAIT_EVENT_WALSYNC);
    if (likely(outcome == WAIT_DONE))
        return true;
    /* Interrupted; but it is committed, and the client should hear of that. */
    Task *task = task_current();
    error_clear();
    task->interrupts_held = true;
    while (outcome != WAIT_DONE && !atomic_load(&wal->is_stuck))
        outcome = event_wait(&waiter.event, deadline_after(WAL_RETRY_US), WAIT_EVENT_WALSYNC);
    task->interrupts_held = false;
    if (outcome == WAIT_DONE)
        return true;
    mutex_lock(&wal->mutex);
    waiters_remove(&wal->durable_waiters, &waiter);
    mutex_unlock(&wal->mutex);
    return task_handle_interrupts(task);
}

void wal_flush(Wal *wal, Lsn lsn)
{
    wal_wait_for(wal, &wal->durable_waiters, &wal->flushed, lsn, WAIT_EVENT_WALSYNC);
}

Lsn wal_reserved_end(const Wal *wal)
{
    return atomic_load(&((Wal *)wal)->reserved);
}

Lsn wal_flushed(const Wal *wal)
{
    return atomic_load(&((Wal *)wal)->flushed);
}

void wal_subscribe(Wal *wal, WalCallback *callback, void *context)
{
    mutex_lock(&wal->mutex);
    const uint32_t count = atomic_load(&wal->subscriber_count);
    if (count == WAL_SUBSCRIBERS)
        panic("more than %d subscribers to the log", WAL_SUBSCRIBERS);
    wal->subscribers[count].callback = callback;
    wal->subscribers[count].context = context;
    atomic_store(&wal->subscriber_count, count + 1);
    mutex_unlock(&wal->mutex);
}

void wal_refuse(Wal *wal, SqlState reason)
{
    atomic_store(&wal->refused, (uint32_t)reason);
}

/* -------- Room on the disk -------- */

static bool wal_has_room(Wal *wal)
{
    /* Promises first, then what is reserved: a record moving from one to the other counts twice. */
    const uint64_t promised = atomic_load(&wal->admitted);

    return atomic_load(&wal->reserved) + promised <= atomic_load(&wal->ready_end);
}

static void keeper_kick(Wal *wal) REQUIRES(wal->mutex)
{
    wal->keeper_kicked = true;
    cond_signal(&wal->keeper_cond);
}

/* Waits until the segments end at or after what is promised; fails as the keeper fails. */
static bool wal_wait_for_room(Wal *wal)
{
    while (!wal_has_room(wal)) {
        WalWaiter waiter = {.lsn = atomic_load(&wal->reserved) + atomic_load(&wal->admitted)};
        event_init(&waiter.event);
        mutex_lock(&wal->mutex);
        wal->wanted_end = MAX(wal->wanted_end, waiter.lsn);
        wal->keeper_error = 0;
        waiter.next = wal->space_waiters;
        wal->space_waiters = &waiter;
        keeper_kick(wal);
        mutex_unlock(&wal->mutex);
        const WaitOutcome outcome =
            event_wait(&waiter.event, deadline_after(WAL_RETRY_US), WAIT_EVENT_WAL_SPACE);
        mutex_lock(&wal->mutex);
        waiters_remove(&wal->space_waiters, &waiter);
        const SqlState error = wal->keeper_error;
        mutex_unlock(&wal->mutex);
        TRY(outcome != WAIT_FAILED);
        if (error && !wal_has_room(wal))
            FAIL(error,
                 .message = error == ERR_DISK_FULL
                                ? STR("could not extend the write-ahead log: No space left on "
                                      "device")
                                : STR("could not extend the write-ahead log"),
                 .hint = STR("Check the disk and its free space."));
    }
    return true;
}

bool wal_admit(Wal *wal, uint32_t length)
{
    const uint64_t size = wal_record_size(length);
    const SqlState refused = (SqlState)atomic_load_explicit(&wal->refused, memory_order_relaxed);

    if (unlikely(length > WAL_RECORD_MAX))
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = STR("transaction is too large"),
             .detail = fmt("Its log record would have %u bytes; the limit is %u.", length,
                           WAL_RECORD_MAX));
    if (unlikely(refused))
        FAIL(refused,
             .message = refused == ERR_DISK_FULL
                            ? STR("could not write changed pages: No space left on device")
                            : STR("could not write changed pages"),
             .hint = STR("Check the disk and its free space."));
    atomic_fetch_add(&wal->admitted, size);
    if (likely(wal_has_room(wal)) || wal_wait_for_room(wal))
        return true;
    atomic_fetch_sub(&wal->admitted, size);
    return false;
}

void wal_append(Wal *wal, uint32_t admitted_length, uint32_t length, WalSlot *ret_slot)
{
    assert(length <= admitted_length);
    const uint64_t size = wal_record_size(length);
    const Lsn start = atomic_fetch_add(&wal->reserved, size);

    atomic_fetch_sub(&wal->admitted, wal_record_size(admitted_length));
    *ret_slot = (WalSlot){.start = start, .end = start + size, .length = length};
}

/* -------- Filling -------- */

static void ring_copy_in(Wal *wal, Lsn lsn, const void *data, size_t size)
{
    const size_t offset = (size_t)(lsn & (wal->ring_size - 1));
    const size_t first = MIN(size, (size_t)wal->ring_size - offset);

    memcpy(wal->ring + offset, data, first);
    memcpy(wal->ring, (const byte *)data + first, size - first);
}

static void ring_copy_out(const Wal *wal, Lsn lsn, void *data, size_t size)
{
    const size_t offset = (size_t)(lsn & (wal->ring_size - 1));
    const size_t first = MIN(size, (size_t)wal->ring_size - offset);

    memcpy(data, wal->ring + offset, first);
    memcpy((byte *)data + first, wal->ring, size - first);
}

static _Atomic Lsn *ring_marker(const Wal *wal, Lsn lsn)
{
    return (_Atomic Lsn *)(wal->ring + (lsn & (wal->ring_size - 1)));
}

static void ring_wait(Wal *wal, Lsn written)
{
    wal_wait_for(wal, &wal->ring_waiters, &wal->written, written, WAIT_EVENT_WAL_SPACE);
}

/* Forward only: once its last part is in, a record may be written and the next big one begun before
 * its filler gets here. */
static void big_filled_raise(Wal *wal, Lsn filled)
{
    Lsn before = atomic_load(&wal->big_filled);

    while (before < filled && !atomic_compare_exchange_weak(&wal->big_filled, &before, filled))
        continue;
    writer_wake(wal);
}

/* In parts, alone at the front of the ring. The first part holds the header. */
static void wal_fill_big(Wal *wal, const WalSlot *slot, const WalHeader *header, const Str *pieces,
                         size_t piece_count)
{
    const uint32_t part_max = wal->ring_size / 4;
    Lsn at = slot->start + sizeof(WalHeader);

    ring_wait(wal, slot->start);
    ring_copy_in(wal, slot->start + sizeof(Lsn), (const byte *)header + sizeof(Lsn),
                 sizeof(WalHeader) - sizeof(Lsn));
    atomic_store(&wal->big_filled, at);
    atomic_store_explicit(ring_marker(wal, slot->start), slot->start, memory_order_release);
    writer_wake(wal);
    for (size_t i = 0; i < piece_count; i++) {
        for (size_t done = 0; done < pieces[i].length;) {
            const size_t part = MIN(pieces[i].length - done, (size_t)part_max);
            /* Waiting for a multiple of 8 keeps the writer's position on one. */
            if (at + part > wal->ring_size)
                ring_wait(wal, (at + part - wal->ring_size + 7) & ~(Lsn)7);
            ring_copy_in(wal, at, pieces[i].data + done, part);
            at += part;
            done += part;
            big_filled_raise(wal, at & ~(Lsn)7);
        }
    }
    big_filled_raise(wal, slot->end);
}

static bool wal_is_big(const Wal *wal, uint64_t size)
{
    return size > wal->ring_size / 4;
}

void wal_fill(Wal *wal, const WalSlot *slot, const Str *pieces, size_t piece_count)
{
    WalHeader header = {
        .lsn = slot->start,
        .length = slot->length,
        .durable = atomic_load(&wal->flushed_whole),
        .incarnation = wal->incarnation,
    };
    uint32_t crc = wal_header_crc(&header);
    size_t total = 0;

    for (size_t i = 0; i < piece_count; i++) {
        crc = crc32c(crc, pieces[i].data, pieces[i].length);
        total += pieces[i].length;
    }
    assert(total == slot->length);
    header.crc = crc;
    atomic_fetch_add_explicit(&wal->record_count, 1, memory_order_relaxed);
    if (unlikely(wal_is_big(wal, slot->end - slot->start))) {
        wal_fill_big(wal, slot, &header, pieces, piece_count);
        return;
    }
    if (slot->end > wal->ring_size)
        ring_wait(wal, slot->end - wal->ring_size);
    Lsn at = slot->start + sizeof(header);
    for (size_t i = 0; i < piece_count; i++) {
        ring_copy_in(wal, at, pieces[i].data, pieces[i].length);
        at += pieces[i].length;
    }
    ring_copy_in(wal, slot->start + sizeof(Lsn), (const byte *)&header + sizeof(Lsn),
                 sizeof(header) - sizeof(Lsn));
    atomic_store_explicit(ring_marker(wal, slot->start), slot->start, memory_order_release);
    writer_wake_soon(wal);
}

/* -------- The log writer -------- */

/* How far the log is filled from where writing stopped, a write's worth at most. */
static Lsn writer_filled(Wal *wal)
{
    const Lsn from = atomic_load_explicit(&wal->written, memory_order_relaxed);
    Lsn at = from;

    while (at - from < WAL_WRITE_MAX) {
        if (wal->big_end > at) {
            const Lsn end = MIN(atomic_load(&wal->big_filled), wal->big_end);
            if (end < wal->big_end)
                return MAX(end, at);
            at = end;
            continue;
        }
        if (atomic_load_explicit(ring_marker(wal, at), memory_order_acquire) != at)
            break;
        WalHeader header;
        ring_copy_out(wal, at, &header, sizeof(header));
        const uint64_t size = wal_record_size(header.length);
        if (wal_is_big(wal, size)) {
            wal->big_start = at;
            wal->big_end = at + size;
            at += sizeof(header);
        } else {
            at += size;
        }
    }
    return at;
}

static void writer_use_segment(Wal *wal, Lsn lsn)
{
    const Lsn start = wal_segment_start(lsn);

    if (wal->segment && wal->segment_start == start)
        return;
    if (wal->segment) {
        if (!os->file_sync(wal->segment))
            panic("could not sync the write-ahead log: %.*s", STR_ARGS(error_fields()->message));
        os->file_close(wal->segment);
    }
    wal->segment = wal_segment_open(wal->directory, lsn, OS_WRITE);
    if (!wal->segment)
        panic("could not open a segment of the write-ahead log: %.*s",
              STR_ARGS(error_fields()->message));
    wal->segment_start = start;
}

/* False: the disk is full. */
static bool writer_put(Wal *wal, const byte *data, size_t size, Lsn lsn)
{
    if (unlikely(!os->file_write(wal->segment, data, size, lsn - wal->segment_start))) {
        if (error_fields()->sqlstate != ERR_DISK_FULL)
            panic("could not write the write-ahead log: %.*s", STR_ARGS(error_fields()->message));
        error_clear();
        return false;
    }
    atomic_fetch_add_explicit(&wal->write_count, 1, memory_order_relaxed);
    memset(wal->ring + (lsn & (wal->ring_size - 1)), 0, size);
    return true;
}

/* A full disk may have room later; nothing else that fails here can be mended. */
static bool writer_write(Wal *wal, const byte *data, size_t size, Lsn lsn)
{
    bool was_full = false;

    while (!writer_put(wal, data, size, lsn)) {
        was_full = true;
        atomic_store(&wal->is_stuck, true);
        wal_refuse(wal, ERR_DISK_FULL);
        if (atomic_load(&wal->stop) == WAL_ABORTED)
            return false;
        if (!task_sleep(WAL_RETRY_US, WAIT_EVENT_LOG_WRITER_MAIN))
            error_clear();
    }
    if (was_full) {
        atomic_store(&wal->is_stuck, false);
        wal_refuse(wal, 0);
    }
    return true;
}

static bool writer_transfer(Wal *wal, Lsn from, Lsn to)
{
    while (from < to) {
        const size_t offset = (size_t)(from & (wal->ring_size - 1));
        const Lsn segment_end = wal_segment_start(from) + WAL_SEGMENT_SIZE;
        const size_t size = (size_t)MIN(MIN(to, segment_end) - from, (Lsn)wal->ring_size - offset);
        writer_use_segment(wal, from);
        TRY(writer_write(wal, wal->ring + offset, size, from));
        from += size;
    }
    return true;
}

/* `own`: commits that wait for it and are not in the list. */
static void writer_publish_durable(Wal *wal, Lsn lsn, uint32_t own)
{
    atomic_store(&wal->flushed, lsn);
    mutex_lock(&wal->mutex);
    company_note(wal, waiters_wake(&wal->durable_waiters, lsn) + own);
    mutex_unlock(&wal->mutex);
    const uint32_t count = atomic_load(&wal->subscriber_count);
    for (uint32_t i = 0; i < count; i++)
        wal->subscribers[i].callback(wal->subscribers[i].context, lsn);
}

/* What is before `to` is in its file: gives the ring's space back, and makes it durable. */
static void writer_sync(Wal *wal, Lsn to, uint32_t own_commits)
{
    if (wal->big_end && wal->big_end <= to)
        wal->big_end = 0;
    atomic_store(&wal->written, to);
    mutex_lock(&wal->mutex);
    waiters_wake(&wal->ring_waiters, to);
    if (to + wal->ahead > atomic_load(&wal->ready_end))
        keeper_kick(wal);
    mutex_unlock(&wal->mutex);

    const int64_t start = os->monotonic();
    if (!os->file_sync(wal->segment))
        panic("could not sync the write-ahead log: %.*s", STR_ARGS(error_fields()->message));
    sync_note(wal, os->monotonic() - start);
    /* Readers tell a torn end from damage by it: no record may be half durable there. */
    atomic_store(&wal->flushed_whole, wal->big_end ? wal->big_start : to);
    writer_publish_durable(wal, to, own_commits);
}

/* Writes what is filled and makes it durable. Returns how many bytes that were. */
static uint64_t writer_round(Wal *wal)
{
    if (FAULT(fault_slow_log) && !task_sleep(FAULT_DELAY_US, WAIT_EVENT_LOG_WRITER_MAIN))
        error_clear();
    const Lsn from = atomic_load(&wal->written), to = writer_filled(wal);

    if (to == from || !writer_transfer(wal, from, to))
        return 0;
    writer_sync(wal, to, 0);
    return to - from;
}

/*
 * One at a time writes. Who finds that another one does goes to sleep and is told when that one is
 * done; therefore that one looks for more once it has let go. The exchanges order the two looks.
 */
static bool writing_begin(Wal *wal)
{
    return atomic_exchange(&wal->writing, 1) == 0;
}

static void writing_end(Wal *wal)
{
    (void)atomic_exchange(&wal->writing, 0);
}

/*
 * The commit that waits does the log writer's work, which saves two switches between threads. Only
 * what is simple: one write into the segment that is open. False: it is left to the log writer.
 */
static bool wal_flush_alone(Wal *wal)
{
    bool done = false;

    assert(task_current()->latch_count == 0 && !task_current()->in_action);
    if (!writing_begin(wal)) {
        company_note(wal, 2);
        return false;
    }
    const Lsn from = atomic_load(&wal->written), to = writer_filled(wal);
    const size_t offset = (size_t)(from & (wal->ring_size - 1)), size = (size_t)(to - from);
    const bool is_simple = to > from && !wal->big_end && offset + size <= wal->ring_size &&
                           wal->segment && wal->segment_start == wal_segment_start(from) &&
                           to <= wal->segment_start + WAL_SEGMENT_SIZE &&
                           atomic_load(&wal->stop) == WAL_RUNNING && !FAULT(fault_slow_log);
    if (is_simple) {
        atomic_store(&task_current()->wait_event, WAIT_EVENT_WALSYNC);
        done = writer_put(wal, wal->ring + offset, size, from);
        if (done)
            writer_sync(wal, to, 1);
        atomic_store(&task_current()->wait_event, 0);
    }
    writing_end(wal);
    if (wal_is_behind(wal) || atomic_load(&wal->stop) != WAL_RUNNING)
        writer_wake(wal);
    return done;
}

/* The log writer's turn. False: it has ended. */
static bool writer_turn(Wal *wal)
{
    for (;;) {
        const uint32_t stop = atomic_load(&wal->stop);
        if (stop == WAL_ABORTED)
            return false;
        const uint64_t size = writer_round(wal);
        if (size == 0 && stop != WAL_RUNNING)
            return false;
        if (stop == WAL_RUNNING && size < WAL_WRITE_MAX)
            return true;
    }
}

static void writer_main(void *argument)
{
    Wal *wal = argument;
    bool goes_on = true;

    while (goes_on) {
        const uint32_t work = atomic_load(&wal->work);
        if (writing_begin(wal)) {
            goes_on = writer_turn(wal);
            if (!goes_on) {
                os->file_close(wal->segment);
                wal->segment = NULL;
            }
            writing_end(wal);
        }
        if (!goes_on)
            break;
        atomic_store(&wal->writer_idle, 1);
        os->word_wait(&wal->work, work, DEADLINE_NEVER);
        atomic_store(&wal->writer_idle, 0);
    }
}

/* -------- The segments' keeper -------- */

/* Gives the oldest segment a new life at the end, or removes it where enough are ready. */
static bool keeper_recycle_one(Wal *wal)
{
    const Lsn oldest = wal->oldest, ready_end = atomic_load(&wal->ready_end);
    const Lsn now = atomic_load(&wal->reserved);
    const uint64_t keep = MAX(wal->min_bytes, wal->cycle_bytes + WAL_SEGMENT_SIZE);
    const bool reuse = ready_end < now + keep;

    mutex_unlock(&wal->mutex);
    bool ok;
    if (reuse)
        ok = wal_segment_rename(wal->directory, oldest, ready_end);
    else
        ok = wal_segment_remove(wal->directory, oldest);
    if (!ok)
        error_clear();
    mutex_lock(&wal->mutex);
    wal->oldest = oldest + WAL_SEGMENT_SIZE;
    if (ok && reuse)
        atomic_store(&wal->ready_end, ready_end + WAL_SEGMENT_SIZE);
    return ok;
}

/*
 * A load's log comes in large writes: that each of them has the file system note which blocks are
 * written now costs less than to write all of them twice.
 */
static WalBlocks keeper_blocks(Wal *wal) REQUIRES(wal->mutex)
{
    const Lsn reserved = atomic_load(&wal->reserved);
    const int64_t now = os->monotonic();
    const bool is_flood =
        reserved - wal->extended_for >= WAL_SEGMENT_SIZE / 2 && now - wal->extended_at < FLOOD_US;

    wal->extended_for = reserved;
    wal->extended_at = now;
    return is_flood ? WAL_BLOCKS_UNWRITTEN : WAL_BLOCKS_WRITTEN;
}

static bool keeper_extend_one(Wal *wal)
{
    const Lsn at = atomic_load(&wal->ready_end);
    const WalBlocks blocks = keeper_blocks(wal);

    mutex_unlock(&wal->mutex);
    const bool ok = wal_segment_create(wal->directory, at, blocks);
    const SqlState error = ok ? 0 : error_fields()->sqlstate;
    if (!ok)
        error_clear();
    mutex_lock(&wal->mutex);
    wal->keeper_error = error;
    if (ok)
        atomic_store(&wal->ready_end, at + WAL_SEGMENT_SIZE);
    return ok;
}

static bool keeper_needs_more(const Wal *wal)
{
    const Lsn promised =
        atomic_load(&((Wal *)wal)->reserved) + atomic_load(&((Wal *)wal)->admitted);

    return atomic_load(&((Wal *)wal)->ready_end) < MAX(wal->wanted_end, promised + wal->ahead);
}

static void keeper_main(void *argument)
{
    Wal *wal = argument;

    mutex_lock(&wal->mutex);
    while (!wal->keeper_stop) {
        bool ok = true;
        wal->keeper_kicked = false;
        while (!wal->keeper_stop && wal->oldest + WAL_SEGMENT_SIZE <= wal->recycle_before)
            (void)keeper_recycle_one(wal);
        while (!wal->keeper_stop && ok && keeper_needs_more(wal))
            ok = keeper_extend_one(wal);
        /* With a failure everybody looks at it; else those who have room now. */
        waiters_wake(&wal->space_waiters, ok ? atomic_load(&wal->ready_end) : LSN_MAX);
        if (!wal->keeper_stop && !wal->keeper_kicked)
            cond_wait(&wal->keeper_cond, &wal->mutex);
    }
    mutex_unlock(&wal->mutex);
}

void wal_recycle(Wal *wal, Lsn redo)
{
    mutex_lock(&wal->mutex);
    if (redo > wal->recycle_before) {
        wal->cycle_bytes = redo - wal->recycle_before;
        wal->recycle_before = redo;
        keeper_kick(wal);
    }
    mutex_unlock(&wal->mutex);
}

void wal_configure(Wal *wal, uint64_t min_wal_bytes)
{
    mutex_lock(&wal->mutex);
    wal->min_bytes = min_wal_bytes;
    mutex_unlock(&wal->mutex);
}

/* -------- Life -------- */

Wal *wal_new(Str directory, uint32_t ring_bytes, uint64_t ahead_bytes)
{
    Wal *wal = memory_calloc(1, sizeof(Wal));
    const uint32_t size = MAX(ring_bytes ? ring_bytes : WAL_RING_DEFAULT, WAL_RING_MIN);

    assert((size & (size - 1)) == 0);
    if (!wal)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    wal->ring_size = size;
    wal->ahead = ahead_bytes ? ahead_bytes : WAL_SEGMENT_SIZE;
    wal->ring = memory_reserve(size);
    wal->directory_text = memory_malloc(directory.length + 1);
    if (!wal->ring || !wal->directory_text) {
        wal_free(wal);
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    }
    memcpy(wal->directory_text, directory.data, directory.length);
    wal->directory = str_make(wal->directory_text, directory.length);
    atomic_store(&wal->company, COMPANY_AT_FIRST);
    mutex_init(&wal->mutex, RANK_WAL);
    return wal;
}

void wal_free(Wal *wal)
{
    if (!wal)
        return;
    assert(!wal->writer);
    memory_release(wal->ring, wal->ring_size);
    memory_free(wal->directory_text);
    memory_free(wal);
}

/* What recovery has read may be in the system's cache only: it counts from now on. */
static bool wal_sync_read(Wal *wal, Lsn from, Lsn to)
{
    for (Lsn at = wal_segment_start(from); at <= to; at += WAL_SEGMENT_SIZE) {
        if (!wal_segment_exists(wal->directory, at))
            continue;
        File *file = wal_segment_open(wal->directory, at, OS_WRITE);
        TRY(file);
        const bool ok = os->file_sync(file);
        os->file_close(file);
        TRY(ok);
    }
    return true;
}

bool wal_start(Wal *wal, Lsn oldest, Lsn end, uint32_t incarnation)
{
    Lsn lowest, highest, ready = wal_segment_start(end);

    TRY(wal_sync_read(wal, oldest, end));
    TRY(wal_segments_range(wal->directory, &lowest, &highest));
    if (!wal_segment_exists(wal->directory, ready))
        TRY(wal_segment_create(wal->directory, ready, WAL_BLOCKS_WRITTEN));
    while (wal_segment_exists(wal->directory, ready))
        ready += WAL_SEGMENT_SIZE;
    for (Lsn at = ready; highest != 0 && at <= highest; at += WAL_SEGMENT_SIZE)
        (void)wal_segment_remove(wal->directory, at);
    wal->oldest = lowest ? lowest : wal_segment_start(end);
    wal->recycle_before = wal_segment_start(oldest);
    wal->extended_for = end;
    wal->incarnation = incarnation;
    atomic_store(&wal->ready_end, ready);
    atomic_store(&wal->written, end);
    atomic_store(&wal->flushed, end);
    atomic_store(&wal->flushed_whole, end);
    atomic_store(&wal->reserved, end);
    wal->keeper = os->thread_start("wal segments", keeper_main, wal);
    wal->writer = os->thread_start("log writer", writer_main, wal);
    return true;
}

void wal_show(Wal *wal, Lsn end)
{
    atomic_store(&wal->written, end);
    atomic_store(&wal->flushed, end);
    atomic_store(&wal->reserved, end);
}

void wal_stop(Wal *wal, WalStop how)
{
    if (!wal || !wal->writer)
        return;
    atomic_store(&wal->stop, how == WAL_STOP_DRAIN ? WAL_DRAINING : WAL_ABORTED);
    atomic_fetch_add(&wal->work, 1);
    os->word_wake(&wal->work, UINT32_MAX);
    os->thread_join(wal->writer);
    wal->writer = NULL;
    mutex_lock(&wal->mutex);
    wal->keeper_stop = true;
    cond_signal(&wal->keeper_cond);
    mutex_unlock(&wal->mutex);
    os->thread_join(wal->keeper);
    wal->keeper = NULL;
}

void wal_statistics(const Wal *wal, WalStatistics *ret_statistics)
{
    Wal *source = (Wal *)wal;

    *ret_statistics = (WalStatistics){
        .record_count = atomic_load(&source->record_count),
        .byte_count = atomic_load(&source->reserved),
        .write_count = atomic_load(&source->write_count),
        .sync_count = atomic_load(&source->sync_count),
        .sync_microseconds = atomic_load(&source->sync_microseconds),
    };
}
