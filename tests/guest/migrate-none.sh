#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Without fpr: whether this QEMU keeps what a guest writes while it is migrated, so that
# migrate.sh can tell what fpr does to it.  QEMU 7.2 emulating does not: "--qemu
# qemu-system-x86_64" makes this red with the first migration.
# vm: mem=640 smp=2 timeout=180 files=memload,migrate-lib.sh qemu_version=11
# vm: alone="moves to another QEMU"
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
. /bin/migrate-lib.sh
plan 2

verify_begin
host_sync migrated >/dev/null
check "memory is as it was written" intact
verify_end
