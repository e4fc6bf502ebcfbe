#include "txn/purge.h"

#include "base/memory.h"
#include "base/os.h"
#include "storage/faults.h"
#include "txn/index.h"
#include "txn/txn_internal.h"

#define PAUSE_LEAST_US (FAULT(fault_yield_often) ? 1000 : 100000) /* ghosts gather meanwhile */
#define PAUSE_MOST_US 1000000 /* while a snapshot keeps all that is remembered */
#define ITEMS_MOST (1u << 20) /* remembered */
#define MET_MOST 1024u        /* of those, what readers have told */
#define BAR_POLL_US 1000      /* to look whether a leaf is done */

/* A leaf, by one of the keys that it covers. */
typedef struct PurgeItem {
    struct PurgeItem *next;
    TreeName index;
    Lsn lsn; /* at or below the horizon: it is its turn */
    bool is_met;
    uint32_t key_length;
    char key[];
} PurgeItem;

struct Purger {
    TxnManager *manager;
    Thread *thread;
    Mutex mutex; /* rank LEAF */
    Cond cond;
    bool stops GUARDED_BY(mutex);
    _Atomic bool reclaims; /* commits have left versions that were not to be freed yet */
    PurgeItem *first GUARDED_BY(mutex); /* in about the order of their LSNs */
    PurgeItem **last GUARDED_BY(mutex);
    uint32_t count GUARDED_BY(mutex), met_count GUARDED_BY(mutex);
    TreeName working GUARDED_BY(mutex); /* the index of the leaf under way; 0: none */
    PurgeBar *bars GUARDED_BY(mutex);
};

/* ------------------------------------------------------------------ what is remembered */

static void item_append(Purger *purger, PurgeItem *item) REQUIRES(purger->mutex)
{
    item->next = NULL;
    *purger->last = item;
    purger->last = &item->next;
    purger->count++;
    purger->met_count += item->is_met;
}

/* The first one; its memory is the caller's. */
static PurgeItem *item_take(Purger *purger) REQUIRES(purger->mutex)
{
    PurgeItem *item = purger->first;

    purger->first = item->next;
    if (!purger->first)
        purger->last = &purger->first;
    purger->count--;
    purger->met_count -= item->is_met;
    return item;
}

static void remember(Purger *purger, TreeName index, Str key, Lsn lsn, bool is_met)
{
    PurgeItem *item = memory_malloc(sizeof(*item) + key.length);

    if (!item)
        return;
    *item = (PurgeItem){
        .index = index, .lsn = lsn, .is_met = is_met, .key_length = (uint32_t)key.length};
    memcpy(item->key, key.data, key.length);
    mutex_lock(&purger->mutex);
    const bool is_kept = purger->count < ITEMS_MOST && !(is_met && purger->met_count >= MET_MOST);
    if (is_kept) {
        const bool sleeps = !purger->first;
        item_append(purger, item);
        if (sleeps)
            cond_signal(&purger->cond);
    }
    mutex_unlock(&purger->mutex);
    if (!is_kept)
        memory_free(item);
}

void purge_gather(TxnManager *manager, TreeName index, Str key, Lsn lsn)
{
    if (manager->purger)
        remember(manager->purger, index, key, lsn, false);
}

void purge_reclaims(TxnManager *manager, bool is_left)
{
    Purger *purger = manager->purger;

    if (!purger || atomic_load_explicit(&purger->reclaims, memory_order_relaxed) == is_left)
        return;
    mutex_lock(&purger->mutex);
    atomic_store(&purger->reclaims, is_left);
    if (is_left && !purger->first)
        cond_signal(&purger->cond);
    mutex_unlock(&purger->mutex);
}

void purge_met(TxnManager *manager, TreeName index, Str key, Lsn lsn)
{
    if (manager->purger && lsn <= atomic_load(&manager->horizon))
        remember(manager->purger, index, key, lsn, true);
}

/* ------------------------------------------------------------------ leaf by leaf */

static bool is_barred(const Purger *purger, TreeName index) REQUIRES(purger->mutex)
{
    const PurgeBar *bar = purger->bars;

    while (bar && (index < bar->first || index > bar->last))
        bar = bar->next;
    return bar != NULL;
}

/* The next one whose turn it is; its index is not dropped before item_done. NULL: none. */
static PurgeItem *item_next(Purger *purger, Lsn horizon)
{
    PurgeItem *item = NULL;

    mutex_lock(&purger->mutex);
    while (!item && !purger->stops && purger->first && purger->first->lsn <= horizon) {
        item = item_take(purger);
        if (is_barred(purger, item->index)) {
            memory_free(item);
            item = NULL;
        }
    }
    purger->working = item ? item->index : 0;
    mutex_unlock(&purger->mutex);
    return item;
}

/* Is there something left to do, later? */
static void item_done(Purger *purger, PurgeItem *item, bool again)
{
    mutex_lock(&purger->mutex);
    purger->working = 0;
    if (again) {
        item->is_met = false;
        item_append(purger, item);
    }
    mutex_unlock(&purger->mutex);
    if (!again)
        memory_free(item);
}

/* Of an index that is there no more nothing is left to do; a page that cannot be read is others'
 * to tell. */
static void item_purge(Purger *purger, PurgeItem *item)
{
    Database *database = store_database(purger->manager->store, (DatabaseId)(item->index >> 32));
    Tree *tree = NULL;
    void *versions = NULL;
    uint32_t kept = 0;
    bool ok = !database || tree_find(database, (TreeId)item->index, &tree);

    FAULT_STOP(fault_at_purge);
    if (ok && tree && tree_kind(tree) == TREE_INDEX)
        ok = tree_index_purge(tree, str_make(item->key, item->key_length), &versions, &kept);
    if (!ok)
        error_clear();
    item->lsn = (Lsn)(uintptr_t)versions;
    item_done(purger, item, ok && kept > 0);
}

static bool purger_stops(Purger *purger)
{
    mutex_lock(&purger->mutex);
    const bool stops = purger->stops;
    mutex_unlock(&purger->mutex);
    return stops;
}

/* All whose turn it is; false: there were none. */
static bool purge_round(Purger *purger)
{
    bool any = false;

    while (!purger_stops(purger) && manager_reclaim_now(purger->manager))
        any = true;
    const Lsn horizon = atomic_load(&purger->manager->horizon);
    for (PurgeItem *item; (item = item_next(purger, horizon)) != NULL; any = true)
        item_purge(purger, item);
    return any;
}

static void purger_main(void *argument)
{
    Purger *purger = argument;
    int64_t pause = PAUSE_LEAST_US;

    mutex_lock(&purger->mutex);
    while (!purger->stops) {
        if (!purger->first && !atomic_load(&purger->reclaims)) {
            cond_wait(&purger->cond, &purger->mutex);
            continue;
        }
        if (cond_wait_until(&purger->cond, &purger->mutex, deadline_after(pause)))
            continue; /* it is to stop; or woken for nothing */
        mutex_unlock(&purger->mutex);
        pause = purge_round(purger) ? PAUSE_LEAST_US : MIN(2 * pause, PAUSE_MOST_US);
        mutex_lock(&purger->mutex);
    }
    mutex_unlock(&purger->mutex);
}

bool txn_index_purge(TxnTree *index)
{
    Tree *tree = atomic_load(&index->tree);

    return !tree || tree_index_purge_all(tree);
}

/* ------------------------------------------------------------------ dropping */

void purge_bar(TxnManager *manager, PurgeBar *bar, TreeName first, TreeName last)
{
    Purger *purger = manager->purger;
    Task *task = task_current();
    const bool were_held = task->interrupts_held;

    if (!purger)
        return;
    *bar = (PurgeBar){.first = first, .last = last};
    mutex_lock(&purger->mutex);
    bar->next = purger->bars;
    purger->bars = bar;
    task->interrupts_held = true;
    while (purger->working >= first && purger->working <= last) {
        mutex_unlock(&purger->mutex);
        if (!task_sleep(BAR_POLL_US, WAIT_EVENT_TXN_APPLY))
            error_clear();
        mutex_lock(&purger->mutex);
    }
    task->interrupts_held = were_held;
    mutex_unlock(&purger->mutex);
}

void purge_unbar(TxnManager *manager, PurgeBar *bar)
{
    Purger *purger = manager->purger;

    if (!purger)
        return;
    mutex_lock(&purger->mutex);
    PurgeBar **link = &purger->bars;
    while (*link != bar)
        link = &(*link)->next;
    *link = bar->next;
    mutex_unlock(&purger->mutex);
}

/* ------------------------------------------------------------------ starting and stopping */

void purger_start(TxnManager *manager)
{
    Purger *purger = memory_must_calloc(1, sizeof(*purger));

    mutex_init(&purger->mutex, RANK_LEAF);
    purger->manager = manager;
    purger->last = &purger->first;
    manager->purger = purger;
    purger->thread = os->thread_start("purger", purger_main, purger);
}

void purger_stop(TxnManager *manager)
{
    Purger *purger = manager->purger;

    if (!purger)
        return;
    mutex_lock(&purger->mutex);
    purger->stops = true;
    cond_signal(&purger->cond);
    mutex_unlock(&purger->mutex);
    os->thread_join(purger->thread);
    while (purger->first) {
        PurgeItem *next = purger->first->next;
        memory_free(purger->first);
        purger->first = next;
    }
    memory_free(purger);
    manager->purger = NULL;
}
