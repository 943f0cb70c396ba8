/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/mark/cgroup.h"

#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "model/base/mem.h"
#include "model/node.h"

struct known {
	char *path; /* owned */
	struct cgroup cgroup;
};

/* Facts of this driver alone, so they are not in struct facts. Sorted by path
 * once complete. */
static struct {
	struct known *items;
	size_t count, room;
} known;

static void forget(void)
{
	for (size_t i = 0; i < known.count; i++)
		free(known.items[i].path);
	known.count = 0;
}

/* Where cgroup2 is mounted; NULL if nowhere. */
static char *find_mount(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char *found = NULL;
	struct mntent *entry;

	if (!mounts)
		return NULL;
	while (!found && (entry = getmntent(mounts)))
		if (!strcmp(entry->mnt_type, "cgroup2"))
			found = mem_strdup(entry->mnt_dir);
	endmntent(mounts);
	return found;
}

static uint32_t depth_of(const char *path)
{
	uint32_t depth = 0;

	for (size_t i = 0; path[i]; i++)
		if (path[i] != '/' && (!i || path[i - 1] == '/'))
			depth++;
	return depth;
}

static struct cgroup look_up(const char *mount, const char *path)
{
	struct cgroup cgroup = { CGROUP_UNMOUNTED, 0, depth_of(path) };
	AUTO(str) char *file = NULL;
	struct stat info;

	if (!mount)
		return cgroup;
	file = mem_printf("%s/%s", mount, path);
	cgroup.state = CGROUP_MISSING;
	if (stat(file, &info) < 0 || !S_ISDIR(info.st_mode))
		return cgroup;
	cgroup.state = CGROUP_HERE;
	cgroup.id = info.st_ino;
	return cgroup;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->path,
		      ((const struct known *)b)->path);
}

void cgroups_look_up(const struct tree *tree)
{
	const struct node *classes = tree_classes(tree), *at = classes;
	AUTO(str) char *mount = NULL;

	forget();
	for (; at; at = node_walk(classes, at)) {
		const char *path = node_kind(at) == &kind_match
					   ? node_text(at, MATCH_CGROUP)
					   : NULL;

		if (!path)
			continue;
		if (!mount)
			mount = find_mount();
		known.items = mem_grow(known.items, known.count, &known.room,
				       sizeof(*known.items));
		known.items[known.count++] =
			(struct known){ mem_strdup(path),
					look_up(mount, path) };
	}
	if (known.count)
		qsort(known.items, known.count, sizeof(*known.items), compare);
}

struct cgroup cgroup_find(const char *path)
{
	struct known key = { (char *)(uintptr_t)path, { 0 } };
	const struct known *found = NULL;

	if (known.count)
		found = bsearch(&key, known.items, known.count,
				sizeof(*known.items), compare);
	return found ? found->cgroup : (struct cgroup){ CGROUP_UNASKED, 0, 0 };
}

struct digest cgroups_digest(void)
{
	struct digest digest = DIGEST_NONE;

	for (size_t i = 0; i < known.count; i++) {
		const struct cgroup *cgroup = &known.items[i].cgroup;

		digest = digest_text(digest, known.items[i].path);
		digest = digest_u64(digest, cgroup->id);
		digest = digest_u64(digest, (uint64_t)cgroup->state << 32 |
						    cgroup->level);
	}
	return digest;
}
