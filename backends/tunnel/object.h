/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * object.h - what the tunnel driver looks after.
 *
 *     device tun-home              made by us, kept when the engine ends
 *     address 10.77.0.2/24 tun-home
 *     link home0                   what the engine is told, as JSON without
 *                                  secrets (backends/engine/description.h)
 */
#ifndef BACKENDS_TUNNEL_OBJECT_H
#define BACKENDS_TUNNEL_OBJECT_H

#include <jansson.h>

#include "model/backend.h"

enum tunnel_what { TUNNEL_DEVICE, TUNNEL_ADDRESS, TUNNEL_LINK };

/* Zeroed before it is filled in. */
struct tunnel_data {
	uint8_t what;	       /* enum tunnel_what */
	bool tap, up, foreign; /* device; foreign: not a tunnel of ours */
	/* Device: has several queues, or is to be made so; must: else it is
	 * another device. */
	bool queues, must_queues;
	bool ours; /* address: made by us */
	char device[16];
	struct prefix address;
	char text[]; /* link: sorted, compact; others: not there */
};

static inline const struct tunnel_data *tunnel_of(const struct object *object)
{
	return object->data;
}

/* A device or an address. The first of a key stays. */
void tunnel_add(struct state *state, const struct tunnel_data *data,
		const char *path);
/* The link of that description, without what the engine adds. */
void tunnel_add_link(struct state *state, json_t *description,
		     const char *path);
void tunnel_print(const struct object *object, struct text *out);
void tunnel_print_change(const struct object *before,
			 const struct object *after, struct text *out);
/* Can the engine make before into after while packets flow? */
bool tunnel_is_hitless(const struct object *before, const struct object *after);

/* The keys behind the digests of a description, as { digest: key }, as far as
 * find() knows them: who lacks one says so, or has it already. The caller's to
 * decref. */
typedef char *tunnel_find(void *arg, const char *hidden, struct err *err);
json_t *tunnel_keys(const json_t *description, tunnel_find *find, void *arg);

/* Does this link take its address of that family (AF_INET, AF_INET6) from its
 * server? Then the engine looks after it: it is nothing that the driver sees.
 */
bool tunnel_takes(const struct node *link, uint8_t family);

/* The objects of a list by their "name", of which each is the list's: there may
 * be ten thousand. The caller's to decref. */
json_t *tunnel_by_name(const json_t *list);

void tunnel_want(const struct tree *tree, const struct facts *facts,
		 struct report *report, struct state *want);
int tunnel_live(struct host *host, const struct tree *tree,
		const struct facts *facts, struct live *live, struct err *err);
int tunnel_spells(const struct tree *tree, spell_tell *tell, void *arg,
		  struct err *err);
extern const struct spell_ears tunnel_ears;
int tunnel_health(struct host *host, const struct checkup *checkup,
		  struct reading *reading, struct err *err);

#endif
