#include "wire/failure_rules.h"

_Static_assert(ORC_DEPENDENCY_ALWAYS == (int)CALLSHEET__V1__DEPENDENCY_POLICY__DEPENDENCY_POLICY_ALWAYS,
               "same numbers");

enum cs_status orc_failure_rules_check(const Callsheet__V1__Job *job, struct cs_err *err) {
    if ((unsigned)job->dependency_policy > ORC_DEPENDENCY_ALWAYS) {
        return cs_fail_at(err, "dependencyPolicy", "bad_dependency_policy",
                          "a dependency policy is all, any or always");
    }
    if (job->n_optional_dependencies > ORC_PLAN_JOBS_MAX) {
        return cs_fail_at(err, "optionalDependencies", "too_many_edges", "a job has at most %d optional dependencies",
                          ORC_PLAN_JOBS_MAX);
    }
    return CS_OK;
}

void orc_failure_rules_read(const Callsheet__V1__Job *job, struct orc_job_draft *draft) {
    draft->policy = (enum orc_dependency_policy)job->dependency_policy;
    draft->optional = (const char *const *)job->optional_dependencies;
    draft->optional_count = (uint32_t)job->n_optional_dependencies;
}
