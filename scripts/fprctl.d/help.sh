# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by fprctl: fprctl help, fprctl version.

summary() {
	cat <<'END'
usage: fprctl COMMAND [ARGUMENTS]

  status                  one screen: settings, memory, counters
  watch [SECONDS [COUNT]] a live table, one row per interval (default 1 s)
  doctor                  check every precondition and name the remedy
  bind [OPTION] [DEV]     give a device to fpr: its own, or the balloon device
  unbind [OPTION] [DEV]   give it back
  flush                   report every candidate now, return when it is done
  pause, resume           stop and start reporting
  set NAME VALUE          change a parameter until the module is unloaded
  get [NAME]              print a parameter or a counter, or all
  prefer [on|off]         prefer virtio_fpr to virtio_balloon at boot
  version                 print versions
  help [COMMAND]          this text, or more about a command

Exit status: 0 done, 1 failed (the reason and the remedy are on standard
error), 2 wrong usage.  More: man fprctl, man fpr
END
}

help_reading() {
	case $1 in
	status) cat <<'END' ;;
usage: fprctl status
Prints settings, memory and counters of the loaded fpr on one screen.
"reported now" is memory given to the host and not allocated since; "recycled"
is memory given away less than 10 s before it was used and freed again.  The
balloon is shown with the size that the host asks for; with several devices, which
one memory is reported to.  What the host discarded and refused is shown where it
says so, with fpr's own device.
END
	watch) cat <<'END' ;;
usage: fprctl watch [SECONDS [COUNT]]
Prints a row every SECONDS (default 1, fractions allowed), COUNT rows or for
ever.  Rates are per second over the interval; the header comes every 20 rows.
"kept" are candidates that stay a while longer, since as much was needed again soon
before.  How badly the host needs memory follows the state, where the device tells.
END
	doctor) cat <<'END' ;;
usage: fprctl doctor
Checks what fpr needs, one line each: ok, warn or fail, with the remedy.
Exit status 1 when any check failed, else 0.
END
	get) cat <<'END' ;;
usage: fprctl get [NAME]
Prints the value of a parameter, of state, device or pressure, of the balloon
(balloon_bytes, balloon_target_bytes) or of a counter; without NAME all of them
with their names.
END
	version) echo 'usage: fprctl version: versions of fprctl and of the modules' ;;
	help) summary ;;
	*) return 1 ;;
	esac
}

help_changing() {
	case $1 in
	bind | unbind) cat <<'END' ;;
usage: fprctl bind [--force] [DEVICE | --pci-id=VVVV:DDDD]
       fprctl unbind [DEVICE | --pci-id=VVVV:DDDD]
bind gives a device (such as virtio0) to fpr, loading the module when needed:
fpr's own device where there is one, else the virtio balloon device; with several
of a kind it has to be named.  unbind gives the balloon device back to
virtio_balloon; fpr's own then has no driver.  When the new driver fails, the old
one gets the device back.  Both kinds may be bound: memory is reported to fpr's own
device then, and the balloon device keeps its balloon and its statistics.

An inflated balloon goes back to the guest when its driver changes, and the new
driver inflates it again, to what the host asks for; both commands wait until it
has, or has got no further for 30 s.

--pci-id names a device of fpr's own by a vendor's PCI ids, as lspci -n shows
them: bind has the kernel's virtio-pci driver take it, unbind has it forget the
ids again, also after the module was unloaded.

bind refuses a balloon device on which the host does not offer reporting; --force
binds it all the same, for its balloon.
END
	flush) cat <<'END' ;;
usage: fprctl flush
Reports all free memory that waits, whatever its age, and returns when the host
has acknowledged it.
END
	pause | resume) cat <<'END' ;;
usage: fprctl pause
       fprctl resume
After pause no report is running and no memory is held (for example before a
snapshot).  After resume all free memory is looked at again.
END
	set) cat <<END ;;
usage: fprctl set NAME VALUE
Changes a parameter at once, until the module is unloaded.  To keep it, write
"options fpr NAME=VALUE" into /etc/modprobe.d/fpr.conf.  Names and ranges:
$(param_table | awk '$6 == "live" { printf "  %-18s %s to %s %s\n", $1, $2, $3, $4 == "-" ? "" : $4 }')
END
	prefer) cat <<'END' ;;
usage: fprctl prefer [on [--pci-id=VVVV:DDDD] | off]
Has virtio_fpr loaded at boot for fpr's own device, and before virtio_balloon, so
that it gets the balloon device (lines in /etc/modprobe.d/fpr.conf), or undoes
that.  --pci-id is for a device of fpr's own with a vendor's PCI ids, as for bind.
Without an argument prints which is the case.
END
	*) return 1 ;;
	esac
}

cmd_help() {
	if [ $# = 0 ]; then
		summary
		return
	fi
	help_reading "$1" || help_changing "$1" ||
		usage_error "no command \"$1\"; fprctl help lists them"
}

cmd_version() {
	[ $# = 0 ] || usage_error 'version takes no arguments'
	echo "fprctl $FPRCTL_VERSION"
	for module in fpr virtio_fpr; do
		version=$(rd "$SYS/module/$module/version")
		! loaded "$module" || echo "$module ${version:-(no version)}"
	done
}
