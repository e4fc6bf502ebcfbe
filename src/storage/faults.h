/*
 * Switches that break one rule of storage or recovery each, for the tests that show it is needed.
 * Builds without SENGI_TEST_FAULTS have none.
 */
#ifndef STORAGE_FAULTS_H
#define STORAGE_FAULTS_H

#ifdef SENGI_TEST_FAULTS
#include <stdbool.h>

extern bool fault_no_shadow, fault_free_now, fault_no_wal_flush, fault_evict_shadow, fault_no_hide;
extern bool fault_no_redo_floor, fault_no_reclaim, fault_no_redo_drain, fault_redo_scatter;
/* Break nothing; make races likely. The first may be set while the log's writer runs. */
extern _Atomic bool fault_slow_log;
extern bool fault_slow_checkpoint, fault_yield_often;
extern void (*fault_at_apply)(void); /* what happens between two writes of a commit's apply */
extern void (*fault_at_free)(void);  /* and between two pieces of a tree that is dropped */
extern void (*fault_at_purge)(void); /* before a leaf of an index is purged */
#define FAULT(name) (name)
#define FAULT_STOP(hook)                                                                           \
    do {                                                                                           \
        if (hook)                                                                                  \
            (hook)();                                                                              \
    } while (0)
#define FAULT_DELAY_US 100000
#else
#define FAULT(name) false
#define FAULT_STOP(hook) ((void)0)
#define FAULT_DELAY_US 0
#endif

#endif
