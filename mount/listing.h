/* listing.h - sessions as a table for people and as JSON for programs, the same for every verb that lists some. */
#pragma once

#include "mount/told.h"

struct table;

struct table *listing_new(void);
/* A row of the table; t->ended: it is in the trash. */
void listing_add(struct table *, const struct told *, int64_t now);
/* The same in numbers, all of them there for each session. */
json_t *listing_object(const struct told *);
/* Says how many more there are WHERE, which only their owners may look at; nothing if there are none. */
void listing_say_hidden(const struct told_list *, const char *where);
