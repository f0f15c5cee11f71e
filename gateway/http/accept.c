#include "http/accept.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cs/base/log.h"
#include "cs/base/mem.h"

/* Out of descriptors or memory: the next try, unless a connection ends before. */
enum { SHORTAGE_PAUSE_MS = 100 };

struct gw_acceptor {
    struct gw_acceptor_config config;
    int wake_fd;
    pthread_t thread;
    bool running;
    bool short_of_resources; /* the thread's */
    atomic_uint open;
    atomic_bool waiting; /* for a connection to end */
    atomic_bool stopping;
};

enum cs_status gw_acceptor_create(const struct gw_acceptor_config *config, struct gw_acceptor **ret_acceptor,
                                  struct cs_err *err) {
    CS_AUTO(gw_acceptor) *acceptor = cs_alloc(sizeof(*acceptor));
    acceptor->config = *config;
    acceptor->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (acceptor->wake_fd < 0) {
        return cs_fail_errno(err, errno, "opening an event descriptor");
    }
    *ret_acceptor = cs_steal(&acceptor);
    return CS_OK;
}

static void wake(struct gw_acceptor *acceptor) {
    (void)eventfd_write(acceptor->wake_fd, 1);
}

void gw_acceptor_closed(struct gw_acceptor *acceptor) {
    atomic_fetch_sub(&acceptor->open, 1);
    if (atomic_exchange(&acceptor->waiting, false)) {
        wake(acceptor);
    }
}

static bool is_full(struct gw_acceptor *acceptor) {
    return atomic_load(&acceptor->open) >= acceptor->config.connections_max;
}

/* accept() failed. True when there is no point in trying again at once. */
static bool pause_after(struct gw_acceptor *acceptor, int code) {
    if (code == EAGAIN || code == EWOULDBLOCK) {
        acceptor->short_of_resources = false;
        return true;
    }
    if (code == EINTR || code == ECONNABORTED || code == EPROTO) {
        return false; /* a client that went away in the queue */
    }
    if (!acceptor->short_of_resources) {
        cs_log_warn("no connection can be taken, trying again", CS_KV("error", strerror(code)));
    }
    acceptor->short_of_resources = true;
    return true;
}

static void accept_waiting(struct gw_acceptor *acceptor) {
    const struct gw_acceptor_config *config = &acceptor->config;
    while (!is_full(acceptor) && !atomic_load(&acceptor->stopping)) {
        struct sockaddr_storage address;
        socklen_t size = sizeof(address);
        int fd = accept4(config->fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && pause_after(acceptor, errno)) {
            return;
        }
        if (fd < 0) {
            continue;
        }
        acceptor->short_of_resources = false;
        atomic_fetch_add(&acceptor->open, 1); /* first: it may end before accepted() returns */
        if (!config->accepted(fd, (const struct sockaddr *)&address, size, config->ctx)) {
            atomic_fetch_sub(&acceptor->open, 1);
        }
    }
}

static void *run(void *arg) {
    struct gw_acceptor *acceptor = arg;
    while (!atomic_load(&acceptor->stopping)) {
        atomic_store(&acceptor->waiting, true); /* before the look at the count: whoever ends later wakes us */
        bool listens = !is_full(acceptor) && !acceptor->short_of_resources;
        struct pollfd fds[] = {
            {.fd = acceptor->wake_fd, .events = POLLIN},
            {.fd = listens ? acceptor->config.fd : -1, .events = POLLIN},
        };
        eventfd_t count = 0;
        (void)poll(fds, 2, acceptor->short_of_resources ? SHORTAGE_PAUSE_MS : -1);
        (void)eventfd_read(acceptor->wake_fd, &count);
        accept_waiting(acceptor);
    }
    return NULL;
}

enum cs_status gw_acceptor_start(struct gw_acceptor *acceptor, struct cs_err *err) {
    int code = pthread_create(&acceptor->thread, NULL, run, acceptor);
    if (code != 0) {
        return cs_fail_errno(err, code, "starting a thread");
    }
    acceptor->running = true;
    return CS_OK;
}

void gw_acceptor_stop(struct gw_acceptor *acceptor) {
    if (acceptor->running) {
        atomic_store(&acceptor->stopping, true);
        wake(acceptor);
        (void)pthread_join(acceptor->thread, NULL);
        acceptor->running = false;
    }
}

void gw_acceptor_destroy(struct gw_acceptor *acceptor) {
    if (acceptor == NULL) {
        return;
    }
    gw_acceptor_stop(acceptor);
    if (acceptor->wake_fd >= 0) {
        (void)close(acceptor->wake_fd);
    }
    free(acceptor);
}
