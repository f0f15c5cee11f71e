/*
 * trace: what a program and everything it started asked of the kernel, as strace saw it.
 *
 * Left out is what only works on memory, on locks, on time and on descriptors that are open: it reaches nothing new.
 * A call counts as made inside when a system call filter was in force: from the call after the one that installed it,
 * and in all threads and processes that came of it.
 *
 * Fails    by failing the test with a sentence, also when not everything that was started was seen to its end.
 */
#ifndef MED_TEST_TRACE_H
#define MED_TEST_TRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "cs/base/mem.h"

struct trace_call {
    const char *name;      /* "openat"; "" when it is how a thread ended */
    const char *arguments; /* as strace prints them; of an end "killed by SIGSYS" */
    const char *result;    /* "3", "-1 EACCES (Permission denied)", "?" */
    bool inside;
    size_t process; /* 0: the program itself; n: of the n-th process that it forked, or of what came of that */
};

struct trace {
    struct trace_call *calls;
    size_t count;
    size_t processes; /* that the program forked */
    size_t filtered;  /* that installed a filter */
};

/* `command` under strace, for a shell; dir is an empty directory that the trace may have. */
const char *trace_command(struct cs_arena *arena, const char *dir, const char *command);
/* The same as a program of its own, DIR.sh. */
const char *trace_program(struct cs_arena *arena, const char *dir, const char *program);
/* After the program has ended. Lives in the arena. */
struct trace trace_read(struct cs_arena *arena, const char *dir);

/* A call with this in its arguments that succeeded; NULL: none. */
const struct trace_call *trace_find(const struct trace *trace, const char *name, const char *argument);

#endif
