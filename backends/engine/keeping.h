/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * keeping.h - what the engine's keeper does: the files of root, and nothing
 * else.
 *
 * The engine reads what strangers send, so it is nobody (sandbox.h). What it
 * needs of root's files a process of its own does for it, which is root, has no
 * capability, opens no socket and hears of nobody but the engine:
 *
 *     tressed, user tressed  <--- SOCK_SEQPACKET --->  its keeper, root
 *     sockets, tun devices                             the store and its keys
 *     CAP_NET_ADMIN, _RAW                              /dev/net/tun
 *                                                      the file of measurements
 *
 * Each packet is a head and at most KEEPING_PIECE bytes:
 *
 *     asked with        bytes         answered with
 *     KEEPING_LINKS     none          JSON: [ { "link", "keys" } ] (restore.h)
 *     KEEPING_TUN       none          a file descriptor of /dev/net/tun
 *     KEEPING_READ      none          the file of measurements; none: no bytes
 *     KEEPING_WRITE     some, or none; they replace that file
 *     KEEPING_LEAVE     struct keeping_socket: the engine's socket is removed
 *
 * More bytes than one packet has come in several, in order, with the same id.
 * Where the code of an answer is not 0 its bytes are a sentence. The engine is
 * not believed: which files these are was decided before it heard of anybody,
 * and a packet of another shape than these is refused and forgotten.
 */
#ifndef BACKENDS_ENGINE_KEEPING_H
#define BACKENDS_ENGINE_KEEPING_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/base/mem.h"

enum keeping_what {
	KEEPING_LINKS = 1,
	KEEPING_TUN,
	KEEPING_READ,
	KEEPING_WRITE,
	KEEPING_LEAVE,
};

enum {
	KEEPING_PIECE = 32 << 10,
	KEEPING_MOST = 64 << 20, /* of what was measured */
};

struct keeping_head {
	uint32_t id;	    /* the answer's is that of what was asked */
	uint32_t what;	    /* enum keeping_what */
	int32_t code;	    /* of an answer: 0, or a negative errno value */
	uint32_t total, at; /* bytes in all, and before these */
};

struct keeping_packet {
	struct keeping_head head;
	uint8_t bytes[KEEPING_PIECE];
};

/* Which one it is (stat(2)): who put another in its place keeps that. */
struct keeping_socket {
	uint64_t device, inode;
};

/* Paths; borrowed. */
struct keeping_files {
	const char *store, *measured, *socket;
};

struct keeping_answer {
	int code;
	char *bytes; /* owned */
	size_t size;
	int fd; /* owned; -1: none */
};

/* How it is done; the tests have others. What goes wrong is in err. */
struct keeping_hands {
	int (*links)(const struct keeping_files *files, char **bytes,
		     size_t *size, struct err *err);
	int (*tun)(struct err *err); /* a file descriptor */
	int (*read)(const struct keeping_files *files, char **bytes,
		    size_t *size, struct err *err);
	int (*write)(const struct keeping_files *files, const char *bytes,
		     size_t size, struct err *err);
	int (*leave)(const struct keeping_files *files,
		     const struct keeping_socket *socket, struct err *err);
};
extern const struct keeping_hands keeping_hands;

struct keeping {
	const struct keeping_files *files;
	const struct keeping_hands *hands;
	uint32_t id; /* of what comes in pieces */
	char *bytes; /* owned: what came of it; NULL: none is under way */
	size_t total, size;
};

/* One packet of the engine's. true: answer is to be sent and cleared; false: it
 * goes on, or is not worth one. */
bool keeping_hear(struct keeping *keeping, const void *packet, size_t size,
		  struct keeping_answer *answer);
void keeping_answer_clear(struct keeping_answer *answer);
/* Nothing is under way any more. */
void keeping_clear(struct keeping *keeping);

/* Hears and answers until the other end of fd is gone. */
void keeping_run(int fd, const struct keeping_files *files);

/* Sends bytes behind that head, in pieces, and passed with the first of them
 * (-1: none). Both ends use it; a negative errno value if the other is gone. */
int keeping_send(int fd, struct keeping_head head, const char *bytes,
		 size_t size, int passed);

#endif
