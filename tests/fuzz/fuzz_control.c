/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What comes to the engine over its socket, for libFuzzer (`make fuzz`): lines
 * in pieces, descriptions of links, keys. Each line that ends is answered with
 * one line of JSON, in which there is "done" or "error"; a description is
 * refused with a sentence, or has its limits; a key has one spelling.
 *
 * The first byte chooses what the rest is. No link is started: engine_set()
 * reads the description and no more.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "backends/engine/control.h"
#include "backends/engine/description.h"
#include "model/base/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

/* --- in place of the engine ----------------------------------------------- */

int engine_set(struct engine *engine, const json_t *link, const json_t *keys,
	       struct err *err)
{
	struct description description;
	int rc = description_parse(link, &description, err);

	(void)engine;
	(void)keys;
	must(rc == 0 || ((rc == -EINVAL || rc == -ERANGE) && err->text));
	if (rc < 0)
		return rc;
	must(description.config.name[0] && description.config.device[0]);
	for (size_t i = 0; i < description.peer_count; i++)
		must(description.peers[i].prefix_count <= HUB_PREFIXES &&
		     description.peers[i].endpoint_count <= HUB_ENDPOINTS);
	for (size_t i = 0; i < description.member_count; i++)
		must(description.members[i].sockets >= 1 &&
		     description.members[i].sockets <= HUB_SOCKETS);
	description_clear(&description);
	return 0;
}

void engine_remove(struct engine *engine, const char *name)
{
	(void)engine;
	must(name != NULL);
}

json_t *engine_get(const struct engine *engine)
{
	(void)engine;
	return json_array();
}

json_t *engine_past(const struct engine *engine, const char *name)
{
	(void)engine;
	(void)name;
	return json_array();
}

json_t *engine_status(const struct engine *engine, const char *name)
{
	(void)engine;
	(void)name;
	return json_array();
}

/* --- targets -------------------------------------------------------------- */

static void fuzz_key(const char *text)
{
	uint8_t key[NOISE_KEY];
	char again[CRYPTO_TEXT];

	if (!crypto_read_key(text, key))
		return;
	crypto_print_key(key, again);
	must(!strcmp(text, again));
}

static void fuzz_description(const char *text, size_t size)
{
	AUTO_ERR err = ERR_NONE;
	json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);

	if (json)
		engine_set(NULL, json, NULL, &err);
	json_decref(json);
}

static struct sockaddr_un name = { .sun_family = AF_UNIX };
static socklen_t length = sizeof(sa_family_t);

static struct control *open_control(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	must(!bind(fd, (struct sockaddr *)&name, length));
	length = sizeof(name);
	must(!getsockname(fd, (struct sockaddr *)&name, &length));
	must(!listen(fd, 8));
	return control_adopt(fd, NULL);
}

static size_t answers(int fd)
{
	static char text[1 << 20];
	ssize_t got = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	char *at = text, *end;
	size_t count = 0;

	if (got <= 0)
		return 0;
	must(text[got - 1] == '\n');
	for (; (end = memchr(at, '\n', (size_t)(text + got - at)));
	     at = end + 1, count++) {
		json_t *json = json_loadb(at, (size_t)(end - at), 0, NULL);

		must(json_object_get(json, "done") ||
		     json_object_get(json_object_get(json, "error"), "text"));
		json_decref(json);
	}
	return count;
}

/* In two pieces, cut where the second byte says. */
static void fuzz_lines(const char *bytes, size_t size, size_t cut)
{
	static struct control *control;
	size_t lines = 0, first = size ? cut % size : 0;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!control)
		control = open_control();
	must(!connect(fd, (struct sockaddr *)&name, length));
	must(send(fd, bytes, first, 0) == (ssize_t)first);
	control_turn(control, 1);
	must(send(fd, bytes + first, size - first, 0) ==
	     (ssize_t)(size - first));
	control_turn(control, 2);
	for (size_t i = 0; i < size; i++)
		lines += bytes[i] == '\n';
	/* Many answers do not fit into the socket at once. */
	for (size_t got; (got = answers(fd)); lines -= got) {
		must(got <= lines);
		control_turn(control, 2);
	}
	must(!lines);
	must((control_next(control) != UINT64_MAX) ==
	     (size && bytes[size - 1] != '\n'));
	close(fd);
	control_turn(control, 3);
	must(control_next(control) == UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(str) char *text = NULL;

	if (size < 2)
		return 0;
	text = mem_strndup((const char *)data + 2, size - 2);
	if (data[0] % 4 == 0)
		fuzz_key(text);
	else if (data[0] % 4 == 1)
		fuzz_description(text, strlen(text));
	else
		fuzz_lines((const char *)data + 2, size - 2, data[1]);
	return 0;
}
