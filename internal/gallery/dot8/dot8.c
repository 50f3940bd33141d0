//go:build cgo

#include "dot8.h"

#include <string.h>

// How the sums of one group of rows are compared with the probes' limits: a lane is a row.
// Each kernel below computes the same integers; which one runs is chosen once by the caller.

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define X86 1
#endif

static inline int32_t load4(const int8_t *p) {
	int32_t v;
	memcpy(&v, p, 4); // the C standard's way to read four bytes at once
	return v;
}

static inline dot8_hit *emit(dot8_hit *out, uint32_t lanes, const int32_t *sums, uint32_t row, uint32_t probe) {
	while (lanes) {
		int lane = __builtin_ctz(lanes);
		lanes &= lanes - 1;
		out->row = row + lane;
		out->probe = probe;
		out->sum = sums[lane];
		out++;
	}
	return out;
}

static dot8_hit *group_portable(const uint8_t *rows, uint32_t first, const int8_t *probes, const int32_t *limits, uint32_t n, dot8_hit *out) {
	for (uint32_t p = 0; p < n; p++) {
		const int8_t *q = probes + (size_t)p * DOT8_LONG;
		int32_t sums[DOT8_ROWS] = {0};
		for (int k = 0; k < DOT8_LONG; k += 4)
			for (int lane = 0; lane < DOT8_ROWS; lane++) {
				const uint8_t *r = rows + (size_t)k * DOT8_ROWS + 4 * lane;
				sums[lane] += r[0] * q[k] + r[1] * q[k + 1] + r[2] * q[k + 2] + r[3] * q[k + 3];
			}
		uint32_t lanes = 0;
		for (int lane = 0; lane < DOT8_ROWS; lane++)
			lanes |= (uint32_t)(sums[lane] >= limits[p]) << lane;
		out = emit(out, lanes, sums, first, p);
	}
	return out;
}

static size_t scan_portable(const uint8_t *rows, uint32_t groups, const int8_t *probes, const int32_t *limits, uint32_t n, dot8_hit *out) {
	dot8_hit *start = out;
	for (uint32_t g = 0; g < groups; g++)
		out = group_portable(rows + (size_t)g * DOT8_GROUP, g * DOT8_ROWS, probes, limits, n, out);
	return out - start;
}

#ifdef X86

// Two groups of 16 rows at once against P probes: 2·P sums stay in registers (24 of 32 at P = 12),
// and a step costs two loads of rows and P of probes for 2·P instructions of 64 products each.
#define VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))

#define STEP(P) \
	VNNI static dot8_hit *vnni_##P(const uint8_t *rows, uint32_t first, int pair, const int8_t *probes, const int32_t *limits, uint32_t p0, dot8_hit *out) { \
		__m512i a[P], b[P]; \
		const uint8_t *second = pair ? rows + DOT8_GROUP : rows; \
		_Pragma("GCC unroll 12") for (int i = 0; i < P; i++) a[i] = b[i] = _mm512_setzero_si512(); \
		for (int k = 0; k < DOT8_LONG; k += 4) { \
			__m512i r = _mm512_loadu_si512(rows + (size_t)k * DOT8_ROWS); \
			__m512i s = _mm512_loadu_si512(second + (size_t)k * DOT8_ROWS); \
			_Pragma("GCC unroll 12") for (int i = 0; i < P; i++) { \
				__m512i q = _mm512_set1_epi32(load4(probes + (size_t)i * DOT8_LONG + k)); \
				a[i] = _mm512_dpbusd_epi32(a[i], r, q); \
				b[i] = _mm512_dpbusd_epi32(b[i], s, q); \
			} \
		} \
		_Pragma("GCC unroll 12") for (int i = 0; i < P; i++) { \
			__m512i limit = _mm512_set1_epi32(limits[i]); \
			uint32_t lanes = _mm512_cmpge_epi32_mask(a[i], limit); \
			uint32_t others = pair ? _mm512_cmpge_epi32_mask(b[i], limit) : 0; \
			if (lanes | others) { \
				int32_t sums[DOT8_ROWS]; \
				_mm512_storeu_si512(sums, a[i]); \
				out = emit(out, lanes, sums, first, p0 + i); \
				_mm512_storeu_si512(sums, b[i]); \
				out = emit(out, others, sums, first + DOT8_ROWS, p0 + i); \
			} \
		} \
		return out; \
	}

STEP(12)
STEP(4)
STEP(1)

static size_t scan_vnni(const uint8_t *rows, uint32_t groups, const int8_t *probes, const int32_t *limits, uint32_t n, dot8_hit *out) {
	dot8_hit *start = out;
	for (uint32_t g = 0; g < groups; g += 2) {
		const uint8_t *at = rows + (size_t)g * DOT8_GROUP;
		uint32_t first = g * DOT8_ROWS, p = 0;
		int pair = g + 1 < groups;
		for (; p + 12 <= n; p += 12)
			out = vnni_12(at, first, pair, probes + (size_t)p * DOT8_LONG, limits + p, p, out);
		for (; p + 4 <= n; p += 4)
			out = vnni_4(at, first, pair, probes + (size_t)p * DOT8_LONG, limits + p, p, out);
		for (; p < n; p++)
			out = vnni_1(at, first, pair, probes + (size_t)p * DOT8_LONG, limits + p, p, out);
	}
	return out - start;
}

// Eight rows at once against P probes. Bytes are taken apart into the even and the odd ones and
// multiplied as 16 bits: the instruction for bytes would saturate at 255 · 127 · 2.
#define AVX2 __attribute__((target("avx2")))

AVX2 static inline void pairs(const int8_t *p, __m256i *even, __m256i *odd) {
	__m256i q = _mm256_set1_epi32(load4(p));
	*even = _mm256_srai_epi16(_mm256_slli_epi16(q, 8), 8);
	*odd = _mm256_srai_epi16(q, 8);
}

AVX2 static dot8_hit *avx2_4(const uint8_t *rows, uint32_t first, const int8_t *probes, const int32_t *limits, uint32_t p0, uint32_t n, dot8_hit *out) {
	__m256i a[4][2];
	int32_t sums[4][DOT8_ROWS];
	const __m256i low = _mm256_set1_epi16(0xff);
	_Pragma("GCC unroll 4") for (int i = 0; i < 4; i++) a[i][0] = a[i][1] = _mm256_setzero_si256();
	for (int k = 0; k < DOT8_LONG; k += 4) {
		const uint8_t *r = rows + (size_t)k * DOT8_ROWS;
		__m256i r0 = _mm256_loadu_si256((const __m256i *)r), r1 = _mm256_loadu_si256((const __m256i *)(r + 32));
		__m256i even0 = _mm256_and_si256(r0, low), odd0 = _mm256_srli_epi16(r0, 8);
		__m256i even1 = _mm256_and_si256(r1, low), odd1 = _mm256_srli_epi16(r1, 8);
		_Pragma("GCC unroll 4") for (uint32_t i = 0; i < 4; i++) {
			__m256i even, odd;
			pairs(probes + (size_t)(i < n ? i : 0) * DOT8_LONG + k, &even, &odd);
			a[i][0] = _mm256_add_epi32(a[i][0], _mm256_add_epi32(_mm256_madd_epi16(even0, even), _mm256_madd_epi16(odd0, odd)));
			a[i][1] = _mm256_add_epi32(a[i][1], _mm256_add_epi32(_mm256_madd_epi16(even1, even), _mm256_madd_epi16(odd1, odd)));
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		__m256i below = _mm256_set1_epi32(limits[i]);
		uint32_t lanes = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(below, a[i][0])));
		lanes |= (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(below, a[i][1]))) << 8;
		_mm256_storeu_si256((__m256i *)sums[i], a[i][0]);
		_mm256_storeu_si256((__m256i *)(sums[i] + 8), a[i][1]);
		out = emit(out, ~lanes & 0xffff, sums[i], first, p0 + i);
	}
	return out;
}

static size_t scan_avx2(const uint8_t *rows, uint32_t groups, const int8_t *probes, const int32_t *limits, uint32_t n, dot8_hit *out) {
	dot8_hit *start = out;
	for (uint32_t g = 0; g < groups; g++)
		for (uint32_t p = 0; p < n; p += 4)
			out = avx2_4(rows + (size_t)g * DOT8_GROUP, g * DOT8_ROWS, probes + (size_t)p * DOT8_LONG, limits + p, p, n - p < 4 ? n - p : 4, out);
	return out - start;
}

#endif

int dot8_supports(int kernel) {
	switch (kernel) {
	case DOT8_PORTABLE:
		return 1;
#ifdef X86
	case DOT8_AVX2:
		return __builtin_cpu_supports("avx2") != 0;
	case DOT8_VNNI:
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni");
#endif
	}
	return 0;
}

size_t dot8_scan(int kernel, const uint8_t *rows, uint32_t groups, const int8_t *probes, const int32_t *limits, uint32_t n, dot8_hit *out) {
	switch (kernel) {
#ifdef X86
	case DOT8_VNNI:
		return scan_vnni(rows, groups, probes, limits, n, out);
	case DOT8_AVX2:
		return scan_avx2(rows, groups, probes, limits, n, out);
#endif
	}
	return scan_portable(rows, groups, probes, limits, n, out);
}

static void pick_portable(const uint8_t *rows, const int8_t *probes, dot8_hit *hits, size_t n) {
	for (size_t i = 0; i < n; i++) {
		const uint8_t *a = rows + (size_t)hits[i].row * DOT8_SHORT;
		const int8_t *b = probes + (size_t)hits[i].probe * DOT8_SHORT;
		int32_t sum = 0;
		for (int k = 0; k < DOT8_SHORT; k++)
			sum += a[k] * b[k];
		hits[i].picked = sum;
	}
}

#ifdef X86

AVX2 static void pick_avx2(const uint8_t *rows, const int8_t *probes, dot8_hit *hits, size_t n) {
	for (size_t i = 0; i < n; i++) {
		const uint8_t *a = rows + (size_t)hits[i].row * DOT8_SHORT;
		const int8_t *b = probes + (size_t)hits[i].probe * DOT8_SHORT;
		__m256i sum = _mm256_setzero_si256();
		_Pragma("GCC unroll 8") for (int k = 0; k < DOT8_SHORT; k += 16) {
			__m256i x = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(a + k)));
			__m256i y = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(b + k)));
			sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x, y));
		}
		__m128i s = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
		s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
		s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
		hits[i].picked = _mm_cvtsi128_si32(s);
	}
}

#endif

void dot8_pick(int kernel, const uint8_t *rows, const int8_t *probes, dot8_hit *hits, size_t n) {
	switch (kernel) {
#ifdef X86
	case DOT8_VNNI: // every processor with AVX-512 has AVX2
	case DOT8_AVX2:
		pick_avx2(rows, probes, hits, n);
		return;
#endif
	}
	pick_portable(rows, probes, hits, n);
}
