/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/backup.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "model/base/mem.h"
#include "model/base/text.h"
#include "shell/save.h"

#define PREFIX	  "saveconfig-"
#define SUFFIX	  "Z.tresse"
#define FILE_MOST (64u << 20)

static char *folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	return mem_printf("%.*sbackup", slash ? (int)(slash + 1 - file) : 0,
			  file);
}

/* ---- names ---- */

static char *name_of(const char *folder, const struct stat *status)
{
	char stamp[32] = "";
	struct tm when;

	if (gmtime_r(&status->st_mtim.tv_sec, &when))
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &when);
	return mem_printf("%s/" PREFIX "%s.%06ld" SUFFIX, folder, stamp,
			  status->st_mtim.tv_nsec / 1000);
}

static bool read_name(const char *name, int64_t *at_us)
{
	struct tm when = { 0 };
	const char *rest;
	char *end;
	long us;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return false;
	rest = strptime(name + strlen(PREFIX), "%Y%m%dT%H%M%S", &when);
	if (!rest || rest[0] != '.' || strspn(rest + 1, "0123456789") != 6)
		return false;
	us = strtol(rest + 1, &end, 10);
	*at_us = (int64_t)timegm(&when) * 1000000 + us;
	return !strcmp(end, SUFFIX);
}

/* ---- those that are there ---- */

static int compare(const void *a, const void *b)
{
	const struct backup *one = a, *other = b;

	return (one->at_us < other->at_us) - (one->at_us > other->at_us);
}

void backups_load(const char *file, struct backups *backups)
{
	AUTO(str) char *folder = folder_of(file);
	DIR *directory = opendir(folder);
	const struct dirent *entry;
	int64_t at_us;

	*backups = (struct backups){ 0 };
	while (directory && (entry = readdir(directory))) {
		if (!read_name(entry->d_name, &at_us))
			continue;
		backups->items =
			mem_grow(backups->items, backups->count, &backups->room,
				 sizeof(*backups->items));
		backups->items[backups->count++] = (struct backup){
			mem_printf("%s/%s", folder, entry->d_name), at_us
		};
	}
	if (directory)
		closedir(directory);
	if (backups->count)
		qsort(backups->items, backups->count, sizeof(*backups->items),
		      compare);
}

int backup_pick(const char *store, const char *number, char **file,
		struct err *err)
{
	unsigned long at = strtoul(number, NULL, 10);
	AUTO(str) char *of = save_file_of(store);
	AUTO_BACKUPS backups = { 0 };

	backups_load(of, &backups);
	if (!at || at > backups.count)
		return err_set(err, ENOENT,
			       "there is no backup %s: backups lists those "
			       "that are there",
			       number);
	*file = mem_strdup(backups.items[at - 1].file);
	return 0;
}

void backups_clear(struct backups *backups)
{
	while (backups->count)
		free(backups->items[--backups->count].file);
	free(backups->items);
	*backups = (struct backups){ 0 };
}

/* ---- one more ---- */

/* 0 for a file that is there and plain; 1 for one that is not. */
static int read_file(const char *file, struct stat *status, struct text *out,
		     struct err *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char bytes[16384];
	ssize_t got = 0;

	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0 || fstat(fd, status) < 0) {
		err_set(err, errno, "%s cannot be read to keep a backup: %s",
			file, strerror(errno));
		if (fd >= 0)
			close(fd);
		return err ? err->code : -EIO;
	}
	out->limit = FILE_MOST;
	while (S_ISREG(status->st_mode) && !text_overflowed(out) &&
	       (got = read(fd, bytes, sizeof(bytes))) > 0)
		text_put_bytes(out, bytes, (size_t)got);
	close(fd);
	if (!S_ISREG(status->st_mode))
		return 1;
	if (got == 0)
		return 0;
	return err_set(err, EIO,
		       "%s cannot be read to keep a backup: move it away",
		       file);
}

static void drop_oldest(const char *file, size_t most)
{
	AUTO_BACKUPS backups;

	backups_load(file, &backups);
	for (size_t i = most; i < backups.count; i++)
		unlink(backups.items[i].file);
}

int backup_keep(const char *file, const char *bytes, size_t length, size_t most,
		struct err *err)
{
	AUTO(str) char *folder = folder_of(file);
	AUTO(str) char *name = NULL;
	AUTO_TEXT old = TEXT_NONE;
	struct stat status;
	int rc = read_file(file, &status, &old, err), fd;

	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (!old.length ||
	    (old.length == length && !memcmp(text_get(&old), bytes, length)))
		return 0;
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return err_set(err, errno, "%s cannot be made: %s", folder,
			       strerror(errno));
	name = name_of(folder, &status);
	/* No more readable than the file itself. */
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		  status.st_mode & 0777);
	if (fd >= 0)
		close(fd);
	rc = save_write(name, text_get(&old), old.length, err);
	if (rc == 0)
		drop_oldest(file, most);
	return rc;
}
