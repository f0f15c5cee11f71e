#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cs/base/auto.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"

enum {
    NOBODY = 65534,
    PROCESSES_MAX = 4096, /* of all children together, as they share a user */
    FILES_SPARE = 8,
    NICENESS = 5, /* services on the same machine answer first */
};

static const char oom_score[] = "500"; /* a child goes before its service */

/* ---- Landlock, by the kernel's interface: older headers know less of it than newer kernels ---- */

enum { LANDLOCK_VERSION = 1 };

struct landlock_attributes {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* from version 4 */
    uint64_t scoped;             /* from version 6 */
};

static struct landlock_attributes landlock_everything(long version) {
    unsigned fs_rights = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;
    return (struct landlock_attributes){
        .handled_access_fs = (UINT64_C(1) << fs_rights) - 1,
        .handled_access_net = version >= 4 ? 3 : 0,
        .scoped = version >= 6 ? 3 : 0,
    };
}

static bool enter_landlock(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
    if (version < 1) {
        return false;
    }
    struct landlock_attributes everything = landlock_everything(version);
    CS_AUTO_FD int rules = (int)syscall(SYS_landlock_create_ruleset, &everything, sizeof(everything), 0);
    return rules >= 0 && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
}

/* ---- the other layers; each says whether it was entered ---- */

static bool enter_namespaces(void) {
    int wanted = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    return unshare(geteuid() == 0 ? wanted : wanted | CLONE_NEWUSER) == 0;
}

static bool enter_root(int empty_root) {
    return empty_root >= 0 && fchdir(empty_root) == 0 && chroot(".") == 0;
}

static bool drop_user(bool was_root) {
    bool dropped = !was_root || (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
                                 setresuid(NOBODY, NOBODY, NOBODY) == 0);
    /* In a user namespace of its own the process has the capabilities of a root. */
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return syscall(SYS_capset, &head, none) == 0 && dropped;
}

static bool limit(int resource, uint64_t value) {
    struct rlimit have;
    if (getrlimit((__rlimit_resource_t)resource, &have) != 0) {
        return false;
    }
    rlim_t want = value < have.rlim_max ? (rlim_t)value : have.rlim_max;
    const struct rlimit both = {want, want};
    return setrlimit((__rlimit_resource_t)resource, &both) == 0;
}

static bool limit_cpu(uint64_t cpu_s) {
    struct rlimit have;
    if (getrlimit(RLIMIT_CPU, &have) != 0) {
        return false;
    }
    /* SIGXCPU at the soft limit tells why it ended; SIGKILL a second later for who catches it. */
    rlim_t hard = cpu_s + 1 < have.rlim_max ? (rlim_t)cpu_s + 1 : have.rlim_max;
    const struct rlimit both = {hard - 1, hard};
    return setrlimit(RLIMIT_CPU, &both) == 0;
}

static bool enter_limits(const struct med_sandbox_limits *limits, int highest_fd, bool as_root) {
    bool ok = limit(RLIMIT_FSIZE, limits->output_bytes) && limit(RLIMIT_CORE, 0) &&
              limit(RLIMIT_NOFILE, (uint64_t)highest_fd + FILES_SPARE) && limit_cpu(limits->cpu_s);
    if (as_root) { /* counted for the user that all children, and nobody else, should have */
        ok = ok && limit(RLIMIT_NPROC, PROCESSES_MAX);
    }
#ifndef CS_SANITIZED /* their shadow is terabytes of address space */
    ok = ok && limit(RLIMIT_AS, limits->memory_bytes);
#endif
    return ok;
}

/* ---- descriptors ---- */

static enum cs_status null_standard(struct cs_err *err) {
    CS_AUTO_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) {
        return cs_fail_errno(err, errno, "opening /dev/null");
    }
    (void)dup2(null, STDIN_FILENO);
    (void)dup2(null, STDOUT_FILENO);
#ifndef CS_SANITIZED /* reports of the sanitizers go there */
    (void)dup2(null, STDERR_FILENO);
#endif
    return CS_OK;
}

static int compare_fds(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

/* Returns the highest descriptor that stays. */
static int close_all_but(const int *keep, size_t keep_count) {
    CS_AUTO_FREE int *sorted = cs_alloc_array(keep_count, sizeof(*sorted));
    memcpy(sorted, keep, keep_count * sizeof(*keep));
    qsort(sorted, keep_count, sizeof(*sorted), compare_fds);
    int next = STDERR_FILENO + 1;
    for (size_t i = 0; i < keep_count; i++) {
        if (sorted[i] > next) {
            (void)close_range((unsigned)next, (unsigned)sorted[i] - 1, 0);
        }
        next = sorted[i] >= next ? sorted[i] + 1 : next;
    }
    (void)close_range((unsigned)next, ~0U, 0);
    return next - 1;
}

/* ---- all of it ---- */

static void offer_to_the_oom_killer(void) {
    CS_AUTO_FD int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    ssize_t ignored = fd < 0 ? 0 : write(fd, oom_score, sizeof(oom_score) - 1);
    (void)ignored;
}

/* Enters what there is; returns the layers that were not entered. */
static unsigned enter_layers(int empty_root, bool as_root) {
    unsigned missing = enter_namespaces() ? 0 : MED_SANDBOX_NAMESPACES;
    missing |= enter_root(empty_root) ? 0 : MED_SANDBOX_ROOT;
    missing |= drop_user(as_root) ? 0 : MED_SANDBOX_USER;
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    missing |= enter_landlock() ? 0 : MED_SANDBOX_LANDLOCK;
    return missing;
}

/* After the last change of credentials, which forgets it. */
static enum cs_status die_with(pid_t parent, struct cs_err *err) {
    (void)prctl(PR_SET_DUMPABLE, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
        return cs_fail(err, CS_CANCELLED, "parent_gone", "the media runner is gone");
    }
    return CS_OK;
}

static void reset_signals(void) {
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGXFSZ, SIG_IGN); /* writing beyond the limit fails with EFBIG instead */
    (void)signal(SIGPIPE, SIG_IGN);
}

static enum cs_status enter(int empty_root, pid_t parent, const struct med_sandbox_limits *limits, const int *keep,
                            size_t keep_count, unsigned *ret_missing, struct cs_err *err) {
    bool as_root = geteuid() == 0;
    reset_signals();
    offer_to_the_oom_killer();
    int niceness = nice(NICENESS);
    (void)niceness;
    CS_TRY(null_standard(err));
    *ret_missing = enter_layers(empty_root, as_root);
    int highest = close_all_but(keep, keep_count);
    if (!enter_limits(limits, highest, as_root)) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "no_limits", "limits of resources cannot be set");
    }
    CS_TRY(die_with(parent, err));
    return med_sandbox_filter(err);
}

enum cs_status med_sandbox_enter(const struct med_sandbox *sandbox, pid_t parent,
                                 const struct med_sandbox_limits *limits, const int *keep, size_t keep_count,
                                 struct cs_err *err) {
    unsigned missing;
    CS_TRY(enter(sandbox->empty_root, parent, limits, keep, keep_count, &missing, err));
    if ((missing & ~sandbox->missing) != 0) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "sandbox_setup", "a layer of the sandbox could not be entered");
    }
    return CS_OK;
}

/* ---- in the parent ---- */

static int make_empty_root(void) {
    static const char *const places[] = {"/tmp", "/var/tmp", "/dev/shm"};
    for (size_t i = 0; i < CS_COUNT(places); i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "%s/callsheet-root-XXXXXX", places[i]);
        if (mkdtemp(path) != NULL) {
            int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
            (void)rmdir(path);
            return root;
        }
    }
    return -1;
}

/* What a child of the probe tells. */
struct finding {
    unsigned missing;
    struct cs_err err; /* CS_OK: it works */
};

static void probe(int empty_root, pid_t parent, int out) {
    static const struct med_sandbox_limits limits = {UINT64_C(1) << 40, 1 << 20, 10};
    struct finding finding = {0};
    (void)enter(empty_root, parent, &limits, &out, 1, &finding.missing, &finding.err);
    ssize_t ignored = write(out, &finding, sizeof(finding));
    (void)ignored;
    _exit(0);
}

static enum cs_status look(int empty_root, unsigned *ret_missing, struct cs_err *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return cs_fail_errno(err, errno, "trying the sandbox");
    }
    CS_AUTO_FD int in = ends[0];
    pid_t self = getpid();
    pid_t child = fork();
    if (child == 0) {
        probe(empty_root, self, ends[1]);
    }
    (void)close(ends[1]);
    if (child < 0) {
        return cs_fail_errno(err, errno, "trying the sandbox");
    }
    struct finding finding = {0};
    ssize_t got = read(in, &finding, sizeof(finding));
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    if (got != (ssize_t)sizeof(finding)) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "no_seccomp", "a child did not survive entering the sandbox");
    }
    if (finding.err.status != CS_OK) {
        *err = finding.err;
        return finding.err.status;
    }
    *ret_missing = finding.missing;
    return CS_OK;
}

enum cs_status med_sandbox_prepare(struct med_sandbox *ret_sandbox, struct cs_err *err) {
    CS_AUTO_FD int empty_root = make_empty_root();
    unsigned missing;
    CS_TRY(look(empty_root, &missing, err));
    *ret_sandbox = (struct med_sandbox){.empty_root = cs_steal_fd(&empty_root), .missing = missing};
    return CS_OK;
}

void med_sandbox_fini(struct med_sandbox *sandbox) {
    if (sandbox->empty_root >= 0) {
        (void)close(sandbox->empty_root);
        sandbox->empty_root = -1;
    }
}

void med_sandbox_describe_missing(const struct med_sandbox *sandbox, char *ret_text, size_t capacity) {
    static const char *const names[] = {"namespaces", "empty root", "unprivileged user", "landlock"};
    CS_AUTO_BUF text = {0};
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        if ((sandbox->missing >> i & 1U) != 0) {
            cs_buf_printf(&text, "%s%s", text.size > 0 ? ", " : "", names[i]);
        }
    }
    cs_str_copy(ret_text, capacity, text.size > 0 ? text.data : "");
}
