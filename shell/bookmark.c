/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/bookmark.h"

#include <string.h>

#include "model/base/file.h"
#include "model/base/text.h"
#include "model/node.h"
#include "shell/match.h"
#include "shell/save.h"
#include "shell/state.h"
#include "shell/utf8.h"

#define FILE_MOST (256u << 10)
#define PATH_MOST 4000
#define NAME_MOST 63

/* ---- what a line may be ---- */

static bool is_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	size_t length = strlen(name);

	return length && length <= NAME_MOST && name[0] != '.' &&
	       strspn(name, letters) == length;
}

static bool is_path(const char *path)
{
	size_t length = strlen(path), size;
	uint32_t code;

	if (path[0] != '/' || length > PATH_MOST)
		return false;
	for (size_t at = 0; at < length; at += size) {
		size = utf8_next(path + at, length - at, &code);
		if (!size || utf8_is_control(code))
			return false;
	}
	return true;
}

int bookmark_check(const char *name, struct err *err)
{
	if (is_name(name))
		return 0;
	return err_set(err, EINVAL,
		       "'%s' is no name for a bookmark: letters, digits and "
		       "_ - . only, at most %d",
		       name, NAME_MOST);
}

/* ---- the file ---- */

static void add(struct bookmarks *bookmarks, const char *name, const char *path)
{
	bookmarks->items =
		mem_grow(bookmarks->items, bookmarks->count, &bookmarks->room,
			 sizeof(*bookmarks->items));
	bookmarks->items[bookmarks->count++] =
		(struct bookmark){ mem_strdup(name), mem_strdup(path) };
}

static void read_lines(struct bookmarks *bookmarks, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		char *path = strchr(line, ' ');

		if (!path)
			continue;
		*path++ = '\0';
		if (is_name(line) && is_path(path) &&
		    !bookmarks_find(bookmarks, line))
			add(bookmarks, line, path);
	}
}

void bookmarks_load(struct bookmarks *bookmarks)
{
	AUTO(str) char *file = state_file("bookmarks");
	AUTO(str) char *text = file ? file_read(file, FILE_MOST) : NULL;

	*bookmarks = (struct bookmarks){ 0 };
	if (text)
		read_lines(bookmarks, text);
}

const char *bookmarks_find(const struct bookmarks *bookmarks, const char *name)
{
	for (size_t i = 0; i < bookmarks->count; i++)
		if (!strcmp(bookmarks->items[i].name, name))
			return bookmarks->items[i].path;
	return NULL;
}

static bool has(const struct bookmarks *bookmarks, const char *name,
		const char *path)
{
	for (size_t i = 0; i < bookmarks->count; i++)
		if (!strcmp(bookmarks->items[i].name, name) &&
		    !strcmp(bookmarks->items[i].path, path))
			return true;
	return false;
}

int bookmarks_put(const char *name, const char *path, struct err *err)
{
	AUTO_BOOKMARKS bookmarks = { 0 };
	AUTO(str) char *file = state_file("bookmarks");
	AUTO_TEXT text = TEXT_NONE;

	if (!file)
		return err_set(err, EIO,
			       "bookmarks cannot be kept: $XDG_STATE_HOME/"
			       "tresse/bookmarks (else ~/.local/state/tresse/"
			       "bookmarks) is no file that can be written");
	bookmarks_load(&bookmarks);
	if (path && has(&bookmarks, name, path))
		return 0;
	for (size_t i = 0; i < bookmarks.count; i++)
		if (strcmp(bookmarks.items[i].name, name) != 0)
			text_printf(&text, "%s %s\n", bookmarks.items[i].name,
				    bookmarks.items[i].path);
	if (path)
		text_printf(&text, "%s %s\n", name, path);
	if (text.length > FILE_MOST)
		return err_set(err, EFBIG,
			       "there are too many bookmarks: bookmarks del "
			       "NAME makes room");
	return save_write(file, text_get(&text), text.length, err);
}

void bookmarks_clear(struct bookmarks *bookmarks)
{
	for (size_t i = 0; i < bookmarks->count; i++) {
		free(bookmarks->items[i].name);
		free(bookmarks->items[i].path);
	}
	free(bookmarks->items);
	*bookmarks = (struct bookmarks){ 0 };
}

/* ---- as a path ---- */

/* What the session made and did not commit yet comes first. */
static const char *path_of(const struct place *place,
			   const struct bookmarks *bookmarks, const char *name)
{
	if (place->made && !strcmp(name, BOOKMARK_LAST))
		return place->made;
	return bookmarks_find(bookmarks, name);
}

struct node *bookmark_walk(const struct place *place, const struct node *from,
			   const char *path, struct err *err)
{
	AUTO_BOOKMARKS bookmarks = { 0 };
	AUTO(str) char *name = NULL;
	const char *stands_for;
	struct node *node;

	if (path[0] != '@')
		return tree_walk(place->tree, from, path, err);
	name = mem_strndup(path + 1, strcspn(path + 1, "/"));
	path += 1 + strlen(name);
	bookmarks_load(&bookmarks);
	stands_for = path_of(place, &bookmarks, name);
	if (!stands_for) {
		err_set(err, ENOENT,
			"there is no bookmark '%s': bookmarks shows those that "
			"are there",
			name);
		return NULL;
	}
	node = tree_walk(place->tree, tree_root(place->tree), stands_for, err);
	if (!node) {
		err_prefix(err, "@%s: ", name);
		return NULL;
	}
	path += strspn(path, "/");
	return *path ? tree_walk(place->tree, node, path, err) : node;
}

void bookmarks_offer(const char *lead, struct candidates *to)
{
	AUTO_BOOKMARKS bookmarks = { 0 };

	bookmarks_load(&bookmarks);
	for (size_t i = 0; i < bookmarks.count; i++) {
		AUTO(str)
		char *text = mem_printf("%s%s", lead, bookmarks.items[i].name);

		to->offer(to, text, bookmarks.items[i].path);
	}
}
