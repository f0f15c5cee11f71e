#include "figures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void samples_add(struct samples *samples, int64_t ns) {
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity != 0 ? 2 * samples->capacity : 256;
        samples->ns = cs_realloc(samples->ns, samples->capacity * sizeof(*samples->ns));
    }
    samples->ns[samples->count++] = ns;
}

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

double samples_ms(struct samples *samples, double p) {
    if (samples->count == 0) {
        return 0;
    }
    qsort(samples->ns, samples->count, sizeof(*samples->ns), compare);
    size_t index = (size_t)((double)(samples->count - 1) * p / 100.0 + 0.5);
    return (double)samples->ns[index] / 1e6;
}

void samples_fini(struct samples *samples) {
    free(samples->ns);
    *samples = (struct samples){0};
}

void figure(struct figures *figures, const char *name, double value, const char *unit, const char *words) {
    (void)printf("  %-68s %12.3f %s\n", words, value, unit);
    (void)fflush(stdout);
    figure_quiet(figures, name, value);
}

void figure_quiet(struct figures *figures, const char *name, double value) {
    cs_buf_printf(&figures->json, "%s  \"%s\": %.4f", figures->json.size != 0 ? ",\n" : "", name, value);
}

enum cs_status figures_write(const struct figures *figures, const char *path, struct cs_err *err) {
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return cs_fail_errno(err, errno, "writing %s", path);
    }
    (void)fprintf(file, "{\n%s\n}\n", figures->json.data);
    return fclose(file) == 0 ? CS_OK : cs_fail_errno(err, errno, "writing %s", path);
}

void figures_fini(struct figures *figures) {
    cs_buf_fini(&figures->json);
}
