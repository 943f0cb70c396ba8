/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users and groups, as the socket's owner is matched: by number. */
#include <grp.h>
#include <pwd.h>

#include "model/types/offer.h"
#include "model/types/ranges.h"
#include "model/value.h"

/* The last number means "unchanged" to the kernel and owns nothing. */
enum { OWNER_MAX = UINT32_MAX - 1 };

static bool user_number(const char *name, uint32_t *number)
{
	const struct passwd *user = getpwnam(name);

	if (user)
		*number = user->pw_uid;
	return user != NULL;
}

static bool group_number(const char *name, uint32_t *number)
{
	const struct group *group = getgrnam(name);

	if (group)
		*number = group->gr_gid;
	return group != NULL;
}

static const struct ranges_rules users = {
	.max = OWNER_MAX,
	.list = true,
	.wanted = "a user's number or a range of them, nor a user's name here",
	.lookup = user_number,
};

static const struct ranges_rules groups = {
	.max = OWNER_MAX,
	.list = true,
	.wanted = "a group's number or a range of them, nor a group's name "
		  "here",
	.lookup = group_number,
};

static int uid_parse(const struct attr *attr, const char *text,
		     struct value *out, struct err *err)
{
	(void)attr;
	return ranges_parse(&users, text, out, err);
}

static int gid_parse(const struct attr *attr, const char *text,
		     struct value *out, struct err *err)
{
	(void)attr;
	return ranges_parse(&groups, text, out, err);
}

static void uid_complete(const struct attr *attr, const char *prefix,
			 struct candidates *to)
{
	const struct passwd *user;

	(void)attr;
	setpwent();
	while ((user = getpwent()))
		offer_item(to, prefix, ",", user->pw_name, NULL);
	endpwent();
}

static void gid_complete(const struct attr *attr, const char *prefix,
			 struct candidates *to)
{
	const struct group *group;

	(void)attr;
	setgrent();
	while ((group = getgrent()))
		offer_item(to, prefix, ",", group->gr_name, NULL);
	endgrent();
}

const struct type type_uid = {
	.name = "users",
	.hint = "1014, 1000-1999, also by name: alice,www-data",
	.parse = uid_parse,
	.print = ranges_print,
	.equal = ranges_equal,
	.clear = ranges_clear,
	.copy = ranges_copy,
	.complete = uid_complete,
};

const struct type type_gid = {
	.name = "groups",
	.hint = "100, 1000-1999, also by name: users,www-data",
	.parse = gid_parse,
	.print = ranges_print,
	.equal = ranges_equal,
	.clear = ranges_clear,
	.copy = ranges_copy,
	.complete = gid_complete,
};
