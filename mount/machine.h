/*
 * machine.h - what a machine must have for sessfs to mount; each answer is a sentence that says what to do.
 *
 * Everything is looked up below `root`, so that a made-up tree can stand for a machine. The mount asks before it begins
 * (preflight.c), `sessfs doctor` tells all of it.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

enum machine_state {
	MACHINE_OK,
	MACHINE_NOTE, /* it works, within a limit */
	MACHINE_FIX,
};

struct machine {
	const char *root; /* "" is this machine */
	const char *path; /* where programs are looked for, as $PATH */
	uid_t uid;        /* who mounts */
	bool mount_barred; /* a filter of system calls refuses mount(2): machine_mount_barred */
};

struct machine_answer {
	enum machine_state state;
	int status; /* of enum mount_status, for MACHINE_FIX */
	char text[768];
};

/* Asks the kernel, with a call that can do nothing. */
bool machine_mount_barred(void);

typedef void machine_look(const struct machine *, struct machine_answer *ret);
machine_look machine_device;      /* /dev/fuse */
machine_look machine_rights;      /* capabilities, containers, no_new_privs, seccomp */
machine_look machine_fusermount;  /* fusermount3, by which users mount */
machine_look machine_allow_other; /* /etc/fuse.conf */
machine_look machine_helper;      /* /sbin/mount.sessfs, for mount(8) and fstab */
/* AppArmor's list of places where users may mount; dir, or NULL: where it is to be. */
void machine_apparmor(const struct machine *, const char *dir, struct machine_answer *ret);

/* Writes the answer. */
__attribute__((format(printf, 4, 5))) void machine_say(
	struct machine_answer *, enum machine_state, int status, const char *format, ...);
