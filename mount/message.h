/*
 * message.h - what sessfs says to people: on stderr, or, once it serves in the background, in the system's log. What
 * could act on a terminal (names are any bytes) is shown as \xNN.
 */
#pragma once

/* The name in front of each message; text that lives on. */
void message_init(const char *program);
/* A message, without newline. */
__attribute__((format(printf, 1, 2))) void message_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void message_note(const char *format, ...);
/* A line of a verb's answer, to stdout. */
__attribute__((format(printf, 1, 2))) void message_say(const char *format, ...);
/* As fs_set_log wants it. */
void message_log(int priority, const char *text);
/*
 * A name as a word of a command line in a message: quoted where a shell would see something else in it, behind -- where
 * it would be taken for an option. Lives until four more were made; not for threads.
 */
const char *message_word(const char *name);
/* Ends the program. */
_Noreturn void message_no_memory(void);
/* From here on to syslog. */
void message_to_syslog(void);
