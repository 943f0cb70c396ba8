/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/save.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/file.h"
#include "model/diff.h"
#include "model/node.h"
#include "model/secret.h"
#include "shell/words.h"

/* ---- the text ---- */

/* A key stays the same when it is brought back, also one that we made: of it
 * the digest is saved (model/secret.h). */
static bool is_saved(const struct node *node, size_t attr)
{
	enum origin origin = node_origin(node, attr);

	return origin == ORIGIN_GIVEN ||
	       (origin == ORIGIN_CHOSEN &&
		node_kind(node)->attrs[attr].flags & ATTR_SECRET);
}

static void put_settings(const struct node *node, struct text *out)
{
	const struct kind *kind = node_kind(node);

	for (size_t i = 0; i < kind->attr_count; i++) {
		AUTO_TEXT word = TEXT_NONE;

		if (!is_saved(node, i))
			continue;
		text_printf(&word, "%s=", kind->attrs[i].name);
		if (kind->attrs[i].flags & ATTR_SECRET)
			secret_print(node, i, &word);
		else
			node_print(node, i, &word);
		text_put_char(out, ' ');
		word_print(text_get(&word), out);
	}
}

static bool has_given(const struct node *node)
{
	for (size_t i = 0; i < node_kind(node)->attr_count; i++)
		if (node_origin(node, i) == ORIGIN_GIVEN)
			return true;
	return false;
}

static void put_line(const struct node *node, struct text *out)
{
	if (!node_is_fixed(node)) {
		node_path(node_parent(node), out);
		text_printf(out, " create %s", node_name(node));
	} else if (has_given(node)) {
		node_path(node, out);
		text_put(out, " set");
	} else {
		return;
	}
	put_settings(node, out);
	text_put_char(out, '\n');
}

AUTO_DEFINE(nodes, struct node **, free)

static void put_branch(const struct node *node, struct text *out)
{
	AUTO(nodes) struct node **sorted = NULL;

	put_line(node, out);
	if (!node_first(node))
		return;
	sorted = node_sorted(node);
	for (struct node **at = sorted; *at; at++)
		put_branch(*at, out);
}

void save_print(const struct tree *tree, struct text *out)
{
	text_put(out, "# Tresse's configuration. To go back to it: tresse "
		      "restoreconfig FILE\n");
	put_branch(tree_root(tree), out);
}

/* ---- the difference ---- */

struct changes {
	struct text *out;
	const struct node *open; /* whose line is not ended yet */
};

static void end_line(struct changes *changes)
{
	if (changes->open)
		text_put_char(changes->out, '\n');
	changes->open = NULL;
}

static void put_made(struct changes *changes, const struct node *node,
		     const char *verb)
{
	node_path(node_parent(node), changes->out);
	text_printf(changes->out, " %s %s", verb, node_name(node));
}

/* A key that we made, not one that was given. */
static bool is_made(const struct change *change)
{
	size_t attr = kind_index(node_kind(change->node), change->attr);

	return change->after && change->attr->flags & ATTR_SECRET &&
	       node_origin(change->node, attr) == ORIGIN_CHOSEN;
}

static void put_value(const struct change *change, struct text *out)
{
	AUTO_TEXT word = TEXT_NONE;

	text_printf(&word, "%s=%s%s", change->attr->name,
		    change->after ? change->after : "",
		    is_made(change) ? SECRET_MADE : "");
	text_put_char(out, ' ');
	word_print(text_get(&word), out);
}

static int put_change(const struct change *change, void *arg)
{
	struct changes *changes = arg;

	if (changes->open != change->node || change->op != CHANGE_SET)
		end_line(changes);
	if (change->op == CHANGE_DELETE)
		put_made(changes, change->node, "delete");
	else if (change->op == CHANGE_CREATE)
		put_made(changes, change->node, "create");
	if (change->op == CHANGE_SET && !changes->open) {
		node_path(change->node, changes->out);
		text_put(changes->out, " set");
	}
	if (change->op == CHANGE_SET)
		put_value(change, changes->out);
	changes->open = change->node;
	return 0;
}

void save_print_changes(const struct tree *from, const struct tree *to,
			struct text *out)
{
	struct changes changes = { .out = out };

	tree_diff(from, to, put_change, &changes);
	end_line(&changes);
}

/* ---- the file ---- */

char *save_file_of(const char *store)
{
	const char *slash = strrchr(store, '/');

	return mem_printf("%.*ssaveconfig.tresse",
			  slash ? (int)(slash + 1 - store) : 0, store);
}

static int fail(const char *file, int error, struct err *err)
{
	return err_set(err, error, "%s cannot be written: %s", file,
		       strerror(error));
}

static int write_into(const char *file, const char *bytes, size_t length,
		      struct err *err)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	int rc;

	if (fd < 0)
		return fail(file, errno, err);
	rc = file_write(fd, bytes, length);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	return rc < 0 ? fail(file, -rc, err) : 0;
}

/* Until the folder is on the disk, too, a power cut may bring the old file
 * back; it never brings half of one. */
static void sync_folder(const char *file)
{
	const char *slash = strrchr(file, '/');
	AUTO(str)
	char *folder = slash ? mem_strndup(file, (size_t)(slash + 1 - file))
			     : mem_strdup(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static int fill(int fd, mode_t mode, const char *bytes, size_t length)
{
	int rc = file_write(fd, bytes, length);

	if (rc == 0 && fchmod(fd, mode) < 0)
		rc = -errno;
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	return rc;
}

static int replace(const char *file, mode_t mode, const char *bytes,
		   size_t length, struct err *err)
{
	AUTO(str) char *fresh = mem_printf("%s.XXXXXX", file);
	int fd = mkostemp(fresh, O_CLOEXEC), rc;

	if (fd < 0)
		return fail(file, errno, err);
	rc = fill(fd, mode, bytes, length);
	if (rc == 0 && rename(fresh, file) < 0)
		rc = -errno;
	if (rc < 0) {
		unlink(fresh);
		return fail(file, -rc, err);
	}
	sync_folder(file);
	return 0;
}

int save_write(const char *file, const char *bytes, size_t length,
	       struct err *err)
{
	struct stat status;
	char target[PATH_MAX];
	mode_t mask = umask(0);

	umask(mask);
	if (stat(file, &status) < 0)
		return replace(file, 0644 & ~mask, bytes, length, err);
	if (!S_ISREG(status.st_mode))
		return write_into(file, bytes, length, err);
	/* What a link points to is replaced, not the link. */
	return replace(realpath(file, target) ? target : file,
		       status.st_mode & 0777, bytes, length, err);
}
