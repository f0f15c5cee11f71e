/*
 * speech: text spoken by flite, inside libavfilter.
 *
 * Voices   kal kal16 slt (default) awb rms. English only.
 */
#ifndef MED_SPEECH_H
#define MED_SPEECH_H

#include "graph/graph.h"

/* speed 0.5 … 2, without changing the pitch. "unknown_voice" at "voice"; "no_speech" when nothing can be said. */
enum cs_status med_speech(struct med_graph *graph, const char *text, const char *voice, double speed,
                          struct med_audio **ret_audio, struct cs_err *err) CS_MUST_USE;

#endif
