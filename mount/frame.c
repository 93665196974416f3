/* frame.c - see frame.h. */
#include "mount/frame.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "mount/moment.h"
#include "mount/number.h"

enum { LINE = 1024, NAME_LEAST = 12, NAME_MOST = 40, COLUMNS_BESIDE_NAME = 50, BUSIEST = 4, BAR = 20 };

void sample_release(struct sample *s)
{
	json_decref(s->stats);
	told_release(&s->sessions);
	*s = (struct sample){0};
}

struct frame {
	FILE *out;
	int width, left; /* columns; lines still free, negative: no limit */
	const char *end;
};

/* As much of the text as fits the columns; what a terminal cannot show is '?'. Returns the columns used. */
static int put_cut(FILE *out, const char *text, int columns)
{
	mbstate_t state = {0};
	int used = 0;

	while (*text) {
		wchar_t c;
		size_t n = mbrtowc(&c, text, strlen(text), &state);
		bool bad = n == (size_t)-1 || n == (size_t)-2;
		int wide = bad ? -1 : wcwidth(c);

		if (bad) {
			n = 1;
			state = (mbstate_t){0};
		}
		if (used + (wide < 0 ? 1 : wide) > columns)
			break;
		if (wide < 0)
			fputc('?', out);
		else
			fwrite(text, 1, n, out);
		used += wide < 0 ? 1 : wide;
		text += n;
	}
	return used;
}

__attribute__((format(printf, 2, 3))) static void line(struct frame *f, const char *format, ...)
{
	char text[LINE];
	va_list args;

	if (f->left == 0)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	put_cut(f->out, text, f->width);
	fputs(f->end, f->out);
	f->left--;
}

static uint64_t get(const json_t *object, const char *key)
{
	int64_t n = json_get_number(object, key);

	return n > 0 ? (uint64_t)n : 0;
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

struct rate {
	const char *name;
	double count, ns; /* since the sample before: how many, and how long in all */
};

static struct rate rate_of(const char *name, const json_t *now, const json_t *before)
{
	const json_t *old = before ? json_object_get(json_object_get(before, "operations"), name) : NULL;
	double count = (double)get(now, "count"), old_count = (double)get(old, "count");
	double ns = count * (double)get(now, "avg_ns") - old_count * (double)get(old, "avg_ns");

	return (struct rate){name, count > old_count ? count - old_count : 0, ns > 0 ? ns : 0};
}

static int busier(const void *a, const void *b)
{
	const struct rate *x = a, *y = b;

	return (y->count > x->count) - (y->count < x->count);
}

static void print_operations(struct frame *f, const struct sample *before, const struct sample *now, double seconds)
{
	const json_t *all = json_object_get(now->stats, "operations"), *one;
	struct rate rates[64], sum = {0};
	char text[LINE] = "", mean[NUMBER_TEXT];
	size_t n = 0, used = 0;
	const char *name;

	json_object_foreach((json_t *)all, name, one) {
		if (n == sizeof rates / sizeof rates[0])
			break;
		rates[n] = rate_of(name, one, before ? before->stats : NULL);
		sum.count += rates[n].count;
		sum.ns += rates[n++].ns;
	}
	qsort(rates, n, sizeof rates[0], busier);
	for (size_t i = 0; i < n && i < BUSIEST && rates[i].count > 0 && used < sizeof text; i++) {
		number_rough_ns((uint64_t)(rates[i].ns / rates[i].count), mean);
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%.16s %.0f/s %s", i ? ", " : "",
			rates[i].name, rates[i].count / seconds, mean);
	}
	number_rough_ns((uint64_t)(sum.count > 0 ? sum.ns / sum.count : 0), mean);
	line(f, "operations  %.0f/s, %s each%s", sum.count / seconds, mean,
		before ? "" : " (since the daemon started)");
	line(f, "busiest     %s", *text ? text : "none");
}

/* ---- the store --------------------------------------------------------------------------------------------------- */

static void print_store(struct frame *f, const struct sample *now)
{
	const json_t *s = now->stats;
	uint64_t hot = get(s, "hot_bytes"), room = get(s, "hot_size");
	int filled = room ? (int)((double)(hot < room ? hot : room) / (double)room * BAR + 0.5) : 0;
	uint64_t hits = get(s, "chunk_hits"), looked = hits + get(s, "chunk_misses");
	char a[NUMBER_TEXT], b[NUMBER_TEXT], c[NUMBER_TEXT], d[NUMBER_TEXT];

	number_rough_size(hot, a);
	number_rough_size(room, b);
	number_rough_size(get(s, "warm_bytes"), c);
	number_rough_size(get(s, "free_bytes"), d);
	line(f, "hot         [%.*s%*s] %s of %s   warm %s   free %s", filled, "####################", BAR - filled, "",
		a, b, c, d);
	number_say_duration(moment_seconds(json_get_time(s, "last_saved_at"), now->at), a);
	number_rough_size(get(s, "unsaved_bytes"), b);
	number_rough_ns(get(s, "flush_last_ns"), c);
	number_rough_ns(get(s, "flush_longest_ns"), d);
	line(f, "saved       %s ago, %s not saved   flushes %" PRIu64 ": last %s, longest %s", a, b, get(s, "flushes"),
		c, d);
	number_rough_size(get(s, "total_size_bytes"), a);
	number_rough_size(get(s, "stored_bytes"), b);
	line(f, "stored      %s in %s (%.1f : 1)   cache hits %.0f %%   inodes in memory %" PRIu64, a, b,
		json_get_real(s, "compression_ratio"), looked ? 100.0 * (double)hits / (double)looked : 100.0,
		get(s, "inodes_in_memory"));
}

/* ---- sessions ---------------------------------------------------------------------------------------------------- */

static int written_later(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	return (y->written > x->written) - (y->written < x->written);
}

static void print_counts(struct frame *f, const struct told_list *list, uint64_t trash)
{
	static const char *const words[] = {"active", "paused", "completed", "failed", "archived"};
	char text[256] = "";
	size_t used = 0;

	for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
		size_t count = 0;

		for (size_t i = 0; i < list->count; i++)
			count += strcmp(list->items[i].status, words[w]) == 0;
		if (count)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%zu %s", used ? ", " : ": ",
				count, words[w]);
	}
	line(f, "sessions    %zu%s; %" PRIu64 " in the trash", list->count, text, trash);
}

static void print_session(struct frame *f, const struct told *t, int64_t now, int name_width)
{
	char age[NUMBER_TEXT], left[NUMBER_TEXT] = "never", size[NUMBER_TEXT], stored[NUMBER_TEXT], rest[LINE];

	if (f->left == 0)
		return;
	number_rough_duration(moment_seconds(t->written, now), age);
	if (t->expires)
		number_rough_duration(moment_seconds(now, t->expires), left);
	number_rough_size(t->size, size);
	number_rough_size(t->stored, stored);
	int used = put_cut(f->out, t->name, name_width < f->width ? name_width : f->width);
	snprintf(rest, sizeof rest, "%*s %-9.9s%s %7s %7s %8" PRIu64 " %6s %6s", name_width - used, "", t->status,
		t->interrupted ? "!" : t->current ? "*" : " ", age, left, t->files, size, stored);
	put_cut(f->out, rest, f->width - used);
	fputs(f->end, f->out);
	f->left--;
}

static void print_sessions(struct frame *f, struct told_list *list, int64_t now)
{
	int name_width = f->width - COLUMNS_BESIDE_NAME;
	size_t shown = list->count;

	name_width = name_width < NAME_LEAST ? NAME_LEAST : name_width > NAME_MOST ? NAME_MOST : name_width;
	line(f, "%-*s %-10s %7s %7s %8s %6s %6s", name_width, "NAME", "STATUS", "WRITTEN", "EXPIRES", "FILES", "SIZE",
		"STORED");
	if (list->count)
		qsort(list->items, list->count, sizeof list->items[0], written_later);
	if (f->left >= 0 && shown > (size_t)f->left)
		shown = f->left > 0 ? (size_t)f->left - 1 : 0;
	for (size_t i = 0; i < shown; i++)
		print_session(f, &list->items[i], now, name_width);
	if (shown < list->count)
		line(f, "... and %zu more", list->count - shown);
}

void frame_print(FILE *out, const struct place *place, const struct sample *before, struct sample *now, int width,
	int height, const char *end)
{
	struct frame f = {.out = out, .width = width, .left = height ? height : -1, .end = end};
	int64_t from = before ? before->at : json_get_time(now->stats, "started_at");
	double seconds = (double)(now->at - from) / (double)MOMENT_SECOND;
	char time[MOMENT_TEXT];

	moment_format_local(now->at, time);
	line(&f, "sessfs on %s, %s", place->mount, time);
	print_counts(&f, &now->sessions, get(now->stats, "trash"));
	print_operations(&f, before, now, seconds > 0.001 ? seconds : 0.001);
	print_store(&f, now);
	line(&f, "%s", "");
	print_sessions(&f, &now->sessions, now->at);
}
