/* Redo workers: batches of operations on their way to the threads that apply them. */
#include "txn/redo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/os.h"
#include "base/sync.h"
#include "storage/faults.h"

#ifndef REDO_BATCH_BYTES
#define REDO_BATCH_BYTES (4u << 20)
#endif
#define BATCH_BYTES REDO_BATCH_BYTES
#define BATCH_ITEMS (BATCH_BYTES / 64)
#define BATCHES 2u           /* a worker's: one is filled while the other is applied */
#define ROWS_TOGETHER_BITS 7 /* neighbours go to one worker: they share leaves */

/* An operation in a batch. Those on one row, entry or pair have one place, and keep their order. */
typedef struct RedoItem {
    Tree *tree;
    uint64_t place; /* where in the tree: neighbours are applied together */
    uint64_t row_id;
    uint32_t offset; /* of key and value in the batch's bytes; grows with every item */
    uint32_t key_length, value_length;
    OpCode code;
} RedoItem;

typedef struct RedoBatch {
    uint32_t count, length;
    RedoItem items[BATCH_ITEMS];
    byte bytes[BATCH_BYTES];
} RedoBatch;

typedef struct RedoWorker {
    RedoWorkers *workers;
    Thread *thread;
    RedoBatch *batches;  /* BATCHES, a ring */
    uint64_t put, taken; /* batches handed over, and applied; under the mutex */
    Cond cond;           /* work, or an end of work */
} RedoWorker;

struct RedoWorkers {
    Store *store;
    uint32_t count;
    bool is_started;
    uint64_t scattered; /* with fault_redo_scatter */
    RedoWorker *items;
    Mutex mutex; /* rank LEAF; guards the rest and the rings */
    bool stop;
    bool has_failed;
    SqlState sqlstate; /* of the first failure */
    char message[300], hint[300];
};

/* -------- Applying -------- */

static bool redo_apply(Tree *tree, OpCode code, uint64_t row_id, Str key, Str value)
{
    switch (code) {
    case OP_PUT_ROW:
        return tree_put(tree, row_id, value, NULL);
    case OP_DELETE_ROW:
        return tree_delete(tree, row_id, NULL);
    case OP_PUT_ENTRY:
        return tree_index_insert(tree, key, NULL);
    case OP_DELETE_ENTRY:
        /* Nobody has a snapshot: no ghost is needed. */
        return tree_index_delete(tree, key, NULL);
    case OP_PUT_PAIR:
        return tree_kv_put(tree, key, value);
    case OP_DELETE_PAIR:
        return tree_kv_delete(tree, key);
    default:
        return true;
    }
}

static int item_compare(const void *a, const void *b)
{
    const RedoItem *left = a, *right = b;

    if (left->tree != right->tree)
        return left->tree < right->tree ? -1 : 1;
    if (left->place != right->place)
        return left->place < right->place ? -1 : 1;
    return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* Is the item's outcome that of the next one alone? Operations on rows say all there is. */
static bool item_is_outdated(const RedoItem *item, const RedoItem *next)
{
    return next->tree == item->tree && next->row_id == item->row_id &&
           (item->code == OP_PUT_ROW || item->code == OP_DELETE_ROW) &&
           (next->code == OP_PUT_ROW || next->code == OP_DELETE_ROW);
}

/* By place, so that a page is read, changed and written once a batch, not once an operation. */
static bool batch_apply(const RedoWorkers *workers, RedoBatch *batch)
{
    qsort(batch->items, batch->count, sizeof(RedoItem), item_compare);
    for (uint32_t i = 0; i < batch->count; i++) {
        const RedoItem *item = &batch->items[i];
        if (i + 1 < batch->count && item_is_outdated(item, item + 1))
            continue;
        const byte *key = batch->bytes + item->offset, *value = key + item->key_length;
        TRY(redo_apply(item->tree, item->code, item->row_id, str_make(key, item->key_length),
                       str_make(value, item->value_length)) ||
            store_pass_over(workers->store));
    }
    return true;
}

static void redo_note_failure(RedoWorkers *workers) REQUIRES(workers->mutex)
{
    const ErrorFields *error = error_fields();

    if (!workers->has_failed) {
        workers->has_failed = true;
        workers->sqlstate = error->sqlstate;
        snprintf(workers->message, sizeof(workers->message), "%.*s", STR_ARGS(error->message));
        snprintf(workers->hint, sizeof(workers->hint), "%.*s", STR_ARGS(error->hint));
    }
    error_clear();
}

static void redo_worker_main(void *argument)
{
    RedoWorker *worker = argument;
    RedoWorkers *workers = worker->workers;

    mutex_lock(&workers->mutex);
    while (!workers->stop || worker->taken < worker->put) {
        if (worker->taken == worker->put) {
            cond_wait(&worker->cond, &workers->mutex);
            continue;
        }
        RedoBatch *batch = &worker->batches[worker->taken % BATCHES];
        const bool is_wanted = !workers->has_failed;
        mutex_unlock(&workers->mutex);
        const bool ok = !is_wanted || batch_apply(workers, batch);
        mutex_lock(&workers->mutex);
        if (!ok)
            redo_note_failure(workers);
        worker->taken++;
        cond_broadcast(&worker->cond);
    }
    mutex_unlock(&workers->mutex);
}

/* -------- Life -------- */

RedoWorkers *redo_workers_new(Store *store, uint32_t count)
{
    RedoWorkers *workers = memory_calloc(1, sizeof(RedoWorkers));

    if (!workers)
        panic("out of memory for recovery");
    workers->store = store;
    workers->count = count;
    mutex_init(&workers->mutex, RANK_LEAF);
    return workers;
}

static bool redo_start(RedoWorkers *workers)
{
    workers->items = memory_calloc(workers->count, sizeof(RedoWorker));
    bool ok = workers->items != NULL;
    for (uint32_t i = 0; ok && i < workers->count; i++) {
        RedoWorker *worker = &workers->items[i];
        worker->workers = workers;
        worker->batches = memory_calloc(BATCHES, sizeof(RedoBatch));
        ok = worker->batches != NULL;
        if (ok)
            worker->thread = os->thread_start("redo", redo_worker_main, worker);
    }
    workers->is_started = true;
    if (!ok)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory for recovery"));
    return true;
}

void redo_workers_free(RedoWorkers *workers)
{
    mutex_lock(&workers->mutex);
    workers->stop = true;
    for (uint32_t i = 0; workers->items && i < workers->count; i++)
        cond_broadcast(&workers->items[i].cond);
    mutex_unlock(&workers->mutex);
    for (uint32_t i = 0; workers->items && i < workers->count; i++) {
        if (workers->items[i].thread)
            os->thread_join(workers->items[i].thread);
        memory_free(workers->items[i].batches);
    }
    memory_free(workers->items);
    memory_free(workers);
}

/* -------- Handing over -------- */

static bool redo_failure(const RedoWorkers *workers)
{
    FAIL(workers->sqlstate, .message = str_from_c(workers->message),
         .hint = workers->hint[0] ? str_from_c(workers->hint) : STR_NONE);
}

/* The batch that is being filled; empty again once it is handed over. */
static RedoBatch *worker_current(RedoWorker *worker)
{
    return &worker->batches[worker->put % BATCHES];
}

static bool worker_hand_over(RedoWorker *worker)
{
    RedoWorkers *workers = worker->workers;

    mutex_lock(&workers->mutex);
    worker->put++;
    cond_broadcast(&worker->cond);
    while (worker->put - worker->taken == BATCHES)
        cond_wait(&worker->cond, &workers->mutex);
    const bool has_failed = workers->has_failed;
    mutex_unlock(&workers->mutex);
    worker_current(worker)->count = worker_current(worker)->length = 0;
    return !has_failed || redo_failure(workers);
}

/* Keys end in their row id: one key is always with one worker. */
static uint64_t redo_worker_hash(const Tree *tree, const Op *op)
{
    switch (op->code) {
    case OP_PUT_ROW:
    case OP_DELETE_ROW:
        return hash_mix64((op->row_id >> ROWS_TOGETHER_BITS) + tree_id(tree));
    case OP_PUT_ENTRY:
    case OP_DELETE_ENTRY:
        return hash_mix64((tree_key_row_id(op->key) >> ROWS_TOGETHER_BITS) + tree_id(tree));
    default:
        return hash_mix64(tree_id(tree)); /* pairs are few */
    }
}

/* The row id, or as much of the key as a number can hold. */
static uint64_t redo_place(const Op *op)
{
    uint64_t start = 0;

    if (op->key.length == 0)
        return op->row_id;
    memcpy(&start, op->key.data, MIN(op->key.length, sizeof(start)));
    return __builtin_bswap64(start);
}

static void batch_add(RedoBatch *batch, Tree *tree, const Op *op)
{
    byte *at = batch->bytes + batch->length;

    batch->items[batch->count++] = (RedoItem){
        .tree = tree,
        .place = redo_place(op),
        .row_id = op->row_id,
        .offset = batch->length,
        .key_length = (uint32_t)op->key.length,
        .value_length = (uint32_t)op->value.length,
        .code = op->code,
    };
    if (op->key.length > 0)
        memcpy(at, op->key.data, op->key.length);
    if (op->value.length > 0)
        memcpy(at + op->key.length, op->value.data, op->value.length);
    /* A byte more: an operation without bytes still has an offset of its own. */
    batch->length += (uint32_t)(op->key.length + op->value.length + 1);
}

bool redo_put(RedoWorkers *workers, Tree *tree, const Op *op)
{
    const uint64_t size = (uint64_t)op->key.length + op->value.length + 1;

    if (workers->count == 0)
        return redo_apply(tree, op->code, op->row_id, op->key, op->value);
    if (size > BATCH_BYTES) {
        TRY(redo_drain(workers));
        return redo_apply(tree, op->code, op->row_id, op->key, op->value);
    }
    if (!workers->is_started)
        TRY(redo_start(workers));
    const uint64_t hash =
        FAULT(fault_redo_scatter) ? workers->scattered++ : redo_worker_hash(tree, op);
    RedoWorker *worker = &workers->items[(uint32_t)(hash % workers->count)];
    const RedoBatch *batch = worker_current(worker);
    if (batch->length + size > BATCH_BYTES || batch->count == BATCH_ITEMS)
        TRY(worker_hand_over(worker));
    batch_add(worker_current(worker), tree, op);
    return true;
}

bool redo_drain(RedoWorkers *workers)
{
    if (!workers->is_started)
        return true;
    for (uint32_t i = 0; i < workers->count; i++) {
        if (worker_current(&workers->items[i])->length > 0)
            TRY(worker_hand_over(&workers->items[i]));
    }
    mutex_lock(&workers->mutex);
    for (uint32_t i = 0; i < workers->count; i++) {
        RedoWorker *worker = &workers->items[i];
        while (worker->taken < worker->put)
            cond_wait(&worker->cond, &workers->mutex);
    }
    const bool has_failed = workers->has_failed;
    mutex_unlock(&workers->mutex);
    return !has_failed || redo_failure(workers);
}
