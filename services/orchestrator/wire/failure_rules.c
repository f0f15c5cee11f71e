#include "wire/failure_rules.h"

#include "wire/plan_wire.h"

_Static_assert(ORC_DEPENDENCY_ALWAYS == (int)CALLSHEET__V1__DEPENDENCY_POLICY__DEPENDENCY_POLICY_ALWAYS,
               "same numbers");

static enum cs_status check_retry(const Callsheet__V1__RetryPolicy *retry, struct cs_err *err) {
    if (retry->attempts > ORC_RETRY_ATTEMPTS_MAX) {
        return cs_fail_at(err, "retry.attempts", "bad_retry", "a job has at most %d attempts", ORC_RETRY_ATTEMPTS_MAX);
    }
    if (retry->base_ms < 0 || retry->base_ms > ORC_RETRY_BASE_MS_MAX) {
        return cs_fail_at(err, "retry.baseMs", "bad_retry", "the first delay has at most %d ms", ORC_RETRY_BASE_MS_MAX);
    }
    if (retry->cap_ms < 0 || retry->cap_ms > ORC_RETRY_CAP_MS_MAX ||
        (retry->cap_ms != 0 && retry->cap_ms < retry->base_ms)) {
        return cs_fail_at(err, "retry.capMs", "bad_retry",
                          "the longest delay is not below the first one, at most %d ms", ORC_RETRY_CAP_MS_MAX);
    }
    return CS_OK;
}

enum cs_status orc_failure_rules_check(const Callsheet__V1__Job *job, struct cs_err *err) {
    if ((unsigned)job->dependency_policy > ORC_DEPENDENCY_ALWAYS) {
        return cs_fail_at(err, "dependencyPolicy", "bad_dependency_policy",
                          "a dependency policy is all, any or always");
    }
    if (job->n_optional_dependencies > ORC_PLAN_JOBS_MAX) {
        return cs_fail_at(err, "optionalDependencies", "too_many_edges", "a job has at most %d optional dependencies",
                          ORC_PLAN_JOBS_MAX);
    }
    if (job->timeout_ms < 0 || job->timeout_ms > ORC_JOB_TIMEOUT_MS_MAX) {
        return cs_fail_at(err, "timeoutMs", "bad_timeout", "a job's timeout is 1 to %lld ms, or 0 for the default",
                          (long long)ORC_JOB_TIMEOUT_MS_MAX);
    }
    if (job->queue_timeout_ms < 0 || job->queue_timeout_ms > ORC_TIMEOUT_MS_MAX) {
        return cs_fail_at(err, "queueTimeoutMs", "bad_queue_timeout",
                          "a job may wait 1 to %lld ms for a worker, or 0 without limit",
                          (long long)ORC_TIMEOUT_MS_MAX);
    }
    return job->retry != NULL ? check_retry(job->retry, err) : CS_OK;
}

enum cs_status orc_failure_rules_check_plan(const Callsheet__V1__Plan *plan, struct cs_err *err) {
    if ((unsigned)plan->on_failure > (unsigned)CALLSHEET__V1__ON_FAILURE__ON_FAILURE_FAIL_FAST) {
        return cs_fail_at(err, "onFailure", "bad_on_failure", "on failure a plan can continue or fail_fast");
    }
    return CS_OK;
}

void orc_failure_rules_read(const Callsheet__V1__Job *job, struct orc_job_draft *draft) {
    draft->policy = (enum orc_dependency_policy)job->dependency_policy;
    draft->optional = (const char *const *)job->optional_dependencies;
    draft->optional_count = (uint32_t)job->n_optional_dependencies;
    draft->timeout_ms = job->timeout_ms;
    draft->queue_timeout_ms = job->queue_timeout_ms;
    if (job->retry != NULL) {
        draft->retry = (struct orc_retry_policy){job->retry->attempts, job->retry->base_ms, job->retry->cap_ms};
    }
}
