#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Free memory named to a host that migrates: all of it, once, whatever was reported,
# and nothing that reports go by is changed.
# vm: mem=512 smp=2 timeout=300 modules=fpr,fpr_testdev
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 28

dev=/sys/module/fpr_testdev/parameters
testdev() { cat "$dev/$1"; }
testdev_is() { [ "$(testdev "$1")" = "$2" ]; }
testdev_above() { [ "$(testdev "$1")" -gt "$2" ]; }
set_dev() { echo "$2" >"$dev/$1"; }
named() { testdev hint_pages; }
# named_more MIB: hints have named so much since $before
named_more() { [ $((($(named) - before) / 256)) -ge "$1" ]; }
mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt

modprobe fpr delay_ms=600000 threshold_kb=0
check "a device" modprobe fpr_testdev
check "all is reported" fpr_set flush 1
free_mib=$(($(meminfo MemFree) / 1024))
before=$(named)
reported=$(fpr stats/reported_pages)
counts=$(fpr stats/reported_free_pages)
set_dev hint 1
check "a request ends" wait_until 90 testdev_is hinted 1
in_range "most that is free was named, MiB" $((($(named) - before) / 256)) \
	$((free_mib * 3 / 4)) $((free_mib + 16))
equal "nothing was reported" "$(fpr stats/reported_pages)" "$reported"
# Less what the kernel took of it meanwhile
in_range "and what was still counts as such, pages" "$(fpr stats/reported_free_pages)" \
	$((counts - 2048)) "$counts"
before=$(named)
set_dev hint 2
check "another request" wait_until 90 testdev_is hinted 2
check "names it again" named_more $((free_mib * 3 / 4))
fpr_set flush 1

# What waits for its report goes on waiting.
dd if=/dev/zero of=/mnt/file bs=1M count=80 2>/dev/null
rm /mnt/file
reported=$(fpr stats/reported_pages)
before=$(named)
set_dev hint 3
check "what waits is named" wait_until 90 testdev_is hinted 3
check "with what else is free" named_more $((free_mib * 3 / 4))
equal "and not taken for reported" "$(fpr stats/reported_pages)" "$reported"
check "but stays a candidate" fpr_above stats/candidate_blocks 30
check "which is reported" fpr_set flush 1
in_range "in its turn, MiB" $((($(fpr stats/reported_pages) - reported) / 256)) 60 200

# Stopped and replaced, in batches of 4 MiB
fpr_set hold_kb 4096
set_dev delay_ms 200
ended=$(testdev hints_ended)
set_dev hint 4
wait_until 10 testdev_above hint_pages "$(named)"
set_dev hint 0
check "a request that is stopped ends soon" wait_until 3 testdev_is hinted 4
before=$(named)
sleep 1
equal "and names no more" "$(named)" "$before"
set_dev hint 5
wait_until 10 testdev_above hint_pages "$(named)"
set_dev hint 6
check "one that is replaced ends soon" wait_until 3 testdev_is hinted 5
set_dev delay_ms 0
check "and the other is served" wait_until 90 testdev_is hinted 6
equal "each has ended once" $(($(testdev hints_ended) - ended)) 3

# Paused
set_dev delay_ms 200
set_dev hint 7
wait_until 10 testdev_above hint_pages "$(named)"
check "a pause in the middle" fpr_set enabled 0
equal "ends the request" "$(testdev hinted)" 7
equal "nothing is held" "$(fpr stats/held_pages)" 0
set_dev delay_ms 0
set_dev hint 8
sleep 1
equal "while paused a request waits" "$(testdev hinted)" 7
fpr_set enabled 1
check "until it goes on" wait_until 90 testdev_is hinted 8

set_dev fail_every 1
before=$(named)
set_dev hint 9
check "a request that fails ends" wait_until 90 testdev_is hinted 9
check "with the first batch" test $((($(named) - before) / 256)) -le 8
set_dev fail_every 0
equal "the contract was kept" "$(testdev violations)" 0
set_dev delay_ms 200
set_dev hint 10
wait_until 10 testdev_above hint_pages "$(named)"
check "unload, with one under way and one waiting" sh -c \
	"echo 11 >$dev/hint; rmmod fpr_testdev && rmmod fpr"
