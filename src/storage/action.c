/*
 * Actions: who changes pages now, and the gate that a checkpoint closes for an instant.
 *
 * A slot belongs to one action at a time: FREE -> OWNED (taken) -> OPEN (behind the gate) -> FREE.
 * It keeps a stock of frames between actions, so that most of them touch no shared line.
 */
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "storage/store_internal.h"

#define STOCK_KEPT_MAX 16u

bool actions_init(Store *store)
{
    store->action_slots = aligned_alloc(CACHE_LINE, sizeof(ActionSlot) * ACTION_SLOTS);
    if (!store->action_slots)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    for (uint32_t i = 0; i < ACTION_SLOTS; i++)
        store->action_slots[i] = (ActionSlot){.stock_count = 0};
    return true;
}

void actions_deinit(Store *store)
{
    memory_free(store->action_slots);
    store->action_slots = NULL;
}

static ActionSlot *action_slot_take(Store *store)
{
    static _Atomic uint32_t next_hint;
    static _Thread_local uint32_t hint = UINT32_MAX;

    if (unlikely(hint == UINT32_MAX))
        hint = atomic_fetch_add(&next_hint, 1) % ACTION_SLOTS;
    for (uint32_t i = os->simulated ? 0 : hint, rounds = 0;; i = (i + 1) % ACTION_SLOTS) {
        ActionSlot *slot = &store->action_slots[i];
        uint32_t expected = ACTION_SLOT_FREE;
        if (atomic_compare_exchange_strong(&slot->state, &expected, ACTION_SLOT_OWNED))
            return slot;
        if (i + 1 == ACTION_SLOTS)
            spin_pause(&rounds);
    }
}

static void action_slot_release(Store *store, ActionSlot *slot)
{
    const uint32_t kept = MIN(STOCK_KEPT_MAX, store->pool.count / 64);

    if (slot->stock_count > kept) {
        pool_give(&store->pool, slot->stock + kept, slot->stock_count - kept);
        slot->stock_count = kept;
    }
    atomic_store(&slot->state, ACTION_SLOT_FREE);
}

/* Frames for every page the action may copy or allocate. */
static bool action_stock(Store *store, ActionSlot *slot, uint32_t page_count)
{
    if (slot->stock_count >= page_count)
        return true;
    const uint32_t missing = page_count - slot->stock_count;
    if (!pool_take(&store->pool, missing, slot->stock + slot->stock_count))
        return false;
    slot->stock_count += missing;
    return true;
}

static bool shadows_are_full(const Store *store)
{
    return atomic_load_explicit(&store->running, memory_order_relaxed) != 0 &&
           atomic_load_explicit(&store->shadow_count, memory_order_relaxed) >=
               store->pool.shadow_quota;
}

/* Opens the slot unless the gate is closed. Pairs with actions_close_gate: either this sees the
 * gate or the checkpointer sees the slot. */
static void action_enter(Store *store, ActionSlot *slot)
{
    uint32_t rounds = 0;

    for (;;) {
        atomic_store(&slot->state, ACTION_SLOT_OPEN);
        if (likely(atomic_load(&store->action_barrier) == 0))
            return;
        atomic_store(&slot->state, ACTION_SLOT_OWNED);
        while (atomic_load(&store->action_barrier) != 0)
            spin_pause(&rounds);
    }
}

static COLD bool database_has_free_ids(Database *database, uint64_t count)
{
    mutex_lock(&database->store->map_mutex);
    const size_t free_count = database->map->free_pages.length;
    mutex_unlock(&database->store->map_mutex);
    return free_count > count;
}

static bool action_check_page_ids(Database *database, uint32_t page_count)
{
    /* A racy look is enough: the reserve is larger than all actions under way can use. */
    const uint64_t reserve = (uint64_t)ACTION_SLOTS * ACTION_PAGES_MAX;
    const PageId next = atomic_load_explicit(&database->map->next_page, memory_order_relaxed);

    if (likely((uint64_t)next + page_count + reserve < database->page_limit) ||
        database_has_free_ids(database, reserve))
        return true;
    if (task_current()->interrupts_held && next + page_count < database->page_limit)
        return true;
    FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
         .message = fmt("database %u has reached its largest size", database->id),
         .detail = fmt("A database has at most %u pages.", database->page_limit));
}

bool action_begin(Database *database, uint32_t page_count, Action *ret_action)
{
    if (unlikely(!store_has_room(database->store, page_count)))
        TRY(store_make_room(database->store, page_count));
    return action_begin_giving(database, page_count, ret_action);
}

bool action_begin_giving(Database *database, uint32_t page_count, Action *ret_action)
{
    Store *store = database->store;
    Task *task = task_current();

    assert(!task->in_action && task->latch_count == 0);
    assert(page_count <= ACTION_PAGES_MAX);
    TRY(action_check_page_ids(database, page_count));
    if (FAULT(fault_yield_often))
        task_yield();
    for (;;) {
        if (likely(!shadows_are_full(store))) {
            ActionSlot *slot = action_slot_take(store);
            if (likely(action_stock(store, slot, page_count))) {
                action_enter(store, slot);
                task->in_action = true;
                *ret_action = (Action){.store = store, .slot = slot, .budget = page_count};
                return true;
            }
            action_slot_release(store, slot);
        }
        TRY(pool_wait_for_frames(store));
    }
}

void action_end(Action *action)
{
    Task *task = task_current();

    assert(task->in_action);
    assert(task->latch_count == 0);
    task->in_action = false;
    action_slot_release(action->store, action->slot);
    action->slot = NULL;
}

void actions_close_gate(Store *store)
{
    atomic_store(&store->action_barrier, 1);
    for (uint32_t i = 0, rounds = 0; i < ACTION_SLOTS; i++) {
        while (atomic_load(&store->action_slots[i].state) == ACTION_SLOT_OPEN)
            spin_pause(&rounds);
    }
}

void actions_open_gate(Store *store)
{
    atomic_store(&store->action_barrier, 0);
}
