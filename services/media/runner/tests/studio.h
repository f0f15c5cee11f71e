/*
 * studio: what render tests stand in: a temporary directory, clips made by the ffmpeg program, jobs from JSON, and a
 * foreign look (again through ffmpeg) at what came out.
 *
 * Fails    by failing the test with a sentence.
 */
#ifndef MED_STUDIO_H
#define MED_STUDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render.h"

enum { STUDIO_PATH_MAX = 256, STUDIO_INPUTS_MAX = 64 };

struct studio {
    char dir[STUDIO_PATH_MAX];
    struct cs_arena *arena;
    struct cs_err err; /* of the last job */
    const Callsheet__V1__RunnerDone *done;
    int64_t output_bytes_max; /* 0: none */
    bool no_gpl_encoders;
    size_t progress_calls;
    double progress_last;
    bool progress_fell;
};

void studio_open(struct studio *studio);
void studio_close(struct studio *studio);
#define CS_AUTO_STUDIO __attribute__((cleanup(studio_close))) struct studio

/* A path inside the directory, in the arena. */
char *studio_path(struct studio *studio, const char *name);
/* ffmpeg ARGUMENTS PATH; returns the path. */
const char *studio_make(struct studio *studio, const char *name, const char *ffmpeg_arguments);
const char *studio_write(struct studio *studio, const char *name, const void *bytes, size_t size_bytes);
/* All of a file of the directory, in the arena, with a zero behind it; ret_size may be NULL. */
char *studio_read(struct studio *studio, const char *name, size_t *ret_size);
/* Two files of the directory are the same, byte by byte. */
void studio_same(struct studio *studio, const char *a, const char *b);
/* A file of the shared media set; NULL (and a word on standard output) when the set is not there. */
const char *studio_real(struct studio *studio, const char *name);

/* Runs {"merge": …}, or as one job a list of operations that name each other by {"step": n}, on the inputs
 * (NULL-terminated) into DIR/output; the outcome is in studio. */
enum cs_status studio_run(struct studio *studio, const char *operation_json, const char *output,
                          const char *const *inputs);
/* What the operation would make, and a chunk of it. */
const Callsheet__V1__RunnerSurvey *studio_survey(struct studio *studio, const char *operation_json,
                                                 const char *const *inputs);
enum cs_status studio_chunk(struct studio *studio, const char *operation_json, const char *output, int64_t first_frame,
                            int64_t frames, const char *const *inputs);
/* The whole, of chunks that come behind the inputs. */
enum cs_status studio_join(struct studio *studio, const char *operation_json, const char *output, uint32_t chunks,
                           const char *const *inputs);
enum cs_status studio_probe(struct studio *studio, const char *path);
/* The same, which must succeed; returns the output's facts. */
const Callsheet__V1__MediaFacts *studio_must(struct studio *studio, const char *operation_json, const char *output,
                                             const char *const *inputs);

/* All frames of a file in 8-bit grey, one after the other; caller frees. */
uint8_t *studio_grey(struct studio *studio, const char *output, int width, int height, size_t *ret_frames);
/* The mean brightness of each frame, 0 … 255. */
uint8_t *studio_brightness(struct studio *studio, const char *output, size_t *ret_frames);
/* All frames in packed RGB. */
uint8_t *studio_rgb(struct studio *studio, const char *output, int width, int height, size_t *ret_frames);
/* The sound as mono floats at 48 kHz; caller frees. */
float *studio_sound(struct studio *studio, const char *output, size_t *ret_samples);
/* The same from the moment 0 of the picture on, as the timestamps say. */
float *studio_sound_in_time(struct studio *studio, const char *output, size_t *ret_samples);
/* What ffmpeg measures of a file: "I:" (LUFS), "LRA:" (LU) or "Peak:" (dBTP). */
double studio_level(struct studio *studio, const char *output, const char *which);
/* Of the last job; NAN or "" when it did not report it. */
double studio_metric(const struct studio *studio, const char *name);
const char *studio_word(const struct studio *studio, const char *name);
double studio_loudest(const float *samples, size_t from, size_t count);

#endif
