/* Transaction blocks: what BEGIN, COMMIT, ROLLBACK and savepoints do to a session. */
#include "base/os.h"
#include "executor/command/on_commit.h"
#include "server/portal.h"
#include "server/server.h"
#include "server/setting_checks.h"

static int64_t now_timestamptz(void)
{
    return os->wall_clock() - WALL_CLOCK_2000;
}

static IsolationLevel default_isolation(const SettingValues *values)
{
    switch (values->default_transaction_isolation) {
    case DEFAULT_TRANSACTION_ISOLATION_SERIALIZABLE:
        return ISOLATION_SERIALIZABLE;
    case DEFAULT_TRANSACTION_ISOLATION_REPEATABLE_READ:
        return ISOLATION_REPEATABLE_READ;
    case DEFAULT_TRANSACTION_ISOLATION_READ_UNCOMMITTED:
        return ISOLATION_READ_UNCOMMITTED;
    default:
        return ISOLATION_READ_COMMITTED;
    }
}

static int isolation_setting(IsolationLevel level)
{
    switch (level) {
    case ISOLATION_SERIALIZABLE:
        return TRANSACTION_ISOLATION_SERIALIZABLE;
    case ISOLATION_REPEATABLE_READ:
        return TRANSACTION_ISOLATION_REPEATABLE_READ;
    case ISOLATION_READ_UNCOMMITTED:
        return TRANSACTION_ISOLATION_READ_UNCOMMITTED;
    case ISOLATION_READ_COMMITTED:
        break;
    }
    return TRANSACTION_ISOLATION_READ_COMMITTED;
}

/* Opens a transaction with these characteristics; SHOW transaction_isolation tells of them. */
static bool transaction_open(Session *session, const TxnOptions *options)
{
    SettingValues *values = &session->settings.current;
    Txn *txn = txn_begin(session->txn_session, options);

    TRY(txn);
    session->exec.catalog.txn = txn;
    session->exec.catalog.arena = session->block_arena;
    session->exec.transaction_start = txn_start_time(txn) - WALL_CLOCK_2000;
    atomic_store_explicit(&session->transaction_started_at,
                          session->exec.transaction_start + WALL_CLOCK_2000, memory_order_relaxed);
    session->exec.is_read_only = options->read_only;
    values->transaction_isolation = isolation_setting(options->isolation);
    values->transaction_read_only = options->read_only;
    values->transaction_deferrable = options->deferrable;
    return true;
}

static TxnOptions default_options(const Session *session)
{
    const SettingValues *values = &session->settings.current;

    return (TxnOptions){
        .isolation = default_isolation(values),
        .read_only = values->default_transaction_read_only,
        .deferrable = values->default_transaction_deferrable,
    };
}

/* Forgets everything that belonged to the transaction that has ended. */
static void transaction_forget(Session *session, bool committed)
{
    executor_deferred_clear(&session->exec);
    usage_end_transaction(&session->exec, committed);
    on_commit_end(&session->exec, committed);
    catalog_session_end_transaction(&session->exec.catalog, committed);
    session->exec.catalog.txn = NULL;
    atomic_store_explicit(&session->transaction_started_at, 0, memory_order_relaxed);
    session->exec.is_read_only = false;
    session->has_queried = false;
    session->savepoints.length = session->savepoints.capacity = 0;
    session->savepoints.items = NULL;
    arena_reset(session->block_arena);
    session->block = BLOCK_IDLE;
}

static bool transaction_commit(Session *session)
{
    Txn *txn = session->exec.catalog.txn;

    if (!executor_deferred_run(&session->exec) || !portals_before_commit(session) ||
        !on_commit_run(&session->exec) || !txn_commit(txn)) {
        /* txn_commit has rolled back where it failed; the rest has not. */
        if (txn_session_current(session->txn_session))
            txn_rollback(txn);
        portals_end_transaction(session, false);
        session_settings_rollback(session, 0);
        transaction_forget(session, false);
        return false;
    }
    portals_end_transaction(session, true);
    session_settings_commit(session);
    transaction_forget(session, true);
    return true;
}

static void transaction_rollback(Session *session)
{
    portals_end_transaction(session, false);
    if (txn_session_current(session->txn_session))
        txn_rollback(session->exec.catalog.txn);
    session_settings_rollback(session, 0);
    transaction_forget(session, false);
}

bool block_statement_begin(Session *session)
{
    if (session->block == BLOCK_IDLE) {
        TxnOptions options = default_options(session);
        TRY(transaction_open(session, &options));
        session->block = BLOCK_IMPLICIT;
    }
    bool is_first =
        session->block == BLOCK_IMPLICIT && !txn_has_snapshot(session->exec.catalog.txn);
    session->exec.statement_start = is_first ? session->exec.transaction_start : now_timestamptz();
    /* SET, SHOW and LOCK fix no snapshot, under REPEATABLE READ neither. */
    if (!session->has_queried)
        txn_snapshot_forget(session->exec.catalog.txn);
    return txn_statement_begin(session->exec.catalog.txn);
}

bool block_statement_end(Session *session)
{
    if (session->block == BLOCK_IMPLICIT)
        return transaction_commit(session);
    return true;
}

void block_rewind(Session *session, const Savepoint *mark)
{
    txn_rollback_to(session->exec.catalog.txn, mark->position);
    catalog_session_forget_own(&session->exec.catalog);
    executor_deferred_rewind(&session->exec, mark->deferred_mark);
    on_commit_rewind(&session->exec, mark->on_commit_mark);
}

/*
 * An error ends the innermost subtransaction at once: others need not wait for the client to say
 * ROLLBACK. The first of a block's savepoints is its beginning and has no name.
 */
static void undo_innermost(Session *session)
{
    if (session->savepoints.length > 0)
        block_rewind(session, &VEC_LAST(&session->savepoints));
}

void block_error(Session *session)
{
    switch (session->block) {
    case BLOCK_IDLE:
    case BLOCK_FAILED:
        break;
    case BLOCK_IMPLICIT:
        transaction_rollback(session);
        break;
    case BLOCK_OPEN:
        portals_after_error(session, VEC_LAST(&session->savepoints).portal_mark);
        if (txn_session_current(session->txn_session)) {
            undo_innermost(session);
            txn_mark_failed(session->exec.catalog.txn);
        }
        session->block = BLOCK_FAILED;
        break;
    }
}

void block_abort_all(Session *session)
{
    if (session->block != BLOCK_IDLE)
        transaction_rollback(session);
}

char block_ready_state(const Session *session)
{
    return session->block == BLOCK_FAILED ? 'E'
           : session->block == BLOCK_IDLE ? 'I'
           : session->block == BLOCK_OPEN ? 'T'
                                          : 'I';
}

/* -- What a failed block still takes --------------------------------------------------------- */

static bool ends_failed_block(const Node *statement)
{
    if (!NODE_IS(statement, TransactionStmt))
        return false;
    switch (NODE_CAST(TransactionStmt, statement)->kind) {
    case TRANS_STMT_COMMIT:
    case TRANS_STMT_ROLLBACK:
    case TRANS_STMT_ROLLBACK_TO:
    case TRANS_STMT_PREPARE:
        return true;
    default:
        return false;
    }
}

bool block_allows(Session *session, const Node *statement)
{
    if (session->block == BLOCK_FAILED && !ends_failed_block(statement))
        FAIL(ERR_IN_FAILED_SQL_TRANSACTION,
             .message = STR("current transaction is aborted, commands ignored until end of "
                            "transaction block"));
    return true;
}

bool block_is_open(const Session *session)
{
    return session->block == BLOCK_OPEN ||
           (session->block == BLOCK_IMPLICIT && session->is_in_list);
}

bool block_require_none(Session *session, const char *what)
{
    if (block_is_open(session))
        FAIL(ERR_ACTIVE_SQL_TRANSACTION,
             .message = fmt("%s cannot run inside a transaction block", what));
    return true;
}

/* -- BEGIN and its kin ----------------------------------------------------------------------- */

static bool has_text(const Node *node, Str *ret_text)
{
    if (!NODE_IS(node, A_Const))
        return false;
    const A_Const *constant = NODE_CAST(A_Const, node);
    *ret_text = constant->text;
    return true;
}

static bool flag_of(const DefElem *option)
{
    return NODE_IS(option->arg, A_Const) && NODE_CAST(A_Const, option->arg)->integer != 0;
}

static bool read_options(const DefElemVec *list, TxnOptions *options)
{
    Str text;

    for (size_t i = 0; i < list->length; i++) {
        const DefElem *option = list->items[i];
        if (str_equal(option->name, STR("transaction_isolation")) && has_text(option->arg, &text)) {
            options->isolation =
                str_equal(text, STR("serializable"))       ? ISOLATION_SERIALIZABLE
                : str_equal(text, STR("repeatable read"))  ? ISOLATION_REPEATABLE_READ
                : str_equal(text, STR("read uncommitted")) ? ISOLATION_READ_UNCOMMITTED
                                                           : ISOLATION_READ_COMMITTED;
        } else if (str_equal(option->name, STR("transaction_read_only"))) {
            options->read_only = flag_of(option);
        } else if (str_equal(option->name, STR("transaction_deferrable"))) {
            options->deferrable = flag_of(option);
        }
    }
    return true;
}

/* The open transaction's characteristics, for a BEGIN in a multi-statement string and AND CHAIN. */
static TxnOptions current_options(const Session *session)
{
    const Txn *txn = session->exec.catalog.txn;

    return (TxnOptions){.isolation = txn_isolation(txn),
                        .read_only = txn_is_read_only(txn),
                        .deferrable = txn_is_deferrable(txn)};
}

static bool apply_options(Session *session, const TransactionStmt *statement)
{
    for (size_t i = 0; i < statement->options.length; i++) {
        const DefElem *option = statement->options.items[i];
        Str text = STR_NONE;
        if (!str_equal(option->name, STR("transaction_isolation")))
            text = flag_of(option) ? STR("on") : STR("off");
        else if (!has_text(option->arg, &text))
            continue;
        TRY(session_setting_set(session, option->name, text, true));
    }
    return true;
}

bool block_mark(Session *session, Savepoint *ret_mark)
{
    *ret_mark = (Savepoint){
        .settings_mark = session->settings.changes.length,
        .deferred_mark = executor_deferred_mark(&session->exec),
        .on_commit_mark = on_commit_mark(&session->exec),
        .portal_mark = session->next_portal_number,
        .read_only = session->settings.current.transaction_read_only,
    };
    return txn_savepoint(session->exec.catalog.txn, &ret_mark->position);
}

static bool savepoint_push(Session *session, Str name)
{
    Savepoint savepoint;

    TRY(block_mark(session, &savepoint));
    savepoint.name = str_copy(session->block_arena, name);
    VEC_PUSH(session->block_arena, &session->savepoints, savepoint);
    return true;
}

static bool block_open(Session *session)
{
    session->block = BLOCK_OPEN;
    return savepoint_push(session, STR(""));
}

static bool execute_begin(Session *session, const TransactionStmt *statement)
{
    switch (session->block) {
    case BLOCK_IDLE: {
        TxnOptions options = default_options(session);
        TRY(read_options(&statement->options, &options));
        TRY(transaction_open(session, &options));
        return block_open(session);
    }
    case BLOCK_IMPLICIT:
        TRY(block_open(session));
        return apply_options(session, statement);
    case BLOCK_OPEN:
        NOTICE(SEVERITY_WARNING, ERR_ACTIVE_SQL_TRANSACTION,
               .message = STR("there is already a transaction in progress"));
        return apply_options(session, statement);
    case BLOCK_FAILED:
        break;
    }
    assert(!"block_allows refuses BEGIN in a failed block");
    return false;
}

static void warn_no_transaction(void)
{
    NOTICE(SEVERITY_WARNING, ERR_NO_ACTIVE_SQL_TRANSACTION,
           .message = STR("there is no transaction in progress"));
}

static bool begin_chained(Session *session, const TxnOptions *options)
{
    TRY(transaction_open(session, options));
    TRY(block_open(session));
    return true;
}

static bool fail_chain(const char *what)
{
    FAIL(ERR_NO_ACTIVE_SQL_TRANSACTION,
         .message = fmt("%s AND CHAIN can only be used in transaction blocks", what));
}

static bool execute_commit(Session *session, const TransactionStmt *statement, Str *ret_tag)
{
    TxnOptions options = {0};

    if (statement->chain && session->block != BLOCK_OPEN && session->block != BLOCK_FAILED)
        return fail_chain("COMMIT");
    if (session->block != BLOCK_IDLE)
        options = current_options(session);
    switch (session->block) {
    case BLOCK_IDLE:
        warn_no_transaction();
        return true;
    case BLOCK_IMPLICIT:
        warn_no_transaction();
        return transaction_commit(session);
    case BLOCK_OPEN:
        TRY(transaction_commit(session));
        break;
    case BLOCK_FAILED:
        transaction_rollback(session);
        *ret_tag = STR("ROLLBACK");
        break;
    }
    return !statement->chain || begin_chained(session, &options);
}

static bool execute_rollback(Session *session, const TransactionStmt *statement)
{
    TxnOptions options = {0};

    if (statement->chain && session->block != BLOCK_OPEN && session->block != BLOCK_FAILED)
        return fail_chain("ROLLBACK");
    if (session->block != BLOCK_IDLE)
        options = current_options(session);
    if (session->block == BLOCK_IDLE || session->block == BLOCK_IMPLICIT)
        warn_no_transaction();
    if (session->block != BLOCK_IDLE)
        transaction_rollback(session);
    return !statement->chain || begin_chained(session, &options);
}

/* -- Savepoints ------------------------------------------------------------------------------ */

static bool require_block(Session *session, const char *what)
{
    if (session->block == BLOCK_OPEN || session->block == BLOCK_FAILED)
        return true;
    FAIL(ERR_NO_ACTIVE_SQL_TRANSACTION,
         .message = fmt("%s can only be used in transaction blocks", what));
}

static bool execute_savepoint(Session *session, Str name)
{
    TRY(require_block(session, "SAVEPOINT"));
    return savepoint_push(session, name);
}

/* The newest savepoint of that name, or SIZE_MAX with the error set. */
static size_t find_savepoint(Session *session, Str name)
{
    for (size_t i = session->savepoints.length; i-- > 0;)
        if (str_equal(session->savepoints.items[i].name, name))
            return i;
    ERROR_SET(ERR_S_E_INVALID_SPECIFICATION,
              .message = fmt("savepoint \"%.*s\" does not exist", STR_ARGS(name)));
    return SIZE_MAX;
}

static bool execute_release(Session *session, Str name)
{
    TRY(require_block(session, "RELEASE SAVEPOINT"));
    size_t index = find_savepoint(session, name);
    if (index == SIZE_MAX)
        return false;
    const Savepoint *savepoint = &session->savepoints.items[index];
    txn_release(session->exec.catalog.txn, savepoint->position);
    /* READ ONLY ends with the savepoint under which it was said, whichever way that ends. */
    session->settings.current.transaction_read_only = savepoint->read_only;
    setting_apply(session, SETTING_TRANSACTION_READ_ONLY, &session->settings.current);
    session->savepoints.length = index;
    return true;
}

static bool execute_rollback_to(Session *session, Str name)
{
    TRY(require_block(session, "ROLLBACK TO SAVEPOINT"));
    size_t index = find_savepoint(session, name);
    if (index == SIZE_MAX)
        return false;
    const Savepoint *savepoint = &session->savepoints.items[index];
    portals_rollback_to(session, savepoint->portal_mark);
    block_rewind(session, savepoint);
    session_settings_rollback(session, savepoint->settings_mark);
    session->savepoints.length = index + 1;
    session->block = BLOCK_OPEN;
    return true;
}

bool block_execute(Session *session, const TransactionStmt *statement, Str *ret_tag)
{
    switch (statement->kind) {
    case TRANS_STMT_BEGIN:
        *ret_tag = STR("BEGIN");
        return execute_begin(session, statement);
    case TRANS_STMT_START:
        *ret_tag = STR("START TRANSACTION");
        return execute_begin(session, statement);
    case TRANS_STMT_COMMIT:
        *ret_tag = STR("COMMIT");
        return execute_commit(session, statement, ret_tag);
    case TRANS_STMT_ROLLBACK:
        *ret_tag = STR("ROLLBACK");
        return execute_rollback(session, statement);
    case TRANS_STMT_SAVEPOINT:
        *ret_tag = STR("SAVEPOINT");
        return execute_savepoint(session, statement->savepoint_name);
    case TRANS_STMT_RELEASE:
        *ret_tag = STR("RELEASE");
        return execute_release(session, statement->savepoint_name);
    case TRANS_STMT_ROLLBACK_TO:
        *ret_tag = STR("ROLLBACK");
        return execute_rollback_to(session, statement->savepoint_name);
    case TRANS_STMT_PREPARE:
    case TRANS_STMT_COMMIT_PREPARED:
    case TRANS_STMT_ROLLBACK_PREPARED:
        FAIL_UNSUPPORTED("two-phase commit");
    }
    assert(!"a known kind");
    return false;
}
