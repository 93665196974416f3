/*
 * content.h - deterministic data that compresses as real data does: JSON events of agents, logs of services, noise.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct random {
	uint64_t state; /* not 0 */
};

/* xorshift64*, Vigna 2016 */
static inline uint64_t random_next(struct random *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return random->state * UINT64_C(0x2545F4914F6CDD1D);
}

static inline uint32_t random_below(struct random *random, uint32_t limit)
{
	return (uint32_t)((random_next(random) >> 32) * limit >> 32);
}

static const char *const content_words[] = {
	"the", "of", "and", "to", "in", "is", "for", "that", "with", "as", "on", "by", "from", "at", "are", "this",
	"was", "an", "be", "result", "paper", "method", "model", "data", "query", "search", "source", "agent",
	"session", "analysis", "document", "evidence", "reports", "compared", "between", "storage", "latency",
	"throughput", "filesystem", "distributed", "training", "evaluation", "benchmark", "significant", "increase",
	"decrease", "however", "because", "observed", "measured", "sample", "cluster", "network", "protocol",
	"memory", "kernel", "cache", "update", "version", "release", "published", "journal", "authors", "claim",
	"suggests", "approach", "previous", "recent", "several", "different", "performance", "improvement",
	"baseline", "experiment", "parameters", "language", "retrieval", "context", "summary", "section", "figure",
	"table", "appendix", "limitations", "future", "production", "workload", "reliability", "failure", "recovery",
	"consistency", "transaction", "snapshot", "checkpoint", "metadata", "directory", "structure", "interface",
	"implementation", "design",
};

/* Small indexes are much likelier, as words of a language are. */
static inline const char *content_word(struct random *random)
{
	uint32_t count = sizeof(content_words) / sizeof(content_words[0]), a = random_below(random, count);

	return content_words[random_below(random, a + 1)];
}

static inline size_t content_sentence(struct random *random, char *buf, size_t size, unsigned words)
{
	size_t len = 0;

	for (unsigned i = 0; i < words && len + 24 < size; i++)
		len += (size_t)sprintf(buf + len, i ? " %s" : "%s", content_word(random));
	return len;
}

/* One document of about 700 bytes on one line. */
static inline size_t content_json(struct random *random, uint32_t number, char *buf, size_t size)
{
	static const char *const kinds[] = {"tool_call", "tool_result", "message", "plan", "note", "citation"};
	char query[256], text[512];
	uint64_t id = random_next(random);

	content_sentence(random, query, sizeof(query), 5 + random_below(random, 6));
	content_sentence(random, text, sizeof(text), 36 + random_below(random, 32));
	return (size_t)snprintf(buf, size,
		"{\"id\": \"%016llx\", \"sequence\": %u, \"timestamp\": \"2026-11-21T%02u:%02u:%02u.%03uZ\", "
		"\"agent\": \"researcher-%u\", \"type\": \"%s\", \"query\": \"%s\", "
		"\"url\": \"https://example.org/papers/%u/section/%u\", \"score\": 0.%04u, "
		"\"tokens\": {\"input\": %u, \"output\": %u}, \"tags\": [\"%s\", \"%s\"], \"content\": \"%s.\"}\n",
		(unsigned long long)id, number, number / 3600 % 24, number / 60 % 60, number % 60,
		random_below(random, 1000), random_below(random, 8), kinds[random_below(random, 6)], query,
		random_below(random, 5000), random_below(random, 20), random_below(random, 10000),
		random_below(random, 8000), random_below(random, 2000), content_word(random), content_word(random),
		text);
}

static inline size_t content_log(struct random *random, uint32_t number, char *buf, size_t size)
{
	static const char *const levels[] = {"INFO", "INFO", "INFO", "INFO", "DEBUG", "DEBUG", "WARN", "ERROR"};
	static const char *const parts[] = {"http.server", "scheduler", "worker", "storage.flush", "cache", "rpc"};
	unsigned ms = number % 20 * 50 + random_below(random, 50);
	size_t len = (size_t)snprintf(buf, size, "2026-11-21 %02u:%02u:%02u,%03u %-5s [%s-%u] ", number / 72000 % 24,
		number / 1200 % 60, number / 20 % 60, ms, levels[random_below(random, 8)],
		parts[random_below(random, 6)], random_below(random, 4));

	buf += len;
	size -= len;
	switch (random_below(random, 3)) {
	case 0:
		return len + (size_t)snprintf(buf, size, "request GET /api/v1/%s/%u status=200 bytes=%u "
			"duration_ms=%u.%03u\n", content_word(random), random_below(random, 10000),
			random_below(random, 65536), random_below(random, 300), random_below(random, 1000));
	case 1:
		return len + (size_t)snprintf(buf, size, "task %08x finished: %s %s %s, queue depth %u\n",
			(unsigned)random_next(random), content_word(random), content_word(random), content_word(random),
			random_below(random, 64));
	default:
		return len + (size_t)snprintf(buf, size, "flushed %u records (%u bytes) in %u us, generation %u\n",
			random_below(random, 5000), random_below(random, 4000000), random_below(random, 1000) * 10,
			number / 100);
	}
}

enum content_kind { CONTENT_JSON, CONTENT_LOG, CONTENT_RANDOM };

static inline void content_fill(enum content_kind kind, uint64_t seed, char *buf, size_t size)
{
	struct random random = {.state = seed * 2 + 1};
	char line[2048];
	size_t used = 0, len;

	for (uint32_t number = 0; used < size; number++, used += len) {
		uint64_t noise = random_next(&random);

		if (kind == CONTENT_JSON)
			len = content_json(&random, number, line, sizeof(line));
		else if (kind == CONTENT_LOG)
			len = content_log(&random, number, line, sizeof(line));
		else
			memcpy(line, &noise, len = sizeof(noise));
		if (len > size - used)
			len = size - used;
		memcpy(buf + used, line, len);
	}
}
