/*
 * Every coroutine gives its worker away at each place where it may: linked into the server in place
 * of the call that wakes the ticker. Nobody wakes it, so each run begins with that call.
 *
 * What a session finds in its worker's memory and keeps over such a place is then soon another's.
 */
#include <stdatomic.h>

#include "base/task.h"
#include "base/ticker.h"

void __wrap_ticker_wake(void);
void __wrap_ticker_wake(void)
{
    atomic_fetch_or(&task_current()->interrupts, INTERRUPT_YIELD);
}
