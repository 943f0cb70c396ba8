/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * message.h - netlink messages of traffic control, as tc 6.1 writes them.
 *
 * Built on libnl-3's core; libnl-route's tc objects never say the link layer.
 * Our messages are tc's byte for byte, but for rate tables, which the kernel
 * does not need once it is told the link layer (2 KiB a class). Nested options
 * have no NLA_F_NESTED, like tc's.
 */
#ifndef BACKENDS_TC_MESSAGE_H
#define BACKENDS_TC_MESSAGE_H

#include <linux/pkt_sched.h>
#include <netlink/attr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nl_msg;
struct step;
struct tc_object;

/* Attributes to write. */
void message_put(struct nl_msg *message, int type, const void *bytes,
		 size_t size);
void message_put_u32(struct nl_msg *message, int type, uint32_t u);
void message_put_u64(struct nl_msg *message, int type, uint64_t u);
struct nlattr *message_nest(struct nl_msg *message, int type);
void message_nest_end(struct nl_msg *message, struct nlattr *nest);

/* Attributes that were read; 0 for what is too short. */
uint8_t message_u8(const struct nlattr *attr);
uint32_t message_u32(const struct nlattr *attr);
uint64_t message_u64(const struct nlattr *attr);
/* false: not there, or too short. */
bool message_struct(const struct nlattr *attr, void *out, size_t size);
bool message_nested(const struct nlattr *attr, struct nlattr **attrs, int most);

/* Rates from 4 GB/s on go into an attribute of 64 bit besides. */
void message_rate(struct tc_ratespec *to, uint64_t rate_bytes,
		  uint8_t linklayer, uint16_t overhead, uint16_t mpu);

/* The whole message that makes, changes or deletes an object. before is what
 * stands there, for a change. */
struct nl_msg *message_add(const struct tc_object *object);
/* fd: the program, which must be open until the message is answered. */
struct nl_msg *message_sorter_add(const struct tc_object *object, int fd);
struct nl_msg *message_change(const struct tc_object *before,
			      const struct tc_object *after);
struct nl_msg *message_delete(const struct tc_object *object);

/* An ifb takes three messages to make. */
struct nl_msg *message_link_add(const struct tc_object *object);
struct nl_msg *message_link_quiet(const struct tc_object *object);
struct nl_msg *message_link_set(const struct tc_object *object);
struct nl_msg *message_link_delete(const struct tc_object *object);

#endif
