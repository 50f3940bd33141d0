#include "webpshim.h"

#include <string.h>

#include <webp/encode.h>

static int run(WebPConfig *config, WebPPicture *p, cw_bytes *out) {
  WebPMemoryWriter w;
  WebPMemoryWriterInit(&w);
  p->writer = WebPMemoryWrite;
  p->custom_ptr = &w;
  int ok = WebPValidateConfig(config) && WebPEncode(config, p);
  int code = ok ? 0 : p->error_code ? (int)p->error_code : -1;
  if (ok) {
    out->data = w.mem;
    out->size = w.size;
  } else {
    WebPMemoryWriterClear(&w);
  }
  return code;
}

int cw_lossy(const uint8_t *y, const uint8_t *u, const uint8_t *v, const uint8_t *a,
             int y_stride, int uv_stride, int a_stride, int width, int height, float quality, cw_bytes *out) {
  WebPConfig config;
  WebPPicture p;
  if (!WebPConfigPreset(&config, WEBP_PRESET_PHOTO, quality) || !WebPPictureInit(&p)) return -1;
  config.exact = 1;
  config.alpha_quality = 100;
  p.width = width;
  p.height = height;
  p.use_argb = 0;
  p.colorspace = a != NULL ? WEBP_YUV420A : WEBP_YUV420;
  // The encoder reads them only: exact is set, so that it does not clean transparent areas.
  p.y = (uint8_t *)y;
  p.u = (uint8_t *)u;
  p.v = (uint8_t *)v;
  p.a = (uint8_t *)a;
  p.y_stride = y_stride;
  p.uv_stride = uv_stride;
  p.a_stride = a_stride;
  int code = run(&config, &p, out);
  WebPPictureFree(&p);
  return code;
}

int cw_lossless(const uint8_t *rgba, int stride, int width, int height, cw_bytes *out) {
  WebPConfig config;
  WebPPicture p;
  if (!WebPConfigInit(&config) || !WebPConfigLosslessPreset(&config, 3) || !WebPPictureInit(&p)) return -1;
  config.exact = 1;
  p.width = width;
  p.height = height;
  p.use_argb = 1;
  if (!WebPPictureImportRGBA(&p, rgba, stride)) {
    WebPPictureFree(&p);
    return -1;
  }
  int code = run(&config, &p, out);
  WebPPictureFree(&p);
  return code;
}

void cw_free(cw_bytes *b) {
  WebPFree(b->data);
  b->data = NULL;
  b->size = 0;
}
