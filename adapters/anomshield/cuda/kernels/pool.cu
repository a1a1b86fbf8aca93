// Residual, RMSNorm and the mean over 4x4 neighbouring tokens in one kernel, and its gradients. NORM 0: no norm.
//
// A block makes one pooled token. A thread has the same VEC channels (and those a block's width further) of its 16
// rows. The rows' sums over the channels come first; then the rows are read again, from L1. A sixteenth is written.
#include "common.cuh"
#include "rows.cuh"

constexpr int CELLS = 16;
constexpr int MOST_WARPS = 8;

// The rows of this block's pooled token: a square of 4x4 in the grid of its frame, side x side tokens.
struct Square {
    long long first;  // the first row, counted over batch and frames
    int side;

    __device__ __forceinline__ Square(int side) : side(side) {
        const unsigned across = side / 4, frame = blockIdx.x / (across * across), cell = blockIdx.x % (across * across);
        first = static_cast<long long>(frame) * side * side + (cell / across) * 4 * side + (cell % across) * 4;
    }
    __device__ __forceinline__ long long row(int i) const { return first + (i / 4) * side + i % 4; }
};

// VEC channels of the residual stream plus the mixer's output.
static __device__ __forceinline__ void load_sum(float (&r)[VEC], const element* __restrict__ x,
                                                const element* __restrict__ m, long long at) {
    float other[VEC];
    load_pack(r, x + at);
    load_pack(other, m + at);
#pragma unroll
    for (int v = 0; v < VEC; ++v) r[v] += other[v];
}

static __device__ __forceinline__ void load_weight(float (&w)[VEC], const float* weight, int channel) {
#pragma unroll
    for (int v = 0; v < VEC; ++v) w[v] = NORM ? weight[channel + v] : 1.0f;
}

// Sum each of COUNT values over the block's threads, in a fixed order, and give every thread the sums; barrier inside.
template <int COUNT>
static __device__ __forceinline__ void sum_over_block(float (&values)[COUNT]) {
    __shared__ float sums[MOST_WARPS][COUNT];
    const int warps = blockDim.x / 32;
#pragma unroll
    for (int i = 0; i < COUNT; ++i) {
#pragma unroll
        for (int lanes = 16; lanes > 0; lanes /= 2) values[i] += __shfl_xor_sync(WHOLE_WARP, values[i], lanes);
        if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32][i] = values[i];
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < COUNT; ++i) values[i] = 0.0f;
#pragma unroll 1
    for (int warp = 0; warp < warps; ++warp) {
#pragma unroll
        for (int i = 0; i < COUNT; ++i) values[i] += sums[warp][i];
    }
}

// x, m [rows, channels], weight [channels] -> out [rows/16, channels]
extern "C" __global__ void __launch_bounds__(32 * MOST_WARPS)
pool(const element* __restrict__ x, const element* __restrict__ m, const float* __restrict__ weight, float eps,
     element* __restrict__ out, int side, int channels) {
    const Square square(side);
    const int first = threadIdx.x * VEC, step = blockDim.x * VEC;
    float scale[CELLS] = {};  // of each row: the sum of squares, then 1/(16 rms)
#if NORM
    const float each = 1.0f / channels;
#pragma unroll 1
    for (int c = first; c < channels; c += step) {
#pragma unroll
        for (int i = 0; i < CELLS; ++i) {
            float r[VEC];
            load_sum(r, x, m, square.row(i) * channels + c);
#pragma unroll
            for (int v = 0; v < VEC; ++v) scale[i] += r[v] * r[v];
        }
    }
    sum_over_block(scale);
#pragma unroll
    for (int i = 0; i < CELLS; ++i) scale[i] = rsqrtf(scale[i] * each + eps) / CELLS;
#else
#pragma unroll
    for (int i = 0; i < CELLS; ++i) scale[i] = 1.0f / CELLS;
#endif
#pragma unroll 1
    for (int c = first; c < channels; c += step) {
        float total[VEC] = {}, w[VEC];
        load_weight(w, weight, c);
#pragma unroll
        for (int i = 0; i < CELLS; ++i) {
            float r[VEC];
            load_sum(r, x, m, square.row(i) * channels + c);
#pragma unroll
            for (int v = 0; v < VEC; ++v) total[v] += r[v] * scale[i];
        }
#pragma unroll
        for (int v = 0; v < VEC; ++v) total[v] *= w[v];
        store_pack(out + static_cast<long long>(blockIdx.x) * channels + c, total);
    }
}

// gradient [rows/16, channels] -> dr [rows, channels], the gradient of x and of m, and partial [rows/16, channels],
// whose sum over the rows is the weight's. With s = 1/rms(r) and q = gradient * weight / 16,
// dr = s * (q - r * s^2 * mean(r * q)).
extern "C" __global__ void __launch_bounds__(32 * MOST_WARPS)
pool_backward(const element* __restrict__ x, const element* __restrict__ m, const float* __restrict__ weight, float eps,
              const element* __restrict__ gradient, element* __restrict__ dr, float* __restrict__ partial, int side,
              int channels) {
    const Square square(side);
    const int first = threadIdx.x * VEC, step = blockDim.x * VEC;
    const element* above = gradient + static_cast<long long>(blockIdx.x) * channels;
#if NORM
    const float each = 1.0f / channels;
    float sums[2 * CELLS] = {};  // of each row: r*r, then s; behind them r*q, then s^2 * mean(r*q)
#pragma unroll 1
    for (int c = first; c < channels; c += step) {
        float q[VEC], w[VEC];
        load_pack(q, above + c);
        load_weight(w, weight, c);
#pragma unroll
        for (int v = 0; v < VEC; ++v) q[v] *= w[v] / CELLS;
#pragma unroll
        for (int i = 0; i < CELLS; ++i) {
            float r[VEC];
            load_sum(r, x, m, square.row(i) * channels + c);
#pragma unroll
            for (int v = 0; v < VEC; ++v) {
                sums[i] += r[v] * r[v];
                sums[CELLS + i] += r[v] * q[v];
            }
        }
    }
    sum_over_block(sums);
#pragma unroll
    for (int i = 0; i < CELLS; ++i) {
        sums[i] = rsqrtf(sums[i] * each + eps);
        sums[CELLS + i] *= sums[i] * sums[i] * each;
    }
#endif
#pragma unroll 1
    for (int c = first; c < channels; c += step) {
        float g[VEC];
        load_pack(g, above + c);
#pragma unroll
        for (int v = 0; v < VEC; ++v) g[v] /= CELLS;
#if NORM
        float w[VEC], share[VEC] = {};
        load_weight(w, weight, c);
#pragma unroll
        for (int i = 0; i < CELLS; ++i) {
            float r[VEC], change[VEC];
            load_sum(r, x, m, square.row(i) * channels + c);
#pragma unroll
            for (int v = 0; v < VEC; ++v) {
                change[v] = sums[i] * (g[v] * w[v] - r[v] * sums[CELLS + i]);
                share[v] += r[v] * sums[i] * g[v];
            }
            store_pack(dr + square.row(i) * channels + c, change);
        }
#pragma unroll
        for (int v = 0; v < VEC; ++v) partial[static_cast<long long>(blockIdx.x) * channels + c + v] = share[v];
#else
#pragma unroll
        for (int i = 0; i < CELLS; ++i) store_pack(dr + square.row(i) * channels + c, g);
#endif
    }
}
