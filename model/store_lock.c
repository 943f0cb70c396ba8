/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One writer at a time. The lock is flock()'s, so it goes with the process that
 * held it, whatever became of that; what stands in the file is for people only.
 */
#include "model/store_private.h"

#include <assert.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS	     50
#define TELL_MS	     1000
#define HOLDER_BYTES 256

static void pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

/* The text may come from another user: nothing in it moves the cursor. */
static void defuse(char *text)
{
	unsigned char *at = (unsigned char *)text;

	for (; *at; at++)
		if (*at < ' ' || *at == 0x7f)
			*at = ' ';
		else if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
			*at = at[1] = ' '; /* C1 controls, in UTF-8 */
}

/* Empty for the moment between taking the lock and signing it. */
static void read_holder(int fd, char holder[HOLDER_BYTES])
{
	ssize_t length = pread(fd, holder, HOLDER_BYTES - 1, 0);

	holder[length > 0 ? length : 0] = '\0';
	holder[strcspn(holder, "\n")] = '\0';
	defuse(holder);
	if (!*holder)
		snprintf(holder, HOLDER_BYTES, "another tresse");
}

static void write_holder(int fd, const char *doing)
{
	const struct passwd *user = getpwuid(getuid());
	AUTO_TEXT line = TEXT_NONE;
	time_t now = time(NULL);
	char since[40] = "";
	struct tm local;

	line.limit = HOLDER_BYTES - 2;
	if (localtime_r(&now, &local))
		strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%S%z", &local);
	text_printf(&line, "pid %d, ", (int)getpid());
	if (user)
		text_put(&line, user->pw_name);
	else
		text_printf(&line, "uid %u", (unsigned)getuid());
	text_printf(&line, ", since %s, ", since);
	text_put(&line, doing);
	/* It is for people: a disk too full for it does not stop the work. */
	if (ftruncate(fd, 0) < 0 ||
	    pwrite(fd, text_get(&line), line.length, 0) < 0)
		return;
}

/* Somebody may have removed the file between our open() and flock(). */
static bool is_still_there(int fd, const char *path)
{
	struct stat ours, there;

	return !fstat(fd, &ours) && !stat(path, &there) &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* 1: held. 0: somebody else has it, or had it until the file went. */
static int try_lock(struct store *store, const char *path, struct err *err)
{
	if (store->lock < 0)
		store->lock = file_open_safely(path, O_RDWR, 0644, err);
	if (store->lock < 0)
		return store->lock;
	if (flock(store->lock, LOCK_EX | LOCK_NB) == 0) {
		if (is_still_there(store->lock, path))
			return 1;
		close(store->lock);
		store->lock = -1;
		return 0;
	}
	if (errno == EWOULDBLOCK || errno == EINTR)
		return 0;
	return err_set(err, errno, "cannot lock %s: %s", path, strerror(errno));
}

static int held_by(const struct store *store, const char *holder,
		   struct err *err)
{
	return err_set(err, EBUSY,
		       "%s is being changed by %s: try again when that is done",
		       store->file, holder);
}

/*
 * The first text read is one pause after the first refusal: a new holder has
 * replaced by then what a dead one left in the file.
 */
static int wait_for_lock(struct store *store, const char *path,
			 unsigned wait_ms, void (*tell)(const char *holder),
			 struct err *err)
{
	char holder[HOLDER_BYTES] = "another tresse";
	int rc;

	for (unsigned waited = 0;; waited += POLL_MS) {
		rc = try_lock(store, path, err);
		if (rc != 0)
			return rc;
		if (waited && store->lock >= 0)
			read_holder(store->lock, holder);
		if (waited && waited >= wait_ms)
			return held_by(store, holder, err);
		if (tell && waited && waited % TELL_MS == 0)
			tell(holder);
		pause_ms(POLL_MS);
	}
}

int store_lock(struct store *store, const char *doing, unsigned wait_ms,
	       void (*tell)(const char *holder), struct err *err)
{
	AUTO(str) char *path = NULL;
	int rc;

	assert(store->mode == STORE_WRITE);
	path = store_beside(store, "-lock");
	if (store->lock >= 0)
		return 0;
	rc = wait_for_lock(store, path, wait_ms, tell, err);
	if (rc < 0) {
		if (store->lock >= 0)
			close(store->lock);
		store->lock = -1;
		return rc;
	}
	write_holder(store->lock, doing);
	return 0;
}

void store_unlock(struct store *store)
{
	if (store->lock < 0)
		return;
	if (ftruncate(store->lock, 0) < 0) {
		/* It says who held it last; the lock itself is gone. */
	}
	close(store->lock);
	store->lock = -1;
}

bool store_is_locked(const struct store *store)
{
	AUTO(str)
	char *path = store->path ? store_beside(store, "-lock") : NULL;
	int fd = path ? open(path,
			     O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
		      : -1;
	bool locked;

	if (fd < 0)
		return false;
	locked = flock(fd, LOCK_SH | LOCK_NB) < 0;
	close(fd);
	return locked;
}
