# SPDX-License-Identifier: GPL-2.0
# fpr: free page reporting for stock Linux guests.  "make help" lists the targets.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build

M_DIR := $(CURDIR)
CONF := src/compat/fpr-conf.h
KMAKE = $(MAKE) -C $(KDIR) M=$(M_DIR)

.PHONY: all modules modules-test conf clean help

all: modules

conf:
	@scripts/conftest/conftest $(KDIR) $(CONF)

modules: conf
	$(KMAKE) modules

modules-test: conf
	$(KMAKE) FPR_TESTS=m modules

clean:
	rm -rf build bench $(CONF)
	@find . -name .git -prune -o \( -name '*.o' -o -name '*.ko' -o \
		-name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' -o \
		-name '*.o.d' -o -name modules.order -o \
		-name Module.symvers -o -name .module-common.o \) \
		-type f -exec rm -f {} +
