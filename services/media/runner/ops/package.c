/* A video for adaptive streaming: decoded once, encoded once for each rung, the sound once. */
#include <math.h>
#include <pthread.h>

#include "cs/base/text.h"
#include "graph/progress.h"
#include "graph/quality.h"
#include "graph/resize.h"
#include "graph/tee.h"
#include "ops/number.h"
#include "ops/subtitles.h"
#include "package/ladder.h"
#include "package/playlist.h"
#include "package/rendition.h"

enum {
    RENDITIONS_MAX = MED_LADDER_MAX + 1,
    AUDIO_KBPS = 128,
    LOOKAHEAD_FRAMES = 16 /* of each encoder: all of them keep their pictures at once */
};

static const double segment_s = 4;
static const double segment_min_s = 1;
static const double segment_max_s = 20;
static const double picture_quality = 70; /* as Convert has it, within the bit rates of the ladder */

struct worker {
    struct med_rendition rendition;
    pthread_t thread;
    bool started;
    struct cs_err err;
    /* the finished file */
    size_t output; /* its number in the job */
    char codec[MED_CODEC_BYTES];
    struct med_stream_file file;
};

/* What an output turned out to be; NULL facts: it was not needed. */
struct result {
    Callsheet__V1__MediaFacts *facts;
    Callsheet__V1__Quality *quality;
};

struct package {
    struct med_job *job;
    const Callsheet__V1__Package *params;
    struct med_clip clip;
    struct med_made made; /* size, rate and length of the highest rung */
    int64_t segment_frames;
    struct med_rung rungs[MED_LADDER_MAX];
    size_t rung_count;
    struct med_subtitles said;
    bool has_subtitles;
    struct med_encoding encoding;
    struct worker workers[RENDITIONS_MAX]; /* the pictures from the highest on, then the sound */
    size_t worker_count;
    struct med_quality quality;
    struct result results[CS_JOB_OUTPUTS_MAX];
    struct med_package about;
    struct med_progress progress;
};

/* ---- reading ---- */

static enum cs_status read_ladder(struct package *package, struct cs_err *err) {
    struct cs_package_rung wanted[CS_PACKAGE_RUNGS_MAX];
    size_t count = cs_package_rungs(package->params, wanted);
    for (size_t i = 0; i < count; i++) {
        if (wanted[i].height < 2 || (i > 0 && wanted[i].height == wanted[i - 1].height)) {
            return cs_fail_at(err, "rungs", "out_of_range", "rungs have heights, all of them different");
        }
    }
    package->rung_count = med_ladder(&package->made.format, wanted, count, package->rungs);
    package->made.format.width = package->rungs[0].width;
    package->made.format.height = package->rungs[0].height;
    return med_check_output(&package->made.format, package->made.frames, err);
}

static enum cs_status read_subtitles(struct package *package, struct cs_err *err) {
    const Callsheet__V1__Package *params = package->params;
    Callsheet__V1__AddSubtitles source = CALLSHEET__V1__ADD_SUBTITLES__INIT;
    source.transcript = params->transcript;
    source.words = params->words;
    source.n_words = params->n_words;
    package->has_subtitles = params->transcript != NULL || params->n_words > 0;
    return package->has_subtitles ? med_subtitles_of(package->job, &source, &package->clip, false, &package->said, err)
                                  : CS_OK;
}

static enum cs_status read_package(struct package *package, struct cs_err *err) {
    const struct med_job *job = package->job;
    const Callsheet__V1__Package *params = package->params;
    bool no_gpl = job->wire->limits != NULL && job->wire->limits->no_gpl_encoders;
    uint32_t kbps = params->audio_bitrate_kbps != NULL ? params->audio_bitrate_kbps->value : AUDIO_KBPS;
    double seconds = 0;
    CS_TRY(med_describe_steps(package->job, err));
    CS_TRY(med_job_video_input(job, params->video, "video", &package->clip, err));
    CS_TRY(med_number_read(params->segment_duration, segment_s, segment_min_s, segment_max_s, "segmentDuration",
                           &seconds, err));
    CS_TRY(med_encoding_choose("h264", "", no_gpl, &package->encoding.encoder, err));
    package->made = med_made_like(&package->clip);
    CS_TRY(read_ladder(package, err));
    package->segment_frames = llround(seconds * av_q2d(package->made.format.rate));
    package->segment_frames = package->segment_frames < 1 ? 1 : package->segment_frames;
    package->encoding.quality = picture_quality;
    package->encoding.lookahead_frames = LOOKAHEAD_FRAMES;
    package->encoding.keyframe_frames = package->segment_frames;
    package->encoding.sound_bits_per_s = (int64_t)kbps * 1000;
    return read_subtitles(package, err);
}

/* ---- outputs ---- */

static enum cs_status output_named(const struct package *package, const char *stem, const char *suffix,
                                   size_t *ret_index, struct cs_err *err) {
    const Callsheet__V1__RunnerJob *wire = package->job->wire;
    const char *name = cs_arena_sprintf(package->job->arena, "%s%s", stem, suffix);
    for (size_t i = 0; i < wire->n_outputs && i < CS_JOB_OUTPUTS_MAX; i++) {
        if (cs_str_eq(wire->outputs[i], name)) {
            *ret_index = i;
            return CS_OK;
        }
    }
    return cs_fail(err, CS_INVALID_ARGUMENT, "no_output", "the job names no output %s", name);
}

static enum cs_status put_text(struct package *package, size_t index, const struct cs_buf *text,
                               Callsheet__V1__MediaType type, struct cs_err *err) {
    return med_job_put_text(package->job, index, text, type, &package->results[index].facts, err);
}

/* ---- encoding ---- */

static enum cs_status begin(struct package *package, const char *stem, struct med_video *video, struct med_audio *audio,
                            const struct med_encoding *encoding, const struct med_graph *graph, struct cs_err *err) {
    struct worker *worker = &package->workers[package->worker_count++];
    worker->rendition = (struct med_rendition){
        .video = video,
        .audio = audio,
        .rate = package->made.format.rate,
        .segment_frames = package->segment_frames,
        .length_ticks = package->about.length_ticks,
    };
    worker->file.stem = stem;
    CS_TRY(output_named(package, stem, ".mp4", &worker->output, err));
    return med_rendition_begin(&worker->rendition, encoding, graph->threads, package->job->output_fds[worker->output],
                               graph->output_bytes_max, err);
}

static enum cs_status begin_pictures(struct package *package, struct med_graph *graph, struct med_tee **ret_tee,
                                     struct cs_err *err) {
    const struct med_made *made = &package->made;
    struct med_video *video =
        med_clip_video(graph, &package->clip, &made->format, made->frames, MED_FIT_STRETCH, MED_ANCHOR_CENTER);
    video = med_quality_watch_picture(&package->quality, graph, med_graph_async(graph, video));
    *ret_tee = med_tee_create(graph, video, package->rung_count);
    for (size_t i = 0; i < package->rung_count; i++) {
        const struct med_rung *rung = &package->rungs[i];
        struct med_encoding encoding = package->encoding;
        encoding.bits_per_s_max = rung->bits_per_s;
        video = med_resize(graph, med_tee_branch(*ret_tee, i), rung->width, rung->height);
        CS_TRY(begin(package, rung->stem, video, NULL, &encoding, graph, err));
        package->workers[i].file.width = rung->width;
        package->workers[i].file.height = rung->height;
    }
    return CS_OK;
}

static enum cs_status begin_sound(struct package *package, struct med_graph *graph, struct cs_err *err) {
    if (package->made.samples == 0) {
        return CS_OK;
    }
    struct med_audio *audio = med_clip_audio(graph, &package->clip, package->made.samples, 1);
    audio = med_quality_watch_sound(&package->quality, graph, audio);
    return begin(package, "audio", NULL, audio, &package->encoding, graph, err);
}

static void *work(void *arg) {
    struct worker *worker = arg;
    struct med_video *video = worker->rendition.video;
    if (med_rendition_run(&worker->rendition, &worker->err) != CS_OK && video != NULL) {
        video->close(video); /* the others need not go on */
    }
    return NULL;
}

static enum cs_status start_workers(struct package *package, struct cs_err *err) {
    for (size_t i = 0; i < package->worker_count; i++) {
        struct worker *worker = &package->workers[i];
        if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
            return cs_fail(err, CS_UNAVAILABLE, "out_of_memory", "no thread for encoding");
        }
        worker->started = true;
    }
    return CS_OK;
}

static void on_pictures(void *ctx, int64_t frames) {
    struct package *package = ctx;
    int64_t done_us = med_ticks_to_us(med_ticks_at_frame(frames, package->made.format.rate));
    if (frames < package->made.frames) { /* the end is told when the files have been read back */
        med_progress_tell(&package->progress, done_us);
    }
}

/* The failure of the one that failed, not of those that could not go on. */
static enum cs_status join_workers(struct package *package, enum cs_status status, struct cs_err *err) {
    for (size_t i = 0; i < package->worker_count; i++) {
        struct worker *worker = &package->workers[i];
        if (worker->started) {
            pthread_join(worker->thread, NULL);
            bool first = status == CS_OK || cs_str_eq(err->reason, "tee_ended");
            if (worker->err.status != CS_OK && first && !cs_str_eq(worker->err.reason, "tee_ended")) {
                *err = worker->err;
                status = worker->err.status;
            }
        }
    }
    return status;
}

static enum cs_status run_workers(struct package *package, struct med_tee *tee, struct cs_err *err) {
    struct cs_err failure = {0};
    enum cs_status status = start_workers(package, &failure);
    if (status == CS_OK) {
        status = med_tee_run(tee, on_pictures, package, &failure);
    } else {
        med_tee_give_up(tee, &failure);
    }
    status = join_workers(package, status, &failure);
    if (status != CS_OK) {
        *err = failure;
    }
    return status;
}

static enum cs_status encode(struct package *package, struct med_graph *graph, struct cs_err *err) {
    struct med_tee *tee = NULL;
    CS_TRY(begin_pictures(package, graph, &tee, err));
    CS_TRY(begin_sound(package, graph, err));
    return run_workers(package, tee, err);
}

/* ---- the finished files ---- */

/* Read back: every frame of each rung and all of the sound are there, and decode. */
static enum cs_status verify(struct package *package, struct worker *worker, struct cs_err *err) {
    struct result *result = &package->results[worker->output];
    int fd = package->job->output_fds[worker->output];
    struct med_quality planned = package->quality;
    struct med_facts facts;
    planned.imprint = worker->file.segments.imprint;
    if (worker->rendition.video != NULL) {
        planned.samples = 0;
    } else {
        planned.frames = 0;
    }
    if (med_facts_read_made(fd, &facts, err) != CS_OK) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "an output cannot be read back");
    }
    CS_TRY(med_quality_judge(&planned, fd, &facts, package->job->arena, &result->quality, err));
    if (worker->rendition.video != NULL) { /* as planned, not as the container rounds */
        facts.video.rate = package->made.format.rate;
        facts.video.length_ticks = package->about.length_ticks;
        facts.video.variable_rate = false;
    } else {
        facts.audio.samples = planned.samples;
        facts.audio.length_ticks = med_ticks_from(planned.samples, (AVRational){1, MED_SAMPLE_RATE});
    }
    med_facts_to_wire(&facts, package->job->arena, &result->facts);
    return CS_OK;
}

static enum cs_status finish(struct package *package, struct worker *worker, struct cs_err *err) {
    struct med_stream_file *file = &worker->file;
    CS_TRY(med_rendition_end(&worker->rendition, package->job->arena, &file->segments, err));
    CS_TRY(med_rendition_codec(&worker->rendition, worker->codec, err));
    file->codec = worker->codec;
    med_bit_rates(&file->segments, package->about.segment_ticks, &file->peak_bits_per_s, &file->average_bits_per_s);
    return verify(package, worker, err);
}

static enum cs_status finish_files(struct package *package, struct cs_err *err) {
    for (size_t i = 0; i < package->worker_count; i++) {
        CS_TRY(finish(package, &package->workers[i], err));
        if (package->workers[i].file.segments.count > package->workers[0].file.segments.count) {
            return cs_fail(err, CS_INTERNAL, "verify_failed", "not all renditions have the same segments");
        }
    }
    return CS_OK;
}

/* ---- what names them ---- */

static enum cs_status write_subtitles(struct package *package, struct cs_err *err) {
    size_t index = 0;
    CS_AUTO_BUF text = {0};
    if (!package->has_subtitles) {
        return CS_OK;
    }
    struct med_cues cues = med_cues_of(&package->said.words, MED_CUES_AS_SAID, package->job->arena);
    med_cues_write_vtt(&package->said.words, &cues, &text);
    package->about.subtitles_bytes = (int64_t)text.size;
    CS_TRY(output_named(package, "subtitles", ".vtt", &index, err));
    return put_text(package, index, &text, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT, err);
}

static void describe(struct package *package) {
    const Callsheet__V1__Package *params = package->params;
    struct med_package *about = &package->about;
    struct med_stream_file *pictures = cs_arena_array(package->job->arena, package->rung_count, sizeof(*pictures));
    for (size_t i = 0; i < package->rung_count; i++) {
        pictures[i] = package->workers[i].file;
    }
    about->pictures = pictures;
    about->picture_count = package->rung_count;
    about->sound = package->made.samples > 0 ? &package->workers[package->rung_count].file : NULL;
    if (package->has_subtitles) {
        about->language = cs_str_empty(params->language) ? "en" : params->language;
        about->subtitles_name = cs_str_empty(params->subtitles_name) ? about->language : params->subtitles_name;
    }
}

static enum cs_status write_hls(struct package *package, struct cs_err *err) {
    size_t index = 0;
    CS_AUTO_BUF master = {0};
    med_hls_master(&package->about, &master);
    CS_TRY(put_text(package, 0, &master, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_STREAM, err));
    for (size_t i = 0; i < package->worker_count; i++) {
        CS_AUTO_BUF list = {0};
        med_hls_segments(&package->workers[i].file, &list);
        CS_TRY(output_named(package, package->workers[i].file.stem, ".m3u8", &index, err));
        CS_TRY(put_text(package, index, &list, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_STREAM, err));
    }
    if (package->has_subtitles) {
        CS_AUTO_BUF list = {0};
        med_hls_subtitles(&package->about, &list);
        CS_TRY(output_named(package, "subtitles", ".m3u8", &index, err));
        CS_TRY(put_text(package, index, &list, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_STREAM, err));
    }
    return CS_OK;
}

static enum cs_status write_dash(struct package *package, struct cs_err *err) {
    size_t index = 0;
    CS_AUTO_BUF manifest = {0};
    med_dash_manifest(&package->about, &manifest);
    if (cs_package_has(package->params, "hls")) { /* else it is the main output, whatever that is called */
        CS_TRY(output_named(package, "manifest", ".mpd", &index, err));
    }
    return put_text(package, index, &manifest, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_STREAM, err);
}

/* The main output is told of as the highest rung with its sound. */
static void report_main(struct package *package) {
    const struct worker *picture = &package->workers[0];
    const struct worker *sound = package->made.samples > 0 ? &package->workers[package->rung_count] : NULL;
    Callsheet__V1__MediaFacts *facts = package->results[0].facts;
    const Callsheet__V1__MediaFacts *shown = package->results[picture->output].facts;
    Callsheet__V1__Quality *quality = cs_arena_alloc(package->job->arena, sizeof(*quality));
    *quality = *package->results[picture->output].quality;
    facts->video = shown->video;
    facts->duration_us = shown->duration_us;
    facts->bit_rate = picture->file.average_bits_per_s;
    if (sound != NULL) {
        const Callsheet__V1__Quality *heard = package->results[sound->output].quality;
        facts->audio = package->results[sound->output].facts->audio;
        facts->bit_rate += sound->file.average_bits_per_s;
        quality->planned_sample_count = heard->planned_sample_count;
        quality->sample_count = heard->sample_count;
        quality->av_drift_ms = (double)(heard->duration_us - quality->duration_us) / 1000;
        quality->loudness = heard->loudness;
        quality->silent = heard->silent;
        quality->n_silent = heard->n_silent;
        quality->decoded_samples = heard->decoded_samples;
        quality->decoded_all = quality->decoded_all && heard->decoded_all;
    }
    package->results[0].quality = quality;
}

static void report(struct package *package) {
    report_main(package);
    for (size_t i = 0; i < CS_JOB_OUTPUTS_MAX; i++) {
        if (package->results[i].facts != NULL) {
            med_job_add_written(package->job, i, package->results[i].facts);
            if (package->results[i].quality != NULL) {
                med_job_add_quality(package->job, package->results[i].quality);
            }
        }
    }
    med_job_add_metric(package->job, "rungs", (double)package->rung_count);
    med_job_add_metric(package->job, "segments", (double)package->workers[0].file.segments.count);
    med_progress_tell(&package->progress, package->progress.length_us);
}

static enum cs_status make(struct package *package, struct cs_err *err) {
    CS_AUTO(med_graph) *graph = med_graph_create(package->job->wire->limits, package->job->events);
    CS_TRY(encode(package, graph, err));
    CS_TRY(finish_files(package, err));
    describe(package);
    CS_TRY(write_subtitles(package, err));
    CS_TRY(cs_package_has(package->params, "hls") ? write_hls(package, err) : CS_OK);
    return cs_package_has(package->params, "dash") ? write_dash(package, err) : CS_OK;
}

enum cs_status med_op_package(struct med_job *job, const Callsheet__V1__Package *params, struct cs_err *err) {
    struct package *package = cs_arena_alloc(job->arena, sizeof(*package));
    int fd = -1;
    package->job = job;
    package->params = params;
    CS_TRY(med_job_output_fd(job, &fd, err));
    CS_TRY(read_package(package, err));
    package->about.rate = package->made.format.rate;
    package->about.length_ticks = med_ticks_at_frame(package->made.frames, package->about.rate);
    package->about.segment_ticks = med_ticks_at_frame(package->segment_frames, package->about.rate);
    package->progress = med_progress_begin(job->events, "rendering", med_ticks_to_us(package->about.length_ticks));
    enum cs_status status = make(package, err);
    for (size_t i = 0; i < package->worker_count; i++) {
        med_rendition_fini(&package->workers[i].rendition);
    }
    CS_TRY(status);
    report(package);
    return CS_OK;
}
