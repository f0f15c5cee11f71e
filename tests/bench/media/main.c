/* callsheet-bench-media: the figures of media work; see bench.h. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "cs/base/text.h"
#include "cs/conf.h"
#include "cs/svc.h"
#include "render.h"

struct options {
    const char *scratch;
    const char *out;
    const char *media;
    const char *only;
    const char *operation;
    const char *keep;
    int64_t rounds;
    int64_t seconds;
};

#define AT(field) offsetof(struct options, field)

static const struct cs_conf_option options[] = {
    {"scratch", "BENCH_SCRATCH", CS_CONF_STRING, AT(scratch), NULL, .metavar = "DIR", .help = "for inputs and outputs"},
    {"out", "BENCH_OUT", CS_CONF_STRING, AT(out), "", .metavar = "FILE", .help = "JSON of all figures; empty: none"},
    {"media", "CALLSHEET_TEST_MEDIA", CS_CONF_STRING, AT(media), "", .metavar = "DIR",
     .help = "real clips; empty: made ones"},
    {"only", "BENCH_ONLY", CS_CONF_STRING, AT(only), "", .metavar = "NAME",
     .help = "operations, chain, copies or memory"},
    {"operation", "BENCH_OPERATION", CS_CONF_STRING, AT(operation), "", .metavar = "NAME",
     .help = "the only operation that is measured, or figure of copies"},
    {"keep", "BENCH_KEEP", CS_CONF_STRING, AT(keep), "", .metavar = "DIR",
     .help = "for inputs and outputs, and for other runs with the same media and seconds; empty: of scratch, removed"},
    {"seconds", "BENCH_SECONDS", CS_CONF_INT, AT(seconds), "10", 4, 20,
     .help = "of the clip that most operations work on"},
    {"rounds", "BENCH_ROUNDS", CS_CONF_INT, AT(rounds), "2", 1, 20, .help = "of each measurement; the cheapest counts"},
};

static const struct cs_conf_spec spec = {"callsheet-bench-media", "Measures media operations against ffmpeg.", NULL,
                                         options, CS_COUNT(options)};

static const struct {
    const char *name;
    enum cs_status (*run)(struct media_bench *bench, struct cs_err *err);
} parts[] = {
    {"operations", bench_operations}, {"chain", bench_chain}, {"copies", bench_copies}, {"memory", bench_memory}};

static enum cs_status run(struct media_bench *bench, const struct options *chosen, struct cs_err *err) {
    CS_TRY(med_render_warm_up(err));
    CS_TRY(bench_make_inputs(bench, err));
    enum cs_status status = CS_OK;
    for (size_t i = 0; i < CS_COUNT(parts); i++) {
        if (status == CS_OK && (cs_str_empty(chosen->only) || cs_str_eq(chosen->only, parts[i].name))) {
            status = parts[i].run(bench, err);
        }
    }
    figure(&bench->figures, "max_rss_mb", bench->rss_max_mb, "MB", "largest resident set of a job of ours");
    if (!cs_str_empty(chosen->out)) {
        CS_TRY(figures_write(&bench->figures, chosen->out, err));
    }
    return status;
}

int main(int argc, char **argv) {
    struct cs_err err = {0};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct options chosen;
    enum cs_conf_outcome outcome;
    if (cs_conf_load(&spec, argc, argv, arena, &chosen, &outcome, NULL, &err) != CS_OK) {
        return cs_svc_fail(spec.program, &err);
    }
    if (outcome == CS_CONF_EXIT) {
        return 0;
    }
    bool keep = !cs_str_empty(chosen.keep);
    char *dir = keep ? cs_arena_strdup(arena, chosen.keep) : cs_arena_sprintf(arena, "%s/media-XXXXXX", chosen.scratch);
    if (keep ? mkdir(dir, 0700) != 0 && errno != EEXIST : mkdtemp(dir) == NULL) {
        (void)cs_fail(&err, CS_UNAVAILABLE, "scratch", "%s cannot be made", dir);
        return cs_svc_fail(spec.program, &err);
    }
    struct media_bench bench = {
        .dir = dir,
        .kept = access(cs_arena_sprintf(arena, "%s/%s", dir, BENCH_COMPLETE), F_OK) == 0,
        .real_media = cs_str_empty(chosen.media) ? NULL : chosen.media,
        .operation = chosen.operation,
        .rounds = chosen.rounds,
        .seconds = chosen.seconds,
        .arena = arena,
    };
    enum cs_status status = run(&bench, &chosen, &err);
    figures_fini(&bench.figures);
    int removed = keep ? 0 : system(cs_arena_sprintf(arena, "rm -r '%s'", dir)); // NOLINT(cert-env33-c): a name of ours
    return status == CS_OK ? removed : cs_svc_fail(spec.program, &err);
}
