/*
 * Runs the fake runner as on a machine whose kernel lacks parts of the sandbox: MED_LACKS_LAYERS all but the system
 * call filter, MED_LACKS_SECCOMP that one.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cs/base/auto.h"

#ifdef MED_LACKS_SECCOMP
static int lack(scmp_filter_ctx filter) {
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0) |
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP));
}
#else
static int lack(scmp_filter_ctx filter) {
    static const int lacking[] = {SCMP_SYS(landlock_create_ruleset), SCMP_SYS(unshare), SCMP_SYS(chroot)};
    int failed = 0;
    for (size_t i = 0; i < CS_COUNT(lacking); i++) {
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), lacking[i], 0);
    }
    return failed;
}
#endif

int main(int argc, char **argv) {
    (void)argc;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == NULL || lack(filter) != 0 || seccomp_load(filter) != 0) {
        (void)fputs("cannot make a poor machine\n", stderr);
        return 1;
    }
    seccomp_release(filter);
    (void)execv(MED_FAKE_RUNNER, argv);
    perror(MED_FAKE_RUNNER);
    return 1;
}
