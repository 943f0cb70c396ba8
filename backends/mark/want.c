/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tree asks for: mark.h shows the layout. */
#include <netinet/in.h> /* before linux/netfilter.h, which has a copy */
#include <linux/netfilter.h>
#include <string.h>

#include "backends/mark/expr.h"
#include "backends/mark/item.h"
#include "backends/mark/mark.h"
#include "backends/mark/match.h"
#include "backends/mark/names.h"
#include "backends/mark/set.h"
#include "backends/mark/uplink.h"
#include "model/shard.h"

/* A chain that rules are put into. */
struct chain {
	const char *name;
	uint32_t count; /* rules so far */
};

struct work {
	struct state *want;
	struct report *report;
	const struct facts *facts;
	struct chain egress, local, arrive;
};

/* What belongs to one uplink; all owned. */
struct names {
	char *up, *conn, *packet, *local, *host; /* chains */
	char *map;
	char *path; /* of its node */
};

static void names_clear(struct names *names)
{
	free(names->up);
	free(names->conn);
	free(names->packet);
	free(names->local);
	free(names->host);
	free(names->map);
	free(names->path);
}

/* ---- objects --------------------------------------------------------- */

static void add_item(struct work *work, enum item_what what, const char *name,
		     const struct text *body, const char *path)
{
	struct item item = { .what = what,
			     .name = name,
			     .body = nfattr_text(body) };

	item_add(work->want, &item, path);
}

static void add_table(struct work *work)
{
	struct text none = TEXT_NONE;

	add_item(work, ITEM_TABLE, "", &none, "/classes");
}

static void add_chain(struct work *work, const char *name, const char *path)
{
	AUTO_TEXT body = TEXT_NONE;

	nfattr_put_text(&body, NFTA_CHAIN_NAME, name);
	add_item(work, ITEM_CHAIN, name, &body, path);
}

static void add_base_chain(struct work *work, const char *name, uint32_t hook)
{
	AUTO_TEXT body = TEXT_NONE;
	size_t at;

	nfattr_put_text(&body, NFTA_CHAIN_NAME, name);
	at = nfattr_open(&body, NFTA_CHAIN_HOOK);
	nfattr_put_u32(&body, NFTA_HOOK_HOOKNUM, hook);
	nfattr_put_u32(&body, NFTA_HOOK_PRIORITY, (uint32_t)MARK_PRIORITY);
	nfattr_close(&body, at);
	nfattr_put_u32(&body, NFTA_CHAIN_POLICY, NF_ACCEPT);
	nfattr_put_text(&body, NFTA_CHAIN_TYPE, "filter");
	add_item(work, ITEM_CHAIN, name, &body, "/classes");
}

/* Takes the draft's content; comment "" for none. */
static void add_rule(struct work *work, struct chain *chain,
		     struct draft *draft, const char *comment, const char *path)
{
	AUTO_TEXT userdata = TEXT_NONE;
	struct item item = { .what = ITEM_RULE,
			     .order = chain->count++,
			     .name = chain->name,
			     .body = nfattr_text(&draft->exprs),
			     .sets = nfattr_text(&draft->sets) };

	if (comment[0])
		names_userdata(comment, &userdata);
	item.extra = nfattr_text(&userdata);
	item_add(work->want, &item, path);
	draft_clear(draft);
}

/* ---- the map --------------------------------------------------------- */

/* What nft wants to know of the map: libnftnl/udata.h's KEYBYTEORDER and
 * DATABYTEORDER of the machine, DATA_INTERVAL no. Of a set, the first. */
static void put_map_userdata(struct text *body, bool is_map)
{
	AUTO_TEXT udata = TEXT_NONE;
	static const struct {
		uint8_t type;
		uint32_t u;
	} known[] = { { 0, 1 }, { 1, 1 }, { 6, 0 } };

	for (size_t i = 0; i < (is_map ? ARRAY_SIZE(known) : 1); i++) {
		uint8_t head[] = { known[i].type, sizeof(known[i].u) };

		text_put_bytes(&udata, head, sizeof(head));
		text_put_bytes(&udata, &known[i].u, sizeof(known[i].u));
	}
	nfattr_put(body, NFTA_SET_USERDATA, text_get(&udata), udata.length);
}

/* From mark to class. With fw it is tc that knows the class, and this is but
 * the set of marks that have one. */
static void add_map(struct work *work, const struct uplink *uplink,
		    const char *name, const char *path)
{
	AUTO_TEXT body = TEXT_NONE;
	bool is_map = !uplink->fw;

	nfattr_put_text(&body, NFTA_SET_NAME, name);
	if (is_map) /* the kernel does not dump a 0 */
		nfattr_put_u32(&body, NFTA_SET_FLAGS, NFT_SET_MAP);
	nfattr_put_u32(&body, NFTA_SET_KEY_TYPE, DATATYPE_MARK);
	nfattr_put_u32(&body, NFTA_SET_KEY_LEN, 4);
	if (is_map) {
		nfattr_put_u32(&body, NFTA_SET_DATA_TYPE, DATATYPE_CLASSID);
		nfattr_put_u32(&body, NFTA_SET_DATA_LEN, 4);
	}
	put_map_userdata(&body, is_map);
	add_item(work, ITEM_SET, name, &body, path);
}

static void put_data(struct text *out, unsigned type, uint32_t u)
{
	size_t at = nfattr_open(out, type);

	nfattr_put(out, NFTA_DATA_VALUE, &u, sizeof(u));
	nfattr_close(out, at);
}

static void add_element(struct work *work, const struct uplink *uplink,
			const char *map, const struct node *class)
{
	AUTO(str) char *path = node_path_dup(class);
	AUTO_TEXT body = TEXT_NONE;
	size_t at = nfattr_open(&body, NFTA_LIST_ELEM);
	struct item item = { .what = ITEM_ELEMENT, .name = map };

	put_data(&body, NFTA_SET_ELEM_KEY, class_mark(class));
	if (!uplink->fw)
		put_data(&body, NFTA_SET_ELEM_DATA,
			 class_handle(class, uplink->shards));
	nfattr_close(&body, at);
	item.body = nfattr_text(&body);
	if (!item_add(work->want, &item, path))
		report_error(work->report, class, EEXIST,
			     "mark %u is another class's of this uplink too",
			     class_mark(class));
}

/* ---- rules ----------------------------------------------------------- */

static void load_ct(const struct uplink *uplink, struct draft *draft)
{
	expr_ct_mark(draft);
	expr_mask(draft, uplink->mask, 0);
}

static void load_mark(const struct uplink *uplink, struct draft *draft)
{
	expr_meta(draft, NFT_META_MARK);
	expr_mask(draft, uplink->mask, 0);
}

static void claim_connection(const struct uplink *uplink,
			     const struct claim *claim, struct draft *draft)
{
	if (uplink->mask == UINT32_MAX) {
		expr_constant(draft, claim->mark);
	} else {
		expr_ct_mark(draft);
		expr_mask(draft, ~uplink->mask, claim->mark);
	}
	expr_set_ct_mark(draft);
}

static void claim_packet(const struct uplink *uplink, const struct claim *claim,
			 struct draft *draft)
{
	if (!uplink->fw) {
		expr_constant(draft, claim->classid);
		expr_set_meta(draft, NFT_META_PRIORITY);
		return;
	}
	if (uplink->mask == UINT32_MAX) {
		expr_constant(draft, claim->mark);
	} else {
		expr_meta(draft, NFT_META_MARK);
		expr_mask(draft, ~uplink->mask, claim->mark);
	}
	expr_set_meta(draft, NFT_META_MARK);
}

static void add_claim(struct work *work, struct chain *chain,
		      const struct uplink *uplink, const struct claim *claim)
{
	AUTO(str) char *path = node_path_dup(claim->match);
	AUTO_TEXT comment = TEXT_NONE;
	int families[2];
	size_t count = match_families(claim->match, families);

	names_comment(path, &comment);
	for (size_t i = 0; i < count; i++) {
		AUTO_DRAFT draft = DRAFT_NONE;

		match_conditions(claim->match, families[i], &draft);
		expr_counter(&draft);
		if (claim->packet)
			claim_packet(uplink, claim, &draft);
		else
			claim_connection(uplink, claim, &draft);
		expr_return(&draft);
		add_rule(work, chain, &draft, text_get(&comment), path);
	}
}

/* Claims [0..count) of one scope; with_cgroup: also those that only the output
 * hook can decide. */
static void add_claims(struct work *work, struct chain *chain,
		       const struct uplink *uplink, size_t count, bool packet,
		       bool with_cgroup)
{
	for (size_t i = 0; i < count; i++) {
		const struct claim *claim = &uplink->claims[i];

		if (claim->packet == packet && !claim->host &&
		    (with_cgroup || !node_text(claim->match, MATCH_CGROUP)))
			add_claim(work, chain, uplink, claim);
	}
}

/* For a filter on the device (cls_fw), which sees the packet's mark alone. The
 * other bits of that mark are lost here: to join two registers takes Linux
 * 6.13. */
static void add_fw_rule(struct work *work, struct chain *chain,
			const struct uplink *uplink, const char *path)
{
	AUTO_DRAFT draft = DRAFT_NONE;

	load_mark(uplink, &draft);
	expr_cmp_u32(&draft, NFT_CMP_EQ, 0);
	load_ct(uplink, &draft);
	expr_cmp_u32(&draft, NFT_CMP_NEQ, 0);
	load_ct(uplink, &draft);
	expr_set_meta(&draft, NFT_META_MARK);
	add_rule(work, chain, &draft, "", path);
}

/* What a rule with a lookup does where the map has the mark. With fw nothing
 * but that: HTB asks its filters only where the priority names no class
 * (htb_classify() of net/sched/sch_htb.c). */
enum then { THEN_GO_ON, THEN_RETURN, THEN_PACKET };

static void add_lookup(struct work *work, struct chain *chain,
		       const struct uplink *uplink, const struct names *names,
		       bool own_mark, enum then then)
{
	AUTO_DRAFT draft = DRAFT_NONE;

	if (uplink->fw && then == THEN_GO_ON)
		return;
	if (own_mark)
		load_mark(uplink, &draft);
	else
		load_ct(uplink, &draft);
	if (uplink->fw) {
		expr_in_set(&draft, names->map);
	} else {
		expr_map(&draft, names->map);
		expr_set_meta(&draft, NFT_META_PRIORITY);
	}
	if (then == THEN_RETURN)
		expr_return(&draft);
	else if (then == THEN_PACKET)
		expr_goto(&draft, names->packet);
	add_rule(work, chain, &draft, "", names->path);
}

static void add_device_jump(struct work *work, struct chain *base,
			    const struct uplink *uplink, const char *to,
			    const char *path)
{
	AUTO_DRAFT draft = DRAFT_NONE;
	char device[16] = ""; /* IFNAMSIZ */

	strncpy(device, uplink->device, sizeof(device) - 1);
	expr_meta(&draft,
		  base == &work->arrive ? NFT_META_IIFNAME : NFT_META_OIFNAME);
	expr_cmp(&draft, NFT_CMP_EQ, device, sizeof(device));
	expr_jump(&draft, to);
	add_rule(work, base, &draft, "", path);
}

/* ---- names of hosts -------------------------------------------------- */

/* Of a connection's label: how far it is with packets that may hold a name. The
 * last bits, which others are the least likely to use. */
enum label { LABEL_FIRST = 125, LABEL_SECOND, LABEL_DECIDED };

static void add_plain_rule(struct work *work, struct chain *chain,
			   struct draft *draft, const char *path)
{
	expr_return(draft);
	add_rule(work, chain, draft, "", path);
}

/* Only what a client sends, of TCP, at the beginning. */
static void put_host_gate(struct work *work, struct chain *chain,
			  const char *path)
{
	AUTO_DRAFT draft = DRAFT_NONE;
	uint8_t tcp = IPPROTO_TCP, original = 0; /* IP_CT_DIR_ORIGINAL */

	expr_meta(&draft, NFT_META_L4PROTO);
	expr_cmp(&draft, NFT_CMP_NEQ, &tcp, sizeof(tcp));
	add_plain_rule(work, chain, &draft, path);
	expr_ct_direction(&draft);
	expr_cmp(&draft, NFT_CMP_NEQ, &original, sizeof(original));
	add_plain_rule(work, chain, &draft, path);
	expr_ct_label(&draft, LABEL_DECIDED);
	expr_has_label(&draft, true);
	add_plain_rule(work, chain, &draft, path);
}

/* A packet that held data (a sender pushes the last one of each write), and no
 * name that somebody asks for: the third is the last. */
static void put_host_count(struct work *work, struct chain *chain,
			   const char *path)
{
	static const uint8_t push = 0x08, nothing;
	AUTO_DRAFT draft = DRAFT_NONE;

	expr_meta(&draft, NFT_META_L4PROTO);
	expr_cmp_u8(&draft, IPPROTO_TCP);
	expr_payload(&draft, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1);
	expr_bitwise(&draft, &push, &nothing, 1);
	expr_cmp_u8(&draft, 0);
	add_plain_rule(work, chain, &draft, path);
	for (unsigned bit = LABEL_SECOND; bit >= LABEL_FIRST; bit--) {
		expr_ct_label(&draft, bit);
		expr_has_label(&draft, true);
		expr_set_ct_label(&draft, bit + 1);
		add_plain_rule(work, chain, &draft, path);
	}
	expr_set_ct_label(&draft, LABEL_FIRST);
	add_rule(work, chain, &draft, "", path);
}

static void put_host_rule(struct work *work, struct chain *chain,
			  const struct uplink *uplink,
			  const struct claim *claim, int family, unsigned which)
{
	AUTO(str) char *path = node_path_dup(claim->match);
	AUTO_TEXT comment = TEXT_NONE;
	AUTO_DRAFT draft = DRAFT_NONE;

	names_comment(path, &comment);
	match_conditions(claim->match, family, &draft);
	match_pattern(claim->match, which, &draft);
	expr_counter(&draft);
	claim_connection(uplink, claim, &draft);
	expr_set_ct_label(&draft, LABEL_DECIDED);
	expr_return(&draft);
	add_rule(work, chain, &draft, text_get(&comment), path);
}

static void put_hosts(struct work *work, struct chain *chain,
		      const struct uplink *uplink)
{
	for (size_t i = 0; i < uplink->claim_count; i++) {
		const struct claim *claim = &uplink->claims[i];
		int families[2];
		size_t count = claim->host
				       ? match_families(claim->match, families)
				       : 0;

		for (size_t f = 0; f < count; f++)
			for (unsigned which = 0; which < MATCH_PATTERNS;
			     which++)
				put_host_rule(work, chain, uplink, claim,
					      families[f], which);
	}
}

/* The chain is asked of what leaves and of what arrives: a request may go
 * either way, and both leave by this device in the end. */
static void add_host_chain(struct work *work, const struct uplink *uplink,
			   const struct names *names, struct chain *up)
{
	struct chain host = { names->host, 0 };
	AUTO_DRAFT draft = DRAFT_NONE;

	if (!work->arrive.count)
		add_base_chain(work, CHAIN_ARRIVE, NF_INET_PRE_ROUTING);
	add_chain(work, names->host, names->path);
	put_host_gate(work, &host, names->path);
	put_hosts(work, &host, uplink);
	put_host_count(work, &host, names->path);
	expr_jump(&draft, names->host);
	add_rule(work, up, &draft, "", names->path);
	add_device_jump(work, &work->arrive, uplink, names->host, names->path);
}

/* ---- uplinks --------------------------------------------------------- */

/* What nobody claims. It also takes away what the packet brings along, such as
 * the class that it had in a tunnel of this host. */
static void add_default_rule(struct work *work, struct chain *up,
			     const struct uplink *uplink, const char *path)
{
	const struct node *target =
		node_target(uplink->node, UPLINK_DEFAULT, NULL);
	AUTO_DRAFT draft = DRAFT_NONE;

	if (!target || uplink->fw)
		return;
	expr_constant(&draft, class_handle(target, uplink->shards));
	expr_set_meta(&draft, NFT_META_PRIORITY);
	add_rule(work, up, &draft, "", path);
}

/* What is asked of each packet, after its connection. */
static void put_packet_rules(struct work *work, struct chain *chain,
			     const struct uplink *uplink,
			     const struct names *names)
{
	if (uplink->fw)
		add_fw_rule(work, chain, uplink, names->path);
	add_lookup(work, chain, uplink, names, true, THEN_GO_ON);
	add_claims(work, chain, uplink, uplink->claim_count, true, false);
}

/* The map is asked again once the matches were: one of them may have held. */
static void put_connection_rules(struct work *work, struct chain *up,
				 const struct uplink *uplink,
				 const struct names *names)
{
	struct chain conn = { names->conn, 0 }, packet = { names->packet, 0 };
	AUTO_DRAFT draft = DRAFT_NONE;

	add_chain(work, names->conn, names->path);
	add_claims(work, &conn, uplink, uplink->claim_count, false, false);
	add_chain(work, names->packet, names->path);
	put_packet_rules(work, &packet, uplink, names);
	add_lookup(work, up, uplink, names, false, THEN_PACKET);
	expr_jump(&draft, names->conn);
	add_rule(work, up, &draft, "", names->path);
	add_lookup(work, up, uplink, names, false, THEN_GO_ON);
	expr_goto(&draft, names->packet);
	add_rule(work, up, &draft, "", names->path);
}

static void add_local_chain(struct work *work, const struct uplink *uplink,
			    const struct names *names)
{
	struct chain local = { names->local, 0 };

	if (!work->local.count)
		add_base_chain(work, CHAIN_LOCAL, NF_INET_LOCAL_OUT);
	add_chain(work, names->local, names->path);
	add_lookup(work, &local, uplink, names, false, THEN_RETURN);
	add_claims(work, &local, uplink, uplink->local_count, false, true);
	add_device_jump(work, &work->local, uplink, names->local, names->path);
}

static void add_uplink(struct work *work, const struct uplink *uplink,
		       const struct names *names)
{
	struct chain up = { names->up, 0 };

	if (!work->egress.count) {
		add_table(work);
		add_base_chain(work, CHAIN_EGRESS, NF_INET_POST_ROUTING);
	}
	add_map(work, uplink, names->map, names->path);
	for (size_t i = 0; i < uplink->class_count; i++)
		add_element(work, uplink, names->map, uplink->classes[i]);
	add_chain(work, names->up, names->path);
	if (uplink_asks_hosts(uplink))
		add_host_chain(work, uplink, names, &up);
	add_default_rule(work, &up, uplink, names->path);
	if (uplink_asks_connections(uplink)) {
		put_connection_rules(work, &up, uplink, names);
	} else {
		add_lookup(work, &up, uplink, names, false, THEN_GO_ON);
		put_packet_rules(work, &up, uplink, names);
	}
	if (uplink->local_count)
		add_local_chain(work, uplink, names);
	add_device_jump(work, &work->egress, uplink, names->up, names->path);
}

/* What the kernel lacks is said before it refuses, with what does the same. */
static void refuse_hosts(const struct uplink *uplink, struct report *report)
{
	for (size_t i = 0; i < uplink->claim_count; i++)
		if (uplink->claims[i].host)
			report_error(report, uplink->claims[i].match,
				     EOPNOTSUPP,
				     "host: this kernel cannot look for a name "
				     "in a packet: it lacks nft_compat or "
				     "xt_string (CONFIG_NFT_COMPAT, CONFIG_"
				     "NETFILTER_XT_MATCH_STRING); use uid=, "
				     "cgroup=, mark=, or an address or port "
				     "for each service");
}

static void want_uplink(struct work *work, const struct node *node,
			uint32_t mask)
{
	const char *name = node_name(node);
	struct names names = { .up = names_for("up_", name),
			       .conn = names_for("conn_", name),
			       .packet = names_for("packet_", name),
			       .local = names_for("local_", name),
			       .host = names_for("host_", name),
			       .map = names_for("class_", name),
			       .path = node_path_dup(node) };
	struct uplink uplink;

	if (uplink_read(node, work->facts, mask, work->report, &uplink)) {
		if (work->facts->asked_string && !work->facts->has_string)
			refuse_hosts(&uplink, work->report);
		add_uplink(work, &uplink, &names);
	}
	uplink_clear(&uplink);
	names_clear(&names);
}

static uint32_t class_mask(const struct tree *tree)
{
	const struct value *value =
		node_value(tree_system(tree), SYSTEM_CLASS_MASK);

	return value && !value->word ? value->bits.value : 0xffff;
}

void mark_want(const struct tree *tree, const struct facts *facts,
	       struct report *report, struct state *want)
{
	struct work work = { .want = want,
			     .report = report,
			     .facts = facts,
			     .egress = { CHAIN_EGRESS, 0 },
			     .local = { CHAIN_LOCAL, 0 },
			     .arrive = { CHAIN_ARRIVE, 0 } };
	AUTO(mem) void *room = node_sorted(tree_classes(tree));
	uint32_t mask = class_mask(tree);

	for (struct node **at = room; *at; at++)
		if (node_kind(*at) == &kind_uplink)
			want_uplink(&work, *at, mask);
}
