// What the kernels share: element types, eight channels at a time, and the functions of the exponential.
//
// Includes nothing, so NVRTC needs no include path. The same text is compiled for the CPU by the tests' emulator, which
// brings its own versions of what stands under __CUDA_ARCH__.
//
// Macros a launch sets:
//   ELEMENT   the type of activations: 0 float32, 1 float16, 2 bfloat16. Arithmetic is always float32.
//   VECTOR    1 where every row of eight channels starts at a multiple of 16 bytes and channel counts are multiples of
//             eight: loads and stores are then 16 bytes wide. 0 takes any stride and any count, one element at a time.
#pragma once

#if ELEMENT == 0
typedef float element;
#else
typedef unsigned short element;  // the bits: float16 and bfloat16 have no built-in type
#endif

constexpr unsigned WHOLE_WARP = 0xffffffffu;
constexpr float LOG2_E = 1.4426950408889634f;

#ifdef __CUDA_ARCH__
static __device__ __forceinline__ float exp2_approx(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

static __device__ __forceinline__ float reciprocal_approx(float x) {
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

static __device__ __forceinline__ float float_from_half(unsigned bits) {
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(static_cast<unsigned short>(bits)));
    return y;
}

static __device__ __forceinline__ unsigned half_from_float(float x) {
    unsigned short bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}
#endif

// Round to nearest, ties to even. Adding the carry to a NaN could make it an infinity, so a NaN keeps its own bits.
static __device__ __forceinline__ unsigned bfloat_from_float(float x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    unsigned short bits;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
#else
    const unsigned whole = __float_as_uint(x);
    return (x != x ? whole | 0x400000u : whole + 0x7fffu + (whole >> 16 & 1u)) >> 16;
#endif
}

static __device__ __forceinline__ float to_float(element x) {
#if ELEMENT == 0
    return x;
#elif ELEMENT == 1
    return float_from_half(x);
#else
    return __uint_as_float(static_cast<unsigned>(x) << 16);
#endif
}

static __device__ __forceinline__ element from_float(float x) {
#if ELEMENT == 0
    return x;
#elif ELEMENT == 1
    return static_cast<element>(half_from_float(x));
#else
    return static_cast<element>(bfloat_from_float(x));
#endif
}

// ---- Eight neighbouring channels, as they lie in memory: what one thread loads, keeps in registers and stores.

struct Octet {
    uint4 words[sizeof(element) / 2];
};

static __device__ __forceinline__ unsigned pair_of(float low, float high) {
#if ELEMENT == 1
    return half_from_float(low) | half_from_float(high) << 16;
#else
    return bfloat_from_float(low) | bfloat_from_float(high) << 16;
#endif
}

static __device__ __forceinline__ void unpack(const Octet& octet, float (&values)[8]) {
#pragma unroll
    for (int i = 0; i < static_cast<int>(sizeof(element) / 2); ++i) {
        const unsigned words[4] = {octet.words[i].x, octet.words[i].y, octet.words[i].z, octet.words[i].w};
#pragma unroll
        for (int j = 0; j < 4; ++j) {
#if ELEMENT == 0
            values[4 * i + j] = __uint_as_float(words[j]);
#elif ELEMENT == 1
            values[2 * j] = float_from_half(words[j] & 0xffffu);
            values[2 * j + 1] = float_from_half(words[j] >> 16);
#else
            values[2 * j] = __uint_as_float(words[j] << 16);
            values[2 * j + 1] = __uint_as_float(words[j] & 0xffff0000u);
#endif
        }
    }
}

static __device__ __forceinline__ Octet pack(const float (&values)[8]) {
    Octet octet;
#pragma unroll
    for (int i = 0; i < static_cast<int>(sizeof(element) / 2); ++i) {
        unsigned words[4];
#pragma unroll
        for (int j = 0; j < 4; ++j) {
#if ELEMENT == 0
            words[j] = __float_as_uint(values[4 * i + j]);
#else
            words[j] = pair_of(values[2 * j], values[2 * j + 1]);
#endif
        }
        octet.words[i] = make_uint4(words[0], words[1], words[2], words[3]);
    }
    return octet;
}

// The first `count` of eight elements at `from`, zero behind them; nothing is read where count <= 0.
// With VECTOR, count is all or nothing.
static __device__ __forceinline__ Octet load_octet(const element* from, int count) {
#if VECTOR
    Octet octet = {};
    if (count > 0) octet = *reinterpret_cast<const Octet*>(from);
    return octet;
#else
    float values[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) values[i] = i < count ? to_float(from[i]) : 0.0f;
    return pack(values);
#endif
}

static __device__ __forceinline__ void store_octet(element* to, const float (&values)[8], int count) {
#if VECTOR
    if (count > 0) *reinterpret_cast<Octet*>(to) = pack(values);
#else
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        if (i < count) to[i] = from_float(values[i]);
    }
#endif
}

// Eight float32 values; the same rule.
static __device__ __forceinline__ void load_floats(const float* from, float (&values)[8], int count) {
#if VECTOR
    float4 low = make_float4(0.0f, 0.0f, 0.0f, 0.0f), high = low;
    if (count > 0) {
        low = reinterpret_cast<const float4*>(from)[0];
        high = reinterpret_cast<const float4*>(from)[1];
    }
    values[0] = low.x, values[1] = low.y, values[2] = low.z, values[3] = low.w;
    values[4] = high.x, values[5] = high.y, values[6] = high.z, values[7] = high.w;
#else
#pragma unroll
    for (int i = 0; i < 8; ++i) values[i] = i < count ? from[i] : 0.0f;
#endif
}

static __device__ __forceinline__ void store_floats(float* to, const float (&values)[8], int count) {
#if VECTOR
    if (count > 0) {
        reinterpret_cast<float4*>(to)[0] = make_float4(values[0], values[1], values[2], values[3]);
        reinterpret_cast<float4*>(to)[1] = make_float4(values[4], values[5], values[6], values[7]);
    }
#else
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        if (i < count) to[i] = values[i];
    }
#endif
}

// ---- The exponential's family. Each costs the fewest uses of the special-function unit that give float32's accuracy.

static __device__ __forceinline__ float sigmoid(float x) { return reciprocal_approx(1.0f + exp2_approx(-LOG2_E * x)); }

static __device__ __forceinline__ float silu(float x) { return x * sigmoid(x); }

// log(1 + exp(x)) = max(x, 0) + q P(q) with q = exp(-|x|); P is the polynomial of degree 8 that comes closest to
// log(1+q)/q on [0, 1] in relative error (3.0e-8). One exponential and no logarithm, whose hardware version loses the
// small values. Above 20 (above 17 even) the second term is below float32's rounding: the identity, as it must be.
static __device__ __forceinline__ float softplus(float x) {
    const float q = exp2_approx(-LOG2_E * fabsf(x));
    float p = 5.232692696e-03f;
    p = fmaf(p, q, -2.950523235e-02f);
    p = fmaf(p, q, 7.822594047e-02f);
    p = fmaf(p, q, -1.366324425e-01f);
    p = fmaf(p, q, 1.910600662e-01f);
    p = fmaf(p, q, -2.484298199e-01f);
    p = fmaf(p, q, 3.331909776e-01f);
    p = fmaf(p, q, -4.999949336e-01f);
    p = fmaf(p, q, 9.999999404e-01f);
    return fmaf(p, q, fmaxf(x, 0.0f));
}
