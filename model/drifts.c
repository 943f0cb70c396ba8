/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/drifts.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "model/backend.h"
#include "model/base/file.h"
#include "model/base/mem.h"
#include "model/holder.h"
#include "model/store_private.h"

#define HEAD	   "tresse drift 1"
#define FILE_MOST  (8u << 20)
#define DRIFT_MOST 10000 /* as many are remembered in the file */

static void drift_clear(struct drift *drift)
{
	free(drift->key);
	free(drift->path);
	free(drift->step);
	free(drift->by);
	free(drift->note);
	*drift = (struct drift){ 0 };
}

void drifts_clear(struct drifts *drifts)
{
	for (size_t i = 0; i < drifts->count; i++)
		drift_clear(&drifts->items[i]);
	free(drifts->items);
	*drifts = (struct drifts)DRIFTS_NONE;
}

char *drift_key(const struct step *step)
{
	return mem_printf("%s %s", step->backend->name,
			  step->after ? step->after->key : step->before->key);
}

static int by_key(const void *left, const void *right)
{
	return strcmp(((const struct drift *)left)->key,
		      ((const struct drift *)right)->key);
}

struct drift *drifts_find(const struct drifts *drifts, const char *key)
{
	const struct drift wanted = { .key = (char *)(uintptr_t)key };

	return drifts->count ? bsearch(&wanted, drifts->items, drifts->count,
				       sizeof(wanted), by_key)
			     : NULL;
}

void drifts_sort(struct drifts *drifts)
{
	size_t kept = 0;

	if (!drifts->count)
		return;
	qsort(drifts->items, drifts->count, sizeof(*drifts->items), by_key);
	for (size_t i = 1; i < drifts->count; i++)
		if (by_key(&drifts->items[kept], &drifts->items[i]))
			drifts->items[++kept] = drifts->items[i];
		else
			drift_clear(&drifts->items[i]);
	drifts->count = kept + 1;
}

static struct drift *add(struct drifts *drifts)
{
	drifts->items = mem_grow(drifts->items, drifts->count, &drifts->room,
				 sizeof(*drifts->items));
	drifts->items[drifts->count] = (struct drift){ 0 };
	return &drifts->items[drifts->count++];
}

struct drift *drifts_add(struct drifts *drifts, const char *key,
			 const struct step *step)
{
	struct drift *drift = add(drifts);
	AUTO_TEXT text = TEXT_NONE;

	step_print(step, &text);
	drift->key = mem_strdup(key);
	drift->path = mem_strdup(step_path(step));
	drift->step = mem_strdup(text_get(&text));
	return drift;
}

/* ---- the file ---- */

/* Between tabs, on one line. */
static void put_word(const char *word, struct text *out)
{
	for (; word && *word; word++)
		text_put_char(out, (unsigned char)*word < ' ' ? ' ' : *word);
}

static void put_drift(const struct drift *drift, struct text *out)
{
	text_printf(out, "%" PRId64 "\t%d\t", drift->since_us, drift->early);
	put_word(drift->key, out);
	text_put_char(out, '\t');
	put_word(drift->by, out);
	text_put_char(out, '\t');
	put_word(drift->note, out);
	text_put_char(out, '\n');
}

static int write_file(const char *path, const struct text *text,
		      struct err *err)
{
	AUTO(str) char *fresh = mem_printf("%s.new", path);
	int fd = file_open_safely(fresh, O_RDWR, 0644, err);
	ssize_t written;

	if (fd < 0)
		return fd;
	written = ftruncate(fd, 0) < 0
			  ? -1
			  : write(fd, text_get(text), text->length);
	close(fd);
	if (written == (ssize_t)text->length && rename(fresh, path) == 0)
		return 0;
	return err_set(err, errno ? errno : EIO, "cannot write %s: %s", path,
		       strerror(errno ? errno : EIO));
}

int drifts_save(const struct drifts *drifts, const struct store *store,
		struct err *err)
{
	AUTO(str) char *path = store_beside(store, "-drift");
	AUTO(str) char *holder = holder_dup();
	AUTO_TEXT text = TEXT_NONE;

	text.limit = FILE_MOST;
	text_printf(&text, HEAD "\n%s\n%" PRId64 "\n", holder,
		    drifts->began_us);
	for (size_t i = 0; i < drifts->count && i < DRIFT_MOST; i++)
		put_drift(&drifts->items[i], &text);
	return write_file(path, &text, err);
}

/* The next field of a line; NULL past its end. Empty ones count. */
static char *take_word(char **line)
{
	return strsep(line, "\t");
}

static void read_drift(struct drifts *drifts, char *line)
{
	char *since = take_word(&line), *early = take_word(&line);
	char *key = take_word(&line), *by = take_word(&line);
	char *note = take_word(&line);
	struct drift *drift;

	if (!note || !*key || drifts->count >= DRIFT_MOST)
		return;
	drift = add(drifts);
	drift->since_us = strtoll(since, NULL, 10);
	drift->early = !strcmp(early, "1");
	drift->key = mem_strdup(key);
	drift->by = *by ? mem_strdup(by) : NULL;
	drift->note = *note ? mem_strdup(note) : NULL;
}

static void read_lines(struct drifts *drifts, char *text)
{
	char *head = strsep(&text, "\n"), *holder = strsep(&text, "\n");
	char *began = strsep(&text, "\n"), *line;

	if (!began || strcmp(head, HEAD) != 0 || !holder_lives(holder))
		return;
	drifts->followed = true;
	drifts->began_us = strtoll(began, NULL, 10);
	while ((line = strsep(&text, "\n")))
		read_drift(drifts, line);
	drifts_sort(drifts);
}

void drifts_load(struct drifts *drifts, const struct store *store)
{
	AUTO(str)
	char *path = store->path ? store_beside(store, "-drift") : NULL;
	AUTO(str) char *text = path ? file_read(path, FILE_MOST) : NULL;

	*drifts = (struct drifts)DRIFTS_NONE;
	if (text)
		read_lines(drifts, text);
}

/* ---- one at a time ---- */

static int busy(int fd, struct err *err)
{
	char process[16] = "";
	ssize_t got = pread(fd, process, sizeof(process) - 1, 0);

	process[got > 0 ? got : 0] = '\0';
	return err_set(err, EBUSY,
		       "process %ld follows the running system already",
		       strtol(process, NULL, 10));
}

int drifts_lock(const struct store *store, struct err *err)
{
	AUTO(str)
	char *path = store->path ? store_beside(store, "-follow") : NULL;
	int fd = path ? file_open_safely(path, O_RDWR, 0644, err)
		      : err_set(err, ENOENT, "%s: there is no store to follow",
				store->file);
	int rc;

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		rc = busy(fd, err);
		close(fd);
		return rc;
	}
	if (ftruncate(fd, 0) == 0)
		dprintf(fd, "%ld\n", (long)getpid());
	return fd;
}
