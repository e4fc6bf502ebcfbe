#include "base/metrics.h"

#include <stdlib.h>

#include "base/error.h"

_Thread_local MetricBlock *metric_block;
static _Atomic(MetricBlock *) blocks; /* all threads'; only ever pushed to */

MetricBlock *metric_block_attach(void)
{
    MetricBlock *block = aligned_alloc(CACHE_LINE, ALIGN_UP(sizeof(MetricBlock), CACHE_LINE));

    if (!block)
        panic("out of memory for counters");
    memset(block, 0, sizeof(*block));
    block->next = atomic_load_explicit(&blocks, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&blocks, &block->next, block))
        continue;
    metric_block = block;
    return block;
}

uint64_t metric_read(MetricId id)
{
    uint64_t sum = 0;

    /* Pairs with the exchange that published the block. */
    for (MetricBlock *block = atomic_load(&blocks); block; block = block->next)
        sum += atomic_load_explicit(&block->counts[id], memory_order_relaxed);
    return sum;
}
