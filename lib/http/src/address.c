#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "cs/base/auto.h"
#include "cs/http.h"

struct range4 {
    uint32_t network;
    int bits;
    enum cs_reach reach;
};

#define V4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static const struct range4 ranges4[] = {
    {V4(0, 0, 0, 0), 8, CS_REACH_NEVER},                                                /* this network */
    {V4(10, 0, 0, 0), 8, CS_REACH_PRIVATE},                                             /* private */
    {V4(100, 64, 0, 0), 10, CS_REACH_PRIVATE},                                          /* carrier-grade NAT */
    {V4(127, 0, 0, 0), 8, CS_REACH_PRIVATE},                                            /* loopback */
    {V4(169, 254, 0, 0), 16, CS_REACH_NEVER},                                           /* link-local: cloud metadata */
    {V4(172, 16, 0, 0), 12, CS_REACH_PRIVATE},  {V4(192, 0, 0, 0), 24, CS_REACH_NEVER}, /* protocol assignments */
    {V4(192, 0, 2, 0), 24, CS_REACH_NEVER},                                             /* documentation */
    {V4(192, 88, 99, 0), 24, CS_REACH_NEVER},                                           /* 6to4 relays */
    {V4(192, 168, 0, 0), 16, CS_REACH_PRIVATE}, {V4(198, 18, 0, 0), 15, CS_REACH_NEVER}, /* benchmarks */
    {V4(198, 51, 100, 0), 24, CS_REACH_NEVER},                                           /* documentation */
    {V4(203, 0, 113, 0), 24, CS_REACH_NEVER},                                            /* documentation */
    {V4(224, 0, 0, 0), 4, CS_REACH_NEVER},                                               /* multicast */
    {V4(240, 0, 0, 0), 4, CS_REACH_NEVER},                                               /* reserved and broadcast */
};

static enum cs_reach reach4(const unsigned char bytes[4]) {
    uint32_t address = V4(bytes[0], bytes[1], bytes[2], bytes[3]);
    for (size_t i = 0; i < CS_COUNT(ranges4); i++) {
        if ((address ^ ranges4[i].network) >> (32 - ranges4[i].bits) == 0) {
            return ranges4[i].reach;
        }
    }
    return CS_REACH_PUBLIC;
}

struct range6 {
    unsigned char network[16];
    int bits;
    enum cs_reach reach;
    int embedded_v4; /* offset of an IPv4 address that is checked too; 0 none */
};

/* Embedded forms come first: they are never public, and no better than the IPv4 address inside. */
static const struct range6 ranges6[] = {
    {{[15] = 1}, 128, CS_REACH_PRIVATE, 0},                           /* ::1 loopback */
    {{0}, 128, CS_REACH_NEVER, 0},                                    /* :: */
    {{[10] = 0xff, 0xff}, 96, CS_REACH_PRIVATE, 12},                  /* IPv4-mapped */
    {{0}, 96, CS_REACH_PRIVATE, 12},                                  /* IPv4-compatible */
    {{0x00, 0x64, 0xff, 0x9b}, 96, CS_REACH_PRIVATE, 12},             /* NAT64 */
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, CS_REACH_PRIVATE, 12}, /* local NAT64 */
    {{0x20, 0x02}, 16, CS_REACH_PRIVATE, 2},                          /* 6to4 */
    {{0x01}, 64, CS_REACH_NEVER, 0},                                  /* 100::/64 discard */
    {{0x20, 0x01}, 23, CS_REACH_NEVER, 0},                            /* protocol assignments with Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, CS_REACH_NEVER, 0},                /* documentation */
    {{0x3f, 0xff}, 20, CS_REACH_NEVER, 0},                            /* documentation */
    {{0x5f}, 16, CS_REACH_NEVER, 0},                                  /* segment routing */
    {{0xfc}, 7, CS_REACH_PRIVATE, 0},                                 /* unique local */
    {{0xfe, 0x80}, 10, CS_REACH_NEVER, 0},                            /* link-local */
    {{0xfe, 0xc0}, 10, CS_REACH_NEVER, 0},                            /* site-local */
    {{0xff}, 8, CS_REACH_NEVER, 0},                                   /* multicast */
};

static bool same_prefix(const unsigned char *a, const unsigned char *b, int bits) {
    int whole = bits / 8;
    int rest = bits % 8;
    return memcmp(a, b, (size_t)whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

static enum cs_reach reach6(const unsigned char bytes[16]) {
    for (size_t i = 0; i < CS_COUNT(ranges6); i++) {
        const struct range6 *range = &ranges6[i];
        if (same_prefix(bytes, range->network, range->bits)) {
            bool never = range->embedded_v4 != 0 && reach4(bytes + range->embedded_v4) == CS_REACH_NEVER;
            return never ? CS_REACH_NEVER : range->reach;
        }
    }
    /* Only 2000::/3 is handed out as global unicast. */
    return bytes[0] >> 5 == 1 ? CS_REACH_PUBLIC : CS_REACH_NEVER;
}

enum cs_reach cs_address_reach(const char *text) {
    unsigned char bytes[16];
    if (inet_pton(AF_INET, text, bytes) == 1) {
        return reach4(bytes);
    }
    if (inet_pton(AF_INET6, text, bytes) == 1) {
        return reach6(bytes);
    }
    return CS_REACH_NEVER;
}

enum cs_reach cs_sockaddr_reach(const struct sockaddr *address) {
    unsigned char bytes[16];
    if (address->sa_family == AF_INET) {
        memcpy(bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
        return reach4(bytes);
    }
    if (address->sa_family == AF_INET6) {
        memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
        return reach6(bytes);
    }
    return CS_REACH_NEVER;
}

bool cs_reach_allowed(enum cs_reach reach, bool allow_private) {
    return reach == CS_REACH_PUBLIC || (reach == CS_REACH_PRIVATE && allow_private);
}

bool cs_address_forbidden(const char *address) {
    return cs_address_reach(address) != CS_REACH_PUBLIC;
}
