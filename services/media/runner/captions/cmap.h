/*
 * cmap: lets libass see all characters of a font.
 *
 * libass 0.17 takes a font's Windows character map of the basic plane when there is one and so never finds emoji or
 * rare CJK that only the full map lists. We make the basic map's entry point to the full one, in our private copy of
 * the file.
 *
 * Trust    the bytes come from installed packages; still every offset is checked.
 */
#ifndef MED_CMAP_H
#define MED_CMAP_H

#include <stddef.h>
#include <stdint.h>

/* A TrueType or OpenType font, or a collection. Returns how many faces were changed. */
size_t med_cmap_widen(uint8_t *font, size_t size_bytes);

#endif
