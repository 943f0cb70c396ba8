/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/base/mem.h"

#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum { SIZE = 64 << 20 };

/* Pages of memory that are really there. */
static long resident(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long all, here = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld %ld", &all, &here) != 2)
		here = -1;
	fclose(file);
	return here;
}

TEST(mem, zeroing_a_large_array_makes_none_of_it_real_that_was_not)
{
	char *bytes = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long before;

	CU_ASSERT_FATAL(bytes != MAP_FAILED);
	madvise(bytes, SIZE, MADV_NOHUGEPAGE);
	bytes[0] = bytes[5000] = bytes[SIZE - 2] = 1;
	before = resident();
	mem_zero(bytes, SIZE - 1);
	CU_ASSERT(before >= 0);
	CU_ASSERT(resident() - before < SIZE / sysconf(_SC_PAGESIZE) / 10);
	CU_ASSERT_EQUAL(bytes[0], 0);
	CU_ASSERT_EQUAL(bytes[5000], 0);
	CU_ASSERT_EQUAL(bytes[SIZE - 2], 0);
	munmap(bytes, SIZE);
}

TEST(mem, nothing_beyond_the_size_is_zeroed)
{
	char bytes[] = { 1, 2, 3, 4 };

	mem_zero(bytes + 1, 2);
	CU_ASSERT(!memcmp(bytes, "\1\0\0\4", sizeof(bytes)));
	mem_zero(bytes, 0);
	CU_ASSERT_EQUAL(bytes[0], 1);
}
