#include "cs/svc.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cs/base/text.h"
#include "cs/crypto.h"

static sigset_t stop_signals(void) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGUSR1); /* cs_svc_request_stop */
    return set;
}

static void raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

enum cs_status cs_svc_start(const char *service, const char *log_level, struct cs_err *err) {
    int level = cs_log_level_parse(log_level);
    if (level < 0) {
        return cs_fail_at(err, "log-level", "bad_setting", "--log-level wants debug, info, warn, error or off");
    }
    sigset_t set = stop_signals();
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    cs_log_setup(service, (enum cs_log_level)level);
    return CS_OK;
}

void cs_svc_ready(int64_t ready_fd, const char *address) {
    if (ready_fd < 0) {
        return;
    }
    (void)dprintf((int)ready_fd, "ready %s\n", address);
    (void)close((int)ready_fd);
}

int cs_svc_wait_stop(void) {
    sigset_t set = stop_signals();
    int number = 0;
    do {
        if (sigwait(&set, &number) != 0) {
            number = SIGTERM;
        }
    } while (number == SIGHUP); /* reserved: nothing is reloaded */
    /* While the caller drains, a second SIGTERM or SIGINT has its default effect. */
    sigset_t again;
    (void)sigemptyset(&again);
    (void)sigaddset(&again, SIGTERM);
    (void)sigaddset(&again, SIGINT);
    (void)pthread_sigmask(SIG_UNBLOCK, &again, NULL);
    return number == SIGUSR1 ? 0 : number;
}

void cs_svc_request_stop(void) {
    (void)kill(getpid(), SIGUSR1);
}

int cs_svc_fail(const char *program, const struct cs_err *err) {
    (void)fprintf(stderr, "%s: %s\n", program, err->message);
    return err->status == CS_INVALID_ARGUMENT ? 2 : 1;
}

enum cs_status cs_svc_authorize(const char *authorization, const char *method, void *token, struct cs_err *err) {
    static const char scheme[] = "Bearer ";
    const char *wanted = token;
    (void)method;
    if (cs_str_empty(wanted)) {
        return CS_OK;
    }
    const char *given = cs_str_starts(authorization, scheme) ? authorization + sizeof(scheme) - 1 : "";
    unsigned char given_digest[CS_SHA256_BYTES]; /* of one length, whatever was given */
    unsigned char wanted_digest[CS_SHA256_BYTES];
    cs_sha256_of(given, strlen(given), given_digest);
    cs_sha256_of(wanted, strlen(wanted), wanted_digest);
    if (!cs_bytes_eq(given_digest, wanted_digest, sizeof(wanted_digest))) {
        return cs_fail(err, CS_UNAUTHENTICATED, "bad_token", "the service token is missing or wrong");
    }
    return CS_OK;
}
