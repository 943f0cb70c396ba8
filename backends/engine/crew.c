/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/crew.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "backends/engine/hub_private.h"
#include "backends/engine/ring.h"
#include "backends/engine/tun.h"
#include "backends/netlink/netlink.h"
#include "backends/tunnel/device.h"

enum {
	MTU_LEAST = 1280,	/* of IPv6 (RFC 8200, 5) */
	RING_LEAST = 256 << 10, /* some packets of 64 kB */
	RING_MOST = 2 << 20,
	RINGS = 32 << 20, /* all together, about */
};

/* Where a peer is, and what the hubs that do not have it know of it. */
struct crew_peer {
	struct crew_peer *next;
	char name[HUB_NAME];
	uint8_t key[NOISE_KEY];
	unsigned part;
	struct owner owner; /* as the other hubs find it */
	size_t prefix_count;
	struct inner_prefix *prefixes; /* owned */
};

/* --- the device's size ---------------------------------------------------- */

uint16_t crew_mtu(const struct crew *crew)
{
	return __atomic_load_n(&crew->mtu, __ATOMIC_RELAXED);
}

bool crew_mtu_is_most(const struct crew *crew)
{
	return crew->server && !crew->tap;
}

/* It is set where we may; where not, it stays as it is. */
static void device_size(struct crew *crew, uint16_t mtu)
{
	struct ifreq request = { .ifr_mtu = mtu };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(request.ifr_name, crew->device, sizeof(crew->device));
	if (ioctl(fd, SIOCSIFMTU, &request) < 0 &&
	    ioctl(fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu > 0 &&
	    request.ifr_mtu <= UINT16_MAX)
		mtu = (uint16_t)request.ifr_mtu;
	close(fd);
	__atomic_store_n(&crew->mtu, mtu, __ATOMIC_SEQ_CST);
}

/* What is too big for a line is answered with ICMP, or cut small by the sender;
 * a device below IPv6's least would lose it for all. 0: nobody has said. */
static uint16_t mtu_of_all(const struct crew *crew)
{
	bool most = crew_mtu_is_most(crew);
	uint16_t found = 0;

	for (unsigned i = 0; i < crew->count; i++) {
		uint16_t one =
			__atomic_load_n(&crew->mtu_found[i], __ATOMIC_SEQ_CST);

		if (one && (!found || (most ? one > found : one < found)))
			found = one;
	}
	return found && found < MTU_LEAST ? MTU_LEAST : found;
}

/* As it was given, else as it was found, else 0. */
static uint16_t mtu_wanted(const struct crew *crew)
{
	uint16_t given = __atomic_load_n(&crew->mtu_given, __ATOMIC_SEQ_CST);

	return given ? given : mtu_of_all(crew);
}

/* Several threads may be here at once, hubs and who sets: whoever comes last
 * looks once more, so that what was said last holds. */
static void mtu_settle(struct crew *crew, uint16_t mtu)
{
	for (uint16_t again;; mtu = again) {
		device_size(crew, mtu);
		again = mtu_wanted(crew);
		if (!again || again == mtu)
			return;
	}
}

void crew_mtu_set(struct crew *crew, unsigned part, uint16_t found)
{
	uint16_t mtu;

	__atomic_store_n(&crew->mtu_found[part], found, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&crew->mtu_given, __ATOMIC_SEQ_CST))
		return;
	mtu = mtu_wanted(crew);
	if (mtu && mtu != crew_mtu(crew))
		mtu_settle(crew, mtu);
}

/* 0: as it is found, or the usual one until then. */
static void mtu_given(struct crew *crew, uint16_t mtu)
{
	__atomic_store_n(&crew->mtu_given, mtu, __ATOMIC_SEQ_CST);
	mtu = mtu_wanted(crew);
	if (!mtu)
		mtu = crew->tap ? HUB_MTU - HUB_FRAME : HUB_MTU;
	mtu_settle(crew, mtu);
}

/* --- opening -------------------------------------------------------------- */

static unsigned processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) < 0
		       ? 1
		       : (unsigned)CPU_COUNT(&set);
}

static bool marks(const struct hub_config *config)
{
	return config->duplicate.mask || config->duplicate.class;
}

/* A client has one peer. */
static unsigned hubs_wanted(const struct crew *crew)
{
	const struct hub_config *config = &crew->config;
	unsigned count = config->threads;

	if (!config->server)
		return 1;
	if (!count) {
		count = processors();
		count = count < CREW_AUTO ? count : CREW_AUTO;
	}
	return count < CREW_MOST ? count : CREW_MOST;
}

/* What a crew is made of, until the hubs have it. */
struct parts {
	struct tun *tun[CREW_MOST];
	struct tun *marked;
	struct udp *udp[CREW_MOST + UDP_DOORS]; /* the last ones: doors */
};

static void parts_clear(struct parts *parts)
{
	for (unsigned i = 0; i < CREW_MOST; i++)
		tun_free(parts->tun[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(parts->udp); i++)
		udp_free(parts->udp[i]);
	tun_free(parts->marked);
}

static unsigned kind_of(const struct hub_config *config)
{
	return (config->tap ? TUN_TAP : 0) | (marks(config) ? TUN_QUEUES : 0);
}

/* Queues have the numbers in which they were attached to, and when one goes the
 * last takes its place. So nobody else may hold one, as who made the device did
 * a moment ago: the first of ours would be the second then. */
static int is_alone(const char *device, unsigned ours, struct err *err)
{
	AUTO(netlink)
	struct netlink *netlink = netlink_open(NETLINK_ROUTE, err);
	int held = netlink ? device_held(netlink, device, err) : err->code;

	if (held < 0 || held == (int)ours)
		return held < 0 ? held : 0;
	return err_set(err, EBUSY,
		       "device %s: another program has a queue of it", device);
}

/* The last queue, behind those of the hubs, and who comes by it. All others
 * come by the first from then on. */
static int open_marked(const struct hub_config *config, int first,
		       unsigned hubs, struct tun **marked, struct err *err)
{
	int rc = is_alone(config->device, hubs, err);

	if (!rc)
		rc = steer_attach(first, config->device, &config->duplicate,
				  hubs, err);
	if (rc < 0)
		return rc;
	*marked = tun_open(config->device, kind_of(config) | TUN_BESIDE, err);
	return *marked ? 0 : err->code;
}

/* The device's first queue. One made for several can be had alone, too. */
static int open_device(struct crew *crew, unsigned wanted, struct parts *parts,
		       struct err *err)
{
	const struct hub_config *config = &crew->config;
	unsigned kind = kind_of(config);
	unsigned first = wanted > 1 ? TUN_QUEUES : 0;

	parts->tun[0] = tun_open(config->device, kind | first, err);
	if (parts->tun[0] || err->code != -EINVAL || marks(config))
		return parts->tun[0] ? 0 : err->code;
	err_clear(err);
	parts->tun[0] =
		tun_open(config->device, kind | (first ^ TUN_QUEUES), err);
	if (!parts->tun[0])
		return err->code;
	if (first) {
		crew->count = 1;
		snprintf(crew->why_one, sizeof(crew->why_one),
			 "device %s was made with one queue: with enabled=no "
			 "and then yes it is made anew",
			 config->device);
	}
	return 0;
}

static void one_for(struct crew *crew, struct err *why)
{
	snprintf(crew->why_one, sizeof(crew->why_one), "%s", why->text);
	crew->count = 1;
}

/* The other queues, and the other sockets: all of them or none. */
static void open_others(struct crew *crew, struct parts *parts)
{
	struct udp_options options = { .port = crew->config.listen };
	unsigned flags = kind_of(&crew->config) | TUN_QUEUES | TUN_BESIDE;
	AUTO_ERR why = ERR_NONE;

	for (unsigned i = 1; i < crew->count; i++) {
		parts->tun[i] = tun_open(crew->config.device, flags, &why);
		if (!parts->tun[i])
			break;
	}
	if (!why.text)
		udp_share(parts->udp, crew->count, &options, &why);
	if (!why.text)
		return;
	for (unsigned i = 1; i < crew->count; i++)
		tun_free(TAKE(parts->tun[i]));
	one_for(crew, &why);
}

static int open_all(struct crew *crew, struct parts *parts, struct err *err)
{
	struct udp_options options = { .port = crew->config.listen };
	unsigned wanted = hubs_wanted(crew);
	int rc;

	crew->count = wanted;
	rc = open_device(crew, wanted, parts, err);
	if (rc < 0)
		return rc;
	if (crew->config.server)
		parts->udp[0] = udp_open(&options, err);
	if (crew->config.server && !parts->udp[0])
		return err->code;
	if (crew->count > 1)
		open_others(crew, parts);
	/* Where one cannot have doors, all come by the same socket. */
	if (crew->config.server && crew->count == 1)
		udp_share(parts->udp, 1, &options, NULL);
	return marks(&crew->config)
		       ? open_marked(&crew->config, tun_fd(parts->tun[0]),
				     crew->count, &parts->marked, err)
		       : 0;
}

static void rings_new(struct crew *crew)
{
	size_t pairs = (size_t)crew->count * (crew->count - 1);
	size_t bytes = RING_MOST;

	while (bytes > RING_LEAST && bytes * pairs > RINGS)
		bytes /= 2;
	for (unsigned i = 0; i < crew->count; i++)
		for (unsigned j = 0; j < crew->count; j++)
			if (i != j)
				crew->rings[i][j] =
					ring_new(bytes, HUB_ACCOUNTS);
}

static int start(struct crew *crew, struct parts *parts, struct err *err)
{
	int rc = 0;

	rings_new(crew);
	crew->fdb = switch_new(&crew->config);
	for (unsigned i = 0; i < crew->count; i++) {
		crew->hubs[i] = hub_new(crew, i, TAKE(parts->tun[i]),
					TAKE(parts->udp[i]), err);
		if (!crew->hubs[i])
			return err->code;
	}
	if (parts->marked)
		rc = hub_marked(crew->hubs[0], TAKE(parts->marked), err);
	for (unsigned i = 0; i < UDP_DOORS && !rc; i++)
		if (parts->udp[crew->count + i])
			rc = hub_door(crew->hubs[0], i,
				      TAKE(parts->udp[crew->count + i]), err);
	for (unsigned i = 0; i < crew->count && !rc; i++)
		rc = hub_start(crew->hubs[i], err);
	return rc;
}

struct crew *crew_new(const struct hub_config *config, struct err *err)
{
	AUTO(crew) struct crew *crew = mem_alloc(sizeof(*crew));
	struct parts parts = { .tun = { NULL } };
	AUTO_ERR own = ERR_NONE;
	int rc;

	crew->config = *config;
	memcpy(crew->device, config->device, sizeof(crew->device));
	crew->server = config->server;
	crew->tap = config->tap;
	if (getrandom(crew->cookie_root, NOISE_KEY, 0) != NOISE_KEY)
		abort(); /* no keys without randomness */
	rc = open_all(crew, &parts, &own);
	if (!rc) {
		mtu_given(crew, config->mtu);
		rc = start(crew, &parts, &own);
	}
	parts_clear(&parts);
	if (!rc)
		return TAKE(crew);
	err_move(err, &own);
	err_prefix(err, "link %s: ", config->name);
	return NULL;
}

/* --- who is where --------------------------------------------------------- */

struct hub *crew_find(const struct crew *crew, const uint8_t key[NOISE_KEY])
{
	const struct crew_peer *peer = crew->peers[key[0]];

	for (; peer; peer = peer->next)
		if (!memcmp(peer->key, key, NOISE_KEY))
			return crew->hubs[peer->part];
	return NULL;
}

static struct crew_peer *find(const struct crew *crew, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(crew->peers); i++)
		for (struct crew_peer *peer = crew->peers[i]; peer;
		     peer = peer->next)
			if (!strcmp(peer->name, name))
				return peer;
	return NULL;
}

static void peer_unlink(struct crew *crew, struct crew_peer *peer)
{
	struct crew_peer **at = &crew->peers[peer->key[0]];

	while (*at != peer)
		at = &(*at)->next;
	*at = peer->next;
}

static void peer_link(struct crew *crew, struct crew_peer *peer)
{
	struct crew_peer **at = &crew->peers[peer->key[0]];

	peer->next = *at;
	*at = peer;
}

static void crew_peer_free(struct crew_peer *peer)
{
	free(peer->prefixes);
	free(peer);
}

void crew_free(struct crew *crew)
{
	if (!crew)
		return;
	for (unsigned i = 0; i < crew->count; i++)
		if (crew->hubs[i])
			hub_end(crew->hubs[i]);
	for (unsigned i = 0; i < crew->count; i++)
		hub_free(crew->hubs[i]);
	for (unsigned i = 0; i < crew->count; i++)
		for (unsigned j = 0; j < crew->count; j++)
			ring_free(crew->rings[i][j]);
	fdb_free(crew->fdb);
	for (size_t i = 0; i < ARRAY_SIZE(crew->peers); i++)
		for (struct crew_peer *peer; (peer = crew->peers[i]);) {
			peer_unlink(crew, peer);
			crew_peer_free(peer);
		}
	mem_wipe(crew, sizeof(*crew));
}

/* --- changes -------------------------------------------------------------- */

/* What is marked from now on. Its queue comes while packets flow; it stays when
 * nothing is marked any more, so that nothing that is in it is lost. A device
 * of one queue is another crew. */
static int marks_set(struct crew *crew, const struct hub_config *fresh,
		     struct err *err)
{
	struct hub *hub = crew->hubs[0];
	struct tun *marked = NULL;
	int rc;

	if (marks(fresh) == marks(&crew->config) && !marks(fresh))
		return 0;
	if (marks(fresh) != marks(&crew->config) && hub_is_lost(hub))
		return err_set(err, EOPNOTSUPP, "a device that is gone");
	if (!marks(fresh)) {
		steer_set(fresh->device, &fresh->duplicate);
		return 0;
	}
	if (hub_has_marked(hub))
		return steer_attach(hub_tun_fd(hub), fresh->device,
				    &fresh->duplicate, crew->count, err);
	rc = open_marked(fresh, hub_tun_fd(hub), crew->count, &marked, err);
	if (rc == -EINVAL || rc == -EBUSY) {
		err_clear(err);
		return err_set(err, EOPNOTSUPP, "a device of one queue");
	}
	return rc < 0 ? rc : hub_marked(hub, marked, err);
}

int crew_set(struct crew *crew, const struct hub_config *fresh, struct err *err)
{
	const struct hub_config *old = &crew->config;
	bool resize = old->mtu || fresh->mtu;
	int rc;

	if (strcmp(old->device, fresh->device) || old->tap != fresh->tap ||
	    old->server != fresh->server || old->listen != fresh->listen ||
	    old->threads != fresh->threads ||
	    old->small_bytes != fresh->small_bytes ||
	    old->hold_max_us != fresh->hold_max_us ||
	    memcmp(old->secret, fresh->secret, NOISE_KEY))
		return err_set(err, EOPNOTSUPP,
			       "link %s: that cannot change while it runs",
			       old->name);
	rc = marks_set(crew, fresh, err);
	if (rc < 0)
		return rc;
	crew->config = *fresh;
	if (resize)
		mtu_given(crew, fresh->mtu);
	for (unsigned i = 0; i < crew->count; i++)
		hub_set(crew->hubs[i], fresh);
	return 0;
}

/* The hub with the fewest. */
static unsigned deal(const struct crew *crew)
{
	unsigned least = 0;

	for (unsigned i = 1; i < crew->count; i++)
		if (crew->peer_count[i] < crew->peer_count[least])
			least = i;
	return least;
}

static void tell_others(struct crew *crew, const struct crew_peer *before,
			struct crew_peer *after)
{
	unsigned part = before ? before->part : after->part;
	struct hub_others others = {
		.before = before ? before->prefixes : NULL,
		.before_count = before ? before->prefix_count : 0,
		.after = after ? after->prefixes : NULL,
		.after_count = after ? after->prefix_count : 0,
		.owner = after ? &after->owner : NULL,
	};

	for (unsigned i = 0; i < crew->count; i++)
		if (i != part)
			hub_others_set(crew->hubs[i], &others);
}

/* In hub 0, which looks for keys. from: in the list, or NULL; to: the same with
 * another key or prefixes, or NULL. */
struct noting {
	struct crew *crew;
	struct crew_peer *from, *to;
};

static void note(struct hub *hub, void *arg)
{
	struct noting *noting = arg;

	(void)hub;
	if (noting->from)
		peer_unlink(noting->crew, noting->from);
	if (noting->to)
		peer_link(noting->crew, noting->to);
}

static struct crew_peer *peer_new(const struct hub_peer *config, unsigned part,
				  const struct owner *owner)
{
	struct crew_peer *peer = mem_alloc(sizeof(*peer));

	memcpy(peer->name, config->name, sizeof(peer->name));
	memcpy(peer->key, config->key, NOISE_KEY);
	peer->part = part;
	peer->owner = *owner;
	peer->prefix_count = config->prefix_count;
	peer->prefixes =
		mem_dup(config->prefixes,
			config->prefix_count * sizeof(*config->prefixes));
	return peer;
}

static bool key_is_anothers(const struct crew *crew,
			    const struct crew_peer *but, const uint8_t *key)
{
	const struct crew_peer *peer = crew->peers[key[0]];

	for (; peer; peer = peer->next)
		if (peer != but && !memcmp(peer->key, key, NOISE_KEY))
			return true;
	return false;
}

int crew_peer_set(struct crew *crew, const struct hub_peer *peer,
		  struct err *err)
{
	struct crew_peer *old, *fresh;
	struct owner owner;
	unsigned part;
	int rc;

	if (crew->count == 1)
		return hub_peer_set(crew->hubs[0], peer, NULL, err);
	old = find(crew, peer->name);
	if (key_is_anothers(crew, old, peer->key))
		return hub_key_refused(peer->name, err);
	part = old ? old->part : deal(crew);
	rc = hub_peer_set(crew->hubs[part], peer, &owner, err);
	if (rc < 0)
		return rc;
	fresh = peer_new(peer, part, &owner);
	tell_others(crew, old, fresh);
	hub_call(crew->hubs[0], note, &(struct noting){ crew, old, fresh });
	if (old)
		crew_peer_free(old);
	else
		crew->peer_count[part]++;
	return 0;
}

void crew_peer_remove(struct crew *crew, const char *name)
{
	struct crew_peer *old = find(crew, name);

	if (crew->count == 1)
		hub_peer_remove(crew->hubs[0], name);
	if (!old)
		return;
	hub_call(crew->hubs[0], note, &(struct noting){ crew, old, NULL });
	hub_peer_remove(crew->hubs[old->part], name);
	tell_others(crew, old, NULL);
	crew->peer_count[old->part]--;
	crew_peer_free(old);
}

/* Only a client has members, and one hub. */
void crew_member_set(struct crew *crew, const struct hub_member *member)
{
	hub_member_set(crew->hubs[0], member);
}

void crew_member_remove(struct crew *crew, const char *name)
{
	hub_member_remove(crew->hubs[0], name);
}

/* The device is there again: sessions go on. Not as many queues as before, or
 * still in the hands of who made it: the next event of it has another try. */
static void retake(struct crew *crew)
{
	unsigned flags =
		kind_of(&crew->config) | (crew->count > 1 ? TUN_QUEUES : 0);
	struct parts parts = { .tun = { NULL } };
	AUTO_ERR why = ERR_NONE; /* the next event has another try */
	unsigned got = 0;

	if (!hub_is_lost(crew->hubs[0]) || !if_nametoindex(crew->config.device))
		return;
	parts.tun[0] = tun_open(crew->config.device, flags, NULL);
	if (!parts.tun[0] && crew->count == 1)
		parts.tun[0] =
			tun_open(crew->config.device, flags | TUN_QUEUES, NULL);
	for (; got < crew->count && parts.tun[got]; got++)
		if (got + 1 < crew->count)
			parts.tun[got + 1] = tun_open(crew->config.device,
						      flags | TUN_BESIDE, NULL);
	if (got == crew->count && marks(&crew->config) &&
	    open_marked(&crew->config, tun_fd(parts.tun[0]), crew->count,
			&parts.marked, &why) < 0)
		got = 0;
	for (unsigned i = 0; got == crew->count && i < got; i++)
		hub_retake(crew->hubs[i], TAKE(parts.tun[i]),
			   TAKE(parts.marked));
	parts_clear(&parts);
	if (got == crew->count)
		device_size(crew, crew_mtu(crew));
}

void crew_device(struct crew *crew, const char *name, uint32_t index, bool up)
{
	if (!strcmp(name, crew->config.device))
		retake(crew);
	for (unsigned i = 0; i < crew->count; i++)
		hub_device(crew->hubs[i], name, index, up);
}

bool crew_is_steered(struct crew *crew)
{
	return !marks(&crew->config) || steer_holds(crew->config.device);
}

bool crew_is_alone(struct crew *crew)
{
	return hub_is_alone(crew->hubs[0]);
}

bool crew_lease(struct crew *crew, struct lease *lease)
{
	return hub_lease(crew->hubs[0], lease);
}

bool crew_gave_back(struct crew *crew)
{
	return __atomic_exchange_n(&crew->gave_back, false, __ATOMIC_RELAXED);
}

/* --- what there is to see ------------------------------------------------- */

/* Adds the numbers of one object to those of another. */
static void add_numbers(json_t *to, json_t *from)
{
	const char *name;
	json_t *value, *sum;

	json_object_foreach(from, name, value)
	{
		sum = json_object_get(to, name);
		if (json_is_integer(sum) && json_is_integer(value))
			json_integer_set(sum,
					 json_integer_value(sum) +
						 json_integer_value(value));
	}
}

/* What one of them does not have the link does not. */
static void least_offloads(json_t *to, json_t *from)
{
	const char *name, *least;
	json_t *value;

	json_object_foreach(from, name, value)
	{
		least = json_string_value(json_object_get(to, name));
		if (strcmp(json_string_value(value), "on") != 0 &&
		    (!least || strcmp(least, "none") != 0))
			json_object_set(to, name, value);
	}
}

static void add_status(json_t *to, json_t *from)
{
	static const char *const lists[] = { "peers", "members", "threads" };
	static const char *const sums[] = { "tun", "refused" };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		json_array_extend(json_object_get(to, lists[i]),
				  json_object_get(from, lists[i]));
	for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
		add_numbers(json_object_get(to, sums[i]),
			    json_object_get(from, sums[i]));
	least_offloads(json_object_get(to, "offloads"),
		       json_object_get(from, "offloads"));
	if (!json_object_get(to, "error") && json_object_get(from, "error"))
		json_object_set(to, "error", json_object_get(from, "error"));
}

size_t crew_moments(struct crew *crew, struct hub_moment *out, size_t room)
{
	size_t count = 0;

	for (unsigned i = 0; i < crew->count; i++)
		count += hub_moments(crew->hubs[i], out + count, room - count);
	return count;
}

/* A slice of all hubs is one slice: so its maximum is one of the link. */
static void put_counters(json_t *out, struct crew *crew)
{
	static const char *const names[] = { "out", "in" };
	struct meter_sums sums[BRAID_WAYS] = { 0 };
	struct meter_reading reading;
	uint64_t now = clock_us();

	for (unsigned i = 0; i < crew->count; i++)
		hub_gather(crew->hubs[i], now, sums);
	for (int way = 0; way < BRAID_WAYS; way++) {
		meter_conclude(&sums[way], &reading);
		json_object_set_new(out, names[way], hub_reading(&reading));
	}
}

/* Whoever may attach to a device of several queues can have one more, and the
 * kernel brings him packets that are ours. Nothing tells of it but the number.
 * While the device is lost to us whoever has the new one is not in our way. */
static unsigned foreign_queues(struct crew *crew)
{
	AUTO_ERR why = ERR_NONE; /* the kernel does not say: none */
	AUTO(netlink)
	struct netlink *netlink = netlink_open(NETLINK_ROUTE, &why);
	int ours = (int)crew->count + hub_has_marked(crew->hubs[0]);
	int held =
		netlink ? device_held(netlink, crew->config.device, &why) : -1;

	return held > ours && !hub_is_lost(crew->hubs[0])
		       ? (unsigned)(held - ours)
		       : 0;
}

static void put_foreign(json_t *out, struct crew *crew)
{
	unsigned count = foreign_queues(crew);

	json_object_set_new(out, "foreign-queues", json_integer(count));
	if (!count || json_object_get(out, "error"))
		return;
	json_object_set_new(
		out, "error",
		json_sprintf("device %s: another program has %u of its queues "
			     "and takes packets that are ours; end it: `grep "
			     "-ls %s /proc/[0-9]*/fdinfo/*` tells who, beside "
			     "tressed",
			     crew->config.device, count, crew->config.device));
}

json_t *crew_status(struct crew *crew)
{
	json_t *out = hub_status(crew->hubs[0]);

	for (unsigned i = 1; i < crew->count; i++) {
		json_t *more = hub_status(crew->hubs[i]);

		add_status(out, more);
		json_decref(more);
	}
	put_counters(out, crew);
	put_foreign(out, crew);
	if (crew->why_one[0])
		json_object_set_new(out, "one-thread",
				    json_string(crew->why_one));
	return out;
}
