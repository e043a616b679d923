# shellcheck shell=dash
# What the tests on the KVM host share: . lib.sh
bad=0

pass() { echo "PASS $*"; }

fail() {
	echo "FAIL $*"
	bad=1
}

# check NAME CONDITION...: PASS when the command is true
check() {
	name=$1
	shift
	if "$@"; then pass "$name"; else fail "$name: $*"; fi
}

# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then pass "$1: $2"; else fail "$1: $2, expected $3"; fi
}

# at_most NAME GOT LIMIT
at_most() {
	if [ "$2" -le "$3" ]; then pass "$1: $2"; else fail "$1: $2, more than $3"; fi
}

# how far a long script is
stage() { echo "-- $* (at $(cut -d . -f 1 /proc/uptime) s)"; }

# last word of a script
end() { exit $bad; }

load_host() { insmod /lab/modules/pvpmu_kvm.ko "$@"; }
unload_host() { rmmod pvpmu_kvm; }
