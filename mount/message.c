/* message.c - see message.h. */
#include "mount/message.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <wchar.h>
#include <wctype.h>

#include "mount/verb.h"

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

enum { TEXT_MAX = 4096 };

/* Copies what fits; `to` has TEXT_MAX bytes. */
static void make_safe(const char *from, size_t len, char *to)
{
	mbstate_t state = {0};
	size_t n = 0;

	while (len > 0 && n + 4 * MB_LEN_MAX < TEXT_MAX) {
		wchar_t wide = 0;
		size_t step = mbrtowc(&wide, from, len, &state);
		bool fine = step > 0 && step <= len && iswprint((wint_t)wide);

		if (step == 0 || step > len) {
			step = 1;
			state = (mbstate_t){0};
		}
		for (size_t i = 0; i < step; i++)
			n += (size_t)snprintf(to + n, 5, fine ? "%c" : "\\x%02x", (unsigned char)from[i]);
		from += step;
		len -= step;
	}
	to[n] = 0;
}

void message_log(int priority, const char *text)
{
	size_t len = strlen(text);
	char safe[TEXT_MAX];

	while (len > 0 && text[len - 1] == '\n')
		len--;
	make_safe(text, len, safe);
	if (use_syslog)
		syslog(priority, "%s", safe);
	else
		fprintf(stderr, "%s: %s\n", program, safe);
}

static void message_v(int priority, const char *format, va_list args)
{
	char text[TEXT_MAX];

	vsnprintf(text, sizeof text, format, args);
	message_log(priority, text);
}

void message_say(const char *format, ...)
{
	char text[TEXT_MAX], safe[TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	make_safe(text, strlen(text), safe);
	printf("%s\n", safe);
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

_Noreturn void message_no_memory(void)
{
	message_error("out of memory");
	exit(VERB_NOT_DONE);
}

/* In quotes; where a terminal cannot show all of it, in those that know escapes. `to` has TEXT_MAX bytes. */
static void quote(const char *name, char *to)
{
	char safe[TEXT_MAX];

	make_safe(name, strlen(name), safe);
	bool shown = strcmp(safe, name) == 0;
	size_t n = (size_t)snprintf(to, TEXT_MAX, shown ? "'" : "$'");
	for (; *name && n + 8 < TEXT_MAX; name++) {
		unsigned char c = (unsigned char)*name;

		if (shown)
			n += (size_t)snprintf(to + n, 8, c == '\'' ? "'\\''" : "%c", c);
		else if (c == '\'' || c == '\\')
			n += (size_t)snprintf(to + n, 8, "\\%c", c);
		else
			n += (size_t)snprintf(to + n, 8, c < ' ' || c >= 0x7f ? "\\x%02x" : "%c", c);
	}
	snprintf(to + n, 2, "'");
}

const char *message_word(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:,@%=~";
	static char words[4][TEXT_MAX + 4], quoted[TEXT_MAX];
	static unsigned next;
	char *word = words[next++ % 4];
	bool whole = *name && *name != '~' && *name != '=' && name[strspn(name, plain)] == 0;

	if (!whole)
		quote(name, quoted);
	snprintf(word, sizeof words[0], "%s%s", *name == '-' ? "-- " : "", whole ? name : quoted);
	return word;
}
