#include "config.h"

#include "cs/svc_options.h"

#define AT(field) offsetof(struct whk_config, field)

static const struct cs_conf_option options[] = {
    CS_SVC_OPTIONS(AT),
    {"slots", "CALLSHEET_SLOTS", CS_CONF_INT, AT(slots), "64", 1, 10000, .help = "deliveries at once"},
    {"allow-private-targets", "CALLSHEET_ALLOW_PRIVATE_TARGETS", CS_CONF_BOOL, AT(allow_private_targets), "false",
     .help = "development switch: deliver to private and loopback addresses too"},
};

const struct cs_conf_spec whk_config_spec = {
    .program = "callsheet-webhooks",
    .summary = "Delivers signed webhooks through a guard.",
    .options = options,
    .count = CS_COUNT(options),
};
