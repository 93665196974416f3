/*
 * posix_random.c - long random sequences of every way to change a file's content, each compared with a model in memory.
 */
#include "posix.h"

#include <sys/mman.h>
#include <sys/uio.h>

enum { LIMIT = 3 << 20, PIECE = 150 << 10, STEPS = 400, FILES = 3 };

struct model {
	int fd;
	size_t size;
	char bytes[LIMIT]; /* zero behind size */
};

static struct model models[FILES];
static uint64_t state;

static size_t draw(size_t below)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(state >> 33) % below;
}

/* Half of the places and lengths lie at the edges of pages and chunks. */
static size_t draw_place(size_t below)
{
	static const size_t units[] = { 4096, 65536, 131072 };
	size_t at = draw(below);
	if (draw(2))
		return at;
	size_t unit = units[draw(3)];
	at -= at % unit;
	return draw(3) || at == 0 ? at : at - 1;
}

static void fill(char *to, size_t len)
{
	size_t kind = draw(3);
	for (size_t i = 0; i < len; i++)
		to[i] = (char)(kind == 0 ? draw(256) : kind == 1 ? (i / 16) % 64 + ' ' : 0);
}

static void set_size(struct model *m, size_t size)
{
	if (size < m->size)
		memset(m->bytes + size, 0, m->size - size);
	m->size = size;
}

static void grow(struct model *m, size_t end)
{
	if (end > m->size)
		m->size = end;
}

static void step_write(struct model *m)
{
	size_t at = draw_place(LIMIT - PIECE), len = 1 + draw_place(PIECE - 1);
	fill(m->bytes + at, len);
	CHECK(pwrite(m->fd, m->bytes + at, len, (off_t)at) == (ssize_t)len);
	grow(m, at + len);
}

static void step_append(struct model *m)
{
	size_t len = 1 + draw(5000);
	if (m->size + len > LIMIT)
		return;
	fill(m->bytes + m->size, len);
	struct iovec part = { m->bytes + m->size, len };
	CHECK(pwritev2(m->fd, &part, 1, 0, RWF_APPEND) == (ssize_t)len);
	m->size += len;
}

static void step_truncate(struct model *m)
{
	size_t size = draw(4) ? draw_place(LIMIT) : draw(2) ? 0 : m->size / 2;
	OK(ftruncate(m->fd, (off_t)size));
	set_size(m, size);
}

static void step_punch(struct model *m)
{
	size_t at = draw_place(LIMIT), len = 1 + draw_place(LIMIT - 1);
	if (draw(2))
		len = len % PIECE + 1;
	OK(fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)len));
	if (at < m->size)
		memset(m->bytes + at, 0, at + len < m->size ? len : m->size - at);
}

static void step_zero(struct model *m)
{
	size_t at = draw_place(LIMIT - PIECE), len = 1 + draw_place(PIECE - 1);
	OK(fallocate(m->fd, FALLOC_FL_ZERO_RANGE, (off_t)at, (off_t)len));
	memset(m->bytes + at, 0, len);
	grow(m, at + len);
}

static void step_map(struct model *m)
{
	if (m->size == 0)
		return;
	size_t at = draw(m->size), len = 1 + draw(20000);
	if (len > m->size - at)
		len = m->size - at;
	char *map = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
	CHECK(map != MAP_FAILED);
	CHECK(memcmp(map + at, m->bytes + at, len) == 0);
	fill(m->bytes + at, len);
	memcpy(map + at, m->bytes + at, len);
	if (draw(2))
		OK(msync(map, m->size, MS_SYNC));
	OK(munmap(map, m->size));
}

static void step_copy(struct model *m)
{
	struct model *from = &models[draw(FILES)];
	size_t len = 1 + draw_place(PIECE - 1), in = draw_place(LIMIT), out = draw_place(LIMIT - PIECE);
	if (in >= from->size || from == m)
		return;
	if (len > from->size - in)
		len = from->size - in;
	for (size_t done = 0; done < len;) {
		off_t in_at = (off_t)(in + done), out_at = (off_t)(out + done);
		ssize_t copied = OK(copy_file_range(from->fd, &in_at, m->fd, &out_at, len - done, 0));
		CHECK(copied > 0);
		done += (size_t)copied;
	}
	memcpy(m->bytes + out, from->bytes + in, len);
	grow(m, out + len);
}

static void step_sync(struct model *m)
{
	OK(draw(2) ? fsync(m->fd) : fdatasync(m->fd));
	OK(posix_fadvise(m->fd, 0, 0, POSIX_FADV_DONTNEED));
}

static void check_part(struct model *m, size_t at, size_t len)
{
	static char buf[LIMIT];
	if (at >= m->size)
		return;
	if (len > m->size - at)
		len = m->size - at;
	CHECK(pread(m->fd, buf, len, (off_t)at) == (ssize_t)len);
	if (memcmp(buf, m->bytes + at, len) == 0)
		return;
	for (size_t i = 0; i < len; i++)
		if (buf[i] != m->bytes[at + i]) {
			printf("  byte %zu of %zu is %d, should be %d\n", at + i, m->size, buf[i], m->bytes[at + i]);
			break;
		}
	CHECK(!"content as the model has it");
}

static void step_read(struct model *m)
{
	check_part(m, draw_place(LIMIT), 1 + draw(PIECE));
}

/* What is called a hole reads as zero, and data and holes take turns up to the end. */
static void check_holes(struct model *m)
{
	for (off_t at = 0; at < (off_t)m->size;) {
		off_t data = lseek(m->fd, at, SEEK_DATA);
		CHECK(data != -1 || errno == ENXIO);
		off_t end = data == -1 ? (off_t)m->size : data;
		CHECK(end >= at);
		for (off_t i = at; i < end; i++)
			CHECK(m->bytes[i] == 0);
		if (data == -1)
			return;
		at = OK(lseek(m->fd, data, SEEK_HOLE));
		CHECK(at > data && at <= (off_t)m->size);
	}
}

static void check_whole(struct model *m)
{
	struct stat st;
	OK(fstat(m->fd, &st));
	CHECK(st.st_size == (off_t)m->size);
	check_part(m, 0, m->size);
	check_holes(m);
}

static void run_seed(uint64_t seed)
{
	static void (*const steps[])(struct model *) = { step_write, step_write, step_write, step_append, step_truncate,
		step_punch, step_zero, step_map, step_copy, step_read, step_read, step_sync };
	char name[8];
	state = seed;
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "f%d", i);
		models[i].fd = OK(open(name, O_RDWR | O_CREAT, 0644));
	}
	for (int i = 0; i < STEPS; i++) {
		size_t step = draw(sizeof steps / sizeof steps[0]);
		struct model *m = &models[draw(FILES)];
		steps[step](m);
		if (i % 60 == 59)
			check_whole(m);
	}
	for (int i = 0; i < FILES; i++) {
		OK(fsync(models[i].fd));
		OK(posix_fadvise(models[i].fd, 0, 0, POSIX_FADV_DONTNEED));
		check_whole(&models[i]);
	}
}

static void seed_1(void) { run_seed(1); }
static void seed_2(void) { run_seed(2); }
static void seed_3(void) { run_seed(3); }
static void seed_of_today(void)
{
	uint64_t seed = (uint64_t)getpid() * 1000003 + (uint64_t)stat_of(".").st_ctim.tv_nsec;
	printf("  seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	run_seed(seed);
}

static const struct posix_test tests[] = {
	{ "seed_1", seed_1 },
	{ "seed_2", seed_2 },
	{ "seed_3", seed_3 },
	{ "seed_of_today", seed_of_today },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return posix_main(argc, argv, tests);
}
