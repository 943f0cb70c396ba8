/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets of an engine that was taken over at its keeper, for libFuzzer (`make
 * fuzz`). Each begins with its length, in two bytes. Whatever comes: what is
 * done is one of five things, what is written came whole and in order, an error
 * is a sentence, and no more is held than may be written.
 */
#include <stdlib.h>
#include <string.h>

#include "backends/engine/keeping.h"
#include "backends/engine/restore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

static const struct keeping_files files = { "s", "m", "k" };
static unsigned done;	     /* by the hands */
static char wanted[1 << 16]; /* what pieces in order come to */
static size_t wanted_size;

json_t *restore_read(const char *store, struct err *err)
{
	(void)store;
	(void)err;
	abort(); /* the hands are ours */
}

static int links(const struct keeping_files *of, char **bytes, size_t *size,
		 struct err *err)
{
	(void)err;
	must(of == &files);
	done++;
	*bytes = mem_strdup("[]");
	*size = 2;
	return 0;
}

static int tun(struct err *err)
{
	done++;
	return err_set(err, ENODEV, "none");
}

static int measured(const struct keeping_files *of, char **bytes, size_t *size,
		    struct err *err)
{
	(void)bytes;
	(void)size;
	done++;
	must(of == &files);
	return err_set(err, EIO, "none");
}

static int write_it(const struct keeping_files *of, const char *bytes,
		    size_t size, struct err *err)
{
	(void)err;
	done++;
	must(of == &files);
	must(size == wanted_size && !memcmp(bytes, wanted, size));
	return 0;
}

static int leave(const struct keeping_files *of,
		 const struct keeping_socket *socket, struct err *err)
{
	(void)socket;
	done++;
	must(of == &files);
	return err_set(err, ENOENT, "not ours");
}

static const struct keeping_hands hands = { links, tun, measured, write_it,
					    leave };

/* The same pieces, put together by somebody else. */
static void expect(const uint8_t *packet, size_t size)
{
	struct keeping_head head;

	if (size < sizeof(head))
		return;
	memcpy(&head, packet, sizeof(head));
	size -= sizeof(head);
	if (head.what != KEEPING_WRITE || head.code)
		return;
	if (!head.at)
		wanted_size = 0;
	must(wanted_size + size <= sizeof(wanted));
	memcpy(wanted + wanted_size, packet + sizeof(head), size);
	wanted_size += size;
}

static void hear(struct keeping *keeping, const uint8_t *packet, size_t size)
{
	struct keeping_answer answer;
	unsigned before = done;
	bool answered;

	expect(packet, size);
	answered = keeping_hear(keeping, packet, size, &answer);
	must(done - before <= 1);
	must(answered || done == before);
	must(answer.code <= 0);
	must(!answer.code || answer.size);
	must(answer.fd < 0);
	must(keeping->size <= keeping->total && keeping->total <= KEEPING_MOST);
	keeping_answer_clear(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keeping keeping = { .files = &files, .hands = &hands };

	wanted_size = 0;
	while (size >= 2) {
		size_t length = (size_t)(data[0] | data[1] << 8);

		data += 2;
		size -= 2;
		if (length > size)
			length = size;
		hear(&keeping, data, length);
		data += length;
		size -= length;
	}
	keeping_clear(&keeping);
	return 0;
}
