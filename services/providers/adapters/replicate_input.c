/* replicate_input: our parameters -> the input of each model. */
#include <math.h>
#include <string.h>

#include "adapters/replicate.h"
#include "cs/base/text.h"

static const char *const video[] = {"generateVideo", NULL};
static const char *const image[] = {"generateImage", NULL};

/* ---- small helpers ---- */

static const char *input_of(const struct prv_job *job, const Callsheet__V1__MediaRef *ref) {
    return ref != NULL && ref->input >= 1 && ref->input <= job->input_count ? job->inputs[ref->input - 1] : NULL;
}

static void put_text(json_t *object, const char *name, const char *text) {
    if (!cs_str_empty(text)) {
        (void)json_object_set_new(object, name, json_string(text));
    }
}

static enum cs_status lacks(const char *path, bool given, struct cs_err *err) {
    return given ? cs_fail_at(err, path, "unsupported_parameter", "the model does not have the parameter %s", path)
                 : CS_OK;
}

static const Callsheet__V1__MediaRef *first_image(const Callsheet__V1__GenerateVideo *params) {
    return params->start_image != NULL ? params->start_image : params->image;
}

/* ---- video ---- */

static enum cs_status seedance(const struct prv_job *job, json_t *input, struct cs_err *err) {
    const Callsheet__V1__GenerateVideo *params = job->operation->generate_video;
    CS_TRY(lacks("audio", params->audio != NULL, err));
    put_text(input, "prompt", params->prompt);
    (void)json_object_set_new(input, "duration",
                              json_integer(params->duration != NULL ? (json_int_t)lround(params->duration->value) : 5));
    put_text(input, "resolution", params->resolution[0] != '\0' ? params->resolution : "720p");
    put_text(input, "aspect_ratio", params->aspect_ratio[0] != '\0' ? params->aspect_ratio : "16:9");
    put_text(input, "image", input_of(job, first_image(params)));
    put_text(input, "last_frame_image", input_of(job, params->end_image));
    if (params->seed != NULL) {
        (void)json_object_set_new(input, "seed", json_integer(params->seed->value));
    }
    if (params->camera_motion != CALLSHEET__V1__CAMERA_MOTION__CAMERA_MOTION_UNSPECIFIED) {
        (void)json_object_set_new(
            input, "camera_fixed",
            json_boolean(params->camera_motion == CALLSHEET__V1__CAMERA_MOTION__CAMERA_MOTION_FIXED));
    }
    return CS_OK;
}

static enum cs_status video_01(const struct prv_job *job, json_t *input, struct cs_err *err) {
    const Callsheet__V1__GenerateVideo *params = job->operation->generate_video;
    CS_TRY(lacks("duration", params->duration != NULL, err));
    CS_TRY(lacks("resolution", params->resolution[0] != '\0', err));
    CS_TRY(lacks("aspectRatio", params->aspect_ratio[0] != '\0', err));
    CS_TRY(lacks("seed", params->seed != NULL, err));
    CS_TRY(lacks("image", first_image(params) != NULL, err));
    CS_TRY(lacks("endImage", params->end_image != NULL, err));
    CS_TRY(lacks("audio", params->audio != NULL, err));
    put_text(input, "prompt", params->prompt);
    (void)json_object_set_new(input, "prompt_optimizer", json_true());
    return CS_OK;
}

static enum cs_status veo(const struct prv_job *job, json_t *input, struct cs_err *err) {
    const Callsheet__V1__GenerateVideo *params = job->operation->generate_video;
    double seconds = params->duration != NULL ? params->duration->value : 8;
    const char *ratio = params->aspect_ratio[0] != '\0' ? params->aspect_ratio : "16:9";
    bool known = cs_str_eq(ratio, "16:9") || cs_str_eq(ratio, "9:16") || cs_str_eq(ratio, "1:1");
    CS_TRY(lacks("audio", params->audio != NULL, err));
    if (!known) {
        return cs_fail_at(err, "aspectRatio", "unsupported_parameter", "the model does not have the shape %s", ratio);
    }
    put_text(input, "prompt", params->prompt);
    (void)json_object_set_new(input, "duration", json_integer(seconds <= 5 ? 4 : seconds <= 7 ? 6 : 8));
    put_text(input, "resolution", params->resolution[0] != '\0' ? params->resolution : "1080p");
    put_text(input, "aspect_ratio", ratio);
    (void)json_object_set_new(input, "generate_audio", json_false());
    put_text(input, "image", input_of(job, first_image(params)));
    put_text(input, "last_frame", input_of(job, params->end_image));
    if (params->seed != NULL) {
        (void)json_object_set_new(input, "seed", json_integer(params->seed->value));
    }
    return CS_OK;
}

/* The shape is that of the picture, or the model's own. */
static enum cs_status hailuo(const struct prv_job *job, json_t *input, struct cs_err *err) {
    const Callsheet__V1__GenerateVideo *params = job->operation->generate_video;
    double seconds = params->duration != NULL ? params->duration->value : 6;
    CS_TRY(lacks("resolution", cs_str_eq(params->resolution, "480p"), err));
    CS_TRY(lacks("aspectRatio", params->aspect_ratio[0] != '\0', err));
    CS_TRY(lacks("seed", params->seed != NULL, err));
    CS_TRY(lacks("audio", params->audio != NULL, err));
    put_text(input, "prompt", params->prompt);
    (void)json_object_set_new(input, "duration", json_integer(seconds >= 9 ? 10 : 6));
    put_text(input, "resolution", cs_str_eq(params->resolution, "1080p") ? "1080p" : "768p");
    put_text(input, "first_frame_image", input_of(job, first_image(params)));
    put_text(input, "last_frame_image", input_of(job, params->end_image));
    return CS_OK;
}

/* ---- pictures ---- */

static enum cs_status picture(const struct prv_job *job, json_t *input, struct cs_err *err) {
    const Callsheet__V1__GenerateImage *params = job->operation->generate_image;
    CS_TRY(lacks("seed", params->seed != NULL, err));
    put_text(input, "prompt", params->prompt);
    put_text(input, "aspect_ratio", params->aspect_ratio[0] != '\0' ? params->aspect_ratio : "1:1");
    json_t *images = json_array();
    for (size_t i = 0; i < params->n_image; i++) {
        const char *url = input_of(job, params->image[i]);
        (void)json_array_append_new(images, json_string(url != NULL ? url : ""));
    }
    if (json_array_size(images) > 0) {
        (void)json_object_set(input, "image_input", images);
    }
    json_decref(images);
    return CS_OK;
}

static enum cs_status seedream(const struct prv_job *job, json_t *input, struct cs_err *err) {
    CS_TRY(lacks("outputFormat", job->operation->generate_image->output_format[0] != '\0', err));
    return picture(job, input, err);
}

static enum cs_status banana(const struct prv_job *job, json_t *input, struct cs_err *err) {
    const char *format = job->operation->generate_image->output_format;
    CS_TRY(lacks("outputFormat", cs_str_eq(format, "webp"), err));
    put_text(input, "output_format", format[0] != '\0' ? format : "png");
    return picture(job, input, err);
}

/* ---- the table ---- */

const struct prv_model prv_replicate_models[PRV_REPLICATE_MODELS] = {
    {"bytedance/seedance-1-pro", video}, {"minimax/video-01", video},     {"google/veo-3.1", video},
    {"minimax/hailuo-02", video},        {"bytedance/seedream-4", image}, {"google/nano-banana", image},
    {"google/nano-banana-pro", image},
};

static enum cs_status (*const builders[PRV_REPLICATE_MODELS])(const struct prv_job *job, json_t *input,
                                                              struct cs_err *err) = {
    seedance, video_01, veo, hailuo, seedream, banana, banana,
};

enum cs_status prv_replicate_input(const struct prv_job *job, json_t **ret_input, struct cs_err *err) {
    for (size_t i = 0; i < CS_COUNT(builders); i++) {
        if (!cs_str_eq(job->model, prv_replicate_models[i].id)) {
            continue;
        }
        CS_AUTO_JSON *input = json_object();
        CS_TRY(builders[i](job, input, err));
        *ret_input = cs_steal(&input);
        return CS_OK;
    }
    return cs_fail(err, CS_INVALID_ARGUMENT, "unknown_model", "replicate has no model \"%s\" here", job->model);
}
