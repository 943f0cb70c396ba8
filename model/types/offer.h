/* SPDX-License-Identifier: GPL-3.0-or-later */
/* offer.h - which candidates go with what is typed so far. */
#ifndef MODEL_TYPES_OFFER_H
#define MODEL_TYPES_OFFER_H

struct candidates;
struct choice;

/* Offers text if it begins with prefix. */
void offer_match(struct candidates *to, const char *prefix, const char *text,
		 const char *help);
/* Every choice that matches; choices may be NULL. */
void offer_choices(struct candidates *to, const char *prefix,
		   const struct choice *choices);
/* In a list: text in place of what stands behind the last of the separators,
 * with all that is before it. */
void offer_item(struct candidates *to, const char *prefix,
		const char *separators, const char *text, const char *help);

#endif
