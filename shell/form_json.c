/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON for programs: one document a command on stdout, in one line; errors as
 * {"error": {...}} on stderr. Settings stand under "settings", where they come
 * from under "origins", what the running system says under "live".
 */
#include <jansson.h>
#include <string.h>

#include "model/backend.h"
#include "model/base/mem.h"
#include "model/node.h"
#include "shell/exit.h"
#include "shell/form.h"

struct own {
	json_t *levels[FORM_DEPTH]; /* the first one owned, the rest in it */
	unsigned depth;		    /* of the innermost level */
	json_t *findings;	    /* owned; NULL while there are none */
};

static struct own *own_of(struct output *output)
{
	return output->own;
}

static void *json_start(void)
{
	return mem_alloc(sizeof(struct own));
}

static void json_stop(void *at)
{
	struct own *own = at;

	json_decref(own->levels[0]);
	json_decref(own->findings);
	free(own);
}

static void json_begin(struct output *output)
{
	struct own *own = own_of(output);

	json_decref(own->levels[0]);
	own->levels[0] = json_object();
	own->depth = 0;
}

static int write_chunk(const char *bytes, size_t length, void *output)
{
	form_write(output, bytes, length);
	return 0;
}

static void json_end(struct output *output)
{
	struct own *own = own_of(output);
	json_t *root = own->levels[0];

	if (root && own->findings)
		json_object_set_new(root, "findings", TAKE(own->findings));
	if (root && json_object_size(root)) {
		json_dump_callback(root, write_chunk, output, JSON_COMPACT);
		form_write(output, "\n", 1);
	}
	json_decref(root);
	own->levels[0] = NULL;
}

static void json_drop(struct output *output)
{
	struct own *own = own_of(output);

	json_decref(own->levels[0]);
	own->levels[0] = NULL;
	own->depth = 0;
}

/* "on trial" is for people. */
static char *key_of(const char *name)
{
	char *key = mem_strdup(name);

	for (char *at = key; *at; at++)
		if (*at == ' ')
			*at = '_';
	return key;
}

/* Takes value. */
static void put(struct output *output, const char *name, json_t *value)
{
	struct own *own = own_of(output);
	json_t *level = own->levels[own->depth];

	if (json_is_array(level))
		json_array_append_new(level, value);
	else if (level && name && strchr(name, ' ')) {
		AUTO(str) char *key = key_of(name);

		json_object_set_new(level, key, value);
	} else if (level && name)
		json_object_set_new(level, name, value);
	else
		json_decref(value);
}

/* Text that is no UTF-8 (a file's name) still has to be a string. */
static json_t *string_of(const char *text)
{
	json_t *string = json_string(text);

	return string ? string : json_string("(not UTF-8)");
}

static void json_field(struct output *output, const char *name,
		       const char *text)
{
	put(output, name, string_of(text));
}

static void json_open(struct output *output, enum shape shape, const char *name,
		      const char *title)
{
	struct own *own = own_of(output);
	json_t *level = own->levels[own->depth];
	json_t *fresh;

	(void)title;
	if (!name && !json_is_array(level)) {
		fresh = level; /* a heading for people only */
	} else {
		fresh = shape == SHAPE_TABLE ? json_array() : json_object();
		put(output, name, fresh);
	}
	if (own->depth + 1 < FORM_DEPTH)
		own->levels[++own->depth] = fresh;
}

static void json_close(struct output *output)
{
	own_of(output)->depth--;
}

static void json_number(struct output *output, const char *name,
			uint64_t number)
{
	put(output, name, json_integer((json_int_t)number));
}

static void json_flag(struct output *output, const char *name, bool flag)
{
	put(output, name, json_boolean(flag));
}

/* ---- settings and trees ---- */

static json_t *value_of(const struct attr *attr, const struct value *value)
{
	AUTO_TEXT text = TEXT_NONE;

	if (!value)
		return json_null();
	if (!value->word && attr->type->is_bool)
		return json_boolean(value->u != 0);
	if (!value->word && attr->type->is_number)
		return json_integer((json_int_t)value->u);
	value_print(attr, value, &text);
	return string_of(text_get(&text));
}

static json_t *branch_of(json_t *object, const char *name)
{
	json_t *branch = json_object_get(object, name);

	if (branch)
		return branch;
	branch = json_object();
	json_object_set_new(object, name, branch);
	return branch;
}

static const char *origin_name(enum origin origin)
{
	static const char *const names[] = {
		[ORIGIN_NONE] = "none",
		[ORIGIN_STANDARD] = "default",
		[ORIGIN_CHOSEN] = "chosen",
		[ORIGIN_GIVEN] = "given",
	};

	return names[origin];
}

static void put_setting(json_t *object, const struct node *node, size_t attr,
			const struct live *live)
{
	const struct attr *row = &node_kind(node)->attrs[attr];

	if (row->flags & ATTR_READONLY) {
		const struct value *value =
			live ? live_value(live, node, attr) : NULL;

		json_object_set_new(branch_of(object, "live"), row->name,
				    value_of(row, value));
		return;
	}
	json_object_set_new(branch_of(object, "settings"), row->name,
			    value_of(row, output_value(node, attr, live)));
	json_object_set_new(branch_of(object, "origins"), row->name,
			    json_string(origin_name(node_origin(node, attr))));
}

static void json_setting(struct output *output, const struct node *node,
			 size_t attr, const struct live *live)
{
	struct own *own = own_of(output);

	if (json_is_object(own->levels[own->depth]))
		put_setting(own->levels[own->depth], node, attr, live);
}

/* Settings with a value only: the whole tree may be large. */
static void put_known(json_t *object, const struct node *node,
		      const struct live *live)
{
	const struct kind *kind = node_kind(node);

	for (size_t i = 0; i < kind->attr_count; i++) {
		const struct attr *row = &kind->attrs[i];
		bool readonly = row->flags & ATTR_READONLY;
		const struct value *value = !readonly ? node_value(node, i)
					    : live ? live_value(live, node, i)
						   : NULL;

		if (value && !(row->flags & ATTR_SECRET))
			json_object_set_new(branch_of(object,
						      readonly ? "live"
							       : "settings"),
					    row->name, value_of(row, value));
	}
}

static json_t *node_of(const struct node *node, unsigned depth, unsigned level,
		       const struct live *live)
{
	json_t *object = json_object(), *children;
	AUTO(str) char *path = node_path_dup(node);
	struct node **sorted, **at;

	json_object_set_new(object, "name", string_of(node_name(node)));
	json_object_set_new(object, "path", string_of(path));
	json_object_set_new(object, "kind", json_string(node_kind(node)->name));
	put_known(object, node, live);
	if (!node_first(node) || (depth && level >= depth))
		return object;
	children = json_array();
	sorted = node_sorted(node);
	for (at = sorted; *at; at++)
		json_array_append_new(children,
				      node_of(*at, depth, level + 1, live));
	free(sorted);
	json_object_set_new(object, "children", children);
	return object;
}

static void json_tree(struct output *output, const struct node *top,
		      unsigned depth, const struct live *live)
{
	put(output, "tree", node_of(top, depth, 0, live));
}

/* ---- messages ---- */

static void add_finding(struct own *own, const char *severity, const char *path,
			const char *text, const struct origin_line *where)
{
	json_t *object = json_object();

	json_object_set_new(object, "severity", json_string(severity));
	json_object_set_new(object, "path", string_of(path));
	json_object_set_new(object, "text", string_of(text));
	if (where && where->line)
		json_object_set_new(object, "line",
				    json_integer((json_int_t)where->line));
	if (!own->findings)
		own->findings = json_array();
	json_array_append_new(own->findings, object);
}

static void json_say(struct output *output, enum severity_shown severity,
		     const char *text)
{
	if (severity == SAY_WARNING)
		add_finding(own_of(output), "warning", "", text, NULL);
}

static void json_finding(struct output *output, const struct origin_line *where,
			 const struct finding *finding)
{
	static const char *const words[] = {
		[FINDING_NOTE] = "note",
		[FINDING_WARNING] = "warning",
		[FINDING_ERROR] = "error",
	};

	add_finding(own_of(output), words[finding->severity], finding->path,
		    finding->text, where);
}

static void json_error(struct output *output, const struct origin_line *where,
		       const struct err *err, unsigned column,
		       const char *caret)
{
	struct own *own = own_of(output);
	json_t *error = json_object(), *root = json_object();
	const char *name = strerrorname_np(-err->code);

	(void)caret;
	json_object_set_new(error, "exit", json_integer(exit_of(err->code)));
	json_object_set_new(error, "code", json_string(name ? name : "EIO"));
	json_object_set_new(error, "text",
			    string_of(err->text ? err->text : "failed"));
	if (where && where->source)
		json_object_set_new(error, "source", string_of(where->source));
	if (where && where->line)
		json_object_set_new(error, "line",
				    json_integer((json_int_t)where->line));
	if (column)
		json_object_set_new(error, "column",
				    json_integer((json_int_t)column));
	if (own->findings)
		json_object_set_new(error, "findings", TAKE(own->findings));
	json_object_set_new(root, "error", error);
	fflush(stdout);
	json_dumpf(root, stderr, JSON_COMPACT);
	fputc('\n', stderr);
	json_decref(root);
}

const struct form form_json = {
	.start = json_start,
	.stop = json_stop,
	.begin = json_begin,
	.end = json_end,
	.drop = json_drop,
	.answer = json_field,
	.prose = json_field,
	.open = json_open,
	.close = json_close,
	.field = json_field,
	.number = json_number,
	.flag = json_flag,
	.setting = json_setting,
	.tree = json_tree,
	.say = json_say,
	.finding = json_finding,
	.error = json_error,
};
