/*
 * limits: how much may run at once, and who has how many turns, as the configuration says.
 *
 *     limits   tenant:*=50,tenant:acme=100,operation:merge=4,provider:replicate=20,rate:provider:replicate=50/min
 *     weights  acme=3,globex=1
 *
 * "*" stands for each one that has no limit of its own, by itself. A rate counts attempts that begin, in s, min or h.
 * Nothing is limited unless it is said.
 *
 * Fails    INVALID_ARGUMENT "bad_setting" at "limits" or "tenant-weights", with the part that is wrong.
 * Limits   ORC_LIMITS_MAX, ORC_WEIGHTS_MAX entries; ORC_LIMIT_MAX, ORC_WEIGHT_MAX in value.
 * Threads  read-only once parsed.
 */
#ifndef ORC_ENGINE_LIMITS_H
#define ORC_ENGINE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "cs/base/err.h"

enum {
    ORC_LIMITS_MAX = 64,
    ORC_WEIGHTS_MAX = 256,
    ORC_LIMIT_MAX = 1000000,
    ORC_WEIGHT_MAX = 100,
    ORC_LIMIT_NAME_SIZE = 65,
};

enum orc_limit_kind {
    ORC_LIMIT_TENANT,
    ORC_LIMIT_OPERATION,
    ORC_LIMIT_PROVIDER,
    ORC_LIMIT_PROVIDER_RATE,
    ORC_LIMIT_KEY, /* of a plan: never configured */
    ORC_LIMIT_KINDS,
};

struct orc_limit {
    enum orc_limit_kind kind;
    char name[ORC_LIMIT_NAME_SIZE]; /* "*": any */
    uint32_t max;
    int64_t period_ms; /* of a rate */
};

struct orc_weight {
    char tenant[ORC_LIMIT_NAME_SIZE];
    uint32_t weight;
};

struct orc_limits {
    struct orc_limit *items;
    size_t count;
    struct orc_weight *weights;
    size_t weight_count;
};

/* NULL or "": none. Nothing is left behind on failure. */
enum cs_status orc_limits_parse(const char *limits, const char *weights, struct orc_limits *ret_limits,
                                struct cs_err *err) CS_MUST_USE;
void orc_limits_fini(struct orc_limits *limits);

/* The limit of that name, else of "*", else NULL. */
const struct orc_limit *orc_limits_find(const struct orc_limits *limits, enum orc_limit_kind kind, const char *name);
uint32_t orc_limits_weight(const struct orc_limits *limits, const char *tenant); /* 1 unless it is said */

/* "tenant:", "operation:", "provider:", "rate:provider:", "key:" */
const char *orc_limit_prefix(enum orc_limit_kind kind);

#endif
