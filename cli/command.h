/*
 * command: what `callsheet WORD` runs. Each takes argv from its word on, and returns the exit code: 0 done, 1 failed,
 * 2 wrong usage.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cs/conf.h"

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli_command {
    const char *word;
    const char *summary;
    int (*run)(int argc, char **argv);
};

int cli_up(int argc, char **argv);
int cli_submit(int argc, char **argv);
int cli_watch(int argc, char **argv);
int cli_status(int argc, char **argv);
int cli_cancel(int argc, char **argv);
int cli_approve(int argc, char **argv);
int cli_reject(int argc, char **argv);

/* Loads the settings. True to go on; else *ret_code is the exit code (help was printed, or the error was). */
bool cli_load(const struct cs_conf_spec *spec, int argc, char **argv, struct cs_arena *arena, void *ret_config,
              const char ***ret_positional, int *ret_code);

#endif
