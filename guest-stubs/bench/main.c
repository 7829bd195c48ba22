/* SPDX-License-Identifier: MIT */
/*
 * bench - what each hot path costs, on any hypervisor with the Xen ABI.
 *
 * Claim: none of its own; the figures are compared by scripts/bench.  Runs as
 * Dom0.  Plan: measure the empty bracket, then go through the areas.
 *
 * Command line: only=PREFIX[,PREFIX...] chooses operations, area=NAME one
 * area, n=N lowers the number of iterations.
 */
#include "bench.h"

const char stub_name[] = "bench";

static uint64_t samples[BENCH_MAX];
static unsigned int sample_count;
static const char *sample_name;
static uint64_t bracket; /* cost of two bench_tsc() with nothing between */

/* Value of key=... on the command line, up to a space; NULL: not there. */
static const char *option(const char *key)
{
    const char *line = (const char *)start_info->cmd_line;
    size_t len = strlen(key);

    for (; *line; line++) {
        if (strncmp(line, key, len) == 0 && line[len] == '=') {
            return line + len + 1;
        }
        while (*line && *line != ' ') {
            line++;
        }
        if (!*line) {
            break;
        }
    }
    return NULL;
}

/* Is one of the comma-separated prefixes at @list one of @name? */
static bool chosen(const char *list, const char *name)
{
    while (list && *list && *list != ' ') {
        size_t len = 0;

        while (list[len] && list[len] != ',' && list[len] != ' ') {
            len++;
        }
        if (len && strncmp(list, name, len) == 0) {
            return true;
        }
        list += len + (list[len] == ',');
    }
    return false;
}

bool bench_begin(const char *name)
{
    const char *only = option("only");

    sample_name = name;
    sample_count = 0;
    return !only || chosen(only, name);
}

unsigned int bench_count(unsigned int wanted)
{
    unsigned long limit = cmdline_number("n", BENCH_MAX);

    return wanted < limit ? wanted : (unsigned int)limit;
}

void bench_sample(uint64_t tsc)
{
    if (sample_count < BENCH_MAX) {
        samples[sample_count++] = tsc > bracket ? tsc - bracket : 0;
    }
}

/* Shell sort: no stack, no worst case that matters at this size. */
static void sort_samples(void)
{
    unsigned int gap, i, j;

    for (gap = sample_count / 2; gap; gap /= 2) {
        for (i = gap; i < sample_count; i++) {
            uint64_t value = samples[i];

            for (j = i; j >= gap && samples[j - gap] > value; j -= gap) {
                samples[j] = samples[j - gap];
            }
            samples[j] = value;
        }
    }
}

void bench_end(void)
{
    if (!sample_count) {
        bench_absent(sample_name, 0);
        return;
    }
    sort_samples();
    print("BENCH %s %lu %lu %lu %u\n", sample_name, samples[0],
          samples[sample_count / 2], samples[sample_count - 1], sample_count);
}

void bench_value(const char *name, uint64_t value)
{
    if (bench_begin(name)) {
        print("BENCH %s %lu %lu %lu 1\n", name, value, value, value);
    }
}

void bench_absent(const char *name, long rc)
{
    print("BENCH-ABSENT %s %ld\n", name, rc);
}

static void measure_bracket(void)
{
    unsigned int i;

    bracket = 0;
    sample_count = 0;
    for (i = 0; i < 100; i++) {
        uint64_t t0 = bench_tsc(), t1 = bench_tsc();

        bench_sample(t1 - t0);
    }
    sort_samples();
    bracket = samples[0];
    print("bench: empty bracket %lu\n", bracket);
}

static const struct bench_area *const areas[] = {
    &bench_calls,  &bench_bounces, &bench_emulate, &bench_paging,
    &bench_events, &bench_grants,  &bench_domains,
};

void stub_main(void)
{
    const char *wanted = option("area");
    uint64_t start = bench_tsc();
    unsigned int i;

    if (!wanted) {
        bench_value("boot_to_dom0", start); /* firmware included */
    }
    measure_bracket();
    for (i = 0; i < ARRAY_SIZE(areas); i++) {
        if (!wanted || chosen(wanted, areas[i]->name)) {
            areas[i]->run();
        }
    }
    report(VERDICT_SUCCESS, "all areas done");
}
