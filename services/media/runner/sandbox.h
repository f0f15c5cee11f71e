/*
 * sandbox: what a child gives up before it touches a byte of media.
 *
 * Layers, in the order of entering: limits of resources; no signals but the parent's death; new and empty net, ipc and
 * uts namespaces; an empty, deleted directory as root; an unprivileged user; no new privileges; Landlock with no rule
 * at all; and a seccomp list of the calls that decoding, filtering and encoding on open descriptors need.
 *
 *     med_sandbox_prepare(&sandbox, &err)                    once, in the warm parent; tries all in a child of its own
 *     fork(); med_sandbox_enter(&sandbox, &limits, …)        in the child
 *
 * Fails    prepare refuses without seccomp or limits: FAILED_PRECONDITION "no_seccomp". The other layers are used when
 *          the machine has them; `missing` names those that it has not.
 * Trust    after enter the process may be the attacker's. It can compute, use its open descriptors and end; socket
 *          gives EPERM, every way to a file EACCES, clone3 ENOSYS; exec, fork and anything unlisted kill it with
 *          SIGSYS.
 */
#ifndef MED_SANDBOX_H
#define MED_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cs/base/err.h"

enum med_sandbox_layer {
    MED_SANDBOX_NAMESPACES = 1,
    MED_SANDBOX_ROOT = 2,
    MED_SANDBOX_USER = 4,
    MED_SANDBOX_LANDLOCK = 8,
};

struct med_sandbox {
    int empty_root;   /* a deleted directory, or -1 */
    unsigned missing; /* med_sandbox_layer bits */
};

struct med_sandbox_limits {
    uint64_t memory_bytes; /* address space */
    uint64_t output_bytes; /* of one file */
    uint64_t cpu_s;
};

enum cs_status med_sandbox_prepare(struct med_sandbox *ret_sandbox, struct cs_err *err) CS_MUST_USE;
void med_sandbox_fini(struct med_sandbox *sandbox);
/* "landlock, user" … for the log; "" when nothing is missing. */
void med_sandbox_describe_missing(const struct med_sandbox *sandbox, char *ret_text, size_t capacity);

/* For a freshly forked, single-threaded child of `parent`. Closes every descriptor but keep (standard ones become
 * /dev/null) and enters all layers. On failure the process must end: it is half way. */
enum cs_status med_sandbox_enter(const struct med_sandbox *sandbox, pid_t parent,
                                 const struct med_sandbox_limits *limits, const int *keep, size_t keep_count,
                                 struct cs_err *err) CS_MUST_USE;

/* The seccomp part alone, in sandbox_filter.c. */
enum cs_status med_sandbox_filter(struct cs_err *err) CS_MUST_USE;

#endif
