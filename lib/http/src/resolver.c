#include "resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"

enum {
    RESOLVER_THREADS_MAX = 16,
    RESOLVER_WAITING_MAX = 10000,
};

struct question {
    struct question *next;
    uint64_t id;
    char *host;
};

struct cs_resolver {
    cs_resolve_fn *resolve;
    void *resolve_ctx;
    cs_resolved_fn *resolved;
    void *ctx;

    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_cond_t answered;
    /* below: guarded by lock */
    struct question *first;
    struct question **last;
    size_t waiting;
    int threads;
    int idle;
    int answering; /* threads inside resolved */
    int references;
    bool stopping;
};

enum cs_status cs_resolve_system(const char *host, struct cs_addresses *ret_addresses, void *ctx, struct cs_err *err) {
    (void)ctx;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int code = getaddrinfo(host, NULL, &hints, &list);
    if (code != 0) {
        return cs_fail(err, CS_UNAVAILABLE, "dns_failed", "resolving %s: %s", host, gai_strerror(code));
    }
    struct cs_addresses addresses = {0};
    bool fits = true;
    for (const struct addrinfo *info = list; info != NULL && fits; info = info->ai_next) {
        fits = addresses.count < CS_ADDRESSES_MAX;
        if (fits && getnameinfo(info->ai_addr, info->ai_addrlen, addresses.text[addresses.count], CS_ADDRESS_SIZE, NULL,
                                0, NI_NUMERICHOST) == 0) {
            addresses.count++;
        }
    }
    freeaddrinfo(list);
    if (!fits || addresses.count == 0) {
        return cs_fail(err, CS_UNAVAILABLE, "dns_failed", "resolving %s: %s", host,
                       fits ? "no address" : "too many addresses");
    }
    *ret_addresses = addresses;
    return CS_OK;
}

static void unref_locked(struct cs_resolver *resolver) {
    bool last = --resolver->references == 0;
    (void)pthread_mutex_unlock(&resolver->lock);
    if (!last) {
        return;
    }
    (void)pthread_cond_destroy(&resolver->wake);
    (void)pthread_cond_destroy(&resolver->answered);
    (void)pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

static struct question *take_locked(struct cs_resolver *resolver) {
    resolver->idle++;
    while (resolver->first == NULL && !resolver->stopping) {
        (void)pthread_cond_wait(&resolver->wake, &resolver->lock);
    }
    resolver->idle--;
    struct question *question = resolver->first;
    if (question == NULL || resolver->stopping) {
        return NULL;
    }
    resolver->first = question->next;
    if (resolver->first == NULL) {
        resolver->last = &resolver->first;
    }
    resolver->waiting--;
    return question;
}

static void answer(struct cs_resolver *resolver, struct question *question) {
    struct cs_addresses addresses = {0};
    struct cs_err err = {0};
    bool ok = resolver->resolve(question->host, &addresses, resolver->resolve_ctx, &err) == CS_OK;

    (void)pthread_mutex_lock(&resolver->lock);
    bool wanted = !resolver->stopping;
    resolver->answering += wanted ? 1 : 0;
    (void)pthread_mutex_unlock(&resolver->lock);
    if (wanted) {
        resolver->resolved(question->id, ok ? &addresses : NULL, ok ? NULL : &err, resolver->ctx);
    }
    (void)pthread_mutex_lock(&resolver->lock);
    resolver->answering -= wanted ? 1 : 0;
    (void)pthread_cond_broadcast(&resolver->answered);
    (void)pthread_mutex_unlock(&resolver->lock);
    free(question->host);
    free(question);
}

static void *serve(void *arg) {
    struct cs_resolver *resolver = arg;
    (void)pthread_mutex_lock(&resolver->lock);
    struct question *question = NULL;
    while ((question = take_locked(resolver)) != NULL) {
        (void)pthread_mutex_unlock(&resolver->lock);
        answer(resolver, question);
        (void)pthread_mutex_lock(&resolver->lock);
    }
    unref_locked(resolver);
    return NULL;
}

static void add_thread_locked(struct cs_resolver *resolver) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, resolver) == 0) {
        (void)pthread_detach(thread);
        resolver->threads++;
        resolver->references++;
    }
}

struct cs_resolver *cs_resolver_create(cs_resolve_fn *resolve, void *resolve_ctx, cs_resolved_fn *resolved, void *ctx) {
    struct cs_resolver *resolver = cs_alloc(sizeof(*resolver));
    *resolver = (struct cs_resolver){
        .resolve = resolve, .resolve_ctx = resolve_ctx, .resolved = resolved, .ctx = ctx, .references = 1};
    resolver->last = &resolver->first;
    (void)pthread_mutex_init(&resolver->lock, NULL);
    (void)pthread_cond_init(&resolver->wake, NULL);
    (void)pthread_cond_init(&resolver->answered, NULL);
    return resolver;
}

void cs_resolver_destroy(struct cs_resolver *resolver) {
    if (resolver == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&resolver->lock);
    resolver->stopping = true;
    while (resolver->first != NULL) {
        struct question *question = resolver->first;
        resolver->first = question->next;
        free(question->host);
        free(question);
    }
    (void)pthread_cond_broadcast(&resolver->wake);
    while (resolver->answering > 0) {
        (void)pthread_cond_wait(&resolver->answered, &resolver->lock);
    }
    unref_locked(resolver);
}

enum cs_status cs_resolver_start(struct cs_resolver *resolver, uint64_t id, const char *host, struct cs_err *err) {
    (void)pthread_mutex_lock(&resolver->lock);
    if (resolver->idle <= (int)resolver->waiting && resolver->threads < RESOLVER_THREADS_MAX) {
        add_thread_locked(resolver);
    }
    bool fits = resolver->waiting < RESOLVER_WAITING_MAX && resolver->threads > 0;
    if (fits) {
        struct question *question = cs_alloc(sizeof(*question));
        *question = (struct question){.id = id, .host = cs_strdup(host)};
        *resolver->last = question;
        resolver->last = &question->next;
        resolver->waiting++;
        (void)pthread_cond_signal(&resolver->wake);
    }
    (void)pthread_mutex_unlock(&resolver->lock);
    return fits ? CS_OK : cs_fail(err, CS_RESOURCE_EXHAUSTED, "dns_busy", "too many names wait to be resolved");
}
