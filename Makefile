# SPDX-License-Identifier: MIT
# `make help` first. Sources are found by folder: a new file needs no line here.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Unit and programs name these paths themselves: DESTDIR is for packages, and there is no other prefix.
ifneq ($(origin prefix)$(prefix),undefined)
ifneq ($(prefix),/usr)
$(error prefix=$(prefix): the paths of unit and programs are those of /usr; use DESTDIR to install for a package)
endif
endif
prefix      := /usr
sysconfdir  ?= /etc
bindir      ?= $(prefix)/bin
libexecdir  ?= $(prefix)/lib/plugflash
datadir     ?= $(prefix)/share/plugflash
mandir      ?= $(prefix)/share/man
unitdir     ?= $(prefix)/lib/systemd/system
udevdir     ?= $(prefix)/lib/udev/rules.d
catalogdir  ?= $(prefix)/lib/systemd/catalog
sysusersdir ?= $(prefix)/lib/sysusers.d
tmpfilesdir ?= $(prefix)/lib/tmpfiles.d
dbusdir     ?= $(prefix)/share/dbus-1
polkitdir   ?= $(prefix)/share/polkit-1
bashdir     ?= $(prefix)/share/bash-completion/completions
zshdir      ?= $(prefix)/share/zsh/vendor-completions
fishdir     ?= $(prefix)/share/fish/vendor_completions.d

# Debian's names. What each library is for stands in src/doc/hacking.md, "Dependencies".
BUILD_PACKAGES := gcc make pkg-config libc6-dev libudev-dev libserialport-dev libinih-dev \
	libsystemd-dev libsodium-dev libjansson-dev libelf-dev libsqlite3-dev \
	libseccomp-dev libmicrohttpd-dev libmd-dev zlib1g-dev libmosquitto-dev libcurl4-openssl-dev
# For `doc`, which test-doc-html judges.
DOC_PACKAGES   := lowdown mandoc
TEST_PACKAGES  := libcmocka-dev libumockdev-dev umockdev systemd udev stm32flash util-linux procps \
	binutils srecord lrzsz dfu-util clang libclang-rt-14-dev minisign rsync \
	dbus-daemon curl jq tmux libunicorn-dev lld bash-completion fish zsh \
	mosquitto mosquitto-clients openssl libssl-dev python3-jsonschema $(DOC_PACKAGES)
# For `check-web`, beside packages of npm (tests/web/package.json). A machine may have its node from elsewhere.
WEB_PACKAGES   := chromium $(if $(shell command -v node),,nodejs) $(if $(shell command -v npm),,npm)
# For `lint`.
LINT_PACKAGES  := clang clang-format pkg-config shellcheck
# For `deb`, beside the first list.
DEB_PACKAGES   := debhelper dpkg-dev jq
# For `check-guest` and `bench`, beside those for `deb`; what the guest itself is made of stands in tests/guest/packages.
GUEST_PACKAGES := mmdebstrap qemu-system-x86 busybox-static cpio e2fsprogs
LIBRARIES      := libudev libserialport inih libsystemd libsodium jansson libelf sqlite3 libseccomp libmd zlib
# For plugflash-web alone.
WEB_LIBRARIES  := libmicrohttpd
# For plugflash-fleet alone.
FLEET_LIBRARIES := libmosquitto libcurl
TEST_LIBRARIES := cmocka umockdev-1.0

BUILD ?= build
CC    ?= gcc
WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wswitch-enum \
	-Wformat=2 -Wundef -Wpointer-arith -Werror
HARDENING ?= -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection \
	$(CONTROL_FLOW) -fPIE
# A program leaves out what it never calls: the idle service has 6 MiB (bed/test-idle).
SECTIONS := -ffunction-sections -fdata-sections
CFLAGS   ?= -g
SANITIZE ?=
override CFLAGS += -std=gnu17 $(WARNINGS) $(if $(SANITIZE),$(SANITIZE),$(HARDENING) $(SECTIONS)) -MMD -MP
override CPPFLAGS += -D_GNU_SOURCE -Isrc
override LDFLAGS += $(if $(SANITIZE),$(SANITIZE),-pie -Wl,-z,relro,-z,now -Wl,--gc-sections) -Wl,--as-needed

# `make V=1` shows whole command lines; several jobs at once where nobody said how many.
Q    := $(if $(V),,@)
SAY  := $(if $(V),@:,@printf '  %-5s %s\n')
JOBS := $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

# Asked once a run, and only by what compiles: `make deps` must work without any of them.
ifneq ($(filter-out help deps clean,$(MAKECMDGOALS)),)
LIBRARY_CFLAGS := $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
LIBRARY_LIBS   := $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null)
# Behind the version, and nothing without git: two builds are told from one another by it.
COMMIT         := $(addprefix +,$(shell git -c safe.directory='*' describe --always --dirty 2>/dev/null))
# Something of x86, which gcc refuses for other processors.
CONTROL_FLOW   := $(if $(filter x86_64-% i686-%,$(shell $(CC) -dumpmachine 2>/dev/null)),-fcf-protection)
WEB_LIBS       := $(shell pkg-config --libs $(WEB_LIBRARIES) 2>/dev/null)
FLEET_LIBS     := $(shell pkg-config --libs $(FLEET_LIBRARIES) 2>/dev/null)
TEST_CFLAGS    := $(shell pkg-config --cflags $(TEST_LIBRARIES) 2>/dev/null)
TEST_LIBS      := $(shell pkg-config --libs $(TEST_LIBRARIES) 2>/dev/null)
# The simulator's processor: without it what needs it is skipped.
CORE_LIBS      := $(shell pkg-config --libs unicorn 2>/dev/null)
CORE_CPPFLAGS  := $(if $(CORE_LIBS),-DHAVE_UNICORN $(shell pkg-config --cflags unicorn))
endif

FLOORS      := base api rules image device application chip loader flash records service doctor
LIBRARY_SRC := $(foreach floor,$(FLOORS),$(wildcard src/$(floor)/*.c))
LIBRARY_OBJ := $(LIBRARY_SRC:%.c=$(BUILD)/%.o)
CLI_OBJ     := $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/cli/*.c))
WEB_OBJ     := $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/web/*.c))
FLEET_OBJ   := $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/fleet/*.c))
MAIN_OBJ    := $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/*.c))
PROGRAMS    := $(BUILD)/plugflashd $(BUILD)/plugflash $(BUILD)/plugflash-worker $(BUILD)/plugflash-web \
	$(BUILD)/plugflash-fleet

SIM_OBJ   := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(wildcard tests/sim/test-*.c),$(wildcard tests/sim/*.c)))
BED_OBJ   := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(wildcard tests/bed/test-*.c) tests/bed/demo.c \
	tests/bed/uart-preload.c,$(wildcard tests/bed/*.c)))
GUEST_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/guest/*.c))
UNIT_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test-*.c))
# Those of src/fleet have its files and libraries beside them.
FLEET_UNIT_TESTS := $(filter $(BUILD)/tests/unit/test-fleet-%,$(UNIT_TESTS))
SIM_TESTS  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/sim/test-*.c))
TOOLS      := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/tools/*.c))
GUEST_TOOLS := $(patsubst %,$(BUILD)/tests/tools/%,http-peer make-esp make-ti port-owner)
PEER_OBJ   := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(wildcard tests/peers/test-*.c),$(wildcard tests/peers/*.c)))
PEER_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/peers/test-*.c))
# Their port is a transcript, which is played also without its ids.
REPLAY_OBJ   := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(wildcard tests/replay/test-*.c),$(wildcard tests/replay/*.c)) \
	$(wildcard src/cli/redact*.c))
REPLAY_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/replay/test-*.c))
BED_TESTS  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bed/test-*.c))
FLEET_TEST_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(wildcard tests/fleet/test-*.c) tests/fleet/kill-preload.c,\
	$(wildcard tests/fleet/*.c)) tests/bed/enclosure.c tests/bed/processes.c)
FLEET_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fleet/test-*.c))
SCRIPT_TESTS := $(wildcard tests/scripts/test-*)
LINT_TESTS   := $(wildcard tests/lint/test-*)
WEB_TESTS    := $(wildcard tests/web/test-*)
STATION      := $(BUILD)/tests/web/station
BOARD_LINE   := $(BUILD)/tests/web/board-line
PRELOADS     := $(BUILD)/uart-preload.so $(BUILD)/clock-preload.so $(BUILD)/kill-preload.so
# A test whose head says " * Slow: " or "# Slow: ", and why, is left out of `check-fast`.
SLOW_TESTS   := $(shell grep -lE '^( \*|\#) Slow: ' tests/*/test-*)
# These begin first, so that none of them is what the rest of the machine waits for in the end.
LONGEST      := $(addprefix %tests/,sim/test-stub-flash scripts/test-fuzz sim/test-esp-cuts peers/test-lrzsz \
	sim/test-loaders-manners sim/test-memory bed/test-setup bed/test-commands bed/test-bus-life bed/test-owner \
	bed/test-esp bed/test-rollback bed/test-memory bed/test-library web/test-page-access web/test-station \
	fleet/test-mute fleet/test-kills fleet/test-events)
longest_first = $(foreach long,$(LONGEST),$(filter $(long),$(1))) $(filter-out $(LONGEST),$(1))
FAST_SCRIPTS := $(filter-out $(SLOW_TESTS),$(SCRIPT_TESTS))
FAST_TESTS   := $(filter-out $(SLOW_TESTS:%.c=$(BUILD)/%),$(SIM_TESTS) $(UNIT_TESTS) $(REPLAY_TESTS))

# libFuzzer is clang's, so its targets have objects of their own, of the rooms that they reach.
FUZZ_BUILD   ?= $(BUILD)/fuzz
FUZZ_CC      ?= clang
FUZZ_SECONDS ?= 600
FUZZ_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# What of src/fleet needs neither event loop nor network.
FUZZ_FLEET   := $(patsubst %,src/fleet/%.c,command decide moment reply seal topics url window wish)
FUZZ_SRC     := $(foreach floor,base api rules image application chip loader flash,$(wildcard src/$(floor)/*.c)) \
	$(filter-out src/device/port.c src/device/lock.c,$(wildcard src/device/*.c)) \
	$(filter-out tests/sim/test-%.c tests/sim/bench.c,$(wildcard tests/sim/*.c)) \
	$(FUZZ_FLEET) tests/replay/tape.c $(wildcard src/cli/redact*.c) src/records/provision-file.c src/web/guard.c src/web/query.c \
	$(filter-out tests/fuzz/fuzz-%.c,$(wildcard tests/fuzz/*.c))
FUZZ_OBJ     := $(FUZZ_SRC:%.c=$(FUZZ_BUILD)/%.o)
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,$(FUZZ_BUILD)/%,$(wildcard tests/fuzz/fuzz-*.c))

.PHONY: help
help: ## This list
	@echo 'make TARGET, where TARGET is one of'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | \
		awk -F'\t' '{ printf "  %-14s %s\n", $$1, $$2 }'

.PHONY: all
all: $(PROGRAMS) ## Build plugflashd, plugflash, plugflash-worker, plugflash-web and plugflash-fleet into build/

.PHONY: deps
deps: ## Install the Debian packages that building and testing need
	@tests/install-packages $(BUILD_PACKAGES) $(TEST_PACKAGES)

.PHONY: check
check: deps-web ## Every test: units, simulator, bed, page; ends in "N passed, N failed"
	@$(MAKE) --no-print-directory $(JOBS) check-run

.PHONY: deps-web
deps-web: deps
	@tests/install-packages $(WEB_PACKAGES)

.PHONY: check-web
check-web: deps-web ## The page for the screen in a real browser; pictures of it go to build/web
	@$(MAKE) --no-print-directory $(JOBS) check-web-run

.PHONY: check-web-run
check-web-run: all $(STATION) $(BOARD_LINE) $(BUILD)/tests/tools/make-ti $(PRELOADS)
	@BUILD=$(BUILD) tests/run $(WEB_TESTS)

.PHONY: check-fleet
check-fleet: deps ## A fleet on this machine: a real broker, and agents on gateways that are not there
	@$(MAKE) --no-print-directory $(JOBS) check-fleet-run

.PHONY: check-fleet-run
check-fleet-run: all $(FLEET_TESTS) $(PRELOADS) $(BUILD)/tests/tools/https-peer
	@BUILD=$(BUILD) tests/run $(FLEET_TESTS)

.PHONY: check-fast
check-fast: ## Units, simulator and scripts without the slow ones, under a minute on two cores; no apt
	@$(MAKE) --no-print-directory $(JOBS) check-fast-run

.PHONY: check-fast-run
check-fast-run: all $(FAST_TESTS) $(TOOLS) $(BUILD)/clock-preload.so
	@BUILD=$(BUILD) tests/run $(FAST_SCRIPTS) $(FAST_TESTS)

.PHONY: demo
demo: deps ## The real service and a simulated board, from plug-in to journal
	@$(MAKE) --no-print-directory $(JOBS) demo-run

.PHONY: asan
asan: deps ## Units, simulator, scripts and bed under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory $(JOBS) asan-run BUILD=$(BUILD)/asan SANITIZE='-O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'

# Without the slow ones, which are the same code once more, and fuzzing, which has its own sanitizers.
.PHONY: asan-run
asan-run: all $(FAST_TESTS) $(BED_TESTS) $(TOOLS) $(PRELOADS)
	@BUILD=$(BUILD) tests/run $(call longest_first,$(FAST_TESTS) $(FAST_SCRIPTS) $(BED_TESTS))

.PHONY: check-run
check-run: all tests
	@BUILD=$(BUILD) FUZZ_BUILD=$(FUZZ_BUILD) tests/run $(call longest_first,$(UNIT_TESTS) $(SIM_TESTS) \
		$(REPLAY_TESTS) $(PEER_TESTS) $(SCRIPT_TESTS) $(BED_TESTS) $(WEB_TESTS) $(FLEET_TESTS))

.PHONY: tests
tests: all $(UNIT_TESTS) $(SIM_TESTS) $(REPLAY_TESTS) $(PEER_TESTS) $(BED_TESTS) $(FLEET_TESTS) $(TOOLS) $(FUZZ_TARGETS) \
		$(BUILD)/tests/bed/demo $(STATION) $(BOARD_LINE) $(PRELOADS)

.PHONY: demo-run
demo-run: all $(BUILD)/tests/bed/demo $(BUILD)/uart-preload.so
	@BUILD=$(BUILD) tests/demo

.PHONY: check-guest
check-guest: deps ## check-package, and a whole Debian in QEMU with our packages, the kernel's own driver, virtual CP2102s
	@tests/install-packages $(GUEST_PACKAGES) $(DEB_PACKAGES) lintian
	@$(MAKE) --no-print-directory check-guest-run

.PHONY: check-guest-run
check-guest-run: all $(BUILD)/simboard $(GUEST_TOOLS)
	@BUILD=$(BUILD) tests/guest/run scenarios

.PHONY: bench
bench: deps ## plugflash and stm32flash in the guest, in turn: some twelve minutes (BENCH=all: twenty)
	@tests/install-packages $(GUEST_PACKAGES) $(DEB_PACKAGES)
	@$(MAKE) --no-print-directory bench-run

.PHONY: bench-run
bench-run: deb $(BUILD)/simboard $(GUEST_TOOLS)
	@BUILD=$(BUILD) GUEST_TIMEOUT=$${GUEST_TIMEOUT:-3000} tests/guest/run benches

.PHONY: fuzz
fuzz: deps ## Each fuzz target for FUZZ_SECONDS (600), two at a time
	@$(MAKE) --no-print-directory $(JOBS) fuzz-run

.PHONY: fuzz-run
fuzz-run: $(FUZZ_TARGETS)
	@FUZZ_BUILD=$(FUZZ_BUILD) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run $(FUZZ_TARGETS)

.PHONY: check-peers
check-peers: deps ## lrzsz takes every size from 0 to 5000 from our sender: some half an hour
	@$(MAKE) --no-print-directory tests
	@BUILD=$(BUILD) PEERS=all TEST_TIMEOUT=3600 tests/run $(PEER_TESTS)

.PHONY: doc
doc: ## The manual as HTML: build/doc/index.html
	@tests/install-packages $(DOC_PACKAGES)
	@src/doc/make-html $(BUILD)/doc

.PHONY: deps-lint
deps-lint:
	@tests/install-packages $(BUILD_PACKAGES) $(LINT_PACKAGES)

.PHONY: lint
lint: deps-lint ## The format of the code, and what clang's analyzer finds in src
	@BUILD=$(BUILD) tests/run $(LINT_TESTS)

.PHONY: check-format
check-format: ## Show where clang-format would write the code otherwise
	@clang-format --dry-run --Werror $$(git ls-files 'src/*.[ch]' 'tests/*.[ch]' | grep -v '^tests/firmware/')

.PHONY: firmware
firmware: ## Build tests/firmware again and say whether it differs from what is committed
	@tests/install-packages gcc-arm-none-eabi binutils-arm-none-eabi clang lld llvm
	@$(MAKE) --no-print-directory $(BUILD)/tests/tools/make-esp
	@$(MAKE) --no-print-directory -C tests/firmware check
	@$(MAKE) --no-print-directory -C tests/firmware/esp32c3 MAKE_ESP=$(realpath $(BUILD))/tests/tools/make-esp check

.PHONY: stub
stub: ## Build src/stub/stub.bin again and say whether it differs from what is committed
	@tests/install-packages gcc-arm-none-eabi binutils-arm-none-eabi
	@$(MAKE) --no-print-directory -C src/stub check

.PHONY: stub-update
stub-update: ## Build src/stub/stub.bin and keep it
	@tests/install-packages gcc-arm-none-eabi binutils-arm-none-eabi
	@$(MAKE) --no-print-directory -C src/stub update

# Left out is what build-essential and debhelper-compat bring.
.PHONY: deb
deb: ## Debian packages, into build/deb
	@tests/install-packages $(BUILD_PACKAGES) $(DEB_PACKAGES) $(DOC_PACKAGES)
	@config/debian/build $(BUILD)/deb $(filter-out gcc make libc6-dev debhelper dpkg-dev,$(BUILD_PACKAGES) $(DEB_PACKAGES) $(DOC_PACKAGES))

.PHONY: check-package
check-package: ## Debian packages, judged by lintian, and built once more elsewhere to the same bytes
	@tests/install-packages $(BUILD_PACKAGES) $(DEB_PACKAGES) lintian
	@BUILD=$(BUILD) tests/run tests/package/test-deb

.PHONY: clean
clean: ## Remove build/
	rm -rf $(BUILD)

# The mains alone, so that a commit builds no more than these again.
$(MAIN_OBJ): override CPPFLAGS += -DPLUGFLASH_COMMIT='"$(COMMIT)"'
$(MAIN_OBJ): $(BUILD)/commit

.PHONY: FORCE
$(BUILD)/commit: FORCE
	@mkdir -p $(@D)
	@echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' >$@

$(BUILD)/libplugflash.a: $(LIBRARY_OBJ)
	@rm -f $@
	$(SAY) AR $@
	$(Q)$(AR) rc $@ $^

# What .incbin takes in is known to no compiler.
$(BUILD)/src/loader/stub-program.o $(FUZZ_BUILD)/src/loader/stub-program.o: src/stub/stub.bin

$(BUILD)/plugflashd: $(BUILD)/src/plugflashd.o $(BUILD)/libplugflash.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBRARY_LIBS)

$(BUILD)/plugflash-worker: $(BUILD)/src/plugflash-worker.o $(BUILD)/libplugflash.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBRARY_LIBS)

$(BUILD)/plugflash: $(BUILD)/src/plugflash.o $(CLI_OBJ) $(BUILD)/libplugflash.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBRARY_LIBS)

$(BUILD)/plugflash-web: $(BUILD)/src/plugflash-web.o $(WEB_OBJ) $(BUILD)/libplugflash.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBRARY_LIBS) $(WEB_LIBS)

# An archive, so that a test may put a function of its own in the place of a file.
$(BUILD)/libfleet.a: $(FLEET_OBJ)
	@rm -f $@
	$(SAY) AR $@
	$(Q)$(AR) rc $@ $^

$(BUILD)/plugflash-fleet: $(BUILD)/src/plugflash-fleet.o $(FLEET_OBJ) $(BUILD)/libplugflash.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBRARY_LIBS) $(FLEET_LIBS)

$(BUILD)/src/%.o: src/%.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LIBRARY_CFLAGS) -c -o $@ $<

$(BUILD)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CPPFLAGS) -Itests $(CFLAGS) $(LIBRARY_CFLAGS) $(TEST_CFLAGS) -c -o $@ $<

# The sources of the stub on this machine, with registers of the test's own behind them.
STUB_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/stub/*.c tests/stub/*.c))
$(BUILD)/tests/unit/test-stub $(BUILD)/tests/unit/test-stub-flash: $(STUB_OBJ)

# The one file that sees Unicorn; what it makes depends on whether it is there.
CORE_OBJ := $(BUILD)/tests/sim/core-cpu.o $(FUZZ_BUILD)/tests/sim/core-cpu.o
$(CORE_OBJ): override CPPFLAGS += $(CORE_CPPFLAGS)
$(CORE_OBJ): $(BUILD)/unicorn

$(BUILD)/unicorn: FORCE
	@mkdir -p $(@D)
	@echo '$(CORE_CPPFLAGS)' | cmp -s - $@ || echo '$(CORE_CPPFLAGS)' >$@

# The stub by another compiler, for tests/sim/test-stub-core, where there is a linker for it.
STUB_CLANG := $(if $(shell command -v ld.lld),$(BUILD)/stub-clang.bin)
$(BUILD)/stub-clang.bin: $(wildcard src/stub/*.[ch]) src/stub/stub.ld src/stub/Makefile
	@mkdir -p $(@D)
	$(SAY) CLANG $@
	$(Q)$(MAKE) --no-print-directory -s -B -C src/stub OUT=$(abspath $(@D)) $(abspath $@)

$(BUILD)/tests/sim/test-stub-core: | $(STUB_CLANG)

# These have the command as it is; the tests of one of its files take that file in.
$(patsubst %,$(BUILD)/tests/unit/test-cli-%,complete table verbs): $(CLI_OBJ)

# An archive stands behind what needs it.
$(filter-out $(FLEET_UNIT_TESTS),$(UNIT_TESTS)) $(TOOLS): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libplugflash.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBRARY_LIBS) $(TEST_LIBS) $(TOOL_LIBS)

# A web server with TLS, which tests of downloads start.
$(BUILD)/tests/tools/https-peer: TOOL_LIBS := -lssl -lcrypto
$(patsubst %,$(BUILD)/tests/unit/test-fleet-%,download download-kill download-time tls): | $(BUILD)/tests/tools/https-peer

$(FLEET_UNIT_TESTS): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libfleet.a $(BUILD)/libplugflash.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBRARY_LIBS) $(FLEET_LIBS) $(TEST_LIBS)

# The simulator's port stands before the archive, so that the real one is not taken from it.
$(SIM_TESTS): $(BUILD)/tests/sim/%: $(BUILD)/tests/sim/%.o $(SIM_OBJ) $(BUILD)/libplugflash.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBRARY_LIBS) $(TEST_LIBS) $(CORE_LIBS)

$(REPLAY_TESTS): $(BUILD)/tests/replay/%: $(BUILD)/tests/replay/%.o $(REPLAY_OBJ) $(BUILD)/libplugflash.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBRARY_LIBS) $(TEST_LIBS)

# Its port is a pseudo-terminal, and stands before the archive as well.
$(PEER_TESTS): $(BUILD)/tests/peers/%: $(BUILD)/tests/peers/%.o $(PEER_OBJ) \
		$(filter-out %/port-sim.o %/bench.o,$(SIM_OBJ)) $(BUILD)/libplugflash.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBRARY_LIBS) $(TEST_LIBS) $(CORE_LIBS)

$(BED_TESTS) $(BUILD)/tests/bed/demo $(STATION): $(BUILD)/%: $(BUILD)/%.o $(BED_OBJ) \
		$(filter-out %/port-sim.o %/bench.o,$(SIM_OBJ)) $(BUILD)/libplugflash.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBRARY_LIBS) $(TEST_LIBS) $(CORE_LIBS)

# One of them has the bed beside it: the real service, and a simulated board.
FLEET_REAL := $(BUILD)/tests/fleet/test-real
$(filter-out $(FLEET_REAL),$(FLEET_TESTS)): $(BUILD)/%: $(BUILD)/%.o $(FLEET_TEST_OBJ) $(BUILD)/libplugflash.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBRARY_LIBS) $(TEST_LIBS)

$(FLEET_REAL): $(BUILD)/%: $(BUILD)/%.o $(filter-out %/scene.o,$(sort $(FLEET_TEST_OBJ) $(BED_OBJ))) \
		$(filter-out %/port-sim.o %/bench.o,$(SIM_OBJ)) $(BUILD)/libplugflash.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBRARY_LIBS) $(TEST_LIBS) $(CORE_LIBS)

# A simulated board on a pseudo-terminal, for a peer in JavaScript.
$(BOARD_LINE): $(BUILD)/%: $(BUILD)/%.o $(filter-out %/port-sim.o %/bench.o,$(SIM_OBJ)) $(BUILD)/libplugflash.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBRARY_LIBS) $(TEST_LIBS) $(CORE_LIBS)

# Of the simulator only what it uses, and nothing of its harness.
$(BUILD)/libsim.a: $(SIM_OBJ)
	@rm -f $@
	$(SAY) AR $@
	$(Q)$(AR) rc $@ $^

# Sums and deflate of a simulated Espressif chip.
$(BUILD)/simboard: $(GUEST_OBJ) $(BUILD)/libsim.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lmd -lz $(CORE_LIBS)

$(BUILD)/uart-preload.so: tests/bed/uart-preload.c
$(BUILD)/clock-preload.so: tests/scripts/clock-preload.c
$(BUILD)/kill-preload.so: tests/fleet/kill-preload.c
$(PRELOADS):
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) -g -O2 -std=gnu17 $(WARNINGS) -D_GNU_SOURCE -Isrc -Itests -fPIC -shared -o $@ $<

# A function that passes a va_list on is something only gcc understands.
# What the simulator does is not what is searched for, and counting it takes most of the time.
FUZZ_COVERAGE := -fsanitize=fuzzer-no-link
$(FUZZ_BUILD)/tests/sim/%.o: FUZZ_COVERAGE :=

$(FUZZ_BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) FUZZ_CC $@
	$(Q)$(FUZZ_CC) $(CPPFLAGS) -Itests -g -O1 -std=gnu17 $(WARNINGS) -Wno-format-nonliteral -Wno-missing-field-initializers \
		$(FUZZ_COVERAGE) $(FUZZ_SANITIZE) -MMD -MP $(LIBRARY_CFLAGS) -c -o $@ $<

# The stub alone: its names are not for our programs.
FUZZ_STUB_OBJ := $(patsubst %.c,$(FUZZ_BUILD)/%.o,$(wildcard src/stub/*.c tests/stub/*.c tests/fuzz/fuzz-stub.c))
$(FUZZ_BUILD)/fuzz-stub: $(FUZZ_STUB_OBJ)
	$(SAY) FUZZ_LD $@
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer $(FUZZ_SANITIZE) -o $@ $^

$(filter-out %/fuzz-stub,$(FUZZ_TARGETS)): $(FUZZ_BUILD)/%: $(FUZZ_BUILD)/tests/fuzz/%.o $(FUZZ_OBJ)
	$(SAY) FUZZ_LD $@
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer $(FUZZ_SANITIZE) -Wl,--as-needed -o $@ $^ $(LIBRARY_LIBS) $(CORE_LIBS)

.PHONY: install
install: all ## Install below $DESTDIR, as a package would
	install -D -m 755 $(BUILD)/plugflash $(DESTDIR)$(bindir)/plugflash
	install -D -m 755 $(BUILD)/plugflashd $(DESTDIR)$(libexecdir)/plugflashd
	install -D -m 755 $(BUILD)/plugflash-worker $(DESTDIR)$(libexecdir)/plugflash-worker
	install -D -m 755 $(BUILD)/plugflash-web $(DESTDIR)$(libexecdir)/plugflash-web
	install -D -m 755 $(BUILD)/plugflash-fleet $(DESTDIR)$(libexecdir)/plugflash-fleet
	install -D -m 644 config/chips.ini $(DESTDIR)$(datadir)/chips.ini
	install -d $(DESTDIR)$(datadir)/web
	install -m 644 src/web/page/* $(DESTDIR)$(datadir)/web/
	install -d $(DESTDIR)$(sysconfdir)/plugflash/boards.d $(DESTDIR)$(sysconfdir)/plugflash/chips.d \
		$(DESTDIR)$(sysconfdir)/plugflash/keys.d
	for file in plugflash.conf fleet.conf; do \
		test -e $(DESTDIR)$(sysconfdir)/plugflash/$$file || \
		install -m 644 config/$$file $(DESTDIR)$(sysconfdir)/plugflash/$$file || exit 1; done
	install -d $(DESTDIR)$(datadir)/examples
	install -m 644 config/examples/*.conf config/examples/*.service config/examples/*.rules $(DESTDIR)$(datadir)/examples/
	for file in $(wildcard config/examples/on-outcome/* config/examples/fleet/*); do \
		mode=644; test -x $$file && mode=755; \
		install -D -m $$mode $$file $(DESTDIR)$(datadir)/$${file#config/} || exit 1; done
	install -D -m 644 systemd/plugflashd.service $(DESTDIR)$(unitdir)/plugflashd.service
	install -m 644 systemd/plugflash-web.service systemd/plugflash-web.socket systemd/plugflash-fleet.service \
		$(DESTDIR)$(unitdir)/
	install -D -m 644 systemd/plugflash.sysusers $(DESTDIR)$(sysusersdir)/plugflash.conf
	install -m 644 systemd/plugflash-web.sysusers $(DESTDIR)$(sysusersdir)/plugflash-web.conf
	install -m 644 systemd/plugflash-fleet.sysusers $(DESTDIR)$(sysusersdir)/plugflash-fleet.conf
	install -D -m 644 systemd/plugflash.tmpfiles $(DESTDIR)$(tmpfilesdir)/plugflash.conf
	install -D -m 644 systemd/plugflash.catalog $(DESTDIR)$(catalogdir)/plugflash.catalog
	install -D -m 644 systemd/org.plugflash1.conf $(DESTDIR)$(dbusdir)/system.d/org.plugflash1.conf
	install -D -m 644 systemd/org.plugflash1.xml $(DESTDIR)$(dbusdir)/interfaces/org.plugflash1.xml
	install -D -m 644 systemd/org.plugflash1.policy $(DESTDIR)$(polkitdir)/actions/org.plugflash1.policy
	install -D -m 644 systemd/60-plugflash.rules $(DESTDIR)$(polkitdir)/rules.d/60-plugflash.rules
	install -m 644 systemd/60-plugflash-fleet.rules $(DESTDIR)$(polkitdir)/rules.d/
	install -D -m 644 config/completion/plugflash.bash $(DESTDIR)$(bashdir)/plugflash
	install -D -m 644 config/completion/plugflash.zsh $(DESTDIR)$(zshdir)/_plugflash
	install -D -m 644 config/completion/plugflash.fish $(DESTDIR)$(fishdir)/plugflash.fish
	install -d $(DESTDIR)$(udevdir)
	install -m 644 udev/*.rules $(DESTDIR)$(udevdir)/
	for page in src/man/*.[1578]; do \
		install -D -m 644 $$page $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/} || exit 1; done

.PHONY: uninstall
uninstall: ## Remove what install put there; configuration and images stay
	rm -f $(DESTDIR)$(bindir)/plugflash $(DESTDIR)$(unitdir)/plugflashd.service \
		$(DESTDIR)$(unitdir)/plugflash-web.service $(DESTDIR)$(unitdir)/plugflash-web.socket \
		$(DESTDIR)$(unitdir)/plugflash-fleet.service $(DESTDIR)$(sysusersdir)/plugflash.conf \
		$(DESTDIR)$(sysusersdir)/plugflash-web.conf $(DESTDIR)$(sysusersdir)/plugflash-fleet.conf \
		$(DESTDIR)$(tmpfilesdir)/plugflash.conf \
		$(DESTDIR)$(catalogdir)/plugflash.catalog $(DESTDIR)$(dbusdir)/system.d/org.plugflash1.conf \
		$(DESTDIR)$(dbusdir)/interfaces/org.plugflash1.xml \
		$(DESTDIR)$(polkitdir)/actions/org.plugflash1.policy $(DESTDIR)$(polkitdir)/rules.d/60-plugflash.rules \
		$(DESTDIR)$(polkitdir)/rules.d/60-plugflash-fleet.rules \
		$(DESTDIR)$(bashdir)/plugflash $(DESTDIR)$(zshdir)/_plugflash $(DESTDIR)$(fishdir)/plugflash.fish
	for rules in udev/*.rules; do rm -f $(DESTDIR)$(udevdir)/$${rules##*/}; done
	for page in src/man/*.[1578]; do rm -f $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/}; done
	rm -rf $(DESTDIR)$(libexecdir) $(DESTDIR)$(datadir)
	@echo 'Left: /etc/plugflash, /var/lib/plugflash /var/lib/plugflash-fleet and the users plugflash, plugflash-web and plugflash-fleet. A service that runs goes on: systemctl disable --now plugflashd plugflash-web.socket plugflash-fleet'

# The guest's root, while it is made, has files of that name, too.
-include $(shell find $(BUILD) -path $(BUILD)/guest -prune -o -type f -name '*.d' -print 2>/dev/null)
