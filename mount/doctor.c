/* doctor.c - see doctor.h. */
#include "mount/doctor.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "mount/closing.h"
#include "mount/message.h"
#include "mount/number.h"
#include "mount/path.h"
#include "mount/sentence.h"
#include "mount/verb.h"
#include "store/store.h"

/* Below these a disk is too full: the logs, the reserve and what LMDB needs to delete must find room. */
#define SPACE_LEAST (UINT64_C(64) << 20)
enum { SPACE_SCARCE = 20 }; /* a 20th of the disk */

struct doctor_check {
	const char *name;
	machine_look *machine; /* one of the two */
	bool (*look)(const struct doctor *, const struct doctor_check *); /* tells by itself; true: nothing to fix */
};

static bool tell(const struct doctor *d, const struct doctor_check *check, const struct machine_answer *answer)
{
	d->tell(d->arg, check->name, answer);
	return answer->state != MACHINE_FIX;
}

static bool look_apparmor(const struct doctor *d, const struct doctor_check *check)
{
	struct machine_answer answer;

	machine_apparmor(&d->machine, d->dir, &answer);
	return tell(d, check, &answer);
}

/* ---- what is mounted --------------------------------------------------------------------------------------------- */

struct walk {
	const struct doctor *doctor;
	const struct doctor_check *check;
	bool (*store)(const struct walk *, const char *path);
	unsigned found;
	bool good;
};

static void each_mount(const struct doctor *d, void (*each)(void *, const struct mounted *), struct walk *w)
{
	char *path = NULL;
	FILE *file = asprintf(&path, "%s/proc/self/mountinfo", d->machine.root) < 0 ? NULL : fopen(path, "re");

	mounted_each_in(file, each, w);
	if (file)
		fclose(file);
	free(path);
}

static void look_mount(void *arg, const struct mounted *m)
{
	struct walk *w = arg;
	struct machine_answer answer;

	if (!mounted_is_sessfs(m))
		return;
	w->found++;
	if (w->doctor->is_dead(m->dir))
		machine_say(&answer, MACHINE_FIX, MOUNT_FAILED,
			"on %s lies a dead mount of %s; `sessfs mount %s %s` replaces it, `%s %s` takes it away",
			m->dir, m->source, message_word(m->source), message_word(m->dir),
			w->doctor->machine.uid == 0 ? "umount -l" : "fusermount3 -uz", message_word(m->dir));
	else
		machine_say(&answer, MACHINE_OK, MOUNT_DONE, "%s is mounted on %s and answers", m->source, m->dir);
	w->good = tell(w->doctor, w->check, &answer) && w->good;
}

static bool look_mounts(const struct doctor *d, const struct doctor_check *check)
{
	struct walk w = {.doctor = d, .check = check, .good = true};
	struct machine_answer answer;

	each_mount(d, look_mount, &w);
	if (w.found > 0)
		return w.good;
	machine_say(&answer, MACHINE_OK, MOUNT_DONE, "no store is mounted, and no mount is stale");
	return tell(d, check, &answer);
}

/* ---- stores ------------------------------------------------------------------------------------------------------ */

/* What others mounted, and we may not open, is nothing of ours to mend. */
static void look_source(void *arg, const struct mounted *m)
{
	struct walk *w = arg;

	if (mounted_is_sessfs(m) && (access(m->source, R_OK | W_OK | X_OK) == 0 || errno != EACCES)) {
		w->found++;
		w->good = w->store(w, m->source) && w->good;
	}
}

static bool each_store(const struct doctor *d, const struct doctor_check *check,
	bool (*look)(const struct walk *, const char *path))
{
	struct walk w = {.doctor = d, .check = check, .store = look, .good = true};
	struct machine_answer answer;

	if (d->store)
		return look(&w, d->store);
	each_mount(d, look_source, &w);
	if (w.found > 0)
		return w.good;
	machine_say(&answer, MACHINE_OK, MOUNT_DONE,
		"no store was named, and none of yours is mounted: `sessfs doctor STORE`");
	return tell(d, check, &answer);
}

static void say_alive(const char *path, int pid, struct machine_answer *ret)
{
	struct mounted m = {0};

	if (mounted_store(path, &m)) {
		machine_say(ret, MACHINE_OK, MOUNT_DONE, "%s is open in process %d, mounted on %s", path, pid, m.dir);
	} else if (mounted_store_by(pid, path, &m)) {
		machine_say(ret, MACHINE_OK, MOUNT_DONE,
			"%s is open in process %d, mounted on %s in another mount namespace", path, pid, m.dir);
	} else {
		machine_say(ret, MACHINE_OK, MOUNT_DONE,
			"%s is open in process %d, which is not seen to have it mounted here", path, pid);
		return;
	}
	mounted_release(&m);
}

static void say_closed(const char *path, unsigned format, enum closing_result end, const char *why,
	struct machine_answer *ret)
{
	if (end == CLOSING_DIED)
		machine_say(ret, MACHINE_NOTE, MOUNT_DONE,
			"%s has format %u, which this sessfs knows; its last daemon died: the next mount takes up "
			"what it had acknowledged; `sessfs check %s` verifies all of it",
			path, format, message_word(path));
	else if (end == CLOSING_FAILED)
		machine_say(ret, MACHINE_FIX, MOUNT_PARTIAL,
			"the last daemon of %s could not save everything: %s; free space on its disk, mount it, and "
			"unmount it again",
			path, why ? why : "out of memory");
	else
		machine_say(ret, MACHINE_OK, MOUNT_DONE, "%s has format %u, which this sessfs knows; %s", path,
			format, end == CLOSING_SAVED ? "everything in it is saved" : "how it was closed is not known");
}

static bool look_store(const struct walk *w, const char *path)
{
	const struct store_options options = {.read_only = true};
	struct store_open_info info = {0};
	struct machine_answer answer;
	struct store *store = NULL;
	char text[SENTENCE_TEXT], *why = NULL;
	int pid = 0;
	enum closing_result end = closing_look(path, &pid, &why);
	int r = end == CLOSING_ALIVE ? 0 : store_open(path, &options, &store, &info);

	if (end == CLOSING_ALIVE) {
		say_alive(path, pid, &answer);
	} else if (r == 0 && (info.logs_damaged || info.logs_missing)) {
		machine_say(&answer, MACHINE_FIX, MOUNT_PARTIAL,
			"the last daemon of %s died, and its logs (hot.0, hot.1) are damaged or gone: put them back if "
			"you can, else the next mount goes on without what was done last",
			path);
	} else if (r == 0) {
		say_closed(path, info.format, end, why, &answer);
	} else {
		sentence_store_text(r, path, &info, text);
		machine_say(&answer, MACHINE_FIX, MOUNT_FAILED, "%.*s", (int)sizeof answer.text - 1, text);
	}
	store_close(store);
	free(why);
	return tell(w->doctor, w->check, &answer);
}

static bool look_stores(const struct doctor *d, const struct doctor_check *check)
{
	return each_store(d, check, look_store);
}

static bool look_disk(const struct walk *w, const char *path)
{
	struct machine_answer answer;
	struct statvfs v;
	char left[NUMBER_TEXT];

	if (statvfs(path, &v) < 0) {
		machine_say(&answer, MACHINE_FIX, MOUNT_FAILED, "the disk of %s cannot be looked at: %s", path,
			strerror(errno));
		return tell(w->doctor, w->check, &answer);
	}
	uint64_t bytes = (uint64_t)v.f_bavail * v.f_frsize;
	number_say_size(bytes, left);
	if (bytes < SPACE_LEAST)
		machine_say(&answer, MACHINE_FIX, MOUNT_SYSTEM,
			"only %s is free on the disk of %s; free some there, or let sessions go: `sessfs expire`, "
			"`sessfs rm NAME`",
			left, path);
	else if (bytes < (uint64_t)v.f_blocks * v.f_frsize / SPACE_SCARCE)
		machine_say(&answer, MACHINE_NOTE, MOUNT_DONE,
			"%s, less than a %dth, is free on the disk of %s; sessions go into the trash and out of it by "
			"their rules: `sessfs expire --dry-run` shows which",
			left, SPACE_SCARCE, path);
	else
		machine_say(&answer, MACHINE_OK, MOUNT_DONE, "%s is free on the disk of %s", left, path);
	return tell(w->doctor, w->check, &answer);
}

static bool look_space(const struct doctor *d, const struct doctor_check *check)
{
	return each_store(d, check, look_disk);
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static const struct doctor_check checks[] = {
	{"device", machine_device, NULL},
	{"rights", machine_rights, NULL},
	{"fusermount3", machine_fusermount, NULL},
	{"apparmor", NULL, look_apparmor},
	{"allow_other", machine_allow_other, NULL},
	{"mount(8)", machine_helper, NULL},
	{"mounts", NULL, look_mounts},
	{"store", NULL, look_stores},
	{"space", NULL, look_space},
};

bool doctor_run(const struct doctor *d)
{
	bool good = true;

	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		const struct doctor_check *check = &checks[i];
		struct machine_answer answer;

		if (check->machine)
			check->machine(&d->machine, &answer);
		good = (check->machine ? tell(d, check, &answer) : check->look(d, check)) && good;
	}
	return good;
}
