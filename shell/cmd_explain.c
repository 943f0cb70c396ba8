/* SPDX-License-Identifier: GPL-3.0-or-later */
/* explain: what the settings of an object come to. */
#include <stdlib.h>
#include <string.h>

#include "model/leaf.h"
#include "model/presets.h"
#include "model/shaping.h"
#include "model/shard.h"
#include "shell/explain_link.h"
#include "shell/session.h"

/* What is looked at, and where it would be. */
struct view {
	struct session *session;
	struct output *output;
	const struct node *node;
	const struct outcome *seen;   /* NULL: it cannot be told */
	const struct link_fact *link; /* NULL: not there, or not known */
	const char *device;	      /* or NULL */
	uint32_t header;	      /* bytes of link header */
	char ifb[IFB_NAME_SIZE];      /* of what arrives, or "" */
};

static bool is_json(const struct view *view)
{
	return output_is_json(view->output);
}

/* ---- figures ---- */

/* Four digits are enough to compare by. */
static void put_bit_rate(double bits, struct text *out)
{
	static const char *const units[] = { "bit", "kbit", "mbit", "gbit" };
	size_t unit = 0;

	for (; unit < 3 && bits >= 9999.5; unit++)
		bits /= 1000;
	text_printf(out, bits < 99.95 && unit ? "%.2f%s" : "%.0f%s", bits,
		    units[unit]);
}

static void put_time(double seconds, struct text *out)
{
	if (seconds >= 1)
		text_printf(out, "%.1f s", seconds);
	else if (seconds >= 0.01)
		text_printf(out, "%.0f ms", seconds * 1e3);
	else
		text_printf(out, "%.2g ms", seconds * 1e3);
}

static double seconds_of(double bytes, uint64_t rate_bits)
{
	return rate_bits ? bytes * 8 / (double)rate_bits : 0;
}

static uint64_t ceil_bits(const struct node *class)
{
	return node_has(class, CLASS_CEIL) ? node_u(class, CLASS_CEIL)
					   : node_u(class, CLASS_RATE);
}

/* A packet of `ip` bytes of IP. */
struct sample {
	uint64_t ip, l2, counted;
	double rate_l2, ceil_l2; /* bit/s */
	double wire;		 /* bytes on the line for a byte counted */
};
#define SAMPLES 3

/* The ceil of a class above may be less, counted its own way. */
static double ceil_of(const struct view *view, uint64_t l2)
{
	double least = 0;

	for (const struct node *at = view->node; node_kind(at) == &kind_class;
	     at = node_parent(at)) {
		double bits =
			(double)ceil_bits(at) * (double)l2 /
			(double)class_packet_cost_on(at, view->header, l2);

		if (at == view->node || bits < least)
			least = bits;
	}
	return least;
}

static void take_samples(const struct view *view, struct sample *samples)
{
	static const uint64_t sizes[SAMPLES] = { 64, 500, 1400 };
	const struct node *class = view->node;

	for (size_t i = 0; i < SAMPLES; i++) {
		struct sample *at = &samples[i];

		at->ip = sizes[i];
		at->l2 = sizes[i] + view->header;
		at->counted = class_packet_cost_on(class, view->header, at->l2);
		at->rate_l2 = (double)node_u(class, CLASS_RATE) *
			      (double)at->l2 / (double)at->counted;
		at->ceil_l2 = ceil_of(view, at->l2);
		at->wire = class_is_ptm(class) ? 65.0 / 64 : 1;
	}
}

enum layer_of_rate { RATE_L2, RATE_IP, RATE_WIRE };

static double rate_at(const struct sample *at, double l2,
		      enum layer_of_rate layer)
{
	double packets = l2 / (double)at->l2;

	switch (layer) {
	case RATE_IP: return packets * (double)at->ip;
	case RATE_WIRE: return packets * (double)at->counted * at->wire;
	default: return l2;
	}
}

static void rates_row(struct output *output, const char *name,
		      const struct sample *samples, bool ceil,
		      enum layer_of_rate layer)
{
	output_open(output, SHAPE_ROW, NULL, NULL);
	output_field(output, "", name);
	for (size_t i = 0; i < SAMPLES; i++) {
		AUTO_TEXT text = TEXT_NONE;

		put_bit_rate(rate_at(&samples[i],
				     ceil ? samples[i].ceil_l2
					  : samples[i].rate_l2,
				     layer),
			     &text);
		output_field(output, "", text_get(&text));
	}
	output_close(output);
}

static void bytes_row(struct output *output, const char *name,
		      const uint64_t *bytes)
{
	output_open(output, SHAPE_ROW, NULL, NULL);
	output_field(output, "", name);
	for (size_t i = 0; i < SAMPLES; i++) {
		AUTO_TEXT text = TEXT_NONE;

		text_printf(&text, "%llu", (unsigned long long)bytes[i]);
		output_field(output, "", text_get(&text));
	}
	output_close(output);
}

static void rates_text(struct output *output, const struct sample *samples)
{
	const uint64_t ip[] = { samples[0].ip, samples[1].ip, samples[2].ip };
	const uint64_t l2[] = { samples[0].l2, samples[1].l2, samples[2].l2 };
	const uint64_t line[] = { samples[0].counted, samples[1].counted,
				  samples[2].counted };

	output_open(output, SHAPE_TABLE, "rates", NULL);
	bytes_row(output, "packet: bytes of IP", ip);
	bytes_row(output, "  on the device (L2)", l2);
	bytes_row(output, "  counted by HTB", line);
	rates_row(output, "rate: L2", samples, false, RATE_L2);
	rates_row(output, "  IP", samples, false, RATE_IP);
	rates_row(output, "  wire", samples, false, RATE_WIRE);
	rates_row(output, "ceil: L2", samples, true, RATE_L2);
	rates_row(output, "  IP", samples, true, RATE_IP);
	rates_row(output, "  wire", samples, true, RATE_WIRE);
	output_close(output);
}

static void rate_number(struct output *output, const char *name,
			const struct sample *at, double l2,
			enum layer_of_rate layer)
{
	output_number(output, name, (uint64_t)(rate_at(at, l2, layer) + 0.5));
}

static void rates_json(struct output *output, const struct sample *samples)
{
	output_open(output, SHAPE_TABLE, "rates", NULL);
	for (size_t i = 0; i < SAMPLES; i++) {
		const struct sample *at = &samples[i];

		output_open(output, SHAPE_ROW, NULL, NULL);
		output_number(output, "ip-bytes", at->ip);
		output_number(output, "l2-bytes", at->l2);
		output_number(output, "counted-bytes", at->counted);
		rate_number(output, "rate-l2", at, at->rate_l2, RATE_L2);
		rate_number(output, "rate-ip", at, at->rate_l2, RATE_IP);
		rate_number(output, "rate-wire", at, at->rate_l2, RATE_WIRE);
		rate_number(output, "ceil-l2", at, at->ceil_l2, RATE_L2);
		rate_number(output, "ceil-ip", at, at->ceil_l2, RATE_IP);
		rate_number(output, "ceil-wire", at, at->ceil_l2, RATE_WIRE);
		output_close(output);
	}
	output_close(output);
}

static void show_rates(const struct view *view)
{
	struct sample samples[SAMPLES];

	take_samples(view, samples);
	if (is_json(view))
		rates_json(view->output, samples);
	else
		rates_text(view->output, samples);
}

/* ---- the link layer ---- */

static void put_source(const struct layer_source *source, struct text *out)
{
	AUTO(str) char *path = NULL;

	if (!source->node) {
		text_put(out, "nobody says: the default");
		return;
	}
	path = node_path_dup(source->node);
	if (source->preset)
		text_printf(out, "preset=%s of %s", source->preset->name, path);
	else
		text_printf(out, "given at %s", path);
}

static void layer_row(const struct view *view, const char *name,
		      const char *value, enum layer layer)
{
	struct layer_source source = class_layer(view->node, layer);
	AUTO_TEXT from = TEXT_NONE;

	put_source(&source, &from);
	output_open(view->output, SHAPE_ROW, NULL, NULL);
	output_field(view->output, "setting", name);
	output_field(view->output, "value", value);
	output_field(view->output, "from", text_get(&from));
	output_close(view->output);
}

static void show_layers(const struct view *view)
{
	const struct node *class = view->node;
	AUTO(str)
	char *overhead =
		mem_printf("%u", class_overhead_on(class, view->header));
	AUTO(str) char *mpu = mem_printf("%u", class_mpu(class));

	output_open(view->output, SHAPE_TABLE, "layers", NULL);
	layer_row(view, "linklayer",
		  class_linklayer(class) == LINKLAYER_ATM ? "atm" : "ethernet",
		  LAYER_LINKLAYER);
	layer_row(view, "overhead", overhead, LAYER_OVERHEAD);
	layer_row(view, "mpu", mpu, LAYER_MPU);
	output_close(view->output);
}

/* ---- bursts, turns and the queue ---- */

static void show_burst(const struct view *view, const char *name,
		       uint64_t bytes, const char *of, uint64_t rate)
{
	AUTO_TEXT text = TEXT_NONE;
	AUTO(str) char *number = mem_printf("%s-bytes", name);

	if (is_json(view)) {
		output_number(view->output, number, bytes);
		return;
	}
	text_printf(&text, "%llu bytes: ", (unsigned long long)bytes);
	put_time(seconds_of((double)bytes, rate), &text);
	text_printf(&text, " at %s", of);
	output_field(view->output, name, text_get(&text));
}

static void show_quantum(const struct view *view)
{
	const struct node *class = view->node;
	uint64_t r2q = node_u(class_uplink(class), UPLINK_R2Q);
	bool given = node_has(class, CLASS_QUANTUM);
	uint64_t bytes = given ? node_u(class, CLASS_QUANTUM)
			       : shaping_quantum(class_rate_bytes(class), r2q);
	AUTO_TEXT text = TEXT_NONE;

	if (is_json(view)) {
		output_number(view->output, "quantum-bytes", bytes);
		return;
	}
	text_printf(&text, "%llu bytes a turn when borrowing, ",
		    (unsigned long long)bytes);
	if (given)
		text_put(&text, "given");
	else
		text_printf(&text, "rate / r2q %llu, from 1000 to 200000",
			    (unsigned long long)r2q);
	output_field(view->output, "quantum", text_get(&text));
}

/* How much fits into a queue. */
struct depth {
	uint64_t limit; /* 0: not known */
	bool bytes;	/* of limit; else packets */
	uint64_t target_us;
};

static uint64_t queue_long(const struct view *view)
{
	return view->link && view->link->txqlen && !view->ifb[0]
		       ? view->link->txqlen
		       : 1000;
}

static uint64_t full_packet(const struct view *view)
{
	return (view->link ? view->link->mtu : 1500) + view->header;
}

static uint64_t option_of(const struct view *view, const struct leaf_item *item,
			  size_t i)
{
	const struct leaf_option *option = &item->kind->options[i];

	if (item->given >> i & 1)
		return item->value[i];
	switch (option->from) {
	case LEAF_QUEUE_LONG: return queue_long(view);
	case LEAF_QUEUE_BYTES: return queue_long(view) * full_packet(view);
	case LEAF_PACKETS_LONG: return option->standard * full_packet(view);
	default: return option->standard;
	}
}

static struct depth depth_of(const struct view *view,
			     const struct leaf_item *item)
{
	struct depth depth = { 0, false, 0 };

	for (size_t i = 0; i < item->kind->option_count; i++) {
		const struct leaf_option *option = &item->kind->options[i];

		if (!strcmp(option->name, "limit")) {
			depth.limit = option_of(view, item, i);
			depth.bytes = option->form == LEAF_SIZE;
		} else if (!strcmp(option->name, "target")) {
			depth.target_us = option_of(view, item, i);
		}
	}
	return depth;
}

/* The alternative that this kernel has; the first where that is not known. */
static const struct leaf_item *item_taken(const struct view *view,
					  const struct leaf *leaf)
{
	for (size_t i = 0; i < leaf->count && view->seen; i++) {
		const char *name = leaf->item[i].kind->name;
		bool asked;

		if (!leaf->item[i].kind->module ||
		    facts_qdisc(&view->seen->facts, name, &asked) || !asked)
			return &leaf->item[i];
	}
	return leaf->item;
}

static void put_wait(const struct view *view, const struct depth *depth,
		     struct text *out)
{
	const struct node *class = view->node;
	uint64_t full = full_packet(view);
	uint64_t cost = class_packet_cost_on(class, view->header, full);
	double bytes = (double)depth->limit * (double)cost;

	if (depth->bytes)
		bytes /= (double)full;
	if (depth->limit) {
		text_printf(out,
			    "; full of packets of %llu bytes it makes a packet "
			    "wait ",
			    (unsigned long long)full - view->header);
		put_time(seconds_of(bytes, node_u(class, CLASS_RATE)), out);
		text_put(out, " at rate, ");
		put_time(seconds_of(bytes, ceil_bits(class)), out);
		text_put(out, " at ceil");
	}
	if (depth->target_us) {
		text_put(out, "; it drops or marks to keep the wait near ");
		put_time((double)depth->target_us / 1e6, out);
	}
}

static void json_depth(const struct view *view, const char *queue,
		       const struct depth *depth)
{
	output_field(view->output, "queue", queue);
	if (depth->limit)
		output_number(view->output,
			      depth->bytes ? "queue-bytes" : "queue-packets",
			      depth->limit);
	if (depth->target_us)
		output_number(view->output, "target-us", depth->target_us);
}

static void show_queue(const struct view *view)
{
	AUTO(leaf) struct leaf *leaf = NULL;
	const char *words = node_text(view->node, CLASS_LEAF);
	struct depth depth = { queue_long(view), false, 0 };
	AUTO_TEXT text = TEXT_NONE;

	if (words && leaf_parse(words, &leaf, NULL) < 0)
		return;
	if (node_has(view->node, CLASS_LEAF) && !words) {
		output_field(view->output, "queue",
			     "somebody else's (leaf=foreign)");
		return;
	}
	if (leaf) {
		depth = depth_of(view, item_taken(view, leaf));
		leaf_item_print(item_taken(view, leaf), &text);
	} else {
		text_printf(&text, "HTB's own pfifo, %llu packets",
			    (unsigned long long)depth.limit);
	}
	if (is_json(view)) {
		json_depth(view, text_get(&text), &depth);
		return;
	}
	put_wait(view, &depth, &text);
	output_field(view->output, "queue", text_get(&text));
}

/* ---- what leads here ---- */

struct asked {
	const struct node *match;
	uint64_t order;
	size_t place;
	bool packet;
};
struct asking {
	struct asked *items; /* owned */
	size_t count, room;
	bool down; /* of what arrives, each packet is asked by itself */
};

/* In the order of backends/mark/: classes below first, then by name. */
static void ask_below(const struct node *parent, struct asking *asking)
{
	AUTO(mem) void *room = node_sorted(parent);

	for (struct node **at = room; *at; at++) {
		const struct node *matches;

		if (node_kind(*at) != &kind_class)
			continue;
		ask_below(*at, asking);
		matches = node_fixed(*at, &kind_matches);
		if (!class_is_leaf(*at) || !matches)
			continue;
		ask_below(matches, asking);
	}
	if (node_kind(parent) != &kind_matches)
		return;
	for (struct node **at = room; *at; at++) {
		if (!node_u(*at, MATCH_ENABLED))
			continue;
		asking->items = mem_grow(asking->items, asking->count,
					 &asking->room, sizeof(*asking->items));
		asking->items[asking->count] = (struct asked){
			*at, node_u(*at, MATCH_ORDER), asking->count,
			!asking->down &&
				node_u(*at, MATCH_SCOPE) == SCOPE_PACKET
		};
		asking->count++;
	}
}

static int by_turn(const void *left, const void *right)
{
	const struct asked *a = left, *b = right;

	if (a->packet != b->packet)
		return a->packet ? 1 : -1;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

static void put_asked(const struct asking *asking, size_t at, struct text *out)
{
	const struct asked *asked = &asking->items[at];
	size_t turn = 0, all = 0;

	for (size_t i = 0; i < asking->count; i++) {
		all += asking->items[i].packet == asked->packet;
		turn += asking->items[i].packet == asked->packet && i <= at;
	}
	text_printf(out, "%zu of %zu asked of %s", turn, all,
		    asking->down    ? "each packet until one holds"
		    : asked->packet ? "each packet, after the connection's"
				    : "a connection until one holds");
}

static void show_matches(const struct view *view)
{
	struct asking asking = { NULL, 0, 0, false };
	bool is_match = node_kind(view->node) == &kind_match;
	const struct node *class =
		is_match ? node_owner(view->node) : view->node;

	asking.down = uplink_is_down(class_uplink(class));
	ask_below(class_uplink(class), &asking);
	if (asking.count)
		qsort(asking.items, asking.count, sizeof(*asking.items),
		      by_turn);
	output_open(view->output, SHAPE_TABLE, "matches", NULL);
	for (size_t i = 0; i < asking.count; i++) {
		const struct node *match = asking.items[i].match;
		AUTO_TEXT turn = TEXT_NONE, what = TEXT_NONE;

		if (is_match ? match != view->node : node_owner(match) != class)
			continue;
		put_asked(&asking, i, &turn);
		kind_match.brief(match, &what);
		output_open(view->output, SHAPE_ROW, NULL, NULL);
		output_field(view->output, "match", node_name(match));
		output_field(view->output, "turn", text_get(&turn));
		output_field(view->output, "what", text_get(&what));
		output_close(view->output);
	}
	output_close(view->output);
	free(asking.items);
}

static void put_ways(const struct node *class, struct text *out)
{
	const struct node *uplink = class_uplink(class);
	const struct node *machine = tree_system(node_tree(class));
	AUTO_TEXT mark = TEXT_NONE;

	node_print(class, CLASS_MARK, &mark);
	if (!class_is_leaf(class)) {
		text_put(out, "nothing by itself: what the classes below it "
			      "send");
		return;
	}
	if (uplink_is_down(uplink))
		text_put(out, "what arrives and its matches hold for");
	else if (node_has(class, CLASS_MARK))
		text_printf(out,
			    "mark %s within 0x%x, of the packet or else of its "
			    "connection",
			    text_get(&mark),
			    node_value(machine, SYSTEM_CLASS_MASK)->bits.value);
	else
		text_put(out, "no mark yet");
	if (node_target(uplink, UPLINK_DEFAULT, NULL) == class)
		text_put(out, "; and, as the default, what nothing claims");
}

/* ---- doubts, and what it comes to ---- */

static void show_doubts(const struct view *view)
{
	struct report report = REPORT_NONE;
	AUTO(str) char *path = node_path_dup(view->node);

	tree_check(node_tree(view->node), &report);
	output_open(view->output, SHAPE_TABLE, "doubts", NULL);
	for (size_t i = 0; i < report.count; i++) {
		if (strcmp(report.items[i].path, path) != 0)
			continue;
		output_open(view->output, SHAPE_ROW, NULL, NULL);
		if (!is_json(view))
			output_field(view->output, "", "doubt");
		output_field(view->output, "text", report.items[i].text);
		output_close(view->output);
	}
	output_close(view->output);
	report_clear(&report);
}

/* Is it this object's, or a match's of this class? */
static bool is_of(const struct view *view, const char *path, const char *here)
{
	size_t length = strlen(here);

	if (strncmp(path, here, length) != 0)
		return false;
	return !path[length] || (node_kind(view->node) == &kind_class &&
				 !strncmp(path + length, "/match/", 7));
}

static void show_objects(const struct view *view)
{
	const struct state *want = view->seen ? &view->seen->want : NULL;
	const struct node *of = explains_link(view->node)
					? explain_link_objects(view->node)
					: view->node;
	AUTO(str) char *here = node_path_dup(of);

	output_open(view->output, SHAPE_TABLE, "objects", NULL);
	for (size_t i = 0; want && i < want->count; i++) {
		const struct object *object = &want->items[i];
		AUTO_TEXT text = TEXT_NONE;

		if (!is_of(view, object->path, here))
			continue;
		object->backend->print(object, &text);
		output_open(view->output, SHAPE_ROW, NULL, NULL);
		output_field(view->output, "driver", object->backend->name);
		output_field(view->output, "object", text_get(&text));
		output_close(view->output);
	}
	output_close(view->output);
}

/* ---- one kind at a time ---- */

static void show_device(const struct view *view)
{
	AUTO_TEXT text = TEXT_NONE;

	if (!view->device)
		return;
	text_put(&text, view->device);
	if (!is_json(view)) {
		if (view->ifb[0])
			text_printf(&text, ", by %s", view->ifb);
		if (!view->link)
			text_put(&text, view->seen ? ", which is not there"
						   : ", not looked at");
		text_printf(&text, "; a packet has %u bytes of link header",
			    view->header);
		if (!view->link)
			text_put(&text, ", were it Ethernet");
	}
	output_field(view->output, "device", text_get(&text));
	if (is_json(view))
		output_number(view->output, "header-bytes", view->header);
}

/* One of thousands: what tc calls it is not what the tree does. */
static void show_shard(const struct view *view)
{
	const struct node *class = view->node, *uplink = class_uplink(class);
	uint32_t shard, handle;
	AUTO_TEXT text = TEXT_NONE;

	if (!view->seen || !uplink_shards(uplink, &view->seen->facts))
		return;
	shard = shard_of(class);
	if (!shard)
		return;
	handle = class_handle(class, true);
	text_printf(&text, "%x:%x", handle >> 16, handle & 0xffff);
	if (!is_json(view))
		text_printf(&text,
			    " in tc: one of the HTBs that many classes are "
			    "dealt out to (shards)");
	output_field(view->output, is_json(view) ? "handle" : "shard",
		     text_get(&text));
}

static void explain_class(const struct view *view)
{
	const struct node *class = view->node;
	AUTO_TEXT ways = TEXT_NONE, id = TEXT_NONE;

	put_ways(class, &ways);
	node_print(class, CLASS_CLASSID, &id);
	if (!is_json(view))
		output_open(view->output, SHAPE_RECORD, NULL, NULL);
	show_device(view);
	output_field(view->output, "classid", text_get(&id));
	show_shard(view);
	output_field(view->output, "gets", text_get(&ways));
	show_burst(view, "burst", class_burst(class), "rate",
		   node_u(class, CLASS_RATE));
	show_burst(view, "cburst", class_cburst(class), "ceil",
		   ceil_bits(class));
	show_quantum(view);
	if (class_is_leaf(class))
		show_queue(view);
	if (!is_json(view))
		output_close(view->output);
	show_layers(view);
	show_rates(view);
	show_matches(view);
}

static void explain_path(const struct view *view)
{
	static const size_t attrs[] = { PATH_GATEWAY,  PATH_SOURCE,
					PATH_GATEWAY6, PATH_SOURCE6,
					PATH_TABLE,    PATH_MARK };

	output_open(view->output, SHAPE_RECORD, NULL, NULL);
	show_device(view);
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++)
		output_setting(view->output, view->node, attrs[i], NULL);
	output_close(view->output);
}

static bool look(struct session *session, const struct node *node,
		 struct view *view)
{
	const struct kind *kind = node_kind(node);
	const struct node *top = node;
	const char *why;

	if (explains_link(node)) {
		*view = (struct view){ .session = session,
				       .output = session->output,
				       .node = node,
				       .seen = session_observe(session, &why) };
		return true;
	}
	if (kind != &kind_path && kind != &kind_uplink && kind != &kind_class &&
	    kind != &kind_match)
		return false;
	while (node_kind(top) != &kind_path && node_kind(top) != &kind_uplink)
		top = node_parent(top);
	*view = (struct view){ .session = session,
			       .output = session->output,
			       .node = node,
			       .seen = session_observe(session, &why),
			       .header = LINK_HEADER_ETHERNET };
	view->device = kind == &kind_path ? node_text(node, PATH_DEVICE)
					  : uplink_device(top);
	if (kind != &kind_path && uplink_is_down(top))
		uplink_ifb(top, view->ifb);
	if (view->seen && view->device)
		view->link = facts_link(&view->seen->facts, view->device);
	if (view->link)
		view->header = link_header(view->link);
	return true;
}

static int explain_run(struct session *session, const struct match *match,
		       struct err *err)
{
	const struct node *node = match_node(match, "path", err);
	AUTO(str) char *path = NULL;
	struct view view;

	if (!node)
		return err->code;
	path = node_path_dup(node);
	if (!look(session, node, &view))
		return err_set(err, EINVAL,
			       "%s: explain a path, an uplink, a class, a "
			       "match, a link, a member or a peer",
			       path);
	output_answer(session->output, "path", path);
	if (node_kind(node) == &kind_class)
		explain_class(&view);
	else if (node_kind(node) == &kind_path)
		explain_path(&view);
	else if (node_kind(node) == &kind_match)
		show_matches(&view);
	else if (explains_link(node))
		explain_link(session, node);
	show_doubts(&view);
	show_objects(&view);
	return 0;
}

static const struct arg explain_args[] = {
	{ .name = "path",
	  .type = &type_node,
	  .help = "the object; this one, if left out" },
	{ 0 },
};

const struct command command_explain = {
	.name = "explain",
	.summary = "show what the settings of an object come to",
	.man = "Of a class: what it gets, its burst in milliseconds, how long "
	       "a full queue makes a packet wait, where the link layer comes "
	       "from, and its rate and ceil as bytes of the device (L2), of IP "
	       "and of the line, for packets of 64, 500 and 1,400 bytes of IP. "
	       "What the line carries is only as true as preset=, or linklayer "
	       "and overhead.\n\n"
	       "Of a link, a member or a peer: what was told, what was chosen "
	       "and what was found out, with where each is from; the keys, as "
	       "anybody may see them; what limits it now; and what packets of "
	       "64, 500 and 1,400 bytes of IP are on a line of IPv4 or IPv6, "
	       "and how much of that is useful.\n\n"
	       "Of all objects: the doubts about it, with what would be right, "
	       "and what it comes to in the kernel: routes, rules, qdiscs, "
	       "classes, nftables' rules.",
	.example = "explain /paths/adsl0",
	.see = "info, status",
	.json = "path:string device?:string header-bytes?:int classid?:string "
		"gets?:string settings?:settings origins?:origins "
		"burst-bytes?:int cburst-bytes?:int quantum-bytes?:int "
		"queue?:string queue-packets?:int queue-bytes?:int "
		"target-us?:int layers?:[layer] rates?:[sample] "
		"matches?:[match-turn] facts?:[fact] "
		"packets?:[tunnel-packet] doubts:[doubt] objects:[made]",
	.args = explain_args,
	.needs = NEEDS_TREE | REPEATABLE,
	.run = explain_run,
};
