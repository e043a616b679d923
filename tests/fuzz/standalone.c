// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * In place of libFuzzer where there is none: runs a target once for each file
 * that is named, and for each in the directories that are.  Options of
 * libFuzzer are ignored.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

#define LONGEST (1u << 20)

static int run_file(const char *path)
{
	u8 *data = malloc(LONGEST);
	FILE *file = fopen(path, "rb");
	size_t len;

	if (!data || !file) {
		perror(path);
		exit(1);
	}
	len = fread(data, 1, LONGEST, file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, len);
	free(data);
	return 1;
}

static int run_directory(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	char name[4096];
	int runs = 0;

	if (!directory) {
		perror(path);
		exit(1);
	}
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		runs += run_file(name);
	}
	closedir(directory);
	return runs;
}

int main(int argc, char **argv)
{
	struct stat status;
	int runs = 0;
	int i;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			continue;
		if (!stat(argv[i], &status) && S_ISDIR(status.st_mode))
			runs += run_directory(argv[i]);
		else
			runs += run_file(argv[i]);
	}
	printf("%d inputs\n", runs);
	return 0;
}
