/* SPDX-License-Identifier: GPL-3.0-or-later */
/* held.h - what rows of types have in common when a value holds a number, or
 * text of its own. */
#ifndef MODEL_TYPES_HELD_H
#define MODEL_TYPES_HELD_H

#include "model/value.h"

bool held_number_equal(const struct value *a, const struct value *b);

/* A copy of text becomes the value. */
void held_text_set(struct value *out, const char *text);
void held_text_print(const struct attr *attr, const struct value *value,
		     struct text *out);
bool held_text_equal(const struct value *a, const struct value *b);
void held_text_clear(struct value *value);
void held_text_copy(const struct value *from, struct value *to);

#endif
