/*
 * reader: what the parts of the dialect module share.
 */
#ifndef GW_DIALECT_READER_H
#define GW_DIALECT_READER_H

#include <jansson.h>
#include <stdbool.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "cs/catalog.h"
#include "cs/json.h"
#include "dialect/dialect.h"
#include "dialect/paths.h"

/* One job while it is read. */
struct job_reader {
    struct cs_arena *arena;
    struct gw_paths *paths;
    const char *client;       /* "executionPlan.jobs[1]" */
    const char *native;       /* "jobs[1]" */
    const char *depends_name; /* as the client calls it: "dependsOn" or "dependencies" */
    char **depends;
    size_t depends_count;
    bool on_base;         /* what it does not say may come from a base */
    const json_t *params; /* the client's */
    json_t *out;          /* those of the proto */
};

/* "a.b", or "b" when base is ""; a name is cut to what fits in an error. */
const char *path_member(struct cs_arena *arena, const char *base, const char *name);
const char *path_element(struct cs_arena *arena, const char *base, size_t index);

/* ---- small readers; absent and null are the same ---- */
const json_t *member(const json_t *object, const char *name); /* NULL absent */
enum cs_status need_object(const json_t *value, const char *path, struct cs_err *err);
/* "unknown_field" for the first member that is not in allowed (NULL terminated). */
enum cs_status need_only(const json_t *object, const char *path, const char *const *allowed, struct cs_arena *arena,
                         struct cs_err *err);
/* NULL when value is NULL. */
enum cs_status read_text(const json_t *value, const char *path, struct cs_arena *arena, char **ret_text,
                         struct cs_err *err);
/* A whole number that fits; 0 when value is NULL. */
enum cs_status read_count(const json_t *value, const char *path, uint32_t *ret_number, struct cs_err *err);
/* The member "priority" of a job or plan; *ret_priority stays when there is none. */
enum cs_status read_priority(const json_t *object, const char *at, struct cs_arena *arena,
                             Google__Protobuf__UInt32Value **ret_priority, struct cs_err *err);
enum cs_status read_texts(const json_t *value, const char *path, struct cs_arena *arena, char ***ret_texts,
                          size_t *ret_count, struct cs_err *err);
/* Those members of the object, as a message that has nothing else; NULL when there are none. */
enum cs_status read_members(const json_t *object, const char *const *names,
                            const ProtobufCMessageDescriptor *descriptor, const char *path, struct cs_arena *arena,
                            ProtobufCMessage **ret_message, struct cs_err *err) CS_MUST_USE;
/* cache and keepOutput of a job, cache and intermediates of a plan. */
enum cs_status read_job_cache(struct job_reader *job, const json_t *object, Callsheet__V1__Job *into,
                              struct cs_err *err) CS_MUST_USE;
/* The member "requiresApproval" of a job or plan; *ret_rule stays when there is none. */
enum cs_status read_approval(const json_t *object, const char *at, struct cs_arena *arena,
                             Callsheet__V1__ApprovalRule **ret_rule, struct cs_err *err);
enum cs_status read_plan_cache(const json_t *plan, const char *path, struct gw_submission *submission,
                               struct cs_arena *arena, struct cs_err *err) CS_MUST_USE;
/* dependencyPolicy, optionalDependencies, timeoutMs, queueTimeoutMs and retry of a job; onFailure of a plan. */
enum cs_status read_job_failure(struct job_reader *job, const json_t *object, Callsheet__V1__Job *into,
                                struct cs_err *err);
enum cs_status read_plan_failure(const json_t *plan, const char *path, struct gw_submission *submission,
                                 struct cs_arena *arena, struct cs_err *err);
/* Known, but not here yet. */
#define fail_unsupported(path, err, ...) cs_fail_at(err, path, "unsupported", __VA_ARGS__)

/* ---- media ---- */

enum media_text {
    MEDIA_TEXT_ANY, /* "input": a job's id, a URL or a marker */
    MEDIA_TEXT_URL, /* "videoUrl": a URL or a marker */
};

/* A string or object of the client -> {job} or {url}. type_word (may be NULL) gets "video" … when a marker says it. */
enum cs_status read_media(const json_t *value, enum media_text text, const char *path, struct cs_arena *arena,
                          json_t **ret_ref, const char **type_word, struct cs_err *err);

/* ---- params ---- */

/* Puts value (stolen) under the native name, remembering where it came from; "one_of" when it is there already. */
enum cs_status job_put(struct job_reader *job, const char *native_name, const char *client_name, json_t *value,
                       struct cs_err *err);
const char *job_client_param(struct job_reader *job, const char *name); /* "…params.NAME" */
const char *job_native_param(struct job_reader *job, const char *name);

/* Reads job->params into job->out by the rules of the operation. */
enum cs_status read_params(struct job_reader *job, const struct cs_operation *operation, struct cs_err *err);

/* "too_many" beyond CS_JOB_INPUTS_MAX, before any of them is looked at. */
enum cs_status check_inputs(size_t count, const char *path, struct cs_err *err);

/* Members of merge and addSubtitles that need more than a name. */
enum cs_status merge_inputs(struct job_reader *job, const json_t *value, struct cs_err *err);
enum cs_status merge_items(struct job_reader *job, const json_t *value, struct cs_err *err);
enum cs_status merge_transition(struct job_reader *job, const json_t *value, struct cs_err *err);
enum cs_status merge_frame_rate(struct job_reader *job, const json_t *value, struct cs_err *err);
enum cs_status transitions_items(struct job_reader *job, const json_t *value, struct cs_err *err);
enum cs_status stitch_scenes(struct job_reader *job, const json_t *value, struct cs_err *err);
enum cs_status list_implied(struct job_reader *job, const char *list, struct cs_err *err);
/* Whether an input of the job beside its main one is this one. */
bool names_job(const struct job_reader *job, const char *id);
enum cs_status text_list(struct job_reader *job, const json_t *value, struct cs_err *err);
enum cs_status text_alone(struct job_reader *job, const json_t *value, struct cs_err *err);
enum cs_status layer_layers(struct job_reader *job, const json_t *value, struct cs_err *err);
enum cs_status map_items(struct job_reader *job, const json_t *value, struct cs_err *err);
enum cs_status map_job(struct job_reader *job, const json_t *value, struct cs_err *err);
enum cs_status subtitles_transcript(struct job_reader *job, const json_t *value, struct cs_err *err);
enum cs_status subtitles_timing(struct job_reader *job, const json_t *value, struct cs_err *err);
enum cs_status subtitles_style(struct job_reader *job, const json_t *value, struct cs_err *err);

enum cs_status mix_tracks(struct job_reader *job, const json_t *value, struct cs_err *err);

enum cs_status external_data(struct job_reader *job, const json_t *value, struct cs_err *err);

/* ---- jobs ---- */
/* The operation that a job names, as "operation" or "type". */
enum cs_status read_operation(struct job_reader *job, const json_t *object, const struct cs_operation **ret_operation,
                              struct cs_err *err);
/* client_jobs: "executionPlan.jobs". */
enum cs_status read_jobs(const json_t *jobs, const char *client_jobs, struct gw_submission *submission,
                         struct cs_arena *arena, struct cs_err *err);

#endif
