/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hub_switch.c - what clients of a server send to each other.
 *
 * In tap mode they and the device are ports of one switch (fdb.h): a frame goes
 * where its address was seen, and everywhere else if that is not known or it is
 * for a group; never back to where it came from. Clients of other hubs are
 * handed it by these (hub_hand.c), once each hub, which look for the address
 * again: so a port is a number to all, and a pointer to its own hub only. In
 * tun mode all goes through the device, and so through this host's own routes
 * and rules. With isolate clients reach the device alone.
 */
#include <linux/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "backends/engine/hub_private.h"

enum {
	HEADER = 14,
	DEVICE = FDB_PORTS,
	STORM_US = 250000,  /* of storm-control may come at once */
	STORM_BYTES = 1000, /* a frame counts as so many, whatever its size */
};

/* --- ports: a peer's is its number ---------------------------------------- */

/* More than there are numbers for are reached by flooding. */
void switch_join(struct peer *peer)
{
	if (peer->hub->fdb)
		peer->port.number = peer->self.number;
}

void switch_forget(struct peer *peer)
{
	if (peer->port.number != FDB_NO_PORT)
		fdb_forget(peer->hub->fdb, peer->port.number);
}

/* Of another hub; NULL: it is one of ours, or the device. */
static struct hub *hub_of(const struct hub *hub, uint16_t port)
{
	unsigned part = port % hub->crew->count;

	return port == DEVICE || part == hub->part ? NULL
						   : hub->crew->hubs[part];
}

/* One of ours; NULL: it is the device, or another hub's. */
static struct peer *peer_at(const struct hub *hub, uint16_t port)
{
	return port == FDB_NO_PORT || port == DEVICE || hub_of(hub, port)
		       ? NULL
		       : peer_numbered(hub, port);
}

/* --- the segment ---------------------------------------------------------- */

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

struct fdb *switch_new(const struct hub_config *config)
{
	uint64_t key = clock_us();

	if (!config->server || !config->tap)
		return NULL;
	if (getrandom(&key, sizeof(key), 0) < 0)
		key ^= (uintptr_t)config;
	return fdb_new(key);
}

void switch_open(struct hub *hub)
{
	hub->fdb = hub->crew->fdb;
	hub->port.number = DEVICE;
	if (hub->fdb)
		read_own_address(hub);
}

void switch_age(struct hub *hub, uint64_t now)
{
	if (!hub->fdb)
		return;
	if (hub->part == 0)
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

static void hand_to_all(struct hub *hub, const struct tun_packet *packet,
			uint16_t number)
{
	for (unsigned i = 0; i < hub->crew->count; i++)
		if (i != hub->part)
			hub_hand_packet(hub, hub->crew->hubs[i], packet, true,
					number);
}

/* A copy: what was delivered is only lent. */
static void pass(struct peer *from, uint16_t port, const uint8_t *frame,
		 size_t size, const struct packet_info *info, bool unsummed,
		 uint64_t now)
{
	struct hub *hub = from->hub, *other = NULL;
	struct tun_packet packet = { .data = frame,
				     .size = (uint32_t)size,
				     .count = 1,
				     .unsummed = unsummed,
				     .info = *info };

	if (port == FDB_NO_PORT)
		hand_to_all(hub, &packet, from->self.number);
	else
		other = hub_of(hub, port);
	if (other) {
		hub_hand_packet(hub, other, &packet, false, from->self.number);
		return;
	}
	packet.data = keep_room(hub->keep);
	memcpy((uint8_t *)packet.data, frame, size);
	hub_pass(hub, &packet, peer_at(hub, port), from, now);
}

/* Storm control: what is for all leaves as often as there are clients, so each
 * of them may send so much of it and no more. */
static bool is_storm(struct peer *peer, uint64_t now)
{
	uint64_t rate = (uint64_t)peer->hub->config.storm_pps * STORM_BYTES * 8;

	if (!rate)
		return false;
	if (limit_wait(&peer->storm, rate, STORM_US, now))
		return true;
	limit_took(&peer->storm, rate, STORM_BYTES, now);
	return false;
}

static bool switched(struct peer *peer, const uint8_t *frame, size_t size,
		     const struct packet_info *info, bool unsummed,
		     uint64_t now)
{
	struct hub *hub = peer->hub;
	uint16_t port = fdb_find(hub->fdb, frame, now);
	bool ours = !memcmp(frame, hub->mac, FDB_ADDRESS);

	if (port != FDB_NO_PORT && port == peer->port.number)
		return false;
	if (port == DEVICE || ours)
		return true;
	if (!port && is_storm(peer, now)) {
		peer->storm_dropped++;
		return false;
	}
	if (port && hub->config.isolate) {
		peer->isolated++;
		return false;
	}
	if (port || !(hub->config.isolate || fdb_is_link_local(frame)))
		pass(peer, port, frame, size, info, unsummed, now);
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

void switch_from_device(struct hub *hub, struct tun_packet *packet,
			uint64_t now)
{
	const uint8_t *frame = packet->data;
	struct hub *other;
	uint16_t port;

	if (packet->size < HEADER) {
		hub_take(hub, NULL, packet, now);
		return;
	}
	if (memcmp(frame + FDB_ADDRESS, hub->mac, FDB_ADDRESS))
		fdb_learn(hub->fdb, frame + FDB_ADDRESS, &hub->port, now);
	port = fdb_find(hub->fdb, frame, now);
	if (port == FDB_NO_PORT) {
		hand_to_all(hub, packet, 0);
		hub_pass(hub, packet, NULL, NULL, now);
		return;
	}
	other = hub_of(hub, port);
	if (other)
		hub_hand_packet(hub, other, packet, false, port);
	else
		hub_take(hub, peer_at(hub, port), packet, now);
}

void switch_handed(struct hub *hub, struct tun_packet *packet, bool all,
		   uint64_t now)
{
	if (all)
		hub_pass(hub, packet, NULL, NULL, now);
	else
		hub_take(hub,
			 peer_at(hub, fdb_find(hub->fdb, packet->data, now)),
			 packet, now);
}
