#include "cs/catalog.h"

#define TYPE(word) CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_##word

struct list {
    struct cs_arena *arena;
    struct cs_media_slot *slots;
    size_t count;
    size_t capacity;
};

static enum cs_status add(struct list *list, Callsheet__V1__MediaRef *ref, const char *path,
                          Callsheet__V1__MediaType accepts, struct cs_err *err) {
    if (ref == NULL) {
        return CS_OK;
    }
    if (list->count == CS_JOB_INPUTS_MAX) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_many_inputs", "a job has at most %d inputs", CS_JOB_INPUTS_MAX);
    }
    if (list->count == list->capacity) {
        size_t capacity = list->capacity != 0 ? list->capacity * 2 : 8;
        struct cs_media_slot *grown = cs_arena_array(list->arena, capacity, sizeof(*grown));
        for (size_t i = 0; i < list->count; i++) {
            grown[i] = list->slots[i];
        }
        list->slots = grown;
        list->capacity = capacity;
    }
    list->slots[list->count++] = (struct cs_media_slot){ref, path, accepts};
    return CS_OK;
}

static enum cs_status add_generate_video(struct list *list, const Callsheet__V1__GenerateVideo *params,
                                         struct cs_err *err) {
    CS_TRY(add(list, params->image, "image", TYPE(IMAGE), err));
    CS_TRY(add(list, params->start_image, "startImage", TYPE(IMAGE), err));
    CS_TRY(add(list, params->end_image, "endImage", TYPE(IMAGE), err));
    return add(list, params->audio, "audio", TYPE(AUDIO), err);
}

static enum cs_status add_generate_image(struct list *list, const Callsheet__V1__GenerateImage *params,
                                         struct cs_err *err) {
    for (size_t i = 0; i < params->n_image; i++) {
        CS_TRY(add(list, params->image[i], cs_arena_sprintf(list->arena, "image[%zu]", i), TYPE(IMAGE), err));
    }
    return CS_OK;
}

static enum cs_status add_merge(struct list *list, const Callsheet__V1__Merge *params, struct cs_err *err) {
    for (size_t i = 0; i < params->n_items; i++) {
        const Callsheet__V1__MergeItem *item = params->items[i];
        CS_TRY(add(list, item->media, cs_arena_sprintf(list->arena, "items[%zu].media", i), item->type, err));
    }
    return CS_OK;
}

/* In the order of the message's fields. */
static enum cs_status add_brand(struct list *list, const Callsheet__V1__Brand *params, struct cs_err *err) {
    CS_TRY(add(list, params->video, "video", TYPE(VIDEO), err));
    CS_TRY(add(list, params->intro, "intro", TYPE(UNSPECIFIED), err));
    CS_TRY(add(list, params->outro, "outro", TYPE(UNSPECIFIED), err));
    return add(list, params->logo, "logo", TYPE(IMAGE), err);
}

static enum cs_status add_all(struct list *list, const Callsheet__V1__Operation *operation, struct cs_err *err) {
    switch (operation->params_case) {
    case CALLSHEET__V1__OPERATION__PARAMS_GENERATE_VIDEO:
        return add_generate_video(list, operation->generate_video, err);
    case CALLSHEET__V1__OPERATION__PARAMS_GENERATE_IMAGE:
        return add_generate_image(list, operation->generate_image, err);
    case CALLSHEET__V1__OPERATION__PARAMS_MERGE:
        return add_merge(list, operation->merge, err);
    case CALLSHEET__V1__OPERATION__PARAMS_REFRAME:
        return add(list, operation->reframe->video, "video", TYPE(VIDEO), err);
    case CALLSHEET__V1__OPERATION__PARAMS_LIP_SYNC:
        CS_TRY(add(list, operation->lip_sync->video, "video", TYPE(VIDEO), err));
        return add(list, operation->lip_sync->audio, "audio", TYPE(AUDIO), err);
    case CALLSHEET__V1__OPERATION__PARAMS_ADD_SUBTITLES:
        CS_TRY(add(list, operation->add_subtitles->video, "video", TYPE(VIDEO), err));
        return add(list, operation->add_subtitles->transcript, "transcript", TYPE(TRANSCRIPT), err);
    case CALLSHEET__V1__OPERATION__PARAMS_EXTRACT_AUDIO:
        return add(list, operation->extract_audio->media, "media", TYPE(UNSPECIFIED), err);
    case CALLSHEET__V1__OPERATION__PARAMS_TRANSCRIBE:
        return add(list, operation->transcribe->media, "media", TYPE(UNSPECIFIED), err);
    case CALLSHEET__V1__OPERATION__PARAMS_PLAN_CUTS:
        CS_TRY(add(list, operation->plan_cuts->transcript, "transcript", TYPE(TRANSCRIPT), err));
        return add(list, operation->plan_cuts->media, "media", TYPE(UNSPECIFIED), err);
    case CALLSHEET__V1__OPERATION__PARAMS_CUT:
        CS_TRY(add(list, operation->cut->video, "video", TYPE(VIDEO), err));
        return add(list, operation->cut->plan, "plan", TYPE(CUT_PLAN), err);
    case CALLSHEET__V1__OPERATION__PARAMS_RETIME_SUBTITLES:
        CS_TRY(add(list, operation->retime_subtitles->transcript, "transcript", TYPE(TRANSCRIPT), err));
        CS_TRY(add(list, operation->retime_subtitles->plan, "plan", TYPE(CUT_PLAN), err));
        return add(list, operation->retime_subtitles->video, "video", TYPE(VIDEO), err);
    case CALLSHEET__V1__OPERATION__PARAMS_BRAND:
        return add_brand(list, operation->brand, err);
    case CALLSHEET__V1__OPERATION__PARAMS_MAP:
        return add(list, operation->map->items_from, "itemsFrom", TYPE(UNSPECIFIED), err);
    default:
        return CS_OK;
    }
}

enum cs_status cs_catalog_media_slots(Callsheet__V1__Operation *operation, struct cs_arena *arena,
                                      struct cs_media_slot **ret_slots, size_t *ret_count, struct cs_err *err) {
    struct list list = {.arena = arena};
    if (cs_operation_params(operation) != NULL) {
        CS_TRY(add_all(&list, operation, err));
    }
    *ret_slots = list.slots;
    *ret_count = list.count;
    return CS_OK;
}

/* ---- filling in ---- */

static Callsheet__V1__MediaRef *ref_to(const char *job, struct cs_arena *arena) {
    Callsheet__V1__MediaRef *ref = cs_arena_alloc(arena, sizeof(*ref));
    callsheet__v1__media_ref__init(ref);
    ref->source_case = CALLSHEET__V1__MEDIA_REF__SOURCE_JOB;
    ref->job = (char *)job;
    return ref;
}

static void imply(Callsheet__V1__MediaRef **ref, const char *job, struct cs_arena *arena) {
    *ref = *ref == NULL ? ref_to(job, arena) : *ref;
}

static void imply_items(Callsheet__V1__Merge *params, const char *job, struct cs_arena *arena) {
    if (params->n_items == 0) {
        Callsheet__V1__MergeItem *item = cs_arena_alloc(arena, sizeof(*item));
        callsheet__v1__merge_item__init(item);
        item->media = ref_to(job, arena);
        params->items = cs_arena_copy(arena, &item, sizeof(Callsheet__V1__MergeItem *));
        params->n_items = 1;
    }
}

void cs_catalog_imply(Callsheet__V1__Operation *operation, const char *job, struct cs_arena *arena) {
    if (cs_operation_params(operation) == NULL) {
        return;
    }
    switch (operation->params_case) {
    case CALLSHEET__V1__OPERATION__PARAMS_MERGE:
        imply_items(operation->merge, job, arena);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_REFRAME:
        imply(&operation->reframe->video, job, arena);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_LIP_SYNC:
        imply(&operation->lip_sync->video, job, arena);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_ADD_SUBTITLES:
        imply(&operation->add_subtitles->video, job, arena);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_EXTRACT_AUDIO:
        imply(&operation->extract_audio->media, job, arena);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_TRANSCRIBE:
        imply(&operation->transcribe->media, job, arena);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_CUT:
        imply(&operation->cut->video, job, arena);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_BRAND:
        imply(&operation->brand->video, job, arena);
        break;
    default:
        break;
    }
}

/* ---- leaving out ---- */

static bool gone(const Callsheet__V1__MediaRef *ref) {
    return ref != NULL && ref->input == 0;
}

static void unset(Callsheet__V1__MediaRef **ref) {
    *ref = gone(*ref) ? NULL : *ref;
}

static void drop_images(Callsheet__V1__GenerateImage *params) {
    size_t kept = 0;
    for (size_t i = 0; i < params->n_image; i++) {
        if (!gone(params->image[i])) {
            params->image[kept++] = params->image[i];
        }
    }
    params->n_image = kept;
}

static void drop_items(Callsheet__V1__Merge *params) {
    size_t kept = 0;
    for (size_t i = 0; i < params->n_items; i++) {
        if (!gone(params->items[i]->media)) {
            params->items[kept++] = params->items[i];
        }
    }
    params->n_items = kept;
}

void cs_catalog_drop_unresolved(Callsheet__V1__Operation *operation) {
    if (cs_operation_params(operation) == NULL) {
        return;
    }
    switch (operation->params_case) {
    case CALLSHEET__V1__OPERATION__PARAMS_GENERATE_VIDEO:
        unset(&operation->generate_video->image);
        unset(&operation->generate_video->start_image);
        unset(&operation->generate_video->end_image);
        unset(&operation->generate_video->audio);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_GENERATE_IMAGE:
        drop_images(operation->generate_image);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_MERGE:
        drop_items(operation->merge);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_REFRAME:
        unset(&operation->reframe->video);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_LIP_SYNC:
        unset(&operation->lip_sync->video);
        unset(&operation->lip_sync->audio);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_ADD_SUBTITLES:
        unset(&operation->add_subtitles->video);
        unset(&operation->add_subtitles->transcript);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_EXTRACT_AUDIO:
        unset(&operation->extract_audio->media);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_TRANSCRIBE:
        unset(&operation->transcribe->media);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_PLAN_CUTS:
        unset(&operation->plan_cuts->transcript);
        unset(&operation->plan_cuts->media);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_CUT:
        unset(&operation->cut->video);
        unset(&operation->cut->plan);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_RETIME_SUBTITLES:
        unset(&operation->retime_subtitles->transcript);
        unset(&operation->retime_subtitles->plan);
        unset(&operation->retime_subtitles->video);
        break;
    case CALLSHEET__V1__OPERATION__PARAMS_BRAND:
        unset(&operation->brand->video);
        unset(&operation->brand->intro);
        unset(&operation->brand->outro);
        unset(&operation->brand->logo);
        break;
    default:
        break;
    }
}
