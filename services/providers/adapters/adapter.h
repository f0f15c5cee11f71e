/*
 * adapter: what one provider is, in pure functions. The engine does the rest.
 *
 * Required   submit/submitted, poll/polled, models, pace.
 * Optional   cancel (NULL: cannot), find/found (only with PRV_RECONCILE_LIST).
 * Failures   in the words of domain/failure.h: INVALID_INPUT, AUTH, BILLING, RATE_LIMITED, CONTENT_REJECTED, TRANSIENT
 *            … An answer that does not say whether the submission was taken is PRV_OUTCOME_UNCLEAR, never a refusal.
 * Threads    pure; builders put everything into the arena.
 * Trust      answers come from outside: parse, check sizes, never assert.
 */
#ifndef PRV_ADAPTER_H
#define PRV_ADAPTER_H

#include "callsheet/v1/operations.pb-c.h"
#include "cs/base/mem.h"
#include "cs/http.h"
#include "domain/task.h"

enum {
    PRV_CALL_HEADERS_MAX = 4,
    PRV_CALL_ANSWER_BYTES_MAX = 1 << 20,
    PRV_DATA_URL_BYTES_MAX = 256 * 1024,
    PRV_OUTPUT_URL_MAX = 2049,
};

/* What is to be generated. */
struct prv_job {
    const Callsheet__V1__Operation *operation; /* MediaRef.input points into inputs, from 1 */
    const char *model;                         /* never "" */
    const char *key;                           /* of this submission */
    const char *const *inputs;                 /* URLs or data URLs; NULL for adapters that take files */
    size_t input_count;
    int64_t intent_unix_ms;
};

/* A request, relative to the provider's base URL. Authentication is the transport's. */
struct prv_call {
    const char *method;
    const char *path; /* begins with "/" */
    struct cs_http_header headers[PRV_CALL_HEADERS_MAX];
    size_t header_count;
    const void *body;
    size_t body_size;
};

struct prv_answer {
    int status; /* of HTTP */
    const char *body;
    size_t body_size;
    int64_t retry_after_ms;
};

struct prv_outcome {
    enum {
        PRV_OUTCOME_ACCEPTED, /* id is set; fresh unless the provider had it before */
        PRV_OUTCOME_REFUSED,  /* failure is set; nothing was taken, nothing will be billed */
        PRV_OUTCOME_ABSENT,   /* of find: it is not there */
        PRV_OUTCOME_UNCLEAR,
        PRV_OUTCOME_BARRED, /* of find: failure is set */
    } kind;
    char id[PRV_ID_SIZE];
    bool fresh;
    struct prv_failure failure;
};

struct prv_snapshot {
    enum {
        PRV_SNAPSHOT_RUNNING,
        PRV_SNAPSHOT_DONE,    /* output_url is set, or the transport has a file under the id */
        PRV_SNAPSHOT_FAILED,  /* failure is set */
        PRV_SNAPSHOT_BARRED,  /* failure is set */
        PRV_SNAPSHOT_UNCLEAR, /* read again */
    } kind;
    double fraction; /* of RUNNING; 0 unknown */
    int64_t media_time_us;
    int64_t media_duration_us;
    double speed;
    bool queued; /* of RUNNING: it has not begun */
    char output_url[PRV_OUTPUT_URL_MAX];
    struct prv_failure failure;
};

struct prv_model {
    const char *id;
    const char *const *operations; /* JSON names, NULL-terminated */
};

struct prv_adapter {
    const char *name;
    bool preview;
    bool takes_files; /* inputs reach the transport as descriptors, else as URLs */
    enum prv_reconcile reconcile;
    struct prv_pace pace;
    const struct prv_model *models; /* the first that serves an operation is its default */
    size_t model_count;
    const char *const *output_hosts; /* where outputs may be fetched from (and their subdomains), NULL-terminated */

    enum cs_status (*submit)(const struct prv_job *job, struct cs_arena *arena, struct prv_call *ret_call,
                             struct cs_err *err);
    void (*submitted)(const struct prv_answer *answer, struct prv_outcome *ret_outcome);
    void (*poll)(const char *id, struct cs_arena *arena, struct prv_call *ret_call);
    void (*polled)(const struct prv_answer *answer, struct prv_snapshot *ret_snapshot);
    void (*cancel)(const char *id, struct cs_arena *arena, struct prv_call *ret_call);
    void (*find)(const struct prv_job *job, struct cs_arena *arena, struct prv_call *ret_call);
    void (*found)(const struct prv_job *job, const struct prv_answer *answer, struct prv_outcome *ret_outcome);
};

extern const struct prv_adapter prv_adapter_local;
extern const struct prv_adapter prv_adapter_replicate;

/* The model named, or the operation's default for "". NULL when the adapter has none such. */
const struct prv_model *prv_adapter_model(const struct prv_adapter *adapter, const char *operation, const char *model);
bool prv_adapter_host_allowed(const struct prv_adapter *adapter, const char *host);

/* What a status that is no success says, by the one table for all HTTP providers. */
struct prv_failure prv_failure_from_status(const char *provider, int status, const char *detail,
                                           int64_t retry_after_ms);
/* Whether such a status means that nothing was taken. */
bool prv_status_is_refusal(int status);

#endif
