/*
 * How long a refused password is not told: longer for an address or a role with many refusals of
 * late. A right password is never kept waiting.
 *
 *   TRY(task_sleep(login_delay_next(&server->login_delays, address, role), WAIT_EVENT_PG_SLEEP));
 *
 * Refusals are remembered in tables of fixed size, by hash: who shares a place shares the delay.
 * One is forgotten every LOGIN_FORGET_SECONDS.
 */
#ifndef SERVER_LOGIN_DELAY_H
#define SERVER_LOGIN_DELAY_H

#include "base/base.h"
#include "base/str.h"

#define LOGIN_DELAY_PLACES 1024

typedef struct LoginDelays {
    /* seconds of the last refusal << 8 | refusals. Lost updates of a race do no harm. */
    _Atomic uint64_t addresses[LOGIN_DELAY_PLACES], roles[LOGIN_DELAY_PLACES];
} LoginDelays;

/* Notes a refusal and says how many microseconds its answer has to wait. */
int64_t login_delay_next(LoginDelays *delays, Str address, Str role);

#endif
