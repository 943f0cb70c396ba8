/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/words.h"

#include <string.h>

#include "model/base/mem.h"
#include "shell/utf8.h"

struct lexer {
	const char *line;
	size_t length, at;
	struct text text; /* of the word that is being read */
	size_t start;	  /* of that word */
	size_t key;	  /* of that word, once its = was seen */
	bool plain;	  /* nothing but letters of a key so far */
	char quote;	  /* the one that is open, or 0 */
	bool typed;	  /* the line may end anywhere */
	bool touches;	  /* the last word goes up to the end of the line */
	bool comment;	  /* the line ends in one */
	struct err *err;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What a byte can be where no quote is open. */
enum sort {
	ODD,	/* to be looked at closely */
	EASY,	/* of a word, as it is */
	OF_KEY, /* ...and of a key */
};
static enum sort sort_of(char c)
{
	/* All but blanks, quotes, the backslash, and what is no ASCII. */
	static const unsigned char sorts[256] = {
		['!'] = EASY,		['#' ... '&'] = EASY,
		['(' ... ','] = EASY,	['-'] = OF_KEY,
		['.' ... '/'] = EASY,	['0' ... '9'] = OF_KEY,
		[':' ... '@'] = EASY,	['A' ... 'Z'] = OF_KEY,
		['['] = EASY,		[']' ... '^'] = EASY,
		['_'] = OF_KEY,		['`'] = EASY,
		['a' ... 'z'] = OF_KEY, ['{' ... '~'] = EASY,
	};

	return (enum sort)sorts[(unsigned char)c];
}

static int fail(struct lexer *lexer, size_t at, const char *what)
{
	lexer->at = at;
	return err_set(lexer->err, EINVAL, "%s", what);
}

static int fail_byte(struct lexer *lexer, uint32_t code, size_t size)
{
	unsigned byte = (unsigned char)lexer->line[lexer->at];

	if (size && !code)
		return err_set(lexer->err, EINVAL, "a NUL byte in the line");
	if (size)
		return err_set(lexer->err, EINVAL,
			       "control character U+%04X in the line",
			       (unsigned)code);
	return err_set(lexer->err, EINVAL, "byte 0x%02x is not UTF-8", byte);
}

/* Takes one whole character into the word. */
static int take(struct lexer *lexer)
{
	uint32_t code = 0;
	const char *from = lexer->line + lexer->at;
	size_t size;
	bool tab;

	if (*from >= ' ' && *from <= '~') { /* nearly all of them */
		text_put_char(&lexer->text, *from);
		lexer->at++;
		return 0;
	}
	size = utf8_next(from, lexer->length - lexer->at, &code);
	tab = size && code == '\t';
	if (!size || (utf8_is_control(code) && !tab))
		return fail_byte(lexer, code, size);
	text_put_bytes(&lexer->text, from, size);
	lexer->at += size;
	return 0;
}

/* Takes what is easy as far as it goes. Within quotes a key cannot be. */
static void take_easy(struct lexer *lexer)
{
	const char *from = lexer->line + lexer->at;
	size_t left = lexer->length - lexer->at, size = 0;

	while (lexer->plain && size < left && sort_of(from[size]) == OF_KEY)
		size++;
	if (lexer->plain && size < left && sort_of(from[size]) == EASY) {
		if (from[size] == '=' && lexer->text.length + size)
			lexer->key = lexer->text.length + size;
		lexer->plain = false;
	}
	while (!lexer->plain && size < left && sort_of(from[size]) != ODD)
		size++;
	text_put_bytes(&lexer->text, from, size);
	lexer->at += size;
}

static int read_escape(struct lexer *lexer, size_t opened)
{
	char c;

	if (++lexer->at == lexer->length)
		return lexer->typed ? 0
				    : fail(lexer, opened,
					   "this quote is not closed");
	c = lexer->line[lexer->at];
	if (c == 't') {
		text_put_char(&lexer->text, '\t');
		lexer->at++;
		return 0;
	}
	if (c != '"' && c != '\\')
		return fail(lexer, lexer->at - 1,
			    "within \"...\" a backslash goes before \" \\ or t "
			    "only; '...' takes everything as it is");
	return take(lexer);
}

static int read_quoted(struct lexer *lexer)
{
	size_t opened = lexer->at;
	char quote = lexer->line[lexer->at++];
	int rc = 0;

	lexer->quote = quote;
	while (!rc && lexer->at < lexer->length) {
		take_easy(lexer);
		if (lexer->at == lexer->length)
			break;
		if (lexer->line[lexer->at] == quote) {
			lexer->quote = 0;
			lexer->at++;
			return 0;
		}
		if (lexer->line[lexer->at] == '\\' && quote == '"')
			rc = read_escape(lexer, opened);
		else
			rc = take(lexer);
	}
	if (rc || lexer->typed)
		return rc;
	return fail(lexer, opened, "this quote is not closed");
}

static int read_backslash(struct lexer *lexer)
{
	if (++lexer->at < lexer->length)
		return take(lexer);
	return lexer->typed ? 0
			    : fail(lexer, lexer->at - 1,
				   "nothing stands behind this backslash (a "
				   "line cannot be "
				   "continued)");
}

static int read_piece(struct lexer *lexer)
{
	char c = lexer->line[lexer->at];

	if (sort_of(c) != ODD) {
		take_easy(lexer);
		return 0;
	}
	lexer->plain = false;
	if (c == '"' || c == '\'')
		return read_quoted(lexer);
	if (c == '\\')
		return read_backslash(lexer);
	return take(lexer);
}

static int read_word(struct lexer *lexer)
{
	int rc = 0;

	lexer->start = lexer->at;
	lexer->key = 0;
	lexer->plain = true;
	while (!rc && lexer->at < lexer->length &&
	       !is_blank(lexer->line[lexer->at]))
		rc = read_piece(lexer);
	return rc;
}

/* Was the word just read a | and nothing else, without quotes? */
static bool is_pipe(const struct lexer *lexer)
{
	return lexer->at == lexer->start + 1 &&
	       lexer->line[lexer->start] == '|';
}

static void move(struct words *words, char *bytes)
{
	for (size_t i = 0; i < words->count; i++)
		words->items[i].text =
			bytes + (words->items[i].text - words->bytes);
	free(words->bytes);
	words->bytes = bytes;
}

/* A copy among the words' own texts. */
static char *keep(struct words *words, const char *text, size_t length)
{
	char *kept;

	if (words->size - words->used <= length) {
		char *bytes;

		words->size = 2 * (words->used + length) + 128;
		bytes = mem_alloc(words->size);
		if (words->used)
			memcpy(bytes, words->bytes, words->used);
		move(words, bytes);
	}
	kept = words->bytes + words->used;
	memcpy(kept, text, length);
	kept[length] = '\0';
	words->used += length + 1;
	return kept;
}

static void push(struct words *words, const char *text, size_t length,
		 size_t key, size_t start)
{
	char *kept = keep(words, text, length);

	words->items = mem_grow(words->items, words->count, &words->room,
				sizeof(*words->items));
	words->items[words->count++] = (struct word){ kept, key, start, false };
}

static void skip_blanks(struct lexer *lexer)
{
	while (lexer->at < lexer->length && is_blank(lexer->line[lexer->at]))
		lexer->at++;
}

/* A comment has to be readable, too: nothing odd hides in a file. */
static int skip_comment(struct lexer *lexer)
{
	int rc = 0;

	lexer->comment = true;
	while (!rc && lexer->at < lexer->length)
		rc = take(lexer);
	text_cut(&lexer->text, 0);
	return rc;
}

static int read_all(struct lexer *lexer, struct words *words)
{
	int rc = 0;

	if (lexer->length > LINE_LIMIT)
		return fail(lexer, 0, "the line is longer than 1 MiB");
	for (;;) {
		lexer->touches = lexer->at && lexer->at == lexer->length;
		skip_blanks(lexer);
		if (lexer->at == lexer->length)
			return 0;
		if (lexer->line[lexer->at] == '#')
			return skip_comment(lexer);
		rc = read_word(lexer);
		if (rc < 0)
			return rc;
		push(words, text_get(&lexer->text), lexer->text.length,
		     lexer->key, lexer->start);
		text_cut(&lexer->text, 0);
		words->items[words->count - 1].pipe = is_pipe(lexer);
	}
}

static void cut(struct words *words, size_t count)
{
	if (count < words->count)
		words->used = (size_t)(words->items[count].text - words->bytes);
	words->count = count;
}

int words_read(struct words *words, const char *line, size_t length, size_t *at,
	       struct err *err)
{
	struct lexer lexer = { .line = line, .length = length, .err = err };
	size_t before = words->count;
	int rc;

	/* Files from elsewhere end their lines with CR LF. */
	if (length && line[length - 1] == '\r')
		lexer.length--;
	rc = read_all(&lexer, words);
	if (rc < 0) {
		cut(words, before);
		*at = lexer.at;
	}
	text_clear(&lexer.text);
	return rc;
}

/* The quote that closes the one at `at`, or length: it takes a closer look. */
static size_t closing(const char *line, size_t length, size_t at)
{
	char quote = line[at++];

	while (at < length && line[at] != quote)
		if (line[at] < ' ' || line[at] > '~' || line[at++] == '\\')
			return length;
	return at;
}

bool words_readable(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (line[i] == '"' || line[i] == '\'')
			i = closing(line, length, i);
		if (i == length || line[i] == '#')
			return false;
		if (sort_of(line[i]) == ODD && !is_blank(line[i]) &&
		    line[i] != '"' && line[i] != '\'')
			return false;
	}
	return length && length <= LINE_LIMIT && !is_blank(line[0]);
}

bool words_read_typed(struct words *words, const char *line, size_t length,
		      char *quote)
{
	struct lexer lexer = { .line = line, .length = length, .typed = true };
	size_t before = words->count;
	bool readable = read_all(&lexer, words) == 0 && !lexer.comment;

	if (!readable)
		cut(words, before);
	else if (!lexer.touches)
		push(words, "", 0, 0, length);
	*quote = lexer.quote;
	text_clear(&lexer.text);
	return readable;
}

static int check_text(const char *text, struct err *err)
{
	size_t left = strlen(text), size;
	uint32_t code = 0;

	for (; left; text += size, left -= size) {
		size = utf8_next(text, left, &code);
		if (!size)
			return err_set(err, EINVAL, "byte 0x%02x is not UTF-8",
				       (unsigned char)*text);
		if (utf8_is_control(code) && code != '\t')
			return err_set(err, EINVAL, "control character U+%04X",
				       (unsigned)code);
	}
	return 0;
}

static size_t key_of(const char *text)
{
	size_t key = 0;

	while (sort_of(text[key]) == OF_KEY)
		key++;
	return text[key] == '=' ? key : 0;
}

int words_add(struct words *words, const char *text, struct err *err)
{
	AUTO_TEXT safe = TEXT_NONE;

	if (check_text(text, err) < 0) {
		utf8_safe(text, &safe);
		return err_append(err, " in the word '%s'", text_get(&safe));
	}
	push(words, text, strlen(text), key_of(text), 0);
	return 0;
}

void words_clear(struct words *words)
{
	free(words->items);
	free(words->bytes);
	*words = (struct words)WORDS_NONE;
}

void words_empty(struct words *words)
{
	words->count = words->used = 0;
}

static void put_escaped(const char *text, char quote, struct text *out)
{
	for (; *text; text++) {
		if (quote == '"' && *text == '\t') {
			text_put(out, "\\t");
			continue;
		}
		if (quote == '"' && (*text == '"' || *text == '\\'))
			text_put_char(out, '\\');
		text_put_char(out, *text);
	}
}

/* A value may be quoted alone; a word that only looks like KEY=VALUE because it
 * was quoted cannot be told apart here, and is read the same by every command
 * that takes it. */
void word_print(const char *text, struct text *out)
{
	size_t key = key_of(text);
	const char *value = key ? text + key + 1 : text;

	text_put_bytes(out, text, (size_t)(value - text));
	if ((!*value && !key) || strpbrk(value, " \t\"'\\") ||
	    (*value == '#' && !key) || !strcmp(text, "|")) {
		text_put_char(out, '"');
		put_escaped(value, '"', out);
		text_put_char(out, '"');
	} else {
		text_put(out, value);
	}
}

void word_print_open(const char *text, char quote, struct text *out)
{
	size_t key = key_of(text);
	const char *value = key ? text + key + 1 : text;

	text_put_bytes(out, text, (size_t)(value - text));
	/* Within '...' nothing can stand for a quote of that sort. */
	if (quote == '\'' && strchr(value, '\''))
		quote = '"';
	if (!quote && strpbrk(value, " \t\"'\\"))
		quote = '"';
	if (quote)
		text_put_char(out, quote);
	put_escaped(value, quote, out);
}

/* One line as it can be shown: a control takes one column, as '?'. */
static void put_shown(const char *line, size_t length, struct text *out)
{
	uint32_t code = 0;
	size_t size;

	for (; length; line += size, length -= size) {
		size = utf8_next(line, length, &code);
		if (size && !utf8_is_control(code)) {
			text_put_bytes(out, line, size);
			continue;
		}
		text_put_char(out, size && code == '\t' ? ' ' : '?');
		size = size ? size : 1;
	}
}

/* Columns in front of the caret that are kept when the line is too long. */
#define CARET_LEAD 20

void caret_print(const char *line, size_t length, size_t at, size_t width,
		 struct text *out)
{
	AUTO_TEXT before = TEXT_NONE;
	AUTO_TEXT after = TEXT_NONE;
	const char *from;
	size_t column, room = width > 8 ? width - 4 : 4;

	at = at < length ? at : length;
	put_shown(line, at, &before);
	put_shown(line + at, length - at < 4 * room ? length - at : 4 * room,
		  &after);
	from = text_get(&before);
	column = utf8_width(from);
	if (column >= room) {
		size_t lead = room / 2 < CARET_LEAD ? room / 2 : CARET_LEAD;

		from += utf8_fit(from, column - lead);
		column = utf8_width(from);
	}
	text_printf(out, "    %s%.*s\n    %*s^\n", from,
		    (int)utf8_fit(text_get(&after), room - column),
		    text_get(&after), (int)column, "");
}
