// How attention goes through keys, for every build and type of cache: queries in batches, keys in
// chunks, and in each chunk tiles of queries that share the keys loaded.
//
// Chunks come before tiles, so that keys and values come from memory once for a batch, and from
// the second cache for every tile. While many queries multiply, memory would be idle: they fetch
// the next chunk, and what the thread reads after attention.
//
// Included inside the region that sets the instruction set; the including file does the arithmetic.
#ifndef CK_ATTENTION_WALK_H
#define CK_ATTENTION_WALK_H
#include "read_ahead.h"

enum { CK_BATCH = 96 };  // queries that go through a chunk before the next one

// A query, and what it has gathered of the chunks before.
typedef struct {
  const float *vector;
  float *out;
  size_t end;           // it sees the keys before this one
  float greatest, sum;  // of its logits, and of their exponentials
} ck_query;

// The part of a chunk that the queries of a tile go through.
typedef struct {
  const void *keys, *values;
  size_t stride;  // between values
  size_t dimension;
  size_t first;                // key that every query sees first
  size_t chunk, start, stop;  // where the chunk begins; the keys of it that any query sees
  float scale, cap;           // of the scores
} ck_span;

// Scores fetch a line with each column of keys; how many bytes must weighing, which that slows down
// more, fetch with each value, so that nothing is left after so many steps of scores?
static inline size_t ck_by_weighing(const ck_ahead *ahead, size_t steps) {
  const size_t left = ck_left(ahead);
  return left <= steps * 64 ? 0 : left < steps * 128 ? left / (steps + 1) - 63 : 64;
}

// The keys and values of [start, stop) are read next.
static inline void ck_read_next(ck_ahead *ahead, const ck_span *s, size_t start, size_t stop,
                                size_t element) {
  const size_t from = start / CK_KEY_BLOCK * CK_KEY_BLOCK, key = s->dimension * element;
  const size_t value = s->stride * element;
  ahead->left[0] = (ck_range){(const char *)s->keys + from * key, (stop - from) * key};
  ahead->left[1] = (ck_range){(const char *)s->values + start * value, (stop - start) * value};
}

// Where the chunk of `key` ends, or the keys do.
static inline size_t ck_chunk_end(size_t key, size_t last) {
  const size_t end = key / CK_CHUNK * CK_CHUNK + CK_CHUNK;
  return end < last ? end : last;
}

// Goes through all queries with tiles of at most `tallest`; values have `element` bytes, and
// scores take so many columns at once.
static inline __attribute__((always_inline)) void ck_walk(
    const ck_attention *a, const void *keys, const void *values, size_t stride, size_t element,
    size_t columns, size_t tallest, void (*tile)(const ck_span *, ck_query *, size_t, ck_ahead *),
    void (*scale)(float *, size_t, float),
    float (*exponential)(const float *, float *, size_t, float, float)) {
  ck_span s = {keys, values, stride, a->dimension, a->first, 0, 0, 0, a->scale, a->cap};
  // Tiles of whole rows, if these aren't too tall: the queries of a row see the same keys.
  const size_t unit = a->heads > tallest ? 1 : a->heads, most = CK_BATCH / unit * unit;
  const size_t total = a->rows * a->heads, height = tallest / unit;
  ck_query queries[CK_BATCH];
  ck_ahead ahead = {.left = {{0}, {0}, a->next[0], a->next[1], a->next[2]}};
  for (size_t done = 0, count; done < total; done += count) {
    count = total - done < most ? total - done : most;
    for (size_t i = 0; i < count; i++) {
      const size_t row = (done + i) / a->heads, head = (done + i) % a->heads;
      queries[i] = (ck_query){.vector = a->queries + row * a->query_stride + head * a->dimension,
                              .out = a->out + row * a->out_stride + head * a->dimension,
                              .end = a->end + row * a->step};
    }
    const size_t last = queries[count - 1].end;
    const size_t units = count / unit, tiles = (units + height - 1) / height;
    const size_t again = ck_chunk_end(a->first, last);
    for (s.start = a->first; s.start < last; s.start = s.stop) {
      s.chunk = s.start / CK_CHUNK * CK_CHUNK;
      s.stop = ck_chunk_end(s.start, last);
      if (s.stop < last) ck_read_next(&ahead, &s, s.stop, ck_chunk_end(s.stop, last), element);
      else if (done + count < total) ck_read_next(&ahead, &s, a->first, again, element);
      else ck_read_next(&ahead, &s, s.stop, s.stop, element);
      for (size_t t = 0; t < tiles; t++) {
        const size_t from = units * t / tiles * unit, to = units * (t + 1) / tiles * unit;
        ahead.by_weighing = ck_by_weighing(
            &ahead, (s.stop - s.start) * s.dimension / (32 * columns) * (tiles - t));
        if (queries[to - 1].end > s.start) tile(&s, queries + from, to - from, &ahead);
      }
    }
    for (size_t i = 0; i < count; i++) {
      float share = 1.0f / queries[i].sum;
      if (a->sinks) {
        float both[2] = {queries[i].greatest, a->sinks[(done + i) % a->heads]};
        exponential(both, both, 2, both[0] > both[1] ? both[0] : both[1], 1);
        share = both[0] / __builtin_fmaf(queries[i].sum, both[0], both[1]);
      }
      scale(queries[i].out, a->dimension, share);
    }
  }
}
#endif
