#!/bin/sh
# shares.sh HOST: more events than counters, in a guest that is busy, switches, forks
# and idles.  Judged is the share of the time that perf shows for each event; the
# machine is one whose time is counted in instructions.
host=$1
bad=0
twelve=cycles,instructions,branches,branch-misses,cache-references,cache-misses
twelve=$twelve,stalled-cycles-frontend,stalled-cycles-backend,L1-dcache-loads
twelve=$twelve,L1-dcache-load-misses,dTLB-loads,dTLB-load-misses
sixteen=$twelve,L1-icache-loads,L1-icache-load-misses,iTLB-loads,iTLB-load-misses

# judge NAME LEAST MOST EVENTS: the shares on the input, a number each
judge() {
	if awk -v least="$2" -v most="$3" -v events="$4" '
		{ printf " %s", $1 }
		$1 !~ /^[0-9.]+$/ || $1 < least || $1 > most { bad = 1 }
		END { print ""; exit bad || NR != events }'; then
		echo "PASS shares/$host/$1"
	else
		echo "FAIL shares/$host/$1: not $4 of $2 to $3 percent"
		bad=1
	fi
}

spin() { # ROUNDS
	i=0
	while [ $i -lt "$1" ]; do i=$((i + 1)); done
}

pipes() { # ROUNDS
	i=0
	while [ $i -lt "$1" ]; do
		i=$((i + 1))
		[ $((i % 50)) != 0 ] || : | cat
	done
}

# The child of perf has this script's functions from $0.
case $1 in
--spin) spin "$2"; exit ;;
--forks)
	for _ in 1 2 3; do pipes "$2" & done
	wait
	exit
	;;
esac

count() { # FILE EVENTS COMMAND...
	file=$1 events=$2
	shift 2
	perf stat -x, -o "$file" -e "$events" -- "$0" "$@"
}

shares() { awk -F, '$3 != "" { print $5 == "" ? "-" : $5 }' "$@"; }

tasks() { # NAME EVENTS NUMBER LEAST MOST
	count /tmp/a "$2" --spin 20000
	shares /tmp/a | judge "$1-of-one-task" "$4" "$5" "$3"
	count /tmp/a "$2" --spin 20000 &
	count /tmp/b "$2" --spin 20000
	wait
	shares /tmp/a /tmp/b | judge "$1-of-each-of-two" "$4" "$5" $((2 * $3))
}

tasks twelve $twelve 12 35 65
tasks sixteen $sixteen 16 27 48
count /tmp/a $twelve --forks 8000
shares /tmp/a | judge twelve-inherited-with-forks 35 65 12
perf stat -a -I 1000 -x, -o /tmp/a -e $twelve sleep 5
for second in 1 2 3 4; do
	awk -F, -v n=$second '
		/^#/ || $4 == "" { next }
		$1 != last { last = $1; i++ }
		i == n { print $6 == "" ? "-" : $6 }' /tmp/a |
		judge "twelve-of-an-idle-second-$second" 30 70 12
done
exit $bad
