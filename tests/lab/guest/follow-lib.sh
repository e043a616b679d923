# shellcheck shell=dash disable=SC2016,SC2034 # used by others, expanded by guests
# What the tests of migration on KVM and on Xen share: a guest that follows its
# counts, and what is to be seen of them; after lib.sh.  Needs from who sources
# it said GUEST: what the guest wrote to its ttyS2.

# ms that nothing may move for, and that may be lost; the driver promises 1500
limit=2500
# instructions of one round of the guest's loop, after which it looks at the clock
chunk=200000

# The guest's part, until it is told to end.  It says of its log what came since
# it was asked last.
follow_guest='
	follow >>/tmp/follow & f=$!
	lab-mark up
	while set -- $(lab-await); do
		case $1 in
		report)
			: >/tmp/follow
			kill -USR1 $f
			until [ "$(wc -l </tmp/follow)" = 4 ]; do sleep 0.1; done
			sed "s/^/$2 /" /tmp/follow >/dev/ttyS2
			;;
		log)
			dmesg | awk "/lab: asked/ { s = \"\" } /pvpmu:/ { s = s \$0 \"\\n\" } END { printf \"%s\", s }" |
				sed "s/^/$2 /" >/dev/ttyS2
			echo "<6>lab: asked" >/dev/kmsg
			;;
		end) break ;;
		esac
		lab-mark "$2"
	done
	kill $f'

# Beside it, perf record, which ends with samples_tell: how many there were, the
# longest time between two and since the last, in ms of the clock of both.
samples_take='perf record -q -a -e cycles -c 50000000 -o /tmp/record & r=$!'
samples_tell='
	echo "<6>lab: the end" >/dev/kmsg
	kill -INT $r
	wait $r
	now=$(dmesg | sed -n "s/^\[ *\([0-9.]*\)\] .*lab: the end.*/\1/p")
	perf script -i /tmp/record -F time 2>/dev/null | tr -d : |
		awk -v now="$now" "
			NR > 1 && \$1 - last > gap { gap = \$1 - last }
			{ last = \$1 }
			END { printf \"samples %d gap %d late %d\\n\", NR, gap * 1000, (now - last) * 1000 }" >/dev/ttyS2'

# samples_judge STAGE GUEST
samples_judge() {
	# shellcheck disable=SC2046 # samples N gap N late N
	set -- "$1" $(said "$2" | grep '^samples ')
	check "$1: perf record: ${3:-0} samples" [ "${3:-0}" -ge 50 ]
	at_most "$1: perf record: largest gap in ms" "${5:-99999}" $limit
	at_most "$1: perf record: ms since the last" "${7:-99999}" $limit
}

# has guest $1 do $2; leaves its lines in /tmp/$3
ask() {
	lab-guest tell "$1" "$2 $3"
	lab-guest await "$1" "$3"
	said "$1" | sed -n "s/^$3 //p" | tee "/tmp/$3"
}

# field EVENT NAME FILE: one of the numbers that follow tells
field() { sed -n "s/^follow $1 .*$2 \([0-9]*\).*/\1/p" "/tmp/$3"; }

# ms that the event was enabled and did not run
lost() { echo $((($(field "$1" enabled "$2") - $(field "$1" running "$2")) / 1000000)); }

# none_invented STAGE FILE: the task did not count more than it executed, which is
# a few instructions a round more than it knows
none_invented() {
	truth=$(field task truth "$2")
	missing=$((truth - $(field task value "$2")))
	check "$1: $missing instructions of $truth are missing, none too many" \
		[ $missing -ge -$((3 * chunk + truth / chunk * 20)) ]
	check "$1: what the task misses is told: $(lost task "$2") ms" \
		[ $missing -le $((3 * chunk)) -o "$(lost task "$2")" -gt 0 ]
}

# moves STAGE FILE EVENT...: they count, and say what they lost
moves() {
	what=$1 file=$2
	shift 2
	none_invented "$what" "$file"
	for e; do
		is "$what: $e: times that something went back" "$(field "$e" back "$file")" 0
		at_most "$what: $e: ms without movement" "$(field "$e" still "$file")" $limit
		at_most "$what: $e: ms not counted" "$(lost "$e" "$file")" $limit
		check "$what: $e: counts" [ "$(field "$e" value "$file")" -gt 0 ]
	done
}

# stands STAGE FILE EVENT...: the host does not count them, and they say so
stands() {
	what=$1 file=$2
	shift 2
	for e; do
		is "$what: $e: times that something went back" "$(field "$e" back "$file")" 0
		check "$what: $e: says that it did not run" \
			[ "$(lost "$e" "$file")" -ge 1000 ]
	done
}

all='task cpu cache samples'
