/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same again, every second: watch. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "shell/pause.h"
#include "shell/run.h"
#include "shell/sample.h"
#include "shell/screen.h"
#include "shell/session.h"
#include "shell/utf8.h"
#include "shell/words.h"

struct watch {
	struct session *session;
	struct words words; /* what is repeated */
	char *title;	    /* owned: the same for people */
	uint64_t interval_us;
	unsigned long count; /* 0: for ever */
	bool in_place;
	unsigned drawn; /* lines above the cursor that are ours */
};

/* ---- drawing in place ---- */

/* Bytes of the escape sequence at text: a colour, ESC [ ... m. */
static size_t colour_at(const char *text)
{
	size_t length = 2;

	if (text[0] != '\033' || text[1] != '[')
		return 0;
	while (text[length] && text[length] != 'm')
		length++;
	return text[length] ? length + 1 : 0;
}

/* No more of the line than fits: a broken one would be one line too many to go
 * back. Colours take no room. */
static void put_cut(const char *line, size_t width, struct text *out)
{
	while (*line) {
		size_t colour = colour_at(line);
		AUTO(str) char *plain = NULL;
		size_t length, fits;

		if (colour) {
			text_put_bytes(out, line, colour);
			line += colour;
			continue;
		}
		length = strcspn(line, "\033");
		length = length ? length : 1;
		plain = mem_strndup(line, length);
		fits = utf8_fit(plain, width);
		text_put_bytes(out, plain, fits);
		width -= utf8_width(plain) < width ? utf8_width(plain) : width;
		line += length;
	}
}

static void put_heading(const struct watch *watch, struct text *out)
{
	AUTO_TEXT every = TEXT_NONE;

	type_duration.print(NULL, &(struct value){ .u = watch->interval_us },
			    &every);
	text_put_clock(out, time(NULL));
	text_printf(out, "  every %s: %s  (Ctrl-C ends it)\n", text_get(&every),
		    watch->title);
}

static size_t count_lines(const struct text *page)
{
	size_t count = 0;

	for (const char *at = text_get(page); (at = strchr(at, '\n')); at++)
		count++;
	return count;
}

/* Over what was drawn before, line by line, so that nothing flickers. */
static void draw(struct watch *watch, const struct text *page)
{
	size_t width = screen_width(), lines = count_lines(page);
	size_t room = screen_height() - 1;
	const char *at = text_get(page);
	AUTO_TEXT out = TEXT_NONE;

	if (watch->drawn)
		text_printf(&out, "\033[%uA\r", watch->drawn);
	watch->drawn = 0;
	while (*at && watch->drawn < room) {
		size_t length = strcspn(at, "\n");
		AUTO(str) char *line = mem_strndup(at, length);

		if (lines > room && watch->drawn + 1 == room) {
			text_printf(&out, "... %zu more lines",
				    lines - room + 1);
		} else {
			put_cut(line, width, &out);
		}
		text_put(&out, "\033[K\n");
		watch->drawn++;
		at += length + (at[length] == '\n');
	}
	text_put(&out, "\033[J");
	fwrite(text_get(&out), 1, out.length, stdout);
	fflush(stdout);
}

/* Where the lines are now, nobody knows: begin at the top. */
static void start_anew(struct watch *watch)
{
	fputs("\033[H\033[J", stdout);
	watch->drawn = 0;
}

/* ---- repeating ---- */

static int look_in_place(struct watch *watch, struct err *err)
{
	struct output *output = watch->session->output;
	AUTO_TEXT page = TEXT_NONE;
	int rc;

	put_heading(watch, &page);
	output_set_width(output, screen_width());
	output_capture(output, &page);
	rc = run_words(watch->session, &watch->words, err);
	output_capture(output, NULL);
	if (rc == 0)
		draw(watch, &page);
	return rc;
}

static int look_below(struct watch *watch, bool first, struct err *err)
{
	struct output *output = watch->session->output;

	if (!first && !output_is_json(output))
		output_raw(output, "\n", 1);
	return run_words(watch->session, &watch->words, err);
}

/* true: they want no more. */
static bool wait_for(struct watch *watch, const struct pause *pause,
		     uint64_t until)
{
	switch (pause_until(pause, until)) {
	case WAITED: return false;
	case WAITED_ENDED:
		if (watch->in_place) /* the terminal wrote ^C there */
			fputs("\r\033[K", stdout);
		return true;
	case WAITED_REDRAW: break;
	}
	if (watch->in_place)
		start_anew(watch);
	return false;
}

static int repeat(struct watch *watch, const struct pause *pause,
		  struct err *err)
{
	struct output *output = watch->session->output;
	uint64_t next = pause_now_us();
	unsigned long done = 0;
	int rc = 0;

	do {
		rc = watch->in_place ? look_in_place(watch, err)
				     : look_below(watch, !done, err);
		output_flush(output);
		if (rc < 0 || output_is_broken(output) ||
		    ++done == watch->count)
			break;
		/* After a look that took longer than that, a whole one. */
		next += watch->interval_us;
		if (next < pause_now_us())
			next = pause_now_us() + watch->interval_us;
	} while (!wait_for(watch, pause, next));
	return rc;
}

static int check_words(const struct watch *watch, struct err *err)
{
	AUTO_MATCH match = MATCH_NONE;
	int rc = match_words(&match, &watch->session->place, &watch->words,
			     watch->words.count, err);

	if (rc == 0 && !match.command)
		return err_set(err, EINVAL, "watch what? A command is missing");
	if (rc == 0)
		rc = match_ready(&match, err);
	if (rc == 0 && !(match.command->needs & REPEATABLE))
		return err_set(err, EINVAL,
			       "watch repeats what only looks, and not %s",
			       match.command->name);
	return rc;
}

/* The words behind it, or `stats`; done where watch itself was to be done. */
static int read_words(struct watch *watch, const struct match *match,
		      struct err *err)
{
	AUTO(str)
	char *path = match->has_path ? node_path_dup(match->node) : NULL;
	AUTO_TEXT title = TEXT_NONE;
	size_t given = 0;
	int rc = path ? words_add(&watch->words, path, err) : 0;

	for (size_t i = 0; i < match->count && rc == 0; i++) {
		if (!(match->bound[i].arg->flags & ARG_REST))
			continue;
		rc = words_add(&watch->words, match->bound[i].value, err);
		given++;
	}
	if (rc == 0 && !given)
		rc = words_add(&watch->words, "stats", err);
	for (size_t i = 0; i < watch->words.count; i++) {
		text_put(&title, i ? " " : "");
		word_print(watch->words.items[i].text, &title);
	}
	watch->title = text_take(&title);
	return rc < 0 ? rc : check_words(watch, err);
}

static int watch_run(struct session *session, const struct match *match,
		     struct err *err)
{
	const char *interval = match_value(match, "interval");
	const char *count = match_value(match, "count");
	struct watch watch = {
		.session = session,
		.interval_us = 1000000,
		.count = count ? strtoul(count, NULL, 10) : 0,
		.in_place = output_is_terminal(session->output) &&
			    !output_is_json(session->output) && screen_moves(),
	};
	struct pause pause;
	int rc = read_words(&watch, match, err);

	if (rc == 0 && interval)
		rc = pause_parse(interval, &watch.interval_us, err);
	if (rc == 0) {
		session->watch_us = watch.interval_us;
		pause_begin(&pause);
		rc = repeat(&watch, &pause, err);
		pause_end(&pause);
		session->watch_us = 0;
		sample_free(TAKE(session->past));
	}
	words_clear(&watch.words);
	free(watch.title);
	return rc;
}

static const struct arg watch_args[] = {
	{ .name = "command",
	  .type = &type_command,
	  .flags = ARG_REPEATS | ARG_REST,
	  .help = "what is repeated, with its own words; stats, if left out" },
	{ .name = "interval",
	  .type = &type_interval,
	  .help = "from one look to the next; 1s, if left out" },
	{ .name = "count",
	  .type = &type_looks,
	  .help = "looks until it ends by itself; no end, if left out" },
	{ 0 },
};

const struct command command_watch = {
	.name = "watch",
	.summary = "repeat a command that looks, until Ctrl-C",
	.man = "On a terminal each look is drawn over the one before; what "
	       "stood above stays, and so does the last look when Ctrl-C ends "
	       "it. Elsewhere the looks follow each other, with -j one "
	       "document a line. Only commands that change nothing can be "
	       "repeated.",
	.example = "watch\nwatch ls /classes\nwatch stats interval=5s count=3",
	.see = "stats, ls, status, drift",
	.json = "",
	.args = watch_args,
	.needs = NEEDS_TREE,
	.run = watch_run,
};
