/* support: what the files of test_support share. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "cs/test_support.h"

enum { CLONE_TRIES = 100 };

/* Fails the running test; outside of one ends the program. */
void support_fail(const char *what, const struct cs_err *err);

/* Where a child's standard error goes: a file without a name, or a copy of ours. */
int support_log_fd(void);
/* Prints the end of such a file to standard error. */
void support_show_log(int log_fd);

#endif
