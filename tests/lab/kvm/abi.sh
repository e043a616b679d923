#!/bin/sh
# Wrong calls get their documented errors and change nothing; user mode is
# refused.
# kvm-lab: --module tests/lab/guest/pvpmu_abitest
. lib.sh
lab-guest run a --tiny --no-module -- sh -c 'abitest.sh && ring3'
is "all of it" $? 0
end
