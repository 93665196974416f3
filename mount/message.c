/* message.c - see message.h. */
#include "mount/message.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

static const char *program = "sessfs";
static _Atomic bool use_syslog;

void message_init(const char *name)
{
	program = name;
}

void message_to_syslog(void)
{
	openlog("sessfs", LOG_PID, LOG_DAEMON);
	use_syslog = true;
}

void message_log(int priority, const char *text)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '\n')
		len--;
	if (use_syslog)
		syslog(priority, "%.*s", (int)len, text);
	else
		fprintf(stderr, "%s: %.*s\n", program, (int)len, text);
}

static void message_v(int priority, const char *format, va_list args)
{
	char text[2048];

	vsnprintf(text, sizeof text, format, args);
	message_log(priority, text);
}

void message_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message_v(LOG_ERR, format, args);
	va_end(args);
}

void message_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message_v(LOG_INFO, format, args);
	va_end(args);
}
