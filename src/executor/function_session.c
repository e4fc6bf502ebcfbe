#include "executor/executor.h"

#include "base/settings.h"
#include "executor/sequences.h"
#include "txn/lock.h"
#include "types/datetime.h"
#include "types/function.h"

/* Functions about the session: sequences, settings, sleeping, advisory locks, other backends. */

static ExecSession *session_of(FunctionCall *call)
{
    return call->session;
}

/* ---- sequences ---- */

FUNCTION(nextval_oid)
{
    return sequence_memory_next(session_of(call), args[0].oid, true, &ret->int64);
}

FUNCTION(currval_oid)
{
    return sequence_memory_current(session_of(call), args[0].oid, &ret->int64);
}

FUNCTION(lastval)
{
    return sequence_memory_last(session_of(call), &ret->int64);
}

FUNCTION(setval_oid)
{
    ret->int64 = args[1].int64;
    return sequence_memory_set(session_of(call), args[0].oid, args[1].int64, true);
}

FUNCTION(setval3_oid)
{
    ret->int64 = args[1].int64;
    return sequence_memory_set(session_of(call), args[0].oid, args[1].int64, args[2].boolean);
}

/* ---- settings ---- */

static bool ops_have(const void *op, const char *name)
{
    if (op)
        return true;
    FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = fmt("%s is not supported here", name));
}

FUNCTION(set_config_by_name)
{
    ExecSession *session = session_of(call);
    if (nulls[0])
        FAIL(ERR_NULL_VALUE_NOT_ALLOWED, .message = STR("SET requires parameter name"));
    TRY(ops_have(session->ops ? (const void *)session->ops->setting_set : NULL, "set_config"));
    Str value = nulls[1] ? STR_NONE : var_str(args[1].var);
    TRY(session->ops->setting_set(session, var_str(args[0].var), value,
                                  !nulls[2] && args[2].boolean));
    Str shown;
    TRY(session->ops->setting_get(session, var_str(args[0].var), false, call->arena, &shown));
    ret->var = var_from_str(shown);
    return true;
}

static bool setting_show_to(FunctionCall *call, Str name, bool missing_ok, Value *ret,
                            bool *ret_null)
{
    ExecSession *session = session_of(call);
    Str value;
    TRY(ops_have(session->ops ? (const void *)session->ops->setting_get : NULL, "current_setting"));
    TRY(session->ops->setting_get(session, name, missing_ok, call->arena, &value));
    *ret_null = str_is_none(value);
    if (!*ret_null)
        ret->var = var_from_str(value);
    return true;
}

FUNCTION(show_config_by_name)
{
    return setting_show_to(call, var_str(args[0].var), false, ret, ret_null);
}

FUNCTION(show_config_by_name_missing_ok)
{
    return setting_show_to(call, var_str(args[0].var), args[1].boolean, ret, ret_null);
}

/* ---- sleeping, other backends ---- */

#define SLEEP_MOST INT64_C(10000000000000000) /* microseconds: three centuries */

FUNCTION(pg_sleep)
{
    double seconds = args[0].float64;
    ret->var = var_make("", 0);
    return !(seconds > 0) ||
           task_sleep((int64_t)MIN(seconds * 1e6, (double)SLEEP_MOST), WAIT_EVENT_PG_SLEEP);
}

static bool sleep_until(int64_t instant, Value *ret)
{
    const int64_t now = timestamp_now();
    ret->var = var_make("", 0);
    return instant <= now || task_sleep(MIN(instant - now, SLEEP_MOST), WAIT_EVENT_PG_SLEEP);
}

/* pg_sleep_for(interval) */
FUNCTION(sql_3935)
{
    int64_t end;
    TRY(timestamptz_add_interval(timestamp_now(), &args[0].interval, &end));
    return sleep_until(end, ret);
}

/* pg_sleep_until(timestamptz) */
FUNCTION(sql_3936)
{
    return sleep_until(args[0].int64, ret);
}

FUNCTION(pg_backend_pid)
{
    ret->int32 = session_of(call)->backend_pid;
    return true;
}

FUNCTION(pg_cancel_backend)
{
    ExecSession *session = session_of(call);
    TRY(ops_have(session->ops ? (const void *)session->ops->backend_cancel : NULL,
                 "pg_cancel_backend"));
    return session->ops->backend_cancel(session, args[0].int32, &ret->boolean);
}

FUNCTION(pg_terminate_backend)
{
    ExecSession *session = session_of(call);
    TRY(ops_have(session->ops ? (const void *)session->ops->backend_terminate : NULL,
                 "pg_terminate_backend"));
    return session->ops->backend_terminate(session, args[0].int32, &ret->boolean);
}

FUNCTION(pg_reload_conf)
{
    ExecSession *session = session_of(call);
    TRY(ops_have(session->ops ? (const void *)session->ops->configuration_reload : NULL,
                 "pg_reload_conf"));
    ret->boolean = true;
    return session->ops->configuration_reload(session);
}

FUNCTION(pg_notify)
{
    FAIL_UNSUPPORTED("NOTIFY");
}

/* ---- transactions ---- */

FUNCTION(pg_current_xact_id)
{
    ret->int64 = (int64_t)txn_id(session_of(call)->catalog.txn);
    return true;
}

FUNCTION(pg_current_xact_id_if_assigned)
{
    ret->int64 = (int64_t)txn_id_peek(session_of(call)->catalog.txn);
    *ret_null = ret->int64 == 0;
    return true;
}

/* ---- advisory locks ---- */

static bool advisory(FunctionCall *call, AdvisoryKey key, AdvisoryScope scope, AdvisoryMode mode,
                     bool is_try, Value *ret)
{
    CatalogSession *catalog = &session_of(call)->catalog;
    LockOutcome outcome = lock_advisory(catalog->txn, catalog->database_oid, key, scope, mode,
                                        is_try ? LOCK_TRY : LOCK_WAIT);
    TRY(outcome);
    if (is_try)
        ret->boolean = outcome != LOCK_WOULD_BLOCK;
    else
        ret->var = var_make("", 0);
    return true;
}

static bool advisory_unlock(FunctionCall *call, AdvisoryKey key, AdvisoryMode mode, Value *ret)
{
    CatalogSession *catalog = &session_of(call)->catalog;
    ret->boolean =
        lock_advisory_release(txn_session(catalog->txn), catalog->database_oid, key, mode);
    if (!ret->boolean)
        NOTICE(SEVERITY_WARNING, ERR_WARNING,
               .message = fmt("you don't own a lock of type %s",
                              mode == ADVISORY_SHARED ? "ShareLock" : "ExclusiveLock"));
    return true;
}

static AdvisoryKey key_of(const Value *args, bool is_pair)
{
    if (!is_pair)
        return (AdvisoryKey){.key = args[0].int64};
    return (AdvisoryKey){
        .key = (int64_t)((uint64_t)(uint32_t)args[0].int32 << 32 | (uint32_t)args[1].int32),
        .pair = true};
}

#define ADVISORY(symbol, pair, scope, mode, is_try)                                                \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        return advisory(call, key_of(args, pair), scope, mode, is_try, ret);                       \
    }
ADVISORY(pg_advisory_lock_int8, false, ADVISORY_SESSION, ADVISORY_EXCLUSIVE, false)
ADVISORY(pg_advisory_lock_shared_int8, false, ADVISORY_SESSION, ADVISORY_SHARED, false)
ADVISORY(pg_try_advisory_lock_int8, false, ADVISORY_SESSION, ADVISORY_EXCLUSIVE, true)
ADVISORY(pg_try_advisory_lock_shared_int8, false, ADVISORY_SESSION, ADVISORY_SHARED, true)
ADVISORY(pg_advisory_xact_lock_int8, false, ADVISORY_TRANSACTION, ADVISORY_EXCLUSIVE, false)
ADVISORY(pg_advisory_xact_lock_shared_int8, false, ADVISORY_TRANSACTION, ADVISORY_SHARED, false)
ADVISORY(pg_try_advisory_xact_lock_int8, false, ADVISORY_TRANSACTION, ADVISORY_EXCLUSIVE, true)
ADVISORY(pg_try_advisory_xact_lock_shared_int8, false, ADVISORY_TRANSACTION, ADVISORY_SHARED, true)
ADVISORY(pg_advisory_lock_int4, true, ADVISORY_SESSION, ADVISORY_EXCLUSIVE, false)
ADVISORY(pg_advisory_lock_shared_int4, true, ADVISORY_SESSION, ADVISORY_SHARED, false)
ADVISORY(pg_try_advisory_lock_int4, true, ADVISORY_SESSION, ADVISORY_EXCLUSIVE, true)
ADVISORY(pg_try_advisory_lock_shared_int4, true, ADVISORY_SESSION, ADVISORY_SHARED, true)
ADVISORY(pg_advisory_xact_lock_int4, true, ADVISORY_TRANSACTION, ADVISORY_EXCLUSIVE, false)
ADVISORY(pg_advisory_xact_lock_shared_int4, true, ADVISORY_TRANSACTION, ADVISORY_SHARED, false)
ADVISORY(pg_try_advisory_xact_lock_int4, true, ADVISORY_TRANSACTION, ADVISORY_EXCLUSIVE, true)
ADVISORY(pg_try_advisory_xact_lock_shared_int4, true, ADVISORY_TRANSACTION, ADVISORY_SHARED, true)

#define ADVISORY_UNLOCK(symbol, pair, mode)                                                        \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        return advisory_unlock(call, key_of(args, pair), mode, ret);                               \
    }
ADVISORY_UNLOCK(pg_advisory_unlock_int8, false, ADVISORY_EXCLUSIVE)
ADVISORY_UNLOCK(pg_advisory_unlock_shared_int8, false, ADVISORY_SHARED)
ADVISORY_UNLOCK(pg_advisory_unlock_int4, true, ADVISORY_EXCLUSIVE)
ADVISORY_UNLOCK(pg_advisory_unlock_shared_int4, true, ADVISORY_SHARED)

FUNCTION(pg_advisory_unlock_all)
{
    lock_advisory_release_all(txn_session(session_of(call)->catalog.txn));
    ret->var = var_make("", 0);
    return true;
}
