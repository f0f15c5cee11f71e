#include "api/proxies.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/text.h"

enum { V4_AT = 12, V4_BITS = 32, BITS = 128 };

struct network {
    unsigned char address[GW_ADDRESS_BYTES]; /* IPv4 as ::ffff:a.b.c.d */
    int64_t bits;
};

struct gw_proxies {
    size_t count;
    struct network networks[GW_PROXIES_MAX];
};

static const unsigned char v4_prefix[V4_AT] = {[10] = 0xff, [11] = 0xff};

static bool parse_address(const char *text, unsigned char ret_bytes[GW_ADDRESS_BYTES]) {
    memcpy(ret_bytes, v4_prefix, sizeof(v4_prefix));
    return inet_pton(AF_INET, text, ret_bytes + V4_AT) == 1 || inet_pton(AF_INET6, text, ret_bytes) == 1;
}

static bool is_v4(const unsigned char bytes[GW_ADDRESS_BYTES]) {
    return memcmp(bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

static bool parse_network(char *text, struct network *ret_network) {
    char *slash = strchr(text, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    if (!parse_address(text, ret_network->address)) {
        return false;
    }
    bool v4 = strchr(text, ':') == NULL;
    ret_network->bits = BITS;
    if (slash != NULL && !cs_parse_i64(slash + 1, 0, v4 ? V4_BITS : BITS, &ret_network->bits)) {
        return false;
    }
    ret_network->bits += v4 && slash != NULL ? BITS - V4_BITS : 0;
    return true;
}

enum cs_status gw_proxies_create(const char *text, struct gw_proxies **ret_proxies, struct cs_err *err) {
    CS_AUTO(gw_proxies) *proxies = cs_alloc(sizeof(*proxies));
    CS_AUTO_FREE char *copy = cs_strdup(text);
    char *state = NULL;
    for (char *part = strtok_r(copy, ", ", &state); part != NULL; part = strtok_r(NULL, ", ", &state)) {
        if (proxies->count == GW_PROXIES_MAX) {
            return cs_fail_at(err, "trusted-proxies", "bad_setting", "--trusted-proxies has more than %d networks",
                              GW_PROXIES_MAX);
        }
        if (!parse_network(part, &proxies->networks[proxies->count++])) {
            return cs_fail_at(err, "trusted-proxies", "bad_setting",
                              "--trusted-proxies wants addresses or networks such as 10.0.0.0/8, got \"%s\"", text);
        }
    }
    *ret_proxies = cs_steal(&proxies);
    return CS_OK;
}

void gw_proxies_destroy(struct gw_proxies *proxies) {
    free(proxies);
}

static bool is_inside(const unsigned char bytes[GW_ADDRESS_BYTES], const struct network *network) {
    size_t whole = (size_t)network->bits / 8;
    unsigned rest = (unsigned)network->bits % 8;
    unsigned mask = 0xff00U >> rest & 0xffU;
    return memcmp(bytes, network->address, whole) == 0 &&
           (rest == 0 || ((bytes[whole] ^ network->address[whole]) & mask) == 0);
}

static bool is_trusted(const struct gw_proxies *proxies, const char *address) {
    unsigned char bytes[GW_ADDRESS_BYTES];
    bool trusted = false;
    if (!parse_address(address, bytes)) {
        return false;
    }
    for (size_t i = 0; i < proxies->count && !trusted; i++) {
        trusted = is_inside(bytes, &proxies->networks[i]);
    }
    return trusted;
}

/* "1.2.3.4", "1.2.3.4:5", "[::1]:5" or "::1" to the address alone, in place. */
static char *strip_port(char *text) {
    char *colon = strchr(text, ':');
    if (text[0] == '[') {
        text++;
        text[strcspn(text, "]")] = '\0';
    } else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        *colon = '\0';
    }
    return text;
}

/* The last of a list, which is shortened by it; NULL at the end. */
static char *take_last(char *list) {
    size_t end = strlen(list);
    while (end > 0 && strchr(", \t", list[end - 1]) != NULL) {
        list[--end] = '\0';
    }
    if (end == 0) {
        return NULL;
    }
    size_t begin = end;
    while (begin > 0 && strchr(", \t", list[begin - 1]) == NULL) {
        begin--;
    }
    if (begin > 0) {
        list[begin - 1] = '\0';
    }
    return list + begin;
}

const char *gw_proxies_client(const struct gw_proxies *proxies, const char *peer, const char *forwarded,
                              struct cs_arena *arena) {
    const char *client = peer;
    char *list = forwarded != NULL && is_trusted(proxies, peer) ? cs_arena_strdup(arena, forwarded) : NULL;
    for (char *last = list; last != NULL && is_trusted(proxies, client);) {
        unsigned char bytes[GW_ADDRESS_BYTES];
        last = take_last(list);
        char *address = last != NULL ? strip_port(last) : NULL;
        if (address == NULL || !parse_address(address, bytes)) {
            break; /* whoever wrote this is not to be believed: the proxy that passed it on is the best we know */
        }
        client = address;
        if (last == list) {
            break;
        }
    }
    return client;
}

void gw_address_network(const char *address, unsigned char ret_bytes[GW_ADDRESS_BYTES]) {
    if (!parse_address(address, ret_bytes)) {
        memset(ret_bytes, 0, GW_ADDRESS_BYTES);
    } else if (!is_v4(ret_bytes)) {
        memset(ret_bytes + GW_ADDRESS_BYTES / 2, 0, GW_ADDRESS_BYTES / 2);
    }
}
