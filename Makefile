# SPDX-License-Identifier: GPL-3.0-or-later
#
# make help       what can be made
# make deps       what has to be there first (Debian 12, as root)
#
# CC=clang and SAN=1 build in folders of their own; other flags may change from
# one call to the next, and what depends on them is made again.

VERSION := 0.1.0

CC ?= cc
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
bindir ?= $(PREFIX)/bin
mandir ?= $(PREFIX)/share/man
docdir ?= $(PREFIX)/share/doc/tresse
unitdir ?= $(PREFIX)/lib/systemd/system

# build, build/san, build/clang, build/clangsan
comma := ,
variant := $(if $(findstring clang,$(CC)),clang)$(if $(SAN),san)
BUILD ?= build$(if $(variant),/$(variant))
export TRESSE_BUILD := $(BUILD)

packages := sqlite3 libnl-3.0 jansson
# Asked for once, and only by what compiles: `make deps` must work without.
pkg_cflags = $(eval pkg_cflags := $(shell $(PKG_CONFIG) --cflags $(packages)))$(pkg_cflags)
pkg_libs = $(eval pkg_libs := $(shell $(PKG_CONFIG) --libs $(packages)))$(pkg_libs)

warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wformat=2 -Wvla -Wundef -Wold-style-definition
sanitize := $(if $(SAN),-fsanitize=address$(comma)undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer)
cflags = -std=gnu11 -O2 -g -D_GNU_SOURCE -I. \
	-DTRESSE_VERSION='"$(VERSION)"' \
	-DSQLITE_ENABLE_SESSION -DSQLITE_ENABLE_PREUPDATE_HOOK \
	$(warnings) $(if $(WERROR),-Werror) $(sanitize) $(pkg_cflags) \
	$(CPPFLAGS) $(CFLAGS)
ldflags = $(sanitize) $(LDFLAGS)
libs = $(pkg_libs) -lreadline
# Only of the engine. libipsec-mb has code for x86 alone, and no .pc file.
ipsec_mb := $(wildcard /usr/include/ipsec-mb.h /usr/include/intel-ipsec-mb.h)
engine_libs = -lcrypto $(if $(ipsec_mb),-lIPSec_MB) -lsystemd -lseccomp -pthread

model := $(wildcard model/*.c model/*/*.c)
engine := $(wildcard backends/engine/*.c)
# What the engine reads, the driver must be able to check.
shared := backends/engine/description.c backends/engine/inner.c \
	backends/engine/udp.c
drivers := $(filter-out $(filter-out $(shared),$(engine)),$(wildcard backends/*.c backends/*/*.c))
shell := $(wildcard shell/*.c)
unit := $(wildcard tests/unit/*.c)
term := $(wildcard tests/term/*.c)
program := $(model) $(drivers) $(shell)
# tressed sees nothing of the shell.
daemon := $(model) $(sort $(drivers) $(engine))
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

# V=1 shows the commands, -s nothing at all.
silent := $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
quiet = $(if $(V),,@$(if $(silent),,printf '  %-4s %s\n' $(1) $(2);))

all: $(BUILD)/tresse $(if $(wildcard backends/engine/main.c),$(BUILD)/tressed)

$(BUILD)/tresse: $(call objects,$(program))
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^ $(libs)

$(BUILD)/tressed: $(call objects,$(daemon))
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^ $(pkg_libs) $(engine_libs)

# Engines that claim other versions of the protocol (wire.h), for the tests:
# tressed-speaks-OLDEST-NEWEST.
versioned := backends/engine/handshake.c backends/engine/hub_status.c
$(BUILD)/tressed-speaks-%: $(BUILD)/tressed
	$(call quiet,LINK,$@)$(CC) $(cflags) -DWIRE_OLDEST=$(firstword $(subst -, ,$*)) \
		-DWIRE_NEWEST=$(lastword $(subst -, ,$*)) $(ldflags) -o $@ $(versioned) \
		$(call objects,$(filter-out $(versioned),$(daemon))) $(pkg_libs) $(engine_libs)

# One from before there were fragments (fragment.h).
before := backends/engine/hub_fit.c backends/engine/hub_peer.c
$(BUILD)/tressed-whole: $(BUILD)/tressed
	$(call quiet,LINK,$@)$(CC) $(cflags) -DHELLO_FRAGMENTS=0 $(ldflags) -o $@ $(before) \
		$(call objects,$(filter-out $(before),$(daemon))) $(pkg_libs) $(engine_libs)

$(BUILD)/unit: $(call objects,$(filter-out %/main.c,$(sort $(program) $(engine))) $(unit))
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^ $(libs) $(engine_libs) -lcunit

# The tests' traffic generator: nothing of the program is in it.
$(BUILD)/traffic: $(BUILD)/tests/net/traffic.o
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^

# What the kernel has of traffic control, to the last bit: nothing of the
# program is in it.
$(BUILD)/objects: $(BUILD)/tests/net/objects.o
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^

# The tests' terminal.
$(BUILD)/term: $(call objects,$(term) model/base/mem.c model/base/text.c shell/utf8.c)
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^

# What the bench of the shell asks of a shell that is open.
$(BUILD)/tab: $(call objects,$(filter-out shell/main.c,$(program)) tests/bench/tab.c)
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^ $(libs)

# What the tunnel's cryptography costs.
$(BUILD)/aead: $(call objects,tests/bench/aead.c model/base/mem.c \
	$(addprefix backends/engine/,aead.c gate.c noise.c session.c handshake.c))
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^ $(engine_libs)

# Two braids over simulated lines: only what is pure of the engine is in it.
sim := $(wildcard tests/sim/*.c) model/base/mem.c model/base/text.c \
	$(addprefix backends/engine/,arrival.c backlog.c braid.c contest.c flight.c full.c \
	lane.c line.c message.c meter.c mtu.c note.c reorder.c resend.c sched.c shelf.c talk.c \
	window.c)
$(BUILD)/sim: $(call objects,$(sim))
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^ -lm

# Bad lines for them, and for the benches of the tunnel.
$(BUILD)/relay: $(BUILD)/tests/lab/relay.o
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^

# The least a tunnel can be, which the benches measure ours beside.
$(BUILD)/floor: $(BUILD)/tests/lab/floor.o
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^

# What attackers send.
$(BUILD)/flood: $(BUILD)/tests/lab/flood.o
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^

# One thread that stands still.
$(BUILD)/hold: $(BUILD)/tests/lab/hold.o
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^

# Many clients of one server: all of the engine but its devices is in it.
swarm := tests/lab/swarm.c $(filter-out tests/%,$(sim)) model/base/crypto.c \
	$(addprefix backends/engine/,aead.c gate.c handshake.c noise.c packet.c session.c)
$(BUILD)/swarm: $(call objects,$(swarm))
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^ $(engine_libs)

# Clocks that a test sets, preloaded.
$(BUILD)/clock.so: tests/lab/clock.c $(BUILD)/flags
	$(call quiet,LINK,$@)$(CC) $(cflags) $(LDFLAGS) -fPIC -shared -o $@ $< -ldl

# Calls of threads that a test makes fail, preloaded.
$(BUILD)/fail.so: tests/lab/fail.c $(BUILD)/flags
	$(call quiet,LINK,$@)$(CC) $(cflags) $(LDFLAGS) -fPIC -shared -o $@ $< -ldl

# What threads ask of libc and the kernel, counted, preloaded.
$(BUILD)/count.so: tests/lab/count.c $(BUILD)/flags
	$(call quiet,LINK,$@)$(CC) $(cflags) $(LDFLAGS) -fPIC -shared -o $@ $< -ldl

# A kernel that takes less work from the engine, preloaded.
$(BUILD)/refuse.so: tests/lab/refuse.c $(BUILD)/flags
	$(call quiet,LINK,$@)$(CC) $(cflags) $(LDFLAGS) -fPIC -shared -o $@ $< -ldl

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CC) $(cflags) -MMD -MP -c -o $@ $<

# Newer than the objects whenever they would come out otherwise.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CC) $(cflags) $(ldflags))' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

-include $(patsubst %.o,%.d,$(call objects,$(program) $(engine) $(unit) $(term) tests/net/traffic.c tests/net/objects.c \
	tests/lab/floor.c tests/lab/relay.c tests/lab/flood.c tests/lab/hold.c tests/lab/swarm.c tests/bench/tab.c tests/bench/aead.c $(sim)))

# The manual's reference comes from the program's own tables.
pages := $(BUILD)/tresse.8 $(BUILD)/tresse.5
man: $(pages)
$(BUILD)/tresse.%: man/tresse.% man/reference.sh man/reference.awk $(BUILD)/tresse
	$(call quiet,MAN,$@)man/reference.sh $(BUILD)/tresse $< >$@

deps:
	@tests/lab/deps

programs := $(BUILD)/tresse $(BUILD)/tressed $(BUILD)/relay $(BUILD)/traffic \
	$(BUILD)/clock.so $(BUILD)/fail.so $(BUILD)/count.so $(BUILD)/refuse.so \
	$(BUILD)/flood $(BUILD)/hold $(BUILD)/swarm $(BUILD)/objects \
	$(addprefix $(BUILD)/tressed-,speaks-2-2 speaks-1-2 whole)

check: $(BUILD)/unit $(BUILD)/tresse $(BUILD)/term $(BUILD)/sim
	@tests/run 'unit: $(BUILD)/unit' 'golden: tests/golden/run.sh' \
		'screens: tests/term/run.sh' 'transport: $(BUILD)/sim -t -s 3'

check-net: $(programs)
	@tests/run -t 300 $(sort $(wildcard tests/net/test_*.sh))

# On a stock kernel: what needs one, and the main job once more.
full := $(sort $(wildcard tests/net/full/test_*.sh)) tests/net/test_adsl.sh \
	tests/net/test_refused.sh tests/net/test_down.sh tests/net/test_bpf.sh \
	tests/net/test_export_kept.sh
check-full: $(programs)
	@tests/run -t 1200 'stock kernel: tests/lab/fullkernel -t 1150 -- tests/run $(full)'

check-all: deps
	@tests/lab/check-all '$(full)'

demo: deps
	@$(MAKE) --no-print-directory $(programs)
	@tests/lab/demo

# The tunnel between two namespaces, beside bare lines: ROWS="even skew".
bench-tunnel: $(programs) $(BUILD)/floor
	@tests/bench/tunnel.sh $(ROWS)

# Many clients of one server: COUNTS="1000 10000".
bench-peers: $(programs)
	@tests/bench/peers.sh $(COUNTS)

bench: $(programs) $(BUILD)/tab $(BUILD)/aead
	@tests/bench/scale.sh
	@tests/bench/patch.sh
	@tests/bench/bench.sh
	@tests/bench/shell.sh
	@$(BUILD)/aead

# The scenarios of the tunnel's figures, simulated. SIM='-v -s 1 skew loss'
sim: $(BUILD)/sim
	@$(BUILD)/sim $(SIM)

golden: $(BUILD)/tresse $(BUILD)/term
	@tests/golden/run.sh --rewrite
	@tests/term/run.sh --rewrite

# FUZZ=600: seconds each. What it finds is left as crash-* and belongs into a
# test. FUZZERS=handshake: one of them.
FUZZ ?= 30
FUZZERS ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_text = $(model) $(drivers) $(filter-out shell/main.c,$(shell)) $(libs)
fuzz_handshake = $(addprefix backends/engine/,aead.c gate.c noise.c session.c \
	handshake.c) model/base/mem.c $(engine_libs)
fuzz_control = $(addprefix backends/engine/,control.c description.c inner.c \
	udp.c) $(fuzz_prefix) model/base/crypto.c $(pkg_libs)
fuzz_keeping = backends/engine/keeping.c $(addprefix model/base/,mem.c err.c text.c file.c) $(pkg_libs)
fuzz_lease = backends/engine/lease.c $(fuzz_prefix)
fuzz_packet = $(addprefix backends/engine/,fragment.c packet.c tun.c) $(fuzz_prefix)
fuzz_fragment = backends/engine/fragment.c $(fuzz_prefix)
fuzz_prefix = $(addprefix model/base/,mem.c err.c text.c) \
	$(addprefix model/types/,address.c plain.c scan.c)
fuzz_braid = $(filter-out tests/%,$(sim))
fuzz: $(addprefix fuzz-,$(FUZZERS))
fuzz-%: FORCE
	@mkdir -p build/fuzz/$*.corpus
	$(call quiet,LINK,build/fuzz/$*)clang $(cflags) -O1 \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o build/fuzz/$* \
		tests/fuzz/fuzz_$*.c $(fuzz_$*)
	build/fuzz/$* -max_total_time=$(FUZZ) -max_len=4096 -timeout=10 \
		-print_final_stats=1 -artifact_prefix=build/fuzz/ \
		$(addprefix -dict=,$(wildcard tests/fuzz/$*.dict)) \
		build/fuzz/$*.corpus $(wildcard tests/fuzz/$*.seeds)

lint:
	@tests/run 'lint: tests/lab/lint'

install: $(BUILD)/tresse $(BUILD)/tressed $(pages)
	install -D -m 755 $(BUILD)/tresse $(DESTDIR)$(bindir)/tresse
	install -D -m 755 $(BUILD)/tressed $(DESTDIR)$(bindir)/tressed
	install -D -m 644 man/tressed.8 $(DESTDIR)$(mandir)/man8/tressed.8
	install -D -m 644 man/tressed.5 $(DESTDIR)$(mandir)/man5/tressed.5
	install -D -m 644 $(BUILD)/tresse.8 $(DESTDIR)$(mandir)/man8/tresse.8
	install -D -m 644 $(BUILD)/tresse.5 $(DESTDIR)$(mandir)/man5/tresse.5
	install -D -m 644 -t $(DESTDIR)$(docdir)/examples man/examples/*
	$(if $(unitdir),sed 's|/usr/bin/|$(bindir)/|' debian/tresse.service \
		| install -D -m 644 /dev/stdin $(DESTDIR)$(unitdir)/tresse.service)
	$(if $(unitdir),sed 's|/usr/bin/|$(bindir)/|' \
		debian/tresse.tresse-follow.service | install -D -m 644 \
		/dev/stdin $(DESTDIR)$(unitdir)/tresse-follow.service)
	$(if $(unitdir),for unit in service socket; do \
		sed 's|/usr/bin/|$(bindir)/|' debian/tresse.tressed.$$unit \
		| install -D -m 644 /dev/stdin $(DESTDIR)$(unitdir)/tressed.$$unit || exit; done)
	$(foreach pair,$(completions),install -D -m 644 \
		$(subst :, $(DESTDIR)$(PREFIX)/share/,$(pair));)

uninstall:
	rm -f $(DESTDIR)$(bindir)/tresse $(DESTDIR)$(mandir)/man8/tresse.8 \
		$(DESTDIR)$(mandir)/man5/tresse.5 \
		$(DESTDIR)$(bindir)/tressed $(DESTDIR)$(mandir)/man8/tressed.8 \
		$(DESTDIR)$(mandir)/man5/tressed.5
	rm -rf $(DESTDIR)$(docdir)
	$(if $(unitdir),rm -f $(DESTDIR)$(unitdir)/tresse.service \
		$(DESTDIR)$(unitdir)/tresse-follow.service \
		$(DESTDIR)$(unitdir)/tressed.service \
		$(DESTDIR)$(unitdir)/tressed.socket)
	$(foreach pair,$(completions),rm -f \
		$(DESTDIR)$(PREFIX)/share/$(lastword $(subst :, ,$(pair)));)

# from:to, below PREFIX/share; those that are there. Debian's zsh looks into
# site-functions below /usr/local only, and its packages have a folder of their own.
zshdir ?= zsh/site-functions
completions := $(foreach pair, \
	completions/tresse.bash:bash-completion/completions/tresse \
	completions/tresse.zsh:$(zshdir)/_tresse \
	completions/tresse.fish:fish/vendor_completions.d/tresse.fish, \
	$(if $(wildcard $(firstword $(subst :, ,$(pair)))),$(pair)))

dist:
	@mkdir -p $(BUILD)
	git archive --prefix=tresse-$(VERSION)/ HEAD \
		| xz >$(BUILD)/tresse-$(VERSION).tar.xz

clean:
	rm -rf build

help:
	@echo 'make all        the program: $(BUILD)/tresse'
	@echo 'make deps       install what is needed, on Debian 12, as root'
	@echo 'make demo       the ADSL policy with real traffic, as root'
	@echo 'make check      unit and golden tests: quick, no privilege'
	@echo 'make check-net  real packets in network namespaces'
	@echo 'make check-full the same on a stock Debian kernel, under QEMU'
	@echo 'make check-all  all of these, both compilers, sanitizers, lint'
	@echo 'make man        the manual: $(pages)'
	@echo 'make lint       layout of the code, includes, scripts, manual'
	@echo 'make sim        the transport over simulated lines, SIM= options'
	@echo 'make fuzz       hostile text at what reads it, FUZZ= seconds'
	@echo 'make golden     rewrite what the golden tests expect'
	@echo 'make bench-tunnel  the tunnel over bad lines'
	@echo 'make bench-peers   many clients of one server, COUNTS= numbers'
	@echo 'make bench      times, as ratios to what else does the same'
	@echo 'make install uninstall   DESTDIR= PREFIX=$(PREFIX)'
	@echo 'make dist clean'
	@echo
	@echo 'CC=clang, SAN=1 (address and undefined behaviour), WERROR=1, V=1,'
	@echo 'CFLAGS= and LDFLAGS= come last'

.PHONY: all fuzz man deps check check-net check-full check-all demo bench bench-tunnel bench-peers sim golden lint \
	install uninstall dist clean help FORCE
.DELETE_ON_ERROR:
