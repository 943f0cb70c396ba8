/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hub_switch.c - what clients of a server send to each other.
 *
 * In tap mode they and the device are ports of one switch (fdb.h): a frame goes
 * where its address was seen, and everywhere else if that is not known or it is
 * for a group; never back to where it came from. In tun mode all goes through
 * the device, and so through this host's own routes and rules. With isolate
 * clients reach the device alone.
 */
#include <linux/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "backends/engine/hub_private.h"

enum { ADDRESSES = 2 * FDB_ADDRESS, HEADER = 14 };

#define PEER_OF(at)                                                            \
	((struct peer *)((uint8_t *)(at)-offsetof(struct peer, port)))

/* Nobody else may have it: what comes for it is ours. */
static void read_own_address(struct hub *hub)
{
	struct ifreq request = { .ifr_flags = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s",
		 hub->config.device);
	if (ioctl(fd, SIOCGIFHWADDR, &request) == 0)
		memcpy(hub->mac, request.ifr_hwaddr.sa_data, FDB_ADDRESS);
	close(fd);
}

void switch_open(struct hub *hub)
{
	uint64_t key = clock_us();

	if (!hub->config.server || !hub->config.tap)
		return;
	if (getrandom(&key, sizeof(key), 0) < 0)
		key ^= (uintptr_t)hub;
	hub->fdb = fdb_new(key);
	read_own_address(hub);
}

void switch_close(struct hub *hub)
{
	fdb_free(hub->fdb);
}

void switch_forget(struct peer *peer)
{
	if (peer->hub->fdb)
		fdb_forget(peer->hub->fdb, &peer->port);
}

void switch_age(struct hub *hub, uint64_t now)
{
	if (!hub->fdb)
		return;
	fdb_age(hub->fdb, now);
	read_own_address(hub);
}

bool switch_learn(struct peer *peer, const uint8_t *frame, size_t size,
		  uint64_t now)
{
	struct hub *hub = peer->hub;
	const uint8_t *source = frame + FDB_ADDRESS;

	if (size < HEADER || !fdb_is_source(source))
		return false;
	if (!hub->fdb)
		return true;
	if (!memcmp(source, hub->mac, FDB_ADDRESS))
		return false;
	fdb_learn(hub->fdb, source, &peer->port, now);
	return true;
}

/* A copy: what was delivered is only lent. */
static void pass(struct peer *from, struct peer *to, const uint8_t *frame,
		 size_t size, const struct packet_info *info, bool unsummed,
		 uint64_t now)
{
	struct hub *hub = from->hub;
	uint8_t *room = keep_room(hub->keep);
	struct tun_packet packet = { .data = room,
				     .size = (uint32_t)size,
				     .count = 1,
				     .unsummed = unsummed,
				     .info = *info };

	memcpy(room, frame, size);
	hub_pass(hub, &packet, to, from, now);
}

static bool switched(struct peer *peer, const uint8_t *frame, size_t size,
		     const struct packet_info *info, bool unsummed,
		     uint64_t now)
{
	struct hub *hub = peer->hub;
	struct fdb_port *port = fdb_find(hub->fdb, frame, now);
	bool ours = !memcmp(frame, hub->mac, FDB_ADDRESS);

	if (port == &peer->port)
		return false;
	if (port == &hub->port || ours)
		return true;
	if (port && hub->config.isolate) {
		peer->isolated++;
		return false;
	}
	if (port || !(hub->config.isolate || fdb_is_link_local(frame)))
		pass(peer, port ? PEER_OF(port) : NULL, frame, size, info,
		     unsummed, now);
	return !port;
}

bool switch_from_peer(struct peer *peer, const uint8_t *packet, size_t size,
		      const struct packet_info *info, bool unsummed,
		      uint64_t now)
{
	struct hub *hub = peer->hub;

	if (hub->fdb)
		return switched(peer, packet, size, info, unsummed, now);
	if (!hub->config.isolate || !hub->prefixes ||
	    !inner_map_find_packet(hub->prefixes, info->version,
				   packet + info->l3 +
					   (info->version == 4 ? 16 : 24)))
		return true;
	peer->isolated++;
	return false;
}

struct peer *switch_from_device(struct hub *hub,
				const struct tun_packet *packet, bool *all,
				uint64_t now)
{
	const uint8_t *frame = packet->data;
	struct fdb_port *port;

	*all = false;
	if (packet->size < HEADER)
		return NULL;
	if (memcmp(frame + FDB_ADDRESS, hub->mac, FDB_ADDRESS))
		fdb_learn(hub->fdb, frame + FDB_ADDRESS, &hub->port, now);
	port = fdb_find(hub->fdb, frame, now);
	*all = !port;
	return port && port != &hub->port ? PEER_OF(port) : NULL;
}
