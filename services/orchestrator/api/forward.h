/*
 * forward: asks the replica that runs an execution.
 *
 * A call goes on once: metadata marks it, and a replica that gets it so answers for itself. When nobody alive runs the
 * execution, a read is answered from the log, and anything else UNAVAILABLE "elsewhere": it is taken over within
 * seconds.
 *
 * Threads  any; answers come on threads of the engine or of rpc.
 * Limits   ORC_PEERS_MAX addresses; beyond, calls are refused like those to a dead replica.
 */
#ifndef ORC_API_FORWARD_H
#define ORC_API_FORWARD_H

#include "api/api.h"

#define ORC_FORWARDED_KEY "cs-forwarded"

enum { ORC_PEERS_MAX = 64 };

struct orc_forward;

struct orc_forward *orc_forward_create(struct orc_engine *engine, const struct orc_peers_config *config);
/* Ends the calls that are under way, refuses all others. */
void orc_forward_stop(struct orc_forward *forward);
void orc_forward_destroy(struct orc_forward *forward);

/* Whether the engine said that another replica runs it. */
bool orc_is_elsewhere(const struct cs_err *err);
/* UNAVAILABLE "elsewhere", for what only an owner can do. */
enum cs_status orc_forward_elsewhere(struct cs_err *err);

/* A get or a cancel that the engine is asked first. Pass it with orc_asked_answer to the engine; done is called in the
 * end. request is copied. */
struct orc_asked;
struct orc_asked *orc_asked_create(struct orc_forward *forward, const ProtobufCMessage *request, bool forwarded,
                                   orc_read_fn *done, void *ctx);
void orc_asked_answer(const Callsheet__V1__Execution *execution, const struct cs_err *err, void *asked);

/* Watches at that replica; the caller gets a reference of the stream. */
enum cs_status orc_forward_watch(struct orc_forward *forward, const char *address, const char *tenant, const char *id,
                                 const struct cs_rpc_stream_events *events, void *user,
                                 struct cs_rpc_stream **ret_stream, struct cs_err *err) CS_MUST_USE;

#endif
