/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/mem.h"
#include "shell/backup.h"
#include "shell/save.h"
#include "tests/unit/unit.h"

/* Saved at that second. */
static void save(const char *file, const char *text, long second)
{
	const struct timespec times[2] = { { second, 0 }, { second, 1000 } };

	CU_ASSERT_EQUAL(backup_keep(file, text, strlen(text), 10, NULL), 0);
	CU_ASSERT_EQUAL(save_write(file, text, strlen(text), NULL), 0);
	CU_ASSERT_EQUAL(chmod(file, 0600), 0);
	CU_ASSERT_EQUAL(utimensat(AT_FDCWD, file, times, 0), 0);
}

static void clean(const char *folder, const char *file)
{
	AUTO(str) char *below = mem_printf("%s/backup", folder);
	AUTO(str) char *foreign = mem_printf("%s/other", below);
	AUTO_BACKUPS backups;

	backups_load(file, &backups);
	for (size_t i = 0; i < backups.count; i++)
		unlink(backups.items[i].file);
	unlink(foreign);
	unlink(file);
	rmdir(below);
	CU_ASSERT_EQUAL(rmdir(folder), 0);
}

TEST(backups, keep_the_last_ten_that_are_different)
{
	char folder[] = "/tmp/tresse.XXXXXX";
	AUTO(str) char *file = NULL;
	AUTO(str) char *foreign = NULL;
	AUTO_BACKUPS backups = { 0 };
	struct stat status;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	file = mem_printf("%s/saveconfig.tresse", folder);
	foreign = mem_printf("%s/backup/other", folder);
	save(file, "0\n", 1000000000);
	save(file, "0\n", 1000000001);
	backups_load(file, &backups);
	CU_ASSERT_EQUAL(backups.count, 0);
	for (int i = 1; i < 15; i++) {
		AUTO(str) char *text = mem_printf("%d\n", i);

		save(file, text, 1000000001 + i);
		CU_ASSERT_EQUAL(save_write(foreign, "x", 1, NULL), 0);
	}
	backups_load(file, &backups);
	CU_ASSERT_EQUAL_FATAL(backups.count, 10);
	CU_ASSERT_EQUAL(backups.items[0].at_us, 1000000014000001);
	CU_ASSERT_EQUAL(backups.items[9].at_us, 1000000005000001);
	CU_ASSERT_EQUAL_FATAL(stat(backups.items[0].file, &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 0777, 0600);
	CU_ASSERT_EQUAL(access(foreign, F_OK), 0);
	clean(folder, file);
}
