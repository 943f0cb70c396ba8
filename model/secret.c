/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/secret.h"

#include <string.h>
#include <sys/random.h>

#include "model/base/mem.h"
#include "model/node.h"
#include "model/store.h"

enum { KEY_BYTES = CRYPTO_KEY, DIGEST_BYTES = 8 };

#define HIDDEN "digest:"

bool secret_is_hidden(const char *text)
{
	size_t digits;

	if (strncmp(text, HIDDEN, strlen(HIDDEN)) != 0)
		return false;
	text += strlen(HIDDEN);
	digits = strspn(text, "0123456789abcdef");
	text += digits;
	return digits == 2 * DIGEST_BYTES &&
	       (!*text || (strlen(text) == strlen(SECRET_MADE) &&
			   !memcmp(text, SECRET_MADE, strlen(SECRET_MADE))));
}

void secret_print(const struct node *node, size_t attr, struct text *out)
{
	const char *text = node_text(node, attr);
	char hidden[SECRET_HIDDEN];

	if (!text || secret_is_hidden(text)) {
		text_put(out, text ? text : "");
		return;
	}
	secret_digest(text, hidden);
	text_put(out, hidden);
}

void secret_digest(const char *text, char hidden[SECRET_HIDDEN])
{
	uint8_t sum[CRYPTO_SHA256];
	size_t used = strlen(HIDDEN);

	memcpy(hidden, HIDDEN, used);
	crypto_sha256(text, strlen(text), sum);
	for (int i = 0; i < DIGEST_BYTES; i++)
		used += (size_t)snprintf(hidden + used, 3, "%02x", sum[i]);
}

/* --- in the store --------------------------------------------------------- */

static int keep(struct store *store, const char *hidden, const char *text,
		struct err *err)
{
	if (!store)
		return 0;
	return store_secret_set(store, 0, hidden, text, strlen(text), err);
}

static int is_kept(struct store *store, const char *hidden, struct err *err)
{
	char *text = store ? secret_find(store, hidden, err) : NULL;

	if (store && !text)
		return err_append(err, "; give the key itself");
	if (text) {
		explicit_bzero(text, strlen(text));
		free(text);
	}
	return 0;
}

/* "digest:...,made" as it was before a candidate said so. */
static void take_origin(struct node *node, size_t attr)
{
	const char *text = node_text(node, attr);
	const char *made = text ? strchr(text, SECRET_MADE[0]) : NULL;
	struct value value;

	if (!made || !secret_is_hidden(text))
		return;
	value = (struct value){ .text = mem_strndup(text,
						    (size_t)(made - text)) };
	node_set(node, attr, &value, ORIGIN_CHOSEN);
}

static int hide(struct node *node, size_t attr, struct store *store,
		struct err *err)
{
	const char *text = node_text(node, attr);
	enum origin origin = node_origin(node, attr);
	char hidden[SECRET_HIDDEN];
	struct value value;
	int rc;

	if (!text)
		return 0;
	if (secret_is_hidden(text))
		return node_dirt(node) == DIRT_NONE ? 0
						    : is_kept(store, text, err);
	secret_digest(text, hidden);
	rc = keep(store, hidden, text, err);
	if (rc < 0)
		return rc;
	value = (struct value){ .text = mem_strdup(hidden) };
	node_set(node, attr, &value, origin);
	return 0;
}

/* A link that is brought back with the digest of its key, or gets that of
 * another, has the public key that belongs to it. One that somebody set is left
 * for check_links() to refuse. */
static void follow(struct node *node, struct store *store)
{
	struct value value = { .text = NULL };
	char public[SECRET_KEY];
	char *secret;

	if (node_kind(node) != &kind_link || !store ||
	    !node_text(node, LINK_KEY) ||
	    node_origin(node, LINK_PUBLIC_KEY) == ORIGIN_GIVEN ||
	    (node_has(node, LINK_PUBLIC_KEY) && node_dirt(node) == DIRT_NONE))
		return;
	secret = secret_find(store, node_text(node, LINK_KEY), NULL);
	if (!secret)
		return;
	if (secret_public(secret, public)) {
		value.text = mem_strdup(public);
		node_set(node, LINK_PUBLIC_KEY, &value, ORIGIN_CHOSEN);
	}
	explicit_bzero(secret, strlen(secret));
	free(secret);
}

/* The next secret setting that was changed, from *attr of *node on. */
static bool next_dirty(const struct node *root, const struct node **node,
		       size_t *attr)
{
	for (; *node; *node = node_walk(root, *node), *attr = 0) {
		const struct kind *kind = node_kind(*node);

		if (node_dirt(*node) == DIRT_NONE)
			continue;
		for (; *attr < kind->attr_count; ++*attr)
			if (kind->attrs[*attr].flags & ATTR_SECRET &&
			    node_text(*node, *attr))
				return true;
	}
	return false;
}

bool secret_has_fresh(const struct tree *tree)
{
	const struct node *root = tree_root(tree), *at = root;

	for (size_t i = 0; next_dirty(root, &at, &i); i++)
		if (!secret_is_hidden(node_text(at, i)))
			return true;
	return false;
}

void secret_drop_fresh(struct store *store, const struct tree *tree)
{
	const struct node *root = tree_root(tree), *at = root;

	for (size_t i = 0; next_dirty(root, &at, &i); i++)
		secret_forget(store, node_text(at, i));
}

void secret_sweep(struct store *store)
{
	store_secret_sweep(store, 0, NULL);
}

int secret_hide(struct tree *tree, struct store *store, struct err *err)
{
	struct node *root = tree_root(tree);

	if (store && secret_has_fresh(tree))
		secret_sweep(store);
	for (struct node *at = root; at; at = node_walk(root, at)) {
		const struct kind *kind = node_kind(at);

		for (size_t i = 0; i < kind->attr_count; i++) {
			AUTO(str) char *path = NULL;
			int rc;

			if (!(kind->attrs[i].flags & ATTR_SECRET))
				continue;
			take_origin(at, i);
			rc = hide(at, i, store, err);
			if (!rc)
				continue;
			path = node_path_dup(at);
			return err_prefix(err, "%s: %s: ", path,
					  kind->attrs[i].name);
		}
		follow(at, store);
	}
	return 0;
}

char *secret_find(struct store *store, const char *hidden, struct err *err)
{
	AUTO(mem) void *value = NULL;
	size_t size;
	char *text;
	int rc;

	if (!secret_is_hidden(hidden))
		return mem_strdup(hidden);
	rc = store_secret_get(store, 0, hidden, &value, &size, err);
	if (rc < 0)
		return NULL;
	if (!value) {
		err_set(err, ENOENT, "%s: no such key is kept here", hidden);
		return NULL;
	}
	text = mem_strndup(value, size);
	explicit_bzero(value, size);
	return text;
}

void secret_forget(struct store *store, const char *text)
{
	const char *at = text;

	while ((at = strstr(at, HIDDEN))) {
		char hidden[SECRET_HIDDEN];

		snprintf(hidden, sizeof(hidden), "%s", at);
		at += strlen(HIDDEN);
		if (secret_is_hidden(hidden))
			store_secret_drop(store, 0, hidden, NULL);
	}
}

/* --- pairs ---------------------------------------------------------------- */

static bool public_of(const uint8_t secret[KEY_BYTES], char public[SECRET_KEY])
{
	uint8_t bytes[KEY_BYTES];
	bool good = crypto_public(secret, bytes);

	if (good)
		crypto_print_key(bytes, public);
	return good;
}

void secret_make(char secret[SECRET_KEY], char public[SECRET_KEY])
{
	uint8_t bytes[KEY_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		abort(); /* no kernel of ours says no here */
	bytes[0] &= 248; /* RFC 7748, 5: other tools print it so */
	bytes[31] = (bytes[31] & 127) | 64;
	crypto_print_key(bytes, secret);
	public[0] = '\0';
	public_of(bytes, public);
	explicit_bzero(bytes, sizeof(bytes));
}

bool secret_public(const char *secret, char public[SECRET_KEY])
{
	uint8_t bytes[KEY_BYTES];
	bool good = crypto_read_key(secret, bytes) && public_of(bytes, public);

	explicit_bzero(bytes, sizeof(bytes));
	return good;
}
