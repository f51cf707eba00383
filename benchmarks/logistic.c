/* The logistic map as a C programmer writes it, and vectorised by hand: AVX2, FMA and OpenMP.

   `cells` is a multiple of 64. The formula is the document's, a*x - a*x**2. */

#include <immintrin.h>

#define PLAIN(NAME, T)                                                          \
    void NAME(const T *restrict a, T x0, T *restrict out, long cells, long steps) {  \
        _Pragma("omp parallel for schedule(static)")                            \
        for (long c = 0; c < cells; c++) {                                      \
            T p = a[c], x = x0;                                                 \
            for (long n = 0; n < steps; n++) x = p * x - p * (x * x);           \
            out[c] = x;                                                         \
        }                                                                       \
    }

PLAIN(plain_double, double)
PLAIN(plain_single, float)

/* Steps outside and cells inside, so that the compiler vectorises; a block stays in the L1 cache. */
#define BLOCK 512
#define BLOCKED(NAME, T)                                                        \
    void NAME(const T *restrict a, T x0, T *restrict out, long cells, long steps) { \
        _Pragma("omp parallel for schedule(static)")                            \
        for (long b = 0; b < cells; b += BLOCK) {                               \
            int count = cells - b < BLOCK ? cells - b : BLOCK;                  \
            const T *p = a + b;                                                 \
            T *x = out + b;                                                     \
            for (int c = 0; c < count; c++) x[c] = x0;                          \
            for (long n = 0; n < steps; n++)                                    \
                for (int c = 0; c < count; c++) x[c] = p[c] * x[c] - p[c] * (x[c] * x[c]); \
        }                                                                       \
    }

BLOCKED(blocked_double, double)
BLOCKED(blocked_single, float)

/* Eight strands: a step waits eight cycles for its own result, and two operations start in each.
   The formula as written takes three operations, factored by hand to p*(x - x*x) two. */
#define STEP3(P, X, MUL, FNMADD) FNMADD(P, MUL(X, X), MUL(P, X))
#define STEP2(P, X, MUL, FNMADD) MUL(P, FNMADD(X, X, X))

#define HAND(NAME, T, V, LANES, LOAD, STORE, SET, MUL, FNMADD, STEP)            \
    void NAME(const T *restrict a, T x0, T *restrict out, long cells, long steps) {  \
        _Pragma("omp parallel for schedule(static)")                            \
        for (long c = 0; c < cells; c += 8 * LANES) {                           \
            V p[8], x[8];                                                       \
            for (int s = 0; s < 8; s++) {                                       \
                p[s] = LOAD(a + c + s * LANES);                                 \
                x[s] = SET(x0);                                                 \
            }                                                                   \
            for (long n = 0; n < steps; n++) {                                  \
                _Pragma("GCC unroll 8")                                         \
                for (int s = 0; s < 8; s++) x[s] = STEP(p[s], x[s], MUL, FNMADD); \
            }                                                                   \
            for (int s = 0; s < 8; s++) STORE(out + c + s * LANES, x[s]);       \
        }                                                                       \
    }

#define HAND_DOUBLE(NAME, STEP)                                                 \
    HAND(NAME, double, __m256d, 4, _mm256_loadu_pd, _mm256_storeu_pd,           \
         _mm256_set1_pd, _mm256_mul_pd, _mm256_fnmadd_pd, STEP)
#define HAND_SINGLE(NAME, STEP)                                                 \
    HAND(NAME, float, __m256, 8, _mm256_loadu_ps, _mm256_storeu_ps,             \
         _mm256_set1_ps, _mm256_mul_ps, _mm256_fnmadd_ps, STEP)

HAND_DOUBLE(hand_double, STEP3)
HAND_SINGLE(hand_single, STEP3)
HAND_DOUBLE(factored_double, STEP2)
HAND_SINGLE(factored_single, STEP2)
