#include "steady/motion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUARTER = 4,
    REACH = 8, /* quarter pixels: 32 of the picture */
    BLOCK = 16,
    STEP = 20, /* from block to block */
    FINE = 3,  /* pixels around the coarse motion */
    BLOCKS_MAX = 256,
    LEAST_BLOCKS = 6,
    TEXTURE_LEAST = 3, /* grey levels: wrong places differ by the square of it more than the right one, a pixel */
};

static const double inlier = 1.0;  /* pixels */
static const double common = 0.25; /* of the blocks that must agree */

struct match {
    double x, y;   /* of the block, from the middle */
    double dx, dy; /* found there */
    bool counts;
};

/* ---- coarse ---- */

static int shrink(const uint8_t *grey, int width, int height, uint8_t *small) {
    for (int y = 0; y < height / QUARTER; y++) {
        for (int x = 0; x < width / QUARTER; x++) {
            int sum = 0;
            for (int i = 0; i < QUARTER * QUARTER; i++) {
                sum += grey[(y * QUARTER + i / QUARTER) * width + x * QUARTER + i % QUARTER];
            }
            *small++ = (uint8_t)(sum / (QUARTER * QUARTER));
        }
    }
    return width / QUARTER;
}

static double difference_at(const uint8_t *before, const uint8_t *now, int width, int height, int dx, int dy) {
    long sum = 0;
    int x0 = dx < 0 ? -dx : 0;
    int x1 = dx > 0 ? width - dx : width;
    int y0 = dy < 0 ? -dy : 0;
    int y1 = dy > 0 ? height - dy : height;
    for (int y = y0; y < y1; y++) {
        const uint8_t *a = before + y * width;
        const uint8_t *b = now + (y + dy) * width + dx;
        for (int x = x0; x < x1; x++) {
            sum += abs(a[x] - b[x]);
        }
    }
    return (double)sum / ((double)(x1 - x0) * (y1 - y0));
}

static void find_coarse(const uint8_t *before, const uint8_t *now, int width, int height, int *ret_dx, int *ret_dy) {
    static _Thread_local uint8_t a[MED_MOTION_SIDE_MAX * MED_MOTION_SIDE_MAX / QUARTER / QUARTER];
    static _Thread_local uint8_t b[MED_MOTION_SIDE_MAX * MED_MOTION_SIDE_MAX / QUARTER / QUARTER];
    int small = shrink(before, width, height, a);
    int lines = height / QUARTER;
    (void)shrink(now, width, height, b);
    double least = difference_at(a, b, small, lines, 0, 0);
    *ret_dx = *ret_dy = 0;
    for (int dy = -REACH; dy <= REACH; dy++) {
        for (int dx = -REACH; dx <= REACH; dx++) {
            double difference = difference_at(a, b, small, lines, dx, dy);
            if (difference < least) {
                least = difference;
                *ret_dx = dx * QUARTER;
                *ret_dy = dy * QUARTER;
            }
        }
    }
}

/* ---- blocks ---- */

static int block_difference(const uint8_t *a, const uint8_t *b, int width) {
    int sum = 0;
    for (int y = 0; y < BLOCK; y++) {
        for (int x = 0; x < BLOCK; x++) {
            int apart = a[y * width + x] - b[y * width + x];
            sum += apart * apart;
        }
    }
    return sum;
}

/* Where between three places the least of a parabola lies, -0.5 … 0.5. */
static double lowest(int left, int middle, int right) {
    int bend = left - 2 * middle + right;
    return bend > 0 ? 0.5 * (left - right) / bend : 0;
}

enum { SPAN = 2 * FINE + 1 };

/* false: nothing in it, or its best place is at the edge of what was looked at. */
static bool find_block(const uint8_t *block, const uint8_t *around, int width, double *ret_dx, double *ret_dy) {
    int differences[SPAN][SPAN];
    int best_x = 0;
    int best_y = 0;
    long all = 0;
    for (int y = 0; y < SPAN; y++) {
        for (int x = 0; x < SPAN; x++) {
            differences[y][x] = block_difference(block, around + (y - FINE) * width + x - FINE, width);
            all += differences[y][x];
            if (differences[y][x] < differences[best_y][best_x]) {
                best_x = x;
                best_y = y;
            }
        }
    }
    bool inside = best_x > 0 && best_x < SPAN - 1 && best_y > 0 && best_y < SPAN - 1;
    bool clear = all / (SPAN * SPAN) - differences[best_y][best_x] > TEXTURE_LEAST * TEXTURE_LEAST * BLOCK * BLOCK;
    if (!inside || !clear) {
        return false;
    }
    *ret_dx = best_x - FINE +
              lowest(differences[best_y][best_x - 1], differences[best_y][best_x], differences[best_y][best_x + 1]);
    *ret_dy = best_y - FINE +
              lowest(differences[best_y - 1][best_x], differences[best_y][best_x], differences[best_y + 1][best_x]);
    return true;
}

static int find_blocks(const uint8_t *before, const uint8_t *now, int width, int height, int dx, int dy,
                       struct match *matches) {
    int count = 0;
    int edge = FINE + 1;
    for (int y = edge; y + BLOCK + edge <= height; y += STEP) {
        for (int x = edge; x + BLOCK + edge <= width; x += STEP) {
            int to_x = x + dx;
            int to_y = y + dy;
            bool there = to_x >= FINE && to_y >= FINE && to_x + BLOCK + FINE <= width && to_y + BLOCK + FINE <= height;
            struct match *match = &matches[count];
            if (there && count < BLOCKS_MAX &&
                find_block(before + y * width + x, now + to_y * width + to_x, width, &match->dx, &match->dy)) {
                match->x = x + BLOCK / 2.0 - width / 2.0;
                match->y = y + BLOCK / 2.0 - height / 2.0;
                match->dx += dx;
                match->dy += dy;
                count++;
            }
        }
    }
    return count;
}

/* ---- one motion of them all ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof(double), by_value);
    return values[count / 2];
}

static double error_of(const struct match *match, const struct med_motion *motion) {
    double dx = motion->x - motion->angle * match->y;
    double dy = motion->y + motion->angle * match->x;
    return hypot(match->dx - dx, match->dy - dy);
}

static int count_inliers(struct match *matches, int count, const struct med_motion *motion, double limit) {
    int inliers = 0;
    for (int i = 0; i < count; i++) {
        matches[i].counts = error_of(&matches[i], motion) < limit;
        inliers += matches[i].counts;
    }
    return inliers;
}

/* Least squares over those that count. */
static void fit(const struct match *matches, int count, struct med_motion *motion) {
    double n = 0, x = 0, y = 0, dx = 0, dy = 0, square = 0, turn = 0;
    for (int i = 0; i < count; i++) {
        const struct match *match = &matches[i];
        n += match->counts;
        x += match->counts ? match->x : 0;
        y += match->counts ? match->y : 0;
        dx += match->counts ? match->dx : 0;
        dy += match->counts ? match->dy : 0;
        square += match->counts ? match->x * match->x + match->y * match->y : 0;
        turn += match->counts ? match->x * match->dy - match->y * match->dx : 0;
    }
    double spread = square - (x * x + y * y) / n;
    motion->angle = spread > 1 ? (turn - (x * dy - y * dx) / n) / spread : 0;
    motion->x = (dx + motion->angle * y) / n;
    motion->y = (dy - motion->angle * x) / n;
}

bool med_motion_between(const uint8_t *before, const uint8_t *now, int width, int height,
                        struct med_motion *ret_motion) {
    struct match matches[BLOCKS_MAX];
    double values[BLOCKS_MAX];
    struct med_motion motion = {0};
    int dx = 0;
    int dy = 0;
    *ret_motion = motion;
    find_coarse(before, now, width, height, &dx, &dy);
    int count = find_blocks(before, now, width, height, dx, dy, matches);
    if (count < LEAST_BLOCKS) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        values[i] = matches[i].dx;
    }
    motion.x = median(values, count);
    for (int i = 0; i < count; i++) {
        values[i] = matches[i].dy;
    }
    motion.y = median(values, count);
    int inliers = count_inliers(matches, count, &motion, 3 * inlier);
    for (int round = 0; round < 3 && inliers >= LEAST_BLOCKS; round++) {
        fit(matches, count, &motion);
        inliers = count_inliers(matches, count, &motion, inlier);
    }
    if (inliers < LEAST_BLOCKS || inliers < common * count) {
        return false;
    }
    *ret_motion = motion;
    return true;
}
