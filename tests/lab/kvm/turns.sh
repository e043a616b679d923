#!/bin/sh
# More events than counters: each has its share, whatever the guest does.
# kvm-lab: --cpus 1
. lib.sh
lab-guest run a -- shares.sh kvm
is "all of it" $? 0
end
