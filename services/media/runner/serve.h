/*
 * serve: the loop of the warm parent: takes commands, forks a child per job, tells how each ended.
 *
 * It never decodes anything and has no threads; what it learns of a child is its wait status alone. It ends when the
 * client closes the socket, and kills all children then.
 *
 * Limits   MED_SERVE_JOBS_MAX children at once.
 */
#ifndef MED_SERVE_H
#define MED_SERVE_H

#include "sandbox.h"

enum { MED_SERVE_JOBS_MAX = 256 };

/* Tells the client that it is ready, then serves until the socket ends. */
enum cs_status med_serve(int socket, const struct med_sandbox *sandbox, struct cs_err *err) CS_MUST_USE;
/* Tells the client why there will be no service. */
void med_serve_refuse(int socket, const struct cs_err *err);

#endif
