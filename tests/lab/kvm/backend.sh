#!/bin/sh
# The module by itself, driven by a VMM of a page: who may call, where an area
# may be, counts of loops of known length, vCPUs that change threads, hostile
# guests, VMMs that are killed.
# kvm-lab: --no-guest-module
# all: smp --smp
. lib.sh
pvpmu-kvm-selftest
is "status of pvpmu-kvm-selftest" $? 0
unload_host
is "the module unloads" $? 0
end
