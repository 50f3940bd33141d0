#include <malloc.h>

// 32 MB is the most that glibc takes for the first (malloc.c, HEAP_MAX_SIZE / 2).
extern "C" int consentry_keep_buffers(void) {
  return mallopt(M_MMAP_THRESHOLD, 32 << 20) && mallopt(M_TRIM_THRESHOLD, 64 << 20);
}
