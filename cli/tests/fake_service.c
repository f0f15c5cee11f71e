/*
 * fake_service: stands in for every service under `callsheet up` in tests. Says ready on --ready-fd with the address of
 * --listen; as a gateway it answers each HTTP request on --listen-fd with 200 and its own environment and arguments.
 * SIGTERM ends it with 0.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

static const char *flag(char **argv, const char *name) {
    for (; argv[0] != NULL && argv[1] != NULL; argv++) {
        if (strcmp(argv[0], name) == 0) {
            return argv[1];
        }
    }
    return NULL;
}

static void end(int number) {
    (void)number;
    _exit(0);
}

/* What it was given, on standard error: a line per argument and variable of interest. */
static void tell(char **argv) {
    for (int i = 1; argv[i] != NULL; i++) {
        (void)dprintf(STDERR_FILENO, "arg %s\n", argv[i]);
    }
    for (char **pair = environ; *pair != NULL; pair++) {
        if (strncmp(*pair, "CALLSHEET_", 10) == 0 || strncmp(*pair, "DATABASE_URL", 12) == 0 ||
            strncmp(*pair, "REPLICATE_", 10) == 0) {
            (void)dprintf(STDERR_FILENO, "env %s\n", *pair);
        }
    }
}

static void serve(int listen_fd) {
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    for (;;) {
        char request[4096];
        int fd = accept(listen_fd, NULL, NULL);
        if (fd >= 0) {
            (void)!read(fd, request, sizeof(request));
            (void)!write(fd, answer, sizeof(answer) - 1);
            (void)shutdown(fd, SHUT_WR);
            (void)!read(fd, request, sizeof(request));
            (void)close(fd);
        }
    }
}

int main(int argc, char **argv) {
    (void)argc;
    const char *listen_fd = flag(argv, "--listen-fd");
    const char *listen = flag(argv, "--listen");
    const char *ready_fd = flag(argv, "--ready-fd");
    (void)signal(SIGTERM, end);
    tell(argv);
    if (ready_fd == NULL) {
        return 2;
    }
    (void)dprintf(atoi(ready_fd), "ready %s\n", listen != NULL ? listen : "gateway");
    (void)close(atoi(ready_fd));
    if (listen_fd != NULL) {
        serve(atoi(listen_fd));
    }
    for (;;) {
        (void)pause();
    }
}
