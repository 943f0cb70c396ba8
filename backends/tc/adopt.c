/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What somebody else set, as settings of the class (declared in tc.h). */
#include <string.h>

#include "backends/tc/tc.h"
#include "model/base/mem.h"
#include "model/node.h"
#include "model/shaping.h"

static void give(struct node *node, size_t attr, uint64_t u)
{
	struct value value = { .u = u };

	node_set(node, attr, &value, ORIGIN_GIVEN);
}

/* The kernel has no ceil that is left out: one that is the rate's stays so. */
static void give_rates(struct node *node, const struct tc_class *found,
		       const struct tc_class *wanted)
{
	if (found->rate != wanted->rate)
		give(node, CLASS_RATE, found->rate * 8);
	if (node_has(node, CLASS_CEIL) || found->ceil != found->rate)
		give(node, CLASS_CEIL, found->ceil * 8);
}

static bool give_one(struct node *node, size_t attr, uint64_t found,
		     uint64_t wanted, uint64_t said)
{
	if (found != wanted)
		give(node, attr, said);
	return found != wanted;
}

/* Rates first: all else follows from them, and is compared again. */
static int adopt_class(const struct tc_class *found,
		       const struct tc_class *wanted, struct node *node,
		       struct err *err)
{
	bool any = false;

	if (found->rate != wanted->rate || found->ceil != wanted->ceil) {
		give_rates(node, found, wanted);
		return 0;
	}
	any |= give_one(node, CLASS_BURST, found->buffer, wanted->buffer,
			shaping_bytes(found->rate, found->buffer));
	any |= give_one(node, CLASS_CBURST, found->cbuffer, wanted->cbuffer,
			shaping_bytes(found->ceil, found->cbuffer));
	if (!wanted->level) {
		any |= give_one(node, CLASS_PRIO, found->prio, wanted->prio,
				found->prio);
		any |= give_one(node, CLASS_QUANTUM, found->quantum,
				wanted->quantum, found->quantum);
	}
	if (any)
		return 0;
	return err_set(err, EOPNOTSUPP,
		       "its place or its link layer was changed, which is not "
		       "taken over");
}

static int adopt_leaf(const struct queue *found, struct node *node,
		      struct err *err)
{
	AUTO_TEXT words = TEXT_NONE;

	queue_print(found, &words);
	return node_set_text(node, "leaf", text_get(&words), err);
}

int tc_adopt(const struct step *step, struct node *node, struct err *err)
{
	const struct tc_object *found = tc_of(step->before);
	const struct tc_object *wanted = tc_of(step->after);

	if (node_kind(node) == &kind_class && found->sort == wanted->sort) {
		if (found->sort == TC_CLASS && found->parent == wanted->parent)
			return adopt_class(&found->class, &wanted->class, node,
					   err);
		if (found->sort == TC_LEAF)
			return adopt_leaf(&found->queue, node, err);
	}
	return err_set(err, EOPNOTSUPP,
		       "what was found there cannot be said by a setting");
}
