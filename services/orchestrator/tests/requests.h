/*
 * requests: CreateExecutionRequests for tests, written as JSON with ' for ".
 */
#ifndef ORC_TESTS_REQUESTS_H
#define ORC_TESTS_REQUESTS_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/mem.h"

/* In the arena. Fails the test when the text is no request. */
Callsheet__V1__CreateExecutionRequest *request_from(const char *text, struct cs_arena *arena);

/* Requests that must be refused: built from text, or by a function when they are big. */
struct bad_request {
    const char *what; /* a sentence */
    const char *text; /* or NULL */
    Callsheet__V1__CreateExecutionRequest *(*make)(struct cs_arena *arena);
    const char *path;
    const char *reason;
};

extern const struct bad_request bad_requests[];
extern const size_t bad_request_count;

Callsheet__V1__CreateExecutionRequest *bad_request_make(const struct bad_request *bad, struct cs_arena *arena);

/* A layered graph of noop jobs: a -> b, c -> d. */
#define DIAMOND                                                                                                        \
    "{'tenant':'acme','plan':{'jobs':["                                                                                \
    "{'id':'a','operation':{'noop':{}}},"                                                                              \
    "{'id':'b','operation':{'noop':{}},'dependsOn':['a']},"                                                            \
    "{'id':'c','operation':{'noop':{}},'dependsOn':['a']},"                                                            \
    "{'id':'d','operation':{'noop':{}},'dependsOn':['b','c']}]}}"

/* generate -> reframe, with a webhook. */
#define PICTURE                                                                                                        \
    "{'tenant':'acme','plan':{'jobs':["                                                                                \
    "{'id':'g','operation':{'generateVideo':{'prompt':'a fox','provider':'local'}}},"                                  \
    "{'id':'r','output':'$r','operation':{'reframe':{'video':{'job':'g'},'aspectRatio':'9:16'}}}]},"                   \
    "'webhook':{'url':'https://example.com/hook','secret':'s3cret'},"                                                  \
    "'labels':[{'key':'team','value':'blue'}]}"

#endif
