#include "config.h"

#include "cs/svc_options.h"

#define AT(field) offsetof(struct med_config, field)

enum { SLOTS_MAX = 256, THREADS_MAX = 16 };

static const struct cs_conf_option options[] = {
    CS_SVC_OPTIONS(AT),
    {"storage", "CALLSHEET_STORAGE", CS_CONF_STRING, AT(storage), NULL, .metavar = "URL",
     .help = "where inputs come from and outputs go: file:/directory or a path"},
    {"scratch-dir", "CALLSHEET_SCRATCH_DIR", CS_CONF_STRING, AT(scratch_dir), "/tmp/callsheet-media", .metavar = "DIR",
     .help = "directory for fetched inputs; made when its parent exists"},
    {"disk-free-min", "CALLSHEET_DISK_FREE_MIN", CS_CONF_SIZE, AT(disk_free_min_bytes), "100MiB", 0, INT64_MAX,
     .help = "what must be free in the scratch directory and in storage before a job begins"},
    {"runner", "CALLSHEET_RUNNER", CS_CONF_STRING, AT(runner), "", .metavar = "PATH",
     .help = "callsheet-media-runner; empty: beside this program"},
    {"slots", "CALLSHEET_SLOTS", CS_CONF_INT, AT(slots), "0", 0, SLOTS_MAX, .help = "jobs at once; 0: one per core"},
    {"job-threads", "CALLSHEET_JOB_THREADS", CS_CONF_INT, AT(job_threads), "2", 1, THREADS_MAX,
     .help = "decode, filter and encode threads of a job; the same number gives the same bytes"},
    {"job-memory", "CALLSHEET_JOB_MEMORY", CS_CONF_SIZE, AT(job_memory_bytes), "8GiB", 512 << 20, INT64_MAX,
     .help = "address space of a job's process, a backstop"},
    {"gpl-encoders", "CALLSHEET_GPL_ENCODERS", CS_CONF_BOOL, AT(gpl_encoders), "true",
     .help = "encoders under the GPL (x264, x265) may be used; without them operations make AV1 or VP9 where nobody "
             "names a codec"},
    {"allow-private-targets", "CALLSHEET_ALLOW_PRIVATE_TARGETS", CS_CONF_BOOL, AT(allow_private_targets), "false",
     .help = "development switch: fetch inputs from private and loopback addresses too"},
};

const struct cs_conf_spec med_config_spec = {
    .program = "callsheet-media",
    .summary = "Renders video in sandboxed processes.",
    .options = options,
    .count = CS_COUNT(options),
};
