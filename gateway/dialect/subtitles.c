#include <string.h>

#include "cs/base/text.h"
#include "dialect/reader.h"

/* v2: the words themselves, or where they are. */
enum cs_status subtitles_transcript(struct job_reader *job, const json_t *value, struct cs_err *err) {
    json_t *ref = NULL;
    if (json_is_array(value)) {
        return job_put(job, "words", "transcript", json_incref((json_t *)value), err);
    }
    CS_TRY(read_media(value, MEDIA_TEXT_ANY, job_client_param(job, "transcript"), job->arena, &ref, NULL, err));
    return job_put(job, "transcript", "transcript", ref, err);
}

/* v1: {start, end}. */
enum cs_status subtitles_timing(struct job_reader *job, const json_t *value, struct cs_err *err) {
    static const char *const known[] = {"start", "end", NULL};
    const char *path = job_client_param(job, "timing");
    CS_TRY(need_object(value, path, err));
    CS_TRY(need_only(value, path, known, job->arena, err));
    for (const char *const *name = known; *name != NULL; name++) {
        if (member(value, *name) != NULL) {
            CS_TRY(job_put(job, *name, cs_arena_sprintf(job->arena, "timing.%s", *name),
                           json_incref((json_t *)member(value, *name)), err));
        }
    }
    return CS_OK;
}

struct style_rule {
    const char *client_name;
    const char *native_name; /* NULL: not supported */
};

static const struct style_rule style_rules[] = {
    {"animationStyle", "animation"},
    {"primaryColor", NULL},
};

static const struct style_rule *find_style_rule(const char *name) {
    for (size_t i = 0; i < CS_COUNT(style_rules); i++) {
        if (strcmp(style_rules[i].client_name, name) == 0) {
            return &style_rules[i];
        }
    }
    return NULL;
}

/* CSS weights come as numbers too. */
static json_t *style_value(struct job_reader *job, const char *name, json_t *value) {
    if (strcmp(name, "fontWeight") == 0 && json_is_integer(value)) {
        return json_string(cs_arena_sprintf(job->arena, "%lld", (long long)json_integer_value(value)));
    }
    return json_incref(value);
}

static enum cs_status put_style(struct job_reader *job, json_t *style, const char *name, json_t *value,
                                struct cs_err *err) {
    const struct style_rule *rule = find_style_rule(name);
    const char *native_name = rule != NULL ? rule->native_name : name;
    const char *path = path_member(job->arena, job_client_param(job, "style"), name);
    if (native_name == NULL) {
        return fail_unsupported(path, err, "%s is not supported", name);
    }
    if (json_object_get(style, native_name) != NULL) {
        return cs_fail_at(err, path, "one_of", "%s was given under another name already", native_name);
    }
    if (rule != NULL) {
        gw_paths_add(job->paths, cs_arena_sprintf(job->arena, "%s.params.style.%s", job->native, native_name), path);
    }
    (void)json_object_set_new(style, native_name, style_value(job, name, value));
    return CS_OK;
}

/* The word of a preset, or an object. */
enum cs_status subtitles_style(struct job_reader *job, const json_t *value, struct cs_err *err) {
    if (json_is_string(value)) {
        gw_paths_add(job->paths, job_native_param(job, "style.preset"), job_client_param(job, "style"));
        return job_put(job, "style", "style", json_pack("{s:O}", "preset", value), err);
    }
    CS_TRY(need_object(value, job_client_param(job, "style"), err));
    CS_AUTO_JSON *style = json_object();
    const char *name = NULL;
    json_t *each = NULL;
    json_object_foreach((json_t *)value, name, each) {
        if (!json_is_null(each)) {
            CS_TRY(put_style(job, style, name, each, err));
        }
    }
    return job_put(job, "style", "style", json_incref(style), err);
}
