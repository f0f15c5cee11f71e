/*
 * auth: API keys and the tenants that they belong to.
 *
 * Trust    looking a key up takes the same time whether and where it is found. Keys are kept as digests.
 * Threads  immutable after create.
 */
#ifndef GW_API_AUTH_H
#define GW_API_AUTH_H

#include "cs/base/auto.h"
#include "cs/base/err.h"

struct gw_auth;

/* "KEY=TENANT,KEY=TENANT"; "": no keys, everybody is "default". operator_keys: more of them, which may do what only
 * operators may. INVALID_ARGUMENT "bad_api_keys", without the key. */
enum cs_status gw_auth_create(const char *api_keys, const char *operator_keys, struct gw_auth **ret_auth,
                              struct cs_err *err) CS_MUST_USE;
void gw_auth_destroy(struct gw_auth *auth); /* NULL is fine */
CS_DEFINE_AUTO(gw_auth, gw_auth_destroy)

/* authorization: the header's value or NULL; api_key: that of X-Api-Key or NULL. *ret_tenant lives as long as auth.
 * UNAUTHENTICATED "no_credentials" or "bad_credentials". */
/* Without any, everybody is tenant "default". */
/* Whether the key is an operator's: not without one. */
bool gw_auth_is_operator(const struct gw_auth *auth, const char *authorization, const char *api_key);
bool gw_auth_has_keys(const struct gw_auth *auth);
/* The key in the headers (each may be NULL); NULL when there is none. */
const char *gw_auth_key(const char *authorization, const char *api_key);
enum cs_status gw_auth_tenant(const struct gw_auth *auth, const char *authorization, const char *api_key,
                              const char **ret_tenant, struct cs_err *err) CS_MUST_USE;

#endif
