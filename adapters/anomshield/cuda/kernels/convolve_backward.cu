// Gradients of the convolution of both directions.
//
// A thread has VEC neighbouring channels and walks TILES tiles of ROWS tokens. The convolution is recomputed from the
// window that its gradient needs anyway, so nothing but its input is kept. Weights and bias: a thread adds up its own
// tokens, the block's warps are added in their order, what the blocks found is added by the caller. No atomics.
#include "common.cuh"
#include "convolve.cuh"

constexpr int SHARES = 2 * (TAPS + 1) * VEC;

// d silu(x) / dx
static __device__ __forceinline__ float silu_slope(float x) {
    const float s = sigmoid(x);
    return s * (1.0f + x * (1.0f - s));
}

// Turn `g`, the gradients of u, into those before SiLU, and add the tile's own to the thread's share of the weights'.
// Tap j of row i of `g` is at row i+j of the window `x`, or (backward, whose rows start 3 tokens earlier) at row i+3-j.
static __device__ __forceinline__ void through_silu(float (&g)[ROWS + HALO][VEC], float (&share)[TAPS + 1][VEC],
                                                    const float (&own)[TAPS + 1][VEC],
                                                    const float (&x)[ROWS + 2 * HALO][VEC], int direction) {
#pragma unroll
    for (int i = 0; i < ROWS + HALO; ++i) {
        const bool mine = direction ? i >= HALO : i < ROWS;
#pragma unroll
        for (int v = 0; v < VEC; ++v) {
            float total = own[TAPS][v];
#pragma unroll
            for (int j = 0; j < TAPS; ++j) total += own[j][v] * x[i + (direction ? HALO - j : j)][v];
            g[i][v] *= silu_slope(total);
            if (!mine) continue;
#pragma unroll
            for (int j = 0; j < TAPS; ++j) share[j][v] += g[i][v] * x[i + (direction ? HALO - j : j)][v];
            share[TAPS][v] += g[i][v];
        }
    }
}

// Add the warps' shares in their order, and store the sum as [2, channels, 5] at `out`; barrier inside.
static __device__ __forceinline__ void store_shares(float* out, const float (&share)[2][TAPS + 1][VEC], int channel,
                                                    int channels) {
    __shared__ float others[WARPS - 1][SHARES][32];
    const int lane = threadIdx.x, warp = threadIdx.y;
#pragma unroll
    for (int i = 0; i < SHARES; ++i) {
        if (warp > 0) others[warp - 1][i][lane] = share[i / VEC / (TAPS + 1)][i / VEC % (TAPS + 1)][i % VEC];
    }
    __syncthreads();
    if (warp > 0 || channel >= channels) return;
#pragma unroll
    for (int i = 0; i < SHARES; ++i) {
        const int direction = i / VEC / (TAPS + 1), j = i / VEC % (TAPS + 1), v = i % VEC;
        float total = share[direction][j][v];
#pragma unroll
        for (int other = 0; other < WARPS - 1; ++other) total += others[other][i][lane];
        out[(static_cast<long long>(direction) * channels + channel + v) * (TAPS + 1) + j] = total;
    }
}

// gradient [2, batch, length, channels] -> dxs [batch, length, channels], and the gradients of weight and bias from
// each block's tokens: partial [batch * gridDim.y, 2, channels, 5], four taps and the bias.
extern "C" __global__ void __launch_bounds__(32 * WARPS)
convolve_backward(const element* __restrict__ xs, long long batch_stride, long long row_stride,
                  const float* __restrict__ weight, const float* __restrict__ bias,
                  const element* __restrict__ gradient, element* __restrict__ dxs, float* __restrict__ partial,
                  int length, int channels) {
    __shared__ Taps taps;
    const int channel = blockIdx.x * WIDTH + threadIdx.x * VEC;
    load_taps(taps, weight, bias, channels);

    float share[2][TAPS + 1][VEC] = {};
    const int tiles = channel < channels ? TILES : 0;
#pragma unroll 1
    for (int tile = 0; tile < tiles; ++tile) {
        const int start = ((blockIdx.y * TILES + tile) * WARPS + threadIdx.y) * ROWS;
        float x[ROWS + 2 * HALO][VEC], dx[ROWS][VEC] = {};
        const element* from = xs + blockIdx.z * batch_stride + (start - HALO) * row_stride + channel;
        load_window(x, from, row_stride, start - HALO, length);
#pragma unroll
        for (int direction = 0; direction < 2; ++direction) {
            // Every token that this tile's rows have reached: they lie ahead, or behind.
            float own[TAPS + 1][VEC], g[ROWS + HALO][VEC];
            const long long sequence = static_cast<long long>(direction) * gridDim.z + blockIdx.z;
            const int first = start - (direction ? HALO : 0);
            load_window(g, gradient + (sequence * length + first) * channels + channel, channels, first, length);
            take_taps(own, taps, direction);
            through_silu(g, share[direction], own, x, direction);
#pragma unroll
            for (int row = 0; row < ROWS; ++row) {
#pragma unroll
                for (int v = 0; v < VEC; ++v) {
#pragma unroll
                    for (int j = 0; j < TAPS; ++j) dx[row][v] += own[j][v] * g[row + (direction ? j : HALO - j)][v];
                }
            }
        }
        element* out = dxs + (static_cast<long long>(blockIdx.z) * length + start) * channels + channel;
#pragma unroll
        for (int row = 0; row < ROWS; ++row, out += channels) {
            if (start + row < length) store_pack(out, dx[row]);
        }
    }
    const long long block = static_cast<long long>(blockIdx.z) * gridDim.y + blockIdx.y;
    store_shares(partial + block * 2 * channels * (TAPS + 1), share, channel, channels);
}
