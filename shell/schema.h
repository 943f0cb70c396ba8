/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schema.h - what -j prints, as a JSON Schema (draft 2020-12, json-schema.org).
 *
 * Three sources, each written once: the kinds' tables (settings, and what the
 * running system tells), each command's row (command.h, json), and the records
 * that several commands print (schema.c). The last two are written as
 *
 *     path:string kind?:string found:[found] op:set|create steps:[step]
 *
 * where ? may be missing, [x] is a list, a|b are words, and what is none of
 * string, int, number and bool is one of the records.
 */
#ifndef SHELL_SCHEMA_H
#define SHELL_SCHEMA_H

#include <jansson.h>

struct command;

/* Of what this command prints; of any of them (and of errors), if NULL. The
 * caller's to free. */
json_t *schema_new(const struct command *command);

#endif
