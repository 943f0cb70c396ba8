/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps to messages (declared in tc.h).
 *
 * A batch is not atomic, and a class whose parent is missing is put at the root
 * without a word. So one batch holds the steps of one level only: when one of
 * them fails, none that builds on it is sent.
 *
 * Before the classes that go are deleted, what waits in them is sent: nothing
 * new comes to them any more, so a look every few milliseconds sees their
 * queues run empty.
 */
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backends/host.h"
#include "backends/netlink/netlink.h"
#include "backends/tc/message.h"
#include "backends/tc/sorter.h"
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
	case STEP_WAIT: break;
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

/* One that comes, or that takes the place of another. */
static bool is_sorter(const struct step *step)
{
	return step->after && tc_of(step->after)->sort == TC_SORTER;
}

static size_t add_sorter(const struct step *step, int fd, struct batch *batch)
{
	size_t had = batch->count;

	if (step->before)
		batch_add(batch, message_delete(tc_of(step->before)));
	batch_add(batch, message_sorter_add(tc_of(step->after), fd));
	return batch->count - had;
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
	answer_err(&request->answer, text_get(&what), err);
	if (request->answer.code == -EBUSY && step->op == STEP_DELETE &&
	    tc_of(step->before)->sort == TC_CLASS)
		err_append(err,
			   "; a filter that is not Tresse's may lead to it: tc "
			   "filter show dev %s",
			   tc_of(step->before)->device);
	return request->answer.code;
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

/* All messages of the level; the program of a sorter stays open in *fd. */
static int fill_batch(struct step *const *steps, size_t count, size_t *lengths,
		      struct batch *batch, int *fd, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (is_sorter(steps[i])) {
			if (*fd < 0)
				*fd = sorter_load(NULL, err);
			if (*fd < 0)
				return *fd;
			lengths[i] = add_sorter(steps[i], *fd, batch);
		} else {
			lengths[i] =
				is_link(steps[i])
					? add_link_messages(steps[i], batch)
					: add_messages(steps[i], batch);
		}
	}
	return 0;
}

static int apply_level(struct netlink *netlink, struct step *const *steps,
		       size_t count, size_t *failed, struct err *err)
{
	AUTO(mem) void *room = mem_array(count, sizeof(size_t));
	struct batch batch = BATCH_NONE;
	size_t *lengths = room;
	int fd = -1, rc;

	*failed = 0;
	rc = fill_batch(steps, count, lengths, &batch, &fd, err);
	if (rc == 0)
		rc = netlink_send(netlink, &batch, NULL, err);
	if (rc == 0)
		rc = take_answers(&batch, steps, lengths, count, failed, err);
	batch_clear(&batch);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* ---- waiting ---- */

#define LOOK_FIRST_MS 1
#define LOOK_LAST_MS  16
#define MINORS	      65536u

/* Of two classes of one minor, in two HTBs, it is the first that goes: when the
 * tree is dealt out, or put together. */
struct draining {
	uint16_t goes[MINORS]; /* these classes: 1 + the major */
	bool all;
	int index;
	/* What the last look saw: the fullest of them. */
	uint32_t fullest, classid;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
	struct timespec span = { 0, ms * 1000000 };

	nanosleep(&span, NULL);
}

static bool goes(const struct draining *draining, uint32_t classid)
{
	return draining->all ||
	       draining->goes[TC_H_MIN(classid)] == 1 + (classid >> 16);
}

static int take_queue(const struct nlmsghdr *message, void *arg)
{
	struct draining *draining = arg;
	const struct tcmsg *header = nlmsg_data(message);
	struct nlattr *attrs[TCA_MAX + 1];
	uint32_t queued;

	if (message->nlmsg_type != RTM_NEWTCLASS ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)message, sizeof(*header),
			attrs, TCA_MAX, NULL) < 0 ||
	    header->tcm_ifindex != draining->index ||
	    !goes(draining, header->tcm_handle))
		return 0;
	queued = tc_queued(attrs[TCA_STATS2]);
	if (queued > draining->fullest) {
		draining->fullest = queued;
		draining->classid = header->tcm_handle;
	}
	return 0;
}

static int look(struct netlink *netlink, struct draining *draining,
		struct err *err)
{
	struct tcmsg header = { .tcm_family = AF_UNSPEC,
				.tcm_ifindex = draining->index };
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(RTM_GETTCLASS, 0, &header, sizeof(header), 0);

	draining->fullest = 0;
	return netlink_dump(netlink, request, take_queue, NULL, draining, err);
}

static int wait_empty(struct netlink *netlink, struct draining *draining,
		      const struct step *wait, struct err *err)
{
	int64_t end = now_ms() + wait->within_ms;
	long pause = LOOK_FIRST_MS;
	unsigned empty = 0;
	int rc = 0;

	/* Twice: a packet may be on its way from its filter to its queue. */
	for (;;) {
		rc = look(netlink, draining, err);
		empty = draining->fullest ? 0 : empty + 1;
		if (rc < 0 || empty == 2 || now_ms() >= end)
			break;
		sleep_ms(empty ? LOOK_FIRST_MS : pause);
		if (pause < LOOK_LAST_MS)
			pause *= 2;
	}
	if (rc < 0 || !draining->fullest || wait->hasty)
		return rc;
	return err_set(err, ETIMEDOUT,
		       "class %s %x:%x goes, and after %u s %u packets still "
		       "wait in it; force=yes deletes it with what is left "
		       "by then",
		       tc_of(wait->before)->device,
		       TC_H_MAJ(draining->classid) >> 16,
		       TC_H_MIN(draining->classid), wait->within_ms / 1000,
		       draining->fullest);
}

/* With the root go all. */
static void find_going(struct draining *draining,
		       const struct tc_object *object)
{
	if (object->index != draining->index)
		return;
	if (object->sort == TC_CLASS)
		draining->goes[TC_H_MIN(object->handle)] =
			(uint16_t)(1 + (object->handle >> 16));
	else if (object->sort == TC_ROOT)
		draining->all = true;
}

/* steps[0] waits for the classes that the others take away. */
static int apply_wait(struct netlink *netlink, struct step *const *steps,
		      size_t count, struct err *err)
{
	AUTO(mem) void *room = mem_alloc(sizeof(struct draining));
	struct draining *draining = room;
	int rc;

	memset(draining, 0, sizeof(*draining));
	draining->index = tc_of(steps[0]->before)->index;
	for (size_t i = 1; i < count; i++)
		if (steps[i]->op == STEP_DELETE)
			find_going(draining, tc_of(steps[i]->before));
	rc = wait_empty(netlink, draining, steps[0], err);
	steps[0]->done = rc == 0;
	return rc;
}

/* ---- all ---- */

static size_t level_length(struct step *const *steps, size_t count)
{
	size_t length = 1;

	if (steps[0]->op == STEP_WAIT)
		return 1;
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

		bad = 0;
		rc = steps[at]->op == STEP_WAIT
			     ? apply_wait(netlink, steps + at, count - at, err)
			     : apply_level(netlink, steps + at, length, &bad,
					   err);
		if (rc < 0)
			*failed = at + bad;
		at += length;
	}
	return rc;
}
