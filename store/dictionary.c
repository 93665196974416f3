/*
 * dictionary.c - what the small chunks of a store have in common, learnt when enough of them came by, and then used for
 * all that resemble them.
 *
 * A dictionary is chosen for each flush by how it does on a few of its small chunks. A new one is learnt, in some 60 ms
 * of the flusher's time, from chunks gathered over one or many flushes; it stays if it does clearly better than all
 * there are. The next attempt waits for several times as much content, so attempts are few.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

enum {
	SAMPLE_MIN = 64,       /* bytes: shorter chunks teach nothing, */
	SAMPLE_MAX = 16384,    /* of longer ones there would be too few */
	JUDGE_EVERY = 8,       /* of the samples these are for judging, the others for learning */
	JUDGES_MAX = 64,
	LEARN_COUNT_MIN = 128, /* samples to learn from, at least */
	LEARN_COUNT_MAX = 8192,
	LEARNT_MAX = 8,        /* dictionaries in a store */
	LEARN_AGAIN = 4,       /* after so many times the bytes seen before */
};
#define LEARN_BYTES_MIN (512u << 10)
#define LEARN_BYTES_MAX (1u << 20)

/* From the kind before on: to prove where dictionaries begin would take the first one to be sound. */
int dictionaries_load(struct store *s)
{
	struct key at = key_front(KIND_DICTIONARY - 1, UINT64_MAX);
	struct warm_value value;
	struct found f;
	int r = warm_seek(s->snapshot, &at, &at, &value);
	for (; r == 0 && key_kind(at) == KIND_DICTIONARY; r = warm_after(s->snapshot, &at, &at, &value))
		if (open_value(at, value, &f) == 0 &&
			dictionaries_learn(&s->dictionaries, (uint32_t)key_sub(at), f.body, f.len) == -ENOMEM)
			return -ENOMEM;
	return 0;
}

void trainer_release(struct trainer *t)
{
	free(t->samples);
	free(t->lens);
	t->samples = NULL;
	t->lens = NULL;
	t->count = 0;
	t->bytes = 0;
}

/* ---- samples ----------------------------------------------------------------------------------------------------- */

struct survey {
	unsigned count;
	uint64_t bytes;
	unsigned judges;
	const struct extent *judge[JUDGES_MAX];
};

/* The bytes of a small file that this log has whole, or NULL. */
static const struct extent *sample_of(const struct entry *e)
{
	const struct extent *x = e->type == ENTRY_CHUNK && e->len == 1 ? entry_extents(e) : NULL;
	bool fits = x && x->pos && x->offset == 0 && x->len >= SAMPLE_MIN && x->len <= SAMPLE_MAX;
	return fits && key_sub(e->key) == 0 ? x : NULL;
}

static struct entry *first_entry(struct hot *h)
{
	static const struct key first;
	return index_seek(&h->index, &first);
}

static void take_survey(struct hot *h, struct survey *ret)
{
	const struct extent *x;
	*ret = (struct survey){ 0 };
	for (struct entry *e = first_entry(h); e; e = index_next(e)) {
		if ((x = sample_of(e))) {
			ret->count++;
			ret->bytes += x->len;
		}
	}
	unsigned step = ret->count / JUDGES_MAX / JUDGE_EVERY * JUDGE_EVERY, i = 0;
	step = step ? step : JUDGE_EVERY;
	for (struct entry *e = first_entry(h); e && ret->judges < JUDGES_MAX; e = index_next(e))
		if ((x = sample_of(e)) && i++ % step == 0)
			ret->judge[ret->judges++] = x;
}

/* Adds samples from all over the log. */
static int gather(struct trainer *t, struct hot *h, const struct survey *v)
{
	const struct extent *x;
	if (!t->samples) {
		t->samples = malloc(LEARN_BYTES_MAX);
		t->lens = malloc(LEARN_COUNT_MAX * sizeof *t->lens);
	}
	if (!t->samples || !t->lens)
		return -ENOMEM;
	uint64_t bytes = v->bytes - v->bytes / JUDGE_EVERY;
	unsigned step = (unsigned)(bytes / (LEARN_BYTES_MAX - t->bytes + 1)) + 1, i = 0;
	for (struct entry *e = first_entry(h); e && t->count < LEARN_COUNT_MAX; e = index_next(e)) {
		if (!(x = sample_of(e)) || i++ % JUDGE_EVERY == 0 || i % step || t->bytes + x->len > LEARN_BYTES_MAX)
			continue;
		int r = hot_read(h, x->pos, t->samples + t->bytes, x->len);
		if (r)
			return r;
		t->lens[t->count++] = x->len;
		t->bytes += x->len;
	}
	return 0;
}

/* ---- choosing ---------------------------------------------------------------------------------------------------- */

struct contest {
	struct store *store;
	struct hot *hot;
	struct codec_ctx *codec;
	uint8_t *raw, *out;
	struct survey survey;
	size_t best; /* bytes that the judged chunks take with the winner */
	struct dictionary *winner;
};

/* A dictionary wins if the judged chunks take less than `percent` of what they take with the best so far. */
static int judge(struct contest *c, struct dictionary *d, unsigned percent)
{
	static const struct key key;
	size_t sum = 0;
	for (unsigned i = 0; i < c->survey.judges; i++) {
		const struct extent *x = c->survey.judge[i];
		int r = hot_read(c->hot, x->pos, c->raw, x->len);
		ssize_t n = r ? r : chunk_encode(c->codec, key, c->store->options.level, d, c->raw, x->len, c->out);
		if (n < 0)
			return (int)n;
		sum += (size_t)n;
	}
	if (!d || sum < c->best / 100 * percent) {
		c->best = sum;
		c->winner = d;
	}
	return 0;
}

static int judge_known(struct contest *c, unsigned *ret_count)
{
	struct dictionary *d;
	unsigned i = 0;
	int r = judge(c, NULL, 100);
	for (; r == 0 && i < DICTIONARIES_MAX && (d = c->store->dictionaries.list[i]); i++)
		r = judge(c, d, 100);
	*ret_count = i;
	return r;
}

/* Memory that is short, or samples that teach nothing, leave things as they are. */
static int learn(struct contest *c)
{
	struct trainer *t = &c->store->trainer;
	struct dictionary *d = NULL, *before = c->winner;
	uint8_t *data = malloc(DICTIONARY_SIZE_MAX);
	size_t n = data ? dictionary_train(t->samples, t->lens, t->count, data) : 0;
	t->next = t->seen * LEARN_AGAIN;
	trainer_release(t);
	int r = n && dictionary_new(data, n, &d) == 0 ? judge(c, d, 90) : 0;
	free(data);
	if (d && c->winner != d) {
		dictionary_free(d);
	} else if (d && !dictionaries_add(&c->store->dictionaries, d)) {
		c->winner = before;
	} else if (d) {
		t->fresh = d;
	}
	return r;
}

static bool is_enough(const struct trainer *t)
{
	return t->count >= LEARN_COUNT_MIN && t->bytes >= LEARN_BYTES_MIN;
}

int dictionary_choose(struct store *s, struct hot *h, struct codec_ctx *codec, uint8_t *raw, uint8_t *out,
	struct dictionary **ret)
{
	struct contest c = { .store = s, .hot = h, .codec = codec, .raw = raw, .out = out };
	struct trainer *t = &s->trainer;
	unsigned known;
	*ret = NULL;
	take_survey(h, &c.survey);
	if (!s->options.level || !c.survey.count)
		return 0;
	t->seen += c.survey.bytes;
	int r = judge_known(&c, &known);
	if (r == 0 && known < LEARNT_MAX && !t->fresh && t->seen >= t->next && gather(t, h, &c.survey) == 0 &&
		is_enough(t))
		r = learn(&c);
	if (r == 0)
		*ret = c.winner;
	return r;
}
