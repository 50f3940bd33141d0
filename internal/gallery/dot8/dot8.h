// Inner products of vectors of bytes. What each function promises stands in dot8.go.
#ifndef DOT8_H
#define DOT8_H

#include <stddef.h>
#include <stdint.h>

enum { DOT8_LONG = 512, DOT8_SHORT = 128, DOT8_ROWS = 16, DOT8_GROUP = DOT8_LONG * DOT8_ROWS };
enum { DOT8_PORTABLE = 0, DOT8_AVX2 = 1, DOT8_VNNI = 2 };

typedef struct {
	uint32_t row, probe;
	int32_t sum, picked;
} dot8_hit;

int dot8_supports(int kernel);
size_t dot8_scan(int kernel, const uint8_t *rows, uint32_t groups, const int8_t *probes, const int32_t *limits, uint32_t n, dot8_hit *out);
void dot8_pick(int kernel, const uint8_t *rows, const int8_t *probes, dot8_hit *hits, size_t n);

#endif
