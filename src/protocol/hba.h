/*
 * Host-based access rules: hba.conf, in the syntax of PostgreSQL's pg_hba.conf.
 *
 *   Hba *hba = hba_parse(text, "hba.conf");                  one error names the first bad line
 *   const HbaRule *rule = hba_match(hba, &client);           NULL: nothing fits, so no entry
 *
 * Kinds local, host, hostssl, hostnossl, hostgssenc (never fits), hostnogssenc; databases all,
 * sameuser, samerole, samegroup, replication, names, lists, @files refused; users all, names,
 * +groups, lists; addresses in CIDR or with a mask, all, samehost, samenet; host names are refused
 * (they need a resolver). Methods trust, reject, scram-sha-256, password, cert, and md5, which
 * means scram as in PostgreSQL when the verifier is SCRAM. Source: PostgreSQL manual, "The
 * pg_hba.conf File".
 */
#ifndef PROTOCOL_HBA_H
#define PROTOCOL_HBA_H

#include <sys/socket.h>

#include "base/arena.h"
#include "base/base.h"
#include "base/str.h"

typedef enum HbaMethod {
    HBA_REJECT = 1,
    HBA_TRUST,
    HBA_SCRAM,
    HBA_PASSWORD,
    HBA_CERT,
} HbaMethod;

typedef struct Hba Hba;
typedef struct HbaRule {
    HbaMethod method;
    bool needs_client_certificate; /* clientcert=verify-ca, verify-full, or cert */
    bool certificate_names_user;   /* verify-full, or cert */
    int line;
} HbaRule;

typedef struct HbaClient {
    bool is_local; /* a Unix socket */
    bool is_tls;
    bool is_replication;
    const struct sockaddr *address; /* where not local */
    Str database, user;
    /* Is the user a member of the role, directly or not? For +group, samerole. */
    bool (*is_member)(void *context, Str user, Str role);
    void *context;
} HbaClient;

MUST_CHECK Hba *hba_parse(Str text, Str file_name);
void hba_free(Hba *hba); /* accepts NULL */
const HbaRule *hba_match(const Hba *hba, const HbaClient *client);

/* A rule in words, for pg_hba_file_rules; texts live as long as the rules. */
typedef struct HbaDescription {
    int line;
    Str kind, method;
    const Str *databases, *users;
    int database_count, user_count;
    Str address, netmask;   /* STR_NONE: the rule has none */
    Str certificate_option; /* "clientcert=verify-full", or STR_NONE */
} HbaDescription;
size_t hba_rule_count(const Hba *hba);
void hba_describe(const Hba *hba, size_t index, Arena *arena, HbaDescription *ret_description);

/* Does any rule let in, without a password, a connection from another machine? */
bool hba_trusts_others(const Hba *hba);

/* "host", "127.0.0.1": what log lines and messages call a client's address. */
Str address_text(Arena *arena, const struct sockaddr *address);
/* Its port; -1 where the family has none. */
int32_t address_port(const struct sockaddr *address);

#endif
