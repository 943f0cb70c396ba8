/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * drift.h - what is to become of a place that others changed: the setting
 * `drift`, which a path, a tree of classes and a class have for themselves and
 * all below, and /system for everything else.
 */
#ifndef MODEL_DRIFT_H
#define MODEL_DRIFT_H

#include "model/kind.h"
#include "model/value.h"

struct node;
struct step;
struct tree;

enum drift_policy { DRIFT_REPORT, DRIFT_REPAIR, DRIFT_ADOPT, DRIFT_IGNORE };

extern const struct choice drift_choices[];
const char *drift_name(enum drift_policy policy);

#define DRIFT_SETTING(whence)                                                  \
	{                                                                      \
		.name = "drift", .type = &type_enum, .flags = ATTR_AUTO,       \
		.choices = drift_choices, .effect = EFFECT_NONE,               \
		.help = "what `follow` does when others change something "     \
			"here; auto: " whence,                                 \
		.example = "repair",                                           \
	}

/* Of what is at path, which need not be there (any more); "" is /system's. */
enum drift_policy drift_policy(const struct tree *tree, const char *path);

#endif
