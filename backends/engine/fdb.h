/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fdb.h - behind which port of the switch an Ethernet address is: the filtering
 * database of IEEE 802.1Q, 8.8, learnt from the sources of frames (8.7).
 *
 * An address moves with its owner, at once, and is forgotten when nothing came
 * from it for 300 s. All VLANs share one database, as in a Linux bridge that
 * does not filter them.
 *
 * Ports are hostile: each may have FDB_PORT_MOST addresses, and what is behind
 * more is not learnt, but reached by flooding. Memory is fixed. Sets of eight
 * entries are found by a hash with a random key, so nobody can aim at the set
 * of somebody else's address.
 *
 * Any number of threads use it at once, without a lock: an entry is one word,
 * address and port together, which is read whole and changed by comparing
 * (C11, 7.17.7.4). What two of them learn of one address in the same moment
 * comes to one entry, as if one had come after the other. A port is learnt from
 * by the thread that has it, the device's by any; only the owner of what is
 * said to be so touches a struct fdb_port.
 */
#ifndef BACKENDS_ENGINE_FDB_H
#define BACKENDS_ENGINE_FDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/mem.h"

enum {
	FDB_ENTRIES = 8192,
	FDB_PORT_MOST = 256,
	FDB_AGE_US = 300 * 1000000,
	FDB_ADDRESS = 6,
	FDB_NO_PORT = 0, /* numbers of ports */
	FDB_PORTS = UINT16_MAX,
};

struct fdb;

/* In what has the port. */
struct fdb_port {
	uint16_t number; /* FDB_NO_PORT: nothing is learnt from it */
	uint64_t moved;	 /* addresses that came here from another port */
	uint64_t untold; /* frames whose source was not learnt: too many */
};

struct fdb *fdb_new(uint64_t key);
void fdb_free(struct fdb *fdb);
AUTO_DEFINE(fdb, struct fdb *, fdb_free)

/* Can a frame come from it? Neither from a group nor from nobody. */
bool fdb_is_source(const uint8_t address[FDB_ADDRESS]);
/* A group that no bridge forwards: 01-80-C2-00-00-00 to -0F (802.1Q, table
 * 8-1). */
bool fdb_is_link_local(const uint8_t address[FDB_ADDRESS]);

/* A frame came from that address through the port. */
void fdb_learn(struct fdb *fdb, const uint8_t address[FDB_ADDRESS],
	       struct fdb_port *port, uint64_t now);
/* The port's number; FDB_NO_PORT: nobody knows, or it is a group. */
uint16_t fdb_find(const struct fdb *fdb, const uint8_t address[FDB_ADDRESS],
		  uint64_t now);
/* Addresses that are behind that port. */
unsigned fdb_count(const struct fdb *fdb, uint16_t number);
/* The port goes; its number may be given to another one then. By who learns
 * from it. */
void fdb_forget(struct fdb *fdb, uint16_t number);
/* Now and then: what is too old gives its place back. */
void fdb_age(struct fdb *fdb, uint64_t now);

#endif
