/* outlook.h - one line on what is protected and what expires next, for who mounts and unmounts. */
#pragma once

/* To stdout; nothing where there are no sessions, or where it cannot be found out. */
void outlook_say(const char *mount);
/* How many sessions expired as it was mounted, by its options or the time that passed; nothing where none did. */
void outlook_say_gone(const char *mount);
