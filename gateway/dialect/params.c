#include <string.h>

#include "cs/base/text.h"
#include "dialect/reader.h"
#include "dialect/rules.h"

/* Members that have no rule keep name and value; what nobody knows is found by the descriptor. */
struct rule {
    Callsheet__V1__Operation__ParamsCase which; /* NOT_SET: every operation */
    const char *client_name;
    enum rule_kind kind;
    const char *native_name;
    enum cs_status (*read)(struct job_reader *job, const json_t *value, struct cs_err *err);
};

static enum cs_status reframe_crop(struct job_reader *job, const json_t *value, struct cs_err *err);
static enum cs_status audio_voice(struct job_reader *job, const json_t *value, struct cs_err *err);
static enum cs_status cut_transition_ms(struct job_reader *job, const json_t *value, struct cs_err *err);
static enum cs_status transitions_duration_ms(struct job_reader *job, const json_t *value, struct cs_err *err);
static enum cs_status transitions_audio_fade_ms(struct job_reader *job, const json_t *value, struct cs_err *err);

static enum cs_status number_as_text(struct job_reader *job, const char *name, const json_t *value, struct cs_err *err);
static enum cs_status convert_quality(struct job_reader *job, const json_t *value, struct cs_err *err);
static enum cs_status thumbnail_time(struct job_reader *job, const json_t *value, struct cs_err *err);

#define OP(word) CALLSHEET__V1__OPERATION__PARAMS_##word
#define ANY CALLSHEET__V1__OPERATION__PARAMS__NOT_SET

static const struct rule rules[] = {
    {ANY, "apiKey", RULE_SECRET, NULL, NULL},
    {ANY, "sendJobWebhook", RULE_OFF, NULL, NULL},

    {OP(GENERATE_VIDEO), "modelId", RULE_NAME, "model", NULL},
    {OP(GENERATE_VIDEO), "image", RULE_MEDIA, "image", NULL},
    {OP(GENERATE_VIDEO), "startImage", RULE_MEDIA, "startImage", NULL},
    {OP(GENERATE_VIDEO), "endImage", RULE_MEDIA, "endImage", NULL},
    {OP(GENERATE_VIDEO), "audio", RULE_MEDIA, "audio", NULL},

    {OP(GENERATE_IMAGE), "modelId", RULE_NAME, "model", NULL},
    {OP(GENERATE_IMAGE), "image", RULE_MEDIA_LIST, "image", NULL},

    {OP(GENERATE_AUDIO), "modelId", RULE_NAME, "model", NULL},
    {OP(GENERATE_AUDIO), "voiceId", RULE_NAME, "voice", NULL},
    {OP(GENERATE_AUDIO), "voice", RULE_READ, NULL, audio_voice},
    {OP(GENERATE_AUDIO), "stability", RULE_UNSUPPORTED, NULL, NULL},
    {OP(GENERATE_AUDIO), "similarityBoost", RULE_UNSUPPORTED, NULL, NULL},
    {OP(GENERATE_AUDIO), "style", RULE_UNSUPPORTED, NULL, NULL},
    {OP(GENERATE_AUDIO), "useSpeakerBoost", RULE_UNSUPPORTED, NULL, NULL},
    {OP(GENERATE_AUDIO), "outputFormat", RULE_UNSUPPORTED, NULL, NULL},
    {OP(GENERATE_AUDIO), "languageCode", RULE_UNSUPPORTED, NULL, NULL},
    {OP(GENERATE_AUDIO), "previousText", RULE_UNSUPPORTED, NULL, NULL},
    {OP(GENERATE_AUDIO), "nextText", RULE_UNSUPPORTED, NULL, NULL},
    {OP(GENERATE_AUDIO), "description", RULE_UNSUPPORTED, NULL, NULL},
    {OP(GENERATE_AUDIO), "trailingSilence", RULE_UNSUPPORTED, NULL, NULL},
    {OP(GENERATE_AUDIO), "format", RULE_UNSUPPORTED, NULL, NULL},
    {OP(GENERATE_AUDIO), "version", RULE_UNSUPPORTED, NULL, NULL},
    {OP(GENERATE_AUDIO), "numGenerations", RULE_UNSUPPORTED, NULL, NULL},

    {OP(MERGE), "inputs", RULE_READ, NULL, merge_inputs},
    {OP(MERGE), "items", RULE_READ, NULL, merge_items},
    {OP(MERGE), "transition", RULE_READ, NULL, merge_transition},
    {OP(MERGE), "frameRate", RULE_READ, NULL, merge_frame_rate},

    {OP(EXTERNAL), "data", RULE_READ, NULL, external_data},

    {OP(MAP), "items", RULE_READ, NULL, map_items},
    {OP(MAP), "job", RULE_READ, NULL, map_job},

    {OP(REFRAME), "input", RULE_MEDIA, "video", NULL},
    {OP(REFRAME), "video", RULE_MEDIA, "video", NULL},
    {OP(REFRAME), "videoUrl", RULE_MEDIA_URL, "video", NULL},
    {OP(REFRAME), "crop", RULE_READ, NULL, reframe_crop},
    {OP(REFRAME), "path", RULE_MEDIA, "path", NULL},

    {OP(DENOISE), "input", RULE_MEDIA, "video", NULL},
    {OP(DENOISE), "video", RULE_MEDIA, "video", NULL},
    {OP(STABILISE), "input", RULE_MEDIA, "video", NULL},
    {OP(STABILISE), "video", RULE_MEDIA, "video", NULL},

    {OP(LIP_SYNC), "input", RULE_MEDIA, "video", NULL},
    {OP(LIP_SYNC), "video", RULE_MEDIA, "video", NULL},
    {OP(LIP_SYNC), "videoUrl", RULE_MEDIA_URL, "video", NULL},
    {OP(LIP_SYNC), "audio", RULE_MEDIA, "audio", NULL},
    {OP(LIP_SYNC), "audioUrl", RULE_MEDIA_URL, "audio", NULL},

    {OP(ADD_SUBTITLES), "input", RULE_MEDIA, "video", NULL},
    {OP(ADD_SUBTITLES), "video", RULE_MEDIA, "video", NULL},
    {OP(ADD_SUBTITLES), "videoUrl", RULE_MEDIA_URL, "video", NULL},
    {OP(ADD_SUBTITLES), "transcript", RULE_READ, NULL, subtitles_transcript},
    {OP(ADD_SUBTITLES), "subtitles", RULE_MEDIA, "transcript", NULL},
    {OP(ADD_SUBTITLES), "timing", RULE_READ, NULL, subtitles_timing},
    {OP(ADD_SUBTITLES), "style", RULE_READ, NULL, subtitles_style},

    {OP(EXTRACT_AUDIO), "media", RULE_MEDIA, "media", NULL},
    {OP(EXTRACT_AUDIO), "input", RULE_MEDIA, "media", NULL},
    {OP(EXTRACT_AUDIO), "video", RULE_MEDIA, "media", NULL},
    {OP(EXTRACT_AUDIO), "videoUrl", RULE_MEDIA_URL, "media", NULL},
    {OP(EXTRACT_AUDIO), "outputFormat", RULE_NAME, "format", NULL},
    {OP(MIX_AUDIO), "input", RULE_MEDIA, "video", NULL},
    {OP(MIX_AUDIO), "video", RULE_MEDIA, "video", NULL},
    {OP(MIX_AUDIO), "videoUrl", RULE_MEDIA_URL, "video", NULL},
    {OP(MIX_AUDIO), "audio", RULE_MEDIA, "audio", NULL},
    {OP(MIX_AUDIO), "audioUrl", RULE_MEDIA_URL, "audio", NULL},
    {OP(MIX_AUDIO), "tracks", RULE_READ, NULL, mix_tracks},
    {OP(LOUDNESS), "input", RULE_MEDIA, "video", NULL},
    {OP(LOUDNESS), "video", RULE_MEDIA, "video", NULL},
    {OP(LOUDNESS), "videoUrl", RULE_MEDIA_URL, "video", NULL},
    {OP(LOUDNESS), "audio", RULE_MEDIA, "audio", NULL},
    {OP(LOUDNESS), "audioUrl", RULE_MEDIA_URL, "audio", NULL},
    {OP(LOUDNESS), "lufs", RULE_NAME, "target", NULL},
    {OP(TRANSCRIBE), "media", RULE_MEDIA, "media", NULL},
    {OP(TRANSCRIBE), "input", RULE_MEDIA, "media", NULL},
    {OP(TRANSCRIBE), "audio", RULE_MEDIA, "media", NULL},
    {OP(PLAN_CUTS), "transcript", RULE_MEDIA, "transcript", NULL},
    {OP(PLAN_CUTS), "media", RULE_MEDIA, "media", NULL},
    {OP(CUT), "input", RULE_MEDIA, "video", NULL},
    {OP(CUT), "video", RULE_MEDIA, "video", NULL},
    {OP(CUT), "plan", RULE_MEDIA, "plan", NULL},
    {OP(CUT), "transition", RULE_READ, NULL, merge_transition},
    {OP(CUT), "transitionMs", RULE_READ, NULL, cut_transition_ms},
    {OP(RETIME_SUBTITLES), "transcript", RULE_MEDIA, "transcript", NULL},
    {OP(RETIME_SUBTITLES), "subtitles", RULE_MEDIA, "transcript", NULL},
    {OP(RETIME_SUBTITLES), "plan", RULE_MEDIA, "plan", NULL},
    {OP(RETIME_SUBTITLES), "video", RULE_MEDIA, "video", NULL},
    {OP(RETIME_SUBTITLES), "intro", RULE_MEDIA, "intro", NULL},
    {OP(TRIM), "input", RULE_MEDIA, "video", NULL},
    {OP(TRIM), "video", RULE_MEDIA, "video", NULL},
    {OP(SPEED), "input", RULE_MEDIA, "video", NULL},
    {OP(SPEED), "video", RULE_MEDIA, "video", NULL},
    {OP(SPEED), "speed", RULE_NAME, "factor", NULL},
    {OP(TRANSITIONS), "items", RULE_READ, NULL, transitions_items},
    {OP(TRANSITIONS), "plan", RULE_MEDIA, "plan", NULL},
    {OP(TRANSITIONS), "transition", RULE_READ, NULL, merge_transition},
    {OP(TRANSITIONS), "durationMs", RULE_READ, NULL, transitions_duration_ms},
    {OP(TRANSITIONS), "audioFadeMs", RULE_READ, NULL, transitions_audio_fade_ms},
    {OP(REVERSE), "input", RULE_MEDIA, "video", NULL},
    {OP(REVERSE), "video", RULE_MEDIA, "video", NULL},
    {OP(STITCH), "scenes", RULE_READ, NULL, stitch_scenes},
    {OP(STITCH), "transition", RULE_READ, NULL, merge_transition},
    {OP(STITCH), "audio", RULE_MEDIA, "audio", NULL},
    {OP(STITCH), "frameRate", RULE_READ, NULL, merge_frame_rate},
    {OP(FREEZE), "input", RULE_MEDIA, "video", NULL},
    {OP(FREEZE), "video", RULE_MEDIA, "video", NULL},
    {OP(BRAND), "input", RULE_MEDIA, "video", NULL},
    {OP(BRAND), "video", RULE_MEDIA, "video", NULL},
    {OP(BRAND), "intro", RULE_MEDIA, "intro", NULL},
    {OP(BRAND), "outro", RULE_MEDIA, "outro", NULL},
    {OP(BRAND), "logo", RULE_MEDIA, "logo", NULL},

    {OP(LAYER), "layers", RULE_READ, NULL, layer_layers},
    {OP(OVERLAY_TEXT), "input", RULE_MEDIA, "video", NULL},
    {OP(OVERLAY_TEXT), "video", RULE_MEDIA, "video", NULL},
    {OP(OVERLAY_TEXT), "videoUrl", RULE_MEDIA_URL, "video", NULL},
    {OP(OVERLAY_TEXT), "texts", RULE_READ, NULL, text_list},
    {OP(OVERLAY_TEXT), "text", RULE_READ, NULL, text_alone},
    {OP(REPLACE_GREEN_SCREEN), "input", RULE_MEDIA, "video", NULL},
    {OP(REPLACE_GREEN_SCREEN), "video", RULE_MEDIA, "video", NULL},
    {OP(REPLACE_GREEN_SCREEN), "videoUrl", RULE_MEDIA_URL, "video", NULL},
    {OP(REPLACE_GREEN_SCREEN), "background", RULE_MEDIA_LIST, "background", NULL},
    {OP(GIF), "input", RULE_MEDIA, "video", NULL},
    {OP(GIF), "video", RULE_MEDIA, "video", NULL},
    {OP(GIF), "videoUrl", RULE_MEDIA_URL, "video", NULL},
    {OP(THUMBNAIL), "input", RULE_MEDIA, "video", NULL},
    {OP(THUMBNAIL), "video", RULE_MEDIA, "video", NULL},
    {OP(THUMBNAIL), "videoUrl", RULE_MEDIA_URL, "video", NULL},
    {OP(THUMBNAIL), "time", RULE_READ, NULL, thumbnail_time},
    {OP(CONVERT), "input", RULE_MEDIA, "video", NULL},
    {OP(CONVERT), "video", RULE_MEDIA, "video", NULL},
    {OP(CONVERT), "videoUrl", RULE_MEDIA_URL, "video", NULL},
    {OP(CONVERT), "outputFormat", RULE_NAME, "container", NULL},
    {OP(CONVERT), "format", RULE_NAME, "container", NULL},
    {OP(CONVERT), "codec", RULE_NAME, "videoCodec", NULL},
    {OP(CONVERT), "maxBitrate", RULE_NAME, "maxBitrateKbps", NULL},
    {OP(CONVERT), "maxHeight", RULE_NAME, "height", NULL},
    {OP(CONVERT), "targetSize", RULE_NAME, "targetSizeMb", NULL},
    {OP(CONVERT), "quality", RULE_READ, NULL, convert_quality},
    {OP(CONVERT), "frameRate", RULE_READ, NULL, merge_frame_rate},
    {OP(PACKAGE), "input", RULE_MEDIA, "video", NULL},
    {OP(PACKAGE), "video", RULE_MEDIA, "video", NULL},
    {OP(PACKAGE), "videoUrl", RULE_MEDIA_URL, "video", NULL},
    {OP(PACKAGE), "transcript", RULE_READ, NULL, subtitles_transcript},
    {OP(PACKAGE), "subtitles", RULE_MEDIA, "transcript", NULL},
};

static const struct rule *find_rule(Callsheet__V1__Operation__ParamsCase which, const char *name) {
    for (size_t i = 0; i < CS_COUNT(rules); i++) {
        if ((rules[i].which == which || rules[i].which == ANY) && strcmp(rules[i].client_name, name) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

bool gw_rule_at(Callsheet__V1__Operation__ParamsCase which, size_t index, struct gw_rule *ret_rule) {
    for (size_t i = 0; i < CS_COUNT(rules); i++) {
        if ((rules[i].which == which || rules[i].which == ANY) && index-- == 0) {
            *ret_rule = (struct gw_rule){rules[i].kind, rules[i].client_name, rules[i].native_name};
            return true;
        }
    }
    return false;
}

const char *job_client_param(struct job_reader *job, const char *name) {
    return cs_arena_sprintf(job->arena, "%s%sparams.%s", job->client, job->client[0] != '\0' ? "." : "", name);
}

const char *job_native_param(struct job_reader *job, const char *name) {
    return cs_arena_sprintf(job->arena, "%s%sparams.%s", job->native, job->native[0] != '\0' ? "." : "", name);
}

enum cs_status job_put(struct job_reader *job, const char *native_name, const char *client_name, json_t *value,
                       struct cs_err *err) {
    bool taken = json_object_get(job->out, native_name) != NULL;
    if (!taken && strcmp(native_name, client_name) != 0) {
        gw_paths_add(job->paths, job_native_param(job, native_name), job_client_param(job, client_name));
    }
    if (!taken) {
        (void)json_object_set_new(job->out, native_name, value);
        return CS_OK;
    }
    json_decref(value);
    return cs_fail_at(err, job_client_param(job, client_name), "one_of", "%s was given under another name already",
                      native_name);
}

/* ---- members with rules of their own ---- */

/* The SDK's word for the mode that finds its window itself. */
static enum cs_status reframe_crop(struct job_reader *job, const json_t *value, struct cs_err *err) {
    bool smart = cs_str_eq(json_string_value(value), "smart");
    return job_put(job, smart ? "mode" : "crop", "crop", json_incref((json_t *)value), err);
}

/* A voice's id, or {id} or {name}. */
static enum cs_status audio_voice(struct job_reader *job, const json_t *value, struct cs_err *err) {
    static const char *const known[] = {"id", "name", NULL};
    const char *path = job_client_param(job, "voice");
    if (!json_is_object(value)) {
        return job_put(job, "voice", "voice", json_incref((json_t *)value), err);
    }
    if (member(value, "provider") != NULL) {
        return fail_unsupported(path_member(job->arena, path, "provider"), err,
                                "libraries of voices are not supported; give the voice's id");
    }
    CS_TRY(need_only(value, path, known, job->arena, err));
    const char *name = member(value, "id") != NULL ? "id" : "name";
    if (member(value, name) == NULL) {
        return cs_fail_at(err, path, "required", "%s needs an id or a name", path);
    }
    return job_put(job, "voice", cs_arena_sprintf(job->arena, "voice.%s", name),
                   json_incref((json_t *)member(value, name)), err);
}

/* A number where the operation takes words too. */
static enum cs_status number_as_text(struct job_reader *job, const char *name, const json_t *value,
                                     struct cs_err *err) {
    json_t *text = json_is_number(value) ? json_string(cs_arena_sprintf(job->arena, "%.15g", json_number_value(value)))
                                         : json_incref((json_t *)value);
    return job_put(job, name, name, text, err);
}

static enum cs_status convert_quality(struct job_reader *job, const json_t *value, struct cs_err *err) {
    return number_as_text(job, "quality", value, err);
}

static enum cs_status thumbnail_time(struct job_reader *job, const json_t *value, struct cs_err *err) {
    return number_as_text(job, "time", value, err);
}

static enum cs_status read_ms(struct job_reader *job, const char *name, const json_t *value, double *ret_seconds,
                              struct cs_err *err) {
    enum { MS_MIN = 1, MS_MAX = GW_TRANSITION_MS_MAX };
    json_int_t ms = json_integer_value(value);
    if (!json_is_integer(value) || ms < MS_MIN || ms > MS_MAX) {
        return cs_fail_at(err, job_client_param(job, name), "out_of_range", "%s must be a whole number from %d to %d",
                          name, MS_MIN, MS_MAX);
    }
    *ret_seconds = (double)ms / 1000;
    return CS_OK;
}

/* A cross-fade of so many milliseconds. */
static enum cs_status put_fade_ms(struct job_reader *job, const char *name, const json_t *value, struct cs_err *err) {
    double seconds = 0;
    CS_TRY(read_ms(job, name, value, &seconds, err));
    return job_put(job, "transition", name, json_pack("{s:s, s:f}", "type", "fade", "duration", seconds), err);
}

static enum cs_status cut_transition_ms(struct job_reader *job, const json_t *value, struct cs_err *err) {
    return put_fade_ms(job, "transitionMs", value, err);
}

static enum cs_status transitions_duration_ms(struct job_reader *job, const json_t *value, struct cs_err *err) {
    return put_fade_ms(job, "durationMs", value, err);
}

static enum cs_status transitions_audio_fade_ms(struct job_reader *job, const json_t *value, struct cs_err *err) {
    double seconds = 0;
    CS_TRY(read_ms(job, "audioFadeMs", value, &seconds, err));
    return job_put(job, "audioFadeDuration", "audioFadeMs", json_real(seconds), err);
}

enum cs_status check_inputs(size_t count, const char *path, struct cs_err *err) {
    if (count > CS_JOB_INPUTS_MAX) {
        return cs_fail_at(err, path, "too_many", "a job has at most %d inputs", CS_JOB_INPUTS_MAX);
    }
    return CS_OK;
}

static enum cs_status put_media_list(struct job_reader *job, const struct rule *rule, const json_t *value,
                                     struct cs_err *err) {
    const char *path = job_client_param(job, rule->client_name);
    CS_AUTO_JSON *list = json_array();
    bool one = !json_is_array(value);
    CS_TRY(check_inputs(json_array_size(value), path, err));
    for (size_t i = 0; i < (one ? 1 : json_array_size(value)); i++) {
        json_t *ref = NULL;
        const char *at = one ? path : path_element(job->arena, path, i);
        CS_TRY(read_media(one ? value : json_array_get(value, i), MEDIA_TEXT_ANY, at, job->arena, &ref, NULL, err));
        (void)json_array_append_new(list, ref);
    }
    if (one) {
        gw_paths_add(job->paths, path_element(job->arena, job_native_param(job, rule->native_name), 0), path);
    }
    return job_put(job, rule->native_name, rule->client_name, json_incref(list), err);
}

static bool is_off(const json_t *value) {
    return json_is_false(value) || (json_is_string(value) && json_string_length(value) == 0);
}

static enum cs_status apply(struct job_reader *job, const struct rule *rule, const json_t *value, struct cs_err *err) {
    const char *path = job_client_param(job, rule->client_name);
    json_t *ref = NULL;
    switch (rule->kind) {
    case RULE_NAME:
        return job_put(job, rule->native_name, rule->client_name, json_incref((json_t *)value), err);
    case RULE_MEDIA:
    case RULE_MEDIA_URL:
        CS_TRY(read_media(value, rule->kind == RULE_MEDIA ? MEDIA_TEXT_ANY : MEDIA_TEXT_URL, path, job->arena, &ref,
                          NULL, err));
        return job_put(job, rule->native_name, rule->client_name, ref, err);
    case RULE_MEDIA_LIST:
        return put_media_list(job, rule, value, err);
    case RULE_READ:
        return rule->read(job, value, err);
    case RULE_SECRET:
        return is_off(value) ? CS_OK
                             : fail_unsupported(path, err,
                                                "keys of providers come from the configuration of the "
                                                "service, not from plans");
    case RULE_OFF:
        return is_off(value) ? CS_OK : fail_unsupported(path, err, "%s is not supported yet", rule->client_name);
    case RULE_UNSUPPORTED:
        break;
    }
    return fail_unsupported(path, err, "%s is not supported yet", rule->client_name);
}

/* ---- inputs that only the dependencies name ---- */

bool names_job(const struct job_reader *job, const char *id) {
    static const char *const others[] = {"audio", "transcript", "plan", "path", "intro", "outro", "logo"};
    for (size_t i = 0; i < CS_COUNT(others); i++) {
        if (cs_str_eq(json_string_value(json_object_get(json_object_get(job->out, others[i]), "job")), id)) {
            return true;
        }
    }
    size_t index = 0;
    json_t *each = NULL;
    json_array_foreach(json_object_get(job->out, "background"), index, each) {
        if (cs_str_eq(json_string_value(json_object_get(each, "job")), id)) {
            return true;
        }
    }
    return false;
}

/* The one dependency that no other parameter names is the video. */
static enum cs_status video_implied(struct job_reader *job, struct cs_err *err) {
    size_t found = 0;
    size_t candidates = 0;
    if (json_object_get(job->out, "video") != NULL) {
        return CS_OK;
    }
    for (size_t i = 0; i < job->depends_count; i++) {
        if (!names_job(job, job->depends[i])) {
            found = i;
            candidates++;
        }
    }
    if (candidates != 1) {
        return CS_OK; /* the catalogue says that the video is missing */
    }
    CS_TRY(job_put(job, "video", "video", json_pack("{s:s}", "job", job->depends[found]), err));
    gw_paths_add(job->paths, job_native_param(job, "video"),
                 cs_arena_sprintf(job->arena, "%s.%s[%zu]", job->client, job->depends_name, found));
    return CS_OK;
}

enum cs_status read_params(struct job_reader *job, const struct cs_operation *operation, struct cs_err *err) {
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)job->params, name, value) {
        const struct rule *rule = find_rule(operation->which, name);
        if (json_is_null(value) && rule != NULL) {
            continue;
        }
        if (rule != NULL) {
            CS_TRY(apply(job, rule, value, err));
        } else {
            CS_TRY(job_put(job, name, name, json_incref(value), err));
        }
    }
    switch (operation->which) {
    case OP(MERGE):
        return list_implied(job, "items", err);
    case OP(TRANSITIONS):
        return list_implied(job, "items", err);
    case OP(STITCH):
        return list_implied(job, "scenes", err);
    case OP(REFRAME):
    case OP(LIP_SYNC):
    case OP(DENOISE):
    case OP(STABILISE):
    case OP(ADD_SUBTITLES):
    case OP(CUT):
    case OP(TRIM):
    case OP(REVERSE):
    case OP(SPEED):
    case OP(FREEZE):
    case OP(BRAND):
    case OP(REPLACE_GREEN_SCREEN):
    case OP(OVERLAY_TEXT):
    case OP(CONVERT):
    case OP(THUMBNAIL):
    case OP(GIF):
    case OP(PACKAGE):
        return video_implied(job, err);
    default:
        return CS_OK;
    }
}
