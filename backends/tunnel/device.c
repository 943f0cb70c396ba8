/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/tunnel/device.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/host.h"
#include "backends/netlink/netlink.h"

#ifndef IFA_PROTO /* linux/if_addr.h of Linux 5.18 */
#define IFA_PROTO 11
#endif

enum {
	/* Packets that wait while the engine is not running, for some
	 * milliseconds: it takes all there are at once and does its own
	 * queueing (backlog.h). */
	TXQLEN = 4000,
	/* The same for each of several queues. The kernel makes 256 of them,
	 * and pfifo_fast takes 24 bytes of each for one packet: so 6 MB. */
	TXQLEN_EACH = 1000,
};

/* --- reading -------------------------------------------------------------- */

/* Is it one of tun's? What the kernel says of it, where it does. */
static bool parse_tun(const struct nlattr *link_info,
		      struct nlattr *data[IFLA_TUN_MAX + 1])
{
	struct nlattr *info[IFLA_INFO_MAX + 1];

	memset(data, 0, sizeof(*data) * (IFLA_TUN_MAX + 1));
	if (!link_info ||
	    nla_parse_nested(info, IFLA_INFO_MAX, (struct nlattr *)link_info,
			     NULL) < 0 ||
	    !info[IFLA_INFO_KIND] ||
	    nla_strcmp(info[IFLA_INFO_KIND], "tun") != 0)
		return false;
	if (info[IFLA_INFO_DATA] &&
	    nla_parse_nested(data, IFLA_TUN_MAX, info[IFLA_INFO_DATA], NULL) <
		    0)
		memset(data, 0, sizeof(*data) * (IFLA_TUN_MAX + 1));
	return true;
}

static bool is_tun(const struct nlattr *link_info, struct tunnel_data *out)
{
	struct nlattr *data[IFLA_TUN_MAX + 1];

	if (!parse_tun(link_info, data))
		return false;
	out->tap = data[IFLA_TUN_TYPE] &&
		   nla_get_u8(data[IFLA_TUN_TYPE]) == IFF_TAP;
	out->queues = data[IFLA_TUN_MULTI_QUEUE] &&
		      nla_get_u8(data[IFLA_TUN_MULTI_QUEUE]);
	return true;
}

static int take_link(const struct nlmsghdr *message, void *arg)
{
	const struct ifinfomsg *info = nlmsg_data(message);
	struct tunnel_data *data = arg;
	struct nlattr *attrs[IFLA_MAX + 1];

	if (!netlink_parse(message, sizeof(*info), attrs, IFLA_MAX))
		return 0;
	data->foreign = !is_tun(attrs[IFLA_LINKINFO], data);
	data->up = info->ifi_flags & IFF_UP;
	return 0;
}

static void put_name(char to[16], const char *name)
{
	memset(to, 0, 16);
	memcpy(to, name, strnlen(name, 15));
}

int device_read(struct netlink *netlink, const char *name,
		struct tunnel_data *data, struct err *err)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	struct nl_msg *message =
		netlink_message(RTM_GETLINK, 0, &header, sizeof(header), 0);
	int rc;

	*data = (struct tunnel_data){ .what = TUNNEL_DEVICE };
	put_name(data->device, name);
	nla_put_string(message, IFLA_IFNAME, name);
	rc = netlink_get(netlink, message, take_link, data, err);
	nlmsg_free(message);
	if (rc == -ENODEV) {
		err_clear(err);
		return 0;
	}
	return rc < 0 ? rc : 1;
}

static int take_held(const struct nlmsghdr *message, void *arg)
{
	struct nlattr *attrs[IFLA_MAX + 1], *data[IFLA_TUN_MAX + 1];
	uint32_t *held = arg;

	if (netlink_parse(message, sizeof(struct ifinfomsg), attrs, IFLA_MAX) &&
	    parse_tun(attrs[IFLA_LINKINFO], data))
		*held = netlink_u32(data[IFLA_TUN_NUM_QUEUES], 0);
	return 0;
}

int device_held(struct netlink *netlink, const char *name, struct err *err)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	struct nl_msg *message =
		netlink_message(RTM_GETLINK, 0, &header, sizeof(header), 0);
	uint32_t held = 0;
	int rc;

	nla_put_string(message, IFLA_IFNAME, name);
	rc = netlink_get(netlink, message, take_held, &held, err);
	nlmsg_free(message);
	return rc < 0 ? rc : (int)held;
}

struct addresses {
	const char *device;
	int index;
	void (*each)(const struct tunnel_data *data, void *arg);
	void *arg;
};

static int take_address(const struct nlmsghdr *message, void *arg)
{
	const struct ifaddrmsg *info = nlmsg_data(message);
	struct tunnel_data data = { .what = TUNNEL_ADDRESS };
	const struct addresses *reading = arg;
	struct nlattr *attrs[IFA_PROTO + 1], *address;
	int size;

	if (message->nlmsg_type != RTM_NEWADDR ||
	    !netlink_parse(message, sizeof(*info), attrs, IFA_PROTO) ||
	    (int)info->ifa_index != reading->index ||
	    info->ifa_scope == RT_SCOPE_LINK)
		return 0;
	size = info->ifa_family == AF_INET ? 4 : 16;
	address = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	if (!address || nla_len(address) != size)
		return 0;
	put_name(data.device, reading->device);
	data.address.family = info->ifa_family;
	data.address.length = info->ifa_prefixlen;
	memcpy(data.address.bytes, nla_data(address), (size_t)size);
	data.ours = attrs[IFA_PROTO] &&
		    nla_get_u8(attrs[IFA_PROTO]) == TRESSE_RTPROT;
	reading->each(&data, reading->arg);
	return 0;
}

int device_addresses(struct netlink *netlink, const char *name,
		     void (*each)(const struct tunnel_data *data, void *arg),
		     void *arg, struct err *err)
{
	struct addresses reading = { name, host_link_index(name, NULL), each,
				     arg };
	struct ifaddrmsg header = { .ifa_family = AF_UNSPEC };
	struct nl_msg *message =
		netlink_message(RTM_GETADDR, 0, &header, sizeof(header), 0);
	int rc = netlink_dump(netlink, message, take_address, NULL, &reading,
			      err);

	nlmsg_free(message);
	return rc;
}

/* --- changing ------------------------------------------------------------- */

static int send_one(struct netlink *netlink, struct nl_msg *message,
		    const char *what, struct err *err)
{
	struct batch batch = BATCH_NONE;
	size_t failed;
	int rc;

	batch_add(&batch, message);
	rc = netlink_send(netlink, &batch, &failed, err);
	if (rc == 0 && failed < batch.count)
		rc = answer_err(&batch.items[0].answer, what, err);
	batch_clear(&batch);
	return rc;
}

/* rtnetlink makes no tun devices, only removes them. */
int device_make(struct netlink *netlink, const struct tunnel_data *data,
		struct err *err)
{
	struct ifreq request = { .ifr_flags = IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return err_set(err, errno,
			       "device %s: /dev/net/tun: %m: load the kernel's "
			       "module tun (modprobe tun), or hand that file "
			       "into this container",
			       data->device);
	request.ifr_flags |= data->tap ? IFF_TAP : IFF_TUN;
	if (data->queues)
		request.ifr_flags |= IFF_MULTI_QUEUE;
	memcpy(request.ifr_name, data->device, sizeof(request.ifr_name));
	if (ioctl(fd, TUNSETIFF, &request) < 0 ||
	    ioctl(fd, TUNSETPERSIST, 1) < 0)
		rc = err_set(err, errno, "device %s: %m", data->device);
	close(fd);
	return rc < 0 ? rc : device_set(netlink, data, err);
}

int device_set(struct netlink *netlink, const struct tunnel_data *data,
	       struct err *err)
{
	struct ifinfomsg header = { .ifi_flags = data->up ? IFF_UP : 0,
				    .ifi_change = IFF_UP };
	struct nl_msg *message =
		netlink_message(RTM_NEWLINK, 0, &header, sizeof(header), 0);

	nla_put_string(message, IFLA_IFNAME, data->device);
	nla_put_u32(message, IFLA_TXQLEN, data->queues ? TXQLEN_EACH : TXQLEN);
	return send_one(netlink, message, data->device, err);
}

int device_remove(struct netlink *netlink, const struct tunnel_data *data,
		  struct err *err)
{
	struct ifinfomsg header = { 0 };
	struct nl_msg *message =
		netlink_message(RTM_DELLINK, 0, &header, sizeof(header), 0);

	nla_put_string(message, IFLA_IFNAME, data->device);
	return send_one(netlink, message, data->device, err);
}

static int address_send(struct netlink *netlink, int type, int flags,
			const struct tunnel_data *data, struct err *err)
{
	struct ifaddrmsg header = { .ifa_family = data->address.family,
				    .ifa_prefixlen = data->address.length,
				    .ifa_flags = IFA_F_NODAD };
	int size = data->address.family == AF_INET ? 4 : 16;
	int index = host_link_index(data->device, err);
	struct nl_msg *message;

	if (index < 0)
		return index;
	header.ifa_index = (unsigned)index;
	message = netlink_message(type, flags, &header, sizeof(header), 0);
	nla_put(message, IFA_LOCAL, size, data->address.bytes);
	nla_put(message, IFA_ADDRESS, size, data->address.bytes);
	nla_put_u8(message, IFA_PROTO, TRESSE_RTPROT);
	return send_one(netlink, message, data->device, err);
}

int address_add(struct netlink *netlink, const struct tunnel_data *data,
		struct err *err)
{
	return address_send(netlink, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE,
			    data, err);
}

int address_remove(struct netlink *netlink, const struct tunnel_data *data,
		   struct err *err)
{
	return address_send(netlink, RTM_DELADDR, 0, data, err);
}
