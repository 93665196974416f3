# sessfs - `make help` lists what there is to make.
#
# V=1 shows the commands, DEVELOPER=1 makes warnings errors, SANITIZE=address,undefined (or thread) builds into a
# directory of its own. DESTDIR and PREFIX as everywhere.

VERSION := 0.1.0
PREFIX ?= /usr/local
# mount(8) looks for helpers in /sbin only.
SBINDIR ?= /sbin
CC ?= cc
comma := ,
space := $(subst ,, )
B := build$(if $(SANITIZE),/$(subst $(comma),-,$(SANITIZE)))

# ---- flags -----------------------------------------------------------------------------------------------------------

PKG_CONFIG ?= pkg-config
MSGPACK := $(shell $(PKG_CONFIG) --exists msgpack-c 2>/dev/null && echo msgpack-c || echo msgpack)
PACKAGES := fuse3 lmdb $(MSGPACK) libzstd libxxhash jansson libbsd smartcols
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null)

CFLAGS ?= -O2 -g -fstack-protector-strong $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
WARNINGS := -Wall -Wextra -Wpointer-arith -Wstrict-prototypes $(if $(DEVELOPER),-Werror)
# Also to those of the command line.
override CPPFLAGS += -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=312 $(PKG_CFLAGS)
override CPPFLAGS += -DSESSFS_VERSION='"$(VERSION)"'
SAN_FLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
COMPILE = $(CC) -std=gnu11 -MMD -MP -pthread $(CPPFLAGS) $(WARNINGS) $(CFLAGS) $(SAN_FLAGS)
LIBS = -Wl,--as-needed $(PKG_LIBS) -lpthread -ldl -lm
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $@)

# ---- what is built: dropping a file into a directory is enough -------------------------------------------------------

LIB_SRC := $(wildcard store/*.c fs/*.c) $(filter-out mount/main.c,$(wildcard mount/*.c))
LIB := $(B)/sessfs.a
SRC := $(LIB_SRC) $(wildcard mount/main.c)
PRELOADS := $(patsubst tests/src/%.c,$(B)/tests/%.so,$(wildcard tests/src/preload_*.c))
HELPERS := $(patsubst tests/src/%.c,$(B)/tests/%,$(filter-out tests/src/preload_%,$(wildcard tests/src/*.c)))
UNITS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))
BENCHES := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))
MAN := $(patsubst mount/%.scd,$(B)/man/%,$(wildcard mount/*.scd))
SHELLS := bash zsh fish
COMPLETIONS := $(SHELLS:%=$(B)/completion/%)

.DELETE_ON_ERROR:

# All that is installed: `sudo make install` leaves nothing of root's in build/.
.PHONY: all
all: $(B)/sessfs $(MAN) $(COMPLETIONS) ## build the program, its manual and completions

.PHONY: programs
programs: all $(PRELOADS) $(HELPERS) $(UNITS) $(BENCHES) ## build it and every program of the tests

$(B)/sessfs: $(B)/mount/main.o $(LIB)
	$(call say,LINK)
	$(Q)$(CC) $(SAN_FLAGS) $(LDFLAGS) -o $@.new $^ $(LIBS) && mv $@.new $@

$(LIB): $(LIB_SRC:%.c=$(B)/%.o)
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c | $(B)/found
	$(call say,CC)
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE) -Wmissing-prototypes -include contrib/banned.h -c -o $@ $<

# A unit test is a program linked with all of sessfs but its main().
$(B)/unit/%: tests/unit/%.c $(LIB)
	$(call say,TEST)
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE) $(LDFLAGS) -o $@ $< $(LIB) -lcmocka $(LIBS)

# Preloads first: their pattern is the longer one.
$(B)/tests/%.so: tests/src/%.c
	$(call say,TEST)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -MMD -MP -pthread $(CPPFLAGS) $(WARNINGS) -O1 -g -shared -fPIC -o $@ $< -ldl

$(B)/tests/%: tests/src/%.c | $(B)/found
	$(call say,TEST)
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE) $(LDFLAGS) -o $@ $< $(LIBS)

$(B)/bench/%: tests/bench/%.c | $(B)/found
	$(call say,BENCH)
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE) $(LDFLAGS) -o $@ $< $(LIBS)

$(B)/fuzz/%: tests/fuzz/%.c $(LIB)
	$(call say,FUZZ)
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE) $(if $(findstring clang,$(CC)),-fsanitize=fuzzer) $(LDFLAGS) -o $@ $< $(LIB) $(LIBS)

# Its date is that of its source, so that what is built again is the same.
$(B)/man/%: mount/%.scd
	$(call say,MAN)
	$(Q)mkdir -p $(@D)
	$(Q)SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct -- $< 2>/dev/null | grep . || \
		date -r $< +%s)} scdoc <$< >$@

$(B)/completion/%: $(B)/sessfs
	$(Q)mkdir -p $(@D)
	$(Q)$(B)/sessfs completion $* >$@

# Says by name what is missing, before the compiler says it worse.
$(B)/found: contrib/deps
	$(Q)mkdir -p $(@D)
	$(Q)contrib/deps --missing build && touch $@

-include $(SRC:%.c=$(B)/%.d) $(PRELOADS:.so=.d) $(addsuffix .d,$(HELPERS) $(UNITS) $(BENCHES) $(FUZZERS))

# ---- preparing and running -------------------------------------------------------------------------------------------

.PHONY: deps
deps: ## install the packages the build needs (Debian; elsewhere: name them)
	@contrib/deps build

.PHONY: run
run: deps ## build, mount a store of your own, make a session, say what to try
	@$(MAKE) --no-print-directory all
	@SESSFS="$(CURDIR)/$(B)/sessfs" contrib/run

# ---- tests -----------------------------------------------------------------------------------------------------------

TEST_ENV = SESSFS="$(CURDIR)/$(B)/sessfs" BUILD="$(CURDIR)/$(B)" SANITIZE=$(SANITIZE) MAKE="$(MAKE)"

.PHONY: check
check: ## every test; ends with `N passed, N failed, N skipped`
	@contrib/deps build test
	@$(MAKE) --no-print-directory programs
	@$(TEST_ENV) tests/run

.PHONY: check-unit
check-unit: $(UNITS) ## the unit tests alone
	@for t in $(UNITS); do $$t || exit 1; done

.PHONY: check-crash check-power check-burst check-fault check-hostile check-large
check-crash check-power check-burst check-fault check-hostile check-large: check-%: programs ## each for long
	@$(TEST_ENV) tests/long/$*

.PHONY: check-fuzz
check-fuzz: ## every fuzzer for half a minute
	@FUZZ_SECONDS=30 $(TEST_ENV) tests/long/fuzz

.PHONY: fuzz
fuzz: ## every fuzzer for FUZZ_SECONDS (an hour)
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-3600} $(TEST_ENV) tests/long/fuzz

.PHONY: fuzzers
fuzzers: ## build the fuzzers, with clang, under build/fuzzer-no-link-address-undefined/fuzz/
	@$(MAKE) --no-print-directory CC=clang SANITIZE=fuzzer-no-link,address,undefined fuzz-programs

.PHONY: fuzz-programs
fuzz-programs: $(FUZZERS)

.PHONY: bench
bench: programs ## the measurements of the README
	@$(TEST_ENV) tests/bench/run

.PHONY: check-layers
check-layers: ## which file may include what; how long lines, functions and files may be
	@contrib/check-layers

# ---- installing ------------------------------------------------------------------------------------------------------

# Quoted, as are all paths below: they may have spaces.
man_path = "$(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(1)))/$(notdir $(1))"

completion_bash = share/bash-completion/completions/sessfs
completion_zsh = share/zsh/site-functions/_sessfs
completion_fish = share/fish/vendor_completions.d/sessfs.fish
completion_path = "$(DESTDIR)$(PREFIX)/$(completion_$(1))"

SYSTEMD := $(patsubst contrib/systemd/%,%,$(wildcard contrib/systemd/user/*@.service))
SYSTEMD += $(patsubst contrib/systemd/%,system/%,$(wildcard contrib/systemd/*@.service))
systemd_path = "$(DESTDIR)$(PREFIX)/lib/systemd/$(1)"

.PHONY: man
man: $(MAN)

.PHONY: install
install: all ## install it with man pages, completions, units (DESTDIR, PREFIX)
	install -D -m 755 $(B)/sessfs "$(DESTDIR)$(PREFIX)/bin/sessfs"
	install -d "$(DESTDIR)$(SBINDIR)"
	ln -sfn "$(PREFIX)/bin/sessfs" "$(DESTDIR)$(SBINDIR)/mount.sessfs"
	$(foreach m,$(MAN),install -D -m 644 $(m) $(call man_path,$(m)) &&) :
	$(foreach s,$(SHELLS),install -D -m 644 $(B)/completion/$(s) $(call completion_path,$(s)) &&) :
	install -d $(call systemd_path,system) $(call systemd_path,user)
	$(foreach u,$(SYSTEMD),sed 's|/usr/local/bin/|$(subst $(space),\\x20,$(PREFIX))/bin/|' \
		contrib/systemd/$(u:system/%=%) >$(call systemd_path,$(u)) &&) :

.PHONY: uninstall
uninstall: ## take away what install put there
	rm -f "$(DESTDIR)$(PREFIX)/bin/sessfs" "$(DESTDIR)$(SBINDIR)/mount.sessfs"
	rm -f $(foreach m,$(MAN),$(call man_path,$(m))) $(foreach s,$(SHELLS),$(call completion_path,$(s)))
	rm -f $(foreach u,$(SYSTEMD),$(call systemd_path,$(u)))

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help:
	@sed -n 's/^\([a-z -]*\):.*## \(.*\)/\1|\2/p' Makefile | sed 's/: check-%//' | \
		while IFS='|' read -r name text; do printf '  %-36s %s\n' "$$name" "$$text"; done
