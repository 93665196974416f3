/*
 * content_search.c - see content_search.h.
 */
#include "fs/content_search.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <wchar.h>
#include <wctype.h>

#include "fs/node.h"
#include "fs/text.h"

struct search {
	locale_t locale; /* that knows the letters of all scripts, or 0 */
	wchar_t *text;   /* in lower case */
};

/* ---- letters without case ---------------------------------------------------------------------------------------- */

/* One character of UTF-8; a byte that is none stands for itself, outside of Unicode. */
static wchar_t next_letter(const unsigned char **at)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
	const unsigned char *s = *at;

	for (unsigned more = 0; more < sizeof(forms) / sizeof(*forms); more++) {
		uint32_t letter = s[0] & (unsigned char)~forms[more].mask;
		unsigned n = 1;

		if ((s[0] & forms[more].mask) != forms[more].lead)
			continue;
		for (; n <= more && (s[n] & 0xC0) == 0x80; n++)
			letter = letter << 6 | (s[n] & 0x3F);
		if (n <= more || letter < forms[more].least || letter > 0x10FFFF)
			break;
		*at = s + n;
		return (wchar_t)letter;
	}
	*at = s + 1;
	return (wchar_t)(0x110000 + s[0]);
}

/* The letters of a text in lower case, for the caller to free. */
static wchar_t *fold(locale_t locale, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	wchar_t *folded = malloc((strlen(text) + 1) * sizeof(*folded)), *to = folded;

	while (folded && *at) {
		wchar_t letter = next_letter(&at);

		if (letter < 0x80)
			*to++ = letter >= 'A' && letter <= 'Z' ? letter + 32 : letter;
		else
			*to++ = locale && letter < 0x110000 ? (wchar_t)towlower_l((wint_t)letter, locale) : letter;
	}
	if (folded)
		*to = L'\0';
	return folded;
}

/* ---- search ------------------------------------------------------------------------------------------------------ */

int search_new(const char *text, struct search **ret)
{
	struct search *search = calloc(1, sizeof(*search));

	if (!search)
		return -ENOMEM;
	search->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	search->text = fold(search->locale, text);
	if (!search->text) {
		search_free(search);
		return -ENOMEM;
	}
	*ret = search;
	return 0;
}

void search_free(struct search *search)
{
	if (!search)
		return;
	if (search->locale)
		freelocale(search->locale);
	free(search->text);
	free(search);
}

static int contains(const struct search *search, const char *text, bool *ret)
{
	wchar_t *folded = fold(search->locale, text);

	if (!folded)
		return -ENOMEM;
	*ret = wcsstr(folded, search->text) != NULL;
	free(folded);
	return 0;
}

/*
 * Whether what the session says of itself is for everyone on the mount: where others use it too, only if they may read
 * the session's directory. Who asks does not matter, as the kernel keeps one listing for all.
 */
static bool is_open(struct fs *fs, const struct store_session *record)
{
	NODE_AUTO top = NULL;

	return !fs->options.allow_other
		|| (node_load(fs, record->sid, record->root, &top) == 0 && top->inode.mode & S_IROTH);
}

int search_matches(struct fs *fs, const struct store_session *record, const struct search *search, bool *ret)
{
	static const enum text searched[] = {TEXT_QUERY, TEXT_NOTES, TEXT_PROJECT, TEXT_TAGS};
	bool found = false;
	int r = contains(search, record->name, &found);

	for (size_t i = 0; !r && !found && i < sizeof(searched) / sizeof(*searched); i++) {
		char *text;
		size_t len;

		if (!(record->texts & 1u << searched[i]) || !is_open(fs, record))
			continue;
		r = text_get(fs, record, searched[i], &text, &len);
		if (r)
			break;
		r = contains(search, text, &found);
		free(text);
	}
	if (!r)
		*ret = found;
	return r;
}

/* ---- tags -------------------------------------------------------------------------------------------------------- */

int search_each_tag(struct fs *fs, const struct store_session *record, bool (*each)(void *arg, const char *tag),
	void *arg)
{
	char *text, *rest, *tag;
	size_t len;
	int r;

	if (!(record->texts & 1u << TEXT_TAGS) || !is_open(fs, record))
		return 0;
	r = text_get(fs, record, TEXT_TAGS, &text, &len);
	if (r)
		return r;
	rest = text;
	while ((tag = strsep(&rest, "\n")))
		if (*tag && each(arg, tag))
			break;
	free(text);
	return 0;
}

struct wanted {
	const char *tag;
	bool found;
};

static bool is_wanted(void *arg, const char *tag)
{
	struct wanted *wanted = arg;

	wanted->found = strcmp(tag, wanted->tag) == 0;
	return wanted->found;
}

int search_has_tag(struct fs *fs, const struct store_session *record, const char *tag, bool *ret)
{
	struct wanted wanted = {.tag = tag};
	int r = search_each_tag(fs, record, is_wanted, &wanted);

	if (!r)
		*ret = wanted.found;
	return r;
}
