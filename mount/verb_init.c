/* verb_init.c - `sessfs init STORE`: makes a new store. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mount/message.h"
#include "mount/path.h"
#include "mount/sentence.h"
#include "mount/verb.h"
#include "store/store.h"

static int make_store(const char *path, bool made_dir)
{
	const struct store_options options = {.create = true, .level = 3, .commit = 5};
	struct store_open_info info = {0};
	struct store *store = NULL;

	int r = store_open(path, &options, &store, &info);
	if (r != 0) {
		sentence_store(r, path, &info);
		if (made_dir)
			rmdir(path);
		return VERB_NOT_DONE;
	}
	r = store_close(store);
	if (r != 0) {
		message_error("the new store %s could not be saved: %s", path, r < 0 ? strerror(-r) : strerror(ENOSPC));
		return VERB_NOT_DONE;
	}
	printf("made a new store in %s\n", path);
	return VERB_DONE;
}

static int init_store(const char *name)
{
	char *path = path_resolve(name);
	int status;

	if (!path) {
		status = errno == ENOENT ? VERB_NOT_FOUND : VERB_NOT_DONE;
		message_error("the store %s cannot be made: what stands before its last part is not there (%s)", name,
			strerror(errno));
		return status;
	}
	bool made_dir = mkdir(path, 0700) == 0;
	if (!made_dir && errno != EEXIST) {
		message_error("the directory %s cannot be made: %s", path, strerror(errno));
		status = VERB_NOT_DONE;
	} else if (!made_dir && path_holds_store(path)) {
		message_error("there is a store in %s already; `sessfs mount %s DIR` mounts it", path,
			message_word(path));
		status = VERB_NOT_DONE;
	} else {
		status = make_store(path, made_dir);
	}
	free(path);
	return status;
}

static int run_init(const struct verb *verb, int argc, char **argv)
{
	struct verb_line line;
	int status = verb_parse(verb, argc, argv, &line, NULL, NULL);

	return status == VERB_GO_ON ? init_store(line.words[0]) : status;
}

const struct verb verb_init = {
	.name = "init",
	.group = VERB_STORE,
	.run = run_init,
	.words = "STORE",
	.word = VERB_A_DIR,
	.min_words = 1,
	.max_words = 1,
	.summary = "make a new store (mount does it too)",
	.help = "STORE is a directory that is not there yet (it gets mode 0700) or is empty.\n",
	.usage_status = VERB_USAGE,
};
