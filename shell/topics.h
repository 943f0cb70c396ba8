/* SPDX-License-Identifier: GPL-3.0-or-later */
/* topics.h - what help knows besides commands, kinds and settings: how values
 * are written, and the queues of a class. All from the model's tables. */
#ifndef SHELL_TOPICS_H
#define SHELL_TOPICS_H

#include <stdbool.h>

#include "model/value.h"

struct output;

/* False if it is none of these topics. */
bool topics_show(struct output *output, const char *topic);
void topics_offer(struct candidates *to);

#endif
