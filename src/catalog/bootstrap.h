/* A cluster that init makes of a template (storage/store_template.h), before anybody opens it. */
#ifndef CATALOG_BOOTSTRAP_H
#define CATALOG_BOOTSTRAP_H

#include "base/base.h"
#include "base/str.h"

typedef struct TxnManager TxnManager;

/* Gives the superuser another name. */
MUST_CHECK bool catalog_bootstrap_rename(TxnManager *manager, Str superuser);

#endif
