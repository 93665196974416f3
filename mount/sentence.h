/* sentence.h - the results of opening a store, in words that say what to do. */
#pragma once

struct store_open_info;

/* Says why store_open or store_check of path came back with r, which is not 0. */
void sentence_store(int r, const char *path, const struct store_open_info *);
