/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/sample.h"

#include "backends/list.h"
#include "shell/pause.h"
#include "shell/session.h"

/* What one driver may not show, the others still do. */
static int read_all(struct session *session, const struct facts *facts,
		    struct sample *sample, struct err *err)
{
	for (const struct backend *const *at = backends; *at; at++) {
		AUTO_ERR why = ERR_NONE;
		int rc = (*at)->live ? (*at)->live(session_host(session),
						   session->place.tree, facts,
						   sample->live, &why)
				     : 0;

		if (rc < 0 && rc != -EPERM && rc != -EACCES)
			return err_move(err, &why);
		if (rc < 0 && !sample->blind.text)
			err_move(&sample->blind, &why);
	}
	return 0;
}

struct sample *sample_take(struct session *session, struct err *err)
{
	AUTO(sample) struct sample *sample = mem_alloc(sizeof(*sample));
	struct facts facts = { 0 };
	int rc = host_read_facts(session_host(session), &facts, err);

	sample->live = live_new();
	sample->tree = session->place.tree;
	sample->revision = session->base;
	sample->at_us = pause_now_us();
	if (rc == 0)
		rc = read_all(session, &facts, sample, err);
	facts_clear(&facts);
	return rc < 0 ? NULL : TAKE(sample);
}

void sample_free(struct sample *sample)
{
	if (!sample)
		return;
	live_free(sample->live);
	err_clear(&sample->blind);
	free(sample);
}

bool sample_fits(const struct sample *sample, const struct session *session)
{
	return sample && sample->tree == session->place.tree &&
	       sample->revision == session->base;
}

uint64_t sample_u(const struct sample *sample, const struct node *node,
		  size_t attr)
{
	const struct value *value = live_value(sample->live, node, attr);

	return value ? value->u : 0;
}

bool sample_knows(const struct sample *sample, const struct node *node,
		  size_t attr)
{
	return live_value(sample->live, node, attr) != NULL;
}
