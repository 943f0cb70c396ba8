/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tresse: one shell for a site's WAN edge. */
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shell/batch.h"
#include "shell/exit.h"
#include "shell/interactive.h"
#include "shell/options.h"
#include "shell/outside.h"
#include "shell/pref.h"
#include "shell/run.h"
#include "shell/screen.h"
#include "shell/session.h"
#include "shell/trial.h"
#include "shell/utf8.h"
#include "shell/words.h"

/* A file opened later must not become somebody's stdout. */
static void fill_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd ? O_WRONLY : O_RDONLY);
}

static struct output *make_output(const struct options *options, bool batch,
				  bool prompt, bool unicode)
{
	const struct output_options wanted = {
		.json = options->json,
		.quiet = options->quiet,
		.terminal = isatty(STDOUT_FILENO),
		.colour = screen_has_colour() && pref_u(PREF_COLOR),
		.unicode = unicode,
		.width = screen_width(),
		.name = batch || prompt ? NULL : "tresse",
	};

	return output_new(&wanted);
}

static int add_word(struct words *words, const char *text, struct err *err)
{
	int rc = words_add(words, text, err);

	if (rc == 0)
		words->items[words->count - 1].pipe = !strcmp(text, "|");
	return rc;
}

/* A whole command in quotes is one word, which names nothing. */
static bool is_quoted(char **argv)
{
	return argv[0] && !argv[1] && strpbrk(argv[0], " \t");
}

static int do_words(struct session *session, char **argv)
{
	AUTO_WORDS words = WORDS_NONE;
	AUTO_ERR err = ERR_NONE;
	int rc = 0;

	for (size_t i = 0; argv[i] && rc == 0; i++)
		rc = add_word(&words, argv[i], &err);
	if (rc == 0)
		rc = run_words(session, &words, &err);
	if (rc < 0 && is_quoted(argv))
		err_append(&err, "; a whole command in quotes goes behind -c");
	if (rc < 0)
		run_tell(session, &err);
	return rc;
}

/* Bytes of a batch that may take a while, if only to see that all is so. */
#define BATCH_LARGE (16u << 10)

/* What -c and -f name, or stdin. */
static struct batch *read_batch(struct session *session,
				const struct options *options, const char *name,
				struct err *err)
{
	AUTO_TEXT all = TEXT_NONE;
	int rc = 0;

	if (options->commands.length) {
		return batch_cut(&options->commands, name, session->output,
				 err);
	} else if (options->file && strcmp(options->file, "-") != 0) {
		name = options->file;
		rc = batch_slurp_file(name, &all, err);
	} else {
		rc = batch_slurp(STDIN_FILENO, name, &all, err);
	}
	if (rc < 0)
		return NULL;
	if (all.length >= BATCH_LARGE && !options->each)
		session_expect(session);
	return batch_cut(&all, name, session->output, err);
}

static int do_batch(struct session *session, const struct options *options)
{
	AUTO_ERR err = ERR_NONE;
	const char *name = options->commands.length ? "-c" : "stdin";
	struct batch *batch = read_batch(session, options, name, &err);
	int rc;

	if (!batch) {
		session->source = options->file ? NULL : name;
		run_tell(session, &err);
		return err.code;
	}
	rc = options->each ? batch_do_each(session, batch, options->keep_going)
			   : batch_do(session, batch);
	batch_free(batch);
	return rc;
}

/* Somebody sits there and is to type. */
static bool wants_prompt(const struct options *options, bool batch)
{
	return batch && !options->commands.length && !options->file &&
	       isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int run(const struct options *options, char **words, bool unicode)
{
	const struct session_options wanted = { options->store, options->dry };
	bool batch = !*words;
	bool prompt = wants_prompt(options, batch);
	struct output *output = make_output(options, batch, prompt, unicode);
	static struct session session;
	int rc = 0, flushed;

	session_init(&session, &wanted, output);
	if (prompt)
		interactive(&session);
	else if (batch)
		rc = do_batch(&session, options);
	else
		rc = do_words(&session, words);
	session_end(&session);
	flushed = output_flush(output);
	output_free(output);
	if (flushed < 0) {
		fputs("tresse: not all results could be written\n", stderr);
		rc = rc < 0 ? rc : flushed;
	}
	return rc == 0 && session.differs ? EXIT_REFUSED : exit_of(rc);
}

static int print_usage(void)
{
	AUTO_TEXT text = TEXT_NONE;

	options_help(&text);
	fputs(text_get(&text), stdout);
	return EXIT_DONE;
}

/* Ten thousand objects come and go at once: what the program gave back it soon
 * takes again, and each page that is new costs the kernel a fault. */
static void keep_memory(void)
{
	mallopt(M_TOP_PAD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

static void options_clear(struct options *options)
{
	text_clear(&options->commands);
}

int main(int argc, char **argv)
{
	__attribute__((cleanup(options_clear))) struct options options = { 0 };
	AUTO_ERR err = ERR_NONE;
	bool unicode;

	fill_standard_files();
	keep_memory();
	signal(SIGPIPE, SIG_IGN); /* who stops reading is no error */
	unicode = utf8_start();
	if (options_read(argc, argv, &options, &err) < 0) {
		fprintf(stderr, "tresse: %s\n", err.text);
		return EXIT_USAGE;
	}
	argv += options.words;
	if (options.help)
		return print_usage();
	if (options.version) {
		puts("tresse " TRESSE_VERSION);
		return EXIT_DONE;
	}
	if (options.complete) {
		if (*argv)
			outside_complete(&options, argv[0], argv[1]);
		return EXIT_DONE;
	}
	if (options.watch)
		return exit_of(trial_watch(options.store));
	return run(&options, argv, unicode);
}
