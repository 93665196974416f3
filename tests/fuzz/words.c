/* words.c - text as people and programs write it: numbers, times, options, ACLs, lines of events, a table of mounts. */
#include "fs/acl.h"
#include "fs/event_text.h"
#include "fs/fs.h"
#include "mount/moment.h"
#include "mount/number.h"
#include "mount/options.h"
#include "mount/path.h"

#include "tests/fuzz/fuzz.h"

/* What a number is written as is read as that number. */
static void numbers(const char *text)
{
	char written[NUMBER_TEXT], shown[MOMENT_TEXT];
	uint64_t number, again;
	int64_t moment;

	if (number_parse(text, &number))
		touch(&number, sizeof(number));
	if (number_parse_size(text, &number)) {
		number_format_size(number, written);
		if (!number_parse_size(written, &again) || again != number)
			abort();
		number_rough_size(number, written);
		number_say_size(number, written);
	}
	if (number_parse_duration(text, &number)) {
		number_format_duration(number, written);
		if (!number_parse_duration(written, &again) || again != number)
			abort();
		number_rough_duration(number, written);
		number_say_duration(number, written);
	}
	if (moment_parse(text, &moment)) {
		moment_format_utc(moment, shown);
		moment_format_local(moment, shown);
	}
}

/* What they complain of is not to be seen. */
static void options(const char *text)
{
	static FILE *nowhere;
	FILE *before = stderr;
	struct mount_options o;
	struct fs_setting *settings;

	if (!nowhere && !(nowhere = fopen("/dev/null", "w")))
		abort();
	stderr = nowhere;
	options_init(&o);
	if (options_parse(&o, text, text[0] == 's') && (settings = options_settings(&o))) {
		for (size_t i = 0; settings[i].name; i++)
			touch(settings[i].value, strlen(settings[i].value));
		free(settings);
	}
	options_release(&o);
	stderr = before;
}

static void on_mounted(void *arg, const struct mounted *m)
{
	(void)arg;
	touch(m->dir, strlen(m->dir));
	touch(m->type, strlen(m->type));
	touch(m->source, strlen(m->source));
	(void)mounted_is_sessfs(m);
}

static void mounts(const char *text, size_t len)
{
	FILE *file = len ? fmemopen((void *)text, len, "r") : NULL;

	mounted_each_in(file, on_mounted, NULL);
	if (file)
		fclose(file);
}

static void acl(const char *bytes, size_t len)
{
	struct acl acl;

	if (acl_parse(bytes, len, &acl))
		return;
	if (acl.value && (!acl.user || !acl.group || !acl.other))
		abort();
	touch(acl.value, acl.value ? acl.len : 0);
	acl_release(&acl);
}

static bool is_object(const char *line, size_t len)
{
	json_t *value = json_loadb(line, len, JSON_ALLOW_NUL, NULL);
	bool is = json_is_object(value);

	json_decref(value);
	return is;
}

static void expect_objects(const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, '\n', len - at);

		if (!end++ || !is_object(text + at, (size_t)(end - text) - at))
			abort();
		at = (size_t)(end - text);
	}
}

/* All of the text becomes lines of JSON, or is the beginning of one. */
static void events(const char *text, size_t len, bool ends)
{
	struct event_text lines = {.all = false};

	for (size_t done = 0; !lines.all; done += lines.taken) {
		lines = (struct event_text){.all = false};
		if (event_text_make(text + done, len - done, ends, &lines) || lines.taken > len - done)
			abort();
		if ((ends && lines.all && lines.taken != len - done) || (!lines.all && !lines.taken))
			abort();
		expect_objects(lines.lines.text, lines.lines.len);
		event_text_release(&lines);
	}
}

static void shown(const char *text)
{
	char *utf8 = fs_text_shown(text);

	if (!utf8 || json_check_utf8(utf8, strlen(utf8)))
		abort();
	free(utf8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	char *text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 7) {
	case 0: numbers(text); break;
	case 1: options(text); break;
	case 2: mounts(text, size - 1); break;
	case 3: acl(text, size - 1); break;
	case 4: events(text, size - 1, true); break;
	case 5: events(text, size - 1, false); break;
	case 6: shown(text); break;
	}
	free(text);
	return 0;
}
