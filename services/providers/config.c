#include "config.h"

#include "cs/svc_options.h"

#define AT(field) offsetof(struct prv_config, field)

static const struct cs_conf_option options[] = {
    CS_SVC_OPTIONS(AT),
    {"storage", "CALLSHEET_STORAGE", CS_CONF_STRING, AT(storage), NULL, .metavar = "URL",
     .help = "where inputs come from and outputs go: file:/directory or a path"},
    {"scratch-dir", "CALLSHEET_SCRATCH_DIR", CS_CONF_STRING, AT(scratch_dir), "/tmp/callsheet-providers",
     .metavar = "DIR", .help = "directory for fetched inputs; made when its parent exists"},
    {"local-ledger", "CALLSHEET_LOCAL_LEDGER", CS_CONF_STRING, AT(local_ledger), "", .metavar = "DIR",
     .help = "durable directory of the local provider's predictions; empty: local in the scratch directory"},
    {"runner", "CALLSHEET_RUNNER", CS_CONF_STRING, AT(runner), "", .metavar = "PATH",
     .help = "callsheet-media-runner; empty: beside this program"},
    {"slots", "CALLSHEET_SLOTS", CS_CONF_INT, AT(slots), "256", 1, 10000,
     .help = "generations at once; most of them only wait for a provider"},
    {"local-slots", "CALLSHEET_LOCAL_SLOTS", CS_CONF_INT, AT(local_slots), "0", 0, 256,
     .help = "renderings of the local provider at once; 0: one per core"},
    {"gpl-encoders", "CALLSHEET_GPL_ENCODERS", CS_CONF_BOOL, AT(gpl_encoders), "true",
     .help = "the local provider may use encoders under the GPL (x264); else it makes AV1 or VP9"},
    {"allow-private-targets", "CALLSHEET_ALLOW_PRIVATE_TARGETS", CS_CONF_BOOL, AT(allow_private_targets), "false",
     .help = "development switch: fetch inputs and outputs from private and loopback addresses too"},
    {"replicate-url", "CALLSHEET_REPLICATE_URL", CS_CONF_STRING, AT(replicate_url), "https://api.replicate.com/v1",
     .metavar = "URL", .help = "base URL of Replicate's API"},
    {"replicate-token", "REPLICATE_API_TOKEN", CS_CONF_STRING, AT(replicate_token), "", .secret = true,
     .help = "API token of Replicate; empty: the provider is not configured"},
};

const struct cs_conf_spec prv_config_spec = {
    .program = "callsheet-providers",
    .summary = "Generates media through AI providers, and previews of its own.",
    .options = options,
    .count = CS_COUNT(options),
};
