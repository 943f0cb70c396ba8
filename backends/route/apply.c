/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/route/apply.h"

#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "backends/host.h"
#include "backends/netlink/netlink.h"
#include "backends/route/object.h"
#include "backends/route/read.h"

/* ---- messages -------------------------------------------------------- */

static int address_size(uint8_t family)
{
	return family == AF_INET6 ? 16 : 4;
}

static void put_prefix(struct nl_msg *message, int type,
		       const struct prefix *prefix)
{
	if (prefix->family)
		nla_put(message, type, address_size(prefix->family),
			prefix->bytes);
}

/* A gateway of the other family goes as struct rtvia (RFC 5549). */
static void put_gateway(struct nl_msg *message, const struct route_data *data)
{
	int size = address_size(data->gateway.family);
	uint16_t family = data->gateway.family;
	uint8_t via[sizeof(family) + 16];

	if (family == data->family || !family) {
		put_prefix(message, RTA_GATEWAY, &data->gateway);
		return;
	}
	memcpy(via, &family, sizeof(family));
	memcpy(via + sizeof(family), data->gateway.bytes, (size_t)size);
	nla_put(message, RTA_VIA, (int)sizeof(family) + size, via);
}

/* NULL: the device is not there. Says all there is to say, so that a deletion
 * meets this route and no other: net/ipv4/fib_trie.c, fib_table_delete(), and
 * net/ipv6/route.c, ip6_route_del(), compare protocol and next hop too. */
static struct nl_msg *route_message(int type, int flags,
				    const struct route_data *data,
				    struct err *err)
{
	struct rtmsg header = { .rtm_family = data->family,
				.rtm_dst_len = data->to.length,
				.rtm_table = RT_TABLE_UNSPEC,
				.rtm_protocol = data->protocol,
				.rtm_scope = data->scope,
				.rtm_type = RTN_UNICAST,
				.rtm_flags = data->onlink ? RTNH_F_ONLINK : 0 };
	int index = host_link_index(data->device, err);
	struct nl_msg *message;

	if (index < 0)
		return NULL;
	message = netlink_message(type, flags, &header, sizeof(header), 256);
	if (data->to.length)
		put_prefix(message, RTA_DST, &data->to);
	nla_put_u32(message, RTA_TABLE, data->table);
	nla_put_u32(message, RTA_PRIORITY, data->metric);
	nla_put_u32(message, RTA_OIF, (uint32_t)index);
	put_gateway(message, data);
	put_prefix(message, RTA_PREFSRC, &data->from);
	return message;
}

static struct nl_msg *rule_message(int type, int flags,
				   const struct route_data *data)
{
	struct fib_rule_hdr header = { .family = data->family,
				       .src_len = data->from.length,
				       .table = RT_TABLE_UNSPEC,
				       .action = FR_ACT_TO_TBL };
	struct nl_msg *message =
		netlink_message(type, flags, &header, sizeof(header), 256);

	nla_put_u32(message, FRA_PRIORITY, data->metric);
	nla_put_u32(message, FRA_TABLE, data->table);
	nla_put_u8(message, FRA_PROTOCOL, data->protocol);
	put_prefix(message, FRA_SRC, &data->from);
	if (data->mask) {
		nla_put_u32(message, FRA_FWMARK, data->mark);
		nla_put_u32(message, FRA_FWMASK, data->mask);
	}
	return message;
}

/*
 * A change replaces in place, which loses no packet. The kernel replaces the
 * first route it finds for that network and metric, whoever made it; but plan()
 * refuses where a foreign one stands, and we hold the place already.
 */
static struct nl_msg *step_message(const struct step *step, struct err *err)
{
	const struct route_data *data =
		route_of(step->after ? step->after : step->before);
	bool is_rule = data->what == ROUTE_RULE;
	int type = is_rule ? RTM_NEWRULE : RTM_NEWROUTE;
	int flags = NLM_F_CREATE;

	if (step->op == STEP_DELETE) {
		type = is_rule ? RTM_DELRULE : RTM_DELROUTE;
		flags = 0;
	} else if (step->op == STEP_ADD) {
		flags |= NLM_F_EXCL;
	} else {
		flags |= NLM_F_REPLACE;
	}
	return is_rule ? rule_message(type, flags, data)
		       : route_message(type, flags, data, err);
}

/* ---- answers --------------------------------------------------------- */

/* What is there by now; read when a step is told that its object exists. */
struct present {
	struct host *host;
	struct state state;
	bool known;
};

static void look(struct present *present)
{
	AUTO(tree) struct tree *none = tree_new();
	struct facts facts = { 0 };

	present->known = true;
	if (!host_read_facts(present->host, &facts, NULL))
		route_read(present->host, none, &facts, NULL, &present->state,
			   NULL);
	facts_clear(&facts);
}

/* Somebody, perhaps we before a crash, has put there what we want to add. */
static bool is_there(struct present *present, const struct object *wanted)
{
	const struct object *found;

	if (!present->known)
		look(present);
	found = state_find(&present->state, wanted->backend, wanted->key);
	return found && route_equal(route_of(found), route_of(wanted));
}

static bool took_effect(struct present *present, const struct step *step,
			int code)
{
	if (!code)
		return true;
	if (step->op == STEP_DELETE)
		return code == -ESRCH || code == -ENOENT || code == -ENODEV;
	if (step->op == STEP_ADD && code == -EEXIST)
		return is_there(present, step->after);
	return false;
}

static int fail(const struct step *step, const struct answer *answer,
		struct err *err)
{
	AUTO_TEXT what = TEXT_NONE;

	route_put(route_of(step->after ? step->after : step->before), &what);
	return answer_err(answer, text_get(&what), err);
}

/* Messages for the steps before the first that cannot even be said; returns how
 * many those are. A deletion of what went with its device needs none. */
static size_t say(struct step *const *steps, size_t count, struct batch *batch,
		  size_t *places, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		AUTO_ERR fault = ERR_NONE;
		struct nl_msg *message = step_message(steps[i], &fault);

		if (message) {
			places[batch->count] = i;
			batch_add(batch, message);
		} else if (steps[i]->op == STEP_DELETE) {
			steps[i]->done = true;
		} else {
			AUTO_TEXT what = TEXT_NONE;

			route_put(route_of(steps[i]->after), &what);
			err_move(err, &fault);
			err_prefix(err, "%s: ", text_get(&what));
			return i;
		}
	}
	return count;
}

static int judge(struct host *host, struct step *const *steps,
		 const struct batch *batch, const size_t *places,
		 size_t *failed, struct err *err)
{
	struct present present = { .host = host };
	int rc = 0;

	for (size_t i = 0; i < batch->count; i++) {
		const struct answer *answer = &batch->items[i].answer;
		struct step *step = steps[places[i]];

		step->done = took_effect(&present, step, answer->code);
		if (step->done || rc)
			continue;
		*failed = places[i];
		rc = fail(step, answer, err);
	}
	state_clear(&present.state);
	return rc;
}

int route_apply(struct host *host, struct step *const *steps, size_t count,
		size_t *failed, struct err *err)
{
	struct netlink *netlink = host_netlink(host, NETLINK_ROUTE, err);
	AUTO(mem) void *places = mem_array(count, sizeof(size_t));
	struct batch batch = BATCH_NONE;
	AUTO_ERR unsaid = ERR_NONE;
	size_t said;
	int rc, judged;

	*failed = 0;
	if (!netlink)
		return err && err->code ? err->code : -EIO;
	said = say(steps, count, &batch, places, &unsaid);
	rc = netlink_send(netlink, &batch, NULL, err);
	*failed = said;
	judged = judge(host, steps, &batch, places, failed, rc ? NULL : err);
	batch_clear(&batch);
	if (rc)
		return rc;
	if (judged)
		return judged;
	return said < count ? err_move(err, &unsaid) : 0;
}
