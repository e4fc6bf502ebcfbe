/* The error record's life: for the task code, and for cleaning up that must keep an error. */
#ifndef BASE_ERROR_RECORD_H
#define BASE_ERROR_RECORD_H

#include "base/error.h"

void error_record_free(ErrorRecord *record); /* accepts NULL */

/* The task's record, set or not, out of the way of what may fail without mattering; and back. */
ErrorRecord *error_put_aside(void);
void error_put_back(ErrorRecord *record);

#endif
