/*
 * The checkpointer: one thread that runs checkpoints, and creates, clones and drops databases
 * between them, so that these never meet a half-written map.
 */
#ifndef STORAGE_CHECKPOINT_H
#define STORAGE_CHECKPOINT_H

#include "storage/store_internal.h"

typedef enum JobKind {
    JOB_CHECKPOINT = 0,
    JOB_CREATE,
    JOB_CLONE,
    JOB_DROP,
} JobKind;

/* A request that somebody waits for; on the waiter's stack. */
typedef struct Job {
    struct Job *next;
    JobKind kind;
    DatabaseId id;
    Database *source;
    Event done;
    bool ok;
    SqlState sqlstate; /* of a failure */
    char message[300];
} Job;

/* Hands the job to the checkpointer and waits for its end; fails as the job failed. */
MUST_CHECK bool checkpointer_do(Store *store, Job *job);

/* On the checkpointer's thread, no checkpoint running. (store_database.c) */
MUST_CHECK bool job_create(Store *store, DatabaseId id);
MUST_CHECK bool job_clone(Store *store, DatabaseId id, Database *source);
MUST_CHECK bool job_drop(Store *store, DatabaseId id);

#endif
