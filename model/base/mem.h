/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mem.h - memory, and who owns it.
 *
 * Running out of memory ends the program inside these calls, so no caller
 * checks for it; the store's transactions and the journal make that safe.
 *
 * What a function makes for itself it marks AUTO(thing); what it gives away it
 * marks TAKE(variable). AUTO_DEFINE() in a module's header teaches AUTO how to
 * free a type.
 */
#ifndef MODEL_BASE_MEM_H
#define MODEL_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

/* Zeroed. size 0 gives a pointer that may be freed. */
void *mem_alloc(size_t size);
/* count * size, checked for overflow, zeroed. */
void *mem_array(size_t count, size_t size);
/* Makes room for one more item in a grown array: returns the (moved) array,
 * *room is the number of items it holds now. */
void *mem_grow(void *items, size_t count, size_t *room, size_t size);
/* As it was, in another size; what is new is not zeroed. */
void *mem_resize(void *memory, size_t size);
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t length);
void *mem_dup(const void *bytes, size_t size);
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *mem_vprintf(const char *format, va_list args)
	__attribute__((format(printf, 1, 0)));
/* Overwrites size bytes in a way no compiler leaves out, then frees. */
void mem_wipe(void *bytes, size_t size);

#define AUTO_DEFINE(name, type, release)                                       \
	typedef type auto_type_##name;                                         \
	static inline __attribute__((unused)) void auto_free_##name(           \
		auto_type_##name *at)                                          \
	{                                                                      \
		if (*at)                                                       \
			release(*at);                                          \
	}

/* AUTO(name) char *text = ...;  -- declare with the type spelt out. */
#define AUTO(name) __attribute__((cleanup(auto_free_##name)))

/* Hands the value over and leaves the variable empty. */
#define TAKE(variable)                                                         \
	__extension__({                                                        \
		__typeof__(variable) taken = (variable);                       \
		(variable) = NULL;                                             \
		taken;                                                         \
	})

AUTO_DEFINE(mem, void *, free)
AUTO_DEFINE(str, char *, free)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Calls that take no length, or a shell, are not for this program. (Their own
 * headers are read above, before the words are taken away.) */
#pragma GCC poison sprintf vsprintf strcpy strcat system popen gets

#endif
