/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * host.h - the machine under the drivers: the only door to its sockets.
 *
 * A host is the network namespace the program runs in. Sockets are opened when
 * first asked for, so what only looks at the store opens none.
 */
#ifndef BACKENDS_HOST_H
#define BACKENDS_HOST_H

#include "model/base/digest.h"
#include "model/base/err.h"
#include "model/base/mem.h"
#include "model/facts.h"

struct host;
struct netlink;

/* rtm_protocol and FRA_PROTOCOL of all that is ours: 'T'. */
#define TRESSE_RTPROT 84

struct host *host_new(void);
void host_free(struct host *host);
AUTO_DEFINE(host, struct host *, host_free)

/* Who knows the secret behind a digest (model/secret.h). */
void host_keep_secrets(struct host *host,
		       char *(*find)(void *arg, const char *hidden,
				     struct err *err),
		       void *arg);
/* The caller's to wipe and free; NULL and why. */
char *host_secret(struct host *host, const char *hidden, struct err *err);

/* A throw-away namespace for a rehearsal: other programs are not asked. */
void host_set_stage(struct host *host);
bool host_is_stage(const struct host *host);

/* NETLINK_ROUTE, NETLINK_NETFILTER; borrowed. NULL and err on failure. */
struct netlink *host_netlink(struct host *host, int protocol, struct err *err);

/* How long the kernel may take for an answer (netlink_set_deadline()). */
void host_set_deadline(struct host *host, uint64_t us);

/* Links, addresses and default routes as they are now (facts is cleared
 * first, but what was probed stays). */
int host_read_facts(struct host *host, struct facts *facts, struct err *err);

/* Number of the link of that name as of now; ENODEV if there is none. */
int host_link_index(const char *name, struct err *err);

/* Which network namespace of which boot this is. */
struct digest host_digest(void);

/* 0 if this process may change the network here; else EPERM and a sentence that
 * names the capability. */
int host_may_write(struct host *host, struct err *err);

/* Runs job in a child process in a throw-away network namespace (a user
 * namespace too, where we are not root), with lo up. The child's result
 * (0..255) comes back; negative errno and err if no such namespace can be had.
 * The child must open its own netlink sockets. job writes at most size bytes to
 * answer, which come back as well. ETIMEDOUT once it has worked for 10 s, or
 * done nothing for so long: how busy the machine is does not count. */
int host_throw_away(int (*job)(void *arg, void *answer, size_t size), void *arg,
		    void *answer, size_t size, struct err *err);
/* The same in two halves, for who has something else to do meanwhile. The child
 * sees all as it was when it began. */
struct throw_away {
	int child, answers; /* process; descriptor */
};
int host_throw_away_begin(struct throw_away *away,
			  int (*job)(void *arg, void *answer, size_t size),
			  void *arg, size_t size, struct err *err);
int host_throw_away_end(struct throw_away *away, void *answer, size_t size,
			struct err *err);

#endif
