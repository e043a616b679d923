// SPDX-License-Identifier: GPL-2.0-only
/*
 * wordfreq FILE: the ten most frequent words of a text.  A small program with
 * some functions of its own, for perf to look at.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
	struct word *next;
	unsigned long count;
	size_t length;
	char text[];
};

#define BUCKETS 32768

static struct word *table[BUCKETS];
static size_t words;

static __attribute__((noinline)) unsigned int hash_word(const char *s, size_t n)
{
	unsigned int h = 2166136261u;

	while (n--)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h % BUCKETS;
}

static __attribute__((noinline)) void count_word(const char *s, size_t n)
{
	struct word **bucket = &table[hash_word(s, n)], *w;

	for (w = *bucket; w; w = w->next)
		if (w->length == n && !memcmp(w->text, s, n))
			break;
	if (!w) {
		w = malloc(sizeof(*w) + n);
		if (!w)
			exit(1);
		w->next = *bucket;
		w->count = 0;
		w->length = n;
		memcpy(w->text, s, n);
		*bucket = w;
		words++;
	}
	w->count++;
}

static __attribute__((noinline)) void split_line(const char *s)
{
	while (*s) {
		const char *start;

		while (*s && !isalnum((unsigned char)*s))
			s++;
		start = s;
		while (isalnum((unsigned char)*s))
			s++;
		if (s > start)
			count_word(start, s - start);
	}
}

static int by_count(const void *a, const void *b)
{
	const struct word *x = *(struct word *const *)a;
	const struct word *y = *(struct word *const *)b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct word **sorted, *w;
	char line[4096];
	size_t i, n = 0;
	FILE *f;

	if (argc != 2 || !(f = fopen(argv[1], "r"))) {
		fprintf(stderr, "usage: wordfreq FILE\n");
		return 2;
	}
	while (fgets(line, sizeof(line), f))
		split_line(line);
	fclose(f);
	sorted = malloc((words + 1) * sizeof(*sorted));
	if (!sorted)
		return 1;
	for (i = 0; i < BUCKETS; i++)
		for (w = table[i]; w; w = w->next)
			sorted[n++] = w;
	qsort(sorted, n, sizeof(*sorted), by_count);
	for (i = 0; i < n && i < 10; i++)
		printf("%8lu %.*s\n", sorted[i]->count, (int)sorted[i]->length,
		       sorted[i]->text);
	return 0;
}
