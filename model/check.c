/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What can be said of a tree without looking at a host. Most of these are
 * requests that the kernel and tc accept and then do not do (measured on 6.18:
 * ceil below rate, children above their parent, prio past 7, a burst that wraps
 * 32 bit of ticks, a link layer on the leaves alone). Errors refuse; a warning
 * is a doubt with a figure. (Declared in txn.h.)
 */
#include <netinet/in.h>

#include "model/base/mem.h"
#include "model/check_link.h"
#include "model/leaf.h"
#include "model/node.h"
#include "model/presets.h"
#include "model/report.h"
#include "model/shaping.h"
#include "model/shard.h"
#include "model/sums.h"
#include "model/txn.h"
#include "model/types/prefix.h"

#define each_below(at, branch, sort)                                           \
	for (struct node *at = node_walk(branch, branch); at;                  \
	     at = node_walk(branch, at))                                       \
		if (node_kind(at) == (sort))

#define RATE(name, bit_per_s)                                                  \
	AUTO_TEXT name = TEXT_NONE;                                            \
	rate_print(bit_per_s, &name)

/* ---- references ---- */

/* Who names a target that is not there: "no such" at the referrer. The same
 * message serves a deletion, where it tells who still uses what goes. */
static void check_references(const struct node *node, struct report *report)
{
	const struct kind *kind = node_kind(node);

	for (size_t attr = 0; attr < kind->attr_count; attr++) {
		AUTO_ERR err = ERR_NONE;
		AUTO(str) char *path = NULL;

		if (kind->attrs[attr].type != &type_ref ||
		    !node_has(node, attr) || node_target(node, attr, &err))
			continue;
		path = node_path_dup(node);
		report_error(report, node, -err.code, "%s",
			     err.text + strlen(path) + 2);
	}
}

/* ---- numbers that must be apart ---- */

struct holder {
	uint64_t number;
	const struct node *node;
};

static int by_number(const void *left, const void *right)
{
	const struct holder *a = left, *b = right;

	return a->number < b->number ? -1 : a->number > b->number;
}

/* Reports every node but the first that holds a number again. */
static void check_apart(struct holder *holders, size_t count, size_t attr,
			struct report *report)
{
	qsort(holders, count, sizeof(*holders), by_number);
	for (size_t i = 1; i < count; i++) {
		const struct node *node = holders[i].node;
		AUTO_TEXT value = TEXT_NONE;
		AUTO(str) char *other = node_path_dup(holders[i - 1].node);

		if (holders[i].number != holders[i - 1].number)
			continue;
		node_print(node, attr, &value);
		report_error(report, node, EEXIST,
			     "%s=%s belongs to %s already; choose another, or "
			     "%s=auto",
			     node_kind(node)->attrs[attr].name,
			     text_get(&value), other,
			     node_kind(node)->attrs[attr].name);
	}
}

static uint64_t number_of(const struct node *node, size_t attr)
{
	const struct value *value = node_value(node, attr);

	return node_kind(node)->attrs[attr].type == &type_mark
		       ? value->bits.value
		       : value->u;
}

static void check_unique(const struct node *branch, const struct kind *kind,
			 size_t attr, struct report *report)
{
	struct holder *holders = NULL;
	size_t count = 0, room = 0;

	each_below(at, branch, kind)
	{
		if (!node_has(at, attr))
			continue;
		holders = mem_grow(holders, count, &room, sizeof(*holders));
		holders[count++] = (struct holder){ number_of(at, attr), at };
	}
	if (count)
		check_apart(holders, count, attr, report);
	free(holders);
}

static void check_mark(const struct node *node, size_t attr, uint32_t mask,
		       const char *mask_name, struct report *report)
{
	const struct value *value = node_value(node, attr);

	if (!value)
		return;
	if (value->bits.mask != UINT32_MAX)
		report_error(report, node, EINVAL,
			     "mark=%u/0x%x: a mark has no mask of its own; it "
			     "is %s of /system",
			     value->bits.value, value->bits.mask, mask_name);
	else if (!value->bits.value || value->bits.value & ~mask)
		report_error(report, node, ERANGE,
			     "mark=0x%x does not lie within %s 0x%x of /system",
			     value->bits.value, mask_name, mask);
}

static uint32_t mask_of(const struct tree *tree, size_t attr)
{
	return node_value(tree_system(tree), attr)->bits.value;
}

static bool is_contiguous(uint32_t mask)
{
	uint32_t up = mask + (mask & -mask);

	return mask && !(mask & up);
}

static void check_system(const struct tree *tree, struct report *report)
{
	const struct node *machine = tree_system(tree);
	uint32_t classes = mask_of(tree, SYSTEM_CLASS_MASK);
	uint32_t paths = mask_of(tree, SYSTEM_PATH_MASK);

	if (!is_contiguous(classes) || !is_contiguous(paths))
		report_error(report, machine, EINVAL,
			     "class-mask 0x%x, path-mask 0x%x: a mask is one "
			     "run of bits, as 0xffff or 0xff0000",
			     classes, paths);
	else if (classes & paths)
		report_error(report, machine, EINVAL,
			     "class-mask 0x%x and path-mask 0x%x share the "
			     "bits 0x%x; they must lie apart",
			     classes, paths, classes & paths);
}

/* ---- paths ---- */

static void check_table(const struct node *path, struct report *report)
{
	const struct node *machine = tree_system(node_tree(path));
	const struct range *tables =
		&node_value(machine, SYSTEM_TABLES)->ranges->item[0];
	uint64_t table = node_u(path, PATH_TABLE);

	if (node_has(path, PATH_TABLE) &&
	    (table < tables->from || table > tables->to))
		report_error(report, path, ERANGE,
			     "table=%llu lies outside tables %u-%u of /system",
			     (unsigned long long)table, tables->from,
			     tables->to);
}

/* A source needs a network, or the gateway cannot be in it. */
static void check_source(const struct node *path, size_t attr,
			 struct report *report)
{
	const struct value *value = node_value(path, attr);
	const struct attr *row = &node_kind(path)->attrs[attr];

	if (value && !value->word && value->prefix.length == 0)
		report_error(report, path, EINVAL,
			     "%s: a length of 0 is no network; write it as "
			     "%s=%s",
			     row->name, row->name, row->example);
}

static void check_paths(const struct tree *tree, struct report *report)
{
	struct node *paths = tree_paths(tree);
	uint32_t mask = mask_of(tree, SYSTEM_PATH_MASK);

	node_each (path, paths) {
		check_table(path, report);
		check_mark(path, PATH_MARK, mask, "path-mask", report);
		check_source(path, PATH_SOURCE, report);
		check_source(path, PATH_SOURCE6, report);
	}
	check_unique(paths, &kind_path, PATH_TABLE, report);
	check_unique(paths, &kind_path, PATH_MARK, report);
}

/* ---- rates ---- */

static uint64_t ceil_of(const struct node *class)
{
	return node_has(class, CLASS_CEIL) ? node_u(class, CLASS_CEIL)
					   : node_u(class, CLASS_RATE);
}

static bool is_lenient(const struct node *class)
{
	return node_u(class_uplink(class), UPLINK_LENIENT);
}

/* What the kernel takes, but keeps in a way of its own. */
#define report_misfit(report, class, ...)                                      \
	(is_lenient(class) ? report_warning(report, class, __VA_ARGS__)        \
			   : report_error(report, class, ERANGE, __VA_ARGS__))

static void check_rate(const struct node *class, struct report *report)
{
	uint64_t rate = node_u(class, CLASS_RATE), ceil = ceil_of(class);

	if (ceil < rate) {
		RATE(rate_text, rate);
		RATE(ceil_text, ceil);
		report_misfit(report, class,
			      "ceil %s is under rate %s; HTB would send at "
			      "neither: set ceil to %s or more",
			      text_get(&ceil_text), text_get(&rate_text),
			      text_get(&rate_text));
	}
}

static void check_under_parent(const struct node *class, struct report *report)
{
	const struct node *parent = node_parent(class);
	uint64_t rate = node_u(class, CLASS_RATE), ceil = ceil_of(class);

	if (node_kind(parent) != &kind_class)
		return;
	if (rate > node_u(parent, CLASS_RATE)) {
		RATE(rate_text, rate);
		RATE(above, node_u(parent, CLASS_RATE));
		report_misfit(report, class,
			      "rate %s is over the %s of %s above it, which "
			      "cannot guarantee it",
			      text_get(&rate_text), text_get(&above),
			      node_name(parent));
	} else if (ceil > ceil_of(parent)) {
		RATE(ceil_text, ceil);
		RATE(above, ceil_of(parent));
		report_misfit(report, class,
			      "ceil %s is over the ceil %s of %s above it, "
			      "which it can never pass",
			      text_get(&ceil_text), text_get(&above),
			      node_name(parent));
	}
}

static void check_sum(const struct node *class, struct report *report)
{
	const struct sums *rest = node_rest(class);
	uint64_t sum = rest ? sums_total(rest, SUM_RATE) : 0;

	node_each (child, class)
		if (node_kind(child) == &kind_class)
			sum += node_u(child, CLASS_RATE);
	if (sum > node_u(class, CLASS_RATE)) {
		RATE(sum_text, sum);
		RATE(rate_text, node_u(class, CLASS_RATE));
		report_misfit(report, class,
			      "the classes below are promised %s together, "
			      "%s itself has a rate of %s; raise it, or lower "
			      "theirs",
			      text_get(&sum_text), node_name(class),
			      text_get(&rate_text));
	}
}

static void check_ticks(const struct node *class, struct report *report)
{
	AUTO_ERR err = ERR_NONE;

	if (class_ticks_check(class, &err) < 0)
		report_error(report, class, -err.code, "%s", err.text);
}

#define FULL_PACKET 1514u /* bytes: 1500 and the Ethernet header */

static void check_burst(const struct node *class, size_t attr,
			struct report *report)
{
	uint64_t bytes = node_u(class, attr);

	if (node_origin(class, attr) == ORIGIN_GIVEN && bytes < FULL_PACKET)
		report_warning(report, class,
			       "%s %llu is less than a full packet of %u "
			       "bytes: right for small packets only",
			       node_kind(class)->attrs[attr].name,
			       (unsigned long long)bytes, FULL_PACKET);
}

static void check_quantum(const struct node *class, struct report *report)
{
	uint64_t quantum = node_u(class, CLASS_QUANTUM);

	if (node_origin(class, CLASS_QUANTUM) != ORIGIN_GIVEN)
		return;
	if (quantum < FULL_PACKET)
		report_misfit(report, class,
			      "quantum %llu is less than a full packet of %u "
			      "bytes: turns would not hold one; leave it out, "
			      "or give at least %u",
			      (unsigned long long)quantum, FULL_PACKET,
			      FULL_PACKET);
	else if (quantum > 60000)
		report_warning(report, class,
			       "quantum %llu lets one class send %llu full "
			       "packets in a row when rates are shared",
			       (unsigned long long)quantum,
			       (unsigned long long)quantum / FULL_PACKET);
}

/* A timer that is late by a tick costs what the burst cannot make up for:
 * measured 1 to 7 % at 50 Mbit/s with tc's default of 1,600 bytes. */
static void check_late_timer(const struct node *class, struct report *report)
{
	uint64_t rate = node_u(class, CLASS_RATE);

	if (class_is_leaf(class) && !node_has(class, CLASS_BURST) &&
	    rate >= 20000000)
		report_warning(report, class,
			       "tc's default burst is %.2f ms at this rate, "
			       "and late timers then cost some per cent; "
			       "burst=%llu (10 ms) keeps it exact",
			       1600 * 8e3 / (double)rate,
			       (unsigned long long)rate / 800);
}

/* ---- the link layer ---- */

/* What a packet of 1,400 bytes of UDP, 1,442 on Ethernet, costs. */
#define SAMPLE_PACKET 1442u

static const char *linklayer_name(const struct node *class)
{
	return class_linklayer(class) == LINKLAYER_ATM ? "atm" : "ethernet";
}

static void check_linklayer(const struct node *class, struct report *report)
{
	const struct node *parent = node_parent(class);
	const struct layer_source source = class_layer(class, LAYER_LINKLAYER);
	uint64_t here, there;

	if (node_kind(parent) != &kind_class ||
	    class_linklayer(class) == class_linklayer(parent))
		return;
	here = class_packet_cost(class, SAMPLE_PACKET);
	there = class_packet_cost(parent, SAMPLE_PACKET);
	report_warning(
		report, class,
		"linklayer is %s here and %s at %s above it: a packet "
		"of %u bytes counts %llu here and %llu there, so %s is "
		"off by %.0f %% on the line; set %s=%s on %s as well "
		"(each class charges its own tokens)",
		linklayer_name(class), linklayer_name(parent),
		node_name(parent), SAMPLE_PACKET, (unsigned long long)here,
		(unsigned long long)there, node_name(parent),
		((double)here / (double)there - 1) * 100,
		source.preset ? "preset" : "linklayer",
		source.preset ? source.preset->name : linklayer_name(class),
		node_name(parent));
}

/* ---- hexadecimal and decimal ---- */

/* tc's classids are hexadecimal, marks are decimal: 1:10 is class 16. Somebody
 * who writes mark=10 for 1:10 means the digits; mark=16 means the number. Both
 * in one tree is a slip. Returns 'd' for digits, 'n' for number, 0 for neither.
 */
static char mark_manner(const struct node *class)
{
	uint64_t minor = node_u(class, CLASS_CLASSID) & 0xffff;
	AUTO_TEXT hex = TEXT_NONE;
	AUTO_TEXT decimal = TEXT_NONE;
	const struct value *mark = node_value(class, CLASS_MARK);

	if (minor < 10 || node_origin(class, CLASS_MARK) != ORIGIN_GIVEN ||
	    node_origin(class, CLASS_CLASSID) != ORIGIN_GIVEN)
		return 0;
	text_printf(&hex, "%llx", (unsigned long long)minor);
	text_printf(&decimal, "%u", mark->bits.value);
	if (!strcmp(text_get(&hex), text_get(&decimal)))
		return 'd';
	return mark->bits.value == minor ? 'n' : 0;
}

static void check_manners(const struct node *uplink, struct report *report)
{
	const struct node *digits = NULL, *number = NULL;

	each_below(at, uplink, &kind_class)
	{
		char manner = mark_manner(at);

		if (manner == 'd')
			digits = digits ? digits : at;
		else if (manner == 'n')
			number = number ? number : at;
	}
	if (digits && number) {
		AUTO(str) char *other = node_path_dup(digits);
		AUTO_TEXT classid = TEXT_NONE;

		node_print(number, CLASS_CLASSID, &classid);
		report_error(report, number, EINVAL,
			     "mark=%u is the number of classid %s, while %s "
			     "writes the digits of its classid; classids are "
			     "hexadecimal, marks decimal: keep to one manner",
			     node_value(number, CLASS_MARK)->bits.value,
			     text_get(&classid), other);
	}
}

/* ---- classes ---- */

static void check_classid(const struct node *class, struct report *report)
{
	uint64_t id = node_u(class, CLASS_CLASSID);

	if (!node_has(class, CLASS_CLASSID))
		return;
	if (id >> 16 != 1)
		report_error(report, class, ERANGE,
			     "classid %llx:%llx: the tree's own number is 1:, "
			     "so write 1:%llx",
			     (unsigned long long)id >> 16,
			     (unsigned long long)id & 0xffff,
			     (unsigned long long)id & 0xffff);
	else if (!(id & 0xffff) || (id & 0xffff) == 0xffff)
		report_error(report, class, ERANGE,
			     "classid 1:%llx is the tree itself; choose from "
			     "1:1 to 1:fffe",
			     (unsigned long long)id & 0xffff);
}

static void check_depth(const struct node *class, struct report *report)
{
	if (class_depth(class) >= SHAPING_DEPTH_MAX)
		report_error(report, class, ELOOP,
			     "it is the %uth class from the top down, and HTB "
			     "takes %u; put it higher up",
			     class_depth(class) + 1, SHAPING_DEPTH_MAX);
}

static void check_inner(const struct node *class, struct report *report)
{
	const struct node *match = node_fixed(class, &kind_matches);

	if (class_is_leaf(class))
		return;
	check_sum(class, report);
	if (node_count(match))
		report_error(report, match, EINVAL,
			     "%s has classes below it, and HTB gives packets "
			     "only to classes without any: move the matches "
			     "to one of those",
			     node_name(class));
	if (node_origin(class, CLASS_MARK) == ORIGIN_GIVEN)
		report_error(report, class, EINVAL,
			     "mark: %s has classes below it, and HTB gives "
			     "packets only to classes without any: mark=auto "
			     "here, and marks below",
			     node_name(class));
	if (node_origin(class, CLASS_LEAF) == ORIGIN_GIVEN)
		report_error(report, class, EINVAL,
			     "leaf: %s has classes below it and holds no "
			     "queue: leaf=auto here, and leaves below",
			     node_name(class));
}

static void check_class(const struct node *class, uint32_t mask,
			struct report *report)
{
	check_rate(class, report);
	check_under_parent(class, report);
	check_depth(class, report);
	check_inner(class, report);
	check_ticks(class, report);
	check_burst(class, CLASS_BURST, report);
	check_burst(class, CLASS_CBURST, report);
	check_quantum(class, report);
	check_late_timer(class, report);
	check_linklayer(class, report);
	check_classid(class, report);
	check_mark(class, CLASS_MARK, mask, "class-mask", report);
}

bool tree_check_fits(const struct node *uplink)
{
	struct report report = REPORT_NONE;
	bool fits;

	each_below(class, uplink, &kind_class)
	{
		check_rate(class, &report);
		check_under_parent(class, &report);
		check_sum(class, &report);
		check_quantum(class, &report);
	}
	fits = !report.errors;
	report_clear(&report);
	return fits;
}

/* ---- uplinks ---- */

static void check_default(const struct node *uplink, struct report *report)
{
	const struct node *target = node_target(uplink, UPLINK_DEFAULT, NULL);

	if (target && !class_is_leaf(target)) {
		AUTO(str) char *path = node_path_dup(target);

		report_error(report, uplink, EINVAL,
			     "default=%s: %s has classes below it, and HTB "
			     "gives packets only to classes without any",
			     node_text(uplink, UPLINK_DEFAULT), path);
	} else if (!node_has(uplink, UPLINK_DEFAULT)) {
		report_warning(report, uplink,
			       "no default class: what no match claims leaves "
			       "unshaped, past every rate in this tree; set "
			       "default= when there is one");
	}
}

/* What goes on the line at the ceil. */
static uint64_t line_ceil(const struct node *class)
{
	return class_is_ptm(class) ? ceil_of(class) * 65 / 64 : ceil_of(class);
}

/* If even the lowest ceiling at the top is above the line's rate, the queue
 * stands in the modem and no class means anything. */
static void check_line(const struct node *uplink, struct report *report)
{
	const struct node *path = node_target(uplink, UPLINK_PATH, NULL);
	size_t attr = uplink_is_down(uplink) ? PATH_DOWN : PATH_UP;
	uint64_t least = UINT64_MAX;

	node_each (class, uplink)
		if (line_ceil(class) < least)
			least = line_ceil(class);
	if (path && node_has(path, attr) && least != UINT64_MAX &&
	    least > node_u(path, attr)) {
		RATE(least_text, least);
		RATE(line, node_u(path, attr));
		report_warning(report, uplink,
			       "every class at the top may send %s or more, "
			       "and %s has %s=%s: the queue will stand %s, "
			       "where no class holds",
			       text_get(&least_text), node_name(path),
			       kind_path.attrs[attr].name, text_get(&line),
			       attr == PATH_UP ? "in the modem"
					       : "at the provider's");
	}
}

/* What arrives is classified before netfilter sees it, and belongs to no
 * socket. */
static void check_arriving(const struct node *match, struct report *report)
{
	static const size_t unknown[] = { MATCH_UID, MATCH_GID, MATCH_CGROUP,
					  MATCH_HOST, MATCH_MARK };

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		if (node_has(match, unknown[i]))
			report_error(report, match, EOPNOTSUPP,
				     "%s: with direction=down a packet is "
				     "asked as it arrives, before it has a "
				     "mark, a connection or a socket; shape "
				     "what leaves by the inside device "
				     "instead",
				     kind_match.attrs[unknown[i]].name);
	if (node_origin(match, MATCH_SCOPE) == ORIGIN_GIVEN &&
	    node_u(match, MATCH_SCOPE) == SCOPE_CONNECTION)
		report_error(report, match, EOPNOTSUPP,
			     "scope=connection: with direction=down a packet "
			     "is asked as it arrives, before its connection is "
			     "known; scope=packet, or shape what leaves by the "
			     "inside device instead");
}

static void check_down(const struct node *uplink, struct report *report)
{
	if (node_has(uplink, UPLINK_CLASSIFIER))
		report_error(report, uplink, EINVAL,
			     "classifier: with direction=down no mark decides, "
			     "but a filter on what arrives; classifier=auto");
	each_below(at, uplink, &kind_match) check_arriving(at, report);
}

/* A packet's priority decides before any filter does (htb_classify() of
 * net/sched/sch_htb.c). */
static void check_filters(const struct node *uplink, struct report *report)
{
	if (node_u(uplink, UPLINK_FILTERS) == FILTERS_FOREIGN &&
	    (uplink_is_down(uplink) ||
	     node_u(uplink, UPLINK_CLASSIFIER) == CLASSIFIER_NFT))
		report_error(report, uplink, EINVAL,
			     "filters=foreign: with classifier=nft the class "
			     "of a packet stands before any filter is asked, "
			     "so they would do nothing: classifier=bpf or "
			     "classifier=fw, and direction=up");
}

/* ---- one class ---- */

/* Of an uplink that is over the line as far as it was read, others may not be.
 */
static bool knows_line(const struct node *uplink)
{
	struct report report = REPORT_NONE;
	const struct sums *rest = node_rest(uplink);
	bool over;

	if (!tree_is_part(node_tree(uplink)) ||
	    (rest && !sums_total(rest, SUM_CLASSES)))
		return true;
	check_line(uplink, &report);
	over = report.count > 0;
	report_clear(&report);
	return !over;
}

/* Has it a part in what the line gets, another than before? */
static bool changes_line(const struct node *class)
{
	return node_kind(node_parent(class)) == &kind_uplink &&
	       (node_changed(class, CLASS_RATE) ||
		node_changed(class, CLASS_CEIL));
}

void tree_check_own(const struct node *class, struct report *report)
{
	const struct node *parent = node_parent(class);
	uint32_t mask = mask_of(node_tree(class), SYSTEM_CLASS_MASK);

	check_class(class, mask, report);
	if (node_kind(parent) == &kind_class)
		check_sum(parent, report);
	if (changes_line(class))
		check_line(parent, report);
}

bool tree_knows_own(const struct node *class)
{
	return !changes_line(class) || knows_line(node_parent(class));
}

/* ---- a whole uplink ---- */

static void check_uplink(const struct node *uplink, struct report *report)
{
	uint32_t mask = mask_of(node_tree(uplink), SYSTEM_CLASS_MASK);

	if (node_has(uplink, UPLINK_PATH) == node_has(uplink, UPLINK_DEVICE))
		report_error(report, uplink, EINVAL,
			     "say path= or device=, one of the two");
	if (uplink_is_down(uplink))
		check_down(uplink, report);
	check_filters(uplink, report);
	check_default(uplink, report);
	check_line(uplink, report);
	each_below(at, uplink, &kind_class) check_class(at, mask, report);
	check_unique(uplink, &kind_class, CLASS_CLASSID, report);
	check_unique(uplink, &kind_class, CLASS_MARK, report);
	check_manners(uplink, report);
	shard_check(uplink, report);
}

/* A tree a device and direction; there are few uplinks. */
static void check_devices(const struct tree *tree, struct report *report)
{
	node_each (uplink, tree_classes(tree)) {
		const char *device = uplink_device(uplink);

		for (const struct node *other = node_next(uplink);
		     other && device; other = node_next(other)) {
			const char *same = uplink_device(other);

			if (same && !strcmp(same, device) &&
			    uplink_is_down(uplink) == uplink_is_down(other))
				report_error(report, other, EEXIST,
					     "%s is shaped by %s already; a "
					     "device has one tree a direction",
					     device, node_name(uplink));
		}
	}
}

/* ---- matches ---- */

static bool has_ports(uint64_t proto)
{
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP,
					  IPPROTO_SCTP, IPPROTO_DCCP,
					  IPPROTO_UDPLITE };

	for (size_t i = 0; i < sizeof(protos); i++)
		if (protos[i] == proto)
			return true;
	return false;
}

static bool is_empty_match(const struct node *match)
{
	for (size_t attr = MATCH_PROTO; attr <= MATCH_MARK; attr++)
		if (node_has(match, attr))
			return false;
	return true;
}

/* Where it cannot be asked, and what it does not see. */
static void check_host(const struct node *match, struct report *report)
{
	const struct attr *host = &kind_match.attrs[MATCH_HOST];

	if (!node_has(match, MATCH_HOST))
		return;
	if (node_has(match, MATCH_PROTO) &&
	    node_u(match, MATCH_PROTO) != IPPROTO_TCP)
		report_error(report, match, EINVAL,
			     "%s is for proto=tcp: what QUIC carries is "
			     "encrypted from its first packet on",
			     host->name);
	if (node_u(match, MATCH_SCOPE) == SCOPE_PACKET)
		report_error(report, match, EINVAL,
			     "%s decides for whole connections: "
			     "scope=connection",
			     host->name);
	if (node_has(match, MATCH_CGROUP) || node_has(match, MATCH_TCP_FLAGS))
		report_error(report, match, EINVAL,
			     "%s goes with neither cgroup nor tcp-flags, which "
			     "are asked of other packets",
			     host->name);
	report_warning(report, match,
		       "%s sees no QUIC, no encrypted client hello, and no "
		       "name that two packets share; where the service is "
		       "yours, uid=, cgroup=, or an address or port of its "
		       "own are sure (help match)",
		       host->name);
}

static void check_match(const struct node *match, struct report *report)
{
	bool ports =
		node_has(match, MATCH_SPORT) || node_has(match, MATCH_DPORT);
	bool proto = node_has(match, MATCH_PROTO);
	uint64_t number = node_u(match, MATCH_PROTO);

	if (ports && (!proto || !has_ports(number)))
		report_error(report, match, EINVAL,
			     "sport and dport want proto=tcp, udp, sctp, dccp "
			     "or udplite");
	if (node_has(match, MATCH_TCP_FLAGS) && number != IPPROTO_TCP)
		report_error(report, match, EINVAL,
			     "tcp-flags wants proto=tcp");
	check_host(match, report);
	if (is_empty_match(match))
		report_warning(report, match,
			       "no condition: it claims everything that comes "
			       "this far; use order= to ask it last");
}

/* ---- links ---- */

/* What this role wants and has no use for. */
static void check_role(const struct node *link, struct report *report)
{
	bool server = node_u(link, LINK_ROLE) == ROLE_SERVER;
	static const size_t of_client[] = { LINK_PEER, LINK_PEER_KEY };
	const struct attr *rows = kind_link.attrs;

	if (server && !node_has(link, LINK_LISTEN))
		report_error(report, link, EINVAL,
			     "a server needs its UDP port: listen=5000");
	if (!server && node_has(link, LINK_LISTEN))
		report_error(report, link, EINVAL,
			     "listen is for a server; a client has peer=");
	if (!server && node_u(link, LINK_THREADS) > 1)
		report_error(report, link, EINVAL,
			     "threads is for a server, whose clients they "
			     "share; a client has one peer");
	if (!server && node_u(link, LINK_ISOLATE))
		report_error(report, link, EINVAL,
			     "isolate is for a server: it keeps its clients "
			     "from each other");
	if (node_origin(link, LINK_STORM_CONTROL) == ORIGIN_GIVEN &&
	    (!server || node_u(link, LINK_MODE) != MODE_TAP))
		report_error(report, link, EINVAL,
			     "storm-control is for a server in mode=tap, where "
			     "clients send frames to all others: "
			     "storm-control= takes it back");
	for (size_t i = 0; i < ARRAY_SIZE(of_client); i++) {
		const struct attr *row = &rows[of_client[i]];

		if (server && node_has(link, of_client[i]))
			report_error(report, link, EINVAL,
				     "%s is for a client; a server's clients "
				     "stand in peers",
				     row->name);
		if (!server && !node_has(link, of_client[i]))
			report_error(report, link, EINVAL,
				     "a client needs %s=, for example %s=%s",
				     row->name, row->name, row->example);
	}
	if (server && node_first(node_fixed(link, &kind_members)))
		report_error(report, link, EINVAL,
			     "members are a client's; a server answers where "
			     "it is called");
	if (!server && node_first(node_fixed(link, &kind_peers)))
		report_error(report, link, EINVAL,
			     "peers are a server's; a client has peer= and "
			     "peer-key=");
}

static void check_duplicate(const struct node *link, struct report *report)
{
	uint64_t class = node_u(link, LINK_DUPLICATE_CLASS);

	if (node_has(link, LINK_DUPLICATE_CLASS) &&
	    (!(class & 0xffff) || !(class >> 16)))
		report_error(report, link, EINVAL,
			     "duplicate-class: %x:%x is no class: neither of "
			     "its numbers is 0",
			     (unsigned)(class >> 16),
			     (unsigned)(class & 0xffff));
}

static const char *text_or_none(const struct node *node, size_t attr)
{
	const char *text = node_text(node, attr);

	return text ? text : "";
}

/* Two links with the same device, or port. */
static void check_link_apart(const struct node *link, const struct node *other,
			     struct report *report)
{
	if (!strcmp(text_or_none(link, LINK_DEVICE),
		    text_or_none(other, LINK_DEVICE)))
		report_error(report, other, EEXIST,
			     "device %s is that of %s already",
			     text_or_none(other, LINK_DEVICE), node_name(link));
	if (node_has(link, LINK_LISTEN) && node_has(other, LINK_LISTEN) &&
	    node_u(link, LINK_LISTEN) == node_u(other, LINK_LISTEN))
		report_error(report, other, EEXIST,
			     "port %u is that of %s already",
			     (unsigned)node_u(other, LINK_LISTEN),
			     node_name(link));
}

static int by_key(const void *left, const void *right)
{
	return strcmp(text_or_none(*(const struct node *const *)left, PEER_KEY),
		      text_or_none(*(const struct node *const *)right,
				   PEER_KEY));
}

static void check_peer_keys(const struct node *link, struct report *report)
{
	const struct node *peers = node_fixed(link, &kind_peers);
	size_t count = node_count(peers), at = 0;
	const struct node **list = mem_array(count + 1, sizeof(*list));

	node_each (peer, peers)
		list[at++] = peer;
	qsort(list, count, sizeof(*list), by_key);
	for (size_t i = 0; i < count; i++) {
		if (i && !by_key(&list[i - 1], &list[i]))
			report_error(report, list[i], EEXIST,
				     "its key is that of %s already",
				     node_name(list[i - 1]));
		if (node_u(link, LINK_ROLE) == ROLE_SERVER &&
		    !strcmp(text_or_none(list[i], PEER_KEY),
			    text_or_none(link, LINK_PUBLIC_KEY)))
			report_error(report, list[i], EINVAL,
				     "its key is this server's own; give the "
				     "client's public key");
		if (!node_has(list[i], PEER_ADDRESS) &&
		    node_u(link, LINK_ROLE) == ROLE_SERVER &&
		    node_u(link, LINK_MODE) == MODE_TUN)
			report_warning(report, list[i],
				       "without address= nothing can be sent "
				       "to it or by it; with local= of the "
				       "link it gets one");
	}
	free(list);
}

/* A network or an address, and the peer that has it. */
struct has_prefix {
	const struct prefix *prefix; /* borrowed */
	const struct node *peer;
};

static int by_prefix(const void *left, const void *right)
{
	const struct has_prefix *a = left, *b = right;

	if (a->prefix->family != b->prefix->family)
		return a->prefix->family - b->prefix->family;
	if (a->prefix->length != b->prefix->length)
		return a->prefix->length - b->prefix->length;
	return memcmp(a->prefix->bytes, b->prefix->bytes,
		      prefix_bits(a->prefix->family) / 8);
}

static size_t list_prefixes(const struct node *peers, struct has_prefix **list)
{
	size_t count = 0, room = 0;

	*list = NULL;
	node_each (peer, peers) {
		const struct value *value = node_value(peer, PEER_ADDRESS);

		if (!node_has(peer, PEER_ADDRESS) || value->word)
			continue;
		for (size_t i = 0; i < value->prefixes->count; i++) {
			*list = mem_grow(*list, count, &room, sizeof(**list));
			(*list)[count++] =
				(struct has_prefix){ &value->prefixes->item[i],
						     peer };
		}
	}
	return count;
}

/* One within another is fine: the longest one has it. */
static void check_peer_addresses(const struct node *link, struct report *report)
{
	struct has_prefix *list;
	size_t count = list_prefixes(node_fixed(link, &kind_peers), &list);

	if (count)
		qsort(list, count, sizeof(*list), by_prefix);
	for (size_t i = 1; i < count; i++) {
		AUTO_TEXT text = TEXT_NONE;

		if (by_prefix(&list[i - 1], &list[i]))
			continue;
		prefix_print(list[i].prefix, &text);
		report_error(report, list[i].peer, EEXIST,
			     "address %s is that of %s already: give it "
			     "another, or address=auto",
			     text_get(&text), node_name(list[i - 1].peer));
	}
	free(list);
}

static void check_links(const struct tree *tree, struct report *report)
{
	node_each (link, tree_links(tree)) {
		if (node_origin(link, LINK_PUBLIC_KEY) == ORIGIN_GIVEN)
			report_error(
				report, link, EINVAL,
				"public-key follows from key and cannot be "
				"set; for another one: key=auto");
		check_role(link, report);
		check_duplicate(link, report);
		check_peer_keys(link, report);
		check_peer_addresses(link, report);
		check_link_sense(link, report);
		if (node_u(link, LINK_ROLE) == ROLE_CLIENT &&
		    !node_first(node_fixed(link, &kind_members)))
			report_warning(report, link,
				       "no members: nothing is sent until "
				       "there is one");
		for (const struct node *other = node_next(link); other;
		     other = node_next(other))
			check_link_apart(link, other, report);
	}
}

void tree_check(const struct tree *tree, struct report *report)
{
	check_system(tree, report);
	for (struct node *at = tree_root(tree); at;
	     at = node_walk(tree_root(tree), at)) {
		check_references(at, report);
		if (node_kind(at) == &kind_match)
			check_match(at, report);
	}
	check_paths(tree, report);
	check_links(tree, report);
	check_devices(tree, report);
	node_each (uplink, tree_classes(tree))
		check_uplink(uplink, report);
}
