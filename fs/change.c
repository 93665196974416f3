/*
 * change.c - see change.h.
 */
#include "fs/change.h"

#include <errno.h>
#include <sys/stat.h>

#include "fs/control.h"
#include "fs/cache_expiry.h"
#include "fs/error.h"
#include "fs/event.h"
#include "fs/roster.h"
#include "fs/fault.h"
#include "fs/life.h"
#include "fs/serve.h"
#include "fs/trash.h"

static bool refuses(const struct session *session, enum change_kind kind)
{
	switch (kind) {
	case CHANGE_CONTENT:
		return life_is_read_only(&session->record);
	case CHANGE_SETTING:
		return session->record.ended != 0;
	case CHANGE_UPKEEP:
		break;
	}
	return false;
}

static void explain(const struct store_session *record)
{
	const char *status = life_status_name(record->status);

	if (record->ended)
		fault_explain("take it back with `sessfs undelete`, or rename it out of .sessfs/trash",
			"the session is in the trash");
	else if (record->status == STORE_PAUSED)
		fault_explain("write active to its .session/status, or `sessfs resume` it", "the session is paused");
	else
		fault_explain("copy what is to be changed into another session", "the session is %s, which is for good",
			status);
}

int change_check(const struct session *session, enum change_kind kind)
{
	if (session->fs->options.read_only)
		return EROFS;
	if (!refuses(session, kind))
		return 0;
	explain(&session->record);
	return EROFS;
}

/* While flushes fail nothing that is dropped gives its space back. */
static bool trash_may_help(struct fs *fs)
{
	struct store_stats stats;

	store_stats(fs->store, &stats);
	return stats.last_error == 0 && trash_drop_oldest(fs);
}

static int begin_batch(struct change *c, enum store_batch_flag flag, size_t bytes)
{
	int r;

	do
		r = error_of_store(store_batch_begin(c->fs->store, flag, bytes, &c->batch));
	while (r == ENOSPC && flag == STORE_GROW && trash_may_help(c->fs));
	return r;
}

int change_begin_as(struct change *c, enum change_kind kind, struct session *session, enum store_batch_flag flag,
	size_t bytes)
{
	struct fs *fs = session->fs;
	struct event_cut cut = {0};
	bool was_removed = session->removed;
	int r;

	fs_assert_locked(fs);
	c->fs = fs;
	c->session = NULL;
	c->returns = false;
	c->now = fs_age_now(fs);
	c->tells = kind != CHANGE_CONTENT || session_is_root(session);
	r = change_check(session, kind);
	if (!r && event_is_full(&session->record)) {
		event_find_cut(fs->store, &session->record, 0, 0, &cut);
		control_stream_keep(session, cut.position);
	}
	if (!r)
		r = begin_batch(c, flag, bytes);
	if (!r && session->removed != was_removed)
		r = ESTALE; /* it was in the trash, and had to give way */
	if (r)
		return r;
	if (!session_is_root(session) && !session->removed) {
		c->session = session;
		c->record = session->record;
		if (kind != CHANGE_UPKEEP) {
			change_renew(fs, &c->record, c->now);
			c->record.operations++;
		}
		event_apply_cut(c, &cut);
	}
	return 0;
}

static struct change_node *stage(struct change *c, struct node *node)
{
	struct change_node *staged;

	for (staged = c->nodes; staged < c->nodes + c->count; staged++)
		if (staged->node == node)
			return staged;
	assert(c->count < CHANGE_NODES);
	node->pins++;
	c->count++;
	*staged = (struct change_node){.node = node, .inode = node->inode};
	return staged;
}

struct store_inode *change_inode(struct change *c, struct node *node)
{
	return &stage(c, node)->inode;
}

int change_new(struct change *c, struct session *session, const struct store_inode *inode, struct node **ret)
{
	int r = node_new(session, store_new_ino(c->batch), inode, ret);

	if (r)
		return r;
	stage(c, *ret)->made = true;
	(*ret)->stored_epoch = store_epoch(c->fs->store); /* nothing, until something is written */
	return 0;
}

void change_written(struct change *c, struct node *node)
{
	struct change_node *staged = stage(c, node);

	staged->written = true;
	if (c->fs->options.cache_size && c->session)
		cache_expiry_grew(c->session);
	if (staged->inode.flags & STORE_INODE_MODIFIED || c->now - staged->inode.btime < FS_SECOND || !c->session)
		return;
	staged->inode.flags |= STORE_INODE_MODIFIED;
	c->record.modifications++;
}

void change_delete(struct change *c, struct node *node)
{
	struct change_node *staged = stage(c, node);

	staged->gone = true;
	staged->inode.nlink = 0;
	if (S_ISREG(node->inode.mode) && c->session)
		c->record.logical -= staged->inode.size;
}

void change_unlink(struct change *c, struct node *node)
{
	struct store_inode *inode = change_inode(c, node);

	inode->ctime = c->now;
	if (--inode->nlink)
		return;
	if (node->nlookup)
		store_batch_put_orphan(c->batch, node->session->sid, node->ino);
	else
		change_delete(c, node);
}

void change_names(struct change *c, struct node *dir, int names, int dirs)
{
	struct store_inode *inode = change_inode(c, dir);

	inode->size += (uint64_t)(int64_t)names;
	inode->nlink += (uint32_t)dirs;
	inode->mtime = inode->ctime = c->now;
}

void change_size(struct change *c, struct node *node, uint64_t size)
{
	struct store_inode *inode = change_inode(c, node);

	if (c->session)
		c->record.logical += size - inode->size;
	inode->size = size;
}

/* Whatever file it is: one that is not below cache/ may come there with its times. */
static void note_oldest(struct change *c, const struct store_inode *inode)
{
	if (c->session && inode->mtime < c->record.cache_oldest && !S_ISDIR(inode->mode))
		c->record.cache_oldest = inode->mtime;
}

static void put_node(struct change *c, const struct change_node *staged)
{
	const struct node *node = staged->node;

	note_oldest(c, &staged->inode);
	if (node->gone)
		return; /* a removed directory that a process is still in: its attributes live in memory only */
	if (staged->gone) {
		if (staged->inode.flags & (STORE_INODE_HAS_ACL | STORE_INODE_HAS_XATTR))
			store_batch_delete_xattrs(c->batch, node->session->sid, node->ino);
		store_batch_delete_inode(c->batch, node->session->sid, node->ino);
	} else if (staged->made)
		store_batch_new_inode(c->batch, node->session->sid, node->ino, &staged->inode);
	else
		store_batch_put_inode(c->batch, node->session->sid, node->ino, &staged->inode);
}

/* Whether the new record may be due before the old one was. */
static bool comes_nearer(const struct store_session *old, const struct store_session *new)
{
	return age_sub(new->last_write, new->skew) < age_sub(old->last_write, old->skew)
		|| new->cache_oldest < old->cache_oldest || new->status != old->status || new->flags != old->flags
		|| new->expires != old->expires || new->ended != old->ended
		|| (new->files[STORE_CACHE] && !old->files[STORE_CACHE]);
}

static void take_over_record(struct change *c)
{
	bool nearer = comes_nearer(&c->session->record, &c->record);
	bool grown = c->record.end_event != c->session->record.end_event;

	c->session->record = c->record;
	if (!c->returns)
		session_changed(c->session, c->size);
	if (nearer)
		roster_note(c->fs, &c->record);
	if (grown)
		control_grown(c->session);
}

/*
 * What one process was told of a directory may still be on its way when another has changed it and the kernel knows
 * so: it would be kept instead of what is right (seen with one of 5000 names, where two look at the directory all the
 * time). So the kernel is told before that change is answered. Who was told before it asks again has got it. Of files
 * it takes care itself, but for a mode that goes by an ACL.
 */
static void outdate(struct node *node, const struct store_inode *inode)
{
	if (!node->told || (!S_ISDIR(inode->mode) && inode->mode == node->inode.mode))
		return;
	if (node->told != serve_caller())
		serve_forget_attr(node->session->fs, fs_id_of_ino(node->ino));
	node->told = 0;
}

static void take_over(struct change *c)
{
	uint64_t epoch = store_epoch(c->fs->store);

	for (struct change_node *staged = c->nodes; staged < c->nodes + c->count; staged++) {
		struct node *node = staged->node;

		outdate(node, &staged->inode);
		node->inode = staged->inode;
		c->tells |= node_is_root(node);
		node->gone |= staged->gone;
		if (staged->written) {
			node->written_epoch = epoch;
			node->stored_epoch = 0;
		}
	}
	if (c->session)
		take_over_record(c);
	if (c->tells)
		c->fs->told = c->now;
	c->fs->absent.dir = 0;
}

int change_commit(struct change *c)
{
	int r;

	for (unsigned i = 0; i < c->count; i++)
		put_node(c, &c->nodes[i]);
	if (c->session)
		store_batch_put_session(c->batch, &c->record);
	c->size = store_batch_size(c->batch);
	r = error_of_store(store_batch_commit(c->batch));
	c->batch = NULL;
	if (!r)
		take_over(c);
	return r;
}

void change_end(struct change *c)
{
	store_batch_abort(c->batch);
	c->batch = NULL;
	while (c->count)
		node_put(c->nodes[--c->count].node);
}
