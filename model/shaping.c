/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/shaping.h"

#include <stdio.h>
#include <string.h>

#include "model/base/err.h"
#include "model/base/text.h"
#include "model/facts.h"
#include "model/node.h"
#include "model/presets.h"

/* What tc adds to a timer's worth of bytes so that a burst holds a packet. */
#define BURST_PACKET 1600u
/* get_hz() of tc with high resolution timers: the burst is for 1 ns. */
#define BURST_HZ      1000000000u
#define TICKS_PER_S   15625000u
#define CELL_BYTES    53u
#define CELL_PAYLOAD  48u
#define QUANTUM_LEAST 1000u
#define QUANTUM_MOST  200000u

__extension__ typedef unsigned __int128 wide;

const char *uplink_device(const struct node *uplink)
{
	const struct node *path;

	if (node_has(uplink, UPLINK_DEVICE))
		return node_text(uplink, UPLINK_DEVICE);
	path = node_target(uplink, UPLINK_PATH, NULL);
	return path ? node_text(path, PATH_DEVICE) : NULL;
}

bool uplink_is_down(const struct node *uplink)
{
	return node_u(uplink, UPLINK_DIRECTION) == DIRECTION_DOWN;
}

void uplink_ifb(const struct node *uplink, char name[IFB_NAME_SIZE])
{
	const char *device = uplink_device(uplink);
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *at = device; at && *at; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	if (!device)
		name[0] = '\0';
	else if (strlen(device) < IFB_NAME_SIZE - 3)
		snprintf(name, IFB_NAME_SIZE, "tr-%.12s", device);
	else
		snprintf(name, IFB_NAME_SIZE, "tr-%.7s%05x", device,
			 hash & 0xfffff);
}

const struct node *class_uplink(const struct node *class)
{
	while (node_kind(class) != &kind_uplink)
		class = node_parent(class);
	return class;
}

unsigned class_depth(const struct node *class)
{
	unsigned depth = 0;

	while (node_kind(node_parent(class)) == &kind_class) {
		class = node_parent(class);
		depth++;
	}
	return depth;
}

bool class_is_leaf(const struct node *class)
{
	node_each (child, class)
		if (node_kind(child) == &kind_class)
			return false;
	return true;
}

/* ---- rates and bursts ---- */

uint64_t class_rate_bytes(const struct node *class)
{
	return node_u(class, CLASS_RATE) / 8;
}

uint64_t class_ceil_bytes(const struct node *class)
{
	return node_has(class, CLASS_CEIL) ? node_u(class, CLASS_CEIL) / 8
					   : class_rate_bytes(class);
}

uint64_t shaping_standard_burst(uint64_t rate_bytes)
{
	return rate_bytes / BURST_HZ + BURST_PACKET;
}

static uint64_t burst_or_default(const struct node *class, size_t attr,
				 uint64_t rate_bytes)
{
	return node_has(class, attr) ? node_u(class, attr)
				     : shaping_standard_burst(rate_bytes);
}

uint64_t class_burst(const struct node *class)
{
	return burst_or_default(class, CLASS_BURST, class_rate_bytes(class));
}

uint64_t class_cburst(const struct node *class)
{
	return burst_or_default(class, CLASS_CBURST, class_ceil_bytes(class));
}

int shaping_ticks(uint64_t rate_bytes, uint64_t bytes, uint32_t *ticks)
{
	wide count;

	if (!rate_bytes)
		return -ERANGE;
	if ((wide)bytes * 100000u < rate_bytes) {
		count = ((wide)bytes * TICKS_PER_S + rate_bytes - 1) /
			rate_bytes;
	} else {
		/* In tc's order and in doubles, or the last microsecond comes
		 * out otherwise (tc_calc_xmittime() of tc/tc_core.c). */
		double us = 1e6 * ((double)bytes / (double)rate_bytes);

		count = us < 1e12 ? (wide)(uint64_t)us * 125 / 8 : UINT64_MAX;
	}
	if (count > UINT32_MAX)
		return -ERANGE;
	*ticks = count ? (uint32_t)count : 1;
	return 0;
}

uint64_t shaping_bytes(uint64_t rate_bytes, uint32_t ticks)
{
	/* tc_calc_xmitsize(): ticks to whole microseconds, then to bytes. Below
	 * 10 us that would lose what shaping_ticks() kept. */
	uint64_t us = (uint64_t)ticks * 8 / 125;

	if (us < 10)
		return (uint64_t)((wide)rate_bytes * ticks / TICKS_PER_S);
	return (uint64_t)((wide)rate_bytes * us / 1000000u);
}

static int ticks_or_err(uint64_t rate_bytes, uint64_t bytes, const char *name,
			uint32_t *ticks, struct err *err)
{
	AUTO_TEXT most = TEXT_NONE;
	AUTO_TEXT rate = TEXT_NONE;
	int rc = shaping_ticks(rate_bytes, bytes, ticks);

	if (rc == 0)
		return 0;
	rate_print(rate_bytes * 8, &rate);
	size_print((uint64_t)((wide)rate_bytes * UINT32_MAX / TICKS_PER_S),
		   &most);
	return err_set(err, ERANGE,
		       "%s: %llu bytes at %s take longer than the 275 s HTB "
		       "can hold; give at most %s",
		       name, (unsigned long long)bytes, text_get(&rate),
		       text_get(&most));
}

int class_burst_ticks(const struct node *class, uint32_t *ticks,
		      struct err *err)
{
	return ticks_or_err(class_rate_bytes(class), class_burst(class),
			    "burst", ticks, err);
}

int class_cburst_ticks(const struct node *class, uint32_t *ticks,
		       struct err *err)
{
	return ticks_or_err(class_ceil_bytes(class), class_cburst(class),
			    "cburst", ticks, err);
}

int class_ticks_check(const struct node *class, struct err *err)
{
	uint32_t ticks;
	int rc = class_burst_ticks(class, &ticks, err);

	return rc < 0 ? rc : class_cburst_ticks(class, &ticks, err);
}

/* ---- the link layer ---- */

size_t layer_attr(const struct node *node, enum layer layer)
{
	return (node_kind(node) == &kind_class ? CLASS_PRESET : UPLINK_PRESET) +
	       layer;
}

/* The nearest node at or above the class that says it; what is said beside a
 * preset is worth more than the preset. */
struct layer_source class_layer(const struct node *class, enum layer layer)
{
	const struct node *at = class;

	for (;; at = node_parent(at)) {
		size_t preset = layer_attr(at, LAYER_PRESET);

		if (layer != LAYER_PRESET &&
		    node_has(at, layer_attr(at, layer)))
			return (struct layer_source){ at, NULL };
		if (node_has(at, preset))
			return (struct layer_source){
				at, preset_at(node_u(at, preset))
			};
		if (node_kind(at) != &kind_class)
			return (struct layer_source){ NULL, NULL };
	}
}

static uint64_t layer_number(const struct layer_source *source,
			     enum layer layer)
{
	return source->node
		       ? node_u(source->node, layer_attr(source->node, layer))
		       : 0;
}

enum linklayer class_linklayer(const struct node *class)
{
	struct layer_source source = class_layer(class, LAYER_LINKLAYER);

	return source.preset
		       ? source.preset->linklayer
		       : (enum linklayer)layer_number(&source, LAYER_LINKLAYER);
}

uint32_t class_overhead_on(const struct node *class, uint32_t header)
{
	struct layer_source source = class_layer(class, LAYER_OVERHEAD);

	return source.preset ? preset_overhead(source.preset, header, NULL)
			     : (uint32_t)layer_number(&source, LAYER_OVERHEAD);
}

uint32_t class_mpu(const struct node *class)
{
	struct layer_source source = class_layer(class, LAYER_MPU);

	return source.preset ? source.preset->mpu
			     : (uint32_t)layer_number(&source, LAYER_MPU);
}

uint64_t class_packet_cost_on(const struct node *class, uint32_t header,
			      uint64_t bytes)
{
	bytes += class_overhead_on(class, header);
	if (bytes < class_mpu(class))
		bytes = class_mpu(class);
	if (class_linklayer(class) == LINKLAYER_ATM)
		bytes = (bytes + CELL_PAYLOAD - 1) / CELL_PAYLOAD * CELL_BYTES;
	return bytes;
}

uint64_t class_packet_cost(const struct node *class, uint64_t bytes)
{
	return class_packet_cost_on(class, LINK_HEADER_ETHERNET, bytes);
}

bool class_is_ptm(const struct node *class)
{
	struct layer_source source = class_layer(class, LAYER_LINKLAYER);

	return source.preset && source.preset->ptm;
}

uint32_t shaping_quantum(uint64_t rate_bytes, uint64_t r2q)
{
	uint64_t quantum = rate_bytes / (r2q ? r2q : 1);

	if (quantum < QUANTUM_LEAST)
		return QUANTUM_LEAST;
	return quantum > QUANTUM_MOST ? QUANTUM_MOST : (uint32_t)quantum;
}
