/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hub_peer.c - who the hub talks to, and over which lines. */
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "backends/engine/hub_private.h"
#include "model/kind.h"

_Static_assert(TUNNEL_AROUND_IP4 == WIRE_OVERHEAD + 20 + 8 &&
		       TUNNEL_AROUND_IP6 == WIRE_OVERHEAD + 40 + 8,
	       "what is said to be around a packet is");
_Static_assert((int)TUNNEL_FRAME == HUB_FRAME &&
		       (int)TUNNEL_FRAGMENTED == FRAGMENT_WHOLE,
	       "and so is what is said of frames");

enum {
	GRANT_LEAST = 8000, /* bit/s, as of any limit */
	LEAST_CAP_BPS = 1000,
	HOUSEKEEPING_US = 10 * 1000000,
	LANE_FORGET_US = 300 * 1000000, /* a server's, that has gone silent */
	/* Inits in vain that go by a quiet line, too: so many, then each 8th.
	 */
	QUIET_AT_ONCE = 4,
	QUIET_EACH = 8,
};

/* --- lanes ---------------------------------------------------------------- */

struct lane *lane_add(struct peer *peer, uint8_t id, struct udp *udp,
		      const struct address *to)
{
	struct lane *lane = mem_alloc(sizeof(*lane));

	lane->id = id;
	lane->udp = udp;
	lane->reachable = to != NULL;
	if (to)
		lane->to = *to;
	peer->lanes[id] = lane;
	peer->lane_count++;
	return lane;
}

void lane_remove(struct peer *peer, uint8_t id)
{
	struct lane *lane = peer->lanes[id];
	struct member *member;

	if (!lane)
		return;
	if (peer->braid && braid_has_lane(peer->braid, id))
		braid_lane_remove(peer->braid, id, clock_us());
	member = lane->member;
	peer->lanes[id] = NULL;
	peer->lane_count--;
	free(lane);
	if (!member)
		return;
	for (int i = 0; i < HUB_SOCKETS; i++)
		if (member->lanes[i] == id) {
			member->lanes[i] = NO_LANE;
			udp_free(TAKE(member->udp[i]));
		}
	for (int i = 0; i < HUB_SOCKETS; i++)
		if (member->udp[i])
			return;
	if (member->leaving) {
		TAILQ_REMOVE(&peer->hub->members, member, entry);
		member_free(member);
	}
}

struct peer *hub_only_peer(const struct hub *hub)
{
	return hub->config.server ? NULL : TAILQ_FIRST(&hub->peers);
}

static uint16_t device_mtu(const char *device)
{
	struct ifreq request = { .ifr_mtu = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	rc = ioctl(fd, SIOCGIFMTU, &request);
	close(fd);
	return rc < 0 || request.ifr_mtu < 576 ? 1500
	       : request.ifr_mtu > UINT16_MAX  ? UINT16_MAX
					       : (uint16_t)request.ifr_mtu;
}

/* Each socket is a lane, with its part of what the member may carry. */
static uint64_t cap_of_socket(const struct hub_member *config, uint64_t bps)
{
	uint64_t part = bps / config->sockets;

	return bps && part < LEAST_CAP_BPS ? LEAST_CAP_BPS : part;
}

static struct braid_lane_config braid_config_of(const struct member *member,
						const struct address *to)
{
	const struct hub_member *config = &member->config;
	uint8_t around =
		address_is_ip4(to) ? TUNNEL_AROUND_IP4 : TUNNEL_AROUND_IP6;

	return (struct braid_lane_config){
		.up_bps = cap_of_socket(config, config->up_bps),
		.down_bps = cap_of_socket(config, config->down_bps),
		.mtu = (uint16_t)(device_mtu(config->device) - around),
		.overhead = around,
		.line = member->line,
		.tier = config->tier,
		.weight = config->weight,
		.metered = config->metered,
		.standby = config->standby,
	};
}

static void lane_lead(struct peer *peer, struct lane *lane,
		      const struct member *member, uint64_t now)
{
	bool led = lane->reachable;

	lane->reachable = member->aimed;
	if (!member->aimed)
		braid_lane_down(peer->braid, lane->id, now);
	/* A name may lead to where its lanes led before. */
	if (!member->aimed || (led && address_equal(&lane->to, &member->aim)))
		return;
	lane->to = member->aim;
	braid_lane_up(peer->braid, lane->id, now);
}

/* Its lanes lead to what it aims at. */
static void member_lead(struct peer *peer, struct member *member, uint64_t now)
{
	for (int i = 0; i < HUB_SOCKETS; i++) {
		struct lane *lane = member->lanes[i] == NO_LANE
					    ? NULL
					    : peer->lanes[member->lanes[i]];

		if (lane && peer->braid)
			lane_lead(peer, lane, member, now);
	}
}

/* Gives the sockets of a member to the peer as lanes. */
static void member_join(struct peer *peer, struct member *member, uint64_t now)
{
	const struct address *to = &member->aim;
	struct braid_lane_config config;

	aim_take(peer, member, false);
	member_lead(peer, member, now);
	if (!member->aimed || !peer->braid || member->leaving)
		return;
	config = braid_config_of(member, to);
	for (int i = 0; i < member->config.sockets; i++) {
		struct lane *lane;

		if (!member->udp[i] || member->lanes[i] == NO_LANE)
			continue;
		if (braid_has_lane(peer->braid, member->lanes[i])) {
			braid_lane_set(peer->braid, member->lanes[i], &config,
				       now);
			continue;
		}
		if (braid_lane_add(peer->braid, member->lanes[i], &config,
				   now) < 0)
			continue;
		lane = lane_add(peer, member->lanes[i], member->udp[i], to);
		lane->member = member;
	}
}

void member_retarget(struct peer *peer, struct member *member, uint64_t now)
{
	if (!aim_take(peer, member, true))
		return;
	member_join(peer, member, now);
	hub_schedule(peer->hub, peer, 0);
}

/* From there the server answered: it is where all that can reach it aim. */
static void members_aim(struct hub *hub, struct peer *peer,
			const struct address *to, uint64_t now)
{
	struct member *member;

	TAILQ_FOREACH (member, &hub->members, entry)
		if (aim_set(peer, member, to))
			member_join(peer, member, now);
}

/* --- what a server hands out ---------------------------------------------- */

/* Also that there is nothing: then the client can say so. */
static void hand_out(struct peer *peer, uint64_t now)
{
	struct lease lease = peer->config.lease;
	uint8_t bytes[LEASE_BYTES];
	size_t size;

	lease.limit_bps = peer->config.up_bps;
	if (!peer->hub->config.server || !peer->braid)
		return;
	lease.said = peer->said = hub_said(peer, now);
	size = lease_print(&lease, bytes);
	braid_note(peer->braid, bytes, size, now);
	hub_schedule(peer->hub, peer, 0);
}

static void hub_news(struct hub *hub)
{
	uint64_t one = 1;

	if (hub->config.news >= 0 &&
	    write(hub->config.news, &one, sizeof(one)) != sizeof(one))
		return; /* it is full of news already */
}

static void take_note(void *context, const uint8_t *bytes, size_t size)
{
	struct peer *peer = context;
	struct hub *hub = peer->hub;
	struct lease lease;

	if (hub->config.server || lease_parse(&lease, bytes, size) < 0)
		return;
	peer->granted_bps = lease.limit_bps;
	if (peer->granted_bps && peer->granted_bps < GRANT_LEAST)
		peer->granted_bps = GRANT_LEAST;
	if (hub->leased && lease_equal(&hub->lease, &lease))
		return;
	hub->lease = lease;
	hub->leased = true;
	hub_news(hub);
}

struct lease_call {
	struct lease *lease;
	bool leased;
};

static void get_lease(struct hub *hub, void *arg)
{
	struct lease_call *call = arg;

	*call->lease = hub->lease;
	call->leased = hub->leased;
}

bool hub_lease(struct hub *hub, struct lease *lease)
{
	struct lease_call call = { lease, false };

	hub_call(hub, get_lease, &call);
	return call.leased;
}

static void get_alone(struct hub *hub, void *arg)
{
	const struct peer *peer = hub_only_peer(hub);

	*(bool *)arg = peer && !handshake_session(peer->handshake);
}

bool hub_is_alone(struct hub *hub)
{
	bool alone;

	hub_call(hub, get_alone, &alone);
	return alone;
}

/* --- peers ---------------------------------------------------------------- */

static uint32_t salt(void)
{
	uint32_t bytes;

	if (getrandom(&bytes, sizeof(bytes), 0) != sizeof(bytes))
		abort(); /* there are no keys without randomness either */
	return bytes;
}

static void start_braid(struct peer *peer, uint64_t now)
{
	struct hub *hub = peer->hub;
	uint16_t most =
		(uint16_t)(hub->mtu + (hub->config.tap ? HUB_FRAME : 0));
	struct braid_config config = { .mode = hub->config.mode,
				       .small_bytes = hub->config.small_bytes,
				       .hold_max_us = hub->config.hold_max_us,
				       .slice_us = hub->config.slice_us,
				       .slices = hub->config.slices,
				       .packet_bytes =
					       most > 1500 ? most : 1500,
				       .quiet = hub->config.server,
				       .salt = salt(),
				       .beat = salt(),
				       .deliver = hub_deliver,
				       .noted = take_note,
				       .context = peer };
	struct member *member;

	peer->braid = braid_new(&config);
	peer->era = 0;
	TAILQ_FOREACH (member, &hub->members, entry)
		member_join(peer, member, now);
	hand_out(peer, now);
}

/* Called for every datagram that is authentic: what it costs, each pays. */
void peer_ready(struct peer *peer, uint64_t now)
{
	if (!peer->braid)
		start_braid(peer, now);
}

/* Eras have names, no order: the one we send with counts. */
bool peer_era(struct peer *peer, const struct session *session, uint64_t now)
{
	const struct session *current = handshake_session(peer->handshake);
	uint64_t era = session_era(session);

	if (!current || session_era(current) != era)
		return false;
	if (era == peer->era)
		return true;
	if (peer->era)
		braid_restart(peer->braid, now);
	if (peer->joiner)
		joiner_restart(peer->joiner);
	for (int id = 0; id < 256; id++)
		if (peer->lanes[id])
			peer->lanes[id]->newer = 0;
	peer->era = era;
	peer->since = now;
	return true;
}

/* --- numbers: every hub has each count'th --------------------------------- */

static size_t number_place(const struct hub *hub, uint16_t number)
{
	return number / hub->crew->count - 1U;
}

struct peer *peer_numbered(const struct hub *hub, uint16_t number)
{
	return hub->numbers[number_place(hub, number)];
}

struct peer *peer_of(const struct hub *hub, const struct owner *owner)
{
	return owner && owner->hub == hub ? (struct peer *)owner : NULL;
}

static void numbers_grow(struct hub *hub)
{
	size_t room = hub->number_room;

	hub->number_room = room * 2 + 16;
	hub->numbers = mem_resize(hub->numbers,
				  hub->number_room * sizeof(*hub->numbers));
	memset(hub->numbers + room, 0,
	       (hub->number_room - room) * sizeof(*hub->numbers));
}

static void number_take(struct peer *peer)
{
	struct hub *hub = peer->hub;
	size_t i = hub->number_free, number;

	while (i < hub->number_room && hub->numbers[i])
		i++;
	hub->number_free = i;
	number = (i + 1) * hub->crew->count + hub->part;
	if (!hub->config.server || number >= HUB_NUMBERS)
		return;
	if (i == hub->number_room)
		numbers_grow(hub);
	hub->numbers[i] = peer;
	peer->self.number = (uint16_t)number;
	peer->crowded_before = hub_crowded(hub->crew, peer->self.number);
}

static void number_give(struct peer *peer)
{
	struct hub *hub = peer->hub;
	size_t i;

	if (!peer->self.number)
		return;
	i = number_place(hub, peer->self.number);
	hub->numbers[i] = NULL;
	if (i < hub->number_free)
		hub->number_free = i;
}

/* --- whose is what -------------------------------------------------------- */

void peer_free(struct peer *peer)
{
	struct hub *hub = peer->hub;

	for (size_t i = 0; i < peer->config.prefix_count; i++)
		if (hub->config.server)
			inner_map_remove(hub->prefixes,
					 &peer->config.prefixes[i]);
	switch_forget(peer);
	number_give(peer);
	for (int id = 0; id < 256; id++)
		if (peer->lanes[id])
			lane_remove(peer, (uint8_t)id);
	hub_unschedule(hub, peer);
	if (peer->handshake)
		handshake_remove(hub->handshake, peer->handshake);
	braid_free(peer->braid);
	backlog_free(peer->backlog);
	joiner_free(peer->joiner);
	TAILQ_REMOVE(&hub->peers, peer, entry);
	LIST_REMOVE(peer, namesake);
	explicit_bzero(&peer->config, sizeof(peer->config));
	free(peer);
}

/* FNV-1a (Fowler, Noll and Vo): names are root's to choose. */
static unsigned chain_of(const char *name)
{
	uint32_t hash = 2166136261U;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619U;
	return (hash ^ hash >> 16) % HUB_NAMES;
}

static struct peer *peer_find(const struct hub *hub, const char *name)
{
	struct peer *peer;

	LIST_FOREACH(peer, &hub->names[chain_of(name)], namesake)
	{
		if (!strcmp(peer->config.name, name))
			return peer;
	}
	return NULL;
}

static void prefixes_remove(struct hub *hub, const struct hub_peer *config,
			    size_t count)
{
	for (size_t i = 0; i < count; i++)
		inner_map_remove(hub->prefixes, &config->prefixes[i]);
}

/* Up to the one that is somebody else's, which is returned, or their number. */
static size_t prefixes_add(struct peer *peer, const struct hub_peer *config)
{
	size_t i;

	for (i = 0; i < config->prefix_count; i++)
		if (inner_map_add(peer->hub->prefixes, &config->prefixes[i],
				  &peer->self))
			break;
	return i;
}

/* All or none: the prefixes of config, in place of those it had. */
static int prefixes_change(struct peer *peer, const struct hub_peer *config,
			   struct err *err)
{
	struct hub *hub = peer->hub;
	char text[INNER_TEXT];
	size_t done;

	if (!hub->config.server)
		return 0;
	prefixes_remove(hub, &peer->config, peer->config.prefix_count);
	done = prefixes_add(peer, config);
	if (done == config->prefix_count)
		return 0;
	prefixes_remove(hub, config, done);
	prefixes_add(peer, &peer->config);
	inner_prefix_print(&config->prefixes[done], text);
	return err_set(err, EEXIST,
		       "peer %s: address %s is another peer's already",
		       config->name, text);
}

/* What was changed is refused for something else. */
static void prefixes_back(struct peer *peer, const struct hub_peer *config)
{
	if (!peer->hub->config.server)
		return;
	prefixes_remove(peer->hub, config, config->prefix_count);
	prefixes_add(peer, &peer->config);
}

int hub_key_refused(const char *name, struct err *err)
{
	return err_set(err, EEXIST,
		       "peer %s: the key is another peer's, our own, or none "
		       "that can be used",
		       name);
}

static int key_change(struct peer *peer, const struct hub_peer *config,
		      struct err *err)
{
	struct hub *hub = peer->hub;
	const uint8_t *psk = config->has_psk ? config->psk : NULL;
	struct handshake_peer *fresh;

	if (peer->handshake &&
	    !memcmp(peer->config.key, config->key, NOISE_KEY)) {
		handshake_psk(peer->handshake, psk);
		return 0;
	}
	fresh = handshake_add(hub->handshake, config->key, psk, peer);
	if (!fresh)
		return hub_key_refused(config->name, err);
	if (peer->handshake)
		handshake_remove(hub->handshake, peer->handshake);
	peer->handshake = fresh;
	return 0;
}

static void endpoints_change(struct peer *peer)
{
	struct member *member;

	TAILQ_FOREACH (member, &peer->hub->members, entry)
		member_join(peer, member, clock_us());
}

struct peer_call {
	const struct hub_peer *config;
	const char *name;
	struct owner *owner;
	struct err *err;
	int rc;
};

static void peer_set(struct hub *hub, void *arg)
{
	struct peer_call *call = arg;
	struct peer *peer = peer_find(hub, call->config->name);
	uint64_t now = clock_us();
	bool fresh = !peer;

	if (fresh) {
		peer = mem_alloc(sizeof(*peer));
		peer->hub = peer->self.hub = hub;
		memcpy(peer->config.name, call->config->name, HUB_NAME);
		TAILQ_INSERT_TAIL(&hub->peers, peer, entry);
		LIST_INSERT_HEAD(&hub->names[chain_of(peer->config.name)], peer,
				 namesake);
		number_take(peer);
		switch_join(peer);
	}
	call->rc = prefixes_change(peer, call->config, call->err);
	if (!call->rc) {
		call->rc = key_change(peer, call->config, call->err);
		if (call->rc)
			prefixes_back(peer, call->config);
	}
	if (call->rc && fresh)
		peer_free(peer);
	if (call->rc)
		return;
	peer->config = *call->config;
	if (call->owner)
		*call->owner = peer->self;
	endpoints_change(peer);
	hand_out(peer, now);
	if (!hub->config.server && !handshake_session(peer->handshake))
		handshake_start(hub->handshake, peer->handshake, now);
}

int hub_peer_set(struct hub *hub, const struct hub_peer *peer,
		 struct owner *owner, struct err *err)
{
	struct peer_call call = { .config = peer, .owner = owner, .err = err };

	hub_call(hub, peer_set, &call);
	return call.rc;
}

static void peer_remove(struct hub *hub, void *arg)
{
	const struct peer_call *call = arg;
	struct peer *peer = peer_find(hub, call->name);

	if (peer)
		peer_free(peer);
}

void hub_peer_remove(struct hub *hub, const char *name)
{
	hub_call(hub, peer_remove, &(struct peer_call){ .name = name });
}

static void others_set(struct hub *hub, void *arg)
{
	const struct hub_others *others = arg;

	for (size_t i = 0; i < others->before_count; i++)
		inner_map_remove(hub->prefixes, &others->before[i]);
	for (size_t i = 0; i < others->after_count; i++)
		inner_map_add(hub->prefixes, &others->after[i], others->owner);
}

void hub_others_set(struct hub *hub, const struct hub_others *others)
{
	hub_call(hub, others_set, (void *)others);
}

/* --- members -------------------------------------------------------------- */

void member_free(struct member *member)
{
	for (int i = 0; i < HUB_SOCKETS; i++)
		udp_free(member->udp[i]);
	free(member);
}

static struct member *member_find(const struct hub *hub, const char *name)
{
	struct member *member;

	TAILQ_FOREACH (member, &hub->members, entry)
		if (!member->leaving && !strcmp(member->config.name, name))
			return member;
	return NULL;
}

static bool lane_is_taken(const struct hub *hub, uint8_t id)
{
	const struct member *member;

	TAILQ_FOREACH (member, &hub->members, entry)
		for (int i = 0; i < HUB_SOCKETS; i++)
			if (member->lanes[i] == id)
				return true;
	return false;
}

/* Ids come back as late as can be. */
static uint8_t lane_id(struct hub *hub)
{
	for (int i = 0; i < NO_LANE; i++) {
		uint8_t id = hub->next_lane;

		hub->next_lane = (uint8_t)((id + 1) % NO_LANE);
		if (!lane_is_taken(hub, id))
			return id;
	}
	return NO_LANE;
}

static int socket_open(struct hub *hub, struct member *member, int i,
		       struct err *err)
{
	const struct hub_member *config = &member->config;
	struct udp_options options = {
		.device = config->device[0] ? config->device : NULL,
		.source = config->source,
		.mark = config->mark,
	};

	member->udp[i] = udp_open(&options, err);
	if (!member->udp[i])
		return err_prefix(err, "member %s: ", config->name);
	if (hub_watch(hub, udp_fd(member->udp[i]), member->udp[i], err) < 0) {
		udp_free(TAKE(member->udp[i]));
		return err_prefix(err, "member %s: ", config->name);
	}
	member->lanes[i] = lane_id(hub);
	return 0;
}

/* Sockets stay unless where they lead is another. */
static bool same_sockets(const struct hub_member *a, const struct hub_member *b)
{
	return !strcmp(a->device, b->device) && a->mark == b->mark &&
	       IN6_ARE_ADDR_EQUAL(&a->source, &b->source);
}

static void member_leave(struct hub *hub, struct member *member, int from)
{
	struct peer *peer = hub_only_peer(hub);

	for (int i = from; i < HUB_SOCKETS; i++) {
		uint8_t id = member->lanes[i];

		if (id == NO_LANE)
			continue;
		if (peer && peer->braid && peer->lanes[id]) {
			braid_lane_drain(peer->braid, id, clock_us());
			hub_schedule(hub, peer, 0);
			continue;
		}
		member->lanes[i] = NO_LANE;
		udp_free(TAKE(member->udp[i]));
	}
}

static bool is_empty(const struct member *member)
{
	for (int i = 0; i < HUB_SOCKETS; i++)
		if (member->udp[i])
			return false;
	return true;
}

static struct member *member_new(struct hub *hub,
				 const struct hub_member *config)
{
	struct member *member = mem_alloc(sizeof(*member));

	member->config = *config;
	member->line = ++hub->next_line ? hub->next_line : ++hub->next_line;
	memset(member->lanes, NO_LANE, sizeof(member->lanes));
	TAILQ_INSERT_TAIL(&hub->members, member, entry);
	return member;
}

static void member_end(struct hub *hub, struct member *member)
{
	member->leaving = true;
	member_leave(hub, member, 0);
	if (!is_empty(member))
		return;
	TAILQ_REMOVE(&hub->members, member, entry);
	member_free(member);
}

/* Sockets that it lacks, and those that it has where the device of that name is
 * another than it was: they keep their ports and lanes. */
static int sockets_open(struct hub *hub, struct member *member, struct err *err)
{
	const char *device = member->config.device;
	uint32_t index = if_nametoindex(device);
	int rc = 0;

	for (int i = 0; i < HUB_SOCKETS && !rc; i++)
		if (member->udp[i] && member->index != index)
			rc = udp_device(member->udp[i], device, err);
	for (int i = 0; i < member->config.sockets && !rc; i++)
		if (!member->udp[i])
			rc = socket_open(hub, member, i, err);
	if (!rc)
		member->index = index;
	return rc;
}

/* A device that is not there is no failure: the member says so, and joins when
 * it comes. */
static void member_open(struct hub *hub, struct member *member)
{
	AUTO_ERR err = ERR_NONE;

	member->error[0] = '\0';
	sockets_open(hub, member, &err);
	if (err.code == -ENODEV)
		snprintf(member->error, sizeof(member->error),
			 "device %s is not there: the member joins when it "
			 "comes",
			 member->config.device);
	else if (err.text)
		snprintf(member->error, sizeof(member->error), "%s", err.text);
}

/* Sockets that could not be had are tried again. */
static void members_retry(struct hub *hub)
{
	struct peer *peer = hub_only_peer(hub);
	struct member *member;

	TAILQ_FOREACH (member, &hub->members, entry) {
		if (member->leaving || !member->error[0])
			continue;
		member_open(hub, member);
		if (peer && peer->braid && !member->error[0]) {
			member_join(peer, member, clock_us());
			hub_schedule(hub, peer, 0);
		}
	}
}

struct member_call {
	const struct hub_member *config;
	const char *name;
};

static void member_set(struct hub *hub, void *arg)
{
	const struct member_call *call = arg;
	struct member *old = member_find(hub, call->config->name), *member;
	struct peer *peer = hub_only_peer(hub);
	uint64_t now = clock_us();

	member = old && same_sockets(&old->config, call->config)
			 ? old
			 : member_new(hub, call->config);
	member->config = *call->config;
	member_leave(hub, member, call->config->sockets);
	if (old && member != old)
		member_end(hub, old);
	member_open(hub, member);
	if (!peer)
		return;
	if (peer->braid)
		member_join(peer, member, now);
	if (!handshake_session(peer->handshake))
		handshake_start(hub->handshake, peer->handshake, now);
	hub_schedule(hub, peer, 0);
}

void hub_member_set(struct hub *hub, const struct hub_member *member)
{
	struct member_call call = { .config = member };

	hub_call(hub, member_set, &call);
}

static void member_remove(struct hub *hub, void *arg)
{
	const struct member_call *call = arg;
	struct member *member = member_find(hub, call->name);

	if (member)
		member_end(hub, member);
}

void hub_member_remove(struct hub *hub, const char *name)
{
	hub_call(hub, member_remove, &(struct member_call){ .name = name });
}

/* --- devices of this host ------------------------------------------------- */

struct device_call {
	const char *name;
	uint32_t index;
	bool up;
};

/* Gone, made anew or renamed: the name is nobody's, or another device's. */
static bool has_another(const struct member *member,
			const struct device_call *call)
{
	const char *device = member->config.device;

	return (member->index == call->index || !strcmp(device, call->name)) &&
	       member->index != if_nametoindex(device);
}

static void members_follow(struct hub *hub, const struct device_call *call)
{
	struct peer *peer = hub_only_peer(hub);
	struct member *member;

	TAILQ_FOREACH (member, &hub->members, entry) {
		if (member->leaving || !has_another(member, call))
			continue;
		member_open(hub, member);
		if (peer && peer->braid && !member->error[0])
			member_join(peer, member, clock_us());
	}
}

static bool is_by(const struct lane *lane, const struct device_call *call)
{
	const struct member *member = lane->member;

	return member ? !strcmp(member->config.device, call->name) ||
				member->index == call->index
		      : lane->to.device == call->index;
}

static void device_changed(struct hub *hub, void *arg)
{
	const struct device_call *call = arg;
	uint64_t now = clock_us();
	struct peer *peer;

	members_follow(hub, call);
	if (call->up)
		members_retry(hub);
	TAILQ_FOREACH (peer, &hub->peers, entry) {
		if (call->up && handshake_is_calling(peer->handshake))
			handshake_start(hub->handshake, peer->handshake, now);
		if (!peer->braid)
			continue;
		for (int id = 0; id < 256; id++) {
			const struct lane *lane = peer->lanes[id];

			if (!lane || !is_by(lane, call))
				continue;
			if (call->up &&
			    !(lane->member && lane->member->error[0]))
				braid_lane_up(peer->braid, lane->id, now);
			else
				braid_lane_down(peer->braid, lane->id, now);
			hub_schedule(hub, peer, 0);
		}
	}
}

void hub_device(struct hub *hub, const char *name, uint32_t index, bool up)
{
	struct device_call call = { name, index, up };

	hub_call(hub, device_changed, &call);
}

/* --- the handshake's wishes ----------------------------------------------- */

void handshake_address(const struct handshake_source *source,
		       struct address *to)
{
	*to = (struct address){ .far.sin6_family = AF_INET6 };
	memcpy(&to->far.sin6_addr, source->bytes, 16);
	memcpy(&to->far.sin6_port, source->bytes + 16, 2);
	memcpy(&to->far.sin6_scope_id, source->bytes + 18, 4);
}

/* At first to where it aims; all: to wherever the server may be. */
static bool send_init_by(struct peer *peer, struct member *member, bool all,
			 const uint8_t *datagram, size_t size)
{
	const struct address *list[HUB_ENDPOINTS] = { &member->aim };
	size_t count = all ? aim_list(peer, member, list) : member->aimed, sent;
	int rc = -ENOTCONN;

	for (size_t i = 0; i < count && member->udp[0]; i++)
		if (rc < 0)
			rc = udp_send(member->udp[0], list[i], datagram, size,
				      size, &sent);
		else
			udp_send(member->udp[0], list[i], datagram, size, size,
				 &sent);
	if (!count || !member->udp[0])
		return false;
	member->refused = -rc;
	return !rc;
}

static bool is_quiet(const struct member *member)
{
	return member->config.standby || member->config.metered;
}

/* An init: by one line at first, no quiet one if another will do, then by all
 * of them; the quiet ones now and then. */
static void send_init(struct hub *hub, struct peer *peer,
		      const uint8_t *datagram, size_t size)
{
	unsigned attempt = handshake_attempt(peer->handshake);
	bool once = attempt <= 1;
	bool seldom = attempt > QUIET_AT_ONCE && attempt % QUIET_EACH;
	struct member *member;

	if (!once) {
		hub_doubt(hub);
		hub_news(hub);
	}
	for (int quiet = 0; quiet <= 1; quiet++)
		TAILQ_FOREACH (member, &hub->members, entry)
			if (is_quiet(member) == quiet && !(quiet && seldom) &&
			    send_init_by(peer, member, !once, datagram, size) &&
			    once)
				return;
}

static void ops_send(void *owner, struct handshake_peer *peer,
		     const struct handshake_source *to, const uint8_t *datagram,
		     size_t size)
{
	struct hub *hub = owner;
	struct address address;
	size_t sent;

	if (!to) {
		send_init(hub, handshake_owner(peer), datagram, size);
		return;
	}
	if (!hub->from_udp)
		return;
	handshake_address(to, &address);
	address.near = hub->from.near;
	address.device = hub->from.device;
	udp_send(hub->from_udp, &address, datagram, size, size, &sent);
}

static void ops_event(void *owner, struct handshake_peer *handshake,
		      enum handshake_event event,
		      const struct handshake_source *from)
{
	struct hub *hub = owner;
	struct peer *peer = handshake_owner(handshake);

	(void)from;
	if (event == HANDSHAKE_ESTABLISHED) {
		if (!hub->config.server && hub->from_udp)
			members_aim(hub, peer, &hub->from, clock_us());
		peer_ready(peer, clock_us());
		hand_out(peer, clock_us()); /* it may have said something new */
		hub_schedule(hub, peer, 0);
	} else if (event == HANDSHAKE_LOST && !hub->config.server) {
		handshake_start(hub->handshake, handshake, clock_us());
	}
}

static void ops_hello(void *owner, const struct handshake_peer *handshake,
		      struct handshake_hello *out)
{
	struct hub *hub = owner;
	const struct member *member;

	(void)handshake;
	out->mtu = hub->mtu;
	hub_say_own(hub, out, clock_us());
	out->features = HELLO_MODE | HELLO_FRAGMENTS |
			(hub->config.tap ? HELLO_TAP : 0);
	TAILQ_FOREACH (member, &hub->members, entry)
		out->lanes = (uint8_t)(out->lanes + member->config.sockets);
}

/* Hub 0 gets all inits; the sender may be another's. */
static bool ops_elsewhere(void *owner, const uint8_t sender[NOISE_KEY],
			  const uint8_t *init, size_t size,
			  const struct handshake_source *from)
{
	struct hub *hub = owner, *to;

	(void)from; /* it is hub->from */
	to = hub->part ? NULL : crew_find(hub->crew, sender);
	if (!to || to == hub)
		return false;
	hub_hand_init(hub, to, sender, init, size);
	return true;
}

const struct handshake_ops hub_handshake_ops = {
	.send = ops_send,
	.event = ops_event,
	.hello = ops_hello,
	.elsewhere = ops_elsewhere,
};

/* --- now and then --------------------------------------------------------- */

static void forget_lanes(struct peer *peer, uint64_t now)
{
	for (int id = 0; id < 256; id++) {
		struct braid_lane_stats stats;

		if (!peer->lanes[id] || peer->lanes[id]->member ||
		    braid_lane_stats(peer->braid, (uint8_t)id, now, &stats))
			continue;
		if (stats.state >= BRAID_DEAD &&
		    now - stats.state_at > LANE_FORGET_US)
			lane_remove(peer, (uint8_t)id);
	}
}

static size_t may_be_under_way(const struct peer *peer, uint64_t now)
{
	struct braid_lane_stats stats;
	struct backlog_stats waiting;
	size_t bytes = 0;

	for (int id = 0; id < 256; id++)
		if (peer->lanes[id] &&
		    !braid_lane_stats(peer->braid, (uint8_t)id, now, &stats))
			bytes += stats.window_bytes;
	if (peer->backlog) {
		backlog_stats(peer->backlog, &waiting);
		bytes += waiting.bytes;
	}
	return bytes;
}

static void say_gave_back(struct hub *hub)
{
	uint64_t one = 1;

	__atomic_store_n(&hub->crew->gave_back, true, __ATOMIC_RELAXED);
	if (hub->config.news >= 0 &&
	    write(hub->config.news, &one, sizeof(one)) != sizeof(one))
		return; /* it is full of news already */
}

/* A peer at rest has no tables of its flows. */
static bool rest(struct peer *peer, uint64_t now)
{
	struct backlog_stats waiting;

	if (peer->backlog && !backlog_is_empty(peer->backlog))
		return false;
	if (!braid_rest(peer->braid, now))
		return false;
	fit_rest(peer);
	if (!peer->backlog)
		return true;
	backlog_stats(peer->backlog, &waiting);
	peer->queue_dropped += waiting.dropped_full + waiting.dropped_stood;
	backlog_free(TAKE(peer->backlog));
	return true;
}

/* Its inner address is another than the server was told. */
static void say_news(struct hub *hub, uint64_t now)
{
	struct peer *peer = hub_only_peer(hub);

	if (peer && handshake_session(peer->handshake) &&
	    hub_has_news(hub, now))
		handshake_start(hub->handshake, peer->handshake, now);
}

void hub_housekeeping(struct hub *hub, uint64_t now)
{
	size_t flight = 0, resting = 0;
	struct peer *peer;

	hub->housekeeping = now + HOUSEKEEPING_US;
	members_retry(hub);
	switch_age(hub, now);
	TAILQ_FOREACH (peer, &hub->peers, entry) {
		if (!peer->braid)
			continue;
		if (rest(peer, now))
			resting++;
		else
			flight += may_be_under_way(peer, now);
		if (hub->config.server)
			forget_lanes(peer, now);
		if (hub_said(peer, now) != peer->said)
			hand_out(peer, now);
	}
	if (resting > hub->resting)
		say_gave_back(hub);
	hub->resting = resting;
	say_news(hub, now);
	keep_need(hub->keep, flight);
	hub_retry(hub, now);
}
