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
/* From here on to syslog. */
void message_to_syslog(void);
