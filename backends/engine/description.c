/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/description.h"

#include <arpa/inet.h>
#include <string.h>

#include "model/types/prefix.h"

#include "backends/engine/wire.h"
#include "model/base/crypto.h"

enum { MOST = 16384 }; /* peers, members */

/* --- fields --------------------------------------------------------------- */

enum field_type {
	FLAG,	/* bool */
	NUMBER, /* up to max, into uint64_t, or as wide as size says */
	NAME,	/* char [size] */
	KEY,
	SOURCE, /* in6_addr */
	DIGEST, /* in place of a key: only looked at (engine.h) */
};

struct field {
	const char *name;
	enum field_type type;
	size_t offset, size;
	uint64_t max;
};
#define FIELD(kind, type, name, member, max)                                   \
	{                                                                      \
		name, type, offsetof(struct kind, member),                     \
			sizeof(((struct kind *)0)->member), max                \
	}

static const struct field config_fields[] = {
	FIELD(hub_config, NAME, "name", name, 0),
	FIELD(hub_config, NAME, "device", device, 0),
	FIELD(hub_config, FLAG, "tap", tap, 0),
	FIELD(hub_config, FLAG, "isolate", isolate, 0),
	FIELD(hub_config, NUMBER, "storm-control", storm_pps, UINT32_MAX),
	FIELD(hub_config, FLAG, "take-ip4", take_ip4, 0),
	FIELD(hub_config, FLAG, "take-ip6", take_ip6, 0),
	FIELD(hub_config, NUMBER, "listen", listen, UINT16_MAX),
	FIELD(hub_config, NUMBER, "threads", threads, WIRE_PARTS),
	FIELD(hub_config, NUMBER, "mtu", mtu, UINT16_MAX),
	FIELD(hub_config, NUMBER, "small", small_bytes, UINT16_MAX),
	FIELD(hub_config, NUMBER, "hold-us", hold_max_us, 10000000),
	FIELD(hub_config, NUMBER, "duplicate-dscp", duplicate_dscp,
	      HUB_NO_DSCP),
	FIELD(hub_config, NUMBER, "duplicate-mark", duplicate.value,
	      UINT32_MAX),
	FIELD(hub_config, NUMBER, "duplicate-mask", duplicate.mask, UINT32_MAX),
	FIELD(hub_config, NUMBER, "duplicate-class", duplicate.class,
	      UINT32_MAX),
	FIELD(hub_config, NUMBER, "slice-us", slice_us, UINT32_MAX),
	FIELD(hub_config, NUMBER, "slices", slices, METER_SLICES_MOST),
	FIELD(hub_config, KEY, "secret", secret, 0),
	{ "secret-digest", DIGEST, 0, 0, 0 },
	{ .name = NULL },
};
static const struct field peer_fields[] = {
	FIELD(hub_peer, NAME, "name", name, 0),
	FIELD(hub_peer, KEY, "key", key, 0),
	FIELD(hub_peer, KEY, "psk", psk, 0),
	{ "psk-digest", DIGEST, 0, 0, 0 },
	FIELD(hub_peer, NUMBER, "up", up_bps, UINT64_MAX / 8),
	FIELD(hub_peer, NUMBER, "down", down_bps, UINT64_MAX / 8),
	{ .name = NULL },
};
static const struct field member_fields[] = {
	FIELD(hub_member, NAME, "name", name, 0),
	FIELD(hub_member, NAME, "device", device, 0),
	FIELD(hub_member, SOURCE, "source", source, 0),
	FIELD(hub_member, NUMBER, "mark", mark, UINT32_MAX),
	FIELD(hub_member, NUMBER, "sockets", sockets, HUB_SOCKETS),
	FIELD(hub_member, NUMBER, "tier", tier, UINT8_MAX),
	FIELD(hub_member, NUMBER, "weight", weight, UINT8_MAX),
	FIELD(hub_member, FLAG, "standby", standby, 0),
	FIELD(hub_member, FLAG, "metered", metered, 0),
	FIELD(hub_member, NUMBER, "up", up_bps, UINT64_MAX / 8),
	FIELD(hub_member, NUMBER, "down", down_bps, UINT64_MAX / 8),
	{ .name = NULL },
};

static void put_number(void *to, size_t size, uint64_t value)
{
	uint8_t u8 = (uint8_t)value;
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;

	memcpy(to,
	       size == 1   ? (void *)&u8
	       : size == 2 ? (void *)&u16
	       : size == 4 ? (void *)&u32
			   : (void *)&value,
	       size);
}

static int number(const struct field *field, const json_t *json, void *to,
		  struct err *err)
{
	json_int_t value = json_integer_value(json);

	if (!json_is_integer(json) || value < 0 || (uint64_t)value > field->max)
		return err_set(err, EINVAL, "%s: is no number from 0 to %llu",
			       field->name, (unsigned long long)field->max);
	put_number(to, field->size, (uint64_t)value);
	return 0;
}

static int source(const struct field *field, const char *text, void *to,
		  struct err *err)
{
	struct address address;
	int rc = address_parse(text, 0, &address, err);

	if (rc < 0)
		return err_prefix(err, "%s: ", field->name);
	memcpy(to, &address.far.sin6_addr, sizeof(address.far.sin6_addr));
	return 0;
}

static int field_read(const struct field *field, const json_t *json, void *to,
		      struct err *err)
{
	const char *text = json_string_value(json);
	bool flag = json_is_true(json);

	if (field->type == NUMBER)
		return number(field, json, to, err);
	if (field->type == FLAG) {
		if (!json_is_boolean(json))
			return err_set(err, EINVAL, "%s: is not true or false",
				       field->name);
		memcpy(to, &flag, sizeof(flag));
		return 0;
	}
	if (!text)
		return err_set(err, EINVAL, "%s: is no text", field->name);
	if (field->type == DIGEST)
		return 0;
	if (field->type == SOURCE)
		return source(field, text, to, err);
	if (field->type == KEY && !crypto_read_key(text, to))
		return err_set(err, EINVAL,
			       "%s: is no key (44 characters of "
			       "base64)",
			       field->name);
	if (field->type == NAME) {
		if (strlen(text) >= field->size)
			return err_set(err, EINVAL, "%s: is too long",
				       field->name);
		memset(to, 0, field->size);
		memcpy(to, text, strlen(text));
	}
	return 0;
}

/* Takes what it knows out of the object: what is left is not known. */
static int fields_read(const struct field *fields, json_t *object, void *to,
		       struct err *err)
{
	for (; fields->name; fields++) {
		const json_t *value = json_object_get(object, fields->name);
		int rc;

		if (!value)
			continue;
		rc = field_read(fields, value, (uint8_t *)to + fields->offset,
				err);
		if (rc < 0)
			return rc;
		json_object_del(object, fields->name);
	}
	return 0;
}

static int nothing_left(json_t *object, struct err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value) return err_set(
		err, EINVAL,
		"%s: nothing is known of that; if the engine is older than who "
		"tells it so, tressed has to be started anew",
		name);
	return 0;
}

/* --- words ---------------------------------------------------------------- */

static int role_read(json_t *object, struct hub_config *config, struct err *err)
{
	const char *text = json_string_value(json_object_get(object, "role"));

	if (!text || (strcmp(text, "client") && strcmp(text, "server")))
		return err_set(err, EINVAL, "role: is not client or server");
	config->server = !strcmp(text, "server");
	json_object_del(object, "role");
	return 0;
}

static int mode_read(json_t *object, struct hub_config *config, struct err *err)
{
	const json_t *value = json_object_get(object, "mode");
	const char *text = json_string_value(value);

	config->mode = BRAID_DEFAULT;
	if (!value)
		return 0;
	for (enum braid_mode i = BRAID_DEFAULT; i <= BRAID_DUPLICATE; i++)
		if (text && !strcmp(text, braid_mode_name(i))) {
			config->mode = i;
			json_object_del(object, "mode");
			return 0;
		}
	return err_set(err, EINVAL,
		       "mode: is not auto, aggregate, failover or duplicate");
}

/* "192.0.2.1:5000", "[2001:db8::1]:5000" */
static int endpoint_read(const char *text, struct address *to, struct err *err)
{
	char host[INET6_ADDRSTRLEN] = "";
	bool bracket = *text == '[';
	const char *from = text + bracket;
	const char *end = strrchr(text, bracket ? ']' : ':');
	const char *port = end ? end + bracket : NULL;
	unsigned long number;

	if (!end || end < from || (size_t)(end - from) >= sizeof(host) ||
	    *port != ':' || port[1] < '0' || port[1] > '9')
		return err_set(err, EINVAL, "endpoint %s: is no ADDRESS:PORT",
			       text);
	memcpy(host, from, (size_t)(end - from));
	number = strtoul(port + 1, (char **)&port, 10);
	if (*port || !number || number > UINT16_MAX)
		return err_set(err, EINVAL, "endpoint %s: is no ADDRESS:PORT",
			       text);
	return address_parse(host, (uint16_t)number, to, err);
}

static int prefixes_read(json_t *object, struct hub_peer *peer, struct err *err)
{
	json_t *list = json_object_get(object, "prefixes"), *value;
	size_t i;

	if (list &&
	    (!json_is_array(list) || json_array_size(list) > HUB_PREFIXES))
		return err_set(err, EINVAL,
			       "prefixes: is no list of at most %d",
			       HUB_PREFIXES);
	json_array_foreach(list, i, value)
	{
		const char *text = json_string_value(value);
		int rc = inner_prefix_parse(text ? text : "",
					    &peer->prefixes[i], err);

		if (rc < 0)
			return rc;
	}
	peer->prefix_count = json_array_size(list);
	json_object_del(object, "prefixes");
	return 0;
}

static int lease_read(json_t *object, struct hub_peer *peer, struct err *err)
{
	json_t *list = json_object_get(object, "lease"), *value;
	size_t i;

	if (list &&
	    (!json_is_array(list) || json_array_size(list) > LEASE_MOST))
		return err_set(err, EINVAL, "lease: is no list of at most %d",
			       LEASE_MOST);
	json_array_foreach(list, i, value)
	{
		const char *text = json_string_value(value);
		int rc = prefix_read(text ? text : "",
				     &peer->lease.addresses[i], err);

		if (rc < 0)
			return err_prefix(err, "lease: ");
	}
	peer->lease.count = json_array_size(list);
	json_object_del(object, "lease");
	return 0;
}

/* "gw.example.net:5000": its address is not known yet (resolver.h). */
static bool is_name(const char *text)
{
	const char *port = strrchr(text, ':');
	size_t host = port ? (size_t)(port - text) : 0;

	return host && strchr(text, ':') == port &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-_"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == host &&
	       strspn(text, "0123456789.") < host;
}

static int endpoints_read(json_t *object, struct hub_peer *peer,
			  struct err *err)
{
	json_t *list = json_object_get(object, "endpoints"), *value;
	size_t i;

	if (list &&
	    (!json_is_array(list) || json_array_size(list) > HUB_ENDPOINTS))
		return err_set(err, EINVAL,
			       "endpoints: is no list of at most %d",
			       HUB_ENDPOINTS);
	json_array_foreach(list, i, value)
	{
		const char *text = json_string_value(value);
		int rc;

		if (text && is_name(text))
			continue;
		rc = endpoint_read(text ? text : "",
				   &peer->endpoints[peer->endpoint_count], err);
		if (rc < 0)
			return rc;
		peer->endpoint_count++;
	}
	json_object_del(object, "endpoints");
	return 0;
}

/* "peer alice: ", or "peer 3: " (from 1) if it has no name. */
static int in_item(const char *what, const char *name, size_t i,
		   struct err *err)
{
	return *name ? err_prefix(err, "%s %s: ", what, name)
		     : err_prefix(err, "%s %zu: ", what, i + 1);
}

static int peer_read(json_t *object, struct hub_peer *peer, size_t i,
		     struct err *err)
{
	bool has_key = json_object_get(object, "key") != NULL;
	int rc;

	peer->has_psk = json_object_get(object, "psk") != NULL;
	rc = fields_read(peer_fields, object, peer, err);
	if (!rc)
		rc = prefixes_read(object, peer, err);
	if (!rc)
		rc = lease_read(object, peer, err);
	if (!rc)
		rc = endpoints_read(object, peer, err);
	if (!rc)
		rc = nothing_left(object, err);
	if (!rc && !peer->name[0])
		rc = err_set(err, EINVAL, "name: is missing");
	if (!rc && !has_key)
		rc = err_set(err, EINVAL, "key: is missing");
	return rc < 0 ? in_item("peer", peer->name, i, err) : 0;
}

static int member_read(json_t *object, struct hub_member *member, size_t i,
		       struct err *err)
{
	int rc;

	member->sockets = 1;
	member->weight = 1;
	rc = fields_read(member_fields, object, member, err);
	if (!rc)
		rc = nothing_left(object, err);
	if (!rc && !member->name[0])
		rc = err_set(err, EINVAL, "name: is missing");
	if (!rc && !member->sockets)
		rc = err_set(err, EINVAL, "sockets: is no number from 1 to %d",
			     HUB_SOCKETS);
	return rc < 0 ? in_item("member", member->name, i, err) : 0;
}

/* --- all of it ------------------------------------------------------------ */

/* A list of objects; NULL and 0 if there is none. */
static int list_of(json_t *json, const char *name, json_t **list, size_t *count,
		   struct err *err)
{
	size_t i;
	json_t *value;

	*list = json_object_get(json, name);
	*count = json_array_size(*list);
	if (*list && (!json_is_array(*list) || *count > MOST))
		return err_set(err, EINVAL, "%s: is no list of at most %d",
			       name, MOST);
	json_array_foreach(*list, i, value) if (
		!json_is_object(value)) return err_set(err, EINVAL,
						       "%s: has no objects",
						       name);
	return 0;
}

/* Each name once: a name is how they are told apart. */
static int once(const char *what, const json_t *list, struct err *err)
{
	json_t *names = json_object(), *item;
	int rc = 0;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *name =
			json_string_value(json_object_get(item, "name"));

		if (!name || rc < 0)
			continue;
		if (json_object_get(names, name))
			rc = err_set(err, EINVAL, "%s %s: is there twice", what,
				     name);
		json_object_set_new(names, name, json_true());
	}
	json_decref(names);
	return rc;
}

static int lists_read(json_t *json, struct description *out, struct err *err)
{
	json_t *peers, *members;
	int rc = list_of(json, "peers", &peers, &out->peer_count, err);

	if (!rc)
		rc = list_of(json, "members", &members, &out->member_count,
			     err);
	if (!rc)
		rc = once("peer", peers, err);
	if (!rc)
		rc = once("member", members, err);
	if (rc < 0) {
		out->peer_count = out->member_count = 0;
		return rc;
	}
	out->peers = mem_array(out->peer_count, sizeof(*out->peers));
	out->members = mem_array(out->member_count, sizeof(*out->members));
	for (size_t i = 0; i < out->peer_count && !rc; i++)
		rc = peer_read(json_array_get(peers, i), &out->peers[i], i,
			       err);
	for (size_t i = 0; i < out->member_count && !rc; i++)
		rc = member_read(json_array_get(members, i), &out->members[i],
				 i, err);
	json_object_del(json, "peers");
	json_object_del(json, "members");
	return rc;
}

static int parse(json_t *json, struct description *out, struct err *err)
{
	bool has_secret = json_object_get(json, "secret") ||
			  json_object_get(json, "secret-digest");
	int rc = fields_read(config_fields, json, &out->config, err);

	if (!rc)
		rc = role_read(json, &out->config, err);
	if (!rc)
		rc = mode_read(json, &out->config, err);
	if (!rc)
		rc = lists_read(json, out, err);
	if (!rc)
		rc = nothing_left(json, err);
	if (!rc && (!out->config.name[0] || !out->config.device[0]))
		rc = err_set(err, EINVAL, "%s: is missing",
			     out->config.name[0] ? "device" : "name");
	if (!rc && !has_secret)
		rc = err_set(err, EINVAL, "secret: is missing");
	return rc;
}

int description_parse(const json_t *json, struct description *out,
		      struct err *err)
{
	json_t *copy;
	int rc;

	*out = (struct description){ .config.duplicate_dscp = HUB_NO_DSCP };
	if (!json_is_object(json))
		return err_set(err, EINVAL, "link: is no object");
	copy = json_deep_copy(json);
	rc = parse(copy, out, err);
	json_decref(copy);
	if (rc < 0) {
		rc = err_prefix(err, "link %s: ", out->config.name);
		description_clear(out);
	}
	return rc;
}

void description_clear(struct description *description)
{
	if (description->peers)
		explicit_bzero(description->peers,
			       description->peer_count *
				       sizeof(*description->peers));
	free(description->peers);
	free(description->members);
	explicit_bzero(description, sizeof(*description));
}
