/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hub_trouble.c - a line that does not work: why, as far as this host or ICMP
 * says, and it is tried again.
 *
 * What is said decides nothing: ICMP can be forged (RFC 5927), so it is only
 * listened to while nothing comes in by the member anyway, and ends up in a
 * sentence.
 */
#include <arpa/inet.h>
#include <linux/icmpv6.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "backends/engine/hub_private.h"

enum { RETRY_US = 2 * 1000000 };

static void retry_at(struct hub *hub, uint64_t at)
{
	if (at < hub->retry)
		hub->retry = at;
}

/* --- is anything wrong? --------------------------------------------------- */

static bool lane_lives(const struct peer *peer, uint8_t id, uint64_t now)
{
	struct braid_lane_stats stats;

	return peer && peer->braid &&
	       !braid_lane_stats(peer->braid, id, now, &stats) &&
	       (stats.state == BRAID_UP || stats.state == BRAID_SUSPECT);
}

static bool member_lives(const struct hub *hub, const struct member *member,
			 uint64_t now)
{
	for (int i = 0; i < HUB_SOCKETS; i++)
		if (member->lanes[i] != NO_LANE &&
		    lane_lives(hub_only_peer(hub), member->lanes[i], now))
			return true;
	return false;
}

void hub_sent(struct hub *hub, struct peer *peer, struct lane *lane, int rc)
{
	uint64_t now;

	if (rc == -EAGAIN || rc == -ENOBUFS || rc == -EMSGSIZE ||
	    rc == -ECONNREFUSED || rc == -EINTR)
		return; /* what is lost the braid finds out */
	lane->refused = -rc;
	if (!rc)
		return;
	now = clock_us();
	lane->closed = true;
	braid_lane_down(peer->braid, lane->id, now);
	retry_at(hub, now + RETRY_US);
}

void hub_doubt(struct hub *hub)
{
	retry_at(hub, clock_us());
}

/* --- once more ------------------------------------------------------------ */

static bool reopen(struct hub *hub, uint64_t now)
{
	bool closed = false;
	struct peer *peer;

	TAILQ_FOREACH (peer, &hub->peers, entry)
		for (int id = 0; peer->braid && id < 256; id++) {
			struct lane *lane = peer->lanes[id];

			if (!lane || !lane->closed)
				continue;
			closed = true;
			lane->closed = false;
			braid_lane_up(peer->braid, lane->id, now);
			hub_schedule(hub, peer, 0);
		}
	return closed;
}

void hub_retry(struct hub *hub, uint64_t now)
{
	struct peer *peer = hub_only_peer(hub);
	bool wrong = reopen(hub, now);
	struct member *member;

	TAILQ_FOREACH (member, &hub->members, entry) {
		bool lives = member_lives(hub, member, now);

		for (int i = 0; i < HUB_SOCKETS; i++)
			if (member->udp[i])
				udp_listen(member->udp[i], !lives);
		wrong |= !lives && !member->leaving;
		if (peer && !lives && !member->leaving)
			member_retarget(peer, member, now);
	}
	hub->retry = wrong || !hub->config.server ? now + RETRY_US : UINT64_MAX;
}

/* --- in words ------------------------------------------------------------- */

/* A neighbour that was asked for on this device and did not answer. What the
 * kernel says of that to itself does not come to a socket of the device. */
static bool find_silent(const char *device, char host[INET_ADDRSTRLEN])
{
	FILE *file = fopen("/proc/net/arp", "re");
	char line[256], on[IFNAMSIZ];
	unsigned flags = 1;

	while (file && flags && fgets(line, sizeof(line), file))
		if (sscanf(line, "%15s %*x %x %*s %*s %15s", host, &flags,
			   on) != 3 ||
		    strcmp(on, device) != 0)
			flags = 1;
	if (file)
		fclose(file);
	return !flags;
}

/* A socket that is bound to a device never hears that there is no route: the
 * kernel then takes the server for a neighbour there (ip_route_output_key()).
 */
static void say_silent(const struct hub_member *config,
		       const struct address *to, char text[HUB_SENTENCE])
{
	char host[INET_ADDRSTRLEN], own[INET_ADDRSTRLEN];

	if (!find_silent(config->device, host))
		return;
	inet_ntop(AF_INET, to->far.sin6_addr.s6_addr + 12, own, sizeof(own));
	if (!strcmp(host, own))
		snprintf(text, HUB_SENTENCE,
			 "this host asks for %s on %s itself (ARP), and nobody "
			 "answered: is there a gateway in the path, and its "
			 "route (drift)?",
			 host, config->device);
	else
		snprintf(text, HUB_SENTENCE,
			 "%s did not answer on %s when last asked for (ARP): "
			 "is it the gateway of the path, is that right, and is "
			 "it there?",
			 host, config->device);
}

/* What the kernel said when we sent. */
static void say_refused(const struct hub_member *config,
			const struct address *to, int code,
			char text[HUB_SENTENCE])
{
	char far[ADDRESS_TEXT];

	address_print(to, far);
	if (code == ENETUNREACH || code == EHOSTUNREACH)
		snprintf(text, HUB_SENTENCE,
			 "this host has no route to %s by %s: is the gateway "
			 "of the path right, and its route there (drift)?",
			 far, config->device);
	else if (code == EPERM)
		snprintf(text, HUB_SENTENCE,
			 "a firewall of this host drops what goes to %s by %s: "
			 "let UDP out there (nft list ruleset)",
			 far, config->device);
	else if (code == EACCES)
		snprintf(text, HUB_SENTENCE,
			 "a route or rule of this host prohibits %s by %s: see "
			 "ip rule and ip route",
			 far, config->device);
	else if (code == EINVAL || code == EADDRNOTAVAIL)
		snprintf(text, HUB_SENTENCE,
			 "the source address of the path is not on this host "
			 "any more: give it back to %s, or set source=auto",
			 config->device);
	else
		snprintf(text, HUB_SENTENCE, "sending to %s by %s fails: %s",
			 far, config->device, strerror(code));
}

enum said { SAID_PORT, SAID_FIREWALL, SAID_CIRCLE, SAID_NO_WAY };

/* RFC 792, RFC 1812 (5.2.7.1), RFC 4443 (3.1). */
static enum said meaning_of(const struct udp_told *told)
{
	if (told->ip6)
		return told->type == ICMPV6_TIME_EXCEED	   ? SAID_CIRCLE
		       : told->type != ICMPV6_DEST_UNREACH ? SAID_NO_WAY
		       : told->code == ICMPV6_PORT_UNREACH ? SAID_PORT
		       : told->code == ICMPV6_ADM_PROHIBITED ||
				       told->code == ICMPV6_POLICY_FAIL
			       ? SAID_FIREWALL
			       : SAID_NO_WAY;
	return told->type == ICMP_TIME_EXCEEDED	 ? SAID_CIRCLE
	       : told->type != ICMP_DEST_UNREACH ? SAID_NO_WAY
	       : told->code == ICMP_PORT_UNREACH ? SAID_PORT
	       : told->code == ICMP_NET_ANO || told->code == ICMP_HOST_ANO ||
			       told->code == ICMP_PKT_FILTERED
		       ? SAID_FIREWALL
		       : SAID_NO_WAY;
}

/* What somebody on the way said by ICMP. */
static void say_told(const struct address *to, const struct udp_told *told,
		     char text[HUB_SENTENCE])
{
	static const char *const sentences[] = {
		[SAID_PORT] = "%s says that nothing listens at %s: does "
			      "tressed run there, and is the port its listen=?",
		[SAID_FIREWALL] = "%s says that a firewall forbids UDP to %s: "
				  "it has to be let through there",
		[SAID_CIRCLE] = "%s says that packets to %s go in a circle: "
				"the routes there have to be mended",
		[SAID_NO_WAY] = "%s knows no way to %s: is the gateway of the "
				"path right, and does it answer?",
	};
	char by[INET6_ADDRSTRLEN] = "", far[ADDRESS_TEXT];
	bool ip4 = IN6_IS_ADDR_V4MAPPED(&told->by);

	inet_ntop(ip4 ? AF_INET : AF_INET6, told->by.s6_addr + (ip4 ? 12 : 0),
		  by, sizeof(by));
	address_print(to, far);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, HUB_SENTENCE, sentences[meaning_of(told)], by, far);
#pragma GCC diagnostic pop
}

/* The server has no address of the family that the member sends from. */
static void say_family(const struct peer *peer, const struct member *member,
		       char text[HUB_SENTENCE])
{
	struct address own = { .far.sin6_addr = member->config.source };
	const struct address *list[HUB_ENDPOINTS];
	char far[ADDRESS_TEXT];
	int family = address_is_ip4(&own) ? 4 : 6;

	if (aim_list(peer, member, list))
		return; /* it has, and nobody has aimed yet */
	address_print(&peer->config.endpoints[0], far);
	snprintf(text, HUB_SENTENCE,
		 "the peer has no IPv%d address (it is at %s), and the path "
		 "sends from one: leave its source to auto, or give the peer "
		 "an IPv%d address",
		 family, far, family);
}

/* What a device says of itself (netdevice(7)). */
static void say_device(const char *device, char text[HUB_SENTENCE])
{
	struct ifreq request = { .ifr_flags = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
		if (!(request.ifr_flags & IFF_UP))
			snprintf(text, HUB_SENTENCE,
				 "device %s is down: the member joins when it "
				 "is up (ip link set %s up)",
				 device, device);
		else if (!(request.ifr_flags & IFF_RUNNING))
			snprintf(text, HUB_SENTENCE,
				 "device %s has no carrier: is its cable in, "
				 "and its modem on?",
				 device);
	}
	close(fd);
}

static int refused_of(const struct peer *peer, const struct member *member)
{
	for (int i = 0; peer && i < HUB_SOCKETS; i++) {
		const struct lane *lane =
			member->lanes[i] == NO_LANE
				? NULL
				: peer->lanes[member->lanes[i]];

		if (lane && lane->refused)
			return lane->refused;
	}
	return member->refused;
}

bool hub_trouble(const struct hub *hub, const struct member *member,
		 uint64_t now, char text[HUB_SENTENCE])
{
	const struct peer *peer = hub_only_peer(hub);
	const struct address *to = peer && member->aimed ? &member->aim : NULL;
	int code = refused_of(peer, member);
	struct udp_told told;

	text[0] = '\0';
	if (member_lives(hub, member, now))
		return false;
	if (member->config.device[0])
		say_device(member->config.device, text);
	if (text[0])
		return true;
	if (peer && !to && peer->config.endpoint_count)
		say_family(peer, member, text);
	if (to && address_is_ip4(to) &&
	    !(aim_families(member->config.device) & AIM_IP4))
		snprintf(text, HUB_SENTENCE,
			 "device %s has no IPv4 address: nothing can be sent "
			 "by it until it has one",
			 member->config.device);
	else if (to && code)
		say_refused(&member->config, to, code, text);
	for (int i = 0; to && i < HUB_SOCKETS && !text[0]; i++)
		if (member->udp[i] && udp_told(member->udp[i], &told))
			say_told(to, &told, text);
	if (to && address_is_ip4(to) && !text[0])
		say_silent(&member->config, to, text);
	return text[0];
}

bool hub_peer_trouble(const struct peer *peer, uint64_t now,
		      char text[HUB_SENTENCE])
{
	const struct lane *bad = NULL;
	char far[ADDRESS_TEXT];

	for (int id = 0; id < 256; id++) {
		if (peer->lanes[id] && lane_lives(peer, (uint8_t)id, now))
			return false;
		if (peer->lanes[id] && peer->lanes[id]->refused)
			bad = peer->lanes[id];
	}
	if (!bad)
		return false;
	address_print(&bad->to, far);
	snprintf(text, HUB_SENTENCE,
		 "what goes to it, at %s, cannot be sent: %s", far,
		 bad->refused == EPERM
			 ? "a firewall of this host drops it (nft "
			   "list ruleset)"
		 : bad->refused == ENETUNREACH || bad->refused == EHOSTUNREACH
			 ? "this host has no route there (ip route get)"
			 : strerror(bad->refused));
	return true;
}
