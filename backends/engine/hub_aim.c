/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hub_aim.c - which of a server's addresses a member sends to.
 *
 * A server may have several (its name, several records), and a line may have
 * one family alone. A member aims at the first that its device can reach; where
 * nothing comes back from there, at the next (as RFC 8305 has it for TCP, but
 * that nothing is given up before it fails). What works stays, in whatever
 * order the next answer of a name server has them.
 */
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "backends/engine/hub_private.h"

static bool has_ip4(const char *device)
{
	struct ifreq request = { .ifr_addr.sa_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	rc = ioctl(fd, SIOCGIFADDR, &request);
	close(fd);
	return rc == 0;
}

/* One that is not of the link alone (scope 0x20, net/addrconf.h). */
static bool has_ip6(const char *device)
{
	FILE *file = fopen("/proc/net/if_inet6", "re");
	char line[128], on[IFNAMSIZ];
	bool found = false;
	unsigned scope;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%*32s %*x %*x %x %*x %15s", &scope, on) ==
				2 &&
			!scope && !strcmp(on, device);
	if (file)
		fclose(file);
	return found;
}

unsigned aim_families(const char *device)
{
	return (has_ip4(device) ? AIM_IP4 : 0) |
	       (has_ip6(device) ? AIM_IP6 : 0);
}

/* Of its source's family; else of one that its device has. */
static unsigned families_of(const struct member *member)
{
	const struct in6_addr *source = &member->config.source;

	if (!IN6_IS_ADDR_UNSPECIFIED(source))
		return IN6_IS_ADDR_V4MAPPED(source) ? AIM_IP4 : AIM_IP6;
	return member->config.device[0] ? aim_families(member->config.device)
					: AIM_IP4 | AIM_IP6;
}

size_t aim_list(const struct peer *peer, const struct member *member,
		const struct address *list[HUB_ENDPOINTS])
{
	unsigned families = families_of(member);
	size_t count = 0;

	for (size_t i = 0; i < peer->config.endpoint_count; i++) {
		const struct address *at = &peer->config.endpoints[i];

		if (families & (address_is_ip4(at) ? AIM_IP4 : AIM_IP6))
			list[count++] = at;
	}
	/* Then what goes wrong there says what the device lacks. */
	if (!count && peer->config.endpoint_count &&
	    IN6_IS_ADDR_UNSPECIFIED(&member->config.source))
		list[count++] = &peer->config.endpoints[0];
	return count;
}

static size_t place_of(const struct member *member,
		       const struct address *const *list, size_t count)
{
	size_t i = 0;

	while (i < count && !address_equal(list[i], &member->aim))
		i++;
	return i;
}

bool aim_take(const struct peer *peer, struct member *member, bool next)
{
	const struct address *list[HUB_ENDPOINTS], *to;
	size_t count = aim_list(peer, member, list), at;
	bool had = member->aimed, changed;

	member->aimed = count;
	if (!count)
		return had;
	at = had ? place_of(member, list, count) : count;
	to = list[(at < count ? at + next : 0) % count];
	changed = !had || !address_equal(to, &member->aim);
	member->aim = *to;
	return changed;
}

bool aim_set(const struct peer *peer, struct member *member,
	     const struct address *to)
{
	const struct address *list[HUB_ENDPOINTS];
	size_t count = aim_list(peer, member, list);

	for (size_t i = 0; i < count; i++) {
		bool same = list[i]->far.sin6_port == to->far.sin6_port &&
			    IN6_ARE_ADDR_EQUAL(&list[i]->far.sin6_addr,
					       &to->far.sin6_addr);

		if (!same ||
		    (member->aimed && address_equal(list[i], &member->aim)))
			continue;
		member->aim = *list[i];
		member->aimed = true;
		return true;
	}
	return false;
}
