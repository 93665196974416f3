/* sentence.h - the results of opening a store, in words that say what to do. */
#pragma once

#include <stddef.h>

struct store_open_info;

enum { SENTENCE_TEXT = 1024 }; /* room enough, but for long paths, which are cut off */

/* Writes why store_open or store_check of path came back with r, which is not 0. */
void sentence_store_text(int r, const char *path, const struct store_open_info *, char text[SENTENCE_TEXT]);
/* Says it. */
void sentence_store(int r, const char *path, const struct store_open_info *);
