/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shaping.h - what the settings of an HTB tree come to. Pure; no kernel.
 *
 * A setting of the link layer that a class leaves out is what its preset says,
 * then that of the class above it, then the uplink's, then ethernet, 0 and 0.
 *
 * A burst travels as *ticks* of 64 ns: how long the bytes take at the rate. HTB
 * holds 32 bits of them, 275 seconds.
 */
#ifndef MODEL_SHAPING_H
#define MODEL_SHAPING_H

#include <stdbool.h>
#include <stdint.h>

#include "model/kind.h"

struct err;
struct node;
struct preset;

/* Levels of classes that the kernel's HTB takes (TC_HTB_MAXDEPTH of
 * net/sched/sch_htb.c; a ninth is "tree is too deep"). */
#define SHAPING_DEPTH_MAX 8

/* The device of a tree, its own or its path's; NULL if there is none. */
const char *uplink_device(const struct node *uplink);

bool uplink_is_down(const struct node *uplink);
/* The ifb that what arrives is led over: tr-eth1. A name that would be too long
 * is cut, and told from others by digits. Empty without a device. */
#define IFB_NAME_SIZE 16
void uplink_ifb(const struct node *uplink, char name[IFB_NAME_SIZE]);

/* The uplink that a class is below. */
const struct node *class_uplink(const struct node *class);
/* 0 for a class at the top. */
unsigned class_depth(const struct node *class);
/* No classes below it: it may carry traffic. */
bool class_is_leaf(const struct node *class);

/* Byte/s, cut as tc does; ceil is the rate where it is left out. */
uint64_t class_rate_bytes(const struct node *class);
uint64_t class_ceil_bytes(const struct node *class);

/* Bytes; tc's default where they are left out. */
uint64_t class_burst(const struct node *class);
uint64_t class_cburst(const struct node *class);

/* The same in ticks. -ERANGE (err says which setting and what fits) if 32 bits
 * do not hold them; tc would wrap them around without a word. */
int class_burst_ticks(const struct node *class, uint32_t *ticks,
		      struct err *err);
int class_cburst_ticks(const struct node *class, uint32_t *ticks,
		       struct err *err);
/* Both at once. */
int class_ticks_check(const struct node *class, struct err *err);

enum layer { LAYER_PRESET, LAYER_LINKLAYER, LAYER_OVERHEAD, LAYER_MPU };
/* Who says one of these for a class. */
struct layer_source {
	const struct node *node;     /* class or uplink; NULL: nobody */
	const struct preset *preset; /* by its preset; NULL: by the setting */
};
struct layer_source class_layer(const struct node *class, enum layer layer);
/* Index of the setting in the table of a class or an uplink. */
size_t layer_attr(const struct node *node, enum layer layer);

enum linklayer class_linklayer(const struct node *class);
/* header: bytes of link header that count already (link_header()). */
uint32_t class_overhead_on(const struct node *class, uint32_t header);
uint32_t class_mpu(const struct node *class);
/* What HTB charges for a packet of so many bytes, link header included
 * (psched_l2t_ns() of include/net/sch_generic.h). */
uint64_t class_packet_cost(const struct node *class, uint64_t bytes);
uint64_t class_packet_cost_on(const struct node *class, uint32_t header,
			      uint64_t bytes);
/* 65 bytes on the line for 64 that HTB charges? */
bool class_is_ptm(const struct node *class);

/* The quantum the kernel gives a class that asks for none: rate / r2q, between
 * 1,000 and 200,000 (htb_change_class()). */
uint32_t shaping_quantum(uint64_t rate_bytes, uint64_t r2q);

/* What tc takes for a burst where none is given. */
uint64_t shaping_standard_burst(uint64_t rate_bytes);
/*
 * Ticks that bytes take at a rate. Equal to those of tc 6.1, which cuts to
 * whole microseconds first, as long as that loses little; for less than 10 us,
 * where tc loses more than a tenth and at last everything (`burst 0b` above 13
 * Gbit/s), exact and rounded up. -ERANGE past 32 bits.
 */
int shaping_ticks(uint64_t rate_bytes, uint64_t bytes, uint32_t *ticks);
/* The way back, as tc prints it. */
uint64_t shaping_bytes(uint64_t rate_bytes, uint32_t ticks);

#endif
