/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * netlink.h - one netlink socket: dumps, and batches with an answer a message.
 *
 * Messages are built with libnl-3's core (struct nl_msg, nla_put_*, nlmsg_*);
 * sending and receiving is ours, because we want many messages a system call,
 * the answer to each by its sequence number, and the kernel's own sentence
 * (NETLINK_EXT_ACK, linux/netlink.h), also when it comes with success as a
 * warning.
 *
 * A batch is not atomic by itself: after a message that failed, the kernel goes
 * on with the next. The answers tell which ones took effect; a message that
 * succeeded has no words, only the last of some hundreds is told so. (nftables'
 * own transactions are atomic: netlink_transact().)
 */
#ifndef BACKENDS_NETLINK_NETLINK_H
#define BACKENDS_NETLINK_NETLINK_H

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/base/mem.h"

struct netlink;

struct netlink *netlink_open(int protocol, struct err *err);
void netlink_free(struct netlink *netlink);
AUTO_DEFINE(netlink, struct netlink *, netlink_free)
/* How long the kernel may take for an answer, 10 s by itself; then ETIMEDOUT.
 * What it does before it lets us go from the sending call does not count:
 * nobody can break that off. */
void netlink_set_deadline(struct netlink *netlink, unsigned ms);
AUTO_DEFINE(nlmsg, struct nl_msg *, nlmsg_free)

/* A message with room for size bytes of attributes (0: one page). Memory
 * failures end the program. type and flags as in struct nlmsghdr; NLM_F_REQUEST
 * is added. */
struct nl_msg *netlink_message(int type, int flags, const void *header,
			       size_t header_size, size_t size);

/* Sends a dump request (NLM_F_DUMP is added; the message stays the caller's)
 * and gives every message of the answer to each(), which returns 0 or a
 * negative errno to stop with. A dump that was interrupted by a change
 * (NLM_F_DUMP_INTR) is begun again, up to a few times; restart() is told then
 * so that it can forget what it has. restart may be NULL when each() is
 * idempotent. */
int netlink_dump(struct netlink *netlink, struct nl_msg *request,
		 int (*each)(const struct nlmsghdr *message, void *arg),
		 void (*restart)(void *arg), void *arg, struct err *err);

/* The attributes behind a header of header_size bytes, by number up to max.
 * false: the message is shorter than that, or they make no sense. */
bool netlink_parse(const struct nlmsghdr *message, size_t header_size,
		   struct nlattr **attrs, int max);
/* What a 32-bit attribute says, or otherwise where there is none. */
uint32_t netlink_u32(const struct nlattr *attr, uint32_t otherwise);

/* Sends a request for one thing and gives what comes back to each(). */
int netlink_get(struct netlink *netlink, struct nl_msg *request,
		int (*each)(const struct nlmsghdr *message, void *arg),
		void *arg, struct err *err);

struct answer {
	int code;    /* 0 or negative errno */
	char *words; /* owned: the kernel's sentence, error or warning; NULL */
};

/* A message to send, and what came back. */
struct request {
	struct nl_msg *message; /* owned by the batch once added */
	struct answer answer;
};
struct batch {
	struct request *items; /* owned */
	size_t count, room;
};
#define BATCH_NONE                                                             \
	{                                                                      \
		NULL, 0, 0                                                     \
	}
void batch_add(struct batch *batch, struct nl_msg *message);
void batch_clear(struct batch *batch);

/* Sends all messages and waits until all are done. 0 if the socket worked: then
 * every answer is filled in. *failed is the index of the first message with an
 * error, or count. */
int netlink_send(struct netlink *netlink, struct batch *batch, size_t *failed,
		 struct err *err);

/* All or nothing, for NETLINK_NETFILTER: the batch between
 * NFNL_MSG_BATCH_BEGIN and NFNL_MSG_BATCH_END for subsystem (nfnetlink.c). On
 * failure the answer of the message at fault is filled in, *failed is its
 * index, nothing took effect, and the code is returned. */
int netlink_transact(struct netlink *netlink, int subsystem,
		     struct batch *batch, size_t *failed, struct err *err);

/* Writes code and the kernel's words into err: "class wan0 1:10: Invalid
 * argument (the kernel says: ...)". Returns the code. */
int answer_err(const struct answer *answer, const char *what, struct err *err);

#endif
