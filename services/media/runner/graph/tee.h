/*
 * tee: the pictures of one pad for several consumers, each on a thread of its own.
 *
 * They advance in lock step: none gets more than a few pictures ahead of the slowest. Pictures are shared, not copied.
 *
 * Threads  med_tee_run on the caller's; each branch is pulled on its own thread, and closed there when it is not pulled
 *          to its end. All of them are over before the graph is destroyed.
 */
#ifndef MED_TEE_H
#define MED_TEE_H

#include "graph/graph.h"

enum { MED_TEE_BRANCHES_MAX = 16 };

struct med_tee;

struct med_tee *med_tee_create(struct med_graph *graph, struct med_video *source, size_t branches);
struct med_video *med_tee_branch(struct med_tee *tee, size_t index);

/* Called behind each picture that was handed out. */
typedef void med_tee_step(void *ctx, int64_t frames);

/* Hands out all pictures. A branch that was closed before its end ends it: the others fail with CANCELLED "tee_ended",
 * and so does this. */
enum cs_status med_tee_run(struct med_tee *tee, med_tee_step *step, void *ctx, struct cs_err *err) CS_MUST_USE;
/* Instead of running it: all branches fail like that. */
void med_tee_give_up(struct med_tee *tee, const struct cs_err *failure);

#endif
