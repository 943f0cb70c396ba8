/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/recall.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wctype.h>

#include "model/base/file.h"
#include "model/base/text.h"
#include "shell/utf8.h"

enum {
	MOST_READ = 4 << 20, /* bytes of a file, from its end */
	TRIES = 1000,	     /* for the lock, at most a millisecond each */
	GUESSES = 20,	     /* lines that begin so but are no good */
};

struct recall {
	char *file;   /* owned; NULL: none */
	char **lines; /* owned, oldest first */
	size_t count, room;
};

/* ---- the lines ---- */

static bool is_kept(const char *line, size_t length)
{
	uint32_t code = 0;
	size_t size;

	if (!length || length > RECALL_LONGEST)
		return false;
	for (; length; line += size, length -= size) {
		size = utf8_next(line, length, &code);
		if (!size || (utf8_is_control(code) && code != '\t'))
			return false;
	}
	return true;
}

static void forget(struct recall *recall, size_t at)
{
	free(recall->lines[at]);
	recall->count--;
	memmove(recall->lines + at, recall->lines + at + 1,
		(recall->count - at) * sizeof(*recall->lines));
}

/* The newest stands near the end, and is the likeliest. */
static void forget_same(struct recall *recall, const char *line, size_t length)
{
	for (size_t i = recall->count; i-- > 0;)
		if (!strncmp(recall->lines[i], line, length) &&
		    !recall->lines[i][length]) {
			forget(recall, i);
			return;
		}
}

static void push(struct recall *recall, const char *line, size_t length)
{
	forget_same(recall, line, length);
	if (recall->count == RECALL_LINES)
		forget(recall, 0);
	recall->lines = mem_grow(recall->lines, recall->count, &recall->room,
				 sizeof(*recall->lines));
	recall->lines[recall->count++] = mem_strndup(line, length);
}

/* ---- the file ---- */

static bool lock(int fd)
{
	for (unsigned tried = 0; tried < TRIES; tried++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		usleep(1000);
	}
	return false;
}

static bool is_still(int fd, const char *file)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && lstat(file, &named) == 0 &&
	       opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* The file, locked if that could be had: somebody who was stopped with the lock
 * must not stop us. It may have been replaced while we waited. -1: no. */
static int open_locked(const char *file, bool *locked)
{
	for (unsigned tried = 0; tried < TRIES; tried++) {
		int fd = open(file,
			      O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC |
				      O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
			      0600);

		if (fd < 0)
			return -1;
		*locked = lock(fd);
		if (is_still(fd, file))
			return fd;
		close(fd);
	}
	return -1;
}

/* Did somebody die, or the disk fill up, in the middle of a line? */
static bool is_cut(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char last = '\n';

	return end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n';
}

static void append(const struct recall *recall, const char *line)
{
	bool locked;
	int fd = recall->file ? open_locked(recall->file, &locked) : -1;
	AUTO(str) char *text = NULL;

	if (fd < 0)
		return;
	text = mem_printf("%s%s\n", is_cut(fd) ? "\n" : "", line);
	(void)file_write(fd, text, strlen(text));
	close(fd);
}

/* What is left takes the file's place: a crash leaves one or the other. */
static void rewrite(const struct recall *recall)
{
	AUTO(str) char *fresh = mem_printf("%s.%d", recall->file, getpid());
	AUTO_TEXT text = TEXT_NONE;
	int fd = open(fresh,
		      O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		      0600);
	bool done;

	if (fd < 0)
		return;
	for (size_t i = 0; i < recall->count; i++) {
		text_put(&text, recall->lines[i]);
		text_put_char(&text, '\n');
	}
	done = file_write(fd, text_get(&text), text.length) == 0 &&
	       fsync(fd) == 0;
	close(fd);
	if (!done || rename(fresh, recall->file) < 0)
		unlink(fresh);
}

static char *read_end(int fd, size_t *length)
{
	off_t end = lseek(fd, 0, SEEK_END);
	off_t from = end > MOST_READ ? end - MOST_READ : 0;
	char *bytes = mem_alloc((size_t)(end > 0 ? end - from : 0) + 1);
	ssize_t got;

	*length = 0;
	while (from + (off_t)*length < end &&
	       (got = pread(fd, bytes + *length, (size_t)(end - from) - *length,
			    from + (off_t)*length)) > 0)
		*length += (size_t)got;
	return bytes;
}

/* How many lines there were. */
static size_t take_lines(struct recall *recall, const char *bytes,
			 size_t length)
{
	const char *end = bytes + length;
	size_t seen = 0;

	while (bytes < end) {
		const char *stop = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t size = (size_t)((stop ? stop : end) - bytes);

		if (is_kept(bytes, size))
			push(recall, bytes, size);
		seen++;
		bytes += size + 1;
	}
	return seen;
}

static void load(struct recall *recall)
{
	AUTO(str) char *bytes = NULL;
	bool locked = false;
	int fd = open_locked(recall->file, &locked);
	size_t length;

	if (fd < 0)
		return;
	bytes = read_end(fd, &length);
	if (take_lines(recall, bytes, length) != recall->count && locked)
		rewrite(recall);
	close(fd);
}

struct recall *recall_open(char *file)
{
	struct recall *recall = mem_alloc(sizeof(*recall));

	recall->file = file;
	if (file)
		load(recall);
	return recall;
}

void recall_free(struct recall *recall)
{
	while (recall->count)
		free(recall->lines[--recall->count]);
	free(recall->lines);
	free(recall->file);
	free(recall);
}

bool recall_add(struct recall *recall, const char *line)
{
	size_t length = strlen(line);

	if (!line[strspn(line, " \t")] || !is_kept(line, length))
		return false;
	if (recall->count && !strcmp(recall->lines[recall->count - 1], line))
		return false;
	push(recall, line, length);
	append(recall, line);
	return true;
}

size_t recall_count(const struct recall *recall)
{
	return recall->count;
}

const char *recall_line(const struct recall *recall, size_t at)
{
	return recall->lines[at];
}

/* ---- finding ---- */

const char *recall_begins(const struct recall *recall, const char *beginning,
			  bool (*is_good)(const char *line))
{
	size_t length = strlen(beginning), guesses = 0;

	for (size_t i = recall->count; i-- > 0 && guesses < GUESSES;) {
		const char *line = recall->lines[i];

		if (strncmp(line, beginning, length) != 0 || !line[length])
			continue;
		if (is_good(line))
			return line;
		guesses++;
	}
	return NULL;
}

static size_t next(const char *text, size_t length, wint_t *code)
{
	uint32_t found = 0;
	size_t size = utf8_next(text, length, &found);

	*code = size ? towlower((wint_t)found) : (unsigned char)*text;
	return size ? size : 1;
}

/* Does text begin with word? */
static bool begins(const char *text, const char *word, size_t length)
{
	size_t left = strlen(text), at = 0;
	wint_t a, b;

	while (at < length && left) {
		size_t size = next(text, left, &a);

		at += next(word + at, length - at, &b);
		if (a != b)
			return false;
		text += size;
		left -= size;
	}
	return at >= length;
}

static bool has_word(const char *line, const char *word, size_t length)
{
	wint_t code;

	for (size_t left = strlen(line), size; left;
	     line += size, left -= size) {
		if (begins(line, word, length))
			return true;
		size = next(line, left, &code);
	}
	return false;
}

/* Its letters in that order, with others between them. */
static bool has_letters(const char *line, const char *word, size_t length)
{
	size_t left = strlen(line), at = 0, size;
	wint_t a, b;

	while (at < length && left) {
		size_t step = next(line, left, &a);

		size = next(word + at, length - at, &b);
		line += step;
		left -= step;
		if (a == b)
			at += size;
	}
	return at >= length;
}

/* Each word of the query, by one of the two. */
static bool has_all(const char *line, const char *query,
		    bool (*has)(const char *line, const char *word,
				size_t length))
{
	for (query += strspn(query, " "); *query; query += strspn(query, " ")) {
		size_t length = strcspn(query, " ");

		if (!has(line, query, length))
			return false;
		query += length;
	}
	return true;
}

size_t recall_search(const struct recall *recall, const char *query,
		     size_t *found, size_t room)
{
	size_t count = 0;

	for (unsigned loose = 0; loose < 2; loose++)
		for (size_t i = recall->count; i-- > 0;) {
			bool whole = has_all(recall->lines[i], query, has_word);

			if (loose ? whole || !has_all(recall->lines[i], query,
						      has_letters)
				  : !whole)
				continue;
			if (count < room)
				found[count] = i;
			count++;
		}
	return count;
}
