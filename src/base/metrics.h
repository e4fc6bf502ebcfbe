/*
 * Metrics: what the server counts of itself, a line each in data/metrics.dat.
 *
 *   metric_add(METRIC_PAGES_READ, 1);              any thread, any time: a load and a store
 *   uint64_t total = metric_read(METRIC_PAGES_READ);
 *
 * Each thread has a block of its own, so counting shares no cache line; reading sums over the
 * blocks and may lag. Blocks outlive their threads, so sums only grow while the process runs.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdatomic.h>

#include "base/base.h"
#include "base/metric_ids.h" /* generated: typedef enum MetricId { METRIC_… METRIC_COUNT } */

typedef struct MetricBlock {
    _Alignas(CACHE_LINE) _Atomic uint64_t counts[METRIC_COUNT]; /* relaxed, written by one thread */
    struct MetricBlock *next;
} MetricBlock;

extern _Thread_local MetricBlock *metric_block; /* NULL until the thread counts something */
MetricBlock *metric_block_attach(void);

static inline void metric_add(MetricId id, uint64_t count)
{
    MetricBlock *block = likely(metric_block != NULL) ? metric_block : metric_block_attach();

    atomic_store_explicit(&block->counts[id],
                          atomic_load_explicit(&block->counts[id], memory_order_relaxed) + count,
                          memory_order_relaxed);
}

uint64_t metric_read(MetricId id);

#endif
