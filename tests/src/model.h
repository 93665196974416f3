/*
 * model.h - what a tree of two sessions must look like after a sequence of operations drawn from a seed.
 *
 * The sequence is a function of the seed alone: op_draw looks at the model and at its own random numbers, never at
 * the filesystem, so that any program can work out the tree after k operations. Header-only, because every test
 * program is one translation unit. See run.h for carrying an operation out, dump.h for comparing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	MODEL_NODES = 512,
	MODEL_ENTRIES = 768,
	MODEL_XATTRS = 3,
	MODEL_NAME = 255,
	MODEL_DEPTH = 6,
	MODEL_HELD = 6,
	MODEL_TRASH = MODEL_NODES - 1, /* node of the directory with the sessions that were removed */
	MODEL_OLD = 1000000000, /* times set by operations begin here, in 2001: told apart from the clock's */
};

static const char *const model_views[] = {"research_data", "intermediate_results", "cache", "logs"};
static const char *const model_xattr_names[MODEL_XATTRS] = {"user.alpha", "user.beta", "user.a-longer-name"};

struct model_xattr {
	uint8_t *value;
	size_t len;
};

struct model_node {
	bool used, held, work; /* work: a session, or in a session, in which files come and go */
	mode_t mode;
	unsigned links; /* names */
	int session;    /* node of its session */
	bool paused;    /* of a session */
	int parent;     /* of a directory */
	uint8_t *data;  /* content, or the target of a symlink */
	size_t size;
	uint64_t hash;  /* of data, when hashed */
	bool hashed;
	int64_t mtime;  /* seconds, or 0: the clock's */
	struct model_xattr xattrs[MODEL_XATTRS];
};

struct model_entry {
	int dir, node;
	char name[MODEL_NAME + 1];
};

struct model {
	uint64_t random;
	uint64_t ops;      /* applied so far */
	size_t max_size;   /* of a file */
	size_t max_write;  /* of one write */
	int max_nodes;
	bool syncs;        /* draw fsync too */
	bool no_holds;     /* no file stays open from one operation to the next */
	bool trash;        /* sessions go to the trash, come back, and are dropped */
	int used;
	int entry_count;
	struct model_node nodes[MODEL_NODES]; /* 0 is the root of the mount */
	struct model_entry entries[MODEL_ENTRIES];
};

enum op_kind {
	OP_SESSION, OP_UNSESSION, OP_CREATE, OP_WRITE, OP_APPEND, OP_TRUNCATE, OP_PUNCH, OP_RENAME, OP_EXCHANGE,
	OP_LINK, OP_UNLINK, OP_MKDIR, OP_RMDIR, OP_SYMLINK, OP_SETXATTR, OP_REMOVEXATTR, OP_CHMOD, OP_UTIMES,
	OP_HOLD, OP_DROP, OP_FSYNC, OP_FSYNCDIR, OP_END, OP_TAKE_BACK, OP_ERASE, OP_PAUSE, OP_RESUME,
	OP_KINDS,
};

static const struct {
	const char *name;
	unsigned weight;
} op_table[OP_KINDS] = {
	[OP_SESSION] = {"mkdir-session", 1},
	[OP_UNSESSION] = {"rmdir-session", 1},
	[OP_CREATE] = {"create", 14},
	[OP_WRITE] = {"write", 16},
	[OP_APPEND] = {"append", 12},
	[OP_TRUNCATE] = {"truncate", 5},
	[OP_PUNCH] = {"punch", 3},
	[OP_RENAME] = {"rename", 12},
	[OP_EXCHANGE] = {"exchange", 2},
	[OP_LINK] = {"link", 5},
	[OP_UNLINK] = {"unlink", 10},
	[OP_MKDIR] = {"mkdir", 5},
	[OP_RMDIR] = {"rmdir", 3},
	[OP_SYMLINK] = {"symlink", 3},
	[OP_SETXATTR] = {"setxattr", 4},
	[OP_REMOVEXATTR] = {"removexattr", 1},
	[OP_CHMOD] = {"chmod", 3},
	[OP_UTIMES] = {"utimes", 3},
	[OP_HOLD] = {"open", 2},
	[OP_DROP] = {"close", 2},
	[OP_FSYNC] = {"fsync", 3},
	[OP_FSYNCDIR] = {"fsync-dir", 1},
	[OP_END] = {"end-session", 1},
	[OP_TAKE_BACK] = {"take-back-session", 1},
	[OP_ERASE] = {"drop-session", 1},
	[OP_PAUSE] = {"pause-session", 1},
	[OP_RESUME] = {"resume-session", 4},
};

struct op {
	enum op_kind kind;
	int entry; /* the name it acts on, -1: none */
	int other; /* the name it replaces or exchanges with, -1: none */
	int node;  /* the inode it acts on */
	int dir;   /* the directory that takes a new name */
	char name[MODEL_NAME + 1];
	uint64_t offset, len, seed;
	mode_t mode;
	int xattr;
};

/* ---- random numbers (splitmix64, Steele et al. 2014) ------------------------------------------------------------- */

static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint64_t random_below(uint64_t *state, uint64_t n)
{
	return n ? random_next(state) % n : 0;
}

/* Two thirds text that compresses, one third noise. */
static inline void content_fill(uint8_t *data, size_t len, uint64_t seed)
{
	uint64_t state = seed;
	if (seed % 3) {
		char line[64];
		for (size_t at = 0; at < len;) {
			int n = snprintf(
				line, sizeof line, "{\"seed\": %llu, \"at\": %zu}\n", (unsigned long long)seed, at);
			size_t part = (size_t)n < len - at ? (size_t)n : len - at;
			memcpy(data + at, line, part);
			at += part;
		}
		return;
	}
	for (size_t at = 0; at < len; at += 8) {
		uint64_t word = random_next(&state);
		memcpy(data + at, &word, len - at < 8 ? len - at : 8);
	}
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static inline int model_find(const struct model *m, int dir, const char *name)
{
	for (int i = 0; i < m->entry_count; i++)
		if (m->entries[i].dir == dir && !strcmp(m->entries[i].name, name))
			return i;
	return -1;
}

static inline int model_entry_of(const struct model *m, int node)
{
	for (int i = 0; i < m->entry_count; i++)
		if (m->entries[i].node == node)
			return i;
	return -1;
}

static inline int model_children(const struct model *m, int dir, bool only_dirs)
{
	int n = 0;
	for (int i = 0; i < m->entry_count; i++)
		n += m->entries[i].dir == dir && (!only_dirs || S_ISDIR(m->nodes[m->entries[i].node].mode));
	return n;
}

/* Path below the mount, without a leading slash, of directory node; "" for the root. */
static inline void model_dir_path(const struct model *m, int node, char *path, size_t size)
{
	snprintf(path, size, "%s", node == MODEL_TRASH ? ".sessfs/trash" : "");
	if (node == 0 || node == MODEL_TRASH)
		return;
	int entry = model_entry_of(m, node);
	model_dir_path(m, m->entries[entry].dir, path, size);
	size_t at = strlen(path);
	snprintf(path + at, size - at, "%s%s", at ? "/" : "", m->entries[entry].name);
}

static inline void model_path(const struct model *m, int dir, const char *name, char *path, size_t size)
{
	model_dir_path(m, dir, path, size);
	size_t at = strlen(path);
	snprintf(path + at, size - at, "%s%s", at ? "/" : "", name);
}

static inline bool model_is_below(const struct model *m, int dir, int ancestor)
{
	for (; dir != 0; dir = m->nodes[dir].parent)
		if (dir == ancestor)
			return true;
	return false;
}

static inline int model_depth(const struct model *m, int dir)
{
	int depth = 0;
	for (; dir != 0; dir = m->nodes[dir].parent)
		depth++;
	return depth;
}

/* ---- applying ---------------------------------------------------------------------------------------------------- */

static inline int model_new_node(struct model *m, mode_t mode, int session, int parent)
{
	for (int i = 1; i < MODEL_TRASH; i++) {
		struct model_node *node = &m->nodes[i];
		if (node->used)
			continue;
		*node = (struct model_node){.used = true, .mode = mode, .session = session, .parent = parent};
		m->used++;
		return i;
	}
	abort();
}

static inline void model_free_node(struct model *m, int n)
{
	struct model_node *node = &m->nodes[n];
	for (int i = 0; i < MODEL_XATTRS; i++)
		free(node->xattrs[i].value);
	free(node->data);
	*node = (struct model_node){0};
	m->used--;
}

static inline void model_add(struct model *m, int dir, const char *name, int node)
{
	if (m->entry_count == MODEL_ENTRIES)
		abort();
	struct model_entry *entry = &m->entries[m->entry_count++];
	entry->dir = dir;
	entry->node = node;
	snprintf(entry->name, sizeof entry->name, "%s", name);
	m->nodes[node].links++;
	m->nodes[dir].mtime = 0;
}

static inline void model_remove(struct model *m, int entry)
{
	int node = m->entries[entry].node;
	m->nodes[m->entries[entry].dir].mtime = 0;
	m->entries[entry] = m->entries[--m->entry_count];
	if (--m->nodes[node].links == 0 && !m->nodes[node].held)
		model_free_node(m, node);
}

static inline void model_resize(struct model_node *node, size_t size)
{
	uint8_t *data = realloc(node->data, size ? size : 1);
	if (!data)
		abort();
	if (size > node->size)
		memset(data + node->size, 0, size - node->size);
	node->data = data;
	node->size = size;
}

static inline void model_write(struct model_node *node, const struct op *op)
{
	uint64_t offset = op->kind == OP_APPEND ? node->size : op->offset;
	if (offset + op->len > node->size)
		model_resize(node, offset + op->len);
	content_fill(node->data + offset, op->len, op->seed);
}

static inline void model_punch(struct model_node *node, const struct op *op)
{
	if (op->offset < node->size)
		memset(node->data + op->offset, 0,
			op->offset + op->len < node->size ? op->len : node->size - op->offset);
}

static inline void model_set_xattr(struct model_node *node, const struct op *op)
{
	struct model_xattr *xattr = &node->xattrs[op->xattr];
	free(xattr->value);
	*xattr = (struct model_xattr){0};
	if (op->kind == OP_REMOVEXATTR)
		return;
	xattr->value = malloc(op->len + 1);
	if (!xattr->value)
		abort();
	xattr->len = op->len;
	content_fill(xattr->value, op->len, op->seed);
}

static inline void model_rename(struct model *m, const struct op *op)
{
	int node = m->entries[op->entry].node;
	if (op->kind == OP_EXCHANGE) {
		struct model_entry *a = &m->entries[op->entry], *b = &m->entries[op->other];
		a->node = b->node;
		b->node = node;
		m->nodes[a->node].parent = a->dir;
		m->nodes[b->node].parent = b->dir;
		m->nodes[a->dir].mtime = m->nodes[b->dir].mtime = 0;
		return;
	}
	if (op->other >= 0 && m->entries[op->other].node == node)
		return; /* POSIX: two names of one file, nothing happens */
	model_add(m, op->dir, op->name, node);
	m->nodes[node].parent = op->dir;
	int old = op->entry, replaced = op->other;
	if (replaced >= 0 && replaced > old) {
		model_remove(m, replaced);
		replaced = -1;
	}
	model_remove(m, old);
	if (replaced >= 0)
		model_remove(m, replaced);
}

static inline void model_mkdir(struct model *m, const struct op *op)
{
	bool session = op->kind == OP_SESSION;
	int node = model_new_node(m, S_IFDIR | op->mode, session ? 0 : m->nodes[op->dir].session, op->dir);
	m->nodes[node].work = session ? strcmp(op->name, "extra") != 0 : true;
	model_add(m, op->dir, op->name, node);
	if (!session)
		return;
	m->nodes[node].session = node;
	for (int i = 0; i < 4; i++) {
		int view = model_new_node(m, S_IFDIR | op->mode, node, node);
		m->nodes[view].work = m->nodes[node].work;
		model_add(m, node, model_views[i], view);
	}
}

static inline void model_create(struct model *m, const struct op *op)
{
	mode_t type = op->kind == OP_SYMLINK ? S_IFLNK : S_IFREG;
	int n = model_new_node(m, type | op->mode, m->nodes[op->dir].session, op->dir);
	struct model_node *node = &m->nodes[n];
	node->work = true;
	if (type == S_IFLNK) {
		model_resize(node, op->len);
		content_fill(node->data, op->len, 1);
		for (size_t i = 0; i < op->len; i++)
			node->data[i] = "abc/"[(op->seed + i) % 4];
	}
	model_add(m, op->dir, op->name, n);
}

/* All of a session but its own name. */
static inline void model_clear(struct model *m, int session)
{
	for (int i = 0; i < m->entry_count;) {
		int node = m->entries[i].node;
		if (node != session && m->nodes[node].session == session) {
			model_remove(m, i);
			i = 0;
		} else {
			i++;
		}
	}
}

static inline void model_set_work(struct model *m, int session, bool work)
{
	for (int i = 1; i < MODEL_TRASH; i++)
		if (m->nodes[i].used && m->nodes[i].session == session)
			m->nodes[i].work = work;
}

/* Into the trash, out of it, out of the world. */
static inline void model_end(struct model *m, const struct op *op)
{
	if (op->kind == OP_ERASE) {
		model_clear(m, op->node);
		model_remove(m, model_entry_of(m, op->node));
		return;
	}
	m->entries[op->entry].dir = op->dir;
	m->nodes[op->node].parent = op->dir;
	model_set_work(m, op->node, op->kind == OP_TAKE_BACK && strcmp(op->name, "extra") != 0
		&& !m->nodes[op->node].paused);
}

static inline void model_unsession(struct model *m, const struct op *op)
{
	int session = op->node;
	for (int i = m->entry_count - 1; i >= 0; i--)
		if (m->entries[i].dir == session)
			model_remove(m, i);
	model_remove(m, model_entry_of(m, session));
}

static inline void model_content(struct model_node *node, const struct op *op)
{
	if (op->kind == OP_TRUNCATE)
		model_resize(node, op->len);
	else if (op->kind == OP_PUNCH)
		model_punch(node, op);
	else
		model_write(node, op);
	node->hashed = false;
	node->mtime = 0;
}

static inline void model_attribute(struct model_node *node, const struct op *op)
{
	if (op->kind == OP_CHMOD)
		node->mode = (node->mode & S_IFMT) | op->mode;
	else if (op->kind == OP_UTIMES)
		node->mtime = MODEL_OLD + (int64_t)(op->seed % 100000000);
	else
		model_set_xattr(node, op);
}

static inline void model_hold(struct model *m, int i, bool held)
{
	m->nodes[i].held = held;
	if (!held && !m->nodes[i].links)
		model_free_node(m, i);
}

static inline void model_apply(struct model *m, const struct op *op)
{
	struct model_node *node = &m->nodes[op->node];
	m->ops++;
	switch (op->kind) {
	case OP_SESSION:
	case OP_MKDIR:
		model_mkdir(m, op);
		return;
	case OP_UNSESSION:
		model_unsession(m, op);
		return;
	case OP_CREATE:
	case OP_SYMLINK:
		model_create(m, op);
		return;
	case OP_RENAME:
	case OP_EXCHANGE:
		model_rename(m, op);
		return;
	case OP_LINK:
		model_add(m, op->dir, op->name, op->node);
		return;
	case OP_UNLINK:
	case OP_RMDIR:
		model_remove(m, op->entry);
		return;
	case OP_WRITE:
	case OP_APPEND:
	case OP_TRUNCATE:
	case OP_PUNCH:
		model_content(node, op);
		return;
	case OP_SETXATTR:
	case OP_REMOVEXATTR:
	case OP_CHMOD:
	case OP_UTIMES:
		model_attribute(node, op);
		return;
	case OP_HOLD:
	case OP_DROP:
		model_hold(m, op->node, op->kind == OP_HOLD);
		return;
	case OP_END:
	case OP_TAKE_BACK:
	case OP_ERASE:
		model_end(m, op);
		return;
	case OP_PAUSE:
	case OP_RESUME:
		node->paused = op->kind == OP_PAUSE;
		model_set_work(m, op->node, !node->paused);
		return;
	case OP_FSYNC:
	case OP_FSYNCDIR:
	case OP_KINDS:
		return;
	}
}

/* The daemon is gone, and with it every open file. */
static inline void model_lose_held(struct model *m)
{
	for (int i = 1; i < MODEL_NODES; i++)
		if (m->nodes[i].held)
			model_hold(m, i, false);
}

static inline void model_release(struct model *m)
{
	for (int i = 1; i < MODEL_TRASH; i++)
		if (m->nodes[i].used)
			model_free_node(m, i);
	m->entry_count = 0;
}

static inline void model_init(struct model *m, uint64_t seed)
{
	memset(m, 0, sizeof *m);
	m->random = seed;
	m->max_size = 1 << 20;
	m->max_write = 1 << 16;
	m->max_nodes = 240;
	m->nodes[0] = m->nodes[MODEL_TRASH] = (struct model_node){.used = true, .mode = S_IFDIR | 0755};
}
