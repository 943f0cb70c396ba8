/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/batch.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "shell/draft.h"
#include "shell/run.h"
#include "shell/session.h"
#include "shell/told.h"
#include "shell/utf8.h"
#include "shell/words.h"

/* Read once to see that it can be, and again when its turn comes: words take
 * ten times the room of their text. */
struct line {
	unsigned number;
	size_t from, length; /* in the text */
};

struct batch {
	char *name;	    /* owned */
	char *text;	    /* owned */
	struct line *lines; /* owned; those with words */
	size_t count, room;
	struct words words; /* of the line whose turn it is */
};

/* Lines that cannot be read and are told one by one. */
#define MOST_TOLD 10

void batch_free(struct batch *batch)
{
	if (!batch)
		return;
	words_clear(&batch->words);
	free(batch->lines);
	free(batch->text);
	free(batch->name);
	free(batch);
}

int batch_slurp(int fd, const char *name, struct text *all, struct err *err)
{
	static const size_t chunk = 64 << 10;
	AUTO(mem) void *bytes = mem_alloc(chunk);
	ssize_t got;

	all->limit = BATCH_LIMIT;
	while ((got = read(fd, bytes, chunk)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, errno, "%s cannot be read: %s",
				       name, strerror(errno));
		text_put_bytes(all, bytes, (size_t)got);
		if (text_overflowed(all))
			return err_set(err, EFBIG, "%s is larger than 64 MiB",
				       name);
	}
	return 0;
}

int batch_slurp_file(const char *file, struct text *all, struct err *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc;

	if (fd < 0)
		return err_set(err, errno, "%s cannot be read: %s", file,
			       strerror(errno));
	rc = batch_slurp(fd, file, all, err);
	close(fd);
	return rc;
}

static unsigned column_of(const char *line, size_t at)
{
	unsigned column = 1;
	size_t size;
	uint32_t code;

	for (size_t i = 0; i < at; i += size, column++) {
		size = utf8_next(line + i, at - i, &code);
		size = size ? size : 1;
	}
	return column;
}

static void tell_line(struct output *output, const struct origin_line *where,
		      const char *line, size_t length, size_t at,
		      const struct err *err)
{
	AUTO_TEXT caret = TEXT_NONE;

	caret_print(line, length, at, output_width(output), &caret);
	output_error(output, where, err, column_of(line, at), text_get(&caret));
}

/* 0, or negative for a line that was told. */
static int cut_line(struct batch *batch, const struct line *line,
		    struct output *output, bool tell)
{
	const char *text = batch->text + line->from;
	AUTO_ERR err = ERR_NONE;
	bool plain = words_readable(text, line->length);
	size_t at = 0;
	int rc = 0;

	words_empty(&batch->words);
	if (!plain)
		rc = words_read(&batch->words, text, line->length, &at, &err);
	if (rc < 0 && tell) {
		const struct origin_line where = { batch->name, line->number };

		tell_line(output, &where, text, line->length, at, &err);
	}
	if (rc < 0 || (!plain && !batch->words.count))
		return rc;
	batch->lines = mem_grow(batch->lines, batch->count, &batch->room,
				sizeof(*batch->lines));
	batch->lines[batch->count++] = *line;
	return 0;
}

static unsigned cut_lines(struct batch *batch, size_t size,
			  struct output *output)
{
	struct line line = { 0, 0, 0 };
	unsigned bad = 0;

	for (; line.from < size; line.from += line.length + 1) {
		const char *at = batch->text + line.from, *stop;

		stop = memchr(at, '\n', size - line.from);
		line.number++;
		line.length = stop ? (size_t)(stop - at) : size - line.from;
		if (cut_line(batch, &line, output, bad < MOST_TOLD) < 0)
			bad++;
	}
	return bad;
}

struct batch *batch_cut(const struct text *all, const char *name,
			struct output *output, struct err *err)
{
	struct batch *batch = mem_alloc(sizeof(*batch));
	unsigned bad;

	batch->name = mem_strdup(name);
	batch->text = mem_dup(text_get(all), all->length);
	bad = cut_lines(batch, all->length, output);
	if (!bad)
		return batch;
	err_set(err, EINVAL, "%u line%s cannot be read: nothing was done", bad,
		bad == 1 ? "" : "s");
	batch_free(batch);
	return NULL;
}

struct batch *batch_read_file(const char *file, struct output *output,
			      struct err *err)
{
	AUTO_TEXT all = TEXT_NONE;

	if (batch_slurp_file(file, &all, err) < 0)
		return NULL;
	return batch_cut(&all, file, output, err);
}

void batch_builder(struct session *builder, const struct session *like,
		   struct tree *tree)
{
	session_init(builder, &like->options, like->output);
	builder->building = builder->gathering = true;
	builder->place.tree = tree;
	builder->place.here = tree_root(tree);
}

/* The session is at that line. False after exit, which is said. */
static bool stand_at(struct session *session, const struct batch *batch,
		     const struct line *line)
{
	session->source = batch->name;
	session->line = line->number;
	if (session->leaving)
		output_say(session->output, SAY_WARNING,
			   "%s:%u: what stands behind exit is left out",
			   batch->name, line->number);
	return !session->leaving;
}

static int run_line(struct session *session, struct batch *batch,
		    const struct line *line, struct err *err)
{
	size_t at;
	int rc;

	words_empty(&batch->words);
	rc = words_read(&batch->words, batch->text + line->from, line->length,
			&at, err);
	return rc < 0 ? rc : run_words(session, &batch->words, err);
}

int batch_run(struct session *session, struct batch *batch, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < batch->count; i++) {
		if (!stand_at(session, batch, &batch->lines[i]))
			break;
		rc = run_line(session, batch, &batch->lines[i], err);
	}
	return rc;
}

int batch_end(struct session *session, struct err *err)
{
	int rc;

	session->line = 0;
	if (session->draft)
		return draft_changed(session, err);
	if (!session->writer)
		return 0;
	output_begin(session->output);
	rc = session_commit(session, err);
	if (rc < 0)
		output_drop(session->output);
	else
		output_end(session->output);
	return rc;
}

int batch_do(struct session *session, struct batch *batch)
{
	AUTO_ERR err = ERR_NONE;
	int rc;

	session->gathering = true;
	rc = batch_run(session, batch, &err);
	if (rc == 0)
		rc = batch_end(session, &err);
	if (rc < 0) {
		draft_abort(session);
		run_tell(session, &err);
	}
	session->gathering = session->force = false;
	owned_clear(&session->takes);
	session_settle(session, rc == 0);
	return rc;
}

static int tell_failed(struct session *session, const struct batch *batch,
		       size_t failed)
{
	AUTO_ERR err = ERR_NONE;
	int rc = err_set(&err, ECANCELED, "%zu of %zu commands failed", failed,
			 batch->count);

	session->source = batch->name;
	session->line = 0;
	run_tell(session, &err);
	return rc;
}

int batch_do_each(struct session *session, struct batch *batch,
		  bool past_errors)
{
	size_t failed = 0;
	int rc = 0;

	session->stepping = true;
	for (size_t i = 0; i < batch->count; i++) {
		AUTO_ERR err = ERR_NONE;

		if (!stand_at(session, batch, &batch->lines[i]))
			break;
		rc = run_line(session, batch, &batch->lines[i], &err);
		if (rc == 0)
			continue;
		run_tell(session, &err);
		failed++;
		if (!past_errors)
			break;
	}
	session->stepping = false;
	told_kept(session); /* begin without a commit */
	return failed && past_errors ? tell_failed(session, batch, failed) : rc;
}
