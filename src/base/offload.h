/* Helper threads behind task_offload. */
#ifndef BASE_OFFLOAD_H
#define BASE_OFFLOAD_H

#include "base/task.h"

/* Starts them, as the first task_offload does: a server that lacks threads is to say so at once. */
void offload_begin(void);
/* Ends the helper threads; the next task_offload starts them again. For orderly shutdown. */
void offload_stop(void);

#endif
