/* options.c - see options.h. */
#include "mount/options.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "fs/fs.h"
#include "mount/message.h"
#include "mount/verb.h"
#include "mount/number.h"
#include "store/store.h"

enum option_type {
	OPTION_ON,  /* sets its bool */
	OPTION_OFF, /* clears its bool */
	OPTION_NUMBER,
	OPTION_SIZE,
	OPTION_DURATION,
	OPTION_SPAN,    /* a duration, but for 0 with its unit: who writes ttl=24 may mean hours */
	OPTION_KERNEL,  /* passed on as it is */
	OPTION_BOTH,    /* sets its bool, and is passed on */
	OPTION_DROPPED, /* accepted and forgotten: meant for mount(8), systemd or the reader, or always so */
};

struct option_row {
	const char *name; /* ending in '*': any name that begins so */
	enum option_type type;
	size_t offset;               /* in struct mount_options */
	uint64_t min, max, fallback; /* a value may also be the fallback, whatever min says */
	const char *example;
	const char *help; /* NULL: not listed */
};

#define HOT_MIN (UINT64_C(4) << 20)
#define HOT_MAX (UINT64_C(4) << 30)
#define SPAN_MAX (UINT64_C(36500) * 86400)
#define AT(member) offsetof(struct mount_options, member)
/* clang-format off */
#define PASSED(option) { .name = (option), .type = OPTION_KERNEL }
#define DROPPED(option) { .name = (option), .type = OPTION_DROPPED }
/* clang-format on */

static const struct option_row rows[] = {
	{"ro", OPTION_ON, AT(read_only), 0, 1, 0, NULL, "mount read-only: nothing in the store changes"},
	{"rw", OPTION_OFF, AT(read_only), 0, 1, 0, NULL, "mount for reading and writing (the default)"},
	{"commit", OPTION_DURATION, AT(commit), 1, 3600, 5, "commit=5s",
		"how old the state found after a power cut may be at most, without fsync"},
	{"writeback", OPTION_ON, AT(writeback), 0, 1, 0, NULL,
		"let the kernel gather writes: faster, but not kept from the daemon's death before close or fsync"},
	{"compress", OPTION_NUMBER, AT(compress), 0, 19, 3, "compress=9", "zstd level, 0 for none"},
	{"max_file_size", OPTION_SIZE, AT(max_file_size), 0, STORE_FILE_MAX, 0, "max_file_size=2G",
		"largest size of a file, beyond it EFBIG; 0 for no limit"},
	{"max_store_size", OPTION_SIZE, AT(max_store_size), 0, INT64_MAX, 0, "max_store_size=20G",
		"most the store may hold, compressed, beyond it ENOSPC; 0 for no limit"},
	{"ttl", OPTION_SPAN, AT(ttl), 0, SPAN_MAX, 86400, "ttl=24h",
		"how long an active or failed session stays after the last write in it; 0 for ever"},
	{"retain", OPTION_SPAN, AT(retain), 0, SPAN_MAX, 90 * 86400, "retain=90d",
		"the same for a completed or archived one; 0 for ever"},
	{"keep", OPTION_NUMBER, AT(keep), 0, UINT32_MAX, 0, "keep=10",
		"how many sessions stay that are not protected, the newest ones; 0 for all"},
	{"cache_ttl", OPTION_SPAN, AT(cache_ttl), 0, SPAN_MAX, 2 * 86400, "cache_ttl=48h",
		"how long a file in cache/ stays, by its mtime; 0 for ever"},
	{"cache_size", OPTION_SIZE, AT(cache_size), 0, INT64_MAX, 0, "cache_size=1G",
		"how much a session's cache/ may hold: beyond it the oldest files go soon; 0 for no limit"},
	{"grace", OPTION_SPAN, AT(grace), 0, SPAN_MAX, 86400, "grace=24h",
		"how long a session that expired or was removed can be taken back; 0: not at all"},
	{"show_control", OPTION_ON, AT(show_control), 0, 1, 0, NULL,
		"list .session and .sessfs with the other names: programs that walk the tree then enter them"},
	{"hot_size", OPTION_SIZE, AT(hot_size), HOT_MIN, HOT_MAX, 0, "hot_size=64M",
		"how large each of the two logs of what was written last may grow in a burst; 0: by the disk"},
	{"max_threads", OPTION_NUMBER, AT(max_threads), 0, 64, 0, "max_threads=4",
		"threads that answer requests; 0: by the number of cores"},
	{"max_write", OPTION_SIZE, AT(max_write), 4096, 1 << 20, 1 << 20, "max_write=128K",
		"most that the kernel writes with one request"},
	{"max_readahead", OPTION_SIZE, AT(max_readahead), 4096, 1 << 30, 0, "max_readahead=1M",
		"how far the kernel reads ahead; 0: as it likes"},
	{"max_background", OPTION_NUMBER, AT(max_background), 1, UINT16_MAX, 0, "max_background=64",
		"requests for which nobody waits that may be on their way; 0: as the kernel likes"},
	{"congestion_threshold", OPTION_NUMBER, AT(congestion_threshold), 1, UINT16_MAX, 0, "congestion_threshold=48",
		"how many of these count as congestion; 0: as the kernel likes"},
	{"allow_other", OPTION_ON, AT(allow_other), 0, 1, 0, NULL,
		"other users may use the mount too (unless root mounts, /etc/fuse.conf must say user_allow_other)"},
	{"allow_root", OPTION_ON, AT(allow_root), 0, 1, 0, NULL, "root may use the mount too (needs the same)"},
	{.name = "default_permissions", .type = OPTION_DROPPED, .help = "always on"},
	{.name = "auto_unmount",
		.type = OPTION_BOTH,
		.offset = AT(auto_unmount),
		.help = "unmount when the daemon dies (off: an empty directory looks like a deletion to backups)"},

	PASSED("suid"), PASSED("nosuid"), PASSED("dev"), PASSED("nodev"), PASSED("exec"), PASSED("noexec"),
	PASSED("async"), PASSED("sync"), PASSED("dirsync"),
	{.name = "noatime", .type = OPTION_BOTH, .offset = AT(noatime)},
	{.name = "nodiratime", .type = OPTION_ON, .offset = AT(nodiratime)}, /* libfuse does not know it */

	DROPPED("atime"), DROPPED("diratime"), DROPPED("relatime"), DROPPED("defaults"), DROPPED("auto"),
	DROPPED("noauto"), DROPPED("user"), DROPPED("user=*"), DROPPED("users"), DROPPED("nouser"), DROPPED("owner"),
	DROPPED("group"), DROPPED("nofail"), DROPPED("_netdev"), DROPPED("x-*"), DROPPED("X-*"), DROPPED("comment=*"),
	DROPPED("subtype=sessfs"), DROPPED("fsname=*"), /* always the store */
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

static bool has_value(const struct option_row *row)
{
	return row->type >= OPTION_NUMBER && row->type <= OPTION_SPAN;
}

static bool is_duration(const struct option_row *row)
{
	return row->type == OPTION_DURATION || row->type == OPTION_SPAN;
}

static bool *flag_of(struct mount_options *o, const struct option_row *row)
{
	return (bool *)((char *)o + row->offset);
}

static uint64_t *value_of(struct mount_options *o, const struct option_row *row)
{
	return (uint64_t *)((char *)o + row->offset);
}

void options_init(struct mount_options *o)
{
	*o = (struct mount_options){0};
	for (int i = 0; i < N_ROWS; i++)
		if (has_value(&rows[i]))
			*value_of(o, &rows[i]) = rows[i].fallback;
}

void options_release(struct mount_options *o)
{
	free(o->kernel);
	o->kernel = NULL;
}

static void format_value(const struct option_row *row, uint64_t n, char buf[NUMBER_TEXT])
{
	if (row->type == OPTION_SIZE)
		number_format_size(n, buf);
	else if (is_duration(row))
		number_format_duration(n, buf);
	else
		snprintf(buf, NUMBER_TEXT, "%" PRIu64, n);
}

static const struct option_row *find_row(const char *word, size_t name_len)
{
	for (int i = 0; i < N_ROWS; i++) {
		const char *name = rows[i].name;
		size_t len = strlen(name);
		size_t word_len = has_value(&rows[i]) ? name_len : strlen(word);

		if (name[len - 1] == '*')
			word_len = --len;
		if (word_len == len && strncmp(word, name, len) == 0)
			return &rows[i];
	}
	return NULL;
}

/* An option that is known, but not as it was written: `ro=1`. */
static bool known_without_value(const char *word, size_t name_len)
{
	for (int i = 0; i < N_ROWS; i++)
		if (strlen(rows[i].name) == name_len && strncmp(word, rows[i].name, name_len) == 0)
			return true;
	return false;
}

static bool say_unknown(const char *word, size_t name_len)
{
	if (strcmp(word, "remount") == 0)
		message_error(
			"a sessfs mount cannot be remounted with other options: `sessfs umount` it and mount it again");
	else if (word[name_len] && known_without_value(word, name_len))
		message_error("the option '%.*s' takes no value, but was given '%s'", (int)name_len, word,
			word + name_len + 1);
	else
		message_error(
			"the option '%.*s' is not known; `sessfs mount --help` lists the options", (int)name_len, word);
	return false;
}

static bool parse_value(struct mount_options *o, const struct option_row *row, const char *text)
{
	static const char *const kinds[] = {
		[OPTION_NUMBER] = "number",
		[OPTION_SIZE] = "size",
		[OPTION_DURATION] = "duration",
		[OPTION_SPAN] = "duration with its unit",
	};
	char min[NUMBER_TEXT], max[NUMBER_TEXT];
	uint64_t n = 0;

	bool fine = row->type == OPTION_SIZE ? number_parse_size(text, &n)
		    : is_duration(row)       ? number_parse_duration(text, &n)
					     : number_parse(text, &n);
	if (row->type == OPTION_SPAN && fine && !units_are_named(text, n))
		fine = false;
	if (fine && ((n >= row->min && n <= row->max) || n == row->fallback)) {
		*value_of(o, row) = n;
		return true;
	}
	format_value(row, row->min, min);
	format_value(row, row->max, max);
	message_error("the option '%s' wants a %s from %s to %s, as in %s, but was given '%s'", row->name,
		kinds[row->type], min, max, row->example, text);
	return false;
}

static bool pass_on(struct mount_options *o, const char *word)
{
	char *longer = NULL;

	if (asprintf(&longer, "%s%s%s", o->kernel ? o->kernel : "", o->kernel ? "," : "", word) < 0) {
		message_error("out of memory");
		return false;
	}
	free(o->kernel);
	o->kernel = longer;
	return true;
}

static bool parse_word(struct mount_options *o, const char *word, bool sloppy)
{
	size_t name_len = strcspn(word, "=");
	const struct option_row *row = find_row(word, name_len);

	if (!row)
		return sloppy || say_unknown(word, name_len);
	switch (row->type) {
	case OPTION_ON:
	case OPTION_OFF:
		*flag_of(o, row) = row->type == OPTION_ON;
		return true;
	case OPTION_NUMBER:
	case OPTION_SIZE:
	case OPTION_DURATION:
	case OPTION_SPAN:
		return parse_value(o, row, word[name_len] ? word + name_len + 1 : "");
	case OPTION_BOTH:
		*flag_of(o, row) = true;
		return pass_on(o, word);
	case OPTION_KERNEL:
		return pass_on(o, word);
	case OPTION_DROPPED:
		return true;
	}
	return false;
}

bool options_parse(struct mount_options *o, const char *list, bool sloppy)
{
	char *copy = strdup(list), *rest = copy, *word;
	bool fine = copy != NULL;

	if (!copy)
		message_error("out of memory");
	while (fine && (word = strsep(&rest, ",")))
		if (*word)
			fine = parse_word(o, word, sloppy);
	free(copy);
	return fine;
}

struct fs_setting *options_settings(const struct mount_options *options)
{
	struct block {
		struct fs_setting settings[N_ROWS + 1];
		char texts[N_ROWS][NUMBER_TEXT];
	} *b = calloc(1, sizeof *b);
	struct mount_options *o = (struct mount_options *)options;
	int n = 0;

	if (!b)
		return NULL;
	for (int i = 0; i < N_ROWS; i++) {
		if (!rows[i].help || (rows[i].type != OPTION_ON && !has_value(&rows[i])))
			continue;
		if (has_value(&rows[i]))
			format_value(&rows[i], *value_of(o, &rows[i]), b->texts[n]);
		else
			snprintf(b->texts[n], NUMBER_TEXT, "%s", *flag_of(o, &rows[i]) ? "true" : "false");
		b->settings[n] = (struct fs_setting){.name = rows[i].name, .value = b->texts[n]};
		n++;
	}
	return b->settings;
}

void options_print_help(FILE *out)
{
	char name[64], value[NUMBER_TEXT], text[512];

	fprintf(out, "\nMount options (-o, comma-separated; sizes: 64K 100M 2G, durations: 90s 15m 24h):\n");
	for (int i = 0; i < N_ROWS; i++) {
		const struct option_row *row = &rows[i];

		if (!row->help)
			continue;
		value[0] = 0;
		if (has_value(row))
			format_value(row, row->fallback, value);
		snprintf(name, sizeof name, "%s%s", row->name, has_value(row) ? "=" : "");
		snprintf(text, sizeof text, "%s%s%s%s", row->help, *value ? " (default " : "", value,
			*value ? ")" : "");
		fprintf(out, "  %-20s ", name);
		verb_print_wrapped(out, 23, text);
	}
	verb_print_wrapped(out, 0,
		"Also: suid nosuid dev nodev exec noexec sync async dirsync noatime nodiratime, and what fstab lines "
		"carry for others: auto noauto user users nofail _netdev x-* comment=.");
}

void options_each(void (*each)(void *arg, const char *word, const char *help), void *arg)
{
	char word[64];

	for (int i = 0; i < N_ROWS; i++) {
		snprintf(word, sizeof word, "%s%s", rows[i].name, has_value(&rows[i]) ? "=" : "");
		if (rows[i].help)
			each(arg, word, rows[i].help);
	}
}
