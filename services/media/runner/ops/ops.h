/*
 * ops: one function per operation.
 *
 * Most describe what they make (graph/made.h); the executor builds that into a graph and runs it into the output, or
 * hands it to the operation behind it. Those that make no single file of picture and sound run whole by themselves.
 *
 * Trust    parameters were checked by the catalogue at submit, but a runner believes nothing: what would break is
 *          checked again.
 */
#ifndef MED_OPS_H
#define MED_OPS_H

#include "graph/clip.h"
#include "graph/facts.h"
#include "graph/graph.h"
#include "graph/made.h"
#include "graph/timeline.h"
#include "render.h"

struct med_job {
    const Callsheet__V1__RunnerJob *wire;
    const int *input_fds;
    const int *output_fds;
    const struct med_render_events *events;
    struct cs_arena *arena;
    Callsheet__V1__RunnerDone *done;
    struct med_made *steps; /* what the operations before this one make */
    size_t step_count;
    Callsheet__V1__Metric **metrics; /* of the operation at work */
    size_t metric_count;
};

/* The descriptor of a reference; INVALID_ARGUMENT "no_input" at path when it has none. */
enum cs_status med_job_input_fd(const struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path,
                                int *ret_fd, struct cs_err *err) CS_MUST_USE;
/* With its facts, in the job's arena: a file, or what an earlier step makes. */
enum cs_status med_job_input(const struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path,
                             struct med_clip *ret_clip, struct cs_err *err) CS_MUST_USE;
/* An input that must hold a moving picture. */
enum cs_status med_job_video_input(const struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path,
                                   struct med_clip *ret_clip, struct cs_err *err) CS_MUST_USE;
enum cs_status med_job_output_fd(const struct med_job *job, int *ret_fd, struct cs_err *err) CS_MUST_USE;
void med_job_add_output(struct med_job *job, Callsheet__V1__MediaFacts *facts);
/* The same when not all outputs are needed; index: its number in the job, rising from call to call. */
void med_job_add_written(struct med_job *job, size_t index, Callsheet__V1__MediaFacts *facts);
/* Of the output that was added last. */
void med_job_add_quality(struct med_job *job, Callsheet__V1__Quality *quality);
void med_job_add_metric(struct med_job *job, const char *name, double value);
void med_job_add_word(struct med_job *job, const char *name, const char *word);

/* Size and rate of a video's own output: as shown, even, its own steady rate. */
struct med_picture_format med_format_of(const struct med_facts *facts);
struct med_length {
    int64_t frames; /* at least 1 */
    int64_t samples;
};
struct med_length med_length_of(const struct med_facts *facts, AVRational rate);
/* Size, rate and length of a video's own, with sound if it has any: what an operation changes is for it to say. */
struct med_made med_made_like(const struct med_clip *clip);
/* Not when only a part of the picture is wanted, or nothing but a look at what would be made. */
bool med_job_makes_sound(const struct med_job *job);
/* Nobody wants pictures: an operation that would look at all of its input first need not. */
bool med_job_is_survey(const struct med_job *job);
/* The format at most so wide and high, even, never bigger than it is; 0: any. */
struct med_picture_format med_format_within(struct med_picture_format format, int width_max, int height_max);
/* "too_many_pixels", "too_long" */
enum cs_status med_check_output(const struct med_picture_format *format, int64_t frames,
                                struct cs_err *err) CS_MUST_USE;

/* What the job's steps make, for an operation that runs whole behind them. */
enum cs_status med_describe_steps(struct med_job *job, struct cs_err *err) CS_MUST_USE;
/* Makes the output of an operation that describes what it makes, behind the job's steps. */
enum cs_status med_execute(struct med_job *job, const Callsheet__V1__Operation *operation,
                           struct cs_err *err) CS_MUST_USE;

/* ---- described ---- */

enum cs_status med_op_merge(struct med_job *job, const Callsheet__V1__Merge *params, struct med_made *ret_made,
                            struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_reframe(struct med_job *job, const Callsheet__V1__Reframe *params, struct med_made *ret_made,
                              struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_lip_sync(struct med_job *job, const Callsheet__V1__LipSync *params, struct med_made *ret_made,
                               struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_add_subtitles(struct med_job *job, const Callsheet__V1__AddSubtitles *params,
                                    struct med_made *ret_made, struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_extract_audio(struct med_job *job, const Callsheet__V1__ExtractAudio *params,
                                    struct med_made *ret_made, struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_mix_audio(struct med_job *job, const Callsheet__V1__MixAudio *params, struct med_made *ret_made,
                                struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_loudness(struct med_job *job, const Callsheet__V1__Loudness *params, struct med_made *ret_made,
                               struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_cut(struct med_job *job, const Callsheet__V1__Cut *params, struct med_made *ret_made,
                          struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_trim(struct med_job *job, const Callsheet__V1__Trim *params, struct med_made *ret_made,
                           struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_speed(struct med_job *job, const Callsheet__V1__Speed *params, struct med_made *ret_made,
                            struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_reverse(struct med_job *job, const Callsheet__V1__Reverse *params, struct med_made *ret_made,
                              struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_transitions(struct med_job *job, const Callsheet__V1__Transitions *params,
                                  struct med_made *ret_made, struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_stitch(struct med_job *job, const Callsheet__V1__Stitch *params, struct med_made *ret_made,
                             struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_freeze(struct med_job *job, const Callsheet__V1__Freeze *params, struct med_made *ret_made,
                             struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_brand(struct med_job *job, const Callsheet__V1__Brand *params, struct med_made *ret_made,
                            struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_layer(struct med_job *job, const Callsheet__V1__Layer *params, struct med_made *ret_made,
                            struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_overlay_text(struct med_job *job, const Callsheet__V1__OverlayText *params,
                                   struct med_made *ret_made, struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_replace_green_screen(struct med_job *job, const Callsheet__V1__ReplaceGreenScreen *params,
                                           struct med_made *ret_made, struct cs_err *err) CS_MUST_USE;

enum cs_status med_op_convert(struct med_job *job, const Callsheet__V1__Convert *params, struct med_made *ret_made,
                              struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_denoise(struct med_job *job, const Callsheet__V1__Denoise *params, struct med_made *ret_made,
                              struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_stabilise(struct med_job *job, const Callsheet__V1__Stabilise *params, struct med_made *ret_made,
                                struct cs_err *err) CS_MUST_USE;

/* ---- whole ---- */

enum cs_status med_op_probe(struct med_job *job, struct cs_err *err) CS_MUST_USE;
/* Before files are out of reach. */
enum cs_status med_transcribe_prepare(struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_transcribe(struct med_job *job, const Callsheet__V1__Transcribe *params,
                                 struct cs_err *err) CS_MUST_USE;
/* addSubtitles with mode "soft". */
enum cs_status med_op_soft_subtitles(struct med_job *job, const Callsheet__V1__AddSubtitles *params,
                                     struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_gif(struct med_job *job, const Callsheet__V1__Gif *params, struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_package(struct med_job *job, const Callsheet__V1__Package *params,
                              struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_thumbnail(struct med_job *job, const Callsheet__V1__Thumbnail *params,
                                struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_plan_cuts(struct med_job *job, const Callsheet__V1__PlanCuts *params,
                                struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_retime_subtitles(struct med_job *job, const Callsheet__V1__RetimeSubtitles *params,
                                       struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_generate_video(struct med_job *job, const Callsheet__V1__GenerateVideo *params,
                                     struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_generate_audio(struct med_job *job, const Callsheet__V1__GenerateAudio *params,
                                     struct cs_err *err) CS_MUST_USE;
enum cs_status med_op_generate_image(struct med_job *job, const Callsheet__V1__GenerateImage *params,
                                     struct cs_err *err) CS_MUST_USE;

#endif
