/*
 * control_node.h - a control file, directory or link that the kernel knows. Protected by fs->lock.
 */
#pragma once

#include "fs/content.h"
#include "fs/control.h"

struct control_node {
	uint64_t id; /* key */
	UT_hash_handle hh;
	uint64_t nlookup;
	struct session *session; /* the root's for what is below .sessfs */
	LIST_ENTRY(control_node) siblings; /* in session->controls */
	const struct content_row *row;
	uint64_t ino;
	int64_t changed;
	char *word; /* of a directory: as of struct content_dir */
	/* of a file, text or link, zero-terminated; of a stream: the part of a line that was written */
	char *text;
	size_t len;
	char *before; /* what it held before it was truncated to nothing, or NULL */
	size_t before_len;
	bool taken;   /* its text is a value that was set by writing it */
	uint64_t kept_hash; /* of what was kept of that */
	uint64_t shift; /* how much longer it is than the kernel knows, modulo 2^64 */
	/* of a stream */
	uint64_t base;  /* position of the first byte */
	uint64_t known; /* with writeback: bytes that the kernel has, ours and those it gave us */
	bool followed;  /* with writeback: it was opened for reading, and read */
	uint64_t asked[2], given; /* positions: where the last two reads began, where the last one ended */
	int64_t asked_at;         /* session_clock */
	char *kept; /* lines that went while they were read, from position kept_from on, or NULL */
	uint64_t kept_from;
	size_t kept_len;
	bool written;
	uint64_t seen;     /* bytes of which poll(2) has nothing to tell any more */
	uint64_t *waiting; /* the kernel's numbers of open files that are to be told of more, or NULL */
	unsigned waiting_count;
	bool writing; /* a thread is, with the lock let go now and then */
};

int control_find(struct fs *, struct fs_id, struct control_node **ret);
/* A directory whose session is there. ENOTDIR, ENOENT. */
int control_find_dir(struct fs *, struct fs_id, struct control_node **ret);
/* Fills the entry and takes a reference for the kernel; a node that nobody knows goes if that fails. */
int control_refer(struct control_node *, struct entry *ret);
/* A node that nobody knows yet. id 0: one never used before. */
int control_new(struct session *, const struct content_row *, uint64_t id, uint64_t ino, struct control_node **ret);
void control_free(struct control_node *);

/* control_stream.c */
void control_stream_begin(struct control_node *);
uint64_t control_stream_size(const struct control_node *);
int control_stream_read(struct control_node *, uint64_t offset, char *buf, size_t len, size_t *ret);
int control_stream_write(struct control_node *, uint64_t offset, const char *data, size_t len, size_t *ret);
/* Nobody knows the node any more: a part of a line becomes one. */
void control_stream_end(struct control_node *);

/* control_poll.c: who waits in poll(2) for more of the stream is to ask again. */
void control_poll_tell(struct control_node *);
