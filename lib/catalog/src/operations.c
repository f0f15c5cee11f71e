#include "cs/base/auto.h"
#include "cs/base/text.h"
#include "cs/catalog.h"

enum {
    MINUTE_MS = 60 * 1000,
    GENERATE_VIDEO_MS = 30 * MINUTE_MS, /* what providers need at worst */
    GENERATE_IMAGE_MS = 10 * MINUTE_MS,
    GENERATE_AUDIO_MS = 10 * MINUTE_MS,
    RENDER_MS = 60 * MINUTE_MS, /* hours of 1080p on a small machine */
    STUCK_MS = 15 * MINUTE_MS,  /* of a render: a scan of a long input may say nothing for minutes */
    PLAN_MS = 30 * MINUTE_MS,   /* reading the media takes the time */
    DELIVER_MS = 30 * 1000,
    NOOP_MS = MINUTE_MS,
    EXTERNAL_MS = 7 * 24 * 60 * MINUTE_MS, /* people have days off */
    MAP_MS = 7 * 24 * 60 * MINUTE_MS,      /* of all its items */
};

#define PARAMS(word) CALLSHEET__V1__OPERATION__PARAMS_##word
#define TYPE(word) CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_##word

static const char *const no_alias[] = {NULL};
static const char *const generate_alias[] = {"generate", NULL};
static const char *const transitions_alias[] = {"videoTransitions", NULL};
static const char *const cut_alias[] = {"videoCuts", NULL};
static const char *const retime_alias[] = {"subtitleRetime", NULL};
static const char *const convert_alias[] = {"compress", NULL};
static const char *const brand_alias[] = {"brandingLayer", NULL};
static const char *const text_alias[] = {"textOverlay", NULL};
static const char *const layer_alias[] = {"layers", NULL};
static const char *const stabilise_alias[] = {"stabilize", NULL};
static const char *const path_files[] = {"reframe_path.json", NULL};
static const char *const mix_alias[] = {"addAudio", "backgroundMusic", NULL};
static const char *const loudness_alias[] = {"normalizeLoudness", "normalizeAudio", NULL};
static const char *const subtitle_files[] = {"subtitles.srt", "subtitles.vtt", "subtitles.ass", NULL};

static const struct cs_operation operations[] = {
    {PARAMS(GENERATE_VIDEO), "generateVideo", generate_alias, CS_WORKER_PROVIDERS, TYPE(VIDEO), "output.mp4",
     GENERATE_VIDEO_MS, 0, false},
    {PARAMS(GENERATE_IMAGE), "generateImage", no_alias, CS_WORKER_PROVIDERS, TYPE(IMAGE), "output.png",
     GENERATE_IMAGE_MS, 0, false},
    {PARAMS(GENERATE_AUDIO), "generateAudio", no_alias, CS_WORKER_PROVIDERS, TYPE(AUDIO), "output.mp3",
     GENERATE_AUDIO_MS, 0, false},
    {PARAMS(MERGE), "merge", no_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "merged.mp4", RENDER_MS, STUCK_MS, false,
     .fusible = true},
    {PARAMS(REFRAME), "reframe", no_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "reframed.mp4", RENDER_MS, STUCK_MS, false,
     .more_outputs = path_files, .fusible = true},
    {PARAMS(LIP_SYNC), "lipSync", no_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "synced.mp4", RENDER_MS, STUCK_MS, false,
     .fusible = true},
    {PARAMS(ADD_SUBTITLES), "addSubtitles", no_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "captioned.mp4", RENDER_MS,
     STUCK_MS, false, .fusible = true},
    {PARAMS(EXTRACT_AUDIO), "extractAudio", no_alias, CS_WORKER_MEDIA, TYPE(AUDIO), "audio.mp3", RENDER_MS, STUCK_MS,
     false},
    {PARAMS(TRANSCRIBE), "transcribe", no_alias, CS_WORKER_MEDIA, TYPE(TRANSCRIPT), "transcript.json", RENDER_MS,
     STUCK_MS, false, .more_outputs = subtitle_files},
    {PARAMS(PLAN_CUTS), "planCuts", no_alias, CS_WORKER_MEDIA, TYPE(CUT_PLAN), "cut_plan.json", PLAN_MS, STUCK_MS,
     false},
    {PARAMS(CUT), "cut", cut_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "cut.mp4", RENDER_MS, STUCK_MS, false,
     .fusible = true},
    {PARAMS(RETIME_SUBTITLES), "retimeSubtitles", retime_alias, CS_WORKER_MEDIA, TYPE(TRANSCRIPT), "transcript.json",
     PLAN_MS, STUCK_MS, false, .more_outputs = subtitle_files},
    {PARAMS(BRAND), "brand", brand_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "branded.mp4", RENDER_MS, STUCK_MS, false,
     .fusible = true},
    {PARAMS(LAYER), "layer", layer_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "layered.mp4", RENDER_MS, STUCK_MS, false,
     .fusible = true},
    {PARAMS(REPLACE_GREEN_SCREEN), "replaceGreenScreen", no_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "composited.mp4",
     RENDER_MS, STUCK_MS, false, .fusible = true},
    {PARAMS(OVERLAY_TEXT), "overlayText", text_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "titled.mp4", RENDER_MS, STUCK_MS,
     false, .fusible = true},
    {PARAMS(TRIM), "trim", no_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "trimmed.mp4", RENDER_MS, STUCK_MS, false,
     .fusible = true},
    {PARAMS(SPEED), "speed", no_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "speed.mp4", RENDER_MS, STUCK_MS, false,
     .fusible = true},
    {PARAMS(TRANSITIONS), "transitions", transitions_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "with_transitions.mp4",
     RENDER_MS, STUCK_MS, false, .fusible = true},
    {PARAMS(REVERSE), "reverse", no_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "reversed.mp4", RENDER_MS, STUCK_MS, false,
     .fusible = true},
    {PARAMS(STITCH), "stitch", no_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "stitched.mp4", RENDER_MS, STUCK_MS, false,
     .fusible = true},
    {PARAMS(FREEZE), "freeze", no_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "frozen.mp4", RENDER_MS, STUCK_MS, false,
     .fusible = true},
    {PARAMS(THUMBNAIL), "thumbnail", no_alias, CS_WORKER_MEDIA, TYPE(IMAGE), "thumbnail.jpg", RENDER_MS, STUCK_MS,
     false},
    {PARAMS(GIF), "gif", no_alias, CS_WORKER_MEDIA, TYPE(IMAGE), "animation.gif", RENDER_MS, STUCK_MS, false},
    {PARAMS(CONVERT), "convert", convert_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "output.mp4", RENDER_MS, STUCK_MS, false,
     .ends_run = true},
    {PARAMS(PACKAGE), "package", no_alias, CS_WORKER_MEDIA, TYPE(STREAM), "master.m3u8", RENDER_MS, STUCK_MS, false,
     .ends_run = true},
    {PARAMS(DENOISE), "denoise", no_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "denoised.mp4", RENDER_MS, STUCK_MS, false,
     .fusible = true},
    {PARAMS(STABILISE), "stabilise", stabilise_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "stabilised.mp4", RENDER_MS,
     STUCK_MS, false, .fusible = true},
    {PARAMS(MIX_AUDIO), "mixAudio", mix_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "mixed.mp4", RENDER_MS, STUCK_MS, false,
     .audio_alone = true, .fusible = true},
    {PARAMS(LOUDNESS), "loudness", loudness_alias, CS_WORKER_MEDIA, TYPE(VIDEO), "leveled.mp4", RENDER_MS, STUCK_MS,
     false, .audio_alone = true, .fusible = true},
    {PARAMS(DELIVER_WEBHOOK), "deliverWebhook", no_alias, CS_WORKER_WEBHOOKS, TYPE(UNSPECIFIED), "", DELIVER_MS, 0,
     true},
    {PARAMS(MAP), "map", no_alias, CS_WORKER_ORCHESTRATOR, TYPE(UNSPECIFIED), "", MAP_MS, 0, false},
    {PARAMS(IMPORT), "import", no_alias, CS_WORKER_ORCHESTRATOR, TYPE(UNSPECIFIED), "", NOOP_MS, 0, true},
    {PARAMS(EXTERNAL), "external", no_alias, CS_WORKER_OUTSIDE, TYPE(UNSPECIFIED), "", EXTERNAL_MS, 0, false},
    {PARAMS(NOOP), "noop", no_alias, CS_WORKER_TEST, TYPE(UNSPECIFIED), "", NOOP_MS, 0, false},
};

size_t cs_catalog_count(void) {
    return CS_COUNT(operations);
}

const struct cs_operation *cs_catalog_at(size_t index) {
    return index < CS_COUNT(operations) ? &operations[index] : NULL;
}

static bool has_name(const struct cs_operation *operation, const char *name) {
    bool found = cs_str_eq(operation->name, name);
    for (const char *const *alias = operation->aliases; *alias != NULL; alias++) {
        found = found || cs_str_eq(*alias, name);
    }
    return found;
}

const struct cs_operation *cs_catalog_by_name(const char *name) {
    for (size_t i = 0; i < CS_COUNT(operations); i++) {
        if (has_name(&operations[i], name)) {
            return &operations[i];
        }
    }
    return NULL;
}

const struct cs_operation *cs_catalog_by_case(Callsheet__V1__Operation__ParamsCase which) {
    for (size_t i = 0; i < CS_COUNT(operations); i++) {
        if (operations[i].which == which) {
            return &operations[i];
        }
    }
    return NULL;
}

ProtobufCMessage *cs_operation_params(const Callsheet__V1__Operation *operation) {
    if (operation == NULL || cs_catalog_by_case(operation->params_case) == NULL) {
        return NULL;
    }
    return (ProtobufCMessage *)operation->noop; /* every member of the union is a pointer to a message */
}
