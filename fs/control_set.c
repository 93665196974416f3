/*
 * control_set.c - the values of .session that can be written: how they are read and shown. What they do is in life.h
 * and text.h.
 */
#include "fs/control_set.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/fault.h"
#include "fs/json.h"
#include "fs/life.h"
#include "fs/units.h"

enum { WORD_MAX = 64, MILLION = 1000000, PIECE_MIN = 4096, TAGS_MAX = 256 };

#define LAST "2262-04-11" /* of STORE_NEVER */

/* ---- texts in UTF-8 ------------------------------------------------------------------------------------------ */

/*
 * How much of the text is whole characters. A program that writes a long text in pieces may split one: the first bytes
 * of it wait for the rest.
 */
static int take_whole(const char *name, const char *text, size_t len, size_t *ret)
{
	for (size_t cut = 0; cut <= (len >= PIECE_MIN ? 3 : 0); cut++) {
		int r = json_check_utf8(text, len - cut);

		if (!r)
			*ret = len - cut;
		if (r <= 0)
			return r;
	}
	fault_explain("convert it (iconv does)", "%s takes text in UTF-8", name);
	return EINVAL;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static int show(char **ret, size_t *ret_len, const char *word)
{
	int len = asprintf(ret, "%s\n", word);

	if (len < 0)
		return -ENOMEM;
	*ret_len = (size_t)len;
	return 0;
}

/* The only word of the text, without the space around it; false if it is longer than any value. */
static bool take_word(const char *text, size_t len, char word[WORD_MAX])
{
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	while (len && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	if (len >= WORD_MAX)
		return false;
	memcpy(word, text, len);
	word[len] = '\0';
	return true;
}

int content_status(struct session *session, char **ret, size_t *ret_len)
{
	return show(ret, ret_len, life_status_name((enum store_status)session->record.status));
}

/* What follows the word, on its line or the next ones; NULL if nothing does. For the caller to free. */
static int take_reason(const char *rest, char **ret)
{
	size_t len, whole = 0;
	int r;

	rest += strspn(rest, " \t\r\n:");
	len = strlen(rest);
	while (len && isspace((unsigned char)rest[len - 1]))
		len--;
	r = take_whole("status", rest, len, &whole);
	if (r)
		return r;
	*ret = whole ? strndup(rest, whole) : NULL;
	return whole && !*ret ? -ENOMEM : 0;
}

/* A word, and for one of them a reason, for the caller to free. */
static int parse_status(const char *text, enum store_status *ret, char **ret_reason)
{
	char word[WORD_MAX], *reason;
	size_t word_len;
	int r;

	text += strspn(text, " \t\r\n");
	word_len = strcspn(text, " \t\r\n:");
	if (!take_word(text, word_len, word) || !life_status_parse(word, ret)) {
		fault_explain(NULL, "the status is one of active, paused, completed, failed, archived");
		return EINVAL;
	}
	r = take_reason(text + word_len, &reason);
	if (r)
		return r;
	if (reason && *ret != STORE_FAILED) {
		fault_explain("write the word alone", "only the status failed takes a reason");
		free(reason);
		return EINVAL;
	}
	*ret_reason = reason;
	return 0;
}

static int set_status(struct session *session, enum store_status status, const char *reason)
{
	const char *why = NULL;
	int r = life_set_status(session, status, reason, &why);

	if (why)
		fault_explain(NULL, "%s", why);
	return r;
}

/* Of a status that is set already the reason may still follow, as from a shell that writes line by line. */
static int take_status(struct session *session, const char *text, bool goes_on)
{
	enum store_status status;
	char *reason;
	int r = parse_status(text, &status, &reason);

	if (r)
		return r;
	if (!goes_on || status != session->record.status)
		r = set_status(session, status, reason);
	else if (reason)
		r = life_set_reason(session, reason);
	free(reason);
	return r;
}

int content_set_status(struct session *session, const char *text, size_t len)
{
	(void)len;
	return take_status(session, text, false);
}

int content_go_on_status(struct session *session, const char *text, size_t len)
{
	(void)len;
	return take_status(session, text, true);
}

int content_pin(struct session *session, char **ret, size_t *ret_len)
{
	return show(ret, ret_len, session->record.flags & STORE_SESSION_PINNED ? "1" : "0");
}

int content_set_pin(struct session *session, const char *text, size_t len)
{
	char word[WORD_MAX];

	if (!take_word(text, len, word) || (strcmp(word, "0") && strcmp(word, "1"))) {
		fault_explain(NULL, "pin is 0 or 1");
		return EINVAL;
	}
	return life_set_pinned(session, *word == '1');
}

/* ---- progress ---------------------------------------------------------------------------------------------------- */

int content_progress(struct session *session, char **ret, size_t *ret_len)
{
	uint32_t progress = session->record.progress;
	char word[WORD_MAX];
	size_t len = (size_t)snprintf(word, sizeof(word), "%u.%06u", progress / MILLION, progress % MILLION);

	while (word[len - 1] == '0')
		word[--len] = '\0';
	if (word[len - 1] == '.')
		word[len - 1] = '\0';
	return show(ret, ret_len, word);
}

/* As programs print numbers: also 5e-05, but no words and no hexadecimal digits. The locale leaves the point alone. */
static bool parse_progress(const char *word, uint32_t *ret)
{
	char *end;
	double value = strtod(word, &end);

	if (*end || word[strspn(word, "0123456789.eE+-")] || !*word || !(value >= 0 && value <= 1))
		return false;
	*ret = (uint32_t)(value * MILLION + 0.5);
	return true;
}

int content_set_progress(struct session *session, const char *text, size_t len)
{
	char word[WORD_MAX];
	uint32_t millionths;

	if (!take_word(text, len, word) || !parse_progress(word, &millionths)) {
		fault_explain(NULL, "progress is a number from 0 to 1");
		return EINVAL;
	}
	return life_set_progress(session, millionths);
}

/* ---- expires_at -------------------------------------------------------------------------------------------------- */

int content_expires_at(struct session *session, char **ret, size_t *ret_len)
{
	struct life_outlook outlook = life_outlook(session->fs, &session->record);
	char word[WORD_MAX] = "never";
	struct tm tm;
	time_t at = (time_t)(outlook.expires / FS_SECOND);

	if (outlook.expires != STORE_NEVER && outlook.guard == LIFE_UNGUARDED && gmtime_r(&at, &tm))
		strftime(word, sizeof(word), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return show(ret, ret_len, word);
}

/* Seconds from now on. */
static bool parse_duration(const char *word, int64_t *ret)
{
	uint64_t seconds;

	if (!units_parse(word, units_of_time, &seconds)) {
		fault_explain(NULL, "+%s is no duration: 90s, 15m, 24h, 7d are", word);
		return false;
	}
	if (!units_are_named(word, seconds)) {
		fault_explain("write its unit: s, m, h or d", "+%s might be seconds, hours or days", word);
		return false;
	}
	if (seconds >= (uint64_t)(STORE_NEVER - fs_now()) / FS_SECOND) {
		fault_explain(NULL, "+%s is too far off: times go to " LAST "; never is later", word);
		return false;
	}
	*ret = fs_now() + (int64_t)seconds * FS_SECOND;
	return true;
}

/* timegm(3) takes the 30th of February for the 2nd of March. */
static bool is_in_calendar(const struct tm *tm)
{
	struct tm mended = *tm;

	timegm(&mended);
	return mended.tm_mday == tm->tm_mday && mended.tm_hour == tm->tm_hour && mended.tm_sec == tm->tm_sec;
}

/* ISO 8601 in UTC, which date(1) and Python write as +00:00; with or without a fraction, which is left out. */
static bool parse_time(const char *word, int64_t *ret)
{
	struct tm tm = {0};
	const char *end = strptime(word, "%Y-%m-%dT%H:%M:%S", &tm);
	time_t at;

	if (end && *end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	if (!end || (strcmp(end, "Z") != 0 && strcmp(end, "+00:00") != 0)) {
		fault_explain(NULL, "expires_at takes a time (2026-11-22T09:30:00Z), never, +24h, or default");
		return false;
	}
	if (!is_in_calendar(&tm)) {
		fault_explain(NULL, "there is no %s in the calendar", word);
		return false;
	}
	at = timegm(&tm);
	if (at <= 0 || at >= STORE_NEVER / FS_SECOND) {
		fault_explain(NULL, "times go from 1970 to " LAST ", and never is later: not to %s", word);
		return false;
	}
	*ret = at * FS_SECOND;
	return true;
}

static bool parse_expires(const char *word, int64_t *ret)
{
	if (strcmp(word, "default") == 0)
		*ret = 0;
	else if (strcmp(word, "never") == 0)
		*ret = STORE_NEVER;
	else
		return *word == '+' ? parse_duration(word + 1, ret) : parse_time(word, ret);
	return true;
}

/* No text at all is the attribute removed; a line with nothing in it says nothing. */
int content_set_expires_at(struct session *session, const char *text, size_t len)
{
	char word[WORD_MAX] = "?";
	int64_t expires;

	if (!len)
		return life_set_expires(session, 0);
	(void)take_word(text, len, word);
	return parse_expires(word, &expires) ? life_set_expires(session, expires) : EINVAL;
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

int content_set_text(struct session *session, enum text which, const char *text, size_t len)
{
	size_t whole = 0;
	int r = take_whole(text_name(which), text, len, &whole);

	return r ? r : text_set(session, which, text, whole);
}

static int check_tag(const char *tag, size_t len)
{
	const char *why = len > STORE_NAME_MAX	  ? "a tag has at most 255 bytes"
			  : *tag == '.'		  ? "a tag does not begin with a dot"
			  : memchr(tag, '/', len) ? "a tag has no slash"
						  : NULL;

	if (why)
		fault_explain(NULL, "%s", why);
	return why ? EINVAL : 0;
}

/* As each is compared with those before it. */
static int refuse_tags(void)
{
	fault_explain("write texts to notes", "a session has at most %d tags", TAGS_MAX);
	return EINVAL;
}

/* Whether the line is among those of the list. */
static bool is_listed(const char *list, size_t list_len, const char *tag, size_t len)
{
	for (size_t at = 0; at < list_len;) {
		size_t line = (size_t)((const char *)memchr(list + at, '\n', list_len - at) - (list + at));

		if (line == len && memcmp(list + at, tag, len) == 0)
			return true;
		at += line + 1;
	}
	return false;
}

/* Each tag once, on a line of its own; list has room for the text and a newline. */
static int list_tags(const char *text, size_t len, char *list, size_t *ret_len)
{
	size_t used = 0;

	for (size_t at = 0, lines = 0; at < len;) {
		const char *tag = text + at, *end = memchr(tag, '\n', len - at);
		size_t line = end ? (size_t)(end - tag) : len - at;
		size_t tag_len = line && tag[line - 1] == '\r' ? line - 1 : line;
		int r = !tag_len ? 0 : ++lines > TAGS_MAX ? refuse_tags() : check_tag(tag, tag_len);

		if (r)
			return r;
		if (tag_len && !is_listed(list, used, tag, tag_len)) {
			memcpy(list + used, tag, tag_len);
			list[used + tag_len] = '\n';
			used += tag_len + 1;
		}
		at += line + 1;
	}
	*ret_len = used;
	return 0;
}

int content_set_tags(struct session *session, const char *text, size_t len)
{
	size_t whole = 0, list_len = 0;
	char *list;
	int r = take_whole("tags", text, len, &whole);

	if (r)
		return r;
	list = malloc(whole + 1);
	if (!list)
		return -ENOMEM;
	r = list_tags(text, whole, list, &list_len);
	if (!r)
		r = text_set(session, TEXT_TAGS, list, list_len);
	free(list);
	return r;
}
