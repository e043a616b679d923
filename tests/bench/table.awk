# Makes a table, or JSON, of the lines of pvbench.
BEGIN { FS = "\t" }
NF != 9 { next }
{
	if (!($2 in seen)) {
		seen[$2] = 1
		order[++n] = $2
	}
	for (i = 4; i <= 9; i++)
		value[$1, $2, i] = $i
	have[$1, $2] = 1
}
function ratio(mine, peer) {
	return peer > 0 ? sprintf("%.2f", mine / peer) : "-"
}
function cell(who, name, column, format) {
	return (who, name) in have ? sprintf(format, value[who, name, column]) : "-"
}
function json_case(name,    who, w, first, out) {
	split("vpmu none pvpmu", who, " ")
	out = "{\"case\":\"" name "\""
	for (w = 1; w <= 3; w++)
		if ((who[w], name) in have)
			out = out sprintf(",\"%s\":{\"exits\":%s,\"msr_exits\":%s,\"rdpmc_exits\":%s,\"hypercalls\":%s,\"host_instructions\":%s,\"guest_instructions\":%s}",
					  who[w], value[who[w], name, 4], value[who[w], name, 5], value[who[w], name, 6],
					  value[who[w], name, 7], value[who[w], name, 8], value[who[w], name, 9])
	print out "}"
}
END {
	if (json) {
		for (k = 1; k <= n; k++)
			json_case(order[k])
		exit
	}
	printf "%-38s %27s %31s %7s %23s\n", "", "VM exits (vPMU for it)", "host instructions", "", "guest instructions"
	printf "%-38s %17s %9s %15s %15s %7s %11s %11s\n", "per operation", "vPMU", "pvpmu", "vPMU", "pvpmu", "ratio", "vPMU", "pvpmu"
	for (k = 1; k <= n; k++) {
		c = order[k]
		peer = (("vpmu", c) in have) ? sprintf("%.1f (%.1f)", value["vpmu", c, 4], value["vpmu", c, 5] + value["vpmu", c, 6]) : "-"
		printf "%-38s %17s %9s %15s %15s %7s %11s %11s\n", c, peer, cell("pvpmu", c, 4, "%.1f"),
			cell("vpmu", c, 8, "%d"), cell("pvpmu", c, 8, "%d"),
			(("vpmu", c) in have && ("pvpmu", c) in have) ? ratio(value["pvpmu", c, 8], value["vpmu", c, 8]) : "-",
			cell("vpmu", c, 9, "%d"), cell("pvpmu", c, 9, "%d")
		if (("none", c) in have)
			printf "%-38s %17s %9s %15s\n", "  the same with no module loaded", cell("none", c, 4, "%.1f"), "", cell("none", c, 8, "%d")
	}
}
