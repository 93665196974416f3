/*
 * maker.h - who makes an inode: process, user, name of the command.
 */
#pragma once

#include "fs/rules.h"

/* Fills the maker's fields; zeros where the process is not known, as in another pid namespace. Takes no lock. */
void maker_put(const struct caller *, struct store_inode *);
