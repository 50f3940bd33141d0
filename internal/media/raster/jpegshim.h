// A narrow C face on libjpeg: one call in, one answer out, every warning an error.
#ifndef CONSENTRY_JPEGSHIM_H
#define CONSENTRY_JPEGSHIM_H

#include <stddef.h>
#include <stdint.h>

#define CJ_ERRLEN 200

// What the caller has read from the header itself and the library must confirm.
typedef struct {
  int width, height, components, progressive;
  int h[4], v[4];          // sampling factors
  int stride[4], rows[4];  // samples allocated for each plane: whole MCUs
  int colourspace;         // out: J_COLOR_SPACE of the file
  uint16_t quant[4][64];   // out of cj_decode, in of cj_encode; natural order
} cj_shape;

typedef struct {
  unsigned char *data;  // to be freed with cj_free
  unsigned long size;
} cj_bytes;

// All return 0, or 1 with a text in err.

// cj_decode reads the component planes at their own resolution.
int cj_decode(const unsigned char *data, size_t size, cj_shape *shape,
              uint8_t *p0, uint8_t *p1, uint8_t *p2, uint8_t *p3, char *err);

// cj_splice copies the file's coefficients, replaced by those of the planes in each MCU that mask
// (one byte an MCU, row by row) names.
int cj_splice(const unsigned char *data, size_t size, const cj_shape *shape,
              const uint8_t *p0, const uint8_t *p1, const uint8_t *p2, const uint8_t *p3,
              const uint8_t *mask, int mask_width, int mask_height,
              const unsigned char *icc, size_t icc_size, cj_bytes *out, char *err);

// cj_encode writes the planes afresh with shape's tables.
int cj_encode(const cj_shape *shape,
              const uint8_t *p0, const uint8_t *p1, const uint8_t *p2, const uint8_t *p3,
              const unsigned char *icc, size_t icc_size, cj_bytes *out, char *err);

// cj_tables fills in the tables of a quality.
int cj_tables(int quality, uint16_t luma[64], uint16_t chroma[64], char *err);

// cj_turn turns a file without loss; op is a TJXOP. It fails where that is not possible.
int cj_turn(const unsigned char *data, size_t size, int op, int progressive, cj_bytes *out, char *err);

// cj_bgr converts planes of a common subsampling (a TJSAMP) to 8-bit BGR.
int cj_bgr(const uint8_t *p0, const uint8_t *p1, const uint8_t *p2, const int stride[3],
           int width, int height, int subsampling, uint8_t *bgr, char *err);

void cj_free(cj_bytes *b);

#endif
