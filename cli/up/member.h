/*
 * member: one program that the supervisor runs, from start to end. Private to the supervisor.
 */
#ifndef CLI_UP_MEMBER_H
#define CLI_UP_MEMBER_H

#include "up/lines.h"
#include "up/supervisor.h"

enum member_state { MEMBER_IDLE, MEMBER_STARTING, MEMBER_READY, MEMBER_WAITING, MEMBER_ENDED };

struct member {
    struct cli_member_spec spec;
    enum member_state state;
    struct cs_process process;
    int log_fd;   /* our end of its output; -1 none */
    int ready_fd; /* our end of its ready pipe; -1 none */
    struct cli_lines log_lines;
    struct cli_lines ready_lines;
    char address[CLI_ADDRESS_MAX];
    int sink_fd;  /* where its log goes */
    int failures; /* in a row */
    int restarts;
    bool ever_ready;
    bool signalled;
    int64_t due_ms;      /* waiting: the next start; starting: the end of patience; signalled: the end of grace */
    int64_t ready_at_ms; /* since when it is ready */
};

void member_init(struct member *member, const struct cli_member_spec *spec, int sink_fd);
void member_fini(struct member *member);

/* Starts the program; on failure the state is unchanged. */
enum cs_status member_start(struct member *member, int64_t now_ms, struct cs_err *err) CS_MUST_USE;
/* Its log has bytes or ended. */
void member_read_log(struct member *member);
/* Its ready pipe has bytes or ended; true when it became ready. */
bool member_read_ready(struct member *member, int64_t now_ms);
/* Asks the probe; true when it became ready. */
bool member_probe(struct member *member, int64_t now_ms);
/* It has ended: reaps, sweeps its group, takes the rest of its log. Returns the exit code. */
int member_reap(struct member *member);
/* It ended without being told: when to start again. */
void member_back_off(struct member *member, int64_t now_ms);

#endif
