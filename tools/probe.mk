# SPDX-License-Identifier: GPL-2.0
#
# For the makefile of a kernel's build that has a file "probes": makes probed.h of
# it, see probe-kernel, before any of the objects in probed-objs.  Another kernel
# or compiler has it made again, as the command differs.
#
# probe-tools: where probe-kernel is; probe-flags: with which the kernel compiles

quiet_cmd_probe = PROBE   $@
      cmd_probe = $(probe-tools)/probe-kernel $(src)/probes $(CC) $(probe-flags) >$@.new; \
	mv $@.new $@

$(obj)/probed.h: $(src)/probes $(probe-tools)/probe-kernel FORCE
	$(call if_changed,probe)

targets += probed.h
clean-files += probed.h
$(addprefix $(obj)/,$(probed-objs)): $(obj)/probed.h
