#!/bin/sh
# Xen booted without pvpmu: the driver says so and stays out.
# xen-lab: --no-pvpmu
. lib.sh
for type in pvh pv; do
	stays_out "$type guest" lab-guest run a --type $type --tiny --no-module -- sh -c
done
stays_out dom0 sh -c
check "the hypervisor says nothing of it" sh -c '! xl dmesg | grep "pvpmu:"'
pvpmuctl list
is "the administrator's command fails" $? 1
end
