/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/node.h"
#include "shell/bookmark.h"
#include "shell/match.h"
#include "shell/state.h"
#include "tests/unit/home.h"
#include "tests/unit/unit.h"

static void write_file(const struct home *home, const char *text)
{
	AUTO(str) char *made = state_file("bookmarks");
	FILE *file = fopen(home->file, "w");

	CU_ASSERT_PTR_NOT_NULL(made);
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(text, file);
	fclose(file);
}

TEST(bookmarks, are_kept_for_their_owner_only)
{
	AUTO_BOOKMARKS bookmarks = { 0 };
	struct stat status;
	struct home home;

	home_begin(&home, "bookmarks");
	CU_ASSERT_EQUAL(bookmarks_put("home", "/paths", NULL), 0);
	CU_ASSERT_EQUAL(bookmarks_put("other", "/classes", NULL), 0);
	CU_ASSERT_EQUAL(bookmarks_put("home", NULL, NULL), 0);
	bookmarks_load(&bookmarks);
	CU_ASSERT_EQUAL(bookmarks.count, 1);
	ASSERT_TEXT(bookmarks_find(&bookmarks, "other"), "/classes");
	CU_ASSERT_EQUAL_FATAL(stat(home.file, &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 0777, 0600);
	home_end(&home);
}

TEST(bookmarks, take_nothing_from_a_file_that_others_wrote)
{
	AUTO_BOOKMARKS bookmarks = { 0 };
	struct home home;

	home_begin(&home, "bookmarks");
	write_file(&home, "ok /paths\nok /classes\n\n x\nno\nrel paths\n"
			  "esc /\033[2J\n../x /paths\nbytes /\xff\xfe\n"
			  "%s%n /%s%n\nlast /paths");
	bookmarks_load(&bookmarks);
	CU_ASSERT_EQUAL(bookmarks.count, 2);
	ASSERT_TEXT(bookmarks_find(&bookmarks, "ok"), "/paths");
	ASSERT_TEXT(bookmarks_find(&bookmarks, "last"), "/paths");
	home_end(&home);
}

TEST(bookmarks, begin_a_path)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct place place = { tree, tree_root(tree), NULL };
	AUTO_ERR err = ERR_NONE;
	struct home home;

	home_begin(&home, "bookmarks");
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
	home_end(&home);
}
