/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/description.h"

#include <string.h>

#include "model/base/crypto.h"
#include "tests/unit/unit.h"

#define KEY_A  "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
#define SECRET "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
#define START                                                                  \
	"{'name':'home0','device':'tun0','role':'server','secret':'" SECRET "'"
#define PEER "{'name':'alice','key':'" KEY_A "'"

/* JSON with ' for ". */
static json_t *json_of(const char *text)
{
	AUTO(str) char *copy = mem_strdup(text);

	for (char *at = copy; (at = strchr(at, '\'')); at++)
		*at = '"';
	return json_loads(copy, JSON_REJECT_DUPLICATES, NULL);
}

static void refused(const char *text, const char *said)
{
	struct description description;
	AUTO_ERR err = ERR_NONE;
	json_t *json = json_of(text);

	CU_ASSERT_PTR_NOT_NULL(json);
	CU_ASSERT(description_parse(json, &description, &err) < 0);
	ASSERT_TEXT(err.text ? err.text : "", said);
	CU_ASSERT_PTR_NULL(description.peers);
	CU_ASSERT_PTR_NULL(description.members);
	json_decref(json);
}

static int taken(const char *text, struct description *out)
{
	AUTO_ERR err = ERR_NONE;
	json_t *json = json_of(text), *same = json_deep_copy(json);
	int rc = description_parse(json, out, &err);

	ASSERT_TEXT(err.text ? err.text : "", "");
	CU_ASSERT_TRUE(json_equal(json, same));
	json_decref(json);
	json_decref(same);
	return rc;
}

TEST(description, is_read_field_by_field)
{
	struct description got;
	const struct hub_peer *peer;
	const struct hub_member *member;

	CU_ASSERT_EQUAL(
		taken(START ",'listen':5000,'mtu':1400,'mode':'failover',"
			    "'small':1,'hold-us':5000,'duplicate-dscp':0,"
			    "'duplicate-mark':16,'duplicate-mask':240,"
			    "'duplicate-class':65552,'tap':"
			    "true,'peers':[" PEER ",'psk':'" SECRET
			    "','prefixes':['10.77.0.2',"
			    "'fd77::/64'],'endpoints':['192.0.2.1:5000',"
			    "'[2001:db8::1]:7','gw.example.net:5000'],"
			    "'up':1000000,'down':2000000}],'members':["
			    "{'name':'a','device':'wan0','source':'192.0.2.7',"
			    "'mark':65536,'sockets':16,'tier':1,'weight':2,"
			    "'standby':true,'metered':true,'up':1,'down':2},"
			    "{'name':'b'}]}",
		      &got),
		0);
	CU_ASSERT_STRING_EQUAL(got.config.name, "home0");
	CU_ASSERT_TRUE(got.config.server && got.config.tap);
	CU_ASSERT_EQUAL(got.config.listen, 5000);
	CU_ASSERT_EQUAL(got.config.mtu, 1400);
	CU_ASSERT_EQUAL(got.config.mode, BRAID_FAILOVER);
	CU_ASSERT_EQUAL(got.config.small_bytes, 1);
	CU_ASSERT_EQUAL(got.config.hold_max_us, 5000);
	CU_ASSERT_EQUAL(got.config.duplicate_dscp, 0);
	CU_ASSERT_EQUAL(got.config.duplicate.value, 16);
	CU_ASSERT_EQUAL(got.config.duplicate.mask, 240);
	CU_ASSERT_EQUAL(got.config.duplicate.class, 65552);
	CU_ASSERT_EQUAL(got.peer_count, 1);
	CU_ASSERT_EQUAL(got.member_count, 2);
	peer = &got.peers[0];
	CU_ASSERT_TRUE(peer->has_psk);
	CU_ASSERT_EQUAL(peer->prefix_count, 2);
	CU_ASSERT_EQUAL(peer->endpoint_count, 2);
	CU_ASSERT_EQUAL(ntohs(peer->endpoints[1].far.sin6_port), 7);
	CU_ASSERT_EQUAL(peer->up_bps, 1000000);
	CU_ASSERT_EQUAL(peer->down_bps, 2000000);
	member = &got.members[0];
	CU_ASSERT_EQUAL(member->mark, 65536);
	CU_ASSERT_EQUAL(member->sockets, 16);
	CU_ASSERT_TRUE(member->standby && member->metered);
	CU_ASSERT_EQUAL(got.members[1].sockets, 1);
	CU_ASSERT_EQUAL(got.members[1].weight, 1);
	description_clear(&got);
}

TEST(description, duplicates_no_class_unless_told)
{
	struct description got;

	CU_ASSERT_EQUAL(taken(START "}", &got), 0);
	CU_ASSERT_EQUAL(got.config.duplicate_dscp, HUB_NO_DSCP);
	CU_ASSERT_EQUAL(got.config.duplicate.mask, 0);
	CU_ASSERT_EQUAL(got.config.duplicate.class, 0);
	description_clear(&got);
	refused(START ",'duplicate-dscp':65}",
		"link home0: duplicate-dscp: is no number from 0 to 64");
}

TEST(description, of_the_link_is_refused_with_what_and_where)
{
	refused("[]", "link: is no object");
	refused("{}", "link : role: is not client or server");
	refused("{'name':'home0','role':'both'}",
		"link home0: role: is not client or server");
	refused("{'name':'home0','role':'client','secret':'" SECRET "'}",
		"link home0: device: is missing");
	refused("{'name':'h','device':'t','role':'client'}",
		"link h: secret: is missing");
	refused(START ",'mtu':65536}",
		"link home0: mtu: is no number from 0 to 65535");
	refused(START ",'mtu':-1}",
		"link home0: mtu: is no number from 0 to 65535");
	refused(START ",'mtu':1.5}",
		"link home0: mtu: is no number from 0 to 65535");
	refused(START ",'tap':1}", "link home0: tap: is not true or false");
	refused(START ",'mode':'fast'}",
		"link home0: mode: is not auto, aggregate, failover or "
		"duplicate");
	refused(START ",'colour':'red'}",
		"link home0: colour: nothing is known of that; if the engine "
		"is "
		"older than who tells it so, tressed has to be started anew");
	refused("{'name':7}", "link : name: is no text");
	refused("{'name':'home0','device':'a-device-too-long'}",
		"link home0: device: is too long");
	refused("{'name':'home0','secret':'abc='}",
		"link home0: secret: is no key (44 characters of base64)");
	refused(START ",'peers':{}}",
		"link home0: peers: is no list of at most 16384");
	refused(START ",'peers':[7]}", "link home0: peers: has no objects");
	refused(START ",'members':[[]]}",
		"link home0: members: has no objects");
}

TEST(description, of_a_peer_or_member_is_refused_with_what_and_where)
{
	refused(START ",'peers':[" PEER "},{'key':'" KEY_A "'}]}",
		"link home0: peer 2: name: is missing");
	refused(START ",'peers':[{'name':'bob'}]}",
		"link home0: peer bob: key: is missing");
	refused(START ",'peers':[" PEER "}," PEER "}]}",
		"link home0: peer alice: is there twice");
	refused(START ",'peers':[" PEER ",'prefixes':['10.0.0.0/33']}]}",
		"link home0: peer alice: 10.0.0.0/33: the length is at most "
		"32");
	refused(START ",'peers':[" PEER ",'prefixes':'10.0.0.1'}]}",
		"link home0: peer alice: prefixes: is no list of at most 32");
	refused(START ",'peers':[" PEER ",'endpoints':['192.0.2.1']}]}",
		"link home0: peer alice: endpoint 192.0.2.1: is no "
		"ADDRESS:PORT");
	refused(START ",'peers':[" PEER ",'endpoints':['192.0.2.1:0']}]}",
		"link home0: peer alice: endpoint 192.0.2.1:0: is no "
		"ADDRESS:PORT");
	refused(START ",'peers':[" PEER ",'endpoints':['192.0.2.1:65536']}]}",
		"link home0: peer alice: endpoint 192.0.2.1:65536: is no "
		"ADDRESS:PORT");
	refused(START ",'members':[{}]}",
		"link home0: member 1: name: is missing");
	refused(START ",'members':[{'name':'a','sockets':0}]}",
		"link home0: member a: sockets: is no number from 1 to 16");
	refused(START ",'members':[{'name':'a','sockets':17}]}",
		"link home0: member a: sockets: is no number from 0 to 16");
	refused(START ",'members':[{'name':'a','source':'here'}]}",
		"link home0: member a: source: here: is no IP address");
	refused(START ",'members':[{'name':'a'},{'name':'a'}]}",
		"link home0: member a: is there twice");
}

TEST(description, key_has_one_spelling_only)
{
	uint8_t key[NOISE_KEY];
	char text[CRYPTO_TEXT];

	CU_ASSERT_TRUE(crypto_read_key(KEY_A, key));
	crypto_print_key(key, text);
	ASSERT_TEXT(text, KEY_A);
	/* The last letter has two bits that are not of the key. */
	CU_ASSERT_FALSE(crypto_read_key(
		"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmp=", key));
	CU_ASSERT_FALSE(crypto_read_key(
		"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmoA", key));
	CU_ASSERT_FALSE(crypto_read_key(
		"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo=", key));
	CU_ASSERT_FALSE(crypto_read_key(
		" SDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=", key));
	CU_ASSERT_FALSE(crypto_read_key(
		"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo", key));
	CU_ASSERT_FALSE(crypto_read_key(
		"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTm==", key));
	CU_ASSERT_FALSE(crypto_read_key(KEY_A "\n", key));
	CU_ASSERT_FALSE(crypto_read_key("", key));
}
