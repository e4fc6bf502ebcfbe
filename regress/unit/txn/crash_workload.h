/*
 * A user of transactions for crash tests, with a model of what must be there afterwards.
 *
 * Writers run transactions over tables that have three indexes each: inserts, updates and deletes
 * of small rows and of rows with large values, savepoints rolled back, write sets that spill,
 * tables made in bulk, widened and dropped, numbers of a sequence. Each transaction also inserts
 * its number into a journal table, so that after a crash the database says which of them it has.
 *
 * The model lives outside of the simulated disk and survives the crash: the operations of every
 * transaction, in the order in which their commits were asked for. Transactions that conflict hold
 * their locks until the first one's apply has ended, so that this order is a serial order.
 *
 * crash_check holds the recovered database against it: what was acknowledged is there, nothing is
 * there by halves, what is there is a prefix of the log; every index has exactly the entries of its
 * table's rows; every tree keeps its invariants and every page belongs to one.
 */
#ifndef TEST_TXN_CRASH_WORKLOAD_H
#define TEST_TXN_CRASH_WORKLOAD_H

#include "storage/store.h"
#include "txn/txn.h"

#define CRASH_WRITERS 3u

typedef struct CrashOptions {
    uint32_t seed;
    uint32_t steps;           /* transactions of each writer */
    uint32_t waits_per_three; /* of three commits, how many wait until they are durable */
    uint32_t checkpoints;     /* the main thread's, at most; then it waits for the writers */
    bool disk_fills;          /* 53100 is a refusal like others */
    bool is_damaged;          /* what names damage ends the process with CRASH_REFUSED */
} CrashOptions;

/* Forgets the model. */
void crash_start(const CrashOptions *options);
/*
 * For sim_run, with no argument. The first thing that is wrong is told on stderr, and the process
 * ends with CRASH_FAILED.
 */
void crash_create(void *unused);  /* the store, its database and tables */
void crash_run(void *unused);     /* opens, runs the writers, closes with a checkpoint */
void crash_recover(void *unused); /* opens, checks, writes a little, closes, opens, checks */
void crash_read(void *unused);    /* opens, checks what is there, and leaves it */
#define CRASH_FAILED 17
#define CRASH_REFUSED 18 /* damage was named, */
#define CRASH_UNSEEN 19  /* and verify had not found it */
#define CRASH_CUT 20     /* the log ends before something that was acknowledged */

/* For what is told: where the crash came, and how many there have been. */
void crash_note_point(uint64_t operation, uint32_t depth);
/* Transactions that were acknowledged. */
uint32_t crash_acknowledged(void);

#endif
