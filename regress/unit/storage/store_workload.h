/*
 * A small user of the pager for crash tests: pairs of pages that must always agree.
 *
 * Page 1 is a directory: pair -> two page ids. A transaction puts a value into a pair, in one
 * action that changes both pages (allocating them at first use), or removes the pair, freeing
 * them. So an image that is not action-consistent shows two pages that differ or a directory that
 * points to nothing. The log says which value each pair has at each position; the history here,
 * outside of the simulated disk, says what must be there after a crash.
 */
#ifndef REGRESS_STORE_WORKLOAD_H
#define REGRESS_STORE_WORKLOAD_H

#include "storage/store.h"
#include "storage/wal.h"

#define PAIRS 300u
#define WRITERS 3u
#define HISTORY_MAX 20000u

typedef struct PairRecord {
    uint32_t pair;
    uint32_t value; /* 0: removed */
} PairRecord;

typedef struct PairHistory {
    Lsn end;
    PairRecord record;
} PairHistory;

typedef struct Workload {
    Str path;
    Store *store;
    PairHistory history[HISTORY_MAX];
    _Atomic uint32_t history_count;
    _Atomic Lsn acknowledged;
    _Atomic Lsn applying[WRITERS];
    _Atomic uint32_t writers_left;
    uint32_t seed;
    uint32_t steps; /* of each writer */
    bool failed;
    char why[300];
} Workload;

/* Pairs read before each change: they push pages out of memory. */
extern uint32_t workload_reads;
/* How long every third change waits between its log record and its pages, in microseconds. */
extern int64_t workload_dawdle_us;

/* All of these set `failed` and `why` before they give false. */
/* Makes the store with its directory page in a durable checkpoint. */
MUST_CHECK bool workload_create(Workload *work);
MUST_CHECK bool workload_open(Workload *work);
/* Writers and checkpoints until the writers have done their steps. */
void workload_run(Workload *work);
/* Where the log ends after recovery; what was acknowledged is before it. */
MUST_CHECK bool workload_check(Workload *work);
/* Every pair as the history has it at `end`. */
MUST_CHECK bool workload_check_pairs(Workload *work, Database *database, Lsn end);

StoreOptions workload_options(void);
void workload_problem(void *context, const StoreProblem *problem);

MUST_CHECK bool pair_apply(Database *database, const PairRecord *record);
MUST_CHECK bool pair_read(Workload *work, Database *database, uint32_t pair, uint32_t *ret_value);
/* The value of one page of a pair. */
MUST_CHECK bool page_read_value(Database *database, PageId id, uint32_t *ret_value);
uint32_t *pair_value(byte *data);

#endif
