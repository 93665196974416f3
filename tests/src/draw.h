/*
 * draw.h - draws the next operation of a model: always one that must succeed on a sound filesystem.
 */
#pragma once

#include "model.h"

enum draw_type { DRAW_FILE = 1, DRAW_DIR = 2, DRAW_LINK = 4, DRAW_ANY = 7 };

static inline enum draw_type draw_type_of(mode_t mode)
{
	return S_ISREG(mode) ? DRAW_FILE : S_ISDIR(mode) ? DRAW_DIR : DRAW_LINK;
}

/* A name of one of the types in a session where work goes on, never of a session itself; -1: there is none. */
static inline int draw_entry(struct model *m, int types, int session)
{
	int found = -1, seen = 0;
	for (int i = 0; i < m->entry_count; i++) {
		const struct model_node *node = &m->nodes[m->entries[i].node];
		if (m->entries[i].dir == 0 || !node->work || !(types & (int)draw_type_of(node->mode)))
			continue;
		if (session && node->session != session)
			continue;
		if (random_below(&m->random, (uint64_t)++seen) == 0)
			found = i;
	}
	return found;
}

static inline int draw_dir(struct model *m, int session)
{
	int found = -1, seen = 0;
	for (int i = 1; i < MODEL_NODES; i++) {
		const struct model_node *node = &m->nodes[i];
		if (!node->used || !S_ISDIR(node->mode) || !node->work || (session && node->session != session))
			continue;
		if (random_below(&m->random, (uint64_t)++seen) == 0)
			found = i;
	}
	return found;
}

/* A regular file, held or named; the entry is -1 when it is reached through its open file. */
static inline bool draw_file(struct model *m, struct op *op)
{
	op->entry = -1;
	if (random_below(&m->random, 3) == 0) {
		int seen = 0;
		for (int i = 1; i < MODEL_NODES; i++)
			if (m->nodes[i].held && random_below(&m->random, (uint64_t)++seen) == 0)
				op->node = i;
		if (seen)
			return true;
	}
	op->entry = draw_entry(m, DRAW_FILE, 0);
	if (op->entry < 0)
		return false;
	op->node = m->entries[op->entry].node;
	return true;
}

static inline void draw_name(struct model *m, int dir, char *name)
{
	uint64_t r = random_next(&m->random);
	if (r % 40 == 0) {
		memset(name, 'a' + (int)(r / 40 % 26), MODEL_NAME);
		name[MODEL_NAME] = 0;
	} else if (r % 40 == 1) {
		snprintf(name, MODEL_NAME + 1, "\x01 \xff\n%u", (unsigned)(r / 40 % 20));
	} else if (r % 40 < 6 && m->nodes[dir].session == dir) {
		snprintf(name, MODEL_NAME + 1, "%s", model_views[r / 40 % 4]);
	} else {
		snprintf(name, MODEL_NAME + 1, "n%u", (unsigned)(r / 40 % 64));
	}
}

static inline bool draw_new_name(struct model *m, struct op *op, int session)
{
	op->dir = draw_dir(m, session);
	if (op->dir < 0)
		return false;
	draw_name(m, op->dir, op->name);
	return model_find(m, op->dir, op->name) < 0;
}

static inline bool draw_rename(struct model *m, struct op *op)
{
	op->entry = draw_entry(m, DRAW_ANY, 0);
	if (op->entry < 0)
		return false;
	op->node = m->entries[op->entry].node;
	op->dir = draw_dir(m, m->nodes[op->node].session);
	draw_name(m, op->dir, op->name);
	bool is_dir = S_ISDIR(m->nodes[op->node].mode);
	if (is_dir && (model_is_below(m, op->dir, op->node) || model_depth(m, op->dir) >= MODEL_DEPTH - 2))
		return false;
	op->other = model_find(m, op->dir, op->name);
	if (op->other < 0)
		return true;
	int target = m->entries[op->other].node;
	bool target_dir = S_ISDIR(m->nodes[target].mode);
	return op->other != op->entry && is_dir == target_dir && !(target_dir && model_children(m, target, false));
}

static inline bool draw_exchange(struct model *m, struct op *op)
{
	op->entry = draw_entry(m, DRAW_FILE | DRAW_LINK, 0);
	if (op->entry < 0)
		return false;
	op->node = m->entries[op->entry].node;
	op->other = draw_entry(m, DRAW_FILE | DRAW_LINK, m->nodes[op->node].session);
	op->dir = m->entries[op->other].dir;
	snprintf(op->name, sizeof op->name, "%s", m->entries[op->other].name);
	return m->entries[op->other].node != op->node;
}

static inline bool draw_size(struct model *m, struct op *op)
{
	if (!draw_file(m, op))
		return false;
	size_t size = m->nodes[op->node].size;
	op->len = 1 + random_below(&m->random, random_below(&m->random, 4) ? 4096 : m->max_write);
	switch (op->kind) {
	case OP_WRITE:
		op->offset = random_below(&m->random, random_below(&m->random, 8) ? size + 1 : m->max_size);
		break;
	case OP_APPEND:
		op->offset = size;
		break;
	case OP_TRUNCATE:
		op->len = random_below(&m->random, random_below(&m->random, 4) ? size + 1 : m->max_size);
		return op->len != size;
	default:
		op->offset = random_below(&m->random, size);
		op->len = 1 + random_below(&m->random, 200000);
		return size > 0;
	}
	return op->offset + op->len <= m->max_size;
}

static inline bool draw_attribute(struct model *m, struct op *op)
{
	op->entry = draw_entry(m, op->kind == OP_HOLD ? DRAW_FILE : DRAW_FILE | DRAW_DIR, 0);
	if (op->entry < 0)
		return false;
	op->node = m->entries[op->entry].node;
	op->mode = (S_ISDIR(m->nodes[op->node].mode) ? 0700 : 0600) | (mode_t)random_below(&m->random, 0100);
	op->xattr = (int)random_below(&m->random, MODEL_XATTRS);
	op->len = random_below(&m->random, random_below(&m->random, 6) ? 200 : 9000);
	return op->kind != OP_REMOVEXATTR || m->nodes[op->node].xattrs[op->xattr].value;
}

static inline bool draw_hold(struct model *m, struct op *op)
{
	int held = 0;
	for (int i = 1; i < MODEL_NODES; i++)
		held += m->nodes[i].held;
	return held < MODEL_HELD && !m->no_holds && draw_attribute(m, op) && !m->nodes[op->node].held;
}

static inline bool draw_drop(struct model *m, struct op *op)
{
	int seen = 0;
	for (int i = 1; i < MODEL_NODES; i++)
		if (m->nodes[i].held && random_below(&m->random, (uint64_t)++seen) == 0)
			op->node = i;
	return seen > 0;
}

static inline bool draw_unlink(struct model *m, struct op *op)
{
	op->entry = draw_entry(m, op->kind == OP_RMDIR ? DRAW_DIR : DRAW_FILE | DRAW_LINK, 0);
	if (op->entry < 0)
		return false;
	op->node = m->entries[op->entry].node;
	return op->kind != OP_RMDIR || !model_children(m, op->node, false);
}

static inline bool draw_session(struct model *m, struct op *op)
{
	static const char *const names[] = {"alpha", "beta", "extra"};
	op->dir = 0;
	if (op->kind == OP_UNSESSION) {
		int entry = model_find(m, 0, "extra");
		op->node = entry < 0 ? 0 : m->entries[entry].node;
		return entry >= 0;
	}
	for (int i = 0; i < 3; i++) {
		snprintf(op->name, sizeof op->name, "%s", names[i]);
		if (model_find(m, 0, op->name) < 0)
			return true;
	}
	return false;
}

static inline bool draw_is_held(const struct model *m, int session)
{
	for (int i = 1; i < MODEL_NODES; i++)
		if (m->nodes[i].held && m->nodes[i].session == session)
			return true;
	return false;
}

/* A session that nobody uses, whose name is free where it goes. */
static inline bool draw_end(struct model *m, struct op *op)
{
	int from = op->kind == OP_END ? 0 : MODEL_TRASH, seen = 0;
	if (!m->trash)
		return false;
	op->dir = op->kind == OP_END ? MODEL_TRASH : 0;
	for (int i = 0; i < m->entry_count; i++)
		if (m->entries[i].dir == from && random_below(&m->random, (uint64_t)++seen) == 0)
			op->entry = i;
	if (!seen)
		return false;
	op->node = m->entries[op->entry].node;
	snprintf(op->name, sizeof op->name, "%s", m->entries[op->entry].name);
	return !draw_is_held(m, op->node) && (op->kind == OP_ERASE || model_find(m, op->dir, op->name) < 0);
}

/* A session in which files come and go, or would if it were not paused. */
static inline bool draw_pause(struct model *m, struct op *op)
{
	int seen = 0;
	if (!m->trash)
		return false;
	for (int i = 0; i < m->entry_count; i++)
		if (m->entries[i].dir == 0 && strcmp(m->entries[i].name, "extra")
		    && m->nodes[m->entries[i].node].paused == (op->kind == OP_RESUME)
		    && random_below(&m->random, (uint64_t)++seen) == 0)
			op->entry = i;
	if (!seen)
		return false;
	op->node = m->entries[op->entry].node;
	return !draw_is_held(m, op->node);
}

static inline bool draw_is_full(const struct model *m)
{
	return m->used >= m->max_nodes || m->entry_count >= MODEL_ENTRIES - 8;
}

static inline bool draw_link(struct model *m, struct op *op)
{
	op->entry = draw_entry(m, DRAW_FILE, 0);
	if (op->entry < 0)
		return false;
	op->node = m->entries[op->entry].node;
	return draw_new_name(m, op, m->nodes[op->node].session);
}

static inline bool draw_kind(struct model *m, struct op *op)
{
	op->seed = random_next(&m->random);
	op->mode = 0700 | (mode_t)random_below(&m->random, 0100);
	bool full = draw_is_full(m);
	switch (op->kind) {
	case OP_SESSION:
		return !full && draw_session(m, op);
	case OP_UNSESSION:
		return draw_session(m, op);
	case OP_CREATE:
		return !full && draw_new_name(m, op, 0);
	case OP_SYMLINK:
		op->len = 1 + random_below(&m->random, 200);
		op->mode = 0777;
		return !full && draw_new_name(m, op, 0);
	case OP_MKDIR:
		return !full && draw_new_name(m, op, 0) && model_depth(m, op->dir) < MODEL_DEPTH;
	case OP_LINK:
		return !full && draw_link(m, op);
	case OP_RENAME:
		return draw_rename(m, op);
	case OP_EXCHANGE:
		return draw_exchange(m, op);
	case OP_WRITE:
	case OP_APPEND:
	case OP_TRUNCATE:
	case OP_PUNCH:
		return draw_size(m, op);
	case OP_UNLINK:
	case OP_RMDIR:
		return draw_unlink(m, op);
	case OP_SETXATTR:
	case OP_REMOVEXATTR:
	case OP_CHMOD:
	case OP_UTIMES:
		return draw_attribute(m, op);
	case OP_HOLD:
		return draw_hold(m, op);
	case OP_DROP:
		return draw_drop(m, op);
	case OP_FSYNC:
		return draw_file(m, op);
	case OP_FSYNCDIR:
		op->dir = draw_dir(m, 0);
		return op->dir > 0;
	case OP_END:
	case OP_TAKE_BACK:
	case OP_ERASE:
		return draw_end(m, op);
	case OP_PAUSE:
	case OP_RESUME:
		return draw_pause(m, op);
	case OP_KINDS:
		break;
	}
	return false;
}

/* Draws an operation of one kind; false when 100 tries found none that fits. */
static inline bool op_draw_kind(struct model *m, enum op_kind kind, struct op *op)
{
	for (int i = 0; i < 100; i++) {
		*op = (struct op){.kind = kind, .entry = -1, .other = -1};
		if (draw_kind(m, op))
			return true;
	}
	return false;
}

static inline void op_draw(struct model *m, struct op *op)
{
	unsigned all = 0;
	for (int i = 0; i < OP_KINDS; i++)
		all += op_table[i].weight;
	for (;;) {
		unsigned pick = (unsigned)random_below(&m->random, all);
		int kind = 0;
		while (pick >= op_table[kind].weight)
			pick -= op_table[kind++].weight;
		if ((kind == OP_FSYNC || kind == OP_FSYNCDIR) && !m->syncs)
			continue;
		if (model_children(m, 0, true) < 2 && !draw_is_full(m))
			kind = OP_SESSION;
		*op = (struct op){.kind = kind, .entry = -1, .other = -1};
		if (draw_kind(m, op))
			return;
	}
}
