/*
 * render: one media job, from inherited descriptors to finished files. The runner's only door to FFmpeg.
 *
 * A job's operation appends nodes to a render graph (sources → video and audio pads → sink) and one executor runs it:
 * demux, decode, filter and encode on their own threads, one decode and one encode for the whole chain.
 *
 * Clock    Rational throughout. An output has one frame rate R and frame n is shown at exactly n/R; audio is cut by
 *          sample at the same rational times, mixed, and encoded once. A clip joins the timeline with its own exact
 *          length; a `duration` that a plan names is first rounded to whole output frames (at least one), and
 *          picture and sound both get that length. The frame at which a clip ends is round(E × R), E being the exact
 *          sum of the lengths so far: the error is at most half a frame and never accumulates. So 37 clips of "2.5" s
 *          at 30000/1001 are 37 × 75 = 2,775 frames (92.5925 s), and 37 files of 75 frames are the same.
 * Trust    Inputs are hostile. They are read only through pread on their descriptor, demuxed and decoded by
 *          allow-listed formats and codecs, within the limits of bounds.h. Text of users reaches libass escaped and
 *          filters as typed options, never as a filter string.
 * Needs    No file access and no sockets: fonts are mapped and tables touched by med_render_warm_up before the fork.
 *          Threads, anonymous memory, pread, pwrite and ftruncate on the given descriptors.
 * Threads  med_render_run makes its own and joins them before it returns. One run at a time per process.
 * Fails    by what the caller would do:
 *            INVALID_ARGUMENT  the input or parameters: "not_media", "no_video", "no_audio", "bad_transcript" …
 *            UNIMPLEMENTED     "codec_unsupported", "format_unsupported"
 *            DATA_LOSS         "corrupt_input"
 *            OUT_OF_RANGE      the input or output is beyond a limit: "too_many_pixels", "too_long", "output_too_big" …
 *            UNAVAILABLE       "out_of_memory" (retryable), "read_failed", "write_failed"
 *            INTERNAL          "encoder", "filter", "verify_failed": a bug or a broken installation
 *          err->path names the parameter ("items[2].media") when one is at fault.
 */
#ifndef MED_RENDER_H
#define MED_RENDER_H

#include "callsheet/v1/runner.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"

struct med_render_events {
    /* In media time of the output, monotonic, at most about ten per second; may be NULL. Called on the thread that
     * called med_render_run. */
    void (*progress)(const Callsheet__V1__Progress *progress, void *user);
    void *user;
};

/* Once, in the warm parent, before any fork: maps the fonts, touches FFmpeg's tables. No thread exists afterwards.
 * NOT_FOUND "no_fonts" when not one of the expected font files is installed. */
enum cs_status med_render_warm_up(struct cs_err *err) CS_MUST_USE;

/* In the process that will run the job, before it gives up files: loads what this job needs and others do not. Looks at
 * nothing that a client sent but the operation's kind. FAILED_PRECONDITION "recognizer_not_available". */
enum cs_status med_render_prepare(const Callsheet__V1__RunnerJob *job, struct cs_err *err) CS_MUST_USE;

/* input_fds: job->inputs read-only seekable ones. output_fds: job->n_outputs empty read-write seekable ones. They stay
 * the caller's. *ret_done lives in the arena: the facts of each output as planned and counted while writing, or of the
 * probed input. */
enum cs_status med_render_run(const Callsheet__V1__RunnerJob *job, const int *input_fds, const int *output_fds,
                              const struct med_render_events *events, Callsheet__V1__RunnerDone **ret_done,
                              struct cs_arena *arena, struct cs_err *err) CS_MUST_USE;

/* The failure report of an error of med_render_run; strings point into err. */
void med_render_failed(const struct cs_err *err, Callsheet__V1__Failed *ret_failed);

#endif
