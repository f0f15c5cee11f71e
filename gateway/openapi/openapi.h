/*
 * openapi: the document that describes the HTTP API (OpenAPI 3.1), for people, generators of clients and validators.
 *
 * Routes, answers and bodies are written down in the .json files beside this one; the parameters of operations are made
 * from what reads them: the messages of the contract (with their comments), the catalogue, and the rules of the
 * dialect. What the dialect reads with code of its own is in members.json. Limits stand as "$NAME" in the files.
 *
 * Threads  pure.
 */
#ifndef GW_OPENAPI_H
#define GW_OPENAPI_H

#include <jansson.h>

/* A new reference. server: how clients reach us. */
json_t *gw_openapi_document(const char *server);

/* A page that shows it, and the Content-Security-Policy that it needs. */
extern const char gw_openapi_page[];
extern const char gw_openapi_page_policy[];

#endif
