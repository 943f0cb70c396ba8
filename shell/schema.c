/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/schema.h"

#include <string.h>

#include "model/base/mem.h"
#include "model/base/text.h"
#include "model/kind.h"
#include "shell/command.h"
#include "shell/pref.h"

/* ---- the records ---- */

static const struct record {
	const char *name, *fields, *help;
} records[] = {
	{ "error",
	  "exit:int code:string text:string source?:string line?:int "
	  "column?:int findings?:[finding]",
	  "why a command failed; on standard error. exit: the program's exit "
	  "status if nothing else went wrong; code: errno by name" },
	{ "finding",
	  "severity:note|warning|error path:string text:string line?:int",
	  "what a check says about an object; line: of the batch" },
	{ "deed",
	  "deed:created|changed|deleted|kept kind:string path:string "
	  "settings?:settings origins?:origins with?:[string]",
	  "what became of an object. settings: those that Tresse chose; with: "
	  "objects that came along by themselves" },
	{ "step", "step:string path:string effect?:none|hitless|flap|rebuild",
	  "one change of the running system, in its tools' words" },
	{ "change",
	  "op:create|set|delete path:string setting?:string before?:string "
	  "after?:string",
	  "one difference between two configurations" },
	{ "found", "path:string kind:string summary:string", NULL },
	{ "user", "path:string setting:string", "who refers to the object" },
	{ "revision",
	  "revision:int at:string changes:int actor:string reason:string "
	  "confirmed?:string",
	  "one committed state; confirmed: by whom or what, if it was on "
	  "trial" },
	{ "blamed",
	  "path:string setting:string revision:int at:string actor:string",
	  "who set what, when" },
	{ "standing", "path:string health:good|bad|unknown summary:string",
	  NULL },
	{ "backup", "number:int saved:string file:string", NULL },
	{ "bookmark", "name:string path:string", NULL },
	{ "difference",
	  "path:string drift:string driver:string wanted?:string found?:string "
	  "repair:string since:string since_us?:int by?:string policy:string "
	  "note?:string",
	  "an object of the running system that is not as the store says" },
	{ "class-figures",
	  "path:string rate:int packets_per_s:int drops:int backlog:int "
	  "wait_us:int queued:int lends:int borrows:int tokens:int",
	  "rate: bit/s; backlog: bytes" },
	{ "match-figures", "path:string rate:int packets_per_s:int packets:int",
	  "rate: bit/s" },
	{ "line-figures",
	  "path:string way:out|in rate:int rate_max:int packets_per_s:int "
	  "packets_per_s_max:int loss_ppm:int loss_ppm_max:int queue_us:int "
	  "queue_us_max:int bytes:int",
	  "over the link's slices, mean and maximum; rate: bit/s; bytes: all" },
	{ "spell",
	  "path:string way:out|in state:lasts|over|cut began:string "
	  "began_us:int lasted_us:int rate:int queue_us:int",
	  "a line was full; cut: nobody saw its end; rate: bit/s when it "
	  "began" },
	{ "layer", "setting:string value:string from:string", NULL },
	{ "sample",
	  "ip-bytes:int l2-bytes:int counted-bytes:int rate-l2:int rate-ip:int "
	  "rate-wire:int ceil-l2:int ceil-ip:int ceil-wire:int",
	  "what rate and ceil come to for one size of packet, in bit/s" },
	{ "match-turn", "match:string turn:string what:string", NULL },
	{ "fact", "what:string is:string from:string", NULL },
	{ "tunnel-packet",
	  "inside:int on-ip4:int useful-ip4:string on-ip6:int "
	  "useful-ip6:string sent:string",
	  "bytes of IP in a tunnel, and of IP around it" },
	{ "doubt", "text:string", NULL },
	{ "made", "driver:string object:string", NULL },
	{ "summary", "name:string usage?:string summary:string", NULL },
	{ "argument", "name:string help:string", NULL },
	{ "setting-row",
	  "name:string type:string value?:string default?:string help:string "
	  "example?:string",
	  NULL },
	{ "readonly-row", "name:string unit:string help:string", NULL },
	{ "choice", "name:string help:string", NULL },
	{ "setting-help",
	  "help:string type:string written:string unit?:string "
	  "default?:string required?:bool read-only?:bool "
	  "when_changed?:string example?:string",
	  NULL },
};

/* ---- small parts ---- */

static json_t *type_of(const char *name)
{
	return json_pack("{s:s}", "type", name);
}

static json_t *reference(const char *prefix, const char *name)
{
	AUTO(str) char *target = mem_printf("#/$defs/%s%s", prefix, name);

	return json_pack("{s:s}", "$ref", target);
}

static json_t *words_of(const char *text)
{
	AUTO(str) char *copy = mem_strdup(text);
	json_t *words = json_array();
	char *rest = copy, *word;

	while ((word = strsep(&rest, "|")))
		json_array_append_new(words, json_string(word));
	return json_pack("{s:o}", "enum", words);
}

static json_t *value_of(const char *text)
{
	size_t length = strlen(text);

	if (text[0] == '[') {
		AUTO(str) char *item = mem_strndup(text + 1, length - 2);

		return json_pack("{s:s,s:o}", "type", "array", "items",
				 value_of(item));
	}
	if (strchr(text, '|'))
		return words_of(text);
	if (!strcmp(text, "string") || !strcmp(text, "number"))
		return type_of(text);
	if (!strcmp(text, "int"))
		return type_of("integer");
	if (!strcmp(text, "bool"))
		return type_of("boolean");
	return reference("", text);
}

/* An object with nothing else in it. */
static json_t *object_new(const char *help)
{
	json_t *object =
		json_pack("{s:s,s:{},s:[],s:b}", "type", "object", "properties",
			  "required", "additionalProperties", 0);

	if (help)
		json_object_set_new(object, "description", json_string(help));
	return object;
}

static void put_property(json_t *object, const char *name, json_t *value)
{
	json_object_set_new(json_object_get(object, "properties"), name, value);
}

static void put_required(json_t *object, const char *name)
{
	json_array_append_new(json_object_get(object, "required"),
			      json_string(name));
}

/* "name?:type" of the words above. */
static void put_fields(json_t *object, const char *fields)
{
	AUTO(str) char *copy = mem_strdup(fields);
	char *rest = copy, *field;

	while ((field = strsep(&rest, " "))) {
		char *type = strchr(field, ':');

		if (!type)
			continue;
		*type++ = '\0';
		if (type[-2] == '?')
			type[-2] = '\0';
		else
			put_required(object, field);
		put_property(object, field, value_of(type));
	}
}

/* ---- kinds ---- */

static json_t *choices_of(const struct choice *choices)
{
	json_t *words = json_array();

	for (; choices && choices->name; choices++)
		json_array_append_new(words, json_string(choices->name));
	return words;
}

static json_t *plain_value(const struct attr *attr)
{
	json_t *value;

	if (attr->type->is_bool)
		return type_of("boolean");
	if (attr->choices)
		return json_pack("{s:o}", "enum", choices_of(attr->choices));
	if (!attr->type->is_number)
		return type_of("string");
	value = type_of("integer");
	json_object_set_new(value, "minimum",
			    json_integer((json_int_t)attr->min));
	if (attr->max)
		json_object_set_new(value, "maximum",
				    json_integer((json_int_t)attr->max));
	return value;
}

static const char *unit_of(const struct attr *attr)
{
	if (attr->unit)
		return attr->unit;
	if (attr->type == &type_rate)
		return "bit/s";
	return attr->type == &type_size ? "bytes" : NULL;
}

/* null where it is not set, or not known. */
static json_t *setting_of(const struct attr *attr)
{
	json_t *any = json_array(), *setting;
	const char *unit = unit_of(attr);
	AUTO(str)
	char *help = mem_printf("%s%s%s", attr->help, unit ? "; " : "",
				unit ? unit : "");

	json_array_append_new(any, plain_value(attr));
	if (attr->words)
		json_array_append_new(any, json_pack("{s:o}", "enum",
						     choices_of(attr->words)));
	json_array_append_new(any, type_of("null"));
	setting = json_pack("{s:s,s:o}", "description", help, "anyOf", any);
	if (attr->standard)
		json_object_set_new(setting, "$comment",
				    json_pack("s+",
					      "default: ", attr->standard));
	return setting;
}

/* The settings that can be typed, or those that the running system tells. */
static json_t *settings_of(const struct kind *kind, bool readonly)
{
	json_t *object = object_new(NULL);

	for (size_t i = 0; i < kind->attr_count; i++) {
		const struct attr *attr = &kind->attrs[i];

		if (!!(attr->flags & ATTR_READONLY) == readonly)
			put_property(object, attr->name, setting_of(attr));
	}
	return object;
}

static json_t *origins_of(void)
{
	return json_pack("{s:s,s:s,s:o}", "type", "object", "description",
			 "where each setting comes from",
			 "additionalProperties",
			 words_of("none|default|chosen|given"));
}

static json_t *children_of(const struct kind *kind)
{
	json_t *any = json_array();

	for (size_t i = 0; kind->fixed && kind->fixed[i]; i++)
		json_array_append_new(any,
				      reference("kind-", kind->fixed[i]->name));
	if (kind->child)
		json_array_append_new(any,
				      reference("kind-", kind->child->name));
	return json_pack("{s:s,s:{s:o}}", "type", "array", "items", "anyOf",
			 any);
}

static json_t *node_of(const struct kind *kind)
{
	json_t *object = object_new(kind->summary);

	put_property(object, "name", type_of("string"));
	put_property(object, "path", type_of("string"));
	put_property(object, "kind", json_pack("{s:s}", "const", kind->name));
	put_required(object, "name");
	put_required(object, "path");
	put_required(object, "kind");
	if (kind->attr_count) {
		put_property(object, "settings",
			     reference("settings-", kind->name));
		put_property(object, "live", reference("live-", kind->name));
	}
	if (kind->child || kind->fixed)
		put_property(object, "children", children_of(kind));
	return object;
}

/* One of what all kinds have: "settings", "live", or the node itself. */
static json_t *any_kind(const char *prefix)
{
	json_t *any = json_array();

	for (const struct kind *const *at = kinds; *at; at++)
		if ((*at)->attr_count || !strcmp(prefix, "kind-"))
			json_array_append_new(any,
					      reference(prefix, (*at)->name));
	return json_pack("{s:o}", "anyOf", any);
}

static void put_kind(json_t *defs, const struct kind *kind)
{
	AUTO(str) char *node = mem_printf("kind-%s", kind->name);
	AUTO(str) char *settings = mem_printf("settings-%s", kind->name);
	AUTO(str) char *live = mem_printf("live-%s", kind->name);

	json_object_set_new(defs, node, node_of(kind));
	if (!kind->attr_count)
		return;
	json_object_set_new(defs, settings, settings_of(kind, false));
	json_object_set_new(defs, live, settings_of(kind, true));
}

/* ---- commands ---- */

/* What is repeated is another command's. */
static json_t *repeated(void)
{
	json_t *any = json_array();

	for (const struct command *const *at = commands; *at; at++)
		if ((*at)->needs & REPEATABLE)
			json_array_append_new(any, reference("command-",
							     (*at)->name));
	return json_pack("{s:o}", "anyOf", any);
}

/* Whatever it is, findings may come with it, and * says where. A document that
 * has to have something has that said in the row. */
static json_t *document_of(const struct command *command)
{
	json_t *object;

	if (command == &command_watch)
		return repeated();
	object = object_new(command->summary);
	put_fields(object, command->json);
	if (command == &command_help)
		for (const struct kind *const *at = kinds; *at; at++)
			put_property(object, (*at)->name,
				     reference("", "setting-help"));
	put_property(object, "findings", value_of("[finding]"));
	if (!json_object_get(json_object_get(object, "properties"), "path"))
		put_property(object, "path", type_of("string"));
	return object;
}

/* What | grep and | count leave of any of them. */
static json_t *filtered(const char *fields)
{
	json_t *object = object_new("behind a filter");

	put_fields(object, fields);
	return object;
}

static json_t *failed(void)
{
	json_t *object = object_new("on standard error");

	put_fields(object, "error:error");
	return object;
}

static json_t *defs_new(void)
{
	json_t *defs = json_object();

	for (const struct kind *const *at = kinds; *at; at++)
		put_kind(defs, *at);
	json_object_set_new(defs, "node", any_kind("kind-"));
	json_object_set_new(defs, "settings", any_kind("settings-"));
	json_object_set_new(defs, "live", any_kind("live-"));
	json_object_set_new(defs, "origins", origins_of());
	json_object_set_new(defs, "preferences",
			    settings_of(&kind_global, false));
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		json_t *object = object_new(records[i].help);

		put_fields(object, records[i].fields);
		json_object_set_new(defs, records[i].name, object);
	}
	for (const struct command *const *at = commands; *at; at++) {
		AUTO(str) char *name = mem_printf("command-%s", (*at)->name);

		json_object_set_new(defs, name, document_of(*at));
	}
	json_object_set_new(defs, "filter-grep", filtered("lines:[string]"));
	json_object_set_new(defs, "filter-count", filtered("count:int"));
	json_object_set_new(defs, "failure", failed());
	return defs;
}

static json_t *any_document(void)
{
	json_t *any = json_array();

	for (const struct command *const *at = commands; *at; at++)
		if (*(*at)->json)
			json_array_append_new(any, reference("command-",
							     (*at)->name));
	json_array_append_new(any, reference("filter-", "grep"));
	json_array_append_new(any, reference("filter-", "count"));
	json_array_append_new(any, reference("", "failure"));
	return any;
}

json_t *schema_new(const struct command *command)
{
	json_t *schema =
		json_pack("{s:s,s:s,s:s}", "$schema",
			  "https://json-schema.org/draft/2020-12/schema",
			  "title", "tresse " TRESSE_VERSION " -j",
			  "description",
			  "A document a line. Numbers of rates are bit/s, of "
			  "sizes bytes.");

	if (command) {
		AUTO(str)
		char *target = mem_printf("#/$defs/command-%s", command->name);

		json_object_set_new(schema, "$ref", json_string(target));
	} else {
		json_object_set_new(schema, "anyOf", any_document());
	}
	json_object_set_new(schema, "$defs", defs_new());
	return schema;
}
