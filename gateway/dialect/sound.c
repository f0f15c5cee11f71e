/* Members of mixAudio that need more than a name. */
#include "dialect/reader.h"

/* A job's id, a URL or a marker; or an object that has one of these as `audio`, `media` or `url`. */
static enum cs_status read_track(struct job_reader *job, const json_t *value, size_t index, json_t **ret_track,
                                 struct cs_err *err) {
    static const char *const names[] = {"audio", "media", "url"};
    const char *path = path_element(job->arena, job_client_param(job, "tracks"), index);
    const char *native =
        cs_arena_sprintf(job->arena, "%s.audio", path_element(job->arena, job_native_param(job, "tracks"), index));
    json_t *ref = NULL;
    if (json_is_string(value)) {
        CS_TRY(read_media(value, MEDIA_TEXT_ANY, path, job->arena, &ref, NULL, err));
        gw_paths_add(job->paths, native, path);
        *ret_track = json_pack("{s:o}", "audio", ref);
        return CS_OK;
    }
    CS_TRY(need_object(value, path, err));
    CS_AUTO_JSON *track = json_copy((json_t *)value);
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        const json_t *source = member(value, names[i]);
        if (source == NULL) {
            continue;
        }
        const char *at = path_member(job->arena, path, names[i]);
        if (ref != NULL) {
            json_decref(ref);
            return cs_fail_at(err, at, "one_of", "%s names its sound twice", path);
        }
        CS_TRY(read_media(source, i == 2 ? MEDIA_TEXT_URL : MEDIA_TEXT_ANY, at, job->arena, &ref, NULL, err));
        (void)json_object_del(track, names[i]);
        gw_paths_add(job->paths, native, at);
    }
    if (ref != NULL) {
        (void)json_object_set_new(track, "audio", ref);
    }
    *ret_track = json_incref(track);
    return CS_OK;
}

enum cs_status mix_tracks(struct job_reader *job, const json_t *value, struct cs_err *err) {
    const char *path = job_client_param(job, "tracks");
    if (!json_is_array(value)) {
        return cs_fail_at(err, path, "wrong_type", "%s must be an array", path);
    }
    CS_TRY(check_inputs(json_array_size(value), path, err));
    CS_AUTO_JSON *tracks = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *track = NULL;
        CS_TRY(read_track(job, json_array_get(value, i), i, &track, err));
        (void)json_array_append_new(tracks, track);
    }
    return job_put(job, "tracks", "tracks", json_incref(tracks), err);
}
