/* frame.h - what `sessfs top` shows at one moment: lines of text, from figures of that moment and of the one before. */
#pragma once

#include <stdio.h>

#include "mount/told.h"

struct sample {
	int64_t at; /* nanoseconds since the epoch */
	json_t *stats;
	struct told_list sessions; /* sorted by frame_print */
};

void sample_release(struct sample *);
/*
 * Prints at most `height` lines of at most `width` columns, each ended by `end`; height 0 is no limit. before NULL:
 * rates are means since the daemon started.
 */
void frame_print(FILE *, const struct place *, const struct sample *before, struct sample *now, int width, int height,
	const char *end);
