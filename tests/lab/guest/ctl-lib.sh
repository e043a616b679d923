# shellcheck shell=dash
# What the tests of pvpmuctl on KVM's and on Xen's host share; after lib.sh.

# field VM FIELD: of its first vCPU
field() {
	pvpmuctl list --json |
		sed -n "s/.*\"vm\": $1, \"vcpu\": 0, .*\"$2\": \([0-9a-z]*\).*/\1/p"
}

# limit VM NAME: VM may be "later"
limit() {
	pvpmuctl limits | awk -v vm="$1" -v name="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i }
		$1 == vm { print $column }'
}

# ctl_guest NAME: one that counts with six events, twice with a pause
ctl_guest() {
	lab-guest start "$1" --tiny -- sh -c '
		workload hold 100000 & w=$!
		lab-mark up; lab-await >/dev/null
		kill $w; wait $w
		workload count 1000000 1 >/dev/null 2>&1; echo "small: $?"
		lab-mark small; lab-await >/dev/null
		workload count 1000000 1 >/dev/null 2>&1; echo "off: $?"
		lab-mark off; lab-await >/dev/null
		sleep 3
		workload count 1000000 3; echo "on: $?"'
	lab-guest await "$1" up
}

# What a guest has open is closed for as long as it executes another task: these are
# for comes_to.

# lines VM COMMAND...: how many COMMAND prints of it
lines() {
	vm=$1
	shift
	"$@" | awk -v vm="$vm" '$1 == vm { n++ } END { print n + 0 }'
}

# some COLUMN VM COMMAND...: yes when it is more than 0 in one of them
some() {
	column=$1 vm=$2
	shift 2
	"$@" | awk -v vm="$vm" -v column="$column" '
		$1 == vm && $column > 0 { some = "yes" }
		END { print some }'
}

# ctl_live VM OTHER NAME: all that can be done to VM, which is the guest NAME,
# leaves OTHER alone
ctl_live() {
	comes_to "open ids" 6 field "$1" open
	comes_to "the other VM's open ids" 6 field "$2" open
	comes_to "events that are shown" 6 lines "$1" pvpmuctl events
	comes_to "some have counts" yes some 6 "$1" pvpmuctl events
	comes_to "some overflow" yes some 7 "$1" pvpmuctl list
	comes_to "top shows rates" yes some 6 "$1" pvpmuctl top 2 1
	pvpmuctl list
	pvpmuctl limits
	pvpmuctl events
	is "its rate" "$(field "$1" overflow_rate)" 50000
	pvpmuctl set "$1" overflow_rate=1000 slots_vcpu=7 classes=basic,cache
	is "the new rate" "$(field "$1" overflow_rate)" 1000
	is "its classes" "$(limit "$1" classes)" basic,cache
	is "the other limits stay" "$(field "$1" slots_vm)" 1024
	is "the other VM's rate" "$(limit "$2" overflow_rate)" 50000
	is "that of those to come" "$(limit later overflow_rate)" 50000
	pvpmuctl set "$1" classes=standard
	is "a tier" "$(limit "$1" classes)" basic,cache,hypervisor
	pvpmuctl set "$1" nonsense=1 2>/dev/null
	is "a limit that does not exist" $? 2
	pvpmuctl set "$1" slots_vm=-1 2>/dev/null
	is "a limit that is not a number" $? 2
	pvpmuctl set "$1" classes=nonsense 2>/dev/null
	is "a class that does not exist" $? 2
	pvpmuctl set "$1" slots_vcpu=31 2>/dev/null
	is "more slots than there are" $? 1
	pvpmuctl set "$1" overflow_rate=0 2>/dev/null
	is "a rate of nothing" $? 1
	pvpmuctl set "$1" clock_period_min=1 2>/dev/null
	is "a clock that leaves no time" $? 1
	is "none of which was taken" "$(field "$1" overflow_rate) $(field "$1" slots_vcpu)" "1000 7"
	pvpmuctl set 9999999 slots_vm=1 2>/dev/null
	is "a VM that does not exist" $? 1
	pvpmuctl nonsense 2>/dev/null
	is "a command that does not exist" $? 2
	lab-guest tell "$3" go
	lab-guest await "$3" small
	pvpmuctl off "$1"
	is "off: open ids" "$(field "$1" open)" 0
	is "off: its area" "$(field "$1" area)" false
	comes_to "off: the other VM's open ids" 6 field "$2" open
	lab-guest tell "$3" go
	lab-guest await "$3" off
	pvpmuctl on "$1"
	lab-guest tell "$3" go
	lab-guest wait "$3"
	lab-guest out "$3"
	check "counts within small limits" sh -c "lab-guest out $3 | grep -q '^small: 0'"
	check "counts nothing while it is off" sh -c "lab-guest out $3 | grep -q '^off: [1-9]'"
	check "counts again" sh -c "lab-guest out $3 | grep -q '^on: 0'"
}
