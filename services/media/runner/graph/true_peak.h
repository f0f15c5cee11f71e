/*
 * true_peak: how high the curve through the samples goes, at four places for each, as ITU-R BS.1770 looks for it.
 *
 * Stretches that cannot reach the highest one so far are passed over: no place is higher than its loudest sample times
 * the sum of its taps.
 */
#ifndef MED_TRUE_PEAK_H
#define MED_TRUE_PEAK_H

#include <stddef.h>

enum { MED_PEAK_PLACES = 3 /* between two samples */, MED_PEAK_TAPS = 12 /* of each */ };

struct med_true_peak {
    float taps[MED_PEAK_PLACES][MED_PEAK_TAPS];
    float reach; /* of the loudest sample, at most */
    float before[2][MED_PEAK_TAPS];
    float peak; /* of either side */
};

void med_true_peak_init(struct med_true_peak *peak);
/* Finite stereo samples. */
void med_true_peak_add(struct med_true_peak *peak, const float *stereo, size_t count);

#endif
