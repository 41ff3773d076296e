# SPDX-License-Identifier: GPL-2.0
# fpr: free page reporting for stock Linux guests.  "make help" lists the targets.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build

# For tests and benchmarks: names of scripts/fetch-kernel
KERNEL ?= 6.1-cloud
DEBUG_KERNELS ?= 6.1-debug
CYCLES ?= 200

CONF := src/compat/fpr-conf.h
KMAKE = $(MAKE) -C $(KDIR) M=$(CURDIR)

.PHONY: all modules modules-test host conf clean distclean help \
	demo demo-vendor check check-all check-changed check-unit check-host fuzz check-fprctl check-static \
	check-build check-harness check-guest check-libvirt check-debug check-dkms mutate matrix soak torture bench-return \
	bench-balloon bench-hotpath bench bench-short bench-churn bench-fragmentation bench-footprint \
	bench-latency bench-density bench-blockmap dkms-install dkms-remove

all: modules

# "+": they share in -j of this make
conf:
	+@scripts/conftest/conftest $(KDIR) $(CONF)

modules: conf
	+$(KMAKE) modules

modules-test: modules
	+$(KMAKE) FPR_TESTS=m modules

# The programs of the host side, in build/host
host:
	$(MAKE) -C src/host

clean:
	rm -rf build bench $(CONF)
	@find . -name .git -prune -o \( -name '*.o' -o -name '*.ko' -o \
		-name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' -o \
		-name '*.o.d' -o -name modules.order -o \
		-name Module.symvers -o -name .module-common.o \) \
		-type f -exec rm -f {} +

distclean: clean
	rm -rf "$${FPR_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/fpr}"

dkms-install:
	KVER=$(KVER) scripts/dkms-install

dkms-remove:
	scripts/dkms-remove

demo:
	scripts/demo

demo-vendor:
	scripts/demo --vendor

# Tests.  tests/tiers says what each of these is; tests/run adds up the results.
ON = $(if $(filter command% environment,$(origin KERNEL)),--kernel "$(KERNEL)")
RUN = @tests/run $(if $(JOBS),--jobs $(JOBS))

check:
	$(RUN) $(ON)

check-all:
	$(RUN) $(ON) --tier all $(if $(FRESH),--fresh)

check-changed:
	$(RUN) $(ON) --tier changed $(if $(SINCE),--since $(SINCE))

check-unit check-host check-fprctl check-static check-build check-harness check-guest check-libvirt check-dkms:
	$(RUN) $(ON) $(@:check-%=%)

check-debug:
	$(RUN) --tier all --kernel "$(DEBUG_KERNELS)" $(if $(FRESH),--fresh) guest harness

# SECONDS= for each target
fuzz:
	@$(MAKE) -s -C tests/fuzz $(if $(SECONDS),SECONDS=$(SECONDS)) fuzz

mutate:
	@tests/mutate $(ON) --jobs $(or $(JOBS),2)

matrix:
	@$(if $(KERNELS),KERNELS="$(KERNELS)") $(if $(HOOKS),HOOKS="$(HOOKS)") \
		$(if $(TESTS),TESTS="$(TESTS)") tests/matrix

soak:
	@CYCLES=$(CYCLES) tests/soak $(KERNEL)

# MINUTES= SEED= PROFILE= come from the command line or the environment.
torture:
	@KERNEL=$(KERNEL) MINUTES="$(MINUTES)" SEED="$(SEED)" PROFILE="$(PROFILE)" tests/torture

bench-return:
	@scripts/bench-return --kernel $(KERNEL) $(if $(SIZE_MB),--size-mb $(SIZE_MB)) \
		$(if $(BACKING),--backing $(BACKING)) $(if $(RUNS),--runs $(RUNS)) \
		$(if $(DRIVERS),--drivers "$(DRIVERS)")

bench-balloon:
	@scripts/bench-balloon --kernel $(KERNEL) $(if $(SIZE_MB),--size-mb $(SIZE_MB)) \
		$(if $(BACKING),--backing $(BACKING)) $(if $(RUNS),--runs $(RUNS)) \
		$(if $(DRIVERS),--drivers "$(DRIVERS)") $(if $(QEMU),--qemu $(QEMU))

bench-hotpath:
	@scripts/bench-hotpath --kernel $(KERNEL) $(if $(HOOKS),--hooks "$(HOOKS)") \
		$(if $(KINDS),--kinds $(KINDS))

# The parts take KERNEL= (6.12-cloud), RUNS=, DRIVERS=, SIZE_MB= and BACKING= from the
# environment.
BENCH_ENV = $(if $(filter command% environment,$(origin KERNEL)),KERNEL="$(KERNEL)",KERNEL=) \
	RUNS="$(RUNS)" DRIVERS="$(DRIVERS)" SIZE_MB="$(SIZE_MB)" BACKING="$(BACKING)"

bench-churn bench-fragmentation bench-footprint bench-latency bench-density:
	@$(BENCH_ENV) scripts/$@

bench-blockmap:
	@scripts/bench-blockmap $(if $(SIZES),--sizes "$(SIZES)") $(if $(RUNS),--runs $(RUNS))

# Sizes and drivers are those of each part here.
bench bench-short:
	@$(BENCH_ENV) SIZE_MB= DRIVERS= BACKING= scripts/bench $(if $(filter %-short,$@),--short) $(PARTS)

help:
	@echo 'Modules:'
	@echo '  all             fpr.ko and virtio_fpr.ko for the running kernel;'
	@echo '                  KVER=RELEASE or KDIR=HEADERS for another one'
	@echo '  host            the host side, into build/host'
	@echo '  clean           remove what was built'
	@echo '  distclean       and the cache of kernels, root trees and QEMU'
	@echo '  dkms-install    install with DKMS, fprctl and man pages (KVER=)'
	@echo '  dkms-remove     remove all of it'
	@echo 'To see it:'
	@echo '  demo            a stock guest gives memory back to a stock QEMU, with'
	@echo '                  the kernel'\''s driver and with fpr (2 to 5 minutes)'
	@echo '  demo-vendor     the same with fpr'\''s own device under QEMU 11, and how fast'
	@echo '                  memory comes when the host asks (4 to 9 minutes)'
	@echo '  bench-return    seconds until freed memory is back (SIZE_MB= KERNEL='
	@echo '                  BACKING=anon|memfd RUNS= DRIVERS="stock fpr vhost vfio")'
	@echo '  bench-balloon   seconds to inflate and deflate, discards, huge pages left'
	@echo '                  (SIZE_MB=2048 KERNEL= RUNS= DRIVERS="stock fpr" QEMU=11)'
	@echo '  bench-hotpath   instructions per page freed (KERNEL= HOOKS=all KINDS="4k thp")'
	@echo '  bench-churn     faults and time where memory is needed again soon'
	@echo '  bench-fragmentation  share of free memory that is back, every second 64 KiB free'
	@echo '  bench-footprint GiB*min of a Debian guest that compiles a package, build time'
	@echo '  bench-latency   who waits while memory is reported: allocator, interrupts'
	@echo '  bench-density   guests that fit into a fixed amount of memory'
	@echo '                  (all five: KERNEL=6.12-cloud RUNS= DRIVERS= SIZE_MB= BACKING=)'
	@echo '  bench-blockmap  what the core does for each block, in userspace, no guest: time'
	@echo '                  and memory for 16 GiB to 4 TiB (SIZES="16 1024" RUNS=)'
	@echo '  bench           all of them but the last, bench/results.json,'
	@echo '                  docs/benchmarks.md (hours; PARTS="churn latency" RUNS=3 KERNEL=)'
	@echo '  bench-short     the same in small, ten minutes; into bench/short'
	@echo 'To test it:'
	@echo '  check           each kind of fault once: 18 minutes on two processors'
	@echo '  check-all       everything on all kernels, debug kernels, mutations, soak, half-hour'
	@echo '                  torture: hours; goes on where it was interrupted (FRESH=1: anew)'
	@echo '  check-changed   what the files call for that differ from main (SINCE=COMMIT): minutes'
	@echo '                  all three: KERNEL= for what they have for that kernel, or for no kernel'
	@echo '                  tests/tiers has all tests, tests/README.md says how to use them; one'
	@echo '                  test: tests/run NAME (--kernel KERNEL); JOBS= tests at a time'
	@echo '  check-unit      pure parts in userspace, with sanitizers'
	@echo '  check-host      the host side, with sanitizers, and a short fuzz'
	@echo '  check-fprctl    fprctl on made-up machines'
	@echo '  check-static    sparse, checkpatch, shellcheck, cppcheck, clang-tidy, pyflakes'
	@echo '  check-build     all modules for every kernel; kernels and guests that are refused'
	@echo '  check-harness   the guest test harness itself fails when it should'
	@echo '  check-guest     tests in QEMU guests (KERNEL=: all of them on that one)'
	@echo '  check-libvirt   guests that libvirt starts, from the XML in docs/host.md'
	@echo '  check-dkms      install, rebuild and remove in a Debian root tree'
	@echo '  check-debug     guest tests on kernels of our own, with KASAN, lockdep,'
	@echo '                  kmemleak, shuffled pages (DEBUG_KERNELS="6.1-debug 6.12-debug")'
	@echo '  matrix          every kernel with every hook kind: builds, boots, a table'
	@echo '                  (KERNELS= HOOKS= TESTS=)'
	@echo '  fuzz            fuzzers of the host side, 10 minutes each (SECONDS=)'
	@echo '  mutate          deliberate mistakes are noticed by the tests'
	@echo '  soak            $(CYCLES) load/unload cycles under load (CYCLES= KERNEL=)'
	@echo '  torture         everything at once, from a seed (MINUTES=5 KERNEL= SEED='
	@echo '                  PROFILE=mixed|overwrite|virtio|big|small|all)'
	@echo 'Kernels: scripts/fetch-kernel --list'
