/*
 * rules: under which names, beside those of the contract, an operation's parameters are read, and in which forms.
 *
 * Threads  pure.
 */
#ifndef GW_DIALECT_RULES_H
#define GW_DIALECT_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "callsheet/v1/operations.pb-c.h"

enum {
    GW_MAP_ITEMS_MAX = 1000,
    GW_TRANSITION_MS_MAX = 5000, /* transitionMs, durationMs, audioFadeMs */
};

enum rule_kind {
    RULE_NAME,        /* the same value under the native name */
    RULE_MEDIA,       /* a job's id, a URL, a marker or an object */
    RULE_MEDIA_URL,   /* a URL, a marker or an object */
    RULE_MEDIA_LIST,  /* one or an array of them */
    RULE_READ,        /* more than a name */
    RULE_SECRET,      /* a key of a provider: only from our configuration */
    RULE_OFF,         /* a switch of the SDK that must be off */
    RULE_UNSUPPORTED, /* known, but not yet here */
};

struct gw_rule {
    enum rule_kind kind;
    const char *client_name;
    const char *native_name; /* NULL: of those that take the value to more than one name, or to none */
};

/* The rule of that number, from 0, among those of the operation; false behind the last. */
bool gw_rule_at(Callsheet__V1__Operation__ParamsCase which, size_t index, struct gw_rule *ret_rule);

#endif
