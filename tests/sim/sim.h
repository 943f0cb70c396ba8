/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim.h - two braids over lines that exist only here.
 *
 * A discrete-event simulator: a heap of events, lines with a rate, a drop-tail
 * queue, delay, jitter and loss, two nodes that do with a braid what the hub
 * does, and inside a TCP (cubic or bbr, SACK, RACK) and pings. Everything is
 * drawn from one seed, so a run can be repeated.
 *
 *     tcp, ping -> node A -> line 1, line 2 ... -> node B -> tcp, ping
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND 1000000ULL

/* --- events ----------------------------------------------------------------
 */

typedef void sim_call(void *context, uint64_t tag);

uint64_t sim_now(void);
void sim_at(uint64_t when, sim_call *call, void *context, uint64_t tag);
/* Runs until then; starts anew with a seed. */
void sim_run(uint64_t until);
void sim_reset(uint64_t seed);
/* 0 <= x < 1 */
double sim_random(void);

/* --- packets ----------------------------------------------------------------
 */

enum { INNER_BYTES = 64, SACKS = 3 };

enum inner_kind { INNER_DATA, INNER_ACK, INNER_VOICE, INNER_PING, INNER_PONG };

/* What is inside, in the first bytes of a payload. */
struct inner {
	uint8_t kind;
	uint8_t flow;
	uint16_t size; /* of the inner packet */
	uint32_t seq;  /* of data, in packets; of a ping */
	uint32_t cum;  /* of an ack */
	uint64_t time;
	struct {
		uint32_t from, to;
	} sack[SACKS];
};

struct datagram {
	uint8_t lane;
	uint16_t size; /* of the payload */
	uint64_t counter;
	uint8_t header[8]; /* the inner header, as on the wire */
	bool control;
	struct inner inner;
	struct node *to;
	uint64_t came;
	struct datagram *next;
	uint8_t payload[1500]; /* of control */
};

/* From a pool of the run's: sim_reset() takes back all there are. */
struct datagram *datagram_new(void);
void datagram_free(struct datagram *datagram);
void datagram_reset(void);

/* --- lines -------------------------------------------------------------------
 */

/* One direction. */
struct line {
	double rate_bps;
	uint32_t queue_bytes;
	uint32_t delay_us, jitter_us;
	bool keep_order; /* jitter does not reorder */
	double loss;	 /* of a packet */
	double burst;	 /* share that is lost in bursts */
	unsigned burst_length;
	bool hole;  /* swallows everything */
	bool still; /* sends nothing for now; see line_set() */
	/* A policer in front of it, which drops what is above; 0: none. */
	double police_bps, police_bytes;
	/* state */
	double tokens;
	uint64_t tokens_at;
	struct datagram *head, *tail;
	uint32_t queued;
	bool busy;
	double rest; /* of a microsecond */
	unsigned burst_left;
	uint64_t last_out;
	uint64_t dropped, lost, carried, queue_most;
};

void line_send(struct line *line, struct datagram *datagram);
void line_empty(struct line *line);
/* Another rate; 0: it stands still until there is one. */
void line_set(struct line *line, double rate_bps);

/* --- nodes
 * -------------------------------------------------------------------- */

struct node;
struct braid_event;

struct node_setup {
	bool quiet;
	bool plain; /* no braid: packets go by the first line as they are */
	/* Failover, the last lane the heaviest; else all lanes alike. */
	bool failover;
	unsigned lanes;
	bool one_line;	    /* all lanes go by the first */
	struct line *out;   /* of each lane */
	double stall_per_s; /* how often the machine takes our time away */
	uint32_t stall_us;  /* at most so long */
	void (*deliver)(void *context, const struct inner *inner);
	/* May be NULL. */
	void (*event)(void *context, const struct node *node,
		      const struct braid_event *event);
	void *context;
};

struct node *node_new(const struct node_setup *setup);
/* What one sends goes to the other. */
void node_join(struct node *a, struct node *b);
void node_free(struct node *node);
/* Packets of one flow that came from the tun at once. */
void node_send(struct node *node, const struct inner *inner, unsigned count);
void node_receive(struct node *node, struct datagram *datagram);
struct braid *node_braid(struct node *node);
/* The device went down: sending fails. */
void node_down(struct node *node, uint8_t lane);
/* Packets wait for room on a line. */
bool node_waits(const struct node *node);
void node_print(struct node *node);
struct node_counts {
	uint64_t sent, data, again, doubled, control, control_bytes;
	uint64_t plan_calls, too_late;
};
const struct node_counts *node_counts(const struct node *node);

/* --- TCP
 * ------------------------------------------------------------------------ */

enum tcp_kind { TCP_CUBIC, TCP_BBR };

struct tcp;

/* Sends for ever; syn_us: what the handshake took. */
struct tcp *tcp_new(enum tcp_kind kind, uint8_t flow, struct node *from,
		    struct node *to, uint32_t syn_us);
/* No new data from now on. */
void tcp_stop(struct tcp *tcp);
void tcp_free(struct tcp *tcp);
/* It has no more to send. */
void tcp_stop(struct tcp *tcp);
void tcp_data(struct tcp *tcp, const struct inner *inner); /* at the receiver */
void tcp_ack(struct tcp *tcp, const struct inner *inner);
uint64_t tcp_received(const struct tcp *tcp); /* packets, in order */
uint64_t tcp_retransmits(const struct tcp *tcp);
void tcp_print(const struct tcp *tcp);

/* --- others on the same line
 * --------------------------------------------------------- */

/* Prints a table, and with judging a verdict a line. */
void rival_play(unsigned seeds, int verbose, bool judging, char **names,
		int count);

/* --- lines as radio has them, and voice beside bulk
 * ----------------------------------------------------- */

void odd_play(unsigned seeds, int verbose, bool judging, char **names,
	      int count);

/* --- lines that are full
 * ------------------------------------------------------------- */

/* Prints a verdict a line, as tests do. */
void full_play(unsigned seeds, bool verbose);

enum {
	TCP_MSS = 1388,
	TCP_PACKET = 1440,
	TCP_ACK_PACKET = 52,
	PING_PACKET = 84,
	VOICE_PACKET = 228, /* 200 bytes of UDP */
	FRAME = 14,	    /* of the Ethernet around the datagram */
	OVERHEAD = 60,
};

#endif
