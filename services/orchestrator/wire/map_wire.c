#include "wire/map_wire.h"

#include <stdio.h>
#include <string.h>

#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/json.h"
#include "wire/execution_wire.h"
#include "wire/map_template.h"
#include "wire/plan_wire.h"

_Static_assert(ORC_MAP_SKIP == (int)CALLSHEET__V1__ITEM_FAILURE__ITEM_FAILURE_SKIP, "same numbers");

/* ---- template ---- */

static bool is_map(const Callsheet__V1__Job *job) {
    return job->operation != NULL && job->operation->params_case == CALLSHEET__V1__OPERATION__PARAMS_MAP;
}

static enum cs_status parse_template(const Callsheet__V1__Map *map, json_t **ret_template, struct cs_err *err) {
    static const char *const given[] = {"id", "parent", "index", "expanded", "reference"};
    CS_AUTO_JSON *template = NULL;
    if (cs_json_parse(map->job, strlen(map->job), &template, err) != CS_OK) {
        return cs_err_at(err, "job");
    }
    if (!json_is_object(template) || !json_is_object(json_object_get(template, "operation"))) {
        return cs_fail_at(err, "job", "bad_template", "the template must be a job with an operation");
    }
    if (json_object_get(json_object_get(template, "operation"), "map") != NULL) {
        return cs_fail_at(err, "job.operation", "nested_map", "an item's job cannot be a map itself");
    }
    for (size_t i = 0; i < CS_COUNT(given); i++) {
        if (json_object_get(template, given[i]) != NULL) {
            return cs_fail_at(err, "job", "bad_template", "the items' %s is not the template's to give", given[i]);
        }
    }
    *ret_template = json_incref(template);
    return CS_OK;
}

int orc_map_output_type(const Callsheet__V1__Map *map) {
    CS_AUTO_JSON *template = NULL;
    struct cs_err err = {0};
    if (parse_template(map, &template, &err) != CS_OK) {
        return 0;
    }
    void *operation = json_object_iter(json_object_get(template, "operation"));
    const char *name = json_object_iter_key(operation);
    const struct cs_operation *row = name != NULL ? cs_catalog_by_name(name) : NULL;
    if (row == NULL) {
        return 0;
    }
    bool sound = row->audio_alone && json_object_get(json_object_iter_value(operation), "audio") != NULL;
    return sound ? (int)CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO : (int)row->output;
}

/* ---- items ---- */

static json_t *item_of_output(const Callsheet__V1__Artifact *output, struct cs_arena *arena) {
    const char *type = cs_json_enum_word(&callsheet__v1__media_type__descriptor, (int)output->type, arena);
    json_t *item = json_pack("{s:s, s:s, s:s, s:I}", "type", type != NULL ? type : "", "name", output->name,
                             "contentType", output->content_type, "sizeBytes", (json_int_t)output->size_bytes);
    if (output->facts != NULL) {
        (void)json_object_set_new(item, "duration", json_real((double)output->facts->duration_us / 1e6));
    }
    if (output->facts != NULL && output->facts->video != NULL) {
        (void)json_object_set_new(item, "width", json_integer(output->facts->video->width));
        (void)json_object_set_new(item, "height", json_integer(output->facts->video->height));
    }
    return item;
}

static enum cs_status parse_item(const Callsheet__V1__Map *map, size_t index, json_t **ret_item, struct cs_err *err) {
    const char *text = map->items[index];
    struct cs_err why = {0};
    char path[32];
    (void)snprintf(path, sizeof(path), "items[%zu]", index);
    if (strlen(text) > ORC_MAP_ITEM_BYTES_MAX) {
        return cs_fail_at(err, path, "bad_item", "an item has at most %d bytes", ORC_MAP_ITEM_BYTES_MAX);
    }
    if (cs_json_parse(text, strlen(text), ret_item, &why) != CS_OK) {
        return cs_fail_at(err, path, "bad_item", "an item must be a JSON value: %s", why.message);
    }
    return CS_OK;
}

/* ---- expansion ---- */

struct expansion {
    const Callsheet__V1__Map *map;
    const char *id;
    const struct orc_map_source *source;
    const json_t *template;
    struct cs_arena *arena;
};

static enum cs_status get_item(const struct expansion *e, size_t index, json_t **ret_item, struct cs_err *err) {
    if (e->source->result == NULL) {
        return parse_item(e->map, index, ret_item, err);
    }
    *ret_item = item_of_output(e->source->result->outputs[index], e->arena);
    return CS_OK;
}

static enum cs_status make_job(const struct expansion *e, size_t index, const json_t *item,
                               Callsheet__V1__Job **ret_job, struct cs_err *err) {
    const struct orc_map_item about = {.value = item, .index = (uint32_t)index, .job = e->source->job};
    json_t *filled = NULL;
    ProtobufCMessage *message = NULL;
    if (orc_map_fill(e->template, &about, &filled, err) != CS_OK) {
        return cs_err_at(err, "job");
    }
    enum cs_status status = cs_json_to_message(filled, &callsheet__v1__job__descriptor, "job", e->arena, &message, err);
    json_decref(filled);
    CS_TRY(status);
    Callsheet__V1__Job *job = (Callsheet__V1__Job *)message;
    job->id = cs_arena_sprintf(e->arena, "%s.%zu", e->id, index);
    job->parent = cs_arena_strdup(e->arena, e->id);
    job->index = (uint32_t)index;
    if (is_map(job) || cs_operation_params(job->operation) == NULL) {
        return cs_fail_at(err, "job.operation", "bad_template", "the template must be a job with one operation");
    }
    *ret_job = job;
    return CS_OK;
}

bool orc_map_leaves_out(const Callsheet__V1__Map *map, size_t index) {
    for (size_t i = 0; i < map->n_without; i++) {
        if (map->without[i] == index) {
            return true;
        }
    }
    return false;
}

static enum cs_status expand_all(const struct expansion *e, size_t count, Callsheet__V1__Plan *plan,
                                 struct cs_err *err) {
    plan->jobs = cs_arena_array(e->arena, count, sizeof(Callsheet__V1__Job *));
    for (size_t i = 0; i < count; i++) {
        json_t *item = NULL;
        if (orc_map_leaves_out(e->map, i)) {
            continue;
        }
        CS_TRY(get_item(e, i, &item, err));
        enum cs_status status = make_job(e, i, item, &plan->jobs[plan->n_jobs], err);
        json_decref(item);
        CS_TRY(status);
        plan->n_jobs++;
    }
    return CS_OK;
}

enum cs_status orc_map_expand(const Callsheet__V1__Map *map, const char *id, const struct orc_map_source *source,
                              struct cs_arena *arena, Callsheet__V1__Plan **ret_plan, struct cs_err *err) {
    CS_AUTO_JSON *template = NULL;
    CS_TRY(parse_template(map, &template, err));
    const struct expansion e = {.map = map, .id = id, .source = source, .template = template, .arena = arena};
    size_t count = source->result != NULL ? source->result->n_outputs : map->n_items;
    Callsheet__V1__Plan *plan = cs_arena_alloc(arena, sizeof(*plan));
    callsheet__v1__plan__init(plan);
    CS_TRY(expand_all(&e, count, plan, err));
    *ret_plan = plan;
    return CS_OK;
}

/* ---- at submit ---- */

/* A stand-in for an output that is not there yet. */
static Callsheet__V1__Succeeded *made_up(struct cs_arena *arena) {
    Callsheet__V1__Succeeded *result = cs_arena_alloc(arena, sizeof(*result));
    Callsheet__V1__Artifact *output = cs_arena_alloc(arena, sizeof(*output));
    Callsheet__V1__MediaFacts *facts = cs_arena_alloc(arena, sizeof(*facts));
    Callsheet__V1__VideoFacts *video = cs_arena_alloc(arena, sizeof(*video));
    callsheet__v1__succeeded__init(result);
    callsheet__v1__artifact__init(output);
    callsheet__v1__media_facts__init(facts);
    callsheet__v1__video_facts__init(video);
    facts->duration_us = 1000000;
    facts->video = video;
    output->name = (char *)"output";
    output->facts = facts;
    result->outputs = cs_arena_copy(arena, &output, sizeof(Callsheet__V1__Artifact *));
    result->n_outputs = 1;
    return result;
}

struct names {
    char **items;
    size_t count;
    size_t capacity;
};

static void add_name(struct names *names, char *name, struct cs_arena *arena) {
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0) {
            return;
        }
    }
    if (names->count == names->capacity) {
        names->capacity = names->capacity != 0 ? 2 * names->capacity : 16;
        char **grown = cs_arena_array(arena, names->capacity, sizeof(char *));
        for (size_t i = 0; i < names->count; i++) {
            grown[i] = names->items[i];
        }
        names->items = grown;
    }
    names->items[names->count++] = name;
}

/* The jobs that an item's job names. */
static enum cs_status collect(Callsheet__V1__Job *item, struct cs_arena *arena, struct names *names,
                              struct cs_err *err) {
    struct cs_media_slot *slots = NULL;
    size_t count = 0;
    CS_TRY(cs_catalog_media_slots(item->operation, arena, &slots, &count, err));
    for (size_t i = 0; i < count; i++) {
        if (slots[i].ref->source_case == CALLSHEET__V1__MEDIA_REF__SOURCE_JOB) {
            add_name(names, slots[i].ref->job, arena);
        }
    }
    for (size_t i = 0; i < item->n_depends_on; i++) {
        add_name(names, item->depends_on[i], arena);
    }
    return CS_OK;
}

static enum cs_status check_items(const Callsheet__V1__Plan *plan, struct cs_arena *arena, struct names *names,
                                  struct cs_err *err) {
    struct orc_job_draft *drafts = NULL;
    if (orc_drafts_from(plan, false, arena, &drafts, err) != CS_OK) {
        const char *rest = strchr(err->path, '.'); /* "jobs[3].params.prompt": as if it were the template's */
        memmove(err->path, rest != NULL ? rest + 1 : "", rest != NULL ? strlen(rest) : 1);
        return cs_err_at(err, "job");
    }
    for (size_t i = 0; i < plan->n_jobs; i++) {
        CS_TRY(collect(plan->jobs[i], arena, names, err));
    }
    return CS_OK;
}

enum cs_status orc_map_check(Callsheet__V1__Job *job, struct cs_arena *arena, struct cs_err *err) {
    Callsheet__V1__Map *map = job->operation->map;
    if (strlen(job->id) + ORC_MAP_ID_ROOM > CS_JOB_ID_MAX) {
        return cs_fail_at(err, "id", "bad_id", "the id of a map has at most %d bytes: its items' ids begin with it",
                          CS_JOB_ID_MAX - ORC_MAP_ID_ROOM);
    }
    struct orc_map_source source = {0};
    if (map->items_from != NULL) {
        source = (struct orc_map_source){.job = map->items_from->job, .result = made_up(arena)};
    }
    struct names names = {0};
    for (size_t i = 0; i < job->n_depends_on; i++) {
        add_name(&names, job->depends_on[i], arena);
    }
    Callsheet__V1__Plan *plan = NULL;
    if (orc_map_expand(map, job->id, &source, arena, &plan, err) != CS_OK ||
        check_items(plan, arena, &names, err) != CS_OK) {
        return cs_err_at(err, "params");
    }
    job->depends_on = names.items;
    job->n_depends_on = names.count;
    return CS_OK;
}

/* ---- the end ---- */

struct tally {
    uint32_t completed;
    uint32_t bad;
    uint32_t first_bad; /* job */
};

static bool is_item(const struct orc_execution *execution, uint32_t job, uint32_t map) {
    return execution->plan->jobs[job].owner == (int32_t)map;
}

static struct tally count_items(const struct orc_execution *execution, uint32_t map) {
    struct tally tally = {0};
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        const struct orc_job *job = &execution->jobs[i];
        if (!is_item(execution, i, map) || !orc_job_terminal(job)) {
            continue;
        }
        bool bad = job->state != ORC_JOB_COMPLETED && !job->removed;
        tally.completed += job->state == ORC_JOB_COMPLETED;
        tally.first_bad = bad && tally.bad == 0 ? i : tally.first_bad;
        tally.bad += bad;
    }
    return tally;
}

static void put_metric(Callsheet__V1__Succeeded *result, const char *name, double value, struct cs_arena *arena) {
    Callsheet__V1__Metric *metric = cs_arena_alloc(arena, sizeof(*metric));
    callsheet__v1__metric__init(metric);
    metric->name = (char *)name;
    metric->value = value;
    result->metrics[result->n_metrics++] = metric;
}

/* The first output of each item that completed. Items are in the plan in their order. */
static enum cs_status gather(const struct orc_execution *execution, uint32_t map, const struct tally *tally,
                             struct cs_arena *arena, const Callsheet__V1__Succeeded **ret_result, struct cs_err *err) {
    Callsheet__V1__Succeeded *result = cs_arena_alloc(arena, sizeof(*result));
    callsheet__v1__succeeded__init(result);
    result->outputs = cs_arena_array(arena, tally->completed, sizeof(Callsheet__V1__Artifact *));
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        const Callsheet__V1__Succeeded *one = NULL;
        if (is_item(execution, i, map)) {
            CS_TRY(orc_job_result(&execution->jobs[i], arena, &one, err));
        }
        if (one != NULL && one->n_outputs != 0) {
            result->outputs[result->n_outputs++] = one->outputs[0];
        }
    }
    result->metrics = cs_arena_array(arena, 2, sizeof(Callsheet__V1__Metric *));
    put_metric(result, "itemsCompleted", tally->completed, arena);
    put_metric(result, "itemsFailed", tally->bad, arena);
    *ret_result = result;
    return CS_OK;
}

static void say_failed(const struct orc_execution *execution, const struct tally *tally, bool all,
                       struct cs_arena *arena, struct orc_map_outcome *outcome) {
    const struct orc_job *bad = &execution->jobs[tally->first_bad];
    const struct orc_plan_job *node = &execution->plan->jobs[tally->first_bad];
    const char *why = !cs_str_empty(bad->error_message) ? bad->error_message : bad->error_code;
    outcome->failure_class = bad->failure_class;
    outcome->code = all ? "all_items_failed" : "item_failed";
    outcome->message = cs_arena_sprintf(arena, "%sitem %u: %s", all ? "all items failed; " : "", node->item,
                                        why != NULL ? why : "it did not complete");
}

enum cs_status orc_map_outcome(const struct orc_execution *execution, uint32_t map, struct cs_arena *arena,
                               struct orc_map_outcome *ret_outcome, struct cs_err *err) {
    struct tally tally = count_items(execution, map);
    bool fails = tally.bad != 0 && execution->plan->jobs[map].map == ORC_MAP_FAIL;
    bool all = tally.bad != 0 && tally.completed == 0;
    struct orc_map_outcome outcome = {.due = fails || execution->jobs[map].items_open == 0};
    if (outcome.due && (fails || all)) {
        say_failed(execution, &tally, all && execution->jobs[map].items_open == 0, arena, &outcome);
    } else if (outcome.due) {
        CS_TRY(gather(execution, map, &tally, arena, &outcome.result, err));
    }
    *ret_outcome = outcome;
    return CS_OK;
}
