/*
 * catalog: what operations there are — one table for the gateway's dialects, the orchestrator's checks and policies,
 * and the workers.
 *
 * Checks   cs_catalog_check validates the typed parameters: required fields, ranges, vocabularies, media types of
 * inputs.
 * Trust    params come from clients.
 */
#ifndef CS_CATALOG_H
#define CS_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "callsheet/v1/media_types.pb-c.h"
#include "callsheet/v1/operations.pb-c.h"
#include "callsheet/v1/worker.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"

enum {
    CS_PLAN_JOBS_MAX = 10000,
    CS_PLAN_EDGES_MAX = 100000,
    CS_JOB_ID_MAX = 128,
    CS_JOB_PARAMS_BYTES_MAX = 256 * 1024,
    CS_JOB_INPUTS_MAX = 1000,
    CS_JOB_OUTPUTS_MAX = 32, /* files that an operation of ours makes */
    CS_URL_BYTES_MAX = 2048,
    CS_EXTERNAL_DATA_BYTES_MAX = 16 * 1024,
    CS_LOUDNESS_MIN = -40, /* LUFS, that can be asked for */
    CS_LOUDNESS_MAX = -5,
};
#define CS_TRUE_PEAK_MIN (-20.0) /* dBTP */
#define CS_TRUE_PEAK_MAX (-0.5)

/* A MediaRef's job that is no job of the plan: the final output of the execution that it builds on. */
#define CS_BASE_RESULT "$base"

enum cs_worker_kind {
    CS_WORKER_MEDIA,
    CS_WORKER_PROVIDERS,
    CS_WORKER_WEBHOOKS,
    CS_WORKER_ORCHESTRATOR, /* itself: no worker does it */
    CS_WORKER_OUTSIDE,      /* nobody of ours: who does it reports through the API */
    CS_WORKER_TEST,         /* noop: whoever offers it */
};

struct cs_operation {
    Callsheet__V1__Operation__ParamsCase which;
    const char *name;           /* "generateVideo" */
    const char *const *aliases; /* "generate", NULL terminated */
    enum cs_worker_kind worker;
    Callsheet__V1__MediaType output; /* UNSPECIFIED: none */
    const char *output_name;         /* "merged.mp4"; cs_catalog_output_names says what it is for given parameters */
    int64_t timeout_ms;              /* of one attempt */
    int64_t no_progress_ms;          /* its progress must move that often; 0: it reports none that would */
    bool internal;                   /* refused in plans of the public API */
    const char *const *more_outputs; /* behind the main one: "subtitles.srt", NULL terminated; NULL: none */
    bool audio_alone;                /* given `audio` instead of `video`, it makes audio of the same name */
    bool fusible;  /* media: it describes what it makes, so another can go on with that in the same run */
    bool ends_run; /* media: it goes on with what another describes, and nothing goes on after it */
};

const struct cs_operation *cs_catalog_by_name(const char *name); /* name or alias; NULL unknown */
const struct cs_operation *cs_catalog_by_case(Callsheet__V1__Operation__ParamsCase which); /* NULL unknown */
size_t cs_catalog_count(void);
const struct cs_operation *cs_catalog_at(size_t index);

/* The typed message inside (operation->generate_video …) as base message; NULL when unset. */
ProtobufCMessage *cs_operation_params(const Callsheet__V1__Operation *operation);

/* Every MediaRef inside the parameters, in field order, with the path in JSON names ("items[2].media"). */
struct cs_media_slot {
    Callsheet__V1__MediaRef *ref;
    const char *path;
    Callsheet__V1__MediaType accepts; /* UNSPECIFIED: any visual or audio */
};
/* ret_slots lives in the arena. OUT_OF_RANGE beyond CS_JOB_INPUTS_MAX. */
enum cs_status cs_catalog_media_slots(Callsheet__V1__Operation *operation, struct cs_arena *arena,
                                      struct cs_media_slot **ret_slots, size_t *ret_count,
                                      struct cs_err *err) CS_MUST_USE;

/* Gives a main input that is missing: an output of that job, whose id is not copied. The main input is the first field
 * of the parameters if that is `video`, `media`, or a list of things with a `media`. */
void cs_catalog_imply(Callsheet__V1__Operation *operation, const char *job, struct cs_arena *arena);

/* Takes out every MediaRef whose `input` is 0: items of lists go as a whole, single ones are unset. What is left may
 * not be valid any more: check it. */
void cs_catalog_drop_unresolved(Callsheet__V1__Operation *operation);

/* The files that the operation may make, under the names that its parameters give them, the main one first. Which of
 * those of a package are needed is known when it is done; of others all are made. None for what makes no file. All of
 * it lives in the arena. */
void cs_catalog_output_names(const Callsheet__V1__Operation *operation, struct cs_arena *arena, char ***ret_names,
                             size_t *ret_count);

/* Of a file that an operation made, by the end of its name: "video/mp4" …; "application/octet-stream" of any other. */
const char *cs_catalog_content_type(const char *name);

/* Of what the operation makes with these parameters; UNSPECIFIED: nothing, or not known before it is done. */
Callsheet__V1__MediaType cs_catalog_output_type(const Callsheet__V1__Operation *operation);
/* Of what it makes beside that, if another operation takes such a thing; else UNSPECIFIED. */
Callsheet__V1__MediaType cs_catalog_more_type(const Callsheet__V1__Operation *operation);

/* Validates; err->path is relative to the params ("aspectRatio", "items[0].volume"). */
enum cs_status cs_catalog_check(const Callsheet__V1__Operation *operation, struct cs_err *err) CS_MUST_USE;

/* Whether, with these parameters, it can be a step of a run that does several jobs, the last one too: a film comes in
 * and nothing but one film goes out. */
bool cs_catalog_fusible(const Callsheet__V1__Operation *operation);
/* Whether it can be the last one, whatever goes out. */
bool cs_catalog_ends_run(const Callsheet__V1__Operation *operation);

/* ---- vocabularies ---- */
/* Output size of reframe; false for an unknown ratio. */
bool cs_reframe_size(const char *aspect_ratio, uint32_t *ret_width, uint32_t *ret_height);
/* "16:9" … of generation; num/den. */
bool cs_aspect_ratio(const char *aspect_ratio, uint32_t *ret_num, uint32_t *ret_den);
/* An output rate: "25", "30", "30000/1001"; above 0, at most 120. False for anything else. */
bool cs_frame_rate(const char *text, uint32_t *ret_num, uint32_t *ret_den);
/* #RGB, #RRGGBB, RRGGBB or &HAABBGGRR; ret_bgr is 0xBBGGRR as ASS has it, ret_alpha ASS's (0 opaque). */
bool cs_caption_color(const char *text, uint32_t *ret_bgr, uint8_t *ret_alpha);
/* The same, or a name: "white", "orange" … */
bool cs_title_color(const char *text, uint32_t *ret_bgr, uint8_t *ret_alpha);
/* #RGB or #RRGGBB; ret_rgb is 0xRRGGBB. */
bool cs_color_rgb(const char *text, uint32_t *ret_rgb);
/* http or https with a host, printable, at most CS_URL_BYTES_MAX, no user or password. Whether the target may be
 * reached is for the guard of lib/http to say. */
bool cs_web_url_valid(const char *text);
/* The first field of a merge's item that only sounds have ("offset" "loop" …); NULL: it has none. */
const char *cs_merge_sound_field(const Callsheet__V1__MergeItem *item);
/* Whether a recogniser of ours understands it ("en"; "" is that). */
bool cs_spoken_language(const char *language);
/* The xfade name for a transition word ("wipe" -> "wipeleft", "crossfade" -> "fade"); NULL unknown. */
const char *cs_transition_name(const char *word);

/* A moment of something that long: seconds, "h:mm:ss.s", or "50%"; "" is 1 s. False for anything else. */
bool cs_moment_read(const char *text, double length_s, double *ret_s);

/* What a conversion makes of its words, with the defaults filled in. */
struct cs_conversion {
    const char *container;
    const char *video_codec;
    const char *audio_codec; /* "none" */
    double quality;          /* 1 … 100 */
};
/* Names the field of a word that is unknown, or that the others do not go with. */
enum cs_status cs_conversion_read(const Callsheet__V1__Convert *params, struct cs_conversion *ret_conversion,
                                  struct cs_err *err) CS_MUST_USE;

enum { CS_PACKAGE_RUNGS_MAX = 8 };
struct cs_package_rung {
    uint32_t height;       /* of the shorter side, even */
    uint32_t bitrate_kbps; /* 0: what suits it */
};
/* Of the plan, or the usual ones; from the highest to the lowest. */
size_t cs_package_rungs(const Callsheet__V1__Package *params, struct cs_package_rung ret_rungs[CS_PACKAGE_RUNGS_MAX]);
/* Whether it is made for "hls", or "dash". */
bool cs_package_has(const Callsheet__V1__Package *params, const char *format);

/* Of a loudness preset; "" is "podcast". False for an unknown one. */
bool cs_loudness_preset(const char *word, double *ret_target_lufs, double *ret_true_peak_max_db);
/* What a file of sound in this format ("" the usual) is called, and the sample rate that it gets instead of the wanted
 * one, 0 being none. */
const char *cs_sound_extension(const char *format);
uint32_t cs_sound_rate(const char *format, uint32_t wanted);

/* ---- retry policy, keyed by failure class and operation (requirements: media 5/2000/60000 …) ---- */
struct cs_retry_policy {
    uint32_t attempts_max; /* 1: never again */
    int64_t base_ms;
    int64_t cap_ms;
};
struct cs_retry_policy cs_catalog_retry(const struct cs_operation *operation,
                                        Callsheet__V1__FailureClass failure_class);

/* ---- results that are kept for jobs that do the same work ---- */
enum cs_cacheability {
    CS_CACHE_NEVER,      /* it acts on the world, or is the orchestrator's own */
    CS_CACHE_WHEN_ASKED, /* doing it again is cheap */
    CS_CACHE_BY_DEFAULT, /* doing it again is paid again */
};
enum cs_cacheability cs_catalog_cacheability(const struct cs_operation *operation);
/* Leaves what tells one result from another: a MediaRef keeps only its `input`, secrets go (fields whose name ends in
 * "secret", "api_key", "token" …), and so does what this version does not know. For a copy that is hashed. */
void cs_catalog_reduce(Callsheet__V1__Operation *operation);

#endif
