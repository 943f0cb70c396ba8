/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/mem.h"

#define STORE_DEFAULT "/var/lib/tresse/tresse.db"

/* Options without a letter. */
enum {
	OPTION_STORE = 256,
	OPTION_VERSION,
	OPTION_COMPLETE,
	OPTION_WATCH,
	OPTION_EACH,
	OPTION_KEEP_GOING
};

static const struct row {
	int letter;
	const char *name, *value, *help;
} rows[] = {
	{ OPTION_STORE, "store", "FILE",
	  "the configuration (else $TRESSE_STORE, else " STORE_DEFAULT ")" },
	{ 'c', "command", "COMMAND",
	  "run it; several are one change, as the lines of a batch are" },
	{ 'f', "file", "FILE", "a batch from a file; - is stdin" },
	{ OPTION_EACH, "each", NULL,
	  "a batch line by line, to the first error" },
	{ OPTION_KEEP_GOING, "keep-going", NULL,
	  "...and past errors; exit 1 if there was one" },
	{ 'j', "json", NULL, "results as JSON" },
	{ 'q', "quiet", NULL, "no messages but errors and warnings" },
	{ 'n', "dry-run", NULL, "show the steps of a change, do nothing" },
	{ 'h', "help", NULL, "this text" },
	{ OPTION_VERSION, "version", NULL, "the version" },
	{ OPTION_COMPLETE, "complete", NULL, NULL }, /* hidden: no help */
	{ OPTION_WATCH, "confirm-watch", NULL, NULL },
};

static void take(int letter, const char *value, struct options *options)
{
	switch (letter) {
	case OPTION_STORE: options->store = value; break;
	case OPTION_VERSION: options->version = true; break;
	case OPTION_COMPLETE: options->complete = true; break;
	case OPTION_WATCH: options->watch = true; break;
	case OPTION_EACH: options->each = true; break;
	case OPTION_KEEP_GOING:
		options->each = options->keep_going = true;
		break;
	case 'c': text_printf(&options->commands, "%s\n", value); break;
	case 'f': options->file = value; break;
	case 'j': options->json = true; break;
	case 'q': options->quiet = true; break;
	case 'n': options->dry = true; break;
	case 'h': options->help = true; break;
	}
}

static int refuse(int why, char **argv, struct err *err)
{
	const char *word = argv[optind > 1 ? optind - 1 : 1];

	if (why == ':')
		return err_set(err, EINVAL, "%s needs a value; see --help",
			       word);
	if (optopt && optopt < 256)
		return err_set(err, EINVAL,
			       "there is no option -%c; see --help", optopt);
	return err_set(err, EINVAL, "there is no option %s; see --help", word);
}

static int check(const struct options *options, const char *word,
		 struct err *err)
{
	bool commands = options->commands.length;

	if (options->store && !*options->store)
		return err_set(err, EINVAL, "--store needs a file's name");
	if (commands && options->file)
		return err_set(err, EINVAL,
			       "-c and -f do not go together: put the commands "
			       "into the file");
	if (word && (commands || options->file))
		return err_set(err, EINVAL,
			       "'%s' is one word too many: -c and -f already "
			       "say what is to be run",
			       word);
	if (word && options->each && !options->complete)
		return err_set(err, EINVAL,
			       "--each and --keep-going are for a batch: give "
			       "it by -c, by -f or on stdin");
	return 0;
}

/* To what is started from here: the engine restores from the same store. */
static void pass_on(const char *store)
{
	char *folder = *store == '/' ? NULL : getcwd(NULL, 0);
	AUTO(str)
	char *whole = mem_printf("%s%s%s", folder ? folder : "",
				 folder ? "/" : "", store);

	setenv("TRESSE_STORE", whole, 1);
	free(folder);
}

int options_read(int argc, char **argv, struct options *options,
		 struct err *err)
{
	struct option table[ARRAY_SIZE(rows) + 1] = { { 0 } };
	const char *store = getenv("TRESSE_STORE");
	int letter;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		table[i] = (struct option){ rows[i].name,
					    rows[i].value ? required_argument
							  : no_argument,
					    NULL, rows[i].letter };
	if (!store || !*store)
		store = STORE_DEFAULT;
	*options = (struct options){ .store = store };
	opterr = 0;
	/* + : the first word ends the options; : : a missing value is told. */
	while ((letter = getopt_long(argc, argv, "+:jqnhc:f:", table, NULL)) !=
	       -1) {
		if (letter == '?' || letter == ':')
			return refuse(letter, argv, err);
		take(letter, optarg, options);
		if (options->complete)
			break; /* what follows is somebody's half a line */
	}
	options->words = optind;
	if (check(options, argv[optind], err) < 0)
		return err->code;
	if (strcmp(options->store, store) != 0)
		pass_on(options->store);
	return 0;
}

static void put_flags(const struct row *row, struct text *out)
{
	if (row->letter < 256)
		text_printf(out, "  -%c, --%s", row->letter, row->name);
	else
		text_printf(out, "      --%s", row->name);
	if (row->value)
		text_printf(out, " %s", row->value);
}

void options_help(struct text *out)
{
	text_put(out, "usage: tresse [OPTION]...                  a shell\n"
		      "       tresse [OPTION]... WORD...          one command\n"
		      "       tresse [OPTION]... -c COMMAND...    \n"
		      "       tresse [OPTION]... -f FILE          a batch: all "
		      "of it or nothing\n"
		      "       tresse [OPTION]... < FILE\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_TEXT flags = TEXT_NONE;

		if (!rows[i].help)
			continue;
		put_flags(&rows[i], &flags);
		text_printf(out, "%-22s %s\n", text_get(&flags), rows[i].help);
	}
	text_put(out, "\nexit: 0 done, 1 refused or failed, 2 usage, 3 not "
		      "found, 4 no privilege,\n      5 busy, 6 conflict, "
		      "7 the running system could not be put back\n"
		      "`tresse help` lists the commands; man tresse\n");
}

/* Of -qf the f, as long as nothing but flags stands before it. */
static const struct row *row_of_letters(const char *letters)
{
	for (; *letters; letters++)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			if (rows[i].letter == *letters && rows[i].value)
				return letters[1] ? NULL : &rows[i];
	return NULL;
}

const char *options_want(const char *word)
{
	const struct row *row = NULL;

	if (word[0] != '-')
		return NULL;
	if (word[1] != '-') {
		row = row_of_letters(word + 1);
		return row ? row->value : NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, word + 2))
			return rows[i].value;
	return NULL;
}

const char *options_value(const char *word)
{
	const char *equals = strchr(word, '=');
	AUTO(str) char *name = NULL;

	if (strncmp(word, "--", 2) != 0 || !equals)
		return NULL;
	name = mem_strndup(word, (size_t)(equals - word));
	return options_want(name) ? equals + 1 : NULL;
}

void options_complete(struct candidates *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(str) char *text = mem_printf("--%s", rows[i].name);

		if (rows[i].help)
			to->offer(to, text, rows[i].help);
	}
}
