# SPDX-License-Identifier: GPL-3.0-or-later
PREFIX ?= /usr/local
CC ?= cc
PKG_CONFIG ?= pkg-config
BUILD ?= build
VERSION := 0.1.0

packages := sqlite3 libnl-3.0 jansson
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wformat=2 -Wvla -Wundef -Wold-style-definition
cflags := -std=gnu11 -O2 -g -D_GNU_SOURCE -I. -DTRESSE_VERSION='"$(VERSION)"' \
	-DSQLITE_ENABLE_SESSION -DSQLITE_ENABLE_PREUPDATE_HOOK \
	$(warnings) $(if $(WERROR),-Werror) \
	$(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer) \
	$(shell $(PKG_CONFIG) --cflags $(packages)) $(CPPFLAGS) $(CFLAGS)
comma := ,
libs := $(shell $(PKG_CONFIG) --libs $(packages)) -lreadline
ldflags := $(if $(SAN),-fsanitize=address$(comma)undefined) $(LDFLAGS)

model := $(wildcard model/*.c model/*/*.c)
drivers := $(wildcard backends/*.c backends/*/*.c)
shell := $(wildcard shell/*.c)
unit := $(wildcard tests/unit/*.c)
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

quiet = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2);)

all: $(BUILD)/tresse

$(BUILD)/tresse: $(call objects,$(model) $(drivers) $(shell))
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^ $(libs)

$(BUILD)/unit: $(call objects,$(model) $(drivers) $(filter-out shell/main.c,$(shell)) $(unit))
	$(call quiet,LINK,$@)$(CC) $(ldflags) -o $@ $^ $(libs) -lcunit

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CC) $(cflags) -MMD -MP -c -o $@ $<

check: $(BUILD)/unit
	$(BUILD)/unit

clean:
	rm -rf $(BUILD)

.PHONY: all check clean
-include $(patsubst %.o,%.d,$(call objects,$(model) $(drivers) $(shell) $(unit)))
