/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/file.h"
#include "model/base/mem.h"
#include "tests/unit/unit.h"

/* A name in a folder of its own, with `bytes` in it if there are any. */
static char *named(char *folder, const char *bytes)
{
	AUTO(str) char *path = NULL;
	FILE *file;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	path = mem_printf("%s/file", folder);
	if (bytes) {
		file = fopen(path, "w");
		CU_ASSERT_PTR_NOT_NULL_FATAL(file);
		fputs(bytes, file);
		fclose(file);
	}
	return TAKE(path);
}

static void forget(const char *folder, const char *path)
{
	unlink(path);
	CU_ASSERT_EQUAL(rmdir(folder), 0);
}

TEST(file, is_read_up_to_what_was_said)
{
	char folder[] = "/tmp/tresse-XXXXXX";
	AUTO(str) char *path = named(folder, "abcdef");
	AUTO(str) char *all = file_read(path, 100);
	AUTO(str) char *some = file_read(path, 4);

	ASSERT_TEXT(all, "abcdef");
	ASSERT_TEXT(some, "abcd");
	forget(folder, path);
}

TEST(file, that_is_not_there_is_nothing)
{
	char folder[] = "/tmp/tresse-XXXXXX";
	AUTO(str) char *path = named(folder, NULL);

	CU_ASSERT_PTR_NULL(file_read(path, 100));
	forget(folder, path);
}

TEST(file, that_is_a_link_is_not_followed)
{
	char folder[] = "/tmp/tresse-XXXXXX";
	AUTO(str) char *path = named(folder, NULL);

	CU_ASSERT_EQUAL(symlink("/etc/passwd", path), 0);
	CU_ASSERT_PTR_NULL(file_read(path, 100));
	forget(folder, path);
}

TEST(file, that_is_a_pipe_nobody_writes_to_is_not_waited_for)
{
	char folder[] = "/tmp/tresse-XXXXXX";
	AUTO(str) char *path = named(folder, NULL);
	AUTO(str) char *bytes = NULL;

	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	bytes = file_read(path, 100);
	ASSERT_TEXT(bytes, "");
	forget(folder, path);
}
