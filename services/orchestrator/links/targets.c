#include "links/targets.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/conf.h"

static bool is_address(const char *host) {
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static enum cs_status parse_one(const char *item, struct orc_target *target, struct cs_err *err) {
    char host[CS_HOST_MAX];
    uint16_t port = 0;
    struct cs_err cause = {0};
    if (cs_conf_host_port(item, host, &port, &cause) != CS_OK || port == 0) {
        return cs_fail_at(err, "workers", "bad_workers", "\"%.128s\" is not HOST:PORT", item);
    }
    *target = (struct orc_target){.host = cs_strdup(host), .port = port, .literal = is_address(host)};
    return CS_OK;
}

static size_t count_items(const char *list) {
    size_t count = 1;
    for (const char *c = list; *c != '\0'; c++) {
        count += *c == ',';
    }
    return count;
}

enum cs_status orc_targets_parse(const char *list, struct orc_target **ret_targets, size_t *ret_count,
                                 struct cs_err *err) {
    size_t capacity = count_items(list);
    if (capacity > ORC_TARGETS_MAX) {
        return cs_fail_at(err, "workers", "bad_workers", "at most %d workers can be named", ORC_TARGETS_MAX);
    }
    CS_AUTO_FREE char *copy = cs_strdup(list);
    struct orc_target *targets = cs_alloc_array(capacity, sizeof(*targets));
    size_t count = 0;
    char *rest = copy;
    for (char *item = strtok_r(rest, ", ", &rest); item != NULL; item = strtok_r(NULL, ", ", &rest)) {
        if (parse_one(item, &targets[count], err) != CS_OK) {
            orc_targets_free(targets, count);
            return err->status;
        }
        count++;
    }
    *ret_targets = targets;
    *ret_count = count;
    return CS_OK;
}

void orc_targets_free(struct orc_target *targets, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(targets[i].host);
    }
    free(targets);
}

static bool format_address(const struct addrinfo *info, uint16_t port, char *ret_address) {
    char host[INET6_ADDRSTRLEN + 32];
    if (getnameinfo(info->ai_addr, info->ai_addrlen, host, sizeof(host), NULL, 0, NI_NUMERICHOST) != 0) {
        return false;
    }
    const char *format = info->ai_family == AF_INET6 ? "[%s]:%u" : "%s:%u";
    int length = snprintf(ret_address, ORC_ADDRESS_SIZE, format, host, port);
    return length > 0 && length < ORC_ADDRESS_SIZE;
}

static bool contains(char (*addresses)[ORC_ADDRESS_SIZE], size_t count, const char *address) {
    for (size_t i = 0; i < count; i++) {
        if (cs_str_eq(addresses[i], address)) {
            return true;
        }
    }
    return false;
}

enum cs_status orc_target_resolve(const struct orc_target *target, char (*ret_addresses)[ORC_ADDRESS_SIZE],
                                  size_t *ret_count, struct cs_err *err) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = target->literal ? AI_NUMERICHOST : AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    int failed = getaddrinfo(target->host, NULL, &hints, &list);
    if (failed != 0) {
        return cs_fail(err, CS_UNAVAILABLE, "dns_failed", "resolving %.128s: %s", target->host, gai_strerror(failed));
    }
    size_t count = 0;
    for (const struct addrinfo *info = list; info != NULL && count < ORC_TARGET_ADDRESSES_MAX; info = info->ai_next) {
        char address[ORC_ADDRESS_SIZE];
        if (format_address(info, target->port, address) && !contains(ret_addresses, count, address)) {
            (void)snprintf(ret_addresses[count++], ORC_ADDRESS_SIZE, "%s", address);
        }
    }
    freeaddrinfo(list);
    *ret_count = count;
    return CS_OK;
}
