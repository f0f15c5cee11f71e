/*
 * The system calls of a child, as tables. Everything that is in none of them ends the process.
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cs/base/auto.h"
#include "sandbox.h"

/* Memory, threads, time, and reading and writing what is open. */
static const char *const allowed[] = {
    /* memory */
    "brk",
    "madvise",
    "membarrier",
    "mremap",
    "munmap",
    /* threads */
    "exit",
    "exit_group",
    "futex",
    "get_robust_list",
    "getpid",
    "getpriority",
    "gettid",
    "restart_syscall",
    "rseq",
    "sched_getaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_yield",
    "set_robust_list",
    "set_tid_address",
    /* signals of our own process */
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    /* time */
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "gettimeofday",
    "nanosleep",
    "time",
    "times",
    /* open descriptors */
    "_llseek",
    "close",
    "fadvise64",
    "fallocate",
    "fstat",
    "fstat64",
    "ftruncate",
    "ftruncate64",
    "lseek",
    "poll",
    "ppoll",
    "pread64",
    "preadv",
    "pwrite64",
    "pwritev",
    "read",
    "readv",
    "write",
    "writev",
    /* who and where am I */
    "getegid",
    "geteuid",
    "getgid",
    "getrandom",
    "getrusage",
    "getuid",
    "sysinfo",
    "uname",
};

struct refusal {
    int errnum;
    const char *name;
};

/* What libraries try and can do without. */
static const struct refusal refused[] = {
    {EPERM, "socket"},
    {EPERM, "socketpair"},
    {EACCES, "open"},
    {EACCES, "openat"},
    {EACCES, "openat2"},
    {EACCES, "access"},
    {EACCES, "faccessat"},
    {EACCES, "faccessat2"},
    {EACCES, "stat"},
    {EACCES, "lstat"},
    {EACCES, "statx"},
    {EACCES, "statfs"},
    {EACCES, "readlink"},
    {EACCES, "readlinkat"},
    {EACCES, "getcwd"},
    {EACCES, "unlink"},
    {EACCES, "mkdir"},
    {ENOTTY, "ioctl"},
    {ENOSYS, "clone3"},
    {ENOSYS, "memfd_create"},
    {EPERM, "sched_setaffinity"},
    {EPERM, "sched_setscheduler"},
    {EPERM, "setpriority"},
    {EPERM, "mlock"},
    {EPERM, "set_mempolicy"},
    {ENOSYS, "get_mempolicy"},
    {ENOSYS, "mbind"},
    {ENOSYS, "getcpu"},
    {EPERM, "fcntl"},
};

static int add(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned count,
               const struct scmp_arg_cmp *conditions) {
    int number = seccomp_syscall_resolve_name(name);
    return number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add_array(filter, action, number, count, conditions);
}

static int add_memory(scmp_filter_ctx filter) {
    /* No page becomes code. */
    const struct scmp_arg_cmp no_code = SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    const struct scmp_arg_cmp code = SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC);
    int failed = 0;
    static const char *const names[] = {"mmap", "mmap2", "mprotect"};
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        failed |= add(filter, SCMP_ACT_ALLOW, names[i], 1, &no_code);
        failed |= add(filter, SCMP_ACT_ERRNO(EACCES), names[i], 1, &code);
    }
    return failed;
}

static int add_threads(scmp_filter_ctx filter) {
    static const uint64_t thread = CLONE_THREAD | CLONE_VM;
    static const uint64_t looked_at = CLONE_THREAD | CLONE_VM | CLONE_VFORK | CLONE_PTRACE | CLONE_NEWNS |
                                      CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                      CLONE_NEWNET;
    const struct scmp_arg_cmp only_threads = SCMP_A0_64(SCMP_CMP_MASKED_EQ, looked_at, thread);
    const struct scmp_arg_cmp ourselves = SCMP_A0_64(SCMP_CMP_EQ, (uint64_t)getpid());
    const struct scmp_arg_cmp name = SCMP_A0_64(SCMP_CMP_EQ, PR_SET_NAME);
    const struct scmp_arg_cmp other = SCMP_A0_64(SCMP_CMP_NE, PR_SET_NAME);
    return add(filter, SCMP_ACT_ALLOW, "clone", 1, &only_threads) |
           add(filter, SCMP_ACT_ALLOW, "tgkill", 1, &ourselves) | add(filter, SCMP_ACT_ALLOW, "prctl", 1, &name) |
           add(filter, SCMP_ACT_ERRNO(EPERM), "prctl", 1, &other);
}

static int add_own_facts(scmp_filter_ctx filter) {
    /* fstat in disguise; with a path as well it can at most look around an empty root. */
    const struct scmp_arg_cmp of_descriptor = SCMP_A3_64(SCMP_CMP_MASKED_EQ, 0x1000 /* AT_EMPTY_PATH */, 0x1000);
    const struct scmp_arg_cmp of_path = SCMP_A3_64(SCMP_CMP_MASKED_EQ, 0x1000, 0);
    const struct scmp_arg_cmp only_get = SCMP_A2_64(SCMP_CMP_EQ, 0);
    const struct scmp_arg_cmp set = SCMP_A2_64(SCMP_CMP_NE, 0);
    return add(filter, SCMP_ACT_ALLOW, "newfstatat", 1, &of_descriptor) |
           add(filter, SCMP_ACT_ERRNO(EACCES), "newfstatat", 1, &of_path) |
           add(filter, SCMP_ACT_ALLOW, "prlimit64", 1, &only_get) |
           add(filter, SCMP_ACT_ERRNO(EPERM), "prlimit64", 1, &set) | add(filter, SCMP_ACT_ALLOW, "getrlimit", 0, NULL);
}

static int fill(scmp_filter_ctx filter) {
    int failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0); /* done before, for Landlock */
    for (size_t i = 0; i < CS_COUNT(allowed); i++) {
        failed |= add(filter, SCMP_ACT_ALLOW, allowed[i], 0, NULL);
    }
    for (size_t i = 0; i < CS_COUNT(refused); i++) {
        failed |= add(filter, SCMP_ACT_ERRNO((uint32_t)refused[i].errnum), refused[i].name, 0, NULL);
    }
    return failed | add_memory(filter) | add_threads(filter) | add_own_facts(filter);
}

enum cs_status med_sandbox_filter(struct cs_err *err) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int failed = filter == NULL ? -ENOMEM : fill(filter);
    if (failed == 0) {
        failed = seccomp_load(filter);
    }
    seccomp_release(filter);
    if (failed != 0) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "no_seccomp", "the system call filter cannot be installed");
    }
    return CS_OK;
}
