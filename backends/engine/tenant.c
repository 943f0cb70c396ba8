/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/tenant.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "backends/netlink/netlink.h"
#include "backends/tunnel/device.h"
#include "model/types/prefix.h"

enum { OURS = 32 }; /* that are looked at */

struct settling {
	struct netlink *netlink;
	const char *device;
	bool takes[2]; /* IPv4, IPv6 */
	size_t count;
	struct prefix ours[OURS]; /* that the device has by us */
};

static bool is_taken(const struct settling *settling,
		     const struct prefix *address)
{
	return settling->takes[address->family == AF_INET6];
}

static bool same(const struct prefix *a, const struct prefix *b)
{
	return a->family == b->family && a->length == b->length &&
	       !memcmp(a->bytes, b->bytes, prefix_bits(a->family) / 8);
}

static bool is_in(const struct lease *lease, const struct prefix *address)
{
	for (size_t i = 0; i < lease->count; i++)
		if (same(&lease->addresses[i], address))
			return true;
	return false;
}

static void see_address(const struct tunnel_data *data, void *arg)
{
	struct settling *settling = arg;

	if (data->ours && is_taken(settling, &data->address) &&
	    settling->count < OURS)
		settling->ours[settling->count++] = data->address;
}

/* --- who else has it ------------------------------------------------------ */

struct search {
	struct prefix wanted, found; /* found.family 0: nobody */
	uint32_t device, owner;	     /* indices */
};

/* Default routes are everybody's; what is refused (unreachable ...) is
 * nobody's. */
static int see_route(const struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *route = nlmsg_data(message);
	struct nlattr *attrs[RTA_MAX + 1];
	struct search *search = arg;
	struct prefix to;
	uint32_t device;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    !netlink_parse(message, sizeof(*route), attrs, RTA_MAX) ||
	    (route->rtm_type != RTN_UNICAST && route->rtm_type != RTN_LOCAL) ||
	    route->rtm_family != search->wanted.family || !route->rtm_dst_len ||
	    route->rtm_flags & RTM_F_CLONED || !attrs[RTA_DST] ||
	    nla_len(attrs[RTA_DST]) != (int)prefix_bits(route->rtm_family) / 8)
		return 0;
	device = netlink_u32(attrs[RTA_OIF], 0);
	to = (struct prefix){ .family = route->rtm_family,
			      .length = route->rtm_dst_len };
	memcpy(to.bytes, nla_data(attrs[RTA_DST]),
	       (size_t)nla_len(attrs[RTA_DST]));
	if (device == search->device || !prefix_overlap(&to, &search->wanted))
		return 0;
	search->found = to;
	search->owner = device;
	return 0;
}

static int find_owner(struct settling *settling, struct search *search,
		      struct err *err)
{
	struct rtmsg header = { .rtm_family = search->wanted.family };
	struct nl_msg *message =
		netlink_message(RTM_GETROUTE, 0, &header, sizeof(header), 0);
	int rc;

	search->device = if_nametoindex(settling->device);
	rc = netlink_dump(settling->netlink, message, see_route, NULL, search,
			  err);
	nlmsg_free(message);
	return rc;
}

static int check_host(struct settling *settling, const struct prefix *address,
		      struct err *err)
{
	struct search search = { .wanted = *address };
	char name[IF_NAMESIZE] = "", text[LEASE_TEXT];
	int rc = find_owner(settling, &search, err);

	if (rc < 0 || !search.found.family)
		return rc;
	lease_text(&search.found, text);
	if (!search.owner || !if_indextoname(search.owner, name))
		snprintf(name, sizeof(name), "others");
	return err_set(err, EEXIST, "%s is reached by %s already", text, name);
}

/* --- what is done --------------------------------------------------------- */

static void tunnel_data_of(const struct settling *settling,
			   const struct prefix *address,
			   struct tunnel_data *data)
{
	*data = (struct tunnel_data){ .what = TUNNEL_ADDRESS,
				      .ours = true,
				      .address = *address };
	memcpy(data->device, settling->device,
	       strnlen(settling->device, sizeof(data->device) - 1));
}

static int set_address(struct settling *settling, const struct prefix *address,
		       struct err *err)
{
	struct tunnel_data data;
	int rc = lease_check(address, err);

	for (size_t i = 0; !rc && i < settling->count; i++)
		if (same(&settling->ours[i], address))
			return 0;
	if (!rc)
		rc = check_host(settling, address, err);
	if (rc < 0)
		return rc;
	tunnel_data_of(settling, address, &data);
	return address_add(settling->netlink, &data, err);
}

/* Before the others come: of two IPv4 addresses in one network the second goes
 * with the first (__inet_del_ifa(), net/ipv4/devinet.c). */
static bool drop_others(const struct tenant *tenant, struct settling *settling,
			const struct lease *lease)
{
	bool any = false;

	for (size_t i = 0; i < settling->count; i++) {
		const struct prefix *address = &settling->ours[i];
		struct tunnel_data data;

		if (is_in(lease, address) ||
		    (tenant->begun[address->family == AF_INET6] &&
		     !is_in(&tenant->held, address)))
			continue;
		tunnel_data_of(settling, address, &data);
		address_remove(settling->netlink, &data, NULL);
		any = true;
	}
	return any;
}

static void refuse(struct tenant *tenant, const struct prefix *address,
		   const struct err *why)
{
	char text[LEASE_TEXT];

	lease_text(address, text);
	if (!tenant->error[0])
		snprintf(tenant->error, sizeof(tenant->error),
			 "the server's %s is not taken: %s; let it hand out "
			 "another, or set %s= here",
			 text, why->text,
			 address->family == AF_INET ? "local" : "local6");
}

static void hold(struct tenant *tenant, const struct prefix *address)
{
	if (tenant->held.count < LEASE_MOST)
		tenant->held.addresses[tenant->held.count++] = *address;
}

static void settle(struct tenant *tenant, struct settling *settling,
		   const struct lease *lease)
{
	if (drop_others(tenant, settling, lease)) {
		settling->count = 0; /* others may have gone with them */
		device_addresses(settling->netlink, settling->device,
				 see_address, settling, NULL);
	}
	tenant->held.count = 0;
	for (int i = 0; i < 2; i++)
		tenant->begun[i] = settling->takes[i];
	for (size_t i = 0; i < lease->count; i++) {
		const struct prefix *address = &lease->addresses[i];
		AUTO_ERR why = ERR_NONE;

		if (!is_taken(settling, address))
			continue;
		if (set_address(settling, address, &why) < 0)
			refuse(tenant, address, &why);
		else
			hold(tenant, address);
	}
}

/* The server has said nothing yet: what there is, is of before. */
static void look(struct tenant *tenant, const struct settling *settling)
{
	tenant->held.count = 0;
	for (size_t i = 0; i < settling->count; i++)
		hold(tenant, &settling->ours[i]);
}

void tenant_settle(struct tenant *tenant, const char *device, bool ip4,
		   bool ip6, const struct lease *lease)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(netlink)
	struct netlink *netlink = netlink_open(NETLINK_ROUTE, &err);
	struct settling settling = { .netlink = netlink,
				     .device = device,
				     .takes = { ip4, ip6 } };

	tenant->error[0] = '\0';
	if (!ip4 && !ip6)
		*tenant = (struct tenant){ .held.count = 0 };
	else if (!netlink || device_addresses(netlink, device, see_address,
					      &settling, &err) < 0)
		snprintf(tenant->error, sizeof(tenant->error),
			 "addresses of %s: %s", device, err.text);
	else if (lease)
		settle(tenant, &settling, lease);
	else
		look(tenant, &settling);
}
