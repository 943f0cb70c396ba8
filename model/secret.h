/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * secret.h - keys: made, and kept where nobody sees them by chance.
 *
 * The value of a secret setting (ATTR_SECRET) is in a file of its own
 * (store_secret_set()), under its digest. In the tree, and so in the store, in
 * history, candidates, saved files and messages, stands the digest alone:
 *
 *     key=digest:0123456789abcdef
 *
 * Trees with digests compare, merge and go back to old revisions like any
 * others. Digests are the first 8 bytes of SHA-256.
 */
#ifndef MODEL_SECRET_H
#define MODEL_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/crypto.h"
#include "model/base/err.h"

struct node;
struct store;
struct text;
struct tree;

enum {
	SECRET_HIDDEN = 24, /* "digest:" and 16 digits, with the zero */
	SECRET_KEY = CRYPTO_TEXT,
};

/* Is it a digest, in place of the secret itself? */
bool secret_is_hidden(const char *text);
/* Behind a digest where the key was made by us, not given: so a candidate says
 * it (save_print_changes()), and secret_hide() takes it off again. */
#define SECRET_MADE ",made"
/* A secret setting as anybody may see it: its digest. */
void secret_print(const struct node *node, size_t attr, struct text *out);
void secret_digest(const char *text, char hidden[SECRET_HIDDEN]);

/* Puts digests in the place of all secrets in the tree, which are kept in the
 * store; without one they are only hidden. A digest of nothing that is kept
 * here is refused: ENOENT, with the path. */
int secret_hide(struct tree *tree, struct store *store, struct err *err);
/* The secret behind a digest (or text itself, if it is none); the caller's to
 * mem_wipe() and free. NULL if it is not kept here, or not to be read by us. */
char *secret_find(struct store *store, const char *hidden, struct err *err);

/* Does the tree have secrets that secret_hide() would put into the store? What
 * names them must be there before store_unlock(), or another may sweep. */
bool secret_has_fresh(const struct tree *tree);
/* What was kept for a tree that came to nothing is forgotten, unless it is
 * named elsewhere. */
void secret_drop_fresh(struct store *store, const struct tree *tree);
/* Forgets what nobody names, after a crash. Revisions name what they had, and
 * history is kept, so that undo and rollback find their keys: a key that was
 * committed once is never forgotten. */
void secret_sweep(struct store *store);

/* Forgets what the digests in that text stand for, unless the tree, a revision
 * or a candidate has them as well: a candidate with that text is gone. */
void secret_forget(struct store *store, const char *text);

/* A new pair of keys for X25519 (RFC 7748). */
void secret_make(char secret[SECRET_KEY], char public[SECRET_KEY]);
/* The public key that belongs to a secret one; false if it is none. */
bool secret_public(const char *secret, char public[SECRET_KEY]);

#endif
