/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/seal.h"

#include <sys/stat.h>
#include <sys/utsname.h>

#include "model/base/mem.h"

static struct digest add_file(struct digest digest, const char *path)
{
	struct stat at;

	if (stat(path, &at) < 0)
		return digest_u64(digest, 0);
	digest = digest_u64(digest, (uint64_t)at.st_dev);
	digest = digest_u64(digest, (uint64_t)at.st_ino);
	digest = digest_u64(digest, (uint64_t)at.st_size);
	digest = digest_u64(digest, (uint64_t)at.st_mtim.tv_sec);
	return digest_u64(digest, (uint64_t)at.st_mtim.tv_nsec);
}

/* Another build may want something else of the same tree; and what can be
 * probed for comes and goes with the kernel and its modules (depmod(8)). */
struct digest seal_of_world(const struct facts *facts)
{
	struct digest seal = DIGEST_NONE;
	struct utsname kernel = { .release = "" };
	AUTO(str) char *modules = NULL;

	uname(&kernel);
	modules = mem_printf("/lib/modules/%s/modules.dep", kernel.release);
	seal = digest_text(seal, TRESSE_VERSION);
	seal = add_file(seal, "/proc/self/exe");
	seal = digest_text(seal, kernel.version);
	seal = add_file(seal, modules);
	digest_add(&seal, facts_digest(facts));
	return seal;
}

int seal_add_pulses(const struct backend *const *backends, struct host *host,
		    const struct tree *tree, struct digest *seal,
		    struct err *err)
{
	int rc = 0;

	for (; *backends && rc == 0; backends++) {
		struct digest pulse = DIGEST_NONE;

		if (!(*backends)->pulse)
			continue;
		pulse = digest_text(pulse, (*backends)->name);
		rc = (*backends)->pulse(host, tree, &pulse, err);
		digest_add(seal, pulse);
	}
	return rc;
}

void seal_add_state(const struct state *now, struct digest *seal)
{
	for (size_t i = 0; i < now->count; i++) {
		const struct object *object = &now->items[i];
		struct digest digest = DIGEST_NONE;

		if (object->backend->pulse)
			continue;
		digest = digest_text(digest, object->backend->name);
		digest = digest_text(digest, object->key);
		digest_add(seal,
			   digest_bytes(digest, object->data, object->size));
	}
}
