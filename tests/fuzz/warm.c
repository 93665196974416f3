/* warm.c - the bytes are data.mdb: read through pages.c, walked whole, and changed by LMDB behind the guard. */
#include "store/pages.h"
#include "store/pieces.h"
#include "store/warm.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

static char directory[64], file[96];

static void remove_directory(void)
{
	char name[96];
	snprintf(name, sizeof name, "%s/lock.mdb", directory);
	unlink(name);
	unlink(file);
	rmdir(directory);
}

static void make_directory(void)
{
	snprintf(directory, sizeof directory, "%s/sessfs-fuzz-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(directory))
		abort();
	snprintf(file, sizeof file, "%s/data.mdb", directory);
	atexit(remove_directory);
}

static void write_file(const uint8_t *data, size_t size)
{
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}

/* Keys that the walk met, to be sought, changed and deleted. */
struct keys {
	struct key list[64];
	unsigned count;
};

static void on_record(void *arg, const struct key *key, const struct page_value *v, bool sound)
{
	struct keys *k = arg;
	(void)sound;
	touch(v->data, v->len);
	if (k->count < 64)
		k->list[k->count++] = *key;
}

static void on_damage(void *arg, uint64_t page, const char *what)
{
	(void)arg;
	(void)page;
	touch(what, strlen(what));
}

static void read_all(struct warm *w, struct keys *keys)
{
	static uint8_t joined[CHUNK_ENCODED_MAX];
	struct warm_snapshot *s;
	struct walk walk = {on_record, on_damage, keys};
	struct warm_value v;
	struct warm_space space;
	struct key at = {{0}};
	uint64_t entries;
	if (warm_snapshot_new(w, &s))
		return;
	warm_walk(s, &walk, &entries);
	for (unsigned i = 0; i < keys->count; i++)
		if (warm_get(s, &keys->list[i], &v) == 0)
			touch(v.data, v.len);
	for (unsigned i = 0; i < keys->count; i++) {
		struct key chunk = key_with_piece(keys->list[i], KEY_MAIN);
		if (pieces_get(s, &chunk, joined, &v) == 0)
			touch(v.data, v.len);
	}
	for (int r = warm_seek(s, &at, &at, &v), n = 0; r == 0 && n < 1000; r = warm_after(s, &at, &at, &v), n++)
		touch(v.data, v.len);
	warm_snapshot_free(s);
	warm_space(w, &space);
}

static void change(struct warm *w, const struct keys *keys, uint64_t choice)
{
	static const uint8_t value[9000];
	static const uint16_t sizes[] = {0, 10, 500, 9000};
	struct warm_txn *t;
	struct warm_value v;
	struct key at;
	if (warm_begin(w, &t))
		return;
	int r = 0;
	for (unsigned i = 0; i < keys->count && r >= 0; i++, choice = choice >> 2 | choice << 62) {
		struct key key = keys->list[i];
		if ((choice & 15) == 15) {
			key = key_with_piece(key, KEY_MAIN);
			r = pieces_delete_others(t, &key);
			r = r ? r : pieces_put(t, &key, value, 1 + choice % (sizeof value - 1), true);
		} else if ((choice & 3) == 3) {
			key.w[1] += choice;
			r = warm_put(t, &key, value, sizes[choice >> 2 & 3]);
		} else if ((choice & 3) == 2) {
			r = warm_put(t, &key, value, sizes[choice >> 2 & 3]);
		} else {
			r = warm_delete(t, &key);
		}
		if (r >= 0 && (r = warm_txn_seek(t, &key, &at, &v)) == 0)
			touch(v.data, v.len);
	}
	if (r < 0)
		warm_abort(t);
	else
		warm_commit(t);
}

/* As a dropped session goes: all keys between two of them. */
static void delete_range(struct warm *w, const struct keys *keys, uint64_t choice)
{
	struct warm_txn *t;
	uint64_t deleted = 0;
	if (!keys->count || warm_begin(w, &t))
		return;
	struct key at = keys->list[choice % keys->count], last = keys->list[choice / 64 % keys->count];
	int r = 0;
	for (unsigned leaves = 0; r == 0 && leaves < choice % 5 + 1; leaves++)
		r = warm_delete_some(t, &at, &last, &deleted);
	if (r < 0)
		warm_abort(t);
	else
		warm_commit(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct warm *w;
	struct keys keys = {.count = 0};
	uint64_t choice = UINT64_C(0x9e3779b97f4a7c15);
	if (!directory[0])
		make_directory();
	if (size < 9 || size > 1 << 20)
		return 0;
	write_file(data, size - 8);
	memcpy(&choice, data + size - 8, sizeof choice);
	if (warm_open(directory, false, &w))
		return 0;
	read_all(w, &keys);
	for (int i = 0; i < 3; i++) {
		change(w, &keys, choice + (unsigned)i * 77);
		keys.count = 0;
		read_all(w, &keys);
	}
	delete_range(w, &keys, choice);
	keys.count = 0;
	read_all(w, &keys);
	warm_close(w);
	return 0;
}
