/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scan.h - reading whole numbers from text, without surprises.
 *
 * strtoull() takes blanks, signs and octal; here digits are digits, and what is
 * too large is said to be so. A leading zero is refused in decimals: iptables
 * and nft read 010 as eight, most people as ten.
 */
#ifndef MODEL_TYPES_SCAN_H
#define MODEL_TYPES_SCAN_H

#include <stdbool.h>
#include <stdint.h>

struct err;

/* Reads the digits at *at and moves past all of them. -EINVAL: none, or a
 * leading zero in base 10; -ERANGE: more than max. */
int scan_digits(const char **at, unsigned base, uint64_t max, uint64_t *out);

/* Reads the whole of text, decimal or 0x hexadecimal, 0 to max. */
int scan_number(const char *text, uint64_t max, uint64_t *out, struct err *err);

/* Would some programs read this as octal? */
bool scan_is_octal(const char *text);

#endif
