// A narrow C face on libwebp's encoder, which gocv offers only for BGR and without the option that
// keeps the colours of transparent pixels.
#ifndef CONSENTRY_WEBPSHIM_H
#define CONSENTRY_WEBPSHIM_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint8_t *data;  // to be freed with cw_free
  size_t size;
} cw_bytes;

// Both return 0, or libwebp's error code.

// cw_lossy encodes 4:2:0 planes as they are; a may be NULL.
int cw_lossy(const uint8_t *y, const uint8_t *u, const uint8_t *v, const uint8_t *a,
             int y_stride, int uv_stride, int a_stride, int width, int height, float quality, cw_bytes *out);

// cw_lossless encodes RGBA, not premultiplied.
int cw_lossless(const uint8_t *rgba, int stride, int width, int height, cw_bytes *out);

void cw_free(cw_bytes *b);

#endif
