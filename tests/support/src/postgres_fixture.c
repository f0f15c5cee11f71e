/*
 * postgres_fixture FILE: the PostgreSQL that a ctest run shares. Writes its address to FILE and returns; a keeper stays
 * behind and ends the server as soon as the process that started us (ctest) has gone, however it went.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cs/pg_server.h"
#include "support.h"

static bool write_address(const char *path, const char *url) {
    char fresh[CS_TEST_PATH_MAX * 2];
    (void)snprintf(fresh, sizeof(fresh), "%s.new", path);
    FILE *file = fopen(fresh, "we");
    if (file == NULL) {
        return false;
    }
    bool good = fprintf(file, "%s\n", url) > 0;
    return fclose(file) == 0 && good && rename(fresh, path) == 0;
}

static int keep(const char *path, int owner_fd, int report_fd) {
    struct cs_test_postgres postgres;
    char url[CS_TEST_URL_MAX];
    (void)setsid();
    (void)prctl(PR_SET_NAME, "postgres_keeper");
    cs_test_postgres_start(&postgres, false);
    cs_pg_server_url(postgres.server, "postgres", url);
    if (write_address(path, url)) {
        (void)!write(report_fd, "+", 1);
    }
    (void)close(report_fd);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC); /* ctest waits for the end of our output */
    (void)dup2(null_fd, STDOUT_FILENO);
    (void)dup2(null_fd, STDERR_FILENO);
    (void)dup2(null_fd, STDIN_FILENO);
    struct pollfd fds[] = {{.fd = owner_fd, .events = POLLIN}, {.fd = postgres.process.pidfd, .events = POLLIN}};
    (void)poll(fds, 2, -1);
    (void)unlink(path);
    cs_test_postgres_fini(&postgres);
    return 0;
}

int main(int argc, char **argv) {
    int report[2];
    int owner_fd = pidfd_open(getppid(), 0);
    if (argc != 2 || owner_fd < 0 || pipe2(report, O_CLOEXEC) != 0) {
        (void)fprintf(stderr, "usage: postgres_fixture FILE\n");
        return 2;
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(report[0]);
        return keep(argv[1], owner_fd, report[1]);
    }
    (void)close(report[1]);
    char sign = 0;
    return pid > 0 && read(report[0], &sign, 1) == 1 ? 0 : 1;
}
