/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/node.h"
#include "shell/bookmark.h"
#include "shell/match.h"
#include "shell/state.h"
#include "tests/unit/unit.h"

struct home {
	char folder[32];
	char *file, *before;
};

static void move_in(struct home *home)
{
	const char *state = getenv("XDG_STATE_HOME");

	*home = (struct home){ .folder = "/tmp/tresse.XXXXXX" };
	home->before = state ? mem_strdup(state) : NULL;
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(home->folder));
	setenv("XDG_STATE_HOME", home->folder, 1);
	home->file = state_file("bookmarks");
	CU_ASSERT_PTR_NOT_NULL_FATAL(home->file);
}

static void move_out(struct home *home)
{
	AUTO(str) char *below = mem_printf("%s/tresse", home->folder);

	unlink(home->file);
	rmdir(below);
	rmdir(home->folder);
	if (home->before)
		setenv("XDG_STATE_HOME", home->before, 1);
	else
		unsetenv("XDG_STATE_HOME");
	free(home->file);
	free(home->before);
}

static void write_file(const struct home *home, const char *text)
{
	FILE *file = fopen(home->file, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(text, file);
	fclose(file);
}

TEST(bookmarks, are_kept_for_their_owner_only)
{
	AUTO_BOOKMARKS bookmarks = { 0 };
	struct stat status;
	struct home home;

	move_in(&home);
	CU_ASSERT_EQUAL(bookmarks_put("home", "/paths", NULL), 0);
	CU_ASSERT_EQUAL(bookmarks_put("other", "/classes", NULL), 0);
	CU_ASSERT_EQUAL(bookmarks_put("home", NULL, NULL), 0);
	bookmarks_load(&bookmarks);
	CU_ASSERT_EQUAL(bookmarks.count, 1);
	ASSERT_TEXT(bookmarks_find(&bookmarks, "other"), "/classes");
	CU_ASSERT_EQUAL_FATAL(stat(home.file, &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 0777, 0600);
	move_out(&home);
}

TEST(bookmarks, take_nothing_from_a_file_that_others_wrote)
{
	AUTO_BOOKMARKS bookmarks = { 0 };
	struct home home;

	move_in(&home);
	write_file(&home, "ok /paths\nok /classes\n\n x\nno\nrel paths\n"
			  "esc /\033[2J\n../x /paths\nbytes /\xff\xfe\n"
			  "%s%n /%s%n\nlast /paths");
	bookmarks_load(&bookmarks);
	CU_ASSERT_EQUAL(bookmarks.count, 2);
	ASSERT_TEXT(bookmarks_find(&bookmarks, "ok"), "/paths");
	ASSERT_TEXT(bookmarks_find(&bookmarks, "last"), "/paths");
	move_out(&home);
}

TEST(bookmarks, begin_a_path)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct place place = { tree, tree_root(tree), NULL };
	AUTO_ERR err = ERR_NONE;
	struct home home;

	move_in(&home);
	bookmarks_put("top", "/", NULL);
	CU_ASSERT_PTR_EQUAL(bookmark_walk(&place, place.here, "@top/paths",
					  NULL),
			    tree_paths(tree));
	CU_ASSERT_PTR_EQUAL(bookmark_walk(&place, place.here, "@top/", NULL),
			    tree_root(tree));
	place.made = "/classes";
	CU_ASSERT_PTR_EQUAL(bookmark_walk(&place, place.here, "@last", NULL),
			    tree_classes(tree));
	CU_ASSERT_PTR_NULL(bookmark_walk(&place, place.here, "@", &err));
	CU_ASSERT_EQUAL(err.code, -ENOENT);
	move_out(&home);
}
