#!/bin/sh
# The administrator's command: what vCPUs do, limits and off and on, of one VM
# and of all, live.
# all: smp --smp
. lib.sh
. ctl-lib.sh
params=/sys/module/pvpmu_kvm/parameters
ctl_guest a
ctl_guest b
vm=$(lab-guest pid a) other=$(lab-guest pid b)
ctl_live "$vm" "$other" a

lab-guest kill b
comes_to "lines of a VM that is gone" 0 lines "$other" pvpmuctl limits
pvpmuctl set "$other" slots_vm=1 2>/dev/null
is "a VM that is gone" $? 1

# VMs that come later, and the module's parameters
pvpmuctl set all slots_vm=5 classes=architectural
is "its parameter" "$(cat $params/slots_vm)" 5
is "its classes" "$(cat $params/classes)" basic
echo 6 >$params/slots_vm
is "a parameter is for all" "$(limit later slots_vm)" 6
unload_host
pvpmuctl list 2>/dev/null
is "without the module" $? 1
end
