/* outlook.h - one line on what is protected and what expires next, for who mounts and unmounts. */
#pragma once

/* To stdout; nothing where there are no sessions, or where it cannot be found out. */
void outlook_say(const char *mount);
