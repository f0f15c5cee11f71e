#include "ops/talk.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"

enum cs_status med_job_read_text(struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path,
                                 const char *reason, int64_t bytes_max, struct cs_buf *out, struct cs_err *err) {
    int fd = -1;
    struct stat facts;
    CS_TRY(med_job_input_fd(job, ref, path, &fd, err));
    if (fstat(fd, &facts) != 0 || facts.st_size > bytes_max) {
        return cs_fail_at(err, path, reason, "%s may have %d MiB at most", path, (int)(bytes_max >> 20));
    }
    size_t size = (size_t)facts.st_size;
    CS_AUTO_FREE char *text = cs_alloc(size + 1);
    if (pread(fd, text, size, 0) != (ssize_t)size) {
        return cs_fail_at(err, path, reason, "%s cannot be read", path);
    }
    cs_buf_put(out, text, size);
    return CS_OK;
}

enum cs_status med_job_subtitles(struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path, bool apart,
                                 struct med_subtitles *ret_subtitles, struct cs_err *err) {
    CS_AUTO_BUF bytes = {0};
    CS_TRY(med_job_read_text(job, ref, path, "bad_transcript", MED_TRANSCRIPT_BYTES_MAX, &bytes, err));
    const char *text = bytes.data != NULL ? bytes.data : "";
    if (med_subtitles_read(text, bytes.size, apart, job->arena, ret_subtitles, err) != CS_OK) {
        return cs_err_at(err, path);
    }
    if (ret_subtitles->format != MED_SUBTITLES_JSON) {
        med_job_add_metric(job, "malformedTimes", (double)ret_subtitles->bad_times);
        med_job_add_metric(job, "droppedCues", (double)ret_subtitles->dropped);
        med_job_add_metric(job, "guessedEncoding", ret_subtitles->guessed_encoding);
    }
    return CS_OK;
}

enum cs_status med_job_write_subtitles(struct med_job *job, size_t first, const struct med_words *words,
                                       const struct med_cues *cues, struct cs_err *err) {
    static void (*const writers[])(const struct med_words *, const struct med_cues *,
                                   struct cs_buf *) = {med_cues_write_srt, med_cues_write_vtt, med_cues_write_ass};
    for (size_t i = 0; i < CS_COUNT(writers); i++) {
        CS_AUTO_BUF text = {0};
        cs_buf_puts(&text, "");
        writers[i](words, cues, &text);
        CS_TRY(med_job_write_text(job, first + i, &text, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT, err));
    }
    return CS_OK;
}

enum cs_status med_job_cut_plan(struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path,
                                int64_t duration_cs, struct med_cut_plan *ret_plan, struct cs_err *err) {
    CS_AUTO_BUF json = {0};
    CS_TRY(med_job_read_text(job, ref, path, "bad_cut_plan", MED_TRANSCRIPT_BYTES_MAX, &json, err));
    const char *text = json.data != NULL ? json.data : "";
    return med_cut_plan_read(text, json.size, duration_cs, job->arena, ret_plan, err) == CS_OK ? CS_OK
                                                                                               : cs_err_at(err, path);
}

enum cs_status med_job_write_text(struct med_job *job, size_t index, const struct cs_buf *text,
                                  Callsheet__V1__MediaType type, struct cs_err *err) {
    Callsheet__V1__MediaFacts *facts = NULL;
    CS_TRY(med_job_put_text(job, index, text, type, &facts, err));
    med_job_add_output(job, facts);
    return CS_OK;
}

enum cs_status med_job_put_text(struct med_job *job, size_t index, const struct cs_buf *text,
                                Callsheet__V1__MediaType type, Callsheet__V1__MediaFacts **ret_facts,
                                struct cs_err *err) {
    if (index >= job->wire->n_outputs) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "no_output", "the job names no output number %zu", index + 1);
    }
    for (size_t done = 0; done < text->size;) {
        ssize_t wrote = pwrite(job->output_fds[index], text->data + done, text->size - done, (off_t)done);
        if (wrote <= 0) {
            return cs_fail(err, CS_UNAVAILABLE, "write_failed", "the output cannot be written");
        }
        done += (size_t)wrote;
    }
    Callsheet__V1__MediaFacts *facts = cs_arena_alloc(job->arena, sizeof(*facts));
    callsheet__v1__media_facts__init(facts);
    facts->type = type;
    facts->container = cs_arena_strdup(job->arena, "text");
    *ret_facts = facts;
    return CS_OK;
}
