/*
 * check: the pieces that validate parameters. Each fails with the field's path and a stable reason.
 */
#ifndef CS_CATALOG_CHECK_H
#define CS_CATALOG_CHECK_H

#include "cs/catalog.h"

#define MERGE_TRANSITION_S_MIN 0.05

enum {
    PROMPT_BYTES_MAX = 8000,
    SPEECH_BYTES_MAX = 40000,
    CAPTION_TEXT_BYTES_MAX = 20000,
    CAPTION_WORDS_MAX = 20000,
    WORD_BYTES_MAX = 256,
    NAME_BYTES_MAX = 128, /* models, voices, fonts */
    LANGUAGE_BYTES_MAX = 35,
    IMAGES_MAX = 14,
    AUDIO_TRACKS_MAX = 64,
    FADE_S_MAX = 600,
    MERGE_ITEMS_MAX = 1000,
    MAP_ITEMS_MAX = 1000,
    MEDIA_SECONDS_MAX = 24 * 3600,
    INSTRUCTIONS_BYTES_MAX = 4000,
    HEARTBEAT_MS_MIN = 1000,
    HEARTBEAT_MS_MAX = 7 * 24 * 3600 * 1000,
    WEBHOOK_BODY_BYTES_MAX = 256 * 1024,
    WEBHOOK_SECRET_BYTES_MAX = 512,
    LAYERS_MAX = 100,
    LAYER_PARTS_MAX = 500,
    BACKGROUNDS_MAX = 100,
};

/* An element's path: check_at("items", 2, ".volume").text is "items[2].volume". */
struct check_name {
    char text[64];
};
struct check_name check_at(const char *list, size_t index, const char *member);

enum cs_status check_length(const char *path, const char *text, size_t bytes_max, struct cs_err *err);
enum cs_status check_required(const char *path, const char *text, size_t bytes_max, struct cs_err *err);
/* Printable, at most NAME_BYTES_MAX; "" is fine. */
enum cs_status check_plain(const char *path, const char *text, struct cs_err *err);
enum cs_status check_real(const char *path, double value, double min, double max, struct cs_err *err);
/* The absent value is fine. */
enum cs_status check_opt_real(const char *path, const Google__Protobuf__DoubleValue *value, double min, double max,
                              struct cs_err *err);
enum cs_status check_opt_u32(const char *path, const Google__Protobuf__UInt32Value *value, uint32_t min, uint32_t max,
                             struct cs_err *err);
/* "" is fine. words is NULL terminated. */
enum cs_status check_word(const char *path, const char *word, const char *const *words, struct cs_err *err);
enum cs_status check_enum(const char *path, const ProtobufCEnumDescriptor *descriptor, int value, struct cs_err *err);
/* The absent reference is fine unless required. */
enum cs_status check_ref(const char *path, const Callsheet__V1__MediaRef *ref, bool required, struct cs_err *err);

enum cs_status check_transition(const Callsheet__V1__Transition *transition, double seconds_min, struct cs_err *err);

/* Of subtitles: words with times, and the tag of a language ("" is fine). */
enum cs_status check_words(Callsheet__V1__Word *const *words, size_t count, struct cs_err *err);
enum cs_status check_language(const char *language, struct cs_err *err);

/* One of reframe's; "" is fine. */
enum cs_status check_reframe_ratio(const char *aspect_ratio, struct cs_err *err);
/* Of a merge. */
enum cs_status check_fit(const char *fit, const char *pad_color, struct cs_err *err);

enum cs_status check_denoise(const Callsheet__V1__Denoise *params, struct cs_err *err);
enum cs_status check_stabilise(const Callsheet__V1__Stabilise *params, struct cs_err *err);
enum cs_status check_reframe(const Callsheet__V1__Reframe *params, struct cs_err *err);
enum cs_status check_lip_sync(const Callsheet__V1__LipSync *params, struct cs_err *err);
enum cs_status check_mix_audio(const Callsheet__V1__MixAudio *params, struct cs_err *err);
enum cs_status check_loudness(const Callsheet__V1__Loudness *params, struct cs_err *err);
enum cs_status check_extract_audio(const Callsheet__V1__ExtractAudio *params, struct cs_err *err);
enum cs_status check_transcribe(const Callsheet__V1__Transcribe *params, struct cs_err *err);
enum cs_status check_plan_cuts(const Callsheet__V1__PlanCuts *params, struct cs_err *err);
enum cs_status check_cut(const Callsheet__V1__Cut *params, struct cs_err *err);
enum cs_status check_retime_subtitles(const Callsheet__V1__RetimeSubtitles *params, struct cs_err *err);
enum cs_status check_trim(const Callsheet__V1__Trim *params, struct cs_err *err);
enum cs_status check_speed(const Callsheet__V1__Speed *params, struct cs_err *err);
enum cs_status check_reverse(const Callsheet__V1__Reverse *params, struct cs_err *err);
enum cs_status check_transitions(const Callsheet__V1__Transitions *params, struct cs_err *err);
enum cs_status check_stitch(const Callsheet__V1__Stitch *params, struct cs_err *err);
enum cs_status check_freeze(const Callsheet__V1__Freeze *params, struct cs_err *err);
enum cs_status check_brand(const Callsheet__V1__Brand *params, struct cs_err *err);
enum cs_status check_layer(const Callsheet__V1__Layer *params, struct cs_err *err);
enum cs_status check_overlay_text(const Callsheet__V1__OverlayText *params, struct cs_err *err);
enum cs_status check_lower_third(const Callsheet__V1__LowerThird *third, struct cs_err *err);
enum cs_status check_replace_green_screen(const Callsheet__V1__ReplaceGreenScreen *params, struct cs_err *err);
enum cs_status check_gif(const Callsheet__V1__Gif *params, struct cs_err *err);
enum cs_status check_thumbnail(const Callsheet__V1__Thumbnail *params, struct cs_err *err);
enum cs_status check_package(const Callsheet__V1__Package *params, struct cs_err *err);
enum cs_status check_convert(const Callsheet__V1__Convert *params, struct cs_err *err);
enum cs_status check_add_subtitles(const Callsheet__V1__AddSubtitles *params, struct cs_err *err);

#endif
