#include "domain/plan.h"

#include "cs/base/hash.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/id.h"

enum { ID_BYTES_MAX = 128, CYCLE_SHOWN_MAX = 12 };

struct name {
    const char *id;
    uint32_t job;
    UT_hash_handle hh;
};

/* An edge as a client wrote it; the path is built only when there is something to say about it. */
struct reference {
    uint32_t parent;
    uint32_t child;
};

/* Everything that is needed while building; the result goes into the caller's arena. */
struct builder {
    const struct orc_job_draft *drafts;
    uint32_t first; /* index of the first new job: how many are there already */
    uint32_t count; /* of new jobs */
    uint32_t total;
    struct cs_arena *scratch;
    struct cs_arena *arena;
    struct name *names;
    struct reference *references; /* of new jobs */
    uint32_t reference_count;
    uint32_t *children; /* new ones of each parent, in order of the parents */
    uint32_t *child_at; /* where in `children` those of a parent begin; one more at the end */
    struct orc_plan *plan;
    struct orc_plan_job *jobs; /* with the new ones; the plan's when all is well */
    uint32_t job_room;
};

/* ---- ids ---- */

static void index_present(struct builder *b, struct name *names) {
    for (uint32_t i = 0; i < b->first; i++) {
        names[i] = (struct name){.id = b->plan->jobs[i].id, .job = i};
        HASH_ADD_KEYPTR(hh, b->names, names[i].id, strlen(names[i].id), &names[i]);
    }
}

static enum cs_status index_ids(struct builder *b, struct cs_err *err) {
    struct name *names = cs_arena_array(b->scratch, b->total, sizeof(*names));
    index_present(b, names);
    for (uint32_t i = 0; i < b->count; i++) {
        const char *id = b->drafts[i].id;
        char path[CS_ERR_PATH_MAX];
        (void)snprintf(path, sizeof(path), "jobs[%u].id", i);
        if (!b->drafts[i].hidden && !cs_id_valid(id, ID_BYTES_MAX)) {
            return cs_fail_at(err, path, "bad_id", "a job's id has 1 to %d characters of A-Z a-z 0-9 _ . : -",
                              ID_BYTES_MAX);
        }
        struct name *twin = NULL;
        HASH_FIND_STR(b->names, id, twin);
        if (twin != NULL && twin->job < b->first) {
            return cs_fail_at(err, path, "duplicate_id", "the plan has a job \"%s\" already", id);
        }
        if (twin != NULL) {
            return cs_fail_at(err, path, "duplicate_id", "jobs[%u] has the id \"%s\" already", twin->job - b->first,
                              id);
        }
        struct name *name = &names[b->first + i];
        *name = (struct name){.id = id, .job = b->first + i};
        HASH_ADD_KEYPTR(hh, b->names, name->id, strlen(name->id), name);
    }
    return CS_OK;
}

/* ---- references ---- */

static uint32_t reference_count_of(const struct orc_job_draft *draft) {
    return draft->input_count + draft->depends_on_count;
}

/* Reference number n of a job: its inputs, then its dependsOn; NULL when that input comes from elsewhere. */
static const char *reference_id(const struct orc_job_draft *draft, uint32_t n) {
    return n < draft->input_count ? draft->input_jobs[n] : draft->depends_on[n - draft->input_count];
}

static void reference_path(const struct builder *b, uint32_t job, uint32_t n, char ret_path[CS_ERR_PATH_MAX]) {
    const struct orc_job_draft *draft = &b->drafts[job];
    if (n < draft->input_count) {
        (void)snprintf(ret_path, CS_ERR_PATH_MAX, "%s", draft->input_paths[n]);
    } else {
        (void)snprintf(ret_path, CS_ERR_PATH_MAX, "jobs[%u].dependsOn[%u]", job, n - draft->input_count);
    }
}

static enum cs_status check_edge_count(const struct builder *b, struct cs_err *err) {
    uint64_t total = b->plan->edge_count;
    for (uint32_t i = 0; i < b->count; i++) {
        total += (uint64_t)b->drafts[i].input_count + b->drafts[i].depends_on_count;
        if (total > ORC_PLAN_EDGES_MAX) {
            return cs_fail_at(err, "jobs", "too_many_edges", "a plan has at most %d dependencies", ORC_PLAN_EDGES_MAX);
        }
    }
    return CS_OK;
}

static enum cs_status resolve_reference(struct builder *b, uint32_t job, uint32_t n, struct cs_err *err) {
    const char *id = reference_id(&b->drafts[job], n);
    if (id == NULL) {
        return CS_OK;
    }
    struct name *parent = NULL;
    HASH_FIND_STR(b->names, id, parent);
    if (parent != NULL && parent->job != b->first + job) {
        b->references[b->reference_count++] = (struct reference){.parent = parent->job, .child = b->first + job};
        return CS_OK;
    }
    char path[CS_ERR_PATH_MAX];
    reference_path(b, job, n, path);
    if (parent == NULL) {
        return cs_fail_at(err, path, "unknown_dependency", "the plan has no job \"%.128s\"", id);
    }
    return cs_fail_at(err, path, "self_dependency", "job \"%s\" depends on itself", id);
}

static enum cs_status resolve_references(struct builder *b, struct cs_err *err) {
    CS_TRY(check_edge_count(b, err));
    size_t total = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        total += reference_count_of(&b->drafts[i]);
    }
    b->references = cs_arena_array(b->scratch, total, sizeof(*b->references));
    for (uint32_t i = 0; i < b->count; i++) {
        for (uint32_t n = 0; n < reference_count_of(&b->drafts[i]); n++) {
            CS_TRY(resolve_reference(b, i, n, err));
        }
    }
    return CS_OK;
}

/* References come in order of their child: a parent that was seen last with the same child is a duplicate. */
static void drop_duplicates(struct builder *b) {
    uint32_t *last_child = cs_arena_array(b->scratch, b->total, sizeof(*last_child)); /* from 1 */
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->reference_count; i++) {
        struct reference reference = b->references[i];
        if (last_child[reference.parent] != reference.child + 1) {
            last_child[reference.parent] = reference.child + 1;
            b->references[kept++] = reference;
        }
    }
    b->reference_count = kept;
}

/* ---- the graph ---- */

/* The new children of each parent, which may be there already. References are in order of the child, which sorts them.
 */
static void sort_children(struct builder *b) {
    uint32_t *next = cs_arena_array(b->scratch, b->total, sizeof(*next));
    b->child_at = cs_arena_array(b->scratch, (size_t)b->total + 1, sizeof(*b->child_at));
    b->children = cs_arena_array(b->arena, b->reference_count, sizeof(*b->children));
    for (uint32_t i = 0; i < b->reference_count; i++) {
        b->child_at[b->references[i].parent + 1]++;
    }
    for (uint32_t parent = 0; parent < b->total; parent++) {
        b->child_at[parent + 1] += b->child_at[parent];
        next[parent] = b->child_at[parent];
    }
    for (uint32_t i = 0; i < b->reference_count; i++) {
        b->children[next[b->references[i].parent]++] = b->references[i].child;
    }
}

/* Both directions of the new jobs, as slices of two arrays. Walking the parents in order sorts the parents of each
 * child.
 */
static void link_jobs(struct builder *b) {
    sort_children(b);
    uint32_t *parents = cs_arena_array(b->arena, b->reference_count, sizeof(*parents));
    uint32_t *next = cs_arena_array(b->scratch, b->total, sizeof(*next));
    for (uint32_t i = 0; i < b->reference_count; i++) {
        b->jobs[b->references[i].child].parent_count++;
    }
    uint32_t at = 0;
    for (uint32_t i = b->first; i < b->total; i++) {
        next[i] = at;
        b->jobs[i].parents = parents + at;
        at += b->jobs[i].parent_count;
        b->jobs[i].children = b->children + b->child_at[i];
        b->jobs[i].child_count = b->child_at[i + 1] - b->child_at[i];
    }
    for (uint32_t parent = 0; parent < b->total; parent++) {
        for (uint32_t i = b->child_at[parent]; i < b->child_at[parent + 1]; i++) {
            parents[next[b->children[i]]++] = parent;
        }
    }
}

/* ---- policies ---- */

static int64_t place_of(const uint32_t *sorted, uint32_t count, uint32_t wanted) {
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sorted[middle] < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && sorted[low] == wanted ? (int64_t)low : -1;
}

/* Marks the edge on both of its sides, where the parent is new too. */
static enum cs_status mark_optional(struct builder *b, uint32_t job, uint32_t n, struct cs_err *err) {
    struct orc_plan_job *child = &b->jobs[b->first + job];
    const char *id = b->drafts[job].optional[n];
    struct name *name = NULL;
    HASH_FIND_STR(b->names, id, name);
    int64_t at = name != NULL ? place_of(child->parents, child->parent_count, name->job) : -1;
    if (at < 0) {
        char path[CS_ERR_PATH_MAX];
        (void)snprintf(path, sizeof(path), "jobs[%u].optionalDependencies[%u]", job, n);
        return cs_fail_at(err, path, "not_a_dependency", "job \"%s\" does not depend on \"%.128s\"", child->id, id);
    }
    ((bool *)child->optional)[at] = true;
    if (child->parents[at] >= b->first) {
        struct orc_plan_job *parent = &b->jobs[child->parents[at]];
        ((bool *)parent->optional_for)[place_of(parent->children, parent->child_count, b->first + job)] = true;
    }
    return CS_OK;
}

static enum cs_status read_optional(struct builder *b, uint32_t job, struct cs_err *err) {
    const struct orc_job_draft *draft = &b->drafts[job];
    if (draft->optional_count != 0 && b->jobs[b->first + job].policy != ORC_DEPENDENCY_ALL) {
        char path[CS_ERR_PATH_MAX];
        (void)snprintf(path, sizeof(path), "jobs[%u].optionalDependencies", job);
        return cs_fail_at(err, path, "optional_without_all", "only a job that waits for all has optional dependencies");
    }
    for (uint32_t n = 0; n < draft->optional_count; n++) {
        CS_TRY(mark_optional(b, job, n, err));
    }
    return CS_OK;
}

static bool is_decisive(const struct orc_plan_job *jobs, const struct orc_plan_job *job) {
    for (uint32_t i = 0; i < job->child_count; i++) {
        if (jobs[job->children[i]].policy != ORC_DEPENDENCY_ALWAYS) {
            return false;
        }
    }
    return job->owner < 0;
}

static enum cs_status apply_policies(struct builder *b, struct cs_err *err) {
    bool *optional = cs_arena_array(b->arena, 2 * (size_t)b->reference_count, sizeof(*optional));
    for (uint32_t i = 0; i < b->count; i++) {
        struct orc_plan_job *job = &b->jobs[b->first + i];
        job->policy =
            (uint8_t)(b->drafts[i].policy == ORC_DEPENDENCY_DEFAULT ? ORC_DEPENDENCY_ALL : b->drafts[i].policy);
        job->optional = optional;
        job->optional_for = optional + job->parent_count;
        optional += job->parent_count + job->child_count;
    }
    for (uint32_t i = 0; i < b->count; i++) {
        CS_TRY(read_optional(b, i, err));
        b->jobs[b->first + i].decisive = is_decisive(b->jobs, &b->jobs[b->first + i]);
    }
    return CS_OK;
}

/* ---- cycles ---- */

/* Takes away jobs without parents until none is left; those that stay are on a cycle or behind one. What was there
 * before waits for no new job. */
static uint32_t remove_acyclic(const struct builder *b, uint32_t *unmet) {
    uint32_t *queue = cs_arena_array(b->scratch, b->count, sizeof(*queue));
    uint32_t head = 0;
    uint32_t tail = 0;
    for (uint32_t i = b->first; i < b->total; i++) {
        for (uint32_t n = 0; n < b->jobs[i].parent_count; n++) {
            unmet[i] += b->jobs[i].parents[n] >= b->first;
        }
        if (unmet[i] == 0) {
            queue[tail++] = i;
        }
    }
    while (head < tail) {
        const struct orc_plan_job *job = &b->jobs[queue[head++]];
        for (uint32_t i = 0; i < job->child_count; i++) {
            if (--unmet[job->children[i]] == 0) {
                queue[tail++] = job->children[i];
            }
        }
    }
    return b->count - tail;
}

static uint32_t stuck_parent(const struct orc_plan_job *job, const uint32_t *unmet) {
    uint32_t i = 0;
    while (unmet[job->parents[i]] == 0) {
        i++; /* a job that stays has a parent that stays */
    }
    return job->parents[i];
}

/* From any job that stays, going to parents that stay ends in a cycle. Fills ret_cycle with it, each depending on the
 * next. */
static uint32_t find_cycle(const struct builder *b, const uint32_t *unmet, uint32_t *ret_cycle) {
    uint32_t *step = cs_arena_array(b->scratch, b->total, sizeof(*step)); /* of the walk, from 1 */
    uint32_t job = b->first;
    while (unmet[job] == 0) {
        job++;
    }
    uint32_t steps = 0;
    while (step[job] == 0) {
        ret_cycle[steps++] = job;
        step[job] = steps;
        job = stuck_parent(&b->jobs[job], unmet);
    }
    uint32_t first = step[job] - 1;
    memmove(ret_cycle, ret_cycle + first, (steps - first) * sizeof(*ret_cycle));
    return steps - first;
}

static enum cs_status fail_cycle(const struct builder *b, const uint32_t *cycle, uint32_t length, struct cs_err *err) {
    CS_AUTO_BUF text = {0};
    assert(length > 0);
    for (uint32_t i = 0; i < length && i < CYCLE_SHOWN_MAX; i++) {
        cs_buf_printf(&text, "%s -> ", b->jobs[cycle[i]].id);
    }
    if (length > CYCLE_SHOWN_MAX) {
        cs_buf_printf(&text, "… %u more … -> ", length - CYCLE_SHOWN_MAX);
    }
    cs_buf_puts(&text, b->jobs[cycle[0]].id);
    char path[CS_ERR_PATH_MAX] = "jobs";
    const char *next = b->jobs[cycle[1 % length]].id;
    uint32_t first = cycle[0] - b->first;
    for (uint32_t n = 0; n < reference_count_of(&b->drafts[first]); n++) {
        const char *id = reference_id(&b->drafts[first], n);
        if (id != NULL && strcmp(id, next) == 0) {
            reference_path(b, first, n, path);
            break;
        }
    }
    return cs_fail_at(err, path, "cycle", "jobs wait for each other: %s", text.data);
}

static enum cs_status check_cycles(const struct builder *b, struct cs_err *err) {
    uint32_t *unmet = cs_arena_array(b->scratch, b->total, sizeof(*unmet));
    if (remove_acyclic(b, unmet) == 0) {
        return CS_OK;
    }
    uint32_t *cycle = cs_arena_array(b->scratch, b->count, sizeof(*cycle));
    return fail_cycle(b, cycle, find_cycle(b, unmet, cycle), err);
}

/* ---- jobs ---- */

static char *copy_text(struct cs_arena *arena, const char *text) {
    return text != NULL ? cs_arena_strdup(arena, text) : NULL;
}

static void copy_inputs(struct builder *b, const struct orc_job_draft *draft, struct orc_plan_job *job) {
    struct orc_input *inputs = cs_arena_array(b->arena, draft->input_count, sizeof(*inputs));
    for (uint32_t i = 0; i < draft->input_count; i++) {
        inputs[i] = (struct orc_input){
            .job = -1,
            .url = copy_text(b->arena, draft->inputs[i].url),
            .upload = copy_text(b->arena, draft->inputs[i].upload),
            .accepts = draft->inputs[i].accepts,
            .output = draft->inputs[i].output,
        };
        if (draft->input_jobs[i] != NULL) {
            struct name *parent = NULL;
            HASH_FIND_STR(b->names, draft->input_jobs[i], parent);
            inputs[i].job = parent != NULL ? (int32_t)parent->job : -1; /* it was resolved before */
        }
    }
    job->inputs = inputs;
    job->input_count = draft->input_count;
}

/* What an edit may change. */
static void copy_params(struct builder *b, const struct orc_job_draft *draft, struct orc_plan_job *job) {
    job->provider = copy_text(b->arena, draft->provider);
    job->params = cs_arena_copy(b->arena, draft->params, draft->params_size);
    job->params_size = draft->params_size;
    job->map = (uint8_t)draft->map;
    job->parallel_max = draft->parallel_max;
    job->output_type = (uint8_t)draft->output_type;
    job->more_type = (uint8_t)draft->more_type;
    job->fusible = draft->fusible;
    job->ends_run = draft->ends_run;
    copy_inputs(b, draft, job);
}

static enum cs_status copy_owner(struct builder *b, const struct orc_job_draft *draft, struct orc_plan_job *job,
                                 struct cs_err *err) {
    struct name *owner = NULL;
    job->owner = -1;
    if (draft->owner == NULL) {
        return CS_OK;
    }
    HASH_FIND_STR(b->names, draft->owner, owner);
    if (owner == NULL) {
        return cs_fail_at(err, "jobs", "unknown_dependency", "the plan has no job \"%.128s\"", draft->owner);
    }
    job->owner = (int32_t)owner->job;
    job->item = draft->item;
    return CS_OK;
}

/* Those that are there come first; the plan keeps its own array until all is well. */
static void make_room(struct builder *b) {
    b->jobs = b->plan->jobs;
    b->job_room = b->plan->job_room;
    if (b->total > b->job_room) {
        b->job_room = b->first != 0 && b->total < 2 * b->job_room ? 2 * b->job_room : b->total;
        b->jobs = cs_arena_array(b->arena, b->job_room, sizeof(*b->jobs));
        if (b->first != 0) {
            memcpy(b->jobs, b->plan->jobs, b->first * sizeof(*b->jobs));
        }
    }
    if (b->count != 0) {
        memset(b->jobs + b->first, 0, b->count * sizeof(*b->jobs));
    }
}

static enum cs_status copy_jobs(struct builder *b, struct cs_err *err) {
    make_room(b);
    for (uint32_t i = 0; i < b->count; i++) {
        const struct orc_job_draft *draft = &b->drafts[i];
        struct orc_plan_job *job = &b->jobs[b->first + i];
        job->id = cs_arena_strdup(b->arena, draft->id);
        job->output = cs_arena_strdup(b->arena, draft->output);
        job->concurrency_key = copy_text(b->arena, draft->concurrency_key);
        job->concurrency_limit = draft->concurrency_limit;
        job->priority = draft->priority;
        job->operation = draft->operation;
        job->timeout_ms = draft->timeout_ms != 0 ? draft->timeout_ms : draft->operation->timeout_ms;
        job->queue_timeout_ms = draft->queue_timeout_ms;
        job->cache = (uint8_t)draft->cache;
        job->retry = draft->retry;
        job->expanded = draft->expanded;
        job->hidden = draft->hidden;
        job->discards = draft->discards;
        job->base_job = copy_text(b->arena, draft->base_job);
        job->approval = orc_approval_rule_copy(draft->approval, b->arena);
        CS_TRY(copy_owner(b, draft, job, err));
        copy_params(b, draft, job);
    }
    return CS_OK;
}

/* ---- making it so ---- */

/* Room for `count` more children of a job that has some already. */
static void grow_children(struct builder *b, struct orc_plan_job *job, uint32_t count) {
    if (job->child_count + count <= job->child_room) {
        return;
    }
    job->child_room = 2 * (job->child_count + count);
    uint32_t *children = cs_arena_array(b->arena, job->child_room, sizeof(*children));
    bool *optional_for = cs_arena_array(b->arena, job->child_room, sizeof(*optional_for));
    if (job->child_count != 0) {
        memcpy(children, job->children, job->child_count * sizeof(*children));
        memcpy(optional_for, job->optional_for, job->child_count * sizeof(*optional_for));
    }
    job->children = children;
    job->optional_for = optional_for;
}

/* The other side of edges from jobs that were there. */
static void add_children(struct builder *b, uint32_t parent) {
    struct orc_plan_job *job = &b->jobs[parent];
    grow_children(b, job, b->child_at[parent + 1] - b->child_at[parent]);
    for (uint32_t i = b->child_at[parent]; i < b->child_at[parent + 1]; i++) {
        const struct orc_plan_job *child = &b->jobs[b->children[i]];
        ((uint32_t *)job->children)[job->child_count] = b->children[i];
        ((bool *)job->optional_for)[job->child_count++] =
            child->optional[place_of(child->parents, child->parent_count, parent)];
    }
    job->decisive = is_decisive(b->jobs, job);
}

static void take_over(struct builder *b) {
    for (uint32_t parent = 0; parent < b->first; parent++) {
        if (b->child_at[parent + 1] != b->child_at[parent]) {
            add_children(b, parent);
        }
    }
    for (uint32_t i = b->first; i < b->total; i++) {
        if (b->jobs[i].owner >= 0) {
            b->jobs[b->jobs[i].owner].expanded = true;
        }
    }
    b->plan->jobs = b->jobs;
    b->plan->job_room = b->job_room;
    b->plan->job_count = b->total;
    b->plan->edge_count += b->reference_count;
}

static enum cs_status build(struct builder *b, struct cs_err *err) {
    CS_TRY(index_ids(b, err));
    CS_TRY(resolve_references(b, err));
    drop_duplicates(b);
    CS_TRY(copy_jobs(b, err));
    link_jobs(b);
    CS_TRY(apply_policies(b, err));
    CS_TRY(check_cycles(b, err));
    take_over(b);
    return CS_OK;
}

static enum cs_status extend(struct orc_plan *plan, const struct orc_job_draft *drafts, size_t count,
                             struct cs_err *err) {
    if (count > ORC_PLAN_JOBS_MAX - plan->job_count) {
        return cs_fail_at(err, "jobs", "too_many_jobs", "a plan has at most %d jobs", ORC_PLAN_JOBS_MAX);
    }
    CS_AUTO(cs_arena) *scratch = cs_arena_create();
    struct builder b = {
        .drafts = drafts,
        .first = plan->job_count,
        .count = (uint32_t)count,
        .total = plan->job_count + (uint32_t)count,
        .scratch = scratch,
        .arena = plan->arena,
        .plan = plan,
    };
    enum cs_status status = build(&b, err);
    HASH_CLEAR(hh, b.names);
    return status;
}

enum cs_status orc_plan_build(const struct orc_job_draft *drafts, size_t count, struct cs_arena *arena,
                              struct orc_plan **ret_plan, struct cs_err *err) {
    struct orc_plan *plan = cs_arena_alloc(arena, sizeof(*plan));
    plan->arena = arena;
    plan->priority = ORC_PRIORITY_DEFAULT;
    CS_TRY(extend(plan, drafts, count, err));
    *ret_plan = plan;
    return CS_OK;
}

/* ---- later changes ---- */

static enum cs_status check_bytes(const struct orc_plan *plan, size_t size_bytes, struct cs_err *err) {
    if (size_bytes > ORC_PLAN_APPENDED_BYTES_MAX - plan->appended_bytes) {
        return cs_fail_at(err, "jobs", "appended_too_much", "an execution takes at most %d bytes of later changes",
                          ORC_PLAN_APPENDED_BYTES_MAX);
    }
    return CS_OK;
}

enum cs_status orc_plan_append(struct orc_plan *plan, const struct orc_addition *addition, struct cs_err *err) {
    CS_TRY(check_bytes(plan, addition->size_bytes, err));
    CS_TRY(extend(plan, addition->drafts, addition->count, err));
    plan->appended_bytes += addition->size_bytes;
    return CS_OK;
}

/* Every job that the new parameters name is one of its parents. */
static enum cs_status name_parents(struct builder *b, const struct orc_plan_job *job, struct name *names,
                                   struct cs_err *err) {
    for (uint32_t i = 0; i < job->parent_count; i++) {
        names[i] = (struct name){.id = b->plan->jobs[job->parents[i]].id, .job = job->parents[i]};
        HASH_ADD_KEYPTR(hh, b->names, names[i].id, strlen(names[i].id), &names[i]);
    }
    for (uint32_t i = 0; i < reference_count_of(b->drafts); i++) {
        const char *id = reference_id(b->drafts, i);
        struct name *parent = NULL;
        if (id != NULL) {
            HASH_FIND_STR(b->names, id, parent);
        }
        if (id != NULL && parent == NULL) {
            char path[CS_ERR_PATH_MAX];
            reference_path(b, 0, i, path);
            return cs_fail_at(err, path, "not_a_dependency", "job \"%s\" does not depend on \"%.128s\"", job->id, id);
        }
    }
    return CS_OK;
}

enum cs_status orc_plan_edit(struct orc_plan *plan, uint32_t job, const struct orc_addition *addition,
                             struct cs_err *err) {
    CS_TRY(check_bytes(plan, addition->size_bytes, err));
    CS_AUTO(cs_arena) *scratch = cs_arena_create();
    struct builder b = {.drafts = addition->drafts, .arena = plan->arena, .plan = plan};
    struct name *names = cs_arena_array(scratch, plan->jobs[job].parent_count, sizeof(*names));
    enum cs_status status = name_parents(&b, &plan->jobs[job], names, err);
    if (status == CS_OK) {
        copy_params(&b, addition->drafts, &plan->jobs[job]);
        plan->appended_bytes += addition->size_bytes;
    }
    HASH_CLEAR(hh, b.names);
    return status;
}

/* ---- questions ---- */

int32_t orc_plan_find(const struct orc_plan *plan, const char *id) {
    for (uint32_t i = 0; i < plan->job_count; i++) {
        if (strcmp(plan->jobs[i].id, id) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}
