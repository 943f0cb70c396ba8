/* SPDX-License-Identifier: GPL-3.0-or-later */
/* change.h - what the commands that begin, commit and look back share. */
#ifndef SHELL_CHANGE_H
#define SHELL_CHANGE_H

#include <stdint.h>

#include "model/base/err.h"
#include "model/base/text.h"

/* "60s" of commit confirm=, 1s to 24h. */
int wait_parse(const char *text, int64_t *us, struct err *err);
/* "10s" of commit until-healthy=, 1s to 1h; "" is the standard. */
int hold_parse(const char *text, uint64_t *us, struct err *err);
/* "5%" of commit loss=, in hundredths of a percent. */
int loss_parse(const char *text, uint64_t *loss, struct err *err);
/* "7" and "r7". */
int revision_parse(const char *text, uint64_t *number, struct err *err);
/* "2026-11-22 03:04:05 +0100" */
void time_print(int64_t at_us, struct text *out);

#endif
