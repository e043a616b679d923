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

seconds() { cut -d . -f 1 /proc/uptime; }

# comes_to NAME WANTED COMMAND...: PASS as soon as COMMAND prints it, which may be
# later, or not at every moment; FAIL when it did not in two minutes.  What is judged
# is what was read, never what a second look would find.
comes_to() {
	name=$1 wanted=$2 deadline=$(($(seconds) + 120))
	shift 2
	while got=$("$@"); [ "$got" != "$wanted" ] && [ "$(seconds)" -lt $deadline ]; do
		sleep 0.05
	done
	is "$name" "$got" "$wanted"
}

# at_most NAME GOT LIMIT
at_most() {
	if [ "$2" -le "$3" ]; then pass "$1: $2"; else fail "$1: $2, more than $3"; fi
}

# how far a long script is
stage() { echo "-- $* (at $(seconds) s)"; }

# last word of a script
end() { exit $bad; }

load_host() { insmod /lab/modules/pvpmu_kvm.ko "$@"; }
unload_host() { rmmod pvpmu_kvm; }

# vcpu_thread GUEST: the thread that runs its first vCPU
vcpu_thread() {
	f=$(grep -l '^CPU 0/KVM' /proc/"$(lab-guest pid "$1")"/task/*/comm)
	basename "$(dirname "$f")"
}

# stays_out NAME COMMAND [ARG]...: where COMMAND runs a shell command, loading
# the driver fails, and it says why
stays_out() {
	who=$1
	shift
	"$@" 'insmod /lab/modules/pvpmu.ko; echo "status $?"
		dmesg | grep pvpmu: | tail -n 1
		[ -e /sys/module/pvpmu ] || echo out' >/tmp/stays-out
	cat /tmp/stays-out
	check "$who: refused" grep -q 'status [1-9]' /tmp/stays-out
	check "$who: message: $(sed -n 's/.*pvpmu: //p' /tmp/stays-out)" \
		grep -q 'pvpmu: .*host' /tmp/stays-out
	check "$who: not loaded" grep -q '^out' /tmp/stays-out
}

# near NAME GOT WANTED [PERCENT]: within 5% or as many as said
near() {
	if awk "BEGIN { off = ${4:-5} / 100; exit !($2 >= $3 * (1 - off) && $2 <= $3 * (1 + off)) }"; then
		pass "$1: $2 (truth $3)"
	else
		fail "$1: $2, truth $3"
	fi
}

# forget_panic GUEST: that it had one is no finding, what it said before may be
forget_panic() { sed -i '/Kernel panic/,$d' "/run/lab/$1/log"; }

# serve_start GUEST [OPTION]...: a guest that runs what ask gives it
serve_start() {
	server=$1
	lab-guest start "$@" -- sh -c '
		n=0
		echo "-- 0"
		while c=$(lab-await); do
			n=$((n + 1))
			eval "$c" 2>&1
			echo "-- $n"
		done'
	lab-guest ready "$server" || server_ended
	answered 0
}

# nothing more can be asked
server_ended() {
	fail "the guest $server ended"
	end
}

# answered N: waits until the guest has carried out N commands
answered() {
	until lab-guest out "$server" | grep -q "^-- $1\$"; do
		kill -0 "$(lab-guest pid "$server")" 2>/dev/null || server_ended
		sleep 0.2
	done
}

# ask COMMAND: its output in the guest
ask() {
	n=$(lab-guest out "$server" | grep -c '^-- ')
	lab-guest tell "$server" "$1"
	answered "$n"
	lab-guest out "$server" | awk -v from="-- $((n - 1))" '
		/^-- / { on = $0 == from; next }
		on'
}

serve_end() {
	lab-guest tell "$server" exit
	lab-guest wait "$server"
}

# hold CPU N [ON OFF]: the host takes N counters of a CPU, until release; share
# then says which part of its time was left to the vCPU of serve_start
hold() {
	hog "$@" ${4:+"$(vcpu_thread "$server")"} >/tmp/share &
	hog=$!
	noted=0
	sleep 0.1
}
release() {
	kill -TERM $hog
	wait $hog
}
share() { tail -n 1 /tmp/share; }
# note_share: how far it is; share_between FROM TO: which part between the notes FROM
# and TO, which are numbers from 1
note_share() {
	kill -USR1 $hog
	noted=$((noted + 1))
	until [ "$(grep -c '^at' /tmp/share)" -ge $noted ]; do
		sleep 0.02
	done
}
share_between() {
	awk -v from="$1" -v to="$2" '
		/^at/ { n++; enabled[n] = $2; running[n] = $3 }
		END { printf "%.2f\n", 100 * (running[to] - running[from]) /
			(enabled[to] - enabled[from]) }' /tmp/share
}

# field N LINE: of perf stat -x,
field() { echo "$2" | cut -d , -f "$1"; }
