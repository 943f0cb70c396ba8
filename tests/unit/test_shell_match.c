/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "shell/completion.h"
#include "shell/match.h"
#include "shell/save.h"
#include "tests/unit/trees.h"
#include "tests/unit/unit.h"

/* /paths/adsl0, /classes/uplink/ssh and a place in it. */
struct ground {
	struct tree *tree;
	struct place place;
	struct words words;
	struct match match;
	struct err err;
};

static void raise_ground(struct ground *ground)
{
	*ground = (struct ground){ .tree = tree_new() };
	make_with(tree_paths(ground->tree), "adsl0", "device", "wan0");
	make_with(tree_paths(ground->tree), "adsl10", "device", "wan10");
	make_with(tree_paths(ground->tree), "adsl9", "device", "wan9");
	make_with(tree_classes(ground->tree), "uplink", "path", "adsl0");
	make_with(node_find(tree_classes(ground->tree), "uplink"), "ssh",
		  "rate", "64kbit");
	ground->place =
		(struct place){ ground->tree, tree_root(ground->tree), NULL };
}

static void raze(struct ground *ground)
{
	match_clear(&ground->match);
	words_clear(&ground->words);
	err_clear(&ground->err);
	tree_free(ground->tree);
}

static int match(struct ground *ground, const char *line)
{
	size_t at;
	int rc;

	match_clear(&ground->match);
	words_clear(&ground->words);
	err_clear(&ground->err);
	CU_ASSERT_EQUAL_FATAL(
		words_read(&ground->words, line, strlen(line), &at, NULL), 0);
	rc = match_words(&ground->match, &ground->place, &ground->words,
			 ground->words.count, &ground->err);
	if (rc == 0 && ground->match.command)
		rc = match_ready(&ground->match, &ground->err);
	return rc;
}

TEST(match, finds_the_command_of_another_place)
{
	struct ground ground;

	raise_ground(&ground);
	CU_ASSERT_EQUAL(match(&ground, "/paths create x device=y"), 0);
	CU_ASSERT_PTR_EQUAL(ground.match.command, &command_create);
	CU_ASSERT_PTR_EQUAL(ground.match.node, tree_paths(ground.tree));
	ASSERT_TEXT(match_value(&ground.match, "name"), "x");
	raze(&ground);
}

TEST(match, takes_a_childs_name_for_a_path_where_no_command_is_called_so)
{
	struct ground ground;

	raise_ground(&ground);
	CU_ASSERT_EQUAL(match(&ground, "paths ls"), 0);
	CU_ASSERT_PTR_EQUAL(ground.match.node, tree_paths(ground.tree));
	CU_ASSERT_EQUAL(match(&ground, "paths"), 0);
	CU_ASSERT_PTR_NULL(ground.match.command);
	make_with(tree_paths(ground.tree), "ls", "device", "wan1");
	ground.place.here = tree_paths(ground.tree);
	CU_ASSERT_EQUAL(match(&ground, "ls"), 0);
	CU_ASSERT_PTR_EQUAL(ground.match.command, &command_ls);
	raze(&ground);
}

TEST(match, takes_values_by_position_and_by_key)
{
	struct ground ground;

	raise_ground(&ground);
	CU_ASSERT_EQUAL(match(&ground, "ls /paths 1"), 0);
	ASSERT_TEXT(match_value(&ground.match, "depth"), "1");
	CU_ASSERT_EQUAL(match(&ground, "ls depth=2 /paths"), 0);
	ASSERT_TEXT(match_value(&ground.match, "depth"), "2");
	ASSERT_TEXT(match_value(&ground.match, "path"), "/paths");
	raze(&ground);
}

static void refuses(const char *line, int code, const char *sentence)
{
	struct ground ground;

	raise_ground(&ground);
	CU_ASSERT_EQUAL(match(&ground, line), code);
	ASSERT_TEXT(ground.err.text, sentence);
	raze(&ground);
}

TEST(match, says_what_was_meant)
{
	refuses("/paths craete x", -EINVAL,
		"there is no command 'craete'; did you mean create?");
	refuses("path ls", -EINVAL,
		"there is no command 'path', and nothing of that name here; "
		"did you mean paths/?");
	refuses("/paths create x devcie=y", -EINVAL,
		"a path has no setting 'devcie'; did you mean device?");
	refuses("/paths/adsl0 up=1mbit", -EINVAL,
		"a command is missing in front of 'up=1mbit'; did you mean set "
		"up=1mbit?");
}

TEST(match, drops_no_word_in_silence)
{
	refuses("ls / 1 2", -EINVAL,
		"'2' is one word too many; usage: ls [PATH] [DEPTH]");
	refuses("pwd x", -EINVAL, "'x' is one word too many; usage: pwd");
	refuses("ls depth=1 depth=2", -EINVAL, "depth= is there twice");
	refuses("/paths create a device=b device=c", -EINVAL,
		"device= is there twice");
	refuses("/paths create a device b", -EINVAL,
		"'device' needs a value: device=..., with no blank around the "
		"=");
	refuses("pwd x=y", -EINVAL, "pwd knows no x=; usage: pwd");
	refuses("info / /", -EINVAL,
		"'/' is one word too many; usage: info [PATH]");
}

/* ---- completion ---- */

static char *completed(const char *line)
{
	static char shown[512];
	struct ground ground;
	struct completion completion;
	struct text out = TEXT_NONE;
	char quote;

	raise_ground(&ground);
	CU_ASSERT_TRUE_FATAL(
		words_read_typed(&ground.words, line, strlen(line), &quote));
	completion_find(&completion, &ground.place, &ground.words);
	for (size_t i = 0; i < completion.count; i++)
		text_printf(&out, "%s%s", i ? " " : "",
			    completion.items[i].text);
	if (!completion.count && completion.hint)
		text_printf(&out, "(%s)", completion.hint);
	snprintf(shown, sizeof(shown), "%s", text_get(&out));
	text_clear(&out);
	completion_clear(&completion);
	raze(&ground);
	return shown;
}

TEST(completion, offers_places_and_commands_at_the_beginning)
{
	ASSERT_TEXT(completed("p"), "paths/ pwd plan");
	ASSERT_TEXT(completed("/cl"), "/classes/");
	ASSERT_TEXT(completed("/paths/"),
		    "/paths/adsl0 /paths/adsl9 /paths/adsl10");
	ASSERT_TEXT(completed("/paths sav"), "saveconfig");
	ASSERT_TEXT(completed("/nosuch "), "");
}

TEST(completion, offers_filters_behind_a_pipe)
{
	ASSERT_TEXT(completed("ls | "), "grep count json");
	ASSERT_TEXT(completed("ls | grep x | c"), "count");
	ASSERT_TEXT(completed("ls | grep "), "");
	ASSERT_TEXT(completed("/paths/adsl0 get \"|\" sta"), "state");
}

TEST(completion, offers_every_child_where_there_are_some)
{
	ASSERT_TEXT(completed("/paths/*"), "/paths/*");
	ASSERT_TEXT(completed("*"), "*");
	ASSERT_TEXT(completed("/paths/adsl0/*"), "");
	ASSERT_TEXT(completed("/paths/* c"), "create check");
	ASSERT_TEXT(completed("/paths/* set devi"), "device=");
	ASSERT_TEXT(completed("/paths/* cd "), "");
}

TEST(completion, offers_settings_and_not_those_that_are_there)
{
	ASSERT_TEXT(completed("/paths create x de"), "device= default-route= "
						     "description=");
	ASSERT_TEXT(completed("/paths create x device=y de"),
		    "default-route= description=");
	ASSERT_TEXT(completed("/paths/adsl0 set sta"), "");
	ASSERT_TEXT(completed("/paths/adsl0 get sta"), "state");
}

TEST(completion, offers_values_and_references)
{
	ASSERT_TEXT(completed("/classes create u2 path=adsl1"), "path=adsl10");
	ASSERT_TEXT(completed("/classes/uplink set default="), "default=ssh");
	ASSERT_TEXT(completed("/classes/uplink/ssh set linklayer=a"),
		    "linklayer=atm linklayer=auto");
	ASSERT_TEXT(completed("restoreconfig x mode=m"), "mode=merge");
	ASSERT_TEXT(completed("delete paths/adsl1"), "paths/adsl10");
}

TEST(completion, of_watch_goes_on_like_the_command_behind_it)
{
	ASSERT_TEXT(completed("watch st"), "status stats");
	ASSERT_TEXT(completed("watch ls /classes/u"), "/classes/uplink/");
	ASSERT_TEXT(completed("watch sav"), "(command: what is repeated, with "
					    "its own words; stats, if left "
					    "out; a command that changes "
					    "nothing: stats, ls, status, "
					    "drift)");
	ASSERT_TEXT(completed("watch stats int"), "interval=");
}

TEST(match, leaves_the_keys_of_another_command_to_it)
{
	struct ground ground;

	raise_ground(&ground);
	CU_ASSERT_EQUAL(match(&ground, "watch ls depth=2 interval=2s /paths"),
			0);
	ASSERT_TEXT(match_value(&ground.match, "interval"), "2s");
	CU_ASSERT_EQUAL(ground.match.count, 4);
	ASSERT_TEXT(ground.match.bound[1].value, "depth=2");
	CU_ASSERT(match(&ground, "watch ls interval=2s interval=3s") < 0);
	CU_ASSERT(match(&ground, "watch ls count=0") < 0);
	raze(&ground);
}

TEST(completion, says_what_free_text_may_be)
{
	ASSERT_TEXT(completed("/paths create "),
		    "(name: name of the new object; a new name: letters, "
		    "digits and . _ : + -, at most 63, beginning with a "
		    "letter, digit or _)");
}

TEST(completion, shares_a_beginning_up_to_a_whole_character)
{
	struct candidate items[] = { { (char *)"xé", (char *)"" },
				     { (char *)"xè", (char *)"" } };
	struct completion completion = { .items = items, .count = 2 };
	AUTO_TEXT common = TEXT_NONE;

	completion_common(&completion, &common);
	ASSERT_TEXT(text_get(&common), "x");
}

/* ---- rows ---- */

TEST(commands, tell_what_they_are_for)
{
	for (const struct command *const *at = commands; *at; at++) {
		CU_ASSERT_PTR_EQUAL(command_find((*at)->name), *at);
		CU_ASSERT(strlen((*at)->summary) > 3);
		CU_ASSERT_PTR_NOT_NULL((*at)->json);
		CU_ASSERT(strlen((*at)->man) > 3);
		CU_ASSERT(strlen((*at)->example) > 1);
		CU_ASSERT_PTR_NOT_NULL((*at)->run);
		each_arg(arg, *at)
		{
			CU_ASSERT(strlen(arg->help) > 3);
			CU_ASSERT(strlen(arg->type->hint) > 3);
			CU_ASSERT(arg->name || arg->type->kind);
		}
	}
}

TEST(commands, have_examples_that_can_be_read)
{
	struct ground ground;

	raise_ground(&ground);
	for (const struct command *const *at = commands; *at; at++) {
		AUTO(str) char *copy = mem_strdup((*at)->example);
		char *rest = copy, *line;

		while ((line = strsep(&rest, "\n"))) {
			CU_ASSERT_EQUAL(match(&ground, line), 0);
			if (ground.err.text)
				ASSERT_TEXT(ground.err.text, line);
		}
	}
	raze(&ground);
}

/* ---- saving ---- */

TEST(save, writes_sorted_what_was_given)
{
	struct ground ground;
	AUTO_TEXT saved = TEXT_NONE;

	raise_ground(&ground);
	node_set_text(node_find(tree_paths(ground.tree), "adsl0"),
		      "description", "two \"words\" # {x}", NULL);
	save_print(ground.tree, &saved);
	ASSERT_TEXT(text_get(&saved),
		    "# Tresse's configuration. To go back to it: tresse "
		    "restoreconfig FILE\n"
		    "/paths create adsl0 device=wan0 description=\"two "
		    "\\\"words\\\" # {x}\"\n"
		    "/paths create adsl9 device=wan9\n"
		    "/paths create adsl10 device=wan10\n"
		    "/classes create uplink path=adsl0\n"
		    "/classes/uplink create ssh rate=64kbit\n");
	raze(&ground);
}
