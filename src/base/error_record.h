/* The error record's end of life; for the task code only. */
#ifndef BASE_ERROR_RECORD_H
#define BASE_ERROR_RECORD_H

#include "base/error.h"

void error_record_free(ErrorRecord *record); /* accepts NULL */

#endif
