// Inner products of vectors of bytes. What each name promises stands in dot8.go.
#ifndef DOT8_H
#define DOT8_H

#include <stddef.h>
#include <stdint.h>

enum { DOT8_LONG = 512, DOT8_SHORT = 128, DOT8_ROWS = 16 };
enum { DOT8_PORTABLE = 0, DOT8_AVX2 = 1, DOT8_VNNI = 2 };

typedef struct {
	int32_t least;
	float per_long, per_root, base, per_short, low;
} dot8_limit;

typedef struct {
	uint32_t row, probe;
	int32_t longs, shorts;
} dot8_hit;

int dot8_supports(int kernel);
size_t dot8_scan(int kernel, const uint8_t *row_longs, const uint8_t *row_shorts, const float *squares, uint32_t groups,
	const int8_t *probe_longs, const int8_t *probe_shorts, const dot8_limit *limits, uint32_t probes, dot8_hit *out);

#endif
