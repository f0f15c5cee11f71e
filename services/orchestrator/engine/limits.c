#include "engine/limits.h"

#include <stdlib.h>
#include <string.h>

#include "cs/base/id.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "wire/plan_wire.h"

static const char *const prefixes[ORC_LIMIT_KINDS] = {
    [ORC_LIMIT_TENANT] = "tenant:",     [ORC_LIMIT_OPERATION] = "operation:",
    [ORC_LIMIT_PROVIDER] = "provider:", [ORC_LIMIT_PROVIDER_RATE] = "rate:provider:",
    [ORC_LIMIT_KEY] = "key:",
};

static const struct {
    const char *unit;
    int64_t ms;
} periods[] = {{"/s", 1000}, {"/min", 60 * 1000}, {"/h", 60 * 60 * 1000}};

const char *orc_limit_prefix(enum orc_limit_kind kind) {
    return prefixes[kind];
}

/* ---- one limit; text is changed ---- */

static enum cs_status fail_limit(const char *text, const char *wrong, struct cs_err *err) {
    return cs_fail_at(err, "limits", "bad_setting", "--limits: \"%.80s\" %s", text, wrong);
}

static bool name_fits(const struct orc_limit *limit) {
    struct cs_err ignored = {0};
    if (cs_str_eq(limit->name, "*")) {
        return true;
    }
    switch (limit->kind) {
    case ORC_LIMIT_TENANT:
        return orc_tenant_check(limit->name, &ignored) == CS_OK;
    case ORC_LIMIT_OPERATION:
        return orc_operation_by_name(limit->name) != NULL;
    case ORC_LIMIT_PROVIDER:
    case ORC_LIMIT_PROVIDER_RATE:
        return cs_id_valid(limit->name, ORC_LIMIT_NAME_SIZE - 1);
    case ORC_LIMIT_KEY:
    case ORC_LIMIT_KINDS:
        break;
    }
    return false;
}

/* Cuts the period off a rate's value. */
static int64_t take_period(char *value) {
    for (size_t i = 0; i < CS_COUNT(periods); i++) {
        if (cs_str_ends(value, periods[i].unit)) {
            value[strlen(value) - strlen(periods[i].unit)] = '\0';
            return periods[i].ms;
        }
    }
    return 0;
}

static enum cs_status read_limit(const char *text, struct orc_limit *limit, struct cs_err *err) {
    CS_AUTO_FREE char *copy = cs_strdup(text);
    char *value = strchr(copy, '=');
    if (value == NULL) {
        return fail_limit(text, "wants KIND:NAME=NUMBER", err);
    }
    *value++ = '\0';
    int kind = 0;
    while (kind < ORC_LIMIT_KEY && !cs_str_starts(copy, prefixes[kind])) {
        kind++;
    }
    const char *name = kind < ORC_LIMIT_KEY ? copy + strlen(prefixes[kind]) : "";
    if (kind == ORC_LIMIT_KEY || strlen(name) >= sizeof(limit->name)) {
        return fail_limit(text, "limits neither tenant:, operation:, provider: nor rate:provider:", err);
    }
    *limit = (struct orc_limit){.kind = (enum orc_limit_kind)kind};
    cs_str_copy(limit->name, sizeof(limit->name), name);
    if (!name_fits(limit)) {
        return fail_limit(text, "names none that there can be", err);
    }
    if (limit->kind == ORC_LIMIT_PROVIDER_RATE && (limit->period_ms = take_period(value)) == 0) {
        return fail_limit(text, "wants NUMBER/s, /min or /h", err);
    }
    int64_t max = 0;
    if (!cs_parse_i64(value, 1, ORC_LIMIT_MAX, &max)) {
        return fail_limit(text, "wants a number from 1 to 1000000", err);
    }
    limit->max = (uint32_t)max;
    return CS_OK;
}

static enum cs_status add_limit(struct orc_limits *limits, const char *text, struct cs_err *err) {
    struct orc_limit limit = {0};
    CS_TRY(read_limit(text, &limit, err));
    for (size_t i = 0; i < limits->count; i++) {
        if (limits->items[i].kind == limit.kind && cs_str_eq(limits->items[i].name, limit.name)) {
            return fail_limit(text, "is limited twice", err);
        }
    }
    if (limits->count == ORC_LIMITS_MAX) {
        return fail_limit(text, "is one too many; there may be 64", err);
    }
    limits->items = cs_realloc(limits->items, (limits->count + 1) * sizeof(*limits->items));
    limits->items[limits->count++] = limit;
    return CS_OK;
}

/* ---- one weight ---- */

static enum cs_status fail_weight(const char *text, const char *wrong, struct cs_err *err) {
    return cs_fail_at(err, "tenant-weights", "bad_setting", "--tenant-weights: \"%.80s\" %s", text, wrong);
}

static enum cs_status add_weight(struct orc_limits *limits, const char *text, struct cs_err *err) {
    CS_AUTO_FREE char *copy = cs_strdup(text);
    char *value = strchr(copy, '=');
    int64_t weight = 0;
    struct cs_err ignored = {0};
    if (value == NULL) {
        return fail_weight(text, "wants TENANT=NUMBER", err);
    }
    *value++ = '\0';
    if (orc_tenant_check(copy, &ignored) != CS_OK) {
        return fail_weight(text, "names no tenant that there can be", err);
    }
    if (!cs_parse_i64(value, 1, ORC_WEIGHT_MAX, &weight)) {
        return fail_weight(text, "wants a number from 1 to 100", err);
    }
    for (size_t i = 0; i < limits->weight_count; i++) {
        if (cs_str_eq(limits->weights[i].tenant, copy)) {
            return fail_weight(text, "is weighed twice", err);
        }
    }
    if (limits->weight_count == ORC_WEIGHTS_MAX) {
        return fail_weight(text, "is one too many; there may be 256", err);
    }
    limits->weights = cs_realloc(limits->weights, (limits->weight_count + 1) * sizeof(*limits->weights));
    struct orc_weight *added = &limits->weights[limits->weight_count++];
    *added = (struct orc_weight){.weight = (uint32_t)weight};
    cs_str_copy(added->tenant, sizeof(added->tenant), copy);
    return CS_OK;
}

/* ---- lists of them ---- */

typedef enum cs_status add_fn(struct orc_limits *limits, const char *text, struct cs_err *err);

static enum cs_status read_list(struct orc_limits *limits, const char *list, add_fn *add, struct cs_err *err) {
    CS_AUTO_FREE char *copy = cs_strdup(list != NULL ? list : "");
    char *rest = cs_str_empty(list) ? NULL : copy;
    while (rest != NULL) {
        const char *part = strsep(&rest, ",");
        CS_TRY(add(limits, part, err));
    }
    return CS_OK;
}

enum cs_status orc_limits_parse(const char *limits, const char *weights, struct orc_limits *ret_limits,
                                struct cs_err *err) {
    struct orc_limits read = {0};
    if (read_list(&read, limits, add_limit, err) != CS_OK || read_list(&read, weights, add_weight, err) != CS_OK) {
        orc_limits_fini(&read);
        return err->status;
    }
    *ret_limits = read;
    return CS_OK;
}

void orc_limits_fini(struct orc_limits *limits) {
    free(limits->items);
    free(limits->weights);
    *limits = (struct orc_limits){0};
}

const struct orc_limit *orc_limits_find(const struct orc_limits *limits, enum orc_limit_kind kind, const char *name) {
    const struct orc_limit *any = NULL;
    for (size_t i = 0; i < limits->count; i++) {
        const struct orc_limit *limit = &limits->items[i];
        if (limit->kind == kind && strcmp(limit->name, name) == 0) {
            return limit;
        }
        if (limit->kind == kind && strcmp(limit->name, "*") == 0) {
            any = limit;
        }
    }
    return any;
}

uint32_t orc_limits_weight(const struct orc_limits *limits, const char *tenant) {
    for (size_t i = 0; i < limits->weight_count; i++) {
        if (strcmp(limits->weights[i].tenant, tenant) == 0) {
            return limits->weights[i].weight;
        }
    }
    return 1;
}
