/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps to messages (declared in tc.h).
 *
 * A batch is not atomic, and a class whose parent is missing is put at the root
 * without a word. So one batch holds the steps of one level only: when one of
 * them fails, none that builds on it is sent.
 */
#include <linux/rtnetlink.h>

#include "backends/host.h"
#include "backends/netlink/netlink.h"
#include "backends/tc/message.h"
#include "backends/tc/tc.h"
#include "model/base/mem.h"
#include "model/base/text.h"

/* Messages of one step: the old goes, the new comes. */
static size_t add_messages(const struct step *step, struct batch *batch)
{
	const struct tc_object *before =
		step->before ? tc_of(step->before) : NULL;
	const struct tc_object *after = step->after ? tc_of(step->after) : NULL;
	size_t had = batch->count;

	switch (step->op) {
	case STEP_ADD: batch_add(batch, message_add(after)); break;
	case STEP_CHANGE:
		batch_add(batch, message_change(before, after));
		break;
	case STEP_DELETE: batch_add(batch, message_delete(before)); break;
	case STEP_REPLACE:
		/* Another kind cannot take over a handle, and a root of the
		 * same kind would only be changed: so never in one message. */
		batch_add(batch, message_delete(before));
		batch_add(batch, message_add(after));
		break;
	}
	return batch->count - had;
}

static size_t add_link_messages(const struct step *step, struct batch *batch)
{
	size_t had = batch->count;

	if (step->op == STEP_DELETE) {
		batch_add(batch, message_link_delete(tc_of(step->before)));
		return 1;
	}
	if (step->op == STEP_ADD) {
		batch_add(batch, message_link_add(tc_of(step->after)));
		batch_add(batch, message_link_quiet(tc_of(step->after)));
	}
	batch_add(batch, message_link_set(tc_of(step->after)));
	return batch->count - had;
}

static bool is_link(const struct step *step)
{
	return tc_of(step->after ? step->after : step->before)->sort == TC_LINK;
}

/* What is gone already need not go. */
static bool is_fine(const struct request *request)
{
	int type = nlmsg_hdr(request->message)->nlmsg_type;
	bool deletes = type == RTM_DELQDISC || type == RTM_DELTCLASS ||
		       type == RTM_DELTFILTER;

	return !request->answer.code ||
	       (deletes && request->answer.code == -ENOENT) ||
	       (type == RTM_DELLINK && request->answer.code == -ENODEV);
}

static int fail(const struct step *step, const struct request *request,
		struct err *err)
{
	AUTO_TEXT what = TEXT_NONE;

	step_print(step, &what);
	return answer_err(&request->answer, text_get(&what), err);
}

/* Marks what took effect; *failed is the first that did not, or count. */
static int take_answers(const struct batch *batch, struct step *const *steps,
			const size_t *lengths, size_t count, size_t *failed,
			struct err *err)
{
	const struct request *request = batch->items;
	int rc = 0;

	*failed = count;
	for (size_t i = 0; i < count; i++) {
		size_t messages = lengths[i];

		steps[i]->done = true;
		for (; messages; messages--, request++) {
			if (is_fine(request))
				continue;
			steps[i]->done = false;
			if (*failed < count)
				continue;
			*failed = i;
			rc = fail(steps[i], request, err);
		}
	}
	return rc;
}

static int apply_level(struct netlink *netlink, struct step *const *steps,
		       size_t count, size_t *failed, struct err *err)
{
	AUTO(mem) void *room = mem_array(count, sizeof(size_t));
	struct batch batch = BATCH_NONE;
	size_t *lengths = room;
	int rc;

	*failed = 0;
	for (size_t i = 0; i < count; i++)
		lengths[i] = is_link(steps[i])
				     ? add_link_messages(steps[i], &batch)
				     : add_messages(steps[i], &batch);
	rc = netlink_send(netlink, &batch, NULL, err);
	if (rc == 0)
		rc = take_answers(&batch, steps, lengths, count, failed, err);
	batch_clear(&batch);
	return rc;
}

static size_t level_length(struct step *const *steps, size_t count)
{
	size_t length = 1;

	while (length < count && steps[length]->phase == steps[0]->phase &&
	       steps[length]->level == steps[0]->level)
		length++;
	return length;
}

int tc_apply(struct host *host, struct step *const *steps, size_t count,
	     size_t *failed, struct err *err)
{
	struct netlink *netlink = host_netlink(host, NETLINK_ROUTE, err);
	size_t at = 0, bad = 0;
	int rc = 0;

	*failed = 0;
	if (!netlink)
		return err ? err->code : -EIO;
	while (at < count && rc == 0) {
		size_t length = level_length(steps + at, count - at);

		rc = apply_level(netlink, steps + at, length, &bad, err);
		if (rc < 0)
			*failed = at + bad;
		at += length;
	}
	return rc;
}
