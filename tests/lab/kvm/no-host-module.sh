#!/bin/sh
# A guest whose host has no pvpmu: the driver says so and stays out, also when
# the host had it before.
# kvm-lab: --no-host-module
. lib.sh
try='insmod /lab/modules/pvpmu.ko; echo "status $?"; dmesg | grep pvpmu: | tail -n 1; [ ! -e /sys/module/pvpmu ] && echo out'
lab-guest run a --tiny --no-module -- sh -c "$try" >/tmp/a
cat /tmp/a
check refused grep -q 'status [1-9]' /tmp/a
check "message: $(grep pvpmu: /tmp/a | sed 's/.*pvpmu: //')" grep -qi 'host' /tmp/a
check "not loaded" grep -q '^out' /tmp/a
load_host
lab-guest run b --tiny --no-module --pin 1 -- sh -c 'insmod /lab/modules/pvpmu.ko && workload count 1000000 1'
is "with the module it works" $? 0
unload_host
is "the module unloads" $? 0
lab-guest run c --tiny --no-module -- sh -c "$try" >/tmp/c
check "refused again" grep -q 'status [1-9]' /tmp/c
end
