// What the convolution and its gradients share: a block's taps, and the rows that a thread holds in registers.
//
// A block is WARPS warps; all have the same 32*VEC channels, each warp ROWS tokens of its own. A window starts 3 tokens
// before the thread's first. For the thread's row i, tap j of the forward direction, which meets the token 3-j behind,
// is at window row i+j; tap j of the backward direction, the token 3-j ahead, is at window row i+6-j.
#pragma once
#include "rows.cuh"

constexpr int TAPS = 4;
constexpr int HALO = TAPS - 1;
constexpr int WARPS = 4;
constexpr int WIDTH = 32 * VEC;
static_assert(TAPS == WARPS && VEC <= WARPS, "a block's threads fill its taps in VEC rounds and its bias in one");

// Taps, and the bias behind them, of a block's channels. In memory the taps of a channel lie together; here the
// channels of a tap do, so that a warp reads them without bank conflicts. The padding does the same for the writes.
struct Taps {
    float values[2][TAPS + 1][WIDTH + 8];
};

// Filled by all threads of the block together, in memory's order; barrier inside.
static __device__ __forceinline__ void load_taps(Taps& taps, const float* weight, const float* bias, int channels) {
    const unsigned thread = threadIdx.y * 32 + threadIdx.x, first = blockIdx.x * WIDTH;
    const unsigned count = min(WIDTH, channels - static_cast<int>(first));
#pragma unroll
    for (int direction = 0; direction < 2; ++direction) {
        const long long start = static_cast<long long>(direction) * channels + first;
#pragma unroll
        for (int i = 0; i < VEC; ++i) {
            const unsigned at = thread + i * 32 * WARPS, tap = at % TAPS, channel = at / TAPS;
            taps.values[direction][tap][channel] = channel < count ? weight[start * TAPS + at] : 0.0f;
        }
        if (thread < WIDTH) taps.values[direction][TAPS][thread] = thread < count ? bias[start + thread] : 0.0f;
    }
    __syncthreads();
}

// One thread's taps and bias of one direction.
static __device__ __forceinline__ void take_taps(float (&own)[TAPS + 1][VEC], const Taps& taps, int direction) {
#pragma unroll
    for (int j = 0; j <= TAPS; ++j) {
#pragma unroll
        for (int v = 0; v < VEC; ++v) own[j][v] = taps.values[direction][j][threadIdx.x * VEC + v];
    }
}

// The rows of COUNT tokens from `first` on, at `from` and `stride` apart; zero where there is no such token.
template <int COUNT>
static __device__ __forceinline__ void load_window(float (&window)[COUNT][VEC], const element* from, long long stride,
                                                   int first, int length) {
    if (first >= 0 && first + COUNT <= length) {
#pragma unroll
        for (int i = 0; i < COUNT; ++i, from += stride) load_pack(window[i], from);
        return;
    }
#pragma unroll
    for (int i = 0; i < COUNT; ++i, from += stride) {
        const int token = first + i;
        if (token >= 0 && token < length) {
            load_pack(window[i], from);
        } else {
#pragma unroll
            for (int v = 0; v < VEC; ++v) window[i][v] = 0.0f;
        }
    }
}
