/* The error record's life: for the task code, the session, and who cleans up and keeps an error. */
#ifndef BASE_ERROR_RECORD_H
#define BASE_ERROR_RECORD_H

#include "base/error.h"

void error_record_free(ErrorRecord *record); /* accepts NULL */

/*
 * Interrupts (bits of task.h). Who clears an error can go on without what failed, but nobody goes
 * on without having been asked to stop: error_clear, and error_put_back over another error, make
 * what that error was raised for pending again, so that the next CHECK_INTERRUPTS fails as the
 * first one did. An error that is set over another one stands for its interrupts too.
 */
/* The error that is set came of these, which are no longer pending. */
void error_add_interrupts(uint32_t interrupts);
/* For who has told the client of the error: its interrupts have done what they were for. */
void error_clear_told(void);

/* The task's record, set or not, out of the way of what may fail without mattering; and back. */
ErrorRecord *error_put_aside(void);
void error_put_back(ErrorRecord *record);

#endif
