#!/bin/sh
# The administrator's command: what vCPUs do, limits and off and on, of one
# domain and of all, live.
# xen-lab: --dom0-mem 1200M
# all: smp --smp
. lib.sh
. ctl-lib.sh
ctl_guest a
ctl_guest b
ctl_live "$(xl domid a)" "$(xl domid b)" a

check "dom0 is in the list" [ -n "$(field 0 calls)" ]
pvpmuctl off 0
is "dom0 is switched off" "$(limit 0 slots_vcpu)" 0
pvpmuctl on 0
is "and on again" "$(limit 0 slots_vcpu)" 30

# domains that come later
pvpmuctl off all
is "off: all open ids" "$(field "$(xl domid b)" open)" 0
lab-guest run c --tiny --no-module -- sh -c 'insmod /lab/modules/pvpmu.ko'
is "hidden from a domain that comes: no such device" $? 19
xl destroy b
end
