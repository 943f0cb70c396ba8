/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * device.h - tun and tap devices that stay when nobody has them open, and their
 * addresses.
 */
#ifndef BACKENDS_TUNNEL_DEVICE_H
#define BACKENDS_TUNNEL_DEVICE_H

#include "backends/tunnel/object.h"

struct netlink;

/* The device of that name as an object: 1, or 0 if there is none. */
int device_read(struct netlink *netlink, const char *name,
		struct tunnel_data *data, struct err *err);
/* Gives each address of the device to each(). */
int device_addresses(struct netlink *netlink, const char *name,
		     void (*each)(const struct tunnel_data *data, void *arg),
		     void *arg, struct err *err);

/* How many of a device's queues somebody holds; 0 of one that was made for one.
 * Linux 4.17. */
int device_held(struct netlink *netlink, const char *name, struct err *err);

int device_make(struct netlink *netlink, const struct tunnel_data *data,
		struct err *err);
/* Up or down, as data says. */
int device_set(struct netlink *netlink, const struct tunnel_data *data,
	       struct err *err);
int device_remove(struct netlink *netlink, const struct tunnel_data *data,
		  struct err *err);
int address_add(struct netlink *netlink, const struct tunnel_data *data,
		struct err *err);
int address_remove(struct netlink *netlink, const struct tunnel_data *data,
		   struct err *err);

#endif
