/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/seal.h"

#include <sys/stat.h>

/* Another build may want something else of the same tree. */
static struct digest program_digest(void)
{
	struct digest digest = DIGEST_NONE;
	struct stat at;

	digest = digest_text(digest, TRESSE_VERSION);
	if (stat("/proc/self/exe", &at) < 0)
		return digest;
	digest = digest_u64(digest, (uint64_t)at.st_dev);
	digest = digest_u64(digest, (uint64_t)at.st_ino);
	digest = digest_u64(digest, (uint64_t)at.st_size);
	digest = digest_u64(digest, (uint64_t)at.st_mtim.tv_sec);
	return digest_u64(digest, (uint64_t)at.st_mtim.tv_nsec);
}

struct digest seal_of_world(const struct facts *facts)
{
	struct digest seal = program_digest();

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
