/*
 * path: where a window of fixed size lies in a moving picture, frame by frame. Shot by shot, as keyframes that a person
 * can read and edit.
 *
 * Between two keyframes of a shot the window moves evenly; before the first and behind the last it rests; at a shot's
 * boundary it may jump. Coordinates are those of the picture as it is shown: upright, square pixels.
 *
 *     {"schemaVersion": "1.0.0", "picture": {"width": 1920, "height": 1080}, "window": {"width": 608, "height": 1080},
 *      "frameRate": "30000/1001", "frames": 900,
 *      "shots": [{"start": 0, "camera": "pan", "keyframes": [{"frame": 0, "x": 100, "y": 0},
 *                                                            {"frame": 120, "x": 640, "y": 0}]}]}
 *
 * Limits   MED_PATH_SHOTS_MAX shots, MED_PATH_KEYS_MAX keyframes.
 */
#ifndef MED_REFRAME_PATH_H
#define MED_REFRAME_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"

enum { MED_PATH_KEYS_MAX = 50000, MED_PATH_SHOTS_MAX = 20000 };

enum med_camera {
    MED_CAMERA_STATIONARY, /* rests */
    MED_CAMERA_PAN,        /* from one place to another */
    MED_CAMERA_TRACK,      /* follows */
};

struct med_path_key {
    int64_t frame;
    int x; /* of the window's corner */
    int y;
};

struct med_path_shot {
    int64_t start; /* frame; the first one's is 0 */
    enum med_camera camera;
    struct med_path_key *keys; /* in order of frames, inside the shot */
    size_t key_count;          /* at least 1 */
};

struct med_path {
    int width; /* of the picture */
    int height;
    int window_width;
    int window_height;
    int rate_num;
    int rate_den;
    int64_t frames;
    struct med_path_shot *shots;
    size_t shot_count; /* at least 1 */
};

/* The window's corner; inside the picture. */
void med_path_at(const struct med_path *path, int64_t frame, int *ret_x, int *ret_y);

/* The same path, the same bytes. */
void med_path_write(const struct med_path *path, struct cs_buf *out);
/* What was written, or what a person made of it. like: what the path must be of: its sizes, rate and frames. A window
 * that leaves the picture is refused. INVALID_ARGUMENT "bad_reframe_path". */
enum cs_status med_path_read(const char *json, size_t size_bytes, const struct med_path *like, struct cs_arena *arena,
                             struct med_path *ret_path, struct cs_err *err) CS_MUST_USE;

#endif
