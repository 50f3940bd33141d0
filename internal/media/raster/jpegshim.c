#include "jpegshim.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <turbojpeg.h>

typedef struct {
  struct jpeg_error_mgr mgr;
  jmp_buf jump;
  char *text;
} errors;

static void on_error(j_common_ptr info) {
  errors *e = (errors *)info->err;
  char text[JMSG_LENGTH_MAX];
  (*info->err->format_message)(info, text);
  snprintf(e->text, CJ_ERRLEN, "%s", text);
  longjmp(e->jump, 1);
}

// A warning means that the library is about to make something up.
static void on_message(j_common_ptr info, int level) {
  if (level < 0) on_error(info);
}

static void no_output(j_common_ptr info) { (void)info; }

static struct jpeg_error_mgr *handler(errors *e, char *text) {
  jpeg_std_error(&e->mgr);
  e->mgr.error_exit = on_error;
  e->mgr.emit_message = on_message;
  e->mgr.output_message = no_output;
  e->text = text;
  return &e->mgr;
}

static int fail(char *err, const char *text) {
  snprintf(err, CJ_ERRLEN, "%s", text);
  return 1;
}

// drop forgets what a failed write left: libjpeg may have freed it while growing its buffer, and
// does not say so. The leak is bounded by one output and ends with the child process.
static void drop(cj_bytes *out) {
  out->data = NULL;
  out->size = 0;
}

static void on_failure(j_common_ptr info, const char *text) {
  errors *e = (errors *)info->err;
  snprintf(e->text, CJ_ERRLEN, "%s", text);
  longjmp(e->jump, 1);
}

// confirm compares the library's reading of the header with the caller's, on which all sizes rest.
static int confirm(const struct jpeg_decompress_struct *d, const cj_shape *s) {
  if ((int)d->image_width != s->width || (int)d->image_height != s->height ||
      d->num_components != s->components || d->data_precision != 8)
    return 0;
  for (int c = 0; c < s->components; c++)
    if (d->comp_info[c].h_samp_factor != s->h[c] || d->comp_info[c].v_samp_factor != s->v[c]) return 0;
  return 1;
}

static int copy_tables(struct jpeg_decompress_struct *d, cj_shape *s) {
  for (int c = 0; c < s->components; c++) {
    const JQUANT_TBL *t = d->comp_info[c].quant_table;
    if (t == NULL) t = d->quant_tbl_ptrs[d->comp_info[c].quant_tbl_no];
    if (t == NULL) return 0;
    for (int i = 0; i < 64; i++)
      if (t->quantval[i] == 0) return 0;  // not allowed (T.81 B.2.4.1), and nothing can be coded with it
    memcpy(s->quant[c], t->quantval, sizeof t->quantval);
  }
  return 1;
}

static void read_planes(struct jpeg_decompress_struct *d, const cj_shape *s, uint8_t *p[4]) {
  JSAMPROW rows[4][4 * DCTSIZE];
  JSAMPARRAY arrays[4] = {rows[0], rows[1], rows[2], rows[3]};
  int lines = d->max_v_samp_factor * DCTSIZE;
  for (int mcu = 0; d->output_scanline < d->output_height; mcu++) {
    for (int c = 0; c < s->components; c++) {
      int n = s->v[c] * DCTSIZE;
      for (int r = 0; r < n; r++) rows[c][r] = p[c] + (size_t)(mcu * n + r) * s->stride[c];
    }
    jpeg_read_raw_data(d, arrays, lines);
  }
}

int cj_decode(const unsigned char *data, size_t size, cj_shape *s,
              uint8_t *p0, uint8_t *p1, uint8_t *p2, uint8_t *p3, char *err) {
  struct jpeg_decompress_struct d;
  errors e;
  uint8_t *p[4] = {p0, p1, p2, p3};
  memset(&d, 0, sizeof d);
  d.err = handler(&e, err);
  if (setjmp(e.jump)) {
    jpeg_destroy_decompress(&d);
    return 1;
  }
  jpeg_create_decompress(&d);
  jpeg_mem_src(&d, data, size);
  jpeg_read_header(&d, TRUE);
  if (!confirm(&d, s)) on_failure((j_common_ptr)&d, "header is read in two ways");
  s->colourspace = d.jpeg_color_space;
  d.out_color_space = d.jpeg_color_space;
  d.raw_data_out = TRUE;
  d.dct_method = JDCT_ISLOW;
  d.do_block_smoothing = FALSE;
  jpeg_start_decompress(&d);
  read_planes(&d, s, p);
  jpeg_finish_decompress(&d);
  int ok = copy_tables(&d, s);
  jpeg_destroy_decompress(&d);
  return ok ? 0 : fail(err, "no quantisation table");
}

// The forward DCT in integers: exact sums of products with a table of 14 fractional bits, so that
// the result is the same on every machine.
typedef struct {
  int32_t m[8][8];
} dct;

static void dct_init(dct *t) {
  // cos(k pi / 16) in 2^-14, halved by the transform's own factor below.
  static const int32_t c[8] = {16384, 16069, 15137, 13623, 11585, 9102, 6270, 3196};
  for (int u = 0; u < 8; u++)
    for (int x = 0; x < 8; x++) {
      int k = ((2 * x + 1) * u) % 32;  // cos has period 32 in units of pi/16
      int sign = 1;
      if (k > 16) k = 32 - k;
      if (k > 8) { k = 16 - k; sign = -1; }
      int32_t v = k == 8 ? 0 : c[k];
      t->m[u][x] = u == 0 ? 11585 : sign * v;
    }
}

// divide rounds to nearest, halves away from zero.
static JCOEF divide(int64_t v, int64_t by) {
  int64_t r = v < 0 ? -((-v + by / 2) / by) : (v + by / 2) / by;
  return (JCOEF)(r > 32767 ? 32767 : r < -32768 ? -32768 : r);
}

static void forward(const dct *t, const int32_t in[64], const UINT16 *q, JCOEF *out) {
  int64_t rows[64];
  for (int y = 0; y < 8; y++)
    for (int u = 0; u < 8; u++) {
      int64_t sum = 0;
      for (int x = 0; x < 8; x++) sum += (int64_t)t->m[u][x] * in[8 * y + x];
      rows[8 * y + u] = sum;
    }
  for (int v = 0; v < 8; v++)
    for (int u = 0; u < 8; u++) {
      int64_t sum = 0;
      for (int y = 0; y < 8; y++) sum += t->m[v][y] * rows[8 * y + u];
      // Each pass carries 2^14 and lacks the factor 1/2.
      out[8 * v + u] = divide(sum, (int64_t)q[8 * v + u] << 30);
    }
}

// load takes a block's samples; what lies beyond the component's last column or row repeats it, so
// that nothing of the source stays in samples that no viewer shows.
static void load(const uint8_t *p, int stride, int width, int height, int x0, int y0, int32_t in[64]) {
  for (int y = 0; y < 8; y++) {
    const uint8_t *row = p + (size_t)(y0 + y < height ? y0 + y : height - 1) * stride;
    for (int x = 0; x < 8; x++) in[8 * y + x] = row[x0 + x < width ? x0 + x : width - 1] - 128;
  }
}

typedef struct {
  const uint8_t *plane, *mask;
  int stride, mask_width, mask_height;
} splice_job;

static void splice_component(struct jpeg_decompress_struct *d, jvirt_barray_ptr array, int c, const dct *t, splice_job j) {
  jpeg_component_info *k = &d->comp_info[c];
  int width = (int)(((long)d->image_width * k->h_samp_factor + d->max_h_samp_factor - 1) / d->max_h_samp_factor);
  int height = (int)(((long)d->image_height * k->v_samp_factor + d->max_v_samp_factor - 1) / d->max_v_samp_factor);
  int32_t in[64];
  for (int by = 0; by < (int)k->height_in_blocks; by++) {
    const uint8_t *row = j.mask + (size_t)(by / k->v_samp_factor) * j.mask_width;
    if (by / k->v_samp_factor >= j.mask_height || memchr(row, 1, j.mask_width) == NULL) continue;
    JBLOCKARRAY blocks = (*d->mem->access_virt_barray)((j_common_ptr)d, array, by, 1, TRUE);
    for (int bx = 0; bx < (int)k->width_in_blocks; bx++) {
      int mx = bx / k->h_samp_factor;
      if (mx >= j.mask_width || !row[mx]) continue;
      load(j.plane, j.stride, width, height, 8 * bx, 8 * by, in);
      forward(t, in, k->quant_table->quantval, blocks[0][bx]);
    }
  }
}

static int bind_tables(struct jpeg_decompress_struct *d) {
  for (int c = 0; c < d->num_components; c++) {
    jpeg_component_info *k = &d->comp_info[c];
    if (k->quant_table == NULL) k->quant_table = d->quant_tbl_ptrs[k->quant_tbl_no];
    if (k->quant_table == NULL) return 0;
    for (int i = 0; i < 64; i++)
      if (k->quant_table->quantval[i] == 0) return 0;
  }
  return 1;
}

static void write_coefficients(struct jpeg_decompress_struct *d, struct jpeg_compress_struct *z,
                               jvirt_barray_ptr *arrays, const cj_shape *s,
                               const unsigned char *icc, size_t icc_size) {
  jpeg_copy_critical_parameters(d, z);
  // It takes over version and resolution too, which may hold anything.
  z->JFIF_major_version = z->JFIF_minor_version = 1;
  z->density_unit = 0;
  z->X_density = z->Y_density = 1;
  z->optimize_coding = TRUE;
  if (s->progressive) jpeg_simple_progression(z);
  jpeg_write_coefficients(z, arrays);
  if (icc_size > 0) jpeg_write_icc_profile(z, icc, (unsigned int)icc_size);
  jpeg_finish_compress(z);
}

int cj_splice(const unsigned char *data, size_t size, const cj_shape *s,
              const uint8_t *p0, const uint8_t *p1, const uint8_t *p2, const uint8_t *p3,
              const uint8_t *mask, int mask_width, int mask_height,
              const unsigned char *icc, size_t icc_size, cj_bytes *out, char *err) {
  struct jpeg_decompress_struct d;
  struct jpeg_compress_struct z;
  errors e;
  dct t;
  const uint8_t *p[4] = {p0, p1, p2, p3};
  memset(&d, 0, sizeof d);
  memset(&z, 0, sizeof z);
  d.err = z.err = handler(&e, err);
  if (setjmp(e.jump)) {
    jpeg_destroy_compress(&z);
    jpeg_destroy_decompress(&d);
    drop(out);
    return 1;
  }
  jpeg_create_decompress(&d);
  jpeg_create_compress(&z);
  jpeg_mem_src(&d, data, size);
  jpeg_read_header(&d, TRUE);
  if (!confirm(&d, s)) on_failure((j_common_ptr)&d, "header is read in two ways");
  jvirt_barray_ptr *arrays = jpeg_read_coefficients(&d);
  if (!bind_tables(&d)) on_failure((j_common_ptr)&d, "no quantisation table");
  jpeg_mem_dest(&z, &out->data, &out->size);
  dct_init(&t);
  for (int c = 0; mask != NULL && c < s->components; c++) {
    splice_job j = {p[c], mask, s->stride[c], mask_width, mask_height};
    splice_component(&d, arrays[c], c, &t, j);
  }
  write_coefficients(&d, &z, arrays, s, icc, icc_size);
  jpeg_destroy_compress(&z);
  jpeg_finish_decompress(&d);
  jpeg_destroy_decompress(&d);
  return 0;
}

static void set_shape(struct jpeg_compress_struct *z, const cj_shape *s) {
  z->image_width = s->width;
  z->image_height = s->height;
  z->input_components = s->components;
  z->in_color_space = (J_COLOR_SPACE)s->colourspace;
  jpeg_set_defaults(z);
  jpeg_set_colorspace(z, (J_COLOR_SPACE)s->colourspace);
  int tables = 0;
  for (int c = 0; c < s->components; c++) {
    unsigned int q[64];
    int slot = 0;
    while (slot < tables && memcmp(s->quant[slot], s->quant[c], sizeof s->quant[c]) != 0) slot++;
    for (int i = 0; i < 64; i++) q[i] = s->quant[c][i];
    // Slot c always exists, so components whose tables agree share the first one's.
    slot = slot < c ? slot : c;
    jpeg_add_quant_table(z, slot, q, 100, FALSE);
    z->comp_info[c].quant_tbl_no = slot;
    z->comp_info[c].h_samp_factor = s->h[c];
    z->comp_info[c].v_samp_factor = s->v[c];
    tables = c + 1;
  }
  z->raw_data_in = TRUE;
  z->dct_method = JDCT_ISLOW;
  z->optimize_coding = TRUE;
  if (s->progressive) jpeg_simple_progression(z);
}

static void write_planes(struct jpeg_compress_struct *z, const cj_shape *s, const uint8_t *p[4]) {
  JSAMPROW rows[4][4 * DCTSIZE];
  JSAMPARRAY arrays[4] = {rows[0], rows[1], rows[2], rows[3]};
  int lines = z->max_v_samp_factor * DCTSIZE;
  for (int mcu = 0; z->next_scanline < z->image_height; mcu++) {
    for (int c = 0; c < s->components; c++) {
      int n = s->v[c] * DCTSIZE;
      for (int r = 0; r < n; r++) rows[c][r] = (JSAMPROW)p[c] + (size_t)(mcu * n + r) * s->stride[c];
    }
    jpeg_write_raw_data(z, arrays, lines);
  }
}

int cj_encode(const cj_shape *s,
              const uint8_t *p0, const uint8_t *p1, const uint8_t *p2, const uint8_t *p3,
              const unsigned char *icc, size_t icc_size, cj_bytes *out, char *err) {
  struct jpeg_compress_struct z;
  errors e;
  const uint8_t *p[4] = {p0, p1, p2, p3};
  memset(&z, 0, sizeof z);
  z.err = handler(&e, err);
  if (setjmp(e.jump)) {
    jpeg_destroy_compress(&z);
    drop(out);
    return 1;
  }
  jpeg_create_compress(&z);
  jpeg_mem_dest(&z, &out->data, &out->size);
  set_shape(&z, s);
  jpeg_start_compress(&z, TRUE);
  if (icc_size > 0) jpeg_write_icc_profile(&z, icc, (unsigned int)icc_size);
  write_planes(&z, s, p);
  jpeg_finish_compress(&z);
  jpeg_destroy_compress(&z);
  return 0;
}

int cj_tables(int quality, uint16_t luma[64], uint16_t chroma[64], char *err) {
  struct jpeg_compress_struct z;
  errors e;
  memset(&z, 0, sizeof z);
  z.err = handler(&e, err);
  if (setjmp(e.jump)) {
    jpeg_destroy_compress(&z);
    return 1;
  }
  jpeg_create_compress(&z);
  z.input_components = 3;
  z.in_color_space = JCS_YCbCr;
  jpeg_set_defaults(&z);
  jpeg_set_quality(&z, quality, TRUE);
  memcpy(luma, z.quant_tbl_ptrs[0]->quantval, 64 * sizeof *luma);
  memcpy(chroma, z.quant_tbl_ptrs[1]->quantval, 64 * sizeof *chroma);
  jpeg_destroy_compress(&z);
  return 0;
}

int cj_turn(const unsigned char *data, size_t size, int op, int progressive, cj_bytes *out, char *err) {
  tjhandle t = tjInitTransform();
  if (t == NULL) return fail(err, "no memory");
  tjtransform x;
  memset(&x, 0, sizeof x);
  x.op = op;
  x.options = TJXOPT_PERFECT | TJXOPT_COPYNONE | (progressive ? TJXOPT_PROGRESSIVE : 0);
  int rc = tjTransform(t, data, size, 1, &out->data, &out->size, &x, TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS);
  if (rc != 0) {
    fail(err, tjGetErrorStr2(t));
    if (out->data != NULL) tjFree(out->data);
    out->data = NULL;
    out->size = 0;
  }
  tjDestroy(t);
  return rc != 0;
}

int cj_bgr(const uint8_t *p0, const uint8_t *p1, const uint8_t *p2, const int stride[3],
           int width, int height, int subsampling, uint8_t *bgr, char *err) {
  tjhandle t = tjInitDecompress();
  if (t == NULL) return fail(err, "no memory");
  const unsigned char *planes[3] = {p0, p1, p2};
  int rc = tjDecodeYUVPlanes(t, planes, stride, subsampling, bgr, width, width * 3, height, TJPF_BGR, TJFLAG_ACCURATEDCT);
  if (rc != 0) fail(err, tjGetErrorStr2(t));
  tjDestroy(t);
  return rc != 0;
}

// Both libraries hand out memory of malloc (tjAlloc is malloc in 2.1).
void cj_free(cj_bytes *b) {
  free(b->data);
  b->data = NULL;
  b->size = 0;
}
