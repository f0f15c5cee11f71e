/*
 * conf: one table of settings gives flags, environment and --help.
 *
 *     static const struct cs_conf_option options[] = {
 *         {"listen", "CALLSHEET_LISTEN", CS_CONF_STRING, offsetof(struct app_config, listen), "127.0.0.1:0",
 *          .help = "address of the gRPC server"},
 *     };
 *
 * Precedence: flag, environment, default. This module alone reads the environment.
 *
 * Owns     strings of the result live in the arena given.
 * Fails    CS_INVALID_ARGUMENT "bad_setting" with the setting's name; a secret's value is never shown.
 */
#ifndef CS_CONF_H
#define CS_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"

enum cs_conf_type {
    CS_CONF_STRING,   /* const char *, never NULL */
    CS_CONF_INT,      /* int64_t within [min, max] */
    CS_CONF_BOOL,     /* bool; a flag takes no value or true/false, yes/no, 1/0 */
    CS_CONF_DURATION, /* int64_t milliseconds from "250ms" "30s" "5m" "2h" "7d" */
    CS_CONF_SIZE,     /* int64_t bytes from "512" "64KiB" "4MiB" "8GiB" */
};

struct cs_conf_option {
    const char *name; /* of the flag, without "--" */
    const char *env;  /* or NULL */
    enum cs_conf_type type;
    size_t offset;            /* of the field in the result */
    const char *default_text; /* NULL means the setting is required */
    int64_t min;              /* both 0: no bounds */
    int64_t max;
    bool secret;         /* environment only: a flag would show in the process list */
    const char *metavar; /* "HOST:PORT" in --help; NULL for a default by type */
    const char *help;
};

struct cs_conf_spec {
    const char *program; /* "callsheet-media" */
    const char *summary; /* one sentence */
    const char *usage;   /* positional arguments for the usage line; "" or NULL none */
    const struct cs_conf_option *options;
    size_t count;
};

enum cs_conf_outcome {
    CS_CONF_RUN,  /* settings are read */
    CS_CONF_EXIT, /* --help or --version was printed; exit 0 */
};

/* Reads argv and the environment into ret_config (a struct of the caller's). What is left of argv after the flags is
 * put in ret_positional (NULL terminated, in the arena); with spec->usage empty anything left is an error.
 * ret_positional may be NULL then. argv[0] is skipped. */
enum cs_status cs_conf_load(const struct cs_conf_spec *spec, int argc, char **argv, struct cs_arena *arena,
                            void *ret_config, enum cs_conf_outcome *ret_outcome, const char ***ret_positional,
                            struct cs_err *err) CS_MUST_USE;

/* A variable outside any table (tests, tools); NULL when unset or empty. */
const char *cs_conf_env(const char *name);

/* The project's version, e.g. "0.1.0". */
const char *cs_version(void);

/* "host:port", "[v6]:port"; port 0 … 65535. INVALID_ARGUMENT otherwise. */
enum { CS_HOST_MAX = 256 };
enum cs_status cs_conf_host_port(const char *text, char ret_host[CS_HOST_MAX], uint16_t *ret_port,
                                 struct cs_err *err) CS_MUST_USE;

#endif
