#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/id.h"
#include "cs/base/text.h"

/* ---- pieces ---- */

struct check_name check_at(const char *list, size_t index, const char *member) {
    struct check_name name;
    (void)snprintf(name.text, sizeof(name.text), "%s[%zu]%s", list, index, member);
    return name;
}

enum cs_status check_length(const char *path, const char *text, size_t bytes_max, struct cs_err *err) {
    size_t length = strlen(text);
    if (length > bytes_max) {
        return cs_fail_at(err, path, "too_long", "%s has %zu bytes, at most %zu are allowed", path, length, bytes_max);
    }
    return CS_OK;
}

enum cs_status check_required(const char *path, const char *text, size_t bytes_max, struct cs_err *err) {
    if (text[0] == '\0') {
        return cs_fail_at(err, path, "required", "%s is required", path);
    }
    return check_length(path, text, bytes_max, err);
}

enum cs_status check_plain(const char *path, const char *text, struct cs_err *err) {
    CS_TRY(check_length(path, text, NAME_BYTES_MAX, err));
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7F) {
            return cs_fail_at(err, path, "bad_text", "%s must not contain control characters", path);
        }
    }
    return CS_OK;
}

enum cs_status check_real(const char *path, double value, double min, double max, struct cs_err *err) {
    if (!isfinite(value) || value < min || value > max) {
        return cs_fail_at(err, path, "out_of_range", "%s must be from %g to %g", path, min, max);
    }
    return CS_OK;
}

enum cs_status check_opt_real(const char *path, const Google__Protobuf__DoubleValue *value, double min, double max,
                              struct cs_err *err) {
    return value == NULL ? CS_OK : check_real(path, value->value, min, max, err);
}

enum cs_status check_opt_u32(const char *path, const Google__Protobuf__UInt32Value *value, uint32_t min, uint32_t max,
                             struct cs_err *err) {
    return value == NULL ? CS_OK : check_real(path, value->value, min, max, err);
}

enum cs_status check_word(const char *path, const char *word, const char *const *words, struct cs_err *err) {
    char known[256] = "";
    size_t used = 0;
    for (const char *const *at = words; *at != NULL; at++) {
        if (word[0] == '\0' || strcmp(word, *at) == 0) {
            return CS_OK;
        }
        int length = snprintf(known + used, sizeof(known) - used, "%s%s", used != 0 ? ", " : "", *at);
        used += length > 0 && (size_t)length < sizeof(known) - used ? (size_t)length : 0;
    }
    char shown[65];
    cs_str_copy(shown, sizeof(shown), word);
    return cs_fail_at(err, path, "unknown_word", "\"%s\" is not one of %s", shown, known);
}

enum cs_status check_enum(const char *path, const ProtobufCEnumDescriptor *descriptor, int value, struct cs_err *err) {
    if (protobuf_c_enum_descriptor_get_value(descriptor, value) == NULL) {
        return cs_fail_at(err, path, "unknown_word", "%s has no value %d", path, value);
    }
    return CS_OK;
}

enum cs_status check_ref(const char *path, const Callsheet__V1__MediaRef *ref, bool required, struct cs_err *err) {
    if (ref == NULL || ref->source_case == CALLSHEET__V1__MEDIA_REF__SOURCE__NOT_SET) {
        if (ref == NULL && !required) {
            return CS_OK;
        }
        return cs_fail_at(err, path, "required", "%s must name a job, a URL or an upload", path);
    }
    switch (ref->source_case) {
    case CALLSHEET__V1__MEDIA_REF__SOURCE_JOB:
        if (!cs_id_valid(ref->job, CS_JOB_ID_MAX) && !cs_str_eq(ref->job, CS_BASE_RESULT)) {
            return cs_fail_at(err, path, "bad_id", "%s must be a job's id: 1 to %d of A-Z a-z 0-9 _ . : -", path,
                              CS_JOB_ID_MAX);
        }
        return CS_OK;
    case CALLSHEET__V1__MEDIA_REF__SOURCE_URL:
        if (!cs_web_url_valid(ref->url)) {
            return cs_fail_at(err, path, "bad_url", "%s must be an http or https URL of at most %d bytes", path,
                              CS_URL_BYTES_MAX);
        }
        return CS_OK;
    case CALLSHEET__V1__MEDIA_REF__SOURCE_UPLOAD:
        if (!cs_id_valid(ref->upload, CS_JOB_ID_MAX)) {
            return cs_fail_at(err, path, "bad_id", "%s must be the id of an upload", path);
        }
        return CS_OK;
    default:
        return cs_fail_at(err, path, "unknown_source", "%s has a kind of source that is not known here", path);
    }
}

/* ---- generation ---- */

static const char *const providers[] = {"local", "replicate", "fal", "google-cloud", "hume", "elevenlabs", NULL};
static const char *const resolutions[] = {"480p", "720p", "1080p", NULL};
static const char *const generation_ratios[] = {"16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "9:21", NULL};
static const char *const image_formats[] = {"png", "jpg", "webp", NULL};

static enum cs_status check_provider(const char *provider, const char *model, struct cs_err *err) {
    CS_TRY(check_required("provider", provider, NAME_BYTES_MAX, err));
    if (check_word("provider", provider, providers, NULL) != CS_OK) {
        char shown[65];
        cs_str_copy(shown, sizeof(shown), provider);
        return cs_fail_at(err, "provider", "unknown_provider", "Unknown provider: %s", shown);
    }
    return check_plain("model", model, err);
}

static enum cs_status check_generate_video(const Callsheet__V1__GenerateVideo *params, struct cs_err *err) {
    bool driven = params->image != NULL || params->start_image != NULL || params->audio != NULL;
    if (params->prompt[0] == '\0' && !driven) {
        return cs_fail_at(err, "prompt", "required", "prompt is required unless an image or audio is given");
    }
    CS_TRY(check_length("prompt", params->prompt, PROMPT_BYTES_MAX, err));
    CS_TRY(check_provider(params->provider, params->model, err));
    CS_TRY(check_opt_real("duration", params->duration, 0.1, 60, err));
    CS_TRY(check_word("resolution", params->resolution, resolutions, err));
    CS_TRY(check_word("aspectRatio", params->aspect_ratio, generation_ratios, err));
    CS_TRY(check_ref("image", params->image, false, err));
    CS_TRY(check_ref("startImage", params->start_image, false, err));
    CS_TRY(check_ref("endImage", params->end_image, false, err));
    CS_TRY(check_ref("audio", params->audio, false, err));
    return check_enum("cameraMotion", &callsheet__v1__camera_motion__descriptor, (int)params->camera_motion, err);
}

static enum cs_status check_generate_image(const Callsheet__V1__GenerateImage *params, struct cs_err *err) {
    if (params->prompt[0] == '\0' && params->n_image == 0) {
        return cs_fail_at(err, "prompt", "required", "Either prompt or image must be provided");
    }
    CS_TRY(check_length("prompt", params->prompt, PROMPT_BYTES_MAX, err));
    CS_TRY(check_provider(params->provider, params->model, err));
    if (params->n_image > IMAGES_MAX) {
        return cs_fail_at(err, "image", "too_many", "at most %d images are allowed", IMAGES_MAX);
    }
    for (size_t i = 0; i < params->n_image; i++) {
        CS_TRY(check_ref(check_at("image", i, "").text, params->image[i], true, err));
    }
    CS_TRY(check_word("aspectRatio", params->aspect_ratio, generation_ratios, err));
    return check_word("outputFormat", params->output_format, image_formats, err);
}

static enum cs_status check_generate_audio(const Callsheet__V1__GenerateAudio *params, struct cs_err *err) {
    CS_TRY(check_required("text", params->text, SPEECH_BYTES_MAX, err));
    CS_TRY(check_provider(params->provider, params->model, err));
    CS_TRY(check_plain("voice", params->voice, err));
    return check_opt_real("speed", params->speed, 0.5, 2, err);
}

/* ---- editing ---- */

static bool is_visual(Callsheet__V1__MediaType type) {
    return type != CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO; /* or decided by content */
}

static bool is_more(const Google__Protobuf__DoubleValue *value) {
    return value != NULL && value->value > 0;
}

const char *cs_merge_sound_field(const Callsheet__V1__MergeItem *item) {
    return is_more(item->offset)       ? "offset"
           : item->loop                ? "loop"
           : is_more(item->fade_in)    ? "fadeIn"
           : is_more(item->fade_out)   ? "fadeOut"
           : is_more(item->trim_start) ? "trimStart"
                                       : NULL;
}

static enum cs_status check_merge_item(const Callsheet__V1__MergeItem *item, size_t i, struct cs_err *err) {
    struct check_name type = check_at("items", i, ".type");
    CS_TRY(check_ref(check_at("items", i, ".media").text, item->media, true, err));
    CS_TRY(check_enum(type.text, &callsheet__v1__media_type__descriptor, (int)item->type, err));
    if (item->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT ||
        item->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_CUT_PLAN ||
        item->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_REFRAME_PATH ||
        item->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_STREAM) {
        return cs_fail_at(err, type.text, "unknown_word", "only videos, images and sound can be merged");
    }
    CS_TRY(check_opt_real(check_at("items", i, ".duration").text, item->duration, 0.01, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_opt_real(check_at("items", i, ".offset").text, item->offset, 0, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_opt_real(check_at("items", i, ".volume").text, item->volume, 0, 1, err));
    CS_TRY(check_opt_real(check_at("items", i, ".fadeIn").text, item->fade_in, 0, FADE_S_MAX, err));
    CS_TRY(check_opt_real(check_at("items", i, ".fadeOut").text, item->fade_out, 0, FADE_S_MAX, err));
    CS_TRY(check_opt_real(check_at("items", i, ".trimStart").text, item->trim_start, 0, MEDIA_SECONDS_MAX, err));
    const char *name = cs_merge_sound_field(item);
    if (name != NULL && item->type != CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO &&
        item->type != CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED) {
        char member[32];
        (void)snprintf(member, sizeof(member), ".%s", name);
        return cs_fail_at(err, check_at("items", i, member).text, "not_applicable",
                          "%s is for audio items; videos and images follow one another", name);
    }
    return CS_OK;
}

enum cs_status check_transition(const Callsheet__V1__Transition *transition, double seconds_min, struct cs_err *err) {
    if (transition == NULL) {
        return CS_OK;
    }
    if (transition->type[0] != '\0' && cs_transition_name(transition->type) == NULL) {
        char shown[65];
        cs_str_copy(shown, sizeof(shown), transition->type);
        return cs_fail_at(err, "transition.type", "unknown_word",
                          "\"%s\" is not a transition (fade, dissolve, wipeleft and the other names of FFmpeg's xfade)",
                          shown);
    }
    return check_opt_real("transition.duration", transition->duration, seconds_min, 10, err);
}

static enum cs_status check_merge(const Callsheet__V1__Merge *params, struct cs_err *err) {
    uint32_t num = 0;
    uint32_t den = 0;
    bool visual = false;
    if (params->n_items == 0) {
        return cs_fail_at(err, "items", "required", "At least 1 item required for merging");
    }
    if (params->n_items > MERGE_ITEMS_MAX) {
        return cs_fail_at(err, "items", "too_many", "at most %d items are allowed", MERGE_ITEMS_MAX);
    }
    for (size_t i = 0; i < params->n_items; i++) {
        CS_TRY(check_merge_item(params->items[i], i, err));
        visual = visual || is_visual(params->items[i]->type);
    }
    if (!visual) {
        return cs_fail_at(err, "items", "no_visual", "At least 1 visual item (video or image) required for merging");
    }
    CS_TRY(check_transition(params->transition, MERGE_TRANSITION_S_MIN, err));
    if (params->frame_rate[0] != '\0' && !cs_frame_rate(params->frame_rate, &num, &den)) {
        return cs_fail_at(err, "frameRate", "bad_frame_rate",
                          "frameRate must be a number or a fraction like 30000/1001, at most 120");
    }
    CS_TRY(check_fit(params->fit, params->pad_color, err));
    return check_reframe_ratio(params->aspect_ratio, err);
}

/* ---- maps: the template and the items are JSON, which the orchestrator reads ---- */

static enum cs_status check_map(const Callsheet__V1__Map *params, struct cs_err *err) {
    if ((params->n_items != 0) == (params->items_from != NULL)) {
        return cs_fail_at(err, "items", params->n_items != 0 ? "one_of" : "required",
                          "a map needs either items or a job whose outputs they are");
    }
    if (params->n_items > MAP_ITEMS_MAX) {
        return cs_fail_at(err, "items", "too_many", "at most %d items are allowed", MAP_ITEMS_MAX);
    }
    if (params->n_without > MAP_ITEMS_MAX) {
        return cs_fail_at(err, "without", "too_many", "at most %d items are allowed", MAP_ITEMS_MAX);
    }
    CS_TRY(check_ref("itemsFrom", params->items_from, false, err));
    if (params->items_from != NULL && params->items_from->source_case != CALLSHEET__V1__MEDIA_REF__SOURCE_JOB) {
        return cs_fail_at(err, "itemsFrom", "required", "itemsFrom must name a job");
    }
    CS_TRY(check_required("job", params->job, CS_JOB_PARAMS_BYTES_MAX, err));
    CS_TRY(check_real("maxParallel", params->max_parallel, 0, MAP_ITEMS_MAX, err));
    return check_enum("onItemFailure", &callsheet__v1__item_failure__descriptor, (int)params->on_item_failure, err);
}

/* ---- outside ---- */

/* That data is JSON is for those to check who read JSON. */
static enum cs_status check_external(const Callsheet__V1__External *params, struct cs_err *err) {
    CS_TRY(check_required("name", params->name, NAME_BYTES_MAX, err));
    CS_TRY(check_plain("name", params->name, err));
    CS_TRY(check_length("instructions", params->instructions, INSTRUCTIONS_BYTES_MAX, err));
    CS_TRY(check_length("data", params->data, CS_EXTERNAL_DATA_BYTES_MAX, err));
    if (params->heartbeat_timeout_ms != 0) {
        CS_TRY(check_real("heartbeatTimeoutMs", (double)params->heartbeat_timeout_ms, HEARTBEAT_MS_MIN,
                          HEARTBEAT_MS_MAX, err));
    }
    return check_enum("output", &callsheet__v1__media_type__descriptor, (int)params->output, err);
}

/* ---- internal ---- */

static enum cs_status check_deliver_webhook(const Callsheet__V1__DeliverWebhook *params, struct cs_err *err) {
    if (!cs_web_url_valid(params->url)) {
        return cs_fail_at(err, "url", "bad_url", "url must be an http or https URL of at most %d bytes",
                          CS_URL_BYTES_MAX);
    }
    CS_TRY(check_length("secret", params->secret, WEBHOOK_SECRET_BYTES_MAX, err));
    CS_TRY(check_required("eventId", params->event_id, NAME_BYTES_MAX, err));
    if (params->body.len > WEBHOOK_BODY_BYTES_MAX) {
        return cs_fail_at(err, "body", "too_long", "body has at most %d bytes", WEBHOOK_BODY_BYTES_MAX);
    }
    return CS_OK;
}

static enum cs_status check_size(const ProtobufCMessage *params, struct cs_err *err) {
    size_t size = protobuf_c_message_get_packed_size(params);
    if (size > CS_JOB_PARAMS_BYTES_MAX) {
        return cs_fail_at(err, "", "too_big", "the parameters of a job have at most %d bytes", CS_JOB_PARAMS_BYTES_MAX);
    }
    return CS_OK;
}

enum cs_status cs_catalog_check(const Callsheet__V1__Operation *operation, struct cs_err *err) {
    const ProtobufCMessage *params = cs_operation_params(operation);
    if (params == NULL) {
        return cs_fail_at(err, "", "no_operation", "the job has no operation that is known here");
    }
    switch (operation->params_case) {
    case CALLSHEET__V1__OPERATION__PARAMS_GENERATE_VIDEO:
        CS_TRY(check_generate_video(operation->generate_video, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_GENERATE_IMAGE:
        CS_TRY(check_generate_image(operation->generate_image, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_GENERATE_AUDIO:
        CS_TRY(check_generate_audio(operation->generate_audio, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_MERGE:
        CS_TRY(check_merge(operation->merge, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_REFRAME:
        CS_TRY(check_reframe(operation->reframe, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_DENOISE:
        CS_TRY(check_denoise(operation->denoise, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_STABILISE:
        CS_TRY(check_stabilise(operation->stabilise, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_LIP_SYNC:
        CS_TRY(check_lip_sync(operation->lip_sync, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_ADD_SUBTITLES:
        CS_TRY(check_add_subtitles(operation->add_subtitles, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_EXTRACT_AUDIO:
        CS_TRY(check_extract_audio(operation->extract_audio, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_TRANSCRIBE:
        CS_TRY(check_transcribe(operation->transcribe, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_PLAN_CUTS:
        CS_TRY(check_plan_cuts(operation->plan_cuts, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_CUT:
        CS_TRY(check_cut(operation->cut, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_RETIME_SUBTITLES:
        CS_TRY(check_retime_subtitles(operation->retime_subtitles, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_BRAND:
        CS_TRY(check_brand(operation->brand, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_LAYER:
        CS_TRY(check_layer(operation->layer, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_REPLACE_GREEN_SCREEN:
        CS_TRY(check_replace_green_screen(operation->replace_green_screen, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_OVERLAY_TEXT:
        CS_TRY(check_overlay_text(operation->overlay_text, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_TRIM:
        CS_TRY(check_trim(operation->trim, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_SPEED:
        CS_TRY(check_speed(operation->speed, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_TRANSITIONS:
        CS_TRY(check_transitions(operation->transitions, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_REVERSE:
        CS_TRY(check_reverse(operation->reverse, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_STITCH:
        CS_TRY(check_stitch(operation->stitch, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_FREEZE:
        CS_TRY(check_freeze(operation->freeze, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_GIF:
        CS_TRY(check_gif(operation->gif, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_THUMBNAIL:
        CS_TRY(check_thumbnail(operation->thumbnail, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_CONVERT:
        CS_TRY(check_convert(operation->convert, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_PACKAGE:
        CS_TRY(check_package(operation->package, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_MIX_AUDIO:
        CS_TRY(check_mix_audio(operation->mix_audio, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_LOUDNESS:
        CS_TRY(check_loudness(operation->loudness, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_MAP:
        CS_TRY(check_map(operation->map, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_EXTERNAL:
        CS_TRY(check_external(operation->external, err));
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_DELIVER_WEBHOOK:
        return check_deliver_webhook(operation->deliver_webhook, err); /* a size of its own */
    default:
        break;
    }
    return check_size(params, err);
}
