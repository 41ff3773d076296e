# SPDX-License-Identifier: GPL-2.0
# Included by Makefiles that build into $(OUT), after it is set and before all rules.
# Two makes at once would write the same files.  So the goals are left to a second
# make, with UNDER_LOCK set, that runs under a lock; whoever has to wait says so.
# Goals in NO_LOCK are left alone.

ifndef UNDER_LOCK
GOALS := $(filter-out $(NO_LOCK),$(MAKECMDGOALS))
# Beside the folder, so that "clean" does not remove it
LOCK := $(patsubst %/,%,$(OUT)).lock

.PHONY: under-lock $(GOALS)
under-lock:
	@mkdir -p $(dir $(LOCK)) && exec 9>$(LOCK) && { flock -n 9 || \
		{ echo "make: another make is at work in $(OUT); waiting for it" >&2; flock 9; }; } && \
	$(MAKE) --no-print-directory UNDER_LOCK=1 $(GOALS)

$(GOALS): under-lock ; @:
endif
