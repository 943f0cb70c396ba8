/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When lines were full, as the engine remembers it, and as it happens. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/tunnel/client.h"
#include "backends/tunnel/object.h"
#include "model/base/mem.h"

enum { READ_AT_ONCE = 4096, LINE_MOST = 1 << 16 };

static uint64_t number(const json_t *json, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(json, name));

	return value > 0 ? (uint64_t)value : 0;
}

static const char *words(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

/* The member or peer that it speaks of; NULL: the tree has none such. */
static const struct node *node_of(const struct tree *tree, const json_t *json)
{
	const char *link = words(json, "link"), *member = words(json, "member");
	const char *name = member ? member : words(json, "peer");
	const struct node *node =
		link ? node_find(tree_links(tree), link) : NULL;

	if (!node || !name)
		return NULL;
	return node_find(node_fixed(node, member ? &kind_members : &kind_peers),
			 name);
}

/* --- the past ------------------------------------------------------------- */

static enum spell_state state_of(const char *state)
{
	if (state && !strcmp(state, "lasts"))
		return SPELL_LASTS;
	return state && !strcmp(state, "cut") ? SPELL_CUT : SPELL_OVER;
}

static void tell_way(const struct node *node, const json_t *way, bool in,
		     spell_tell *tell, void *arg)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(way, "spells"), i, item)
	{
		struct spell spell = {
			.node = node,
			.in = in,
			.state = state_of(words(item, "state")),
			.began_us = (int64_t)number(item, "began"),
			.lasted_us = number(item, "lasted-us"),
			.rate_bps = number(item, "rate"),
			.queue_us = number(item, "queue-us"),
		};

		tell(&spell, arg);
	}
}

int tunnel_spells(const struct tree *tree, spell_tell *tell, void *arg,
		  struct err *err)
{
	json_t *past, *item;
	size_t i;

	if (!node_first(tree_links(tree)))
		return 0;
	past = client_ask(json_pack("{s:s}", "do", "past"), err);
	if (!past)
		return err ? err->code : -EIO;
	json_array_foreach(past, i, item)
	{
		const struct node *node = node_of(tree, item);

		if (!node)
			continue;
		tell_way(node, json_object_get(item, "out"), false, tell, arg);
		tell_way(node, json_object_get(item, "in"), true, tell, arg);
	}
	json_decref(past);
	return 0;
}

/* --- as it happens -------------------------------------------------------- */

struct ear {
	int fd;
	char *text; /* owned: a line that is not complete */
	size_t size, room;
};

static void ear_close(struct ear *ear)
{
	if (!ear)
		return;
	close(ear->fd);
	free(ear->text);
	free(ear);
}

static struct ear *ear_open(struct err *err)
{
	int fd = client_follow(err);
	struct ear *ear;

	if (fd < 0)
		return NULL;
	ear = mem_alloc(sizeof(*ear));
	ear->fd = fd;
	return ear;
}

static int ear_fd(const struct ear *ear)
{
	return ear->fd;
}

static void tell_moment(const struct tree *tree, const json_t *moment,
			spell_tell *tell, void *arg)
{
	const char *what = words(moment, "what"), *way = words(moment, "way");
	bool over = what && !strcmp(what, "free");
	uint64_t at = number(moment, "at"),
		 lasted = number(moment, "lasted-us");
	struct spell spell = {
		.node = node_of(tree, moment),
		.in = way && !strcmp(way, "in"),
		.state = over ? SPELL_OVER : SPELL_LASTS,
		.began_us = (int64_t)(at - (lasted < at ? lasted : at)),
		.lasted_us = lasted,
		.rate_bps = number(moment, "rate"),
		.queue_us = number(moment, "queue-us"),
	};

	if (spell.node)
		tell(&spell, arg);
}

static void take_lines(struct ear *ear, const struct tree *tree,
		       spell_tell *tell, void *arg)
{
	char *end;

	while ((end = memchr(ear->text, '\n', ear->size))) {
		size_t size = (size_t)(end - ear->text);
		json_t *line = json_loadb(ear->text, size, 0, NULL);
		const json_t *moment = json_object_get(line, "moment");

		if (moment)
			tell_moment(tree, moment, tell, arg);
		json_decref(line);
		ear->size -= size + 1;
		memmove(ear->text, end + 1, ear->size);
	}
}

/* Negative: nobody speaks there any more. */
static int ear_take(struct ear *ear, const struct tree *tree, spell_tell *tell,
		    void *arg)
{
	ssize_t got;

	if (ear->room - ear->size < READ_AT_ONCE) {
		ear->room += 2 * READ_AT_ONCE;
		ear->text = mem_resize(ear->text, ear->room);
	}
	got = recv(ear->fd, ear->text + ear->size, READ_AT_ONCE, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0)
		return -EPIPE;
	ear->size += (size_t)got;
	take_lines(ear, tree, tell, arg);
	return ear->size > LINE_MOST ? -EPROTO : 0;
}

const struct spell_ears tunnel_ears = {
	.open = ear_open,
	.close = ear_close,
	.fd = ear_fd,
	.take = ear_take,
};
