/* Paths as JSON. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "cs/base/text.h"
#include "cs/json.h"
#include "reframe/path.h"

static const char *const cameras[] = {"stationary", "pan", "track"};

/* ---- writing ---- */

static void write_shot(const struct med_path_shot *shot, struct cs_buf *out) {
    cs_buf_printf(out, "    {\"start\": %" PRId64 ", \"camera\": \"%s\", \"keyframes\": [", shot->start,
                  cameras[shot->camera]);
    for (size_t i = 0; i < shot->key_count; i++) {
        const struct med_path_key *key = &shot->keys[i];
        cs_buf_printf(out, "%s\n      {\"frame\": %" PRId64 ", \"x\": %d, \"y\": %d}", i > 0 ? "," : "", key->frame,
                      key->x, key->y);
    }
    cs_buf_puts(out, "\n    ]}");
}

/* A keyframe a line: small, and easy to edit. */
void med_path_write(const struct med_path *path, struct cs_buf *out) {
    cs_buf_printf(out,
                  "{\n  \"schemaVersion\": \"1.0.0\",\n  \"picture\": {\"width\": %d, \"height\": %d},\n"
                  "  \"window\": {\"width\": %d, \"height\": %d},\n  \"frameRate\": \"%d/%d\",\n"
                  "  \"frames\": %" PRId64 ",\n  \"shots\": [\n",
                  path->width, path->height, path->window_width, path->window_height, path->rate_num, path->rate_den,
                  path->frames);
    for (size_t i = 0; i < path->shot_count; i++) {
        write_shot(&path->shots[i], out);
        cs_buf_puts(out, i + 1 < path->shot_count ? ",\n" : "\n");
    }
    cs_buf_puts(out, "  ]\n}\n");
}

/* ---- reading ---- */

static enum cs_status bad(struct cs_err *err, const char *what) {
    return cs_fail(err, CS_INVALID_ARGUMENT, "bad_reframe_path", "%s", what);
}

static bool read_whole(const json_t *object, const char *name, int64_t max, int64_t *ret_value) {
    const json_t *value = json_object_get(object, name);
    *ret_value = json_integer_value(value);
    return json_is_integer(value) && *ret_value >= 0 && *ret_value <= max;
}

static bool is_size(const json_t *object, int width, int height) {
    return json_integer_value(json_object_get(object, "width")) == width &&
           json_integer_value(json_object_get(object, "height")) == height;
}

static enum cs_status check_kind(const json_t *object, const struct med_path *like, struct cs_err *err) {
    char rate[32];
    (void)snprintf(rate, sizeof(rate), "%d/%d", like->rate_num, like->rate_den);
    if (!is_size(json_object_get(object, "picture"), like->width, like->height) ||
        !is_size(json_object_get(object, "window"), like->window_width, like->window_height)) {
        return bad(err, "the path is of a picture or a window of another size");
    }
    if (!cs_str_eq(json_string_value(json_object_get(object, "frameRate")), rate) ||
        json_integer_value(json_object_get(object, "frames")) != like->frames) {
        return bad(err, "the path is of a video of another length or frame rate");
    }
    return CS_OK;
}

static bool read_camera(const json_t *object, enum med_camera *ret_camera) {
    const char *word = json_string_value(json_object_get(object, "camera"));
    for (size_t i = 0; i < CS_COUNT(cameras); i++) {
        if (cs_str_eq(word, cameras[i])) {
            *ret_camera = (enum med_camera)i;
            return true;
        }
    }
    return false;
}

static enum cs_status read_key(const json_t *object, const struct med_path *path, int64_t from, int64_t end,
                               struct med_path_key *ret_key, struct cs_err *err) {
    int64_t x = 0;
    int64_t y = 0;
    if (!read_whole(object, "frame", end - 1, &ret_key->frame) || ret_key->frame < from) {
        return bad(err, "the keyframes of a shot follow each other, within the shot");
    }
    if (!read_whole(object, "x", path->width - path->window_width, &x) ||
        !read_whole(object, "y", path->height - path->window_height, &y)) {
        return bad(err, "a keyframe's window leaves the picture; x and y are whole numbers");
    }
    ret_key->x = (int)x;
    ret_key->y = (int)y;
    return CS_OK;
}

static enum cs_status read_shot(const json_t *object, const struct med_path *path, int64_t end, struct cs_arena *arena,
                                struct med_path_shot *shot, size_t *keys_left, struct cs_err *err) {
    const json_t *keys = json_object_get(object, "keyframes");
    size_t count = json_array_size(keys);
    if (!read_camera(object, &shot->camera)) {
        return bad(err, "a shot's camera is stationary, pan or track");
    }
    if (count == 0 || count > *keys_left) {
        return bad(err, "each shot has a keyframe, and a path 50000 at most");
    }
    *keys_left -= count;
    shot->keys = cs_arena_array(arena, count, sizeof(*shot->keys));
    for (size_t i = 0; i < count; i++) {
        int64_t from = i > 0 ? shot->keys[i - 1].frame + 1 : shot->start;
        CS_TRY(read_key(json_array_get(keys, i), path, from, end, &shot->keys[i], err));
    }
    shot->key_count = count;
    return CS_OK;
}

/* Where each begins: 0, and then later and later. */
static enum cs_status read_starts(const json_t *shots, struct med_path *path, struct cs_err *err) {
    for (size_t i = 0; i < path->shot_count; i++) {
        int64_t *start = &path->shots[i].start;
        bool whole = read_whole(json_array_get(shots, i), "start", path->frames - 1, start);
        if (!whole || (i == 0 ? *start != 0 : *start <= path->shots[i - 1].start)) {
            return bad(err, "the shots of a path follow each other, from frame 0 on");
        }
    }
    return CS_OK;
}

enum cs_status med_path_read(const char *json, size_t size_bytes, const struct med_path *like, struct cs_arena *arena,
                             struct med_path *ret_path, struct cs_err *err) {
    CS_AUTO_JSON *object = NULL;
    struct cs_err why = {0};
    size_t keys_left = MED_PATH_KEYS_MAX;
    struct med_path path = *like;
    if (cs_json_parse(json, size_bytes, &object, &why) != CS_OK) {
        return bad(err, "a path is JSON with a list `shots`");
    }
    const json_t *shots = json_object_get(object, "shots");
    path.shot_count = json_array_size(shots);
    if (path.shot_count == 0 || path.shot_count > MED_PATH_SHOTS_MAX) {
        return bad(err, "a path is JSON with a list `shots`, of at most 20000");
    }
    CS_TRY(check_kind(object, like, err));
    path.shots = cs_arena_array(arena, path.shot_count, sizeof(*path.shots));
    CS_TRY(read_starts(shots, &path, err));
    for (size_t i = 0; i < path.shot_count; i++) {
        int64_t end = i + 1 < path.shot_count ? path.shots[i + 1].start : path.frames;
        CS_TRY(read_shot(json_array_get(shots, i), &path, end, arena, &path.shots[i], &keys_left, err));
    }
    *ret_path = path;
    return CS_OK;
}
