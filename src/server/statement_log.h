/*
 * Log lines of statements: log_statement, log_duration, log_min_duration_statement, and a sample of
 * them by log_min_duration_sample and log_statement_sample_rate.
 *
 *   const int64_t started = statement_log_begin(session);       0: nobody wants to know
 *   statement_log_text(session, &statement);                    once it is parsed
 *   statement_log_end(session, &statement, started);
 *
 * Lines look as PostgreSQL's: "statement: …", "execute <name>: …", "duration: … ms  statement: …".
 * Each step of the extended protocol has a duration of its own.
 */
#ifndef SERVER_STATEMENT_LOG_H
#define SERVER_STATEMENT_LOG_H

#include "parser/ast.h"
#include "server/session.h"

typedef struct LoggedStatement {
    Str text;
    const char *step;    /* of the extended protocol: "parse", "bind", "execute"; NULL: simple */
    Str name, portal;    /* empty: the unnamed ones */
    const Portal *bound; /* whose parameters are told; NULL: there are only the following */
    Str parameters;      /* "$1 = '5', $2 = NULL", or empty */
} LoggedStatement;

/* What can be logged when the portal and its statement have gone; it lives as long as the message.
 */
LoggedStatement statement_log_copy(Session *session, const LoggedStatement *statement);

int64_t statement_log_begin(Session *session);
/* `node` decides what log_statement's ddl and mod take in. */
void statement_log_text(Session *session, const LoggedStatement *statement, const Node *node);
void statement_log_end(Session *session, const LoggedStatement *statement, int64_t started);

#endif
