#!/bin/sh
# A guest whose host has no pvpmu: the driver says so and stays out, also when
# the host had it before.
# kvm-lab: --no-host-module
. lib.sh
stays_out "without the module" lab-guest run a --tiny --no-module -- sh -c
load_host
lab-guest run b --tiny --no-module --pin 1 -- sh -c 'insmod /lab/modules/pvpmu.ko && workload count 1000000 1'
is "with the module it works" $? 0
unload_host
is "the module unloads" $? 0
stays_out "unloaded again" lab-guest run c --tiny --no-module -- sh -c
end
