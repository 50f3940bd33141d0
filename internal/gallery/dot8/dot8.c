//go:build cgo

#include "dot8.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define X86 1
#endif

typedef struct {
	const uint8_t *longs, *shorts; // whole groups
	const float *squares;
	uint32_t groups;
} dot8_rows;

typedef struct {
	const int8_t *longs, *shorts;
	const dot8_limit *limits;
	uint32_t n;
} dot8_probes;

// Bytes of a group of rows.
#define LONGS ((size_t)DOT8_LONG * DOT8_ROWS)
#define SHORTS ((size_t)DOT8_SHORT * DOT8_ROWS)

// Reads four bytes at once, wherever they lie.
static inline int32_t load4(const int8_t *p) {
	int32_t v;
	memcpy(&v, p, 4);
	return v;
}

// Writes the hits of one group with one probe: lane i is row first + i.
static dot8_hit *emit(dot8_hit *out, uint32_t lanes, const int32_t *longs, const int32_t *shorts, uint32_t first, uint32_t probe) {
	for (; lanes; lanes &= lanes - 1) {
		int lane = __builtin_ctz(lanes);
		*out++ = (dot8_hit){first + lane, probe, longs[lane], shorts[lane]};
	}
	return out;
}

// The portable kernel.

static void sum_portable(const uint8_t *rows, const int8_t *probe, int length, int32_t *sums) {
	memset(sums, 0, DOT8_ROWS * sizeof *sums);
	for (int k = 0; k < length; k += 4)
		for (int lane = 0; lane < DOT8_ROWS; lane++) {
			const uint8_t *r = rows + (size_t)k * DOT8_ROWS + 4 * lane;
			sums[lane] += r[0] * probe[k] + r[1] * probe[k + 1] + r[2] * probe[k + 2] + r[3] * probe[k + 3];
		}
}

// Whether a pair passes; each product is rounded by itself, so that every kernel gives the same.
static int passes(const dot8_limit *l, int32_t longs, int32_t shorts, float square) {
	volatile float a = l->per_short * (float)shorts, b = l->per_long * (float)longs;
	float under = l->base + square - a;
	volatile float c = l->per_root * sqrtf(under > 0 ? under : 0);
	return longs >= l->least && b - c >= l->low;
}

static size_t scan_portable(const dot8_rows *rows, const dot8_probes *probes, dot8_hit *out) {
	dot8_hit *start = out;
	int32_t longs[DOT8_ROWS], shorts[DOT8_ROWS];
	for (uint32_t g = 0; g < rows->groups; g++)
		for (uint32_t p = 0; p < probes->n; p++) {
			const dot8_limit *l = probes->limits + p;
			uint32_t lanes = 0;
			sum_portable(rows->longs + g * LONGS, probes->longs + (size_t)p * DOT8_LONG, DOT8_LONG, longs);
			for (int i = 0; i < DOT8_ROWS; i++)
				lanes |= longs[i] >= l->least;
			if (!lanes)
				continue;
			sum_portable(rows->shorts + g * SHORTS, probes->shorts + (size_t)p * DOT8_SHORT, DOT8_SHORT, shorts);
			lanes = 0;
			for (int i = 0; i < DOT8_ROWS; i++)
				lanes |= (uint32_t)passes(l, longs[i], shorts[i], rows->squares[g * DOT8_ROWS + i]) << i;
			out = emit(out, lanes, longs, shorts, g * DOT8_ROWS, p);
		}
	return out - start;
}

#ifdef X86

// AVX-512 with VNNI: two groups of 16 rows at once against P probes. 2·P sums stay in registers (24
// of 32 at P = 12), and a step costs two loads of rows and P of probes for 2·P instructions of 64 products each.
// The arithmetic of the limits has its rounding written out, which keeps the compiler from fusing it.
#define VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define NEAREST (_MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define EACH(N) _Pragma("GCC unroll 12") for (int i = 0; i < N; i++)

VNNI static inline uint32_t passes_vnni(const dot8_limit *l, __m512i longs, __m512i shorts, __m512 squares) {
	__m512 a = _mm512_mul_round_ps(_mm512_set1_ps(l->per_short), _mm512_cvtepi32_ps(shorts), NEAREST);
	__m512 b = _mm512_mul_round_ps(_mm512_set1_ps(l->per_long), _mm512_cvtepi32_ps(longs), NEAREST);
	__m512 under = _mm512_sub_round_ps(_mm512_add_round_ps(_mm512_set1_ps(l->base), squares, NEAREST), a, NEAREST);
	__m512 root = _mm512_sqrt_ps(_mm512_max_ps(under, _mm512_setzero_ps()));
	__m512 c = _mm512_mul_round_ps(_mm512_set1_ps(l->per_root), root, NEAREST);
	return _mm512_cmp_ps_mask(_mm512_sub_round_ps(b, c, NEAREST), _mm512_set1_ps(l->low), _CMP_GE_OQ);
}

#define SUMS(P, LENGTH, ROWS0, ROWS1, PROBES) \
	EACH(P) a[i] = b[i] = _mm512_setzero_si512(); \
	for (int k = 0; k < LENGTH; k += 4) { \
		__m512i r = _mm512_loadu_si512(ROWS0 + (size_t)k * DOT8_ROWS); \
		__m512i s = _mm512_loadu_si512(ROWS1 + (size_t)k * DOT8_ROWS); \
		EACH(P) { \
			__m512i q = _mm512_set1_epi32(load4(PROBES + (size_t)i * LENGTH + k)); \
			a[i] = _mm512_dpbusd_epi32(a[i], r, q); \
			b[i] = _mm512_dpbusd_epi32(b[i], s, q); \
		} \
	}

// Where one of P probes has a row whose long product suffices, the short products of these P decide.
// g0 and g1 are the two groups; the same one twice where there is no second.
#define DECIDE(P) \
	VNNI static dot8_hit *decide_vnni_##P(const dot8_rows *rows, uint32_t g0, uint32_t g1, const dot8_probes *probes, uint32_t p, \
		const __m512i *long0, const __m512i *long1, dot8_hit *out) { \
		__m512i a[P], b[P]; \
		uint32_t lanes[2][P], any = 0; \
		int32_t longs[DOT8_ROWS], shorts[DOT8_ROWS]; \
		EACH(P) { \
			__m512i least = _mm512_set1_epi32(probes->limits[p + i].least); \
			lanes[0][i] = _mm512_cmpge_epi32_mask(long0[i], least); \
			lanes[1][i] = g1 == g0 ? 0 : _mm512_cmpge_epi32_mask(long1[i], least); \
			any |= lanes[0][i] | lanes[1][i]; \
		} \
		if (!any) \
			return out; \
		const int8_t *from = probes->shorts + (size_t)p * DOT8_SHORT; \
		SUMS(P, DOT8_SHORT, (rows->shorts + g0 * SHORTS), (rows->shorts + g1 * SHORTS), from) \
		EACH(P) { \
			const dot8_limit *l = probes->limits + p + i; \
			lanes[0][i] &= passes_vnni(l, long0[i], a[i], _mm512_loadu_ps(rows->squares + g0 * DOT8_ROWS)); \
			lanes[1][i] &= passes_vnni(l, long1[i], b[i], _mm512_loadu_ps(rows->squares + g1 * DOT8_ROWS)); \
			if (lanes[0][i]) { \
				_mm512_storeu_si512(longs, long0[i]); \
				_mm512_storeu_si512(shorts, a[i]); \
				out = emit(out, lanes[0][i], longs, shorts, g0 * DOT8_ROWS, p + i); \
			} \
			if (lanes[1][i]) { \
				_mm512_storeu_si512(longs, long1[i]); \
				_mm512_storeu_si512(shorts, b[i]); \
				out = emit(out, lanes[1][i], longs, shorts, g1 * DOT8_ROWS, p + i); \
			} \
		} \
		return out; \
	}

DECIDE(4)
DECIDE(1)

#define TILE(P, FEW) \
	VNNI static dot8_hit *tile_vnni_##P(const dot8_rows *rows, uint32_t g0, uint32_t g1, const dot8_probes *probes, uint32_t p, dot8_hit *out) { \
		__m512i a[P], b[P], long0[P], long1[P]; \
		const int8_t *from = probes->longs + (size_t)p * DOT8_LONG; \
		SUMS(P, DOT8_LONG, (rows->longs + g0 * LONGS), (rows->longs + g1 * LONGS), from) \
		EACH(P) { \
			long0[i] = a[i]; \
			long1[i] = b[i]; \
		} \
		for (int i = 0; i < P; i += FEW) \
			out = decide_vnni_##FEW(rows, g0, g1, probes, p + i, long0 + i, long1 + i, out); \
		return out; \
	}

TILE(12, 4)
TILE(4, 4)
TILE(1, 1)

static size_t scan_vnni(const dot8_rows *rows, const dot8_probes *probes, dot8_hit *out) {
	dot8_hit *start = out;
	for (uint32_t g = 0; g < rows->groups; g += 2) {
		uint32_t second = g + 1 < rows->groups ? g + 1 : g, p = 0;
		for (; p + 12 <= probes->n; p += 12)
			out = tile_vnni_12(rows, g, second, probes, p, out);
		for (; p + 4 <= probes->n; p += 4)
			out = tile_vnni_4(rows, g, second, probes, p, out);
		for (; p < probes->n; p++)
			out = tile_vnni_1(rows, g, second, probes, p, out);
	}
	return out - start;
}

// AVX2: eight rows and eight more against four probes. Bytes are taken apart into the even and the
// odd ones and multiplied as 16 bits: the instruction for bytes would saturate at 2·255·127.
#define AVX2 __attribute__((target("avx2")))

AVX2 static void sum_avx2(const uint8_t *rows, const int8_t *const probes[4], int length, int32_t sums[4][DOT8_ROWS]) {
	__m256i a[4][2];
	const __m256i low = _mm256_set1_epi16(0xff);
	EACH(4) a[i][0] = a[i][1] = _mm256_setzero_si256();
	for (int k = 0; k < length; k += 4) {
		const uint8_t *r = rows + (size_t)k * DOT8_ROWS;
		__m256i r0 = _mm256_loadu_si256((const __m256i *)r), r1 = _mm256_loadu_si256((const __m256i *)(r + 32));
		__m256i even0 = _mm256_and_si256(r0, low), odd0 = _mm256_srli_epi16(r0, 8);
		__m256i even1 = _mm256_and_si256(r1, low), odd1 = _mm256_srli_epi16(r1, 8);
		EACH(4) {
			__m256i q = _mm256_set1_epi32(load4(probes[i] + k));
			__m256i even = _mm256_srai_epi16(_mm256_slli_epi16(q, 8), 8), odd = _mm256_srai_epi16(q, 8);
			a[i][0] = _mm256_add_epi32(a[i][0], _mm256_add_epi32(_mm256_madd_epi16(even0, even), _mm256_madd_epi16(odd0, odd)));
			a[i][1] = _mm256_add_epi32(a[i][1], _mm256_add_epi32(_mm256_madd_epi16(even1, even), _mm256_madd_epi16(odd1, odd)));
		}
	}
	EACH(4) {
		_mm256_storeu_si256((__m256i *)sums[i], a[i][0]);
		_mm256_storeu_si256((__m256i *)(sums[i] + 8), a[i][1]);
	}
}

AVX2 static uint32_t passes_avx2(const dot8_limit *l, const int32_t *longs, const int32_t *shorts, const float *squares) {
	__m256i n = _mm256_loadu_si256((const __m256i *)longs);
	__m256 a = _mm256_mul_ps(_mm256_set1_ps(l->per_short), _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)shorts)));
	__m256 b = _mm256_mul_ps(_mm256_set1_ps(l->per_long), _mm256_cvtepi32_ps(n));
	__m256 under = _mm256_sub_ps(_mm256_add_ps(_mm256_set1_ps(l->base), _mm256_loadu_ps(squares)), a);
	__m256 c = _mm256_mul_ps(_mm256_set1_ps(l->per_root), _mm256_sqrt_ps(_mm256_max_ps(under, _mm256_setzero_ps())));
	uint32_t lanes = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_sub_ps(b, c), _mm256_set1_ps(l->low), _CMP_GE_OQ));
	return lanes & ~_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(l->least), n)));
}

AVX2 static uint32_t reach_avx2(const dot8_limit *l, const int32_t *longs) {
	__m256i least = _mm256_set1_epi32(l->least);
	__m256i below0 = _mm256_cmpgt_epi32(least, _mm256_loadu_si256((const __m256i *)longs));
	__m256i below1 = _mm256_cmpgt_epi32(least, _mm256_loadu_si256((const __m256i *)(longs + 8)));
	return _mm256_movemask_epi8(_mm256_and_si256(below0, below1)) != -1;
}

AVX2 static dot8_hit *tile_avx2(const dot8_rows *rows, uint32_t g, const dot8_probes *probes, uint32_t p, dot8_hit *out) {
	const int8_t *long4[4], *short4[4];
	int32_t longs[4][DOT8_ROWS], shorts[4][DOT8_ROWS];
	uint32_t n = probes->n - p < 4 ? probes->n - p : 4, any = 0;
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t at = p + (i < n ? i : 0);
		long4[i] = probes->longs + (size_t)at * DOT8_LONG;
		short4[i] = probes->shorts + (size_t)at * DOT8_SHORT;
	}
	sum_avx2(rows->longs + g * LONGS, long4, DOT8_LONG, longs);
	for (uint32_t i = 0; i < n; i++)
		any |= reach_avx2(probes->limits + p + i, longs[i]);
	if (!any)
		return out;
	sum_avx2(rows->shorts + g * SHORTS, short4, DOT8_SHORT, shorts);
	for (uint32_t i = 0; i < n; i++) {
		const float *squares = rows->squares + g * DOT8_ROWS;
		uint32_t lanes = passes_avx2(probes->limits + p + i, longs[i], shorts[i], squares);
		lanes |= passes_avx2(probes->limits + p + i, longs[i] + 8, shorts[i] + 8, squares + 8) << 8;
		out = emit(out, lanes, longs[i], shorts[i], g * DOT8_ROWS, p + i);
	}
	return out;
}

static size_t scan_avx2(const dot8_rows *rows, const dot8_probes *probes, dot8_hit *out) {
	dot8_hit *start = out;
	for (uint32_t g = 0; g < rows->groups; g++)
		for (uint32_t p = 0; p < probes->n; p += 4)
			out = tile_avx2(rows, g, probes, p, out);
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

size_t dot8_scan(int kernel, const uint8_t *row_longs, const uint8_t *row_shorts, const float *squares, uint32_t groups,
	const int8_t *probe_longs, const int8_t *probe_shorts, const dot8_limit *limits, uint32_t n, dot8_hit *out) {
	dot8_rows rows = {row_longs, row_shorts, squares, groups};
	dot8_probes probes = {probe_longs, probe_shorts, limits, n};
	switch (kernel) {
#ifdef X86
	case DOT8_VNNI:
		return scan_vnni(&rows, &probes, out);
	case DOT8_AVX2:
		return scan_avx2(&rows, &probes, out);
#endif
	}
	return scan_portable(&rows, &probes, out);
}
