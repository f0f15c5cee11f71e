#include "http/connections.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "cs/base/mem.h"

struct gw_connection {
    struct gw_connection *next;
    struct gw_connection *previous;
    int fd;
    int64_t deadline_ms;
};

struct gw_connections {
    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct gw_connection *head;
    size_t count;
};

struct gw_connections *gw_connections_create(void) {
    struct gw_connections *connections = cs_alloc(sizeof(*connections));
    (void)pthread_mutex_init(&connections->lock, NULL);
    return connections;
}

void gw_connections_destroy(struct gw_connections *connections) {
    if (connections == NULL) {
        return;
    }
    (void)pthread_mutex_destroy(&connections->lock);
    free(connections);
}

struct gw_connection *gw_connections_add(struct gw_connections *connections, int fd, int64_t deadline_ms) {
    struct gw_connection *connection = cs_alloc(sizeof(*connection));
    connection->fd = fd;
    connection->deadline_ms = deadline_ms;
    (void)pthread_mutex_lock(&connections->lock);
    connection->next = connections->head;
    if (connections->head != NULL) {
        connections->head->previous = connection;
    }
    connections->head = connection;
    connections->count++;
    (void)pthread_mutex_unlock(&connections->lock);
    return connection;
}

void gw_connections_remove(struct gw_connections *connections, struct gw_connection *connection) {
    (void)pthread_mutex_lock(&connections->lock);
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        connections->head = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    connections->count--;
    (void)pthread_mutex_unlock(&connections->lock);
    free(connection);
}

void gw_connections_set_deadline(struct gw_connections *connections, struct gw_connection *connection,
                                 int64_t deadline_ms) {
    (void)pthread_mutex_lock(&connections->lock);
    connection->deadline_ms = deadline_ms;
    (void)pthread_mutex_unlock(&connections->lock);
}

size_t gw_connections_reap(struct gw_connections *connections, int64_t now_ms) {
    size_t reaped = 0;
    (void)pthread_mutex_lock(&connections->lock);
    for (struct gw_connection *at = connections->head; at != NULL; at = at->next) {
        if (at->deadline_ms <= now_ms) {
            (void)shutdown(at->fd, SHUT_RDWR); /* the server sees the end and closes */
            at->deadline_ms = INT64_MAX;
            reaped++;
        }
    }
    (void)pthread_mutex_unlock(&connections->lock);
    return reaped;
}

size_t gw_connections_count(struct gw_connections *connections) {
    (void)pthread_mutex_lock(&connections->lock);
    size_t count = connections->count;
    (void)pthread_mutex_unlock(&connections->lock);
    return count;
}
